//! The body of a request: its fields with the errors, limits and kind of ids of the plugin. Knows no request.

use serde_json::{Map, Value};

use crate::audiobridge::error::Error;
use crate::core::config::Limits;
use crate::core::field::{Fields, Required};
use crate::core::ids::{Id, RoomId, UserId};
use crate::core::same_secret;

/// The body of a request, read with the errors and limits of the plugin.
#[derive(Clone, Copy, Debug)]
pub(in crate::audiobridge) struct Body<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) dialect: Dialect,
    /// Whether it needs no secret.
    by_operator: bool,
}

/// How bodies are read on this server.
#[derive(Clone, Copy, Debug)]
pub(in crate::audiobridge) struct Dialect {
    pub(in crate::audiobridge) limits: Limits,
    /// Ids are texts, and not numbers.
    pub(in crate::audiobridge) string_ids: bool,
}

impl<'a> Body<'a> {
    pub(in crate::audiobridge) fn new(fields: &'a Map<String, Value>, dialect: Dialect) -> Self {
        Self { fields: Fields(fields), dialect, by_operator: false }
    }

    /// A body of somebody who needs no secret.
    pub(in crate::audiobridge) fn of_operator(fields: &'a Map<String, Value>, dialect: Dialect) -> Self {
        Self { by_operator: true, ..Self::new(fields, dialect) }
    }

    pub(in crate::audiobridge) fn boolean(self, name: &'static str) -> Result<Option<bool>, Error> {
        Ok(self.fields.boolean(name)?)
    }

    pub(in crate::audiobridge) fn natural(self, name: &'static str) -> Result<Option<u64>, Error> {
        Ok(self.fields.natural(name)?)
    }

    pub(in crate::audiobridge) fn string(self, name: &'static str) -> Result<Option<&'a str>, Error> {
        Ok(self.fields.string(name)?)
    }

    pub(in crate::audiobridge) fn required_string(self, name: &'static str) -> Result<&'a str, Error> {
        Ok(self.fields.string(name).required(name)?)
    }

    /// The room that is meant.
    pub(in crate::audiobridge) fn room(self) -> Result<RoomId, Error> {
        Ok(RoomId(self.id("room")?.ok_or_else(|| Error::missing("room"))?))
    }

    /// The same where the field is not looked at: what is no id names none.
    pub(in crate::audiobridge) fn room_untyped(self) -> RoomId {
        let blank = || if self.dialect.string_ids { Id::Text("".into()) } else { Id::Number(0) };
        RoomId(self.id("room").ok().flatten().unwrap_or_else(blank))
    }

    /// The participant that is meant.
    pub(in crate::audiobridge) fn user(self) -> Result<UserId, Error> {
        Ok(UserId(self.id("id")?.ok_or_else(|| Error::missing("id"))?))
    }

    /// The id for something new that is wished for; `None` = whichever.
    pub(in crate::audiobridge) fn wished_id(self, name: &'static str) -> Result<Option<Id>, Error> {
        Ok(self.id(name)?.filter(|id| !id.is_blank()))
    }

    fn id(self, name: &'static str) -> Result<Option<Id>, Error> {
        Ok(if self.dialect.string_ids {
            self.text(name)?.map(|text| Id::Text(text.into()))
        } else {
            self.natural(name)?.map(Id::Number)
        })
    }

    /// Checks the secret that `expected` is, if there is one, in the field `name`.
    pub(in crate::audiobridge) fn check_secret(self, name: &'static str, expected: Option<&str>) -> Result<(), Error> {
        let Some(expected) = expected.filter(|_| !self.by_operator) else { return Ok(()) };
        if same_secret(expected, self.required_string(name)?) { Ok(()) } else { Err(Error::wrong(name)) }
    }

    /// A string that will be kept.
    pub(in crate::audiobridge) fn text(self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let text = self.string(name)?;
        match text {
            Some(text) if text.len() > self.dialect.limits.text_bytes => Err(self.too_long(name)),
            Some(_) | None => Ok(text),
        }
    }

    fn too_long(self, name: &str) -> Error {
        Error::invalid(name, &format!("should have at most {} bytes", self.dialect.limits.text_bytes))
    }

    /// The strings of an array that was already found to be one.
    pub(super) fn texts(self, name: &'static str, array: &[Value]) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        for value in array {
            let text = value.as_str().ok_or_else(|| Error::not_a_string_in(name))?;
            if text.len() > self.dialect.limits.text_bytes {
                return Err(self.too_long(name));
            }
            texts.push(text.to_owned());
        }
        Ok(texts)
    }

    /// Checks the types of fields that have no effect yet.
    pub(super) fn check_booleans(self, names: &[&'static str]) -> Result<(), Error> {
        names.iter().try_for_each(|name| self.boolean(name).map(drop))
    }

    pub(super) fn check_strings(self, names: &[&'static str]) -> Result<(), Error> {
        names.iter().try_for_each(|name| self.string(name).map(drop))
    }
}
