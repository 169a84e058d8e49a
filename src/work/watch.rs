//! Watching exports, also those started elsewhere: those of the journal's runs, and those that another machine
//! started in an account.
//!
//! It decides what is said of an export beside its state: what appeared in the bucket against the size of
//! the table, and how long it takes yet, which is said only where at least two exports of that table were
//! completed. Of the journal's exports the journal is kept up to date; the others are only looked at.

mod account;
mod run;
mod tables;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

pub use account::{WatchError, WatchedExports};

use super::FailedOperation;
use super::event::Verification;
use crate::archive::layout::ExportId;
use crate::job::Span;
use crate::journal::{EXPORT, Operation, RunId, Stage};
use tableferry_policy::arn::Arn;

/// How many completed exports of a table make a guess of how long the next one takes.
const ENOUGH_TO_GUESS: usize = 2;

/// An export that is watched, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedExport {
    /// Which one it is.
    pub id: WatchId,
    /// Its ARN, once its call was answered.
    pub arn: Option<String>,
    /// Its table's name.
    pub name: String,
    /// Its table's ARN.
    pub table_arn: String,
    /// The account of the table.
    pub account: String,
    /// The Region of the table.
    pub region: String,
    /// The run of this machine that started it.
    pub run: Option<RunId>,
    /// How far it is.
    pub stage: Stage,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Data files in the bucket so far, and their compressed bytes, where they can be read.
    pub seen: Option<(u64, u64)>,
    /// The table's size in DynamoDB, uncompressed, as counted every six hours.
    pub table_bytes: Option<u64>,
    /// Items exported, once completed.
    pub item_count: Option<u64>,
    /// What completed exports of the table tell of its time.
    pub usual: Option<UsualTime>,
    /// How it failed.
    pub failure: Option<FailedOperation>,
    /// What its verification found, where it was made.
    pub verification: Option<Verification>,
    /// Where its files lie, once it is complete.
    pub uri: Option<String>,
    /// Why it is not known how it stands.
    pub unknown: Option<String>,
}

/// Which export it is: by its ARN, or by its place in a run while it has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(String);

impl fmt::Display for WatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How long exports of a table took that were completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsualTime {
    /// Their median.
    pub median: SignedDuration,
    /// How many they are, two or more.
    pub exports: usize,
}

impl UsualTime {
    /// The usual time by the times that completed exports took; `None` of fewer than two.
    #[must_use]
    pub fn of(mut times: Vec<SignedDuration>) -> Option<Self> {
        if times.len() < ENOUGH_TO_GUESS {
            return None;
        }
        times.sort_unstable();
        let (lower, upper) = (
            times.get((times.len() - 1) / 2)?,
            times.get(times.len() / 2)?,
        );
        Some(Self {
            median: (*lower + *upper) / 2,
            exports: times.len(),
        })
    }
}

/// Something that happened while exports were watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// An export's state is now this.
    Export(Box<WatchedExport>),
    /// A difficulty in a sentence.
    Noted {
        /// The sentence.
        message: String,
    },
}

impl WatchedExport {
    /// One that was started elsewhere, under way as a listing says.
    #[must_use]
    pub fn of_arn(arn: &Arn) -> Self {
        let text = arn.to_string();
        let table = text.split("/export/").next().unwrap_or(&text);
        let name = table.split_once(":table/").map_or(table, |(_, name)| name);
        Self {
            id: WatchId(text.clone()),
            name: name.to_owned(),
            table_arn: table.to_owned(),
            account: arn.account.clone(),
            region: arn.region.clone(),
            run: None,
            stage: Stage::InProgress,
            started_at: ExportId::from_export_arn(&text)
                .ok()
                .map(|id| id.started_at()),
            ended_at: None,
            seen: None,
            table_bytes: None,
            item_count: None,
            usual: None,
            failure: None,
            verification: None,
            uri: None,
            unknown: None,
            arn: Some(text),
        }
    }

    /// One of a run of the journal; `None` of an operation of another kind.
    #[must_use]
    pub fn of_operation(operation: &Operation) -> Option<Self> {
        if operation.kind != EXPORT {
            return None;
        }
        let table: Arn = operation.subject.parse().ok()?;
        let export = operation.to_export();
        Some(Self {
            id: WatchId(match &operation.arn {
                Some(arn) => arn.clone(),
                None => format!("{}/{}", operation.run, operation.position),
            }),
            arn: operation.arn.clone(),
            name: operation.name().to_owned(),
            table_arn: operation.subject.clone(),
            account: operation.account.clone(),
            region: table.region,
            run: Some(operation.run),
            stage: operation.stage,
            started_at: operation.started_at.or(operation.called_at),
            ended_at: operation.ended_at,
            seen: None,
            table_bytes: None,
            item_count: export.and_then(|export| export.result.item_count),
            usual: None,
            failure: FailedOperation::of(operation),
            verification: Verification::of(operation),
            uri: super::history::export_uri(operation),
            unknown: None,
        })
    }

    /// Whether nothing more is waited for.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        match self.stage {
            Stage::Planned | Stage::Calling | Stage::InProgress => self.unknown.is_some(),
            // The journal's own are verified yet.
            Stage::Completed => self.run.is_none() || self.verification.is_some(),
            Stage::Refused | Stage::NotStarted | Stage::Failed => true,
        }
    }

    /// How long it has been under way, or took.
    #[must_use]
    pub fn elapsed(&self, now: Timestamp) -> Option<SignedDuration> {
        let end = self.ended_at.unwrap_or(now);
        let elapsed = end.duration_since(self.started_at?);
        Some(elapsed.max(SignedDuration::ZERO))
    }

    /// How long it takes yet by its table's earlier exports; negative where it takes longer than they did.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        let usual = self.usual.filter(|_| self.stage == Stage::InProgress)?;
        Some(usual.median - self.elapsed(now)?)
    }
}

/// Whether two exports of a table take about as long: incremental ones are of a window, the others of all.
const fn is_full(span: &Span) -> bool {
    matches!(span, Span::Full { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    #[test]
    fn a_time_is_guessed_from_two_completed_exports_and_not_from_one() {
        assert_eq!(UsualTime::of(Vec::new()), None);
        assert_eq!(UsualTime::of(vec![minutes(4)]), None);
        let two = UsualTime::of(vec![minutes(8), minutes(4)]).unwrap();
        assert_eq!((two.median, two.exports), (minutes(6), 2));
        let three = UsualTime::of(vec![minutes(30), minutes(4), minutes(5)]).unwrap();
        assert_eq!((three.median, three.exports), (minutes(5), 3));
    }

    #[test]
    fn what_is_left_is_the_usual_time_less_what_passed_and_may_be_over() {
        let arn =
            "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01695097218000-d8299cbd";
        let mut export = WatchedExport::of_arn(&arn.parse().unwrap());
        // The id of AWS's page (API reference, `ExportArn`): its digits are milliseconds.
        let start: Timestamp = "2023-09-19T04:20:18Z".parse().unwrap();
        assert_eq!(export.started_at, Some(start));
        assert_eq!(export.name, "Orders");
        let now = start + minutes(4);
        assert_eq!(export.left(now), None);
        export.usual = UsualTime::of(vec![minutes(5), minutes(7)]);
        assert_eq!(export.left(now), Some(minutes(2)));
        assert_eq!(export.left(start + minutes(9)), Some(minutes(-3)));
        export.stage = Stage::Completed;
        assert_eq!(export.left(now), None);
    }
}
