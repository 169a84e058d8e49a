//! `check --probe`: what will be sent is shown and agreed to, then sent, then told with what it shows
//! and what it does not.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::args::CheckArgs;
use crate::commands::error::{CommandError, Problem};
use crate::commands::refusal::{check_can_ask, check_may_change};
use crate::commands::report::Report;
use crate::commands::sign_in::ask;
use crate::commands::unfinished;
use crate::job::Plan;
use crate::work::probe::{Left, TakingBack};
use crate::work::{Assessed, ProbeReport, Work};

/// Refuses a probe that may not be made, or that nobody could agree to, before an account is read.
pub(super) fn check_consent(
    work: &Work,
    args: &CheckArgs,
    plan: &Plan,
) -> Result<(), CommandError> {
    if !args.probe {
        return Ok(());
    }
    if plan.reads_objects() {
        return check_can_ask(
            args.yes,
            "a probe",
            "add --yes: it lists the folder and reads the first byte of a few objects",
        );
    }
    check_may_change(work, "a probe begins an upload")?;
    check_can_ask(
        args.yes,
        "a probe",
        "add --yes: it begins an upload in the destination's bucket and takes it back",
    )
}

/// Probes with consent, and assesses anew with what was tried. Without consent nothing is sent, and
/// the assessment stays as it is. What earlier probes left is taken back with the same consent.
pub(super) async fn probe(
    work: &Work,
    args: &CheckArgs,
    assessed: Assessed,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Assessed, CommandError> {
    let plan = &assessed.assessment.plan;
    let bucket = assessed.assessment.facts.bucket(&plan.destination.bucket);
    let probe = work.draw_up_probe(plan, Some(bucket)).await?;
    unfinished::tell_but(work, &probe.earlier, report);
    report.line("the probe sends:");
    for line in probe.lines() {
        report.line(&format!("  {line}"));
    }
    report.line(&format!("  {}", probe.leaves()));
    report.object(&json!({ "event": "probe_planned", "calls": probe.lines() }));
    if !args.yes && !is_agreed(cancel).await {
        report.line("nothing was sent");
        return Ok(assessed);
    }
    let found = work.probe(plan, &probe, cancel).await?;
    tell(&found, report);
    Ok(work.assess_with_probe(assessed, &found))
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

/// What was left behind is told as an error, with what removes it.
fn tell(found: &ProbeReport, report: &Report) {
    for line in found.lines() {
        report.line(&format!("  {line}"));
    }
    for (what, hint) in found.problems() {
        report.problem(&Problem::new(what).hint(hint));
    }
    for object in taken_back(found) {
        report.object(&object);
    }
    report.object(&object(found));
}

fn taken_back(found: &ProbeReport) -> Vec<Value> {
    let of = |end: &TakingBack| match end {
        TakingBack::Aborted(ids) => ("aborted", ids.clone()),
        TakingBack::NothingThere => ("nothing_there", Vec::new()),
        TakingBack::TooYoung => ("too_young", Vec::new()),
        TakingBack::UnderWay => ("under_way", Vec::new()),
        TakingBack::Failed { upload_id, .. } => ("failed", upload_id.iter().cloned().collect()),
    };
    let earlier = found.taken_back.iter().map(|earlier| {
        let (end, ids) = of(&earlier.end);
        json!({
            "event": "probe_taken_back",
            "probe": earlier.record.id.0,
            "bucket": earlier.record.bucket,
            "key": earlier.record.key,
            "end": end,
            "upload_ids": ids,
        })
    });
    earlier.collect()
}

fn object(found: &ProbeReport) -> Value {
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
        "tried": found.tried(),
        "not_shown": found.not_shown,
        "left": left,
    })
}
