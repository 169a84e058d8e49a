//! Access: the policies that the plan needs, in full, to read and to copy.

use crate::tui::drafts;
use crate::tui::keymap::Action;
use crate::tui::layout;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};
use crate::tui::widgets::{format, list, text};

/// Which policy is in sight, and from which line on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Access {
    pub(crate) tab: usize,
    pub(crate) line: usize,
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Copy => !drafts::policies(model).is_empty(),
        Action::NextTab | Action::PreviousTab => drafts::policies(model).len() > 1,
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let policies = drafts::policies(model);
    let count = policies.len().max(1);
    match action {
        Action::NextTab => {
            model.access = Access {
                tab: (model.access.tab + 1) % count,
                line: 0,
            }
        }
        Action::PreviousTab => {
            let tab = (model.access.tab + count - 1) % count;
            model.access = Access { tab, line: 0 };
        }
        Action::Copy => {
            if let Some(policy) = policies.get(model.access.tab) {
                let size = format::counted(policy.text.lines().count() as u64, "line");
                model.say(
                    Tone::Good,
                    format!(
                        "{}: {size} sent to the terminal's clipboard (OSC 52)",
                        policy.title
                    ),
                );
                return vec![Effect::Copy(policy.text.clone())];
            }
        }
        _ => scroll(model, action),
    }
    Vec::new()
}

fn scroll(model: &mut Model, action: Action) {
    let page = model.page();
    let lines = lines(model).len().saturating_sub(page) + 1;
    if let Some(line) = list::moved(action, model.access.line, lines, page) {
        model.access.line = line;
    }
}

/// The policy in sight, broken to the width of its place; below it what to know before it is copied,
/// where that has no place of its own.
pub(crate) fn lines(model: &Model) -> Vec<String> {
    let columns = layout::text_columns(model);
    let mut lines = match drafts::policies(model).get(model.access.tab) {
        Some(policy) => text::wrap(&policy.text, columns),
        None => return Vec::new(),
    };
    if !layout::has_detail(model) {
        for note in drafts::notes(model) {
            lines.push(String::new());
            lines.extend(text::wrap(&format!("▲ {note}"), columns));
        }
    }
    lines
}
