//! How a profile gets its credentials: what they begin with, and which roles are assumed from
//! there.
//!
//! The walk is the SDK's own (AWS SDKs and Tools Reference Guide, "Assume role credential
//! provider"), but it keeps what the SDK drops: `mfa_serial` and `duration_seconds`. That is why
//! the roles are assumed by this program, and only the beginning is left to the SDK.

use std::collections::BTreeMap;

use super::shared_files::{LONGEST_CHAIN, RawProfile, SharedFiles};

/// The way to a profile's credentials.
#[derive(Debug)]
pub(super) struct CredentialChain {
    /// Where it begins.
    pub base: BaseCredentials,
    /// The roles assumed one after another, the first one first.
    pub hops: Vec<Hop>,
}

/// The credentials that a chain begins with.
#[derive(Clone)]
pub(super) struct BaseCredentials {
    /// The profile that holds them.
    pub profile: String,
    /// What kind they are; never `Role`.
    pub kind: BaseKind,
    /// The profile's settings that the SDK needs for them.
    pub settings: BTreeMap<String, String>,
    /// The `sso-session` section that they name: its name and settings.
    pub sso_session: Option<(String, BTreeMap<String, String>)>,
}

impl std::fmt::Debug for BaseCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BaseCredentials")
            .field("profile", &self.profile)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a chain's first credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BaseKind {
    /// Access keys in a file.
    Keys,
    /// IAM Identity Center.
    Sso,
    /// A command.
    Process,
    /// A web identity token in a file, with its role.
    WebIdentity,
    /// `aws login`.
    Login,
    /// A `credential_source`: `Environment`, `Ec2InstanceMetadata` or `EcsContainer`.
    Source(String),
}

impl BaseKind {
    /// The kind in words, to stand after "signs in with".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Keys => "access keys".to_owned(),
            Self::Sso => "IAM Identity Center (SSO)".to_owned(),
            Self::Process => "a credential process".to_owned(),
            Self::WebIdentity => "a web identity token".to_owned(),
            Self::Login => "`aws login`".to_owned(),
            Self::Source(name) => format!("the credential source {name}"),
        }
    }
}

/// One role to assume.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hop {
    /// The role.
    pub role_arn: String,
    /// The external id it asks for.
    pub external_id: Option<String>,
    /// The session's name.
    pub session_name: Option<String>,
    /// The session's source identity.
    pub source_identity: Option<String>,
    /// The session's length in seconds.
    pub duration_seconds: Option<u32>,
    /// The MFA device whose code goes with the call.
    pub mfa_serial: Option<String>,
}

/// Why there is no way to a profile's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChainError {
    /// What is wrong, and in which profile.
    pub message: String,
    /// What would be right.
    pub hint: String,
    /// Whether the profile merely has no credentials, as one that only sets a Region.
    pub is_incomplete: bool,
}

impl ChainError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            is_incomplete: false,
        }
    }
}

/// Finds the way to a profile's credentials.
pub(super) fn resolve(files: &SharedFiles, profile: &str) -> Result<CredentialChain, ChainError> {
    let mut visited: Vec<&str> = Vec::new();
    let mut hops = Vec::new();
    let mut name = profile;
    loop {
        let raw = find(files, name, visited.last().copied())?;
        if visited.contains(&raw.name.as_str()) {
            visited.push(&raw.name);
            return Err(ChainError::new(
                format!(
                    "the source_profile chain runs in a circle: {}",
                    visited.join(" → ")
                ),
                "make one of them name a profile with credentials of its own",
            ));
        }
        if visited.len() == LONGEST_CHAIN {
            return Err(ChainError::new(
                format!("the source_profile chain of `{profile}` is longer than {LONGEST_CHAIN}"),
                "assume the role from a profile with credentials of its own",
            ));
        }
        visited.push(&raw.name);
        let has_keys = given(raw, "aws_access_key_id").is_some()
            && given(raw, "aws_secret_access_key").is_some();
        // A source profile's own keys go before its role.
        let ends_with_keys = visited.len() > 1 && has_keys;
        let role =
            given(raw, "role_arn").filter(|_| given(raw, "web_identity_token_file").is_none());
        let source = match role.filter(|_| !ends_with_keys) {
            Some(role) => {
                hops.push(hop(raw, role)?);
                next(raw)?
            }
            None => None,
        };
        if let Some(source) = source {
            name = source;
        } else {
            hops.reverse();
            let base = base(files, raw, ends_with_keys)?;
            return Ok(CredentialChain { base, hops });
        }
    }
}

