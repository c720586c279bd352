// The demo pages of the installed package `janus-demos`, and what they need from their surroundings to be measured.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serveFiles } from '../../e2e/harness/files.js';

const PAGES = '/usr/share/janus/demos/';
const EAR = readFileSync(fileURLToPath(new URL('../../e2e/client/ear.js', import.meta.url)), 'utf8');

export async function serveDemos() {
  const files = await serveFiles({ '/': PAGES });
  return {
    stop: () => files.stop(),
    /** Opens the page `name`; its settings, which an operator writes, name `server`. */
    async open(browser, name, server) {
      const page = await browser.newPage();
      await page.addInitScript(takeSoundAsItIs);
      const settings = `var server = ${JSON.stringify(server.httpUrl)}, iceServers = null, token = '', apisecret = '';`;
      await page.route('**/settings.js', (route) => route.fulfill({ contentType: 'text/javascript', body: settings }));
      await page.goto(`${files.url}/${name}.html`);
      return page;
    },
    /** Puts an ear (`window.ear`) on what the element plays. */
    giveEar: (page, selector) =>
      page.evaluate(
        async ([source, selector]) => {
          const { listenTo } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
          window.ear = await listenTo(document.querySelector(selector).srcObject);
        },
        [EAR, selector],
      ),
  };
}

/** A browser takes a steady tone for noise and removes it. */
function takeSoundAsItIs() {
  const devices = navigator.mediaDevices;
  const { getUserMedia } = devices;
  devices.getUserMedia = (constraints) =>
    getUserMedia.call(devices, { ...constraints, audio: constraints.audio && { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
}
