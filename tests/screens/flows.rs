//! The wizard's behaviour, key by key.

use tableferry::aws::dynamodb::ExportStatus;
use tableferry::job::{Encryption, Span};
use tableferry::journal::RunId;
use tableferry::tui::message::{Effect, Message, Mutation, MutationResult, Query, Reply, Watch};
use tableferry::work::event::{Event, ProgressStage, Side, Verification};

use crate::driver::Driver;
use crate::world::{self, World, export, identified};

/// From the profiles to the question before the start.
pub(crate) const TO_THE_QUESTION: [&str; 15] = [
    "enter", "end", "up", "up", "enter", "enter", // both profiles
    "down", "down", "enter", "enter", // Orders
    "enter", "enter", // export-landing
    "enter", "enter", // encryption, access
    "enter", // review
];

fn driver() -> Driver {
    let mut driver = Driver::new((80, 24));
    driver.settle();
    driver
}

#[test]
fn from_two_profiles_to_a_verified_export_in_sixteen_keys() {
    let mut driver = driver();
    driver
        .go(&TO_THE_QUESTION)
        .shows("Start the export?")
        .go(&["left", "enter"]);
    let (_, plan) = driver.start().unwrap();
    assert_eq!(plan.source.sign_in.profile, "prod-oncall");
    assert_eq!(
        plan.destination.sign_in.as_ref().unwrap().profile,
        "dev-admin"
    );
    assert_eq!(plan.destination.bucket.as_str(), "export-landing");
    assert_eq!(
        plan.destination.owner.as_ref().unwrap().as_str(),
        "222222222222"
    );
    assert_eq!(plan.encryption, Encryption::Aes256);
    assert_eq!(plan.tables.len(), 1);
    assert_eq!(plan.tables[0].table.name(), "Orders");

    driver.started(1);
    let (request, watch) = driver.watch().unwrap();
    assert_eq!(watch, Watch::Follow(RunId(1)));
    let mut done = export(0, "Orders");
    done.stage = ProgressStage::Running(ExportStatus::Completed);
    done.verification = Some(Verification::Verified {
        files: 4,
        bytes: 1000,
        items: 10_240,
    });
    driver.dispatch(Message::Reported(Box::new(Event::Operation(done))));
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.shows("all complete and verified");
    assert!(!driver.model.has_unfinished_exports());
    driver.go(&["enter"]);
    assert!(driver.has_quit());
}

#[test]
fn a_pasted_line_end_confirms_nothing() {
    let mut driver = driver();
    driver.dispatch(Message::Pasted("\n\r\n".to_owned()));
    assert!(driver.asked().is_empty());
    driver.go(&TO_THE_QUESTION);
    driver.dispatch(Message::Pasted("y\n".to_owned()));
    driver.shows("Start the export?");
    assert!(driver.start().is_none());
}

#[test]
fn enter_alone_does_not_answer_yes() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["enter"]);
    driver.hides("Start the export?");
    assert!(driver.start().is_none());
    driver.go(&["enter", "left", "enter"]);
    assert!(driver.start().is_some());
}

#[test]
fn a_reply_to_an_earlier_profile_is_dropped() {
    let mut driver = driver();
    driver.press(&["enter"]);
    let (first, query) = driver.asked().pop().unwrap();
    assert_eq!(world::side_of(&query), Some(Side::Source));
    driver.press(&["home", "enter"]);
    let (second, _) = driver.asked().pop().unwrap();
    driver.forget_questions();
    let answer =
        |account: &str| Reply::SignedIn(Side::Source, Box::new(Ok(identified(account, "x"))));
    driver.reply(second, answer("111111111111"));
    driver.reply(first, answer("333333333333"));
    driver.shows("111111111111").hides("333333333333");
}

#[test]
fn another_source_forgets_the_tables_of_the_first() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION[..9]).shows("1 chosen");
    driver.go(&["esc", "tab", "home", "enter", "enter"]);
    driver
        .shows("prod-admin 111111111111")
        .shows("[ ] Orders")
        .hides("[x]");
    let cancelled = driver.done.iter().any(|effect| {
        matches!(
            effect,
            Effect::Cancel(tableferry::tui::message::QueryGroup::Tables)
        )
    });
    assert!(cancelled);
}

#[test]
fn going_on_without_a_destination_says_what_is_missing() {
    let mut driver = driver();
    driver.go(&["enter", "n"]);
    driver.shows("the destination has no profile yet");
    driver.shows("Source");
}

