//! Keys that stand twice in an export, found in bounded memory.
//!
//! As long as all keys fit into memory they are compared themselves. Beyond that only their keyed hashes
//! are kept, 128 bits of each, sorted in runs of a file on the disk and merged in the end; 10^12 keys have
//! two of one hash with a probability of 10^-15. The hash's key is made anew each time and never written,
//! so that the file tells nothing of the table's keys. Its name is taken away as soon as it is open:
//! it is gone with the process, however that ends.

use std::collections::BinaryHeap;
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use uuid::Uuid;

use crate::archive::audit::{Duplicate, Duplicates};
use crate::archive::data_file::KeySink;

/// Duplicates that are kept.
const KEPT: usize = 1000;
/// How many keys a worker gathers before it hands them over.
const BATCH: usize = 4096;
/// What an entry takes in the file.
const ENTRY_BYTES: usize = 24;
/// What a name of the file begins with.
const NAME: &str = "tableferry-keys-";

/// How much is kept in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    /// Keys, in a run and in memory.
    pub(super) keys: usize,
    /// Bytes of keys that are compared themselves.
    pub(super) bytes: usize,
}

impl Default for Capacity {
    /// About 30 MB together, whatever the size of the export.
    fn default() -> Self {
        Self {
            keys: 512 * 1024,
            bytes: 12 * 1024 * 1024,
        }
    }
}

/// A key with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: [u64; 2],
    file: u32,
    line: u32,
}

/// All keys of an export.
#[derive(Debug)]
pub(super) struct KeyIndex {
    hasher: SipHasher13,
    directory: PathBuf,
    capacity: Capacity,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: Vec<Entry>,
    /// The keys themselves, with where each of them ends; `None` once they did not fit.
    keys: Option<(Vec<u8>, Vec<usize>)>,
    disk: Option<Disk>,
}

/// Sorted runs in a file without a name.
#[derive(Debug)]
struct Disk {
    file: File,
    /// How many entries each run has.
    runs: Vec<u64>,
}

impl KeyIndex {
    /// An index that puts what does not fit into memory into a directory.
    pub(super) fn new(directory: PathBuf, capacity: Capacity) -> Self {
        let (one, other) = Uuid::new_v4().as_u64_pair();
        let (third, _) = Uuid::new_v4().as_u64_pair();
        Self {
            // A UUID's own bits are known, and those of another cover them.
            hasher: SipHasher13::new_with_keys(one ^ third, other ^ third.rotate_left(32)),
            directory,
            capacity,
            kept: Mutex::new(Kept {
                keys: Some(<(Vec<u8>, Vec<usize>)>::default()),
                ..Kept::default()
            }),
        }
    }

    /// What takes the keys of one file.
    pub(super) fn writer(&self, file: u32) -> KeyWriter<'_> {
        KeyWriter {
            index: self,
            file,
            entries: Vec::with_capacity(BATCH),
            keys: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn take(&self, writer: &mut KeyWriter<'_>) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.append(&mut writer.entries);
        if let Some((keys, ends)) = &mut kept.keys {
            let before = keys.len();
            keys.append(&mut writer.keys);
            ends.extend(writer.ends.iter().map(|end| before + end));
            if keys.len() > self.capacity.bytes {
                kept.keys = None;
            }
        }
        writer.keys.clear();
        writer.ends.clear();
        if kept.entries.len() >= self.capacity.keys {
            kept.keys = None;
            kept.spill(&self.directory)?;
        }
        Ok(())
    }

    /// The keys that stand twice, once every writer has ended.
    pub(super) fn duplicates(&self) -> io::Result<Duplicates> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Found::default();
        if kept.disk.is_none() {
            kept.compare(&mut found);
        } else {
            kept.spill(&self.directory)?;
            kept.entries = Vec::new();
            if let Some(disk) = &kept.disk {
                disk.merge(|entry| found.next(entry))?;
            }
        }
        Ok(found.duplicates)
    }
}

/// Takes the keys of one file.
#[derive(Debug)]
pub(super) struct KeyWriter<'i> {
    index: &'i KeyIndex,
    file: u32,
    entries: Vec<Entry>,
    keys: Vec<u8>,
    ends: Vec<usize>,
}

impl KeyWriter<'_> {
    /// Hands over what is left.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.index.take(&mut self)
    }
}

impl KeySink for KeyWriter<'_> {
    fn put(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
        let mut hasher = self.index.hasher;
        hasher.write(key);
        let hash = hasher.finish128();
        self.entries.push(Entry {
            hash: [hash.h1, hash.h2],
            file: self.file,
            line: u32::try_from(line).unwrap_or(u32::MAX),
        });
        self.keys.extend_from_slice(key);
        self.ends.push(self.keys.len());
        if self.entries.len() < BATCH {
            return Ok(());
        }
        let index = self.index;
        index.take(self)
    }
}

