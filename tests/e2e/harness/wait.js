// Waiting, always for something and never for ever.

/** Long enough for a busy 2-core machine, short enough that a hang is noticed. */
export const PATIENCE_MS = 15_000;
const POLL_MS = 50;

/** Resolves with the first truthy value of `condition()`; rejects with `what` after `timeout`. */
export async function until(condition, what, timeout = PATIENCE_MS) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** `promise`, or a rejection with `what` after `timeout`. */
export function within(promise, what, timeout = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeout} ms in vain: ${what}`)), timeout);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
