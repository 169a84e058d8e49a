//! `check --probe`: what will be sent is shown and agreed to, then sent, then told with what it shows
//! and what it does not.

use std::io::IsTerminal;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::access::facts::{Facts, Tried};
use crate::args::CheckArgs;
use crate::commands::report::Report;
use crate::commands::sign_in::ask;
use crate::commands::{Exit, check_may_change};
use crate::plan::Plan;
use crate::work::probe::{Left, NOT_SHOWN};
use crate::work::{ProbeReport, Work};

/// Refuses a probe that may not be made, or that nobody could agree to, before anything is read.
pub(super) fn check_consent(work: &Work, args: &CheckArgs, report: &Report) -> Result<(), Exit> {
    if !args.probe {
        return Ok(());
    }
    check_may_change(work, "a probe begins an upload", report)?;
    if args.yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    report.error(
        "a probe must be agreed to, and there is no terminal to ask on",
        Some("add --yes: it begins an upload in the destination's bucket and takes it back"),
    );
    Err(Exit::Usage)
}

/// Probes with consent, and adds what was tried to the facts. Without consent nothing is sent, and
/// the facts stay as they were read.
pub(super) async fn probe(
    work: &Work,
    args: &CheckArgs,
    plan: &Plan,
    facts: &mut Facts,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(), Exit> {
    let probe = work.draw_up_probe(plan).await.map_err(|error| {
        report.error(
            &format!("the probe cannot be made: {error}"),
            Some("`tableferry check` without --probe judges by what can be read"),
        );
        Exit::Refused
    })?;
    report.line("the probe sends:");
    for line in probe.lines() {
        report.line(&format!("  {line}"));
    }
    report.object(&json!({ "event": "probe_planned", "calls": probe.lines() }));
    if !args.yes && !is_agreed(cancel).await {
        report.line("nothing was sent");
        return Ok(());
    }
    let found = work.probe(&probe, cancel).await;
    tell(&found, report);
    found.put_into(facts);
    Ok(())
}

async fn is_agreed(cancel: &CancellationToken) -> bool {
    let answer = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        answer = ask("send it (y/N)? ".to_owned()) => answer,
    };
    matches!(
        answer.unwrap_or_default().to_lowercase().as_str(),
        "y" | "yes"
    )
}

fn tell(found: &ProbeReport, report: &Report) {
    let tried = found.tried();
    for step in &found.steps {
        let call = step.call.as_str();
        match &step.failure {
            None => report.line(&format!("  {call}: done")),
            Some(failure) => report.line(&format!("  {call}: failed: {failure}")),
        }
    }
    for (word, is_refused) in [("allowed", false), ("refused", true)] {
        let mut actions: Vec<&str> = tried
            .iter()
            .filter(|tried| tried.refusal.is_some() == is_refused)
            .map(|tried| tried.action.as_str())
            .collect();
        actions.dedup();
        if !actions.is_empty() {
            report.line(&format!("  tried, and {word}: {}", actions.join(", ")));
        }
    }
    if tried.iter().any(|tried| tried.refusal.is_none()) {
        report.line(
            "  what was allowed got past the policies of both accounts, service and resource \
             control policies and Block Public Access, as they are now",
        );
    }
    for text in NOT_SHOWN {
        report.line(&format!("  not shown: {text}"));
    }
    tell_left(found, report);
    report.object(&object(found, &tried));
}

/// What was left behind is told as an error, with what removes it.
fn tell_left(found: &ProbeReport, report: &Report) {
    let target = &found.target;
    let what = match &found.left {
        Left::Nothing => return,
        Left::Upload { id } => format!(
            "the incomplete upload {id} of s3://{target} is left: it could not be taken back. It \
             is no object, and its {} bytes are billed until it is aborted",
            crate::work::probe::SIZE
        ),
        Left::Perhaps => format!(
            "whether an incomplete upload of s3://{target} is left is not known: its beginning \
             was not answered"
        ),
    };
    let hint = match (&found.left, found.removal()) {
        (Left::Perhaps, Some(command)) => format!(
            "`{command}` shows it, and `aws s3api abort-multipart-upload` removes it; so does a \
             lifecycle rule with AbortIncompleteMultipartUpload"
        ),
        (_, Some(command)) => format!(
            "`{command}` removes it, and so does a lifecycle rule with \
             AbortIncompleteMultipartUpload"
        ),
        (_, None) => return,
    };
    report.error(&what, Some(&hint));
}

fn object(found: &ProbeReport, tried: &[Tried]) -> Value {
    let steps = found.steps.iter().map(|step| {
        json!({
            "call": step.call.as_str(),
            "failure": step.failure.as_ref().map(ToString::to_string),
        })
    });
    let left = match &found.left {
        Left::Nothing => Value::Null,
        Left::Upload { id } => json!({ "upload_id": id, "removed_by": found.removal() }),
        Left::Perhaps => json!({ "upload_id": null, "shown_by": found.removal() }),
    };
    json!({
        "event": "probed",
        "bucket": found.target.bucket,
        "key": found.target.key,
        "steps": steps.collect::<Vec<_>>(),
        "tried": tried,
        "not_shown": NOT_SHOWN,
        "left": left,
    })
}
