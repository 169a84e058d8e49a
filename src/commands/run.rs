//! `tableferry run PLAN`: prove, read, ask, start, follow, verify.

mod dry_run;

use std::cell::Cell;
use std::io::IsTerminal;

use futures_util::future;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::check::{self, verdict_object};
use super::follow::{Scope, end, go_on, hint_to_resume, standing, tell_what_is_left, with_events};
use super::hold;
use super::only;
use super::plan_file::read_plan;
use super::report::Report;
use super::sign_in::{ask, prove_both};
use crate::args::RunArgs;
use crate::assess::facts::Facts;
use crate::assess::fingerprint::fingerprints;
use crate::assess::requirement::Criticality;
use crate::assess::verdict::{
    AssessedRequirement, Check, Counts, Overall, SettledBy, Verdict, grouped_by_cause, judge,
    overall,
};
use crate::job::Plan;
use crate::journal::{JournalError, RunId, RunRecord, Stage};
use crate::work::{
    Briefing, ControlDocuments, Duplicate, Event, RunOutcome, StartError, Verify, Work,
};

/// Runs a plan; what went wrong was printed.
pub async fn run(work: &Work, args: &RunArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = try_run(work, args, cancel, &report).await;
    report.finish(work.tally());
    report.told(exit.unwrap_or_else(|exit| exit))
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
    let plan = only::restrict(read_plan(&args.plan, report)?, &args.only, report)?;
    if !args.yes && !args.dry_run && !std::io::stdin().is_terminal() {
        report.error(
            "a start must be agreed to, and there is no terminal to ask on",
            Some("add --yes"),
        );
        return Err(Exit::Usage);
    }
    until_cancelled(&cancel, report, prove_both(work, &plan, report)).await?;
    let (plan, given_up) = if args.only.is_empty() {
        (plan, Vec::new())
    } else {
        let left = only::leave_out_held(work, plan, args.again, report)?;
        (left.plan, left.given_up)
    };
    let prepared = async {
        let controls = ControlDocuments::default();
        let (briefing, facts) =
            future::join(work.prepare(&plan), work.survey_access(&plan, &controls)).await;
        let told = |error| told_start(report, &error);
        Ok((briefing.map_err(told)?, facts.map_err(told)?))
    };
    let (mut briefing, facts) = until_cancelled(&cancel, report, prepared).await?;
    briefing.given_up = given_up;
    briefing.fingerprints = fingerprints(&plan, &facts);
    if args.again {
        // Asked for, whoever else runs the same.
        briefing.newest = RunId(i64::MAX);
    }
    report.briefing(&briefing);
    super::refuse_beyond_limits(
        &work.beyond_limits(&plan, &facts),
        "nothing was started",
        report,
    )?;
    let verdicts = judge(&plan, &facts, Timestamp::now());
    let foreseen = predict(&verdicts, report);
    if args.dry_run {
        return dry_run::conclude(
            args,
            &plan,
            &briefing,
            &facts,
            (&verdicts, &foreseen),
            report,
        );
    }
    blocked(args, &briefing, &foreseen, report)?;
    if !args.again {
        refuse_repeated_failure(&verdicts, report)?;
    }
    if args.strict {
        strictly_allowed(&verdicts, report)?;
    }
    let open = open_to_the_end(&verdicts);
    match decide(args, &briefing, open, report, &cancel).await? {
        Decision::Start => {
            await_changes(work, &plan, &facts, &cancel, report).await?;
            let exit = start(work, args, &plan, &briefing, cancel, report).await;
            explain_by_changes(exit, &facts, report)
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

/// Waits for what comes before the start; `Err` where it is cut off.
async fn until_cancelled<T>(
    cancel: &CancellationToken,
    report: &Report,
    before: impl Future<Output = Result<T, Exit>>,
) -> Result<T, Exit> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            report.line("nothing was started");
            Err(Exit::CutOff)
        }
        done = before => done,
    }
}

