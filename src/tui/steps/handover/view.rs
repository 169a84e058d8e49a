//! The Upload and Read steps: whether S3 lets the principal in, and how the job is done.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::update::command;
use crate::job::{Kind, Plan};
use crate::tui::assessing::{self, assessed};
use crate::tui::model::context::RenderContext;
use crate::tui::steps::review::view as review;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::work::event::Side;

/// Draws the plan, with the command below a heading.
pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    (state, frame): (&mut ViewState, &mut Frame<'_>),
    heading: &'static str,
) {
    let block = parts::pane(context.theme, context.model.step.title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = lines(context, usize::from(inside.width), heading);
    parts::scrolled(context, context.model.text, lines, inside, state, frame);
}

fn lines(context: &RenderContext<'_>, columns: usize, heading: &'static str) -> Vec<Line<'static>> {
    let Some(plan) = context.model.plan() else {
        return parts::paragraph("The plan is not complete yet.", Theme::muted(), columns);
    };
    let mut lines = review::may_do(context, columns);
    if assessed(context.model).is_some() && assessing::fatal(context.model).is_empty() {
        let text = format!("✓ nothing that was read forbids the {}", plan.words().noun);
        lines.extend(parts::paragraph(&text, context.theme.good(), columns));
    }
    lines.push(Line::default());
    lines.extend(review::sides(context, &plan, columns));
    lines.extend(principal(context, &plan, columns));
    if let Some(command) = command(context.model) {
        lines.push(Line::default());
        lines.push(parts::heading(context.theme, heading));
        lines.extend(parts::paragraph(&command, Style::new(), columns));
    }
    lines
}

/// Who does the job, and how files are sent.
fn principal(context: &RenderContext<'_>, plan: &Plan, columns: usize) -> Vec<Line<'static>> {
    let chosen = &context.model.principal;
    let who = chosen.principal.as_ref();
    let who = who.map_or_else(|| "the source's profile".to_owned(), ToString::to_string);
    let style = context.theme.side(Side::Source);
    let name = format!("{} as", plan.words().verb);
    let mut lines = parts::fact(&name, &who, style, columns);
    if let Kind::Upload(upload) = &plan.kind {
        let sent = if upload.is_multipart {
            "in parts, as the AWS CLI sends all but small files"
        } else {
            "in one piece"
        };
        lines.extend(parts::fact("sent", sent, Style::new(), columns));
    }
    lines
}
