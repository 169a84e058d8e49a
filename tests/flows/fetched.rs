//! `fetch`: an archive on this machine, checked while it arrives.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::archives::kinds;
use crate::program::{Ended, Home};
use crate::relay::{self, Fate, Passing};
use crate::verify_buckets::{BUCKET, copy, folder, is_data, keys, orders, with_client, world};

pub(crate) fn fetch(home: &Home, arguments: &[&str]) -> Ended {
    let mut command = home.command();
    let command = command.args(["fetch", "--output", "json"]);
    Ended::of(command.args(arguments).current_dir(home.path()))
}

fn verify_deep(home: &Home, directory: &str) -> Ended {
    let mut command = home.command();
    let command = command.args(["verify", "--deep", "--output", "json", "--key", "orderId:S"]);
    Ended::of(command.arg(directory).current_dir(home.path()))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// All files below a directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_fetched_archive_is_the_owners_alone_and_verifies() {
    let (home, server) = orders();
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    let directory = home.path().join("copy");
    assert_eq!(mode(&directory), 0o700);
    let copied = files(&directory);
    assert!(copied.iter().all(|file| mode(file) == 0o600), "{copied:?}");
    // Two manifests with their checksums, and a file for each of five partitions.
    assert_eq!(copied.len(), 9, "{copied:?}");
    let verified = verify_deep(&home, "copy");
    assert_eq!(
        (verified.status, kinds(&verified, "faults")),
        (0, Vec::new()),
        "{verified:?}"
    );
    // A second time nothing is left to be downloaded.
    let downloads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&downloads);
    let mut command = home.command();
    command
        .args(["fetch", "1", "copy", "--output", "json"])
        .current_dir(home.path());
    let again = relay::run(&home, &server, &mut command, move |head, passing| {
        if is_data(head) && passing == Passing::Request {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Fate::Pass
    });
    assert_eq!(
        (again.status, downloads.load(Ordering::Relaxed)),
        (0, 0),
        "{again:?}"
    );
}

#[test]
fn changes_are_fetched_with_their_shared_folder() {
    let now = jiff::Timestamp::now();
    let at =
        |minutes| (now - jiff::SignedDuration::from_mins(minutes)).strftime("%Y-%m-%dT%H:%M:00Z");
    let table = format!(
        "[[tables]]\nname = 'Orders'\ntype = 'INCREMENTAL_EXPORT'\nfrom = '{}'\nto = '{}'\n",
        at(120),
        at(30)
    );
    let (home, _server) = world(&table, "0.2", &[]);
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    assert!(home.path().join("copy/AWSDynamoDB/data").is_dir());
    assert_eq!(verify_deep(&home, "copy").status, 0);
}

#[test]
fn plain_json_has_a_line_for_each_item() {
    let (home, _server) = orders();
    let ended = fetch(&home, &["1", "plain", "--as", "json"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let copied = files(&home.path().join("plain"));
    assert!(
        copied
            .iter()
            .all(|file| file.extension().unwrap() == "jsonl"),
        "{copied:?}"
    );
    let text: String = copied
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let items: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let report = crate::archives::report(&ended);
    assert_eq!(Some(items.len() as u64), report["items"].as_u64());
    let item = &items[0];
    assert!(
        item["orderId"].is_string() && item["version"].is_u64(),
        "{item}"
    );
    assert!(
        item["labels"].is_array() && item["address"]["city"].is_string(),
        "{item}"
    );
}

#[test]
fn what_forbids_a_copy_is_told_before_anything_is_downloaded() {
    let (home, _server) = orders();
    let open = home.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let ended = fetch(&home, &["1", "open"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("chmod o-rwx"), "{ended:?}");
    let foreign = home.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o700)).unwrap();
    // Only root can give a directory away.
    if std::os::unix::fs::chown(&foreign, Some(4711), None).is_ok() {
        let ended = fetch(&home, &["1", "foreign"]);
        assert_eq!(ended.status, 3, "{ended:?}");
        assert!(ended.out.contains("4711"), "{ended:?}");
    }
    let config = |text: &str| home.write(".config/tableferry/config.toml", text);
    config("[allowed]\nlocal_copies = false\n");
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("local_copies"), "{ended:?}");
    config("[limits]\nlargest_download = '1 KiB'\n");
    assert_eq!(fetch(&home, &["1", "copy"]).status, 3);
    config("[accounts.\"111111111111\"]\nname = 'shop-prod'\nproduction = true\n");
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("--production shop-prod"), "{ended:?}");
    assert_eq!(
        fetch(&home, &["1", "copy", "--production", "shop"]).status,
        3
    );
    assert_eq!(files(&home.path().join("copy")), Vec::<PathBuf>::new());
    assert_eq!(
        fetch(&home, &["1", "copy", "--production", "shop-prod"]).status,
        0
    );
}

