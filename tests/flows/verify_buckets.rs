//! `verify` on exports in buckets: by their run, their ARN and their folder, moved and damaged, and what fails
//! on the way.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use jiff::{SignedDuration, Timestamp};

use crate::archives::{kinds, report};
use crate::killed::exports;
use crate::probe_killed::client;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, answered};

pub(crate) const BUCKET: &str = "export-landing";

/// A home with a served sandbox, and run 1 of these tables.
pub(crate) fn world(tables: &str, job_seconds: &str, more: &[&str]) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, job_seconds);
    let plan = format!(
        "[source]\nprofile = 'prod-oncall'\n[destination]\nprofile = 'dev-admin'\nbucket = '{BUCKET}'\nprefix = 'verifying'\n{tables}"
    );
    home.write("plan.toml", &plan);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let mut command = home.command();
    command
        .args(["run", "--yes"])
        .args(more)
        .arg(home.path().join("plan.toml"));
    let ended = Ended::of(&mut command);
    assert!([0, 4].contains(&ended.status), "{ended:?}");
    (home, server)
}

pub(crate) fn orders() -> (Home, Server) {
    world("[[tables]]\nname = 'Orders'\n", "0.2", &[])
}

pub(crate) fn verify(home: &Home, arguments: &[&str]) -> Ended {
    let mut command = home.command();
    command.args(["verify", "--output", "json"]).args(arguments);
    Ended::of(&mut command)
}

/// The folder of the only export, without a closing slash.
pub(crate) fn folder(home: &Home) -> String {
    let arn = exports(home).remove(0).to_string();
    let (_, id) = arn.rsplit_once('/').unwrap();
    format!("verifying/AWSDynamoDB/{id}")
}

/// Does something as the bucket's owner.
pub(crate) fn with_client<T>(
    home: &Home,
    server: &Server,
    work: impl AsyncFnOnce(Client) -> T,
) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(work(client(home, server)))
}

pub(crate) async fn keys(client: &Client, prefix: &str) -> Vec<String> {
    let listed = client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix(prefix)
        .send();
    let listed = listed.await.unwrap();
    let keys = listed
        .contents()
        .iter()
        .map(|object| object.key().unwrap().to_owned());
    keys.collect()
}

/// Another object of the same content.
pub(crate) async fn copy(client: &Client, from: &str, to: &str) {
    let content = client
        .get_object()
        .bucket(BUCKET)
        .key(from)
        .send()
        .await
        .unwrap();
    let content = content.body.collect().await.unwrap().into_bytes();
    let put = client.put_object().bucket(BUCKET).key(to);
    put.body(ByteStream::from(content)).send().await.unwrap();
}

