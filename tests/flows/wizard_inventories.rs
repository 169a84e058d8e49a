//! The wizard's inventory flow, by keys in a real terminal: from a policy that keeps S3's reports away to a
//! report that arrived and is verified.
//!
//! The situations are those of AWS re:Post's article on inventory reports that are not delivered: no grant
//! to the service, a blanket Deny on addresses beside the grant, a service written as an AWS principal, and
//! a key whose policy does not name the service.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tableferry_sandbox::{Options, Sandbox};

use crate::program::{Ended, Home};
use crate::terminal::{DOWN, ENTER, Terminal};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const BUCKET: &str = "inventory-landing";

fn grant(principal: &Value) -> Value {
    json!({
        "Sid": "DeliverInventory", "Effect": "Allow", "Principal": principal,
        "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
        "Condition": {
            "ArnLike": { "aws:SourceArn": "arn:aws:s3:::orders-files" },
            "StringEquals": {
                "aws:SourceAccount": "111111111111",
                "s3:x-amz-acl": "bucket-owner-full-control",
            },
        },
    })
}

fn service() -> Value {
    json!({ "Service": "s3.amazonaws.com" })
}

/// A home whose sandbox has the landing bucket with these statements.
fn home(statements: &[Value]) -> Home {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/sandbox/assets/world.json"
    );
    let mut world: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    world["buckets"][BUCKET] = json!({ "account": "222222222222", "region": "eu-west-1" });
    if !statements.is_empty() {
        world["buckets"][BUCKET]["policy"] =
            json!({ "Version": "2012-10-17", "Statement": statements });
    }
    let home = Home::new();
    let options = Options {
        state: Some(home.path().join("world.json")),
        ..Options::default()
    };
    drop(Sandbox::of_world(&world.to_string(), options).unwrap());
    home
}

fn open(home: &Home) -> Terminal {
    let state = home.path().join("world.json");
    let arguments = ["--sandbox", "--sandbox-state", state.to_str().unwrap()];
    Terminal::open(home, 100, 40, &arguments)
}

/// From the wizard's start to the Access step of an inventory, its reports encrypted with a key or not.
fn walk_to_access(terminal: &mut Terminal, key: Option<&str>) {
    terminal.sees(&["i  Inventory"]);
    terminal.press("i");
    terminal.sees(&[
        "prod-oncall",
        "dev-admin",
        "Source: has the listed bucket",
        "step 1 of 6",
    ]);
    terminal.press(ENTER);
    terminal.sees(&["✓ 111111111111"]);
    terminal.press(&DOWN.repeat(5));
    terminal.press(ENTER);
    terminal.sees(&["222222222222", "on to Inventory"]);
    terminal.press(ENTER);
    terminal.sees(&["source bucket", "not named yet", "all-objects", "Daily"]);
    // Nothing goes on without it.
    terminal.press(ENTER);
    terminal.sees(&["no source bucket is named yet"]);
    terminal.press("t");
    terminal.sees(&["Source bucket"]);
    terminal.press(&format!("orders-files{ENTER}"));
    terminal.sees(&["orders-files"]);
    terminal.press(&DOWN.repeat(2));
    terminal.sees(&["CSV with gzip"]);
    terminal.press(" ");
    terminal.sees(&["ORC"]);
    terminal.press("  ");
    terminal.sees(&["CSV"]);
    terminal.press(ENTER);
    terminal.sees(&["export-landing"]);
    terminal.press("t");
    terminal.sees(&["Another bucket"]);
    terminal.press(&format!("{BUCKET}{ENTER}"));
    terminal.sees(&[
        "s3://inventory-landing/",
        "222222222222, which S3 agreed to",
    ]);
    terminal.press(ENTER);
    terminal.sees(&["● the bucket's default"]);
    if let Some(key) = key {
        terminal.press("t");
        terminal.sees(&["KMS key"]);
        terminal.press(&format!("{key}{ENTER}"));
        terminal.sees_no("● the bucket's default");
    }
    terminal.press(ENTER);
}

