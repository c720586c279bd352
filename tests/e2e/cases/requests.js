// Every AudioBridge request with the types of its fields, and what is of another type. Data only.

/** The fields of each request: `int` may not be negative. `id` and `room` are ints here (`string_ids` is off). */
export const REQUESTS = {
  create: {
    room: 'int', description: 'string', secret: 'string', pin: 'string', is_private: 'bool', allowed: 'array', sampling_rate: 'int', sampling: 'int',
    spatial_audio: 'bool', audiolevel_ext: 'bool', audiolevel_event: 'bool', audio_active_packets: 'int', audio_level_average: 'int',
    default_expectedloss: 'int', default_bitrate: 'int', denoise: 'bool', record: 'bool', record_file: 'string', record_dir: 'string',
    mjrs: 'bool', mjrs_dir: 'string', allow_rtp_participants: 'bool', groups: 'array', signed_tokens: 'bool', permanent: 'bool',
  },
  edit: {
    room: 'int', secret: 'string', new_description: 'string', new_secret: 'string', new_pin: 'string', new_is_private: 'bool',
    new_record_dir: 'string', new_mjrs_dir: 'string', permanent: 'bool',
  },
  destroy: { room: 'int', secret: 'string', permanent: 'bool' },
  exists: { room: 'int' },
  allowed: { room: 'int', secret: 'string', action: 'string', allowed: 'array' },
  mute: { room: 'int', id: 'int', secret: 'string' },
  unmute: { room: 'int', id: 'int', secret: 'string' },
  mute_room: { room: 'int', secret: 'string' },
  unmute_room: { room: 'int', secret: 'string' },
  kick: { room: 'int', id: 'int', secret: 'string' },
  kick_all: { room: 'int', secret: 'string' },
  listparticipants: { room: 'int' },
  join: {
    room: 'int', id: 'int', display: 'string', token: 'string', pin: 'string', group: 'string', muted: 'bool', suspended: 'bool',
    pause_events: 'bool', codec: 'string', bitrate: 'int', quality: 'int', expected_loss: 'int', volume: 'int', spatial_position: 'int',
    audio_level_average: 'int', audio_active_packets: 'int', denoise: 'bool', record: 'bool', filename: 'string', generate_offer: 'bool',
    rtp: 'object', secret: 'string',
  },
};

/** The fields of requests that only somebody in a room may make. */
export const REQUESTS_INSIDE = {
  configure: {
    muted: 'bool', display: 'string', bitrate: 'int', quality: 'int', expected_loss: 'int', volume: 'int', spatial_position: 'int',
    denoise: 'bool', record: 'bool', filename: 'string', group: 'string', generate_offer: 'bool', update: 'bool', rtp: 'object',
  },
  changeroom: {
    room: 'int', display: 'string', token: 'string', pin: 'string', group: 'string', muted: 'bool', quality: 'int', bitrate: 'int',
    expected_loss: 'int', volume: 'int', spatial_position: 'int', denoise: 'bool', secret: 'string',
  },
};

/** What is not of a type. */
export const WRONG = {
  bool: [1, 'true', null, [], {}],
  int: ['1', 1.5, -1, true, null, [], {}],
  string: [1, true, null, [], {}],
  array: ['x', 1, true, null, {}],
  object: ['x', 1, true, null, []],
};

/** Texts that are no JSON document; the parser of Janus takes nothing but objects and arrays for one. */
export const NOT_JSON = ['{', '}', '', ' ', '{"janus":"create","transaction":"t"', "{'janus':'create'}", '{"janus":create}', '{"a":1}}', '\u0000', '{"janus":"\\ud800"', '[1,', 'NaN', '{"n":1e999999}', '1', '"create"', 'null', 'true'];

/** JSON documents that are no request. */
export const NOT_OBJECTS = ['[]', '[1]', '[{"janus":"create","transaction":"t"}]'];

/** Requests of the core with a fault: [path below the base, message, code]. S and H are a live session and handle. */
export const CORE_FAULTS = (S, H) => [
  ['', { janus: 'create', transaction: undefined }, 456],
  ['', { janus: 'create', transaction: 1 }, 467],
  ['', { janus: 'create', transaction: null }, 467],
  ['', { transaction: 't' }, 456],
  ['', { janus: 1, transaction: 't' }, 467],
  ['', { janus: ['create'] }, 467],
  ['', { janus: 'create', id: 'x' }, 467],
  ['', { janus: 'create', id: -1 }, 467],
  ['', { janus: 'attach', plugin: 'janus.plugin.audiobridge' }, 457],
  ['', { janus: 'nonsense' }, 457],
  ['/1', { janus: 'keepalive' }, 458],
  ['/abc', { janus: 'keepalive' }, 457],
  [`/${S}`, { janus: 'nonsense' }, 453],
  [`/${S}`, { janus: 'attach' }, 456],
  [`/${S}`, { janus: 'attach', plugin: 1 }, 467],
  [`/${S}`, { janus: 'attach', plugin: 'janus.plugin.nonsense' }, 460],
  [`/${S}`, { janus: 'attach', plugin: 'janus.plugin.audiobridge', opaque_id: 1 }, 467],
  [`/${S}`, { janus: 'message', body: {} }, 457],
  [`/${S}/1`, { janus: 'message', body: {} }, 459],
  [`/${S}/${H}`, { janus: 'message' }, 456],
  ...['x', 1, null, true, []].map((body) => [`/${S}/${H}`, { janus: 'message', body }, 467]),
  ...['x', 1, null, true, []].map((jsep) => [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep }, 455]),
  [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep: {} }, 456],
  [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep: { type: 'offer' } }, 456],
  [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep: { type: 1, sdp: 'v=0' } }, 467],
  [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep: { type: 'offer', sdp: 1 } }, 467],
  [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep: { type: 'pranswer', sdp: 'v=0' } }, 464],
  [`/${S}/${H}`, { janus: 'message', body: { request: 'configure' }, jsep: { type: 'offer', sdp: 'v=0', trickle: 1 } }, 467],
  [`/${S}/${H}`, { janus: 'trickle' }, 456],
  [`/${S}/${H}`, { janus: 'trickle', candidate: {}, candidates: [] }, 454],
];

/** Faults that make an offer unusable: [what, (offer) => broken]. */
export const SDP_FAULTS = [
  ['nothing', () => ''],
  ['prose', () => 'to be or not to be'],
  ['no v=', (sdp) => sdp.replace(/^v=0\r\n/, '')],
  ['no o=', (sdp) => sdp.replace(/^o=.*\r\n/m, '')],
  ['no media', (sdp) => sdp.replace(/m=[^]*/, '')],
  ['a line of one letter', (sdp) => sdp.replace('a=mid', 'a\r\na=mid')],
  ['an m= line without a port', (sdp) => sdp.replace(/^m=audio \d+/m, 'm=audio')],
  ['no ufrag', (sdp) => sdp.replace(/^a=ice-ufrag.*\r\n/gm, '')],
  ['no pwd', (sdp) => sdp.replace(/^a=ice-pwd.*\r\n/gm, '')],
  ['no fingerprint', (sdp) => sdp.replace(/^a=fingerprint.*\r\n/gm, '')],
  ['half an offer', (sdp) => sdp.slice(0, sdp.indexOf('a=ice-ufrag') + 5)],
];
