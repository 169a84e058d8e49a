//! What the current step is about, in a few sentences.

use ratatui::style::Style;
use ratatui::text::Line;

use super::parts;
use crate::tui::model::context::RenderContext;

/// The explanation of the current step.
pub(crate) fn lines(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let step = context.model.step;
    let mut lines = vec![parts::heading(context.theme, step.title)];
    for (index, text) in step.help.iter().enumerate() {
        if index > 0 {
            lines.push(Line::default());
        }
        lines.extend(parts::paragraph(text, Style::new(), columns));
    }
    for note in (step.notes)(context.model) {
        let note = format!("▲ {note}");
        lines.push(Line::default());
        lines.extend(parts::paragraph(&note, context.theme.warning(), columns));
    }
    lines
}
