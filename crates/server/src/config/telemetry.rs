//! `[telemetry]`: traces for OpenTelemetry.

use serde::{Deserialize, Serialize};

/// `[telemetry]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Where traces are sent by OTLP over HTTP.
    pub endpoint: String,
    /// Of all joins, those that are traced: 0 to 1.
    pub sample_ratio: f64,
    /// `service.name` in the traces.
    pub service_name: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            endpoint: "http://localhost:4318/v1/traces".to_owned(),
            sample_ratio: 1.0,
            service_name: "plenum".to_owned(),
        }
    }
}

impl Telemetry {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if !self.endpoint.starts_with("http://") && !self.endpoint.starts_with("https://") {
            return Some(("endpoint", "a URL, such as \"http://localhost:4318/v1/traces\""));
        }
        (!(0.0..=1.0).contains(&self.sample_ratio)).then_some(("sample_ratio", "from 0.0 to 1.0"))
    }
}
