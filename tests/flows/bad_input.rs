//! Bad input, each with a clear error and nothing started.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::program::{Ended, Home, Server};

const KEYS: &str = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n";

fn profiles(home: &Home) -> Ended {
    Ended::of(home.command().arg("profiles"))
}

#[test]
fn an_empty_home_has_no_profiles_and_says_what_makes_one() {
    let ended = profiles(&Home::new());
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("aws configure"), "{ended:?}");
    assert!(ended.err.contains("--sandbox"), "{ended:?}");
}

#[test]
fn a_line_that_is_none_is_told_and_spoils_no_other_profile() {
    let home = Home::new();
    home.write(
        ".aws/config",
        "[profile good]\nregion = eu-west-1\n[profile bad\nregion\n",
    );
    home.write(".aws/credentials", &format!("[good]\n{KEYS}"));
    let ended = profiles(&home);
    assert!(ended.out.contains("good"), "{ended:?}");
    assert!(ended.err.contains("config:3"), "{ended:?}");
}

#[test]
fn a_byte_order_mark_spoils_nothing() {
    let home = Home::new();
    home.write(
        ".aws/config",
        "\u{feff}[profile good]\nregion = eu-west-1\n",
    );
    home.write(".aws/credentials", &format!("[good]\n{KEYS}"));
    let ended = profiles(&home);
    assert!(ended.out.contains("good"), "{ended:?}");
    assert!(ended.out.contains("eu-west-1"), "{ended:?}");
}

#[test]
fn ten_thousand_profiles_are_listed() {
    use std::fmt::Write;

    let home = Home::new();
    let mut credentials = String::new();
    for number in 0..10_000 {
        write!(credentials, "[p{number}]\n{KEYS}").unwrap();
    }
    home.write(".aws/credentials", &credentials);
    let ended = profiles(&home);
    assert_eq!(ended.status, 0);
    assert_eq!(ended.out.lines().count(), 10_000);
}

#[test]
fn keys_in_the_environment_do_not_take_the_place_of_the_chosen_profile() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "0.2");
    let plan = home.write("plan.toml", ONE_TABLE);
    let ended = Ended::of(
        home.command()
            .env("AWS_ACCESS_KEY_ID", "AKIASANDBOXPARTNERAD")
            .env(
                "AWS_SECRET_ACCESS_KEY",
                "sandbox-only/partner-admin/no-secret-000",
            )
            .args(["run", "--yes", "--no-wait", "--output", "json"])
            .arg(&plan),
    );
    let identities: Vec<_> = ended
        .objects()
        .into_iter()
        .filter(|object| object["event"] == "identity")
        .map(|object| object["account"].clone())
        .collect();
    assert_eq!(identities, ["111111111111", "222222222222"], "{ended:?}");
}

const ONE_TABLE: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
[[tables]]
name = "Orders"
"#;

#[test]
fn every_mistake_of_a_plan_is_told_at_once_with_its_line() {
    let home = Home::new();
    let plan = home.write(
        "plan.toml",
        r#"[source]
profile = 7
[destination]
bucket = "arn:aws:s3:::export-landing"
ownr = "222222222222"
[[tables]]
name = "Orders"
time = "2999-01-01T00:00:00Z"
"#,
    );
    let ended = Ended::of(home.sandbox(&["run", "--yes"]).arg(&plan));
    assert_eq!(ended.status, 2, "{ended:?}");
    for (line, word) in [(2, "profile"), (4, "ARN"), (5, "`owner`"), (8, "future")] {
        let told = ended
            .err
            .lines()
            .skip_while(|text| !text.contains(&format!("plan.toml:{line}:")));
        let told: Vec<&str> = told.take(2).collect();
        assert!(
            told.join(" ").contains(word),
            "line {line} without {word}: {ended:?}"
        );
    }
}

#[test]
fn a_plan_that_is_not_there_is_told() {
    let home = Home::new();
    let ended = Ended::of(&mut home.sandbox(&["run", "--yes", "/nonexistent/plan.toml"]));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("/nonexistent/plan.toml"), "{ended:?}");
}

#[test]
fn without_a_terminal_the_wizard_says_what_to_run_instead() {
    let ended = Ended::of(&mut Home::new().command());
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("tableferry run PLAN --yes"), "{ended:?}");
}

#[test]
fn without_a_terminal_a_run_needs_yes() {
    let home = Home::new();
    let plan = home.write("plan.toml", ONE_TABLE);
    let ended = Ended::of(home.sandbox(&["run"]).arg(&plan));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("--yes"), "{ended:?}");
}