impl Kept {
    /// Writes the entries as a sorted run.
    fn spill(&mut self, directory: &Path) -> io::Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let disk = match &mut self.disk {
            Some(disk) => disk,
            none => none.insert(Disk {
                file: nameless(directory)?,
                runs: Vec::new(),
            }),
        };
        self.entries.sort_unstable();
        let mut bytes = Vec::with_capacity(64 * 1024);
        for entries in self.entries.chunks(64 * 1024 / ENTRY_BYTES) {
            bytes.clear();
            for entry in entries {
                bytes.extend_from_slice(&entry.hash[0].to_le_bytes());
                bytes.extend_from_slice(&entry.hash[1].to_le_bytes());
                bytes.extend_from_slice(&entry.file.to_le_bytes());
                bytes.extend_from_slice(&entry.line.to_le_bytes());
            }
            disk.file.write_all(&bytes)?;
        }
        disk.runs.push(self.entries.len() as u64);
        self.entries.clear();
        Ok(())
    }

    /// Compares what is all in memory: the keys themselves, where they are there.
    fn compare(&mut self, found: &mut Found) {
        let Some((keys, ends)) = &self.keys else {
            self.entries.sort_unstable();
            for entry in &self.entries {
                found.next(*entry);
            }
            return;
        };
        let key = |index: usize| {
            let from = index.checked_sub(1).and_then(|before| ends.get(before));
            keys.get(from.copied().unwrap_or(0)..*ends.get(index)?)
        };
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_unstable_by_key(|index| self.entries.get(*index));
        let mut before: Option<usize> = None;
        for index in order {
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            let is_same = before.is_some_and(|before| key(before) == key(index));
            found.compared(*entry, is_same);
            before = Some(index);
        }
    }
}

/// What was found so far, in the order of the hashes.
#[derive(Default)]
struct Found {
    /// The first of the entries with the last hash.
    first: Option<Entry>,
    duplicates: Duplicates,
}

impl Found {
    fn next(&mut self, entry: Entry) {
        let is_same = self.first.is_some_and(|first| first.hash == entry.hash);
        self.compared(entry, is_same);
    }

    fn compared(&mut self, entry: Entry, is_same: bool) {
        let Some(first) = self.first.filter(|_| is_same) else {
            self.first = Some(entry);
            return;
        };
        if self.duplicates.found.len() < KEPT {
            self.duplicates.found.push(Duplicate {
                first: (first.file, first.line),
                again: (entry.file, entry.line),
            });
        } else {
            self.duplicates.more += 1;
        }
    }
}

impl Disk {
    /// Hands out all entries in their order.
    fn merge(&self, mut next: impl FnMut(Entry)) -> io::Result<()> {
        const MEMORY: usize = 8 * 1024 * 1024;
        let entries = MEMORY / ENTRY_BYTES / self.runs.len().max(1);
        let buffer = entries.clamp(64, 8192) * ENTRY_BYTES;
        let mut runs = Vec::with_capacity(self.runs.len());
        let mut heap = BinaryHeap::with_capacity(self.runs.len());
        let mut from = 0;
        for (index, count) in self.runs.iter().enumerate() {
            let bytes = count * ENTRY_BYTES as u64;
            let mut run = Run {
                at: from,
                end: from + bytes,
                buffer: vec![0; buffer],
                unread: 0..0,
            };
            from += bytes;
            if let Some(entry) = run.next(&self.file)? {
                heap.push(std::cmp::Reverse((entry, index)));
            }
            runs.push(run);
        }
        while let Some(std::cmp::Reverse((entry, index))) = heap.pop() {
            next(entry);
            if let Some(run) = runs.get_mut(index)
                && let Some(entry) = run.next(&self.file)?
            {
                heap.push(std::cmp::Reverse((entry, index)));
            }
        }
        Ok(())
    }
}

/// A run that is read from its begin to its end.
struct Run {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    unread: std::ops::Range<usize>,
}

