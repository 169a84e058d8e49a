//! Credentials: how a chain is walked, call by call, and how they are renewed.
//!
//! Only the chain's beginning is left to the SDK's profile provider, which is handed the settings
//! of that one profile and nothing else, so that neither keys in the environment nor another
//! profile can slip in. Roles are assumed here, since the SDK's provider drops `mfa_serial` and
//! `duration_seconds`.

mod failure;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
#[expect(
    deprecated,
    reason = "the names' new home is a crate that aws-config does not re-export"
)]
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

use self::failure::{assume_role_failure, base_failure};
use super::chain::{BaseCredentials, BaseKind, Hop};
use super::client_defaults;
use super::environment::Environment;
use super::failure::{Failure, FailureKind};
use super::session::{ClientFactory, MfaCode};
use super::sign_in_error::SignInError;
use tableferry_policy::arn::{Arn, Region};

/// How long a credential process may take: it may wait for a person to touch a device.
const PROCESS_TIME: Duration = Duration::from_mins(2);

/// How long before their end credentials are renewed.
const RENEWAL_MARGIN: Duration = Duration::from_mins(2);

/// All that it takes to come to a session's credentials, and to come to them again.
#[derive(Clone)]
pub(super) struct Loader {
    pub environment: Environment,
    /// The profile that was chosen, which lends its endpoints to every call.
    pub profile: String,
    pub base: BaseCredentials,
    pub hops: Vec<Hop>,
    /// A device whose code turns the keys into a session before any role is assumed.
    pub device_of_keys: Option<String>,
    /// How long that session lasts, in seconds.
    pub keys_session_seconds: Option<u32>,
    pub region: Region,
    /// Without credentials; each call gets the ones it is signed with.
    pub clients: ClientFactory,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader")
            .field("profile", &self.profile)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Loader {
    /// The MFA device whose code is needed before anything else can be done.
    pub(super) fn device(&self) -> Option<&str> {
        let of_hops = self.hops.iter().find_map(|hop| hop.mfa_serial.as_deref());
        self.device_of_keys.as_deref().or(of_hops)
    }

    /// Whether one code can serve both: the same user's keys, and the same device at the first step
    /// of both ways.
    pub(super) fn shares_device_with(&self, other: &Self) -> bool {
        let is_of_keys = |loader: &Self| {
            let is_at_first_step = loader.device_of_keys.is_some()
                || loader
                    .hops
                    .first()
                    .is_some_and(|hop| hop.mfa_serial.is_some());
            let is_temporary = loader.base.settings.contains_key("aws_session_token");
            loader.base.kind == BaseKind::Keys && !is_temporary && is_at_first_step
        };
        self.device() == other.device()
            && self.base.profile == other.base.profile
            && is_of_keys(self)
            && is_of_keys(other)
    }

    /// Walks the chain to the session's credentials.
    pub(super) async fn load(&self, code: Option<&MfaCode>) -> Result<Credentials, SignInError> {
        let mut credentials = self.base_credentials().await?;
        if let (Some(serial), Some(code)) = (&self.device_of_keys, code) {
            credentials = self.session_of_keys(credentials, serial, code).await?;
        }
        self.walk(credentials, code).await
    }

    /// A session of the user's keys that carries the proof of the device.
    pub(super) async fn shared_session(&self, code: &MfaCode) -> Result<Credentials, SignInError> {
        let credentials = self.base_credentials().await?;
        let serial = self.device().unwrap_or_default();
        self.session_of_keys(credentials, serial, code).await
    }

    /// Assumes the chain's roles one after another; without a code no device is named either.
    pub(super) async fn walk(
        &self,
        mut credentials: Credentials,
        code: Option<&MfaCode>,
    ) -> Result<Credentials, SignInError> {
        for hop in &self.hops {
            credentials = self.assume(hop, credentials, code).await?;
        }
        Ok(credentials)
    }

    /// The chain's first credentials, from the SDK's provider.
    async fn base_credentials(&self) -> Result<Credentials, SignInError> {
        if self.environment.is_in_memory() && self.base.kind != BaseKind::Keys {
            return Err(SignInError::Profile {
                message: format!(
                    "profile `{}` signs in with {}, which reaches outside this practice world",
                    self.base.profile,
                    self.base.kind.words()
                ),
                hint: "choose a profile with access keys, or a role assumed from one".to_owned(),
            });
        }
        let provider = self.base_provider();
        let limit = match self.base.kind {
            BaseKind::Process => PROCESS_TIME,
            _ => self.environment.timeouts.operation,
        };
        match tokio::time::timeout(limit, provider.provide_credentials()).await {
            Ok(Ok(credentials)) => Ok(credentials),
            Ok(Err(error)) => Err(base_failure(
                &self.base,
                &self.clients.mapper(self.base.kind.service()),
                &error,
            )),
            Err(_) => Err(SignInError::Call(Box::new(Failure {
                kind: FailureKind::Timeout,
                operation: self.base.kind.operation().to_owned(),
                target: self.base.profile.clone(),
                code: None,
                message: format!("no credentials within {} s", limit.as_secs()),
                status: None,
                request_id: None,
                hint: Some("check the network, or the command that the profile names".to_owned()),
            }))),
        }
    }

    fn base_provider(&self) -> ProfileFileCredentialsProvider {
        let config = ProviderConfig::without_region()
            .with_region(Some(aws_types::region::Region::new(
                self.region.to_string(),
            )))
            .with_behavior_version(Some(client_defaults::behavior()))
            .with_timeout_config(client_defaults::timeout_config(self.environment.timeouts))
            .with_retry_config(client_defaults::retry_config())
            .with_http_client(self.environment.http_client.clone());
        #[expect(
            deprecated,
            reason = "the name's new home is a crate that aws-config does not re-export"
        )]
        let files = ProfileFiles::builder()
            .with_contents(ProfileFileKind::Config, self.base_text())
            .build();
        let mut builder = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_name(self.base.profile.clone())
            .profile_files(files);
        if let Some(credentials) = self.environment.variable_credentials() {
            builder = builder.with_custom_provider("Environment", credentials);
        }
        builder.build()
    }

    /// A config file of just what the SDK needs for the first credentials: no bad line of the
    /// user's files can keep it from being read.
    fn base_text(&self) -> String {
        let mut text = format!("[profile {}]\n", self.base.profile);
        let mut settings = self.base.settings.clone();
        if self.base.kind == BaseKind::WebIdentity {
            settings
                .entry("role_session_name".to_owned())
                .or_insert_with(|| self.environment.session_name());
        }
        write_settings(&mut text, &settings);
        if let Some(url) = self.clients.endpoints.for_all() {
            let _ = writeln!(text, "endpoint_url = {url}");
        }
        let by_service = self.clients.endpoints.by_service();
        if !by_service.is_empty() {
            text.push_str("services = configured\n[services configured]\n");
            for (service, url) in by_service {
                let _ = writeln!(text, "{service} =\n  endpoint_url = {url}");
            }
        }
        if let Some((name, settings)) = &self.base.sso_session {
            let _ = writeln!(text, "[sso-session {name}]");
            write_settings(&mut text, settings);
        }
        text
    }

    fn sts(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        let config = self
            .clients
            .config("sts", &self.region)
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        self.clients.sts(&config)
    }

    async fn session_of_keys(
        &self,
        credentials: Credentials,
        serial: &str,
        code: &MfaCode,
    ) -> Result<Credentials, SignInError> {
        let answer = self
            .sts(credentials)
            .get_session_token()
            .serial_number(serial)
            .token_code(&code.0)
            .set_duration_seconds(self.keys_session_seconds.and_then(|s| s.try_into().ok()))
            .send()
            .await
            .map_err(|error| {
                let mapper = self.clients.mapper("sts");
                let failure = mapper.failure("sts:GetSessionToken", serial, &error);
                assume_role_failure(failure, &self.profile, Some(serial), None)
            })?;
        self.take(answer.credentials, "sts:GetSessionToken", serial)
    }

    async fn assume(
        &self,
        hop: &Hop,
        credentials: Credentials,
        code: Option<&MfaCode>,
    ) -> Result<Credentials, SignInError> {
        let session_name = match &hop.session_name {
            Some(name) => name.clone(),
            None => self.environment.session_name(),
        };
        let proof = hop.mfa_serial.as_ref().zip(code);
        let answer = self
            .sts(credentials)
            .assume_role()
            .role_arn(&hop.role_arn)
            .role_session_name(session_name)
            .set_external_id(hop.external_id.clone())
            .set_source_identity(hop.source_identity.clone())
            .set_duration_seconds(hop.duration_seconds.and_then(|s| s.try_into().ok()))
            .set_serial_number(proof.map(|(serial, _)| serial.clone()))
            .set_token_code(proof.map(|(_, code)| code.0.clone()))
            .send()
            .await
            .map_err(|error| {
                let mapper = self.clients.mapper("sts");
                let failure = mapper.failure("sts:AssumeRole", &hop.role_arn, &error);
                assume_role_failure(
                    failure,
                    &self.profile,
                    proof.map(|(serial, _)| serial.as_str()),
                    hop.external_id.as_deref(),
                )
            })?;
        self.take(answer.credentials, "sts:AssumeRole", &hop.role_arn)
    }

    fn take(
        &self,
        answered: Option<aws_sdk_sts::types::Credentials>,
        operation: &str,
        target: &str,
    ) -> Result<Credentials, SignInError> {
        let Some(answered) = answered else {
            let failure = self.clients.mapper("sts").unreadable(
                operation,
                target,
                "the answer holds no credentials",
            );
            return Err(SignInError::Call(Box::new(failure)));
        };
        let account = target.parse::<Arn>().ok().map(|arn| arn.account);
        let mut credentials = Credentials::builder()
            .access_key_id(answered.access_key_id)
            .secret_access_key(answered.secret_access_key)
            .session_token(answered.session_token)
            .provider_name("tableferry");
        credentials.set_expiry(SystemTime::try_from(answered.expiration).ok());
        credentials.set_account_id(account.map(Into::into));
        Ok(credentials.build())
    }
}

