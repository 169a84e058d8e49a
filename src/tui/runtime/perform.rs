//! What the wizard asks of the work room, and the answers as messages. The only file of this room
//! that calls it.

use std::collections::BTreeSet;

use futures_util::future;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::saving;
use crate::job::Plan;
use crate::tui::message::{Message, Mutation, MutationResult, Query, Reply, Watch};
use crate::tui::remote::RequestId;
use crate::tui::services::{
    AssessedPlan, ChangeId, ChangeRecord, InventoryProposal, Probe, ProbeReport, Proposal,
    Proposed, ProposedChange, RunSummary, UndoProposal,
};
use crate::work::event::{Event, Side};
use crate::work::{ApplyError, ControlDocuments, Verify, WatchedExports, Work};
use tableferry_policy::arn::AccountId;

/// Answers a query.
///
/// `cancel` is heeded by what must end cleanly; what only reads is dropped.
pub(super) async fn ask(
    work: Work,
    request: RequestId,
    query: Query,
    cancel: CancellationToken,
) -> Message {
    let reply = match query {
        Query::Profiles => Reply::Profiles(off_the_loop(move || work.profiles()).await),
        Query::Runs => Reply::Runs(off_the_loop(move || runs(&work)).await),
        Query::Plans => Reply::Plans(off_the_loop(saving::plans_here).await),
        Query::SignIn(side, how, code) => {
            let answer = work.sign_in(side, &how, code.as_ref()).await;
            Reply::SignedIn(side, Box::new(answer))
        }
        Query::Tables => Reply::Tables(work.tables().await),
        Query::Table(table) => Reply::Table(Box::new(work.table(&table).await)),
        Query::Buckets => Reply::Buckets(work.buckets().await),
        Query::Bucket(bucket) => Reply::Bucket(Box::new(work.bucket(&bucket).await)),
        Query::Keys(region) => Reply::Keys(work.keys(&region).await),
        Query::WaitForPropagation(plan, id) => {
            Reply::Propagation(work.wait_until_held(&plan, &[id], cancel).await)
        }
        Query::Changes => Reply::Changes(off_the_loop(move || changes_in_place(&work)).await),
        Query::ProposeUndo(id) => Reply::UndoProposed(Box::new(propose_undo(&work, id).await)),
        Query::Assess(plan) => Reply::Assessed(Box::new(assess(work, *plan, None).await)),
        Query::AssessWithProbe(plan, report) => {
            Reply::Assessed(Box::new(assess(work, *plan, Some(*report)).await))
        }
        Query::ProposeInventory(plan) => {
            Reply::InventoryProposed(Box::new(propose_inventory(&work, &plan).await))
        }
        Query::InventoryStatus(plan) => {
            let owner = expected_owner(&work, &plan);
            let status = work.inventory_status(&plan, owner.as_ref()).await;
            let status = status.map_err(|error| with_hint(&error, &error.hint()));
            Reply::InventoryStatus(Box::new(status))
        }
        Query::UnfinishedProbes => {
            let read = off_the_loop(move || work.unfinished_probes()).await;
            // That the journal cannot be read is said with the runs.
            Reply::UnfinishedProbes(read.unwrap_or_default())
        }
    };
    Message::Replied(request, reply)
}

/// Assesses the plan, and draws up what can be done away from the loop: that takes tens of
/// milliseconds.
async fn assess(
    work: Work,
    plan: Plan,
    probed: Option<ProbeReport>,
) -> Result<AssessedPlan, String> {
    let controls = ControlDocuments::default();
    let assessed = work.assess(&plan, &controls).await;
    let mut assessed = assessed.map_err(|error| describe(&error))?;
    if let Some(report) = &probed {
        assessed = work.assess_with_probe(assessed, report);
    }
    let bucket = assessed.assessment.facts.bucket(&plan.destination.bucket);
    let probe = work.draw_up_probe(&plan, Some(bucket)).await;
    Ok(off_the_loop(move || {
        let start = work
            .summarize_start(&assessed)
            .map_err(|error| describe(&error));
        let name_to_type = |proposal: &Proposal| {
            let accounts = [&proposal.account, &proposal.source_account];
            work.name_to_type(accounts).map(str::to_owned)
        };
        let mut assessed = AssessedPlan::new(assessed.assessment, start, name_to_type);
        assessed.probe = probe.map(Box::new).map_err(|error| describe(&error));
        assessed.probed_at = probed.map(|report| report.at);
        let outside = assessed.assessment.out_of_bounds().next();
        if let Some(why) = outside.map(|found| found.explanation.clone()) {
            assessed.hold_back(&why);
        }
        assessed
    })
    .await)
}

