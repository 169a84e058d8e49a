//! Calls whose answers were lost: looked up by their token before anything is said about them, and
//! never made again where the token may name another export by now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;

use crate::killed::started_exports;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, bare_403, is_for, refusal};

const START: &str = "ExportTableToPointInTime";
const LIST: &str = "ListExports";

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "unanswered"
[[tables]]
name = "Orders"
"#;

/// A home with a served sandbox whose clock can be moved, and a plan of one table.
fn world() -> (Home, Server) {
    let home = Home::new();
    let server = Server::with_clock(&home, "1", "0s");
    home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    (home, server)
}

fn run(
    home: &Home,
    server: &Server,
    decide: impl FnMut(&str, Passing) -> Fate + Send + 'static,
) -> Ended {
    let mut command = home.command();
    command.args(["run", "--yes", "--output", "json"]);
    command.arg(home.path().join("plan.toml"));
    relay::run(home, server, &mut command, decide)
}

fn resume(home: &Home, more: &[&str]) -> Ended {
    let arguments = [&["resume", "--output", "json"], more].concat();
    Ended::of(home.command().args(arguments))
}

fn resume_through(
    home: &Home,
    server: &Server,
    decide: impl FnMut(&str, Passing) -> Fate + Send + 'static,
) -> Ended {
    let mut command = home.command();
    command.args(["resume", "--output", "json"]);
    relay::run(home, server, &mut command, decide)
}

/// Kills a run at its start: before the call reaches anybody, or before its answer does.
fn killed(home: &Home, server: &Server, at: Passing) {
    let mut command = home.command();
    command
        .args(["run", "--yes"])
        .arg(home.path().join("plan.toml"));
    relay::killed(home, server, &mut command, move |head, passing| {
        is_for(head, START) && passing == at
    });
}

/// Refuses every start and every look-up; counts the starts.
fn refusing_all(starts: &Arc<AtomicUsize>) -> impl FnMut(&str, Passing) -> Fate + Send + 'static {
    let starts = Arc::clone(starts);
    move |head, _| {
        if is_for(head, START) {
            starts.fetch_add(1, Ordering::SeqCst);
            return refusal("AccessDeniedException");
        }
        if is_for(head, LIST) {
            return refusal("AccessDeniedException");
        }
        Fate::Pass
    }
}

/// The export ended well, and was verified.
fn assert_completed(ended: &Ended) {
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(status(ended), "COMPLETED", "{ended:?}");
}

fn status(ended: &Ended) -> String {
    ended.exports()[0]["status"].as_str().unwrap().to_owned()
}

#[rstest]
#[case::a_right_withdrawn(refusal("AccessDeniedException"))]
#[case::a_limit(refusal("LimitExceededException"))]
#[case::a_proxys_bare_403(bare_403())]
fn a_refused_repeat_is_not_the_last_word_until_the_call_was_looked_up(#[case] refused: Fate) {
    let (home, server) = world();
    let mut starts = 0;
    let ended = run(&home, &server, move |head, passing| {
        if is_for(head, LIST) && starts > 0 {
            return refusal("AccessDeniedException");
        }
        if !is_for(head, START) {
            return Fate::Pass;
        }
        if passing == Passing::Request {
            starts += 1;
        }
        match (starts, passing) {
            (1, Passing::Request) => Fate::Pass,
            (1, Passing::Answer) => Fate::Lost,
            _ => refused.clone(),
        }
    });
    assert_eq!(ended.status, 4, "{ended:?}");
    assert_eq!(status(&ended), "CALLING", "{ended:?}");
    let resumed = resume(&home, &[]);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!(status(&resumed), "COMPLETED", "{resumed:?}");
    assert_eq!(started_exports(&home), ["Orders"]);
}

#[test]
fn a_lost_answer_is_found_by_its_token_in_the_same_run() {
    let (home, server) = world();
    let mut starts = 0;
    let ended = run(&home, &server, move |head, passing| {
        match (is_for(head, START), passing) {
            (true, Passing::Request) => {
                starts += 1;
                assert_eq!(starts, 1, "made again although it can be looked up");
                Fate::Pass
            }
            (true, Passing::Answer) => Fate::Lost,
            _ => Fate::Pass,
        }
    });
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(started_exports(&home), ["Orders"]);
}

