//! Corners of the evaluation logic that the documentation settles in a half-sentence: each case
//! cites its page.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail where it stands, also in the functions that build its cases"
)]

use rstest::rstest;
use serde_json::{Value, json};
use tableferry_policy::simulate::simulate_line;

const ACCOUNT: &str = "111111111111";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Exporter/ann";
const FEDERATED: &str = "arn:aws:sts::111111111111:federated-user/ann";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn answer(request: &Value) -> Value {
    let mut out = String::new();
    simulate_line(&request.to_string(), &mut out);
    serde_json::from_str(&out).unwrap()
}

fn request(principal: &str, action: &str, resource: &str, parts: &Value) -> Value {
    let mut request = json!({"id": 1, "principal": principal, "action": action,
        "resource": resource, "resource_account": ACCOUNT, "context": {}});
    for (key, value) in parts.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

fn statement(effect: &str, principal: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement":
        {"Effect": effect, "Principal": {"AWS": principal}, "Action": "*", "Resource": "*"}})
}

fn allow_all() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
}

/// A session's ARN leaves out its role's path, and a role's name is unique in its account ("IAM
/// identifiers"; "IAM and AWS STS quotas": names "must be unique within the account").
#[rstest]
#[case::without_a_path("arn:aws:iam::111111111111:role/Exporter", json!({}), "allowed")]
#[case::with_a_path("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/Exporter", json!({}), "allowed")]
#[case::another_name("arn:aws:iam::111111111111:role/Exporter/Other", json!({}), "implicit_deny")]
#[case::another_account("arn:aws:iam::222222222222:role/Exporter", json!({}), "implicit_deny")]
#[case::a_user_of_that_name("arn:aws:iam::111111111111:user/Exporter", json!({}), "implicit_deny")]
#[case::the_key_tells_another_path(
    "arn:aws:iam::111111111111:role/a/Exporter",
    json!({"aws:PrincipalArn": "arn:aws:iam::111111111111:role/b/Exporter"}), "implicit_deny")]
fn a_session_is_named_by_its_role_whatever_the_path(
    #[case] named: &str,
    #[case] context: Value,
    #[case] expected: &str,
) {
    let parts = json!({"resource_policy": statement("Allow", named), "context": context});
    let told = answer(&request(
        SESSION,
        "s3:PutObject",
        "arn:aws:s3:::b/x",
        &parts,
    ));
    assert_eq!(told["decision"], expected, "{told}");
}

/// "If a resource-based policy grants permission to the ARN of the IAM user who federated, then
/// requests made by the federated user during the session are limited by an implicit deny in a
/// permission boundary or session policy" ("Policy evaluation for requests within a single account");
/// without a session policy the session has no permissions (`GetFederationToken`).
#[rstest]
#[case::the_session_policy_allows("Allow", json!({"session_policy": allow_all()}), "allowed")]
#[case::no_session_policy("Allow", json!({}), "implicit_deny")]
#[case::the_boundary_does_not(
    "Allow",
    json!({"session_policy": allow_all(), "permissions_boundary":
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}}),
    "implicit_deny")]
#[case::a_deny_to_the_user(
    "Deny", json!({"session_policy": allow_all(), "identity_policies": [{"name": "p", "document": allow_all()}]}),
    "explicit_deny")]
fn a_grant_to_the_user_who_federated_is_limited_by_the_session_policy(
    #[case] effect: &str,
    #[case] mut parts: Value,
    #[case] expected: &str,
) {
    parts["resource_policy"] = statement(effect, "arn:aws:iam::111111111111:user/ann");
    let told = answer(&request(
        FEDERATED,
        "s3:PutObject",
        "arn:aws:s3:::b/x",
        &parts,
    ));
    assert_eq!(told["decision"], expected, "{told}");
}

