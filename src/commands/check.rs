//! `tableferry check PLAN`: whether the plan's exports would work, before they are started.

mod probe;
pub(super) mod words;

pub(super) use words::verdict_object;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::error::CommandError;
use super::facts_file::read_facts_file;
use super::grant_options::grant_options;
use super::output::write_json;
use super::plan_file::read_plan;
use super::refusal::out_of_bounds;
use super::report::Report;
use super::survey::{assess, control_documents, tell_unused};
use super::unfinished;
use crate::args::CheckArgs;
use crate::assess::assessment::Assessment;
use crate::assess::explain::simulate_lines;
use crate::assess::limits::Limits;
use crate::assess::verdict::Overall;
use crate::work::Work;

/// Reads both sides and assesses the plan.
pub(super) async fn check(
    work: &Work,
    args: &CheckArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    probe::check_consent(work, args, &plan)?;
    let controls = control_documents(&args.controls)?;
    let mut assessed = assess(work, &plan, &controls, cancel, report).await?;
    let is_in_bounds = assessed.assessment.out_of_bounds().next().is_none();
    if args.probe && is_in_bounds {
        assessed = probe::probe(work, args, assessed, cancel, report).await?;
    } else if args.explain_needs.is_none() {
        unfinished::tell(work, report);
    }
    conclude(args, &assessed.assessment, report)
}

/// Assesses the plan by the facts of a file; AWS is asked nothing.
pub(super) fn check_file(
    args: &CheckArgs,
    limits: &Limits,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let (plan, mut facts) = read_facts_file(&args.facts, &plan, report)?;
    let controls = control_documents(&args.controls)?;
    controls.put_into(&mut facts);
    tell_unused(&controls, &facts, report);
    let assessment = Assessment::of(&plan, facts, limits, Timestamp::now());
    conclude(args, &assessment, report)
}

/// Needs as lines leave standard output to themselves.
pub(super) fn report(args: &CheckArgs) -> Report {
    if args.explain_needs.is_some() {
        Report::stderr()
    } else {
        Report::new(args.output.output)
    }
}

/// Tells the verdicts, what fixes what is not allowed, and what of the plan is out of bounds.
fn conclude(
    args: &CheckArgs,
    assessment: &Assessment,
    report: &Report,
) -> Result<Exit, CommandError> {
    let grant_options = grant_options(args.grant_options, assessment)?;
    let overall = assessment.overall(args.strict);
    if args.explain_needs.is_some() {
        for line in simulate_lines(&assessment.plan, &assessment.facts, assessment.made_at) {
            write_json(&line).map_err(|error| CommandError::unwritten("the needs", error))?;
        }
    } else {
        words::tell(report, assessment);
        if overall != Overall::Allowed {
            words::tell_remedies(report, &assessment.remedies(grant_options));
        }
        words::tell_end(report, assessment, overall);
    }
    match out_of_bounds(assessment) {
        Some(error) => Err(error.ending(exit(overall))),
        None => Ok(exit(overall)),
    }
}

/// The exit status that verdicts come to.
pub(super) const fn exit(overall: Overall) -> Exit {
    match overall {
        Overall::Allowed => Exit::Done,
        Overall::Undecided => Exit::Undecided,
        Overall::Denied => Exit::Refused,
    }
}
