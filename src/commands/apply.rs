//! `tableferry apply PLAN`: survey, judge, show each change, ask, write, wait, judge again.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::check::{self, words};
use super::consent::Consent;
use super::error::{CommandError, Problem, Said};
use super::grant_options::grant_options;
use super::hold;
use super::plan_file::read_plan;
use super::refusal::{check_can_ask, check_may_change, refuse_out_of_bounds};
use super::report::Report;
use super::survey::{assess, control_documents};
use super::unfinished;
use crate::args::ApplyArgs;
use crate::assess::facts::Facts;
use crate::assess::remedy::{Fix, Remedies};
use crate::assess::verdict::Overall;
use crate::job::{Plan, SignIn};
use crate::work::{
    Applied, ChangeId, ChangeRecord, ControlDocuments, Proposal, ReadBack, Work, not_proposed,
    proposals,
};
use tableferry_policy::document::Document;

/// Lists what is still in place, and what probes may have left.
fn list(work: &Work, report: &Report) -> Result<Exit, CommandError> {
    let changes = work.changes();
    let changes = changes.map_err(|error| CommandError::from(error).ending(Exit::Usage))?;
    let in_place: Vec<&ChangeRecord> = changes
        .iter()
        .filter(|change| change.is_in_place())
        .collect();
    if in_place.is_empty() {
        report.line("no change is in place");
    }
    for change in in_place {
        report.object(&change_object(change));
        report.line(&format!(
            "{:>4}  {}  {:<8}  {}  {}{}{}, made as {}",
            change.id,
            change.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            change.stage.as_str().to_lowercase(),
            change.account,
            change.title,
            written(change),
            ending(change, Timestamp::now()),
            made_as(change)
        ));
    }
    unfinished::tell(work, report);
    Ok(Exit::Done)
}

/// The statements that a change wrote, in words behind its title, by which two changes of one document
/// are told apart.
fn written(change: &ChangeRecord) -> String {
    let statements = statements_written(change);
    match statements.as_slice() {
        [] => String::new(),
        several => format!(" (`{}`)", several.join("`, `")),
    }
}

/// The statements of the document after a change that it had not before, by Sid or index.
fn statements_written(change: &ChangeRecord) -> Vec<String> {
    let texts = |document: &Option<String>| -> Vec<(String, String)> {
        let text = document.as_deref().unwrap_or_default();
        let Ok(document) = Document::parse(text) else {
            return Vec::new();
        };
        let statements = document.statements().iter().enumerate();
        statements
            .map(|(index, statement)| {
                let own = text.get(statement.span.start..statement.span.end);
                (statement.label(index), own.unwrap_or_default().to_owned())
            })
            .collect()
    };
    let before = texts(&change.before);
    texts(&change.after)
        .into_iter()
        .filter(|(_, own)| !before.iter().any(|(_, known)| known == own))
        .map(|(label, _)| label)
        .collect()
}

/// Who made a change: the caller's ARN, or what is known of it, which is the profile with the role on top.
fn made_as(change: &ChangeRecord) -> String {
    let SignIn { profile, role, .. } = &change.sign_in;
    match (&change.caller, role) {
        (Some(caller), _) => format!("{caller} by profile {profile}"),
        (None, Some(role)) => format!("{role} by profile {profile}"),
        (None, None) => format!("profile {profile}"),
    }
}

/// When what a change granted ends, in words behind its title.
fn ending(change: &ChangeRecord, now: Timestamp) -> String {
    match change.ends_at() {
        Some(end) if end <= now => format!(", ended {end}: it grants nothing any more"),
        Some(end) => format!(", ends {end}"),
        None => String::new(),
    }
}

fn change_object(change: &ChangeRecord) -> Value {
    json!({
        "event": "change",
        "change": change.id.0,
        "kind": change.target.kind().as_str(),
        "account": change.account,
        "title": change.title,
        "stage": change.stage.as_str(),
        "created_at": change.created_at,
        "written_at": change.written_at,
        "ends_at": change.ends_at(),
        "added": change.added,
        "written": statements_written(change),
        "caller": change.caller,
        "profile": change.sign_in.profile,
        "role": change.sign_in.role,
    })
}

