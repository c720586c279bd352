// Runs in the browser: participants of a conference on the official janus.js, each with a tone of its own for a voice.

import Janus from '/janus/janus.es.js';
import { listenTo } from '/client/ear.js';

/** Where no track has come yet. */
const NOTHING_DB = -200;

const PLUGIN = 'janus.plugin.audiobridge';
const sockets = new Map();

const context = new AudioContext();
await new Promise((resolve) => {
  const dependencies = Janus.useDefaultDependencies({ adapter: window.adapter, WebSocket: RememberedSocket });
  Janus.init({ debug: false, dependencies, callback: resolve });
});

class Participant {
  events = [];
  hangups = [];
  errors = [];

  static async create({ name, server, frequency, udp = true, iceServers = [], iceTransportPolicy }) {
    const participant = new Participant();
    participant.name = name;
    participant.udp = udp;
    participant.voice = makeVoice(frequency);
    participant.janus = await new Promise((resolve, reject) => {
      const janus = new Janus({
        server,
        iceServers,
        iceTransportPolicy,
        success: () => resolve(janus),
        error: (error) => {
          participant.errors.push(String(error));
          reject(new Error(error));
        },
      });
    });
    participant.socket = sockets.get('latest');
    participant.handle = await new Promise((success, error) => {
      participant.janus.attach({
        plugin: PLUGIN,
        success,
        error,
        onmessage: (data, jsep) => participant.#receive(data, jsep),
        onremotetrack: (track, mid, on) => on && participant.#hear(track),
        webrtcState: (up, reason) => participant.hangups.push(...(up ? [] : [reason])),
        ondetached: () => participant.events.push({ detached: true }),
        oncleanup: () => {},
      });
    });
    return participant;
  }

