//! What was read of an archive, kept so that it need not be read again after a crash.
//!
//! Beside the journal stand two files for each archive that is being read: what each data file came to, one
//! line each time, and the keyed hashes of the table's keys. A data file counts as read once both are on the
//! disk, and only as long as it is the same file. Files with faults are read again, and so is everything
//! where the manifests are others. The files are the owner's alone, and are removed at the end; what a crash
//! left and nobody took up is removed after a week.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::key_index::{FileReading, Runs, WrittenIndex};
use crate::archive::data_file::FileContent;
use crate::archive::line::KeySchema;
use crate::archive::line::mask::RuleCounts;
use crate::private_file;

/// How long is read before it is written down what was read.
const PERIOD: Duration = Duration::from_secs(1);
/// How long what a crash left is kept.
const KEPT: Duration = Duration::from_hours(7 * 24);
/// The version of the lines.
const SCHEMA: u32 = 1;
const FOLDER: &str = "reading";
/// What an entry of the index takes.
const ENTRY_BYTES: u64 = 24;

/// Which file it was: another one, or the same after a change, has another.
pub(super) type Stamp = String;

/// What was read so far of one archive.
#[derive(Debug)]
pub(super) struct Progress {
    log: PathBuf,
    keys: PathBuf,
    state: Mutex<ProgressState>,
}

#[derive(Debug)]
struct ProgressState {
    file: File,
    known: BTreeMap<usize, StoredFile>,
    new: Vec<StoredFile>,
    runs: usize,
    whole: BTreeSet<usize>,
    written_at: Instant,
}

/// One line: what was read since the line before.
#[derive(Debug, Serialize, Deserialize)]
struct ProgressLine {
    schema: u32,
    /// How many entries each further run of the index has.
    counts: Vec<u64>,
    /// How many readings were begun.
    begun: usize,
    /// The readings that came to their end, each with its file.
    whole: Vec<(usize, u32)>,
    files: Vec<StoredFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredFile {
    index: usize,
    stamp: Stamp,
    content: StoredContent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    masked: Option<MaskedFile>,
}

/// A masked data file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MaskedFile {
    /// Its lines.
    pub(super) items: u64,
    /// Its MD5 in base64.
    pub(super) md5: String,
    /// Its `ETag`.
    pub(super) etag: String,
    /// What each rule came to, in their order.
    pub(super) counts: Vec<RuleCounts>,
}

/// What a sound file holds; see [`FileContent`].
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredContent {
    md5: String,
    compressed_bytes: u64,
    bytes: u64,
    members: u64,
    lines: u64,
    is_cut: bool,
    images: u64,
    missing_keys: [u64; 2],
    keys: Option<Vec<String>>,
    without_key: Vec<u64>,
}

/// An archive's progress, opened.
#[derive(Debug)]
pub(super) struct OpenedProgress {
    pub(super) progress: Progress,
    /// The index as it stands on the disk.
    pub(super) runs: Runs,
    /// The readings that it is of.
    pub(super) readings: Vec<FileReading>,
}

impl Progress {
    /// Opens what is known of the archive of this name; `None` where another process reads it.
    pub(super) fn open(state_dir: &Path, name: &str) -> io::Result<Option<OpenedProgress>> {
        let folder = state_dir.join(FOLDER);
        private_file::create_directory(&folder)?;
        private_file::check_directory(&folder)?;
        sweep(&folder);
        let log = folder.join(format!("{name}.progress"));
        let keys = folder.join(format!("{name}.keys"));
        let file = open_locked(&log)?;
        let Some(mut file) = file else {
            return Ok(None);
        };
        let (lines, sound) = read_lines(&file)?;
        let counts: Vec<u64> = lines.iter().flat_map(|line| line.counts.clone()).collect();
        let index = open_file(&keys)?;
        let length = counts.iter().sum::<u64>() * ENTRY_BYTES;
        let lines = if index.metadata()?.len() < length {
            // The index is gone or another: what was read cannot be compared with what will be.
            file.set_len(0)?;
            index.set_len(0)?;
            Vec::new()
        } else {
            // What was written of a line that broke off is not known to be there.
            file.set_len(sound)?;
            index.set_len(length)?;
            lines
        };
        file.seek(SeekFrom::End(0))?;
        let mut index = index;
        index.seek(SeekFrom::End(0))?;
        Ok(Some(Self::restored(log, keys, file, index, lines)))
    }

