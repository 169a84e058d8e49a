//! Evaluation in three values: every statement that applies, and what they come to together.
//!
//! All is computed in three values, so that one pass gives a sound answer also where context keys
//! are unknown: *yes* and *no* hold whatever the keys turn out to be.

use super::condition::{self, ContextReading, Truth};
use super::decision::{Deciding, Decision};
use super::document::{Document, Patterns, Statement, StatementEffect, Version};
use super::grant;
use super::pattern::{self, ResolvedPattern, UnresolvedVariable};
use super::policies::{Grant, Named, Policies, PolicyKind};
use super::principal::{ComparedCaller, PrincipalMatch};
use super::request::{Principal, Request};
use super::scope::{Guard, Scope};

/// A statement or grant that applies, or may apply.
#[derive(Clone, Copy)]
pub(crate) struct MatchedStatement<'p> {
    pub(crate) kind: PolicyKind,
    /// The level of the organization, from the root.
    pub(crate) level: usize,
    pub(crate) policy: &'p str,
    pub(crate) origin: Origin<'p>,
    pub(crate) version: Version,
    pub(crate) is_deny: bool,
    pub(crate) reach: PrincipalMatch,
    pub(crate) truth: Truth,
}

/// What applies.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'p> {
    /// A statement, with its index.
    Statement(usize, &'p Statement<'p>),
    Grant(&'p Grant),
}

impl<'p> MatchedStatement<'p> {
    /// The statement; a grant is none.
    pub(crate) const fn statement(&self) -> Option<&'p Statement<'p>> {
        match self.origin {
            Origin::Statement(_, statement) => Some(statement),
            Origin::Grant(_) => None,
        }
    }

    /// Whether it applies under a reading.
    fn truth_under(&self, request: &Request<'_>, reading: ContextReading<'_>) -> Truth {
        match self.origin {
            Origin::Statement(_, statement) => {
                statement_holds(self.kind, self.version, statement, request, reading)
            }
            Origin::Grant(grant) => grant::holds(grant, request, reading),
        }
    }

    fn describe(&self) -> Deciding {
        Deciding {
            kind: self.kind,
            policy: self.policy.to_owned(),
            sid: match self.origin {
                Origin::Statement(index, statement) => statement.label(index),
                Origin::Grant(_) => "grant".to_owned(),
            },
            is_deny: self.is_deny,
        }
    }
}

/// What each kind of policy results in.
pub(crate) struct LayerResults {
    pub(crate) deny: Truth,
    pub(crate) service_control: Truth,
    pub(crate) endpoint: Truth,
    pub(crate) identity: Truth,
    pub(crate) boundary: Truth,
    pub(crate) session: Truth,
    /// Identity policies, boundary and session policy together.
    pub(crate) delegated: Truth,
    /// What the resource's side allows, however it names the caller.
    pub(crate) resource: Truth,
    pub(crate) allowed: Truth,
}

/// A request, evaluated as far as its known context keys tell.
pub(crate) struct PartialEvaluation<'p> {
    pub(crate) hits: Vec<MatchedStatement<'p>>,
    pub(crate) scope: Scope,
    pub(crate) layers: LayerResults,
}

/// Evaluates a request under one reading of its context.
pub(crate) fn evaluate<'p>(
    request: &Request<'_>,
    policies: &'p Policies<'p>,
    reading: ContextReading<'_>,
) -> PartialEvaluation<'p> {
    let scope = Scope::of(request, policies);
    let mut evaluator = Evaluator {
        request,
        reading,
        caller: ComparedCaller::new(&request.principal, reading),
        has_boundary: policies.boundary.is_some(),
        hits: Vec::with_capacity(8),
    };
    evaluator.put_all(policies, scope);
    let hits = evaluator.hits;
    let layers = LayerResults::of(&hits, scope, policies);
    PartialEvaluation {
        hits,
        scope,
        layers,
    }
}

struct Evaluator<'r, 'p> {
    request: &'r Request<'r>,
    reading: ContextReading<'r>,
    caller: ComparedCaller<'r>,
    has_boundary: bool,
    hits: Vec<MatchedStatement<'p>>,
}

