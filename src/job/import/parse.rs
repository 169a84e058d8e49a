//! Reading the parts of a plan file that an import alone has: the archive's address, and the new table.

use toml::Spanned;
use toml::de::DeValue;

use crate::job::consistency::ConsistencyCheck;
use crate::job::section::{Section, one_of, wrong_type};
use crate::job::table_definition::{
    Capacity, IndexDefinition, KeyPart, Projection, TableDefinition, TableKeys,
};
use crate::job::value::{self, InvalidValue, Prefix};
use crate::job::violation::Violations;
use crate::job::{Destination, sign_in};
use tableferry_policy::arn::BucketName;

/// The keys and sections of the plan.
pub(in crate::job) const KEYS: [&str; 5] = ["kind", "source", "destination", "encryption", "table"];

const TABLE_KEYS: [&str; 7] = [
    "name",
    "partition_key",
    "sort_key",
    "read_units",
    "write_units",
    "key",
    "indexes",
];

const INDEX_KEYS: [&str; 7] = [
    "name",
    "partition_key",
    "sort_key",
    "projection",
    "attributes",
    "read_units",
    "write_units",
];

/// Reads where the export lies.
pub(in crate::job) fn read_place(
    section: Section<'_, '_>,
    sign_in: Option<crate::job::SignIn>,
    violations: &mut Violations,
) -> Option<Destination> {
    let mut known = sign_in::KEYS.to_vec();
    known.extend(["archive", "owner"]);
    section.refuse_unknown(&known, violations);
    section.require(
        "archive",
        "add `archive = \"s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID\"`, the folder of the export",
        violations,
    );
    let owner = section.text_that("owner", violations, value::bucket_owner);
    let archive = section.text_that("archive", violations, archive);
    let (bucket, prefix) = archive?.into_inner();
    Some(Destination {
        sign_in,
        bucket,
        owner: owner.map(Spanned::into_inner),
        prefix: Some(prefix),
    })
}

/// The address of a full export's folder.
pub(in crate::job) fn archive(text: &str) -> Result<(BucketName, Prefix), InvalidValue> {
    let invalid = |message: String| InvalidValue {
        message,
        hint: "give the export's folder, s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID".to_owned(),
    };
    let (bucket, folder) = text
        .strip_prefix("s3://")
        .and_then(|place| place.split_once('/'))
        .ok_or_else(|| invalid(format!("`{text}` is not the address of an export")))?;
    let folder = folder.trim_end_matches('/');
    if folder == "AWSDynamoDB/data" || folder.ends_with("/AWSDynamoDB/data") {
        return Err(invalid(format!(
            "`{text}` is the folder that incremental exports share, which cannot be imported"
        )));
    }
    let folder = folder.strip_suffix("/data").unwrap_or(folder);
    let mut parts = folder.rsplit('/');
    let id = parts.next().unwrap_or_default();
    if parts.next() != Some("AWSDynamoDB") || id.is_empty() {
        return Err(invalid(format!(
            "`{text}` does not end as the folder of an export does"
        )));
    }
    Ok((value::bucket(bucket)?, folder.parse()?))
}

/// Reads the new table.
pub(in crate::job) fn read_table(
    root: Section<'_, '_>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<TableDefinition> {
    root.require(
        "table",
        "add [table] with `name = \"…\"` and `partition_key = \"…:S\"` below it; `tableferry import EXPORT \
         --table NAME --dry-run` writes it from the source table",
        violations,
    );
    let section = root.table("table", "[table]", violations)?;
    section.refuse_unknown(&TABLE_KEYS, violations);
    section.require(
        "name",
        "add `name = \"…\"`, the name of the new table",
        violations,
    );
    let name = section.text_that("name", violations, table_name);
    let keys = read_keys(section, violations);
    let capacity = read_capacity(section, violations);
    let key = section.text_that("key", violations, str::parse::<crate::job::KeyRef>);
    if let Some(key) = &key
        && let Ok(arn) = key.get_ref().as_str().parse()
    {
        consistency.note_arn("the table's key", &arn, key.span());
    }
    let indexes = read_indexes(section, violations);
    let definition = TableDefinition {
        name: name?.into_inner(),
        keys: keys?,
        capacity,
        kms_key: key.map(|key| key.into_inner().to_string()),
        indexes,
    };
    check(&definition, section, violations);
    Some(definition)
}

/// The rules between the parts.
fn check(definition: &TableDefinition, section: Section<'_, '_>, violations: &mut Violations) {
    if let Some(name) = definition.ambiguous_attribute() {
        violations.add(
            section.at,
            format!("the attribute `{name}` has one type in one key and another in another"),
            "an attribute has one type in a table and all of its indexes",
        );
    }
    let is_provisioned = definition.capacity.is_some();
    let mut indexes = definition.indexes.iter();
    if let Some(odd) = indexes.find(|index| index.capacity.is_some() != is_provisioned) {
        let (problem, hint) = if is_provisioned {
            (
                "lacks",
                "an index of a table with capacity units has units of its own",
            )
        } else {
            ("has", "an index of a table without capacity units has none")
        };
        violations.add(
            section.at,
            format!(
                "the index {} {problem} `read_units` and `write_units`",
                odd.name
            ),
            hint,
        );
    }
}

/// A name by the rules of tables and indexes ("Naming rules", developer guide).
pub(in crate::job) fn table_name(text: &str) -> Result<String, InvalidValue> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if (3..=255).contains(&text.len()) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err(InvalidValue {
        message: format!("`{text}` is no name of a table"),
        hint: "3 to 255 letters, digits, underscores, dashes and full stops".to_owned(),
    })
}

