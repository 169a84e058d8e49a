//! `tableferry run PLAN`: prove, read, ask, start, follow, verify.

mod dry_run;

use std::cell::Cell;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::check::{self, verdict_object, words};
use super::error::{CommandError, Problem, Said};
use super::follow::{FollowScope, current_outcome, end, go_on, what_is_left, with_events};
use super::hold;
use super::only;
use super::plan_file::read_plan;
use super::refusal::{check_can_ask, check_may_change};
use super::report::Report;
use super::sign_in::{ask, prove_both};
use crate::args::{ImportStartArgs, LoadStartArgs, RunArgs, StartArgs};
use crate::assess::assessment::Assessment;
use crate::assess::facts::Facts;
use crate::assess::verdict::{
    AssessedRequirement, Check, Overall, Requirement, SettledBy, Verdict, VerdictGroup,
    grouped_by_cause,
};
use crate::diagnosis::earlier::earlier_causes;
use crate::job::Plan;
use crate::job::requirement::Criticality;
use crate::journal::{JournalError, RunId, RunRecord, Stage};
use crate::work::{
    ControlDocuments, DuplicateExport, Event, RunOutcome, StartError, StartSummary, Verify, Work,
};

/// Runs a plan.
pub(super) async fn run(
    work: &Work,
    args: &RunArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    may_start(work, &args.start)?;
    let plan = read_plan(&args.plan)?;
    if plan.new_table().is_some() {
        let start = import_start(args)?;
        return super::import::carry_out(work, &plan, &start, cancel, report).await;
    }
    if plan.load().is_some() {
        let start = load_start(args)?;
        return super::load::carry_out(work, &plan, &start, cancel, report).await;
    }
    let tables = if args.only.is_empty() {
        TableChoice::All
    } else {
        TableChoice::Only(&args.only)
    };
    let staged = plan.mask.is_some().then(|| plan.destination.bucket.clone());
    let exit = run_plan(work, &args.start, (plan, tables), cancel, report).await?;
    if let Some(bucket) = staged
        && exit == Exit::Done
        && !(args.start.dry_run || args.start.no_wait)
    {
        let plan = args.plan.display();
        report.line(&format!(
            "the items lie in {bucket} as they are; `tableferry mask RUN --plan {plan}` masks them on their way \
             into the destination"
        ));
    }
    Ok(exit)
}

/// Which tables of a plan are started.
#[derive(Debug, Clone, Copy)]
pub(super) enum TableChoice<'a> {
    /// All of them.
    All,
    /// Those of these names, as far as their exports are neither complete nor under way.
    Only(&'a [String]),
    /// All whose exports are neither complete nor under way.
    NotHeld,
}

/// Refuses a start, before anything is read, where nothing may be changed.
pub(super) fn may_start(work: &Work, args: &StartArgs) -> Result<(), CommandError> {
    if args.dry_run {
        return Ok(());
    }
    check_may_change(work, "a run starts exports")
}

