// The room page in Chromium, with speech for microphones.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Api } from './harness/api.js';
import { launchChromium } from './harness/chromium.js';
import { startProxy } from './harness/proxy.js';
import { RoomPage } from './harness/room-page.js';
import { startServer } from './harness/server.js';
import { speechOf } from './harness/speech.js';

const SECRET = 'key';
const ROOMS = [
  { room: 77, description: 'Board meeting', pin: '2468', sampling_rate: 48000 },
  { room: 78, description: 'Town hall', secret: SECRET, sampling_rate: 48000, audiolevel_event: true, audio_active_packets: 10, audio_level_average: 45 },
];

describe('two people in two browsers', () => {
  let server;
  let browsers = [];
  let ada;
  let ben;

  before(async () => {
    server = await startServer();
    browsers = await Promise.all([launchChromium({ speech: speechOf('ada') }), launchChromium({ speech: speechOf('ben') })]);
  });

  after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server?.stop();
  });

  beforeEach(async () => {
    [ada, ben] = await Promise.all(browsers.map((browser) => RoomPage.open(browser, server.pageUrl)));
    await ada.join({ name: 'Ada' });
    await ada.screenshot('chromium-alone');
    await ben.join({ name: 'Ben' });
  });

  afterEach(() => Promise.all([ada.page.close(), ben.page.close()]));

  it('hear each other and not themselves', async () => {
    await ada.seesPeople(['Ada', 'Ben']);
    await ben.seesPeople(['Ben', 'Ada']);
    assert.equal(await ada.text('title'), 'Demo Room');

    await Promise.all([ada.hearsSpeechOf('ben'), ben.hearsSpeechOf('ada')]);
  });

  it('see who talks, and their own level', async () => {
    await Promise.all([
      ada.seesPerson('Ben', { talking: true, status: 'speaking' }),
      ada.seesPerson('Ada', { talking: true, me: true }),
      ben.seesPerson('Ada', { talking: true }),
      ada.loudest(),
    ]);
    await ada.screenshot('chromium-talking');
    await ada.seesPerson('Ben', { talking: false });
  });

  it('mute themselves and speak again', async () => {
    await ben.click('mute');

    await ada.seesPerson('Ben', { status: 'muted', talking: false });
    await ben.seesPerson('Ben', { status: 'muted' });
    await ada.hearsNothing();
    await ben.hearsSpeechOf('ada');
    await ben.screenshot('chromium-muted');

    await ben.click('mute');
    await ada.seesPerson('Ben', { status: 'speaking' });
    await ada.hearsSpeechOf('ben');
  });

  it('turn the room down and leave', async () => {
    await ada.page.evaluate(() => {
      const slider = document.getElementById('volume');
      slider.value = 30;
      slider.dispatchEvent(new Event('input'));
    });
    assert.equal(await ada.page.evaluate(() => document.getElementById('sound').volume), 0.3);

    await ben.click('leave');

    await ben.seesPhase('outside');
    await ada.seesPeople(['Ada']);
    await ada.hearsNothing();
    await ben.join({ name: 'Ben' });
    await ada.seesPeople(['Ada', 'Ben']);
  });

  it('are told apart from one who closes the tab', async () => {
    await ben.page.close({ runBeforeUnload: true });

    await ada.seesPeople(['Ada']);
  });
});

