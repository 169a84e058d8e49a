//! Waiting until changes hold.
//!
//! A document that reads back as it was written is stored; whether it is obeyed everywhere shows only
//! where something is tried. What can be tried without leaving anything is the upload that the probe
//! begins and takes back, and point-in-time recovery, which is described as enabled. A wait that ends
//! without that is no failure of the change: it is told, and the next check judges it as young.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::target;
use crate::assess::assessment::Assessment;
use crate::assess::facts::ObservedCall;
use crate::assess::verdict::{AssessedRequirement, Evidence, Requirement, Verdict};
use crate::aws::failure::Failure;
use crate::job::{Encryption, Plan};
use crate::journal::{ChangeId, ChangeRecord, ChangeStage, ChangeTarget};
use crate::work::{ControlDocuments, Work};

/// How changes stand after the wait.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PropagationReport {
    /// Each change that was waited for.
    pub changes: Vec<(ChangeId, PropagationStatus)>,
}

/// How one change stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropagationStatus {
    /// It was seen to hold.
    Holds,
    /// It does not hold yet, and why that is thought.
    NotYet(String),
    /// Nothing that can be tried tells, and why.
    Unknown(String),
}

impl PropagationReport {
    /// Whether every change holds.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.changes
            .iter()
            .all(|(_, standing)| *standing == PropagationStatus::Holds)
    }

    /// Whether waiting on may tell more.
    fn is_pending(&self) -> bool {
        self.changes
            .iter()
            .any(|(_, standing)| matches!(standing, PropagationStatus::NotYet(_)))
    }
}

impl Work {
    /// Tries what can be tried until the changes hold, the patience of the settings ends, or the
    /// waiting is cancelled. Whatever the result is, the changes stay.
    ///
    /// It makes the probe's calls as the source, which leave no object.
    pub async fn wait_until_held(
        &self,
        plan: &Plan,
        ids: &[ChangeId],
        cancel: CancellationToken,
    ) -> PropagationReport {
        let pace = self.inner.settings.propagation;
        let begun = tokio::time::Instant::now();
        let trial = Trial {
            plan,
            since: Timestamp::now(),
            cancel: &cancel,
        };
        let mut held = PropagationReport::default();
        for pause in pace.pauses() {
            held = self.look(&trial, ids).await;
            let is_over = begun.elapsed() >= pace.patience;
            if !held.is_pending() || is_over || cancel.is_cancelled() {
                break;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        held
    }

    /// How the changes stand now. Those that hold are noted so in the journal.
    async fn look(&self, trial: &Trial<'_>, ids: &[ChangeId]) -> PropagationReport {
        let mut held = PropagationReport::default();
        // One upload tries all documents that it passes.
        let mut uploaded = None;
        for id in ids {
            let standing = self.standing(trial, *id, &mut uploaded).await;
            held.changes.push((*id, standing));
        }
        held
    }

    async fn standing(
        &self,
        trial: &Trial<'_>,
        id: ChangeId,
        uploaded: &mut Option<PropagationStatus>,
    ) -> PropagationStatus {
        let record = match self.inner.journal.change(id) {
            Ok(Some(record)) => record,
            Ok(None) => return PropagationStatus::Unknown(format!("there is no change {id}")),
            Err(error) => return PropagationStatus::Unknown(error.to_string()),
        };
        if record.stage == ChangeStage::Held {
            return PropagationStatus::Holds;
        }
        let mut standing = self.read_standing(&record).await;
        if standing == PropagationStatus::Holds {
            standing = match shown_by(trial.plan, &record) {
                Shown::Reading => PropagationStatus::Holds,
                Shown::Nothing(why) => PropagationStatus::Unknown(why),
                Shown::Upload => match uploaded {
                    Some(known) => known.clone(),
                    None => uploaded.insert(self.upload_standing(trial).await).clone(),
                },
            };
        }
        if standing == PropagationStatus::Holds {
            standing = self.note_held(id);
        }
        standing
    }

    fn note_held(&self, id: ChangeId) -> PropagationStatus {
        let journal = &self.inner.journal;
        match journal.update_change(id, ChangeStage::Held, Timestamp::now()) {
            Ok(()) => PropagationStatus::Holds,
            Err(error) => PropagationStatus::Unknown(error.to_string()),
        }
    }

    /// Whether the account shows the change.
    async fn read_standing(&self, record: &ChangeRecord) -> PropagationStatus {
        let Some(session) = self.session_for(record) else {
            return PropagationStatus::Unknown(format!(
                "nobody is signed in to {}",
                record.account
            ));
        };
        let wanted = target::state(&record.target, record.after.as_deref(), true);
        match target::read(&session, &record.target).await {
            Ok(live) if live.is_as_written(&wanted) => PropagationStatus::Holds,
            Ok(_) => PropagationStatus::NotYet(format!("{} does not read back yet", record.title)),
            Err(failure) => of_failure(&failure),
        }
    }

    /// Makes the probe, and says what it shows about documents that read back as written.
    async fn upload_standing(&self, trial: &Trial<'_>) -> PropagationStatus {
        let plan = trial.plan;
        let made = match self.draw_up_probe(plan, None).await {
            Ok(mut probe) => {
                // What others left is not part of what was agreed to.
                probe.earlier.retain(|one| one.created_at >= trial.since);
                self.probe(plan, &probe, trial.cancel).await
            }
            Err(error) => Err(error),
        };
        let report = match made {
            Ok(report) => report,
            Err(error) => return PropagationStatus::Unknown(error.to_string()),
        };
        if report.is_success() {
            return PropagationStatus::Holds;
        }
        if let Some(why) = report.what_stays() {
            return PropagationStatus::NotYet(why);
        }
        let refusals: Vec<ObservedCall> = report
            .tried()
            .into_iter()
            .filter(|tried| tried.refusal.is_some())
            .collect();
        if refusals.is_empty() {
            let failed = report.steps.iter().find_map(|step| step.failure.as_ref());
            return failed.map_or_else(
                || PropagationStatus::Unknown("the trial was cut off".to_owned()),
                of_failure,
            );
        }
        let controls = ControlDocuments::default();
        // On the heap: a survey holds dozens of calls.
        match Box::pin(self.assess(plan, &controls)).await {
            Ok(assessed) => of_refusals(&assessed.assessment, &refusals),
            Err(error) => PropagationStatus::Unknown(error.to_string()),
        }
    }
}

/// What the changes are tried with.
struct Trial<'a> {
    plan: &'a Plan,
    /// Since when: what a trial before left is taken back by the next.
    since: Timestamp,
    cancel: &'a CancellationToken,
}

/// What shows whether a change holds.
enum Shown {
    /// That it reads back.
    Reading,
    /// An upload that is begun and taken back.
    Upload,
    /// Nothing, and why.
    Nothing(String),
}

/// What shows whether a change of a plan holds.
fn shown_by(plan: &Plan, record: &ChangeRecord) -> Shown {
    match &record.target {
        ChangeTarget::Recovery { .. } | ChangeTarget::Inventory { .. } => Shown::Reading,
        // What S3 does by itself is tried by nothing of ours, and is a day away as a rule.
        _ if plan.not_probed().is_some() => Shown::Reading,
        _ if spares_forwarded_calls(record) => Shown::Nothing(format!(
            "the {} reads back as written, and exempts calls that a service forwards, which nothing \
             short of an export tries",
            record.title
        )),
        ChangeTarget::BucketPolicy { bucket, .. } if *bucket == plan.destination.bucket => {
            Shown::Upload
        }
        ChangeTarget::KeyPolicy { key }
            if plan.encryption.key() == Some(key.to_string().as_str())
                // Which key that is, the bucket says: the change was drawn up for it.
                || plan.encryption == Encryption::BucketDefault =>
        {
            Shown::Upload
        }
        ChangeTarget::RolePolicy { .. } | ChangeTarget::UserPolicy { .. }
            if record.account == record.source_account =>
        {
            Shown::Upload
        }
        _ => Shown::Nothing(format!(
            "the {} reads back as written, and nothing short of an {} tries it",
            record.title,
            plan.words().noun
        )),
    }
}

/// Whether a change put an exemption for forwarded calls into a Deny.
fn spares_forwarded_calls(record: &ChangeRecord) -> bool {
    let count = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default().to_ascii_lowercase();
        text.matches("aws:viaawsservice").count()
    };
    count(&record.after) > count(&record.before)
}

