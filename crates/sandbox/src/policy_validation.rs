//! What AWS checks of a policy before it takes it: its form, that its principals exist, that it is about
//! the resource it is put on, and, under Block Public Access, that it is not public.

pub(super) mod bucket;
pub(super) mod identity;
pub(super) mod key;

use jiff::Timestamp;
use serde_json::Value;

use super::bucket::{Bucket, PublicAccess};
use super::caller::Caller;
use super::world::World;
use tableferry_policy::document::{Document, PrincipalKind};
use tableferry_policy::public::public_statements;

impl World {
    /// Whether a setting of Block Public Access is on for a bucket, by itself or by its account: "the
    /// most restrictive combination of the bucket-level and account-level settings" applies.
    pub(super) fn blocks(&self, bucket: &Bucket, setting: impl Fn(&PublicAccess) -> bool) -> bool {
        let of_account = self
            .account(&bucket.account)
            .and_then(|account| account.public_access.as_ref());
        setting(&bucket.public_access) || of_account.is_some_and(setting)
    }

    /// Whether `RestrictPublicBuckets` keeps a caller out: while the policy is public, it lets in
    /// "only AWS service principals and authorized users within the bucket owner's account".
    pub(super) fn keeps_out(&self, bucket: &Bucket, caller: &Caller, now: Timestamp) -> bool {
        let restricts = |block: &PublicAccess| block.restrict_public_buckets;
        caller.account != bucket.account
            && self.blocks(bucket, restricts)
            && bucket
                .policy
                .in_force(now)
                .and_then(|text| Document::parse(&text.0).ok())
                .is_some_and(|policy| !public_statements(&policy).is_empty())
    }
}

/// The statements of a document, whether it has a list of them or one.
fn statements(policy: &Value) -> &[Value] {
    match policy.get("Statement") {
        None => &[],
        Some(Value::Array(statements)) => statements,
        Some(statement) => std::slice::from_ref(statement),
    }
}

/// The texts of a statement's element and of its opposite, `Not…`.
fn texts<'v>(statement: &'v Value, element: &str) -> impl Iterator<Item = &'v str> {
    [element.to_owned(), format!("Not{element}")]
        .into_iter()
        .filter_map(|name| statement.get(name))
        .flat_map(|value| match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        })
        .filter_map(Value::as_str)
}

/// Whether every AWS principal that a policy names exists.
fn all_principals_exist(world: &World, policy: &Document<'_>) -> bool {
    policy
        .statements()
        .iter()
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|principals| &principals.entries)
        .filter(|(kind, _)| *kind == PrincipalKind::Aws)
        .all(|(_, principal)| world.has_principal(&principal.value))
}
