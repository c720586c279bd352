//! Reads a dialogue: lines of text into steps. See `README.md` for the format.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

/// Where they are.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../signaling/tests/dialogues");

/// All dialogues, by name.
pub(crate) fn scripts() -> Vec<Script> {
    let entries = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|is| is == "dialogue")).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there is nothing to play in {FOLDER}");
    let name = |path: &std::path::PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| Script::parse(&name(path), &std::fs::read_to_string(path).unwrap())).collect()
}

/// A dialogue.
pub(crate) struct Script {
    pub(crate) name: String,
    /// `key=value` pairs that differ from the default configuration.
    pub(crate) config: Vec<(String, String)>,
    pub(crate) steps: Vec<Line>,
    /// Whether it shows what only holds over WebSockets.
    pub(crate) over_websocket: bool,
    /// Of the step to come.
    aside: Option<Aside>,
    /// The conformance cases it cites.
    pub(crate) cases: BTreeSet<u16>,
}

/// A step and where it stands.
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) step: Step,
    /// Why Debian's Janus says something else.
    pub(crate) aside: Option<Aside>,
}

/// A difference that somebody has looked at.
#[derive(Clone)]
pub(crate) struct Aside {
    pub(crate) follows: Follows,
    pub(crate) why: String,
}

/// Who does what the specification says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Plenum,
    Janus,
    Both,
}

