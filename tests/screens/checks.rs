//! The Access step, key by key: what is assessed, when it counts, and what a denial leads to.

use jiff::SignedDuration;
use tableferry::tui::message::{Effect, Message, Query, QueryGroup, Reply};

use crate::access;
use crate::driver::{Driver, noon};
use crate::flows::TO_THE_QUESTION;
use crate::world::World;

/// From the profiles to the Access step.
const TO_ACCESS: &[&str] = TO_THE_QUESTION.first_chunk::<13>().unwrap();

fn denied() -> Driver {
    let world = World {
        is_denied: true,
        ..World::default()
    };
    Driver::with((80, 24), world, None)
}

/// The question for the verdicts that nobody answered yet.
fn judge_asked(driver: &Driver) -> (tableferry::tui::remote::RequestId, Query) {
    let asked = driver.asked();
    let judge = asked
        .into_iter()
        .rev()
        .find(|(_, query)| matches!(query, Query::Assess(_)));
    judge.unwrap()
}

#[test]
fn an_account_that_does_not_answer_keeps_nobody_from_going_on() {
    let mut driver = denied();
    driver.go(&TO_ACCESS[..12]).press(&["enter"]);
    let (request, query) = judge_asked(&driver);
    driver.shows("reading both accounts").press(&["enter"]);
    driver
        .shows("Review")
        .shows("checking what the plan may do");
    let reply = driver.world.answer(&query);
    driver.reply(request, reply);
    driver
        .shows("s3:PutObject on")
        .hides("checking what the plan");
}

#[test]
fn verdicts_of_an_earlier_plan_are_dropped() {
    let mut driver = denied();
    driver.go(&TO_ACCESS[..12]).press(&["enter"]);
    let (first, query) = judge_asked(&driver);
    let Query::Assess(plan) = query else {
        unreachable!()
    };
    driver.forget_questions();
    driver.go(&["esc", "esc", "p"]);
    driver.type_text("other").go(&["enter", "enter"]);
    driver.press(&["enter"]);
    let (second, _) = judge_asked(&driver);
    assert_ne!(first, second);
    let is_cancelled = driver
        .done
        .iter()
        .any(|effect| matches!(effect, Effect::Cancel(QueryGroup::Access)));
    assert!(is_cancelled, "what is read for the old plan is given up");
    let assessed =
        |is_denied| Reply::Assessed(Box::new(Ok(access::assessed(&plan, is_denied, None))));
    driver.reply(first, assessed(true));
    driver.shows("reading both accounts").hides("denied");
    driver.reply(second, assessed(false));
    driver.shows("✓ 3 allowed").hides("denied");
}

#[test]
fn an_earlier_step_that_changes_makes_the_verdicts_stale() {
    let mut driver = denied();
    driver.go(TO_ACCESS).shows("✗ 3 denied");
    driver.go(&["esc", "esc", "p"]);
    driver.type_text("other").press(&["enter"]);
    driver.press(&["enter", "enter"]);
    driver.shows("reading both accounts").hides("denied");
}

