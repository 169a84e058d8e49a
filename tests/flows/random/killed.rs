//! Killed at random moments, over every command that changes something.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::Played;
use super::faults::{Faults, Moment};
use super::world::{SELF_KEEPER, TABLES, World, differences};

/// How often the program is killed where nobody says.
const USUAL: usize = 24;

/// What `apply` may make in these rounds.
const KINDS: &str = "bucket-policy,key-policy,identity-policy,recovery";

#[test]
fn nothing_is_lost_or_doubled_or_left_over_whenever_the_program_is_killed() {
    super::play("KILL", "KILLS", USUAL, |seed| {
        let mut world = World::new();
        let ended = round(&mut world, seed);
        match ended {
            Ok(()) => Ok(Played {
                count: world.kills,
                told: world.told,
            }),
            Err(problem) => Err(format!("{problem}\n{}", world.told)),
        }
    });
}

fn round(world: &mut World, seed: u64) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let before = world.settings();
    let lacking = write_lacking(world);
    for _ in 0..rng.usize(3..7) {
        step(world, &mut rng, &lacking)?;
    }
    world.follow_to_the_end()?;
    let mut wrong = differences(&world.noted(), &world.started());
    let started = world.started();
    for table in TABLES {
        let own: Vec<_> = started.iter().filter(|one| one.table == table).collect();
        if own.len() > 1 {
            wrong.push(format!("{table} was exported more than once: {own:?}"));
        }
    }
    // Whatever a probe left is taken back by the next.
    world.run(&["check", "--probe", "--yes", &world.plan()]);
    let uploads = world.uploads();
    if !uploads.is_empty() {
        wrong.push(format!("uploads are left: {uploads:?}"));
    }
    undo_all(world)?;
    let after = world.settings();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        if was != is {
            wrong.push(format!("{name} was {was:?}, and is {is:?}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// Plans that lack a bucket's policy, a key's policy, a table's recovery, and the rights of a user and
/// of a role.
fn write_lacking(world: &World) -> Vec<String> {
    let mut plans = write_examples(world);
    let text = example("may-not-export");
    for profile in ["prod-reader", SELF_KEEPER] {
        let text = text.replace("prod-reader", profile);
        let path = world.home.write(&format!("{profile}.toml"), &text);
        plans.push(path.display().to_string());
    }
    plans
}

fn example(name: &str) -> String {
    let path = format!("{}/assets/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn write_examples(world: &World) -> Vec<String> {
    ["no-grant", "key-without-grant", "pitr-off"]
        .iter()
        .map(|name| {
            let mut text = example(name);
            if *name == "pitr-off" {
                // For somebody who may switch it on, and needs nothing else.
                text = text
                    .replace("prod-oncall", "prod-admin")
                    .replace("dev-admin", "prod-admin")
                    .replace("export-landing", "prod-archive")
                    .replace("222222222222", "111111111111");
            }
            let path = world.home.write(&format!("{name}.toml"), &text);
            path.display().to_string()
        })
        .collect()
}

/// One command, which may be killed, and what it started against what it may start.
fn step(world: &mut World, rng: &mut Rng, lacking: &[String]) -> Result<(), String> {
    if rng.u8(0..3) == 0 {
        world.move_clock(rng);
    }
    let mut faults = Faults::new(rng.u64(..), *rng.choice(&[0, 5, 20]).unwrap());
    faults.has_refusals = true;
    faults.clock_percent = *rng.choice(&[0, 0, 3]).unwrap();
    faults.moment = (rng.u8(0..4) > 0).then(|| Moment::random(rng));
    let plan = world.plan();
    let apply = ["apply", "--yes", "--allow", KINDS];
    let change = in_place(world).pop().map(|change| change.to_string());
    let arguments: Vec<&str> = match (rng.u8(0..12), &change) {
        (0..4, _) => vec!["run", "--yes", &plan],
        (4..7, _) => vec!["resume"],
        (7 | 8, Some(change)) => vec!["undo", change, "--yes", "--recovery"],
        (7..11, _) => [&apply[..], &[rng.choice(lacking).unwrap().as_str()]].concat(),
        _ => vec!["check", "--probe", "--yes", &plan],
    };
    let noted = world.noted();
    let ended = world.run_under(&arguments, faults);
    if ended.err.contains("panicked") {
        return Err(ended.err);
    }
    // What is or may be under way, or has just completed, is not started once more.
    let started = world.started();
    let is_new = |token: &str| !noted.iter().any(|row| row.token == token);
    for one in started.iter().filter(|one| is_new(&one.token)) {
        let rows = noted.iter().filter(|row| row.table == one.table);
        let mut rows = rows.filter(|row| row.stage != "REFUSED" && row.stage != "FAILED");
        if let Some(row) = rows.next() {
            return Err(format!("{one:?} was started beside {row:?}"));
        }
    }
    Ok(())
}

/// The numbers of the changes that the journal holds to be in place.
fn in_place(world: &mut World) -> Vec<i64> {
    let listed = world.run(&["apply", "--list", "--output", "json"]);
    let objects = listed.objects();
    objects
        .iter()
        .filter(|object| object["event"] == "change")
        .filter_map(|object| object["change"].as_i64())
        .collect()
}

/// Undoes every change that the journal holds to be in place, the newest first.
fn undo_all(world: &mut World) -> Result<(), String> {
    let mut changes = in_place(world);
    while let Some(change) = changes.pop() {
        let number = change.to_string();
        let undone = world.run(&["undo", &number, "--yes", "--recovery"]);
        if undone.status != 0 {
            return Err(format!("change {change} is not undone: {undone:?}"));
        }
    }
    match in_place(world) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("changes are left: {left:?}")),
    }
}
