//! `tableferry watch`: exports in several accounts and Regions, live, also those started elsewhere.
//!
//! It decides which accounts are asked, and by which profile. What the journal has under way is gone on with and
//! verified; exports that another machine started are only looked at, since their requests are not known here.

mod scope;
mod table;
mod words;

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;

use self::scope::{ScopeKind, WatchScope};
use self::table::LiveTable;
use super::Exit;
use super::error::CommandError;
use super::follow::{end, tell_finish};
use super::report::Report;
use crate::args::WatchArgs;
use crate::journal::Stage;
use crate::work::watch::{WatchEvent, WatchedExport};
use crate::work::{FinishFacts, RunStatus, Work};

/// How often the live table is drawn.
const TICK: Duration = Duration::from_millis(500);

/// Follows what the arguments name until all of it has ended.
pub(super) async fn watch(
    work: &Work,
    args: &WatchArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let (scopes, exit) = scope::scopes(work, args, cancel, report).await?;
    if !scopes.is_empty() {
        return Ok(exit.worse(watch_all(&scopes, cancel, report).await));
    }
    if exit == Exit::Done {
        report.line("nothing is under way");
    }
    Ok(exit)
}

/// Watches all scopes at once.
async fn watch_all(scopes: &[WatchScope], cancel: &CancellationToken, report: &Report) -> Exit {
    let (sender, events) = mpsc::unbounded_channel();
    let telling = Telling {
        table: RefCell::new(LiveTable::default()),
        report,
    };
    report.start_table();
    let watching = scopes
        .iter()
        .map(|scope| watch_one(scope, sender.clone(), cancel, report));
    let watching = future::join_all(watching);
    let exits = telling.until(watching, events).await;
    report.stop_bar();
    exits.into_iter().reduce(Exit::worse).unwrap_or(Exit::Done)
}

/// Watches one run, or one account in one Region.
async fn watch_one(
    scope: &WatchScope,
    events: mpsc::UnboundedSender<WatchEvent>,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let ended = match &scope.kind {
        ScopeKind::Run(run) => {
            let followed = scope.work.watch_run(*run, events, cancel.clone()).await;
            end(&scope.work, *run, followed, None, cancel, report).await
        }
        ScopeKind::Account(which) => {
            let watched = scope
                .work
                .watch_account(which.clone(), events, cancel.clone())
                .await;
            match watched {
                Ok(exports) => Ok(end_account(&scope.work, &exports, cancel, report).await),
                Err(error) => Err(CommandError::not_watched(&error, which)),
            }
        }
    };
    report.settle(ended)
}

/// Says what is left to be done about the exports of an account, and how they ended.
async fn end_account(
    work: &Work,
    exports: &[WatchedExport],
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let now = Timestamp::now();
    report.keep_objects(exports.iter().map(|export| words::object(export, now)));
    let mut is_complete = false;
    let mut is_left = false;
    let exit = exports.iter().map(|export| match export.stage {
        _ if export.unknown.is_some() => Exit::Undecided,
        Stage::Completed => {
            is_complete = true;
            Exit::Done
        }
        Stage::Failed => Exit::Failed,
        _ => {
            is_left = true;
            Exit::CutOff
        }
    });
    let exit = exit.reduce(Exit::worse).unwrap_or(Exit::Done);
    if is_complete {
        report.line(
            "next: `tableferry verify ARN --deep` reads every byte, `tableferry fetch ARN DIRECTORY` brings \
             the files here",
        );
    }
    if is_left {
        report.line("exports go on without us; `tableferry watch` with the same arguments follows them again");
    } else if !exports.is_empty() {
        report.note_end();
        let called = work.finish_watch(&facts(exports, exit), cancel).await;
        tell_finish(called, report);
    }
    exit
}

/// What the program that is called at the end is told of exports that are in no run.
fn facts(exports: &[WatchedExport], exit: Exit) -> FinishFacts {
    let count = |stage| {
        let stages = exports.iter().map(|export| export.stage);
        stages.filter(|found| *found == stage).count()
    };
    FinishFacts {
        run: None,
        status: match exit {
            Exit::Failed => RunStatus::Failed,
            // Nobody verified what is complete.
            _ => RunStatus::Undecided,
        },
        destination: None,
        operations: exports.len(),
        completed: count(Stage::Completed),
        failed: count(Stage::Failed),
        verified: 0,
    }
}

/// Tells what happens while exports are watched.
struct Telling<'a> {
    table: RefCell<LiveTable>,
    report: &'a Report,
}

impl Telling<'_> {
    /// Hands on what happens until the watching ends, to the last event.
    async fn until<T>(
        &self,
        watching: impl Future<Output = T>,
        mut events: UnboundedReceiver<WatchEvent>,
    ) -> T {
        let mut watching = std::pin::pin!(watching);
        let mut tick = tokio::time::interval(TICK);
        let outcome = loop {
            tokio::select! {
                outcome = &mut watching => break outcome,
                Some(event) = events.recv() => self.tell(event),
                _ = tick.tick() => {
                    let table = self.table.borrow();
                    self.report.set_table(|rows, columns| table.lines(rows, columns, Timestamp::now()));
                }
            }
        };
        while let Ok(event) = events.try_recv() {
            self.tell(event);
        }
        outcome
    }

    fn tell(&self, event: WatchEvent) {
        match event {
            WatchEvent::Noted { message } => {
                self.report.line(&format!("note: {message}"));
                let object = serde_json::json!({"event": "note", "message": message});
                self.report.object(&object);
            }
            WatchEvent::Export(export) => {
                self.report.object(&event_object(&export));
                let mut table = self.table.borrow_mut();
                for line in table.take(*export) {
                    self.report.line(&line);
                }
            }
        }
    }
}

fn event_object(export: &WatchedExport) -> Value {
    let mut object = words::object(export, Timestamp::now());
    if let Some(fields) = object.as_object_mut() {
        fields.insert("event".to_owned(), "export".into());
    }
    object
}