impl Run {
    fn next(&mut self, file: &File) -> io::Result<Option<Entry>> {
        if self.unread.is_empty() {
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            if left == 0 {
                return Ok(None);
            }
            let count = left.min(self.buffer.len());
            let part = self.buffer.get_mut(..count).unwrap_or_default();
            file.read_exact_at(part, self.at)?;
            self.at += count as u64;
            self.unread = 0..count;
        }
        let bytes = self.buffer.get(self.unread.clone()).unwrap_or_default();
        self.unread.start += ENTRY_BYTES;
        Ok(entry(bytes))
    }
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let (high, rest) = bytes.split_first_chunk::<8>()?;
    let (low, rest) = rest.split_first_chunk::<8>()?;
    let (file, rest) = rest.split_first_chunk::<4>()?;
    let line = rest.first_chunk::<4>()?;
    Some(Entry {
        hash: [u64::from_le_bytes(*high), u64::from_le_bytes(*low)],
        file: u32::from_le_bytes(*file),
        line: u32::from_le_bytes(*line),
    })
}

/// A file of this user alone that no name leads to any more.
fn nameless(directory: &Path) -> io::Result<File> {
    sweep(directory);
    let path = directory.join(format!("{NAME}{}", Uuid::new_v4()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| {
            let told = format!("{}: {error}", path.display());
            io::Error::new(error.kind(), told)
        })?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Takes away the names that were left by processes which ended between the two steps of
/// [`nameless`]; the files are empty, and anyone who has one open keeps it.
fn sweep(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let is_ours = entry.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(NAME)
                .is_some_and(|rest| Uuid::parse_str(rest).is_ok())
        });
        if is_ours
            && let Err(error) = std::fs::remove_file(entry.path())
            && error.kind() != ErrorKind::NotFound
        {
            // Somebody else's, in a directory that is shared.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(directory: &Path, keys: usize, bytes: usize) -> KeyIndex {
        KeyIndex::new(directory.to_owned(), Capacity { keys, bytes })
    }

    /// The duplicates of keys that two writers are given in turn.
    fn found(index: &KeyIndex, keys: impl Iterator<Item = u64>) -> Duplicates {
        let mut writers = [index.writer(0), index.writer(1)];
        for (at, key) in keys.enumerate() {
            let line = (at / 2 + 1) as u64;
            writers[at % 2].put(line, &key.to_be_bytes()).unwrap();
        }
        for writer in writers {
            writer.finish().unwrap();
        }
        index.duplicates().unwrap()
    }

    #[test]
    fn keys_that_stand_twice_are_found_in_memory_and_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        // All keys in memory, their hashes in memory, and their hashes in two or in twenty runs.
        for (keys, bytes) in [(1 << 20, 1 << 24), (1 << 20, 64), (50_000, 0), (5000, 0)] {
            let index = index(directory.path(), keys, bytes);
            let some = (0..100_000_u64).chain([77, 50_000]);
            let mut duplicates = found(&index, some);
            duplicates.found.sort_by_key(|duplicate| duplicate.again);
            let expected = [
                Duplicate {
                    first: (1, 39),
                    again: (0, 50_001),
                },
                Duplicate {
                    first: (0, 25_001),
                    again: (1, 50_001),
                },
            ];
            // Which of the two is the first is a matter of the file's number.
            let places = |duplicate: &Duplicate| {
                let mut places = [duplicate.first, duplicate.again];
                places.sort_unstable();
                places
            };
            let mut found: Vec<_> = duplicates.found.iter().map(places).collect();
            let mut wanted: Vec<_> = expected.iter().map(places).collect();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!((found, duplicates.more), (wanted, 0), "{keys} {bytes}");
        }
    }

    #[test]
    fn duplicates_beyond_those_that_are_kept_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        for (keys, bytes) in [(1 << 20, 1 << 24), (1000, 0)] {
            let index = index(directory.path(), keys, bytes);
            let duplicates = found(&index, (0..3000).map(|key| key % 3));
            assert_eq!((duplicates.found.len(), duplicates.more), (KEPT, 1997));
        }
    }

    #[test]
    fn the_file_has_no_name_and_what_a_crash_left_is_taken_away() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join(format!("{NAME}{}", Uuid::new_v4()));
        let foreign = directory.path().join(format!("{NAME}mine"));
        std::fs::write(&left, "").unwrap();
        std::fs::write(&foreign, "").unwrap();
        let index = index(directory.path(), 100, 0);
        let mut writer = index.writer(0);
        for key in 0..10_000_u64 {
            writer.put(key, &key.to_be_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let names: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(names, [foreign]);
        assert_eq!(index.duplicates().unwrap(), Duplicates::default());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_told_with_its_name() {
        let index = index(Path::new("/nonexistent"), 10, 0);
        let mut writer = index.writer(0);
        for key in 0..10_u64 {
            writer.put(key, &key.to_be_bytes()).unwrap();
        }
        let error = writer.finish().unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/"), "{error}");
    }
}
