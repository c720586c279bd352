// Janode, unmodified: its AudioBridge calls, and its events, with a browser or with nobody's audio behind them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import Janode from 'janode';
import AudioBridge from 'janode/plugins/audiobridge';
import { launchChromium } from '../e2e/harness/chromium.js';
import { Participant, openClientPage } from '../e2e/harness/participant.js';
import { serveClient, startServer } from '../e2e/harness/server.js';
import { until, within } from '../e2e/harness/wait.js';

const { EVENT } = AudioBridge;
const SECRET = 'key';
const PIN = '1357';

describe('Janode', () => {
  let server;
  let connection;
  let session;
  let handle;
  let nextRoom = 9000;
  let room;

  before(async () => {
    Janode.Logger.setLevel('none');
    server = await startServer();
    connection = await Janode.connect({ address: { url: server.wsUrl, apisecret: 'unused' }, is_admin: false });
    session = await connection.create();
  });

  after(async () => {
    await connection?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    handle = await session.attach(AudioBridge);
    room = nextRoom++;
    await handle.create({ room, description: 'Board', sampling_rate: 48000, secret: SECRET, talking_events: true, talking_packets_threshold: 10, talking_level_threshold: 60, prebuffer: 4 });
  });

  afterEach(async () => {
    await handle.destroy({ room, secret: SECRET }).catch(() => {});
    await handle.detach();
  });

  /** The next `event` of `of`, which has to come soon. */
  const next = async (of, event) => (await within(once(of, event), `Janode's ${event}`))[0];

  it('knows the server', async () => {
    const info = await connection.getInfo();

    assert.equal(info.janus, 'server_info');
    assert.ok('janus.plugin.audiobridge' in info.plugins);
  });

  it('creates, finds, lists and destroys rooms', async () => {
    const other = nextRoom++;

    const created = await handle.create({ room: other, description: 'Ours', sampling_rate: 16000, secret: SECRET, permanent: false });

    assert.deepEqual(created, { room: other, permanent: false });
    assert.deepEqual(await handle.exists({ room: other }), { room: other, exists: true });
    const { list } = await handle.list();
    const { description, sampling_rate: rate, num_participants: participants, pin_required: pin } = list.find((found) => found.room === other);
    assert.deepEqual({ description, rate, participants, pin }, { description: 'Ours', rate: 16000, participants: 0, pin: false });
    assert.equal((await handle.destroy({ room: other, secret: SECRET })).room, other);
    assert.equal((await handle.exists({ room: other })).exists, false);
  });

  it('is refused with the code and the words', async () => {
    await assert.rejects(handle.create({ room }), /^Error: 486 /);
    await assert.rejects(handle.destroy({ room, secret: 'wrong' }), /^Error: 489 Unauthorized \(wrong secret\)/);
    await assert.rejects(handle.listParticipants({ room: 4711 }), /^Error: 485 No such room \(4711\)/);
    await assert.rejects(handle.join({ room: 4711 }), /^Error: 485 /);
    await assert.rejects(handle.configure({ muted: true }), /^Error: 487 /);
    await assert.rejects(handle.leave(), /^Error: 487 /);
    await assert.rejects(handle.kick({ room, secret: SECRET, feed: 1 }), /^Error: 492 /);
  });

  it('joins, configures and leaves, and the others hear of it', async () => {
    const other = await session.attach(AudioBridge);
    const mine = await handle.join({ room, display: 'Ada', feed: 11 });
    assert.equal(mine.feed, 11);
    assert.deepEqual(mine.participants, []);

    const joined = next(handle, EVENT.AUDIOBRIDGE_PEER_JOINED);
    const theirs = await other.join({ room, display: 'Ben', muted: true });
    assert.deepEqual(theirs.participants.map(({ feed, display, muted, setup }) => ({ feed, display, muted, setup })), [{ feed: 11, display: 'Ada', muted: false, setup: false }]);
    const { feed, display, muted } = await joined;
    assert.deepEqual({ feed, display, muted }, { feed: theirs.feed, display: 'Ben', muted: true });

    const configured = next(handle, EVENT.AUDIOBRIDGE_PEER_CONFIGURED);
    await other.configure({ display: 'Benjamin', muted: false, volume: 50, quality: 5, bitrate: 32000, expected_loss: 5, prebuffer: 2 });
    const change = await configured;
    assert.deepEqual({ feed: change.feed, display: change.display, muted: change.muted }, { feed: theirs.feed, display: 'Benjamin', muted: false });
    const { participants } = await handle.listParticipants({ room });
    assert.deepEqual(participants.map(({ display }) => display).sort(), ['Ada', 'Benjamin']);

    const leaving = next(handle, EVENT.AUDIOBRIDGE_PEER_LEAVING);
    assert.equal((await other.leave()).feed, theirs.feed);
    assert.equal((await leaving).feed, theirs.feed);
    const again = next(handle, EVENT.AUDIOBRIDGE_PEER_JOINED);
    await other.join({ room, display: 'Ben' });
    await again;
    const detached = next(handle, EVENT.AUDIOBRIDGE_PEER_LEAVING);
    await other.detach();
    await detached;
  });

  it('moderates: mute, unmute, kick, destroy', async () => {
    const other = await session.attach(AudioBridge);
    await handle.join({ room, display: 'Ada' });
    const { feed } = await other.join({ room, display: 'Ben' });

    const muted = next(handle, EVENT.AUDIOBRIDGE_PEER_CONFIGURED);
    const told = next(other, EVENT.AUDIOBRIDGE_CONFIGURED);
    await handle.mute({ room, feed, secret: SECRET });
    assert.equal((await muted).muted, true);
    assert.equal((await told).muted, true);
    const unmuted = next(handle, EVENT.AUDIOBRIDGE_PEER_CONFIGURED);
    await handle.unmute({ room, feed, secret: SECRET });
    assert.equal((await unmuted).muted, false);

    const kicked = next(other, EVENT.AUDIOBRIDGE_KICKED);
    const seen = next(handle, EVENT.AUDIOBRIDGE_PEER_KICKED);
    const left = next(handle, EVENT.AUDIOBRIDGE_PEER_LEAVING);
    await handle.kick({ room, feed, secret: SECRET });
    assert.equal((await kicked).feed, feed);
    assert.equal((await seen).feed, feed);
    assert.equal((await left).feed, feed);
    assert.deepEqual((await handle.listParticipants({ room })).participants.map(({ display }) => display), ['Ada']);

    await other.join({ room, display: 'Ben' });
    const destroyed = next(other, EVENT.AUDIOBRIDGE_DESTROYED);
    await handle.destroy({ room, secret: SECRET });
    assert.equal((await destroyed).room, room);
    await other.detach();
  });

  it('mutes and unmutes the whole room', async () => {
    await handle.join({ room });
    // Janode's muteRoom sends `unmute_room` by mistake, so the room is muted by the message itself.
    const muted = next(handle, EVENT.AUDIOBRIDGE_ROOM_MUTED);
    await handle.message({ request: 'mute_room', room, secret: SECRET });
    assert.deepEqual(await muted, { room, muted: true });

    const unmuted = next(handle, EVENT.AUDIOBRIDGE_ROOM_MUTED);
    await handle.unmuteRoom({ room, secret: SECRET });
    assert.deepEqual(await unmuted, { room, muted: false });
  });

  it('suspends and resumes', async () => {
    const other = await session.attach(AudioBridge);
    await handle.join({ room, display: 'Ada' });
    const { feed } = await other.join({ room, display: 'Ben' });

    const suspended = [next(other, EVENT.AUDIOBRIDGE_SUSPENDED), next(handle, EVENT.AUDIOBRIDGE_PEER_SUSPENDED)];
    await handle.suspend({ room, feed, secret: SECRET, pause_events: false });
    for (const event of await Promise.all(suspended)) assert.equal(event.feed, feed);
    const { participants } = await handle.listParticipants({ room });
    assert.equal(participants.find((found) => found.feed === feed).suspended, true);

    const resumed = [next(other, EVENT.AUDIOBRIDGE_RESUMED), next(handle, EVENT.AUDIOBRIDGE_PEER_RESUMED)];
    await handle.resume({ room, feed, secret: SECRET });
    for (const event of await Promise.all(resumed)) assert.equal(event.feed, feed);
    await other.detach();
  });

  it('sets recording, and asks for forwarders and announcements', async () => {
    assert.deepEqual(await handle.enableRecording({ room, record: true, filename: 'board', secret: SECRET }), { room, record: true });
    assert.equal((await handle.enableRecording({ room, record: false, secret: SECRET })).record, false);

    assert.deepEqual((await handle.listForward({ room, secret: SECRET })).forwarders, []);
    assert.deepEqual((await handle.listAnnouncements({ room, secret: SECRET })).announcements, []);
    await handle.stopAllFiles({ room, secret: SECRET });
    await assert.rejects(handle.isPlaying({ room, secret: 'wrong', file_id: 'chime' }), /^Error: 489 /);
    await assert.rejects(handle.startForward({ room, secret: 'wrong', host: '127.0.0.1', audio_port: 9 }), /^Error: 489 /);
  });

  it('lets in those with a PIN and a token', async () => {
    const closed = nextRoom++;
    await handle.create({ room: closed, pin: PIN, secret: SECRET });
    const { list } = await handle.allow({ room: closed, action: 'add', list: ['ticket', 'other'], secret: SECRET });
    assert.deepEqual(list.sort(), ['other', 'ticket']);
    await handle.allow({ room: closed, action: 'enable', secret: SECRET });

    await assert.rejects(handle.join({ room: closed }), /^Error: 483 Missing mandatory element \(pin\)/);
    await assert.rejects(handle.join({ room: closed, pin: 'no' }), /^Error: 489 Unauthorized \(wrong pin\)/);
    await assert.rejects(handle.join({ room: closed, pin: PIN }), /^Error: 489 Unauthorized \(not in the allowed list\)/);
    await handle.join({ room: closed, pin: PIN, token: 'ticket' });

    assert.deepEqual((await handle.allow({ room: closed, action: 'remove', list: ['ticket'], secret: SECRET })).list, ['other']);
    assert.equal((await handle.allow({ room: closed, action: 'disable', secret: SECRET })).list, undefined);
    await handle.destroy({ room: closed, secret: SECRET });
  });

  it('keeps its session alive and destroys it', async () => {
    // A keepalive that is not acknowledged within half of its period ends Janode's session.
    const short = await connection.create(1);
    let ended = false;
    const destroyed = once(short, Janode.EVENT.SESSION_DESTROYED).then(() => (ended = true));
    let keepalives = 0;
    const { _sendKeepAlive: send } = short;
    short._sendKeepAlive = (...args) => send.apply(short, args).finally(() => keepalives++);
    await until(() => ended || keepalives >= 2, 'two keepalives are answered');
    assert.equal(ended, false);

    await short.destroy();
    await within(destroyed, 'the session ends');
  });

  it('negotiates for a browser, and sees it talk and go', async () => {
    const [files, browser] = await Promise.all([serveClient(), launchChromium()]);
    try {
      const page = await openClientPage(browser, files);
      await handle.join({ room, display: 'Ada' });
      const setup = next(handle, EVENT.AUDIOBRIDGE_PEER_CONFIGURED);
      const talking = next(handle, EVENT.AUDIOBRIDGE_PEER_TALKING);
      const ben = await Participant.create(page, 'ben', server.wsUrl);
      await ben.join({ room });
      assert.equal((await setup).setup, true);
      assert.deepEqual(await talking, { room, feed: ben.id, talking: true });

      const gone = next(handle, EVENT.AUDIOBRIDGE_PEER_LEAVING);
      await ben.call('destroy');
      assert.equal((await gone).feed, ben.id);

      // The browser makes the offer, Janode carries it to the server and the answer back.
      const offer = await page.evaluate(async () => {
        window.carried = new RTCPeerConnection();
        const [track] = new MediaStreamAudioDestinationNode(new AudioContext()).stream.getTracks();
        window.carried.addTrack(track);
        await window.carried.setLocalDescription();
        const { type, sdp } = window.carried.localDescription;
        return { type, sdp };
      });
      const up = next(handle, Janode.EVENT.HANDLE_WEBRTCUP);
      const { jsep } = await handle.configure({ muted: false, jsep: offer });
      assert.equal(jsep.type, 'answer');
      await page.evaluate((answer) => window.carried.setRemoteDescription(answer), jsep);
      await up;
      await handle.trickleComplete();

      const hangup = next(handle, Janode.EVENT.HANDLE_HANGUP);
      await handle.audioHangup();
      assert.equal((await hangup).reason, 'Close PC');
    } finally {
      await browser.close();
      await files.stop();
    }
  });
});
