//! Writing batches of records: at a rate, several at once, each until all of it is written.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::LoadError;
use super::pace::Pace;
use crate::archive::value::Record;
use crate::aws::dynamodb::{Dynamodb, ItemWrite, WriteBatch};
use crate::aws::failure::{Failure, FailureKind};
use crate::job::load::Position;
use crate::work::archive::{RecordBatch, Records};
use crate::work::{Side, Work};
use tableferry_policy::arn::{Arn, Region};

/// Batches that are under way at once.
const AT_ONCE: usize = 8;
/// The first pause before what was not written is sent again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) until: Position,
    pub(super) puts: u64,
    pub(super) deletes: u64,
    pub(super) units: u64,
}

/// Writes into one table.
pub(super) struct ItemWriter<'w> {
    work: &'w Work,
    table: &'w Arn,
    region: Region,
    /// Replaced where its session has ended.
    dynamodb: Mutex<Dynamodb>,
    pace: Pace,
    cancel: &'w CancellationToken,
}

impl<'w> ItemWriter<'w> {
    pub(super) fn new(
        work: &'w Work,
        table: &'w Arn,
        units_a_second: u64,
        cancel: &'w CancellationToken,
    ) -> Result<Self, LoadError> {
        let session = work
            .session(Side::Source)
            .ok_or(LoadError::NotSignedIn(Side::Source))?;
        let region = crate::work::region_of(table, &session);
        Ok(Self {
            work,
            table,
            dynamodb: Mutex::new(session.dynamodb(&region)),
            region,
            pace: Pace::new(units_a_second),
            cancel,
        })
    }

    fn dynamodb(&self) -> Dynamodb {
        let dynamodb = self.dynamodb.lock();
        dynamodb.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes all records; `told` hears of each batch in their order, once it and all before it are
    /// written. When it returns, no request is without an answer.
    pub(super) async fn write_all(
        &self,
        records: Records,
        mut told: impl FnMut(Written) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        let stop = CancellationToken::new();
        let batches = stream::unfold((records, &stop), |(mut records, stop)| async move {
            if stop.is_cancelled() {
                return None;
            }
            let batch = records.recv().await?;
            Some((batch, (records, stop)))
        });
        let written = batches.map(|batch| {
            let stop = &stop;
            async move {
                match batch {
                    Ok(batch) => self.write(batch, stop).await,
                    Err(error) => Err(LoadError::Archive(error)),
                }
            }
        });
        let mut written = std::pin::pin!(written.buffered(AT_ONCE));
        let mut failure = None;
        while let Some(outcome) = written.next().await {
            if failure.is_some() {
                continue;
            }
            if let Err(error) = outcome.and_then(&mut told) {
                stop.cancel();
                failure = Some(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Writes one batch until all of it is written.
    async fn write(
        &self,
        batch: RecordBatch,
        stop: &CancellationToken,
    ) -> Result<Written, LoadError> {
        let mut written = Written {
            until: batch.until,
            puts: 0,
            deletes: 0,
            units: 0,
        };
        if batch.records.is_empty() {
            return Ok(written);
        }
        let writes: Vec<ItemWrite> = batch.records.into_iter().map(write_of).collect();
        for write in &writes {
            match write {
                ItemWrite::Put(_) => written.puts += 1,
                ItemWrite::Delete(_) => written.deletes += 1,
            }
        }
        let mut left = WriteBatch::new(writes).ok_or(LoadError::NotSendable(batch.until))?;
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = self.pace.wait(batch.units) => {}
        }
        let (mut pause, mut answered) = (FIRST_PAUSE, Instant::now());
        loop {
            if self.cancel.is_cancelled() || stop.is_cancelled() {
                return Err(LoadError::CutOff);
            }
            let begun = Instant::now();
            match self.dynamodb().write_batch(self.table, &left).await {
                Ok(answer) => {
                    answered = Instant::now();
                    if let Some(units) = answer.units {
                        written.units += whole(units);
                    }
                    let Some(unprocessed) = answer.unprocessed else {
                        break;
                    };
                    if unprocessed.len() < left.len() {
                        pause = FIRST_PAUSE;
                    }
                    left = unprocessed;
                }
                Err(failure) => {
                    self.survive(failure, batch.until, (begun, answered))
                        .await?;
                }
            }
            // "If you retry the batch operation immediately, the underlying read or write requests can
            // still fail due to throttling": exponential backoff (API reference).
            let pause_now = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause_now) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if written.units == 0 {
            written.units = batch.units;
        }
        self.pace.owe(written.units.saturating_sub(batch.units));
        Ok(written)
    }

    /// Whether a batch that failed is sent again: what passes is waited for, and a session that has ended is
    /// signed in again where that needs nobody.
    async fn survive(
        &self,
        failure: Failure,
        until: Position,
        (begun, answered): (Instant, Instant),
    ) -> Result<(), LoadError> {
        let is_patient = answered.elapsed() < self.work.settings().poll.patience;
        if failure.kind == FailureKind::Credentials && is_patient {
            let session = self.work.renew_once(Side::Source, begun).await;
            let session = session.map_err(|error| LoadError::SignIn(Side::Source, error))?;
            let dynamodb = session.dynamodb(&self.region);
            *self.dynamodb.lock().unwrap_or_else(PoisonError::into_inner) = dynamodb;
            return Ok(());
        }
        let is_throttled = failure.kind == FailureKind::Throttled
            || failure.code.as_deref() == Some("ProvisionedThroughputExceededException");
        if is_throttled || (failure.is_retryable() && is_patient) {
            return Ok(());
        }
        Err(LoadError::Write {
            until,
            failure: Box::new(failure),
        })
    }
}

/// What replaying or loading a record does.
fn write_of(record: Record) -> ItemWrite {
    match record {
        Record::Item(item) => ItemWrite::Put(item),
        Record::Change(change) => match change.new_image {
            Some(image) => ItemWrite::Put(image),
            None => ItemWrite::Delete(change.keys),
        },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the units of one batch are small and not negative"
)]
fn whole(units: f64) -> u64 {
    units.ceil().max(0.0) as u64
}

/// Whether writing a record deletes its key.
pub(super) const fn is_delete(record: &Record) -> bool {
    matches!(record, Record::Change(change) if change.new_image.is_none())
}
