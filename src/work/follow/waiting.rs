//! Starting what waits for room, while the others of its run are followed.

use std::collections::BTreeMap;

use futures_util::future;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::FollowError;
use crate::aws::failure::FailureKind;
use crate::journal::{Operation, OperationId, Stage};
use crate::work::Work;
use crate::work::event::{Event, OperationProgress};
use crate::work::poll::Backoff;
use crate::work::queue::{Lane, Queue, lane};
use crate::work::start::Called;

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
                    // The watch may have gone.
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
