//! Exports that are written into a table that is there: item for item, whatever is throttled and whenever the
//! program is killed; and incremental ones that are replayed onto it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::archives::{Archive, Format, Kind, write_manifest};
use crate::imports::{exported, exported_items, items_of, sandbox, world};
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Passing};

/// The keys of the archives that are built by hand.
const KEYS: [(&str, &str); 2] = [("pk", "S"), ("sk", "N")];

/// A table of the development account that was made an hour ago, with recovery on since.
fn table(name: &str, keys: &[(&str, &str)], items: &[Value]) -> Value {
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    let placed = items.iter().map(|item| {
        let texts: Vec<String> = names.iter().map(|name| item[name].to_string()).collect();
        let hash = hex::encode(&Sha256::digest(&texts[0])[..8]);
        (format!("{hash} {}", texts.join(" ")), item.clone())
    });
    json!({
        "name": name, "region": "eu-west-1", "recovery_since": hour_ago,
        "making": {
            "id": "5d1f2a86-6bf1-4e51-a242-7067dcdecc72", "at": hour_ago, "active_at": hour_ago,
            "definition": {
                "name": name, "attributes": keys, "keys": names, "throughput": null,
                "on_demand": null, "global_indexes": [], "local_indexes": [], "stream": null,
                "class": null, "key": null, "is_kms_encrypted": false,
            },
        },
        "store": {
            "since": hour_ago, "history": [],
            "items": placed.collect::<serde_json::Map<_, _>>(),
        },
    })
}

/// Adds a table to the development account of a home's world.
fn add(home: &Home, table: Value) {
    let mut world = world(home);
    let tables = world["accounts"]["222222222222"]["tables"].as_array_mut();
    tables.unwrap().push(table);
    std::fs::write(home.path().join("world.json"), world.to_string()).unwrap();
}

/// A home whose development account has this table.
fn home_with(table: Value) -> Home {
    let home = exported("");
    add(&home, table);
    home
}

/// An item of the archives that are built by hand.
fn item(id: usize, state: &str) -> Value {
    let archive = Archive::new(Kind::Full, Format::Json);
    let line: Value = serde_json::from_str(&archive.line(id)).unwrap();
    let mut item = line["Item"].clone();
    item["state"]["S"] = state.into();
    item
}

/// An item in one form, whatever the order of its members, as DynamoDB keeps it: "leading and trailing
/// zeroes are trimmed" (developer guide, numbers).
fn kept(value: &Value) -> String {
    match value {
        Value::String(text) if text == "1.50" => kept(&"1.5".into()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                let is_set = matches!(name.as_str(), "SS" | "NS" | "BS");
                match member.as_array().filter(|_| is_set) {
                    Some(set) => {
                        let texts: BTreeSet<String> = set.iter().map(Value::to_string).collect();
                        format!("{name}:{texts:?}")
                    }
                    None => format!("{name}:{}", kept(member)),
                }
            });
            format!("{:?}", members.collect::<BTreeSet<String>>())
        }
        Value::Array(items) => format!("{:?}", items.iter().map(kept).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

/// The items of texts, each in its one form.
fn forms(items: &BTreeSet<String>) -> BTreeSet<String> {
    let read = |text: &String| kept(&serde_json::from_str(text).unwrap());
    items.iter().map(read).collect()
}

/// The items of a table of the development account, each in its one form.
fn held(world: &Value, name: &str) -> BTreeSet<String> {
    forms(&items_of(world, name))
}

fn full_line(item: &Value) -> String {
    json!({ "Item": item }).to_string()
}

/// A change to a state, or to none, of an incremental export.
fn change(id: usize, state: Option<&str>) -> String {
    let old = item(id, "old");
    let mut line = json!({
        "Metadata": {"WriteTimestampMicros": {"N": "1768387673917155"}},
        "Keys": {"pk": old["pk"], "sk": old["sk"]},
    });
    if let Some(state) = state {
        line["NewImage"] = item(id, state);
    }
    line.to_string()
}

/// An archive of the lines of each file, below a directory of its own.
fn archive(home: &Home, name: &str, kind: Kind, files: &[Vec<String>]) -> PathBuf {
    let mut archive = Archive::new(kind, Format::Json);
    for index in 0..3 {
        archive.set(index, files.get(index).map_or(&[], Vec::as_slice));
    }
    let directory = home.path().join(name);
    archive.write(&directory);
    directory
}

/// Gives an incremental export another window, in minutes behind the full export's time.
fn move_window(directory: &Path, from: i64, to: i64) {
    let folder = directory.join("AWSDynamoDB").join(crate::archives::ID);
    let text = std::fs::read_to_string(folder.join("manifest-summary.json")).unwrap();
    let mut summary: Value = serde_json::from_str(&text).unwrap();
    let full: Timestamp = "2026-01-14T10:56:26Z".parse().unwrap();
    let at = |minutes| (full + SignedDuration::from_mins(minutes)).to_string();
    summary["exportFromTime"] = at(from).into();
    summary["exportToTime"] = at(to).into();
    write_manifest(&folder, "manifest-summary", summary.to_string().as_bytes());
}

fn into_target<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["--table", "Target", "--profile", "dev-admin"];
    arguments.extend(["--region", "eu-west-1"]);
    arguments.extend(more);
    arguments
}

