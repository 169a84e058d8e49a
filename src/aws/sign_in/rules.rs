//! What a plan lays over a profile's chain, and what STS would refuse of it.
//!
//! All of it is decided before the first call, with the rule that AWS documents, since STS's own
//! refusals name neither the profile nor the line.

use super::refused;
use crate::aws::chain::{BaseKind, Hop};
use crate::aws::credentials::Loader;
use crate::aws::sign_in_error::SignInError;
use crate::job::SignIn;
use tableferry_policy::arn::Arn;

/// `RoleSessionName`: 2 to 64 of `[\w+=,.@-]` (API reference of `AssumeRole`).
fn is_session_name(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

/// The name of a session of this user, with what STS does not take replaced.
pub(super) fn session_name_for(user: &str) -> String {
    let safe = user.chars().map(|c| {
        let is_safe = c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if is_safe { c } else { '-' }
    });
    "tableferry-".chars().chain(safe).take(64).collect()
}

/// Lays what the plan asks for over the profile's chain: a role on top of it, or other words for
/// the profile's own role.
pub(super) fn apply_overrides(
    loader: &mut Loader,
    hops: Vec<Hop>,
    sign_in: &SignIn,
) -> Result<(), SignInError> {
    loader.hops = hops;
    if let Some(role) = &sign_in.role {
        loader.hops.push(Hop {
            role_arn: role.to_string(),
            ..Hop::default()
        });
    }
    let Some(top) = loader.hops.last_mut() else {
        return words_without_role(loader, sign_in);
    };
    let over = |own: &mut Option<String>, asked: &Option<String>| {
        if asked.is_some() {
            own.clone_from(asked);
        }
    };
    over(&mut top.external_id, &sign_in.external_id);
    over(&mut top.session_name, &sign_in.session_name);
    over(&mut top.source_identity, &sign_in.source_identity);
    over(&mut top.mfa_serial, &sign_in.mfa_serial);
    if sign_in.duration_seconds.is_some() {
        top.duration_seconds = sign_in.duration_seconds;
    }
    Ok(())
}

/// Without a role there is nothing that most of the words could go with; only a device can turn
/// access keys into a session (`GetSessionToken`).
fn words_without_role(loader: &mut Loader, sign_in: &SignIn) -> Result<(), SignInError> {
    let lone = [
        ("external_id", sign_in.external_id.is_some()),
        ("session_name", sign_in.session_name.is_some()),
        ("source_identity", sign_in.source_identity.is_some()),
        (
            "duration_seconds",
            sign_in.duration_seconds.is_some() && sign_in.mfa_serial.is_none(),
        ),
        (
            "mfa_serial",
            sign_in.mfa_serial.is_some() && loader.base.kind != BaseKind::Keys,
        ),
    ];
    if let Some((word, _)) = lone.iter().find(|(_, is_given)| *is_given) {
        return Err(refused(
            format!(
                "{word} goes with an assumed role, and profile `{}` assumes none",
                loader.profile
            ),
            format!("add a role, or leave {word} out"),
        ));
    }
    loader.device_of_keys.clone_from(&sign_in.mfa_serial);
    loader.keys_session_seconds = sign_in.duration_seconds;
    Ok(())
}

/// Refuses what STS would refuse, with the rule (API reference of `AssumeRole`).
pub(super) fn check_hops(loader: &Loader) -> Result<(), SignInError> {
    let devices = loader
        .hops
        .iter()
        .filter(|hop| hop.mfa_serial.is_some())
        .count();
    if devices > 1 {
        return Err(refused(
            format!(
                "profile `{}` needs two MFA codes, one for each role of its chain",
                loader.profile
            ),
            "a code works once: keep mfa_serial at the role that is assumed with the user's own keys",
        ));
    }
    for (index, hop) in loader.hops.iter().enumerate() {
        let is_chained = index > 0 || begins_with_role(loader);
        let role = role_of(hop)?;
        check_partition(&role, loader)?;
        check_hop(hop, is_chained)?;
    }
    Ok(())
}

/// The hop's role.
fn role_of(hop: &Hop) -> Result<Arn, SignInError> {
    let role = &hop.role_arn;
    role.parse::<Arn>()
        .ok()
        .filter(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
        .ok_or_else(|| {
            refused(
                format!("`{role}` is not a role's ARN"),
                "write it as arn:aws:iam::111111111111:role/NAME",
            )
        })
}

/// "Partitions are isolated": the STS of one knows no role of another ("AWS partitions", AWS Fault
/// Isolation Boundaries).
fn check_partition(role: &Arn, loader: &Loader) -> Result<(), SignInError> {
    let partition = loader.region.partition();
    if role.partition == partition {
        return Ok(());
    }
    Err(refused(
        format!(
            "role {role} is in partition {}, and the Region {} of profile `{}` in {partition}",
            role.partition, loader.region, loader.profile
        ),
        format!(
            "roles are assumed within their partition: name a role of {partition}, or a Region of {}",
            role.partition
        ),
    ))
}

/// Whether the chain's first credentials are themselves a role's, so that assuming another one is
/// role chaining.
fn begins_with_role(loader: &Loader) -> bool {
    match &loader.base.kind {
        BaseKind::Sso | BaseKind::WebIdentity => true,
        BaseKind::Source(name) => !name.eq_ignore_ascii_case("Environment"),
        BaseKind::Login => loader
            .base
            .settings
            .get("login_session")
            .is_some_and(|arn| arn.contains(":assumed-role/")),
        BaseKind::Keys | BaseKind::Process => false,
    }
}

fn check_hop(hop: &Hop, is_chained: bool) -> Result<(), SignInError> {
    let role = &hop.role_arn;
    if let Some(seconds) = hop.duration_seconds {
        if !(900..=43200).contains(&seconds) {
            return Err(refused(
                format!("duration_seconds = {seconds} for {role} is out of range"),
                "a session lasts from 900 to 43200 seconds",
            ));
        }
        if is_chained && seconds > 3600 {
            return Err(refused(
                format!(
                    "duration_seconds = {seconds} for {role}: a role assumed from a role lasts at most one hour"
                ),
                "give at most 3600 seconds, or assume the role with a user's own keys",
            ));
        }
    }
    if let Some(name) = hop
        .session_name
        .as_deref()
        .filter(|name| !is_session_name(name))
    {
        return Err(refused(
            format!("`{name}` is no session name"),
            "use 2 to 64 letters, digits and _ + = , . @ -",
        ));
    }
    let is_id = |id: &str| (2..=1224).contains(&id.len());
    if hop.external_id.as_deref().is_some_and(|id| !is_id(id)) {
        return Err(refused(
            format!("the external id for {role} is not 2 to 1224 characters long"),
            "give the id that the role's trust policy names",
        ));
    }
    Ok(())
}
