//! Exports in flight that the journal does not hold: a colleague's, or another computer's.
//!
//! It decides whether one of them may rely on a change. AWS tells of an export where it writes and
//! with which key, and not who started it, so that what may rely on the change counts as doing so.

use std::collections::BTreeSet;

use futures_util::future;

use super::undo::{UndoError, is_key, is_table_of};
use crate::aws::Session;
use crate::aws::dynamodb::{Export, ExportStatus};
use crate::aws::failure::Failure;
use crate::journal::{ChangeRecord, ChangeTarget};
use crate::work::Work;
use crate::work::event::Side;
use tableferry_policy::arn::Region;
use tableferry_policy::edit::concerns;

/// How many exports in flight are looked at; an account has 300 at the most.
const MOST_DESCRIBED: usize = 50;

/// How many are told of by name.
const MOST_NAMED: usize = 3;

impl Work {
    /// Looks for exports in flight that may rely on a change, as the account that exports. What could
    /// not be looked for comes back in words.
    ///
    /// # Errors
    /// Where there is such an export.
    pub(super) async fn exports_of_others(
        &self,
        record: &ChangeRecord,
    ) -> Result<Option<String>, UndoError> {
        let session = self.session(Side::Source);
        let session = session.filter(|session| session.identity.account == record.source_account);
        let Some(session) = session else {
            let why = format!("nobody is signed in to {}", record.source_account);
            return Ok(Some(unseen(&why)));
        };
        let running = match running(&session, record).await {
            Ok(running) => running,
            Err(failure) => return Ok(Some(unseen(&failure.to_string()))),
        };
        let in_use: Vec<String> = running
            .described
            .iter()
            .filter(|export| relies_on(export, record))
            .map(|export| export.arn.to_string())
            .collect();
        if in_use.is_empty() {
            return Ok(running.unseen.map(|why| unseen(&why)));
        }
        let more = in_use.len().saturating_sub(MOST_NAMED);
        let mut exports = in_use
            .iter()
            .take(MOST_NAMED)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if more > 0 {
            exports = format!("{exports} and {more} more");
        }
        let verb = if in_use.len() == 1 { "is" } else { "are" };
        Err(UndoError::InUseByOthers {
            id: record.id,
            exports: format!("{exports} {verb} under way"),
        })
    }
}

fn unseen(why: &str) -> String {
    format!("exports that others started could not be looked for, and may rely on this: {why}")
}

/// The exports in flight.
struct Running {
    described: Vec<Export>,
    /// Why some of them were not looked at.
    unseen: Option<String>,
}

async fn running(session: &Session, record: &ChangeRecord) -> Result<Running, Failure> {
    let mut running = Vec::new();
    for region in regions(session, record) {
        let listed = session.dynamodb(&region).list_exports(None).await?;
        let in_flight = listed
            .into_iter()
            .filter(|(_, status)| *status == ExportStatus::InProgress);
        running.extend(in_flight.map(|(arn, _)| (region.clone(), arn)));
    }
    // The latest first: their ids begin with the time of their start.
    running.sort_by(|(_, one), (_, other)| id(&other.resource).cmp(id(&one.resource)));
    let count = running.len();
    let described = running
        .iter()
        .take(MOST_DESCRIBED)
        .map(|(region, arn)| async move { session.dynamodb(region).describe_export(arn).await });
    let described = future::join_all(described).await;
    let mut unseen = (count > MOST_DESCRIBED)
        .then(|| format!("{count} are under way, and {MOST_DESCRIBED} were looked at"));
    let mut exports = Vec::new();
    for answer in described {
        match answer {
            Ok(export) if export.status == ExportStatus::InProgress => exports.push(export),
            // It ended meanwhile.
            Ok(_) => {}
            Err(failure) => unseen = unseen.or(Some(failure.to_string())),
        }
    }
    Ok(Running {
        described: exports,
        unseen,
    })
}

fn id(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or_default()
}

/// The Regions that the plan of a change exports from, or else the session's.
fn regions(session: &Session, record: &ChangeRecord) -> BTreeSet<Region> {
    let plan = record.read_plan();
    let tables = plan.iter().flat_map(|plan| {
        plan.tables
            .iter()
            .map(|job| plan.table_arn(job, &record.source_account, &session.region))
    });
    let mut regions: BTreeSet<Region> = tables.filter_map(|table| table.region_code()).collect();
    if regions.is_empty() {
        regions.insert(session.region.clone());
    }
    regions
}

fn relies_on(export: &Export, change: &ChangeRecord) -> bool {
    let bucket = export.bucket.as_deref();
    match &change.target {
        ChangeTarget::BucketPolicy { bucket: own, .. } => {
            bucket.is_none_or(|bucket| bucket == own.as_str())
                && change.after.as_deref().is_none_or(|after| {
                    concerns(
                        change.before.as_deref(),
                        after,
                        &objects(export, own.as_str()),
                    )
                })
        }
        ChangeTarget::KeyPolicy { key } => {
            let named = export.kms_key.as_deref();
            named.is_some_and(|named| is_key(named, key)) || is_table_of(change, &table(export))
        }
        ChangeTarget::Recovery { table: own } => table(export) == own.to_string(),
        ChangeTarget::Inventory { .. } => false,
        // Whose rights an export goes by is not told, so that those of the same bucket count.
        ChangeTarget::RolePolicy { .. } | ChangeTarget::UserPolicy { .. } => {
            let plan = change.read_plan();
            plan.zip(bucket)
                .is_none_or(|(plan, bucket)| plan.destination.bucket.as_str() == bucket)
        }
    }
}

/// What an export writes.
fn objects(export: &Export, bucket: &str) -> String {
    let partition = export.arn.partition.as_str();
    let prefix = export.prefix.as_deref().unwrap_or_default();
    let parting = if prefix.is_empty() { "" } else { "/" };
    format!("arn:{partition}:s3:::{bucket}/{prefix}{parting}AWSDynamoDB/*")
}

/// The ARN of the table that is exported: the export's without its end.
fn table(export: &Export) -> String {
    let arn = export.arn.to_string();
    arn.split_once("/export/")
        .map_or(arn.clone(), |(table, _)| table.to_owned())
}
