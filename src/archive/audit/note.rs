//! What an audit tells besides damage.

use std::fmt;

/// Something that is no damage, or of which that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The archive lies in another place than it was written to.
    Moved,
    /// A manifest has no checksum file.
    NoChecksum {
        /// The manifest.
        file: String,
    },
    /// What lies in the checksum file's place is no checksum.
    ChecksumUnreadable {
        /// The manifest.
        file: String,
        /// What it is.
        why: String,
    },
    /// Objects have `ETags` of other uploads than the export's, and their bytes were not read.
    EtagsOfCopies {
        /// How many.
        files: u64,
    },
    /// The gzip of a file has several members; an export writes one.
    SeveralMembers {
        /// The file.
        file: String,
        /// How many.
        members: u64,
    },
    /// The last line of a file has no line feed; an export writes one.
    NoLastLineFeed {
        /// The file.
        file: String,
    },
    /// A file could not be read.
    Unread {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// The table's keys are not known, so that no item was checked for them.
    KeysUnknown,
    /// No item has a key attribute: the export's filter leaves it out.
    KeyProjectedAway {
        /// Its name.
        attribute: String,
        /// In how many items, or images of items.
        images: u64,
        /// Whether the export is known to have a filter.
        is_certain: bool,
    },
    /// Lines are equal, and whether a filter made them so is not known.
    EqualLines {
        /// The file of the first.
        file: String,
        /// Its line.
        line: u64,
        /// How many there are.
        count: u64,
    },
    /// No data file of the service in Ion was ever compared with what is checked.
    IonUnverified,
}

impl Note {
    /// Whether it could be damage.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self {
            Self::EtagsOfCopies { .. } | Self::Unread { .. } | Self::EqualLines { .. } => true,
            Self::KeyProjectedAway { is_certain, .. } => !*is_certain,
            _ => false,
        }
    }

    /// The note's name for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::NoChecksum { .. } => "no_checksum",
            Self::ChecksumUnreadable { .. } => "checksum_unreadable",
            Self::EtagsOfCopies { .. } => "etags_of_copies",
            Self::SeveralMembers { .. } => "several_members",
            Self::NoLastLineFeed { .. } => "no_last_line_feed",
            Self::Unread { .. } => "unread",
            Self::KeysUnknown => "keys_unknown",
            Self::KeyProjectedAway { .. } => "key_projected_away",
            Self::EqualLines { .. } => "equal_lines",
            Self::IonUnverified => "ion_unverified",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved => f.write_str("the archive was moved: it lies in another place than its manifest names"),
            Self::NoChecksum { file } => write!(f, "{file}: its checksum file is missing"),
            Self::ChecksumUnreadable { file, why } => write!(f, "{file}: {why}"),
            Self::EtagsOfCopies { files } => write!(
                f,
                "{files} files have the ETags of copies, which say nothing of their bytes; --deep reads them"
            ),
            Self::SeveralMembers { file, members } => {
                write!(f, "{file}: its gzip has {members} members; an export writes one")
            }
            Self::NoLastLineFeed { file } => {
                write!(f, "{file}: its last line has no line feed; an export writes one")
            }
            Self::Unread { file, why } => write!(f, "{file}: it could not be read: {why}"),
            Self::KeysUnknown => f.write_str(
                "the table's keys are not known, so that items were not checked for them; --key NAME:TYPE names them",
            ),
            Self::KeyProjectedAway {
                attribute,
                images,
                is_certain: true,
            } => write!(
                f,
                "the key attribute {attribute:?} is missing in {images} items: the export's filter leaves it out, and such items are not checked for duplicates"
            ),
            Self::KeyProjectedAway {
                attribute, images, ..
            } => write!(
                f,
                "the key attribute {attribute:?} is missing in all {images} items: a filter left it out, or it is no key of the table"
            ),
            Self::EqualLines { file, line, count } => write!(
                f,
                "{count} lines are equal to others, the first of them line {line} of {file}: items that stand twice, or items that a filter left no key; --key NAME:TYPE decides"
            ),
            Self::IonUnverified => f.write_str(
                "Ion is checked as AWS documents it; no file that AWS wrote was ever compared",
            ),
        }
    }
}
