//! The exports in progress of a plan's tables that this journal does not know: another machine started
//! them, or a journal that is lost.
//!
//! One that asks for the same as the plan is a duplicate, which would be billed twice. What AWS leaves out
//! of an export's description is not held against it, so that a doubt is told, too.

use std::collections::BTreeSet;

use futures_util::future;
use jiff::Timestamp;

use super::{Session, Work, region_of};
use crate::archive::origin;
use crate::aws::dynamodb::{Export, ExportStatus};
use crate::aws::failure::Failure;
use crate::job::ExportRequest;
use crate::journal::JournalError;
use tableferry_policy::arn::Arn;

/// How many exports in progress of a table are described.
const MOST_DESCRIBED: usize = 25;

/// An export in progress that asks for the same as a request of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The table's name.
    pub table: String,
    /// The export's ARN.
    pub export_arn: String,
    /// When it was started, where AWS says it.
    pub started_at: Option<Timestamp>,
}

impl Duplicate {
    /// What is the case, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let started = self
            .started_at
            .map_or_else(String::new, |at| format!(", started at {at:.0}"));
        format!(
            "an export of table {} to the same place is in progress{started}, and this machine's journal does not know it: {}",
            self.table, self.export_arn
        )
    }
}

/// What was found, and what could not be read.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) warnings: Vec<String>,
}

impl Work {
    /// Looks for duplicates of a plan's requests.
    pub(super) async fn under_way(
        &self,
        source: &Session,
        requests: &[ExportRequest],
    ) -> Result<UnderWay, JournalError> {
        let tables: BTreeSet<String> = requests
            .iter()
            .map(|request| request.table_arn.to_string())
            .collect();
        let tables = tables.iter().filter_map(|table| table.parse().ok());
        let reads = tables.map(|table| in_progress(source, table));
        let (mut found, mut refused) = (UnderWay::default(), Vec::new());
        let mut described = Vec::new();
        for read in future::join_all(reads).await {
            match read {
                Ok(read) => {
                    found.warnings.extend(read.warning());
                    described.extend(read.exports);
                    refused.extend(read.failure);
                }
                Err(failure) => refused.push(failure),
            }
        }
        if let Some(first) = refused.first() {
            found.warnings.push(format!(
                "whether the same is being exported already, started elsewhere, could not be read: {first}"
            ));
        }
        let runs = self.inner.journal.runs()?;
        let own: Vec<_> = runs.iter().flat_map(|run| &run.operations).collect();
        for export in described {
            let arn = export.arn.to_string();
            let is_own = own.iter().any(|known| {
                known.arn.as_ref() == Some(&arn)
                    || export.client_token.as_ref() == Some(&known.token)
            });
            let asked = requests
                .iter()
                .find(|request| is_duplicate(&export, request));
            if let Some(request) = asked.filter(|_| !is_own) {
                let table = &request.table_arn;
                found.duplicates.push(Duplicate {
                    table: table
                        .resource_after("table")
                        .unwrap_or(&table.resource)
                        .to_owned(),
                    export_arn: arn,
                    started_at: export.started_at,
                });
            }
        }
        Ok(found)
    }
}

/// The exports in progress of a table, as far as they were described.
struct InProgress {
    table: Arn,
    exports: Vec<Export>,
    /// How many were not looked at.
    left_out: usize,
    /// Why one could not be described.
    failure: Option<Failure>,
}

impl InProgress {
    fn warning(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} more exports of {} are in progress than were looked at: whether one of them asks for the same is not known",
                self.left_out, self.table
            )
        })
    }
}

async fn in_progress(source: &Session, table: Arn) -> Result<InProgress, Failure> {
    let dynamodb = source.dynamodb(&region_of(&table, source));
    let mut listed = dynamodb.list_exports(Some(&table)).await?;
    listed.retain(|(_, status)| *status == ExportStatus::InProgress);
    let left_out = listed.len().saturating_sub(MOST_DESCRIBED);
    listed.truncate(MOST_DESCRIBED);
    let describe = listed.iter().map(|(arn, _)| dynamodb.describe_export(arn));
    let (mut exports, mut failure) = (Vec::new(), None);
    for described in future::join_all(describe).await {
        match described {
            Ok(export) if export.status == ExportStatus::InProgress => exports.push(export),
            // It ended meanwhile.
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
    }
    Ok(InProgress {
        table,
        exports,
        left_out,
        failure,
    })
}

/// Whether an export is what a request asks for.
fn is_duplicate(export: &Export, request: &ExportRequest) -> bool {
    let is_of_table = export
        .arn
        .to_string()
        .starts_with(&format!("{}/export/", request.table_arn));
    let prefix = |prefix: &Option<String>| prefix.clone().unwrap_or_default();
    let is_or_unsaid =
        |said: &Option<String>, asked: &str| said.as_deref().is_none_or(|said| said == asked);
    is_of_table
        && is_or_unsaid(&export.bucket, request.bucket.as_str())
        && prefix(&export.prefix) == prefix(&request.prefix)
        && is_or_unsaid(&export.format, request.format.as_str())
        && is_or_unsaid(&export.sse_algorithm, request.encryption.as_str())
        && origin::is_same_key(&request.encryption, export.kms_key.as_deref())
        && export.is_filtered == request.filter.is_some()
        && export
            .span
            .as_ref()
            .is_none_or(|span| origin::is_same_span(&request.span, span, export.started_at))
}
