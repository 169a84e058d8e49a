//! The evaluation logic against AWS's own documentation: each case cites its page.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test may fail where it stands, also in the functions that build its cases, which read best by value"
)]

use rstest::rstest;
use serde_json::{Value, json};
use tableferry_policy::simulate::{LineStatus, simulate_line};

const ACCOUNT: &str = "111111111111";
const OTHER: &str = "222222222222";
const ROLE: &str = "arn:aws:iam::111111111111:role/Exporter";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Exporter/ann";
const USER: &str = "arn:aws:iam::111111111111:user/ann";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OBJECT: &str = "arn:aws:s3:::landing/prod/x";

/// A request whose parts a case overwrites.
fn request(principal: &str, action: &str, resource: &str, owner: &str) -> Value {
    json!({"id": 1, "principal": principal, "action": action, "resource": resource,
           "resource_account": owner, "context": {}})
}

fn with(mut request: Value, parts: Value) -> Value {
    for (key, value) in parts.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

fn policy(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: &str, resource: &str) -> Value {
    policy(json!({"Effect": "Allow", "Action": action, "Resource": resource}))
}

fn deny(action: &str) -> Value {
    policy(json!({"Effect": "Deny", "Action": action, "Resource": "*"}))
}

fn granting(principal: Value) -> Value {
    policy(json!({"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}))
}

fn trusting(principal: Value) -> Value {
    policy(json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
}

fn answer(request: &Value) -> Value {
    let mut out = String::new();
    let status = simulate_line(&request.to_string(), &mut out);
    assert_eq!(status, LineStatus::Answered, "{out}");
    serde_json::from_str(&out).unwrap()
}

fn decision(request: &Value) -> String {
    answer(request)["decision"].as_str().unwrap().to_owned()
}

fn named(document: Value) -> Value {
    json!([{"name": "p", "document": document}])
}

fn levels(documents: &[Value]) -> Value {
    documents
        .iter()
        .map(|document| json!({"target": "t", "policies": [{"name": "l", "document": document}]}))
        .collect()
}

/// "Policy evaluation for requests within a single account" and "How AWS enforcement code logic
/// evaluates requests to allow or deny access".
#[rstest]
#[case::nothing_allows(json!({}), "implicit_deny")]
#[case::an_identity_policy_suffices(json!({"identity_policies": named(allow("s3:*", "*"))}), "allowed")]
#[case::a_resource_policy_suffices(json!({"resource_policy": granting(json!({"AWS": USER}))}), "allowed")]
#[case::a_deny_in_the_resource_policy_wins(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "resource_policy": policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}))}),
    "explicit_deny")]
#[case::a_deny_in_the_boundary_wins(
    json!({"identity_policies": named(allow("s3:*", "*")), "permissions_boundary": deny("s3:*")}), "explicit_deny")]
#[case::a_boundary_limits_identity_policies(
    json!({"identity_policies": named(allow("s3:*", "*")), "permissions_boundary": allow("ec2:*", "*")}), "implicit_deny")]
#[case::a_grant_to_the_user_gets_past_the_boundary(
    json!({"resource_policy": granting(json!({"AWS": USER})), "permissions_boundary": allow("ec2:*", "*")}), "allowed")]
#[case::a_grant_to_everybody_gets_past_the_boundary(
    json!({"resource_policy": granting(json!("*")), "permissions_boundary": allow("ec2:*", "*")}), "allowed")]
#[case::an_scp_limits_both_sides(
    json!({"resource_policy": granting(json!({"AWS": USER})), "service_control_policies": levels(&[allow("ec2:*", "*")])}),
    "implicit_deny")]
#[case::an_scp_must_allow_at_every_level(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "service_control_policies": levels(&[allow("*", "*"), allow("ec2:*", "*"), allow("*", "*")])}), "implicit_deny")]
#[case::an_scp_that_allows_at_every_level_lets_pass(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "service_control_policies": levels(&[allow("*", "*"), allow("s3:*", "*")])}), "allowed")]
#[case::an_scp_denies(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "service_control_policies": levels(&[policy(json!([
               {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]))])}),
    "explicit_deny")]
#[case::the_full_access_rcp_is_implied(
    json!({"identity_policies": named(allow("s3:*", "*")), "resource_control_policies": levels(&[])}), "allowed")]
