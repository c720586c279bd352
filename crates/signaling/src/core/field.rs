//! Reading typed fields out of a JSON object, in the order the API checks them. The texts are API; the code that goes
//! with them is the caller's.

use serde_json::{Map, Value};

/// A field that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldError {
    /// A required field is absent.
    Missing(&'static str),
    /// A field has the wrong type: its name, and the right one.
    Wrong(&'static str, Kind),
}

/// The types a field can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Natural,
    String,
    Array,
    FullArray,
    Object,
}

impl Kind {
    /// With its article, as the texts have it. What they call positive includes zero.
    fn described(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Natural => "a positive integer",
            Self::String => "a string",
            Self::Array => "an array",
            Self::FullArray => "a non-empty array",
            Self::Object => "an object",
        }
    }
}

impl FieldError {
    /// The text of the error.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Missing(name) => format!("Missing mandatory element ({name})"),
            Self::Wrong(name, kind) => {
                format!("Invalid element type ({name} should be {})", kind.described())
            }
        }
    }
}

/// The fields of one object. Each reader gives `None` for an absent field and an error for one of another type, `null`
/// included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn boolean(self, name: &'static str) -> Result<Option<bool>, FieldError> {
        self.read(name, Kind::Boolean, Value::as_bool)
    }

    /// Any integer that fits 64 signed bits; `1.0` is none.
    pub(crate) fn integer(self, name: &'static str) -> Result<Option<i64>, FieldError> {
        self.read(name, Kind::Integer, Value::as_i64)
    }

    /// An integer that is zero or more.
    pub(crate) fn natural(self, name: &'static str) -> Result<Option<u64>, FieldError> {
        self.read(name, Kind::Natural, natural)
    }

    pub(crate) fn string(self, name: &'static str) -> Result<Option<&'a str>, FieldError> {
        self.read(name, Kind::String, Value::as_str)
    }

    pub(crate) fn array(self, name: &'static str) -> Result<Option<&'a [Value]>, FieldError> {
        self.read(name, Kind::Array, |value| value.as_array().map(Vec::as_slice))
    }

    /// An array that has something in it. An absent one is as wrong as an empty one.
    pub(crate) fn full_array(self, name: &'static str) -> Result<&'a [Value], FieldError> {
        self.array(name)?.filter(|array| !array.is_empty()).ok_or(FieldError::Wrong(name, Kind::FullArray))
    }

    pub(crate) fn object(self, name: &'static str) -> Result<Option<&'a Map<String, Value>>, FieldError> {
        self.read(name, Kind::Object, Value::as_object)
    }

    fn read<T>(
        self,
        name: &'static str,
        kind: Kind,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, FieldError> {
        self.0.get(name).map(|value| convert(value).ok_or(FieldError::Wrong(name, kind))).transpose()
    }
}

/// Makes an optional field a required one.
pub(crate) trait Required<T> {
    /// The field `name` of this, which must be there.
    fn required(self, name: &'static str) -> Result<T, FieldError>;
}

impl<T> Required<T> for Result<Option<T>, FieldError> {
    fn required(self, name: &'static str) -> Result<T, FieldError> {
        self?.ok_or(FieldError::Missing(name))
    }
}

/// A JSON integer from 0 to 2^63 - 1.
pub(crate) fn natural(value: &Value) -> Option<u64> {
    value.as_i64().and_then(|number| u64::try_from(number).ok())
}
