//! Duplicates that are found in memory, on the disk and by a later process.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use uuid::Uuid;

use super::runs::NAME;
use super::*;

fn index(directory: &Path, keys: usize, bytes: usize) -> KeyIndex {
    let store = RunStore::Nameless(directory.to_owned());
    KeyIndex::new(
        HashKey::random(),
        store,
        MemoryBudget { keys, bytes },
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
            DuplicateKey {
                first: (1, 39),
                again: (0, 50_001),
            },
            DuplicateKey {
                first: (0, 25_001),
                again: (1, 50_001),
            },
        ];
        // Which of the two is the first is a matter of the file's number.
        let places = |duplicate: &DuplicateKey| {
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
        RunStore::Kept(Runs {
            file: open(),
            counts,
        })
    };
    let digest = HashKey::of_digest(&[7; 32]);
    let capacity = MemoryBudget::default();
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
    let expected = DuplicateKey {
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
    let store = RunStore::Kept(Runs {
        file: full,
        counts: Vec::new(),
    });
    let index = KeyIndex::new(
        HashKey::random(),
        store,
        MemoryBudget::default(),
        Vec::new(),
    );
    let mut writer = index.writer(0);
    writer.put_key(1, b"key").unwrap();
    writer.finish().unwrap();
    let error = index.persist().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    // What is in memory is still compared.
    assert_eq!(index.duplicates().unwrap(), Duplicates::default());
}
