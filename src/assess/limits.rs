//! The limits that a configuration sets: the only destinations that data may go to, and how much of it.
//!
//! A plan outside them is denied, whatever the accounts themselves would allow, and nothing forces it.
//! What is not known, such as the organization of an account that nobody can ask, counts as outside.

use std::fmt::Write as _;

use bytesize::ByteSize;

use super::cost::{Estimate, Money, Prices};
use super::facts::{Fact, Facts, Organization};
use super::job_facts::bucket_owner;
use super::responsible::Responsible;
use super::verdict::{AssessedRequirement, Check, Verdict};
use crate::job::Plan;
use tableferry_policy::arn::{AccountId, BucketName};

/// What a plan must keep to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The accounts whose buckets may receive an export. With `organization`, one of the two is
    /// enough; where neither is named, every account may.
    pub accounts: Vec<AccountId>,
    /// The organization, `o-…`, the buckets of whose accounts may receive an export.
    pub organization: Option<String>,
    /// The buckets that may receive an export; every one of an allowed account where none is named.
    pub buckets: Vec<BucketName>,
    /// The most bytes that the tables of one plan may have together, by `DescribeTable`'s
    /// `TableSizeBytes`: of the whole tables, also where a part of them is exported.
    pub largest_bytes: Option<u64>,
    /// The most that the exports of one plan may cost by the estimate before the start.
    pub largest_cost: Option<Money>,
    /// What a gigabyte costs, which limits nothing by itself.
    pub prices: Prices,
}

/// Whose organization the bucket's account belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// To this one.
    Of(String),
    /// To none.
    Alone,
    /// Nobody could tell, for this reason.
    Unknown(String),
}

/// What is known of a plan that bears on its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The bucket's account: the one that is sent as its owner.
    pub owner: Option<AccountId>,
    /// That account's organization.
    pub membership: Membership,
    /// Each table as the plan calls it, with its size in bytes where it was read.
    pub tables: Vec<(String, Option<u64>)>,
}

impl Limits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        let prices = Prices::default();
        let limits = Self {
            prices,
            ..self.clone()
        };
        limits == Self::default()
    }

    /// Whether an account's organization decides.
    #[must_use]
    pub fn asks_for_organization(&self, owner: Option<&AccountId>) -> bool {
        self.organization.is_some() && owner.is_some_and(|owner| !self.accounts.contains(owner))
    }

    /// What of a plan lies outside, by facts that were read: denied requirements, and no other.
    #[must_use]
    pub fn assess(&self, plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
        // They are of where data may go to.
        if self.is_unlimited() || plan.reads_objects() {
            return Vec::new();
        }
        let mut outside = self.assess_extent(plan, &Extent::by_facts(plan, facts));
        let estimate = Estimate::of(plan, facts, &self.prices);
        outside.extend(self.assess_cost(&estimate));
        outside
    }

    fn assess_extent(&self, plan: &Plan, extent: &Extent) -> Vec<AssessedRequirement> {
        let mut outside = self.assess_destination(&plan.destination.bucket, extent);
        outside.extend(self.assess_size(&extent.tables));
        outside
    }

    /// What of a destination lies outside.
    #[must_use]
    pub fn assess_destination(
        &self,
        bucket: &BucketName,
        extent: &Extent,
    ) -> Vec<AssessedRequirement> {
        let mut found = Vec::new();
        if !self.buckets.is_empty() && !self.buckets.contains(bucket) {
            let allowed: Vec<&str> = self.buckets.iter().map(BucketName::as_str).collect();
            found.push(outside(
                bucket.as_str(),
                format!(
                    "bucket {bucket} is none of those that the configuration allows: {}",
                    allowed.join(", ")
                ),
                "choose one of them",
            ));
        }
        found.extend(self.assess_account(bucket, extent));
        found
    }

    fn assess_account(&self, bucket: &BucketName, extent: &Extent) -> Option<AssessedRequirement> {
        if self.accounts.is_empty() && self.organization.is_none() {
            return None;
        }
        let Some(owner) = &extent.owner else {
            return Some(outside(
                bucket.as_str(),
                format!(
                    "whose bucket {bucket} is is not known, and the configuration allows only {}",
                    self.destinations()
                ),
                "name its account in destination.owner, or a profile of it",
            ));
        };
        if self.accounts.contains(owner) {
            return None;
        }
        let why = match (&self.organization, &extent.membership) {
            (Some(wanted), Membership::Of(found)) if wanted == found => return None,
            (None, _) => String::new(),
            (Some(_), Membership::Of(found)) => format!("; it belongs to organization {found}"),
            (Some(_), Membership::Alone) => "; it belongs to no organization".to_owned(),
            (Some(_), Membership::Unknown(reason)) => {
                format!("; which organization it belongs to is not known: {reason}")
            }
        };
        Some(outside(
            bucket.as_str(),
            format!(
                "the configuration allows only {} as the destination, and bucket {bucket} is of \
                 account {owner}{why}",
                self.destinations()
            ),
            match extent.membership {
                Membership::Unknown(_) if self.organization.is_some() => {
                    "sign in to the bucket's account with organizations:DescribeOrganization, or \
                     name the account under [allowed]"
                }
                _ => "choose a bucket of an allowed account",
            },
        ))
    }

    /// The allowed destinations, in words.
    fn destinations(&self) -> String {
        let mut words = String::new();
        if !self.accounts.is_empty() {
            let accounts: Vec<&str> = self.accounts.iter().map(AccountId::as_str).collect();
            words = format!("accounts {}", accounts.join(", "));
        }
        if let Some(organization) = &self.organization {
            let or = if words.is_empty() { "" } else { " or " };
            // Writing to a String cannot fail.
            let _ = write!(words, "{or}accounts of organization {organization}");
        }
        words
    }

    fn assess_size(&self, tables: &[(String, Option<u64>)]) -> Option<AssessedRequirement> {
        let largest = self.largest_bytes?;
        let unread: Vec<&str> = tables
            .iter()
            .filter(|(_, bytes)| bytes.is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        let total = tables
            .iter()
            .filter_map(|(_, bytes)| *bytes)
            .fold(0, u64::saturating_add);
        let most = ByteSize(largest);
        if total > largest {
            return Some(outside(
                "the plan's tables",
                format!(
                    "the plan's tables have {} together, and the configuration allows {most}",
                    ByteSize(total)
                ),
                "export fewer tables in one plan",
            ));
        }
        (!unread.is_empty()).then(|| {
            outside(
                "the plan's tables",
                format!(
                    "the size of {} could not be read, and the configuration allows {most}",
                    unread.join(", ")
                ),
                "give the source dynamodb:DescribeTable",
            )
        })
    }
}

