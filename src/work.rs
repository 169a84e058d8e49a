//! The work itself: what both front ends, the wizard and the headless commands, have in common.
//!
//! It reads what must be known, starts exports, follows and verifies them. It uses the AWS room and
//! the journal, and decides with the pure rooms. Every deed is in the journal before it is done.

pub mod archive;
mod asking;
mod assess;
mod browse;
pub mod change;
mod changes;
pub mod event;
mod export;
mod failed_operation;
mod finish;
mod follow;
mod held;
pub mod history;
mod import;
mod inventory;
mod limits;
mod load;
mod look_up;
mod operation;
mod poll;
pub mod probe;
mod queue;
mod resolve;
mod resume;
mod settle;
mod start;
mod survey;
mod tally;
mod under_way;
mod verify;
pub mod watch;
mod windows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use crate::journal::ProbeRecord;
pub use archive::{
    ArchiveError, ArchiveEvent, ArchivePlace, ArchiveReport, ArchiveRequest, CopyForm, MaskPlace,
    MaskRefusal, MaskReport, MaskRequest, PreparedFetch, PreparedMask, RuleReport,
};
pub use assess::{Assessed, StartSummary};
pub use change::{
    Applied, ApplyError, ChangeId, ChangeKind, ChangeRecord, ChangeStage, ChangeTarget,
    PropagationPolicy, PropagationReport, PropagationStatus, Proposal, ReadBack, UndoError,
    UndoProposal, Undone, not_proposed, proposals,
};
pub use changes::ReadHistory;
pub use event::{Event, OperationProgress, Side, Verification};
pub use failed_operation::FailedOperation;
pub use finish::{Finish, FinishCommand, FinishError, FinishFacts};
pub use follow::{FollowError, RunOutcome, RunStatus, Verify};
pub use held::HeldExport;
pub use import::{PreparedImport, SourceTable, TableError};
pub use inventory::{
    DeliveredReport, InventoryError, InventoryProposal, InventoryStatus, ReportVerification,
};
pub use load::{CountedRecords, LoadError, PreparedLoad};
pub use probe::{Probe, ProbeError, ProbeReport};
pub use resolve::ResolveError;
pub use resume::ResumeError;
pub use settle::{Claim, SettleError};
pub use start::StartError;
pub use survey::{ControlDocuments, ControlFile, ControlFileError};
pub use tally::Tally;
pub use under_way::DuplicateExport;
pub use watch::{WatchError, WatchEvent, WatchedExport, WatchedExports};

use crate::assess::limits::Limits;
use crate::aws::profiles::Profiles;
use crate::aws::{Environment, Identity, MfaCode, Session, SignInError};
use crate::job::SignIn;
use crate::journal::{Journal, JournalError, RunId, RunRecord};
use tableferry_policy::arn::{AccountId, Arn, Region};

/// What bends the work, set once by configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Whether the accounts are the sandbox's.
    pub is_sandbox: bool,
    /// How often a running export is asked after.
    pub poll: Poll,
    /// How a change of an account is waited for.
    pub propagation: PropagationPolicy,
    /// The accounts that are marked production, with the names that are typed before a change.
    pub production: BTreeMap<AccountId, String>,
    /// What every plan must keep to.
    pub limits: Limits,
    /// The most bytes that one command may download.
    pub largest_download: Option<u64>,
    /// Whether no archive may be copied to this machine.
    pub are_local_copies_forbidden: bool,
    /// What is done when a run ends.
    pub finish: Finish,
    /// Where the journal is kept, where it is kept at all.
    pub state_dir: Option<PathBuf>,
}

/// The pace of polling: from the first pause, each half as long again, up to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// The time between two calls that ask after exports in one account and Region, however many there are.
    pub spacing: Duration,
    /// How long nobody may answer before the waiting is given up; the exports go on.
    pub patience: Duration,
}

impl Default for Poll {
    /// An export takes from two minutes to hours (the service's own waiter asks every 20 s).
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(30),
            spacing: Duration::from_millis(400),
            patience: Duration::from_mins(30),
        }
    }
}

/// One side, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Who it is.
    pub identity: Identity,
    /// The Region of its calls.
    pub region: Region,
    /// When its credentials end, where that is known.
    pub expires_at: Option<Timestamp>,
    /// Endpoints that are not AWS's: service (or `all`) and URL.
    pub endpoints: Vec<(String, String)>,
    /// What to know before anything is done as this side: a clock that is wrong, calls in the clear.
    pub warnings: Vec<String>,
}

