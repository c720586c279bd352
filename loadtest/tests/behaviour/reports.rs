//! A report says what was measured, and says no where it must.

use std::time::Duration;

use loadtest::listening::Hearing;
use loadtest::report::chart::{Chart, Line, Stroke};
use loadtest::report::comparison::Comparison;
use loadtest::report::cost::{Cost, CostError};
use loadtest::report::{
    GarbageResult, Generator, Join, Report, RequestsResult, ServerLoad, Spread, Window, html, table,
};
use loadtest::scenario::Expect;
use loadtest::tally::{Outcome, Times};
use loadtest::tone::Tone;

fn outcome(received: u64, hearing: Option<Hearing>) -> Outcome {
    Outcome { time: Duration::from_secs(10), received, lost: 0, late: 0, sent: 500, hearing, present: true }
}

/// A run in which all is well.
fn good() -> Report {
    let heard = Hearing { heard: vec![Tone(0), Tone(1)], ..Hearing::default() };
    let mut window = Window::of("call", &[outcome(500, Some(heard)), outcome(499, None)]);
    window.latency_ms = Some(Spread { count: 10, p50: 40.0, p99: 50.0, max: 55.0 });
    window.server = Some(ServerLoad { cpu_percent: 5.0, cpu_ms_per_participant: 0.5, ..ServerLoad::default() });
    Report {
        scenario: "test".to_owned(),
        server: "Server <1>".to_owned(),
        windows: vec![window],
        join: Join { joined: 2, ..Join::default() },
        ..Report::default()
    }
}

fn problems(change: impl FnOnce(&mut Report)) -> Vec<String> {
    let mut report = good();
    change(&mut report);
    report.judge(&Expect::default());
    assert_eq!(report.passed(), report.problems().is_empty());
    report.problems()
}

#[test]
fn a_window_has_the_mean_and_the_worst_rate() {
    let window = Window::of("call", &[outcome(500, None), outcome(400, None)]);
    assert_eq!((window.packets_per_second_mean, window.packets_per_second_min), (45.0, 40.0));
    assert_eq!((window.sent_per_second_mean, window.measured, window.vanished), (50.0, 2, 0));
}

#[test]
fn a_good_run_passes() {
    assert_eq!(problems(|_| {}), Vec::<String>::new());
}

#[test]
fn each_kind_of_trouble_is_named() {
    type Damage = fn(&mut Report);
    let cases: [(&str, Damage); 11] = [
        ("wrong type → created", |report| {
            let answers = [("wrong type → created", 2), ("unknown verb → error 453", 9), ("trickle → ack", 1)];
            let answers = answers.map(|(answer, count)| (answer.to_owned(), count)).into();
            report.garbage = Some(GarbageResult { answers, ..GarbageResult::default() });
        }),
        ("disconnects", |report| {
            report.garbage = Some(GarbageResult { disconnects: 1, ..GarbageResult::default() });
        }),
        ("not answered", |report| {
            report.requests = Some(RequestsResult { sent: 9, answered: 8, ..RequestsResult::default() });
        }),
        ("queue grows", |report| {
            let result = RequestsResult { waiting_most: 900, waiting_last: 800, ..RequestsResult::default() };
            report.requests = Some(result);
        }),
        ("error 486", |report| {
            let unexpected = [("error 486 of the bridge".to_owned(), 1)].into();
            report.requests = Some(RequestsResult { unexpected, ..RequestsResult::default() });
        }),
        ("failed", |report| report.join.failed = 1),
        ("vanished", |report| report.windows[0].vanished = 1),
        ("not heard", |report| report.windows[0].hearing.missed = 1),
        ("heard themselves", |report| report.windows[0].hearing.own_leaked = 1),
        ("decoded", |report| report.windows[0].hearing.undecodable = 1),
        ("generator was late", |report| {
            let lateness_ms = Some(Spread { count: 9, p50: 1.0, p99: 6.0, max: 9.0 });
            report.generator = Generator { lateness_ms, ..Generator::default() };
        }),
    ];
    for (word, change) in cases {
        let problems = problems(change);
        assert!(problems.len() == 1 && problems[0].contains(word), "{word}: {problems:?}");
    }
}