/// Applies what a plan is missing, or lists what is in place.
pub(super) async fn apply(
    work: &Work,
    args: &ApplyArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    if args.list {
        return list(work, report);
    }
    check_may_change(work, "`apply` changes accounts")?;
    let path = args.plan.as_deref();
    let plan = read_plan(path.ok_or_else(|| CommandError::usage("no plan is named"))?)?;
    let controls = control_documents(&args.controls)?;
    let assessment = assess(work, &plan, &controls, cancel, report)
        .await?
        .assessment;
    let plan = assessment.plan.clone();
    refuse_out_of_bounds(&assessment)?;
    let overall = assessment.overall(false);
    if overall == Overall::Allowed {
        report.line("nothing is missing: nothing is changed");
        words::tell_end(report, &assessment, overall);
        return Ok(Exit::Done);
    }
    let options = grant_options(args.grant_options, &assessment)?;
    let found = assessment.remedies_with(options, &args.change_deny);
    let facts = &assessment.facts;
    tell_what_is_not_ours(&found, facts, report);
    for sid in &found.named_denies {
        report.line(&format!(
            "the Deny `{sid}` names the principal itself and stays as it is; on a terminal, \
             `--change-deny {sid}` takes the principal out of it, once its Sid is typed"
        ));
    }
    let proposals = proposals(&found, facts);
    if proposals.is_empty() {
        report.line("there is nothing that can be changed from here");
        words::tell_end(report, &assessment, overall);
        return Ok(check::exit(overall));
    }
    let hint = "add --yes, and name what it covers with --allow";
    check_can_ask(args.yes, "a change", hint)?;
    let agreed = agree(work, args, &plan, &proposals, cancel, report).await;
    if agreed.is_empty() {
        return Err(CommandError::silent(Exit::Refused).line("nothing was changed"));
    }
    let mut done = carry_out(work, &plan, &agreed, cancel, report).await;
    if done.ids.is_empty() {
        return Ok(done.exit);
    }
    if !args.no_wait {
        done.take(hold::wait(work, &plan, &done.ids, cancel, report).await);
    }
    let after = judge_again(work, &plan, &controls, report).await?;
    done.take(after);
    Ok(done.exit)
}

/// Tells the remedies that change no account, or that we cannot carry out.
fn tell_what_is_not_ours(found: &Remedies, facts: &Facts, report: &Report) {
    for remedy in &found.remedies {
        if matches!(remedy.fix, Fix::Plan { .. } | Fix::RequestText { .. }) {
            report.object(&words::as_event("remedy", remedy.to_json()));
            words::tell_remedy(report, remedy);
        }
    }
    for (remedy, reason) in not_proposed(found, facts) {
        let mut object = words::as_event("remedy", remedy.to_json());
        object["not_proposed"] = json!(reason);
        report.object(&object);
        words::tell_remedy(report, remedy);
        report.line(&format!("  it is not changed from here: {reason}"));
    }
}

/// Shows each proposal and asks about it; the proposals that were agreed to.
async fn agree(
    work: &Work,
    args: &ApplyArgs,
    plan: &Plan,
    proposals: &[Proposal],
    cancel: &CancellationToken,
    report: &Report,
) -> Vec<Proposal> {
    let consent = Consent {
        work,
        cancel,
        is_given: args.yes,
        names: &args.production,
    };
    if !proposals.is_empty() && !args.no_wait && plan.not_probed().is_none() {
        report.line(
            "afterwards an upload is begun as the source, and taken back, by the destination where \
             the source may not, to see whether the changes hold; --no-wait leaves that out",
        );
    }
    let mut agreed = Vec::new();
    for proposal in proposals {
        let mut object = words::as_event("proposal", proposal.remedy.to_json());
        object["kind"] = json!(proposal.kind.as_str());
        object["account"] = json!(proposal.account);
        object["title"] = json!(proposal.title);
        report.object(&object);
        report.line(&format!(
            "change in account {}, as the {}: {}",
            proposal.account, proposal.side, proposal.title
        ));
        words::tell_remedy(report, &proposal.remedy);
        let is_covered = args.allow.contains(&proposal.kind);
        if args.yes && !is_covered {
            report.problem(
                &Problem::new(format!("{} is not agreed to", proposal.title))
                    .hint(format!("--yes covers it with --allow {}", proposal.kind)),
            );
        }
        let question = format!("write the {}", proposal.title);
        let accounts = [&proposal.account, &proposal.source_account];
        let denies: Vec<&str> = proposal.remedy.denies_to_type().collect();
        let consented = async {
            consent.to(&question, is_covered, &accounts).await?;
            consent.to_denies(&denies).await
        };
        match consented.await {
            Ok(()) => agreed.push(proposal.clone()),
            Err(refused) => report.error(&refused),
        }
    }
    agreed
}

