//! Whether facts are of what a plan is about.
//!
//! Facts from a file may have been read for another plan. What lies elsewhere, such as another bucket
//! or another identity, makes them worthless for it; what is merely not among them is unknown. A
//! bucket's name and a role's ARN tell by themselves. A profile's name does not: it is each machine's
//! own. So the same name as in the plan that was surveyed is taken to be the same identity, and under
//! another name nothing can be told, unless the plan names the role or somebody says whose the facts
//! are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fact, Facts, PrincipalFacts, Unasked};
use crate::job::{Encryption, Known, Plan, SignIn, TablePattern, TableRef, TableSelector};
use tableferry_policy::arn::{Arn, BucketName};

/// What of a plan its facts are tied to, beside what the facts hold themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyedFor {
    /// How the source signed in.
    pub source: SurveyedAs,
    /// How the destination signed in, where the plan names a profile for it.
    #[serde(default)]
    pub destination: Option<SurveyedAs>,
    /// How the plan encrypts, which IAM's simulation was told.
    pub encryption: Encryption,
    /// The patterns of table names that the plan had, all of whose tables are among the facts.
    #[serde(default)]
    pub patterns: Vec<String>,
}

/// How one side signed in, as far as it tells identities apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyedAs {
    /// The profile's name.
    pub profile: String,
    /// The Region, where the plan names one.
    #[serde(default)]
    pub region: Option<tableferry_policy::arn::Region>,
    /// The role that was assumed on top of it.
    #[serde(default)]
    pub role: Option<Arn>,
    /// The source identity of the session, which IAM's simulation was told.
    #[serde(default)]
    pub source_identity: Option<String>,
}

/// Why facts are not of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// Facts as far as they are of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedFacts {
    /// The facts, without what the plan has nothing to do with.
    pub facts: Facts,
    /// What was left out of them, and what they do not tell, in sentences.
    pub notes: Vec<String>,
}

/// How to come by facts that fit.
const AGAIN: &str = "`tableferry survey PLAN > facts.json` surveys this plan";

fn mismatch(what: String) -> Mismatch {
    Mismatch {
        what,
        hint: AGAIN.to_owned(),
    }
}

impl SurveyedFor {
    /// What facts that are read for this plan are tied to.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            source: SurveyedAs::of(&plan.source.sign_in),
            destination: plan.destination.sign_in.as_ref().map(SurveyedAs::of),
            encryption: plan.encryption.clone(),
            patterns: patterns(plan).map(ToString::to_string).collect(),
        }
    }
}

fn patterns(plan: &Plan) -> impl Iterator<Item = &TablePattern> {
    plan.selectors.iter().filter_map(TableSelector::pattern)
}

impl SurveyedAs {
    fn of(sign_in: &SignIn) -> Self {
        Self {
            profile: sign_in.profile.clone(),
            region: sign_in.region.clone(),
            role: sign_in.role.clone(),
            source_identity: sign_in.source_identity.clone(),
        }
    }
}

impl Facts {
    /// The plan with tables in place of its patterns, where the facts are those of all such tables.
    ///
    /// # Errors
    /// Where they were read for a plan without one of the patterns: which tables there were is then not
    /// among them.
    pub fn resolve(&self, plan: &Plan) -> Result<Plan, Mismatch> {
        let known = self.surveyed_for.as_ref();
        let known = known.map_or(&[][..], |surveyed| surveyed.patterns.as_slice());
        let is_unknown = |pattern: &&TablePattern| {
            let mut known = known.iter();
            !known.any(|known| known == pattern.as_str())
        };
        if plan.is_since_last() {
            return Err(Mismatch {
                what: "the facts do not tell when the last export ended".to_owned(),
                hint: "give `from` a time in place of \"last\"".to_owned(),
            });
        }
        if let Some(pattern) = patterns(plan).find(is_unknown) {
            return Err(mismatch(format!(
                "the facts do not tell which tables are named like `{pattern}`"
            )));
        }
        let names: Vec<String> = self
            .tables()
            .filter(|(arn, _)| arn.region == self.source.region.as_str())
            .filter_map(|(arn, _)| arn.resource_after("table").map(str::to_owned))
            .collect();
        let resolved = plan.resolved(&Known {
            names: &names,
            last_end: &|_| None,
            now: self.surveyed_at,
        });
        resolved.map_err(|_| {
            let patterns: Vec<&str> = patterns(plan).map(TablePattern::as_str).collect();
            mismatch(format!(
                "the facts hold no table that is named like {}",
                patterns.join(", ")
            ))
        })
    }

