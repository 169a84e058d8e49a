//! The judgements themselves: facts in, blockers and warnings out.

use jiff::Timestamp;

use super::{Blocker, SHORT_SESSION};
use crate::aws::Session;
use crate::aws::dynamodb::PointInTimeRecovery;
use crate::aws::failure::{Failure, FailureKind};
use crate::job::{
    Encryption, ExportRequest, Format, Plan, Span, TableJob, TableRef, recovery_command,
};
use crate::work::facts::{BucketFacts, TableFacts};
use crate::work::limits;
use tableferry_policy::arn::AccountId;

/// What the judgements came to so far.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) blockers: Vec<Blocker>,
    pub(super) warnings: Vec<String>,
}

impl Judged {
    fn block(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        self.blockers.push(Blocker {
            what: what.into(),
            hint: hint.into(),
        });
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

/// Judges the two sides against each other.
pub(super) fn sides(
    source: &Session,
    destination: Option<&Session>,
    now: Timestamp,
    judged: &mut Judged,
) {
    if let Some(expires_at) = source.expires_at
        && expires_at.duration_since(now) < SHORT_SESSION
    {
        judged.warn(format!(
            "the source's credentials end at {expires_at}; whether an export outlives them is not documented"
        ));
    }
    let Some(destination) = destination else {
        judged.warn(
            "no destination profile: the bucket cannot be read, so the export will stay unverified",
        );
        return;
    };
    if source.identity.account == destination.identity.account {
        judged.warn(format!(
            "source and destination are the same account, {}",
            source.identity.account
        ));
    }
    if let Some(blocker) = limits::across_sides(source.partition(), destination.partition()) {
        judged.blockers.push(blocker);
    }
}

/// Judges the bucket, and decides which owner is sent.
pub(super) fn bucket(
    plan: &Plan,
    source: &Session,
    destination: Option<&Session>,
    facts: Option<&BucketFacts>,
    judged: &mut Judged,
) -> Option<AccountId> {
    let named = plan.destination.owner.clone();
    let (Some(destination), Some(facts)) = (destination, facts) else {
        if named.is_none() {
            judged.warn(format!(
                "no owner is sent: if bucket {} is not in account {}, the export will fail with S3AccessDenied",
                facts.map_or(&plan.destination.bucket, |facts| &facts.name),
                source.identity.account
            ));
        }
        return named;
    };
    let expected = named.unwrap_or_else(|| destination.identity.account.clone());
    let bucket = &facts.name;
    match &facts.owner {
        Ok(owner) => return Some(owner.clone()),
        Err(failure) if failure.status == Some(404) => judged.block(
            format!("bucket {bucket} does not exist"),
            "check the name, or make the bucket in the destination account",
        ),
        // The bucket answers without an expected owner, so it is the owner that S3 refuses.
        Err(failure) if failure.status == Some(403) && facts.encryption.is_ok() => judged.block(
            format!("bucket {bucket} does not belong to account {expected}"),
            "set destination.owner to the account that owns the bucket",
        ),
        Err(failure) => judged.warn(format!(
            "whether account {expected} owns bucket {bucket} is unknown: {failure}; {expected} is sent as its owner"
        )),
    }
    Some(expected)
}

/// Judges one table against what is asked of it.
pub(super) fn table(
    job: &TableJob,
    facts: &TableFacts,
    source: &Session,
    now: Timestamp,
    judged: &mut Judged,
) {
    let name = &facts.asked;
    if asks_elsewhere(job, source, judged) {
        return;
    }
    let account = &source.identity.account;
    match &facts.table {
        Ok(table) => {
            if let Some(owner) = table.arn.account_id()
                && owner != *account
            {
                judged.block(
                    format!("table {name} belongs to account {owner}, the source is {account}"),
                    "an export is started in the table's own account: choose a profile of it",
                );
            }
            if table.status != "ACTIVE" && table.status != "UPDATING" {
                judged.warn(format!("table {name} is {}", table.status));
            }
        }
        Err(failure) => missing_table(name, failure, judged),
    }
    match &facts.recovery {
        Ok(recovery) if !recovery.is_enabled => judged.block(
            format!("point-in-time recovery is not enabled for table {name}"),
            format!(
                "enable it and wait a few minutes: {}",
                recovery_command(
                    facts
                        .table
                        .as_ref()
                        .map_or(name.as_str(), |table| table.name.as_str())
                )
            ),
        ),
        Ok(recovery) => window(name, &job.span, recovery, now, judged),
        // A table that does not exist was told already.
        Err(_) if facts.table.is_err() => {}
        Err(failure) => judged.warn(format!(
            "whether point-in-time recovery is enabled for table {name} is unknown: {failure}"
        )),
    }
}

/// Whether a table's ARN names another partition or account than the source's. `DescribeTable` is
/// asked by name, so that its answer would be another table's.
fn asks_elsewhere(job: &TableJob, source: &Session, judged: &mut Judged) -> bool {
    let TableRef::Arn(arn) = &job.table else {
        return false;
    };
    let account = &source.identity.account;
    if let Some(blocker) = limits::across(&format!("table {arn}"), arn, source.partition()) {
        judged.blockers.push(blocker);
        return true;
    }
    match arn.account_id() {
        Some(owner) if owner != *account => {
            judged.block(
                format!("table {arn} belongs to account {owner}, the source is {account}"),
                "an export is started in the table's own account: choose a profile of it",
            );
            true
        }
        _ => false,
    }
}

/// A table that is named once by its name and once by its ARN would be exported twice.
pub(super) fn twins(requests: &[ExportRequest], judged: &mut Judged) {
    let same = |one: &ExportRequest, other: &ExportRequest| {
        let other = ExportRequest {
            client_token: one.client_token.clone(),
            ..other.clone()
        };
        *one == other
    };
    for (index, request) in requests.iter().enumerate() {
        let before = requests.iter().take(index);
        if before.into_iter().any(|earlier| same(earlier, request)) {
            judged.block(
                format!(
                    "the plan names table {} twice with the same settings",
                    request.table_arn
                ),
                "remove one of the two, or change its time, format or filter",
            );
        }
    }
}

fn missing_table(name: &str, failure: &Failure, judged: &mut Judged) {
    if failure.code.as_deref() == Some("ResourceNotFoundException") {
        judged.block(
            format!("table {name} does not exist in the source's account and Region"),
            "check the name and the Region; a table of another Region is named by its ARN",
        );
    } else if failure.kind == FailureKind::Credentials {
        judged.block(failure.to_string(), "sign in again");
    } else {
        judged.warn(format!("table {name} could not be read: {failure}"));
    }
}

/// Judges the times asked for against the recovery window.
fn window(
    name: &str,
    span: &Span,
    recovery: &PointInTimeRecovery,
    now: Timestamp,
    judged: &mut Judged,
) {
    let (first, last) = match span {
        Span::Full { time: None } => return,
        Span::Full { time: Some(time) } => (*time, *time),
        Span::Incremental { from, to, .. } => (*from, *to),
    };
    if let Some(earliest) = recovery.earliest
        && first < earliest
    {
        judged.block(
            format!("{first} lies before the recovery window of table {name}, which begins at {earliest}"),
            "choose a later time",
        );
    }
    // The window's end moves on while we look; an incremental window may end up to now.
    let end = match span {
        Span::Full { .. } => recovery.latest,
        Span::Incremental { .. } => Some(now),
    };
    if let Some(latest) = end
        && last > latest
    {
        judged.block(
            format!(
                "{last} lies after the recovery window of table {name}, which ends at {latest}"
            ),
            "choose an earlier time: the window ends about five minutes before now",
        );
    }
}

/// What one call will do, in a sentence.
pub(super) fn sentence(request: &ExportRequest) -> String {
    let table = request
        .table_arn
        .resource_after("table")
        .unwrap_or(&request.table_arn.resource);
    let what = match &request.span {
        Span::Full { time: None } => format!("export table {table} as it is now"),
        Span::Full { time: Some(time) } => format!("export table {table} as it was at {time}"),
        Span::Incremental { from, to, .. } => {
            format!("export what changed in table {table} from {from} to {to}")
        }
    };
    let prefix = request
        .prefix
        .as_ref()
        .map_or_else(String::new, |prefix| format!("/{prefix}"));
    let owner = request
        .bucket_owner
        .as_ref()
        .map_or_else(String::new, |owner| format!(" of account {owner}"));
    let encryption = match &request.encryption {
        Encryption::Aes256 => "encrypted with S3's own keys (AES256)".to_owned(),
        Encryption::Kms { key: Some(key) } => format!("encrypted with KMS key {key}"),
        Encryption::Kms { key: None } => "encrypted with the AWS managed key aws/s3".to_owned(),
    };
    let format = match request.format {
        Format::DynamoDbJson => "",
        Format::Ion => ", in ION",
    };
    let filter = match &request.filter {
        None => "",
        Some(_) => ", filtered",
    };
    format!(
        "{what}{filter}{format} to s3://{}{prefix}{owner}, {encryption}",
        request.bucket
    )
}
