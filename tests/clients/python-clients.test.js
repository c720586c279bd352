// Clients that are no browsers, each beside somebody in Chromium: who hears whom is measured on both sides.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { createRoom } from '../e2e/harness/api.js';
import { launchChromium } from '../e2e/harness/chromium.js';
import { Participant, TONES, openClientPage } from '../e2e/harness/participant.js';
import { serveClient, startServer } from '../e2e/harness/server.js';
import { until, within } from '../e2e/harness/wait.js';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/** Each script, and the Python that has what it needs. */
const CLIENTS = [
  { name: 'aiortc', script: 'aiortc_client.py', python: path('../../target/aiortc/bin/python') },
  { name: 'GStreamer', script: 'gstreamer_client.py', python: '/usr/bin/python3' },
];
const PATIENCE_MS = 25_000;

describe('clients that are no browsers', () => {
  let server;
  let files;
  let browser;

  before(async () => {
    [server, files, browser] = await Promise.all([startServer(), serveClient(), launchChromium()]);
  });

  after(async () => {
    await browser?.close();
    await Promise.all([files?.stop(), server?.stop()]);
  });

  for (const { name, script, python } of CLIENTS) {
    it(`${name} hears and is heard`, async () => {
      const room = await createRoom(server);
      const page = await openClientPage(browser, files);
      const ben = await Participant.create(page, 'ben', server.wsUrl);
      await ben.join({ room });

      const client = spawn(python, [path(script), server.wsUrl, room, TONES.ada, ben.frequency].map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
      const exited = once(client, 'exit');
      let output = '';
      client.stdout.on('data', (chunk) => (output += chunk));
      client.stderr.on('data', (chunk) => (output += chunk));
      try {
        await ben.sees({ participants: [{ display: name, setup: true }] });
        await ben.hearsOnly([TONES.ada]);
        await until(() => output.includes('content') || client.exitCode !== null, `${name} has heard enough`, PATIENCE_MS);
        client.stdin.end();
        const [code] = await within(exited, `${name} ends`);
        assert.equal(code, 0, output);
      } catch (error) {
        throw new Error(`${error.message}\n${output}`);
      } finally {
        client.kill('SIGKILL');
        await page.close();
      }
    });
  }
});
