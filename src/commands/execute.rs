//! How every command begins and ends: what it stands on is opened, it is done, why it was not is printed
//! once, and a last line for programs closes its output.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::pin::Pin;

use serde_json::json;

use super::cut_off::cut_off_token;
use super::error::CommandError;
use super::exit::Exit;
use super::open::{limits, open};
use super::report::Report;
use super::{
    apply, archive_words, archives, athena, audit_report, changes, check, config, doctor, explain,
    export, exports, fetch, history, import, inventory, lint, load, man, mask, output, policies,
    profiles, resume, retry, run, sandbox, simulate, survey, undo, verify, watch, wizard,
};
use crate::args::{Args, Command, Global, InventoryCommand, Output, PolicyCommand, SandboxCommand};
use crate::work::Work;

/// Does what the command line asks for, or says why it was not done.
pub fn execute(args: Result<Args, clap::Error>) -> Exit {
    let Args {
        global,
        plan,
        command,
    } = match args {
        Ok(args) => args,
        Err(error) => return Report::stderr().settle(Err(error.into())),
    };
    let report = report_of(command.as_ref());
    if let Some(command) = &command
        && let Some(done) = offline(command, &global, &report)
    {
        return report.exit(report.settle(done));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return report.settle(Err(error.into())),
    };
    let exit = runtime.block_on(on_runtime(command, plan, &global, &report));
    // A question left open on the terminal must not keep the process.
    runtime.shutdown_background();
    exit
}

/// Where a command's words go: to standard error where standard output holds something else.
fn report_of(command: Option<&Command>) -> Report {
    match command {
        Some(Command::Check(check)) => check::report(check),
        Some(
            Command::Survey(_)
            | Command::Policies(_)
            | Command::Explain(_)
            | Command::Changes(_)
            | Command::Athena(_)
            | Command::Report(_)
            | Command::Inventory(InventoryCommand::Show(_)),
        ) => Report::stderr(),
        command => Report::new(command.map_or(Output::Text, Command::output)),
    }
}

/// Commands that need no account are answered at once; `None` for the others.
fn offline(
    command: &Command,
    global: &Global,
    report: &Report,
) -> Option<Result<Exit, CommandError>> {
    Some(match command {
        Command::Completions { shell } => {
            // Into memory first: the generator panics where it cannot write.
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Args::definition(), "tableferry", &mut text);
            print(&text)
        }
        Command::Man { dir } => man::man(dir.as_deref()),
        Command::Simulate { file } => simulate::run(file.as_deref(), output::json()),
        Command::Explain(explain) if !explain.needs_work() => explain::run(explain, global, report),
        Command::Policy(PolicyCommand::Lint { file, kind }) => {
            lint::run(file, *kind, output::words())
        }
        Command::Changes(changes) if !changes.events.is_empty() && !changes.live => {
            changes::changes_files(changes, report)
        }
        Command::Inventory(InventoryCommand::Show(show)) => {
            inventory::show_configuration(show, report)
        }
        Command::Config(args) => config::config(args, global, report),
        // Facts in a file are judged without an account.
        Command::Check(check) if check.facts.file.is_some() => {
            limits(global).and_then(|limits| check::check_file(check, &limits, report))
        }
        Command::Policies(policies) if policies.facts.file.is_some() => {
            limits(global).and_then(|limits| policies::policies_file(policies, &limits, report))
        }
        _ => return None,
    })
}

fn print(text: &[u8]) -> Result<Exit, CommandError> {
    let mut out = output::words();
    out.write_all(text)?;
    out.flush()?;
    Ok(Exit::Done)
}

async fn on_runtime(
    command: Option<Command>,
    plan: Option<PathBuf>,
    global: &Global,
    report: &Report,
) -> Exit {
    let ended = match command {
        // It looks at what the others open.
        Some(Command::Doctor(args)) => doctor::doctor(&args, global).await,
        Some(Command::Sandbox(SandboxCommand::Serve {
            port,
            state,
            items,
            write_files,
        })) => sandbox::serve(global, port, (state, items), write_files).await,
        Some(command) => match open(global, command.on_finish()) {
            Ok(work) => return on_accounts(&work, &command).await,
            Err(error) => Err(error),
        },
        None if !(std::io::stdin().is_terminal() && output::is_terminal()) => {
            Err(CommandError::usage("the wizard needs a terminal")
                .hint("without one, `tableferry run PLAN --yes` runs a plan"))
        }
        None => wizard::wizard(global, plan).await,
    };
    report.settle(ended)
}

