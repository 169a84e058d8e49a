//! The search for remedies: judge, draw up, put into the facts, judge again.

mod conclude;
mod encryption;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::adjust::{Adjustment, adjustments};
use super::draft::{Draft, Drawn, needing};
use super::exempt::{exemption, names_exporter, names_service};
use super::message::{Passage, ReaderText, describe, describe_own_deny};
use super::{GrantOptions, Target, statement};
use crate::assess::call::tells_encryption;
use crate::assess::deny::{denies_named, is_about_encryption};
use crate::assess::facts::{Fact, Facts, Recovery};
use crate::assess::judge::{is_key_out_of_reach, judge};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Evidence, Verdict};
use crate::job::Plan;
use crate::job::requirement::{
    Actor, Check, RequiredPermission, Requirement, RequirementId, Resource,
};
use tableferry_policy::arn::Arn;
use tableferry_policy::document;
use tableferry_policy::evaluate::{Deciding, PolicyKind};

/// How often the plan is judged again at most; each turn finds at least one thing more.
const MOST_TURNS: usize = 24;

/// A value of the plan that is changed.
#[derive(Debug, Clone)]
struct PlanChange {
    key: &'static str,
    value: String,
    why: String,
    resolves: Vec<RequirementId>,
}

/// A search under way.
pub(super) struct RemedySearch<'a> {
    facts: &'a Facts,
    now: Timestamp,
    grant_options: GrantOptions,
    /// Denies that name the exporter and are to be changed, by Sid or index.
    change_denies: &'a [String],
    plan: Plan,
    before: Vec<AssessedRequirement>,
    drafts: BTreeMap<Target, (Draft, Responsible)>,
    recoveries: Vec<(Arn, Vec<RequirementId>)>,
    plan_changes: Vec<PlanChange>,
    messages: Vec<ReaderText>,
    /// The Denies that were given an exemption in this turn: whether it suffices, the next one tells.
    exempt: Vec<(Target, usize)>,
    /// The Allows that were adjusted in this turn.
    adjusted: Vec<(Target, usize)>,
    /// The Denies of resource control policies that the plan's encryption was changed for in this
    /// turn, by policy and Sid.
    encrypted: Vec<(String, String)>,
}

impl<'a> RemedySearch<'a> {
    pub(super) fn new(
        plan: &Plan,
        facts: &'a Facts,
        now: Timestamp,
        grant_options: GrantOptions,
        change_denies: &'a [String],
    ) -> Self {
        Self {
            facts,
            now,
            grant_options,
            change_denies,
            plan: plan.clone(),
            before: judge(plan, facts, now),
            drafts: BTreeMap::new(),
            recoveries: Vec::new(),
            plan_changes: Vec::new(),
            messages: Vec::new(),
            exempt: Vec::new(),
            adjusted: Vec::new(),
            encrypted: Vec::new(),
        }
    }

    /// Looks for what is missing until nothing new is found.
    pub(super) fn run(&mut self) {
        for _ in 0..MOST_TURNS {
            let facts = self.fixed();
            let verdicts = judge(&self.plan, &facts, self.now);
            let mut has_news = false;
            self.exempt.clear();
            self.adjusted.clear();
            self.encrypted.clear();
            for verdict in verdicts
                .iter()
                .filter(|verdict| !verdict.outcome.is_allowed())
            {
                has_news |= self.take(verdict, &facts);
            }
            if !has_news {
                return;
            }
        }
    }

