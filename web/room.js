// The room page: introduces the conference, the view and the loudspeaker to each other.

import { LevelMeter, microphoneAllowedHere } from './audio.js';
import { Conference } from './conference.js';
import { canChooseSpeaker, choose, chosen, devices, watchDevices } from './devices.js';
import { SoundCheck } from './sound-check.js';
import { listenForTalkKeys } from './talk-keys.js';
import { View } from './view.js';
import { microphoneForbiddenHere, soundBlocked, speakerLost } from './words.js';

/** The room of a server without configuration. */
const DEFAULT_ROOM = '1234';
const NAME_KEY = 'plenum.name';

const sound = document.getElementById('sound');
const meters = { mine: null, others: null };
let state = null;
let isSoundBlocked = false;
/** About the loudspeaker; the conference knows nothing of it. */
let soundNotice = null;

const conference = new Conference({
  url: (room) => `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/room/${room}/janus`,
  microphoneId: () => chosen('microphone'),
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
  devices: () => {
    LevelMeter.wake();
    soundNotice = null;
    soundCheck.open({ listening: state.listening });
  },
  volume: (volume) => (sound.volume = volume),
  copy: () => navigator.clipboard?.writeText(location.href).then(() => view.copied()),
});

const soundCheck = new SoundCheck({
  // In a call the microphone is open already.
  open: () => (meters.mine ? null : conference.useMicrophone(chosen('microphone'))),
  close: () => conference.releaseMicrophone(),
  microphone: (id) => {
    choose('microphone', id);
    return conference.useMicrophone(id);
  },
  speaker: (id) => {
    choose('speaker', id);
    return useSpeaker();
  },
});

listenForTalkKeys({
  button: document.getElementById('mute'),
  isMuted: () => (state.phase === 'outside' || state.phase === 'joining' || state.listening ? null : state.muted),
  mute: (muted) => conference.setMuted(muted),
});
watchDevices(() => checkSpeaker());

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
  if (state.phase === 'outside') soundNotice = null;
  const notice = state.notice ?? (isSoundBlocked ? soundBlocked() : soundNotice);
  view.show({ ...state, notice });
}

function play(stream) {
  sound.srcObject = stream;
  measure('others', stream?.getAudioTracks()[0] ?? null);
  if (!stream) {
    isSoundBlocked = false;
    return;
  }
  useSpeaker();
  startSound();
}

/** Lets the sound come out where the person wants it; where that is gone, where the browser chooses. */
async function useSpeaker() {
  if (!canChooseSpeaker) return;
  await sound.setSinkId(chosen('speaker')).catch(() => sound.setSinkId(''));
}

async function checkSpeaker() {
  const isGone = canChooseSpeaker && sound.sinkId && !(await devices('speaker')).some(({ id }) => id === sound.sinkId);
  if (!isGone) return;
  await sound.setSinkId('');
  if (state.phase === 'inside') soundNotice = speakerLost();
  show(state);
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
  const mine = meters.mine?.level() ?? 0;
  if (state.phase === 'inside') view.showLevels({ mine, others: meters.others?.level() ?? 0 });
  if (soundCheck.isOpen) soundCheck.showLevel(mine);
  requestAnimationFrame(drawLevels);
}
