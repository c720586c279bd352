// Who is in the room and who talks, as the AudioBridge's events tell it. Pure: data in, data out.

/** `people` maps an id to { id, display, muted, setup, talking }, in the order of arrival, oneself first. */
export const NOBODY = Object.freeze({ me: null, people: new Map(), roomMuted: false });

/** The roster right after one's own join. */
export function entered(data, self) {
  const me = { id: data.id, setup: false, talking: false, ...self };
  return { ...NOBODY, me: data.id, people: byId([me, ...data.participants]) };
}

/** The roster after a plugin event; the same object if the event says nothing about it. */
export function applyEvent(roster, data) {
  switch (data.audiobridge) {
    case 'joined':
      return merge(roster, data.participants);
    case 'talking':
    case 'stopped-talking':
      return merge(roster, [{ id: data.id, talking: data.audiobridge === 'talking' }], { known: true });
    case 'event':
      if (data.participants) return merge(roster, data.participants);
      if ('leaving' in data) return without(roster, data.leaving);
      if ('kicked' in data) return without(roster, data.kicked);
      if ('muted' in data) return { ...roster, roomMuted: data.muted };
      return roster;
    default:
      return roster;
  }
}

/** The roster after asking for everybody: what was missed while the connection was away. */
export function refreshed(roster, participants) {
  const mine = participants.find(({ id }) => id === roster.me) ?? roster.people.get(roster.me);
  const others = participants.filter(({ id }) => id !== roster.me);
  return { ...roster, people: byId([mine, ...others]) };
}

/** What changed, for those who listen to the page instead of looking at it: [{ id, display, came }]. */
export function arrivals(before, after) {
  const came = [...after.people.values()].filter(({ id }) => !before.people.has(id));
  const went = [...before.people.values()].filter(({ id }) => !after.people.has(id));
  return [...came.map((person) => ({ ...person, came: true })), ...went.map((person) => ({ ...person, came: false }))];
}

function merge(roster, participants, { known = false } = {}) {
  const people = new Map(roster.people);
  for (const participant of participants) {
    if (known && !people.has(participant.id)) continue;
    people.set(participant.id, { ...people.get(participant.id), ...participant });
  }
  return { ...roster, people };
}

function without(roster, id) {
  const people = new Map(roster.people);
  people.delete(id);
  return { ...roster, people };
}

function byId(participants) {
  return new Map(participants.map((participant) => [participant.id, participant]));
}
