//! The Uploader and Reader steps.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::PrincipalRow;
use crate::tui::model::Model;
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::text;
use crate::work::event::Side;

/// Draws the list, and below it a line of the step's own.
pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    (state, frame): (&mut ViewState, &mut Frame<'_>),
    foot_line: Option<Line<'static>>,
) {
    let chosen = &context.model.principal;
    let block = parts::pane(context.theme, context.model.step.title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let rows = [
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [head, list_area, foot] = Layout::vertical(rows).areas(inside);
    let rows = chosen.rows();
    let head_line = parts::filter_line(context, &chosen.list, rows.len(), columns)
        .unwrap_or_else(|| Line::styled("    user, role or session", Theme::muted()));
    frame.render_widget(Paragraph::new(head_line), head);
    if let Some(line) = foot_line {
        frame.render_widget(Paragraph::new(line), foot);
    }
    let draw_row = |index: usize| {
        let Some(row) = rows.get(index) else {
            return Line::default();
        };
        let is_chosen = chosen.principal.as_ref() == row.named();
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
        name: "principals",
        count: rows.len(),
        cursor: chosen.list.cursor,
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
pub(crate) fn parts_line(context: &RenderContext<'_>) -> Line<'static> {
    let option = |word: &str, is_chosen: bool| {
        if is_chosen {
            Span::styled(format!("[{word}] "), context.theme.accent())
        } else {
            Span::styled(format!(" {word}  "), Theme::muted())
        }
    };
    let is_multipart = context.model.principal.is_multipart;
    Line::from(vec![
        Span::styled("sent       ", Theme::muted()),
        option("in parts", is_multipart),
        option("in one piece", !is_multipart),
    ])
}

/// Who is under the cursor, and what that means.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let Some(row) = context.model.principal.row() else {
        return (context.model.step.title.to_owned(), Vec::new());
    };
    let known = context.model.identified(Side::Source);
    let arn = match row {
        PrincipalRow::Named(arn) => Some(arn.to_string()),
        PrincipalRow::Profile => known.map(|known| known.identity.arn.to_string()),
    };
    let lines = arn.map_or_else(Vec::new, |arn| {
        parts::fact("ARN", &arn, Style::new(), columns)
    });
    (context.model.step.title.to_owned(), lines)
}
