//! `tableferry explain` of a run, of an export or import by its ARN, and of a text with a plan whose
//! accounts are read now.

use std::io::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{assessment_json, exit_of, explain_input, write_assessment};
use crate::args::{ExplainArgs, Output};
use crate::assess::assessment::Assessment;
use crate::commands::error::CommandError;
use crate::commands::plan_file::read_plan;
use crate::commands::report::Report;
use crate::commands::sign_in::prove;
use crate::commands::survey::assess;
use crate::commands::{Exit, output};
use crate::diagnosis::OperationFailure;
use crate::diagnosis::changes::history::ChangeEntry;
use crate::diagnosis::changes::words as change_words;
use crate::diagnosis::circumstance::Circumstance;
use crate::diagnosis::group::ErrorGroups;
use crate::diagnosis::scan::FoundError;
use crate::diagnosis::words::{SCHEMA, describe_operation, to_json};
use crate::job::{Plan, SignIn};
use crate::journal::{RunId, RunRecord, Stage};
use crate::work::{ControlDocuments, FailedOperation, ReadHistory, Side, Work};
use tableferry_policy::arn::Arn;

/// Policies that were written within this time before a failure may not have held yet.
const PROPAGATION: SignedDuration = SignedDuration::from_mins(10);
/// How far back changes are looked for where no success is known.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 90);
/// The most changes that are told beside a failure.
const MOST_CHANGES: usize = 5;

/// What is explained with the accounts at hand.
enum ExplainTarget {
    Run(RunId),
    Operation(Arn),
    Input,
}

impl ExplainArgs {
    /// What is named: a number is a run, as for `verify`.
    fn target(&self) -> Result<ExplainTarget, String> {
        let [one] = self.what.as_slice() else {
            return Ok(ExplainTarget::Input);
        };
        if self.is_run() {
            let number = one.parse().map_err(|_| format!("there is no run {one}"))?;
            return Ok(ExplainTarget::Run(RunId(number)));
        }
        if self.is_operation() {
            let arn: Arn = one.parse().map_err(|error| format!("{one}: {error}"))?;
            return Ok(ExplainTarget::Operation(arn));
        }
        Ok(ExplainTarget::Input)
    }
}

/// Explains what the arguments name, by the journal and the accounts.
pub(in crate::commands) async fn explain(
    work: &Work,
    args: &ExplainArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let target = args.target().map_err(|problem| {
        CommandError::usage(problem).hint("`tableferry exports` lists the runs")
    })?;
    let explained = match target {
        ExplainTarget::Run(id) => of_run(work, args, id, cancel, report).await?,
        ExplainTarget::Operation(arn) => of_operation(work, args, &arn, cancel, report).await?,
        ExplainTarget::Input => {
            let read = live_assessment(work, args, None, cancel, report).await?;
            return explain_input(args, read.as_ref().map(|read| &read.assessment));
        }
    };
    tell(args, &explained, report)
}

/// What was read of the accounts.
struct LiveFacts {
    assessment: Assessment,
    history: ReadHistory,
}

/// Failed operations, with what is known beside them.
struct Explained {
    /// What was asked about, for people.
    title: String,
    failures: Vec<FailedOperation>,
    /// What did not fail, a sentence each.
    others: Vec<String>,
    live: Option<LiveFacts>,
}

