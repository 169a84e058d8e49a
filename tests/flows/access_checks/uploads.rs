//! The commands on a plan of an upload: what they say of it, and that what they put right holds.

use serde_json::Value;

use crate::access_checks::predicted::{check, example, verdict, verdicts};
use crate::program::{Ended, Home};

/// The example, to a bucket whose account grants nothing.
fn without_grant() -> String {
    example("upload").replace("export-kms-default", "export-nopolicy")
}

fn with_plan(home: &Home, text: &str, arguments: &[&str], more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", text);
    Ended::of(home.sandbox(arguments).arg(plan).args(more))
}

#[test]
fn an_upload_is_judged_probed_and_asked_for_nothing_of_an_export() {
    let home = Home::new();
    let ended = check(&home, &example("upload"), &["--probe", "--yes"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let objects = ended.objects();
    let probed = objects.iter().find(|object| object["event"] == "probed");
    let tried = probed.unwrap()["tried"].as_array().unwrap();
    let worked: Vec<&str> = tried
        .iter()
        .filter(|tried| tried["refusal"].is_null())
        .map(|tried| tried["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        worked,
        [
            "kms:GenerateDataKey",
            "s3:PutObject",
            "kms:Decrypt",
            "s3:AbortMultipartUpload"
        ]
    );
    let key = probed.unwrap()["key"].as_str().unwrap();
    assert!(key.starts_with("prod/tableferry-probe-"), "{key}");
    let of_export = |found: &Value| {
        let action = found["subject"]["action"].as_str().unwrap_or_default();
        let checks = ["table", "recovery", "quota", "bucket_owner", "session"];
        action.starts_with("dynamodb:")
            || action == "s3:PutObjectAcl"
            || checks
                .iter()
                .any(|check| found["subject"]["check"] == *check)
    };
    assert!(!verdicts(&ended).iter().any(of_export), "{ended:?}");
}

#[test]
fn a_missing_grant_is_applied_holds_and_is_undone() {
    let home = Home::new();
    let ended = check(&home, &without_grant(), &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let found = verdicts(&ended);
    assert_eq!(verdict(&found, "s3:PutObject")["verdict"], "denied");
    let apply = ["apply", "--yes", "--allow", "bucket-policy"];
    let applied = with_plan(&home, &without_grant(), &apply, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    let probed = check(&home, &without_grant(), &["--probe", "--yes"]);
    assert_eq!(probed.status, 0, "{probed:?}");
    let undone = Ended::of(&mut home.sandbox(&["undo", "1", "--yes"]));
    assert_eq!(undone.status, 0, "{undone:?}");
    assert_eq!(check(&home, &without_grant(), &[]).status, 3);
}

#[test]
fn facts_and_documents_are_of_the_upload() {
    let home = Home::new();
    let facts = with_plan(&home, &without_grant(), &["survey"], &[]);
    assert_eq!(facts.status, 0, "{facts:?}");
    let facts = home.write("facts.json", &facts.out);
    let facts = ["--facts", facts.to_str().unwrap()];
    assert_eq!(check(&home, &without_grant(), &facts).status, 3);
    let documents = with_plan(
        &home,
        &without_grant(),
        &["policies", "--as", "cli"],
        &facts,
    );
    assert!(
        documents.out.contains("uploads from account 111111111111"),
        "{documents:?}"
    );
    assert!(documents.out.contains("TableferryUpload"), "{documents:?}");
    assert!(!documents.out.contains("PutObjectAcl"), "{documents:?}");
    let request_text = with_plan(
        &home,
        &without_grant(),
        &["policies", "--as", "message"],
        &facts,
    );
    let opening = "We upload files to s3://export-nopolicy/prod/ as";
    assert!(request_text.out.contains(opening), "{request_text:?}");
}

#[test]
fn an_upload_is_not_run_and_who_makes_it_is_told() {
    let home = Home::new();
    let ended = with_plan(&home, &example("upload"), &["run", "--yes"], &[]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("by profile prod-oncall"), "{ended:?}");
    assert!(
        ended
            .err
            .contains("aws s3 cp FILE s3://export-kms-default/prod/"),
        "{ended:?}"
    );
}
