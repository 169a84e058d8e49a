//! `mask`: an export's items masked on their way, in buckets and directories, cut off and gone on with, and
//! what is refused before anything is written.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::archives::{Archive, Format, ID, Kind, kinds};
use crate::fetched::{fetch, files};
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing};
use crate::verify_buckets::{is_data, keys, with_client};

const SECRET: &str = "3f9c1f3e8b3d4f0e9a4d";

/// A plan with a mask, whose staging bucket is of the tables' account.
fn plan(attributes: &str, tables: &str) -> String {
    format!(
        "[source]\nprofile = 'prod-admin'\n\
         [destination]\nprofile = 'dev-admin'\nbucket = 'export-landing'\nprefix = 'masked'\n\
         [mask]\nstaging = 'prod-archive'\nstaging_prefix = 'unmasked'\nsecret_environment = 'MASK_SECRET'\n\
         {attributes}\n{tables}"
    )
}

const ORDERS: &str = "[[tables]]\nname = 'Orders'\n";

/// Attributes as `path` and `as`.
fn attributes(rules: &[(&str, &str)]) -> String {
    let rules = rules.iter();
    let rules = rules
        .map(|(path, method)| format!("[[mask.attributes]]\npath = '{path}'\nas = '{method}'\n"))
        .collect::<Vec<String>>();
    rules.concat()
}

/// A home with a served sandbox, and run 1 of a plan with a mask.
fn staged(attributes: &str, tables: &str) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, "0.2");
    home.write("plan.toml", &plan(attributes, tables));
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let mut command = home.command();
    command
        .args(["run", "--yes"])
        .arg(home.path().join("plan.toml"));
    let ended = Ended::of(&mut command);
    assert_eq!(ended.status, 0, "{ended:?}");
    (home, server)
}

fn mask_command(home: &Home, secret: &str, arguments: &[&str]) -> Command {
    let mut command = home.command();
    command
        .args(["mask", "--output", "json", "--plan", "plan.toml"])
        .args(arguments)
        .env("MASK_SECRET", secret)
        .current_dir(home.path());
    command
}

fn mask_with(home: &Home, secret: &str, arguments: &[&str]) -> Ended {
    Ended::of(&mut mask_command(home, secret, arguments))
}

fn mask(home: &Home, arguments: &[&str]) -> Ended {
    mask_with(home, SECRET, arguments)
}

fn masked_object(ended: &Ended) -> Value {
    let objects = ended.objects();
    let masked = objects.iter().find(|object| object["event"] == "masked");
    masked.unwrap_or_else(|| panic!("{ended:?}")).clone()
}

