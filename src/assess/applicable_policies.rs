//! Which policies bear on a request, gathered from the facts, and which of them nobody could read.

use std::sync::Arc;

use super::facts::{
    BucketFacts, ControlLevel, Fact, Facts, GrantFacts, KeyFacts, PolicyText, PrincipalFacts,
    ReadError,
};
use super::verdict::{MissingInput, PolicyLayer};
use crate::job::requirement::{RequiredPermission, Subject};
use tableferry_policy::arn::{AccountId, BucketName};
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{Grant, Level, Named, Policies};
use tableferry_policy::policy::Policy;

/// The policies that bear on a request, those that could not be read left out.
#[derive(Debug, Clone, Default)]
pub(super) struct ApplicablePolicies<'f> {
    pub(super) policies: Policies<'f>,
    pub(super) unread: Vec<MissingInput>,
}

/// What the policies of a resource are called in explanations and remedies.
pub(super) fn bucket_document(name: &BucketName) -> String {
    format!("bucket policy of {name}")
}

/// What a key's policy is called.
pub(super) fn key_document(key: &KeyFacts) -> String {
    let name = key
        .arn()
        .map_or_else(|| key.name().to_owned(), |arn| arn.to_string());
    format!("key policy of {name}")
}

/// What a table's policy is called.
fn table_document(asked: &str) -> String {
    format!("resource policy of table {asked}")
}

impl<'f> ApplicablePolicies<'f> {
    /// Gathers them for a need on a resource that `account` owns.
    pub(super) fn of(
        facts: &'f Facts,
        need: &RequiredPermission,
        account: &AccountId,
        key: Option<&'f KeyFacts>,
        table: Option<&str>,
    ) -> Self {
        let mut applicable_policies = Self::default();
        // No identity policy is attached to a service, and no service control policy binds it: "SCPs
        // affect only IAM users and roles that are managed by accounts that are part of the organization".
        if need.service.is_none() {
            let principal = facts.principal(need.who);
            applicable_policies.take_identity(principal);
            applicable_policies.take_service_control(facts, &principal.caller.account);
        }
        applicable_policies.take_resource_control(facts, account);
        match need.subject {
            Subject::Object | Subject::Folder | Subject::SourceBucket => {
                if let Some(name) = need.bucket() {
                    applicable_policies.take_bucket(&name, facts.bucket(&name));
                }
            }
            Subject::ObjectKey(_) | Subject::TableKey => match key {
                Some(key) => applicable_policies.take_key(key),
                None => applicable_policies.take_key_unread(need.resource.pattern()),
            },
            // "DescribeExport and ListExports don't support resource-based policies".
            Subject::Table => applicable_policies.take_table(facts, table),
            Subject::TableExport | Subject::ExportList | Subject::Named { .. } => {}
        }
        applicable_policies
    }

