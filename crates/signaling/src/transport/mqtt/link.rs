//! One connection to an MQTT broker, in either version of the protocol: the only file that sees their difference.

use std::io;

// One type for both versions.
use rumqttc_v5::QoS;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::session::EmptySession;
use super::{MqttConfig, MqttTls, MqttTopics, MqttVersion, Qos};
use crate::transport::owner::ReturnAddress;

/// Requests to the library that wait; it takes them as fast as they can be sent.
const CAPACITY: usize = 64;
/// The longest message that MQTT knows (3.1.1, section 2.2.3). What is too long for us is answered; refusing to read it would
/// end the connection, and it would come again.
const LONGEST_PACKET: usize = 268_435_455;

/// What happens on a connection.
pub(super) enum Happening {
    Connected,
    Message { topic: Vec<u8>, payload: Vec<u8>, address: Option<ReturnAddress> },
    Disconnected,
    Other,
}

/// The end of a connection that sends.
pub(super) enum Publisher {
    V3(rumqttc_v4::AsyncClient),
    V5(rumqttc_v5::AsyncClient),
}

/// The end of a connection that moves it on: nothing happens while nobody waits for [`Poll::next`].
pub(super) enum Poll {
    V3(Box<rumqttc_v4::EventLoop>),
    V5(Box<rumqttc_v5::EventLoop>),
}

/// Tells when a message is with the broker.
pub(super) enum Notice {
    V3(rumqttc_v4::PublishNotice),
    V5(rumqttc_v5::PublishNotice),
}

/// A connection that begins with the first [`Poll::next`].
pub(super) fn open(config: &MqttConfig) -> (Publisher, Poll) {
    match config.version {
        MqttVersion::V3 => {
            let (client, events) = rumqttc_v4::AsyncClient::builder(options_v3(config)).capacity(CAPACITY).build();
            (Publisher::V3(client), Poll::V3(Box::new(events)))
        }
        MqttVersion::V5 => {
            let (client, events) = rumqttc_v5::AsyncClient::builder(options_v5(config)).capacity(CAPACITY).build();
            (Publisher::V5(client), Poll::V5(Box::new(events)))
        }
    }
}

impl Publisher {
    pub(super) async fn subscribe(&self, topics: &MqttTopics) -> Result<(), String> {
        let topic = topics.subscribe_topic.as_str();
        match self {
            Self::V3(client) => {
                client.subscribe(topic, library_qos(topics.subscribe_qos)).await.map_err(|error| error.to_string())
            }
            Self::V5(client) => {
                client.subscribe(topic, library_qos(topics.subscribe_qos)).await.map_err(|error| error.to_string())
            }
        }
    }

    /// Sends a message; `None` if `topic` is none.
    pub(super) async fn publish(
        &self,
        topic: &str,
        text: &str,
        qos: Qos,
        retain: bool,
        address: Option<&ReturnAddress>,
    ) -> Option<Notice> {
        match self {
            Self::V3(client) => {
                let options = rumqttc_v4::PublishOptions::new(library_qos(qos)).retain(retain);
                client.publish_tracked(topic, text.as_bytes(), options).await.ok().map(Notice::V3)
            }
            Self::V5(client) => {
                let mut options = rumqttc_v5::PublishOptions::new(library_qos(qos)).retain(retain);
                if let Some(address) = address {
                    options = options.properties(rumqttc_v5::PublishProperties {
                        correlation_data: address.correlation.clone().map(Into::into),
                        user_properties: address.properties.clone(),
                        ..Default::default()
                    });
                }
                client.publish_tracked(topic, text.as_bytes(), options).await.ok().map(Notice::V5)
            }
        }
    }

    /// Ends the connection in good order when all that was sent has arrived.
    pub(super) async fn disconnect(&self) -> Result<(), String> {
        match self {
            Self::V3(client) => client.disconnect().await.map_err(|error| error.to_string()),
            Self::V5(client) => client.disconnect().await.map_err(|error| error.to_string()),
        }
    }
}

