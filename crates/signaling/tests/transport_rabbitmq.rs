//! The Janus and admin APIs over RabbitMQ, against Debian's rabbitmq-server.
#![cfg(feature = "rabbitmq")]
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod broker_support;
mod transport_support;

use std::path::Path;
use std::time::Duration;

use broker_support::{Broker, PATIENCE, ROOM, attach, free_port, message, patient_world, somebody_joins};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::{Value, json};
use signaling::{ExchangeType, RabbitMqConfig, RabbitMqQueues};
use transport_support::authority::{Authority, Issued};
use transport_support::{World, error, id};

#[tokio::test]
async fn both_apis_are_spoken_over_queues() {
    let broker = Broker::rabbitmq("rabbitmq-queues", "").await;
    let world = World::new();
    let config = RabbitMqConfig {
        api: Some(queues("to-janus", "from-janus")),
        admin: Some(queues("to-janus-admin", "from-janus-admin")),
        ..config(&broker)
    };
    let serving = tokio::spawn(world.transport.clone().serve_rabbitmq(config));
    let mut api = Client::connect(&broker, "", "to-janus", "from-janus").await;
    let mut admin = Client::connect(&broker, "", "to-janus-admin", "from-janus-admin").await;

    let (session, handle) = joins_a_room(&mut api).await;
    hears_of_a_second_participant(&mut api, handle).await;
    refuses_what_is_no_request(&mut api).await;
    sees_the_session_as_admin(&mut admin, session, handle).await;

    world.transport.shut_down().await;
    // The last message, after what ends with the session, is published before the end.
    while api.receive().await.0["janus"] != "timeout" {}
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_topic_exchange_routes_requests_and_events() {
    let broker = Broker::rabbitmq("rabbitmq-exchange", "").await;
    let world = World::new();
    let mut queues = queues("requests.plenum", "events.plenum");
    queues.queue_name = Some("plenum".to_owned());
    queues.declare_outgoing_queue = false;
    let exchange = Some("conference".to_owned());
    let config = RabbitMqConfig { exchange, exchange_type: ExchangeType::Topic, api: Some(queues), ..config(&broker) };
    tokio::spawn(world.transport.clone().serve_rabbitmq(config));

    let mut client = Client::connect(&broker, "conference", "requests.plenum", "events.*").await;

    let (pong, _) = client.ask(json!({"janus": "ping", "transaction": "p"}), None).await;
    assert_eq!(pong, json!({"janus": "pong", "transaction": "p"}));
}

#[tokio::test]
async fn tls_is_spoken_with_a_broker_that_is_vouched_for() {
    let authority = Authority::new();
    let Issued { chain, key, .. } = authority.issue();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str, content: &str| {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let port = free_port();
    let listener = format!(
        "listeners.ssl.default = 127.0.0.1:{port}\nssl_options.verify = verify_none\n\
         ssl_options.certfile = {}\nssl_options.keyfile = {}\n",
        file("rabbitmq-chain.pem", &chain),
        file("rabbitmq-key.pem", &key),
    );
    let broker = Broker::rabbitmq("rabbitmq-tls", &listener).await;
    let world = World::new();
    let tls = Some(authority.trusting());
    let api = Some(queues("to-janus", "from-janus"));
    let config = RabbitMqConfig { host: "localhost".to_owned(), port, tls, api, ..config(&broker) };
    tokio::spawn(world.transport.clone().serve_rabbitmq(config));

    let mut client = Client::connect(&broker, "", "to-janus", "from-janus").await;

    let (pong, _) = client.ask(json!({"janus": "ping", "transaction": "p"}), None).await;
    assert_eq!(pong["janus"], "pong");
}

#[tokio::test]
async fn sessions_live_on_while_the_broker_is_away() {
    let mut broker = Broker::rabbitmq("rabbitmq-outage", "").await;
    let world = patient_world();
    let config = RabbitMqConfig { api: Some(queues("to-janus", "from-janus")), ..config(&broker) };
    tokio::spawn(world.transport.clone().serve_rabbitmq(config));
    let mut client = Client::connect(&broker, "", "to-janus", "from-janus").await;
    let (session, handle) = joins_a_room(&mut client).await;

    broker.kill();
    // The event waits for the broker.
    somebody_joins(&world).await;
    broker.start().await;
    let mut client = Client::connect(&broker, "", "to-janus", "from-janus").await;

    let (event, _) = client.receive().await;
    assert_eq!(event["sender"], handle);
    assert_eq!(event["plugindata"]["data"]["audiobridge"], "joined");
    let keepalive = json!({"janus": "keepalive", "session_id": session, "transaction": "k"});
    assert_eq!(client.ask(keepalive, None).await.0["janus"], "ack");
}

/// Every reply carries the correlation id of its request, an event none.
async fn joins_a_room(client: &mut Client) -> (u64, u64) {
    let (created, delivery) = client.ask(json!({"janus": "create", "transaction": "c"}), Some("c-1")).await;
    assert_eq!(correlation(&delivery), Some("c-1"));
    assert_eq!(delivery.properties.content_type().as_ref().unwrap().as_str(), "application/json");
    assert_eq!(delivery.properties.reply_to().as_ref().unwrap().as_str(), "Janus");
    let session = id(&created);
    let handle = client.attach(session).await;
    let create = json!({"request": "create", "room": ROOM});
    let (room, _) = client.tell(session, handle, create, None).await;
    assert_eq!(room["plugindata"]["data"]["audiobridge"], "created");
    let (ack, delivery) = client.tell(session, handle, json!({"request": "join", "room": ROOM}), Some("j-1")).await;
    assert_eq!(ack["janus"], "ack");
    assert_eq!(correlation(&delivery), Some("j-1"));
    let (joined, delivery) = client.receive().await;
    assert_eq!(joined["plugindata"]["data"]["audiobridge"], "joined");
    assert_eq!(correlation(&delivery), None);
    (session, handle)
}

async fn hears_of_a_second_participant(client: &mut Client, first: u64) {
    let (created, delivery) = client.ask(json!({"janus": "create", "transaction": "c"}), None).await;
    assert_eq!(correlation(&delivery), None);
    let session = id(&created);
    let second = client.attach(session).await;
    client.tell(session, second, json!({"request": "join", "room": ROOM}), None).await;
    let senders = [client.receive().await.0, client.receive().await.0].map(|event| event["sender"].as_u64().unwrap());
    assert!(senders.contains(&first) && senders.contains(&second), "{senders:?}");
    client.ask(json!({"janus": "destroy", "session_id": session, "transaction": "d"}), None).await;
    assert!(client.receive().await.0["plugindata"]["data"]["leaving"].is_u64());
}

async fn refuses_what_is_no_request(client: &mut Client) {
    client.publish(b"{\"janus\": ", Some("broken")).await;
    let (refusal, delivery) = client.receive().await;
    assert!(error(&refusal, 454).starts_with("Invalid Janus API request"));
    assert_eq!(correlation(&delivery), Some("broken"));
    let (refusal, _) = client.ask(json!(["ping"]), None).await;
    error(&refusal, 456);
    client.publish(&vec![b' '; 300 * 1024], None).await;
    error(&client.receive().await.0, 454);
}

async fn sees_the_session_as_admin(client: &mut Client, session: u64, handle: u64) {
    let (sessions, delivery) = client.ask(json!({"janus": "list_sessions", "transaction": "l"}), Some("l-1")).await;
    assert_eq!(sessions["sessions"], json!([session]));
    assert_eq!(correlation(&delivery), Some("l-1"));
    let info = json!({"janus": "handle_info", "session_id": session, "handle_id": handle, "transaction": "i"});
    let (info, _) = client.ask(info, None).await;
    assert_eq!(info["info"]["session_transport"], "janus.transport.rabbitmq", "{info}");
}

fn config(broker: &Broker) -> RabbitMqConfig {
    RabbitMqConfig {
        host: "127.0.0.1".to_owned(),
        port: broker.port,
        vhost: "/".to_owned(),
        username: "guest".to_owned(),
        password: "guest".to_owned(),
        tls: None,
        heartbeat: Duration::from_secs(60),
        exchange: None,
        exchange_type: ExchangeType::Fanout,
        api: None,
        admin: None,
    }
}

fn queues(to_janus: &str, from_janus: &str) -> RabbitMqQueues {
    RabbitMqQueues {
        queue_name: None,
        to_janus: to_janus.to_owned(),
        from_janus: from_janus.to_owned(),
        declare_outgoing_queue: true,
        durable: false,
        autodelete: false,
        exclusive: false,
    }
}

fn correlation(delivery: &Delivery) -> Option<&str> {
    delivery.properties.correlation_id().as_ref().map(|id| id.as_str())
}

/// A back-end on the other side of the broker.
struct Client {
    _connection: Connection,
    channel: Channel,
    exchange: String,
    to_janus: String,
    events: Consumer,
}

impl Client {
    /// `from_janus` is a queue, or what to bind one to `exchange` with.
    async fn connect(broker: &Broker, exchange: &str, to_janus: &str, from_janus: &str) -> Self {
        let uri = format!("amqp://guest:guest@127.0.0.1:{}/%2f", broker.port);
        let connection = Connection::connect(&uri, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        // The transport may not have declared them yet: declared twice they are the same.
        let mut queues = vec![from_janus];
        if exchange.is_empty() {
            queues.push(to_janus);
        }
        for queue in queues {
            channel.queue_declare(queue.into(), QueueDeclareOptions::default(), FieldTable::default()).await.unwrap();
        }
        if !exchange.is_empty() {
            let (options, arguments) = (ExchangeDeclareOptions::default(), FieldTable::default());
            channel.exchange_declare(exchange.into(), ExchangeKind::Topic, options, arguments).await.unwrap();
            let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
            channel
                .queue_bind(from_janus.into(), exchange.into(), from_janus.into(), options, arguments)
                .await
                .unwrap();
        }
        let (options, arguments) = (BasicConsumeOptions { no_ack: true, ..Default::default() }, FieldTable::default());
        let events = channel.basic_consume(from_janus.into(), "".into(), options, arguments).await.unwrap();
        let (exchange, to_janus) = (exchange.to_owned(), to_janus.to_owned());
        Self { _connection: connection, channel, exchange, to_janus, events }
    }

    async fn publish(&self, payload: &[u8], correlation: Option<&str>) {
        let mut properties = BasicProperties::default();
        if let Some(id) = correlation {
            properties = properties.with_correlation_id(id.into());
        }
        // Until the transport has bound its queue the broker gives it back, and is asked anew.
        let routed = async {
            loop {
                let (exchange, key) = (self.exchange.as_str().into(), self.to_janus.as_str().into());
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let published = self.channel.basic_publish(exchange, key, options, payload, properties.clone()).await;
                if let Confirmation::Ack(None) = published.unwrap().await.unwrap() {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, routed).await.unwrap();
    }

    async fn receive(&mut self) -> (Value, Delivery) {
        let delivery = tokio::time::timeout(PATIENCE, self.events.next()).await.unwrap().unwrap().unwrap();
        (serde_json::from_slice(&delivery.data).unwrap(), delivery)
    }

    async fn ask(&mut self, request: Value, correlation: Option<&str>) -> (Value, Delivery) {
        self.publish(request.to_string().as_bytes(), correlation).await;
        self.receive().await
    }

    async fn attach(&mut self, session: u64) -> u64 {
        id(&self.ask(attach(session), None).await.0)
    }

    async fn tell(&mut self, session: u64, handle: u64, body: Value, correlation: Option<&str>) -> (Value, Delivery) {
        self.ask(message(session, handle, body), correlation).await
    }
}
