//! What a run needs to know of a kind of operation: its next call, and what the answers mean.
//!
//! Starting, following, resuming and settling are the same for every kind whose work a service does:
//! a call with a client token starts it, and its ARN tells how it stands. A kind says which calls
//! these are, and what of its words and promises differs; it decides nothing about the journal.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tableferry_policy::arn::Arn;

use super::event::{Side, Verification};
use super::{Session, Work};
use crate::aws::SignInError;
use crate::aws::dynamodb::StartAnswer;
use crate::aws::failure::Failure;
use crate::journal::{JournalError, Operation, Stage};

/// The sessions with which the calls of a run are made. They are taken once: anyone who signs a side in
/// as somebody else meanwhile changes nothing.
pub(super) type Callers = BTreeMap<Side, Session>;

/// How an operation stands, as its service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) arn: Arn,
    /// The client token it was started with, where the service tells it.
    pub(crate) token: Option<String>,
    pub(crate) stage: Stage,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    /// What only its kind reads.
    pub(crate) result: Value,
}

impl Described {
    /// Writes it into the operation's record.
    pub(super) fn take_over(self, record: &mut Operation) {
        record.stage = self.stage;
        record.arn = Some(self.arn.to_string());
        record.started_at = self.started_at.or(record.started_at);
        record.ended_at = self.ended_at;
        record.failure_code = self.failure_code;
        record.failure_message = self.failure_message;
        record.failure_request_id = None;
        record.result = self.result;
    }
}

/// A page of the operations that a service lists in an account and Region.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListedPage {
    pub(crate) operations: Vec<(Arn, Stage)>,
    /// What the next page is asked for with; `None` on the last.
    pub(crate) next: Option<String>,
}

/// What looking an operation up by its token came to.
#[derive(Debug)]
pub(crate) enum LookUp {
    /// It was started.
    Found(Box<Described>),
    /// No call that was made can have started it.
    Absent,
    /// It is not listed, which proves nothing before this time of the service's clock.
    NotYet(Timestamp),
    /// It is not listed, which does not prove that it was not started: no time was told, or the call is
    /// older than the listing reaches, or what it works on was made again since.
    Unproved,
    /// The look-up failed or was refused.
    Failed(Failure),
}

/// What one look at what a completed operation left came to.
pub(crate) enum Observation {
    /// What is the case, and what else was seen.
    Settled(Verification, Vec<String>),
    /// Nothing: what failed passes.
    Unanswered(Failure),
    /// Nothing before somebody signs in.
    SignedOut(SignInError),
}

/// The calls that tell how operations of a kind stand, as one identity.
pub(crate) trait StatusCalls: Send + Sync {
    /// Asks how what has this ARN stands.
    fn describe<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Described, Failure>>;

    /// One page of all operations of this kind in the account and Region; `None` where its service lists none.
    fn list_page(
        &self,
        _page: Option<String>,
    ) -> BoxFuture<'_, Option<Result<ListedPage, Failure>>> {
        Box::pin(async { None })
    }
}

/// The calls of one operation, as one identity.
pub(crate) trait Calls: StatusCalls {
    /// Makes the service tell its time, by a read that a start needs nothing of; called right before
    /// each call that starts something.
    fn ask_time(&mut self) -> BoxFuture<'_, Result<(), Failure>>;

    /// The service's time, as its latest answer told it.
    fn service_time(&self) -> Option<Timestamp>;

    /// Makes the call that starts it, once, word for word as the journal has it.
    fn start(&self, signed_at: Option<Timestamp>) -> BoxFuture<'_, StartAnswer<Described>>;

    /// Looks it up by its token.
    fn look_up<'a>(&'a self, record: &'a Operation) -> BoxFuture<'a, LookUp>;
}

/// One kind of operation.
pub(crate) trait OperationKind: fmt::Debug + Send + Sync {
    /// Its word, in the journal and in sentences.
    fn name(&self) -> &'static str;

    /// The side as which its calls are made.
    fn side(&self) -> Side;

    /// How long after its first call a repeated token is sure to name the same operation.
    fn token_holds(&self) -> SignedDuration;

    /// The operation of the service that tells how one stands.
    fn describe_operation(&self) -> &'static str;

    /// The permissions that looking it up takes, in words.
    fn look_up_permissions(&self) -> &'static str;

    /// The permission that asking after it takes, in words.
    fn describe_permission(&self) -> &'static str;

    /// The calls of an operation of this kind.
    ///
    /// # Errors
    /// Where its request does not read back.
    fn calls(&self, session: &Session, record: &Operation) -> Result<Box<dyn Calls>, JournalError>;

    /// Why none may be started, whatever the run was begun with. Asked once a run: all its operations of
    /// a kind go to one place.
    fn blocked_by<'a>(
        &'a self,
        work: &'a Work,
        session: &'a Session,
        record: &'a Operation,
    ) -> BoxFuture<'a, Option<String>>;

    /// Whether an ARN may be that of this operation.
    fn may_be(&self, record: &Operation, arn: &Arn) -> bool;

    /// Whether a failure of [`Calls::describe`] says that there is no such operation.
    fn is_unknown(&self, failure: &Failure) -> bool;

    /// The files that it has written so far, and their bytes, where they can be seen.
    fn files_seen<'a>(
        &'a self,
        work: &'a Work,
        record: &'a Operation,
    ) -> BoxFuture<'a, Option<(u64, u64)>>;

    /// Looks once whether what it left is what was asked for.
    fn verify<'a>(&'a self, work: &'a Work, record: &'a Operation) -> BoxFuture<'a, Observation>;
}

/// The kinds that this program knows.
#[derive(Debug, Clone)]
pub(crate) struct Kinds(Vec<Arc<dyn OperationKind>>);

impl Kinds {
    pub(super) fn new(kinds: Vec<Arc<dyn OperationKind>>) -> Self {
        Self(kinds)
    }

    /// The kind of an operation.
    ///
    /// # Errors
    /// Where a later version of the program wrote it.
    pub(super) fn of(&self, record: &Operation) -> Result<&dyn OperationKind, JournalError> {
        self.named(&record.kind)
    }

    /// The kind that has this word.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn named(&self, word: &str) -> Result<&dyn OperationKind, JournalError> {
        let known = self.0.iter().find(|kind| kind.name() == word);
        known
            .map(AsRef::as_ref)
            .ok_or_else(|| JournalError::UnknownKind(word.to_owned()))
    }
}

#[cfg(test)]
mod tests;