#[case::an_rcp_denies(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "resource_control_policies": levels(&[policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}))])}),
    "explicit_deny")]
#[case::an_endpoint_policy_must_allow(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "vpc_endpoint_policy": policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}))}),
    "implicit_deny")]
fn within_an_account(#[case] parts: Value, #[case] expected: &str) {
    let request = with(request(USER, "s3:PutObject", OBJECT, ACCOUNT), parts);
    assert_eq!(decision(&request), expected);
}

/// The same page, "Resource-based policies": a role's ARN is limited, a session's is not.
#[rstest]
#[case::the_role_gets_past_missing_identity_policies(json!({"AWS": ROLE}), json!({}), "allowed")]
#[case::the_role_is_limited_by_the_boundary(
    json!({"AWS": ROLE}), json!({"permissions_boundary": allow("ec2:*", "*")}), "implicit_deny")]
#[case::the_role_is_limited_by_the_session_policy(
    json!({"AWS": ROLE}), json!({"session_policy": allow("ec2:*", "*")}), "implicit_deny")]
#[case::the_session_is_not_limited_by_the_boundary(
    json!({"AWS": SESSION}), json!({"permissions_boundary": allow("ec2:*", "*")}), "allowed")]
#[case::the_session_is_not_limited_by_the_session_policy(
    json!({"AWS": SESSION}), json!({"session_policy": allow("ec2:*", "*")}), "allowed")]
#[case::a_deny_in_the_session_policy_still_wins(
    json!({"AWS": SESSION}), json!({"session_policy": deny("s3:*")}), "explicit_deny")]
#[case::another_session_is_not_named(
    json!({"AWS": "arn:aws:sts::111111111111:assumed-role/Exporter/bob"}), json!({}), "implicit_deny")]
#[case::sessions_take_no_wildcard(
    json!({"AWS": "arn:aws:sts::111111111111:assumed-role/Exporter/*"}), json!({}), "implicit_deny")]
#[case::the_account_only_delegates(json!({"AWS": ACCOUNT}), json!({}), "implicit_deny")]
#[case::a_deleted_role_matches_nobody(json!({"AWS": "AROAEXAMPLEID12345678"}), json!({}), "implicit_deny")]
#[case::a_service_written_as_aws_matches_nobody(json!({"AWS": "s3.amazonaws.com"}), json!({}), "implicit_deny")]
fn a_grant_to_a_role_and_to_its_session(
    #[case] principal: Value,
    #[case] parts: Value,
    #[case] expected: &str,
) {
    let request = with(
        request(SESSION, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"resource_policy": granting(principal)}),
    );
    assert_eq!(decision(&with(request, parts)), expected);
}

/// "AWS JSON policy elements: Principal": a condition on aws:PrincipalArn under `*` is not limited.
#[test]
fn a_grant_by_principal_arn_gets_past_boundary_and_session_policy() {
    let resource = policy(
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}}),
    );
    let request = with(
        request(SESSION, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"resource_policy": resource, "permissions_boundary": allow("ec2:*", "*"),
               "session_policy": allow("ec2:*", "*"), "context": {"aws:PrincipalArn": ROLE}}),
    );
    assert_eq!(decision(&request), "allowed");
}

/// "Cross-account policy evaluation logic": both sides must allow.
#[rstest]
#[case::only_the_caller(json!({"identity_policies": named(allow("s3:*", "*"))}), "implicit_deny")]
#[case::only_the_bucket(json!({"resource_policy": granting(json!({"AWS": ROLE}))}), "implicit_deny")]
#[case::only_the_bucket_naming_the_session(json!({"resource_policy": granting(json!({"AWS": SESSION}))}), "implicit_deny")]
#[case::both(
    json!({"identity_policies": named(allow("s3:*", "*")), "resource_policy": granting(json!({"AWS": ROLE}))}), "allowed")]
#[case::both_by_account(
    json!({"identity_policies": named(allow("s3:*", "*")),
           "resource_policy": granting(json!({"AWS": "arn:aws:iam::111111111111:root"}))}), "allowed")]
#[case::another_account_is_named(
    json!({"identity_policies": named(allow("s3:*", "*")), "resource_policy": granting(json!({"AWS": OTHER}))}), "implicit_deny")]
#[case::the_boundary_limits_the_caller(
    json!({"identity_policies": named(allow("s3:*", "*")), "resource_policy": granting(json!({"AWS": SESSION})),
           "permissions_boundary": allow("ec2:*", "*")}), "implicit_deny")]
