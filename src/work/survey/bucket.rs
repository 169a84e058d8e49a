//! Reading the bucket, as the destination, or as the source where nobody signs in for the
//! destination.

use futures_util::future;
use jiff::Timestamp;

use super::is_same_identity;
use super::reading::{read, read_optional, tried, unread};
use crate::assess::facts::{
    BucketFacts, DefaultEncryption, Fact, ObservedCall, PublicAccessBlock, ReadError, Unasked,
};
use crate::aws::Session;
use crate::aws::s3::{BucketLocation, S3};
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::arn::{AccountId, BucketName, Region};
use tableferry_policy::policy::Policy;

/// What was read of the bucket.
pub(super) struct ReadBucket {
    pub(super) facts: BucketFacts,
    /// The account whose settings bear on it: its owner, or anyone who reads it where that is not known.
    pub(super) account: AccountId,
    /// Block Public Access of that account, and of its organization.
    pub(super) public_access: [Fact<PublicAccessBlock>; 2],
    pub(super) tried: Vec<ObservedCall>,
}

const LIST_BUCKET: &str = "s3:ListBucket";

pub(super) async fn read_all(
    plan: &Plan,
    source: &Session,
    destination: Option<&Session>,
) -> ReadBucket {
    let name = &plan.destination.bucket;
    let reader = destination.unwrap_or(source);
    let located = locate(name, reader).await;
    let region = located.clone().map(|found| found.region);
    if region.is_absent() {
        let mut facts = BucketFacts::UNREAD;
        facts.region = region;
        return ReadBucket {
            facts,
            account: reader.identity.account.clone(),
            public_access: [const { Fact::unasked(Unasked::OwnerMissing) }; 2],
            tried: Vec::new(),
        };
    }
    let s3 = reader.s3(region.value().unwrap_or(&reader.region));
    let (owner, mut facts, listed) = future::join3(
        read_owner(plan, &s3, located.value(), source, destination),
        read_settings(name, &s3),
        list(plan, &s3),
    )
    .await;
    facts.region = region;
    if destination.is_some() && reader.identity.account == source.identity.account {
        fill_in(name, &mut facts, source).await;
    }
    facts.owner = owner.account;
    facts.not_owners = owner.not_owners;
    let account = facts.owner.value().unwrap_or(&reader.identity.account);
    let account = account.clone();
    let public_access = read_account(reader, &account).await;
    let is_listed = !plan.listed_folders().is_empty() && !plan.reads_objects();
    let tried = destination.filter(|_| is_listed).and_then(|_| {
        let resource = name.arn(reader.partition());
        tried(Actor::Reader, LIST_BUCKET, resource, &listed)
    });
    ReadBucket {
        facts,
        account,
        public_access,
        tried: tried.into_iter().collect(),
    }
}

/// Reads the bucket that a job is about, as the source, whose bucket it must be.
pub(super) async fn read_source(name: &BucketName, source: &Session) -> BucketFacts {
    let region = read_region(name, source).await;
    let mut facts = BucketFacts::UNREAD;
    if let Some(found) = region.value() {
        let s3 = source.s3(found);
        let account = &source.identity.account;
        let head = s3.head_bucket(name, Some(account));
        let (settings, head) = future::join(read_settings(name, &s3), head).await;
        facts = settings;
        match head {
            Ok(_) => facts.owner = Fact::known(account.clone(), Timestamp::now(), LIST_BUCKET),
            Err(failure) if failure.status == Some(403) => {
                // A refusal does not tell a wrong owner from a missing permission, a list does.
                match has_bucket(source, name).await {
                    Some(true) => {
                        let from = "s3:ListAllMyBuckets";
                        facts.owner = Fact::known(account.clone(), Timestamp::now(), from);
                    }
                    Some(false) => facts.not_owners.push(account.clone()),
                    None => facts.owner = unread(failure),
                }
            }
            Err(failure) => facts.owner = unread(failure),
        }
    }
    facts.region = region;
    facts
}

