//! Servers that do not answer, or answer with something else than AWS's words.

use std::time::Duration;

use tableferry::aws::{Environment, Failure, FailureKind, SignInError, Timeouts};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::aws_room::fake::{
    CONFIG, CREDENTIALS, Fake, Reply, environment, profile, region, signed_in,
};
use crate::aws_room::logins::is_in_own_home;

fn call(error: SignInError) -> Failure {
    match error {
        SignInError::Call(failure) => *failure,
        other => panic!("no call failed: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_within_the_operations_time() {
    let fake = Fake::new(|_| Reply::Never);
    let start = tokio::time::Instant::now();
    let error = environment(&fake, CONFIG)
        .sign_in(&profile("ops"), None)
        .await
        .unwrap_err();
    let failure = call(error);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.operation, "sts:GetCallerIdentity");
    assert!(
        start.elapsed() <= Duration::from_secs(41),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_dynamodb_hints_at_its_new_hosts() {
    let fake = Fake::with_sts(|_| Reply::Never);
    let session = signed_in(&fake).await;
    let failure = session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    let hint = failure.hint.unwrap();
    assert!(hint.contains("<account>.ddb.<region>"), "{hint}");
    assert!(
        hint.contains("AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled"),
        "{hint}"
    );
}

/// An environment on disk that sends all calls to a loopback port, with the SDK's own HTTP client
/// and short patience.
fn looped_to(port: u16) -> (tempfile::TempDir, Environment) {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    let credentials = directory.path().join("credentials");
    let text = format!("{CONFIG}endpoint_url = http://127.0.0.1:{port}\n");
    std::fs::write(&config, text).unwrap();
    std::fs::write(&credentials, CREDENTIALS).unwrap();
    let variables = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
    ];
    let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = Environment::from_variables(owned).with_timeouts(Timeouts {
        connect: Duration::from_millis(50),
        read: Duration::from_millis(50),
        attempt: Duration::from_millis(80),
        operation: Duration::from_millis(100),
    });
    (directory, environment)
}

#[tokio::test]
async fn a_socket_that_accepts_and_never_answers_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_directory, environment) = looped_to(listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut taken = [0; 1];
            socket.read_exact(&mut taken).await.unwrap();
            open.push(socket);
        }
    });
    let failure = call(
        environment
            .sign_in(&profile("ops"), None)
            .await
            .unwrap_err(),
    );
    server.abort();
    assert_eq!(failure.kind, FailureKind::Timeout);
    let hint = failure.hint.unwrap();
    assert!(hint.contains("configured in place of AWS"), "{hint}");
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection_that_names_the_endpoint() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (_directory, environment) = looped_to(port);
    let environment = environment.with_timeouts(Timeouts::default());
    let failure = call(
        environment
            .sign_in(&profile("ops"), None)
            .await
            .unwrap_err(),
    );
    assert_eq!(failure.kind, FailureKind::Connection);
    assert!(failure.hint.unwrap().contains(&format!("127.0.0.1:{port}")));
}

#[tokio::test]
async fn a_proxys_page_is_told_as_one() {
    let fake = Fake::new(|_| Reply::page());
    let failure = call(
        environment(&fake, CONFIG)
            .sign_in(&profile("ops"), None)
            .await
            .unwrap_err(),
    );
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert_eq!(
        failure.message,
        "the answer (HTTP 403) is a web page, not one of the service's"
    );
    assert!(failure.hint.unwrap().contains("HTTPS_PROXY"));
}

#[tokio::test]
async fn a_page_in_place_of_a_successful_answer_is_told_as_one() {
    let page = || {
        Reply::Answer(
            200,
            vec![("content-type", "text/html".to_owned())],
            "<html>hi</html>".to_owned(),
        )
    };
    let fake = Fake::with_sts(move |_| page());
    let session = signed_in(&fake).await;
    let failure = session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.contains("web page"), "{}", failure.message);
    let failure = session
        .s3(&region("eu-west-1"))
        .list_buckets()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.contains("web page"), "{}", failure.message);
}

#[tokio::test]
async fn an_endpoint_on_this_machine_is_reached_past_any_proxy() {
    let name = "aws_room::silence::an_endpoint_on_this_machine_is_reached_past_any_proxy";
    let proxies =
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:1"));
    if !is_in_own_home(name, "2020-01-01T00:00:00Z", &proxies) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_directory, environment) = looped_to(listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move { listener.accept().await.is_ok() });
    let failure = call(
        environment
            .sign_in(&profile("ops"), None)
            .await
            .unwrap_err(),
    );
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure}");
    assert!(server.await.unwrap());
}