#[case::the_rcp_of_the_bucket_denies(
    json!({"identity_policies": named(allow("s3:*", "*")), "resource_policy": granting(json!({"AWS": ROLE})),
           "resource_control_policies": levels(&[policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*",
               "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-mine"}}}))])}),
    "explicit_deny")]
fn across_accounts(#[case] parts: Value, #[case] expected: &str) {
    let request = with(request(SESSION, "s3:PutObject", OBJECT, OTHER), parts);
    assert_eq!(decision(&request), expected);
}

/// "Key policies in AWS KMS", "Grants in AWS KMS", "Allowing users in other accounts to use a KMS key".
#[rstest]
#[case::identity_policies_alone_do_nothing(ACCOUNT, json!({"identity_policies": named(allow("kms:*", "*"))}), "implicit_deny")]
#[case::the_key_policy_names_the_role(ACCOUNT, json!({"resource_policy": granting(json!({"AWS": ROLE}))}), "allowed")]
#[case::the_key_policy_delegates_to_nobody_in_particular(
    ACCOUNT, json!({"resource_policy": granting(json!({"AWS": "arn:aws:iam::111111111111:root"}))}), "implicit_deny")]
#[case::the_key_policy_delegates_to_identity_policies(
    ACCOUNT, json!({"resource_policy": granting(json!({"AWS": "arn:aws:iam::111111111111:root"})),
                    "identity_policies": named(allow("kms:Decrypt", KEY))}), "allowed")]
#[case::a_foreign_key_needs_both(OTHER, json!({"resource_policy": granting(json!({"AWS": ROLE}))}), "implicit_deny")]
#[case::a_foreign_key_has_both(
    OTHER, json!({"resource_policy": granting(json!({"AWS": ACCOUNT})), "identity_policies": named(allow("kms:*", "*"))}), "allowed")]
#[case::a_grant_allows(
    ACCOUNT, json!({"kms_grants": [{"grant_id": "g", "grantee_principal": ROLE, "operations": ["Decrypt"]}]}), "allowed")]
#[case::a_grant_for_another_operation(
    ACCOUNT, json!({"kms_grants": [{"grant_id": "g", "grantee_principal": ROLE, "operations": ["Encrypt"]}]}), "implicit_deny")]
#[case::a_grant_that_demands_a_context(
    ACCOUNT, json!({"kms_grants": [{"grant_id": "g", "grantee_principal": ROLE, "operations": ["Decrypt"],
        "constraints": {"encryption_context_subset": {"team": "a"}}}]}), "implicit_deny")]
#[case::a_grant_whose_context_is_there(
    ACCOUNT, json!({"context": {"kms:EncryptionContext:team": "a"},
        "kms_grants": [{"grant_id": "g", "grantee_principal": ROLE, "operations": ["Decrypt"],
        "constraints": {"encryption_context_subset": {"team": "a"}}}]}), "allowed")]
fn keys(#[case] owner: &str, #[case] parts: Value, #[case] expected: &str) {
    let request = with(request(SESSION, "kms:Decrypt", KEY, owner), parts);
    assert_eq!(decision(&request), expected);
}

/// "RCPs do not impact" kms:RetireGrant ("Resources and entities not restricted by RCPs").
#[test]
fn no_rcp_denies_the_retiring_of_a_grant() {
    let rcp =
        policy(json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}));
    let parts = json!({"resource_policy": granting(json!({"AWS": ROLE})), "resource_control_policies": levels(&[rcp])});
    let retire = with(
        request(SESSION, "kms:RetireGrant", KEY, ACCOUNT),
        parts.clone(),
    );
    assert_eq!(decision(&retire), "allowed");
    assert_eq!(
        decision(&with(request(SESSION, "kms:Decrypt", KEY, ACCOUNT), parts)),
        "explicit_deny"
    );
}

/// "Update a role trust policy", and the exceptions named on the evaluation page.
#[rstest]
#[case::without_trust(ACCOUNT, json!({"identity_policies": named(allow("sts:*", "*"))}), "implicit_deny")]
#[case::trust_in_the_user(ACCOUNT, json!({"resource_policy": trusting(json!({"AWS": USER}))}), "allowed")]
#[case::trust_in_the_account_needs_the_identity_policy(
    ACCOUNT, json!({"resource_policy": trusting(json!({"AWS": ACCOUNT}))}), "implicit_deny")]
