//! Keys that stand twice in an export, found in bounded memory.
//!
//! As long as all keys fit into memory they are compared themselves. Beyond that only their keyed hashes
//! are kept, 128 bits of each, sorted in runs of a file on the disk and merged in the end; 10^12 keys have
//! two of one hash with a probability of 10^-15. The hash's key is never written, so that the file tells
//! nothing of the table's keys. A file that no later process goes on with has no name: it is gone with the
//! process, however that ends.

use std::collections::BinaryHeap;
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use uuid::Uuid;

use crate::archive::audit::{Duplicate, Duplicates};

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

/// A key with its place. A file that is read anew has another number of its reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: [u64; 2],
    reading: u32,
    line: u32,
}

/// Where sorted runs go.
#[derive(Debug)]
pub(super) enum Store {
    /// A file of this directory, without a name, that is made once it is needed.
    Nameless(PathBuf),
    /// A file that outlives the process, with the runs that it has.
    Kept(Runs),
}

/// Sorted runs in a file.
#[derive(Debug)]
pub(super) struct Runs {
    pub(super) file: File,
    /// How many entries each run has.
    pub(super) counts: Vec<u64>,
}

/// All keys of an export.
#[derive(Debug)]
pub(super) struct KeyIndex {
    hasher: SipHasher13,
    capacity: Capacity,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// The file of each reading that was begun, and whether it came to its end.
    readings: Vec<Reading>,
    entries: Vec<Entry>,
    /// How many of the entries stand in a run already.
    written: usize,
    /// The keys themselves, with where each of them ends; `None` once they did not fit.
    keys: Option<(Vec<u8>, Vec<usize>)>,
    directory: PathBuf,
    disk: Option<Runs>,
}

/// One reading of a file. What was read of it without coming to its end counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    /// The file, by its place in the manifest's list.
    pub(super) file: u32,
    /// Whether it came to its end.
    pub(super) is_whole: bool,
}

/// What stands on the disk at a time, from which a later process goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Written {
    /// How many entries each run has.
    pub(super) counts: Vec<u64>,
    /// The readings, by their numbers.
    pub(super) readings: Vec<Reading>,
}

impl KeyIndex {
    /// An index whose hashes have this key.
    pub(super) fn new(
        key: HashKey,
        store: Store,
        capacity: Capacity,
        readings: Vec<Reading>,
    ) -> Self {
        let (directory, disk) = match store {
            Store::Nameless(directory) => (directory, None),
            Store::Kept(runs) => (PathBuf::new(), Some(runs)),
        };
        // What an earlier process read is there as hashes alone.
        let are_all_here = readings.is_empty();
        Self {
            hasher: SipHasher13::new_with_keys(key.0, key.1),
            capacity,
            kept: Mutex::new(Kept {
                readings,
                entries: Vec::new(),
                written: 0,
                keys: are_all_here.then(Default::default),
                directory,
                disk,
            }),
        }
    }

    /// What takes the keys of one reading of a file.
    pub(super) fn writer(&self, file: u32) -> KeyWriter<'_> {
        let mut kept = self.lock();
        let reading = u32::try_from(kept.readings.len()).unwrap_or(u32::MAX);
        kept.readings.push(Reading {
            file,
            is_whole: false,
        });
        drop(kept);
        KeyWriter {
            index: self,
            reading,
            entries: Vec::with_capacity(BATCH),
            keys: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, writer: &mut KeyWriter<'_>) -> io::Result<()> {
        let mut kept = self.lock();
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
            kept.spill()?;
        }
        Ok(())
    }

    /// Brings all that was handed over onto the disk, and tells what stands there. Keys that are in memory
    /// stay there.
    pub(super) fn persist(&self) -> io::Result<Written> {
        let mut kept = self.lock();
        kept.write_run()?;
        if kept.keys.is_none() {
            kept.forget_written();
        }
        let counts = match &kept.disk {
            Some(disk) => {
                disk.file.sync_data()?;
                disk.counts.clone()
            }
            None => Vec::new(),
        };
        Ok(Written {
            counts,
            readings: kept.readings.clone(),
        })
    }

    /// The keys that stand twice, once every writer has ended.
    pub(super) fn duplicates(&self) -> io::Result<Duplicates> {
        let mut kept = self.lock();
        let mut found = Found::new(&kept.readings);
        if kept.keys.is_some() || kept.disk.is_none() {
            kept.compare(&mut found);
        } else {
            kept.spill()?;
            kept.entries = Vec::new();
            if let Some(disk) = &kept.disk {
                disk.merge(|entry| found.next(entry))?;
            }
        }
        Ok(found.duplicates)
    }
}

