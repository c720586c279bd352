// The audio connection to the server: one RTCPeerConnection, offered by us, mended by an ICE restart.
// Knows no room and no signaling: it is given a way to negotiate and a way to trickle.

/** A short loss of the path mends itself; after this time we help. */
const DISCONNECTED_MS = 3_000;
/** An ICE restart takes some 50 ms where the server can be reached at all. */
const RESTART_TIMEOUT_MS = 8_000;

export class Peer {
  #connection;
  #negotiate;
  #onBroken;
  #timer;
  #wasConnected = false;
  #sends;

  /**
   * `iceServers` are for the connection, `microphone` is a MediaStreamTrack, or null to listen only. `negotiate(offer)` resolves with the answer,
   * `trickle(candidate)` sends a candidate on, `onSound(stream)` gets what the room says and `onBroken()` is
   * called once when the connection cannot be mended.
   */
  constructor({ iceServers, microphone, negotiate, trickle, onSound, onBroken }) {
    this.#connection = new RTCPeerConnection({ iceServers });
    this.#negotiate = negotiate;
    this.#onBroken = onBroken;
    this.#connection.onicecandidate = ({ candidate }) => trickle(candidate);
    this.#connection.ontrack = ({ track }) => onSound(new MediaStream([track]));
    this.#connection.onconnectionstatechange = () => this.#watch();
    this.#sends = Boolean(microphone);
    if (microphone) this.#connection.addTransceiver(microphone, { direction: 'sendrecv' });
    else this.#connection.addTransceiver('audio', { direction: 'recvonly' });
  }

  /** Offers and takes the answer. */
  async start({ iceRestart = false } = {}) {
    const connection = this.#connection;
    await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
    const { type, sdp } = connection.localDescription;
    const answer = await this.#negotiate({ type, sdp });
    if (connection.signalingState !== 'closed') await connection.setRemoteDescription(answer);
  }

  /** Sends what another microphone hears; nobody has to be asked. */
  async replaceMicrophone(track) {
    if (this.#sends && !this.isClosed) await this.#connection.getSenders()[0].replaceTrack(track);
  }

  /** Audio has flowed, or could have. */
  get wasConnected() {
    return this.#wasConnected;
  }

  get isClosed() {
    return this.#connection.signalingState === 'closed';
  }

  close() {
    clearTimeout(this.#timer);
    this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  #watch() {
    switch (this.#connection.connectionState) {
      case 'connected':
        this.#wasConnected = true;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        break;
      case 'disconnected':
        this.#timer ??= setTimeout(() => this.#restart(), DISCONNECTED_MS);
        break;
      case 'failed':
        clearTimeout(this.#timer);
        this.#restart();
        break;
    }
  }

  async #restart() {
    this.#timer = setTimeout(() => this.#giveUp(), RESTART_TIMEOUT_MS);
    try {
      await this.start({ iceRestart: true });
    } catch {
      // Without signaling there is no restart; whoever watches the signaling starts over.
    }
  }

  #giveUp() {
    this.close();
    this.#onBroken();
  }
}
