//! Facts as a file: how they are written, and what is refused when they are read.

mod v1;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AccountFacts, BucketFacts, Facts, KeyFacts, ObservedCall, PastExport, PrincipalFacts,
    RecentChange, SurveyedFor, TableFacts,
};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// The version of the format that is written. Version 1, which held one bucket and two sides, is read.
pub const VERSION: u32 = 2;

/// Why a text holds no facts.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// It is not what [`Facts::to_json`] writes.
    #[error("this is no file of facts: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A later tableferry wrote it.
    #[error("the facts have version {0}, and this tableferry reads versions 1 to {VERSION}")]
    Version(u32),
    /// It has a field that facts do not have: passed over, what it says would count as not read.
    #[error("facts of version {version} have no field `{path}`")]
    UnknownField {
        /// The version that the file says that it has.
        version: u32,
        /// Where the field stands.
        path: String,
    },
}

/// Facts as a file has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    version: u32,
    surveyed_at: Timestamp,
    #[serde(default)]
    surveyed_for: Option<SurveyedFor>,
    sides: Sides,
    principals: BTreeMap<Arn, PrincipalFacts>,
    #[serde(default)]
    accounts: BTreeMap<AccountId, AccountFacts>,
    #[serde(default)]
    buckets: BTreeMap<BucketName, BucketFacts>,
    #[serde(default)]
    keys: BTreeMap<String, KeyFacts>,
    #[serde(default)]
    tables: BTreeMap<Arn, TableFacts>,
    #[serde(default)]
    tried: Vec<ObservedCall>,
    #[serde(default)]
    changes: Vec<RecentChange>,
    #[serde(default)]
    exports: Vec<PastExport>,
}

/// Which of the principals is on which side of the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sides {
    source: Arn,
    #[serde(default)]
    destination: Option<Arn>,
}

/// A side of facts names a principal that is not among them.
#[derive(Debug, thiserror::Error)]
#[error("a side is {0}, of which the facts hold nothing")]
pub(super) struct MissingSide(Arn);

impl TryFrom<Stored> for Facts {
    type Error = MissingSide;

    fn try_from(mut stored: Stored) -> Result<Self, MissingSide> {
        let Sides {
            source,
            destination,
        } = stored.sides;
        let Some(principal) = stored.principals.remove(&source) else {
            return Err(MissingSide(source));
        };
        let is_known = |arn: &Arn| *arn == source || stored.principals.contains_key(arn);
        if let Some(missing) = destination.as_ref().filter(|arn| !is_known(arn)) {
            return Err(MissingSide(missing.clone()));
        }
        Ok(Self {
            surveyed_at: stored.surveyed_at,
            surveyed_for: stored.surveyed_for,
            source: principal,
            others: stored.principals,
            destination,
            accounts: stored.accounts,
            buckets: stored.buckets,
            keys: stored.keys,
            tables: stored.tables,
            tried: stored.tried,
            changes: stored.changes,
            exports: stored.exports,
        })
    }
}

impl From<Facts> for Stored {
    fn from(facts: Facts) -> Self {
        let source = facts.source.caller.arn.clone();
        let mut principals = facts.others;
        principals.insert(source.clone(), facts.source);
        Self {
            version: VERSION,
            surveyed_at: facts.surveyed_at,
            surveyed_for: facts.surveyed_for,
            sides: Sides {
                source,
                destination: facts.destination,
            },
            principals,
            accounts: facts.accounts,
            buckets: facts.buckets,
            keys: facts.keys,
            tables: facts.tables,
            tried: facts.tried,
            changes: facts.changes,
            exports: facts.exports,
        }
    }
}

impl Facts {
    /// Reads facts from a file's text.
    ///
    /// A field that is not known is refused, wherever it stands: later fields come with a later
    /// version.
    pub fn from_json(text: &str) -> Result<Self, FactsError> {
        #[derive(Deserialize)]
        struct FileHead {
            version: u32,
        }
        let FileHead { version } = serde_json::from_str(text)?;
        // Serde's own refusal knows no path, and does not reach into variants without fields. Every
        // field that was understood is written again, so what is not was not understood.
        let (facts, known) = match version {
            1 => {
                let stored: v1::FactsV1 = serde_json::from_str(text)?;
                let known = serde_json::to_value(&stored)?;
                (stored.into(), known)
            }
            VERSION => {
                let facts: Self = serde_json::from_str(text)?;
                let known = serde_json::to_value(&facts)?;
                (facts, known)
            }
            later => return Err(FactsError::Version(later)),
        };
        match unknown_field(&serde_json::from_str(text)?, &known) {
            Some(path) => Err(FactsError::UnknownField { version, path }),
            None => Ok(facts),
        }
    }

    /// The facts as a file's text, with a line end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// What such a file tells anyone who reads it, to be said when one is written.
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
    use crate::assess::tests::world::{KEY, TABLE, facts, known};
    use crate::job::requirement::Actor;

    const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat";

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
        facts.retain_keys(|_| false);
        facts.put_key(key);
        facts.account_of_mut(Actor::Exporter).in_flight = Fact::UNASKED;
        serde_json::to_value(&facts).unwrap()
    }

    #[rstest]
    #[case("", "polcy", "polcy")]
    #[case("/buckets/export-landing", "polcy", "buckets.export-landing.polcy")]
    #[case(
        "/buckets/export-landing/policy",
        "values",
        "buckets.export-landing.policy.values"
    )]
    #[case(
        "/accounts/111111111111/in_flight",
        "value",
        "accounts.111111111111.in_flight.value"
    )]
    #[case("/principals/SOURCE/caller", "name", "principals.SOURCE.caller.name")]
    #[case("/tables/TABLE", "polcy", "tables.TABLE.polcy")]
    #[case(
        "/keys/KEY/grants/value/0",
        "constraints",
        "keys.KEY.grants.value[0].constraints"
    )]
    fn a_field_that_facts_do_not_have_is_refused_by_its_path(
        #[case] within: &str,
        #[case] name: &str,
        #[case] path: &str,
    ) {
        let mut text = full();
        Facts::from_json(&text.to_string()).unwrap();
        let written = |text: &str, slash: &str| {
            [("SOURCE", SESSION), ("TABLE", TABLE), ("KEY", KEY)]
                .iter()
                .fold(text.to_owned(), |text, (short, arn)| {
                    text.replace(short, &arn.replace('/', slash))
                })
        };
        let path = written(path, "/");
        let object = text
            .pointer_mut(&written(within, "~1"))
            .unwrap()
            .as_object_mut()
            .unwrap();
        object.insert(name.to_owned(), Value::from("x"));
        let error = Facts::from_json(&text.to_string()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("facts of version 2 have no field `{path}`")
        );
    }

    #[test]
    fn what_is_written_is_read_back_whole() {
        let facts = facts();
        let text = facts.to_json().unwrap();
        assert_eq!(Facts::from_json(&text).unwrap(), facts);
    }

    #[rstest]
    #[case("source")]
    #[case("destination")]
    fn a_side_whose_principal_is_missing_is_refused(#[case] side: &str) {
        let mut text = full();
        text["sides"][side] = Value::from("arn:aws:iam::111111111111:user/sam");
        let error = Facts::from_json(&text.to_string()).unwrap_err();
        assert!(error.to_string().contains("user/sam"), "{error}");
    }

    #[test]
    fn facts_without_the_fields_that_came_later_are_read() {
        let mut text = full();
        text.as_object_mut().unwrap().remove("surveyed_for");
        let facts = Facts::from_json(&text.to_string()).unwrap();
        assert_eq!(facts.surveyed_for, None);
    }
}
