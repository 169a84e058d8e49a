//! An HTTP client that lets something happen around the calls that change an account.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tableferry_sandbox::Sandbox;

/// What happens right after a bucket's policy was written.
#[derive(Debug, Clone)]
pub(super) enum Meddling {
    /// Somebody else writes this over it.
    Overwritten(String),
    /// The answer is lost, and so are all answers from then on.
    CutOff,
}

/// A client of the sandbox around which something happens.
pub(super) fn client(sandbox: &Sandbox, meddling: Meddling) -> SharedHttpClient {
    SharedHttpClient::new(Meddler {
        sandbox: sandbox.clone(),
        meddling,
        is_cut_off: Arc::default(),
        connector: None,
    })
}

#[derive(Debug, Clone)]
struct Meddler {
    sandbox: Sandbox,
    meddling: Meddling,
    is_cut_off: Arc<AtomicBool>,
    connector: Option<SharedHttpConnector>,
}

impl HttpClient for Meddler {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.sandbox.http_client();
        SharedHttpConnector::new(Self {
            connector: Some(inner.http_connector(settings, components)),
            ..self.clone()
        })
    }
}

impl HttpConnector for Meddler {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_write = request.method() == "PUT" && request.uri().contains("?policy");
        let bucket = request
            .uri()
            .split("//")
            .nth(1)
            .and_then(|rest| rest.split('.').next())
            .unwrap_or_default()
            .to_owned();
        if self.is_cut_off.load(Ordering::SeqCst) {
            return HttpConnectorFuture::ready(Err(lost()));
        }
        let answer = self.connector.as_ref().unwrap().call(request);
        let meddler = self.clone();
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if is_write && answer.status().is_success() {
                match &meddler.meddling {
                    Meddling::Overwritten(policy) => meddler
                        .sandbox
                        .change_bucket_policy(&bucket, Some(policy.clone())),
                    Meddling::CutOff => {
                        meddler.is_cut_off.store(true, Ordering::SeqCst);
                        return Err(lost());
                    }
                }
            }
            Ok(answer)
        })
    }
}

fn lost() -> ConnectorError {
    ConnectorError::io("the connection is gone".into())
}
