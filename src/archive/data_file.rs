//! One data file, read once from its first byte to its last: the MD5 of its compressed bytes, its gzip
//! members, and each of its lines.
//!
//! Memory is bounded by the longest line, whatever the file's size. A fault in one part does not end the
//! check of the others: behind a broken member the bytes are still counted and their MD5 is made.

use std::fmt;
use std::io::{self, BufRead, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::bufread::GzDecoder;
use md5::{Digest as _, Md5};

use super::line::{KeySchema, LineChecker, LineFault, LineFaultKind, LineRules};

/// What a data file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileContent {
    /// The MD5 of the compressed bytes in base64.
    pub md5: String,
    /// The compressed bytes.
    pub compressed_bytes: u64,
    /// The bytes of the lines.
    pub bytes: u64,
    /// The gzip members; an export writes one.
    pub members: u64,
    /// The lines, sound or not.
    pub lines: u64,
    /// Whether the last line has no line feed behind it.
    pub is_cut: bool,
    /// The items, or images of items, of the sound lines.
    pub images: u64,
    /// In how many of them each key attribute is missing, in the order of the schema.
    pub missing_keys: [u64; 2],
    /// The keys that the file's changes name, or that were given.
    pub keys: Option<KeySchema>,
    /// What is wrong, as far as it is kept.
    pub faults: Vec<FileFault>,
    /// Faults that are not kept: the first are.
    pub more_faults: u64,
    /// The first lines that lack a key, as far as they are kept.
    pub without_key: Vec<u64>,
}

/// Something that is wrong with a data file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// The file is no gzip, a member of it is damaged, or it is cut off.
    Gzip {
        /// How.
        fault: GzipFault,
        /// The byte of the file about which it was seen, from 0.
        at: u64,
    },
    /// A line is not what it must be.
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: LineFault,
    },
}

/// What is wrong with compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GzipFault {
    /// They end within a member.
    Truncated,
    /// They are no gzip, or not what was compressed.
    Damaged,
    /// Something that is no gzip follows the last member.
    TrailingBytes,
}

impl GzipFault {
    /// The fault's name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "gzip_truncated",
            Self::Damaged => "gzip_damaged",
            Self::TrailingBytes => "gzip_trailing_bytes",
        }
    }
}

impl fmt::Display for GzipFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the gzip is cut off",
            Self::Damaged => "the gzip is damaged",
            Self::TrailingBytes => "bytes that are no gzip follow the gzip",
        })
    }
}

/// Where the key of each line goes.
pub trait KeySink {
    /// Takes the key of a line, or the whole line where the keys are not known.
    fn put(&mut self, line: u64, key: &[u8]) -> io::Result<()>;
}

/// Faults of one file that are kept; a file of another export has as many as it has lines.
const KEPT_FAULTS: usize = 1000;
/// A read of compressed bytes.
const COMPRESSED: usize = 64 * 1024;
/// A read of lines.
const LINES: usize = 256 * 1024;
/// The longest line: two images of 400 KB ("The maximum item size in DynamoDB is 400 KB", developer
/// guide, quotas) of nothing but characters that JSON writes in six bytes are shorter.
const LONGEST_LINE: usize = 8 * 1024 * 1024;

/// Reads a data file to its end.
///
/// # Errors
/// Where the bytes cannot be read, or the sink fails; what the bytes are is no error.
pub fn check_file(
    file: impl Read,
    rules: &LineRules,
    keys: &mut dyn KeySink,
) -> io::Result<FileContent> {
    let mut source = Source::new(file);
    let mut lines = Lines::new(rules, keys);
    let mut fault = None;
    while source.has_more()? {
        if !source.starts_with_gzip() {
            fault = Some(if lines.content.members == 0 {
                GzipFault::Damaged
            } else {
                GzipFault::TrailingBytes
            });
            break;
        }
        lines.content.members += 1;
        if let Some(found) = read_member(&mut source, &mut lines)? {
            fault = Some(found);
            break;
        }
    }
    if fault.is_none() && lines.content.members == 0 {
        fault = Some(GzipFault::Truncated);
    }
    let at = source.taken;
    lines.end(fault.is_some())?;
    let mut content = lines.content;
    content.keys = lines.checker.keys().cloned();
    if let Some(fault) = fault {
        content.faults.push(FileFault::Gzip { fault, at });
    }
    source.drain()?;
    content.compressed_bytes = source.taken;
    content.md5 = BASE64.encode(source.md5.finalize());
    Ok(content)
}