    /// Draws a consequence from one verdict; whether it is new.
    fn take(&mut self, verdict: &AssessedRequirement, facts: &Facts) -> bool {
        match &verdict.requirement {
            Requirement::Check { check, of } => self.take_check(verdict, *check, of),
            Requirement::Permission(need) => match &verdict.outcome {
                Verdict::Denied | Verdict::Depends { .. } => {
                    self.take_permission(verdict, need, facts)
                }
                // What the caller's own policies would settle, whatever stands in what was not read.
                Verdict::Unknown { .. } if verdict.denied_by == Some(PolicyKind::Identity) => {
                    self.take_permission(verdict, need, facts)
                }
                // The Deny that denied the reading is there, whatever it asks for.
                Verdict::Unknown { .. }
                    if verdict.evidence == Evidence::RefusedReading
                        && need.who != Actor::Reader =>
                {
                    self.tell(verdict)
                }
                Verdict::Unknown { .. } | Verdict::Allowed { .. } => false,
            },
        }
    }

    fn take_check(&mut self, verdict: &AssessedRequirement, check: Check, of: &str) -> bool {
        match check {
            Check::Recovery => {
                let Some(table) = self.facts.table(of) else {
                    return false;
                };
                let known = table.description.value().map(|table| table.arn.clone());
                let is_off = table.recovery.is_settled();
                known
                    .filter(|_| is_off)
                    .is_some_and(|arn| self.recover(arn, verdict.requirement.id()))
            }
            Check::BucketOwner => match self
                .facts
                .bucket(&self.plan.destination.bucket)
                .owner
                .value()
            {
                Some(owner) if self.plan.destination.owner.as_ref() != Some(owner) => {
                    self.plan.destination.owner = Some(owner.clone());
                    self.plan_changes.push(PlanChange {
                        key: "destination.owner",
                        value: owner.to_string(),
                        why: format!("bucket {of} is of {owner}"),
                        resolves: vec![verdict.requirement.id()],
                    });
                    true
                }
                _ => false,
            },
            Check::KeyName if verdict.outcome == Verdict::Denied => {
                if self.plan.reads_objects() {
                    self.tell(verdict)
                } else {
                    self.ask_for_key(verdict)
                }
            }
            Check::Table if self.is_foreign_table(of) => self.tell(verdict),
            // Nothing of ours fixes a setting of the bucket or of a key; anyone who can is asked to.
            Check::PublicAccess
            | Check::ObjectOwnership
            | Check::ObjectOwner
            | Check::RequesterPays
            | Check::KeyRegion
            | Check::KeyState => match verdict.outcome {
                Verdict::Denied | Verdict::Depends { .. } => self.tell(verdict),
                Verdict::Unknown { .. } | Verdict::Allowed { .. } => false,
            },
            _ => false,
        }
    }

    /// Whether a table is of another account than the one that exports, from which nobody can export it.
    fn is_foreign_table(&self, asked: &str) -> bool {
        let source = self.facts.source();
        let mut tables = self.plan.tables.iter();
        tables.any(|job| {
            let arn = self
                .plan
                .table_arn(job, &source.caller.account, &source.region);
            job.table.to_string() == asked && self.is_of_others(&arn)
        })
    }

    fn is_of_others(&self, arn: &Arn) -> bool {
        let account = arn.account_id();
        account.is_some_and(|account| account != self.facts.source().caller.account)
    }

    /// Has recovery of a table switched on; whether that is news.
    fn recover(&mut self, table: Arn, of: RequirementId) -> bool {
        let known = self.recoveries.iter_mut().find(|(arn, _)| *arn == table);
        let Some((_, resolves)) = known else {
            self.recoveries.push((table, vec![of]));
            return true;
        };
        if !resolves.contains(&of) {
            resolves.push(of);
        }
        false
    }

