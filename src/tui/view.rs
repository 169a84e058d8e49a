//! Drawing: the model as it is, and nothing else.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod chrome;
pub(crate) mod destination;
pub(crate) mod encryption;
pub(crate) mod explain;
pub(crate) mod parts;
pub(crate) mod popups;
pub(crate) mod progress;
pub(crate) mod review;
pub(crate) mod tables;

use std::collections::HashMap;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::layout::{self, Areas};
use super::model::Model;
use super::steps::Step;
use super::steps::access::Tab;
use super::theme::Theme;
use super::widgets::text;

/// What lists are scrolled to; only drawing changes it.
#[derive(Debug, Clone, Default)]
pub struct ViewState {
    offsets: HashMap<&'static str, usize>,
}

impl ViewState {
    /// The first row to show, so that the cursor is in sight and as little as possible moves.
    fn offset(&mut self, list: &'static str, cursor: usize, rows: usize, page: usize) -> usize {
        let offset = self.offsets.entry(list).or_default();
        let page = page.max(1);
        let lowest = (cursor + 1).saturating_sub(page);
        *offset = (*offset)
            .clamp(lowest, cursor.max(lowest))
            .min(rows.saturating_sub(page));
        *offset
    }
}

/// What drawing needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) model: &'a Model,
    pub(crate) theme: Theme,
}

impl<'a> Look<'a> {
    /// A look for counting lines, which colours do not change.
    pub(crate) const fn plain(model: &'a Model) -> Self {
        let theme = Theme {
            has_colours: false,
            is_ascii: false,
        };
        Self { model, theme }
    }

    /// The picture of something that goes on.
    pub(crate) fn spinner(&self) -> &'static str {
        self.theme.spinner(self.model.now.as_millisecond())
    }
}

/// Draws the whole screen.
pub fn draw(model: &Model, theme: Theme, state: &mut ViewState, frame: &mut Frame<'_>) {
    let look = Look { model, theme };
    match layout::areas(frame.area(), model.step) {
        Some(areas) => draw_areas(&look, &areas, state, frame),
        None => draw_too_small(frame),
    }
    let buffer = frame.buffer_mut();
    text::scrub(buffer);
    theme.translate(buffer);
}

fn draw_areas(look: &Look<'_>, areas: &Areas, state: &mut ViewState, frame: &mut Frame<'_>) {
    chrome::header(look, areas.header, frame);
    if let Some(steps) = areas.steps {
        chrome::steps(look, steps, frame);
    }
    draw_step(look, areas.body, state, frame);
    if let Some(detail) = areas.detail {
        draw_detail(look, detail, frame);
    }
    chrome::status(look, areas.status, frame);
    chrome::hints(look, areas.hints, frame);
    if let Some(popup) = look.model.popup() {
        popups::draw(look, popup, frame);
    }
}

fn draw_step(look: &Look<'_>, area: Rect, state: &mut ViewState, frame: &mut Frame<'_>) {
    match look.model.step {
        Step::Accounts => accounts::draw(look, area, state, frame),
        Step::Tables => tables::draw(look, area, state, frame),
        Step::Destination => destination::draw(look, area, state, frame),
        Step::Encryption => encryption::draw(look, area, state, frame),
        Step::Access => access::draw(look, area, state, frame),
        Step::Review => review::draw(look, area, frame),
        Step::Progress => progress::draw(look, area, frame),
    }
}

/// What is under the cursor, and beneath it what the step is about, as far as there is room.
fn draw_detail(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let columns = usize::from(area.width.saturating_sub(4));
    let (title, mut lines) = step_detail(look, columns);
    let room = usize::from(area.height.saturating_sub(2));
    let explanation = explain::lines(look, columns);
    if lines.is_empty() || lines.len() + explanation.len() < room {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(explanation);
    }
    let block = parts::pane(look.theme, &title, false);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// What is under the cursor of the step, with a title.
fn step_detail(look: &Look<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    match look.model.step {
        Step::Accounts => accounts::detail(look, columns),
        Step::Tables => tables::detail(look, columns),
        Step::Destination => destination::detail(look, columns),
        Step::Encryption => encryption::detail(look, columns),
        Step::Access if look.model.access.tab == Tab::Checks => {
            ("Check".to_owned(), access::checks::detail(look, columns))
        }
        Step::Access | Step::Review | Step::Progress => ("About this step".to_owned(), Vec::new()),
    }
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
