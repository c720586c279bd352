//! The list against all that refers to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::list;
use super::{Series, Timing};

/// Kind and labels by name.
type Known = BTreeMap<&'static str, (&'static str, BTreeSet<&'static str>)>;

#[test]
fn the_docs_have_every_metric_with_its_type_and_its_labels_and_no_other() {
    let known = known();
    let docs = read("docs/metrics.md");
    let mut rows = BTreeSet::new();
    for row in docs.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, ..] = cells[..] else { panic!("{row}") };
        let name = name.trim_matches('`');
        let documented: BTreeSet<_> = labels.split('`').skip(1).step_by(2).collect();
        let (real_kind, real_labels) = known.get(name).unwrap_or_else(|| panic!("there is no {name}"));
        assert_eq!((kind, &documented), (*real_kind, real_labels), "{name}");
        assert!(rows.insert(name), "{name} is there twice");
    }
    let missing: Vec<_> = known.keys().filter(|name| !rows.contains(**name)).collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
}

#[test]
fn every_name_says_its_unit() {
    for (name, (kind, _)) in known() {
        let is_right = match kind {
            "counter" => name.ends_with("_total"),
            "histogram" => name.ends_with("_seconds"),
            _ => !name.ends_with("_total"),
        };
        assert!(is_right, "{name} is a {kind}");
    }
}

#[test]
fn what_dashboards_rules_and_docs_name_exists() {
    let (known, recorded) = (known(), recorded());
    for path in ["deploy", "docs", "config"].into_iter().flat_map(files) {
        let text = fs::read_to_string(&path).unwrap();
        for name in names(&text) {
            if name.contains(':') {
                assert!(recorded.contains(name), "{}: nothing records {name}", path.display());
                continue;
            }
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            let histogram = family.filter(|family| known.get(family).is_some_and(|(kind, _)| *kind == "histogram"));
            let is_plain = known.get(name).is_some_and(|(kind, _)| *kind != "histogram");
            assert!(is_plain || histogram.is_some() || is_in_prose(name, &known, &path), "{}: {name}", path.display());
        }
    }
}

#[test]
fn every_metric_is_on_a_dashboard() {
    let dashboards: String = files("deploy/grafana").map(|path| fs::read_to_string(path).unwrap()).collect();
    let shown: BTreeSet<_> = names(&dashboards).collect();
    let is_shown = |name: &&str| shown.iter().any(|shown| shown.starts_with(*name));
    let missing: Vec<_> = known().into_keys().filter(|name| !is_shown(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_alert_has_its_place_in_the_runbook() {
    let rules = read("deploy/prometheus/alerts.rules.yml");
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let links: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: ")).collect();
    let runbook = read("docs/runbook.md");
    let places: Vec<_> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();

    assert_eq!(alerts, places);
    assert_eq!(links.len(), alerts.len());
    for (link, alert) in links.iter().zip(alerts) {
        assert!(link.contains("docs/runbook.md") && link.ends_with(&format!("#{}'", alert.to_lowercase())), "{link}");
    }
}

/// Docs speak of a histogram as a whole, rules and dashboards never.
fn is_in_prose(name: &str, known: &Known, path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md") && known.contains_key(name)
}

fn recorded() -> BTreeSet<String> {
    let rules = read("deploy/prometheus/recording.rules.yml");
    rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).map(str::to_owned).collect()
}

/// The names of metrics and of what is recorded of them.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == ':'));
    let is_name = |word: &&str| {
        let metric = word.split(':').find(|part| part.starts_with("plenum_") || part.starts_with("process_"));
        metric.is_some_and(|metric| metric.len() > "process_".len() && !metric.contains(|it: char| it.is_ascii_digit()))
    };
    words.map(|word| word.trim_matches(':')).filter(is_name)
}

fn files(folder: &str) -> impl Iterator<Item = PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let texts = ["md", "yml", "yaml", "json", "toml", "tpl", "txt"];
    let is_text = move |path: &PathBuf| path.extension().is_some_and(|it| texts.iter().any(|text| it == *text));
    files.into_iter().filter(is_text)
}

fn known() -> Known {
    let mut known = Known::new();
    add_series(list::SIGNALING, None, &mut known);
    add_series(list::LIMITS, None, &mut known);
    add_series(list::TRANSPORT, None, &mut known);
    add_series(list::WEBHOOKS, Some("hook"), &mut known);
    add_series(list::MIXER, Some("thread"), &mut known);
    add_series(list::WEBRTC, Some("thread"), &mut known);
    add_series(list::ACCEPTOR, Some("thread"), &mut known);
    add_series(list::WORKER, Some("thread"), &mut known);
    add_series(list::DRIVER, Some("thread"), &mut known);
    add_timings(list::MIX_TIMES, &mut known);
    add_timings(list::NET_TIMES, &mut known);
    add_timings(list::CORE_TIMES, &mut known);
    for &(name, kind, labels) in list::FAMILIES {
        add(name, kind, labels.iter().copied(), &mut known);
    }
    for figure in list::PROCESS {
        add(figure.name, figure.kind.as_str(), [].into_iter(), &mut known);
    }
    known
}

fn add_series<C>(series: &[Series<C>], of: Option<&'static str>, known: &mut Known) {
    for Series { name, labels, kind, .. } in series {
        let labels = labels.iter().map(|(label, _)| *label).chain(of);
        add(name, kind.as_str(), labels, known);
    }
}

fn add_timings<T>(timings: &[Timing<T>], known: &mut Known) {
    for Timing { name, labels, of_each_thread, .. } in timings {
        let labels = labels.iter().map(|(label, _)| *label).chain(of_each_thread.then_some("thread"));
        add(name, "histogram", labels, known);
    }
}

fn add(name: &'static str, kind: &'static str, labels: impl Iterator<Item = &'static str>, known: &mut Known) {
    let (first_kind, all_labels) = known.entry(name).or_insert((kind, BTreeSet::new()));
    assert_eq!(*first_kind, kind, "{name}");
    all_labels.extend(labels);
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
