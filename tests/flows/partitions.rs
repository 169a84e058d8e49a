//! The whole job in each partition that the sandbox has a world in: nothing of it is written for one.

use rstest::rstest;

use crate::program::{Ended, Home};

/// A table with a key of its own, into a bucket and under a key that grant nothing yet.
fn plan(partition: &str, region: &str) -> String {
    format!(
        r#"
[source]
profile = "prod-oncall"
region = "{region}"
[destination]
profile = "dev-admin"
bucket = "export-nopolicy"
owner = "222222222222"
prefix = "prod"
[encryption]
algorithm = "KMS"
key = "arn:{partition}:kms:{region}:222222222222:key/0000face-0000-4e11-8000-000000000222"
[[tables]]
name = "Ledger"
"#
    )
}

#[rstest]
#[case::commercial("aws", "eu-west-1")]
#[case::gov_cloud("aws-us-gov", "us-gov-west-1")]
#[case::china("aws-cn", "cn-north-1")]
fn a_job_is_checked_applied_run_verified_and_undone(#[case] partition: &str, #[case] region: &str) {
    let home = Home::new();
    let path = home.write("plan.toml", &plan(partition, region));
    let path = path.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let placed = [&["--sandbox-partition", partition], arguments].concat();
        Ended::of(&mut home.sandbox(&placed))
    };
    let denied = run(&["check", path, "--output", "json"]);
    assert_eq!(denied.status, 3, "{denied:?}");
    assert!(
        denied
            .out
            .contains(&format!("arn:{partition}:s3:::export-nopolicy/")),
        "{denied:?}"
    );
    let applied = run(&[
        "apply",
        path,
        "--yes",
        "--allow",
        "bucket-policy",
        "--allow",
        "key-policy",
    ]);
    // Undecided for the table's own key, which the role may use and not read.
    assert_eq!(applied.status, 5, "{applied:?}");
    for change in ["change 1 holds", "change 2 holds"] {
        assert!(applied.out.contains(change), "{applied:?}");
    }
    let exported = run(&["run", path, "--yes", "--output", "json"]);
    assert_eq!(exported.status, 0, "{exported:?}");
    let export = &exported.exports()[0];
    assert_eq!(export["verified"], true, "{exported:?}");
    let arn = format!("arn:{partition}:dynamodb:{region}:111111111111:table/Ledger/export/");
    assert!(
        export["export_arn"].as_str().unwrap().starts_with(&arn),
        "{export}"
    );
    for change in ["1", "2"] {
        let undone = run(&["undo", change, "--yes"]);
        assert_eq!(undone.status, 0, "{undone:?}");
    }
    let denied = run(&["check", path]);
    assert_eq!(denied.status, 3, "{denied:?}");
}

/// A plan that names two partitions is refused before anything is asked; a role is assumed in its own
/// partition alone, and a Region of another one knows no access key.
#[rstest]
#[case::a_key("prod-oncall", "aws-cn", "us-gov-west-1", 2, "cannot cross them")]
#[case::a_role("prod-oncall", "aws", "eu-west-1", 2, "assumed within their partition")]
#[case::an_access_key("prod-admin", "aws", "eu-west-1", 4, "InvalidClientTokenId")]
fn nothing_crosses_partitions(
    #[case] profile: &str,
    #[case] partition: &str,
    #[case] region: &str,
    #[case] status: i32,
    #[case] words: &str,
) {
    let home = Home::new();
    let text = plan(partition, region).replace("prod-oncall", profile);
    let path = home.write("plan.toml", &text);
    let place = ["--sandbox-partition", "aws-us-gov", "check"];
    let refused = Ended::of(home.sandbox(&place).arg(path));
    assert_eq!(refused.status, status, "{refused:?}");
    assert!(refused.err.contains(words), "{refused:?}");
}

#[test]
fn a_world_stays_in_its_partition() {
    let home = Home::new();
    let profiles =
        |placed: &[&str]| Ended::of(&mut home.sandbox(&[placed, &["profiles"]].concat()));
    let made = profiles(&["--sandbox-partition", "aws-cn"]);
    assert_eq!(made.status, 0, "{made:?}");
    assert!(made.out.contains("cn-north-1"), "{made:?}");
    let kept = profiles(&[]);
    assert!(kept.out.contains("cn-north-1"), "{kept:?}");
    let moved = profiles(&["--sandbox-partition", "aws-us-gov"]);
    assert_eq!(moved.status, 2, "{moved:?}");
    assert!(
        moved
            .err
            .contains("in the partition aws-cn, not in aws-us-gov"),
        "{moved:?}"
    );
}
