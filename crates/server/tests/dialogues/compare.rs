//! The same requests to Debian's Janus and to Plenum, each on the same configuration. What either does not answer as the
//! dialogue says is a row of `docs/compatibility.md`, and the dialogue says why. Goes on after a difference, as far as it
//! can.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::live::{Server, Stage, Transport};
use crate::peers::{Peer, playable};
use crate::script::{Aside, Follows, Script};
use crate::seed;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
/// What has not come by then does not come: the servers are on this machine and have nothing else to do.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Of a message or request in the table, in characters.
const SHOWN: usize = 180;
/// Ids are drawn at random, and have at least so many digits.
const ID_DIGITS: usize = 9;

/// `COMPATIBILITY=write` makes the table, `COMPATIBILITY=check` looks whether its differences are those there are now. Both
/// need Debian's package `janus`.
#[tokio::test]
async fn the_differences_are_the_known_ones() {
    let Ok(wish) = std::env::var("COMPATIBILITY") else {
        return;
    };
    let comparison = compare().await;
    match wish.as_str() {
        "write" => fs::write(TABLE, comparison.text()).unwrap(),
        "check" => {
            let (known, now) = (differences(&fs::read_to_string(TABLE).unwrap()), differences(&comparison.text()));
            let gone: Vec<_> = known.difference(&now).collect();
            let new: Vec<_> = now.difference(&known).collect();
            assert!(
                gone.is_empty() && new.is_empty(),
                "new: {new:?}, gone: {gone:?}; COMPATIBILITY=write makes the table"
            );
        }
        other => panic!("COMPATIBILITY={other}: write or check"),
    }
    let strange = &comparison.strange;
    assert!(strange.is_empty(), "these need a line `janus:`, or no such line:\n{}", strange.join("\n"));
}

#[derive(Default)]
struct Comparison {
    dialogues: usize,
    requests: usize,
    /// As the dialogues have it: Janus, Plenum.
    right: [usize; 2],
    rows: Vec<Row>,
    /// Differences that nobody has looked at, and those that are no more.
    strange: Vec<String>,
}

struct Row {
    /// The dialogues with requests of which the same is to be said.
    dialogues: BTreeSet<String>,
    request: String,
    expected: String,
    /// What came instead: of Janus, of Plenum.
    came: [Option<String>; 2],
    aside: Aside,
}

async fn compare() -> Comparison {
    let mut comparison = Comparison::default();
    for script in &playable() {
        let (janus, plenum) = (Peer::janus(script), Peer::plenum(script, "beside"));
        let (theirs, ours) = tokio::join!(play(script, &janus), play(script, &plenum));
        comparison.dialogues += 1;
        for (theirs, ours) in theirs.into_iter().zip(ours) {
            comparison.take(script, theirs, ours);
        }
    }
    comparison
}

/// A request and the first thing expected of it that did not come.
struct Exchange {
    line: usize,
    request: String,
    aside: Option<Aside>,
    difference: Option<Difference>,
}

struct Difference {
    expected: String,
    came: String,
}

/// Every request of a dialogue, in order.
async fn play(script: &Script, server: impl Server) -> Vec<Exchange> {
    let mut stage = Stage::new(server, Transport::WebSocket, seed(), Some(PATIENCE));
    let mut exchanges = Vec::new();
    for line in &script.steps {
        if line.step.asks() {
            let (request, aside) = (line.text.clone(), line.aside.clone());
            exchanges.push(Exchange { line: line.number, request, aside, difference: None });
        }
        let outcome = stage.step(line).await;
        if let (Err(came), Some(exchange)) = (outcome, exchanges.last_mut()) {
            exchange.difference.get_or_insert(Difference { expected: line.text.clone(), came });
        }
    }
    exchanges
}

