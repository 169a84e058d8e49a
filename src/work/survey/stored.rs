//! Reading what lies below the prefix of a job that reads: a listing, and the heads of a few objects.
//!
//! The bucket's side is asked first, since it is the likelier to be let in; the reader's own calls show
//! besides what the reader may do.

use futures_util::future;

use super::is_same_identity;
use super::reading::{hanging_on, read, tried, unread};
use crate::assess::facts::{
    BucketFacts, Fact, ObjectEncryption, ObjectOwner, ObservedCall, Ownership, StoredObject,
    StoredObjects,
};
use crate::assess::principal::is_same_principal;
use crate::aws::Session;
use crate::aws::s3::S3;
use crate::aws::s3::content::ObjectName;
use crate::aws::s3::stored::OwnedObject;
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::arn::BucketName;

/// How many objects are looked at, spread over the listing.
const LOOKED_AT: usize = 16;

/// What was read of the objects.
pub(super) struct ReadObjects {
    pub(super) objects: Fact<StoredObjects>,
    pub(super) tried: Vec<ObservedCall>,
}

/// One side that asks.
#[derive(Clone)]
struct Asker<'a> {
    session: &'a Session,
    s3: S3,
    /// Whether it is the one who reads, so that its calls show what that one may do.
    is_reader: bool,
}

pub(super) async fn read_all(
    plan: &Plan,
    bucket: &BucketFacts,
    source: &Session,
    destination: Option<&Session>,
) -> ReadObjects {
    let nothing = |objects| ReadObjects {
        objects,
        tried: Vec::new(),
    };
    let Some(region) = bucket.region.value() else {
        return nothing(hanging_on(&bucket.region, "s3:ListBucket"));
    };
    let is_reader = plan.principal().is_none_or(|named| {
        is_same_principal(&named.to_string(), &source.identity.arn.to_string())
    });
    let other = destination.filter(|other| !is_same_identity(source, other));
    let own = Asker {
        session: source,
        s3: source.s3(region),
        is_reader,
    };
    let first = other.map(|session| Asker {
        session,
        s3: session.s3(region),
        is_reader: false,
    });
    let askers: Vec<Asker<'_>> = first.into_iter().chain([own]).collect();
    let name = &plan.destination.bucket;
    let mut shown = Vec::new();
    let listed = list(plan, &askers, &mut shown).await;
    let Fact::Known {
        value: (listed, has_more),
        read_at,
        source: from,
    } = listed
    else {
        return ReadObjects {
            objects: hanging_on(&listed, "s3:ListBucket"),
            tried: shown,
        };
    };
    let count = listed.len();
    let chosen = spread(listed);
    let is_owners = bucket.ownership.value() == Some(&Ownership::BucketOwnerEnforced);
    let owners = async {
        if is_owners {
            Vec::new()
        } else {
            canonical_users(&askers).await
        }
    };
    let heads = future::join_all(chosen.iter().map(|object| head(name, &askers, object)));
    let (owners, heads) = future::join(owners, heads).await;
    let objects = chosen
        .into_iter()
        .zip(heads)
        .map(|(object, (encryption, tried))| {
            shown.extend(tried);
            StoredObject {
                owner: if is_owners {
                    Fact::UNASKED
                } else {
                    owner_of(&object, &owners)
                },
                key: object.object.key,
                encryption,
            }
        });
    let objects = StoredObjects {
        objects: objects.collect(),
        listed: count,
        has_more,
    };
    ReadObjects {
        objects: Fact::known(objects, read_at, from),
        tried: shown,
    }
}

/// The first page of what lies there, by the first who may list it.
async fn list(
    plan: &Plan,
    askers: &[Asker<'_>],
    shown: &mut Vec<ObservedCall>,
) -> Fact<(Vec<OwnedObject>, bool)> {
    let name = &plan.destination.bucket;
    let folder = plan.listed_folders().into_iter().next().unwrap_or_default();
    let mut found = Fact::UNASKED;
    for asker in askers {
        let call = asker.s3.list_owned_objects(name, &folder);
        found = read("s3:ListBucket", &[], call).await;
        if asker.is_reader {
            let resource = name.arn(asker.session.partition());
            shown.extend(tried(Actor::Exporter, "s3:ListBucket", resource, &found));
        }
        if found.is_settled() {
            break;
        }
    }
    found
}

/// Some of the objects, spread over the listing: an export's manifests come first in it, its data after.
fn spread(mut listed: Vec<OwnedObject>) -> Vec<OwnedObject> {
    let step = listed.len().div_ceil(LOOKED_AT).max(1);
    let mut at = 0_usize;
    listed.retain(|_| {
        at += 1;
        (at - 1).is_multiple_of(step)
    });
    listed
}

/// What encrypts an object, by the first who may ask for its head.
async fn head(
    bucket: &BucketName,
    askers: &[Asker<'_>],
    object: &OwnedObject,
) -> (Fact<ObjectEncryption>, Vec<ObservedCall>) {
    let mut shown = Vec::new();
    let mut found = Fact::UNASKED;
    for asker in askers {
        let name = ObjectName {
            bucket,
            owner: None,
            key: &object.object.key,
        };
        let call = async {
            let told = asker.s3.stored_encryption(name).await?;
            Ok(ObjectEncryption {
                algorithm: told.algorithm,
                key: told.key,
                has_bucket_key: told.has_bucket_key,
            })
        };
        found = read("s3:GetObject", &[], call).await;
        // A head that is refused may be refused for the key, whose use is judged by itself.
        if asker.is_reader && found.is_settled() {
            let arn = bucket.arn(asker.session.partition());
            let resource = format!("{arn}/{}", object.object.key);
            shown.extend(tried(Actor::Exporter, "s3:GetObject", resource, &found));
        }
        if found.is_settled() {
            break;
        }
    }
    (found, shown)
}

/// The accounts that ask, by the ids that listings name owners by.
async fn canonical_users(askers: &[Asker<'_>]) -> Vec<Fact<(String, ObjectOwner)>> {
    let asked = askers.iter().map(|asker| async {
        let account = &asker.session.identity.account;
        match asker.s3.canonical_user().await {
            Ok(Some(id)) => {
                let owner = ObjectOwner::Account(account.clone());
                Fact::known((id, owner), jiff::Timestamp::now(), "s3:ListAllMyBuckets")
            }
            Ok(None) => Fact::absent(jiff::Timestamp::now(), "s3:ListAllMyBuckets"),
            Err(failure) => unread(failure),
        }
    });
    future::join_all(asked).await
}

fn owner_of(object: &OwnedObject, accounts: &[Fact<(String, ObjectOwner)>]) -> Fact<ObjectOwner> {
    let now = jiff::Timestamp::now();
    let Some(id) = &object.owner else {
        return Fact::absent(now, "s3:ListBucket");
    };
    let known = accounts.iter().filter_map(Fact::value);
    let found = known.clone().find(|(other, _)| other == id);
    if let Some((_, owner)) = found {
        return Fact::known(owner.clone(), now, "s3:ListBucket");
    }
    // Whose id it is not is known only where everybody's is.
    match accounts.iter().find(|account| !account.is_settled()) {
        Some(unread) => hanging_on(unread, "s3:ListAllMyBuckets"),
        None => Fact::known(ObjectOwner::Other(id.clone()), now, "s3:ListBucket"),
    }
}
