//! Verification: what fails in passing is no outcome, what is no checksum is no damage, and what was found
//! once is looked at again when it is asked for.

use aws_sdk_s3::primitives::ByteStream;
use rstest::rstest;

use crate::killed::exports;
use crate::probe_killed::client;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, bare_403};

const BUCKET: &str = "export-landing";

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "verifying"
[[tables]]
name = "Orders"
"#;

/// A home with a served sandbox and a plan of one table; nobody may be silent for longer than told.
fn world(patience: u32) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, "0.2");
    home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        &format!("[poll]\nfirst_seconds = 1\nlongest_seconds = 1\npatience_seconds = {patience}\n"),
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

fn is_get(head: &str, name: &str) -> bool {
    head.starts_with("get ") && head.lines().next().unwrap().contains(name)
}

fn answer(head: &str, body: &str) -> Fate {
    Fate::Answered(format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn page() -> Fate {
    answer(
        "200 OK\r\nContent-Type: text/html",
        "<html><body>Sign in to the guest network</body></html>",
    )
}

fn s3_error(status: &str, code: &str) -> Fate {
    let body = format!("<Error><Code>{code}</Code><Message>said by the test</Message></Error>");
    let head = format!("{status}\r\nContent-Type: application/xml\r\nx-amz-request-id: TEST");
    answer(&head, &body)
}

/// An object of S3 in the place of another.
fn object(body: &str) -> Fate {
    let head = "200 OK\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\nx-amz-request-id: TEST";
    answer(head, body)
}

/// What was told of verifying that was to be tried again.
fn notes(ended: &Ended) -> Vec<String> {
    let notes = ended.objects().into_iter();
    let notes = notes.filter(|object| object["event"] == "note");
    notes
        .map(|note| note["message"].as_str().unwrap().to_owned())
        .filter(|message| message.contains("verifying"))
        .collect()
}

fn verified(ended: &Ended) -> serde_json::Value {
    ended.exports()[0]["verified"].clone()
}

fn remarks(ended: &Ended) -> String {
    ended.exports()[0]["remarks"].to_string()
}

fn why(ended: &Ended) -> String {
    let last = ended.objects().into_iter().rev();
    let mut exports = last.filter(|object| object["event"] == "export");
    exports.next().unwrap()["verification"].to_string()
}

#[rstest]
#[case::throttled(s3_error("503 Slow Down", "SlowDown"))]
#[case::failing(s3_error("500 Internal Server Error", "InternalError"))]
#[case::reset(Fate::Lost)]
#[case::a_proxys_page(page())]
#[case::a_proxys_refusal(bare_403())]
#[case::a_proxys_absence(answer("404 Not Found", ""))]
fn what_fails_in_passing_is_tried_again_and_told_once(
    #[case] fault: Fate,
    #[values("manifest-summary.json", "manifest-summary.md5", "list-type=2")] call: &'static str,
) {
    let (home, server) = world(60);
    let (mut faults, mut is_verifying) = (0, false);
    let ended = run(&home, &server, move |head, passing| {
        // The folder is listed before, too, to show what has appeared.
        is_verifying |= is_get(head, "manifest-files.json") || !call.contains("list");
        // More often than the SDK repeats a call by itself.
        if is_verifying && is_get(head, call) && passing == Passing::Request && faults < 4 {
            faults += 1;
            return fault.clone();
        }
        Fate::Pass
    });
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(verified(&ended), true, "{ended:?}");
    assert_eq!(notes(&ended).len(), 1, "{ended:?}");
    assert_eq!(exports(&home).len(), 1);
}

#[test]
fn an_export_that_could_not_be_verified_for_a_passing_reason_stays_open() {
    let (home, server) = world(1);
    let ended = run(&home, &server, |head, _| {
        if is_get(head, "manifest-files.json") {
            page()
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 4, "{ended:?}");
    assert_eq!(ended.exports()[0]["status"], "COMPLETED", "{ended:?}");
    assert_eq!(verified(&ended), "unknown", "{ended:?}");
    let listed = Ended::of(home.command().arg("exports"));
    assert!(listed.out.contains("not verified yet"), "{listed:?}");
    let resumed = resume(&home, &[]);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!(verified(&resumed), true, "{resumed:?}");
}

#[test]
fn damage_is_looked_at_twice() {
    let (home, server) = world(60);
    let mut is_cut = false;
    let ended = run(&home, &server, move |head, passing| {
        if is_get(head, "manifest-summary.json") && passing == Passing::Request && !is_cut {
            is_cut = true;
            return object("{\"version\":\"2020-06-30\",\"exp");
        }
        Fate::Pass
    });
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(verified(&ended), true, "{ended:?}");
}

#[rstest]
#[case::no_checksum(object("<p>not here</p>"), "is no checksum")]
#[case::missing(s3_error("404 Not Found", "NoSuchKey"), "is missing")]
#[case::refused(s3_error("403 Forbidden", "AccessDenied"), "could not be read")]
fn a_checksum_file_that_says_nothing_is_remarked_and_no_damage(
    #[case] answered: Fate,
    #[case] told: &str,
) {
    let (home, server) = world(60);
    let ended = run(&home, &server, move |head, _| {
        if is_get(head, "manifest-summary.md5") {
            answered.clone()
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(verified(&ended), true, "{ended:?}");
    assert!(remarks(&ended).contains(told), "{ended:?}");
    let listed = Ended::of(home.command().arg("exports"));
    assert!(listed.out.contains(told), "{listed:?}");
}

#[test]
fn a_checksum_of_other_bytes_is_damage() {
    let (home, server) = world(60);
    let ended = run(&home, &server, |head, _| {
        if is_get(head, "manifest-summary.md5") {
            // The MD5 of "abc" (RFC 1321).
            object("kAFQmDzST7DWlj99KOF/cg==")
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 1, "{ended:?}");
    assert_eq!(verified(&ended), false, "{ended:?}");
    assert!(why(&ended).contains("manifest-summary.json"), "{ended:?}");
}

/// An unverified export, and the rights to read it granted afterwards.
#[test]
fn an_unverified_export_is_looked_at_again_by_its_number() {
    let (home, server) = world(60);
    let ended = run(&home, &server, |head, _| {
        if is_get(head, "manifest-summary.json") {
            s3_error("403 Forbidden", "AccessDenied")
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 5, "{ended:?}");
    assert_eq!(verified(&ended), "unknown", "{ended:?}");
    // Nobody says that the rights are there now, until the run is named.
    assert!(resume(&home, &[]).exports().is_empty());
    let resumed = resume(&home, &["1"]);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!(verified(&resumed), true, "{resumed:?}");
}

#[test]
fn what_was_found_is_told_with_its_time_and_looked_at_again_when_asked() {
    let (home, server) = world(60);
    let first = run(&home, &server, |_, _| Fate::Pass);
    assert_eq!(verified(&first), true, "{first:?}");
    let at = first.exports()[0]["verified_at"].clone();
    assert!(at.is_string(), "{first:?}");

    let unlisted = data_folder(&home) + "notes.txt";
    put(&home, &server, &unlisted);
    let repeated = resume(&home, &["1"]);
    assert_eq!(repeated.status, 0, "{repeated:?}");
    assert_eq!(repeated.exports()[0]["verified_at"], at, "{repeated:?}");
    let words = Ended::of(home.command().args(["resume", "1"]));
    let second = at.as_str().unwrap().split('.').next().unwrap();
    let second = second.trim_end_matches('Z');
    let minute = second.rsplit_once(':').unwrap().0;
    assert!(words.out.contains(&format!("as of {minute}")), "{words:?}");

    let again = resume(&home, &["1", "--verify-again"]);
    assert_eq!(again.status, 1, "{again:?}");
    assert_eq!(verified(&again), false, "{again:?}");
    assert_ne!(again.exports()[0]["verified_at"], at, "{again:?}");
    assert!(why(&again).contains("notes.txt"), "{again:?}");

    delete(&home, &server, &unlisted);
    let words = Ended::of(home.command().args(["resume", "1"]));
    assert!(words.out.contains("resume 1 --verify-again"), "{words:?}");
    let whole = resume(&home, &["1", "--verify-again"]);
    assert_eq!(whole.status, 0, "{whole:?}");
    assert_eq!(verified(&whole), true, "{whole:?}");
}

#[test]
fn a_look_that_was_asked_for_and_not_made_leaves_what_the_journal_holds() {
    let (home, server) = world(1);
    let first = run(&home, &server, |_, _| Fate::Pass);
    let mut command = home.command();
    command.args(["resume", "1", "--verify-again", "--output", "json"]);
    let again = relay::run(&home, &server, &mut command, |head, _| {
        if is_get(head, "manifest-summary.json") {
            page()
        } else {
            Fate::Pass
        }
    });
    assert_eq!(again.status, 4, "{again:?}");
    assert_eq!(verified(&again), "unknown", "{again:?}");
    let listed = Ended::of(home.command().args(["exports", "--output", "json"]));
    assert_eq!(verified(&listed), true, "{listed:?}");
    assert_eq!(
        listed.exports()[0]["verified_at"],
        first.exports()[0]["verified_at"]
    );
}

#[test]
fn a_summary_of_another_request_is_damage() {
    let (home, server) = world(60);
    let ended = run(&home, &server, |_, _| Fate::Pass);
    assert_eq!(ended.status, 0, "{ended:?}");
    let journal =
        rusqlite::Connection::open(home.path().join(".local/state/tableferry/journal.db"));
    journal
        .unwrap()
        .execute_batch("UPDATE operation SET request = replace(request, 'DYNAMODB_JSON', 'ION')")
        .unwrap();
    let again = resume(&home, &["1", "--verify-again"]);
    assert_eq!(again.status, 1, "{again:?}");
    assert!(why(&again).contains("another request"), "{again:?}");
}

/// The folder of the only export's data files.
fn data_folder(home: &Home) -> String {
    let arn = exports(home).remove(0).to_string();
    let (_, id) = arn.rsplit_once('/').unwrap();
    format!("verifying/AWSDynamoDB/{id}/data/")
}

fn put(home: &Home, server: &Server, key: &str) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = client(home, server);
        let put = client.put_object().bucket(BUCKET).key(key);
        put.body(ByteStream::from_static(b"notes"))
            .send()
            .await
            .unwrap();
    });
}

fn delete(home: &Home, server: &Server, key: &str) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = client(home, server);
        let delete = client.delete_object().bucket(BUCKET).key(key);
        delete.send().await.unwrap();
    });
}
