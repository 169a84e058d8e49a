//! The `aws` command that makes the same call, to read and to copy.

use std::fmt::Write as _;

use super::{ExportRequest, Span};
use crate::sanitize::is_terminal_control;
use tableferry_policy::arn::Region;

/// The command `aws dynamodb export-table-to-point-in-time …` that makes the same call, one option
/// a line, quoted for a POSIX shell.
///
/// It carries the request's client token where it has one, so that run within eight hours of our
/// own call it returns the same export instead of making another.
#[must_use]
pub fn equivalent_command(request: &ExportRequest, profile: &str, region: &Region) -> String {
    export_command(request, Some(profile), region)
}

/// The same, as the profile or with the credentials of the environment.
pub(super) fn export_command(
    request: &ExportRequest,
    profile: Option<&str>,
    region: &Region,
) -> String {
    let mut options: Vec<(&str, String)> = Vec::new();
    options.extend(profile.map(|profile| ("profile", profile.to_owned())));
    options.extend([
        ("region", region.to_string()),
        ("table-arn", request.table_arn.to_string()),
        ("s3-bucket", request.bucket.to_string()),
    ]);
    if let Some(owner) = &request.bucket_owner {
        options.push(("s3-bucket-owner", owner.to_string()));
    }
    if let Some(prefix) = &request.prefix {
        options.push(("s3-prefix", prefix.clone()));
    }
    options.push(("s3-sse-algorithm", request.encryption.as_str().to_owned()));
    if let Some(key) = request.encryption.key() {
        options.push(("s3-sse-kms-key-id", key.to_owned()));
    }
    options.push(("export-format", request.format.as_str().to_owned()));
    push_span(&mut options, &request.span);
    if let Some(filter) = &request.filter {
        options.push(("filter-specification", filter.to_json().to_string()));
    }
    if !request.client_token.is_empty() {
        options.push(("client-token", request.client_token.clone()));
    }
    let mut command = String::from("aws dynamodb export-table-to-point-in-time");
    for (name, value) in options {
        // Writing to a String cannot fail.
        let _ = write!(command, " \\\n  {}", shell_option(name, &value));
    }
    command
}

fn push_span(options: &mut Vec<(&'static str, String)>, span: &Span) {
    options.push(("export-type", span.as_str().to_owned()));
    match span {
        Span::Full { time: None } => {}
        Span::Full { time: Some(time) } => options.push(("export-time", time.to_string())),
        Span::Incremental { from, to, view } => options.push((
            "incremental-export-specification",
            format!(
                "ExportFromTime={from},ExportToTime={to},ExportViewType={}",
                view.as_str()
            ),
        )),
    }
}

/// The command that switches point-in-time recovery on for a table, quoted for a POSIX shell.
#[must_use]
pub fn recovery_command(table: &str) -> String {
    format!(
        "aws dynamodb update-continuous-backups {} \
         --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        shell_option("table-name", table)
    )
}

/// An option and its value for a POSIX shell, joined so that a value with a hyphen first is no option.
pub(crate) fn shell_option(name: &str, value: &str) -> String {
    let joint = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{joint}{}", shell_quoted(value))
}

/// The text as one word of a POSIX shell: bare where nothing in it means anything to a shell,
/// otherwise in single quotes.
pub(crate) fn shell_quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str(r"'\''"),
            '\n' | '\t' => quoted.push(character),
            // Spelt out, since it would steer the terminal that shows the command.
            _ if is_terminal_control(character) => {
                quoted.push_str("'\"$(printf '");
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(quoted, "\\{byte:03o}");
                }
                quoted.push_str("')\"'");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('\'');
    quoted
}
