//! Faults that can be switched on, to see how a client bears them.

use std::time::Duration;

/// What goes wrong on purpose; nothing, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// How many of the next requests are refused for coming too fast.
    pub throttled_requests: u32,
    /// How many of the next requests meet a closed connection, with nothing done.
    pub reset_connections: u32,
    /// How many of the next exports are started while their answer is lost.
    pub lost_export_answers: u32,
    /// How many of the next items of `BatchWriteItem` come back as unprocessed.
    pub unprocessed_items: u32,
    /// How many of the next imports are started while their answer is lost.
    pub lost_import_answers: u32,
    /// How long every answer is held back.
    pub delay: Duration,
    /// Whether all credentials have expired.
    pub has_expired_credentials: bool,
    /// How long a written policy of a bucket, a key, a user or a role takes to hold.
    pub policy_delay: Duration,
}

/// What befalls one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Throttled,
    Reset,
}

impl Faults {
    /// Counts a request, and says what befalls it.
    pub(super) const fn next_fault(&mut self) -> Fault {
        if self.reset_connections > 0 {
            self.reset_connections -= 1;
            Fault::Reset
        } else if self.throttled_requests > 0 {
            self.throttled_requests -= 1;
            Fault::Throttled
        } else {
            Fault::None
        }
    }

    /// Counts a started import, and says whether its answer is lost.
    pub(super) const fn loses_import_answer(&mut self) -> bool {
        let is_lost = self.lost_import_answers > 0;
        self.lost_import_answers = self.lost_import_answers.saturating_sub(1);
        is_lost
    }

    /// Counts a started export, and says whether its answer is lost.
    pub(super) const fn loses_answer(&mut self) -> bool {
        let is_lost = self.lost_export_answers > 0;
        self.lost_export_answers = self.lost_export_answers.saturating_sub(1);
        is_lost
    }
}
