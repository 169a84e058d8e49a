//! Reading the place of the objects that a reading is about: a bucket and a prefix, or the address of an
//! archive.

use toml::Spanned;

use crate::job::Destination;
use crate::job::consistency::ConsistencyCheck;
use crate::job::section::Section;
use crate::job::sign_in;
use crate::job::value::{self, InvalidValue, Prefix};
use crate::job::violation::Violations;
use tableferry_policy::arn::BucketName;

/// Reads the destination, which may name an archive in place of bucket and prefix.
pub(in crate::job) fn read_place(
    section: Section<'_, '_>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Destination> {
    let mut known = sign_in::KEYS.to_vec();
    known.extend(["archive", "bucket", "owner", "prefix"]);
    section.refuse_unknown(&known, violations);
    let sign_in = sign_in::read_destination(section, consistency, violations);
    let owner = section.text_that("owner", violations, value::bucket_owner);
    let archive = section.text_that("archive", violations, address);
    let (bucket, prefix) = if section.value("archive").is_some() {
        for key in ["bucket", "prefix"] {
            if let Some(at) = section.place_of(key) {
                violations.add(
                    at,
                    format!("[destination] has `archive` and `{key}`"),
                    "the archive's address names both bucket and prefix: remove one of the two",
                );
            }
        }
        archive?.into_inner()
    } else {
        section.require(
            "bucket",
            "add `bucket = \"…\"`, its name, or `archive = \"s3://BUCKET/PREFIX/AWSDynamoDB/ID\"`",
            violations,
        );
        let bucket = section.text_that("bucket", violations, value::bucket);
        let prefix = section.text_that("prefix", violations, str::parse::<Prefix>);
        (bucket?.into_inner(), prefix.map(Spanned::into_inner))
    };
    Some(Destination {
        sign_in,
        bucket,
        owner: owner.map(Spanned::into_inner),
        prefix,
    })
}

/// The address of a folder: its bucket, and the prefix of what lies in it.
pub(crate) fn address(text: &str) -> Result<(BucketName, Option<Prefix>), InvalidValue> {
    let Some(rest) = text.strip_prefix("s3://") else {
        return Err(InvalidValue {
            message: format!("`{text}` is no address of an archive"),
            hint: "it begins with s3:// and the bucket's name".to_owned(),
        });
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let bucket = value::bucket(bucket)?;
    let prefix = prefix.trim_end_matches('/');
    let prefix = (!prefix.is_empty()).then(|| prefix.parse()).transpose()?;
    Ok((bucket, prefix))
}
