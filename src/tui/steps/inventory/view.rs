//! The Inventory step.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::InventoryRow;
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
    let choice = &context.model.inventory;
    let block = parts::pane(context.theme, "Inventory", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let [head, list_area] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inside);
    let rows = choice.rows();
    let head_line = parts::filter_line(context, &choice.list, rows.len(), columns)
        .unwrap_or_else(|| Line::styled("    what S3 is asked to deliver", Theme::muted()));
    frame.render_widget(Paragraph::new(head_line), head);
    let draw_row = |index: usize| {
        let Some(row) = rows.get(index) else {
            return Line::default();
        };
        let value = choice.value(*row);
        let (value, style) = match row {
            _ if value.is_empty() => ("not named yet".to_owned(), context.theme.warning()),
            InventoryRow::Bucket => (value, context.theme.side(Side::Source)),
            _ => (value, Style::new()),
        };
        let room = columns.saturating_sub(17);
        Line::from(vec![
            Span::styled(format!("  {:<14} ", row.title()), Theme::muted()),
            Span::styled(text::fit_middle(&value, room), style),
        ])
    };
    let rows = parts::ListRows {
        name: "inventory",
        count: rows.len(),
        cursor: choice.list.cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, list_area, state, frame);
}

/// What is under the cursor, and what that means.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let Some(row) = context.model.inventory.row() else {
        return ("Inventory".to_owned(), Vec::new());
    };
    let text = match row {
        InventoryRow::Bucket => {
            "The bucket whose objects are listed. It is of the source's account."
        }
        InventoryRow::Id => {
            "The name of the configuration: letters, digits, full stops, dashes, underscores."
        }
        InventoryRow::Format => "CSV with gzip, ORC with zlib, or Parquet with Snappy.",
        InventoryRow::Frequency => {
            "Daily, or weekly on Sundays (UTC). The first report may take 48 hours."
        }
        InventoryRow::Versions => "The current version of each object, or all of them.",
    };
    (
        row.title().to_owned(),
        parts::paragraph(text, Style::new(), columns),
    )
}
