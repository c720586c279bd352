//! How long requests took. Knows no clock and not what a request means.

use std::collections::BTreeMap;
use std::time::Duration;

use histogram::Histogram;

use crate::RequestKind;

/// From a keepalive to a join whose room of thousands hears of it.
const BOUNDS: &[Duration] = &[
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// A histogram for each kind of request that there was.
#[derive(Clone, Debug, Default)]
pub(super) struct Durations(BTreeMap<RequestKind, Histogram>);

impl Durations {
    pub(super) fn record(&mut self, kind: RequestKind, took: Duration) {
        self.0.entry(kind).or_insert_with(|| Histogram::new(BOUNDS)).record(took);
    }

    pub(super) fn by_kind(&self) -> BTreeMap<RequestKind, Histogram> {
        self.0.clone()
    }
}
