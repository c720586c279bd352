// The operator's console in Chromium: who may open it, what it shows live, what can be done there, and a thousand rooms.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launchChromium } from './harness/chromium.js';
import { ConsolePage } from './harness/console-page.js';
import { RoomPage } from './harness/room-page.js';
import { startPlenum } from './harness/plenum.js';
import { speechOf } from './harness/speech.js';

const TOKEN = 'correct-horse-battery-staple';
const ROOMS = 1000;
/** As long as a page may be busy with one thing on a machine of two cores that also runs the server and a browser's other tabs. */
const STILL_RESPONSIVE_MS = 250;

async function rest(server, method, path, body) {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const response = await fetch(server.restUrl + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
}

describe('an operator', () => {
  let server;
  let browser;
  /** Of the people in the rooms: a page behind another is drawn once a second only. */
  let others;
  let console;

  before(async () => {
    [server, browser, others] = await Promise.all([startPlenum({ adminToken: TOKEN }), launchChromium(), launchChromium({ speech: speechOf('ada') })]);
  });

  after(async () => {
    await Promise.all([browser?.close(), others?.close()]);
    await server?.stop();
  });

  beforeEach(async () => {
    console = await ConsolePage.open(browser, server.consoleUrl);
  });

  afterEach(async () => {
    assert.deepEqual(console.complaints, []);
    await console.page.close();
  });

  it('needs the token, which stays in the tab', async () => {
    await console.signIn('wrong');
    await console.seesNotice('That is not the token of this server');
    await console.screenshot('console-wrong-token');

    await console.enter(TOKEN);
    await console.page.reload();
    await console.seesPhase('open');

    const kept = await console.page.evaluate(() => [location.href, JSON.stringify(localStorage), document.cookie].join());
    assert.ok(!kept.includes(TOKEN), kept);
    const other = await ConsolePage.open(browser, server.consoleUrl);
    await other.seesPhase('closed');
    await other.page.close();
    await console.press('Sign out');
    await console.seesPhase('closed');
    assert.equal(await console.page.evaluate(() => sessionStorage.length), 0);
    const asked = await console.page.evaluate(async () => {
      const { fetch } = window;
      let count = 0;
      window.fetch = (...request) => (count++, fetch(...request));
      const changed = new Promise((resolve) => addEventListener('hashchange', resolve, { once: true }));
      location.hash = 'room=1234';
      await changed;
      return count;
    });
    assert.equal(asked, 0, 'nothing is asked with a token that was given back');
  });

  it('sees who comes, talks and goes, and how the audio fares', async () => {
    await console.enter(TOKEN);
    await console.chooses(1234);
    await console.sees('nobody', 'Nobody is in this room.');

    const ada = await RoomPage.open(others, server.pageUrl);
    await ada.join({ name: 'Ada' });

    await console.seesPerson('Ada', ({ status, level }) => status === 'heard' && level > 10, 'is heard');
    await console.seesPerson('Ada', ({ delay, rtt, up, down }) => [delay, rtt].every((it) => / ms$/.test(it)) && [up, down].every((it) => / %$/.test(it)), 'has figures');
    await console.page.locator('.person .more').click();
    await console.screenshot('console-room');
    await ada.click('leave');
    await console.sees('nobody', 'Nobody is in this room.');
    await ada.page.close();
  });

  it('mutes, kicks and destroys', async () => {
    await rest(server, 'PUT', '/rooms/77', { description: 'Board meeting', sampling_rate: 48000 });
    await console.enter(TOKEN);
    await console.chooses(77);
    const ada = await RoomPage.open(others, server.pageUrl);
    await ada.join({ name: 'Ada', room: 77 });
    await console.seesPerson('Ada', () => true, 'is there');

    await console.press('Mute Ada');
    await ada.seesNotice('You were muted');
    await console.seesPerson('Ada', ({ status }) => status === 'muted', 'is muted');
    await console.press('Unmute Ada');
    await console.seesPerson('Ada', ({ status }) => status !== 'muted', 'is muted no more');

    await console.press('Mute room');
    await ada.seesNotice('The room is muted');
    await console.press('Unmute room');

    await console.press('Kick Ada …');
    await console.screenshot('console-kick');
    await console.confirm();
    await ada.seesNotice('You were removed from the room');
    await console.sees('nobody', 'Nobody is in this room.');

    await ada.join({ name: 'Ada', room: 77 });
    await console.press('Destroy …');
    await console.page.keyboard.press('Escape');
    await console.seesPerson('Ada', () => true, 'is still there');
    await console.press('Destroy …');
    await console.confirm();
    await ada.seesNotice('The room was closed');
    await console.sees('nothing', /There is no room 77/);
    await console.sees('list-count', '1');
    await ada.page.close();
  });

  it('drains the server, and undoes it', async () => {
    await console.enter(TOKEN);
    const ada = await RoomPage.open(others, server.pageUrl);
    await ada.join({ name: 'Ada' });
    await console.sees('state', 'Serving');

    await console.press('Drain …');
    await console.confirm();
    await console.sees('state', /^Draining: 1 person left, .* at most$/);
    await console.screenshot('console-draining');

    await console.press('Stop draining');
    await console.sees('state', 'Serving');
    assert.equal(await ada.page.evaluate(() => document.body.dataset.phase), 'inside');
    await ada.page.close();
  });

  it('is told when the server is gone and when it is back', async () => {
    await console.enter(TOKEN);
    await server.stop('SIGKILL');
    await console.seesNotice('The server does not answer');
    await console.screenshot('console-server-gone');

    server = await startPlenum({ adminToken: TOKEN, ports: server.ports });

    await console.seesNoNotice();
    await console.sees('state', 'Serving');
  });

  it('is told that a server without a token has no console', async () => {
    const open = await startPlenum();
    const other = await ConsolePage.open(browser, open.consoleUrl);
    await other.signIn('anything');
    await other.seesNotice('This server has no token');
    await other.page.close();
    await open.stop();
  });

  it('tries the REST API on its page', async () => {
    const page = await ConsolePage.open(browser, `${server.restUrl}/docs/`);
    await page.page.locator('.btn.authorize').click();
    await page.page.locator('.modal-ux input').fill(TOKEN);
    await page.page.locator('.modal-ux .btn.authorize').click();
    await page.page.locator('.modal-ux .btn-done').click();
    await page.page.locator('#operations-rooms-list_rooms').click();
    await page.page.locator('#operations-rooms-list_rooms .execute').click();
    await page.page.locator('#operations-rooms-list_rooms .live-responses-table').waitFor();

    assert.match(await page.page.locator('#operations-rooms-list_rooms .live-responses-table').innerText(), /Demo Room/);
    await page.screenshot('swagger-ui');
    assert.deepEqual(page.complaints, []);
    await page.page.close();
  });
});

describe(`a console with ${ROOMS} rooms`, () => {
  let server;
  let browsers = [];
  let ada;

  before(async () => {
    server = await startPlenum({ adminToken: TOKEN });
    for (let made = 0; made < ROOMS - 1; made += 50) {
      const ids = Array.from({ length: Math.min(50, ROOMS - 1 - made) }, (_, index) => 2000 + made + index);
      await Promise.all(ids.map((room) => rest(server, 'PUT', `/rooms/${room}`, { description: `Committee ${room}` })));
    }
    browsers = await Promise.all([launchChromium({ speech: speechOf('ada') }), launchChromium({ viewport: { width: 360, height: 640 }, colorScheme: 'dark' })]);
    ada = await RoomPage.open(browsers[0], server.pageUrl);
    await ada.join({ name: 'Ada' });
  });

  after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server?.stop();
  });

  it('scrolls, searches and sorts without a hitch while it is told what happens', async (test) => {
    const console = await ConsolePage.open(browsers[0], server.consoleUrl);
    await console.enter(TOKEN);
    await console.sees('list-count', String(ROOMS));
    await console.page.evaluate(() => {
      window.busiest = 0;
      new PerformanceObserver((list) => (window.busiest = Math.max(window.busiest, ...list.getEntries().map(({ duration }) => duration)))).observe({ type: 'longtask' });
    });
    // A hundred rooms change each second.
    let isOver = false;
    const changes = (async () => {
      for (let round = 0; !isOver; round++) {
        const changed = Array.from({ length: 100 }, (_, index) => 2000 + ((round * 100 + index) % (ROOMS - 1)));
        await Promise.all(changed.map((room) => rest(server, 'PATCH', `/rooms/${room}`, { description: `Committee ${room}, sitting ${round}` })));
        await new Promise((resolve) => setTimeout(resolve, 800));
      }
    })();

    const scrolled = await console.page.evaluate(async () => {
      const box = document.getElementById('rooms');
      let rows = 0;
      const begin = performance.now();
      let frames = 0;
      for (; box.scrollTop + box.clientHeight < box.scrollHeight - 1; frames++) {
        box.scrollTop += 400;
        await new Promise(requestAnimationFrame);
        rows = Math.max(rows, box.querySelectorAll('.room').length);
      }
      return { rows, frames, milliseconds: performance.now() - begin };
    });
    assert.ok(scrolled.rows < 60, `${scrolled.rows} rows exist`);
    await console.page.getByRole('button', { name: 'Number' }).click();
    const found = await console.page.evaluate(async () => {
      const search = document.getElementById('search');
      const begin = performance.now();
      for (const text of ['c', 'committee', '2', '27', '277', 'committee 2777']) {
        search.value = text;
        search.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame);
      }
      return { milliseconds: (performance.now() - begin) / 6, text: document.querySelector('.room').textContent };
    });
    assert.match(found.text, /^2777Committee 2777/);
    await console.sees('list-count', `1 of ${ROOMS}`);
    await console.page.locator('#search').fill('sitting 1');
    await console.sees('list-count', /^\d+ of 1000$/);
    await console.page.locator('#search').fill('');
    await console.screenshot('console-thousand-rooms');
    isOver = true;
    await changes;

    const busiest = await console.page.evaluate(() => window.busiest);
    test.diagnostic(`${scrolled.frames} frames of scrolling in ${Math.round(scrolled.milliseconds)} ms, a search in ${found.milliseconds.toFixed(1)} ms, busy for ${busiest} ms at most`);
    assert.ok(busiest < STILL_RESPONSIVE_MS, `busy for ${busiest} ms`);
    await console.page.close();
  });

  it('fits a small phone and can be used with the keyboard alone', async () => {
    const console = await ConsolePage.open(browsers[1], server.consoleUrl);
    const { keyboard } = console.page;
    const focused = () => console.page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('aria-label'));
    await keyboard.type(TOKEN);
    await keyboard.press('Enter');
    await console.seesPhase('open');
    await console.sees('list-count', String(ROOMS));
    await console.screenshot('console-phone-rooms');

    assert.equal(await focused(), 'search');
    await keyboard.type('demo');
    await console.sees('list-count', `1 of ${ROOMS}`);
    await keyboard.press('Enter');
    await console.sees('room-title', 'Demo Room');
    await console.seesPerson('Ada', ({ delay }) => / ms$/.test(delay), 'has a delay');
    await console.screenshot('console-phone-room');
    assert.equal(await console.page.evaluate(() => document.documentElement.scrollWidth), 360);
    await console.page.locator('#back').focus();
    await keyboard.press('Enter');
    assert.equal(await focused(), 'rooms');
    await keyboard.press('/');
    assert.equal(await focused(), 'search');
    await console.page.close();
  });
});
