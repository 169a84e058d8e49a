//! The operations that wait for room: an account may have so many in progress in a Region.
//!
//! AWS counts all of them, also those that were started elsewhere, so its refusal alone says that there
//! is no room. What is refused so stays planned in the journal, and is called again once another
//! operation has ended, and now and then besides. A run that is cut off leaves it planned, and `resume`
//! starts it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::event::Event;
use crate::aws::failure::Failure;
use crate::journal::{Operation, OperationId};

/// Where operations take each other's room: their kind, and the account and Region of what they work on.
pub(super) type Lane = (String, String);

pub(super) fn lane(record: &Operation) -> Lane {
    let place: Vec<&str> = record.subject.splitn(6, ':').take(5).collect();
    (record.kind.clone(), place.join(":"))
}

/// The operations of this process that wait for room.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<BTreeSet<OperationId>>);

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, BTreeSet<OperationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, record: &Operation) {
        self.waiting().insert(record.id);
    }

    pub(super) fn holds(&self, record: &Operation) -> bool {
        self.waiting().contains(&record.id)
    }

    pub(super) fn remove(&self, record: &Operation) {
        self.waiting().remove(&record.id);
    }
}

/// The lanes that have no room, as far as the calls of one run have shown.
#[derive(Debug, Default)]
pub(super) struct FullLanes(BTreeMap<Lane, (Failure, usize)>);

impl FullLanes {
    /// Notes that there is no room for an operation.
    pub(super) fn add(&mut self, record: &Operation, failure: Failure) {
        self.0.insert(lane(record), (failure, 1));
    }

    /// Whether an operation need not be called, since one before it found no room; counts it.
    pub(super) fn holds_back(&mut self, record: &Operation) -> bool {
        let full = self.0.get_mut(&lane(record));
        full.map(|(_, waiting)| *waiting += 1).is_some()
    }

    /// Tells how many wait, and for what.
    pub(super) fn tell(&self, events: &UnboundedSender<Event>) {
        for ((kind, _), (failure, waiting)) in &self.0 {
            let what = match waiting {
                1 => format!("1 {kind} waits"),
                more => format!("{more} {kind}s wait"),
            };
            let message =
                format!("{what} for room, and each is started when another has ended: {failure}");
            let _ = events.send(Event::Noted { message });
        }
    }
}
