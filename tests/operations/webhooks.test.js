// A receiver of Janus' event handlers is told of a call from its first connection to the end of the server: each type in the shape in
// which Debian's Janus 1.1.2 sends it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPlenum } from '../e2e/harness/plenum.js';
import { start } from '../e2e/harness/process.js';
import { until, within } from '../e2e/harness/wait.js';

const LOADTEST = fileURLToPath(new URL('../../target/debug/loadtest', import.meta.url));
const ALL = ['server', 'session', 'handle', 'room', 'participant', 'talking', 'connection', 'candidate', 'media', 'statistics', 'transport', 'sdp', 'custom'];

/** Two people, one of whom speaks, each look at their statistics being some of the second. */
const CALL = `
title = "two"
participants = 2
speakers = 1
full = 0
[hold]
warm_up = 1
seconds = 6
`;

/** By type and subtype: which ids it carries, and the keys of the event. */
const SHAPES = {
  'is told of the start': ['256/1', [], ['status']],
  'is told of connections': ['128', [], ['transport', 'id', 'data']],
  'is told of sessions': ['1', ['session_id'], ['name', 'transport']],
  'is told of handles': ['2', ['session_id', 'handle_id'], ['name', 'plugin']],
  'is told of rooms and participants': ['64', [], ['plugin', 'data']],
  'is told of SDPs': ['8', ['session_id', 'handle_id'], ['owner', 'jsep']],
  'is told of candidates of ours': ['16/2', ['session_id', 'handle_id'], ['local-candidate', 'stream_id', 'component_id']],
  'is told of candidates of clients': ['16/3', ['session_id', 'handle_id'], ['remote-candidate', 'stream_id', 'component_id']],
  'is told of ICE': ['16/1', ['session_id', 'handle_id'], ['ice', 'stream_id', 'component_id']],
  'is told of DTLS': ['16/5', ['session_id', 'handle_id'], ['dtls', 'stream_id', 'component_id', 'retransmissions']],
  'is told of PeerConnections': ['16/6', ['session_id', 'handle_id'], ['connection']],
  'is told of audio that arrives': ['32/1', ['session_id', 'handle_id'], ['media', 'receiving']],
  'is told of statistics': ['32/3', ['session_id', 'handle_id'], [
    'mid', 'mindex', 'media', 'codec', 'base', 'rtt', 'lost', 'lost-by-remote', 'jitter-local', 'jitter-remote', 'in-link-quality', 'in-media-link-quality',
    'out-link-quality', 'out-media-link-quality', 'packets-received', 'packets-sent', 'bytes-received', 'bytes-sent', 'bytes-received-lastsec',
    'bytes-sent-lastsec', 'nacks-received', 'nacks-sent', 'retransmissions-received',
  ]],
  'is told of what operators say': ['4', [], ['schema', 'data']],
  'is told of the end': ['256/2', [], ['status', 'signum']],
};

describe("a receiver of Janus' events", () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-webhooks-'));
  const events = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk)).on('end', () => {
      events.push(...JSON.parse(body));
      response.end();
    });
  });
  let server;

  before(async () => {
    await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${receiver.address().port}/`;
    server = await startPlenum({ webhook: { url, format: 'janus', events: ALL, statistics_interval: 1 } });
    const scenario = join(folder, 'two.toml');
    writeFileSync(scenario, CALL);
    const call = await start(LOADTEST, ['run', scenario, '--url', server.wsUrl]);
    assert.equal(await within(call.exited, 'the call ends', 60_000), 0, call.output);
    const custom = { janus: 'custom_event', transaction: 't', schema: 'a', data: { b: 1 } };
    await fetch(server.adminUrl, { method: 'POST', body: JSON.stringify(custom) });
    await until(() => of('4').length > 0, 'the last event');
    await server.stop();
  });

  after(async () => {
    await server?.stop();
    receiver.closeAllConnections();
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const of = (kind) => events.filter(({ type, subtype }) => [type, subtype].filter((it) => it !== undefined).join('/') === kind);

  for (const [what, [kind, ids, keys]] of Object.entries(SHAPES)) {
    it(what, () => {
      assert.ok(of(kind).length > 0, JSON.stringify(events.map(({ type, subtype }) => [type, subtype])));
      const [first] = of(kind);
      assert.equal(first.emitter, 'Plenum');
      assert.ok(first.timestamp > 1e15, 'in microseconds');
      for (const id of ids) assert.equal(typeof first[id], 'number', id);
      assert.deepEqual(Object.keys(first.event), keys);
    });
  }

  it('can tell from the statistics how the audio travels', () => {
    const { event } = of('32/3').at(-1);
    assert.ok(event['packets-received'] > 100 && event['packets-sent'] > 100, JSON.stringify(event));
    assert.deepEqual([event.media, event.codec, event.lost, event['in-link-quality']], ['audio', 'opus', 0, 100]);
    const handles = new Set(of('32/3').map(({ handle_id }) => handle_id));
    assert.equal(handles.size, 2, 'of each');
  });

  it('sees connections come and go', () => {
    const [opened] = of('128');
    assert.deepEqual(opened.event.data, { event: 'connected', admin_api: false, ip: '127.0.0.1' });
    assert.equal(opened.event.transport, 'janus.transport.websockets');
    const closed = of('128').find(({ event }) => event.data.event === 'disconnected' && event.id === opened.event.id);
    assert.ok(closed, 'the same one has gone');
    assert.ok(of('1').some(({ event }) => event.transport?.id === opened.event.id), 'and its session names it');
  });

  it('gets candidates that its tools can read', () => {
    for (const [kind, key] of [['16/2', 'local-candidate'], ['16/3', 'remote-candidate']]) {
      assert.match(of(kind)[0].event[key], /^\S+ 1 udp \d+ [\d.:a-f]+ \d+ typ host/i);
    }
  });
});
