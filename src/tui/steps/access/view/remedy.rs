//! A remedy: the change itself as a difference, what else it lets through, and what to send to
//! anyone who can do it.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::assess::remedy::{Fix, Remedy};
use crate::assess::responsible::Responsible;
use crate::tui::model::context::RenderContext;
use crate::tui::model::{Model, PRODUCTION};
use crate::tui::services::AssessedPlan;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::widgets::text;

/// What is to be done, and who does it.
pub(super) fn place(model: &Model, remedy: &Remedy) -> String {
    let what = match &remedy.fix {
        Fix::Document { target, before, .. } => match before {
            Some(_) => format!("Change the {target}"),
            None => format!("Write the {target}; there is none yet"),
        },
        Fix::EnableRecovery { table } => {
            format!("Switch on point-in-time recovery of {table}")
        }
        Fix::Plan { key, value, .. } => format!("Set {key} = {value} in the plan"),
        Fix::RequestText { .. } => {
            "No document of ours fixes this: it is to be asked for".to_owned()
        }
    };
    format!(
        "{what}. Who can: {}.",
        responsible(model, &remedy.responsible)
    )
}

/// Who can fix something, and that production is concerned where it is.
pub(super) fn responsible(model: &Model, responsible: &Responsible) -> String {
    match responsible {
        Responsible::DestinationOwner(Some(account)) | Responsible::KeyOwner(account)
            if model.production.contains_key(account) =>
        {
            format!("{responsible}, {PRODUCTION}")
        }
        _ => responsible.to_string(),
    }
}

/// All about a remedy: what keeps it from being done comes first. `reason` is why it cannot be done
/// from here, where it is sound.
pub(super) fn lines(
    context: &RenderContext<'_>,
    assessed: &AssessedPlan,
    remedy: &Remedy,
    reason: Option<&str>,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    for problem in &remedy.problems {
        let text = format!("✗ not to be done as it stands: {problem}");
        lines.extend(parts::paragraph(&text, theme.bad(), columns));
    }
    if let Some(reason) = reason {
        let text = format!("▲ not to be done from here: {reason}");
        lines.extend(parts::paragraph(&text, theme.warning(), columns));
    }
    lines.extend(change(theme, remedy, columns));
    lines.push(Line::default());
    lines.extend(besides(theme, remedy, columns));
    if let Some(request_text) = assessed.request_text(remedy) {
        lines.push(Line::default());
        lines.push(parts::heading(theme, "To send (y copies it)"));
        lines.extend(
            request_text
                .lines()
                .flat_map(|line| diff_line(theme, line, columns)),
        );
    }
    lines
}

/// The change itself.
pub(crate) fn change(theme: Theme, remedy: &Remedy, columns: usize) -> Vec<Line<'static>> {
    match &remedy.fix {
        Fix::Document {
            before: None,
            after,
            ..
        } => after
            .lines()
            .flat_map(|line| diff_line(theme, &format!("+{line}"), columns))
            .collect(),
        Fix::Document { diff, .. } => diff_lines(theme, diff, columns),
        Fix::EnableRecovery { table } => parts::paragraph(
            &format!("+ point-in-time recovery of {table}"),
            theme.good(),
            columns,
        ),
        Fix::Plan { key, value, .. } => {
            parts::paragraph(&format!("+ {key} = {value}"), theme.good(), columns)
        }
        Fix::RequestText { text } => parts::paragraph(text, Style::new(), columns),
    }
}

/// What it fixes, what else it lets through, and what to know before.
pub(crate) fn besides(theme: Theme, remedy: &Remedy, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let is_document = matches!(remedy.fix, Fix::Document { .. });
    if remedy.lets_through.is_empty() && is_document {
        let text = "It lets nothing else through.";
        lines.extend(parts::paragraph(text, theme.good(), columns));
    }
    for through in &remedy.lets_through {
        let text = format!("▲ it also lets through: {through}");
        lines.extend(parts::paragraph(&text, theme.warning(), columns));
    }
    for warning in &remedy.warnings {
        lines.extend(parts::paragraph(
            &format!("▲ {warning}"),
            theme.warning(),
            columns,
        ));
    }
    for resolved in &remedy.resolves_in_words() {
        let text = format!("resolves {resolved}");
        lines.extend(parts::paragraph(&text, Theme::muted(), columns));
    }
    lines
}

/// A unified difference without its file names, which are the same each time.
pub(crate) fn diff_lines(theme: Theme, diff: &str, columns: usize) -> Vec<Line<'static>> {
    diff.lines()
        .filter(|line| !line.starts_with("--- ") && !line.starts_with("+++ "))
        .flat_map(|line| diff_line(theme, line, columns))
        .collect()
}

/// A line of a difference, in the colour of its sign.
fn diff_line(theme: Theme, line: &str, columns: usize) -> Vec<Line<'static>> {
    let style = match line.chars().next() {
        Some('+') => theme.good(),
        Some('-') => theme.bad(),
        Some('@') => Theme::muted(),
        _ => Style::new(),
    };
    let sign = line.get(..1).filter(|sign| ["+", "-", " "].contains(sign));
    let (sign, rest) = (sign.unwrap_or(""), line.get(1..).filter(|_| sign.is_some()));
    text::wrap(rest.unwrap_or(line), columns.saturating_sub(sign.len()))
        .into_iter()
        .map(|rest| Line::styled(format!("{sign}{rest}"), style))
        .collect()
}
