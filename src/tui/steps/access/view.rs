//! The Access step: the checks, what fixes them, and the policies, in tabs.

pub(crate) mod checks;
pub(crate) mod remedy;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::Tab;
use super::tabs;
use crate::tui::layout;
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::text;

/// The rows above a policy's text.
const HEAD_ROWS: u16 = 4;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let title = match context.model.access.tab {
        Tab::Checks => "Access: what the plan may do",
        Tab::Remedy(_) => "Access: what fixes it",
        Tab::Policy(_) => "Access: the policies that this plan needs",
    };
    let block = parts::pane(context.theme, title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if context.model.access.tab == Tab::Checks {
        checks::draw(context, inside, state, frame);
    } else {
        draw_text(context, inside, state, frame);
    }
}

fn draw_text(
    context: &RenderContext<'_>,
    inside: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let columns = usize::from(inside.width);
    let rows = [Constraint::Length(HEAD_ROWS), Constraint::Fill(1)];
    let [head, text_area] = Layout::vertical(rows).areas(inside);
    let mut head_lines = vec![tab_line(context, columns)];
    head_lines.extend(place(context, columns));
    frame.render_widget(Paragraph::new(head_lines), head);
    let lines = lines(context, columns);
    parts::scrolled(context, context.model.text, lines, text_area, state, frame);
}

/// What is under the cursor of the checks.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    match context.model.access.tab {
        Tab::Checks => ("Check".to_owned(), checks::detail(context, columns)),
        Tab::Remedy(_) | Tab::Policy(_) => ("About this step".to_owned(), Vec::new()),
    }
}

/// Where the tab's text belongs.
fn place(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let model = context.model;
    let tab = model.access.tab;
    let text = if let Some((_, remedy)) = tabs::remedy(model, tab) {
        remedy::place(model, remedy)
    } else if let Some(policy) = tabs::policy(model, tab) {
        tabs::policy_place(model, policy)
    } else {
        "There is no plan to write policies for yet.".to_owned()
    };
    parts::paragraph(&text, Theme::muted(), columns)
}

/// The text of the tab; below a policy what to know before it is copied, where that has no place of
/// its own.
fn lines(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let model = context.model;
    let tab = model.access.tab;
    if let Some((assessed, remedy)) = tabs::remedy(model, tab) {
        let reason = match tab {
            Tab::Remedy(place) => assessed.reason(place),
            Tab::Checks | Tab::Policy(_) => None,
        };
        return remedy::lines(context, assessed, remedy, reason, columns);
    }
    let Some(policy) = tabs::policy(model, tab) else {
        return Vec::new();
    };
    let mut lines: Vec<Line<'static>> = text::wrap(&policy.text, columns)
        .into_iter()
        .map(|line| document_line(context, line))
        .collect();
    if !layout::has_detail_beside(model.size.0) {
        for note in tabs::notes(model) {
            lines.push(Line::default());
            lines.extend(parts::paragraph(
                &format!("▲ {note}"),
                context.theme.warning(),
                columns,
            ));
        }
    }
    lines
}

/// The tabs around the current one, as far as there is room.
fn tab_line(context: &RenderContext<'_>, columns: usize) -> Line<'static> {
    let model = context.model;
    let all = tabs::tabs(model);
    let titles: Vec<String> = all.iter().map(|tab| tabs::title(model, *tab)).collect();
    let current = all
        .iter()
        .position(|tab| *tab == model.access.tab)
        .unwrap_or(0);
    let (first, last) = window(&titles, current, columns);
    let mut spans = Vec::new();
    let more = |is_more: bool| Span::styled(if is_more { "…" } else { "" }, Theme::muted());
    spans.push(more(first > 0));
    for (index, title) in titles.iter().enumerate().take(last + 1).skip(first) {
        let (title, style) = if index == current {
            (format!("[ {title} ]"), context.theme.accent())
        } else {
            (format!("  {title}  "), Style::new())
        };
        spans.push(Span::styled(title, style));
    }
    spans.push(more(last + 1 < titles.len()));
    Line::from(spans)
}

/// The first and last tab in sight, so that the current one is, and as many as fit.
fn window(titles: &[String], current: usize, columns: usize) -> (usize, usize) {
    // A mark at either end says that there are more.
    let room = columns.saturating_sub(2);
    let width = |range: &[String]| -> usize {
        let titles = range.iter();
        titles.map(|title| text::width(title) + 4).sum()
    };
    let fits = |first: usize, last: usize| {
        titles
            .get(first..=last)
            .is_some_and(|range| width(range) <= room)
    };
    let mut first = 0;
    while first < current && !fits(first, current) {
        first += 1;
    }
    let mut last = current;
    while fits(first, last + 1) {
        last += 1;
    }
    (first, last)
}

/// A line of JSON, its key set apart from its value.
fn document_line(context: &RenderContext<'_>, line: String) -> Line<'static> {
    let indent = line.len() - line.trim_start().len();
    let Some(end) = line
        .find("\": ")
        .filter(|_| line.trim_start().starts_with('"'))
    else {
        return Line::raw(line);
    };
    let (key, value) = line.split_at(end + 1);
    let (space, key) = key.split_at(indent.min(key.len()));
    Line::from(vec![
        Span::raw(space.to_owned()),
        Span::styled(
            key.to_owned(),
            context.theme.side(crate::work::event::Side::Source),
        ),
        Span::raw(value.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(titles: &[&str]) -> Vec<String> {
        titles.iter().map(|title| (*title).to_owned()).collect()
    }

    #[test]
    fn the_current_tab_is_in_sight_however_many_there_are() {
        let titles = titles(&["Checks", "Fix bucket", "Fix key", "Identity", "Bucket"]);
        for columns in [20, 40, 60, 80] {
            for current in 0..titles.len() {
                let (first, last) = window(&titles, current, columns);
                assert!((first..=last).contains(&current), "{columns} {current}");
            }
        }
    }

    #[test]
    fn tabs_that_all_fit_are_all_in_sight() {
        let titles = titles(&["Checks", "Identity"]);
        assert_eq!(window(&titles, 1, 40), (0, 1));
    }
}
