//! `plenum health`: whether the server that runs here is alive, for supervisors that can only start a program. Knows the answer
//! as a client.

use anyhow::bail;
use clap::Args;
use server::config::Config;

use super::client::{Answer, Client};
use super::say;

#[derive(Args)]
#[command(after_help = "\
The server is found by the configuration: --config, --set or the environment give admin.port as to the server itself.
Exit status: 0 it is, 1 it is not or nobody answers.")]
pub(super) struct Health {
    /// Whether it takes new rooms: not while it drains or is overloaded.
    #[arg(long)]
    ready: bool,
}

pub(super) fn run(health: &Health, config: &Config) -> anyhow::Result<()> {
    let path = if health.ready { "/readyz" } else { "/livez" };
    let Answer { status, body } = Client::of(config)?.request("GET", path, None, "")?;
    if status != 200 {
        bail!("{body}");
    }
    say(&body);
    Ok(())
}
