//! When what is granted ends: after a while, or at a time.

use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// The end of a grant, as `--expires` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// This long from now.
    After(SignedDuration),
    /// At this time.
    At(Timestamp),
}

impl Expiry {
    /// The time it stands for; `None` where it is not in the future, or beyond any calendar.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Option<Timestamp> {
        let end = match self {
            Self::After(length) => now.checked_add(length).ok()?,
            Self::At(end) => end,
        };
        // Policies tell the time to the second ("Date condition operators", IAM user guide).
        let end = Timestamp::from_second(end.as_second()).ok()?;
        (end > now).then_some(end)
    }
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(end) = text.parse::<Timestamp>() {
            return Ok(Self::At(end));
        }
        let length = text
            .parse::<Span>()
            .ok()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        match length {
            Some(length) if length > SignedDuration::ZERO => Ok(Self::After(length)),
            _ => Err(
                "give a duration such as 90m, 2h or 3d, or a time such as 2026-12-01T18:00:00Z"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> Option<String> {
        let now: Timestamp = "2026-11-22T12:00:00.5Z".parse().unwrap();
        let end = text.parse::<Expiry>().ok()?.from(now)?;
        Some(end.to_string())
    }

    #[test]
    fn an_end_is_a_while_from_now_or_a_time() {
        assert_eq!(ends("2h").unwrap(), "2026-11-22T14:00:00Z");
        assert_eq!(ends("1h 30m").unwrap(), "2026-11-22T13:30:00Z");
        assert_eq!(ends("3d").unwrap(), "2026-11-25T12:00:00Z");
        assert_eq!(
            ends("2026-12-01T18:00:00Z").unwrap(),
            "2026-12-01T18:00:00Z"
        );
        assert_eq!(
            ends("2026-12-01T18:00:00+02:00").unwrap(),
            "2026-12-01T16:00:00Z"
        );
    }

    #[test]
    fn an_end_that_is_past_or_unclear_is_none() {
        for text in [
            "2026-11-22T11:00:00Z",
            "-2h",
            "0h",
            "soon",
            "",
            "2",
            "1 month",
        ] {
            assert_eq!(ends(text), None, "{text}");
        }
    }
}
