//! Requests about recording, parsed.

use super::Body;
use crate::audiobridge::error::Error;
use crate::core::ids::RoomId;

/// `enable_recording`.
#[derive(Debug)]
pub(in crate::audiobridge) struct EnableRecording {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) record: bool,
    pub(in crate::audiobridge) record_file: Option<String>,
    pub(in crate::audiobridge) record_dir: Option<String>,
}

impl EnableRecording {
    pub(in crate::audiobridge) fn parse(body: Body<'_>) -> Result<Self, Error> {
        Ok(Self {
            record: body.boolean("record")?.ok_or_else(|| Error::missing("record"))?,
            record_file: body.text("record_file")?.map(str::to_owned),
            record_dir: body.text("record_dir")?.map(str::to_owned),
            room: body.room_untyped(),
        })
    }
}

/// `enable_mjrs`.
#[derive(Debug)]
pub(in crate::audiobridge) struct EnableMjrs {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) mjrs: bool,
    pub(in crate::audiobridge) mjrs_dir: Option<String>,
}

impl EnableMjrs {
    pub(in crate::audiobridge) fn parse(body: Body<'_>) -> Result<Self, Error> {
        Ok(Self {
            mjrs: body.boolean("mjrs")?.ok_or_else(|| Error::missing("mjrs"))?,
            mjrs_dir: body.text("mjrs_dir")?.map(str::to_owned),
            room: body.room_untyped(),
        })
    }
}
