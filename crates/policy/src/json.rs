//! JSON with places: a strict reader that keeps where each value stands in the text.
//!
//! Policies are edited as text and faults are told by line and column, so every value remembers
//! its span. Strings are borrowed from the text unless they hold an escape. A key that is given
//! twice is a fault, since IAM refuses such documents.

use std::borrow::Cow;
use std::fmt;

/// How deep values may nest; a policy needs seven levels.
const DEEPEST: usize = 64;

/// A stretch of text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextSpan {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A place for people: both count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte of the text.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before
                .get(line_start..)
                .map_or(0, |line| line.chars().count())
                + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is not what it should be, and the byte at which that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxFault {
    /// The byte at which it shows.
    pub offset: usize,
    /// What is wrong.
    pub message: Cow<'static, str>,
}

impl SyntaxFault {
    /// A fault at a byte.
    pub fn new(offset: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Where it stands.
    pub span: TextSpan,
    /// What it is.
    pub value: Value<'a>,
}

/// A JSON value.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(Cow<'a, str>),
    /// A string, its escapes resolved.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Node<'a>>),
    /// An object, its members in the order of the text.
    Object(Vec<Member<'a>>),
}

impl Value<'_> {
    /// What kind of value it is, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Node<'_> {
    /// The same value, borrowing from nothing.
    #[must_use]
    pub fn into_owned(self) -> Node<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Node {
            span: self.span,
            value: match self.value {
                Value::Null => Value::Null,
                Value::Bool(truth) => Value::Bool(truth),
                Value::Number(text) => Value::Number(owned(text)),
                Value::String(text) => Value::String(owned(text)),
                Value::Array(items) => {
                    Value::Array(items.into_iter().map(Node::into_owned).collect())
                }
                Value::Object(members) => Value::Object(
                    members
                        .into_iter()
                        .map(|member| Member {
                            key: owned(member.key),
                            key_span: member.key_span,
                            node: member.node.into_owned(),
                        })
                        .collect(),
                ),
            },
        }
    }
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The key, its escapes resolved.
    pub key: Cow<'a, str>,
    /// Where the key stands, quotes included.
    pub key_span: TextSpan,
    /// The value.
    pub node: Node<'a>,
}

/// Reads one value that fills the whole text, white space aside.
pub fn read(text: &str) -> Result<Node<'_>, SyntaxFault> {
    let mut reader = JsonReader::new(text);
    reader.skip_space();
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(SyntaxFault::new(
            reader.at,
            "more text after the end of the JSON",
        ));
    }
    Ok(node)
}

/// The text of one member of an object that may be broken further on, or name a key twice; what
/// follows the first break is not looked at.
#[must_use]
pub fn salvage<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut reader = JsonReader::new(text);
    reader.takes_duplicates = true;
    reader.skip_space();
    if reader.peek() != Some(b'{') {
        return None;
    }
    reader.at += 1;
    loop {
        reader.skip_space();
        if reader.peek() != Some(b'"') {
            return None;
        }
        let found = reader.string().ok()?;
        reader.skip_space();
        if reader.peek() != Some(b':') {
            return None;
        }
        reader.at += 1;
        reader.skip_space();
        let span = reader.value(1).ok()?.span;
        if found == key {
            return text.get(span.start..span.end);
        }
        reader.skip_space();
        if reader.peek() != Some(b',') {
            return None;
        }
        reader.at += 1;
    }
}

struct JsonReader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    takes_duplicates: bool,
}

impl<'a> JsonReader<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            takes_duplicates: false,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn fault<T>(&self, message: &'static str) -> Result<T, SyntaxFault> {
        Err(SyntaxFault::new(self.at, message))
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, SyntaxFault> {
        if depth > DEEPEST {
            return self.fault("values nest too deep");
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'"') => Value::String(self.string()?),
            Some(b'{') => Value::Object(self.object(depth)?),
            Some(b'[') => Value::Array(self.array(depth)?),
            Some(b'-' | b'0'..=b'9') => Value::Number(Cow::Borrowed(self.number()?)),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return self.fault("a JSON value is expected here"),
            None => return self.fault("the text ends where a JSON value is expected"),
        };
        Ok(Node {
            span: TextSpan {
                start,
                end: self.at,
            },
            value,
        })
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, SyntaxFault> {
        if self.slice(self.at, self.at + word.len()) == word {
            self.at += word.len();
            Ok(value)
        } else {
            self.fault("a JSON value is expected here")
        }
    }

