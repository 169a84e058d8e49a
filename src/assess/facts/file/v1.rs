//! Facts of version 1, which held one export's two sides, its bucket, keys and tables: how they are
//! read into the store.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assess::facts::{
    AccountFacts, BucketFacts, ControlLevel, Fact, Facts, GrantFacts, InFlight, KeyDescription,
    KeyFacts, ObservedCall, Organization, PastExport, PrincipalFacts, PublicAccessBlock,
    RecentChange, SurveyedFor, TableFacts,
};
use tableferry_policy::arn::BucketName;
use tableferry_policy::policy::Policy;

/// Facts as a file of version 1 has them.
#[derive(Serialize, Deserialize)]
pub(super) struct FactsV1 {
    version: u32,
    surveyed_at: Timestamp,
    #[serde(default)]
    surveyed_for: Option<SurveyedFor>,
    source: SideV1,
    #[serde(default)]
    destination: Option<SideV1>,
    #[serde(default)]
    tables: Vec<TableFacts>,
    #[serde(default)]
    in_flight: Fact<InFlight>,
    bucket: BucketV1,
    #[serde(default)]
    keys: Vec<KeyV1>,
    #[serde(default)]
    tried: Vec<ObservedCall>,
    #[serde(default)]
    changes: Vec<RecentChange>,
    #[serde(default)]
    exports: Vec<PastExport>,
}

/// A principal, with what is its account's.
#[derive(Serialize, Deserialize)]
struct SideV1 {
    #[serde(flatten)]
    principal: PrincipalFacts,
    #[serde(default)]
    organization: Fact<Organization>,
    #[serde(default)]
    service_control: Fact<Vec<ControlLevel>>,
    #[serde(default)]
    resource_control: Fact<Vec<ControlLevel>>,
}

/// The bucket, with what is its account's.
#[derive(Serialize, Deserialize)]
struct BucketV1 {
    name: BucketName,
    #[serde(flatten)]
    facts: BucketFacts,
    #[serde(default)]
    account_public_access: Fact<PublicAccessBlock>,
    #[serde(default)]
    organization_public_access: Fact<PublicAccessBlock>,
}

/// A key by the one name that it was asked for by, with what is its account's.
#[derive(Serialize, Deserialize)]
struct KeyV1 {
    asked: String,
    #[serde(default)]
    description: Fact<KeyDescription>,
    #[serde(default)]
    policy: Fact<Policy>,
    #[serde(default)]
    grants: Fact<Vec<GrantFacts>>,
    #[serde(default)]
    resource_control: Fact<Vec<ControlLevel>>,
}

impl From<FactsV1> for Facts {
    fn from(stored: FactsV1) -> Self {
        let source = stored.source.principal.clone();
        let mut facts = Self::new(source, stored.surveyed_at);
        facts.surveyed_for = stored.surveyed_for;
        stored.source.put_account(&mut facts);
        if let Some(side) = stored.destination {
            facts.set_destination(Some(side.principal.clone()));
            side.put_account(&mut facts);
        }
        let account = facts.source().caller.account.clone();
        facts.account_mut(&account).in_flight = stored.in_flight;
        stored.bucket.put_into(&mut facts);
        for table in stored.tables {
            facts.put_table(table);
        }
        for key in stored.keys {
            key.put_into(&mut facts);
        }
        facts.tried = stored.tried;
        facts.changes = stored.changes;
        facts.exports = stored.exports;
        facts
    }
}

impl SideV1 {
    /// Of two sides of one account, the first counts, and the second fills in.
    fn put_account(self, facts: &mut Facts) {
        facts
            .account_mut(&self.principal.caller.account)
            .fill(AccountFacts {
                organization: self.organization,
                service_control: self.service_control,
                resource_control: self.resource_control,
                ..AccountFacts::UNREAD
            });
    }
}

impl BucketV1 {
    fn put_into(self, facts: &mut Facts) {
        let reader = facts.destination().unwrap_or_else(|| facts.source());
        let owner = self.facts.owner.value();
        let account = owner.unwrap_or(&reader.caller.account).clone();
        *facts.bucket_mut(&self.name) = self.facts;
        let account = facts.account_mut(&account);
        account.public_access = self.account_public_access;
        account.organization_public_access = self.organization_public_access;
    }
}

