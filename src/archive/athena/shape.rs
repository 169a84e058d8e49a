//! What attributes an archive's items have, and of which types: gathered from the items themselves.

use std::collections::BTreeMap;

use super::super::value::{AttributeValue, Attributes};

/// So many different names in one map, and it is taken for a map whose keys are data.
const MOST_NAMES: usize = 100;

/// The types that an attribute has, here and there.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a type, and an attribute may have all of them"
)]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shape {
    pub(super) is_string: bool,
    pub(super) number: Option<Digits>,
    pub(super) is_binary: bool,
    pub(super) is_bool: bool,
    pub(super) is_null: bool,
    pub(super) is_strings: bool,
    pub(super) numbers: Option<Digits>,
    pub(super) is_binaries: bool,
    /// What the members of its lists are.
    pub(super) list: Option<Box<Shape>>,
    pub(super) map: Option<Fields>,
}

/// How many digits the numbers of an attribute have before and behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Digits {
    pub(super) whole: usize,
    pub(super) decimals: usize,
}

/// The members of an item or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fields {
    /// By their names.
    Named(BTreeMap<String, Shape>),
    /// Too many to be names of attributes.
    Keyed(Box<Shape>),
}

impl Default for Fields {
    fn default() -> Self {
        Self::Named(BTreeMap::new())
    }
}

impl Shape {
    pub(super) fn add(&mut self, value: &AttributeValue) {
        match value {
            AttributeValue::String(_) => self.is_string = true,
            AttributeValue::Number(text) => add_digits(&mut self.number, text),
            AttributeValue::Binary(_) => self.is_binary = true,
            AttributeValue::Bool(_) => self.is_bool = true,
            AttributeValue::Null => self.is_null = true,
            AttributeValue::Strings(_) => self.is_strings = true,
            AttributeValue::Numbers(texts) => {
                for text in texts {
                    add_digits(&mut self.numbers, text);
                }
            }
            AttributeValue::Binaries(_) => self.is_binaries = true,
            AttributeValue::List(values) => {
                let members = self.list.get_or_insert_default();
                for value in values {
                    members.add(value);
                }
            }
            AttributeValue::Map(attributes) => self.map.get_or_insert_default().add(attributes),
        }
    }

    fn merge(&mut self, other: Self) {
        self.is_string |= other.is_string;
        self.is_binary |= other.is_binary;
        self.is_bool |= other.is_bool;
        self.is_null |= other.is_null;
        self.is_strings |= other.is_strings;
        self.is_binaries |= other.is_binaries;
        for (digits, others) in [
            (&mut self.number, other.number),
            (&mut self.numbers, other.numbers),
        ] {
            if let Some(others) = others {
                digits.get_or_insert_default().extend(others);
            }
        }
        if let Some(others) = other.list {
            self.list.get_or_insert_default().merge(*others);
        }
        if let Some(others) = other.map {
            let fields = self.map.get_or_insert_default();
            match others {
                Fields::Named(named) => {
                    for (name, shape) in named {
                        fields.field(&name).merge(shape);
                        fields.limit();
                    }
                }
                Fields::Keyed(shape) => {
                    fields.make_keyed();
                    fields.field("").merge(*shape);
                }
            }
        }
    }
}

impl Fields {
    pub(super) fn add(&mut self, attributes: &Attributes) {
        for (name, value) in attributes {
            self.field(name).add(value);
            self.limit();
        }
    }

    fn field(&mut self, name: &str) -> &mut Shape {
        match self {
            Self::Named(named) => {
                if !named.contains_key(name) {
                    named.insert(name.to_owned(), Shape::default());
                }
                named.entry(name.to_owned()).or_default()
            }
            Self::Keyed(shape) => shape,
        }
    }

    fn limit(&mut self) {
        if matches!(self, Self::Named(named) if named.len() > MOST_NAMES) {
            self.make_keyed();
        }
    }

    fn make_keyed(&mut self) {
        if let Self::Named(named) = self {
            let mut whole = Shape::default();
            for shape in std::mem::take(named).into_values() {
                whole.merge(shape);
            }
            *self = Self::Keyed(Box::new(whole));
        }
    }
}

impl Digits {
    fn extend(&mut self, other: Self) {
        self.whole = self.whole.max(other.whole);
        self.decimals = self.decimals.max(other.decimals);
    }

    /// Precision and scale of a decimal that holds them; `None` where none of 38 digits does.
    pub(super) fn decimal(self) -> Option<(usize, usize)> {
        let precision = (self.whole + self.decimals).max(1);
        (precision <= 38).then_some((38, self.decimals))
    }
}

/// Counts the digits of a number before and behind its point.
fn add_digits(digits: &mut Option<Digits>, text: &str) {
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let power: i64 = power.parse().unwrap_or(0);
    let (whole, decimals) = mantissa
        .trim_start_matches(['-', '+'])
        .split_once('.')
        .unwrap_or((mantissa.trim_start_matches(['-', '+']), ""));
    let whole = i64::try_from(whole.trim_start_matches('0').len()).unwrap_or(0);
    let decimals = i64::try_from(decimals.trim_end_matches('0').len()).unwrap_or(0);
    let places = |count: i64| usize::try_from(count.max(0)).unwrap_or(0);
    digits.get_or_insert_default().extend(Digits {
        whole: places(whole + power),
        decimals: places(decimals - power),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_on_both_sides_of_the_point() {
        for (text, whole, decimals) in [
            ("0", 0, 0),
            ("123", 3, 0),
            ("-12.50", 2, 1),
            ("0.001", 0, 3),
            ("1e3", 4, 0),
            ("5E-2", 0, 2),
            ("1.25e1", 2, 1),
        ] {
            let mut digits = None;
            add_digits(&mut digits, text);
            assert_eq!(digits, Some(Digits { whole, decimals }), "{text}");
        }
    }

    #[test]
    fn a_map_of_very_many_names_is_one_whose_keys_are_data() {
        let mut fields = Fields::default();
        for index in 0..=MOST_NAMES {
            fields.add(&vec![(
                format!("k{index}"),
                AttributeValue::Number(index.to_string()),
            )]);
        }
        fields.add(&vec![(
            "k".to_owned(),
            AttributeValue::String(String::new()),
        )]);
        let Fields::Keyed(shape) = fields else {
            panic!("{fields:?}")
        };
        assert!(shape.is_string && shape.number.is_some());
    }
}
