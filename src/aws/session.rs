//! Sessions: one identity, proved, and the clients made for it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use aws_sdk_s3control::config::endpoint::{EndpointFuture, Params, ResolveEndpoint};
use aws_smithy_types::endpoint::Endpoint;
use aws_types::SdkConfig;
use jiff::Timestamp;

use super::clock_skew::ClockSkew;
use super::cloudtrail::CloudTrail;
use super::dynamodb::Dynamodb;
use super::endpoints::{self, Endpoints};
use super::environment::SharedHttpClient;
use super::error_mapper::ErrorMapper;
use super::failure::Failure;
use super::iam::Iam;
use super::kms::Kms;
use super::organizations::Organizations;
use super::s3::S3;
use super::s3_account::S3Account;
use super::service_clock::ServiceClock;
use super::write_guard::WriteGuard;
use tableferry_policy::arn::{AccountId, Arn, Partition, Region};

/// Actor `GetCallerIdentity` says we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The principal's ARN; of an assumed role, the session's.
    pub arn: Arn,
    /// The unique id.
    pub user_id: String,
}

/// A six-digit code from an MFA device; it never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct MfaCode(pub(crate) String);

/// A text that is no MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code from an MFA device has six digits")]
pub struct NotACode;

impl FromStr for MfaCode {
    type Err = NotACode;

    /// Takes six digits; blanks around and between them are left out, as devices print them.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err(NotACode)
        }
    }
}

impl fmt::Debug for MfaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MfaCode(…)")
    }
}

/// One identity, proved, with the means to make clients for it.
#[derive(Clone)]
pub struct Session {
    /// The profile it was signed in with.
    pub profile: String,
    /// Who we are.
    pub identity: Identity,
    /// The role that was assumed last, as it was named: `AssumeRole` takes a role's own ARN only, with
    /// the path that the session's ARN leaves out.
    pub assumed_role: Option<Arn>,
    /// The Region of the session's calls.
    pub region: Region,
    /// When the credentials end, where that is known.
    pub expires_at: Option<Timestamp>,
    /// The principal that the session's role was assumed from, where that was a session of another role of the
    /// profile's chain; not told of a role that was assumed with other credentials.
    pub assumed_from: Option<Arn>,
    /// Whether credentials that end are renewed without the operator; not where a code was asked.
    pub is_renewable: bool,
    /// Endpoints that are not AWS's: service (or `all`) and URL.
    pub endpoints: Vec<(String, String)>,
    /// What to know before anything is done with it: a clock that is wrong, calls in the clear.
    pub warnings: Vec<String>,
    pub(super) clients: ClientFactory,
}

/// What clients are made of.
#[derive(Clone)]
pub(super) struct ClientFactory {
    /// Credentials, timeouts, retries and the HTTP client; no Region and no endpoint.
    pub config: SdkConfig,
    /// The endpoints that stand in for AWS's.
    pub endpoints: Endpoints,
    /// How credentials are renewed, for hints.
    pub renewal: String,
    /// The certificate bundle whose authorities are trusted in place of the system's, for hints.
    pub ca_bundle: Option<PathBuf>,
    /// AWS's clock, as STS tells it.
    pub clock: ServiceClock,
    /// The HTTP client for endpoints on this machine.
    pub loopback_client: SharedHttpClient,
    /// What every changing call passes.
    pub write_guard: WriteGuard,
}

impl ClientFactory {
    /// The configuration of one service's client in a Region.
    pub(super) fn config(&self, service: &str, region: &Region) -> SdkConfig {
        let mut builder = self.config.to_builder();
        builder.set_region(aws_types::region::Region::new(region.to_string()));
        let endpoint = self.endpoints.for_service(service);
        if endpoint.is_some_and(endpoints::is_loopback) {
            builder.set_http_client(Some(self.loopback_client.clone()));
        }
        builder.set_endpoint_url(endpoint.map(str::to_owned));
        builder.build()
    }

    /// STS in a Region, which tells AWS's clock besides.
    pub(super) fn sts(&self, config: &SdkConfig) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(config).interceptor(self.clock.clone());
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// How far this machine's clock is off AWS's, where it is too much; told right after an answer.
    pub(super) fn clock_skew(&self) -> Option<ClockSkew> {
        ClockSkew::between(Timestamp::now(), self.clock.latest()?)
    }

