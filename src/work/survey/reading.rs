//! How a call's answer becomes a fact.

use std::time::Duration;

use jiff::Timestamp;

use crate::assess::facts::{Fact, ObservedCall, ReadError};
use crate::aws::failure::{Failure, FailureKind};
use crate::job::requirement::Actor;

/// How long one fact may take, with all the calls behind it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads one fact that may be absent. `permission` is what reading it takes, as IAM names it.
///
/// The call is put on the heap: a survey joins dozens of them, which together would not fit on the
/// stack of a worker thread.
pub(super) fn read_optional<T>(
    permission: &str,
    call: impl Future<Output = Result<Option<T>, Failure>>,
) -> impl Future<Output = Fact<T>> {
    let answer = Box::pin(tokio::time::timeout(PATIENCE, call));
    async move {
        let Ok(answer) = answer.await else {
            return Fact::Failed(ReadError {
                permission: permission.to_owned(),
                detail: format!("no answer within {} seconds", PATIENCE.as_secs()),
                asked_at: Some(Timestamp::now()),
                is_unanswered: true,
                ..ReadError::default()
            });
        };
        let now = Timestamp::now();
        match answer {
            Ok(Some(value)) => Fact::known(value, now, permission),
            Ok(None) => Fact::absent(now, permission),
            Err(failure) => unread(failure),
        }
    }
}

/// Whether a fact is missing since nothing answered: what the same service would be asked next is not
/// waited for as well.
pub(super) fn is_silent<T>(fact: &Fact<T>) -> bool {
    fact.error().is_some_and(|error| error.is_unanswered)
}

/// Reads one fact; the codes are those that say that there is no such thing.
pub(super) fn read<T>(
    permission: &str,
    absent: &[&str],
    call: impl Future<Output = Result<T, Failure>>,
) -> impl Future<Output = Fact<T>> {
    let call = async move {
        match call.await {
            Ok(value) => Ok(Some(value)),
            Err(failure) if is_one_of(&failure, absent) => Ok(None),
            Err(failure) => Err(failure),
        }
    };
    read_optional(permission, call)
}

fn is_one_of(failure: &Failure, codes: &[&str]) -> bool {
    failure
        .code
        .as_deref()
        .is_some_and(|code| codes.contains(&code))
}

/// A fact that a call failed to tell.
pub(super) fn unread<T>(failure: Failure) -> Fact<T> {
    let is_refused = failure.kind == FailureKind::AccessDenied;
    let error = ReadError {
        asked_at: Some(Timestamp::now()),
        ..failure.into()
    };
    if is_refused {
        Fact::Refused(error)
    } else {
        Fact::Failed(error)
    }
}

/// The same obstacle for a fact that depends on another.
pub(super) fn hanging_on<T, U>(other: &Fact<U>, usual: &str) -> Fact<T> {
    match other {
        Fact::Refused(error) => Fact::Refused(error.clone()),
        Fact::Failed(error) => Fact::Failed(error.clone()),
        _ => Fact::Failed(ReadError {
            permission: usual.to_owned(),
            detail: "what it depends on could not be read".to_owned(),
            ..ReadError::default()
        }),
    }
}

/// What a read shows about the permission that it took; nothing where it failed otherwise.
pub(super) fn tried<T>(
    who: Actor,
    action: &str,
    resource: String,
    fact: &Fact<T>,
) -> Option<ObservedCall> {
    let refusal = match fact {
        Fact::Known { .. } | Fact::Absent { .. } => None,
        Fact::Refused(error) => Some(error.words()),
        Fact::Failed(_) | Fact::Unasked { .. } => return None,
    };
    Some(ObservedCall {
        who,
        action: action.to_owned(),
        resource,
        at: fact.read_at().unwrap_or_else(Timestamp::now),
        refusal,
    })
}
