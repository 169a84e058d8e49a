//! Watching exports that this machine may not have started: those that are named, or all that an account
//! lists as under way in a Region, also those that begin meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, future::BoxFuture};
use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::tables::WatchedTables;
use super::{WatchEvent, WatchedExport, is_full};
use crate::archive::layout::{ExportId, Layout};
use crate::aws::SignInError;
use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus};
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::{EXPORT, JournalError, Stage};
use crate::work::asking::{AskOutcome, Asking};
use crate::work::event::Side;
use crate::work::export::described;
use crate::work::operation::{Described, ListedPage, StatusCalls};
use crate::work::poll::{ListedOperations, Poller};
use crate::work::verify::count_files;
use crate::work::{FailedOperation, Session, Work, region_of};
use tableferry_policy::arn::Arn;

/// How many of the calls that one may make go to listing anew what has begun meanwhile, at the most: one in
/// so many.
const SHARE_OF_LISTING: u32 = 4;

/// Which exports of an account are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchedExports {
    /// These, until each has ended.
    These(Vec<Arn>),
    /// All that are under way, but for those that are followed elsewhere.
    UnderWay {
        /// The ARNs of those that are followed elsewhere.
        except: BTreeSet<String>,
        /// Whether it goes on when none is under way, for those that begin.
        is_endless: bool,
    },
}

/// Why exports can no longer be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// Nobody is signed in.
    #[error("the source is not signed in")]
    NotSignedIn,
    /// The account must be signed in again, which needs somebody.
    #[error("the account must be signed in again: {0}")]
    SignIn(SignInError),
    /// They cannot be listed.
    #[error("{0}")]
    Call(Box<Failure>),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The calls that ask after exports without a request of ours. What is described is kept in full.
struct ExportStatusCalls {
    dynamodb: Dynamodb,
    described: Arc<Mutex<BTreeMap<String, Export>>>,
}

impl StatusCalls for ExportStatusCalls {
    fn describe<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Described, Failure>> {
        Box::pin(async move {
            let export = self.dynamodb.describe_export(arn).await?;
            lock(&self.described).insert(arn.to_string(), export.clone());
            Ok(described(export))
        })
    }

    fn list_page(
        &self,
        page: Option<String>,
    ) -> BoxFuture<'_, Option<Result<ListedPage, Failure>>> {
        Box::pin(async move { Some(crate::work::export::list_page(&self.dynamodb, page).await) })
    }
}

/// One account's exports.
struct AccountWatch<'a> {
    work: &'a Work,
    session: Session,
    tables: WatchedTables,
    rows: Mutex<BTreeMap<String, WatchedExport>>,
    described: Arc<Mutex<BTreeMap<String, Export>>>,
    latest: Mutex<Arc<ListedOperations>>,
    /// Buckets whose objects nobody who is signed in may list.
    unreadable: Mutex<BTreeSet<String>>,
    events: UnboundedSender<WatchEvent>,
}

impl Work {
    /// Watches exports as the source, which is signed in, until each has ended or `cancel`; how they stand.
    ///
    /// # Errors
    /// Where nobody is signed in, or the exports under way cannot be listed.
    pub async fn watch_account(
        &self,
        which: WatchedExports,
        events: UnboundedSender<WatchEvent>,
        cancel: CancellationToken,
    ) -> Result<Vec<WatchedExport>, WatchError> {
        let session = self.session(Side::Source).ok_or(WatchError::NotSignedIn)?;
        let watch = AccountWatch {
            work: self,
            session,
            tables: WatchedTables::of_journal(self)?,
            rows: Mutex::default(),
            described: Arc::default(),
            latest: Mutex::default(),
            unreadable: Mutex::default(),
            events,
        };
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Ok(()),
            outcome = watch.run(which) => outcome,
        };
        let rows = lock(&watch.rows).values().cloned().collect();
        outcome.map(|()| rows)
    }
}

