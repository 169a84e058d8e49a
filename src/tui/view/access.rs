//! The Access step: the policies in tabs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Look, parts};
use crate::tui::drafts::{self, Policy};
use crate::tui::layout::ACCESS_HEAD;
use crate::tui::steps::access;
use crate::tui::theme::Theme;

pub(crate) fn draw(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let block = parts::pane(
        look.theme,
        "Access: the policies that this plan needs",
        true,
    );
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let [head, text_area] =
        Layout::vertical([Constraint::Length(ACCESS_HEAD), Constraint::Fill(1)]).areas(inside);
    let policies = drafts::policies(look.model);
    let step = look.model.access;
    let mut head_lines = vec![tabs(look, &policies, step.tab)];
    match policies.get(step.tab) {
        Some(policy) => {
            head_lines.extend(parts::paragraph(&policy.place, Theme::muted(), columns));
        }
        None => head_lines.push(Line::raw("There is no plan to write policies for yet.")),
    }
    frame.render_widget(Paragraph::new(head_lines), head);
    let lines = access::lines(look.model)
        .into_iter()
        .map(|line| document_line(look, line))
        .collect();
    parts::scrolled(lines, step.line, text_area, frame);
}

fn tabs(look: &Look<'_>, policies: &[Policy], current: usize) -> Line<'static> {
    let theme = look.theme;
    let mut spans = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let is_current = index == current;
        let (title, style) = if is_current {
            (format!("[ {} ]", policy.title), theme.accent())
        } else {
            (format!("  {}  ", policy.title), Style::new())
        };
        spans.push(Span::styled(title, style));
    }
    Line::from(spans)
}

/// A line of JSON, its key set apart from its value.
fn document_line(look: &Look<'_>, line: String) -> Line<'static> {
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
            look.theme.side(crate::work::event::Side::Source),
        ),
        Span::raw(value.to_owned()),
    ])
}
