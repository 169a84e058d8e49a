//! Reading one table of a plan file: its keys by name, each with its type and its place.
//!
//! This module decides about types, unknown keys and missing keys; what a value must be beyond its
//! type is for its callers. Every method reports and gives `None`, so that the reading goes on.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::value::InvalidValue;
use super::violation::Violations;
use crate::nearest::nearest;

/// Keys by which a file that others write would have a program called.
const NAMES_A_PROGRAM: [&str; 3] = ["finish", "on_finish", "on-finish"];

/// One table of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'t, 'i> {
    /// What messages call it, such as `[source]`.
    pub(super) title: &'t str,
    /// The byte at which it begins.
    pub(super) at: usize,
    table: &'t DeTable<'i>,
}

impl<'t, 'i> Section<'t, 'i> {
    /// A table that begins at byte `at`.
    pub(super) fn new(title: &'t str, at: usize, table: &'t DeTable<'i>) -> Self {
        Self { title, at, table }
    }

    /// Reports every key that is none of the `known`.
    pub(super) fn refuse_unknown(self, known: &[&str], violations: &mut Violations) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = match nearest(name, known) {
                _ if NAMES_A_PROGRAM.contains(&name) => {
                    "a plan names no program: give --on-finish on the command line, or `command` under \
                     [finish] in your own configuration"
                        .to_owned()
                }
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("{} takes {}", self.title, enumerated(known)),
            };
            violations.add(
                key.span().start,
                format!("unknown key `{name}` in {}", self.title),
                hint,
            );
        }
    }

    /// Reports `key` is absent.
    pub(super) fn require(self, key: &str, hint: &str, violations: &mut Violations) {
        if self.value(key).is_none() {
            violations.add(self.at, format!("{} lacks `{key}`", self.title), hint);
        }
    }

    /// The byte at which `key` stands, where it is present.
    pub(super) fn place_of(self, key: &str) -> Option<usize> {
        self.table
            .get_key_value(key)
            .map(|(found, _)| found.span().start)
    }

    /// The value under `key`, of whatever type.
    pub(super) fn value(self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.table.get(key)
    }

    /// The keys and values in the order of the keys.
    pub(super) fn entries(
        self,
    ) -> impl Iterator<Item = (&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>)> {
        self.table.iter()
    }

    /// A text that is not empty.
    pub(super) fn text(self, key: &str, violations: &mut Violations) -> Option<Spanned<&'t str>> {
        let value = self.value(key)?;
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => {
                violations.add(
                    at,
                    format!("`{key}` is empty"),
                    format!("leave `{key}` out, or give it a value"),
                );
                None
            }
            DeValue::String(text) => Some(Spanned::new(value.span(), text.as_ref())),
            other => {
                let hint = match other {
                    DeValue::Integer(_)
                    | DeValue::Float(_)
                    | DeValue::Boolean(_)
                    | DeValue::Datetime(_) => "put it in quotes".to_owned(),
                    _ => format!("write `{key} = \"…\"`"),
                };
                violations.add(at, wrong_type(key, "a string", other), hint);
                None
            }
        }
    }

    /// A text that is a value.
    pub(super) fn text_that<T>(
        self,
        key: &str,
        violations: &mut Violations,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<Spanned<T>> {
        let text = self.text(key, violations)?;
        let at = text.span();
        match parse(text.into_inner()) {
            Ok(value) => Some(Spanned::new(at, value)),
            Err(invalid) => {
                violations.add_invalid(at.start, &invalid);
                None
            }
        }
    }

    /// Yes or no.
    pub(super) fn boolean(self, key: &str, violations: &mut Violations) -> Option<bool> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => {
                violations.add(
                    value.span().start,
                    wrong_type(key, "true or false", other),
                    format!("write `{key} = true` or `{key} = false`, without quotes"),
                );
                None
            }
        }
    }

    /// A whole number.
    pub(super) fn integer(self, key: &str, violations: &mut Violations) -> Option<Spanned<i64>> {
        let value = self.value(key)?;
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Integer(integer) => {
                let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                if number.is_none() {
                    violations.add(
                        at,
                        format!("`{key}` is beyond any number it could be"),
                        "give a smaller number",
                    );
                }
                number.map(|number| Spanned::new(value.span(), number))
            }
            other => {
                violations.add(
                    at,
                    wrong_type(key, "a whole number", other),
                    format!("write `{key} = 3600`, without quotes"),
                );
                None
            }
        }
    }

    /// A table below this one.
    pub(super) fn table(
        self,
        key: &'t str,
        title: &'t str,
        violations: &mut Violations,
    ) -> Option<Section<'t, 'i>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(title, value.span().start, table)),
            other => {
                violations.add(
                    value.span().start,
                    wrong_type(key, "a table", other),
                    format!("write it as {title}, with its keys below"),
                );
                None
            }
        }
    }
}

/// A sentence that says which type a key has and which it must have.
pub(super) fn wrong_type(key: &str, expected: &str, found: &DeValue<'_>) -> String {
    let article = match found.type_str() {
        "array" | "integer" => "an",
        _ => "a",
    };
    format!(
        "`{key}` must be {expected}, and is {article} {}",
        found.type_str()
    )
}

/// `a`, `b` and `c`, each in backquotes.
pub(super) fn enumerated(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

/// One of a few words, by name; the violation names the nearest one, or all.
pub(super) fn one_of<T: Copy>(
    section: Section<'_, '_>,
    key: &str,
    choices: &[(&str, T)],
    violations: &mut Violations,
) -> Option<Spanned<T>> {
    section.text_that(key, violations, |text| {
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(text, &words) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("it is one of {}", enumerated(&words)),
        };
        Err(InvalidValue {
            message: format!("`{text}` is no {key}"),
            hint,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_enumerated_with_and_before_the_last() {
        assert_eq!(enumerated(&["a"]), "`a`");
        assert_eq!(enumerated(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
