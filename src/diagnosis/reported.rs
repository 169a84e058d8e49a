//! One error as somebody's tool reported it: what the text says, and nothing that was concluded from it.

use std::borrow::Cow;

use super::sentence::{AuthorizationSentence, StatedReason};
use tableferry_policy::evaluate::NamedPolicy;

/// Why something was refused, as far as the text says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Stated {
    /// No policy of this kind allows it.
    NoAllow(NamedPolicy),
    /// A policy denies it, of this kind where one is named.
    Deny(Option<NamedPolicy>),
    /// KMS's: the key is not in the Region, or its policy does not allow or denies it.
    KeyNotReachable,
    /// A setting prevents it, in AWS's words.
    Setting(String),
    /// IAM's sentence without a reason.
    Unstated,
    /// Denied, and not a word more.
    Bare,
    /// Denied, in words that are not IAM's sentence.
    Worded,
    /// Another error than a denial.
    #[default]
    NotDenied,
}

impl From<StatedReason> for Stated {
    fn from(reason: StatedReason) -> Self {
        match reason {
            StatedReason::NoAllow(kind) => Self::NoAllow(kind),
            StatedReason::Deny(kind) => Self::Deny(kind),
            StatedReason::KeyNotReachable => Self::KeyNotReachable,
            StatedReason::Setting(words) => Self::Setting(words),
            StatedReason::None => Self::Unstated,
        }
    }
}

/// What says that a text is an error of AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ErrorForm {
    /// Words alone: an error only where the catalogue knows them.
    #[default]
    Words,
    /// A tool's form of an error with its code, or IAM's sentence.
    Error,
}

/// An error as it was reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedError {
    /// AWS's code, such as `AccessDenied`.
    pub code: Option<String>,
    /// The service in lower case, such as `s3`.
    pub service: Option<String>,
    /// The call, such as `PutObject`.
    pub operation: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// AWS's id of the request.
    pub request_id: Option<String>,
    /// AWS's words.
    pub message: String,
    /// Who was refused.
    pub principal: Option<String>,
    /// What was refused, such as `s3:PutObject`.
    pub action: Option<String>,
    /// On what.
    pub resource: Option<String>,
    /// Why.
    pub stated: Stated,
    /// The policy that decided.
    pub policy_arn: Option<String>,
    /// The text breaks off.
    pub is_cut: bool,
    /// EC2's encoded message stands there, which `sts:DecodeAuthorizationMessage` opens.
    pub has_encoded_message: bool,
    /// The time of the event, where it is CloudTrail's.
    pub event_time: Option<String>,
    /// What says that it is an error.
    pub form: ErrorForm,
    /// The text around it, decoded, for the words of the catalogue.
    pub record: String,
}

/// Codes by which services refuse for want of a permission.
const DENIALS: [&str; 16] = [
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedError",
    "S3AccessDenied",
    "Forbidden",
    "403",
    "403 Forbidden",
    "ForbiddenException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorized",
    "NotAuthorizedException",
    "KMS.AccessDeniedException",
    "AuthFailure.Unauthorized",
];

/// Words that only repeat the code.
const BARE: [&str; 14] = [
    "",
    "accessdenied",
    "accessisdenied",
    "forbidden",
    "403",
    "403forbidden",
    "unknown",
    "unknownerror",
    "null",
    "none",
    "noresponsebody",
    "youarenotauthorizedtoperformthisoperation",
    "accessdeniedexception",
    "userisnotauthorizedtoperformthisaction",
];

/// Whether a code means that something was denied.
pub(super) fn is_denial(code: &str) -> bool {
    DENIALS.contains(&code)
}

/// Whether a message says no more than that it was denied.
pub(super) fn is_bare(message: &str) -> bool {
    let squeezed = squeeze(message);
    // The second Java SDK has these words where a service sent none.
    if squeezed.starts_with("servicereturnederrorcode") {
        return true;
    }
    BARE.contains(&squeezed.trim_matches(['.', '!', '"', '\'', '(', ')', ':']))
}