#[test]
fn an_mfa_code_is_asked_for_and_sent_once() {
    let mut driver = driver();
    driver.go(&["down", "enter"]).shows("MFA code");
    driver.type_text("12345").go(&["enter"]).shows("six digits");
    driver.type_text("6").press(&["enter"]);
    let (_, query) = driver.asked().pop().unwrap();
    assert!(matches!(query, Query::SignIn(Side::Source, _, Some(_))));
    driver.settle().shows("111111111111").hides("MFA code");
    assert!(!driver.screen().contains("123456"), "a code is a secret");
}

#[test]
fn a_popup_that_no_key_asked_for_takes_no_key_from_another() {
    let mut driver = driver();
    driver.press(&["down", "enter", "?"]).settle();
    driver.shows("Help").hides("MFA code");
    driver.go(&["esc"]).shows("MFA code");
}

#[test]
fn an_expired_login_offers_its_command() {
    let world = World {
        is_real: true,
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&["down", "down", "enter"]);
    driver
        .shows("aws sso login --profile prod-sso")
        .go(&["left", "enter"]);
    let command = driver.done.iter().find_map(|effect| match effect {
        Effect::LogIn(side, words) => Some((*side, words.join(" "))),
        _ => None,
    });
    let expected = "aws sso login --profile prod-sso".to_owned();
    assert_eq!(command, Some((Side::Source, expected)));
    driver.dispatch(Message::LoginEnded(Side::Source, Ok(())));
    assert_eq!(driver.asked().len(), 1, "it signs in again");
}

#[test]
fn the_sandbox_never_runs_a_command_of_the_real_aws() {
    let mut driver = driver();
    driver.go(&["down", "down", "enter"]);
    driver.shows("not signed in").hides("Sign in?");
}

#[test]
fn in_a_terminal_that_is_too_small_only_quitting_works() {
    let mut driver = Driver::new((80, 24));
    driver.resize(20, 5).go(&["enter", "enter"]);
    assert!(!driver.has_quit());
    driver.resize(80, 24).shows("no profile selected");
    driver.resize(20, 5).go(&["ctrl-c"]);
    assert!(driver.has_quit());
}

#[test]
fn after_a_failure_another_start_gets_new_tokens() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.go(&["esc"]).shows("Progress");
    driver.started(1);
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.press(&["esc"]).shows("Review");
    let is_asked =
        |wanted: fn(&Query) -> bool| driver.asked().iter().any(|(_, query)| wanted(query));
    assert!(
        is_asked(|query| matches!(query, Query::Assess(_))),
        "and assessed anew"
    );
}

#[test]
fn signing_in_again_as_before_keeps_what_was_chosen() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION[..9]).shows("1 chosen");
    driver.dispatch(Message::LoginEnded(Side::Source, Ok(())));
    driver.settle().shows("1 chosen");
}

#[test]
fn a_run_that_was_cut_off_signs_in_again_before_it_goes_on() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.started(4);
    let (request, _) = driver.watch().unwrap();
    let why = "the source must be signed in again".to_owned();
    driver.dispatch(Message::WatchEnded(request, Err(why)));
    driver.shows("tableferry resume 4").press(&["r"]);
    assert_eq!(driver.asked().len(), 2, "both sides");
    assert_eq!(driver.watch().unwrap().1, Watch::Follow(RunId(4)));
    driver.settle();
    assert_eq!(driver.watch().unwrap().1, Watch::Resume(RunId(4)));
}

#[test]
fn the_same_account_on_both_sides_is_said() {
    let mut driver = driver();
    driver.go(&["enter", "home", "enter"]);
    driver.shows("both sides are the same account, 111111111111");
}

#[test]
fn an_ignored_profile_cannot_be_chosen_and_says_why() {
    let mut driver = Driver::new((120, 40));
    driver.go(&["end", "enter"]);
    driver.shows("a name with a space").shows("ignored");
    assert!(driver.asked().is_empty());
}

#[test]
fn a_filter_takes_letters_that_are_commands_elsewhere() {
    let mut driver = driver();
    driver.go(&["/"]).type_text("sso").go(&["enter"]);
    driver.shows("1 found").go(&["esc"]).hides("1 found");
    assert!(!driver.has_quit());
    driver.go(&["/"]).type_text("q");
    driver.shows("no profile of this name").hides("Quit?");
}

