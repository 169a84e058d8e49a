//! `--facts FILE`: facts that `survey` wrote, of this plan.

use super::Exit;
use super::report::Report;
use crate::args::FactsArgs;
use crate::assess::facts::{Facts, MatchedFacts, PrincipalFacts};
use crate::aws::session::Identity;
use crate::job::Plan;
use crate::text_file;
use crate::work::{Event, Side};

/// Reads the facts that a plan is judged by, and tells whose they are; what is wrong with them was
/// printed. The plan comes back with tables in place of its patterns.
pub(super) fn read_facts_file(
    args: &FactsArgs,
    plan: &Plan,
    report: &Report,
) -> Result<(Plan, Facts), Exit> {
    let facts = read(args, report)?;
    let plan = facts.resolve(plan).map_err(|mismatch| {
        report.error(&mismatch.what, Some(&mismatch.hint));
        Exit::Usage
    })?;
    tell_identity(Side::Source, facts.source(), report);
    if let Some(destination) = facts.destination() {
        tell_identity(Side::Destination, destination, report);
    }
    let MatchedFacts { facts, notes } =
        facts.match_plan(&plan, &args.of).map_err(|mismatches| {
            for mismatch in mismatches {
                report.error(&mismatch.what, Some(&mismatch.hint));
            }
            Exit::Usage
        })?;
    for message in notes {
        report.happened(&Event::Noted { message });
    }
    Ok((plan, facts))
}

fn read(args: &FactsArgs, report: &Report) -> Result<Facts, Exit> {
    let hint = "`tableferry survey PLAN > facts.json` writes one";
    let describe = |message: String| {
        report.error(&message, Some(hint));
        Exit::Usage
    };
    let Some(path) = &args.file else {
        return Err(describe("no file of facts was named".to_owned()));
    };
    let text = text_file::read(path)
        .map_err(|error| describe(format!("cannot read the facts {}: {error}", path.display())))?;
    Facts::from_json(&text).map_err(|error| describe(format!("{}: {error}", path.display())))
}

/// Whose the facts are, as a sign-in tells it.
fn tell_identity(side: Side, facts: &PrincipalFacts, report: &Report) {
    let caller = facts.caller.clone();
    report.happened(&Event::Identified {
        side,
        identity: Identity {
            account: caller.account,
            arn: caller.arn,
            user_id: caller.user_id,
        },
    });
}
