//! Reading JSON where it stands: strings, punctuation and values that are passed over.
//!
//! The text is known to be UTF-8. Strings are found eight bytes at a time, since they are most of a data
//! file. What stands at a place that was read is a span of the line; it is copied only where it has
//! escapes.

use std::borrow::Cow;
use std::collections::HashSet;

use super::fault::{LineFault, LineFaultKind};
use super::{DEEPEST, LineResult};

/// Buffers that are kept from line to line.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The names of the maps that are open, and the members of the set that is.
    pub(super) texts: Vec<LineText>,
}

/// A string of the line, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineText {
    start: usize,
    end: usize,
    has_escapes: bool,
}

impl LineText {
    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place in a line.
pub(super) struct Scanner<'l, 's> {
    line: &'l [u8],
    pub(super) at: usize,
    pub(super) scratch: &'s mut Scratch,
}

/// Above so many names or members, they are looked up in a set and not compared one by one.
const FEW: usize = 32;

impl<'l, 's> Scanner<'l, 's> {
    pub(super) fn new(line: &'l [u8], scratch: &'s mut Scratch) -> Self {
        scratch.texts.clear();
        Self {
            line,
            at: 0,
            scratch,
        }
    }

    /// The byte here; 0, which no line may hold, at the end.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.line.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.line.len()
    }

    pub(super) fn syntax(&self) -> Box<LineFault> {
        LineFault::new(LineFaultKind::Syntax {
            column: Some(self.at + 1),
        })
    }

