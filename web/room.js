// The room page: introduces the conference, the view and the loudspeaker to each other.

import { LevelMeter, microphoneAllowedHere } from './audio.js';
import { Conference } from './conference.js';
import { View } from './view.js';
import { microphoneForbiddenHere, soundBlocked } from './words.js';

/** The room of a server without configuration. */
const DEFAULT_ROOM = '1234';
const NAME_KEY = 'plenum.name';

const sound = document.getElementById('sound');
const meters = { mine: null, others: null };
let state = null;
let isSoundBlocked = false;

const conference = new Conference({
  url: `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/`,
  onChange: (changed) => show(changed),
  onMicrophone: (track) => measure('mine', track),
  onSound: (stream) => play(stream),
});

const view = new View({
  join: (form) => join(form),
  leave: () => conference.leave(),
  mute: (muted) => conference.setMuted(muted),
  retry: () => conference.hurry(),
  sound: () => startSound(),
  volume: (volume) => (sound.volume = volume),
  copy: () => navigator.clipboard?.writeText(location.href).then(() => view.copied()),
});

view.fill({
  name: localStorage.getItem(NAME_KEY) ?? '',
  room: new URLSearchParams(location.search).get('room') ?? DEFAULT_ROOM,
});
addEventListener('pagehide', () => conference.leave());
addEventListener('online', () => conference.hurry());
show({ ...conference.state, notice: microphoneAllowedHere() ? null : microphoneForbiddenHere(location.origin) });
drawLevels();

function join(form) {
  localStorage.setItem(NAME_KEY, form.name);
  history.replaceState(null, '', `?room=${form.room}`);
  LevelMeter.wake();
  conference.join(form);
}

function show(changed) {
  state = changed;
  const notice = state.notice ?? (isSoundBlocked ? soundBlocked() : null);
  view.show({ ...state, notice });
}

function play(stream) {
  sound.srcObject = stream;
  measure('others', stream?.getAudioTracks()[0] ?? null);
  if (stream) startSound();
  else isSoundBlocked = false;
}

async function startSound() {
  LevelMeter.wake();
  try {
    await sound.play();
    isSoundBlocked = false;
  } catch (error) {
    // AbortError is a newer stream taking this one's place.
    if (error.name === 'NotAllowedError') isSoundBlocked = true;
  }
  show(state);
}

function measure(whose, track) {
  meters[whose]?.close();
  meters[whose] = track && new LevelMeter(track);
}

function drawLevels() {
  if (state.phase === 'inside') {
    view.showLevels({ mine: meters.mine?.level() ?? 0, others: meters.others?.level() ?? 0 });
  }
  requestAnimationFrame(drawLevels);
}
