// The dialog about one's own sound: which microphone and loudspeaker, and whether the microphone hears anything. The same
// at the door and in a call.

import { canChooseSpeaker, chosen, devices, watchDevices } from './devices.js';

const LABELS = { microphone: 'Microphone', speaker: 'Loudspeaker' };

export class SoundCheck {
  #dialog = document.getElementById('sound-check');
  #actions;
  #isListening = false;

  /** `actions`: open() resolves with a notice if there is no microphone, close(), microphone(id) likewise, speaker(id). */
  constructor(actions) {
    this.#actions = actions;
    for (const what of ['microphone', 'speaker']) {
      const select = this.#select(what);
      select.addEventListener('change', async () => this.#say(await actions[what](select.value)));
    }
    this.#dialog.addEventListener('close', () => actions.close());
    watchDevices(() => this.isOpen && this.#list());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** `listening` is to be in a call without a microphone. */
  async open({ listening }) {
    this.#isListening = listening;
    this.#say(null);
    document.getElementById('microphone-field').hidden = listening;
    document.getElementById('speaker-field').hidden = true;
    this.#dialog.showModal();
    if (!listening) this.#say(await this.#actions.open());
    await this.#list();
  }

  /** How loud the microphone is, 0 to 1. */
  showLevel(level) {
    const meter = document.getElementById('check-meter');
    meter.setAttribute('aria-valuenow', Math.round(level * 100));
    meter.style.setProperty('--level', level.toFixed(3));
  }

  async #list() {
    for (const what of ['microphone', 'speaker']) {
      const found = await devices(what);
      const select = this.#select(what);
      select.replaceChildren(...found.map(({ id, label }) => new Option(label, id)));
      const wanted = chosen(what);
      select.value = found.some(({ id }) => id === wanted) ? wanted : '';
      select.ariaLabel = LABELS[what];
      if (what === 'speaker') document.getElementById('speaker-field').hidden = !canChooseSpeaker || found.length < 2;
    }
  }

  #say(notice) {
    const trouble = document.getElementById('check-trouble');
    trouble.textContent = notice ? `${notice.title}. ${notice.text}` : '';
    trouble.hidden = !notice;
    document.getElementById('check-hint').hidden = Boolean(notice) || this.#isListening;
  }

  #select(what) {
    return document.getElementById(what);
  }
}
