//! `history` and `report`: what was done, also by others, and one document on a run.

use serde_json::Value;

use crate::program::{Ended, Home};
use crate::verify_buckets::{BUCKET, folder, orders};

fn run(home: &Home, arguments: &[&str]) -> Ended {
    let mut command = home.command();
    Ended::of(command.args(arguments).current_dir(home.path()))
}

fn of_event(ended: &Ended, event: &str) -> Vec<Value> {
    let objects = ended.objects().into_iter();
    objects.filter(|object| object["event"] == event).collect()
}

#[test]
fn everything_that_was_done_is_told_in_its_order() {
    let (home, _server) = orders();
    assert_eq!(
        run(&home, &["check", "plan.toml", "--probe", "--yes"]).status,
        0
    );
    assert_eq!(run(&home, &["verify", "1", "--deep"]).status, 0);
    assert_eq!(run(&home, &["fetch", "1", "copy"]).status, 0);
    let ended = run(&home, &["history", "--output", "json"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let events: Vec<String> = ended
        .objects()
        .iter()
        .map(|object| object["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        events,
        [
            "operation",
            "probe",
            "verification",
            "verification",
            "finished"
        ]
    );
    let uri = format!("s3://{BUCKET}/{}/", folder(&home));
    assert_eq!(of_event(&ended, "operation")[0]["uri"], uri);
    let verifications = of_event(&ended, "verification");
    assert_eq!(verifications[0]["verdict"], "whole");
    assert_eq!(verifications[0]["run"], 1);
    assert_eq!(verifications[0]["fault_count"], 0);
    assert!(
        verifications[1]["fetched_to"]
            .as_str()
            .unwrap()
            .contains("copy")
    );
    let none = run(&home, &["history", "--table", "Users", "--output", "json"]);
    assert_eq!(of_event(&none, "operation"), Vec::<Value>::new());
    let of_table = run(&home, &["history", "--table", "Orders", "--since", "1h"]);
    assert!(
        of_table
            .out
            .contains("export of Orders, COMPLETED, verified"),
        "{of_table:?}"
    );
    assert!(of_table.out.contains(&uri), "{of_table:?}");
}

#[test]
fn exports_of_other_machines_are_taken_in_once() {
    let (home, _server) = orders();
    let other = Home::new();
    for file in ["config", "credentials"] {
        let text = std::fs::read_to_string(home.path().join(".aws").join(file)).unwrap();
        other.write(&format!(".aws/{file}"), &text);
    }
    let import = [
        "history",
        "--import",
        "--profile",
        "prod-admin",
        "--output",
        "json",
    ];
    for (new, known) in [(1, 0), (0, 1)] {
        let ended = run(&other, &import);
        assert_eq!(ended.status, 0, "{ended:?}");
        let told = &of_event(&ended, "imported")[0];
        assert_eq!((&told["new"], &told["known"]), (&new.into(), &known.into()));
        let taken_in = of_event(&ended, "imported_export");
        assert_eq!(taken_in.len(), 1, "{ended:?}");
        assert_eq!(taken_in[0]["status"], "COMPLETED");
        assert_eq!(
            taken_in[0]["uri"],
            format!("s3://{BUCKET}/{}/", folder(&home))
        );
    }
    // What this machine started is known to it.
    let ended = run(&home, &import);
    assert_eq!(of_event(&ended, "imported")[0]["new"], 0, "{ended:?}");
    assert_eq!(of_event(&ended, "imported_export"), Vec::<Value>::new());
    assert_eq!(run(&other, &["history", "--import"]).status, 2);
}

#[test]
fn a_finished_run_tells_where_its_files_are_and_what_comes_next() {
    let (home, _server) = orders();
    let ended = run(&home, &["resume", "1", "--verify-again"]);
    assert!(
        ended
            .out
            .contains(&format!("files in s3://{BUCKET}/{}/", folder(&home))),
        "{ended:?}"
    );
    assert!(
        ended.out.contains("tableferry verify 1 --deep"),
        "{ended:?}"
    );
}

#[test]
fn a_report_names_both_identities_every_change_and_what_verifications_found() {
    let home = Home::new();
    let plan = home.write(
        "plan.toml",
        &format!(
            "[source]\nprofile = 'prod-oncall'\n[destination]\nprofile = 'dev-admin'\nbucket = '{}'\n[[tables]]\nname = 'Orders'\n",
            "export-nopolicy"
        ),
    );
    let plan = plan.to_str().unwrap();
    let applied =
        Ended::of(&mut home.sandbox(&["apply", plan, "--yes", "--allow", "bucket-policy"]));
    assert!([0, 5].contains(&applied.status), "{applied:?}");
    let ended = Ended::of(&mut home.sandbox(&["run", "--yes", plan]));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(
        Ended::of(&mut home.sandbox(&["verify", "1", "--deep"])).status,
        0
    );
    let report = Ended::of(&mut home.sandbox(&["report", "1", "--output", "json"]));
    assert_eq!(report.status, 0, "{report:?}");
    let document: Value = serde_json::from_str(&report.out).unwrap();
    let is_of = |name: &str, account: &str| {
        document[name]
            .as_str()
            .unwrap()
            .contains(&format!("::{account}:"))
    };
    assert!(is_of("source_arn", "111111111111") && is_of("destination_arn", "222222222222"));
    let change = &document["changes"][0];
    assert_eq!(change["kind"], "bucket-policy");
    assert!(change["before"].is_null() || change["before"].is_string());
    assert!(
        change["after"].as_str().unwrap().contains("s3:PutObject"),
        "{change}"
    );
    assert_eq!(
        (&change["in_place"], &change["age_days"]),
        (&true.into(), &0.into())
    );
    let verification = &document["verifications"][0];
    assert_eq!(verification["verdict"], "whole");
    assert_eq!(verification["manifests"].as_array().unwrap().len(), 2);
    let export = &document["exports"][0];
    assert!(
        export["export_arn"]
            .as_str()
            .unwrap()
            .contains("table/Orders/export/")
    );
    let text = Ended::of(&mut home.sandbox(&["report", "1"]));
    for part in [
        "# Run 1: exports to ",
        "## Who",
        "- source: arn:aws:",
        "### Change 1: ",
        "- still in place for 0 days",
        "- found: 5 files, ",
        " bytes, 10000 items",
        "- MD5 of manifest-summary.json: ",
        "every byte",
    ] {
        assert!(text.out.contains(part), "{part}\n{}", text.out);
    }
    let none = Ended::of(&mut home.sandbox(&["report", "7"]));
    assert_eq!(none.status, 2, "{none:?}");
}

#[test]
fn what_was_done_is_handed_to_another_machine_and_doubled_nowhere() {
    let (home, _server) = orders();
    assert_eq!(run(&home, &["verify", "1", "--deep"]).status, 0);
    let export = ["history", "--export", "handed.json", "--output", "json"];
    let written = run(&home, &export);
    assert_eq!(written.status, 0, "{written:?}");
    let told = &of_event(&written, "exported")[0];
    assert_eq!(
        (&told["exports"], &told["verifications"]),
        (&1.into(), &1.into())
    );
    let text = std::fs::read_to_string(home.path().join("handed.json")).unwrap();
    // Neither the token of the call nor the plan goes along.
    assert!(
        !text.contains("tableferry-") && !text.contains("profile"),
        "{text}"
    );
    assert_eq!(
        run(&home, &export).status,
        2,
        "a file that is there is written over"
    );

    let other = Home::new();
    other.write("handed.json", &text);
    let import = ["history", "--import", "handed.json", "--output", "json"];
    for (new, known) in [(2, 0), (0, 2)] {
        let taken_in = run(&other, &import);
        assert_eq!(taken_in.status, 0, "{taken_in:?}");
        let told = &of_event(&taken_in, "imported")[0];
        assert_eq!((&told["new"], &told["known"]), (&new.into(), &known.into()));
        let exports = of_event(&taken_in, "imported_export");
        assert_eq!(exports.len(), 1, "{taken_in:?}");
        let uri = format!("s3://{BUCKET}/{}/", folder(&home));
        assert_eq!(exports[0]["uri"], uri);
        let verifications = of_event(&taken_in, "verification");
        assert_eq!(verifications.len(), 1, "{taken_in:?}");
        assert_eq!(verifications[0]["is_of_another_machine"], true);
        assert_eq!(verifications[0]["run"], Value::Null);
    }
    // Where it came from, all of it is known as its own.
    let back = run(&home, &import);
    assert_eq!(of_event(&back, "imported")[0]["new"], 0, "{back:?}");
    assert_eq!(of_event(&back, "operation").len(), 1);
    assert_eq!(
        of_event(&back, "verification")[0]["is_of_another_machine"],
        false
    );

    other.write("cut.json", &text[..text.len() - 20]);
    let refused = run(&other, &["history", "--import", "cut.json"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(
        refused.err.contains("no history that tableferry wrote"),
        "{refused:?}"
    );
    let both = run(
        &other,
        &["history", "--import", "handed.json", "--profile", "x"],
    );
    assert_eq!(both.status, 2, "{both:?}");
}