/// Runs a plan, wherever it came from. `Err` where nothing was started.
pub(super) async fn run_plan(
    work: &Work,
    args: &StartArgs,
    (plan, tables): (Plan, TableChoice<'_>),
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    if let Some((why, hint)) = plan.not_run() {
        return Err(CommandError::usage(why).hint(hint));
    }
    let only = match tables {
        TableChoice::Only(only) => only,
        TableChoice::All | TableChoice::NotHeld => &[],
    };
    if plan.is_resolved() {
        only::check(&plan, only)?;
    }
    check_can_ask(args.yes || args.dry_run, "a start", "add --yes")?;
    let resolved = async {
        prove_both(work, &plan, report).await?;
        Ok(work.resolve(&plan).await?)
    };
    let plan = until_cancelled(cancel, resolved).await?;
    let plan = only::restrict(plan, only)?;
    let (plan, given_up) = if matches!(tables, TableChoice::All) {
        (plan, Vec::new())
    } else {
        let left = only::leave_out_held(work, plan, args.again, report)?;
        (left.plan, left.given_up)
    };
    let (assessment, mut summary) = assess(work, args, &plan, cancel).await?;
    summary.given_up = given_up;
    report.start_summary(&summary);
    tell_what_is_open(&assessment, report);
    if args.dry_run {
        return Ok(dry_run::conclude(args, &assessment, &summary, report));
    }
    permit(args, &assessment, report)?;
    let open = open_to_the_end(&assessment);
    match decide(args, &summary, open, report, cancel).await? {
        RunDecision::Start => {
            let (assessment, summary) = if assessment.is_stale(Timestamp::now()) {
                assess_again(work, args, &plan, summary, cancel, report).await?
            } else {
                (assessment, summary)
            };
            await_changes(work, &plan, &assessment.facts, cancel, report).await?;
            let exit = start(work, args, (&plan, &assessment), &summary, cancel, report).await;
            if matches!(exit, Ok(Exit::Failed)) {
                explain_by_changes(&assessment.facts, report);
            }
            exit
        }
        RunDecision::Follow(run) => {
            let scope = FollowScope::Everything(Verify::Open);
            go_on(work, run, scope, cancel.clone(), report).await
        }
        RunDecision::Finished(run) => {
            let outcome = RunOutcome {
                run: run.id,
                operations: run.operations,
            };
            report.keep(&outcome.operations);
            Ok(Exit::of(&outcome))
        }
    }
}

/// The options of a start that an import has, too.
fn import_start(args: &RunArgs) -> Result<ImportStartArgs, CommandError> {
    let start = &args.start;
    check_can_ask(start.yes || start.dry_run, "a start", "add --yes")?;
    Ok(ImportStartArgs {
        yes: start.yes,
        no_wait: start.no_wait,
        force: start.force,
        dry_run: start.dry_run,
        production: args.production.clone(),
        output: start.output,
    })
}

/// The options of a start that a load or a replay has, too.
fn load_start(args: &RunArgs) -> Result<LoadStartArgs, CommandError> {
    let start = &args.start;
    check_can_ask(
        start.yes || start.dry_run,
        "a start",
        "add --yes --confirm TABLE",
    )?;
    Ok(LoadStartArgs {
        yes: start.yes,
        confirm: args.confirm.clone(),
        force: start.force,
        dry_run: start.dry_run,
        production: args.production.clone(),
        output: start.output,
    })
}

/// Assesses the plan, and draws up what a start would do.
async fn assess(
    work: &Work,
    args: &StartArgs,
    plan: &Plan,
    cancel: &CancellationToken,
) -> Result<(Assessment, StartSummary), CommandError> {
    let controls = ControlDocuments::default();
    let assessed = async {
        let assessed = work.assess(plan, &controls).await?;
        let summary = work.summarize_start(&assessed)?;
        Ok((assessed.assessment, summary))
    };
    let (assessment, mut summary) = until_cancelled(cancel, assessed).await?;
    if args.again {
        // Asked for, no matter who else runs the same.
        summary.newest = None;
    }
    Ok((assessment, summary))
}

/// Assesses anew what was agreed to more than ten minutes after it was read. The run that was shown
/// is the one that is started: its tokens stay, and a run begun since still keeps it from starting.
async fn assess_again(
    work: &Work,
    args: &StartArgs,
    plan: &Plan,
    shown: StartSummary,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(Assessment, StartSummary), CommandError> {
    report.line("what was read is more than ten minutes old: it is read again");
    let (assessment, summary) = assess(work, args, plan, cancel).await?;
    tell_what_is_open(&assessment, report);
    permit(args, &assessment, report)?;
    let is_new = |found: &&DuplicateExport| !shown.duplicates.contains(found);
    let new: Vec<DuplicateExport> = summary.duplicates.iter().filter(is_new).cloned().collect();
    if !args.again {
        refuse_duplicates(&new)?;
    }
    let summary = StartSummary {
        fingerprints: summary.fingerprints,
        ..shown
    };
    Ok((assessment, summary))
}

/// Whether what was read lets a start through, as far as the command line does not override it.
fn permit(args: &StartArgs, assessment: &Assessment, report: &Report) -> Result<(), CommandError> {
    refuse_denied(args.force, assessment, report)?;
    if !args.again {
        refuse_repeated_failure(assessment)?;
    }
    if args.strict {
        strictly_allowed(assessment)?;
    }
    Ok(())
}

/// Waits for what comes before the start; `Err` where it is cut off.
pub(super) async fn until_cancelled<T>(
    cancel: &CancellationToken,
    before: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    // On the heap: the calls before a start, one inside the other, are deeper than a compiler likes.
    let before = Box::pin(before);
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CommandError::cut_off().line("nothing was started")),
        done = before => done,
    }
}

