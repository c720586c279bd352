// Two servers behind the HAProxy and the nginx of deploy/: rooms are kept together, a server is drained, and nobody in a call notices.
// Where other work leaves the servers too little of the machine they refuse whoever comes, and whoever comes asks again.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { startPlenum } from '../e2e/harness/plenum.js';
import { freePort } from '../e2e/harness/ports.js';
import { start, stop } from '../e2e/harness/process.js';
import { until, within } from '../e2e/harness/wait.js';

const path = (relative) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const LOADTEST = path('target/debug/loadtest');
const TOKEN = 'balanced';
const ROOMS = 20;
const PARTICIPANTS = 10;
/** How long calls are measured, from when all are in: the drain has to fit in. */
const SECONDS = 30;
/** So long after an overload HAProxy may still hold the server to be busy: it looks twice, a second apart. */
const ECHO_MS = 5_000;

const folder = mkdtempSync(join(tmpdir(), 'plenum-balancers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('HAProxy keeps rooms together and calls alive while a server drains', { timeout: 120_000 }, async () => {
  const servers = await startServers();
  const [a, b] = servers;
  const haproxy = await startHaproxy(servers);
  try {
    const calls = [];
    for (let room = 1; room <= ROOMS; room++) {
      await until(() => !servers.some(wasBusy), 'the servers take new rooms', 60_000);
      calls.push(await startCall(haproxy, room, room % 2 ? 'ws' : 'http'));
    }
    await until(async () => (await occupancies(servers)).reduce((sum, it) => sum + it.participants, 0) === ROOMS * PARTICIPANTS,
      'everybody is in', 60_000);
    await comers(haproxy, servers, 1, 10);
    const before = await occupancies(servers);
    assert.equal(before[0].rooms + before[1].rooms, ROOMS + 10, 'no room is on both');
    assert.ok(before.every((it) => it.participants > PARTICIPANTS), `both have some: ${JSON.stringify(before)}`);
    const living = (await roomsWithPeople(a)).find((room) => room <= 10);
    const made = await Promise.all([2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008].map((room) => operate(haproxy, 'PUT', room)));
    assert.deepEqual(new Set(made), new Set([201]), 'a back-end makes rooms');
    assert.ok((await comers(haproxy, servers, 2001, 8)).every((code) => code === 'joined'), 'which clients find');
    assert.equal(await operate(haproxy, 'GET', 2001), 200);
    assert.equal(await operate(haproxy, 'PUT', 2001), 200, 'it is there already');
    assert.equal((await fetch(`${haproxy.rest}/v1/rooms`)).status, 404, 'a list would be of one server');
    const booked = await occupancies(servers);

    assert.equal((await drain(a, 'PUT', { deadline: 300 })).draining, true);
    // At once, while HAProxy does not know yet, and when it does.
    const early = await comers(haproxy, servers, 100, 10);
    assert.equal(await operate(haproxy, 'PUT', 3001), 201, 'a room is made on the other');
    assert.equal(await operate(haproxy, 'PUT', 3002), 201);
    await until(async () => (await fetch(`${a.admin}/readyz`)).status === 503, 'it says that it is not ready');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const late = await comers(haproxy, servers, 200, 10);
    const back = await enter(haproxy, servers, living);
    assert.ok([...early, ...late].every((code) => code === 'joined'), `new rooms begin: ${[early, late].join(' | ')}`);
    assert.equal(back, 'joined', 'who comes to a call gets in');
    const during = await occupancies(servers);
    assert.deepEqual(during[0], { rooms: booked[0].rooms, participants: booked[0].participants + 1 }, 'no new room is on the drained one');
    assert.equal(during[1].rooms, booked[1].rooms + 20, 'they are on the other');

    const reports = await Promise.all(calls.map((call) => call.report()));
    const dropped = reports.filter((report) => report.join.joined !== PARTICIPANTS || report.join.failed > 0 || Object.keys(report.failures).length > 0);
    assert.deepEqual(dropped, [], 'everybody stayed to the end');
    for (const call of calls) assert.equal(await call.exited, 0, `its packets came in time: ${call.output()}`);
    // The guests above are still there.
    await drain(a, 'PUT', { deadline: 0 });
    assert.equal(await within(a.exited, 'the drained server ends'), 3);
    assert.equal(await enter(haproxy, servers, living), 'joined', 'its rooms begin anew on the other');
    assert.ok((await roomsWithPeople(b)).includes(living));
  } finally {
    await stop(haproxy.service);
    await Promise.all(servers.map((server) => server.stop('SIGKILL')));
  }
});

