//! Upload, Read: the plan as a whole, and how the job is done outside this program.
//!
//! This program makes no upload and reads no object: the last step of these flows says whether S3 lets the
//! principal in, and hands the rest over.

pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::Step;

pub(crate) static OF_UPLOADS: Step = Step {
    title: "Upload",
    help: &[
        "tableferry uploads nothing: the files are uploaded by those who have them, as the uploader \
         that was chosen. y copies the command of the AWS CLI.",
        "s saves the plan: `tableferry check` assesses it without the wizard, in a pipeline too.",
        "What was changed in an account for the upload stays until it is taken away: u shows it.",
    ],
    scopes: &[KeyScope::Upload],
    draw: |context, area, state, frame| {
        view::draw(context, area, (state, frame), "To upload a file");
    },
    ..BASE
};

pub(crate) static OF_READINGS: Step = Step {
    title: "Read",
    help: &[
        "tableferry reads nothing here: the objects are read by those who want them, as the reader that \
         was chosen. y copies the command of the AWS CLI; `tableferry fetch` copies an archive.",
        "s saves the plan: `tableferry check` assesses it without the wizard, in a pipeline too.",
        "What was changed in an account for the reading stays until it is taken away: u shows it.",
    ],
    scopes: &[KeyScope::Read],
    draw: |context, area, state, frame| {
        view::draw(context, area, (state, frame), "To read the objects");
    },
    ..BASE
};

const BASE: Step = Step {
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    refresh: update::refresh,
    ..Step::EMPTY
};
