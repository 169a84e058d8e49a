//! The SDK's errors, translated into [`Failure`]s.
//!
//! It decides by the error's code and the answer's status, never by the SDK's variants, since
//! refusals and throttling are not modelled for most operations. Text from outside loses its
//! control characters here; headers and bodies never leave, since they may hold credentials.

use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::clock_skew::ClockSkew;
use super::endpoints;
use super::failure::{Failure, FailureKind};
use super::network_fault::NetworkFault;
use super::sign_in_error::SignInError;
use crate::sanitize::{sanitize, shortened};

/// How much of a foreign message is kept, in characters; encoded refusals run to kilobytes.
const MESSAGE_LIMIT: usize = 2000;

/// What hints need to know about the session whose call failed.
#[derive(Debug, Clone, Default)]
pub(super) struct ErrorMapper {
    /// How the credentials are renewed, in a sentence.
    pub renewal: Arc<str>,
    /// The endpoint that stands in for AWS's, if any.
    pub endpoint: Option<Arc<str>>,
    /// The certificate bundle whose authorities are trusted in place of the system's.
    pub ca_bundle: Option<Arc<Path>>,
}

impl ErrorMapper {
    /// The answer of a call of an operation, as IAM names it, on a target.
    pub(super) async fn answer<T, E>(
        &self,
        operation: &str,
        target: impl Display,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failure>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let answer = call.await;
        answer.map_err(|error| self.failure(operation, &target.to_string(), &error))
    }