#[case::trust_in_the_account_with_the_identity_policy(
    ACCOUNT, json!({"resource_policy": trusting(json!({"AWS": ACCOUNT})), "identity_policies": named(allow("sts:AssumeRole", "*"))}),
    "allowed")]
#[case::across_accounts_both(OTHER, json!({"resource_policy": trusting(json!({"AWS": USER}))}), "implicit_deny")]
#[case::across_accounts_both_are_there(
    OTHER, json!({"resource_policy": trusting(json!({"AWS": USER})), "identity_policies": named(allow("sts:AssumeRole", "*"))}),
    "allowed")]
fn trust(#[case] owner: &str, #[case] parts: Value, #[case] expected: &str) {
    let role = format!("arn:aws:iam::{owner}:role/Landing");
    let request = with(request(USER, "sts:AssumeRole", &role, owner), parts);
    assert_eq!(decision(&request), expected);
}

/// Who is bound by what: "SCPs … don't affect any service-linked role", "service principals".
#[test]
fn a_service_needs_the_resource_policy_and_no_scp_binds_it() {
    let parts = json!({"resource_policy": granting(json!({"Service": "s3.amazonaws.com"})),
        "identity_policies": [], "service_control_policies": levels(&[deny("s3:*")])});
    let service = with(
        request("s3.amazonaws.com", "s3:PutObject", OBJECT, ACCOUNT),
        parts.clone(),
    );
    assert_eq!(decision(&service), "allowed");
    let other = with(
        request("logging.s3.amazonaws.com", "s3:PutObject", OBJECT, ACCOUNT),
        parts,
    );
    assert_eq!(decision(&other), "implicit_deny");
}

#[test]
fn nobody_gets_what_is_granted_to_everybody_and_nothing_else() {
    let open = with(
        request("anonymous", "s3:GetObject", OBJECT, ACCOUNT),
        json!({"resource_policy": granting(json!("*"))}),
    );
    assert_eq!(decision(&open), "allowed");
    let closed = with(
        open,
        json!({"resource_policy": granting(json!({"AWS": ACCOUNT}))}),
    );
    assert_eq!(decision(&closed), "implicit_deny");
}

#[test]
fn the_root_user_has_full_access_but_for_scps_and_denies() {
    let root = request(
        "arn:aws:iam::111111111111:root",
        "s3:PutObject",
        OBJECT,
        ACCOUNT,
    );
    assert_eq!(decision(&root), "allowed");
    let bound = with(
        root.clone(),
        json!({"service_control_policies": levels(&[allow("ec2:*", "*")])}),
    );
    assert_eq!(decision(&bound), "implicit_deny");
    let foreign = with(root, json!({"resource_account": OTHER}));
    assert_eq!(decision(&foreign), "implicit_deny");
}

#[test]
fn no_organization_policy_binds_a_service_linked_role() {
    let role = "arn:aws:iam::111111111111:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    let rcp = policy(json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}));
    let request = with(
        request(role, "s3:PutObject", OBJECT, ACCOUNT),
        json!({
        "identity_policies": named(allow("*", "*")),
        "service_control_policies": levels(&[deny("*")]), "resource_control_policies": levels(&[rcp])}),
    );
    assert_eq!(decision(&request), "allowed");
}

/// `GetFederationToken`: without a session policy the session has no permissions of its own.
#[test]
fn a_federated_user_has_what_its_session_policy_leaves() {
    let user = "arn:aws:sts::111111111111:federated-user/ann";
    let bare = with(
        request(user, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"identity_policies": named(allow("s3:*", "*"))}),
    );
    assert_eq!(decision(&bare), "implicit_deny");
    let scoped = with(
        bare.clone(),
        json!({"session_policy": allow("s3:Put*", "*")}),
    );
    assert_eq!(decision(&scoped), "allowed");
    let named = with(
        bare,
        json!({"resource_policy": granting(json!({"AWS": user}))}),
    );
    assert_eq!(decision(&named), "allowed");
}

/// `GetCallerIdentity`: "even if … a policy … explicitly denies access".
#[test]
fn everybody_may_ask_who_he_is() {
    let request = with(
        request(USER, "sts:GetCallerIdentity", "*", ACCOUNT),
        json!({"identity_policies": named(deny("sts:*"))}),
    );
    assert_eq!(decision(&request), "allowed");
}

