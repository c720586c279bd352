//! Tells back-ends by HTTP of what happens: one task for each receiver takes the notices, keeps what the receiver wants, and posts it.
//! Nobody waits for a receiver but its own task.

mod janus;
mod outbox;
mod plenum;
mod signature;

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode, Uri};
use signaling::{HandleStatistics, Happening, Occurrence, Transport};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

pub(crate) use outbox::Counters;
use outbox::{Limits, Outbox, Outcome};
use signature::Key;

use crate::config::{Config, ConfigError, EventKind, Webhook, WebhookFormat};
use crate::http_client::{HttpClient, PostError};
use crate::metrics::{Metrics, WebhookMetrics};
use crate::now;

/// How long the last events may take at the stop.
const FLUSH_TIME: Duration = Duration::from_secs(3);

/// The receivers of `[[webhooks]]`.
pub(crate) struct Webhooks {
    hooks: Vec<Hook>,
}

/// A receiver.
struct Hook {
    url: Uri,
    key: Option<Key>,
    events: Vec<EventKind>,
    format: WebhookFormat,
    /// What Janus' format calls this server.
    emitter: String,
    timeout: Duration,
    limits: Limits,
    statistics_interval: Duration,
    client: HttpClient,
}

impl Webhooks {
    /// Those of `config`, with their keys.
    ///
    /// # Errors
    /// A key or URL that is none, or no authority to trust.
    pub(crate) fn read(config: &Config, file: Option<&Path>) -> Result<Self, ConfigError> {
        let hook = |(index, webhook)| Hook::read(index, webhook, &config.signaling.server_name, file);
        Ok(Self { hooks: config.webhooks.iter().enumerate().map(hook).collect::<Result<_, _>>()? })
    }

    /// Starts to tell them; the tasks end soon after the notices.
    pub(crate) fn serve(self, transport: &Transport, metrics: &Metrics, tasks: &mut JoinSet<()>) {
        for (index, hook) in self.hooks.into_iter().enumerate() {
            tasks.spawn(hook.run(index, transport.notices(), transport.clone(), metrics.webhook(index)));
        }
    }
}

impl Hook {
    fn read(index: usize, webhook: &Webhook, emitter: &str, file: Option<&Path>) -> Result<Self, ConfigError> {
        let wrong = |key: &str, right: &str| ConfigError::value(file, &format!("webhooks.{index}.{key}"), right);
        let no_key = || {
            let right = "whsec_ and the Base64 of 24 to 64 bytes, such as `echo whsec_$(head -c 32 /dev/urandom | base64)` prints";
            wrong("key", right)
        };
        let key = webhook.key.as_ref().map(|key| Key::parse(key.reveal()).ok_or_else(no_key)).transpose()?;
        let url = webhook.url.parse::<Uri>().ok().filter(|url| url.host().is_some());
        let trust = |error| wrong("url", &format!("http:, or on a machine with authorities to trust: {error}"));
        Ok(Self {
            url: url.ok_or_else(|| wrong("url", "a URL, such as \"https://backend.example.org/plenum\""))?,
            key,
            events: webhook.events.clone(),
            format: webhook.format,
            emitter: emitter.to_owned(),
            timeout: Duration::from_secs(webhook.timeout),
            limits: Limits {
                queue: webhook.queue,
                batch: webhook.batch,
                retry_for: Duration::from_secs(webhook.retry_for),
            },
            statistics_interval: Duration::from_secs(webhook.statistics_interval),
            client: HttpClient::new().map_err(trust)?,
        })
    }

    async fn run(self, index: usize, mut notices: Receiver<Occurrence>, transport: Transport, metrics: WebhookMetrics) {
        let mut measured = Box::pin(self.measured(&transport));
        let mut outbox = Outbox::new(self.limits);
        let mut sequence = 0;
        // Names of posts must not come again after a start.
        let run: u64 = rand::random();
        let mut is_failing = false;
        loop {
            let post = outbox.poll_batch(now()).cloned();
            let (is_posting, deadline) = (post.is_some(), outbox.poll_timeout());
            let settled = async {
                match (post, deadline) {
                    (Some(batch), _) => Some(self.post(run, &batch).await),
                    (None, Some(deadline)) => {
                        tokio::time::sleep_until(deadline.into()).await;
                        None
                    }
                    (None, None) => std::future::pending().await,
                }
            };
            let mut settled = std::pin::pin!(settled);
            let answer = loop {
                metrics.publish(&outbox.counters());
                let was_idle = outbox.is_empty();
                tokio::select! {
                    notice = notices.recv() => match notice {
                        Ok(occurrence) => self.take(&occurrence, &mut sequence, &mut outbox),
                        Err(RecvError::Lagged(missed)) => outbox.miss(missed),
                        Err(RecvError::Closed) => {
                            let last = async {
                                if is_posting && let Some(answer) = settled.as_mut().await {
                                    outbox.settle(outcome(&answer), rand::random(), now());
                                }
                                self.flush(run, &mut outbox).await;
                            };
                            let _ = tokio::time::timeout(FLUSH_TIME, last).await;
                            let lost = outbox.counters().waiting;
                            if lost > 0 {
                                tracing::warn!(hook = index, lost, "events are lost with the end");
                            }
                            return;
                        }
                    },
                    statistics = &mut measured => {
                        self.take_statistics(&statistics, &mut sequence, &mut outbox);
                        measured.set(self.measured(&transport));
                    }
                    answer = &mut settled => break answer,
                }
                if was_idle && !outbox.is_empty() {
                    break None;
                }
            };
            if let Some(answer) = answer {
                tell_change(index, &answer, &mut is_failing);
                outbox.settle(outcome(&answer), rand::random(), now());
            }
        }
    }

