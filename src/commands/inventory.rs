//! `tableferry inventory setup PLAN` and `inventory status PLAN`: the configuration that has S3 deliver
//! reports, and what arrived.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::apply::tell_applied;
use super::check::words;
use super::consent::Consent;
use super::error::CommandError;
use super::output::write_words;
use super::plan_file::read_plan;
use super::refusal::{check_can_ask, check_may_change, refuse_out_of_bounds};
use super::report::{Report, counted};
use super::sign_in::prove_both;
use super::survey::{assess, control_documents};
use crate::args::{
    InventoryCommand, InventoryForm, InventorySetupArgs, InventoryShowArgs, InventoryStatusArgs,
};
use crate::assess::job_facts::owner_sent;
use crate::assess::verdict::Overall;
use crate::job::inventory::render;
use crate::job::{Kind, Plan};
use crate::work::{
    InventoryError, InventoryProposal, InventoryStatus, ReportVerification, Side, Work,
};
use tableferry_policy::arn::{AccountId, Partition, Region};

/// Sets an inventory up, or says how it stands.
pub(super) async fn inventory(
    work: &Work,
    command: &InventoryCommand,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    match command {
        InventoryCommand::Setup(args) => set_up(work, args, cancel, report).await,
        InventoryCommand::Status(args) => status(work, args, cancel, report).await,
        InventoryCommand::Show(args) => show_configuration(args, report),
    }
}

/// Writes the configuration for another tool; AWS is asked nothing.
pub(super) fn show_configuration(
    args: &InventoryShowArgs,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let Kind::Inventory(inventory) = &plan.kind else {
        return Err(InventoryError::OtherKind.into());
    };
    let region = plan.source.sign_in.region.as_ref();
    let partition = region.map_or(Partition::Aws, Region::partition);
    let owner = plan.destination.owner.as_ref();
    let configuration = inventory.configuration(&plan, owner, partition);
    let (text, left_out) = match args.format {
        InventoryForm::Json => (configuration.to_json(), Vec::new()),
        InventoryForm::Cli => (render::cli(&plan, inventory, &configuration), Vec::new()),
        InventoryForm::CloudFormation => render::cloudformation(inventory, &configuration),
    };
    for sentence in left_out {
        report.line(&sentence);
    }
    write_words(text.trim_end())
        .map_err(|error| CommandError::unwritten("the configuration", error))?;
    Ok(Exit::Done)
}

/// Reads a plan that must be an inventory.
fn read_inventory_plan(path: &std::path::Path) -> Result<Plan, CommandError> {
    let plan = read_plan(path)?;
    if plan.source_bucket().is_some() {
        return Ok(plan);
    }
    Err(InventoryError::OtherKind.into())
}

async fn set_up(
    work: &Work,
    args: &InventorySetupArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    check_may_change(work, "`inventory setup` changes an account")?;
    let plan = read_inventory_plan(&args.plan)?;
    check_can_ask(args.yes, "a change", "add --yes")?;
    let controls = control_documents(&args.controls)?;
    let assessed = assess(work, &plan, &controls, cancel, report).await?;
    let assessment = &assessed.assessment;
    refuse_out_of_bounds(assessment)?;
    let overall = assessment.overall(false);
    if overall != Overall::Allowed {
        words::tell(report, assessment);
    }
    if overall == Overall::Denied && !args.force {
        return Err(
            CommandError::refused("S3 would not deliver: something is denied").hint(
                "`tableferry apply PLAN` fixes it; --force writes the configuration all the same, and \
                 nothing is delivered until it is fixed",
            ),
        );
    }
    let owner = owner_sent(&plan, &assessment.facts);
    let proposal = work.propose_inventory(&plan, owner.as_ref()).await?;
    show(&proposal, report);
    if !proposal.changes_anything() {
        report.line(&format!(
            "nothing is changed: the {} is as the plan has it",
            proposal.title
        ));
        return Ok(Exit::Done);
    }
    let consent = Consent {
        work,
        cancel,
        is_given: args.yes,
        names: &args.production,
    };
    let question = format!("write the {}", proposal.title);
    let agreed = consent.to(&question, true, &[&proposal.account]).await;
    agreed.map_err(|refused| refused.line("nothing was changed"))?;
    let applied = work.set_up_inventory(&plan, &proposal).await?;
    let afterwards = "the first report may take up to 48 hours; `tableferry inventory status PLAN` says \
                      whether it arrived";
    let exit = tell_applied(&applied, report).map_err(|error| error.line(afterwards))?;
    report.line(afterwards);
    Ok(exit)
}

