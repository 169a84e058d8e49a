//! The keys of the destination, and the choice.

use crate::aws::kms::Key;
use crate::job::{Encryption, KeyRef, Plan};
use crate::tui::remote::Remote;
use crate::tui::revision::Revision;
use crate::tui::widgets::list::FilteredList;

/// The keys of the destination, and the choice.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncryptionStep {
    pub(crate) keys: Remote<Vec<Key>>,
    pub(crate) list: FilteredList,
    pub(crate) choice: Option<Encryption>,
    /// Whether the encryption can be left to the bucket's default.
    pub(super) offers_default: bool,
    /// The destination's side, the bucket and the flow that this is of.
    pub(super) basis: (Revision, Revision, Revision),
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EncryptionRow {
    /// Whatever the bucket's default is.
    BucketDefault,
    /// S3's own keys.
    Aes256,
    /// A key of the account.
    Key(Key),
    /// A key that was typed or came with the plan; none is the AWS managed key.
    Typed(Option<KeyRef>),
}

impl EncryptionRow {
    pub(crate) fn encryption(&self) -> Encryption {
        match self {
            Self::BucketDefault => Encryption::BucketDefault,
            Self::Aes256 => Encryption::Aes256,
            Self::Key(key) => kms((&key.arn).into()),
            Self::Typed(key) => Encryption::Kms { key: key.clone() },
        }
    }
}

/// What is suggested, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) encryption: Option<Encryption>,
    pub(crate) why: String,
}

/// A key's name; without one that is named, S3 takes the AWS managed one.
pub(crate) fn key_text(key: Option<&KeyRef>) -> &str {
    key.map_or("alias/aws/s3", KeyRef::as_str)
}

pub(super) const fn kms(key: KeyRef) -> Encryption {
    Encryption::Kms { key: Some(key) }
}

impl EncryptionStep {
    pub(crate) fn filled_in(plan: &Plan) -> Self {
        Self {
            choice: Some(plan.encryption.clone()),
            ..Self::default()
        }
    }

    /// Forgets what another identity or bucket stood for; the choice of a plan that was never shown
    /// stays.
    pub(super) fn forget(&mut self) {
        if !self.keys.is_not_asked() {
            self.choice = None;
        }
        self.keys = Remote::NotAsked;
        self.list = FilteredList::default();
    }

    /// The rows that the filter leaves.
    pub(crate) fn rows(&self) -> Vec<EncryptionRow> {
        let keys: &[Key] = self.keys.value().map_or(&[], Vec::as_slice);
        let typed = match &self.choice {
            Some(Encryption::Kms { key }) => {
                let text = key_text(key.as_ref());
                let is_listed = keys.iter().any(|known| known.arn.to_string() == text);
                (!is_listed).then(|| EncryptionRow::Typed(key.clone()))
            }
            _ => None,
        };
        let default = self.offers_default.then_some(EncryptionRow::BucketDefault);
        default
            .into_iter()
            .chain([EncryptionRow::Aes256])
            .chain(typed)
            .chain(keys.iter().cloned().map(EncryptionRow::Key))
            .filter(|row| match row {
                EncryptionRow::BucketDefault => self.list.lets_through("default"),
                EncryptionRow::Aes256 => self.list.lets_through("AES256"),
                EncryptionRow::Typed(key) => self.list.lets_through(key_text(key.as_ref())),
                EncryptionRow::Key(key) => {
                    self.list.lets_through(&key.arn.to_string())
                        || key
                            .aliases
                            .iter()
                            .any(|alias| self.list.lets_through(alias))
                }
            })
            .collect()
    }

    /// The row under the cursor.
    pub(crate) fn row(&self) -> Option<EncryptionRow> {
        self.rows().get(self.list.cursor).cloned()
    }

    pub(crate) fn place_cursor(&mut self) {
        let choice = self.choice.clone();
        let place = self
            .rows()
            .iter()
            .position(|row| Some(row.encryption()) == choice);
        self.list.cursor = place.unwrap_or(0);
    }

    /// The account's key of this ARN.
    pub(crate) fn key(&self, arn: &str) -> Option<&Key> {
        self.keys
            .value()?
            .iter()
            .find(|key| key.arn.to_string() == arn)
    }
}
