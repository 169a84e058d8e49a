//! What a service answers to a call that it refuses.

/// An error as a service answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Refusal {
    /// A refusal with status 400.
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    pub(super) fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// An operation that AWS has and the sandbox does not: `code` is the protocol's own for it.
    pub(super) fn unknown_operation(code: &str, service: &str, operation: &str) -> Self {
        Self::new(
            code,
            format!(
                "tableferry's sandbox does not play the operation {operation} of {service}; \
                 its documentation lists what it plays."
            ),
        )
    }

    /// A violated rule of a parameter.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }
}
