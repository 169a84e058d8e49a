//! `tableferry policies PLAN`: what fixes a plan, as a document for another tool.
//!
//! Standard output holds the document alone, so that it can be piped; all else is told on standard
//! error.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::check::{exit, words};
use super::error::CommandError;
use super::facts_file::read_facts_file;
use super::grant_options::grant_options;
use super::output::{write_json, write_words};
use super::plan_file::read_plan;
use super::refusal::refuse_out_of_bounds;
use super::report::Report;
use super::survey::{assess, control_documents, tell_unused};
use crate::args::{PoliciesArgs, PolicyFormat};
use crate::assess::assessment::Assessment;
use crate::assess::facts::Facts;
use crate::assess::job_facts::bucket_owner;
use crate::assess::limits::Limits;
use crate::assess::remedy::{GrantOptions, Remedies, whole};
use crate::assess::render::{self, RemedyBundle, Rendered};
use crate::assess::verdict::{AssessedRequirement, Overall, overall};
use crate::job::Plan;
use crate::work::Work;
use tableferry_policy::arn::AccountId;

/// Surveys both sides and writes what fixes the plan.
pub(super) async fn policies(
    work: &Work,
    args: &PoliciesArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let controls = control_documents(&args.controls)?;
    let assessed = assess(work, &plan, &controls, cancel, report).await?;
    conclude(args, &assessed.assessment, report)
}

/// Writes what fixes the plan by the facts of a file; AWS is asked nothing.
pub(super) fn policies_file(
    args: &PoliciesArgs,
    limits: &Limits,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let (plan, mut facts) = read_facts_file(&args.facts, &plan, report)?;
    words::tell_age(report, &facts, Timestamp::now());
    let controls = control_documents(&args.controls)?;
    controls.put_into(&mut facts);
    tell_unused(&controls, &facts, report);
    let assessment = Assessment::of(&plan, facts, limits, Timestamp::now());
    conclude(args, &assessment, report)
}

fn conclude(
    args: &PoliciesArgs,
    assessment: &Assessment,
    report: &Report,
) -> Result<Exit, CommandError> {
    refuse_out_of_bounds(assessment)?;
    let (plan, facts) = (&assessment.plan, &assessment.facts);
    let grant_options = grant_options(args.grant_options, assessment)?;
    let found = if args.all {
        whole(plan, facts, assessment.made_at, grant_options)
    } else {
        assessment.remedies(grant_options)
    };
    let mut bundle = RemedyBundle::new(plan, facts, &found.remedies);
    let mut elsewhere = Vec::new();
    if let Some(account) = &args.account {
        refuse_foreign(account, plan, facts, &bundle)?;
        elsewhere = bundle.missing_outside(account);
        bundle = bundle.of_account(account);
    }
    let rendered = rendered(args, &bundle, &found, grant_options)?;
    print(args.format, &rendered.text)?;
    tell(args, &bundle, &found, &rendered, report);
    let is_sound = bundle.items().iter().all(render::RemedyItem::is_writable);
    if is_sound && !elsewhere.is_empty() {
        let several: Vec<&str> = elsewhere.iter().map(AccountId::as_str).collect();
        report.line(&format!(
            "this is not all: something is missing in {} too, which `--account` leaves out",
            several.join(" and ")
        ));
        // What stays out fixes nothing, so the plan stands as `check` finds it.
        return Ok(exit(assessment.overall(false)));
    }
    Ok(match overall(&found.after, false) {
        _ if !is_sound => Exit::Refused,
        Overall::Denied => Exit::Refused,
        Overall::Undecided => Exit::Undecided,
        Overall::Allowed => Exit::Done,
    })
}

/// Refuses an account that the plan has nothing to do with: a mistyped one would seem to lack nothing.
fn refuse_foreign(
    account: &AccountId,
    plan: &Plan,
    facts: &Facts,
    bundle: &RemedyBundle<'_>,
) -> Result<(), CommandError> {
    let keys = facts.keys().filter_map(|key| key.arn()?.account_id());
    let mut touched: Vec<AccountId> = bundle
        .accounts()
        .into_iter()
        .chain([facts.source().caller.account.clone()])
        .chain(facts.destination().map(|side| side.caller.account.clone()))
        .chain(bucket_owner(plan, facts))
        .chain(plan.key_account())
        .chain(keys)
        .collect();
    touched.sort_unstable();
    touched.dedup();
    if touched.contains(account) {
        return Ok(());
    }
    let touched: Vec<&str> = touched.iter().map(AccountId::as_str).collect();
    Err(
        CommandError::usage(format!("the plan does not touch account {account}"))
            .hint(format!("it touches {}", touched.join(" and "))),
    )
}

fn rendered(
    args: &PoliciesArgs,
    bundle: &RemedyBundle<'_>,
    found: &Remedies,
    grant_options: GrantOptions,
) -> Result<Rendered, CommandError> {
    match args.format {
        PolicyFormat::Json => {
            let open: Vec<&AssessedRequirement> = found.open().collect();
            Ok(render::json(bundle, &open))
        }
        PolicyFormat::Terraform => Ok(render::terraform(bundle)),
        PolicyFormat::Cli => Ok(render::cli(bundle)),
        PolicyFormat::Message => Ok(bundle.request_texts(grant_options.expires)),
        PolicyFormat::CloudFormation => match bundle.accounts().as_slice() {
            [] | [_] => Ok(render::cloudformation(bundle)),
            several => {
                let several: Vec<&str> = several.iter().map(AccountId::as_str).collect();
                Err(CommandError::usage(format!(
                    "a stack lives in one account, and there are changes in {}",
                    several.join(" and ")
                ))
                .hint("choose one by `--account ID`, and write the other next"))
            }
        },
    }
}

fn print(format: PolicyFormat, text: &str) -> Result<(), CommandError> {
    if text.is_empty() {
        return Ok(());
    }
    let text = text.trim_end();
    let written = match format {
        PolicyFormat::Json => write_json(text),
        // What would steer a terminal is spelt out in the documents already.
        PolicyFormat::Terraform
        | PolicyFormat::CloudFormation
        | PolicyFormat::Cli
        | PolicyFormat::Message => write_words(text),
    };
    written.map_err(|error| CommandError::unwritten("the document", error))
}

/// Tells what the document does not: what is left out, what stays open, and that nothing is missing.
fn tell(
    args: &PoliciesArgs,
    bundle: &RemedyBundle<'_>,
    found: &Remedies,
    rendered: &Rendered,
    report: &Report,
) {
    for line in rendered.left_out.iter().flat_map(|words| words.lines()) {
        report.line(line);
    }
    let mut is_all_well = true;
    for verdict in found.open() {
        is_all_well = false;
        report.line(&format!(
            "open, {}: {}: {}",
            verdict.outcome.as_str(),
            verdict.requirement,
            verdict.explanation
        ));
    }
    let whole = "`--all` writes the whole policies that the plan needs";
    match &args.account {
        _ if !bundle.items().is_empty() => {}
        Some(account) if is_all_well => {
            report.line(&format!("nothing is missing in account {account}; {whole}"));
        }
        None if is_all_well => report.line(&format!("nothing is missing; {whole}")),
        // Where nobody could read the other side, what is missing there is not known either.
        _ if args.format == PolicyFormat::Message && !args.all => report.line(
            "no text is written, as nothing that was read must be changed; `--all` writes what \
             would be needed, to be sent to a person who can look",
        ),
        _ => {}
    }
}
