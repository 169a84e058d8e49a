//! All that the screen shows.
//!
//! The model is plain data. It decides nothing by itself but what can be told from it: which scopes
//! of the key table hold now, whether something moves, and the plan that was chosen so far.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::consent::Changing;
use super::keymap::{Keymap, Scope};
use super::layout;
use super::message::FrameNumber;
use super::outside::{ChangeId, ChangeRecord, Identified, Problem, RunSummary};
use super::popups::Popup;
use super::popups::question::{Asked, Question};
use super::remote::{Remote, RequestId};
use super::steps::Step;
use super::steps::access::Access;
use super::steps::accounts::Accounts;
use super::steps::destination::Destination;
use super::steps::encryption::EncryptionStep;
use super::steps::progress::Progress;
use super::steps::review::Review;
use super::steps::tables::Tables;
use crate::job::{self, Kind, Plan, Source, Violations};
use crate::work::event::Side;
use tableferry_policy::arn::AccountId;

/// What the wizard was started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Whether the accounts are the sandbox's.
    pub is_sandbox: bool,
    /// Whether changes are forbidden.
    pub is_read_only: bool,
    /// The accounts that are marked production, with the names that are typed before a change.
    pub production: BTreeMap<AccountId, String>,
    /// A plan to fill the steps with.
    pub plan: Option<Plan>,
    /// The file that plan came from.
    pub plan_file: Option<PathBuf>,
    /// The time of the start.
    pub now: Timestamp,
}

/// All that the screen shows.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) keymap: Arc<Keymap>,
    pub(crate) is_sandbox: bool,
    pub(crate) is_read_only: bool,
    pub(crate) production: BTreeMap<AccountId, String>,
    pub(crate) plan_file: Option<PathBuf>,
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) step: Step,
    pub(crate) popups: Vec<Popup>,
    pub(crate) accounts: Accounts,
    pub(crate) tables: Tables,
    pub(crate) destination: Destination,
    pub(crate) encryption: EncryptionStep,
    pub(crate) access: Access,
    pub(crate) review: Review,
    pub(crate) progress: Progress,
    /// A change of an account under way.
    pub(crate) changing: Option<Changing>,
    /// The changes of ours that are in place.
    pub(crate) changes: Remote<Vec<ChangeRecord>, String>,
    /// The changes that were made since the wizard was opened and stand, with what was changed.
    pub(crate) made: Vec<(ChangeId, String)>,
    /// The question what taking a change away would do.
    pub(crate) undo_asked: Option<RequestId>,
    pub(crate) open_runs: Remote<Vec<RunSummary>, String>,
    pub(crate) resuming: Option<RunSummary>,
    pub(crate) notice: Option<Notice>,
    pub(crate) deeds: Vec<RequestId>,
    pub(crate) leaving: Leaving,
    pub(crate) has_acted: bool,
    next_request: u64,
    next_guard: u64,
    /// What is guarded and in sight, and the frame that showed it first.
    in_sight: Option<(GuardId, FrameNumber)>,
}

/// The number of something that takes no key before it was drawn; given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardId(u64);

/// What stands beside an account that the configuration marks so: a word, since colours alone are
/// easily missed.
pub(crate) const PRODUCTION: &str = "PRODUCTION";

/// A sentence in the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}

/// Whether the wizard is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Leaving {
    /// It goes on.
    #[default]
    No,
    /// It ends as soon as the deeds in flight have.
    AfterDeeds,
    /// It has ended.
    Now,
}