/// The failed operations of a run, by the journal.
async fn of_run(
    work: &Work,
    args: &ExplainArgs,
    id: RunId,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Explained, CommandError> {
    let record = work.run(id)?.ok_or_else(|| {
        CommandError::no_such_run(id)
            .hint("`tableferry exports` lists the runs; a file named like a number is ./NUMBER")
    })?;
    let failures: Vec<FailedOperation> = record
        .operations
        .iter()
        .filter_map(FailedOperation::of)
        .collect();
    let others = record
        .operations
        .iter()
        .filter(|one| !matches!(one.stage, Stage::Failed | Stage::Refused))
        .map(|one| {
            format!(
                "{}: {}, which is no failure",
                one.name(),
                one.stage.as_str()
            )
        })
        .collect();
    let live = if failures.is_empty() || args.offline {
        None
    } else {
        live_facts_of_run(work, args, &record, cancel, report).await?
    };
    Ok(Explained {
        title: format!("run {id} to {}", record.destination),
        failures,
        others,
        live,
    })
}

/// The accounts of a run's plan as they are now; none where they cannot be read, which is said.
async fn live_facts_of_run(
    work: &Work,
    args: &ExplainArgs,
    run: &RunRecord,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Option<LiveFacts>, CommandError> {
    let name = format!("the plan of run {}", run.id);
    let plan = if args.plan.is_some() {
        None
    } else {
        match Plan::parse(&run.plan, &name, Timestamp::now()) {
            Ok(plan) => Some(plan),
            Err(violations) => {
                report.error(&violations.into());
                return Ok(None);
            }
        }
    };
    match live_assessment(work, args, plan, cancel, report).await {
        Err(error) if cancel.is_cancelled() => Err(error),
        Err(error) => {
            report.error(&error);
            report.line("the accounts were not read: what follows goes by the journal alone");
            Ok(None)
        }
        Ok(read) => Ok(read),
    }
}

/// Signs in as a plan says, reads both accounts, assesses the plan, and looks up who changed what.
async fn live_assessment(
    work: &Work,
    args: &ExplainArgs,
    plan: Option<Plan>,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Option<LiveFacts>, CommandError> {
    let plan = match (plan, &args.plan) {
        (Some(plan), _) => plan,
        (None, Some(path)) => read_plan(path)?,
        (None, None) => return Ok(None),
    };
    let controls = ControlDocuments::default();
    let read = assess(work, &plan, &controls, cancel, report).await?;
    let now = Timestamp::now();
    let since = now.checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
    let facts = &read.assessment.facts;
    let plan = &read.assessment.plan;
    let reading = work.change_history(plan, facts, since, Vec::new());
    let history = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(CommandError::cut_off()),
        history = reading => history,
    };
    Ok(Some(LiveFacts {
        assessment: read.assessment,
        history,
    }))
}

/// An export or import by its ARN, as AWS describes it now.
async fn of_operation(
    work: &Work,
    args: &ExplainArgs,
    arn: &Arn,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Explained, CommandError> {
    let live = live_assessment(work, args, None, cancel, report).await?;
    if live.is_none() {
        sign_in(work, args, report).await?;
    }
    let (failures, others) = match work.described_failure(arn).await? {
        Ok(failed) => (vec![failed], Vec::new()),
        Err(status) => (
            Vec::new(),
            vec![format!("{arn}: {status}, which is no failure")],
        ),
    };
    Ok(Explained {
        title: arn.to_string(),
        failures,
        others,
        live,
    })
}

/// Signs in as the profile that is named, or the one that `AWS_PROFILE` chooses.
async fn sign_in(work: &Work, args: &ExplainArgs, report: &Report) -> Result<(), CommandError> {
    let Some(profile) = args.profile.clone().or_else(|| work.profiles().chosen) else {
        return Err(
            CommandError::usage("no profile is named that could ask after it").hint(
                "give --plan FILE or --profile NAME of the table's account, or set AWS_PROFILE",
            ),
        );
    };
    let how = SignIn {
        profile,
        ..SignIn::default()
    };
    prove(work, Side::Source, &how, report).await
}

/// The errors of failed operations with their diagnoses, in their order.
fn groups_of(explained: &Explained) -> ErrorGroups {
    let mut groups = ErrorGroups::default();
    for (line, failed) in (1..).zip(&explained.failures) {
        let error = failed.failure.reported();
        let live = explained.live.as_ref();
        let known = |error: &_| {
            let assessment = live.map(|live| &live.assessment);
            let mut known = failed.failure.circumstances(error, assessment);
            if let Some(change) =
                live.and_then(|live| changed_before(&failed.failure, &live.history))
            {
                known.add(change);
            }
            known
        };
        groups.add(FoundError { line, error }, known);
    }
    groups
}

/// Whether a policy was written so shortly before a failure that it may not have held; `None` where that
/// is not known.
fn changed_before(failure: &OperationFailure, read: &ReadHistory) -> Option<Circumstance> {
    if read.history.was_changed_before(failure.at?, PROPAGATION)? {
        return Some(Circumstance::ChangedMinutesAgo);
    }
    read.not_read
        .is_empty()
        .then_some(Circumstance::NotChangedLately)
}

fn tell(args: &ExplainArgs, explained: &Explained, report: &Report) -> Result<Exit, CommandError> {
    let groups = groups_of(explained);
    match args.output.output {
        Output::Json => output::write_value(&json_of(explained, &groups))?,
        Output::Text => write_words(explained, &groups)?,
    }
    if let Some(live) = &explained.live {
        for problem in &live.history.not_read {
            report.line(problem);
        }
    }
    Ok(if explained.failures.is_empty() {
        Exit::Done
    } else {
        exit_of(&groups)
    })
}

fn write_words(explained: &Explained, groups: &ErrorGroups) -> std::io::Result<()> {
    let mut out = output::words();
    writeln!(out, "{}", explained.title)?;
    for other in &explained.others {
        writeln!(out, "  {other}")?;
    }
    for group in groups.in_order() {
        let names: Vec<&str> = explained
            .failures
            .iter()
            .filter(|failed| failed.failure.reported() == group.error)
            .map(|failed| failed.name.as_str())
            .collect();
        writeln!(out, "{}", describe_operation(group, &names))?;
    }
    if let Some(live) = &explained.live {
        write_assessment(groups, &live.assessment, &mut out)?;
        let changes: Vec<&ChangeEntry> = live.history.history.since_success().collect();
        if !changes.is_empty() {
            writeln!(out, "Changed since the last success:")?;
        }
        for entry in changes.iter().take(MOST_CHANGES) {
            for line in change_words::describe(entry).lines() {
                writeln!(out, "  {line}")?;
            }
        }
        if changes.len() > MOST_CHANGES {
            let more = changes.len() - MOST_CHANGES;
            writeln!(
                out,
                "  and {more} more: `tableferry changes PLAN` tells all"
            )?;
        }
    }
    if !explained.failures.is_empty() {
        writeln!(
            out,
            "When it is fixed, `tableferry run PLAN` starts what failed anew, with a new client token"
        )?;
    }
    out.flush()
}

fn json_of(explained: &Explained, groups: &ErrorGroups) -> Value {
    let operations: Vec<Value> = explained
        .failures
        .iter()
        .map(|failed| {
            json!({
                "name": failed.name, "arn": failed.arn, "refused": failed.failure.is_refused,
                "failed_at": failed.failure.at,
            })
        })
        .collect();
    let mut object = json!({
        "schema": SCHEMA,
        "of": explained.title,
        "operations": operations,
        "errors": groups.in_order().iter().map(to_json).collect::<Vec<_>>(),
    });
    if let Some(live) = &explained.live {
        object["refused_by_plan"] = assessment_json(&live.assessment);
        let history = &live.history.history;
        object["last_success"] = json!(history.last_success);
        object["changes"] = history.since_success().map(change_words::to_json).collect();
        object["not_read"] = json!(live.history.not_read);
    }
    object
}
