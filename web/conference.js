// One visit to one room: joining, staying through lost connections, leaving. Draws nothing: every change is handed
// to `onChange` as a whole state.

import { microphoneAllowedHere, openMicrophone } from './audio.js';
import { Backoff } from './backoff.js';
import { JanusClient, Refusal, Unreachable } from './janus-client.js';
import { Peer } from './peer.js';
import { NOBODY, applyEvent, entered, refreshed } from './roster.js';
import { turnServers } from './turn.js';
import * as words from './words.js';

const PLUGIN = 'janus.plugin.audiobridge';
/** Pauses before attempts to get back to the server; the last one repeats. */
const RETRY_MS = [300, 1_000, 2_000, 4_000];
/** Between two words nobody has stopped speaking. */
const BREATH_MS = 500;
/** The error codes of the Janus core this page acts on. */
const NOT_ACCEPTING_SESSIONS = 472;

/** What `onChange` is given. `phase`: outside, joining, inside or reconnecting. */
const OUTSIDE = Object.freeze({
  phase: 'outside',
  room: null,
  title: '',
  roster: NOBODY,
  muted: false,
  listening: false,
  notice: null,
});

export class Conference {
  #url;
  #onChange;
  #onMicrophone;
  #onSound;
  #microphoneId;
  #state = OUTSIDE;
  #wish = null;
  #microphone = null;
  #client = null;
  /** Asked for with each connection to the server: they are good for a while only. */
  #iceServers = [];
  #peer = null;
  /** Rises with every join and leave, so that what an earlier visit still awaits can tell that it is over. */
  #visit = 0;
  #mutedByHost = false;
  #breaths = new Map();
  #backoff = new Backoff(RETRY_MS);

  /**
   * `url(room)` is where the API is for those who want that room: it names the room, so that a balancer can keep them together.
   * `microphoneId()` is the one to use. `onMicrophone(track)` and `onSound(stream)` get what there is to measure and to play; null when
   * it is gone.
   */
  constructor({ url, microphoneId, onChange, onMicrophone, onSound }) {
    this.#url = url;
    this.#microphoneId = microphoneId;
    this.#onChange = onChange;
    this.#onMicrophone = onMicrophone;
    this.#onSound = onSound;
  }

  get state() {
    return this.#state;
  }

