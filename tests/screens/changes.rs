//! Changes of accounts, key by key: shown, agreed to, done, waited for, and taken away.

use tableferry::assess::remedy::Fix;
use tableferry::aws::dynamodb::ExportStatus;
use tableferry::tui::message::{Effect, Message, Mutation, MutationResult, Query, Reply};
use tableferry::tui::services::ProposedChange;
use tableferry::tui::services::{
    Applied, ChangeId, PropagationReport, PropagationStatus, ReadBack, RemedyOption, Undone,
};
use tableferry::work::event::{Event, ProgressStage};

use crate::access;
use crate::driver::Driver;
use crate::flows::TO_THE_QUESTION;
use crate::world::{World, export};

/// At the Access step of a plan whose bucket grants nothing.
fn at_access(world: World) -> Driver {
    let world = World {
        is_denied: true,
        ..world
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&TO_THE_QUESTION[..13]);
    driver
}

fn applied(id: i64, read_back: ReadBack) -> MutationResult {
    MutationResult::Applied(Box::new(Applied {
        id: ChangeId(id),
        title: "bucket policy of export-landing".to_owned(),
        read_back,
    }))
}

/// At the end of a run, with a change of ours in place.
fn at_the_end(world: World) -> Driver {
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.started(1);
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver
}

fn with_a_change() -> World {
    World {
        changes: vec![access::change(4)],
        ..World::default()
    }
}

#[test]
fn a_change_is_shown_as_a_whole_and_enter_alone_is_a_no() {
    let mut driver = at_access(World::default());
    driver.go(&["a"]);
    driver
        .shows("Change this account?")
        .shows("222222222222 (the destination) as user/dev-admin")
        .shows("\"Sid\": \"TableferryWrite\"");
    driver.go(&["end"]).shows("It lets nothing else through.");
    driver.go(&["enter"]).hides("Change this account?");
    assert!(driver.change().is_none());
}

#[test]
fn a_pasted_yes_changes_nothing() {
    let mut driver = at_access(World::default());
    driver.go(&["a"]);
    driver.dispatch(Message::Pasted("y\n".to_owned()));
    driver.shows("Change this account?");
    assert!(driver.change().is_none());
}

#[test]
fn after_the_yes_it_is_written_waited_for_and_read_again() {
    let mut driver = at_access(World::default());
    driver.go(&["a", "left", "enter"]);
    let (request, mutation) = driver.change().unwrap();
    let Mutation::Apply(plan, proposal) = mutation else {
        unreachable!()
    };
    assert_eq!(plan.destination.bucket.as_str(), "export-landing");
    assert_eq!(proposal.account.as_str(), "222222222222");
    driver.shows("writing: bucket policy of export-landing");
    driver.world.is_denied = false;
    driver.dispatch(Message::Done(request, applied(4, ReadBack::AsWritten)));
    driver
        .wait(12)
        .shows("waiting until it holds, 12 s: bucket policy of");
    let (_, query) = driver.asked().pop().unwrap();
    assert!(matches!(query, Query::WaitForPropagation(_, ChangeId(4))));
    driver.settle();
    driver
        .shows("changed, and it holds")
        .shows("✓ 3 allowed")
        .hides("denied");
}

#[test]
fn a_change_that_does_not_hold_yet_is_told_in_full() {
    let mut driver = at_access(World::default());
    driver.go(&["a", "left", "enter"]);
    let (request, _) = driver.change().unwrap();
    driver.dispatch(Message::Done(request, applied(4, ReadBack::AsWritten)));
    let (request, _) = driver.asked().pop().unwrap();
    driver.forget_questions();
    let why = "S3 still refuses the upload with AccessDenied, six minutes after the change";
    let held = PropagationReport {
        changes: vec![(ChangeId(4), PropagationStatus::NotYet(why.to_owned()))],
    };
    driver.reply(request, Reply::Propagation(held));
    driver
        .shows("The change may not hold yet")
        .shows("AccessDenied, six minutes");
    let (_, query) = driver.asked().pop().unwrap();
    assert!(
        matches!(query, Query::Assess(_)),
        "the accounts are read again"
    );
}

#[test]
fn while_one_change_is_under_way_no_other_is_begun() {
    let mut driver = at_access(World::default());
    driver.go(&["a", "left", "enter", "a"]);
    driver.hides("Change this account?");
    let mutations = driver
        .done
        .iter()
        .filter(|e| matches!(e, Effect::Mutate(..)));
    assert_eq!(mutations.count(), 1);
}

#[test]
fn quitting_waits_for_a_change_that_is_being_written() {
    let mut driver = at_access(World::default());
    driver.go(&["a", "left", "enter", "q", "y"]);
    assert!(!driver.has_quit());
    let (request, _) = driver.change().unwrap();
    driver.dispatch(Message::Done(request, applied(4, ReadBack::AsWritten)));
    assert!(driver.has_quit());
}

