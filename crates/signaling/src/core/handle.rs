//! The life of a handle.

use std::time::Instant;

use super::error::Error;
use super::ids::{HandleId, SessionId};
use super::message::{self, Envelope};
use super::{Core, Source};

/// A handle of the AudioBridge, the only plugin so far.
#[derive(Debug)]
pub(super) struct Handle {}

impl Core {
    pub(super) fn attach(
        &mut self,
        _source: Source,
        _envelope: &Envelope,
        _session: SessionId,
        _now: Instant,
    ) -> Result<(), Error> {
        Err(Error::no_such_plugin(""))
    }

    pub(super) fn execute_on_handle(
        &mut self,
        source: Source,
        envelope: &Envelope,
        session: SessionId,
        _handle: HandleId,
        _now: Instant,
    ) -> Result<(), Error> {
        self.reply(source, message::acknowledged(session, &envelope.transaction));
        Ok(())
    }

    pub(super) fn end_handle(&mut self, handle: HandleId) {
        self.handles.remove(&handle);
    }
}