impl Poll {
    /// What happens next; an error is the end of the connection.
    pub(super) async fn next(&mut self, config: &MqttConfig) -> Result<Happening, String> {
        match self {
            Self::V3(events) => {
                use rumqttc_v4::{Event, Outgoing, Packet, SubscribeReasonCode};
                Ok(match events.poll().await.map_err(|error| error.to_string())? {
                    Event::Incoming(Packet::ConnAck(_)) => Happening::Connected,
                    Event::Incoming(Packet::Publish(message)) => Happening::Message {
                        topic: message.topic.to_vec(),
                        payload: message.payload.to_vec(),
                        address: None,
                    },
                    Event::Incoming(Packet::SubAck(answer))
                        if answer.return_codes.contains(&SubscribeReasonCode::Failure) =>
                    {
                        return Err("the broker refuses a subscription".to_owned());
                    }
                    Event::Outgoing(Outgoing::Disconnect) => Happening::Disconnected,
                    Event::Incoming(_) | Event::Outgoing(_) => Happening::Other,
                })
            }
            Self::V5(events) => {
                use rumqttc_v5::{Event, Outgoing, Packet, SubscribeReasonCode};
                Ok(match events.poll().await.map_err(|error| error.to_string())? {
                    Event::Incoming(Packet::ConnAck(_)) => Happening::Connected,
                    Event::Incoming(Packet::Publish(message)) => Happening::Message {
                        topic: message.topic.to_vec(),
                        payload: message.payload.to_vec(),
                        address: return_address(message.properties.unwrap_or_default(), config),
                    },
                    Event::Incoming(Packet::SubAck(answer))
                        if !answer.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_))) =>
                    {
                        return Err("the broker refuses a subscription".to_owned());
                    }
                    Event::Outgoing(Outgoing::Disconnect) => Happening::Disconnected,
                    Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => Happening::Other,
                })
            }
        }
    }
}

impl Notice {
    /// Waits until the broker has the message, as surely as its quality of service says.
    pub(super) async fn wait(self) -> Result<(), String> {
        match self {
            Self::V3(notice) => notice.wait_completion_async().await.map_err(|error| error.to_string()),
            // That the broker refuses the message for good is an answer as well.
            Self::V5(notice) => notice.wait_async().await.map(drop).map_err(|error| error.to_string()),
        }
    }
}

/// What a request asks of its reply; `None` if it is one like any other.
fn return_address(request: rumqttc_v5::PublishProperties, config: &MqttConfig) -> Option<ReturnAddress> {
    let copied = request.user_properties.into_iter().filter(|(name, _)| config.proxy_user_properties.contains(name));
    let address = ReturnAddress {
        topic: request.response_topic,
        correlation: request.correlation_data.map(|data| data.to_vec()),
        properties: copied.chain(config.add_user_properties.iter().cloned()).collect(),
    };
    (address != ReturnAddress::default()).then_some(address)
}

fn options_v3(config: &MqttConfig) -> rumqttc_v4::MqttOptions {
    use rumqttc_v4::{Broker, LastWill, MqttOptions};
    let mut options = MqttOptions::new(&config.client_id, Broker::tcp(&config.host, config.port));
    options.set_keep_alive(config.keep_alive);
    options.set_clean_session(config.clean_session);
    options.set_inflight(config.max_inflight);
    options.set_max_packet_size(LONGEST_PACKET, LONGEST_PACKET);
    if let Some(username) = &config.username {
        options.set_credentials(username, config.password.clone().unwrap_or_default());
    }
    if let Some(status) = &config.status
        && let Some(message) = &status.disconnect_message
    {
        options.set_last_will(LastWill::new(&status.topic, message.as_str(), library_qos(status.qos), status.retain));
    }
    if let Some(tls) = config.tls.clone() {
        options.set_socket_connector(move |address, network| {
            secure(tls.clone(), rumqttc_v4::default_socket_connect(address, network))
        });
    }
    options
}

fn options_v5(config: &MqttConfig) -> rumqttc_v5::MqttOptions {
    use rumqttc_v5::{Broker, LastWill, MqttOptions, SessionMode};
    let mut options = MqttOptions::new(&config.client_id, Broker::tcp(&config.host, config.port));
    options.set_keep_alive(config.keep_alive);
    options.set_session_mode(if config.clean_session { SessionMode::Clean } else { SessionMode::Persistent });
    options.set_session_store(EmptySession { max_inflight: config.max_inflight });
    options.set_outgoing_inflight_upper_limit(config.max_inflight);
    options.set_unlimited_incoming_packet_size();
    if let Some(username) = &config.username {
        options.set_credentials(username, config.password.clone().unwrap_or_default());
    }
    if let Some(status) = &config.status
        && let Some(message) = &status.disconnect_message
    {
        let will = LastWill::new(&status.topic, message.as_str(), library_qos(status.qos), status.retain, None);
        options.set_last_will(will);
    }
    if let Some(tls) = config.tls.clone() {
        options.set_socket_connector(move |address, network| {
            secure(tls.clone(), rumqttc_v5::default_socket_connect(address, network))
        });
    }
    options
}

/// Makes TLS of a connection.
async fn secure(
    tls: MqttTls,
    connecting: impl Future<Output = io::Result<TcpStream>>,
) -> io::Result<TlsStream<TcpStream>> {
    TlsConnector::from(tls.config).connect(tls.server_name, connecting.await?).await
}

fn library_qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}
