//! From a plan with patterns to one with tables, by the names that the source lists.
//!
//! What is resolved is what a run's journal keeps, so that a run that is gone on with is never resolved
//! again, whatever tables were made since.

use super::event::Side;
use super::{StartError, Work};
use crate::aws::failure::Failure;
use crate::job::{Plan, Unmatched};
use tableferry_policy::arn::Region;

/// Why a plan's patterns could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The tables could not be listed.
    #[error("which tables the plan's patterns mean is not known: {0}")]
    NotListed(Box<Failure>),
    /// Nothing is like one of the patterns.
    #[error("no table in {region} is named like {}", words(.unmatched))]
    Unmatched {
        /// The Region that was listed.
        region: Region,
        /// The patterns.
        unmatched: Unmatched,
        /// How many tables there are.
        tables: usize,
    },
}

impl ResolveError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotListed(_) => {
                "allow dynamodb:ListTables to the source, or name the tables one by one".to_owned()
            }
            Self::Unmatched { region, tables, .. } => format!(
                "the source has {tables} tables in {region}; check the pattern, which is \
                 case-sensitive, and source.region"
            ),
        }
    }
}

fn words(unmatched: &Unmatched) -> String {
    let patterns: Vec<String> = unmatched.0.iter().map(|one| format!("`{one}`")).collect();
    patterns.join(" or ")
}

impl Work {
    /// The plan with tables in place of its patterns; the source is signed in. Without patterns nothing
    /// is asked.
    pub async fn resolve(&self, plan: &Plan) -> Result<Plan, StartError> {
        if plan.is_resolved() {
            return Ok(plan.clone());
        }
        let session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let region = session.region.clone();
        let dynamodb = session.dynamodb(&region);
        let listed = Box::pin(dynamodb.list_tables()).await;
        let names = listed.map_err(|failure| ResolveError::NotListed(Box::new(failure)))?;
        let resolved = plan.resolved(&names);
        resolved.map_err(|unmatched| {
            StartError::Resolve(ResolveError::Unmatched {
                region,
                unmatched,
                tables: names.len(),
            })
        })
    }
}
