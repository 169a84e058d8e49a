//! The survey: every fact that bears on whether a plan's exports may be done, from both
//! sides at once.
//!
//! It decides which facts are asked of which account. Each fact is known, absent, refused or failed on its own; none
//! of them keeps the others from being read, and each has a bound on how long it may take. What a
//! read shows about the reader's own permissions is kept too: a call that worked is proof.

pub(super) mod bucket;
mod key;
mod past;
mod principal;
mod reading;
mod stored;
pub(super) mod table;

pub use principal::{ControlDocuments, ControlFile, ControlFileError};
pub(super) use table::KnownExports;

use futures_util::future;
use jiff::{SignedDuration, Timestamp};

use super::event::Side;
use super::start::StartError;
use super::{Session, Work};
use crate::assess::facts::{BucketFacts, Facts, PrincipalFacts, RecentChange, SurveyedFor};
use crate::assess::principal::is_same_principal;
use crate::job::Plan;
use crate::job::requirement::Actor;
use crate::journal::{ChangeId, ChangeRecord, ChangeStage, ChangeTarget};
use tableferry_policy::arn::BucketName;

/// For how long it is worth waiting for a change to hold: policies spread within minutes.
const SPREADING: SignedDuration = SignedDuration::from_mins(10);

/// For how long a change is told of; whether it is still young, the judgement says.
const YOUTH: SignedDuration = SignedDuration::from_hours(1);

impl Work {
    /// Reads all that bears on a plan's permissions, settings and times, with the sides that are
    /// signed in. `controls` are policies of the organization that were handed in as files.
    ///
    /// # Errors
    /// Only where the source is not signed in: nothing can be judged without knowing who exports.
    pub async fn survey(
        &self,
        plan: &Plan,
        controls: &ControlDocuments,
    ) -> Result<Facts, StartError> {
        let resolved = self.resolve(plan).await?;
        let reading = Box::pin(self.survey_with_exports(&resolved, controls));
        let (mut facts, _) = reading.await?;
        facts.surveyed_for = Some(SurveyedFor::of(plan));
        Ok(facts)
    }

    /// The same, with the exports of the plan's tables that run or were started within the hour.
    pub(super) async fn survey_with_exports(
        &self,
        plan: &Plan,
        controls: &ControlDocuments,
    ) -> Result<(Facts, KnownExports), StartError> {
        let source = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let destination = plan
            .destination
            .sign_in
            .as_ref()
            .and_then(|_| self.session(Side::Destination));
        let begun = Timestamp::now();
        let named = plan.principal().filter(|named| {
            !is_same_principal(&named.to_string(), &source.identity.arn.to_string())
        });
        // What both sides would read alike is read once.
        let is_one = named.is_none()
            && destination
                .as_ref()
                .is_some_and(|other| is_same_identity(&source, other));
        // On the heap: all these calls at once are more than a thread's stack is made for.
        let read_side = |session| Box::pin(principal::read_all(session));
        let read_source = async {
            match named {
                Some(named) => Box::pin(principal::read_named(named, &source)).await,
                None => read_side(&source).await,
            }
        };
        let (mut source_side, mut destination_side, resources) = future::join3(
            read_source,
            future::OptionFuture::from(destination.as_ref().filter(|_| !is_one).map(read_side)),
            Box::pin(read_resources(plan, &source, destination.as_ref())),
        )
        .await;
        if let (Some(other), Some(other_side)) = (&destination, &mut destination_side) {
            let known = source_side.account.organization.clone();
            let of_other = other_side.account.organization.clone();
            future::join(
                Box::pin(principal::fill_in(&mut source_side, other, of_other)),
                Box::pin(principal::fill_in(other_side, &source, known)),
            )
            .await;
        }
        let mut facts = Facts::new(source_side.principal, begun);
        facts.surveyed_for = Some(SurveyedFor::of(plan));
        *facts.account_of_mut(Actor::Exporter) = source_side.account;
        if is_one {
            facts.set_destination(Some(facts.source().clone()));
        } else if let Some(side) = destination_side {
            facts.set_destination(Some(side.principal));
            facts.account_of_mut(Actor::Reader).fill(side.account);
        }
        facts.account_of_mut(Actor::Exporter).in_flight = resources.tables.in_flight;
        let [own, organization] = resources.bucket.public_access;
        let account = facts.account_mut(&resources.bucket.account);
        account.public_access = own;
        account.organization_public_access = organization;
        *facts.bucket_mut(&plan.destination.bucket) = resources.bucket.facts;
        if let Some((name, bucket)) = resources.source_bucket {
            facts.bucket_mut(&name).fill(bucket);
        }
        for table in resources.tables.facts {
            facts.put_table(table);
        }
        for key in resources.keys {
            facts.put_key(key);
        }
        facts.tried = resources.tables.tried;
        facts.tried.extend(resources.bucket.tried);
        let exports = resources.tables.exports;
        facts.exports = past::exports(&self.inner.journal, plan, &facts, &exports.described);
        facts.changes = self.recent_changes(&facts);
        controls.put_into(&mut facts);
        if source.identity.account == facts.source().caller.account {
            facts.source_mut().simulation =
                Box::pin(principal::simulate(plan, &facts, &source)).await;
        }
        if let Some(other) = &destination
            && other.identity.account == facts.source().caller.account
            && !facts.source().simulation.is_settled()
        {
            let told = Box::pin(principal::simulate(plan, &facts, other)).await;
            facts.source_mut().simulation.fill(told);
        }
        Ok((facts, exports))
    }

