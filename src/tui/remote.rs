//! What is known of something that is fetched: one slow account never freezes the other.
//!
//! This module decides which replies still count: a reply is taken only if it answers the request
//! that the value waits for.

use crate::aws::SignInError;
use crate::aws::failure::{Failure, FailureKind};

/// The number of a request; a reply carries it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Something that is fetched, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Remote<T, E = Failure> {
    /// Nobody asked yet.
    #[default]
    NotAsked,
    /// Asked for the first time.
    Loading(RequestId),
    /// Known.
    Loaded(T),
    /// Known, and asked for again.
    Stale(T, RequestId),
    /// Refused for want of a permission.
    Refused(E),
    /// Failed otherwise.
    Failed(E),
}

/// Tells a refusal from another failure.
pub trait IsRefusal {
    /// Whether a permission is missing.
    fn is_refusal(&self) -> bool;
}

impl IsRefusal for Failure {
    fn is_refusal(&self) -> bool {
        self.kind == FailureKind::AccessDenied
    }
}

impl IsRefusal for SignInError {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Call(failure) if failure.is_refusal())
    }
}

impl IsRefusal for String {
    fn is_refusal(&self) -> bool {
        false
    }
}

impl<T, E: IsRefusal> Remote<T, E> {
    /// Notes that it was asked for; what is known stays in sight until the reply.
    pub fn ask(&mut self, request: RequestId) {
        *self = match std::mem::take(self) {
            Self::Loaded(value) | Self::Stale(value, _) => Self::Stale(value, request),
            _ => Self::Loading(request),
        };
    }

    /// Takes the reply, if it is the one that is waited for; says whether it was.
    pub fn answer(&mut self, request: RequestId, reply: Result<T, E>) -> bool {
        if self.awaited() != Some(request) {
            return false;
        }
        *self = match reply {
            Ok(value) => Self::Loaded(value),
            Err(error) if error.is_refusal() => Self::Refused(error),
            Err(error) => Self::Failed(error),
        };
        true
    }
}

impl<T, E> Remote<T, E> {
    /// The request whose reply is waited for.
    pub const fn awaited(&self) -> Option<RequestId> {
        match self {
            Self::Loading(request) | Self::Stale(_, request) => Some(*request),
            _ => None,
        }
    }

    /// Whether a reply is waited for.
    pub const fn is_loading(&self) -> bool {
        self.awaited().is_some()
    }

    /// Whether nobody asked yet.
    pub const fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }

    /// What is known, fresh or stale.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Loaded(value) | Self::Stale(value, _) => Some(value),
            _ => None,
        }
    }

    /// Why it is not known.
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Refused(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether there is nothing more to wait for: known or failed.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Loaded(_) | Self::Refused(_) | Self::Failed(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_to_an_earlier_request_is_dropped() {
        let mut remote: Remote<u8, String> = Remote::NotAsked;
        remote.ask(RequestId(1));
        remote.ask(RequestId(2));
        assert!(!remote.answer(RequestId(1), Ok(1)));
        assert_eq!(remote.value(), None);
        assert!(remote.answer(RequestId(2), Ok(2)));
        assert_eq!(remote.value(), Some(&2));
    }

    #[test]
    fn what_is_known_stays_while_it_is_read_again() {
        let mut remote: Remote<u8, String> = Remote::Loaded(7);
        remote.ask(RequestId(3));
        assert_eq!(remote.value(), Some(&7));
        assert!(remote.is_loading());
    }

    #[test]
    fn a_missing_permission_is_a_refusal() {
        let mut remote: Remote<u8> = Remote::Loading(RequestId(1));
        let failure = Failure {
            kind: FailureKind::AccessDenied,
            operation: "dynamodb:ListTables".to_owned(),
            target: "eu-west-1".to_owned(),
            code: Some("AccessDeniedException".to_owned()),
            message: "no".to_owned(),
            status: Some(400),
            request_id: None,
            hint: None,
        };
        remote.answer(RequestId(1), Err(failure));
        assert!(matches!(remote, Remote::Refused(_)));
    }
}
