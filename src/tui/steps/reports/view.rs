//! The Reports step: whether S3 may deliver, how the source bucket is configured, and what arrived.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::assessing::{self, assessed};
use crate::tui::model::context::RenderContext;
use crate::tui::remote::Remote;
use crate::tui::services::{InventoryStatus, ReportVerification};
use crate::tui::steps::review::view as review;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::format;
use crate::work::event::Side;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let block = parts::pane(context.theme, "Reports", true);
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
        let text = "✓ nothing that was read forbids the delivery";
        lines.extend(parts::paragraph(text, context.theme.good(), columns));
    }
    lines.push(Line::default());
    let choice = &context.model.inventory;
    let source = choice.bucket.as_ref().map(ToString::to_string);
    let style = context.theme.side(Side::Source);
    lines.extend(parts::fact(
        "lists",
        &source.unwrap_or_default(),
        style,
        columns,
    ));
    lines.extend(review::sides(context, &plan, columns));
    lines.push(Line::default());
    lines.push(parts::heading(context.theme, "Configuration and reports"));
    match &context.model.reports.status {
        Remote::NotAsked | Remote::Loading(_) => {
            lines.push(parts::waiting(context, "looking at the buckets …"));
        }
        Remote::Loaded(status) | Remote::Stale(status, _) => {
            lines.extend(of_status(context, status, columns));
        }
        Remote::Refused(why) | Remote::Failed(why) => {
            lines.extend(parts::paragraph(why, context.theme.bad(), columns));
        }
    }
    lines
}

fn of_status(
    context: &RenderContext<'_>,
    status: &InventoryStatus,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let (configured, style) = match &status.configuration {
        Ok(Some(found)) if !found.is_enabled => (
            "it is disabled: no report is made".to_owned(),
            theme.warning(),
        ),
        Ok(Some(_)) if status.is_as_planned => ("✓ as the plan has it".to_owned(), theme.good()),
        Ok(Some(_)) => (
            "otherwise than in the plan: w shows the difference".to_owned(),
            theme.warning(),
        ),
        Ok(None) => ("there is none: w writes it".to_owned(), theme.warning()),
        Err(failure) => (format!("not known: {failure}"), theme.bad()),
    };
    let mut lines = parts::fact("configured", &configured, style, columns);
    lines.extend(parts::fact("reports", &status.place, Style::new(), columns));
    for delivered in &status.reports {
        let what = if delivered.is_complete {
            "complete"
        } else {
            "not complete"
        };
        let text = format!("{} {what}", delivered.at);
        lines.extend(parts::fact("arrived", &text, Style::new(), columns));
    }
    match &status.newest {
        Some(newest) => lines.extend(of_newest(context, newest, columns)),
        None => lines.extend(parts::paragraph(
            "No report is complete yet: the first may take 48 hours. r looks again.",
            Theme::muted(),
            columns,
        )),
    }
    lines
}

fn of_newest(
    context: &RenderContext<'_>,
    newest: &ReportVerification,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    for fault in &newest.faults {
        lines.extend(parts::fact(
            "fault",
            &fault.to_string(),
            theme.bad(),
            columns,
        ));
    }
    if let Some(why) = &newest.unread {
        lines.extend(parts::fact("unread", why, theme.warning(), columns));
    }
    if newest.is_verified() {
        let text = format!(
            "✓ the report of {}: {}, each with the size and MD5 that its manifest says",
            newest.at,
            format::counted(newest.files, "data file")
        );
        lines.extend(parts::fact("verified", &text, theme.good(), columns));
    }
    lines
}
