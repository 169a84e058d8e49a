//! The operations that wait for room: an account may have so many in progress in a Region.
//!
//! AWS counts all of them, also those that were started elsewhere, so its refusal alone says that there
//! is no room. What is refused so stays planned in the journal, and is called again once another
//! operation has ended, and now and then besides. A run that is cut off leaves it planned, and `resume`
//! starts it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Work;
use super::event::{Event, OperationProgress};
use super::follow::FollowError;
use super::poll::Backoff;
use super::start::Called;
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::{Operation, OperationId, Stage};

/// Where operations take each other's room: their kind, and the account and Region of what they work on.
type Lane = (String, String);

fn lane(record: &Operation) -> Lane {
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

    fn holds(&self, record: &Operation) -> bool {
        self.waiting().contains(&record.id)
    }

    fn remove(&self, record: &Operation) {
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

/// Tells an operation's watch that its turn came, with its record as it is then.
pub(super) type Turns = BTreeMap<OperationId, oneshot::Receiver<Operation>>;

/// The operations of a run that wait for room, lane by lane.
pub(super) struct Waiting {
    lanes: BTreeMap<Lane, Vec<(Operation, oneshot::Sender<Operation>)>>,
    /// Counts the operations of the run that have ended.
    ended: watch::Receiver<u64>,
}

impl Waiting {
    /// Those of a run's operations that wait, and what their watches wait for.
    pub(super) fn of(
        queue: &Queue,
        operations: &[Operation],
        ended: watch::Receiver<u64>,
    ) -> (Self, Turns) {
        let mut lanes: BTreeMap<Lane, Vec<_>> = BTreeMap::new();
        let mut turns = Turns::new();
        let waiting = operations.iter().filter(|record| queue.holds(record));
        for record in waiting.filter(|record| record.stage == Stage::Planned) {
            let (sender, receiver) = oneshot::channel();
            turns.insert(record.id, receiver);
            let lane = lanes.entry(lane(record)).or_default();
            lane.push((record.clone(), sender));
        }
        (Self { lanes, ended }, turns)
    }
}

impl Work {
    /// Starts what waits for room as others end; what is still planned at the end stays so in the
    /// journal.
    pub(super) async fn start_waiting(
        &self,
        waiting: Waiting,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<(), FollowError> {
        let lanes = waiting.lanes.into_values().map(|lane| {
            let mut ended = waiting.ended.clone();
            async move {
                for (mut record, turn) in lane {
                    self.start_when_there_is_room(&mut record, &mut ended, events, cancel)
                        .await?;
                    self.inner.queue.remove(&record);
                    let _ = events.send(Event::Operation(OperationProgress::of(&record)));
                    // Whoever watched it may have gone.
                    let _ = turn.send(record);
                }
                Ok(())
            }
        });
        future::try_join_all(lanes).await.map(|_| ())
    }

    async fn start_when_there_is_room(
        &self,
        record: &mut Operation,
        ended: &mut watch::Receiver<u64>,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<(), FollowError> {
        let poll = self.inner.settings.poll;
        let mut backoff = Backoff::new(poll);
        let mut unanswered_since: Option<Instant> = None;
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(()),
                // Where nothing of ours is left to end, the pause alone counts.
                () = async { while ended.changed().await.is_err() { future::pending::<()>().await; } } => {}
                () = tokio::time::sleep(backoff.next()) => {}
            }
            let kind = self.inner.kinds.of(record)?;
            let side = kind.side();
            let session = match self.session(side) {
                Some(session) => session,
                None => self.renewed(side).await?,
            };
            let called = self.make_call(kind, &session, record, events, cancel);
            match Box::pin(called).await? {
                Called::Settled => return Ok(()),
                Called::Full(_) => unanswered_since = None,
                Called::Open(FailureKind::Credentials) => {
                    self.renewed(side).await?;
                }
                Called::Open(_) => {
                    let since = *unanswered_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= poll.patience {
                        return Ok(());
                    }
                }
            }
        }
    }
}
