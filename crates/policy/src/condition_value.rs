//! What condition values measure: numbers, points in time, address ranges and bytes, read from text.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ipnet::IpNet;

/// A number of a Numeric condition: "an integer or decimal value".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NumericValue {
    /// An integer, compared exactly.
    Whole(i128),
    /// Any other.
    Decimal(f64),
}

impl NumericValue {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        if let Ok(whole) = text.parse() {
            return (!text.starts_with('+')).then_some(Self::Whole(whole));
        }
        let is_decimal = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
            && text.bytes().all(|byte| {
                byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')
            });
        let number: f64 = is_decimal.then(|| text.parse().ok())??;
        number.is_finite().then_some(Self::Decimal(number))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number with a fraction is compared in floating point anyway"
    )]
    const fn as_f64(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Decimal(decimal) => decimal,
        }
    }

    /// The number one less or more.
    pub(crate) const fn beside(self, step: i8) -> Self {
        match self {
            Self::Whole(whole) => Self::Whole(whole.saturating_add(step as i128)),
            Self::Decimal(decimal) => Self::Decimal(decimal + step as f64),
        }
    }

    /// A number between two, in digits; where there is none, one of them.
    pub(crate) fn middle(self, other: Self) -> String {
        match (self, other) {
            (Self::Whole(low), Self::Whole(high)) if high.saturating_sub(low) > 1 => {
                i128::midpoint(low, high).to_string()
            }
            (Self::Whole(low), Self::Whole(high)) if high > low => format!("{low}.5"),
            _ => Self::Decimal(f64::midpoint(self.as_f64(), other.as_f64())).to_string(),
        }
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }
}

impl fmt::Display for NumericValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => whole.fmt(f),
            Self::Decimal(decimal) => decimal.fmt(f),
        }
    }
}

/// A point in time, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) i128);

const NANOS: i128 = 1_000_000_000;

impl Instant {
    /// Reads one of "the W3C implementations of the ISO 8601 date formats or … epoch (UNIX) time".
    /// Four digits are a year; any other number counts seconds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_number = !digits.is_empty()
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_number && text.len() != 4 {
            return Self::from_epoch(text);
        }
        Self::from_iso(text)
    }

    /// The moment some seconds later.
    pub(crate) const fn later(self, seconds: i128) -> Self {
        Self(self.0 + seconds * NANOS)
    }

    fn from_epoch(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds: i128 = whole.parse::<i64>().ok()?.into();
        let nanos = fraction_nanos(fraction)?;
        let sign = if text.starts_with('-') { -1 } else { 1 };
        Some(Self(seconds * NANOS + sign * nanos))
    }

    fn from_iso(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map_or(Some(1), |part| number(part, 2))?;
        let day = parts.next().map_or(Some(1), |part| number(part, 2))?;
        if parts.next().is_some() || (time.is_some() && date.len() != 10) {
            return None;
        }
        let days = days_since_epoch(year, month, day)?;
        let (nanos, offset) = time.map_or(Some((0, 0)), clock)?;
        Some(Self(
            (i128::from(days) * 86_400 - i128::from(offset)) * NANOS + nanos,
        ))
    }
}

impl fmt::Display for Instant {
    /// As ISO 8601, or as seconds of the epoch for times that have no such form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => self.0.div_euclid(NANOS).fmt(f),
        }
    }
}

fn number(text: &str, length: usize) -> Option<i64> {
    let is_right = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_right.then(|| text.parse().ok())?
}

fn fraction_nanos(fraction: &str) -> Option<i128> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut nanos = 0;
    let mut unit = NANOS;
    for digit in fraction.bytes().take(9) {
        unit /= 10;
        nanos += i128::from(digit - b'0') * unit;
    }
    Some(nanos)
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` where there is no such day.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // The year is taken to begin in March, so that the leap day comes last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Nanoseconds of the day, and the offset from UTC in seconds; without a zone the time is UTC.
fn clock(text: &str) -> Option<(i128, i64)> {
    let (time, offset) = if let Some(time) = text.strip_suffix('Z') {
        (time, 0)
    } else if let Some(sign) = text.find(['+', '-']) {
        let (time, zone) = text.split_at_checked(sign)?;
        let (hours, minutes) = match zone.get(1..)?.split_once(':') {
            Some(parts) => parts,
            None => zone.get(1..)?.split_at_checked(2)?,
        };
        let seconds = number(hours, 2)? * 3600 + number(minutes, 2)? * 60;
        (
            time,
            if zone.starts_with('-') {
                -seconds
            } else {
                seconds
            },
        )
    } else {
        (text, 0)
    };
    let mut parts = time.splitn(3, ':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let (second, fraction) = match parts.next() {
        None => (0, ""),
        Some(seconds) => {
            let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            (number(second, 2)?, fraction)
        }
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = i128::from(hour * 3600 + minute * 60 + second);
    Some((seconds * NANOS + fraction_nanos(fraction)?, offset))
}

/// Reads a range of addresses in CIDR form, whose address may have bits set beyond the prefix. "If you
/// specify an IP address without the associated routing prefix, IAM uses the default prefix value of /32";
/// for IPv6 that is the whole address, /128.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let Some((address, prefix)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    // A sign before the number would be parsed, too.
    let is_number = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|_| is_number)?;
    IpNet::new(address.parse().ok()?, prefix).ok()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .ok()
}

/// Whether a value of the request, in base64 or as the bytes themselves, is the one that the policy
/// writes in base64.
pub(crate) fn is_same_binary(held: &str, wanted: &str) -> bool {
    decode(wanted).is_some_and(|wanted| {
        held.as_bytes() == wanted || decode(held).is_some_and(|held| held == wanted)
    })
}
