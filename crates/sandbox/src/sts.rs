//! STS: who calls, and the temporary credentials it may have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::authorize::Attempt;
use super::call::AuthenticatedCall;
use super::caller::{Caller, CallerIdentity, session_arn};
use super::policy_text::PolicyText;
use super::query::{Parameters, Xml};
use super::refusal::Refusal;
use super::world::{SessionOrigin, TemporaryKeys, World};
use tableferry_policy::document::Document;

/// The namespace of STS's answers.
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The code that every MFA device of the sandbox shows, all the time.
pub const MFA_CODE: &str = "123456";

/// Answers an action.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    match action {
        "GetCallerIdentity" => Ok(caller_identity(call.caller)),
        "AssumeRole" => assume_role(world, call, parameters),
        "GetSessionToken" => session_token(world, call, parameters),
        _ => Err(Refusal::unknown_operation("InvalidAction", "STS", action)),
    }
}

/// `GetCallerIdentity`, which needs no permission and cannot be denied.
fn caller_identity(caller: &Caller) -> Xml {
    Xml::default()
        .text("Arn", &caller.arn)
        .text("UserId", &caller.user_id)
        .text("Account", &caller.account)
}

/// What `AssumeRole` asks for.
struct AssumeRoleRequest<'a> {
    role_arn: &'a str,
    session_name: &'a str,
    external_id: Option<&'a str>,
    source_identity: Option<&'a str>,
    policy: Option<&'a str>,
    duration: i64,
    has_mfa: bool,
}

fn assume_role(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let assumption = read_assumption(world, call, parameters)?;
    permit(world, call, &assumption)?;
    let (account, role) = {
        let (account, name, role) = world
            .role_by_arn(assumption.role_arn)
            .ok_or_else(|| not_authorized(call, assumption.role_arn))?;
        check_duration(call, role.max_session_seconds, assumption.duration)?;
        (account.to_owned(), (name.to_owned(), role.id.clone()))
    };
    let session_name = assumption.session_name;
    let keys = TemporaryKeys {
        account: account.clone(),
        origin: SessionOrigin::Role {
            role: role.0.clone(),
            session_name: session_name.to_owned(),
        },
        source_identity: assumption.source_identity.map(str::to_owned),
        policies: assumption
            .policy
            .map(|text| PolicyText(text.to_owned()))
            .into_iter()
            .collect(),
        ..issue(call.now, assumption.duration, assumption.has_mfa)
    };
    let user = Xml::default()
        .text("AssumedRoleId", &format!("{}:{session_name}", role.1))
        .text(
            "Arn",
            &session_arn(call.partition, &account, &role.0, session_name),
        );
    let answer = Xml::default()
        .node("AssumedRoleUser", &user)
        .node("Credentials", &keep(world, keys));
    Ok(match assumption.source_identity {
        Some(identity) => answer.text("SourceIdentity", identity),
        None => answer,
    })
}

fn read_assumption<'a>(
    world: &World,
    call: &AuthenticatedCall<'_>,
    parameters: &'a Parameters,
) -> Result<AssumeRoleRequest<'a>, Refusal> {
    let role_arn = parameters.require("RoleArn")?;
    let session_name = parameters.require("RoleSessionName")?;
    check_pattern("roleSessionName", session_name, 2, 64)?;
    let external_id = parameters.get("ExternalId");
    if let Some(id) = external_id
        && !(2..=1224).contains(&id.len())
    {
        return Err(length_violation("externalId", id, 2, 1224));
    }
    let source_identity = parameters.get("SourceIdentity");
    if let Some(identity) = source_identity {
        check_pattern("sourceIdentity", identity, 2, 64)?;
    }
    let policy = parameters.get("Policy");
    if policy.is_some_and(|text| Document::parse(text).is_err()) {
        return Err(Refusal::new(
            "MalformedPolicyDocument",
            "The policy is not in the valid JSON format.",
        ));
    }
    if !role_arn.starts_with(&format!("arn:{}:iam::", call.partition))
        || !role_arn.contains(":role/")
    {
        return Err(Refusal::new(
            "ValidationError",
            format!("{role_arn} is invalid"),
        ));
    }
    Ok(AssumeRoleRequest {
        role_arn,
        session_name,
        external_id,
        source_identity,
        policy,
        duration: duration(parameters, 3600)?,
        has_mfa: check_mfa(world, call, parameters)?,
    })
}

/// Trust policy and identity policies together; a refusal gives no reason across accounts.
fn permit(
    world: &World,
    call: &AuthenticatedCall<'_>,
    assumption: &AssumeRoleRequest<'_>,
) -> Result<(), Refusal> {
    let Some((account, _, role)) = world.role_by_arn(assumption.role_arn) else {
        return Err(not_authorized(call, assumption.role_arn));
    };
    let mut context = call.context(world, account);
    context.set("sts:RoleSessionName", assumption.session_name);
    if let Some(id) = assumption.external_id {
        context.set("sts:ExternalId", id);
    }
    if assumption.has_mfa {
        context.set("aws:MultiFactorAuthPresent", "true");
        context.set("aws:MultiFactorAuthAge", "0");
    }
    let mut actions = vec!["sts:AssumeRole"];
    if let Some(identity) = assumption.source_identity {
        context.set("sts:SourceIdentity", identity);
        actions.push("sts:SetSourceIdentity");
    }
    for action in actions {
        let mut denial = match world.authorize(&Attempt {
            caller: call.caller,
            action,
            resource: assumption.role_arn,
            resource_account: account,
            policy: Some(&role.trust.0),
            grants: &[],
            context: &context,
            now: call.now,
        }) {
            Ok(()) => continue,
            Err(denial) => denial,
        };
        denial.has_reason = call.caller.account == account;
        return Err(Refusal::with_status(403, "AccessDenied", denial.sentence()));
    }
    Ok(())
}

