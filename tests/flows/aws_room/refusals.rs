//! Refusals and other errors, as each service words them.

use tableferry::aws::{Failure, FailureKind};

use crate::aws_room::fake::{Fake, Reply, region, signed_in};

async fn listing_tables_against(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Failure {
    let fake = Fake::with_sts(move |_| reply());
    let session = signed_in(&fake).await;
    session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap_err()
}

fn json_error(code: &str, message: &str) -> Reply {
    let body = format!(r#"{{"__type":"com.amazon.coral.service#{code}","message":"{message}"}}"#);
    Reply::json(400, &body)
}

#[tokio::test]
async fn a_refusal_that_is_not_modelled_keeps_its_code_message_status_and_request_id() {
    let message = "User: arn:aws:iam::111111111111:user/operator is not authorized to perform: \
                   dynamodb:ListTables on resource: * because no identity-based policy allows the \
                   dynamodb:ListTables action";
    let failure =
        listing_tables_against(move || json_error("AccessDeniedException", message)).await;
    assert_eq!(failure.kind, FailureKind::AccessDenied);
    assert_eq!(failure.code.as_deref(), Some("AccessDeniedException"));
    assert_eq!(failure.message, message);
    assert_eq!(failure.status, Some(400));
    assert_eq!(failure.request_id.as_deref(), Some("REQ1"));
    assert_eq!(failure.operation, "dynamodb:ListTables");
}

#[tokio::test]
async fn codes_are_told_apart() {
    let cases = [
        ("ExpiredTokenException", FailureKind::Credentials),
        ("UnrecognizedClientException", FailureKind::Credentials),
        ("UnknownOperationException", FailureKind::Unsupported),
        ("ResourceNotFoundException", FailureKind::Service),
        ("ValidationException", FailureKind::Service),
    ];
    for (code, kind) in cases {
        let failure = listing_tables_against(move || json_error(code, "words")).await;
        assert_eq!(failure.kind, kind, "{code}");
        assert_eq!(failure.code.as_deref(), Some(code));
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_retried_and_told_when_it_lasts() {
    let fake = Fake::with_sts(|_| json_error("ThrottlingException", "Rate exceeded"));
    let session = signed_in(&fake).await;
    let failure = session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Throttled);
    assert_eq!(fake.seen_of("ListTables").len(), 4);
}

#[tokio::test]
async fn a_server_that_does_not_know_a_call_is_not_a_failure_of_the_service() {
    let replies: [fn() -> Reply; 3] = [
        || Reply::Answer(404, Vec::new(), String::new()),
        || {
            Reply::Answer(
                501,
                vec![("content-type", "text/html".to_owned())],
                "<html>".to_owned(),
            )
        },
        || Reply::json(404, "{}"),
    ];
    for reply in replies {
        let failure = listing_tables_against(reply).await;
        assert_eq!(failure.kind, FailureKind::Unsupported, "{failure:?}");
    }
}

#[tokio::test]
async fn a_denial_in_another_protocols_words_is_still_read() {
    let failure = listing_tables_against(|| {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no \
                    \u{1b}[31mway</Message></Error></ErrorResponse>";
        Reply::xml(403, body)
    })
    .await;
    assert_eq!(failure.kind, FailureKind::AccessDenied);
    assert_eq!(failure.code.as_deref(), Some("AccessDenied"));
    assert_eq!(failure.message, "no way");
}

#[tokio::test]
async fn a_message_cannot_steer_the_terminal() {
    let failure =
        listing_tables_against(|| json_error("ValidationException", r"a\u001b[2Jb\u202ec\nd"))
            .await;
    assert_eq!(failure.message, "abc d");
}

#[tokio::test]
async fn s3s_extended_request_id_is_kept_beside_the_other() {
    let fake =
        Fake::with_sts(|_| crate::aws_room::fake::s3_error(403, "AccessDenied", "Access Denied"));
    let session = signed_in(&fake).await;
    let failure = session
        .s3(&region("eu-west-1"))
        .list_buckets()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::AccessDenied);
    assert_eq!(failure.request_id.as_deref(), Some("REQ2 / EXT2"));
    assert_eq!(
        failure.to_string(),
        "s3:ListAllMyBuckets on all buckets: AccessDenied: Access Denied (request id REQ2 / EXT2)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_reset_is_tried_again_and_then_told() {
    let fake = Fake::with_sts(|_| Reply::Reset);
    let session = signed_in(&fake).await;
    let failure = session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Connection);
    assert_eq!(failure.message, "connection reset by peer");
    assert_eq!(fake.seen_of("ListTables").len(), 4);
}
