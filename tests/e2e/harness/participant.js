// A participant on the official janus.js, seen from the test: `client/participant.js` does the work in the browser.

import { until, within } from './wait.js';

/** A peer without a word is missed after 15 s by Plenum, after 24 by Janus. */
const SIGNALING_PATIENCE_MS = 30_000;
/** A tone of -14 dBFS arrives at -20 in its bin of the spectrum. */
const HEARD_DB = -40;
/** What a codec and a window leak into other bins stays below. */
const SILENT_DB = -60;
/** Tones no multiple of each other, so that a distorted one is not taken for another. */
export const TONES = { ada: 440, ben: 730, cleo: 1130, dan: 1570 };

/** A page that participants can live in. */
export async function openClientPage(browser, files) {
  const page = await browser.newPage(`${files.url}/client/`);
  await page.waitForFunction('window.ready');
  return page;
}

export class Participant {
  /** `options` are those of the participant in the page: `udp: false` leaves it nothing but TCP, the others are for janus.js. */
  static async create(page, name, server, options = {}) {
    const participant = new Participant();
    participant.page = page;
    participant.name = name;
    participant.frequency = TONES[name];
    await participant.call('create', { server, frequency: participant.frequency, ...options });
    return participant;
  }

  /** Joins `body.room` with audio. */
  async join(body) {
    const joined = await this.call('join', body);
    this.id = joined.id;
    return joined;
  }

  call(method, ...args) {
    const called = this.page.evaluate(([name, method, args]) => window.call(name, method, ...args), [this.name, method, args]);
    return within(called, `${this.name} ${method} ${JSON.stringify(args)}`);
  }

  /** Waits for a plugin event that has all of `expected`, and returns it. */
  sees(expected) {
    return until(
      async () => (await this.call('read', 'events')).find((event) => contains(event, expected)),
      `${this.name} sees ${JSON.stringify(expected)}`,
      SIGNALING_PATIENCE_MS,
    ).catch(async (error) => {
      throw new Error(`${error.message}; saw ${JSON.stringify(await this.call('read', 'events'))}`);
    });
  }

  /** The events so far that have all of `expected`. */
  async seen(expected) {
    return (await this.call('read', 'events')).filter((event) => contains(event, expected));
  }

  /** Waits until exactly these of all tones are heard, clearly and three times in a row. */
  async hearsOnly(others, patience) {
    const tones = Object.values(TONES);
    const expected = others.map((other) => other.frequency ?? other);
    let levels = [];
    let row = 0;
    await until(
      async () => {
        levels = await this.call('levels', tones);
        const right = tones.every((tone, index) => (expected.includes(tone) ? levels[index] > HEARD_DB : levels[index] < SILENT_DB));
        row = right ? row + 1 : 0;
        return row === 3;
      },
      `${this.name} hears ${expected} Hz only`,
      patience,
    ).catch((error) => {
      throw new Error(`${error.message}; heard ${tones.map((tone, index) => `${tone} Hz ${levels[index]?.toFixed(0)} dB`).join(', ')}`);
    });
  }
}

/** True if `value` has everything `expected` has, at any depth. */
function contains(value, expected) {
  if (typeof expected !== 'object' || expected === null) return value === expected;
  return typeof value === 'object' && value !== null && Object.entries(expected).every(([key, inner]) => contains(value[key], inner));
}
