//! The answer to a request.

use super::dependency::Dependency;
use super::policies::PolicyKind;

/// The answer's short form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// AWS would allow the request.
    Allowed,
    /// A Deny statement applies.
    ExplicitDeny,
    /// Nothing denies it, and something that must allow it does not.
    ImplicitDeny,
    /// It depends on context keys that nobody can tell.
    Depends,
}

impl Decision {
    /// The word for it that the command line prints.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
            Self::Depends => "depends",
        }
    }
}

/// One statement that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// What kind of policy it stands in.
    pub kind: PolicyKind,
    /// The policy's name.
    pub policy: String,
    /// The statement's Sid, or its index such as `#0`.
    pub sid: String,
    /// Whether it denies.
    pub is_deny: bool,
}

/// The whole answer.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The short form.
    pub decision: Decision,
    /// The statements that decide: the Deny, or the Allows.
    pub deciding: Vec<Deciding>,
    /// For a denial, the kind of policy that AWS's message would name: the one with the Deny, or
    /// the one in which no statement allows.
    pub denied_by: Option<PolicyKind>,
    /// The answer in a sentence.
    pub explanation: String,
    /// The unknown context keys that the answer depends on.
    pub depends_on: Vec<String>,
    /// Where the answer depends: how these keys combine. Where the request is allowed for none of their
    /// values that were tried, all of them.
    pub dependency: Option<Dependency>,
    /// Where the answer depends: what the values of the unknown keys lead to, one example for each
    /// answer that is possible, and for each way to be allowed.
    pub outcomes: Vec<PossibleDecision>,
    /// Whether no value of the unknown keys leads to another answer than these; where it is not so,
    /// the keys could not be tried with all that they may hold.
    pub is_exhaustive: bool,
    /// Whether the request is allowed, or may be for some values of the unknown keys: an answer that
    /// depends may still be a denial either way.
    pub can_be_allowed: bool,
}

/// What certain values of the unknown keys lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PossibleDecision {
    /// The keys and their values; a key with `None` is absent.
    pub when: Vec<(String, Option<Vec<String>>)>,
    /// The decision then.
    pub decision: Decision,
}
