//! The dispatcher: one request in, one answer out, whichever way it came.
//!
//! It finds the service, lets faults strike, takes the steps of jobs that are due, has the request
//! authenticated and answered, and keeps what changed before the answer leaves.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::AuthenticatedCall;
use super::faults::FaultEnd;
use super::identifier::fresh_uuid;
use super::query::{Parameters, error_xml};
use super::refusal::Refusal;
use super::signature::{Authorization, Unauthenticated};
use super::world::World;
use tableferry_policy::arn::Partition;

use super::trail::{Recorded, RecordedService};
use super::{Sandbox, dynamodb, iam, kms, logs, organizations, s3_account, sts, trail};

/// The connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection reset by the sandbox")]
pub(super) struct ConnectionLost;

/// A service, told from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Service {
    /// With the operation's name.
    DynamoDb(String),
    /// With the operation's name.
    Kms(String),
    /// With the operation's name.
    Organizations(String),
    /// With the operation's name.
    CloudTrail(String),
    /// With the operation's name.
    Logs(String),
    Sts,
    Iam,
    S3,
    /// S3's settings of accounts.
    S3Account,
    /// One that the sandbox has not, by the name that the request gives it.
    Unknown(String),
}

impl Service {
    /// Told from `X-Amz-Target`, then from the credential scope, then from body and host.
    fn of(request: &Request<Bytes>, authorization: Option<&Authorization>) -> Self {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        if let Some(target) = header("x-amz-target") {
            return match target.split_once('.') {
                Some(("DynamoDB_20120810", operation)) => Self::DynamoDb(operation.to_owned()),
                Some(("TrentService", operation)) => Self::Kms(operation.to_owned()),
                Some(("AWSOrganizationsV20161128", operation)) => {
                    Self::Organizations(operation.to_owned())
                }
                Some(("CloudTrail_20131101", operation)) => Self::CloudTrail(operation.to_owned()),
                Some(("Logs_20140328", operation)) => Self::Logs(operation.to_owned()),
                _ => Self::Unknown(target.to_owned()),
            };
        }
        // S3 Control shares S3's signing name; on the loopback its host is the server's own.
        let is_of_accounts = header("host").is_some_and(|host| host.contains(".s3-control."))
            || header("x-amz-account-id").is_some()
                && request.uri().path().starts_with("/v20180820/");
        if let Some(authorization) = authorization {
            return match authorization.service.as_str() {
                "sts" => Self::Sts,
                "iam" => Self::Iam,
                "s3" if is_of_accounts => Self::S3Account,
                "s3" => Self::S3,
                other => Self::Unknown(other.to_owned()),
            };
        }
        let kind = header("content-type").unwrap_or_default();
        let host = header("host").unwrap_or_default();
        let is_s3 = host.starts_with("s3.") || host.contains(".s3.");
        if kind.starts_with("application/x-www-form-urlencoded") {
            Self::Sts
        } else if Partition::of_host(host).is_some() && !is_s3 {
            Self::Unknown(host.to_owned())
        } else {
            Self::S3
        }
    }

    /// The operation that a request asks for, by the name that AWS's API has for it.
    fn operation(&self, request: &Request<Bytes>) -> String {
        match self {
            Self::DynamoDb(operation)
            | Self::Kms(operation)
            | Self::Organizations(operation)
            | Self::CloudTrail(operation)
            | Self::Logs(operation) => operation.clone(),
            Self::Sts | Self::Iam => {
                let body = String::from_utf8_lossy(request.body());
                let mut members = body.split('&');
                let action = members.find_map(|member| member.strip_prefix("Action="));
                action.unwrap_or_default().to_owned()
            }
            Self::S3 => super::s3::operation_of(request).to_owned(),
            Self::S3Account | Self::Unknown(_) => String::new(),
        }
    }

    /// A refusal, in the service's form.
    fn refuse(&self, refusal: &Refusal) -> Response<Bytes> {
        let id = fresh_uuid();
        match self {
            Self::DynamoDb(_) => json_answer(
                refusal.status,
                &json!({
                    "__type": format!("com.amazonaws.dynamodb.v20120810#{}", refusal.code),
                    "message": refusal.message,
                }),
                &id,
            ),
            Self::Kms(_)
            | Self::Organizations(_)
            | Self::CloudTrail(_)
            | Self::Logs(_)
            | Self::Unknown(_) => json_answer(
                refusal.status,
                &json!({"__type": refusal.code, "message": refusal.message}),
                &id,
            ),
            Self::Sts => xml_answer(refusal.status, error_xml(refusal, sts::NAMESPACE, &id), &id),
            Self::Iam => xml_answer(refusal.status, error_xml(refusal, iam::NAMESPACE, &id), &id),
            Self::S3Account => xml_answer(
                refusal.status,
                error_xml(refusal, s3_account::NAMESPACE, &id),
                &id,
            ),
            Self::S3 => s3_refusal(refusal),
        }
    }

