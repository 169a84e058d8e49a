//! The profiles of the shared configuration files: which there are, what kind each is, and which
//! ones the SDK would ignore and why.

use std::collections::BTreeMap;

use super::chain::{self, BaseKind, ChainError};
use super::endpoints::Endpoints;
pub use super::shared_files::IgnoredProfile;
use super::shared_files::{RawProfile, SharedFiles};
use tableferry_policy::arn::{Arn, Region};

/// Lists what the files hold. A profile that has no way to credentials, because its chain runs in
/// a circle or ends at a profile that is not there, is among the ignored ones.
pub(super) fn list(files: SharedFiles, variables: &BTreeMap<String, String>) -> Profiles {
    let mut listed = Profiles::default();
    for raw in &files.profiles {
        match kind_of(&files, &raw.name) {
            Ok(kind) => listed.usable.push(profile(&files, raw, kind, variables)),
            Err(error) => listed.ignored.push(IgnoredProfile {
                name: raw.name.clone(),
                place: raw.place.clone(),
                reason: format!("{}; {}", error.message, error.hint),
            }),
        }
    }
    listed.problems.clone_from(&files.problems);
    if variables.contains_key("AWS_ACCESS_KEY_ID") {
        listed.problems.push(
            "AWS_ACCESS_KEY_ID is set in the environment and not used: each side signs in with \
             its profile's own credentials"
                .to_owned(),
        );
    }
    listed.chosen = chosen(&mut listed.problems, &listed.usable, &files, variables);
    listed.ignored.extend(files.ignored);
    listed
}

/// How a profile signs in, as a list shows it.
fn kind_of(files: &SharedFiles, profile: &str) -> Result<ProfileKind, ChainError> {
    let chain = match chain::resolve(files, profile) {
        Ok(chain) => chain,
        Err(error) if error.is_incomplete => return Ok(ProfileKind::Incomplete),
        Err(error) => return Err(error),
    };
    if !chain.hops.is_empty() {
        let from = files
            .setting(profile, "source_profile")
            .or_else(|| files.setting(profile, "credential_source"))
            .unwrap_or(&chain.base.profile);
        return Ok(ProfileKind::Role {
            from: from.to_owned(),
        });
    }
    Ok(match chain.base.kind {
        BaseKind::Keys => ProfileKind::Keys,
        BaseKind::Sso => ProfileKind::Sso,
        BaseKind::Process => ProfileKind::Process,
        BaseKind::WebIdentity => ProfileKind::WebIdentity,
        BaseKind::Login => ProfileKind::Login,
        BaseKind::Source(name) => ProfileKind::Role { from: name },
    })
}

fn profile(
    files: &SharedFiles,
    raw: &RawProfile,
    kind: ProfileKind,
    variables: &BTreeMap<String, String>,
) -> Profile {
    let endpoints = Endpoints::of(&raw.name, files, variables);
    Profile {
        name: raw.name.clone(),
        kind,
        region: files
            .region_text(&raw.name)
            .and_then(|text| text.parse().ok()),
        role_arn: raw
            .settings
            .get("role_arn")
            .and_then(|text| text.parse().ok()),
        mfa_serial: raw.settings.get("mfa_serial").cloned(),
        endpoints: endpoints.listed(),
        warnings: endpoints.warnings(),
        place: raw.place.clone(),
    }
}

fn chosen(
    problems: &mut Vec<String>,
    usable: &[Profile],
    files: &SharedFiles,
    variables: &BTreeMap<String, String>,
) -> Option<String> {
    let is_there = |name: &str| usable.iter().any(|profile| profile.name == name);
    match variables.get("AWS_PROFILE").filter(|name| !name.is_empty()) {
        Some(name) => {
            if !is_there(name) {
                let why = files
                    .ignored_section(false, name)
                    .map_or_else(String::new, |ignored| {
                        format!(" ({}): {}", ignored.place, ignored.reason)
                    });
                problems.push(format!(
                    "AWS_PROFILE names `{name}`, which is no profile that can be used{why}"
                ));
            }
            Some(name.to_owned())
        }
        None => is_there("default").then(|| "default".to_owned()),
    }
}

/// All that the shared files hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profiles {
    /// The profiles that can be chosen, in the files' order.
    pub usable: Vec<Profile>,
    /// The ones that the SDK would ignore, each with the reason.
    pub ignored: Vec<IgnoredProfile>,
    /// The profile that `AWS_PROFILE` names, or `default`.
    pub chosen: Option<String>,
    /// What is wrong with the files as a whole, with file and line.
    pub problems: Vec<String>,
}

