//! Asking how operations stand: one place for all who follow any in an account and Region, so that the
//! calls stay few however many operations there are and however many screens and runs follow them.
//!
//! It decides which call is made. A handful of operations is asked after one by one. More are looked up in
//! one listing, which all who wait share, as long as that takes fewer calls; then only those that are no
//! longer listed as under way are described. All calls pass one gate, which opens a few times a second, and
//! more seldom while the service says that it is asked too fast ("Rate exceeded" was observed after some
//! twenty quick calls).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tableferry_policy::arn::Arn;
use tokio::time::Instant;

use super::Poll;
use super::operation::{Described, StatusCalls};
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::Stage;

/// So many operations are described one by one, whatever a listing would cost.
const HANDFUL: usize = 4;

/// So many calls may be made at once after a while without any.
const BURST: u32 = 8;

/// The longest time between two calls, while the service says that it is asked too fast.
const SLOWEST: Duration = Duration::from_secs(8);

/// How long a listing that was refused is not asked for again.
const REFUSED_FOR: Duration = Duration::from_mins(10);

/// The pollers of a process, one for each account and Region.
#[derive(Debug, Default)]
pub(super) struct Pollers(Mutex<BTreeMap<(String, String), Arc<Poller>>>);

impl Pollers {
    /// The poller of an account and Region, the same one for all who ask.
    pub(super) fn poller(&self, account: &str, region: &str, poll: Poll) -> Arc<Poller> {
        let place = (account.to_owned(), region.to_owned());
        let mut pollers = lock(&self.0);
        let poller = pollers
            .entry(place)
            .or_insert_with(|| Arc::new(Poller::new(poll.spacing)));
        Arc::clone(poller)
    }
}

/// What asks after the operations of one account and Region.
#[derive(Debug)]
pub(super) struct Poller {
    calls: PaceGate,
    looks: PaceGate,
    kinds: Mutex<BTreeMap<&'static str, Arc<KindPoller>>>,
}

/// The operations of one kind.
#[derive(Debug, Default)]
struct KindPoller {
    /// How many are followed.
    followed: Mutex<usize>,
    listing: tokio::sync::Mutex<Listing>,
}

/// What the latest listing told.
#[derive(Debug, Default)]
struct Listing {
    /// When it was begun, and what it told, or why it told nothing.
    latest: Option<(Instant, Result<Arc<ListedOperations>, Failure>)>,
    /// The calls that a listing takes.
    pages: usize,
    /// When it was refused, or found not to exist.
    refused: Option<Instant>,
}

/// The operations of one kind in an account and Region, as its service lists them.
#[derive(Debug, Default)]
pub(super) struct ListedOperations {
    /// The ARNs of those that are under way.
    pub(super) under_way: BTreeSet<String>,
    /// The newest that are complete, by what they work on. An operation's id begins with its time.
    pub(super) completed: BTreeMap<String, BTreeSet<String>>,
}

/// So many that are complete are kept of what they work on.
const KEPT_COMPLETED: usize = 3;

impl ListedOperations {
    fn add(&mut self, arn: String, stage: Stage) {
        match stage {
            Stage::InProgress => drop(self.under_way.insert(arn)),
            Stage::Completed => {
                let kept = self
                    .completed
                    .entry(subject_of(&arn).to_owned())
                    .or_default();
                kept.insert(arn);
                if kept.len() > KEPT_COMPLETED {
                    kept.pop_first();
                }
            }
            _ => {}
        }
    }
}

/// The ARN of what an operation works on: its own without the kind and the id at its end.
pub(super) fn subject_of(arn: &str) -> &str {
    arn.rsplitn(3, '/').nth(2).unwrap_or(arn)
}

/// One who follows an operation; counts as long as it is there.
#[derive(Debug)]
pub(super) struct Follower {
    poller: Arc<Poller>,
    kind: Arc<KindPoller>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        *lock(&self.kind.followed) -= 1;
    }
}

