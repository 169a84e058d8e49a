//! An inventory configuration of a bucket, and when its reports are due.
//!
//! Only the length of a day is scaled: it is as long as an export.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use s3s::dto::InventoryConfiguration;
use serde::{Deserialize, Serialize};

use super::open_questions::SourceAddress;

/// The days between two weekly reports.
const WEEK: u32 = 7;

/// A configuration, and when its next report is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Inventory {
    pub configuration: InventoryConfiguration,
    /// How long a day takes.
    pub day: Duration,
    pub next_due: Timestamp,
    /// Where S3 calls from; an open question that is answered when the configuration is put.
    pub address: SourceAddress,
}

impl Inventory {
    /// A configuration that is put now. "It might take up to 48 hours to deliver the first report".
    pub(super) fn put(
        configuration: InventoryConfiguration,
        day: Duration,
        address: SourceAddress,
        now: Timestamp,
    ) -> Self {
        Self {
            configuration,
            day,
            next_due: after(now, day),
            address,
        }
    }

    pub(super) fn interval(&self) -> Duration {
        if self.configuration.schedule.frequency.as_str() == "Weekly" {
            self.day * WEEK
        } else {
            self.day
        }
    }

    /// When the last report was due that is due now, if any.
    pub(super) fn last_due(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.configuration.is_enabled || self.next_due > now {
            return None;
        }
        let interval = self.interval().as_millis().max(1);
        let behind = now.duration_since(self.next_due).as_millis();
        let missed = u128::try_from(behind).unwrap_or(0) / interval;
        let since = u64::try_from(missed * interval).unwrap_or(0);
        Some(after(self.next_due, Duration::from_millis(since)))
    }
}

pub(super) fn after(time: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    time.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// The bucket's name in its ARN.
pub(super) fn bucket_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let is_of_s3 =
        parts.next() == Some("arn") && parts.next().is_some() && parts.next() == Some("s3");
    is_of_s3.then_some(())?;
    parts
        .nth(2)
        .filter(|name| !name.is_empty() && !name.contains('/'))
}
