//! What is estimated before a start, and the limits of it; windows, their gaps, and when the first can be exported.

use jiff::{SignedDuration, Timestamp, Unit};
use rstest::rstest;

use crate::program::{Ended, Home, Server};

const BUCKET: &str = "export-landing";

fn plan(table: &str, span: &str) -> String {
    format!(
        "[source]\nprofile = 'prod-admin'\n[destination]\nprofile = 'dev-admin'\nbucket = '{BUCKET}'\n\
         prefix = 'estimates'\n[[tables]]\nname = '{table}'\n{span}"
    )
}

/// An incremental export's span, from and to so many minutes ago.
fn window(from: i64, to: i64) -> String {
    let ago = |minutes| {
        let time = Timestamp::now() - SignedDuration::from_mins(minutes);
        time.round(Unit::Minute).unwrap()
    };
    format!(
        "type = 'INCREMENTAL_EXPORT'\nfrom = '{}'\nto = '{}'\n",
        ago(from),
        ago(to)
    )
}

fn on_plan(home: &Home, plan: &str, words: &[&str]) -> Ended {
    let plan = home.write("plan.toml", plan);
    let mut command = home.sandbox(words);
    Ended::of(command.arg(plan))
}

/// A million a gigabyte is one for each kilobyte, and Orders has thousands of them.
#[rstest]
#[case::too_dear("full_export = 1000000", "1000", "cost about")]
#[case::no_price("transfer = 0.02", "1000", "[prices.REGION]")]
fn a_plan_that_may_cost_too_much_is_refused_whatever_is_forced(
    #[case] prices: &str,
    #[case] largest: &str,
    #[case] said: &str,
) {
    let home = Home::new();
    let config = format!("[limits]\nlargest_cost = {largest}\n[prices.'eu-west-1']\n{prices}\n");
    let config = home.write("config.toml", &config).display().to_string();
    for force in [&[][..], &["--force", "--again"][..]] {
        let words = [&["--config", &config, "run", "--yes"], force].concat();
        let ended = on_plan(&home, &plan("Orders", ""), &words);
        assert_eq!(ended.status, 3, "{ended:?}");
        assert!(ended.err.contains(said), "{ended:?}");
        assert!(ended.err.contains("[limits] largest_cost"), "{ended:?}");
        assert!(ended.out.contains("nothing was started"), "{ended:?}");
    }
    let runs = home.journal();
    let runs: u32 = runs
        .query_row("SELECT count(*) FROM run", [], |row| row.get(0))
        .unwrap();
    assert_eq!(runs, 0);
}

#[test]
fn a_plan_within_the_limit_is_started() {
    let home = Home::new();
    let config = "[limits]\nlargest_cost = 1000000\n[prices.default]\nfull_export = 1000000\n";
    let config = home.write("config.toml", config).display().to_string();
    let words = ["--config", &config, "run", "--yes"];
    let ended = on_plan(&home, &plan("Orders", ""), &words);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.out.contains("estimate: "), "{ended:?}");
}

/// The warnings of a start that is only shown.
fn warnings(home: &Home, plan: &str) -> String {
    let ended = on_plan(home, plan, &["run", "--dry-run", "--output", "json"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let mut objects = ended.objects().into_iter();
    let summary = objects.find(|object| object["event"] == "start_summary");
    summary.unwrap()["warnings"].to_string()
}

#[test]
fn changes_that_no_export_holds_are_told_before_a_window_that_leaves_them_out() {
    let home = Home::new();
    let first = on_plan(&home, &plan("Orders", &window(180, 120)), &["run", "--yes"]);
    assert_eq!(first.status, 0, "{first:?}");
    let gap = "is in no export to this place";
    let told = warnings(&home, &plan("Orders", &window(90, 30)));
    assert!(
        told.contains(gap) && told.contains("from = \\\"last\\\""),
        "{told}"
    );
    // Elsewhere nothing was exported, so that nothing is left out there.
    let elsewhere = plan("Orders", &window(90, 30)).replace("'estimates'", "'elsewhere'");
    assert!(!warnings(&home, &elsewhere).contains(gap));
    let last = "type = 'INCREMENTAL_EXPORT'\nfrom = 'last'\n";
    assert!(!warnings(&home, &plan("Orders", last)).contains(gap));
}

/// The sandbox's tables have a recovery window of 35 days.
#[rstest]
#[case::in_two_days(33, true)]
#[case::in_five_days(30, false)]
fn a_window_that_leaves_recovery_soon_is_told(#[case] days: i64, #[case] is_told: bool) {
    let home = Home::new();
    let minutes = days * 24 * 60;
    let told = warnings(&home, &plan("Orders", &window(minutes, minutes - 60)));
    assert_eq!(
        told.contains("leaves its recovery window"),
        is_told,
        "{told}"
    );
}

/// A world in which recovery of a table was switched on when its clock was so far off, and is right since.
fn switched_on(offset: &str) -> (Home, Server) {
    let home = Home::new();
    let server = Server::with_clock(&home, "0.2", offset);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    home.write("plan.toml", &plan("Sessions", ""));
    let applied = command(
        &home,
        &["apply", "plan.toml", "--yes", "--allow", "recovery"],
    );
    assert!([0, 5].contains(&applied.status), "{applied:?}");
    home.move_clock("+0s");
    (home, server)
}

fn command(home: &Home, words: &[&str]) -> Ended {
    let mut command = home.command();
    Ended::of(command.args(words).current_dir(home.path()))
}

/// The first incremental export was taken 16 minutes after recovery was switched on, as public projects saw it.
#[test]
fn right_after_recovery_was_switched_on_the_first_window_is_to_be_waited_for() {
    let (home, _server) = switched_on("+0s");
    home.write("plan.toml", &plan("Sessions", &window(20, 5)));
    let early = command(&home, &["check", "plan.toml"]);
    assert_eq!(early.status, 3, "{early:?}");
    assert!(early.out.contains("wait until then"), "{early:?}");
}

#[test]
fn an_hour_after_recovery_was_switched_on_a_window_since_then_is_exported_and_none_before() {
    let (home, _server) = switched_on("-60m");
    home.write("plan.toml", &plan("Sessions", &window(80, 65)));
    let before = command(&home, &["check", "plan.toml"]);
    assert_eq!(before.status, 3, "{before:?}");
    assert!(before.out.contains("choose a beginning from"), "{before:?}");
    assert!(!before.out.contains("wait until then"), "{before:?}");
    home.write("plan.toml", &plan("Sessions", &window(50, 35)));
    let since = command(&home, &["run", "plan.toml", "--yes"]);
    assert_eq!(since.status, 0, "{since:?}");
}
