//! `plenum rooms`: requests to the AudioBridge of a running server, over its admin API. Knows the API only as a client.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use server::config::Config;

use super::client::Client;
use super::say;

/// Properties that are texts, whatever they look like: a pin of digits is one as well.
const TEXTS: [&str; 11] = [
    "description",
    "secret",
    "pin",
    "record_file",
    "record_dir",
    "mjrs_dir",
    "new_description",
    "new_secret",
    "new_pin",
    "new_record_dir",
    "new_mjrs_dir",
];

#[derive(Args)]
#[command(after_help = "\
The server is found by the configuration: --config, --set or the environment give admin.port, admin.secret and
signaling.admin_key as to the server itself.

Examples:
  plenum rooms list
  plenum rooms create 42 --description \"Town hall\" --pin 1234 --permanent
  plenum rooms create --property audiolevel_event=true --property 'groups=[\"a\", \"b\"]'
  plenum rooms edit 42 --property new_pin=4321 --permanent
  plenum rooms participants 42
  plenum rooms kick 42 7
  plenum rooms destroy 42 --permanent")]
pub(super) struct Rooms {
    #[command(subcommand)]
    action: Action,
    /// The secret of the room, if it has one.
    #[arg(long, global = true)]
    secret: Option<String>,
    /// Prints the reply as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// Every room.
    List,
    /// Makes a room. The secret that is given is the one it will need.
    Create {
        /// Its id; without one the server draws it.
        room: Option<String>,
        /// What it is called.
        #[arg(long)]
        description: Option<String>,
        /// What joining it needs.
        #[arg(long)]
        pin: Option<String>,
        /// Leaves it out of lists.
        #[arg(long)]
        private: bool,
        #[command(flatten)]
        more: More,
    },
    /// Changes a room: --property new_description=…, new_secret, new_pin, new_is_private.
    Edit {
        /// Its id.
        room: String,
        #[command(flatten)]
        more: More,
    },
    /// Ends a room; whoever is in it is told.
    Destroy {
        /// Its id.
        room: String,
        /// Also the next time the server starts.
        #[arg(long)]
        permanent: bool,
    },
    /// Who is in a room.
    Participants {
        /// Its id.
        room: String,
    },
    /// Puts a participant out.
    Kick {
        /// The room it is in.
        room: String,
        /// Its id there.
        participant: String,
    },
}

#[derive(Args)]
struct More {
    /// Also the next time the server starts.
    #[arg(long)]
    permanent: bool,
    /// Any other property of the request, as JSON or else a text.
    #[arg(long = "property", value_name = "NAME=VALUE")]
    properties: Vec<String>,
}

pub(super) fn run(Rooms { action, secret, json }: Rooms, config: &Config) -> anyhow::Result<()> {
    let mut body = request(action, config)?;
    if let Some(secret) = secret {
        body.insert("secret".to_owned(), secret.into());
    }
    if let Some(key) = &config.signaling.admin_key {
        body.insert("admin_key".to_owned(), key.reveal().into());
    }
    let wants_permanence = body.get("permanent") == Some(&Value::Bool(true));
    let reply = ask(config, Value::Object(body))?;
    if let Some(error) = reply.get("error") {
        bail!("{}", error.as_str().unwrap_or("the server refuses it"));
    }
    say(&if json { reply.to_string() } else { shown(&reply) });
    if wants_permanence && reply.get("permanent") == Some(&Value::Bool(false)) {
        bail!("it is done, but could not be stored: the server's log says why");
    }
    Ok(())
}

fn request(action: Action, config: &Config) -> anyhow::Result<Map<String, Value>> {
    let id = |text: String| match text.parse::<u64>() {
        Ok(number) if !config.signaling.string_ids => Value::from(number),
        Ok(_) | Err(_) => text.into(),
    };
    let (name, mut fields) = match action {
        Action::List => ("list", Map::new()),
        Action::Create { room, description, pin, private, more } => {
            let mut fields = more.fields()?;
            fields.extend(room.map(|room| ("room".to_owned(), id(room))));
            fields.extend(description.map(|text| ("description".to_owned(), text.into())));
            fields.extend(pin.map(|text| ("pin".to_owned(), text.into())));
            fields.extend(private.then(|| ("is_private".to_owned(), true.into())));
            ("create", fields)
        }
        Action::Edit { room, more } => {
            let mut fields = more.fields()?;
            fields.insert("room".to_owned(), id(room));
            ("edit", fields)
        }
        Action::Destroy { room, permanent } => {
            ("destroy", Map::from_iter([("room".to_owned(), id(room)), ("permanent".to_owned(), permanent.into())]))
        }
        Action::Participants { room } => ("listparticipants", Map::from_iter([("room".to_owned(), id(room))])),
        Action::Kick { room, participant } => {
            ("kick", Map::from_iter([("room".to_owned(), id(room)), ("id".to_owned(), id(participant))]))
        }
    };
    fields.insert("request".to_owned(), name.into());
    Ok(fields)
}

impl More {
    fn fields(self) -> anyhow::Result<Map<String, Value>> {
        let mut fields = Map::from_iter([("permanent".to_owned(), self.permanent.into())]);
        for property in self.properties {
            let (name, value) = property.split_once('=').with_context(|| format!("{property}: must be NAME=VALUE"))?;
            let json = serde_json::from_str(value).ok().filter(|_| !TEXTS.contains(&name));
            fields.insert(name.to_owned(), json.unwrap_or_else(|| value.into()));
        }
        Ok(fields)
    }
}

/// What the AudioBridge replies.
fn ask(config: &Config, body: Value) -> anyhow::Result<Value> {
    let mut message = json!({"janus": "message_plugin", "transaction": "plenum rooms",
        "plugin": "janus.plugin.audiobridge", "request": body});
    if let Some(secret) = &config.admin.secret {
        message["admin_secret"] = secret.reveal().into();
    }
    let client = Client::of(config)?;
    let response = client.post(&config.admin.base_path, &message.to_string())?;
    let mut reply = client.json(&response)?;
    if let Some(reason) = reply["error"]["reason"].as_str() {
        bail!("{reason} (admin.secret)");
    }
    Ok(reply["response"].take())
}

/// For a person.
fn shown(reply: &Value) -> String {
    let list = |name: &str| reply[name].as_array();
    if let Some(rooms) = list("list") {
        let width = rooms.iter().map(|room| plain(&room["room"]).chars().count()).fold(12, usize::max);
        let line = |room: &Value| {
            let pin = if room["pin_required"] == true { "pin" } else { "" };
            let (id, rate) = (plain(&room["room"]), plain(&room["sampling_rate"]));
            format!(
                "{id:<width$} {:>5} {rate:>6} Hz {pin:<4} {}",
                plain(&room["num_participants"]),
                plain(&room["description"])
            )
        };
        return rooms.iter().map(line).collect::<Vec<_>>().join("\n");
    }
    if let Some(participants) = list("participants") {
        let line = |participant: &Value| {
            let muted = if participant["muted"] == true { "muted" } else { "" };
            format!("{:<20} {muted:<6} {}", plain(&participant["id"]), plain(&participant["display"]))
        };
        return participants.iter().map(line).collect::<Vec<_>>().join("\n");
    }
    let permanent = if reply["permanent"] == true { " for good" } else { "" };
    match (reply["audiobridge"].as_str(), plain(&reply["room"])) {
        (Some(what @ ("created" | "edited" | "destroyed")), room) => format!("Room {room} is {what}{permanent}."),
        (Some(_) | None, _) => "Done.".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace(char::is_control, " "),
        Value::Null => String::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    }
}
