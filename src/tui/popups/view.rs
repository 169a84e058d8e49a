//! Popups, drawn over the step.

mod changes;
mod form;
pub(crate) mod help;
mod probe;
pub(crate) mod question;
mod typed;

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::state::{OpenPopup, Popup, TypedPurpose};
use crate::tui::layout;
use crate::tui::model::context::RenderContext;
use crate::tui::sight::ScreenId;
use crate::tui::steps::access;
use crate::tui::steps::accounts::state::word;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::entry::TextEntry;
use crate::tui::widgets::text;

/// What the dialog before a plan is saved says.
const SAVING: &str = "A file for the plan, which `tableferry run` takes; ~/ is your home directory. A \
                      file that is there is replaced only after a question.";

/// What a popup shows.
struct PopupContent {
    title: String,
    lines: Vec<Line<'static>>,
    /// The lines of the row under the cursor, where it is a list: they stay in sight.
    at_cursor: Option<Range<usize>>,
    /// What stays in sight below the lines.
    foot: Option<Line<'static>>,
}

/// The lines of a list, and those of them that are the row under its cursor.
struct ListLines {
    lines: Vec<Line<'static>>,
    at_cursor: Range<usize>,
}

impl ListLines {
    /// A list with what stands above its rows.
    const fn below(lines: Vec<Line<'static>>) -> Self {
        Self {
            lines,
            at_cursor: 0..0,
        }
    }

    fn push(&mut self, row: impl IntoIterator<Item = Line<'static>>, is_at_cursor: bool) {
        let begin = self.lines.len();
        self.lines.extend(row);
        if is_at_cursor {
            self.at_cursor = begin..self.lines.len();
        }
    }
}

impl PopupContent {
    fn new(title: impl Into<String>, lines: Vec<Line<'static>>) -> Self {
        Self {
            title: title.into(),
            lines,
            at_cursor: None,
            foot: None,
        }
    }

    fn list(title: &str, list: ListLines) -> Self {
        Self {
            at_cursor: Some(list.at_cursor),
            ..Self::new(title, list.lines)
        }
    }
}

pub(crate) fn draw(
    context: &RenderContext<'_>,
    open: &OpenPopup,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let columns = layout::popup_columns(frame.area());
    let shown = shown(context, &open.popup, columns);
    draw_content(context, open.id, shown, state, frame);
}

fn shown(context: &RenderContext<'_>, popup: &Popup, columns: usize) -> PopupContent {
    match popup {
        Popup::Help => PopupContent::new("Help", help::text(context, columns)),
        Popup::Text { title, text } => {
            PopupContent::new(*title, parts::paragraph(text, Style::new(), columns))
        }
        Popup::Changes { cursor } => PopupContent::list(
            "Changes in place",
            changes::lines(context, *cursor, columns),
        ),
        Popup::Checked => {
            PopupContent::new("Check", access::view::checks::detail(context, columns))
        }
        Popup::Ask(asked) => PopupContent {
            foot: Some(question::answers(context.theme, asked)),
            ..PopupContent::new(
                question::title(&asked.question),
                question::text(context, &asked.question, columns),
            )
        },
        Popup::Save {
            entry,
            error,
            saving,
        } => {
            let lines = one_line(context, SAVING, entry, error.as_deref(), columns);
            let mut shown = PopupContent::new("Save the plan", lines);
            if saving.is_some() {
                shown.lines.push(parts::waiting(context, "saving …"));
            }
            shown
        }
        Popup::Mfa {
            side,
            profile,
            serial,
            entry,
            error,
        } => {
            let sentence = format!(
                "{profile} (the {}) needs the code that {serial} shows now. A code works once.",
                word(*side)
            );
            let lines = one_line(context, &sentence, entry, error.as_deref(), columns);
            PopupContent::new("MFA code", lines)
        }
        Popup::Typed {
            purpose,
            entry,
            error,
        } => typed_content(context, purpose, entry, error.as_deref(), columns),
        Popup::SignIn {
            side,
            profile,
            form,
        } => PopupContent::new(
            format!("{} on top of {profile}", word(*side)),
            form::lines(context, form, columns),
        ),
        Popup::Table { table, form } => PopupContent::new(
            format!("How {table} is exported"),
            form::lines(context, form, columns),
        ),
    }
}

fn typed_content(
    context: &RenderContext<'_>,
    purpose: &TypedPurpose,
    entry: &TextEntry,
    error: Option<&str>,
    columns: usize,
) -> PopupContent {
    let lines = one_line(
        context,
        &typed::explanation(purpose, context.model.flow),
        entry,
        error,
        columns,
    );
    PopupContent::new(purpose.title(), lines)
}

fn draw_content(
    context: &RenderContext<'_>,
    id: ScreenId,
    shown: PopupContent,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let foot_rows: u16 = if shown.foot.is_some() { 2 } else { 0 };
    let area = layout::popup(frame.area(), shown.lines.len() + usize::from(foot_rows));
    frame.render_widget(Clear, area);
    let title = text::fit(&shown.title, usize::from(area.width).saturating_sub(6));
    let block = parts::pane(context.theme, &title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let rows = [Constraint::Fill(1), Constraint::Length(foot_rows)];
    let [text_area, foot_area] = Layout::vertical(rows).areas(inside);
    match shown.at_cursor {
        Some(row) => parts::list_lines(id, &shown.lines, &row, text_area, state, frame),
        None => parts::scrolled(context, id, shown.lines, text_area, state, frame),
    }
    if let Some(foot) = shown.foot {
        frame.render_widget(Paragraph::new(vec![Line::default(), foot]), foot_area);
    }
}

/// An explanation, the line that is typed, and what is wrong with it.
fn one_line(
    context: &RenderContext<'_>,
    explanation: &str,
    entry: &TextEntry,
    error: Option<&str>,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut lines = parts::paragraph(explanation, Style::new(), columns);
    let mut spans = vec![Span::styled("› ", context.theme.accent())];
    spans.extend(parts::entry_spans(entry, true, columns.saturating_sub(3)));
    lines.extend([Line::default(), Line::from(spans), Line::default()]);
    if let Some(error) = error {
        let error = format!("✗ {error}");
        lines.extend(parts::paragraph(&error, context.theme.bad(), columns));
    }
    lines
}
