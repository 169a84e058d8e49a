//! The file that keeps a world: played by one process at a time, and written as a whole.
//!
//! The whole world is kept in memory, so that two processes would undo each other's changes without a
//! word. The lock is on the file itself, whatever path leads to it; the operating system gives it up
//! when its holder ends, however it ends. A write puts a new file in the old one's place, which is
//! locked before it is there. Neither file is written through a link, or is another user's.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;

use crate::SandboxError;

/// A state file, taken for this process alone.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// The file that is at the path, locked; `None` until a new world is written for the first time.
    held: Mutex<Option<File>>,
}

impl StateFile {
    /// Takes the file, and reads what it holds; `None` where there is none yet.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<String>), SandboxError> {
        let describe = |source| state_error("read", path, source);
        let new = |held| Self {
            path: path.to_owned(),
            held: Mutex::new(held),
        };
        loop {
            let Some(mut file) = open_existing(path).map_err(describe)? else {
                return Ok((new(None), None));
            };
            lock(&file, path)?;
            // Its last holder may have put another in its place before it gave up the lock.
            if is_at(path, &file).map_err(describe)? {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(describe)?;
                return Ok((new(Some(file)), Some(text)));
            }
        }
    }

    /// Writes the file anew. It holds secrets, so nobody else may read it.
    pub(super) fn write(&self, text: &str) -> Result<(), SandboxError> {
        let describe = |source| state_error("write", &self.path, source);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let beside = PathBuf::from(name);
        let mut file = self.make(&beside)?;
        file.write_all(text.as_bytes()).map_err(describe)?;
        file.sync_all().map_err(describe)?;
        match &*held {
            Some(before) if is_at(&self.path, before).map_err(describe)? => {
                fs::rename(&beside, &self.path).map_err(describe)?;
            }
            // Somebody put another world in its place, or took it away.
            Some(_) => return Err(SandboxError::InUse(self.path.clone())),
            None => self.put_first(&beside)?,
        }
        *held = Some(file);
        Ok(())
    }

    /// Makes the file that takes the old one's place. What a process that was killed left there goes.
    fn make(&self, beside: &Path) -> Result<File, SandboxError> {
        let describe = |source| state_error("write", &self.path, source);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = match options.open(beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if let Ok(Some(left)) = open_existing(beside) {
                    lock(&left, &self.path)?;
                }
                fs::remove_file(beside).map_err(describe)?;
                options.open(beside)
            }
            made => made,
        };
        let file = file.map_err(describe)?;
        lock(&file, &self.path)?;
        Ok(file)
    }

    /// Puts a file where there was none, and does not replace one that another process made meanwhile.
    fn put_first(&self, beside: &Path) -> Result<(), SandboxError> {
        let describe = |source| state_error("write", &self.path, source);
        match fs::hard_link(beside, &self.path) {
            Ok(()) => fs::remove_file(beside).map_err(describe),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(SandboxError::InUse(self.path.clone()))
            }
            // Not every file system knows a second name for a file.
            Err(_) => fs::rename(beside, &self.path).map_err(describe),
        }
    }
}

fn state_error(deed: &'static str, path: &Path, source: io::Error) -> SandboxError {
    SandboxError::State {
        deed,
        path: PathBuf::from(path),
        source,
    }
}

fn lock(file: &File, path: &Path) -> Result<(), SandboxError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(SandboxError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(state_error("write", path, source)),
    }
}

/// Opens a file that is there, without waiting and not through a link; `None` where there is none.
fn open_existing(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(found) => check(&found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(flags.bits().cast_signed());
    match options.open(path) {
        Ok(file) => {
            check(&file.metadata()?)?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses a link, what is no regular file, and a file of another user.
fn check(found: &Metadata) -> io::Result<()> {
    if found.is_symlink() {
        let message = "it is a symbolic link: name the file that it leads to";
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    if !found.is_file() {
        let message = "it is no regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        let message = "it belongs to another user";
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    Ok(())
}

/// Whether a file that is open is the one at a path.
fn is_at(path: &Path, file: &File) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
