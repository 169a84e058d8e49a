//! A refusal while an archive is read, as what it is: a reading whose requirement is not met.
//!
//! The reading is drawn up as a plan with `kind = "read"` for the principal that was refused, and assessed
//! like any plan, with the refusal itself among what was observed: so that it says which statement decides
//! where that can be read, and what fixes it.

use jiff::Timestamp;

use super::error::ArchiveError;
use super::place::ArchivePlace;
use crate::assess::assessment::Assessment;
use crate::assess::facts::ObservedCall;
use crate::assess::verdict::{Requirement, Verdict};
use crate::aws::failure::{Failure, FailureKind};
use crate::diagnosis::sentence::AuthorizationSentence;
use crate::job::requirement::Actor;
use crate::job::{Destination, Encryption, Plan, Prefix, Reading, Source};
use crate::work::event::Side;
use crate::work::{ControlDocuments, StartError, Work};
use tableferry_policy::arn::{BucketName, Partition};

impl Work {
    /// The reading of what lies below a prefix that was refused, assessed; `None` where no permission to read
    /// objects was missing, and for a directory.
    pub async fn assess_refused_reading(
        &self,
        error: &ArchiveError,
        place: &ArchivePlace,
        below: Option<Prefix>,
    ) -> Option<Result<Assessment, StartError>> {
        let ArchiveError::Call(failure) = error else {
            return None;
        };
        let ArchivePlace::Bucket {
            side,
            bucket,
            owner,
            folder,
        } = place
        else {
            return None;
        };
        let reader = self.sessions().get(side).cloned()?;
        let partition = reader.session.identity.arn.partition;
        let observed = observed_call(failure, (bucket, folder), partition)?;
        // One that was named alone may be anybody: of two sides, the destination is the bucket's.
        let is_of_run = self.session(Side::Source).is_some();
        let of_bucket = self.sessions().get(&Side::Destination).cloned();
        let of_bucket = of_bucket.filter(|_| is_of_run);
        let plan = Plan {
            kind: Reading::default().into(),
            source: Source {
                sign_in: reader.how.clone(),
            },
            destination: Destination {
                sign_in: of_bucket.as_ref().map(|side| side.how.clone()),
                bucket: bucket.clone(),
                owner: owner.clone(),
                prefix: below,
            },
            encryption: Encryption::BucketDefault,
            tables: Vec::new(),
            selectors: Vec::new(),
            mask: None,
        };
        let own = self.with_own_sessions();
        own.sessions().insert(Side::Source, reader);
        if let Some(of_bucket) = of_bucket {
            own.sessions().insert(Side::Destination, of_bucket);
        }
        let assessed = own.assess(&plan, &ControlDocuments::default()).await;
        Some(assessed.map(|assessed| {
            // What the policies explain by themselves needs no witness.
            if is_explained(&assessed.assessment, &observed) {
                assessed.assessment
            } else {
                own.assess_with_tried(assessed, [observed]).assessment
            }
        }))
    }
}

/// Whether what was read says by itself why a call was refused.
fn is_explained(assessment: &Assessment, refused: &ObservedCall) -> bool {
    assessment.requirements.iter().any(|found| {
        let is_of_call = matches!(
            &found.requirement,
            Requirement::Permission(need) if need.action == refused.action
        );
        is_of_call && found.outcome == Verdict::Denied
    })
}

/// The permission that a refused call lacked. S3 refuses in KMS's words where the key is what is missing.
fn observed_call(
    failure: &Failure,
    (bucket, folder): (&BucketName, &str),
    partition: Partition,
) -> Option<ObservedCall> {
    if failure.kind != FailureKind::AccessDenied {
        return None;
    }
    let stated = AuthorizationSentence::find(&failure.message);
    let (action, resource) = stated.map_or((None, None), |stated| (stated.action, stated.resource));
    let action = action.unwrap_or_else(|| failure.operation.clone());
    let bucket = bucket.arn(partition);
    let resource = match action.as_str() {
        "s3:ListBucket" => bucket,
        // Which object it was does not matter: all of them lie there.
        "s3:GetObject" => resource.unwrap_or_else(|| format!("{bucket}/{folder}")),
        "kms:Decrypt" => resource?,
        _ => return None,
    };
    Some(ObservedCall {
        who: Actor::Exporter,
        action,
        resource,
        at: Timestamp::now(),
        refusal: Some(failure.message.clone()),
    })
}