#[test]
fn a_change_of_the_plan_that_is_answered_late_is_not_asked_twice() {
    let mut driver = denied();
    driver.go(TO_ACCESS).press(&["r"]);
    driver.shows("✗ 3 denied");
    let asked = driver.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[test]
fn the_reason_why_nothing_could_be_judged_is_shown() {
    let mut driver = denied();
    driver.go(&TO_ACCESS[..12]).press(&["enter"]);
    let (request, _) = judge_asked(&driver);
    let why = "the source is not signed in".to_owned();
    driver.reply(request, Reply::Assessed(Box::new(Err(why))));
    driver.shows("✗ the source is not signed in");
    // Review asks once more.
    driver.press(&["enter"]);
    let (request, _) = judge_asked(&driver);
    let why = "the source is not signed in".to_owned();
    driver.reply(request, Reply::Assessed(Box::new(Err(why))));
    driver.shows("could not be checked");
}

#[test]
fn a_denial_is_asked_about_before_the_start_and_no_is_marked() {
    let mut driver = denied();
    driver.go(&TO_THE_QUESTION);
    driver
        .shows("Start although it will fail?")
        .shows("✗ s3:PutObject on");
    driver.go(&["enter"]).hides("although");
    assert!(driver.start().is_none(), "Enter alone is a no");
    driver.go(&["enter", "left", "enter"]);
    assert!(driver.start().is_some());
}

#[test]
fn a_denial_that_comes_to_light_in_review_is_asked_about() {
    let mut driver = denied();
    driver.go(&TO_ACCESS[..12]).press(&["enter"]);
    let (request, query) = judge_asked(&driver);
    let verdicts = driver.world.answer(&query);
    driver.forget_questions();
    driver.go(&["enter", "enter"]);
    driver
        .hides("Start the export?")
        .shows("still checking what a start needs");
    driver.reply(request, verdicts);
    driver
        .press(&["enter"])
        .shows("Start although it will fail?");
    assert!(driver.start().is_none());
}

#[test]
fn a_caller_that_aws_does_not_know_is_warned_about_and_no_more() {
    let mut driver = denied();
    driver.go(&TO_ACCESS[..12]).press(&["enter"]);
    let (request, query) = judge_asked(&driver);
    let Query::Assess(plan) = query else {
        unreachable!()
    };
    driver.forget_questions();
    let mut assessed = access::assessed(&plan, true, None);
    let caller = &mut assessed.assessment.facts.source_mut().caller;
    caller.arn = "arn:aws:sts::111111111111:moto-session/mona"
        .parse()
        .unwrap();
    driver.reply(request, Reply::Assessed(Box::new(Ok(assessed))));
    driver.shows("✗ 3 denied").go(&["enter", "enter"]);
    driver.shows("Start the export?");
}

#[test]
fn the_cursor_goes_over_every_check_and_its_details_are_a_key_away() {
    let mut driver = denied();
    driver.resize(60, 16).go(TO_ACCESS);
    driver.go(&["space"]).shows("no statement of the bucket");
    driver.go(&["esc", "end"]).shows("1 thing not read");
    driver
        .go(&["space"])
        .shows("organizations:ListPolicies")
        .go(&["esc"]);
    driver.go(&["up", "up", "up", "space"]);
    driver.shows("dynamodb:ListExports").go(&["esc", "home"]);
    driver.shows("the destination's owner (222222222222)");
}

#[test]
fn read_again_the_cursor_stays_where_nothing_changed_and_else_goes_to_what_is_left() {
    let mut driver = denied();
    driver.resize(60, 16).go(TO_ACCESS);
    driver.go(&["end", "r", "space"]).shows("organizations:");
    driver.go(&["esc"]);
    driver.world.is_denied = false;
    driver.go(&["r", "space"]).shows("S3BucketOwner is sent");
}

#[test]
fn the_message_to_no_matter_who_can_fix_it_is_copied() {
    let mut driver = denied();
    driver.go(TO_ACCESS).go(&["tab", "tab", "y"]);
    let copied = driver.done.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let request_text = copied.unwrap();
    assert!(request_text.starts_with("To the organization's administrators"));
}

#[test]
fn a_start_takes_along_what_was_read_of_its_permissions() {
    let mut driver = Driver::with((80, 24), World::default(), None);
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    assert_eq!(driver.start_fingerprints(), [access::fingerprint()]);
}

/// Something was changed, which is why it is read anew: what was read before says nothing now.
#[test]
fn nothing_is_started_while_it_is_read_anew() {
    let mut driver = Driver::with((80, 24), World::default(), None);
    driver.go(TO_ACCESS).press(&["r", "enter", "enter"]);
    driver.hides("Start the export?");
    assert!(driver.start().is_none());
}

/// An assessment is good for ten minutes: then it is made again before a start.
#[test]
fn what_was_read_more_than_ten_minutes_ago_is_read_again_before_a_start() {
    let mut driver = Driver::with((80, 24), World::default(), None);
    driver.go(TO_ACCESS).go(&["enter"]).forget_questions();
    let later = noon() + SignedDuration::from_mins(11);
    driver.dispatch(Message::Ticked(later));
    driver.press(&["enter"]).hides("Start the export?");
    let (_, query) = judge_asked(&driver);
    assert!(matches!(query, Query::Assess(_)), "{query:?}");
}
