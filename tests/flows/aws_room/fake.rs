//! A server inside the process, in the shape that the SDK's clients ask for, and the answers that
//! AWS's services give by protocol.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use tableferry::aws::{Environment, Session};
use tableferry::job::SignIn;
use tableferry_policy::arn::Region;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub method: String,
    pub host: String,
    /// Path and query.
    pub path: String,
    pub body: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The access key that signed it.
    pub(super) fn signer(&self) -> &str {
        let authorization = self.header("authorization").unwrap_or_default();
        let (_, rest) = authorization.split_once("Credential=").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// The operation, as the JSON and query protocols name it.
    pub(super) fn operation(&self) -> String {
        match self.header("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => self.parameter("Action").unwrap_or_default(),
        }
    }

    /// A parameter of the query protocol, as far decoded as the tests need.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name)?.1;
        Some(value.replace("%3A", ":").replace("%2F", "/"))
    }
}

/// What a server does with a request.
pub(super) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    Never,
    Reset,
}

impl Reply {
    pub(super) fn json(status: u16, body: &str) -> Self {
        let headers = vec![
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amzn-requestid", "REQ1".to_owned()),
        ];
        Self::Answer(status, headers, body.to_owned())
    }

    pub(super) fn xml(status: u16, body: &str) -> Self {
        let headers = vec![
            ("content-type", "text/xml".to_owned()),
            ("x-amz-request-id", "REQ2".to_owned()),
            ("x-amz-id-2", "EXT2".to_owned()),
        ];
        Self::Answer(status, headers, body.to_owned())
    }

    pub(super) fn head(status: u16, region: Option<&str>) -> Self {
        let region = region.map(|region| ("x-amz-bucket-region", region.to_owned()));
        Self::Answer(status, region.into_iter().collect(), String::new())
    }

    pub(super) fn page() -> Self {
        let headers = vec![("content-type", "text/html; charset=utf-8".to_owned())];
        let body = "<!DOCTYPE html><html><body>Blocked by policy</body></html>";
        Self::Answer(403, headers, body.to_owned())
    }
}

type Behaviour = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server: it answers by a function, and remembers what it was asked.
#[derive(Clone)]
pub(super) struct Fake {
    behaviour: Arc<Behaviour>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub(super) fn new(behaviour: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            behaviour: Arc::new(behaviour),
            seen: Arc::default(),
        }
    }

    /// One that knows STS, and answers everything else by a function.
    pub(super) fn with_sts(behaviour: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::new(move |request| {
            if request.host.starts_with("sts.") {
                sts(request)
            } else {
                behaviour(request)
            }
        })
    }

    pub(super) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All requests so far.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.lock().clone()
    }

    /// The requests of one operation.
    pub(super) fn seen_of(&self, operation: &str) -> Vec<Request> {
        let mut seen = self.seen();
        seen.retain(|request| request.operation() == operation);
        seen
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri: http::Uri = request.uri().parse().unwrap();
        let request = Request {
            method: request.method().to_owned(),
            host: uri.authority().unwrap().to_string(),
            path: uri.path_and_query().unwrap().to_string(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        self.lock().push(request.clone());
        match (self.behaviour)(&request) {
            Reply::Answer(status, headers, body) => {
                let status = StatusCode::try_from(status).unwrap();
                let mut response = Response::new(status, SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                HttpConnectorFuture::ready(Ok(response))
            }
            Reply::Never => HttpConnectorFuture::new(std::future::pending()),
            Reply::Reset => HttpConnectorFuture::ready(Err(ConnectorError::io(
                "connection reset by peer".into(),
            ))),
        }
    }
}

impl HttpClient for Fake {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// STS as its API reference shows the answers: anyone who signs is a user of 111111111111, or, with
/// keys that STS gave, a session.
pub(super) fn sts(request: &Request) -> Reply {
    match request.operation().as_str() {
        "GetCallerIdentity" => caller_identity(request.signer()),
        "AssumeRole" => session("AssumeRole", "ASIAROLE", "2099-01-01T00:00:00Z"),
        "GetSessionToken" => session("GetSessionToken", "ASIAUSER", "2099-01-01T00:00:00Z"),
        other => query_error(400, "InvalidAction", &format!("no action {other}")),
    }
}

fn caller_identity(signer: &str) -> Reply {
    let arn = match signer {
        "ASIAROLE" => "arn:aws:sts::111111111111:assumed-role/Exporter/tableferry",
        _ => "arn:aws:iam::111111111111:user/operator",
    };
    Reply::xml(
        200,
        &format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AIDA{signer}</UserId>\
             <Account>111111111111</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        ),
    )
}

pub(super) fn session(action: &str, key: &str, expiration: &str) -> Reply {
    Reply::xml(
        200,
        &format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <{action}Result><Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
             <Expiration>{expiration}</Expiration></Credentials></{action}Result>\
             <ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></{action}Response>"
        ),
    )
}

pub(super) fn query_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::xml(
        status,
        &format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>R</RequestId></ErrorResponse>"
        ),
    )
}

pub(super) fn s3_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::xml(
        status,
        &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
    )
}

/// A profile `ops` with keys and a Region.
pub(super) const CONFIG: &str = "[profile ops]\nregion = eu-west-1\n";
pub(super) const CREDENTIALS: &str =
    "[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = secret\n";

pub(super) fn environment(fake: &Fake, config: &str) -> Environment {
    Environment::in_memory(config.to_owned(), CREDENTIALS.to_owned(), fake.client())
}

pub(super) fn profile(name: &str) -> SignIn {
    SignIn {
        profile: name.to_owned(),
        ..SignIn::default()
    }
}

/// A session of the profile `ops`.
pub(super) async fn signed_in(fake: &Fake) -> Session {
    environment(fake, CONFIG)
        .sign_in(&profile("ops"), None)
        .await
        .unwrap()
}

pub(super) fn region(code: &str) -> Region {
    code.parse().unwrap()
}