pub(crate) enum Step {
    /// The actor makes a session and attaches to this plugin.
    Opens(String, &'static str),
    /// A raw message of an actor.
    Sends(String, Value),
    /// The next message to an actor.
    Gets(String, Value),
    /// An AudioBridge request on the actor's handle, with an SDP (its type and name) or without.
    Asks(String, Value, Option<(&'static str, String)>),
    /// The reply to it.
    Has(String, Value),
    /// Its acknowledgement, with this hint.
    Acked(String, Option<String>),
    /// The event that answers it, with an SDP of this type or without.
    Told(String, Value, Option<&'static str>),
    /// An AudioBridge event that the actor did not ask for.
    Hears(String, Value),
    /// A number that names nothing yet.
    Let(String),
    /// A media event about the actor's handle.
    Event(String, MediaStep),
    /// The next media command.
    Media(Value),
    /// Time passes.
    Wait(Duration),
    /// The actor's connection closes.
    Closes(String),
    /// A long poll and what is made of it.
    Polls { session: String, secret: Option<String>, outcome: String },
    /// An admin request.
    Admin(Value),
    /// The reply to it.
    AdminHas(Value),
}

pub(crate) enum MediaStep {
    Answered(Value),
    Offered(Value),
    Accepted(Value),
    Refused(String),
    Connected,
    Receiving(bool),
    SlowLink {
        uplink: bool,
        lost: u32,
    },
    /// What was asked last is told.
    Described(bool),
    /// How the audio of the actor fares in the mix.
    Measured(Value),
    Talking(bool),
    Overloaded(bool),
    Closed(String),
}

impl Step {
    /// Whether somebody asks for something, so that what is expected next is of this.
    pub(crate) fn asks(&self) -> bool {
        matches!(
            self,
            Self::Opens(..) | Self::Sends(..) | Self::Asks(..) | Self::Closes(_) | Self::Polls { .. } | Self::Admin(_)
        )
    }
}

impl Script {
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let mut script = Self {
            name: name.to_owned(),
            config: Vec::new(),
            steps: Vec::new(),
            over_websocket: false,
            aside: None,
            cases: BTreeSet::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            script
                .read(index + 1, line)
                .unwrap_or_else(|| panic!("{name}.dialogue:{}: what is this? {line}", index + 1));
        }
        script
    }

    /// Whether rooms that should be permanent are.
    pub(crate) fn stores(&self) -> bool {
        self.config.iter().any(|(key, value)| key == "store" && value == "works")
    }

    /// Whether it says what the media planes are asked to do, and so has to say all of it.
    pub(crate) fn watches_media(&self) -> bool {
        self.steps.iter().any(|line| matches!(line.step, Step::Media(_)))
    }

    fn read(&mut self, number: usize, line: &str) -> Option<()> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let step = match first {
            "case" => {
                let numbers = rest.split(':').next()?.split_whitespace();
                for case in numbers {
                    self.cases.insert(case.parse().ok()?);
                }
                return Some(());
            }
            "config" => {
                for pair in rest.split_whitespace() {
                    let (key, value) = pair.split_once('=')?;
                    self.config.push((key.to_owned(), value.to_owned()));
                }
                return Some(());
            }
            "over" if rest == "websocket" => {
                self.over_websocket = true;
                return Some(());
            }
            "janus:" | "janus-right:" | "janus-too:" => {
                let follows = match first {
                    "janus-right:" => Follows::Janus,
                    "janus-too:" => Follows::Both,
                    _ => Follows::Plenum,
                };
                self.aside = Some(Aside { follows, why: rest.to_owned() });
                return Some(());
            }
            "let" => Step::Let(rest.to_owned()),
            "media" => Step::Media(json(rest)?),
            "wait" => Step::Wait(Duration::from_secs(rest.strip_suffix('s')?.parse().ok()?)),
            "poll" => {
                let words: Vec<_> = rest.split_whitespace().collect();
                let [session, secret, outcome] = words[..] else { return None };
                let secret = (secret != "-").then(|| secret.to_owned());
                Step::Polls { session: session.to_owned(), secret, outcome: outcome.to_owned() }
            }
            "admin" => match rest.split_once(' ')? {
                ("sends", message) => Step::Admin(json(message)?),
                ("has", message) => Step::AdminHas(json(message)?),
                _ => return None,
            },
            "event" => {
                let (actor, what) = rest.split_once(' ')?;
                Step::Event(actor.to_owned(), media_step(what)?)
            }
            actor => actor_step(actor.to_owned(), rest)?,
        };
        let aside = self.aside.take();
        self.steps.push(Line { number, text: line.to_owned(), step, aside });
        Some(())
    }
}

/// Actors whose name begins so speak HTTP, the others WebSocket.
pub(crate) fn is_http(actor: &str) -> bool {
    actor.starts_with("http")
}

fn actor_step(actor: String, rest: &str) -> Option<Step> {
    let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(match verb {
        "opens" if rest.is_empty() => Step::Opens(actor, "janus.plugin.audiobridge"),
        "opens" if rest == "echotest" => Step::Opens(actor, "janus.plugin.echotest"),
        "sends" => Step::Sends(actor, json(rest)?),
        "gets" => Step::Gets(actor, json(rest)?),
        "asks" => {
            let (body, sdp) = match rest.rsplit_once(" with ") {
                Some((body, sdp)) if !sdp.contains('}') => match sdp.strip_prefix("answer ") {
                    Some(sdp) => (body, Some(("answer", sdp.to_owned()))),
                    None => (body, Some(("offer", sdp.to_owned()))),
                },
                _ => (rest, None),
            };
            Step::Asks(actor, json(body)?, sdp)
        }
        "has" => Step::Has(actor, json(rest)?),
        "acked" => Step::Acked(actor, (!rest.is_empty()).then(|| rest.to_owned())),
        "told" => match (rest.strip_suffix(" with answer"), rest.strip_suffix(" with offer")) {
            (Some(data), _) => Step::Told(actor, json(data)?, Some("answer")),
            (None, Some(data)) => Step::Told(actor, json(data)?, Some("offer")),
            (None, None) => Step::Told(actor, json(rest)?, None),
        },
        "hears" => Step::Hears(actor, json(rest)?),
        "closes" => Step::Closes(actor),
        _ => return None,
    })
}

fn media_step(what: &str) -> Option<MediaStep> {
    let (what, rest) = what.split_once(' ').unwrap_or((what, ""));
    Some(match what {
        "answered" => MediaStep::Answered(details(rest)?),
        "offered" => MediaStep::Offered(details(rest)?),
        "accepted" => MediaStep::Accepted(details(rest)?),
        "refused" => MediaStep::Refused(rest.to_owned()),
        "connected" => MediaStep::Connected,
        "receiving" => MediaStep::Receiving(rest.parse().ok()?),
        "slowlink" => {
            let (direction, lost) = rest.split_once(' ')?;
            MediaStep::SlowLink { uplink: direction == "uplink", lost: lost.parse().ok()? }
        }
        "described" => MediaStep::Described(rest != "gone"),
        "measured" => MediaStep::Measured(details(rest)?),
        "talking" => MediaStep::Talking(rest.parse().ok()?),
        "overloaded" => MediaStep::Overloaded(rest.parse().ok()?),
        "closed" => MediaStep::Closed(rest.to_owned()),
        _ => return None,
    })
}

fn details(text: &str) -> Option<Value> {
    if text.is_empty() { Some(Value::Null) } else { json(text) }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
