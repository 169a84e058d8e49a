//! The sandbox's clock: the real one, moved by an offset.
//!
//! Everything that clients see of time goes by it: the `Date` of every answer, whether a signature is
//! fresh, when credentials, tokens and grants end, and the times of exports. Only the real clock runs;
//! an offset makes it a clock of somewhere else, or of a later hour.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::SandboxError;

/// Far enough for any test, and near enough for every calendar.
const FARTHEST: SignedDuration = SignedDuration::from_hours(24 * 3653);

/// How far the sandbox's clock is ahead of the real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockOffset {
    /// By so much; behind it where negative.
    Fixed(SignedDuration),
    /// By what stands in this file, which is read again at every request.
    File(PathBuf),
}

impl Default for ClockOffset {
    fn default() -> Self {
        Self::Fixed(SignedDuration::ZERO)
    }
}

impl FromStr for ClockOffset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            Some(path) => Ok(Self::File(PathBuf::from(path))),
            None => duration(text).map(Self::Fixed).ok_or_else(|| {
                "give a duration of at most ten years such as +12h, -90m or 3d, or @FILE for a file \
                 that holds one"
                    .to_owned()
            }),
        }
    }
}

fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (length.abs() <= FARTHEST).then_some(length)
}

/// The clock itself.
#[derive(Debug)]
pub(super) struct Clock {
    file: Option<PathBuf>,
    offset: Mutex<SignedDuration>,
}

impl Clock {
    /// # Errors
    /// If the offset is in a file that cannot be read as one.
    pub(super) fn new(offset: &ClockOffset) -> Result<Self, SandboxError> {
        let (file, offset) = match offset {
            ClockOffset::Fixed(offset) => (None, *offset),
            ClockOffset::File(path) => {
                let offset = read(path).map_err(|problem| SandboxError::Clock {
                    path: path.clone(),
                    problem,
                })?;
                (Some(path.clone()), offset)
            }
        };
        Ok(Self {
            file,
            offset: Mutex::new(offset),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // No calendar ends within ten years of now.
        now.checked_add(*self.offset()).unwrap_or(now)
    }

    pub(super) fn set(&self, offset: SignedDuration) {
        *self.offset() = offset.clamp(-FARTHEST, FARTHEST);
    }

    /// Reads the offset again, where a file holds it; one that is not readable changes nothing.
    pub(super) fn refresh(&self) {
        let Some(path) = &self.file else { return };
        match read(path) {
            Ok(offset) => self.set(offset),
            Err(problem) => tracing::warn!(%problem, path = %path.display(), "the clock stays"),
        }
    }

    fn offset(&self) -> MutexGuard<'_, SignedDuration> {
        self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &std::path::Path) -> Result<SignedDuration, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    duration(&text).ok_or_else(|| "it holds no duration such as +12h or -90m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_duration_either_way_or_a_file() {
        let fixed = |minutes| Ok(ClockOffset::Fixed(SignedDuration::from_mins(minutes)));
        assert_eq!("+12h".parse(), fixed(720));
        assert_eq!("8h".parse(), fixed(480));
        assert_eq!("-90m".parse(), fixed(-90));
        assert_eq!("3d".parse(), fixed(3 * 24 * 60));
        assert_eq!("0s".parse(), fixed(0));
        assert_eq!("@o".parse(), Ok(ClockOffset::File(PathBuf::from("o"))));
        for text in ["", "12", "later", "11y", "2026-11-26T00:00:00Z", "1 month"] {
            assert!(text.parse::<ClockOffset>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_moves_the_clock_and_one_that_is_not_readable_leaves_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offset");
        let file = ClockOffset::File(path.clone());
        assert!(Clock::new(&file).is_err());
        std::fs::write(&path, "+12h\n").unwrap();
        let clock = Clock::new(&file).unwrap();
        assert_eq!(*clock.offset(), SignedDuration::from_hours(12));
        for (text, hours) in [("-10h", -10), ("", -10), ("soon", -10), ("10h", 10)] {
            std::fs::write(&path, text).unwrap();
            clock.refresh();
            assert_eq!(*clock.offset(), SignedDuration::from_hours(hours), "{text}");
        }
        let ahead = clock.now().duration_since(Timestamp::now());
        assert_eq!((ahead + SignedDuration::from_mins(1)).as_hours(), 10);
    }
}
