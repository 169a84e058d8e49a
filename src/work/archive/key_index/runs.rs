//! Sorted runs of keyed hashes in a file, and their merging.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use uuid::Uuid;

use super::KeyEntry;

/// What an entry takes in the file.
pub(super) const ENTRY_BYTES: usize = 24;
/// What a name of the file begins with.
pub(super) const NAME: &str = "tableferry-keys-";

/// Sorted runs in a file.
#[derive(Debug)]
pub(in crate::work::archive) struct Runs {
    pub(in crate::work::archive) file: File,
    /// How many entries each run has.
    pub(in crate::work::archive) counts: Vec<u64>,
}

impl Runs {
    /// Hands out all entries in their order.
    pub(super) fn merge(&self, mut next: impl FnMut(KeyEntry)) -> io::Result<()> {
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
    fn next(&mut self, file: &File) -> io::Result<Option<KeyEntry>> {
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

fn entry(bytes: &[u8]) -> Option<KeyEntry> {
    let (high, rest) = bytes.split_first_chunk::<8>()?;
    let (low, rest) = rest.split_first_chunk::<8>()?;
    let (reading, rest) = rest.split_first_chunk::<4>()?;
    let line = rest.first_chunk::<4>()?;
    Some(KeyEntry {
        hash: [u64::from_le_bytes(*high), u64::from_le_bytes(*low)],
        reading: u32::from_le_bytes(*reading),
        line: u32::from_le_bytes(*line),
    })
}

/// A file of this user alone that no name leads to any more.
pub(super) fn nameless(directory: &Path) -> io::Result<File> {
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
