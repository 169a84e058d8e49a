//! The same plan a second time: nothing is exported twice unless it is asked for.

use std::process::Stdio;

use crate::program::{Ended, Home, JOB_SECONDS, Server};

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "twice"
[[tables]]
name = "Empty"
"#;

fn run(home: &Home, more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", PLAN);
    let arguments = [&["run", "--yes", "--output", "json"], more].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

#[test]
fn a_plan_completed_within_the_hour_is_not_run_again_unless_asked() {
    let home = Home::new();
    let first = run(&home, &[]);
    assert_eq!(first.status, 0, "{first:?}");
    let second = run(&home, &[]);
    assert_eq!(second.status, 0, "{second:?}");
    assert_eq!(
        second.exports()[0]["export_arn"],
        first.exports()[0]["export_arn"]
    );
    let third = run(&home, &["--again"]);
    assert_eq!(third.status, 0, "{third:?}");
    assert_ne!(
        third.exports()[0]["export_arn"],
        first.exports()[0]["export_arn"]
    );
}

#[test]
fn a_plan_that_is_under_way_is_followed() {
    let home = Home::new();
    let first = run(&home, &["--no-wait"]);
    assert_eq!(first.status, 0, "{first:?}");
    let second = run(&home, &[]);
    assert_eq!(second.status, 0, "{second:?}");
    assert_eq!(
        second.exports()[0]["export_arn"],
        first.exports()[0]["export_arn"]
    );
    assert_eq!(second.exports()[0]["verified"], true, "{second:?}");
}

#[test]
fn the_list_shows_what_the_journal_holds() {
    let home = Home::new();
    let first = run(&home, &[]);
    let list = Ended::of(&mut home.sandbox(&["exports"]));
    assert_eq!(list.status, 0, "{list:?}");
    assert!(list.out.contains("COMPLETED, verified"), "{list:?}");
    let arn = first.exports()[0]["export_arn"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(list.out.contains(&arn), "{list:?}");
}

#[test]
fn a_plan_run_by_several_processes_at_once_is_exported_once() {
    let home = Home::new();
    let _server = Server::start(&home, 0, JOB_SECONDS);
    let plan = home.write("plan.toml", PLAN);
    let runs: Vec<_> = (0..3)
        .map(|_| {
            home.command()
                .args(["run", "--yes", "--output", "json"])
                .arg(&plan)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let arns: Vec<_> = runs
        .into_iter()
        .map(|run| {
            let ended = Ended::from(run.wait_with_output().unwrap());
            assert_eq!(ended.status, 0, "{ended:?}");
            ended.exports()[0]["export_arn"].clone()
        })
        .collect();
    assert!(arns.iter().all(|arn| *arn == arns[0]), "{arns:?}");
}

#[test]
fn a_table_named_by_its_name_and_by_its_arn_is_not_exported_twice() {
    let home = Home::new();
    let arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/Empty";
    let plan = home.write(
        "plan.toml",
        &format!("{PLAN}[[tables]]\nname = \"{arn}\"\n"),
    );
    let ended = Ended::of(home.sandbox(&["run", "--yes"]).arg(plan));
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains("twice"), "{ended:?}");
}
