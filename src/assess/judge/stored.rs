//! Verdicts on the objects that a reading is about: that they are there, what encrypts them, and whose
//! they are.

use crate::assess::facts::{
    BucketFacts, Fact, Facts, ObjectOwner, Ownership, StoredObject, StoredObjects,
};
use crate::assess::job_facts::bucket_owner;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, MissingInput, SettledBy, Verdict};
use crate::job::requirement::{Criticality, StoredKeys};
use crate::job::{Encryption, Plan};
use tableferry_policy::arn::AccountId;
use tableferry_policy::evaluate::Dependency;

/// The folder that holds the data files of a full export, and of no incremental one.
const DATA: &str = "/data/";

/// Judges the objects of a plan that reads; nothing of any other.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    if !plan.reads_objects() {
        return Vec::new();
    }
    vec![presence(plan, facts), owner(plan, facts)]
}

/// What is there, and what encrypts it.
fn presence(plan: &Plan, facts: &Facts) -> AssessedRequirement {
    let bucket = facts.bucket(&plan.destination.bucket);
    let place = place(plan);
    let check = |outcome| AssessedRequirement::check(Check::StoredObjects, &place, outcome);
    let owner = bucket_owner(plan, facts);
    let ask = || Responsible::for_bucket(facts, owner.as_ref());
    let Some(stored) = bucket.objects.value() else {
        let what = format!("which objects lie in {place}");
        let unread = MissingInput::of_setting(&bucket.objects, what, "s3:ListBucket");
        if plan.encryption != Encryption::BucketDefault {
            return check(Verdict::Allowed { assumed: unread })
                .because("the objects could not be listed: they are taken to be as the plan says");
        }
        return check(Verdict::unread(unread))
            .because("the objects could not be listed, so that it is not known what encrypts them")
            .fixed_by(
                ask(),
                "ask which key encrypts them, and name it in encryption.key",
            );
    };
    if stored.objects.is_empty() {
        return check(Verdict::Denied)
            .of_criticality(Criticality::Optional)
            .because(format!("no object lies in {place}"))
            .fixed_by(
                Responsible::You,
                "check bucket and prefix; what is not there yet is judged by the bucket's default \
                 encryption",
            );
    }
    let is_read = |object: &&StoredObject| object.encryption.is_settled();
    let unread = stored.objects.iter().find(|object| !is_read(object));
    let found = match unread {
        None => check(Verdict::CLEAR).because(encryption_in_words(stored)),
        Some(object) => {
            let what = format!("what encrypts {}", object.key);
            let unread = MissingInput::of_setting(&object.encryption, what, "s3:GetObject");
            if plan.encryption == Encryption::BucketDefault {
                check(Verdict::Unknown {
                    unread,
                    settled_by: SettledBy::Probe,
                })
                .because("what encrypts the objects could not be read from their heads")
                .fixed_by(ask(), "ask which key it is, and name it in encryption.key")
            } else {
                check(Verdict::Allowed { assumed: unread })
                    .because("what encrypts the objects is taken to be as the plan says")
            }
        }
    };
    cautions(plan, stored)
        .into_iter()
        .fold(found, AssessedRequirement::caution)
}

fn place(plan: &Plan) -> String {
    let bucket = &plan.destination.bucket;
    match &plan.destination.prefix {
        Some(prefix) => format!("s3://{bucket}/{prefix}/"),
        None => format!("s3://{bucket}/"),
    }
}

/// What was looked at is not all, or not all of an export.
fn cautions(plan: &Plan, stored: &StoredObjects) -> Vec<String> {
    let mut cautions = Vec::new();
    let looked = stored.objects.len();
    if looked < stored.listed || stored.has_more {
        let more = if stored.has_more { "more than " } else { "" };
        cautions.push(format!(
            "{looked} of {more}{} objects were looked at: the others may have another owner or key",
            stored.listed
        ));
    }
    let prefix = plan
        .destination
        .prefix
        .as_ref()
        .map(crate::job::Prefix::as_str);
    let export = prefix.and_then(|prefix| prefix.rsplit_once("AWSDynamoDB/"));
    let is_one_export = export.is_some_and(|(_, id)| !id.contains('/') && id != "data");
    let has_data = stored
        .objects
        .iter()
        .any(|object| object.key.contains(DATA));
    if is_one_export && !has_data {
        cautions.push(
            "no data file lies here: those of an incremental export are in the folder \
             AWSDynamoDB/data, which several share; give the prefix up to AWSDynamoDB to judge both"
                .to_owned(),
        );
    }
    cautions
}

