//! What stands in an expression: its placeholders and its operators.
//!
//! This is no parser of the expression language, whose last word DynamoDB has. It sees words,
//! signs and placeholders, which is enough to count and to compare.

use std::collections::BTreeSet;

/// An expression and what stands in it.
#[derive(Debug)]
pub(super) struct Expression<'a> {
    /// The expression.
    pub(super) text: &'a str,
    /// The placeholders, each with its `#` or `:`.
    pub(super) placeholders: BTreeSet<&'a str>,
    /// How many comparisons, logical operators and functions it has.
    pub(super) operators: usize,
    words: BTreeSet<String>,
}

impl<'a> Expression<'a> {
    /// Reads an expression.
    pub(super) fn scan(text: &'a str) -> Self {
        let mut expression = Self {
            text,
            placeholders: BTreeSet::new(),
            operators: 0,
            words: BTreeSet::new(),
        };
        let mut rest = text;
        let mut open_betweens = 0_usize;
        while let Some(first) = rest.chars().next() {
            let length = token_length(rest, first);
            let (token, after) = rest.split_at(length);
            rest = after;
            if matches!(first, '#' | ':') {
                expression.placeholders.insert(token);
            } else if "=<>".contains(first) {
                expression.note(token);
            } else if is_word(first) && !token.starts_with(|c: char| c.is_ascii_digit()) {
                expression.note_word(token, rest, &mut open_betweens);
            }
        }
        expression
    }

    /// Whether an operator, in capitals, stands in it.
    pub(super) fn has(&self, operator: &str) -> bool {
        self.words.contains(operator)
    }

    fn note(&mut self, operator: &str) {
        self.operators += 1;
        self.words.insert(operator.to_owned());
    }

    fn note_word(&mut self, word: &str, rest: &str, open_betweens: &mut usize) {
        let upper = word.to_ascii_uppercase();
        match upper.as_str() {
            // The AND of `a BETWEEN x AND y` is part of that one operator.
            "AND" if *open_betweens > 0 => *open_betweens -= 1,
            "AND" | "OR" | "NOT" | "IN" => self.note(&upper),
            "BETWEEN" => {
                *open_betweens += 1;
                self.note(&upper);
            }
            _ if rest.trim_start().starts_with('(') => self.note(word),
            _ => {}
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length in bytes of the token that `text` begins with.
fn token_length(text: &str, first: char) -> usize {
    let end_of = |belongs: fn(char) -> bool| {
        let rest = text.get(first.len_utf8()..).unwrap_or_default();
        first.len_utf8() + rest.find(|c| !belongs(c)).unwrap_or(rest.len())
    };
    match first {
        '#' | ':' => end_of(is_word),
        '<' | '>' => end_of(|c| matches!(c, '=' | '>')),
        _ if is_word(first) => end_of(is_word),
        _ => first.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_seen_wherever_they_stand() {
        let scan = Expression::scan("#a.#b[0] = :v AND contains(#c,:w) and not begins_with(d, :v)");
        let placeholders: Vec<&str> = scan.placeholders.into_iter().collect();
        assert_eq!(placeholders, ["#a", "#b", "#c", ":v", ":w"]);
    }

    #[test]
    fn operators_and_functions_are_counted() {
        // =, AND, contains, AND, NOT, begins_with
        let scan = Expression::scan("a = :v AND contains(b,:w) AND NOT begins_with (d, :v)");
        assert_eq!(scan.operators, 6);
        assert!(scan.has("NOT") && scan.has("=") && !scan.has("OR"));
    }

    #[test]
    fn the_and_of_a_between_is_no_operator_of_its_own() {
        // BETWEEN, AND, <>
        let scan = Expression::scan("a BETWEEN :x AND :y AND b <> :z");
        assert_eq!(scan.operators, 3);
    }

    #[test]
    fn a_list_of_attributes_has_no_operators() {
        assert_eq!(Expression::scan("a, b.c, d[0].e, #f").operators, 0);
    }

    #[test]
    fn odd_texts_are_scanned_to_their_end() {
        for text in ["", "#", ":::", "é=:ü", "<><=>", "[[[", "\u{0}"] {
            let _ = Expression::scan(text);
        }
    }
}
