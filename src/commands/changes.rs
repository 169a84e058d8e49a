//! `tableferry changes PLAN`: who changed the policies and settings that the plan's job depends on.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::error::CommandError;
use super::facts_file::read_facts_file;
use super::output;
use super::plan_file::read_plan;
use super::report::Report;
use super::survey::assess;
use crate::args::{ChangesArgs, Output};
use crate::assess::facts::Facts;
use crate::diagnosis::changes::words::{SCHEMA, describe, to_json};
use crate::diagnosis::changes::{
    ChangeHistory, RecordedChange, last_success, read_changes, watched_resources,
};
use crate::job::Plan;
use crate::regular_file;
use crate::work::{ControlDocuments, ReadHistory, Work};

/// Asks CloudTrail, with what files tell besides.
pub(super) async fn changes(
    work: &Work,
    args: &ChangesArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let recorded = read_files(args)?;
    let controls = ControlDocuments::default();
    let assessed = assess(work, &plan, &controls, cancel, report).await?;
    let since = args.since.from(Timestamp::now());
    let facts = &assessed.assessment.facts;
    let plan = &assessed.assessment.plan;
    let reading = work.change_history(plan, facts, since, recorded);
    let read = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(CommandError::cut_off()),
        read = reading => read,
    };
    tell(args, &read, since)
}

/// Reads files alone; nobody signs in.
pub(super) fn changes_files(args: &ChangesArgs, report: &Report) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let (plan, facts) = match &args.facts.file {
        Some(_) => {
            let (plan, facts) = read_facts_file(&args.facts, &plan, report)?;
            (plan, Some(facts))
        }
        None => (plan, None),
    };
    let recorded = read_files(args)?;
    let since = args.since.from(Timestamp::now());
    let read = ReadHistory {
        history: history_of(&plan, facts.as_ref(), recorded),
        not_read: Vec::new(),
    };
    tell(args, &read, since)
}

fn history_of(plan: &Plan, facts: Option<&Facts>, recorded: Vec<RecordedChange>) -> ChangeHistory {
    let success = facts.and_then(|facts| last_success(plan, facts));
    ChangeHistory::of(recorded, &watched_resources(plan, facts), success)
}

fn read_files(args: &ChangesArgs) -> Result<Vec<RecordedChange>, CommandError> {
    let mut recorded = Vec::new();
    for path in &args.events {
        recorded.extend(read_file(path).map_err(|error| {
            CommandError::usage(format!("cannot read {}", path.display()))
                .because(error)
                .hint(
                    "name a file that CloudTrail or S3 wrote, or what `aws cloudtrail lookup-events` \
                     printed",
                )
        })?);
    }
    Ok(recorded)
}

fn read_file(path: &Path) -> std::io::Result<Vec<RecordedChange>> {
    Ok(read_changes(regular_file::open(path)?)?.changes)
}

/// Prints the changes since a time, the newest first, and what was not read. 5 where something was not.
fn tell(args: &ChangesArgs, read: &ReadHistory, since: Timestamp) -> Result<Exit, CommandError> {
    let entries: Vec<_> = read
        .history
        .entries
        .iter()
        .filter(|entry| entry.change.at >= since)
        .filter(|entry| !args.done || entry.change.refusal.is_none())
        .collect();
    let written = match args.output.output {
        Output::Json => output::write_value(&json!({
            "schema": SCHEMA,
            "since": since,
            "last_success": read.history.last_success,
            "changes": entries.iter().map(|entry| to_json(entry)).collect::<Vec<_>>(),
            "not_read": read.not_read,
        })),
        Output::Text => write_words(read, &entries, since),
    };
    written.map_err(|error| CommandError::unwritten("the changes", error))?;
    Ok(if read.not_read.is_empty() {
        Exit::Done
    } else {
        Exit::Undecided
    })
}

fn write_words(
    read: &ReadHistory,
    entries: &[&crate::diagnosis::changes::history::ChangeEntry],
    since: Timestamp,
) -> std::io::Result<()> {
    let mut out = output::words();
    for entry in entries {
        writeln!(out, "{}", describe(entry).trim_end())?;
    }
    let success = match read.history.last_success {
        Some(at) => format!("the last success was at {at}"),
        None => "no success is known".to_owned(),
    };
    let count = match entries.len() {
        0 => "no change".to_owned(),
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    };
    writeln!(out, "{count} since {since:.0}; {success}")?;
    for problem in &read.not_read {
        writeln!(out, "not read: {problem}")?;
    }
    out.flush()
}