const AGREED: [&str; 3] = ["--yes", "--confirm", "Target"];

fn load(home: &Home, directory: &Path, more: &[&str]) -> Ended {
    let directory = directory.to_str().unwrap();
    sandbox(
        home,
        &[&["load", directory], &into_target(more)[..]].concat(),
    )
}

fn set<'i>(items: impl IntoIterator<Item = &'i Value>) -> BTreeSet<String> {
    items.into_iter().map(kept).collect()
}

/// Every type, 38 digits and nearly 400 KB: all arrive as they were exported.
#[test]
fn a_directory_is_loaded_item_for_item_and_what_the_export_lacks_stays() {
    let mut large = item(7, "large");
    large["text"] = json!({"S": "x".repeat(398 * 1024)});
    large["number"] = json!({"N": "12345678901234567890123456789012345678"});
    large["numbers"] = json!({"NS": ["-0.5", "7"]});
    large["binaries"] = json!({"BS": ["AAE=", "aGVsbG8="]});
    let items = (0..60).map(|id| item(id, "new"));
    let mut items: Vec<Value> = items.collect();
    items[7] = large;
    let other = item(1000, "only here");
    let before = [item(3, "old"), other.clone()];
    let home = home_with(table("Target", &KEYS, &before));
    let lines: Vec<String> = items.iter().map(full_line).collect();
    let directory = archive(
        &home,
        "copy",
        Kind::Full,
        &[lines[..40].to_vec(), lines[40..].to_vec()],
    );
    let ended = load(&home, &directory, &AGREED);
    assert_eq!(ended.status, 0, "{ended:?}");
    let found = held(&world(&home), "Target");
    assert!(
        found == set(items.iter().chain([&other])),
        "{} items",
        found.len()
    );
    for words in [
        "load 60 items",
        "items of table Target that the export lacks stay",
        "aws dynamodb restore-table-to-point-in-time --region eu-west-1 --source-table-name Target",
        "Target: completed, 60 items, verified: 4 files",
        "the table has 61 items, of which 1 are not in the export",
    ] {
        assert!(ended.out.contains(words), "no {words}: {ended:?}");
    }
    let nothing = sandbox(&home, &["resume"]);
    assert!(nothing.out.contains("nothing is under way"), "{nothing:?}");
}