    fn digits(&mut self) -> Result<(), SyntaxFault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.fault("a digit is expected here");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, SyntaxFault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.slice(start, self.at))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, SyntaxFault> {
        self.at += 1;
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = plain_length(rest);
        match rest.get(length).map(|byte| (length, *byte)) {
            Some((length, b'"')) => {
                self.at = start + length + 1;
                Ok(Cow::Borrowed(self.slice(start, start + length)))
            }
            Some((length, b'\\')) => {
                self.at = start + length;
                self.escaped_string(self.slice(start, start + length))
            }
            Some((length, _)) => {
                self.at = start + length;
                self.fault("a control character must be escaped in a string")
            }
            None => {
                self.at = self.text.len();
                self.fault("the text ends inside a string")
            }
        }
    }

    /// Goes on with a string at its first backslash.
    fn escaped_string(&mut self, begun: &str) -> Result<Cow<'a, str>, SyntaxFault> {
        let mut string = begun.to_owned();
        loop {
            let start = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= 0x20)
            {
                self.at += 1;
            }
            string.push_str(self.slice(start, self.at));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(string));
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return self.fault("a control character must be escaped in a string"),
                None => return self.fault("the text ends inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxFault> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return self.fault("no such escape in JSON"),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, SyntaxFault> {
        let first = self.code_unit()?;
        let code = if (0xD800..0xDC00).contains(&first) {
            if self.slice(self.at, self.at + 2) != "\\u" {
                return self.fault("half of a surrogate pair");
            }
            self.at += 1;
            let second = self.code_unit()?;
            if !(0xDC00..0xE000).contains(&second) {
                return self.fault("half of a surrogate pair");
            }
            0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).map_or_else(|| self.fault("half of a surrogate pair"), Ok)
    }

    fn code_unit(&mut self) -> Result<u32, SyntaxFault> {
        let digits = self.slice(self.at + 1, self.at + 5);
        let is_hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(unit) if is_hex => {
                self.at += 5;
                Ok(unit)
            }
            _ => self.fault("`\\u` needs four hexadecimal digits"),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node<'a>>, SyntaxFault> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(items);
                }
                _ => return self.fault("`,` or `]` is expected here"),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member<'a>>, SyntaxFault> {
        self.at += 1;
        let mut members: Vec<Member<'a>> = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.fault("a key in quotes is expected here");
            }
            let key = self.string()?;
            let key_span = TextSpan {
                start,
                end: self.at,
            };
            self.skip_space();
            if self.peek() != Some(b':') {
                return self.fault("`:` is expected here");
            }
            self.at += 1;
            self.skip_space();
            let node = self.value(depth + 1)?;
            members.push(Member {
                key,
                key_span,
                node,
            });
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    if self.takes_duplicates {
                        return Ok(members);
                    }
                    return refuse_duplicates(members);
                }
                _ => return self.fault("`,` or `}` is expected here"),
            }
        }
    }
}

/// How many bytes stand for themselves before the first quote, backslash or control character.
///
/// Eight bytes are looked at together: a byte below `n` is the one whose top bit is set by
/// subtracting `n` where it was not set before, and the lowest such bit is always right.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & TOPS;
    let mut length = 0;
    for word in bytes.chunks_exact(8) {
        let Ok(word) = word.try_into().map(u64::from_le_bytes) else {
            break;
        };
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | below(word, 0x20);
        if found != 0 {
            return length + found.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = bytes.get(length..).unwrap_or_default();
    let is_plain = |byte: &u8| *byte != b'"' && *byte != b'\\' && *byte >= 0x20;
    length + rest.iter().take_while(|byte| is_plain(byte)).count()
}

/// Small objects are compared pair by pair; a large one is sorted, so that none is quadratic.
fn refuse_duplicates(members: Vec<Member<'_>>) -> Result<Vec<Member<'_>>, SyntaxFault> {
    let twice = if members.len() <= 16 {
        members.iter().enumerate().find_map(|(index, member)| {
            members
                .iter()
                .take(index)
                .any(|earlier| earlier.key == member.key)
                .then_some(member)
        })
    } else {
        let mut order: Vec<&Member<'_>> = members.iter().collect();
        order.sort_by(|a, b| {
            a.key
                .cmp(&b.key)
                .then(a.key_span.start.cmp(&b.key_span.start))
        });
        order.windows(2).find_map(|pair| match pair {
            [first, second] if first.key == second.key => Some(*second),
            _ => None,
        })
    };
    match twice {
        Some(member) => Err(SyntaxFault::new(
            member.key_span.start,
            format!("the key `{}` is given twice", member.key),
        )),
        None => Ok(members),
    }
}
