//! What the wizard hears, and what it asks of the outside: plain data both.

use std::path::PathBuf;

use crokey::KeyCombination;
use jiff::Timestamp;

use super::remote::RequestId;
use super::services::{
    Applied, AssessedPlan, ChangeId, ChangeRecord, Identified, InventoryProposal, InventoryStatus,
    Probe, ProbeRecord, ProbeReport, PropagationReport, Proposal, Proposed, RunSummary, SavedPlan,
    StartSummary, UndoProposal, Undone,
};
use crate::assess::facts::{BucketFacts, TableFacts};
use crate::aws::failure::Failure;
use crate::aws::kms::Key;
use crate::aws::profiles::Profiles;
use crate::aws::s3::Bucket;
use crate::aws::{MfaCode, SignInError};
use crate::job::{Plan, SignIn};
use crate::journal::RunId;
use crate::work::event::{Event, Side};
use crate::work::watch::WatchEvent;
use tableferry_policy::arn::{BucketName, Region};

/// Which of the frames that were drawn, counted from 1; 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FrameNumber(pub u64);

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed; it was read after this frame was drawn.
    KeyPressed(KeyCombination, FrameNumber),
    /// The model was drawn as it is, with so many rows of the list with the focus in sight.
    Drawn(FrameNumber, usize),
    /// Text was pasted; its line ends confirm nothing.
    Pasted(String),
    /// The terminal has this many columns and rows now.
    Resized(u16, u16),
    /// It is this late now.
    Ticked(Timestamp),
    /// A query was answered.
    Replied(RequestId, Reply),
    /// A run reported something.
    Reported(Box<Event>),
    /// A watch ended: every export ended (the text is empty), or it was cut off for this reason.
    WatchEnded(RequestId, Result<(), String>),
    /// A watch of accounts reported something.
    Watched(RequestId, WatchEvent),
    /// A watch of accounts ended, and why.
    WatchedEnded(RequestId, Result<(), String>),
    /// A mutation was done, or refused.
    Done(RequestId, MutationResult),
    /// The command that signs a side in ended; the text says what went wrong.
    LoginEnded(Side, Result<(), String>),
    /// The system asked the program to end.
    Terminated,
}

/// The answer to a query.
#[derive(Debug)]
pub enum Reply {
    /// To [`Query::Profiles`].
    Profiles(Profiles),
    /// To [`Query::SignIn`].
    SignedIn(Side, Box<Result<Identified, SignInError>>),
    /// To [`Query::Tables`].
    Tables(Result<Vec<String>, Failure>),
    /// To [`Query::Table`].
    Table(Box<TableFacts>),
    /// To [`Query::Buckets`].
    Buckets(Result<Vec<Bucket>, Failure>),
    /// To [`Query::Bucket`].
    Bucket(Box<BucketFacts>),
    /// To [`Query::Keys`].
    Keys(Result<Vec<Key>, Failure>),
    /// To [`Query::Assess`] and [`Query::AssessWithProbe`]; the text says why nothing could be assessed.
    Assessed(Box<Result<AssessedPlan, String>>),
    /// To [`Query::WaitForPropagation`].
    Propagation(PropagationReport),
    /// To [`Query::Changes`]; the text says why the journal cannot be read.
    Changes(Result<Vec<ChangeRecord>, String>),
    /// To [`Query::ProposeUndo`]; the text says why the change stays.
    UndoProposed(Box<Result<Proposed, String>>),
    /// To [`Query::ProposeInventory`]; the text says why nobody can tell.
    InventoryProposed(Box<Result<Proposed, String>>),
    /// To [`Query::InventoryStatus`]; the text says why nobody can tell.
    InventoryStatus(Box<Result<InventoryStatus, String>>),
    /// To [`Query::Runs`]; the text says why the journal cannot be read.
    Runs(Result<Vec<RunSummary>, String>),
    /// To [`Query::Plans`].
    Plans(Vec<SavedPlan>),
    /// To [`Query::UnfinishedProbes`]; none where the journal cannot be read.
    UnfinishedProbes(Vec<ProbeRecord>),
}

