//! Permissions judged: one case for each refusal that can be predicted.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::explain::simulate_lines;
use crate::assess::facts::{Fact, Facts, GrantFacts};
use crate::assess::judge::judge;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{Overall, Verdict, overall};
use crate::job::requirement::Actor;
use tableferry_policy::evaluate::PolicyKind;
use tableferry_policy::simulate::{LineStatus, simulate_line};

#[test]
fn where_all_is_known_and_granted_all_is_allowed_and_nothing_assumed() {
    for plan in [aes_plan(), kms_plan()] {
        let verdicts = judge(&plan, &facts(), now());
        for verdict in &verdicts {
            assert_eq!(verdict.outcome, Verdict::CLEAR, "{verdict:#?}");
            assert!(verdict.cautions.is_empty(), "{verdict:#?}");
        }
        assert_eq!(overall(&verdicts, true), Overall::Allowed);
    }
}

#[test]
fn facts_survive_the_way_through_a_file() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).ownership = refused("s3:GetBucketOwnershipControls");
    facts.account_of_mut(Actor::Exporter).in_flight = Fact::UNASKED;
    let text = facts.to_json().unwrap();
    assert_eq!(Facts::from_json(&text).unwrap(), facts);
    assert!(text.contains("\"state\": \"refused\""));
}

#[test]
fn facts_of_a_later_version_are_refused() {
    let text = facts()
        .to_json()
        .unwrap()
        .replace("\"version\": 2,", "\"version\": 3,");
    let error = Facts::from_json(&text).unwrap_err();
    assert!(error.to_string().contains("version 3"), "{error}");
}

#[test]
fn a_bucket_policy_without_the_statement_is_told_with_awss_words() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.denied_by, Some(PolicyKind::Resource));
    assert_eq!(
        verdict.responsible,
        Responsible::DestinationOwner(Some("222222222222".parse().unwrap()))
    );
    let text = "because no resource-based policy allows the s3:PutObject action";
    assert_eq!(verdict.expected_error.as_deref(), Some(text));
}

#[test]
fn the_bucket_alone_is_not_the_objects_in_it() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Resource"] = json!("arn:aws:s3:::export-landing");
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert!(
        verdict
            .explanation
            .contains("arn:aws:s3:::export-landing/*"),
        "{}",
        verdict.explanation
    );
}

#[rstest]
#[case("s3:PutObjectAcl")]
#[case("s3:AbortMultipartUpload")]
fn an_identity_policy_that_forgets_an_action_is_told(#[case] forgotten: &str) {
    let mut facts = facts();
    let mut statements = full_identity();
    let actions = statements[1]["Action"].as_array_mut().unwrap();
    actions.retain(|action| action != forgotten);
    facts.source_mut().identity_policies = known(vec![inline("Rights", &statements)]);
    let verdict = on(&aes_plan(), &facts, forgotten);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.responsible, Responsible::You);
    let text = format!("because no identity-based policy allows the {forgotten} action");
    assert_eq!(verdict.expected_error, Some(text));
    assert!(on(&aes_plan(), &facts, "s3:PutObject").outcome.is_allowed());
}

