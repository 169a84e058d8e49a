//! Verdicts on the bucket that a job is about, beside the one that it writes to: that it is there and the
//! source's, that both lie in one Region, and which owner of the destination S3 is told to expect.

use crate::assess::facts::Facts;
use crate::assess::job_facts::owner_sent;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, MissingInput, Verdict};
use crate::job::Plan;
use tableferry_policy::arn::BucketName;

/// Judges the source bucket, where the plan has one.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    let Some(name) = plan.source_bucket() else {
        return Vec::new();
    };
    let existence = existence(name, facts);
    if existence.outcome == Verdict::Denied {
        return vec![existence];
    }
    vec![
        existence,
        same_region(plan, name, facts),
        expected_owner(plan, facts),
    ]
}

fn existence(name: &BucketName, facts: &Facts) -> AssessedRequirement {
    let bucket = facts.bucket(name);
    let source = &facts.source().caller.account;
    let check = |outcome| AssessedRequirement::check(Check::SourceBucket, name.as_str(), outcome);
    if bucket.region.is_absent() || bucket.owner.is_absent() {
        return check(Verdict::Denied)
            .because(format!("there is no bucket {name}"))
            .fixed_by(Responsible::You, "check source.bucket")
            .expecting("The specified bucket does not exist");
    }
    match bucket.owner.value() {
        Some(owner) if owner == source => {
            check(Verdict::CLEAR).because(format!("bucket {name} is of {source}"))
        }
        Some(owner) => check(Verdict::Denied)
            .because(format!(
                "bucket {name} is of {owner}, and the source signs in to {source}"
            ))
            .fixed_by(
                Responsible::You,
                "choose a source profile of the bucket's account",
            ),
        None if bucket.not_owners.contains(source) => check(Verdict::Denied)
            .because(format!(
                "bucket {name} is not of {source}, which the source signs in to"
            ))
            .fixed_by(
                Responsible::You,
                "choose a source profile of the bucket's account",
            ),
        None => {
            let what = format!("whose bucket {name} is");
            let unread = MissingInput::of_setting(&bucket.owner, what.clone(), "s3:ListBucket");
            check(Verdict::unread(unread))
                .because(format!("{what} could not be read"))
                .fixed_by(
                    Responsible::You,
                    "choose a source profile that may list the bucket (s3:ListBucket)",
                )
        }
    }
}

/// "The destination bucket must be in the same AWS Region as the source bucket" ("Amazon S3 Inventory").
fn same_region(plan: &Plan, name: &BucketName, facts: &Facts) -> AssessedRequirement {
    let destination = &plan.destination.bucket;
    let check = |outcome| AssessedRequirement::check(Check::SameRegion, name.as_str(), outcome);
    let regions = [name, destination].map(|name| &facts.bucket(name).region);
    if let [Some(source), Some(target)] = regions.map(|region| region.value()) {
        return if source == target {
            check(Verdict::CLEAR).because(format!("both buckets are in {source}"))
        } else {
            check(Verdict::Denied)
                .because(format!(
                    "bucket {name} is in {source}, and {destination} in {target}: S3 Inventory delivers \
                     within one Region alone"
                ))
                .fixed_by(
                    Responsible::You,
                    format!("choose a destination bucket in {source}"),
                )
        };
    }
    let unread = [name, destination].into_iter().zip(regions);
    let unread: Vec<MissingInput> = unread
        .filter(|(_, region)| region.value().is_none())
        .flat_map(|(name, region)| {
            let what = format!("the Region of bucket {name}");
            MissingInput::of_setting(region, what, "s3:ListBucket")
        })
        .collect();
    check(Verdict::unread(unread))
        .because("whether both buckets are in one Region is not known")
        .fixed_by(
            Responsible::You,
            "let the profiles list the buckets (s3:ListBucket)",
        )
}

/// "Although this value is optional, we strongly recommend that you set it": an owner that is not the
/// bucket's has nothing delivered.
fn expected_owner(plan: &Plan, facts: &Facts) -> AssessedRequirement {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let check = |outcome| AssessedRequirement::check(Check::ExpectedOwner, name.as_str(), outcome);
    let wrong = |why: String| {
        check(Verdict::Denied).because(why).fixed_by(
            Responsible::You,
            "set destination.owner to the account that owns the bucket",
        )
    };
    match (owner_sent(plan, facts), bucket.owner.value()) {
        (Some(sent), Some(owner)) if sent == *owner => check(Verdict::CLEAR).because(format!(
            "the configuration names {owner}, which owns the bucket"
        )),
        (Some(sent), Some(owner)) => wrong(format!(
            "the configuration would name {sent} as the owner, and bucket {name} is of {owner}"
        )),
        (Some(sent), None) if bucket.not_owners.contains(&sent) => wrong(format!(
            "the configuration would name {sent} as the owner, and S3 says that bucket {name} is not \
             of that account"
        )),
        (Some(sent), None) => {
            let what = format!("whose bucket {name} is");
            let unread = MissingInput::of_setting(&bucket.owner, what.clone(), "s3:ListBucket");
            check(Verdict::unread(unread))
                .because(format!(
                    "{what} could not be proved, and the configuration names {sent}"
                ))
                .fixed_by(
                    Responsible::for_bucket(facts, Some(&sent)),
                    "ask who owns the bucket, and set destination.owner",
                )
        }
        (None, _) => check(Verdict::CLEAR)
            .because("the configuration names no owner of the destination")
            .caution("S3 does not check then whose bucket it delivers to: set destination.owner"),
    }
}
