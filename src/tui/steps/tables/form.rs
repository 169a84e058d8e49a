//! How one table is exported: all of it at a time, or what changed in a window.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::assess::facts::Recovery;
use crate::job::moment::past_time;
use crate::job::{Format, Span, TableJob, View, value};
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::state::Popup;
use crate::tui::widgets::form::{Field, Form};
use crate::tui::widgets::format;

const KIND: usize = 0;
const TIME: usize = 1;
const FROM: usize = 2;
const TO: usize = 3;
const VIEW: usize = 4;
const FORMAT: usize = 5;

/// The form for a table, filled with how it is exported and with what is near at hand.
pub(crate) fn form(model: &Model, table: &str, job: &TableJob) -> Popup {
    let latest = recovery(model, table)
        .and_then(|recovery| recovery.latest)
        .unwrap_or(model.now);
    let (kind, time, from, to, view) = match job.span {
        Span::Full { time } => {
            let from = latest
                .checked_sub(SignedDuration::from_hours(1))
                .unwrap_or(latest);
            (0, time, from, latest, View::default())
        }
        Span::Incremental { from, to, view } => (1, None, from, to, view),
    };
    let shown = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let fields = vec![
        Field::choice("Export", "", &["full", "incremental"], kind),
        Field::text(
            "Time",
            "of a full export; empty: now",
            &time.map(shown).unwrap_or_default(),
        ),
        Field::text("From", "of an incremental export, inclusive", &shown(from)),
        Field::text("To", "exclusive; 15 minutes to 24 hours after", &shown(to)),
        Field::choice(
            "View",
            "of a changed item",
            &["new and old images", "new image"],
            usize::from(view == View::NewImage),
        ),
        Field::choice(
            "Format",
            "",
            &["DynamoDB JSON", "Ion"],
            usize::from(job.format == Format::Ion),
        ),
    ];
    Popup::Table {
        table: table.to_owned(),
        form: Form::new(fields),
    }
}

/// Takes the form; the table is chosen with it.
pub(crate) fn submit(model: &mut Model, table: String, mut form: Form) -> Vec<Effect> {
    match read(model, &table, &form) {
        Ok(job) => {
            model.tables.put(job);
        }
        Err(error) => {
            form.error = Some(error);
            model.open(Popup::Table { table, form });
        }
    }
    Vec::new()
}

fn read(model: &Model, table: &str, form: &Form) -> Result<TableJob, String> {
    let job = model.tables.job_or_new(table);
    let job = job.map_err(|invalid| invalid.to_string())?;
    let format = if form.chosen(FORMAT) == 1 {
        Format::Ion
    } else {
        Format::DynamoDbJson
    };
    Ok(TableJob {
        span: span(model, table, form)?,
        format,
        ..job
    })
}

fn recovery<'a>(model: &'a Model, table: &str) -> Option<&'a Recovery> {
    model.tables.known(table)?.recovery.value()
}

fn span(model: &Model, table: &str, form: &Form) -> Result<Span, String> {
    let window = recovery(model, table);
    let time = |index: usize, key: &str| {
        let text = form.given(index);
        text.map(|text| time(key, text, window, model.now))
            .transpose()
    };
    if form.chosen(KIND) == 0 {
        let time = time(TIME, "time")?;
        return Ok(Span::Full { time });
    }
    let end = |index: usize, key: &str| {
        let missing = || format!("`{key}` is empty — {}", value::WINDOW_ENDS);
        time(index, key)?.ok_or_else(missing)
    };
    let (from, to) = (end(FROM, "from")?, end(TO, "to")?);
    value::check_window(from, to).map_err(|invalid| invalid.to_string())?;
    let view = if form.chosen(VIEW) == 1 {
        View::NewImage
    } else {
        View::NewAndOldImages
    };
    Ok(Span::Incremental { from, to, view })
}

/// A time by the plan's rule, inside the table's recovery window as far as that is known.
fn time(
    key: &str,
    text: &str,
    window: Option<&Recovery>,
    now: Timestamp,
) -> Result<Timestamp, String> {
    let time = past_time(key, &with_offset(text), &now.into());
    let time = time.map_err(|invalid| invalid.to_string())?;
    check_inside(time, window)?;
    Ok(time)
}

fn check_inside(time: Timestamp, window: Option<&Recovery>) -> Result<(), String> {
    let earliest = window.and_then(|window| window.earliest);
    let latest = window.and_then(|window| window.latest);
    match (earliest, latest) {
        (Some(earliest), _) if time < earliest => Err(format!(
            "the recovery window begins at {}",
            format::at(earliest)
        )),
        (_, Some(latest)) if time > latest => Err(format!(
            "the recovery window ends at {}",
            format::at(latest)
        )),
        _ => Ok(()),
    }
}

/// A time that is typed without an offset, as the screen shows times: it is in UTC, and gets its Z.
fn with_offset(text: &str) -> Cow<'_, str> {
    let civil = text.trim_end_matches("UTC").trim_end();
    let time = civil.parse::<DateTime>().ok();
    let time = time.and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
    match time.filter(|_| text.parse::<Timestamp>().is_err()) {
        Some(time) => time.to_string().into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_without_an_offset_are_utc() {
        let expected = at("2026-11-22T10:00:00Z");
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22 10:00",
            "2026-11-22 10:00 UTC",
            "2026-11-22T11:00:00+01:00",
        ] {
            assert_eq!(time("time", text, None, expected), Ok(expected), "{text}");
        }
        assert!(time("time", "yesterday", None, expected).is_err());
    }

    #[test]
    fn a_time_outside_the_window_is_refused() {
        let window = Recovery {
            is_enabled: true,
            earliest: Some(at("2026-11-20T00:00:00Z")),
            latest: Some(at("2026-11-22T09:55:00Z")),
            period_days: None,
        };
        let taken = |text: &str, window: Option<&Recovery>| {
            time("time", text, window, at("2026-11-22T10:00:00Z")).is_ok()
        };
        assert!(taken("2026-11-21T00:00:00Z", Some(&window)));
        assert!(!taken("2026-11-19T00:00:00Z", Some(&window)));
        assert!(!taken("2026-11-22T09:58:00Z", Some(&window)));
        assert!(!taken("2026-11-22T10:01:00Z", None));
    }
}
