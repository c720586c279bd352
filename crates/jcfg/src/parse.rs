//! The grammar: in which order words make settings.

use std::collections::BTreeSet;

use crate::scan::{Scanner, Token};
use crate::{Error, Group, Position, Setting, Value};

/// Groups and lists within each other at most: far more than any file has, far less than a stack holds.
const DEPTH: usize = 64;

const NAME: &str = "the name of a setting";
const NAME_OR_BRACE: &str = "the name of a setting, or `}`";
const EQUALS: &str = "`=` or `:`";
const VALUE: &str = "a value: a string, a number, true, false, [array], (list) or {group}";
const SCALAR: &str = "a string, a number, true or false: an array has nothing else";
const SAME_TYPE: &str = "a value of the same type as the first: an array has one type";
const NEXT_OR_BRACKET: &str = "`,` or `]`";
const NEXT_OR_PARENTHESIS: &str = "`,` or `)`";
const NEW_NAME: &str = "a name that this group does not have yet";
const SHALLOWER: &str = "at most 64 groups and lists within each other";

/// A whole text.
pub(crate) fn group(text: &[u8]) -> Result<Group, Error> {
    let mut parser = Parser { scanner: Scanner::new(text), ahead: (Position::default(), Token::End) };
    parser.advance()?;
    parser.settings(&Token::End, 0)
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// The word that is looked at.
    ahead: (Position, Token),
}

impl Parser<'_> {
    /// Settings up to the word that ends them, which is taken.
    fn settings(&mut self, end: &Token, depth: usize) -> Result<Group, Error> {
        let mut group = Group::default();
        let mut names = BTreeSet::new();
        loop {
            let (position, token) = self.advance()?;
            if token == *end {
                return Ok(group);
            }
            let Token::Name(name) = token else {
                let expected = if *end == Token::End { NAME } else { NAME_OR_BRACE };
                return Err(Error::new(position, expected, &token.describe()));
            };
            if !names.insert(name.clone()) {
                return Err(Error::new(position, NEW_NAME, &format!("`{name}` again")));
            }
            let (between, equals) = self.advance()?;
            if !matches!(equals, Token::Mark(b'=' | b':')) {
                return Err(Error::new(between, EQUALS, &equals.describe()));
            }
            let value = self.value(depth)?;
            if matches!(self.ahead.1, Token::Mark(b';' | b',')) {
                self.advance()?;
            }
            group.settings.push(Setting { name, value, position });
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        let (position, token) = self.advance()?;
        if depth == DEPTH && matches!(token, Token::Mark(b'{' | b'(')) {
            return Err(Error::new(position, SHALLOWER, &token.describe()));
        }
        if token == Token::Mark(b'{') {
            return Ok(Value::Group(self.settings(&Token::Mark(b'}'), depth + 1)?));
        }
        if token == Token::Mark(b'(') {
            return Ok(Value::List(self.list(depth + 1)?));
        }
        if token == Token::Mark(b'[') {
            return Ok(Value::Array(self.array()?));
        }
        self.scalar(position, token, VALUE)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        while self.ahead.1 != Token::Mark(b')') {
            values.push(self.value(depth)?);
            self.next_value(&Token::Mark(b')'), NEXT_OR_PARENTHESIS)?;
        }
        self.advance()?;
        Ok(values)
    }

    fn array(&mut self) -> Result<Vec<Value>, Error> {
        let mut values: Vec<Value> = Vec::new();
        while self.ahead.1 != Token::Mark(b']') {
            let (position, token) = self.advance()?;
            let value = self.scalar(position, token, SCALAR)?;
            if values.first().is_some_and(|first| std::mem::discriminant(first) != std::mem::discriminant(&value)) {
                return Err(Error::new(position, SAME_TYPE, "another type"));
            }
            values.push(value);
            self.next_value(&Token::Mark(b']'), NEXT_OR_BRACKET)?;
        }
        self.advance()?;
        Ok(values)
    }

    /// Between two values: a comma, which may also come after the last.
    fn next_value(&mut self, end: &Token, expected: &'static str) -> Result<(), Error> {
        if self.ahead.1 == Token::Mark(b',') {
            self.advance()?;
        } else if self.ahead.1 != *end {
            return Err(Error::new(self.ahead.0, expected, &self.ahead.1.describe()));
        }
        Ok(())
    }

    /// A value of one word, or of strings side by side.
    fn scalar(&mut self, position: Position, token: Token, expected: &'static str) -> Result<Value, Error> {
        Ok(match token {
            Token::Name(name) if name.eq_ignore_ascii_case("true") => Value::Bool(true),
            Token::Name(name) if name.eq_ignore_ascii_case("false") => Value::Bool(false),
            Token::Int(number) => Value::Int(number),
            Token::Float(number) => Value::Float(number),
            Token::Path(path) => Value::String(path),
            Token::String(mut text) => {
                while let Token::String(more) = &self.ahead.1 {
                    text.push_str(more);
                    self.advance()?;
                }
                Value::String(text)
            }
            Token::Name(_) | Token::Mark(_) | Token::End => {
                return Err(Error::new(position, expected, &token.describe()));
            }
        })
    }

    /// Takes the word that is looked at, and looks at the next.
    fn advance(&mut self) -> Result<(Position, Token), Error> {
        let next = self.scanner.next()?;
        Ok(std::mem::replace(&mut self.ahead, next))
    }
}
