// Figures and errors in words for the operator. Pure.

import { Refusal, Unreachable } from './operator.js';

/** Why the console cannot be opened. */
export function notLetIn(error) {
  if (error.kind === 'no-token-configured') {
    return { title: 'This server has no token', text: 'Set token in the section [admin] of its configuration and reload it: without one nobody may.' };
  }
  return { title: 'That is not the token of this server', text: 'It is the value of token in the section [admin] of its configuration.' };
}

/** The stream broke. */
export function lost(error, seconds) {
  const when = `Trying again ${seconds > 1 ? `in ${seconds} s` : 'now'}.`;
  if (error instanceof Unreachable) return { title: 'The server does not answer', text: `What you see is what it told last. ${when}` };
  if (error.kind === 'too-many-watchers') return { title: 'Too many watch already', text: `The server tells a limited number of consoles what happens. ${when}` };
  return { title: 'The server said no', text: `${error.message}. ${when}` };
}

/** What was asked for was not done. */
export function failed(what, error) {
  if (error instanceof Unreachable) return { title: `${what}: no answer`, text: 'Whether it was done cannot be said from here.' };
  if (!(error instanceof Refusal)) return { title: `${what}: that did not work`, text: error.message };
  switch (error.kind) {
    case 'no-such-participant':
      return { title: `${what}: nobody there any more`, text: 'They have left in the meantime.' };
    case 'no-such-room':
      return { title: `${what}: no such room`, text: 'It was closed in the meantime.' };
    case 'not-stored':
      return { title: `${what}: done, but not stored`, text: 'It will be undone when the server starts again.' };
    default:
      return { title: `${what}: refused`, text: error.message };
  }
}

export const milliseconds = (value) => (value == null ? '–' : `${Math.round(value)} ms`);

export function percent(share) {
  if (share === undefined) return '–';
  if (share === 0) return '0 %';
  return share < 0.001 ? '< 0.1 %' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

export function bytes(count) {
  if (count == null) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  const value = count / 1024 ** step;
  return `${value.toFixed(value < 10 && step > 0 ? 1 : 0)} ${units[step]}`;
}

export function bitrate(bitsPerSecond) {
  return bitsPerSecond < 1_000 ? `${bitsPerSecond} bit/s` : `${(bitsPerSecond / 1_000).toFixed(bitsPerSecond < 10_000 ? 1 : 0)} kbit/s`;
}

/** "3 d 4 h", "2 h 5 min", "40 s". */
export function span(seconds) {
  const parts = [['d', 86_400], ['h', 3_600], ['min', 60], ['s', 1]];
  const first = parts.findIndex(([, length]) => seconds >= length);
  if (first === -1) return '0 s';
  let rest = seconds;
  const words = parts.slice(first, first + 2).map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest %= length;
    return count > 0 && `${count} ${unit}`;
  });
  return words.filter(Boolean).join(' ');
}

export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

export const people = (number) => count(number, 'person', 'people');
export const rooms = (number) => count(number, 'room', 'rooms');
