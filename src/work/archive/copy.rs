//! A copy of an archive in a directory of this machine.
//!
//! No file has its final name before it was read to its end and found to be what the manifest says; what has
//! arrived of it until then lies beside, and is gone on with. The directory is the owner's alone, and so is
//! every file; no link within it is followed. A file that lies there under a final name is never written
//! over.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, ErrorKind, Read, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use tokio::runtime::Handle;

use super::bucket::ArchiveFolder;
use super::check::{Checker, ScanError, ended_early};
use super::error::ArchiveError;
use super::source::DataFile;
use crate::archive::audit::Read as ReadResult;
use crate::archive::checksum::is_same_md5;
use crate::archive::data_file::FileContent;
use crate::archive::layout::{DataPlace, FOLDER, data_place};
use crate::archive::manifest::FileEntry;
use crate::archive::plain::plain_json;
use crate::archive::value::read_record;
use crate::aws::s3::Object;

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyForm {
    /// The archive as it is, so that it can be verified.
    Archive,
    /// Its items as plain JSON, one a line.
    PlainJson,
}

/// A copy that is being made.
#[derive(Debug)]
pub(super) struct LocalCopy {
    form: CopyForm,
    root: OwnedFd,
    path: PathBuf,
    /// The export's folder; of plain JSON, where its files go.
    folder: OwnedFd,
    folder_path: PathBuf,
    data: OwnedFd,
    parts: OwnedFd,
    parts_name: String,
}

const DATA: &str = "data";

impl LocalCopy {
    /// Opens the directory that a copy goes to, and makes it where there is none.
    pub(super) fn open(
        named: &Path,
        id: &str,
        entries: &[FileEntry],
        form: CopyForm,
    ) -> Result<Self, ArchiveError> {
        let unusable = |problem: String| ArchiveError::UnusableDirectory {
            path: named.to_owned(),
            problem,
        };
        let failed = |error: io::Error| unusable(error.to_string());
        let places = entries.iter().map(|entry| data_place(&entry.key));
        let places: Option<Vec<DataPlace>> = places.collect();
        let Some(places) = places else {
            return Err(unusable(
                "the manifest's files lie otherwise than DynamoDB puts them, so that there is no place \
                 for them"
                    .to_owned(),
            ));
        };
        let path = prepare(named).map_err(failed)?;
        check(&path).map_err(unusable)?;
        let root = open(&path).map_err(failed)?;
        let is_shared = matches!(places.first(), Some(DataPlace::Shared(_)));
        let made = || -> io::Result<Self> {
            let (folder, folder_path, data) = match form {
                CopyForm::PlainJson => {
                    let folder = make(&root, id)?;
                    (folder, path.join(id), make(&root, id)?)
                }
                CopyForm::Archive => {
                    let above = make(&root, FOLDER)?;
                    let folder = make(&above, id)?;
                    let data = make(if is_shared { &above } else { &folder }, DATA)?;
                    (folder, path.join(FOLDER).join(id), data)
                }
            };
            let parts_name = format!(".tableferry-{id}");
            Ok(Self {
                form,
                folder,
                folder_path,
                data,
                parts: make(&root, &parts_name)?,
                parts_name,
                root,
                path: path.clone(),
            })
        };
        made().map_err(failed)
    }

    /// Where its files lie.
    pub(super) fn place(&self) -> String {
        self.folder_path.display().to_string()
    }

    /// The directory with its name in full.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes that the file system has left for this user.
    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        let found = rustix::fs::fstatvfs(&self.root)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// The bytes that are still to be written of an entry of this size.
    pub(super) fn missing_bytes(&self, entry: &FileEntry, size: u64) -> u64 {
        if self.has(entry) {
            return 0;
        }
        let part = open_file(&self.parts, &part_name(entry), OFlags::empty());
        let arrived = part.ok().flatten().and_then(|part| part.metadata().ok());
        size.saturating_sub(arrived.map_or(0, |part| part.len()))
    }