#[test]
fn without_a_terminal_a_profile_that_needs_a_code_leaves_the_run_to_be_started_by_hand() {
    let home = Home::new();
    let plan = home.write("plan.toml", &ONE_TABLE.replace("prod-oncall", "prod-mfa"));
    let ended = Ended::of(home.sandbox(&["run", "--yes"]).arg(&plan));
    assert_eq!(ended.status, 4, "{ended:?}");
    assert!(
        ended
            .err
            .contains("arn:aws:iam::111111111111:mfa/prod-admin"),
        "{ended:?}"
    );
}

#[test]
fn a_profile_that_is_not_signed_in_names_the_command_that_renews_it() {
    let home = Home::new();
    home.write(
        ".aws/config",
        "[profile work]
region = eu-west-1
sso_session = company
sso_account_id = 111111111111
sso_role_name = Exporter
[sso-session company]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
",
    );
    let plan = home.write("plan.toml", &ONE_TABLE.replace("prod-oncall", "work"));
    let ended = Ended::of(home.command().args(["run", "--yes"]).arg(&plan));
    assert_eq!(ended.status, 4, "{ended:?}");
    assert!(
        ended.err.contains("aws sso login --profile work"),
        "{ended:?}"
    );
}

#[test]
fn a_misspelt_profile_is_told_with_the_nearest_one() {
    let home = Home::new();
    let plan = home.write("plan.toml", &ONE_TABLE.replace("prod-oncall", "prod-oncal"));
    let ended = Ended::of(home.sandbox(&["run", "--yes"]).arg(&plan));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("prod-oncall"), "{ended:?}");
}

/// A home whose profile `other` points at a server that answers each connection with `serve`.
fn home_with_server(serve: fn(TcpStream)) -> Home {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream));
        }
    });
    let home = Home::new();
    home.write(
        ".aws/config",
        &format!("[profile other]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:{port}\n"),
    );
    home.write(".aws/credentials", &format!("[other]\n{KEYS}"));
    home.write(
        ".config/tableferry/config.toml",
        "[timeouts]\nconnect_seconds = 1\nread_seconds = 1\nattempt_seconds = 1\noperation_seconds = 2\n",
    );
    home.write("plan.toml", &ONE_TABLE.replace("prod-oncall", "other"));
    home
}

fn run_plan(home: &Home) -> Ended {
    Ended::of(
        home.command()
            .args(["run", "--yes"])
            .arg(home.path().join("plan.toml")),
    )
}

#[test]
fn a_server_that_never_answers_hangs_nothing() {
    let home = home_with_server(|mut stream| {
        let mut swallowed = Vec::new();
        let _ = stream.read_to_end(&mut swallowed);
    });
    let begun = Instant::now();
    let ended = run_plan(&home);
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains("sts:GetCallerIdentity"), "{ended:?}");
}

#[test]
fn a_proxys_page_is_no_answer_of_aws() {
    let home = home_with_server(|mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let page =
            "<!DOCTYPE html><html><head><title>Blocked \u{1b}[31mby policy</title></head></html>";
        let _ = write!(
            stream,
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
    });
    let ended = run_plan(&home);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains("web page"), "{ended:?}");
    assert!(!ended.err.contains('\u{1b}'), "{ended:?}");
}

#[test]
fn a_journal_that_is_none_is_told_and_kept() {
    let home = Home::new();
    let path = home.write(
        ".local/state/tableferry/journal.db",
        "somebody's notes, not a database at all, but long enough to be looked at",
    );
    let ended = Ended::of(home.command().arg("exports"));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(
        ended.err.contains("journal.db") && ended.err.contains("hint"),
        "{ended:?}"
    );
    assert!(
        std::fs::read_to_string(path)
            .unwrap()
            .starts_with("somebody's notes")
    );
}

#[rstest]
#[case(
    "arn:aws:dynamodb:eu-west-1:333333333333:table/Orders",
    "belongs to account 333333333333"
)]
#[case(
    "arn:aws-cn:dynamodb:cn-north-1:111111111111:table/Orders",
    "partition aws-cn"
)]
fn a_table_of_another_account_or_partition_is_refused_and_no_other_taken(
    #[case] arn: &str,
    #[case] reason: &str,
) {
    let home = Home::new();
    let plan = home.write(
        "plan.toml",
        &ONE_TABLE.replace("Orders", arn).replace("Empty", arn),
    );
    let ended = Ended::of(home.sandbox(&["run", "--yes"]).arg(plan));
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains(reason), "{ended:?}");
    assert!(ended.out.contains("nothing was started"), "{ended:?}");
}
