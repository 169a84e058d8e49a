//! Times as people give them: RFC 3339, how long ago, or a clock time of today or yesterday.
//!
//! A clock time without a zone is the local one; a whole date must say its offset, since a plan is read
//! on other machines and later. What "now" is and which zone is local is handed in.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::InvalidValue;
use super::value::{WINDOW, check_window};

/// The time that "now" stands for, and the zone in which people here tell the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// The time.
    pub time: Timestamp,
    /// The local zone.
    pub zone: TimeZone,
}

impl From<Timestamp> for Now {
    /// A place where the local time is UTC.
    fn from(time: Timestamp) -> Self {
        Self {
            time,
            zone: TimeZone::UTC,
        }
    }
}

impl From<Zoned> for Now {
    fn from(now: Zoned) -> Self {
        Self {
            time: now.timestamp(),
            zone: now.time_zone().clone(),
        }
    }
}

impl From<&Self> for Now {
    fn from(now: &Self) -> Self {
        now.clone()
    }
}

/// The time that a text stands for; `None` where it is none.
fn instant(text: &str, now: &Now) -> Option<Timestamp> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| ago(text, now))
        .or_else(|| at_the_clock(text, now))
}

/// `2h`, `90m`, `1d 6h`, each with or without `ago`. A day has 24 hours.
fn ago(text: &str, now: &Now) -> Option<Timestamp> {
    let length = text.strip_suffix("ago").unwrap_or(text).trim();
    let is_written_out = length.starts_with(|c: char| c.is_ascii_digit());
    let span: Span = length.parse().ok().filter(|_| is_written_out)?;
    let utc = now.time.to_zoned(TimeZone::UTC);
    let then = utc.checked_sub(span).ok()?.timestamp();
    (then <= now.time).then_some(then)
}

/// `02:10 UTC`, `yesterday 18:00`, `today 07:30 Europe/Berlin`. A clock time without a day is the last
/// one that has passed.
fn at_the_clock(text: &str, now: &Now) -> Option<Timestamp> {
    let mut words = text.split_whitespace().peekable();
    let days_ago = match words.peek()?.to_lowercase().as_str() {
        "today" => Some(0),
        "yesterday" => Some(1),
        _ => None,
    };
    if days_ago.is_some() {
        words.next();
    }
    let clock = clock_time(words.next()?)?;
    let zone = match words.next() {
        None => now.zone.clone(),
        Some(name) => zone(name, now)?,
    };
    if words.next().is_some() {
        return None;
    }
    let today = now.time.to_zoned(zone.clone()).date();
    let on = |date: Date| {
        let zoned = date.to_datetime(clock).to_zoned(zone.clone()).ok()?;
        Some(zoned.timestamp())
    };
    let before = |days: i64| today.checked_sub(Span::new().days(days)).ok();
    match days_ago {
        Some(days) => on(before(days)?),
        None => [Some(today), before(1)]
            .into_iter()
            .flatten()
            .filter_map(on)
            .find(|time| *time <= now.time),
    }
}

/// `HH:MM` or `HH:MM:SS`.
fn clock_time(text: &str) -> Option<Time> {
    let is_clock = text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || c == ':');
    text.parse().ok().filter(|_| is_clock)
}

fn zone(name: &str, now: &Now) -> Option<TimeZone> {
    match name.to_lowercase().as_str() {
        "utc" | "z" | "gmt" => Some(TimeZone::UTC),
        "local" => Some(now.zone.clone()),
        _ => TimeZone::get(name).ok(),
    }
}

/// A time of an export, which cannot be in the future; `key` is the plan's name for it.
pub fn past_time(key: &str, text: &str, now: &Now) -> Result<Timestamp, InvalidValue> {
    let Some(time) = instant(text, now) else {
        return Err(not_a_time(text));
    };
    if time > now.time {
        let at = Timestamp::from_second(now.time.as_second()).unwrap_or(now.time);
        return Err(InvalidValue {
            message: format!("`{key}` is {time}, which is in the future"),
            hint: format!("only the past can be exported; it is now {at}"),
        });
    }
    // Exports know no fraction of a second, and "two hours ago" means none.
    let is_relative = text.trim().parse::<Timestamp>().is_err();
    Ok(if is_relative {
        Timestamp::from_second(time.as_second()).unwrap_or(time)
    } else {
        time
    })
}

/// That a text is no time, and what would be one.
pub(super) fn not_a_time(text: &str) -> InvalidValue {
    InvalidValue {
        message: format!("`{text}` is not a time"),
        hint: hint(text),
    }
}

fn hint(text: &str) -> String {
    if let Ok(local) = text.parse::<jiff::civil::DateTime>() {
        let has_clock = text.contains(['T', 't', ' ']);
        let shown = if has_clock {
            text.to_owned()
        } else {
            local.to_string()
        };
        return format!(
            "it lacks an offset, so that it could be any place's time: for UTC add Z: \"{shown}Z\""
        );
    }
    "give a date, a time and an offset: \"2026-11-22T10:00:00Z\", or with +01:00 in place of Z; or how \
     long ago, \"2h\"; or a clock time, \"02:10 UTC\", \"yesterday 18:00\""
        .to_owned()
}

