//! Who changed a policy or a setting: events of CloudTrail and lines of S3 server access logs, read, put in
//! order and compared.
//!
//! It decides which events are changes, to which resource of a job one belongs, whether it was before or
//! after the last success, and what differs from the document before. It makes no call.

mod event;
pub mod history;
mod log_line;
pub mod names;
mod read;
#[cfg(test)]
mod tests;
mod watched;
pub mod words;

use jiff::Timestamp;

pub use self::history::{ChangeHistory, WatchedResource};
pub use self::names::ResourceKind;
pub use self::read::{ReadChanges, read_changes, read_event};
pub use self::watched::{last_success, watched_resources};

/// What a change was made to, as the record names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangedResource {
    /// What it is.
    pub kind: ResourceKind,
    /// A bucket's, role's or table's name, or an ARN.
    pub name: String,
    /// Whose it is, where the record says so.
    pub account: Option<String>,
    /// Where the call was made, where the record says so.
    pub region: Option<String>,
}

/// That a change was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRefusal {
    /// AWS's code.
    pub code: String,
    /// AWS's words; empty in an access log.
    pub message: String,
}

/// A change of a policy or a setting, done or refused, as CloudTrail or an access log recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedChange {
    /// When.
    pub at: Timestamp,
    /// CloudTrail's name of the call.
    pub event: String,
    /// What was changed, such as `bucket policy`.
    pub setting: &'static str,
    /// Of what.
    pub resource: ChangedResource,
    /// The inline policy, attached policy or configuration that was meant.
    pub part: Option<String>,
    /// Who called: an ARN as a rule.
    pub principal: Option<String>,
    /// The service that called for somebody.
    pub invoked_by: Option<String>,
    /// From which address, or the name of a service.
    pub address: Option<String>,
    /// That it was refused, where it was.
    pub refusal: Option<ChangeRefusal>,
    /// What was written, where the event holds it.
    pub document: Option<String>,
    /// CloudTrail's id of the event.
    pub id: Option<String>,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}
