// The console: introduces the server's streams, the views and the operator's actions to each other.

import { byId, say } from './elements.js';
import { Feed } from './feed.js';
import { Operator } from './operator.js';
import { NOTHING, nameOf, roomAfter, serverAfter } from './picture.js';
import { RoomList } from './room-list.js';
import { RoomView } from './room-view.js';
import { ServerView } from './server-view.js';
import * as words from './words.js';

/** Of this tab only, and gone with it. */
const TOKEN_KEY = 'plenum.console.token';
/** How long one reads what went wrong with an action. */
const NOTICE_MS = 8_000;

let operator = null;
let server = NOTHING;
let room = NOTHING;
let serverFeed = null;
let roomFeed = null;
let chosen = null;
let noticeTimer;
let isDrawn = true;

const serverView = new ServerView();
const roomList = new RoomList((id) => (location.hash = `room=${encodeURIComponent(id)}`));
const roomView = new RoomView({
  back: () => {
    history.replaceState(null, '', location.pathname);
    choose(null);
    roomList.focus();
  },
  muteRoom: ({ room, muted }) => act(muted ? 'Unmute room' : 'Mute room', () => operator.muteRoom(room, !muted)),
  destroy: (room) => destroy(room),
  mute: ({ room }, person) => act(`${person.muted ? 'Unmute' : 'Mute'} ${nameOf(person)}`, () => operator.mute(room, person.id, !person.muted)),
  kick: (room, person) => kick(room, person),
});

byId('door').addEventListener('submit', (event) => {
  event.preventDefault();
  open(byId('token').value);
});
byId('sign-out').addEventListener('click', () => close(null));
byId('drain').addEventListener('click', () => drain());
byId('notice-action').addEventListener('click', () => {
  serverFeed?.hurry();
  roomFeed?.hurry();
});
addEventListener('hashchange', () => choose(roomInAddress()));
addEventListener('online', () => serverFeed?.hurry());
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target.closest('input, dialog') || byId('console').hidden) return;
  event.preventDefault();
  byId('search').focus();
});

const kept = sessionStorage.getItem(TOKEN_KEY);
if (kept) open(kept);
else byId('token').focus();

/** Watches the server with a token; the first thing that it tells is what opens the console. */
function open(token) {
  stop();
  operator = new Operator(token);
  byId('open').disabled = true;
  serverFeed = new Feed({
    watch: operator.watchServer,
    onEvent: (event) => {
      if (document.body.dataset.phase !== 'open') opened(token);
      if (event.event === 'gone') return;
      if (document.body.dataset.stale) fresh();
      server = serverAfter(server, event);
      draw();
    },
    onLost: (error, milliseconds) => {
      byId('open').disabled = false;
      document.body.dataset.stale = 'yes';
      serverView.lost();
      tell(words.lost(error, Math.round(milliseconds / 1_000)), { tone: 'trouble', action: 'Try now' });
    },
    onRefused: (error) => close(words.notLetIn(error)),
  });
}

function opened(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
  byId('token').value = '';
  document.body.dataset.phase = 'open';
  byId('door').hidden = true;
  byId('console').hidden = byId('sign-out').hidden = false;
  byId('open').disabled = false;
  byId('notice').hidden = true;
  choose(roomInAddress());
  byId('search').focus({ preventScroll: true });
}

/** Forgets the token and all that was seen with it. */
function close(notice) {
  stop();
  operator = null;
  sessionStorage.removeItem(TOKEN_KEY);
  document.body.dataset.phase = 'closed';
  byId('door').hidden = false;
  byId('console').hidden = byId('sign-out').hidden = byId('drain').hidden = byId('state').hidden = true;
  byId('open').disabled = false;
  if (notice) tell(notice, { tone: 'trouble' });
  else byId('notice').hidden = true;
  byId('token').select();
}

function stop() {
  serverFeed?.close();
  roomFeed?.close();
  serverFeed = roomFeed = null;
  server = room = NOTHING;
  chosen = null;
  delete document.body.dataset.stale;
}

