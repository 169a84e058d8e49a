//! Reading the parts of a plan file that a load or a replay alone has: the exports' addresses, and the
//! table that is written to.

use toml::Spanned;
use toml::de::DeValue;

use super::{ArchiveAddress, Load, address};
use crate::job::consistency::ConsistencyCheck;
use crate::job::section::{Section, wrong_type};
use crate::job::violation::Violations;
use crate::job::{Destination, Format, SignIn, Span, TableJob, TableRef, import, sign_in, value};

/// The keys and sections of the plan.
pub(in crate::job) const KEYS: [&str; 5] = ["kind", "source", "destination", "encryption", "table"];

/// The keys of where the exports lie.
const PLACE_KEYS: [&str; 4] = ["archive", "owner", "directory", "windows"];
/// The keys of the table.
const TABLE_KEYS: [&str; 3] = ["name", "max_write_units", "onto_source"];

/// Reads where the full export lies; `windows` is a replay's alone.
pub(in crate::job) fn read_place(
    section: Section<'_, '_>,
    is_replay: bool,
    sign_in: Option<SignIn>,
    violations: &mut Violations,
) -> Option<Destination> {
    let mut known = sign_in::KEYS.to_vec();
    known.extend(
        PLACE_KEYS
            .iter()
            .filter(|key| is_replay || **key != "windows"),
    );
    section.refuse_unknown(&known, violations);
    section.require(
        "archive",
        "add `archive = \"s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID\"`, the folder of the full export",
        violations,
    );
    if is_replay {
        section.require(
            "windows",
            "add `windows = [\"s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID\"]`, the folders of the \
             incremental exports",
            violations,
        );
    }
    let owner = section.text_that("owner", violations, value::bucket_owner);
    let archive = section.text_that("archive", violations, import::parse::archive);
    let (bucket, prefix) = archive?.into_inner();
    Some(Destination {
        sign_in,
        bucket,
        owner: owner.map(Spanned::into_inner),
        prefix: Some(prefix),
    })
}

/// Reads what is written, and the table that it is written to.
pub(in crate::job) fn read(
    root: Section<'_, '_>,
    is_replay: bool,
    destination: Option<&Destination>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<(Load, TableJob)> {
    root.require(
        "table",
        "add [table] with `name = \"…\"` below it, the table that is written to",
        violations,
    );
    let place = root.table("destination", "[destination]", violations);
    let directory =
        place.and_then(|place| place.text_that("directory", violations, address::directory));
    let windows = place.filter(|_| is_replay).map_or_else(Vec::new, |place| {
        read_windows(place, destination, violations)
    });
    let section = root.table("table", "[table]", violations)?;
    section.refuse_unknown(&TABLE_KEYS, violations);
    section.require("name", "add `name = \"…\"`, the table's name", violations);
    let name = section.text_that("name", violations, str::parse::<TableRef>);
    if let Some(name) = &name
        && let TableRef::Arn(arn) = name.get_ref()
    {
        consistency.note_arn("the table", arn, name.span());
    }
    let most_write_units = read_units(section, violations);
    let load = Load {
        most_write_units,
        is_onto_source: section.boolean("onto_source", violations).unwrap_or(false),
        directory: directory.map(Spanned::into_inner),
        windows,
    };
    Some((load, target(name?.into_inner())))
}

/// The table that is written to, as the one table of its plan, so that it is read like any other.
#[must_use]
pub const fn target(table: TableRef) -> TableJob {
    TableJob {
        table,
        format: Format::DynamoDbJson,
        span: Span::Full { time: None },
        filter: None,
    }
}

fn read_units(section: Section<'_, '_>, violations: &mut Violations) -> Option<u64> {
    let units = section.integer("max_write_units", violations)?;
    let number = u64::try_from(*units.get_ref()).ok();
    let number = number.filter(|units| *units > 0);
    if number.is_none() {
        let hint = "give 1 or more, or leave it out";
        violations.add(units.span().start, "nothing is written at no rate", hint);
    }
    number
}

fn read_windows(
    section: Section<'_, '_>,
    destination: Option<&Destination>,
    violations: &mut Violations,
) -> Vec<ArchiveAddress> {
    let owner = destination.and_then(|destination| destination.owner.as_ref());
    let Some(value) = section.value("windows") else {
        return Vec::new();
    };
    let hint = "write `windows = [\"s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID\"]`, one for each \
                incremental export";
    let DeValue::Array(items) = value.get_ref() else {
        let problem = wrong_type("windows", "a list of addresses", value.get_ref());
        violations.add(value.span().start, problem, hint);
        return Vec::new();
    };
    if items.is_empty() {
        violations.add(value.span().start, "there is nothing to replay", hint);
    }
    let mut windows = Vec::new();
    let bucket = destination.map(|destination| &destination.bucket);
    for item in items {
        let at = item.span().start;
        match item.get_ref() {
            DeValue::String(text) => match ArchiveAddress::parse(text, owner) {
                Ok(ArchiveAddress::Bucket { bucket: other, .. })
                    if bucket.is_some_and(|bucket| *bucket != other) =>
                {
                    violations.add(
                        at,
                        format!("`{text}` lies in another bucket than `archive`"),
                        "the exports of one replay lie in one bucket: copy them there, or fetch them",
                    );
                }
                Ok(address) => windows.push(address),
                Err(invalid) => violations.add_invalid(at, &invalid),
            },
            other => {
                let problem = wrong_type("windows", "a list of addresses", other);
                violations.add(at, problem, hint);
            }
        }
    }
    windows
}
