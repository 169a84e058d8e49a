//! Questions about a change, and the dialog that saves a plan: which keys count, and which were meant
//! for another place.

use std::path::PathBuf;

use rstest::rstest;
use tableferry::tui::message::{Effect, Message, Mutation, MutationResult};
use tableferry::tui::remote::RequestId;
use tableferry::work::event::Side;

use crate::access;
use crate::driver::Driver;
use crate::flows::TO_THE_QUESTION;
use crate::world::World;

/// From the profiles to the Review step.
const TO_REVIEW: &[&str] = TO_THE_QUESTION.split_at(14).0;

/// From the profiles to the Access step.
const TO_ACCESS: &[&str] = TO_THE_QUESTION.split_at(13).0;

/// With each letter that means something anywhere, and a Tab as a shell completes with.
const PATH: [&str; 3] = ["~/yes/hjklabcdefg/", "mnopqrstuvwxyz-", "plan.toml"];

fn denied() -> World {
    World {
        is_denied: true,
        changes: vec![access::change(4)],
        ..World::default()
    }
}

fn with(world: World, keys: &[&str]) -> Driver {
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(keys);
    driver
}

/// With a change in place, at the end of a run.
fn at_the_end() -> Driver {
    let mut driver = with(denied(), TO_REVIEW);
    driver.go(&["enter", "left", "enter"]);
    driver.started(1);
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.settle();
    driver
}

/// What was asked to be changed.
fn mutations(driver: &Driver) -> Vec<&Mutation> {
    let mutations = driver.done.iter().filter_map(|effect| match effect {
        Effect::Mutate(_, mutation) => Some(mutation),
        _ => None,
    });
    mutations.collect()
}

#[rstest]
#[case::start(World::default(), TO_REVIEW, "enter", "Start the export?")]
#[case::start_denied(denied(), TO_REVIEW, "enter", "Start although it will fail?")]
#[case::change(denied(), TO_ACCESS, "a", "Change this account?")]
#[case::probe(World::default(), TO_ACCESS, "p", "Probe the bucket?")]
fn a_question_takes_neither_a_path_nor_a_key_that_was_on_its_way(
    #[case] world: World,
    #[case] way: &[&str],
    #[case] opens: &str,
    #[case] title: &str,
) {
    let mut driver = with(world, way);
    driver
        .draw()
        .press_blindly(&[opens, "left", "enter", "y", "enter"]);
    driver.shows(title);
    assert_eq!(mutations(&driver).len(), 0, "the keys were on their way");

    driver.type_text(PATH[0]).press(&["tab"]).type_text(PATH[1]);
    driver.shows(title).shows("that is no answer: ← marks Yes");
    driver.press(&["left"]).type_text(PATH[2]).press(&["enter"]);
    driver.hides(title);
    assert_eq!(mutations(&driver).len(), 0, "a path is no answer");

    driver
        .press(&[opens, "left"])
        .shows("[ Yes ]")
        .press(&["right"]);
    driver.shows("[ No ]").press(&["left", "enter"]);
    let again = driver.screen().contains("Start although it will fail?");
    assert_eq!(mutations(&driver).len(), usize::from(!again));
}

#[test]
fn an_undo_takes_neither_a_path_nor_a_key_that_was_on_its_way() {
    let mut driver = at_the_end();
    let before = mutations(&driver).len();
    driver.shows("Changes in place").press(&["enter"]);
    driver.settle();
    driver.press_blindly(&["left", "enter"]);
    driver.shows("Take this change away?");
    driver.type_text("/tmp/y").press(&["tab", "enter"]);
    driver.hides("Take this change away?");
    assert_eq!(mutations(&driver).len(), before);
    driver.go(&["enter", "left", "enter"]);
    assert!(matches!(mutations(&driver).last(), Some(Mutation::Undo(_))));
}

#[test]
fn a_paste_is_no_answer_and_does_not_mark_one() {
    let mut driver = with(World::default(), TO_REVIEW);
    driver.press(&["enter", "left"]);
    driver.dispatch(Message::Pasted("y\nyes\n".to_owned()));
    driver.shows("Start the export?");
    assert_eq!(mutations(&driver).len(), 0);
}

