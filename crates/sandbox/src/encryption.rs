//! KMS keys in use by a service: which key a reference means, and whether the principal for which the
//! service acts for may use it.

use jiff::Timestamp;

use super::authorize::{Attempt, Denial};
use super::bucket::Bucket;
use super::caller::Caller;
use super::context::{self, RequestRoute};
use super::world::{Key, World};
use tableferry_policy::arn::Arn;
use tableferry_policy::evaluate::PolicyKind;

/// Why a key cannot be used; the texts are KMS's.
#[derive(Debug, Clone)]
pub(super) enum KeyProblem {
    NotFound(String),
    /// The key's state forbids it, by KMS's code for that.
    State {
        code: &'static str,
        message: String,
    },
    Denied(String),
}

impl KeyProblem {
    /// What a key's state keeps from being done with it ("Key states of AWS KMS keys", KMS developer
    /// guide).
    fn of_state(key: &Key, arn: &str) -> Option<Self> {
        let (code, message) = match key.state.as_str() {
            "Enabled" => return None,
            "PendingDeletion" => (
                "KMSInvalidStateException",
                format!("{arn} is pending deletion."),
            ),
            _ => ("DisabledException", format!("{arn} is disabled.")),
        };
        Some(Self::State { code, message })
    }
}

/// A use of a key by a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyUse<'a> {
    pub caller: &'a Caller,
    pub actions: &'a [&'a str],
    /// Such as `s3.eu-west-1.amazonaws.com`.
    pub via_service: &'a str,
    pub encryption_context: &'a [(&'a str, &'a str)],
    pub now: Timestamp,
    pub route: RequestRoute,
}

impl World {
    /// The key that a reference means to S3, for objects of a bucket: a key's ARN or id, or an
    /// alias; none stands for `aws/s3`.
    pub(super) fn resolve_key(
        &self,
        caller_account: &str,
        bucket: &Bucket,
        reference: Option<&str>,
    ) -> Result<(&str, &Key), KeyProblem> {
        let reference = reference.unwrap_or("alias/aws/s3");
        if reference.starts_with("arn:") {
            return self.resolve_key_arn(caller_account, &bucket.region, reference);
        }
        // "An alias resolves in the caller's account", and AWS managed keys serve their own alone.
        if matches!(reference, "aws/s3" | "alias/aws/s3") && caller_account != bucket.account {
            return Err(KeyProblem::NotFound("Invalid keyId aws/s3".to_owned()));
        }
        let name = if reference == "aws/s3" {
            "alias/aws/s3"
        } else {
            reference
        };
        let (account, _) = self
            .accounts
            .get_key_value(caller_account)
            .ok_or_else(|| KeyProblem::NotFound(format!("Invalid keyId {reference}")))?;
        let partition = self.partition;
        let (found, text) = if name.starts_with("alias/") {
            let text = format!(
                "Alias arn:{partition}:kms:{}:{account}:{name} is not found.",
                bucket.region
            );
            (self.key_by_alias(account, &bucket.region, name), text)
        } else {
            let text = format!(
                "Key 'arn:{partition}:kms:{}:{account}:key/{name}' does not exist",
                bucket.region
            );
            (self.key(account, &bucket.region, name), text)
        };
        found
            .map(|key| (account.as_str(), key))
            .ok_or(KeyProblem::NotFound(text))
    }

    fn resolve_key_arn(
        &self,
        caller_account: &str,
        region: &str,
        text: &str,
    ) -> Result<(&str, &Key), KeyProblem> {
        let missing = || KeyProblem::NotFound(format!("Key '{text}' does not exist"));
        let arn: Arn = text.parse().map_err(|_| missing())?;
        if arn.partition != self.partition || arn.region != region {
            return Err(KeyProblem::NotFound(format!("Invalid arn {}", arn.region)));
        }
        let (account, _) = self
            .accounts
            .get_key_value(&arn.account)
            .ok_or_else(missing)?;
        let key = if arn.resource.starts_with("alias/") {
            // "An alias resolves in the caller's account" ("Using encryption with AWS KMS keys").
            self.key_by_alias(account, region, &arn.resource)
                .filter(|_| account == caller_account)
                .ok_or_else(|| KeyProblem::NotFound(format!("Alias {text} is not found.")))?
        } else {
            arn.resource_after("key")
                .and_then(|id| self.key(account, region, id))
                .ok_or_else(missing)?
        };
        Ok((account, key))
    }

    /// Uses a key on a caller's behalf.
    pub(super) fn use_key(
        &self,
        account: &str,
        key: &Key,
        purpose: &KeyUse<'_>,
    ) -> Result<(), KeyProblem> {
        let arn = key.arn(self.partition, account);
        if let Some(problem) = KeyProblem::of_state(key, &arn) {
            return Err(problem);
        }
        let caller = purpose.caller;
        let mut context =
            context::of_request(self, caller, &key.region, purpose.now, purpose.route);
        context::add_resource_account(&mut context, self, account);
        context::add_key_use(
            &mut context,
            &caller.account,
            Some(purpose.via_service),
            purpose.encryption_context,
        );
        for action in purpose.actions {
            self.authorize(&Attempt {
                caller,
                action,
                resource: &arn,
                resource_account: account,
                policy: key.policy.in_force(purpose.now).map(|text| text.0.as_str()),
                grants: &key.grants,
                context: &context,
                now: purpose.now,
            })
            .map_err(|denial| KeyProblem::Denied(key_sentence(&denial, caller, account)))?;
        }
        Ok(())
    }
}

/// KMS's refusal: about a key of another account it does not say more than that nothing allows it.
pub(super) fn key_sentence(denial: &Denial, caller: &Caller, account: &str) -> String {
    let is_about_key = matches!(denial.kind, PolicyKind::Resource | PolicyKind::Grant);
    if caller.account != account && (is_about_key || !denial.has_reason) {
        format!(
            "User: {} is not authorized to perform: {} on this resource because the resource does \
             not exist in this Region, no resource-based policies allow access, or a \
             resource-based policy explicitly denies access",
            denial.who, denial.action
        )
    } else {
        denial.sentence()
    }
}
