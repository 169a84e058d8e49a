//! The wizard's steps: what each one holds, and what its keys do.
//!
//! A step decides what can be chosen, what that sets off, and what is missing before one can go on.

pub mod access;
pub mod accounts;
pub mod destination;
pub mod encryption;
pub mod progress;
pub mod review;
pub mod tables;

/// A step of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Who exports and who receives.
    Accounts,
    /// What is exported.
    Tables,
    /// Which bucket receives it.
    Destination,
    /// How the objects are encrypted.
    Encryption,
    /// Which policies that needs.
    Access,
    /// All of it, before the start.
    Review,
    /// The exports under way.
    Progress,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Self; 7] = [
        Self::Accounts,
        Self::Tables,
        Self::Destination,
        Self::Encryption,
        Self::Access,
        Self::Review,
        Self::Progress,
    ];

    /// The step's name.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Accounts => "Accounts",
            Self::Tables => "Tables",
            Self::Destination => "Destination",
            Self::Encryption => "Encryption",
            Self::Access => "Access",
            Self::Review => "Review",
            Self::Progress => "Progress",
        }
    }

    /// The step's number, from 1.
    #[must_use]
    pub fn number(self) -> usize {
        1 + Self::ALL.iter().position(|step| *step == self).unwrap_or(0)
    }

    /// The next step.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.number()).copied()
    }

    /// The step before.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        match self {
            Self::Accounts => None,
            step => step
                .number()
                .checked_sub(2)
                .and_then(|index| Self::ALL.get(index).copied()),
        }
    }
}
