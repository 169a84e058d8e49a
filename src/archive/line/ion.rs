//! Lines of Ion text: `$ion_1_0 {Item:{…}}`, or a change within `Record`.
//!
//! The types are those of the developer guide's page on the output of a table export: decimals are
//! numbers, blobs bytes, and sets are lists with the annotations `$dynamodb_SS`, `$dynamodb_NS` and
//! `$dynamodb_BS`. No data file of the service in Ion is public, so that this is unverified against it.
//! A line is measured before Amazon's reader gets it, since its nesting is the reader's.

use std::collections::HashSet;

use ion_rs::{Element, IonType, Sequence, Struct, Value};

use super::fault::{LineFault, LineFaultKind};
use super::key::{KeyAttribute, KeyBuffer, KeySchema};
use super::number::Number;
use super::{
    DEEPEST, ITEM, KEYS, LineChecker, LineResult, METADATA, NEW_IMAGE, OLD_IMAGE, RECORD,
    WRITTEN_AT, check_images,
};
use crate::job::table_definition::KeyType;

/// The version marker before each value.
const MARKER: &str = "$ion_1_0";

/// Checks a line, and fills the checker's buffers.
pub(super) fn check(checker: &mut LineChecker, line: &str) -> LineResult<()> {
    let text = line.strip_prefix(MARKER).unwrap_or(line);
    measure(text, line.len() - text.len())?;
    let syntax = |_| LineFault::new(LineFaultKind::Syntax { column: None });
    let element = Element::read_one(text).map_err(syntax)?;
    let line = structure(&element)?;
    let LineChecker {
        view,
        keys,
        buffers: [whole, old, new],
        ..
    } = checker;
    let Some(view) = view else {
        let [item] = members(line, [ITEM])?;
        let item = item.ok_or_else(|| LineFault::new(LineFaultKind::MissingMember(ITEM)))?;
        let target = keys.as_ref().map(|keys| (keys, whole));
        return self::item(item, target).map_err(|fault| fault.within(ITEM));
    };
    let [record] = members(line, [RECORD])?;
    let record = record.ok_or_else(|| LineFault::new(LineFaultKind::MissingMember(RECORD)))?;
    let read = || {
        let named = members(structure(record)?, [METADATA, KEYS, OLD_IMAGE, NEW_IMAGE])?;
        let [metadata, change_keys, old_image, new_image] = named;
        let missing = |name| LineFault::new(LineFaultKind::MissingMember(name));
        check_metadata(metadata.ok_or_else(|| missing(METADATA))?)?;
        let change_keys = change_keys.ok_or_else(|| missing(KEYS))?;
        read_keys(change_keys, keys, whole).map_err(|fault| fault.within(KEYS))?;
        for (image, buffer, name) in [(old_image, old, OLD_IMAGE), (new_image, new, NEW_IMAGE)] {
            if let (Some(image), Some(keys)) = (image, keys.as_ref()) {
                item(image, Some((keys, buffer))).map_err(|fault| fault.within(name))?;
            }
        }
        check_images(*view, old_image.is_some(), new_image.is_some())
    };
    read().map_err(|fault| fault.within(RECORD))
}