    fn restored(
        log: PathBuf,
        keys: PathBuf,
        file: File,
        index: File,
        lines: Vec<ProgressLine>,
    ) -> OpenedProgress {
        let mut counts = Vec::new();
        let mut readings = Vec::new();
        let mut known = BTreeMap::new();
        let mut whole = BTreeSet::new();
        for line in lines {
            counts.extend(line.counts);
            let nobody = FileReading {
                file: u32::MAX,
                is_whole: false,
            };
            readings.resize(readings.len().max(line.begun), nobody);
            for (number, file) in line.whole {
                if let Some(reading) = readings.get_mut(number) {
                    *reading = FileReading {
                        file,
                        is_whole: true,
                    };
                    whole.insert(number);
                }
            }
            for file in line.files {
                known.insert(file.index, file);
            }
        }
        OpenedProgress {
            progress: Self {
                log,
                keys,
                state: Mutex::new(ProgressState {
                    file,
                    known,
                    new: Vec::new(),
                    runs: counts.len(),
                    whole,
                    written_at: Instant::now(),
                }),
            },
            runs: Runs {
                file: index,
                counts,
            },
            readings,
        }
    }

    fn lock(&self) -> MutexGuard<'_, ProgressState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a file came to when it was read before, if it is still the same.
    pub(super) fn content(&self, index: usize, stamp: &str) -> Option<FileContent> {
        let state = self.lock();
        let known = state.known.get(&index)?;
        (known.stamp == stamp).then(|| known.content.to_content())?
    }

    /// What was made of a file when it was read before.
    pub(super) fn masked(&self, index: usize) -> Option<MaskedFile> {
        self.lock().known.get(&index)?.masked.clone()
    }

    /// Takes in what a file came to, and what was made of it, once its keys were handed over.
    pub(super) fn add(
        &self,
        index: usize,
        stamp: Stamp,
        content: &FileContent,
        masked: Option<MaskedFile>,
    ) {
        if content.faults.is_empty() && content.more_faults == 0 {
            self.lock().new.push(StoredFile {
                index,
                stamp,
                content: StoredContent::of_sound(content),
                masked,
            });
        }
    }

    /// Whether it is time to write down what was read.
    pub(super) fn is_due(&self) -> bool {
        let state = self.lock();
        !state.new.is_empty() && state.written_at.elapsed() >= PERIOD
    }

    /// Writes down what was read; `persist` brings the keys onto the disk, which must be there before.
    pub(super) fn write(
        &self,
        persist: impl FnOnce() -> io::Result<WrittenIndex>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        // The files whose keys are about to be written, and none that comes later.
        let files = std::mem::take(&mut state.new);
        let written = persist()?;
        let readings = written.readings.iter().enumerate();
        let whole: Vec<(usize, u32)> = readings
            .filter(|(number, reading)| reading.is_whole && !state.whole.contains(number))
            .map(|(number, reading)| (number, reading.file))
            .collect();
        let line = ProgressLine {
            schema: SCHEMA,
            counts: written
                .counts
                .get(state.runs..)
                .unwrap_or_default()
                .to_vec(),
            begun: written.readings.len(),
            whole,
            files,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        state.file.write_all(&text)?;
        state.file.sync_data()?;
        state.runs = written.counts.len();
        state
            .whole
            .extend(line.whole.iter().map(|(number, _)| number));
        state.written_at = Instant::now();
        Ok(())
    }

    /// Removes both files: the archive was read to its end.
    pub(super) fn remove(&self) {
        for path in [&self.keys, &self.log] {
            // What cannot be removed now is removed after a week.
            let _ = fs::remove_file(path);
        }
    }
}

impl StoredContent {
    fn of_sound(content: &FileContent) -> Self {
        Self {
            md5: content.md5.clone(),
            compressed_bytes: content.compressed_bytes,
            bytes: content.bytes,
            members: content.members,
            lines: content.lines,
            is_cut: content.is_cut,
            images: content.images,
            missing_keys: content.missing_keys,
            keys: content.keys.as_ref().map(KeySchema::to_texts),
            without_key: content.without_key.clone(),
        }
    }

