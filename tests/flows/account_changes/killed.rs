//! A bucket's policy was written and nobody was told: killed before the answer came, or refused when
//! it was repeated. `undo` takes it away.

use crate::account_changes::world::example;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, Relay};

fn is_policy_write(head: &str) -> bool {
    let first = head.lines().next().unwrap_or_default();
    first.starts_with("put ") && first.contains("?policy")
}

/// The SDK repeats a write whose answer is lost; by then the right may be gone, or a proxy in the way.
#[test]
fn a_write_whose_repeat_is_refused_is_looked_at_before_it_is_called_not_written() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", &example("no-grant"));
    let relay = Relay::to(&server);
    let mut is_written = false;
    relay.decide(move |head, passing| {
        if !is_policy_write(head) {
            return Fate::Pass;
        }
        if passing == Passing::Answer {
            is_written = true;
            return Fate::Lost;
        }
        if !is_written {
            return Fate::Pass;
        }
        let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        Fate::Answered(format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    });
    home.lead(server.port, relay.port);
    let mut command = home.command();
    command.args(["apply", "--yes", "--allow", "bucket-policy"]);
    let applied = Ended::from(relay.run(command.arg(&plan)));
    assert_eq!(applied.status, 0, "{applied:?}");
    relay.decide(|_, _| Fate::Pass);
    let undone = Ended::of(
        home.command()
            .args(["undo", "1", "--yes", "--output", "json"]),
    );
    let last = undone.objects().pop().unwrap();
    assert_eq!(last["was_in_place"], true, "{undone:?}");
}

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
        is_policy_write(head) && passing == Passing::Answer
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