#[test]
fn expectations_hold_or_do_not() {
    let mut report = good();
    report.judge(&Expect {
        min_packets_per_second: Some(49.9),
        latency_p50_ms: Some(39.9),
        latency_p99_ms: Some(50.0),
        cpu_ms_per_participant: Some(0.4),
        ..Expect::default()
    });
    let holds: Vec<(&str, bool)> =
        report.verdicts.iter().map(|verdict| (verdict.name.as_str(), verdict.holds)).collect();
    assert_eq!(
        holds,
        [
            ("min_packets_per_second", true),
            ("latency_p50_ms", false),
            ("latency_p99_ms", true),
            ("cpu_ms_per_participant", false)
        ]
    );
    assert_eq!(report.problems().len(), 2);
}

#[test]
fn the_worst_window_counts() {
    let mut report = good();
    report.windows.push(Window::of("guests", &[outcome(300, None)]));
    report.judge(&Expect { min_packets_per_second: Some(49.0), ..Expect::default() });
    assert_eq!(report.verdicts[0].measured, Some(30.0));
    assert!(!report.passed());
}

#[test]
fn what_was_expected_and_not_measured_does_not_hold() {
    let mut report = good();
    report.judge(&Expect { interval_p99_ms: Some(21.0), ..Expect::default() });
    assert!(!report.verdicts[0].holds);
    assert!(report.problems()[0].contains("not measured"));
}

#[test]
fn the_json_line_is_one_line_and_reads_back() {
    let report = good();
    let line = serde_json::to_string(&report).unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
}

#[test]
fn the_table_is_aligned_and_ends_with_a_verdict() {
    let text = table::table(&good());
    assert!(text.contains("packets/s received") && text.contains("2 of 2 tones"), "{text}");
    assert!(text.trim_end().ends_with("ok"), "{text}");
    let mut bad = good();
    bad.join.failed = 3;
    assert!(table::table(&bad).contains("NOT OK"));
}

#[test]
fn the_page_asks_nobody_for_anything_and_escapes_what_others_say() {
    let page = html::page(&[good()]);
    assert!(page.starts_with("<!doctype html>") && page.contains("Server &lt;1&gt;"));
    for request in ["src=", "href=", "url(", "<script", "@import"] {
        assert!(!page.contains(request), "{request}");
    }
}

#[test]
fn times_are_told_in_milliseconds() {
    let mut times = Times::default();
    assert_eq!(times.percentile(50.0), None);
    for milliseconds in 1..=100 {
        times.record(Duration::from_millis(milliseconds));
    }
    let spread = Spread::of(&times).unwrap();
    assert_eq!(spread.count, 100);
    assert!((spread.p50 - 50.0).abs() < 0.1 && (spread.p99 - 99.0).abs() < 0.1 && (spread.max - 100.0).abs() < 0.1);
}

#[test]
fn a_comparison_has_medians_and_ratios() {
    let with_cpu = |cpu: f64| {
        let mut report = good();
        report.windows[0].server.as_mut().unwrap().cpu_ms_per_participant = cpu;
        report
    };
    let a: Vec<Report> = [10.0, 12.0, 50.0].map(with_cpu).into();
    let b: Vec<Report> = [0.5, 0.4, 0.6].map(with_cpu).into();
    let comparison = Comparison::of(&a, &b);
    let row = comparison.rows.iter().find(|row| row.name.starts_with("server CPU per participant")).unwrap();
    assert_eq!((row.a, row.b, row.ratio), (Some(12.0), Some(0.5), Some(24.0)));
    let unmeasured = comparison.rows.iter().find(|row| row.name.starts_with("memory")).unwrap();
    assert_eq!((unmeasured.a, unmeasured.ratio), (None, None));
    assert!(comparison.table().contains("24.00"));
}

