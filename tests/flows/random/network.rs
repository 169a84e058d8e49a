//! Runs under random faults of the network: the last word of each is true when it is said, and right
//! once the network is.

use fastrand::Rng;
use serde_json::Value;

use super::Played;
use super::faults::Faults;
use super::world::{Noted, Started, TABLES, World, differences};
use crate::program::Ended;

/// How many rounds are played where nobody says.
const USUAL: usize = 12;

#[test]
fn the_last_word_under_faults_of_the_network_is_true_and_right_once_they_are_over() {
    super::play("NETWORK_FAULT", "NETWORK_FAULTS", USUAL, |seed| {
        let mut world = World::new();
        let ended = round(&mut world, seed);
        match ended {
            Ok(()) => Ok(Played {
                count: 1,
                told: world.told,
            }),
            Err(problem) => Err(format!("{problem}\n{}", world.told)),
        }
    });
}

fn round(world: &mut World, seed: u64) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let plan = world.plan();
    let run = ["run", "--yes", "--output", "json", plan.as_str()];
    let resume = ["resume", "--output", "json"];
    let percent = *rng.choice(&[3, 10, 25]).unwrap();
    let mut faults = Faults::new(rng.u64(..), percent);
    faults.left = rng.usize(1..30);
    let ended = world.run_under(&run, faults);
    judge(world, &ended, true)?;
    if rng.bool() {
        let ended = world.run_under(&resume, Faults::new(rng.u64(..), percent));
        judge(world, &ended, false)?;
    }
    finish(world)
}

/// Whether what a command said last is so.
fn judge(world: &World, ended: &Ended, is_run: bool) -> Result<(), String> {
    if ended.err.contains("panicked") {
        return Err(ended.err.clone());
    }
    let (noted, started) = (world.noted(), world.started());
    let exports = ended.exports();
    if exports.is_empty() && is_run && !started.is_empty() {
        return Err(format!("it tells of no export, and there are {started:?}"));
    }
    for export in &exports {
        judge_export(export, &noted, &started)?;
    }
    let all = |is_so: fn(&Value) -> bool| exports.iter().all(is_so);
    let is_right = match ended.status {
        0 => all(|export| export["verified"] == true) && !(is_run && exports.is_empty()),
        2 | 3 => started.is_empty(),
        4 => !all(|export| export["verified"] == true) || exports.is_empty(),
        5 => !all(|export| export["verified"] == true),
        // Nothing is damaged, and nothing fails, so that 1 is wrong too.
        _ => false,
    };
    if is_right {
        return Ok(());
    }
    Err(format!(
        "it ended with {}: {exports:#?} and {started:#?}",
        ended.status
    ))
}

fn judge_export(export: &Value, noted: &[Noted], started: &[Started]) -> Result<(), String> {
    let table = export["table"].as_str().unwrap();
    let row = noted.iter().rfind(|row| row.table == table);
    let row = row.ok_or_else(|| format!("the journal does not know {export}"))?;
    let own = started.iter().find(|one| one.token == row.token);
    let state = own.map(|one| one.state.as_str());
    let is_right = match export["status"].as_str().unwrap() {
        "COMPLETED" => state == Some("Completed") && export["verified"] != false,
        "FAILED" => state == Some("Failed"),
        "IN_PROGRESS" => state.is_some(),
        "PLANNED" | "REFUSED" => state.is_none(),
        status => status == "CALLING",
    };
    let has_arn = export["export_arn"].is_null()
        || own.is_some_and(|own| export["export_arn"] == own.arn.as_str());
    if is_right && has_arn {
        return Ok(());
    }
    Err(format!("{export} is said of {own:?}"))
}

/// With the network in order everything completes and verifies, once.
fn finish(world: &mut World) -> Result<(), String> {
    if world.noted().is_empty() {
        let plan = world.plan();
        world.run(&["run", "--yes", &plan]);
    }
    world.follow_to_the_end()?;
    let (noted, started) = (world.noted(), world.started());
    let mut wrong = differences(&noted, &started);
    for table in TABLES {
        let own: Vec<&Started> = started.iter().filter(|one| one.table == table).collect();
        if own.len() != 1 {
            wrong.push(format!("{table} was exported by {own:?}"));
        }
    }
    for row in &noted {
        if row.verified.as_deref() != Some("yes") {
            wrong.push(format!("not verified: {row:?}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}
