//! What a server costs against the number of participants: what was measured, and the straight line nearest to it. Reads
//! no files.

use super::Report;
use super::chart::{Chart, Line, Stroke};

/// Packets a second each way of a participant.
const PACKETS_PER_SECOND: f64 = 50.0;

/// Processor time of a server in calls of different sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    server: String,
    /// Participants and milliseconds a second, by participants.
    measured: Vec<(f64, f64)>,
    /// Milliseconds a second of each participant, by the line of least squares.
    pub slope: f64,
    /// Milliseconds a second that the line has without participants.
    pub intercept: f64,
}

/// Why there is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A line needs two ends.
    #[error("needs runs of two sizes at least, made with --pid")]
    TooFew,
    /// Their costs are not on one line.
    #[error("runs of several servers: draw one at a time")]
    SeveralServers,
}

impl Cost {
    /// Of the call of each run; runs without the server's processor time (`--pid`) are left out.
    pub fn of(reports: &[Report]) -> Result<Self, CostError> {
        let server = reports.first().map(|report| report.server.clone()).unwrap_or_default();
        if reports.iter().any(|report| report.server != server) {
            return Err(CostError::SeveralServers);
        }
        let measured = |report: &Report| {
            let load = report.windows.first()?.server?;
            Some((f64::from(report.rooms * report.participants), load.cpu_percent * 10.0))
        };
        let mut measured: Vec<_> = reports.iter().filter_map(measured).collect();
        measured.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (slope, intercept) = least_squares(&measured).ok_or(CostError::TooFew)?;
        Ok(Self { server, measured, slope, intercept })
    }

    /// How far what was measured is from the line at most, as a part of what the line has there.
    pub fn deviation(&self) -> f64 {
        let off = |&(participants, cost): &(f64, f64)| (cost / self.at(participants) - 1.0).abs();
        self.measured.iter().map(off).fold(0.0, f64::max)
    }

    /// With the cost that cannot be avoided beside it, if it is known: so many microseconds for a packet in and one out.
    pub fn chart(&self, floor_us: Option<f64>) -> Chart {
        // The line is drawn from where nobody is.
        let right = self.measured.last().map_or(0.0, |&(participants, _)| participants);
        let straight = |slope: f64, intercept: f64| vec![(0.0, intercept), (right, slope * right + intercept)];
        let name = format!("{:.2} ms each + {:.0} ms", self.slope, self.intercept);
        let mut lines = vec![
            Line { name: "measured".to_owned(), points: self.measured.clone(), stroke: Stroke::Dots },
            Line { name, points: straight(self.slope, self.intercept), stroke: Stroke::Solid },
        ];
        lines.extend(floor_us.map(|microseconds| {
            let each = microseconds * PACKETS_PER_SECOND / 1_000.0;
            let name = format!("encryption and system calls alone: {each:.2} ms each");
            Line { name, points: straight(each, 0.0), stroke: Stroke::Dashes }
        }));
        Chart { title: format!("{}: processor, ms a second", self.server), across: "participants".to_owned(), lines }
    }

    fn at(&self, participants: f64) -> f64 {
        self.slope * participants + self.intercept
    }
}

/// Slope and intercept; `None` of points that are all in one place.
fn least_squares(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    // Not a number without any spread.
    slope.is_finite().then_some((slope, mean_y - slope * mean_x))
}
