//! What the keys of the Tables step do, and which tables are described.

use super::form;
use super::state::{Readiness, key, name};
use crate::assess::facts::TableFacts;
use crate::job::TablePattern;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::{Popup, TypedPurpose};
use crate::tui::remote::{Remote, RequestId};
use crate::tui::services::ShownProblem;
use crate::work::event::Side;

/// How many tables are described at a time.
const AT_A_TIME: usize = 6;

/// How far around the cursor tables are described, so that 2,500 of them cost no 5,000 calls.
const AROUND_THE_CURSOR: usize = 25;

/// Drops what another source has read, and what was read of the tables before a change.
pub(crate) fn drop_outdated(model: &mut Model) -> Vec<Effect> {
    let (source, applied) = (model.accounts.source.revision, model.changes.applied);
    if model.tables.applied.follow(applied) {
        model.tables.unread();
    }
    if !model.tables.source.follow(source) {
        return Vec::new();
    }
    model.tables.forget();
    vec![Effect::Cancel(QueryGroup::Tables)]
}

/// Reads the tables where a source was proved since, and those near the cursor.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    let is_proved = model.identified(Side::Source).is_some();
    if is_proved && model.tables.names.is_not_asked() {
        return enter(model);
    }
    describe_nearby(model)
}

/// What entering the step sets off.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    if model.tables.names.is_not_asked() {
        reload(model)
    } else {
        Vec::new()
    }
}

fn reload(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.tables.names.ask(request);
    model.tables.unread();
    vec![Effect::Ask(request, QueryGroup::Tables, Query::Tables)]
}

/// Asks for the tables around the cursor and the chosen ones, a few at a time.
fn describe_nearby(model: &mut Model) -> Vec<Effect> {
    let in_flight = model
        .tables
        .facts
        .values()
        .filter(|facts| facts.is_loading())
        .count();
    let room = AT_A_TIME.saturating_sub(in_flight);
    if room == 0 {
        return Vec::new();
    }
    let tables = &model.tables;
    let first = tables.list.cursor.saturating_sub(AROUND_THE_CURSOR);
    let chosen = tables.jobs.iter().map(|job| key(&job.table));
    let nearby = tables.rows().into_iter().map(str::to_owned).skip(first);
    let mut wanted: Vec<String> = Vec::new();
    for table in chosen.chain(nearby.take(2 * AROUND_THE_CURSOR)) {
        if TablePattern::is_meant_by(&table) {
            continue;
        }
        let is_unread = tables.facts.get(&table).is_none_or(Remote::is_not_asked);
        if is_unread && !wanted.contains(&table) && wanted.len() < room {
            wanted.push(table);
        }
    }
    wanted
        .into_iter()
        .map(|table| {
            let request = model.request();
            model
                .tables
                .facts
                .entry(table.clone())
                .or_default()
                .ask(request);
            Effect::Ask(request, QueryGroup::Tables, Query::Table(table))
        })
        .collect()
}

/// Takes a table's description; says whether it still counted.
pub(crate) fn take_facts(model: &mut Model, request: RequestId, facts: TableFacts) -> bool {
    model
        .tables
        .facts
        .get_mut(&facts.asked)
        .is_some_and(|known| known.answer(request, Ok(facts)))
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let tables = &model.tables;
    match action {
        Action::Toggle | Action::Edit => tables.row().is_some(),
        Action::Choose => !tables.is_any_chosen() && tables.row().is_some(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let row = model.tables.row().map(str::to_owned);
    match (action, row) {
        (Action::Toggle | Action::Choose, Some(table)) => match model.tables.toggle(&table) {
            Ok(()) => warn_of_recovery(model, &table),
            Err(invalid) => model.say(Tone::Bad, invalid.to_string()),
        },
        (Action::Edit, Some(pattern)) if TablePattern::is_meant_by(&pattern) => {
            let text = "how the tables of a pattern are exported is set in the plan file";
            model.say(Tone::Warning, text.to_owned());
        }
        (Action::Edit, Some(table)) => match model.tables.job_or_new(&table) {
            Ok(job) => {
                let popup = form::form(model, &table, &job);
                model.open(popup);
            }
            Err(invalid) => model.say(Tone::Bad, invalid.to_string()),
        },
        (Action::Type, _) => model.open(Popup::typed(TypedPurpose::Table, "")),
        (Action::Reload, _) => return reload(model),
        _ => {}
    }
    Vec::new()
}

fn warn_of_recovery(model: &mut Model, table: &str) {
    let is_off = model.tables.readiness(table) == Readiness::RecoveryOff;
    if is_off && model.tables.job(table).is_some() {
        model.say(
            Tone::Warning,
            format!("point-in-time recovery is off on {table}: the Access step can enable it"),
        );
    }
}

/// Says which of the chosen tables are exported only once something was enabled; one goes on.
pub(crate) fn say_what_is_off(model: &mut Model) -> Option<Vec<Effect>> {
    let tables = &model.tables;
    let jobs = tables.jobs.iter();
    let off: Vec<&str> = jobs
        .filter(|job| tables.readiness(&key(&job.table)) == Readiness::RecoveryOff)
        .map(|job| name(&job.table))
        .collect();
    if !off.is_empty() {
        let text = format!(
            "recovery is off on {}: Access can enable it",
            off.join(", ")
        );
        model.say(Tone::Warning, text);
    }
    None
}

/// What is missing before the destination can be chosen.
pub(crate) fn check(model: &Model) -> Result<(), ShownProblem> {
    let tables = &model.tables;
    if !tables.is_any_chosen() {
        return Err(ShownProblem {
            what: "no table is chosen yet".to_owned(),
            hint: "choose with Space".to_owned(),
        });
    }
    for job in &tables.jobs {
        let name = name(&job.table);
        match tables.readiness(&key(&job.table)) {
            Readiness::Unread => {
                return Err(ShownProblem {
                    what: format!("still reading {name}"),
                    hint: "one moment".to_owned(),
                });
            }
            // What is off is a denial of the Access step, which has the remedy for it.
            Readiness::RecoveryOff | Readiness::Ready | Readiness::Unknown => {}
        }
    }
    Ok(())
}
