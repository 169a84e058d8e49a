//! The start screen: what was left, what can be begun, what was done last.

use jiff::SignedDuration;
use rstest::rstest;
use tableferry::aws::dynamodb::ExportStatus;
use tableferry::aws::profiles::Profiles;
use tableferry::journal::RunId;
use tableferry::tui::message::{Effect, Message, Query, QueryGroup, Reply, Watch};
use tableferry::tui::services::{RunSummary, SavedPlan};
use tableferry::work::event::{ProgressStage, Verification};

use crate::driver::{Driver, noon};
use crate::pictures::{picture, sized};
use crate::world::{self, World, export};

/// A run that ended, with its files.
fn ended(id: i64, is_verified: bool) -> RunSummary {
    let mut done = export(0, "Orders");
    done.stage = ProgressStage::Running(ExportStatus::Completed);
    done.verification = Some(if is_verified {
        Verification::Verified {
            files: 4,
            bytes: 1000,
            items: 10_240,
        }
    } else {
        Verification::Wrong {
            findings: vec!["data/a.json.gz is missing".to_owned()],
        }
    });
    RunSummary {
        id: RunId(id),
        created_at: noon() - SignedDuration::from_hours(30),
        is_open: false,
        exports: vec![done],
        uris: vec!["s3://export-landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4/".to_owned()],
        ..world::open_run(Some(world::plan()))
    }
}

fn saved(path: &str) -> SavedPlan {
    SavedPlan {
        path: path.into(),
        plan: world::plan(),
    }
}

fn busy() -> World {
    World {
        is_real: true,
        runs: vec![
            world::open_run(Some(world::plan())),
            ended(6, true),
            ended(5, false),
        ],
        plans: vec![saved("orders.toml")],
        ..World::default()
    }
}

fn opened(world: World) -> Driver {
    let mut driver = Driver::opened((80, 24), world, None);
    driver.settle();
    driver
}

#[rstest]
fn pictures(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let mut driver = Driver::opened(size, World::default(), None);
    driver.settle();
    picture(&sized("start-first", size), &mut driver);
    let mut driver = Driver::opened(size, busy(), None);
    driver.settle();
    picture(&sized("start-busy", size), &mut driver);
    driver.go(&["space"]);
    picture(&sized("start-run", size), &mut driver);
}

#[test]
fn each_job_has_a_key_and_enter_begins_an_export() {
    for (key, seen) in [
        ("enter", "Source: exports"),
        ("n", "Source: exports"),
        ("u", "Source: uploads"),
        ("i", "Source: has the listed bucket"),
        ("w", "Source: is watched"),
    ] {
        opened(World::default()).go(&[key]).shows(seen);
    }
}

#[test]
fn a_run_that_was_left_comes_first_and_is_gone_on_with() {
    let mut driver = opened(busy());
    driver.shows("▌ run 7, 20 min ago: Orders").go(&["enter"]);
    assert_eq!(driver.watch().unwrap().1, Watch::Resume(RunId(7)));
    driver.shows("Progress").shows("Orders");
}

#[test]
fn a_run_that_was_left_is_not_gone_on_with_by_a_key_that_was_on_its_way() {
    let mut driver = Driver::opened((80, 24), busy(), None);
    driver.draw().settle().press_blindly(&["enter"]);
    driver.shows("Left to do").settle();
    assert!(driver.watch().is_none());
    driver.go(&["enter"]);
    assert!(driver.watch().is_some());
}

#[test]
fn in_another_step_it_is_said_that_something_was_left() {
    let mut driver = Driver::with((80, 24), busy(), None);
    driver.settle();
    driver.shows("1 run left to do: 0 shows what").go(&["0"]);
    driver
        .shows("Left to do")
        .shows("under way: Enter follows it");
}

#[test]
fn a_run_that_the_wizard_cannot_show_is_told_with_its_command() {
    let world = World {
        runs: vec![world::open_run(None)],
        ..World::default()
    };
    opened(world).go(&["enter"]).shows("`tableferry resume 7`");
}

#[test]
fn a_run_that_ended_tells_where_its_files_are_and_what_comes_next() {
    let mut driver = opened(busy());
    driver
        .shows("complete and verified")
        .shows("complete, but files are missing or differ")
        .go(&["end", "up", "up", "enter"]);
    driver
        .shows("s3://export-landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4/")
        .shows("tableferry verify 6 --deep")
        .shows("tableferry import 6 --table");
}

