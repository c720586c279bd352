// A sound card for one Firefox: its microphone says something over and over, its loudspeaker is nowhere.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start, stop } from './process.js';
import { until } from './wait.js';

/** A PulseAudio server of its own; `env` is what a program needs to use it. */
export async function startPulse(speech) {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-pulse-'));
  const env = { PULSE_SERVER: `unix:${folder}/socket`, PULSE_RUNTIME_PATH: folder, PULSE_COOKIE: `${folder}/cookie`, XDG_RUNTIME_DIR: folder };
  const daemon = await start('pulseaudio', [
    '-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--disable-shm=yes',
    '-L', `module-native-protocol-unix socket=${folder}/socket auth-anonymous=1`,
    '-L', 'module-null-sink sink_name=speaker',
    '-L', 'module-null-sink sink_name=throat',
    // Firefox does not offer monitors as microphones.
    '-L', 'module-remap-source source_name=microphone master=throat.monitor',
  ], { env: { ...process.env, ...env } });
  const control = (...args) => start('pactl', args, { env: { ...process.env, ...env } }).then(({ exited }) => exited);
  await until(async () => (await control('set-default-source', 'microphone')) === 0, 'PulseAudio answers');
  await control('set-default-sink', 'speaker');
  const talk = await start('sh', ['-c', `while paplay --device=throat "${speech}"; do :; done`], { env: { ...process.env, ...env }, detached: true });
  return {
    env,
    async stop() {
      process.kill(-talk.child.pid, 'SIGTERM');
      await stop(daemon);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
