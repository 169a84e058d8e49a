//! `--expires`: what is asked of remedies, from the command line and from earlier exports.

use super::error::CommandError;
use crate::args::GrantOptionArgs;
use crate::assess::assessment::Assessment;
use crate::assess::remedy::{GrantOptions, estimate};

/// The grant options of a plan's remedies.
pub(super) fn grant_options(
    args: GrantOptionArgs,
    assessment: &Assessment,
) -> Result<GrantOptions, CommandError> {
    let Some(expiry) = args.expires else {
        return Ok(GrantOptions::default());
    };
    let now = assessment.made_at;
    let Some(expires) = expiry.from(now) else {
        return Err(CommandError::usage(
            "the time of --expires has passed: what is granted would never hold",
        )
        .hint("give a time to come, or a duration such as 2h"));
    };
    let grant_options = GrantOptions {
        expires: Some(expires),
        estimate: estimate(&assessment.plan, &assessment.facts),
    };
    if let Some(least) = grant_options.is_shorter_than(now) {
        // Rounded up, so that what is named is taken.
        let minutes = least.as_secs().saturating_add(59) / 60;
        return Err(CommandError::usage(
            "--expires is too short: a grant must hold at least three times as long as the export \
             takes, since every upload is judged by it",
        )
        .hint(format!(
            "the longest export of these tables so far tells the least: --expires {minutes}m"
        )));
    }
    Ok(grant_options)
}
