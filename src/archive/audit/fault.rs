//! What is damaged in an archive, by file, line and attribute path.

use std::fmt;

use super::super::checksum::ChecksumMismatch;
use super::super::data_file::GzipFault;
use super::super::line::LineFault;
use super::super::verify::ArchiveFinding;

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's key, where it is one file's.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// A manifest is not there.
    NoManifest,
    /// A manifest cannot be read, for this reason.
    Manifest(String),
    /// A manifest is not the one that its checksum file was made of.
    Checksum(ChecksumMismatch),
    /// The manifest is of another export than it was taken for: what differs, in a sentence.
    OtherExport(String),
    /// The summary names no format that is known.
    UnknownFormat,
    /// What the manifests and a listing show.
    Finding(ArchiveFinding),
    /// The manifest does not name the file.
    Unlisted,
    /// The file vanished while the archive was read.
    Vanished,
    /// The file was changed while it was read.
    Changed,
    /// The file's bytes are others.
    Md5Differs {
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// The compressed bytes are damaged.
    Gzip {
        /// How.
        fault: GzipFault,
        /// The byte about which it was seen, from 0.
        at: u64,
    },
    /// A line is not what it must be.
    Line(LineFault),
    /// Faults of a file that are not listed.
    More(u64),
    /// The file has more or fewer lines than the manifest says.
    LinesDiffer {
        /// What the manifest says.
        expected: u64,
        /// What the file has.
        found: u64,
    },
    /// All files together have more or fewer lines than the summary says.
    TotalDiffers {
        /// What the summary says.
        expected: u64,
        /// What the files have.
        found: u64,
    },
    /// The file's changes name other keys than the files before.
    OtherKeys {
        /// The keys of the files before.
        expected: String,
        /// This file's.
        found: String,
    },
    /// Items lack a key attribute.
    KeysMissing {
        /// Its name.
        attribute: String,
        /// In how many items, or images of items.
        images: u64,
    },
    /// The line's item lacks a key attribute.
    KeyMissing,
    /// The key stands in another line, too.
    DuplicateKey {
        /// The file and line of the other.
        first: (String, u64),
    },
    /// Duplicates that are not listed.
    MoreDuplicates(u64),
}

impl Fault {
    /// A fault of the whole export.
    #[must_use]
    pub fn of_export(kind: FaultKind) -> Self {
        Self {
            file: None,
            line: None,
            kind,
        }
    }

    /// A fault of a file.
    #[must_use]
    pub fn of_file(key: &str, kind: FaultKind) -> Self {
        Self {
            file: Some(key.to_owned()),
            line: None,
            kind,
        }
    }

    pub(super) fn of_line(key: &str, line: u64, fault: LineFault) -> Self {
        Self {
            file: Some(key.to_owned()),
            line: Some(line),
            kind: FaultKind::Line(fault),
        }
    }

    pub(super) fn of_finding(finding: ArchiveFinding) -> Self {
        let file = match &finding {
            ArchiveFinding::Missing { key }
            | ArchiveFinding::EtagDiffers { key, .. }
            | ArchiveFinding::NamedTwice { key } => Some(key.clone()),
            ArchiveFinding::NoFiles
            | ArchiveFinding::Unnamed { .. }
            | ArchiveFinding::CountDiffers { .. } => None,
        };
        Self {
            file,
            line: None,
            kind: FaultKind::Finding(finding),
        }
    }

    /// The attribute path, where the fault has one.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match &self.kind {
            FaultKind::Line(fault) if !fault.path.is_empty() => Some(fault.path.to_string()),
            _ => None,
        }
    }
}

impl FaultKind {
    /// The fault's name for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoManifest => "no_manifest",
            Self::Manifest(_) => "manifest_unreadable",
            Self::Checksum(_) => "manifest_checksum",
            Self::OtherExport(_) => "other_export",
            Self::UnknownFormat => "unknown_format",
            Self::Finding(finding) => match finding {
                ArchiveFinding::NoFiles => "no_files",
                ArchiveFinding::Missing { .. } => "missing",
                ArchiveFinding::EtagDiffers { .. } => "etag_differs",
                ArchiveFinding::NamedTwice { .. } => "named_twice",
                ArchiveFinding::Unnamed { .. } => "unlisted",
                ArchiveFinding::CountDiffers { .. } => "count_differs",
            },
            Self::Unlisted => "unlisted",
            Self::Vanished => "vanished",
            Self::Changed => "changed",
            Self::Md5Differs { .. } => "md5_differs",
            Self::Gzip { fault, .. } => fault.as_str(),
            Self::Line(fault) => fault.kind.as_str(),
            Self::More(_) => "more_faults",
            Self::LinesDiffer { .. } => "lines_differ",
            Self::TotalDiffers { .. } => "total_differs",
            Self::OtherKeys { .. } => "other_keys",
            Self::KeysMissing { .. } => "keys_missing",
            Self::KeyMissing => "key_missing",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::MoreDuplicates(_) => "more_duplicates",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoManifest => f.write_str("the manifest is missing"),
            Self::Manifest(why) | Self::OtherExport(why) => f.write_str(why),
            Self::Checksum(mismatch) => write!(f, "{mismatch}"),
            Self::UnknownFormat => f.write_str("the summary names no format that is known"),
            Self::Finding(finding) => match finding {
                ArchiveFinding::Missing { .. } => f.write_str("the file is missing"),
                ArchiveFinding::EtagDiffers {
                    expected, found, ..
                } => write!(
                    f,
                    "the object was changed: its ETag is {found}, and the manifest says {expected}"
                ),
                ArchiveFinding::NamedTwice { .. } => {
                    f.write_str("the manifest names the file twice")
                }
                other => write!(f, "{other}"),
            },
            Self::Unlisted => f.write_str(
                "the manifest does not name the file: an import of the folder would load it too",
            ),
            Self::Vanished => f.write_str("the file vanished while the archive was read"),
            Self::Changed => f.write_str("the file was changed while it was read"),
            Self::Md5Differs { expected, found } => {
                write!(f, "its MD5 is {found}, and the manifest says {expected}")
            }
            Self::Gzip { fault, at } => write!(f, "{fault}, about byte {at}"),
            Self::Line(fault) => write!(f, "{}", fault.kind),
            Self::More(more) => write!(f, "{more} more faults in this file"),
            Self::LinesDiffer { expected, found } => write!(
                f,
                "the file has {found} lines, and the manifest counts {expected} items"
            ),
            Self::TotalDiffers { expected, found } => write!(
                f,
                "the files have {found} lines together, and the summary counts {expected} items"
            ),
            Self::OtherKeys { expected, found } => write!(
                f,
                "its records have the keys {found}, and those of other files {expected}"
            ),
            Self::KeysMissing { attribute, images } => write!(
                f,
                "the key attribute {attribute:?} is missing in {images} of the items, and a filter takes it from all or none"
            ),
            Self::KeyMissing => f.write_str("a key attribute is missing"),
            Self::DuplicateKey {
                first: (file, line),
            } => {
                write!(f, "the key stands in line {line} of {file} too")
            }
            Self::MoreDuplicates(more) => write!(f, "{more} more keys stand twice"),
        }
    }
}
