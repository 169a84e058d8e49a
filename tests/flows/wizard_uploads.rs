//! The wizard's upload flow, by keys in a real terminal: an uploader that lacks a permission on the
//! bucket's default key, from the denial to an upload that goes through.
//!
//! The situations are those of AWS re:Post's article on uploads to a bucket with default encryption by
//! a key of another account: `PutObject` takes `kms:GenerateDataKey`, an upload in parts `kms:Decrypt`
//! too.

use serde_json::{Value, json};
use tableferry_sandbox::{Options, Sandbox};

use crate::program::{Ended, Home};
use crate::terminal::{DOWN, ENTER, ESCAPE, Terminal};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const BUCKET: &str = "uploads-kms";
const UPLOADER: &str = "arn:aws:iam::111111111111:role/Uploader";

fn document(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// The uploader's policy: it may upload, and use the key as given.
fn identity(key_actions: &[&str]) -> Value {
    let mut statements = vec![json!({
        "Sid": "Upload", "Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
    })];
    if !key_actions.is_empty() {
        statements.push(
            json!({ "Sid": "Encrypt", "Effect": "Allow", "Action": key_actions, "Resource": KEY }),
        );
    }
    statements.into()
}

/// The world that comes with the program, and in it a role that uploads, a bucket of another account
/// and that account's key by default, whose policies let the role in.
fn world(identity: &Value) -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/sandbox/assets/world.json"
    );
    let mut world: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let document =
        |statements: &Value| -> Value { serde_json::from_str(&document(statements)).unwrap() };
    let trust = document(&json!([{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:user/prod-admin" },
        "Action": "sts:AssumeRole",
    }]));
    world["accounts"]["111111111111"]["roles"]["Uploader"] = json!({
        "id": "AROASANDBOXUPLOADER00", "trust": trust, "inline": { "own": document(identity) },
    });
    world["buckets"][BUCKET] = json!({
        "account": "222222222222", "region": "eu-west-1",
        "policy": document(&json!([{
            "Sid": "Uploads", "Effect": "Allow", "Principal": { "AWS": UPLOADER },
            "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
            "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
        }])),
        "default_encryption": { "algorithm": "aws:kms", "key": KEY, "bucket_key": true },
    });
    let keys = world["accounts"]["222222222222"]["keys"].as_array_mut();
    let mut keys = keys.unwrap().iter_mut();
    let key = keys.find(|key| KEY.ends_with(key["id"].as_str().unwrap()));
    let key = key.unwrap();
    key["policy"] = document(&json!([
        { "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
          "Principal": { "AWS": "arn:aws:iam::222222222222:root" } },
        { "Sid": "Uploads", "Effect": "Allow", "Principal": { "AWS": UPLOADER },
          "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*" },
    ]));
    world
}

/// A home whose sandbox has this world.
fn home_with(world: &Value) -> Home {
    let home = Home::new();
    let options = Options {
        state: Some(home.path().join("world.json")),
        ..Options::default()
    };
    drop(Sandbox::of_world(&world.to_string(), options).unwrap());
    home
}

fn open(home: &Home, arguments: &[&str]) -> Terminal {
    let state = home.path().join("world.json");
    let mut all = vec!["--sandbox", "--sandbox-state", state.to_str().unwrap()];
    all.extend(arguments);
    Terminal::open(home, 100, 40, &all)
}

/// From the wizard's start to the Access step of an upload by the role, in parts or in one piece.
fn walk_to_access(terminal: &mut Terminal, is_multipart: bool) {
    terminal.sees(&["u  Upload"]);
    terminal.press("u");
    terminal.sees(&["prod-oncall", "dev-admin", "Source: uploads", "step 1 of 6"]);
    terminal.press(ENTER);
    terminal.sees(&["✓ 111111111111"]);
    terminal.press(&DOWN.repeat(5));
    terminal.press(ENTER);
    terminal.sees(&["222222222222", "on to Uploader"]);
    terminal.press(ENTER);
    terminal.sees(&["the source's profile", "[in parts]"]);
    terminal.press("t");
    terminal.sees(&["Another uploader"]);
    terminal.press(&format!("{UPLOADER}{ENTER}"));
    terminal.sees(&["● arn:aws:iam::111111111111:role/Uploader"]);
    if !is_multipart {
        terminal.press(" ");
        terminal.sees(&["[in one piece]"]);
    }
    terminal.press(ENTER);
    terminal.sees(&["export-landing"]);
    terminal.press("t");
    terminal.sees(&["Another bucket"]);
    terminal.press(&format!("{BUCKET}{ENTER}"));
    terminal.sees(&["s3://uploads-kms/…", "222222222222, which S3 agreed to"]);
    terminal.press(ENTER);
    terminal.sees(&["● the bucket's default", "suggested", "on to Access"]);
    terminal.press(ENTER);
}

/// Applies the remedy of the denial in sight, and sees that nothing is denied any more.
fn apply(terminal: &mut Terminal) {
    terminal.press("a");
    terminal.sees(&["Change this account?", "tableferry-upload of role Uploader"]);
    terminal.agree();
    // No profile of the plan is the uploader, so that nobody can try whether it holds.
    terminal.sees(&["Whether the change holds is not known"]);
    terminal.press(ESCAPE);
    terminal.sees(&["change of the inline policy tableferry-upload of role Uploader"]);
    terminal.sees_no("denied");
}

