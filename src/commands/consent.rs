//! Consent: nothing in an account is changed that was not shown and agreed to.
//!
//! On a terminal each change is asked about on its own, and the name of an account that is marked
//! production is typed. Without questions, what was named on the command line is what was agreed to.

use tokio_util::sync::CancellationToken;

use super::error::CommandError;
use super::exit::Exit;
use super::sign_in::ask;
use crate::work::Work;
use tableferry_policy::arn::AccountId;

/// How the operator agrees to changes.
pub(super) struct Consent<'a> {
    pub(super) work: &'a Work,
    pub(super) cancel: &'a CancellationToken,
    /// Whether answers come from the command line.
    pub(super) is_given: bool,
    /// The names of production accounts that the command line holds.
    pub(super) names: &'a [String],
}

impl Consent<'_> {
    /// Asks whether a change of the first of these accounts is agreed to; the others are concerned by it.
    /// Without consent that is an error, which tells nothing after a plain "no".
    ///
    /// `question` is asked on a terminal; `is_covered` is the command line's answer to it.
    pub(super) async fn to(
        &self,
        question: &str,
        is_covered: bool,
        accounts: &[&AccountId],
    ) -> Result<(), CommandError> {
        let name = self.work.name_to_type(accounts.iter().copied());
        let is_agreed = if self.is_given {
            is_covered
        } else {
            is_yes(self.ask(format!("{question} (y/N)? ")).await.as_deref())
        };
        if !is_agreed {
            return Err(CommandError::silent(Exit::Refused));
        }
        match name {
            Some(name) => self.to_read(name).await,
            None => Ok(()),
        }
    }

    /// Asks whether an account that is marked production may be touched: its name is given, or typed where
    /// somebody sits there.
    pub(super) async fn to_read(&self, name: &str) -> Result<(), CommandError> {
        if self.names.iter().any(|given| given == name) {
            return Ok(());
        }
        if self.is_given {
            return Err(CommandError::refused(format!(
                "an account is concerned that is marked production, {name}"
            ))
            .hint(format!(
                "add --production {name} if that is the one you mean"
            )));
        }
        let question = format!("production: type the account's name, {name}, to go on: ");
        if self.ask(question).await.as_deref() == Some(name) {
            return Ok(());
        }
        Err(CommandError::refused("that is not the account's name").hint("nothing was changed"))
    }

    /// Asks for the name of a table that is written into, whatever its account: it is given, or typed where
    /// somebody sits there.
    pub(super) async fn to_table(
        &self,
        name: &str,
        given: Option<&str>,
    ) -> Result<(), CommandError> {
        match given {
            Some(given) if given == name => return Ok(()),
            Some(given) => {
                return Err(CommandError::refused(format!(
                    "{given} is confirmed, and {name} would be written into"
                ))
                .hint(format!("add --confirm {name} if that is the one you mean")));
            }
            None if self.is_given => {
                return Err(CommandError::refused(format!(
                    "the name of the table that is written into, {name}, is not confirmed"
                ))
                .hint(format!("add --confirm {name} if that is the one you mean")));
            }
            None => {}
        }
        let question = format!("type the table's name, {name}, to write into it: ");
        if self.ask(question).await.as_deref() == Some(name) {
            return Ok(());
        }
        Err(CommandError::refused("that is not the table's name").hint("nothing was written"))
    }

    /// Asks whether a change of Denies that name the exporter is agreed to: each Sid is typed. Nothing on
    /// the command line answers that.
    pub(super) async fn to_denies(&self, sids: &[&str]) -> Result<(), CommandError> {
        for sid in sids {
            if self.is_given {
                return Err(CommandError::silent(Exit::Refused));
            }
            let question = format!(
                "the Deny {sid} names the principal itself, which its author meant; type its Sid to \
                 change it: "
            );
            if self.ask(question).await.as_deref() != Some(*sid) {
                return Err(
                    CommandError::refused("that is not the Deny's Sid").hint("nothing was changed")
                );
            }
        }
        Ok(())
    }

    async fn ask(&self, question: String) -> Option<String> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            answer = ask(question) => answer,
        }
    }
}

fn is_yes(answer: Option<&str>) -> bool {
    answer.is_some_and(|answer| ["y", "yes"].contains(&answer.to_lowercase().as_str()))
}