    /// Takes a byte of punctuation; space before it is passed over.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> LineResult<()> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// Takes a byte of punctuation if it is the next one.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        if self.peek() != byte {
            self.skip_space();
            if self.peek() != byte {
                return false;
            }
        }
        self.at += 1;
        true
    }

    pub(super) fn take_word(&mut self, word: &[u8]) -> bool {
        self.skip_space();
        let is_here = self
            .line
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word));
        if is_here {
            self.at += word.len();
        }
        is_here
    }

    /// Reads a string.
    #[inline]
    pub(super) fn string(&mut self) -> LineResult<LineText> {
        self.expect(b'"')?;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at = plain_end(self.line, self.at);
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                _ => return Err(self.syntax()),
            }
        }
        let end = self.at;
        self.at += 1;
        Ok(LineText {
            start,
            end,
            has_escapes,
        })
    }

    /// Passes over an escape; a half of a surrogate pair is no text (RFC 8259, section 8.2).
    fn escape(&mut self) -> LineResult<()> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 1;
                Ok(())
            }
            b'u' => match self.unit()? {
                0xdc00..=0xdfff => Err(self.syntax()),
                0xd800..=0xdbff => {
                    if !self.take_word(b"\\") || self.peek() != b'u' {
                        return Err(self.syntax());
                    }
                    match self.unit()? {
                        0xdc00..=0xdfff => Ok(()),
                        _ => Err(self.syntax()),
                    }
                }
                _ => Ok(()),
            },
            _ => Err(self.syntax()),
        }
    }

    /// The four digits behind a `u`.
    fn unit(&mut self) -> LineResult<u16> {
        let digits = self.line.get(self.at + 1..self.at + 5);
        let unit = digits.and_then(hexadecimal).ok_or_else(|| self.syntax())?;
        self.at += 5;
        Ok(unit)
    }

    /// The bytes that a string stands for.
    #[inline]
    pub(super) fn text(&self, text: LineText) -> Cow<'l, [u8]> {
        let raw = self.raw(text);
        if text.has_escapes {
            Cow::Owned(unescaped(raw))
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// A string as it stands, with its escapes.
    pub(super) fn raw(&self, text: LineText) -> &'l [u8] {
        self.line.get(text.start..text.end).unwrap_or_default()
    }

    /// A name, for the path of a fault.
    pub(super) fn name(&self, text: LineText) -> String {
        String::from_utf8_lossy(&self.text(text)).into_owned()
    }

    fn is_same(&self, one: LineText, other: LineText) -> bool {
        if one.has_escapes || other.has_escapes {
            return self.text(one) == self.text(other);
        }
        one.end - one.start == other.end - other.start
            && self.line.get(one.start..one.end) == self.line.get(other.start..other.end)
    }

    /// Keeps a text beside those kept since `from`; `false` where it is one of them already. `seen` has a
    /// bit for each that is kept, by which most comparisons are saved.
    #[inline]
    pub(super) fn keep(&mut self, from: usize, seen: &mut SeenTexts, text: LineText) -> bool {
        let is_new = self.is_new(from, seen, text);
        self.scratch.texts.push(text);
        is_new
    }

    #[inline]
    fn is_new(&self, from: usize, seen: &mut SeenTexts, text: LineText) -> bool {
        let kept = self.scratch.texts.get(from..).unwrap_or_default();
        if kept.len() >= FEW {
            let all = seen.all.get_or_insert_with(|| {
                let texts = kept.iter().map(|text| self.text(*text).into_owned());
                texts.collect()
            });
            return all.insert(self.text(text).into_owned());
        }
        // A string with escapes may be one that is written without them.
        if !text.has_escapes && !seen.has_escapes {
            let bit = 1 << (self.mark(text) & 63);
            let is_new = seen.bits & bit == 0;
            seen.bits |= bit;
            if is_new {
                return true;
            }
        }
        seen.has_escapes |= text.has_escapes;
        !kept.iter().any(|known| self.is_same(*known, text))
    }

    /// A number that equal texts share.
    #[inline]
    fn mark(&self, text: LineText) -> usize {
        let byte = |at: usize| usize::from(self.line.get(at).copied().unwrap_or(0));
        let length = text.end - text.start;
        // What stands behind an empty text is its quote.
        (length * 31) ^ (byte(text.start) * 7) ^ byte(text.end.saturating_sub(1).max(text.start))
    }

    /// Passes over any JSON value.
    pub(super) fn skip_value(&mut self, depth: usize) -> LineResult<()> {
        if depth > DEEPEST {
            return Err(LineFault::new(LineFaultKind::TooDeep));
        }
        self.skip_space();
        match self.peek() {
            b'"' => self.string().map(drop),
            b'{' => self.skip_list(depth, b'}', true),
            b'[' => self.skip_list(depth, b']', false),
            b'-' | b'0'..=b'9' => {
                while matches!(self.peek(), b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    self.at += 1;
                }
                Ok(())
            }
            _ => {
                let is_word = [&b"true"[..], b"false", b"null"]
                    .into_iter()
                    .any(|word| self.take_word(word));
                if is_word { Ok(()) } else { Err(self.syntax()) }
            }
        }
    }

    fn skip_list(&mut self, depth: usize, end: u8, has_names: bool) -> LineResult<()> {
        self.at += 1;
        if self.take(end) {
            return Ok(());
        }
        loop {
            if has_names {
                self.string()?;
                self.expect(b':')?;
            }
            self.skip_value(depth + 1)?;
            if self.take(end) {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }
}

/// Which texts of a map or set were seen.
#[derive(Debug, Default)]
pub(super) struct SeenTexts {
    bits: u64,
    has_escapes: bool,
    all: Option<HashSet<Vec<u8>>>,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The first byte from a place on that is a quote, a backslash or a control character; the line's end
/// where there is none.
#[inline]
fn plain_end(line: &[u8], mut at: usize) -> usize {
    while let Some(bytes) = line.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*bytes);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        // The lowest bit is exact; borrows disturb only the bytes above it.
        let found = (quote | backslash | control) & HIGH;
        if found != 0 {
            return at + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
        }
        at += 8;
    }
    let rest = line.get(at..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    end.map_or(line.len(), |end| at + end)
}

fn hexadecimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |unit: u16, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

/// A string without its escapes, which were read before.
fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(raw.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(raw);
    quoted.push(b'"');
    // It was read as a string already, so that it cannot fail.
    serde_json::from_slice::<String>(&quoted)
        .unwrap_or_default()
        .into_bytes()
}
