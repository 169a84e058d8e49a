//! Lines of `DynamoDB` JSON: `{"Item":{…}}`, or a change with `Metadata`, `Keys` and images.

use super::fault::{LineFault, LineFaultKind};
use super::key::{KeyAttribute, KeyBuffer, KeySchema};
use super::number::Number;
use super::scan::{LineText, Scanner, SeenTexts};
use super::{
    DEEPEST, ITEM, KEYS, LineChecker, LineResult, METADATA, NEW_IMAGE, OLD_IMAGE, WRITTEN_AT,
    check_images,
};
use crate::job::View;
use crate::job::table_definition::KeyType;

/// Where the key of the item that is read is kept.
type KeyTarget<'k> = Option<(&'k KeySchema, &'k mut KeyBuffer)>;

/// Checks a line, and fills the checker's buffers.
pub(super) fn check(checker: &mut LineChecker, line: &[u8]) -> LineResult<()> {
    let LineChecker {
        view,
        keys,
        scratch,
        buffers: [whole, old, new],
        ..
    } = checker;
    let mut scanner = Scanner::new(line, scratch);
    match view {
        None => full(&mut scanner, keys.as_ref().map(|keys| (keys, whole)))?,
        Some(view) => ChangeLine {
            keys,
            whole,
            old,
            new,
            late: [None; 2],
        }
        .read(&mut scanner, *view)?,
    }
    scanner.skip_space();
    if scanner.is_at_end() {
        Ok(())
    } else {
        Err(LineFault::new(LineFaultKind::TrailingText))
    }
}

/// `{"Item":{…}}`
fn full(scanner: &mut Scanner<'_, '_>, mut target: KeyTarget<'_>) -> LineResult<()> {
    let mut has_item = false;
    scanner.members(|scanner, member| {
        if &*scanner.text(member) != ITEM.as_bytes() {
            return Err(unexpected(scanner, member));
        }
        if has_item {
            return Err(LineFault::new(LineFaultKind::NamedTwice).within(ITEM));
        }
        has_item = true;
        if let Some((_, buffer)) = &mut target {
            buffer.is_present = true;
        }
        let target = target.as_mut().map(|(keys, buffer)| (*keys, &mut **buffer));
        let read = scanner.attributes(0, target);
        read.map(drop).map_err(|fault| fault.within(ITEM))
    })?;
    if has_item {
        Ok(())
    } else {
        Err(LineFault::new(LineFaultKind::MissingMember(ITEM)))
    }
}

fn unexpected(scanner: &Scanner<'_, '_>, member: LineText) -> Box<LineFault> {
    LineFault::new(LineFaultKind::UnexpectedMember).within(&scanner.name(member))
}

/// A line of an incremental export while it is read.
struct ChangeLine<'c> {
    keys: &'c mut Option<KeySchema>,
    whole: &'c mut KeyBuffer,
    old: &'c mut KeyBuffer,
    new: &'c mut KeyBuffer,
    /// Where images begin that stand before the `Keys` that tell which attributes are keys.
    late: [Option<usize>; 2],
}

