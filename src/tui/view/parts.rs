//! The parts that several steps draw with.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph};

use crate::assess::facts::{Fact, ReadError};
use crate::aws::failure::Failure;
use crate::tui::keymap::Binding;
use crate::tui::model::Model;
use crate::tui::model::context::RenderContext;
use crate::tui::sight::ScreenId;
use crate::tui::theme::Theme;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::entry::TextEntry;
use crate::tui::widgets::list::FilteredList;
use crate::tui::widgets::text;
use crate::work::event::Side;

/// A frame with a title.
pub(crate) fn pane(theme: Theme, title: &str, is_focused: bool) -> Block<'static> {
    let style = if is_focused {
        theme.accent()
    } else {
        Theme::strong()
    };
    block(title, style, theme.border(is_focused))
}

/// A frame for one of the two sides, in its colour.
pub(crate) fn side_pane(theme: Theme, side: Side, title: &str, is_focused: bool) -> Block<'static> {
    let style = theme.side(side).patch(Theme::strong());
    let border = if is_focused { style } else { Theme::muted() };
    block(title, style, border)
}

fn block(title: &str, title_style: Style, border: Style) -> Block<'static> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .padding(Padding::horizontal(1))
        .title(Span::styled(
            format!(" {} ", text::clean(title)),
            title_style,
        ))
}

/// A list as it is to be drawn.
pub(crate) struct ListRows<'a> {
    /// Which list it is.
    pub name: &'static str,
    /// How many rows it has.
    pub count: usize,
    /// The row under the cursor.
    pub cursor: usize,
    /// Whether keys go to it.
    pub is_focused: bool,
    /// A row's content, by its place.
    pub row: &'a dyn Fn(usize) -> Line<'static>,
}

/// Draws the rows that are in sight.
pub(crate) fn rows(
    context: &RenderContext<'_>,
    rows: &ListRows<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let page = usize::from(area.height);
    if rows.is_focused {
        state.note_page(page);
    }
    let cursor = rows.cursor.min(rows.count.saturating_sub(1));
    let offset = state.offset(rows.name, cursor, rows.count, page);
    let lines: Vec<Line<'_>> = (offset..rows.count.min(offset + page))
        .map(|index| {
            mark(
                context.theme,
                (rows.row)(index),
                index == cursor,
                rows.is_focused,
            )
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
    more(area, offset, rows.count, frame);
}

/// Puts the cursor's sign before a row.
fn mark(theme: Theme, row: Line<'static>, is_at_cursor: bool, is_focused: bool) -> Line<'static> {
    let (sign, style) = match (is_at_cursor, is_focused) {
        (true, true) => ("▌ ", theme.accent()),
        (true, false) => ("│ ", Theme::muted()),
        (false, _) => ("  ", Style::new()),
    };
    let mut line = Line::from(vec![Span::styled(sign, style)]);
    line.spans.extend(row.spans);
    if is_at_cursor && is_focused {
        line.patch_style(theme.cursor())
    } else {
        line
    }
}

/// Says in the last columns that there is more above or below.
fn more(area: Rect, offset: usize, count: usize, frame: &mut Frame<'_>) {
    let page = usize::from(area.height);
    let column = area.right();
    let mut put = |y: u16, sign: &'static str| {
        if let Some(cell) = frame.buffer_mut().cell_mut((column, y)) {
            cell.set_symbol(sign).set_style(Theme::muted());
        }
    };
    if offset > 0 {
        put(area.top(), "↑");
    }
    if offset + page < count {
        put(area.bottom().saturating_sub(1), "↓");
    }
}

/// Draws as many lines of a text as fit, and says where there are more.
pub(crate) fn scrolled(
    context: &RenderContext<'_>,
    text: ScreenId,
    lines: Vec<Line<'static>>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let page = usize::from(area.height);
    let count = lines.len();
    let first = state.first_line(text, context.model.sight.scrolls(), count, page);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(page).collect();
    frame.render_widget(Paragraph::new(shown), area);
    more(area, first, count, frame);
}

/// Draws as many lines of a list as fit, those of the row under the cursor among them.
pub(crate) fn list_lines(
    id: ScreenId,
    lines: &[Line<'static>],
    at_cursor: &Range<usize>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let page = usize::from(area.height);
    // Of a row that is higher than the list its beginning is shown.
    let last = at_cursor.end.min(at_cursor.start + page).saturating_sub(1);
    let first = state.first_line_with(id, at_cursor.start..=last, lines.len(), page);
    let shown: Vec<Line<'_>> = lines.iter().skip(first).take(page).cloned().collect();
    frame.render_widget(Paragraph::new(shown), area);
    more(area, first, lines.len(), frame);
}

/// The line of a filter, with the cursor where it is typed.
pub(crate) fn filter_line(
    context: &RenderContext<'_>,
    list: &FilteredList,
    found: usize,
    columns: usize,
) -> Option<Line<'static>> {
    let filter = list.filter.as_ref()?;
    let count = format!("  {found} found");
    let room = columns.saturating_sub(2 + text::width(&count));
    let mut spans = vec![Span::styled("/ ", context.theme.accent())];
    spans.extend(entry_spans(&filter.entry, filter.is_typing, room));
    spans.push(Span::styled(count, Theme::muted()));
    Some(Line::from(spans))
}

/// A typed line, its cursor shown reversed.
pub(crate) fn entry_spans(
    entry: &TextEntry,
    is_focused: bool,
    columns: usize,
) -> Vec<Span<'static>> {
    let (shown, cursor) = entry.visible(columns);
    if !is_focused {
        return vec![Span::raw(shown)];
    }
    let mut column = 0;
    let mut before = String::new();
    let mut at = String::new();
    let mut after = String::new();
    for c in shown.chars() {
        let place = if column < cursor {
            &mut before
        } else if at.is_empty() {
            &mut at
        } else {
            &mut after
        };
        place.push(c);
        column += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
    }
    if at.is_empty() {
        at.push(' ');
    }
    let cursor_style = Theme::strong().add_modifier(ratatui::style::Modifier::REVERSED);
    vec![
        Span::raw(before),
        Span::styled(at, cursor_style),
        Span::raw(after),
    ]
}

/// A text in lines of this many columns.
pub(crate) fn paragraph(text: &str, style: Style, columns: usize) -> Vec<Line<'static>> {
    text::wrap(text, columns)
        .into_iter()
        .map(|line| Line::styled(line, style))
        .collect()
}