#[test]
fn a_paste_into_a_filter_narrows_it() {
    let mut driver = driver();
    driver.go(&["/"]);
    driver.dispatch(Message::Pasted("dev-admin\n".to_owned()));
    driver.settle();
    assert!(driver.asked().is_empty());
    driver.shows("1 found");
}

#[test]
fn several_tables_are_chosen_with_space() {
    let mut driver = driver();
    driver
        .go(&TO_THE_QUESTION[..6])
        .go(&["space", "down", "space", "down", "space"]);
    driver.shows("3 chosen").go(&["space"]).shows("2 chosen");
    driver.go(&["enter"]).shows("Destination");
}

#[test]
fn a_table_without_recovery_says_where_it_is_enabled_and_lets_one_go_on() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION[..6]);
    driver
        .go(&["end", "up", "space"])
        .shows("point-in-time recovery is off on Sessions: the Access step can enable it");
    driver.shows("update-continuous-backups");
    driver
        .go(&["enter"])
        .shows("recovery is off on Sessions: Access can enable it")
        .shows("Destination · step 3 of 7");
}

#[test]
fn an_incremental_window_is_checked() {
    let mut driver = driver();
    driver
        .go(&TO_THE_QUESTION[..6])
        .go(&["end", "o", "space", "tab", "tab", "ctrl-u"]);
    driver.type_text("2026-11-22 11:50").go(&["enter"]);
    driver.shows("at least 15 minutes are needed");
    driver
        .go(&["ctrl-u"])
        .type_text("2026-11-21 10:00")
        .go(&["enter"]);
    driver.shows("at most 24 hours are taken");
    driver
        .go(&["ctrl-u"])
        .type_text("2026-11-22 09:55")
        .go(&["enter"]);
    driver.hides("How Users").shows("1 chosen");
    driver.go(&[
        "enter", "enter", "enter", "enter", "enter", "enter", "left", "enter",
    ]);
    let (_, plan) = driver.start().unwrap();
    assert!(matches!(plan.tables[0].span, Span::Incremental { .. }));
}

/// The words are those of the plan file's own check (`src/job/tests/rules.rs`).
#[test]
fn a_plan_that_breaks_a_rule_of_the_plan_file_does_not_reach_the_review() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION[..6]);
    for account in ["111111111111", "444444444444"] {
        let table = format!("arn:aws:dynamodb:eu-west-1:{account}:table/Orders");
        driver.go(&["t"]).type_text(&table).go(&["enter"]);
    }
    driver
        .go(&["n", "enter", "n", "n"])
        .shows("Access · step 5");
    driver.go(&["n"]);
    driver
        .shows("The plan breaks a rule")
        .shows("is of account 444444444444")
        .shows("make a plan for")
        .shows("each account, with a role or profile of that account");
    driver.go(&["esc"]).shows("Access · step 5");
    driver.go(&["esc", "esc", "esc"]).shows("Tables · step 2");
    driver.go(&["space", "n", "n", "n", "n"]);
    driver.shows("Review · step 6");
}

#[test]
fn only_tables_near_the_cursor_are_described() {
    let names = (0..2500).map(|number| format!("table-{number:04}"));
    let world = World {
        table_names: Some(names.collect()),
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&TO_THE_QUESTION[..5]);
    driver.press(&["enter"]);
    let (request, _) = driver.asked().pop().unwrap();
    driver.forget_questions();
    let reply = driver.world.answer(&Query::Tables);
    driver.reply(request, reply);
    assert_eq!(driver.asked().len(), 6, "a few at a time");
    driver.settle();
    driver.shows("table-0000").press(&["end"]);
    assert!(driver.asked().iter().all(|(_, query)| match query {
        Query::Table(name) => name.as_str() > "table-2470",
        _ => false,
    }));
}

#[test]
fn kms_is_suggested_where_the_bucket_encrypts_with_a_key() {
    let mut driver = driver();
    driver
        .go(&TO_THE_QUESTION[..10])
        .go(&["end", "enter", "enter"]);
    driver
        .shows("suggested")
        .shows("the bucket encrypts with this key");
    driver.go(&["enter", "enter", "enter", "left", "enter"]);
    let (_, plan) = driver.start().unwrap();
    let key = Some(world::KEY.parse().unwrap());
    assert_eq!(plan.encryption, Encryption::Kms { key });
}

#[test]
fn an_aws_managed_key_of_another_account_blocks() {
    let mut driver = driver();
    driver
        .go(&TO_THE_QUESTION[..12])
        .go(&["end", "enter", "enter"]);
    driver.shows("cannot be used from another account");
}

