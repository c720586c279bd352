// The microphone, the loudspeaker and how loud each is. Knows no network.

/** Speech sits between -60 dBFS (a quiet room) and -10 (close to the microphone). */
const QUIET_DB = -60;
const LOUD_DB = -10;

/** True if this browser gives a microphone to this page at all: it does on localhost and over HTTPS only. */
export function microphoneAllowedHere() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Asks for the microphone `id`, or another where that is gone; rejects with the browser's DOMException. */
export async function openMicrophone(id) {
  const open = async (audio) => (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks()[0];
  if (!id) return open(true);
  try {
    // Chromium takes its default rather than one that is only preferred.
    return await open({ deviceId: { exact: id } });
  } catch (error) {
    if (error.name !== 'OverconstrainedError' && error.name !== 'NotFoundError') throw error;
    return open(true);
  }
}

/** How loud a track is, 0 to 1 on a decibel scale. */
export class LevelMeter {
  static #context;
  #source;
  #analyser;
  #samples;

  constructor(track) {
    const context = (LevelMeter.#context ??= new AudioContext());
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) });
    this.#source.connect(this.#analyser);
  }

  /** Browsers start audio after a click only: call this in one. */
  static wake() {
    LevelMeter.#context ??= new AudioContext();
    LevelMeter.#context.resume();
  }

  level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const decibels = 10 * Math.log10(power + 1e-12);
    return Math.min(1, Math.max(0, (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB)));
  }

  close() {
    this.#source.disconnect();
  }
}