/// A text of a list, broken beneath itself.
pub(crate) fn listed(text: &str, style: Style, columns: usize) -> Vec<Line<'static>> {
    text::wrap(text, columns.saturating_sub(2))
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let sign = if index == 0 { "· " } else { "  " };
            Line::from(vec![
                Span::styled(sign, Theme::muted()),
                Span::styled(line, style),
            ])
        })
        .collect()
}

/// How wide a label is.
const LABEL_COLUMNS: usize = 12;

/// A label and its value, which is broken beneath itself.
pub(crate) fn fact(label: &str, value: &str, style: Style, columns: usize) -> Vec<Line<'static>> {
    let label_columns = LABEL_COLUMNS.min(columns / 2);
    text::wrap(value, columns.saturating_sub(label_columns))
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let label = if index == 0 { label } else { "" };
            Line::from(vec![
                Span::styled(text::pad(label, label_columns), Theme::muted()),
                Span::styled(line, style),
            ])
        })
        .collect()
}

/// A heading inside a text.
pub(crate) fn heading(theme: Theme, title: &str) -> Line<'static> {
    Line::styled(title.to_owned(), theme.accent().patch(Theme::strong()))
}

/// Why something could not be read: what was tried, why it failed, what to do.
pub(crate) fn failure(theme: Theme, failure: &Failure, columns: usize) -> Vec<Line<'static>> {
    let mut lines = paragraph(&format!("✗ {failure}"), theme.bad(), columns);
    if let Some(hint) = &failure.hint {
        lines.extend(paragraph(&format!("hint: {hint}"), Style::new(), columns));
    }
    lines
}

/// Why a fact is not known: the permission that is missing, and what AWS said.
pub(crate) fn not_read<T>(
    theme: Theme,
    fact: &Fact<T>,
    what: &str,
    columns: usize,
) -> Vec<Line<'static>> {
    let (text, hint) = match fact {
        Fact::Known { .. } => return Vec::new(),
        Fact::Absent { .. } => (format!("there is no such thing as {what}"), None),
        Fact::Refused(error) => (
            read_error(error),
            Some(format!(
                "hint: the signed-in principal needs {}",
                error.permission
            )),
        ),
        Fact::Failed(error) => (read_error(error), None),
        Fact::Unasked { why } => (format!("{what} was not read: {}", why.as_str()), None),
    };
    let mut lines = paragraph(&format!("✗ {text}"), theme.bad(), columns);
    lines.extend(hint.map_or_else(Vec::new, |hint| paragraph(&hint, Style::new(), columns)));
    lines
}

/// What was tried, why it failed, and AWS's request id.
fn read_error(error: &ReadError) -> String {
    let id = error.request_id.as_ref();
    let id = id.map_or_else(String::new, |id| format!(" (request id {id})"));
    format!("{}: {}{id}", error.permission, error.words())
}

/// What a binding means, in a few words.
pub(crate) fn hint(model: &Model, binding: &Binding) -> String {
    let next = model.flow.next(model.step);
    let next = next.map_or("the next step", |step| step.title);
    binding.hint.replace("{next}", next)
}

/// A sentence about something that goes on.
pub(crate) fn waiting(context: &RenderContext<'_>, sentence: &str) -> Line<'static> {
    Line::from(vec![
        Span::styled(context.spinner(), context.theme.accent()),
        Span::raw(format!(" {}", text::clean(sentence))),
    ])
}