/// A time in UTC and, where that is another, as the local clock shows it.
#[must_use]
pub fn in_both_zones(time: Timestamp, zone: &TimeZone) -> String {
    let local = time.to_zoned(zone.clone());
    if local.offset().is_zero() {
        return time.to_string();
    }
    let format = if local.date() == time.to_zoned(TimeZone::UTC).date() {
        "%H:%M:%S %Z"
    } else {
        "%Y-%m-%d %H:%M:%S %Z"
    };
    format!("{time} ({})", local.strftime(format))
}

/// No recovery window is longer than 35 days (`RecoveryPeriodInDays`).
const LONGEST_RECOVERY: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The windows that cover what changed from a time to another, one after the other without a gap: each of
/// 24 hours, but for the last, and where that would be too short, the two last share what is left.
pub fn windows(
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, Timestamp)>, InvalidValue> {
    let length = to.duration_since(from);
    let (shortest, longest) = WINDOW;
    if length <= longest {
        return check_window(from, to).map(|()| vec![(from, to)]);
    }
    if length > LONGEST_RECOVERY {
        return Err(InvalidValue {
            message: format!(
                "from {from} to {to} are {} days, and no recovery window is longer than 35",
                length.as_hours() / 24
            ),
            hint: "give a later `from`".to_owned(),
        });
    }
    let mut windows = Vec::new();
    let mut begin = from;
    while begin < to {
        let left = to.duration_since(begin);
        let this = if left <= longest {
            left
        } else if left < longest + shortest {
            left - shortest
        } else {
            longest
        };
        let end = begin.saturating_add(this).unwrap_or(to);
        windows.push((begin, end));
        begin = end;
    }
    Ok(windows)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Noon of the 22nd in Berlin, which is an hour ahead of UTC in winter.
    fn berlin() -> Now {
        Now {
            time: at("2026-11-22T11:00:00.5Z"),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        }
    }

    #[rstest]
    #[case::hours("2h", "2026-11-22T09:00:00Z")]
    #[case::ago("90m ago", "2026-11-22T09:30:00Z")]
    #[case::days("1d 6h", "2026-11-21T05:00:00Z")]
    #[case::clock_of_utc("02:10 UTC", "2026-11-22T02:10:00Z")]
    #[case::clock_that_is_to_come("11:30 UTC", "2026-11-21T11:30:00Z")]
    #[case::local_clock("11:30", "2026-11-22T10:30:00Z")]
    #[case::yesterday("yesterday 18:00", "2026-11-21T17:00:00Z")]
    #[case::yesterday_of_utc("yesterday 18:00 UTC", "2026-11-21T18:00:00Z")]
    #[case::named_zone("today 06:00 America/New_York", "2026-11-22T11:00:00Z")]
    #[case::local_by_name("today 07:30 local", "2026-11-22T06:30:00Z")]
    #[case::offset("2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00Z")]
    fn times_are_read_as_people_give_them(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(past_time("time", text, &berlin()), Ok(at(expected)));
    }

    #[rstest]
    #[case::no_clock("yesterday")]
    #[case::no_zone("10:00 Nowhere/Land")]
    #[case::more("10:00 UTC sharp")]
    #[case::to_come("today 23:00")]
    #[case::negative("-2h")]
    #[case::bare_number("18")]
    #[case::empty("")]
    fn what_is_no_time_of_the_past_is_refused(#[case] text: &str) {
        assert!(past_time("time", text, &berlin()).is_err(), "{text}");
    }

    #[test]
    fn a_time_is_shown_in_utc_and_in_the_local_zone_where_they_differ() {
        let time = at("2026-11-22T02:10:00Z");
        assert_eq!(
            in_both_zones(time, &berlin().zone),
            "2026-11-22T02:10:00Z (03:10:00 CET)"
        );
        assert_eq!(in_both_zones(time, &TimeZone::UTC), "2026-11-22T02:10:00Z");
        let late = at("2026-11-22T23:30:00Z");
        let shown = in_both_zones(late, &berlin().zone);
        assert_eq!(shown, "2026-11-22T23:30:00Z (2026-11-23 00:30:00 CET)");
    }

    #[rstest]
    #[case::a_day("2026-11-21T00:00:00Z", &[1440])]
    #[case::three_days("2026-11-19T00:00:00Z", &[1440, 1440, 1440])]
    #[case::a_day_and_a_half("2026-11-20T12:00:00Z", &[1440, 720])]
    #[case::a_rest_that_is_long_enough("2026-11-20T23:45:00Z", &[1440, 15])]
    #[case::a_rest_that_is_too_short("2026-11-20T23:50:00Z", &[1435, 15])]
    fn a_long_span_becomes_windows_that_each_keep_the_rules(
        #[case] from: &str,
        #[case] minutes: &[i64],
    ) {
        let (from, to) = (at(from), at("2026-11-22T00:00:00Z"));
        let windows = windows(from, to).unwrap();
        let lengths: Vec<i64> = windows
            .iter()
            .map(|(from, to)| to.duration_since(*from).as_mins())
            .collect();
        assert_eq!(lengths, minutes);
        let ends: Vec<Timestamp> = windows.iter().map(|(_, to)| *to).collect();
        let begins: Vec<Timestamp> = windows.iter().map(|(from, _)| *from).collect();
        assert_eq!(begins[0], from);
        assert_eq!(ends.last(), Some(&to));
        assert_eq!(&begins[1..], &ends[..ends.len() - 1], "without a gap");
    }

    #[test]
    fn what_no_recovery_window_reaches_is_refused() {
        let refused = windows(at("2026-10-01T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        assert!(refused.unwrap_err().message.contains("longer than 35"));
    }
}
