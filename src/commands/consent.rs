//! Consent: nothing in an account is changed that was not shown and agreed to.
//!
//! On a terminal each change is asked about on its own, and the name of an account that is marked
//! production is typed. Without questions, what was named on the command line is what was agreed to.

use tokio_util::sync::CancellationToken;

use super::report::Report;
use super::sign_in::ask;
use crate::work::Work;
use tableferry_policy::arn::AccountId;

/// How the operator agrees to changes.
pub(super) struct Consent<'a> {
    pub(super) work: &'a Work,
    pub(super) report: &'a Report,
    pub(super) cancel: &'a CancellationToken,
    /// Whether answers come from the command line.
    pub(super) is_given: bool,
    /// The names of production accounts that the command line holds.
    pub(super) names: &'a [String],
}

impl Consent<'_> {
    /// Whether a change of the first of these accounts is agreed to; the others are concerned by it.
    ///
    /// `question` is asked on a terminal; `is_covered` is the command line's answer to it.
    pub(super) async fn to(
        &self,
        question: &str,
        is_covered: bool,
        accounts: &[&AccountId],
    ) -> bool {
        let name = self.work.name_to_type(accounts.iter().copied());
        if self.is_given {
            return is_covered && name.is_none_or(|name| self.has_named(name));
        }
        if !is_yes(self.ask(format!("{question} (y/N)? ")).await.as_deref()) {
            return false;
        }
        match name {
            Some(name) => self.is_named_or_typed(name).await,
            None => true,
        }
    }

    /// Whether items of an account that is marked production may be read out of it: its name is given, or
    /// typed where somebody sits there.
    pub(super) async fn to_read(&self, name: &str) -> bool {
        if self.is_given {
            self.has_named(name)
        } else {
            self.is_named_or_typed(name).await
        }
    }

    async fn is_named_or_typed(&self, name: &str) -> bool {
        if self.names.iter().any(|given| given == name) {
            return true;
        }
        let question = format!("production: type the account's name, {name}, to go on: ");
        let typed = self.ask(question).await;
        let is_right = typed.as_deref() == Some(name);
        if !is_right {
            self.report.error(
                "that is not the account's name",
                Some("nothing was changed"),
            );
        }
        is_right
    }

    /// Whether a change of Denies that name the exporter is agreed to: each Sid is typed. Nothing on
    /// the command line answers that.
    pub(super) async fn to_denies(&self, sids: &[&str]) -> bool {
        for sid in sids {
            if self.is_given {
                return false;
            }
            let question = format!(
                "the Deny {sid} names the principal itself, which its author meant; type its Sid to \
                 change it: "
            );
            if self.ask(question).await.as_deref() != Some(*sid) {
                self.report
                    .error("that is not the Deny's Sid", Some("nothing was changed"));
                return false;
            }
        }
        true
    }

    fn has_named(&self, name: &str) -> bool {
        let is_named = self.names.iter().any(|given| given == name);
        if !is_named {
            self.report.error(
                &format!("an account is concerned that is marked production, {name}"),
                Some(&format!(
                    "add --production {name} if that is the one you mean"
                )),
            );
        }
        is_named
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