    /// What it says to a request that it cannot take as anybody's.
    fn unauthenticated(&self, problem: &Unauthenticated) -> Refusal {
        let is_json = matches!(
            self,
            Self::DynamoDb(_)
                | Self::Kms(_)
                | Self::Organizations(_)
                | Self::CloudTrail(_)
                | Self::Logs(_)
                | Self::Unknown(_)
        );
        let (json_code, query_code, message) = match problem {
            Unauthenticated::Unsigned => (
                "MissingAuthenticationTokenException",
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
            Unauthenticated::UnknownKey | Unauthenticated::WrongToken => (
                "UnrecognizedClientException",
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            Unauthenticated::WrongSignature => (
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            ),
            Unauthenticated::Expired => (
                "ExpiredTokenException",
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            Unauthenticated::Skewed(text) => (
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                text.as_str(),
            ),
        };
        if is_json {
            Refusal::new(json_code, message)
        } else {
            Refusal::with_status(403, query_code, message)
        }
    }
}

impl Sandbox {
    /// Answers a request, or loses the connection.
    pub(super) async fn dispatch(
        &self,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ConnectionLost> {
        add_host(&mut request);
        let authorization = Authorization::of(request.headers());
        let service = Service::of(&request, authorization.as_ref());
        let operation = service.operation(&request);
        let fault = self.shared.faults().next_fault(&operation);
        if !fault.delay.is_zero() {
            tokio::time::sleep(fault.delay).await;
        }
        self.shared.clock.refresh();
        let now = self.shared.clock.now();
        let is_head = request.method() == Method::HEAD;
        let mut answer = match fault.end {
            Some(FaultEnd::Reset) => return Err(ConnectionLost),
            Some(FaultEnd::Throttled) => service.refuse(&throttled(&service)),
            Some(FaultEnd::Expired) => {
                service.refuse(&service.unauthenticated(&Unauthenticated::Expired))
            }
            None => {
                self.shared.advance(now).await;
                let recorded = self.recorded(&service, &request, authorization.as_ref());
                let answer = self
                    .answer(&service, request, authorization.as_ref(), now)
                    .await;
                if let Some(recorded) = recorded {
                    self.shared.world().record(&recorded, &answer, now);
                }
                answer
            }
        };
        if let Err(error) = self.shared.save().await {
            tracing::error!(%error, "the sandbox could not keep its state");
        }
        if self.loses_answer(&service, &answer) {
            return Err(ConnectionLost);
        }
        if is_head {
            *answer.body_mut() = Bytes::new();
        }
        add_date(&mut answer, now);
        Ok(answer)
    }

    /// What CloudTrail records of a request, before it is answered.
    fn recorded(
        &self,
        service: &Service,
        request: &Request<Bytes>,
        authorization: Option<&Authorization>,
    ) -> Option<Recorded> {
        let authorization = authorization?;
        let service = match service {
            Service::DynamoDb(operation) => RecordedService::DynamoDb(operation),
            Service::Kms(operation) => RecordedService::Kms(operation),
            Service::Iam => RecordedService::Iam,
            Service::S3 => RecordedService::S3,
            _ => return None,
        };
        let signed = (
            authorization.access_key.as_str(),
            authorization.region.as_str(),
        );
        self.shared.world().recorded(service, request, signed)
    }

    async fn answer(
        &self,
        service: &Service,
        request: Request<Bytes>,
        authorization: Option<&Authorization>,
        now: Timestamp,
    ) -> Response<Bytes> {
        if self.shared.faults().has_expired_credentials && authorization.is_some() {
            let refusal = service.unauthenticated(&Unauthenticated::Expired);
            return service.refuse(&refusal);
        }
        match service {
            Service::S3 => return self.answer_s3(request).await,
            Service::Unknown(name) => {
                let message = format!("tableferry's sandbox does not play the service of {name}.");
                return service.refuse(&Refusal::new("UnknownOperationException", message));
            }
            _ => {}
        }
        let Some(authorization) = authorization else {
            return service.refuse(&service.unauthenticated(&Unauthenticated::Unsigned));
        };
        let open_questions = self.shared.open_questions();
        let mut world = self.shared.world();
        if world.is_elsewhere(&authorization.region) {
            return service.refuse(&service.unauthenticated(&Unauthenticated::UnknownKey));
        }
        let caller = match world.authenticate(&request, authorization, now) {
            Ok(caller) => caller,
            Err(problem) => return service.refuse(&service.unauthenticated(&problem)),
        };
        let call = AuthenticatedCall {
            caller: &caller,
            region: &authorization.region,
            partition: world.partition,
            now,
            open_questions,
        };
        reply(&mut world, service, &call, &request)
            .unwrap_or_else(|refusal| service.refuse(&refusal))
    }

    /// S3's requests go to the s3s crate, which checks their signatures as well.
    async fn answer_s3(&self, request: Request<Bytes>) -> Response<Bytes> {
        let bucket_region = {
            let world = self.shared.world();
            super::s3::bucket_of(&request)
                .and_then(|bucket| world.bucket(&bucket).map(|bucket| bucket.region.clone()))
        };
        let mut answer = match self.s3.call(request.map(s3s::Body::from)).await {
            Ok(answer) => collect(answer).await,
            Err(error) => {
                tracing::error!(?error, "s3s could not answer");
                s3_failure()
            }
        };
        if let Some(region) = &bucket_region {
            name_region(&mut answer, region);
        }
        if let Some(value) = bucket_region.and_then(|region| HeaderValue::from_str(&region).ok()) {
            answer
                .headers_mut()
                .insert(HeaderName::from_static("x-amz-bucket-region"), value);
        }
        add_request_id(&mut answer, "x-amz-request-id", &fresh_uuid());
        add_request_id(&mut answer, "x-amz-id-2", &fresh_uuid());
        answer
    }

    fn loses_answer(&self, service: &Service, answer: &Response<Bytes>) -> bool {
        let Service::DynamoDb(operation) = service else {
            return false;
        };
        answer.status() == StatusCode::OK
            && match operation.as_str() {
                "ExportTableToPointInTime" => self.shared.faults().loses_answer(),
                "ImportTable" => self.shared.faults().loses_import_answer(),
                _ => false,
            }
    }
}

/// Answers an authenticated call of a JSON or query service.
fn reply(
    world: &mut World,
    service: &Service,
    call: &AuthenticatedCall<'_>,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, Refusal> {
    let id = fresh_uuid();
    let input = || -> Result<Value, Refusal> {
        if request.body().is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(request.body())
            .map_err(|error| Refusal::new("SerializationException", error.to_string()))
    };
    match service {
        Service::DynamoDb(operation) => {
            dynamodb::answer(world, call, operation, &input()?).map(|a| json_answer(200, &a, &id))
        }
        Service::Kms(operation) => {
            kms::answer(world, call, operation, &input()?).map(|a| json_answer(200, &a, &id))
        }
        Service::Organizations(operation) => {
            organizations::answer(world, call, operation, &input()?)
                .map(|a| json_answer(200, &a, &id))
        }
        Service::CloudTrail(operation) => {
            trail::answer(world, call, operation, &input()?).map(|a| json_answer(200, &a, &id))
        }
        Service::Logs(operation) => {
            logs::answer(world, call, operation, &input()?).map(|a| json_answer(200, &a, &id))
        }
        Service::S3Account => {
            let account = request.headers().get("x-amz-account-id");
            let account = account
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let path = request.uri().path();
            s3_account::answer(world, call, request.method(), path, account).map(|xml| {
                let body = xml.document("PublicAccessBlockConfiguration", s3_account::NAMESPACE);
                xml_answer(200, body, &id)
            })
        }
        _ => query_reply(world, service, call, request, &id),
    }
}

fn query_reply(
    world: &mut World,
    service: &Service,
    call: &AuthenticatedCall<'_>,
    request: &Request<Bytes>,
    id: &str,
) -> Result<Response<Bytes>, Refusal> {
    let form = if request.method() == Method::GET {
        request.uri().query().unwrap_or_default().to_owned()
    } else {
        String::from_utf8_lossy(request.body()).into_owned()
    };
    let parameters = Parameters::read(&form);
    let action = parameters.get("Action").unwrap_or_default().to_owned();
    let (xml, namespace) = if *service == Service::Iam {
        (
            iam::answer(world, call, &action, &parameters)?,
            iam::NAMESPACE,
        )
    } else {
        (
            sts::answer(world, call, &action, &parameters)?,
            sts::NAMESPACE,
        )
    };
    Ok(xml_answer(200, xml.answer(&action, namespace, id), id))
}

fn throttled(service: &Service) -> Refusal {
    match service {
        Service::S3 | Service::S3Account => {
            Refusal::with_status(503, "SlowDown", "Please reduce your request rate.")
        }
        Service::Sts | Service::Iam => Refusal::new("Throttling", "Rate exceeded"),
        Service::DynamoDb(_)
        | Service::Kms(_)
        | Service::Organizations(_)
        | Service::CloudTrail(_)
        | Service::Logs(_)
        | Service::Unknown(_) => Refusal::new("ThrottlingException", "Rate exceeded"),
    }
}

fn json_answer(status: u16, body: &Value, id: &str) -> Response<Bytes> {
    respond(status, "application/x-amz-json-1.0", body.to_string(), id)
}

fn xml_answer(status: u16, body: String, id: &str) -> Response<Bytes> {
    respond(status, "text/xml", body, id)
}

fn respond(status: u16, kind: &'static str, body: String, id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    add_request_id(&mut response, "x-amzn-requestid", id);
    response
}

/// Adds the bucket's Region to a refusal for the wrong one, as an element of its own: the AWS CLI
/// follows it. s3s's errors hold no more than code and message.
fn name_region(answer: &mut Response<Bytes>, region: &str) {
    let text = String::from_utf8_lossy(answer.body());
    if !text.contains("<Code>AuthorizationHeaderMalformed</Code>") {
        return;
    }
    let named = text.replacen("</Error>", &format!("<Region>{region}</Region></Error>"), 1);
    answer.headers_mut().remove(CONTENT_LENGTH);
    *answer.body_mut() = Bytes::from(named);
}

/// What S3 says when it fails itself.
fn s3_failure() -> Response<Bytes> {
    s3_refusal(&Refusal::with_status(
        500,
        "InternalError",
        "We encountered an internal error. Please try again.",
    ))
}

/// An error of S3 that is not s3s's own.
fn s3_refusal(refusal: &Refusal) -> Response<Bytes> {
    let id = fresh_uuid();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message>\
         <RequestId>{id}</RequestId></Error>",
        refusal.code, refusal.message
    );
    let mut response = respond(refusal.status, "application/xml", body, &id);
    add_request_id(&mut response, "x-amz-request-id", &id);
    response
}

async fn collect(answer: http::Response<s3s::Body>) -> Response<Bytes> {
    let (parts, body) = answer.into_parts();
    match body.collect().await {
        Ok(collected) => Response::from_parts(parts, collected.to_bytes()),
        Err(error) => {
            tracing::error!(%error, "an S3 answer broke off");
            s3_failure()
        }
    }
}

fn add_request_id(response: &mut Response<Bytes>, name: &'static str, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

/// The SDK corrects its clock by this header.
fn add_date(response: &mut Response<Bytes>, now: Timestamp) {
    let text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(DATE, value);
    }
}

/// A request that came without a wire has its host in the URI alone.
fn add_host(request: &mut Request<Bytes>) {
    if request.headers().contains_key(HOST) {
        return;
    }
    let host = request
        .uri()
        .authority()
        .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(host: &str, headers: &[(&str, &str)]) -> Service {
        let mut request = Request::post("/").header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::new()).unwrap();
        let authorization = Authorization::of(request.headers());
        Service::of(&request, authorization.as_ref())
    }

    fn scope(name: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-west-1/{name}/aws4_request")
    }

    #[test]
    fn a_target_names_service_and_operation() {
        let target = |target| service("127.0.0.1:1", &[("x-amz-target", target)]);
        assert_eq!(
            target("DynamoDB_20120810.ListTables"),
            Service::DynamoDb("ListTables".to_owned())
        );
        assert_eq!(
            target("TrentService.ListKeys"),
            Service::Kms("ListKeys".to_owned())
        );
        assert_eq!(
            target("AWSOrganizationsV20161128.ListRoots"),
            Service::Organizations("ListRoots".to_owned())
        );
        assert_eq!(
            target("CloudTrail_20131101.LookupEvents"),
            Service::CloudTrail("LookupEvents".to_owned())
        );
        assert_eq!(
            target("AmazonSSM.GetParameter"),
            Service::Unknown("AmazonSSM.GetParameter".to_owned())
        );
    }

    #[test]
    fn a_scope_names_the_service_on_any_host() {
        let signed = |name| service("127.0.0.1:1", &[("authorization", &scope(name))]);
        assert_eq!(signed("sts"), Service::Sts);
        assert_eq!(signed("iam"), Service::Iam);
        assert_eq!(signed("s3"), Service::S3);
        assert_eq!(
            signed("cloudtrail"),
            Service::Unknown("cloudtrail".to_owned())
        );
    }

    #[test]
    fn an_unsigned_request_goes_by_its_host() {
        assert_eq!(
            service("landing.s3.eu-west-1.amazonaws.com", &[]),
            Service::S3
        );
        assert_eq!(service("127.0.0.1:1", &[]), Service::S3);
        let portal = "portal.sso.eu-west-1.amazonaws.com";
        assert_eq!(service(portal, &[]), Service::Unknown(portal.to_owned()));
    }
}
