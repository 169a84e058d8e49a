//! A line while it is masked: read from its beginning to its end, with what stands between masked values
//! copied.

use memchr::memmem;
use serde_json::Value;

use super::keyed::{Keyed, Made};
use super::tree::Node;
use super::{Masking, Method, RuleCounts, Shape};
use crate::archive::line::fault::{LineFault, LineFaultKind};
use crate::archive::line::number::Number;
use crate::archive::line::scan::{LineText, Scanner};
use crate::archive::line::{ITEM, KEYS, LineResult, NEW_IMAGE, OLD_IMAGE};
use crate::job::table_definition::KeyType;

/// How many masked values of a line are looked for elsewhere in it; a set may have a hundred thousand.
const LOOKED_FOR: usize = 64;
/// Values of fewer bytes stand in many a line by chance.
const LEAST_LOOKED_FOR: usize = 6;

/// A line while it is masked.
pub(super) struct Walk<'w, 'l> {
    pub(super) scanner: Scanner<'l, 'w>,
    pub(super) line: &'l [u8],
    /// Up to where the line was copied or left out.
    pub(super) copied: usize,
    pub(super) out: &'w mut Vec<u8>,
    pub(super) masking: &'w Masking,
    pub(super) counts: &'w mut Vec<RuleCounts>,
    /// The first texts that were masked, with their rules.
    pub(super) originals: &'w mut Vec<(usize, LineText)>,
}

/// What stands in a value.
enum Content {
    Scalar(KeyType, LineText),
    Set(KeyType, Vec<LineText>),
    Null,
    /// A boolean, a list or a map.
    Other,
}

