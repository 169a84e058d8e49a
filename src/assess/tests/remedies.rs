//! Remedies: the least that fixes each faulty document, judged again.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::facts::{Facts, PastExport};
use crate::assess::remedy::{
    Fix, GrantOptions, Remedies, Remedy, Target, estimate, remedies, request_text, whole,
};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{Overall, overall};
use crate::job::ExportStatus;
use crate::job::requirement::Actor;
use crate::job::requirement::Criticality;
use crate::job::{Encryption, Plan};
use tableferry_policy::edit::{Added, add_statement};

fn found(plan: &Plan, facts: &Facts) -> Remedies {
    remedies(plan, facts, now(), GrantOptions::default())
}

/// The one document that is changed, before and after.
fn document_of(remedy: &Remedy) -> (Option<&str>, &str) {
    match &remedy.fix {
        Fix::Document { before, after, .. } => (before.as_deref(), after),
        other => panic!("{other:#?}"),
    }
}

/// Exactly one remedy, sound, after which all is allowed.
fn only(plan: &Plan, facts: &Facts) -> Remedy {
    let found = found(plan, facts);
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    assert!(remedy.is_sound(), "{remedy:#?}");
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
    remedy.clone()
}

fn statements(text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap();
    document["Statement"].clone()
}

#[test]
fn where_nothing_is_missing_nothing_is_proposed() {
    assert_eq!(found(&kms_plan(), &facts()).remedies, []);
}

#[test]
fn a_bucket_without_a_policy_gets_one_for_the_role_and_the_prefix_alone() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let remedy = only(&aes_plan(), &facts);
    let (before, after) = document_of(&remedy);
    assert_eq!(before, None);
    assert_eq!(
        statements(after),
        json!([{
            "Sid": "TableferryWrite",
            "Effect": "Allow",
            "Principal": { "AWS": ROLE },
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
            "Resource": "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*"
        }])
    );
    assert_eq!(remedy.lets_through, Vec::<String>::new());
    assert_eq!(
        remedy.responsible,
        Responsible::DestinationOwner(Some("222222222222".parse().unwrap()))
    );
}

#[test]
fn only_the_missing_action_is_added_and_the_rest_keeps_its_bytes() {
    let mut facts = facts();
    let mut policy = granting_bucket();
    policy[0]["Action"] = json!(["s3:PutObject", "s3:AbortMultipartUpload"]);
    let live = document(&policy);
    facts.bucket_mut(&landing()).policy = known(live.clone());
    let remedy = only(&aes_plan(), &facts);
    let (_, after) = document_of(&remedy);
    assert_eq!(statements(after)[1]["Action"], "s3:PutObjectAcl");
    let head = live.text().strip_suffix("]}").unwrap();
    assert!(after.starts_with(head), "{after}");
}

#[test]
fn identity_bucket_and_key_are_fixed_together_each_once() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    facts.source_mut().identity_policies = known(Vec::new());
    let mut plan = kms_plan();
    let mut second = plan.tables[0].clone();
    second.table = crate::job::TableRef::Name("Users".to_owned());
    plan.tables.push(second);
    let mut users = facts.table_mut("Orders").unwrap().clone();
    users.asked = "Users".to_owned();
    users.description = known(description("Users", None));
    facts.put_table(users);
    let found = found(&plan, &facts);
    let targets: Vec<String> = found
        .remedies
        .iter()
        .map(|remedy| match &remedy.fix {
            Fix::Document { target, .. } => target.to_string(),
            other => panic!("{other:#?}"),
        })
        .collect();
    assert_eq!(
        targets,
        [
            "inline policy tableferry-export of the source's principal".to_owned(),
            "bucket policy of export-landing".to_owned(),
            format!("key policy of {KEY}"),
        ]
    );
    assert!(found.remedies.iter().all(Remedy::is_sound), "{found:#?}");
    assert_eq!(overall(&found.after, true), Overall::Allowed);
    let identity = statements(document_of(&found.remedies[0]).1);
    assert_eq!(
        identity[0]["Resource"],
        json!([TABLE, TABLE.replace("Orders", "Users")])
    );
    let key = statements(document_of(&found.remedies[2]).1);
    assert_eq!(
        key[1],
        json!({
            "Sid": "TableferryEncrypt",
            "Effect": "Allow",
            "Principal": { "AWS": ROLE },
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": "*",
            "Condition": { "StringEquals": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } }
        })
    );
}