    /// The facts as far as they are of a plan, with its tables by the names that it has for them.
    /// `said` are identities that somebody vouches for, each the ARN of a user, role or session.
    ///
    /// # Errors
    /// All that shows them to be of another bucket, Region or identity.
    pub fn match_plan(mut self, plan: &Plan, said: &[Arn]) -> Result<MatchedFacts, Vec<Mismatch>> {
        let mut notes = Vec::new();
        let mut mismatches: Vec<Mismatch> = self.bucket_misfit(plan).into_iter().collect();
        mismatches.extend(self.principal_misfit(plan));
        mismatches.extend(self.unknown_principals(said));
        mismatches.extend(self.region_misfit(plan));
        let surveyed = self.surveyed_for.as_ref();
        let sides = [
            // A principal that the plan names tells by itself.
            plan.principal().is_none().then(|| SideFacts {
                word: "source",
                sign_in: &plan.source.sign_in,
                facts: Some(&self.source),
                surveyed: surveyed.map(|surveyed| &surveyed.source),
            }),
            plan.destination.sign_in.as_ref().map(|sign_in| SideFacts {
                word: "destination",
                sign_in,
                facts: self.destination(),
                surveyed: surveyed.and_then(|surveyed| surveyed.destination.as_ref()),
            }),
        ];
        for side in sides.into_iter().flatten() {
            match side.judge(said) {
                Ok(note) => notes.extend(note),
                Err(mismatch) => mismatches.push(mismatch),
            }
        }
        if !mismatches.is_empty() {
            return Err(mismatches);
        }
        self.leave_out(plan, &mut notes);
        Ok(MatchedFacts { facts: self, notes })
    }

    fn bucket_misfit(&self, plan: &Plan) -> Option<Mismatch> {
        let wanted = &plan.destination.bucket;
        if self.buckets.contains_key(wanted) {
            return None;
        }
        let found: Vec<&str> = self.buckets.keys().map(BucketName::as_str).collect();
        let found = match found.as_slice() {
            [] => "no bucket".to_owned(),
            found => format!("bucket {}", found.join(" and ")),
        };
        Some(mismatch(format!(
            "the facts are of {found}, and the plan {} to bucket {wanted}",
            plan.words().verb
        )))
    }

    fn principal_misfit(&self, plan: &Plan) -> Option<Mismatch> {
        let named = plan.principal()?;
        let found = &self.source().caller.arn;
        (!goes_by(self.source(), named)).then(|| {
            mismatch(format!(
                "the facts are of {found}, and the plan is about {named}"
            ))
        })
    }

    /// Those that were vouched for and are on neither side.
    fn unknown_principals(&self, said: &[Arn]) -> Vec<Mismatch> {
        let whose: Vec<String> = self
            .sides()
            .map(|side| side.caller.arn.to_string())
            .collect();
        said.iter()
            .filter(|arn| !self.sides().any(|side| goes_by(side, arn)))
            .map(|arn| {
                mismatch(format!(
                    "the facts are of {}, not of {arn}",
                    whose.join(" and ")
                ))
            })
            .collect()
    }

    /// Tables that are named without a Region are those of the source's.
    fn region_misfit(&self, plan: &Plan) -> Option<Mismatch> {
        let found = &self.source.region;
        let Some(wanted) = &plan.source.sign_in.region else {
            let is_of_plan = self
                .surveyed_for
                .as_ref()
                .is_some_and(|surveyed| surveyed.source.region.is_some());
            let needs_it = |table: &TableRef| matches!(table, TableRef::Name(_));
            let is_open = is_of_plan && plan.tables.iter().any(|job| needs_it(&job.table));
            return is_open.then(|| Mismatch {
                what: format!(
                    "the facts were read in {found}, which the plan named then and does not name now: \
                     the profile's own Region may be another"
                ),
                hint: format!("set source.region to \"{found}\"; or {AGAIN}"),
            });
        };
        (found != wanted).then(|| {
            mismatch(format!(
                "the facts are of tables in {found}, and the plan's source is in {wanted}"
            ))
        })
    }

