//! Why a sign-in failed, in words that name the next step.
//!
//! The SDK's credential providers bury their reason in a chain of causes; this module decides, by
//! the texts of that chain, whether a login is due, a profile is wrong, or a call failed.

use aws_credential_types::provider::error::CredentialsError;

use crate::aws::chain::{BaseCredentials, BaseKind, ChainError};
use crate::aws::error_mapper::{ErrorMapper, causes, innermost};
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::network_fault::NetworkFault;
use crate::aws::sign_in_error::SignInError;
use crate::job::shell_option;
use crate::sanitize::shortened;

impl BaseKind {
    /// The call or deed that brings such credentials, for failures.
    pub(in crate::aws) const fn operation(&self) -> &'static str {
        match self {
            Self::Keys => "reading access keys",
            Self::Sso => "sso:GetRoleCredentials",
            Self::Process => "credential_process",
            Self::WebIdentity => "sts:AssumeRoleWithWebIdentity",
            Self::Login => "signin:CreateOAuth2Token",
            Self::Source(_) => "credential_source",
        }
    }

    /// The service that is asked for such credentials, as endpoints name it.
    pub(in crate::aws) const fn service(&self) -> &'static str {
        match self {
            Self::Sso => "sso",
            Self::Login => "signin",
            Self::Keys | Self::Process | Self::WebIdentity | Self::Source(_) => "sts",
        }
    }

    /// How credentials of this kind are renewed, in a sentence that begins small.
    pub(in crate::aws) fn renewal(&self, profile: &str) -> String {
        match self.login_command(profile) {
            Some(command) => format!("sign in again with `{command}`"),
            None => match self {
                Self::Keys => format!(
                    "sign in again; if that fails too, the keys of profile `{profile}` are no \
                     longer good: put new ones into the credentials file"
                ),
                Self::Process => {
                    format!("sign in again; the credential_process of `{profile}` gives new ones")
                }
                _ => "sign in again".to_owned(),
            },
        }
    }

    /// The command that renews such a login.
    pub(in crate::aws) fn login_command(&self, profile: &str) -> Option<String> {
        match self {
            Self::Sso => Some(format!(
                "aws sso login {}",
                shell_option("profile", profile)
            )),
            Self::Login => Some(format!("aws login {}", shell_option("profile", profile))),
            _ => None,
        }
    }
}

impl From<ChainError> for SignInError {
    fn from(error: ChainError) -> Self {
        Self::Profile {
            message: error.message,
            hint: error.hint,
        }
    }
}

/// Explains why a chain's first credentials could not be had.
pub(in crate::aws) fn base_failure(
    base: &BaseCredentials,
    mapper: &ErrorMapper,
    error: &CredentialsError,
) -> SignInError {
    let texts = causes(error);
    let says = |wanted: &[&str]| {
        wanted
            .iter()
            .any(|wanted| texts.iter().any(|text| text.contains(wanted)))
    };
    if says(&["dispatch failure", "timeout", "timed out"]) {
        let is_timeout = says(&["timeout", "timed out"]);
        return call_failure(base, mapper, error, is_timeout);
    }
    if let Some(command) = base.kind.login_command(&base.profile)
        && !says(&["ForbiddenException", "No access"])
    {
        return SignInError::LoginRequired {
            profile: base.profile.clone(),
            command,
            detail: login_detail(&says).to_owned(),
        };
    }
    let detail = shortened(&innermost(error), 400);
    let (message, hint) = match &base.kind {
        BaseKind::Sso => (
            format!(
                "the role of profile `{}` is not assigned to you: {detail}",
                base.profile
            ),
            "ask the administrators of IAM Identity Center to assign the permission set in that account"
                .to_owned(),
        ),
        BaseKind::Process => (
            format!(
                "the credential_process of profile `{}` failed: {detail}",
                base.profile
            ),
            "run its command by hand to see what it says".to_owned(),
        ),
        BaseKind::WebIdentity => (
            format!(
                "the web identity of profile `{}` was not taken: {detail}",
                base.profile
            ),
            "look at web_identity_token_file: the token may be missing or expired".to_owned(),
        ),
        BaseKind::Source(name) => (
            format!(
                "profile `{}` found no credentials in {name}: {detail}",
                base.profile
            ),
            "check credential_source; Environment, Ec2InstanceMetadata and EcsContainer are known"
                .to_owned(),
        ),
        BaseKind::Keys | BaseKind::Login => (
            format!("profile `{}` gave no credentials: {detail}", base.profile),
            "check its settings in the shared files".to_owned(),
        ),
    };
    SignInError::Profile { message, hint }
}

fn login_detail(says: &dyn Fn(&[&str]) -> bool) -> &'static str {
    if says(&[
        "has expired",
        "is expired",
        "Session token not found or invalid",
    ]) {
        "the login has expired"
    } else if says(&["refresh"]) {
        "the login could not be renewed"
    } else {
        "there is no login in the cache"
    }
}

fn call_failure(
    base: &BaseCredentials,
    mapper: &ErrorMapper,
    error: &CredentialsError,
    is_timeout: bool,
) -> SignInError {
    let mut failure = Failure {
        kind: if is_timeout {
            FailureKind::Timeout
        } else {
            FailureKind::Connection
        },
        operation: base.kind.operation().to_owned(),
        target: base.profile.clone(),
        code: None,
        message: innermost(error),
        status: None,
        request_id: None,
        hint: None,
    };
    failure.hint = Some(mapper.network_hint(&failure, NetworkFault::of(error)));
    SignInError::Call(Box::new(failure))
}

/// Adds to a refused `AssumeRole` or `GetSessionToken` what its refusal leaves open. `device` is the
/// one whose code was sent, if one was.
pub(in crate::aws) fn assume_role_failure(
    mut failure: Failure,
    profile: &str,
    device: Option<&str>,
    external_id: Option<&str>,
) -> SignInError {
    let is_about_mfa = failure.message.contains("MultiFactorAuthentication");
    if let (true, Some(serial)) = (is_about_mfa, device) {
        failure.hint = Some(
            "each code works once, and a device shows a new one every 30 seconds: wait for it; \
             where that one is refused too, check the serial number"
                .to_owned(),
        );
        return SignInError::CodeRefused {
            profile: profile.to_owned(),
            serial: serial.to_owned(),
            failure: Box::new(failure),
        };
    }
    if is_about_mfa {
        failure.hint =
            Some("name the device with mfa_serial, so that its code is asked for".to_owned());
    } else if failure.message.contains("DurationSeconds") {
        failure.hint = Some(
            "ask for a shorter session with duration_seconds, or have the role's MaxSessionDuration raised"
                .to_owned(),
        );
    } else if failure.message.contains("sts:SetSourceIdentity") {
        failure.hint = Some(
            "source_identity needs sts:SetSourceIdentity beside sts:AssumeRole, in the caller's \
             policy and in the role's trust policy: have it added, or leave source_identity out"
                .to_owned(),
        );
    } else if failure.kind == FailureKind::AccessDenied {
        let external_id = match external_id {
            Some(_) => "the external id sent",
            None => "an external id, which was not sent",
        };
        failure.hint = Some(format!(
            "STS does not say which it is: there is no such role, the caller's policy lacks \
             sts:AssumeRole on the role, the role's trust policy does not name the caller, \
             {external_id}, or an MFA code"
        ));
    }
    SignInError::Call(Box::new(failure))
}