impl AccountWatch<'_> {
    async fn run(&self, which: WatchedExports) -> Result<(), WatchError> {
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let (unread, to_read) = mpsc::unbounded_channel();
        let is_endless = matches!(
            which,
            WatchedExports::UnderWay {
                is_endless: true,
                ..
            }
        );
        let mut listing = std::pin::pin!(self.list(which, arrived));
        let mut reading = std::pin::pin!(self.read_details(to_read));
        let mut following = FuturesUnordered::new();
        let (mut is_listed, mut is_listing) = (false, true);
        loop {
            if is_listed && following.is_empty() && !is_endless {
                return Ok(());
            }
            tokio::select! {
                Some(arns) = arrivals.recv() => {
                    is_listed = true;
                    for arn in arns {
                        self.begin(&arn);
                        let _ = unread.send(arn.clone());
                        following.push(self.follow(arn));
                    }
                }
                Some(followed) = following.next() => followed?,
                listed = &mut listing, if is_listing => {
                    is_listing = false;
                    listed?;
                }
                () = &mut reading => {}
            }
        }
    }

    /// Sends the exports that are to be followed, and those that begin later, as they are listed.
    async fn list(
        &self,
        which: WatchedExports,
        arrived: UnboundedSender<Vec<Arn>>,
    ) -> Result<(), WatchError> {
        let except = match which {
            WatchedExports::These(arns) => {
                let _ = arrived.send(arns);
                return Ok(());
            }
            WatchedExports::UnderWay { except, .. } => except,
        };
        let mut known = except;
        let poll = self.work.inner.settings.poll;
        let mut is_first = true;
        let mut known_at = Instant::now();
        loop {
            let begun = Instant::now();
            match self.listed(known_at).await {
                Ok(listed) => {
                    known_at = begun;
                    let new = listed.under_way.iter();
                    let new: Vec<Arn> = new
                        .filter(|arn| known.insert((*arn).clone()))
                        .filter_map(|arn| arn.parse().ok())
                        .collect();
                    *lock(&self.latest) = listed;
                    if is_first || !new.is_empty() {
                        let _ = arrived.send(new);
                    }
                    is_first = false;
                }
                Err(failure) if failure.kind == FailureKind::Credentials => {
                    self.work
                        .renew_once(Side::Source, begun)
                        .await
                        .map_err(WatchError::SignIn)?;
                }
                Err(failure) if failure.is_retryable() => {
                    self.note(format!("{failure}; asking again"));
                }
                Err(failure) => return Err(WatchError::Call(Box::new(failure))),
            }
            let took = begun.elapsed();
            tokio::time::sleep(poll.longest.max(took * (SHARE_OF_LISTING - 1))).await;
        }
    }

    async fn listed(&self, known_at: Instant) -> Result<Arc<ListedOperations>, Failure> {
        let session = self.current_session();
        let calls = self.calls(&session, &session.region.clone());
        self.poller(session.region.as_ref())
            .listed(EXPORT, &calls, known_at)
            .await
    }

    /// Asks after completed exports of a table, where the journal knows too few.
    async fn read_earlier(&self, table: &str, session: &Session) {
        let latest = Arc::clone(&lock(&self.latest));
        let completed = latest.completed.get(table).into_iter().flatten();
        let completed: Vec<Arn> = completed.filter_map(|arn| arn.parse().ok()).collect();
        if completed.len() < super::ENOUGH_TO_GUESS || self.tables.usual(table, true).is_some() {
            return;
        }
        for arn in completed {
            let poller = self.poller(&arn.region);
            poller.wait_behind().await;
            let region = region_of(&arn, session);
            let described = session.dynamodb(&region).describe_export(&arn).await;
            poller.note(&described);
            if let Ok(export) = described {
                self.tables.add(table, &export);
            }
        }
    }

    /// Shows an export before anything is asked about it.
    fn begin(&self, arn: &Arn) {
        let export = WatchedExport::of_arn(arn);
        lock(&self.rows).insert(arn.to_string(), export.clone());
        let _ = self.events.send(WatchEvent::Export(Box::new(export)));
    }

    /// Follows one export until it has ended.
    async fn follow(&self, arn: Arn) -> Result<(), WatchError> {
        let id = arn.to_string();
        let name = WatchedExport::of_arn(&arn).name;
        let follower = self.poller(&arn.region).follow(EXPORT);
        let mut asking = Asking::new(self.work, Side::Source, follower, name);
        let calls = |session: &Session| {
            let calls = self.calls(session, &region_of(&arn, session));
            Ok(Box::new(calls) as Box<dyn StatusCalls>)
        };
        let note = |message| self.note(message);
        loop {
            let age = self.age(&id);
            match asking.next(&arn, age, &calls, &note).await? {
                AskOutcome::UnderWay => {}
                AskOutcome::Described(_) => {
                    let export = lock(&self.described).get(&id).cloned();
                    if let Some(export) = export {
                        self.take(&id, &export);
                    }
                }
                AskOutcome::Undecided(failure) => {
                    self.change(&id, |row| row.unknown = Some(failure.to_string()));
                }
                AskOutcome::Silent => {
                    let why = "nobody answered".to_owned();
                    self.change(&id, |row| row.unknown = Some(why));
                }
                AskOutcome::SignedOut(error) => return Err(WatchError::SignIn(error)),
            }
            let has_ended = lock(&self.rows)
                .get(&id)
                .is_none_or(WatchedExport::has_ended);
            if has_ended {
                return Ok(());
            }
            if asking.follower.may_look() {
                self.look(&id).await;
            }
        }
    }

    /// Reads what a listing leaves out, one export after the other, while nobody waits for another call.
    async fn read_details(&self, mut unread: UnboundedReceiver<Arn>) {
        while let Some(arn) = unread.recv().await {
            let id = arn.to_string();
            let session = self.current_session();
            let region = region_of(&arn, &session);
            let calls = self.calls(&session, &region);
            let poller = self.poller(&arn.region);
            if !lock(&self.described).contains_key(&id) {
                poller.wait_behind().await;
                let described = calls.describe(&arn).await;
                poller.note(&described);
            }
            let table = WatchedExport::of_arn(&arn).table_arn;
            self.tables.read(&table, &calls.dynamodb, &poller).await;
            self.read_earlier(&table, &session).await;
            let export = lock(&self.described).get(&id).cloned();
            if let Some(export) = export {
                self.take(&id, &export);
            }
        }
        // The select that polls this is done with it only when all is.
        std::future::pending::<()>().await;
    }

    /// Writes what AWS says of an export into its row.
    fn take(&self, id: &str, export: &Export) {
        let is_full = export.span.as_ref().is_none_or(is_full);
        self.change(id, |row| {
            row.stage = match export.status {
                ExportStatus::InProgress => Stage::InProgress,
                ExportStatus::Completed => Stage::Completed,
                ExportStatus::Failed => Stage::Failed,
            };
            row.started_at = export.started_at.or(row.started_at);
            row.ended_at = export.ended_at;
            row.item_count = export.item_count;
            row.table_bytes = self.tables.bytes(&row.table_arn);
            row.usual = self.tables.usual(&row.table_arn, is_full);
            row.unknown = None;
            row.failure = (row.stage == Stage::Failed).then(|| FailedOperation::of_export(export));
            if row.stage == Stage::Completed {
                row.uri = folder(export)
                    .map(|(bucket, layout)| format!("s3://{bucket}/{}", layout.folder()));
            }
        });
    }

    /// Counts what an export has written so far, as any side that may list it.
    async fn look(&self, id: &str) {
        let export = lock(&self.described).get(id).cloned();
        let is_shared = |export: &Export| !export.span.as_ref().is_none_or(is_full);
        let Some(export) = export.filter(|export| !is_shared(export)) else {
            return;
        };
        let Some((bucket, layout)) = folder(&export) else {
            return;
        };
        if lock(&self.unreadable).contains(&bucket) {
            return;
        }
        let Ok(name) = bucket.parse() else {
            return;
        };
        let mut is_refused = true;
        for side in [Side::Destination, Side::Source] {
            let Some(session) = self.work.session(side) else {
                continue;
            };
            let counted = count_files(&session, &name, None, &layout.data_folder()).await;
            match counted {
                Ok(seen) => {
                    self.change(id, |row| row.seen = Some(seen));
                    return;
                }
                Err(failure) => is_refused &= failure.kind == FailureKind::AccessDenied,
            }
        }
        if is_refused {
            lock(&self.unreadable).insert(bucket);
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut WatchedExport)) {
        let mut rows = lock(&self.rows);
        let Some(row) = rows.get_mut(id) else {
            return;
        };
        let before = row.clone();
        change(row);
        if *row != before {
            let _ = self.events.send(WatchEvent::Export(Box::new(row.clone())));
        }
    }

    fn age(&self, id: &str) -> Duration {
        let age = lock(&self.rows)
            .get(id)
            .and_then(|row| row.elapsed(Timestamp::now()));
        age.and_then(|age| age.try_into().ok()).unwrap_or_default()
    }

    fn note(&self, message: String) {
        let _ = self.events.send(WatchEvent::Noted { message });
    }

    /// The session as it was renewed last.
    fn current_session(&self) -> Session {
        let session = self.work.session(Side::Source);
        session.unwrap_or_else(|| self.session.clone())
    }

    fn poller(&self, region: &str) -> Arc<Poller> {
        let account = self.session.identity.account.as_str();
        self.work.poller(account, region)
    }

    fn calls(
        &self,
        session: &Session,
        region: &tableferry_policy::arn::Region,
    ) -> ExportStatusCalls {
        ExportStatusCalls {
            dynamodb: session.dynamodb(region),
            described: Arc::clone(&self.described),
        }
    }
}

/// The bucket and the layout of an export.
fn folder(export: &Export) -> Option<(String, Layout)> {
    let id = ExportId::from_export_arn(&export.arn.to_string()).ok()?;
    let is_incremental = !export.span.as_ref().is_none_or(is_full);
    let layout = Layout::new(export.prefix.as_deref(), &id, is_incremental);
    Some((export.bucket.clone()?, layout))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
