//! The same world over HTTP/1.1, for clients that are not in this process.

use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Sandbox, SandboxError};

/// Accepts connections until `shutdown` is done, and then lets requests under way end.
pub(super) async fn serve(
    sandbox: &Sandbox,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), SandboxError> {
    let stopping = CancellationToken::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => {
                let (stream, _) = accepted.map_err(SandboxError::Accept)?;
                connections.spawn(serve_one(sandbox.clone(), stream, stopping.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    stopping.cancel();
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn serve_one(sandbox: Sandbox, stream: TcpStream, stopping: CancellationToken) {
    let service = service_fn(move |request| answer(sandbox.clone(), request));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
    );
    let served = tokio::select! {
        served = &mut connection => served,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // A client that goes away, or an answer that is lost on purpose.
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    sandbox: Sandbox,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let answer = sandbox
        .dispatch(http::Request::from_parts(parts, body))
        .await?;
    Ok(answer.map(Full::new))
}
