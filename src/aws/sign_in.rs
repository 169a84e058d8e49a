//! Signing in: from a plan's words for one side to a proved session.
//!
//! It decides what is asked for before any call is made (an MFA code, a shorter session, a
//! Region), walks the chain, and proves the identity with `GetCallerIdentity`.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use jiff::Timestamp;

use super::chain;
use super::client_defaults::{behavior, retry_config, timeout_config};
use super::clock_skew::ClockSkew;
use super::credentials::{Loader, Renewing};
use super::endpoints::Endpoints;
use super::environment::Environment;
use super::service_clock::ServiceClock;
use super::session::{ClientFactory, Identity, MfaCode, Session};
use super::shared_files::SharedFiles;
use super::sign_in_error::SignInError;
use super::write_guard::WriteGuard;
use crate::job::SignIn;
use tableferry_policy::arn::{Arn, Region};

mod rules;

impl Environment {
    /// Signs one side in: loads the profile's own credentials, whatever keys the environment
    /// holds, assumes its roles, and proves the identity.
    ///
    /// Where a code from an MFA device is needed and none is given, it answers
    /// [`SignInError::MfaRequired`] before any call.
    pub async fn sign_in(
        &self,
        sign_in: &SignIn,
        code: Option<&MfaCode>,
    ) -> Result<Session, SignInError> {
        let loader = self.loader(sign_in)?;
        if let (Some(serial), None) = (loader.device(), code) {
            return Err(SignInError::MfaRequired {
                profile: loader.profile.clone(),
                serial: serial.to_owned(),
            });
        }
        let clients = loader.clients.clone();
        let proved = async {
            let credentials = loader.load(code).await?;
            prove(loader, credentials).await
        };
        proved.await.map_err(|error| with_skew(error, &clients))
    }

    /// Whether both sides begin with the same user's keys and ask for the same device's code, so
    /// that [`Environment::sign_in_both`] can do with one.
    pub fn share_a_device(&self, one: &SignIn, other: &SignIn) -> bool {
        match (self.loader(one), self.loader(other)) {
            (Ok(one), Ok(other)) => one.shares_device_with(&other),
            _ => false,
        }
    }

    /// Signs both sides in with one code, where they share a device.
    ///
    /// A code works once. So one session is made of the user's keys with it (`GetSessionToken`),
    /// and both sides' roles are assumed from that session, which carries the proof of the device.
    /// Sides that share no device are signed in one after the other.
    pub async fn sign_in_both(
        &self,
        one: &SignIn,
        other: &SignIn,
        code: &MfaCode,
    ) -> (Result<Session, SignInError>, Result<Session, SignInError>) {
        match (self.loader(one), self.loader(other)) {
            (Ok(one), Ok(other)) if one.shares_device_with(&other) => {
                match one.shared_session(code).await {
                    Ok(shared) => (
                        go_on_from(one, shared.clone()).await,
                        go_on_from(other, shared).await,
                    ),
                    Err(error) => (Err(error.clone()), Err(error)),
                }
            }
            _ => (
                self.sign_in(one, Some(code)).await,
                self.sign_in(other, Some(code)).await,
            ),
        }
    }

    /// All that is decided before the first call.
    pub(super) fn loader(&self, sign_in: &SignIn) -> Result<Loader, SignInError> {
        let profile = sign_in.profile.as_str();
        if profile.is_empty() {
            return Err(refused(
                "no profile is named",
                "name a profile of the shared config files",
            ));
        }
        let files = self.shared_files();
        let chain = chain::resolve(&files, profile).map_err(|mut error| {
            if let Some(problem) = files.problems.first() {
                error.hint = format!("{}; {problem}", error.hint);
            }
            error
        })?;
        let region = self.region(sign_in, &files)?;
        let ca_bundle = self.ca_bundle(&files, profile);
        let environment = match &ca_bundle {
            Some((path, named_by)) => self.trusting(path).map_err(|problem| {
                refused(
                    format!("{named_by} names {}: {problem}", path.display()),
                    "name a file of PEM certificates that can be read, or leave it out to trust the \
                     system's authorities",
                )
            })?,
            None => self.clone(),
        };
        let mut loader = Loader {
            profile: profile.to_owned(),
            device_of_keys: None,
            keys_session_seconds: None,
            clients: ClientFactory {
                config: environment.sdk_config(&files, profile),
                loopback_client: environment.loopback_client.clone(),
                endpoints: Endpoints::of(profile, &files, &self.variables),
                renewal: chain.base.kind.renewal(&chain.base.profile),
                ca_bundle: ca_bundle.map(|(path, _)| path),
                clock: ServiceClock::default(),
                write_guard: WriteGuard {
                    is_read_only: self.is_read_only,
                },
            },
            environment,
            region,
            hops: Vec::new(),
            base: chain.base,
        };
        rules::apply_overrides(&mut loader, chain.hops, sign_in)?;
        rules::check_hops(&loader)?;
        Ok(loader)
    }

    fn region(&self, sign_in: &SignIn, files: &SharedFiles) -> Result<Region, SignInError> {
        if let Some(region) = &sign_in.region {
            return Ok(region.clone());
        }
        let profile = &sign_in.profile;
        let from_variables = || {
            self.variable("AWS_REGION")
                .or_else(|| self.variable("AWS_DEFAULT_REGION"))
        };
        let text = files
            .region_text(profile)
            .or_else(from_variables)
            .ok_or_else(|| {
                refused(
                    format!("profile `{profile}` names no Region"),
                    "add `region = …` to the profile, name one in the plan, or set AWS_REGION",
                )
            })?;
        text.parse().map_err(|error| {
            refused(
                format!("profile `{profile}`: {error}"),
                "correct the Region's code",
            )
        })
    }

