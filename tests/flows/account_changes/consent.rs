//! Consent on the command line: what is not named is not changed.

use serde_json::Value;

use crate::account_changes::world::example;
use crate::program::{Ended, Home};

fn apply(home: &Home, name: &str, more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", &example(name));
    let arguments = [&["apply", "--output", "json"], more].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

fn events<'e>(objects: &'e [Value], name: &str) -> Vec<&'e Value> {
    let found = objects.iter().filter(|object| object["event"] == name);
    found.collect()
}

fn listed(home: &Home) -> Vec<Value> {
    Ended::of(&mut home.sandbox(&["apply", "--list", "--output", "json"])).objects()
}

#[test]
fn yes_without_a_kind_changes_nothing() {
    let home = Home::new();
    for more in [
        &["--yes"][..],
        &["--yes", "--allow", "recovery,key-policy,identity-policy"],
    ] {
        let ended = apply(&home, "no-grant", more);
        assert_eq!(ended.status, 3, "{ended:?}");
        assert!(ended.out.contains("--allow bucket-policy"), "{ended:?}");
        assert_eq!(listed(&home), Vec::<Value>::new());
    }
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_asked_and_nothing_changed() {
    let home = Home::new();
    let ended = apply(&home, "no-grant", &[]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.out.contains("--allow"), "{ended:?}");
}

#[test]
fn a_kind_that_is_none_is_told_with_those_that_are() {
    let home = Home::new();
    let ended = apply(&home, "no-grant", &["--yes", "--allow", "everything"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("identity-policy"), "{ended:?}");
}

#[test]
fn the_list_says_when_a_grant_ends() {
    let home = Home::new();
    let grant_options = ["--yes", "--allow", "bucket-policy", "--no-wait"];
    let end = ["--expires", "2099-12-01T18:00:00Z"];
    let _ = apply(&home, "no-grant", &[&grant_options[..], &end].concat());
    assert_eq!(listed(&home)[0]["ends_at"], "2099-12-01T18:00:00Z");
    let told = Ended::of(&mut home.sandbox(&["apply", "--list"]));
    assert!(told.out.contains("ends 2099-12-01T18:00:00Z"), "{told:?}");
}

#[test]
fn what_is_named_is_applied_listed_and_undone() {
    let home = Home::new();
    let ended = apply(&home, "no-grant", &["--yes", "--allow", "bucket-policy"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let objects = ended.objects();
    let applied = events(&objects, "applied");
    assert_eq!(applied.len(), 1, "{ended:?}");
    assert_eq!(applied[0]["read_back"], "as_written");
    assert_eq!(events(&objects, "held")[0]["standing"], "holds");
    let checked = events(&objects, "checked");
    assert_eq!(checked.last().unwrap()["overall"], "allowed");

    let in_place = listed(&home);
    assert_eq!(in_place.len(), 1);
    assert_eq!(in_place[0]["title"], "bucket policy of export-nopolicy");
    assert_eq!(
        in_place[0]["written"],
        serde_json::json!(["TableferryWrite"])
    );
    assert_eq!(
        in_place[0]["caller"],
        "arn:aws:iam::222222222222:user/dev-admin"
    );
    let told = Ended::of(&mut home.sandbox(&["apply", "--list"]));
    assert!(
        told.out.contains(
            "bucket policy of export-nopolicy (`TableferryWrite`), made as \
             arn:aws:iam::222222222222:user/dev-admin by profile dev-admin"
        ),
        "{told:?}"
    );
    let number = in_place[0]["change"].to_string();

    let nothing_more = apply(&home, "no-grant", &["--yes", "--allow", "bucket-policy"]);
    assert_eq!(nothing_more.status, 0, "{nothing_more:?}");
    assert_eq!(listed(&home).len(), 1);

    let unasked = Ended::of(&mut home.sandbox(&["undo", &number]));
    assert_eq!(unasked.status, 2, "{unasked:?}");
    let undone = Ended::of(&mut home.sandbox(&["undo", &number, "--yes"]));
    assert_eq!(undone.status, 0, "{undone:?}");
    assert!(undone.out.contains("is undone"), "{undone:?}");
    assert_eq!(listed(&home), Vec::<Value>::new());
    let again = Ended::of(&mut home.sandbox(&["undo", &number, "--yes"]));
    assert_eq!(again.status, 3, "{again:?}");
}

const PRODUCTION: &str = "[accounts.\"111111111111\"]\nname = \"prod\"\nproduction = true\n";

/// The account that is changed is not production; the one that exports is.
#[test]
fn the_name_of_a_production_account_has_to_be_right() {
    let home = Home::new();
    let config = home.write("guards.toml", PRODUCTION);
    let config = config.to_str().unwrap();
    let yes = ["--config", config, "--yes", "--allow", "bucket-policy"];
    for more in [&[][..], &["--production", "dev"]] {
        let ended = apply(&home, "no-grant", &[&yes, more].concat());
        assert_eq!(ended.status, 3, "{ended:?}");
        assert!(ended.out.contains("--production prod"), "{ended:?}");
        assert_eq!(listed(&home), Vec::<Value>::new());
    }
    let more = [&yes[..], &["--production", "prod"]].concat();
    let ended = apply(&home, "no-grant", &more);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(listed(&home).len(), 1);
    let undo = ["--config", config, "undo", "1", "--yes"];
    let refused = Ended::of(&mut home.sandbox(&undo));
    assert_eq!(refused.status, 3, "{refused:?}");
    assert_eq!(listed(&home).len(), 1);
}

#[test]
fn read_only_builds_no_request_that_changes_anything() {
    let home = Home::new();
    let more = ["--read-only", "--yes", "--allow", "bucket-policy"];
    let ended = apply(&home, "no-grant", &more);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("--read-only"), "{ended:?}");
    assert_eq!(listed(&home), Vec::<Value>::new());
}

#[test]
fn where_nothing_can_be_changed_from_here_that_is_said() {
    let home = Home::new();
    // Nobody signs in for the destination, so that its policy is not even read.
    let text = example("no-grant").replace("profile = \"dev-admin\"\n", "");
    let plan = home.write("plan.toml", &text);
    let ended = Ended::of(
        home.sandbox(&["apply", "--yes", "--allow", "bucket-policy"])
            .arg(plan),
    );
    assert_eq!(ended.status, 5, "{ended:?}");
    let told = "there is nothing that can be changed from here";
    assert!(ended.out.contains(told), "{ended:?}");
    assert_eq!(listed(&home), Vec::<Value>::new());
}