fn not_authorized(call: &AuthenticatedCall<'_>, role_arn: &str) -> Refusal {
    Refusal::with_status(
        403,
        "AccessDenied",
        format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            call.caller.arn
        ),
    )
}

/// A session that assumes a role chains; a chained session lasts an hour at most.
fn check_duration(
    call: &AuthenticatedCall<'_>,
    longest: u32,
    duration: i64,
) -> Result<(), Refusal> {
    if matches!(call.caller.identity, CallerIdentity::Session { .. }) && duration > 3600 {
        return Err(Refusal::new(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining.",
        ));
    }
    if duration > i64::from(longest) {
        return Err(Refusal::new(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(())
}

fn session_token(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    parameters: &Parameters,
) -> Result<Xml, Refusal> {
    let CallerIdentity::User { name } = &call.caller.identity else {
        return Err(cannot_call_with_session());
    };
    if call.caller.session.is_some() {
        return Err(cannot_call_with_session());
    }
    let duration = duration(parameters, 43200)?;
    let has_mfa = check_mfa(world, call, parameters)?;
    let keys = TemporaryKeys {
        account: call.caller.account.clone(),
        origin: SessionOrigin::User { user: name.clone() },
        ..issue(call.now, duration, has_mfa)
    };
    Ok(Xml::default().node("Credentials", &keep(world, keys)))
}

fn cannot_call_with_session() -> Refusal {
    Refusal::with_status(
        403,
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    )
}

/// Whether the call proves an MFA device, which must be the calling user's own.
fn check_mfa(
    world: &World,
    call: &AuthenticatedCall<'_>,
    parameters: &Parameters,
) -> Result<bool, Refusal> {
    let denied = |message: &str| Refusal::with_status(403, "AccessDenied", message);
    match (parameters.get("SerialNumber"), parameters.get("TokenCode")) {
        (None, None) => Ok(false),
        (Some(serial), Some(code)) => {
            let own = match &call.caller.identity {
                CallerIdentity::User { name } => world
                    .account(&call.caller.account)
                    .and_then(|account| account.users.get(name))
                    .and_then(|user| user.mfa_serial.as_deref()),
                CallerIdentity::Session { .. } => None,
            };
            if own != Some(serial) {
                return Err(denied(
                    "MultiFactorAuthentication failed, unable to validate MFA code.  Please \
                     verify your MFA serial number is valid and associated with this user.",
                ));
            }
            if code == MFA_CODE {
                Ok(true)
            } else {
                Err(denied(
                    "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
                ))
            }
        }
        _ => Err(denied(
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time \
             pass code.",
        )),
    }
}

fn duration(parameters: &Parameters, default: i64) -> Result<i64, Refusal> {
    let Some(text) = parameters.get("DurationSeconds") else {
        return Ok(default);
    };
    let violation = |rule: &str| {
        Refusal::new(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{text}' at 'durationSeconds' failed to \
                 satisfy constraint: Member must have value {rule}"
            ),
        )
    };
    match text.parse() {
        Ok(seconds) if seconds > 129_600 => Err(violation("less than or equal to 43200")),
        Ok(seconds) if seconds >= 900 => Ok(seconds),
        _ => Err(violation("greater than or equal to 900")),
    }
}

fn check_pattern(field: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    if !(least..=most).contains(&text.len()) {
        return Err(length_violation(field, text, least, most));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if text.chars().all(fits) {
        return Ok(());
    }
    Err(Refusal::new(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{text}' at '{field}' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        ),
    ))
}

fn length_violation(field: &str, text: &str, least: usize, most: usize) -> Refusal {
    let rule = if text.len() < least {
        format!("greater than or equal to {least}")
    } else {
        format!("less than or equal to {most}")
    };
    Refusal::new(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{text}' at '{field}' failed to satisfy \
             constraint: Member must have length {rule}"
        ),
    )
}

/// New credentials, nobody's yet.
fn issue(now: Timestamp, seconds: i64, has_mfa: bool) -> TemporaryKeys {
    let random = |length: usize| -> Vec<u8> { (0..length).map(|_| fastrand::u8(..)).collect() };
    TemporaryKeys {
        secret: STANDARD.encode(random(30)),
        token: STANDARD.encode(random(180)),
        account: String::new(),
        origin: SessionOrigin::User {
            user: String::new(),
        },
        issued_at: Some(now),
        expires_at: now.checked_add(SignedDuration::from_secs(seconds)).ok(),
        has_mfa,
        source_identity: None,
        policies: Vec::new(),
    }
}

/// Keeps credentials in the world, and writes them for the answer.
fn keep(world: &mut World, keys: TemporaryKeys) -> Xml {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let access_key: String = "ASIA"
        .chars()
        .chain((0..16).filter_map(|_| fastrand::choice(letters).map(|byte| char::from(*byte))))
        .collect();
    let expiration = keys
        .expires_at
        .map(|end| end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default();
    let xml = Xml::default()
        .text("AccessKeyId", &access_key)
        .text("SecretAccessKey", &keys.secret)
        .text("SessionToken", &keys.token)
        .text("Expiration", &expiration);
    world.sessions.insert(access_key, keys);
    world.touch();
    xml
}
