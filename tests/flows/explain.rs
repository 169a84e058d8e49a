//! `tableferry explain`: texts, logs and files in; causes out.

use std::io::Write;
use std::process::Stdio;

use rstest::rstest;
use serde_json::Value;

use crate::program::{Ended, Home};

const REFUSED: &str = "An error occurred (AccessDenied) when calling the PutObject operation: User: \
    arn:aws:sts::111122223333:assumed-role/up/me is not authorized to perform: s3:PutObject on resource: \
    \"arn:aws:s3:::landing/k\" because no resource-based policy allows the s3:PutObject action";

fn explained(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(home.command().arg("explain").args(arguments))
}

/// What is given on standard input.
fn piped(home: &Home, arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = home
        .command()
        .arg("explain")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    Ended::from(child.wait_with_output().unwrap())
}

fn only_object(ended: &Ended) -> Value {
    let objects = ended.objects();
    assert_eq!(objects.len(), 1, "{ended:?}");
    objects.into_iter().next().unwrap()
}

#[test]
fn a_refusal_is_told_with_who_what_and_why() {
    let ended = explained(&Home::new(), &[REFUSED]);
    assert_eq!(ended.status, 0, "{ended:?}");
    for told in [
        "s3:PutObject was refused (AccessDenied), line 1",
        "arn:aws:sts::111122223333:assumed-role/up/me (role session)",
        "arn:aws:s3:::landing/k",
        "no resource-based policy that allows it",
        "the cause: The bucket's policy does not allow s3:PutObject to the caller [bucket-policy-lacks]",
        "whether another policy refuses as well",
    ] {
        assert!(ended.out.contains(told), "no {told:?} in {}", ended.out);
    }
}

#[test]
fn what_nothing_separates_is_told_as_equal_and_none_as_certain() {
    let ended = explained(&Home::new(), &["Access Denied"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert!(ended.out.contains("equally possible"), "{}", ended.out);
    assert!(!ended.out.contains("the cause:"), "{}", ended.out);
}

/// A log with two refusals of one kind among other lines, however it is given.
#[rstest]
#[case::standard_input(true)]
#[case::file(false)]
fn repeated_refusals_of_a_log_are_one_with_a_count(#[case] is_piped: bool) {
    let home = Home::new();
    let other = REFUSED.replace("landing/k", "landing/other");
    let log = format!("start\n{REFUSED}\nServed GET /health\n{other}\n");
    let ended = if is_piped {
        piped(&home, &["-", "--output", "json"], log.as_bytes())
    } else {
        let file = home.write("a.log", &log);
        explained(&home, &["--output", "json", file.to_str().unwrap()])
    };
    let object = only_object(&ended);
    assert_eq!(object["schema"], 1);
    assert_eq!(object["lines"], 4);
    assert_eq!(object["errors"].as_array().unwrap().len(), 1, "{object}");
    let error = &object["errors"][0];
    assert_eq!(error["count"], 2);
    assert_eq!(
        (&error["first_line"], &error["last_line"]),
        (&2.into(), &4.into())
    );
    assert_eq!(error["policy_kind"], "resource-based");
    assert_eq!(error["causes"][0]["id"], "bucket-policy-lacks");
    assert_eq!(error["causes"][0]["certainty"], "the-cause");
    assert_eq!(error["refusal"], true);
}

#[test]
fn a_packed_file_of_cloudtrail_is_unpacked() {
    let home = Home::new();
    let record = r#"{"eventVersion":"1.11","userIdentity":{"arn":"arn:aws:iam::111122223333:user/ann"},"eventTime":"2026-11-20T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::111122223333:user/ann is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::111122223333:user/bob with an explicit deny in a service control policy"}"#;
    let file = format!(r#"{{"Records":[{record},{record}]}}"#);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(file.as_bytes()).unwrap();
    let path = home.path().join("trail.json.gz");
    std::fs::write(&path, packed.finish().unwrap()).unwrap();
    let ended = explained(&home, &["--output", "json", path.to_str().unwrap()]);
    let error = &only_object(&ended)["errors"][0];
    assert_eq!(error["count"], 2);
    assert_eq!(error["causes"][0]["id"], "scp-denies");
    assert_eq!(error["event_time"], "2026-11-20T10:00:00Z");
}

#[rstest]
#[case(
    "An error occurred (ThrottlingException) when calling the DescribeExport operation: Rate exceeded",
    "throttling"
)]
#[case(
    "Could not connect to the endpoint URL: \"https://dynamodb.eu-west-9.amazonaws.com/\"",
    "network"
)]
#[case(
    "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)",
    "elsewhere"
)]
fn what_is_no_refusal_is_called_what_it_is(#[case] text: &str, #[case] class: &str) {
    let ended = explained(&Home::new(), &["--output", "json", text]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let error = &only_object(&ended)["errors"][0];
    assert_eq!(error["class"], class);
    assert_eq!(error["refusal"], false);
}

#[test]
fn prose_about_refusals_is_no_alarm() {
    let ended = explained(
        &Home::new(),
        &["We retry on AccessDenied, and report Access Denied to the on-call engineer."],
    );
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.out.contains("No error of AWS"), "{}", ended.out);
}