/// Reads one member, and tells what is wrong with it.
fn read_member<R: Read>(
    source: &mut Source<R>,
    lines: &mut Lines<'_>,
) -> io::Result<Option<GzipFault>> {
    let mut decoder = GzDecoder::new(&mut *source);
    loop {
        let read = decoder.read(lines.space());
        match read {
            Ok(0) => return Ok(None),
            Ok(count) => lines.take(count)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                drop(decoder);
                if let Some(error) = source.failure.take() {
                    return Err(error);
                }
                return Ok(Some(match error.kind() {
                    io::ErrorKind::UnexpectedEof => GzipFault::Truncated,
                    _ => GzipFault::Damaged,
                }));
            }
        }
    }
}

/// The compressed bytes, counted and digested as they are taken.
struct Source<R> {
    file: R,
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
    md5: Md5,
    taken: u64,
    /// The error of the file, which is none of the gzip.
    failure: Option<io::Error>,
}

impl<R: Read> Source<R> {
    fn new(file: R) -> Self {
        Self {
            file,
            buffer: vec![0; COMPRESSED].into_boxed_slice(),
            from: 0,
            to: 0,
            md5: Md5::new(),
            taken: 0,
            failure: None,
        }
    }

    fn left(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    fn has_more(&mut self) -> io::Result<bool> {
        match self.fill_buf() {
            Ok(bytes) => Ok(!bytes.is_empty()),
            Err(error) => Err(self.failure.take().unwrap_or(error)),
        }
    }

    /// Whether a gzip member begins here: by its first byte, since the second may not be read yet.
    fn starts_with_gzip(&self) -> bool {
        match self.left() {
            [0x1f] => true,
            left => left.starts_with(&[0x1f, 0x8b]),
        }
    }

    fn drain(&mut self) -> io::Result<()> {
        while self.has_more()? {
            let left = self.to - self.from;
            self.consume(left);
        }
        Ok(())
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.from == self.to {
            match self.file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => {
                    self.from = 0;
                    self.to = count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let told = io::Error::from(error.kind());
                    self.failure = Some(error);
                    return Err(told);
                }
            }
        }
        Ok(self.left())
    }

    fn consume(&mut self, count: usize) {
        let end = (self.from + count).min(self.to);
        let consumed = self.buffer.get(self.from..end).unwrap_or_default();
        self.md5.update(consumed);
        self.taken += u64::try_from(consumed.len()).unwrap_or(0);
        self.from = end;
    }
}

/// The lines, cut out of what is unpacked.
struct Lines<'k> {
    checker: LineChecker,
    /// Whether whole lines stand for keys.
    are_keys: bool,
    keys: &'k mut dyn KeySink,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are filled.
    filled: usize,
    /// Whether the rest of a line is passed over that was too long.
    is_skipping: bool,
    content: FileContent,
}

impl<'k> Lines<'k> {
    fn new(rules: &LineRules, keys: &'k mut dyn KeySink) -> Self {
        Self {
            checker: LineChecker::new(rules),
            are_keys: rules.keys.is_none() && rules.view.is_none(),
            keys,
            buffer: vec![0; LINES],
            filled: 0,
            is_skipping: false,
            content: FileContent::default(),
        }
    }