    fn take_permission(
        &mut self,
        verdict: &AssessedRequirement,
        need: &RequiredPermission,
        facts: &Facts,
    ) -> bool {
        // What no principal of the account may do, the check on the table tells once.
        if need
            .resource
            .pattern()
            .parse::<Arn>()
            .is_ok_and(|arn| arn.service == "dynamodb" && self.is_of_others(&arn))
        {
            return false;
        }
        // Nobody can grant what cannot be granted; the check on the key's name tells what to do.
        let key = need.subject.object_key();
        if key.is_some_and(|key| is_key_out_of_reach(&self.plan, self.facts, key)) {
            return false;
        }
        let needed = self.resolved(need);
        let denies: Vec<&Deciding> = verdict.deciding.iter().filter(|d| d.is_deny).collect();
        if let Some(deny) = denies.first() {
            return match (deny.kind, Target::of_resource(self.facts, need)) {
                (PolicyKind::Resource, Some(target)) if need.who != Actor::Reader => {
                    self.exempt(&target, deny, need, verdict, facts)
                }
                (PolicyKind::ResourceControl, _)
                    if need.who != Actor::Reader && verdict.responsible == Responsible::You =>
                {
                    self.meet_control(deny, need, verdict)
                }
                _ => self.tell(verdict),
            };
        }
        let kind = verdict
            .denied_by
            .or_else(|| verdict.deciding.first().map(|deciding| deciding.kind));
        let target = match kind {
            Some(PolicyKind::Identity) => Some(Target::identity(&self.plan, self.facts, need.who)),
            Some(PolicyKind::Resource | PolicyKind::Grant) => Target::of_resource(self.facts, need),
            _ => None,
        };
        match target {
            Some(target) => {
                if let Some(has_news) = self.adjust(&target, need, &needed, verdict, facts) {
                    return has_news;
                }
                let responsible = verdict.responsible.clone();
                let entry = self.drafts.entry(target);
                let (draft, _) = entry.or_insert_with(|| (Draft::default(), responsible));
                draft.want(&needed, need.id())
            }
            None => self.tell(verdict),
        }
    }

    /// Puts an Allow right that was meant for the need, where that suffices; whether that is news.
    fn adjust(
        &mut self,
        target: &Target,
        need: &RequiredPermission,
        needed: &RequiredPermission,
        verdict: &AssessedRequirement,
        facts: &Facts,
    ) -> Option<bool> {
        let live = target.live(facts).filter(|_| target.is_resource_policy())?;
        let id = need.id();
        let suffices = |index: usize, adjustment: &Adjustment| {
            let Some(text) = adjustment.apply(live.text(), index) else {
                return false;
            };
            let mut changed = facts.clone();
            target.put(&mut changed, text, self.now);
            let verdicts = judge(&self.plan, &changed, self.now);
            let mut of_it = verdicts.iter().filter(|one| one.requirement.id() == id);
            of_it.any(|one| one.outcome.is_allowed())
        };
        let found = adjustments(live, target, needed, &self.plan, facts);
        let mut found = found.into_iter();
        let (index, adjustment) = found.find(|(index, one)| suffices(*index, one))?;
        let place = (target.clone(), index);
        if !self.adjusted.contains(&place) {
            self.adjusted.push(place);
        }
        let responsible = verdict.responsible.clone();
        let entry = self.drafts.entry(target.clone());
        let (draft, _) = entry.or_insert_with(|| (Draft::default(), responsible));
        Some(draft.adjust(index, adjustment, id))
    }

    /// The need with its key by ARN, where the plan names it otherwise and it was read.
    fn resolved(&self, need: &RequiredPermission) -> RequiredPermission {
        let mut needed = need.clone();
        let named = need.subject.object_key();
        if let Some(arn) = named.and_then(|key| self.facts.key(key)?.arn()) {
            needed.resource = Resource::Pattern(arn.to_string());
        }
        needed
    }

