//! How a side signs in: the keys of a section for profiles, roles and sessions.

use toml::Spanned;

use super::SignIn;
use super::consistency::ConsistencyCheck;
use super::section::Section;
use super::value::{self, SessionText};
use super::violation::Violations;

/// The keys of a side that say how it signs in.
pub(super) const KEYS: [&str; 8] = [
    "profile",
    "region",
    "role",
    "external_id",
    "session_name",
    "source_identity",
    "duration_seconds",
    "mfa_serial",
];

/// Reads the keys of a side that say how it signs in; without a profile there is no sign-in.
pub(super) fn read(
    section: Section<'_, '_>,
    side: &str,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<SignIn> {
    let profile = section.text_that("profile", violations, value::profile);
    let region = section.text_that("region", violations, value::region);
    if let Some(region) = &region {
        consistency.note_region(&format!("the {side}'s Region"), region);
    }
    let role = section.text_that("role", violations, value::role);
    if let Some(role) = &role {
        consistency.note_arn(&format!("the {side}'s role"), role.get_ref(), role.span());
        if let ("source", Some(account)) = (side, role.get_ref().account_id()) {
            consistency.note_caller("the source's role", account, role.span());
        }
    }
    let mut session_text =
        |kind: SessionText| section.text_that(kind.key(), violations, |text| kind.parse(text));
    let mfa_serial = session_text(SessionText::MfaSerial);
    let external_id = session_text(SessionText::ExternalId);
    let session_name = session_text(SessionText::SessionName);
    let source_identity = session_text(SessionText::SourceIdentity);
    if let Some(serial) = &mfa_serial
        && let Ok(device) = serial.get_ref().parse()
    {
        consistency.note_arn(&format!("the {side}'s MFA device"), &device, serial.span());
    }
    let duration_seconds = duration(section, violations);
    Some(SignIn {
        profile: profile?.into_inner(),
        region: region.map(Spanned::into_inner),
        role: role.map(Spanned::into_inner),
        external_id: external_id.map(Spanned::into_inner),
        session_name: session_name.map(Spanned::into_inner),
        source_identity: source_identity.map(Spanned::into_inner),
        duration_seconds,
        mfa_serial: mfa_serial.map(Spanned::into_inner),
    })
}

fn duration(section: Section<'_, '_>, violations: &mut Violations) -> Option<u32> {
    let seconds = section.integer("duration_seconds", violations)?;
    value::duration_seconds(&seconds.to_string())
        .map_err(|invalid| violations.add_invalid(seconds.span().start, &invalid))
        .ok()
}

/// Reads how the destination signs in, which it need not.
pub(super) fn read_destination(
    section: Section<'_, '_>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<SignIn> {
    let sign_in = read(section, "destination", consistency, violations);
    if section.value("profile").is_none() {
        for key in KEYS {
            if let Some(at) = section.place_of(key) {
                violations.add(
                    at,
                    format!("[destination] has `{key}` and no `profile` to use it with"),
                    format!("add `profile = \"…\"`, or remove `{key}`"),
                );
            }
        }
    }
    sign_in
}
