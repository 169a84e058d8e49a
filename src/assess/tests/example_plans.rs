//! The example plans in the world of the sandbox, where how each of them ends is known.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::facts::{
    BucketFacts, ControlLevel, DefaultEncryption, Facts, KeyManager, Recovery, TableDescription,
    TableFacts,
};
use crate::assess::judge::judge;
use crate::assess::remedy::{GrantOptions, remedies};
use crate::assess::verdict::{AssessedRequirement, Overall, Verdict, overall};
use crate::job::requirement::{Actor, Criticality};
use crate::job::{Plan, TableStatus};

fn asset(name: &str) -> String {
    let path = format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything that the plan's two administrators could read in the sandbox's first world.
fn survey(plan: &Plan) -> Facts {
    let world: Value = serde_json::from_str(&asset("../crates/sandbox/assets/world.json")).unwrap();
    let managed = |arn: &str| inline(arn, &world["managed_policies"][arn]["Statement"]);
    let mut facts = facts();
    let rights = if plan.source.sign_in.profile == "prod-reader" {
        facts.source_mut().caller.arn = "arn:aws:iam::111111111111:user/prod-reader"
            .parse()
            .unwrap();
        facts.source_mut().role = absent();
        "arn:aws:iam::111111111111:policy/TableReader"
    } else {
        "arn:aws:iam::111111111111:policy/ExportToDevelopment"
    };
    facts.source_mut().identity_policies = known(vec![managed(rights)]);
    let level = |kind: &str| {
        known(vec![ControlLevel {
            target: "r-ferry".to_owned(),
            policies: vec![managed(world["organization"][kind][0].as_str().unwrap())],
            unread: Vec::new(),
        }])
    };
    facts.account_of_mut(Actor::Exporter).service_control = level("service_control");
    facts.account_of_mut(Actor::Exporter).resource_control = level("resource_control");
    facts.account_of_mut(Actor::Reader).resource_control = level("resource_control");
    *facts.bucket_mut(&plan.destination.bucket) =
        bucket(&world["buckets"][plan.destination.bucket.as_str()]);
    facts.retain_tables(|_| false);
    for job in &plan.tables {
        let tables = &world["accounts"]["111111111111"]["tables"];
        facts.put_table(table(job.table.name(), tables));
    }
    let keys: Vec<_> = ["111111111111", "222222222222"]
        .iter()
        .flat_map(|account| {
            let keys = world["accounts"][account]["keys"].as_array().unwrap();
            keys.iter().map(move |found| {
                let (region, id) = (found["region"].as_str().unwrap(), found["id"].as_str());
                let arn = format!("arn:aws:kms:{region}:{account}:key/{}", id.unwrap());
                let mut facts = key(&arn, &found["policy"]["Statement"]);
                let is_of_aws = found["aws_managed"].is_string();
                if let Some(key) = facts.description.value_mut().filter(|_| is_of_aws) {
                    key.manager = KeyManager::Aws;
                }
                if is_of_aws {
                    facts.policy = absent();
                }
                facts
            })
        })
        .collect();
    facts.retain_keys(|_| false);
    for key in keys {
        facts.put_key(key);
    }
    // An alias is looked for in the caller's account, which has none of this name.
    let mut alias = crate::assess::facts::KeyFacts::new("alias/exports");
    alias.description = absent();
    facts.put_key(alias);
    facts
}

fn bucket(found: &Value) -> BucketFacts {
    let mut bucket = facts().bucket(&landing()).clone();
    let Some(account) = found["account"].as_str() else {
        bucket.owner = absent();
        bucket.region = absent();
        return bucket;
    };
    bucket.owner = known(account.parse().unwrap());
    bucket.region = known(found["region"].as_str().unwrap().parse().unwrap());
    bucket.policy = match &found["policy"] {
        Value::Null => absent(),
        policy => known(policy.to_string().into()),
    };
    if let Some(key) = found["default_encryption"]["key"].as_str() {
        bucket.encryption = known(DefaultEncryption {
            algorithm: "aws:kms".to_owned(),
            key: Some(key.to_owned()),
            has_bucket_key: found["default_encryption"]["bucket_key"] == json!(true),
        });
    }
    bucket
}

fn table(name: &str, tables: &Value) -> TableFacts {
    let all = tables.as_array().unwrap();
    let found = all.iter().find(|table| table["name"] == name).unwrap();
    let key = found["key_id"]
        .as_str()
        .map(|id| format!("arn:aws:kms:eu-west-1:111111111111:key/{id}"));
    TableFacts {
        asked: name.to_owned(),
        description: known(TableDescription {
            id: None,
            item_count: None,
            key_attributes: Vec::new(),
            arn: TABLE.replace("Orders", name).parse().unwrap(),
            status: TableStatus::Active,
            created_at: Some(at("2026-01-01T00:00:00Z")),
            size_bytes: None,
            key: key.map(|key| key.parse().unwrap()),
        }),
        recovery: known(Recovery {
            is_enabled: !found["recovery_days_ago"].is_null(),
            earliest: Some(at("2026-10-20T00:00:00Z")),
            latest: Some(at("2026-11-22T11:55:00Z")),
            period_days: None,
        }),
        policy: absent(),
    }
}

fn judged(name: &str) -> (Plan, Facts, Vec<AssessedRequirement>) {
    let plan = Plan::parse(&asset(&format!("plans/{name}.toml")), name, now()).unwrap();
    let facts = survey(&plan);
    let verdicts = judge(&plan, &facts, now());
    (plan, facts, verdicts)
}

#[rstest]
#[case("one-table")]
#[case("several")]
#[case("incremental")]
#[case("kms-customer-key")]
#[case("table-own-key")]
#[case("another-region")]
fn a_plan_that_completes_is_allowed(#[case] name: &str) {
    let (_, _, verdicts) = judged(name);
    assert_eq!(overall(&verdicts, true), Overall::Allowed, "{verdicts:#?}");
}

/// The words are those with which the export then fails.
#[rstest]
#[case(
    "no-grant",
    "because no resource-based policy allows the s3:PutObject action"
)]
#[case("wrong-owner", "Error Code: AccessDenied")]
#[case("no-such-bucket", "The specified bucket does not exist")]
#[case("key-alias", "KMS.NotFoundException")]
#[case("key-aws-managed", "Invalid keyId aws/s3")]
#[case("key-other-region", "Invalid arn us-east-1")]
#[case("key-without-grant", "no resource-based policies allow access")]
#[case(
    "may-not-export",
    "because no identity-based policy allows the dynamodb:ExportTableToPointInTime action"
)]
#[case("pitr-off", "Point in time recovery is not enabled for table")]
#[case("time-outside-window", "Export Time is invalid")]
fn a_plan_that_fails_is_denied_with_its_words(#[case] name: &str, #[case] words: &str) {
    let (_, _, verdicts) = judged(name);
    assert_eq!(overall(&verdicts, false), Overall::Denied, "{verdicts:#?}");
    let is_told = verdicts.iter().any(|verdict| {
        verdict.outcome == Verdict::Denied
            && verdict.criticality == Criticality::Required
            && verdict
                .expected_error
                .as_ref()
                .is_some_and(|text| text.contains(words))
    });
    assert!(is_told, "{verdicts:#?}");
}

#[test]
fn a_deny_on_addresses_depends_and_its_exemption_settles_it() {
    let (plan, facts, verdicts) = judged("deny");
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
    let found = remedies(&plan, &facts, now(), GrantOptions::default());
    let is_left = |verdict: &&AssessedRequirement| verdict.criticality == Criticality::Required;
    assert_eq!(found.open().filter(is_left).count(), 0, "{found:#?}");
}

#[rstest]
#[case("no-grant")]
#[case("wrong-owner")]
#[case("key-without-grant")]
#[case("may-not-export")]
#[case("pitr-off")]
fn a_plan_that_fails_by_what_can_be_changed_is_fixed(#[case] name: &str) {
    let (plan, facts, _) = judged(name);
    let found = remedies(&plan, &facts, now(), GrantOptions::default());
    assert!(
        found
            .remedies
            .iter()
            .all(crate::assess::remedy::Remedy::is_sound)
    );
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
}