    /// Leaves out what the plan has nothing to do with, and calls its tables as it does.
    fn leave_out(&mut self, plan: &Plan, notes: &mut Vec<String>) {
        let mut tables = BTreeMap::new();
        for job in &plan.tables {
            let arn = plan.table_arn(job, &self.source.caller.account, &self.source.region);
            if let Some(mut found) = self.tables.remove(&arn) {
                found.asked = job.table.to_string();
                tables.insert(arn, found);
            }
        }
        self.tables = tables;
        if !plan.reads_objects() {
            self.bucket_mut(&plan.destination.bucket).objects = Fact::UNASKED;
        }
        let bucket = self.bucket(&plan.destination.bucket);
        let mut keys = bucket.objects_keys(&plan.encryption);
        let of_tables = self.tables.values().filter_map(|table| {
            let key = table.description.value()?.key.as_ref()?;
            Some(key.to_string())
        });
        keys.extend(of_tables);
        self.retain_keys(|known| keys.iter().any(|key| known.goes_by(key)));
        self.buckets
            .retain(|name, _| *name == plan.destination.bucket);
        if plan.destination.sign_in.is_none() && self.destination.is_some() {
            self.set_destination(None);
            notes.push(
                "the plan names no profile for the destination: the facts of its identity are left out"
                    .to_owned(),
            );
        }
        let is_asked_otherwise = self.surveyed_for.as_ref().is_some_and(|surveyed| {
            let identity = plan.source.sign_in.source_identity.as_ref();
            surveyed.encryption != plan.encryption
                || surveyed.source.source_identity.as_ref() != identity
        });
        if is_asked_otherwise && self.source.simulation.value().is_some() {
            notes.push(
                "IAM's simulation was asked about another encryption or source identity than the \
                 plan's: its answers are left out"
                    .to_owned(),
            );
            self.source.simulation = Fact::unasked(Unasked::AskedOtherwise);
        }
    }
}

/// Whether an ARN is that of a side's user, role or session.
fn goes_by(side: &PrincipalFacts, arn: &Arn) -> bool {
    let caller = &side.caller;
    caller.arn == *arn
        || side.role.value().is_some_and(|role| role.arn == *arn)
        || is_session_of(side, arn)
}

/// Whether a side is a session of a role, by the role's name: a session's ARN leaves the path out,
/// and a name is there once in an account ("IAM and AWS STS quotas", "IAM name requirements").
fn is_session_of(side: &PrincipalFacts, role: &Arn) -> bool {
    let name = role
        .resource_after("role")
        .and_then(|path| path.rsplit('/').next());
    role.service == "iam"
        && role.account == side.caller.account.as_str()
        && name.is_some()
        && name == side.role_name()
}

/// One side of a plan and the facts of it.
struct SideFacts<'a> {
    word: &'static str,
    sign_in: &'a SignIn,
    facts: Option<&'a PrincipalFacts>,
    surveyed: Option<&'a SurveyedAs>,
}

impl SideFacts<'_> {
    /// Whether the facts are of the identity that the plan signs in as; what cannot be told of it as
    /// a note.
    fn judge(&self, said: &[Arn]) -> Result<Option<String>, Mismatch> {
        let word = self.word;
        let profile = &self.sign_in.profile;
        let Some(facts) = self.facts else {
            return Err(Mismatch {
                what: format!(
                    "the {word} was not surveyed, and the plan signs in as profile {profile}"
                ),
                hint: format!("{AGAIN}; or take the {word}'s profile out of the plan"),
            });
        };
        let whose = &facts.caller.arn;
        if let Some(role) = &self.sign_in.role {
            if !is_session_of(facts, role) {
                return Err(mismatch(format!(
                    "the {word}'s facts are of {whose}, and the plan signs in as {role}"
                )));
            }
            return self.session_fits(facts).map(|()| None);
        }
        if said.iter().any(|arn| goes_by(facts, arn)) {
            return Ok(None);
        }
        let Some(surveyed) = self.surveyed else {
            return Ok(Some(format!(
                "these facts do not tell by which profile the {word} was surveyed: make sure that \
                 {profile} is {whose}"
            )));
        };
        let by = match &surveyed.role {
            Some(role) => format!("{role}, which the plan does not name"),
            None if surveyed.profile == *profile => return Ok(None),
            None => format!("profile {}", surveyed.profile),
        };
        // A session's ARN is another the next time.
        let vouched = facts.role.value().map_or(whose, |role| &role.arn);
        Err(Mismatch {
            what: format!(
                "the {word} was surveyed as {by}: whether the plan's profile {profile} is {whose} too \
                 cannot be told"
            ),
            hint: format!(
                "{AGAIN}; where it is the same identity, say so by `--facts-of {vouched}`"
            ),
        })
    }

    /// Policies may name a session: where the plan gives its name, it is the one.
    fn session_fits(&self, facts: &PrincipalFacts) -> Result<(), Mismatch> {
        let whose = &facts.caller.arn;
        let found = whose.resource.rsplit('/').next();
        match &self.sign_in.session_name {
            Some(wanted) if found != Some(wanted.as_str()) => Err(mismatch(format!(
                "the {}'s facts are of {whose}, and the plan names the session {wanted}",
                self.word
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