/// Waits for what was changed minutes ago, which an export started at once may fail by.
async fn await_changes(
    work: &Work,
    plan: &Plan,
    facts: &Facts,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(), CommandError> {
    let young = work.changes_to_wait_for(facts);
    if young.is_empty() {
        return Ok(());
    }
    // Whatever the result is: what nothing short of an export tries, this export tries.
    hold::wait(work, plan, &young, cancel, report).await;
    if cancel.is_cancelled() {
        return Err(CommandError::cut_off().line("nothing was started"));
    }
    Ok(())
}

/// A failure soon after a change is explained by it first.
fn explain_by_changes(facts: &Facts, report: &Report) {
    for change in &facts.changes {
        report.line(&format!(
            "{} was changed at {}, which can take minutes to hold everywhere: wait a little, and run \
             the plan again before looking further",
            change.document, change.at
        ));
    }
}

/// Tells what is not allowed and yet does not stop a start, unknowns of one cause in one line.
fn tell_what_is_open(assessment: &Assessment, report: &Report) {
    let open: Vec<&AssessedRequirement> = assessment
        .requirements
        .iter()
        .filter(|found| !found.outcome.is_allowed())
        .collect();
    for found in &open {
        report.object(&verdict_object(found));
    }
    let fatal: Vec<&AssessedRequirement> = assessment.fatal().collect();
    let told = open.iter().copied().filter(|found| !fatal.contains(found));
    for group in grouped_by_cause(told) {
        let found = group.verdict;
        let what = group
            .in_family()
            .unwrap_or_else(|| match group.alike.len() {
                0 => found.requirement.to_string(),
                more => format!("{} and {more} more", found.requirement),
            });
        report.line(&format!(
            "warning: {} {what}: {}",
            found.outcome.as_str(),
            found.explanation
        ));
    }
}

/// What failed before, with nothing changed since, is not started by `--yes`, nor by a yes.
fn refuse_repeated_failure(assessment: &Assessment) -> Result<(), CommandError> {
    let failed = assessment
        .requirements
        .iter()
        .find(|found| found.is_of(Check::EarlierFailure));
    let Some(failed) = failed else {
        return Ok(());
    };
    Err(CommandError::refused(&failed.explanation)
        .hint("nothing was started; --again starts it all the same")
        .followed_by(earlier_causes(assessment).into_iter().map(Said::Line)))
}

/// `--strict`: nothing is started on what nobody read.
fn strictly_allowed(assessment: &Assessment) -> Result<(), CommandError> {
    if assessment.overall(true) == Overall::Allowed {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "--strict: not all is allowed by what was read ({})",
        assessment.counts()
    ))
    .hint("`tableferry check --strict` with this plan tells what is missing")
    .line("nothing was started"))
}

/// How many unknowns only the export itself settles.
fn open_to_the_end(assessment: &Assessment) -> usize {
    let is_open = |found: &&AssessedRequirement| {
        matches!(
            &found.outcome,
            Verdict::Unknown { settled_by, .. } if *settled_by != SettledBy::Start
        ) && found.criticality == Criticality::Required
    };
    assessment.requirements.iter().filter(is_open).count()
}