#[test]
fn a_chart_of_nothing_is_nothing_and_one_of_numbers_is_not() {
    assert_eq!(Chart::default().svg(), "");
    let points = vec![(0.0, 1.0), (10.0, 37.0)];
    let chart =
        Chart { title: "a < b".to_owned(), lines: vec![Line { points, ..Line::default() }], ..Chart::default() };
    let svg = chart.svg();
    assert!(svg.contains("a &lt; b") && svg.contains("<polyline") && svg.contains(">50<"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

/// A run of so many that cost so many milliseconds a second.
fn run_of(participants: u32, cost: f64) -> Report {
    let mut report = good();
    (report.rooms, report.participants) = (1, participants);
    report.windows[0].server.as_mut().unwrap().cpu_percent = cost / 10.0;
    report
}

#[test]
fn the_cost_of_runs_on_a_straight_line_is_that_line() {
    // In any order.
    let cost = Cost::of(&[run_of(1_000, 520.0), run_of(10, 25.0), run_of(200, 120.0)]).unwrap();

    assert!((cost.slope - 0.5).abs() < 1e-9 && (cost.intercept - 20.0).abs() < 1e-9, "{cost:?}");
    assert!(cost.deviation() < 1e-9);
}

#[test]
fn the_line_of_runs_beside_it_is_the_nearest_and_says_how_far() {
    let cost = Cost::of(&[run_of(100, 90.0), run_of(100, 110.0), run_of(200, 200.0)]).unwrap();

    assert!((cost.slope - 1.0).abs() < 1e-9 && cost.intercept.abs() < 1e-9, "{cost:?}");
    assert!((cost.deviation() - 0.1).abs() < 1e-9);
}

#[test]
fn runs_that_make_no_line_are_refused() {
    let mut other = run_of(20, 10.0);
    other.server = "another".to_owned();
    let mut unmeasured = run_of(20, 10.0);
    unmeasured.windows[0].server = None;

    assert_eq!(Cost::of(&[]), Err(CostError::TooFew));
    assert_eq!(Cost::of(&[run_of(10, 5.0), run_of(10, 6.0)]), Err(CostError::TooFew));
    assert_eq!(Cost::of(&[run_of(10, 5.0), unmeasured]), Err(CostError::TooFew));
    assert_eq!(Cost::of(&[run_of(10, 5.0), other]), Err(CostError::SeveralServers));
}

#[test]
fn a_plot_has_what_was_measured_the_line_and_the_floor() {
    let cost = Cost::of(&[run_of(10, 25.0), run_of(200, 120.0), run_of(1_000, 520.0)]).unwrap();

    let chart = cost.chart(Some(1.17));

    let strokes: Vec<Stroke> = chart.lines.iter().map(|line| line.stroke).collect();
    assert_eq!(strokes, [Stroke::Dots, Stroke::Solid, Stroke::Dashes]);
    assert_eq!(chart.lines[1].points, [(0.0, 20.0), (1_000.0, 520.0)]);
    assert_eq!(chart.lines[2].points, [(0.0, 0.0), (1_000.0, 58.5)]);
    assert_eq!(cost.chart(None).lines.len(), 2);
}

#[test]
fn a_chart_as_a_file_says_what_it_is_and_how_it_looks() {
    let points = vec![(0.0, 1.0), (10.0, 37.0)];
    let lines = vec![Line { name: "a & b".to_owned(), points, stroke: Stroke::Dots }];

    let file = Chart { lines, ..Chart::default() }.file();

    assert!(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && file.contains("<style>"), "{file}");
    assert_eq!((file.matches("<circle").count(), file.matches("<polyline").count()), (2, 0));
    assert!(file.contains("a &amp; b") && file.ends_with("</svg>"));
}
