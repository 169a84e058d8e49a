//! The Uploader step.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::UploaderRow;
use crate::tui::model::Model;
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::text;
use crate::work::event::Side;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let uploader = &context.model.uploader;
    let block = parts::pane(context.theme, "Uploader", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let rows = [
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [head, list_area, foot] = Layout::vertical(rows).areas(inside);
    let rows = uploader.rows();
    let head_line = parts::filter_line(context, &uploader.list, rows.len(), columns)
        .unwrap_or_else(|| Line::styled("    user, role or session", Theme::muted()));
    frame.render_widget(Paragraph::new(head_line), head);
    frame.render_widget(Paragraph::new(parts_line(context)), foot);
    let draw_row = |index: usize| {
        let Some(row) = rows.get(index) else {
            return Line::default();
        };
        let is_chosen = uploader.principal.as_ref() == row.named();
        let style = if is_chosen {
            context.theme.side(Side::Source)
        } else {
            Style::new()
        };
        let name = row
            .named()
            .map_or_else(|| own_name(context.model), ToString::to_string);
        let name = text::fit_middle(&name, columns.saturating_sub(4));
        Line::from(vec![
            Span::styled(if is_chosen { "● " } else { "  " }, style),
            Span::styled(name, style),
        ])
    };
    let rows = parts::ListRows {
        name: "uploaders",
        count: rows.len(),
        cursor: uploader.list.cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, list_area, state, frame);
}

/// The source's profile, and who it proved to be.
fn own_name(model: &Model) -> String {
    let known = model.identified(Side::Source);
    let who = known.map_or_else(String::new, |known| {
        format!(": {}", known.identity.arn.resource)
    });
    format!("the source's profile{who}")
}

/// Whether the files are sent in parts.
fn parts_line(context: &RenderContext<'_>) -> Line<'static> {
    let option = |word: &str, is_chosen: bool| {
        if is_chosen {
            Span::styled(format!("[{word}] "), context.theme.accent())
        } else {
            Span::styled(format!(" {word}  "), Theme::muted())
        }
    };
    let is_multipart = context.model.uploader.is_multipart;
    Line::from(vec![
        Span::styled("sent       ", Theme::muted()),
        option("in parts", is_multipart),
        option("in one piece", !is_multipart),
    ])
}

/// Who is under the cursor, and what that means.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let Some(row) = context.model.uploader.row() else {
        return ("Uploader".to_owned(), Vec::new());
    };
    let known = context.model.identified(Side::Source);
    let arn = match row {
        UploaderRow::Named(arn) => Some(arn.to_string()),
        UploaderRow::Profile => known.map(|known| known.identity.arn.to_string()),
    };
    let lines = arn.map_or_else(Vec::new, |arn| {
        parts::fact("ARN", &arn, Style::new(), columns)
    });
    ("Uploader".to_owned(), lines)
}
