//! Attribute values as a plan file writes them: a table with one type descriptor, such as
//! `{ S = "x" }`, turned into the JSON that DynamoDB takes.
//!
//! The rules are those of the API reference's `AttributeValue` and of the developer guide's naming
//! rules and data types.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::section::enumerated;
use super::violation::Violations;
use crate::nearest::nearest;

const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"];

/// How deep lists and maps nest at most.
const DEEPEST: usize = 32;
/// How many significant digits a number has at most.
const MOST_DIGITS: usize = 38;

/// Reads the attribute value that `name` stands for.
pub(super) fn read(
    value: &Spanned<DeValue<'_>>,
    name: &str,
    violations: &mut Violations,
) -> Option<Value> {
    read_at(value, name, 0, violations)
}

fn read_at(
    value: &Spanned<DeValue<'_>>,
    name: &str,
    depth: usize,
    violations: &mut Violations,
) -> Option<Value> {
    let at = value.span().start;
    let right = "write the value with its type: { S = \"text\" }, { N = \"1\" } or { BOOL = true }";
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("the value of `{name}` has no type");
        violations.add(at, message, right);
        return None;
    };
    if depth > DEEPEST {
        let message = format!("the value of `{name}` is nested too deep");
        violations.add(at, message, "lists and maps nest at most 32 levels deep");
        return None;
    }
    let mut entries = table.iter();
    let (Some((kind, inner)), None) = (entries.next(), entries.next()) else {
        let message = format!("the value of `{name}` has {} types", table.len());
        violations.add(at, message, format!("exactly one is needed: {right}"));
        return None;
    };
    let typed = read_typed(kind.get_ref(), inner, name, depth, violations)?;
    let mut object = serde_json::Map::new();
    object.insert(kind.get_ref().to_string(), typed);
    Some(object.into())
}

/// How many bytes a value has, counted as its texts and its JSON around them.
pub(super) fn size(value: &Value) -> usize {
    value.to_string().len()
}

fn read_typed(
    kind: &str,
    inner: &Spanned<DeValue<'_>>,
    name: &str,
    depth: usize,
    violations: &mut Violations,
) -> Option<Value> {
    let at = inner.span().start;
    let result = match (kind, inner.get_ref()) {
        ("S" | "N" | "B", DeValue::String(text)) => scalar(kind, text),
        ("BOOL", DeValue::Boolean(value)) => Ok(Value::Bool(*value)),
        ("NULL", DeValue::Boolean(true)) => Ok(Value::Bool(true)),
        ("NULL", _) => Err("`NULL` is always true".to_owned()),
        ("BOOL", _) => Err("`BOOL` is true or false, without quotes".to_owned()),
        ("L", DeValue::Array(items)) => return list(items, name, depth, violations),
        ("M", DeValue::Table(members)) => return map(members, depth, violations),
        ("L", _) => Err("`L` is a list of values, each with its type".to_owned()),
        ("M", _) => Err("`M` is a table of values, each with its type".to_owned()),
        ("SS" | "NS" | "BS", DeValue::Array(items)) => set(kind, items),
        ("SS" | "NS" | "BS", _) => Err(format!("`{kind}` is a list of strings")),
        ("N", _) => Err("`N` is a number in quotes, since DynamoDB sends it as text".to_owned()),
        ("S" | "B", _) => Err(format!("`{kind}` is a string")),
        _ => Err(match nearest(kind, &TYPES) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("a value's type is one of {}", enumerated(&TYPES)),
        }),
    };
    result
        .map_err(|hint| {
            let message = format!("`{kind}` of `{name}` is not a value of DynamoDB");
            violations.add(at, message, hint);
        })
        .ok()
}

fn scalar(kind: &str, text: &str) -> Result<Value, String> {
    match kind {
        "N" if !is_number(text) => Err(format!(
            "`N` is a decimal number of at most {MOST_DIGITS} digits, in quotes"
        )),
        "B" if BASE64.decode(text).is_err() => Err("`B` is bytes in base64, padded".to_owned()),
        _ => Ok(Value::from(text)),
    }
}

fn set(kind: &str, items: &DeArray<'_>) -> Result<Value, String> {
    let member_kind = kind.get(..1).unwrap_or(kind);
    let mut seen = BTreeSet::new();
    let mut members = Vec::new();
    for item in items {
        let DeValue::String(text) = item.get_ref() else {
            return Err(format!("every member of `{kind}` is a string in quotes"));
        };
        if !seen.insert(text.as_ref()) {
            return Err(format!("`{text}` stands in the set twice"));
        }
        members.push(scalar(member_kind, text)?);
    }
    if members.is_empty() {
        return Err("a set has at least one member".to_owned());
    }
    Ok(Value::Array(members))
}

fn list(
    items: &DeArray<'_>,
    name: &str,
    depth: usize,
    violations: &mut Violations,
) -> Option<Value> {
    let items: Vec<_> = items
        .iter()
        .map(|item| read_at(item, name, depth + 1, violations))
        .collect();
    items.into_iter().collect::<Option<_>>().map(Value::Array)
}

fn map(members: &DeTable<'_>, depth: usize, violations: &mut Violations) -> Option<Value> {
    let members: Vec<_> = members
        .iter()
        .map(|(name, member)| {
            let value = read_at(member, name.get_ref(), depth + 1, violations)?;
            Some((name.get_ref().to_string(), value))
        })
        .collect();
    members
        .into_iter()
        .collect::<Option<_>>()
        .map(Value::Object)
}

/// Whether a text is a number with no more significant digits than DynamoDB keeps.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    is_exponent
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && significant.len() <= MOST_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_with_at_most_38_significant_digits() {
        for text in ["0", "-1", "+3.25", ".5", "1e10", "1E-130", "000100"] {
            assert!(is_number(text), "{text}");
        }
        assert!(is_number(&"9".repeat(38)));
        assert!(is_number(&format!("{}000", "9".repeat(38))));
        assert!(!is_number(&"9".repeat(39)));
        for text in ["", "-", ".", "1,5", "0x1", "1e", "NaN", "1 ", "e5"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