    /// The answer of a call; `None` where the service says by the code `absent` that there is nothing.
    pub(super) async fn answer_unless<T, E>(
        &self,
        absent: &str,
        operation: &str,
        target: impl Display,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Option<T>, Failure>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        match self.answer(operation, target, call).await {
            Err(failure) if failure.code.as_deref() == Some(absent) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Translates a failed call of an operation, as IAM names it, on a target.
    pub(super) fn failure<E>(
        &self,
        operation: &str,
        target: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> Failure
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let mut failure = Failure {
            kind: FailureKind::Service,
            operation: operation.to_owned(),
            target: target.to_owned(),
            code: None,
            message: String::new(),
            status: None,
            request_id: None,
            hint: None,
        };
        if let Some(response) = error.raw_response() {
            describe_answer(&mut failure, error, response);
        } else {
            describe_silence(&mut failure, error);
        }
        failure.hint = match error.raw_response() {
            None if is_of_the_network(failure.kind) => {
                Some(self.network_hint(&failure, NetworkFault::of(error)))
            }
            _ => self.hint(&failure),
        };
        if let Some(skew) = error.raw_response().and_then(ClockSkew::of_answer)
            && is_about_time(&failure)
        {
            failure.kind = FailureKind::Service;
            failure.hint = Some(format!("{skew}; {}", ClockSkew::hint()));
        }
        if let Some(region) = error.raw_response().and_then(redirected_to) {
            failure.hint = Some(format!("the bucket lies in {region}"));
        }
        failure
    }

    /// A failure of the answer's content, found after the SDK took it.
    pub(super) fn unreadable(&self, operation: &str, target: &str, message: &str) -> Failure {
        Failure {
            kind: FailureKind::Unreadable,
            operation: operation.to_owned(),
            target: target.to_owned(),
            code: None,
            message: sanitize(message).into_owned(),
            status: None,
            request_id: None,
            hint: self.endpoint_hint(),
        }
    }

    /// A request that cannot be put into the service's words.
    pub(super) fn invalid_request(&self, operation: &str, target: &str, problem: &str) -> Failure {
        Failure {
            kind: FailureKind::Service,
            hint: Some("nothing was sent: correct the plan".to_owned()),
            ..self.unreadable(operation, target, problem)
        }
    }

    fn hint(&self, failure: &Failure) -> Option<String> {
        match failure.kind {
            FailureKind::Credentials => Some(self.renewal.to_string()).filter(|s| !s.is_empty()),
            FailureKind::Timeout | FailureKind::Connection => {
                Some(self.network_hint(failure, NetworkFault::Other))
            }
            FailureKind::Unreadable => Some(self.endpoint_hint().unwrap_or_else(|| {
                "something between here and AWS answered in its place: a proxy or a captive portal; \
                 look at HTTPS_PROXY and NO_PROXY"
                    .to_owned()
            })),
            FailureKind::Unsupported => self.endpoint_hint(),
            FailureKind::Throttled => Some("wait a little and try again".to_owned()),
            FailureKind::Service if failure.code.as_deref() == Some("RequestTimeTooSkewed") => {
                Some(format!(
                    "this machine's clock differs too much from AWS's: {}",
                    ClockSkew::hint()
                ))
            }
            FailureKind::Service if failure.status.is_some_and(|status| status >= 500) => {
                Some(self.endpoint_hint().unwrap_or_else(|| {
                    "the service failed on its own side: try again in a few minutes".to_owned()
                }))
            }
            FailureKind::Service | FailureKind::AccessDenied | FailureKind::ReadOnly => None,
        }
    }

    fn endpoint_hint(&self) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?;
        Some(format!(
            "the call went to {}, which is configured in place of AWS",
            endpoints::url_without_secrets(endpoint)
        ))
    }

    /// What to do about a call that got no answer.
    pub(super) fn network_hint(&self, failure: &Failure, fault: NetworkFault) -> String {
        match fault {
            NetworkFault::ProxyLogin => {
                return "the proxy asks for a login: write it into HTTPS_PROXY as \
                        http://NAME:PASSWORD@HOST:PORT, or name the host in NO_PROXY"
                    .to_owned();
            }
            NetworkFault::Proxy => {
                return "the proxy that HTTPS_PROXY names did not open the way, and neither AWS nor an \
                        endpoint was reached: have the proxy allow the host, or name the host in \
                        NO_PROXY"
                    .to_owned();
            }
            NetworkFault::Certificate => return self.certificate_hint(),
            NetworkFault::Tls => {
                let hint = "what answers does not speak TLS as it should: is it one of http://, or is \
                            something in between?";
                let endpoint = self.endpoint_hint();
                return endpoint.map_or_else(|| hint.to_owned(), |to| format!("{to}; {hint}"));
            }
            NetworkFault::Other => {}
        }
        if let Some(hint) = self.endpoint_hint() {
            return format!("{hint}; is it running?");
        }
        let mut hint = "check the network and HTTPS_PROXY".to_owned();
        if failure.operation.starts_with("dynamodb:") {
            hint.push_str(
                "; DynamoDB's hosts are now <account>.ddb.<region>.amazonaws.com, which a firewall \
                 may not know: AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled goes back to the old ones",
            );
        }
        hint
    }

    fn certificate_hint(&self) -> String {
        let hint = match &self.ca_bundle {
            Some(bundle) => format!(
                "the server's certificate is not vouched for by {}, which is trusted in place of the \
                 system's authorities: add the authority that signed it",
                bundle.display()
            ),
            None => {
                "the server's certificate is not trusted: name the authority that signed it in \
                     AWS_CA_BUNDLE or the profile's ca_bundle, or add it to the system's store"
                    .to_owned()
            }
        };
        match self.endpoint_hint() {
            Some(endpoint) => format!("{endpoint}; {hint}"),
            None => hint,
        }
    }
}

/// Whether a refusal may be one for the time that a request was signed at; an answer to HEAD has no
/// code at all.
fn is_about_time(failure: &Failure) -> bool {
    match failure.code.as_deref() {
        None => failure.kind == FailureKind::AccessDenied,
        Some(code) => [
            "RequestTimeTooSkewed",
            "RequestExpired",
            "RequestInTheFuture",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "AuthFailure",
        ]
        .contains(&code),
    }
}

/// The Region that S3 names when it is asked for a bucket in the wrong one.
fn redirected_to(response: &HttpResponse) -> Option<String> {
    let is_redirection = matches!(response.status().as_u16(), 301 | 307 | 400);
    let region = response.headers().get("x-amz-bucket-region")?;
    is_redirection.then(|| region.to_owned())
}

fn describe_answer<E>(
    failure: &mut Failure,
    error: &SdkError<E, HttpResponse>,
    response: &HttpResponse,
) where
    E: Error + ProvideErrorMetadata + 'static,
{
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
    let in_body = |name| element(body, name);
    let code = metadata
        .and_then(|meta| meta.code().map(str::to_owned))
        .or_else(|| in_body("Code"));
    let message = metadata
        .and_then(|meta| meta.message().map(str::to_owned))
        .or_else(|| in_body("Message"));
    let is_page = is_html(response, body);
    failure.status = Some(status);
    failure.request_id = request_id(response);
    failure.kind = match code.as_deref() {
        Some(code) => kind_of_code(code, status),
        None if status == 501 => FailureKind::Unsupported,
        // An answer that the SDK could not take apart may still arrive as the service's error.
        None if is_page || status < 300 || matches!(error, SdkError::ResponseError(_)) => {
            FailureKind::Unreadable
        }
        None => kind_of_status(status),
    };
    failure.message = match message {
        Some(message) => shortened(&sanitize(&message), MESSAGE_LIMIT),
        None => default_message(failure.kind, status, is_page),
    };
    failure.code = code;
}

/// A message for an answer that brought none.
fn default_message(kind: FailureKind, status: u16, is_page: bool) -> String {
    match kind {
        _ if is_page => {
            format!("the answer (HTTP {status}) is a web page, not one of the service's")
        }
        FailureKind::Unreadable => {
            format!("the answer (HTTP {status}) is not in the service's format")
        }
        FailureKind::Unsupported => {
            format!("the server does not know this call (HTTP {status})")
        }
        FailureKind::AccessDenied => "access denied, without a reason".to_owned(),
        _ => format!("the service answered with HTTP {status} and no message"),
    }
}

fn describe_silence<E>(failure: &mut Failure, error: &SdkError<E, HttpResponse>)
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let Some(credentials) = find_cause::<CredentialsError>(error) {
        // A renewal on the way to the call may have met a silent server itself.
        failure.kind = match find_cause::<SignInError>(credentials) {
            Some(SignInError::Call(inner)) if is_of_the_network(inner.kind) => inner.kind,
            _ => FailureKind::Credentials,
        };
        failure.message = format!("no credentials: {}", innermost(credentials));
        return;
    }
    let is_timeout = match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(dispatch) => dispatch.is_timeout(),
        _ => false,
    };
    if is_timeout {
        failure.kind = FailureKind::Timeout;
        failure.message.push_str("no answer in time");
    } else {
        failure.kind = match error {
            SdkError::DispatchFailure(dispatch) if !dispatch.is_user() => FailureKind::Connection,
            _ => FailureKind::Service,
        };
        failure.message = innermost(error);
    }
}

