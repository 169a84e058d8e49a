//! Who changed the resources of a job: CloudTrail's event history, asked in the Regions and accounts that
//! hold it.
//!
//! It decides which look-ups are made with which session. CloudTrail takes two a second for each account and Region, so
//! that those of one account and Region are made one after the other, with a pause between them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future;
use jiff::Timestamp;
use tableferry_policy::arn::{Arn, Region};

use super::event::Side;
use super::{Session, Work};
use crate::assess::facts::Facts;
use crate::aws::cloudtrail::{LOOKUP_EVENTS, LookupKey};
use crate::aws::failure::FailureKind;
use crate::diagnosis::changes::{
    ChangeHistory, RecordedChange, ResourceKind, WatchedResource, last_success, read_event,
    watched_resources,
};
use crate::job::Plan;

/// The pause between two look-ups in one account and Region ("2 calls a second", CloudTrail API reference).
const PAUSE: Duration = Duration::from_millis(500);
/// The most pages of one look-up that are read, of 50 events each.
const MOST_PAGES: usize = 20;

/// The changes of a job's resources, and what of them could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadHistory {
    /// The changes, the newest first.
    pub history: ChangeHistory,
    /// What was not read, and why, a sentence each.
    pub not_read: Vec<String>,
}

/// One look-up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct EventLookup {
    is_by_event: bool,
    value: String,
}

impl Work {
    /// Looks up who changed the plan's resources since a time, with the sides that are signed in. The
    /// facts say which resources these are, and where; `recorded` is what files told besides.
    pub async fn change_history(
        &self,
        plan: &Plan,
        facts: &Facts,
        since: Timestamp,
        recorded: Vec<RecordedChange>,
    ) -> ReadHistory {
        let watched = watched_resources(plan, Some(facts));
        let bucket = facts.bucket(&plan.destination.bucket);
        let bucket_region = bucket.region.value().cloned();
        let mut not_read = Vec::new();
        let mut asked: BTreeMap<(Side, Region), Vec<EventLookup>> = BTreeMap::new();
        for resource in &watched {
            let Some(side) = self.side_of(resource) else {
                not_read.push(unasked(resource));
                continue;
            };
            let Some(session) = self.session(side) else {
                continue;
            };
            for region in regions(resource, &session, bucket_region.as_ref()) {
                let lookups = asked.entry((side, region)).or_default();
                lookups.extend(lookups_of(resource));
            }
        }
        let groups = asked
            .into_iter()
            .map(|((side, region), lookups)| async move {
                match self.session(side) {
                    Some(session) => self.look_up(&session, &region, lookups, since).await,
                    None => (Vec::new(), Vec::new()),
                }
            });
        let mut changes = recorded;
        for (found, problems) in future::join_all(groups).await {
            changes.extend(found);
            not_read.extend(problems);
        }
        let delivered = match self.newest_report(plan).await {
            Ok(delivered) => delivered,
            Err(error) => {
                not_read.push(format!("when the newest report was delivered: {error}"));
                None
            }
        };
        not_read.dedup();
        let success = last_success(plan, facts).max(delivered);
        ReadHistory {
            history: ChangeHistory::of(changes, &watched, success),
            not_read,
        }
    }

    /// The side that is signed in to a resource's account.
    fn side_of(&self, resource: &WatchedResource) -> Option<Side> {
        let account = resource.account.as_deref()?;
        [Side::Source, Side::Destination].into_iter().find(|side| {
            let session = self.session(*side);
            session.is_some_and(|session| session.identity.account.as_str() == account)
        })
    }

    /// Makes the look-ups of one account and Region, one after the other. A refusal ends them: it would
    /// meet them all.
    async fn look_up(
        &self,
        session: &Session,
        region: &Region,
        mut lookups: Vec<EventLookup>,
        since: Timestamp,
    ) -> (Vec<RecordedChange>, Vec<String>) {
        let client = session.cloudtrail(region);
        let pause = if self.settings().is_sandbox {
            Duration::ZERO
        } else {
            PAUSE
        };
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        lookups.sort();
        lookups.dedup();
        let account = &session.identity.account;
        'lookups: for lookup in &lookups {
            let key = if lookup.is_by_event {
                LookupKey::EventName
            } else {
                LookupKey::ResourceName
            };
            let mut next = None;
            for page in 0.. {
                if page >= MOST_PAGES {
                    problems.push(format!(
                        "CloudTrail has more events of {} in {region} than are read here: the older ones are \
                         not looked at; --since shortens the time",
                        lookup.value
                    ));
                    break;
                }
                let answer = client
                    .lookup_events((key, &lookup.value), since, next)
                    .await;
                tokio::time::sleep(pause).await;
                match answer {
                    Ok(page) => {
                        changes.extend(page.events.iter().filter_map(|event| read_event(event)));
                        next = page.next;
                    }
                    Err(failure) => {
                        let is_refused = failure.kind == FailureKind::AccessDenied;
                        problems.push(if is_refused {
                            format!(
                                "the changes in account {account}, {region}, were not read: \
                                 {LOOKUP_EVENTS} would tell them ({failure})"
                            )
                        } else {
                            format!("the changes in account {account}, {region}, were not read: {failure}")
                        });
                        break 'lookups;
                    }
                }
                if next.is_none() {
                    break;
                }
            }
        }
        (changes, problems)
    }
}

/// What is said of a resource in whose account nobody is signed in.
fn unasked(resource: &WatchedResource) -> String {
    let what = format!("{} {}", resource.kind.as_str(), resource.name);
    match &resource.account {
        Some(account) => format!(
            "changes of {what} were not looked up: nobody is signed in to its account, {account}"
        ),
        None => format!("changes of {what} were not looked up: whose it is, is not known"),
    }
}

/// The Regions whose event history holds a resource's changes.
fn regions(
    resource: &WatchedResource,
    session: &Session,
    bucket_region: Option<&Region>,
) -> Vec<Region> {
    let own = || session.region.clone();
    // IAM's events are in one Region of the partition.
    let global = || session.partition().global_region().parse().ok();
    match resource.kind {
        ResourceKind::Bucket => vec![bucket_region.cloned().unwrap_or_else(own)],
        ResourceKind::Key | ResourceKind::Table => {
            let arn: Option<Arn> = resource.name.parse().ok();
            vec![arn.and_then(|arn| arn.region_code()).unwrap_or_else(own)]
        }
        ResourceKind::Role | ResourceKind::User | ResourceKind::ManagedPolicy => {
            global().into_iter().collect()
        }
        // The call may be made in any Region; these are where it is made for this bucket.
        ResourceKind::Account => {
            let mut regions = vec![bucket_region.cloned().unwrap_or_else(own)];
            regions.extend(global().filter(|region| !regions.contains(region)));
            regions
        }
    }
}

/// What a resource's events are found by. Whether a look-up takes a table's or key's name or its ARN is not
/// documented, so that both are asked for.
fn lookups_of(resource: &WatchedResource) -> Vec<EventLookup> {
    let by_name = |value: &str| EventLookup {
        is_by_event: false,
        value: value.to_owned(),
    };
    let by_event = |value: &str| EventLookup {
        is_by_event: true,
        value: value.to_owned(),
    };
    match resource.kind {
        ResourceKind::Account => vec![
            by_event("PutAccountPublicAccessBlock"),
            by_event("DeleteAccountPublicAccessBlock"),
        ],
        ResourceKind::Key | ResourceKind::Table => {
            let (_, last) = resource.name.rsplit_once('/').unwrap_or_default();
            vec![by_name(&resource.name), by_name(last)]
        }
        _ => vec![by_name(&resource.name)],
    }
}
