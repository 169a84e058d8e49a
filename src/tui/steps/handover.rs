//! Upload: the plan as a whole, and how those who have the files upload them.
//!
//! This program makes no upload: the last step of the flow says whether S3 lets the uploader in, and
//! hands the rest over.

pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::Step;

pub(crate) static STEP: Step = Step {
    title: "Upload",
    help: &[
        "tableferry uploads nothing: the files are uploaded by those who have them, as the uploader \
         that was chosen. y copies the command of the AWS CLI.",
        "s saves the plan: `tableferry check` assesses it without the wizard, in a pipeline too.",
        "What was changed in an account for the upload stays until it is taken away: u shows it.",
    ],
    scopes: &[KeyScope::Upload],
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    refresh: update::refresh,
    draw: view::draw,
    ..Step::EMPTY
};
