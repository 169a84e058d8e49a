//! The files that a command reads and keeps: where they are, and who else may read or write them.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finding::{Finding, State};
use crate::args::Global;
use crate::aws::Environment;
use crate::commands::open;
use crate::config::Config;
use crate::journal::{Journal, JournalHealth};
use crate::tui;

const FILES: &str = "files";
const JOURNAL: &str = "journal";

/// Where a command would find what it stands on.
pub(super) struct Places {
    pub(super) environment: Environment,
    /// The journal's file; none in a sandbox without a state file, or where the configuration is wrong.
    journal: Option<PathBuf>,
    /// What was found on the way.
    pub(super) findings: Vec<Finding>,
}

impl Places {
    pub(super) fn of(global: &Global) -> Self {
        if global.sandbox {
            return Self::of_sandbox(global);
        }
        let config = Config::read(global.config.as_deref(), |name| std::env::var_os(name));
        let environment = Environment::from_process();
        match config {
            Ok(config) => {
                let mut findings = vec![if config.is_file_present() {
                    file(&config.path, 0o022)
                } else {
                    let words = "not there: the defaults hold";
                    Finding::right(FILES, config.path.display().to_string(), words)
                }];
                findings.push(if config.state_dir.exists() {
                    file(&config.state_dir, 0o077)
                } else {
                    let words = "not there yet: the first command makes it";
                    Finding::right(FILES, config.state_dir.display().to_string(), words)
                });
                Self {
                    environment: environment.with_timeouts(config.timeouts),
                    journal: Some(config.state_dir.join("journal.db")),
                    findings,
                }
            }
            Err(error) => {
                let hint = error.hint();
                let wrong = Finding::new(FILES, State::Wrong, "configuration", error.to_string());
                Self {
                    environment,
                    journal: None,
                    findings: vec![wrong.hint(hint)],
                }
            }
        }
    }

    fn of_sandbox(global: &Global) -> Self {
        let journal = global.sandbox_state.as_ref().map(|state| {
            let mut name = state.as_os_str().to_owned();
            name.push(".journal");
            PathBuf::from(name)
        });
        let kept = match &global.sandbox_state {
            Some(state) => format!("its state is kept in {}", state.display()),
            None => "everything is in memory, and gone with the process".to_owned(),
        };
        let mut findings = vec![Finding::right(FILES, "sandbox", kept)];
        let environment = match open::sandbox_environment(global) {
            Ok(environment) => environment,
            Err(error) => {
                findings.push(Finding::new(
                    FILES,
                    State::Wrong,
                    "sandbox",
                    error.to_string(),
                ));
                Environment::from_variables([])
            }
        };
        Self {
            environment,
            journal,
            findings,
        }
    }
}

/// A file or directory that is there, and whether others may do with it what these bits say.
fn file(path: &Path, forbidden: u32) -> Finding {
    let subject = path.display().to_string();
    match std::fs::metadata(path) {
        Ok(found) => {
            let mode = found.mode() & 0o7777;
            let words = format!("mode {mode:03o}");
            if mode & forbidden == 0 {
                return Finding::right(FILES, subject, words);
            }
            let hint = format!("`chmod go-{} {subject}`", letters(forbidden));
            let words = format!("{words}: others may {}", deeds(mode & forbidden));
            Finding::new(FILES, State::Notable, subject, words).hint(hint)
        }
        Err(error) => Finding::new(FILES, State::Wrong, subject, error.to_string()),
    }
}

/// What others may do, by the bits of a mode.
const fn deeds(mode: u32) -> &'static str {
    match (mode & 0o044 != 0, mode & 0o022 != 0) {
        (true, true) => "read and write it",
        (false, true) => "write it",
        _ => "read it or look into it",
    }
}

/// What `chmod` takes away.
const fn letters(forbidden: u32) -> &'static str {
    if forbidden == 0o022 { "w" } else { "rwx" }
}

/// The shared files of the AWS tools.
pub(super) fn aws_files(places: &Places) -> Vec<Finding> {
    let paths = places.environment.file_paths();
    let found = paths.into_iter().map(|(name, path)| {
        let subject = path.display().to_string();
        let is_missing =
            std::fs::metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if is_missing {
            return Finding::right(FILES, subject, format!("not there (AWS's {name})"));
        }
        // The keys are in this one; the other names accounts and roles at most.
        file(&path, if name == "credentials" { 0o077 } else { 0o022 })
    });
    found.collect()
}

/// The plans of the working directory.
pub(super) fn plans() -> Vec<Finding> {
    let plans = tui::plans_here().into_iter().map(|saved| {
        let found = file(&saved.path, 0o022);
        let words = format!("a plan ({}), {}", saved.plan.words().noun, found.message);
        Finding {
            message: words,
            ..found
        }
    });
    plans.collect()
}

/// The journal: whole, of this format, and what is left to be done.
pub(super) fn journal(places: &Places) -> Vec<Finding> {
    let Some(path) = &places.journal else {
        return Vec::new();
    };
    let subject = path.display().to_string();
    if !path.exists() {
        let words = "not there yet: the first command makes it";
        return vec![Finding::right(JOURNAL, subject, words)];
    }
    let mut mode = file(path, 0o077);
    mode.section = JOURNAL;
    let health = match Journal::examine(path) {
        Ok(health) => health,
        Err(error) => {
            let wrong = Finding::new(JOURNAL, State::Wrong, subject, error.to_string());
            return vec![mode, wrong.hint(error.hint())];
        }
    };
    vec![mode, condition(&health)]
}

fn condition(health: &JournalHealth) -> Finding {
    let subject = health.path.display().to_string();
    let (format, known) = health.format;
    if !health.damage.is_empty() {
        let words = format!("damaged: {}", health.damage.join("; "));
        return Finding::new(JOURNAL, State::Wrong, subject, words).hint(
            "move the file aside; `aws dynamodb list-exports` shows the exports of the last 90 days",
        );
    }
    if format > known {
        let words =
            format!("in format {format}, which a later version wrote; this one knows {known}");
        return Finding::new(JOURNAL, State::Wrong, subject, words)
            .hint("use that version of tableferry");
    }
    if format < known {
        let words = format!("whole, in format {format}; the next command brings it to {known}");
        return Finding::right(JOURNAL, subject, words);
    }
    let runs = health.runs.unwrap_or_default();
    let open = health.open_runs.clone().unwrap_or_default();
    let plural = if runs == 1 { "run" } else { "runs" };
    let words = format!("whole, in format {format}, {runs} {plural}");
    if open.is_empty() {
        return Finding::right(JOURNAL, subject, format!("{words}, nothing left to do"));
    }
    let open: Vec<String> = open.iter().map(ToString::to_string).collect();
    let words = format!("{words}, left to do: {}", open.join(", "));
    Finding::new(JOURNAL, State::Notable, subject, words)
        .hint("`tableferry resume` goes on with them")
}