    /// The policies, with these layers of what could not be read taken to allow, and the other grants
    /// among them empty.
    pub(super) fn assuming_allowed(&self, layers: &[PolicyLayer]) -> Policies<'f> {
        let mut policies = self.policies.clone();
        // Where there is none in the evaluation, a boundary limits nothing; this one is there.
        if self.lacks(PolicyLayer::AttachedBoundary)
            && !layers.contains(&PolicyLayer::AttachedBoundary)
        {
            policies.boundary = nothing("a boundary that nobody read");
        }
        let kinds = layers.iter().filter_map(|layer| layer.kind());
        policies.assumed_to_allow.extend(kinds);
        policies
    }

    /// The layers that must allow and could not be read, each once.
    pub(super) fn unread_grants(&self) -> Vec<PolicyLayer> {
        let mut layers: Vec<PolicyLayer> = self.unread.iter().map(|unread| unread.layer).collect();
        layers.retain(|layer| layer.is_grant());
        layers.sort_unstable();
        layers.dedup();
        layers
    }

    /// Takes a layer for settled, since something else told what it results in.
    pub(super) fn settle(&mut self, layer: PolicyLayer) {
        self.unread.retain(|unread| unread.layer != layer);
    }

    /// Leaves the resource's own policy out, which says nothing of the request.
    pub(super) fn leave_out_resource(&mut self) {
        self.policies.resource = None;
        self.settle(PolicyLayer::Resource);
    }

    /// Whether a layer could not be read.
    pub(super) fn lacks(&self, layer: PolicyLayer) -> bool {
        self.unread.iter().any(|unread| unread.layer == layer)
    }

    /// Every document that was read.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Document<'f>> {
        let policies = &self.policies;
        let levels = policies
            .service_control
            .iter()
            .chain(&policies.resource_control)
            .flat_map(|level| &level.policies);
        policies
            .identity
            .iter()
            .chain(&policies.boundary)
            .chain(&policies.resource)
            .chain(levels)
            .map(|named| named.document.as_ref())
    }

    fn miss(&mut self, layer: PolicyLayer, what: impl Into<String>, obstacle: ReadError) {
        self.unread.push(MissingInput {
            layer,
            what: what.into(),
            detail: obstacle.words(),
            permission: obstacle.permission,
        });
    }

    /// Takes a document, or counts what is none as not read.
    fn read(&mut self, layer: PolicyLayer, name: &str, policy: &Policy) -> Option<Named<'f>> {
        match policy.document() {
            Ok(document) => Some(Named::new(name, Arc::clone(document))),
            Err(error) => {
                self.unread.push(MissingInput {
                    layer,
                    what: name.to_owned(),
                    permission: String::new(),
                    detail: format!("it cannot be understood: {error}"),
                });
                None
            }
        }
    }

    fn take_identity(&mut self, principal: &'f PrincipalFacts) {
        let is_user = principal.caller.arn.service == "iam";
        if principal.caller.arn.resource == "root" {
            return;
        }
        let (policies, boundary) = if is_user {
            ("iam:ListAttachedUserPolicies", "iam:GetUser")
        } else {
            ("iam:ListAttachedRolePolicies", "iam:GetRole")
        };
        let name = principal.naming().to_string();
        for PolicyText { name, document } in principal.known_identity_policies() {
            let read = self.read(PolicyLayer::Identity, name, document);
            self.policies.identity.extend(read);
        }
        if let Some(obstacle) = principal.identity_policies.obstacle(policies) {
            self.miss(
                PolicyLayer::Identity,
                format!("the identity policies of {name}"),
                obstacle,
            );
        }
        if let Some(known) = principal.boundary.value() {
            self.policies.boundary =
                self.read(PolicyLayer::AttachedBoundary, &known.name, &known.document);
        } else if let Some(obstacle) = principal.boundary.obstacle(boundary) {
            if let Some(arn) = &principal.attached_boundary {
                let what = format!("the permissions boundary {arn} of {name}");
                self.miss(PolicyLayer::AttachedBoundary, what, obstacle);
            } else {
                let what = format!("the permissions boundary of {name}");
                self.miss(PolicyLayer::Boundary, what, obstacle);
            }
        }
    }

    fn take_service_control(&mut self, facts: &'f Facts, account: &AccountId) {
        if facts.is_beyond_control(account) {
            return;
        }
        let levels = self.levels(
            PolicyLayer::ServiceControl,
            &facts.account(account).service_control,
            &format!("the service control policies over {account}"),
        );
        self.policies.service_control = levels;
    }

    fn take_resource_control(&mut self, facts: &'f Facts, account: &AccountId) {
        if facts.is_beyond_control(account) {
            return;
        }
        let levels = self.levels(
            PolicyLayer::ResourceControl,
            &facts.account(account).resource_control,
            &format!("the resource control policies over {account}"),
        );
        self.policies.resource_control = levels;
    }

    fn levels(
        &mut self,
        layer: PolicyLayer,
        fact: &'f Fact<Vec<ControlLevel>>,
        what: &str,
    ) -> Vec<Level<'f>> {
        if let Some(obstacle) = fact.obstacle("organizations:ListPoliciesForTarget") {
            self.miss(layer, what, obstacle);
        }
        let mut levels = Vec::new();
        for level in fact.value().into_iter().flatten() {
            let mut policies = Vec::new();
            for policy in &level.policies {
                policies.extend(self.read(layer, &policy.name, &policy.document));
            }
            for policy in &level.unread {
                self.unread.push(MissingInput {
                    layer,
                    what: format!("{} of {what}", policy.name),
                    permission: policy.error.permission.clone(),
                    detail: policy.error.words(),
                });
            }
            // A level must allow, and what was not read of it is taken to; what was read may deny.
            if policies.len() < level.policies.len() + level.unread.len() {
                policies.extend(everything(layer, "a control policy that was not read"));
            }
            levels.push(Level {
                target: level.target.clone(),
                policies,
            });
        }
        levels
    }

    fn take_bucket(&mut self, name: &BucketName, bucket: &'f BucketFacts) {
        let name = bucket_document(name);
        self.take_resource(&bucket.policy, &name, "s3:GetBucketPolicy");
    }

    fn take_table(&mut self, facts: &'f Facts, asked: Option<&str>) {
        let Some(table) = asked.and_then(|asked| facts.table(asked)) else {
            return;
        };
        let name = table_document(&table.asked);
        self.take_resource(&table.policy, &name, "dynamodb:GetResourcePolicy");
    }

    fn take_key(&mut self, key: &'f KeyFacts) {
        self.take_resource(&key.policy, &key_document(key), "kms:GetKeyPolicy");
        if let Some(obstacle) = key.grants.obstacle("kms:ListGrants") {
            self.miss(
                PolicyLayer::Grants,
                format!("the grants on {}", key.name()),
                obstacle,
            );
        }
        self.policies.grants = key
            .grants
            .value()
            .into_iter()
            .flatten()
            .map(grant)
            .collect();
    }

    /// A key that nobody has asked about, such as one that a remedy brought into the plan.
    fn take_key_unread(&mut self, name: &str) {
        let unasked = Fact::<()>::UNASKED;
        for (layer, what, permission) in [
            (PolicyLayer::Resource, "key policy of", "kms:GetKeyPolicy"),
            (PolicyLayer::Grants, "grants on", "kms:ListGrants"),
        ] {
            if let Some(obstacle) = unasked.obstacle(permission) {
                self.miss(layer, format!("the {what} {name}"), obstacle);
            }
        }
    }

    fn take_resource(&mut self, policy: &'f Fact<Policy>, name: &str, permission: &str) {
        if let Some(text) = policy.value() {
            self.policies.resource = self.read(PolicyLayer::Resource, name, text);
        } else if let Some(obstacle) = policy.obstacle(permission) {
            self.miss(PolicyLayer::Resource, format!("the {name}"), obstacle);
        }
    }
}

/// A document that allows nothing.
pub(super) fn nothing(name: &str) -> Option<Named<'static>> {
    const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"none:None","Resource":"*"}}"#;
    named(name, NOTHING)
}

/// A control policy that allows everything; those over resources name principals.
fn everything(layer: PolicyLayer, name: &str) -> Option<Named<'static>> {
    const TO_ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
    const EVERYTHING: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let is_over_resources = layer == PolicyLayer::ResourceControl;
    named(
        name,
        if is_over_resources {
            TO_ALL
        } else {
            EVERYTHING
        },
    )
}

fn named(name: &str, text: &'static str) -> Option<Named<'static>> {
    let document = Document::parse(text).ok()?;
    Some(Named::new(name, document))
}

fn grant(grant: &GrantFacts) -> Grant {
    Grant {
        id: grant.id.clone(),
        grantee: grant.grantee.clone(),
        operations: grant.operations.clone(),
        context_subset: grant.context_subset.clone(),
        context_equals: grant.context_equals.clone(),
        source_arn: grant.source_arn.clone(),
    }
}
