//! What the names of attributes are called in a table of Athena.
//!
//! Columns and fields there have no upper case, and hold letters, digits and underscores. Where names of one
//! map differ in case only, the `OpenX` `SerDe` must keep case; a name that is not such a name is then mapped
//! (Athena user guide, `OpenX` JSON `SerDe`; the `SerDe` looks a mapping up by the field's name at any depth).

use std::collections::{BTreeMap, BTreeSet};

/// The names of a table, each with what stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    /// Whether case counts.
    pub(super) is_case_sensitive: bool,
    aliases: BTreeMap<String, String>,
}

/// Whether names that stand side by side differ in case only.
pub(super) fn have_case_twins<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let mut seen = BTreeSet::new();
    names.map(str::to_lowercase).any(|name| !seen.insert(name))
}

impl Names {
    /// Aliases for all of these names.
    pub(super) fn new(names: &BTreeSet<&str>, is_case_sensitive: bool) -> Self {
        let key = |name: &str| {
            if is_case_sensitive {
                name.to_owned()
            } else {
                name.to_lowercase()
            }
        };
        let keys: BTreeSet<String> = names.iter().map(|name| key(name)).collect();
        let mut aliases = BTreeMap::new();
        // What is plain keeps its name, whatever else would like to have it.
        let mut taken: BTreeSet<String> =
            keys.iter().filter(|key| is_plain(key)).cloned().collect();
        for key in &keys {
            let alias = if is_plain(key) {
                key.clone()
            } else {
                let wanted = plain_form(key);
                let mut alias = wanted.clone();
                let mut number = 2;
                while !taken.insert(alias.clone()) {
                    alias = format!("{wanted}_{number}");
                    number += 1;
                }
                alias
            };
            aliases.insert(key.clone(), alias);
        }
        Self {
            is_case_sensitive,
            aliases,
        }
    }

    /// Names for a reader that takes them as they are, in whichever case.
    pub(super) fn unmapped(names: &BTreeSet<&str>) -> Self {
        let aliases = names
            .iter()
            .map(|name| (name.to_lowercase(), name.to_lowercase()));
        Self {
            is_case_sensitive: false,
            aliases: aliases.collect(),
        }
    }

    /// What stands for a name.
    pub(super) fn alias<'s>(&'s self, name: &'s str) -> &'s str {
        let found = if self.is_case_sensitive {
            self.aliases.get(name)
        } else {
            self.aliases.get(&name.to_lowercase())
        };
        found.map_or(name, String::as_str)
    }

    /// The names that are not their own alias, as the `SerDe` sees them, by their alias.
    pub(super) fn mappings(&self) -> impl Iterator<Item = (&str, &str)> {
        let aliases = self.aliases.iter();
        aliases
            .filter(|(name, alias)| name != alias)
            .map(|(name, alias)| (alias.as_str(), name.as_str()))
    }

    /// Whether a name holds a dot.
    pub(super) fn have_dots(&self) -> bool {
        self.aliases.keys().any(|name| name.contains('.'))
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn plain_form(name: &str) -> String {
    let form: String = name
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '_'
            }
        })
        .collect();
    if form.is_empty() {
        "_".to_owned()
    } else {
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_only_get_a_name_each() {
        let names = BTreeSet::from(["url", "Url", "URL", "id"]);
        assert!(have_case_twins(names.iter().copied()));
        let names = Names::new(&names, true);
        let aliases: BTreeSet<&str> = ["url", "Url", "URL", "id"]
            .map(|name| names.alias(name))
            .into();
        assert_eq!(aliases, BTreeSet::from(["url", "url_2", "url_3", "id"]));
        assert_eq!(names.alias("url"), "url");
        let mapped: BTreeSet<&str> = names.mappings().map(|(_, name)| name).collect();
        assert_eq!(mapped, BTreeSet::from(["Url", "URL"]));
    }

    #[test]
    fn a_name_with_a_dot_or_a_sign_is_mapped() {
        let names = Names::new(
            &BTreeSet::from(["a.b", "a_b", "x-y", "Total", "größe"]),
            false,
        );
        assert_eq!(names.alias("a_b"), "a_b");
        assert_eq!(names.alias("a.b"), "a_b_2");
        assert_eq!(names.alias("x-y"), "x_y");
        assert_eq!(names.alias("Total"), "total");
        assert_eq!(names.alias("größe"), "gr__e");
        assert!(names.have_dots());
        let mapped: Vec<_> = names.mappings().collect();
        assert_eq!(
            mapped,
            [("a_b_2", "a.b"), ("gr__e", "größe"), ("x_y", "x-y")]
        );
    }
}
