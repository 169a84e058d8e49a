//! Remedies name the requirements that they resolve by id.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::json;

use super::world::*;
use crate::assess::facts::{DefaultEncryption, Facts};
use crate::assess::judge::judge;
use crate::assess::remedy::{Fix, GrantOptions, remedies};
use crate::job::Plan;
use crate::job::export::{ENCRYPT, READ_TABLE};
use crate::job::requirement::{Check, RequirementId};

fn nothing_granted() -> (Plan, Facts) {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    facts.source_mut().identity_policies = known(Vec::new());
    (kms_plan(), facts)
}

fn two_denies() -> (Plan, Facts) {
    let network = deny(&json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }));
    let mut other = deny(&json!({ "StringNotEquals": { "aws:PrincipalTag/team": "x" } }));
    other["Sid"] = json!("Tags");
    let mut facts = facts();
    let mut statements = granting_bucket();
    let list = statements.as_array_mut().unwrap();
    list.push(network);
    list.push(other);
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    (aes_plan(), facts)
}

fn kms_demanded() -> (Plan, Facts) {
    let mut guard =
        deny(&json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } }));
    guard["Action"] = json!("s3:PutObject");
    let mut facts = bucket_with(&guard);
    facts.bucket_mut(&landing()).encryption = known(DefaultEncryption {
        algorithm: "aws:kms".to_owned(),
        key: Some(KEY.to_owned()),
        has_bucket_key: false,
    });
    (aes_plan(), facts)
}

fn recovery_and_owner() -> (Plan, Facts) {
    let mut facts = facts();
    facts
        .table_mut("Orders")
        .unwrap()
        .recovery
        .value_mut()
        .unwrap()
        .is_enabled = false;
    (plan("owner = '333333333333'\nprefix = 'prod'", ""), facts)
}

fn alias() -> (Plan, Facts) {
    let mut facts = facts();
    let own = KEY.replace("222222222222", "111111111111");
    let root = json!([{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": "kms:*", "Resource": "*"
    }]);
    let mut named = key(&own, &root);
    named.names = ["alias/exports".to_owned()].into();
    facts.retain_keys(|_| false);
    facts.put_key(named);
    let encryption = "[encryption]\nalgorithm = 'KMS'\nkey = 'alias/exports'";
    let plan = plan("owner = '222222222222'\nprefix = 'prod'", encryption);
    (plan, facts)
}

#[rstest]
#[case::grants(nothing_granted())]
#[case::denies(two_denies())]
#[case::encryption(kms_demanded())]
#[case::settings(recovery_and_owner())]
#[case::alias(alias())]
fn what_the_remedies_make_allowed_is_named_by_one_of_them(#[case] (plan, facts): (Plan, Facts)) {
    let before = judge(&plan, &facts, now());
    let found = remedies(&plan, &facts, now(), GrantOptions::default());
    let named: BTreeSet<RequirementId> = found
        .remedies
        .iter()
        .flat_map(|remedy| remedy.resolves.iter().cloned())
        .collect();
    let is_allowed = |id: &RequirementId| {
        let mut after = found.after.iter();
        after.any(|verdict| verdict.requirement.id() == *id && verdict.outcome.is_allowed())
    };
    let missing = before
        .iter()
        .filter(|verdict| !verdict.outcome.is_allowed())
        .map(|verdict| verdict.requirement.id());
    let resolved: BTreeSet<RequirementId> = missing.filter(|id| is_allowed(id)).collect();
    assert!(!resolved.is_empty());
    assert!(
        resolved.is_subset(&named),
        "{:#?}",
        resolved.difference(&named)
    );
}

#[test]
fn a_remedy_is_told_with_the_deny_that_it_exempts_from() {
    let (plan, facts) = two_denies();
    let found = remedies(&plan, &facts, now(), GrantOptions::default());
    let words = found.remedies[0].resolves_in_words();
    for sid in ["Guard", "Tags"] {
        let told = format!(
            "s3:PutObject on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*, which the Deny `{sid}` \
             of the bucket policy of export-landing hits: DynamoDB writes the files as the caller"
        );
        assert!(words.contains(&told), "{words:#?}");
    }
}

#[test]
fn programs_get_the_id_beside_the_words() {
    let (plan, facts) = recovery_and_owner();
    let found = remedies(&plan, &facts, now(), GrantOptions::default());
    let recovery = found
        .remedies
        .iter()
        .find(|remedy| matches!(remedy.fix, Fix::EnableRecovery { .. }))
        .unwrap();
    let id = RequirementId::Check {
        check: Check::Recovery,
        of: "Orders".to_owned(),
    };
    assert_eq!(recovery.resolves, [id]);
    assert_eq!(
        recovery.to_json()["resolves_ids"],
        json!([{ "kind": "check", "check": "recovery", "of": "Orders" }])
    );
    let verdicts = judge(&plan, &facts, now());
    assert_eq!(
        verdicts[0].to_json()["id"],
        json!({
            "kind": "permission", "who": "exporter", "purpose": "export",
            "action": "dynamodb:ExportTableToPointInTime", "resource": TABLE,
        })
    );
}

/// One key may encrypt the tables and the files, used through DynamoDB for the one and S3 for the other.
#[test]
fn one_key_for_tables_and_files_makes_requirements_of_their_own() {
    let (plan, mut facts) = nothing_granted();
    facts
        .table_mut("Orders")
        .unwrap()
        .description
        .value_mut()
        .unwrap()
        .key = Some(KEY.parse().unwrap());
    let of_key = |verdict: &crate::assess::verdict::AssessedRequirement| {
        let id = verdict.requirement.id();
        let is_of_key = matches!(
            id,
            RequirementId::Permission {
                purpose: ENCRYPT | READ_TABLE,
                ..
            }
        );
        is_of_key.then_some(id)
    };
    let verdicts = judge(&plan, &facts, now());
    let ids: Vec<RequirementId> = verdicts.iter().filter_map(of_key).collect();
    let distinct: BTreeSet<&RequirementId> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (4, 4), "{ids:#?}");
}
