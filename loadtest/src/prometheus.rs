//! Counters of encodes and decodes from a Prometheus scrape. Knows the text format, no network.

use std::collections::BTreeMap;

/// Values by name and labels.
pub type Scrape = BTreeMap<String, f64>;

/// The lines of a scrape whose names tell of encoding or decoding.
pub fn codec_counters(text: &str) -> Scrape {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            // name{label="value",…} number [timestamp]; label values may hold blanks.
            let end = line.find('}').map_or_else(|| line.find(' '), |brace| Some(brace + 1))?;
            let (name, rest) = line.split_at(end);
            let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
            let metric = name.split('{').next().unwrap_or(name);
            let of_codecs = metric.contains("encode") || metric.contains("decode");
            (of_codecs && !metric.ends_with("_bucket")).then(|| (name.to_owned(), value))
        })
        .collect()
}

/// What was added per second between two scrapes.
pub fn rates(before: &Scrape, after: &Scrape, seconds: f64) -> Scrape {
    after
        .iter()
        .map(|(name, value)| (name.clone(), (value - before.get(name).unwrap_or(&0.0)) / seconds))
        .filter(|(_, rate)| *rate != 0.0)
        .collect()
}
