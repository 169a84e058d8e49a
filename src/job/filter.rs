//! A table's filter: its expressions, and the placeholders that stand in them.
//!
//! The limits are those of the developer guide's page on filtering a table export. Whether an
//! attribute is part of the table's key is for the table to say, so that no rule about it is here.

mod expression;

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeString, DeValue};

use self::expression::Expression;
use super::section::{Section, wrong_type};
use super::violation::Violations;
use super::{Filter, attribute_value};

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
pub(super) fn read(section: Section<'_, '_>, violations: &mut Violations) -> Filter {
    section.refuse_unknown(&KEYS, violations);
    let key_condition = read_expression(section, "key_condition", violations);
    let expression = read_expression(section, "expression", violations);
    let projection = read_expression(section, "projection", violations);
    if let Some(condition) = &key_condition {
        check_key_condition(condition, violations);
    }
    let present = ["key_condition", "expression", "projection"];
    if present.iter().all(|key| section.value(key).is_none()) {
        violations.add(
            section.at,
            "the filter has no expression, so that it leaves nothing out",
            "add `key_condition`, `expression` or `projection`, or remove the filter",
        );
    }
    let names = read_names(section, violations);
    let values = read_values(section, violations);
    let expressions: Vec<_> = [&key_condition, &expression, &projection]
        .into_iter()
        .flatten()
        .collect();
    check_placeholders(&expressions, &names, '#', violations);
    check_placeholders(&expressions, &values, ':', violations);
    let text = |given: Option<Spanned<Expression<'_>>>| given.map(|e| e.get_ref().text.to_owned());
    Filter {
        key_condition: text(key_condition),
        expression: text(expression),
        projection: text(projection),
        names: without_spans(names).collect(),
        values: without_spans(values)
            .filter_map(|(token, value)| Some((token, value?)))
            .collect(),
    }
}

fn read_expression<'t>(
    section: Section<'t, '_>,
    key: &str,
    violations: &mut Violations,
) -> Option<Spanned<Expression<'t>>> {
    let given = section.text(key, violations)?;
    let (at, text) = (given.span(), given.into_inner());
    if text.trim().is_empty() {
        violations.add(
            at.start,
            format!("`{key}` is blank"),
            format!("leave `{key}` out, or give it a value"),
        );
        return None;
    }
    let bytes = text.len();
    if bytes > MOST_EXPRESSION_BYTES {
        violations.add(
            at.start,
            format!("`{key}` has {bytes} bytes"),
            "an expression has at most 4 KB (4096 bytes)",
        );
    }
    let expression = Expression::scan(text);
    if expression.operators > MOST_OPERATORS {
        violations.add(
            at.start,
            format!("`{key}` has {} operators", expression.operators),
            "an expression has at most 300 operators and functions; IN takes up to 100 values as one",
        );
    }
    Some(Spanned::new(at, expression))
}

/// A key condition gives one value of the partition key, and perhaps a condition on the sort key,
/// joined by AND (the developer guide's page on key condition expressions).
fn check_key_condition(condition: &Spanned<Expression<'_>>, violations: &mut Violations) {
    if !condition.get_ref().has("=") {
        violations.add(
            condition.span().start,
            "`key_condition` compares nothing with `=`",
            "it must name one value of the partition key, such as `pk = :pk`; use `expression` for the rest",
        );
    }
    for word in ["OR", "NOT", "IN", "<>"] {
        if condition.get_ref().has(word) {
            violations.add(
                condition.span().start,
                format!("`key_condition` has `{word}`, which a key condition does not take"),
                "it takes one `=` on the partition key and one condition on the sort key, joined by AND",
            );
        }
    }
}

type Placeholders<T> = BTreeMap<String, Spanned<T>>;

fn without_spans<T>(defined: Placeholders<T>) -> impl Iterator<Item = (String, T)> {
    let defined = defined.into_iter();
    defined.map(|(token, value)| (token, value.into_inner()))
}

fn read_names(section: Section<'_, '_>, violations: &mut Violations) -> Placeholders<String> {
    let mut names = BTreeMap::new();
    let Some(table) = section.table("names", "names = { \"#a\" = \"…\" }", violations) else {
        return names;
    };
    for (token, value) in table.entries() {
        check_token(token, '#', violations);
        let name = match value.get_ref() {
            DeValue::String(name) => {
                let length = name.chars().count();
                if length == 0 || length > MOST_NAME_CHARACTERS {
                    violations.add(
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
                violations.add(
                    value.span().start,
                    wrong_type(token.get_ref(), "an attribute's name", other),
                    "write names = { \"#a\" = \"attribute\" }",
                );
                String::new()
            }
        };
        names.insert(token.to_string(), Spanned::new(token.span(), name));
    }
    names
}

fn read_values(
    section: Section<'_, '_>,
    violations: &mut Violations,
) -> Placeholders<Option<serde_json::Value>> {
    let mut values = BTreeMap::new();
    let title = "values = { \":v\" = { S = \"…\" } }";
    let Some(table) = section.table("values", title, violations) else {
        return values;
    };
    for (token, value) in table.entries() {
        check_token(token, ':', violations);
        let value = attribute_value::read(value, token.get_ref(), violations);
        values.insert(token.to_string(), Spanned::new(token.span(), value));
    }
    let bytes: usize = values
        .values()
        .flat_map(Spanned::get_ref)
        .map(attribute_value::size)
        .sum();
    if bytes > MOST_VALUE_BYTES {
        violations.add(
            table.at,
            format!("the values have {bytes} bytes together"),
            "the values of a filter have at most 2 MB",
        );
    }
    values
}

fn check_token(token: &Spanned<DeString<'_>>, sign: char, violations: &mut Violations) {
    let is_right = token.get_ref().strip_prefix(sign).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if !is_right {
        violations.add(
            token.span().start,
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
    expressions: &[&Spanned<Expression<'_>>],
    defined: &Placeholders<T>,
    sign: char,
    violations: &mut Violations,
) {
    let table = if sign == '#' { "names" } else { "values" };
    let mut used = BTreeSet::new();
    for expression in expressions {
        let tokens = &expression.get_ref().placeholders;
        for token in tokens.iter().filter(|token| token.starts_with(sign)) {
            if used.insert(*token) && !defined.contains_key(*token) {
                violations.add(
                    expression.span().start,
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
    for (token, value) in defined {
        if !used.contains(token.as_str()) && token.starts_with(sign) {
            violations.add(
                value.span().start,
                format!("`{token}` is defined, and no expression uses it"),
                format!("remove it from {table}, or use it: DynamoDB refuses it as it is"),
            );
        }
    }
}
