//! Partitions and accounts: nothing of a plan may cross from one partition into another, and all
//! of its tables belong to the account that calls.
//!
//! While a plan is read, everything that names a partition or an account is noted here, and checked
//! at the end.

use std::ops::Range;

use toml::Spanned;

use super::violation::Violations;
use tableferry_policy::arn::{AccountId, Arn, Partition, Region};

/// What a plan file says about partitions and accounts, and where.
#[derive(Debug, Default)]
pub(super) struct ConsistencyCheck {
    partitions: Vec<(String, Spanned<Partition>)>,
    callers: Vec<(String, Spanned<AccountId>)>,
}

impl ConsistencyCheck {
    /// Notes the partition that a Region lies in.
    pub(super) fn note_region(&mut self, what: &str, region: &Spanned<Region>) {
        let partition = Spanned::new(region.span(), region.get_ref().partition());
        self.partitions
            .push((format!("{what} {region}"), partition));
    }

    /// Notes the partition that an ARN names, and the one its Region lies in.
    pub(super) fn note_arn(&mut self, what: &str, arn: &Arn, at: Range<usize>) {
        let here = |partition| Spanned::new(at.clone(), partition);
        self.partitions
            .push((format!("{what} {arn}"), here(arn.partition)));
        if let Some(region) = arn.region_code() {
            self.partitions.push((
                format!("the Region {region} of {what}"),
                here(region.partition()),
            ));
        }
    }

    /// Notes the account in which the export call would be made.
    ///
    /// `TableArn` must lie in the caller's own account (API reference of
    /// `ExportTableToPointInTime`), so that there can be only one.
    pub(super) fn note_caller(&mut self, what: &str, account: AccountId, at: Range<usize>) {
        self.callers
            .push((what.to_owned(), Spanned::new(at, account)));
    }

    /// Reports everything that does not agree with what was noted first.
    pub(super) fn check(self, violations: &mut Violations) {
        if let Some(((first, home), others)) = self.partitions.split_first() {
            let home = home.get_ref();
            let mut last = None;
            for (what, partition) in others.iter().filter(|(_, other)| other.get_ref() != home) {
                let at = partition.span().start;
                // An ARN and its own Region tell the same fault.
                if last == Some(at) {
                    continue;
                }
                last = Some(at);
                violations.add(
                    at,
                    format!("{what} is in partition {partition}, and {first} in {home}"),
                    "partitions have separate accounts and credentials, and an export cannot cross them: \
                     give both sides in one partition",
                );
            }
        }
        if let Some(((first, home), others)) = self.callers.split_first() {
            let home = home.get_ref();
            for (what, account) in others.iter().filter(|(_, other)| other.get_ref() != home) {
                violations.add(
                    account.span().start,
                    format!("{what} is of account {account}, and {first} of account {home}"),
                    "a table is exported by its own account: make a plan for each account, \
                     with a role or profile of that account",
                );
            }
        }
    }
}
