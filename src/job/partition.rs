//! Partitions and accounts: nothing of a plan may cross from one partition into another, and all
//! of its tables belong to the account that calls.
//!
//! While a plan is read, everything that names a partition or an account is noted here, and judged
//! at the end.

use super::section::Placed;
use super::violation::Complaints;
use tableferry_policy::arn::{AccountId, Arn, Partition, Region};

/// What a plan file says about partitions and accounts, and where.
#[derive(Debug, Default)]
pub(super) struct Claims {
    partitions: Vec<(String, Placed<Partition>)>,
    callers: Vec<(String, Placed<AccountId>)>,
}

impl Claims {
    /// Notes the partition that a Region lies in.
    pub(super) fn note_region(&mut self, what: &str, region: &Placed<Region>) {
        let place = Placed {
            value: region.value.partition(),
            at: region.at,
        };
        self.partitions
            .push((format!("{what} {}", region.value), place));
    }

    /// Notes the partition that an ARN names, and the one its Region lies in.
    pub(super) fn note_arn(&mut self, what: &str, arn: &Arn, at: usize) {
        let place = |value| Placed { value, at };
        self.partitions
            .push((format!("{what} {arn}"), place(arn.partition)));
        if let Some(region) = arn.region_code() {
            self.partitions.push((
                format!("the Region {region} of {what}"),
                place(region.partition()),
            ));
        }
    }

    /// Notes the account in which the export call would be made.
    ///
    /// `TableArn` must lie in the caller's own account (API reference of
    /// `ExportTableToPointInTime`), so that there can be only one.
    pub(super) fn note_caller(&mut self, what: &str, account: AccountId, at: usize) {
        self.callers
            .push((what.to_owned(), Placed { value: account, at }));
    }

    /// Complains about everything that does not agree with what was noted first.
    pub(super) fn judge(self, complaints: &mut Complaints<'_>) {
        if let Some(((first, home), others)) = self.partitions.split_first() {
            let mut last = None;
            for (what, place) in others.iter().filter(|(_, place)| place.value != home.value) {
                // An ARN and its own Region tell the same fault.
                if last == Some(place.at) {
                    continue;
                }
                last = Some(place.at);
                complaints.add(
                    place.at,
                    format!(
                        "{what} is in partition {}, and {first} in {}",
                        place.value, home.value
                    ),
                    "partitions have separate accounts and credentials, and an export cannot cross them: \
                     give both sides in one partition",
                );
            }
        }
        if let Some(((first, home), others)) = self.callers.split_first() {
            for (what, place) in others.iter().filter(|(_, place)| place.value != home.value) {
                complaints.add(
                    place.at,
                    format!(
                        "{what} is of account {}, and {first} of account {}",
                        place.value, home.value
                    ),
                    "a table is exported by its own account: make a plan for each account, \
                     with a role or profile of that account",
                );
            }
        }
    }
}
