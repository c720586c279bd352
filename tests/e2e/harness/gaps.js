// Gaps in a tone that was watched.

/** A busy browser drops up to 40 ms of an oscillator of its own, with no server in sight. */
export const LONGEST_GAP_MS = 80;
/** One value of a watch covers so much time. */
const STEP_MS = 10;
/** So far below its usual level a tone is missing. */
const MISSING_DB = 12;

/** The longest time the tone was missing, in milliseconds; `series` is what the browser's ear measured. */
export function longestGap(series) {
  if (series.length < 10) throw new Error(`a watch of ${series.length} values says nothing`);
  const usual = [...series].sort((a, b) => a - b)[series.length >> 1];
  let longest = 0;
  let run = 0;
  for (const decibels of series) {
    run = decibels < usual - MISSING_DB ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest * STEP_MS;
}
