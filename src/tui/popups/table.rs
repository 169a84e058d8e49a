//! How one table is exported: all of it at a time, or what changed in a window.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::assess::facts::Recovery;
use crate::job::{Format, Span, View};
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::Popup;
use crate::tui::steps::tables;
use crate::tui::widgets::form::{Field, Form};
use crate::tui::widgets::format;

/// The window of an incremental export ("Requesting a table export" in the DynamoDB developer guide).
const SHORTEST: SignedDuration = SignedDuration::from_mins(15);
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

const KIND: usize = 0;
const TIME: usize = 1;
const FROM: usize = 2;
const TO: usize = 3;
const VIEW: usize = 4;
const FORMAT: usize = 5;

/// The form for a table, filled with what was chosen or with what is near at hand.
pub(crate) fn form(model: &Model, table: &str) -> Popup {
    let job = model
        .tables
        .job(table)
        .cloned()
        .unwrap_or_else(|| tables::new_job(table));
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
pub(super) fn submit(model: &mut Model, table: String, mut form: Form) -> Vec<Effect> {
    match span(model, &table, &form) {
        Ok(span) => {
            let known = model.tables.job(&table).cloned();
            let mut job = known.unwrap_or_else(|| tables::new_job(&table));
            job.span = span;
            job.format = if form.chosen(FORMAT) == 1 {
                Format::Ion
            } else {
                Format::DynamoDbJson
            };
            model.tables.put(job);
        }
        Err(error) => {
            form.error = Some(error);
            model.open(Popup::Table { table, form });
        }
    }
    Vec::new()
}

fn recovery<'a>(model: &'a Model, table: &str) -> Option<&'a Recovery> {
    model.tables.known(table)?.recovery.value()
}

fn span(model: &Model, table: &str, form: &Form) -> Result<Span, String> {
    let window = recovery(model, table);
    if form.chosen(KIND) == 0 {
        let time = form.given(TIME).map(parse_time).transpose()?;
        if let Some(time) = time {
            check_inside(time, window, model.now)?;
        }
        return Ok(Span::Full { time });
    }
    let given = |index: usize, word: &str| {
        form.given(index)
            .ok_or_else(|| format!("an incremental export needs its {word}"))
            .and_then(parse_time)
    };
    let (from, to) = (given(FROM, "beginning")?, given(TO, "end")?);
    let length = to.duration_since(from);
    if length < SHORTEST {
        return Err("the window is shorter than 15 minutes".to_owned());
    }
    if length > LONGEST {
        return Err("the window is longer than 24 hours: split it".to_owned());
    }
    check_inside(from, window, model.now)?;
    check_inside(to, window, model.now)?;
    let view = if form.chosen(VIEW) == 1 {
        View::NewImage
    } else {
        View::NewAndOldImages
    };
    Ok(Span::Incremental { from, to, view })
}

fn check_inside(time: Timestamp, window: Option<&Recovery>, now: Timestamp) -> Result<(), String> {
    if time > now {
        return Err(format!("{} is in the future", format::at(time)));
    }
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

/// A time as people write it: with an offset or Z, or without, in UTC.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let civil = text.trim_end_matches("UTC").trim_end();
    civil
        .parse::<DateTime>()
        .and_then(|time| TimeZone::UTC.to_timestamp(time))
        .map_err(|_| format!("`{text}` is no time: write 2026-11-22T10:00:00Z or 2026-11-22 10:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_an_offset_are_utc() {
        let expected: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22 10:00",
            "2026-11-22 10:00 UTC",
            "2026-11-22T11:00:00+01:00",
        ] {
            assert_eq!(parse_time(text), Ok(expected), "{text}");
        }
        assert!(parse_time("yesterday").is_err());
    }

    #[test]
    fn a_time_outside_the_window_is_refused() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = Recovery {
            is_enabled: true,
            earliest: Some(at("2026-11-20T00:00:00Z")),
            latest: Some(at("2026-11-22T09:55:00Z")),
        };
        let now = at("2026-11-22T10:00:00Z");
        assert!(check_inside(at("2026-11-21T00:00:00Z"), Some(&window), now).is_ok());
        assert!(check_inside(at("2026-11-19T00:00:00Z"), Some(&window), now).is_err());
        assert!(check_inside(at("2026-11-22T09:58:00Z"), Some(&window), now).is_err());
        assert!(check_inside(at("2026-11-22T10:01:00Z"), None, now).is_err());
    }
}