impl Model {
    /// The model at the start: nothing is known yet.
    #[must_use]
    pub fn new(keymap: Arc<Keymap>, start: Start) -> Self {
        let mut model = Self {
            keymap,
            is_sandbox: start.is_sandbox,
            is_read_only: start.is_read_only,
            production: start.production,
            plan_file: start.plan_file,
            now: start.now,
            size: (80, 24),
            step: Step::Accounts,
            popups: Vec::new(),
            accounts: Accounts::default(),
            tables: Tables::default(),
            destination: Destination::default(),
            encryption: EncryptionStep::default(),
            access: Access::default(),
            review: Review::default(),
            progress: Progress::default(),
            changing: None,
            changes: Remote::NotAsked,
            made: Vec::new(),
            undo_asked: None,
            open_runs: Remote::NotAsked,
            resuming: None,
            notice: None,
            deeds: Vec::new(),
            leaving: Leaving::No,
            has_acted: false,
            next_request: 1,
            next_guard: 1,
            in_sight: None,
        };
        if let Some(plan) = start.plan {
            model.fill_in(&plan);
        }
        model
    }

    /// Takes over a plan's choices.
    pub(crate) fn fill_in(&mut self, plan: &Plan) {
        self.accounts.fill_in(plan);
        self.tables.fill_in(plan);
        self.destination.fill_in(plan);
        self.encryption.fill_in(plan);
    }

