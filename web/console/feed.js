// One stream that is kept open: what comes is handed on, what breaks is opened again. Decides nothing but when.

import { Refusal } from './operator.js';

/** Pauses before attempts to get back; the last one repeats. */
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
/** What another attempt does not mend. */
const FINAL = new Set(['unauthorized', 'no-token-configured', 'no-such-room', 'invalid-field']);

export class Feed {
  #stop = new AbortController();
  #hurry = () => {};

  /** `watch({ onEvent, signal })` opens it; `onLost(error, milliseconds)` says that it broke, `onRefused(error)` that it ended. */
  constructor({ watch, onEvent, onLost, onRefused }) {
    this.#run(watch, onEvent, onLost, onRefused);
  }

  /** Tries now what is waiting for its next attempt. */
  hurry() {
    this.#hurry();
  }

  close() {
    this.#stop.abort();
    this.#hurry();
  }

  async #run(watch, onEvent, onLost, onRefused) {
    const { signal } = this.#stop;
    let attempt = 0;
    while (!signal.aborted) {
      try {
        await watch({
          signal,
          onEvent: (event) => {
            attempt = 0;
            onEvent(event);
          },
        });
      } catch (error) {
        if (error instanceof Refusal && FINAL.has(error.kind)) return onRefused(error);
        const pause = RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)];
        onLost(error, pause);
        await this.#pause(pause);
      }
    }
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