impl<'p> Evaluator<'_, 'p> {
    fn put_all(&mut self, policies: &'p Policies<'p>, scope: Scope) {
        if scope.has_identity_policies {
            for named in &policies.identity {
                self.put(PolicyKind::Identity, 0, named);
            }
            for (kind, named) in [
                (PolicyKind::Boundary, &policies.boundary),
                (PolicyKind::Session, &policies.session),
            ] {
                if let Some(named) = named {
                    self.put(kind, 0, named);
                }
            }
        }
        for (kind, binds, levels) in [
            (
                PolicyKind::ServiceControl,
                scope.service_control_binds,
                &policies.service_control,
            ),
            (
                PolicyKind::ResourceControl,
                scope.resource_control_binds,
                &policies.resource_control,
            ),
        ] {
            for (index, level) in levels.iter().enumerate().filter(|_| binds) {
                for named in &level.policies {
                    self.put(kind, index, named);
                }
            }
        }
        if let Some(named) = &policies.vpc_endpoint {
            self.put(PolicyKind::VpcEndpoint, 0, named);
        }
        if let Some(named) = &policies.resource {
            self.put(scope.resource_kind(), 0, named);
        }
        for grant in &policies.grants {
            self.put_grant(grant);
        }
    }

    fn put(&mut self, kind: PolicyKind, level: usize, named: &'p Named<'p>) {
        let document: &'p Document<'p> = &named.document;
        for (index, statement) in document.statements().iter().enumerate() {
            let Some((reach, truth)) = self.applies(kind, document.version(), statement) else {
                continue;
            };
            self.hits.push(MatchedStatement {
                kind,
                level,
                policy: &named.name,
                origin: Origin::Statement(index, statement),
                version: document.version(),
                is_deny: statement.effect == StatementEffect::Deny,
                reach,
                truth,
            });
        }
    }

    fn applies(
        &self,
        kind: PolicyKind,
        version: Version,
        statement: &Statement<'_>,
    ) -> Option<(PrincipalMatch, Truth)> {
        if !action_applies(&statement.actions, self.request.action) {
            return None;
        }
        let reach = self.principal_applies(kind, statement)?;
        let truth = statement_holds(kind, version, statement, self.request, self.reading);
        (truth != Truth::No).then_some((reach, truth))
    }

    /// How a statement reaches the caller; where a policy is attached to the caller, it always does.
    pub(crate) fn principal_applies(
        &self,
        kind: PolicyKind,
        statement: &Statement<'_>,
    ) -> Option<PrincipalMatch> {
        let is_deny = statement.effect == StatementEffect::Deny;
        match &statement.principals {
            None => (!needs_principal(kind)).then_some(PrincipalMatch::Itself),
            // A principal where AWS takes none: the document could not be stored. It allows nobody.
            Some(_) if !stands_at_resource(kind) => is_deny.then_some(PrincipalMatch::Itself),
            Some(principals) if !principals.is_negated => self.caller.named_by(principals),
            // "Using it with Effect: Allow is not supported"; and it "will always deny any IAM
            // principal that has a permissions boundary policy attached" ("NotPrincipal").
            Some(principals) => {
                let is_hit = self.has_boundary && self.caller.is_iam_entity()
                    || !self.caller.unlisted(principals).is_empty();
                (is_deny && is_hit).then_some(PrincipalMatch::Itself)
            }
        }
    }

    /// "A grant allows … AWS principals to use KMS keys in cryptographic operations" ("Grants in
    /// AWS KMS"); it names operations, a grantee, and may demand an encryption context.
    fn put_grant(&mut self, grant: &'p Grant) {
        let Some(reach) = self.caller.named_by_grant(&grant.grantee) else {
            return;
        };
        let truth = grant::holds(grant, self.request, self.reading);
        if truth != Truth::No {
            self.hits.push(MatchedStatement {
                kind: PolicyKind::Grant,
                level: 0,
                policy: &grant.id,
                origin: Origin::Grant(grant),
                version: Version::Current,
                is_deny: false,
                reach,
                truth,
            });
        }
    }
}

/// Whether the resources and conditions of a statement hold for a request.
fn statement_holds(
    kind: PolicyKind,
    version: Version,
    statement: &Statement<'_>,
    request: &Request<'_>,
    reading: ContextReading<'_>,
) -> Truth {
    let resources = match &statement.resources {
        Some(patterns) => resource_applies(patterns, request.resource, version, reading),
        None => Truth::from(stands_at_resource(kind)),
    };
    if resources == Truth::No {
        return Truth::No;
    }
    resources.and(condition::holds(statement, version, reading))
}

/// Whether an action is among the patterns, or for `NotAction` is not.
pub(crate) fn action_applies(patterns: &Patterns<'_>, action: &str) -> bool {
    patterns
        .items
        .iter()
        .any(|item| pattern::action_matches(&item.value, action))
        != patterns.is_negated
}