/// "Encryption context grant constraints are not applied to operations that do not support an
/// encryption context, such as cryptographic operations with asymmetric KMS keys and management
/// operations" (`GrantConstraints` in the KMS API reference).
#[rstest]
#[case("kms:Decrypt", "implicit_deny")]
#[case("kms:CreateGrant", "implicit_deny")]
#[case("kms:DescribeKey", "allowed")]
#[case("kms:GetPublicKey", "allowed")]
#[case("kms:Sign", "allowed")]
fn a_grant_demands_an_encryption_context_only_where_there_is_one(
    #[case] action: &str,
    #[case] expected: &str,
) {
    let operations = [
        "Decrypt",
        "CreateGrant",
        "DescribeKey",
        "GetPublicKey",
        "Sign",
    ];
    let parts = json!({"kms_grants": [{"GrantId": "g", "GranteePrincipal": SESSION,
        "Operations": operations, "Constraints": {"EncryptionContextSubset": {"team": "a"}}}]});
    assert_eq!(
        answer(&request(SESSION, action, KEY, &parts))["decision"],
        expected
    );
}

/// "When you specify a grantee service principal, you must include a `SourceArn` grant constraint"
/// ("Creating grants").
#[rstest]
#[case("arn:aws:s3:::a", "allowed")]
#[case("arn:aws:s3:::b", "implicit_deny")]
fn a_grant_to_a_service_holds_for_its_source(#[case] source: &str, #[case] expected: &str) {
    let parts = json!({"context": {"aws:SourceArn": source}, "kms_grants": [{"GrantId": "g",
        "GranteeServicePrincipal": "s3.amazonaws.com", "Operations": ["Decrypt"],
        "Constraints": {"SourceArn": "arn:aws:s3:::a"}}]});
    assert_eq!(
        answer(&request("s3.amazonaws.com", "kms:Decrypt", KEY, &parts))["decision"],
        expected
    );
}

#[test]
fn an_unknown_encryption_context_is_tried_with_what_the_grant_demands() {
    let parts = json!({"unknown_context": ["kms:EncryptionContext:team"], "kms_grants": [{"GrantId": "g",
        "GranteePrincipal": SESSION, "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"Team": "a"}}}]});
    let told = answer(&request(SESSION, "kms:Decrypt", KEY, &parts));
    assert_eq!(told["decision"], "depends");
    let sentence = told["explanation"].as_str().unwrap();
    assert!(
        sentence.contains("allowed if kms:EncryptionContext:team is `a`"),
        "{sentence}"
    );
}

/// A list that conditions pull apart is tried in every mixture, so a contradiction is recognised:
/// no list has only `Env` in it and something else as well.
#[test]
fn no_list_of_values_meets_a_contradiction() {
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*",
        "Action": "*", "Resource": "*", "Condition": {
            "ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": ["team", "cost", "x", "y"]},
            "ForAllValues:StringEquals": {"aws:TagKeys": "Env"}}}});
    let parts = json!({"unknown_context": ["aws:TagKeys"], "resource_policy": deny});
    let told = answer(&request(
        SESSION,
        "s3:PutObject",
        "arn:aws:s3:::b/x",
        &parts,
    ));
    assert_eq!(told["decision"], "implicit_deny", "{told}");
}

#[test]
fn two_unknown_keys_may_be_alike_or_not() {
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
        "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "${aws:username}"}}}});
    let parts = json!({"unknown_context": ["aws:SourceVpce", "aws:username"],
        "identity_policies": [{"name": "p", "document": document}]});
    let told = answer(&request(
        SESSION,
        "s3:PutObject",
        "arn:aws:s3:::b/x",
        &parts,
    ));
    let sentence = told["explanation"].as_str().unwrap();
    assert!(
        sentence.contains("is allowed if") && sentence.contains("nothing allows it if"),
        "{sentence}"
    );
}

