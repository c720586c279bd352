//! A report as a table for a terminal.

use std::fmt::Write;

use super::{Report, Spread, Window};

/// Several lines, aligned.
pub fn table(report: &Report) -> String {
    let mut rows: Vec<(String, String)> = vec![
        row("scenario", format!("{} ({})", report.scenario, report.title)),
        row("server", format!("{} at {}", report.server, report.url)),
        row(
            "participants",
            format!("{} rooms of {}, {} speak in each", report.rooms, report.participants, report.speakers),
        ),
        row("joins", format!("{} worked, {} failed", report.join.joined, report.join.failed)),
    ];
    rows.extend(spread("  until answer", report.join.answered_ms));
    rows.extend(spread("  until connected", report.join.connected_ms));
    rows.extend(spread("  until audio", report.join.audible_ms));
    rows.extend(report.join.cpu_ms.map(|cpu| row("  server CPU", format!("{cpu:.2} ms each"))));
    rows.extend(
        report.join.guest_cpu_ms.map(|cpu| row("  server CPU per guest", format!("{cpu:.2} ms: join, stay and leave"))),
    );
    for window in &report.windows {
        window_rows(window, &mut rows);
    }
    if let Some(memory) = &report.memory {
        rows.push(row(
            "memory",
            format!("{} KB before, {} with rooms, {} with the call", memory.before_kb, memory.rooms_kb, memory.call_kb),
        ));
        rows.push(row("  per room", format!("{:.1} KB", memory.kb_per_room)));
        rows.push(row("  per participant", format!("{:.0} KB", memory.kb_per_participant)));
        rows.push(row("  threads", format!("{} before, {} with rooms", memory.threads_before, memory.threads_rooms)));
    }
    if let Some(requests) = &report.requests {
        rows.push(row("requests", format!("{} sent, {} answered", requests.sent, requests.answered)));
        rows.extend(spread("  until answer", requests.latency_ms));
        rows.push(row(
            "  waiting",
            format!("{} at most, {} when the last was sent", requests.waiting_most, requests.waiting_last),
        ));
        rows.extend(requests.cpu_us.map(|cpu| row("  server CPU", format!("{cpu:.1} µs each"))));
    }
    if let Some(garbage) = &report.garbage {
        rows.push(row(
            "garbage",
            format!(
                "{} datagrams, {} requests, {} disconnects",
                garbage.datagrams, garbage.requests, garbage.disconnects
            ),
        ));
        rows.extend(garbage.answers.iter().map(|(answer, count)| row(&format!("  {answer}"), count.to_string())));
    }
    let generator = &report.generator;
    rows.push(row(
        "generator",
        format!(
            "{:.1} % of a core, {} ms skipped, {} datagrams unsent",
            generator.cpu_percent, generator.skipped_ms, generator.unsent
        ),
    ));
    rows.extend(spread("  late by", generator.lateness_ms));
    rows.extend(report.failures.iter().map(|(reason, count)| row("  failed", format!("{count} × {reason}"))));
    let problems = report.problems();
    rows.extend(problems.iter().map(|problem| row("NOT OK", problem.clone())));
    if problems.is_empty() {
        rows.push(row("verdict", "ok".to_owned()));
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.into_iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:width$}  {value}");
        text
    })
}

fn window_rows(window: &Window, rows: &mut Vec<(String, String)>) {
    rows.push(row(
        &format!("[{}]", window.name),
        format!("{:.1} s, {} participants measured, {} vanished", window.seconds, window.measured, window.vanished),
    ));
    if window.measured > 0 {
        rows.push(row(
            "  packets/s received",
            format!(
                "mean {:.2}, min {:.2}; {} lost, {} late",
                window.packets_per_second_mean, window.packets_per_second_min, window.lost, window.late
            ),
        ));
        rows.push(row("  packets/s sent", format!("mean {:.2}", window.sent_per_second_mean)));
    }
    rows.extend(spread("  latency", window.latency_ms));
    rows.extend(spread("  between packets", window.interval_ms));
    let hearing = &window.hearing;
    if hearing.listeners > 0 {
        let decibels = |level: Option<f32>| level.map_or("-".to_owned(), |level| format!("{level:.1} dB"));
        rows.push(row(
            "  heard",
            format!(
                "{} of {} tones by {} listeners (weakest {}), own echo {} ({} leaked)",
                hearing.heard,
                hearing.heard + hearing.missed,
                hearing.listeners,
                decibels(hearing.weakest_db),
                decibels(hearing.own_db),
                hearing.own_leaked
            ),
        ));
        rows.push(row(
            "  damage",
            format!(
                "{} dropouts (longest {:.0} ms), {} frames concealed, {} undecodable",
                hearing.dropouts, hearing.longest_dropout_ms, hearing.concealed, hearing.undecodable
            ),
        ));
    }
    if let Some(load) = &window.server {
        rows.push(row(
            "  server CPU",
            format!(
                "{:.1} % of a core, {:.3} ms per participant and second",
                load.cpu_percent, load.cpu_ms_per_participant
            ),
        ));
        rows.push(row(
            "  server process",
            format!(
                "{} KB resident ({} KB in huge pages), {} threads, {:.0} context switches/s",
                load.resident_kb, load.huge_kb, load.threads, load.switches_per_second
            ),
        ));
    }
    rows.extend(window.counters.iter().map(|(name, rate)| row(&format!("  {name}"), format!("{rate:.1}/s"))));
}

fn row(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

fn spread(name: &str, spread: Option<Spread>) -> Option<(String, String)> {
    spread.map(|spread| {
        row(
            name,
            format!("p50 {:.1} ms, p99 {:.1}, max {:.1} (n = {})", spread.p50, spread.p99, spread.max, spread.count),
        )
    })
}
