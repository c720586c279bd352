// Speech for microphones, and the question whose speech it is that somebody hears.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../target/e2e-speech/', import.meta.url));
/** Two people who cannot be taken for each other: their pauses differ. */
const SCRIPTS = {
  ada: { voice: 'en+f3', speed: 175, text: 'The first thing I would like to say, before we come to the numbers, is thank you. Thank you all for coming here on such short notice. Now then, the numbers.' },
  ben: { voice: 'en+m3', speed: 130, text: 'One. Two. Three, four. Five. Stop! Six, seven, eight, nine. Ten. Again. One. Two, two, two. Three.' },
};
/** One value of an envelope covers so much time. */
const STEP_SECONDS = 0.02;
/** Quieter than this is silence, however much quieter. */
const FLOOR_DB = -55;
/** How alike the envelope that is heard and that of its speaker are at least; others stay below 0.5. */
export const SAME_SPEECH = 0.75;

/** A WAV file of what `who` says. */
export function speechOf(who) {
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}${who}.wav`;
  const { voice, speed, text } = SCRIPTS[who];
  if (!existsSync(path)) execFileSync('espeak-ng', ['-v', voice, '-s', String(speed), '-w', path, text]);
  return path;
}

/** The envelope of a WAV file (16 bits, mono), in decibels. */
export function envelopeOf(path) {
  const file = readFileSync(path);
  const rate = file.readUInt32LE(24);
  const samples = new Int16Array(file.buffer, file.byteOffset + 44, (file.length - 44) >> 1);
  const step = Math.round(rate * STEP_SECONDS);
  return Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const part = samples.subarray(index * step, (index + 1) * step);
    const power = part.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0) / step;
    return 10 * Math.log10(power + 1e-12);
  });
}

/** How alike what was heard is to `source`, which is spoken over and over: the best correlation over all beginnings. */
export function likeness(heard, source) {
  const a = normalised(heard);
  if (!a) return 0;
  const looped = source.map(audible);
  let best = -1;
  for (let start = 0; start < looped.length; start++) {
    const b = normalised(heard.map((_, index) => looped[(start + index) % looped.length]));
    if (b) best = Math.max(best, a.reduce((sum, value, index) => sum + value * b[index], 0));
  }
  return best;
}

/** Two 10 ms values of the browser's ear into one of ours. */
export function envelopeOfWatch(series) {
  const power = series.map((decibels) => 10 ** (decibels / 10));
  return Array.from({ length: power.length >> 1 }, (_, index) => 10 * Math.log10((power[2 * index] + power[2 * index + 1]) / 2));
}

function audible(decibels) {
  return Math.max(decibels, FLOOR_DB);
}

/** Without mean, of length one; null if nothing varies. */
function normalised(values) {
  const floored = values.map(audible);
  const mean = floored.reduce((sum, value) => sum + value, 0) / floored.length;
  const centred = floored.map((value) => value - mean);
  const length = Math.hypot(...centred);
  return length > 1 && centred.map((value) => value / length);
}
