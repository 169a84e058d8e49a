//! `run --dry-run`: what a start would be refused for, and the commands that make the same exports.

use serde_json::json;

use super::{check, denials};
use crate::args::StartArgs;
use crate::assess::assessment::Assessment;
use crate::commands::Exit;
use crate::commands::report::Report;
use crate::job::by_hand;
use crate::work::StartSummary;

/// Tells what stands in the way and prints the commands; the exit status is that of `check`, or 3 where
/// what was read before the start speaks against it.
pub(super) fn conclude(
    args: &StartArgs,
    assessment: &Assessment,
    summary: &StartSummary,
    report: &Report,
) -> Exit {
    // It is what a dry run is for, and not what it fails by.
    let denied = denials(assessment);
    if let Some(denied) = &denied {
        report.error(denied);
    }
    let is_beyond_force = assessment.is_beyond_force();
    let is_refused = denied.is_some() && (is_beyond_force || !args.force);
    report.line(match (is_refused, is_beyond_force) {
        (false, _) => "nothing is started: this is a dry run",
        (true, true) => "nothing is started: this is a dry run, and a start would be refused",
        (true, false) => {
            "nothing is started: this is a dry run, and a start would be refused without --force"
        }
    });
    let source = assessment.facts.source();
    let sign_in = &assessment.plan.source.sign_in;
    match by_hand(
        &summary.requests,
        sign_in,
        &source.caller.arn,
        &source.region,
    ) {
        Ok(commands) => {
            report.line("# The same by hand, with the AWS CLI in a POSIX shell:");
            commands.lines().for_each(|line| report.line(line));
            report.object(&json!({ "event": "by_hand", "commands": commands }));
        }
        Err(why) => {
            report.line(&format!("# There is no command that does the same: {why}"));
            report.object(&json!({ "event": "by_hand", "commands": null, "reason": why }));
        }
    }
    if is_refused {
        Exit::Refused
    } else {
        check::exit(assessment.overall(args.strict))
    }
}