impl Limits {
    /// What cannot be estimated counts as too dear.
    fn assess_cost(&self, estimate: &Estimate) -> Option<AssessedRequirement> {
        let largest = self.largest_cost?;
        let currency = &self.prices.currency;
        let most = format!("the configuration allows {largest} {currency}");
        let beyond = |why: String, hint: &str| {
            let check =
                AssessedRequirement::check(Check::Limit, "the plan's cost", Verdict::Denied);
            let hint = format!("{hint}; the limit is [limits] largest_cost in the configuration");
            Some(check.because(why).fixed_by(Responsible::You, hint))
        };
        match &estimate.cost {
            None => beyond(
                format!(
                    "what the plan costs cannot be estimated, and {most}: the configuration has no price \
                     for {}",
                    estimate.missing_prices.join(", ")
                ),
                "give the prices of a gigabyte under [prices.REGION]",
            ),
            Some(cost) if *cost > largest => beyond(
                format!(
                    "the plan's exports cost about {cost} {currency} by the estimate, and {most}"
                ),
                "export fewer tables in one plan",
            ),
            Some(_) if !estimate.unknown_sizes.is_empty() => beyond(
                format!(
                    "the size of {} could not be read, and {most}",
                    estimate.unknown_sizes.join(", ")
                ),
                "give the source dynamodb:DescribeTable",
            ),
            Some(_) => None,
        }
    }
}

fn outside(of: &str, why: String, hint: &str) -> AssessedRequirement {
    AssessedRequirement::check(Check::Limit, of, Verdict::Denied)
        .because(why)
        .fixed_by(
            Responsible::You,
            format!("{hint}; the limits stand under [allowed] in the configuration"),
        )
}

impl Membership {
    /// What a fact about an organization results in.
    fn of(fact: &Fact<Organization>) -> Self {
        match fact {
            Fact::Known { value, .. } => Self::Of(value.id.clone()),
            Fact::Absent { .. } => Self::Alone,
            other => Self::Unknown(
                other
                    .obstacle("organizations:DescribeOrganization")
                    .map_or_else(String::new, |obstacle| {
                        format!("{} ({})", obstacle.permission, obstacle.words())
                    }),
            ),
        }
    }

    /// Of an account that nobody is signed in to.
    #[must_use]
    pub fn unasked() -> Self {
        Self::Unknown("nobody is signed in to it".to_owned())
    }
}

