//! Access: what the plan may do on either side, what fixes what it may not, and the policies that
//! it needs, in full.

pub(crate) mod state;
pub(crate) mod tabs;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::assessing;
use crate::tui::keymap::KeyScope;
use crate::tui::model::step::Step;

pub(crate) static STEP: Step = Step {
    help: &[
        "Across accounts both sides must allow: the exporting principal's own policy and the \
         bucket's, and with a key its policy too. Both are read and judged before the start.",
        "✗ denied fails for certain, ~ depends on what nobody can tell before, ? unknown could \
         not be read. The tabs after the checks hold what fixes them and, with y to copy, the \
         policies in full.",
        "A grant to the service dynamodb.amazonaws.com does nothing: DynamoDB writes as the \
         caller.",
        "p tries an upload for real and takes it back, after a question.",
    ],
    ..BASE
};

/// The same for uploads.
pub(crate) static OF_UPLOADS: Step = Step {
    help: &[
        "Across accounts both sides must allow: the uploader's own policy and the bucket's, and with \
         a key its policy too. Within one account the bucket's policy alone may allow the upload, \
         and the key's must allow or delegate in any case.",
        "✗ denied fails for certain, ~ depends on what nobody can tell before, ? unknown could \
         not be read. The tabs after the checks hold what fixes them and, with y to copy, the \
         policies in full.",
        "p tries an upload for real and takes it back, after a question.",
    ],
    ..BASE
};

/// The same for readings.
pub(crate) static OF_READINGS: Step = Step {
    help: &[
        "Across accounts both sides must allow: the reader's own policy and the bucket's, and with a key \
         its policy too. A bucket's policy does not cover objects that their writer owns.",
        "✗ denied fails for certain, ~ depends on what nobody can tell before, ? unknown could \
         not be read. The tabs after the checks hold what fixes them and, with y to copy, the \
         policies in full.",
        "p lists the folder and reads the first byte of some objects, after a question.",
    ],
    ..BASE
};

/// The same for inventories.
pub(crate) static OF_INVENTORIES: Step = Step {
    help: &[
        "S3 writes as its own principal s3.amazonaws.com, acting for the source bucket: no role of yours \
         is asked, and the bucket's policy and the key's decide.",
        "✗ denied fails for certain, ~ depends on what nobody can tell before, ? unknown could \
         not be read. The tabs after the checks hold what fixes them and, with y to copy, the \
         policies in full.",
    ],
    ..BASE
};

const BASE: Step = Step {
    title: "Access",
    notes: tabs::notes,
    scopes: &[KeyScope::Access],
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    check: assessing::check_plan,
    instead_of_next: update::show_violations_instead,
    refresh: update::refresh,
    draw: view::draw,
    detail: view::detail,
    ..Step::EMPTY
};
