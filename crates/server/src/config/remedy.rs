//! What was found wrong with a value, in the words of `serde`, as what an operator can do about it. Knows no key of ours.

/// How alike two names must be that one may be meant by the other, from 0 to 1. `prot` and `port` are 0.75, `pin` and `port` 0.25.
const ALIKE: f64 = 0.6;

/// `problem` as a remedy. It says what the value must be, unless it says so already.
pub(crate) fn remedy(key: Option<&str>, problem: &str) -> String {
    if let Some(rest) = problem.strip_prefix("unknown field ") {
        return unknown_key(key.unwrap_or_default(), rest);
    }
    if let Some(rest) = problem.strip_prefix("unknown variant ") {
        let (given, known) = rest.split_once(", ").unwrap_or((rest, ""));
        return format!("must be {}, not {}", quoted(known).join(" or "), given.replace('`', "\""));
    }
    for kind in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((given, expected)) = problem.strip_prefix(kind).and_then(|rest| rest.split_once(", expected ")) {
            return format!("must be {}, not {}", in_words(expected), given.replace('`', ""));
        }
    }
    if let Some(right) = problem.strip_prefix("expected ") {
        return format!("must be {right}");
    }
    if problem.contains("invalid IP address") || problem.contains("invalid IPv") {
        return "must be an IP address, such as \"192.0.2.10\" or \"2001:db8::10\"".to_owned();
    }
    problem.to_owned()
}

/// A key or a section that does not exist; `rest` is its name and those that do exist, in backquotes.
fn unknown_key(key: &str, rest: &str) -> String {
    let (name, known) = rest.split_once(", ").unwrap_or((rest, ""));
    let name = name.trim_matches('`');
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let section = key.strip_suffix(name).and_then(|section| section.strip_suffix('.')).unwrap_or_default();
    let full = |name: &str| if section.is_empty() { format!("[{name}]") } else { format!("{section}.{name}") };
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let hint = match nearest.filter(|nearest| likeness(nearest) >= ALIKE) {
        Some(nearest) => format!("did you mean {}?", full(nearest)),
        None => format!("there are {}", known.join(", ")),
    };
    let what = if section.is_empty() { "section".to_owned() } else { format!("key in [{section}]") };
    format!("must be left out: there is no such {what}; {hint}")
}

/// The names in backquotes, in quotes.
fn quoted(names: &str) -> Vec<String> {
    names.split('`').skip(1).step_by(2).map(|name| format!("\"{name}\"")).collect()
}

/// A type of Rust as who writes a file knows it.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "i8" => "a whole number from -128 to 127",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not negative",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "string" => "a text in quotes",
        "path string" => "a path in quotes",
        "IP address" => "an IP address in quotes",
        "a sequence" => "a list in brackets",
        "a map" => "a section",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn what_serde_says_becomes_a_remedy() {
        for (key, problem, expected) in [
            (
                "http.prot",
                "unknown field `prot`, expected one of `address`, `port`",
                "must be left out: there is no such key in [http]; did you mean http.port?",
            ),
            (
                "http.zzz",
                "unknown field `zzz`, expected one of `address`, `port`",
                "must be left out: there is no such key in [http]; there are address, port",
            ),
            (
                "htpp",
                "unknown field `htpp`, expected `http` or `log`",
                "must be left out: there is no such section; did you mean [http]?",
            ),
            (
                "log.format",
                "unknown variant `xml`, expected `text` or `json`",
                "must be \"text\" or \"json\", not \"xml\"",
            ),
            (
                "http.port",
                "invalid value: integer `70000`, expected u16",
                "must be a whole number from 0 to 65535, not integer 70000",
            ),
            (
                "http.tls",
                "invalid type: string \"yes\", expected a boolean",
                "must be true or false, not string \"yes\"",
            ),
            ("http.acl", "must be an address", "must be an address"),
        ] {
            assert_eq!(remedy(Some(key), problem), expected);
        }
    }
}
