//! Looking an export up by its client token, and what its absence proves.
//!
//! A call whose answer never came may have started the export. `DescribeExport` tells the token that an
//! export was started with, so one that is found settles it. One that is not found proves nothing for
//! a while: the request may still be on its way, and the listing may lag behind.

use jiff::{SignedDuration, Timestamp};
use tableferry_policy::arn::Arn;

use super::operation::LookUp;
use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus};
use crate::aws::failure::Failure;
use crate::job::ExportRequest;
use crate::journal::Operation;

/// How far a request's signature may be from AWS's time to be accepted.
const SIGNATURE_HOLDS: SignedDuration = SignedDuration::from_mins(15);

/// How long an export may take to be listed, once the request that starts it can no longer be accepted.
const LISTING_LAGS: SignedDuration = SignedDuration::from_mins(5);

/// `ListExports` covers 90 days; a day is left for clocks.
const LISTING_REACHES: SignedDuration = SignedDuration::from_hours(89 * 24);

/// How far a clock of this machine is trusted, where AWS told no time when the call was made.
const LOCAL_CLOCK_ERRS: SignedDuration = SignedDuration::from_hours(24);

/// Looks an export up by the token of its request, within its table, those in flight and the newest
/// first. `first_called` is when the first call was signed that may have started it.
pub(super) async fn by_token(
    dynamodb: &Dynamodb,
    request: &ExportRequest,
    first_called: Option<Timestamp>,
) -> Result<Option<Export>, Failure> {
    let mut listed = dynamodb.list_exports(Some(&request.table_arn)).await?;
    if let Some(first) = first_called {
        listed.retain(|(arn, _)| started_at(arn).is_none_or(|at| at + SIGNATURE_HOLDS >= first));
    }
    listed.sort_by_key(|(arn, status)| {
        let is_running = *status == ExportStatus::InProgress;
        std::cmp::Reverse((is_running, started_at(arn)))
    });
    let mut failed = None;
    for (arn, _) in listed {
        match dynamodb.describe_export(&arn).await {
            Ok(export) if export.client_token.as_ref() == Some(&request.client_token) => {
                return Ok(Some(export));
            }
            Ok(_) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    failed.map_or(Ok(None), Err)
}

/// What it proves that an operation is not listed at a time of AWS's clock.
///
/// `table_created_at` is when the table was made that has its name now: DynamoDB lists nothing of one
/// that was deleted.
pub(super) fn absence(
    record: &Operation,
    asked_at: Option<Timestamp>,
    table_created_at: Option<Timestamp>,
) -> LookUp {
    let local = |called: Timestamp| called.checked_sub(LOCAL_CLOCK_ERRS).ok();
    let first = record.first_called.or(record.called_at.and_then(local));
    let (Some(asked_at), Some(first), Some(created)) = (asked_at, first, table_created_at) else {
        return LookUp::Unproved;
    };
    if created >= first || asked_at.duration_since(first) > LISTING_REACHES {
        return LookUp::Unproved;
    }
    // Where the last call's time is not known, it is before now: the next look-up may prove it.
    let last = record.last_called.unwrap_or(asked_at);
    match last.checked_add(SIGNATURE_HOLDS + LISTING_LAGS) {
        Ok(proof) if asked_at >= proof => LookUp::Absent,
        Ok(proof) => LookUp::NotYet(proof),
        Err(_) => LookUp::Unproved,
    }
}

/// When an export was started: its id begins with the milliseconds since 1970.
fn started_at(export: &Arn) -> Option<Timestamp> {
    let (_, id) = export.resource.rsplit_once("/export/")?;
    let (milliseconds, _) = id.split_once('-')?;
    Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()
}

#[cfg(test)]
mod tests;