    /// Puts an exemption into a Deny, or changes the plan where the Deny asks for encryption.
    fn exempt(
        &mut self,
        target: &Target,
        deny: &Deciding,
        need: &RequiredPermission,
        verdict: &AssessedRequirement,
        facts: &Facts,
    ) -> bool {
        let Some(live) = target.live(facts) else {
            return self.tell(verdict);
        };
        let Ok(document) = live.document() else {
            return false;
        };
        let mut has_news = false;
        for index in denies_named(document, &deny.sid) {
            let Some(statement) = document.statements().get(index) else {
                continue;
            };
            // No encryption meets a Deny of a call that has no such header.
            if is_about_encryption(statement) && !tells_encryption(need) {
                has_news |= self.tell(verdict);
                continue;
            }
            let place = (target.clone(), index);
            if self.exempt.contains(&place) {
                if is_about_encryption(statement) {
                    self.note_encrypted(need);
                } else if self.stays(statement, need, deny) {
                    let told = describe_own_deny(need, deny, self.facts);
                    has_news |= self.note(verdict.responsible.clone(), told);
                } else if let Some((draft, _)) = self.drafts.get_mut(target) {
                    draft.note_hit(index, need);
                }
                continue;
            }
            self.exempt.push(place);
            if is_about_encryption(statement) {
                has_news |= self.encrypt_as(statement, verdict);
                continue;
            }
            if self.stays(statement, need, deny) {
                let told = describe_own_deny(need, deny, self.facts);
                has_news |= self.note(verdict.responsible.clone(), told);
                continue;
            }
            let named = needing(self.facts, need);
            let responsible = verdict.responsible.clone();
            let entry = self.drafts.entry(target.clone());
            let (draft, _) = entry.or_insert_with(|| (Draft::default(), responsible));
            draft.note_hit(index, need);
            if need.service.is_none() && names_exporter(statement, self.facts) {
                has_news |= draft.let_out.insert(index);
                continue;
            }
            let so_far = draft.exemptions.get(&index).map_or(0, Vec::len);
            match exemption(statement, need, &named, so_far) {
                Some(exemption) => has_news |= draft.exempt(index, exemption),
                None => draft.is_stuck = true,
            }
        }
        has_news
    }

    /// Whether a Deny names the one who needs something, and is not among those that are to be changed for
    /// all that.
    fn stays(
        &self,
        statement: &document::Statement<'_>,
        need: &RequiredPermission,
        deny: &Deciding,
    ) -> bool {
        if let Some(service) = &need.service {
            return names_service(statement, service);
        }
        names_exporter(statement, self.facts) && !self.change_denies.contains(&deny.sid)
    }

    /// Notes a text for those who can fix what no document of ours can; whether it is new.
    fn tell(&mut self, verdict: &AssessedRequirement) -> bool {
        self.note(verdict.responsible.clone(), describe(verdict, self.facts))
    }

    fn note(&mut self, to: Responsible, told: Passage) -> bool {
        let known = self.messages.iter_mut().find(|message| message.to == to);
        if let Some(message) = known {
            return message.take(told);
        }
        let mut message = ReaderText::new(to);
        message.take(told);
        self.messages.push(message);
        true
    }

    fn draw(&self, target: &Target, draft: &Draft, now: Option<Timestamp>) -> Drawn {
        let via_s3 = statement::via_s3(&self.plan, self.facts);
        let grant_options = statement::StatementOptions {
            expires: self.grant_options.expires,
            via_s3: via_s3.as_deref(),
            is_wide: false,
        };
        draft.draw(
            target.text(self.facts),
            target,
            self.facts,
            grant_options,
            now,
        )
    }

    /// The facts as they would be with everything done. Deleted principals and grants that ended
    /// stay, so that statements keep their places; they match nobody, and grant nothing.
    fn fixed(&self) -> Facts {
        let mut facts = self.facts.clone();
        for (target, (draft, _)) in &self.drafts {
            target.put(&mut facts, self.draw(target, draft, None).text, self.now);
        }
        for table in facts.tables_mut() {
            let is_mended = table
                .description
                .value()
                .is_some_and(|known| self.recoveries.iter().any(|(arn, _)| *arn == known.arn));
            if is_mended {
                let recovery = Recovery {
                    is_enabled: true,
                    earliest: Some(self.now),
                    latest: None,
                    period_days: None,
                };
                table.recovery = Fact::known(recovery, self.now, "remedy");
            }
        }
        facts
    }
}