fn read_keys(section: Section<'_, '_>, violations: &mut Violations) -> Option<TableKeys> {
    section.require(
        "partition_key",
        "add `partition_key = \"NAME:TYPE\"`, with the type S, N or B",
        violations,
    );
    let partition = section.text_that("partition_key", violations, str::parse::<KeyPart>);
    let sort = section.text_that("sort_key", violations, str::parse::<KeyPart>);
    Some(TableKeys {
        partition: partition?.into_inner(),
        sort: sort.map(Spanned::into_inner),
    })
}

fn read_capacity(section: Section<'_, '_>, violations: &mut Violations) -> Option<Capacity> {
    let read = section.integer("read_units", violations);
    let write = section.integer("write_units", violations);
    let mut positive = |units: &Spanned<i64>| {
        let number = u64::try_from(*units.get_ref())
            .ok()
            .filter(|units| *units > 0);
        if number.is_none() {
            violations.add(
                units.span().start,
                "a table has one unit or more",
                "give 1 or more",
            );
        }
        number
    };
    match (&read, &write) {
        (Some(read), Some(write)) => Some(Capacity {
            read_units: positive(read)?,
            write_units: positive(write)?,
        }),
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => {
            violations.add(
                one.span().start,
                "`read_units` and `write_units` are given together",
                "add the other, or leave both out for on-demand capacity",
            );
            None
        }
    }
}

fn read_indexes(section: Section<'_, '_>, violations: &mut Violations) -> Vec<IndexDefinition> {
    let Some(value) = section.value("indexes") else {
        return Vec::new();
    };
    let hint = "write [[table.indexes]] in double brackets, with `name = \"…\"` below it";
    let DeValue::Array(items) = value.get_ref() else {
        let problem = wrong_type("indexes", "a list of indexes", value.get_ref());
        violations.add(value.span().start, problem, hint);
        return Vec::new();
    };
    let mut indexes = Vec::new();
    for item in items {
        let at = item.span().start;
        let DeValue::Table(table) = item.get_ref() else {
            let problem = wrong_type("indexes", "a list of indexes", item.get_ref());
            violations.add(at, problem, hint);
            continue;
        };
        let section = Section::new("[[table.indexes]]", at, table);
        indexes.extend(read_index(section, violations));
    }
    indexes
}

fn read_index(section: Section<'_, '_>, violations: &mut Violations) -> Option<IndexDefinition> {
    section.refuse_unknown(&INDEX_KEYS, violations);
    section.require("name", "add `name = \"…\"`, the index's name", violations);
    let name = section.text_that("name", violations, table_name);
    let keys = read_keys(section, violations);
    let projection = if let Some(names) = read_attributes(section, violations) {
        Projection::Include(names)
    } else {
        let choices = [("ALL", true), ("KEYS_ONLY", false)];
        let chosen = one_of(section, "projection", &choices, violations);
        if chosen.is_none_or(Spanned::into_inner) {
            Projection::All
        } else {
            Projection::KeysOnly
        }
    };
    Some(IndexDefinition {
        name: name?.into_inner(),
        keys: keys?,
        projection,
        capacity: read_capacity(section, violations),
    })
}

/// The attributes that an index holds beside the keys, where they are named.
fn read_attributes(section: Section<'_, '_>, violations: &mut Violations) -> Option<Vec<String>> {
    let value = section.value("attributes")?;
    let hint = "write `attributes = [\"name\", \"city\"]`";
    let mut names = Vec::new();
    if let DeValue::Array(items) = value.get_ref() {
        for item in items {
            match item.get_ref() {
                DeValue::String(name) => names.push(name.to_string()),
                other => {
                    let problem = wrong_type("attributes", "a list of names", other);
                    violations.add(item.span().start, problem, hint);
                }
            }
        }
    } else {
        let problem = wrong_type("attributes", "a list of names", value.get_ref());
        violations.add(value.span().start, problem, hint);
    }
    Some(names)
}
