//! One line of text: a name that no list shows, a prefix, an account.

use std::borrow::Cow;

use crate::job::{Encryption, InvalidValue, value};
use crate::tui::consent::{self, Proposed};
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::Popup;
use crate::tui::steps::destination::{self, Owner};
use crate::tui::steps::tables;
use crate::tui::widgets::entry::Entry;

/// What a line of text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A table's name or ARN.
    Table,
    /// A bucket's name.
    Bucket,
    /// What the objects' keys begin with.
    Prefix,
    /// The bucket's account.
    Owner,
    /// A key's ARN.
    Key,
    /// The name of an account marked production, before this is done.
    AccountName(Box<Proposed>),
}

impl Purpose {
    /// The popup's title.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::Table => "Another table",
            Self::Bucket => "Another bucket",
            Self::Prefix => "Prefix",
            Self::Owner => "Bucket owner",
            Self::Key => "KMS key",
            Self::AccountName(_) => "An account marked production",
        }
    }

    /// What belongs there.
    pub(crate) fn explanation(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Table => {
                "A table's name in the source's account and Region, or the ARN of a table in another Region."
            }
            Self::Bucket => {
                "The bucket's name, not its ARN. A bucket that this side may not list can be named here."
            }
            Self::Prefix => {
                "What the objects' keys begin with; DynamoDB adds /AWSDynamoDB/… to it. Empty: no prefix."
            }
            Self::Owner => {
                "The account of the bucket: twelve digits. It is sent as S3BucketOwner, without which an export into another account's bucket fails."
            }
            Self::Key => {
                "The key's full ARN. An alias would be looked up in the exporting account, not in the key's."
            }
            Self::AccountName(proposed) => return Cow::Owned(name_wanted(proposed)),
        })
    }
}

/// Which name is typed, and what for.
fn name_wanted(proposed: &Proposed) -> String {
    let name = proposed.name_to_type.as_deref().unwrap_or_default();
    format!(
        "Production is concerned. Type {name} to change the {} in account {}.",
        proposed.title(),
        proposed.account()
    )
}

/// A popup for one line of text.
pub(crate) fn popup(purpose: Purpose, text: &str) -> Popup {
    Popup::Typed {
        purpose,
        entry: Entry::new(text),
        error: None,
    }
}

/// Takes the text; the popup stays open where it is wrong.
pub(super) fn submit(model: &mut Model, purpose: Purpose, entry: Entry) -> Vec<Effect> {
    match take(model, &purpose, entry.text().trim()) {
        Ok(effects) => effects,
        Err(error) => {
            model.open(Popup::Typed {
                purpose,
                entry,
                error: Some(error),
            });
            Vec::new()
        }
    }
}

fn take(model: &mut Model, purpose: &Purpose, text: &str) -> Result<Vec<Effect>, String> {
    if let Purpose::AccountName(proposed) = purpose {
        return consent::agree_by_name(model, proposed, text);
    }
    take_value(model, purpose, text).map_err(|invalid| invalid.to_string())
}

/// Takes a value of the plan, by the rule that a plan file has for it.
fn take_value(
    model: &mut Model,
    purpose: &Purpose,
    text: &str,
) -> Result<Vec<Effect>, InvalidValue> {
    match purpose {
        Purpose::Table => take_table(model, text)?,
        Purpose::Bucket => {
            let bucket = value::bucket(text)?;
            model.destination.list.clear_filter();
            return Ok(destination::choose(model, bucket));
        }
        Purpose::Prefix if text.is_empty() => model.destination.prefix = None,
        Purpose::Prefix => model.destination.prefix = Some(text.parse()?),
        Purpose::Owner => {
            let owner = value::bucket_owner(text)?;
            model.destination.owner = Owner::Given(owner);
        }
        Purpose::Key => {
            let key = Some(text.parse()?);
            model.encryption.choice = Some(Encryption::Kms { key });
            model.encryption.list.clear_filter();
            model.encryption.place_cursor();
        }
        Purpose::AccountName(_) => {}
    }
    Ok(Vec::new())
}

fn take_table(model: &mut Model, text: &str) -> Result<(), InvalidValue> {
    let job = tables::new_job(text)?;
    if !model.tables.typed.iter().any(|known| known == text) {
        model.tables.typed.push(text.to_owned());
    }
    model.tables.put(job);
    model.tables.list.clear_filter();
    let place = model.tables.rows().iter().position(|row| *row == text);
    model.tables.list.cursor = place.unwrap_or(0);
    Ok(())
}
