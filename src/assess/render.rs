//! Remedies as documents for other tools: JSON, Terraform, CloudFormation, commands of the AWS CLI,
//! and texts to other teams.
//!
//! This module decides for each remedy what it is to such a tool: which account and Region it belongs
//! to, who signs in there, whose policy it is, and whether it may be written at all. A document that
//! was not read is never replaced, and a remedy that was not proved sound is told and not written.
//! Each format has a room of its own; what a format cannot hold is handed back in words.

mod cli;
mod cloudformation;
mod item;
mod json;
mod terraform;
#[cfg(test)]
mod tests;

pub use cli::cli;
pub use cloudformation::cloudformation;
pub use item::{Holder, RemedyAction, RemedyItem};
pub use json::json;
pub use terraform::terraform;

use jiff::Timestamp;

use super::facts::Facts;
use super::remedy::{Remedy, request_text};
use super::responsible::Responsible;
use crate::job::{Plan, SignIn};
use tableferry_policy::arn::AccountId;

/// Who signs in to make a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeSide {
    /// The plan's source.
    Source,
    /// The plan's destination.
    Destination,
    /// Somebody of an account that the plan names no profile for.
    Owner(AccountId),
}

impl ChangeSide {
    /// A word for the side that Terraform and a shell take as a name.
    fn name(&self) -> String {
        match self {
            Self::Source => "source".to_owned(),
            Self::Destination => "destination".to_owned(),
            Self::Owner(account) => format!("account_{account}"),
        }
    }
}

/// What a format made of the remedies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The document.
    pub text: String,
    /// What it does not hold, a sentence each.
    pub left_out: Vec<String>,
}

/// The remedies of a plan, ready to be written.
#[derive(Debug, Clone)]
pub struct RemedyBundle<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    items: Vec<RemedyItem<'a>>,
}

impl<'a> RemedyBundle<'a> {
    /// Finds out where each remedy belongs.
    #[must_use]
    pub fn new(plan: &'a Plan, facts: &'a Facts, remedies: &'a [Remedy]) -> Self {
        let items = remedies.iter().map(|remedy| item::of(plan, facts, remedy));
        Self {
            plan,
            facts,
            items: items.collect(),
        }
    }

    /// What is changed in one account, and what is changed in none.
    #[must_use]
    pub fn of_account(mut self, account: &AccountId) -> Self {
        self.items
            .retain(|item| item.account.as_ref().is_none_or(|own| own == account));
        self
    }

    /// The other accounts in which something is missing, each once.
    #[must_use]
    pub fn missing_outside(&self, account: &AccountId) -> Vec<AccountId> {
        let mut others: Vec<AccountId> = self
            .items
            .iter()
            .filter(|item| !item.remedy.resolves.is_empty())
            .filter_map(|item| item.account.clone())
            .filter(|other| other != account)
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// The accounts that are changed, each once.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> = self
            .items
            .iter()
            .filter_map(|item| item.account.clone())
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// The remedies, in the order in which they are to be done.
    #[must_use]
    pub fn items(&self) -> &[RemedyItem<'a>] {
        &self.items
    }

    /// Who signs in for a side, where the plan says so.
    fn sign_in(&self, side: &ChangeSide) -> Option<&'a SignIn> {
        match side {
            ChangeSide::Source => Some(&self.plan.source.sign_in),
            ChangeSide::Destination => self.plan.destination.sign_in.as_ref(),
            ChangeSide::Owner(_) => None,
        }
    }

    /// The head of every document: what it is for, and how old what it goes by is.
    fn head(&self) -> Vec<String> {
        let title = self.plan.title(&self.facts.source().caller.account);
        vec![
            format!("For {title}, by tableferry."),
            format!(
                "It goes by the policies as they were at {}.",
                self.facts.surveyed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
        ]
    }

    /// The texts to send, one for each who can fix something; `expires` is when the grants end.
    #[must_use]
    pub fn request_texts(&self, expires: Option<Timestamp>) -> Rendered {
        let all: Vec<Remedy> = self.items.iter().map(|item| item.remedy.clone()).collect();
        let mut responsible_parties: Vec<&Responsible> =
            all.iter().map(|remedy| &remedy.responsible).collect();
        responsible_parties.sort_unstable();
        responsible_parties.dedup();
        let request_texts: Vec<String> = responsible_parties
            .into_iter()
            .map(|responsible| request_text(responsible, &all, self.plan, self.facts, expires))
            .collect();
        let unsound = self.items.iter().filter(|item| !item.remedy.is_sound());
        Rendered {
            text: request_texts.join("\n----\n\n"),
            left_out: unsound
                .map(|item| item.left_out(&item.remedy.problems.join("; ")))
                .collect(),
        }
    }
}

/// A document laid out for people; as it stands where it is no JSON.
fn laid_out(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .map_or_else(|_| text.to_owned(), |document| format!("{document:#}"))
}

/// Lines of comment behind `#`, the sign of all three formats that have comments. Nothing in the text
/// can end the comment: other teams' facts are not ours.
fn comment(text: &str) -> String {
    let is_break = |c: char| matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text.lines()
        .map(|line| {
            let line: String = line
                .chars()
                .map(|c| {
                    if c.is_control() || is_break(c) {
                        '\u{fffd}'
                    } else {
                        c
                    }
                })
                .collect();
            format!("# {line}").trim_end().to_owned() + "\n"
        })
        .collect()
}