impl Identified {
    fn of(session: &Session) -> Self {
        Self {
            identity: session.identity.clone(),
            region: session.region.clone(),
            expires_at: session.expires_at,
            endpoints: session.endpoints.clone(),
            warnings: session.warnings.clone(),
        }
    }
}

/// The work, with all it stands on. Clones share it.
#[derive(Debug, Clone)]
pub struct Work {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    environment: Environment,
    journal: Arc<Journal>,
    settings: Settings,
    sessions: Mutex<BTreeMap<Side, SignedIn>>,
    /// One change of an account at a time, also where the journal has no file to lock.
    changing: Arc<tokio::sync::Mutex<()>>,
    /// Read by the one who makes a probe, written by the one who takes back what earlier ones left.
    probing: Arc<tokio::sync::RwLock<()>>,
    /// The calls of this process that may have started an operation.
    calls: Arc<tally::StartCalls>,
    /// The operations that wait for room.
    queue: Arc<queue::Queue>,
    /// When each side was signed in again; held while that is done, so that all who wait take the one session.
    renewals: tokio::sync::Mutex<BTreeMap<Side, tokio::time::Instant>>,
    /// What asks after operations, shared by all who follow any.
    pollers: Arc<poll::Pollers>,
    /// The kinds of operations that can be started and gone on with.
    kinds: operation::Kinds,
}

/// A session, and how it was signed in, so that it can be renewed.
#[derive(Debug, Clone)]
struct SignedIn {
    how: SignIn,
    session: Session,
}

impl Work {
    /// Brings together what the work stands on.
    #[must_use]
    pub fn new(environment: Environment, journal: Journal, settings: Settings) -> Self {
        let kinds = operation::Kinds::new(vec![
            Arc::new(export::ExportKind),
            Arc::new(import::ImportKind),
        ]);
        Self::with_kinds(environment, journal, settings, kinds)
    }

