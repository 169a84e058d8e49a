//! What of the facts a job concerns: the permissions that it requires by what was read, whose bucket it
//! goes to, its tables and their keys.

use crate::job::requirement::{Actor, JobContext, RequiredPermission};

use super::facts::{Facts, KeyManager, TableFacts};
use crate::job::Plan;
use tableferry_policy::arn::{AccountId, Arn};

/// Every permission that a plan needs, by what was read; of the reader only where there is one.
#[must_use]
pub fn required_permissions(plan: &Plan, facts: &Facts) -> Vec<RequiredPermission> {
    let table_keys = customer_table_keys(plan, facts);
    let owner = bucket_owner(plan, facts);
    let stored_keys = facts.bucket(&plan.destination.bucket).stored_keys();
    let context = JobContext {
        account: &facts.source().caller.account,
        region: &facts.source().region,
        owner: owner.as_ref(),
        default_key: facts.bucket(&plan.destination.bucket).default_key(),
        stored_keys: &stored_keys,
        table_keys: &table_keys,
    };
    let mut needs = plan.requirements(context);
    needs.retain(|need| need.who != Actor::Reader || facts.destination().is_some());
    needs
}

/// The bucket's account: as proved, else as the plan says where nothing speaks against it.
#[must_use]
pub fn bucket_owner(plan: &Plan, facts: &Facts) -> Option<AccountId> {
    facts
        .bucket(&plan.destination.bucket)
        .owner
        .value()
        .cloned()
        .or_else(|| {
            let said = plan.destination.owner.clone()?;
            (!facts
                .bucket(&plan.destination.bucket)
                .not_owners
                .contains(&said))
            .then_some(said)
        })
}

/// The account that is sent as the bucket's owner: the plan's word, else the account of the
/// destination's profile.
#[must_use]
pub fn owner_sent(plan: &Plan, facts: &Facts) -> Option<AccountId> {
    let destination = facts.destination();
    let said = plan.destination.owner.as_ref();
    said.or(destination.map(|side| &side.caller.account))
        .cloned()
}

/// What was read of the plan's tables, in its order.
pub(super) fn tables_of<'f>(plan: &Plan, facts: &'f Facts) -> Vec<&'f TableFacts> {
    let mut asked: Vec<String> = Vec::new();
    for job in &plan.tables {
        let name = job.table.to_string();
        if !asked.contains(&name) {
            asked.push(name);
        }
    }
    let tables = asked.iter().filter_map(|name| facts.table(name));
    tables.collect()
}

/// The keys of the tables, each once, without those that AWS manages: `aws/dynamodb` may be used by
/// anyone who may use the table.
pub(super) fn customer_table_keys(plan: &Plan, facts: &Facts) -> Vec<Arn> {
    let mut keys: Vec<Arn> = Vec::new();
    for table in tables_of(plan, facts) {
        let Some(key) = table
            .description
            .value()
            .and_then(|table| table.key.as_ref())
        else {
            continue;
        };
        let is_of_aws = facts
            .key(&key.to_string())
            .and_then(|known| known.description.value())
            .is_some_and(|known| known.manager == KeyManager::Aws);
        if !is_of_aws && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}
