//! What explanations name: the policy, the statement and the one element that decides.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail where it stands, also in the functions that build its cases"
)]

use rstest::rstest;
use serde_json::{Value, json};
use tableferry_policy::simulate::simulate_line;

fn answer(request: &Value) -> (String, String) {
    let mut out = String::new();
    simulate_line(&request.to_string(), &mut out);
    let answer: Value = serde_json::from_str(&out).unwrap();
    let text = |key: &str| answer[key].as_str().unwrap().to_owned();
    (text("decision"), text("explanation"))
}

fn with(mut base: Value, elements: &Value) -> Value {
    for (key, value) in elements.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

/// A bucket policy that lets anybody in who comes from one VPC; within the account that would do.
fn from_a_vpc() -> Value {
    json!({"id": 1, "principal": "arn:aws:iam::222222222222:user/app", "action": "s3:PutObject",
        "resource": "arn:aws:s3:::export-landing/a", "resource_account": "222222222222", "context": {},
        "resource_policy": {"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::export-landing/*",
            "Condition": {"StringEquals": {"aws:sourceVpc": "vpc-00ae2b64"}}}]}})
}

#[rstest]
#[case(json!({}), "it is absent")]
#[case(json!({"aws:SourceVpc": "vpc-11111111"}), "it is `vpc-11111111`")]
fn where_either_side_would_do_the_near_miss_of_the_bucket_policy_is_told(
    #[case] context: Value,
    #[case] held: &str,
) {
    let (decision, explanation) = answer(&with(from_a_vpc(), &json!({ "context": context })));
    assert_eq!(decision, "implicit_deny");
    let wanted = format!(
        "the statement `#0` of `resource policy` would apply, but its condition needs a match with \
         `vpc-00ae2b64` in aws:sourceVpc, and {held}"
    );
    assert!(explanation.contains(&wanted), "{explanation}");
    assert!(
        explanation.contains("no identity-based policy allows it"),
        "{explanation}"
    );
    let there = json!({"context": {"aws:SourceVpc": "vpc-00ae2b64"}});
    assert_eq!(answer(&with(from_a_vpc(), &there)).0, "allowed");
}

#[test]
fn near_misses_of_both_sides_are_told() {
    let identity = json!([{"name": "Writer", "document": {"Version": "2012-10-17", "Statement": [{"Sid": "Put",
        "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-landing"}]}}]);
    let (_, explanation) = answer(&with(
        from_a_vpc(),
        &json!({ "identity_policies": identity }),
    ));
    for part in [
        "`Put` of `Writer`",
        "the bucket, not the objects",
        "aws:sourceVpc",
    ] {
        assert!(explanation.contains(part), "{explanation}");
    }
}

/// A bucket policy that names the account delegates to it: it lacks nothing, the identity side does.
/// Across accounts the one side does not make up for the other.
#[rstest]
#[case(json!({"principal": "arn:aws:iam::333333333333:user/app"}))]
#[case(json!({"resource_policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"AWS": "222222222222"}, "Action": "s3:*", "Resource": "*"}]}}))]
#[case(json!({"resource_policy": null}))]
fn where_the_bucket_policy_alone_would_not_do_it_is_not_named(#[case] elements: Value) {
    let (decision, explanation) = answer(&with(from_a_vpc(), &elements));
    assert_eq!(decision, "implicit_deny");
    assert!(!explanation.contains("would do as well"), "{explanation}");
}

const ACCOUNT: &str = "arn:aws:iam::111111111111:root";
const ROLE: &str = "arn:aws:iam::111111111111:role/Exporter";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Exporter/night";
const USER: &str = "arn:aws:iam::111111111111:user/ann";

