//! What the wizard asks of the work room, and the answers as messages. The only file of this room
//! that calls it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::journal::RunId;
use crate::tui::message::{Deed, Message, Outcome, Query, Reply, Watch};
use crate::tui::outside::RunSummary;
use crate::tui::remote::RequestId;
use crate::work::Work;
use crate::work::event::Event;

/// Answers a query.
pub(super) async fn ask(work: Work, request: RequestId, query: Query) -> Message {
    let reply = match query {
        Query::Profiles => Reply::Profiles(off_the_loop(move || work.profiles()).await),
        Query::OpenRuns => Reply::OpenRuns(off_the_loop(move || open_runs(&work)).await),
        Query::SignIn(side, how, code) => {
            let answer = work.sign_in(side, &how, code.as_ref()).await;
            Reply::SignedIn(side, Box::new(answer))
        }
        Query::Tables => Reply::Tables(work.tables().await),
        Query::Table(table) => Reply::Table(Box::new(work.table(&table).await)),
        Query::Buckets => Reply::Buckets(work.buckets().await),
        Query::Bucket(bucket) => Reply::Bucket(Box::new(work.bucket(&bucket).await)),
        Query::Keys(region) => Reply::Keys(work.keys(&region).await),
        Query::Prepare(plan) => {
            let briefing = work.prepare(&plan).await;
            Reply::Prepared(Box::new(briefing.map_err(|error| told(&error))))
        }
    };
    Message::Replied(request, reply)
}

fn open_runs(work: &Work) -> Result<Vec<RunSummary>, String> {
    let runs = work.open_runs().map_err(|error| told(&error))?;
    Ok(runs.into_iter().map(RunSummary::from).collect())
}

/// Does a deed, and tells its end.
pub(super) async fn deed(
    work: Work,
    request: RequestId,
    deed: Deed,
    cancel: CancellationToken,
    sender: UnboundedSender<Message>,
) {
    let outcome = match deed {
        Deed::Start(plan, briefing) => {
            let (events, telling) = tell(&sender);
            let answer = work.start(&plan, &briefing, events, &cancel).await;
            let _ = telling.await;
            match answer {
                Ok(run) => Outcome::Started(run.0),
                Err(error) => Outcome::NotStarted(told(&error)),
            }
        }
        Deed::SavePlan {
            path,
            text,
            may_replace,
        } => off_the_loop(move || save(path, &text, may_replace)).await,
    };
    let _ = sender.send(Message::Done(request, outcome));
}

fn save(path: PathBuf, text: &str, may_replace: bool) -> Outcome {
    match write(&path, text, may_replace) {
        Ok(()) => Outcome::Saved(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Outcome::FileExists(path),
        Err(error) => Outcome::NotSaved(format!("{}: {error}", path.display())),
    }
}

fn write(path: &Path, text: &str, may_replace: bool) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    if may_replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// Follows a run, and tells its end.
pub(super) async fn watch(
    work: Work,
    request: RequestId,
    watch: Watch,
    cancel: CancellationToken,
    sender: UnboundedSender<Message>,
) {
    let (events, telling) = tell(&sender);
    let end = match watch {
        Watch::Follow(run) => {
            let answer = work.follow(RunId(run), events, cancel).await;
            answer.map_err(|error| told(&error))
        }
        Watch::Resume(run) => {
            let answer = work.resume(RunId(run), events, cancel).await;
            answer.map_err(|error| told(&error))
        }
    };
    let _ = telling.await;
    let end = end.and_then(|outcome| {
        for record in &outcome.exports {
            let event = Event::Export(crate::work::ExportProgress::of(record));
            let _ = sender.send(Message::Reported(Box::new(event)));
        }
        if outcome.verdict() == crate::work::Verdict::CutOff {
            Err("the waiting was cut off; something is left to be done".to_owned())
        } else {
            Ok(())
        }
    });
    let _ = sender.send(Message::WatchEnded(request, end));
}

/// A channel whose events become messages, and the task that sees to it until all were told.
fn tell(
    sender: &UnboundedSender<Message>,
) -> (UnboundedSender<Event>, tokio::task::JoinHandle<()>) {
    let (events, mut told) = mpsc::unbounded_channel();
    let sender = sender.clone();
    let telling = tokio::spawn(async move {
        while let Some(event) = told.recv().await {
            let _ = sender.send(Message::Reported(Box::new(event)));
        }
    });
    (events, telling)
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

/// An error with its whole chain of causes.
fn told(error: &dyn std::error::Error) -> String {
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
