//! How the things that nobody knows combine: what must be right for a request to be allowed.

use std::fmt;

use serde::Serialize;

/// What an answer depends on; as JSON a string, or an object with `any_of` or `all_of`. A Deny with two conditions hits where both hold, so that either of them
/// exempts the request: *any of*. Two Denies must both be exempt: *all of*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Dependency {
    /// A context key, or in a few words something else that nobody can tell.
    On(String),
    /// Any one of them suffices.
    AnyOf {
        /// These.
        any_of: Vec<Self>,
    },
    /// All of them must be right.
    AllOf {
        /// These.
        all_of: Vec<Self>,
    },
}

impl Dependency {
    /// On one thing, said in words.
    pub fn on(what: impl Into<String>) -> Self {
        Self::On(what.into())
    }

    /// Any of these sets, of each of which all must be right.
    pub(crate) fn any_of_sets(sets: impl IntoIterator<Item = Vec<String>>) -> Self {
        let sets = sets.into_iter().map(|set| {
            let all = set.into_iter().map(Self::On).collect();
            Self::flattened(all, |all_of| Self::AllOf { all_of })
        });
        Self::flattened(sets.collect(), |any_of| Self::AnyOf { any_of })
    }

    fn flattened(mut all: Vec<Self>, combine: fn(Vec<Self>) -> Self) -> Self {
        match all.pop() {
            Some(only) if all.is_empty() => only,
            Some(last) => {
                all.push(last);
                combine(all)
            }
            None => combine(all),
        }
    }

    /// Everything that it names, each once, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect(&mut names);
        names
    }

    fn collect<'d>(&'d self, names: &mut Vec<&'d str>) {
        match self {
            Self::On(name) => {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
            Self::AnyOf { any_of: parts } | Self::AllOf { all_of: parts } => {
                for part in parts {
                    part.collect(names);
                }
            }
        }
    }
}

/// "A or B", "A and B"; a part that combines otherwise stands in brackets.
impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, between) = match self {
            Self::On(name) => return f.write_str(name),
            Self::AnyOf { any_of } => (any_of, " or "),
            Self::AllOf { all_of } => (all_of, " and "),
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(between)?;
            }
            match part {
                Self::On(name) => f.write_str(name)?,
                combined => write!(f, "({combined})")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sets: &[&[&str]]) -> Dependency {
        let owned = |set: &&[&str]| set.iter().map(|key| (*key).to_owned()).collect();
        Dependency::any_of_sets(sets.iter().map(owned).collect::<Vec<Vec<String>>>())
    }

    #[test]
    fn a_dependency_is_said_with_and_and_or() {
        assert_eq!(of(&[&["A"]]).to_string(), "A");
        assert_eq!(of(&[&["A"], &["B"]]).to_string(), "A or B");
        assert_eq!(of(&[&["A", "B"]]).to_string(), "A and B");
        let mixed = of(&[&["A", "B"], &["C"]]);
        assert_eq!(mixed.to_string(), "(A and B) or C");
        assert_eq!(mixed.names(), ["A", "B", "C"]);
        let json = r#"{"any_of":[{"all_of":["A","B"]},"C"]}"#;
        assert_eq!(serde_json::to_string(&mixed).unwrap(), json);
    }
}
