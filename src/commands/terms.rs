//! `--expires`: what is asked of remedies, from the command line and from earlier exports.

use jiff::Timestamp;

use super::Exit;
use super::report::Report;
use crate::access::facts::Facts;
use crate::access::remedy::{Terms, estimate};
use crate::args::TermsArgs;
use crate::plan::Plan;

/// The terms of a plan's remedies; what is wrong with them was printed.
pub(super) fn terms(
    args: TermsArgs,
    plan: &Plan,
    facts: &Facts,
    now: Timestamp,
    report: &Report,
) -> Result<Terms, Exit> {
    let Some(expiry) = args.expires else {
        return Ok(Terms::default());
    };
    let Some(expires) = expiry.from(now) else {
        report.error(
            "the time of --expires has passed: what is granted would never hold",
            Some("give a time to come, or a duration such as 2h"),
        );
        return Err(Exit::Usage);
    };
    Ok(Terms {
        expires: Some(expires),
        estimate: estimate(plan, facts),
    })
}