#[test]
fn a_plan_of_the_directory_fills_the_steps_in() {
    let mut driver = opened(busy());
    driver.go(&["end"]).shows("orders.toml").go(&["enter"]);
    driver.shows("Accounts · step 1 of 7").shows("111111111111");
    driver.go(&["n", "n"]).shows("s3://export-landing/prod");
}

#[test]
fn the_list_scrolls_to_its_cursor_and_is_filtered() {
    let mut world = busy();
    world.plans = (10..30)
        .map(|number| saved(&format!("plan-{number}.toml")))
        .collect();
    let mut driver = opened(world);
    driver.go(&["end"]).shows("plan-29.toml").hides("run 7,");
    driver.go(&["home"]).shows("run 7,").hides("plan-29.toml");
    driver.go(&["/"]).type_text("plan-17");
    driver
        .shows("plan-17.toml")
        .hides("run 7,")
        .shows("1 found");
}

#[test]
fn esc_in_the_first_step_and_0_in_any_lead_back_and_keep_what_was_chosen() {
    let mut driver = opened(World::default());
    driver.go(&["n", "enter"]).shows("✓ 111111111111");
    driver.go(&["esc"]).shows("Begin").go(&["n"]);
    driver
        .shows("✓ 111111111111")
        .go(&["end", "up", "up", "enter", "enter"]);
    driver
        .shows("Tables · step 2 of 7")
        .go(&["0"])
        .shows("Begin");
    driver.go(&["esc", "b", "0"]).shows("Begin");
}

/// It is followed as who is signed in now.
#[test]
fn a_run_that_is_followed_is_not_left_for_the_start_screen() {
    let mut driver = opened(busy());
    driver.go(&["enter"]).shows("Progress").go(&["0"]);
    driver.shows("Progress").hides("Begin");
}

#[test]
fn leaving_the_watch_for_the_start_screen_ends_it() {
    let mut driver = opened(World::default());
    driver.go(&["w", "enter", "end", "up", "up", "enter", "enter"]);
    driver.shows("under way").go(&["0"]);
    let is_cancel = |effect: &Effect| matches!(effect, Effect::Cancel(QueryGroup::Watching));
    let cancels = driver
        .done
        .iter()
        .filter(|effect| is_cancel(effect))
        .count();
    assert_eq!(cancels, 2, "one before it began, one at its end");
}

#[test]
fn quitting_asks_nothing_where_nothing_was_chosen_and_asks_where_something_was() {
    let mut driver = opened(World::default());
    driver.go(&["q"]);
    assert!(driver.has_quit());
    let mut driver = opened(World::default());
    driver.go(&["n", "enter", "q"]).shows("Quit?");
    assert!(!driver.has_quit());
}

/// A computer on which nobody used AWS yet.
#[test]
fn without_profiles_it_is_said_what_to_do_and_enter_opens_the_sandbox() {
    let world = World {
        is_real: true,
        ..World::default()
    };
    let mut driver = Driver::opened((80, 24), world, None);
    let asked = driver.asked();
    let of = |query: &Query| asked.iter().find(|(_, asked)| asked == query).unwrap().0;
    let none = Profiles {
        usable: Vec::new(),
        ignored: Vec::new(),
        chosen: None,
        problems: Vec::new(),
    };
    driver.reply(of(&Query::Runs), Reply::Runs(Ok(Vec::new())));
    driver.reply(of(&Query::Profiles), Reply::Profiles(none));
    driver
        .shows("There are no profiles")
        .shows("`aws configure sso`")
        .shows("▌ s  Sandbox");
    driver.forget_questions();
    driver.press(&["enter"]);
    assert!(driver.has_quit());
    assert!(driver.model.opens_sandbox());
}

#[test]
fn the_sandbox_is_not_offered_in_itself() {
    let mut driver = opened(World::default());
    driver.hides("Practise on").go(&["s"]);
    assert!(!driver.has_quit());
}

#[test]
fn an_error_that_is_pasted_is_explained() {
    let mut driver = opened(World::default());
    driver.go(&["x"]).shows("Explain an error");
    driver.dispatch(Message::Pasted("hello\n".to_owned()));
    driver.go(&["enter"]).shows("tells of no error of AWS");
    driver.go(&["ctrl-u"]);
    driver.dispatch(Message::Pasted(
        "An error occurred (AccessDenied) when calling the PutObject operation: User: \
         arn:aws:iam::111111111111:user/mona is not authorized to perform: s3:PutObject on resource: \
         \"arn:aws:s3:::landing/a\" because no resource-based policy allows the s3:PutObject action\n"
            .to_owned(),
    ));
    driver.go(&["enter"]);
    driver
        .shows("What it means")
        .shows("s3:PutObject was refused");
}
