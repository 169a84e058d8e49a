//! `tableferry run PLAN`: prove, read, ask, start, follow, verify.

mod dry_run;

use std::cell::Cell;
use std::io::IsTerminal;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::check::{self, verdict_object, words};
use super::follow::{Scope, current_outcome, end, go_on, tell_what_is_left, with_events};
use super::hold;
use super::only;
use super::plan_file::read_plan;
use super::report::Report;
use super::sign_in::{ask, prove_both};
use super::start_error::report_start_error;
use crate::args::RunArgs;
use crate::assess::assessment::Assessment;
use crate::assess::facts::Facts;
use crate::assess::verdict::{
    AssessedRequirement, Check, Overall, Requirement, SettledBy, Verdict, grouped_by_cause,
};
use crate::diagnosis::earlier::earlier_causes;
use crate::job::Plan;
use crate::job::requirement::Criticality;
use crate::journal::{JournalError, RunId, RunRecord, Stage};
use crate::work::{
    ControlDocuments, Duplicate, Event, RunOutcome, StartError, StartSummary, Verify, Work,
};

/// Runs a plan; what went wrong was printed.
pub async fn run(work: &Work, args: &RunArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = try_run(work, args, cancel, &report).await;
    report.finish(work.tally());
    report.exit(exit.unwrap_or_else(|exit| exit))
}

/// `Err` where nothing was started.
async fn try_run(
    work: &Work,
    args: &RunArgs,
    cancel: CancellationToken,
    report: &Report,
) -> Result<Exit, Exit> {
    if !args.dry_run {
        super::check_may_change(work, "a run starts exports", report)?;
    }
    let plan = read_plan(&args.plan, report)?;
    if let Some((why, hint)) = plan.not_run() {
        report.error(&why, Some(&hint));
        return Err(Exit::Usage);
    }
    if !args.yes && !args.dry_run && !std::io::stdin().is_terminal() {
        report.error(
            "a start must be agreed to, and there is no terminal to ask on",
            Some("add --yes"),
        );
        return Err(Exit::Usage);
    }
    let resolved = async {
        if plan.is_resolved() {
            only::check(&plan, &args.only, report)?;
        }
        prove_both(work, &plan, report).await?;
        let resolved = work.resolve(&plan).await;
        resolved.map_err(|error| report_start_error(report, &error))
    };
    let plan = until_cancelled(&cancel, report, resolved).await?;
    let plan = only::restrict(plan, &args.only, report)?;
    let (plan, given_up) = if args.only.is_empty() {
        (plan, Vec::new())
    } else {
        let left = only::leave_out_held(work, plan, args.again, report)?;
        (left.plan, left.given_up)
    };
    let (assessment, mut summary) = assess(work, args, &plan, &cancel, report).await?;
    summary.given_up = given_up;
    report.start_summary(&summary);
    tell_what_is_open(&assessment, report);
    if args.dry_run {
        return dry_run::conclude(args, &assessment, &summary, report);
    }
    permit(args, &assessment, report)?;
    let open = open_to_the_end(&assessment);
    match decide(args, &summary, open, report, &cancel).await? {
        Decision::Start => {
            let (assessment, summary) = if assessment.is_stale(Timestamp::now()) {
                assess_again(work, args, &plan, summary, &cancel, report).await?
            } else {
                (assessment, summary)
            };
            await_changes(work, &plan, &assessment.facts, &cancel, report).await?;
            let exit = start(work, args, (&plan, &assessment), &summary, cancel, report).await;
            explain_by_changes(exit, &assessment.facts, report)
        }
        Decision::Follow(run) => {
            Ok(go_on(work, run, Scope::Everything(Verify::Open), cancel, report).await)
        }
        Decision::Finished(run) => {
            let outcome = RunOutcome {
                run: run.id,
                operations: run.operations,
            };
            report.keep(&outcome.operations);
            Ok(Exit::of(&outcome))
        }
    }
}

