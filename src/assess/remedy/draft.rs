//! Drafts: one document as it would be, built anew from the live one whenever more is found missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::adjust::Adjustment;
use super::exempt::{Exemption, without_exporter};
use super::statement::{self, StatementOptions};
use super::{Target, proof};
use crate::assess::facts::Facts;
use crate::assess::judge::{StalePrincipal, stale_principals};
use crate::assess::principal::SourcePrincipal;
use crate::job::requirement::{Actor, RequiredPermission, RequirementId};
use tableferry_policy::document::{Document, PrincipalKind};
use tableferry_policy::edit::{self, Added, EditError, List};
use tableferry_policy::expiry::end_of;

/// What is to be done to one document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Draft {
    /// The needs that it must allow, with their keys by ARN.
    pub(super) needs: Vec<RequiredPermission>,
    /// The requirements that these needs are of.
    pub(super) granted: Vec<RequirementId>,
    /// What is put into its Denies, by the statement's index.
    pub(super) exemptions: BTreeMap<usize, Vec<Exemption>>,
    /// Its Denies that name the exporter, which is taken out of them, by the statement's index.
    pub(super) let_out: BTreeSet<usize>,
    /// What is put right in its Allows, by the statement's index.
    pub(super) adjustments: BTreeMap<usize, Adjustment>,
    /// What its Denies hit, by the statement's index.
    pub(super) hit: BTreeMap<usize, Vec<RequiredPermission>>,
    /// Denies that nothing more can be put into.
    pub(super) is_stuck: bool,
}

/// A document with a draft carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawn {
    /// The whole document.
    pub(super) text: String,
    /// The Sids of the statements that were added.
    pub(super) added: Vec<String>,
    /// The ids of deleted principals that were taken out, with the statements they stood in.
    pub(super) dropped: Vec<(String, String)>,
    /// The Sids of statements of ours that had ended and were taken out.
    pub(super) ended: Vec<String>,
    /// Sids that another statement has already, each with the one that is given in its place.
    pub(super) renamed: Vec<(String, String)>,
    /// Whether tables are named by patterns, since the document would be too large otherwise.
    pub(super) is_wide: bool,
    /// Where something could not be done, what.
    pub(super) problems: Vec<String>,
}

impl Draft {
    /// Takes in a need of a requirement; whether that is news.
    pub(super) fn want(&mut self, need: &RequiredPermission, of: RequirementId) -> bool {
        let is_new = !self.needs.contains(need);
        if is_new {
            self.needs.push(need.clone());
        }
        if !self.granted.contains(&of) {
            self.granted.push(of);
        }
        is_new
    }

    /// Takes in an exemption; whether that is news.
    pub(super) fn exempt(&mut self, index: usize, exemption: Exemption) -> bool {
        let list = self.exemptions.entry(index).or_default();
        let is_new = !list.contains(&exemption);
        if is_new {
            list.push(exemption);
        }
        is_new
    }

    /// Takes in what is put right in an Allow for a requirement; whether that is news.
    pub(super) fn adjust(
        &mut self,
        index: usize,
        adjustment: Adjustment,
        of: RequirementId,
    ) -> bool {
        if !self.granted.contains(&of) {
            self.granted.push(of);
        }
        if let Some(known) = self.adjustments.get_mut(&index) {
            return known.join(&adjustment);
        }
        self.adjustments.insert(index, adjustment);
        true
    }

    /// Notes what a Deny hits, which is to be told and changes nothing.
    pub(super) fn note_hit(&mut self, index: usize, need: &RequiredPermission) {
        let list = self.hit.entry(index).or_default();
        if !list.contains(need) {
            list.push(need.clone());
        }
    }

    /// Carries the draft out on the live document. Where the time is given, statements of ours that
    /// had ended by then make room for the new ones; without it every statement keeps its place.
    ///
    /// Tables are named by the pattern that holds them all where AWS would take no document that names
    /// each.
    pub(super) fn draw(
        &self,
        live: Option<&str>,
        target: &Target,
        facts: &Facts,
        grant_options: StatementOptions<'_>,
        now: Option<Timestamp>,
    ) -> Drawn {
        fitting(target, facts, grant_options, |grant_options| {
            self.draw_by(live, target, facts, grant_options, now)
        })
    }

    fn draw_by(
        &self,
        live: Option<&str>,
        target: &Target,
        facts: &Facts,
        grant_options: StatementOptions<'_>,
        now: Option<Timestamp>,
    ) -> Drawn {
        let mut drawn = Drawn::of(live);
        for (index, adjustment) in &self.adjustments {
            if let Some(text) = adjustment.apply(&drawn.text, *index) {
                drawn.text = text;
            }
        }
        for (index, exemptions) in &self.exemptions {
            // Of several, the last is the widest; the others did not suffice.
            if let Some(exemption) = exemptions.last() {
                let Exemption {
                    operator,
                    key,
                    value,
                } = exemption;
                match edit::add_condition(&drawn.text, *index, operator, key, value) {
                    Ok(text) => drawn.text = text,
                    Err(error) => {
                        let problem = format!("the Deny at index {index}: {error}");
                        drawn.problems.push(problem);
                    }
                }
            }
        }
        // From the last on, so that no statement moves before its turn.
        for index in self.let_out.iter().rev() {
            match without_exporter(&drawn.text, *index, facts, now.is_some()) {
                Some(text) => drawn.text = text,
                None => drawn.problems.push(format!(
                    "the document says nothing beside the Deny at index {index}: delete it by hand"
                )),
            }
        }
        if let Some(now) = now {
            drawn.drop_ended(now);
        }
        let names = |need: &RequiredPermission| needing(facts, need);
        let has_principal = target.is_resource_policy();
        let statements = statement::statements(
            &self.needs,
            has_principal.then_some(&names),
            matches!(target, Target::KeyPolicy { .. }),
            grant_options,
        );
        for (sid, statement) in &statements {
            if let Some(by) = drawn.add(sid, statement) {
                drawn.problems.push(format!(
                    "the statement `{by}` grants it already, so that adding would change nothing"
                ));
            }
        }
        drawn
    }
}

