//! The codecs of members. Must not know rooms or mixes.

pub(crate) mod opus;