    /// Where the next bytes go; never empty.
    fn space(&mut self) -> &mut [u8] {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// Takes bytes that were put into the space, and checks the lines that they end.
    fn take(&mut self, count: usize) -> io::Result<()> {
        let begun = self.filled;
        self.filled += count;
        self.content.bytes += u64::try_from(count).unwrap_or(0);
        let buffer = std::mem::take(&mut self.buffer);
        let filled = buffer.get(..self.filled).unwrap_or_default();
        let fresh = filled.get(begun..).unwrap_or_default();
        let mut done = 0;
        if let Some(end) = memchr::memrchr(b'\n', fresh) {
            done = begun + end + 1;
            self.block(filled.get(..done).unwrap_or_default())?;
        }
        self.buffer = buffer;
        self.buffer.copy_within(done..self.filled, 0);
        self.filled -= done;
        if self.filled > LONGEST_LINE {
            if !self.is_skipping {
                self.content.lines += 1;
                self.fault(*LineFault::of_line(LineFaultKind::TooLong));
            }
            self.is_skipping = true;
            self.filled = 0;
            self.buffer.truncate(LINES);
            self.buffer.shrink_to_fit();
        }
        Ok(())
    }

    /// Checks whole lines.
    fn block(&mut self, mut block: &[u8]) -> io::Result<()> {
        if std::mem::take(&mut self.is_skipping) {
            let end = memchr::memchr(b'\n', block).map_or(block.len(), |end| end + 1);
            block = block.get(end..).unwrap_or_default();
        }
        let text = simdutf8::basic::from_utf8(block);
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            let line = if let Ok(text) = text {
                text.get(from..end)
            } else {
                let line = block.get(from..end).unwrap_or_default();
                std::str::from_utf8(line).ok()
            };
            self.line(line)?;
            from = end + 1;
        }
        Ok(())
    }

    /// Checks a line; `None` is one that is not UTF-8.
    fn line(&mut self, line: Option<&str>) -> io::Result<()> {
        self.content.lines += 1;
        let Some(line) = line else {
            self.fault(*LineFault::of_line(LineFaultKind::NotText));
            return Ok(());
        };
        let sound = match line.as_bytes() {
            [] => Err(LineFault::of_line(LineFaultKind::Empty)),
            [.., b'\r'] => Err(LineFault::of_line(LineFaultKind::CarriageReturn)),
            _ => self.checker.check(line),
        };
        let content = match sound {
            Ok(content) => content,
            Err(fault) => {
                self.fault(*fault);
                return Ok(());
            }
        };
        let number = self.content.lines;
        self.content.images += u64::from(content.images);
        for (count, missing) in self.content.missing_keys.iter_mut().zip(content.missing) {
            *count += u64::from(missing);
        }
        if content.missing != [0; 2] && self.content.without_key.len() < KEPT_FAULTS {
            self.content.without_key.push(number);
        }
        match content.key {
            Some(key) => self.keys.put(number, key),
            None if self.are_keys => self.keys.put(number, line.as_bytes()),
            None => Ok(()),
        }
    }

    fn fault(&mut self, fault: LineFault) {
        if self.content.faults.len() < KEPT_FAULTS {
            let line = self.content.lines;
            self.content.faults.push(FileFault::Line { line, fault });
        } else {
            self.content.more_faults += 1;
        }
    }

    /// Checks what stands behind the last line feed. Where the gzip is cut off, so is the line.
    fn end(&mut self, is_broken: bool) -> io::Result<()> {
        if self.filled == 0 || self.is_skipping || is_broken {
            return Ok(());
        }
        self.content.is_cut = true;
        let buffer = std::mem::take(&mut self.buffer);
        let line = buffer.get(..self.filled).unwrap_or_default();
        self.line(std::str::from_utf8(line).ok())
    }
}

#[cfg(test)]
mod tests {
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

    impl KeySink for Kept {
        fn put(&mut self, line: u64, key: &[u8]) -> io::Result<()> {
            self.0.push((line, key.to_vec()));
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
}