describe('one person and what can go wrong', () => {
  let server;
  let browser;
  let page;

  before(async () => {
    [server, browser] = await Promise.all([startServer({ rooms: ROOMS }), launchChromium({ speech: speechOf('ada') })]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    page = await RoomPage.open(browser, server.pageUrl);
  });

  afterEach(() => page.page.close());

  it('asks for the PIN, and says when it is wrong', async () => {
    await page.enter({ name: 'Ada', room: 77 });
    await page.seesNotice('This room has a PIN');
    assert.equal(await page.isHidden('pin-field'), false);

    await page.enter({ name: 'Ada', room: 77, pin: '1111' });
    assert.match(await page.seesNotice('Wrong PIN'), /room 77/);
    await page.screenshot('chromium-wrong-pin');

    await page.join({ name: 'Ada', room: 77, pin: '2468' });
    assert.equal(await page.text('title'), 'Board meeting');
    assert.match(page.page.url(), /\?room=77$/);
  });

  it('names the room in the address of the API, where a balancer finds it', async () => {
    const paths = [];
    page.page.on('websocket', (socket) => paths.push(new URL(socket.url()).pathname));

    await page.join({ name: 'Ada', room: 78 });

    assert.deepEqual(paths, ['/room/78/janus']);
  });

  it('says that there is no such room', async () => {
    await page.enter({ name: 'Ada', room: 404 });

    assert.match(await page.seesNotice('No such room'), /404/);
    await page.screenshot('chromium-no-such-room');
  });

  it('says why nobody is let in', async () => {
    let refusal;
    await page.page.routeWebSocket(/./, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((text) => {
        const message = JSON.parse(text);
        if (message.plugindata?.data.audiobridge === 'joined') message.plugindata.data = { audiobridge: 'event', error_code: 499, error: refusal };
        socket.send(JSON.stringify(message));
      });
    });
    await page.page.goto(server.pageUrl);
    for (const [reason, title] of [
      ['Room 1234 is full (max 2 participants)', 'The room is full'],
      ['The server is overloaded, try again later', 'The server has too much to do'],
      ['The server is draining: no room begins here', 'The server is closing'],
    ]) {
      refusal = reason;
      await page.enter({ name: 'Ada' });
      await page.seesNotice(title);
    }
    await page.screenshot('chromium-room-full');
  });

  it('says who removed whom, and that a room was closed', async () => {
    const api = await Api.open(server.httpUrl);
    await page.join({ name: 'Ada', room: 78 });
    const { participants } = await api.message({ request: 'listparticipants', room: 78 });

    await api.message({ request: 'mute', room: 78, secret: SECRET, id: participants[0].id });
    await page.seesNotice('You were muted');
    await page.seesPerson('Ada', { status: 'muted' });
    await api.message({ request: 'unmute', room: 78, secret: SECRET, id: participants[0].id });
    await page.seesPerson('Ada', { status: 'speaking' });

    await api.message({ request: 'kick', room: 78, secret: SECRET, id: participants[0].id });
    await page.seesNotice('You were removed from the room');
    await page.seesPhase('outside');

    await page.join({ name: 'Ada', room: 78 });
    await api.message({ request: 'destroy', room: 78, secret: SECRET });
    await page.seesNotice('The room was closed');
  });

  it('fits a phone', async () => {
    await page.page.setViewportSize({ width: 390, height: 780 });
    await page.screenshot('chromium-phone-door');
    await page.join({ name: 'Ada' });
    const others = [];
    for (const name of ['Ben', 'Chiara Bianchi', 'Esperanza de la Cruz y Montoya-Villarreal']) {
      const other = await RoomPage.open(browser, server.pageUrl);
      await other.join({ name });
      others.push(other);
    }
    await page.page.bringToFront();
    await page.seesPeople(['Ada', 'Ben', 'Chiara Bianchi', 'Esperanza de la Cruz y Montoya-Villarreal']);
    await page.screenshot('chromium-phone');

    assert.equal(await page.page.evaluate(() => document.documentElement.scrollWidth), 390);
    await Promise.all(others.map((other) => other.page.close()));
  });

  it('can be used with the keyboard alone', async () => {
    const { keyboard } = page.page;
    await page.page.locator('#name').focus();
    await keyboard.press('ControlOrMeta+A');
    await keyboard.type('Ada');
    await keyboard.press('Enter');
    await page.seesPhase('inside');
    await page.seesPerson('Ada', { me: true });

    await keyboard.press('Space');
    await page.seesPerson('Ada', { status: 'muted' });
    await keyboard.press('Tab');
    await keyboard.press('Home');
    assert.equal(await page.page.evaluate(() => document.getElementById('sound').volume), 0);
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    assert.equal(await page.page.evaluate(() => document.activeElement.id), 'microphone');
    await keyboard.press('Escape');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.seesPhase('outside');
  });
});

