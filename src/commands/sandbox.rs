//! `tableferry sandbox serve`: the practice AWS on the loopback, for the AWS CLI and SDKs.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::open::options;
use super::report::{print_error, print_line};
use tableferry_sandbox::Sandbox;

/// Serves until `cancel`; prints the lines of the two shared files that point the AWS CLI here.
pub async fn serve(
    port: u16,
    state: Option<PathBuf>,
    job_seconds: f64,
    cancel: CancellationToken,
) -> Exit {
    match try_serve(port, state, job_seconds, cancel).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            print_error(&format!("error: {error:#}"));
            Exit::Usage
        }
    }
}

async fn try_serve(
    port: u16,
    state: Option<PathBuf>,
    job_seconds: f64,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let sandbox = Sandbox::open(options(state, job_seconds))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            anyhow::anyhow!(
                "cannot listen on 127.0.0.1:{port}: {error}\n  hint: `--port 0` takes a free port"
            )
        })?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let files = sandbox.profiles(Some(&endpoint));
    print_line(&format!(
        "# The sandbox listens on {endpoint} until ctrl-c. Point the AWS CLI at it with two files:"
    ));
    print_line("# ---- the file that AWS_CONFIG_FILE names ----");
    print_line(files.config.trim_end());
    print_line("# ---- the file that AWS_SHARED_CREDENTIALS_FILE names ----");
    print_line(files.credentials.trim_end());
    print_line("# ---- ready ----");
    sandbox.serve(listener, cancel.cancelled_owned()).await?;
    Ok(())
}