#[test]
fn an_object_that_is_not_what_the_manifest_says_gets_no_final_name() {
    let (home, server) = orders();
    let data = format!("{}/data/", folder(&home));
    let damaged = with_client(&home, &server, async |client| {
        let objects = keys(&client, &data).await;
        copy(&client, &objects[2], &objects[1]).await;
        objects[1].clone()
    });
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(
        kinds(&ended, "faults").contains(&"md5_differs".to_owned()),
        "{ended:?}"
    );
    let copied = files(&home.path().join("copy"));
    let name = damaged.rsplit('/').next().unwrap();
    assert_eq!(copied.len(), 4, "{copied:?}");
    assert!(
        copied.iter().all(|file| file.file_name().unwrap() != name),
        "{copied:?}"
    );
    // Without its manifests nobody takes it for whole.
    let ended = verify_deep(&home, "copy");
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.out.contains("no manifest-summary.json"), "{ended:?}");
}

#[test]
fn a_file_that_lies_there_already_is_not_written_over() {
    let (home, server) = orders();
    let folder = folder(&home);
    let key = with_client(&home, &server, async |client| {
        keys(&client, &format!("{folder}/data/")).await.remove(0)
    });
    let mine = home
        .path()
        .join("copy")
        .join(key.strip_prefix("verifying/").unwrap());
    fs::create_dir_all(mine.parent().unwrap()).unwrap();
    fs::write(&mine, "mine").unwrap();
    fs::set_permissions(home.path().join("copy"), fs::Permissions::from_mode(0o700)).unwrap();
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert!(ended.out.contains("move it away"), "{ended:?}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
}

/// The requirements of a refused reading that are not met, by their actions.
fn denied<'o>(objects: &'o [Value], action: &str) -> &'o Value {
    let mut verdicts = objects.iter().filter(|object| object["event"] == "verdict");
    let found = verdicts.find(|verdict| verdict["subject"]["action"] == action);
    let found = found.unwrap_or_else(|| panic!("{action}: {objects:#?}"));
    assert_eq!(found["verdict"], "denied", "{found}");
    found
}

#[test]
fn a_reader_who_is_refused_is_told_the_requirement_and_gets_a_plan_that_fixes_it() {
    let (home, _server) = orders();
    let uri = format!("s3://{BUCKET}/{}", folder(&home));
    let reader = ["--profile", "prod-oncall", "--save-plan", "read.toml"];
    let ended = fetch(&home, &[&[uri.as_str(), "copy"], &reader[..]].concat());
    assert_eq!(ended.status, 5, "{ended:?}");
    let objects = ended.objects();
    let verdict = denied(&objects, "s3:GetObject");
    // The session is not in the bucket's account, so that AWS's own words are what is known.
    let explanation = verdict["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("no identity-based policy allows"),
        "{verdict}"
    );
    let remedies = objects.iter().filter(|object| object["event"] == "remedy");
    let grant = format!("arn:aws:s3:::{BUCKET}/verifying/AWSDynamoDB/*");
    let is_granted = remedies
        .map(Value::to_string)
        .any(|remedy| remedy.contains(&grant));
    assert!(is_granted, "{ended:?}");
    assert!(
        objects.iter().any(|object| object["event"] == "saved_plan"),
        "{ended:?}"
    );
    let plan = fs::read_to_string(home.path().join("read.toml")).unwrap();
    assert!(plan.contains("kind = \"read\""), "{plan}");
    let mut policies = home.command();
    let policies = policies.args(["policies", "read.toml", "--as", "json"]);
    let policies = Ended::of(policies.current_dir(home.path()));
    assert!(policies.out.contains("s3:ListBucket"), "{policies:?}");
    // It is not written over.
    let again = fetch(&home, &[&[uri.as_str(), "copy"], &reader[..]].concat());
    assert_eq!(again.status, 5, "{again:?}");
    let unwritten = again.objects().into_iter();
    let mut unwritten = unwritten.filter(|object| object["event"] == "error");
    let is_told = unwritten.any(|error| {
        error["message"]
            .as_str()
            .unwrap()
            .contains("cannot write the plan")
    });
    assert!(is_told, "{again:?}");
}

#[test]
fn where_both_sides_can_be_read_the_statement_that_refuses_a_reader_is_named() {
    let (home, server) = orders();
    with_client(&home, &server, async |client| {
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "NobodyReads",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
            }],
        });
        let put = client
            .put_bucket_policy()
            .bucket(BUCKET)
            .policy(policy.to_string());
        put.send().await.unwrap();
    });
    let ended = fetch(&home, &["1", "copy"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    let objects = ended.objects();
    let verdict = denied(&objects, "s3:GetObject");
    assert!(
        verdict["deciding"].to_string().contains("NobodyReads"),
        "{verdict}"
    );
    let remedies = objects.iter().filter(|object| object["event"] == "remedy");
    let remedies: Vec<&Value> = remedies.map(|remedy| &remedy["fix"]).collect();
    let target = format!("bucket policy of {BUCKET}");
    assert_eq!(remedies.len(), 1, "{remedies:#?}");
    assert_eq!(remedies[0]["target"], target);
    assert_eq!(remedies[0]["exempt"][0], "NobodyReads");
}