    /// A number for a new request.
    pub(crate) fn request(&mut self) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        request
    }

    /// Opens a popup on top, as an answer to a key.
    pub(crate) fn open(&mut self, popup: Popup) {
        self.popups.push(popup);
    }

    /// Opens a popup that no key asked for: below those that are open, so that no key meant for
    /// another reaches it.
    pub(crate) fn announce(&mut self, popup: Popup) {
        self.popups.insert(0, popup);
    }

    /// A number for something that takes no key before it was drawn.
    pub(crate) const fn guard_id(&mut self) -> GuardId {
        let id = GuardId(self.next_guard);
        self.next_guard += 1;
        id
    }

    /// A question, to be opened or announced.
    pub(crate) const fn question(&mut self, question: Question) -> Popup {
        Popup::Ask(Asked::new(self.guard_id(), question))
    }

    /// Asks a question, as an answer to a key.
    pub(crate) fn ask(&mut self, question: Question) {
        let popup = self.question(question);
        self.open(popup);
    }

    /// Asks a question about what the popup at this place is for, right above it.
    pub(crate) fn ask_above(&mut self, place: usize, question: Question) {
        let popup = self.question(question);
        let above = (place + 1).min(self.popups.len());
        self.popups.insert(above, popup);
    }

    /// What must be drawn before it takes a key, if that is so of what keys go to now.
    fn guarded(&self) -> Option<GuardId> {
        match (self.popup(), self.step) {
            (Some(popup), _) => popup.guarded(),
            (None, Step::Accounts) => self.accounts.moved,
            (None, _) => None,
        }
    }

    /// Takes that a frame was drawn. In a terminal that is too small it showed nothing.
    pub(crate) fn note_drawn(&mut self, frame: FrameNumber) {
        let guarded = self.guarded();
        let shown = guarded.filter(|_| !layout::is_too_small(self.size));
        let known = self.in_sight.filter(|(id, _)| shown == Some(*id));
        self.in_sight = known.or_else(|| Some((shown?, frame)));
    }

    /// Whether a key that was read after this frame was meant for what it would go to: what does
    /// something outside takes no key that was on its way when it opened.
    pub(crate) fn is_meant(&self, seen: FrameNumber) -> bool {
        match self.guarded() {
            None => true,
            Some(id) => self
                .in_sight
                .is_some_and(|(shown, first)| shown == id && seen >= first),
        }
    }

    /// The popup on top.
    pub(crate) fn popup(&self) -> Option<&Popup> {
        self.popups.last()
    }

    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice {
            tone,
            text: text.into(),
        });
    }

    pub(crate) fn say_problem(&mut self, blocker: &Problem) {
        self.say(
            Tone::Warning,
            format!("{} — {}", blocker.what, blocker.hint),
        );
    }

    /// How far a page moves in the current step.
    pub(crate) fn page(&self) -> usize {
        layout::page(self)
    }

    /// The proved identity of a side.
    pub(crate) fn identified(&self, side: Side) -> Option<&Identified> {
        self.accounts.side(side).identified()
    }

    /// An account, and that it is marked production where it is.
    pub(crate) fn named(&self, account: &AccountId) -> String {
        if self.production.contains_key(account) {
            format!("{account} {PRODUCTION}")
        } else {
            account.to_string()
        }
    }

    /// Whether source and destination are accounts of their own; unknown without both.
    pub(crate) fn is_cross_account(&self) -> Option<bool> {
        let source = &self.identified(Side::Source)?.identity.account;
        let owner = match self.destination.owner() {
            Some(owner) => owner,
            None => &self.identified(Side::Destination)?.identity.account,
        };
        Some(source != owner)
    }

    /// The plan as chosen so far, once every part of it is.
    pub(crate) fn plan(&self) -> Option<Plan> {
        let source = self.accounts.source.sign_in()?.clone();
        if self.tables.jobs.is_empty() {
            return None;
        }
        Some(Plan {
            kind: Kind::Export,
            source: Source { sign_in: source },
            destination: job::Destination {
                sign_in: self.accounts.destination.sign_in().cloned(),
                bucket: self.destination.bucket.clone()?,
                owner: self.destination.owner().cloned(),
                prefix: self.destination.prefix.clone(),
            },
            encryption: self.encryption.choice.clone()?,
            tables: self.tables.jobs.clone(),
        })
    }

    /// What the plan as chosen so far breaks of the rules that a plan file keeps.
    pub(crate) fn violations(&self) -> Option<Violations> {
        self.plan()?.checked(self.now).err()
    }

    /// The scopes of the key table that hold now, the innermost first.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = match self.popup() {
            Some(popup) => popup.scopes(),
            None => self.step_scopes(),
        };
        scopes.push(Scope::Always);
        scopes
    }

    /// The scopes of the step itself, the innermost first.
    pub(crate) fn step_scopes(&self) -> Vec<Scope> {
        let (step, is_list) = match self.step {
            Step::Accounts => (Scope::Accounts, true),
            Step::Tables => (Scope::Tables, true),
            Step::Destination => (Scope::Destination, true),
            Step::Encryption => (Scope::Encryption, true),
            Step::Access => (Scope::Access, false),
            Step::Review => (Scope::Review, false),
            Step::Progress => (Scope::Progress, false),
        };
        if self
            .list()
            .is_some_and(super::widgets::list::List::is_typing)
        {
            return vec![Scope::Filter];
        }
        let mut scopes = vec![step];
        if is_list {
            scopes.push(Scope::List);
        }
        scopes.extend([Scope::Moving, Scope::Wizard]);
        scopes
    }

    /// Whether something on the screen moves by itself: then, and only then, time is told.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.is_waiting() || self.progress.is_followed() || self.leaving == Leaving::AfterDeeds
    }

    /// Whether a reply is waited for.
    fn is_waiting(&self) -> bool {
        !self.deeds.is_empty()
            || self.accounts.profiles.is_loading()
            || [Side::Source, Side::Destination]
                .iter()
                .any(|side| self.accounts.side(*side).is_signing_in())
            || self.tables.is_loading()
            || self.destination.buckets.is_loading()
            || self.destination.facts.is_loading()
            || self.encryption.keys.is_loading()
            || self.access.judged.is_loading()
            || self.changing.is_some()
            || self.undo_asked.is_some()
    }

    /// The run that was started or gone on with, for what is said after the end.
    #[must_use]
    pub fn run(&self) -> Option<i64> {
        self.progress.run
    }

    /// The exports of that run as far as they are known.
    #[must_use]
    pub fn exports(&self) -> &[crate::work::event::OperationProgress] {
        &self.progress.exports
    }

    /// Whether exports go on that nobody will have waited for.
    #[must_use]
    pub fn has_unfinished_exports(&self) -> bool {
        self.progress.run.is_some() && !self.progress.is_finished()
    }

    /// The question that quitting asks.
    pub(crate) fn ask_to_quit(&mut self) {
        let is_asked = self.popups.iter().any(Popup::asks_to_quit);
        if !is_asked {
            self.ask(Question::Quit);
        }
    }
}
