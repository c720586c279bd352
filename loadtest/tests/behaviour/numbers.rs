//! Counters of a Prometheus scrape, and addresses.

use loadtest::prometheus::{codec_counters, rates};
use loadtest::server_url::{Scheme, ServerUrl};

const SCRAPE: &str = "# HELP x_encodes_total Frames.\n# TYPE x_encodes_total counter\n\
    x_encodes_total{kind=\"shared one\"} 100\nx_encodes_total{kind=\"private\"} 30\nx_decodes_total 50 1700000000\n\
    x_encode_seconds_bucket{le=\"1\"} 4\nx_packets_total 9\n";

#[test]
fn only_counters_of_codecs_are_taken() {
    let counters = codec_counters(SCRAPE);
    let names: Vec<&str> = counters.keys().map(String::as_str).collect();
    assert_eq!(names, ["x_decodes_total", "x_encodes_total{kind=\"private\"}", "x_encodes_total{kind=\"shared one\"}"]);
    assert_eq!(counters["x_decodes_total"], 50.0);
}

#[test]
fn rates_are_what_was_added_per_second() {
    let before = codec_counters(SCRAPE);
    let after = codec_counters(&SCRAPE.replace("one\"} 100", "one\"} 600"));
    let rates: Vec<_> = rates(&before, &after, 10.0).into_iter().collect();
    assert_eq!(rates, [("x_encodes_total{kind=\"shared one\"}".to_owned(), 50.0)]);
}

#[test]
fn addresses_have_defaults() {
    let url: ServerUrl = "ws://example".parse().unwrap();
    assert_eq!((url.scheme, url.port, url.to_string().as_str()), (Scheme::WebSocket, 8188, "ws://example:8188"));
    let url: ServerUrl = "http://[::1]:80".parse().unwrap();
    assert_eq!((url.host.as_str(), url.to_string().as_str()), ("::1", "http://[::1]:80/janus"));
    let url: ServerUrl = "http://127.0.0.1:7088/metrics".parse().unwrap();
    assert_eq!((url.path.as_str(), url.authority().as_str()), ("/metrics", "127.0.0.1:7088"));
}

#[test]
fn what_is_no_address_is_refused() {
    for text in ["localhost:8188", "wss://example", "ws://", "ws://example:port", "http://[::1"] {
        assert!(text.parse::<ServerUrl>().is_err(), "{text}");
    }
}
