// Firefox, headless, driven over WebDriver BiDi, with a sound card of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { startPulse } from './pulse.js';

const PREFERENCES = {
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // Nothing may leave this machine.
  'app.update.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'captivedetect.canonicalURL': '',
  'extensions.getAddons.cache.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'toolkit.telemetry.enabled': false,
  'services.settings.server': '',
};

/** A browser process of its own; `speech` is a WAV file its microphone plays over and over. */
export async function launchFirefox({ speech, viewport, colorScheme = 'light' } = {}) {
  const pulse = await startPulse(speech);
  const profile = mkdtempSync(join(tmpdir(), 'e2e-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr',
    headless: true,
    userDataDir: profile,
    env: { ...process.env, ...pulse.env, HOME: profile },
    extraPrefsFirefox: { ...PREFERENCES, 'ui.systemUsesDarkTheme': colorScheme === 'dark' ? 1 : 0 },
    defaultViewport: viewport ?? { width: 1100, height: 800 },
  });
  return {
    async newPage(url) {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.error('page error:', error));
      if (url) await page.goto(url);
      return page;
    },
    async close() {
      await browser.close();
      await pulse.stop();
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
