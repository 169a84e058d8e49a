//! One `[[tables]]` section: which table, which state or changes of it, in which format.

use jiff::{SignedDuration, Timestamp};
use toml::de::DeValue;

use super::partition::Claims;
use super::section::{Placed, Section, characters, one_of, wrong_type};
use super::violation::Complaints;
use super::{Format, Span, TableJob, TableRef, View, filter};
use tableferry_policy::arn::{Arn, Region};

const KEYS: [&str; 8] = [
    "name", "format", "type", "time", "from", "to", "view", "filter",
];

/// The shortest and the longest window of an incremental export, from the developer guide's page
/// on requesting an export.
const WINDOW: (SignedDuration, SignedDuration) = (
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(24),
);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Full,
    Incremental,
}

/// Reads one section.
pub(super) fn read(
    section: Section<'_, '_>,
    now: Timestamp,
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Option<TableJob> {
    section.refuse_unknown(&KEYS, complaints);
    section.require(
        "name",
        "add `name = \"…\"`, the table's name or ARN",
        complaints,
    );
    let table = section.text_that("name", complaints, table_ref);
    if let Some(Placed {
        value: TableRef::Arn(arn),
        at,
    }) = &table
    {
        claims.note_arn("the table", arn, *at);
        if let Some(account) = arn.account_id() {
            claims.note_caller(&format!("the table {arn}"), account, *at);
        }
    }
    let formats = [
        ("DYNAMODB_JSON", Format::DynamoDbJson),
        ("ION", Format::Ion),
    ];
    let format = one_of(section, "format", &formats, complaints);
    let span = read_span(section, now, complaints);
    let filter = section
        .table("filter", "[tables.filter]", complaints)
        .map(|filter| filter::read(filter, complaints));
    Some(TableJob {
        table: table?.value,
        format: format.map_or(Format::default(), |format| format.value),
        span: span?,
        filter,
    })
}

fn table_ref(text: &str) -> Result<TableRef, (String, String)> {
    if text.starts_with("arn:") {
        return table_arn(text).map(TableRef::Arn);
    }
    if let Some(problem) = name_problem(text) {
        return Err((
            format!("`{text}` is not a table's name: {problem}"),
            "3 to 255 letters, digits, hyphens, underscores and dots, or a full table ARN"
                .to_owned(),
        ));
    }
    Ok(TableRef::Name(text.to_owned()))
}

/// What is wrong with a table's name (the developer guide's naming rules), if anything.
fn name_problem(name: &str) -> Option<String> {
    let length = name.chars().count();
    if let Some(other) = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c))
    {
        return Some(format!("it has `{other}`"));
    }
    (!(3..=255).contains(&length)).then(|| format!("it has {}", characters(length)))
}

fn table_arn(text: &str) -> Result<Arn, (String, String)> {
    let right = "give the table's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME";
    let arn: Arn = text
        .parse()
        .map_err(|error: tableferry_policy::arn::Malformed| {
            (error.to_string(), right.to_owned())
        })?;
    let is_table = arn.service == "dynamodb"
        && arn.region_code().is_some()
        && arn.account_id().is_some()
        && text.len() <= 1024
        && arn
            .resource_after("table")
            .is_some_and(|name| name_problem(name).is_none());
    if is_table {
        Ok(arn)
    } else {
        Err((
            format!("`{text}` is not the ARN of a DynamoDB table"),
            right.to_owned(),
        ))
    }
}

fn read_span(
    section: Section<'_, '_>,
    now: Timestamp,
    complaints: &mut Complaints<'_>,
) -> Option<Span> {
    let kinds = [
        ("FULL_EXPORT", Kind::Full),
        ("INCREMENTAL_EXPORT", Kind::Incremental),
    ];
    let kind = one_of(section, "type", &kinds, complaints);
    let views = [
        ("NEW_IMAGE", View::NewImage),
        ("NEW_AND_OLD_IMAGES", View::NewAndOldImages),
    ];
    let view = one_of(section, "view", &views, complaints);
    let time = past_time(section, "time", now, complaints);
    let from = past_time(section, "from", now, complaints);
    let to = past_time(section, "to", now, complaints);
    if kind.is_none() && section.value("type").is_some() {
        return None;
    }
    if kind.map_or(Kind::Full, |kind| kind.value) == Kind::Full {
        refuse_window_keys(section, complaints);
        return Some(Span::Full {
            time: time.map(|time| time.value),
        });
    }
    if let Some(at) = section.place_of("time") {
        complaints.add(
            at,
            "an incremental export has a window, not a `time`",
            "give `from` and `to`, or make it a FULL_EXPORT",
        );
    }
    let hint = "an incremental export needs `from` (inclusive) and `to` (exclusive), 15 minutes to 24 hours apart";
    section.require("from", hint, complaints);
    section.require("to", hint, complaints);
    let (from, to) = (from?, to?);
    check_window(from, to, complaints);
    Some(Span::Incremental {
        from: from.value,
        to: to.value,
        view: view.map_or(View::default(), |view| view.value),
    })
}

