//! Whether what lies in the bucket is what the manifests say.
//!
//! The judgement is made of the two manifests and a listing: every file named is there with the
//! `ETag` named, none is named twice, nothing else lies in a folder that is the export's own, and the
//! counts add up. A listing costs no download, and an
//! `ETag` changes with every change of an object.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::layout::key_candidates;
use super::manifest::{FileEntry, Summary};
use crate::job::Span;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its size in bytes.
    pub size: u64,
    /// Its `ETag`, with or without quotes.
    pub etag: String,
}

/// Whose the folder of the data files is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// The export's own, as that of a full export.
    Own,
    /// Shared by all incremental exports below a prefix: the manifest says what belongs to each.
    Shared,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationReport {
    /// What is wrong; nothing, if the export is whole.
    pub findings: Vec<ArchiveFinding>,
    /// How many data files the manifest names.
    pub files: u64,
    /// How many bytes those have that were found.
    pub bytes: u64,
    /// How many items the files' entries count together.
    pub items: u64,
}

impl VerificationReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// One thing that is wrong with an export's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveFinding {
    /// The list of data files is empty, though an export has at least one file per partition.
    NoFiles,
    /// A file that the manifest names is not in the bucket.
    Missing {
        /// Its key.
        key: String,
    },
    /// A file was changed, or is another one.
    EtagDiffers {
        /// Its key.
        key: String,
        /// The `ETag` that the manifest names.
        expected: String,
        /// The `ETag` that the bucket has.
        found: String,
    },
    /// The manifest names a file more than once.
    NamedTwice {
        /// Its key.
        key: String,
    },
    /// Objects in the export's own data folder that the manifest does not name.
    Unnamed {
        /// The key of the first.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// The entries' counts do not add up to the summary's.
    CountDiffers {
        /// The summary's count.
        expected: u64,
        /// The sum over the entries.
        found: u64,
    },
}

impl fmt::Display for ArchiveFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFiles => write!(f, "the manifest names no data file"),
            Self::Missing { key } => write!(f, "{key} is missing"),
            Self::EtagDiffers {
                key,
                expected,
                found,
            } => write!(
                f,
                "{key} was changed: its ETag is {found}, and the manifest says {expected}"
            ),
            Self::NamedTwice { key } => write!(f, "the manifest names {key} more than once"),
            Self::Unnamed { first, count } => {
                let more = match count.saturating_sub(1) {
                    0 => "lies".to_owned(),
                    more => format!("and {more} more lie"),
                };
                write!(
                    f,
                    "{first} {more} in the data folder, and the manifest does not name it: an import of the folder would load it too"
                )
            }
            Self::CountDiffers { expected, found } => write!(
                f,
                "the files hold {found} items by the manifest's list, and {expected} by its summary"
            ),
        }
    }
}

/// Judges an export's files by its manifests and a listing of the data folder, by key.
#[must_use]
pub fn verify(
    summary: &Summary,
    entries: &[FileEntry],
    listing: &BTreeMap<String, Listed>,
    folder: Folder,
) -> VerificationReport {
    let mut report = VerificationReport {
        findings: Vec::new(),
        files: entries.len() as u64,
        bytes: 0,
        items: 0,
    };
    // A window in which nothing changed may leave no file; a table's partitions always do.
    let may_be_empty =
        summary.item_count == 0 && matches!(summary.span, Some(Span::Incremental { .. }));
    if entries.is_empty() && !may_be_empty {
        report.findings.push(ArchiveFinding::NoFiles);
    }
    let mut seen = BTreeSet::new();
    let mut named = BTreeSet::new();
    for entry in entries {
        report.items = report.items.saturating_add(entry.item_count);
        if !seen.insert(entry.key.as_str()) {
            report.findings.push(ArchiveFinding::NamedTwice {
                key: entry.key.clone(),
            });
            continue;
        }
        named.extend(check_file(
            entry,
            summary.prefix.as_deref(),
            listing,
            &mut report,
        ));
    }
    if folder == Folder::Own {
        report.findings.extend(unnamed(listing, &named));
    }
    if report.items != summary.item_count {
        report.findings.push(ArchiveFinding::CountDiffers {
            expected: summary.item_count,
            found: report.items,
        });
    }
    report
}

/// What lies in the folder beside the files that are named. The marker that consoles make for a folder
/// holds nothing.
fn unnamed(listing: &BTreeMap<String, Listed>, named: &BTreeSet<&str>) -> Option<ArchiveFinding> {
    let mut unnamed = listing.iter().filter(|(key, listed)| {
        let is_marker = key.ends_with('/') && listed.size == 0;
        !is_marker && !named.contains(key.as_str())
    });
    let (first, _) = unnamed.next()?;
    Some(ArchiveFinding::Unnamed {
        first: first.clone(),
        count: unnamed.count() + 1,
    })
}

/// Checks a file, and gives the key that it was found under.
fn check_file<'a>(
    entry: &FileEntry,
    prefix: Option<&str>,
    listing: &'a BTreeMap<String, Listed>,
    report: &mut VerificationReport,
) -> Option<&'a str> {
    let candidates = key_candidates(&entry.key, prefix);
    let Some((key, listed)) = candidates.iter().find_map(|key| listing.get_key_value(key)) else {
        let key = entry.key.clone();
        report.findings.push(ArchiveFinding::Missing { key });
        return None;
    };
    report.bytes = report.bytes.saturating_add(listed.size);
    if bare(&listed.etag) != bare(&entry.etag) {
        report.findings.push(ArchiveFinding::EtagDiffers {
            key: key.clone(),
            expected: bare(&entry.etag).to_owned(),
            found: bare(&listed.etag).to_owned(),
        });
    }
    Some(key)
}

/// An `ETag` without the quotes that HTTP puts around it.
fn bare(etag: &str) -> &str {
    etag.trim_matches('"')
}