impl ChangeLine<'_> {
    fn read(mut self, scanner: &mut Scanner<'_, '_>, view: View) -> LineResult<()> {
        const MEMBERS: [&str; 4] = [METADATA, KEYS, OLD_IMAGE, NEW_IMAGE];
        let mut has = [false; 4];
        scanner.members(|scanner, member| {
            let text = scanner.text(member);
            let index = MEMBERS.iter().position(|name| name.as_bytes() == &*text);
            let Some((index, (name, has))) = index.and_then(|index| {
                let named = MEMBERS.get(index)?;
                Some((index, (*named, has.get_mut(index)?)))
            }) else {
                return Err(unexpected(scanner, member));
            };
            if *has {
                return Err(LineFault::new(LineFaultKind::NamedTwice).within(name));
            }
            *has = true;
            let read = match index {
                0 => metadata(scanner),
                1 => self.read_keys(scanner),
                image => self.image(scanner, image - 2),
            };
            read.map_err(|fault| fault.within(name))
        })?;
        let [has_metadata, has_keys, has_old, has_new] = has;
        for (is_there, name) in [(has_metadata, METADATA), (has_keys, KEYS)] {
            if !is_there {
                return Err(LineFault::new(LineFaultKind::MissingMember(name)));
            }
        }
        let end = scanner.at;
        for (image, name) in [(0, OLD_IMAGE), (1, NEW_IMAGE)] {
            if let Some(begin) = self.late.get(image).copied().flatten() {
                scanner.at = begin;
                self.image(scanner, image)
                    .map_err(|fault| fault.within(name))?;
            }
        }
        scanner.at = end;
        check_images(view, has_old, has_new)
    }

    /// `Keys`: every key attribute of the table, and no other.
    fn read_keys(&mut self, scanner: &mut Scanner<'_, '_>) -> LineResult<()> {
        self.whole.is_present = true;
        let Some(keys) = &*self.keys else {
            let begin = scanner.at;
            let keys = scanner.key_schema()?;
            scanner.at = begin;
            scanner.attributes(0, Some((&keys, self.whole)))?;
            *self.keys = Some(keys);
            return Ok(());
        };
        let count = scanner.attributes(0, Some((keys, self.whole)))?;
        for (index, attribute) in keys.attributes().enumerate() {
            if self.whole.part(index).is_none() {
                return Err(LineFault::new(LineFaultKind::KeyMissing).within(&attribute.name));
            }
        }
        if count == keys.len() {
            Ok(())
        } else {
            Err(LineFault::new(LineFaultKind::NoKey))
        }
    }

    /// An image: 0 is the old one.
    fn image(&mut self, scanner: &mut Scanner<'_, '_>, image: usize) -> LineResult<()> {
        let buffer = if image == 0 {
            &mut *self.old
        } else {
            &mut *self.new
        };
        let Some(keys) = &*self.keys else {
            if let Some(late) = self.late.get_mut(image) {
                *late = Some(scanner.at);
            }
            return scanner.skip_value(0);
        };
        buffer.is_present = true;
        scanner.attributes(0, Some((keys, buffer))).map(drop)
    }
}

/// `{"WriteTimestampMicros":{"N":"…"}}`, as it is written, or with a bare string, as the guide shows it.
/// What else an export may tell of a change is passed over.
fn metadata(scanner: &mut Scanner<'_, '_>) -> LineResult<()> {
    let mut has_time = false;
    scanner.members(|scanner, member| {
        if &*scanner.text(member) != WRITTEN_AT.as_bytes() {
            return scanner.skip_value(0);
        }
        has_time = true;
        scanner.skip_space();
        let time = if scanner.peek() == b'"' {
            scanner.string().map(|text| (Some(KeyType::N), text))
        } else {
            scanner.scalar()
        };
        let micros = time.and_then(|(kind, text)| {
            let text = scanner.text(text);
            let is_time =
                kind == Some(KeyType::N) && !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            if is_time {
                Ok(())
            } else {
                Err(LineFault::new(LineFaultKind::NotOfItsType("N")))
            }
        });
        micros.map_err(|fault| fault.within(WRITTEN_AT))
    })?;
    if has_time {
        Ok(())
    } else {
        Err(LineFault::new(LineFaultKind::MissingMember(WRITTEN_AT)))
    }
}