test('nginx takes the configuration, and one gets in through it, also while a server drains', { timeout: 60_000 }, async () => {
  const servers = await startServers();
  const nginx = await startNginx(servers);
  try {
    const codes = await comers(nginx, servers, 1, 20);
    assert.ok(codes.every((code) => code === 'joined'), JSON.stringify(codes));
    const before = await occupancies(servers);
    assert.ok(before.every((it) => it.rooms > 0), `both have some: ${JSON.stringify(before)}`);
    assert.equal(before[0].rooms + before[1].rooms, 20);
    const upgraded = new WebSocket(`ws://127.0.0.1:${nginx.port}/room/1/janus`, 'janus-protocol');
    await within(new Promise((resolve, reject) => Object.assign(upgraded, { onopen: resolve, onerror: reject })), 'a WebSocket opens');
    upgraded.close();

    await drain(servers[0], 'PUT', { deadline: 300 });
    assert.ok((await comers(nginx, servers, 50, 10)).every((code) => code === 'joined'), 'new rooms begin');

    const during = await occupancies(servers);
    assert.equal(during[0].rooms, before[0].rooms, 'no new room is on the drained one');
  } finally {
    await stop(nginx.service, 'SIGQUIT');
    await Promise.all(servers.map((server) => server.stop('SIGKILL')));
  }
});

/** Two servers with the same rooms, as behind a balancer. */
function startServers() {
  const rooms = [...Array(300).keys()].map((index) => ({ room: index + 1, sampling_rate: 16000 }));
  const begin = async () => {
    const server = await startPlenum({ rooms, signaling: { session_timeout: 300 }, environment: { PLENUM_ADMIN__TOKEN: TOKEN } });
    return watch(Object.assign(server, { admin: `http://127.0.0.1:${server.ports.admin}` }));
  };
  return Promise.all([begin(), begin()]);
}

/** Notes when it says that it has too much to do. */
function watch(server) {
  server.busyAt = -Infinity;
  const look = setInterval(async () => {
    const answer = await fetch(`${server.admin}/readyz`).then((response) => response.json()).catch(() => ({ reasons: [] }));
    if (answer.reasons.some((reason) => reason !== 'draining')) server.busyAt = Date.now();
  }, 200);
  server.exited.then(() => clearInterval(look));
  return server;
}

function wasBusy(server) {
  return Date.now() - server.busyAt < ECHO_MS;
}

async function startHaproxy([a, b]) {
  const port = await freePort();
  const rest = await freePort();
  const config = join(folder, 'haproxy.cfg');
  const place = (server) => `127.0.0.1:${server.ports.http} port ${server.ports.admin}`;
  writeFileSync(config, swap(readFileSync(path('deploy/haproxy/haproxy.cfg'), 'utf8'), {
    'bind :8000': `bind 127.0.0.1:${port}`,
    '127.0.0.1:10240': `127.0.0.1:${await freePort()}`,
    '10.0.0.1:8088 port 7088': place(a),
    '10.0.0.2:8088 port 7088': place(b),
    '127.0.0.1:8001': `127.0.0.1:${rest}`,
    '10.0.0.1:7088': `127.0.0.1:${a.ports.admin}`,
    '10.0.0.2:7088': `127.0.0.1:${b.ports.admin}`,
  }));
  const service = await start('haproxy', ['-db', '-f', config]);
  await until(() => answers(port), 'HAProxy listens');
  return { port, service, rest: `http://127.0.0.1:${rest}` };
}

