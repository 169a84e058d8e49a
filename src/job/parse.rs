//! Reading a plan file: the whole of it in one pass, with every violation told.

use jiff::Timestamp;
use toml::de::{DeTable, DeValue};

use super::partition::Claims;
use super::section::{Placed, Section, wrong_type};
use super::violation::{Complaints, Violations};
use super::{
    Destination, Encryption, Plan, SignIn, Source, TableJob, encryption, sign_in, table_job,
};
use crate::text_file::without_mark;
use tableferry_policy::arn::{AccountId, BucketName, Region};

const SECTIONS: [&str; 4] = ["source", "destination", "encryption", "tables"];

/// The sections that every plan has, and how to add them.
const REQUIRED: [(&str, &str); 3] = [
    ("source", "add [source] with `profile = \"…\"` below it"),
    (
        "destination",
        "add [destination] with `bucket = \"…\"` below it",
    ),
    (
        "tables",
        "add [[tables]] with `name = \"…\"` below it, once for each table",
    ),
];

impl Plan {
    /// Reads a plan file's text; `file` is what violations call it, and `now` the time after which
    /// nothing can be exported.
    ///
    /// It checks every rule that needs no call, and tells all violations at once. A closing slash
    /// of the prefix is taken away, since DynamoDB itself puts one before `AWSDynamoDB`.
    pub fn parse(text: &str, file: &str, now: Timestamp) -> Result<Self, Violations> {
        let text = without_mark(text);
        let mut complaints = Complaints::new(file, text);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            complaints.add(at, error.message(), syntax_hint(error.message()));
        }
        if !complaints.is_empty() {
            return Err(complaints.into_violations());
        }
        let plan = read(document.get_ref(), now, &mut complaints);
        match plan {
            Some(plan) if complaints.is_empty() => Ok(plan),
            _ => Err(complaints.into_violations()),
        }
    }

    /// Reads a plan file's bytes, as [`Plan::parse`] reads its text.
    pub fn from_bytes(bytes: &[u8], file: &str, now: Timestamp) -> Result<Self, Violations> {
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Self::parse(text, file, now),
            Err(error) => error,
        };
        let (readable, _) = bytes.split_at(error.valid_up_to());
        let readable = String::from_utf8_lossy(readable);
        let mut complaints = Complaints::new(file, &readable);
        complaints.add(
            readable.len(),
            "the file is not UTF-8 text from here on",
            "save it as UTF-8",
        );
        Err(complaints.into_violations())
    }

    /// The plan as its own file would be read, with the same rules; for plans that were put
    /// together otherwise. Lines of violations are those of [`Plan::to_toml`].
    pub fn checked(&self, now: Timestamp) -> Result<Self, Violations> {
        Self::parse(&self.to_toml(), "plan", now)
    }
}

fn syntax_hint(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "keep one of the two"
    } else if message.contains("must be quoted") {
        "put the value in quotes"
    } else if message.contains("string") || message.contains("escape") {
        "a string begins and ends with a quote on one line; a backslash in it is written twice"
    } else {
        "a plan is TOML: [section] lines, [[tables]] lines, and one `key = \"value\"` a line"
    }
}

fn read(table: &DeTable<'_>, now: Timestamp, complaints: &mut Complaints<'_>) -> Option<Plan> {
    let root = Section::new("a plan", 0, table);
    if table.is_empty() {
        complaints.add(
            0,
            "the plan is empty",
            "a plan needs [source] with `profile`, [destination] with `bucket`, and [[tables]] with `name`",
        );
        return None;
    }
    root.refuse_unknown(&SECTIONS, complaints);
    for (section, hint) in REQUIRED {
        root.require(section, hint, complaints);
    }
    let mut claims = Claims::default();
    let source = root
        .table("source", "[source]", complaints)
        .and_then(|section| read_source(section, &mut claims, complaints));
    let destination = root
        .table("destination", "[destination]", complaints)
        .and_then(|section| read_destination(section, &mut claims, complaints));
    let encryption = root
        .table("encryption", "[encryption]", complaints)
        .map_or(Encryption::default(), |section| {
            encryption::read(section, &mut claims, complaints)
        });
    let home = source
        .as_ref()
        .and_then(|source| source.sign_in.region.clone());
    let tables = read_tables(root, now, home.as_ref(), &mut claims, complaints);
    claims.judge(complaints);
    Some(Plan {
        source: source?,
        destination: destination?,
        encryption,
        tables,
    })
}

