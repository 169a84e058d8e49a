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
