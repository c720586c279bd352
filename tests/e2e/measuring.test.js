// The measuring tools themselves: each must be able to say no.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launchChromium } from './harness/chromium.js';
import { LONGEST_GAP_MS, longestGap } from './harness/gaps.js';
import { Participant, TONES, openClientPage } from './harness/participant.js';
import { serveClient } from './harness/server.js';
import { envelopeOf, recognise, speechOf } from './harness/speech.js';
import { until } from './harness/wait.js';

const PATIENCE_MS = 1_500;

describe('the ear for tones', () => {
  let files;
  let browser;
  let page;
  let listener;

  before(async () => {
    [files, browser] = await Promise.all([serveClient(), launchChromium()]);
    page = await openClientPage(browser, files);
    listener = new Participant();
    listener.name = 'the listener';
    listener.call = (method, ...args) => page.evaluate(([method, args]) => window.ear[method](...args), [method, args]);
  });

  after(async () => {
    await browser?.close();
    await files?.stop();
  });

  /** Makes the listener hear these frequencies, at 0.2 of full scale each. */
  const sound = (frequencies) =>
    page.evaluate(async (frequencies) => {
      const { listenTo } = await import('/client/ear.js');
      window.ear?.close();
      const context = new AudioContext();
      const destination = new MediaStreamAudioDestinationNode(context);
      window.gain = new GainNode(context, { gain: 0.2 });
      window.gain.connect(destination);
      for (const frequency of frequencies) {
        const oscillator = new OscillatorNode(context, { frequency });
        oscillator.connect(window.gain);
        oscillator.start();
      }
      window.ear = await listenTo(destination.stream);
    }, frequencies);

  it('hears the tones that are there', async () => {
    await sound([TONES.ada, TONES.cleo]);

    await listener.hearsOnly([TONES.ada, TONES.cleo], PATIENCE_MS);
  });

  it('misses a tone', async () => {
    await sound([TONES.ada]);

    await assert.rejects(listener.hearsOnly([TONES.ada, TONES.ben], PATIENCE_MS), /in vain/);
  });

  it('notices a tone too many, such as one’s own', async () => {
    await sound([TONES.ada, TONES.ben, TONES.cleo]);

    await assert.rejects(listener.hearsOnly([TONES.ben, TONES.cleo], PATIENCE_MS), /in vain/);
  });

  it('notices a gap, and none where there is none', async () => {
    await sound([TONES.ben]);
    const watch = async (disturb) => {
      await page.evaluate((frequency) => window.ear.startWatch(frequency), TONES.ben);
      await until(() => page.evaluate(() => window.ear.heard() > 50), 'half a second');
      await page.evaluate(disturb);
      await until(() => page.evaluate(() => window.ear.heard() > 170), 'another second');
      return longestGap(await page.evaluate(() => window.ear.endWatch()));
    };

    const undisturbed = await watch(() => {});
    const disturbed = await watch(() => {
      const { currentTime } = window.gain.context;
      window.gain.gain.setValueAtTime(0, currentTime + 0.3);
      window.gain.gain.setValueAtTime(0.2, currentTime + 0.5);
    });

    assert.ok(undisturbed <= LONGEST_GAP_MS, `${undisturbed} ms`);
    assert.ok(disturbed >= 180 && disturbed <= 200 + LONGEST_GAP_MS, `${disturbed} ms`);
  });
});

describe('the ear for speech', () => {
  const ada = envelopeOf(speechOf('ada'));
  const ben = envelopeOf(speechOf('ben'));
  const later = (envelope, steps) => Array.from({ length: 300 }, (_, index) => envelope[(index + steps) % envelope.length]);
  const beginnings = [0, 50, 137, 200, 300, 400];

  it('knows a voice, wherever it begins and however loud', () => {
    for (const steps of beginnings) {
      const quieter = later(ada, steps).map((decibels) => decibels - 6);

      const { same, alone } = recognise(quieter, ada);

      assert.ok(same && alone);
    }
  });

  it('tells two voices apart', () => {
    for (const steps of beginnings) {
      assert.equal(recognise(later(ada, steps), ben).same, false);
      assert.equal(recognise(later(ben, steps), ada).same, false);
    }
  });

  it('hears the second voice in the pauses of the first', () => {
    const power = (decibels) => 10 ** (decibels / 10);
    for (const steps of beginnings) {
      const [one, two] = [later(ada, steps), later(ben, 2 * steps)];
      const both = one.map((decibels, index) => 10 * Math.log10(power(decibels) + power(two[index])));

      assert.equal(recognise(both, ada).alone, false);
      assert.equal(recognise(both, ben).alone, false);
    }
  });

  it('knows nobody in silence', () => {
    assert.equal(recognise(Array(300).fill(-90), ada).same, false);
  });
});
