//! Which side a key is for while the other signs in, and after it failed to.

use tableferry::aws::SignInError;
use tableferry::tui::message::{Query, Reply};
use tableferry::work::event::Side;

use crate::driver::Driver;
use crate::world::{self, refusal};

fn driver() -> Driver {
    let mut driver = Driver::new((80, 24));
    driver.settle();
    driver
}

/// The profiles that were asked to sign in, each with its side and whether a code was sent.
fn asked(driver: &Driver) -> Vec<(Side, String, bool)> {
    let asked = driver
        .asked()
        .into_iter()
        .filter_map(|(_, query)| match query {
            Query::SignIn(side, how, code) => Some((side, how.profile, code.is_some())),
            _ => None,
        });
    asked.collect()
}

fn source(profile: &str, has_code: bool) -> (Side, String, bool) {
    (Side::Source, profile.to_owned(), has_code)
}

/// Lets STS refuse the code of the sign-in that is waited for.
fn refuse_the_code(driver: &mut Driver) {
    let (request, query) = driver.asked().pop().unwrap();
    assert!(matches!(query, Query::SignIn(Side::Source, _, Some(_))));
    driver.forget_questions();
    let mut failure = refusal("sts:AssumeRole", "arn:aws:iam::111111111111:role/Mfa");
    failure.message =
        "MultiFactorAuthentication failed with invalid MFA one time pass code. ".into();
    failure.hint = Some("each code works once".to_owned());
    let refused = SignInError::CodeRefused {
        profile: "prod-mfa".to_owned(),
        serial: "arn:aws:iam::111111111111:mfa/mona".to_owned(),
        failure: Box::new(failure),
    };
    let reply = Reply::SignedIn(Side::Source, Box::new(Err(refused)));
    driver.reply(request, reply);
}

#[test]
fn enter_while_the_source_signs_in_is_not_for_the_destination() {
    let mut driver = driver();
    driver.press(&["enter", "enter", "enter"]);
    driver.shows("still signing in to prod-oncall");
    assert_eq!(asked(&driver), [source("prod-oncall", false)]);
    // A key was pressed since, so that the focus waits for another.
    driver.settle().shows("Enter on to the other side");
    driver.press(&["enter", "end", "up", "up"]).go(&["enter"]);
    driver.shows("dev-admin 222222222222");
}

#[test]
fn the_focus_moves_on_once_the_side_is_proved_and_takes_no_key_that_came_before() {
    let mut driver = driver();
    driver.press(&["enter"]).settle();
    driver.press_blindly(&["enter"]);
    assert_eq!(asked(&driver), [], "the key was meant for the source");
    driver.press(&["enter"]);
    let (_, query) = driver.asked().pop().unwrap();
    assert_eq!(world::side_of(&query), Some(Side::Destination));
}

#[test]
fn after_a_wrong_code_the_next_one_is_for_the_same_side() {
    let mut driver = driver();
    driver.go(&["down", "enter"]).shows("MFA code");
    driver.type_text("999999").press(&["enter"]);
    assert_eq!(asked(&driver), [source("prod-mfa", true)]);
    refuse_the_code(&mut driver);
    driver
        .shows("MFA code")
        .shows("AWS refused the code: MultiFactorAuthentication failed")
        .shows("each code works once")
        .hides("999999");
    driver.type_text("123456").press(&["enter"]);
    assert_eq!(asked(&driver), [source("prod-mfa", true)]);
    driver.settle().shows("prod-mfa 111111111111");
    driver.shows("destination –");
}

#[test]
fn who_closes_the_dialog_after_a_wrong_code_tries_the_same_side_again() {
    let mut driver = driver();
    driver.go(&["down", "enter"]);
    driver.type_text("999999").press(&["enter"]);
    refuse_the_code(&mut driver);
    driver.press(&["esc"]).shows("Enter on it tries again");
    driver.press(&["enter"]);
    assert_eq!(asked(&driver), [source("prod-mfa", false)]);
    driver.settle().shows("MFA code").shows("destination –");
}