fn encryption_in_words(stored: &StoredObjects) -> String {
    let StoredKeys::Found { keys, .. } = stored.keys() else {
        return String::new();
    };
    let count = stored.objects.len();
    let objects = if count == 1 { "object" } else { "objects" };
    if keys.is_empty() {
        return format!("{count} {objects} looked at, encrypted with SSE-S3 (AES256)");
    }
    format!(
        "{count} {objects} looked at, encrypted with {}",
        keys.join(" and ")
    )
}

/// "The permissions attached to the bucket apply to all of the bucket's objects that are owned by the
/// bucket owner account" ("Bucket policies for Amazon S3"): an object that its writer owns is opened by its
/// access control list alone.
fn owner(plan: &Plan, facts: &Facts) -> AssessedRequirement {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let owner = bucket_owner(plan, facts);
    let reader = &facts.source().caller.account;
    let check = |outcome| AssessedRequirement::check(Check::ObjectOwner, name.as_str(), outcome);
    if bucket.ownership.value() == Some(&Ownership::BucketOwnerEnforced) {
        return check(Verdict::CLEAR)
            .because("the bucket's owner owns every object, no matter who wrote it");
    }
    let by_lists = "an access control list may let somebody in besides what policies say";
    match foreign(bucket, owner.as_ref()) {
        ForeignObjects::None => check(Verdict::CLEAR)
            .because("the objects that were looked at are the bucket owner's")
            .caution(by_lists),
        ForeignObjects::Unread => check(Verdict::unread(unread_owner(plan, bucket)))
            .because("whose the objects are could not be read: a bucket policy covers none but the bucket owner's")
            .fixed_by(Responsible::for_bucket(facts, owner.as_ref()), REMEDY),
        ForeignObjects::Some(ObjectOwner::Account(account)) if account == reader => check(Verdict::CLEAR)
            .because(format!(
                "objects here are of {account}, the reader's own account, whose policies decide"
            ))
            .caution(by_lists),
        ForeignObjects::Some(other) => {
            let whose = match other {
                ObjectOwner::Account(account) => format!("account {account}"),
                ObjectOwner::Other(id) => format!("the account with the canonical user id {id}"),
            };
            check(Verdict::Depends {
                on: Dependency::on("the object's access control list"),
                unread: Vec::new(),
            })
            .because(format!(
                "objects here are owned by {whose}, which wrote them: the policy of bucket {name} does not \
                 cover them, and only their own access control lists let {reader} in"
            ))
            .fixed_by(Responsible::for_bucket(facts, owner.as_ref()), REMEDY)
            .expecting("Access Denied")
        }
    }
}

/// With it the bucket's owner owns what is there already, too ("Controlling ownership of objects").
const REMEDY: &str = "set the bucket's object ownership to BucketOwnerEnforced, which makes the bucket's owner the \
                      owner of all objects that are there";

/// What was found of objects that are not the bucket owner's.
enum ForeignObjects<'f> {
    None,
    Some(&'f ObjectOwner),
    Unread,
}

fn foreign<'f>(bucket: &'f BucketFacts, owner: Option<&AccountId>) -> ForeignObjects<'f> {
    let Some(stored) = bucket.objects.value() else {
        return ForeignObjects::Unread;
    };
    let mut is_unread = owner.is_none();
    for object in &stored.objects {
        match object.owner.value() {
            Some(ObjectOwner::Account(account)) if Some(account) == owner => {}
            Some(other) if owner.is_some() => return ForeignObjects::Some(other),
            _ => is_unread = true,
        }
    }
    if is_unread && !stored.objects.is_empty() {
        ForeignObjects::Unread
    } else {
        ForeignObjects::None
    }
}

/// What would have to be read to tell whose the objects are.
fn unread_owner(plan: &Plan, bucket: &BucketFacts) -> Vec<MissingInput> {
    let what = format!(
        "whose the objects of bucket {} are",
        plan.destination.bucket
    );
    let ownership = MissingInput::of_setting(
        &bucket.ownership,
        format!("the object ownership of bucket {}", plan.destination.bucket),
        "s3:GetBucketOwnershipControls",
    );
    let unread = match &bucket.objects {
        Fact::Known { value, .. } => {
            let mut owners = value.objects.iter().map(|object| &object.owner);
            let unread = owners.find(|owner| !owner.is_settled());
            unread
                .map(|unread| MissingInput::of_setting(unread, what.clone(), "s3:ListAllMyBuckets"))
        }
        other => Some(MissingInput::of_setting(
            other,
            what.clone(),
            "s3:ListBucket",
        )),
    };
    ownership
        .into_iter()
        .chain(unread.unwrap_or_default())
        .collect()
}
