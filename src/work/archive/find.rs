//! What lies in an archive: each data file of its manifest, and what the manifest does not name.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::ArchiveFolder;
use super::directory::Directory;
use super::error::ArchiveError;
use super::source::DataFile;
use crate::archive::audit::{Archive, FileState};
use crate::archive::layout::{DataPlace, data_place, key_candidates};
use crate::archive::manifest::{FileEntry, LIST_FILE, Summary};
use crate::job::Span;

/// What lies in an archive, and what of it can be read.
#[derive(Debug)]
pub(super) struct FoundArchive {
    pub(super) archive: Archive,
    pub(super) files: Vec<DataFile>,
    pub(super) bytes: u64,
}

/// The name of an own data file.
fn own_name(key: &str) -> Option<String> {
    match data_place(key)? {
        DataPlace::Own(name) => Some(name),
        DataPlace::Shared(_) => None,
    }
}

pub(super) fn find_in_directory(
    directory: &Directory,
    summary: Summary,
    entries: Vec<FileEntry>,
) -> Result<FoundArchive, ArchiveError> {
    let mut files = Vec::new();
    let mut states = Vec::new();
    let mut total = 0;
    for (index, entry) in entries.iter().enumerate() {
        let size = match directory.open_data(&entry.key) {
            Ok(Some(file)) => file.metadata().map_or(0, |found| found.len()),
            Ok(None) => {
                states.push(FileState::Missing);
                continue;
            }
            // It is there; why it cannot be read is told when it is read.
            Err(_) => 0,
        };
        total += size;
        states.push(FileState::Present {
            size,
            etag: None,
            content: None,
        });
        files.push(DataFile {
            index,
            entry: entry.clone(),
            object: None,
        });
    }
    let unlisted = if is_full(&summary) {
        strangers_in(directory, &entries)?
    } else {
        Vec::new()
    };
    let archive = Archive {
        summary,
        entries,
        files: states,
        unlisted,
        is_moved: false,
    };
    Ok(FoundArchive {
        archive,
        files,
        bytes: total,
    })
}

/// What lies in the export's own data folder beside its files.
fn strangers_in(directory: &Directory, entries: &[FileEntry]) -> Result<Vec<String>, ArchiveError> {
    let own = entries.iter().filter_map(|entry| own_name(&entry.key));
    let own: BTreeSet<String> = own.collect();
    let lying = directory
        .names()
        .map_err(|error| ArchiveError::Unreadable {
            place: directory.path().join("data").display().to_string(),
            error,
        })?;
    let unlisted = lying.into_iter().filter(|name| !own.contains(name));
    Ok(unlisted.map(|name| format!("data/{name}")).collect())
}

const fn is_full(summary: &Summary) -> bool {
    !matches!(summary.span, Some(Span::Incremental { .. }))
}

pub(super) async fn find_in_bucket(
    bucket: &ArchiveFolder,
    summary: Summary,
    entries: Vec<FileEntry>,
) -> Result<FoundArchive, ArchiveError> {
    let prefix = summary.prefix.as_deref();
    let mut unlisted = Vec::new();
    let objects = if is_full(&summary) && entries.iter().all(|entry| own_name(&entry.key).is_some())
    {
        let mut listed: BTreeMap<String, _> = bucket
            .list(&format!("{}data/", bucket.folder))
            .await?
            .into_iter()
            .map(|object| (object.key.clone(), object))
            .collect();
        let mut found = Vec::new();
        for entry in &entries {
            let keys = bucket.keys_of(entry, prefix);
            found.push(keys.iter().find_map(|key| listed.get(key).cloned()));
        }
        for object in found.iter().flatten() {
            listed.remove(&object.key);
        }
        // The marker that consoles make for a folder holds nothing.
        listed.retain(|key, object| !(key.ends_with('/') && object.size == 0));
        unlisted.extend(listed.into_keys());
        found
    } else {
        bucket.look_up(&entries, prefix).await?
    };
    let written_to = key_candidates(&summary.manifest_files_key, prefix);
    let lies_at = format!("{}{LIST_FILE}", bucket.folder);
    let is_moved = summary.bucket != bucket.name.as_str() || !written_to.contains(&lies_at);
    let mut files = Vec::new();
    let mut states = Vec::new();
    let mut total = 0;
    for (index, (entry, object)) in entries.iter().zip(objects).enumerate() {
        let Some(object) = object else {
            states.push(FileState::Missing);
            continue;
        };
        total += object.size;
        states.push(FileState::Present {
            size: object.size,
            etag: Some(object.etag.clone()),
            content: None,
        });
        files.push(DataFile {
            index,
            entry: entry.clone(),
            object: Some(object),
        });
    }
    let archive = Archive {
        summary,
        entries,
        files: states,
        unlisted,
        is_moved,
    };
    Ok(FoundArchive {
        archive,
        files,
        bytes: total,
    })
}
