//! `plenum drain`: has a running server end in good order, over its REST API. Knows the API only as a client.

use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use server::config::{Config, Secret};

use super::client::{Answer, Client};
use super::say;

const PATH: &str = "/v1/drain";
/// How often `--wait` looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// It says how far it is at every tenth look.
const LOOKS_PER_LINE: u64 = 10;

#[derive(Args)]
#[command(after_help = "\
The server is found by the configuration: --config, --set or the environment give admin.port and admin.token as to the server
itself.

Examples:
  plenum drain                   no room begins any more; the server ends when all have left, or at drain.deadline
  plenum drain --deadline 3600   … or in an hour at the latest
  plenum drain --wait            and returns when it has ended, as a preStop hook should
  plenum drain status            who is left
  plenum drain undo              goes on serving")]
pub(super) struct Drain {
    #[command(subcommand)]
    action: Option<Action>,
    /// Calls may go on for so long.
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// Returns only when the server has ended or does not drain any more.
    #[arg(long)]
    wait: bool,
    /// Prints the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// Whether it drains, and who is left.
    Status,
    /// Goes on serving as if nothing had been said.
    Undo,
}

pub(super) fn run(drain: &Drain, config: &Config) -> anyhow::Result<()> {
    let server = Server { client: Client::of(config)?, token: config.admin.token.as_ref().map(Secret::reveal) };
    let method = match drain.action {
        None => "PUT",
        Some(Action::Status) => "GET",
        Some(Action::Undo) => "DELETE",
    };
    let order = drain.deadline.map(|deadline| json!({"deadline": deadline}).to_string()).unwrap_or_default();
    let progress = server.ask(method, &order)?;
    say(&if drain.json { progress.to_string() } else { shown(&progress) });
    if drain.wait && drain.action.is_none() { server.wait(drain.json) } else { Ok(()) }
}

struct Server<'a> {
    client: Client,
    token: Option<&'a str>,
}

impl Server<'_> {
    fn ask(&self, method: &str, order: &str) -> anyhow::Result<Value> {
        let Answer { status, body } = self.client.request(method, PATH, self.token, order)?;
        let mut answer = self.client.json(&body)?;
        match (status, answer["detail"].take().as_str(), answer["title"].take().as_str()) {
            (200, ..) => Ok(answer),
            (_, Some(detail), _) => bail!("{detail}"),
            (_, None, Some(title)) => bail!("{title}"),
            (status, None, None) => bail!("the server refuses it ({status})"),
        }
    }

    /// Until nobody answers any more: the server has ended.
    fn wait(&self, json: bool) -> anyhow::Result<()> {
        for look in 1.. {
            pause(LOOK_INTERVAL);
            let Ok(progress) = self.ask("GET", "") else { break };
            if progress["draining"] != true {
                bail!("the server does not drain any more");
            }
            if look % LOOKS_PER_LINE == 0 {
                say(&if json { progress.to_string() } else { shown(&progress) });
            }
        }
        if !json {
            say("The server has ended.");
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a command for people and scripts: it has nothing else to do")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// For a person.
fn shown(progress: &Value) -> String {
    let count = |name: &str| progress[name].as_u64().unwrap_or_default();
    let of = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let left = format!("{} in {}", of(count("participants"), "participant"), of(count("rooms"), "room"));
    if progress["draining"] == true {
        format!("Draining: {left} left; ends in {} s at the latest.", count("remaining"))
    } else {
        format!("Not draining: {left}.")
    }
}