/// The bucket's Region; absent where there is no such bucket.
pub(in crate::work) async fn read_region(name: &BucketName, reader: &Session) -> Fact<Region> {
    locate(name, reader).await.map(|found| found.region)
}

async fn locate(name: &BucketName, reader: &Session) -> Fact<BucketLocation> {
    let locate = async { reader.s3(&reader.region).locate(name).await };
    read(LIST_BUCKET, &["NoSuchBucket"], locate).await
}

/// Whether an account owns the bucket: a call that expects another owner is refused (S3 user guide,
/// "Verifying bucket ownership with bucket owner condition").
pub(in crate::work) async fn read_own(
    name: &BucketName,
    s3: &S3,
    account: &AccountId,
) -> Fact<AccountId> {
    let head = async {
        s3.head_bucket(name, Some(account)).await?;
        Ok(account.clone())
    };
    read(LIST_BUCKET, &["NoSuchBucket"], head).await
}

/// The bucket's default encryption.
pub(in crate::work) async fn read_encryption(
    name: &BucketName,
    s3: &S3,
) -> Fact<DefaultEncryption> {
    let encryption = async {
        let found = s3.default_encryption(name, None).await?;
        Ok(DefaultEncryption {
            algorithm: found.algorithm,
            key: found.key,
            has_bucket_key: found.has_bucket_key,
        })
    };
    read("s3:GetEncryptionConfiguration", &[], encryption).await
}

/// Asks the source, of the same account, for what the destination may not read.
async fn fill_in(name: &BucketName, facts: &mut BucketFacts, source: &Session) {
    let is_whole = facts.policy.is_settled()
        && facts.ownership.is_settled()
        && facts.public_access.is_settled()
        && facts.encryption.is_settled()
        && facts.requester_pays.is_settled();
    if is_whole {
        return;
    }
    let region = facts.region.value().unwrap_or(&source.region);
    let other = read_settings(name, &source.s3(region)).await;
    facts.policy.fill(other.policy);
    facts.ownership.fill(other.ownership);
    facts.public_access.fill(other.public_access);
    facts.encryption.fill(other.encryption);
    facts.requester_pays.fill(other.requester_pays);
}

/// Block Public Access of an account and of its organization: it is shown to that account alone.
async fn read_account(reader: &Session, account: &AccountId) -> [Fact<PublicAccessBlock>; 2] {
    if *account != reader.identity.account {
        return [const { Fact::unasked(Unasked::OwnerOnly) }; 2];
    }
    let settings = reader.s3_account();
    let call = settings.public_access_block(account);
    let own = read_optional("s3:GetAccountPublicAccessBlock", call).await;
    let organization = within_accounts(&own);
    [own, organization]
}

/// The organization's setting, which has no effect beside the account's that was read: that
/// "operation returns the effective account-level configuration, which may inherit from
/// organization-level policies" (API reference of S3 Control, `GetPublicAccessBlock`).
fn within_accounts(account: &Fact<PublicAccessBlock>) -> Fact<PublicAccessBlock> {
    match account {
        Fact::Known {
            read_at, source, ..
        }
        | Fact::Absent { read_at, source } => Fact::absent(*read_at, source.as_str()),
        other => other.clone(),
    }
}

/// Lists where the export will write, as the verification does: a policy may tell apart what is listed,
/// and how much of it.
async fn list(plan: &Plan, s3: &S3) -> Fact<()> {
    const PAGE: usize = 1000;
    // What a job reads is listed with its owners.
    let is_read_apart = plan.reads_objects();
    let listing = async {
        for folder in plan.listed_folders().into_iter().filter(|_| !is_read_apart) {
            s3.list_some_objects(&plan.destination.bucket, &folder, None, PAGE)
                .await?;
        }
        Ok(())
    };
    read(LIST_BUCKET, &[], listing).await
}

