//! The exports in progress of a plan's tables that this journal does not know: another machine started
//! them, or a journal that is lost.
//!
//! One that asks for the same as the plan is a duplicate, which would be billed twice. What AWS leaves out
//! of an export's description is not held against it, so that a doubt is told, too.

use jiff::Timestamp;

use super::Work;
use crate::archive::origin;
use crate::aws::dynamodb::{Export, ExportStatus};
use crate::job::ExportRequest;
use crate::journal::JournalError;

/// An export in progress that asks for the same as a request of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateExport {
    /// The table's name.
    pub table: String,
    /// The export's ARN.
    pub export_arn: String,
    /// When it was started, where AWS says it.
    pub started_at: Option<Timestamp>,
}

impl DuplicateExport {
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

impl Work {
    /// The duplicates of a plan's requests among the exports of its tables that were described.
    pub(super) fn duplicates(
        &self,
        requests: &[ExportRequest],
        described: &[Export],
    ) -> Result<Vec<DuplicateExport>, JournalError> {
        let runs = self.inner.journal.runs()?;
        let own: Vec<_> = runs.iter().flat_map(|run| &run.operations).collect();
        let mut duplicates = Vec::new();
        let running = described
            .iter()
            .filter(|export| export.status == ExportStatus::InProgress);
        for export in running {
            let arn = export.arn.to_string();
            let is_own = own.iter().any(|known| {
                known.arn.as_ref() == Some(&arn)
                    || export.client_token.as_ref() == Some(&known.token)
            });
            let asked = requests
                .iter()
                .find(|request| is_duplicate(export, request));
            if let Some(request) = asked.filter(|_| !is_own) {
                let table = &request.table_arn;
                duplicates.push(DuplicateExport {
                    table: table
                        .resource_after("table")
                        .unwrap_or(&table.resource)
                        .to_owned(),
                    export_arn: arn,
                    started_at: export.started_at,
                });
            }
        }
        Ok(duplicates)
    }
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
        && match (&export.filter, &request.filter) {
            (Some(described), Some(asked)) => described.is(asked),
            (None, None) => true,
            _ => false,
        }
        && export
            .span
            .as_ref()
            .is_none_or(|span| origin::is_same_span(&request.span, span, export.started_at))
}
