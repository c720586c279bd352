// The list of rooms. Only the rows in sight exist, so that a thousand rooms cost what twenty do.

import { byId, element, orderAfter, say, sortButtons } from './elements.js';
import { roomsShown } from './picture.js';
import * as words from './words.js';

/** As in style.css. */
const ROW_PX = 52;
/** Rows above and below what is in sight, for the next bit of scrolling. */
const SPARE = 6;
const COLUMNS = [
  { key: 'room', label: 'Number' },
  { key: 'description', label: 'Name' },
  { key: 'people', label: 'People', descending: true },
  { key: 'talking', label: 'Talking', descending: true },
];

export class RoomList {
  #box = byId('rooms');
  #runway = byId('runway');
  #search = byId('search');
  #markSorts;
  #order = { sort: 'people', descending: true, search: '' };
  #rooms = new Map();
  #shown = [];
  #rows = new Map();
  #chosen = null;
  #choose;

  /** `choose(id)` is called with the room that the operator wants to see. */
  constructor(choose) {
    this.#choose = choose;
    this.#markSorts = sortButtons(byId('room-sorts'), COLUMNS, { choose: (key, descending) => this.#reorder(key, descending) });
    this.#search.addEventListener('input', () => {
      this.#order = { ...this.#order, search: this.#search.value };
      this.#box.scrollTop = 0;
      this.#arrange();
    });
    this.#search.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        this.#box.focus();
        if (event.key === 'Enter' || this.#chosen === null) this.#go(0);
      }
    });
    this.#box.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.#box.addEventListener('keydown', (event) => this.#press(event));
    this.#runway.addEventListener('click', ({ target }) => {
      const row = target.closest('.room');
      if (row) this.#choose(this.#shown[row.dataset.index].room);
    });
    new ResizeObserver(() => this.#draw()).observe(this.#box);
    this.#markSorts(this.#order);
  }

  /** All rooms by id, as they are now. */
  show(rooms) {
    this.#rooms = rooms;
    this.#arrange();
  }

  /** Marks a room as the one that is looked at. */
  mark(id) {
    this.#chosen = id;
    this.#draw();
  }

  focus() {
    this.#box.focus();
  }

  #reorder(key, descending) {
    this.#order = orderAfter(this.#order, key, descending);
    this.#box.scrollTop = 0;
    this.#arrange();
  }

  #arrange() {
    this.#shown = roomsShown(this.#rooms, this.#order);
    this.#markSorts(this.#order);
    this.#runway.style.height = `${this.#shown.length * ROW_PX}px`;
    const all = this.#rooms.size;
    say(byId('list-count'), this.#shown.length === all ? String(all) : `${this.#shown.length} of ${all}`);
    const empty = byId('no-rooms');
    empty.hidden = this.#shown.length > 0;
    say(empty, all === 0 ? 'There is no room on this server.' : `No room is called “${this.#order.search}”.`);
    this.#draw();
  }

  #draw() {
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE);
    const end = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / ROW_PX) + SPARE);
    const inSight = new Set(this.#shown.slice(first, end).map(({ room }) => room));
    for (const [id, row] of this.#rows) {
      if (inSight.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (let index = first; index < end; index++) this.#drawRow(this.#shown[index], index);
    const active = this.#rows.get(this.#chosen);
    if (active) this.#box.setAttribute('aria-activedescendant', active.id);
    else this.#box.removeAttribute('aria-activedescendant');
  }

  #drawRow(room, index) {
    let row = this.#rows.get(room.room);
    if (!row) {
      row = element('div', 'row room');
      row.id = `room-${room.room}`;
      row.setAttribute('role', 'option');
      row.append(element('span', 'of-room'), element('span', 'of-description'), element('span', 'of-people'), element('span', 'of-talking'));
      this.#rows.set(room.room, row);
      this.#runway.append(row);
    }
    row.dataset.index = index;
    row.style.transform = `translateY(${index * ROW_PX}px)`;
    row.setAttribute('aria-posinset', index + 1);
    row.setAttribute('aria-setsize', this.#shown.length);
    row.setAttribute('aria-selected', room.room === this.#chosen);
    row.classList.toggle('empty', room.num_participants === 0);
    row.classList.toggle('talking', room.num_talking > 0);
    const [number, name, people, talking] = row.children;
    say(number, String(room.room));
    say(name, room.description);
    name.title = room.description;
    row.classList.toggle('muted', room.muted);
    say(people, String(room.num_participants));
    say(talking, room.num_talking > 0 ? String(room.num_talking) : '');
    const label = [room.description, `room ${room.room}`, words.people(room.num_participants), room.num_talking > 0 && `${room.num_talking} talking`, room.muted && 'muted'];
    row.setAttribute('aria-label', label.filter(Boolean).join(', '));
  }

  #press(event) {
    const page = Math.max(1, Math.floor(this.#box.clientHeight / ROW_PX) - 1);
    const last = this.#shown.length - 1;
    const at = this.#shown.findIndex(({ room }) => room === this.#chosen);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at === -1 ? last : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#go(Math.min(last, Math.max(0, to)));
  }

  #go(index) {
    const room = this.#shown[index];
    if (!room) return;
    const { scrollTop, clientHeight } = this.#box;
    const top = index * ROW_PX;
    if (top < scrollTop) this.#box.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.#box.scrollTop = top + ROW_PX - clientHeight;
    this.#choose(room.room);
  }
}
