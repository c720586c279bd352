//! Requests about files that are played, parsed.

use super::Body;
use crate::audiobridge::error::Error;
use crate::core::ids::RoomId;

/// `play_file`: of all that is checked, what the room has to say something about.
#[derive(Debug)]
pub(in crate::audiobridge) struct PlayRequest<'a> {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) group: Option<&'a str>,
}

impl<'a> PlayRequest<'a> {
    /// `admin_key` is what the sender needs to have, if anything.
    pub(in crate::audiobridge) fn parse(body: Body<'a>, admin_key: Option<&str>) -> Result<Self, Error> {
        let room = body.room()?;
        body.required_string("filename")?;
        body.check_strings(&["file_id"])?;
        let group = body.string("group")?;
        body.check_booleans(&["loop"])?;
        body.check_secret("admin_key", admin_key)?;
        Ok(Self { room, group })
    }
}

/// `is_playing` and `stop_file`.
#[derive(Debug)]
pub(in crate::audiobridge) struct FileRequest<'a> {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) file: &'a str,
}

impl<'a> FileRequest<'a> {
    pub(in crate::audiobridge) fn parse(body: Body<'a>, admin_key: Option<&str>) -> Result<Self, Error> {
        let room = body.room()?;
        let file = body.required_string("file_id")?;
        body.check_secret("admin_key", admin_key)?;
        Ok(Self { room, file })
    }
}

/// The room of `stop_all_files`.
pub(in crate::audiobridge) fn announcing_room(body: Body<'_>, admin_key: Option<&str>) -> Result<RoomId, Error> {
    let room = body.room()?;
    body.check_secret("admin_key", admin_key)?;
    Ok(room)
}
