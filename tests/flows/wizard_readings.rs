//! The wizard's reading flow, by keys in a real terminal: a reader that lacks a permission on the key of the
//! objects that are there, from the denial to a first byte that is read.
//!
//! The situation is that of AWS re:Post's article on readers of a bucket whose objects a key of its account
//! encrypts: `GetObject` takes `kms:Decrypt` on the reader's side as well as on the key's.

use serde_json::{Value, json};
use tableferry_sandbox::{Options, Sandbox};

use crate::program::{Ended, Home};
use crate::terminal::{DOWN, ENTER, ESCAPE, Terminal};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const BUCKET: &str = "archive";
const FOLDER: &str = "prod/AWSDynamoDB/01700000000000-0123abcd";
const READER: &str = "arn:aws:iam::111111111111:role/Analyst";

fn document(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The world that comes with the program, and in it an archive of another account, encrypted with that
/// account's key, whose policies let a role in that may not use the key.
fn world() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/sandbox/assets/world.json"
    );
    let mut world: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let trust = document(&json!([{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:user/prod-admin" },
        "Action": "sts:AssumeRole",
    }]));
    let own = document(&json!([
        { "Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket",
          "Resource": format!("arn:aws:s3:::{BUCKET}") },
        { "Sid": "Get", "Effect": "Allow", "Action": "s3:GetObject",
          "Resource": format!("arn:aws:s3:::{BUCKET}/*") },
    ]));
    world["accounts"]["111111111111"]["roles"]["Analyst"] =
        json!({ "id": "AROASANDBOXANALYST000", "trust": trust, "inline": { "own": own } });
    let object = json!({
        "content": "YWhveQ==", "etag": "ce08becc73195df12d99d761bfbba68d",
        "modified_at": "2026-11-01T06:00:00Z", "content_type": null,
        "encryption": { "Kms": { "key": KEY } },
    });
    world["buckets"][BUCKET] = json!({
        "account": "222222222222", "region": "eu-west-1",
        "policy": document(&json!([
            { "Sid": "List", "Effect": "Allow", "Principal": { "AWS": READER },
              "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}") },
            { "Sid": "Get", "Effect": "Allow", "Principal": { "AWS": READER },
              "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*") },
        ])),
        "objects": { format!("{FOLDER}/data/a.json.gz"): object },
    });
    let keys = world["accounts"]["222222222222"]["keys"].as_array_mut();
    let mut keys = keys.unwrap().iter_mut();
    let key = keys.find(|key| KEY.ends_with(key["id"].as_str().unwrap()));
    key.unwrap()["policy"] = document(&json!([
        { "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
          "Principal": { "AWS": "arn:aws:iam::222222222222:root" } },
        { "Sid": "Readers", "Effect": "Allow", "Principal": { "AWS": READER },
          "Action": "kms:Decrypt", "Resource": "*" },
    ]));
    world
}

/// A home whose sandbox has this world.
fn home() -> Home {
    let home = Home::new();
    let options = Options {
        state: Some(home.path().join("world.json")),
        ..Options::default()
    };
    drop(Sandbox::of_world(&world().to_string(), options).unwrap());
    home
}

fn open(home: &Home, arguments: &[&str]) -> Terminal {
    let state = home.path().join("world.json");
    let mut all = vec!["--sandbox", "--sandbox-state", state.to_str().unwrap()];
    all.extend(arguments);
    Terminal::open(home, 100, 40, &all)
}

