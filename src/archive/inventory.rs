//! What a report of S3 Inventory leaves behind: where its manifests lie, what they say, and whether
//! what lies there is that.
//!
//! The formats are those of "Locating your inventory list" (S3 user guide). The samples there lay data
//! files out in more than one way, so that a data file's key is taken from the manifest and never
//! built. Whether `manifest.checksum` is hexadecimal or base64 is not told: both are read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::checksum::{md5_base64, md5_hex};

/// What the key of a manifest ends with, behind its report's folder.
const MANIFEST: &str = "/manifest.json";
/// What the key of its checksum ends with.
const CHECKSUM: &str = "/manifest.checksum";

/// One report, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportFolder {
    /// When its making began, by its folder's name.
    pub at: Timestamp,
    /// The folder, without a closing slash.
    pub folder: String,
    /// Whether its manifest is there.
    pub has_manifest: bool,
    /// Whether the manifest's checksum is there, which is written last.
    pub is_complete: bool,
}

impl ReportFolder {
    /// The manifest's key.
    #[must_use]
    pub fn manifest_key(&self) -> String {
        format!("{}{MANIFEST}", self.folder)
    }

    /// The key of the manifest's checksum.
    #[must_use]
    pub fn checksum_key(&self) -> String {
        format!("{}{CHECKSUM}", self.folder)
    }
}

/// The reports among the keys below a configuration's folder, the oldest first.
#[must_use]
pub fn reports<'k>(keys: impl Iterator<Item = &'k str>) -> Vec<ReportFolder> {
    let mut found: Vec<ReportFolder> = Vec::new();
    for key in keys {
        let (folder, is_checksum) = match (key.strip_suffix(MANIFEST), key.strip_suffix(CHECKSUM)) {
            (Some(folder), _) => (folder, false),
            (None, Some(folder)) => (folder, true),
            (None, None) => continue,
        };
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let Some(at) = time_of(name) else {
            continue;
        };
        let index = found.iter().position(|report| report.folder == folder);
        let index = index.unwrap_or_else(|| {
            found.push(ReportFolder {
                at,
                folder: folder.to_owned(),
                has_manifest: false,
                is_complete: false,
            });
            found.len() - 1
        });
        if let Some(report) = found.get_mut(index) {
            report.has_manifest |= !is_checksum;
            report.is_complete |= is_checksum;
        }
    }
    found.sort_unstable();
    found
}

/// The time in a folder's name: `YYYY-MM-DDTHH-MMZ`.
fn time_of(name: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y-%m-%dT%H-%MZ", name).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryManifest {
    /// The bucket that is listed, by its name.
    pub source_bucket: String,
    /// The bucket that the report lies in, by its ARN.
    pub destination_bucket: String,
    /// `CSV`, `ORC` or `Parquet`.
    #[serde(default)]
    pub file_format: String,
    /// The columns, in the way of the format.
    #[serde(default)]
    pub file_schema: String,
    /// Milliseconds since 1970, as text.
    #[serde(default)]
    creation_timestamp: Option<String>,
    /// The data files.
    pub files: Vec<InventoryFile>,
}

/// A data file, as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InventoryFile {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5 in hexadecimal.
    #[serde(rename = "MD5checksum")]
    pub md5: String,
}

impl InventoryManifest {
    /// Reads a manifest; members that are not known are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// When the report was made.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        let milliseconds = self.creation_timestamp.as_ref()?.parse().ok()?;
        Timestamp::from_millisecond(milliseconds).ok()
    }
}

/// What is wrong with a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryFault {
    /// The manifest is of another bucket.
    #[error("the manifest is of the bucket {found}, and the plan's is {expected}")]
    OtherSource {
        /// What it names.
        found: String,
        /// What the plan names.
        expected: String,
    },
    /// What lies in the checksum's place is no MD5.
    #[error("manifest.checksum holds `{0}`, which is no MD5 in hexadecimal or base64")]
    NoChecksum(String),
    /// The manifest is not the one that the checksum was made of.
    #[error("the MD5 of manifest.json is {found}, and manifest.checksum says {expected}")]
    ManifestDiffers {
        /// What the checksum file says.
        expected: String,
        /// What the manifest has, in the same form.
        found: String,
    },
    /// A file that the manifest names is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// A file has another size.
    #[error("{key} has {found} bytes, and the manifest says {expected}")]
    Size {
        /// The file.
        key: String,
        /// What the manifest says.
        expected: u64,
        /// What lies there.
        found: u64,
    },
    /// A file has another content.
    #[error("the MD5 of {key} is {found}, and the manifest says {expected}")]
    Content {
        /// The file.
        key: String,
        /// What the manifest says.
        expected: String,
        /// What lies there.
        found: String,
    },
}