/// A full export takes no incremental specification: "When Export Type is Full Export ,
/// Incremental Export Specification should not be provided".
fn refuse_window_keys(section: Section<'_, '_>, complaints: &mut Complaints<'_>) {
    for key in ["from", "to", "view"] {
        if let Some(at) = section.place_of(key) {
            complaints.add(
                at,
                format!("`{key}` belongs to an incremental export, and this is a full one"),
                format!("add `type = \"INCREMENTAL_EXPORT\"`, or remove `{key}`"),
            );
        }
    }
}

fn check_window(from: Placed<Timestamp>, to: Placed<Timestamp>, complaints: &mut Complaints<'_>) {
    let length = to.value.duration_since(from.value);
    let (shortest, longest) = WINDOW;
    if length <= SignedDuration::ZERO {
        complaints.add(
            to.at,
            "`to` is not later than `from`",
            "`from` is the beginning of the window and `to` its end",
        );
    } else if length < shortest {
        complaints.add(
            to.at,
            format!("the window is {length:#}, and at least 15 minutes are needed"),
            format!("set `to` to {} or later", later(from.value, shortest)),
        );
    } else if length > longest {
        complaints.add(
            to.at,
            format!("the window is {length:#}, and at most 24 hours are taken"),
            format!(
                "set `to` to {}, and add another [[tables]] from there",
                later(from.value, longest)
            ),
        );
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// A time that is not in the future, given as a string or as TOML's own date and time.
fn past_time(
    section: Section<'_, '_>,
    key: &str,
    now: Timestamp,
    complaints: &mut Complaints<'_>,
) -> Option<Placed<Timestamp>> {
    let value = section.value(key)?;
    let at = value.span().start;
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        other => {
            complaints.add(
                at,
                wrong_type(key, "a time", other),
                format!("write `{key} = \"2026-11-22T10:00:00Z\"`"),
            );
            return None;
        }
    };
    let Ok(time) = text.parse::<Timestamp>() else {
        complaints.add(at, format!("`{text}` is not a time"), time_hint(&text));
        return None;
    };
    if time > now {
        complaints.add(
            at,
            format!("`{key}` is {time}, which is in the future"),
            format!(
                "only the past can be exported; it is now {}",
                whole_seconds(now)
            ),
        );
        return None;
    }
    Some(Placed { value: time, at })
}

fn time_hint(text: &str) -> String {
    if let Ok(local) = text.parse::<jiff::civil::DateTime>() {
        let zoned = text.contains(['T', 't', ' ']);
        let shown = if zoned {
            text.to_owned()
        } else {
            local.to_string()
        };
        return format!(
            "it lacks an offset, so that it could be any place's time: for UTC add Z: \"{shown}Z\""
        );
    }
    "give a date, a time and an offset: \"2026-11-22T10:00:00Z\", or with +01:00 in place of Z"
        .to_owned()
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Complains about a table that stands twice with the same settings: the second export would cost
/// as much as the first and hold the same.
pub(super) fn refuse_duplicates(
    jobs: &[Placed<TableJob>],
    home: Option<&Region>,
    complaints: &mut Complaints<'_>,
) {
    for (index, job) in jobs.iter().enumerate() {
        let earlier = jobs.iter().take(index);
        let is_duplicate = earlier.into_iter().any(|other| {
            is_same_table(&job.value.table, &other.value.table, home)
                && job.value.format == other.value.format
                && job.value.span == other.value.span
                && job.value.filter == other.value.filter
        });
        if is_duplicate {
            complaints.add(
                job.at,
                format!(
                    "the table {} stands here a second time with the same settings",
                    job.value.table
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