/// What came of the changes.
struct Done {
    ids: Vec<ChangeId>,
    exit: Exit,
}

impl Done {
    fn take(&mut self, exit: Exit) {
        self.exit = self.exit.worse(exit);
    }
}

/// Carries the proposals out, one after another. A deed that was begun is not cut off; `cancel` is
/// heeded between two of them.
async fn carry_out(
    work: &Work,
    plan: &Plan,
    agreed: &[Proposal],
    cancel: &CancellationToken,
    report: &Report,
) -> Done {
    let mut done = Done {
        ids: Vec::new(),
        exit: Exit::Done,
    };
    for proposal in agreed {
        if cancel.is_cancelled() {
            report.line(&format!("{} was not written", proposal.title));
            done.take(Exit::CutOff);
            continue;
        }
        match work.apply(plan, proposal).await {
            Ok(applied) => {
                done.take(report.settle(tell_applied(&applied, report)));
                done.ids.push(applied.id);
            }
            Err(error) => done.take(report.settle(Err(error.into()))),
        }
    }
    done
}

pub(super) fn tell_applied(applied: &Applied, report: &Report) -> Result<Exit, CommandError> {
    let (id, title) = (applied.id, &applied.title);
    report.line(&format!("change {id} is written: {title}"));
    report.object(&json!({
        "event": "applied",
        "change": id.0,
        "title": title,
        "read_back": read_back_word(&applied.read_back),
    }));
    tell_read_back(&applied.read_back, title, report)
}

pub(super) const fn read_back_word(read_back: &ReadBack) -> &'static str {
    match read_back {
        ReadBack::AsWritten => "as_written",
        ReadBack::NotYet => "not_yet",
        ReadBack::Lost { .. } => "lost_update",
        ReadBack::Unread(_) => "unread",
    }
}

/// Tells what was read after a write, where that is not what was written.
pub(super) fn tell_read_back(
    read_back: &ReadBack,
    title: &str,
    report: &Report,
) -> Result<Exit, CommandError> {
    match read_back {
        ReadBack::AsWritten => Ok(Exit::Done),
        ReadBack::NotYet => {
            report.line(&format!("  {title} does not read back yet"));
            Ok(Exit::Undecided)
        }
        ReadBack::Lost { diff } => {
            let lines = diff.lines().map(|line| Said::Line(format!("  {line}")));
            Err(CommandError::refused(format!(
                "{title} was written by somebody else at the same time: one update is lost"
            ))
            .hint("look at the difference, and talk to the people who write it too")
            .followed_by(lines)
            .ending(Exit::Undecided))
        }
        ReadBack::Unread(failure) => Err(CommandError::not_read_back(title, failure)),
    }
}

/// Reads the facts anew and tells what they come to now.
async fn judge_again(
    work: &Work,
    plan: &Plan,
    controls: &ControlDocuments,
    report: &Report,
) -> Result<Exit, CommandError> {
    let assessment = work.assess(plan, controls).await?.assessment;
    let overall = assessment.overall(false);
    words::tell(report, &assessment);
    words::tell_end(report, &assessment, overall);
    Ok(check::exit(overall))
}
