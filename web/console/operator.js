// The REST API as the console uses it. Keeps the token to itself; draws nothing.

import { readEvents } from './event-stream.js';

const BASE = '../v1';
/** A server answers at once or not at all. */
const REPLY_TIMEOUT_MS = 10_000;
/** A stream says at least every five seconds that it lives. */
const SILENCE_MS = 16_000;

/** The server answered and said no: `kind` is the last part of its problem type (RFC 9457), or the status. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
    this.name = 'Refusal';
    this.status = status;
    this.kind = problem.type?.split(':').at(-1) ?? String(status);
  }
}

/** The server did not answer, or the connection is gone. */
export class Unreachable extends Error {
  constructor() {
    super('no answer');
    this.name = 'Unreachable';
  }
}

export class Operator {
  #token;

  constructor(token) {
    this.#token = token;
  }

  muteRoom = (room, muted) => this.#request('PATCH', roomPath(room), { muted });
  destroyRoom = (room, permanent) => this.#request('DELETE', `${roomPath(room)}${permanent ? '?permanent=true' : ''}`);
  mute = (room, participant, muted) => this.#request('PATCH', participantPath(room, participant), { muted });
  kick = (room, participant) => this.#request('DELETE', participantPath(room, participant));
  drain = () => this.#request('PUT', '/drain', {});
  undoDrain = () => this.#request('DELETE', '/drain');

  watchServer = (options) => this.#watch('/events', options);
  watchRoom = (room, options) => this.#watch(`${roomPath(room)}/events`, options);

  async #request(method, path, body) {
    const signal = AbortSignal.timeout(REPLY_TIMEOUT_MS);
    const response = await this.#fetch(path, { method, body: body && JSON.stringify(body), signal });
    await response.arrayBuffer().catch(() => {
      // What matters is that it was done.
    });
  }

  /** Hands every event to `onEvent` until the stream ends; rejects with why it did. */
  async #watch(path, { onEvent, signal }) {
    const silence = new AbortController();
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const response = await this.#fetch(path, { signal: AbortSignal.any([signal, silence.signal]) });
      for await (const event of readEvents(response.body)) {
        heard();
        if (signal.aborted) return;
        if (event) onEvent(event);
      }
      throw new Unreachable();
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof Refusal ? error : new Unreachable();
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(path, options) {
    let response;
    try {
      response = await fetch(BASE + path, {
        ...options,
        headers: { authorization: `Bearer ${this.#token}`, ...(options.body && { 'content-type': 'application/json' }) },
        cache: 'no-store',
        credentials: 'omit',
      });
    } catch {
      throw new Unreachable();
    }
    if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => ({})));
    return response;
  }
}

function roomPath(room) {
  return `/rooms/${encodeURIComponent(room)}`;
}

function participantPath(room, participant) {
  return `${roomPath(room)}/participants/${encodeURIComponent(participant)}`;
}
