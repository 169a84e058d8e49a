//! A Deny for want of encryption, and a key that no account can open: both are fixed in the plan.

use super::{PlanChange, RemedySearch};
use crate::assess::deny::{
    demanded_key, demands_aes256, demands_kms, denying_document, is_about_encryption,
};
use crate::assess::facts::{Facts, KeyFacts, KeyManager};
use crate::assess::remedy::message::Passage;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::AssessedRequirement;
use crate::job::requirement::RequiredPermission;
use crate::job::{Encryption, KeyRef};
use tableferry_policy::arn::BucketName;
use tableferry_policy::document::{Statement, StatementEffect};
use tableferry_policy::evaluate::{Deciding, PolicyKind};

/// What the plan calls the algorithm.
const ALGORITHM: &str = "encryption.algorithm";

impl RemedySearch<'_> {
    /// A Deny for want of an encryption header is met by encrypting as it asks, not by an exemption:
    /// such a bucket "makes `S3SseAlgorithm=KMS` mandatory". Without a key that is known, the
    /// algorithm alone is changed, and which key is for the operator to choose.
    pub(super) fn encrypt_as(
        &mut self,
        statement: &Statement<'_>,
        verdict: &AssessedRequirement,
    ) -> bool {
        let key = self.known_key(statement);
        let is_chosen = self.plan.encryption.key().is_some();
        let wanted = if demands_aes256(statement) {
            Encryption::Aes256
        } else if key.is_some() || (demands_kms(statement) && !is_chosen) {
            Encryption::Kms { key }
        } else if demands_kms(statement) {
            return self.ask_for_key(verdict);
        } else {
            return self.tell(verdict);
        };
        let is_changed = |change: &PlanChange| change.key == ALGORITHM;
        if self.plan.encryption == wanted || self.plan_changes.iter().any(is_changed) {
            return match wanted {
                Encryption::Kms { key: None } => self.ask_for_key(verdict),
                _ => self.tell(verdict),
            };
        }
        let deny = verdict.deciding.iter().find(|deciding| deciding.is_deny);
        let why = match deny.map(|deny| (deny.kind, &deny.policy)) {
            Some((PolicyKind::ResourceControl, policy)) => format!(
                "the resource control policy {policy} denies uploads that are encrypted otherwise"
            ),
            _ => "the bucket's policy denies uploads that are encrypted otherwise".to_owned(),
        };
        let mut change = |key, value: &str| {
            self.plan_changes.push(PlanChange {
                key,
                value: value.to_owned(),
                why: why.clone(),
                resolves: vec![verdict.requirement.id()],
            });
        };
        change(ALGORITHM, wanted.as_str());
        if let Some(key) = wanted.key() {
            change("encryption.key", key);
        }
        self.plan.encryption = wanted;
        true
    }

    /// Meets a Deny of a resource control policy by the plan's encryption, where it asks for that.
    pub(super) fn meet_control(
        &mut self,
        deny: &Deciding,
        need: &RequiredPermission,
        verdict: &AssessedRequirement,
    ) -> bool {
        let place = (deny.policy.clone(), deny.sid.clone());
        if self.encrypted.contains(&place) {
            self.note_encrypted(need);
            return false;
        }
        let facts = self.facts;
        let statement = denying_document(facts, deny).and_then(|document| {
            let mut all = document.statements().iter().enumerate();
            all.find(|(index, one)| {
                one.effect == StatementEffect::Deny && one.label(*index) == deny.sid
            })
        });
        match statement {
            Some((_, statement)) if is_about_encryption(statement) => {
                self.encrypted.push(place);
                self.encrypt_as(statement, verdict)
            }
            _ => self.tell(verdict),
        }
    }

    /// The change of the plan's encryption resolves what else the Deny hits, too.
    pub(super) fn note_encrypted(&mut self, need: &RequiredPermission) {
        let of_encryption = |change: &&mut PlanChange| change.key.starts_with("encryption.");
        for change in self.plan_changes.iter_mut().filter(of_encryption) {
            let id = need.id();
            if !change.resolves.contains(&id) {
                change.resolves.push(id);
            }
        }
    }

    /// The key that a Deny demands, or the bucket's own: by its ARN, and one that the export can use.
    fn known_key(&self, statement: &Statement<'_>) -> Option<KeyRef> {
        let default = self
            .facts
            .bucket(&self.plan.destination.bucket)
            .encryption
            .value();
        let by_default = default.and_then(|default| default.key.clone());
        let named = demanded_key(statement).or(by_default)?;
        let known = self.facts.key(&named);
        let is_managed = known
            .and_then(|known| known.description.value())
            .is_some_and(|key| key.manager == KeyManager::Aws);
        let arn = known.and_then(KeyFacts::arn).or(named.parse().ok())?;
        let arn = arn.to_string();
        let is_one_key = arn.contains(":key/") && !arn.contains(['*', '?']);
        arn.parse().ok().filter(|_| is_one_key && !is_managed)
    }

    /// Asks the operator to choose a key that other accounts can use, with those that are known.
    pub(super) fn ask_for_key(&mut self, verdict: &AssessedRequirement) -> bool {
        let why = if self.plan.encryption.key().is_some() {
            verdict.explanation.as_str()
        } else {
            "Without encryption.key S3 takes the AWS managed key aws/s3"
        };
        let text = key_to_choose(self.facts, &self.plan.destination.bucket, why);
        let about = verdict.requirement.id();
        self.note(Responsible::You, Passage::Sentence { about, text })
    }
}

/// What to tell the operator who has to choose a key; `why` is a sentence without its full stop.
fn key_to_choose(facts: &Facts, bucket: &BucketName, why: &str) -> String {
    let region = facts.bucket(bucket).region.value();
    let place = region.map_or_else(
        || format!("the Region of bucket {bucket}"),
        |region| format!("{region}, where bucket {bucket} is"),
    );
    let known: Vec<String> = facts
        .keys()
        .filter_map(|key| key.description.value())
        .filter(|key| key.manager == KeyManager::Customer && key.state == "Enabled")
        .filter(|key| region.is_none_or(|region| key.arn.region == region.as_str()))
        .map(|key| key.arn.to_string())
        .collect();
    let known = if known.is_empty() {
        "ask the bucket's owner for one".to_owned()
    } else {
        format!("known are {}", known.join(", "))
    };
    format!(
        "{why}. Choose a customer managed key in {place}, and set encryption.key to its full ARN, \
         arn:aws:kms:REGION:ACCOUNT:key/ID: {known}. An AWS managed key such as aws/s3 and an alias \
         of another account cannot be used across accounts."
    )
}
