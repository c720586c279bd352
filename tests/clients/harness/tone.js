// Tones as files, for microphones.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../target/e2e-speech/', import.meta.url));
const RATE = 48_000;
/** Of full scale, as an oscillator of the other clients. */
const AMPLITUDE = 0.2;

/** A WAV file of one second of a tone: a whole number of periods, so that it can be played over and over. */
export function toneFile(frequency) {
  const bytes = Buffer.alloc(44 + 2 * RATE);
  bytes.write('RIFF');
  bytes.writeUInt32LE(36 + 2 * RATE, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(2 * RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * RATE, 40);
  for (let index = 0; index < RATE; index++) {
    bytes.writeInt16LE(Math.round(AMPLITUDE * 32767 * Math.sin((2 * Math.PI * frequency * index) / RATE)), 44 + 2 * index);
  }
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}tone-${frequency}.wav`;
  writeFileSync(path, bytes);
  return path;
}
