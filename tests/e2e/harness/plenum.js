// The server under test: the plenum binary on free ports, with a configuration of its own.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.js';
import { start, stop } from './process.js';

const BINARY = process.env.E2E_PLENUM ?? fileURLToPath(new URL('../../../target/debug/plenum', import.meta.url));

/**
 * Starts it; `ports` are those of a server that is gone, to come back as. `media`, `signaling` and `turn` are keys of those sections,
 * `webhook` those of a receiver, `rooms` are beside the Demo Room, `environment` is beside what the process has.
 */
export async function startPlenum({
  reclaimSeconds = 0, fullTrickle = false, media = {}, signaling = {}, turn, webhook, adminToken, rooms = [], ports, environment = {},
} = {}) {
  ports ??= { http: await freePort(), websocket: await freePort(), admin: await freePort() };
  const folder = mkdtempSync(join(tmpdir(), 'e2e-plenum-'));
  const config = join(folder, 'plenum.toml');
  writeFileSync(config, toml({ ports, reclaimSeconds, fullTrickle, media, signaling, turn, webhook, adminToken, rooms }));
  // The line that says where the page is comes last.
  const service = await start(BINARY, ['--config', config], {
    ready: (output) => /ready: open (\S+)/.exec(output)?.[1],
    env: { ...process.env, ...environment },
  });
  return {
    name: 'plenum',
    pageUrl: `http://localhost:${ports.http}/`,
    httpUrl: `http://127.0.0.1:${ports.http}/janus`,
    wsUrl: `ws://127.0.0.1:${ports.websocket}`,
    adminUrl: `http://127.0.0.1:${ports.admin}/admin`,
    restUrl: `http://127.0.0.1:${ports.admin}/v1`,
    consoleUrl: `http://127.0.0.1:${ports.admin}/console/`,
    ports,
    output: () => service.output,
    pid: service.child.pid,
    exited: service.exited,
    // SIGTERM would wait for whoever is still in a room.
    stop: async (signal = 'SIGINT') => {
      const code = await stop(service, signal);
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

function toml({ ports, reclaimSeconds, fullTrickle, media, signaling, turn, webhook, adminToken, rooms }) {
  const demo = { room: 1234, description: 'Demo Room', sampling_rate: 48000, audiolevel_event: true, audio_active_packets: 10, audio_level_average: 45 };
  const table = (properties) => Object.entries(properties).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('');
  return [
    `[http]\nport = ${ports.http}\n`,
    `[websocket]\nport = ${ports.websocket}\n`,
    `[admin]\n${table({ port: ports.admin, ...(adminToken && { token: adminToken }) })}`,
    `[media]\n${table({ port: 0, full_trickle: fullTrickle, ...media })}`,
    `[signaling]\n${table({ reclaim_session_timeout: reclaimSeconds, ...signaling })}`,
    turn ? `[turn]\n${table(turn)}` : '',
    webhook ? `[[webhooks]]\n${table(webhook)}` : '',
    ...[demo, ...rooms].map((room) => `[[rooms]]\n${table(room)}`),
  ].join('\n');
}
