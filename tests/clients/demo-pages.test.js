// The pages that come with Janus, as Debian packages them: EchoTest and AudioBridge, unmodified, in Chromium.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { launchChromium } from '../e2e/harness/chromium.js';
import { Participant, TONES, openClientPage } from '../e2e/harness/participant.js';
import { serveDemos } from './harness/demos.js';
import { toneFile } from './harness/tone.js';
import { serveClient, startServer } from '../e2e/harness/server.js';
import { until } from '../e2e/harness/wait.js';

/** What the microphone of the page hears. */
const MICROPHONE = TONES.ada;
/** The room that the page joins. */
const DEMO_ROOM = 1234;

describe('the demo pages of Janus', () => {
  let server;
  let demos;
  let files;
  let browser;
  let page;

  before(async () => {
    [server, demos, files, browser] = await Promise.all([
      startServer({ plugins: ['audiobridge', 'echotest'] }),
      serveDemos(),
      serveClient(),
      launchChromium({ speech: toneFile(MICROPHONE) }),
    ]);
  });

  after(async () => {
    await browser?.close();
    await Promise.all([files?.stop(), demos?.stop(), server?.stop()]);
  });

  afterEach(() => page?.close());

  const open = async (name) => {
    page = await demos.open(browser, name, server);
    await page.click('#start');
  };

  /** The page as somebody who hears, once it plays `selector`. */
  const pageThatPlays = async (selector) => {
    await until(() => page.evaluate((selector) => document.querySelector(selector)?.srcObject?.getAudioTracks().length > 0, selector), `the page plays ${selector}`);
    await demos.giveEar(page, selector);
    const listener = new Participant();
    listener.name = 'the page';
    listener.call = (method, ...args) => page.evaluate(([method, args]) => window.ear[method](...args), [method, args]);
    return listener;
  };

  it('EchoTest: one hears oneself, and not while muted', async () => {
    await open('echotest');

    const me = await pageThatPlays('#videoright audio');
    await me.hearsOnly([MICROPHONE]);
    assert.equal(await page.locator('#videoright video').count(), 0, 'no video comes back');

    await page.click('#toggleaudio');
    await me.hearsOnly([]);
    await page.click('#toggleaudio');
    await me.hearsOnly([MICROPHONE]);

    // "Stop" ends the session, and the page loads anew.
    await page.click('#start');
    await page.locator('#details').waitFor();
  });

  it('AudioBridge: somebody joins, hears and is heard, mutes, and goes', async () => {
    const other = await openClientPage(browser, files);
    const ben = await Participant.create(other, 'ben', server.wsUrl);
    await ben.join({ room: DEMO_ROOM, display: 'Ben' });
    await open('audiobridgetest');
    await page.fill('#username', 'Ada');
    await page.click('#register');

    const me = await pageThatPlays('#mixedaudio audio');
    await me.hearsOnly([ben.frequency]);
    await ben.hearsOnly([MICROPHONE]);
    const list = page.locator('#list');
    await list.getByText('Ben').waitFor();
    await ben.sees({ participants: [{ display: 'Ada', setup: true }] });

    await page.click('#toggleaudio');
    await ben.sees({ participants: [{ display: 'Ada', muted: true }] });
    await ben.hearsOnly([]);
    await page.click('#toggleaudio');
    await ben.hearsOnly([MICROPHONE]);

    await ben.call('destroy');
    await list.getByText('Ben').waitFor({ state: 'detached' });
    await other.close();
  });
});
