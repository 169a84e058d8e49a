//! The call that starts an export, and what its answer proves.
//!
//! The call is made once: the SDK's own retries are off, since an attempt after one whose answer was
//! lost may be refused although the first has started the export, or start a second where the token
//! no longer holds. It is signed with a time that AWS's own answers told. AWS carries out no request
//! that is signed for another time than now (within 15 minutes), so that one which waited in a
//! sleeping machine is refused, and starts nothing.

use std::time::SystemTime;

use aws_sdk_dynamodb::config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_runtime_api::client::result::SdkError;
use jiff::Timestamp;

use super::{Dynamodb, Export, export, export_request};
use crate::aws::failure::{Failure, FailureKind};
use crate::job::ExportRequest;

const OPERATION: &str = "dynamodb:ExportTableToPointInTime";

/// What a call that starts something, such as an export, came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAnswer<T> {
    /// It was started, by this call or by an earlier one with its token.
    Started(Box<T>),
    /// This call started nothing: it was not sent, or the service itself refused it. That says nothing
    /// about an earlier call with its token.
    Refused(Failure),
    /// No answer came that is the service's word: it may have been started.
    Unanswered(Failure),
}

impl Dynamodb {
    /// AWS's time as the latest answer to this client told it; `None` where none did.
    pub fn service_time(&self) -> Option<Timestamp> {
        self.clock.latest()
    }

    /// Starts an export, by one `ExportTableToPointInTime`, word for word as requested: the client
    /// token is the request's, never one that the SDK makes up.
    ///
    /// `signed_at` is AWS's time, which the call is signed with; without it, this machine's is.
    pub async fn start_export(
        &self,
        request: &ExportRequest,
        signed_at: Option<Timestamp>,
    ) -> StartAnswer<Export> {
        let target = request.table_arn.to_string();
        if let Err(failure) = self.write_guard.check(OPERATION, &target) {
            return StartAnswer::Refused(failure);
        }
        let call = match export_request::fill(self.client.export_table_to_point_in_time(), request)
        {
            Ok(call) => call,
            Err(problem) => {
                let failure = self.mapper.invalid_request(OPERATION, &target, &problem);
                return StartAnswer::Refused(failure);
            }
        };
        let once = once_signed_at(signed_at);
        match call.customize().config_override(once).send().await {
            Ok(answer) => match answer.export_description().and_then(export) {
                Some(export) => StartAnswer::Started(Box::new(export)),
                None => StartAnswer::Unanswered(self.no_export(OPERATION, &target)),
            },
            Err(error) => {
                let failure = self.mapper.failure(OPERATION, &target, &error);
                unanswered_or_refused(&error, failure)
            }
        }
    }
}

/// What a call proves that ended in an error.
pub(super) fn unanswered_or_refused<T, E, R>(
    error: &SdkError<E, R>,
    failure: Failure,
) -> StartAnswer<T> {
    let is_unsent = matches!(error, SdkError::ConstructionFailure(_))
        || (failure.kind == FailureKind::Credentials && failure.status.is_none());
    if is_unsent || is_word_of_dynamodb(&failure) {
        StartAnswer::Refused(failure)
    } else {
        StartAnswer::Unanswered(failure)
    }
}

/// One attempt, signed with a given time.
pub(super) fn once_signed_at(signed_at: Option<Timestamp>) -> config::Builder {
    let once = config::Config::builder().retry_config(RetryConfig::disabled());
    match signed_at {
        Some(time) => once
            .time_source(StaticTimeSource::new(SystemTime::from(time)))
            .disable_clock_skew_correction(true),
        None => once,
    }
}

/// Whether a refusal is DynamoDB's own, and no accident on its side: a code and a request id, which
/// a proxy's page lacks, and no 5xx, after which the call may have been carried out.
fn is_word_of_dynamodb(failure: &Failure) -> bool {
    failure.code.is_some()
        && failure.request_id.is_some()
        && failure.status.is_some_and(|status| status < 500)
}