    /// Whether an entry's file has its final name.
    pub(super) fn has(&self, entry: &FileEntry) -> bool {
        let found = rustix::fs::statat(&self.data, self.name(entry), AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok()
    }

    /// The final name of an entry's file.
    fn name(&self, entry: &FileEntry) -> String {
        let name = file_name(entry);
        match self.form {
            CopyForm::Archive => name,
            CopyForm::PlainJson => {
                let stem = name
                    .strip_suffix(".json.gz")
                    .or_else(|| name.strip_suffix(".ion.gz"));
                format!("{}.jsonl", stem.unwrap_or(&name))
            }
        }
    }

    /// Brings a data file here, or reads the one that is here already.
    pub(super) fn fetch(
        &self,
        checker: &Checker,
        file: &DataFile,
        (bucket, object): (&ArchiveFolder, &Object),
        runtime: &Handle,
    ) -> Result<ReadResult, ScanError> {
        match self.form {
            CopyForm::Archive => {
                if let Some(found) = self.check_copied(checker, file)? {
                    return Ok(found);
                }
                self.fetch_archive(checker, file, (bucket, object), runtime)
            }
            CopyForm::PlainJson => self.fetch_plain(checker, file, (bucket, object), runtime),
        }
    }

    /// Reads a file that has its final name.
    fn check_copied(
        &self,
        checker: &Checker,
        file: &DataFile,
    ) -> Result<Option<ReadResult>, ScanError> {
        let opened = match open_file(&self.data, &self.name(&file.entry), OFlags::empty()) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(ReadResult::Failed(error.to_string()))),
        };
        let found = checker.check_opened(file, &opened)?;
        Ok(Some(match found {
            ReadResult::Whole(content) if !is_entry(&file.entry, &content) => ReadResult::Failed(
                "another file of this name lies in the directory: move it away".to_owned(),
            ),
            found => found,
        }))
    }

    fn fetch_archive(
        &self,
        checker: &Checker,
        file: &DataFile,
        (bucket, object): (&ArchiveFolder, &Object),
        runtime: &Handle,
    ) -> Result<ReadResult, ScanError> {
        let part = open_part(&self.parts, &part_name(&file.entry)).map_err(ScanError::Copy)?;
        let mut arrived = part.metadata().map_err(ScanError::Copy)?.len();
        if arrived > object.size {
            arrived = 0;
        }
        loop {
            part.set_len(arrived).map_err(ScanError::Copy)?;
            let mut reader = Arriving::new(&part, arrived, bucket.open(object, arrived, runtime));
            reader.rewind().map_err(ScanError::Copy)?;
            let end = reader.download.end();
            let read = checker.check_content(file, &mut reader, None)?;
            if let Some(error) = reader.failure {
                return Err(ScanError::Copy(error));
            }
            let content = match &read.outcome {
                Ok(content) => content,
                Err(error) => return ended_early(&end, error),
            };
            if is_entry(&file.entry, content) {
                self.finish(&part, &file.entry).map_err(ScanError::Copy)?;
                return read.accept();
            }
            if arrived == 0 {
                // The object itself is not what the manifest says.
                self.discard(&file.entry);
                return read.accept();
            }
            // What lay here was of another file: all of it is fetched anew.
            arrived = 0;
        }
    }

    fn fetch_plain(
        &self,
        checker: &Checker,
        file: &DataFile,
        (bucket, object): (&ArchiveFolder, &Object),
        runtime: &Handle,
    ) -> Result<ReadResult, ScanError> {
        let part = self.begin(&file.entry).map_err(ScanError::Copy)?;
        let mut out = BufWriter::with_capacity(256 * 1024, &part);
        let (format, view) = (checker.rules.format, checker.rules.view);
        let mut write = |line: &str| -> io::Result<()> {
            let Some(record) = read_record(line, format, view) else {
                return Err(io::Error::other("a line that is sound has no values"));
            };
            serde_json::to_writer(&mut out, &plain_json(&record))?;
            out.write_all(b"\n")
        };
        let download = bucket.open(object, 0, runtime);
        let end = download.end();
        let read = checker.check_content(file, download, Some(&mut write))?;
        if let Err(error) = &read.outcome {
            return ended_early(&end, error);
        }
        out.flush().map_err(ScanError::Copy)?;
        drop(out);
        if read
            .outcome
            .as_ref()
            .is_ok_and(|content| is_entry(&file.entry, content))
        {
            self.finish(&part, &file.entry).map_err(ScanError::Copy)?;
        } else {
            self.discard(&file.entry);
        }
        read.accept()
    }

    /// Begins an entry's file anew.
    pub(super) fn begin(&self, entry: &FileEntry) -> io::Result<File> {
        let part = open_part(&self.parts, &part_name(entry))?;
        part.set_len(0)?;
        Ok(part)
    }

    /// Gives a file its final name, once it is on the disk.
    pub(super) fn finish(&self, part: &File, entry: &FileEntry) -> io::Result<()> {
        part.sync_all()?;
        let name = part_name(entry);
        rustix::fs::renameat(&self.parts, name, &self.data, self.name(entry))?;
        Ok(())
    }

    pub(super) fn discard(&self, entry: &FileEntry) {
        // What cannot be taken away is written over by the next fetch.
        let _ = rustix::fs::unlinkat(&self.parts, part_name(entry), AtFlags::empty());
    }

    /// Whether a file lies beside the manifests.
    pub(super) fn has_small(&self, name: &str) -> bool {
        rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Writes a file beside the manifests; one of the same content may lie there.
    pub(super) fn write_small(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if let Some(mut there) = open_file(&self.folder, name, OFlags::empty())? {
            let mut found = Vec::new();
            there.read_to_end(&mut found)?;
            return if found == bytes {
                Ok(())
            } else {
                Err(io::Error::new(
                    ErrorKind::AlreadyExists,
                    format!(
                        "{}: another file lies there",
                        self.folder_path.join(name).display()
                    ),
                ))
            };
        }
        let mut part = open_part(&self.parts, name)?;
        part.set_len(0)?;
        part.write_all(bytes)?;
        part.sync_all()?;
        rustix::fs::renameat(&self.parts, name, &self.folder, name)?;
        Ok(())
    }

    /// Brings the names onto the disk, and takes the folder of what was on its way away.
    pub(super) fn end(&self) -> io::Result<()> {
        rustix::fs::fsync(&self.data)?;
        rustix::fs::fsync(&self.folder)?;
        match rustix::fs::unlinkat(&self.root, &self.parts_name, AtFlags::REMOVEDIR) {
            // Parts of files that were not what they should be.
            Ok(()) | Err(rustix::io::Errno::NOTEMPTY) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether what was read is the file that the manifest names.
pub(super) fn is_entry(entry: &FileEntry, content: &FileContent) -> bool {
    if entry.md5.is_empty() {
        return content.faults.is_empty() && content.lines == entry.item_count;
    }
    is_same_md5(&entry.md5, &content.md5)
}

/// What lies here of a file, then what follows of it, which is kept.
struct Arriving<'p> {
    part: &'p File,
    /// How much of the part is still to be read.
    left: u64,
    download: super::bucket::Download,
    failure: Option<io::Error>,
}

impl<'p> Arriving<'p> {
    const fn new(part: &'p File, arrived: u64, download: super::bucket::Download) -> Self {
        Self {
            part,
            left: arrived,
            download,
            failure: None,
        }
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.part.seek(SeekFrom::Start(0)).map(drop)
    }
}

impl Read for Arriving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left > 0 {
            let most = into
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let count = self.part.read(into.get_mut(..most).unwrap_or_default())?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.left -= u64::try_from(count).unwrap_or(0);
            return Ok(count);
        }
        let count = self.download.read(into)?;
        let arrived = into.get(..count).unwrap_or_default();
        self.part.write_all(arrived).map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            kind
        })?;
        Ok(count)
    }
}

