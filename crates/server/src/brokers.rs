//! `[rabbitmq]` and `[mqtt]` as signaling takes them. Knows no socket; it reads the certificates.

mod tls;

use std::path::Path;

use signaling::Transport;
use tokio::task::JoinSet;

use crate::config::{Config, ConfigError};

/// The brokers to serve.
pub(crate) struct Brokers {
    #[cfg(feature = "rabbitmq")]
    rabbitmq: Option<signaling::RabbitMqConfig>,
    #[cfg(feature = "mqtt")]
    mqtt: Option<signaling::MqttConfig>,
}

impl Brokers {
    /// Those of `config`, with their certificates.
    pub(crate) fn read(config: &Config, file: Option<&Path>) -> Result<Self, ConfigError> {
        Ok(Self {
            #[cfg(feature = "rabbitmq")]
            rabbitmq: config.rabbitmq.as_ref().map(|rabbitmq| rabbitmq_config(rabbitmq, file)).transpose()?,
            #[cfg(feature = "mqtt")]
            mqtt: config.mqtt.as_ref().map(|mqtt| mqtt_config(mqtt, file)).transpose()?,
        })
    }

    /// Starts to serve them.
    pub(crate) fn serve(self, transport: &Transport, tasks: &mut JoinSet<()>) {
        #[cfg(feature = "rabbitmq")]
        if let Some(rabbitmq) = self.rabbitmq {
            tasks.spawn(transport.clone().serve_rabbitmq(rabbitmq));
        }
        #[cfg(feature = "mqtt")]
        if let Some(mqtt) = self.mqtt {
            tasks.spawn(transport.clone().serve_mqtt(mqtt));
        }
    }
}

#[cfg(feature = "rabbitmq")]
fn rabbitmq_config(
    rabbitmq: &crate::config::RabbitMq,
    file: Option<&Path>,
) -> Result<signaling::RabbitMqConfig, ConfigError> {
    use crate::config::{ExchangeType, RabbitMqQueues};
    let queues = |queues: &RabbitMqQueues| signaling::RabbitMqQueues {
        queue_name: queues.queue_name.clone(),
        to_janus: queues.to_janus.clone(),
        from_janus: queues.from_janus.clone(),
        declare_outgoing_queue: queues.declare_outgoing_queue,
        durable: queues.queue_durable,
        autodelete: queues.queue_autodelete,
        exclusive: queues.queue_exclusive,
    };
    let tls = rabbitmq.tls.as_ref().map(|tls| tls::client_config(tls, "rabbitmq", file)).transpose()?;
    Ok(signaling::RabbitMqConfig {
        host: rabbitmq.host.clone(),
        port: rabbitmq.port,
        vhost: rabbitmq.vhost.clone(),
        username: rabbitmq.username.clone(),
        password: rabbitmq.password.reveal().to_owned(),
        tls,
        heartbeat: std::time::Duration::from_secs(rabbitmq.heartbeat),
        exchange: rabbitmq.exchange.clone(),
        exchange_type: match rabbitmq.exchange_type {
            ExchangeType::Fanout => signaling::ExchangeType::Fanout,
            ExchangeType::Direct => signaling::ExchangeType::Direct,
            ExchangeType::Topic => signaling::ExchangeType::Topic,
            ExchangeType::Headers => signaling::ExchangeType::Headers,
        },
        api: rabbitmq.api.as_ref().map(queues),
        admin: rabbitmq.admin.as_ref().map(queues),
    })
}

#[cfg(feature = "mqtt")]
fn mqtt_config(mqtt: &crate::config::Mqtt, file: Option<&Path>) -> Result<signaling::MqttConfig, ConfigError> {
    use crate::config::{MqttTopics, MqttVersion};
    let qos = |number| match number {
        0 => signaling::Qos::AtMostOnce,
        1 => signaling::Qos::AtLeastOnce,
        _ => signaling::Qos::ExactlyOnce,
    };
    let topics = |section: &str, topics: &MqttTopics| signaling::MqttTopics {
        subscribe_topic: topics.subscribe_topic(section),
        subscribe_qos: qos(topics.subscribe_qos),
        publish_topic: topics.publish_topic(section),
        publish_qos: qos(topics.publish_qos),
    };
    let unusable = || ConfigError::value(file, "mqtt.url", "tcp://HOST:PORT, or ssl://HOST:PORT for TLS");
    let broker = mqtt.broker().ok_or_else(unusable)?;
    let tls = if broker.tls {
        let config = tls::client_config(&mqtt.tls.clone().unwrap_or_default(), "mqtt", file)?;
        let server_name = broker.host.clone().try_into().map_err(|_| unusable())?;
        Some(signaling::MqttTls { config, server_name })
    } else {
        None
    };
    Ok(signaling::MqttConfig {
        host: broker.host,
        port: broker.port,
        tls,
        version: match mqtt.version {
            MqttVersion::V3 => signaling::MqttVersion::V3,
            MqttVersion::V5 => signaling::MqttVersion::V5,
        },
        client_id: mqtt.client_id.clone(),
        username: mqtt.username.clone(),
        password: mqtt.password.as_ref().map(|password| password.reveal().to_owned()),
        keep_alive: mqtt.keep_alive,
        clean_session: mqtt.clean_session,
        max_inflight: mqtt.max_inflight,
        max_buffered: mqtt.max_buffered,
        proxy_user_properties: mqtt.proxy_user_properties.clone(),
        add_user_properties: mqtt.add_user_properties.clone(),
        api: mqtt.api.as_ref().map(|section| topics("api", section)),
        admin: mqtt.admin.as_ref().map(|section| topics("admin", section)),
        status: mqtt.status.as_ref().map(|status| signaling::MqttStatus {
            topic: status.topic.clone(),
            qos: qos(status.qos),
            retain: status.retain,
            connect_message: status.connect_message.clone(),
            disconnect_message: status.disconnect_message.clone(),
        }),
    })
}
