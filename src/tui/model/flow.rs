//! What a flow is: a kind of job that the wizard makes a plan for, as a list of steps.

use std::fmt;

use super::Model;
use super::step::Step;
use crate::job::{Encryption, Kind, TableJob, TableSelector};
use crate::tui::keymap::Action;

/// A kind of job that the wizard makes a plan for.
pub(crate) struct Flow {
    /// What it is called among the others.
    pub(crate) title: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
    /// What begins it on the start screen.
    pub(crate) begin: Action,
    /// What the source does, in the heading of its profiles.
    pub(crate) source_role: &'static str,
    pub(crate) steps: &'static [&'static Step],
    /// The kind of job as chosen so far; `None` while something of it is missing.
    pub(crate) kind: fn(&Model) -> Option<Kind>,
    /// The tables that it is about.
    pub(crate) tables: fn(&Model) -> Vec<TableJob>,
    /// The patterns by which it is about others.
    pub(crate) selectors: fn(&Model) -> Vec<TableSelector>,
    /// The encryption as chosen so far.
    pub(crate) encryption: fn(&Model) -> Option<Encryption>,
    /// Whether a plan is of this flow.
    pub(crate) takes: fn(&Kind) -> bool,
    /// What the objects' keys go on with behind the prefix.
    pub(crate) objects: &'static str,
    /// Whether the call can leave the encryption to the bucket's default.
    pub(crate) leaves_encryption: bool,
    /// Whether the call sends the bucket's account.
    pub(crate) sends_owner: bool,
    /// The step in which the plan is saved.
    pub(crate) saved_in: &'static str,
}

impl Flow {
    /// The place of a step.
    pub(crate) fn place(&self, step: &Step) -> usize {
        let place = self.steps.iter().position(|known| *known == step);
        place.unwrap_or_default()
    }

    pub(crate) fn next(&self, step: &Step) -> Option<&'static Step> {
        self.steps.get(self.place(step) + 1).copied()
    }

    pub(crate) fn previous(&self, step: &Step) -> Option<&'static Step> {
        let place = self.place(step).checked_sub(1)?;
        self.steps.get(place).copied()
    }
}

impl PartialEq for Flow {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title)
    }
}