impl KeyV1 {
    fn put_into(self, facts: &mut Facts) {
        let key = KeyFacts {
            names: BTreeSet::from([self.asked]),
            description: self.description,
            policy: self.policy,
            grants: self.grants,
        };
        if let Some(account) = key.arn().and_then(|arn| arn.account_id()) {
            let known = &mut facts.account_mut(&account).resource_control;
            known.fill_or_explain(self.resource_control);
        }
        facts.put_key(key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::job::requirement::Actor;

    const KEY: &str = "arn:aws:kms:eu-west-1:333333333333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn known(value: &Value) -> Value {
        json!({
            "state": "known",
            "value": value,
            "read_at": "2026-11-22T12:00:00Z",
            "source": "test",
        })
    }

    fn side(arn: &str, account: &str, organization: &str) -> Value {
        json!({
            "caller": { "arn": arn, "account": account, "user_id": "AIDAEXAMPLEEXAMPLE001" },
            "region": "eu-west-1",
            "organization": known(&json!({
                "id": organization,
                "management_account": "999999999999",
            })),
            "service_control": { "state": "refused", "permission": "p", "detail": "Code: words" },
        })
    }

    /// Facts in the form of version 1, written by hand.
    fn text() -> Value {
        let levels = json!([{ "target": "r-root", "policies": [] }]);
        json!({
            "version": 1,
            "surveyed_at": "2026-11-22T12:00:00Z",
            "source": side("arn:aws:iam::111111111111:user/pat", "111111111111", "o-source"),
            "destination": side("arn:aws:iam::222222222222:user/sam", "222222222222", "o-other"),
            "bucket": {
                "name": "export-landing",
                "owner": known(&json!("222222222222")),
                "account_public_access": known(&json!({ "restrict_public_buckets": true })),
            },
            "in_flight": known(&json!({ "count": 3 })),
            "tables": [{ "asked": "Orders" }],
            "keys": [{ "asked": KEY, "resource_control": known(&levels) }],
        })
    }

    #[test]
    fn what_version_1_held_of_sides_and_bucket_is_of_their_accounts() {
        let facts = Facts::from_json(&text().to_string()).unwrap();
        assert_eq!(facts.source().caller.account.as_str(), "111111111111");
        let destination = facts.destination().unwrap();
        assert_eq!(destination.caller.account.as_str(), "222222222222");
        let source = facts.account_of(Actor::Exporter);
        assert_eq!(source.organization.value().unwrap().id, "o-source");
        assert_eq!(source.in_flight.value().unwrap().count, 3);
        let error = source.service_control.error().unwrap();
        assert_eq!(error.words(), "Code: words");
        let owner = facts.account_of(Actor::Reader);
        assert_eq!(owner.organization.value().unwrap().id, "o-other");
        let block = owner.public_access.value().unwrap();
        assert!(block.restrict_public_buckets);
        let third = facts.account(&"333333333333".parse().unwrap());
        assert!(third.resource_control.is_settled());
    }

    #[test]
    fn what_version_1_held_by_name_is_found_by_it() {
        let facts = Facts::from_json(&text().to_string()).unwrap();
        let bucket = facts.bucket(&"export-landing".parse().unwrap());
        assert_eq!(bucket.owner.value().unwrap().as_str(), "222222222222");
        let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
        assert!(facts.table("Orders").is_some() && facts.table(table).is_some());
        assert!(facts.key(KEY).is_some());
    }

    #[test]
    fn a_field_that_version_1_does_not_have_is_refused() {
        for (within, path) in [("/bucket", "bucket.polcy"), ("/keys/0", "keys[0].polcy")] {
            let mut text = text();
            let object = text.pointer_mut(within).unwrap().as_object_mut().unwrap();
            object.insert("polcy".to_owned(), Value::from("x"));
            let error = Facts::from_json(&text.to_string()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("facts of version 1 have no field `{path}`")
            );
        }
    }
}
