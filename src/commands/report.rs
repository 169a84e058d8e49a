//! What a run prints while it goes on: words for people, or one JSON object a line for programs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytesize::ByteSize;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::control_echo::NoControlEcho;
use super::error::{CommandError, Problem, Said};
use super::exit::Exit;
use super::output::{self, print_error};
use crate::args::Output;
use crate::aws::dynamodb::ExportStatus;
use crate::journal::{Operation, RunId, Stage, Verified};
use crate::sanitize::sanitize;
use crate::work::event::ProgressStage;
use crate::work::history::export_uri;
use crate::work::{Event, Finish, OperationProgress, StartSummary, Tally, Verification};

/// The version of the JSON of what starts, follows and lists exports.
const SCHEMA: u32 = 1;

/// How many exports are told one by one before a start; of more, how many there are is told.
const MOST_LINES: usize = 20;

/// Prints the events of one or several runs.
pub(super) struct Report {
    output: Output,
    bar: RefCell<Option<ProgressBar>>,
    /// Held while there is a bar.
    no_echo: RefCell<Option<NoControlEcho>>,
    /// The last line printed for each export, so that a line says something new.
    said: RefCell<BTreeMap<(RunId, usize), String>>,
    /// Exports of which it was said that they ended.
    ended: Cell<u64>,
    /// What the last line will hold.
    exports: RefCell<Vec<Value>>,
    /// Whether something that was followed has ended.
    has_ended: Cell<bool>,
    /// Whether a line could not be written, although its reader is still there.
    is_lost: Cell<bool>,
    /// Whether lines go to standard error, since standard output holds something else.
    is_stderr: bool,
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            bar: RefCell::new(None),
            no_echo: RefCell::new(None),
            said: RefCell::default(),
            ended: Cell::new(0),
            exports: RefCell::default(),
            has_ended: Cell::new(false),
            is_lost: Cell::new(false),
            is_stderr: false,
        }
    }

    /// Words for people on standard error, beside what the command writes to standard output.
    pub(super) fn stderr() -> Self {
        Self {
            is_stderr: true,
            ..Self::new(Output::Text)
        }
    }

    /// A line on standard output that people read.
    pub(super) fn line(&self, text: &str) {
        if self.output == Output::Text {
            // A line is one line, whatever stands in it.
            let text = sanitize(text);
            match &*self.bar.borrow() {
                Some(bar) => bar.suspend(|| self.print(&text)),
                None => self.print(&text),
            }
        }
    }

    /// Prints a line; a full disk is told once, and is no reason to stop following an export.
    fn print(&self, text: &str) {
        if self.is_stderr {
            print_error(text);
        } else {
            self.note_loss(output::write_words(text));
        }
    }

    fn note_loss(&self, written: io::Result<()>) {
        if let Err(error) = written
            && !self.is_lost.replace(true)
        {
            print_error(&format!(
                "error: standard output cannot be written: {error}\n  hint: what was done stands in the journal: `tableferry exports`"
            ));
        }
    }

    /// The exit status of a command that did its work: nothing is done whose result was not told.
    pub(super) fn exit(&self, exit: Exit) -> Exit {
        match exit {
            Exit::Done if self.is_lost.get() => Exit::Undecided,
            exit => exit,
        }
    }

    /// A JSON object on standard output that programs read.
    pub(super) fn object(&self, value: &Value) {
        if self.output == Output::Json {
            self.note_loss(output::write_value(value));
        }
    }

    /// Prints why a command, or a part of it, was not done, and gives the exit status.
    pub(super) fn settle(&self, ended: Result<Exit, CommandError>) -> Exit {
        ended.unwrap_or_else(|error| {
            self.error(&error);
            error.exit()
        })
    }

    /// Prints what a person is told of an error, with what belongs behind it.
    pub(super) fn error(&self, error: &CommandError) {
        for problem in error.problems() {
            self.problem(problem);
        }
        self.say(error.follow_up());
    }

    /// Prints lines and objects in their order.
    pub(super) fn say(&self, said: &[Said]) {
        for said in said {
            match said {
                Said::Line(text) => self.line(text),
                Said::Object(value) => self.object(value),
                Said::Usage(text) => print_error(text),
            }
        }
    }

    /// A problem with what to do next: on standard error for people, an object for programs.
    pub(super) fn problem(&self, problem: &Problem) {
        match self.output {
            Output::Json => {
                let mut object = json!({
                    "event": "error",
                    "message": problem.to_string(),
                    "hint": problem.hint_text(),
                });
                if let Some(id) = problem.request_id() {
                    object["request_id"] = json!(id);
                }
                self.object(&object);
            }
            Output::Text => {
                let print = || {
                    print_error(&format!("error: {}", sanitize(&problem.to_string())));
                    if let Some(hint) = problem.hint_text() {
                        print_error(&format!("  hint: {}", sanitize(hint)));
                    }
                };
                match &*self.bar.borrow() {
                    Some(bar) => bar.suspend(print),
                    None => print(),
                }
            }
        }
    }

    pub(super) fn start_summary(&self, summary: &StartSummary) {
        for line in summary.lines.iter().take(MOST_LINES) {
            self.line(&format!("will {line}"));
        }
        if let Some(more @ 1..) = summary.lines.len().checked_sub(MOST_LINES) {
            self.line(&format!(
                "will do the same for {more} more; --output json lists all"
            ));
        }
        for line in &summary.estimate {
            self.line(&format!("estimate: {line}"));
        }
        for warning in &summary.warnings {
            self.line(&format!("warning: {warning}"));
        }
        self.object(&json!({
            "event": "start_summary",
            "lines": summary.lines,
            "estimate": summary.estimate,
            "warnings": summary.warnings,
        }));
    }

    /// From here on a bar moves at the bottom of a terminal.
    pub(super) fn start_bar(&self, exports: usize) {
        if self.output != Output::Text || !output::is_terminal() {
            return;
        }
        let bar = ProgressBar::new(u64::try_from(exports).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template(
            "{spinner} [{bar:24}] {pos} of {len} ended, {elapsed} {wide_msg}",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        self.show(bar);
    }

    /// From here on a bar of bytes moves at the bottom of a terminal, with rate and time left.
    pub(super) fn start_bytes_bar(&self, bytes: u64) {
        if self.output != Output::Text || !output::is_terminal() {
            return;
        }
        let bar = ProgressBar::new(bytes);
        if let Ok(style) = ProgressStyle::with_template(
            "{spinner} [{bar:24}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        self.show(bar);
    }

    /// How many bytes of it are done.
    pub(super) fn set_bytes(&self, bytes: u64) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_position(bytes);
        }
    }

    /// From here on a table moves at the bottom of a terminal.
    pub(super) fn start_table(&self) {
        if self.output != Output::Text || !output::is_terminal() {
            return;
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        self.show(bar);
    }

    /// Draws the table anew, in as many rows and columns as there are.
    pub(super) fn set_table(&self, lines: impl FnOnce(usize, usize) -> Vec<String>) {
        if let Some(bar) = &*self.bar.borrow() {
            let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
            let lines = lines(usize::from(rows), usize::from(columns.saturating_sub(1)));
            let lines: Vec<_> = lines.iter().map(|line| sanitize(line)).collect();
            bar.set_message(lines.join("\n"));
        }
    }

    fn show(&self, bar: ProgressBar) {
        let mut no_echo = self.no_echo.borrow_mut();
        no_echo.get_or_insert_with(NoControlEcho::on_terminal);
        self.bar.replace(Some(bar));
    }

    pub(super) fn stop_bar(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        drop(self.no_echo.take());
    }

    /// Something happened in a run.
    pub(super) fn event(&self, run: RunId, event: &Event) {
        match event {
            Event::Operation(progress) => self.progress(run, progress),
            other => self.happened(other),
        }
    }

    /// Something happened that concerns no export.
    pub(super) fn happened(&self, event: &Event) {
        match event {
            Event::Identified { side, identity } => {
                self.line(&format!(
                    "{side:<11} account {}  {}",
                    identity.account, identity.arn
                ));
                self.object(&json!({
                    "event": "identity",
                    "side": side.to_string(),
                    "account": identity.account,
                    "arn": identity.arn,
                }));
            }
            Event::Journalled { run } => {
                self.line(&format!("run {run} is in the journal"));
                self.object(&json!({"event": "run", "run": run.0}));
            }
            Event::Noted { message } => {
                self.line(&format!("note: {message}"));
                self.object(&json!({"event": "note", "message": message}));
            }
            // Belongs to a run, and is told with its number.
            Event::Operation(_) => {}
        }
    }

    fn progress(&self, run: RunId, progress: &OperationProgress) {
        self.object(&progress_object(run, progress));
        let line = progress_line(progress);
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_message(sanitize(&seen(progress)).into_owned());
        }
        let before = self
            .said
            .borrow_mut()
            .insert((run, progress.index), line.clone());
        if before.as_ref() == Some(&line) {
            return;
        }
        if has_ended(progress) {
            self.ended.set(self.ended.get() + 1);
        }
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_position(self.ended.get());
        }
        self.line(&line);
    }

    /// Keeps how a run's exports ended, or stand, for the last line.
    pub(super) fn keep(&self, operations: &[Operation]) {
        let exports = operations.iter().map(export_object);
        self.exports.borrow_mut().extend(exports);
    }

    /// Keeps objects on exports for the last line.
    pub(super) fn keep_objects(&self, exports: impl Iterator<Item = Value>) {
        self.exports.borrow_mut().extend(exports);
    }

    /// Something that was followed has ended: the one who left the terminal alone is to hear of it.
    pub(super) fn note_end(&self) {
        self.has_ended.set(true);
    }

    /// Rings and notifies on a terminal where something that was followed has ended. Standard output is left
    /// alone where programs read it.
    pub(super) fn signal_end(&self, exit: Exit, finish: &Finish) {
        if !self.has_ended.get() {
            return;
        }
        let notification = finish.has_notification.then(|| {
            format!(
                "tableferry: {}",
                match exit {
                    Exit::Done => "done and verified",
                    Exit::Undecided => "done, but not verified",
                    Exit::Failed => "failed",
                    Exit::CutOff => "cut off",
                    Exit::Usage | Exit::Refused => "refused",
                }
            )
        });
        let is_out_free = self.output == Output::Text;
        output::signal_end(finish.has_bell, notification.as_deref(), is_out_free);
    }

    /// The last line: every export of every run that was kept, and how many this process started.
    pub(super) fn finish(&self, tally: Tally, exit: Exit) {
        self.stop_bar();
        self.object(&finished_object(&self.exports.borrow(), tally, exit));
    }
}

