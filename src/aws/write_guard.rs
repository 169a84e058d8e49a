//! The guard of writes: whether calls that change something in an account may be made at all.
//!
//! Every function of this room that changes anything asks here before it builds its request, so that
//! with `--read-only` no such request is ever made.

use super::failure::{Failure, FailureKind};

/// Open, unless the operator forbade every change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct WriteGuard {
    pub(super) is_read_only: bool,
}

impl WriteGuard {
    /// Whether a call that changes something may be made, or why not.
    pub(super) fn check(self, operation: &str, target: &str) -> Result<(), Failure> {
        if !self.is_read_only {
            return Ok(());
        }
        Err(Failure {
            kind: FailureKind::ReadOnly,
            operation: operation.to_owned(),
            target: target.to_owned(),
            code: None,
            message: "not sent, since --read-only forbids every change".to_owned(),
            status: None,
            request_id: None,
            hint: Some("leave --read-only out to change anything".to_owned()),
        })
    }
}
