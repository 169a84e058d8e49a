//! Changes of accounts: the question before one, and the list of those that are in place.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ListLines;
use crate::tui::model::context::RenderContext;
use crate::tui::services::{
    ChangeKind, ChangeRecord, InventoryProposal, Proposal, Proposed, ProposedChange, UndoProposal,
};
use crate::tui::steps::access::view::remedy;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::widgets::{format, text};
use crate::work::event::Side;

/// All about a change before it is agreed to: account, side, the whole difference, what it brings.
pub(super) fn question(
    context: &RenderContext<'_>,
    proposed: &Proposed,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    if context.model.is_sandbox {
        let note = "This is the sandbox: no account of AWS is changed.";
        lines.extend(parts::paragraph(note, theme.warning(), columns));
    }
    if proposed.name_to_type.is_some() {
        let text = "▲ Production is concerned: after the yes its name is typed.";
        lines.extend(parts::paragraph(text, theme.warning(), columns));
    }
    match &proposed.change {
        ProposedChange::Apply(proposal) => lines.extend(apply_text(context, proposal, columns)),
        ProposedChange::Undo(undo) => lines.extend(undo_text(context, undo, columns)),
        ProposedChange::SetUp(proposal) => lines.extend(set_up_text(context, proposal, columns)),
    }
    lines
}

fn apply_text(
    context: &RenderContext<'_>,
    proposal: &Proposal,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let who = context.model.identified(proposal.side);
    let who = who.map_or_else(String::new, |known| {
        format!(" as {}", known.identity.arn.resource)
    });
    let style = theme.side(proposal.side);
    let account = context.model.named(&proposal.account);
    let account = format!("{account} (the {}){who}", proposal.side);
    let mut lines = parts::fact("account", &account, style, columns);
    lines.extend(parts::fact(
        "change",
        &proposal.title,
        Theme::strong(),
        columns,
    ));
    lines.push(Line::default());
    lines.extend(remedy::change(theme, &proposal.remedy, columns));
    lines.push(Line::default());
    lines.extend(remedy::besides(theme, &proposal.remedy, columns));
    lines.push(Line::default());
    let note = "It is read once more before it is written: where it was changed meanwhile, nothing \
                is. The journal keeps what stood there, and it can be taken away again. Whether it \
                holds is tried with an upload that is aborted, where one shows it.";
    lines.extend(parts::paragraph(note, Theme::muted(), columns));
    lines
}

fn set_up_text(
    context: &RenderContext<'_>,
    proposal: &InventoryProposal,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let account = context.model.named(&proposal.account);
    let style = theme.side(Side::Source);
    let mut lines = parts::fact("account", &account, style, columns);
    lines.extend(parts::fact(
        "change",
        &proposal.title,
        Theme::strong(),
        columns,
    ));
    lines.push(Line::default());
    lines.extend(remedy::diff_lines(theme, &proposal.diff, columns));
    lines.push(Line::default());
    let note = "It is read once more before it is written: where it was changed meanwhile, nothing \
                is. The journal keeps what stood there, and it can be taken away again.";
    lines.extend(parts::paragraph(note, Theme::muted(), columns));
    lines
}

fn undo_text(
    context: &RenderContext<'_>,
    undo: &UndoProposal,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let record = &undo.record;
    let when = format::ago(record.created_at, context.model.now);
    let title = format!("{}, changed {when}", record.title);
    let account = context.model.named(&record.account);
    let mut lines = parts::fact("account", &account, Style::new(), columns);
    lines.extend(parts::fact("change", &title, Theme::strong(), columns));
    if undo.deletes_document() {
        let text = "▲ No statement is left, so the document as a whole is deleted.";
        lines.extend(parts::paragraph(text, theme.warning(), columns));
    }
    for left in &undo.left {
        let text = format!("▲ left as it is: {left}");
        lines.extend(parts::paragraph(&text, theme.warning(), columns));
    }
    for warning in &undo.warnings {
        let text = format!("▲ {warning}");
        lines.extend(parts::paragraph(&text, theme.warning(), columns));
    }
    lines.push(Line::default());
    if undo.changes_anything() {
        lines.extend(remedy::diff_lines(theme, &undo.diff, columns));
    } else {
        let text = "Nothing of it stands there any more; the journal will say so.";
        lines.extend(parts::paragraph(text, Style::new(), columns));
    }
    lines
}

/// The changes that are in place.
pub(super) fn lines(context: &RenderContext<'_>, cursor: usize, columns: usize) -> ListLines {
    let intro = "These changes were made by us and are still in place. Each is taken away by its \
                 own yes: just what was added, from the document as it is now.";
    let mut lines = parts::paragraph(intro, Style::new(), columns);
    lines.push(Line::default());
    let mut list = ListLines::below(lines);
    for (index, change) in context.model.changes.removable().into_iter().enumerate() {
        let is_at_cursor = index == cursor;
        list.push(row(context, change, is_at_cursor, columns), is_at_cursor);
    }
    let kept = context.model.changes.in_place.value().into_iter().flatten();
    for change in kept.filter(|change| change.target.kind() == ChangeKind::Recovery) {
        let text = format!(
            "{} stays on: switching it off would destroy the recovery window",
            change.title
        );
        list.lines
            .extend(parts::paragraph(&text, Theme::muted(), columns));
    }
    if context.model.changes.undo_asked.is_some() {
        let waiting = parts::waiting(context, "reading how it stands now …");
        list.lines.extend([Line::default(), waiting]);
    }
    list
}

fn row(
    context: &RenderContext<'_>,
    change: &ChangeRecord,
    is_at_cursor: bool,
    columns: usize,
) -> [Line<'static>; 2] {
    let (sign, style) = if is_at_cursor {
        ("▌ ", context.theme.accent())
    } else {
        ("  ", Style::new())
    };
    let room = columns.saturating_sub(2);
    let when = format::ago(change.created_at, context.model.now);
    let place = format!(
        "  in account {}, {when}",
        context.model.named(&change.account)
    );
    [
        Line::from(vec![
            Span::styled(sign, style),
            Span::styled(text::fit_middle(&change.title, room), style),
        ]),
        Line::from(vec![
            Span::styled(sign, style),
            Span::styled(text::fit(&place, room), Theme::muted()),
        ]),
    ]
}