/// What the role itself meets: the probe begins an upload as it, sends a part and aborts it.
fn probe_as_the_uploader(home: &Home) -> Ended {
    let plan = format!(
        "kind = \"upload\"\n\n[source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\n\
         role = \"{UPLOADER}\"\n\n[destination]\nprofile = \"dev-admin\"\nbucket = \"{BUCKET}\"\n"
    );
    let plan = home.write("as-the-role.toml", &plan);
    let arguments = ["check", "--probe", "--yes", "--output", "json"];
    Ended::of(home.sandbox(&arguments).arg(plan))
}

/// The actions that the probe was refused.
fn refused(ended: &Ended) -> Vec<String> {
    let objects = ended.objects();
    let probed = objects.iter().find(|object| object["event"] == "probed");
    let tried = probed.unwrap()["tried"].as_array().unwrap();
    let refused = tried.iter().filter(|tried| !tried["refusal"].is_null());
    refused
        .map(|tried| tried["action"].as_str().unwrap().to_owned())
        .collect()
}

/// `PutObject` hides that it is `kms:GenerateDataKey` that is missing.
#[test]
fn an_uploader_without_the_data_key_is_denied_until_the_wizard_puts_it_right() {
    let home = home_with(&world(&identity(&[])));
    assert_eq!(
        refused(&probe_as_the_uploader(&home)),
        ["kms:GenerateDataKey"]
    );

    let mut terminal = open(&home, &[]);
    walk_to_access(&mut terminal, false);
    terminal.sees(&["✗ 1 denied", "kms:GenerateDataKey"]);
    apply(&mut terminal);
    terminal.press(ENTER);
    terminal.sees(&[
        "nothing that was read forbids the upload",
        "aws s3 cp FILE s3://uploads-kms/",
        "in one piece",
    ]);
    terminal.press("s");
    terminal.sees(&["Save the plan"]);
    terminal.press(ENTER);
    terminal.sees(&["the plan is in plan.toml"]);
    terminal.press("q");
    terminal.sees(&["Quit?"]);
    terminal.press("y");
    assert_eq!(terminal.ended(), 0);

    // A small file goes through, and an upload in parts still lacks the other permission.
    assert_eq!(refused(&probe_as_the_uploader(&home)), ["kms:Decrypt"]);
    let plan = home.path().join("plan.toml");
    let checked = Ended::of(home.sandbox(&["check"]).arg(&plan));
    // A change of five minutes ago and younger may not hold yet: it depends, and nothing is denied.
    assert_eq!(checked.status, 5, "{checked:?}");
    assert!(checked.out.contains(" 0 denied"), "{checked:?}");
    let text = std::fs::read_to_string(plan).unwrap();
    assert!(text.contains("multipart = false"), "{text}");
    assert!(
        text.contains(&format!("principal = \"{UPLOADER}\"")),
        "{text}"
    );
}

/// A small file goes through; the parts of a large one are refused without `kms:Decrypt`.
#[test]
fn an_upload_in_parts_without_decrypt_is_denied_until_the_wizard_puts_it_right() {
    let home = home_with(&world(&identity(&["kms:GenerateDataKey"])));
    assert_eq!(refused(&probe_as_the_uploader(&home)), ["kms:Decrypt"]);

    let mut terminal = open(&home, &[]);
    walk_to_access(&mut terminal, true);
    terminal.sees(&["✗ 1 denied", "kms:Decrypt"]);
    apply(&mut terminal);
    terminal.press(ENTER);
    terminal.sees(&["nothing that was read forbids the upload", "in parts"]);
    // What was changed is taken away again, and the denial is back.
    terminal.press("u");
    terminal.sees(&["Changes in place", "Uploader"]);
    terminal.press(ENTER);
    terminal.sees(&["Take this change away?"]);
    terminal.agree();
    terminal.sees(&["taken away"]);
    terminal.sees(&["AWS would refuse it"]);
    terminal.press("b");
    terminal.sees(&["✗ 1 denied", "kms:Decrypt"]);
    apply(&mut terminal);
    terminal.press("q");
    terminal.sees(&["Quit?"]);
    terminal.press("y");
    assert_eq!(terminal.ended(), 0);
    assert_eq!(refused(&probe_as_the_uploader(&home)), Vec::<String>::new());
}

/// A plan file of an upload opens the wizard in its flow, filled in.
#[test]
fn an_upload_of_a_plan_file_is_probed_in_the_wizard() {
    let home = home_with(&world(&identity(&["kms:GenerateDataKey", "kms:Decrypt"])));
    let plan = format!(
        "kind = \"upload\"\n\n[source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\n\
         role = \"{UPLOADER}\"\n\n[destination]\nprofile = \"dev-admin\"\nbucket = \"{BUCKET}\"\n"
    );
    let plan = home.write("upload.toml", &plan);
    let mut terminal = open(&home, &["--plan", plan.to_str().unwrap()]);
    for read in [
        &["✓ 111111111111", "✓ 222222222222", "step 1 of 6"][..],
        &["the source's profile", "[in parts]"],
        &["222222222222, which S3 agreed to"],
        &["● the bucket's default"],
    ] {
        terminal.sees(read);
        terminal.press("n");
    }
    terminal.sees(&["s3:PutObject", "kms:Decrypt"]);
    terminal.press("p");
    terminal.sees(&["Probe the bucket?"]);
    terminal.agree();
    terminal.sees(&["the probe got through and left nothing"]);
}