/// How a mutation ended.
#[derive(Debug)]
pub enum MutationResult {
    /// The exports of this run were asked for.
    Started(RunId),
    /// Nothing was started, or not all of it, and why.
    NotStarted(String),
    /// An account was changed.
    Applied(Box<Applied>),
    /// It was not, or nobody can tell, and why.
    NotApplied(String),
    /// A change of ours was taken away.
    Undone(Box<Undone>),
    /// It was not, and why.
    NotUndone(String),
    /// A probe of this plan was made.
    Probed(Box<Plan>, Box<ProbeReport>),
    /// It was not, and why.
    NotProbed(String),
    /// The plan was written to this file.
    Saved(PathBuf),
    /// There is such a file already, and it was left alone.
    FileExists(PathBuf),
    /// The plan could not be written, and why.
    NotSaved(String),
}

/// Work for the outside.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Read something; the reply carries the number.
    Ask(RequestId, QueryGroup, Query),
    /// Give up what is read for this.
    Cancel(QueryGroup),
    /// Change something; never cancelled, its reply is always delivered.
    Mutate(RequestId, Mutation),
    /// Follow a run until all its exports ended; quitting cuts it off where that is safe.
    Watch(RequestId, Watch),
    /// Wait no longer for runs, and make no call but the one in flight.
    CutOff,
    /// Put a text on the clipboard, through the terminal.
    Copy(String),
    /// Hand the terminal to the command that signs a side in.
    LogIn(Side, Vec<String>),
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the wizard.
    Quit,
}

/// What a query is for; queries of one group are given up together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryGroup {
    /// What is read once at the start.
    Opening,
    /// Proving a side.
    SignIn(Side),
    /// The tables of the source.
    Tables,
    /// The buckets of the destination.
    Buckets,
    /// The chosen bucket.
    Bucket,
    /// The keys of the destination.
    Keys,
    /// What the plan may do.
    Access,
    /// Waiting for a change to hold.
    Propagation,
    /// The changes that are in place.
    Changes,
    /// What taking a change away would do.
    Undo,
    /// The reports of an inventory.
    Reports,
    /// What writing an inventory's configuration would change.
    Setup,
    /// The exports of accounts that are watched.
    Watching,
}

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The profiles of the shared files.
    Profiles,
    /// Prove a side.
    SignIn(Side, Box<SignIn>, Option<MfaCode>),
    /// The names of the source's tables.
    Tables,
    /// One table, by name or ARN.
    Table(String),
    /// The destination's buckets.
    Buckets,
    /// One bucket.
    Bucket(BucketName),
    /// The destination's keys in a Region.
    Keys(Region),
    /// Read what bears on the plan's permissions from both accounts, and assess it.
    Assess(Box<Plan>),
    /// The same, with what a probe of the plan found out.
    AssessWithProbe(Box<Plan>, Box<ProbeReport>),
    /// Wait until a change that was made for the plan holds, or patience ends.
    WaitForPropagation(Box<Plan>, ChangeId),
    /// The changes of ours that are in place.
    Changes,
    /// What taking a change away would do.
    ProposeUndo(ChangeId),
    /// What writing the configuration of an inventory would change.
    ProposeInventory(Box<Plan>),
    /// The configuration of an inventory, and which reports arrived.
    InventoryStatus(Box<Plan>),
    /// The runs of the journal, the newest first.
    Runs,
    /// The plans in the directory in which the wizard was opened.
    Plans,
    /// The probes of which something may be left.
    UnfinishedProbes,
}

/// Something to change.
#[derive(Debug, Clone)]
pub enum Mutation {
    /// Start the exports of a plan.
    Start(Box<Plan>, Box<StartSummary>),
    /// Apply a remedy that was found for the plan.
    Apply(Box<Plan>, Box<Proposal>),
    /// Write the configuration of an inventory, as it was shown.
    SetUpInventory(Box<Plan>, Box<InventoryProposal>),
    /// Take a change away, as it was shown.
    Undo(Box<UndoProposal>),
    /// Make a probe of the plan, as it was shown.
    Probe(Box<Plan>, Box<Probe>),
    /// Write the plan to a file.
    SavePlan {
        /// The file.
        path: PathBuf,
        /// The plan as TOML.
        text: String,
        /// Whether a file that is there may be replaced.
        may_replace: bool,
    },
}

/// A run to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// One that was just started.
    Follow(RunId),
    /// One of an earlier session, its unanswered calls repeated with their tokens.
    Resume(RunId),
    /// All exports under way in the accounts of both sides.
    Accounts,
}
