//! A form: its fields, and what belongs into the one with the focus.

use ratatui::text::{Line, Span};

use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::widgets::form::{Field, FieldValue, Form};
use crate::tui::widgets::text;

const LABEL: usize = 14;

pub(super) fn lines(
    context: &RenderContext<'_>,
    form: &Form,
    columns: usize,
) -> Vec<Line<'static>> {
    let fields = form.fields.iter().enumerate();
    let mut lines: Vec<Line<'static>> = fields
        .map(|(index, field)| field_line(context.theme, field, index == form.focus, columns))
        .collect();
    lines.push(Line::default());
    let hint = form.fields.get(form.focus).map_or("", |field| field.hint);
    lines.push(Line::styled(hint, Theme::muted()));
    if let Some(error) = &form.error {
        let error = format!("✗ {error}");
        lines.extend(parts::paragraph(&error, context.theme.bad(), columns));
    }
    lines
}

fn field_line(theme: Theme, field: &Field, is_focused: bool, columns: usize) -> Line<'static> {
    let (label_style, chosen_style) = if is_focused {
        (theme.accent(), theme.accent())
    } else {
        (Theme::muted(), Theme::strong())
    };
    let mut spans = vec![Span::styled(text::pad(field.label, LABEL), label_style)];
    let room = columns.saturating_sub(LABEL);
    match &field.value {
        FieldValue::Text(entry) if entry.text().is_empty() && !is_focused => {
            spans.push(Span::styled(text::fit(field.hint, room), Theme::muted()));
        }
        FieldValue::Text(entry) => spans.extend(parts::entry_spans(entry, is_focused, room)),
        FieldValue::Choice { options, chosen } => {
            for (place, option) in options.iter().enumerate() {
                spans.push(if place == *chosen {
                    Span::styled(format!("[{option}] "), chosen_style)
                } else {
                    Span::styled(format!(" {option}  "), Theme::muted())
                });
            }
        }
    }
    Line::from(spans)
}
