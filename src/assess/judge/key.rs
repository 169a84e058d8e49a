//! Verdicts on keys: that the export can name the key at all, that it lies where the bucket lies, and
//! that it can be used.

use crate::assess::facts::{Fact, Facts, KeyFacts, KeyManager};
use crate::assess::job_facts::{bucket_owner, tables_of};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, MissingInput, Verdict};
use crate::job::Plan;
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// Judges the plan's key, and the tables' own.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    let mut verdicts = Vec::new();
    for asked in &objects_keys(plan, facts) {
        let name = judge_name(plan, facts, asked);
        let is_usable = name.outcome != Verdict::Denied;
        verdicts.push(name);
        if is_usable {
            verdicts.extend(judge_region(facts, &plan.destination.bucket, asked));
            verdicts.push(judge_state(plan, facts, asked));
        }
    }
    for table in tables_of(plan, facts) {
        let key = table
            .description
            .value()
            .and_then(|table| table.key.as_ref());
        verdicts.extend(key.map(|key| judge_state(plan, facts, &key.to_string())));
    }
    verdicts
}

/// Whether a key is one of those that AWS manages, by its name or by what was read.
fn is_managed(facts: &Facts, asked: &str) -> bool {
    let by_name = |name: &str| name.starts_with("alias/aws/") || name.starts_with("aws/");
    by_name(asked)
        || asked.parse::<Arn>().is_ok_and(|arn| by_name(&arn.resource))
        || facts
            .key(asked)
            .and_then(|key| key.description.value())
            .is_some_and(|key| key.manager == KeyManager::Aws)
}

/// The keys of the objects: as the plan or the bucket names it, or as they were found on those that are
/// there.
fn objects_keys(plan: &Plan, facts: &Facts) -> Vec<String> {
    let bucket = facts.bucket(&plan.destination.bucket);
    bucket.objects_keys(&plan.encryption)
}

/// Whether a key of the plan's objects is one that no policy can open to the job: an AWS managed key or
/// an alias of another account. Another key must be chosen.
pub(in crate::assess) fn is_out_of_reach(plan: &Plan, facts: &Facts, asked: &str) -> bool {
    judge_name(plan, facts, asked).outcome == Verdict::Denied
}

/// "You can't use an AWS managed key for cross-account access", and an alias is looked for in the
/// account of the one who calls ("Using encryption with AWS KMS keys", S3 user guide).
fn judge_name(plan: &Plan, facts: &Facts, asked: &str) -> AssessedRequirement {
    let check = |outcome| AssessedRequirement::check(Check::KeyName, asked, outcome);
    let full_arn = "give a customer managed key by its full ARN: arn:aws:kms:REGION:ACCOUNT:key/ID";
    let source = &facts.source().caller.account;
    if plan.reads_objects() {
        return judge_stored_key(plan, facts, asked);
    }
    if plan.takes_keys_by_arn_alone() {
        return if is_managed(facts, asked) || !asked.contains(":key/") {
            check(Verdict::Denied)
                .because(format!(
                    "{asked} is no customer managed key by its full ARN, and S3 itself uses no other"
                ))
                .fixed_by(Responsible::You, full_arn)
        } else {
            check(Verdict::CLEAR).because("it is a customer managed key, named by its ARN")
        };
    }
    if is_managed(facts, asked) {
        let owner = bucket_owner(plan, facts);
        return match owner {
            Some(owner) if owner == *source => {
                check(Verdict::CLEAR).because("bucket and caller are of one account")
            }
            Some(owner) => check(Verdict::Denied)
                .because(format!(
                    "{asked} is an AWS managed key, which {source} cannot use on a bucket of {owner}"
                ))
                .fixed_by(Responsible::You, full_arn)
                .expecting("Invalid keyId aws/s3"),
            None => check(Verdict::unread(MissingInput::of_setting(&facts.bucket(&plan.destination.bucket).owner, "whose the bucket is", "s3:ListBucket")))
            .because(format!(
                "{asked} is an AWS managed key, which serves only callers of the bucket's own account"
            ))
            .fixed_by(Responsible::You, full_arn),
        };
    }
    let arn = asked.parse::<Arn>().ok();
    let is_alias = asked.starts_with("alias/")
        || arn
            .as_ref()
            .is_some_and(|arn| arn.resource.starts_with("alias/"));
    let account = arn.as_ref().and_then(Arn::account_id);
    match (&account, is_alias) {
        (Some(account), true) if account != source => check(Verdict::Denied)
            .because(format!("{asked} is an alias of another account"))
            .fixed_by(Responsible::You, full_arn)
            .expecting("KMS.NotFoundException"),
        (None, _) => check(Verdict::CLEAR)
            .because(format!(
                "{asked} is looked for in {source}, the account that {}",
                plan.words().verb
            ))
            .caution(format!(
                "a principal that reads the files must be able to use a key of the {} account",
                plan.words().participle
            )),
        _ => check(Verdict::CLEAR).because("it is named by its ARN"),
    }
}

