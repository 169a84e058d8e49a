//! The whole policies that a plan needs, whether they are missing or not: what the exporter needs on
//! its own side as a policy of its own, and for each resource of another account the live document
//! with what is not in it yet. What else must be fixed, such as a Deny, is fixed in them too.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::draft::{Drawn, fitting, needing};
use super::{ExemptingDeny, Fix, GrantOptions, Remedies, Remedy, Target, proof, statement};
use crate::assess::facts::Facts;
use crate::assess::job_facts::{bucket_owner, required_permissions};
use crate::assess::principal::SourcePrincipal;
use crate::assess::responsible::Responsible;
use crate::job::Plan;
use crate::job::requirement::{Actor, RequiredPermission};
use tableferry_policy::arn::Arn;
use tableferry_policy::edit;

/// Writes the whole policies that a plan's export needs, one for each document, beside the other
/// remedies.
///
/// The exporting account's own resources get none, as its identity policy is enough for them; nor
/// does the root user, who needs no identity policy.
#[must_use]
pub fn whole(plan: &Plan, facts: &Facts, now: Timestamp, grant_options: GrantOptions) -> Remedies {
    let mut found = super::remedies(plan, facts, now, grant_options);
    let documents = documents(&found.plan, facts);
    let (mut least, others): (Vec<Remedy>, Vec<Remedy>) = found
        .remedies
        .into_iter()
        .partition(|remedy| target(remedy).is_some_and(|target| documents.contains_key(target)));
    let whole = Whole {
        plan: &found.plan,
        facts,
        now,
        grant_options,
    };
    found.remedies = documents
        .iter()
        .map(|(wanted, needs)| {
            let at = least.iter().position(|least| target(least) == Some(wanted));
            let least = at.map(|at| least.swap_remove(at));
            whole.remedy(wanted, needs, least)
        })
        .chain(others)
        .collect();
    found
}

/// A policy that a plan needs, from scratch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholePolicy {
    /// The document that it goes into.
    pub target: Target,
    /// A document with nothing but the statements for the plan.
    pub text: String,
}

/// The policies that a plan's export needs, each as a document of its own, whether an account has
/// them already or not.
#[must_use]
pub fn from_scratch(plan: &Plan, facts: &Facts) -> Vec<WholePolicy> {
    let documents = documents(plan, facts);
    let via_s3 = statement::via_s3(plan, facts);
    let grant_options = statement::StatementOptions {
        expires: None,
        via_s3: via_s3.as_deref(),
        is_wide: false,
    };
    let written = documents.into_iter().map(|(target, needs)| {
        let drawn = fitting(&target, facts, grant_options, |grant_options| {
            let mut drawn = Drawn::of(None);
            for (sid, statement) in &statements(&target, &needs, facts, grant_options) {
                drawn.add(sid, statement);
            }
            drawn
        });
        WholePolicy {
            text: drawn.text,
            target,
        }
    });
    written.collect()
}

/// The statements of a document for what the exporter needs of it.
fn statements(
    target: &Target,
    needs: &[RequiredPermission],
    facts: &Facts,
    grant_options: statement::StatementOptions<'_>,
) -> Vec<(String, Map<String, Value>)> {
    let names = |need: &RequiredPermission| needing(facts, need);
    let is_key_policy = matches!(target, Target::KeyPolicy { .. });
    let has_principal = target.is_resource_policy();
    let principals =
        has_principal.then_some(&names as &dyn Fn(&RequiredPermission) -> SourcePrincipal);
    statement::statements(needs, principals, is_key_policy, grant_options)
}

fn target(remedy: &Remedy) -> Option<&Target> {
    match &remedy.fix {
        Fix::Document { target, .. } => Some(target),
        _ => None,
    }
}

/// What the exporter needs, by the document that gives it.
fn documents(plan: &Plan, facts: &Facts) -> BTreeMap<Target, Vec<RequiredPermission>> {
    let mut documents: BTreeMap<Target, Vec<RequiredPermission>> = BTreeMap::new();
    let is_root = matches!(facts.source().naming(), SourcePrincipal::Root { .. });
    let needs = required_permissions(plan, facts);
    for need in needs.iter().filter(|need| need.who != Actor::Reader) {
        let mut wanted = |target: Target| documents.entry(target).or_default().push(need.clone());
        let is_of_service = need.service.is_some();
        if !is_root && !is_of_service {
            wanted(Target::identity(plan, facts, need.who));
        }
        let is_foreign = need.account.as_ref() != Some(&facts.source().caller.account);
        if (is_foreign || is_of_service)
            && let Some(target) = Target::of_resource(facts, need)
        {
            wanted(target);
        }
    }
    documents
}

struct Whole<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    now: Timestamp,
    grant_options: GrantOptions,
}

