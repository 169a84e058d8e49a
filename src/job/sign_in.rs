//! How a side signs in: the rules for profiles, roles and sessions, as the API reference of
//! `AssumeRole` gives them.

use super::SignIn;
use super::partition::Claims;
use super::section::{Section, characters};
use super::violation::Complaints;
use tableferry_policy::arn::{Arn, Region};

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
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Option<SignIn> {
    let profile = section.text_that("profile", complaints, profile_name);
    let region = section.text_that("region", complaints, region);
    if let Some(region) = &region {
        claims.note_region(&format!("the {side}'s Region"), region);
    }
    let role = section.text_that("role", complaints, role);
    if let Some(role) = &role {
        claims.note_arn(&format!("the {side}'s role"), &role.value, role.at);
        if let ("source", Some(account)) = (side, role.value.account_id()) {
            claims.note_caller("the source's role", account, role.at);
        }
    }
    let mfa_serial = limited(section, "mfa_serial", (9, 256), "+=/:,.@-", complaints);
    if let (Some(at), Some(Ok(device))) = (
        section.place_of("mfa_serial"),
        mfa_serial.as_ref().map(|serial| serial.parse::<Arn>()),
    ) {
        claims.note_arn(&format!("the {side}'s MFA device"), &device, at);
    }
    let sign_in = SignIn {
        profile: profile.map(|profile| profile.value).unwrap_or_default(),
        region: region.map(|region| region.value),
        role: role.map(|role| role.value),
        external_id: limited(section, "external_id", (2, 1224), "+=,.@:/-", complaints),
        session_name: limited(section, "session_name", (2, 64), "+=,.@-", complaints),
        source_identity: limited(section, "source_identity", (2, 64), "+=,.@-", complaints),
        duration_seconds: duration(section, complaints),
        mfa_serial,
    };
    (!sign_in.profile.is_empty()).then_some(sign_in)
}

fn profile_name(text: &str) -> Result<String, (String, String)> {
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err((
            format!("`{text}` is not a profile's name"),
            "give the name as it stands in brackets in the shared config file, without `profile`"
                .to_owned(),
        ));
    }
    Ok(text.to_owned())
}

fn region(text: &str) -> Result<Region, (String, String)> {
    text.parse()
        .map_err(|error: tableferry_policy::arn::Malformed| {
            (
                error.to_string(),
                "give the code, such as eu-west-1, not the Region's name or an Availability Zone"
                    .to_owned(),
            )
        })
}

fn role(text: &str) -> Result<Arn, (String, String)> {
    let right = "give the role's own ARN: arn:aws:iam::111111111111:role/NAME, with its path";
    let arn: Arn = text
        .parse()
        .map_err(|error: tableferry_policy::arn::Malformed| {
            (error.to_string(), right.to_owned())
        })?;
    if arn.service == "sts" && arn.resource.starts_with("assumed-role/") {
        return Err((
            format!("`{text}` is a session of a role, not the role"),
            right.to_owned(),
        ));
    }
    let is_role = arn.service == "iam"
        && arn.region.is_empty()
        && arn.account_id().is_some()
        && arn
            .resource_after("role")
            .is_some_and(|name| is_made_of(name, "+=,.@-/") && !name.ends_with('/'));
    if is_role {
        Ok(arn)
    } else {
        Err((
            format!("`{text}` is not the ARN of an IAM role"),
            right.to_owned(),
        ))
    }
}

/// A text of so many characters, each of them a word character or one of `also`.
fn limited(
    section: Section<'_, '_>,
    key: &str,
    (least, most): (usize, usize),
    also: &str,
    complaints: &mut Complaints<'_>,
) -> Option<String> {
    let text = section.text_that(key, complaints, |text| {
        let length = text.chars().count();
        if (least..=most).contains(&length) && is_made_of(text, also) {
            return Ok(text.to_owned());
        }
        let message = if is_made_of(text, also) {
            format!("`{key}` has {}", characters(length))
        } else {
            format!("`{key}` has a character that AWS does not take")
        };
        let spaced: Vec<String> = also.chars().map(String::from).collect();
        Err((
            message,
            format!(
                "{least} to {most} letters, digits, underscores and {}",
                spaced.join(" ")
            ),
        ))
    })?;
    Some(text.value)
}

fn is_made_of(text: &str, also: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || also.contains(c))
}

fn duration(section: Section<'_, '_>, complaints: &mut Complaints<'_>) -> Option<u32> {
    let seconds = section.integer("duration_seconds", complaints)?;
    match u32::try_from(seconds.value) {
        Ok(value) if (900..=43_200).contains(&value) => Some(value),
        _ => {
            complaints.add(
                seconds.at,
                format!("`duration_seconds` is {}", seconds.value),
                "900 to 43200 seconds: a quarter of an hour to twelve hours; at most 3600 where roles are chained",
            );
            None
        }
    }
}
