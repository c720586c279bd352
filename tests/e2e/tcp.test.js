// Audio over TCP: the official janus.js in Chromium, where no datagram gets through.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRoom } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { Participant, openClientPage } from './harness/participant.js';
import { serveClient, startServer } from './harness/server.js';

describe('a client that cannot use UDP', () => {
  let server;
  let files;
  let browser;
  let page;

  before(async () => {
    [server, files, browser] = await Promise.all([startServer({ media: { tcp_port: 0 } }), serveClient(), launchChromium()]);
    page = await openClientPage(browser, files);
  });

  after(async () => {
    await browser?.close();
    await files?.stop();
    await server?.stop();
  });

  it('hears and is heard over TCP, beside others over UDP', async () => {
    const room = await createRoom(server);
    const ada = await Participant.create(page, 'ada', server.wsUrl, { udp: false });
    const ben = await Participant.create(page, 'ben', server.wsUrl);
    const cleo = await Participant.create(page, 'cleo', server.httpUrl, { udp: false });

    for (const participant of [ada, ben, cleo]) await participant.join({ room });

    await ada.hearsOnly([ben, cleo]);
    await ben.hearsOnly([ada, cleo]);
    await cleo.hearsOnly([ada, ben]);
    assert.equal((await ada.call('path')).protocol, 'tcp');
    assert.equal((await ben.call('path')).protocol, 'udp', 'which is better and was possible');
    assert.equal((await cleo.call('path')).protocol, 'tcp');
    for (const participant of [ada, ben, cleo]) assert.deepEqual(await participant.call('read', 'hangups'), []);
  });
});
