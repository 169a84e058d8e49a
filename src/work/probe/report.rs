//! What a probe found out: how its calls ended, which permissions that shows, and what is left.

use jiff::Timestamp;

use super::taken_back::{TakenBack, removal};
use super::{Probe, ProbeCall, SIZE};
use crate::assess::facts::{Fact, Facts, ObservedCall};
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::multipart::{BegunUpload, UploadTarget};
use crate::job::Encryption;
use crate::job::requirement::Actor;
use crate::journal::JournalError;

/// How one of the probe's calls ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// Which.
    pub call: ProbeCall,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// What a probe left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// An incomplete upload that could not be taken back. It is no object, and its part is billed.
    Upload {
        /// `UploadId`.
        id: String,
    },
    /// Perhaps an incomplete upload: whether it was begun was not answered.
    Perhaps,
}

/// What a probe found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// When it was made.
    pub at: Timestamp,
    /// Where to.
    pub target: UploadTarget,
    /// With which encryption.
    pub encryption: Encryption,
    /// What became of what earlier probes left.
    pub taken_back: Vec<TakenBack>,
    /// The calls that were made, in their order.
    pub steps: Vec<ProbeStep>,
    /// What is left of it.
    pub left: Left,
    /// Why the journal does not say how it ended, where it does not.
    pub unrecorded: Option<String>,
    /// The bucket's partition and the key's ARN, by which needs are found again.
    object_arn: String,
    key_arn: Option<String>,
    /// What the calls of a reading show.
    trials: Vec<ObservedCall>,
    /// Whether it reads, and uploads nothing.
    is_reading: bool,
    /// What it cannot show.
    pub not_shown: &'static [&'static str],
}

impl ProbeReport {
    /// What is known before the first call.
    #[must_use]
    pub fn new(probe: &Probe, at: Timestamp) -> Self {
        let bucket = probe.target.bucket.arn(probe.principal.partition);
        Self {
            at,
            target: probe.target.clone(),
            encryption: probe.encryption.clone(),
            taken_back: Vec::new(),
            steps: Vec::new(),
            left: Left::Nothing,
            unrecorded: None,
            object_arn: format!("{bucket}/{}", probe.target.key),
            key_arn: probe.kms_key.clone(),
            trials: Vec::new(),
            is_reading: probe.reads.is_some(),
            not_shown: probe.not_shown,
        }
    }

    pub(super) fn note(&mut self, call: ProbeCall, failure: Option<Failure>) {
        self.steps.push(ProbeStep { call, failure });
    }

    /// Keeps what a call of a reading shows.
    pub(super) fn note_trial(&mut self, action: &str, resource: String, refusal: Option<String>) {
        self.trials.push(ObservedCall {
            who: Actor::Exporter,
            action: action.to_owned(),
            resource,
            at: self.at,
            refusal,
        });
    }

    /// The ARN of the bucket.
    pub(super) fn bucket_arn(&self) -> String {
        let arn = self.object_arn.split_once('/');
        arn.map_or_else(|| self.object_arn.clone(), |(bucket, _)| bucket.to_owned())
    }

    /// Keeps the key that S3 says it encrypts with.
    pub(super) fn note_key(&mut self, upload: &BegunUpload) {
        self.key_arn = upload.kms_key.clone().or(self.key_arn.take());
    }

    /// Keeps why the journal could not be written; the deed goes on, since it is better ended than left.
    pub(super) fn keep(&mut self, written: Result<(), JournalError>) {
        if let Err(error) = written {
            self.unrecorded = Some(error.to_string());
        }
    }

    /// Whether an upload of an earlier probe to the same bucket may be aborted by nobody who is signed
    /// in: this one would be left as well.
    pub(super) fn would_leave_another(&self) -> bool {
        self.taken_back
            .iter()
            .any(|earlier| earlier.record.bucket == self.target.bucket && earlier.is_refused())
    }

    /// What of an earlier probe stays, so that this one was not made; `None` where it was.
    pub(in crate::work) fn what_stays(&self) -> Option<String> {
        let mut earlier = self
            .taken_back
            .iter()
            .filter(|_| self.would_leave_another());
        earlier.find(|one| one.is_refused()).map(TakenBack::words)
    }