/// The changes of ours that are in place.
fn changes_in_place(work: &Work) -> Result<Vec<ChangeRecord>, String> {
    let mut changes = work.changes().map_err(|error| describe(&error))?;
    changes.retain(ChangeRecord::is_in_place);
    Ok(changes)
}

/// What taking a change away would do. Point-in-time recovery is switched off by nothing but its own
/// name on the command line.
async fn propose_undo(work: &Work, id: ChangeId) -> Result<Proposed, String> {
    let undo = work.propose_undo(id, false).await;
    let undo = undo.map_err(|error| with_hint(&error, &error.hint()))?;
    let accounts = [&undo.record.account, &undo.record.source_account];
    Ok(Proposed {
        name_to_type: work.name_to_type(accounts).map(str::to_owned),
        change: ProposedChange::Undo(Box::new(undo)),
    })
}

/// The owner that the plan's configuration names.
fn expected_owner(work: &Work, plan: &Plan) -> Option<AccountId> {
    let said = plan.destination.owner.clone();
    said.or_else(|| work.account_of(Side::Destination))
}

/// What writing the configuration of an inventory would change.
async fn propose_inventory(work: &Work, plan: &Plan) -> Result<Proposed, String> {
    let owner = expected_owner(work, plan);
    let proposal = work.propose_inventory(plan, owner.as_ref()).await;
    let proposal = proposal.map_err(|error| with_hint(&error, &error.hint()))?;
    Ok(Proposed {
        name_to_type: work.name_to_type([&proposal.account]).map(str::to_owned),
        change: ProposedChange::SetUp(Box::new(proposal)),
    })
}

async fn set_up(work: &Work, plan: &Plan, proposal: &InventoryProposal) -> MutationResult {
    match work.set_up_inventory(plan, proposal).await {
        Ok(applied) => MutationResult::Applied(Box::new(applied)),
        Err(error) => MutationResult::NotApplied(with_hint(&error, &error.hint())),
    }
}

async fn apply(work: &Work, plan: &Plan, proposal: &Proposal) -> MutationResult {
    match work.apply(plan, proposal).await {
        Ok(applied) => MutationResult::Applied(Box::new(applied)),
        Err(error) => {
            let mut text = with_hint(&error, &error.hint());
            if let ApplyError::ChangedMeanwhile { diff, .. } = &error {
                text = format!("{text}\n\n{diff}");
            }
            MutationResult::NotApplied(text)
        }
    }
}

async fn probe(
    work: &Work,
    plan: Box<Plan>,
    probe: &Probe,
    cancel: &CancellationToken,
) -> MutationResult {
    match work.probe(&plan, probe, cancel).await {
        Ok(report) => MutationResult::Probed(plan, Box::new(report)),
        Err(error) => MutationResult::NotProbed(describe(&error)),
    }
}

async fn undo(work: &Work, proposal: &UndoProposal) -> MutationResult {
    match work.undo(proposal).await {
        Ok(undone) => MutationResult::Undone(Box::new(undone)),
        Err(error) => MutationResult::NotUndone(with_hint(&error, &error.hint())),
    }
}

fn runs(work: &Work) -> Result<Vec<RunSummary>, String> {
    let mut runs = work.runs().map_err(|error| describe(&error))?;
    // What this program writes itself, item by item, the commands go on with.
    runs.retain(|run| !run.is_written_here());
    Ok(runs.into_iter().map(RunSummary::from).collect())
}