#[test]
fn no_secret_and_no_control_character_is_repeated() {
    let text = format!(
        "\u{1b}[31mupload to https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F1&X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0 {REFUSED}\u{7}"
    );
    for output in ["text", "json"] {
        let ended = explained(&Home::new(), &["--output", output, &text]);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(!ended.out.contains("AKIAIOSFODNN7EXAMPLE"), "{}", ended.out);
        assert!(
            !ended.out.contains("fe5f80f77d5fa3beca038a248ff027d0"),
            "{}",
            ended.out
        );
        assert!(!ended.out.contains(['\u{1b}', '\u{7}']), "{}", ended.out);
    }
    let signed = "An error occurred (InvalidAccessKeyId) when calling the ListBuckets operation: The AWS Access Key Id AKIAIOSFODNN7EXAMPLE you provided does not exist in our records.";
    let ended = explained(&Home::new(), &[signed]);
    assert!(ended.out.contains("AKIA***"), "{}", ended.out);
    assert!(!ended.out.contains("AKIAIOSFODNN7EXAMPLE"), "{}", ended.out);
}

#[test]
fn what_cannot_be_read_is_said() {
    let home = Home::new();
    let missing = explained(&home, &["no-such.log"]);
    assert_eq!(missing.status, 2);
    assert!(
        missing.err.contains("there is no file no-such.log"),
        "{}",
        missing.err
    );
    let directory = explained(&home, &[home.path().to_str().unwrap()]);
    assert_eq!(directory.status, 2);
    assert!(directory.err.contains("a directory"), "{}", directory.err);
}

const NO_GRANT: &str = include_str!("../../assets/plans/no-grant.toml");

fn in_sandbox(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(&mut home.sandbox(arguments))
}

/// A run whose export fails for want of a grant in the bucket's policy.
fn failed_run(home: &Home) -> (String, Ended) {
    let plan = home.write("plan.toml", NO_GRANT).display().to_string();
    let run = in_sandbox(home, &["run", &plan, "--yes", "--force"]);
    assert_eq!(run.status, 1, "{run:?}");
    (plan, run)
}

#[test]
fn a_run_that_fails_says_why_what_to_do_and_what_says_more() {
    let home = Home::new();
    let (_, run) = failed_run(&home);
    for told in [
        "Orders: the cause: The bucket's policy does not allow s3:PutObject to the caller [bucket-policy-lacks]; fix: ",
        "`tableferry explain 1` reads both accounts",
    ] {
        assert!(run.out.contains(told), "no {told:?} in {run:?}");
    }
    let listed = in_sandbox(&home, &["exports", "--output", "json"]);
    let causes = &listed.objects()[0]["causes"];
    assert_eq!(causes[0]["id"], "bucket-policy-lacks", "{listed:?}");
    assert_eq!(causes[0]["certainty"], "the-cause");
}

