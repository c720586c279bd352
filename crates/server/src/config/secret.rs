//! A secret: written down where it is needed, or in a file of its own. Never shown by anything but [`Secret::reveal`].

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a file. More is no secret, and some files never end.
const LONGEST: u64 = 64 * 1024;
/// Permission to read, for everybody.
const READ_BY_OTHERS: u32 = 0o004;

/// `"…"` or `{ file = "…" }`. The file is read while the configuration is, so that one that cannot be read is refused with the
/// line of the key, as every other wrong value is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    file: Option<PathBuf>,
}

/// `{ file = "…" }`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    file: PathBuf,
}

impl Secret {
    /// What it is.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The same for who keeps it.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// The file that it is in, when everybody on this machine may read that.
    pub(crate) fn exposed_file(&self) -> Option<&Path> {
        let path = self.file.as_deref()?;
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        (mode & READ_BY_OTHERS != 0).then_some(path)
    }

    /// What is in the file, but for the end of its last line, which editors add.
    fn read(file: PathBuf) -> Result<Self, String> {
        let right = |problem: &dyn fmt::Display| {
            format!("must be a secret, or a file with one that this user can read: {}: {problem}", file.display())
        };
        let mut text = String::new();
        let read = File::open(&file).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(right(&"is not UTF-8")),
            Err(error) => return Err(right(&error)),
            Ok(_) if text.len() as u64 > LONGEST => return Err(right(&format!("is longer than {LONGEST} bytes"))),
            Ok(_) => {}
        }
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        if text.is_empty() {
            return Err(right(&"is empty"));
        }
        Ok(Self { text, file: Some(file) })
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self { text, file: None }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// As it was written: the text itself only if there is no file.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.file {
            Some(file) => InFile { file: file.clone() }.serialize(serializer),
            None => serializer.serialize_str(&self.text),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrFile;

        impl<'de> Visitor<'de> for TextOrFile {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes or { file = \"…\" }")
            }

            fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
                Ok(text.to_owned().into())
            }

            // Of what else is there the type is told, not the value: it may be the secret, without its quotes.
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
                let InFile { file } = InFile::deserialize(MapAccessDeserializer::new(map))?;
                Secret::read(file).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(TextOrFile)
    }
}