impl Scanner<'_, '_> {
    /// Reads an object, with a function that reads the value of each member.
    #[inline]
    fn members(
        &mut self,
        mut value: impl FnMut(&mut Self, LineText) -> LineResult<()>,
    ) -> LineResult<usize> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            let name = self.string()?;
            self.expect(b':')?;
            value(self, name)?;
            count += 1;
            if self.take(b'}') {
                return Ok(count);
            }
            self.expect(b',')?;
        }
    }

    /// Reads an item or a map, and keeps its key where one is looked for. Answers how many attributes
    /// there are.
    fn attributes(&mut self, depth: usize, mut target: KeyTarget<'_>) -> LineResult<usize> {
        if depth > DEEPEST {
            return Err(LineFault::new(LineFaultKind::TooDeep));
        }
        let from = self.scratch.texts.len();
        let mut seen = SeenTexts::default();
        let count = self.members(|scanner, name| {
            if !scanner.keep(from, &mut seen, name) {
                let fault = LineFault::new(LineFaultKind::NamedTwice);
                return Err(fault.within(&scanner.name(name)));
            }
            let attribute = scanner.attribute(depth, name, &mut target);
            attribute.map_err(|fault| fault.within(&scanner.name(name)))
        });
        self.scratch.texts.truncate(from);
        count
    }

    #[inline]
    fn attribute(
        &mut self,
        depth: usize,
        name: LineText,
        target: &mut KeyTarget<'_>,
    ) -> LineResult<()> {
        if depth == 0 && name.is_empty() {
            return Err(LineFault::new(LineFaultKind::EmptyName));
        }
        let (kind, value) = self.value(depth)?;
        let Some((keys, buffer)) = target else {
            return Ok(());
        };
        let index = keys.position(&self.text(name));
        let attribute = index.and_then(|index| Some((index, keys.attributes().nth(index)?)));
        let Some((index, attribute)) = attribute else {
            return Ok(());
        };
        let value = value.map(|value| self.text(value));
        buffer.keep(index, attribute, kind, value.as_deref().unwrap_or_default())
    }

    /// A scalar value with its type, where a key may have it.
    fn scalar(&mut self) -> LineResult<(Option<KeyType>, LineText)> {
        match self.value(0)? {
            (kind, Some(text)) => Ok((kind, text)),
            (_, None) => Err(LineFault::new(LineFaultKind::NotOfItsType("N"))),
        }
    }

    /// Reads a value with its type: `{"S":"…"}`. The type and text are those of what a key may be.
    fn value(&mut self, depth: usize) -> LineResult<(Option<KeyType>, Option<LineText>)> {
        self.expect(b'{')?;
        let kind = self.string()?;
        self.expect(b':')?;
        let kind = self.text(kind);
        let read = match &*kind {
            b"S" => (Some(KeyType::S), Some(self.text_of("S")?)),
            b"N" => (Some(KeyType::N), Some(self.number()?)),
            b"B" => (Some(KeyType::B), Some(self.binary("B")?)),
            other => {
                self.other(other, depth)?;
                (None, None)
            }
        };
        if !self.take(b'}') {
            return Err(match self.peek() {
                // A value has one type.
                b',' => LineFault::new(LineFaultKind::UnknownType),
                _ => self.syntax(),
            });
        }
        Ok(read)
    }

    /// A string where one must be.
    #[inline]
    fn text_of(&mut self, kind: &'static str) -> LineResult<LineText> {
        self.skip_space();
        if self.peek() != b'"' && !self.is_at_end() {
            return Err(LineFault::new(LineFaultKind::NotOfItsType(kind)));
        }
        self.string()
    }

    fn number(&mut self) -> LineResult<LineText> {
        let text = self.text_of("N")?;
        match Number::parse(&self.text(text)) {
            Ok(_) => Ok(text),
            Err(kind) => Err(LineFault::new(kind)),
        }
    }

    fn binary(&mut self, kind: &'static str) -> LineResult<LineText> {
        let text = self.text_of(kind)?;
        match base64_simd::STANDARD.check(&self.text(text)) {
            Ok(()) => Ok(text),
            Err(_) => Err(LineFault::new(LineFaultKind::NotOfItsType(kind))),
        }
    }

    /// Reads the content of a value of a type that no key has.
    fn other(&mut self, kind: &[u8], depth: usize) -> LineResult<()> {
        let word = |is_one: bool, kind| {
            if is_one {
                Ok(())
            } else {
                Err(LineFault::new(LineFaultKind::NotOfItsType(kind)))
            }
        };
        match kind {
            b"BOOL" => word(self.take_word(b"true") || self.take_word(b"false"), "BOOL"),
            b"NULL" => word(self.take_word(b"true"), "NULL"),
            b"M" => {
                self.skip_space();
                if self.peek() != b'{' {
                    return Err(LineFault::new(LineFaultKind::NotOfItsType("M")));
                }
                self.attributes(depth + 1, None).map(drop)
            }
            b"L" => self.list(depth + 1),
            b"SS" => self.set("SS", |scanner| scanner.text_of("SS")),
            b"NS" => self.number_set(),
            b"BS" => self.set("BS", |scanner| scanner.binary("BS")),
            _ => Err(LineFault::new(LineFaultKind::UnknownType)),
        }
    }

    fn list(&mut self, depth: usize) -> LineResult<()> {
        if depth > DEEPEST {
            return Err(LineFault::new(LineFaultKind::TooDeep));
        }
        self.elements("L", |scanner, index| {
            let value = scanner.value(depth);
            value.map(drop).map_err(|fault| fault.at(index))
        })
        .map(drop)
    }

    /// Reads an array, with a function that reads each element.
    fn elements(
        &mut self,
        kind: &'static str,
        mut element: impl FnMut(&mut Self, usize) -> LineResult<()>,
    ) -> LineResult<usize> {
        if !self.take(b'[') {
            return Err(LineFault::new(LineFaultKind::NotOfItsType(kind)));
        }
        if self.take(b']') {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            element(self, count)?;
            count += 1;
            if self.take(b']') {
                return Ok(count);
            }
            self.expect(b',')?;
        }
    }

    /// A set of members that are equal where their texts are.
    fn set(
        &mut self,
        kind: &'static str,
        mut member: impl FnMut(&mut Self) -> LineResult<LineText>,
    ) -> LineResult<()> {
        let from = self.scratch.texts.len();
        let mut seen = SeenTexts::default();
        let count = self.elements(kind, |scanner, index| {
            let text = member(scanner).map_err(|fault| fault.at(index))?;
            if scanner.keep(from, &mut seen, text) {
                Ok(())
            } else {
                Err(LineFault::new(LineFaultKind::MemberTwice).at(index))
            }
        });
        self.scratch.texts.truncate(from);
        not_empty(count?)
    }

    /// A set of numbers, which are equal in whichever spelling.
    fn number_set(&mut self) -> LineResult<()> {
        let from = self.scratch.texts.len();
        let count = self.elements("NS", |scanner, index| {
            let text = scanner.text_of("NS").map_err(|fault| fault.at(index))?;
            scanner.scratch.texts.push(text);
            Ok(())
        })?;
        let texts = self.scratch.texts.split_off(from);
        let texts: Vec<_> = texts.into_iter().map(|text| self.text(text)).collect();
        let mut numbers: Vec<Number<'_>> = Vec::with_capacity(count);
        let mut forms = std::collections::HashSet::new();
        for (index, text) in texts.iter().enumerate() {
            let number = match Number::parse(text) {
                Ok(number) => number,
                Err(LineFaultKind::NotOfItsType(_)) => {
                    return Err(LineFault::new(LineFaultKind::NotOfItsType("NS")).at(index));
                }
                Err(kind) => return Err(LineFault::new(kind).at(index)),
            };
            let is_new = if count <= 16 {
                !numbers.contains(&number)
            } else {
                let mut form = Vec::new();
                number.write(&mut form);
                forms.insert(form)
            };
            if !is_new {
                return Err(LineFault::new(LineFaultKind::MemberTwice).at(index));
            }
            numbers.push(number);
        }
        not_empty(count)
    }

    /// The keys that a change's `Keys` name.
    fn key_schema(&mut self) -> LineResult<KeySchema> {
        let mut attributes = Vec::new();
        self.members(|scanner, name| {
            let name = scanner.name(name);
            let (kind, _) = scanner.value(0).map_err(|fault| fault.within(&name))?;
            let Some(kind) = kind else {
                return Err(LineFault::new(LineFaultKind::NoKey).within(&name));
            };
            attributes.push(KeyAttribute { name, kind });
            Ok(())
        })?;
        KeySchema::new(attributes).map_err(|_| LineFault::new(LineFaultKind::NoKey))
    }
}

fn not_empty(count: usize) -> LineResult<()> {
    if count == 0 {
        Err(LineFault::new(LineFaultKind::EmptySet))
    } else {
        Ok(())
    }
}
