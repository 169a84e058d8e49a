//! Verdicts on tables: that they are there, in the account that exports, with point-in-time recovery
//! on, and that the times asked for lie in its window.

use jiff::{SignedDuration, Timestamp};

use crate::assess::facts::{Fact, Facts, Recovery, TableFacts};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, MissingInput, SettledBy, Verdict};
use crate::job::{ExportRequest, Kind, Plan, Span, TableJob, TableStatus, recovery_command};

/// Judges every table of a plan.
pub(super) fn judge(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<AssessedRequirement> {
    let mut verdicts: Vec<AssessedRequirement> = Vec::new();
    let empty = TableFacts::new(String::new());
    for job in &plan.tables {
        let asked = job.table.to_string();
        let table = facts.table(&asked).unwrap_or(&empty);
        let existence = expected_of(plan, existence(plan, facts, job, table));
        let is_there = existence.outcome != Verdict::Denied;
        push_once(&mut verdicts, existence);
        if is_there {
            let recovery = expected_of(plan, recovery(&asked, table));
            let is_on = recovery.outcome != Verdict::Denied;
            push_once(&mut verdicts, recovery);
            let known = table.recovery.value().filter(|_| is_on);
            verdicts.extend(known.and_then(|known| window(job, table, known, now)));
        }
    }
    verdicts.extend(repeated(plan, facts));
    verdicts
}

/// Without the words of a refused export where nothing is exported: a load is kept back by us, not by AWS.
fn expected_of(plan: &Plan, verdict: AssessedRequirement) -> AssessedRequirement {
    match plan.kind {
        Kind::Load(_) => AssessedRequirement {
            expected_error: None,
            ..verdict
        },
        _ => verdict,
    }
}

/// A table that is named once by its name and once by its ARN would be exported twice.
fn repeated(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    let source = facts.source();
    let requests: Vec<ExportRequest> = plan
        .tables
        .iter()
        .map(|job| {
            let arn = plan.table_arn(job, &source.caller.account, &source.region);
            plan.request(job, arn, None, String::new())
        })
        .collect();
    let again = requests.iter().enumerate().filter(|(index, request)| {
        requests
            .iter()
            .take(*index)
            .any(|earlier| earlier == *request)
    });
    again
        .map(|(_, request)| {
            let table = request.table_arn.to_string();
            AssessedRequirement::check(Check::DuplicateRequest, table.as_str(), Verdict::Denied)
                .because(format!(
                    "the plan names table {table} twice with the same settings"
                ))
                .fixed_by(
                    Responsible::You,
                    "remove one of the two, or change its time, format or filter",
                )
        })
        .collect()
}

fn push_once(verdicts: &mut Vec<AssessedRequirement>, verdict: AssessedRequirement) {
    if !verdicts.contains(&verdict) {
        verdicts.push(verdict);
    }
}

fn existence(
    plan: &Plan,
    facts: &Facts,
    job: &TableJob,
    table: &TableFacts,
) -> AssessedRequirement {
    let source = &facts.source().caller.account;
    let name = job.table.to_string();
    let arn = plan.table_arn(job, source, &facts.source().region);
    let check = |outcome| AssessedRequirement::check(Check::Table, name.as_str(), outcome);
    if arn.account != source.as_str() {
        return check(Verdict::Denied)
            .because(format!(
                "table {arn} belongs to account {}, the source is {source}",
                arn.account
            ))
            .fixed_by(
                Responsible::You,
                "sign in to the table's own account as the source",
            )
            .expecting("Access is denied");
    }
    match &table.description {
        Fact::Known { value, .. } => {
            let verdict = check(Verdict::CLEAR).because(format!("it is {}", value.status));
            match &value.status {
                TableStatus::Active | TableStatus::Updating => verdict,
                status => verdict.caution(format!("the table is {status}")),
            }
        }
        Fact::Absent { .. } => check(Verdict::Denied)
            .because(format!("there is no table {arn}"))
            .fixed_by(
                Responsible::You,
                "check the name and the Region; a table of another Region is named by its ARN",
            )
            .expecting("Table not found: "),
        other => check(Verdict::Unknown {
            unread: MissingInput::of_setting(
                other,
                format!("table {name}"),
                "dynamodb:DescribeTable",
            ),
            settled_by: SettledBy::Start,
        })
        .because("the table could not be read"),
    }
}

fn recovery(name: &str, table: &TableFacts) -> AssessedRequirement {
    let check = |outcome| AssessedRequirement::check(Check::Recovery, name, outcome);
    match &table.recovery {
        Fact::Known { value, .. } if value.is_enabled => check(Verdict::CLEAR).because("it is on"),
        Fact::Known { .. } | Fact::Absent { .. } => check(Verdict::Denied)
            .because(format!(
                "point-in-time recovery is not enabled for table {name}"
            ))
            .fixed_by(
                Responsible::You,
                format!(
                    "enable it and wait a few minutes: {}",
                    recovery_command(table.name().unwrap_or(name))
                ),
            )
            .expecting("Point in time recovery is not enabled for table"),
        other => check(Verdict::Unknown {
            unread: MissingInput::of_setting(
                other,
                format!("the point-in-time recovery of table {name}"),
                "dynamodb:DescribeContinuousBackups",
            ),
            settled_by: SettledBy::Start,
        })
        .because("whether it is on could not be read"),
    }
}

/// How long after point-in-time recovery was switched on the first incremental export was taken, as public
/// projects saw it.
const UNTIL_FIRST_WINDOW: SignedDuration = SignedDuration::from_mins(16);

/// Judges the times of a job. The window's end moves on with the time, so that it is carried forward
/// from when it was read.
fn window(
    job: &TableJob,
    table: &TableFacts,
    recovery: &Recovery,
    now: Timestamp,
) -> Option<AssessedRequirement> {
    let name = job.table.to_string();
    let denied = |why: String, hint: String, text: &'static str| {
        Some(
            AssessedRequirement::check(Check::Window, name.as_str(), Verdict::Denied)
                .because(why)
                .fixed_by(Responsible::You, hint)
                .expecting(text),
        )
    };
    let latest = latest(table, recovery, now);
    match &job.span {
        Span::Full { time: None } => {}
        Span::Full { time: Some(time) } => {
            if *time > now {
                return denied(
                    format!("{time} lies in the future"),
                    "leave the time out for the latest state".to_owned(),
                    "Export Time is invalid",
                );
            }
            if let Some(earliest) = recovery.earliest.filter(|earliest| time < earliest) {
                return denied(
                    format!(
                        "{time} lies before the recovery window of table {name}, which begins at {earliest}"
                    ),
                    format!("choose a time from {earliest} on"),
                    "Export Time is invalid",
                );
            }
            if let Some(latest) = latest.filter(|latest| time > latest) {
                return denied(
                    format!(
                        "{time} lies after the recovery window of table {name}, which ends at {latest}"
                    ),
                    "choose an earlier time, or leave it out for the latest state".to_owned(),
                    "Point in Time Recovery is not available for specified export time",
                );
            }
        }
        Span::Incremental { from, to, .. } => {
            let created = table.description.value().and_then(|table| table.created_at);
            if let Some(created) = created.filter(|created| from < created) {
                return denied(
                    format!("{from} lies before the table was made, at {created}"),
                    format!("choose a beginning from {created} on"),
                    "Incremental export period from time cannot be less than the table creation time : ",
                );
            }
            if *to > now {
                return denied(
                    format!("{to} lies in the future"),
                    format!("choose an end no later than {now}"),
                    "Incremental export period to time cannot be greater than the current time : ",
                );
            }
            if let Some(earliest) = recovery.earliest.filter(|earliest| from < earliest) {
                let first = earliest
                    .saturating_add(UNTIL_FIRST_WINDOW)
                    .unwrap_or(earliest);
                let hint = if first > now {
                    format!(
                        "point-in-time recovery was switched on at {earliest}, so that the first window of \
                         15 minutes can be exported from about {first} on: wait until then"
                    )
                } else {
                    format!(
                        "choose a beginning from {earliest} on, and an end 15 minutes later at least"
                    )
                };
                return denied(
                    format!(
                        "{from} lies before the recovery window of table {name}, which begins at {earliest}"
                    ),
                    hint,
                    "Export Time is invalid",
                );
            }
            let first = recovery
                .earliest
                .and_then(|earliest| earliest.saturating_add(UNTIL_FIRST_WINDOW).ok());
            if let Some(first) = first.filter(|first| *first > now) {
                let verdict =
                    AssessedRequirement::check(Check::Window, name.as_str(), Verdict::CLEAR);
                return Some(verdict.caution(format!(
                    "point-in-time recovery of table {name} was switched on minutes ago: incremental \
                     exports were refused until about {first}"
                )));
            }
        }
    }
    let is_timed = !matches!(job.span, Span::Full { time: None });
    is_timed.then(|| {
        AssessedRequirement::check(Check::Window, name, Verdict::CLEAR)
            .because("the time lies in the recovery window")
    })
}

fn latest(table: &TableFacts, recovery: &Recovery, now: Timestamp) -> Option<Timestamp> {
    let latest = recovery.latest?;
    let since = table
        .recovery
        .read_at()
        .map_or(SignedDuration::ZERO, |read| now.duration_since(read));
    latest
        .checked_add(since.max(SignedDuration::ZERO))
        .ok()
        .or(Some(latest))
}
