//! The changes of a job's resources in their order, each with what it differs in from the document before.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tableferry_policy::edit::diff;

use super::{ChangedResource, RecordedChange, ResourceKind};

/// A resource of a job, whose changes are looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchedResource {
    /// What it is.
    pub kind: ResourceKind,
    /// A bucket's, role's or user's name; the ARN of a key, a table or a managed policy; an account's id.
    pub name: String,
    /// Whose it is, where that is known.
    pub account: Option<String>,
}

impl WatchedResource {
    /// Whether a record is about it.
    #[must_use]
    pub fn is_meant(&self, changed: &ChangedResource) -> bool {
        let is_of_account = match (&changed.account, &self.account) {
            (Some(changed), Some(own)) => changed == own,
            _ => true,
        };
        let last = |name: &str| {
            let (_, id) = name.rsplit_once('/').unwrap_or(("", name));
            id.to_owned()
        };
        let is_named = match self.kind {
            // A record may name a table or a key by its ARN or by its name or id.
            ResourceKind::Table => {
                let is_in_region = match (self.name.split(':').nth(3), &changed.region) {
                    (Some(own), Some(changed)) => own == changed,
                    _ => true,
                };
                last(&self.name) == last(&changed.name) && is_in_region
            }
            ResourceKind::Key => last(&self.name) == last(&changed.name),
            _ => self.name == changed.name,
        };
        self.kind == changed.kind && is_of_account && is_named
    }
}

/// Where a change stands to the last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinceSuccess {
    /// The job succeeded after it.
    Before,
    /// It was made since.
    After,
}

/// A change with what it means for the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEntry {
    /// The change.
    pub change: RecordedChange,
    /// Where it stands to the last success; none where no success is known or both are in one second.
    pub since_success: Option<SinceSuccess>,
    /// What differs from the document that the change before it wrote; none where the event holds no
    /// document, was refused without one before it, or is the first of its kind.
    pub difference: Option<String>,
}

/// The changes of a job's resources, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeHistory {
    /// The changes.
    pub entries: Vec<ChangeEntry>,
    /// When the job last succeeded, where that is known.
    pub last_success: Option<Timestamp>,
}

impl ChangeHistory {
    /// Orders the changes that are about one of the resources. What is recorded twice, by CloudTrail and by
    /// an access log or in two files, is kept once, as whichever record holds more.
    #[must_use]
    pub fn of(
        changes: Vec<RecordedChange>,
        watched: &[WatchedResource],
        last_success: Option<Timestamp>,
    ) -> Self {
        let mut kept: Vec<RecordedChange> = changes
            .into_iter()
            .filter(|change| watched.iter().any(|one| one.is_meant(&change.resource)))
            .collect();
        // CloudTrail's record comes before an access log's of the same request.
        kept.sort_by_key(|change| (change.at, change.id.is_none()));
        let mut seen = BTreeSet::new();
        kept.retain(|change| {
            let id = change.request_id.clone().or_else(|| change.id.clone());
            id.is_none_or(|id| seen.insert(id))
        });
        let mut entries = entries_of(kept, last_success);
        entries.reverse();
        Self {
            entries,
            last_success,
        }
    }

    /// The changes that were done since the last success, or may have been; all that were done, where none
    /// is known.
    pub fn since_success(&self) -> impl Iterator<Item = &ChangeEntry> {
        self.entries.iter().filter(|entry| {
            entry.change.refusal.is_none() && entry.since_success != Some(SinceSuccess::Before)
        })
    }

    /// Whether something was changed within a span before a moment. `None` where the records do not tell:
    /// their times are whole seconds, so that one of the moment's own second stands before or after it. Nor
    /// where something was changed since as well: what is read now is then not what stood at that moment.
    #[must_use]
    pub fn was_changed_before(&self, at: Timestamp, span: SignedDuration) -> Option<bool> {
        let from = at.checked_sub(span).ok()?.as_second();
        let seconds: Vec<i64> = self
            .entries
            .iter()
            .filter(|entry| entry.change.refusal.is_none())
            .map(|entry| entry.change.at.as_second())
            .collect();
        let is_of_span = |second: &i64| (from..at.as_second()).contains(second);
        if seconds.iter().any(is_of_span) {
            let is_changed_since = seconds.iter().any(|second| *second > at.as_second());
            return (!is_changed_since).then_some(true);
        }
        (!seconds.contains(&at.as_second())).then_some(false)
    }
}

fn entries_of(changes: Vec<RecordedChange>, last_success: Option<Timestamp>) -> Vec<ChangeEntry> {
    let mut documents: BTreeMap<(ChangedResource, &'static str, Option<String>), String> =
        BTreeMap::new();
    let mut entries = Vec::with_capacity(changes.len());
    for change in changes {
        let of = (
            ChangedResource {
                // An access log names no account and no Region.
                account: None,
                region: None,
                ..change.resource.clone()
            },
            change.setting,
            change.part.clone(),
        );
        let difference = match (&change.document, documents.get(&of)) {
            (Some(after), Some(before)) => Some(diff(before, after)),
            _ => None,
        };
        if change.refusal.is_none() {
            match &change.document {
                Some(document) => documents.insert(of, document.clone()),
                // What was written is not known, or it was deleted.
                None => documents.remove(&of),
            };
        }
        let since_success = last_success.and_then(|success| {
            match change.at.as_second().cmp(&success.as_second()) {
                Ordering::Less => Some(SinceSuccess::Before),
                // A record's time is a whole second.
                Ordering::Equal => None,
                Ordering::Greater => Some(SinceSuccess::After),
            }
        });
        entries.push(ChangeEntry {
            change,
            since_success,
            difference,
        });
    }
    entries
}
