//! Why a side could not be signed in, and what it takes to try again.

use super::failure::Failure;

/// Why a side could not be signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The code of an MFA device is needed: ask for it and sign in again with it.
    #[error("profile `{profile}` needs a code from the MFA device {serial}")]
    MfaRequired {
        /// The profile.
        profile: String,
        /// The device.
        serial: String,
    },
    /// AWS did not take the code of an MFA device: ask for the next one and sign in again with it.
    #[error("the code of {serial} was refused: {failure}")]
    CodeRefused {
        /// The profile.
        profile: String,
        /// The device.
        serial: String,
        /// The refusal, with what to do about it.
        failure: Box<Failure>,
    },
    /// A sign-in outside this program is needed.
    #[error("profile `{profile}` is not signed in: {detail}")]
    LoginRequired {
        /// The profile.
        profile: String,
        /// The command that renews it, such as `aws sso login --profile prod`.
        command: String,
        /// What was wrong with what there was.
        detail: String,
    },
    /// The profile cannot be used as it stands in the files.
    #[error("{message}")]
    Profile {
        /// What is wrong and where.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// A call failed.
    #[error("{0}")]
    Call(Box<Failure>),
}
