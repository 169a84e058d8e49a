//! What a search comes to: the remedies, each proved, with what it lets through besides.

use std::collections::BTreeSet;

use super::RemedySearch;
use crate::assess::judge::judge;
use crate::assess::principal::SourcePrincipal;
use crate::assess::remedy::adjust::conditions_left_out;
use crate::assess::remedy::draft::{Draft, Drawn, needing, principal};
use crate::assess::remedy::exempt::lets_through;
use crate::assess::remedy::message::ReaderText;
use crate::assess::remedy::{
    ExemptingDeny, Fix, Remedies, Remedy, Target, caution, proof, recovery_cost, statement,
    warning_of_exemption, warnings_of_expiry, word_of_ended, word_of_renamed,
};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::Verdict;
use crate::job::requirement::{Actor, RequirementId};
use tableferry_policy::edit;
use tableferry_policy::policy::Policy;

impl RemedySearch<'_> {
    /// Puts the remedies together, each proved.
    pub(in crate::assess::remedy) fn conclude(self) -> Remedies {
        let fixed = self.fixed();
        let after = judge(&self.plan, &fixed, self.now);
        let worsened = proof::worsened(&self.before, &after);
        let mut remedies = Vec::new();
        for change in &self.plan_changes {
            remedies.push(Remedy {
                fix: Fix::Plan {
                    key: change.key,
                    value: change.value.clone(),
                    why: change.why.clone(),
                },
                responsible: Responsible::You,
                depending: self.depending(&change.resolves),
                resolves: change.resolves.clone(),
                lets_through: Vec::new(),
                warnings: Vec::new(),
                problems: Vec::new(),
            });
        }
        for (target, (draft, responsible)) in &self.drafts {
            let mut drawn = self.draw(target, draft, Some(self.now));
            drawn.drop_stale();
            remedies.extend(self.document_remedy(target, draft, responsible, drawn, &worsened));
        }
        for (table, resolves) in &self.recoveries {
            let known = self.facts.table(&table.to_string());
            let description = known.and_then(|known| known.description.value());
            let size = description.and_then(|known| known.size_bytes);
            remedies.push(Remedy {
                fix: Fix::EnableRecovery {
                    table: table.clone(),
                },
                responsible: Responsible::You,
                depending: Vec::new(),
                resolves: resolves.clone(),
                lets_through: Vec::new(),
                warnings: vec![
                    "the recovery window begins when it is switched on".to_owned(),
                    recovery_cost::sentence(size),
                ],
                problems: Vec::new(),
            });
        }
        let messages = self.messages.iter();
        remedies.extend(messages.map(|message| message.remedy(self.facts)));
        let named = self.messages.iter().flat_map(ReaderText::named_denies);
        let named: BTreeSet<String> = named.map(str::to_owned).collect();
        let named_denies = named.into_iter().collect();
        Remedies {
            remedies,
            plan: self.plan,
            after,
            named_denies,
        }
    }

    /// Those requirements that depend as it stands, and are not denied.
    fn depending(&self, ids: &[RequirementId]) -> Vec<RequirementId> {
        let depends = |id: &&RequirementId| {
            let mut before = self.before.iter();
            before.any(|verdict| {
                verdict.requirement.id() == **id && verdict.outcome != Verdict::Denied
            })
        };
        ids.iter().filter(depends).cloned().collect()
    }

    /// The principals of a draft's needs.
    fn principals(&self, draft: &Draft) -> impl Iterator<Item = SourcePrincipal> {
        let needs = draft.needs.iter();
        needs.map(|need| needing(self.facts, need))
    }

    /// What a document lets through beside what was asked for.
    fn lets_through(&self, target: &Target, draft: &Draft, drawn: &Drawn) -> Vec<String> {
        let named = principal(self.facts, Actor::Exporter);
        let exemptions = draft.exemptions.values().filter_map(|list| list.last());
        let mut sentences = lets_through(exemptions, &named);
        let live = target.live(self.facts);
        sentences.extend(
            exempt(draft, live)
                .into_iter()
                .filter(|deny| deny.names_exporter)
                .map(|deny| {
                    let named = named.named_besides().unwrap_or_else(|| named.to_string());
                    format!(
                        "the Deny `{}` no longer names {named}, whatever it does and from wherever",
                        deny.sid
                    )
                }),
        );
        if let Some(Ok(document)) = live.map(Policy::document) {
            for (index, adjustment) in &draft.adjustments {
                let statement = document.statements().get(*index);
                sentences.extend(statement.and_then(|statement| {
                    adjustment.lets_through(statement, &statement.label(*index), self.facts)
                }));
            }
        }
        if target.is_resource_policy() && !drawn.added.is_empty() {
            let mut named: Vec<SourcePrincipal> = self.principals(draft).collect();
            named.dedup();
            sentences.extend(named.iter().filter_map(SourcePrincipal::named_besides));
            let needs = &draft.needs;
            let left_out =
                live.map(|live| conditions_left_out(live, needs, statement::is_ours, self.facts));
            sentences.extend(left_out.into_iter().flatten());
        }
        if drawn.is_wide {
            sentences.extend(statement::lets_through_by_patterns(&draft.needs));
        }
        sentences
    }

    fn document_remedy(
        &self,
        target: &Target,
        draft: &Draft,
        responsible: &Responsible,
        drawn: Drawn,
        worsened: &[String],
    ) -> Option<Remedy> {
        let live = target.text(self.facts);
        if live.unwrap_or_default() == drawn.text && drawn.problems.is_empty() {
            return None;
        }
        let mut warnings = Vec::new();
        if !draft.needs.is_empty() {
            let mut named: Vec<SourcePrincipal> = self.principals(draft).collect();
            named.dedup();
            for principal in &named {
                warnings.extend(caution(principal, target));
            }
            warnings.extend(warnings_of_expiry(&self.plan, self.grant_options, self.now));
        }
        let exempt = exempt(draft, target.live(self.facts));
        warnings.extend(warning_of_exemption(
            &self.plan,
            &exempt,
            self.grant_options,
        ));
        warnings.extend(drawn.ended.iter().map(|sid| word_of_ended(sid)));
        warnings.extend(drawn.renamed.iter().map(word_of_renamed));
        for (id, sid) in &drawn.dropped {
            warnings.push(format!(
                "{id} is taken out of the statement `{sid}`: AWS refuses to write a policy with a \
                 deleted principal"
            ));
        }
        if draft.is_stuck {
            warnings.push("a Deny in it still hits, whatever exemption is put into it".to_owned());
        }
        let mut problems = drawn.problems.clone();
        problems.extend(proof::problems(
            target,
            target.live(self.facts),
            &drawn.text,
            self.facts,
        ));
        problems.extend(worsened.iter().cloned());
        let resolves = resolves(draft);
        Some(Remedy {
            depending: self.depending(&resolves),
            resolves,
            lets_through: self.lets_through(target, draft, &drawn),
            fix: Fix::Document {
                target: target.clone(),
                before: live.map(str::to_owned),
                diff: edit::diff(live.unwrap_or_default(), &drawn.text),
                after: drawn.text,
                added: drawn.added,
                exempt,
            },
            responsible: responsible.clone(),
            warnings,
            problems,
        })
    }
}

/// The Denies that a draft puts an exemption into, as verdicts name them, with what they hit.
fn exempt(draft: &Draft, live: Option<&Policy>) -> Vec<ExemptingDeny> {
    let document = live.and_then(|policy| policy.document().ok());
    let label = |index: usize| {
        let statement = document?.statements().get(index)?;
        Some(statement.label(index))
    };
    let indexes = draft.exemptions.keys().chain(&draft.let_out);
    indexes
        .map(|index| ExemptingDeny {
            sid: label(*index).unwrap_or_else(|| format!("#{index}")),
            hits: draft.hit.get(index).cloned().unwrap_or_default(),
            names_exporter: draft.let_out.contains(index),
        })
        .collect()
}

/// The requirements that a draft resolves, each once.
fn resolves(draft: &Draft) -> Vec<RequirementId> {
    let mut resolves = draft.granted.clone();
    let exempt = draft.exemptions.keys();
    for need in exempt.filter_map(|index| draft.hit.get(index)).flatten() {
        let id = need.id();
        if !resolves.contains(&id) {
            resolves.push(id);
        }
    }
    resolves
}