fn is_of_the_network(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Timeout | FailureKind::Connection | FailureKind::Throttled
    )
}

/// The first cause of a type in an error's chain.
fn find_cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref::<T>())
}

/// An error and its causes, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}

/// The texts of an error and of its causes, outermost first.
pub(super) fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    chain(error)
        .map(|error| sanitize(&error.to_string()).into_owned())
        .collect()
}

/// The text of the innermost cause, which says the most.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let text = causes(error).pop().unwrap_or_default();
    shortened(&text, MESSAGE_LIMIT)
}

/// AWS's request id, followed by S3's extended one, both of which AWS's support asks for.
fn request_id(response: &HttpResponse) -> Option<String> {
    let header = |name| response.headers().get(name).map(str::to_owned);
    let id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"))?;
    Some(match header("x-amz-id-2") {
        Some(extended) => format!("{id} / {extended}"),
        None => id,
    })
}

fn is_html(response: &HttpResponse, body: &[u8]) -> bool {
    let is_declared = response.headers().get("content-type").is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    });
    let start = body.trim_ascii_start();
    let begins_with = |prefix: &[u8]| {
        start
            .get(..prefix.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    is_declared || begins_with(b"<!doctype html") || begins_with(b"<html")
}

/// An element's text in an XML body that the SDK did not expect, as some servers send to clients
/// of the JSON protocols.
fn element(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn kind_of_code(code: &str, status: u16) -> FailureKind {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "UnauthorizedOperation"
        | "AllAccessDisabled" => FailureKind::AccessDenied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "TokenRefreshRequired" => FailureKind::Credentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "BandwidthLimitExceeded" => FailureKind::Throttled,
        "UnknownOperationException"
        | "UnknownOperation"
        | "NotImplemented"
        | "NotImplementedException"
        | "InvalidAction"
        | "MethodNotAllowed" => FailureKind::Unsupported,
        _ if status == 501 => FailureKind::Unsupported,
        _ => FailureKind::Service,
    }
}

fn kind_of_status(status: u16) -> FailureKind {
    match status {
        401 | 403 => FailureKind::AccessDenied,
        404 | 405 => FailureKind::Unsupported,
        407 | 511 => FailureKind::Unreadable,
        429 => FailureKind::Throttled,
        _ => FailureKind::Service,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: FailureKind, operation: &str, message: &str) -> Failure {
        Failure {
            kind,
            ..ErrorMapper::default().unreadable(operation, "target", message)
        }
    }

    #[test]
    fn what_is_no_fault_of_the_endpoint_is_not_told_as_one() {
        let failure = failed(FailureKind::Connection, "kms:ListKeys", "no connection");
        let behind = ErrorMapper {
            endpoint: Some("https://ada:s3cret@minio.corp/?x=y".into()),
            ca_bundle: Some(Path::new("/etc/corp.pem").into()),
            ..ErrorMapper::default()
        };
        for (fault, word) in [
            (NetworkFault::Certificate, "/etc/corp.pem"),
            (NetworkFault::Proxy, "did not open the way"),
            (NetworkFault::ProxyLogin, "asks for a login"),
            (NetworkFault::Tls, "does not speak TLS"),
        ] {
            let hint = behind.network_hint(&failure, fault);
            assert!(hint.contains(word) && !hint.contains("running"), "{hint}");
            assert!(!hint.contains("s3cret") && !hint.contains("x=y"), "{hint}");
        }
        let hint = behind.network_hint(&failure, NetworkFault::Other);
        assert!(
            hint.contains("https://minio.corp/, which is configured"),
            "{hint}"
        );
        let hint = ErrorMapper::default().network_hint(&failure, NetworkFault::Certificate);
        assert!(
            hint.contains("AWS_CA_BUNDLE") && !hint.contains("ddb"),
            "{hint}"
        );
    }

    #[test]
    fn an_expired_session_says_how_it_is_renewed() {
        let mapper = ErrorMapper {
            renewal: "sign in again with `aws sso login --profile dev`".into(),
            ..ErrorMapper::default()
        };
        let failure = failed(FailureKind::Credentials, "kms:ListKeys", "expired");
        let hint = mapper.hint(&failure).unwrap();
        assert_eq!(hint, "sign in again with `aws sso login --profile dev`");
    }

    #[test]
    fn an_element_is_found_in_foreign_xml_only() {
        let body = b"<a><Code> AccessDenied </Code><Message/></a>";
        assert_eq!(element(body, "Code").as_deref(), Some("AccessDenied"));
        assert_eq!(element(body, "Message"), None);
        assert_eq!(element(b"\xff", "Code"), None);
    }
}
