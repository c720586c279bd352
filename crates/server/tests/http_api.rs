//! The commands of docs/http-api.md print what stands there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{FREE_PORTS, Plenum, post};

/// A command and what it prints.
struct Example<'a> {
    command: &'a str,
    printed: &'a str,
}

#[test]
fn the_commands_of_the_document_print_what_it_says() {
    let document = include_str!("../../../docs/http-api.md");
    let mut plenum = Plenum::start(&[&FREE_PORTS[..], &["admin.token=correct-horse-battery-staple"]].concat());
    ann_joins_the_demo_room(plenum.page());
    let admin = plenum.admin();
    let examples = examples(document);
    assert!(examples.len() > 10, "the document has changed its form");

    let setup = examples[0].command.lines().next().unwrap();
    for Example { command, printed } in &examples {
        let script = format!("{setup}\n{command}").replace("127.0.0.1:7088", &admin);
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(values(&text), values(printed), "{command}\nprints\n{text}");
    }
}

/// Blocks of `sh`, each with the block that comes after it.
fn examples(document: &str) -> Vec<Example<'_>> {
    let mut blocks = document.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let mut examples = Vec::new();
    while let Some((language, command)) = blocks.next() {
        if language == "sh" {
            let (_, printed) = blocks.next().unwrap();
            examples.push(Example { command: command.trim(), printed });
        }
    }
    examples
}

/// JSON where it is JSON, and lines where it is not: how it is laid out does not matter.
fn values(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter().collect::<Result<Vec<Value>, _>>();
    values.unwrap_or_else(|_| text.lines().map(Value::from).collect())
}

fn ann_joins_the_demo_room(http: &str) {
    let ask = |path: &str, body: Value| -> Value {
        let response = post(http, path, &body.to_string());
        serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let id = |reply: &Value| reply["data"]["id"].as_u64().unwrap();
    let session = id(&ask("/janus", json!({"janus": "create", "transaction": "t"})));
    let attach = json!({"janus": "attach", "transaction": "t", "plugin": "janus.plugin.audiobridge"});
    let handle = id(&ask(&format!("/janus/{session}"), attach));
    let body = json!({"request": "join", "room": 1234, "id": 11, "display": "Ann"});
    let join = json!({"janus": "message", "transaction": "t", "body": body});
    assert_eq!(ask(&format!("/janus/{session}/{handle}"), join)["janus"], "ack");
}