impl Poller {
    fn new(spacing: Duration) -> Self {
        Self {
            calls: PaceGate::new(spacing),
            looks: PaceGate::new(spacing),
            kinds: Mutex::default(),
        }
    }

    fn kind(&self, kind: &'static str) -> Arc<KindPoller> {
        Arc::clone(lock(&self.kinds).entry(kind).or_default())
    }

    /// Begins to follow an operation of a kind.
    pub(super) fn follow(self: &Arc<Self>, kind: &'static str) -> Follower {
        let kind = self.kind(kind);
        *lock(&kind.followed) += 1;
        Follower {
            poller: Arc::clone(self),
            kind,
        }
    }

    /// Waits until a call may be made.
    pub(super) async fn wait(&self) {
        self.calls.wait().await;
    }

    /// Waits until a call may be made for which nobody who follows an operation has to wait.
    pub(super) async fn wait_behind(&self) {
        while !self.calls.is_open() {
            tokio::time::sleep(self.calls.spacing).await;
        }
    }

    /// All operations of a kind, by a listing that is newer than `known_at`.
    pub(super) async fn listed(
        &self,
        kind: &'static str,
        calls: &dyn StatusCalls,
        known_at: Instant,
    ) -> Result<Arc<ListedOperations>, Failure> {
        let kind = self.kind(kind);
        let mut listing = kind.listing.lock().await;
        if let Some((at, Ok(listed))) = &listing.latest
            && *at > known_at
        {
            return Ok(Arc::clone(listed));
        }
        self.list(calls, usize::MAX, &mut listing).await;
        match &listing.latest {
            Some((_, listed)) => listed.clone(),
            None => Ok(Arc::default()),
        }
    }

    /// Reads a listing page by page, unless it takes more than so many calls: it goes back 90 days.
    async fn list(&self, calls: &dyn StatusCalls, most: usize, listing: &mut Listing) {
        let begun = Instant::now();
        let mut listed = ListedOperations::default();
        let mut next = None;
        listing.latest = None;
        for pages in 1..=most {
            self.wait().await;
            let page = calls.list_page(next).await;
            if let Some(page) = &page {
                self.note(page);
            }
            listing.pages = pages;
            let page = match page {
                Some(Ok(page)) => page,
                Some(Err(failure)) => {
                    listing.refused = is_refusal(&failure).then_some(begun);
                    listing.latest = Some((begun, Err(failure)));
                    return;
                }
                None => {
                    listing.refused = Some(begun);
                    return;
                }
            };
            for (arn, stage) in page.operations {
                listed.add(arn.to_string(), stage);
            }
            next = page.next;
            if next.is_none() {
                listing.latest = Some((begun, Ok(Arc::new(listed))));
                return;
            }
        }
    }

    /// Takes note of how a call was answered.
    pub(super) fn note<T>(&self, answer: &Result<T, Failure>) {
        match answer {
            Err(failure) if failure.kind == FailureKind::Throttled => self.calls.slow_down(),
            Err(_) => {}
            Ok(_) => self.calls.recover(),
        }
    }
}

impl Follower {
    /// How an operation stands, newer than `known_at`: `None` where it is under way, and no more is known.
    pub(super) async fn ask(
        &self,
        calls: &dyn StatusCalls,
        arn: &Arn,
        known_at: Instant,
    ) -> Result<Option<Described>, Failure> {
        if self.is_listed_as_under_way(calls, arn, known_at).await? {
            return Ok(None);
        }
        self.poller.wait().await;
        let described = calls.describe(arn).await;
        self.poller.note(&described);
        described.map(Some)
    }

    /// Whether files that appeared may be counted now: as seldom as calls are made, and nobody waits for it.
    pub(super) fn may_look(&self) -> bool {
        self.poller.looks.is_open()
    }