#[test]
fn a_typed_bucket_and_prefix_are_taken_and_an_arn_is_not() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION[..10]).go(&["t"]);
    driver
        .type_text("arn:aws:s3:::other")
        .go(&["enter"])
        .shows("but an ARN");
    driver
        .go(&["ctrl-u"])
        .type_text("other-landing")
        .go(&["enter"]);
    driver.shows("s3://other-landing/AWSDynamoDB/");
    driver.go(&["p"]).type_text("prod/").go(&["enter"]);
    driver.shows("s3://other-landing/prod/AWSDynamoDB/");
}

#[test]
fn a_policy_is_copied_and_that_is_said() {
    let mut driver = driver();
    driver
        .go(&TO_THE_QUESTION[..13])
        .shows("Access: what the plan may do");
    driver.go(&["tab", "tab"]).shows("Access: the policies");
    driver.go(&["y"]).shows("clipboard");
    let copied = driver.done.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let policy: serde_json::Value = serde_json::from_str(&copied.unwrap()).unwrap();
    assert_eq!(
        policy["Statement"][0]["Principal"]["AWS"],
        "arn:aws:iam::111111111111:role/OnCall"
    );
}

/// For a ticket: who exported what to where, and how it ended.
#[test]
fn the_details_of_a_run_are_copied_with_both_accounts_the_bucket_and_the_counts() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.started(5);
    let mut done = export(0, "Orders");
    done.stage = ProgressStage::Running(ExportStatus::Completed);
    done.item_count = Some(10_240);
    driver.dispatch(Message::Reported(Box::new(Event::Operation(done))));
    driver.press(&["y"]);
    let copied = driver.done.iter().rev().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.unwrap();
    for part in [
        "run: 5",
        "source: 111111111111 as ",
        "destination: 222222222222 as ",
        "bucket: s3://export-landing/",
        "table/Orders",
        "items: 10240",
    ] {
        assert!(copied.contains(part), "{part} is not in\n{copied}");
    }
}

#[test]
fn a_key_that_does_nothing_says_so() {
    let mut driver = driver();
    driver
        .go(&["z"])
        .shows("z means nothing here; ? shows the keys");
    driver.go(&TO_THE_QUESTION[..13]).go(&["a"]);
    driver.shows("a (apply): not possible now");
}

#[test]
fn a_setting_that_stops_the_call_prevents_the_start() {
    let world = World {
        stopped: Some(("the bucket is gone", "choose another")),
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&TO_THE_QUESTION);
    driver
        .hides("Start the export?")
        .shows("the bucket is gone")
        .go(&["left", "enter"]);
    assert!(driver.start().is_none());
}

#[test]
fn quitting_during_a_mutation_waits_for_its_answer() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter", "q", "y"]);
    assert!(!driver.has_quit());
    let is_cut_off = |effect: &Effect| matches!(effect, Effect::CutOff);
    assert!(
        driver.done.iter().any(is_cut_off),
        "no further call is made"
    );
    driver.shows("waiting for the answer");
    driver.started(5);
    assert!(driver.has_quit());
    assert_eq!(driver.model.run(), Some(RunId(5)));
    assert!(driver.model.has_unfinished_exports());
    assert!(driver.watch().is_none());
}

#[test]
fn a_signal_during_a_mutation_waits_too() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.dispatch(Message::Terminated);
    assert!(!driver.has_quit());
    driver.started(5);
    assert!(driver.has_quit());
}

#[test]
fn quitting_asks_and_says_how_to_come_back() {
    let world = World {
        is_real: true,
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&["enter", "q"]).shows("Quit?").go(&["n"]);
    assert!(!driver.has_quit());
    driver.go(&TO_THE_QUESTION[1..]).go(&["left", "enter"]);
    driver.started(5);
    driver
        .go(&["ctrl-c"])
        .shows("tableferry resume 5")
        .go(&["ctrl-c"]);
    assert!(driver.has_quit());
}

#[test]
fn a_refused_start_is_shown_and_nothing_is_followed() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    let (request, _) = driver.start().unwrap();
    let why = "the journal cannot be written: disk full".to_owned();
    driver.dispatch(Message::Done(request, MutationResult::NotStarted(why)));
    driver.shows("disk full").shows("nothing was started");
    assert!(driver.watch().is_none());
}