pub(super) fn told_start(report: &Report, error: &StartError) -> Exit {
    match error {
        StartError::Journal(journal) => {
            report.error(&journal.to_string(), Some(&journal.hint()));
            Exit::Refused
        }
        StartError::BrokenOff { run, cause } => {
            report.error(&cause.to_string(), Some(&hint_to_resume(cause, *run)));
            Exit::CutOff
        }
        StartError::NotSignedIn => {
            report.error(&error.to_string(), Some("sign in first"));
            Exit::CutOff
        }
        StartError::ReadOnly => {
            report.error(
                &error.to_string(),
                Some("leave --read-only out to start it"),
            );
            Exit::Refused
        }
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
    // Whatever it comes to: what nothing short of an export tries, this export tries.
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

/// Tells what is not allowed, unknowns of one cause in one line, and returns what is denied.
fn predict(verdicts: &[AssessedRequirement], report: &Report) -> Vec<AssessedRequirement> {
    let open: Vec<&AssessedRequirement> = verdicts
        .iter()
        .filter(|verdict| !verdict.outcome.is_allowed())
        .collect();
    for verdict in &open {
        report.object(&verdict_object(verdict));
    }
    let told = open.iter().copied().filter(|verdict| !is_fatal(verdict));
    for group in grouped_by_cause(told) {
        let verdict = group.verdict;
        let more = match group.alike.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        report.line(&format!(
            "warning: {} {}{more}: {}",
            verdict.outcome.as_str(),
            verdict.requirement,
            verdict.explanation
        ));
    }
    open.into_iter()
        .filter(|verdict| is_fatal(verdict))
        .cloned()
        .collect()
}

/// What failed before, with nothing changed since, is not started by `--yes`, nor by a yes.
fn refuse_repeated_failure(verdicts: &[AssessedRequirement], report: &Report) -> Result<(), Exit> {
    let failed = verdicts
        .iter()
        .find(|verdict| verdict.is_of(Check::EarlierFailure));
    let Some(failed) = failed else {
        return Ok(());
    };
    report.error(
        &failed.explanation,
        Some("nothing was started; --again starts it all the same"),
    );
    Err(Exit::Refused)
}

/// `--strict`: nothing is started on what nobody read.
fn strictly_allowed(verdicts: &[AssessedRequirement], report: &Report) -> Result<(), Exit> {
    if overall(verdicts, true) == Overall::Allowed {
        return Ok(());
    }
    report.error(
        &format!(
            "--strict: not all is allowed by what was read ({})",
            Counts::of(verdicts)
        ),
        Some("`tableferry check --strict` with this plan tells what is missing"),
    );
    report.line("nothing was started");
    Err(Exit::Refused)
}

/// How many unknowns only the export itself settles.
fn open_to_the_end(verdicts: &[AssessedRequirement]) -> usize {
    let is_open = |verdict: &&AssessedRequirement| {
        matches!(
            &verdict.outcome,
            Verdict::Unknown { settled_by, .. } if *settled_by != SettledBy::Start
        ) && verdict.criticality == Criticality::Required
    };
    verdicts.iter().filter(is_open).count()
}

/// Whether the export is certain to fail by it.
fn is_fatal(verdict: &AssessedRequirement) -> bool {
    verdict.outcome == Verdict::Denied && verdict.criticality == Criticality::Required
}

fn blocked(
    args: &RunArgs,
    briefing: &Briefing,
    foreseen: &[AssessedRequirement],
    report: &Report,
) -> Result<(), Exit> {
    for blocker in &briefing.blockers {
        report.error(&blocker.what, Some(&blocker.hint));
    }
    for verdict in foreseen {
        if briefing.blockers.is_empty() || !is_told_by_blockers(verdict) {
            let what = format!("{}: {}", verdict.requirement, verdict.explanation);
            let hint = match verdict.hint.as_str() {
                "" => "`tableferry check` with this plan shows what mends it",
                hint => hint,
            };
            report.error(&what, Some(hint));
        }
    }
    if (briefing.blockers.is_empty() && foreseen.is_empty()) || args.force {
        Ok(())
    } else {
        report.line("nothing was started; --force starts all the same");
        Err(Exit::Refused)
    }
}

/// What the reading before a start tells by itself need not be told twice.
fn is_told_by_blockers(verdict: &AssessedRequirement) -> bool {
    [
        Check::Bucket,
        Check::BucketOwner,
        Check::Table,
        Check::Recovery,
        Check::Window,
    ]
    .into_iter()
    .any(|check| verdict.is_of(check))
}

/// What is done about a plan.
enum Decision {
    Start,
    Follow(RunId),
    Finished(RunRecord),
}

/// Asks, or takes `--yes` for an answer. Without a person, what is under way is followed and what
/// was completed within the hour is shown: nothing is exported twice unless `--again` says so.
async fn decide(
    args: &RunArgs,
    briefing: &Briefing,
    open: usize,
    report: &Report,
    cancel: &CancellationToken,
) -> Result<Decision, Exit> {
    let earlier = briefing.earlier.first().filter(|_| !args.again);
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
        &briefing.duplicates[..]
    };
    if args.yes {
        return match earlier {
            Some(run) if run.is_open() => Ok(Decision::Follow(run.id)),
            Some(run) => {
                report.line("nothing new was started; --again exports once more");
                Ok(Decision::Finished(run.clone()))
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
    plan: &Plan,
    briefing: &Briefing,
    cancel: CancellationToken,
    report: &Report,
) -> Result<Exit, Exit> {
    report.start_bar(briefing.requests.len());
    let (sender, mut events) = mpsc::unbounded_channel();
    let number = Cell::new(RunId(0));
    let print = |event: &Event| {
        if let Event::Journalled { run } = event {
            number.set(RunId(*run));
        }
        report.event(number.get(), event);
    };
    let deed = work.start(plan, briefing, sender.clone(), &cancel);
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
            let exit = told_start(report, &error);
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
    Ok(end(work, run, followed, report))
}

/// The journal can no longer be written: what was started runs on, and is told.
fn broken_off(work: &Work, run: RunId, error: &StartError, report: &Report) -> Exit {
    let exit = told_start(report, error);
    let outcome = standing(work, run, report);
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
    let Some(outcome) = standing(work, run, report) else {
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
