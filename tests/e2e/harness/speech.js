// Speech for microphones, and the question whose speech it is that somebody hears.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../target/e2e-speech/', import.meta.url));
/** Two people who cannot be taken for each other: they pause at different times, and long enough to hear who does not. */
const SCRIPTS = {
  ada: {
    voice: 'en+f3',
    speed: 175,
    text: 'The first thing I would like to say, <break time="900ms"/> before we come to the numbers, is thank you. <break time="1200ms"/> Thank you all for coming here on such short notice. <break time="1000ms"/> Now then. The numbers.',
  },
  ben: {
    voice: 'en+m3',
    speed: 140,
    text: 'One. Two, three. <break time="1400ms"/> Four, five, six, seven, eight, nine, ten. <break time="800ms"/> Stop! <break time="1100ms"/> And now again, but from the end. Ten, nine, eight. <break time="900ms"/> Seven.',
  },
};
/** One value of an envelope covers so much time. */
const STEP_SECONDS = 0.02;
/** Quieter than this is silence, however much quieter. */
const FLOOR_DB = -55;
/** How alike the envelope that is heard and that of its speaker are at least; others stay below 0.6. */
const SAME_SPEECH = 0.7;
/** A pause is as long as this before and after the moment that counts, so that no word of an unsteady clock falls into it. */
const PAUSE_STEPS = 10;
/** In the pauses of a speaker who is alone it is quieter by so much at least; a second voice fills them. */
const PAUSE_DB = -15;

/** A WAV file of what `who` says. */
export function speechOf(who) {
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}${who}.wav`;
  const { voice, speed, text } = SCRIPTS[who];
  if (!existsSync(path)) execFileSync('espeak-ng', ['-m', '-v', voice, '-s', String(speed), '-w', path, text]);
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

/**
 * Whether what was heard is `source`, which is spoken over and over, and nobody else: { likeness, pauses, same, alone }.
 * `likeness` is the best correlation over all beginnings, `pauses` how loud it is in the pauses of `source`.
 */
export function recognise(heard, source) {
  const { likeness, start } = align(heard, source);
  const pauses = inPauses(heard, source, start);
  return { likeness, pauses, same: likeness > SAME_SPEECH, alone: pauses < PAUSE_DB };
}

function align(heard, source) {
  const a = normalised(heard);
  let best = { likeness: 0, start: 0 };
  if (!a) return best;
  for (let start = 0; start < source.length; start++) {
    const b = normalised(heard.map((_, index) => source[(start + index) % source.length]));
    const likeness = b ? a.reduce((sum, value, index) => sum + value * b[index], 0) : 0;
    if (likeness > best.likeness) best = { likeness, start };
  }
  return best;
}

/** The power heard while `source` pauses, in decibels of that while it speaks. */
function inPauses(heard, source, start) {
  const said = (index) => source[(start + index + source.length) % source.length] > FLOOR_DB;
  const power = { pauses: [], speech: [] };
  heard.forEach((decibels, index) => {
    const around = Array.from({ length: 2 * PAUSE_STEPS + 1 }, (_, offset) => said(index + offset - PAUSE_STEPS));
    if (!around.includes(true)) power.pauses.push(10 ** (decibels / 10));
    if (said(index)) power.speech.push(10 ** (decibels / 10));
  });
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return 10 * Math.log10(mean(power.pauses) / mean(power.speech));
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
