// A TURN server for one test: Debian's coturn with the configuration that we ship, but for what is marked to be changed there.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { start, stop } from './process.js';

const SHIPPED = new URL('../../../deploy/coturn/turnserver.conf', import.meta.url);

/** Starts it on this machine's own address, which is also the only one that it relays to. */
export async function startCoturn(secret) {
  const address = ownAddress();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'e2e-coturn-'));
  const config = join(folder, 'turnserver.conf');
  const changed = readFileSync(SHIPPED, 'utf8')
    .replace(/^static-auth-secret=.*/m, `static-auth-secret=${secret}`)
    .replace(/^listening-port=.*/m, `listening-port=${port}`)
    .replace(/^# allowed-peer-ip=.*/m, `allowed-peer-ip=${address}`);
  const ours = [
    `listening-ip=${address}`, `relay-ip=${address}`, 'no-tls', 'no-dtls', 'log-file=stdout', 'simple-log', 'verbose',
    `userdb=${folder}/turndb`, `pidfile=${folder}/pid`,
  ];
  writeFileSync(config, `${changed}\n${ours.join('\n')}\n`);
  const service = await start('turnserver', ['-c', config], { ready: (output) => /TCP listener opened on/.test(output) });
  return {
    address,
    port,
    uri: (transport) => `turn:${address}:${port}?transport=${transport}`,
    output: () => service.output,
    async stop() {
      await stop(service);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal).address;
}
