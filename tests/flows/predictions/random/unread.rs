//! What nobody of a plan may read: readings that are refused to each of its identities, so that a
//! grant or a limit is there, or is not, and decides unseen.

use fastrand::Rng;
use serde_json::{Value, json};

use tableferry::assess::verdict::{MissingInput, PolicyLayer};

use super::case::{BUCKET, Case, SOURCE, TABLE, everything};
use super::statements::{happens, one_of};
use super::world::{CONTROL, OF_ACCOUNT, RESOURCE_CONTROL, attached_arn, boundary_arn};

/// Puts some of the caller's statements into a managed policy, and refuses readings, each by a coin.
pub(super) fn hide(case: &mut Case, rng: &mut Rng) {
    if happens(rng, 55) {
        return;
    }
    if happens(rng, 35) {
        attach_some(case, rng);
    }
    let choices = readings(case);
    for _ in 0..rng.usize(1..=2) {
        let refusal = one_of(rng, &choices);
        if !case.refusals.contains(&refusal) {
            case.refusals.push(refusal);
        }
    }
    if !case.attached.is_empty() && happens(rng, 70) {
        case.refusals.push(of_managed(&attached_arn()));
    }
    if case.boundary.is_some() && happens(rng, 50) {
        case.refusals.push(of_managed(&boundary_arn()));
    }
}

/// The right to start the export alone, or each statement by its own coin.
fn attach_some(case: &mut Case, rng: &mut Rng) {
    let is_start_alone = happens(rng, 40);
    for statement in std::mem::take(&mut case.identity) {
        let is_attached = if is_start_alone {
            statement["Sid"] == "Export"
        } else {
            happens(rng, 50)
        };
        let document = if is_attached {
            &mut case.attached
        } else {
            &mut case.identity
        };
        document.push(statement);
    }
}

/// The Denies that keep one thing each from being read.
fn readings(case: &Case) -> Vec<Value> {
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    let table = format!("arn:aws:dynamodb:eu-west-1:{SOURCE}:table/{TABLE}");
    let mut all = vec![
        refused(&["s3:GetBucketPolicy"], &bucket),
        refused(&["kms:GetKeyPolicy"], &case.key_arn()),
        refused(&["kms:ListGrants"], &case.key_arn()),
        refused(&["kms:GetKeyPolicy", "kms:ListGrants"], &case.key_arn()),
        refused(&["kms:GetKeyPolicy"], &Case::table_key_arn()),
        refused(&["dynamodb:GetResourcePolicy"], &table),
        refused(&["organizations:DescribePolicy"], CONTROL),
        refused(&["organizations:DescribePolicy"], OF_ACCOUNT),
        refused(&["organizations:DescribePolicy"], RESOURCE_CONTROL),
        refused(&["iam:GetRole", "iam:GetUser"], &case.identity_arn()),
    ];
    if case.is_user() && !case.of_group.is_empty() {
        let group = format!("arn:aws:iam::{SOURCE}:group/Crew");
        all.push(refused(&["iam:GetGroupPolicy"], &group));
    }
    all
}

fn of_managed(arn: &str) -> Value {
    refused(&["iam:GetPolicy", "iam:GetPolicyVersion"], arn)
}

fn refused(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Deny", "Action": actions, "Resource": resource })
}

/// Whether a refusal keeps a limit from being read, which is assumed to permit where nobody reads it, and
/// is named by no unknown.
pub(super) fn is_of_limit(refusal: &Value) -> bool {
    ["organizations:DescribePolicy", "iam:GetRole"]
        .iter()
        .any(|limit| refusal["Action"][0] == *limit)
}

/// Lets the plan's identities read by these permissions; whether any of them was refused.
pub(super) fn lift(case: &mut Case, permissions: &[String]) -> bool {
    let mut is_lifted = false;
    for refusal in &mut case.refusals {
        let actions = refusal["Action"].as_array_mut().unwrap();
        let before = actions.len();
        actions.retain(|action| !permissions.iter().any(|named| action == named));
        is_lifted |= actions.len() < before;
    }
    case.refusals
        .retain(|refusal| refusal["Action"] != json!([]));
    is_lifted
}

impl Case {
    /// Whether what is assumed of something that could not be read is so: that nothing in it denies.
    pub(crate) fn holds(&self, unread: &MissingInput) -> bool {
        let denies = |documents: &[&[Value]]| {
            let mut statements = documents.iter().copied().flatten();
            statements.any(|statement| statement["Effect"] == "Deny")
        };
        let allows_all = |document: &[Value]| document.iter().all(|found| *found == everything());
        match unread.layer {
            PolicyLayer::Identity => !denies(&[&self.identity, &self.attached, &self.of_group]),
            PolicyLayer::Boundary => self.boundary.is_none(),
            PolicyLayer::ServiceControl => {
                allows_all(&self.service_control)
                    && self
                        .account_service_control
                        .as_deref()
                        .is_none_or(allows_all)
            }
            PolicyLayer::ResourceControl => self.resource_control.is_empty(),
            PolicyLayer::Resource => {
                !denies(&[&self.bucket, &self.key, &self.table_key, &self.table])
            }
            PolicyLayer::Grants => true,
            PolicyLayer::AttachedBoundary | PolicyLayer::Setting => false,
        }
    }
}