#[test]
fn a_run_is_explained_by_both_accounts_as_they_are_now() {
    let home = Home::new();
    let (plan, _) = failed_run(&home);
    let told = in_sandbox(&home, &["explain", "1", "--output", "json"]);
    assert_eq!(told.status, 0, "{told:?}");
    let object = only_object(&told);
    assert_eq!(object["operations"][0]["name"], "Orders");
    assert_eq!(object["operations"][0]["refused"], false);
    assert_eq!(
        object["errors"][0]["causes"][0]["id"],
        "bucket-policy-lacks"
    );
    // What the sentence does not name, the assessment does: all that would be refused next.
    let refused = object["refused_by_plan"].as_array().unwrap();
    let actions = [
        "s3:PutObject ",
        "s3:PutObjectAcl",
        "s3:AbortMultipartUpload",
    ];
    for action in actions {
        let is_told = refused
            .iter()
            .any(|one| format!("{} ", one["requirement"].as_str().unwrap()).contains(action));
        assert!(is_told, "no {action} in {refused:?}");
    }
    // The source may not look up events; the destination may.
    assert!(
        object["not_read"]
            .to_string()
            .contains("cloudtrail:LookupEvents"),
        "{object}"
    );

    let apply = ["apply", &plan, "--yes", "--allow", "bucket-policy"];
    assert_eq!(in_sandbox(&home, &apply).status, 0);
    let told = in_sandbox(&home, &["explain", "1"]);
    for words in [
        "run 1 to s3://export-nopolicy/prod",
        "Orders: s3:PutObject was refused (S3AccessDenied)",
        "it may be fixed: resource policy allows, by what was read now",
        "nothing of the plan is denied now",
        "Changed since the last success:",
        "by arn:aws:iam::222222222222:user/dev-admin",
    ] {
        assert!(told.out.contains(words), "no {words:?} in {told:?}");
    }
}

#[test]
fn a_run_is_explained_by_the_journal_alone_where_nobody_signs_in() {
    let home = Home::new();
    failed_run(&home);
    let told = in_sandbox(&home, &["explain", "1", "--offline", "--output", "json"]);
    assert_eq!(told.status, 0, "{told:?}");
    let object = only_object(&told);
    assert_eq!(
        object["errors"][0]["causes"][0]["id"],
        "bucket-policy-lacks"
    );
    assert_eq!(object["refused_by_plan"], Value::Null);
    assert!(
        !told.err.contains("account"),
        "somebody signed in: {told:?}"
    );
    let missing = in_sandbox(&home, &["explain", "7"]);
    assert_eq!(missing.status, 2, "{missing:?}");
    assert!(
        missing.err.contains("the journal has no run 7"),
        "{missing:?}"
    );
}

#[test]
fn an_export_is_explained_by_its_arn() {
    let home = Home::new();
    let (plan, _) = failed_run(&home);
    let listed = in_sandbox(&home, &["exports", "--output", "json"]);
    let arn = listed.objects()[0]["export_arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let with_plan = ["explain", &arn, "--plan", &plan, "--output", "json"];
    let with_profile = [
        "explain",
        &arn,
        "--profile",
        "prod-oncall",
        "--output",
        "json",
    ];
    for (arguments, is_assessed) in [(&with_plan[..], true), (&with_profile[..], false)] {
        let told = in_sandbox(&home, arguments);
        assert_eq!(told.status, 0, "{told:?}");
        let object = only_object(&told);
        assert_eq!(object["of"], arn.as_str());
        assert_eq!(
            object["errors"][0]["causes"][0]["id"],
            "bucket-policy-lacks"
        );
        assert_eq!(object["refused_by_plan"].is_array(), is_assessed);
    }
    let nobody = in_sandbox(&home, &["explain", &arn]);
    assert_eq!(nobody.status, 2, "{nobody:?}");
    assert!(nobody.err.contains("no profile is named"), "{nobody:?}");
}

#[test]
fn a_text_is_explained_with_the_accounts_of_a_plan_as_they_are_now() {
    let home = Home::new();
    let plan = home.write("plan.toml", NO_GRANT).display().to_string();
    let text =
        "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied";
    let alone = explained(&home, &["--output", "json", text]);
    assert_eq!(alone.status, 5, "{alone:?}");
    let told = in_sandbox(
        &home,
        &["explain", "--plan", &plan, "--output", "json", text],
    );
    let object = only_object(&told);
    assert_eq!(
        object["errors"][0]["causes"][0]["id"], "bucket-policy-lacks",
        "{object}"
    );
    assert_eq!(object["errors"][0]["causes"][0]["certainty"], "likely");
    assert!(object["refused_by_plan"].is_array());
}
