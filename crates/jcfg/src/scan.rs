//! The words of the grammar: names, values, punctuation. Knows no order in which they may come.

use crate::{Error, Position};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name, or `true` or `false`.
    Name(String),
    Int(i64),
    Float(f64),
    String(String),
    /// A path without quotation marks.
    Path(String),
    /// One of `= : ; , { } [ ] ( )`.
    Mark(u8),
    End,
}

impl Token {
    /// What it is, for a person who did not expect it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Int(number) => format!("the number {number}"),
            Self::Float(number) => format!("the number {number}"),
            // Which may be a secret.
            Self::String(_) => "a string".to_owned(),
            Self::Path(path) => format!("the path {path}"),
            Self::Mark(mark) => format!("`{}`", char::from(*mark)),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// Reads one word after the other; every byte is looked at a bounded number of times.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    position: Position,
}

const CLOSED_COMMENT: &str = "`*/`";
const CLOSED_STRING: &str = "`\"` at the end of a string";
const WHOLE: &str = "the settings themselves: no other file is read";
const UTF8: &str = "text in UTF-8";
const NUMBER: &str = "a number such as 1, -1L, 0x1F or 1.5, within 64 bits";

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let rest = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        Self { rest, position: Position { line: 1, column: 1 } }
    }

    /// The next word and where it begins.
    pub(crate) fn next(&mut self) -> Result<(Position, Token), Error> {
        self.skip_blanks()?;
        let position = self.position;
        let Some(&first) = self.rest.first() else { return Ok((position, Token::End)) };
        let token = match first {
            b'=' | b':' | b';' | b',' | b'{' | b'}' | b'[' | b']' | b'(' | b')' => {
                self.take(1);
                Token::Mark(first)
            }
            b'"' => Token::String(self.string()?),
            b'a'..=b'z' | b'A'..=b'Z' | b'*' => {
                let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte));
                Token::Name(String::from_utf8_lossy(name).into_owned())
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => {
                let text = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
                let text = String::from_utf8_lossy(text);
                number(&text).ok_or_else(|| Error::new(position, NUMBER, &format!("`{text}`")))?
            }
            // What begins a comment was skipped.
            b'/' => {
                let path = self.take_while(|byte| !byte.is_ascii_whitespace() && !b";,)]}\"#".contains(&byte));
                let path = str::from_utf8(path).map_err(|_| Error::new(position, UTF8, "other bytes"))?;
                Token::Path(path.to_owned())
            }
            b'@' => return Err(Error::new(position, WHOLE, "`@include`")),
            other => {
                let found =
                    if other.is_ascii_graphic() { char::from(other).to_string() } else { format!("{other:#04x}") };
                return Err(Error::new(position, "a name or a value", &format!("`{found}`")));
            }
        };
        Ok((position, token))
    }

    fn skip_blanks(&mut self) -> Result<(), Error> {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace());
            if self.rest.starts_with(b"#") || self.rest.starts_with(b"//") {
                self.take_while(|byte| byte != b'\n');
            } else if self.rest.starts_with(b"/*") {
                let begin = self.position;
                let Some(length) = self.rest[2..].windows(2).position(|end| end == b"*/") else {
                    return Err(Error::new(begin, CLOSED_COMMENT, "a comment without an end"));
                };
                self.take(length + 4);
            } else {
                return Ok(());
            }
        }
    }

    fn string(&mut self) -> Result<String, Error> {
        let begin = self.position;
        self.take(1);
        let mut bytes = Vec::new();
        loop {
            bytes.extend_from_slice(self.take_while(|byte| byte != b'"' && byte != b'\\'));
            match *self.rest {
                [b'"', ..] => {
                    self.take(1);
                    return String::from_utf8(bytes).map_err(|_| Error::new(begin, UTF8, "a string of other bytes"));
                }
                [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    bytes.push(hex_digit(high) << 4 | hex_digit(low));
                    self.take(4);
                }
                [b'\\', escaped, ..] => {
                    let (byte, length) = match escaped {
                        b'"' | b'\\' => (escaped, 2),
                        b'a' => (0x07, 2),
                        b'b' => (0x08, 2),
                        b'f' => (0x0C, 2),
                        b'n' => (b'\n', 2),
                        b'r' => (b'\r', 2),
                        b't' => (b'\t', 2),
                        b'v' => (0x0B, 2),
                        // As libconfig: a backslash that begins nothing known is one.
                        _ => (b'\\', 1),
                    };
                    bytes.push(byte);
                    self.take(length);
                }
                [..] => return Err(Error::new(begin, CLOSED_STRING, "a string without an end")),
            }
        }
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|byte| !belongs(*byte)).unwrap_or(self.rest.len());
        self.take(length)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        for byte in taken {
            if *byte == b'\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else if byte & 0xC0 != 0x80 {
                // The other bytes go on with a character.
                self.position.column += 1;
            }
        }
        taken
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

fn number(text: &str) -> Option<Token> {
    let integer = text.strip_suffix("LL").or_else(|| text.strip_suffix('L')).unwrap_or(text);
    if let Some(digits) = integer.strip_prefix("0x").or_else(|| integer.strip_prefix("0X")) {
        // All 64 bits may be given, the sign among them.
        let number = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, 16));
        return number?.ok().map(|number| Token::Int(number.cast_signed()));
    }
    if let Ok(number) = integer.parse() {
        return Some(Token::Int(number));
    }
    // Rust reads "inf", too.
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let is_float = text.bytes().any(|byte| b".eE".contains(&byte));
    let number: f64 = text.parse().ok().filter(|number: &f64| is_decimal && is_float && number.is_finite())?;
    Some(Token::Float(number))
}