fn show(proposal: &InventoryProposal, report: &Report) {
    report.object(&json!({
        "event": "proposal",
        "kind": "inventory",
        "account": proposal.account,
        "title": proposal.title,
        "before": proposal.before,
        "after": proposal.after,
        "diff": proposal.diff,
        "changes_anything": proposal.changes_anything(),
    }));
    report.line(&format!(
        "change in account {}, as the {}: {}",
        proposal.account,
        Side::Source,
        proposal.title
    ));
    for line in proposal.diff.lines() {
        report.line(&format!("  {line}"));
    }
}

async fn status(
    work: &Work,
    args: &InventoryStatusArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_inventory_plan(&args.plan)?;
    let read = async {
        prove_both(work, &plan, report).await?;
        let owner = expected_owner(work, &plan);
        Ok::<_, CommandError>(work.inventory_status(&plan, owner.as_ref()).await?)
    };
    let status = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(CommandError::cut_off()),
        status = read => status?,
    };
    report.object(&object(&status));
    tell(&status, report);
    Ok(exit_of(&status))
}

/// The owner that the plan's configuration names.
fn expected_owner(work: &Work, plan: &Plan) -> Option<AccountId> {
    let said = plan.destination.owner.clone();
    said.or_else(|| work.account_of(Side::Destination))
}

fn tell(status: &InventoryStatus, report: &Report) {
    report.line(&format!("reports    {}", status.place));
    report.line(&format!("configured {}", configured(status)));
    for delivered in &status.reports {
        let what = if delivered.is_complete {
            "complete"
        } else {
            "not complete: its manifest.checksum, which is written last, is not there"
        };
        report.line(&format!("arrived    {}  {what}", delivered.at));
    }
    match &status.newest {
        Some(newest) => tell_newest(newest, report),
        None => report.line(
            "no report is complete. The first may take up to 48 hours, a weekly one comes on Sundays \
             (UTC), and where S3 may not write, nothing arrives and no call says so: `tableferry check \
             PLAN` does",
        ),
    }
    report.line(
        "the console's \"Last export\" stays empty for anyone who may not read this place (s3:ListBucket, \
         s3:GetObject, and kms:Decrypt where the reports are encrypted), although reports arrive",
    );
}

/// How the source bucket stands.
fn configured(status: &InventoryStatus) -> String {
    match &status.configuration {
        Ok(Some(found)) if !found.is_enabled => "yes, and disabled: no report is made".to_owned(),
        Ok(Some(_)) if status.is_as_planned => "as the plan has it".to_owned(),
        Ok(Some(_)) => {
            "otherwise than in the plan: `tableferry inventory setup PLAN` shows the difference"
                .to_owned()
        }
        Ok(None) => "no: `tableferry inventory setup PLAN` writes it".to_owned(),
        Err(failure) => format!("not known: {failure}"),
    }
}

fn tell_newest(newest: &ReportVerification, report: &Report) {
    for fault in &newest.faults {
        report.line(&format!("fault      {fault}"));
    }
    if let Some(why) = &newest.unread {
        report.line(&format!("unread     {why}"));
    }
    let what = format!(
        "the report of {}: {}, {}",
        newest.at,
        counted(newest.files, "data file"),
        bytesize::ByteSize(newest.bytes)
    );
    report.line(&if newest.is_verified() {
        format!("verified   {what}, each with the size and MD5 that its manifest says")
    } else {
        format!("unverified {what}")
    });
}

fn object(status: &InventoryStatus) -> Value {
    let newest = status.newest.as_ref().map(|newest| {
        let faults: Vec<String> = newest.faults.iter().map(ToString::to_string).collect();
        json!({
            "at": newest.at,
            "files": newest.files,
            "bytes": newest.bytes,
            "verified": newest.is_verified(),
            "faults": faults,
            "unread": newest.unread,
        })
    });
    let reports: Vec<Value> = status
        .reports
        .iter()
        .map(|delivered| {
            json!({
                "at": delivered.at,
                "folder": delivered.folder,
                "complete": delivered.is_complete,
            })
        })
        .collect();
    let (configuration, unread) = match &status.configuration {
        Ok(found) => (json!(found), None),
        Err(failure) => (Value::Null, Some(failure.to_string())),
    };
    json!({
        "event": "inventory_status",
        "looked_at": Timestamp::now(),
        "place": status.place,
        "configuration": configuration,
        "configuration_unread": unread,
        "as_planned": status.is_as_planned,
        "reports": reports,
        "newest": newest,
    })
}

fn exit_of(status: &InventoryStatus) -> Exit {
    match &status.newest {
        Some(newest) if newest.is_verified() => Exit::Done,
        Some(newest) if !newest.faults.is_empty() => Exit::Failed,
        Some(_) | None => Exit::Undecided,
    }
}
