//! The path of an attribute that is masked: `address.street`, `cards[0].number`, `phones[*]`, and
//! `labels."a.b"` where a name holds a full stop, a bracket or a quote.

use std::fmt;
use std::str::FromStr;

use crate::job::value::InvalidValue;

/// The path of an attribute, from the top of its item; it begins with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskPath(Vec<MaskStep>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskStep {
    /// A member of a map.
    Name(String),
    /// An element of a list, from 0.
    Index(usize),
    /// Every element of a list; of a set, the set.
    Every,
}

/// "DynamoDB supports nested attributes up to 32 levels deep" (developer guide, quotas).
const MOST_STEPS: usize = 33;

impl MaskPath {
    /// The steps, the attribute's name first.
    pub fn steps(&self) -> std::slice::Iter<'_, MaskStep> {
        self.0.iter()
    }

    /// The name of the attribute that the path begins with.
    #[must_use]
    pub fn attribute(&self) -> &str {
        match self.0.first() {
            Some(MaskStep::Name(name)) => name,
            _ => "",
        }
    }

    /// Whether one of two paths leads to the other, or both to one value.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&MaskStep, &MaskStep)| match (one, other) {
            (MaskStep::Name(one), MaskStep::Name(other)) => one == other,
            (MaskStep::Index(one), MaskStep::Index(other)) => one == other,
            (MaskStep::Every | MaskStep::Index(_), MaskStep::Every)
            | (MaskStep::Every, MaskStep::Index(_)) => true,
            _ => false,
        };
        self.0.iter().zip(&other.0).all(is_same)
    }
}

impl fmt::Display for MaskPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                MaskStep::Name(name) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    if name.contains(is_special) {
                        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
                        write!(f, "\"{escaped}\"")?;
                    } else {
                        f.write_str(name)?;
                    }
                }
                MaskStep::Index(at) => write!(f, "[{at}]")?,
                MaskStep::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// What a name holds only in quotes.
fn is_special(c: char) -> bool {
    matches!(c, '.' | '[' | ']' | '"' | '\\')
}

impl FromStr for MaskPath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem: &str| InvalidValue {
            message: format!("`{text}` is no path of an attribute: {problem}"),
            hint:
                "write names between full stops, list elements in brackets, and names with other \
                   signs in quotes: address.street, phones[*], cards[0].number, labels.\"a.b\""
                    .to_owned(),
        };
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (name, behind) = name(rest).map_err(invalid)?;
            steps.push(MaskStep::Name(name));
            rest = behind;
            while let Some(behind) = rest.strip_prefix('[') {
                let (inner, behind) = behind
                    .split_once(']')
                    .ok_or_else(|| invalid("a bracket is not closed"))?;
                steps.push(
                    element(inner).ok_or_else(|| {
                        invalid("in brackets stands the number of an element, or *")
                    })?,
                );
                rest = behind;
            }
            match rest.strip_prefix('.') {
                Some(behind) => rest = behind,
                None if rest.is_empty() => break,
                None => return Err(invalid("a full stop or a bracket must follow")),
            }
        }
        if steps.len() > MOST_STEPS {
            return Err(invalid("attributes are nested at most 32 levels deep"));
        }
        Ok(Self(steps))
    }
}

/// The name that a text begins with, and what follows it.
fn name(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(is_special).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return if name.is_empty() {
            Err("a name is missing")
        } else {
            Ok((name.to_owned(), rest))
        };
    };
    let mut name = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if name.is_empty() => return Err("a name is empty"),
            '"' => return Ok((name, quoted.get(at + 1..).unwrap_or_default())),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => name.push(escaped),
                _ => return Err("a backslash in quotes stands before a quote or a backslash"),
            },
            other => name.push(other),
        }
    }
    Err("a quote is not closed")
}

fn element(inner: &str) -> Option<MaskStep> {
    if inner == "*" {
        return Some(MaskStep::Every);
    }
    let is_number = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
    let index = inner.parse().ok().filter(|_| is_number);
    index.map(MaskStep::Index)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn path(text: &str) -> MaskPath {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("email")]
    #[case("a.b[0].c")]
    #[case("phones[*]")]
    #[case("m[0][*].x")]
    #[case("first name.x-y_z")]
    #[case(r#"labels."a.b".c"#)]
    #[case(r#""say \"no\" to \\"[1]"#)]
    #[case("straße.größe")]
    fn a_path_is_written_as_it_is_read(#[case] text: &str) {
        assert_eq!(path(text).to_string(), text);
    }

    #[test]
    fn quotes_are_needed_only_by_names_with_signs_of_the_grammar() {
        assert_eq!(path(r#""email"."x""#), path("email.x"));
        let steps: Vec<MaskStep> = path(r#""a.b"[2]"#).steps().cloned().collect();
        assert_eq!(
            steps,
            [MaskStep::Name("a.b".to_owned()), MaskStep::Index(2)]
        );
        assert_eq!(path(r#""a.b"[2]"#).attribute(), "a.b");
    }

    #[rstest]
    #[case("", "a name is missing")]
    #[case("a..b", "a name is missing")]
    #[case("a.", "a name is missing")]
    #[case("[0]", "a name is missing")]
    #[case("a[", "a bracket is not closed")]
    #[case("a[]", "the number of an element, or *")]
    #[case("a[-1]", "the number of an element, or *")]
    #[case("a[+1]", "the number of an element, or *")]
    #[case("a[99999999999999999999]", "the number of an element, or *")]
    #[case("a[0]b", "a full stop or a bracket must follow")]
    #[case("a]", "a full stop or a bracket must follow")]
    #[case(r#"a"b""#, "a full stop or a bracket must follow")]
    #[case(r#""a"#, "a quote is not closed")]
    #[case(r#""""#, "a name is empty")]
    #[case(r#""a\n""#, "a backslash in quotes")]
    fn what_is_no_path_is_refused_with_the_reason(#[case] text: &str, #[case] why: &str) {
        let error = text.parse::<MaskPath>().unwrap_err();
        assert!(error.message.contains(why), "{}", error.message);
    }

    #[rstest]
    #[case("a", "a", true)]
    #[case("a", "a.b", true)]
    #[case("a[*]", "a[3].x", true)]
    #[case("a[*].x", "a[0].x", true)]
    #[case("a[*].x", "a[0].y", false)]
    #[case("a[0]", "a[1]", false)]
    #[case("a.b", "a.c", false)]
    #[case("a.b", "a[0]", false)]
    #[case("a", "b", false)]
    fn paths_meet_where_one_leads_to_the_other(
        #[case] one: &str,
        #[case] other: &str,
        #[case] do_meet: bool,
    ) {
        assert_eq!(path(one).meets(&path(other)), do_meet);
        assert_eq!(path(other).meets(&path(one)), do_meet);
    }
}
