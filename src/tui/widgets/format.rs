//! Figures and times as people read them.

use bytesize::ByteSize;
use jiff::{SignedDuration, Timestamp};

/// A count with thousands separators.
#[must_use]
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun, in the right number.
#[must_use]
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A size in the units that AWS bills by.
#[must_use]
pub(crate) fn size(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

/// A duration in its largest two units.
#[must_use]
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {:02} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes:02} min"),
        (days, hours, _) => format!("{days} d {hours:02} h"),
    }
}

/// How long ago something was, roughly.
#[must_use]
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        ..0 => at(then),
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// A time to the minute. All times are UTC, as in AWS's consoles and messages.
#[must_use]
pub(crate) fn at(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A time of day to the second.
#[must_use]
pub(crate) fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }

    #[test]
    fn one_item_is_singular() {
        assert_eq!(counted(1, "item"), "1 item");
        assert_eq!(counted(0, "item"), "0 items");
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let seconds = |s| duration(SignedDuration::from_secs(s));
        assert_eq!(seconds(5), "5 s");
        assert_eq!(seconds(65), "1 min 05 s");
        assert_eq!(seconds(3 * 3600 + 240), "3 h 04 min");
        assert_eq!(seconds(2 * 86_400 + 3600), "2 d 01 h");
    }

    #[test]
    fn a_time_ahead_is_given_as_it_is() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let then: Timestamp = "2026-11-22T10:05:00Z".parse().unwrap();
        assert_eq!(ago(then, now), "2026-11-22 10:05 UTC");
        assert_eq!(ago(now, then), "5 min ago");
    }
}
