//! The signaling plane: the Janus API with its AudioBridge and EchoTest.
//!
//! [`Core`] is the conversation as a pure function of requests, media events, time and a seed; `transport` is the
//! shell that carries it over HTTP and WebSocket. Neither knows RTP or PCM: what a conversation means for the media
//! leaves as [`MediaCommand`] and comes back as [`MediaEvent`].

mod audiobridge;
mod core;
mod echotest;
mod transport;

pub use crate::core::config::{Config, Limits, MediaFacts, Recording, RoomConfig, SAMPLING_RATES};
pub use crate::core::counters::{ACCEPTED, Counters, Gauges, Limit};
pub use crate::core::drain::Standing;
pub use crate::core::errand::{Errand, Finding, Task};
pub use crate::core::ids::{Carrier, ConnectionId, HandleId, Id, RequestId, RoomId, RoomKey, SessionId, UserId};
pub use crate::core::jsep::JsepKind;
pub use crate::core::media::{
    Answer, AnswerTraits, MediaCommand, MediaEvent, MemberSettings, MixTraits, RoomSettings, Settled, TalkDetection,
};
pub use crate::core::notice::{Departure, Happening, Notice, Origin, Place, SessionEnd, Side};
pub use crate::core::operator::{Operated, Operation, Outcome, Refused};
pub use crate::core::statistics::{AudioStatistics, HandleStatistics, MixStatistics, NetworkStatistics};
pub use crate::core::store::{RoomChange, Storing};
pub use crate::core::style::JsonStyle;
pub use crate::core::transport_info::{AudioInfo, DtlsInfo, Flow, IceInfo, TransportInfo};
pub use crate::core::{Core, Credentials, LogLevel, Output, Owner, Poll, RequestApi, RequestKind, Source, Visit};
pub use crate::transport::access::{Access, Network, NotANetwork};
pub use crate::transport::connection::Api;
pub use crate::transport::listener::ListenerConfig;
#[cfg(feature = "mqtt")]
pub use crate::transport::mqtt::{MqttConfig, MqttStatus, MqttTls, MqttTopics, MqttVersion, Qos};
#[cfg(feature = "rabbitmq")]
pub use crate::transport::rabbitmq::{ExchangeType, RabbitMqConfig, RabbitMqQueues};
pub use crate::transport::tls::{Certificate, CertificateError};
pub use crate::transport::unix::{PacketSocket, UnixSocket};
pub use crate::transport::{
    CoreCounts, JsonStyles, Occurrence, Pings, StoreRequest, Transport, TransportConfig, TransportCounters,
};
