//! What the keys of the Inventory step do.

use super::state::InventoryRow;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::state::{Popup, TypedPurpose};
use crate::tui::services::ShownProblem;

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let row = model.inventory.row();
    match action {
        Action::Type => row.is_some_and(InventoryRow::is_typed),
        Action::Toggle => row.is_some_and(|row| !row.is_typed()),
        Action::Reload => false,
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(row) = model.inventory.row() else {
        return Vec::new();
    };
    match action {
        Action::Toggle => model.inventory.toggle(row),
        Action::Type => {
            let purpose = match row {
                InventoryRow::Bucket => TypedPurpose::SourceBucket,
                _ => TypedPurpose::InventoryId,
            };
            let popup = Popup::typed(purpose, &model.inventory.value(row));
            model.open(popup);
        }
        _ => {}
    }
    Vec::new()
}

/// What is missing before the destination can be chosen.
pub(crate) fn check(model: &Model) -> Result<(), ShownProblem> {
    if model.inventory.bucket.is_some() {
        return Ok(());
    }
    Err(ShownProblem {
        what: "no source bucket is named yet".to_owned(),
        hint: "t takes its name".to_owned(),
    })
}