impl Whole<'_> {
    /// The whole document in place of the least that would fix it.
    fn remedy(
        &self,
        target: &Target,
        needs: &[RequiredPermission],
        least: Option<Remedy>,
    ) -> Remedy {
        let live = target.text(self.facts);
        let drawn = self.drawn(target, needs, least.as_ref());
        let ended = drawn.ended.iter().map(|sid| super::word_of_ended(sid));
        let renamed = drawn.renamed.iter().map(super::word_of_renamed);
        let about_sids: Vec<String> = ended.chain(renamed).collect();
        let mut problems = drawn.problems;
        problems.extend(proof::problems(
            target,
            target.live(self.facts),
            &drawn.text,
            self.facts,
        ));
        let is_granted_more = !drawn.added.is_empty();
        let by_patterns = if drawn.is_wide {
            statement::lets_through_by_patterns(needs)
        } else {
            Vec::new()
        };
        let named_besides = (target.is_resource_policy() && is_granted_more)
            .then(|| self.facts.source().naming().named_besides())
            .flatten();
        let besides: Vec<String> = by_patterns.into_iter().chain(named_besides).collect();
        let fix = Fix::Document {
            target: target.clone(),
            before: live.map(str::to_owned),
            diff: edit::diff(live.unwrap_or_default(), &drawn.text),
            after: drawn.text,
            added: drawn.added,
            exempt: least.as_ref().map_or_else(Vec::new, exempt),
        };
        match least {
            Some(least) => {
                problems.retain(|problem| !least.problems.contains(problem));
                let mut lets_through = least.lets_through;
                lets_through.extend(besides);
                lets_through.sort_unstable();
                lets_through.dedup();
                Remedy {
                    fix,
                    problems: [least.problems, problems].concat(),
                    lets_through,
                    ..least
                }
            }
            None => Remedy {
                fix,
                responsible: self.responsible(target),
                resolves: Vec::new(),
                lets_through: besides,
                depending: Vec::new(),
                warnings: [self.warnings(target, is_granted_more), about_sids].concat(),
                problems,
            },
        }
    }

    /// The live document with its Denies fixed, and with the statements that it has not; where one
    /// grants them already, that stays the only one.
    fn drawn(
        &self,
        target: &Target,
        needs: &[RequiredPermission],
        least: Option<&Remedy>,
    ) -> Drawn {
        let via_s3 = statement::via_s3(self.plan, self.facts);
        let grant_options = statement::StatementOptions {
            expires: self.grant_options.expires,
            via_s3: via_s3.as_deref(),
            is_wide: false,
        };
        let live = target.text(self.facts);
        let fixed = live.map(|live| least.and_then(without_added).unwrap_or(live.to_owned()));
        fitting(target, self.facts, grant_options, |grant_options| {
            let mut drawn = Drawn::of(fixed.as_deref());
            drawn.drop_ended(self.now);
            for (sid, statement) in &statements(target, needs, self.facts, grant_options) {
                drawn.add(sid, statement);
            }
            drawn.drop_stale();
            drawn
        })
    }

    /// What to know of a document that fixes nothing: what stands there is enough, or nobody could
    /// read it.
    fn warnings(&self, target: &Target, is_granted_more: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        if is_granted_more {
            warnings.extend(super::caution(&self.facts.source().naming(), target));
            warnings.extend(super::warnings_of_expiry(
                self.plan,
                self.grant_options,
                self.now,
            ));
        }
        if let Some(obstacle) = target.obstacle(self.facts) {
            warnings.push(format!(
                "what stands in the {target} now could not be read ({}): this goes beside it, not \
                 in its place",
                obstacle.permission
            ));
        }
        warnings
    }

    fn responsible(&self, target: &Target) -> Responsible {
        match target {
            Target::IdentityPolicy { who, .. } => Responsible::for_identity(self.facts, *who),
            Target::BucketPolicy { .. } => {
                Responsible::for_bucket(self.facts, bucket_owner(self.plan, self.facts).as_ref())
            }
            Target::KeyPolicy { key } => key
                .parse::<Arn>()
                .ok()
                .and_then(|key| key.account_id())
                .map_or(Responsible::You, |account| {
                    Responsible::for_key(self.facts, &account)
                }),
        }
    }
}

/// The Denies that a remedy puts an exemption into.
fn exempt(least: &Remedy) -> Vec<ExemptingDeny> {
    match &least.fix {
        Fix::Document { exempt, .. } => exempt.clone(),
        _ => Vec::new(),
    }
}

/// The document of a remedy without the statements that it adds.
fn without_added(least: &Remedy) -> Option<String> {
    let Fix::Document { after, added, .. } = &least.fix else {
        return None;
    };
    added.iter().try_fold(after.clone(), |text, sid| {
        Some(edit::remove_statement(&text, sid).ok()?.text)
    })
}
