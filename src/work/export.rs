//! Exports as a kind of operation: `ExportTableToPointInTime`, `DescribeExport`, and the files in the
//! bucket.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tableferry_policy::arn::Arn;

use super::event::{Side, Verification};
use super::look_up;
use super::operation::{
    Calls, Described, ListedPage, LookUp, Observation, OperationKind, StatusCalls,
};
use super::{Session, Work, region_of};
use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus, StartAnswer};
use crate::aws::failure::Failure;
use crate::job::ExportRequest;
use crate::journal::{EXPORT, ExportRecord, ExportResult, JournalError, Operation, Stage};

/// A token holds for eight hours after its first request completes (`ExportTableToPointInTime`,
/// `ClientToken`). Both requests were accepted within 15 minutes of the times they were signed with.
const TOKEN_HOLDS: SignedDuration = SignedDuration::from_hours(7);

/// The kind.
#[derive(Debug)]
pub(super) struct ExportKind;

/// The calls of one export, in the table's Region.
struct ExportCalls {
    dynamodb: Dynamodb,
    request: ExportRequest,
    /// When the table was made that has its name now, once it was asked: `ListExports` shows nothing of
    /// one that was deleted.
    table_created_at: Option<Timestamp>,
}

impl Calls for ExportCalls {
    fn ask_time(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let table = self.request.table_arn.to_string();
            let described = self.dynamodb.describe_table(&table).await;
            self.table_created_at = described.as_ref().ok().and_then(|table| table.created_at);
            described.map(|_| ())
        })
    }

    fn service_time(&self) -> Option<Timestamp> {
        self.dynamodb.service_time()
    }

    fn start(&self, signed_at: Option<Timestamp>) -> BoxFuture<'_, StartAnswer<Described>> {
        Box::pin(async move {
            let answer = self.dynamodb.start_export(&self.request, signed_at).await;
            match answer {
                StartAnswer::Started(export) => StartAnswer::Started(Box::new(described(*export))),
                StartAnswer::Refused(failure) => StartAnswer::Refused(failure),
                StartAnswer::Unanswered(failure) => StartAnswer::Unanswered(failure),
            }
        })
    }

    fn look_up<'a>(&'a self, record: &'a Operation) -> BoxFuture<'a, LookUp> {
        Box::pin(async move {
            // AWS's time before the listing was asked for.
            let asked_at = self.dynamodb.service_time();
            let found = look_up::by_token(&self.dynamodb, &self.request, record.first_called).await;
            match found {
                Ok(Some(export)) => LookUp::Found(Box::new(described(export))),
                Ok(None) => look_up::absence(record, asked_at, self.table_created_at),
                Err(failure) => LookUp::Failed(failure),
            }
        })
    }
}

impl StatusCalls for ExportCalls {
    fn describe<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Described, Failure>> {
        Box::pin(async move { self.dynamodb.describe_export(arn).await.map(described) })
    }

    fn list_page(
        &self,
        page: Option<String>,
    ) -> BoxFuture<'_, Option<Result<ListedPage, Failure>>> {
        Box::pin(async move {
            let listed = self.dynamodb.list_exports_page(page).await;
            Some(listed.map(|(exports, next)| {
                ListedPage {
                    operations: exports
                        .into_iter()
                        .map(|(arn, status)| (arn, stage(status)))
                        .collect(),
                    next,
                }
            }))
        })
    }
}

impl OperationKind for ExportKind {
    fn name(&self) -> &'static str {
        EXPORT
    }

    fn side(&self) -> Side {
        Side::Source
    }

    fn token_holds(&self) -> SignedDuration {
        TOKEN_HOLDS
    }

    fn describe_operation(&self) -> &'static str {
        "DescribeExport"
    }

    fn look_up_permissions(&self) -> &'static str {
        "dynamodb:ListExports and dynamodb:DescribeExport"
    }

    fn describe_permission(&self) -> &'static str {
        "dynamodb:DescribeExport on the table's export/*"
    }

    fn calls(&self, session: &Session, record: &Operation) -> Result<Box<dyn Calls>, JournalError> {
        let request = read(record)?.request;
        Ok(Box::new(ExportCalls {
            dynamodb: session.dynamodb(&region_of(&request.table_arn, session)),
            request,
            table_created_at: None,
        }))
    }

    fn blocked_by<'a>(
        &'a self,
        work: &'a Work,
        session: &'a Session,
        record: &'a Operation,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let request = record.to_export()?.request;
            work.blocked_by_limits(session, &request).await
        })
    }

    fn may_be(&self, record: &Operation, arn: &Arn) -> bool {
        let id = arn.to_string();
        id.strip_prefix(&record.subject)
            .is_some_and(|rest| rest.starts_with("/export/"))
    }

    fn is_unknown(&self, failure: &Failure) -> bool {
        matches!(
            failure.code.as_deref(),
            Some("ExportNotFoundException" | "ValidationException")
        )
    }

    fn files_seen<'a>(
        &'a self,
        work: &'a Work,
        record: &'a Operation,
    ) -> BoxFuture<'a, Option<(u64, u64)>> {
        Box::pin(async move { work.files_seen(&record.to_export()?).await })
    }

    fn verify<'a>(&'a self, work: &'a Work, record: &'a Operation) -> BoxFuture<'a, Observation> {
        Box::pin(async move {
            match read(record) {
                Ok(export) => work.look_at_files(&export).await,
                Err(error) => {
                    let reason = error.to_string();
                    Observation::Settled(Verification::Unknown { reason }, Vec::new())
                }
            }
        })
    }
}

fn read(record: &Operation) -> Result<ExportRecord, JournalError> {
    record
        .to_export()
        .ok_or_else(|| JournalError::UnknownKind(record.kind.clone()))
}

/// One page of an account's exports in a Region.
pub(super) async fn list_page(
    dynamodb: &Dynamodb,
    page: Option<String>,
) -> Result<ListedPage, Failure> {
    let (exports, next) = dynamodb.list_exports_page(page).await?;
    Ok(ListedPage {
        operations: exports
            .into_iter()
            .map(|(arn, status)| (arn, stage(status)))
            .collect(),
        next,
    })
}

/// What AWS says of an export, as any kind says it.
pub(super) fn described(export: Export) -> Described {
    let result = ExportResult {
        item_count: export.item_count,
        billed_size_bytes: export.billed_size_bytes,
        manifest: export.manifest,
    };
    // The result's own types always serialize.
    let result = serde_json::to_value(result).unwrap_or_default();
    Described {
        arn: export.arn,
        token: export.client_token,
        stage: stage(export.status),
        started_at: export.started_at,
        ended_at: export.ended_at,
        failure_code: export.failure_code,
        failure_message: export.failure_message,
        result,
    }
}

const fn stage(status: ExportStatus) -> Stage {
    match status {
        ExportStatus::InProgress => Stage::InProgress,
        ExportStatus::Completed => Stage::Completed,
        ExportStatus::Failed => Stage::Failed,
    }
}