/// The last line of a command that starts or follows exports.
pub(super) fn finished_object(exports: &[Value], tally: Tally, exit: Exit) -> Value {
    json!({
        "event": "finished",
        "schema": SCHEMA,
        "exit": exit as u8,
        "exports": exports,
        "started": tally.started,
        "maybe_started": tally.maybe_started,
    })
}

fn has_ended(progress: &OperationProgress) -> bool {
    match progress.stage {
        ProgressStage::Refused
        | ProgressStage::NotStarted
        | ProgressStage::Running(ExportStatus::Failed) => true,
        ProgressStage::Running(ExportStatus::Completed) => progress.verification.is_some(),
        _ => false,
    }
}

fn seen(progress: &OperationProgress) -> String {
    match (progress.files_seen, progress.bytes_seen) {
        (Some(files), Some(bytes)) => {
            let files = counted(files, "file");
            format!("{}: {files}, {}", progress.name, ByteSize(bytes))
        }
        _ => progress.name.clone(),
    }
}

/// One line on an export's state; equal lines say nothing new.
pub(super) fn progress_line(progress: &OperationProgress) -> String {
    let table = &progress.name;
    let code = progress.failure_code.as_deref().unwrap_or("no code");
    let message = progress.failure_message.as_deref().unwrap_or("no message");
    match &progress.stage {
        ProgressStage::Planned => format!("{table}: not started"),
        ProgressStage::Calling => format!("{table}: called, and no answer yet"),
        ProgressStage::Refused => format!("{table}: refused: {code}: {message}"),
        ProgressStage::NotStarted => format!("{table}: settled as not started"),
        ProgressStage::Running(ExportStatus::InProgress) => match progress.to_write {
            Some(items) => format!(
                "{table}: {} of {items} items written",
                progress.item_count.unwrap_or(0)
            ),
            None => format!(
                "{table}: in progress, {}",
                progress.arn.as_deref().unwrap_or("")
            ),
        },
        ProgressStage::Running(ExportStatus::Failed) => {
            format!("{table}: failed: {code}: {message}")
        }
        ProgressStage::Running(ExportStatus::Completed) => {
            let items = progress
                .item_count
                .map_or_else(String::new, |items| format!(", {}", counted(items, "item")));
            format!("{table}: completed{items}{}", verification_words(progress))
        }
    }
}