/// A document as it is drawn up, with patterns in place of tables where it is too large without them.
pub(super) fn fitting<'t>(
    target: &Target,
    facts: &Facts,
    grant_options: StatementOptions<'t>,
    draw: impl Fn(StatementOptions<'t>) -> Drawn,
) -> Drawn {
    let exact = draw(grant_options);
    if !proof::is_too_large(target, &exact.text, facts) {
        return exact;
    }
    let wide = draw(StatementOptions {
        is_wide: true,
        ..grant_options
    });
    if wide.text == exact.text {
        return exact;
    }
    Drawn {
        is_wide: true,
        ..wide
    }
}

impl Drawn {
    /// The live document as it stands.
    pub(super) fn of(live: Option<&str>) -> Self {
        Self {
            text: live.unwrap_or_default().to_owned(),
            added: Vec::new(),
            dropped: Vec::new(),
            ended: Vec::new(),
            renamed: Vec::new(),
            is_wide: false,
            problems: Vec::new(),
        }
    }

    /// Adds a statement under its Sid, or with a number behind it where that is taken. Where a
    /// statement of the document grants it already, nothing is added, and that one's Sid is told.
    pub(super) fn add(
        &mut self,
        sid: &str,
        statement: &serde_json::Map<String, serde_json::Value>,
    ) -> Option<String> {
        if self.text.is_empty() {
            self.text = edit::new_document(&statement::text(sid, statement));
            self.added.push(sid.to_owned());
            return None;
        }
        // A document has finitely many statements, so that some number is free.
        for number in 1_u32.. {
            let given = if number == 1 {
                sid.to_owned()
            } else {
                format!("{sid}{number}")
            };
            match edit::add_statement(&self.text, &statement::text(&given, statement)) {
                Ok(Added::Inserted { text }) => {
                    self.text = text;
                    if number > 1 {
                        self.renamed.push((sid.to_owned(), given.clone()));
                    }
                    self.added.push(given);
                    return None;
                }
                Ok(Added::AlreadyGranted { by }) => return Some(by),
                Err(EditError::Conflict { .. }) => {}
                Err(error) => {
                    self.problems.push(error.to_string());
                    return None;
                }
            }
        }
        None
    }

    /// Takes out the statements under our Sids that grant nothing any more, their time being over.
    pub(super) fn drop_ended(&mut self, now: Timestamp) {
        let Ok(document) = Document::parse(&self.text) else {
            return;
        };
        let ended = document.statements().iter().filter_map(|statement| {
            let sid = statement.sid.as_ref()?;
            let is_over = end_of(statement).is_some_and(|end| end <= now);
            (is_over && statement::is_ours(&sid.value)).then(|| sid.value.clone().into_owned())
        });
        for sid in ended.collect::<Vec<_>>() {
            if let Ok(removed) = edit::remove_statement(&self.text, &sid) {
                // A document without a statement is written anew.
                self.text = if removed.is_empty {
                    String::new()
                } else {
                    removed.text
                };
                self.ended.push(sid);
            }
        }
    }

    /// Takes deleted principals out, without which the document could not be written.
    pub(super) fn drop_stale(&mut self) {
        // Each turn takes one out, so that there are no more turns than principals.
        loop {
            let Ok(document) = Document::parse(&self.text) else {
                return;
            };
            let Some(stale) = stale_principals(&document).into_iter().next() else {
                return;
            };
            let Some(text) = without_principal(&self.text, &document, &stale) else {
                self.problems.push(format!(
                    "the statement `{}` names {} alone, which was deleted: replace it by hand",
                    stale.sid, stale.id
                ));
                return;
            };
            self.text = text;
            self.dropped.push((stale.id, stale.sid));
        }
    }
}

/// The text without a principal, and without the statement where it names nobody else. `None` where
/// that cannot be done: a `NotPrincipal` that would be left empty denies nobody then.
fn without_principal(
    text: &str,
    document: &Document<'_>,
    stale: &StalePrincipal,
) -> Option<String> {
    let of_kind = List::Principals(PrincipalKind::Aws);
    match edit::remove_value(text, stale.index, &of_kind, &stale.id) {
        Ok(text) => Some(text),
        Err(EditError::LastValue { .. }) => {
            let statement = document.statements().get(stale.index)?;
            let is_negated = statement.principals.as_ref()?.is_negated;
            let removed = (!is_negated).then(|| edit::remove_at(text, stale.index))?;
            Some(removed.ok()?.text)
        }
        Err(_) => None,
    }
}

/// Who is meant by a side.
pub(super) fn principal(facts: &Facts, who: Actor) -> SourcePrincipal {
    facts.principal(who).naming()
}

/// Who is meant by a need.
pub(super) fn needing(facts: &Facts, need: &RequiredPermission) -> SourcePrincipal {
    match &need.service {
        Some(service) => SourcePrincipal::Service((**service).clone()),
        None => principal(facts, need.who),
    }
}
