// The example for client developers: what docs/clients.md promises of it. It is served, though it works from the disk too: there the
// harness could not listen.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Api } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { serveFiles } from './harness/files.js';
import { startPlenum } from './harness/plenum.js';
import { startProxy } from './harness/proxy.js';
import { RoomPage } from './harness/room-page.js';
import { speechOf } from './harness/speech.js';
import { until } from './harness/wait.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
/** A restart of the server and an attempt that came too early. */
const COMING_BACK_MS = 30_000;

describe('examples/client.html', () => {
  let server;
  let proxy;
  let files;
  let browsers = [];
  let ada;
  let ben;

  before(async () => {
    server = await startPlenum({ reclaimSeconds: 20 });
    proxy = await startProxy(server.ports.websocket);
    files = await serveFiles({ '/': EXAMPLES });
    browsers = await Promise.all(['ada', 'ben'].map((who) => launchChromium({ speech: speechOf(who) })));
    [ada, ben] = await Promise.all(browsers.map((browser) => RoomPage.open(browser, address())));
  });

  after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await files?.stop();
    await proxy?.stop();
    await server?.stop();
  });

  const address = () => `${files.url}/client.html?server=ws://localhost:${proxy.port}`;

  async function join(page, name) {
    await page.page.locator('#name').fill(name);
    await page.page.locator('#door button').click();
    await sees(page, 'status', 'In the room');
  }

  function sees(page, id, text) {
    return until(async () => (await page.text(id)) === text, `${id}: ${text}`, COMING_BACK_MS);
  }

  /** Waits until the list has exactly these people, as “Ada” or “Ada, muted”. */
  function seesPeople(page, expected) {
    const people = () =>
      page.page.evaluate(() => [...document.querySelectorAll('#people li')].map((row) => row.textContent + (row.classList.contains('muted') ? ', muted' : '')));
    return until(async () => (await people()).sort().join() === expected.join(), `people ${expected}`, COMING_BACK_MS);
  }

  async function members() {
    const api = await Api.open(server.httpUrl);
    const { participants } = await api.message({ request: 'listparticipants', room: 1234 });
    await api.close();
    return participants.map(({ id }) => id);
  }

  it('joins, and hears the other', async () => {
    await join(ada, 'Ada');
    await join(ben, 'Ben');

    await Promise.all([seesPeople(ada, ['Ada', 'Ben']), seesPeople(ben, ['Ada', 'Ben'])]);
    await Promise.all([ada.hearsSpeechOf('ben'), ben.hearsSpeechOf('ada')]);
  });

  it('sees who talks', async () => {
    await until(() => ada.page.evaluate(() => Boolean(document.querySelector('#people .talking'))), 'somebody talking');
  });

  it('mutes, so that the other hears nothing, and speaks again', async () => {
    await ben.click('mute');
    await seesPeople(ada, ['Ada', 'Ben, muted']);
    await ada.hearsNothing();

    await ben.click('mute');
    await seesPeople(ada, ['Ada', 'Ben']);
    await ada.hearsSpeechOf('ben');
  });

  it('takes its session over when the connection breaks', async () => {
    const there = await members();

    proxy.cut();
    await sees(ada, 'status', 'Reconnecting…');
    await Promise.all([sees(ada, 'status', 'In the room'), sees(ben, 'status', 'In the room')]);

    assert.deepEqual(await members(), there);
    await ada.hearsSpeechOf('ben');
  });

  it('joins anew when the server has forgotten it', async () => {
    const { ports } = server;
    await server.stop('SIGKILL');
    await sees(ada, 'status', 'Reconnecting…');
    server = await startPlenum({ reclaimSeconds: 20, ports });

    await Promise.all([seesPeople(ada, ['Ada', 'Ben']), seesPeople(ben, ['Ada', 'Ben'])]);
    await ada.hearsSpeechOf('ben');
  });

  it('leaves, and says why it cannot join', async () => {
    await ben.click('leave');
    await sees(ben, 'status', 'Not in the room');
    await seesPeople(ada, ['Ada']);

    await ben.page.goto(`${address()}&room=404`);
    await ben.page.locator('#door button').click();
    await sees(ben, 'status', 'That did not work: No such room (404)');
  });
});
