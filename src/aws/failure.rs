//! Failures of calls, translated: what was tried, on what, why it failed, and AWS's request id.

use std::fmt;

use crate::assess::facts::ReadError;

/// What kind of thing went wrong, for those who decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The service answered with an error of its own; see the code.
    Service,
    /// The service refused for want of a permission.
    AccessDenied,
    /// The credentials are expired, unknown or wrong: sign in again.
    Credentials,
    /// The service asks to slow down, and retries did not help.
    Throttled,
    /// No answer in time.
    Timeout,
    /// No connection.
    Connection,
    /// The answer is not one of the service's: a proxy's page, or another server's words.
    Unreadable,
    /// The server does not know the call at all.
    Unsupported,
    /// The operator forbade every change, so that nothing was sent.
    ReadOnly,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// The operation, as IAM names it: `dynamodb:DescribeTable`.
    pub operation: String,
    /// What it was tried on: an ARN or a name.
    pub target: String,
    /// The error's code, where the service gave one.
    pub code: Option<String>,
    /// The service's message, or the innermost cause; stripped of control characters.
    pub message: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// AWS's request id, where there was one; S3's extended one stands after it and a slash.
    pub request_id: Option<String>,
    /// What to do next, where that is plain from the failure alone.
    pub hint: Option<String>,
}

impl Failure {
    /// Whether the same call may be answered another time: the way there or the server failed, and
    /// nothing was decided.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            FailureKind::Timeout
            | FailureKind::Connection
            | FailureKind::Throttled
            | FailureKind::Unreadable => true,
            FailureKind::Service => self.status.is_some_and(|status| status >= 500),
            FailureKind::AccessDenied
            | FailureKind::Credentials
            | FailureKind::Unsupported
            | FailureKind::ReadOnly => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: ", self.operation, self.target)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// What a failed call says of the fact that it was to tell. The operation names the permission, which
/// may be one of several behind the fact.
impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self {
            permission: failure.operation,
            code: failure.code,
            detail: failure.message,
            request_id: failure.request_id,
            asked_at: None,
            is_unanswered: false,
        }
    }
}