  /** Joins with an offer, or the answer to the server's, and resolves with the `joined` event when audio can flow. */
  async join(body) {
    const joined = this.#next(({ audiobridge, id }) => audiobridge === 'joined' && id !== undefined);
    this.handle.send({ message: { request: 'join', display: this.name, ...body } });
    const { id, participants } = await joined;
    this.id = id;
    const tracks = [{ type: 'audio', capture: this.#track(), recv: true }];
    await (body.generate_offer ? this.#answer({ tracks }) : this.negotiate({ tracks }));
    await this.#connected();
    return { id, participants };
  }

  /** An offer and its answer; resolves with the answer's text. */
  async negotiate(options) {
    const offer = await new Promise((success, error) => this.handle.createOffer({ ...options, success, error }));
    const answered = this.#next((data, jsep) => jsep !== undefined);
    this.handle.send({ message: { request: 'configure' }, jsep: offer });
    await answered;
    return this.remoteSdp();
  }

  /** Has the server make another offer, and answers it. */
  async renew() {
    const offered = this.#next((data, jsep) => jsep !== undefined);
    this.handle.send({ message: { request: 'configure', update: true } });
    await offered;
    await this.#answer({});
  }

  /** A message to the plugin; resolves with the reply's data, or with nothing when it is acknowledged. */
  send(body) {
    return new Promise((success, error) => {
      this.handle.send({ message: body, success, error: (reason) => error(new Error(reason)) });
    });
  }

  /** Speaks at another frequency from now on, through a new track. */
  async replaceVoice(frequency) {
    this.voice = makeVoice(frequency);
    await new Promise((success, error) => {
      this.handle.replaceTracks({ tracks: [{ type: 'audio', mid: '0', capture: this.#track() }], success, error });
    });
  }

  addVideo() {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 16, 16);
    const [track] = canvas.captureStream(5).getTracks();
    return this.negotiate({ tracks: [{ type: 'video', capture: track, recv: false, add: true }] });
  }

  /** Cuts the WebSocket as a broken network would. */
  cut() {
    this.socket.close();
  }

  reconnect() {
    return new Promise((success, error) => this.janus.reconnect({ success, error: (reason) => error(new Error(reason)) }));
  }

  /** Decibels of each frequency in what is heard now. */
  levels(frequencies) {
    return this.ear?.levels(frequencies) ?? frequencies.map(() => NOTHING_DB);
  }

  startWatch(frequency) {
    return this.ear.startWatch(frequency);
  }

  heard() {
    return this.ear.heard();
  }

  endWatch() {
    return this.ear.endWatch();
  }

  /** What the browser counted of the audio that came, and when (ms). */
  async received() {
    const stats = await this.handle.webrtcStuff.pc.getStats();
    const { timestamp, packetsReceived, packetsLost } = [...stats.values()].find(({ type }) => type === 'inbound-rtp');
    return { timestamp, packetsReceived, packetsLost };
  }

  /** The pair of candidates that the audio takes: { protocol, local, remote }, the latter two by their type. */
  async path() {
    const stats = await this.handle.webrtcStuff.pc.getStats();
    const { selectedCandidatePairId } = [...stats.values()].find(({ type }) => type === 'transport');
    const pair = stats.get(selectedCandidatePairId);
    const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
    return { protocol: local.protocol, local: local.candidateType, remote: remote.candidateType };
  }

  remoteSdp() {
    return this.handle.webrtcStuff.pc.remoteDescription.sdp;
  }

  ufrag() {
    return /a=ice-ufrag:(\S+)/.exec(this.remoteSdp())[1];
  }

  destroy() {
    return new Promise((success, error) => this.janus.destroy({ success, error }));
  }

  #track() {
    const track = this.voice.stream.getAudioTracks()[0];
    // janus.js stops the tracks it lets go of; this one is the voice.
    track.dontStop = true;
    return track;
  }

  /** Answers the server's last offer. */
  async #answer(options) {
    const answer = await new Promise((success, error) => this.handle.createAnswer({ ...options, jsep: this.offer, success, error }));
    const accepted = this.#next(({ result }) => result === 'ok');
    this.handle.send({ message: { request: 'configure' }, jsep: answer });
    await accepted;
  }

  #receive(data, jsep) {
    this.events.push(data);
    if (jsep?.type === 'offer') this.offer = jsep;
    if (jsep?.type !== 'answer') {
      this.#wake(data, jsep);
      return;
    }
    const usable = this.udp ? jsep : { ...jsep, sdp: withoutUdp(jsep.sdp) };
    this.handle.handleRemoteJsep({ jsep: usable, success: () => this.#wake(data, jsep), error: (error) => this.errors.push(String(error)) });
  }

  #waiting = [];

  #next(matches) {
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  #wake(data, jsep) {
    this.#waiting = this.#waiting.filter(({ matches, resolve }) => {
      if (!matches(data, jsep)) return true;
      resolve(data);
      return false;
    });
  }

  #connected() {
    const { pc } = this.handle.webrtcStuff;
    return new Promise((resolve) => {
      const check = () => pc.connectionState === 'connected' && resolve();
      pc.addEventListener('connectionstatechange', check);
      check();
    });
  }

  async #hear(track) {
    if (track.kind !== 'audio') return;
    this.ear = await listenTo(new MediaStream([track]), context);
  }
}

/** What a client would see of the server if no datagram came through: nothing is sent to a candidate that is not there. */
function withoutUdp(sdp) {
  return sdp.replace(/^a=candidate:\S+ 1 udp .*\r\n/gm, '');
}

/** An oscillator into a stream: loud, but far from clipping with three of them in a mix. */
function makeVoice(frequency) {
  const destination = new MediaStreamAudioDestinationNode(context);
  const oscillator = new OscillatorNode(context, { frequency });
  oscillator.connect(new GainNode(context, { gain: 0.2 })).connect(destination);
  oscillator.start();
  return { stream: destination.stream, oscillator };
}

/** janus.js keeps its socket to itself; `cut` needs it. */
function RememberedSocket(...args) {
  const socket = new WebSocket(...args);
  sockets.set('latest', socket);
  return socket;
}

const participants = new Map();

/** The test's way in: `call(name, method, ...args)`; `create` makes the participant. */
window.call = async (name, method, ...args) => {
  if (method === 'create') {
    participants.set(name, await Participant.create({ name, ...args[0] }));
    return undefined;
  }
  const participant = participants.get(name);
  if (method === 'read') return participant[args[0]];
  return participant[method](...args);
};
window.ready = true;
