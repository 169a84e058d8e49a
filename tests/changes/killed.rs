//! Killed right after a bucket's policy was written, before the answer came: `undo` takes it away.

use crate::program::{Ended, Home, Server};
use crate::relay::{self, Passing};
use crate::world::example;

#[test]
fn a_process_that_was_killed_before_the_answer_leaves_what_undo_needs() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", &example("no-grant"));
    let mut command = home.command();
    command
        .args(["apply", "--yes", "--allow", "bucket-policy"])
        .arg(&plan);
    relay::killed(&home, &server, &mut command, |head, passing| {
        let is_write = head.starts_with("put ")
            && head
                .lines()
                .next()
                .is_some_and(|line| line.contains("?policy"));
        is_write && passing == Passing::Answer
    });

    let listed = Ended::of(home.command().args(["apply", "--list", "--output", "json"]));
    let changes = listed.objects();
    assert_eq!(changes.len(), 1, "{listed:?}");
    assert_eq!(changes[0]["stage"], "PLANNED", "{listed:?}");
    let undone = Ended::of(
        home.command()
            .args(["undo", "1", "--yes", "--output", "json"]),
    );
    assert_eq!(undone.status, 0, "{undone:?}");
    let last = undone.objects().pop().unwrap();
    assert_eq!(last["was_in_place"], true, "{undone:?}");
    let listed = Ended::of(home.command().args(["apply", "--list", "--output", "json"]));
    assert_eq!(listed.objects().len(), 0, "{listed:?}");
}