/// Applies the remedy of the denial in sight, and sees that nothing is denied any more.
fn apply(terminal: &mut Terminal, title: &str) {
    terminal.press("a");
    terminal.sees(&["Change this account?", title]);
    terminal.agree();
    terminal.sees(&["changed, and it holds"]);
    terminal.sees_no("1 denied");
}

/// From the Access step to a verified report, the configuration written by its own yes.
fn set_up_and_verify(terminal: &mut Terminal) {
    terminal.press(ENTER);
    terminal.sees(&[
        "nothing that was read forbids the delivery",
        "there is none: w writes it",
        "lists",
    ]);
    terminal.press("w");
    terminal.sees(&[
        "Change this account?",
        "inventory configuration all-objects of orders-files",
        "\"Frequency\": \"Daily\"",
    ]);
    terminal.agree();
    terminal.sees(&["✓ as the plan has it"]);
    let begun = Instant::now();
    while !terminal.text().contains("✓ the report of") {
        assert!(
            begun.elapsed() < Duration::from_secs(90),
            "{}",
            terminal.text()
        );
        terminal.press("r");
        std::thread::sleep(Duration::from_millis(300));
    }
    terminal.sees(&["complete", "1 data file,", "manifest says"]);
}

/// The plan that the wizard saves says the same by a command.
fn save_and_quit(home: &Home, terminal: &mut Terminal) {
    terminal.press("s");
    terminal.sees(&["Save the plan"]);
    terminal.press(ENTER);
    terminal.sees(&["the plan is in plan.toml"]);
    terminal.press("q");
    terminal.sees(&["Quit?"]);
    terminal.press("y");
    assert_eq!(terminal.ended(), 0);
    let plan = home.path().join("plan.toml");
    let status = ["inventory", "status", "--output", "json"];
    let told = Ended::of(home.sandbox(&status).arg(plan));
    assert_eq!(told.status, 0, "{told:?}");
}

#[test]
fn a_bucket_without_a_grant_is_opened_to_s3_and_the_report_verified() {
    let home = home(&[]);
    let mut terminal = open(&home);
    walk_to_access(&mut terminal, None);
    terminal.sees(&["✗ 1 denied", "s3:PutObject"]);
    apply(&mut terminal, "bucket policy of inventory-landing");
    set_up_and_verify(&mut terminal);
    // What was changed is listed: the policy, and the configuration.
    terminal.press("u");
    terminal.sees(&[
        "Changes in place",
        "inventory configuration",
        "bucket policy",
    ]);
    terminal.press("n");
    terminal.sees_no("Changes in place");
    save_and_quit(&home, &mut terminal);
}

#[test]
fn a_blanket_deny_is_given_an_exemption_and_the_report_verified() {
    let deny = json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
        "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } },
    });
    let home = home(&[deny, grant(&service())]);
    let mut terminal = open(&home);
    walk_to_access(&mut terminal, None);
    terminal.sees(&["✗ 1 denied", "OfficeOnly"]);
    apply(&mut terminal, "bucket policy of inventory-landing");
    set_up_and_verify(&mut terminal);
    save_and_quit(&home, &mut terminal);
}

/// S3 refuses a policy that names the service so; one that stands there all the same grants it nothing.
#[test]
fn a_service_as_an_aws_principal_is_no_grant() {
    let home = home(&[grant(&json!({ "AWS": ["s3.amazonaws.com"] }))]);
    let mut terminal = open(&home);
    walk_to_access(&mut terminal, None);
    terminal.sees(&["✗ 1 denied", "s3:PutObject"]);
    terminal.press(ENTER);
    terminal.sees(&["Reports"]);
    terminal.sees_no("w write the configuration");
    terminal.press("q");
    terminal.sees(&["Quit?"]);
    terminal.press("y");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_key_that_does_not_name_the_service_is_opened_and_the_report_verified() {
    let home = home(&[grant(&service())]);
    let mut terminal = open(&home);
    walk_to_access(&mut terminal, Some(KEY));
    terminal.sees(&["✗ 1 denied", "kms:GenerateDataKey"]);
    apply(&mut terminal, "key policy of");
    set_up_and_verify(&mut terminal);
    save_and_quit(&home, &mut terminal);
}
