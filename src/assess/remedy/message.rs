//! Texts for those who can fix what no document of ours can: which calls of which principal, what stands against
//! them, and the statement to add where one is wanted. They are read by people who have neither
//! tableferry nor the operator's files.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::draft::{needing, principal};
use super::{Fix, Remedy};
use crate::assess::facts::{Fact, Facts};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Evidence, Verdict};
use crate::job::requirement::{Actor, RequiredPermission, Requirement, RequirementId, Resource};
use tableferry_policy::evaluate::{Deciding, PolicyKind};

/// What one reader is told.
pub(super) struct ReaderText {
    pub(super) to: Responsible,
    told: Vec<Passage>,
}

/// One thing that a reader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passage {
    /// A call that is to be let through.
    Call {
        /// The need.
        need: RequiredPermission,
        /// What stands against it, as the half of a sentence that follows "which".
        against: String,
        /// What is asked for beside letting it through.
        wanted: Wanted,
    },
    /// A sentence, and what it is about.
    Sentence {
        /// The requirement.
        about: RequirementId,
        /// The text.
        text: String,
    },
}

/// What a request text asks for, beside letting the calls through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing: how it is done is left to the one who reads it.
    Nothing,
    /// A statement to add.
    Statement,
    /// That a Deny which names the principal be looked at, by its Sid.
    Deny(String),
}

impl ReaderText {
    pub(super) const fn new(to: Responsible) -> Self {
        Self {
            to,
            told: Vec::new(),
        }
    }

    /// The Denies that name the principal for which is asked, by Sid or index.
    pub(super) fn named_denies(&self) -> impl Iterator<Item = &str> {
        self.told.iter().filter_map(|told| match told {
            Passage::Call {
                wanted: Wanted::Deny(sid),
                ..
            } => Some(sid.as_str()),
            _ => None,
        })
    }

    /// Takes something in; whether it is new.
    pub(super) fn take(&mut self, told: Passage) -> bool {
        let is_new = !self.told.contains(&told);
        if is_new {
            self.told.push(told);
        }
        is_new
    }

    /// The remedy that sends it.
    pub(super) fn remedy(&self, facts: &Facts) -> Remedy {
        let resolves = self.told.iter().map(|told| match told {
            Passage::Call { need, .. } => need.id(),
            Passage::Sentence { about, .. } => about.clone(),
        });
        Remedy {
            fix: Fix::RequestText {
                text: self.text(facts),
            },
            responsible: self.to.clone(),
            resolves: resolves.collect(),
            depending: Vec::new(),
            lets_through: Vec::new(),
            warnings: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Calls that the same thing stands against are told together.
    fn text(&self, facts: &Facts) -> String {
        let mut paragraphs: Vec<String> = Vec::new();
        let mut seen: Vec<(Actor, &str)> = Vec::new();
        for told in &self.told {
            match told {
                Passage::Sentence { text, .. } => paragraphs.push(text.clone()),
                Passage::Call { need, against, .. } => {
                    let group = (need.who, against.as_str());
                    if !seen.contains(&group) {
                        seen.push(group);
                        paragraphs.push(self.paragraph(facts, group));
                    }
                }
            }
        }
        paragraphs.join("\n\n")
    }

    fn paragraph(&self, facts: &Facts, (who, against): (Actor, &str)) -> String {
        let mut calls: Vec<&RequiredPermission> = Vec::new();
        let mut wants = Wanted::Nothing;
        for told in &self.told {
            if let Passage::Call {
                need,
                against: other,
                wanted,
            } = told
                && (need.who, other.as_str()) == (who, against)
            {
                calls.push(need);
                if *wanted != Wanted::Nothing {
                    wants = wanted.clone();
                }
            }
        }
        let named = match calls.first() {
            Some(need) => needing(facts, need),
            None => principal(facts, who),
        };
        let mut text = format!("Please let {named} make these calls, which {against}:");
        for need in &calls {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n  - {} on {}: {}",
                need.action, need.resource, need.reason
            );
        }
        match wants {
            Wanted::Nothing => {}
            Wanted::Statement => {
                let _ = write!(text, "\nThis statement does it:\n{}", statement(&calls));
            }
            Wanted::Deny(sid) => {
                let _ = write!(
                    text,
                    "\nThe author of the Deny `{sid}` meant this very principal, so that we propose no \
                     change of it. If it is no longer wanted, please take the principal out of it; if \
                     it is, tell us which principal may make these calls."
                );
            }
        }
        text
    }
}

/// A statement that allows calls.
fn statement(calls: &[&RequiredPermission]) -> String {
    let once = |words: &mut Vec<String>, word: &str| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    };
    let (mut actions, mut resources) = (Vec::new(), Vec::new());
    for need in calls {
        once(&mut actions, need.action);
        once(&mut resources, need.resource.pattern());
    }
    let one_or_many = |words: Vec<String>| match words.as_slice() {
        [only] => json!(only),
        _ => json!(words),
    };
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Allow"));
    statement.insert("Action".to_owned(), one_or_many(actions));
    statement.insert("Resource".to_owned(), one_or_many(resources));
    let alias = calls.iter().find_map(|need| match &need.resource {
        Resource::KeyByAlias { alias, .. } => Some(alias),
        Resource::Pattern(_) => None,
    });
    if let Some(alias) = alias {
        let condition = json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } });
        statement.insert("Condition".to_owned(), condition);
    }
    format!("{:#}", Value::Object(statement))
}