#[test]
fn quitting_says_which_changes_stay_and_how_they_are_taken_away() {
    let mut driver = at_access(World::default());
    driver.go(&["q"]).hides("change 4").go(&["n"]);
    driver.go(&["a", "left", "enter"]);
    let (request, _) = driver.change().unwrap();
    driver.dispatch(Message::Done(request, applied(4, ReadBack::AsWritten)));
    driver.settle();
    driver
        .go(&["q"])
        .shows("Quit?")
        .shows("change 4: bucket policy of export-landing")
        .shows("tableferry apply --list")
        .shows("tableferry undo 4");
}

#[test]
fn where_production_is_concerned_the_name_is_typed() {
    let mut driver = at_access(World {
        production: Some("shop-prod".to_owned()),
        ..World::default()
    });
    driver.go(&["a"]).shows("Production is concerned");
    driver
        .go(&["left", "enter"])
        .shows("Type shop-prod to change");
    driver.go(&["enter"]).shows("is not `shop-prod`");
    assert!(driver.change().is_none(), "an empty name is no name");
    driver.type_text("shop-Prod").go(&["enter"]);
    assert!(
        driver.change().is_none(),
        "a name is typed letter by letter"
    );
    driver.go(&["ctrl-u"]).type_text("shop-prod").go(&["enter"]);
    assert!(matches!(driver.change(), Some((_, Mutation::Apply(..)))));
}

#[test]
fn what_was_shown_is_what_is_applied_whatever_is_read_meanwhile() {
    let mut driver = at_access(World::default());
    driver.press(&["r", "a"]).shows("Change this account?");
    let (request, query) = driver.asked().pop().unwrap();
    let Query::Assess(plan) = query else {
        unreachable!()
    };
    let mut other = access::assessed(&plan, true, None);
    let RemedyOption::Change(proposed) = &mut other.options[0] else {
        unreachable!()
    };
    let ProposedChange::Apply(proposal) = &mut proposed.change else {
        unreachable!()
    };
    proposal.title = "bucket policy of another-bucket".to_owned();
    driver.reply(request, Reply::Assessed(Box::new(Ok(other))));
    driver.press(&["left", "enter"]);
    let Some((_, Mutation::Apply(_, applied))) = driver.change() else {
        unreachable!()
    };
    assert_eq!(applied.title, "bucket policy of export-landing");
}

#[test]
fn a_refusal_is_shown_word_for_word_and_the_accounts_are_read_again() {
    let mut driver = at_access(World::default());
    driver.go(&["a", "left", "enter"]);
    let (request, _) = driver.change().unwrap();
    let why = "bucket policy of export-landing was not written: s3:PutBucketPolicy: AccessDenied: \
               User: arn:aws:iam::222222222222:user/dev-admin is not authorized";
    driver.dispatch(Message::Done(
        request,
        MutationResult::NotApplied(why.to_owned()),
    ));
    driver
        .shows("The change was not made")
        .shows("user/dev-admin is not authorized");
    let (_, query) = driver.asked().pop().unwrap();
    assert!(matches!(query, Query::Assess(_)));
    driver.go(&["esc", "backtab"]).shows("✗ 3 denied");
}

#[test]
fn an_update_that_was_lost_is_told() {
    let mut driver = at_access(World::default());
    driver.go(&["a", "left", "enter"]);
    let (request, _) = driver.change().unwrap();
    let diff = "-  \"Sid\": \"TableferryWrite\"\n+  \"Sid\": \"Theirs\"".to_owned();
    driver.dispatch(Message::Done(request, applied(4, ReadBack::Lost { diff })));
    driver.shows("An update was lost").shows("Theirs");
}

#[test]
fn read_only_offers_no_change_and_says_so() {
    let mut driver = at_access(World {
        is_read_only: true,
        ..World::default()
    });
    driver
        .shows("read-only: no change")
        .hides("a apply")
        .go(&["a"]);
    driver
        .hides("Change this account?")
        .shows("nothing is changed with --read-only");
    driver.go(&["tab", "a"]).hides("Change this account?");
    assert!(driver.change().is_none());
}

#[test]
fn what_only_somebody_else_can_do_is_not_offered() {
    let mut driver = at_access(World::default());
    driver.go(&["tab", "tab"]).hides("a apply");
    driver.go(&["a"]).hides("Change this account?");
    assert!(driver.change().is_none());
}

#[test]
fn why_a_remedy_cannot_be_done_from_here_is_said() {
    let mut driver = at_access(World::default());
    driver.press(&["r"]);
    let (request, query) = driver.asked().pop().unwrap();
    let Query::Assess(plan) = query else {
        unreachable!()
    };
    let mut assessed = access::assessed(&plan, true, None);
    assessed.options[0] = RemedyOption::Nothing("nobody is signed in to 222222222222".to_owned());
    driver.reply(request, Reply::Assessed(Box::new(Ok(assessed))));
    driver.press(&["tab"]);
    driver
        .shows("not to be done from here: nobody is signed in to")
        .hides("a apply");
}

