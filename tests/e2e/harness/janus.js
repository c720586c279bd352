// Debian's Janus in Plenum's place, so that a test which fails can be asked whether it is right (E2E_SERVER=janus).

import { mkdtempSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveFiles } from './files.js';
import { freePort } from './ports.js';
import { start, stop } from './process.js';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/janus';
const ALL_PLUGINS = ['audiobridge', 'duktape', 'echotest', 'lua', 'nosip', 'recordplay', 'sip', 'streaming', 'textroom', 'videocall', 'videoroom', 'voicemail'];

/** The same shape as `startPlenum`. */
export async function startJanus({ web, reclaimSeconds = 0, fullTrickle = false, rooms = [], ports, plugins = ['audiobridge'] }) {
  const { http, websocket } = ports ?? { http: await freePort(), websocket: await freePort() };
  const folder = mkdtempSync(join(tmpdir(), 'e2e-janus-'));
  const write = (name, text) => writeFileSync(join(folder, name), text);
  // Janus offers no loopback candidate, and mixes addresses of containers into what it finds by itself.
  write('janus.jcfg', `general: { configs_folder = "${folder}"
    plugins_folder = "${LIBRARY}/plugins"
    transports_folder = "${LIBRARY}/transports"
    events_folder = "${folder}"
    loggers_folder = "${folder}"
    debug_level = 4
    reclaim_session_timeout = ${reclaimSeconds} }
    nat: { full_trickle = ${fullTrickle}
    ice_enforce_list = "${ownAddress()}" }
    plugins: { disable = "${ALL_PLUGINS.filter((name) => !plugins.includes(name)).map((name) => `libjanus_${name}.so`)}" }
    transports: { disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so" }\n`);
  write('janus.transport.http.jcfg', `general: { http = true\n port = ${http}\n base_path = "/janus"\n json = "compact" }\n admin: { admin_http = false }\n`);
  write('janus.transport.websockets.jcfg', `general: { ws = true\n ws_port = ${websocket}\n json = "compact" }\n`);
  const demo = { room: 1234, description: 'Demo Room', sampling_rate: 48000, audiolevel_event: true, audio_active_packets: 10, audio_level_average: 45 };
  const written = [demo, ...rooms].map(
    ({ room, ...properties }) => `room-${room}: { ${Object.entries(properties).map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join('\n')} }\n`,
  );
  write('janus.plugin.audiobridge.jcfg', `general: {}\n${written.join('')}`);
  const service = await start('/usr/bin/janus', ['-F', folder], { ready: (output) => output.includes('Websockets server started') && output.includes('HTTP webserver started') });
  const page = await serveFiles({ '/': web }, { port: ports?.page, webSocketPort: websocket });
  return {
    name: 'janus',
    pageUrl: `${page.url}/`,
    wsUrl: `ws://127.0.0.1:${websocket}`,
    httpUrl: `http://127.0.0.1:${http}/janus`,
    ports: { http, websocket, page: page.port },
    output: () => service.output,
    stop: async (signal) => {
      await page.stop();
      return stop(service, signal);
    },
  };
}

function ownAddress() {
  return Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
