//! The commands on a plan of a reading: what they say of it, and that what they put right holds.

use crate::access_checks::predicted::{check, example, verdict, verdicts};
use crate::program::{Ended, Home};

fn with_plan(home: &Home, arguments: &[&str]) -> Ended {
    let plan = home.write("plan.toml", &example("read"));
    Ended::of(home.sandbox(arguments).arg(plan))
}

#[test]
fn a_missing_grant_to_a_reader_is_applied_holds_and_is_undone() {
    let home = Home::new();
    let ended = check(&home, &example("read"), &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let found = verdicts(&ended);
    for action in ["s3:ListBucket", "s3:GetObject"] {
        assert_eq!(verdict(&found, action)["verdict"], "denied");
    }
    assert_eq!(verdict(&found, "stored_objects")["verdict"], "allowed");
    let of_export = |action: &str| action.starts_with("dynamodb:") || action == "s3:PutObject";
    assert!(
        !found
            .iter()
            .any(|one| of_export(one["subject"]["action"].as_str().unwrap_or_default()))
    );
    let applied = with_plan(&home, &["apply", "--yes", "--allow", "bucket-policy"]);
    assert_eq!(applied.status, 0, "{applied:?}");
    let probed = check(&home, &example("read"), &["--probe", "--yes"]);
    assert_eq!(probed.status, 0, "{probed:?}");
    let undone = Ended::of(&mut home.sandbox(&["undo", "1", "--yes"]));
    assert_eq!(undone.status, 0, "{undone:?}");
    assert_eq!(check(&home, &example("read"), &[]).status, 3);
}

/// The probe of a reading writes nothing: it lists, and reads the first byte of a few objects.
#[test]
fn the_probe_of_a_reading_lists_and_reads_and_leaves_nothing() {
    let home = Home::new();
    let ended = check(&home, &example("read"), &["--probe", "--yes"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let objects = ended.objects();
    let probed = objects
        .iter()
        .find(|object| object["event"] == "probed")
        .unwrap();
    let calls = probed["steps"].as_array().unwrap().iter();
    let calls: Vec<&str> = calls.map(|step| step["call"].as_str().unwrap()).collect();
    assert_eq!(
        calls,
        [
            "ListObjectsV2",
            "HeadObject",
            "GetObject",
            "HeadObject",
            "GetObject"
        ]
    );
    let tried = probed["tried"].as_array().unwrap();
    assert!(
        tried.iter().all(|tried| tried["refusal"].is_string()),
        "{tried:?}"
    );
    assert!(probed["left"].is_null());
    let listed = Ended::of(&mut home.sandbox(&["apply", "--list"]));
    assert_eq!(listed.out.trim(), "no change is in place");
}

/// It changes nothing, so that `--read-only` does not forbid it; a probe that uploads stays forbidden.
#[test]
fn read_only_forbids_no_probe_that_only_reads() {
    let home = Home::new();
    let guards = ["--read-only", "--probe", "--yes"];
    let ended = check(&home, &example("read"), &guards);
    assert!(
        ended.objects().iter().any(|one| one["event"] == "probed"),
        "{ended:?}"
    );
    let upload = check(&home, &example("upload"), &guards);
    assert!(upload.err.contains("--read-only") || upload.out.contains("--read-only"));
    assert!(
        !upload.objects().iter().any(|one| one["event"] == "probed"),
        "{upload:?}"
    );
}

#[test]
fn documents_and_requests_are_of_the_reading_and_nothing_is_run() {
    let home = Home::new();
    let message = with_plan(&home, &["policies", "--as", "message"]);
    let opening = "We read the objects at s3://orders-files/2026/ as";
    assert!(message.out.contains(opening), "{message:?}");
    let documents = with_plan(&home, &["policies", "--as", "cli"]);
    for sid in ["TableferryList", "TableferryRead"] {
        assert!(documents.out.contains(sid), "{documents:?}");
    }
    let run = with_plan(&home, &["run", "--yes"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(
        run.err
            .contains("aws s3 cp --recursive s3://orders-files/2026/ DIRECTORY"),
        "{run:?}"
    );
}

/// What `aws s3 cp` prints of a refused head has no reason: the assessment of the plan gives it.
#[test]
fn a_bare_refusal_of_a_head_is_explained_by_the_plan() {
    let home = Home::new();
    let text = home.write(
        "refusal.txt",
        "fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden\n",
    );
    let plan = home.write("plan.toml", &example("read"));
    let plan = plan.to_str().unwrap();
    let told = Ended::of(
        home.sandbox(&["explain", "--plan", plan, "--output", "json"])
            .arg(text),
    );
    let causes = told.objects()[0]["errors"][0]["causes"].clone();
    assert_eq!(causes[0]["id"], "bucket-policy-lacks", "{told:?}");
}