fn of_failure(failure: &Failure) -> PropagationStatus {
    if failure.is_retryable() {
        PropagationStatus::NotYet(failure.to_string())
    } else {
        PropagationStatus::Unknown(failure.to_string())
    }
}

/// What refused uploads show: where the documents that were read allow the upload, the change does
/// not hold yet; where they tell by themselves why it is refused, nothing.
fn of_refusals(before: &Assessment, refusals: &[ObservedCall]) -> PropagationStatus {
    let after = before.with_calls(refusals);
    for refusal in refusals {
        let is_of = |verdict: &&AssessedRequirement| {
            matches!(&verdict.requirement, Requirement::Permission(need)
                if need.who == refusal.who && need.action == refusal.action)
        };
        let is_allowed = before
            .requirements
            .iter()
            .filter(is_of)
            .all(|verdict| verdict.outcome.is_allowed());
        let is_doubted = after.requirements.iter().filter(is_of).any(|verdict| {
            matches!(verdict.outcome, Verdict::Depends { .. })
                || matches!(verdict.evidence, Evidence::ObservedCall { .. })
        });
        let words = refusal.refusal.as_deref().unwrap_or_default();
        if is_allowed && is_doubted {
            return PropagationStatus::NotYet(format!(
                "{} is allowed by the policies that were read, and refused: {words}",
                refusal.action
            ));
        }
    }
    let refused: Vec<&str> = refusals
        .iter()
        .map(|refusal| refusal.action.as_str())
        .collect();
    PropagationStatus::Unknown(format!(
        "a direct upload is refused for what the policies say ({}), so that it shows nothing of the \
         {}'s",
        refused.join(", "),
        before.plan.words().noun
    ))
}
