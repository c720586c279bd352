// The bare Janus API from Node, over HTTP: what a test wants done without a browser, and what no client would send.

import { randomUUID } from 'node:crypto';

const PLUGIN = 'janus.plugin.audiobridge';

export class Api {
  /** A session with a handle on the AudioBridge. */
  static async open(url) {
    const api = new Api();
    api.url = url;
    api.session = (await api.post('', { janus: 'create' })).data.id;
    api.handle = (await api.post(`/${api.session}`, { janus: 'attach', plugin: PLUGIN })).data.id;
    return api;
  }

  /** Posts a Janus request to a path below the base, and resolves with the reply. */
  async post(path, message) {
    return (await this.raw(path, JSON.stringify({ transaction: randomUUID(), ...message }))).body;
  }

  /** Posts any text; `body` of the answer is JSON if it parses. */
  async raw(path, text, method = 'POST') {
    const response = await fetch(this.url + path, { method, body: text, signal: AbortSignal.timeout(12_000) });
    const answer = await response.text();
    let body = answer;
    try {
      body = JSON.parse(answer);
    } catch {
      // Not every answer is JSON: an unknown path has none.
    }
    return { status: response.status, body };
  }

  /** A request to the plugin: its data if it answers at once, or the event that follows the ack. */
  async message(body, jsep) {
    const transaction = randomUUID();
    const reply = await this.post(`/${this.session}/${this.handle}`, { janus: 'message', transaction, body, jsep });
    if (reply.janus !== 'ack') return reply.plugindata?.data ?? reply;
    for (let poll = 0; poll < 20; poll++) {
      const events = await this.poll();
      const event = events.find((candidate) => candidate.transaction === transaction);
      if (event) return event.plugindata.data;
    }
    throw new Error(`no event for ${JSON.stringify(body)}`);
  }

  async poll() {
    const response = await fetch(`${this.url}/${this.session}?maxev=100`, { signal: AbortSignal.timeout(35_000) });
    return response.json();
  }

  close() {
    return this.post(`/${this.session}`, { janus: 'destroy' });
  }
}

let nextRoom = 5000;

/** A new room for one test. */
export async function createRoom(server, properties = {}) {
  const api = await Api.open(server.httpUrl);
  const room = nextRoom++;
  const reply = await api.message({
    request: 'create', room, description: `Room ${room}`, sampling_rate: 48000, audiolevel_event: true, audio_active_packets: 25, audio_level_average: 60, ...properties,
  });
  await api.close();
  if (reply.audiobridge !== 'created') throw new Error(`room ${room}: ${JSON.stringify(reply)}`);
  return room;
}