/// The key of the hashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct HashKey(u64, u64);

impl HashKey {
    /// One that is made anew and never written.
    pub(super) fn random() -> Self {
        let (one, other) = Uuid::new_v4().as_u64_pair();
        let (third, _) = Uuid::new_v4().as_u64_pair();
        // A UUID's own bits are known, and those of another cover them.
        Self(one ^ third, other ^ third.rotate_left(32))
    }

    /// One that follows from a digest.
    pub(super) fn of_digest(digest: &[u8; 32]) -> Self {
        let part = |from: usize| {
            let bytes = digest.get(from..).and_then(|rest| rest.first_chunk::<8>());
            bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        Self(part(0), part(8))
    }
}

/// Takes the keys of one reading of a file.
#[derive(Debug)]
pub(super) struct KeyWriter<'i> {
    index: &'i KeyIndex,
    reading: u32,
    entries: Vec<Entry>,
    keys: Vec<u8>,
    ends: Vec<usize>,
}

impl KeyWriter<'_> {
    /// Hands over what is left: the file was read to its end. Dropped without it, a writer leaves nothing
    /// that counts.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.index.take(&mut self)?;
        let number = usize::try_from(self.reading).unwrap_or(usize::MAX);
        if let Some(reading) = self.index.lock().readings.get_mut(number) {
            reading.is_whole = true;
        }
        Ok(())
    }
}