/// Does a command that needs the accounts or the journal, to its last line.
pub async fn on_accounts(work: &Work, command: &Command) -> Exit {
    let report = report_of(Some(command));
    let exit = report.settle(done(work, command, &report).await);
    let schema = match command {
        Command::Run(_)
        | Command::Retry(_)
        | Command::Export(_)
        | Command::Resume(_)
        | Command::Exports(_)
        | Command::Watch(_)
        | Command::Import(_)
        | Command::Load(_)
        | Command::Replay(_) => {
            report.finish(work.tally(), exit);
            None
        }
        Command::Verify(_) | Command::Fetch(_) | Command::Mask(_) => Some(archive_words::SCHEMA),
        Command::History(_) => Some(history::SCHEMA),
        Command::Archives(_) => Some(archives::SCHEMA),
        _ => None,
    };
    if let Some(schema) = schema {
        report.object(&json!({"event": "finished", "schema": schema, "exit": exit as u8}));
    }
    report.signal_end(exit, &work.settings().finish);
    report.exit(exit)
}

async fn done(work: &Work, command: &Command, report: &Report) -> Result<Exit, CommandError> {
    // Those that wait for nothing end where a signal finds them.
    match command {
        Command::History(args) => return history::history(work, args, report).await,
        Command::Report(args) => return audit_report::audit_report(work, args),
        Command::Profiles(_) => return profiles::profiles(work, report),
        _ => {}
    }
    let cancel = &cut_off_token()?;
    match command {
        Command::Run(args) => boxed(|| run::run(work, args, cancel, report)).await,
        Command::Retry(args) => boxed(|| retry::retry(work, args, cancel, report)).await,
        Command::Export(args) => boxed(|| export::export(work, args, cancel, report)).await,
        Command::Check(args) => boxed(|| check::check(work, args, cancel, report)).await,
        Command::Policies(args) => boxed(|| policies::policies(work, args, cancel, report)).await,
        Command::Survey(args) => boxed(|| survey::survey(work, args, cancel, report)).await,
        Command::Apply(args) => boxed(|| apply::apply(work, args, cancel, report)).await,
        Command::Undo(args) => boxed(|| undo::undo(work, args, cancel, report)).await,
        Command::Resume(args) => boxed(|| resume::resume(work, args, cancel, report)).await,
        Command::Exports(args) => boxed(|| exports::exports(work, args, cancel, report)).await,
        Command::Watch(args) => boxed(|| watch::watch(work, args, cancel, report)).await,
        Command::Verify(args) => boxed(|| verify::verify(work, args, cancel, report)).await,
        Command::Explain(args) => boxed(|| explain::explain_live(work, args, cancel, report)).await,
        Command::Changes(args) => boxed(|| changes::changes(work, args, cancel, report)).await,
        Command::Archives(args) => boxed(|| archives::archives(work, args, cancel, report)).await,
        Command::Athena(args) => boxed(|| athena::athena(work, args, cancel, report)).await,
        Command::Fetch(args) => boxed(|| fetch::fetch(work, args, cancel, report)).await,
        Command::Mask(args) => boxed(|| mask::mask(work, args, cancel, report)).await,
        Command::Import(args) => boxed(|| import::import(work, args, cancel, report)).await,
        Command::Load(args) => boxed(|| load::load(work, args, cancel, report)).await,
        Command::Replay(args) => boxed(|| load::replay(work, args, cancel, report)).await,
        Command::Inventory(command) => {
            boxed(|| inventory::inventory(work, command, cancel, report)).await
        }
        // Answered above, or before the accounts were opened.
        Command::History(_)
        | Command::Report(_)
        | Command::Profiles(_)
        | Command::Config(_)
        | Command::Doctor(_)
        | Command::Simulate { .. }
        | Command::Policy(_)
        | Command::Sandbox(_)
        | Command::Completions { .. }
        | Command::Man { .. } => Ok(Exit::Done),
    }
}

/// The future of a command on the heap, made in a frame of its own: those of all commands together would
/// take megabytes of the stack.
fn boxed<'a, F: Future + 'a>(
    make: impl FnOnce() -> F,
) -> Pin<Box<dyn Future<Output = F::Output> + 'a>> {
    Box::pin(make())
}
