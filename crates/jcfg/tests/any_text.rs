//! Whatever is printed parses to the same; whatever bytes come, the parser ends, and soon.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use jcfg::{Group, Position, Setting, Value};
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(group in any_group()) {
        let text = group.to_string();
        let parsed = Group::parse(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(without_positions(parsed), group, "{}", text);
    }

    #[test]
    fn any_bytes_are_settings_or_an_error_within_the_text(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        ends_well(&bytes)?;
    }

    #[test]
    fn any_words_are_settings_or_an_error_within_the_text(words in prop::collection::vec(any_word(), 0..200)) {
        ends_well(words.concat().as_bytes())?;
    }
}

/// Texts on which a careless parser takes the square of their length.
#[test]
fn the_time_grows_as_the_text_does() {
    let patterns = [
        "(",
        "{",
        "\"\" ",
        "\"",
        "\\",
        "/*",
        "a",
        "1",
        "# \n",
        "// ",
        "a = \"x\" \"y\" ",
        "/",
        "-",
        "[1,",
        "é",
        "a=[]\n",
    ];
    for pattern in patterns {
        for start in ["", "a = ", "a = \"", "/*", "a = [\"\""] {
            let text = |length: usize| format!("{start}{}", pattern.repeat(length / pattern.len())).into_bytes();
            let (short, long) = (text(1 << 16), text(1 << 20));
            // Sixteen times the text; the square would be 256 times the time.
            let allowed = time(&short).max(Duration::from_micros(200)) * 80;
            let taken = time(&long);
            assert!(taken < allowed, "{start}{pattern}…: {taken:?}, and {:?} for a sixteenth", time(&short));
        }
    }
    let many: String = (0..100_000).map(|index| format!("name{index} = {index};\n")).collect();
    assert_eq!(Group::parse(many.as_bytes()).unwrap().settings.len(), 100_000);
}

fn ends_well(text: &[u8]) -> Result<(), TestCaseError> {
    if let Err(error) = Group::parse(text) {
        let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
        prop_assert!((1..=lines).contains(&error.position.line) && error.position.column >= 1, "{}", error);
        prop_assert!(!error.expected.is_empty() && !error.found.is_empty());
    }
    Ok(())
}

/// The best of three: others use the machine as well.
#[expect(clippy::disallowed_methods, reason = "the time it takes is what this is about")]
fn time(text: &[u8]) -> Duration {
    let measure = || {
        let begin = std::time::Instant::now();
        let _ = std::hint::black_box(Group::parse(text));
        begin.elapsed()
    };
    (0..3).map(|_| measure()).min().unwrap()
}

fn any_group() -> impl Strategy<Value = Group> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        any::<String>().prop_map(Value::String),
        "[a-z/#\"\\\\\n ]{0,9}".prop_map(Value::String),
    ];
    let array = prop_oneof![
        prop::collection::vec(any::<i64>().prop_map(Value::Int), 0..4),
        prop::collection::vec(any::<String>().prop_map(Value::String), 0..4),
    ];
    let leaf = prop_oneof![4 => scalar, 1 => array.prop_map(Value::Array)];
    let value = leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            settings(inner).prop_map(Value::Group),
        ]
    });
    settings(value)
}

fn settings(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Group> {
    prop::collection::btree_map("[A-Za-z*][-A-Za-z0-9_*]{0,9}", value, 0..5).prop_map(|settings| Group {
        settings: settings
            .into_iter()
            .map(|(name, value)| Setting { name, value, position: Position::default() })
            .collect(),
    })
}

fn any_word() -> impl Strategy<Value = String> {
    let marks = ["=", ":", ";", ",", "{", "}", "[", "]", "(", ")", "\"", "\\", "/*", "*/", "//", "#", "\n", " ", "@"];
    prop_oneof![
        prop::sample::select(marks.to_vec()).prop_map(str::to_owned),
        "[a-z]{1,3}".prop_map(|name| name + " "),
        "[-+.0-9a-fxL]{1,6} ",
        Just("a = ".to_owned()),
        Just("true".to_owned()),
    ]
}

fn without_positions(group: Group) -> Group {
    let settings = group.settings.into_iter().map(|setting| Setting {
        value: value_without_positions(setting.value),
        position: Position::default(),
        ..setting
    });
    Group { settings: settings.collect() }
}

fn value_without_positions(value: Value) -> Value {
    match value {
        Value::Group(group) => Value::Group(without_positions(group)),
        Value::List(values) => Value::List(values.into_iter().map(value_without_positions).collect()),
        value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Array(_)) => value,
    }
}
