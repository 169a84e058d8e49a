//! How far this machine's clock is off AWS's, as the `Date` of an answer tells it.
//!
//! It decides from where on a clock counts as wrong: from where the SDK signs a second attempt by AWS's
//! clock. S3 and STS refuse what is signed a quarter of an hour off, and an answer to HEAD does not say
//! why.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::{SignedDuration, Timestamp, Unit};

use super::service_clock;

/// What a clock may be off: the SDK takes a larger difference for a reason to sign anew.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(4);

/// A clock that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockSkew {
    here: Timestamp,
    at_aws: Timestamp,
}

impl ClockSkew {
    /// The skew between two times of the same moment; `None` where there is nothing to it.
    pub(super) fn between(here: Timestamp, at_aws: Timestamp) -> Option<Self> {
        let off = here.duration_since(at_aws).abs();
        (off > TOLERANCE).then_some(Self { here, at_aws })
    }

    /// The skew that an answer shows, which was just received.
    pub(super) fn of_answer(response: &HttpResponse) -> Option<Self> {
        Self::between(
            Timestamp::now(),
            service_clock::time_of(response.headers())?,
        )
    }

    /// What to do about it.
    pub(super) const fn hint() -> &'static str {
        "set this machine's clock, best by NTP"
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let off = self.here.duration_since(self.at_aws);
        let relation = if off.is_positive() {
            "ahead of"
        } else {
            "behind"
        };
        let seconds = |time: Timestamp| time.round(Unit::Second).unwrap_or(time);
        write!(
            f,
            "this machine's clock is {:#} {relation} AWS's: it is {} here and {} there",
            // A `Date` has whole seconds, and an answer takes its time.
            SignedDuration::from_mins((off.abs().as_secs() + 30) / 60),
            seconds(self.here),
            seconds(self.at_aws),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_from_four_minutes_on_either_way() {
        let here: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let describe = |aws: &str| {
            let skew = ClockSkew::between(here, aws.parse().unwrap());
            skew.map(|skew| skew.to_string())
        };
        assert_eq!(describe("2026-11-26T09:56:00Z"), None);
        assert_eq!(describe("2026-11-26T10:04:00Z"), None);
        assert_eq!(
            describe("2026-11-26T07:50:00Z").unwrap(),
            "this machine's clock is 2h 10m ahead of AWS's: it is 2026-11-26T10:00:00Z here and \
             2026-11-26T07:50:00Z there"
        );
        assert!(
            describe("2026-11-26T10:05:00Z")
                .unwrap()
                .contains("5m behind")
        );
    }
}