/// The key of objects that are there: an AWS managed key decrypts for callers of its own account alone.
fn judge_stored_key(plan: &Plan, facts: &Facts, asked: &str) -> AssessedRequirement {
    let check = |outcome| AssessedRequirement::check(Check::KeyName, asked, outcome);
    let source = &facts.source().caller.account;
    let arn = facts
        .key(asked)
        .and_then(KeyFacts::arn)
        .or_else(|| asked.parse().ok());
    let account = arn.and_then(|arn| arn.account_id());
    let account = account.or_else(|| bucket_owner(plan, facts));
    let is_foreign = account.as_ref().is_some_and(|account| account != source);
    if is_managed(facts, asked) && is_foreign {
        return check(Verdict::Denied)
            .because(format!(
                "the objects are encrypted with {asked}, an AWS managed key, which no principal of \
                 {source} can use: \"You can't use an AWS managed key for cross-account access\""
            ))
            .fixed_by(
                Responsible::for_bucket(facts, bucket_owner(plan, facts).as_ref()),
                "copy the objects onto themselves with a customer managed key, and let the reader use \
                 that",
            );
    }
    check(Verdict::CLEAR).because("its policy can let the reader decrypt")
}

fn judge_region(facts: &Facts, bucket: &BucketName, asked: &str) -> Option<AssessedRequirement> {
    let named = asked.parse::<Arn>().ok();
    let arn = facts.key(asked).and_then(KeyFacts::arn).or(named)?;
    let check = |outcome| AssessedRequirement::check(Check::KeyRegion, asked, outcome);
    Some(match facts.bucket(bucket).region.value() {
        Some(region) if arn.region == region.as_str() => {
            check(Verdict::CLEAR).because(format!("key and bucket are both in {region}"))
        }
        Some(region) => check(Verdict::Denied)
            .because(format!(
                "the key is in {}, and the bucket in {region}",
                arn.region
            ))
            .fixed_by(
                Responsible::You,
                format!("choose a key in {region}, where the bucket is"),
            )
            .expecting(format!("Invalid arn {}", arn.region)),
        None => check(Verdict::unread(MissingInput::of_setting(
            &facts.bucket(bucket).region,
            format!("the Region of bucket {bucket}"),
            "s3:ListBucket",
        )))
        .because("the key must be in the bucket's Region, which is not known"),
    })
}

fn judge_state(plan: &Plan, facts: &Facts, asked: &str) -> AssessedRequirement {
    let key = facts.key(asked);
    let account = key
        .and_then(KeyFacts::arn)
        .or_else(|| asked.parse().ok())
        .and_then(|arn| arn.account_id());
    let responsible = responsible(facts, account.as_ref());
    let check = |outcome| AssessedRequirement::check(Check::KeyState, asked, outcome);
    let unasked = Fact::UNASKED;
    let description = key.map_or(&unasked, |key| &key.description);
    match description {
        Fact::Absent { .. } => check(Verdict::Denied)
            .because(format!("there is no key {asked}"))
            .fixed_by(
                responsible,
                if asked.starts_with("arn:") {
                    "check the key's id, account and Region".to_owned()
                } else {
                    format!(
                        "set encryption.key to a key that {}, the account that {}, has in the \
                         bucket's Region, or to a key of another account by its full ARN: \
                         arn:aws:kms:REGION:ACCOUNT:key/ID",
                        facts.source().caller.account,
                        plan.words().verb
                    )
                },
            )
            .expecting(if asked.contains("alias/") {
                "KMS.NotFoundException".to_owned()
            } else {
                format!("Key '{asked}' does not exist")
            }),
        Fact::Known { value, .. } if value.state == "Enabled" => {
            check(Verdict::CLEAR).because("it is enabled")
        }
        Fact::Known { value, .. } => check(Verdict::Denied)
            .because(format!("the state of key {asked} is {}", value.state))
            .fixed_by(responsible, hint_for_state(&value.state)),
        other => check(Verdict::Allowed {
            assumed: MissingInput::of_setting(
                other,
                format!("the state of key {asked}"),
                "kms:DescribeKey",
            ),
        })
        .because("its state could not be read"),
    }
}

fn responsible(facts: &Facts, account: Option<&AccountId>) -> Responsible {
    account.map_or(Responsible::You, |account| {
        Responsible::for_key(facts, account)
    })
}

fn hint_for_state(state: &str) -> &'static str {
    match state {
        "Disabled" => "enable the key (kms:EnableKey)",
        "PendingDeletion" => {
            "cancel its deletion and enable it (kms:CancelKeyDeletion, kms:EnableKey), or choose \
             another key"
        }
        "PendingImport" => "import its key material, or choose another key",
        _ => "wait until the key is enabled, or choose another",
    }
}
