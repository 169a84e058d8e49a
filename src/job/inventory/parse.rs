//! Reading the parts of a plan file that an inventory alone has.

use toml::Spanned;
use toml::de::DeValue;

use super::{FIELDS, Inventory, InventoryFormat, InventoryFrequency, InventoryVersions};
use crate::job::consistency::ConsistencyCheck;
use crate::job::section::{Section, one_of, wrong_type};
use crate::job::value;
use crate::job::violation::Violations;
use crate::job::{Encryption, Source, sign_in};
use crate::nearest::nearest;

/// The keys and sections of the plan.
pub(in crate::job) const KEYS: [&str; 10] = [
    "kind",
    "id",
    "format",
    "frequency",
    "versions",
    "filter",
    "fields",
    "source",
    "destination",
    "encryption",
];

/// Reads what is asked of S3; `source` is the section that names the bucket.
pub(in crate::job) fn read(
    root: Section<'_, '_>,
    source: Option<Section<'_, '_>>,
    violations: &mut Violations,
) -> Option<Inventory> {
    root.require(
        "id",
        "add `id = \"…\"`, the name of the inventory configuration",
        violations,
    );
    let id = root.text_that("id", violations, value::inventory_id);
    let format = one_of(root, "format", &InventoryFormat::WORDS, violations);
    let frequency = one_of(root, "frequency", &InventoryFrequency::WORDS, violations);
    let versions = one_of(root, "versions", &InventoryVersions::WORDS, violations);
    let filter = root.text("filter", violations);
    let fields = read_fields(root, violations);
    let source = source?;
    source.require(
        "bucket",
        "add `bucket = \"…\"`, the bucket whose objects are listed",
        violations,
    );
    let bucket = source.text_that("bucket", violations, value::bucket);
    Some(Inventory {
        bucket: bucket?.into_inner(),
        id: id?.into_inner(),
        format: format.map(Spanned::into_inner).unwrap_or_default(),
        frequency: frequency.map(Spanned::into_inner).unwrap_or_default(),
        versions: versions.map(Spanned::into_inner).unwrap_or_default(),
        filter: filter.map(|filter| filter.into_inner().to_owned()),
        fields,
    })
}

/// Reads the source, which has a bucket beside the sign-in.
pub(in crate::job) fn read_source(
    section: Section<'_, '_>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Source> {
    let mut known = sign_in::KEYS.to_vec();
    known.push("bucket");
    section.refuse_unknown(&known, violations);
    section.require(
        "profile",
        "add `profile = \"…\"`, a profile of the shared config file",
        violations,
    );
    let sign_in = sign_in::read(section, "source", consistency, violations)?;
    Some(Source { sign_in })
}

fn read_fields(root: Section<'_, '_>, violations: &mut Violations) -> Vec<String> {
    let Some(value) = root.value("fields") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        violations.add(
            value.span().start,
            wrong_type("fields", "a list of column names", value.get_ref()),
            "write `fields = [\"Size\", \"LastModifiedDate\"]`",
        );
        return Vec::new();
    };
    let mut fields: Vec<String> = Vec::new();
    for item in items {
        let at = item.span().start;
        let DeValue::String(name) = item.get_ref() else {
            violations.add(
                at,
                wrong_type("fields", "a list of column names", item.get_ref()),
                "put each name in quotes",
            );
            continue;
        };
        let name = name.as_ref();
        if !FIELDS.contains(&name) {
            let hint = match nearest(name, &FIELDS) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("it is one of {}", FIELDS.join(", ")),
            };
            violations.add(at, format!("`{name}` is no column of S3 Inventory"), hint);
        } else if fields.iter().any(|known| known == name) {
            violations.add(
                at,
                format!("the column `{name}` stands here twice"),
                "remove one of the two",
            );
        } else {
            fields.push(name.to_owned());
        }
    }
    fields
}

/// Reports a key that S3 cannot use for reports: one of another account "must be specified by its fully
/// qualified ARN", and the AWS managed key is not supported ("Configuring Amazon S3 Inventory").
pub(in crate::job) fn refuse_key(
    section: Section<'_, '_>,
    encryption: &Encryption,
    violations: &mut Violations,
) {
    const FULL: &str =
        "give a customer managed key by its full ARN: arn:aws:kms:REGION:ACCOUNT:key/ID";
    let Encryption::Kms { key } = encryption else {
        return;
    };
    let Some(key) = key else {
        let at = section.place_of("algorithm").unwrap_or(section.at);
        violations.add(
            at,
            "reports of S3 Inventory are not encrypted with the AWS managed key",
            FULL,
        );
        return;
    };
    if !key.as_str().contains(":key/") {
        let at = section.place_of("key").unwrap_or(section.at);
        violations.add(
            at,
            format!("the key {key} is not named by its full ARN"),
            FULL,
        );
    }
}
