//! Fingerprints: whether all that can be read of an export's permissions is as it was when another
//! export began.
//!
//! This module decides what counts as a change. A fingerprint is a digest of what was read, and of
//! nothing beside it: not of when it was read, nor of how a document is laid out, nor of the order
//! of what AWS gives in none. What could not be read enters as such, whatever stood in the way; so
//! what was read then and cannot be read now, or the other way round, counts as changed: only equals
//! show that nothing did. IAM's simulation is left out, since it is an opinion on the same policies.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::facts::{AccountFacts, ControlLevel, Fact, Facts, GrantFacts, KeyFacts, PolicyText};
use super::principal::is_same_principal;
use crate::job::Plan;
use tableferry_policy::arn::{Arn, BucketName};
use tableferry_policy::policy::Policy;

/// What digests begin with: another way of making them gives others.
const FORMAT: u32 = 1;

/// What an export relied on, as two digests: exports of other tables to the same place share the
/// first, exports of the same table to other places the second. SHA-256, hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint {
    /// Of what bears on writing: the caller, the bucket, the plan's key.
    pub writing: String,
    /// Of what bears on reading the table: the caller, the table's policy, its own key.
    pub reading: String,
}

/// The fingerprints of a plan's exports: one for each of its tables, in its order.
#[must_use]
pub fn fingerprints(plan: &Plan, facts: &Facts) -> Vec<Fingerprint> {
    let caller = caller(plan, facts);
    let writing = writing(plan, facts, &caller);
    let of_table = |asked: &str| Fingerprint {
        writing: writing.clone(),
        reading: reading(facts, &caller, asked),
    };
    let tables = plan.tables.iter();
    tables.map(|job| of_table(&job.table.to_string())).collect()
}

fn writing(plan: &Plan, facts: &Facts, caller: &Value) -> String {
    let algorithm = plan.encryption.as_str();
    let name = &plan.destination.bucket;
    let key = facts.bucket(name).objects_key(&plan.encryption);
    // The other account's resources are bound by its own organization.
    let owner = facts.destination().map(|side| {
        json!([
            side.caller.account,
            organization(facts.account(&side.caller.account)),
            levels(&facts.account(&side.caller.account).resource_control)
        ])
    });
    digest(&json!([
        FORMAT,
        caller,
        owner,
        bucket(name, facts),
        algorithm,
        key.map(|asked| json!([asked, facts.key(asked).map(|found| self::key(found, facts))])),
    ]))
}

fn reading(facts: &Facts, caller: &Value, asked: &str) -> String {
    let table = facts.table(asked).map(|table| {
        let key = table
            .description
            .value()
            .and_then(|table| table.key.as_ref());
        let key = key.and_then(|arn| facts.key(&arn.to_string()));
        json!([
            fact(&table.description, |table| json!([table.arn, table.key])),
            fact(&table.policy, document),
            key.map(|found| self::key(found, facts)),
        ])
    });
    digest(&json!([FORMAT, caller, table]))
}

fn digest(value: &Value) -> String {
    hex::encode(Sha256::digest(value.to_string()))
}

/// Who exports, and every policy that binds it. Sessions of one role are the same; a role that was
/// made anew under an old name is another, which its unique id tells even where `GetRole` is refused.
fn caller(plan: &Plan, facts: &Facts) -> Value {
    let side = facts.source();
    let caller = &side.caller;
    let account = facts.account(&caller.account);
    let arn = caller.arn.to_string();
    json!([
        caller.account,
        side.role_name().unwrap_or(&arn),
        caller.user_id.split(':').next(),
        fact(&side.role, |role| json!(role.arn)),
        plan.source.sign_in.source_identity,
        fact(&side.identity_policies, |policies| set(policies
            .iter()
            .map(policy))),
        set(side.some_identity_policies.iter().map(policy)),
        fact(&side.boundary, policy),
        organization(account),
        levels(&account.service_control),
        levels(&account.resource_control),
    ])
}

fn organization(account: &AccountFacts) -> Value {
    fact(&account.organization, |known| json!(known))
}

