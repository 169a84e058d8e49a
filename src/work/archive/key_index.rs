//! Keys that stand twice in an export, found in bounded memory.
//!
//! As long as all keys fit into memory they are compared themselves. Beyond that only their keyed hashes
//! are kept, 128 bits of each, sorted in runs of a file on the disk and merged in the end; 10^12 keys have
//! two of one hash with a probability of 10^-15. The hash's key is never written, so that the file tells
//! nothing of the table's keys. A file that no later process goes on with has no name: it is gone with the
//! process, however that ends.

mod runs;
#[cfg(test)]
mod tests;

use std::hash::Hasher as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use uuid::Uuid;

pub(super) use self::runs::Runs;

use self::runs::{ENTRY_BYTES, nameless};
use crate::archive::audit::{DuplicateKey, Duplicates};

/// Duplicates that are kept.
const KEPT: usize = 1000;
/// How many keys a worker gathers before it hands them over.
const BATCH: usize = 4096;

/// How much is kept in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemoryBudget {
    /// Keys, in a run and in memory.
    pub(super) keys: usize,
    /// Bytes of keys that are compared themselves.
    pub(super) bytes: usize,
}

impl Default for MemoryBudget {
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
struct KeyEntry {
    hash: [u64; 2],
    reading: u32,
    line: u32,
}

/// Where sorted runs go.
#[derive(Debug)]
pub(super) enum RunStore {
    /// A file of this directory, without a name, that is made once it is needed.
    Nameless(PathBuf),
    /// A file that outlives the process, with the runs that it has.
    Kept(Runs),
}

/// All keys of an export.
#[derive(Debug)]
pub(super) struct KeyIndex {
    hasher: SipHasher13,
    capacity: MemoryBudget,
    kept: Mutex<KeptKeys>,
}

#[derive(Debug)]
struct KeptKeys {
    /// The file of each reading that was begun, and whether it came to its end.
    readings: Vec<FileReading>,
    entries: Vec<KeyEntry>,
    /// How many of the entries stand in a run already.
    written: usize,
    /// The keys themselves, with where each of them ends; `None` once they did not fit.
    keys: Option<(Vec<u8>, Vec<usize>)>,
    directory: PathBuf,
    disk: Option<Runs>,
}

/// One reading of a file. What was read of it without coming to its end counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileReading {
    /// The file, by its place in the manifest's list.
    pub(super) file: u32,
    /// Whether it came to its end.
    pub(super) is_whole: bool,
}

/// What stands on the disk at a time, from which a later process goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct WrittenIndex {
    /// How many entries each run has.
    pub(super) counts: Vec<u64>,
    /// The readings, by their numbers.
    pub(super) readings: Vec<FileReading>,
}

impl KeyIndex {
    /// An index whose hashes have this key.
    pub(super) fn new(
        key: HashKey,
        store: RunStore,
        capacity: MemoryBudget,
        readings: Vec<FileReading>,
    ) -> Self {
        let (directory, disk) = match store {
            RunStore::Nameless(directory) => (directory, None),
            RunStore::Kept(runs) => (PathBuf::new(), Some(runs)),
        };
        // What an earlier process read is there as hashes alone.
        let are_all_here = readings.is_empty();
        Self {
            hasher: SipHasher13::new_with_keys(key.0, key.1),
            capacity,
            kept: Mutex::new(KeptKeys {
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
        kept.readings.push(FileReading {
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

    fn lock(&self) -> MutexGuard<'_, KeptKeys> {
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
    pub(super) fn persist(&self) -> io::Result<WrittenIndex> {
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
        Ok(WrittenIndex {
            counts,
            readings: kept.readings.clone(),
        })
    }

    /// The keys that stand twice, once every writer has ended.
    pub(super) fn duplicates(&self) -> io::Result<Duplicates> {
        let mut kept = self.lock();
        let mut found = FoundDuplicates::new(&kept.readings);
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
    entries: Vec<KeyEntry>,
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
        self.entries.push(KeyEntry {
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

impl KeptKeys {
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
    fn compare(&mut self, found: &mut FoundDuplicates) {
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
struct FoundDuplicates {
    readings: Vec<FileReading>,
    /// The first of the entries with the last hash.
    first: Option<KeyEntry>,
    duplicates: Duplicates,
}

impl FoundDuplicates {
    fn new(readings: &[FileReading]) -> Self {
        Self {
            readings: readings.to_vec(),
            first: None,
            duplicates: Duplicates::default(),
        }
    }

    fn reading(&self, entry: KeyEntry) -> Option<&FileReading> {
        self.readings.get(usize::try_from(entry.reading).ok()?)
    }

    fn counts(&self, entry: KeyEntry) -> bool {
        self.reading(entry).is_some_and(|reading| reading.is_whole)
    }

    fn next(&mut self, entry: KeyEntry) {
        if self.counts(entry) {
            let is_same = self.first.is_some_and(|first| first.hash == entry.hash);
            self.compared(entry, is_same);
        }
    }

    fn compared(&mut self, entry: KeyEntry, is_same: bool) {
        let Some(first) = self.first.filter(|_| is_same) else {
            self.first = Some(entry);
            return;
        };
        if self.duplicates.found.len() < KEPT {
            let place = |entry: KeyEntry| {
                let file = self.reading(entry).map_or(u32::MAX, |reading| reading.file);
                (file, entry.line)
            };
            // Readings are numbered as they happen to begin; people are told places in order.
            let (one, other) = (place(first), place(entry));
            self.duplicates.found.push(DuplicateKey {
                first: one.min(other),
                again: one.max(other),
            });
        } else {
            self.duplicates.more += 1;
        }
    }
}
