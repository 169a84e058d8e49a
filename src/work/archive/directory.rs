//! An archive in a directory. No link within it is followed, since it may lead out of the archive.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, FileType, Mode, OFlags};

use super::error::ArchiveError;
use crate::archive::layout::{DataPlace, FOLDER, data_place};
use crate::archive::manifest::SUMMARY_FILE;

/// A directory that holds an export's manifests.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    folder: OwnedFd,
}

const DATA: &str = "data";

impl Directory {
    /// Opens the folder of an export: the directory itself, or the only export below it.
    pub(super) fn open(named: &Path) -> Result<Self, ArchiveError> {
        let none = || ArchiveError::NoDirectory {
            path: named.to_owned(),
        };
        let path = named.canonicalize().map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => none(),
            _ => unreadable(named, error),
        })?;
        if !path.is_dir() {
            return Err(none());
        }
        let path = find(&path, named)?;
        let folder = open(&path).map_err(|error| unreadable(&path, error))?;
        Ok(Self { path, folder })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file beside the manifests, of at most so many bytes.
    pub(super) fn read(&self, name: &str, largest: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = open_file(&self.folder, name)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(largest.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > largest) {
            return Err(io::Error::from(ErrorKind::FileTooLarge));
        }
        Ok(Some(bytes))
    }

    /// The data file of a key.
    pub(super) fn open_data(&self, key: &str) -> io::Result<Option<File>> {
        let (folder, name) = match data_place(key) {
            Some(DataPlace::Own(name)) => (self.data_folder()?, name),
            Some(DataPlace::Shared(name)) => (self.shared_folder()?, name),
            None => return Ok(None),
        };
        match folder {
            Some(folder) => open_file(&folder, &name),
            None => Ok(None),
        }
    }

    fn data_folder(&self) -> io::Result<Option<OwnedFd>> {
        open_folder(&self.folder, DATA)
    }

    fn shared_folder(&self) -> io::Result<Option<OwnedFd>> {
        let Some(above) = self.path.parent() else {
            return Ok(None);
        };
        open_folder(&open(above)?, DATA)
    }

    /// The names in the export's own data folder.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let Some(folder) = self.data_folder()? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in Dir::new(folder)? {
            let entry = entry?;
            let name = String::from_utf8_lossy(entry.file_name().to_bytes()).into_owned();
            if !matches!(name.as_str(), "." | "..") {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// The export's folder: the directory, or the only one below it that has a manifest.
fn find(path: &Path, named: &Path) -> Result<PathBuf, ArchiveError> {
    let has_manifest = |path: &Path| path.join(SUMMARY_FILE).symlink_metadata().is_ok();
    if has_manifest(path) {
        return Ok(path.to_owned());
    }
    let below = path.join(FOLDER);
    let below = if below.is_dir() {
        below
    } else {
        path.to_owned()
    };
    let entries = std::fs::read_dir(&below).map_err(|error| unreadable(&below, error))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| has_manifest(path))
        .collect();
    found.sort_unstable();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(ArchiveError::NoManifest {
            place: named.display().to_string(),
        }),
        several => Err(ArchiveError::SeveralExports {
            place: named.display().to_string(),
            exports: several
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
        }),
    }
}

fn unreadable(path: &Path, error: io::Error) -> ArchiveError {
    ArchiveError::Unreadable {
        place: path.display().to_string(),
        error,
    }
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn open_folder(within: &OwnedFd, name: &str) -> io::Result<Option<OwnedFd>> {
    open_at(within, name, OFlags::DIRECTORY)
}

/// Opens a regular file without waiting for the one who is at the other end of a pipe.
fn open_file(within: &OwnedFd, name: &str) -> io::Result<Option<File>> {
    let Some(file) = open_at(within, name, OFlags::NONBLOCK)? else {
        return Ok(None);
    };
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file",
        ));
    }
    Ok(Some(file.into()))
}

fn open_at(within: &OwnedFd, name: &str, flags: OFlags) -> io::Result<Option<OwnedFd>> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(within, name, flags, Mode::empty()) {
        Ok(opened) => Ok(Some(opened)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        // A link is no directory, either, where one is asked for.
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK | rustix::io::Errno::NOTDIR) => {
            Err(io::Error::new(
                ErrorKind::InvalidInput,
                "it is a symbolic link or no directory, and links are not followed",
            ))
        }
        Err(error) => Err(error.into()),
    }
}
