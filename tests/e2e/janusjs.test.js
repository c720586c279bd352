// The official janus.js, unmodified, in Chromium: the same scenarios over WebSocket and over long poll.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { createRoom } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { Participant, TONES, openClientPage } from './harness/participant.js';
import { isJanus, serveClient, startServer } from './harness/server.js';
import { until } from './harness/wait.js';

let server;
let files;
let browser;

before(async () => {
  [server, files, browser] = await Promise.all([startServer({ reclaimSeconds: 20 }), serveClient(), launchChromium()]);
});

after(async () => {
  await browser?.close();
  await files?.stop();
  await server?.stop();
});

for (const transport of ['WebSocket', 'long poll']) {
  describe(`janus.js over ${transport}`, () => {
    let page;
    let room;

    beforeEach(async () => {
      room = await createRoom(server);
      page = await openClientPage(browser, files);
    });

    afterEach(() => page.close());

    const url = () => (transport === 'WebSocket' ? server.wsUrl : server.httpUrl);

    async function enter(name, { at = room, on = page } = {}) {
      const participant = await Participant.create(on, name, url());
      await participant.join({ room: at });
      return participant;
    }

    async function three() {
      return [await enter('ada'), await enter('ben'), await enter('cleo')];
    }

    it('lets three participants hear the two others and not themselves', async () => {
      const [ada, ben, cleo] = await three();

      await ada.hearsOnly([ben, cleo]);
      await ben.hearsOnly([ada, cleo]);
      await cleo.hearsOnly([ada, ben]);
      await ada.sees({ audiobridge: 'joined', participants: { 0: { id: cleo.id, display: 'cleo' } } });
      await ada.sees({ audiobridge: 'event', participants: { 0: { id: cleo.id, setup: true } } });
      await ada.sees({ audiobridge: 'talking', id: ben.id, room });
    });

    it('silences a muted participant, tells the others, and lets it speak again', async () => {
      const [ada, ben, cleo] = await three();
      await ada.hearsOnly([ben, cleo]);
      // Only who counts as talking can stop.
      await ada.sees({ audiobridge: 'talking', id: ben.id });

      await ben.call('send', { request: 'configure', muted: true });
      await ada.sees({ audiobridge: 'event', participants: { 0: { id: ben.id, muted: true } } });
      await ada.hearsOnly([cleo]);
      await cleo.hearsOnly([ada]);
      await ben.hearsOnly([ada, cleo]);
      // Janus before 1.2 keeps quiet about it.
      if (!isJanus) await ada.sees({ audiobridge: 'stopped-talking', id: ben.id });

      await ben.call('send', { request: 'configure', muted: false });
      await cleo.sees({ audiobridge: 'event', participants: { 0: { id: ben.id, muted: false } } });
      await ada.hearsOnly([ben, cleo]);
    });

    it('takes a participant that leaves out of the mix, and back in without a new offer', async () => {
      const [ada, ben, cleo] = await three();
      await ada.hearsOnly([ben, cleo]);

      await ben.call('send', { request: 'leave' });
      await ben.sees({ audiobridge: 'left', room, id: ben.id });
      await ada.sees({ audiobridge: 'event', leaving: ben.id });
      await ada.hearsOnly([cleo]);
      await ben.hearsOnly([]);

      await ben.call('send', { request: 'join', room, display: 'ben again' });
      await ada.sees({ audiobridge: 'joined', participants: { 0: { display: 'ben again' } } });
      await ada.hearsOnly([ben, cleo]);
      await ben.hearsOnly([ada, cleo]);
    });

    it('removes a kicked participant and hangs up', async () => {
      const [ada, ben, cleo] = await three();

      const reply = await ada.call('send', { request: 'kick', room, id: ben.id });

      assert.equal(reply.audiobridge, 'success');
      await ben.sees({ audiobridge: 'event', room, kicked: ben.id });
      await ada.sees({ audiobridge: 'event', room, kicked: ben.id });
      await cleo.sees({ audiobridge: 'event', room, leaving: ben.id });
      await until(async () => (await ben.call('read', 'hangups')).includes('Close PC'), 'ben is hung up on');
      await ada.hearsOnly([cleo]);
      const { participants } = await ada.call('send', { request: 'listparticipants', room });
      assert.deepEqual(participants.map(({ id }) => id).sort(), [ada.id, cleo.id].sort());
    });

    it('moves a participant to another room without a new offer', async () => {
      const other = await createRoom(server);
      const [ada, ben, cleo] = await three();
      const dan = await enter('dan', { at: other });
      await ada.hearsOnly([ben, cleo]);

      await ada.call('send', { request: 'changeroom', room: other, display: 'ada' });

      const { id, participants } = await ada.sees({ audiobridge: 'roomchanged', room: other });
      assert.deepEqual(participants.map(({ display }) => display), ['dan']);
      await ben.sees({ audiobridge: 'event', room, leaving: ada.id });
      await dan.sees({ audiobridge: 'joined', room: other, participants: { 0: { id, display: 'ada' } } });
      await ada.hearsOnly([dan]);
      await dan.hearsOnly([ada]);
      await ben.hearsOnly([cleo]);
    });

    it('goes on through an ICE restart', async () => {
      const [ada, ben] = [await enter('ada'), await enter('ben')];
      await ada.hearsOnly([ben]);
      const before = await ada.call('ufrag');

      await ada.call('negotiate', { iceRestart: true });

      assert.notEqual(await ada.call('ufrag'), before);
      const { packetsReceived } = await ada.call('received');
      await until(async () => (await ada.call('received')).packetsReceived > packetsReceived + 100, 'audio comes after the restart');
      await ada.hearsOnly([ben]);
      await ben.hearsOnly([ada]);
      assert.deepEqual(await ben.seen({ leaving: ada.id }), []);
    });

    it('goes on through a renegotiation that adds video, which is refused, and a new audio track', async () => {
      const [ada, ben] = [await enter('ada'), await enter('ben')];
      await ada.hearsOnly([ben]);

      const answer = await ada.call('addVideo');

      assert.match(answer, /^m=video 0 /m);
      await ada.hearsOnly([ben]);
      await ben.hearsOnly([ada]);
      await ada.call('replaceVoice', TONES.dan);
      await ben.hearsOnly([TONES.dan]);
    });

    it('gives the session back to a client that claims it', async () => {
      const [ada, ben] = [await enter('ada'), await enter('ben')];
      await ada.hearsOnly([ben]);

      if (transport === 'WebSocket') {
        await ada.call('cut');
        await until(async () => (await ada.call('read', 'errors')).length > 0, 'janus.js notices the cut');
      }
      await ada.call('reconnect');

      await ada.hearsOnly([ben]);
      await ben.call('send', { request: 'configure', display: 'ben after' });
      await ada.sees({ audiobridge: 'event', participants: { 0: { id: ben.id, display: 'ben after' } } });
      await ada.call('send', { request: 'configure', muted: true });
      await ben.sees({ audiobridge: 'event', participants: { 0: { id: ada.id, muted: true } } });
      assert.deepEqual(await ben.seen({ leaving: ada.id }), []);
    });

    it('is told when a tab is closed', async () => {
      const tab = await openClientPage(browser, files);
      const [ada, ben] = [await enter('ada'), await enter('ben', { on: tab })];
      await ada.hearsOnly([ben]);

      await tab.close({ runBeforeUnload: true });

      await ada.sees({ audiobridge: 'event', room, leaving: ben.id });
      await ada.hearsOnly([]);
    });

    it('ends a session that is destroyed', async () => {
      const [ada, ben] = [await enter('ada'), await enter('ben')];

      await ben.call('destroy');

      await ada.sees({ audiobridge: 'event', room, leaving: ben.id });
      await ada.hearsOnly([]);
    });
  });
}

describe('a browser that is killed', () => {
  it('leaves the room when its consent has run out', async () => {
    const room = await createRoom(server);
    const page = await openClientPage(browser, files);
    const victim = await launchChromium();
    const doomed = await openClientPage(victim, files);
    const ada = await Participant.create(page, 'ada', server.wsUrl);
    const ben = await Participant.create(doomed, 'ben', server.wsUrl);
    const cleo = await Participant.create(doomed, 'cleo', server.httpUrl);
    for (const participant of [ada, ben, cleo]) await participant.join({ room });
    await ada.hearsOnly([ben, cleo]);

    victim.kill();

    await ada.sees({ audiobridge: 'event', room, leaving: ben.id });
    // Janus waits for cleo's session to time out.
    if (!isJanus) await ada.sees({ audiobridge: 'event', room, leaving: cleo.id });
    await ada.hearsOnly([]);
    await victim.close();
    await page.close();
  });
});
