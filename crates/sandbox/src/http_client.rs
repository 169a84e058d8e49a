//! The HTTP client that stands below the SDK and answers from memory.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

use super::Sandbox;
use tableferry_policy::arn::Partition;

/// An error of any kind, as connectors report it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn client(sandbox: Sandbox) -> SharedHttpClient {
    SharedHttpClient::new(InMemory { sandbox })
}

#[derive(Debug, Clone)]
struct InMemory {
    sandbox: Sandbox,
}

impl HttpClient for InMemory {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InMemory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.sandbox.clone();
        HttpConnectorFuture::new(async move { exchange(&sandbox, request).await })
    }
}

async fn exchange(sandbox: &Sandbox, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |error: BoxError| ConnectorError::user(error);
    let request = request
        .try_into_http1x()
        .map_err(|error| user(error.into()))?;
    let host = request.uri().host().unwrap_or_default();
    let suffix = sandbox.shared.world().partition.dns_suffix();
    if Partition::of_host(host).is_none_or(|partition| partition.dns_suffix() != suffix) {
        let problem = format!("the sandbox does not reach {host}: it answers for {suffix}");
        return Err(ConnectorError::other(problem.into(), None));
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(user)?.to_bytes();
    let answer = sandbox
        .dispatch(http::Request::from_parts(parts, body))
        .await
        .map_err(|lost| ConnectorError::io(lost.into()))?;
    HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| user(error.into()))
}
