//! Traces of joins for OpenTelemetry, sent by OTLP over HTTP: made from notices once a join is over, so that nothing on the way of a
//! packet knows of them.

mod joins;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::http::{Request, Response};
use hyper::body::Bytes;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use signaling::Occurrence;
use tokio::runtime::Handle;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::config::{ConfigError, Telemetry};
use crate::http_client::HttpClient;
use crate::now;
use joins::{Join, Joins};

/// How long the collector may take for a batch of spans …
const EXPORT_TIME: Duration = Duration::from_secs(10);
/// … and for the last ones, at the stop.
const FLUSH_TIME: Duration = Duration::from_secs(3);

/// The way to a collector.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// As `[telemetry]` says. Spans leave from a thread of the exporter's own, over connections of this runtime.
    ///
    /// # Errors
    /// An endpoint that is none.
    pub(crate) fn open(config: &Telemetry, file: Option<&Path>) -> Result<Self, ConfigError> {
        let wrong = |right: &str| ConfigError::value(file, "telemetry.endpoint", right);
        let client = HttpClient::new()
            .map_err(|error| wrong(&format!("left out, or on a machine with authorities to trust: {error}")))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Exporting { client, runtime: Handle::current() })
            .with_endpoint(&config.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT_TIME)
            .build()
            .map_err(|_| wrong("a URL, such as \"http://localhost:4318/v1/traces\""))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::TraceIdRatioBased(config.sample_ratio))
            .with_resource(Resource::builder_empty().with_service_name(config.service_name.clone()).build())
            .build();
        Ok(Self { provider })
    }

    /// Follows the notices to their end.
    pub(crate) async fn run(self, mut notices: Receiver<Occurrence>) {
        let tracer = self.provider.tracer("plenum");
        let mut joins = Joins::default();
        loop {
            match notices.recv().await {
                Ok(occurrence) => {
                    if let Some(join) = joins.handle(&occurrence) {
                        record(&tracer, &join);
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    joins.forget();
                    tracing::debug!(missed, "joins are missing from traces");
                }
                Err(RecvError::Closed) => break,
            }
        }
        let flushed = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH_TIME)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::debug!("the last traces are lost");
        }
    }
}

fn record(tracer: &SdkTracer, join: &Join) {
    let mut attributes = vec![number("plenum.session", join.session.0), number("plenum.handle", join.handle.0)];
    if let Some(place) = &join.place {
        attributes.push(KeyValue::new("plenum.room", place.room.to_string()));
        attributes.push(KeyValue::new("plenum.participant", place.participant.to_string()));
    }
    let root = SpanBuilder::from_name("join")
        .with_kind(SpanKind::Server)
        .with_start_time(wall_clock(join.start))
        .with_attributes(attributes)
        .start_with_context(tracer, &Context::new());
    let context = Context::new().with_span(root);
    for phase in &join.phases {
        SpanBuilder::from_name(phase.name)
            .with_start_time(wall_clock(phase.start))
            .start_with_context(tracer, &context)
            .end_with_timestamp(wall_clock(phase.end));
    }
    if let Some(failure) = &join.failure {
        context.span().set_status(Status::error(failure.to_string()));
    }
    context.span().end_with_timestamp(wall_clock(join.end));
}

/// Ids are below 2^53 as a rule, and OpenTelemetry has no unsigned numbers.
fn number(name: &'static str, id: u64) -> KeyValue {
    KeyValue::new(name, i64::try_from(id).unwrap_or(i64::MAX))
}

fn wall_clock(at: Instant) -> SystemTime {
    UNIX_EPOCH + crate::since_1970().saturating_sub(now().saturating_duration_since(at))
}

/// Our HTTP client for the exporter, whose thread has no runtime.
#[derive(Debug)]
struct Exporting {
    client: HttpClient,
    runtime: Handle,
}

#[async_trait]
impl opentelemetry_http::HttpClient for Exporting {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, opentelemetry_http::HttpError> {
        let client = self.client.clone();
        let status = self.runtime.spawn(async move { client.send(request, EXPORT_TIME).await }).await??;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Ok(response)
    }
}
