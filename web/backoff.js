// The pauses between attempts to get back to a server. Knows nothing of what is attempted.

export class Backoff {
  #pauses;
  #attempts = 0;
  #hurry = () => {};

  /** `pauses` in milliseconds; the last one repeats. */
  constructor(pauses) {
    this.#pauses = pauses;
  }

  /** How long the next pause is, in milliseconds. */
  get next() {
    return this.#pauses[Math.min(this.#attempts, this.#pauses.length - 1)];
  }

  /** Resolves after the next pause, or when hurried. */
  pause() {
    const milliseconds = this.next;
    this.#attempts += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the pause that is. */
  hurry() {
    this.#hurry();
  }

  /** What comes next is a first attempt again. */
  reset() {
    this.#attempts = 0;
  }
}
