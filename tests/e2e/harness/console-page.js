// The operator's console as an operator uses it, in a Playwright page.

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from './wait.js';

const SCREENSHOTS = fileURLToPath(new URL('../../../target/screenshots/', import.meta.url));
const PATIENCE_MS = 30_000;

export class ConsolePage {
  static async open(browser, url) {
    const console = new ConsolePage();
    console.page = await browser.newPage();
    console.complaints = [];
    console.page.on('console', (message) => /Content Security Policy/.test(message.text()) && console.complaints.push(message.text()));
    await console.page.goto(url);
    return console;
  }

  async signIn(token) {
    await this.page.locator('#token').fill(token);
    await this.page.locator('#open').click();
  }

  /** Signs in, and sees rooms. */
  async enter(token) {
    await this.signIn(token);
    await this.seesPhase('open');
  }

  seesPhase(phase) {
    return this.#until(() => this.page.evaluate((phase) => document.body.dataset.phase === phase, phase), `phase ${phase}`);
  }

  /** Waits for a notice of that title. */
  seesNotice(title) {
    return this.sees('notice-title', title);
  }

  seesNoNotice() {
    return this.#until(() => this.page.evaluate(() => document.getElementById('notice').hidden), 'no notice');
  }

  /** Waits until the element says `text`, or matches it. */
  sees(id, text) {
    const says = async () => {
      const said = await this.page.evaluate((id) => document.getElementById(id).checkVisibility() && document.getElementById(id).textContent, id);
      return said !== false && (text instanceof RegExp ? text.test(said) : said === text);
    };
    return this.#until(says, `${id} says ${text}`);
  }

  chooses(room) {
    return this.page.evaluate((room) => (location.hash = `room=${room}`), room);
  }

  /** The people of the room in sight: { name, status, level, delay, rtt, up, down }. */
  people() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('.person')].map((row) => ({
        ...Object.fromEntries(['name', 'status', 'delay', 'rtt', 'up', 'down'].map((key) => [key, row.querySelector(`span.${key}`).textContent])),
        level: Number(row.querySelector('.meter').getAttribute('aria-valuenow')),
      })),
    );
  }

  /** Waits until somebody in the room is as `matches` wants. */
  seesPerson(name, matches, what) {
    return this.#until(async () => (await this.people()).some((person) => person.name === name && matches(person)), `${name} ${what}`);
  }

  press(name) {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  /** Says yes to the question that is asked. */
  confirm() {
    return this.page.locator('#question-yes').click();
  }

  screenshot(name) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    return this.page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  }

  async #until(condition, what) {
    try {
      return await until(condition, '', PATIENCE_MS);
    } catch (error) {
      const seen = await this.page.evaluate(() => document.body.innerText).catch(() => 'nothing');
      throw new Error(`${what}: ${error.message}; the page shows: ${seen}`);
    }
  }
}