impl Extent {
    /// What facts tell. Of another bucket than the plan's they tell nothing: then the owner is the one
    /// that the plan would send.
    fn by_facts(plan: &Plan, facts: &Facts) -> Self {
        let owner = bucket_owner(plan, facts);
        let side = owner.as_ref().and_then(|owner| facts.side_of(owner));
        let membership = side.map_or_else(Membership::unasked, |side| {
            Membership::of(&facts.account(&side.caller.account).organization)
        });
        let tables = plan.tables.iter().map(|job| {
            let asked = job.table.to_string();
            let found = facts.table(&asked);
            let bytes = found.and_then(|table| table.description.value()?.size_bytes);
            (asked, bytes)
        });
        Self {
            tables: tables.collect(),
            owner,
            membership,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::assess::facts::{BucketFacts, Caller, PrincipalFacts};

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn plan() -> Plan {
        let text = "[source]\nprofile = 'p'\n[destination]\nbucket = 'export-landing'\n\
                    owner = '222222222222'\n[[tables]]\nname = 'Orders'\n";
        Plan::parse(text, "plan.toml", Timestamp::UNIX_EPOCH).unwrap()
    }

    fn extent(membership: Membership) -> Extent {
        Extent {
            owner: Some(account("222222222222")),
            membership,
            tables: vec![
                ("Orders".to_owned(), Some(600)),
                ("Users".to_owned(), Some(400)),
            ],
        }
    }

    fn describe(limits: &Limits, extent: &Extent) -> String {
        let found = limits.assess_extent(&plan(), extent);
        let texts = found.iter().map(|found| found.explanation.as_str());
        texts.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn an_account_is_allowed_by_its_id_or_by_its_organization() {
        let limits = Limits {
            accounts: vec![account("333333333333")],
            organization: Some("o-exampleorgid".to_owned()),
            ..Limits::default()
        };
        let of = |id: &str| extent(Membership::Of(id.to_owned()));
        assert_eq!(describe(&limits, &of("o-exampleorgid")), "");
        assert!(describe(&limits, &of("o-otherorgid00")).contains("o-otherorgid00"));
        assert!(describe(&limits, &extent(Membership::Alone)).contains("no organization"));
        let unknown = Membership::Unknown("access denied".to_owned());
        assert!(describe(&limits, &extent(unknown.clone())).contains("access denied"));
        let named = Limits {
            accounts: vec![account("222222222222")],
            ..limits
        };
        assert_eq!(describe(&named, &extent(unknown)), "");
    }

    #[test]
    fn the_sizes_of_a_plan_count_together_and_what_was_not_read_is_too_large() {
        let most = |bytes| Limits {
            largest_bytes: Some(bytes),
            ..Limits::default()
        };
        let mut extent = extent(Membership::Alone);
        assert_eq!(describe(&most(1000), &extent), "");
        assert!(describe(&most(999), &extent).contains("1000 B together"));
        extent.tables[1].1 = None;
        assert!(describe(&most(1000), &extent).contains("the size of Users"));
        assert_eq!(describe(&Limits::default(), &extent), "");
    }

    /// Facts of a bucket of this name, which is of account 222222222222.
    fn facts_of(bucket: &str) -> Facts {
        let caller = Caller {
            arn: "arn:aws:iam::111111111111:user/pat".parse().unwrap(),
            account: account("111111111111"),
            user_id: "AIDAEXAMPLEEXAMPLE001".to_owned(),
        };
        let source = PrincipalFacts::new(caller, "eu-west-1".parse().unwrap());
        let name = bucket.parse().unwrap();
        let mut bucket = BucketFacts::UNREAD;
        let now = Timestamp::UNIX_EPOCH;
        bucket.owner = Fact::known(account("222222222222"), now, "test");
        let mut facts = Facts::new(source, now);
        *facts.bucket_mut(&name) = bucket;
        facts
    }

    #[test]
    fn facts_of_another_bucket_do_not_tell_whose_the_plan_s_is() {
        let limits = Limits {
            accounts: vec![account("222222222222")],
            ..Limits::default()
        };
        let violations = |plan: &Plan, bucket: &str| limits.assess(plan, &facts_of(bucket)).len();
        let mut plan = plan();
        plan.destination.owner = None;
        assert_eq!(violations(&plan, "export-landing"), 0);
        assert_eq!(violations(&plan, "prod-archive"), 1);
        plan.destination.owner = Some(account("333333333333"));
        assert_eq!(violations(&plan, "prod-archive"), 1);
        plan.destination.owner = Some(account("222222222222"));
        assert_eq!(violations(&plan, "prod-archive"), 0);
    }

    #[test]
    fn a_bucket_must_be_among_those_named_whatever_its_account() {
        let limits = Limits {
            accounts: vec![account("222222222222")],
            buckets: vec!["export-frankfurt".parse().unwrap()],
            ..Limits::default()
        };
        assert!(describe(&limits, &extent(Membership::Alone)).contains("export-frankfurt"));
        let nobodys = Extent {
            owner: None,
            ..extent(Membership::Alone)
        };
        assert!(describe(&limits, &nobodys).contains("is not known"));
    }
}