    /// Whether a listing says that an operation is under way; `false` also where none is worth its calls.
    async fn is_listed_as_under_way(
        &self,
        calls: &dyn StatusCalls,
        arn: &Arn,
        known_at: Instant,
    ) -> Result<bool, Failure> {
        let followed = *lock(&self.kind.followed);
        if followed <= HANDFUL {
            return Ok(false);
        }
        let mut listing = self.kind.listing.lock().await;
        if listing.is_refused() || listing.pages >= followed {
            return Ok(false);
        }
        let is_new = |latest: &(Instant, _)| latest.0 > known_at;
        if !listing.latest.as_ref().is_some_and(is_new) {
            self.poller.list(calls, followed, &mut listing).await;
        }
        match &listing.latest {
            _ if listing.is_refused() => Ok(false),
            Some((_, Ok(listed))) => Ok(listed.under_way.contains(&arn.to_string())),
            Some((_, Err(failure))) => Err(failure.clone()),
            None => Ok(false),
        }
    }
}

impl Listing {
    fn is_refused(&self) -> bool {
        self.refused.is_some_and(|at| at.elapsed() < REFUSED_FOR)
    }
}

/// Whether who asks may not list, which describing does not need.
fn is_refusal(failure: &Failure) -> bool {
    !failure.is_retryable() && failure.kind != FailureKind::Credentials
}

/// Lets calls pass at a pace, a few of them at once after a pause.
#[derive(Debug)]
struct PaceGate {
    spacing: Duration,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    spacing: Duration,
    /// When all calls that were let pass are paid for, each by the spacing.
    paid_at: Option<Instant>,
}

impl PaceGate {
    fn new(spacing: Duration) -> Self {
        let paid_at = None;
        Self {
            spacing,
            pace: Mutex::new(Pace { spacing, paid_at }),
        }
    }

    async fn wait(&self) {
        let at = {
            let mut pace = lock(&self.pace);
            let paid_at = pace.paid();
            pace.paid_at = Some(paid_at + pace.spacing);
            paid_at.checked_sub(pace.spacing * (BURST - 1))
        };
        if let Some(at) = at {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Passes where nobody has to wait.
    fn is_open(&self) -> bool {
        let mut pace = lock(&self.pace);
        let paid_at = pace.paid();
        let is_open = paid_at <= Instant::now();
        if is_open {
            pace.paid_at = Some(paid_at + pace.spacing);
        }
        is_open
    }

    /// Doubles the time between calls, and lets none pass for that long.
    fn slow_down(&self) {
        let mut pace = lock(&self.pace);
        pace.spacing = (pace.spacing * 2).clamp(self.spacing, SLOWEST.max(self.spacing));
        let burst = pace.spacing * (BURST - 1);
        pace.paid_at = Some(pace.paid().max(Instant::now() + pace.spacing + burst));
    }

    /// Comes back to the usual pace, by a tenth each answered call.
    fn recover(&self) {
        let mut pace = lock(&self.pace);
        pace.spacing = pace.spacing.mul_f64(0.9).max(self.spacing);
    }
}

impl Pace {
    fn paid(&self) -> Instant {
        let now = Instant::now();
        self.paid_at.map_or(now, |at| at.max(now))
    }
}

/// The pauses between two questions after one operation: they grow, and with the operation's age at once,
/// and each is a fifth longer or shorter by chance, so that many who follow do not ask at the same time.
pub(super) struct Backoff {
    pause: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) const fn new(poll: Poll) -> Self {
        Self {
            pause: poll.first,
            longest: poll.longest,
        }
    }

    /// Goes on as slowly as one may of an operation that has been under way for so long: what has taken an
    /// hour does not end within the next seconds.
    pub(super) fn grow_with(&mut self, age: Duration) {
        self.pause = self.pause.max(age / 20).min(self.longest);
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.pause.mul_f64(0.8 + 0.4 * fastrand::f64());
        self.pause = self.pause.mul_f64(1.5).min(self.longest);
        pause
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
