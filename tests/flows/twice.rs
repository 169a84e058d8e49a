//! The same plan a second time: nothing is exported twice unless it is asked for.

use crate::program::{Ended, Home};

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
