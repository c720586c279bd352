// TURN: clients that have nothing but a relay, with the credentials that the server gives them and coturn checks.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRoom } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { startCoturn } from './harness/coturn.js';
import { Participant, openClientPage } from './harness/participant.js';
import { RoomPage } from './harness/room-page.js';
import { serveClient, startServer } from './harness/server.js';
import { speechOf } from './harness/speech.js';

const SECRET = 'the secret that both know';

describe('clients that have nothing but a relay', () => {
  let coturn;
  let server;
  let files;
  let browser;

  before(async () => {
    coturn = await startCoturn(SECRET);
    const turn = { uris: [coturn.uri('udp'), coturn.uri('tcp')], secret: SECRET };
    [server, files, browser] = await Promise.all([startServer({ turn }), serveClient(), launchChromium({ speech: speechOf('ada') })]);
  });

  after(async () => {
    await browser?.close();
    await files?.stop();
    await server?.stop();
    await coturn?.stop();
  });

  it('hear and are heard on janus.js', async () => {
    const page = await openClientPage(browser, files);
    const room = await createRoom(server);
    const { uris, username, password } = await (await fetch(`${server.pageUrl}turn?username=ada`)).json();
    assert.match(username, /^\d+:ada$/);
    const relayed = (uri) => ({ iceTransportPolicy: 'relay', iceServers: [{ urls: [uri], username, credential: password }] });
    const ada = await Participant.create(page, 'ada', server.wsUrl, relayed(uris[0]));
    const ben = await Participant.create(page, 'ben', server.wsUrl, relayed(uris[1]));
    const cleo = await Participant.create(page, 'cleo', server.wsUrl);

    for (const participant of [ada, ben, cleo]) await participant.join({ room });

    await ada.hearsOnly([ben, cleo]);
    await ben.hearsOnly([ada, cleo]);
    await cleo.hearsOnly([ada, ben]);
    for (const participant of [ada, ben]) assert.equal((await participant.call('path')).local, 'relay');
    assert.notEqual((await cleo.call('path')).local, 'relay');
  });

  it('have a server whose operator can ask coturn for its address', async () => {
    const request = { janus: 'test_stun', transaction: 't', address: coturn.address, port: coturn.port };
    const reply = await (await fetch(server.adminUrl, { method: 'POST', body: JSON.stringify(request) })).json();
    assert.equal(reply.public_ip, coturn.address, JSON.stringify(reply));
  });

  it('hear and are heard on the room page', async () => {
    const relayOnly = () => {
      const Original = RTCPeerConnection;
      window.RTCPeerConnection = class extends Original {
        constructor(configuration) {
          super({ ...configuration, iceTransportPolicy: 'relay' });
        }
      };
    };
    await browser.context.addInitScript(relayOnly);
    const [ada, ben] = [await RoomPage.open(browser, server.pageUrl), await RoomPage.open(browser, server.pageUrl)];

    await ada.join({ name: 'Ada' });
    await ben.join({ name: 'Ben', listen: true });

    await ben.hearsSomebody();
    assert.match(coturn.output(), /session \d+: .*ALLOCATE processed, success/);
  });
});
