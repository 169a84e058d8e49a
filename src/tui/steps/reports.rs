//! Reports: the configuration written to the source bucket, by a yes of its own, and what arrived.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::Step;

pub(crate) static STEP: Step = Step {
    title: "Reports",
    help: &[
        "w writes the configuration to the source bucket: it is shown first, with what stands there, and \
         needs a yes of its own. It is not offered while the delivery is denied.",
        "The first report may take 48 hours. Where S3 may not write, nothing arrives and no call says \
         so: what is denied is told here, and fixed in Access.",
        "s saves the plan: `tableferry inventory status` looks for reports without the wizard.",
    ],
    scopes: &[KeyScope::Reports],
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    drop_outdated: update::drop_outdated,
    refresh: update::refresh,
    is_waiting: |model| model.reports.status.is_loading(),
    draw: view::draw,
    ..Step::EMPTY
};