#[test]
fn a_permission_set_is_named_by_its_account_and_pattern_and_its_identity_is_for_its_owner() {
    let mut facts = facts();
    let name = "AWSReservedSSO_Ops_0123456789abcdef";
    facts.source_mut().caller.arn = format!("arn:aws:sts::111111111111:assumed-role/{name}/pat")
        .parse()
        .unwrap();
    if let Some(role) = facts.source_mut().role.value_mut() {
        role.arn = format!(
            "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}"
        )
        .parse()
        .unwrap();
    }
    let remedy = only(&aes_plan(), &facts);
    let (_, after) = document_of(&remedy);
    let added = &statements(after)[1];
    assert_eq!(
        added["Principal"],
        json!({ "AWS": "arn:aws:iam::111111111111:root" })
    );
    assert_eq!(
        added["Condition"],
        json!({ "ArnLike": { "aws:PrincipalArn":
            "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_*" } })
    );
    facts.source_mut().identity_policies = known(Vec::new());
    let found = found(&aes_plan(), &facts);
    let identity = found
        .remedies
        .iter()
        .find(|remedy| {
            matches!(
                &remedy.fix,
                Fix::Document {
                    target: Target::IdentityPolicy { .. },
                    ..
                }
            )
        })
        .unwrap();
    assert_eq!(
        identity.responsible,
        Responsible::PermissionSetOwner("Ops".to_owned())
    );
}

fn guarded(guard: &Value) -> Facts {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements.as_array_mut().unwrap().push(guard.clone());
    let text = serde_json::to_string_pretty(&json!({
        "Version": "2012-10-17", "Statement": statements
    }))
    .unwrap();
    facts.bucket_mut(&landing()).policy = known(text.into());
    facts
}