/// Refuses what the export is certain to fail by; `is_forced` overrides what can be forced, which is told
/// all the same.
pub(super) fn refuse_denied(
    is_forced: bool,
    assessment: &Assessment,
    report: &Report,
) -> Result<(), CommandError> {
    match (denials(assessment), is_forced) {
        (None, _) => Ok(()),
        (Some(denied), _) if assessment.is_beyond_force() => {
            Err(denied.line("nothing was started"))
        }
        (Some(denied), true) => {
            report.error(&denied);
            Ok(())
        }
        (Some(denied), false) => {
            Err(denied.line("nothing was started; --force starts all the same"))
        }
    }
}

/// What a start is certain to fail by.
fn denials(assessment: &Assessment) -> Option<CommandError> {
    let fatal = grouped_by_cause(assessment.fatal());
    let denied = CommandError::several(Exit::Refused, fatal.iter().map(denied));
    (assessment.is_beyond_force() || !denied.problems().is_empty()).then_some(denied)
}

fn denied(group: &VerdictGroup<'_>) -> Problem {
    let found = group.verdict;
    let what = match (&found.requirement, group.in_family()) {
        (Requirement::Permission(_), _) => {
            format!("{}: {}", words::subjects(group), found.explanation)
        }
        (Requirement::Check { .. }, None) => found.explanation.clone(),
        (Requirement::Check { .. }, Some(_)) => {
            format!(
                "{}: the first: {}",
                words::subjects(group),
                found.explanation
            )
        }
    };
    let hint = match found.hint.as_str() {
        "" => "`tableferry check` with this plan shows what fixes it",
        hint => hint,
    };
    Problem::new(what).hint(hint)
}

/// What is done about a plan.
enum RunDecision {
    Start,
    Follow(RunId),
    Finished(Box<RunRecord>),
}

/// Asks, or takes `--yes` for an answer. Without a person, what is under way is followed and what
/// was completed within the hour is shown: nothing is exported twice unless `--again` says so.
async fn decide(
    args: &StartArgs,
    summary: &StartSummary,
    open: usize,
    report: &Report,
    cancel: &CancellationToken,
) -> Result<RunDecision, CommandError> {
    let earlier = summary.earlier.first().filter(|_| !args.again);
    if let Some(run) = earlier {
        report.line(&format!(
            "run {} of {} asks for the same and {}",
            run.id,
            run.created_at,
            if run.is_open() {
                "is under way"
            } else {
                "was completed within the hour"
            }
        ));
    }
    let duplicates = if args.again {
        &[][..]
    } else {
        &summary.duplicates[..]
    };
    if args.yes {
        return match earlier {
            Some(run) if run.is_open() => Ok(RunDecision::Follow(run.id)),
            Some(run) => {
                report.line("nothing new was started; --again exports once more");
                Ok(RunDecision::Finished(Box::new(run.clone())))
            }
            None => refuse_duplicates(duplicates).map(|()| RunDecision::Start),
        };
    }
    for duplicate in duplicates {
        report.line(&duplicate.sentence());
    }
    let question = match earlier {
        Some(run) if run.is_open() => {
            "follow it (f), start another (s), or leave it (N)? ".to_owned()
        }
        Some(_) => "start another (s), or leave it (N)? ".to_owned(),
        None if !duplicates.is_empty() => "start another (s), or leave it (N)? ".to_owned(),
        None if open > 0 => format!(
            "whether AWS allows it is unknown in {open} points, which the start does not settle; \
             start (y/N)? "
        ),
        None => "start (y/N)? ".to_owned(),
    };
    let answer = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        answer = ask(question) => answer,
    };
    match (answer.unwrap_or_default().to_lowercase().as_str(), earlier) {
        ("f" | "follow", Some(run)) if run.is_open() => Ok(RunDecision::Follow(run.id)),
        ("s" | "start", Some(_)) => Ok(RunDecision::Start),
        ("s" | "start", None) if !duplicates.is_empty() => Ok(RunDecision::Start),
        ("y" | "yes", None) if duplicates.is_empty() => Ok(RunDecision::Start),
        _ => Err(CommandError::silent(Exit::Refused).line("nothing was started")),
    }
}

