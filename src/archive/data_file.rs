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

/// Where sound lines and their keys go.
pub trait LineSink {
    /// Takes the key of a line, or the whole line where the keys are not known.
    fn put_key(&mut self, line: u64, key: &[u8]) -> io::Result<()>;

    /// Takes the line itself.
    fn put_line(&mut self, text: &str) -> io::Result<()>;
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
    sink: &mut dyn LineSink,
) -> io::Result<FileContent> {
    let mut source = CompressedSource::new(file);
    let mut lines = Lines::new(rules, sink);
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
    source: &mut CompressedSource<R>,
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
struct CompressedSource<R> {
    file: R,
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
    md5: Md5,
    taken: u64,
    /// The error of the file, which is none of the gzip.
    failure: Option<io::Error>,
}

impl<R: Read> CompressedSource<R> {
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

impl<R: Read> Read for CompressedSource<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for CompressedSource<R> {
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
    sink: &'k mut dyn LineSink,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are filled.
    filled: usize,
    /// Whether the rest of a line is passed over that was too long.
    is_skipping: bool,
    content: FileContent,
}

impl<'k> Lines<'k> {
    fn new(rules: &LineRules, sink: &'k mut dyn LineSink) -> Self {
        Self {
            checker: LineChecker::new(rules),
            are_keys: rules.keys.is_none() && rules.view.is_none(),
            sink,
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
            Some(key) => self.sink.put_key(number, key)?,
            None if self.are_keys => self.sink.put_key(number, line.as_bytes())?,
            None => {}
        }
        self.sink.put_line(line)
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
mod tests;