/// A profile that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// How it signs in.
    pub kind: ProfileKind,
    /// Its Region, inherited from its source profile where it has none.
    pub region: Option<Region>,
    /// The role that it assumes.
    pub role_arn: Option<Arn>,
    /// The MFA device that it names.
    pub mfa_serial: Option<String>,
    /// The endpoints it sends calls to in place of AWS's: service (or `all`) and URL.
    pub endpoints: Vec<(String, String)>,
    /// What to know before it is chosen: calls in the clear.
    pub warnings: Vec<String>,
    /// Where it stands, as `file:line`.
    pub place: String,
}

/// How a profile signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileKind {
    /// Access keys in a file.
    Keys,
    /// A role, assumed from another profile or credential source.
    Role {
        /// The profile or source it is assumed from.
        from: String,
    },
    /// IAM Identity Center.
    Sso,
    /// A command that prints credentials.
    Process,
    /// A web identity token in a file.
    WebIdentity,
    /// `aws login`.
    Login,
    /// No credentials of its own.
    Incomplete,
}

impl ProfileKind {
    /// The kind in a word or two, for lists.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Role { .. } => "role chain",
            Self::Sso => "SSO",
            Self::Process => "process",
            Self::WebIdentity => "web identity",
            Self::Login => "login",
            Self::Incomplete => "no credentials",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::shared_files::FileKind;

    fn listed(config: &str, credentials: &str) -> Profiles {
        let mut files = SharedFiles::default();
        files.add(FileKind::Config, "config", config);
        files.add(FileKind::Credentials, "credentials", credentials);
        list(files, &BTreeMap::new())
    }

    #[test]
    fn a_profile_without_a_way_to_credentials_is_listed_with_the_reason() {
        let listed = listed(
            "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n\
             [profile c]\nrole_arn = r\nsource_profile = ghost\n[profile half]\naws_access_key_id = A\n",
            "",
        );
        assert!(listed.usable.is_empty());
        let reasons: Vec<_> = listed.ignored.iter().map(|p| p.reason.as_str()).collect();
        assert!(reasons[0].contains("a → b → a"), "{reasons:?}");
        assert!(
            reasons[2].contains("`ghost`, which does not exist"),
            "{reasons:?}"
        );
        assert!(
            reasons[3].contains("lacks aws_secret_access_key"),
            "{reasons:?}"
        );
        assert_eq!(listed.ignored[3].place, "config:10");
    }

    #[test]
    fn a_role_profile_shows_its_role_device_and_inherited_region() {
        let listed = listed(
            "[profile ops]\nregion = cn-north-1\n\
             [profile r]\nrole_arn = arn:aws-cn:iam::111111111111:role/R\nsource_profile = ops\nmfa_serial = arn:aws-cn:iam::111111111111:mfa/me\n",
            "[ops]\naws_access_key_id = A\naws_secret_access_key = s\n[default]\naws_access_key_id = A\naws_secret_access_key = s\n",
        );
        let names: Vec<_> = listed.usable.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["ops", "r", "default"]);
        let role = &listed.usable[1];
        assert_eq!(role.region.as_ref().unwrap().as_str(), "cn-north-1");
        assert_eq!(role.role_arn.as_ref().unwrap().resource, "role/R");
        assert!(role.mfa_serial.as_ref().unwrap().ends_with("mfa/me"));
        assert_eq!(listed.usable[2].place, "credentials:4");
        assert_eq!(listed.chosen.as_deref(), Some("default"));
    }

    #[test]
    fn empty_files_hold_nothing_and_no_problem() {
        assert_eq!(listed("", ""), Profiles::default());
    }

    #[test]
    fn every_kind_of_profile_are_distinct() {
        let mut files = SharedFiles::default();
        files.add(
            FileKind::Config,
            "config",
            "[profile keys]\naws_access_key_id = A\naws_secret_access_key = s\n\
             [profile sso]\nsso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = n\n\
             [profile process]\ncredential_process = /bin/creds\n\
             [profile web]\nrole_arn = r\nweb_identity_token_file = /t\n\
             [profile login]\nlogin_session = arn:aws:iam::111111111111:user/me\n\
             [profile role]\nrole_arn = r\nsource_profile = keys\n\
             [profile ec2]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n\
             [profile empty]\nregion = eu-west-1\n",
        );
        let kind = |name| kind_of(&files, name).unwrap();
        assert_eq!(kind("keys"), ProfileKind::Keys);
        assert_eq!(kind("sso"), ProfileKind::Sso);
        assert_eq!(kind("process"), ProfileKind::Process);
        assert_eq!(kind("web"), ProfileKind::WebIdentity);
        assert_eq!(kind("login"), ProfileKind::Login);
        assert_eq!(
            kind("role"),
            ProfileKind::Role {
                from: "keys".to_owned()
            }
        );
        assert_eq!(
            kind("ec2"),
            ProfileKind::Role {
                from: "Ec2InstanceMetadata".to_owned()
            }
        );
        assert_eq!(kind("empty"), ProfileKind::Incomplete);
    }
}