fn not_principal(principal: &str, listed: &Value) -> Value {
    json!({"id": 1, "principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::export-landing/x",
        "resource_account": "111111111111", "context": {},
        "identity_policies": [{"name": "read", "document": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::export-landing/*"}]}}],
        "resource_policy": {"Version": "2012-10-17", "Statement": [{"Sid": "OnlyExporter", "Effect": "Deny",
            "NotPrincipal": {"AWS": listed}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::export-landing/*"}]}})
}

/// "AWS checks the account, then the role, and then the assumed-role user" ("AWS JSON policy elements: `NotPrincipal`").
#[rstest]
#[case(
    ROLE,
    json!(ROLE),
    "its NotPrincipal lists the role arn:aws:iam::111111111111:role/Exporter, and it must list the account 111111111111 too"
)]
#[case(ROLE, json!(ACCOUNT), "lists the account 111111111111, and it must list the role arn:aws:iam::111111111111:role/Exporter too")]
#[case(ROLE, json!(USER), "does not list the account 111111111111 and the role arn:aws:iam::111111111111:role/Exporter")]
#[case(
    SESSION,
    json!([ACCOUNT, ROLE]),
    "lists the account 111111111111 and the role `Exporter`, and it must list the session arn:aws:sts::111111111111:assumed-role/Exporter/night too"
)]
#[case(SESSION, json!([ROLE, SESSION]), "and it must list the account 111111111111 too")]
#[case(SESSION, json!([ACCOUNT, SESSION]), "and it must list the role `Exporter` too")]
#[case(
    SESSION,
    json!("222222222222"),
    "does not list the account 111111111111, the role `Exporter` and the session arn:aws:sts::111111111111:assumed-role/Exporter/night"
)]
#[case(USER, json!(USER), "lists the user arn:aws:iam::111111111111:user/ann, and it must list the account 111111111111 too")]
#[case("111111111111", json!("222222222222"), "does not list the account 111111111111")]
#[case("anonymous", json!(ACCOUNT), "does not list an anonymous caller")]
fn what_a_not_principal_lacks_is_named(
    #[case] principal: &str,
    #[case] listed: Value,
    #[case] wanted: &str,
) {
    let (decision, explanation) = answer(&not_principal(principal, &listed));
    assert_eq!(decision, "explicit_deny", "{explanation}");
    assert!(explanation.contains(wanted), "{explanation}");
}

#[test]
fn a_permissions_boundary_is_named_where_the_list_is_whole() {
    let all = json!({"name": "b", "document": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]}});
    let request = with(
        not_principal(ROLE, &json!([ACCOUNT, ROLE])),
        &json!({ "permissions_boundary": all }),
    );
    let (decision, explanation) = answer(&request);
    assert_eq!(decision, "explicit_deny", "{explanation}");
    assert!(
        explanation.contains("has a permissions boundary"),
        "{explanation}"
    );
    let whole = not_principal(ROLE, &json!([ACCOUNT, ROLE]));
    assert_eq!(answer(&whole).0, "allowed");
}

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const EXPORTER: &str = "arn:aws:iam::111111111111:role/OnCallExporter";

/// A call on a key of another account, whose policy enables its own account first.
fn on_a_foreign_key(statement: &Value, context: &Value) -> Value {
    json!({"id": 1, "principal": EXPORTER, "action": "kms:GenerateDataKey", "resource": KEY,
        "resource_account": "222222222222", "context": context,
        "identity_policies": [{"name": "all", "document": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}}],
        "resource_policy": {"Version": "2012-10-17", "Statement": [
            {"Sid": "EnableIamPolicies", "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "kms:*", "Resource": "*"},
            statement]}})
}

/// The statement that names the caller is explained, with the one element that fails, and not the one
/// that is for the key's own account.
#[rstest]
#[case::context(
    json!({"Sid": "ProductionExports", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*", "Condition": {
            "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::export-kms-default/*"]}}}),
    "the statement `ProductionExports` of `resource policy` would apply, but its condition needs a match with \
     `arn:aws:s3:::export-kms-default/*` in kms:EncryptionContext:aws:s3:arn, and it is \
     `arn:aws:s3:::export-kms-default`"
)]
#[case::cut_short(
    json!({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": EXPORTER}, "Action": "kms:", "Resource": "*"}),
    "the statement `Use` of `resource policy` would apply, but its Action `kms:` is cut short and names nothing"
)]
#[case::other_action(
    json!({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": EXPORTER}, "Action": "kms:Decrypt", "Resource": "*"}),
    "the statement `Use` of `resource policy` would apply, but its Action does not cover kms:GenerateDataKey"
)]
fn the_statement_that_names_the_caller_is_explained(
    #[case] statement: Value,
    #[case] wanted: &str,
) {
    let context = json!({"kms:ViaService": "s3.eu-west-1.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::export-kms-default"});
    let (decision, explanation) = answer(&on_a_foreign_key(&statement, &context));
    assert_eq!(decision, "implicit_deny", "{explanation}");
    assert!(explanation.contains(wanted), "{explanation}");
    assert!(!explanation.contains("EnableIamPolicies"), "{explanation}");
}

/// Where no statement is for the caller, the one for somebody else is all there is to tell.
#[test]
fn a_statement_for_somebody_else_is_told_where_there_is_none_nearer() {
    let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"});
    let (_, explanation) = answer(&on_a_foreign_key(&theirs, &json!({})));
    assert!(
        explanation.contains(&format!(
            "`EnableIamPolicies` of `resource policy` would apply, but its Principal does not name {EXPORTER}"
        )),
        "{explanation}"
    );
}

/// A request under resource control policies whose keys nobody knows.
fn under_controls(statements: &Value) -> Value {
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]});
    let own = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    json!({"id": 1, "principal": EXPORTER, "action": "s3:PutObject", "resource": "arn:aws:s3:::export-landing/x",
        "resource_account": "111111111111",
        "context": {"aws:PrincipalAccount": "111111111111", "aws:PrincipalIsAWSService": "false"},
        "unknown_context": ["aws:PrincipalOrgID", "aws:ResourceTag/dp:exclude:identity"],
        "identity_policies": [{"name": "own", "document": own}],
        "resource_control_policies": [{"target": "root", "policies": [
            {"name": "RCPFullAWSAccess", "document": all},
            {"name": "perimeter", "document": {"Version": "2012-10-17", "Statement": statements}}]}]})
}

/// A key that may have either of two values is one way to be allowed, also beside another.
#[test]
fn a_way_is_no_larger_than_it_need_be() {
    let allow = |key: &str, value: &str| {
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringEquals": {key: value}}})
    };
    let mut request = under_controls(&json!([deny(
        &json!({"Bool": {"aws:PrincipalIsAWSService": "true"}})
    )]));
    request["identity_policies"][0]["document"]["Statement"] = json!([
        allow(ORGANIZATION, "o-one"),
        allow(ORGANIZATION, "o-two"),
        allow(TAG, "true"),
    ]);
    let mut out = String::new();
    simulate_line(&request.to_string(), &mut out);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        answer["dependency"],
        json!({"any_of": [ORGANIZATION, TAG]}),
        "{answer}"
    );
}

fn deny(conditions: &Value) -> Value {
    json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": conditions})
}

const ORGANIZATION: &str = "aws:PrincipalOrgID";
const TAG: &str = "aws:ResourceTag/dp:exclude:identity";

/// "If your policy has multiple condition operators or multiple keys attached to a single condition
/// operator, the conditions are evaluated using a logical AND" ("Conditions with multiple context keys
/// or values"): a Deny with two exceptions exempts what meets either; two Denies must both be met.
#[rstest]
#[case::one_deny(
    json!([deny(&json!({
        "StringNotEqualsIfExists": {ORGANIZATION: "o-tableferry1", "aws:PrincipalAccount": ["444444444444"], TAG: "true"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}))]),
    json!({"any_of": [ORGANIZATION, TAG]}),
    "depends on aws:PrincipalOrgID or aws:ResourceTag/dp:exclude:identity: ",
    "it is allowed if aws:PrincipalOrgID is `o-tableferry1`, or if aws:ResourceTag/dp:exclude:identity is `true`"
)]
#[case::two_denies(
    json!([
        deny(&json!({"StringNotEqualsIfExists": {ORGANIZATION: "o-tableferry1"}})),
        deny(&json!({"StringNotEqualsIfExists": {TAG: "true"}}))]),
    json!({"all_of": [ORGANIZATION, TAG]}),
    "depends on aws:PrincipalOrgID and aws:ResourceTag/dp:exclude:identity: ",
    "it is allowed if aws:PrincipalOrgID is `o-tableferry1` and aws:ResourceTag/dp:exclude:identity is `true`"
)]
fn how_the_unknown_keys_combine_is_said(
    #[case] statements: Value,
    #[case] dependency: Value,
    #[case] on: &str,
    #[case] allowed: &str,
) {
    let mut out = String::new();
    simulate_line(&under_controls(&statements).to_string(), &mut out);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["decision"], "depends", "{answer}");
    assert_eq!(answer["depends_on"], json!([ORGANIZATION, TAG]));
    assert_eq!(answer["dependency"], dependency, "{answer}");
    let explanation = answer["explanation"].as_str().unwrap();
    for part in [on, allowed, "it is denied explicitly if"] {
        assert!(explanation.contains(part), "{explanation}");
    }
}
