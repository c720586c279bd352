//! Two servers side by side: medians of several rounds and their ratio. Runs nothing.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::Report;

/// One figure of two servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured, with its unit.
    pub name: String,
    /// Median over A's rounds.
    pub a: Option<f64>,
    /// Median over B's rounds.
    pub b: Option<f64>,
    /// A divided by B.
    pub ratio: Option<f64>,
}

/// All figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Scenario of all rounds.
    pub scenario: String,
    /// What A says it is.
    pub a: String,
    /// What B says it is.
    pub b: String,
    /// Rounds of each.
    pub rounds: usize,
    /// The figures.
    pub rows: Vec<Row>,
}

type Figure = (&'static str, fn(&Report) -> Option<f64>);

const FIGURES: &[Figure] = &[
    ("server CPU, % of a core", |report| Some(report.windows.first()?.server?.cpu_percent)),
    ("server CPU per participant and second, ms", |report| {
        Some(report.windows.first()?.server?.cpu_ms_per_participant)
    }),
    ("server CPU per join, ms", |report| report.join.cpu_ms),
    ("memory per participant, KB", |report| Some(report.memory?.kb_per_participant)),
    ("context switches/s", |report| Some(report.windows.first()?.server?.switches_per_second)),
    ("threads", |report| Some(report.windows.first()?.server?.threads as f64)),
    ("packets/s, mean", |report| Some(report.windows.first()?.packets_per_second_mean)),
    ("packets/s, worst served", |report| Some(report.windows.first()?.packets_per_second_min)),
    ("latency p50, ms", |report| Some(report.windows.first()?.latency_ms?.p50)),
    ("latency p99, ms", |report| Some(report.windows.first()?.latency_ms?.p99)),
    ("between packets p99, ms", |report| Some(report.windows.first()?.interval_ms?.p99)),
    ("join until connected p50, ms", |report| Some(report.join.connected_ms?.p50)),
    ("frames concealed", |report| Some(report.windows.first()?.hearing.concealed as f64)),
];

impl Comparison {
    /// Of the reports of both servers.
    pub fn of(a: &[Report], b: &[Report]) -> Self {
        let name = |reports: &[Report]| reports.first().map(|report| report.server.clone()).unwrap_or_default();
        let rows = FIGURES.iter().map(|(figure, value)| {
            let (of_a, of_b) = (median(a.iter().filter_map(value)), median(b.iter().filter_map(value)));
            let ratio = of_a.zip(of_b).filter(|(_, b)| *b != 0.0).map(|(a, b)| a / b);
            Row { name: (*figure).to_owned(), a: of_a, b: of_b, ratio }
        });
        Self {
            scenario: a.first().map(|report| report.scenario.clone()).unwrap_or_default(),
            a: name(a),
            b: name(b),
            rounds: a.len().min(b.len()),
            rows: rows.collect(),
        }
    }

    /// As a table for a terminal.
    pub fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let mut text = format!(
            "scenario {}, medians of {} rounds\nA: {}\nB: {}\n\n{:width$} {:>12} {:>12} {:>8}\n",
            self.scenario, self.rounds, self.a, self.b, "", "A", "B", "A/B"
        );
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        for row in &self.rows {
            let ratio = row.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:width$} {:>12} {:>12} {ratio:>8}", row.name, number(row.a), number(row.b));
        }
        text
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        Some((values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0)
    } else {
        values.get(middle).copied()
    }
}
