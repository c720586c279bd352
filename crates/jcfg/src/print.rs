//! Settings as text that parses to the same settings.

use std::fmt::{Display, Formatter, Result};

use crate::{Group, Value};

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        settings(self, 0, f)
    }
}

fn settings(group: &Group, depth: usize, f: &mut Formatter<'_>) -> Result {
    for setting in &group.settings {
        write!(f, "{:1$}{2} = ", "", depth * 4, setting.name)?;
        value(&setting.value, depth, f)?;
        f.write_str(";\n")?;
    }
    Ok(())
}

fn value(value: &Value, depth: usize, f: &mut Formatter<'_>) -> Result {
    match value {
        Value::Bool(value) => write!(f, "{value}"),
        // libconfig takes a number without the suffix for one of 32 bits.
        Value::Int(number) if i32::try_from(*number).is_err() => write!(f, "{number}L"),
        Value::Int(number) => write!(f, "{number}"),
        Value::Float(number) => write!(f, "{number:?}"),
        Value::String(text) => string(text, f),
        Value::Array(values) => sequence('[', values, ']', depth, f),
        Value::List(values) => sequence('(', values, ')', depth, f),
        Value::Group(group) => {
            f.write_str("{\n")?;
            settings(group, depth + 1, f)?;
            write!(f, "{:1$}}}", "", depth * 4)
        }
    }
}

fn sequence(open: char, values: &[Value], close: char, depth: usize, f: &mut Formatter<'_>) -> Result {
    write!(f, "{open}")?;
    for (index, item) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        value(item, depth, f)?;
    }
    write!(f, "{close}")
}

fn string(text: &str, f: &mut Formatter<'_>) -> Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if control.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(control))?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}
