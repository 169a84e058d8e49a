//! The tables of the source, and the chosen ones.

use std::collections::BTreeMap;

use crate::assess::facts::{Fact, TableFacts};
use crate::job::{InvalidValue, Plan, TableJob, TablePattern, TableRef, TableSelector};
use crate::tui::remote::Remote;
use crate::tui::revision::Revision;
use crate::tui::widgets::list::FilteredList;

/// The tables of the source, and the chosen ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) names: Remote<Vec<String>>,
    pub(crate) facts: BTreeMap<String, Remote<TableFacts, String>>,
    pub(crate) jobs: Vec<TableJob>,
    /// Patterns that choose all tables of such names.
    pub(crate) selectors: Vec<TableSelector>,
    /// Names, ARNs and patterns that were typed or came with a plan.
    pub(crate) typed: Vec<String>,
    pub(crate) list: FilteredList,
    /// The source that this is of.
    pub(super) source: Revision,
    /// The changes of ours after which the tables were read.
    pub(super) applied: Revision,
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

fn selected(plan: &Plan) -> impl Iterator<Item = String> {
    let selectors = plan.selectors.iter();
    selectors.map(|selector| selector.tables.to_string())
}

/// A table's name for people.
pub(crate) fn name(table: &TableRef) -> &str {
    match table {
        TableRef::Name(name) => name,
        TableRef::Arn(arn) => arn.resource_after("table").unwrap_or(&arn.resource),
    }
}

impl Tables {
    pub(crate) fn filled_in(plan: &Plan) -> Self {
        Self {
            jobs: plan.tables.clone(),
            selectors: plan.selectors.clone(),
            typed: selected(plan)
                .chain(plan.tables.iter().map(|job| key(&job.table)))
                .collect(),
            ..Self::default()
        }
    }

    /// Forgets what another identity has read; choices of a plan that was never shown stay.
    pub(super) fn forget(&mut self) {
        if !self.names.is_not_asked() {
            self.jobs.clear();
            self.selectors.clear();
            self.typed.clear();
        }
        self.names = Remote::NotAsked;
        self.facts.clear();
        self.list = FilteredList::default();
    }

    /// Notes that what was read of the tables may be true no more: it is read again where it is shown.
    pub(super) fn unread(&mut self) {
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

    /// Whether anything is chosen.
    pub(crate) const fn is_any_chosen(&self) -> bool {
        !self.jobs.is_empty() || !self.selectors.is_empty()
    }

    /// The selector of a pattern, if it is chosen.
    pub(crate) fn selector(&self, row: &str) -> Option<&TableSelector> {
        let mut selectors = self.selectors.iter();
        selectors.find(|selector| selector.tables.to_string() == row)
    }

    /// Whether a pattern chooses a table.
    pub(crate) fn is_selected(&self, table: &str) -> bool {
        let mut selectors = self.selectors.iter();
        selectors.any(|selector| selector.is_of(table))
    }

    /// How many tables of the account a pattern is like; `None` while they are not listed.
    pub(crate) fn matching(&self, pattern: &TablePattern) -> Option<usize> {
        let names = self.names.value()?.iter();
        Some(names.filter(|name| pattern.is_name_like(name)).count())
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

    /// Chooses all tables whose names are like a pattern, or none of them by it.
    pub(crate) fn toggle_pattern(&mut self, pattern: TablePattern) {
        if self.selector(pattern.as_str()).is_some() {
            self.selectors
                .retain(|known| known.pattern() != Some(&pattern));
        } else {
            self.selectors.push(TableSelector::new(pattern));
        }
    }

    pub(super) fn toggle(&mut self, table: &str) -> Result<(), InvalidValue> {
        if TablePattern::is_meant_by(table) {
            self.toggle_pattern(table.parse()?);
            return Ok(());
        }
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
