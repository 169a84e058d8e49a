//! `tableferry survey PLAN`: everything that bears on a plan's permissions, as a file.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::output::{is_error_terminal, print_error, write_json};
use super::plan_file::read_plan;
use super::report::Report;
use super::sign_in::prove_both;
use super::start_error::report_start_error;
use crate::args::{ControlArgs, SurveyArgs};
use crate::assess::facts::Facts;
use crate::job::Plan;
use crate::work::{Assessed, ControlDocuments, ControlFile, Event, StartError, Work};

/// Surveys both sides and writes the facts to standard output; all words go to standard error.
pub async fn survey(work: &Work, args: &SurveyArgs, cancel: CancellationToken) -> Exit {
    let report = Report::stderr();
    let read = async {
        let plan = read_plan(&args.plan, &report)?;
        let controls = control_documents(&args.controls, &report)?;
        let reading = work.survey(&plan, &controls);
        let facts = read_patiently(work, &plan, reading, &cancel, &report).await?;
        tell_unused(&controls, &facts, &report);
        Ok(facts)
    };
    match read.await {
        Ok(facts) => print(&facts, &report),
        Err(exit) => exit,
    }
}

fn print(facts: &Facts, report: &Report) -> Exit {
    let written = facts
        .to_json()
        .map_err(std::io::Error::from)
        .and_then(|text| write_json(text.trim_end()));
    match written {
        Ok(()) => {
            report.line(Facts::reveals());
            Exit::Done
        }
        Err(error) => {
            let message = format!("the facts cannot be written: {error}");
            report.error(&message, Some("give the output another place"));
            Exit::Usage
        }
    }
}

/// Signs both sides in, reads all that bears on the plan and assesses it; what went wrong was printed.
pub(super) async fn assess(
    work: &Work,
    plan: &Plan,
    controls: &ControlDocuments,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Assessed, Exit> {
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
) -> Result<T, Exit> {
    let read = async {
        prove_both(work, plan, report).await?;
        if let Some(principal) = plan.principal() {
            let verb = plan.words().verb;
            let message =
                format!("the plan {verb} as {principal}, whose policies these profiles read");
            report.happened(&Event::Noted { message });
        }
        Box::pin(reading)
            .await
            .map_err(|error| report_start_error(report, &error))
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Exit::CutOff),
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
pub(super) fn control_documents(
    args: &ControlArgs,
    report: &Report,
) -> Result<ControlDocuments, Exit> {
    let read = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|path| ControlFile::read(path))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                let hint = "name a file that holds one policy document, as Organizations shows it";
                report.error(&error.to_string(), Some(hint));
                Exit::Usage
            })
    };
    Ok(ControlDocuments {
        service: read(&args.scp)?,
        resource: read(&args.rcp)?,
    })
}
