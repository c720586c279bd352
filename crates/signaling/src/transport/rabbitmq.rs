//! The Janus and admin APIs over RabbitMQ: a queue for requests and a routing key for all that is said, for each API. It must
//! not know what a message says.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{
    AsyncTcpStream, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, ExchangeKind,
};
use tokio_rustls::rustls::ClientConfig;

use super::Transport;
use super::broker::{self, Desk, Letter, Outbox, Retry};
use super::connection::Api;
use super::owner::ReturnAddress;
use crate::Carrier;

/// How long a connection may take to be ready for use.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a connection may take to end.
const CLOSE_TIME: Duration = Duration::from_secs(2);
/// Requests that the broker has sent and we have not taken: it sends no more, so that they don't pile up here.
const PREFETCH: u16 = 256;
/// Messages that the broker has not confirmed.
const UNCONFIRMED: usize = 256;
/// Messages that wait while there is no connection.
const HELD: usize = 10_000;

/// How to reach a RabbitMQ broker, and what to use there.
#[derive(Clone, Debug)]
pub struct RabbitMqConfig {
    /// The broker's host.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// The virtual host.
    pub vhost: String,
    /// Who we are.
    pub username: String,
    /// What proves it.
    pub password: String,
    /// TLS, if it is used.
    pub tls: Option<Arc<ClientConfig>>,
    /// How often each side shows that it is there; zero = never. Whole seconds, at most 65535.
    pub heartbeat: Duration,
    /// The exchange for what we say; `None` = the broker's default exchange.
    pub exchange: Option<String>,
    /// The kind of `exchange`.
    pub exchange_type: ExchangeType,
    /// The queues of the Janus API.
    pub api: Option<RabbitMqQueues>,
    /// The queues of the admin API.
    pub admin: Option<RabbitMqQueues>,
}

/// The queues of one API. A name has at most 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RabbitMqQueues {
    /// The queue of requests; `None` = `to_janus`.
    pub queue_name: Option<String>,
    /// The routing key of requests.
    pub to_janus: String,
    /// The routing key of replies and events.
    pub from_janus: String,
    /// Declare a queue `from_janus`.
    pub declare_outgoing_queue: bool,
    /// The queue of requests survives a restart of the broker.
    pub durable: bool,
    /// The queue of requests goes when nobody reads it.
    pub autodelete: bool,
    /// Nobody else may read the queue of requests.
    pub exclusive: bool,
}

/// The kinds of exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeType {
    /// To all queues bound to it.
    Fanout,
    /// To the queues bound with the routing key.
    Direct,
    /// To the queues whose pattern fits the routing key.
    Topic,
    /// To the queues whose headers fit.
    Headers,
}

impl Transport {
    /// Serves the APIs over a RabbitMQ broker until the stop: connects, and connects again when the connection is lost.
    pub async fn serve_rabbitmq(self, config: RabbitMqConfig) {
        // Held to the end, so that a stop waits for the last messages.
        let _stopping = self.stopping();
        let serves = |api| config.queues(api).is_some();
        let (desk, mut outbox) = broker::open(&self, Carrier::RabbitMq, serves, HELD).await;
        let mut retry = Retry::new();
        loop {
            let connecting = tokio::time::timeout(CONNECT_TIME, Link::connect(&config));
            let error = match outbox.hold_until(connecting).await {
                None => return,
                Some(Ok(Ok(mut link))) => {
                    tracing::info!("RabbitMQ is connected");
                    retry = Retry::new();
                    let result = link.converse(&config, &desk, &mut outbox).await;
                    // Fails when it is lost already.
                    let _ = tokio::time::timeout(CLOSE_TIME, link.connection.close(200, "OK".into())).await;
                    match result {
                        Ok(()) => return,
                        Err(error) => error.to_string(),
                    }
                }
                Some(Ok(Err(error))) => error.to_string(),
                Some(Err(_)) => "it takes too long".to_owned(),
            };
            tracing::warn!(error, "RabbitMQ is not connected");
            if outbox.hold_until(tokio::time::sleep(retry.next_delay())).await.is_none() {
                return;
            }
        }
    }
}

/// A connection that is ready for use.
struct Link {
    connection: Connection,
    channel: Channel,
    janus: Option<Consumer>,
    admin: Option<Consumer>,
}

impl Link {
    async fn connect(config: &RabbitMqConfig) -> lapin::Result<Self> {
        let tls = config.tls.clone();
        let connection = Connection::connector(
            config.uri(),
            lapin::runtime::default_runtime()?,
            async move |uri, runtime| {
                let AMQPAuthority { host, port, .. } = uri.authority;
                let address = runtime.to_socket_addrs((host.clone(), port));
                let stream = AsyncTcpStream::connect(&runtime, address).await?;
                Ok(match tls.clone() {
                    Some(tls) => stream.into_rustls(&tls.into(), &host).await?,
                    None => stream,
                })
            },
            ConnectionProperties::default().with_connection_name("Plenum".into()),
        )
        .await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        if let Some(exchange) = &config.exchange {
            let (options, arguments) = (ExchangeDeclareOptions::default(), FieldTable::default());
            channel.exchange_declare(name(exchange), config.exchange_type.kind(), options, arguments).await?;
        }
        let mut link = Self { connection, channel, janus: None, admin: None };
        if let Some(queues) = &config.api {
            link.janus = Some(link.consume(config, queues).await?);
        }
        if let Some(queues) = &config.admin {
            link.admin = Some(link.consume(config, queues).await?);
        }
        Ok(link)
    }