#[test]
fn a_policy_that_covers_only_the_data_files_is_not_enough() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Resource"] = json!("arn:aws:s3:::export-landing/prod/AWSDynamoDB/*/data/*");
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").outcome,
        Verdict::Denied
    );
}

/// The source address is unknown, the VPC keys are absent, the rest is known.
#[rstest]
#[case::address(json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }), Some("aws:SourceIp"))]
#[case::acl(json!({ "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } }), Some("s3:x-amz-acl"))]
#[case::agent(json!({ "StringNotLike": { "aws:UserAgent": "corp/*" } }), Some("aws:UserAgent"))]
fn a_deny_on_what_nobody_can_tell_depends(#[case] condition: Value, #[case] key: Option<&str>) {
    let verdict = on(&aes_plan(), &bucket_with(&deny(&condition)), "s3:PutObject");
    let Verdict::Depends { on, .. } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(on.names().first().copied(), key);
    assert!(
        verdict
            .deciding
            .iter()
            .any(|d| d.is_deny && d.sid == "Guard")
    );
}

#[rstest]
#[case::endpoint(json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } }))]
#[case::network(json!({ "StringNotEquals": { "aws:SourceVpc": "vpc-1" } }))]
#[case::organization(json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-other" } }))]
#[case::header(json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } }))]
#[case::no_header_of_key(json!({ "Null": { "s3:x-amz-server-side-encryption-aws-kms-key-id": "true" } }))]
#[case::acl_of_parts(json!({ "StringNotEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } }))]
#[case::forwarded(json!({ "Bool": { "aws:ViaAWSService": "true" } }))]
#[case::called_via(json!({ "ForAnyValue:StringEquals": { "aws:CalledVia": "dynamodb.amazonaws.com" } }))]
#[case::principal(json!({ "ArnNotEquals": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/Other" } }))]
fn a_deny_that_hits_the_export_is_named(#[case] condition: Value) {
    let verdict = on(&aes_plan(), &bucket_with(&deny(&condition)), "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::Denied, "{verdict:#?}");
    let [deciding] = verdict.deciding.as_slice() else {
        panic!("{verdict:#?}");
    };
    assert_eq!(deciding.sid, "Guard");
    assert_eq!(deciding.policy, "bucket policy of export-landing");
    let text = "with an explicit deny in a resource-based policy";
    assert_eq!(verdict.expected_error.as_deref(), Some(text));
}

/// "When AWS services make calls to other AWS services on your behalf … certain network-specific
/// authorization context is redacted" (S3 user guide, "Example 6: Requiring a minimum TLS version").
#[rstest]
#[case::tls_if_exists(json!({ "BoolIfExists": { "aws:SecureTransport": "false" } }))]
#[case::tls_absent(json!({ "Null": { "aws:SecureTransport": "true" } }))]
fn a_deny_that_hits_calls_without_a_transport_leaves_it_open(#[case] condition: Value) {
    let verdict = on(&aes_plan(), &bucket_with(&deny(&condition)), "s3:PutObject");
    let Verdict::Depends { on, .. } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(on.names(), ["aws:SecureTransport"]);
}

#[test]
fn an_allow_for_secure_transport_alone_leaves_the_export_open() {
    let mut statements = granting_bucket();
    for statement in statements.as_array_mut().unwrap() {
        statement["Condition"] = json!({ "Bool": { "aws:SecureTransport": "true" } });
    }
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert!(
        matches!(verdict.outcome, Verdict::Depends { .. }),
        "{verdict:#?}"
    );
}

#[rstest]
#[case::tls(json!({ "Bool": { "aws:SecureTransport": "false" } }))]
#[case::exempt(json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" }, "Bool": { "aws:ViaAWSService": "false" } }))]
#[case::first(json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" }, "StringNotEquals": { "aws:CalledViaFirst": "dynamodb.amazonaws.com" } }))]
#[case::organization(json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-exampleorg" } }))]
#[case::service_calls(json!({ "Null": { "aws:SourceArn": "false" } }))]
fn a_deny_that_exempts_the_export_is_no_matter(#[case] condition: Value) {
    let verdict = on(&aes_plan(), &bucket_with(&deny(&condition)), "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::CLEAR, "{verdict:#?}");
}

#[test]
fn a_bucket_that_demands_kms_takes_an_export_with_kms() {
    let header = json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } });
    let facts = bucket_with(&deny(&header));
    assert_eq!(
        on(&kms_plan(), &facts, "s3:PutObject").outcome,
        Verdict::CLEAR
    );
}

#[test]
fn a_not_principal_that_lists_the_role_alone_still_denies_under_a_boundary() {
    let statement = json!({
        "Sid": "OnlyExporter",
        "Effect": "Deny",
        "NotPrincipal": { "AWS": [ROLE, "arn:aws:iam::111111111111:root",
            "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat"] },
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::export-landing/*"
    });
    let mut facts = bucket_with(&statement);
    assert!(on(&aes_plan(), &facts, "s3:PutObject").outcome.is_allowed());
    let all = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    facts.source_mut().boundary = known(inline("Boundary", &all));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.deciding[0].sid, "OnlyExporter");
}

#[test]
fn denials_that_no_bucket_can_fix_name_who_can() {
    let deny_all = json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoExports", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*" }
    ]);
    let level = crate::assess::facts::ControlLevel {
        target: "r-root".to_owned(),
        policies: vec![inline("Guardrail", &deny_all)],
        unread: Vec::new(),
    };
    let mut facts = facts();
    facts.account_of_mut(Actor::Exporter).service_control = known(vec![level]);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.denied_by, Some(PolicyKind::ServiceControl));
    assert_eq!(verdict.responsible, Responsible::Organization);
    let text = "with an explicit deny in a service control policy";
    assert_eq!(verdict.expected_error.as_deref(), Some(text));
    // The management account is bound by none.
    if let Some(organization) = facts
        .account_of_mut(Actor::Exporter)
        .organization
        .value_mut()
    {
        organization.management_account = "111111111111".parse().unwrap();
    }
    assert!(on(&aes_plan(), &facts, "s3:PutObject").outcome.is_allowed());
}

#[test]
fn a_resource_control_policy_of_the_destination_binds_the_bucket() {
    let statement = json!([{
        "Sid": "Perimeter",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": { "StringNotEqualsIfExists": { "aws:PrincipalOrgID": "o-other" } }
    }]);
    let mut facts = facts();
    facts.account_of_mut(Actor::Reader).resource_control =
        known(vec![crate::assess::facts::ControlLevel {
            target: "r-root".to_owned(),
            policies: vec![inline("Perimeter", &statement)],
            unread: Vec::new(),
        }]);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.denied_by, Some(PolicyKind::ResourceControl));
    assert!(
        on(&aes_plan(), &facts, "dynamodb:ExportTableToPointInTime")
            .outcome
            .is_allowed()
    );
}

#[rstest]
#[case::both_missing(json!([]), "kms:GenerateDataKey")]
#[case::no_decrypt(json!([{ "Effect": "Allow", "Principal": { "AWS": ROLE }, "Action": "kms:GenerateDataKey", "Resource": "*" }]), "kms:Decrypt")]
fn a_key_policy_must_allow_both_actions(#[case] policy: Value, #[case] missing: &str) {
    let mut facts = facts();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &policy));
    let verdict = on(&kms_plan(), &facts, missing);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(
        verdict.responsible,
        Responsible::KeyOwner("222222222222".parse().unwrap())
    );
    assert!(
        verdict
            .expected_error
            .unwrap()
            .starts_with("is not authorized to perform: kms:")
    );
}

#[test]
fn a_grant_on_the_key_is_as_good_as_its_policy() {
    let mut facts = facts();
    let mut other = key(KEY, &json!([]));
    other.grants = known(vec![GrantFacts {
        id: "g1".to_owned(),
        grantee: ROLE.to_owned(),
        operations: vec!["GenerateDataKey".to_owned(), "Decrypt".to_owned()],
        context_subset: std::collections::BTreeMap::new(),
        context_equals: None,
        source_arn: None,
    }]);
    facts.retain_keys(|_| false);
    facts.put_key(other.clone());
    assert_eq!(
        on(&kms_plan(), &facts, "kms:Decrypt").outcome,
        Verdict::CLEAR
    );
    other.grants = refused("kms:ListGrants");
    facts.retain_keys(|_| false);
    facts.put_key(other);
    let verdict = on(&kms_plan(), &facts, "kms:Decrypt");
    assert!(
        matches!(verdict.outcome, Verdict::Unknown { .. }),
        "{verdict:#?}"
    );
}

#[rstest]
#[case::via_s3(json!({ "StringEquals": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } }), true)]
#[case::via_another_region(json!({ "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }), false)]
#[case::by_account(json!({ "StringEquals": { "kms:CallerAccount": "111111111111" } }), true)]
#[case::objects(json!({ "StringLike": { "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::export-landing/prod/*" } }), true)]
#[case::bucket_key(json!({ "StringEquals": { "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::export-landing" } }), false)]
fn a_key_policys_conditions_meet_what_s3_sends(#[case] condition: Value, #[case] holds: bool) {
    let mut facts = facts();
    let mut policy = granting_key();
    policy[1]["Condition"] = condition;
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &policy));
    let verdict = on(&kms_plan(), &facts, "kms:GenerateDataKey");
    assert_eq!(verdict.outcome.is_allowed(), holds, "{verdict:#?}");
}

#[test]
fn the_tables_own_key_is_needed_through_dynamodb() {
    let mut facts = facts();
    if let Some(table) = facts.table_mut("Orders").unwrap().description.value_mut() {
        table.key = Some(TABLE_KEY.parse().unwrap());
    }
    let policy = json!([{
        "Sid": "Delegate",
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": "kms:*",
        "Resource": "*",
        "Condition": { "StringEquals": {
            "kms:ViaService": "dynamodb.eu-west-1.amazonaws.com",
            "kms:EncryptionContext:aws:dynamodb:tableName": "Orders"
        } }
    }]);
    facts.put_key(key(TABLE_KEY, &policy));
    assert_eq!(
        on(&aes_plan(), &facts, "kms:Decrypt").outcome,
        Verdict::CLEAR
    );
    *facts.key_mut(TABLE_KEY).unwrap() = key(TABLE_KEY, &json!([]));
    let verdict = on(&aes_plan(), &facts, "kms:Decrypt");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.responsible, Responsible::You);
}

#[test]
fn a_table_policy_can_deny_the_export() {
    let mut facts = facts();
    facts.table_mut("Orders").unwrap().policy = known(document(&json!([{
        "Sid": "NoExports",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "dynamodb:ExportTableToPointInTime",
        "Resource": TABLE
    }])));
    let verdict = on(&aes_plan(), &facts, "dynamodb:ExportTableToPointInTime");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.deciding[0].sid, "NoExports");
}

#[test]
fn a_missing_permission_of_a_permission_set_is_for_its_owner() {
    let mut facts = facts();
    facts.source_mut().caller.arn =
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat"
            .parse()
            .unwrap();
    facts.source_mut().role = refused("iam:GetRole");
    facts.source_mut().identity_policies = known(Vec::new());
    let verdict = on(&aes_plan(), &facts, "dynamodb:ExportTableToPointInTime");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(
        verdict.responsible,
        Responsible::PermissionSetOwner("Ops".to_owned())
    );
}

/// "Multivalued context keys require a condition set operator": what becomes of a list without one is
/// not documented, so that no certainty is built on it.
#[test]
fn a_list_that_is_compared_as_one_value_decides_nothing_for_certain() {
    let compared = |operator: &str| {
        let mut statements = granting_bucket();
        statements[0]["Condition"] =
            json!({ operator: { "aws:CalledVia": "dynamodb.amazonaws.com" } });
        let mut facts = facts();
        facts.bucket_mut(&landing()).policy = known(document(&statements));
        on(&aes_plan(), &facts, "s3:PutObject").outcome
    };
    assert_eq!(compared("ForAnyValue:StringEquals"), Verdict::CLEAR);
    let Verdict::Depends { on, .. } = compared("StringEquals") else {
        panic!("certain");
    };
    assert_eq!(on.names(), ["aws:CalledVia"]);
}

#[test]
fn every_need_can_be_judged_elsewhere() {
    let lines = simulate_lines(&kms_plan(), &facts(), now());
    assert!(lines.len() > 10);
    for line in lines {
        let mut answer = String::new();
        assert_eq!(
            simulate_line(&line, &mut answer),
            LineStatus::Answered,
            "{line}"
        );
        assert!(
            answer.contains("\"decision\":\"allowed\""),
            "{line}\n{answer}"
        );
    }
}

#[test]
fn accounts_without_a_common_organization_are_given_no_reason() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    facts.account_of_mut(Actor::Reader).organization = absent();
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.expected_error.as_deref(), Some("Access Denied"));
}

#[test]
fn a_not_principal_must_list_the_session_too() {
    let guard = |listed: &[&str]| {
        json!({
            "Sid": "OnlyExporter", "Effect": "Deny", "NotPrincipal": { "AWS": listed },
            "Action": "s3:*", "Resource": "arn:aws:s3:::export-landing/*"
        })
    };
    let account = "arn:aws:iam::111111111111:root";
    let session = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat";
    let verdict = on(
        &aes_plan(),
        &bucket_with(&guard(&[account, ROLE])),
        "s3:PutObject",
    );
    assert_eq!(verdict.outcome, Verdict::Denied);
    let listed = guard(&[account, ROLE, session]);
    let verdict = on(&aes_plan(), &bucket_with(&listed), "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::CLEAR);
}

#[test]
fn a_grant_that_ends_soon_is_allowed_with_a_word_of_caution() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Condition"] =
        json!({ "DateLessThan": { "aws:CurrentTime": "2026-11-22T13:00:00Z" } });
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::CLEAR);
    assert_eq!(verdict.cautions.len(), 1);
    statements[0]["Condition"] =
        json!({ "DateLessThan": { "aws:CurrentTime": "2026-11-23T13:00:00Z" } });
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    assert!(on(&aes_plan(), &facts, "s3:PutObject").cautions.is_empty());
}
