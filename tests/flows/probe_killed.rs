//! A probe that is killed between the beginning of its upload and the end of it: the next probe finds
//! what it left, takes it back, and says so.

use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use rstest::rstest;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::program::{Ended, Home, Server};
use crate::relay::{self, Passing};

const BUCKET: &str = "export-landing";

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "killed"
[[tables]]
name = "Orders"
"#;

/// When the program is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The upload is not begun: the call reaches nobody.
    BeforeTheBeginning,
    /// The upload is begun, and nobody was told its id.
    BeforeTheId,
    /// The part reaches nobody.
    BeforeThePart,
    /// The call that takes it back reaches nobody.
    BeforeTheAbort,
    /// It is taken back, and nobody was told.
    AfterTheAbort,
}

impl Moment {
    fn is_now(self, head: &str, passing: Passing) -> bool {
        let first = head.lines().next().unwrap_or_default();
        let is_of_probe = first.contains("tableferry-probe-");
        let is_beginning = first.starts_with("post ") && first.contains("?uploads");
        let is_part = first.starts_with("put ") && first.contains("partnumber=");
        let is_abort = first.starts_with("delete ");
        let (is_call, when) = match self {
            Self::BeforeTheBeginning => (is_beginning, Passing::Request),
            Self::BeforeTheId => (is_beginning, Passing::Answer),
            Self::BeforeThePart => (is_part, Passing::Request),
            Self::BeforeTheAbort => (is_abort, Passing::Request),
            Self::AfterTheAbort => (is_abort, Passing::Answer),
        };
        is_of_probe && is_call && passing == when
    }
}

/// S3 as the bucket's owner has it.
pub(crate) fn client(home: &Home, server: &Server) -> Client {
    let text = std::fs::read_to_string(home.path().join(".aws/credentials")).unwrap();
    let section = text.split("[dev-admin]").nth(1).unwrap();
    let value = |name: &str| {
        let line = section.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once('=').unwrap().1.trim().to_owned()
    };
    let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new(id, secret, None, None, "the test"))
        .endpoint_url(format!("http://127.0.0.1:{}", server.port))
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

/// The keys and ids of the uploads under way in the bucket, by `ListMultipartUploads`.
fn uploads(home: &Home, server: &Server) -> Vec<(String, String)> {
    Runtime::new().unwrap().block_on(async {
        let client = client(home, server);
        let listing = client.list_multipart_uploads().bucket(BUCKET).send();
        let listing = listing.await.unwrap();
        let uploads = listing.uploads().iter();
        uploads
            .map(|upload| {
                let (key, id) = (upload.key().unwrap(), upload.upload_id().unwrap());
                (key.to_owned(), id.to_owned())
            })
            .collect()
    })
}

/// Begins an upload of somebody else's.
fn begin(home: &Home, server: &Server, key: &str) {
    Runtime::new().unwrap().block_on(async {
        let client = client(home, server);
        let upload = client.create_multipart_upload().bucket(BUCKET).key(key);
        upload.send().await.unwrap();
    });
}

/// A probe of the plan that was killed at a moment.
fn killed(home: &Home, server: &Server, moment: Moment) -> PathBuf {
    let plan = home.write("plan.toml", PLAN);
    let mut command = home.command();
    command.args(["check", "--probe", "--yes"]).arg(&plan);
    relay::killed(home, server, &mut command, move |head, passing| {
        moment.is_now(head, passing)
    });
    plan
}

fn json(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(home.command().args(arguments).args(["--output", "json"]))
}

fn probe(home: &Home, plan: &Path) -> Ended {
    json(home, &["check", "--probe", "--yes", plan.to_str().unwrap()])
}

fn of_event(ended: &Ended, event: &str) -> Vec<Value> {
    let mut objects = ended.objects();
    objects.retain(|object| object["event"] == event);
    objects
}

/// The journal's rows, made so old that nothing sent for them can still arrive.
fn age(home: &Home) {
    let path = home.path().join(".local/state/tableferry/journal.db");
    let journal = rusqlite::Connection::open(path).unwrap();
    let changed = journal
        .execute(
            "UPDATE operation SET created_at = created_at - 16 * 60000 WHERE kind = 'probe'",
            [],
        )
        .unwrap();
    assert!(changed > 0);
}

#[rstest]
#[case::before_its_id_is_known(Moment::BeforeTheId, false)]
#[case::before_the_part(Moment::BeforeThePart, true)]
#[case::before_the_abort(Moment::BeforeTheAbort, true)]
fn what_a_killed_probe_left_is_taken_back_by_the_next(
    #[case] moment: Moment,
    #[case] is_id_known: bool,
) {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = killed(&home, &server, moment);
    let left = uploads(&home, &server);
    assert_eq!(left.len(), 1, "{left:?}");
    let (key, id) = &left[0];

    // Without a probe it is told, and left alone.
    let plan_path = plan.to_str().unwrap();
    for arguments in [
        &["apply", "--list"][..],
        &["exports"],
        &["check", plan_path],
    ] {
        let ended = json(&home, arguments);
        let told = of_event(&ended, "unfinished_probe");
        assert_eq!(told.len(), 1, "{ended:?}");
        assert_eq!(told[0]["key"], key.as_str());
        assert_eq!(told[0]["upload_id"].is_string(), is_id_known, "{ended:?}");
    }
    assert_eq!(uploads(&home, &server), left);

    let ended = probe(&home, &plan);
    assert_eq!(ended.status, 0, "{ended:?}");
    let taken = of_event(&ended, "probe_taken_back");
    assert_eq!(taken.len(), 1, "{ended:?}");
    assert_eq!(taken[0]["end"], "aborted", "{ended:?}");
    assert_eq!(taken[0]["upload_ids"], serde_json::json!([id]));
    assert_eq!(uploads(&home, &server), []);
    let listed = json(&home, &["apply", "--list"]);
    assert_eq!(listed.objects().len(), 0, "{listed:?}");
}

