//! Drawing: the model as it is, and nothing else.

mod chrome;
pub(crate) mod explain;
pub(crate) mod parts;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::layout::{self, Areas};
use super::model::Model;
use super::model::context::RenderContext;
use super::popups;
use super::theme::Theme;
use super::view_state::ViewState;
use super::widgets::text;

/// Draws the whole screen.
pub fn draw(model: &Model, theme: Theme, state: &mut ViewState, frame: &mut Frame<'_>) {
    let context = RenderContext { model, theme };
    match layout::areas(
        frame.area(),
        model.flow.steps.len() > 1,
        model.step.has_detail_below,
    ) {
        Some(areas) => draw_areas(&context, &areas, state, frame),
        None => draw_too_small(frame),
    }
    state.end_frame(model.sight.scrolls());
    let buffer = frame.buffer_mut();
    text::scrub(buffer);
    theme.translate(buffer);
}

fn draw_areas(
    context: &RenderContext<'_>,
    areas: &Areas,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    chrome::header(context, areas.header, frame);
    if let Some(steps) = areas.steps {
        chrome::steps(context, steps, frame);
    }
    (context.model.step.draw)(context, areas.body, state, frame);
    if let Some(detail) = areas.detail {
        draw_detail(context, detail, frame);
    }
    chrome::status(context, areas.status, frame);
    chrome::hints(context, areas.hints, frame);
    if let Some(open) = context.model.popups.last() {
        popups::view::draw(context, open, state, frame);
    }
}

/// What is under the cursor, and beneath it what the step is about, as far as there is room.
fn draw_detail(context: &RenderContext<'_>, area: Rect, frame: &mut Frame<'_>) {
    let columns = usize::from(area.width.saturating_sub(4));
    let (title, mut lines) = (context.model.step.detail)(context, columns);
    let room = usize::from(area.height.saturating_sub(2));
    let explanation = explain::lines(context, columns);
    if lines.is_empty() || lines.len() + explanation.len() < room {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(explanation);
    }
    let block = parts::pane(context.theme, &title, false);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn draw_too_small(frame: &mut Frame<'_>) {
    let (columns, rows) = layout::SMALLEST;
    let area = frame.area();
    let message = format!(
        "tableferry needs a terminal of at least {columns}×{rows}; this one is {}×{}. \
         ctrl-c quits.",
        area.width, area.height
    );
    let lines: Vec<Line<'_>> = text::wrap(&message, usize::from(area.width))
        .into_iter()
        .map(|line| Line::styled(line, Theme::strong()))
        .collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines), area);
}
