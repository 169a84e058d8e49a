//! Block Public Access: whether a bucket policy counts as public, and what follows.
//!
//! By "The meaning of public" ("Blocking public access to your Amazon S3 storage"): a policy is
//! taken for public, and is non-public only where every Allow "grant\[s\] access only to fixed values
//! (values that don't contain a wildcard or an IAM policy variable)" of a principal or of certain
//! condition keys.

use ipnet::IpNet;

use super::condition_value::network;
use super::document::{Condition, Document, PrincipalKind, Principals, Statement, StatementEffect};
use super::operator::{Quantifier, Test};
use super::request::Principal;

/// The condition keys whose fixed values make a statement non-public; `aws:SourceIp` and
/// `aws:userid` have rules of their own.
const FIXING_KEYS: [&str; 11] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// The broadest ranges that do not count as public: /8 for IPv4 and /32 for IPv6.
const BROADEST_V4: u8 = 8;
const BROADEST_V6: u8 = 32;

/// The statements of a bucket policy that make it public, by index; none where it is not public.
#[must_use]
pub fn public_statements(document: &Document<'_>) -> Vec<usize> {
    document
        .statements()
        .iter()
        .enumerate()
        .filter(|(_, statement)| is_public(statement))
        .map(|(index, _)| index)
        .collect()
}

/// Whether a statement grants to the public.
#[must_use]
pub fn is_public(statement: &Statement<'_>) -> bool {
    statement.effect == StatementEffect::Allow
        && statement.principals.as_ref().is_some_and(names_everybody)
        && !statement.conditions.iter().any(is_fixing)
}

/// Whether a principal element takes in everybody: `*`, or everybody but some.
fn names_everybody(principals: &Principals<'_>) -> bool {
    principals.is_everyone
        || principals.is_negated
        || principals
            .entries
            .iter()
            .any(|(kind, text)| *kind == PrincipalKind::Aws && text.value.contains('*'))
}

/// Whether a condition ties the statement to fixed values.
fn is_fixing(condition: &Condition<'_>) -> bool {
    let operator = condition.operator;
    // An absent key satisfies these, so they tie nothing down.
    if operator.is_negated || operator.if_exists || operator.quantifier == Quantifier::All {
        return false;
    }
    if condition.values.is_empty() {
        return false;
    }
    let key = condition.key.value.as_ref();
    let every = |holds: fn(&str) -> bool| condition.values.iter().all(|value| holds(&value.value));
    if key.eq_ignore_ascii_case("aws:SourceIp") {
        return operator.test == Test::IpAddress && every(is_narrow);
    }
    let compares_text = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn
    );
    if key.eq_ignore_ascii_case("aws:userid") {
        return compares_text && every(|value| is_fixed(value) && !is_role_pattern(value));
    }
    if key.eq_ignore_ascii_case("s3:DataAccessPointArn") {
        return compares_text && every(is_fixed_access_point);
    }
    compares_text
        && FIXING_KEYS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(key))
        && every(is_fixed)
}

fn is_fixed(value: &str) -> bool {
    !value.contains(['*', '?']) && !value.contains("${")
}

/// `AROLEID:*`, the sessions of a role: it counts as public.
fn is_role_pattern(value: &str) -> bool {
    value.ends_with(":*")
}

/// "The value … can contain a wildcard for the access point name without rendering the policy
/// public, as long as the account id is fixed".
fn is_fixed_access_point(value: &str) -> bool {
    let mut parts = value.splitn(6, ':');
    let head_is_fixed = parts.by_ref().take(5).all(is_fixed);
    head_is_fixed
        && parts
            .next()
            .is_some_and(|resource| resource.starts_with("accesspoint/"))
}

fn is_narrow(value: &str) -> bool {
    network(value).is_some_and(|network| {
        let broadest = match network {
            IpNet::V4(_) => BROADEST_V4,
            IpNet::V6(_) => BROADEST_V6,
        };
        network.prefix_len() >= broadest
    })
}

/// Whether `RestrictPublicBuckets` keeps a caller out of a bucket: while its policy is public, only
/// "AWS service principals and authorized users within the bucket owner's account" get in.
#[must_use]
pub fn is_restricted(policy: &Document<'_>, caller: &Principal, bucket_owner: &str) -> bool {
    let is_exempt =
        matches!(caller, Principal::Service { .. }) || caller.account() == Some(bucket_owner);
    !is_exempt && !public_statements(policy).is_empty()
}
