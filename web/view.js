// Draws the state of a conference into the page and hands on what the person does. Decides nothing.

import { drawHouse } from './hemicycle.js';
import { arrivals } from './roster.js';

/** What a notice's button says, by its action; `retry` says something else while the page itself retries. */
const ACTION_LABELS = { listen: 'Join to listen', retry: 'Try again', sound: 'Turn the sound on', devices: 'Choose devices' };
/** Avatars take one of so many colours. */
const COLOURS = 6;

export class View {
  #page = elements();
  #rows = new Map();
  #shown = null;

  /** `actions`: join(form), leave(), mute(muted), retry(), sound(), devices(), volume(0..1), copy(). */
  constructor(actions) {
    const page = this.#page;
    page.door.addEventListener('submit', (event) => {
      event.preventDefault();
      actions.join(this.#form(false));
    });
    page.listen.addEventListener('click', () => page.door.reportValidity() && actions.join(this.#form(true)));
    page.leave.addEventListener('click', () => actions.leave());
    page.mute.addEventListener('click', () => actions.mute(page.mute.getAttribute('aria-pressed') !== 'true'));
    page.volume.addEventListener('input', () => actions.volume(page.volume.value / 100));
    for (const button of [page.check, page.devices]) button.addEventListener('click', () => actions.devices());
    page.copy.addEventListener('click', () => actions.copy());
    // Where browsers give no microphone they give no clipboard either.
    page.copy.hidden = !navigator.clipboard;
    page['notice-action'].addEventListener('click', () => this.#act(actions));
  }

  /** What stands in the form before anybody touched it. */
  fill({ name, room }) {
    this.#page.name.value = name;
    this.#page.room.value = room;
    (name ? this.#page.join : this.#page.name).focus({ preventScroll: true });
  }

  /** The whole page for a state of `Conference`. */
  show(state) {
    const before = this.#shown;
    this.#shown = state;
    const page = this.#page;
    const outside = state.phase === 'outside' || state.phase === 'joining';
    document.body.dataset.phase = state.phase;
    page.door.hidden = !outside;
    page.inside.hidden = page.dock.hidden = outside;
    page.join.disabled = page.listen.disabled = state.phase === 'joining';
    page.join.textContent = state.phase === 'joining' ? 'Joining …' : 'Join';
    this.#showHeading(state, outside);
    this.#showPeople([...state.roster.people.values()], state);
    this.#showDock(state);
    if (state.notice !== before?.notice) this.#showNotice(state);
    if (before?.phase === 'inside' && state.phase === 'inside') this.#tell(arrivals(before.roster, state.roster));
    if (outside !== isOutside(before)) (outside ? page.join : page.mute).focus({ preventScroll: true });
  }

  /** How loud we and the others are now, 0 to 1. */
  showLevels({ mine, others }) {
    const page = this.#page;
    const percent = Math.round(mine * 100);
    page.meter.setAttribute('aria-valuenow', percent);
    page.meter.style.setProperty('--level', mine.toFixed(3));
    document.body.style.setProperty('--mine', mine.toFixed(3));
    document.body.style.setProperty('--others', others.toFixed(3));
  }

  /** Says that the address is on the clipboard. */
  copied() {
    this.#page.copy.textContent = 'Copied';
  }

  #form(listen) {
    const { name, room, pin } = this.#page;
    return { name: name.value.trim(), room: Number(room.value), pin: pin.value, listen };
  }

  #act(actions) {
    const { phase, notice } = this.#shown;
    if (notice.action === 'sound') actions.sound();
    else if (notice.action === 'devices') actions.devices();
    else if (phase === 'reconnecting') actions.retry();
    else if (this.#page.door.reportValidity()) actions.join(this.#form(notice.action === 'listen'));
  }

  #showHeading({ room, title, roster, phase }, outside) {
    const { people } = roster;
    this.#page.title.textContent = outside ? 'Plenum' : title || `Room ${room}`;
    this.#page.subtitle.textContent = outside ? 'A room to talk in.' : `${title ? `Room ${room} · ` : ''}${people.size} here`;
    document.title = outside ? 'Plenum' : `${title || `Room ${room}`} · Plenum`;
    if (phase === 'reconnecting') this.#page.subtitle.textContent = 'Away from the server';
  }

  #showPeople(people, { roster, listening }) {
    const rows = people.map((person) => this.#row(person, person.id === roster.me, listening));
    const { children } = this.#page.people;
    rows.forEach((row, index) => children[index] !== row && this.#page.people.insertBefore(row, children[index] ?? null));
    for (const [id, row] of this.#rows) {
      if (roster.people.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    this.#page.alone.hidden = people.length !== 1;
    this.#showHouse(people, roster.me);
  }

  #row(person, isMe, listening) {
    let row = this.#rows.get(person.id);
    if (!row) {
      row = document.createElement('li');
      row.append(span('avatar'), span('name'), span('status'));
      row.firstChild.ariaHidden = 'true';
      this.#rows.set(person.id, row);
    }
    const name = person.display || 'Nobody by name';
    const [avatar, label, status] = row.children;
    avatar.textContent = initials(name);
    avatar.dataset.colour = colour(name);
    label.textContent = label.title = name;
    if (isMe) label.append(' ', span('you', 'you'));
    const talking = Boolean(person.talking) && !person.muted;
    row.className = [talking && 'talking', person.muted && 'muted', isMe && 'me'].filter(Boolean).join(' ');
    status.textContent = statusOf(person, talking, isMe && listening);
    return row;
  }

  #showHouse(people, me) {
    const { house } = this.#page;
    drawHouse(house, people, (seat, person) => {
      const talking = person?.talking && !person.muted;
      seat.setAttribute('class', [person && 'taken', talking && 'talking', person && person.id === me && 'me'].filter(Boolean).join(' '));
    });
  }

  #showDock({ muted, listening }) {
    const page = this.#page;
    page.mute.disabled = listening;
    page.mute.setAttribute('aria-pressed', muted);
    page['mute-label'].textContent = listening ? 'Listening' : muted ? 'Unmute' : 'Mute';
  }

  #showNotice({ notice, phase }) {
    const page = this.#page;
    page.notice.hidden = !notice;
    page.pin.removeAttribute('aria-invalid');
    page.room.removeAttribute('aria-invalid');
    if (!notice) return;
    page.notice.dataset.tone = notice.tone;
    page['notice-title'].textContent = notice.title;
    page['notice-text'].textContent = notice.text;
    page['notice-action'].hidden = !notice.action;
    page['notice-action'].textContent = phase === 'reconnecting' ? 'Try now' : ACTION_LABELS[notice.action];
    if (!notice.field) return;
    if (notice.field === 'pin') page['pin-field'].hidden = false;
    const field = page[notice.field];
    if (notice.tone === 'trouble') field.setAttribute('aria-invalid', 'true');
    // After the phase change of the same state has moved the focus.
    queueMicrotask(() => field.select());
  }

  #tell(news) {
    if (news.length === 0) return;
    const sentences = news.map(({ display, came }) => `${display || 'Somebody'} ${came ? 'joined' : 'left'}`);
    this.#page.news.textContent = sentences.join(', ');
  }
}

function elements() {
  return Object.fromEntries([...document.querySelectorAll('[id]')].map((element) => [element.id, element]));
}

function isOutside(state) {
  return !state || state.phase === 'outside' || state.phase === 'joining';
}

function statusOf({ muted, setup }, talking, listening) {
  if (listening) return 'listening';
  if (muted) return 'muted';
  if (talking) return 'speaking';
  return setup === false ? 'connecting' : '';
}

/** "Ada Lovelace" is AL, "ada" is A. */
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const first = (word) => [...word][0].toLocaleUpperCase();
  return words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(name);
}

function colour(name) {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % COLOURS;
}

function span(className, text = '') {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}