/// Does a mutation, and tells its end.
pub(super) async fn mutation(
    work: Work,
    request: RequestId,
    mutation: Mutation,
    cancel: CancellationToken,
    sender: UnboundedSender<Message>,
) {
    let outcome = match mutation {
        Mutation::Start(plan, summary) => {
            let (events, forwarding) = forward(&sender);
            let answer = work.start(&plan, &summary, events, &cancel).await;
            let _ = forwarding.await;
            match answer {
                Ok(run) => MutationResult::Started(run),
                Err(error) => MutationResult::NotStarted(describe(&error)),
            }
        }
        Mutation::Apply(plan, proposal) => apply(&work, &plan, &proposal).await,
        Mutation::SetUpInventory(plan, proposal) => set_up(&work, &plan, &proposal).await,
        Mutation::Undo(proposal) => undo(&work, &proposal).await,
        Mutation::Probe(plan, drawn_up) => probe(&work, plan, &drawn_up, &cancel).await,
        Mutation::SavePlan {
            path,
            text,
            may_replace,
        } => off_the_loop(move || saving::save(&path, &text, may_replace)).await,
    };
    let _ = sender.send(Message::Done(request, outcome));
}

/// Follows a run, and tells its end.
pub(super) async fn watch(
    work: Work,
    request: RequestId,
    watch: Watch,
    cancel: CancellationToken,
    sender: UnboundedSender<Message>,
) {
    let (events, forwarding) = forward(&sender);
    let end = match watch {
        // It has no run, and no end of its own.
        Watch::Accounts => Err("there is no run to follow".to_owned()),
        Watch::Follow(run) => {
            let answer = work.follow(run, Verify::Open, events, cancel).await;
            answer.map_err(|error| describe(&error))
        }
        Watch::Resume(run) => {
            let answer = work.resume(run, Verify::Unread, events, cancel).await;
            answer.map_err(|error| describe(&error))
        }
    };
    let _ = forwarding.await;
    let end = end.and_then(|outcome| {
        for record in &outcome.operations {
            let event = Event::Operation(crate::work::OperationProgress::of(record));
            let _ = sender.send(Message::Reported(Box::new(event)));
        }
        if outcome.status() == crate::work::RunStatus::CutOff {
            Err("the waiting was cut off; something is left to be done".to_owned())
        } else {
            Ok(())
        }
    });
    let _ = sender.send(Message::WatchEnded(request, end));
}

/// Watches the exports under way in the accounts of both sides, until it is given up.
pub(super) async fn watch_accounts(
    work: Work,
    request: RequestId,
    cancel: CancellationToken,
    sender: UnboundedSender<Message>,
) {
    let (events, mut received) = mpsc::unbounded_channel();
    let accounts = work.watched_accounts();
    let watching = accounts.iter().map(|account| {
        let which = WatchedExports::UnderWay {
            except: BTreeSet::new(),
            is_endless: true,
        };
        account.watch_account(which, events.clone(), cancel.clone())
    });
    let mut watching = std::pin::pin!(future::join_all(watching));
    let ends = loop {
        tokio::select! {
            ends = &mut watching => break ends,
            Some(event) = received.recv() => drop(sender.send(Message::Watched(request, event))),
        }
    };
    let problems: Vec<String> = ends
        .iter()
        .filter_map(|end| end.as_ref().err())
        .map(|error| describe(error))
        .collect();
    let end = match problems.as_slice() {
        [] => Ok(()),
        problems => Err(problems.join("; ")),
    };
    let _ = sender.send(Message::WatchedEnded(request, end));
}

/// A channel whose events become messages, and the task that sees to it until all were sent.
fn forward(
    sender: &UnboundedSender<Message>,
) -> (UnboundedSender<Event>, tokio::task::JoinHandle<()>) {
    let (events, mut received) = mpsc::unbounded_channel();
    let sender = sender.clone();
    let forwarding = tokio::spawn(async move {
        while let Some(event) = received.recv().await {
            let _ = sender.send(Message::Reported(Box::new(event)));
        }
    });
    (events, forwarding)
}

/// Runs a command with the terminal as its own.
pub(super) async fn run_command(words: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("there is no command to run".to_owned());
    };
    let status = tokio::process::Command::new(program)
        .args(arguments)
        .status()
        .await
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {status}", words.join(" ")))
    }
}

/// Reads or writes the disk away from the loop.
async fn off_the_loop<T: Send + 'static>(reading: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(reading).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and nobody waits for the answer any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// An error with its whole chain of causes, and what to do next.
fn with_hint(error: &dyn std::error::Error, hint: &str) -> String {
    format!("{}\n\nhint: {hint}", describe(error))
}

/// An error with its whole chain of causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = source.source();
    }
    text
}
