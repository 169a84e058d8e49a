//! The audit of an archive: what all that was read of it results in.
//!
//! It decides what is a fault, what is only told, and what stays open. A fault is damage: the archive is
//! not what was exported. What is open could be damage or not, such as a copy's `ETag` that is of another
//! upload while its bytes were not read. Files are found from their manifests, so that a moved archive
//! is judged as one that was not.

mod fault;
mod note;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use fault::{Fault, FaultKind};
pub use note::Note;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use super::checksum::{digest_of, is_same_md5};
use super::data_file::{FileContent, FileFault};
use super::line::{KeySchema, LineRules};
use super::manifest::{FileEntry, Summary};
use super::verify::{Folder, Listed, verify};
use crate::job::{Format, Span, View};

/// What was read of an archive.
#[derive(Debug)]
pub struct Archive {
    /// The summary.
    pub summary: Summary,
    /// The list of the data files.
    pub entries: Vec<FileEntry>,
    /// What was found of each entry, in their order.
    pub files: Vec<FileState>,
    /// What else lies in the export's own data folder.
    pub unlisted: Vec<String>,
    /// Whether it lies in another place than it was written to, where it was found out.
    pub is_moved: bool,
}

/// What was found of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// It is not there.
    Missing,
    /// It is there.
    Present {
        /// Its size in bytes.
        size: u64,
        /// Its `ETag`, where it is an object.
        etag: Option<String>,
        /// What was read of it.
        content: Option<Box<Read>>,
    },
}

/// What reading a data file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// It was read to its end.
    Whole(FileContent),
    /// It was there, and vanished before it was read.
    Vanished,
    /// It was changed while it was read.
    Changed,
    /// It could not be read, for this reason.
    Failed(String),
}

/// Two places of one key; entries are counted from 0, lines from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The entry and line of the first.
    pub first: (u32, u32),
    /// Those of the other.
    pub again: (u32, u32),
}

/// Keys that stand more than once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Duplicates {
    /// As far as they are kept.
    pub found: Vec<DuplicateKey>,
    /// Those that are not kept.
    pub more: u64,
}

/// What is known of an export beside its archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Knowledge {
    /// The table's keys.
    pub keys: Option<KeySchema>,
    /// Whether the export had a filter, where that is known.
    pub is_filtered: Option<bool>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// What is damaged.
    pub faults: Vec<Fault>,
    /// What is no damage, or may be none.
    pub notes: Vec<Note>,
    /// The data files that the manifest names.
    pub files: u64,
    /// The bytes of those that are there.
    pub bytes: u64,
    /// The items by the manifest's list.
    pub items: u64,
    /// The lines that were read.
    pub lines: Option<u64>,
    /// The bytes of those lines.
    pub unpacked_bytes: u64,
}

/// What an archive is, by all that was read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr, Serialize, Deserialize)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum ArchiveVerdict {
    /// What was exported.
    Whole,
    /// Not what was exported.
    Damaged,
    /// Something could be damage and was not decided.
    Undecided,
}

impl Audit {
    /// What it says of the archive.
    #[must_use]
    pub fn verdict(&self) -> ArchiveVerdict {
        if !self.faults.is_empty() {
            ArchiveVerdict::Damaged
        } else if self.notes.iter().any(Note::is_open) {
            ArchiveVerdict::Undecided
        } else {
            ArchiveVerdict::Whole
        }
    }
}

/// The rules of an archive's lines; `None` where the summary names a format that is not known.
#[must_use]
pub fn line_rules(summary: &Summary, knowledge: &Knowledge) -> Option<LineRules> {
    Some(LineRules {
        format: summary.format?,
        view: view(summary),
        keys: knowledge.keys.clone(),
    })
}

fn view(summary: &Summary) -> Option<View> {
    match summary.span {
        Some(Span::Incremental { view, .. }) => Some(view),
        _ => None,
    }
}

/// Judges an archive.
#[must_use]
pub fn audit(archive: &Archive, duplicates: &Duplicates, knowledge: &Knowledge) -> Audit {
    let mut audit = Audit::default();
    audit.judge_files(archive);
    let mut totals = Totals::default();
    for (entry, state) in archive.entries.iter().zip(&archive.files) {
        if let FileState::Present {
            content: Some(read),
            ..
        } = state
        {
            audit.judge_content(entry, read, &mut totals);
        }
    }
    if totals.is_deep {
        audit.lines = Some(totals.lines);
        audit.judge_total(archive, &totals);
        audit.judge_keys(archive, &totals, knowledge);
        audit.judge_duplicates(archive, duplicates, knowledge);
        if archive.summary.format == Some(Format::Ion) {
            audit.notes.push(Note::IonUnverified);
        }
    }
    audit
}