/// The levels stand in their order, from the root down.
fn levels(levels: &Fact<Vec<ControlLevel>>) -> Value {
    fact(levels, |levels| {
        let level = |level: &ControlLevel| {
            let mut told = vec![json!(level.target), set(level.policies.iter().map(policy))];
            if !level.unread.is_empty() {
                told.push(set(level.unread.iter().map(|unread| json!(unread.name))));
            }
            Value::Array(told)
        };
        levels.iter().map(level).collect()
    })
}

fn bucket(name: &BucketName, facts: &Facts) -> Value {
    let blocks = facts.public_access_blocks(name);
    let bucket = facts.bucket(name);
    json!([
        name,
        fact(&bucket.owner, |owner| json!(owner)),
        fact(&bucket.region, |region| json!(region)),
        fact(&bucket.policy, document),
        fact(&bucket.ownership, |ownership| json!(ownership)),
        blocks.map(|(_, block)| fact(block, |block| json!(block))),
        fact(&bucket.encryption, |encryption| json!(encryption)),
        fact(&bucket.requester_pays, |is_on| json!(is_on)),
    ])
}

fn key(key: &KeyFacts, facts: &Facts) -> Value {
    // Those over the two sides' accounts are told with the sides.
    let account = key.arn().and_then(|arn| arn.account_id());
    let account = account.filter(|account| facts.side_of(account).is_none());
    let unread = Fact::UNASKED;
    let of_third = account.map_or(&unread, |account| &facts.account(&account).resource_control);
    json!([
        fact(&key.description, |key| json!([
            key.arn,
            key.state,
            key.manager
        ])),
        fact(&key.policy, document),
        fact(&key.grants, |grants| {
            let of_caller = grants.iter().filter(|grant| is_to_caller(grant, facts));
            set(of_caller.map(grant))
        }),
        levels(of_third),
    ])
}

/// Whether a grant can let the exporter in. Services make and retire grants for themselves on a key
/// that they use, which changes nothing for anybody else.
fn is_to_caller(grant: &GrantFacts, facts: &Facts) -> bool {
    let caller = &facts.source().caller;
    let is_account = |arn: Arn| arn.resource == "root" && arn.account == caller.account.as_str();
    is_same_principal(&grant.grantee, &caller.arn.to_string())
        || grant.grantee.parse().is_ok_and(is_account)
}

/// What a grant lets through, whatever its id.
fn grant(grant: &GrantFacts) -> Value {
    json!([
        grant.grantee,
        set(grant.operations.iter().map(|operation| json!(operation))),
        grant.context_subset,
        grant.context_equals,
        grant.source_arn,
    ])
}

fn policy(policy: &PolicyText) -> Value {
    json!([policy.name, document(&policy.document)])
}

/// A policy document as what it says. Members and lists have no order in the policy language, and a
/// list of one is its one element ("Grammar of the IAM JSON policy language"). AWS itself gives
/// principals back in another order than they were written in.
fn document(policy: &Policy) -> Value {
    let text = policy.text();
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return json!(text);
    };
    value.sort_all_objects();
    without_order(value)
}

fn without_order(value: Value) -> Value {
    match value {
        Value::Array(items) => match set(items.into_iter().map(without_order)) {
            Value::Array(mut items) if items.len() == 1 => items.remove(0),
            items => items,
        },
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .map(|(name, value)| (name, without_order(value)))
                .collect()
        }
        other => other,
    }
}

/// Values in an order of their own, each once.
fn set(values: impl Iterator<Item = Value>) -> Value {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values.dedup();
    Value::Array(values)
}

/// What was read, in a wrapping of its own, so that no value passes for one that is absent.
fn fact<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> Value) -> Value {
    match fact {
        Fact::Known { value, .. } => json!([show(value)]),
        Fact::Absent { .. } => json!("absent"),
        Fact::Refused(_) | Fact::Failed(_) | Fact::Unasked { .. } => json!("not read"),
    }
}

#[cfg(test)]
mod tests;
