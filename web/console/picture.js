// What the server tells in snapshots and changes, put together; and what follows from it. Pure.

/** `head` is the server or a room, `items` its rooms or participants by id. */
export const NOTHING = Object.freeze({ head: null, items: new Map(), recent: new Map() });

const SERVER = { head: 'server', items: 'rooms', id: 'room' };
const ROOM = { head: 'room', items: 'participants', id: 'id' };

export const serverAfter = (picture, event) => after(picture, event, SERVER);

/** With `recent`: by participant, the share of packets lost both ways between the last two looks at its transport. */
export function roomAfter(picture, event) {
  const next = after(picture, event, ROOM);
  const recent = new Map();
  for (const [id, participant] of next.items) {
    const before = picture.items.get(id);
    recent.set(id, before === participant ? picture.recent.get(id) : losses(before, participant, picture.recent.get(id)));
  }
  return { ...next, recent };
}

function after(picture, { event, data }, names) {
  const items = new Map(event === 'snapshot' ? [] : picture.items);
  for (const item of data[names.items] ?? []) items.set(item[names.id], item);
  for (const id of data.gone ?? []) items.delete(id);
  return { ...picture, head: data[names.head] ?? picture.head, items };
}

function losses(before, { network }, known) {
  if (!network) return known;
  const old = before?.network;
  const isNews = (way) => network[way].packets !== old?.[way].packets;
  return {
    up: isNews('received') ? share(network.lost - (old?.lost ?? 0), network.received.packets - (old?.received.packets ?? 0)) : known?.up,
    down: isNews('sent') ? share(network.lost_by_client - (old?.lost_by_client ?? 0), network.sent.packets - (old?.sent.packets ?? 0), true) : known?.down,
  };
}

/** `lost` of what was sent (`came` is what arrived, or with `inAll` all that was sent); undefined where nothing was. */
function share(lost, came, inAll = false) {
  const all = inAll ? came : came + lost;
  return all > 0 ? Math.min(1, Math.max(0, lost / all)) : undefined;
}

/** Rooms that match what was typed, in the order that was asked for. */
export function roomsShown(rooms, { search, sort, descending }) {
  const wanted = search.trim().toLocaleLowerCase();
  const matches = ({ room, description }) => String(room).includes(wanted) || description.toLocaleLowerCase().includes(wanted);
  const found = wanted ? [...rooms.values()].filter(matches) : [...rooms.values()];
  return sorted(found, ROOM_KEYS[sort], descending, ({ room }) => room);
}

/** Participants that match, in the order that was asked for. */
export function peopleShown({ items, recent }, { search, sort, descending }) {
  const wanted = search.trim().toLocaleLowerCase();
  const matches = (person) => nameOf(person).toLocaleLowerCase().includes(wanted) || String(person.id).includes(wanted);
  const found = wanted ? [...items.values()].filter(matches) : [...items.values()];
  const key = PERSON_KEYS[sort];
  return sorted(found, (person) => key(person, recent.get(person.id)), descending, ({ id }) => id);
}

export function nameOf({ display, id }) {
  return display || `Nobody by name (${id})`;
}

/** Whether others hear it now. */
export function isHeard({ muted, mix }) {
  return !muted && Boolean(mix?.audible);
}

/** Where an audio level in dBov lies between a quiet room and a mouth close to the microphone, 0 to 1. */
export function loudness({ muted, mix }) {
  return muted || !mix ? 0 : Math.min(1, Math.max(0, (mix.level_dbov + 60) / 50));
}

const ROOM_KEYS = {
  room: ({ room }) => room,
  description: ({ description }) => description.toLocaleLowerCase(),
  people: ({ num_participants }) => num_participants,
  talking: ({ num_talking }) => num_talking,
};

const PERSON_KEYS = {
  name: (person) => nameOf(person).toLocaleLowerCase(),
  level: (person) => loudness(person),
  delay: ({ mix }) => mix?.delay_ms ?? -1,
  rtt: ({ network }) => network?.rtt_ms ?? -1,
  up: (_, recent) => recent?.up ?? -1,
  down: (_, recent) => recent?.down ?? -1,
};

/** Equals stay in the order of their ids, so that rows do not jump. */
function sorted(items, key, descending, id) {
  const keyed = items.map((item) => [key(item), id(item), item]);
  const order = descending ? -1 : 1;
  keyed.sort((a, b) => order * compare(a[0], b[0]) || compare(a[1], b[1]));
  return keyed.map(([, , item]) => item);
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
