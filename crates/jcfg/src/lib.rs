//! The libconfig grammar, as the `.jcfg` files of a Janus server use it: text to settings, and back. Knows no file and no
//! meaning of any key.
//!
//! ```text
//! room-1234: {                     # names may have digits, '-', '_' and '*'
//!     description = "Demo " "Room" // strings side by side are one
//!     sampling_rate = 16000;       /* 0x3E80 and 16000L are the same */
//!     groups = [ "one", "two" ]    # an array: values of one type
//!     pairs = ( [1, 2], { a: 1 } ) # a list: anything
//! }
//! ```
//!
//! One thing is read that libconfig refuses: a path without quotation marks (`keyfile = /etc/ssl/key.pem`), because a
//! sample file that is shipped with Janus has some. `@include` is refused.

mod error;
mod parse;
mod print;
mod scan;

pub use error::Error;

/// Settings in the order in which they stand. No two have the same name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The settings.
    pub settings: Vec<Setting>,
}

/// `name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Starts with a letter or `*`, goes on with letters, digits, `-`, `_` and `*`.
    pub name: String,
    /// What it is set to.
    pub value: Value,
    /// Where its name stands.
    pub position: Position,
}

/// What a setting is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`, written in any case.
    Bool(bool),
    /// `1`, `-1L`, `0x1F`.
    Int(i64),
    /// `1.5`, `.5`, `1e-3`; finite.
    Float(f64),
    /// `"text"`.
    String(String),
    /// `[ … ]`: values of one of the types above.
    Array(Vec<Self>),
    /// `( … )`: any values.
    List(Vec<Self>),
    /// `{ … }`.
    Group(Group),
}

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl Group {
    /// Reads the text of a file. It must be UTF-8 where it is not a comment.
    ///
    /// # Errors
    /// Says where the text is wrong, what could stand there, and what does.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        parse::group(text)
    }

    /// The setting of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }
}