fn deny_upload(condition: &Value) -> Value {
    json!({
        "Sid": "Guard", "Effect": "Deny", "Principal": "*",
        "Action": ["s3:Put*", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::export-landing/*", "Condition": condition
    })
}

#[rstest]
#[case::address(json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }))]
#[case::endpoint(json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } }))]
fn a_deny_on_networks_exempts_calls_that_services_forward(#[case] condition: Value) {
    let remedy = only(&aes_plan(), &guarded(&deny_upload(&condition)));
    let (_, after) = document_of(&remedy);
    let mut expected = condition;
    expected["Bool"] = json!({ "aws:ViaAWSService": "false" });
    assert_eq!(statements(after)[1]["Condition"], expected);
    assert_eq!(remedy.lets_through.len(), 1);
    assert!(remedy.lets_through[0].contains("any call that an AWS service forwards"));
    let Fix::Document { diff, added, .. } = &remedy.fix else {
        panic!();
    };
    assert_eq!(added, &Vec::<String>::new());
    assert!(
        diff.contains("+        \"Bool\": { \"aws:ViaAWSService\": \"false\" },"),
        "{diff}"
    );
}

#[rstest]
#[case::organization(json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-other" } }))]
#[case::roles(json!({ "ArnNotEquals": { "aws:PrincipalArn": "arn:aws:iam::222222222222:role/A" } }))]
#[case::acl(json!({ "StringNotEquals": { "s3:x-amz-acl": "private" } }))]
fn other_denies_spare_the_principal(#[case] condition: Value) {
    let remedy = only(&aes_plan(), &guarded(&deny_upload(&condition)));
    let (_, after) = document_of(&remedy);
    let exempt = &statements(after)[1]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"];
    let last = exempt
        .as_array()
        .and_then(|all| all.last())
        .unwrap_or(exempt);
    assert_eq!(last, ROLE);
    assert!(remedy.lets_through[0].contains(ROLE), "{remedy:#?}");
}

#[test]
fn a_not_principal_that_a_boundary_defeats_is_met_by_the_roles_arn() {
    let mut facts = guarded(&json!({
        "Sid": "OnlyExporter", "Effect": "Deny", "NotPrincipal": { "AWS": ROLE },
        "Action": "s3:Put*", "Resource": "arn:aws:s3:::export-landing/*"
    }));
    let all = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    facts.source_mut().boundary = known(inline("Boundary", &all));
    only(&aes_plan(), &facts);
}

/// The same on uploads alone: an abort has no header that could meet a demand.
fn deny_put(condition: &Value) -> Value {
    let mut statement = deny_upload(condition);
    statement["Action"] = json!("s3:PutObject");
    statement
}

#[test]
fn a_demand_for_encryption_is_met_by_the_plan() {
    let header = json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } });
    let mut facts = guarded(&deny_put(&header));
    facts.bucket_mut(&landing()).encryption = known(crate::assess::facts::DefaultEncryption {
        algorithm: "aws:kms".to_owned(),
        key: Some(KEY.to_owned()),
        has_bucket_key: false,
    });
    let found = found(&aes_plan(), &facts);
    assert_eq!(
        found.plan.encryption,
        Encryption::Kms {
            key: Some(KEY.parse().unwrap())
        }
    );
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
    assert!(
        found
            .remedies
            .iter()
            .all(|remedy| matches!(remedy.fix, Fix::Plan { .. }))
    );
}

#[test]
fn a_deleted_principal_is_taken_out_so_that_the_policy_can_be_written() {
    let mut facts = facts();
    let mut statements_before = granting_bucket();
    statements_before[0]["Principal"] = json!({ "AWS": "AROAEXAMPLEEXAMPLE123" });
    facts.bucket_mut(&landing()).policy = known(document(&statements_before));
    let found = found(&aes_plan(), &facts);
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    assert!(remedy.is_sound(), "{remedy:#?}");
    let (_, after) = document_of(remedy);
    assert!(!after.contains("AROA"), "{after}");
    assert_eq!(statements(after).as_array().unwrap().len(), 1);
    assert!(remedy.warnings[0].contains("AROAEXAMPLEEXAMPLE123"));
}

#[test]
fn recovery_is_switched_on_and_a_wrong_owner_is_put_right() {
    let mut facts = facts();
    if let Some(recovery) = facts.table_mut("Orders").unwrap().recovery.value_mut() {
        recovery.is_enabled = false;
    }
    let plan = plan("owner = '333333333333'\nprefix = 'prod'", "");
    let found = found(&plan, &facts);
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
    assert!(matches!(
        &found.remedies[0].fix,
        Fix::Plan { key: "destination.owner", value, .. } if value == "222222222222"
    ));
    assert!(matches!(&found.remedies[1].fix, Fix::EnableRecovery { .. }));
}

#[test]
fn what_the_organization_forbids_is_a_text_for_it_and_stays_open() {
    let mut facts = facts();
    let policy = json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoExports", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*" }
    ]);
    facts.account_of_mut(Actor::Exporter).service_control =
        known(vec![crate::assess::facts::ControlLevel {
            target: "r-root".to_owned(),
            policies: vec![inline("Guardrail", &policy)],
            unread: Vec::new(),
        }]);
    let found = found(&aes_plan(), &facts);
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(remedy.responsible, Responsible::Organization);
    assert!(matches!(&remedy.fix, Fix::RequestText { text } if text.contains("NoExports")));
    assert_eq!(found.open().count(), 1);
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    assert_eq!(found(&aes_plan(), &facts).remedies, []);
}

#[test]
fn a_grant_that_ends_says_so_and_when_it_is_short() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let grant_options = GrantOptions {
        expires: Some(at("2026-11-22T14:00:00Z")),
        estimate: Some(SignedDuration::from_hours(1)),
    };
    let found = remedies(&aes_plan(), &facts, now(), grant_options);
    let remedy = &found.remedies[0];
    let (_, after) = document_of(remedy);
    assert_eq!(
        statements(after)[0]["Condition"],
        json!({ "DateLessThan": { "aws:CurrentTime": "2026-11-22T14:00:00Z" } })
    );
    assert_eq!(remedy.warnings.len(), 2, "{remedy:#?}");
}

#[test]
fn a_grant_must_hold_three_times_the_estimate() {
    let least = |expires: &str, minutes: Option<i64>| {
        let grant_options = GrantOptions {
            expires: Some(at(expires)),
            estimate: minutes.map(SignedDuration::from_mins),
        };
        grant_options.is_shorter_than(at("2026-11-22T12:00:00.9Z"))
    };
    let two_hours = "2026-11-22T14:00:00Z";
    assert_eq!(
        least(two_hours, Some(40)),
        None,
        "the end is cut to seconds"
    );
    assert_eq!(
        least(two_hours, Some(41)),
        Some(SignedDuration::from_mins(123))
    );
    assert_eq!(least("2026-11-22T12:00:02Z", None), None);
}

/// What ended grants nothing: the new statement takes its place and its name.
#[test]
fn a_grant_of_ours_that_ended_makes_room() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let until = |end: &str| GrantOptions {
        expires: Some(at(end)),
        estimate: None,
    };
    let found = remedies(&aes_plan(), &facts, now(), until("2026-11-22T11:00:00Z"));
    let (_, dead) = document_of(&found.remedies[0]);
    let theirs = r#"{"Sid":"Theirs2","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::export-landing/*","Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}"#;
    let Ok(Added::Inserted { text: both }) = add_statement(dead, theirs) else {
        panic!("{dead}");
    };
    for (live, sids) in [
        (dead.to_owned(), vec!["TableferryWrite"]),
        (both, vec!["Theirs2", "TableferryWrite"]),
    ] {
        facts.bucket_mut(&landing()).policy = known(live.into());
        let grant_options = until("2026-11-23T12:00:00Z");
        for found in [
            remedies(&aes_plan(), &facts, now(), grant_options),
            whole(&aes_plan(), &facts, now(), grant_options),
        ] {
            let remedy = found
                .remedies
                .iter()
                .find(|remedy| {
                    matches!(&remedy.fix, Fix::Document { target, .. } if target.to_string().contains("bucket policy"))
                })
                .unwrap();
            assert_eq!(remedy.problems, Vec::<String>::new());
            let (_, after) = document_of(remedy);
            let found = statements(after);
            let found = found.as_array().unwrap().iter();
            let named: Vec<&str> = found.map(|s| s["Sid"].as_str().unwrap()).collect();
            assert_eq!(named, sids, "{after}");
            assert!(after.contains("2026-11-23T12:00:00Z"), "{after}");
            let Fix::Document { diff, .. } = &remedy.fix else {
                panic!("{remedy:#?}");
            };
            let is_gone =
                |line: &str| line.starts_with('-') && line.contains("2026-11-22T11:00:00Z");
            assert!(diff.lines().any(is_gone), "{diff}");
            let told = remedy
                .warnings
                .iter()
                .any(|told| told.contains("its time is over"));
            assert!(told, "{remedy:#?}");
        }
    }
}

#[test]
fn a_grant_that_ends_without_an_estimate_says_that_there_is_none() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let grant_options = |facts: &Facts| GrantOptions {
        expires: Some(at("2026-11-22T14:00:00Z")),
        estimate: estimate(&aes_plan(), facts),
    };
    let found = remedies(&aes_plan(), &facts, now(), grant_options(&facts));
    let warnings = &found.remedies[0].warnings;
    assert!(
        warnings.iter().any(|told| told.contains("is not known")),
        "{warnings:#?}"
    );
    // Of two earlier exports the longer is gone by: 50 minutes, of which three are more than the
    // two hours given.
    for (ended, status) in [
        ("2026-11-20T00:10:00Z", ExportStatus::Completed),
        ("2026-11-20T00:50:00Z", ExportStatus::Completed),
        ("2026-11-20T05:00:00Z", ExportStatus::Failed),
    ] {
        facts.exports.push(PastExport {
            prefix: None,
            ended_at: Some(at(ended)),
            status,
            ..past()
        });
    }
    assert_eq!(
        grant_options(&facts).estimate,
        Some(SignedDuration::from_mins(50))
    );
    let found = remedies(&aes_plan(), &facts, now(), grant_options(&facts));
    let warnings = &found.remedies[0].warnings;
    assert!(
        warnings.iter().any(|told| told.contains("is 150")),
        "{warnings:#?}"
    );
}

#[test]
fn the_difference_to_no_document_takes_nothing_away() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let found = found(&aes_plan(), &facts);
    let Fix::Document { diff, .. } = &found.remedies[0].fix else {
        panic!("{found:#?}");
    };
    let taken: Vec<&str> = diff
        .lines()
        .filter(|line| line.starts_with('-') && !line.starts_with("---"))
        .collect();
    assert!(taken.is_empty(), "{diff}");
}

#[test]
fn a_letter_says_what_why_and_for_how_long() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let plan = aes_plan();
    let found = found(&plan, &facts);
    let responsible = found.remedies[0].responsible.clone();
    let text = request_text(&responsible, &found.remedies, &plan, &facts, None);
    for part in [
        "To the destination's owner (222222222222)",
        "export Orders of account 111111111111 to the bucket export-landing",
        ROLE,
        "Please add the bucket policy of export-landing:",
        "\"Sid\": \"TableferryWrite\"",
        "s3:PutObject on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*",
        "until the export is done",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn our_sid_with_another_content_is_not_overwritten() {
    let mut facts = facts();
    let other = json!([{
        "Sid": "TableferryWrite", "Effect": "Allow", "Principal": { "AWS": ROLE },
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-landing/other/*"
    }]);
    facts.bucket_mut(&landing()).policy = known(document(&other));
    let remedy = only(&aes_plan(), &facts);
    let Fix::Document { added, after, .. } = &remedy.fix else {
        panic!();
    };
    assert_eq!(added, &["TableferryWrite2"]);
    assert_eq!(statements(after)[0], other[0]);
    let told = remedy.warnings.join("\n");
    assert!(
        told.contains("another statement `TableferryWrite`") && told.contains("`TableferryWrite2`"),
        "{told}"
    );
}

/// A bucket that takes the exports of many teams, each under its own prefix.
#[test]
fn the_statements_of_ours_in_one_document_are_numbered_without_an_end() {
    let mut facts = facts();
    let ours = (1..=20).map(|number| {
        let sid = match number {
            1 => "TableferryWrite".to_owned(),
            number => format!("TableferryWrite{number}"),
        };
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": { "AWS": ROLE },
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
            "Resource": format!("arn:aws:s3:::export-landing/team{number}/AWSDynamoDB/*")
        })
    });
    let ours = serde_json::Value::Array(ours.collect());
    facts.bucket_mut(&landing()).policy = known(document(&ours));
    let remedy = only(&aes_plan(), &facts);
    assert!(remedy.is_sound(), "{:?}", remedy.problems);
    let Fix::Document { added, after, .. } = &remedy.fix else {
        panic!();
    };
    assert_eq!(added, &["TableferryWrite21"]);
    assert_eq!(statements(after).as_array().unwrap().len(), 21);
}

#[test]
fn a_public_policy_under_block_public_policy_cannot_be_written() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = known(document(&json!([{
        "Sid": "Open", "Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::export-landing/*"
    }])));
    facts.bucket_mut(&landing()).public_access = known(crate::assess::facts::PublicAccessBlock {
        block_public_policy: true,
        ..Default::default()
    });
    let found = found(&aes_plan(), &facts);
    assert!(!found.remedies[0].is_sound(), "{found:#?}");
    assert!(found.remedies[0].problems[0].contains("Block Public Access"));
}

#[test]
fn a_demand_for_s3s_own_keys_is_met_by_the_plan() {
    let header = json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } });
    let found = found(&kms_plan(), &guarded(&deny_put(&header)));
    assert_eq!(found.plan.encryption, Encryption::Aes256);
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
}

#[test]
fn a_key_by_alias_is_granted_by_its_arn_where_that_was_read() {
    let mut facts = facts();
    let own = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let root = json!([{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": "kms:*", "Resource": "*"
    }]);
    let mut named = key(own, &root);
    named.names = ["alias/exports".to_owned()].into();
    facts.retain_keys(|_| false);
    facts.put_key(named);
    let plan = plan(
        "owner = '222222222222'\nprefix = 'prod'",
        "[encryption]\nalgorithm = 'KMS'\nkey = 'alias/exports'",
    );
    let found = found(&plan, &facts);
    let identity = statements(document_of(&found.remedies[0]).1);
    assert_eq!(identity[0]["Resource"], own);
    assert!(
        found
            .open()
            .all(|verdict| verdict.criticality == Criticality::Optional),
        "{found:#?}"
    );
}
