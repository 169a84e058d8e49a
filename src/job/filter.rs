//! A table's filter: its expressions, and the placeholders that stand in them.
//!
//! The limits are those of the developer guide's page on filtering a table export. Whether an
//! attribute is part of the table's key is for the table to say, so that no rule about it is here.

mod expression;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use self::expression::Expression;
use super::Filter;
use super::section::{Placed, Section, wrong_type};
use super::violation::Complaints;

const KEYS: [&str; 5] = [
    "key_condition",
    "expression",
    "projection",
    "names",
    "values",
];

const MOST_EXPRESSION_BYTES: usize = 4096;
const MOST_OPERATORS: usize = 300;
const MOST_VALUE_BYTES: usize = 2 * 1024 * 1024;
/// `ExpressionAttributeNames` in the API reference of `FilterSpecification`.
const MOST_NAME_CHARACTERS: usize = 65_535;

/// Reads a filter.
pub(super) fn read(section: Section<'_, '_>, complaints: &mut Complaints<'_>) -> Filter {
    section.refuse_unknown(&KEYS, complaints);
    let key_condition = read_expression(section, "key_condition", complaints);
    let expression = read_expression(section, "expression", complaints);
    let projection = read_expression(section, "projection", complaints);
    if let Some(condition) = &key_condition {
        check_key_condition(condition, complaints);
    }
    let present = ["key_condition", "expression", "projection"];
    if present.iter().all(|key| section.value(key).is_none()) {
        complaints.add(
            section.at,
            "the filter has no expression, so that it leaves nothing out",
            "add `key_condition`, `expression` or `projection`, or remove the filter",
        );
    }
    let names = read_names(section, complaints);
    let values = read_values(section, complaints);
    let expressions: Vec<_> = [&key_condition, &expression, &projection]
        .into_iter()
        .flatten()
        .collect();
    check_placeholders(&expressions, &names, '#', complaints);
    check_placeholders(&expressions, &values, ':', complaints);
    let text = |placed: Option<Placed<Expression<'_>>>| placed.map(|e| e.value.text.to_owned());
    Filter {
        key_condition: text(key_condition),
        expression: text(expression),
        projection: text(projection),
        names: without_places(names),
        values: without_places(values)
            .into_iter()
            .filter_map(|(token, value)| Some((token, value?)))
            .collect(),
    }
}

fn read_expression<'t>(
    section: Section<'t, '_>,
    key: &str,
    complaints: &mut Complaints<'_>,
) -> Option<Placed<Expression<'t>>> {
    let text = section.text(key, complaints)?;
    if text.value.trim().is_empty() {
        complaints.add(
            text.at,
            format!("`{key}` is blank"),
            format!("leave `{key}` out, or give it a value"),
        );
        return None;
    }
    let bytes = text.value.len();
    if bytes > MOST_EXPRESSION_BYTES {
        complaints.add(
            text.at,
            format!("`{key}` has {bytes} bytes"),
            "an expression has at most 4 KB (4096 bytes)",
        );
    }
    let expression = Expression::scan(text.value);
    if expression.operators > MOST_OPERATORS {
        complaints.add(
            text.at,
            format!("`{key}` has {} operators", expression.operators),
            "an expression has at most 300 operators and functions; IN takes up to 100 values as one",
        );
    }
    Some(text.with(expression))
}

/// A key condition gives one value of the partition key, and perhaps a condition on the sort key,
/// joined by AND (the developer guide's page on key condition expressions).
fn check_key_condition(condition: &Placed<Expression<'_>>, complaints: &mut Complaints<'_>) {
    if !condition.value.has("=") {
        complaints.add(
            condition.at,
            "`key_condition` compares nothing with `=`",
            "it must name one value of the partition key, such as `pk = :pk`; use `expression` for the rest",
        );
    }
    for word in ["OR", "NOT", "IN", "<>"] {
        if condition.value.has(word) {
            complaints.add(
                condition.at,
                format!("`key_condition` has `{word}`, which a key condition does not take"),
                "it takes one `=` on the partition key and one condition on the sort key, joined by AND",
            );
        }
    }
}

