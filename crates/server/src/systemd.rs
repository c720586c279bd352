//! What a service manager is told (sd_notify(3)): ready, reloading, draining, stopping, and that our threads turn. Says nothing
//! where there is none. Knows no planes.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::drain::Occupancy;

/// While calls go on, the manager's patience (`TimeoutStopSec`) is asked for again and again, each time for so long: three
/// reports of the drain.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);

/// All is started.
pub fn tell_ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("Serving")]);
}

/// The configuration is read again; to be followed by [`tell_ready`].
pub fn tell_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(moment) => tell(&[NotifyState::Reloading, moment]),
        Err(error) => tracing::debug!(%error, "the service manager is not told of a reload"),
    }
}

/// Sessions are told and sockets closed.
pub fn tell_stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
}

pub(crate) fn tell_serving() {
    tell(&[NotifyState::Status("Serving")]);
}

pub(crate) fn tell_draining(left: &Occupancy, remaining: Duration) {
    let Occupancy { rooms, participants } = left;
    let status = format!("Draining: {rooms} rooms, {participants} participants, {} s left", remaining.as_secs());
    let patience = u32::try_from(DRAIN_PATIENCE.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(&status), NotifyState::ExtendTimeoutUsec(patience)]);
}

/// How often the manager wants to hear that we are well, if it does: half of the time after which it gives us up.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}

pub(crate) fn tell_alive() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager can't be told");
    }
}
