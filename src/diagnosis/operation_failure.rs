//! The failure of an operation, such as an export: what the service said of it, and what its request held.
//!
//! It decides nothing that the words do not say, but which call it was and whether the bucket's owner was
//! named are known and not read out of a text.

use jiff::Timestamp;

use super::assessed;
use super::circumstance::{Circumstance, Circumstances};
use super::decode::decode;
use super::read::read_errors;
use super::reported::{ErrorForm, ReportedError, Stated};
use crate::assess::assessment::Assessment;

/// How an operation failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationFailure {
    /// The call that started it, such as `ExportTableToPointInTime`.
    pub operation: String,
    /// Whether the call itself was refused; otherwise it was accepted, and failed later.
    pub is_refused: bool,
    /// AWS's code.
    pub code: Option<String>,
    /// AWS's words.
    pub message: Option<String>,
    /// AWS's id of the request that was refused.
    pub request_id: Option<String>,
    /// The bucket that it wrote to or read from.
    pub bucket: Option<String>,
    /// Whether the request named the bucket's owner, where that is known.
    pub is_owner_sent: Option<bool>,
    /// When it failed, where that is known.
    pub at: Option<Timestamp>,
}

impl OperationFailure {
    /// The failure as an error that a tool reported.
    #[must_use]
    pub fn reported(&self) -> ReportedError {
        let words = decode(self.message.as_deref().unwrap_or_default().as_bytes());
        let mut error = read_errors(&words, true)
            .into_iter()
            .next()
            .unwrap_or_default();
        if self.code.is_some() {
            error.code.clone_from(&self.code);
        }
        error.operation = Some(self.operation.clone());
        error.request_id = self.request_id.clone().or(error.request_id);
        error.form = ErrorForm::Error;
        error.record = format!("{} {words}", self.code.as_deref().unwrap_or_default());
        error.event_time = self.at.map(|at| at.to_string());
        error.settle();
        if error.stated == Stated::Bare && error.resource.is_none() && !self.is_refused {
            let bucket = self.bucket.as_deref();
            error.resource = bucket.map(|bucket| format!("arn:aws:s3:::{bucket}"));
        }
        error
    }

    /// What is known of it: by its words, its request, and the assessment of its plan.
    #[must_use]
    pub fn circumstances(
        &self,
        error: &ReportedError,
        assessment: Option<&Assessment>,
    ) -> Circumstances {
        let mut known = match assessment {
            Some(assessment) => assessed::circumstances(error, assessment),
            None => Circumstances::of_text(error),
        };
        known.add(if self.is_refused {
            Circumstance::ExportCall
        } else {
            Circumstance::Export
        });
        // What the request held is more than what a request of the plan would hold now.
        let (holds, does_not) = match self.is_owner_sent {
            Some(true) => (Circumstance::OwnerSent, Circumstance::OwnerNotSent),
            Some(false) => (Circumstance::OwnerNotSent, Circumstance::OwnerSent),
            None => return known,
        };
        known.add(holds);
        known.remove(does_not);
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;

    fn first(failure: &OperationFailure) -> Vec<String> {
        let error = failure.reported();
        let diagnosis = diagnose(&error, &failure.circumstances(&error, None)).unwrap();
        diagnosis.first().map(|one| one.cause.id.clone()).collect()
    }

    fn export(code: &str, message: &str) -> OperationFailure {
        OperationFailure {
            operation: "ExportTableToPointInTime".to_owned(),
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            bucket: Some("landing".to_owned()),
            ..OperationFailure::default()
        }
    }

    /// The message is the one that was observed (aws-controllers-k8s/dynamodb-controller, export.md).
    const BARE: &str = "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X; Proxy: null)";

    #[test]
    fn an_owner_that_the_request_did_not_name_is_known_without_a_text_that_says_so() {
        let mut failure = export("S3AccessDenied", BARE);
        failure.is_owner_sent = Some(false);
        assert_eq!(first(&failure), ["export-owner-missing"]);
        failure.is_owner_sent = Some(true);
        assert!(!first(&failure).contains(&"export-owner-missing".to_owned()));
    }

    #[test]
    fn the_words_of_the_service_are_read_as_those_of_any_tool() {
        let words = "User: arn:aws:sts::111122223333:assumed-role/a/b is not authorized to perform: s3:PutObject on \
            resource: \"arn:aws:s3:::landing/k\" because no resource-based policy allows the s3:PutObject action \
            (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X)";
        let failure = export("S3AccessDenied", words);
        assert_eq!(first(&failure), ["bucket-policy-lacks"]);
        let error = failure.reported();
        assert_eq!(error.action.as_deref(), Some("s3:PutObject"));
        assert_eq!(error.code.as_deref(), Some("S3AccessDenied"));
    }

    #[test]
    fn a_call_that_was_refused_is_no_failed_export() {
        let failure = OperationFailure {
            is_refused: true,
            ..export("AccessDeniedException", "Access is denied")
        };
        assert_eq!(first(&failure), ["wrong-account"]);
    }

    #[test]
    fn a_failure_without_a_word_is_told_as_not_known() {
        let failure = OperationFailure {
            operation: "ImportTable".to_owned(),
            ..OperationFailure::default()
        };
        let error = failure.reported();
        let diagnosis = diagnose(&error, &failure.circumstances(&error, None)).unwrap();
        assert!(diagnosis.candidates.is_empty());
    }
}