pub(super) fn file_name(entry: &FileEntry) -> String {
    match data_place(&entry.key) {
        Some(DataPlace::Own(name) | DataPlace::Shared(name)) => name,
        None => String::new(),
    }
}

fn part_name(entry: &FileEntry) -> String {
    format!("{}.part", file_name(entry))
}

/// The directory in full, made for its owner alone where there is none.
fn prepare(named: &Path) -> io::Result<PathBuf> {
    match fs::metadata(named) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(named)?;
        }
        Err(error) => return Err(error),
    }
    named.canonicalize()
}

/// Why a directory is not one for copies of other people's data.
fn check(path: &Path) -> Result<(), String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_dir() {
        return Err("it is no directory".to_owned());
    }
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        return Err(format!(
            "it belongs to another user, of id {}, and this program runs as {own}",
            found.uid()
        ));
    }
    if found.mode() & 0o007 != 0 {
        return Err(format!(
            "everybody may look into it: `chmod o-rwx {}` forbids it",
            path.display()
        ));
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Makes a folder for its owner alone where there is none, and opens it.
fn make(within: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    match rustix::fs::mkdirat(within, name, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(within, name, flags, Mode::empty())?)
}

fn open_part(within: &OwnedFd, name: &str) -> io::Result<File> {
    let opened = open_file(within, name, OFlags::CREATE)?;
    opened.ok_or_else(|| ErrorKind::NotFound.into())
}

/// Opens a regular file to be read, and to be written where it may be made.
fn open_file(within: &OwnedFd, name: &str, more: OFlags) -> io::Result<Option<File>> {
    let access = if more.contains(OFlags::CREATE) {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    let flags = access | more | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match rustix::fs::openat(within, name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(opened) => File::from(opened),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !opened.metadata()?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file",
        ));
    }
    Ok(Some(opened))
}