impl<'l> Walk<'_, 'l> {
    pub(super) fn line(&mut self) -> LineResult<()> {
        let masking = self.masking;
        self.members(|walk, name| {
            let is_item = matches!(
                std::str::from_utf8(name),
                Ok(ITEM | KEYS | OLD_IMAGE | NEW_IMAGE)
            );
            if is_item {
                walk.map(&masking.tree)?;
            } else {
                walk.scanner.skip_value(0)?;
            }
            Ok(false)
        })?;
        self.copy_until(self.line.len());
        Ok(())
    }

    /// Copies what stands between what was copied and a place.
    fn copy_until(&mut self, at: usize) {
        let bytes = self.line.get(self.copied..at).unwrap_or_default();
        self.out.extend_from_slice(bytes);
        self.copied = at;
    }

    /// An item or a map.
    fn map(&mut self, node: &Node) -> LineResult<()> {
        self.members(|walk, name| match node.member(name) {
            Some(node) => walk.value(node),
            None => walk.scanner.skip_value(0).map(|()| false),
        })
    }

    fn members(
        &mut self,
        mut value: impl FnMut(&mut Self, &[u8]) -> LineResult<bool>,
    ) -> LineResult<()> {
        self.scanner.expect(b'{')?;
        if self.scanner.take(b'}') {
            return Ok(());
        }
        loop {
            self.scanner.skip_space();
            let start = self.scanner.at;
            let name = self.scanner.string()?;
            self.scanner.expect(b':')?;
            let name = self.scanner.text(name);
            let is_dropped = value(self, &name)?;
            if self.is_last(start, is_dropped, b'}')? {
                return Ok(());
            }
        }
    }

    fn list(&mut self, node: &Node) -> LineResult<()> {
        self.scanner.expect(b'[')?;
        if self.scanner.take(b']') {
            return Ok(());
        }
        for index in 0.. {
            self.scanner.skip_space();
            let start = self.scanner.at;
            let is_dropped = if let Some(node) = node.element(index) {
                self.value(node)?
            } else {
                self.scanner.skip_value(0)?;
                false
            };
            if self.is_last(start, is_dropped, b']')? {
                break;
            }
        }
        Ok(())
    }

    /// Goes on behind a member or element, which began at `start`; whether it was the last one. One that is
    /// left out takes a comma with it: the one behind it, or where none is there, the one before.
    fn is_last(&mut self, start: usize, is_dropped: bool, end: u8) -> LineResult<bool> {
        if !is_dropped {
            if self.scanner.take(end) {
                return Ok(true);
            }
            self.scanner.expect(b',')?;
            return Ok(false);
        }
        self.copy_until(start);
        if self.scanner.take(b',') {
            self.copied = self.scanner.at;
            return Ok(false);
        }
        self.copied = self.scanner.at;
        let kept = self.out.trim_ascii_end();
        let kept = kept.strip_suffix(b",").unwrap_or(kept).len();
        self.out.truncate(kept);
        self.scanner.expect(end)?;
        Ok(true)
    }

    /// A value that rules are of; whether it is left out.
    fn value(&mut self, node: &Node) -> LineResult<bool> {
        self.scanner.skip_space();
        let start = self.scanner.at;
        if let Some(rule) = node.rule {
            return self.masked(rule);
        }
        self.scanner.expect(b'{')?;
        let kind = self.scanner.string()?;
        self.scanner.expect(b':')?;
        match &*self.scanner.text(kind) {
            b"M" if node.has_members() => self.map(node)?,
            b"L" if node.has_elements() => self.list(node)?,
            b"SS" | b"NS" | b"BS" if node.rule_of_every_element().is_some() => {
                self.scanner.at = start;
                let rule = node.rule_of_every_element();
                return rule.map_or(Ok(false), |rule| self.masked(rule));
            }
            b"NULL" => self.scanner.skip_value(0)?,
            _ => {
                for rule in &node.below {
                    self.count(*rule, |counts| counts.unexpected += 1);
                }
                self.scanner.skip_value(0)?;
            }
        }
        self.scanner.expect(b'}')?;
        Ok(false)
    }

    fn count(&mut self, rule: usize, add: impl FnOnce(&mut RuleCounts)) {
        if let Some(counts) = self.counts.get_mut(rule) {
            add(counts);
        }
    }

    /// A value that a path leads to; whether it is left out.
    fn masked(&mut self, rule: usize) -> LineResult<bool> {
        let start = self.scanner.at;
        self.scanner.expect(b'{')?;
        let kind = self.scanner.string()?;
        self.scanner.expect(b':')?;
        let kind = self.scanner.text(kind);
        let (content, raw) = self.content(&kind)?;
        self.scanner.expect(b'}')?;
        self.keep_originals(rule, &content);
        self.count(rule, |counts| counts.values += 1);
        let masking = self.masking;
        let Some(method) = masking.methods.get(rule) else {
            return Ok(false);
        };
        match method {
            Method::Drop => return Ok(true),
            Method::Replace(made, value) => {
                if made != "NULL" && made.as_bytes() != &*kind {
                    self.count(rule, |counts| counts.unexpected += 1);
                }
                self.copy_until(start);
                self.out.extend_from_slice(value.as_bytes());
                self.copied = self.scanner.at;
            }
            Method::Keyed(..) if matches!(content, Content::Null) => {}
            Method::Keyed(shape, keyed) => {
                self.copy_until(start);
                self.keyed(rule, (*shape, keyed), &content, raw)?;
                self.copied = self.scanner.at;
            }
        }
        Ok(false)
    }

    /// The content of a value, and its text.
    fn content(&mut self, kind: &[u8]) -> LineResult<(Content, &'l [u8])> {
        self.scanner.skip_space();
        let start = self.scanner.at;
        let content = match kind {
            b"S" => Content::Scalar(KeyType::S, self.scanner.string()?),
            b"N" => Content::Scalar(KeyType::N, self.scanner.string()?),
            b"B" => Content::Scalar(KeyType::B, self.scanner.string()?),
            b"SS" => Content::Set(KeyType::S, self.texts()?),
            b"NS" => Content::Set(KeyType::N, self.texts()?),
            b"BS" => Content::Set(KeyType::B, self.texts()?),
            other => {
                self.scanner.skip_value(0)?;
                if other == b"NULL" {
                    Content::Null
                } else {
                    Content::Other
                }
            }
        };
        let raw = self.line.get(start..self.scanner.at).unwrap_or_default();
        Ok((content, raw))
    }

    fn texts(&mut self) -> LineResult<Vec<LineText>> {
        let mut texts = Vec::new();
        self.scanner.expect(b'[')?;
        if self.scanner.take(b']') {
            return Ok(texts);
        }
        loop {
            texts.push(self.scanner.string()?);
            if self.scanner.take(b']') {
                return Ok(texts);
            }
            self.scanner.expect(b',')?;
        }
    }

    /// Writes what a keyed method makes of a value.
    fn keyed(
        &mut self,
        rule: usize,
        (shape, keyed): (Shape, &Keyed),
        content: &Content,
        raw: &[u8],
    ) -> LineResult<()> {
        let (kind, texts, is_set) = match content {
            Content::Scalar(kind, text) => (*kind, std::slice::from_ref(text), false),
            Content::Set(kind, texts) => (*kind, texts.as_slice(), true),
            Content::Null | Content::Other => {
                self.count(rule, |counts| counts.unexpected += 1);
                let hash = keyed.text(Made::Other, &canonical(raw)?);
                self.write("S", &[hash], false);
                return Ok(());
            }
        };
        let is_expected = match shape {
            Shape::Hash => true,
            Shape::Email => kind == KeyType::S,
            Shape::Digits => kind != KeyType::B,
        };
        let made = match shape {
            Shape::Hash => None,
            _ if !is_expected => {
                self.count(rule, |counts| counts.unexpected += 1);
                None
            }
            shape => {
                let made = self.shaped(shape, keyed, kind, texts);
                if made.is_none() {
                    self.count(rule, |counts| counts.hashed += 1);
                }
                made
            }
        };
        let made = if let Some(made) = made {
            made
        } else {
            let hashes = texts.iter().map(|text| self.hash(keyed, kind, *text));
            hashes.collect::<LineResult<Vec<String>>>()?
        };
        let name = match (kind, is_set) {
            (KeyType::S, false) => "S",
            (KeyType::N, false) => "N",
            (KeyType::B, false) => "B",
            (KeyType::S, true) => "SS",
            (KeyType::N, true) => "NS",
            (KeyType::B, true) => "BS",
        };
        self.write(name, &made, is_set);
        Ok(())
    }

    fn hash(&self, keyed: &Keyed, kind: KeyType, text: LineText) -> LineResult<String> {
        let text = self.scanner.text(text);
        let no_value = |_| LineFault::new(LineFaultKind::NotOfItsType("B"));
        Ok(match kind {
            KeyType::S => keyed.text(Made::Text, &text),
            KeyType::N => {
                let mut canonical = Vec::new();
                let number = Number::parse(&text).map_err(LineFault::new)?;
                number.write(&mut canonical);
                keyed.number(&canonical)
            }
            KeyType::B => {
                let bytes = base64_simd::STANDARD.decode_to_vec(&*text);
                keyed.bytes(&bytes.map_err(no_value)?)
            }
        })
    }

    /// What a shape makes of all texts; `None` where one does not fit, or two of a set become one.
    fn shaped(
        &self,
        shape: Shape,
        keyed: &Keyed,
        kind: KeyType,
        texts: &[LineText],
    ) -> Option<Vec<String>> {
        let shaped = texts.iter().map(|text| {
            let text = self.scanner.text(*text);
            let text = std::str::from_utf8(&text).ok()?;
            match (shape, kind) {
                (Shape::Email, _) => is_email(text).then(|| keyed.email(text.as_bytes())),
                (_, KeyType::N) => is_whole(text).then(|| keyed.digits_of_number(text)),
                _ => has_digits(text).then(|| keyed.digits_of_text(text)),
            }
        });
        let made = shaped.collect::<Option<Vec<String>>>()?;
        let mut distinct: Vec<&String> = made.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        (distinct.len() == made.len()).then_some(made)
    }

    /// Writes a value of texts that need no escapes.
    fn write(&mut self, kind: &str, texts: &[String], is_set: bool) {
        let quoted = |text: &String| format!("\"{text}\"");
        let mut content = texts.iter().map(quoted).collect::<Vec<_>>().join(",");
        if is_set {
            content = format!("[{content}]");
        }
        let value = format!("{{\"{kind}\":{content}}}");
        self.out.extend_from_slice(value.as_bytes());
    }

    fn keep_originals(&mut self, rule: usize, content: &Content) {
        let texts = match content {
            Content::Scalar(_, text) => std::slice::from_ref(text),
            Content::Set(_, texts) => texts.as_slice(),
            Content::Null | Content::Other => return,
        };
        let room = LOOKED_FOR.saturating_sub(self.originals.len());
        let texts = texts.iter().take(room).map(|text| (rule, *text));
        self.originals.extend(texts);
    }

    /// Counts the masked values that the masked line still holds.
    pub(super) fn look_for_copies(&mut self) {
        for (rule, text) in &*self.originals {
            let raw = self.scanner.raw(*text);
            if raw.len() >= LEAST_LOOKED_FOR
                && memmem::find(self.out, raw).is_some()
                && let Some(counts) = self.counts.get_mut(*rule)
            {
                counts.copies += 1;
            }
        }
    }
}

/// Something, one at, something.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@')
    })
}

/// Digits, and what stands between those of telephone and card numbers.
fn has_digits(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || " +-()./".contains(c))
}

/// A whole number as `DynamoDB` writes it.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits && (!digits.starts_with('0') || text == "0")
}

/// A form that all texts of one JSON value share: without space and escapes, members by their names.
fn canonical(raw: &[u8]) -> LineResult<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(raw)
        .map_err(|_| LineFault::new(LineFaultKind::Syntax { column: None }))?;
    value.sort_all_objects();
    Ok(value.to_string().into_bytes())
}
