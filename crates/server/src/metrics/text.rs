//! The Prometheus text format (version 0.0.4) for what the exporter cannot take: counts that are histograms already, and
//! counters of seconds. Knows no metric.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use histogram::Histogram;

/// Labels of one series, in order.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Families of lines, of which each comes whole.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// What follows belongs to this metric.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[(&'static str, String)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Histograms by name and labels; those that have both in common add up.
#[derive(Default)]
pub(super) struct Histograms(BTreeMap<&'static str, (&'static str, BTreeMap<Labels, Histogram>)>);

impl Histograms {
    pub(super) fn add(&mut self, name: &'static str, help: &'static str, labels: Labels, histogram: &Histogram) {
        let (_, series) = self.0.entry(name).or_insert((help, BTreeMap::new()));
        series.entry(labels).and_modify(|sum| sum.add(histogram)).or_insert(*histogram);
    }

    pub(super) fn write(&self, text: &mut Text) {
        for (name, (help, series)) in &self.0 {
            text.family(name, "histogram", help);
            for (labels, histogram) in series {
                let bucket = format!("{name}_bucket");
                let up_to = |bound: String| labels.iter().cloned().chain([("le", bound)]).collect::<Labels>();
                for (bound, count) in histogram.cumulative() {
                    text.sample(&bucket, &up_to(bound.as_secs_f64().to_string()), count);
                }
                text.sample(&bucket, &up_to("+Inf".to_owned()), histogram.count());
                text.sample(&format!("{name}_sum"), labels, histogram.sum().as_secs_f64());
                text.sample(&format!("{name}_count"), labels, histogram.count());
            }
        }
    }
}
