// The official janus.js where the server makes the offers: audio both ways, an offer renewed, candidates in events.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRoom } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { launchFirefox } from './harness/firefox.js';
import { Participant, openClientPage } from './harness/participant.js';
import { serveClient, startServer } from './harness/server.js';
import { speechOf } from './harness/speech.js';
import { until } from './harness/wait.js';

for (const fullTrickle of [false, true]) {
  describe(`offers with ${fullTrickle ? 'candidates in events' : 'their candidates'}`, () => {
    let server;
    let files;
    let browser;
    let page;

    before(async () => {
      [server, files, browser] = await Promise.all([startServer({ fullTrickle }), serveClient(), launchChromium()]);
      page = await openClientPage(browser, files);
    });

    after(async () => {
      await browser?.close();
      await files?.stop();
      await server?.stop();
    });

    it('connect, carry audio both ways, and go on when they are renewed', async () => {
      const room = await createRoom(server);
      const [ada, ben] = [await Participant.create(page, 'ada', server.wsUrl), await Participant.create(page, 'ben', server.wsUrl)];

      await ada.join({ room, generate_offer: true });
      await ben.join({ room, generate_offer: true });
      await ada.hearsOnly([ben]);
      await ben.hearsOnly([ada]);
      await ada.sees({ audiobridge: 'event', participants: { 0: { id: ben.id, setup: true } } });

      const [offer, ufrag] = [await ada.call('remoteSdp'), await ada.call('ufrag')];
      assert.equal(/^a=candidate:/m.test((await ada.call('read', 'offer')).sdp), !fullTrickle);
      await ada.call('renew');
      assert.notEqual(await ada.call('remoteSdp'), offer, 'another version');
      assert.equal(await ada.call('ufrag'), ufrag, 'no restart');
      const { packetsReceived } = await ada.call('received');
      await until(async () => (await ada.call('received')).packetsReceived > packetsReceived + 100, 'audio goes on');
      await ada.hearsOnly([ben]);
      await ben.hearsOnly([ada]);
      assert.deepEqual(await ada.call('read', 'hangups'), []);
      assert.deepEqual(await ada.call('read', 'errors'), []);
    });

    it('carry audio between one who was offered and one who offers', async () => {
      const room = await createRoom(server);
      const [cleo, dan] = [await Participant.create(page, 'cleo', server.wsUrl), await Participant.create(page, 'dan', server.httpUrl)];

      await cleo.join({ room });
      await dan.join({ room, generate_offer: true });

      await cleo.hearsOnly([dan]);
      await dan.hearsOnly([cleo]);
    });
  });
}

describe('offers to Firefox', () => {
  let server;
  let files;
  let browsers = [];

  before(async () => {
    [server, files, ...browsers] = await Promise.all([startServer(), serveClient(), launchFirefox({ speech: speechOf('ada') }), launchChromium()]);
  });

  after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await files?.stop();
    await server?.stop();
  });

  it('connect it, carry audio both ways, and go on when they are renewed', async () => {
    const room = await createRoom(server);
    const pages = await Promise.all(browsers.map((browser) => openClientPage(browser, files)));
    const [ada, ben] = [await Participant.create(pages[0], 'ada', server.wsUrl), await Participant.create(pages[1], 'ben', server.wsUrl)];

    await ada.join({ room, generate_offer: true });
    await ben.join({ room });
    await ada.hearsOnly([ben]);
    await ben.hearsOnly([ada]);

    const offer = await ada.call('remoteSdp');
    await ada.call('renew');
    assert.notEqual(await ada.call('remoteSdp'), offer, 'another version');
    await ada.hearsOnly([ben]);
    await ben.hearsOnly([ada]);
    assert.deepEqual(await ada.call('read', 'hangups'), []);
    assert.deepEqual(await ada.call('read', 'errors'), []);
  });
});
