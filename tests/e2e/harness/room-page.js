// The room page as a person uses it, in a Playwright page or a Puppeteer one: the calls used here are the same.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { envelopeOf, envelopeOfWatch, recognise, speechOf } from './speech.js';
import { until } from './wait.js';

const SCREENSHOTS = fileURLToPath(new URL('../../../target/screenshots/', import.meta.url));
const EAR = readFileSync(new URL('../client/ear.js', import.meta.url), 'utf8');
/** Long enough for several pauses. */
const LISTEN_MS = 6_000;
const PATIENCE_MS = 30_000;
/** Firefox plays the first ten seconds faster than they were spoken, to empty its buffer; a busy machine needs longer. */
const STEADY_MS = 60_000;
/** A room without a voice; comfort noise and codecs stay below. */
const SILENT_DB = -65;
/** A voice; comfort noise and codecs stay far below. */
const HEARD_DB = -45;

export class RoomPage {
  /** `browser` is from `launchChromium` or `launchFirefox`. */
  static async open(browser, url) {
    const room = new RoomPage();
    room.page = await browser.newPage(url);
    return room;
  }

  async enter({ name, room, pin, listen = false }) {
    await this.page.locator('#name').fill(name);
    if (room) await this.page.locator('#room').fill(String(room));
    if (pin) await this.page.locator('#pin').fill(pin);
    await this.click(listen ? 'listen' : 'join');
  }

  /** Enters and is inside, with audio. */
  async join(form) {
    await this.enter(form);
    await this.isInside();
  }

  /** Waits until the page is in the room and has audio. */
  isInside() {
    const inside = () =>
      document.body.dataset.phase === 'inside' &&
      document.getElementById('sound').srcObject !== null &&
      document.querySelector('#people .me .status').textContent !== 'connecting';
    return this.#until(() => this.page.evaluate(inside), 'inside, with audio');
  }

  click(id) {
    return this.page.locator(`#${id}`).click();
  }

  text(id) {
    return this.page.evaluate((id) => document.getElementById(id).textContent, id);
  }

  isHidden(id) {
    return this.page.evaluate((id) => document.getElementById(id).hidden, id);
  }

  seesPhase(phase) {
    return this.#until(async () => (await this.page.evaluate(() => document.body.dataset.phase)) === phase, `phase ${phase}`);
  }

  /** Waits for a notice of that title. */
  async seesNotice(title) {
    await this.#until(async () => !(await this.isHidden('notice')) && (await this.text('notice-title')) === title, `notice “${title}”`);
    return this.text('notice-text');
  }

  /** The rows of the list: [{ name, status, talking, me }]. */
  people() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('#people li')].map((row) => ({
        name: row.querySelector('.name').firstChild.textContent,
        status: row.querySelector('.status').textContent,
        talking: row.classList.contains('talking'),
        me: row.classList.contains('me'),
      })),
    );
  }

  /** Waits until exactly these names are in the list, oneself first. */
  seesPeople(names) {
    return this.#until(async () => (await this.people()).map(({ name }) => name).join() === names.join(), `people ${names}`);
  }

  /** Waits until `name` is in a row that has all of `expected`. */
  seesPerson(name, expected) {
    const matches = (person) => person.name === name && Object.entries(expected).every(([key, value]) => person[key] === value);
    return this.#until(async () => (await this.people()).some(matches), `${name} ${JSON.stringify(expected)}`);
  }

  /** What comes out of the loudspeaker for some seconds: its envelope in decibels. */
  async listen(milliseconds = LISTEN_MS) {
    // Who is in the room already may still be waiting for the first packet.
    await this.#until(() => this.page.evaluate(() => Boolean(document.getElementById('sound').srcObject)), 'a stream');
    await this.page.evaluate(async (source) => {
      window.ears ??= import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      const { listenTo } = await window.ears;
      window.ear = await listenTo(document.getElementById('sound').srcObject);
      window.ear.startWatch(0);
    }, EAR);
    await this.#until(() => this.page.evaluate((count) => window.ear.heard() >= count, milliseconds / 10), `${milliseconds} ms of sound`);
    const series = await this.page.evaluate(() => {
      const heard = window.ear.endWatch();
      window.ear.close();
      return heard;
    });
    return envelopeOfWatch(series);
  }

  /** Waits until what is heard is what `who` says; then nobody else may be heard in the pauses. */
  async hearsSpeechOf(who) {
    let heard;
    await this.#until(
      async () => {
        heard = recognise(await this.listen(), envelopeOf(speechOf(who)));
        return heard.same;
      },
      () => `speech of ${who}, heard ${JSON.stringify(heard)}`,
      STEADY_MS,
    );
    assert.ok(heard.alone, `somebody is heard in the pauses of ${who}: ${JSON.stringify(heard)}`);
    return heard;
  }

  /** Waits until a second is not silent. */
  hearsSomebody() {
    return this.#until(async () => (await this.listen(1_000)).some((decibels) => decibels > HEARD_DB), 'a voice');
  }

  /** Waits until a second is silent. */
  hearsNothing() {
    return this.#until(async () => (await this.listen(1_000)).every((decibels) => decibels < SILENT_DB), 'silence');
  }

  /** Chooses from a list by its label. */
  async chooses(id, label) {
    await this.#until(() => this.page.evaluate(({ id, label }) => [...document.getElementById(id).options].some((option) => option.label === label), { id, label }), `${id}: ${label}`);
    await this.page.locator(`#${id}`).selectOption({ label });
  }

  /** Waits until `condition()`. */
  sees(condition, what) {
    return this.#until(condition, what);
  }

  /** How far the meter of one's own microphone goes within some seconds. */
  async loudest(meter = 'meter') {
    let loudest = 0;
    await this.#until(async () => {
      const level = await this.page.evaluate((meter) => Number(document.getElementById(meter).getAttribute('aria-valuenow')), meter);
      loudest = Math.max(loudest, level);
      return loudest > 30;
    }, 'a level on the own meter');
    return loudest;
  }

  screenshot(name) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    return this.page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  }

  async #until(condition, what, timeout = PATIENCE_MS) {
    try {
      return await until(condition, '', timeout);
    } catch (error) {
      const seen = await this.page.evaluate(() => document.body.innerText).catch(() => 'nothing');
      throw new Error(`${typeof what === 'string' ? what : what()}: ${error.message}; the page shows: ${seen}`);
    }
  }
}
