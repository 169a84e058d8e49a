//! Clients for the sandbox's profiles.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use tableferry_sandbox::{Options, Sandbox};

/// How long an export takes in these tests.
pub(crate) const JOB: Duration = Duration::from_millis(40);

/// A new world with quick exports.
pub(crate) fn sandbox() -> Sandbox {
    with(|_| ())
}

/// A new world, played another way.
pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Sandbox {
    let mut options = Options {
        job_length: JOB,
        ..Options::default()
    };
    change(&mut options);
    Sandbox::open(options).unwrap()
}

/// The keys that the credentials file holds for a profile.
pub(crate) fn keys(sandbox: &Sandbox, profile: &str) -> Credentials {
    let text = sandbox.profiles(None).credentials;
    let section = text
        .split(&format!("[{profile}]\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("no keys for {profile}"));
    let value = |name: &str| {
        section
            .split("\n[")
            .next()
            .unwrap()
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} = ")).map(str::to_owned))
    };
    Credentials::new(
        value("aws_access_key_id").unwrap(),
        value("aws_secret_access_key").unwrap(),
        value("aws_session_token"),
        None,
        "test",
    )
}

pub(crate) fn config(sandbox: &Sandbox, credentials: Credentials, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .http_client(sandbox.http_client())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .behavior_version(BehaviorVersion::latest())
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build()
}

/// What a profile's clients are made from, in eu-west-1.
pub(crate) async fn profile(sandbox: &Sandbox, name: &str) -> SdkConfig {
    profile_in(sandbox, name, "eu-west-1").await
}

/// The same in a Region of choice; `prod-oncall` and `prod-mfa` assume their roles.
pub(crate) async fn profile_in(sandbox: &Sandbox, name: &str, region: &str) -> SdkConfig {
    let credentials = match name {
        "prod-oncall" => assume(sandbox, "prod-admin", "OnCallExporter", "oncall").await,
        _ => keys(sandbox, name),
    };
    config(sandbox, credentials, region)
}

/// The temporary credentials of a role in 111111111111.
pub(crate) async fn assume(
    sandbox: &Sandbox,
    from: &str,
    role: &str,
    session: &str,
) -> Credentials {
    let sts = aws_sdk_sts::Client::new(&config(sandbox, keys(sandbox, from), "eu-west-1"));
    let answer = sts
        .assume_role()
        .role_arn(format!("arn:aws:iam::111111111111:role/{role}"))
        .role_session_name(session)
        .send()
        .await
        .unwrap();
    credentials(answer.credentials().unwrap())
}

pub(crate) fn credentials(issued: &aws_sdk_sts::types::Credentials) -> Credentials {
    Credentials::new(
        issued.access_key_id(),
        issued.secret_access_key(),
        Some(issued.session_token().to_owned()),
        None,
        "test",
    )
}

/// Code and message of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug, E, R>(
    answer: Result<T, SdkError<E, R>>,
) -> (String, String)
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: std::fmt::Debug,
{
    match answer {
        Ok(answer) => panic!("not refused: {answer:?}"),
        Err(error) => match error.as_service_error() {
            Some(service) => (
                service.code().unwrap_or_default().to_owned(),
                service.message().unwrap_or_default().to_owned(),
            ),
            None => panic!("no service error: {error:?}"),
        },
    }
}