#[test]
fn a_call_cut_off_is_found_although_its_repeat_would_be_refused() {
    let (home, server) = world();
    killed(&home, &server, Passing::Answer);
    let ended = resume_through(&home, &server, |head, _| {
        if is_for(head, START) {
            refusal("AccessDeniedException")
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(status(&ended), "COMPLETED", "{ended:?}");
}

#[test]
fn a_refusal_is_final_once_the_listing_proves_that_no_call_started_an_export() {
    let (home, server) = world();
    killed(&home, &server, Passing::Request);
    let refuse = |head: &str, _| {
        if is_for(head, START) {
            refusal("AccessDeniedException")
        } else {
            Fate::Pass
        }
    };
    // The request may still be on its way.
    home.move_clock("10m");
    let early = resume_through(&home, &server, refuse);
    assert_eq!(early.status, 4, "{early:?}");
    assert_eq!(status(&early), "CALLING", "{early:?}");
    home.move_clock("31m");
    let late = resume_through(&home, &server, refuse);
    assert_eq!(late.status, 3, "{late:?}");
    assert_eq!(status(&late), "REFUSED", "{late:?}");
    let nothing = resume(&home, &[]);
    assert!(nothing.exports().is_empty(), "{nothing:?}");
}

#[rstest]
#[case::carried_out(Passing::Answer)]
#[case::never_arrived(Passing::Request)]
fn an_old_token_is_looked_up_and_exports_once(#[case] lost: Passing) {
    let (home, server) = world();
    killed(&home, &server, lost);
    home.move_clock("9h");
    let ended = resume(&home, &[]);
    assert_completed(&ended);
    assert_eq!(started_exports(&home), ["Orders"]);
}

#[test]
fn an_old_token_that_cannot_be_looked_up_is_not_sent_again_and_settled_by_hand() {
    let (home, server) = world();
    killed(&home, &server, Passing::Answer);
    home.move_clock("9h");
    let starts = Arc::default();
    let open = resume_through(&home, &server, refusing_all(&starts));
    assert_eq!(open.status, 4, "{open:?}");
    assert_eq!(status(&open), "CALLING", "{open:?}");
    assert!(open.out.contains("--not-started"), "{open:?}");
    assert_eq!(starts.load(Ordering::SeqCst), 0, "{open:?}");

    let other =
        "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01795324670539-0000abcd";
    let refused = resume(&home, &["1", "--started", other]);
    assert_eq!(refused.status, 3, "{refused:?}");
    let arn = export_arns(&home).remove(0);
    let settled = resume(&home, &["1", "--started", &arn]);
    assert_completed(&settled);
    assert!(settled.out.contains("with the call's token"), "{settled:?}");
    let export = &settled.exports()[0];
    assert_eq!(export["export_arn"], arn.as_str(), "{settled:?}");
    assert!(
        export["settled_by"].as_str().unwrap().contains("OnCall"),
        "{settled:?}"
    );
}

#[test]
fn a_call_that_cannot_be_looked_up_is_settled_as_not_started() {
    let (home, server) = world();
    killed(&home, &server, Passing::Request);
    home.move_clock("9h");
    let mut command = home.command();
    command.args(["resume", "1", "--not-started", "--output", "json"]);
    let starts = Arc::default();
    let settled = relay::run(&home, &server, &mut command, refusing_all(&starts));
    assert_eq!(settled.status, 3, "{settled:?}");
    assert_eq!(status(&settled), "NOT_STARTED", "{settled:?}");
    let nothing = resume(&home, &["1", "--not-started"]);
    assert_eq!(nothing.status, 3, "{nothing:?}");
    assert!(nothing.out.contains("no such export"), "{nothing:?}");
    assert!(started_exports(&home).is_empty());
}

#[test]
fn what_is_said_not_to_have_started_is_believed_only_where_it_is_not_found() {
    let (home, server) = world();
    killed(&home, &server, Passing::Answer);
    home.move_clock("9h");
    let settled = resume(&home, &["1", "--not-started"]);
    assert_completed(&settled);
}

/// The machine slept inside the call: its answer is lost, and AWS's clock is nine hours on.
#[test]
fn a_call_during_which_the_machine_slept_is_not_made_again() {
    let (home, server) = world();
    let offset = home.path().to_owned();
    let mut starts = 0;
    let ended = run(&home, &server, move |head, passing| {
        if is_for(head, START) && passing == Passing::Request {
            starts += 1;
        }
        if is_for(head, START) && passing == Passing::Answer && starts == 1 {
            crate::program::move_clock(&offset, "9h");
            return Fate::Lost;
        }
        Fate::Pass
    });
    assert_ne!(status(&ended), "REFUSED", "{ended:?}");
    let resumed = resume(&home, &[]);
    if status(&ended) == "COMPLETED" {
        assert!(resumed.exports().is_empty(), "{resumed:?}");
    } else {
        assert_completed(&resumed);
    }
    assert_eq!(started_exports(&home), ["Orders"]);
}

/// Without a `Date` nobody knows how old the token is.
#[test]
fn a_token_of_unknown_age_is_not_sent_again() {
    let (home, server) = world();
    killed(&home, &server, Passing::Request);
    let journal =
        rusqlite::Connection::open(home.path().join(".local/state/tableferry/journal.db"));
    journal
        .unwrap()
        .execute_batch("UPDATE operation SET first_called = NULL, last_called = NULL")
        .unwrap();
    let open = resume(&home, &[]);
    assert_eq!(open.status, 4, "{open:?}");
    assert_eq!(status(&open), "CALLING", "{open:?}");
    assert!(started_exports(&home).is_empty());
    // From the first look-up on, AWS's clock runs.
    home.move_clock("21m");
    let ended = resume(&home, &[]);
    assert_completed(&ended);
    assert_eq!(started_exports(&home), ["Orders"]);
}

fn export_arns(home: &Home) -> Vec<String> {
    crate::killed::exports(home)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// What cannot be gone on with is open all the same, and the last line says so.
#[test]
fn a_resume_that_cannot_sign_in_tells_what_is_open_and_is_cut_off() {
    let (home, server) = world();
    killed(&home, &server, Passing::Answer);
    let ended = resume_through(&home, &server, |head, _| {
        if head.contains("action=assumerole") {
            bare_403()
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 4, "{ended:?}");
    assert_eq!(status(&ended), "CALLING", "{ended:?}");
}
