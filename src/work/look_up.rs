//! Looking an export up by its client token, and what its absence proves.
//!
//! A call whose answer never came may have started the export. `DescribeExport` tells the token that an
//! export was started with, so one that is found settles it. One that is not found proves nothing for
//! a while: the request may still be on its way, and the listing may lag behind.

use jiff::{SignedDuration, Timestamp};
use tableferry_policy::arn::Arn;

use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus};
use crate::aws::failure::Failure;
use crate::journal::ExportRecord;

/// How far a request's signature may be from AWS's time to be accepted.
const SIGNATURE_HOLDS: SignedDuration = SignedDuration::from_mins(15);

/// How long an export may take to be listed, once the request that starts it can no longer be accepted.
const LISTING_LAGS: SignedDuration = SignedDuration::from_mins(5);

/// `ListExports` covers 90 days; a day is left for clocks.
const LISTING_REACHES: SignedDuration = SignedDuration::from_hours(89 * 24);

/// How far a clock of this machine is trusted, where AWS told no time when the call was made.
const LOCAL_CLOCK_ERRS: SignedDuration = SignedDuration::from_hours(24);

/// What a look-up came to.
#[derive(Debug)]
pub(super) enum LookUp {
    /// The export was started.
    Found(Box<Export>),
    /// No call that was made can have started one.
    Absent,
    /// None is listed, which proves nothing before this time of AWS's clock.
    NotYet(Timestamp),
    /// None is listed, and the listing does not prove that none was started: AWS told no time, or the
    /// call is older than the listing reaches, or the table was made again since.
    Unproved,
    /// The look-up failed or was refused.
    Failed(Failure),
}

/// Looks the export of a record up, within its table, those in flight and the newest first.
///
/// `table_created_at` is when the table was made that has its name now: `ListExports` shows nothing of
/// one that was deleted.
pub(super) async fn by_token(
    dynamodb: &Dynamodb,
    record: &ExportRecord,
    table_created_at: Option<Timestamp>,
) -> LookUp {
    // AWS's time before the listing was asked for.
    let asked_at = dynamodb.service_time();
    let mut listed = match dynamodb.list_exports(Some(&record.request.table_arn)).await {
        Ok(listed) => listed,
        Err(failure) => return LookUp::Failed(failure),
    };
    if let Some(first) = record.first_called {
        listed.retain(|(arn, _)| started_at(arn).is_none_or(|at| at + SIGNATURE_HOLDS >= first));
    }
    listed.sort_by_key(|(arn, status)| {
        let is_running = *status == ExportStatus::InProgress;
        std::cmp::Reverse((is_running, started_at(arn)))
    });
    let mut failed = None;
    for (arn, _) in listed {
        match dynamodb.describe_export(&arn).await {
            Ok(export) if export.client_token.as_deref() == Some(token(record)) => {
                return LookUp::Found(Box::new(export));
            }
            Ok(_) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    match failed {
        Some(failure) => LookUp::Failed(failure),
        None => absence(record, asked_at, table_created_at),
    }
}

fn token(record: &ExportRecord) -> &str {
    &record.request.client_token
}

/// What it proves that no export of a record is listed at a time of AWS's clock.
fn absence(
    record: &ExportRecord,
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
