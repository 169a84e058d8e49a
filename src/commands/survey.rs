//! `tableferry survey PLAN`: everything that bears on a plan's permissions, as a file.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::output::{is_error_terminal, print_error, write_json};
use super::plan_file::read_plan;
use super::report::Report;
use super::run::told_start;
use super::sign_in::prove_both;
use crate::args::{ControlArgs, SurveyArgs};
use crate::assess::facts::Facts;
use crate::job::Plan;
use crate::work::{ControlDocuments, ControlFile, Event, Work};

/// Surveys both sides and writes the facts to standard output; all words go to standard error.
pub async fn survey(work: &Work, args: &SurveyArgs, cancel: CancellationToken) -> Exit {
    let report = Report::aside();
    let read = async {
        let plan = read_plan(&args.plan, &report)?;
        let controls = control_documents(&args.controls, &report)?;
        read_facts(work, &plan, &controls, &cancel, &report).await
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

/// Signs both sides in and reads all facts; what went wrong was printed.
pub(super) async fn read_facts(
    work: &Work,
    plan: &Plan,
    controls: &ControlDocuments,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Facts, Exit> {
    let read = async {
        prove_both(work, plan, report).await?;
        work.survey_access(plan, controls)
            .await
            .map_err(|error| told_start(report, &error))
    };
    let facts = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Exit::CutOff),
        facts = read => facts?,
        never = tell_patience() => match never {},
    };
    tell_unused(controls, &facts, report);
    Ok(facts)
}

/// Says now and then to whoever sits before it that something does not answer; never ends.
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
    if !controls.resource.is_empty() && facts.destination.is_none() {
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
