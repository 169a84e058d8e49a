//! The write units that an item takes, reckoned before it is written.
//!
//! "One write capacity unit represents one write per second for an item up to 1 KB" (developer guide,
//! capacity modes), and sizes are those of its page "`DynamoDB` item sizes and formats". Indexes take units
//! of their own, which only the answer of a write tells.

use super::value::{AttributeValue, Attributes};

/// What one unit writes.
pub const UNIT: u64 = 1024;

/// "An attribute of type List or Map requires 3 bytes of overhead, regardless of its contents."
const CONTAINER: u64 = 3;

/// The units that writing an item of these attributes takes, of the table alone.
#[must_use]
pub fn write_units(item: &Attributes) -> u64 {
    size(item).div_ceil(UNIT).max(1)
}

/// The bytes of an item: "the sum of the lengths of its attribute names and values".
#[must_use]
pub fn size(item: &Attributes) -> u64 {
    let attributes = item.iter();
    attributes
        .map(|(name, value)| length(name) + size_of(value))
        .sum()
}

fn size_of(value: &AttributeValue) -> u64 {
    let texts = |texts: &[String], size: fn(&str) -> u64| texts.iter().map(|text| size(text)).sum();
    match value {
        AttributeValue::String(text) => length(text),
        AttributeValue::Number(text) => number(text),
        AttributeValue::Binary(text) => decoded(text),
        AttributeValue::Bool(_) | AttributeValue::Null => 1,
        AttributeValue::Strings(all) => texts(all, length),
        AttributeValue::Numbers(all) => texts(all, number),
        AttributeValue::Binaries(all) => texts(all, decoded),
        // "Each List or Map element also requires 1 byte of overhead."
        AttributeValue::List(items) => {
            CONTAINER + items.iter().map(|item| 1 + size_of(item)).sum::<u64>()
        }
        AttributeValue::Map(members) => CONTAINER + size(members) + count(members.len()),
    }
}

fn length(text: &str) -> u64 {
    count(text.len())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// "Approximately 1 byte per two significant digits, plus 1 byte", and one more of a negative number.
fn number(text: &str) -> u64 {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_matches('0').len();
    count(significant).div_ceil(2) + 1 + u64::from(text.starts_with('-'))
}

/// The bytes of a base64 text.
fn decoded(text: &str) -> u64 {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    (length(text) / 4 * 3).saturating_sub(count(padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(attributes: &[(&str, AttributeValue)]) -> Attributes {
        let named = attributes.iter();
        named
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    }

    #[test]
    fn sizes_are_those_of_the_developer_guide() {
        let text = AttributeValue::String("äb".to_owned());
        assert_eq!(size(&item(&[("id", text)])), 2 + 3);
        // 17 significant digits are 9 bytes and one.
        let number = AttributeValue::Number("-12345678901234567".to_owned());
        assert_eq!(size(&item(&[("n", number)])), 1 + 9 + 1 + 1);
        let zeroes = AttributeValue::Number("1000".to_owned());
        assert_eq!(size(&item(&[("n", zeroes)])), 1 + 1 + 1);
        let bytes = AttributeValue::Binary("aGVsbG8=".to_owned());
        assert_eq!(size(&item(&[("b", bytes)])), 1 + 5);
        let list = AttributeValue::List(vec![AttributeValue::Null, AttributeValue::Bool(true)]);
        assert_eq!(size(&item(&[("l", list)])), 1 + 3 + 2 + 2);
        let map = AttributeValue::Map(item(&[("m", AttributeValue::Null)]));
        assert_eq!(size(&item(&[("x", map)])), 1 + 3 + 1 + (1 + 1));
    }

    #[test]
    fn a_unit_is_a_kilobyte_begun() {
        let of = |bytes: usize| item(&[("a", AttributeValue::String("x".repeat(bytes - 1)))]);
        for (bytes, units) in [(1, 1), (1024, 1), (1025, 2), (400 * 1024, 400)] {
            assert_eq!(write_units(&of(bytes)), units, "{bytes}");
        }
    }
}