    /// Declares the queues of an API and starts to read its requests.
    async fn consume(&self, config: &RabbitMqConfig, queues: &RabbitMqQueues) -> lapin::Result<Consumer> {
        let channel = &self.channel;
        let incoming = queues.queue_name.as_ref().unwrap_or(&queues.to_janus);
        let options = QueueDeclareOptions {
            durable: queues.durable,
            exclusive: queues.exclusive,
            auto_delete: queues.autodelete,
            ..QueueDeclareOptions::default()
        };
        channel.queue_declare(name(incoming), options, FieldTable::default()).await?;
        if let (Some(queue), Some(exchange)) = (&queues.queue_name, &config.exchange)
            && matches!(config.exchange_type, ExchangeType::Direct | ExchangeType::Topic)
        {
            let (key, options) = (name(&queues.to_janus), QueueBindOptions::default());
            channel.queue_bind(name(queue), name(exchange), key, options, FieldTable::default()).await?;
        }
        if queues.declare_outgoing_queue {
            let options = QueueDeclareOptions::default();
            channel.queue_declare(name(&queues.from_janus), options, FieldTable::default()).await?;
        }
        let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
        channel.basic_consume(name(incoming), tag, options, FieldTable::default()).await
    }

    /// Carries messages both ways until the stop or the connection's loss.
    async fn converse(&mut self, config: &RabbitMqConfig, desk: &Desk, outbox: &mut Outbox) -> lapin::Result<()> {
        tokio::select! {
            lost = read(&mut self.janus, &mut self.admin, desk) => Err(lost),
            published = publish(&self.channel, config, outbox) => published,
        }
    }
}

/// Hands requests to the core. A request is acknowledged when it is taken: should the answer be lost, its client asks again.
async fn read(janus: &mut Option<Consumer>, admin: &mut Option<Consumer>, desk: &Desk) -> lapin::Error {
    loop {
        let (api, delivery) = tokio::select! {
            delivery = next(janus), if janus.is_some() => (Api::Janus, delivery),
            delivery = next(admin), if admin.is_some() => (Api::Admin, delivery),
        };
        let delivery = match delivery {
            Some(Ok(delivery)) => delivery,
            Some(Err(error)) => return error,
            None => return std::io::Error::other("a queue of requests is gone").into(),
        };
        if let Err(error) = delivery.ack(BasicAckOptions::default()).await {
            return error;
        }
        let correlation = delivery.properties.correlation_id().as_ref();
        let address = correlation
            .map(|id| ReturnAddress { correlation: Some(id.as_str().as_bytes().to_vec()), ..ReturnAddress::default() });
        desk.receive(api, &delivery.data, address).await;
    }
}

async fn next(consumer: &mut Option<Consumer>) -> Option<lapin::Result<Delivery>> {
    consumer.as_mut()?.next().await
}

/// Publishes what there is to say, until the stop.
async fn publish(channel: &Channel, config: &RabbitMqConfig, outbox: &mut Outbox) -> lapin::Result<()> {
    let exchange = name(config.exchange.as_deref().unwrap_or_default());
    loop {
        let letters = outbox.batch(UNCONFIRMED).await;
        let count = letters.len();
        if count == 0 {
            return Ok(());
        }
        let mut confirmations = Vec::with_capacity(count);
        for letter in letters {
            let Some(queues) = config.queues(letter.api) else { continue };
            let (key, options) = (name(&queues.from_janus), BasicPublishOptions::default());
            let text = letter.text.as_bytes();
            confirmations.push(channel.basic_publish(exchange.clone(), key, options, text, properties(letter)).await?);
        }
        let mut refused = 0;
        for confirmation in confirmations {
            match confirmation.await? {
                Confirmation::Ack(_) | Confirmation::NotRequested => {}
                Confirmation::Nack(_) => refused += 1,
            }
        }
        outbox.drop_letters(refused);
        outbox.arrived(count);
    }
}

/// `reply_to` is part of the API: clients may look at it.
fn properties(letter: &Letter) -> BasicProperties {
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_reply_to("Janus".into());
    let correlation = letter.address.as_ref().and_then(|address| address.correlation.as_ref());
    match correlation {
        Some(id) => properties.with_correlation_id(name(&String::from_utf8_lossy(id))),
        None => properties,
    }
}

/// Names were checked for their length, or came from the broker as they are; a longer one would be no name there.
fn name(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}

impl RabbitMqConfig {
    fn queues(&self, api: Api) -> Option<&RabbitMqQueues> {
        match api {
            Api::Janus => self.api.as_ref(),
            Api::Admin => self.admin.as_ref(),
        }
    }

    fn uri(&self) -> AMQPUri {
        let userinfo = AMQPUserInfo { username: self.username.clone(), password: self.password.clone() };
        AMQPUri {
            scheme: if self.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority { userinfo, host: self.host.clone(), port: self.port },
            vhost: self.vhost.clone(),
            query: AMQPQueryString {
                heartbeat: u16::try_from(self.heartbeat.as_secs()).ok(),
                ..AMQPQueryString::default()
            },
        }
    }
}

impl ExchangeType {
    fn kind(self) -> ExchangeKind {
        match self {
            Self::Fanout => ExchangeKind::Fanout,
            Self::Direct => ExchangeKind::Direct,
            Self::Topic => ExchangeKind::Topic,
            Self::Headers => ExchangeKind::Headers,
        }
    }
}
