//! `plenum reload`: has a running server read its configuration again, over its REST API. Knows the API only as a client.

use anyhow::bail;
use clap::Args;
use serde_json::Value;
use server::config::{Config, Secret};

use super::client::{Answer, Client};
use super::say;

const PATH: &str = "/v1/config/reload";

#[derive(Args)]
#[command(after_help = "\
The server is found by the configuration: --config, --set or the environment give admin.port and admin.token as to the server
itself. A server without admin.token reloads on SIGHUP.")]
pub(super) struct Reload {
    /// Prints the answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(reload: &Reload, config: &Config) -> anyhow::Result<()> {
    let client = Client::of(config)?;
    let token = config.admin.token.as_ref().map(Secret::reveal);
    let Answer { status, body } = client.request("POST", PATH, token, "")?;
    let answer = client.json(&body)?;
    if status == 401 {
        bail!("the server has another admin.token than this configuration: reload it by SIGHUP");
    }
    if status != 200 {
        let why = answer["detail"].as_str().or(answer["title"].as_str());
        bail!("{}", why.unwrap_or("the server refuses it"));
    }
    say(&if reload.json { answer.to_string() } else { shown(&answer) });
    Ok(())
}

/// For a person.
fn shown(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    let lines = |part: &str, end: &str| {
        let changes = answer[part].as_array().cloned().unwrap_or_default();
        let line = |change: &Value| {
            format!("{}: {} -> {}{end}", text(&change["key"]), text(&change["old"]), text(&change["new"]))
        };
        changes.iter().map(line).collect::<Vec<_>>()
    };
    let all = [lines("changed", ""), lines("restart", " (needs a restart)")].concat();
    if all.is_empty() { "The configuration has not changed.".to_owned() } else { all.join("\n") }
}