    /// What we changed lately of what bears on the plan, and did not see hold yet, for facts.
    fn recent_changes(&self, facts: &Facts) -> Vec<RecentChange> {
        let young = self.not_seen_to_hold(facts).into_iter();
        young
            .map(|(change, at)| RecentChange {
                document: format!("the {}", change.title),
                at,
            })
            .collect()
    }

    /// The changes that were written lately, bear on what was read, and were not seen to hold yet:
    /// an export started now may be refused for their sake.
    #[must_use]
    pub fn changes_to_wait_for(&self, facts: &Facts) -> Vec<ChangeId> {
        let since = facts.surveyed_at.checked_sub(SPREADING);
        let since = since.unwrap_or(Timestamp::MIN);
        let young = self.not_seen_to_hold(facts).into_iter();
        young
            .filter(|(change, at)| change.stage == ChangeStage::Written && *at >= since)
            .map(|(change, _)| change.id)
            .collect()
    }

    /// Young changes and when each was made; none where the journal cannot be read, since it is only
    /// evidence beside the facts.
    fn not_seen_to_hold(&self, facts: &Facts) -> Vec<(ChangeRecord, Timestamp)> {
        let since = facts.surveyed_at.checked_sub(YOUTH);
        let since = since.unwrap_or(Timestamp::MIN);
        let changes = self.inner.journal.changes().unwrap_or_default();
        // A later change of the same document that holds shows that what was written before does, too.
        let held: Vec<(ChangeTarget, ChangeId)> = changes
            .iter()
            .filter(|change| change.stage == ChangeStage::Held)
            .map(|change| (change.target.clone(), change.id))
            .collect();
        let is_passed = |change: &ChangeRecord| {
            let mut held = held.iter();
            held.any(|(target, id)| *target == change.target && id.0 > change.id.0)
        };
        let applicable = changes
            .into_iter()
            .filter(|change| bears(change, facts) && !is_passed(change));
        let young = applicable.filter_map(|change| {
            let at = match change.stage {
                ChangeStage::Written => change.written_at,
                ChangeStage::Undone => change.undone_at,
                // Whether it was written at all is not known.
                ChangeStage::Planned => Some(change.created_at),
                ChangeStage::Held | ChangeStage::NotWritten => None,
            };
            at.filter(|at| *at >= since).map(|at| (change, at))
        });
        young.collect()
    }
}

/// Whether two sessions are told the same by every call.
fn is_same_identity(one: &Session, other: &Session) -> bool {
    one.identity.arn == other.identity.arn && one.region == other.region
}

/// The resources of a plan, as far as they could be read.
struct Resources {
    tables: table::ReadTables,
    bucket: bucket::ReadBucket,
    /// The bucket that the job is about, where there is one.
    source_bucket: Option<(BucketName, BucketFacts)>,
    keys: Vec<crate::assess::facts::KeyFacts>,
}

/// Tables and bucket first: they tell which keys matter, and in which Region.
async fn read_resources(plan: &Plan, source: &Session, destination: Option<&Session>) -> Resources {
    let source_bucket = plan.source_bucket().map(|name| async move {
        let facts = Box::pin(bucket::read_source(name, source)).await;
        (name.clone(), facts)
    });
    let (tables, mut bucket, source_bucket) = future::join3(
        Box::pin(table::read_all(plan, source)),
        Box::pin(bucket::read_all(plan, source, destination)),
        future::OptionFuture::from(source_bucket),
    )
    .await;
    if plan.reads_objects() {
        let read = Box::pin(stored::read_all(plan, &bucket.facts, source, destination)).await;
        bucket.facts.objects = read.objects;
        bucket.tried.extend(read.tried);
    }
    let region = bucket.facts.region.value();
    let named = bucket.facts.objects_keys(&plan.encryption);
    let keys = key::read_all(named, &tables.facts, region, source, destination);
    let keys = Box::pin(keys).await;
    Resources {
        tables,
        bucket,
        source_bucket,
        keys,
    }
}

/// Whether a change is of something that the facts are about.
fn bears(change: &ChangeRecord, facts: &Facts) -> bool {
    let mut sides = facts.sides();
    match &change.target {
        ChangeTarget::BucketPolicy { bucket, .. } => {
            facts.buckets().any(|(name, _)| name == bucket)
        }
        // No verdict is about it.
        ChangeTarget::Inventory { .. } => false,
        ChangeTarget::KeyPolicy { key } => facts.key(&key.to_string()).is_some(),
        ChangeTarget::Recovery { table } => facts.tables().any(|(_, facts)| {
            let described = facts.description.value();
            described.is_some_and(|described| described.arn == *table)
        }),
        ChangeTarget::RolePolicy { .. } | ChangeTarget::UserPolicy { .. } => {
            sides.any(|side| is_of_side(change, side))
        }
    }
}

/// Whether a change is of a side's own role or user.
fn is_of_side(change: &ChangeRecord, side: &PrincipalFacts) -> bool {
    let is_named = match &change.target {
        ChangeTarget::RolePolicy { role, .. } => side.role_name() == Some(role.as_str()),
        ChangeTarget::UserPolicy { user, .. } => {
            let path = side.caller.arn.resource_after("user");
            path.and_then(|path| path.rsplit('/').next()) == Some(user.as_str())
        }
        _ => false,
    };
    is_named && side.caller.account == change.account
}