type Placeholders<T> = BTreeMap<String, Placed<T>>;

fn without_places<T>(placed: Placeholders<T>) -> BTreeMap<String, T> {
    let tokens = placed.into_iter();
    tokens.map(|(token, value)| (token, value.value)).collect()
}

fn read_names(section: Section<'_, '_>, complaints: &mut Complaints<'_>) -> Placeholders<String> {
    let mut names = BTreeMap::new();
    let Some(table) = section.table("names", "names = { \"#a\" = \"…\" }", complaints) else {
        return names;
    };
    for (token, value) in table.entries() {
        let at = token.span().start;
        check_token(token.get_ref(), '#', at, complaints);
        let name = match value.get_ref() {
            DeValue::String(name) => {
                let length = name.chars().count();
                if length == 0 || length > MOST_NAME_CHARACTERS {
                    complaints.add(
                        value.span().start,
                        format!(
                            "the attribute name of `{}` has {length} characters",
                            token.get_ref()
                        ),
                        "an attribute's name has 1 to 65535 characters",
                    );
                }
                name.to_string()
            }
            other => {
                complaints.add(
                    value.span().start,
                    wrong_type(token.get_ref(), "an attribute's name", other),
                    "write names = { \"#a\" = \"attribute\" }",
                );
                String::new()
            }
        };
        names.insert(token.get_ref().to_string(), Placed { value: name, at });
    }
    names
}

fn read_values(
    section: Section<'_, '_>,
    complaints: &mut Complaints<'_>,
) -> Placeholders<Option<serde_json::Value>> {
    let mut values = BTreeMap::new();
    let title = "values = { \":v\" = { S = \"…\" } }";
    let Some(table) = section.table("values", title, complaints) else {
        return values;
    };
    for (token, value) in table.entries() {
        let at = token.span().start;
        check_token(token.get_ref(), ':', at, complaints);
        let value = value::read(value, token.get_ref(), 0, complaints);
        values.insert(token.get_ref().to_string(), Placed { value, at });
    }
    let bytes: usize = values
        .values()
        .flat_map(|placed| &placed.value)
        .map(value::size)
        .sum();
    if bytes > MOST_VALUE_BYTES {
        complaints.add(
            table.at,
            format!("the values have {bytes} bytes together"),
            "the values of a filter have at most 2 MB",
        );
    }
    values
}

fn check_token(token: &str, sign: char, at: usize, complaints: &mut Complaints<'_>) {
    let is_right = token.strip_prefix(sign).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if !is_right {
        complaints.add(
            at,
            format!("`{token}` cannot stand for {}", what(sign)),
            format!("write `\"{sign}name\"`: `{sign}`, then letters, digits or underscores"),
        );
    }
}

fn what(sign: char) -> &'static str {
    if sign == '#' {
        "an attribute's name"
    } else {
        "a value"
    }
}

/// DynamoDB refuses both a placeholder that is not defined and one that is not used.
fn check_placeholders<T>(
    expressions: &[&Placed<Expression<'_>>],
    defined: &Placeholders<T>,
    sign: char,
    complaints: &mut Complaints<'_>,
) {
    let table = if sign == '#' { "names" } else { "values" };
    let mut used = BTreeSet::new();
    for expression in expressions {
        let tokens = &expression.value.placeholders;
        for token in tokens.iter().filter(|token| token.starts_with(sign)) {
            if used.insert(*token) && !defined.contains_key(*token) {
                complaints.add(
                    expression.at,
                    format!("`{token}` is used, and {table} does not define it"),
                    if sign == '#' {
                        format!("add \"{token}\" = \"attribute\" to {table}")
                    } else {
                        format!("add \"{token}\" = {{ S = \"…\" }} to {table}")
                    },
                );
            }
        }
    }
    for (token, placed) in defined {
        if !used.contains(token.as_str()) && token.starts_with(sign) {
            complaints.add(
                placed.at,
                format!("`{token}` is defined, and no expression uses it"),
                format!("remove it from {table}, or use it: DynamoDB refuses it as it is"),
            );
        }
    }
}
