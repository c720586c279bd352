//! Plays dialogues on a running server over a real WebSocket.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::pattern::Bindings;
use crate::pure::{ack_pattern, answer_pattern, asking, event_pattern};
use crate::script::{Line, Script, Step};

/// A server answers in well under this, also a loaded one.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn live_server_goes_as_written() {
    let Ok(url) = std::env::var("PLENUM_URL") else {
        return;
    };
    let mut failures = Vec::new();
    for script in crate::scripts().iter().filter(|script| script.plays_live()) {
        match play(script, &url).await {
            Ok(()) => report(&format!("passed  {} ({} cases)", script.name, script.cases.len())),
            Err(problem) => failures.push(problem),
        }
    }
    assert!(failures.is_empty(), "{} dialogues went differently:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[expect(clippy::print_stdout, reason = "whoever plays on a live server wants to see what was played")]
fn report(line: &str) {
    println!("{line}");
}

async fn play(script: &Script, url: &str) -> Result<(), String> {
    let mut stage =
        Stage { url: url.to_owned(), sockets: BTreeMap::new(), bindings: Bindings::default(), fresh: seed() };
    for line in &script.steps {
        stage
            .step(line)
            .await
            .map_err(|problem| format!("{}.dialogue:{}: {}\n  {problem}", script.name, line.number, line.text))?;
    }
    stage.finish().await.map_err(|problem| format!("{}.dialogue, at its end: {problem}", script.name))
}

/// Where numbers that name nothing yet begin: another place in every run on the same server.
fn seed() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

struct Stage {
    url: String,
    sockets: BTreeMap<String, WebSocketStream<MaybeTlsStream<TcpStream>>>,
    bindings: Bindings,
    fresh: u64,
}

impl Stage {
    async fn step(&mut self, line: &Line) -> Result<(), String> {
        match &line.step {
            Step::Opens(actor, plugin) => self.open(actor, plugin).await,
            Step::Sends(actor, message) => {
                let message = self.bindings.fill(message)?;
                self.send(actor, message).await
            }
            Step::Gets(actor, pattern) => self.expect(actor, pattern).await,
            Step::Asks(actor, body, sdp) => {
                let message = asking(&self.bindings, actor, body, sdp.as_ref())?;
                self.send(actor, message).await
            }
            Step::Has(actor, data) => self.expect(actor, &answer_pattern(actor, data)).await,
            Step::Acked(actor, hint) => self.expect(actor, &ack_pattern(actor, hint.as_deref())).await,
            Step::Told(actor, data, jsep) => self.expect(actor, &event_pattern(actor, data, true, *jsep)).await,
            Step::Hears(actor, data) => self.expect(actor, &event_pattern(actor, data, false, None)).await,
            Step::Let(name) => {
                self.fresh += 1;
                self.bindings.bind(name, self.fresh.into());
                Ok(())
            }
            Step::Event(..)
            | Step::Media(_)
            | Step::Wait(_)
            | Step::Closes(_)
            | Step::Polls { .. }
            | Step::Admin(_)
            | Step::AdminHas(_) => Err("not possible on a live server".to_owned()),
        }
    }

    async fn open(&mut self, actor: &str, plugin: &str) -> Result<(), String> {
        self.bindings.bind(&format!("${actor}.plugin"), plugin.into());
        self.send(actor, json!({"janus": "create", "transaction": "open"})).await?;
        let session = format!("${actor}.session");
        self.bindings.forget(&session);
        let created = json!({"janus": "success", "transaction": "open", "data": {"id": session}});
        self.expect(actor, &created).await?;
        let attach = json!({
            "janus": "attach", "transaction": "open", "session_id": session, "plugin": plugin,
        });
        let attach = self.bindings.fill(&attach)?;
        self.send(actor, attach).await?;
        let handle = format!("${actor}.handle");
        self.bindings.forget(&handle);
        let attached =
            json!({"janus": "success", "session_id": session, "transaction": "open", "data": {"id": handle}});
        self.expect(actor, &attached).await
    }

    async fn send(&mut self, actor: &str, message: Value) -> Result<(), String> {
        if !self.sockets.contains_key(actor) {
            let mut request = self.url.as_str().into_client_request().map_err(|error| error.to_string())?;
            request.headers_mut().insert("Sec-WebSocket-Protocol", "janus-protocol".parse().unwrap());
            let (socket, _) = connect_async(request).await.map_err(|error| error.to_string())?;
            self.sockets.insert(actor.to_owned(), socket);
        }
        let socket = self.sockets.get_mut(actor).ok_or("no socket")?;
        socket.send(Message::text(message.to_string())).await.map_err(|error| error.to_string())
    }

    async fn expect(&mut self, actor: &str, pattern: &Value) -> Result<(), String> {
        let socket = self.sockets.get_mut(actor).ok_or_else(|| format!("{actor} has said nothing yet"))?;
        let next = async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => break Ok(text),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => break Err(format!("{other:?}")),
                }
            }
        };
        let text = tokio::time::timeout(PATIENCE, next).await.map_err(|_| format!("{actor} gets nothing"))??;
        let message = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        self.bindings.fits(pattern, &message).map_err(|problem| format!("{problem}\n  in {message}"))
    }

    /// Nothing more may have come to anybody: the next message is the answer to a ping.
    async fn finish(&mut self) -> Result<(), String> {
        for actor in self.sockets.keys().cloned().collect::<Vec<_>>() {
            self.send(&actor, json!({"janus": "ping", "transaction": "end"})).await?;
            self.expect(&actor, &json!({"janus": "pong", "transaction": "end"})).await?;
        }
        Ok(())
    }
}