    /// Whether every call was made, and none failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let is_whole = self.steps.len() == 3 || self.is_reading && !self.steps.is_empty();
        is_whole && self.steps.iter().all(|step| step.failure.is_none())
    }

    /// The permissions that were tried for real, as facts. What was answered with anything but a
    /// refusal, such as an unknown key or no answer, shows nothing about a permission.
    #[must_use]
    pub fn tried(&self) -> Vec<ObservedCall> {
        let mut tried = self.trials.clone();
        for step in self.steps.iter().filter(|_| !self.is_reading) {
            match &step.failure {
                None => tried.extend(
                    self.actions(step.call)
                        .iter()
                        .filter_map(|action| self.trial(action, None)),
                ),
                Some(failure) if failure.kind == FailureKind::AccessDenied => {
                    let action = refused_action(step.call, &failure.message);
                    tried.extend(self.trial(action, Some(&failure.message)));
                }
                Some(_) => {}
            }
        }
        tried
    }

    /// Adds to facts what the probe found out: the permissions, and whose the bucket is, since S3 lets
    /// in no request that expects another owner ("Verifying bucket ownership with bucket owner
    /// condition").
    pub fn put_into(&self, facts: &mut Facts) {
        facts.tried.extend(self.tried());
        let is_let_in = self.steps.iter().any(|step| step.failure.is_none()) && !self.is_reading;
        if is_let_in && !facts.bucket_mut(&self.target.bucket).owner.is_settled() {
            let owner = self.target.owner.clone();
            facts.bucket_mut(&self.target.bucket).owner =
                Fact::known(owner, self.at, "the probe's ExpectedBucketOwner");
        }
    }

    /// What a call that worked shows ("Multipart upload API and permissions" and "Uploading and copying
    /// objects using multipart upload", S3 user guide): the data key is made when the upload begins, and
    /// decrypted for each part. Beginning and part are both under `s3:PutObject`, in contexts that differ,
    /// so that the part alone, which comes last, shows it.
    const fn actions(&self, call: ProbeCall) -> &'static [&'static str] {
        match (call, &self.key_arn) {
            (ProbeCall::Begin, Some(_)) => &["kms:GenerateDataKey"],
            // What the calls of a reading show is noted as they are made.
            (ProbeCall::Begin, None)
            | (ProbeCall::List | ProbeCall::Head | ProbeCall::ReadFirstByte, _) => &[],
            (ProbeCall::SendPart, Some(_)) => &["s3:PutObject", "kms:Decrypt"],
            (ProbeCall::SendPart, None) => &["s3:PutObject"],
            (ProbeCall::Abort, _) => &["s3:AbortMultipartUpload"],
        }
    }

    fn trial(&self, action: &str, refusal: Option<&str>) -> Option<ObservedCall> {
        let resource = if action.starts_with("kms:") {
            self.key_arn.clone()?
        } else {
            self.object_arn.clone()
        };
        Some(ObservedCall {
            who: Actor::Exporter,
            action: action.to_owned(),
            resource,
            at: self.at,
            refusal: refusal.map(str::to_owned),
        })
    }

    /// What it found out, in lines for people; what is left is told apart, by [`Self::problems`].
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let earlier = self.taken_back.iter().filter(|one| one.hint().is_none());
        let mut lines: Vec<String> = earlier.map(TakenBack::words).collect();
        for step in &self.steps {
            let call = step.call.as_str();
            lines.push(match &step.failure {
                None => format!("{call}: done"),
                Some(failure) => format!("{call}: failed: {failure}"),
            });
        }
        let is_abort_refused = self
            .steps
            .iter()
            .any(|step| step.call == ProbeCall::Abort && step.failure.is_some());
        if is_abort_refused && self.left == Left::Nothing {
            lines.push("the bucket's owner took it back: nothing is left".to_owned());
        }
        let tried = self.tried();
        for (word, is_refused) in [("allowed", false), ("refused", true)] {
            let mut actions: Vec<&str> = tried
                .iter()
                .filter(|tried| tried.refusal.is_some() == is_refused)
                .map(|tried| tried.action.as_str())
                .collect();
            actions.dedup();
            if !actions.is_empty() {
                lines.push(format!("tried, and {word}: {}", actions.join(", ")));
            }
        }
        if tried.iter().any(|tried| tried.refusal.is_none()) {
            lines.push(
                "what was allowed got past the policies of both accounts, service and resource \
                 control policies and Block Public Access, as they are now"
                    .to_owned(),
            );
        }
        if !self.steps.is_empty() {
            let not_shown = self.not_shown.iter();
            lines.extend(not_shown.map(|text| format!("not shown: {text}")));
        }
        lines
    }

    /// What went wrong but for refusals, each with what to do about it: what is left of this probe or of
    /// an earlier one, and what the journal does not say.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let earlier = self.taken_back.iter();
        let mut problems: Vec<(String, String)> = earlier
            .filter_map(|one| Some((one.words(), one.hint()?)))
            .collect();
        if self.would_leave_another() {
            problems.push((
                "nothing more was sent: a new upload could not be taken back either".to_owned(),
                "allow s3:AbortMultipartUpload to the source, or let the bucket's owner remove what \
                 is left"
                    .to_owned(),
            ));
        }
        problems.extend(self.leftover());
        if let Some(why) = &self.unrecorded {
            problems.push((
                format!("the journal does not say how the probe ended: {why}"),
                "the next probe looks whether something of it is left".to_owned(),
            ));
        }
        problems
    }

    /// What is left of this probe, and what removes it.
    fn leftover(&self) -> Option<(String, String)> {
        let target = &self.target;
        let command = self.removal()?;
        let next = "the next probe takes it back where it may by then";
        Some(match &self.left {
            Left::Nothing => return None,
            Left::Upload { id } => (
                format!(
                    "the incomplete upload {id} of s3://{target} is left: it could not be taken back. \
                     It is no object, and its {SIZE} bytes are billed until it is aborted"
                ),
                format!(
                    "`{command}` removes it, and so does a lifecycle rule with \
                     AbortIncompleteMultipartUpload; {next}"
                ),
            ),
            Left::Perhaps => (
                format!(
                    "whether an incomplete upload of s3://{target} is left is not known: its \
                     beginning was not answered"
                ),
                format!(
                    "`{command}` shows it, and `aws s3api abort-multipart-upload` removes it; so does \
                     a lifecycle rule with AbortIncompleteMultipartUpload; {next}"
                ),
            ),
        })
    }

    /// What takes away what is left, as a command; none where nothing is.
    #[must_use]
    pub fn removal(&self) -> Option<String> {
        match &self.left {
            Left::Nothing => None,
            Left::Upload { id } => Some(removal(&self.target, Some(id))),
            Left::Perhaps => Some(removal(&self.target, None)),
        }
    }
}

