//! Whether STS answers a profile's calls, without credentials: the way there, and AWS's clock.
//!
//! `GetCallerIdentity` is sent unsigned. AWS refuses it (`MissingAuthenticationToken`), which is all the
//! answer that is needed; nothing of an account is read.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::environment::Environment;
use super::failure::{Failure, FailureKind};
use super::sign_in_error::SignInError;
use crate::job::SignIn;
use tableferry_policy::arn::Region;

/// What came of asking STS.
#[derive(Debug)]
pub struct Reach {
    /// The Region that was asked.
    pub region: Region,
    /// Why no answer of AWS came; `None` where one did.
    pub failure: Option<Failure>,
    /// AWS's time against this machine's.
    pub clock: Clock,
}

/// How this machine's clock stands to AWS's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// No answer told a time.
    Unknown,
    /// Within what AWS tolerates.
    Right,
    /// Too far off; a sentence says how far.
    Wrong(String),
}

impl Environment {
    /// Asks STS once, as a profile would: its Region, endpoint, proxy and authorities.
    ///
    /// # Errors
    /// Where the profile's own settings stand in the way of any call.
    pub async fn reach_sts(&self, profile: &str, patience: Duration) -> Result<Reach, SignInError> {
        const OPERATION: &str = "sts:GetCallerIdentity";
        let loader = self.loader(&SignIn {
            profile: profile.to_owned(),
            ..SignIn::default()
        })?;
        let config = loader.clients.config("sts", &loader.region);
        let config = aws_sdk_sts::config::Builder::from(&config)
            .allow_no_auth()
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(patience)
                    .operation_timeout(patience)
                    .build(),
            )
            .interceptor(loader.clients.clock.clone())
            .build();
        let client = aws_sdk_sts::Client::from_conf(config);
        let answer = client.get_caller_identity().send().await;
        let mapper = loader.clients.mapper("sts");
        let failure = answer
            .err()
            .map(|error| mapper.failure(OPERATION, loader.region.as_str(), &error));
        let clock = match (loader.clients.clock.latest(), loader.clients.clock_skew()) {
            (None, _) => Clock::Unknown,
            (Some(_), None) => Clock::Right,
            (Some(_), Some(skew)) => Clock::Wrong(skew.to_string()),
        };
        Ok(Reach {
            region: loader.region,
            failure: failure.filter(|failure| !is_answer(failure)),
            clock,
        })
    }
}

/// Whether a refusal came from the service itself.
fn is_answer(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Service
            | FailureKind::AccessDenied
            | FailureKind::Credentials
            | FailureKind::Throttled
    )
}
