//! What is printed where, and how the command ends.

use serde_json::Value;

use crate::program::{Ended, Home};

pub(super) fn example(name: &str) -> String {
    let path = format!("{}/assets/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Writes the policies of a plan, by the sandbox that the home keeps.
pub(super) fn policies(home: &Home, plan: &str, arguments: &[&str]) -> Ended {
    let plan = home.write("plan.toml", plan);
    let arguments = [&["policies", "--as"], arguments].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

#[test]
fn where_nothing_is_missing_the_document_is_empty_and_valid() {
    let home = Home::new();
    let plan = example("one-table");
    for format in ["json", "terraform", "cloudformation", "cli", "message"] {
        let ended = policies(&home, &plan, &[format]);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(ended.err.contains("nothing is missing"), "{ended:?}");
        match format {
            "json" => {
                let object: Value = serde_json::from_str(&ended.out).unwrap();
                assert_eq!(object["remedies"], serde_json::json!([]));
                assert_eq!(object["open"], serde_json::json!([]));
            }
            "cloudformation" | "message" => assert_eq!(ended.out, ""),
            _ => assert!(!ended.out.contains("export-landing\""), "{ended:?}"),
        }
    }
}

#[test]
fn a_template_is_of_one_account() {
    let home = Home::new();
    let plan = example("one-table");
    let ended = policies(&home, &plan, &["cloudformation", "--all"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("111111111111 and 222222222222"),
        "{ended:?}"
    );
    for (account, kind, other) in [
        (
            "111111111111",
            "AWS::IAM::RolePolicy",
            "AWS::S3::BucketPolicy",
        ),
        (
            "222222222222",
            "AWS::S3::BucketPolicy",
            "AWS::IAM::RolePolicy",
        ),
    ] {
        let arguments = ["cloudformation", "--all", "--account", account];
        let ended = policies(&home, &plan, &arguments);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(ended.out.contains(kind), "{ended:?}");
        assert!(!ended.out.contains(other), "{ended:?}");
    }
}

/// The bucket of 222222222222 has no policy, and nothing is missing in 111111111111.
#[test]
fn one_account_is_not_taken_for_all_of_them() {
    let home = Home::new();
    let plan = example("no-grant");
    let of = |account: &str| policies(&home, &plan, &["json", "--account", account]);
    let ended = of("111111111111");
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        ended.err.contains("something is missing in 222222222222"),
        "{ended:?}"
    );
    assert!(
        ended
            .err
            .contains("nothing is missing in account 111111111111"),
        "{ended:?}"
    );
    let ended = of("222222222222");
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(!ended.err.contains("missing"), "{ended:?}");
    let ended = of("333333333333");
    assert_eq!(ended.status, 2, "{ended:?}");
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("111111111111 and 222222222222"),
        "{ended:?}"
    );
}

/// The normal case of on-call staff: the other side could not be read, so that there is no denial to
/// write about, and yet something to send.
#[test]
fn where_there_is_no_text_to_send_the_way_to_one_is_told() {
    let home = Home::new();
    let plan = example("no-destination-profile");
    let ended = policies(&home, &plan, &["message"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("`--all` writes what would be needed"),
        "{ended:?}"
    );
}

/// The far side's bucket policy decides, and nobody who signs in may read it.
#[test]
fn what_could_not_be_read_is_told_and_nothing_is_written_for_it() {
    let home = Home::new();
    let plan = example("no-destination-profile");
    let ended = policies(&home, &plan, &["terraform"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert!(!ended.out.contains("aws_s3_bucket_policy"), "{ended:?}");
    assert!(
        ended.err.contains("open, unknown: s3:PutObject"),
        "{ended:?}"
    );

    let ended = policies(&home, &plan, &["cli", "--all"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        !ended.out.contains("aws s3api put-bucket-policy"),
        "{ended:?}"
    );
    assert!(
        ended.err.contains("could not be read (s3:GetBucketPolicy)"),
        "{ended:?}"
    );
}

#[test]
fn a_denial_that_no_document_fixes_stays_open_and_is_a_text_for_who_can() {
    let home = Home::new();
    let scp = home.write(
        "scp.json",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoExports","Effect":"Deny","Action":"dynamodb:ExportTableToPointInTime","Resource":"*"}]}"#,
    );
    let plan = example("one-table");
    let scp = scp.to_str().unwrap();
    let ended = policies(&home, &plan, &["terraform", "--scp", scp]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        ended
            .err
            .contains("open, denied: dynamodb:ExportTableToPointInTime"),
        "{ended:?}"
    );
    let ended = policies(&home, &plan, &["message", "--scp", scp]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(
        ended
            .out
            .starts_with("To the organization's administrators\n"),
        "{ended:?}"
    );
}

#[test]
fn facts_in_a_file_lead_to_the_same_document_without_an_account() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("no-grant"));
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    assert_eq!(surveyed.status, 0, "{surveyed:?}");
    let elsewhere = Home::new();
    let facts = elsewhere.write("facts.json", &surveyed.out);
    let live = policies(&home, &example("no-grant"), &["cli"]);
    let filed = Ended::of(
        elsewhere
            .command()
            .args(["policies", "--as", "cli", "--facts"])
            .args([facts, plan]),
    );
    assert_eq!(filed.status, 0, "{filed:?}");
    let describe = |ended: &Ended| {
        let lines = ended
            .out
            .lines()
            .filter(|line| !line.starts_with("# It goes by"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(describe(&filed), describe(&live));
}

#[test]
fn nothing_is_written_for_a_destination_that_the_configuration_does_not_allow() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("no-grant"));
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    let facts = home.write("facts.json", &surveyed.out);
    let config = home.write("config.toml", "[allowed]\naccounts = ['333333333333']\n");
    let ended = Ended::of(
        home.command()
            .args(["policies", "--as", "json", "--config"])
            .arg(config)
            .arg("--facts")
            .args([facts, plan]),
    );
    assert_eq!(ended.status, 3, "{ended:?}");
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("222222222222"), "{ended:?}");
}

/// "at least three times the estimate": an hour was the longest so far.
#[test]
fn a_grant_that_would_end_too_early_is_refused_with_the_least_that_is_taken() {
    let home = Home::new();
    let text = example("one-table");
    let plan = home.write("plan.toml", &text);
    let run = Ended::of(home.sandbox(&["run", "--yes"]).arg(&plan));
    assert_eq!(run.status, 0, "{run:?}");
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    let mut facts: Value = serde_json::from_str(&surveyed.out).unwrap();
    let export = &mut facts["exports"][0];
    export["started_at"] = "2026-11-20T00:00:00Z".into();
    export["ended_at"] = "2026-11-20T01:00:00Z".into();
    let facts = home.write("facts.json", &facts.to_string());
    for command in [&["policies", "--as", "json"][..], &["check"]] {
        let with = |expires: &str| {
            let mut program = home.command();
            program
                .args(command)
                .args(["--expires", expires, "--facts"]);
            Ended::of(program.args([&facts, &plan]))
        };
        let short = with("2h");
        assert_eq!(short.status, 2, "{short:?}");
        assert!(short.err.contains("--expires 180m"), "{short:?}");
        let enough = with("180m");
        assert_eq!(enough.status, 0, "{enough:?}");
    }
}

#[test]
fn a_grant_that_ends_says_when_in_the_document_and_in_the_text() {
    let home = Home::new();
    let plan = example("no-grant");
    let ends = ["--expires", "2099-12-01T18:00:00Z"];
    let ended = policies(&home, &plan, &[&["json"][..], &ends].concat());
    assert_eq!(ended.status, 0, "{ended:?}");
    let object: Value = serde_json::from_str(&ended.out).unwrap();
    let condition = &object["remedies"][0]["document"]["Statement"][0]["Condition"];
    let until = &condition["DateLessThan"]["aws:CurrentTime"];
    assert_eq!(until, "2099-12-01T18:00:00Z");
    let ended = policies(&home, &plan, &[&["message"][..], &ends].concat());
    assert!(
        ended.out.contains("ends by itself at 2099-12-01T18:00:00Z"),
        "{ended:?}"
    );
}