/// `?` is "any single character" ("IAM JSON policy elements: Resource"), whatever its bytes, also
/// where wildcards in other segments may not cross a colon.
#[rstest]
#[case("arn:aws:s3:::b/?", "allowed")]
#[case("arn:aws:s?:*::b/?", "allowed")]
#[case("arn:aws:s?:*::b/é", "allowed")]
#[case("arn:aws:s?:*::b/??", "implicit_deny")]
fn a_question_mark_is_one_character(#[case] pattern: &str, #[case] expected: &str) {
    let document = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": pattern}});
    let parts = json!({"identity_policies": [{"name": "p", "document": document}]});
    let told = answer(&request(
        SESSION,
        "s3:PutObject",
        "arn:aws:s3:::b/é",
        &parts,
    ));
    assert_eq!(told["decision"], expected, "{told}");
}

/// A variable that nobody can tell matters only where its pattern could match for some value of it.
#[rstest]
#[case::of_another_service("arn:aws:s3:::landing/${aws:PrincipalTag/team}/*", "allowed")]
#[case::of_another_table("arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}-copy", "allowed")]
#[case::of_this_table("arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}s", "depends")]
fn a_pattern_with_an_unknown_variable_may_still_be_no_match(
    #[case] resource: &str,
    #[case] expected: &str,
) {
    let parts = json!({
        "unknown_context": ["aws:PrincipalTag/team", "aws:ResourceTag/team"],
        "identity_policies": [allow_all(), {"Version": "2012-10-17", "Statement": {
            "Effect": "Deny", "Action": "*", "Resource": resource, "Condition": {
                "StringNotEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}}}],
    });
    let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
    let told = answer(&request(SESSION, "dynamodb:DescribeTable", table, &parts));
    assert_eq!(told["decision"], expected, "{told}");
}

/// KMS's list of context keys is one of the "multivalued" ("Condition keys for AWS KMS"): several
/// values without a set operator match nothing.
#[test]
fn an_unknown_list_is_tried_with_several_values() {
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringLikeIfExists": {"kms:EncryptionContextKeys": "*"}}}});
    let parts =
        json!({"unknown_context": ["kms:EncryptionContextKeys"], "resource_policy": policy});
    let told = answer(&request(SESSION, "kms:Decrypt", KEY, &parts));
    assert_eq!(told["decision"], "depends", "{told}");
}

/// A key that holds `true` or is absent: an operator without `IfExists` does not match an absent key, one
/// with it does ("IAM JSON policy elements: Condition operators").
#[rstest]
#[case::usual_deny("Deny", json!({"Bool": {"aws:SecureTransport": "false"}}), "allowed")]
#[case::deny_if_exists("Deny", json!({"BoolIfExists": {"aws:SecureTransport": "false"}}), "depends")]
#[case::deny_absent("Deny", json!({"Null": {"aws:SecureTransport": "true"}}), "depends")]
#[case::deny_true("Deny", json!({"Bool": {"aws:SecureTransport": "true"}}), "depends")]
#[case::deny_false_there("Deny", json!({"Bool": {"aws:SecureTransport": "false"},
    "Null": {"aws:SecureTransport": "false"}}), "allowed")]
#[case::deny_either("Deny", json!({"BoolIfExists": {"aws:SecureTransport": "true"}}), "explicit_deny")]
#[case::allow_true("Allow", json!({"Bool": {"aws:SecureTransport": "true"}}), "depends")]
#[case::allow_if_exists("Allow", json!({"BoolIfExists": {"aws:SecureTransport": "true"}}), "allowed")]
#[case::allow_false("Allow", json!({"Bool": {"aws:SecureTransport": "false"}}), "implicit_deny")]
fn a_key_that_may_be_absent_decides_only_where_both_differ(
    #[case] effect: &str,
    #[case] condition: serde_json::Value,
    #[case] expected: &str,
) {
    let statement = json!({"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": "*",
        "Resource": "*", "Condition": condition}});
    let mut identity = vec![statement];
    if effect == "Deny" {
        identity.push(allow_all());
    }
    let parts = json!({"optional_context": {"aws:SecureTransport": "true"},
        "identity_policies": identity});
    let told = answer(&request(
        SESSION,
        "s3:PutObject",
        "arn:aws:s3:::b/x",
        &parts,
    ));
    assert_eq!(told["decision"], expected, "{told}");
}