/// Which permission a refusal is about. KMS's refusals name theirs also through S3; one that names
/// none is S3's own, as it words it for other accounts.
fn refused_action(call: ProbeCall, message: &str) -> &'static str {
    const NAMED: [&str; 3] = ["kms:GenerateDataKey", "kms:Decrypt", "s3:PutObject"];
    let own = match call {
        ProbeCall::Begin | ProbeCall::SendPart => "s3:PutObject",
        ProbeCall::Abort => "s3:AbortMultipartUpload",
        ProbeCall::List => "s3:ListBucket",
        ProbeCall::Head | ProbeCall::ReadFirstByte => "s3:GetObject",
    };
    NAMED
        .into_iter()
        .find(|action| message.contains(&format!("perform: {action} ")))
        .unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_about_the_permission_that_it_names() {
        let kms = "User: arn:aws:sts::111111111111:assumed-role/OnCall/pat is not authorized to \
                   perform: kms:Decrypt on this resource because the resource does not exist in \
                   this Region, no resource-based policies allow access, or a resource-based \
                   policy explicitly denies access";
        assert_eq!(refused_action(ProbeCall::SendPart, kms), "kms:Decrypt");
        assert_eq!(
            refused_action(ProbeCall::Begin, "Access Denied"),
            "s3:PutObject"
        );
        let abort = refused_action(ProbeCall::Abort, "Access Denied");
        assert_eq!(abort, "s3:AbortMultipartUpload");
    }
}
