//! Popups, drawn over the step.

mod changes;
mod form;
pub(crate) mod help;
mod probe;
pub(crate) mod question;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{Look, access, parts};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::popups::{Popup, typed};
use crate::tui::steps::accounts;
use crate::tui::theme::Theme;
use crate::tui::widgets::entry::Entry;
use crate::tui::widgets::{format, text};

/// What the dialog before a plan is saved says.
const SAVING: &str = "A file for the plan, which `tableferry run` takes; ~/ is your home directory. A \
                      file that is there is replaced only after a question.";

/// What a popup shows.
struct Content {
    title: String,
    lines: Vec<Line<'static>>,
    /// The line in sight first.
    first: usize,
    /// What stays in sight below the lines.
    foot: Option<Line<'static>>,
}

impl Content {
    fn new(title: impl Into<String>, lines: Vec<Line<'static>>) -> Self {
        Self {
            title: title.into(),
            lines,
            first: 0,
            foot: None,
        }
    }
}

pub(crate) fn draw(look: &Look<'_>, popup: &Popup, frame: &mut Frame<'_>) {
    let columns = layout::popup_columns((frame.area().width, frame.area().height));
    draw_content(look, content(look, popup, columns), frame);
}

fn content(look: &Look<'_>, popup: &Popup, columns: usize) -> Content {
    match popup {
        Popup::Help { line } => Content {
            first: *line,
            ..Content::new("Help", help::text(look, columns))
        },
        Popup::Text { title, text, line } => Content {
            first: *line,
            ..Content::new(*title, parts::paragraph(text, Style::new(), columns))
        },
        Popup::Changes { cursor } => {
            Content::new("Changes in place", changes::lines(look, *cursor, columns))
        }
        Popup::Checked { line } => Content {
            first: *line,
            ..Content::new("Check", access::checks::detail(look, columns))
        },
        Popup::Ask(asked) => Content {
            first: asked.line,
            foot: Some(question::answers(look.theme, asked)),
            ..Content::new(
                question::title(&asked.question),
                question::text(look, &asked.question, columns),
            )
        },
        Popup::Save {
            entry,
            error,
            saving,
        } => {
            let lines = one_line(look, SAVING, entry, error.as_deref(), columns);
            let mut content = Content::new("Save the plan", lines);
            if saving.is_some() {
                content.lines.push(parts::waiting(look, "saving …"));
            }
            content
        }
        Popup::Runs { cursor, .. } => Content::new("Runs under way", runs(look, *cursor, columns)),
        Popup::Mfa {
            side,
            profile,
            serial,
            entry,
            error,
        } => {
            let sentence = format!(
                "{profile} (the {}) needs the code that {serial} shows now. A code works once.",
                accounts::word(*side)
            );
            let lines = one_line(look, &sentence, entry, error.as_deref(), columns);
            Content::new("MFA code", lines)
        }
        Popup::Typed {
            purpose,
            entry,
            error,
        } => typed_content(look, purpose, entry, error.as_deref(), columns),
        Popup::SignIn {
            side,
            profile,
            form,
        } => Content::new(
            format!("{} on top of {profile}", accounts::word(*side)),
            form::lines(look, form, columns),
        ),
        Popup::Table { table, form } => Content::new(
            format!("How {table} is exported"),
            form::lines(look, form, columns),
        ),
    }
}

/// How many lines there are about the check under the cursor.
pub(crate) fn checked_line_count(model: &Model, columns: usize) -> usize {
    access::checks::detail(&Look::plain(model), columns).len()
}

fn typed_content(
    look: &Look<'_>,
    purpose: &typed::Purpose,
    entry: &Entry,
    error: Option<&str>,
    columns: usize,
) -> Content {
    let lines = one_line(look, &purpose.explanation(), entry, error, columns);
    Content::new(purpose.title(), lines)
}

fn draw_content(look: &Look<'_>, content: Content, frame: &mut Frame<'_>) {
    let foot_rows: u16 = if content.foot.is_some() { 2 } else { 0 };
    let area = layout::popup(frame.area(), content.lines.len() + usize::from(foot_rows));
    frame.render_widget(Clear, area);
    let title = text::fit(&content.title, usize::from(area.width).saturating_sub(6));
    let block = parts::pane(look.theme, &title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let rows = [Constraint::Fill(1), Constraint::Length(foot_rows)];
    let [text_area, foot_area] = Layout::vertical(rows).areas(inside);
    parts::scrolled(content.lines, content.first, text_area, frame);
    if let Some(foot) = content.foot {
        frame.render_widget(Paragraph::new(vec![Line::default(), foot]), foot_area);
    }
}

/// An explanation, the line that is typed, and what is wrong with it.
fn one_line(
    look: &Look<'_>,
    explanation: &str,
    entry: &Entry,
    error: Option<&str>,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut lines = parts::paragraph(explanation, Style::new(), columns);
    let mut spans = vec![Span::styled("› ", look.theme.accent())];
    spans.extend(parts::entry_spans(entry, true, columns.saturating_sub(3)));
    lines.extend([Line::default(), Line::from(spans), Line::default()]);
    if let Some(error) = error {
        let error = format!("✗ {error}");
        lines.extend(parts::paragraph(&error, look.theme.bad(), columns));
    }
    lines
}

fn runs(look: &Look<'_>, cursor: usize, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let intro = "These runs were begun and are not finished. Going on repeats a call whose answer \
                 never came, with its token: nothing is exported twice.";
    let mut lines = parts::paragraph(intro, Style::new(), columns);
    lines.push(Line::default());
    for (index, run) in look
        .model
        .open_runs
        .value()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let is_at_cursor = index == cursor;
        let tables: Vec<&str> = run
            .exports
            .iter()
            .map(|export| export.name.as_str())
            .collect();
        let when = format::ago(run.created_at, look.model.now);
        let head = format!(
            "run {}, {when}: {} to {}",
            run.id, run.source, run.destination
        );
        let (sign, style) = if is_at_cursor {
            ("▌ ", theme.accent())
        } else {
            ("  ", Style::new())
        };
        lines.push(Line::from(vec![
            Span::styled(sign, style),
            Span::styled(text::fit(&head, columns.saturating_sub(2)), style),
        ]));
        let tables = text::fit(&tables.join(", "), columns.saturating_sub(4));
        lines.push(Line::styled(format!("    {tables}"), Theme::muted()));
    }
    lines
}
