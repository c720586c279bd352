//! What a URL path below a base path addresses. It must not know which verbs are allowed there.

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