/// What a proxy answers in S3's place says nothing about what S3 did.
#[rstest]
#[case::forbidden("403 Forbidden", "")]
#[case::throttled("429 Too Many Requests", "slow down")]
#[case::not_allowed("405 Method Not Allowed", "")]
fn an_upload_whose_beginning_a_proxy_answered_is_taken_back_by_the_next_probe(
    #[case] status: &'static str,
    #[case] body: &'static str,
) {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", PLAN);
    let mut command = home.command();
    command.args(["check", "--probe", "--yes"]).arg(&plan);
    relay::run(&home, &server, &mut command, move |head, passing| {
        if Moment::BeforeTheId.is_now(head, passing) {
            relay::answered(status, "text/plain", body)
        } else {
            relay::Fate::Pass
        }
    });
    let left = uploads(&home, &server);
    assert_eq!(left.len(), 1, "{left:?}");
    let ended = probe(&home, &plan);
    let taken = of_event(&ended, "probe_taken_back");
    assert_eq!(taken.len(), 1, "{ended:?}");
    assert_eq!(taken[0]["upload_ids"], serde_json::json!([left[0].1]));
    assert_eq!(uploads(&home, &server), []);
}

#[test]
fn a_probe_that_was_killed_after_its_end_is_found_to_have_left_nothing() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = killed(&home, &server, Moment::AfterTheAbort);
    assert_eq!(uploads(&home, &server), []);
    let ended = probe(&home, &plan);
    let taken = of_event(&ended, "probe_taken_back");
    assert_eq!(taken.len(), 1, "{ended:?}");
    assert_eq!(taken[0]["end"], "nothing_there", "{ended:?}");
    assert_eq!(json(&home, &["apply", "--list"]).objects().len(), 0);
}

/// A call whose sender died may arrive for fifteen minutes: until then nobody says that nothing is
/// left.
#[test]
fn a_probe_that_was_killed_before_its_beginning_is_looked_after_until_nothing_can_arrive() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = killed(&home, &server, Moment::BeforeTheBeginning);
    let ends = |ended: &Ended| -> Vec<Value> {
        let taken = of_event(ended, "probe_taken_back");
        taken.iter().map(|taken| taken["end"].clone()).collect()
    };
    assert_eq!(ends(&probe(&home, &plan)), ["too_young"]);
    assert_eq!(json(&home, &["apply", "--list"]).objects().len(), 1);
    age(&home);
    assert_eq!(ends(&probe(&home, &plan)), ["nothing_there"]);
    assert_eq!(json(&home, &["apply", "--list"]).objects().len(), 0);
    assert_eq!(ends(&probe(&home, &plan)), [""; 0]);
}

/// An upload of somebody else's, even to a key that begins with ours, is none of ours.
#[test]
fn uploads_of_others_are_left_alone() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = killed(&home, &server, Moment::BeforeTheId);
    let ours = uploads(&home, &server).remove(0).0;
    let theirs = [
        format!("{ours}.theirs"),
        "killed/AWSDynamoDB/theirs".to_owned(),
    ];
    for key in &theirs {
        begin(&home, &server, key);
    }
    let ended = probe(&home, &plan);
    assert_eq!(of_event(&ended, "probe_taken_back")[0]["end"], "aborted");
    let mut left: Vec<String> = uploads(&home, &server)
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    left.sort();
    let mut expected = theirs.to_vec();
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn people_read_what_is_taken_back_before_and_after() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = killed(&home, &server, Moment::BeforeTheAbort);
    let listed = Ended::of(home.command().args(["apply", "--list"]));
    for text in [
        " left the incomplete upload ",
        "takes it back; `aws s3api abort-multipart-upload --bucket export-landing",
    ] {
        assert!(listed.out.contains(text), "`{text}` is not in {listed:?}");
    }
    let mut command = home.command();
    let ended = Ended::of(command.args(["check", "--probe", "--yes"]).arg(&plan));
    for text in [
        "  AbortMultipartUpload of s3://export-landing/killed/AWSDynamoDB/tableferry-probe-",
        "  taken back: the incomplete upload of s3://export-landing/killed/AWSDynamoDB/",
    ] {
        assert!(ended.out.contains(text), "`{text}` is not in {ended:?}");
    }
    assert_eq!(uploads(&home, &server), []);
}