fn find<'a>(
    files: &'a SharedFiles,
    name: &str,
    referrer: Option<&str>,
) -> Result<&'a RawProfile, ChainError> {
    files.profile(name).ok_or_else(|| {
        match (referrer, files.ignored_section(false, name)) {
            (None, Some(ignored)) => ChainError::new(
                format!(
                    "profile `{name}` ({}) cannot be used: {}",
                    ignored.place, ignored.reason
                ),
                "correct its header in that file",
            ),
            (None, None) => ChainError::new(
                format!("there is no profile `{name}`"),
                nearest(files, name),
            ),
            (Some(referrer), Some(ignored)) => ChainError::new(
                format!(
                    "profile `{referrer}` names the source profile `{name}` ({}), which cannot be used: {}",
                    ignored.place, ignored.reason
                ),
                "correct its header in that file",
            ),
            (Some(referrer), None) => ChainError::new(
                format!(
                    "profile `{referrer}` names the source profile `{name}`, which does not exist"
                ),
                format!("add a profile `{name}`, or correct source_profile in `{referrer}`"),
            ),
        }
    })
}

fn nearest(files: &SharedFiles, name: &str) -> String {
    files
        .profiles
        .iter()
        .map(|profile| {
            (
                strsim::damerau_levenshtein(&profile.name, name),
                &profile.name,
            )
        })
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map_or_else(
            || "`aws configure list-profiles` shows the ones there are".to_owned(),
            |(_, nearest)| format!("did you mean `{nearest}`?"),
        )
}

/// A setting that is there and not empty.
fn given<'a>(raw: &'a RawProfile, key: &str) -> Option<&'a str> {
    raw.settings
        .get(key)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// The profile that a role is assumed from; none where the profile itself is the source.
fn next(raw: &RawProfile) -> Result<Option<&str>, ChainError> {
    match (
        given(raw, "source_profile"),
        given(raw, "credential_source"),
    ) {
        (Some(_), Some(_)) => Err(ChainError::new(
            format!(
                "profile `{}` has both source_profile and credential_source",
                raw.name
            ),
            "keep the one that the role is to be assumed from",
        )),
        (None, None) => Err(ChainError::new(
            format!(
                "profile `{}` has a role_arn, but nothing to assume the role from",
                raw.name
            ),
            "add source_profile = <a profile with credentials>",
        )),
        (Some(source), None) if source == raw.name => Ok(None),
        (Some(source), None) => Ok(Some(source)),
        (None, Some(_)) => Ok(None),
    }
}

fn hop(raw: &RawProfile, role_arn: &str) -> Result<Hop, ChainError> {
    let text = |key| given(raw, key).map(str::to_owned);
    let duration_seconds = match given(raw, "duration_seconds") {
        None => None,
        Some(value) => Some(value.parse().map_err(|_| {
            ChainError::new(
                format!(
                    "profile `{}`: duration_seconds is no number of seconds",
                    raw.name
                ),
                "give a number from 900 to 43200",
            )
        })?),
    };
    Ok(Hop {
        role_arn: role_arn.to_owned(),
        external_id: text("external_id"),
        session_name: text("role_session_name"),
        source_identity: None,
        duration_seconds,
        mfa_serial: text("mfa_serial"),
    })
}

const SSO_KEYS: [&str; 5] = [
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
];