/// How the verification of a completed export stands, as of when it was made.
fn verification_words(progress: &OperationProgress) -> String {
    let outcome = match &progress.verification {
        None => return "; verifying".to_owned(),
        Some(Verification::Verified { files, bytes, .. }) => format!(
            ", verified: {}, {}, counts add up",
            counted(*files, "file"),
            ByteSize(*bytes)
        ),
        Some(Verification::Wrong { findings }) => {
            format!(", but does not verify: {}", findings.join("; "))
        }
        Some(Verification::Unknown { reason }) => format!(", unverified: {reason}"),
    };
    let remarks = match progress.remarks.as_slice() {
        [] => String::new(),
        remarks => format!("; besides: {}", remarks.join("; ")),
    };
    format!("{outcome}, {}{remarks}", as_of(progress.verified_at))
}

/// A count with its noun, in the right number.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// When files were looked at.
pub(super) fn as_of(at: Option<Timestamp>) -> String {
    match at {
        Some(at) => format!("as of {at:.0}"),
        None => "as of a time that is not in the journal".to_owned(),
    }
}

fn progress_object(run: RunId, progress: &OperationProgress) -> Value {
    let status = match progress.stage {
        ProgressStage::Planned => "PLANNED",
        ProgressStage::Calling => "CALLING",
        ProgressStage::Refused => "REFUSED",
        ProgressStage::NotStarted => "NOT_STARTED",
        ProgressStage::Running(status) => status.as_str(),
    };
    let verified = progress.verification.as_ref().map(|found| match found {
        Verification::Verified { .. } => json!(true),
        Verification::Wrong { .. } => json!(false),
        Verification::Unknown { .. } => json!("unknown"),
    });
    json!({
        "event": progress.kind,
        "run": run.0,
        "table": progress.name,
        "table_arn": progress.subject,
        arn_key(&progress.kind): progress.arn,
        "status": status,
        "started_at": progress.started_at,
        "ended_at": progress.ended_at,
        "failure_code": progress.failure_code,
        "failure_message": progress.failure_message,
        "item_count": progress.item_count,
        "files_seen": progress.files_seen,
        "bytes_seen": progress.bytes_seen,
        "verified": verified,
        "verification": verification_text(progress),
        "verified_at": progress.verified_at,
        "remarks": progress.remarks,
    })
}

