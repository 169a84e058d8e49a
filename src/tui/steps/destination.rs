//! Destination: which bucket receives the export, whose it is, and what its keys begin with.

use crate::assess::facts::BucketFacts;
use crate::aws::s3::Bucket;
use crate::job::{Plan, Prefix};
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Errand, Query};
use crate::tui::model::Model;
use crate::tui::outside::Problem;
use crate::tui::popups::typed::{self, Purpose};
use crate::tui::remote::{Remote, RequestId};
use crate::tui::widgets::list::List;
use crate::work::event::Side;
use tableferry_policy::arn::{AccountId, BucketName};

/// The buckets of the destination, and the chosen one.
#[derive(Debug, Clone, Default)]
pub struct Destination {
    pub(crate) buckets: Remote<Vec<Bucket>>,
    pub(crate) list: List,
    pub(crate) bucket: Option<BucketName>,
    pub(crate) facts: Remote<BucketFacts, String>,
    pub(crate) owner: Owner,
    pub(crate) prefix: Option<Prefix>,
}

/// Whose the bucket is, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Owner {
    /// Not known.
    #[default]
    Unknown,
    /// S3 agreed to it.
    Found(AccountId),
    /// Given by the operator or the plan.
    Given(AccountId),
}

impl Destination {
    pub(crate) fn fill_in(&mut self, plan: &Plan) {
        self.bucket = Some(plan.destination.bucket.clone());
        self.prefix.clone_from(&plan.destination.prefix);
        self.owner = match &plan.destination.owner {
            Some(owner) => Owner::Given(owner.clone()),
            None => Owner::Unknown,
        };
    }

    /// Forgets what another identity has read; choices of a plan that was never shown stay.
    pub(crate) fn forget(&mut self) {
        if !self.buckets.is_not_asked() || !self.facts.is_not_asked() {
            self.bucket = None;
            self.owner = Owner::Unknown;
        }
        self.buckets = Remote::NotAsked;
        self.facts = Remote::NotAsked;
        self.list = List::default();
    }

    /// The bucket's account, as far as it is known.
    pub(crate) const fn owner(&self) -> Option<&AccountId> {
        match &self.owner {
            Owner::Unknown => None,
            Owner::Found(owner) | Owner::Given(owner) => Some(owner),
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
    pub(crate) fn region(&self) -> Option<&tableferry_policy::arn::Region> {
        let read = self.facts.value().and_then(|facts| facts.region.value());
        read.or_else(|| {
            let chosen = self.bucket.as_ref()?;
            let listed = self.buckets.value()?;
            let bucket = listed.iter().find(|bucket| bucket.name == *chosen)?;
            bucket.region.as_ref()
        })
    }

    fn place_cursor(&mut self) {
        let chosen = self.bucket.clone();
        let place = self
            .rows()
            .iter()
            .position(|bucket| Some(&bucket.name) == chosen.as_ref());
        self.list.cursor = place.unwrap_or(0);
    }
}

/// What entering the step sets off.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let can_read = model.identified(Side::Destination).is_some();
    if can_read && model.destination.buckets.is_not_asked() {
        effects.extend(reload(model));
    }
    if can_read
        && model.destination.facts.is_not_asked()
        && let Some(bucket) = model.destination.bucket.clone()
    {
        effects.extend(read_bucket(model, bucket));
    }
    effects
}

fn reload(model: &mut Model) -> Vec<Effect> {
    if model.identified(Side::Destination).is_none() {
        return Vec::new();
    }
    let request = model.request();
    model.destination.buckets.ask(request);
    let mut effects = vec![Effect::Ask(request, Errand::Buckets, Query::Buckets)];
    if !model.destination.facts.is_not_asked()
        && let Some(bucket) = model.destination.bucket.clone()
    {
        effects.extend(read_bucket(model, bucket));
    }
    effects
}

/// Takes the account's buckets.
pub(crate) fn take_buckets(
    model: &mut Model,
    request: RequestId,
    answer: Result<Vec<Bucket>, crate::aws::Failure>,
) -> bool {
    let is_taken = model.destination.buckets.answer(request, answer);
    if is_taken {
        model.destination.place_cursor();
    }
    is_taken
}

/// Chooses a bucket; what was known of another one goes.
pub(crate) fn choose(model: &mut Model, bucket: BucketName) -> Vec<Effect> {
    model.destination.bucket = Some(bucket.clone());
    model.destination.owner = Owner::Unknown;
    model.destination.facts = Remote::NotAsked;
    model.encryption.forget();
    model.destination.place_cursor();
    if model.identified(Side::Destination).is_some() {
        read_bucket(model, bucket)
    } else {
        Vec::new()
    }
}

fn read_bucket(model: &mut Model, bucket: BucketName) -> Vec<Effect> {
    let request = model.request();
    model.destination.facts = Remote::Loading(request);
    vec![
        Effect::Cancel(Errand::Bucket),
        Effect::Ask(request, Errand::Bucket, Query::Bucket(bucket)),
    ]
}

/// Takes what was read of the chosen bucket; says whether it still counted.
pub(crate) fn take_facts(model: &mut Model, request: RequestId, facts: BucketFacts) -> bool {
    let owner = facts.owner.value().cloned();
    if !model.destination.facts.answer(request, Ok(facts)) {
        return false;
    }
    if let (Some(owner), Owner::Unknown | Owner::Found(_)) = (owner, &model.destination.owner) {
        model.destination.owner = Owner::Found(owner);
    }
    true
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let destination = &model.destination;
    match action {
        Action::Choose => destination
            .row()
            .is_some_and(|row| Some(&row.name) != destination.bucket.as_ref()),
        Action::Prefix | Action::Owner => destination.bucket.is_some(),
        Action::Reload => model.identified(Side::Destination).is_some(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let destination = &model.destination;
    match action {
        Action::Choose => {
            return match destination.row() {
                Some(row) => choose(model, row.name),
                None => Vec::new(),
            };
        }
        Action::Prefix => {
            let prefix = destination.prefix.as_ref().map_or("", Prefix::as_str);
            let popup = typed::popup(Purpose::Prefix, prefix);
            model.open(popup);
        }
        Action::Owner => {
            let owner = destination
                .owner()
                .map(ToString::to_string)
                .unwrap_or_default();
            model.open(typed::popup(Purpose::Owner, &owner));
        }
        Action::Type => model.open(typed::popup(Purpose::Bucket, "")),
        Action::Reload => return reload(model),
        _ => {}
    }
    Vec::new()
}

/// What is missing before the encryption can be chosen.
pub(crate) fn can_advance(model: &Model) -> Result<(), Problem> {
    let destination = &model.destination;
    let blocked = |what: String, hint: &str| {
        Err(Problem {
            what,
            hint: hint.to_owned(),
        })
    };
    let Some(bucket) = &destination.bucket else {
        return blocked(
            "no bucket is chosen yet".to_owned(),
            "Enter chooses one, t takes a name",
        );
    };
    if destination.facts.is_loading() {
        return blocked(format!("still reading {bucket}"), "one moment");
    }
    if destination.owner().is_none() {
        return blocked(
            format!("whose bucket {bucket} is is not known"),
            "give its account with o: an export into another account's bucket must name it",
        );
    }
    Ok(())
}