/// Follows a line's nesting, which must be of one value and not too deep. Comments, long strings and
/// clobs are no part of an export.
fn measure(text: &str, before: usize) -> LineResult<()> {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let (mut at, mut depth) = (0, 0_usize);
    let syntax = |at: usize| {
        Err(LineFault::new(LineFaultKind::Syntax {
            column: Some(before + at + 1),
        }))
    };
    while at < bytes.len() {
        let starts = |mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
        if starts(b"'''") || starts(b"//") || starts(b"/*") {
            return syntax(at);
        }
        if starts(b"{{") {
            let inside = bytes.get(at + 2..).unwrap_or_default();
            let is_blob = |byte: &u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b' ')
            };
            let length = inside.iter().take_while(|byte| is_blob(byte)).count();
            if !inside
                .get(length..)
                .is_some_and(|rest| rest.starts_with(b"}}"))
            {
                return syntax(at);
            }
            at += length + 4;
            continue;
        }
        match byte(at) {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && byte(at) != quote {
                    at += if byte(at) == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' | b'(' => {
                depth += 1;
                // The members of a line, and those of a record.
                if depth > DEEPEST + 4 {
                    return Err(LineFault::new(LineFaultKind::TooDeep));
                }
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                let rest = bytes.get(at + 1..).unwrap_or_default();
                if depth == 0 && rest.iter().any(|byte| *byte != b' ') {
                    return Err(LineFault::new(LineFaultKind::TrailingText));
                }
            }
            b' ' => {}
            _ if depth == 0 => return syntax(at),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

fn structure(element: &Element) -> LineResult<&Struct> {
    match element.value() {
        Value::Struct(value) if element.annotations().is_empty() => Ok(value),
        _ => Err(LineFault::new(LineFaultKind::NotOfItsType("M"))),
    }
}

/// The members of these names, each once, and no other.
fn members<'e, const N: usize>(
    structure: &'e Struct,
    names: [&'static str; N],
) -> LineResult<[Option<&'e Element>; N]> {
    let mut found = [None; N];
    for (name, element) in structure.fields() {
        let text = name.text().unwrap_or_default();
        let index = names.iter().position(|known| *known == text);
        let Some(place) = index.and_then(|index| found.get_mut(index)) else {
            return Err(LineFault::new(LineFaultKind::UnexpectedMember).within(text));
        };
        if place.replace(element).is_some() {
            return Err(LineFault::new(LineFaultKind::NamedTwice).within(text));
        }
    }
    Ok(found)
}

fn check_metadata(metadata: &Element) -> LineResult<()> {
    let read = || {
        let time = structure(metadata)?
            .get(WRITTEN_AT)
            .ok_or_else(|| LineFault::new(LineFaultKind::MissingMember(WRITTEN_AT)))?;
        match number(time) {
            Some(_) => Ok(()),
            None => Err(LineFault::new(LineFaultKind::NotOfItsType("N")).within(WRITTEN_AT)),
        }
    };
    read().map_err(|fault: Box<LineFault>| fault.within(METADATA))
}

/// `Keys`: every key attribute of the table, and no other. The first that are read are the table's where
/// those are not known.
fn read_keys(
    element: &Element,
    keys: &mut Option<KeySchema>,
    buffer: &mut KeyBuffer,
) -> LineResult<()> {
    let structure = structure(element)?;
    if keys.is_none() {
        let mut attributes = Vec::new();
        for (name, value) in structure.fields() {
            let name = name.text().unwrap_or_default().to_owned();
            let (Some(kind), _) = key_value(value) else {
                return Err(LineFault::new(LineFaultKind::NoKey).within(&name));
            };
            attributes.push(KeyAttribute { name, kind });
        }
        let named = KeySchema::new(attributes);
        *keys = Some(named.map_err(|_| LineFault::new(LineFaultKind::NoKey))?);
    }
    let Some(keys) = keys else {
        return Ok(());
    };
    item(element, Some((keys, buffer)))?;
    for (index, attribute) in keys.attributes().enumerate() {
        if buffer.part(index).is_none() {
            return Err(LineFault::new(LineFaultKind::KeyMissing).within(&attribute.name));
        }
    }
    if structure.len() == keys.len() {
        Ok(())
    } else {
        Err(LineFault::new(LineFaultKind::NoKey))
    }
}

fn item(element: &Element, mut target: Option<(&KeySchema, &mut KeyBuffer)>) -> LineResult<()> {
    if let Some((_, buffer)) = &mut target {
        buffer.is_present = true;
    }
    attributes(structure(element)?, 0, target)
}

fn attributes(
    structure: &Struct,
    depth: usize,
    mut target: Option<(&KeySchema, &mut KeyBuffer)>,
) -> LineResult<()> {
    let mut names = HashSet::with_capacity(structure.len());
    for (name, element) in structure.fields() {
        let name = name.text().unwrap_or_default();
        if name.is_empty() && depth == 0 {
            return Err(LineFault::new(LineFaultKind::EmptyName));
        }
        if !names.insert(name) {
            return Err(LineFault::new(LineFaultKind::NamedTwice).within(name));
        }
        let mut read = || {
            value(element, depth)?;
            let Some((keys, buffer)) = &mut target else {
                return Ok(());
            };
            let index = keys.position(name.as_bytes());
            let attribute = index.and_then(|index| Some((index, keys.attributes().nth(index)?)));
            let Some((index, attribute)) = attribute else {
                return Ok(());
            };
            let (kind, content) = key_value(element);
            buffer.keep(index, attribute, kind, &content)
        };
        read().map_err(|fault| fault.within(name))?;
    }
    Ok(())
}

/// The type and content of a value that a key may have.
fn key_value(element: &Element) -> (Option<KeyType>, Vec<u8>) {
    match element.value() {
        Value::String(text) => (Some(KeyType::S), text.text().as_bytes().to_vec()),
        Value::Blob(bytes) => (Some(KeyType::B), bytes.as_ref().to_vec()),
        _ => match number(element) {
            Some(text) => (Some(KeyType::N), text.into_bytes()),
            None => (None, Vec::new()),
        },
    }
}

/// A number as a text.
fn number(element: &Element) -> Option<String> {
    match element.value() {
        Value::Int(number) => Some(number.to_string()),
        Value::Decimal(number) => {
            let coefficient = number.coefficient();
            let sign = if coefficient.is_negative() { "-" } else { "" };
            let digits = coefficient.magnitude();
            Some(format!("{sign}{digits}e{}", number.exponent()))
        }
        _ => None,
    }
}

fn value(element: &Element, depth: usize) -> LineResult<()> {
    if depth > DEEPEST {
        return Err(LineFault::new(LineFaultKind::TooDeep));
    }
    let annotation = element.annotations().first();
    match (element.value(), annotation) {
        (Value::Null(IonType::Null) | Value::Bool(_) | Value::String(_) | Value::Blob(_), None) => {
            Ok(())
        }
        (Value::Int(_) | Value::Decimal(_), None) => check_number(element).map(drop),
        (Value::Struct(map), None) => attributes(map, depth + 1, None),
        (Value::List(list), None) => {
            for (index, element) in list.elements().enumerate() {
                value(element, depth + 1).map_err(|fault| fault.at(index))?;
            }
            Ok(())
        }
        (Value::List(list), Some("$dynamodb_SS")) => set(list, "SS", |element| {
            Some(Ok(element.as_string()?.as_bytes().to_vec()))
        }),
        (Value::List(list), Some("$dynamodb_NS")) => set(list, "NS", |element| {
            number(element)?;
            Some(check_number(element))
        }),
        (Value::List(list), Some("$dynamodb_BS")) => {
            set(list, "BS", |element| Some(Ok(element.as_blob()?.to_vec())))
        }
        _ => Err(LineFault::new(LineFaultKind::UnknownType)),
    }
}

/// The canonical form of a number.
fn check_number(element: &Element) -> LineResult<Vec<u8>> {
    let text = number(element).unwrap_or_default();
    let number = Number::parse(text.as_bytes()).map_err(LineFault::new)?;
    let mut form = Vec::new();
    number.write(&mut form);
    Ok(form)
}

/// A set, with the form of a member by which it is told from others; `None` where it is of another type.
fn set(
    list: &Sequence,
    kind: &'static str,
    form: impl Fn(&Element) -> Option<LineResult<Vec<u8>>>,
) -> LineResult<()> {
    let mut forms = HashSet::new();
    for (index, element) in list.elements().enumerate() {
        let form = form(element)
            .unwrap_or_else(|| Err(LineFault::new(LineFaultKind::NotOfItsType(kind))))
            .map_err(|fault| fault.at(index))?;
        if !forms.insert(form) {
            return Err(LineFault::new(LineFaultKind::MemberTwice).at(index));
        }
    }
    if forms.is_empty() {
        return Err(LineFault::new(LineFaultKind::EmptySet));
    }
    Ok(())
}
