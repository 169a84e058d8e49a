//! The buckets of the destination, and the chosen one.

use crate::assess::facts::BucketFacts;
use crate::aws::s3::Bucket;
use crate::job::{Plan, Prefix};
use crate::tui::remote::Remote;
use crate::tui::revision::Revision;
use crate::tui::widgets::list::FilteredList;
use tableferry_policy::arn::{AccountId, BucketName, Region};

/// The buckets of the destination, and the chosen one.
#[derive(Debug, Clone, Default)]
pub(crate) struct DestinationChoice {
    pub(crate) buckets: Remote<Vec<Bucket>>,
    pub(crate) list: FilteredList,
    pub(crate) bucket: Option<BucketName>,
    pub(crate) facts: Remote<BucketFacts, String>,
    pub(crate) owner: BucketOwner,
    pub(crate) prefix: Option<Prefix>,
    /// How often another bucket was chosen.
    pub(crate) revision: Revision,
    /// The destination's side that this is of.
    pub(super) side: Revision,
}

/// Whose the bucket is, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum BucketOwner {
    /// Not known.
    #[default]
    Unknown,
    /// S3 agreed to it.
    Found(AccountId),
    /// Given by the operator or the plan.
    Given(AccountId),
}

impl DestinationChoice {
    pub(crate) fn filled_in(plan: &Plan) -> Self {
        let owner = plan.destination.owner.clone();
        Self {
            bucket: Some(plan.destination.bucket.clone()),
            prefix: plan.destination.prefix.clone(),
            owner: owner.map_or(BucketOwner::Unknown, BucketOwner::Given),
            ..Self::default()
        }
    }

    /// Forgets what another identity has read; choices of a plan that was never shown stay.
    pub(super) fn forget(&mut self) {
        if !self.buckets.is_not_asked() || !self.facts.is_not_asked() {
            self.bucket = None;
            self.owner = BucketOwner::Unknown;
        }
        self.buckets = Remote::NotAsked;
        self.facts = Remote::NotAsked;
        self.list = FilteredList::default();
    }

    /// The bucket's account, as far as it is known.
    pub(crate) const fn owner(&self) -> Option<&AccountId> {
        match &self.owner {
            BucketOwner::Unknown => None,
            BucketOwner::Found(owner) | BucketOwner::Given(owner) => Some(owner),
        }
    }

    /// The rows that the filter leaves: the chosen bucket if the account's list does not name it,
    /// then the account's.
    pub(crate) fn rows(&self) -> Vec<Bucket> {
        let listed: &[Bucket] = self.buckets.value().map_or(&[], Vec::as_slice);
        let typed = self
            .bucket
            .iter()
            .filter(|name| !listed.iter().any(|bucket| bucket.name == **name))
            .map(|name| Bucket {
                name: name.clone(),
                region: self.region().cloned(),
            });
        typed
            .chain(listed.iter().cloned())
            .filter(|bucket| self.list.lets_through(bucket.name.as_str()))
            .collect()
    }

    /// The bucket under the cursor.
    pub(crate) fn row(&self) -> Option<Bucket> {
        self.rows().get(self.list.cursor).cloned()
    }

    /// The Region of the chosen bucket.
    pub(crate) fn region(&self) -> Option<&Region> {
        let read = self.facts.value().and_then(|facts| facts.region.value());
        read.or_else(|| {
            let chosen = self.bucket.as_ref()?;
            let listed = self.buckets.value()?;
            let bucket = listed.iter().find(|bucket| bucket.name == *chosen)?;
            bucket.region.as_ref()
        })
    }

    /// Chooses a bucket; what was known of another one goes.
    pub(super) fn choose(&mut self, bucket: BucketName) {
        self.bucket = Some(bucket);
        self.owner = BucketOwner::Unknown;
        self.facts = Remote::NotAsked;
        self.revision.advance();
        self.place_cursor();
    }

    pub(super) fn place_cursor(&mut self) {
        let chosen = self.bucket.clone();
        let place = self
            .rows()
            .iter()
            .position(|bucket| Some(&bucket.name) == chosen.as_ref());
        self.list.cursor = place.unwrap_or(0);
    }
}
