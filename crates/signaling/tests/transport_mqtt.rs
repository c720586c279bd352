//! The Janus and admin APIs over MQTT, against Debian's mosquitto.
#![cfg(feature = "mqtt")]
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod broker_support;
mod transport_support;

use std::time::Duration;

use broker_support::{Broker, PATIENCE, ROOM, attach, message, patient_world, somebody_joins};
use rumqttc_v5::mqttbytes::v5::{Packet, Publish, PublishProperties};
use rumqttc_v5::{AsyncClient, Event, EventLoop, MqttOptions, PublishOptions, QoS};
use serde_json::{Value, json};
use signaling::{MqttConfig, MqttStatus, MqttTopics, MqttVersion, Qos};
use transport_support::{World, error, id};

#[tokio::test]
async fn both_apis_are_spoken_over_topics() {
    let broker = Broker::mosquitto("mqtt-topics", "").await;
    let world = World::new();
    let serving = tokio::spawn(world.transport.clone().serve_mqtt(config(&broker, MqttVersion::V3)));
    let mut client = Client::connect(&broker, &["from-janus", "from-janus-admin", "status"]).await;

    // Asked again until somebody listens: what is published before is nobody's.
    let (session, handle) = joins_a_room(&mut client).await;
    hears_of_a_second_participant(&mut client, handle).await;
    refuses_what_is_no_request(&mut client).await;
    sees_the_session_as_admin(&mut client, session, handle).await;

    world.transport.shut_down().await;
    // The last message, after what ends with the session, is published before the end.
    while client.receive("from-janus").await.0["janus"] != "timeout" {}
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reply_of_version_5_goes_where_its_request_says() {
    let broker = Broker::mosquitto("mqtt-response", "").await;
    let world = World::new();
    let config = MqttConfig {
        proxy_user_properties: vec!["trace".to_owned()],
        add_user_properties: vec![("server".to_owned(), "plenum".to_owned())],
        ..config(&broker, MqttVersion::V5)
    };
    tokio::spawn(world.transport.clone().serve_mqtt(config));
    let mut client = Client::connect(&broker, &["from-janus", "mine"]).await;
    let (session, handle) = joins_a_room(&mut client).await;

    let request = message(session, handle, json!({"request": "configure", "muted": true}));
    let properties = PublishProperties {
        response_topic: Some("mine".to_owned()),
        correlation_data: Some("mine-1".into()),
        user_properties: vec![("trace".to_owned(), "1".to_owned()), ("other".to_owned(), "2".to_owned())],
        ..PublishProperties::default()
    };
    client.publish("to-janus", request.to_string().as_bytes(), Some(properties)).await;

    let (ack, message) = client.receive("mine").await;
    assert_eq!(ack["janus"], "ack");
    let properties = message.properties.unwrap();
    assert_eq!(properties.correlation_data.unwrap(), "mine-1");
    let expected = [("trace", "1"), ("server", "plenum")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(properties.user_properties, expected);
    let (event, message) = client.receive("from-janus").await;
    assert_eq!(event["transaction"], "m");
    assert_eq!(message.properties.unwrap_or_default().correlation_data, None);

    // What nobody could publish to costs its client the reply, and nobody else anything.
    let properties = PublishProperties { response_topic: Some("#".to_owned()), ..PublishProperties::default() };
    client.publish("to-janus", ping("lost").to_string().as_bytes(), Some(properties)).await;
    client.ask("to-janus", ping("next")).await;
    let (pong, _) = client.receive("from-janus").await;
    assert_eq!(pong["transaction"], "next");
}

#[tokio::test]
async fn sessions_live_on_while_the_broker_is_away() {
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let mut broker = Broker::mosquitto("mqtt-outage", "").await;
        let world = patient_world();
        tokio::spawn(world.transport.clone().serve_mqtt(config(&broker, version)));
        let mut client = Client::connect(&broker, &["from-janus"]).await;
        let (session, handle) = joins_a_room(&mut client).await;

        broker.kill();
        // The event waits for the broker.
        somebody_joins(&world).await;
        broker.start().await;
        let mut client = Client::connect(&broker, &["from-janus"]).await;

        // The event may be published before this client is there: a broker keeps nothing for those who are not.
        let keepalive = json!({"janus": "keepalive", "session_id": session, "transaction": "k"});
        let ack = client.ask_until_answered("to-janus", keepalive).await;
        assert_eq!((&ack["janus"], &ack["session_id"]), (&json!("ack"), &json!(session)));
        let list = json!({"request": "listparticipants", "room": ROOM});
        let (list, _) = client.tell(session, handle, list).await;
        assert_eq!(list["plugindata"]["data"]["participants"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn others_are_told_of_coming_and_going() {
    let broker = Broker::mosquitto("mqtt-status", "").await;
    let status = MqttStatus {
        topic: "status".to_owned(),
        qos: Qos::AtLeastOnce,
        retain: true,
        connect_message: Some("\"here\"".to_owned()),
        disconnect_message: Some("\"gone\"".to_owned()),
    };
    let world = World::new();
    let config = MqttConfig { status: Some(status), ..config(&broker, MqttVersion::V5) };
    let serving = tokio::spawn(world.transport.clone().serve_mqtt(config.clone()));
    let mut client = Client::connect(&broker, &["status"]).await;
    assert_eq!(client.receive("status").await.0, "here");

    world.transport.shut_down().await;
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
    assert_eq!(client.receive("status").await.0, "gone", "a clean stop says goodbye");

    let serving = tokio::spawn(World::new().transport.serve_mqtt(config));
    assert_eq!(client.receive("status").await.0, "here");
    serving.abort();
    assert_eq!(client.receive("status").await.0, "gone", "the broker says it for a client that is lost");
}

async fn joins_a_room(client: &mut Client) -> (u64, u64) {
    let created = client.ask_until_answered("to-janus", json!({"janus": "create", "transaction": "c"})).await;
    let session = id(&created);
    let handle = client.attach(session).await;
    let (room, _) = client.tell(session, handle, json!({"request": "create", "room": ROOM})).await;
    assert_eq!(room["plugindata"]["data"]["audiobridge"], "created");
    let (ack, _) = client.tell(session, handle, json!({"request": "join", "room": ROOM})).await;
    assert_eq!(ack["janus"], "ack");
    let (joined, _) = client.receive("from-janus").await;
    assert_eq!(joined["plugindata"]["data"]["audiobridge"], "joined");
    (session, handle)
}

async fn hears_of_a_second_participant(client: &mut Client, first: u64) {
    let session = id(&client.ask_and_receive("to-janus", json!({"janus": "create", "transaction": "c"})).await);
    let second = client.attach(session).await;
    client.tell(session, second, json!({"request": "join", "room": ROOM})).await;
    let senders = [client.receive("from-janus").await.0, client.receive("from-janus").await.0]
        .map(|event| event["sender"].as_u64().unwrap());
    assert!(senders.contains(&first) && senders.contains(&second), "{senders:?}");
    let destroy = json!({"janus": "destroy", "session_id": session, "transaction": "d"});
    assert_eq!(client.ask_and_receive("to-janus", destroy).await["janus"], "success");
    assert!(client.receive("from-janus").await.0["plugindata"]["data"]["leaving"].is_u64());
}

async fn refuses_what_is_no_request(client: &mut Client) {
    client.publish("to-janus", b"{\"janus\": ", None).await;
    assert!(error(&client.receive("from-janus").await.0, 454).starts_with("Invalid Janus API request"));
    client.publish("to-janus", b"[1]", None).await;
    error(&client.receive("from-janus").await.0, 456);
    client.publish("to-janus", &vec![b' '; 300 * 1024], None).await;
    error(&client.receive("from-janus").await.0, 454);
}

async fn sees_the_session_as_admin(client: &mut Client, session: u64, handle: u64) {
    client.ask("to-janus-admin", json!({"janus": "list_sessions", "transaction": "l"})).await;
    assert_eq!(client.receive("from-janus-admin").await.0["sessions"], json!([session]));
    let info = json!({"janus": "handle_info", "session_id": session, "handle_id": handle, "transaction": "i"});
    client.ask("to-janus-admin", info).await;
    let (info, _) = client.receive("from-janus-admin").await;
    assert_eq!(info["info"]["session_transport"], "janus.transport.mqtt", "{info}");
}

fn ping(transaction: &str) -> Value {
    json!({"janus": "ping", "transaction": transaction})
}

fn config(broker: &Broker, version: MqttVersion) -> MqttConfig {
    let topics = |suffix: &str| MqttTopics {
        subscribe_topic: format!("to-janus{suffix}"),
        subscribe_qos: Qos::AtLeastOnce,
        publish_topic: format!("from-janus{suffix}"),
        publish_qos: Qos::AtLeastOnce,
    };
    MqttConfig {
        host: "127.0.0.1".to_owned(),
        port: broker.port,
        tls: None,
        version,
        client_id: "guest".to_owned(),
        username: None,
        password: None,
        keep_alive: 20,
        clean_session: false,
        max_inflight: 10,
        max_buffered: 100,
        proxy_user_properties: Vec::new(),
        add_user_properties: Vec::new(),
        api: Some(topics("")),
        admin: Some(topics("-admin")),
        status: None,
    }
}

/// A back-end on the other side of the broker.
struct Client {
    client: AsyncClient,
    events: EventLoop,
}

impl Client {
    /// Connected, and subscribed to `topics`.
    async fn connect(broker: &Broker, topics: &[&str]) -> Self {
        let mut options = MqttOptions::new("back-end", rumqttc_v5::Broker::tcp("127.0.0.1", broker.port));
        options.set_clean_start(true).set_unlimited_incoming_packet_size();
        let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
        for topic in topics {
            client.subscribe(*topic, QoS::AtLeastOnce).await.unwrap();
        }
        let mut subscribed = 0;
        while subscribed < topics.len() {
            let event = tokio::time::timeout(PATIENCE, events.poll()).await.unwrap().unwrap();
            subscribed += usize::from(matches!(event, Event::Incoming(Packet::SubAck(_))));
        }
        Self { client, events }
    }

    async fn publish(&self, topic: &str, payload: &[u8], properties: Option<PublishProperties>) {
        let mut options = PublishOptions::new(QoS::AtLeastOnce);
        if let Some(properties) = properties {
            options = options.properties(properties);
        }
        self.client.publish(topic, payload, options).await.unwrap();
    }

    async fn ask(&self, topic: &str, request: Value) {
        self.publish(topic, request.to_string().as_bytes(), None).await;
    }

    /// The next message, which has to be on `topic`.
    async fn receive(&mut self, topic: &str) -> (Value, Publish) {
        let message = tokio::time::timeout(PATIENCE, self.next()).await.unwrap();
        assert_eq!(message.topic, topic, "{message:?}");
        (serde_json::from_slice(&message.payload).unwrap(), message)
    }

    async fn next(&mut self) -> Publish {
        loop {
            if let Event::Incoming(Packet::Publish(message)) = self.events.poll().await.unwrap() {
                return message;
            }
        }
    }

    async fn ask_and_receive(&mut self, topic: &str, request: Value) -> Value {
        self.ask(topic, request).await;
        self.receive("from-janus").await.0
    }

    /// Asks as often as it takes: a broker keeps nothing for a subscriber it has never seen. What comes to other requests is
    /// passed over.
    async fn ask_until_answered(&mut self, topic: &str, request: Value) -> Value {
        for _ in 0..100 {
            self.ask(topic, request.clone()).await;
            while let Ok(message) = tokio::time::timeout(Duration::from_millis(500), self.next()).await {
                let message: Value = serde_json::from_slice(&message.payload).unwrap();
                if message["transaction"] == request["transaction"] {
                    return message;
                }
            }
        }
        panic!("nobody answers");
    }

    async fn attach(&mut self, session: u64) -> u64 {
        id(&self.ask_and_receive("to-janus", attach(session)).await)
    }

    async fn tell(&mut self, session: u64, handle: u64, body: Value) -> (Value, Publish) {
        self.ask("to-janus", message(session, handle, body)).await;
        self.receive("from-janus").await
    }
}
