//! A line with its attributes masked.
//!
//! What is not masked is copied as it stands, byte for byte, and no tree is built of a line. Of a line it
//! is expected that it is sound, which is for [`super::LineChecker`] to say, of the masked one, too. Every
//! value that a path leads to is masked, whatever its type; where its type or form is not what the method
//! is for, it is hashed, and counted.

mod keyed;
mod size;
#[cfg(test)]
mod tests;
mod tree;

use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::keyed::{Keyed, Made};
use self::size::{LARGEST_ITEM, item_size};
use self::tree::Node;
use super::fault::{LineFault, LineFaultKind};
use super::key_type::KeyType;
use super::number::Number;
use super::scan::{Scanner, Scratch, Text};
use super::{Checked, ITEM, KEYS, NEW_IMAGE, OLD_IMAGE};
use crate::job::{MaskMethod, MaskRule};

pub use keyed::{InvalidSecret, MaskSecret};

/// The rules of a mask, made ready for lines.
#[derive(Debug)]
pub struct Masking {
    tree: Node,
    methods: Vec<Method>,
}

/// What is done to a value.
#[derive(Debug)]
enum Method {
    Drop,
    /// A value stands in its place; the name of its type, and the whole as JSON.
    Replace(String, String),
    Keyed(Shape, Keyed),
}

/// What a keyed method makes of values that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Hash,
    Email,
    Digits,
}

/// What one rule came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleCounts {
    /// Values that its path led to.
    pub values: u64,
    /// Values of a type that the method is not for, and those on the way that are no map or list.
    pub unexpected: u64,
    /// Values of the right type that the method does not fit, so that they were hashed.
    pub hashed: u64,
    /// Masked values that stand elsewhere in their line, too.
    pub copies: u64,
}

impl RuleCounts {
    /// Adds what another file came to.
    pub fn add(&mut self, other: &Self) {
        self.values += other.values;
        self.unexpected += other.unexpected;
        self.hashed += other.hashed;
        self.copies += other.copies;
    }
}

/// A keyed method without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a keyed method needs a secret")]
pub struct NoSecret;

impl Masking {
    /// Makes rules ready; the secret is needed where one of them is keyed.
    ///
    /// # Errors
    /// Where it is needed and there is none.
    pub fn new(rules: &[MaskRule], secret: Option<&MaskSecret>) -> Result<Self, NoSecret> {
        let keyed = secret.map(Keyed::new);
        let shaped = |shape| Ok(Method::Keyed(shape, keyed.clone().ok_or(NoSecret)?));
        let methods = rules.iter().map(|rule| match &rule.method {
            MaskMethod::Drop => Ok(Method::Drop),
            MaskMethod::Null => Ok(Method::Replace(
                "NULL".to_owned(),
                r#"{"NULL":true}"#.to_owned(),
            )),
            MaskMethod::Replace(value) => {
                let kind = value.as_object().and_then(|value| value.keys().next());
                Ok(Method::Replace(
                    kind.cloned().unwrap_or_default(),
                    value.to_string(),
                ))
            }
            MaskMethod::Hash => shaped(Shape::Hash),
            MaskMethod::Email => shaped(Shape::Email),
            MaskMethod::Digits => shaped(Shape::Digits),
        });
        Ok(Self {
            methods: methods.collect::<Result<_, _>>()?,
            tree: Node::of_rules(rules),
        })
    }
}

/// Masks lines, one after the other, with buffers that it keeps.
#[derive(Debug)]
pub struct LineMasker<'m> {
    masking: &'m Masking,
    scratch: Scratch,
    out: Vec<u8>,
    originals: Vec<(usize, Text)>,
    counts: Vec<RuleCounts>,
}

/// How many masked values of a line are looked for elsewhere in it; a set may have a hundred thousand.
const LOOKED_FOR: usize = 64;
/// Values of fewer bytes stand in many a line by chance.
const LEAST_LOOKED_FOR: usize = 6;

impl<'m> LineMasker<'m> {
    /// A masker by these rules.
    #[must_use]
    pub fn new(masking: &'m Masking) -> Self {
        Self {
            masking,
            scratch: Scratch::default(),
            out: Vec::new(),
            originals: Vec::new(),
            counts: vec![RuleCounts::default(); masking.methods.len()],
        }
    }

    /// What each rule came to, in their order.
    #[must_use]
    pub fn counts(&self) -> &[RuleCounts] {
        &self.counts
    }

