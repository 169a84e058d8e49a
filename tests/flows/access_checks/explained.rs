//! A bare refusal with the facts of its plan: the assessment says which cause holds.

use rstest::rstest;
use serde_json::Value;

use crate::access_checks::predicted::example;
use crate::program::{Ended, Home};

/// What `DescribeExport` shows where caller and bucket are in different organizations.
const BARE: &str = "FailureCode: S3AccessDenied FailureMessage: Access Denied (Service: Amazon S3; Status \
    Code: 403; Error Code: AccessDenied; Request ID: X; S3 Extended Request ID: Y; Proxy: null)";

/// What is explained by the facts of an example plan.
fn explained(name: &str, text: &str) -> Value {
    let home = Home::new();
    let plan = home.write("plan.toml", &example(name));
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    assert_eq!(surveyed.status, 0, "{surveyed:?}");
    let facts = home.write("facts.json", &surveyed.out);
    let ended = Ended::of(
        home.command()
            .args(["explain", "--output", "json", text, "--plan"])
            .arg(&plan)
            .arg("--facts")
            .arg(&facts),
    );
    let objects = ended.objects();
    assert_eq!(objects.len(), 1, "{ended:?}");
    objects[0].clone()
}

#[rstest]
#[case("no-grant", "bucket-policy-lacks")]
#[case("deny", "bucket-policy-denies")]
#[case("missing-owner", "export-owner-missing")]
#[case("key-without-grant", "key-policy-lacks")]
fn the_cause_that_the_facts_show_comes_first(#[case] name: &str, #[case] cause: &str) {
    let object = explained(name, BARE);
    let causes = &object["errors"][0]["causes"];
    assert_eq!(causes[0]["id"], cause, "{object:#}");
    assert_ne!(causes[0]["certainty"], "possible", "{object:#}");
    assert_ne!(causes[1]["place"], 1, "it stands alone: {object:#}");
    // A Deny on source addresses depends on what nobody can tell before, and the owner of a bucket that
    // no profile may read is not known: neither is a denial yet.
    let refused = object["refused_by_plan"].as_array().unwrap();
    let is_open = matches!(name, "deny" | "missing-owner");
    assert_eq!(refused.is_empty(), is_open, "{object:#}");
}

/// Without a profile on the bucket's side nobody can tell whose it is.
#[test]
fn an_owner_that_was_sent_is_not_missing_and_may_be_wrong() {
    let object = explained("wrong-owner", BARE);
    let error = &object["errors"][0];
    let causes = error["causes"].as_array().unwrap();
    let first = causes.iter().filter(|cause| cause["place"] == 1);
    let ids: Vec<&str> = first.filter_map(|one| one["id"].as_str()).collect();
    assert!(ids.contains(&"export-owner-wrong"), "{object:#}");
    assert_eq!(
        error["excluded"][0]["id"], "export-owner-missing",
        "{object:#}"
    );
}

#[test]
fn what_the_facts_allow_is_excluded() {
    let object = explained("one-table", BARE);
    let excluded = object["errors"][0]["excluded"].as_array().unwrap();
    let ids: Vec<&str> = excluded
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    for id in [
        "bucket-policy-lacks",
        "bucket-policy-denies",
        "identity-policy-lacks",
        "export-owner-wrong",
    ] {
        assert!(ids.contains(&id), "{id} in {object:#}");
    }
    assert_eq!(object["refused_by_plan"], Value::Array(Vec::new()));
}

#[test]
fn a_refusal_of_somebody_else_is_not_explained_by_the_plan() {
    let other = "User: arn:aws:iam::999999999999:user/zoe is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::elsewhere/k\"";
    let object = explained("no-grant", other);
    let error = &object["errors"][0];
    assert_eq!(error["excluded"], Value::Array(Vec::new()), "{object:#}");
    for cause in error["causes"].as_array().unwrap() {
        assert_eq!(cause["evidence"], Value::Array(Vec::new()), "{object:#}");
    }
}
