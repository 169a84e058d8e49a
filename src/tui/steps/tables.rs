//! Tables: what is exported, and as of when.

use std::collections::BTreeMap;

use crate::assess::facts::{Fact, TableFacts};
use crate::job::{InvalidValue, Plan, TableJob, TableRef};
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Errand, Query};
use crate::tui::model::{Model, Tone};
use crate::tui::outside::Problem;
use crate::tui::popups::{self, typed};
use crate::tui::remote::{Remote, RequestId};
use crate::tui::widgets::list::List;

/// How many tables are described at a time.
const AT_A_TIME: usize = 6;

/// How far around the cursor tables are described, so that 2,500 of them cost no 5,000 calls.
const AROUND_THE_CURSOR: usize = 25;

/// The tables of the source, and the chosen ones.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub(crate) names: Remote<Vec<String>>,
    pub(crate) facts: BTreeMap<String, Remote<TableFacts, String>>,
    pub(crate) jobs: Vec<TableJob>,
    /// Names and ARNs that were typed or came with a plan.
    pub(crate) typed: Vec<String>,
    pub(crate) list: List,
}

/// What a table can be exported with, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Nothing was read yet.
    Unread,
    /// Point-in-time recovery is on.
    Ready,
    /// Point-in-time recovery is off.
    RecoveryOff,
    /// It could not be read.
    Unknown,
}

/// The text that a table is asked by: its name or ARN.
pub(crate) fn key(table: &TableRef) -> String {
    match table {
        TableRef::Name(name) => name.clone(),
        TableRef::Arn(arn) => arn.to_string(),
    }
}

/// A table's name for people.
pub(crate) fn name(table: &TableRef) -> &str {
    match table {
        TableRef::Name(name) => name,
        TableRef::Arn(arn) => arn.resource_after("table").unwrap_or(&arn.resource),
    }
}

impl Tables {
    pub(crate) fn fill_in(&mut self, plan: &Plan) {
        self.jobs.clone_from(&plan.tables);
        self.typed = self.jobs.iter().map(|job| key(&job.table)).collect();
    }

    /// Forgets what another identity has read; choices of a plan that was never shown stay.
    pub(crate) fn forget(&mut self) {
        if !self.names.is_not_asked() {
            self.jobs.clear();
            self.typed.clear();
        }
        self.names = Remote::NotAsked;
        self.facts.clear();
        self.list = List::default();
    }

    /// Notes that what was read of the tables may be true no more: it is read again where it is shown.
    pub(crate) fn unread(&mut self) {
        self.facts.retain(|_, facts| facts.is_loading());
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.names.is_loading() || self.facts.values().any(Remote::is_loading)
    }

    /// The rows that the filter leaves: typed tables that the account's list does not name, then the
    /// account's.
    pub(crate) fn rows(&self) -> Vec<&str> {
        let listed: &[String] = self.names.value().map_or(&[], Vec::as_slice);
        let typed = self.typed.iter().filter(|key| !listed.contains(key));
        typed
            .chain(listed)
            .map(String::as_str)
            .filter(|name| self.list.lets_through(name))
            .collect()
    }

    /// The table under the cursor.
    pub(crate) fn row(&self) -> Option<&str> {
        self.rows().get(self.list.cursor).copied()
    }

    /// The job of a table, if it is chosen.
    pub(crate) fn job(&self, table: &str) -> Option<&TableJob> {
        self.jobs.iter().find(|job| key(&job.table) == table)
    }

    /// What is known of a table.
    pub(crate) fn known(&self, table: &str) -> Option<&TableFacts> {
        self.facts.get(table)?.value()
    }

    pub(crate) fn readiness(&self, table: &str) -> Readiness {
        match self.known(table).map(|facts| &facts.recovery) {
            None => Readiness::Unread,
            Some(Fact::Known { value, .. }) if value.is_enabled => Readiness::Ready,
            Some(Fact::Known { .. }) => Readiness::RecoveryOff,
            Some(_) => Readiness::Unknown,
        }
    }

    /// Chooses a table or changes how it is exported.
    pub(crate) fn put(&mut self, job: TableJob) {
        let table = key(&job.table);
        match self
            .jobs
            .iter_mut()
            .find(|known| key(&known.table) == table)
        {
            Some(known) => *known = job,
            None => self.jobs.push(job),
        }
    }

    /// How a table is exported: as chosen, or in full if it is not.
    pub(crate) fn job_or_new(&self, table: &str) -> Result<TableJob, InvalidValue> {
        self.job(table).cloned().map_or_else(|| new_job(table), Ok)
    }

    fn toggle(&mut self, table: &str) -> Result<(), InvalidValue> {
        let before = self.jobs.len();
        self.jobs.retain(|job| key(&job.table) != table);
        if self.jobs.len() == before {
            self.jobs.push(new_job(table)?);
        }
        Ok(())
    }
}

/// A full export of a table as it is at the start.
pub(crate) fn new_job(table: &str) -> Result<TableJob, InvalidValue> {
    table.parse().map(TableJob::new)
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
    vec![Effect::Ask(request, Errand::Tables, Query::Tables)]
}

/// Asks for the tables around the cursor and the chosen ones, a few at a time.
pub(crate) fn describe_nearby(model: &mut Model) -> Vec<Effect> {
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
            Effect::Ask(request, Errand::Tables, Query::Table(table))
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
        Action::Choose => tables.jobs.is_empty() && tables.row().is_some(),
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
        (Action::Edit, Some(table)) => match model.tables.job_or_new(&table) {
            Ok(job) => {
                let popup = popups::table::form(model, &table, &job);
                model.open(popup);
            }
            Err(invalid) => model.say(Tone::Bad, invalid.to_string()),
        },
        (Action::Type, _) => model.open(typed::popup(typed::Purpose::Table, "")),
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

/// Says which of the chosen tables are exported only once something was enabled.
pub(crate) fn say_what_is_off(model: &mut Model) {
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
}

/// What is missing before the destination can be chosen.
pub(crate) fn can_advance(model: &Model) -> Result<(), Problem> {
    let tables = &model.tables;
    if tables.jobs.is_empty() {
        return Err(Problem {
            what: "no table is chosen yet".to_owned(),
            hint: "choose with Space".to_owned(),
        });
    }
    for job in &tables.jobs {
        let name = name(&job.table);
        match tables.readiness(&key(&job.table)) {
            Readiness::Unread => {
                return Err(Problem {
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