    /// Masks a sound line, without its end.
    ///
    /// # Errors
    /// Where the line is not sound, or an item would be larger than any may be.
    pub fn mask(&mut self, line: &str) -> Result<&str, Box<LineFault>> {
        self.out.clear();
        self.originals.clear();
        let mut walk = Walk {
            scanner: Scanner::new(line.as_bytes(), &mut self.scratch),
            line: line.as_bytes(),
            copied: 0,
            out: &mut self.out,
            masking: self.masking,
            counts: &mut self.counts,
            originals: &mut self.originals,
        };
        walk.line()?;
        walk.look_for_copies();
        if self.out.len() > LARGEST_ITEM {
            check_sizes(&self.out)?;
        }
        // It is made of texts, and of a line cut between its tokens.
        simdutf8::basic::from_utf8(&self.out).map_err(|_| LineFault::new(LineFaultKind::NotText))
    }
}

/// Whether each item of a line that may be too large is not.
fn check_sizes(line: &[u8]) -> Checked<()> {
    let Ok(line) = serde_json::from_slice::<Value>(line) else {
        return Err(LineFault::new(LineFaultKind::Syntax { column: None }));
    };
    for member in [ITEM, OLD_IMAGE, NEW_IMAGE] {
        if line
            .get(member)
            .is_some_and(|item| item_size(item) > LARGEST_ITEM)
        {
            return Err(LineFault::new(LineFaultKind::ItemTooLarge).within(member));
        }
    }
    Ok(())
}

/// A line while it is masked.
struct Walk<'w, 'l> {
    scanner: Scanner<'l, 'w>,
    line: &'l [u8],
    /// Up to where the line was copied or left out.
    copied: usize,
    out: &'w mut Vec<u8>,
    masking: &'w Masking,
    counts: &'w mut Vec<RuleCounts>,
    /// The first texts that were masked, with their rules.
    originals: &'w mut Vec<(usize, Text)>,
}

/// What stands in a value.
enum Content {
    Scalar(KeyType, Text),
    Set(KeyType, Vec<Text>),
    Null,
    /// A boolean, a list or a map.
    Other,
}

impl<'l> Walk<'_, 'l> {
    fn line(&mut self) -> Checked<()> {
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
    fn map(&mut self, node: &Node) -> Checked<()> {
        self.members(|walk, name| match node.member(name) {
            Some(node) => walk.value(node),
            None => walk.scanner.skip_value(0).map(|()| false),
        })
    }

    fn members(&mut self, mut value: impl FnMut(&mut Self, &[u8]) -> Checked<bool>) -> Checked<()> {
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

    fn list(&mut self, node: &Node) -> Checked<()> {
        self.scanner.expect(b'[')?;
        if self.scanner.take(b']') {
            return Ok(());
        }
        for index in 0.. {
            self.scanner.skip_space();
            let start = self.scanner.at;
            let is_dropped = match node.element(index) {
                Some(node) => self.value(node)?,
                None => {
                    self.scanner.skip_value(0)?;
                    false
                }
            };
            if self.is_last(start, is_dropped, b']')? {
                break;
            }
        }
        Ok(())
    }

    /// Goes on behind a member or element, which began at `start`; whether it was the last one. One that is
    /// left out takes a comma with it: the one behind it, or where none is there, the one before.
    fn is_last(&mut self, start: usize, is_dropped: bool, end: u8) -> Checked<bool> {
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
    fn value(&mut self, node: &Node) -> Checked<bool> {
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
    fn masked(&mut self, rule: usize) -> Checked<bool> {
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
    fn content(&mut self, kind: &[u8]) -> Checked<(Content, &'l [u8])> {
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

    fn texts(&mut self) -> Checked<Vec<Text>> {
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
    ) -> Checked<()> {
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
        let made = match made {
            Some(made) => made,
            None => {
                let hashes = texts.iter().map(|text| self.hash(keyed, kind, *text));
                hashes.collect::<Checked<Vec<String>>>()?
            }
        };
        let name = match (kind, is_set) {
            (_, false) => kind.as_str(),
            (KeyType::S, true) => "SS",
            (KeyType::N, true) => "NS",
            (KeyType::B, true) => "BS",
        };
        self.write(name, &made, is_set);
        Ok(())
    }

    fn hash(&self, keyed: &Keyed, kind: KeyType, text: Text) -> Checked<String> {
        let text = self.scanner.text(text);
        let no_value = |_| LineFault::new(LineFaultKind::NotOfItsType(kind.as_str()));
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
        texts: &[Text],
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
    fn look_for_copies(&mut self) {
        for (rule, text) in self.originals.iter() {
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
fn canonical(raw: &[u8]) -> Checked<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(raw)
        .map_err(|_| LineFault::new(LineFaultKind::Syntax { column: None }))?;
    value.sort_all_objects();
    Ok(value.to_string().into_bytes())
}