/// Whether a resource is among the patterns, or for `NotResource` is not. A pattern whose variable
/// has no value matches nothing, and spoils a `NotResource`.
pub(crate) fn resource_applies(
    patterns: &Patterns<'_>,
    resource: &str,
    version: Version,
    reading: ContextReading<'_>,
) -> Truth {
    let mut found = Truth::No;
    for item in &patterns.items {
        match resource_pattern(&item.value, version, reading) {
            Ok(ready) => found = found.or(ready.is_resource_like(resource).into()),
            Err(UnresolvedVariable::Unknown) => {
                // It matches nothing that it would not match with a `*` for the variable.
                let loose = reading.loosely(&item.value, version);
                let may_match = loose.is_ok_and(|loose| loose.is_resource_like(resource));
                found = found.or(if may_match { Truth::Unknown } else { Truth::No });
            }
            Err(UnresolvedVariable::Unresolved) if patterns.is_negated => return Truth::No,
            Err(UnresolvedVariable::Unresolved) => {}
        }
    }
    match (patterns.is_negated, found) {
        (false, found) => found,
        (true, Truth::No) => Truth::Yes,
        (true, Truth::Yes) => Truth::No,
        (true, Truth::Unknown) => Truth::Unknown,
    }
}

/// A variable may stand "only in the resource portion of the ARN", after the fifth colon ("IAM
/// policy elements: Variables and tags"); elsewhere it is mere text.
pub(crate) fn resource_pattern<'t>(
    text: &'t str,
    version: Version,
    reading: ContextReading<'_>,
) -> Result<ResolvedPattern<'t>, UnresolvedVariable> {
    let is_in_place = text
        .split_once("${")
        .is_some_and(|(head, _)| head.bytes().filter(|byte| *byte == b':').count() >= 5);
    if is_in_place {
        reading.ready(text, version)
    } else {
        Ok(ResolvedPattern::Plain(text))
    }
}

/// Whether a policy is attached to the resource or its surroundings, and so names principals.
const fn stands_at_resource(kind: PolicyKind) -> bool {
    matches!(
        kind,
        PolicyKind::Resource
            | PolicyKind::Trust
            | PolicyKind::VpcEndpoint
            | PolicyKind::ResourceControl
    )
}

const fn needs_principal(kind: PolicyKind) -> bool {
    matches!(
        kind,
        PolicyKind::Resource | PolicyKind::Trust | PolicyKind::VpcEndpoint
    )
}