function fresh() {
  delete document.body.dataset.stale;
  byId('notice').hidden = true;
  roomFeed?.hurry();
}

/** Looks at a room, or at none. */
function choose(id) {
  if (!operator || (id === chosen && roomFeed)) return;
  roomFeed?.close();
  roomFeed = null;
  room = NOTHING;
  chosen = id;
  document.body.dataset.pane = id === null ? 'rooms' : 'room';
  roomView.choose(id);
  markChosen();
  if (id === null) return;
  roomFeed = new Feed({
    watch: (options) => operator.watchRoom(id, options),
    onEvent: (event) => {
      if (event.event === 'gone') return;
      room = roomAfter(room, event);
      draw();
    },
    // The other stream says so.
    onLost: () => {},
    onRefused: (error) => {
      roomFeed = null;
      room = NOTHING;
      if (error.kind === 'unauthorized') close(words.notLetIn(error));
      else roomView.gone(`There is no room ${id} on this server.`);
    },
  });
}

function markChosen() {
  // Ids in the address are texts, those of the rooms numbers or texts.
  const known = [...server.items.keys()].find((id) => String(id) === chosen);
  roomList.mark(known ?? chosen);
}

function roomInAddress() {
  return new URLSearchParams(location.hash.slice(1)).get('room');
}

/** At most once a frame, whatever comes, and not at all where nobody looks. */
function draw() {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    if (server.head) {
      serverView.show(server);
      roomList.show(server.items);
      markChosen();
    }
    if (room.head) roomView.show(room);
  });
}

async function act(what, request) {
  try {
    await request();
    say(byId('news'), `${what}: done`);
    return true;
  } catch (error) {
    if (error.kind === 'unauthorized') close(words.notLetIn(error));
    else tell(words.failed(what, error), { tone: 'trouble', forMs: NOTICE_MS });
    return false;
  }
}

async function destroy({ room, description }) {
  const inIt = server.items.get(room)?.num_participants ?? 0;
  const answer = await ask({
    title: `Destroy “${description}”?`,
    text: inIt > 0 ? `${words.people(inIt)} will be told that the room is closed, and their calls end.` : 'Nobody is in it.',
    option: 'Also for good: it does not come back when the server starts again',
    yes: 'Destroy the room',
  });
  if (answer) await act(`Destroy room ${room}`, () => operator.destroyRoom(room, answer.isChecked));
}

async function kick({ room }, person) {
  const name = nameOf(person);
  const answer = await ask({ title: `Kick ${name}?`, text: 'They are told so and their call ends. They can join again.', yes: `Kick ${name}` });
  if (answer) await act(`Kick ${name}`, () => operator.kick(room, person.id));
}

async function drain() {
  if (server.head.drain.draining) {
    await act('Stop draining', () => operator.undoDrain());
    return;
  }
  const answer = await ask({
    title: 'Drain this server?',
    text: `No room begins here any more. ${words.people(server.head.participants)} in calls go on; when all have left, or at the deadline, the server ends. Until then you can stop it.`,
    yes: 'Drain',
  });
  if (answer) await act('Drain', () => operator.drain());
}

/** Resolves with { isChecked }, or null for no. */
function ask({ title, text, option, yes }) {
  const dialog = byId('question');
  say(byId('question-title'), title);
  say(byId('question-text'), text);
  say(byId('question-yes'), yes);
  byId('question-option').hidden = !option;
  say(byId('question-label'), option ?? '');
  byId('question-check').checked = false;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes' ? { isChecked: byId('question-check').checked } : null), { once: true });
  });
}

function tell({ title, text }, { tone, action = '', forMs }) {
  clearTimeout(noticeTimer);
  const notice = byId('notice');
  notice.dataset.tone = tone;
  say(byId('notice-title'), title);
  say(byId('notice-text'), text);
  byId('notice-action').hidden = !action;
  say(byId('notice-action'), action);
  notice.hidden = false;
  if (forMs) noticeTimer = setTimeout(() => (notice.hidden = true), forMs);
}
