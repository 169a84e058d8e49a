//! Verdicts on partitions, which no export crosses. A plan file is held to one partition when it is
//! read; the partition of the profiles shows only after the sign-in.

use crate::assess::facts::Facts;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, Verdict};
use crate::job::{Plan, TableRef};
use tableferry_policy::arn::{Arn, Partition};

/// What of a plan lies in another partition than the principal that exports.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    let home = facts.source().caller.arn.partition;
    let destination = facts.destination();
    let sides = destination.and_then(|side| across_sides(home, side.caller.arn.partition));
    let tables = plan.tables.iter().filter_map(|job| match &job.table {
        TableRef::Arn(arn) => across(&format!("table {arn}"), arn, home),
        TableRef::Name(_) => None,
    });
    let key = plan.encryption.key().and_then(|key| {
        let arn: Arn = key.parse().ok()?;
        across(&format!("key {arn}"), &arn, home)
    });
    sides.into_iter().chain(tables).chain(key).collect()
}

fn across_sides(source: Partition, destination: Partition) -> Option<AssessedRequirement> {
    (source != destination).then(|| {
        AssessedRequirement::check(Check::Partition, "the destination", Verdict::Denied)
            .because(format!(
                "the source is in partition {source}, the destination in {destination}"
            ))
            .fixed_by(
                Responsible::You,
                "an export cannot cross partitions, and nothing forces it: choose a bucket in the \
                 source's",
            )
    })
}

fn across(what: &str, arn: &Arn, home: Partition) -> Option<AssessedRequirement> {
    (arn.partition != home).then(|| {
        AssessedRequirement::check(Check::Partition, what, Verdict::Denied)
            .because(format!(
                "{what} is in partition {}, the source in {home}",
                arn.partition
            ))
            .fixed_by(
                Responsible::You,
                "partitions have separate accounts and credentials, and nothing forces a plan across \
                 them: choose a source profile of the same partition",
            )
    })
}
