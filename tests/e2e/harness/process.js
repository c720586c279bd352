// Child processes: started with their output kept, ended by their own pid, never left behind.

import { spawn } from 'node:child_process';
import { within } from './wait.js';

const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

/** Starts `command`; `ready(output)` returns something truthy once the output says enough. */
export async function start(command, args, { ready, ...options } = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  alive.add(child);
  const service = { child, output: '', exited: new Promise((resolve) => child.on('exit', resolve)) };
  child.on('exit', () => alive.delete(child));
  const found = new Promise((resolve, reject) => {
    const read = (chunk) => {
      service.output += chunk;
      const value = ready?.(service.output);
      if (value) resolve(value);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code}:\n${service.output}`)));
  });
  found.catch(() => {});
  if (ready) {
    service.found = await within(found, `${command} gets ready`).catch((error) => {
      child.kill('SIGKILL');
      throw new Error(`${error.message}\n${service.output}`);
    });
  }
  return service;
}

/** Asks a service to end, and makes it if it does not; resolves with its exit code. */
export async function stop(service, signal = 'SIGTERM') {
  service.child.kill(signal);
  return within(service.exited, `${service.child.spawnfile} ends`, 5_000).catch(() => {
    service.child.kill('SIGKILL');
    return service.exited;
  });
}
