//! `--facts FILE`: facts that `survey` wrote, of this plan.

use super::error::CommandError;
use super::report::Report;
use crate::args::FactsArgs;
use crate::assess::facts::{Facts, MatchedFacts, PrincipalFacts};
use crate::aws::session::Identity;
use crate::job::Plan;
use crate::text_file;
use crate::work::{Event, Side};

/// Reads the facts that a plan is judged by, and tells whose they are. The plan comes back with tables in
/// place of its patterns.
pub(super) fn read_facts_file(
    args: &FactsArgs,
    plan: &Plan,
    report: &Report,
) -> Result<(Plan, Facts), CommandError> {
    let facts = read(args)?;
    let plan = facts.resolve(plan).map_err(|mismatch| vec![mismatch])?;
    tell_identity(Side::Source, facts.source(), report);
    if let Some(destination) = facts.destination() {
        tell_identity(Side::Destination, destination, report);
    }
    let MatchedFacts { facts, notes } = facts.match_plan(&plan, &args.of)?;
    for message in notes {
        report.happened(&Event::Noted { message });
    }
    Ok((plan, facts))
}

fn read(args: &FactsArgs) -> Result<Facts, CommandError> {
    let no_facts = |message: String| {
        CommandError::usage(message).hint("`tableferry survey PLAN > facts.json` writes one")
    };
    let Some(path) = &args.file else {
        return Err(no_facts("no file of facts was named".to_owned()));
    };
    let name = path.display();
    let text = text_file::read(path)
        .map_err(|error| no_facts(format!("cannot read the facts {name}")).because(error))?;
    Facts::from_json(&text).map_err(|error| no_facts(format!("{name}: {error}")))
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