#[test]
fn saving_never_overwrites_without_a_question() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION[..14]).go(&["s", "enter"]);
    let saved = |driver: &Driver| {
        driver.done.iter().rev().find_map(|effect| match effect {
            Effect::Mutate(
                request,
                Mutation::SavePlan {
                    path, may_replace, ..
                },
            ) => Some((*request, path.clone(), *may_replace)),
            _ => None,
        })
    };
    let (request, path, may_replace) = saved(&driver).unwrap();
    assert!(!may_replace);
    driver.dispatch(Message::Done(
        request,
        MutationResult::FileExists(path.clone()),
    ));
    driver.shows("Replace the file?").go(&["left", "enter"]);
    let (request, _, may_replace) = saved(&driver).unwrap();
    assert!(may_replace);
    driver.dispatch(Message::Done(request, MutationResult::Saved(path)));
    driver.shows("the plan is in plan.toml");
}

#[test]
fn a_plan_fills_in_every_step() {
    let mut driver = Driver::with((80, 24), World::default(), Some(world::plan()));
    driver.go(&["n", "n", "n", "n", "n"]);
    driver.shows("only these leave the account: customer, total");
    driver.go(&["enter", "left", "enter"]);
    let (_, plan) = driver.start().unwrap();
    assert_eq!(plan.destination.prefix(), Some("prod"));
    assert!(plan.tables[0].filter.is_some());
}

#[test]
fn without_a_destination_profile_bucket_and_owner_are_typed() {
    let mut driver = driver();
    driver.go(&[
        "enter", "end", "up", "enter", "enter", "down", "down", "enter", "enter",
    ]);
    driver.shows("Without a destination profile").go(&["t"]);
    driver
        .type_text("their-landing")
        .go(&["enter", "enter"])
        .shows("is not known");
    driver
        .go(&["o"])
        .type_text("222222222222")
        .go(&["enter", "enter", "enter", "enter", "enter", "left", "enter"]);
    let (_, plan) = driver.start().unwrap();
    assert!(plan.destination.sign_in.is_none());
    assert_eq!(plan.destination.owner.unwrap().as_str(), "222222222222");
}

#[test]
fn control_characters_of_a_name_never_reach_the_screen() {
    let world = World {
        table_names: Some(vec!["evil\u{1b}[2J\u{9b}31m\u{202e}elbat".to_owned()]),
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&TO_THE_QUESTION[..6]).go(&["space"]);
    let screen = driver.screen();
    let is_clean = |c: char| c == '\n' || (!c.is_control() && c != '\u{202e}');
    assert!(screen.chars().all(is_clean), "{screen:?}");
    assert!(screen.contains("evil[2J31melbat"));
}

#[test]
fn every_size_and_step_can_be_drawn() {
    for size in [(60, 16), (61, 17), (76, 20), (80, 24), (108, 16), (200, 60)] {
        let mut driver = Driver::new(size);
        driver.screen();
        for key in TO_THE_QUESTION {
            driver.go(&[key, "?"]).screen();
            driver.go(&["pagedown", "end", "esc"]).screen();
        }
    }
}

/// A failed export tells its cause, d opens the whole diagnosis, and t leads to where it is fixed and
/// started anew.
#[test]
fn a_failed_export_opens_its_diagnosis_and_is_tried_again() {
    let mut driver = driver();
    driver.go(&TO_THE_QUESTION).go(&["left", "enter"]);
    driver.go(&["esc"]).shows("Progress");
    driver.started(1);
    let mut failed = export(0, "Orders");
    failed.stage = ProgressStage::Running(ExportStatus::Failed);
    failed.failure_code = Some("S3AccessDenied".to_owned());
    failed.failure_message = Some(
        "User: arn:aws:sts::111111111111:assumed-role/OnCall/mona is not authorized to perform: \
         s3:PutObject on resource: \"arn:aws:s3:::export-landing/k\" because no resource-based policy \
         allows the s3:PutObject action"
            .to_owned(),
    );
    driver.dispatch(Message::Reported(Box::new(Event::Operation(failed))));
    driver.press(&["t"]).shows("Progress");
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.shows("bucket-policy-lacks").press(&["d"]);
    driver
        .shows("Why it failed")
        .shows("no resource-based policy that allows it");
    driver.press(&["esc"]).press(&["t"]).shows("Access");
    let is_assessed = driver
        .asked()
        .iter()
        .any(|(_, query)| matches!(query, Query::Assess(_)));
    assert!(is_assessed, "and assessed anew");
}
