//! One line of text, taken: a name that no list shows, a prefix, an account.

use super::state::{Popup, TypedPurpose};
use crate::job::{Encryption, InvalidValue, TablePattern, value};
use crate::tui::consent;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::steps::destination::state::BucketOwner;
use crate::tui::steps::{destination, start, tables};
use crate::tui::widgets::entry::TextEntry;

/// Takes the text; the popup stays open where it is wrong.
pub(super) fn submit(model: &mut Model, purpose: TypedPurpose, entry: TextEntry) -> Vec<Effect> {
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

fn take(model: &mut Model, purpose: &TypedPurpose, text: &str) -> Result<Vec<Effect>, String> {
    if let TypedPurpose::AccountName(proposed) = purpose {
        return consent::agree_by_name(model, proposed, text);
    }
    if *purpose == TypedPurpose::Refusal {
        let text = start::explain::explained(text)?;
        model.open(Popup::text("What it means", text));
        return Ok(Vec::new());
    }
    take_value(model, purpose, text).map_err(|invalid| invalid.to_string())
}

/// Takes a value of the plan, by the rule that a plan file has for it.
fn take_value(
    model: &mut Model,
    purpose: &TypedPurpose,
    text: &str,
) -> Result<Vec<Effect>, InvalidValue> {
    match purpose {
        TypedPurpose::Table => take_table(model, text)?,
        TypedPurpose::Uploader => model.principal.name(value::principal(text, "uploads")?),
        TypedPurpose::Reader => model.principal.name(value::principal(text, "reads")?),
        TypedPurpose::SourceBucket => model.inventory.bucket = Some(value::bucket(text)?),
        TypedPurpose::InventoryId => model.inventory.id = value::inventory_id(text)?,
        TypedPurpose::Bucket => {
            let bucket = value::bucket(text)?;
            model.destination.list.clear_filter();
            return Ok(destination::update::choose(model, bucket));
        }
        TypedPurpose::Prefix if text.is_empty() => model.destination.prefix = None,
        TypedPurpose::Prefix => model.destination.prefix = Some(text.parse()?),
        TypedPurpose::Owner => {
            let owner = value::bucket_owner(text)?;
            model.destination.owner = BucketOwner::Given(owner);
        }
        TypedPurpose::Key => {
            let key = Some(text.parse()?);
            model.encryption.choice = Some(Encryption::Kms { key });
            model.encryption.list.clear_filter();
            model.encryption.place_cursor();
        }
        TypedPurpose::Refusal | TypedPurpose::AccountName(_) => {}
    }
    Ok(Vec::new())
}

fn take_table(model: &mut Model, text: &str) -> Result<(), InvalidValue> {
    if TablePattern::is_meant_by(text) {
        let pattern = text.parse()?;
        if model.tables.selector(text).is_none() {
            model.tables.toggle_pattern(pattern);
        }
    } else {
        model.tables.put(tables::state::new_job(text)?);
    }
    if !model.tables.typed.iter().any(|known| known == text) {
        model.tables.typed.push(text.to_owned());
    }
    model.tables.list.clear_filter();
    let place = model.tables.rows().iter().position(|row| *row == text);
    model.tables.list.cursor = place.unwrap_or(0);
    Ok(())
}
