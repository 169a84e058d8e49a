//! Data files with every damage that bytes and lines can have.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;

use super::*;
use crate::archive::checksum::md5_base64;
use crate::job::Format;

/// Keys with their lines.
#[derive(Default)]
struct Kept(Vec<(u64, Vec<u8>)>);

impl LineSink for Kept {
    fn put_key(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
        self.0.push((line, key.to_vec()));
        Ok(())
    }

    fn put_line(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that hands out few bytes at a time.
struct Trickle<'b>(&'b [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn rules() -> LineRules {
    LineRules {
        format: Format::DynamoDbJson,
        view: None,
        keys: Some(KeySchema::new(vec!["id:N".parse().unwrap()]).unwrap()),
    }
}

fn items(count: u64) -> String {
    let lines = (0..count).map(|id| format!("{{\"Item\":{{\"id\":{{\"N\":\"{id}\"}}}}}}\n"));
    lines.collect::<Vec<_>>().concat()
}

fn check(bytes: &[u8]) -> FileContent {
    check_file(bytes, &rules(), &mut Kept::default()).unwrap()
}

fn faults(content: &FileContent) -> Vec<String> {
    let told = content.faults.iter().map(|fault| match fault {
        FileFault::Gzip { fault, .. } => fault.as_str().to_owned(),
        FileFault::Line { line, fault } => format!("{line} {}", fault.kind.as_str()),
    });
    told.collect()
}

#[test]
fn a_sound_file_has_its_lines_its_keys_and_its_md5_however_it_is_read() {
    let file = gzip(items(30_000).as_bytes());
    for step in [1, 7, 4096, usize::MAX] {
        let mut keys = Kept::default();
        let content = check_file(Trickle(&file, step), &rules(), &mut keys).unwrap();
        assert_eq!(faults(&content), Vec::<String>::new());
        assert_eq!(
            (content.lines, content.members, content.is_cut),
            (30_000, 1, false)
        );
        assert_eq!(content.compressed_bytes, file.len() as u64);
        assert_eq!(content.bytes, items(30_000).len() as u64);
        assert_eq!(content.md5, md5_base64(&file));
        assert_eq!(keys.0.len(), 30_000);
        assert_eq!(keys.0[29_999].0, 30_000);
    }
}

// The empty file of real exports, with its MD5 (github.com/gurre/ddb-pitr, s3exportdata).
#[test]
fn the_empty_file_of_an_export_is_sound() {
    let file = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let content = check(&file);
    assert_eq!((content.lines, content.members), (0, 1));
    assert_eq!(faults(&content), Vec::<String>::new());
    assert_eq!(content.md5, "FjvgqIxwymKf1RbbqtrZag==");
}

#[test]
fn several_members_are_one_file() {
    let mut file = gzip(items(2).as_bytes());
    file.extend(gzip(b"{\"Item\":{\"id\":"));
    file.extend(gzip(b"{\"N\":\"7\"}}}\n"));
    let content = check(&file);
    assert_eq!(faults(&content), Vec::<String>::new());
    assert_eq!((content.lines, content.members), (3, 3));
    assert_eq!(content.md5, md5_base64(&file));
}

#[rstest]
#[case::nothing(0, "gzip_truncated")]
#[case::a_byte(1, "gzip_truncated")]
#[case::half_a_header(5, "gzip_truncated")]
#[case::half_the_lines(40, "gzip_truncated")]
#[case::no_trailer(-8, "gzip_truncated")]
#[case::half_the_trailer(-3, "gzip_truncated")]
fn a_file_that_is_cut_off_is_told(#[case] at: isize, #[case] fault: &str) {
    let whole = gzip(items(500).as_bytes());
    let length = whole.len().cast_signed();
    let cut = if at < 0 { length + at } else { at };
    let cut = &whole[..cut.cast_unsigned()];
    let content = check(cut);
    assert_eq!(faults(&content), [fault]);
    assert_eq!(content.md5, md5_base64(cut));
    assert_eq!(content.compressed_bytes, cut.len() as u64);
}

#[test]
fn every_single_byte_that_is_altered_is_seen() {
    let whole = gzip(items(40).as_bytes());
    let sound = check(&whole);
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 0x10;
        let content = check(&altered);
        assert_ne!(content.md5, sound.md5, "byte {at}");
        // The header's time, flags of the compressor and system are of no meaning (RFC 1952), nor are
        // the bits behind the last code, which fill its byte.
        let is_idle = (4..10).contains(&at) || at == whole.len() - 9;
        assert!(is_idle || !content.faults.is_empty(), "byte {at}");
    }
}

#[test]
fn what_is_no_gzip_or_follows_it_is_told() {
    assert_eq!(faults(&check(items(2).as_bytes())), ["gzip_damaged"]);
    let mut file = gzip(items(2).as_bytes());
    file.extend(b"\0\0\0\0");
    let content = check(&file);
    assert_eq!(faults(&content), ["gzip_trailing_bytes"]);
    assert_eq!(
        (content.lines, content.compressed_bytes),
        (2, file.len() as u64)
    );
}

#[rstest]
#[case::crlf(&items(2).replace('\n', "\r\n"), &["1 carriage_return", "2 carriage_return"], 2)]
#[case::a_blank_line(&items(2).replace("}\n{", "}\n\n{"), &["2 empty_line"], 3)]
#[case::cut_in_a_line("{\"Item\":{\"id\":{\"N\":\"1\"}}}\n{\"Item\":{\"id\"", &["2 syntax"], 2)]
#[case::another_type("{\"Item\":{\"id\":{\"S\":\"1\"}}}\n", &["1 key_of_another_type"], 1)]
fn a_line_that_is_damaged_is_told_by_its_number(
    #[case] text: &str,
    #[case] told: &[&str],
    #[case] lines: u64,
) {
    let content = check(&gzip(text.as_bytes()));
    assert_eq!(faults(&content), told);
    assert_eq!(content.lines, lines);
}

#[test]
fn a_line_without_a_line_feed_is_read_and_told() {
    let content = check(&gzip(items(2).trim_end().as_bytes()));
    assert_eq!((content.lines, content.is_cut), (2, true));
    assert_eq!(faults(&content), Vec::<String>::new());
}

#[test]
fn a_line_that_is_no_text_spoils_no_other() {
    let mut bytes = items(1).into_bytes();
    bytes.extend(b"{\"Item\":{\"id\":{\"N\":\"\xff\"}}}\n");
    bytes.extend(items(1).bytes());
    let content = check(&gzip(&bytes));
    assert_eq!(faults(&content), ["2 not_utf8"]);
    assert_eq!(content.images, 2);
}

#[test]
fn a_line_without_end_is_told_once_and_what_follows_is_read() {
    let mut bytes = items(1).into_bytes();
    bytes.extend(std::iter::repeat_n(b'x', LONGEST_LINE * 2 + 100));
    bytes.extend(b"\n");
    bytes.extend(items(1).bytes());
    let content = check(&gzip(&bytes));
    assert_eq!(faults(&content), ["2 line_too_long"]);
    assert_eq!((content.lines, content.images), (3, 2));
}

#[test]
fn faults_beyond_those_that_are_kept_are_counted() {
    let content = check(&gzip("x\n".repeat(KEPT_FAULTS + 7).as_bytes()));
    assert_eq!(
        (content.faults.len(), content.more_faults),
        (KEPT_FAULTS, 7)
    );
}

#[test]
fn lines_without_a_key_are_counted_and_named() {
    let text = format!("{}{{\"Item\":{{\"x\":{{\"N\":\"1\"}}}}}}\n", items(2));
    let content = check(&gzip(text.as_bytes()));
    assert_eq!((content.images, content.missing_keys), (3, [1, 0]));
    assert_eq!(content.without_key, [3]);
}

#[test]
fn whole_lines_stand_for_keys_that_are_not_known() {
    let mut keys = Kept::default();
    let unknown = LineRules {
        keys: None,
        ..rules()
    };
    check_file(&*gzip(items(2).as_bytes()), &unknown, &mut keys).unwrap();
    assert_eq!(
        keys.0[1],
        (2, b"{\"Item\":{\"id\":{\"N\":\"1\"}}}".to_vec())
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_no_fault() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable"))
        }
    }
    let half = gzip(items(500).as_bytes());
    let file = half[..40].chain(Broken);
    let error = check_file(file, &rules(), &mut Kept::default()).unwrap_err();
    assert_eq!(error.to_string(), "the cable");
}