async function startNginx([a, b]) {
  const port = await freePort();
  const site = join(folder, 'plenum.conf');
  writeFileSync(site, swap(readFileSync(path('deploy/nginx/plenum.conf'), 'utf8'), {
    'listen 8000': `listen 127.0.0.1:${port}`,
    '10.0.0.1:8088': `127.0.0.1:${a.ports.http}`,
    '10.0.0.2:8088': `127.0.0.1:${b.ports.http}`,
  }));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n');
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, `user root;\ndaemon off;\npid ${folder}/nginx.pid;\nevents {}\nhttp {\naccess_log off;\n${temporary}\ninclude ${site};\n}\n`);
  const args = ['-c', config, '-e', 'stderr'];
  const check = await start('nginx', ['-t', ...args]);
  assert.equal(await within(check.exited, 'nginx -t'), 0, check.output);
  const service = await start('nginx', args);
  await until(() => answers(port), 'nginx listens');
  return { port, service };
}

/** Each of these must stand there once. */
function swap(text, changes) {
  for (const [from, to] of Object.entries(changes)) {
    assert.equal(text.split(from).length, 2, `${from} is not there once`);
    text = text.replace(from, to);
  }
  return text;
}

/** A call of ten in one room, by the load generator, whose clients name the room in their URL. */
async function startCall({ port }, room, scheme) {
  const scenario = join(folder, `room-${room}.toml`);
  const json = join(folder, `room-${room}.json`);
  writeFileSync(scenario, `title = "room ${1000 + room}"
participants = ${PARTICIPANTS}
speakers = 1
full = 0
[room]
first = ${1000 + room}
[arrival]
per_second = 5
patient = true
[hold]
warm_up = 8
seconds = ${SECONDS}
[expect]
min_packets_per_second = 45
`);
  const url = `${scheme}://127.0.0.1:${port}/room/${1000 + room}/janus`;
  const service = await start(LOADTEST, ['run', scenario, '--url', url, '--json', json]);
  return {
    exited: service.exited,
    output: () => service.output,
    report: async () => {
      await within(service.exited, `the call in room ${room} ends`, 90_000);
      return JSON.parse(readFileSync(json, 'utf8'));
    },
  };
}

async function drain(server, method, body) {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return (await fetch(`${server.admin}/v1/drain`, { method, headers, body: body && JSON.stringify(body) })).json();
}

/** Rooms with people in them, and people. */
function occupancies(servers) {
  return Promise.all(servers.map(async (server) => {
    const { rooms, participants } = await drain(server, 'GET');
    return { rooms, participants };
  }));
}

async function roomsWithPeople(server) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const { rooms } = await (await fetch(`${server.admin}/v1/rooms?limit=1000`, { headers })).json();
  return rooms.filter((room) => room.num_participants > 0).map((room) => room.room);
}

/** A back-end asks for a room; the status. */
async function operate({ rest }, method, room) {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(method === 'PUT' && { 'content-type': 'application/json' }) };
  return (await fetch(`${rest}/v1/rooms/${room}`, { method, headers, body: method === 'PUT' ? '{"sampling_rate":16000}' : undefined })).status;
}

/** Somebody comes to each of so many rooms, from the first on; what became of them. */
async function comers(balancer, servers, first, count) {
  const codes = [];
  for (let room = first; room < first + count; room++) codes.push(await enter(balancer, servers, room));
  return codes;
}

/** Somebody comes to a room, and again while a server has too much to do; what it is told. */
async function enter(balancer, servers, room) {
  for (let attempt = 1; ; attempt++) {
    const answer = await tryToEnter(balancer, room);
    if (answer === 'joined' || attempt === 30 || !servers.some(wasBusy)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** A client of the long poll without audio joins a room; what it is told. */
async function tryToEnter({ port }, room) {
  const base = `http://127.0.0.1:${port}/room/${room}/janus`;
  const post = async (below, body) => {
    const response = await fetch(base + below, { method: 'POST', body: JSON.stringify({ transaction: 't', ...body }) });
    return response.status === 200 ? response.json() : { refused: `${base}${below}: ${response.status}` };
  };
  const { data: made, refused } = await post('', { janus: 'create' });
  if (refused) return refused;
  const session = `/${made.id}`;
  const handle = `${session}/${(await post(session, { janus: 'attach', plugin: 'janus.plugin.audiobridge' })).data.id}`;
  await post(handle, { janus: 'message', body: { request: 'join', room } });
  const event = await (await fetch(`${base}${session}?maxev=1`)).json();
  const data = event.plugindata?.data ?? event;
  return data.audiobridge === 'joined' ? 'joined' : JSON.stringify(data);
}

async function answers(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/`)).status > 0;
  } catch {
    return false;
  }
}