    fn with_kinds(
        environment: Environment,
        journal: Journal,
        settings: Settings,
        kinds: operation::Kinds,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                environment,
                journal: Arc::new(journal),
                settings,
                sessions: Mutex::default(),
                changing: Arc::default(),
                probing: Arc::default(),
                calls: Arc::default(),
                queue: Arc::default(),
                renewals: tokio::sync::Mutex::default(),
                pollers: Arc::default(),
                kinds,
            }),
        }
    }

    /// The same work with no side signed in, for another run at the same time.
    #[must_use]
    pub fn with_own_sessions(&self) -> Self {
        Self {
            inner: Arc::new(Inner {
                environment: self.inner.environment.clone(),
                journal: Arc::clone(&self.inner.journal),
                settings: self.inner.settings.clone(),
                sessions: Mutex::default(),
                changing: Arc::clone(&self.inner.changing),
                probing: Arc::clone(&self.inner.probing),
                calls: Arc::clone(&self.inner.calls),
                queue: Arc::clone(&self.inner.queue),
                renewals: tokio::sync::Mutex::default(),
                pollers: Arc::clone(&self.inner.pollers),
                kinds: self.inner.kinds.clone(),
            }),
        }
    }

    /// The same work for each account and Region that is signed in to, with it as the source: so that what
    /// goes on in both can be watched. The destination stays, which may read the bucket.
    #[must_use]
    pub fn watched_accounts(&self) -> Vec<Self> {
        let mut found: Vec<(AccountId, Region)> = Vec::new();
        let mut accounts = Vec::new();
        for side in [Side::Source, Side::Destination] {
            let Some(signed_in) = self.sessions().get(&side).cloned() else {
                continue;
            };
            let session = &signed_in.session;
            let place = (session.identity.account.clone(), session.region.clone());
            if found.contains(&place) {
                continue;
            }
            found.push(place);
            let own = self.with_own_sessions();
            let destination = self.sessions().get(&Side::Destination).cloned();
            own.sessions().insert(Side::Source, signed_in);
            if let Some(destination) = destination {
                own.sessions().insert(Side::Destination, destination);
            }
            accounts.push(own);
        }
        accounts
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Whether nothing can be changed in any account: no request that would is ever built.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.inner.environment.is_read_only()
    }

    /// The profiles of the shared files; reads the disk.
    #[must_use]
    pub fn profiles(&self) -> Profiles {
        self.inner.environment.profiles()
    }

    /// Signs one side in and proves who it is. The session takes the place of the side's last one.
    pub async fn sign_in(
        &self,
        side: Side,
        how: &SignIn,
        code: Option<&MfaCode>,
    ) -> Result<Identified, SignInError> {
        let session = self.inner.environment.sign_in(how, code).await?;
        Ok(self.accept(side, how, session))
    }

    /// Whether both sides ask for the code of the same device, which is good for one use only.
    #[must_use]
    pub fn share_a_device(&self, source: &SignIn, destination: &SignIn) -> bool {
        self.inner.environment.share_a_device(source, destination)
    }

    /// Signs both sides in with one code of the device that they share.
    pub async fn sign_in_both(
        &self,
        source: &SignIn,
        destination: &SignIn,
        code: &MfaCode,
    ) -> [Result<Identified, SignInError>; 2] {
        let environment = &self.inner.environment;
        let (one, other) = environment.sign_in_both(source, destination, code).await;
        let one = match one {
            Ok(session) => Ok(self.accept(Side::Source, source, session)),
            Err(error) => Err(error),
        };
        let other = match other {
            Ok(session) => Ok(self.accept(Side::Destination, destination, session)),
            Err(error) => Err(error),
        };
        [one, other]
    }

    /// Keeps a proved session.
    fn accept(&self, side: Side, how: &SignIn, session: Session) -> Identified {
        let identified = Identified::of(&session);
        let how = how.clone();
        self.sessions().insert(side, SignedIn { how, session });
        identified
    }

    /// Forgets a side's session, when another profile is chosen.
    pub fn sign_out(&self, side: Side) {
        self.sessions().remove(&side);
    }

    /// The runs that are not finished, the oldest first.
    pub fn open_runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        self.inner.journal.open_runs()
    }

    /// All runs, the newest first.
    pub fn runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        self.inner.journal.runs()
    }

    /// One run, or `None` where the journal has none of this number.
    pub fn run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError> {
        self.inner.journal.run(id)
    }

    /// One run as this process knows it, whatever could not be written to the journal.
    pub fn known_run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError> {
        self.inner.journal.known_run(id)
    }

    /// The account that a side is signed in to.
    #[must_use]
    pub fn account_of(&self, side: Side) -> Option<AccountId> {
        let session = self.session(side)?;
        Some(session.identity.account)
    }

    /// Who a side is signed in as.
    #[must_use]
    pub fn identified(&self, side: Side) -> Option<Identified> {
        self.session(side).as_ref().map(Identified::of)
    }

    /// The account that a side is signed in to.
    #[must_use]
    pub fn account(&self, side: Side) -> Option<AccountId> {
        self.session(side).map(|session| session.identity.account)
    }

    /// How a side was signed in.
    #[must_use]
    pub fn sign_in_of(&self, side: Side) -> Option<SignIn> {
        let sessions = self.sessions();
        sessions.get(&side).map(|signed_in| signed_in.how.clone())
    }

    fn session(&self, side: Side) -> Option<Session> {
        self.sessions()
            .get(&side)
            .map(|signed_in| signed_in.session.clone())
    }

    /// What asks after the operations of an account in a Region.
    fn poller(&self, account: &str, region: &str) -> Arc<poll::Poller> {
        let inner = &self.inner;
        inner.pollers.poller(account, region, inner.settings.poll)
    }

    /// Signs a side in again as it was signed in, where that needs nobody: credentials end while an
    /// export goes on.
    async fn renew(&self, side: Side) -> Result<Session, SignInError> {
        let how = self
            .sessions()
            .get(&side)
            .map(|signed_in| signed_in.how.clone());
        let how = how.unwrap_or_default();
        self.sign_in(side, &how, None).await?;
        self.session(side).ok_or_else(|| not_signed_in(side))
    }

    /// Renews a side, unless another of many has done so since the call that was refused was begun.
    async fn renew_once(
        &self,
        side: Side,
        begun: tokio::time::Instant,
    ) -> Result<Session, SignInError> {
        let mut renewals = self.inner.renewals.lock().await;
        if renewals.get(&side).is_some_and(|at| *at > begun)
            && let Some(session) = self.session(side)
        {
            return Ok(session);
        }
        let session = self.renew(side).await?;
        renewals.insert(side, tokio::time::Instant::now());
        Ok(session)
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, BTreeMap<Side, SignedIn>> {
        self.inner
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Region of what an ARN names: the ARN's own, or the session's.
fn region_of(arn: &Arn, session: &Session) -> Region {
    arn.region_code().unwrap_or_else(|| session.region.clone())
}

fn not_signed_in(side: Side) -> SignInError {
    SignInError::Profile {
        message: format!("the {side} is not signed in"),
        hint: "choose its profile first".to_owned(),
    }
}