#[test]
fn an_export_is_verified_by_its_run_its_arn_and_its_folder() {
    let (home, _server) = orders();
    let arn = exports(&home).remove(0).to_string();
    let uri = format!("s3://{BUCKET}/{}", folder(&home));
    for (target, profile) in [("1", None), (&*uri, Some("dev-admin"))] {
        for deep in [None, Some("--deep")] {
            let mut arguments = vec![target];
            arguments.extend(deep);
            arguments.extend(profile.into_iter().flat_map(|name| ["--profile", name]));
            let ended = verify(&home, &arguments);
            assert_eq!(ended.status, 0, "{target} {ended:?}");
            assert_eq!(report(&ended)["export_arn"], *arn);
            assert_eq!(report(&ended)["lines"].is_u64(), deep.is_some());
        }
    }
    // The exporter may ask for the export, and not read the bucket of another account.
    let ended = verify(&home, &[&arn, "--profile", "prod-oncall"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert!(
        ended.out.contains("s3:GetObject") && ended.out.contains("hint"),
        "{ended:?}"
    );
}

#[test]
fn changes_of_a_window_are_verified_by_their_list() {
    let now = Timestamp::now();
    let at = |minutes| (now - SignedDuration::from_mins(minutes)).strftime("%Y-%m-%dT%H:%M:00Z");
    for view in ["NEW_AND_OLD_IMAGES", "NEW_IMAGE"] {
        let table = format!(
            "[[tables]]\nname = 'Orders'\ntype = 'INCREMENTAL_EXPORT'\nfrom = '{}'\nto = '{}'\nview = '{view}'\n",
            at(120),
            at(30)
        );
        let (home, server) = world(&table, "0.2", &[]);
        with_client(&home, &server, async |client| {
            let put = client.put_object().bucket(BUCKET);
            let put = put.key("verifying/AWSDynamoDB/data/of-another.json.gz");
            put.body(ByteStream::from_static(b"x"))
                .send()
                .await
                .unwrap();
        });
        let ended = verify(&home, &["1", "--deep"]);
        assert_eq!(
            (ended.status, kinds(&ended, "faults")),
            (0, Vec::new()),
            "{ended:?}"
        );
        assert!(report(&ended)["lines"].as_u64().unwrap() > 0, "{ended:?}");
    }
}

#[test]
fn an_archive_that_was_moved_is_verified_where_it_lies() {
    let (home, server) = orders();
    let folder = folder(&home);
    with_client(&home, &server, async |client| {
        for key in keys(&client, &folder).await {
            copy(&client, &key, &key.replace("verifying/", "kept/2026/")).await;
            client
                .delete_object()
                .bucket(BUCKET)
                .key(key)
                .send()
                .await
                .unwrap();
        }
    });
    let uri = format!(
        "s3://{BUCKET}/{}/",
        folder.replace("verifying/", "kept/2026/")
    );
    for deep in [None, Some("--deep")] {
        let mut arguments = vec![&*uri, "--profile", "dev-admin"];
        arguments.extend(deep);
        let ended = verify(&home, &arguments);
        assert_eq!(
            (ended.status, kinds(&ended, "faults")),
            (0, Vec::new()),
            "{ended:?}"
        );
        assert!(
            kinds(&ended, "notes").contains(&"moved".to_owned()),
            "{ended:?}"
        );
    }
    let ended = verify(&home, &["1"]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.out.contains("manifest-summary.json"), "{ended:?}");
}

#[test]
fn objects_that_are_missing_changed_or_strange_are_named() {
    let (home, server) = orders();
    let folder = folder(&home);
    let data = format!("{folder}/data/");
    with_client(&home, &server, async |client| {
        let files = keys(&client, &data).await;
        client
            .delete_object()
            .bucket(BUCKET)
            .key(&files[0])
            .send()
            .await
            .unwrap();
        copy(&client, &files[2], &files[1]).await;
        copy(&client, &files[3], &format!("{data}stray.json.gz")).await;
    });
    let ended = verify(&home, &["1"]);
    let expected = ["etag_differs", "missing", "unlisted"];
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (1, expected.map(str::to_owned).to_vec()),
        "{ended:?}"
    );
    let ended = verify(&home, &["1", "--deep"]);
    assert_eq!(ended.status, 1);
    for kind in ["md5_differs", "missing", "unlisted"] {
        assert!(
            kinds(&ended, "faults").contains(&kind.to_owned()),
            "{kind}: {ended:?}"
        );
    }
}

pub(crate) fn is_data(head: &str) -> bool {
    let line = head.lines().next().unwrap();
    line.starts_with("get ") && line.contains(".json.gz")
}

#[test]
fn a_download_that_breaks_off_is_taken_up_where_it_ended() {
    let (home, server) = orders();
    let (mut broken, mut again) = (0, 0);
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let told = std::sync::Arc::clone(&seen);
    let mut command = home.command();
    command.args(["verify", "1", "--deep", "--output", "json"]);
    let ended = relay::run(&home, &server, &mut command, move |head, passing| {
        if !is_data(head) {
            return Fate::Pass;
        }
        if passing == Passing::Request && head.contains("\nrange: bytes=") {
            again += 1;
            told.store(again, std::sync::atomic::Ordering::Relaxed);
        }
        if passing == Passing::Answer && broken < 3 {
            broken += 1;
            return Fate::Half;
        }
        Fate::Pass
    });
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    assert!(
        seen.load(std::sync::atomic::Ordering::Relaxed) > 0,
        "nothing was taken up"
    );
}

#[test]
fn an_object_that_vanishes_meanwhile_is_named() {
    let (home, server) = orders();
    let mut command = home.command();
    command.args(["verify", "1", "--deep", "--output", "json"]);
    let body = "<Error><Code>NoSuchKey</Code><Message>said by the test</Message></Error>";
    let mut vanished = None;
    let ended = relay::run(&home, &server, &mut command, move |head, passing| {
        if !is_data(head) || passing != Passing::Request {
            return Fate::Pass;
        }
        let line = head.lines().next().unwrap().to_owned();
        if *vanished.get_or_insert_with(|| line.clone()) == line {
            return answered(
                "404 Not Found",
                "application/xml\r\nx-amz-request-id: TEST",
                body,
            );
        }
        Fate::Pass
    });
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (1, vec!["vanished".to_owned()]),
        "{ended:?}"
    );
}

#[test]
fn a_download_beyond_the_limit_is_refused_before_it_begins() {
    let (home, _server) = orders();
    home.write(
        ".config/tableferry/config.toml",
        "[limits]\nlargest_download = '1 KiB'\n",
    );
    let ended = verify(&home, &["1", "--deep"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        ended.out.contains("1.0 KiB") && ended.out.contains("largest_download"),
        "{ended:?}"
    );
    assert_eq!(verify(&home, &["1"]).status, 0);
}

#[test]
fn an_export_that_is_still_running_or_unknown_is_told_so() {
    let (home, _server) = world("[[tables]]\nname = 'Orders'\n", "3000", &["--no-wait"]);
    let arn = exports(&home).remove(0).to_string();
    for target in ["1", &arn] {
        let ended = verify(&home, &[target, "--profile", "prod-admin"]);
        assert_eq!(ended.status, 4, "{ended:?}");
    }
    let other = format!("{}0", &arn[..arn.len() - 1]);
    let other = if other == arn {
        format!("{}1", &arn[..arn.len() - 1])
    } else {
        other
    };
    let ended = verify(&home, &[&other, "--profile", "prod-admin"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.out.contains("no such export"), "{ended:?}");
    let ended = verify(
        &home,
        &[
            "s3://no-such-bucket-here/AWSDynamoDB/x",
            "--profile",
            "dev-admin",
        ],
    );
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.out.contains("NoSuchBucket"), "{ended:?}");
}