/// The lines of an archive in a directory, in the order of its files.
fn items(directory: &Path) -> Vec<Value> {
    let mut items = Vec::new();
    for file in files(directory) {
        if file.extension().is_some_and(|extension| extension == "gz") {
            let mut text = String::new();
            let file = fs::File::open(file).unwrap();
            flate2::read::GzDecoder::new(file)
                .read_to_string(&mut text)
                .unwrap();
            items.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
    }
    items
}

fn verify_deep(home: &Home, archive: &str, profile: &str) -> Ended {
    let mut command = home.command();
    command
        .args(["verify", "--deep", "--output", "json", "--key", "orderId:S"])
        .args([archive, "--profile", profile])
        .current_dir(home.path());
    Ended::of(&mut command)
}

#[test]
fn an_export_is_staged_masked_into_the_other_account_and_verifies_as_masked() {
    let rules = attributes(&[
        ("orderId", "hash"),
        ("customerId", "hash"),
        ("address.name", "drop"),
        ("ghost", "null"),
    ]);
    let (home, server) = staged(&rules, ORDERS);
    let unmasked = with_client(&home, &server, async |client| keys(&client, "").await);
    // What is not masked has not been there.
    assert!(
        unmasked.iter().all(|key| !key.contains("AWSDynamoDB")),
        "{unmasked:?}"
    );
    let ended = mask(&home, &["1", "--yes"]);
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    let masked = masked_object(&ended);
    assert_eq!(masked["complete"], true);
    let place = masked["place"].as_str().unwrap();
    assert!(
        place.starts_with("s3://export-landing/masked/AWSDynamoDB/"),
        "{place}"
    );
    assert_eq!(masked["rules"][0]["values"], masked["items"]);
    // A path that nothing has is counted, too.
    assert_eq!(masked["rules"][3]["values"], 0);
    let verified = verify_deep(&home, place, "dev-admin");
    assert_eq!(
        (verified.status, kinds(&verified, "faults")),
        (0, Vec::new()),
        "{verified:?}"
    );
    let report = crate::archives::report(&verified);
    assert_eq!(report["lines"], masked["items"]);
    assert_eq!(report["masked"]["attributes"][0]["path"], "orderId");
    let of = report["masked"]["of"].as_str().unwrap();
    assert!(
        of.starts_with("s3://prod-archive/unmasked/AWSDynamoDB/"),
        "{of}"
    );
    let mut command = home.command();
    let listed = Ended::of(command.args([
        "archives",
        "s3://export-landing/masked",
        "--profile",
        "dev-admin",
    ]));
    assert!(
        listed.out.contains("masked copy of arn:aws:dynamodb:"),
        "{listed:?}"
    );
    // A second time something lies there.
    let again = mask(&home, &["1", "--yes"]);
    assert_eq!(again.status, 3, "{again:?}");
    assert!(
        again.out.contains("lies in s3://export-landing/masked"),
        "{again:?}"
    );
}

#[test]
fn nothing_of_a_masked_attribute_is_left_and_all_else_is_as_it_was() {
    let rules = attributes(&[("orderId", "hash")]);
    let (home, _server) = staged(&rules, ORDERS);
    let fetched = fetch(&home, &["1", "copy", "--profile", "prod-admin"]);
    assert_eq!(fetched.status, 0, "{fetched:?}");
    let ended = mask(&home, &["1", "--to", "masked"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let (before, after) = (
        items(&home.path().join("copy")),
        items(&home.path().join("masked")),
    );
    assert_eq!(before.len(), after.len());
    assert!(!before.is_empty());
    for (before, after) in before.iter().zip(&after) {
        let (mut before, mut after) = (before["Item"].clone(), after["Item"].clone());
        let key = before.as_object_mut().unwrap().remove("orderId").unwrap();
        let masked = after.as_object_mut().unwrap().remove("orderId").unwrap();
        assert_eq!(masked["S"].as_str().unwrap().len(), 32);
        assert_ne!(key, masked);
        assert_eq!(before, after);
    }
    let verified = verify_deep(&home, "masked", "prod-admin");
    assert_eq!(verified.status, 0, "{verified:?}");
    // The same archive as a directory has the same result, so that references hold.
    let again = mask(&home, &["copy", "--to", "again", "--key", "orderId:S"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(items(&home.path().join("again")), after);
}

#[test]
fn changes_are_masked_with_their_keys() {
    let now = jiff::Timestamp::now();
    let at =
        |minutes| (now - jiff::SignedDuration::from_mins(minutes)).strftime("%Y-%m-%dT%H:%M:00Z");
    let table = format!(
        "[[tables]]\nname = 'Orders'\ntype = 'INCREMENTAL_EXPORT'\nfrom = '{}'\nto = '{}'\n",
        at(120),
        at(30)
    );
    let (home, _server) = staged(&attributes(&[("orderId", "hash")]), &table);
    let ended = mask(&home, &["1", "--to", "masked"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let verified = verify_deep(&home, "masked", "prod-admin");
    assert_eq!(verified.status, 0, "{verified:?}");
    for change in items(&home.path().join("masked")) {
        assert_eq!(change["Keys"]["orderId"]["S"].as_str().unwrap().len(), 32);
    }
    // A key that is masked otherwise is refused, although nothing but the changes names it.
    home.write(
        "plan.toml",
        &plan(&attributes(&[("orderId", "drop")]), &table),
    );
    let ended = mask(&home, &["1", "--to", "other"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        ended.out.contains("`orderId` is of the table's key"),
        "{ended:?}"
    );
}

#[test]
fn what_cannot_be_masked_is_refused_before_anything_is_written() {
    let (home, _server) = staged(&attributes(&[("orderId", "hash")]), ORDERS);
    let refused = |ended: Ended, problem: &str| {
        assert_eq!(ended.status, 3, "{ended:?}");
        assert!(
            ended.out.contains(problem) && ended.out.contains("hint"),
            "{ended:?}"
        );
        assert!(!home.path().join("masked").join("AWSDynamoDB").exists());
    };
    refused(
        mask_with(&home, "", &["1", "--to", "masked"]),
        "it is empty",
    );
    refused(
        mask_with(&home, "0123456789abcde", &["1", "--to", "masked"]),
        "it has 15 bytes",
    );
    for method in ["drop", "null", "email", "digits"] {
        home.write(
            "plan.toml",
            &plan(&attributes(&[("orderId", method)]), ORDERS),
        );
        let problem = format!("would be masked by `{method}`");
        refused(mask(&home, &["1", "--to", "masked"]), &problem);
    }
    let without = "[source]\nprofile = 'prod-admin'\n[destination]\nbucket = 'export-landing'\n";
    home.write("plan.toml", &format!("{without}{ORDERS}"));
    let ended = mask(&home, &["1", "--to", "masked"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.out.contains("has no [mask]"), "{ended:?}");
}

#[test]
fn what_waits_for_its_mask_is_not_imported_or_loaded_and_its_masked_copy_is() {
    let (home, _server) = staged(&attributes(&[("orderId", "hash")]), ORDERS);
    let command = |arguments: &[&str]| Ended::of(home.command().args(arguments));
    let list = command(&["exports", "--output", "json"]).objects();
    let export = list.iter().find(|object| object["event"] == "export");
    let (arn, uri) = (&export.unwrap()["export_arn"], &export.unwrap()["uri"]);
    for named in ["1", arn.as_str().unwrap(), uri.as_str().unwrap()] {
        for (of, agreed) in [("import", "--yes"), ("load", "--yes --confirm Copy")] {
            let copy = format!("{of} {named} --table Copy --profile prod-admin {agreed}");
            let ended = command(&copy.split(' ').collect::<Vec<_>>());
            assert_eq!(ended.status, 3, "{of} {named}: {ended:?}");
            assert!(
                ended.err.contains("is not masked"),
                "{of} {named}: {ended:?}"
            );
        }
    }
    let masked = mask(&home, &["1", "--yes"]);
    assert_eq!(masked.status, 0, "{masked:?}");
    let place = masked_object(&masked)["place"].clone();
    let place = place.as_str().unwrap();
    let keyed =
        format!("import {place} --table Copy --profile dev-admin --partition-key orderId:S --yes");
    let ended = command(&keyed.split(' ').collect::<Vec<_>>());
    assert_eq!(ended.status, 0, "{ended:?}");
}

#[rstest]
#[case::into_a_bucket(&["1", "--yes"])]
#[case::into_a_directory(&["1", "--to", "masked"])]
fn a_masking_that_was_killed_goes_on_with_the_same_secret_alone(#[case] arguments: &[&str]) {
    let (home, server) = staged(&attributes(&[("orderId", "hash")]), ORDERS);
    let mut command = mask_command(&home, SECRET, arguments);
    let (mut seen, mut fifth) = (0, String::new());
    // The fifth file is some seconds on its way, in which it is written down that four were masked.
    relay::run(&home, &server, &mut command, move |head, passing| {
        let line = head.lines().next().unwrap_or_default();
        if !is_data(head) {
            return Fate::Pass;
        }
        if passing == Passing::Request {
            seen += 1;
            if seen == 5 {
                line.clone_into(&mut fifth);
                return Fate::Late(Duration::from_secs(8));
            }
        } else if line == fifth {
            return Fate::Killed;
        }
        Fate::Pass
    });
    let other = mask_with(&home, "another secret of 16 bytes", arguments);
    assert_eq!(other.status, 3, "{other:?}");
    assert!(other.out.contains("begun with another secret"), "{other:?}");
    let ended = mask(&home, arguments);
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    let recalled = ended.objects();
    let recalled = recalled.iter().find(|object| object["event"] == "recalled");
    assert_eq!(recalled.unwrap()["files"], 4, "{ended:?}");
    let masked = masked_object(&ended);
    let place = masked["place"].as_str().unwrap();
    let profile = if place.starts_with("s3:") {
        "dev-admin"
    } else {
        "prod-admin"
    };
    let verified = verify_deep(&home, place, profile);
    assert_eq!(
        (verified.status, kinds(&verified, "faults")),
        (0, Vec::new()),
        "{verified:?}"
    );
    assert_eq!(crate::archives::report(&verified)["lines"], masked["items"]);
    // Nothing that tells a value is kept beside the journal.
    let left = files(&home.path().join(".local/state/tableferry/reading"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn references_between_two_tables_hold() {
    // Orders and Shipments have customers of the same numbers.
    let tables = "[[tables]]\nname = 'Orders'\n[[tables]]\nname = \
                  'arn:aws:dynamodb:us-east-1:111111111111:table/Shipments'\n";
    let (home, _server) = staged(&attributes(&[("customerId", "hash")]), tables);
    let fetched = fetch(&home, &["1", "copy", "--profile", "prod-admin"]);
    assert_eq!(fetched.status, 0, "{fetched:?}");
    let ended = mask(&home, &["1", "--to", "masked"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let exports = |directory: &str| {
        let directory = home.path().join(directory).join("AWSDynamoDB");
        let mut exports: Vec<Value> = Vec::new();
        let mut folders: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.sort();
        for folder in folders {
            let customers: Vec<Value> = items(&folder)
                .iter()
                .map(|item| item["Item"]["customerId"]["S"].clone())
                .collect();
            exports.push(Value::Array(customers));
        }
        exports
    };
    // Each order of one export beside the first of the other's with its customer.
    let joined = |directory: &str| -> Vec<Option<usize>> {
        let exports = exports(directory);
        let [one, other] = exports.as_slice() else {
            panic!("{}", exports.len())
        };
        let other = other.as_array().unwrap();
        let one = one.as_array().unwrap();
        one.iter()
            .map(|id| other.iter().position(|known| known == id))
            .collect()
    };
    let before = joined("copy");
    assert!(before.iter().flatten().count() > 100);
    assert_eq!(before, joined("masked"));
    assert_ne!(exports("copy"), exports("masked"));
}

/// A home with a served sandbox and a plan, and the archive `source` in it.
fn with_archive(attributes: &str, archive: &Archive) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, "0.2");
    home.write("plan.toml", &plan(attributes, ORDERS));
    archive.write(&home.path().join("source"));
    (home, server)
}

const KEYS: [&str; 4] = ["--key", "pk:S", "--key", "sk:N"];

fn mask_archive(home: &Home, arguments: &[&str]) -> Ended {
    mask(home, &[&["source"], arguments, &KEYS].concat())
}

/// 16 random bytes in hexadecimal.
fn random_text() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// All files below a directory with what they hold, unpacked where they are packed.
fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut unpacked = Vec::new();
            let mut decoder = flate2::read::MultiGzDecoder::new(&*bytes);
            decoder.read_to_end(&mut unpacked).unwrap();
            found.push((path.clone(), unpacked));
        }
        found.push((path, bytes));
    }
    found
}

#[test]
fn no_byte_that_is_written_holds_a_masked_value() {
    let mut archive = Archive::new(Kind::Full, Format::Json);
    let mut secrets = Vec::new();
    for file in 0..3 {
        let lines: Vec<String> = (0..10)
            .map(|id| {
                let texts: Vec<String> = (0..6).map(|_| random_text()).collect();
                let [key, text, one, other, name, listed] = texts.as_slice() else {
                    panic!("six texts");
                };
                let line = format!(
                    r#"{{"Item":{{"pk":{{"S":"{key}"}},"sk":{{"N":"{id}"}},"text":{{"S":"{text}"}},"m":{{"M":{{"set":{{"SS":["{one}","{other}"]}}}}}},"whole":{{"M":{{"{name}":{{"BOOL":true}}}}}},"l":{{"L":[{{"S":"{listed}"}}]}}}}}}"#
                );
                secrets.extend(texts);
                line
            })
            .collect();
        archive.set(file, &lines);
    }
    let rules = attributes(&[
        ("pk", "hash"),
        ("text", "email"),
        ("m.set", "hash"),
        ("whole", "hash"),
        ("l[*]", "drop"),
    ]);
    let (home, _server) = with_archive(&rules, &archive);
    let ended = mask_archive(&home, &["--to", "masked"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let ended_up = mask_archive(&home, &["--yes"]);
    assert_eq!(ended_up.status, 0, "{ended_up:?}");
    let place = masked_object(&ended_up)["place"]
        .as_str()
        .unwrap()
        .to_owned();
    let fetched = fetch(
        &home,
        &[&[&*place, "copy", "--profile", "dev-admin"], &KEYS[..]].concat(),
    );
    assert_eq!(fetched.status, 0, "{fetched:?}");
    fs::remove_dir_all(home.path().join("source")).unwrap();
    let mut written = contents(home.path());
    for ended in [ended, ended_up] {
        let printed = [ended.out, ended.err].concat().into_bytes();
        written.push((PathBuf::from("printed"), printed));
    }
    for (path, bytes) in &written {
        for secret in secrets.iter().map(String::as_str).chain([SECRET]) {
            let found = memchr::memmem::find(bytes, secret.as_bytes());
            assert_eq!(found, None, "{secret} in {}", path.display());
        }
    }
    // The server's world and the masked archive were among them.
    assert!(
        written
            .iter()
            .any(|(path, _)| path.ends_with("served.json"))
    );
    assert_eq!(items(&home.path().join("masked")).len(), 30);
}

#[test]
fn a_large_file_goes_up_in_parts() {
    let mut archive = Archive::new(Kind::Full, Format::Json);
    // None of the keys of the other files.
    let lines: Vec<String> = (100..146)
        .map(|id| {
            let bytes: Vec<u8> = (0..150_000).map(|_| fastrand::u8(..)).collect();
            let text = base64_simd::STANDARD.encode_to_string(bytes);
            format!(
                r#"{{"Item":{{"pk":{{"S":"k{id}"}},"sk":{{"N":"{id}"}},"text":{{"S":"{text}"}}}}}}"#
            )
        })
        .collect();
    archive.set(0, &lines);
    let (home, server) = with_archive(&attributes(&[("pk", "hash")]), &archive);
    let ended = mask_archive(&home, &["--yes"]);
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    let place = masked_object(&ended)["place"].as_str().unwrap().to_owned();
    let mut command = home.command();
    command
        .args([
            "verify",
            "--deep",
            "--output",
            "json",
            "--profile",
            "dev-admin",
            &place,
        ])
        .args(KEYS);
    let verified = Ended::of(&mut command);
    assert_eq!(
        (verified.status, kinds(&verified, "faults")),
        (0, Vec::new()),
        "{verified:?}"
    );
    let in_parts = with_client(&home, &server, async |client| {
        let listed = client
            .list_objects_v2()
            .bucket("export-landing")
            .prefix("masked/")
            .send();
        let listed = listed.await.unwrap();
        let objects = listed.contents().iter();
        objects
            .filter(|object| object.e_tag().unwrap().ends_with("-2\""))
            .count()
    });
    assert_eq!(in_parts, 1);
}

#[test]
fn what_is_damaged_or_has_one_key_twice_gets_no_manifests() {
    let mut archive = Archive::new(Kind::Full, Format::Json);
    let mut lines = archive.lines(0);
    lines[3] = lines[2].clone();
    archive.set(0, &lines);
    let (home, _server) = with_archive(&attributes(&[("pk", "hash")]), &archive);
    let fails = |to: &str, fault: &str| {
        let ended = mask_archive(&home, &["--to", to]);
        assert_eq!(ended.status, 1, "{ended:?}");
        let found = kinds(&ended, "faults");
        assert!(found.iter().any(|kind| kind == fault), "{ended:?}");
        assert_eq!(masked_object(&ended)["complete"], false);
        let left = files(&home.path().join(to));
        let is_manifest = |file: &PathBuf| file.ends_with("manifest-summary.json");
        assert!(!left.iter().any(is_manifest), "{left:?}");
    };
    fails("twice", "duplicate_key");
    let data = home.path().join("source/AWSDynamoDB").join(ID).join("data");
    let file = data.join(&archive.files[1].name);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    fails("damaged", "gzip_truncated");
}

#[test]
fn ion_and_unknown_keys_are_refused() {
    let ion = Archive::new(Kind::Full, Format::Ion);
    let (home, _server) = with_archive(&attributes(&[("pk", "hash")]), &ion);
    let ended = mask_archive(&home, &["--to", "masked"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("the export is in Ion"), "{ended:?}");
    let json = Archive::new(Kind::Full, Format::Json);
    let (home, _server) = with_archive(&attributes(&[("pk", "hash")]), &json);
    let ended = mask(&home, &["source", "--to", "masked"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        ended.out.contains("the keys of the table are not known"),
        "{ended:?}"
    );
}

/// `MASK_KILLS=100` is the long run.
#[test]
fn a_masking_that_is_killed_anywhere_is_gone_on_with_to_the_same_end() {
    let kills = std::env::var("MASK_KILLS").ok();
    let kills: usize = kills.map_or(3, |text| text.parse().unwrap());
    let archive = Archive::new(Kind::Full, Format::Json);
    let (home, server) = with_archive(&attributes(&[("pk", "hash")]), &archive);
    let whole = mask_archive(&home, &["--to", "whole"]);
    assert_eq!(whole.status, 0, "{whole:?}");
    let expected = items(&home.path().join("whole"));
    for kill in 0..kills {
        let (mut left, to) = (
            fastrand::usize(0..16),
            format!("s3://export-landing/kill-{kill}"),
        );
        let arguments = [&["source", "--yes", "--to", &to], &KEYS[..]].concat();
        let mut command = mask_command(&home, SECRET, &arguments);
        relay::run(&home, &server, &mut command, move |head, _| {
            let line = head.lines().next().unwrap_or_default();
            // Between the first object and the journal's word that it is ours nothing can tell whose it is.
            if !line.contains("awsdynamodb") || line.contains("_started") {
                return Fate::Pass;
            }
            left = left.wrapping_sub(1);
            if left == 0 { Fate::Killed } else { Fate::Pass }
        });
        let ended = mask_with(&home, SECRET, &arguments);
        // One that came to its end before it would have been killed lies there.
        let is_there = ended.out.contains("lies in s3://export-landing/kill-");
        assert!(ended.status == 0 || is_there, "kill {kill}: {ended:?}");
        let copy = format!("copy-{kill}");
        let fetched = fetch(
            &home,
            &[
                &masked_uri(&to),
                &copy,
                "--profile",
                "dev-admin",
                "--key",
                "pk:S",
                "--key",
                "sk:N",
            ],
        );
        assert_eq!(
            (fetched.status, kinds(&fetched, "faults")),
            (0, Vec::new()),
            "kill {kill}: {fetched:?}"
        );
        assert_eq!(items(&home.path().join(copy)), expected, "kill {kill}");
    }
}

/// The folder of the archive of these tests below a place.
fn masked_uri(place: &str) -> String {
    format!("{place}/AWSDynamoDB/{ID}")
}