    /// What translates one service's errors.
    pub(super) fn mapper(&self, service: &str) -> ErrorMapper {
        ErrorMapper {
            renewal: self.renewal.as_str().into(),
            endpoint: self.endpoints.for_service(service).map(Into::into),
            ca_bundle: self.ca_bundle.as_deref().map(Into::into),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("profile", &self.profile)
            .field("identity", &self.identity)
            .field("region", &self.region)
            .field("expires_at", &self.expires_at)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// The partition that the identity belongs to.
    pub fn partition(&self) -> Partition {
        self.identity.arn.partition
    }

    /// The session's own role by the name that it was assumed by, path included; `None` where that
    /// is not known. A role further down the chain is not it.
    pub fn named_role(&self) -> Option<&Arn> {
        let (name, _session) = self
            .identity
            .arn
            .resource_after("assumed-role")?
            .split_once('/')?;
        self.assumed_role.as_ref().filter(|arn| {
            let path = arn.resource_after("role");
            arn.account == self.identity.account.as_str()
                && path.and_then(|path| path.rsplit('/').next()) == Some(name)
        })
    }

    /// Whether the operator forbade every change.
    pub const fn is_read_only(&self) -> bool {
        self.clients.write_guard.is_read_only
    }

    /// Whether a call that changes something may be made; every such function
    /// of the clients asks the same guard.
    pub fn may_change(&self, operation: &str, target: &str) -> Result<(), Failure> {
        self.clients.write_guard.check(operation, target)
    }

    /// DynamoDB in a Region.
    pub fn dynamodb(&self, region: &Region) -> Dynamodb {
        let clock = ServiceClock::default();
        let config =
            aws_sdk_dynamodb::config::Builder::from(&self.clients.config("dynamodb", region))
                .interceptor(clock.clone())
                .build();
        Dynamodb {
            client: aws_sdk_dynamodb::Client::from_conf(config),
            mapper: self.clients.mapper("dynamodb"),
            write_guard: self.clients.write_guard,
            clock,
        }
    }

    /// S3 in a Region; where the endpoint is not AWS's, buckets are named in the path.
    pub fn s3(&self, region: &Region) -> S3 {
        let config = self.clients.config("s3", region);
        let is_elsewhere = config
            .endpoint_url()
            .is_some_and(|url| !endpoints::is_of_aws(url));
        let config = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(is_elsewhere)
            .build();
        S3 {
            client: aws_sdk_s3::Client::from_conf(config),
            region: region.clone(),
            mapper: self.clients.mapper("s3"),
            write_guard: self.clients.write_guard,
        }
    }

    /// KMS in a Region.
    pub fn kms(&self, region: &Region) -> Kms {
        Kms {
            client: aws_sdk_kms::Client::new(&self.clients.config("kms", region)),
            mapper: self.clients.mapper("kms"),
            write_guard: self.clients.write_guard,
        }
    }

    /// IAM, which is one for the whole partition.
    pub fn iam(&self) -> Iam {
        Iam {
            client: aws_sdk_iam::Client::new(&self.clients.config("iam", &self.region)),
            mapper: self.clients.mapper("iam"),
            write_guard: self.clients.write_guard,
        }
    }

    /// CloudTrail in a Region.
    pub fn cloudtrail(&self, region: &Region) -> CloudTrail {
        CloudTrail {
            client: aws_sdk_cloudtrail::Client::new(&self.clients.config("cloudtrail", region)),
            mapper: self.clients.mapper("cloudtrail"),
        }
    }

    /// Organizations, which is one for the whole partition.
    pub fn organizations(&self) -> Organizations {
        let config = self.clients.config("organizations", &self.region);
        Organizations {
            client: aws_sdk_organizations::Client::new(&config),
            mapper: self.clients.mapper("organizations"),
        }
    }

    /// S3's settings of accounts. AWS's hosts for them begin with the account's id; an endpoint of
    /// another server is called as it stands, since such names of it rarely resolve.
    pub fn s3_account(&self) -> S3Account {
        let config = self.clients.config("s3_control", &self.region);
        let elsewhere = config
            .endpoint_url()
            .filter(|url| !endpoints::is_of_aws(url))
            .map(|url| AsItStands(url.to_owned()));
        let mut builder = aws_sdk_s3control::config::Builder::from(&config);
        if let Some(resolver) = elsewhere {
            builder = builder.endpoint_resolver(resolver);
        }
        S3Account {
            client: aws_sdk_s3control::Client::from_conf(builder.build()),
            mapper: self.clients.mapper("s3_control"),
        }
    }
}

/// An endpoint that is not made into another for each account.
#[derive(Debug)]
struct AsItStands(String);

impl ResolveEndpoint for AsItStands {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mfa_code_has_six_digits_and_never_prints_itself() {
        let code: MfaCode = " 123 456\n".parse().unwrap();
        assert_eq!(code.0, "123456");
        assert_eq!(format!("{code:?}"), "MfaCode(…)");
        for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(text.parse::<MfaCode>(), Err(NotACode), "{text}");
        }
    }
}
