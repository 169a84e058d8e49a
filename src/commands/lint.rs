//! `tableferry policy lint`: what is wrong with a policy document, and what would fix it.

use std::io::{self, Write};
use std::path::Path;

use super::Exit;
use super::error::CommandError;
use crate::args::LintKind;
use crate::sanitize::sanitize;
use crate::text_file;
use tableferry_policy::lint::{DocumentKind, Severity, lint as find};

/// Lints the document of a file.
pub(super) fn run(file: &Path, kind: LintKind, output: impl Write) -> Result<Exit, CommandError> {
    let name = file.display().to_string();
    let text = text_file::read(file)
        .map_err(|error| CommandError::usage(format!("cannot read {name}")).because(error))?;
    let has_error = lint(&name, &text, kind.into(), output)? != 0;
    Ok(if has_error { Exit::Failed } else { Exit::Done })
}

impl From<LintKind> for DocumentKind {
    fn from(kind: LintKind) -> Self {
        match kind {
            LintKind::Bucket => Self::Bucket,
            LintKind::Key => Self::Key,
            LintKind::Identity => Self::Identity,
            LintKind::Trust => Self::Trust,
            LintKind::Scp => Self::ServiceControl,
            LintKind::Rcp => Self::ResourceControl,
        }
    }
}

/// Prints what is found in a document: a line for each finding, as `NAME:LINE:COLUMN: severity:
/// message`, and below it what would fix it.
///
/// Returns the exit status: 1 where there is an error among them, 0 otherwise.
///
/// # Errors
///
/// Where the output cannot be written.
pub(super) fn lint(
    name: &str,
    text: &str,
    kind: DocumentKind,
    mut output: impl Write,
) -> io::Result<u8> {
    let findings = find(text, kind);
    for finding in &findings {
        let place = finding.place;
        let found = format!(
            "{name}:{}:{}: {}: {} [{}]",
            place.line, place.column, finding.severity, finding.message, finding.rule
        );
        let fix = format!("  fix: {}", finding.fix);
        for line in [found, fix] {
            // A line is one line, whatever stands in the document or the path.
            writeln!(output, "{}", sanitize(&line))?;
        }
    }
    output.flush()?;
    let has_error = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    Ok(u8::from(has_error))
}
