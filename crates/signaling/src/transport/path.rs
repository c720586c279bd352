//! What a URL path below a base path addresses. It must not know which verbs are allowed there.

use percent_encoding::percent_decode_str;

/// The target of an HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Not below the base path.
    Outside,
    /// The base path itself: requests without a session.
    Base,
    Info,
    Ping,
    /// Ids are 0 where the path has no number, and no session or handle has the id 0.
    Session {
        session: u64,
    },
    Handle {
        session: u64,
        handle: u64,
    },
    /// Below a handle nothing exists.
    TooDeep,
}

/// A path in front of which stands the room that it is about, `/room/1234/janus/…`: clients put what they ask for behind the
/// URL of their server, so there a balancer finds the room in each of their requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RoomPath<'a> {
    /// The id of the room; `None` = the path names none.
    pub(super) room: Option<String>,
    /// What stands in front; ends without a slash.
    pub(super) prefix: &'a str,
    /// All else.
    pub(super) path: &'a str,
}

impl<'a> RoomPath<'a> {
    pub(super) fn split(path: &'a str) -> Self {
        let none = Self { room: None, prefix: "", path };
        let Some(below) = path.strip_prefix("/room/") else { return none };
        let name = &below[..below.find('/').unwrap_or(below.len())];
        // What is no UTF-8 nothing is called.
        let Ok(room) = percent_decode_str(name).decode_utf8() else { return none };
        let (prefix, path) = path.split_at("/room/".len() + name.len());
        Self { room: Some(room.into_owned()).filter(|room| !room.is_empty()), prefix, path }
    }
}

impl Target {
    /// `base` starts with a slash (or is empty) and does not end with one. Empty segments of `path` are passed over.
    pub(super) fn parse(base: &str, path: &str) -> Self {
        let Some(below) = path.strip_prefix(base) else { return Self::Outside };
        if !below.is_empty() && !below.starts_with('/') {
            return Self::Outside;
        }
        let mut segments = below.split('/').filter(|segment| !segment.is_empty());
        match (segments.next(), segments.next(), segments.next()) {
            (None, ..) => Self::Base,
            (Some("info"), None, _) => Self::Info,
            (Some("ping"), None, _) => Self::Ping,
            (Some(session), None, _) => Self::Session { session: id(session) },
            (Some(session), Some(handle), None) => Self::Handle { session: id(session), handle: id(handle) },
            (Some(_), Some(_), Some(_)) => Self::TooDeep,
        }
    }

    /// Session and handle id, 0 where there is none.
    pub(super) fn ids(self) -> (u64, u64) {
        match self {
            Self::Session { session } => (session, 0),
            Self::Handle { session, handle } => (session, handle),
            Self::Outside | Self::Base | Self::Info | Self::Ping | Self::TooDeep => (0, 0),
        }
    }
}

/// The leading digits; what is no number, or beyond a JSON integer of this API, is 0.
fn id(segment: &str) -> u64 {
    let end = segment.find(|character: char| !character.is_ascii_digit()).unwrap_or(segment.len());
    segment[..end].parse::<i64>().map_or(0, i64::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use super::RoomPath;

    #[test]
    fn a_room_in_front_of_a_path_is_taken_off() {
        let of = |room: &str, prefix, path| RoomPath { room: Some(room.to_owned()), prefix, path };
        assert_eq!(RoomPath::split("/room/1234/janus/5/6"), of("1234", "/room/1234", "/janus/5/6"));
        assert_eq!(RoomPath::split("/room/town%20hall/janus"), of("town hall", "/room/town%20hall", "/janus"));
        assert_eq!(RoomPath::split("/room/1234"), of("1234", "/room/1234", ""));
    }

    #[test]
    fn a_path_without_one_stays_whole() {
        for path in ["/janus/5/6", "/room.js", "/room", "/", "/rooms/1234/janus", "/room/%ff/janus"] {
            assert_eq!(RoomPath::split(path), RoomPath { room: None, prefix: "", path });
        }
        assert_eq!(RoomPath::split("/room//janus"), RoomPath { room: None, prefix: "/room/", path: "/janus" });
    }
}
