//! The exports that the journal remembers, and whether what they relied on is as it was.
//!
//! Two things tell of a change: the fingerprint of what was read before the export, against that of
//! what is read now, and what we changed ourselves since, which may be what nobody can read here.

use jiff::{SignedDuration, Timestamp};

use super::{SPREADING, bears, is_of_side};
use crate::assess::facts::{Drift, Facts, PastExport};
use crate::assess::fingerprint::{Fingerprint, fingerprints};
use crate::aws::dynamodb::{Export, ExportStatus};
use crate::job::Plan;
use crate::journal::{
    ChangeKind, ChangeRecord, ChangeStage, ExportRecord, Journal, RunRecord, Stage,
};
use tableferry_policy::arn::Arn;

/// How far back exports are remembered, as `ListExports` does.
const MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The exports of the last months, and recent ones that the journal does not hold.
pub(super) fn exports(
    journal: &Journal,
    plan: &Plan,
    facts: &Facts,
    recent: &[Export],
) -> Vec<PastExport> {
    if !plan.is_export() || plan.tables.is_empty() {
        return Vec::new();
    }
    let mut exports = remembered(journal, plan, facts);
    let of_others: Vec<PastExport> = recent
        .iter()
        .filter(|export| {
            let arn = export.arn.to_string();
            exports.iter().all(|known| known.export_arn != arn)
        })
        .filter_map(of_others)
        .collect();
    exports.extend(of_others);
    exports
}

/// An export that somebody else started, or another computer; AWS does not tell who.
fn of_others(export: &Export) -> Option<PastExport> {
    let arn = export.arn.to_string();
    let (table, _) = arn.split_once("/export/")?;
    Some(PastExport {
        table_arn: table.to_owned(),
        principal: String::new(),
        bucket: export.bucket.clone()?,
        prefix: export.prefix.clone(),
        key: export.kms_key.clone(),
        started_at: export.started_at?,
        ended_at: export.ended_at,
        status: export.status,
        failure_code: export.failure_code.clone(),
        failure_message: export.failure_message.clone(),
        owner: None,
        writing: Drift::Unknown,
        reading: Drift::Unknown,
        export_arn: arn,
    })
}

/// Those in the journal; none where it cannot be read, since they are only evidence beside the facts.
fn remembered(journal: &Journal, plan: &Plan, facts: &Facts) -> Vec<PastExport> {
    let since = facts.surveyed_at.checked_sub(MEMORY);
    let since = since.unwrap_or(Timestamp::MIN);
    let (Ok(runs), Ok(changes)) = (journal.runs_since(since), journal.changes()) else {
        return Vec::new();
    };
    let present = Present::of(plan, facts, &changes);
    runs.iter()
        .flat_map(|run| {
            let exports = run.exports();
            exports.filter_map(|export| past_export(run, &export, &present))
        })
        .collect()
}

/// What was read now, to be held against what was read then.
struct Present {
    /// Each table of the plan.
    tables: Vec<(Arn, Fingerprint)>,
    /// When we last changed something that bears on the exporter.
    changed_at: Option<Timestamp>,
}

impl Present {
    fn of(plan: &Plan, facts: &Facts, changes: &[ChangeRecord]) -> Self {
        let source = facts.source();
        let tables = plan.tables.iter();
        let tables = tables.map(|job| plan.table_arn(job, &source.caller.account, &source.region));
        let changes = changes
            .iter()
            .filter(|change| bears_on_exporter(change, facts));
        Self {
            tables: tables.zip(fingerprints(plan, facts)).collect(),
            changed_at: changes.filter_map(changed_at).max(),
        }
    }

    /// What has become of what an export of a run relied on: for writing, and for reading.
    fn since(&self, run: &RunRecord, export: &ExportRecord) -> (Drift, Drift) {
        // A failure soon after a change is explained by the change, which may not have held yet.
        let from = match export.operation.stage {
            Stage::Failed => run.created_at.checked_sub(SPREADING),
            _ => Ok(run.created_at),
        };
        let from = from.unwrap_or(Timestamp::MIN);
        if self.changed_at.is_some_and(|at| at >= from) {
            return (Drift::Changed, Drift::Changed);
        }
        let Some(then) = &export.operation.fingerprint else {
            return (Drift::Unknown, Drift::Unknown);
        };
        let compare = |then: &String, now: Option<&String>| match now {
            Some(now) if now == then => Drift::Unchanged,
            Some(_) => Drift::Changed,
            None => Drift::Unknown,
        };
        let mut tables = self.tables.iter();
        let same = tables.find(|(table, _)| *table == export.request.table_arn);
        let writing = self.tables.first().map(|(_, now)| &now.writing);
        let reading = same.map(|(_, now)| &now.reading);
        (
            compare(&then.writing, writing),
            compare(&then.reading, reading),
        )
    }
}

fn bears_on_exporter(change: &ChangeRecord, facts: &Facts) -> bool {
    match change.target.kind() {
        ChangeKind::Recovery | ChangeKind::Inventory => false,
        ChangeKind::IdentityPolicy => is_of_side(change, facts.source()),
        ChangeKind::BucketPolicy | ChangeKind::KeyPolicy => bears(change, facts),
    }
}

/// When an account was last changed; of a change that was cut off, when it may have been.
fn changed_at(change: &ChangeRecord) -> Option<Timestamp> {
    match change.stage {
        ChangeStage::Planned => Some(change.created_at),
        // An undo was begun, and nobody wrote down whether and when it was done.
        ChangeStage::Written | ChangeStage::Held if change.undone_from.is_some() => {
            Some(Timestamp::MAX)
        }
        ChangeStage::Written | ChangeStage::Held => change.written_at,
        ChangeStage::Undone => change.undone_at,
        ChangeStage::NotWritten => None,
    }
}

fn past_export(run: &RunRecord, export: &ExportRecord, present: &Present) -> Option<PastExport> {
    let operation = &export.operation;
    let status = match operation.stage {
        Stage::Completed => ExportStatus::Completed,
        Stage::Failed => ExportStatus::Failed,
        _ => ExportStatus::InProgress,
    };
    let request = &export.request;
    let (writing, reading) = present.since(run, export);
    Some(PastExport {
        export_arn: operation.arn.clone()?,
        table_arn: request.table_arn.to_string(),
        principal: run.source_arn.clone(),
        bucket: request.bucket.to_string(),
        prefix: request.prefix.clone(),
        key: request.encryption.key().map(str::to_owned),
        started_at: operation.started_at.or(operation.called_at)?,
        ended_at: operation.ended_at,
        status,
        failure_code: operation.failure_code.clone(),
        failure_message: operation.failure_message.clone(),
        owner: request.bucket_owner.clone(),
        writing,
        reading,
    })
}
