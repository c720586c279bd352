//! POST for requests, long poll for events: what janus.js does over HTTP.

use std::sync::mpsc::Sender;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::http::HttpConnection;
use crate::dialogue::Request;
use crate::driver::{DriverInput, Seat};
use crate::notice::Notice;
use crate::server_url::ServerUrl;

/// What janus.js asks for at once.
const MAX_EVENTS: u32 = 10;

/// Until the requests end (fine) or the server goes away (an error).
pub(super) async fn talk(
    url: &ServerUrl,
    api_secret: Option<String>,
    mut requests: UnboundedReceiver<Request>,
    seat: Seat,
    inbox: &Sender<DriverInput>,
) -> anyhow::Result<()> {
    let mut posts = HttpConnection::new(url);
    let mut session = None;
    loop {
        let Some(session) = session else {
            let Some(request) = requests.recv().await else {
                return Ok(());
            };
            session = post(url, &mut posts, request, seat, inbox).await?;
            continue;
        };
        let secret = api_secret.map(|secret| format!("&apisecret={secret}")).unwrap_or_default();
        let path = format!("{}/{session}?maxev={MAX_EVENTS}{secret}", url.path);
        // Each direction on a connection of its own; whichever ends first ends the other.
        return tokio::select! {
            result = post_all(url, &mut posts, &mut requests, seat, inbox) => result,
            result = poll_all(url, &path, seat, inbox) => result,
        };
    }
}

async fn post_all(
    url: &ServerUrl,
    connection: &mut HttpConnection,
    requests: &mut UnboundedReceiver<Request>,
    seat: Seat,
    inbox: &Sender<DriverInput>,
) -> anyhow::Result<()> {
    while let Some(request) = requests.recv().await {
        post(url, connection, request, seat, inbox).await?;
    }
    Ok(())
}

/// Posts one request; returns the session if it made one.
async fn post(
    url: &ServerUrl,
    connection: &mut HttpConnection,
    request: Request,
    seat: Seat,
    inbox: &Sender<DriverInput>,
) -> anyhow::Result<Option<u64>> {
    let ids = [request.session, request.handle].into_iter().flatten();
    let path = ids.fold(url.path.clone(), |path, id| format!("{path}/{id}"));
    let (status, body) = connection.request(&path, Some(&request.text)).await?;
    if status != 200 {
        bail!("HTTP status {status} for {path}");
    }
    let notice = Notice::parse(&body).context("an answer that is not of the Janus protocol")?;
    let created = match &notice {
        Notice::Success { id, .. } if request.session.is_none() => *id,
        Notice::Success { .. }
        | Notice::Ack { .. }
        | Notice::Error { .. }
        | Notice::Event { .. }
        | Notice::Info { .. }
        | Notice::WebRtcUp
        | Notice::Hangup { .. }
        | Notice::Timeout
        | Notice::Other => None,
    };
    let _ = inbox.send(DriverInput::Notice { seat, notice });
    Ok(created)
}

async fn poll_all(url: &ServerUrl, path: &str, seat: Seat, inbox: &Sender<DriverInput>) -> anyhow::Result<()> {
    let mut connection = HttpConnection::new(url);
    loop {
        let (status, body) = connection.request(path, None).await?;
        if status != 200 {
            bail!("HTTP status {status} for the long poll");
        }
        // An array, because more than one event was asked for; some servers send a single one as it is.
        let events: Vec<Value> = if body.trim_start().starts_with('[') {
            serde_json::from_str(&body).context("long poll")?
        } else {
            vec![serde_json::from_str(&body).context("long poll")?]
        };
        for event in events {
            let notice = Notice::parse(&event.to_string()).context("an event that is not of the Janus protocol")?;
            if notice != Notice::Other && inbox.send(DriverInput::Notice { seat, notice }).is_err() {
                return Ok(());
            }
        }
    }
}
