// Chromium, headless, with a fake microphone and nothing left over from an earlier run.

import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser process of its own. `speech` is a WAV file its microphone plays over and over; `microphone: false` denies it. */
export async function launchChromium({ speech, microphone = true, viewport, colorScheme, reducedMotion } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'e2e-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
    headless: true,
    args: [
      ...FLAGS,
      ...(microphone ? ['--use-fake-ui-for-media-stream'] : ['--deny-permission-prompts']),
      ...(speech ? [`--use-file-for-fake-audio-capture=${speech}`] : []),
    ],
    viewport: viewport ?? { width: 1100, height: 800 },
    colorScheme,
    reducedMotion,
  });
  return {
    context,
    async newPage(url) {
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error('page error:', error));
      if (url) await page.goto(url);
      return page;
    },
    /** Ends it as a crash would: no page gets a last word. */
    kill() {
      process.kill(processOf(profile), 'SIGKILL');
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Chromium locks its profile with a link to `<host>-<pid>`. */
function processOf(profile) {
  return Number(readlinkSync(join(profile, 'SingletonLock')).split('-').at(-1));
}