/// What is told of a verdict.
pub(super) fn describe(verdict: &AssessedRequirement, facts: &Facts) -> Passage {
    let Requirement::Permission(need) = &verdict.requirement else {
        return Passage::Sentence {
            about: verdict.requirement.id(),
            text: format!("{}: please {}.", verdict.explanation, verdict.hint),
        };
    };
    let may = if verdict.outcome == Verdict::Denied {
        ""
    } else {
        "may "
    };
    let deny = verdict.deciding.iter().find(|deciding| deciding.is_deny);
    let (against, wanted) = match (deny, verdict.denied_by) {
        (Some(deny), _) => {
            let verb = if may.is_empty() { "forbids" } else { "forbid" };
            let by = format!("the Deny `{}` of {}", deny.sid, policy(deny, facts));
            (
                format!("{by} {may}{verb}{}", depending(verdict)),
                Wanted::Nothing,
            )
        }
        (None, Some(kind)) if verdict.evidence == Evidence::Simulation => (
            format!(
                "by IAM's simulation {} {may}not allow",
                policies_of(kind, need, facts)
            ),
            statement_for(kind == PolicyKind::Boundary),
        ),
        (None, Some(kind)) => (
            format!("{} do not allow", policies_of(kind, need, facts)),
            statement_for(matches!(kind, PolicyKind::Boundary | PolicyKind::Identity)),
        ),
        (None, None) => (
            against_without_policy(need, verdict, facts),
            Wanted::Nothing,
        ),
    };
    Passage::Call {
        need: need.clone(),
        against,
        wanted,
    }
}

const fn statement_for(is_wanted: bool) -> Wanted {
    if is_wanted {
        Wanted::Statement
    } else {
        Wanted::Nothing
    }
}

/// What is told of a Deny that names the exporter itself.
pub(super) fn describe_own_deny(
    need: &RequiredPermission,
    deny: &Deciding,
    facts: &Facts,
) -> Passage {
    Passage::Call {
        need: need.clone(),
        against: format!(
            "the Deny `{}` of {} forbids, which names this principal itself",
            deny.sid,
            policy(deny, facts)
        ),
        wanted: Wanted::Deny(deny.sid.clone()),
    }
}

fn depending(verdict: &AssessedRequirement) -> String {
    match &verdict.outcome {
        Verdict::Depends { on, .. } => format!(", depending on {on}"),
        _ => String::new(),
    }
}

/// A policy by its kind and name. A file of the operator's is nothing to the one who reads this.
fn policy(deciding: &Deciding, facts: &Facts) -> String {
    let is_of_file = |fact: &Fact<_>, option: &str| matches!(fact, Fact::Known { source, .. } if source == option);
    let side = facts.destination();
    let option = match deciding.kind {
        PolicyKind::ServiceControl
            if is_of_file(&facts.account_of(Actor::Exporter).service_control, "--scp") =>
        {
            "--scp"
        }
        PolicyKind::ResourceControl
            if side.is_some_and(|side| {
                let account = facts.account(&side.caller.account);
                is_of_file(&account.resource_control, "--rcp")
            }) =>
        {
            "--rcp"
        }
        _ => "",
    };
    let kind = deciding.kind.noun();
    match deciding.kind {
        PolicyKind::Resource => format!("the {}", deciding.policy),
        _ if !option.is_empty() => format!("a {kind} (the file given as {option})"),
        _ => format!("the {kind} {}", deciding.policy),
    }
}

/// The policies of a kind, in the plural.
fn policies_of(kind: PolicyKind, need: &RequiredPermission, facts: &Facts) -> String {
    let named = needing(facts, need);
    let side = facts.principal(need.who);
    let account = &side.caller.account;
    let boundary = &side.boundary;
    match (kind, boundary.value()) {
        (PolicyKind::ServiceControl, _) => format!("the service control policies over {account}"),
        (PolicyKind::ResourceControl, _) => match &need.account {
            Some(owner) => format!("the resource control policies over {owner}"),
            None => "the resource control policies".to_owned(),
        },
        (PolicyKind::Boundary, Some(boundary)) => {
            format!(
                "the statements of the permissions boundary {}",
                boundary.name
            )
        }
        (PolicyKind::Boundary, None) => {
            format!("the statements of the permissions boundary of {named}")
        }
        (PolicyKind::Identity, _) => format!("the identity policies of {named}"),
        (kind, _) => format!("the statements of the {}", kind.noun()),
    }
}

/// What stands against a call, where no policy that was read does.
fn against_without_policy(
    need: &RequiredPermission,
    verdict: &AssessedRequirement,
    facts: &Facts,
) -> String {
    match &verdict.evidence {
        Evidence::ObservedCall { refusal } => refused(need, refusal),
        Evidence::RefusedReading => format!(
            "a Deny in the bucket policy of {} may forbid: it denies even the reading of that policy \
             (s3:GetBucketPolicy) to {}. Please look which of its Denies hit these calls, too, and \
             exempt this principal from them",
            need.bucket()
                .map_or_else(String::new, |name| name.to_string()),
            principal(facts, Actor::Reader)
        ),
        Evidence::Policies | Evidence::Simulation => {
            format!("are not allowed: {}", verdict.explanation)
        }
    }
}

/// What AWS said when a call was tried, without its account of who called what.
fn refused(need: &RequiredPermission, refusal: &str) -> String {
    let clause = ["because ", "with an explicit deny "]
        .iter()
        .find_map(|word| refusal.find(word).and_then(|at| refusal.get(at..)));
    let head = "AWS refused when they were tried";
    match clause {
        Some(clause) => {
            let end = clause.find(['.', '\n']).unwrap_or(clause.len());
            let clause = clause.get(..end).unwrap_or(clause);
            format!("{head}, {}", without_action(clause, need))
        }
        None => format!("{head}, without giving a reason"),
    }
}

/// "because no resource-based policy allows the s3:PutObject action" is told of several calls at once.
fn without_action(clause: &str, need: &RequiredPermission) -> String {
    clause.replace(&format!("the {} action", need.action), "them")
}
