// One stream that is kept open: what comes is handed on, what breaks is opened again. Decides nothing but when.

import { Backoff } from '../backoff.js';
import { Refusal } from './operator.js';

/** Pauses before attempts to get back; the last one repeats. */
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
/** What another attempt does not mend. */
const FINAL = new Set(['unauthorized', 'no-token-configured', 'no-such-room', 'invalid-field']);

export class Feed {
  #stop = new AbortController();
  #backoff = new Backoff(RETRY_MS);

  /** `watch({ onEvent, signal })` opens it; `onLost(error, milliseconds)` says that it broke, `onRefused(error)` that it ended. */
  constructor({ watch, onEvent, onLost, onRefused }) {
    this.#run(watch, onEvent, onLost, onRefused);
  }

  /** Tries now what is waiting for its next attempt. */
  hurry() {
    this.#backoff.hurry();
  }

  close() {
    this.#stop.abort();
    this.#backoff.hurry();
  }

  async #run(watch, onEvent, onLost, onRefused) {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await watch({
          signal,
          onEvent: (event) => {
            this.#backoff.reset();
            onEvent(event);
          },
        });
      } catch (error) {
        if (error instanceof Refusal && FINAL.has(error.kind)) return onRefused(error);
        onLost(error, this.#backoff.next);
        await this.#backoff.pause();
      }
    }
  }
}