describe('one person and their own sound', () => {
  let server;
  let browser;
  let page;

  before(async () => {
    [server, browser] = await Promise.all([startServer(), launchChromium({ speech: speechOf('ada'), viewport: { width: 360, height: 640 }, colorScheme: 'dark' })]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    page = await RoomPage.open(browser);
    await page.page.addInitScript(() => {
      // What the page has opened and what it has offered.
      window.tracks = [];
      window.offers = 0;
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        if (window.refusal) throw new DOMException('', window.refusal);
        const stream = await open(constraints);
        window.tracks.push(...stream.getTracks());
        return stream;
      };
      const offer = RTCPeerConnection.prototype.createOffer;
      RTCPeerConnection.prototype.createOffer = function (...options) {
        window.offers++;
        return offer.apply(this, options);
      };
    });
    await page.page.goto(server.pageUrl);
  });

  afterEach(() => page.page.close());

  const live = () => page.page.evaluate(() => window.tracks.filter(({ readyState }) => readyState === 'live').map(({ label }) => label));
  const offers = () => page.page.evaluate(() => window.offers);
  const unplug = (refusal) =>
    page.page.evaluate((refusal) => {
      window.refusal = refusal;
      const track = window.tracks.at(-1);
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }, refusal);

  it('is checked before the call, and the microphone is let go of', async () => {
    await page.click('check');

    await page.loudest('check-meter');
    await page.screenshot('chromium-sound-check');
    assert.equal((await live()).length, 1);
    await page.page.keyboard.press('Escape');
    await page.sees(async () => (await live()).length === 0, 'no microphone in use');
  });

  it('comes from another microphone and goes to another loudspeaker without a new offer', async () => {
    await page.join({ name: 'Ada' });
    const before = await offers();
    await page.click('devices');
    await page.chooses('microphone', 'Fake Audio Input 2');
    await page.sees(async () => (await live()).join() === 'Fake Audio Input 2', 'the other microphone');
    await page.loudest('check-meter');
    await page.chooses('speaker', 'Fake Audio Output 2');
    await page.sees(() => page.page.evaluate(() => document.getElementById('sound').sinkId !== ''), 'another loudspeaker');
    await page.screenshot('chromium-devices');
    await page.page.keyboard.press('Escape');

    await page.seesPerson('Ada', { status: 'speaking' });
    assert.equal(await offers(), before);
    await page.page.reload();
    await page.join({ name: 'Ada' });
    assert.deepEqual(await live(), ['Fake Audio Input 2'], 'it is chosen the next time too');
    await page.page.evaluate(() => localStorage.clear());
  });

  it('goes on with another microphone when one is unplugged, or says that there is none', async () => {
    await page.join({ name: 'Ada' });
    await page.click('mute');
    await unplug();
    assert.match(await page.seesNotice('Your microphone is gone'), /another one/);
    assert.equal(await page.page.evaluate(() => window.tracks.at(-1).enabled), false, 'muted as before');
    await page.click('mute');
    await page.seesPerson('Ada', { status: 'speaking' });

    await unplug('NotFoundError');
    await page.sees(async () => /Nobody hears you/.test(await page.text('notice-text')), 'that nobody hears');
    await page.screenshot('chromium-unplugged');
    await page.page.evaluate(() => (window.refusal = null));
    await page.click('notice-action');
    await page.chooses('microphone', 'Fake Audio Input 1');
    await page.loudest('check-meter');
  });

  it('is explained when the microphone does not work', async () => {
    for (const [refusal, title] of [
      ['NotAllowedError', 'No permission for the microphone'],
      ['NotFoundError', 'No microphone found'],
      ['NotReadableError', 'The microphone does not answer'],
    ]) {
      await page.page.evaluate((refusal) => (window.refusal = refusal), refusal);
      await page.enter({ name: 'Ada' });
      await page.seesNotice(title);
    }
    await page.click('check');
    await page.sees(async () => /does not answer/.test(await page.text('check-trouble')), 'trouble in the dialog');
    await page.screenshot('chromium-sound-trouble');
  });

  it('is muted by M, and heard while the space bar is held', async () => {
    await page.join({ name: 'Ada' });
    const { keyboard } = page.page;
    await keyboard.press('m');
    await page.seesPerson('Ada', { status: 'muted' });

    const held = keyboard.press('Space', { delay: 1_000 });
    await page.seesPerson('Ada', { status: 'speaking' });
    await held;
    await page.seesPerson('Ada', { status: 'muted' });
    await keyboard.press('m');
    await page.seesPerson('Ada', { status: 'speaking' });
    await page.screenshot('chromium-small-dark');
    assert.equal(await page.page.evaluate(() => document.documentElement.scrollWidth), 360);
  });
});