/// A text in lower case and without white space.
pub(super) fn squeeze(text: &str) -> String {
    let kept = text.chars().filter(|character| !character.is_whitespace());
    kept.map(|character| character.to_ascii_lowercase())
        .collect()
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl ReportedError {
    /// Takes over what IAM's sentence says.
    pub(super) fn say(&mut self, sentence: AuthorizationSentence) {
        self.principal = sentence.principal.or(self.principal.take());
        self.resource = sentence.resource.or(self.resource.take());
        self.action = sentence.action;
        self.stated = sentence.reason.into();
        self.policy_arn = sentence.policy_arn;
        self.is_cut = sentence.is_cut;
        self.form = ErrorForm::Error;
    }

    /// Says whether it is a denial without IAM's sentence, once code, status and message are known.
    pub(super) fn settle(&mut self) {
        if self.stated != Stated::NotDenied {
            return;
        }
        let is_denied = match (self.code.as_deref(), self.status) {
            (Some(code), _) if is_denial(code) => true,
            (None | Some("Unknown" | "UnknownError"), Some(403)) => true,
            _ => false,
        };
        if is_denied {
            self.stated = if is_bare(&self.message) {
                Stated::Bare
            } else {
                Stated::Worded
            };
        }
    }

    /// The service that refused: by its name, or by the action.
    #[must_use]
    pub fn service(&self) -> Option<Cow<'_, str>> {
        if let Some((service, _)) = self
            .action
            .as_deref()
            .and_then(|action| action.split_once(':'))
        {
            return Some(service.to_ascii_lowercase().into());
        }
        if let Some(service) = &self.service {
            return Some(service.as_str().into());
        }
        self.operation
            .as_deref()
            .and_then(service_of_operation)
            .map(Cow::Borrowed)
    }

    /// What kind of principal was refused.
    #[must_use]
    pub fn principal_kind(&self) -> Option<&'static str> {
        let principal = self.principal.as_deref()?;
        let after = arn_part(principal, 5)?;
        Some(match after.split('/').next()? {
            "assumed-role" => "role session",
            "user" => "user",
            "root" => "root user",
            "role" => "role",
            "federated-user" => "federated user",
            _ => return None,
        })
    }

    /// The account of the principal.
    #[must_use]
    pub fn principal_account(&self) -> Option<&str> {
        arn_part(self.principal.as_deref()?, 4).filter(|account| is_account(account))
    }

    /// The account of the resource, where its ARN tells it.
    #[must_use]
    pub fn resource_account(&self) -> Option<&str> {
        arn_part(self.resource.as_deref()?, 4).filter(|account| is_account(account))
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A part of an ARN, counted from 0; the sixth is all that follows. Redacted parts are parts, too.
pub(super) fn arn_part(arn: &str, number: usize) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    (parts.next()? == "arn").then_some(())?;
    parts.nth(number.checked_sub(1)?)
}

/// The service that has a call of this name, for calls that only one service has.
fn service_of_operation(operation: &str) -> Option<&'static str> {
    const STS: [&str; 8] = [
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "AssumeRoleWithSAML",
        "GetCallerIdentity",
        "GetSessionToken",
        "GetFederationToken",
        "DecodeAuthorizationMessage",
        "GetAccessKeyInfo",
    ];
    const S3: [&str; 12] = [
        "ListObjects",
        "ListObjectsV2",
        "ListBuckets",
        "CreateMultipartUpload",
        "UploadPart",
        "UploadPartCopy",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "ListParts",
        "ListMultipartUploads",
        "CreateBucket",
        "DeleteBucket",
    ];
    const KMS: [&str; 7] = [
        "Decrypt",
        "Encrypt",
        "ReEncrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "DescribeKey",
        "PutKeyPolicy",
    ];
    const DYNAMODB: [&str; 12] = [
        "ExportTableToPointInTime",
        "DescribeExport",
        "ListExports",
        "ImportTable",
        "DescribeImport",
        "DescribeTable",
        "DescribeContinuousBackups",
        "UpdateContinuousBackups",
        "PutItem",
        "GetItem",
        "BatchWriteItem",
        "Query",
    ];
    let is_s3 = S3.contains(&operation)
        || ["Object", "Bucket"]
            .iter()
            .any(|word| operation.contains(word))
            && !operation.contains("Cloud");
    Some(if STS.contains(&operation) {
        "sts"
    } else if is_s3 {
        "s3"
    } else if KMS.contains(&operation) {
        "kms"
    } else if DYNAMODB.contains(&operation) {
        "dynamodb"
    } else {
        return None;
    })
}
