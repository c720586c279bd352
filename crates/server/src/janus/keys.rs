//! Every key of the files of Janus, and what it means here.

/// A `name: { … }` of a file.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) keys: &'static [(&'static str, Meaning)],
}

/// What a key means here.
#[derive(Debug)]
pub(super) enum Meaning {
    /// The same as this key of ours.
    Bool(&'static str),
    Number(&'static str),
    Text(&'static str),
    /// A list of ours with this one text in it.
    One(&'static str),
    /// Who may connect: this key of ours.
    Networks(&'static str),
    /// A list of ours with these texts in it, and one with these pairs of texts.
    Texts(&'static str),
    Pairs(&'static str),
    /// This section of ours is there if it is true.
    Switch(&'static str),
    /// What counts only where this switch, of the same file, is on.
    Where((&'static str, &'static str), &'static Self),
    /// It depends on other keys.
    Together,
    /// Nothing, because of this.
    Nothing(&'static str),
}

use Meaning::{Bool, Networks, Nothing, Number, One, Pairs, Switch, Text, Texts, Together, Where};

pub(super) const UNKNOWN: &str = "neither Janus nor Plenum has such a key";
const ONE_BINARY: &str = "Plenum is one binary: nothing is loaded when it starts";
const STANDARD_ERROR: &str = "logs go to standard error: whatever starts Plenum keeps them";
const LOG_FORMAT: &str = "a log line has one form; log.format makes it text or JSON";
const FOREGROUND: &str = "Plenum runs in the foreground: whatever starts it makes a service of it";
const THREADS: &str = "threads are shared by all: media.net_threads and mixer.mix_threads say how many";
const NO_RECORDING: &str = "nothing is recorded in this version";
const OWN_CERTIFICATE: &str =
    "the certificate for DTLS is made at each start; clients know it by its fingerprint in the answer";
const VIDEO: &str = "it is about video, and here is only audio";
const IPV6: &str = "IPv6 is used where media.address is an IPv6 address";
const NO_GATHERING: &str = "the server's addresses are configured, not asked of STUN or TURN: media.public_ip";
const ICE_LIBRARY: &str = "it is about the ICE library of Janus";
const NO_EVENT_HANDLERS: &str = "what event handlers tell, [[webhooks]] do, also in their format: docs/webhooks.md";
const COMPACT: &str = "JSON is compact unless a key json of ours says otherwise";
const INTERFACE: &str = "a port is bound to an address, not to an interface";
const ONE_ADDRESS: &str = "the port with TLS has the address of the port without";
const HTTP_LIBRARY: &str = "it is about the HTTP library of Janus";
const CIPHERS: &str = "TLS 1.2 and 1.3 with their safe ciphers, always";
const PLAIN_RTP: &str = "participants over plain RTP are not in this version";
const UNIX_WEBSOCKET: &str = "WebSockets over a Unix socket are not in this version";
const ONE_ACL: &str = "all ports of the admin API have one setting: admin.acl_forwarded, from admin_acl_forwarded";

/// The files, in the order in which they are read.
pub(super) const FILES: [(&str, &[Section]); 7] = [
    ("janus.jcfg", JANUS),
    ("janus.plugin.audiobridge.jcfg", AUDIOBRIDGE),
    ("janus.transport.http.jcfg", HTTP),
    ("janus.transport.websockets.jcfg", WEBSOCKETS),
    ("janus.transport.pfunix.jcfg", PFUNIX),
    ("janus.transport.rabbitmq.jcfg", RABBITMQ),
    ("janus.transport.mqtt.jcfg", MQTT),
];

const JANUS: &[Section] = &[
    Section {
        name: "general",
        keys: &[
            ("configs_folder", Nothing("the folder is the one that Plenum is told of")),
            ("plugins_folder", Nothing(ONE_BINARY)),
            ("transports_folder", Nothing(ONE_BINARY)),
            ("events_folder", Nothing(ONE_BINARY)),
            ("loggers_folder", Nothing(ONE_BINARY)),
            ("exit_on_dl_error", Nothing(ONE_BINARY)),
            ("log_to_stdout", Nothing(STANDARD_ERROR)),
            ("log_to_file", Nothing(STANDARD_ERROR)),
            ("log_rotate_sig", Nothing(STANDARD_ERROR)),
            ("debug_level", Together),
            ("debug_timestamps", Nothing(LOG_FORMAT)),
            ("debug_colors", Nothing(LOG_FORMAT)),
            ("debug_locks", Nothing(LOG_FORMAT)),
            ("log_prefix", Nothing(LOG_FORMAT)),
            ("daemonize", Nothing(FOREGROUND)),
            ("pid_file", Nothing(FOREGROUND)),
            ("api_secret", Text("signaling.api_secret")),
            ("token_auth", Bool("signaling.token_auth")),
            ("token_auth_secret", Together),
            ("admin_secret", Text("admin.secret")),
            ("interface", Together),
            ("server_name", Text("signaling.server_name")),
            ("session_timeout", Number("signaling.session_timeout")),
            ("candidates_timeout", Number("signaling.candidates_timeout")),
            ("reclaim_session_timeout", Number("signaling.reclaim_session_timeout")),
            ("opaqueid_in_api", Bool("signaling.opaqueid_in_api")),
            ("hide_dependencies", Bool("signaling.hide_dependencies")),
            ("recordings_tmp_ext", Nothing(NO_RECORDING)),
            ("event_loops", Nothing(THREADS)),
            ("allow_loop_indication", Nothing(THREADS)),
            ("task_pool_size", Nothing(THREADS)),
            ("no_webrtc_encryption", Nothing("media is always encrypted")),
            ("protected_folders", Nothing("clients can't name a place where Plenum would write")),
        ],
    },
    Section {
        name: "certificates",
        keys: &[
            ("cert_pem", Nothing(OWN_CERTIFICATE)),
            ("cert_key", Nothing(OWN_CERTIFICATE)),
            ("cert_pwd", Nothing(OWN_CERTIFICATE)),
            (
                "dtls_accept_selfsigned",
                Nothing("a client's certificate is checked by the fingerprint in its offer, as WebRTC has it"),
            ),
            ("dtls_ciphers", Nothing("AES-GCM wherever the client has it")),
            ("rsa_private_key", Nothing(OWN_CERTIFICATE)),
        ],
    },
    Section {
        name: "media",
        keys: &[
            ("ipv6", Nothing(IPV6)),
            ("ipv6_linklocal", Nothing(IPV6)),
            ("min_nack_queue", Nothing(VIDEO)),
            ("nack_optimizations", Nothing(VIDEO)),
            ("twcc_period", Nothing(VIDEO)),
            ("rtp_port_range", Together),
            ("dtls_mtu", Nothing("the DTLS library finds it")),
            ("dtls_timeout", Nothing("the DTLS library finds it")),
            ("no_media_timer", Number("media.no_media_timeout")),
            ("slowlink_threshold", Number("media.slowlink_threshold")),
            ("dscp", Nothing("packets are not marked in this version")),
        ],
    },
    Section {
        name: "nat",
        keys: &[
            ("stun_server", Nothing(NO_GATHERING)),
            ("stun_port", Nothing(NO_GATHERING)),
            ("turn_server", Nothing(NO_GATHERING)),
            ("turn_port", Nothing(NO_GATHERING)),
            ("turn_type", Nothing(NO_GATHERING)),
            ("turn_user", Nothing(NO_GATHERING)),
            ("turn_pwd", Nothing(NO_GATHERING)),
            ("turn_rest_api", Nothing(NO_GATHERING)),
            ("turn_rest_api_key", Nothing(NO_GATHERING)),
            ("turn_rest_api_method", Nothing(NO_GATHERING)),
            ("turn_rest_api_timeout", Nothing(NO_GATHERING)),
            ("allow_force_relay", Nothing(NO_GATHERING)),
            ("ignore_unreachable_ice_server", Nothing(NO_GATHERING)),
            ("nice_debug", Nothing(ICE_LIBRARY)),
            ("ice_nomination", Nothing(ICE_LIBRARY)),
            ("ice_keepalive_conncheck", Nothing(ICE_LIBRARY)),
            ("ice_consent_freshness", Nothing("whoever vanishes is noticed within 15 s, always")),
            ("hangup_on_failed", Nothing("whoever vanishes is noticed within 15 s, always")),
            ("full_trickle", Bool("media.full_trickle")),
            ("ice_lite", Bool("media.ice_lite")),
            ("ice_tcp", Together),
            ("ignore_mdns", Nothing("names that end in .local are never looked up: clients reach the server without")),
            ("nat_1_1_mapping", Together),
            ("keep_private_host", Nothing("media.public_ip takes the place of the private address")),
            ("ice_enforce_list", Together),
            ("ice_ignore_list", Nothing("all addresses of this machine are told, or the one that media.address names")),
        ],
    },
    Section {
        name: "plugins",
        keys: &[("disable", Nothing("the AudioBridge is what Plenum is for: it is always there"))],
    },
    Section { name: "transports", keys: &[("disable", Together)] },
    Section { name: "loggers", keys: &[("disable", Nothing(STANDARD_ERROR))] },
    Section {
        name: "events",
        keys: &[
            ("broadcast", Nothing(NO_EVENT_HANDLERS)),
            ("combine_media_stats", Nothing(NO_EVENT_HANDLERS)),
            ("disable", Nothing(NO_EVENT_HANDLERS)),
            ("stats_period", Nothing(NO_EVENT_HANDLERS)),
        ],
    },
];

const AUDIOBRIDGE: &[Section] = &[Section {
    name: "general",
    keys: &[
        ("admin_key", Text("signaling.admin_key")),
        ("lock_rtp_forward", Bool("signaling.lock_rtp_forward")),
        ("lock_play_file", Bool("signaling.lock_play_file")),
        ("record_tmp_ext", Nothing(NO_RECORDING)),
        ("events", Nothing(NO_EVENT_HANDLERS)),
        ("string_ids", Bool("signaling.string_ids")),
        ("rtp_port_range", Nothing(PLAIN_RTP)),
        ("local_ip", Nothing(PLAIN_RTP)),
    ],
}];

const HTTP: &[Section] = &[
    Section {
        name: "general",
        keys: &[
            ("events", Nothing(NO_EVENT_HANDLERS)),
            ("json", Nothing(COMPACT)),
            ("base_path", Text("http.base_path")),
            ("http", Bool("http.enabled")),
            ("port", Number("http.port")),
            ("interface", Nothing(INTERFACE)),
            ("ip", Text("http.address")),
            ("https", Bool("http.tls")),
            ("secure_port", Number("http.tls_port")),
            ("secure_interface", Nothing(INTERFACE)),
            ("secure_ip", Nothing(ONE_ADDRESS)),
            ("acl", Networks("http.acl")),
            ("acl_forwarded", Bool("http.acl_forwarded")),
            ("mhd_connection_limit", Number("http.connection_limit")),
            ("mhd_debug", Nothing(HTTP_LIBRARY)),
        ],
    },
    Section {
        name: "admin",
        keys: &[
            ("admin_base_path", Text("admin.base_path")),
            ("admin_http", Together),
            ("admin_port", Number("admin.port")),
            ("admin_interface", Nothing(INTERFACE)),
            ("admin_ip", Together),
            ("admin_https", Bool("admin.tls")),
            ("admin_secure_port", Number("admin.tls_port")),
            ("admin_secure_interface", Nothing(INTERFACE)),
            ("admin_secure_ip", Nothing(ONE_ADDRESS)),
            ("admin_acl", Networks("admin.acl")),
            ("admin_acl_forwarded", Bool("admin.acl_forwarded")),
        ],
    },
    Section {
        name: "cors",
        keys: &[("allow_origin", One("http.allow_origin")), ("enforce_cors", Bool("http.enforce_cors"))],
    },
    CERTIFICATES,
];

const CERTIFICATES: Section = Section {
    name: "certificates",
    keys: &[("cert_pem", Together), ("cert_key", Together), ("cert_pwd", Together), ("ciphers", Nothing(CIPHERS))],
};

const WEBSOCKETS: &[Section] = &[
    Section {
        name: "general",
        keys: &[
            ("events", Nothing(NO_EVENT_HANDLERS)),
            ("json", Nothing(COMPACT)),
            ("pingpong_trigger", Number("websocket.ping_interval")),
            ("pingpong_timeout", Number("websocket.ping_timeout")),
            ("ws", Bool("websocket.enabled")),
            ("ws_port", Number("websocket.port")),
            ("ws_interface", Nothing(INTERFACE)),
            ("ws_ip", Text("websocket.address")),
            ("ws_unix", Nothing(UNIX_WEBSOCKET)),
            ("wss", Bool("websocket.tls")),
            ("wss_port", Number("websocket.tls_port")),
            ("wss_interface", Nothing(INTERFACE)),
            ("wss_ip", Nothing(ONE_ADDRESS)),
            ("wss_unix", Nothing(UNIX_WEBSOCKET)),
            ("ws_logging", Nothing(HTTP_LIBRARY)),
            ("ws_acl", Networks("websocket.acl")),
            ("ws_acl_forwarded", Bool("websocket.acl_forwarded")),
        ],
    },
    Section {
        name: "admin",
        keys: &[
            ("admin_ws", Bool("admin.websocket")),
            ("admin_ws_port", Number("admin.websocket_port")),
            ("admin_ws_interface", Nothing(INTERFACE)),
            ("admin_ws_ip", Nothing("all ports of the admin API have one address: admin.address, from admin_ip")),
            ("admin_ws_unix", Nothing(UNIX_WEBSOCKET)),
            ("admin_wss", Bool("admin.websocket_tls")),
            ("admin_wss_port", Number("admin.websocket_tls_port")),
            ("admin_wss_interface", Nothing(INTERFACE)),
            ("admin_wss_ip", Nothing(ONE_ADDRESS)),
            ("admin_wss_unix", Nothing(UNIX_WEBSOCKET)),
            ("admin_ws_acl", Together),
            ("admin_ws_acl_forwarded", Nothing(ONE_ACL)),
        ],
    },
    Section { name: "cors", keys: &[("allow_origin", Together), ("enforce_cors", Together)] },
    CERTIFICATES,
];

const API: (&str, &str) = ("general", "enabled");
const ADMIN: (&str, &str) = ("admin", "admin_enabled");

const PFUNIX: &[Section] = &[
    Section {
        name: "general",
        keys: &[
            ("enabled", Together),
            ("events", Nothing(NO_EVENT_HANDLERS)),
            ("json", Nothing(COMPACT)),
            ("path", Where(API, &Text("unix.path"))),
            ("type", Where(API, &Text("unix.type"))),
        ],
    },
    Section {
        name: "admin",
        keys: &[
            ("admin_enabled", Together),
            ("admin_path", Where(ADMIN, &Text("unix.admin_path"))),
            ("admin_type", Where(ADMIN, &Text("unix.admin_type"))),
        ],
    },
];

const TLS: (&str, &str) = ("general", "ssl_enabled");

const RABBITMQ: &[Section] = &[
    Section {
        name: "general",
        keys: &[
            ("enabled", Switch("rabbitmq.api")),
            ("events", Nothing(NO_EVENT_HANDLERS)),
            ("json", Nothing(COMPACT)),
            ("host", Text("rabbitmq.host")),
            ("port", Number("rabbitmq.port")),
            ("username", Text("rabbitmq.username")),
            ("password", Text("rabbitmq.password")),
            ("vhost", Text("rabbitmq.vhost")),
            ("heartbeat", Number("rabbitmq.heartbeat")),
            ("janus_exchange", Text("rabbitmq.exchange")),
            ("janus_exchange_type", Text("rabbitmq.exchange_type")),
            ("queue_name", Where(API, &Text("rabbitmq.api.queue_name"))),
            ("to_janus", Where(API, &Text("rabbitmq.api.to_janus"))),
            ("from_janus", Where(API, &Text("rabbitmq.api.from_janus"))),
            ("declare_outgoing_queue", Where(API, &Bool("rabbitmq.api.declare_outgoing_queue"))),
            ("queue_durable", Where(API, &Bool("rabbitmq.api.queue_durable"))),
            ("queue_autodelete", Where(API, &Bool("rabbitmq.api.queue_autodelete"))),
            ("queue_exclusive", Where(API, &Bool("rabbitmq.api.queue_exclusive"))),
            ("ssl_enabled", Switch("rabbitmq.tls")),
            ("ssl_verify_peer", Where(TLS, &Bool("rabbitmq.tls.verify_peer"))),
            ("ssl_verify_hostname", Where(TLS, &Bool("rabbitmq.tls.verify_hostname"))),
            ("ssl_cacert", Where(TLS, &Text("rabbitmq.tls.authorities"))),
            ("ssl_cert", Where(TLS, &Text("rabbitmq.tls.certificate"))),
            ("ssl_key", Where(TLS, &Text("rabbitmq.tls.key"))),
        ],
    },
    Section {
        name: "admin",
        keys: &[
            ("admin_enabled", Switch("rabbitmq.admin")),
            ("queue_name_admin", Where(ADMIN, &Text("rabbitmq.admin.queue_name"))),
            ("to_janus_admin", Where(ADMIN, &Text("rabbitmq.admin.to_janus"))),
            ("from_janus_admin", Where(ADMIN, &Text("rabbitmq.admin.from_janus"))),
            ("declare_outgoing_queue_admin", Where(ADMIN, &Bool("rabbitmq.admin.declare_outgoing_queue"))),
            ("queue_durable_admin", Where(ADMIN, &Bool("rabbitmq.admin.queue_durable"))),
            ("queue_autodelete_admin", Where(ADMIN, &Bool("rabbitmq.admin.queue_autodelete"))),
            ("queue_exclusive_admin", Where(ADMIN, &Bool("rabbitmq.admin.queue_exclusive"))),
        ],
    },
];

const STATUS: (&str, &str) = ("status", "enabled");
const NO_VACUUM: &str = "a reply finds its response topic by its request, so there is nothing to forget";
const NO_DISCONNECT_TIMEOUT: &str = "how long the end may take is not a setting here";

const MQTT: &[Section] = &[
    Section {
        name: "general",
        keys: &[
            ("enabled", Switch("mqtt.api")),
            ("events", Nothing(NO_EVENT_HANDLERS)),
            ("json", Nothing(COMPACT)),
            ("url", Text("mqtt.url")),
            ("mqtt_version", Text("mqtt.version")),
            ("client_id", Text("mqtt.client_id")),
            ("username", Text("mqtt.username")),
            ("password", Text("mqtt.password")),
            ("keep_alive_interval", Number("mqtt.keep_alive")),
            ("cleansession", Bool("mqtt.clean_session")),
            ("max_inflight", Number("mqtt.max_inflight")),
            ("max_buffered", Number("mqtt.max_buffered")),
            ("disconnect_timeout", Nothing(NO_DISCONNECT_TIMEOUT)),
            ("subscribe_topic", Where(API, &Text("mqtt.api.subscribe_topic"))),
            ("subscribe_qos", Where(API, &Number("mqtt.api.subscribe_qos"))),
            ("publish_topic", Where(API, &Text("mqtt.api.publish_topic"))),
            ("publish_qos", Where(API, &Number("mqtt.api.publish_qos"))),
            ("ssl_enabled", Switch("mqtt.tls")),
            ("verify_peer", Where(TLS, &Bool("mqtt.tls.verify_peer"))),
            ("cacertfile", Where(TLS, &Text("mqtt.tls.authorities"))),
            ("certfile", Where(TLS, &Text("mqtt.tls.certificate"))),
            ("keyfile", Where(TLS, &Text("mqtt.tls.key"))),
            ("vacuum_interval", Nothing(NO_VACUUM)),
            ("proxy_transaction_user_properties", Texts("mqtt.proxy_user_properties")),
            ("add_transaction_user_properties", Pairs("mqtt.add_user_properties")),
        ],
    },
    Section {
        name: "admin",
        keys: &[
            ("admin_enabled", Switch("mqtt.admin")),
            ("subscribe_topic", Where(ADMIN, &Text("mqtt.admin.subscribe_topic"))),
            ("subscribe_qos", Where(ADMIN, &Number("mqtt.admin.subscribe_qos"))),
            ("publish_topic", Where(ADMIN, &Text("mqtt.admin.publish_topic"))),
            ("publish_qos", Where(ADMIN, &Number("mqtt.admin.publish_qos"))),
        ],
    },
    Section {
        name: "status",
        keys: &[
            ("enabled", Switch("mqtt.status")),
            ("connect_message", Where(STATUS, &Text("mqtt.status.connect_message"))),
            ("disconnect_message", Where(STATUS, &Text("mqtt.status.disconnect_message"))),
            ("topic", Where(STATUS, &Text("mqtt.status.topic"))),
            ("qos", Where(STATUS, &Number("mqtt.status.qos"))),
            ("retain", Where(STATUS, &Bool("mqtt.status.retain"))),
        ],
    },
];
