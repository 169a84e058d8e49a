//! What every command stands on: the accounts, real or the sandbox's, and the journal that goes
//! with them. Practice and real work never share a journal.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{CommandError, Said};
use super::exit::Exit;
use super::report::finished_object;
use crate::args::Global;
use crate::assess::limits::Limits;
use crate::aws::Environment;
use crate::config::{Config, Guards};
use crate::journal::Journal;
use crate::work::{Finish, FinishCommand, Poll, Settings, Tally, Work};
use tableferry_sandbox::{Faults, Options, Sandbox};

/// Opens the work that the arguments ask for; `on_finish` is what the command line has called at the end.
pub(super) fn open(global: &Global, on_finish: &[OsString]) -> Result<Work, CommandError> {
    let opened = if global.sandbox {
        open_sandbox(global, on_finish)
    } else {
        open_real(global, on_finish)
    };
    opened.map_err(nothing_begun)
}

/// What is done when a run ends: a flag beats the file.
fn finish(file: Finish, on_finish: &[OsString]) -> Finish {
    Finish {
        command: FinishCommand::new(on_finish).or(file.command),
        ..file
    }
}

/// What fails before the work ends as a run of no export does.
fn nothing_begun(error: CommandError) -> CommandError {
    let finished = finished_object(&[], Tally::default(), Exit::Usage);
    error
        .ending(Exit::Usage)
        .followed_by([Said::Object(finished)])
}

fn open_real(global: &Global, on_finish: &[OsString]) -> Result<Work, CommandError> {
    let config = Config::read(global.config.as_deref(), |name| std::env::var_os(name))?;
    let journal = Journal::open_in(&config.state_dir)?;
    let settings = Settings {
        is_sandbox: false,
        poll: config.poll,
        state_dir: Some(config.state_dir),
        finish: finish(config.finish, on_finish),
        ..Settings::default()
    };
    let environment = Environment::from_process().with_timeouts(config.timeouts);
    Ok(guarded(
        environment,
        journal,
        settings,
        global,
        config.guards,
    ))
}

/// The work with what holds the operator back.
fn guarded(
    environment: Environment,
    journal: Journal,
    mut settings: Settings,
    global: &Global,
    guards: Guards,
) -> Work {
    let environment = if global.read_only || guards.is_read_only {
        environment.read_only()
    } else {
        environment
    };
    settings.production = guards.production;
    settings.limits = guards.limits;
    settings.largest_download = guards.largest_download;
    settings.are_local_copies_forbidden = guards.are_local_copies_forbidden;
    Work::new(environment, journal, settings)
}

/// The limits of the configuration, for facts that are judged without an account.
pub(super) fn limits(global: &Global) -> Result<Limits, CommandError> {
    let guards = match (&global.config, global.sandbox) {
        (Some(path), _) => Config::read_guards(path).map(|(guards, _)| guards),
        (None, true) => Ok(Guards::default()),
        (None, false) => {
            Config::read(None, |name| std::env::var_os(name)).map(|config| config.guards)
        }
    };
    Ok(guards.map_err(|error| nothing_begun(error.into()))?.limits)
}

/// The sandbox forgets everything with the process, its journal too, unless a file keeps both. Of
/// the configuration it has the guards alone, and what is done at the end, and only where a file is named.
fn open_sandbox(global: &Global, on_finish: &[OsString]) -> Result<Work, CommandError> {
    let environment = sandbox_environment(global)?;
    let journal = match &global.sandbox_state {
        Some(state) => {
            let mut name = state.as_os_str().to_owned();
            name.push(".journal");
            Journal::open(&PathBuf::from(name))?
        }
        None => Journal::in_memory()?,
    };
    let (guards, configured) = match &global.config {
        Some(path) => Config::read_guards(path)?,
        None => Default::default(),
    };
    let settings = Settings {
        is_sandbox: true,
        poll: sandbox_poll(global.sandbox_job),
        finish: finish(configured, on_finish),
        ..Settings::default()
    };
    Ok(guarded(environment, journal, settings, global, guards))
}

/// The sandbox that the arguments ask for, as the AWS tools' outside.
pub(super) fn sandbox_environment(global: &Global) -> Result<Environment, CommandError> {
    let sandbox = Sandbox::open(options(global, global.sandbox_state.clone()))
        .map_err(|error| CommandError::usage("the sandbox does not start").because(error))?;
    let files = sandbox.profiles(None);
    let http = sandbox.http_client();
    Ok(Environment::in_memory(
        files.config,
        files.credentials,
        http,
    ))
}

pub(super) fn options(global: &Global, state: Option<PathBuf>) -> Options {
    let practice = &global.practice;
    let by_default = Options::default();
    Options {
        faults: Faults {
            of_operations: practice.sandbox_fault.clone(),
            ..Faults::default()
        },
        bulk_tables: practice.sandbox_tables.unwrap_or_default(),
        most_exports: practice
            .sandbox_most_exports
            .unwrap_or(by_default.most_exports),
        state,
        job_length: Duration::from_secs_f64(global.sandbox_job),
        clock_offset: global.clock_offset.clone().unwrap_or_default(),
        partition: global.sandbox_partition,
        ..by_default
    }
}

/// Jobs are scaled from minutes to seconds in the sandbox, and so is the asking after them.
fn sandbox_poll(job_seconds: f64) -> Poll {
    let first = Duration::from_secs_f64((job_seconds / 20.0).clamp(0.02, 1.0));
    Poll {
        first,
        longest: first * 4,
        spacing: first / 12,
        ..Poll::default()
    }
}
