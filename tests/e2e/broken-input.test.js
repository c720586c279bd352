// Broken input in quantity while a call is up: the right error each time, and the call undisturbed.

import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { CORE_FAULTS, NOT_JSON, NOT_OBJECTS, REQUESTS, REQUESTS_INSIDE, SDP_FAULTS, WRONG } from './cases/requests.js';
import { Api, createRoom } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { LONGEST_GAP_MS, longestGap } from './harness/gaps.js';
import { Participant, openClientPage } from './harness/participant.js';
import { serveClient, startServer } from './harness/server.js';
import { until, within } from './harness/wait.js';

const SECRET = 'key';
const PIN = '1357';

/** Values of 10 ms: what a request upset may show a little later. */
const SHORTEST_WATCH = 100;

describe('broken input while a call is up', () => {
  let server;
  let files;
  let browser;
  let page;
  let ada;
  let ben;
  let room;

  before(async () => {
    [server, files, browser] = await Promise.all([startServer(), serveClient(), launchChromium()]);
    page = await openClientPage(browser, files);
    [ada, ben] = [await Participant.create(page, 'ada', server.wsUrl), await Participant.create(page, 'ben', server.wsUrl)];
    await ada.join({ room: 1234 });
    await ben.join({ room: 1234 });
    await ada.hearsOnly([ben]);
    room = await createRoom(server, { secret: SECRET, pin: PIN, allowed: ['ticket'] });
  });

  after(async () => {
    await browser?.close();
    await files?.stop();
    await server?.stop();
  });

  /**
   * Does `act` with an Api, while ada hears ben without a gap and without a lost packet. A busy machine disturbs a call
   * by itself, but not three times in the same place; what a request does to a call it does each time.
   */
  async function undisturbed(act) {
    const measured = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const api = await Api.open(server.httpUrl);
      const before = await ada.call('received');
      await ada.call('startWatch', ben.frequency);
      await act(api);
      await until(() => ada.call('heard').then((values) => values > SHORTEST_WATCH), 'the call goes on');
      const gap = longestGap(await ada.call('endWatch'));
      const after = await ada.call('received');
      await api.close();
      const lost = after.packetsLost - before.packetsLost;
      const rate = (1000 * (after.packetsReceived - before.packetsReceived)) / (after.timestamp - before.timestamp);
      measured.push({ gap, lost, rate });
      if (gap <= LONGEST_GAP_MS && lost === 0 && rate > 45 && rate < 55) {
        await ada.hearsOnly([ben]);
        return;
      }
    }
    assert.fail(`the call was disturbed: ${JSON.stringify(measured)}`);
  }

  /** A body in which everything but one field is right. */
  const rightBody = (request) => ({
    request, room, secret: SECRET, pin: PIN, token: 'ticket', id: 1, action: 'add', allowed: [], ...(request === 'create' && { room: 77_000 }),
  });

  it('answers wrong types in every field of every request', () =>
    undisturbed(async (api) => {
      let requests = 0;
      for (const [request, fields] of Object.entries(REQUESTS)) {
        for (const [field, type] of Object.entries(fields)) {
          for (const value of WRONG[type]) {
            const reply = await api.message({ ...rightBody(request), [field]: value });
            assertInvalid(reply, field, `${request} with ${field}: ${JSON.stringify(value)}`);
            requests++;
          }
        }
      }
      assert.ok(requests > 300);
    }));

  it('answers wrong types in requests of somebody in a room', () =>
    undisturbed(async (api) => {
      const joined = await api.message({ request: 'join', room, pin: PIN, token: 'ticket' });
      assert.equal(joined.audiobridge, 'joined', JSON.stringify(joined));
      for (const [request, fields] of Object.entries(REQUESTS_INSIDE)) {
        for (const [field, type] of Object.entries(fields)) {
          for (const value of WRONG[type]) {
            const reply = await api.message({ request, ...(request === 'changeroom' && { room: 1234 }), [field]: value });
            assertInvalid(reply, field, `${request} with ${field}: ${JSON.stringify(value)}`);
          }
        }
      }
    }));

  it('says which field is missing and which request is unknown', () =>
    undisturbed(async (api) => {
      const cases = [
        [{}, 483, 'request'],
        [{ request: 1 }, 484, 'request'],
        [{ request: 'nonsense' }, 482, 'nonsense'],
        ...['edit', 'destroy', 'exists', 'allowed', 'mute', 'kick', 'kick_all', 'mute_room', 'join'].map((request) => [{ request, action: 'add' }, 483, 'room']),
        [{ request: 'kick', room }, 483, 'id'],
        [{ request: 'kick', room, id: 1 }, 483, 'secret'],
        [{ request: 'kick', room, id: 1, secret: 'no' }, 489, 'secret'],
        [{ request: 'kick', room, id: 1, secret: SECRET }, 492, '1'],
        [{ request: 'join', room }, 483, 'pin'],
        [{ request: 'join', room, pin: 'no' }, 489, 'pin'],
        [{ request: 'join', room, pin: PIN, token: 'no' }, 489, 'allowed'],
        [{ request: 'join', room: 1234, quality: 11 }, 484, 'quality'],
        [{ request: 'join', room: 1234, expected_loss: 21 }, 484, 'expected_loss'],
        [{ request: 'join', room: 1234, codec: 'mp3' }, 484, 'codec'],
        [{ request: 'create', sampling_rate: 44100 }, 499, '44100'],
        [{ request: 'create', room }, 486, String(room)],
      ];
      for (const [body, code, word] of cases) {
        const reply = await api.message(body);
        assert.equal(reply.error_code, code, `${JSON.stringify(body)}: ${JSON.stringify(reply)}`);
        assert.ok(reply.error.includes(word), reply.error);
      }
    }));

  it('answers faults in requests of the core', () =>
    undisturbed(async (api) => {
      for (const [path, message, code] of CORE_FAULTS(api.session, api.handle)) {
        const reply = await api.post(path, message);
        assert.equal(reply.error?.code, code, `${path} ${JSON.stringify(message)}: ${JSON.stringify(reply)}`);
      }
    }));

  it('answers what is no JSON over HTTP', () =>
    undisturbed(async (api) => {
      for (const text of NOT_JSON.filter((text) => text !== '')) {
        const { body } = await api.raw('', text);
        assert.equal(body.error?.code, 454, `${JSON.stringify(text)}: ${JSON.stringify(body)}`);
      }
      for (const text of NOT_OBJECTS) {
        const { body } = await api.raw('', text);
        assert.equal(body.error?.code, 455, `${text}: ${JSON.stringify(body)}`);
      }
    }));

  it('answers what is no JSON over WebSocket, and keeps the connection', () =>
    undisturbed(async (api) => {
      const socket = new WebSocket(server.wsUrl, 'janus-protocol');
      await within(once(socket, 'open'), 'a WebSocket');
      const answer = async (text) => {
        const answered = once(socket, 'message');
        socket.send(text);
        return JSON.parse((await within(answered, `an answer to ${JSON.stringify(text)}`))[0]);
      };

      for (const text of NOT_JSON.filter((text) => text.trim() !== '')) {
        const reply = await answer(text);
        assert.equal(reply.error?.code, 454, `${JSON.stringify(text)}: ${JSON.stringify(reply)}`);
      }
      for (const text of NOT_OBJECTS) {
        const reply = await answer(text);
        assert.equal(reply.error?.code, 456, `${text}: ${JSON.stringify(reply)}`);
      }
      assert.equal((await answer('{"janus":"create","transaction":"t"}')).janus, 'success');
      socket.close();
    }));

  it('answers broken SDP, and takes a good offer after it', () =>
    undisturbed(async (api) => {
      const offer = await page.evaluate(async () => {
        window.broken = new RTCPeerConnection();
        window.broken.addTransceiver('audio', { direction: 'recvonly' });
        await window.broken.setLocalDescription();
        return window.broken.localDescription.sdp;
      });
      const joined = await api.message({ request: 'join', room, pin: PIN, token: 'ticket' });
      assert.equal(joined.audiobridge, 'joined', JSON.stringify(joined));

      for (const [what, breakIt] of SDP_FAULTS) {
        const broken = breakIt(offer);
        assert.notEqual(broken, offer, what);
        const reply = await api.message({ request: 'configure' }, { type: 'offer', sdp: broken });
        assert.equal(reply.error?.code, 465, `${what}: ${JSON.stringify(reply)}`);
      }
      assert.deepEqual(await api.message({ request: 'configure' }, { type: 'offer', sdp: offer }), { audiobridge: 'event', result: 'ok' });
    }));

  it('ignores noise on the media port', () =>
    undisturbed(async () => {
      const [, address, port] = /a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/i.exec(await ada.call('remoteSdp'));
      const socket = createSocket('udp4');
      // What a demultiplexer looks at first: STUN, DTLS, RTP and RTCP, TURN channels, anything.
      const firsts = [0, 1, 20, 22, 23, 64, 128, 144, 200, 255];
      for (let round = 0; round < 400; round++) {
        await Promise.all(
          Array.from({ length: 25 }, () => {
            const datagram = randomBytes(randomInt(1, 1400));
            datagram[0] = firsts[randomInt(firsts.length)];
            return new Promise((resolve) => socket.send(datagram, Number(port), address, resolve));
          }),
        );
      }
      socket.close();
    }));
});

/** The plugin's word for a value of the wrong type in that field. */
function assertInvalid(reply, field, what) {
  assert.equal(reply.error_code, 484, `${what}: ${JSON.stringify(reply)}`);
  assert.ok(reply.error.includes(field), `${what}: ${reply.error}`);
}