#[test]
fn a_remedy_of_the_plan_is_taken_over_and_judged_anew() {
    let mut driver = at_access(World::default());
    driver.press(&["r"]);
    let (request, query) = driver.asked().pop().unwrap();
    let Query::Assess(plan) = query else {
        unreachable!()
    };
    let mut assessed = access::assessed(&plan, true, None);
    assessed.remedies[0].fix = Fix::Plan {
        key: "destination.owner",
        value: "333333333333".to_owned(),
        why: "bucket export-landing is of 333333333333".to_owned(),
    };
    assessed.options[0] = RemedyOption::Plan;
    assessed.fixed_plan.destination.owner = Some("333333333333".parse().unwrap());
    driver.reply(request, Reply::Assessed(Box::new(Ok(assessed))));
    driver.forget_questions();
    driver.press(&["tab", "a"]);
    let (_, query) = driver.asked().pop().unwrap();
    let Query::Assess(plan) = query else {
        unreachable!()
    };
    assert_eq!(plan.destination.owner.unwrap().as_str(), "333333333333");
    assert!(driver.change().is_none());
}

#[test]
fn after_the_last_export_it_is_offered_to_take_a_change_away() {
    let mut driver = at_the_end(with_a_change());
    driver
        .settle()
        .shows("Changes in place")
        .shows("bucket policy of export-landing");
    driver
        .go(&["enter"])
        .shows("Take this change away?")
        .shows("-      \"Sid\": \"TableferryWrite\"");
    driver.go(&["enter"]).hides("Take this change away?");
    assert!(driver.change().is_none(), "Enter alone is a no");
    driver.go(&["enter", "left", "enter"]);
    let (request, mutation) = driver.change().unwrap();
    let Mutation::Undo(undo) = mutation else {
        unreachable!()
    };
    assert_eq!(undo.record.id, ChangeId(4));
    driver.world.changes.clear();
    let undone = Undone {
        id: ChangeId(4),
        was_in_place: true,
        read_back: ReadBack::AsWritten,
        left: Vec::new(),
    };
    driver.dispatch(Message::Done(
        request,
        MutationResult::Undone(Box::new(undone)),
    ));
    driver
        .settle()
        .hides("Changes in place")
        .shows("taken away");
}

#[test]
fn who_declines_can_come_back_to_it() {
    let mut driver = at_the_end(with_a_change());
    driver.settle().go(&["n"]).hides("Changes in place");
    assert!(driver.change().is_none());
    driver
        .shows("u changes in place")
        .go(&["u"])
        .shows("Changes in place");
    driver.go(&["q", "q"]);
    assert!(driver.has_quit());
}

#[test]
fn after_a_failure_nothing_is_offered_that_a_second_try_needs() {
    let mut driver = Driver::with((80, 24), with_a_change(), None);
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.started(1);
    let mut failed = export(0, "Orders");
    failed.stage = ProgressStage::Running(ExportStatus::Failed);
    driver.dispatch(Message::Reported(Box::new(Event::Operation(failed))));
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.settle().hides("Changes in place");
    driver.go(&["u"]).shows("Changes in place");
}

#[test]
fn going_back_after_a_change_was_taken_away_judges_anew() {
    let mut driver = at_the_end(with_a_change());
    driver.settle().go(&["enter", "left", "enter"]);
    let (request, _) = driver.change().unwrap();
    driver.world.changes.clear();
    driver.world.is_denied = true;
    let undone = Undone {
        id: ChangeId(4),
        was_in_place: true,
        read_back: ReadBack::AsWritten,
        left: Vec::new(),
    };
    driver.dispatch(Message::Done(
        request,
        MutationResult::Undone(Box::new(undone)),
    ));
    driver.go(&["esc"]).shows("AWS would refuse it");
}

#[test]
fn without_a_change_nothing_is_offered() {
    let mut driver = at_the_end(World::default());
    driver.settle().hides("Changes in place");
    driver.go(&["u"]).hides("Changes in place");
}

#[test]
fn changes_of_accounts_that_nobody_is_signed_in_to_are_not_pressed_on_anybody() {
    let mut change = access::change(9);
    change.account = "999999999999".parse().unwrap();
    let mut driver = at_the_end(World {
        changes: vec![change],
        ..World::default()
    });
    driver.settle().hides("Changes in place");
    driver.go(&["u"]).shows("in account 999999999999");
}

#[test]
fn why_a_change_stays_is_shown_word_for_word() {
    let mut driver = at_the_end(with_a_change());
    driver.settle().press(&["enter"]);
    let (request, query) = driver.asked().pop().unwrap();
    assert!(matches!(query, Query::ProposeUndo(ChangeId(4))));
    driver.forget_questions();
    let why = "change 4 is in use: exports of run 2 are under way".to_owned();
    driver.reply(request, Reply::UndoProposed(Box::new(Err(why))));
    driver
        .shows("The change stays in place")
        .shows("exports of run 2 are under way");
    driver.go(&["esc"]).shows("Changes in place");
}

#[test]
fn a_list_that_was_closed_meanwhile_asks_nothing() {
    let mut driver = at_the_end(with_a_change());
    driver.settle().press(&["enter", "esc"]);
    driver.settle().hides("Take this change away?");
}