impl LayerResults {
    fn of(hits: &[MatchedStatement<'_>], scope: Scope, policies: &Policies<'_>) -> Self {
        let is_assumed = |kind: PolicyKind| policies.assumed_to_allow.contains(&kind);
        let allows = |kind: PolicyKind| {
            Truth::any(
                hits.iter()
                    .filter(|hit| !hit.is_deny && hit.kind == kind)
                    .map(|hit| hit.truth),
            )
            .or(is_assumed(kind).into())
        };
        let unless_absent = |is_there: bool, kind: PolicyKind| {
            if is_there { allows(kind) } else { Truth::Yes }
        };
        let identity = match scope.identity_side {
            // "All requests are implicitly denied with the exception of the AWS account root user,
            // which has full access" ("How AWS enforcement code logic evaluates requests").
            Some(Truth::Yes) => Truth::Yes,
            Some(_) => Truth::No,
            None => allows(PolicyKind::Identity),
        };
        let binds = scope.has_identity_policies;
        let boundary = unless_absent(binds && policies.boundary.is_some(), PolicyKind::Boundary);
        let session = unless_absent(binds && policies.session.is_some(), PolicyKind::Session);
        let endpoint = unless_absent(policies.vpc_endpoint.is_some(), PolicyKind::VpcEndpoint);
        let delegated = identity.and(boundary).and(session);
        let at_resource = |reach: PrincipalMatch| {
            Truth::any(hits.iter().filter_map(|hit| {
                let counts = !hit.is_deny
                    && hit.reach == reach
                    && (hit.kind == scope.resource_kind() || hit.kind == PolicyKind::Grant);
                counts.then_some(hit.truth)
            }))
        };
        let is_resource_assumed =
            is_assumed(scope.resource_kind()) || is_assumed(PolicyKind::Grant);
        let (itself, entity, account) = (
            at_resource(PrincipalMatch::Itself).or(is_resource_assumed.into()),
            at_resource(PrincipalMatch::Entity),
            at_resource(PrincipalMatch::Account),
        );
        let resource = itself.or(entity).or(account);
        let core = scope.core(
            itself,
            entity.and(boundary).and(session),
            account,
            delegated,
        );
        let service_control = service_control(hits, scope, policies);
        Self {
            deny: Truth::any(hits.iter().filter(|hit| hit.is_deny).map(|hit| hit.truth)),
            service_control,
            endpoint,
            identity,
            boundary,
            session,
            delegated,
            resource,
            allowed: core.and(service_control).and(endpoint),
        }
    }
}

/// "An allow must be at every level from the root through each OU in the direct path to the account"
/// ("SCP evaluation").
fn service_control(hits: &[MatchedStatement<'_>], scope: Scope, policies: &Policies<'_>) -> Truth {
    if !scope.service_control_binds {
        return Truth::Yes;
    }
    Truth::all((0..policies.service_control.len()).map(|level| {
        Truth::any(
            hits.iter()
                .filter(|hit| {
                    hit.kind == PolicyKind::ServiceControl && !hit.is_deny && hit.level == level
                })
                .map(|hit| hit.truth),
        )
    }))
}

impl<'p> PartialEvaluation<'p> {
    /// The same request under a reading that assumes more. Only what was doubtful is looked at
    /// again: *yes* and *no* hold whatever the keys turn out to be.
    pub(crate) fn under(
        &self,
        request: &Request<'_>,
        policies: &'p Policies<'p>,
        reading: ContextReading<'_>,
    ) -> Self {
        let settle = |hit: &MatchedStatement<'p>| {
            let truth = match hit.truth {
                Truth::Unknown => hit.truth_under(request, reading),
                settled => settled,
            };
            (truth != Truth::No).then_some(MatchedStatement { truth, ..*hit })
        };
        let hits: Vec<MatchedStatement<'p>> = self.hits.iter().filter_map(settle).collect();
        let layers = LayerResults::of(&hits, self.scope, policies);
        Self {
            hits,
            scope: self.scope,
            layers,
        }
    }

    /// The decision, *depends* included.
    pub(crate) fn decision(&self) -> Decision {
        if self.scope.needs_no_permission {
            return Decision::Allowed;
        }
        match (self.layers.deny, self.layers.allowed) {
            (Truth::Yes, _) => Decision::ExplicitDeny,
            (Truth::No, Truth::Yes) => Decision::Allowed,
            (Truth::No, Truth::No) => Decision::ImplicitDeny,
            _ => Decision::Depends,
        }
    }

    /// The statements that decide, among those whose application is as given.
    pub(crate) fn deciding(&self, truth: Truth) -> Vec<Deciding> {
        let decision = self.decision();
        self.hits
            .iter()
            .filter(|hit| hit.truth == truth)
            .filter(|hit| match decision {
                Decision::ExplicitDeny => hit.is_deny,
                Decision::Allowed => !hit.is_deny && self.grants(hit),
                Decision::ImplicitDeny => false,
                Decision::Depends => true,
            })
            .map(MatchedStatement::describe)
            .collect()
    }

    /// Whether a hit gives the permission, as opposed to not taking it away.
    fn grants(&self, hit: &MatchedStatement<'_>) -> bool {
        match hit.kind {
            PolicyKind::Identity => self.layers.delegated == Truth::Yes,
            PolicyKind::Resource | PolicyKind::Trust | PolicyKind::Grant => {
                hit.reach != PrincipalMatch::Account
                    || self.scope.guard != Guard::Open
                    || !self.scope.is_same_account
            }
            _ => false,
        }
    }

    /// The kind of policy that AWS's refusal would name.
    pub(crate) fn denied_by(&self) -> Option<PolicyKind> {
        match self.decision() {
            Decision::ExplicitDeny => self
                .hits
                .iter()
                .find(|hit| hit.is_deny && hit.truth == Truth::Yes)
                .map(|hit| hit.kind),
            Decision::ImplicitDeny => Some(self.missing()),
            Decision::Allowed | Decision::Depends => None,
        }
    }

    /// The kind of policy in which no statement allows.
    fn missing(&self) -> PolicyKind {
        let Scope {
            guard,
            is_same_account,
            has_identity_policies,
            ..
        } = self.scope;
        let is_silent = |truth| truth == Truth::No;
        let at_resource = is_silent(self.layers.resource);
        let is_shut = guard != Guard::Open && is_same_account && at_resource;
        // A grant to the role itself needs no identity policy, so its limits are what is missing.
        let is_granted = is_same_account && !at_resource;
        let is_limited = is_silent(self.layers.boundary) || is_silent(self.layers.session);
        if is_silent(self.layers.service_control) {
            PolicyKind::ServiceControl
        } else if is_silent(self.layers.endpoint) {
            PolicyKind::VpcEndpoint
        } else if !has_identity_policies || is_shut {
            self.scope.resource_kind()
        } else if is_silent(self.layers.identity) && !(is_granted && is_limited) {
            PolicyKind::Identity
        } else if is_silent(self.layers.boundary) {
            PolicyKind::Boundary
        } else if is_silent(self.layers.session) {
            PolicyKind::Session
        } else {
            self.scope.resource_kind()
        }
    }
}

impl ComparedCaller<'_> {
    /// Whether it is an IAM user or role, which alone can have a permissions boundary.
    pub(crate) fn is_iam_entity(&self) -> bool {
        matches!(
            self.principal,
            Principal::User { .. }
                | Principal::Role { .. }
                | Principal::Session { .. }
                | Principal::FederatedUser { .. }
        )
    }
}
