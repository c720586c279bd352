// One room: its seats, and who is in it with how their audio fares. Decides nothing.

import { drawHouse } from '../hemicycle.js';
import { byId, element, orderAfter, say, sortButtons } from './elements.js';
import { isHeard, loudness, nameOf, peopleShown } from './picture.js';
import * as words from './words.js';

/** Rows at first, and how many more each time: more than anybody reads. */
const PAGE = 100;
/** With fewer people there is nothing to look for. */
const SEARCH_FROM = 12;
/** Seats that still can be told apart. */
const MOST_SEATS = 400;
const COLUMNS = [
  { key: 'name', label: 'Name' },
  { key: 'level', label: 'Level', descending: true },
  { key: 'delay', label: 'Delay', descending: true },
  { key: 'rtt', label: 'Round trip', descending: true },
  { key: 'up', label: 'Lost up', descending: true },
  { key: 'down', label: 'Lost down', descending: true },
  { key: '', label: 'Actions' },
];
/** Worth a look, by figure: shares and milliseconds. */
const POOR = { up: 0.02, down: 0.02, delay: 120, rtt: 300 };

export class RoomView {
  #actions;
  #markSorts;
  #order = { sort: 'name', descending: false, search: '' };
  #picture = null;
  #rows = new Map();
  #limit = PAGE;