/// What the role itself meets: the probe lists the folder and reads the first byte of the object as it.
fn refused(home: &Home) -> Vec<String> {
    let plan = format!(
        "kind = \"read\"\n\n[source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\n\
         role = \"{READER}\"\n\n[destination]\nprofile = \"dev-admin\"\n\
         archive = \"s3://{BUCKET}/{FOLDER}\"\n"
    );
    let plan = home.write("as-the-role.toml", &plan);
    let arguments = ["check", "--probe", "--yes", "--output", "json"];
    let ended = Ended::of(home.sandbox(&arguments).arg(plan));
    let objects = ended.objects();
    let probed = objects.iter().find(|object| object["event"] == "probed");
    let probed = probed.unwrap_or_else(|| panic!("{ended:?}"));
    let tried = probed["tried"].as_array().unwrap();
    let refused = tried.iter().filter(|tried| !tried["refusal"].is_null());
    refused
        .map(|tried| tried["action"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_reader_without_the_objects_key_is_denied_until_the_wizard_puts_it_right() {
    let home = home();
    assert_eq!(refused(&home), ["kms:Decrypt"]);

    let mut terminal = open(&home, &[]);
    terminal.sees(&["d  Read"]);
    terminal.press("d");
    terminal.sees(&["prod-oncall", "dev-admin", "Source: reads", "step 1 of 5"]);
    terminal.press(ENTER);
    terminal.sees(&["✓ 111111111111"]);
    terminal.press(&DOWN.repeat(5));
    terminal.press(ENTER);
    terminal.sees(&["222222222222", "on to Reader"]);
    terminal.press(ENTER);
    terminal.sees(&["the source's profile", "step 2 of 5"]);
    terminal.press("t");
    terminal.sees(&["Another reader"]);
    terminal.press(&format!("{READER}{ENTER}"));
    terminal.sees(&["● arn:aws:iam::111111111111:role/Analyst"]);
    terminal.press(ENTER);
    terminal.sees(&["export-landing"]);
    terminal.press("t");
    terminal.sees(&["Another bucket"]);
    terminal.press(&format!("{BUCKET}{ENTER}"));
    terminal.sees(&["s3://archive/…", "222222222222, which S3 agreed to"]);
    terminal.press("p");
    terminal.sees(&["Prefix"]);
    terminal.press(&format!("{FOLDER}{ENTER}"));
    terminal.sees(&["s3://archive/prod/AWSDynamoDB/", "on to Access"]);
    terminal.press(ENTER);

    terminal.sees(&["✗ 1 denied", "kms:Decrypt"]);
    terminal.press("a");
    terminal.sees(&["Change this account?", "tableferry-read of role Analyst"]);
    terminal.agree();
    // No profile of the plan is the reader, so that nobody can try whether it holds.
    terminal.sees(&["Whether the change holds is not known"]);
    terminal.press(ESCAPE);
    terminal.sees(&["change of the inline policy tableferry-read of role Analyst"]);
    terminal.sees_no("denied");
    terminal.press(ENTER);
    terminal.sees(&[
        "nothing that was read forbids the reading",
        "reads as",
        "To read the objects",
        "aws s3 cp --recursive s3://archive/prod/AWSDynamoDB/",
    ]);
    terminal.press("s");
    terminal.sees(&["Save the plan"]);
    terminal.press(ENTER);
    terminal.sees(&["the plan is in plan.toml"]);
    terminal.press("q");
    terminal.sees(&["Quit?"]);
    terminal.press("y");
    assert_eq!(terminal.ended(), 0);

    assert_eq!(refused(&home), Vec::<String>::new());
    let plan = home.path().join("plan.toml");
    let checked = Ended::of(home.sandbox(&["check"]).arg(&plan));
    // A change of five minutes ago and younger may not hold yet: it depends, and nothing is denied.
    assert_eq!(checked.status, 5, "{checked:?}");
    assert!(checked.out.contains(" 0 denied"), "{checked:?}");
    let text = std::fs::read_to_string(plan).unwrap();
    assert!(text.contains("kind = \"read\""), "{text}");
    assert!(
        text.contains(&format!("principal = \"{READER}\"")),
        "{text}"
    );
}

/// A plan file of a reading opens the wizard in its flow, filled in; `--read-only` forbids no probe that reads.
#[test]
fn a_reading_of_a_plan_file_opens_its_flow_and_offers_the_probe() {
    let home = home();
    let plan = format!(
        "kind = \"read\"\n\n[source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\n\
         role = \"{READER}\"\n\n[destination]\nprofile = \"dev-admin\"\n\
         archive = \"s3://{BUCKET}/{FOLDER}\"\n"
    );
    let plan = home.write("read.toml", &plan);
    let mut terminal = open(&home, &["--read-only", "--plan", plan.to_str().unwrap()]);
    for read in [
        &["✓ 111111111111", "✓ 222222222222", "step 1 of 5"][..],
        &["the source's profile", "Reader"],
        &["222222222222, which S3 agreed to"],
    ] {
        terminal.sees(read);
        terminal.press("n");
    }
    // The role may not read its own policies.
    terminal.sees(&[
        "? 3 unknown",
        "s3:ListBucket on archive and 2 more",
        "else settled by a probe",
        "p probe",
    ]);
}
