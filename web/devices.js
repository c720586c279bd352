// The microphones and loudspeakers of this machine, and which of them the person has chosen. Knows no page and no call.

const CHOICE_KEYS = { microphone: 'plenum.microphone', speaker: 'plenum.speaker' };
const KINDS = { microphone: 'audioinput', speaker: 'audiooutput' };
/** What Chromium lists beside the devices themselves. */
const ALIASES = new Set(['default', 'communications']);

/** Whether the page may say where the sound comes out: Safari, and Firefox before 116, do not let it. */
export const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

/** The device that was chosen, on an earlier visit perhaps: its id, or '' for whatever the browser takes. */
export function chosen(what) {
  return localStorage.getItem(CHOICE_KEYS[what]) ?? '';
}

export function choose(what, id) {
  localStorage.setItem(CHOICE_KEYS[what], id);
}

/** What there is: [{ id, label }], first what the browser takes by itself. Before there is permission browsers tell no names. */
export async function devices(what) {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const named = all.filter(({ kind, deviceId, label }) => kind === KINDS[what] && deviceId && !ALIASES.has(deviceId) && label);
  return [{ id: '', label: 'As the browser chooses' }, ...named.map(({ deviceId, label }) => ({ id: deviceId, label }))];
}

/** Calls `changed()` when something is plugged in or pulled out. */
export function watchDevices(changed) {
  navigator.mediaDevices?.addEventListener('devicechange', changed);
}
