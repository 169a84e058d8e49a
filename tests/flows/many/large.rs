//! Two hundred tables in one plan, and twenty under throttling whose run is killed again and again.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use super::plan;
use crate::killed::exports;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, is_for, refusal};

fn home() -> Home {
    let home = Home::new();
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 5\n",
    );
    home.write("plan.toml", &plan("[\"Bulk-*\"]"));
    home
}

fn command(home: &Home, words: &[&str]) -> std::process::Command {
    let mut command = home.command();
    command.args(words);
    command
}

fn on_plan(home: &Home, words: &[&str]) -> std::process::Command {
    let mut command = command(home, words);
    command.arg(home.path().join("plan.toml"));
    command
}

/// How often each table was exported; asked again where the asking is throttled.
fn times(home: &Home) -> BTreeMap<String, usize> {
    let listed = (0..20).find_map(|_| {
        let listed = std::panic::catch_unwind(AssertUnwindSafe(|| exports(home)));
        listed.ok()
    });
    let mut times = BTreeMap::new();
    for export in listed.unwrap() {
        let table = export.resource.split('/').nth(1).unwrap().to_owned();
        *times.entry(table).or_default() += 1;
    }
    times
}

#[test]
fn two_hundred_tables_are_started_queued_one_refused_and_retried() {
    let home = home();
    let options = ["--sandbox-tables", "200", "--sandbox-most-exports", "30"];
    let server = Server::in_memory(&home, &options, "12");
    let mut run = on_plan(&home, &["run", "--yes", "--output", "json"]);
    let ended = relay::run(&home, &server, &mut run, |head, passing| {
        let is_start = is_for(head, "ExportTableToPointInTime");
        if is_start && head.contains("table/bulk-0123") && passing == Passing::Request {
            refusal("ValidationException")
        } else {
            Fate::Pass
        }
    });
    assert_eq!(ended.status, 3, "{ended:?}");
    let exports = ended.exports();
    let of = |status: &str| exports.iter().filter(|one| one["status"] == status).count();
    assert_eq!((of("COMPLETED"), of("REFUSED")), (199, 1));
    assert!(
        ended.out.contains("exports wait for room"),
        "some had to wait"
    );
    let again = Ended::of(&mut command(&home, &["retry", "1", "--yes"]));
    assert_eq!(again.status, 0, "{again:?}");
    let times = times(&home);
    assert_eq!(times.len(), 200);
    assert!(times.values().all(|count| *count == 1), "{times:?}");
}

#[test]
fn a_check_of_two_hundred_tables_asks_three_things_of_each_and_tells_them_together() {
    let home = home();
    let server = Server::in_memory(&home, &["--sandbox-tables", "200"], "1");
    let counts: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counted = Arc::clone(&counts);
    let mut check = on_plan(&home, &["check"]);
    let ended = relay::run(&home, &server, &mut check, move |head, passing| {
        if passing == Passing::Request {
            let target = head
                .lines()
                .find_map(|line| line.strip_prefix("x-amz-target: "));
            let operation = target.map_or("other", |target| target.trim());
            let operation = operation.rsplit('.').next().unwrap_or(operation).to_owned();
            *counted.lock().unwrap().entry(operation).or_default() += 1;
        }
        Fate::Pass
    });
    assert_eq!(ended.status, 0, "{ended:?}");
    let counts = counts.lock().unwrap();
    for each in [
        "describetable",
        "describecontinuousbackups",
        "getresourcepolicy",
    ] {
        assert_eq!(counts[each], 200, "{counts:?}");
    }
    // A page of ListTables has a hundred names.
    assert!(counts["listtables"] <= 3, "{counts:?}");
    assert!(counts["listexports"] <= 2, "{counts:?}");
    let rest: usize = counts.values().sum::<usize>() - 600;
    assert!(
        rest < 80,
        "what is not of a table is asked as of one: {counts:?}"
    );
    let together = "dynamodb:ExportTableToPointInTime on 200 tables: 200 allowed";
    assert!(ended.out.contains(together), "{ended:?}");
    let lines = ended.out.lines().count();
    assert!(lines < 80, "{lines} lines:\n{}", ended.out);
    assert!(ended.out.contains("estimate: "), "{ended:?}");
}

/// How many runs are killed where nobody says.
const USUAL: u64 = 2;

#[test]
fn twenty_tables_under_throttling_are_exported_once_whenever_the_run_is_killed() {
    let rounds = std::env::var("MANY_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    for seed in 0..rounds.unwrap_or(USUAL) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let home = home();
        let options = [
            "--sandbox-tables",
            "20",
            "--sandbox-most-exports",
            "8",
            "--sandbox-fault",
            "*=throttle:0.3",
        ];
        let server = Server::in_memory(&home, &options, "1");
        for kill in 0..rng.usize(2..6) {
            let mut next = if kill == 0 {
                on_plan(&home, &["run", "--yes"])
            } else {
                command(&home, &["resume"])
            };
            let mut left = rng.usize(20..400);
            // One that ends before was killed by nothing.
            relay::run(&home, &server, &mut next, move |_, _| {
                left = left.saturating_sub(1);
                if left == 0 { Fate::Killed } else { Fate::Pass }
            });
        }
        // The first may have been killed before it was written down.
        let mut last = None;
        for _ in 0..30 {
            let resumed = Ended::of(&mut command(&home, &["resume"]));
            let is_begun = !resumed.out.contains("nothing is under way");
            let ended = if resumed.status == 0 && !is_begun && times(&home).is_empty() {
                Ended::of(&mut on_plan(&home, &["run", "--yes"]))
            } else {
                resumed
            };
            let is_done = ended.status == 0;
            last = Some(ended);
            if is_done {
                break;
            }
        }
        assert_eq!(
            last.as_ref().map(|ended| ended.status),
            Some(0),
            "seed {seed}: {last:?}"
        );
        let times = times(&home);
        assert_eq!(times.len(), 20, "seed {seed}: {times:?}");
        assert!(
            times.values().all(|count| *count == 1),
            "seed {seed}: {times:?}"
        );
    }
}