/// "AWS JSON policy elements: `NotPrincipal`".
#[rstest]
#[case::the_whole_chain(json!([ACCOUNT, ROLE, SESSION]), false, "allowed")]
#[case::without_the_session(json!([ACCOUNT, ROLE]), false, "explicit_deny")]
#[case::without_the_account(json!([ROLE, SESSION]), false, "explicit_deny")]
#[case::nobody_of_them(json!([OTHER]), false, "explicit_deny")]
#[case::a_boundary_is_never_exempt(json!([ACCOUNT, ROLE, SESSION]), true, "explicit_deny")]
fn a_deny_for_all_but_some(
    #[case] exempt: Value,
    #[case] has_boundary: bool,
    #[case] expected: &str,
) {
    let mut parts = json!({"identity_policies": named(allow("s3:*", "*")), "resource_policy": policy(json!(
        {"Effect": "Deny", "NotPrincipal": {"AWS": exempt}, "Action": "s3:*", "Resource": "*"}))});
    if has_boundary {
        parts["permissions_boundary"] = allow("*", "*");
    }
    let request = with(request(SESSION, "s3:PutObject", OBJECT, ACCOUNT), parts);
    assert_eq!(decision(&request), expected);
}

#[test]
fn not_principal_with_allow_grants_nothing() {
    let resource = policy(
        json!({"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "s3:*", "Resource": "*"}),
    );
    let request = with(
        request(USER, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"resource_policy": resource}),
    );
    assert_eq!(decision(&request), "implicit_deny");
}

/// S3 Inventory's delivery ("Amazon S3 Inventory": granting permissions), and a blanket Deny that
/// also hits the service unless aws:SourceArn exempts it.
#[test]
fn a_blanket_deny_hits_the_inventory_unless_its_source_is_exempt() {
    let deliver = json!({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::landing/*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::source"},
        "StringEquals": {"aws:SourceAccount": OTHER, "s3:x-amz-acl": "bucket-owner-full-control"}}});
    let mut office = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::landing/*",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}});
    let context = json!({"aws:SourceArn": "arn:aws:s3:::source", "aws:SourceAccount": OTHER,
        "s3:x-amz-acl": "bucket-owner-full-control"});
    let base = with(
        request("s3.amazonaws.com", "s3:PutObject", OBJECT, ACCOUNT),
        json!({"context": context}),
    );
    let blocked = with(
        base.clone(),
        json!({"resource_policy": policy(json!([deliver, office]))}),
    );
    assert_eq!(decision(&blocked), "explicit_deny");
    office["Condition"]["ArnNotLike"] = json!({"aws:SourceArn": "arn:aws:s3:::source"});
    let exempt = with(
        base,
        json!({"resource_policy": policy(json!([deliver, office]))}),
    );
    assert_eq!(decision(&exempt), "allowed");
}

#[test]
fn the_bucket_in_place_of_its_objects_is_told() {
    let request = with(
        request(
            USER,
            "s3:PutObject",
            "arn:aws:s3:::export-landing/x",
            ACCOUNT,
        ),
        json!({
        "identity_policies": [{"name": "w", "document": policy(json!(
            {"Sid": "AllowExport", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-landing"}))}]}),
    );
    let explanation = answer(&request)["explanation"].as_str().unwrap().to_owned();
    assert!(
        explanation.contains(
            "the statement `AllowExport` of `w` would apply, but its Resource is the bucket, not the objects in it: \
             `arn:aws:s3:::export-landing` should be `arn:aws:s3:::export-landing/*`"
        ),
        "{explanation}"
    );
}

#[test]
fn an_unknown_address_makes_the_answer_depend_on_it() {
    let bucket = policy(json!([
        {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "s3:*", "Resource": "*"},
        {"Sid": "Office", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
         "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}]));
    let request = with(
        request(USER, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"resource_policy": bucket, "unknown_context": ["aws:SourceIp", "aws:UserAgent"]}),
    );
    let answer = answer(&request);
    assert_eq!(answer["decision"], "depends");
    assert_eq!(answer["depends_on"], json!(["aws:SourceIp"]));
}

#[test]
fn two_halves_that_cover_every_value_leave_no_doubt() {
    let identity = policy(json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringLike": {"aws:UserAgent": "*"}}},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Null": {"aws:UserAgent": "true"}}}]));
    let request = with(
        request(USER, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"identity_policies": named(identity), "unknown_context": ["aws:UserAgent"]}),
    );
    assert_eq!(decision(&request), "allowed");
}

#[test]
fn a_line_that_cannot_be_read_says_so_and_keeps_its_id() {
    let mut out = String::new();
    let status = simulate_line(
        r#"{"id":"a","principal":"nobody at all","action":"s3:PutObject"}"#,
        &mut out,
    );
    assert_eq!(status, LineStatus::Unreadable);
    assert!(out.starts_with(r#"{"id":"a","error":"#), "{out}");
}

/// A permission set's role: its session is matched by account and a condition on its role's ARN
/// ("Referencing permission sets in resource policies", IAM Identity Center user guide).
#[test]
fn an_identity_center_role_is_granted_through_its_account_and_its_arn() {
    let session =
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Export_0123456789abcdef/ann";
    let role = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Export_0123456789abcdef";
    let bucket = policy(
        json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::landing/*", "Condition": {"ArnLike": {"aws:PrincipalArn":
        "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Export_*"}}}),
    );
    let parts = json!({"resource_policy": bucket, "identity_policies": named(allow("s3:PutObject", "*")),
        "context": {"aws:PrincipalArn": role}});
    let request = with(request(session, "s3:PutObject", OBJECT, OTHER), parts);
    assert_eq!(decision(&request), "allowed");
    let by_role = with(
        request,
        json!({"resource_policy": granting(json!({"AWS": role}))}),
    );
    assert_eq!(decision(&by_role), "allowed");
}

/// "AWS global condition context keys": calls that a service forwards are exempt by
/// `aws:ViaAWSService`, or by `aws:CalledVia`, which is a list.
#[rstest]
#[case::the_address_alone(json!({}), "explicit_deny")]
#[case::forwarded_calls_are_exempt(json!({"Bool": {"aws:ViaAWSService": "false"}}), "allowed")]
#[case::calls_through_dynamodb_are_exempt(
    json!({"ForAllValues:StringNotEquals": {"aws:CalledVia": "dynamodb.amazonaws.com"}}), "allowed")]
#[case::calls_through_another_service_are_not(
    json!({"ForAllValues:StringNotEquals": {"aws:CalledVia": "athena.amazonaws.com"}}), "explicit_deny")]
fn a_deny_on_addresses_and_its_exemptions(#[case] exemption: Value, #[case] expected: &str) {
    let mut condition = json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    for (operator, keys) in exemption.as_object().unwrap() {
        condition[operator] = keys.clone();
    }
    let bucket = policy(
        json!([{"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition}]),
    );
    let request = with(
        request(USER, "s3:PutObject", OBJECT, ACCOUNT),
        json!({"resource_policy": bucket,
        "context": {"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "true", "aws:CalledVia": ["dynamodb.amazonaws.com"]}}),
    );
    assert_eq!(decision(&request), expected);
}

/// "kms:ViaService" in the KMS developer guide; the export's use of the bucket's key.
#[rstest]
#[case("s3.eu-west-1.amazonaws.com", "allowed")]
#[case("s3.us-east-1.amazonaws.com", "implicit_deny")]
fn a_key_may_be_used_through_one_service_only(#[case] via: &str, #[case] expected: &str) {
    let key = policy(
        json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}),
    );
    let request = with(
        request(SESSION, "kms:Decrypt", KEY, OTHER),
        json!({"resource_policy": key,
        "identity_policies": named(allow("kms:Decrypt", KEY)), "context": {"kms:ViaService": via}}),
    );
    assert_eq!(decision(&request), expected);
}

/// A sample that is cut short, `"Action": "kms:"`, allows nothing; and a role's ARN is a principal
/// that covers its sessions.
#[test]
fn an_action_that_is_cut_short_is_told() {
    let key = policy(
        json!({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:", "Resource": "*"}),
    );
    let answer = answer(&with(
        request(SESSION, "kms:Decrypt", KEY, ACCOUNT),
        json!({"resource_policy": key}),
    ));
    assert_eq!(answer["decision"], "implicit_deny");
    let explanation = answer["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("its Action `kms:` is cut short"),
        "{explanation}"
    );
}
