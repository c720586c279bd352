//! What the grammar reads, and what it says of what it does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jcfg::{Group, Position, Value};

#[test]
fn a_setting_is_a_name_and_a_value() {
    let text = "a = 1; b: \"two\", c = true\nroom-1a_2*: { d = FALSE }";
    assert_eq!(value(text, "a"), Value::Int(1));
    assert_eq!(value(text, "b"), Value::String("two".to_owned()));
    assert_eq!(value(text, "c"), Value::Bool(true));
    let Value::Group(room) = value(text, "room-1a_2*") else { panic!("no group") };
    assert_eq!(room.get("d").map(|setting| &setting.value), Some(&Value::Bool(false)));
}

#[test]
fn numbers_are_decimal_hexadecimal_or_broken() {
    for (text, expected) in [
        ("0", Value::Int(0)),
        ("-7", Value::Int(-7)),
        ("+7L", Value::Int(7)),
        ("9007199254740993LL", Value::Int(9_007_199_254_740_993)),
        ("9223372036854775807", Value::Int(i64::MAX)),
        ("0x1F", Value::Int(31)),
        ("0Xffffffffffffffff", Value::Int(-1)),
        ("0x10L", Value::Int(16)),
        ("1.5", Value::Float(1.5)),
        (".5", Value::Float(0.5)),
        ("2.", Value::Float(2.0)),
        ("-1e-3", Value::Float(-0.001)),
    ] {
        assert_eq!(value(&format!("a = {text};"), "a"), expected, "{text}");
    }
}

#[test]
fn strings_have_escapes_and_go_on_in_the_next() {
    let text = r#"a = "say \"hi\"\t\x41\\ \q" "," # not the end
        "é";"#;
    assert_eq!(value(text, "a"), Value::String("say \"hi\"\tA\\ \\q,é".to_owned()));
}

#[test]
fn comments_are_blanks() {
    assert_eq!(value("# a\n// b\n/* c\n * d **/ a /* e */ = # f\n 1 // g", "a"), Value::Int(1));
}

#[test]
fn arrays_have_one_type_and_lists_any() {
    let numbers = Value::Array(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(value("a = [ 1, 2, ]", "a"), numbers);
    assert_eq!(value("a = []", "a"), Value::Array(vec![]));
    let Value::List(items) = value("a = ( [1, 2], { b = 1 }, \"c\", () )", "a") else { panic!("no list") };
    assert_eq!(items[0], numbers);
    assert!(matches!(&items[1], Value::Group(group) if group.settings.len() == 1));
    assert_eq!(items[2..], [Value::String("c".to_owned()), Value::List(vec![])]);
}

#[test]
fn a_path_needs_no_quotation_marks() {
    let text = "keyfile = /etc/ssl//key.pem\ncertfile = /etc/ssl/cert.pem;";
    assert_eq!(value(text, "keyfile"), Value::String("/etc/ssl//key.pem".to_owned()));
    assert_eq!(value(text, "certfile"), Value::String("/etc/ssl/cert.pem".to_owned()));
}

#[test]
fn settings_know_where_they_stand() {
    let group = Group::parse("/* é\n */ é_is_no_name".as_bytes()).unwrap_err();
    assert_eq!(group.position, Position { line: 2, column: 5 });
    let group = Group::parse(b"a = 1\n  b = 2").unwrap();
    assert_eq!(group.get("b").unwrap().position, Position { line: 2, column: 3 });
}

#[test]
fn a_refusal_says_where_and_what_was_expected() {
    for (text, message) in [
        (
            "a = ;",
            "line 1, column 5: expected a value: a string, a number, true, false, [array], (list) or {group}, found `;`",
        ),
        (
            "a =",
            "line 1, column 4: expected a value: a string, a number, true, false, [array], (list) or {group}, found the end of the file",
        ),
        ("a 1", "line 1, column 3: expected `=` or `:`, found the number 1"),
        ("1 = 1", "line 1, column 1: expected the name of a setting, found the number 1"),
        ("g: {\n a = 1\n", "line 3, column 1: expected the name of a setting, or `}`, found the end of the file"),
        ("a = \"open\nb = 1", "line 1, column 5: expected `\"` at the end of a string, found a string without an end"),
        ("\n/* open", "line 2, column 1: expected `*/`, found a comment without an end"),
        (
            "a = [1, \"b\"]",
            "line 1, column 9: expected a value of the same type as the first: an array has one type, found another type",
        ),
        (
            "a = [{}]",
            "line 1, column 6: expected a string, a number, true or false: an array has nothing else, found `{`",
        ),
        ("a = [1 2]", "line 1, column 8: expected `,` or `]`, found the number 2"),
        ("a = (1 2)", "line 1, column 8: expected `,` or `)`, found the number 2"),
        ("a = 1\na = 2", "line 2, column 1: expected a name that this group does not have yet, found `a` again"),
        (
            "a = yes",
            "line 1, column 5: expected a value: a string, a number, true, false, [array], (list) or {group}, found `yes`",
        ),
        (
            "a = 18446744073709551616",
            "line 1, column 5: expected a number such as 1, -1L, 0x1F or 1.5, within 64 bits, found `18446744073709551616`",
        ),
        ("a = 1e999", "line 1, column 5: expected a number such as 1, -1L, 0x1F or 1.5, within 64 bits, found `1e999`"),
        ("a = +inf", "line 1, column 5: expected a number such as 1, -1L, 0x1F or 1.5, within 64 bits, found `+inf`"),
        (
            "@include \"b\"",
            "line 1, column 1: expected the settings themselves: no other file is read, found `@include`",
        ),
        ("a = $", "line 1, column 5: expected a name or a value, found `$`"),
    ] {
        assert_eq!(Group::parse(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
    }
    let not_utf8 = Group::parse(b"a = \"\xFF\"").unwrap_err().to_string();
    assert_eq!(not_utf8, "line 1, column 5: expected text in UTF-8, found a string of other bytes");
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| format!("a = {}{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Group::parse(nested(64).as_bytes()).is_ok());
    assert!(Group::parse(nested(65).as_bytes()).unwrap_err().to_string().contains("at most 64"));
}

fn value(text: &str, name: &str) -> Value {
    Group::parse(text.as_bytes()).unwrap().get(name).unwrap().value.clone()
}
