//! What each step is about, in a few sentences.

use ratatui::style::Style;
use ratatui::text::Line;

use super::{Look, parts};
use crate::tui::steps::{Step, access};

/// The explanation of the current step.
pub(crate) fn lines(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let step = look.model.step;
    let mut lines = vec![parts::heading(look.theme, step.title())];
    for (index, text) in texts(step).iter().enumerate() {
        if index > 0 {
            lines.push(Line::default());
        }
        lines.extend(parts::paragraph(text, Style::new(), columns));
    }
    if step == Step::Access {
        for note in access::notes(look.model) {
            lines.push(Line::default());
            lines.extend(parts::paragraph(
                &format!("▲ {note}"),
                look.theme.warning(),
                columns,
            ));
        }
    }
    lines
}

const fn texts(step: Step) -> &'static [&'static str] {
    match step {
        Step::Accounts => &[
            "The source is who exports: DynamoDB writes to the bucket as this very principal. The \
             destination is whose bucket receives it.",
            "Each side is proved with GetCallerIdentity before anything else. Keys in the \
             environment never replace a profile that you chose.",
            "A role, an external id or another Region on top of a profile are given with e.",
        ],
        Step::Tables => &[
            "An export reads the table's point-in-time recovery, not the table: it uses no read \
             capacity, and recovery must be on.",
            "A full export holds the table at a time, an incremental one what changed in a window \
             of 15 minutes to 24 hours. Items and sizes are AWS's counts, up to six hours old.",
        ],
        Step::Destination => &[
            "DynamoDB writes under the prefix into AWSDynamoDB/. For a bucket of another account \
             the owner must be sent along, or the export fails later.",
            "The bucket may lie in another Region than the tables; a KMS key must lie in the \
             bucket's.",
        ],
        Step::Encryption => &[
            "AES256 needs no permission on a key. With KMS the exporting principal needs \
             GenerateDataKey and Decrypt, and a key of another account must be named by its full \
             ARN: an alias would be looked up in the exporting account.",
        ],
        Step::Access => &[
            "Across accounts both sides must allow: the exporting principal's own policy and the \
             bucket's, and with a key its policy too. Both are read and judged before the start.",
            "✗ denied fails for certain, ~ depends on what nobody can tell before, ? unknown could \
             not be read. The tabs after the checks hold what fixes them and, with y to copy, the \
             policies in full.",
            "A grant to the service dynamodb.amazonaws.com does nothing: DynamoDB writes as the \
             caller.",
            "p tries an upload for real and takes it back, after a question.",
        ],
        Step::Review => &[
            "Everything was read again for this page. Nothing starts before you answer yes.",
            "s saves the plan: `tableferry run` does the same without the wizard.",
        ],
        Step::Progress => &[
            "AWS tells no progress: what is counted here are the objects that appear in the \
             bucket. An empty table takes two minutes, terabytes take over an hour.",
            "Quitting ends the waiting, not the exports. `tableferry resume` comes back to them, \
             and so does opening the wizard again.",
            "What was changed in an account for the export stays until it is taken away: after the \
             last export that is offered, and u shows it.",
        ],
    }
}