impl KeyWriter<'_> {
    /// Takes the key of a line.
    pub(super) fn put_key(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
        let mut hasher = self.index.hasher;
        hasher.write(key);
        let hash = hasher.finish128();
        self.entries.push(Entry {
            hash: [hash.h1, hash.h2],
            reading: self.reading,
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
    /// Writes the entries as a sorted run, and forgets them.
    fn spill(&mut self) -> io::Result<()> {
        self.write_run()?;
        self.forget_written();
        Ok(())
    }

    fn forget_written(&mut self) {
        self.entries.clear();
        self.written = 0;
    }

    /// Writes those entries as a sorted run that stand in none.
    fn write_run(&mut self) -> io::Result<()> {
        let mut new = self
            .entries
            .get(self.written..)
            .unwrap_or_default()
            .to_vec();
        if new.is_empty() {
            return Ok(());
        }
        let disk = match &mut self.disk {
            Some(disk) => disk,
            none => none.insert(Runs {
                file: nameless(&self.directory)?,
                counts: Vec::new(),
            }),
        };
        new.sort_unstable();
        let mut bytes = Vec::with_capacity(64 * 1024);
        for entries in new.chunks(64 * 1024 / ENTRY_BYTES) {
            bytes.clear();
            for entry in entries {
                bytes.extend_from_slice(&entry.hash[0].to_le_bytes());
                bytes.extend_from_slice(&entry.hash[1].to_le_bytes());
                bytes.extend_from_slice(&entry.reading.to_le_bytes());
                bytes.extend_from_slice(&entry.line.to_le_bytes());
            }
            disk.file.write_all(&bytes)?;
        }
        disk.counts.push(new.len() as u64);
        self.written = self.entries.len();
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
        let counts = |index: &usize| {
            self.entries
                .get(*index)
                .is_some_and(|entry| found.counts(*entry))
        };
        let mut order: Vec<usize> = (0..self.entries.len()).filter(counts).collect();
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
struct Found {
    readings: Vec<Reading>,
    /// The first of the entries with the last hash.
    first: Option<Entry>,
    duplicates: Duplicates,
}

impl Found {
    fn new(readings: &[Reading]) -> Self {
        Self {
            readings: readings.to_vec(),
            first: None,
            duplicates: Duplicates::default(),
        }
    }

    fn reading(&self, entry: Entry) -> Option<&Reading> {
        self.readings.get(usize::try_from(entry.reading).ok()?)
    }

    fn counts(&self, entry: Entry) -> bool {
        self.reading(entry).is_some_and(|reading| reading.is_whole)
    }

    fn next(&mut self, entry: Entry) {
        if self.counts(entry) {
            let is_same = self.first.is_some_and(|first| first.hash == entry.hash);
            self.compared(entry, is_same);
        }
    }

    fn compared(&mut self, entry: Entry, is_same: bool) {
        let Some(first) = self.first.filter(|_| is_same) else {
            self.first = Some(entry);
            return;
        };
        if self.duplicates.found.len() < KEPT {
            let place = |entry: Entry| {
                let file = self.reading(entry).map_or(u32::MAX, |reading| reading.file);
                (file, entry.line)
            };
            // Readings are numbered as they happen to begin; people are told places in order.
            let (one, other) = (place(first), place(entry));
            self.duplicates.found.push(Duplicate {
                first: one.min(other),
                again: one.max(other),
            });
        } else {
            self.duplicates.more += 1;
        }
    }
}

impl Runs {
    /// Hands out all entries in their order.
    fn merge(&self, mut next: impl FnMut(Entry)) -> io::Result<()> {
        const MEMORY: usize = 8 * 1024 * 1024;
        let entries = MEMORY / ENTRY_BYTES / self.counts.len().max(1);
        let buffer = entries.clamp(64, 8192) * ENTRY_BYTES;
        let mut runs = Vec::with_capacity(self.counts.len());
        let mut heap = BinaryHeap::with_capacity(self.counts.len());
        let mut from = 0;
        for (index, count) in self.counts.iter().enumerate() {
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
    let (reading, rest) = rest.split_first_chunk::<4>()?;
    let line = rest.first_chunk::<4>()?;
    Some(Entry {
        hash: [u64::from_le_bytes(*high), u64::from_le_bytes(*low)],
        reading: u32::from_le_bytes(*reading),
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
        let store = Store::Nameless(directory.to_owned());
        KeyIndex::new(
            HashKey::random(),
            store,
            Capacity { keys, bytes },
            Vec::new(),
        )
    }

    /// The duplicates of keys that two writers are given in turn.
    fn found(index: &KeyIndex, keys: impl Iterator<Item = u64>) -> Duplicates {
        let mut writers = [index.writer(0), index.writer(1)];
        for (at, key) in keys.enumerate() {
            let line = (at / 2 + 1) as u64;
            writers[at % 2].put_key(line, &key.to_be_bytes()).unwrap();
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
            writer.put_key(key, &key.to_be_bytes()).unwrap();
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
            writer.put_key(key, &key.to_be_bytes()).unwrap();
        }
        let error = writer.finish().unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/"), "{error}");
    }

    #[test]
    fn keys_of_a_reading_that_did_not_end_count_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        for (keys, bytes) in [(1 << 20, 1 << 24), (1 << 20, 64), (5000, 0)] {
            let index = index(directory.path(), keys, bytes);
            let mut broken_off = index.writer(0);
            for key in 0..9000_u64 {
                broken_off.put_key(key, &key.to_be_bytes()).unwrap();
            }
            drop(broken_off);
            let duplicates = found(&index, 0..10_000);
            assert_eq!(duplicates, Duplicates::default(), "{keys} {bytes}");
        }
    }

    #[test]
    fn a_later_process_goes_on_with_what_stands_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let open = || {
            let mut options = File::options();
            options
                .read(true)
                .append(true)
                .create(true)
                .open(&path)
                .unwrap()
        };
        let store = |counts| {
            Store::Kept(Runs {
                file: open(),
                counts,
            })
        };
        let digest = HashKey::of_digest(&[7; 32]);
        let capacity = Capacity::default();
        let first = KeyIndex::new(digest, store(Vec::new()), capacity, Vec::new());
        let mut writer = first.writer(3);
        for key in 0..10_000_u64 {
            writer.put_key(key + 1, &key.to_be_bytes()).unwrap();
        }
        writer.finish().unwrap();
        // It is written in the end, and its reading never ends.
        let mut broken_off = first.writer(4);
        for key in 20_000..25_000_u64 {
            broken_off.put_key(key, &key.to_be_bytes()).unwrap();
        }
        let written = first.persist().unwrap();
        drop(broken_off);
        let second = KeyIndex::new(digest, store(written.counts), capacity, written.readings);
        let mut writer = second.writer(4);
        for key in [5, 20_000_u64, 20_001] {
            writer.put_key(key, &key.to_be_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let duplicates = second.duplicates().unwrap();
        let expected = Duplicate {
            first: (3, 6),
            again: (4, 5),
        };
        assert_eq!((duplicates.found, duplicates.more), (vec![expected], 0));
    }

    #[test]
    fn a_full_disk_is_told_as_one() {
        // The writer is told that there is no space left.
        let full = File::options()
            .read(true)
            .write(true)
            .open("/dev/full")
            .unwrap();
        let store = Store::Kept(Runs {
            file: full,
            counts: Vec::new(),
        });
        let index = KeyIndex::new(HashKey::random(), store, Capacity::default(), Vec::new());
        let mut writer = index.writer(0);
        writer.put_key(1, b"key").unwrap();
        writer.finish().unwrap();
        let error = index.persist().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        // What is in memory is still compared.
        assert_eq!(index.duplicates().unwrap(), Duplicates::default());
    }
}
