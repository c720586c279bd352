// The room page in Firefox, with speech for microphones.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launchChromium } from './harness/chromium.js';
import { launchFirefox } from './harness/firefox.js';
import { RoomPage } from './harness/room-page.js';
import { startServer } from './harness/server.js';
import { speechOf } from './harness/speech.js';

describe('two people in two Firefoxes', () => {
  let server;
  let browsers = [];
  let ada;
  let ben;

  before(async () => {
    server = await startServer();
    browsers = await Promise.all([launchFirefox({ speech: speechOf('ada') }), launchFirefox({ speech: speechOf('ben') })]);
    [ada, ben] = await Promise.all(browsers.map((browser) => RoomPage.open(browser, server.pageUrl)));
    await ada.screenshot('firefox-door');
    await ada.join({ name: 'Ada' });
    await ben.join({ name: 'Ben' });
  });

  after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server?.stop();
  });

  it('hear each other and not themselves', async () => {
    await ada.seesPeople(['Ada', 'Ben']);
    await ben.seesPeople(['Ben', 'Ada']);

    await Promise.all([ada.hearsSpeechOf('ben'), ben.hearsSpeechOf('ada')]);
  });

  it('see who talks, and their own level', async () => {
    await Promise.all([
      ada.seesPerson('Ben', { talking: true, status: 'speaking' }),
      ada.seesPerson('Ada', { talking: true, me: true }),
      ben.seesPerson('Ada', { talking: true }),
      ada.loudest(),
    ]);
    await ada.screenshot('firefox-talking');
  });

  it('mute themselves and speak again', async () => {
    await ben.click('mute');

    await ada.seesPerson('Ben', { status: 'muted', talking: false });
    await ada.hearsNothing();
    await ben.hearsSpeechOf('ada');

    await ben.click('mute');
    await ada.seesPerson('Ben', { status: 'speaking' });
  });

  it('come back when the server does', async () => {
    await server.stop('SIGKILL');
    await ada.seesNotice('The server is gone');
    server = await startServer({ ports: server.ports });

    await Promise.all([ada, ben].map((page) => page.isInside()));
    await Promise.all([ada.hearsSpeechOf('ben'), ben.hearsSpeechOf('ada')]);
  });

  it('leave', async () => {
    await ben.click('leave');

    await ben.seesPhase('outside');
    await ada.seesPeople(['Ada']);
    await ada.hearsNothing();
    assert.equal(await ben.page.evaluate(() => document.getElementById('sound').srcObject), null);
  });
});

describe('Firefox and Chromium in one room', () => {
  let server;
  let browsers = [];

  before(async () => {
    server = await startServer();
    browsers = await Promise.all([launchFirefox({ speech: speechOf('ada') }), launchChromium({ speech: speechOf('ben') })]);
  });

  after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server?.stop();
  });

  it('hear each other and not themselves', async () => {
    const [ada, ben] = await Promise.all(browsers.map((browser) => RoomPage.open(browser, server.pageUrl)));
    await ada.join({ name: 'Ada' });
    await ben.join({ name: 'Ben' });

    await Promise.all([ada.hearsSpeechOf('ben'), ben.hearsSpeechOf('ada')]);
  });
});