/// The settings that begin a chain, in the SDK's order of precedence.
fn base(
    files: &SharedFiles,
    raw: &RawProfile,
    keys_only: bool,
) -> Result<BaseCredentials, ChainError> {
    let kind = base_kind(raw, keys_only)?;
    let wanted: &[&str] = match &kind {
        BaseKind::Keys => &[
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
            "aws_account_id",
        ],
        BaseKind::Sso => &SSO_KEYS,
        BaseKind::Process => &["credential_process", "aws_account_id"],
        BaseKind::WebIdentity => &["web_identity_token_file", "role_arn", "role_session_name"],
        BaseKind::Login => &["login_session"],
        BaseKind::Source(_) => &["credential_source"],
    };
    let settings = wanted
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), given(raw, key)?.to_owned())))
        .collect();
    let sso_session = match given(raw, "sso_session").filter(|_| kind == BaseKind::Sso) {
        None => None,
        Some(name) => {
            let session = files.sso_session(name).ok_or_else(|| {
                if let Some(ignored) = files.ignored_section(true, name) {
                    return ChainError::new(
                        format!(
                            "profile `{}` names the sso-session `{name}` ({}), which cannot be used: {}",
                            raw.name, ignored.place, ignored.reason
                        ),
                        format!("correct its header, and sso_session in `{}`", raw.name),
                    );
                }
                ChainError::new(
                    format!(
                        "profile `{}` names the sso-session `{name}`, which does not exist",
                        raw.name
                    ),
                    format!(
                        "add a section `[sso-session {name}]` with sso_start_url and sso_region"
                    ),
                )
            })?;
            Some((name.to_owned(), session.clone()))
        }
    };
    Ok(BaseCredentials {
        profile: raw.name.clone(),
        kind,
        settings,
        sso_session,
    })
}

fn base_kind(raw: &RawProfile, keys_only: bool) -> Result<BaseKind, ChainError> {
    let has = |key| given(raw, key).is_some();
    if keys_only {
        return Ok(BaseKind::Keys);
    }
    if let Some(source) = given(raw, "credential_source") {
        return Ok(BaseKind::Source(source.to_owned()));
    }
    if has("web_identity_token_file") && has("role_arn") {
        return Ok(BaseKind::WebIdentity);
    }
    if SSO_KEYS.iter().any(|key| has(key)) {
        return check_sso(raw).map(|()| BaseKind::Sso);
    }
    if has("login_session") {
        return Ok(BaseKind::Login);
    }
    if has("credential_process") {
        return Ok(BaseKind::Process);
    }
    match (has("aws_access_key_id"), has("aws_secret_access_key")) {
        (true, true) => Ok(BaseKind::Keys),
        (true, false) => Err(half_a_key(raw, "aws_secret_access_key")),
        (false, true) => Err(half_a_key(raw, "aws_access_key_id")),
        (false, false) => Err(ChainError {
            message: format!("profile `{}` ({}) has no credentials", raw.name, raw.place),
            hint: "add keys, an sso_session, a credential_process, or a role_arn with its source_profile"
                .to_owned(),
            is_incomplete: true,
        }),
    }
}

fn half_a_key(raw: &RawProfile, missing: &str) -> ChainError {
    ChainError::new(
        format!("profile `{}` ({}) lacks {missing}", raw.name, raw.place),
        format!("add {missing} beside the other half of the key"),
    )
}

