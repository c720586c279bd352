// The Janus API over one WebSocket: requests that settle, events that are handed on, a session that can be claimed.
// Knows nothing of rooms, audio or the page.

/** A server answers at once or not at all; Janus itself gives up a request after this time. */
const REPLY_TIMEOUT_MS = 10_000;
/** A session ends after 60 s of silence; this leaves room for one keepalive to get lost. */
const KEEPALIVE_MS = 25_000;
/** A server that is down refuses at once; one behind a broken network says nothing. */
const CONNECT_TIMEOUT_MS = 8_000;

/** The server understood and said no; `code` is of the core's or of the plugin's error table. */
export class Refusal extends Error {
  constructor(code, reason) {
    super(reason);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** The server did not answer, or the connection is gone. */
export class Unreachable extends Error {
  constructor(reason) {
    super(reason);
    this.name = 'Unreachable';
  }
}

/** One session with one handle. `onEvent(message)` gets what the server says unasked, `onLost()` the end of the connection. */
export class JanusClient {
  #socket;
  #pending = new Map();
  #keepalive;
  #session;
  #handle;

  /** Connects; `identity` is what another client's `identity` was, for `claim`. */
  static async connect(url, { identity = {}, onEvent, onLost }) {
    const client = new JanusClient();
    client.#session = identity.session;
    client.#handle = identity.handle;
    client.#socket = await openSocket(url);
    client.#socket.onmessage = ({ data }) => client.#receive(JSON.parse(data), onEvent);
    client.#socket.onclose = () => {
      client.#release();
      onLost();
    };
    client.#keepalive = setInterval(() => client.#keepAlive(), KEEPALIVE_MS);
    return client;
  }

  /** What a later connection needs to take this session over. */
  get identity() {
    return { session: this.#session, handle: this.#handle };
  }

  /** A new session with a handle on `plugin`. */
  async create(plugin) {
    this.#session = this.#handle = undefined;
    this.#session = (await this.#request({ janus: 'create' })).data.id;
    this.#handle = (await this.#request({ janus: 'attach', plugin })).data.id;
  }

  /** Takes over the session this client was made with; refused if the server has forgotten it. */
  async claim() {
    await this.#request({ janus: 'claim', session_id: this.#session, handle_id: undefined });
  }

  /** A request to the plugin: resolves with the plugin's data, and its jsep if it sent one. */
  async message(body, jsep) {
    const reply = await this.#request({ janus: 'message', body, jsep }, { untilEvent: true });
    const data = reply.plugindata?.data ?? {};
    if (data.error_code) throw new Refusal(data.error_code, data.error);
    return { data, jsep: reply.jsep };
  }

  /** A candidate of ours; null is the end of them. */
  trickle(candidate) {
    this.#request({ janus: 'trickle', candidate: candidate ?? { completed: true } }).catch(() => {
      // A candidate that got lost is found again by the connectivity checks.
    });
  }

  /** Ends the session but keeps the connection. */
  abandon() {
    if (this.#session) this.#send({ janus: 'destroy', session_id: this.#session, transaction: transaction() });
    this.#session = this.#handle = undefined;
  }

  /** Ends the session and the connection. Waits for nothing: the page may be on its way out. */
  close() {
    this.#socket.onclose = null;
    this.abandon();
    this.#socket.close();
    this.#release();
  }

  #request(message, { untilEvent = false } = {}) {
    const request = { session_id: this.#session, handle_id: this.#handle, ...message, transaction: transaction() };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(request.transaction);
        reject(new Unreachable(`no reply to ${message.janus}`));
      }, REPLY_TIMEOUT_MS);
      this.#pending.set(request.transaction, { resolve, reject, timer, untilEvent });
      this.#send(request);
    });
  }

  #send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message, onEvent) {
    const request = this.#pending.get(message.transaction);
    if (!request) {
      onEvent(message);
      return;
    }
    // An ack promises an event with the same transaction.
    if (message.janus === 'ack' && request.untilEvent) return;
    this.#pending.delete(message.transaction);
    clearTimeout(request.timer);
    if (message.janus === 'error') request.reject(new Refusal(message.error.code, message.error.reason));
    else request.resolve(message);
  }

  #keepAlive() {
    if (!this.#session) return;
    // A socket can look open for minutes after the network went away: silence is what tells.
    this.#request({ janus: 'keepalive', handle_id: undefined }).catch((error) => {
      if (error instanceof Unreachable && this.#socket.readyState === WebSocket.OPEN) this.#socket.close();
    });
  }

  #release() {
    clearInterval(this.#keepalive);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new Unreachable('connection lost'));
    }
    this.#pending.clear();
  }
}

function openSocket(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'janus-protocol');
    const fail = () => {
      clearTimeout(timer);
      socket.onopen = socket.onclose = null;
      socket.close();
      reject(new Unreachable('no connection'));
    };
    const timer = setTimeout(fail, CONNECT_TIMEOUT_MS);
    socket.onclose = fail;
    socket.onopen = () => {
      clearTimeout(timer);
      resolve(socket);
    };
  });
}

function transaction() {
  return Math.random().toString(36).slice(2, 14);
}