fn read_source(
    section: Section<'_, '_>,
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Option<Source> {
    section.refuse_unknown(&sign_in::KEYS, complaints);
    section.require(
        "profile",
        "add `profile = \"…\"`, a profile of the shared config file",
        complaints,
    );
    let sign_in = sign_in::read(section, "source", claims, complaints)?;
    Some(Source { sign_in })
}

fn read_destination(
    section: Section<'_, '_>,
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Option<Destination> {
    let mut known = sign_in::KEYS.to_vec();
    known.extend(["bucket", "owner", "prefix"]);
    section.refuse_unknown(&known, complaints);
    section.require("bucket", "add `bucket = \"…\"`, its name", complaints);
    let sign_in = read_destination_sign_in(section, claims, complaints);
    let bucket = section.text_that("bucket", complaints, bucket);
    let owner = section.text_that("owner", complaints, owner);
    let prefix = section.text_that("prefix", complaints, prefix);
    Some(Destination {
        sign_in,
        bucket: bucket?.value,
        owner: owner.map(|owner| owner.value),
        prefix: prefix.map(|prefix| prefix.value),
    })
}

fn read_destination_sign_in(
    section: Section<'_, '_>,
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Option<SignIn> {
    let sign_in = sign_in::read(section, "destination", claims, complaints);
    if section.value("profile").is_none() {
        for key in sign_in::KEYS {
            if let Some(at) = section.place_of(key) {
                complaints.add(
                    at,
                    format!("[destination] has `{key}` and no `profile` to use it with"),
                    format!("add `profile = \"…\"`, or remove `{key}`"),
                );
            }
        }
    }
    sign_in
}

fn bucket(text: &str) -> Result<BucketName, (String, String)> {
    text.parse().map_err(|error: tableferry_policy::arn::Malformed| {
        let name = text
            .strip_prefix("s3://")
            .or_else(|| text.split(":::").nth(1))
            .and_then(|rest| rest.split('/').next())
            .filter(|name| name.parse::<BucketName>().is_ok());
        let hint = match name {
            Some(name) => format!("write `bucket = \"{name}\"`; what follows a slash is the `prefix`"),
            None => {
                "2 to 255 letters, digits, dots, hyphens and underscores, a letter or digit first and last"
                    .to_owned()
            }
        };
        (error.to_string(), hint)
    })
}

fn owner(text: &str) -> Result<AccountId, (String, String)> {
    text.parse()
        .map_err(|error: tableferry_policy::arn::Malformed| {
            (
                error.to_string(),
                "give the id of the account that owns the bucket: twelve digits, without hyphens"
                    .to_owned(),
            )
        })
}

/// A prefix as it is kept: without closing slashes, which would make a folder without a name.
fn prefix(text: &str) -> Result<String, (String, String)> {
    let kept = text.trim_end_matches('/');
    let length = kept.chars().count();
    if kept.is_empty() {
        return Err((
            format!("the prefix `{text}` names no folder"),
            "leave `prefix` out to write to the bucket's root".to_owned(),
        ));
    }
    if length > 1024 {
        return Err((
            format!("`prefix` has {length} characters"),
            "at most 1024".to_owned(),
        ));
    }
    if kept.chars().any(char::is_control) {
        return Err((
            format!("the prefix `{text}` has a control character"),
            "letters, digits and ! - _ . * ' ( ) / are safe in keys".to_owned(),
        ));
    }
    if kept.starts_with("s3://") || kept.starts_with("arn:") {
        return Err((
            format!("`{text}` is an address, not a prefix"),
            "give what follows the bucket's name".to_owned(),
        ));
    }
    Ok(kept.to_owned())
}

fn read_tables(
    root: Section<'_, '_>,
    now: Timestamp,
    home: Option<&Region>,
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Vec<TableJob> {
    let Some(value) = root.value("tables") else {
        return Vec::new();
    };
    let at = value.span().start;
    let DeValue::Array(items) = value.get_ref() else {
        complaints.add(
            at,
            wrong_type("tables", "a list of tables", value.get_ref()),
            "write [[tables]] in double brackets, with `name = \"…\"` below it",
        );
        return Vec::new();
    };
    if items.is_empty() {
        complaints.add(
            at,
            "the plan names no table",
            "add [[tables]] with `name = \"…\"` below it",
        );
    }
    let mut jobs: Vec<Placed<TableJob>> = Vec::new();
    for item in items {
        let at = item.span().start;
        let DeValue::Table(table) = item.get_ref() else {
            complaints.add(
                at,
                wrong_type("tables", "a list of tables", item.get_ref()),
                "write [[tables]] with `name = \"…\"` below it, once for each table",
            );
            continue;
        };
        let section = Section::new("[[tables]]", at, table);
        if let Some(value) = table_job::read(section, now, claims, complaints) {
            jobs.push(Placed { value, at });
        }
    }
    table_job::refuse_duplicates(&jobs, home, complaints);
    jobs.into_iter().map(|job| job.value).collect()
}