/// Sums over the files that were read.
#[derive(Default)]
struct Totals {
    is_deep: bool,
    /// Whether every file was read to its end.
    is_incomplete: bool,
    lines: u64,
    images: u64,
    missing_keys: [u64; 2],
    keys: Option<KeySchema>,
    is_ambiguous: bool,
}

impl Audit {
    /// Presence, `ETag`s and counts, by the manifests.
    fn judge_files(&mut self, archive: &Archive) {
        let mut listing = BTreeMap::new();
        let mut copied = 0;
        for (entry, state) in archive.entries.iter().zip(&archive.files) {
            let FileState::Present {
                size,
                etag,
                content,
            } = state
            else {
                continue;
            };
            let is_read = matches!(content.as_deref(), Some(Read::Whole(_)));
            let etag = match etag {
                Some(found) if !is_etag_of(entry, found) => {
                    if archive.is_moved || is_read {
                        copied += u64::from(!is_read);
                        entry.etag.clone()
                    } else {
                        found.clone()
                    }
                }
                _ => entry.etag.clone(),
            };
            listing.insert(entry.key.clone(), Listed { size: *size, etag });
        }
        let report = verify(&archive.summary, &archive.entries, &listing, Folder::Shared);
        self.files = report.files;
        self.bytes = report.bytes;
        self.items = report.items;
        self.faults
            .extend(report.findings.into_iter().map(Fault::of_finding));
        let unlisted = archive.unlisted.iter();
        self.faults
            .extend(unlisted.map(|key| Fault::of_file(key, FaultKind::Unlisted)));
        if archive.is_moved {
            self.notes.push(Note::Moved);
        }
        if copied > 0 {
            self.notes.push(Note::EtagsOfCopies { files: copied });
        }
    }

    fn judge_content(&mut self, entry: &FileEntry, read: &Read, totals: &mut Totals) {
        totals.is_deep = true;
        let content = match read {
            Read::Whole(content) => content,
            Read::Vanished => return self.not_read(entry, FaultKind::Vanished, totals),
            Read::Changed => return self.not_read(entry, FaultKind::Changed, totals),
            Read::Failed(why) => {
                totals.is_incomplete = true;
                self.notes.push(Note::Unread {
                    file: entry.key.clone(),
                    why: why.clone(),
                });
                return;
            }
        };
        let fault = |kind| Fault::of_file(&entry.key, kind);
        if !is_md5_of(entry, content) {
            self.faults.push(fault(FaultKind::Md5Differs {
                expected: entry.md5.clone(),
                found: content.md5.clone(),
            }));
        }
        for found in &content.faults {
            self.faults.push(match found {
                FileFault::Gzip { fault, at } => Fault::of_file(
                    &entry.key,
                    FaultKind::Gzip {
                        fault: *fault,
                        at: *at,
                    },
                ),
                FileFault::Line { line, fault } => Fault::of_line(&entry.key, *line, fault.clone()),
            });
        }
        if content.more_faults > 0 {
            self.faults
                .push(fault(FaultKind::More(content.more_faults)));
        }
        if content.lines != entry.item_count {
            self.faults.push(fault(FaultKind::LinesDiffer {
                expected: entry.item_count,
                found: content.lines,
            }));
        }
        if content.members > 1 {
            self.notes.push(Note::SeveralMembers {
                file: entry.key.clone(),
                members: content.members,
            });
        }
        if content.is_cut {
            self.notes.push(Note::NoLastLineFeed {
                file: entry.key.clone(),
            });
        }
        self.sum_up(entry, content, totals);
    }

    fn not_read(&mut self, entry: &FileEntry, kind: FaultKind, totals: &mut Totals) {
        totals.is_incomplete = true;
        self.faults.push(Fault::of_file(&entry.key, kind));
    }

    fn sum_up(&mut self, entry: &FileEntry, content: &FileContent, totals: &mut Totals) {
        self.unpacked_bytes += content.bytes;
        totals.lines += content.lines;
        totals.images += content.images;
        for (sum, missing) in totals.missing_keys.iter_mut().zip(content.missing_keys) {
            *sum += missing;
        }
        match (&totals.keys, &content.keys) {
            (None, Some(keys)) => totals.keys = Some(keys.clone()),
            (Some(known), Some(keys)) if !known.is_same(keys) => {
                totals.is_ambiguous = true;
                self.faults.push(Fault::of_file(
                    &entry.key,
                    FaultKind::OtherKeys {
                        expected: known.to_string(),
                        found: keys.to_string(),
                    },
                ));
            }
            _ => {}
        }
    }

