//! `tableferry check PLAN`: whether the plan's exports would work, before they are started.

mod probe;
pub(super) mod words;

pub(super) use words::verdict_object;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::facts_file::read_facts_file;
use super::output::write_json;
use super::plan_file::read_plan;
use super::report::Report;
use super::survey::{control_documents, read_facts, tell_unused};
use super::terms::terms;
use super::unfinished;
use crate::args::CheckArgs;
use crate::assess::explain::simulate_lines;
use crate::assess::facts::Facts;
use crate::assess::remedy::remedies;
use crate::assess::verdict::{Overall, judge, overall};
use crate::job::Plan;
use crate::work::{Blocker, Limits, Work};

/// Surveys both sides and judges the plan.
pub async fn check(work: &Work, args: &CheckArgs, cancel: CancellationToken) -> Exit {
    let report = report(args);
    let judged = async {
        probe::check_consent(work, args, &report)?;
        let plan = read_plan(&args.plan, &report)?;
        let controls = control_documents(&args.controls, &report)?;
        let mut facts = read_facts(work, &plan, &controls, &cancel, &report).await?;
        let beyond = work.beyond_limits(&plan, &facts);
        if args.probe && beyond.is_empty() {
            probe::probe(work, args, &plan, &mut facts, &cancel, &report).await?;
        } else if args.explain_needs.is_none() {
            unfinished::tell(work, &report);
        }
        Ok(conclude(args, &plan, &facts, &beyond, &report))
    };
    judged.await.unwrap_or_else(|exit: Exit| exit)
}

/// Judges the plan by the facts of a file; AWS is asked nothing.
pub fn check_file(args: &CheckArgs, limits: &Limits) -> Exit {
    let report = report(args);
    let judged = || {
        let plan = read_plan(&args.plan, &report)?;
        let mut facts = read_facts_file(&args.facts, &plan, &report)?;
        let controls = control_documents(&args.controls, &report)?;
        controls.put_into(&mut facts);
        tell_unused(&controls, &facts, &report);
        let beyond = limits.judge_facts(&plan, &facts);
        Ok(conclude(args, &plan, &facts, &beyond, &report))
    };
    judged().unwrap_or_else(|exit: Exit| exit)
}

/// Needs as lines leave standard output to themselves.
fn report(args: &CheckArgs) -> Report {
    if args.explain_needs.is_some() {
        Report::aside()
    } else {
        Report::new(args.output.output)
    }
}

/// Tells the verdicts, and what of the plan lies outside the configuration's limits.
fn conclude(
    args: &CheckArgs,
    plan: &Plan,
    facts: &Facts,
    beyond: &[Blocker],
    report: &Report,
) -> Exit {
    let now = Timestamp::now();
    let terms = match terms(args.terms, plan, facts, now, report) {
        Ok(terms) => terms,
        Err(exit) => return exit,
    };
    let verdicts = judge(plan, facts, now);
    let overall = overall(&verdicts, args.strict);
    if args.explain_needs.is_some() {
        for line in simulate_lines(plan, facts, now) {
            if let Err(error) = write_json(&line) {
                report.error(&format!("the needs cannot be written: {error}"), None);
                return Exit::Usage;
            }
        }
    } else {
        words::tell(report, facts, now, &verdicts);
        if overall != Overall::Allowed {
            words::tell_remedies(report, &remedies(plan, facts, now, terms));
        }
        words::tell_end(report, facts, now, &verdicts, overall);
    }
    for blocker in beyond {
        report.error(&blocker.what, Some(&blocker.hint));
    }
    if !beyond.is_empty() {
        return Exit::Refused;
    }
    report.told(exit(overall))
}

/// The exit status that verdicts come to.
pub(super) const fn exit(overall: Overall) -> Exit {
    match overall {
        Overall::Allowed => Exit::Done,
        Overall::Undecided => Exit::Undecided,
        Overall::Denied => Exit::Refused,
    }
}