/// Checks a manifest against the content of its checksum file.
pub fn check_manifest(manifest: &[u8], checksum: &[u8]) -> Result<(), InventoryFault> {
    let text = String::from_utf8_lossy(checksum);
    let expected = text.trim().trim_matches('"');
    let is_hex = expected.len() == 32 && expected.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_base64 = BASE64.decode(expected).map(|digest| digest.len()) == Ok(16);
    let (expected, found) = if is_hex {
        (expected.to_ascii_lowercase(), md5_hex(manifest))
    } else if is_base64 {
        (expected.to_owned(), md5_base64(manifest))
    } else {
        let shown = expected.chars().take(64).flat_map(char::escape_default);
        return Err(InventoryFault::NoChecksum(shown.collect()));
    };
    if expected == found {
        Ok(())
    } else {
        Err(InventoryFault::ManifestDiffers { expected, found })
    }
}

impl InventoryFile {
    /// Checks a data file by its size and its MD5 in hexadecimal.
    pub fn check(&self, size: u64, md5: &str) -> Result<(), InventoryFault> {
        if size != self.size {
            return Err(InventoryFault::Size {
                key: self.key.clone(),
                expected: self.size,
                found: size,
            });
        }
        if !md5.eq_ignore_ascii_case(&self.md5) {
            return Err(InventoryFault::Content {
                key: self.key.clone(),
                expected: self.md5.clone(),
                found: md5.to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample of "Inventory manifest" (S3 user guide).
    const SAMPLE: &str = r#"{
        "sourceBucket": "amzn-s3-demo-source-bucket",
        "destinationBucket": "arn:aws:s3:::example-inventory-destination-bucket",
        "version": "2016-11-30",
        "creationTimestamp" : "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag",
        "files": [
            {
                "key": "Inventory/amzn-s3-demo-source-bucket/2016-11-06T21-32Z/files/939c6d46-85a9-4ba8-87bd-9db705a579ce.csv.gz",
                "size": 2147483647,
                "MD5checksum": "f11166069f1990abeb9c97ace9cdfabc"
            }
        ]
    }"#;

    #[test]
    fn the_sample_of_the_user_guide_is_read() {
        let manifest = InventoryManifest::parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!(manifest.source_bucket, "amzn-s3-demo-source-bucket");
        // 1514944800 seconds are 2018-01-03 02:00 UTC.
        let created = "2018-01-03T02:00:00Z".parse().unwrap();
        assert_eq!(manifest.created_at(), Some(created));
        let [file] = manifest.files.as_slice() else {
            panic!("{manifest:?}");
        };
        assert_eq!(file.size, 2_147_483_647);
        assert_eq!(
            file.check(2_147_483_647, "F11166069F1990ABEB9C97ACE9CDFABC"),
            Ok(())
        );
        assert!(matches!(
            file.check(1, "f11166069f1990abeb9c97ace9cdfabc"),
            Err(InventoryFault::Size { found: 1, .. })
        ));
        assert!(matches!(
            file.check(2_147_483_647, "00"),
            Err(InventoryFault::Content { .. })
        ));
    }

    /// The MD5 of "abc" is that of RFC 1321, appendix A.5.
    #[test]
    fn a_checksum_is_taken_in_hexadecimal_and_in_base64() {
        for checksum in [
            "900150983cd24fb0d6963f7d28e17f72",
            "900150983CD24FB0D6963F7D28E17F72\n",
            "kAFQmDzST7DWlj99KOF/cg==",
        ] {
            assert_eq!(
                check_manifest(b"abc", checksum.as_bytes()),
                Ok(()),
                "{checksum}"
            );
            assert!(
                matches!(
                    check_manifest(b"abd", checksum.as_bytes()),
                    Err(InventoryFault::ManifestDiffers { .. })
                ),
                "{checksum}"
            );
        }
        for checksum in ["", "abc", "\u{1b}[2J"] {
            assert!(
                matches!(
                    check_manifest(b"abc", checksum.as_bytes()),
                    Err(InventoryFault::NoChecksum(_))
                ),
                "{checksum}"
            );
        }
    }

    #[test]
    fn reports_are_found_by_their_folders_in_the_order_of_their_times() {
        let keys = [
            "in/src/all/2026-11-23T01-00Z/manifest.json",
            "in/src/all/2026-11-22T01-00Z/manifest.checksum",
            "in/src/all/2026-11-22T01-00Z/manifest.json",
            "in/src/all/data/939c6d46.csv.gz",
            "in/src/all/hive/dt=2026-11-22-01-00/symlink.txt",
            "in/src/all/notes/manifest.json",
        ];
        let found = reports(keys.into_iter());
        let told: Vec<(String, bool, bool)> = found
            .iter()
            .map(|report| {
                (
                    report.at.to_string(),
                    report.has_manifest,
                    report.is_complete,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("2026-11-22T01:00:00Z".to_owned(), true, true),
                ("2026-11-23T01:00:00Z".to_owned(), true, false),
            ]
        );
        assert_eq!(
            found[0].checksum_key(),
            "in/src/all/2026-11-22T01-00Z/manifest.checksum"
        );
    }
}
