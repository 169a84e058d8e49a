//! `tableferry survey PLAN`: everything that bears on a plan's permissions, as a file.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::error::CommandError;
use super::output::{is_error_terminal, print_error, write_json};
use super::plan_file::read_plan;
use super::report::Report;
use super::sign_in::prove_both;
use crate::args::{ControlArgs, SurveyArgs};
use crate::assess::facts::Facts;
use crate::job::Plan;
use crate::work::{Assessed, ControlDocuments, ControlFile, Event, StartError, Work};

/// Surveys both sides and writes the facts to standard output; all words go to standard error.
pub(super) async fn survey(
    work: &Work,
    args: &SurveyArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let controls = control_documents(&args.controls)?;
    let reading = work.survey(&plan, &controls);
    let facts = read_patiently(work, &plan, reading, cancel, report).await?;
    tell_unused(&controls, &facts, report);
    let written = facts
        .to_json()
        .map_err(std::io::Error::from)
        .and_then(|text| write_json(text.trim_end()));
    written.map_err(|error| CommandError::unwritten("the facts", error))?;
    report.line(Facts::reveals());
    Ok(Exit::Done)
}

/// Signs both sides in, reads all that bears on the plan and assesses it.
pub(super) async fn assess(
    work: &Work,
    plan: &Plan,
    controls: &ControlDocuments,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Assessed, CommandError> {
    let reading = work.assess(plan, controls);
    let assessed = read_patiently(work, plan, reading, cancel, report).await?;
    tell_unused(controls, &assessed.assessment.facts, report);
    Ok(assessed)
}

/// Signs both sides in and reads; says now and then that it still does.
async fn read_patiently<T>(
    work: &Work,
    plan: &Plan,
    reading: impl Future<Output = Result<T, StartError>>,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<T, CommandError> {
    let read = async {
        prove_both(work, plan, report).await?;
        if let Some(principal) = plan.principal() {
            let verb = plan.words().verb;
            let message =
                format!("the plan {verb} as {principal}, whose policies these profiles read");
            report.happened(&Event::Noted { message });
        }
        Ok(Box::pin(reading).await?)
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CommandError::cut_off()),
        read = read => read,
        never = tell_patience() => match never {},
    }
}

/// Says now and then to the one who sits before it that something does not answer; never ends.
async fn tell_patience() -> Infallible {
    const EVERY: Duration = Duration::from_secs(10);
    let begun = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(EVERY).await;
        if is_error_terminal() {
            print_error(&format!(
                "still reading after {} s; what does not answer is given up after half a minute",
                begun.elapsed().as_secs()
            ));
        }
    }
}

/// Facts of a side that nobody signs in for have no place for its policies.
pub(super) fn tell_unused(controls: &ControlDocuments, facts: &Facts, report: &Report) {
    if !controls.resource.is_empty() && facts.destination().is_none() {
        let message = "--rcp was left out: nobody signs in on the destination's side".to_owned();
        report.happened(&Event::Noted { message });
    }
}

/// Reads the policies of the organization that were named on the command line.
pub(super) fn control_documents(args: &ControlArgs) -> Result<ControlDocuments, CommandError> {
    let read = |paths: &[PathBuf]| {
        let files = paths.iter().map(|path| ControlFile::read(path));
        files.collect::<Result<Vec<_>, _>>()
    };
    Ok(ControlDocuments {
        service: read(&args.scp)?,
        resource: read(&args.rcp)?,
    })
}
