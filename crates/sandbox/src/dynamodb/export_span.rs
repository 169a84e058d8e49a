//! When an export may look: the rules about `ExportType`, `ExportTime` and the incremental window.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::call::AuthenticatedCall;
use crate::export::ExportSpan;
use crate::json_members::{text, violation};
use crate::refusal::Refusal;
use crate::world::Table;

/// The state or the changes that a request asks for, if the recovery window holds them.
pub(super) fn span(
    call: &AuthenticatedCall<'_>,
    table: &Table,
    input: &Value,
) -> Result<ExportSpan, Refusal> {
    let specification = input
        .get("IncrementalExportSpecification")
        .filter(|specification| !specification.is_null());
    match (text(input, "ExportType"), specification) {
        (None, Some(_)) => Err(Refusal::validation(
            "Invalid Request: Export Type expected to be Incremental Export when incremental \
             export specification is provided",
        )),
        (Some("FULL_EXPORT"), Some(_)) => Err(Refusal::validation(
            "Invalid Request: When Export Type is Full Export , Incremental Export Specification \
             should not be provided",
        )),
        (Some("INCREMENTAL_EXPORT"), None) => Err(Refusal::validation(
            "Invalid Request: Incremental Export Specification expected when export type is set \
             as Incremental Export",
        )),
        (Some("INCREMENTAL_EXPORT"), Some(specification)) => {
            incremental(call, table, specification)
        }
        _ => full(call, table, input),
    }
}

/// A time member, in seconds.
fn time(input: &Value, name: &str) -> Option<Timestamp> {
    let seconds = input.get(name)?.as_f64()?;
    let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
    let millis = i64::try_from(duration.as_millis()).ok()?;
    Timestamp::from_millisecond(millis).ok()
}

fn invalid_time(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidExportTimeException", message)
}

fn full(call: &AuthenticatedCall<'_>, table: &Table, input: &Value) -> Result<ExportSpan, Refusal> {
    let (earliest, latest) = table.recovery_window(call.now).ok_or_else(|| {
        Refusal::new(
            "PointInTimeRecoveryUnavailableException",
            format!(
                "Point in time recovery is not enabled for table '{}'",
                table.name
            ),
        )
    })?;
    match time(input, "ExportTime") {
        None => Ok(ExportSpan::Full { time: call.now }),
        Some(time) if time > call.now || time < earliest => {
            Err(invalid_time("Export Time is invalid"))
        }
        Some(time) if time > latest => Err(invalid_time(
            "Point in Time Recovery is not available for specified export time",
        )),
        Some(time) => Ok(ExportSpan::Full { time }),
    }
}

fn incremental(
    call: &AuthenticatedCall<'_>,
    table: &Table,
    specification: &Value,
) -> Result<ExportSpan, Refusal> {
    let view = text(specification, "ExportViewType").unwrap_or("NEW_AND_OLD_IMAGES");
    if !["NEW_IMAGE", "NEW_AND_OLD_IMAGES"].contains(&view) {
        return Err(violation(
            "incrementalExportSpecification.exportViewType",
            view,
            "Member must satisfy enum value set: [NEW_IMAGE, NEW_AND_OLD_IMAGES]",
        ));
    }
    let from = time(specification, "ExportFromTime").ok_or_else(|| {
        Refusal::validation(
            "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification",
        )
    })?;
    let to = time(specification, "ExportToTime").unwrap_or(call.now);
    check_window(call, table, from, to)?;
    Ok(ExportSpan::Incremental {
        from,
        to,
        has_old_images: view == "NEW_AND_OLD_IMAGES",
    })
}

/// The order of these checks is AWS's: the beginning, the end, then the length.
fn check_window(
    call: &AuthenticatedCall<'_>,
    table: &Table,
    from: Timestamp,
    to: Timestamp,
) -> Result<(), Refusal> {
    let seconds = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let earliest = table
        .recovery_window(call.now)
        .map(|(earliest, _)| earliest);
    if earliest.is_none_or(|earliest| from < earliest) {
        return Err(invalid_time(format!(
            "Incremental export period from time cannot be less than the table creation time : {}",
            seconds(from)
        )));
    }
    if to > call.now {
        return Err(invalid_time(format!(
            "Incremental export period to time cannot be greater than the current time : {}",
            seconds(to)
        )));
    }
    let length = to.duration_since(from);
    if length < SignedDuration::from_mins(15) {
        return Err(invalid_time(
            "Difference between export period from time and export period to time is less than \
             15 minutes",
        ));
    }
    if length > SignedDuration::from_hours(24) {
        // The rule is documented; its words are not, and follow those of the lower bound.
        return Err(invalid_time(
            "Difference between export period from time and export period to time is greater \
             than 24 hours",
        ));
    }
    Ok(())
}
