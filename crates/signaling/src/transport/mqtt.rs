//! The Janus and admin APIs over MQTT: a topic for requests and a topic for all that is said, for each API. It must not know
//! what a message says.

mod link;
mod session;

use std::future;
use std::sync::Arc;

use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use self::link::{Happening, Poll, Publisher};
use super::Transport;
use super::broker::{self, Desk, Outbox, Retry};
use super::connection::Api;
use crate::Carrier;

/// How to reach an MQTT broker, and what to use there.
#[derive(Clone, Debug)]
pub struct MqttConfig {
    /// The broker's host.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// TLS, if it is used.
    pub tls: Option<MqttTls>,
    /// The version of the protocol.
    pub version: MqttVersion,
    /// By what the broker knows us. Not empty where `clean_session` is false.
    pub client_id: String,
    /// Who we are.
    pub username: Option<String>,
    /// What proves it.
    pub password: Option<String>,
    /// Seconds of silence after which the broker is asked whether it is there; 0 = never.
    pub keep_alive: u16,
    /// The broker keeps nothing for us while we are away.
    pub clean_session: bool,
    /// Messages that the broker has not acknowledged; not 0.
    pub max_inflight: u16,
    /// Messages that wait while there is no connection.
    pub max_buffered: usize,
    /// Names of user properties that a reply takes over from its request. Version 5 only.
    pub proxy_user_properties: Vec<String>,
    /// User properties that every reply has. Version 5 only.
    pub add_user_properties: Vec<(String, String)>,
    /// The topics of the Janus API.
    pub api: Option<MqttTopics>,
    /// The topics of the admin API.
    pub admin: Option<MqttTopics>,
    /// What others are told of us.
    pub status: Option<MqttStatus>,
}

/// TLS to an MQTT broker.
#[derive(Clone, Debug)]
pub struct MqttTls {
    /// Whom we believe, and who we are.
    pub config: Arc<ClientConfig>,
    /// In whose name the broker's certificate is.
    pub server_name: ServerName<'static>,
}

/// The versions of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MqttVersion {
    /// 3.1.1
    V3,
    /// 5
    V5,
}

/// The topics of one API; no wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttTopics {
    /// Where requests come.
    pub subscribe_topic: String,
    /// How surely they come.
    pub subscribe_qos: Qos,
    /// Where replies and events go.
    pub publish_topic: String,
    /// How surely they go.
    pub publish_qos: Qos,
}

/// What others are told of our coming and going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttStatus {
    /// Where they are told.
    pub topic: String,
    /// How surely.
    pub qos: Qos,
    /// Those who come later are told as well.
    pub retain: bool,
    /// Said when we are connected.
    pub connect_message: Option<String>,
    /// Said when we go, and by the broker when we are lost.
    pub disconnect_message: Option<String>,
}

/// How surely a message arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// 0
    AtMostOnce,
    /// 1
    AtLeastOnce,
    /// 2
    ExactlyOnce,
}

impl Transport {
    /// Serves the APIs over an MQTT broker until the stop: connects, and connects again when the connection is lost.
    pub async fn serve_mqtt(self, config: MqttConfig) {
        // Held to the end, so that a stop waits for the last messages.
        let _stopping = self.stopping();
        let serves = |api| config.topics(api).is_some();
        let (desk, mut outbox) = broker::open(&self, Carrier::Mqtt, serves, config.max_buffered).await;
        let mut retry = Retry::new();
        loop {
            let error = match outbox.hold_until(connect(&config)).await {
                None => return,
                Some(Ok((publisher, mut poll))) => {
                    tracing::info!("MQTT is connected");
                    retry = Retry::new();
                    let result = tokio::select! {
                        result = read(&mut poll, &config, &desk) => result,
                        error = publish(&publisher, &config, &mut outbox) => Err(error),
                    };
                    match result {
                        Ok(()) => return,
                        Err(error) => error,
                    }
                }
                Some(Err(error)) => error,
            };
            tracing::warn!(error, "MQTT is not connected");
            if outbox.hold_until(tokio::time::sleep(retry.next_delay())).await.is_none() {
                return;
            }
        }
    }
}

/// Connects and asks for the requests.
async fn connect(config: &MqttConfig) -> Result<(Publisher, Poll), String> {
    let (publisher, mut poll) = link::open(config);
    while !matches!(poll.next(config).await?, Happening::Connected) {}
    for api in [Api::Janus, Api::Admin] {
        if let Some(topics) = config.topics(api) {
            publisher.subscribe(topics).await?;
        }
    }
    Ok((publisher, poll))
}

/// Hands requests to the core until the connection ends: by our own will, or else with an error.
async fn read(poll: &mut Poll, config: &MqttConfig, desk: &Desk) -> Result<(), String> {
    loop {
        match poll.next(config).await? {
            Happening::Message { topic, payload, address } => {
                if let Some(api) = config.api_of(&topic) {
                    desk.receive(api, &payload, address).await;
                }
            }
            Happening::Connected | Happening::Other => {}
            Happening::Disconnected => return Ok(()),
        }
    }
}

/// Publishes what there is to say; at the stop says goodbye and leaves the end to the reader. Returns when it cannot.
async fn publish(publisher: &Publisher, config: &MqttConfig, outbox: &mut Outbox) -> String {
    match publish_all(publisher, config, outbox).await {
        Ok(()) => future::pending().await,
        Err(error) => error,
    }
}

async fn publish_all(publisher: &Publisher, config: &MqttConfig, outbox: &mut Outbox) -> Result<(), String> {
    publish_status(publisher, config, |status| status.connect_message.as_deref()).await?;
    loop {
        let letters = outbox.batch(usize::from(config.max_inflight)).await;
        let count = letters.len();
        if count == 0 {
            break;
        }
        let (mut notices, mut refused) = (Vec::with_capacity(count), 0);
        for letter in letters {
            let Some(topics) = config.topics(letter.api) else { continue };
            let address = letter.address.as_deref();
            let topic = address.and_then(|address| address.topic.as_deref()).unwrap_or(&topics.publish_topic);
            match publisher.publish(topic, &letter.text, topics.publish_qos, false, address).await {
                Some(notice) => notices.push(notice),
                // A client asked for its reply at what is no topic.
                None => refused += 1,
            }
        }
        for notice in notices {
            notice.wait().await?;
        }
        outbox.drop_letters(refused);
        outbox.arrived(count);
    }
    publish_status(publisher, config, |status| status.disconnect_message.as_deref()).await?;
    publisher.disconnect().await
}

async fn publish_status(
    publisher: &Publisher,
    config: &MqttConfig,
    message: impl Fn(&MqttStatus) -> Option<&str>,
) -> Result<(), String> {
    if let Some(status) = &config.status
        && let Some(message) = message(status)
        && let Some(notice) = publisher.publish(&status.topic, message, status.qos, status.retain, None).await
    {
        notice.wait().await?;
    }
    Ok(())
}

impl MqttConfig {
    fn topics(&self, api: Api) -> Option<&MqttTopics> {
        match api {
            Api::Janus => self.api.as_ref(),
            Api::Admin => self.admin.as_ref(),
        }
    }

    fn api_of(&self, topic: &[u8]) -> Option<Api> {
        [Api::Janus, Api::Admin]
            .into_iter()
            .find(|api| self.topics(*api).is_some_and(|topics| topics.subscribe_topic.as_bytes() == topic))
    }
}