describe('somebody without a microphone', () => {
  let server;
  let speaker;
  let listener;
  let ada;
  let ben;

  before(async () => {
    server = await startServer();
    [speaker, listener] = await Promise.all([launchChromium({ speech: speechOf('ada') }), launchChromium({ microphone: false })]);
    ada = await RoomPage.open(speaker, server.pageUrl);
    await ada.join({ name: 'Ada' });
  });

  after(async () => {
    await Promise.all([speaker?.close(), listener?.close()]);
    await server?.stop();
  });

  afterEach(() => ben.page.close());

  it('is told so when permission is denied, and can listen', async () => {
    ben = await RoomPage.open(listener, server.pageUrl);
    await ben.enter({ name: 'Ben' });
    await ben.seesNotice('No permission for the microphone');
    await ben.screenshot('chromium-no-permission');

    await ben.click('notice-action');

    await ben.isInside();
    await ben.seesPerson('Ben', { status: 'listening' });
    await ada.seesPerson('Ben', { status: 'muted' });
    await ben.hearsSpeechOf('ada');
  });

  it('is told why where the page is neither on localhost nor on HTTPS', async () => {
    const { address } = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal);
    ben = await RoomPage.open(listener, server.pageUrl.replace('localhost', address));
    assert.match(await ben.seesNotice('You can only listen here'), /https/);
    await ben.enter({ name: 'Ben' });
    await ben.seesNotice('You can only listen here');
    await ben.screenshot('chromium-not-localhost');

    await ben.click('notice-action');

    await ben.isInside();
    await ben.seesPerson('Ben', { status: 'listening' });
    await ada.seesPerson('Ben', { status: 'muted' });
  });
});

describe('a server that goes away', () => {
  let browsers;
  let server;
  let proxy;

  before(async () => {
    browsers = await Promise.all([launchChromium({ speech: speechOf('ada') }), launchChromium({ speech: speechOf('ben') })]);
  });

  afterEach(async () => {
    await proxy?.stop();
    await server?.stop();
    proxy = server = undefined;
  });

  after(() => Promise.all(browsers.map((browser) => browser.close())));

  async function enter(url) {
    const [ada, ben] = await Promise.all(browsers.map((browser) => RoomPage.open(browser, url)));
    await ada.join({ name: 'Ada' });
    await ben.join({ name: 'Ben' });
    await ada.seesPeople(['Ada', 'Ben']);
    return [ada, ben];
  }

  it('is waited for, and joined again when it is back', async () => {
    server = await startServer();
    const [ada, ben] = await enter(server.pageUrl);

    await server.stop('SIGKILL');
    assert.match(await ada.seesNotice('The server is gone'), /get back/);
    await ada.screenshot('chromium-server-gone');
    server = await startServer({ ports: server.ports });

    await Promise.all([ada, ben].map((page) => page.isInside()));
    assert.equal(await ada.isHidden('notice'), true);
    await Promise.all([ada.hearsSpeechOf('ben'), ben.hearsSpeechOf('ada')]);
    await ada.seesPeople(['Ada', 'Ben']);
    await Promise.all([ada.page.close(), ben.page.close()]);
  });

  it('keeps the session of one whose connection broke', async () => {
    server = await startServer({ reclaimSeconds: 20 });
    proxy = await startProxy(Number(new URL(server.pageUrl).port));
    const api = await Api.open(server.httpUrl);
    const [ada, ben] = await enter(`http://localhost:${proxy.port}/`);
    const members = async () => (await api.message({ request: 'listparticipants', room: 1234 })).participants.map(({ id }) => id).sort();
    const before = await members();

    proxy.cut();
    await ada.seesPhase('reconnecting');
    await Promise.all([ada, ben].map((page) => page.isInside()));

    assert.deepEqual(await members(), before);
    await ben.click('mute');
    await ada.seesPerson('Ben', { status: 'muted' });
    await ben.hearsSpeechOf('ada');
    await Promise.all([ada.page.close(), ben.page.close()]);
  });
});