  /** Joins `room`; `listen` is without a microphone. What fails ends up in the state's notice. */
  async join({ name, room, pin, listen }) {
    const visit = ++this.#visit;
    this.#wish = { display: name, room, pin: pin || undefined };
    this.#change({ ...OUTSIDE, phase: 'joining', room, listening: listen });
    try {
      if (!listen && !(await this.#takeMicrophone())) return;
      if (visit !== this.#visit) return;
      await this.#connect(visit, {});
      await this.#enter(visit);
    } catch (error) {
      if (visit === this.#visit) this.#end(words.joinFailed(error, this.#wish));
    }
  }

  leave() {
    this.#end(null);
  }

  /**
   * Opens the microphone before a call, or another one before or in it; resolves with a notice if that does not work, and
   * what was there before stays.
   */
  async useMicrophone(id) {
    if (this.#state.listening) return null;
    if (!microphoneAllowedHere()) return words.microphoneForbiddenHere(location.origin);
    const visit = this.#visit;
    try {
      const microphone = await openMicrophone(id);
      if (visit !== this.#visit) microphone.stop();
      else await this.#exchange(microphone);
      return null;
    } catch (error) {
      return words.microphoneFailed(error);
    }
  }

  /** Lets go of a microphone that was opened before a call, unless one has begun. */
  releaseMicrophone() {
    if (this.#state.phase === 'outside') this.#dropMicrophone();
  }

  setMuted(muted) {
    if (this.#state.phase === 'outside' || this.#state.listening) return;
    this.#mutedByHost = false;
    this.#setMuted(muted);
    this.#change({ notice: this.#state.notice?.action ? this.#state.notice : null });
    this.#configure({ muted });
  }

  /** Does at once what is waiting for its next attempt. */
  hurry() {
    this.#backoff.hurry();
  }

  async #takeMicrophone() {
    const visit = this.#visit;
    if (!microphoneAllowedHere()) {
      this.#end(words.microphoneForbiddenHere(location.origin));
      return false;
    }
    try {
      const microphone = this.#microphone ?? (await openMicrophone(this.#microphoneId()));
      if (visit !== this.#visit) {
        microphone.stop();
        return false;
      }
      await this.#exchange(microphone);
      return true;
    } catch (error) {
      if (visit === this.#visit) this.#end(words.microphoneFailed(error));
      return false;
    }
  }

  /** Another microphone takes the place of what is there, as loud or mute as that was. */
  async #exchange(microphone) {
    const before = this.#microphone;
    microphone.enabled = !this.#state.muted;
    microphone.onended = () => this.#microphone === microphone && this.#replaceLost();
    this.#microphone = microphone;
    this.#onMicrophone(microphone);
    await this.#peer?.replaceMicrophone(microphone);
    if (before && before !== microphone) before.stop();
  }

  /** The microphone was unplugged, or the permission for it taken back. */
  async #replaceLost() {
    if (this.#state.phase === 'outside') return this.#dropMicrophone();
    const visit = this.#visit;
    const failure = await this.useMicrophone('');
    if (visit !== this.#visit) return;
    this.#change({ notice: failure ? words.microphoneLost() : words.microphoneReplaced(this.#microphone.label) });
  }

  #dropMicrophone() {
    this.#microphone?.stop();
    this.#microphone = null;
    this.#onMicrophone(null);
  }

  async #connect(visit, identity) {
    const iceServers = turnServers();
    const client = await JanusClient.connect(this.#url(this.#wish.room), {
      identity,
      onEvent: (message) => visit === this.#visit && this.#receive(message),
      onLost: () => visit === this.#visit && this.#client === client && this.#reconnect(client.identity),
    });
    if (visit !== this.#visit) {
      client.close();
      throw new Error('the visit is over');
    }
    this.#client = client;
    this.#iceServers = await iceServers;
  }

  /** A fresh session, and into the room with it. */
  async #enter(visit) {
    const client = this.#client;
    await client.create(PLUGIN);
    const muted = this.#state.muted || this.#state.listening;
    const { data } = await client.message({ request: 'join', ...this.#wish, muted });
    if (visit !== this.#visit) return;
    this.#change({ phase: 'inside', notice: null, roster: entered(data, { display: this.#wish.display, muted }) });
    this.#findTitle(client);
    this.#openPeer(visit);
  }

  async #openPeer(visit) {
    this.#peer?.close();
    this.#peer = new Peer({
      iceServers: this.#iceServers,
      microphone: this.#microphone,
      negotiate: async (offer) => (await this.#client.message({ request: 'configure' }, offer)).jsep,
      trickle: (candidate) => this.#client.trickle(candidate),
      onSound: this.#onSound,
      onBroken: () => visit === this.#visit && this.#startOver(),
    });
    try {
      await this.#peer.start();
    } catch (error) {
      // An unreachable server is the business of whoever watches the connection.
      if (visit === this.#visit && !(error instanceof Unreachable)) this.#end(words.joinFailed(error, this.#wish));
    }
  }

  async #findTitle(client) {
    try {
      const { data } = await client.message({ request: 'list' });
      const found = data.list.find(({ room }) => room === this.#wish.room);
      if (client === this.#client) this.#change({ title: found?.description ?? '' });
    } catch {
      // A private room is not listed: its number is title enough.
    }
  }

  #receive(message) {
    switch (message.janus) {
      case 'event':
        this.#receiveEvent(message.plugindata.data);
        break;
      case 'webrtcup':
        this.#changeRoster({ audiobridge: 'event', participants: [{ id: this.#state.roster.me, setup: true }] });
        break;
      case 'hangup':
      case 'timeout':
        this.#startOver();
        break;
    }
  }

  #receiveEvent(data) {
    const { me } = this.#state.roster;
    if (data.audiobridge === 'destroyed') return this.#end(words.roomDestroyed());
    if (data.kicked === me || data.kicked_all === me) return this.#end(words.kicked());
    if (data.audiobridge === 'event' && typeof data.muted === 'boolean') {
      this.#change({ notice: data.muted ? words.roomMuted() : null });
    }
    if (data.audiobridge === 'stopped-talking') return this.#takeBreath(data);
    if (data.audiobridge === 'talking') clearTimeout(this.#breaths.get(data.id));
    this.#changeRoster(data);
    const mine = data.participants?.find(({ id }) => id === me);
    if (mine && mine.muted !== this.#state.muted) this.#obeyHost(mine.muted);
  }

  #takeBreath(stopped) {
    clearTimeout(this.#breaths.get(stopped.id));
    this.#breaths.set(stopped.id, setTimeout(() => this.#changeRoster(stopped), BREATH_MS));
  }

  /** Somebody else changed whether we are heard. They may silence us; only who did may undo it. */
  #obeyHost(muted) {
    if (muted || this.#mutedByHost) {
      this.#mutedByHost = muted;
      this.#setMuted(muted);
      this.#change({ notice: muted ? words.mutedByHost() : null });
    } else {
      this.#configure({ muted: this.#state.muted });
    }
  }

  #setMuted(muted) {
    if (this.#microphone) this.#microphone.enabled = !muted;
    this.#change({ muted });
    this.#changeRoster({ audiobridge: 'event', participants: [{ id: this.#state.roster.me, muted }] });
  }

  #configure(settings) {
    this.#client?.message({ request: 'configure', ...settings }).catch(() => {
      // Lost with the connection: getting back to the server says it again.
    });
  }

  /** The server answers but the session or its audio is gone: joins again. */
  #startOver() {
    if (this.#state.phase !== 'inside') return;
    if (!this.#peer.wasConnected) {
      // It would fail again, and everybody in the room would see us come and go.
      this.#end(words.noAudioPath());
      return;
    }
    this.#client.close();
    this.#reconnect({});
  }

  /** Gets back to the server: claims the session where it still exists, joins again where it does not. */
  async #reconnect(identity) {
    if (this.#state.phase !== 'inside') return;
    const visit = this.#visit;
    this.#change({ phase: 'reconnecting', notice: words.reconnecting() });
    this.#backoff.reset();
    while (visit === this.#visit) {
      await this.#backoff.pause();
      if (visit !== this.#visit) return;
      try {
        await this.#connect(visit, identity);
        if (!(identity.session && (await this.#claim(visit)))) await this.#enter(visit);
        return;
      } catch (error) {
        if (visit !== this.#visit) return;
        this.#client.close();
        if (error instanceof Refusal && error.code !== NOT_ACCEPTING_SESSIONS) {
          this.#end(words.joinFailed(error, this.#wish));
          return;
        }
      }
    }
  }

  /** True if the session is ours again, with ourselves still in the room and the audio still there. */
  async #claim(visit) {
    try {
      await this.#client.claim();
      const { data } = await this.#client.message({ request: 'listparticipants', room: this.#wish.room });
      const stillInside = data.participants.some(({ id }) => id === this.#state.roster.me);
      if (!stillInside || this.#peer.isClosed) {
        this.#client.abandon();
        return false;
      }
      if (visit !== this.#visit) return true;
      this.#change({ phase: 'inside', notice: null, roster: refreshed(this.#state.roster, data.participants) });
      this.#configure({ muted: this.#state.muted || this.#state.listening });
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  #end(notice) {
    this.#visit++;
    this.#backoff.hurry();
    this.#breaths.forEach((timer) => clearTimeout(timer));
    this.#breaths.clear();
    this.#client?.close();
    this.#peer?.close();
    this.#client = this.#peer = null;
    this.#mutedByHost = false;
    // With a PIN to correct the next attempt is seconds away, and Firefox would ask for the microphone again.
    if (!notice?.field) this.#dropMicrophone();
    this.#onSound(null);
    this.#change({ ...OUTSIDE, room: this.#state.room, notice });
  }

  #changeRoster(data) {
    this.#change({ roster: applyEvent(this.#state.roster, data) });
  }

  #change(change) {
    this.#state = { ...this.#state, ...change };
    this.#onChange(this.#state);
  }
}