    /// How the audio of everybody travels, after an interval; never, if the receiver does not want to know.
    async fn measured(&self, transport: &Transport) -> Vec<HandleStatistics> {
        if !self.events.contains(&EventKind::Statistics) {
            return std::future::pending().await;
        }
        tokio::time::sleep(self.statistics_interval).await;
        transport.measure_all().await
    }

    fn take_statistics(&self, statistics: &[HandleStatistics], sequence: &mut u64, outbox: &mut Outbox) {
        let since_1970 = crate::since_1970();
        for of in statistics {
            *sequence += 1;
            let event = match self.format {
                WebhookFormat::Plenum => plenum::statistics(of, *sequence, UNIX_EPOCH + since_1970),
                WebhookFormat::Janus => janus::statistics(of, &self.emitter, since_1970),
            };
            outbox.push(event.to_string());
        }
    }

    fn take(&self, occurrence: &Occurrence, sequence: &mut u64, outbox: &mut Outbox) {
        let Occurrence { at, notice } = occurrence;
        if !kind(&notice.what).is_some_and(|kind| self.events.contains(&kind)) {
            return;
        }
        *sequence += 1;
        let since_1970 = crate::since_1970().saturating_sub(now().saturating_duration_since(*at));
        match self.format {
            WebhookFormat::Plenum => {
                outbox.push(plenum::event(notice, *sequence, UNIX_EPOCH + since_1970).to_string());
            }
            WebhookFormat::Janus => {
                for event in janus::events(notice, &self.emitter, since_1970) {
                    outbox.push(event.to_string());
                }
            }
        }
    }

    /// Posts what is left, each batch once.
    async fn flush(&self, run: u64, outbox: &mut Outbox) {
        outbox.hurry(now());
        while let Some(batch) = outbox.poll_batch(now()).cloned() {
            match outcome(&self.post(run, &batch).await) {
                outcome @ (Outcome::Taken | Outcome::Refused) => outbox.settle(outcome, 0.0, now()),
                Outcome::Failed => return,
            }
        }
    }

    async fn post(&self, run: u64, batch: &outbox::Batch) -> Result<StatusCode, PostError> {
        let mut request = Request::post(&self.url).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            let id = format!("msg_{run:016x}{:08x}", batch.number);
            let timestamp = crate::since_1970().as_secs();
            request = request
                .header("webhook-signature", key.sign(&id, timestamp, &batch.body))
                .header("webhook-id", id)
                .header("webhook-timestamp", timestamp);
        }
        // The parts were checked when they were read.
        let request = request.body(batch.body.clone().into()).map_err(|_| PostError::Broken)?;
        self.client.send(request, self.timeout).await
    }
}

/// A redirect is a failure as well: whoever moves a receiver tells its sender.
fn outcome(answer: &Result<StatusCode, PostError>) -> Outcome {
    match answer {
        Ok(status) if status.is_success() => Outcome::Taken,
        Ok(StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS) => Outcome::Failed,
        Ok(status) if status.is_client_error() => Outcome::Refused,
        Ok(_) | Err(_) => Outcome::Failed,
    }
}

/// Logs when a receiver stops and starts to take what it is sent, and not each time.
fn tell_change(hook: usize, answer: &Result<StatusCode, PostError>, is_failing: &mut bool) {
    let failed = outcome(answer) != Outcome::Taken;
    if std::mem::replace(is_failing, failed) == failed {
        return;
    }
    match answer {
        Ok(_) if !failed => tracing::info!(hook, "the webhook takes events again"),
        Ok(status) => tracing::warn!(hook, status = status.as_u16(), "the webhook does not take events"),
        Err(error) => tracing::warn!(hook, %error, "the webhook does not take events"),
    }
}

/// Of which kind it is; `None` if webhooks are not told of it.
fn kind(what: &Happening) -> Option<EventKind> {
    Some(match what {
        Happening::ServerStarted | Happening::ServerStopping | Happening::Overloaded { .. } => EventKind::Server,
        Happening::SessionCreated { .. } | Happening::SessionClaimed { .. } | Happening::SessionEnded { .. } => {
            EventKind::Session
        }
        Happening::HandleAttached { .. } | Happening::HandleDetached { .. } => EventKind::Handle,
        Happening::RoomCreated { .. }
        | Happening::RoomEdited { .. }
        | Happening::RoomDestroyed { .. }
        | Happening::RoomMuted { .. } => EventKind::Room,
        Happening::ParticipantJoined { .. }
        | Happening::ParticipantLeft { .. }
        | Happening::ParticipantMoved { .. }
        | Happening::ParticipantMuted { .. } => EventKind::Participant,
        Happening::Talking { .. } => EventKind::Talking,
        Happening::RecordingDone { .. } => EventKind::Recording,
        Happening::SdpExchanged { .. } => EventKind::Sdp,
        Happening::PathFound | Happening::Connected | Happening::Disconnected { .. } => EventKind::Connection,
        Happening::CandidateTold { .. } => EventKind::Candidate,
        Happening::ConnectionOpened { .. } | Happening::ConnectionClosed { .. } => EventKind::Transport,
        Happening::Receiving { .. } | Happening::SlowLink { .. } => EventKind::Media,
        Happening::Custom { .. } => EventKind::Custom,
        Happening::Refused { .. } => return None,
    })
}
