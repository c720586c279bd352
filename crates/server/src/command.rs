//! The command line: what can be asked of the binary, and where each is done.

mod client;
mod drain;
mod health;
mod reload;
mod rooms;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use server::config::{self, Config, ConfigError};
use server::janus::JanusConfig;

/// Mixes audio conferences: a drop-in replacement for the AudioBridge of a Janus WebRTC server.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  plenum                                    start with the defaults and talk at http://localhost:8088/
  plenum --config /etc/plenum/plenum.toml   start as configured
  plenum --set http.port=9000               the same, with one key set here
  plenum --janus-config /etc/janus          start with the files of a Janus server as they are
  plenum import /etc/janus > plenum.toml    make a file of ours from them; comments say what has no meaning
  plenum check-config --config plenum.toml  say what is wrong with a file, and do nothing else
  plenum rooms list                         the rooms of the server that runs here
  plenum rooms create 42 --pin 1234         one more room; see plenum rooms --help
  plenum reload                             has it read its configuration again
  plenum drain                              no new rooms here; the server ends when its calls have

Every key, its unit and its default: config/plenum.toml. An environment variable such as PLENUM_HTTP__PORT=9000 sets a key over
the file, --set over both. Exit status: 0 done, 3 the server has ended by cutting calls, 78 the configuration is wrong, 1 anything else.";

/// Where the configuration comes from.
#[derive(Args)]
pub(crate) struct Source {
    /// The configuration file; without it, the defaults of config/plenum.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The configuration folder of a Janus server, read as it is.
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "config")]
    janus_config: Option<PathBuf>,
    /// Sets one key, over the file and the environment.
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    assignments: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server. What `plenum` does without any command.
    Serve,
    /// Says whether the configuration is right, and if not, what is wrong where; starts nothing.
    CheckConfig,
    /// Prints a configuration file made from the folder of a Janus server; comments say what has no meaning here and why.
    Import {
        /// The folder, such as /etc/janus.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Shows and changes the rooms of a running server, over its admin API.
    Rooms(rooms::Rooms),
    /// Has a running server read its configuration again, over its REST API: says what has changed and what needs a restart.
    Reload(reload::Reload),
    /// Has a running server begin no room and end when all have left, over its REST API.
    Drain(drain::Drain),
    /// Says whether the running server is alive.
    Health(health::Health),
    /// Prints the version.
    Version,
}

/// Calls were cut by the end of the server: at the deadline of a drain, or because nobody waited for it.
const CALLS_CUT: u8 = 3;

pub(crate) fn run(Arguments { source, command }: Arguments) -> anyhow::Result<ExitCode> {
    match command {
        None | Some(Command::Serve) => return serve::serve(&source),
        Some(Command::CheckConfig) => {
            let (source, config) = (source.of_config(), source.load()?);
            server::check(&config, &source)?;
            config.warnings().iter().for_each(|warning| warn(warning));
            let rooms = config.rooms().len();
            say(&format!("The configuration is right: it has {rooms} room{}.", if rooms == 1 { "" } else { "s" }));
        }
        Some(Command::Import { folder }) => {
            let janus = JanusConfig::read(&folder)?;
            // What is printed must be what --janus-config starts with.
            config::Source { janus: Some(folder.clone()), ..config::Source::default() }.load()?;
            say(&format!("# Made from {} by plenum import.\n\n{}", folder.display(), janus.to_toml().trim_end()));
        }
        Some(Command::Rooms(rooms)) => rooms::run(rooms, &source.load()?)?,
        Some(Command::Drain(drain)) => drain::run(&drain, &source.load()?)?,
        Some(Command::Reload(reload)) => reload::run(&reload, &source.load()?)?,
        Some(Command::Health(health)) => health::run(&health, &source.load()?)?,
        Some(Command::Version) => {
            say(concat!("plenum ", env!("CARGO_PKG_VERSION")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Source {
    fn load(&self) -> Result<Config, ConfigError> {
        self.of_config().load()
    }

    /// The same as the server reads it.
    fn of_config(&self) -> config::Source {
        let Self { config, janus_config, assignments } = self;
        config::Source { file: config.clone(), janus: janus_config.clone(), assignments: assignments.clone() }
    }
}

#[expect(clippy::print_stderr, reason = "what is asked for is on the other stream")]
fn warn(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "the answer to what was asked on the command line")]
fn say(text: &str) {
    println!("{text}");
}
