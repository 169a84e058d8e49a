//! What a legal plan is likely to fail with later, or to do otherwise than was meant.

use jiff::{SignedDuration, Timestamp};

use super::{Encryption, Plan, Span, TableJob};
use tableferry_policy::arn::Arn;

/// How far the latest restorable time is behind now, about.
const RECOVERY_LAG: SignedDuration = SignedDuration::from_mins(5);

/// The longest recovery window that a table can have.
const LONGEST_RECOVERY: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The longest that an export appends to its prefix: `/AWSDynamoDB/`, an export's id, and
/// `/manifest-summary.checksum`.
const LONGEST_SUFFIX: usize = 62;
/// The longest key that S3 takes, in bytes.
const LONGEST_KEY: usize = 1024;

impl Plan {
    /// Sentences about what is legal here and likely to fail at AWS, or to surprise; `now` as for
    /// [`Plan::parse`].
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        self.warn_of_key(&mut warnings);
        self.warn_of_prefix(&mut warnings);
        self.warn_of_sign_in(&mut warnings);
        for job in &self.tables {
            warnings.extend(warning_of_time(job, now));
        }
        warnings
    }

    fn warn_of_key(&self, warnings: &mut Vec<String>) {
        let Encryption::Kms { key } = &self.encryption else {
            return;
        };
        let Some(key) = key else {
            warnings.push(
                "KMS without a key means the AWS managed key aws/s3, which cannot be used from \
                 another account: name a customer managed key by its full ARN"
                    .to_owned(),
            );
            return;
        };
        let key = key.as_str();
        let alias = match key.parse::<Arn>() {
            Ok(arn) => arn.resource_after("alias").map(str::to_owned),
            Err(_) => key.strip_prefix("alias/").map(str::to_owned),
        };
        if alias
            .as_deref()
            .is_some_and(|name| name.starts_with("aws/"))
            || key == "aws/s3"
        {
            warnings.push(format!(
                "{key} is an AWS managed key, which cannot be used from another account: \
                 name a customer managed key by its full ARN"
            ));
        } else if alias.is_some() {
            warnings.push(format!(
                "{key} is an alias, which is looked for in the account that exports, not in the \
                 bucket's: give the key's full ARN, which ends in key/ and its id"
            ));
        } else if !key.starts_with("arn:") {
            warnings.push(format!(
                "the key {key} is looked for in the account that exports, not in the bucket's: \
                 give the key's full ARN"
            ));
        }
    }

    fn warn_of_prefix(&self, warnings: &mut Vec<String>) {
        let Some(prefix) = self.destination.prefix() else {
            return;
        };
        if prefix.starts_with('/') {
            warnings.push(format!(
                "the prefix {prefix} begins with a slash, so that every key will too: \
                 consoles show that as a folder without a name"
            ));
        }
        if prefix.len() + LONGEST_SUFFIX > LONGEST_KEY {
            warnings.push(format!(
                "the prefix has {} bytes, and S3 takes keys of at most {LONGEST_KEY} with what the export appends",
                prefix.len()
            ));
        }
    }

    fn warn_of_sign_in(&self, warnings: &mut Vec<String>) {
        let sides = [
            ("source", Some(&self.source.sign_in)),
            ("destination", self.destination.sign_in.as_ref()),
        ];
        for (side, sign_in) in sides {
            if sign_in.is_some_and(|s| s.external_id.is_some() && s.role.is_none()) {
                warnings.push(format!(
                    "[{side}] has an external id and no role of its own: it goes to the profile's \
                     own role, if the profile assumes one"
                ));
            }
        }
    }
}

fn warning_of_time(job: &TableJob, now: Timestamp) -> Option<String> {
    let (earliest, exact) = match &job.span {
        Span::Full { time } => (*time, *time),
        Span::Incremental { from, .. } => (Some(*from), None),
    };
    if earliest.is_some_and(|time| now.duration_since(time) > LONGEST_RECOVERY) {
        return Some(format!(
            "{}: more than 35 days ago, which is the longest recovery window a table can have",
            job.table
        ));
    }
    exact
        .is_some_and(|time| now.duration_since(time) < RECOVERY_LAG)
        .then(|| {
            format!(
                "{}: a table can be exported as it was until about five minutes ago; leave `time` \
                 out for the latest state",
                job.table
            )
        })
}