    fn judge_total(&mut self, archive: &Archive, totals: &Totals) {
        let is_complete = !totals.is_incomplete && !archive.files.contains(&FileState::Missing);
        if is_complete
            && totals.lines != archive.summary.item_count
            && self.items == archive.summary.item_count
        {
            self.faults.push(Fault::of_export(FaultKind::TotalDiffers {
                expected: archive.summary.item_count,
                found: totals.lines,
            }));
        }
    }

    /// A key attribute that every item lacks was projected away by a filter. One that some lack is
    /// damage, unless the export is known to have a filter.
    fn judge_keys(&mut self, archive: &Archive, totals: &Totals, knowledge: &Knowledge) {
        let Some(keys) = &totals.keys else {
            if view(&archive.summary).is_none() && totals.lines > 0 {
                self.notes.push(Note::KeysUnknown);
            }
            return;
        };
        for (attribute, missing) in keys.attributes().zip(totals.missing_keys) {
            if missing == 0 {
                continue;
            }
            let is_projected = missing == totals.images && knowledge.is_filtered != Some(false);
            if is_projected || knowledge.is_filtered == Some(true) {
                self.notes.push(Note::KeyProjectedAway {
                    attribute: attribute.name.clone(),
                    images: missing,
                    is_certain: knowledge.is_filtered == Some(true),
                });
                continue;
            }
            self.faults.push(Fault::of_export(FaultKind::KeysMissing {
                attribute: attribute.name.clone(),
                images: missing,
            }));
        }
        let is_fault = |fault: &Fault| matches!(fault.kind, FaultKind::KeysMissing { .. });
        if self.faults.iter().any(is_fault) {
            for (entry, state) in archive.entries.iter().zip(&archive.files) {
                for line in lines_without_key(state) {
                    self.faults.push(Fault {
                        line: Some(*line),
                        ..Fault::of_file(&entry.key, FaultKind::KeyMissing)
                    });
                }
            }
        }
    }

    /// Two items of one key. Where the keys are not known, whole lines were compared, and a projection
    /// may make those equal.
    fn judge_duplicates(&mut self, archive: &Archive, found: &Duplicates, knowledge: &Knowledge) {
        let place = |(file, line): (u32, u32)| {
            let entry = usize::try_from(file)
                .ok()
                .and_then(|file| archive.entries.get(file));
            let key = entry.map(|entry| entry.key.clone()).unwrap_or_default();
            (key, u64::from(line))
        };
        let are_lines = knowledge.keys.is_none() && view(&archive.summary).is_none();
        if are_lines && knowledge.is_filtered != Some(false) {
            if let Some(first) = found.found.first() {
                let (file, line) = place(first.again);
                let count = found.more + u64::try_from(found.found.len()).unwrap_or(0);
                self.notes.push(Note::EqualLines { file, line, count });
            }
            return;
        }
        for duplicate in &found.found {
            let (file, line) = place(duplicate.again);
            self.faults.push(Fault {
                line: Some(line),
                ..Fault::of_file(
                    &file,
                    FaultKind::DuplicateKey {
                        first: place(duplicate.first),
                    },
                )
            });
        }
        if found.more > 0 {
            self.faults
                .push(Fault::of_export(FaultKind::MoreDuplicates(found.more)));
        }
    }
}

fn lines_without_key(state: &FileState) -> &[u64] {
    match state {
        FileState::Present {
            content: Some(read),
            ..
        } => match read.as_ref() {
            Read::Whole(content) => &content.without_key,
            _ => &[],
        },
        _ => &[],
    }
}

/// Whether an `ETag` proves that an object is the entry's: it is the one of the manifest, or the MD5 of
/// the content, which an object has that was put in one piece and is not encrypted with KMS.
fn is_etag_of(entry: &FileEntry, found: &str) -> bool {
    let found = found.trim_matches('"');
    if found == entry.etag.trim_matches('"') {
        return true;
    }
    digest_of(&entry.md5).is_some_and(|digest| hex::encode(digest) == found)
}

/// Whether the content has the entry's MD5; one that the manifest does not name is not held against it.
fn is_md5_of(entry: &FileEntry, content: &FileContent) -> bool {
    entry.md5.is_empty() || is_same_md5(&entry.md5, &content.md5)
}