/// A duplicate that somebody else started is never started again by `--yes` alone.
fn refuse_duplicates(duplicates: &[DuplicateExport]) -> Result<(), CommandError> {
    if duplicates.is_empty() {
        return Ok(());
    }
    let hint = "nothing was started; wait for it, or export once more with --again";
    let problems = duplicates
        .iter()
        .map(|duplicate| Problem::new(duplicate.sentence()).hint(hint));
    Err(CommandError::several(Exit::Refused, problems))
}

async fn start(
    work: &Work,
    args: &StartArgs,
    (plan, assessment): (&Plan, &Assessment),
    summary: &StartSummary,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    report.start_bar(summary.requests.len());
    let (sender, mut events) = mpsc::unbounded_channel();
    // No event of an export comes before the run is in the journal.
    let number = Cell::new(None);
    let print = |event: &Event| {
        if let Event::Journalled { run } = event {
            number.set(Some(*run));
        }
        match number.get() {
            Some(run) => report.event(run, event),
            None => report.happened(event),
        }
    };
    let deed = work.start(plan, summary, sender.clone(), cancel);
    let run = match with_events(deed, &mut events, print).await {
        Ok(run) => run,
        // Another process was faster with the same plan: there is nothing left but to follow it.
        Err(StartError::Journal(JournalError::BegunMeanwhile(twin))) if args.yes => {
            report.line(&format!(
                "run {twin}, begun meanwhile, asks for the same: following it"
            ));
            report.stop_bar();
            let scope = FollowScope::Everything(Verify::Open);
            return go_on(work, twin, scope, cancel.clone(), report).await;
        }
        Err(StartError::BrokenOff { run, cause }) => {
            report.stop_bar();
            let error = StartError::BrokenOff { run, cause };
            return Err(broken_off(work, run, error, report));
        }
        Err(error) => return Err(CommandError::from(error).line("nothing was started")),
    };
    if args.no_wait {
        return not_waiting(work, run, report);
    }
    let follow = work.follow(run, Verify::Open, sender, cancel.clone());
    let followed = with_events(follow, &mut events, print).await;
    report.stop_bar();
    end(work, run, followed, Some(assessment), cancel, report).await
}

/// The journal can no longer be written: what was started runs on, and is told.
fn broken_off(work: &Work, run: RunId, error: StartError, report: &Report) -> CommandError {
    let error = CommandError::from(error);
    let error = match current_outcome(work, run) {
        Ok(Some(outcome)) => {
            report.keep(&outcome.operations);
            let left = what_is_left(work, &outcome, error.exit());
            error.followed_by(left)
        }
        Ok(None) => error,
        Err(unread) => error.and(unread),
    };
    // Of a run that nobody can tell anything of, no call was answered either.
    let tally = work.tally();
    if tally.started + tally.maybe_started > 0 {
        return error;
    }
    error.ending(Exit::Refused).line("nothing was started")
}

/// `--no-wait`: how the calls went is all there is to tell.
pub(super) fn not_waiting(work: &Work, run: RunId, report: &Report) -> Result<Exit, CommandError> {
    report.stop_bar();
    let outcome = current_outcome(work, run).map_err(|error| error.ending(Exit::CutOff))?;
    let outcome = outcome.ok_or_else(CommandError::cut_off)?;
    report.keep(&outcome.operations);
    report.say(&what_is_left(work, &outcome, Exit::Done));
    // What runs now is as it should be; what was not called yet is left to be done.
    let mut called = outcome.operations;
    called.retain(|export| export.stage != Stage::InProgress);
    Ok(Exit::of(&RunOutcome {
        run,
        operations: called,
    }))
}