    /// What all clients of a session have in common.
    fn sdk_config(&self, files: &SharedFiles, profile: &str) -> SdkConfig {
        let says = |variable: &str, setting: &str| {
            self.variable(variable)
                .or_else(|| files.setting(profile, setting))
                .map(|value| value.eq_ignore_ascii_case("true"))
        };
        let account_id_mode = self
            .variable("AWS_ACCOUNT_ID_ENDPOINT_MODE")
            .or_else(|| files.setting(profile, "account_id_endpoint_mode"))
            .and_then(|mode| mode.parse().ok());
        let mut builder = SdkConfig::builder()
            .behavior_version(behavior())
            .retry_config(retry_config())
            .timeout_config(timeout_config(self.timeouts))
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .grace_period(Duration::from_secs(15))
                    .build(),
            );
        builder.set_use_fips(says("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
        builder.set_use_dual_stack(says("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
        builder.set_account_id_endpoint_mode(account_id_mode);
        builder.set_app_name(AppName::new("tableferry").ok());
        builder.set_http_client(Some(self.http_client.clone()));
        builder.build()
    }

    /// The session that the last role of a chain is assumed from, as STS names it: without the
    /// role's path.
    fn assumed_from(&self, loader: &Loader) -> Option<Arn> {
        let before = loader.hops.len().checked_sub(2)?;
        let hop = loader.hops.get(before)?;
        let role: Arn = hop.role_arn.parse().ok()?;
        let name = role.resource_after("role")?.rsplit('/').next()?.to_owned();
        let session = hop.session_name.clone();
        let session = session.unwrap_or_else(|| self.session_name());
        Some(Arn {
            service: "sts".to_owned(),
            resource: format!("assumed-role/{name}/{session}"),
            ..role
        })
    }

    /// The name of the sessions that we assume, so that CloudTrail tells who it was.
    pub(super) fn session_name(&self) -> String {
        let user = ["USER", "LOGNAME", "USERNAME"]
            .iter()
            .find_map(|name| self.variable(name));
        match user {
            Some(user) => rules::session_name_for(user),
            None => "tableferry".to_owned(),
        }
    }

    /// The keys that the variables hold, for profiles with `credential_source = Environment`.
    pub(super) fn variable_credentials(&self) -> Option<Credentials> {
        Some(Credentials::new(
            self.variable("AWS_ACCESS_KEY_ID")?,
            self.variable("AWS_SECRET_ACCESS_KEY")?,
            self.variable("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "tableferry",
        ))
    }
}

async fn prove(loader: Loader, credentials: Credentials) -> Result<Session, SignInError> {
    let expires_at = credentials
        .expiry()
        .and_then(|end| Timestamp::try_from(end).ok());
    let is_renewable = loader.device().is_none();
    let assumed_from = loader.environment.assumed_from(&loader);
    let (profile, region) = (loader.profile.clone(), loader.region.clone());
    let last_hop = loader.hops.last();
    let assumed_role = last_hop.and_then(|hop| hop.role_arn.parse().ok());
    let mut clients = loader.clients.clone();
    clients.config = clients
        .config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(Renewing::new(
            credentials,
            loader,
        )))
        .build();
    let identity = identity(&clients, &region, &profile).await?;
    let skew = clients.clock_skew().map(|skew| {
        format!(
            "{skew}; {}, since export times, expiries and the ends of sessions are judged by it",
            ClockSkew::hint()
        )
    });
    let warnings = clients.endpoints.warnings().into_iter().chain(skew);
    Ok(Session {
        profile,
        identity,
        assumed_role,
        region,
        expires_at,
        assumed_from,
        is_renewable,
        warnings: warnings.collect(),
        endpoints: clients.endpoints.listed(),
        clients,
    })
}

async fn go_on_from(loader: Loader, credentials: Credentials) -> Result<Session, SignInError> {
    let clients = loader.clients.clone();
    let proved = async {
        let credentials = loader.walk(credentials, None).await?;
        prove(loader, credentials).await
    };
    proved.await.map_err(|error| with_skew(error, &clients))
}

/// A failed call of a machine whose clock is wrong: whatever else it may be, this comes first.
fn with_skew(mut error: SignInError, clients: &ClientFactory) -> SignInError {
    if let (SignInError::Call(failure), Some(skew)) = (&mut error, clients.clock_skew()) {
        let before = failure.hint.take().map(|hint| format!("; {hint}"));
        failure.hint = Some(format!(
            "{skew}; {}{}",
            ClockSkew::hint(),
            before.unwrap_or_default()
        ));
    }
    error
}

fn refused(message: impl Into<String>, hint: impl Into<String>) -> SignInError {
    SignInError::Profile {
        message: message.into(),
        hint: hint.into(),
    }
}

async fn identity(
    clients: &ClientFactory,
    region: &Region,
    profile: &str,
) -> Result<Identity, SignInError> {
    const OPERATION: &str = "sts:GetCallerIdentity";
    let mapper = clients.mapper("sts");
    let answer = clients
        .sts(&clients.config("sts", region))
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| SignInError::Call(Box::new(mapper.failure(OPERATION, profile, &error))))?;
    let read = || {
        Some(Identity {
            account: answer.account()?.parse().ok()?,
            arn: answer.arn()?.parse().ok()?,
            user_id: answer.user_id()?.to_owned(),
        })
    };
    read().ok_or_else(|| {
        let failure = mapper.unreadable(OPERATION, profile, "the answer names no identity");
        SignInError::Call(Box::new(failure))
    })
}
