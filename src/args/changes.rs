//! The arguments of `changes`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use jiff::{SignedDuration, Timestamp};

use super::{FactsArgs, OutputArgs};

/// How far CloudTrail's event history goes back.
const MOST_DAYS: i64 = 90;

/// How `changes` goes.
#[derive(Debug, ClapArgs)]
pub struct ChangesArgs {
    /// The plan file
    pub plan: PathBuf,
    /// A file of CloudTrail, of `aws cloudtrail lookup-events`, or an S3 server access log, packed or not;
    /// may be given several times. Without --live nobody signs in then
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Ask CloudTrail as well, where files are given
    #[arg(long, requires = "events")]
    pub live: bool,
    /// How far to look back: days, such as `30d`, hours, such as `6h`, or a time
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = Since::parse)]
    pub since: Since,
    /// Leave out changes that were refused
    #[arg(long)]
    pub done: bool,
    /// Whose resources are meant, where files are read.
    #[command(flatten)]
    pub facts: FactsArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// From when on changes are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So long before now.
    Ago(SignedDuration),
    /// A time.
    At(Timestamp),
}

impl Since {
    /// The time, seen from `now`; CloudTrail's history goes back 90 days.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(length) => now.checked_sub(length).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

impl Since {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse::<i64>().ok().filter(|number| *number > 0);
        if let Some(days) = text.strip_suffix('d').and_then(number) {
            return Ok(Self::Ago(SignedDuration::from_hours(
                24_i64.saturating_mul(days).min(24 * MOST_DAYS * 40),
            )));
        }
        if let Some(hours) = text.strip_suffix('h').and_then(number) {
            return Ok(Self::Ago(SignedDuration::from_hours(
                hours.min(24 * MOST_DAYS * 40),
            )));
        }
        match text.parse() {
            Ok(time) => Ok(Self::At(time)),
            Err(_) => Err(
                "days such as 30d, hours such as 6h, or a time such as 2026-11-20T10:00:00Z"
                    .to_owned(),
            ),
        }
    }
}
