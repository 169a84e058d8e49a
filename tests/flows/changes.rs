//! `tableferry changes`: who changed what of a plan, by CloudTrail of the sandbox and by files.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::program::{Ended, Home};

const NO_GRANT: &str = include_str!("../../assets/plans/no-grant.toml");

fn in_sandbox(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(&mut home.sandbox(arguments))
}

fn only_object(ended: &Ended) -> Value {
    let objects = ended.objects();
    assert_eq!(objects.len(), 1, "{ended:?}");
    objects.into_iter().next().unwrap()
}

/// The plan's profile for the source may not look up events; the admin's may.
fn plan(home: &Home) -> String {
    let text = NO_GRANT.replace("prod-oncall", "prod-admin");
    home.write("plan.toml", &text).display().to_string()
}

/// Waits until the clock shows another second: CloudTrail's times are whole seconds, so that two things of
/// one second have no order.
fn next_second() {
    let before = Timestamp::now().as_second();
    while Timestamp::now().as_second() == before {
        std::thread::yield_now();
    }
}

#[test]
fn a_policy_that_was_written_since_the_last_success_is_told_with_who_and_the_difference() {
    let home = Home::new();
    let plan = plan(&home);
    let apply = ["apply", &plan, "--yes", "--allow", "bucket-policy"];
    assert_eq!(in_sandbox(&home, &apply).status, 0);
    next_second();
    assert_eq!(in_sandbox(&home, &["run", &plan, "--yes"]).status, 0);
    let told = in_sandbox(&home, &["changes", &plan, "--output", "json"]);
    assert_eq!(told.status, 0, "{told:?}");
    let object = only_object(&told);
    assert_eq!(object["not_read"], json!([]));
    let changes = object["changes"].as_array().unwrap();
    let of_bucket: Vec<&Value> = changes
        .iter()
        .filter(|change| change["event_name"] == "PutBucketPolicy")
        .collect();
    assert_eq!(of_bucket.len(), 1, "{object}");
    let change = of_bucket[0];
    assert_eq!(
        change["principal"],
        "arn:aws:iam::222222222222:user/dev-admin"
    );
    assert_eq!(change["resource"]["name"], "export-nopolicy");
    assert_eq!(
        (&change["done"], &change["since_success"]),
        (&true.into(), &"before".into())
    );
    let document: Value = serde_json::from_str(change["document"].as_str().unwrap()).unwrap();
    assert_eq!(document["Statement"][0]["Effect"], "Allow");

    // Taken back, it is a second change: after the success.
    next_second();
    assert_eq!(in_sandbox(&home, &["undo", "1", "--yes"]).status, 0);
    let told = in_sandbox(&home, &["changes", &plan]);
    assert_eq!(told.status, 0, "{told:?}");
    for words in [
        "bucket export-nopolicy: bucket policy (DeleteBucketPolicy)",
        "by arn:aws:iam::222222222222:user/dev-admin, from 203.0.113.10",
        "done, after the last success",
        "done, before the last success",
        "2 changes since",
    ] {
        assert!(told.out.contains(words), "no {words:?} in {told:?}");
    }
}

#[test]
fn what_may_not_be_looked_up_is_said_with_the_permission() {
    let home = Home::new();
    let plan = home.write("plan.toml", NO_GRANT).display().to_string();
    let told = in_sandbox(&home, &["changes", &plan, "--output", "json"]);
    assert_eq!(told.status, 5, "{told:?}");
    let object = only_object(&told);
    let problems = object["not_read"].to_string();
    assert!(problems.contains("account 111111111111"), "{problems}");
    assert!(problems.contains("cloudtrail:LookupEvents"), "{problems}");
    assert!(!problems.contains("222222222222,"), "{problems}");
}

/// The line is of a public test of a log reader, its names replaced (S3 user guide, `LogFormat`).
const LINE: &str = "79a59df900b949e5 export-nopolicy [20/Nov/2026:12:00:00 +0000] 203.0.113.9 \
    arn:aws:iam::222222222222:user/alice 7E8F9A0B1C2D3E4F REST.PUT.BUCKETPOLICY - \"PUT /?policy HTTP/1.1\" \
    204 - - 512 60 - \"-\" \"aws-cli/2.17.0\" - hostid= SigV4 - AuthHeader - TLSv1.2 - -\n";

#[test]
fn files_are_read_without_an_account() {
    let home = Home::new();
    let plan = home.write("plan.toml", NO_GRANT).display().to_string();
    let log = home
        .write("access.log", &LINE.repeat(2))
        .display()
        .to_string();
    let arguments = [
        "changes",
        &plan,
        "--since",
        "2026-11-01T00:00:00Z",
        "--events",
        &log,
    ];
    let told = Ended::of(home.command().args(arguments));
    assert_eq!(told.status, 0, "{told:?}");
    assert!(
        told.out.contains("by arn:aws:iam::222222222222:user/alice"),
        "{told:?}"
    );
    assert!(told.out.contains("1 change since 2026-11-01"), "{told:?}");
    assert!(told.out.contains("no success is known"), "{told:?}");
    let missing = Ended::of(
        home.command()
            .args(["changes", &plan, "--events", "none.json"]),
    );
    assert_eq!(missing.status, 2, "{missing:?}");
    assert!(missing.err.contains("cannot read none.json"), "{missing:?}");
}
