//! Verdicts on times and quotas: what is left of the session, how many exports run, what was started
//! or changed a moment ago.

use jiff::{SignedDuration, Timestamp};

use crate::assess::facts::{Facts, RecentChange};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, MissingInput, Verdict};
use crate::job::ExportStatus;
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::evaluate::Dependency;

/// Under this much of a session left, it is said.
const SHORT_SESSION: SignedDuration = SignedDuration::from_mins(30);
/// How long a change of a policy may take to hold: "a few minutes" for KMS ("AWS KMS eventual
/// consistency"), and the like for IAM.
const SPREADING: SignedDuration = SignedDuration::from_mins(5);
/// Within this time, a second export of one table to one place is rather a slip.
const SAME_PLACE: SignedDuration = SignedDuration::from_hours(1);
/// The most exports that an account may have in flight ("Quotas in Amazon DynamoDB").
const MOST_EXPORTS: u32 = 300;
/// The most bytes of tables that may be in flight: 100 TB.
const MOST_BYTES: u64 = 100 * 1_000_000_000_000;
/// The longest session of a chained role, in seconds ("Methods to assume a role").
const LONGEST_CHAINED: u32 = 3600;

/// Judges times and quotas.
pub(super) fn judge(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<AssessedRequirement> {
    let mut verdicts = Vec::new();
    verdicts.extend(chained(plan, facts));
    verdicts.extend(session(facts, now));
    verdicts.push(quota(plan, facts));
    verdicts.extend(same_place(plan, facts, now));
    verdicts.extend(recent_changes(facts, now));
    verdicts
}

fn chained(plan: &Plan, facts: &Facts) -> Option<AssessedRequirement> {
    let seconds = plan.source.sign_in.duration_seconds?;
    let base = facts.source().assumed_from.value()?;
    let is_chained = base.service == "sts" && base.resource.starts_with("assumed-role/");
    (is_chained && seconds > LONGEST_CHAINED).then(|| {
        AssessedRequirement::check(Check::Session, base.to_string(), Verdict::Denied)
            .because(format!(
                "the role is assumed from the role session {base}, and {seconds} seconds are asked for"
            ))
            .fixed_by(Responsible::You, "set source.duration_seconds to 3600 or less")
            .expecting("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
    })
}

/// Whether an export outlives the session that started it is not documented: nothing is claimed.
fn session(facts: &Facts, now: Timestamp) -> Option<AssessedRequirement> {
    let ends = *facts.source().expires_at.value()?;
    let left = ends.duration_since(now);
    let verdict = AssessedRequirement::check(
        Check::Session,
        facts.source().caller.arn.to_string(),
        Verdict::CLEAR,
    )
    .because(format!("the source's session ends at {ends}"));
    Some(if left <= SignedDuration::ZERO {
        verdict.caution("the session has ended: sign in again before the start")
    } else if left < SHORT_SESSION {
        verdict.caution(format!(
            "only {} minutes of the session are left; whether an export outlives the session that \
             started it is not documented",
            left.as_mins()
        ))
    } else {
        verdict
    })
}

fn quota(plan: &Plan, facts: &Facts) -> AssessedRequirement {
    let account = facts.source().caller.account.as_str();
    let in_flight = &facts.account_of(Actor::Exporter).in_flight;
    let check = |outcome| AssessedRequirement::check(Check::Quota, account, outcome);
    let Some(running) = in_flight.value() else {
        let assumed = MissingInput::of_setting(
            in_flight,
            format!("the running exports of {account}"),
            "dynamodb:ListExports",
        );
        let outcome = if in_flight.is_absent() {
            Verdict::CLEAR
        } else {
            Verdict::Allowed { assumed }
        };
        return check(outcome).because("no running export was seen");
    };
    let more = u32::try_from(plan.tables.len()).unwrap_or(u32::MAX);
    let count = running.count.saturating_add(more);
    let sizes = facts
        .tables()
        .filter_map(|(_, table)| table.description.value()?.size_bytes);
    let bytes = sizes.fold(running.bytes.unwrap_or(0), u64::saturating_add);
    let room = check(Verdict::CLEAR).because(format!(
        "{} exports run, and {MOST_EXPORTS} may",
        running.count
    ));
    // What finds no room waits for it.
    if count > MOST_EXPORTS {
        return room.caution(format!(
            "{count} exports would be in flight, and {MOST_EXPORTS} may be: the others wait, and each \
             is started when another has ended"
        ));
    }
    if bytes > MOST_BYTES {
        return room.caution(
            "more than 100 TB of tables would be in flight, which is all that may be: what finds no room \
             waits until others have ended",
        );
    }
    room
}

fn same_place(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<AssessedRequirement> {
    let source = facts.source();
    let mut verdicts = Vec::new();
    for job in &plan.tables {
        let arn = plan
            .table_arn(job, &source.caller.account, &source.region)
            .to_string();
        let earlier = facts.exports.iter().find(|export| {
            let age = now.duration_since(export.started_at);
            export.table_arn == arn
                && export.bucket == plan.destination.bucket.as_str()
                && export.prefix.as_deref() == plan.destination.prefix()
                && export.status != ExportStatus::Failed
                && age >= SignedDuration::ZERO
                && age < SAME_PLACE
        });
        if let Some(earlier) = earlier {
            let text = format!(
                "the same table was exported to the same place at {} ({}, {})",
                earlier.started_at, earlier.status, earlier.export_arn
            );
            verdicts.push(
                AssessedRequirement::check(Check::SamePlace, job.table.to_string(), Verdict::CLEAR)
                    .because(text.clone())
                    .caution(text),
            );
        }
    }
    verdicts
}

fn recent_changes(facts: &Facts, now: Timestamp) -> Vec<AssessedRequirement> {
    let role = facts.source().role.value().and_then(|role| {
        Some(RecentChange {
            document: format!("role {}", role.arn),
            at: role.created_at?,
        })
    });
    facts
        .changes
        .iter()
        .chain(&role)
        .filter_map(|change| {
            let holds_from = change.at.checked_add(SPREADING).ok()?;
            (now < holds_from).then(|| {
                AssessedRequirement::check(
                    Check::YoungChange,
                    change.document.as_str(),
                    Verdict::Depends {
                        on: Dependency::on("whether the change holds by now"),
                        unread: Vec::new(),
                    },
                )
                .because(format!(
                    "{} was made or changed at {}, and a change can take minutes to hold",
                    change.document, change.at
                ))
                .fixed_by(Responsible::You, format!("wait until {holds_from}"))
            })
        })
        .collect()
}