/// Writes settings as a shared file holds them; the lines of one value stay together by their
/// indent.
fn write_settings(text: &mut String, settings: &BTreeMap<String, String>) {
    for (key, value) in settings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {}", value.replace('\n', "\n  "));
    }
}

/// The credentials of a session: the ones it was signed in with, and later ones where a chain can
/// be walked again without a person.
#[derive(Debug)]
pub(super) struct Renewing {
    current: Mutex<Credentials>,
    loader: Option<Loader>,
}

impl Renewing {
    pub(super) fn new(current: Credentials, loader: Loader) -> Self {
        let loader = loader.device().is_none().then_some(loader);
        Self {
            current: Mutex::new(current),
            loader,
        }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut current = self.current.lock().await;
        let left = current.expiry().map(|end| {
            end.duration_since(SystemTime::now())
                .unwrap_or(Duration::ZERO)
        });
        match (left, &self.loader) {
            (Some(left), Some(loader)) if left < RENEWAL_MARGIN => {
                *current = loader
                    .load(None)
                    .await
                    .map_err(CredentialsError::provider_error)?;
            }
            (Some(Duration::ZERO), None) => {
                return Err(CredentialsError::not_loaded(
                    "the session has ended, and a new one needs a code from the MFA device",
                ));
            }
            _ => {}
        }
        Ok(current.clone())
    }
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
