//! Operations that failed, as the journal or AWS tells them: what the diagnosis is made from.

use jiff::Timestamp;
use tableferry_policy::arn::Arn;

use super::event::Side;
use super::{Session, Work, region_of};
use crate::aws::dynamodb::{Export, ExportStatus};
use crate::aws::failure::Failure;
use crate::diagnosis::OperationFailure;
use crate::job::ImportStatus;
use crate::journal::{EXPORT, IMPORT, Operation, Stage};

/// An operation that failed, or whose call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedOperation {
    /// The name of what it worked on, such as a table's.
    pub name: String,
    /// Its ARN, where the call was accepted.
    pub arn: Option<String>,
    /// How it failed.
    pub failure: OperationFailure,
}

impl FailedOperation {
    /// The failure that the journal holds of an operation; none where it did not fail.
    #[must_use]
    pub fn of(operation: &Operation) -> Option<Self> {
        if !matches!(operation.stage, Stage::Failed | Stage::Refused) {
            return None;
        }
        let export = operation.to_export();
        let import = operation.to_import();
        let of_export = export.as_ref().map(|export| &export.request);
        let of_import = import.as_ref().map(|(request, _)| request);
        let bucket = of_export
            .map(|request| (&request.bucket, &request.bucket_owner))
            .or_else(|| of_import.map(|request| (&request.bucket, &request.bucket_owner)));
        let call = match operation.kind.as_str() {
            EXPORT => "ExportTableToPointInTime",
            IMPORT => "ImportTable",
            other => other,
        };
        Some(Self {
            name: operation.name().to_owned(),
            arn: operation.arn.clone(),
            failure: OperationFailure {
                operation: call.to_owned(),
                is_refused: operation.stage == Stage::Refused,
                code: operation.failure_code.clone(),
                message: operation.failure_message.clone(),
                request_id: operation.failure_request_id.clone(),
                bucket: bucket.map(|(bucket, _)| bucket.to_string()),
                is_owner_sent: bucket.map(|(_, owner)| owner.is_some()),
                at: operation.ended_at.or(operation.called_at),
            },
        })
    }

    /// The failure of an export, as AWS describes it.
    pub(super) fn of_export(export: &Export) -> Self {
        Self {
            failure: OperationFailure {
                is_owner_sent: Some(export.owner.is_some()),
                ..failure(
                    "ExportTableToPointInTime",
                    (export.failure_code.clone(), export.failure_message.clone()),
                    export.bucket.clone(),
                    export.ended_at,
                )
            },
            ..Self::named(&export.arn)
        }
    }

    /// One with this ARN, of which nothing is known.
    fn named(arn: &Arn) -> Self {
        let name = arn.resource_after("table").unwrap_or(&arn.resource);
        Self {
            name: name.split('/').next().unwrap_or(name).to_owned(),
            arn: Some(arn.to_string()),
            failure: OperationFailure::default(),
        }
    }
}

fn failure(
    operation: &str,
    (code, message): (Option<String>, Option<String>),
    bucket: Option<String>,
    at: Option<Timestamp>,
) -> OperationFailure {
    OperationFailure {
        operation: operation.to_owned(),
        code,
        message,
        bucket,
        at,
        ..OperationFailure::default()
    }
}

impl Work {
    /// The failure of an export or import by its ARN, as AWS describes it to the source's session; its
    /// status where it did not fail.
    ///
    /// # Errors
    /// Where it cannot be asked after.
    pub async fn described_failure(
        &self,
        arn: &Arn,
    ) -> Result<Result<FailedOperation, String>, Failure> {
        // An import is of the account that it makes the table in, as a rule the destination.
        let is_of = |session: &Session| session.identity.account.as_str() == arn.account;
        let destination = self.session(Side::Destination).filter(is_of);
        let Some(session) = destination.or_else(|| self.session(Side::Source)) else {
            return Ok(Err("not asked after, since nobody is signed in".to_owned()));
        };
        let client = session.dynamodb(&region_of(arn, &session));
        if arn.resource.contains("/import/") {
            let import = client.describe_import(arn).await?;
            if import.status != ImportStatus::Failed && import.failure_code.is_none() {
                return Ok(Err(import.status.to_string()));
            }
            return Ok(Ok(FailedOperation {
                failure: failure(
                    "ImportTable",
                    (import.failure_code, import.failure_message),
                    import.bucket,
                    import.ended_at,
                ),
                ..FailedOperation::named(arn)
            }));
        }
        let export = client.describe_export(arn).await?;
        match export.status {
            ExportStatus::Failed => Ok(Ok(FailedOperation::of_export(&export))),
            status => Ok(Err(status.to_string())),
        }
    }
}