fn check_sso(raw: &RawProfile) -> Result<(), ChainError> {
    for key in ["sso_account_id", "sso_role_name"] {
        if given(raw, key).is_none() {
            return Err(ChainError::new(
                format!("profile `{}` signs in with SSO, but lacks {key}", raw.name),
                format!("add {key}; `aws configure sso` asks for it"),
            ));
        }
    }
    if given(raw, "sso_session").is_none() {
        for key in ["sso_start_url", "sso_region"] {
            if given(raw, key).is_none() {
                return Err(ChainError::new(
                    format!("profile `{}` signs in with SSO, but lacks {key}", raw.name),
                    format!("add {key}, or an sso_session that has it"),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::shared_files::FileKind;

    fn files(config: &str) -> SharedFiles {
        let mut files = SharedFiles::default();
        files.add(FileKind::Config, "config", config);
        files
    }

    #[test]
    fn a_chain_is_walked_to_its_keys_and_keeps_mfa_and_duration() {
        let files = files(
            "[profile top]\nrole_arn = arn:aws:iam::222222222222:role/Top\nsource_profile = mid\nexternal_id = x\nduration_seconds = 1800\n\
             [profile mid]\nrole_arn = arn:aws:iam::111111111111:role/Mid\nsource_profile = user\nmfa_serial = arn:aws:iam::111111111111:mfa/me\n\
             [profile user]\naws_access_key_id = AKIA\naws_secret_access_key = s\n",
        );
        let chain = resolve(&files, "top").unwrap();
        assert_eq!(chain.base.kind, BaseKind::Keys);
        assert_eq!(chain.base.profile, "user");
        assert_eq!(chain.hops.len(), 2);
        assert_eq!(chain.hops[0].role_arn, "arn:aws:iam::111111111111:role/Mid");
        assert_eq!(
            chain.hops[0].mfa_serial.as_deref(),
            Some("arn:aws:iam::111111111111:mfa/me")
        );
        assert_eq!(chain.hops[1].duration_seconds, Some(1800));
        assert_eq!(chain.hops[1].external_id.as_deref(), Some("x"));
    }

    #[test]
    fn a_profile_may_be_its_own_source() {
        let files = files(
            "[profile a]\nrole_arn = arn:aws:iam::111111111111:role/R\nsource_profile = a\naws_access_key_id = AKIA\naws_secret_access_key = s\n",
        );
        let chain = resolve(&files, "a").unwrap();
        assert_eq!((chain.hops.len(), chain.base.kind), (1, BaseKind::Keys));
    }

    #[test]
    fn a_source_profiles_keys_go_before_its_role() {
        let files = files(
            "[profile a]\nrole_arn = arn:aws:iam::111111111111:role/R\nsource_profile = b\n\
             [profile b]\nrole_arn = arn:aws:iam::111111111111:role/S\nsource_profile = a\naws_access_key_id = AKIA\naws_secret_access_key = s\n",
        );
        assert_eq!(resolve(&files, "a").unwrap().hops.len(), 1);
    }

    #[test]
    fn a_circle_of_profiles_is_told_in_full() {
        let files = files(
            "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n",
        );
        let error = resolve(&files, "a").unwrap_err();
        assert!(error.message.contains("a → b → a"), "{}", error.message);
    }

    #[test]
    fn a_missing_source_is_told_with_both_names() {
        let files = files("[profile a]\nrole_arn = r\nsource_profile = ghost\n");
        let error = resolve(&files, "a").unwrap_err();
        assert_eq!(
            error.message,
            "profile `a` names the source profile `ghost`, which does not exist"
        );
    }

    #[test]
    fn a_misspelt_profile_gets_the_nearest_name() {
        let error = resolve(
            &files("[profile prod-oncall]\nregion = x\n"),
            "prod-onccall",
        )
        .unwrap_err();
        assert_eq!(error.hint, "did you mean `prod-oncall`?");
    }

    #[test]
    fn an_ignored_profile_is_told_by_its_place() {
        let error = resolve(&files("[prod]\nregion = x\n"), "prod").unwrap_err();
        assert!(error.message.contains("config:1"), "{}", error.message);
        assert!(
            error.message.contains("[profile prod]"),
            "{}",
            error.message
        );
    }

    #[test]
    fn a_missing_sso_session_is_told() {
        let files = files(
            "[profile a]\nsso_session = nosuch\nsso_account_id = 111111111111\nsso_role_name = R\n",
        );
        let error = resolve(&files, "a").unwrap_err();
        assert!(
            error.message.contains("sso-session `nosuch`"),
            "{}",
            error.message
        );
    }
}