#[test]
fn a_run_is_loaded_from_its_bucket_and_its_plan_is_written_judged_and_run() {
    let home = home_with(table("Users-copy", &[("userId", "S")], &[]));
    let path = home.path().join("load.toml");
    let path = path.to_str().unwrap();
    let arguments = ["load", "1", "--table", "Users-copy", "--write-plan", path];
    let written = sandbox(&home, &arguments);
    assert_eq!(written.status, 0, "{written:?}");
    let checked = sandbox(&home, &["check", path]);
    assert_eq!(checked.status, 0, "{checked:?}");
    assert!(checked.out.contains("dynamodb:BatchWriteItem") || checked.out.contains("allowed"));
    let ran = sandbox(&home, &["run", path, "--yes", "--confirm", "Users-copy"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let world = world(&home);
    let items = exported_items(&world);
    assert_eq!(items.len(), 1200);
    assert_eq!(held(&world, "Users-copy"), forms(&items));
}

/// What is refused before anything is written, and what is said of it.
#[rstest]
#[case::recovery_is_off("recovery_is_off", "point-in-time recovery of table Target is off")]
#[case::another_key("another_key", "does not fit table Target")]
#[case::another_type("another_type", "does not fit table Target")]
#[case::being_indexed("being_indexed", "must be ACTIVE")]
#[case::no_such_table("no_such_table", "Target")]
#[case::no_name("no_name", "--confirm")]
#[case::another_name("another_name", "Other is confirmed")]
#[case::changes("changes", "the export is incremental")]
#[case::a_fault("a_fault", "faults")]
fn what_cannot_be_loaded_is_refused_before_the_first_write(#[case] case: &str, #[case] told: &str) {
    let mut target = match case {
        "another_key" => table("Target", &[("id", "S")], &[]),
        "another_type" => table("Target", &[("pk", "S"), ("sk", "S")], &[]),
        _ => table("Target", &KEYS, &[]),
    };
    match case {
        "recovery_is_off" => target["recovery_since"] = Value::Null,
        "being_indexed" => {
            let later = Timestamp::now() + SignedDuration::from_hours(1);
            target["making"]["active_at"] = json!(later);
        }
        "no_such_table" => target["name"] = "Elsewhere".into(),
        _ => {}
    }
    let home = home_with(target);
    let kind = if case == "changes" {
        Kind::NewImage
    } else {
        Kind::Full
    };
    let directory = home.path().join("copy");
    Archive::new(kind, Format::Json).write(&directory);
    if case == "a_fault" {
        let data = directory
            .join("AWSDynamoDB")
            .join(crate::archives::ID)
            .join("data");
        std::fs::remove_file(data.join(format!("{}.json.gz", "b".repeat(26)))).unwrap();
    }
    let agreed: &[&str] = match case {
        "no_name" => &["--yes"],
        "another_name" => &["--yes", "--confirm", "Other"],
        _ => &AGREED,
    };
    let ended = load(&home, &directory, agreed);
    let status = if case == "no_name" { 2 } else { 3 };
    assert_eq!(ended.status, status, "{ended:?}");
    assert!(ended.err.contains(told), "{ended:?}");
    // It is we who keep it back: the words of an export that AWS refuses are not said.
    assert!(!ended.out.contains("AWS would say"), "{ended:?}");
    let name = if case == "no_such_table" {
        "Elsewhere"
    } else {
        "Target"
    };
    assert!(items_of(&world(&home), name).is_empty());
}

/// The table of the run itself, in the account that exported it.
#[test]
fn the_exported_table_itself_is_no_target_unless_that_is_said() {
    let home = exported("");
    let arguments = [
        "load",
        "1",
        "--table",
        "Users",
        "--profile",
        "prod-admin",
        "--yes",
        "--confirm",
        "Users",
    ];
    let region = ["--region", "eu-west-1"];
    let refused = sandbox(&home, &[&arguments[..], &region[..]].concat());
    assert_eq!(refused.status, 3, "{refused:?}");
    assert!(
        refused.err.contains("is the table that was exported"),
        "{refused:?}"
    );
    let meant = sandbox(
        &home,
        &[&arguments[..], &region[..], &["--onto-source"]].concat(),
    );
    assert_eq!(meant.status, 0, "{meant:?}");
}

#[test]
fn what_is_throttled_is_written_in_the_end() {
    let home = home_with(table("Target", &KEYS, &[]));
    let lines: Vec<String> = (0..300).map(|id| full_line(&item(id, "new"))).collect();
    let directory = archive(&home, "copy", Kind::Full, &[lines]);
    let directory = directory.to_str().unwrap();
    let faults = ["--sandbox-fault", "BatchWriteItem=throttle:0.3"];
    let arguments = [&faults[..], &["load", directory], &into_target(&AGREED)[..]].concat();
    let ended = sandbox(&home, &arguments);
    assert_eq!(ended.status, 0, "{ended:?}");
    let items: Vec<Value> = (0..300).map(|id| item(id, "new")).collect();
    assert_eq!(held(&world(&home), "Target"), set(&items));
}

/// When the program is killed, by the writes that pass.
#[rstest]
#[case::before_the_first_write(1, Passing::Request)]
#[case::behind_the_first_write(1, Passing::Answer)]
#[case::amid_the_writes(7, Passing::Request)]
#[case::behind_a_late_write(11, Passing::Answer)]
fn a_killed_load_is_resumed_and_no_item_is_lost(#[case] number: usize, #[case] when: Passing) {
    let home = home_with(table("Target", &KEYS, &[item(1000, "only here")]));
    let served = home.path().join("served.json");
    std::fs::copy(home.path().join("world.json"), &served).unwrap();
    let items: Vec<Value> = (0..300).map(|id| item(id, "new")).collect();
    let lines: Vec<String> = items.iter().map(full_line).collect();
    let files = [lines[..100].to_vec(), lines[100..].to_vec()];
    let directory = archive(&home, "copy", Kind::Full, &files);
    let server = Server::start(&home, 0, "1");
    let mut command = home.command();
    command.args(["load", directory.to_str().unwrap()]);
    command.args(into_target(&AGREED));
    let seen = std::sync::atomic::AtomicUsize::new(0);
    relay::killed(&home, &server, &mut command, move |head, passing| {
        let is_write = head.contains("dynamodb_20120810.batchwriteitem") && passing == when;
        is_write && seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == number
    });
    let ended = Ended::of(home.command().arg("resume"));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(
        ended.out.contains("Target: completed, 300 items"),
        "{ended:?}"
    );
    assert!(
        ended.out.contains("301 items, of which 1 are not"),
        "{ended:?}"
    );
    assert_eq!(
        scanned(&home),
        set(items.iter().chain([&item(1000, "only here")]))
    );
    let nothing = Ended::of(home.command().arg("resume"));
    assert!(nothing.out.contains("nothing is under way"), "{nothing:?}");
}

/// The items of the target as the server has them, once the server has ended its writing.
fn scanned(home: &Home) -> BTreeSet<String> {
    let text = std::fs::read_to_string(home.path().join("served.json")).unwrap();
    held(&serde_json::from_str(&text).unwrap(), "Target")
}

fn replay(home: &Home, full: &Path, windows: &[&Path], more: &[&str]) -> Ended {
    let windows = windows.iter().map(|window| window.to_str().unwrap());
    let mut arguments = vec!["replay"];
    arguments.extend(windows);
    arguments.extend(["--full", full.to_str().unwrap()]);
    arguments.extend(into_target(more));
    sandbox(home, &arguments)
}

#[test]
fn windows_are_replayed_in_their_order_and_once_more_without_harm() {
    let before: Vec<Value> = (0..30).map(|id| item(id, "full")).collect();
    let home = home_with(table("Target", &KEYS, &before));
    let full = archive(
        &home,
        "full",
        Kind::Full,
        &[before.iter().map(full_line).collect()],
    );
    let first = archive(
        &home,
        "first",
        Kind::NewImage,
        &[
            (0..10).map(|id| change(id, Some("first"))).collect(),
            vec![
                change(20, None),
                change(40, Some("first")),
                change(41, Some("first")),
            ],
        ],
    );
    move_window(&first, -5, 25);
    let second = archive(
        &home,
        "second",
        Kind::NewImage,
        &[
            (5..8).map(|id| change(id, Some("second"))).collect(),
            vec![change(20, Some("second")), change(41, None)],
        ],
    );
    move_window(&second, 25, 40);
    let dry = replay(&home, &full, &[&second, &first], &["--dry-run"]);
    assert_eq!(dry.status, 0, "{dry:?}");
    assert!(dry.out.contains("12 puts, 1 deletes"), "{dry:?}");
    assert!(dry.out.contains("4 puts, 1 deletes"), "{dry:?}");
    assert_eq!(held(&world(&home), "Target"), set(&before));

    let state = |id: usize| match id {
        5..8 | 20 => "second",
        0..10 | 40 => "first",
        _ => "full",
    };
    let after: Vec<Value> = (0..30).chain([40]).map(|id| item(id, state(id))).collect();
    for _ in 0..2 {
        let ended = replay(&home, &full, &[&second, &first], &AGREED);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(
            ended.out.contains("nothing else may write to table Target"),
            "{ended:?}"
        );
        assert_eq!(held(&world(&home), "Target"), set(&after));
    }

    let gap = replay(&home, &full, &[&second], &AGREED);
    assert_eq!(gap.status, 3, "{gap:?}");
    assert!(
        gap.err.contains("is in none of the incremental exports"),
        "{gap:?}"
    );
    assert!(gap.err.contains("2026-01-14T10:56:26Z"), "{gap:?}");
}

/// `COPY_KILLS=100 cargo test --test flows loads::` kills so often.
#[test]
fn no_item_is_lost_whenever_a_load_or_a_replay_is_killed_at_random() {
    let wanted = std::env::var("COPY_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    let wanted: usize = wanted.unwrap_or(8);
    let before = [item(3, "old"), item(1000, "only here")];
    let home = home_with(table("Target", &KEYS, &before));
    let fresh = std::fs::read_to_string(home.path().join("world.json")).unwrap();
    let (full, windows) = archives_to_copy(&home);
    let loaded = (0..150)
        .map(|id| item(id, "full"))
        .chain([item(1000, "only here")]);
    let loaded: Vec<Value> = loaded.collect();
    let state = |id: usize| if id < 60 { "second" } else { "first" };
    let replayed = (0..120).map(|id| item(id, state(id)));
    let replayed = replayed.chain((120..140).map(|id| item(id, "full")));
    let replayed: Vec<Value> = replayed.chain([item(1000, "only here")]).collect();
    let (mut kills, mut seed) = (0, 0);
    while kills < wanted {
        std::fs::write(home.path().join("served.json"), &fresh).unwrap();
        let server = Server::start(&home, 0, "1");
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut load = home.command();
        load.arg("load").arg(&full).args(into_target(&AGREED));
        kills += carried_out(&home, &server, &mut load, &mut rng);
        assert_eq!(scanned(&home), set(&loaded), "loaded, seed {seed}");
        let mut replay = home.command();
        replay.arg("replay").args(&windows).arg("--full").arg(&full);
        replay.args(into_target(&AGREED));
        kills += carried_out(&home, &server, &mut replay, &mut rng);
        assert_eq!(scanned(&home), set(&replayed), "replayed, seed {seed}");
        seed += 1;
    }
}

/// A full export of 150 items, and two windows: the first changes 120 and deletes 10, the second changes 60.
fn archives_to_copy(home: &Home) -> (PathBuf, [PathBuf; 2]) {
    let lines = |ids: std::ops::Range<usize>| -> Vec<String> {
        ids.map(|id| full_line(&item(id, "full"))).collect()
    };
    let full = archive(home, "full", Kind::Full, &[lines(0..50), lines(50..150)]);
    let first: Vec<String> = (0..120).map(|id| change(id, Some("first"))).collect();
    let deleted = (140..150).map(|id| change(id, None)).collect();
    let first = archive(home, "first", Kind::NewImage, &[first, deleted]);
    move_window(&first, -5, 25);
    let second = (0..60).map(|id| change(id, Some("second"))).collect();
    let second = archive(home, "second", Kind::NewAndOldImages, &[second]);
    move_window(&second, 25, 40);
    (full, [second, first])
}

/// Carries a command out, killed at random and resumed until it ends; how often it was killed.
fn carried_out(
    home: &Home,
    server: &Server,
    command: &mut std::process::Command,
    rng: &mut fastrand::Rng,
) -> usize {
    let mut kills = 0;
    let mut resume = home.command();
    resume.arg("resume");
    loop {
        let number = rng.usize(1..10);
        let when = *rng.choice(&[Passing::Request, Passing::Answer]).unwrap();
        let mut seen = 0;
        let own = if kills == 0 {
            &mut *command
        } else {
            &mut resume
        };
        let ended = relay::run(home, server, own, move |head, passing| {
            let is_write = head.contains("dynamodb_20120810.batchwriteitem");
            seen += usize::from(is_write && passing == when);
            if is_write && passing == when && seen == number {
                return relay::Fate::Killed;
            }
            relay::Fate::Pass
        });
        if ended.status == 0 {
            return kills;
        }
        // A process that was killed has no exit status.
        assert_eq!(ended.status, -1, "{ended:?}");
        kills += 1;
    }
}
