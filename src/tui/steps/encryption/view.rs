//! The Encryption step.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::{EncryptionRow, key_text};
use super::update::suggestion;
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::text;
use crate::work::event::Side;

const STATE: usize = 18;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let step = &context.model.encryption;
    let block = parts::pane(context.theme, "Encryption", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let rows = step.rows();
    let suggested = suggestion(context.model).encryption;
    let below = below(context, columns);
    let below_rows = u16::try_from(below.len())
        .unwrap_or(0)
        .min(inside.height / 2);
    let parts_of = [
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(below_rows),
    ];
    let [head, list_area, foot] = Layout::vertical(parts_of).areas(inside);
    let head_line = parts::filter_line(context, &step.list, rows.len(), columns)
        .unwrap_or_else(|| Line::styled("    algorithm or key", Theme::muted()));
    frame.render_widget(Paragraph::new(head_line), head);
    frame.render_widget(Paragraph::new(below), foot);
    let draw_row = |index: usize| match rows.get(index) {
        Some(row) => {
            let is_suggested = suggested == Some(row.encryption());
            draw_row(context, row, is_suggested, columns.saturating_sub(2))
        }
        None => Line::default(),
    };
    let rows = parts::ListRows {
        name: "keys",
        count: rows.len(),
        cursor: step.list.cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, list_area, state, frame);
}

fn draw_row(
    context: &RenderContext<'_>,
    row: &EncryptionRow,
    is_suggested: bool,
    columns: usize,
) -> Line<'static> {
    let theme = context.theme;
    let is_chosen = context.model.encryption.choice == Some(row.encryption());
    let style = if is_chosen {
        theme.side(Side::Destination)
    } else {
        Style::new()
    };
    let name = match row {
        EncryptionRow::BucketDefault => "the bucket's default".to_owned(),
        EncryptionRow::Aes256 => "SSE-S3 (AES256)".to_owned(),
        EncryptionRow::Typed(key) => {
            let key = key_text(key.as_ref());
            text::fit_middle(&format!("KMS {key}"), columns.saturating_sub(2 + STATE))
        }
        EncryptionRow::Key(key) => {
            let alias = key.aliases.first().cloned();
            let id = key.arn.resource_after("key").unwrap_or_default().to_owned();
            format!("KMS {}", alias.unwrap_or(id))
        }
    };
    let (note, note_style) = match row {
        _ if is_suggested => ("suggested", theme.good()),
        EncryptionRow::Key(key) if key.is_aws_managed => ("AWS managed", Theme::muted()),
        EncryptionRow::Key(key) if key.state != "Enabled" => (key.state.as_str(), theme.warning()),
        EncryptionRow::Typed(_) => ("typed", Theme::muted()),
        _ => ("", Style::new()),
    };
    Line::from(vec![
        Span::styled(if is_chosen { "● " } else { "  " }, style),
        Span::styled(text::pad(&name, columns.saturating_sub(2 + STATE)), style),
        Span::styled(text::fit(note, STATE), note_style),
    ])
}

/// Whether keys are still read, or why they cannot be.
fn below(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let model = context.model;
    if model.encryption.keys.is_loading() {
        let region = model.destination.region().map(ToString::to_string);
        let sentence = format!("reading the keys in {} …", region.unwrap_or_default());
        return vec![parts::waiting(context, &sentence)];
    }
    if let Some(failure) = model.encryption.keys.error() {
        return parts::failure(context.theme, failure, columns);
    }
    Vec::new()
}

/// Why one is suggested, and what is known of the key under the cursor.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let suggestion = suggestion(context.model);
    let mut lines = parts::paragraph(&suggestion.why, Style::new(), columns);
    if let Some(EncryptionRow::Key(key)) = context.model.encryption.row() {
        lines.push(Line::default());
        lines.extend(parts::fact(
            "full ARN",
            &key.arn.to_string(),
            Style::new(),
            columns,
        ));
        if key.aliases.len() > 1 {
            lines.extend(parts::fact(
                "aliases",
                &key.aliases.join(", "),
                Style::new(),
                columns,
            ));
        }
        if !key.description.is_empty() {
            lines.extend(parts::fact("is", &key.description, Style::new(), columns));
        }
    }
    ("Why".to_owned(), lines)
}