/// The member that has an operation's ARN.
fn arn_key(kind: &str) -> String {
    format!("{kind}_arn")
}

/// Why an export does not verify, or why that is not known.
fn verification_text(progress: &OperationProgress) -> Option<String> {
    match progress.verification.as_ref()? {
        Verification::Verified { .. } => None,
        Verification::Wrong { findings } => Some(findings.join("; ")),
        Verification::Unknown { reason } => Some(reason.clone()),
    }
}

/// An export as the last line of a run's output shows it.
pub(super) fn export_object(export: &Operation) -> Value {
    let verified = match (export.stage, export.verified) {
        (Stage::Completed, Some(Verified::Yes)) => json!(true),
        (Stage::Completed, Some(Verified::No)) => json!(false),
        _ => json!("unknown"),
    };
    let record = export.to_export();
    let request = record.as_ref().map(|record| &record.request);
    let (bucket, prefix) = (
        request.map(|request| &request.bucket),
        request.and_then(|request| request.prefix.as_ref()),
    );
    let result = record.as_ref().map(|record| record.result.clone());
    let mut result = result.unwrap_or_default();
    result.item_count = OperationProgress::of(export).item_count;
    json!({
        "kind": export.kind,
        "table": export.name(),
        "table_arn": export.subject,
        "account": export.account,
        "bucket": bucket,
        "prefix": prefix,
        "started_at": export.started_at,
        "ended_at": export.ended_at,
        arn_key(&export.kind): export.arn,
        "status": export.stage.as_str(),
        "failure_code": export.failure_code,
        "failure_message": export.failure_message,
        "failure_request_id": export.failure_request_id,
        "item_count": result.item_count,
        "billed_size_bytes": result.billed_size_bytes,
        "manifest": result.manifest,
        "uri": export_uri(export),
        "verified": verified,
        "verified_at": export.verified_at,
        "remarks": export.remarks,
        "settled_by": export.settled.as_ref().map(|(by, _)| by),
        "settled_at": export.settled.as_ref().map(|(_, at)| at),
    })
}
