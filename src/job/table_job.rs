//! One `[[tables]]` section: which table or tables, which state or changes of them, in which format.

use std::ops::Range;

use jiff::Timestamp;
use toml::Spanned;
use toml::de::DeValue;

use super::consistency::ConsistencyCheck;
use super::moment::{not_a_time, past_time, windows};
use super::section::{Section, one_of, wrong_type};
use super::selector::LAST;
use super::value::WINDOW_ENDS;
use super::violation::Violations;
use super::{
    ChangesFrom, Format, Now, Selected, SpanChoice, TableJob, TablePattern, TableRef,
    TableSelector, View, filter,
};
use tableferry_policy::arn::Region;

const KEYS: [&str; 8] = [
    "name", "format", "type", "time", "from", "to", "view", "filter",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    Full,
    Incremental,
}

/// What one entry of the list means.
pub(super) enum Entry {
    /// A table, once, or once for each window of a long span.
    Tables(Vec<TableJob>),
    /// What must be looked up first.
    Selector(Box<TableSelector>),
}

/// Reads an entry that is a name or a pattern alone.
pub(super) fn read_name(
    text: &str,
    at: Range<usize>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Entry> {
    let entry = match read_tables(text, at, consistency, violations)? {
        Selected::Table(table) => Entry::Tables(vec![TableJob::new(table)]),
        Selected::Pattern(pattern) => Entry::Selector(Box::new(TableSelector::new(pattern))),
    };
    Some(entry)
}

/// Which table or tables a name means.
fn read_tables(
    text: &str,
    at: Range<usize>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Selected> {
    let selected = if TablePattern::is_meant_by(text) {
        text.parse().map(Selected::Pattern)
    } else {
        text.parse().map(Selected::Table)
    };
    match selected {
        Ok(selected) => {
            if let Selected::Table(table) = &selected {
                note(table, at, consistency);
            }
            Some(selected)
        }
        Err(invalid) => {
            violations.add_invalid(at.start, &invalid);
            None
        }
    }
}

/// Notes whose a table is that goes by its ARN.
fn note(table: &TableRef, at: Range<usize>, consistency: &mut ConsistencyCheck) {
    if let TableRef::Arn(arn) = table {
        consistency.note_arn("the table", arn, at.clone());
        if let Some(account) = arn.account_id() {
            consistency.note_caller(&format!("the table {arn}"), account, at);
        }
    }
}

/// Reads one section.
pub(super) fn read(
    section: Section<'_, '_>,
    now: &Now,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Entry> {
    section.refuse_unknown(&KEYS, violations);
    section.require(
        "name",
        "add `name = \"…\"`, the table's name or ARN",
        violations,
    );
    let tables = section
        .text("name", violations)
        .and_then(|name| read_tables(name.get_ref(), name.span(), consistency, violations));
    let formats = [
        ("DYNAMODB_JSON", Format::DynamoDbJson),
        ("ION", Format::Ion),
    ];
    let format = one_of(section, "format", &formats, violations);
    let span = read_span(section, now, violations);
    let filter = section
        .table("filter", "[tables.filter]", violations)
        .map(|filter| filter::read(filter, violations));
    let format = format.map(Spanned::into_inner).unwrap_or_default();
    let selector = TableSelector {
        tables: tables?,
        format,
        span: span?,
        filter,
    };
    Some(match selector.given_jobs() {
        Some(jobs) => Entry::Tables(jobs),
        None => Entry::Selector(Box::new(selector)),
    })
}

fn read_span(
    section: Section<'_, '_>,
    now: &Now,
    violations: &mut Violations,
) -> Option<SpanChoice> {
    let kinds = [
        ("FULL_EXPORT", EntryKind::Full),
        ("INCREMENTAL_EXPORT", EntryKind::Incremental),
    ];
    let kind = one_of(section, "type", &kinds, violations);
    let views = [
        ("NEW_IMAGE", View::NewImage),
        ("NEW_AND_OLD_IMAGES", View::NewAndOldImages),
    ];
    let view = one_of(section, "view", &views, violations);
    let time = read_time(section, "time", now, violations);
    let is_since_last = matches!(
        section.value("from").map(Spanned::get_ref),
        Some(DeValue::String(text)) if text.as_ref() == LAST
    );
    let from = if is_since_last {
        None
    } else {
        read_time(section, "from", now, violations)
    };
    let to = read_time(section, "to", now, violations);
    if kind.is_none() && section.value("type").is_some() {
        return None;
    }
    if kind.is_none_or(|kind| *kind.get_ref() == EntryKind::Full) {
        refuse_window_keys(section, violations);
        return Some(SpanChoice::Full {
            time: time.map(Spanned::into_inner),
        });
    }
    if let Some(at) = section.place_of("time") {
        violations.add(
            at,
            "an incremental export has a window, not a `time`",
            "give `from` and `to`, or make it a FULL_EXPORT",
        );
    }
    let view = view.map(Spanned::into_inner).unwrap_or_default();
    if is_since_last {
        return Some(SpanChoice::Changes {
            from: ChangesFrom::Last,
            to: to.map(Spanned::into_inner),
            view,
        });
    }
    section.require("from", WINDOW_ENDS, violations);
    section.require("to", WINDOW_ENDS, violations);
    let (from, end) = (from?.into_inner(), to?);
    let at = end.span().start;
    let to = end.into_inner();
    if let Err(invalid) = windows(from, to) {
        violations.add_invalid(at, &invalid);
        return None;
    }
    Some(SpanChoice::Changes {
        from: ChangesFrom::Time(from),
        to: Some(to),
        view,
    })
}

/// A full export takes no incremental specification: "When Export Type is Full Export ,
/// Incremental Export Specification should not be provided".
fn refuse_window_keys(section: Section<'_, '_>, violations: &mut Violations) {
    for key in ["from", "to", "view"] {
        if let Some(at) = section.place_of(key) {
            violations.add(
                at,
                format!("`{key}` belongs to an incremental export, and this is a full one"),
                format!("add `type = \"INCREMENTAL_EXPORT\"`, or remove `{key}`"),
            );
        }
    }
}

/// A time that is not in the future, given as a string or as TOML's own date and time.
fn read_time(
    section: Section<'_, '_>,
    key: &str,
    now: &Now,
    violations: &mut Violations,
) -> Option<Spanned<Timestamp>> {
    let value = section.value(key)?;
    let at = value.span();
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(time) => {
            // TOML's own times are whole or none: without an offset they are no place's.
            let text = time.to_string();
            if text.parse::<Timestamp>().is_err() {
                violations.add_invalid(at.start, &not_a_time(&text));
                return None;
            }
            text
        }
        other => {
            violations.add(
                at.start,
                wrong_type(key, "a time", other),
                format!("write `{key} = \"2026-11-22T10:00:00Z\"`"),
            );
            return None;
        }
    };
    match past_time(key, &text, now) {
        Ok(time) => Some(Spanned::new(at, time)),
        Err(invalid) => {
            violations.add_invalid(at.start, &invalid);
            None
        }
    }
}

/// Reports a table that stands twice with the same settings: the second export would cost
/// as much as the first and hold the same.
pub(super) fn refuse_duplicates(
    jobs: &[Spanned<TableJob>],
    home: Option<&Region>,
    violations: &mut Violations,
) {
    let all = jobs.iter().map(Spanned::get_ref);
    for (index, (job, place)) in all.clone().zip(jobs).enumerate() {
        let is_duplicate = all.clone().take(index).any(|earlier| {
            is_same_table(&job.table, &earlier.table, home)
                && job.format == earlier.format
                && job.span == earlier.span
                && job.filter == earlier.filter
        });
        if is_duplicate {
            violations.add(
                place.span().start,
                format!(
                    "the table {} stands here a second time with the same settings",
                    job.table
                ),
                "remove one of the two, or change its time, format or filter",
            );
        }
    }
}

fn is_same_table(one: &TableRef, other: &TableRef, home: Option<&Region>) -> bool {
    match (one, other) {
        (TableRef::Name(name), TableRef::Arn(arn)) | (TableRef::Arn(arn), TableRef::Name(name)) => {
            arn.resource_after("table") == Some(name) && arn.region_code().as_ref() == home
        }
        _ => one == other,
    }
}
