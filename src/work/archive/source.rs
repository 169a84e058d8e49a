//! Where data files are read from, and which file a file is.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use super::bucket::ArchiveFolder;
use super::directory::Directory;
use super::progress::Stamp;
use crate::archive::manifest::FileEntry;
use crate::aws::s3::Object;

/// Where data files are read from.
#[derive(Debug, Clone)]
pub(super) enum FileSource {
    Directory(Arc<Directory>),
    Bucket(Arc<ArchiveFolder>),
}

/// A data file that is there.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    /// Its place in the manifest's list, from 0.
    pub(super) index: usize,
    pub(super) entry: FileEntry,
    /// As it was listed, where it is an object.
    pub(super) object: Option<Object>,
}

impl DataFile {
    /// The number under which its keys are kept.
    pub(super) fn number(&self) -> u32 {
        u32::try_from(self.index).unwrap_or(u32::MAX)
    }
}

/// An object changes its `ETag` with its content.
pub(super) fn object_stamp(object: &Object) -> Stamp {
    format!("{} {}", object.size, object.etag)
}

/// A file that is written to changes its times.
pub(super) fn file_stamp(file: &File) -> Option<Stamp> {
    let found = file.metadata().ok()?;
    Some(format!(
        "{} {} {}.{} {}.{}",
        found.len(),
        found.ino(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec()
    ))
}
