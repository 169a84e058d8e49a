//! A second kind of operation: copies, which a small server of this test's own makes. It is started,
//! killed and gone on with by the code that does so for exports, and knows nothing of them.
//!
//! The program is this test's own binary, run again and killed by the server as a call passes.

mod copies;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::aws::Environment;
use crate::job::SignIn;
use crate::journal::{Journal, NewOperation, NewRun, RunId};
use crate::work::{Poll, ResumeError, RunOutcome, RunStatus, Settings, Verify};
use copies::{CopyKind, Moment, Server};
use tableferry_sandbox::{Options, Sandbox};

/// The variables that tell the program where the server and the journal are.
const PORT: &str = "TABLEFERRY_TEST_PORT";
const STATE: &str = "TABLEFERRY_TEST_STATE";

/// The test below that is the program.
const PROGRAM: &str = "work::operation::tests::the_program_that_is_killed";

/// The work with copies as a kind, and the source signed in.
async fn work(state: &Path, port: u16) -> Work {
    let sandbox = Sandbox::open(Options::default()).unwrap();
    let files = sandbox.profiles(None);
    let environment =
        Environment::in_memory(files.config, files.credentials, sandbox.http_client());
    let settings = Settings {
        poll: Poll {
            first: Duration::from_millis(5),
            longest: Duration::from_millis(10),
            spacing: Duration::from_millis(1),
            ..Poll::default()
        },
        ..Settings::default()
    };
    let journal = Journal::open(&state.join("journal.db")).unwrap();
    let kinds: Vec<Arc<dyn OperationKind>> = vec![Arc::new(CopyKind { port })];
    let work = Work::with_kinds(environment, journal, settings, Kinds::new(kinds));
    let how = SignIn {
        profile: "prod-oncall".to_owned(),
        ..SignIn::default()
    };
    work.sign_in(Side::Source, &how, None).await.unwrap();
    work
}

/// Starts two copies and follows them.
async fn run(state: &Path, port: u16) -> RunOutcome {
    let work = work(state, port).await;
    let copies = ["7", "8"].map(|shelf| NewOperation {
        kind: "copy",
        account: "111111111111".to_owned(),
        subject: format!("arn:aws:copies:eu-west-1:111111111111:shelf/{shelf}"),
        token: format!("token-{shelf}"),
        request: json!({"books": 3}),
        fingerprint: None,
    });
    let new = NewRun {
        plan: "",
        digest: "d",
        source_arn: "",
        source_account: "111111111111",
        source_region: "eu-west-1",
        destination: "",
        destination_arn: None,
    };
    let (events, _) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let id = work
        .start_operations(&new, &copies, Some(RunId(0)), events.clone(), &cancel)
        .await
        .unwrap();
    work.follow(id, Verify::Open, events, cancel).await.unwrap()
}

async fn resume(state: &Path, port: u16) -> Result<RunOutcome, ResumeError> {
    let work = work(state, port).await;
    let (events, _) = mpsc::unbounded_channel();
    work.resume(RunId(1), Verify::Open, events, CancellationToken::new())
        .await
}

#[tokio::test]
#[ignore = "it is run by another test, which kills it"]
async fn the_program_that_is_killed() {
    let variable = |name| std::env::var(name).unwrap();
    run(variable(STATE).as_ref(), variable(PORT).parse().unwrap()).await;
}

/// Runs the program until the server kills it.
fn killed_at(state: &Path, server: &Server, moment: Moment) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", PROGRAM, "--ignored"]);
    command.env(PORT, server.port.to_string()).env(STATE, state);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = server.kill_at(moment, &mut command);
    assert_eq!(status.code(), None, "it ended by itself: {status}");
}

#[rstest]
#[case::before_the_call(Moment::BeforeTheCall)]
#[case::between_call_and_answer(Moment::BeforeTheAnswer)]
#[case::while_waiting(Moment::WhileWaiting)]
#[tokio::test]
async fn a_killed_run_of_another_kind_is_resumed_and_everything_is_there_once(
    #[case] moment: Moment,
) {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start();
    killed_at(state.path(), &server, moment);
    let resumed = resume(state.path(), server.port).await.unwrap();
    assert_eq!(resumed.status(), RunStatus::Done, "{resumed:?}");
    for record in &resumed.operations {
        assert_eq!(record.kind, "copy");
        assert_eq!(record.result, json!({"books": 3}));
    }
    assert_eq!(server.copies(), ["token-7", "token-8"]);
    // A call that was answered is never made again, and one that was lost only if nothing came of it.
    assert_eq!(server.asked_for("token-7"), 1);
    let expected = if moment == Moment::BeforeTheCall {
        2
    } else {
        1
    };
    assert_eq!(server.asked_for("token-8"), expected);
    // What is done is not asked for again.
    let calls = server.calls();
    let again = resume(state.path(), server.port).await.unwrap();
    assert_eq!(again.status(), RunStatus::Done);
    assert_eq!(server.calls(), calls);
}

#[tokio::test]
async fn a_run_of_another_kind_that_is_left_alone_is_started_followed_and_verified() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start();
    let outcome = run(state.path(), server.port).await;
    assert_eq!(outcome.status(), RunStatus::Done, "{outcome:?}");
    assert_eq!(server.copies(), ["token-7", "token-8"]);
    assert!(
        outcome
            .operations
            .iter()
            .all(|record| record.verified_at.is_some())
    );
}

#[tokio::test]
async fn a_kind_that_this_version_does_not_know_is_told_and_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start();
    killed_at(state.path(), &server, Moment::BeforeTheCall);
    let journal = rusqlite::Connection::open(state.path().join("journal.db")).unwrap();
    let renamed = "UPDATE operation SET kind = 'mirror' WHERE position = 1";
    assert_eq!(journal.execute(renamed, []).unwrap(), 1);
    drop(journal);
    let calls = server.calls();
    let error = resume(state.path(), server.port).await.unwrap_err();
    assert!(error.to_string().contains("mirror"), "{error}");
    assert_eq!(server.calls(), calls);
}
