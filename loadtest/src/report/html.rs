//! Reports as one HTML page: tables and charts in SVG, with no request to anywhere.

use super::chart::{self, Chart, Line, Stroke, escape};
use super::{Report, Second, table};

/// What a line of a chart shows of each second.
type Value = fn(&Second) -> Option<f64>;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2.5rem}pre{overflow-x:auto;background:#f4f4f4;padding:1rem;border-radius:6px;font-size:13px}\
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(26rem,1fr));gap:1rem}svg{width:100%;height:auto}";

/// The page: of several reports also the cost against the number of participants.
pub fn page(reports: &[Report]) -> String {
    let growth = if reports.len() > 1 { growth(reports) } else { String::new() };
    let sections: String = reports.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Load test</title><style>{STYLE}{}</style><h1>Load test</h1>{growth}{sections}</html>\n",
        chart::STYLE
    )
}

fn section(report: &Report) -> String {
    let over_time = |title: &str, lines: &[(&str, Value)]| Chart {
        title: title.to_owned(),
        across: "seconds".to_owned(),
        lines: lines
            .iter()
            .map(|(name, value)| Line {
                name: (*name).to_owned(),
                points: report.series.iter().filter_map(|second| Some((second.at, value(second)?))).collect(),
                stroke: Stroke::Solid,
            })
            .collect(),
    };
    let charts = [
        over_time("Participants", &[("present", |second| Some(second.present as f64))]),
        over_time(
            "Packets per second and participant",
            &[("received", |second| (second.present > 0).then_some(second.packets_per_participant))],
        ),
        over_time("Server CPU, % of a core", &[("", |second| second.cpu_percent)]),
        over_time("Server memory, MiB", &[("resident", |second| second.resident_mb)]),
        over_time(
            "Mouth to ear, ms",
            &[("p50", |second| second.latency_p50_ms), ("p99", |second| second.latency_p99_ms)],
        ),
        over_time("Between packets, ms", &[("p99", |second| second.interval_p99_ms)]),
    ];
    let charts: String = charts.iter().map(Chart::svg).collect();
    format!(
        "<h2>{}: {}</h2><pre>{}</pre><div class=\"charts\">{charts}</div>",
        escape(&report.scenario),
        escape(&report.server),
        escape(&table::table(report))
    )
}

/// How cost grows with the number of participants: a line per server.
fn growth(reports: &[Report]) -> String {
    let mut servers: Vec<&str> = reports.iter().map(|report| report.server.as_str()).collect();
    servers.sort_unstable();
    servers.dedup();
    let chart = |title: &str, value: fn(&Report) -> Option<f64>| {
        let lines = servers.iter().map(|server| {
            let mut points: Vec<(f64, f64)> = reports
                .iter()
                .filter(|report| report.server == *server)
                .filter_map(|report| Some((f64::from(report.rooms * report.participants), value(report)?)))
                .collect();
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
            Line { name: (*server).to_owned(), points, stroke: Stroke::Solid }
        });
        Chart { title: title.to_owned(), across: "participants".to_owned(), lines: lines.collect() }.svg()
    };
    let cpu = chart("Server CPU, % of a core", |report| Some(report.windows.first()?.server?.cpu_percent));
    let each = chart("Server CPU per participant and second, ms", |report| {
        Some(report.windows.first()?.server?.cpu_ms_per_participant)
    });
    let latency = chart("Mouth to ear p99, ms", |report| Some(report.windows.first()?.latency_ms?.p99));
    let rate =
        chart("Packets per second of the worst served", |report| Some(report.windows.first()?.packets_per_second_min));
    format!("<h2>Against the number of participants</h2><div class=\"charts\">{cpu}{each}{latency}{rate}</div>")
}
