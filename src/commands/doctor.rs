//! `tableferry doctor`: what a command would stand on, and what is wrong with it.
//!
//! It opens nothing that a command would make or change, so that it also answers where they end with an
//! error. Each part says what it found as [`Finding`]s; this file prints them and counts the worst.

mod files;
mod finding;
mod mask;
mod network;
mod terminal;

use std::io::Write as _;

use serde_json::json;

use self::files::Places;
use self::finding::{Finding, State};
use self::mask::Mask;
use super::error::CommandError;
use super::{Exit, output};
use crate::args::{DoctorArgs, Global, Output};

/// The version of the JSON.
const SCHEMA: u32 = 1;

/// Looks at everything, and prints what was found.
pub(super) async fn doctor(args: &DoctorArgs, global: &Global) -> Result<Exit, CommandError> {
    let places = Places::of(global);
    let mut findings = vec![Finding::right("versions", "tableferry", versions(global))];
    findings.extend(places.findings.iter().cloned());
    findings.extend(files::aws_files(&places));
    findings.extend(files::plans());
    findings.extend(files::journal(&places));
    findings.extend(network::profiles(&places));
    findings.extend(network::settings(&places));
    if args.offline {
        let words = "not asked: --offline";
        findings.push(Finding::right("reachability", "STS", words));
    } else {
        findings.extend(network::reachability(&places, args.patience).await);
    }
    findings.extend(terminal::terminal());
    let mask = Mask::of_process(args.show_accounts);
    let findings: Vec<Finding> = findings.iter().map(|found| found.masked(&mask)).collect();
    match args.output.output {
        Output::Text => write_words(&findings)?,
        Output::Json => output::write_value(&json!({
            "schema": SCHEMA,
            "version": env!("CARGO_PKG_VERSION"),
            "findings": findings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        }))?,
    }
    Ok(match findings.iter().map(|found| found.state).max() {
        Some(State::Wrong) => Exit::Failed,
        Some(State::Notable) => Exit::Undecided,
        Some(State::Right) | None => Exit::Done,
    })
}

fn versions(global: &Global) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let practice = if global.sandbox { ", sandbox" } else { "" };
    let words = format!(
        "{} on {} {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        kernel.trim()
    );
    format!("{}{practice}", words.trim_end())
}

fn write_words(findings: &[Finding]) -> Result<(), CommandError> {
    let mut out = output::words();
    let mut section = "";
    for found in findings {
        if found.section != section {
            section = found.section;
            writeln!(out, "{section}")?;
        }
        writeln!(out, "{}", found.line())?;
        if let Some(hint) = &found.hint {
            writeln!(out, "           hint: {hint}")?;
        }
    }
    let wrong = findings.iter().filter(|found| found.state == State::Wrong);
    let notable = findings
        .iter()
        .filter(|found| found.state == State::Notable);
    writeln!(
        out,
        "{} wrong, {} to look at",
        wrong.count(),
        notable.count()
    )?;
    out.flush()?;
    Ok(())
}
