//! The configuration, read again while the server runs: checked as a whole before anything changes, then taken over as far as
//! that goes without a restart. Knows who has to be told; what each key means is theirs to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use signaling::{Access, Transport};
use tokio::sync::{Mutex, mpsc, watch};

use crate::certificate::CertificateFiles;
use crate::config::{Change, Config, ConfigError, Secret, Source};
use crate::logs::level_of;
use crate::ports::{self, Port};
use crate::{certificate_files, signaling_config};

/// Reads the configuration again, one at a time. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Reloader(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// What is in effect.
    current: Mutex<Config>,
    audience: Audience,
}

/// Who is told of a new configuration.
#[derive(Debug)]
pub(crate) struct Audience {
    pub(crate) transport: Transport,
    pub(crate) access: BTreeMap<Port, watch::Sender<Access>>,
    /// The token of the REST API.
    pub(crate) token: watch::Sender<Option<Secret>>,
    pub(crate) filter: watch::Sender<String>,
    /// Who looks after the certificate, if a port has one.
    pub(crate) certificate: mpsc::Sender<CertificateFiles>,
    /// Who has to know which rooms are configured.
    pub(crate) configured: mpsc::UnboundedSender<Vec<signaling::RoomId>>,
}

/// What has come of reading it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reload {
    /// Keys whose new value is in effect.
    pub changed: Vec<Change>,
    /// Keys whose new value waits for a restart.
    pub restart: Vec<Change>,
}

impl Reloader {
    pub(crate) fn new(source: Source, current: Config, audience: Audience) -> Self {
        Self(Arc::new(Inner { source, current: Mutex::new(current), audience }))
    }

    /// Reads it again.
    ///
    /// # Errors
    /// As at the start; then nothing has changed.
    pub(crate) async fn reload(&self) -> Result<Reload, ConfigError> {
        let outcome = self.take().await;
        match &outcome {
            Ok(reload) => reload.log(),
            Err(error) => tracing::error!(%error, "the configuration stays as it is"),
        }
        outcome
    }

    async fn take(&self) -> Result<Reload, ConfigError> {
        let Inner { source, current, audience } = &*self.0;
        let mut current = current.lock().await;
        let new = source.load()?;
        crate::check(&new, source)?;
        let certificate = certificate_files(&new, source.file.as_deref())?;

        let next = current.reloaded(&new);
        audience.tell(&current, &next, certificate).await;
        for warning in next.warnings() {
            tracing::warn!("{warning}");
        }
        let reload = Reload { changed: current.changes(&next), restart: next.changes(&new) };
        *current = next;
        Ok(reload)
    }
}

impl Audience {
    /// Tells everybody; nothing of it can fail.
    async fn tell(&self, old: &Config, next: &Config, certificate: Option<CertificateFiles>) {
        for (port, access) in ports::access(next) {
            if let Some(told) = self.access.get(&port) {
                told.send_replace(access);
            }
        }
        self.token.send_replace(next.admin.token.clone());
        self.filter.send_replace(next.log.filter.clone());
        self.transport.allow_origins(&next.http.allow_origin, next.http.enforce_cors);
        if let Some(certificate) = certificate {
            // Nobody takes it where no port had TLS at the start.
            let _ = self.certificate.send(certificate).await;
        }
        let string_ids = next.signaling.string_ids;
        let added = old.added_rooms(next);
        // Before there is such a room, so that the store knows it when it is destroyed.
        let _ = self.configured.send(added.iter().filter_map(|room| room.room.for_signaling(string_ids)).collect());
        let core = signaling::Config {
            rooms: added.into_iter().map(|room| room.for_signaling(string_ids)).collect(),
            ..signaling_config(next, &[], level_of(&next.log.filter))
        };
        if !self.transport.reconfigure(core).await {
            tracing::warn!("signaling has not taken the new configuration: the server is ending");
        }
    }
}

impl Reload {
    fn log(&self) {
        if self.changed.is_empty() && self.restart.is_empty() {
            tracing::info!("the configuration has not changed");
        }
        for Change { key, old, new } in &self.changed {
            tracing::info!(key, old, new, "configuration changed");
        }
        for Change { key, old, new } in &self.restart {
            tracing::warn!(key, old, new, "configuration changed: needs a restart");
        }
    }
}
