//! The Upload step: whether S3 lets the uploader in, and how to upload.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::update::command;
use crate::tui::assessing::{self, assessed};
use crate::tui::model::context::RenderContext;
use crate::tui::steps::review::view as review;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::work::event::Side;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let block = parts::pane(context.theme, "Upload", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = lines(context, usize::from(inside.width));
    parts::scrolled(context, context.model.text, lines, inside, state, frame);
}

fn lines(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let Some(plan) = context.model.plan() else {
        return parts::paragraph("The plan is not complete yet.", Theme::muted(), columns);
    };
    let mut lines = review::may_do(context, columns);
    if assessed(context.model).is_some() && assessing::fatal(context.model).is_empty() {
        let text = "✓ nothing that was read forbids the upload";
        lines.extend(parts::paragraph(text, context.theme.good(), columns));
    }
    lines.push(Line::default());
    lines.extend(review::sides(context, &plan, columns));
    lines.extend(uploader(context, columns));
    if let Some(command) = command(context.model) {
        lines.push(Line::default());
        lines.push(parts::heading(context.theme, "To upload a file"));
        lines.extend(parts::paragraph(&command, Style::new(), columns));
    }
    lines
}

/// Who uploads, and how.
fn uploader(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let uploader = &context.model.uploader;
    let who = uploader.principal.as_ref();
    let who = who.map_or_else(|| "the source's profile".to_owned(), ToString::to_string);
    let style = context.theme.side(Side::Source);
    let mut lines = parts::fact("uploads as", &who, style, columns);
    let sent = if uploader.is_multipart {
        "in parts, as the AWS CLI sends all but small files"
    } else {
        "in one piece"
    };
    lines.extend(parts::fact("sent", sent, Style::new(), columns));
    lines
}