async fn read_settings(name: &BucketName, s3: &S3) -> BucketFacts {
    let mut facts = BucketFacts::UNREAD;
    let policy;
    (
        policy,
        facts.ownership,
        facts.public_access,
        facts.encryption,
        facts.requester_pays,
    ) = future::join5(
        read_optional("s3:GetBucketPolicy", s3.bucket_policy(name, None)),
        read_optional("s3:GetBucketOwnershipControls", s3.ownership(name, None)),
        read_optional(
            "s3:GetBucketPublicAccessBlock",
            s3.public_access_block(name, None),
        ),
        read_encryption(name, s3),
        read(
            "s3:GetBucketRequestPayment",
            &[],
            s3.requester_pays(name, None),
        ),
    )
    .await;
    facts.policy = policy.map(Policy::from);
    facts
}

/// Whose the bucket is.
struct Owner {
    account: Fact<AccountId>,
    not_owners: Vec<AccountId>,
}

/// No call tells a bucket's owner: it is in the list of its own account's buckets, and S3 refuses a
/// call that expects another owner ("Verifying bucket ownership with bucket owner condition").
async fn read_owner(
    plan: &Plan,
    s3: &S3,
    located: Option<&BucketLocation>,
    source: &Session,
    destination: Option<&Session>,
) -> Owner {
    let name = &plan.destination.bucket;
    let reader = destination.unwrap_or(source);
    let mut sides = vec![reader];
    if !is_same_identity(reader, source) {
        sides.push(source);
    }
    // It was asked already, unless the bucket lies in another Region than it was asked in.
    let head = async {
        match located {
            Some(found) if found.region == reader.region => found.head.clone(),
            _ => s3.head_bucket(name, None).await.map(|_| ()),
        }
    };
    let lists = future::join_all(sides.iter().map(|side| has_bucket(side, name)));
    let (lists, head) = future::join(lists, head).await;
    let mut owner = Owner {
        account: Fact::UNASKED,
        not_owners: Vec::new(),
    };
    for (side, has_bucket) in sides.iter().zip(lists) {
        let account = side.identity.account.clone();
        match has_bucket {
            Some(true) => owner.found(account, "s3:ListAllMyBuckets"),
            Some(false) => owner.excluded(account),
            None => {}
        }
    }
    if owner.account.is_settled() {
        owner
            .not_owners
            .retain(|other| Some(other) != owner.account.value());
        return owner;
    }
    // Without this, a refusal would not tell a wrong owner from a missing permission.
    if let Err(failure) = head {
        owner.account = unread(failure);
        return owner;
    }
    let accounts = sides.iter().map(|side| side.identity.account.clone());
    let mut candidates: Vec<AccountId> = plan
        .destination
        .owner
        .clone()
        .into_iter()
        .chain(accounts)
        .collect();
    candidates.retain(|account| !owner.not_owners.contains(account));
    candidates.sort_unstable();
    candidates.dedup();
    let heads = candidates
        .iter()
        .map(|account| s3.head_bucket(name, Some(account)));
    let heads = future::join_all(heads).await;
    for (account, head) in candidates.iter().zip(heads) {
        match head {
            Ok(_) => owner.found(account.clone(), LIST_BUCKET),
            Err(failure) if failure.status == Some(403) => owner.excluded(account.clone()),
            Err(_) => {}
        }
    }
    if !owner.account.is_settled() {
        owner.account = Fact::Failed(ReadError {
            detail: "it is of none of the accounts that the plan and the profiles name".to_owned(),
            ..ReadError::default()
        });
    }
    owner
}

impl Owner {
    fn found(&mut self, account: AccountId, source: &str) {
        self.account = Fact::known(account, Timestamp::now(), source);
    }

    fn excluded(&mut self, account: AccountId) {
        if !self.not_owners.contains(&account) {
            self.not_owners.push(account);
        }
    }
}

/// Whether a side's account has a bucket of this name; `None` where it may not list them.
async fn has_bucket(side: &Session, name: &BucketName) -> Option<bool> {
    let s3 = side.s3(&side.region);
    let listed = read("s3:ListAllMyBuckets", &[], s3.list_buckets()).await;
    let buckets = listed.value()?;
    Some(buckets.iter().any(|bucket| bucket.name == *name))
}