  /** `actions`: back(), muteRoom(room), destroy(room), mute(room, person), kick(room, person). */
  constructor(actions) {
    this.#actions = actions;
    this.#markSorts = sortButtons(byId('person-sorts'), COLUMNS, {
      role: 'columnheader',
      choose: (key, descending) => {
        this.#order = orderAfter(this.#order, key, descending);
        this.#showPeople();
      },
    });
    byId('back').addEventListener('click', () => actions.back());
    byId('room-mute').addEventListener('click', () => actions.muteRoom(this.#picture.head));
    byId('room-destroy').addEventListener('click', () => actions.destroy(this.#picture.head));
    byId('person-search').addEventListener('input', ({ target }) => {
      this.#order = { ...this.#order, search: target.value };
      this.#showPeople();
    });
    byId('more').addEventListener('click', () => {
      this.#limit += PAGE;
      this.#showPeople();
    });
  }

  /** Another room, or none: nothing is known of it yet. */
  choose(id) {
    this.#picture = null;
    this.#limit = PAGE;
    this.#order = { ...this.#order, search: '' };
    byId('person-search').value = '';
    for (const { row } of this.#rows.values()) row.remove();
    this.#rows.clear();
    byId('room-pane').hidden = true;
    byId('nothing').hidden = false;
    say(byId('nothing'), id === null ? 'Choose a room to see who is in it.' : 'Looking …');
  }

  /** Says why there is nothing to see. */
  gone(text) {
    this.choose(null);
    say(byId('nothing'), text);
  }

  show(picture) {
    this.#picture = picture;
    const { head, items } = picture;
    byId('nothing').hidden = true;
    byId('room-pane').hidden = false;
    say(byId('room-title'), head.description);
    const facts = [`Room ${head.room}`, words.people(items.size), `${head.sampling_rate / 1000} kHz`, head.spatial_audio && 'stereo', head.pin_required && 'PIN', head.is_private && 'private', head.muted && 'muted: only its admins are heard'];
    say(byId('room-subtitle'), facts.filter(Boolean).join(' · '));
    say(byId('room-mute'), head.muted ? 'Unmute room' : 'Mute room');
    byId('person-search').hidden = items.size < SEARCH_FROM;
    this.#showHouse([...items.values()]);
    this.#showPeople();
  }

  #showHouse(people) {
    const mark = (seat, person) => {
      const heard = person && isHeard(person);
      seat.setAttribute('class', [person && 'taken', person?.muted && 'muted', heard && 'talking'].filter(Boolean).join(' '));
      seat.style.setProperty('--level', heard ? loudness(person).toFixed(2) : '0');
    };
    drawHouse(byId('house'), people, mark, MOST_SEATS);
  }

  #showPeople() {
    if (!this.#picture) return;
    const { items } = this.#picture;
    const people = peopleShown(this.#picture, this.#order);
    const inSight = people.slice(0, this.#limit);
    this.#markSorts(this.#order);
    byId('people').hidden = people.length === 0;
    const nobody = byId('nobody');
    nobody.hidden = people.length > 0;
    say(nobody, items.size === 0 ? 'Nobody is in this room.' : `Nobody here is called “${this.#order.search}”.`);
    const more = byId('more');
    more.hidden = people.length <= this.#limit;
    say(more, `Show more (${people.length - inSight.length} are left)`);
    const wanted = new Set(inSight.map(({ id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (wanted.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    const body = byId('person-rows');
    inSight.forEach((person, index) => {
      const { row } = this.#row(person);
      if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
    });
  }

  #row(person) {
    const known = this.#rows.get(person.id) ?? this.#newRow(person.id);
    const { row, cells, meter, mute, kick, more, details } = known;
    const recent = this.#picture.recent.get(person.id);
    const { mix, network } = person;
    const name = nameOf(person);
    say(cells.name, name);
    cells.name.title = name;
    const status = statusOf(person);
    say(cells.status, status);
    row.dataset.status = status;
    const level = loudness(person);
    meter.style.setProperty('--level', level.toFixed(2));
    meter.setAttribute('aria-valuenow', Math.round(100 * level));
    meter.setAttribute('aria-valuetext', mix ? `${mix.level_dbov} dBov` : 'nothing');
    figure(cells.delay, words.milliseconds(mix?.delay_ms), mix?.delay_ms > POOR.delay);
    figure(cells.rtt, words.milliseconds(network?.rtt_ms), network?.rtt_ms > POOR.rtt);
    figure(cells.up, words.percent(recent?.up), recent?.up > POOR.up);
    figure(cells.down, words.percent(recent?.down), recent?.down > POOR.down);
    say(mute, person.muted ? 'Unmute' : 'Mute');
    mute.setAttribute('aria-label', `${person.muted ? 'Unmute' : 'Mute'} ${name}`);
    kick.setAttribute('aria-label', `Kick ${name} …`);
    more.setAttribute('aria-label', `More about ${name}`);
    if (!details.hidden) tellDetails(details, person);
    return known;
  }

  #newRow(id) {
    const row = element('div', 'row person');
    row.setAttribute('role', 'row');
    const cell = (key, ...parts) => {
      const made = element('div', `of-${key}`);
      made.setAttribute('role', 'cell');
      made.append(...parts);
      row.append(made);
    };
    const cells = Object.fromEntries(['name', 'status', 'delay', 'rtt', 'up', 'down'].map((key) => [key, element('span', key)]));
    const meter = element('div', 'meter');
    meter.setAttribute('role', 'meter');
    meter.setAttribute('aria-label', 'Level');
    meter.setAttribute('aria-valuemin', 0);
    meter.setAttribute('aria-valuemax', 100);
    meter.append(element('div'));
    const button = (text, className, act) => {
      const made = element('button', className, text);
      made.type = 'button';
      made.addEventListener('click', act);
      return made;
    };
    const person = () => this.#picture.items.get(id);
    const mute = button('Mute', 'small', () => this.#actions.mute(this.#picture.head, person()));
    const kick = button('Kick …', 'small grave', () => this.#actions.kick(this.#picture.head, person()));
    const details = element('dl', 'details');
    details.hidden = true;
    const more = button('', 'small more quiet', () => {
      details.hidden = !details.hidden;
      more.setAttribute('aria-expanded', !details.hidden);
      if (!details.hidden) tellDetails(details, person());
    });
    more.setAttribute('aria-expanded', false);
    cell('name', cells.name, cells.status);
    cell('level', meter);
    cell('delay', cells.delay);
    cell('rtt', cells.rtt);
    cell('up', cells.up);
    cell('down', cells.down);
    cell('actions', mute, kick, more);
    cell('details', details);
    const known = { row, cells, meter, mute, kick, more, details };
    this.#rows.set(id, known);
    return known;
  }
}

function statusOf(person) {
  if (person.suspended) return 'suspended';
  if (person.muted) return 'muted';
  if (!person.setup) return 'connecting';
  return isHeard(person) ? 'heard' : 'silent';
}

function figure(cell, text, isPoor) {
  say(cell, text);
  cell.classList.toggle('poor', Boolean(isPoor));
}

function tellDetails(details, { id, group, mix, network, session_id, handle_id }) {
  const facts = [
    ['Id', String(id)],
    group && ['Group', group],
    mix && ['Audio level', `${mix.level_dbov} dBov`],
    mix && ['Packets waiting', `${mix.queued}`],
    mix && ['Came too late', `${mix.late} of ${mix.packets}`],
    mix && ['Left out', `${mix.dropped}`],
    mix && ['Gaps', `${mix.concealed} concealed, ${mix.restored} restored`],
    network && ['From the client', flowOf(network.received, network.lost, network.jitter_ms)],
    network && ['To the client', flowOf(network.sent, network.lost_by_client, network.jitter_of_client_ms)],
    ['Session, handle', `${session_id}, ${handle_id}`],
  ].filter(Boolean);
  if (details.children.length !== 2 * facts.length) details.replaceChildren(...facts.flatMap(() => [element('dt'), element('dd')]));
  facts.forEach(([name, value], index) => {
    say(details.children[2 * index], name);
    say(details.children[2 * index + 1], value);
  });
}

function flowOf({ packets, bits_per_second }, lost, jitter) {
  return `${words.bitrate(bits_per_second)}, ${packets} packets, ${lost} lost, jitter ${jitter} ms`;
}
