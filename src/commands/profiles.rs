//! `tableferry profiles`: what can be chosen, what the SDK ignores, and why.

use serde_json::json;

use super::Exit;
use super::error::{CommandError, Problem};
use super::report::Report;
use crate::aws::profiles::Profile;
use crate::work::{Event, Work};
use tableferry_policy::arn::Region;

/// Lists the profiles of the shared files.
pub(super) fn profiles(work: &Work, report: &Report) -> Result<Exit, CommandError> {
    let profiles = work.profiles();
    for problem in &profiles.problems {
        report.problem(&Problem::new(problem));
    }
    for profile in &profiles.usable {
        report.line(&description(profile));
        report.object(&json!({
            "event": "profile",
            "name": profile.name,
            "kind": profile.kind.label(),
            "region": profile.region,
            "role_arn": profile.role_arn,
            "mfa_serial": profile.mfa_serial,
            "place": profile.place,
        }));
        for message in &profile.warnings {
            let message = format!("{}: {message}", profile.name);
            report.happened(&Event::Noted { message });
        }
    }
    for ignored in &profiles.ignored {
        report.line(&format!(
            "ignored: {} ({}): {}",
            ignored.name, ignored.place, ignored.reason
        ));
        report.object(&json!({
            "event": "ignored",
            "name": ignored.name,
            "place": ignored.place,
            "reason": ignored.reason,
        }));
    }
    if profiles.usable.is_empty() {
        return Err(
            CommandError::usage("there is no profile that can be chosen").hint(
                "`aws configure sso` or `aws configure` makes one; `tableferry --sandbox` needs none",
            ),
        );
    }
    Ok(Exit::Done)
}

fn description(profile: &Profile) -> String {
    let region = profile.region.as_ref().map_or("no Region", Region::as_str);
    let mut parts = vec![format!(
        "{:<28} {:<14} {region}",
        profile.name,
        profile.kind.label()
    )];
    parts.extend(profile.role_arn.as_ref().map(ToString::to_string));
    parts.extend(profile.mfa_serial.as_ref().map(|_| "MFA".to_owned()));
    let endpoints = profile.endpoints.iter();
    parts.extend(endpoints.map(|(service, url)| format!("endpoint of {service}: {url}")));
    parts.join("  ")
}