/// Assesses the plan, and draws up what a start would do.
async fn assess(
    work: &Work,
    args: &RunArgs,
    plan: &Plan,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(Assessment, StartSummary), Exit> {
    let controls = ControlDocuments::default();
    let assessed = async {
        let describe = |error| report_start_error(report, &error);
        let assessed = work.assess(plan, &controls).await.map_err(describe)?;
        let summary = work.summarize_start(&assessed).map_err(describe)?;
        Ok((assessed.assessment, summary))
    };
    let (assessment, mut summary) = until_cancelled(cancel, report, assessed).await?;
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
    args: &RunArgs,
    plan: &Plan,
    shown: StartSummary,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(Assessment, StartSummary), Exit> {
    report.line("what was read is more than ten minutes old: it is read again");
    let (assessment, summary) = assess(work, args, plan, cancel, report).await?;
    tell_what_is_open(&assessment, report);
    permit(args, &assessment, report)?;
    let is_new = |found: &&Duplicate| !shown.duplicates.contains(found);
    let new: Vec<Duplicate> = summary.duplicates.iter().filter(is_new).cloned().collect();
    if !args.again {
        refuse_duplicates(&new, report)?;
    }
    let summary = StartSummary {
        fingerprints: summary.fingerprints,
        ..shown
    };
    Ok((assessment, summary))
}

/// Whether what was read lets a start through, as far as the command line does not override it.
fn permit(args: &RunArgs, assessment: &Assessment, report: &Report) -> Result<(), Exit> {
    refuse_denied(args.force, assessment, report)?;
    if !args.again {
        refuse_repeated_failure(assessment, report)?;
    }
    if args.strict {
        strictly_allowed(assessment, report)?;
    }
    Ok(())
}

/// Waits for what comes before the start; `Err` where it is cut off.
async fn until_cancelled<T>(
    cancel: &CancellationToken,
    report: &Report,
    before: impl Future<Output = Result<T, Exit>>,
) -> Result<T, Exit> {
    // On the heap: the calls before a start, one inside the other, are deeper than a compiler likes.
    let before = Box::pin(before);
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            report.line("nothing was started");
            Err(Exit::CutOff)
        }
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
) -> Result<(), Exit> {
    let young = work.changes_to_wait_for(facts);
    if young.is_empty() {
        return Ok(());
    }
    // Whatever the result is: what nothing short of an export tries, this export tries.
    hold::wait(work, plan, &young, cancel, report).await;
    if cancel.is_cancelled() {
        report.line("nothing was started");
        return Err(Exit::CutOff);
    }
    Ok(())
}

/// A failure soon after a change is explained by it first.
fn explain_by_changes(
    exit: Result<Exit, Exit>,
    facts: &Facts,
    report: &Report,
) -> Result<Exit, Exit> {
    if matches!(exit, Ok(Exit::Failed)) {
        for change in &facts.changes {
            report.line(&format!(
                "{} was changed at {}, which can take minutes to hold everywhere: wait a little, \
                 and run the plan again before looking further",
                change.document, change.at
            ));
        }
    }
    exit
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
fn refuse_repeated_failure(assessment: &Assessment, report: &Report) -> Result<(), Exit> {
    let failed = assessment
        .requirements
        .iter()
        .find(|found| found.is_of(Check::EarlierFailure));
    let Some(failed) = failed else {
        return Ok(());
    };
    report.error(
        &failed.explanation,
        Some("nothing was started; --again starts it all the same"),
    );
    for line in earlier_causes(assessment) {
        report.line(&line);
    }
    Err(Exit::Refused)
}

/// `--strict`: nothing is started on what nobody read.
fn strictly_allowed(assessment: &Assessment, report: &Report) -> Result<(), Exit> {
    if assessment.overall(true) == Overall::Allowed {
        return Ok(());
    }
    report.error(
        &format!(
            "--strict: not all is allowed by what was read ({})",
            assessment.counts()
        ),
        Some("`tableferry check --strict` with this plan tells what is missing"),
    );
    report.line("nothing was started");
    Err(Exit::Refused)
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

/// Refuses what the export is certain to fail by; `is_forced` overrides what can be forced.
fn refuse_denied(is_forced: bool, assessment: &Assessment, report: &Report) -> Result<(), Exit> {
    let fatal: Vec<&AssessedRequirement> = assessment.fatal().collect();
    for group in grouped_by_cause(fatal.iter().copied()) {
        let found = group.verdict;
        let what = match (&found.requirement, group.in_family()) {
            (Requirement::Permission(_), _) => {
                format!("{}: {}", words::subjects(&group), found.explanation)
            }
            (Requirement::Check { .. }, None) => found.explanation.clone(),
            (Requirement::Check { .. }, Some(_)) => {
                format!(
                    "{}: the first: {}",
                    words::subjects(&group),
                    found.explanation
                )
            }
        };
        let hint = match found.hint.as_str() {
            "" => "`tableferry check` with this plan shows what fixes it",
            hint => hint,
        };
        report.error(&what, Some(hint));
    }
    if assessment.is_beyond_force() {
        report.line("nothing was started");
        return Err(Exit::Refused);
    }
    if fatal.is_empty() || is_forced {
        return Ok(());
    }
    report.line("nothing was started; --force starts all the same");
    Err(Exit::Refused)
}

/// What is done about a plan.
enum Decision {
    Start,
    Follow(RunId),
    Finished(Box<RunRecord>),
}

/// Asks, or takes `--yes` for an answer. Without a person, what is under way is followed and what
/// was completed within the hour is shown: nothing is exported twice unless `--again` says so.
async fn decide(
    args: &RunArgs,
    summary: &StartSummary,
    open: usize,
    report: &Report,
    cancel: &CancellationToken,
) -> Result<Decision, Exit> {
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
            Some(run) if run.is_open() => Ok(Decision::Follow(run.id)),
            Some(run) => {
                report.line("nothing new was started; --again exports once more");
                Ok(Decision::Finished(Box::new(run.clone())))
            }
            None => refuse_duplicates(duplicates, report).map(|()| Decision::Start),
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
        ("f" | "follow", Some(run)) if run.is_open() => Ok(Decision::Follow(run.id)),
        ("s" | "start", Some(_)) => Ok(Decision::Start),
        ("s" | "start", None) if !duplicates.is_empty() => Ok(Decision::Start),
        ("y" | "yes", None) if duplicates.is_empty() => Ok(Decision::Start),
        _ => {
            report.line("nothing was started");
            Err(Exit::Refused)
        }
    }
}

/// A duplicate that somebody else started is never started again by `--yes` alone.
fn refuse_duplicates(duplicates: &[Duplicate], report: &Report) -> Result<(), Exit> {
    if duplicates.is_empty() {
        return Ok(());
    }
    for duplicate in duplicates {
        report.error(
            &duplicate.sentence(),
            Some("nothing was started; wait for it, or export once more with --again"),
        );
    }
    Err(Exit::Refused)
}

async fn start(
    work: &Work,
    args: &RunArgs,
    (plan, assessment): (&Plan, &Assessment),
    summary: &StartSummary,
    cancel: CancellationToken,
    report: &Report,
) -> Result<Exit, Exit> {
    report.start_bar(summary.requests.len());
    let (sender, mut events) = mpsc::unbounded_channel();
    let number = Cell::new(RunId(0));
    let print = |event: &Event| {
        if let Event::Journalled { run } = event {
            number.set(RunId(*run));
        }
        report.event(number.get(), event);
    };
    let deed = work.start(plan, summary, sender.clone(), &cancel);
    let run = match with_events(deed, &mut events, print).await {
        Ok(run) => run,
        // Another process was faster with the same plan: there is nothing left but to follow it.
        Err(StartError::Journal(JournalError::BegunMeanwhile(twin))) if args.yes => {
            report.line(&format!(
                "run {twin}, begun meanwhile, asks for the same: following it"
            ));
            report.stop_bar();
            return Ok(go_on(work, twin, Scope::Everything(Verify::Open), cancel, report).await);
        }
        Err(StartError::BrokenOff { run, cause }) => {
            report.stop_bar();
            let error = StartError::BrokenOff { run, cause };
            return Ok(broken_off(work, run, &error, report));
        }
        Err(error) => {
            let exit = report_start_error(report, &error);
            report.line("nothing was started");
            return Err(exit);
        }
    };
    if args.no_wait {
        return Ok(not_waiting(work, run, report));
    }
    let follow = work.follow(run, Verify::Open, sender, cancel);
    let followed = with_events(follow, &mut events, print).await;
    report.stop_bar();
    Ok(end(work, run, followed, Some(assessment), report))
}

/// The journal can no longer be written: what was started runs on, and is told.
fn broken_off(work: &Work, run: RunId, error: &StartError, report: &Report) -> Exit {
    let exit = report_start_error(report, error);
    let outcome = current_outcome(work, run, report);
    if let Some(outcome) = &outcome {
        report.keep(&outcome.operations);
        tell_what_is_left(work, outcome, exit, report);
    }
    // Of a run that nobody can tell anything of, no call was answered either.
    let tally = work.tally();
    if tally.started + tally.maybe_started > 0 {
        return exit;
    }
    report.line("nothing was started");
    Exit::Refused
}

/// `--no-wait`: how the calls went is all there is to tell.
fn not_waiting(work: &Work, run: RunId, report: &Report) -> Exit {
    report.stop_bar();
    let Some(outcome) = current_outcome(work, run, report) else {
        return Exit::CutOff;
    };
    report.keep(&outcome.operations);
    tell_what_is_left(work, &outcome, Exit::Done, report);
    // What runs now is as it should be; what was not called yet is left to be done.
    let mut called = outcome.operations;
    called.retain(|export| export.stage != Stage::InProgress);
    Exit::of(&RunOutcome {
        run,
        operations: called,
    })
}
