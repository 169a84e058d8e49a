//! S3 Inventory by commands: from a policy that keeps the reports away to one that arrived and is
//! verified, with what `undo` leaves.

use serde_json::{Value, json};

use crate::program::{Ended, Home};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn plan(rest: &str) -> String {
    format!(
        "kind = \"inventory\"\nid = \"all\"\nfields = [\"Size\"]\n\n\
         [source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\nbucket = \"orders-files\"\n\n\
         [destination]\nprofile = \"dev-admin\"\nbucket = \"inventory-landing\"\n{rest}"
    )
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn grant(principal: &Value) -> Value {
    json!({
        "Sid": "DeliverInventory", "Effect": "Allow", "Principal": principal,
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::inventory-landing/*",
        "Condition": {
            "ArnLike": { "aws:SourceArn": "arn:aws:s3:::orders-files" },
            "StringEquals": {
                "aws:SourceAccount": "111111111111",
                "s3:x-amz-acl": "bucket-owner-full-control",
            },
        },
    })
}

/// A home whose sandbox has the landing bucket with a policy.
fn home(policy: &[Value]) -> Home {
    let home = Home::new();
    // The state is the world as it is kept; a first command writes it.
    let first = Ended::of(&mut home.sandbox(&["profiles"]));
    assert_eq!(first.status, 0, "{first:?}");
    let path = home.path().join("world.json");
    let mut world: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    world["buckets"]["inventory-landing"] = json!({
        "account": "222222222222", "region": "eu-west-1", "policy": document(policy),
    });
    std::fs::write(&path, world.to_string()).unwrap();
    home
}

fn run(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(&mut home.sandbox(arguments))
}

/// The last object of an event.
fn event(ended: &Ended, name: &str) -> Value {
    let found = ended
        .objects()
        .into_iter()
        .rev()
        .find(|object| object["event"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {ended:?}"))
}

fn status(home: &Home, plan: &str) -> (i32, Value) {
    let ended = run(
        home,
        &[
            "--clock-offset",
            "+3m",
            "inventory",
            "status",
            plan,
            "--output",
            "json",
        ],
    );
    (ended.status, event(&ended, "inventory_status"))
}

/// From a faulty policy to a verified report.
fn fixed_and_delivered(policy: &[Value], rest: &str, allow: &str) -> (Home, String) {
    let home = home(policy);
    let path = home.write("plan.toml", &plan(rest));
    let plan = path.to_str().unwrap();
    let checked = run(&home, &["check", plan]);
    assert_eq!(checked.status, 3, "{checked:?}");
    let refused = run(&home, &["inventory", "setup", plan, "--yes"]);
    assert_eq!(refused.status, 3, "{refused:?}");
    assert!(refused.err.contains("S3 would not deliver"), "{refused:?}");
    let applied = run(&home, &["apply", plan, "--yes", "--allow", allow]);
    assert_eq!(applied.status, 0, "{applied:?}");
    let set_up = run(&home, &["inventory", "setup", plan, "--yes"]);
    assert_eq!(set_up.status, 0, "{set_up:?}");
    let (code, told) = status(&home, plan);
    assert_eq!(code, 0, "{told}");
    assert_eq!(told["newest"]["verified"], true, "{told}");
    assert_eq!(told["as_planned"], true, "{told}");
    assert_eq!(told["reports"][0]["complete"], true, "{told}");
    let plan = plan.to_owned();
    (home, plan)
}

/// The newest delivered report is the last success, and who wrote the configuration stands before it.
#[test]
fn who_changed_what_of_an_inventory_is_told_beside_its_newest_report() {
    let (home, plan) = fixed_and_delivered(&[], "", "bucket-policy");
    let told = run(
        &home,
        &[
            "--clock-offset",
            "+3m",
            "changes",
            &plan,
            "--output",
            "json",
        ],
    );
    let object = &told.objects()[0];
    let changes = object["changes"].as_array().unwrap();
    let of = |name: &str| {
        let found = changes.iter().find(|change| change["event_name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {object}"))
    };
    let set_up = of("PutBucketInventoryConfiguration");
    assert_eq!(set_up["resource"]["name"], "orders-files");
    assert_eq!(
        of("PutBucketPolicy")["resource"]["name"],
        "inventory-landing"
    );
    let success: jiff::Timestamp = object["last_success"].as_str().unwrap().parse().unwrap();
    let at: jiff::Timestamp = set_up["at"].as_str().unwrap().parse().unwrap();
    let expected = match at.as_second().cmp(&success.as_second()) {
        std::cmp::Ordering::Less => json!("before"),
        std::cmp::Ordering::Equal => Value::Null,
        std::cmp::Ordering::Greater => json!("after"),
    };
    assert_eq!(set_up["since_success"], expected);
}

#[test]
fn a_bucket_without_a_grant_is_fixed_and_the_report_verified() {
    fixed_and_delivered(&[], "", "bucket-policy");
}

#[test]
fn a_blanket_deny_is_given_an_exemption_and_the_report_verified() {
    let deny = json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::inventory-landing/*",
        "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } },
    });
    let service = json!({ "Service": "s3.amazonaws.com" });
    fixed_and_delivered(&[deny, grant(&service)], "", "bucket-policy");
}

#[test]
fn a_key_that_does_not_name_the_service_is_fixed_and_the_report_verified() {
    let service = json!({ "Service": "s3.amazonaws.com" });
    let rest = format!("\n[encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n");
    fixed_and_delivered(&[grant(&service)], &rest, "key-policy");
}

/// A configuration of the same id is shown as a difference, and `undo` puts back what stood there.
#[test]
fn a_configuration_is_replaced_with_consent_and_put_back() {
    let service = json!({ "Service": "s3.amazonaws.com" });
    let home = home(&[grant(&service)]);
    let path = home.write("plan.toml", &plan(""));
    let first = path.to_str().unwrap();
    let weekly = plan("").replace("id = \"all\"", "id = \"all\"\nfrequency = \"Weekly\"");
    let other = home.write("weekly.toml", &weekly);
    let other = other.to_str().unwrap();
    let unasked = run(&home, &["inventory", "setup", first]);
    assert_eq!(unasked.status, 2, "{unasked:?}");
    let forbidden = run(
        &home,
        &["--read-only", "inventory", "setup", first, "--yes"],
    );
    assert_eq!(forbidden.status, 3, "{forbidden:?}");
    assert_eq!(
        run(&home, &["inventory", "setup", first, "--yes"]).status,
        0
    );
    let again = run(&home, &["inventory", "setup", first, "--yes"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.out.contains("nothing is changed"), "{again:?}");
    let replaced = run(&home, &["inventory", "setup", other, "--yes"]);
    assert_eq!(replaced.status, 0, "{replaced:?}");
    assert!(
        replaced.out.contains("-    \"Frequency\": \"Daily\""),
        "{replaced:?}"
    );
    assert!(
        replaced.out.contains("+    \"Frequency\": \"Weekly\""),
        "{replaced:?}"
    );
    let (_, told) = status(&home, first);
    assert_eq!(told["as_planned"], false, "{told}");
    let undone = run(&home, &["undo", "2", "--yes"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    let (_, told) = status(&home, first);
    assert_eq!(told["as_planned"], true, "{told}");
    let undone = run(&home, &["undo", "1", "--yes"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    let (_, told) = status(&home, first);
    assert_eq!(told["configuration"], Value::Null, "{told}");
}

/// What S3 does not deliver leaves no trace; a report that was damaged since is found.
#[test]
fn the_status_tells_nothing_from_a_report_and_a_whole_one_from_a_damaged_one() {
    let service = json!({ "Service": "s3.amazonaws.com" });
    let home = home(&[grant(&service)]);
    let path = home.write("plan.toml", &plan(""));
    let plan = path.to_str().unwrap();
    let (code, told) = status(&home, plan);
    assert_eq!((code, &told["newest"]), (5, &Value::Null), "{told}");
    assert_eq!(run(&home, &["inventory", "setup", plan, "--yes"]).status, 0);
    assert_eq!(status(&home, plan).0, 0);
    let world = home.path().join("world.json");
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&world).unwrap()).unwrap();
    let objects = kept["buckets"]["inventory-landing"]["objects"]
        .as_object_mut()
        .unwrap();
    for (key, object) in objects {
        if key.ends_with(".csv.gz") {
            object["content"] = "AAAA".into();
        }
    }
    // No other report comes in between.
    kept["buckets"]["orders-files"]["inventories"]["all"]["configuration"]["is_enabled"] =
        false.into();
    std::fs::write(&world, kept.to_string()).unwrap();
    let (code, told) = status(&home, plan);
    assert_eq!(code, 1, "{told}");
    assert!(
        told["newest"]["faults"][0]
            .as_str()
            .unwrap()
            .contains("3 bytes"),
        "{told}"
    );
}

#[test]
fn a_plan_of_another_kind_is_no_inventory() {
    let home = Home::new();
    let text = include_str!("../../assets/plans/one-table.toml");
    let path = home.write("plan.toml", text);
    let ended = run(&home, &["inventory", "status", path.to_str().unwrap()]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("the plan is no inventory"), "{ended:?}");
}
