//! Facts as a file: how they are written, and what is refused when they are read.

use serde::Deserialize;
use serde_json::Value;

use super::{Facts, VERSION};

/// Why a text holds no facts.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// It is not what [`Facts::to_json`] writes.
    #[error("this is no file of facts: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A later tableferry wrote it.
    #[error("the facts have version {0}, and this tableferry reads version {VERSION}")]
    Version(u32),
    /// It has a field that facts do not have: passed over, what it says would count as not read.
    #[error("facts of version {VERSION} have no field `{0}`")]
    UnknownField(String),
}

impl Facts {
    /// Reads facts from a file's text.
    ///
    /// A field that is not known is refused, wherever it stands: later fields come with a later
    /// version.
    pub fn from_json(text: &str) -> Result<Self, FactsError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.version != VERSION {
            return Err(FactsError::Version(head.version));
        }
        let facts: Self = serde_json::from_str(text)?;
        // Serde's own refusal knows no path, and does not reach into variants without fields. Every
        // field that was understood is written again, so what is not was not understood.
        let given: Value = serde_json::from_str(text)?;
        match unknown_field(&given, &serde_json::to_value(&facts)?) {
            Some(path) => Err(FactsError::UnknownField(path)),
            None => Ok(facts),
        }
    }

    /// The facts as a file's text, with a line end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// What such a file tells whoever reads it, to be said when one is written.
    #[must_use]
    pub const fn reveals() -> &'static str {
        "The file holds no credential. It does reveal account ids, names of profiles, roles, tables, \
         buckets and keys, and the full text of the policies that were read."
    }
}

/// The path of the first field that `given` has and `known` has not, such as `bucket.policy.value`.
fn unknown_field(given: &Value, known: &Value) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(name, value)| {
            let Some(known) = known.get(name) else {
                return Some(name.clone());
            };
            let below = unknown_field(value, known)?;
            let dot = if below.starts_with('[') { "" } else { "." };
            Some(format!("{name}{dot}{below}"))
        }),
        (Value::Array(given), Value::Array(known)) => {
            given
                .iter()
                .zip(known)
                .enumerate()
                .find_map(|(index, (given, known))| {
                    let below = unknown_field(given, known)?;
                    let dot = if below.starts_with('[') { "" } else { "." };
                    Some(format!("[{index}]{dot}{below}"))
                })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::assess::facts::{Fact, GrantFacts, KeyFacts};
    use crate::assess::tests::world::{KEY, facts, known};

    /// Facts that have something at every place that is looked into below.
    fn full() -> Value {
        let mut facts = facts();
        let mut key = KeyFacts::new(KEY);
        key.grants = known(vec![GrantFacts {
            id: "g".to_owned(),
            grantee: "x".to_owned(),
            operations: Vec::new(),
            context_subset: [("a".to_owned(), "b".to_owned())].into(),
            context_equals: None,
            source_arn: None,
        }]);
        facts.keys = vec![key];
        facts.in_flight = Fact::UNASKED;
        serde_json::to_value(&facts).unwrap()
    }

    #[rstest]
    #[case("", "polcy", "polcy")]
    #[case("/bucket", "polcy", "bucket.polcy")]
    #[case("/bucket/policy", "values", "bucket.policy.values")]
    #[case("/in_flight", "value", "in_flight.value")]
    #[case("/source/caller", "name", "source.caller.name")]
    #[case("/tables/0", "polcy", "tables[0].polcy")]
    #[case(
        "/keys/0/grants/value/0",
        "constraints",
        "keys[0].grants.value[0].constraints"
    )]
    fn a_field_that_facts_do_not_have_is_refused_by_its_path(
        #[case] within: &str,
        #[case] name: &str,
        #[case] path: &str,
    ) {
        let mut text = full();
        Facts::from_json(&text.to_string()).unwrap();
        let object = text.pointer_mut(within).unwrap().as_object_mut().unwrap();
        object.insert(name.to_owned(), Value::from("x"));
        let error = Facts::from_json(&text.to_string()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("facts of version 1 have no field `{path}`")
        );
    }

    #[test]
    fn facts_without_the_fields_that_came_later_are_read() {
        let mut text = full();
        text.as_object_mut().unwrap().remove("surveyed_for");
        let facts = Facts::from_json(&text.to_string()).unwrap();
        assert_eq!(facts.surveyed_for, None);
    }
}