/// A question that waits below a popup is not in sight: what closes the popup does not answer it.
#[test]
fn a_question_below_another_popup_is_not_answered_by_what_closes_that() {
    let world = World {
        is_real: true,
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.settle().press(&["down", "down", "enter", "?"]);
    let (request, query) = driver.asked().pop().unwrap();
    let reply = driver.world.answer(&query);
    driver.reply(request, reply);
    driver.draw().press_blindly(&["esc", "left", "enter"]);
    driver.shows("Sign in?");
    let logs_in = |driver: &Driver| {
        let is_login = |effect: &Effect| matches!(effect, Effect::LogIn(Side::Source, _));
        driver.done.iter().any(is_login)
    };
    assert!(!logs_in(&driver));
    driver.press(&["left", "enter"]);
    assert!(logs_in(&driver));
}

/// A frame that was too small for the question did not show it.
#[test]
fn a_question_that_was_not_to_be_seen_takes_no_key() {
    let mut driver = with(World::default(), TO_REVIEW);
    driver.press_blindly(&["enter"]).resize(20, 5).draw();
    driver.resize(80, 24).press_blindly(&["left", "enter"]);
    driver.shows("Start the export?");
    assert_eq!(mutations(&driver).len(), 0);
}

/// The save that was asked for last: its number, the path, and whether a file may be replaced.
fn save(driver: &Driver) -> (RequestId, PathBuf, bool) {
    let mut done = driver.done.iter().rev();
    let found = done.find_map(|effect| match effect {
        Effect::Mutate(
            request,
            Mutation::SavePlan {
                path, may_replace, ..
            },
        ) => Some((*request, path.clone(), *may_replace)),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_save_that_failed_keeps_its_dialog_and_the_path() {
    let mut driver = with(World::default(), TO_REVIEW);
    driver.go(&["s", "ctrl-u"]).type_text("/no/such/plan.toml");
    driver.go(&["enter"]).shows("saving …");
    driver.type_text("xyz").press(&["enter"]);
    assert_eq!(mutations(&driver).len(), 1, "one at a time");
    let (request, path, _) = save(&driver);
    assert_eq!(path, PathBuf::from("/no/such/plan.toml"));
    let why = "/no/such/plan.toml: No such file or directory (os error 2)".to_owned();
    driver.dispatch(Message::Done(request, MutationResult::NotSaved(why)));
    driver
        .shows("Save the plan")
        .shows("› /no/such/plan.toml")
        .shows("✗ the plan was not saved: /no/such/plan.toml: No such file")
        .hides("saving …");

    // What is typed now goes into the dialog, whatever it means in the step below.
    driver.type_text("/tmp/y").press(&["enter"]);
    driver.hides("Start the export?");
    let (request, path, _) = save(&driver);
    assert_eq!(path, PathBuf::from("/no/such/plan.toml/tmp/y"));
    driver.dispatch(Message::Done(request, MutationResult::Saved(path)));
    driver
        .hides("Save the plan")
        .shows("the plan is in /no/such");
    assert!(driver.start().is_none());
}

#[test]
fn a_no_to_replacing_a_file_leads_back_to_the_path() {
    let mut driver = with(World::default(), TO_REVIEW);
    driver.go(&["s", "enter"]);
    let (request, path, _) = save(&driver);
    driver.dispatch(Message::Done(request, MutationResult::FileExists(path)));
    driver.press_blindly(&["left", "enter"]);
    driver.shows("Replace the file?").press(&["enter"]);
    driver
        .shows("Save the plan")
        .shows("there is a file plan.toml already");
    assert_eq!(mutations(&driver).len(), 1);
    driver.press(&["ctrl-u"]).type_text("other.toml");
    driver.press(&["enter"]);
    let (_, path, may_replace) = save(&driver);
    assert_eq!((path, may_replace), (PathBuf::from("other.toml"), false));
}

#[test]
fn a_save_whose_dialog_was_closed_says_how_it_ended_and_asks_nothing() {
    let mut driver = with(World::default(), TO_REVIEW);
    driver.go(&["s", "enter", "esc"]).hides("Save the plan");
    let (request, path, _) = save(&driver);
    driver.dispatch(Message::Done(request, MutationResult::FileExists(path)));
    driver
        .hides("Replace the file?")
        .shows("there is a file plan.toml already: the plan was not saved");
    driver.go(&["s", "enter", "esc"]);
    let (request, ..) = save(&driver);
    let why = "plan.toml: No space left on device".to_owned();
    driver.dispatch(Message::Done(request, MutationResult::NotSaved(why)));
    driver.shows("the plan was not saved: plan.toml: No space left");
}

#[test]
fn a_duplicate_that_the_journal_does_not_know_is_told_in_review_and_in_the_question() {
    let world = World {
        duplicates: vec![tableferry::work::DuplicateExport {
            table: "Orders".to_owned(),
            export_arn: "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01763812800000-a1b2c3d4".to_owned(),
            started_at: None,
        }],
        ..World::default()
    };
    let mut driver = with(world, TO_REVIEW);
    driver.shows("is in progress");
    driver.go(&["enter"]);
    driver.shows("Start the export?");
    driver.shows("is in progress");
}

#[test]
fn what_a_start_is_billed_for_is_told_in_review() {
    let world = World {
        estimate: vec!["about 12.50 EUR".to_owned()],
        ..World::default()
    };
    let mut driver = with(world, TO_REVIEW);
    driver.shows("estimate: about 12.50 EUR");
}