impl Comparison {
    fn take(&mut self, script: &Script, theirs: Exchange, ours: Exchange) {
        let Exchange { line, request, aside, difference } = theirs;
        let differences = [difference, ours.difference];
        self.requests += 1;
        for (count, difference) in self.right.iter_mut().zip(&differences) {
            *count += usize::from(difference.is_none());
        }
        let annotated = aside.is_some();
        let [theirs, ours] = &differences;
        let aside = aside.or_else(|| unknown_request(theirs.as_ref()?));
        let Some(aside) = aside.filter(|_| theirs.is_some() && ours.is_none()) else {
            if annotated || theirs.is_some() || ours.is_some() {
                let came = differences.each_ref().map(|it| it.as_ref().map_or("as expected", |it| it.came.as_str()));
                self.strange
                    .push(format!("{}:{line} {request}\n  Janus:  {}\n  Plenum: {}", script.name, came[0], came[1]));
            }
            return;
        };
        if let Some(row) = self.rows.iter_mut().find(|row| row.aside.why == aside.why) {
            row.dialogues.insert(script.name.clone());
            return;
        }
        let expected = differences.iter().flatten().next().map_or(String::new(), |it| it.expected.clone());
        let came = differences.map(|difference| difference.map(|it| it.came));
        self.rows.push(Row { dialogues: BTreeSet::from([script.name.clone()]), request, expected, came, aside });
    }

    fn text(&self) -> String {
        let Self { dialogues, requests, right: [theirs, ours], .. } = self;
        let rows: String = self.rows.iter().map(Row::text).collect();
        format!(
            "# Plenum beside Janus 1.1.2\n\n\
             Made by `COMPATIBILITY=write cargo test -p plenum --test dialogues`, which starts Debian's `janus` and Plenum on the same\n\
             configuration files and plays on both the {dialogues} dialogues of `crates/signaling/tests/dialogues` that need neither media nor\n\
             time. What a dialogue expects is what the specification says (of Janus 1.4.2), or what `differences.md` gives a reason for.\n\n\
             Of {requests} requests Janus 1.1.2 answers {theirs} so, Plenum {ours}. Each kind of difference is a row with its first request; why it is\n\
             there stands at each of its requests in the dialogues. Not compared are the order of an acknowledgement and its event, which in Janus is\n\
             open, and messages that nobody expects.\n\n\
             | dialogues | first request | expected | Janus 1.1.2 | follows the specification | why |\n|---|---|---|---|---|---|\n{rows}"
        )
    }
}

impl Row {
    fn text(&self) -> String {
        let follows = match self.aside.follows {
            Follows::Plenum => "Plenum",
            Follows::Janus => "Janus",
            Follows::Both => "both",
        };
        let came = self.came[0].as_deref().map_or_else(String::new, |came| cell(&said(came)));
        let (request, expected) = (cell(&self.request), cell(&self.expected));
        let mut text = String::new();
        let dialogues: Vec<_> = self.dialogues.iter().map(String::as_str).collect();
        let (dialogues, why) = (dialogues.join(", "), &self.aside.why);
        writeln!(text, "| {dialogues} | {request} | {expected} | {came} | {follows} | {why} |").unwrap();
        text
    }
}

/// The old one knows less.
fn unknown_request(difference: &Difference) -> Option<Aside> {
    let (_, name) = difference.came.split_once("Unknown request '")?;
    let why = format!("1.1.2 has no `{}` yet", name.split('\'').next()?);
    Some(Aside { follows: Follows::Plenum, why })
}

/// The dialogues of each row of a table, and what it says of them.
fn differences(table: &str) -> BTreeSet<(String, String)> {
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let ends = |row: &str| {
        Some((row.split_once(" | ")?.0.to_owned(), row.trim_end_matches(" |").rsplit_once(" | ")?.1.to_owned()))
    };
    rows.filter_map(ends).collect()
}

/// Of a message the part that matters.
fn said(came: &str) -> String {
    let Ok(message) = serde_json::from_str::<Value>(came.split("\n  in ").last().unwrap_or_default()) else {
        return came.to_owned();
    };
    let data = [&message["plugindata"]["data"], &message["error"], &message["response"], &message["info"]];
    data.into_iter().find(|data| !data.is_null()).unwrap_or(&message).to_string()
}

/// Text as code in a table, cut, with `…` for ids.
fn cell(text: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        shown.push_str(if digits.len() < ID_DIGITS { &digits } else { "…" });
        digits.clear();
        match letter {
            '\0' => {}
            '|' => shown.push_str("\\|"),
            '`' => shown.push('\''),
            _ => shown.push(letter),
        }
    }
    let cut = if shown.chars().count() > SHOWN { "…" } else { "" };
    format!("`{}{cut}`", shown.chars().take(SHOWN).collect::<String>())
}