    fn to_content(&self) -> Option<FileContent> {
        let keys = match &self.keys {
            Some(texts) => Some(KeySchema::from_texts(texts).ok()?),
            None => None,
        };
        Some(FileContent {
            md5: self.md5.clone(),
            compressed_bytes: self.compressed_bytes,
            bytes: self.bytes,
            members: self.members,
            lines: self.lines,
            is_cut: self.is_cut,
            images: self.images,
            missing_keys: self.missing_keys,
            keys,
            without_key: self.without_key.clone(),
            ..FileContent::default()
        })
    }
}

/// The lines that are whole, and how many bytes they take.
fn read_lines(file: &File) -> io::Result<(Vec<ProgressLine>, u64)> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    let (mut lines, mut sound) = (Vec::new(), 0);
    loop {
        let mut text = Vec::new();
        let length = reader.read_until(b'\n', &mut text)?;
        let line = match text.last() {
            Some(b'\n') => serde_json::from_slice::<ProgressLine>(&text).ok(),
            _ => None,
        };
        match line.filter(|line| line.schema == SCHEMA) {
            Some(line) => {
                sound += u64::try_from(length).unwrap_or(0);
                lines.push(line);
            }
            None => return Ok((lines, sound)),
        }
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    // It is made, and looked at, as every file that is kept.
    drop(private_file::open(path)?);
    File::options().read(true).write(true).open(path)
}

/// Opens a file for this process alone; `None` where another has it.
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    let file = open_file(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes what a crash left and nobody took up for a week.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let is_old = |path: &Path| {
        let changed = fs::symlink_metadata(path).and_then(|found| found.modified());
        let age = changed.map(|changed| {
            SystemTime::now()
                .duration_since(changed)
                .unwrap_or_default()
        });
        age.is_ok_and(|age| age > KEPT)
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_log = path
            .extension()
            .is_some_and(|extension| extension == "progress");
        if is_log && is_old(&path) && matches!(open_locked(&path), Ok(Some(_))) {
            let _ = fs::remove_file(path.with_extension("keys"));
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::line::KeyAttribute;

    fn content(lines: u64) -> FileContent {
        let key: KeyAttribute = "a:b:S".parse().unwrap();
        FileContent {
            md5: "kAFQmDzST7DWlj99KOF/cg==".to_owned(),
            lines,
            missing_keys: [1, 0],
            keys: Some(KeySchema::new(vec![key]).unwrap()),
            without_key: vec![7],
            ..FileContent::default()
        }
    }

    fn open(directory: &Path) -> OpenedProgress {
        Progress::open(directory, "x").unwrap().unwrap()
    }

    const NOTHING: fn() -> io::Result<WrittenIndex> = || Ok(WrittenIndex::default());

    #[test]
    fn what_was_written_down_is_known_to_a_later_process_of_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let opened = open(directory.path());
        opened.progress.add(4, "one".to_owned(), &content(9), None);
        let written = WrittenIndex {
            counts: Vec::new(),
            readings: vec![
                FileReading {
                    file: 1,
                    is_whole: false,
                },
                FileReading {
                    file: 4,
                    is_whole: true,
                },
            ],
        };
        opened.progress.write(|| Ok(written)).unwrap();
        opened.progress.add(5, "one".to_owned(), &content(3), None);
        drop(opened);
        let again = open(directory.path());
        assert_eq!(again.progress.content(4, "one"), Some(content(9)));
        assert_eq!(again.progress.content(4, "other"), None);
        assert_eq!(again.progress.content(5, "one"), None);
        let whole: Vec<_> = again
            .readings
            .iter()
            .map(|reading| reading.is_whole)
            .collect();
        assert_eq!(whole, [false, true]);
        again.progress.remove();
        let left = fs::read_dir(directory.path().join(FOLDER)).unwrap().count();
        assert_eq!(left, 0);
    }

    #[test]
    fn a_line_that_broke_off_and_an_index_that_is_gone_count_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let opened = open(directory.path());
        opened.progress.add(1, "one".to_owned(), &content(1), None);
        opened.progress.write(NOTHING).unwrap();
        drop(opened);
        let log = directory.path().join(FOLDER).join("x.progress");
        let sound = fs::read(&log).unwrap();
        let mut broken = sound.clone();
        broken.extend_from_slice(br#"{"schema":1,"counts":[],"begun":0,"#);
        fs::write(&log, &broken).unwrap();
        let opened = open(directory.path());
        assert!(opened.progress.content(1, "one").is_some());
        assert_eq!(fs::read(&log).unwrap(), sound);
        // A run of ten entries, of which the file holds none.
        opened.progress.add(2, "one".to_owned(), &content(1), None);
        let ten = WrittenIndex {
            counts: vec![10],
            readings: Vec::new(),
        };
        opened.progress.write(|| Ok(ten)).unwrap();
        drop(opened);
        let opened = open(directory.path());
        assert!(opened.progress.content(1, "one").is_none());
        assert!(opened.runs.counts.is_empty());
    }

    #[test]
    fn an_archive_that_another_process_reads_is_left_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let opened = open(directory.path());
        assert!(Progress::open(directory.path(), "x").unwrap().is_none());
        assert!(Progress::open(directory.path(), "y").unwrap().is_some());
        drop(opened);
        assert!(Progress::open(directory.path(), "x").unwrap().is_some());
    }

    #[test]
    fn what_nobody_took_up_for_a_week_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path()));
        let folder = directory.path().join(FOLDER);
        let log = folder.join("x.progress");
        let file = File::options().write(true).open(&log).unwrap();
        file.set_modified(SystemTime::now() - KEPT - Duration::from_mins(1))
            .unwrap();
        drop(file);
        fs::write(folder.join("mine"), "").unwrap();
        drop(Progress::open(directory.path(), "y").unwrap());
        let names: BTreeSet<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let expected = ["mine", "y.keys", "y.progress"].map(str::to_owned);
        assert_eq!(names, BTreeSet::from(expected));
    }
}
