//! Questions with yes and no.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::assessing;
use crate::tui::model::Model;
use crate::tui::model::context::RenderContext;
use crate::tui::popups::state::{AskedQuestion, Question};
use crate::tui::services::ProposedChange;
use crate::tui::steps::accounts::state::word;
use crate::tui::steps::review::view as review;
use crate::tui::theme::Theme;
use crate::tui::view::parts;

use super::{changes, probe};
use crate::tui::widgets::format;

/// Both answers, one of them marked, and which keys answer.
pub(super) fn answers(theme: Theme, asked: &AskedQuestion) -> Line<'static> {
    let button = |word: &'static str, is_marked: bool| {
        if is_marked {
            let style = theme.accent().patch(Theme::strong());
            Span::styled(format!("[ {word} ]"), style)
        } else {
            Span::styled(format!("  {word}  "), Theme::muted())
        }
    };
    let (yes, no, how) = if asked.question.changes_nothing() {
        ("y: yes", "n: no", "")
    } else {
        ("Yes", "No", "← → mark one, Enter gives it")
    };
    let how = if asked.is_mistyped {
        Span::styled("that is no answer: ← marks Yes", theme.warning())
    } else {
        Span::styled(how, Theme::muted())
    };
    Line::from(vec![
        button(yes, asked.is_yes),
        Span::raw("  "),
        button(no, !asked.is_yes),
        Span::raw("   "),
        how,
    ])
}

pub(super) fn title(question: &Question) -> &'static str {
    match question {
        Question::Quit => "Quit?",
        Question::LogIn { .. } => "Sign in?",
        Question::Replace(_) => "Replace the file?",
        Question::Start => "Start the export?",
        Question::StartDenied => "Start although it will fail?",
        Question::Change(proposed) => match proposed.change {
            ProposedChange::Apply(_) | ProposedChange::SetUp(_) => "Change this account?",
            ProposedChange::Undo(_) => "Take this change away?",
        },
        Question::Probe(_) => "Probe the bucket?",
    }
}

pub(super) fn text(
    context: &RenderContext<'_>,
    question: &Question,
    columns: usize,
) -> Vec<Line<'static>> {
    let plain = |text: &str| parts::paragraph(text, Style::new(), columns);
    match question {
        Question::Quit => {
            let mut lines = quit_text(context.model, columns);
            lines.extend(changes_that_stay(context.model, columns));
            lines
        }

        Question::LogIn {
            side,
            profile,
            command,
            detail,
        } => {
            let mut lines = plain(&format!(
                "{profile} (the {}) is not signed in: {detail}",
                word(*side)
            ));
            lines.push(Line::default());
            lines.extend(plain(
                "This command renews it; run it here, in this terminal?",
            ));
            lines.push(Line::default());
            lines.extend(parts::paragraph(
                &format!("  {command}"),
                Theme::strong(),
                columns,
            ));
            lines
        }
        Question::Replace(path) => plain(&format!(
            "{} is there already. Replace it with this plan?",
            path.display()
        )),
        Question::Start => start_text(context, columns),
        Question::StartDenied => denied_text(context, columns),
        Question::Change(proposed) => changes::question(context, proposed, columns),
        Question::Probe(proposed) => probe::question(context, proposed, columns),
    }
}

/// What quitting leaves behind of a run and of the choices.
fn quit_text(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let plain = |text: &str| parts::paragraph(text, Style::new(), columns);
    match model.run() {
        Some(_) if model.is_sandbox && model.has_unfinished_exports() => plain(
            "Exports are under way. In the sandbox they end with this process, unless \
                 --sandbox-state keeps it.",
        ),
        Some(run) if model.has_unfinished_exports() => plain(&format!(
            "The exports go on at AWS; only the waiting ends. To come back: \
                 `tableferry resume {run}`, or open the wizard again."
        )),
        _ if !model.mutations.is_empty() => {
            plain("A call is in flight; its answer is waited for before the end.")
        }
        Some(run) => plain(&format!(
            "Run {run} has ended. What was chosen since is lost unless the plan was saved (s in {}).",
            model.flow.saved_in
        )),
        None => plain(&format!(
            "Nothing was started. What was chosen is lost unless the plan was saved (s in {}).",
            model.flow.saved_in
        )),
    }
}

/// The changes of accounts that quitting leaves in place.
fn changes_that_stay(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let [.., (last, _)] = model.changes.made.as_slice() else {
        return Vec::new();
    };
    let mut lines = vec![Line::default()];
    let intro = if model.is_sandbox {
        "Changed since the wizard was opened, and it stays where --sandbox-state keeps the sandbox:"
    } else {
        "Changed since the wizard was opened, and it stays so:"
    };
    lines.extend(parts::paragraph(intro, Theme::strong(), columns));
    for (id, title) in &model.changes.made {
        let text = format!("change {id}: {title}");
        lines.extend(parts::paragraph(&text, Style::new(), columns));
    }
    for text in [
        "`tableferry apply --list` shows what is in place;".to_owned(),
        format!("`tableferry undo {last}` takes it away."),
    ] {
        lines.extend(parts::paragraph(&text, Style::new(), columns));
    }
    lines
}

/// What the start is certain to fail by, before what it would do.
fn denied_text(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let intro = "By what was read, AWS refuses this export at the start or lets it fail minutes \
                 later:";
    let mut lines = parts::paragraph(intro, Theme::strong(), columns);
    for verdict in assessing::fatal(context.model) {
        let text = format!("✗ {}", verdict.requirement);
        lines.extend(parts::paragraph(&text, context.theme.bad(), columns));
    }
    lines.push(Line::default());
    lines.extend(start_text(context, columns));
    lines
}

fn start_text(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let Some(summary) = assessing::start_summary(context.model) else {
        return lines;
    };
    if context.model.is_sandbox {
        let note = "This is the sandbox: nothing leaves this process.";
        lines.extend(parts::paragraph(note, context.theme.warning(), columns));
        lines.push(Line::default());
    }
    for line in &summary.lines {
        lines.extend(parts::paragraph(line, Style::new(), columns));
    }
    lines.push(Line::default());
    lines.extend(review::parties(context, columns));
    lines.extend(review::earlier_failure(context, columns));
    for duplicate in &summary.duplicates {
        let text = format!("▲ {}; a new start exports it again", duplicate.sentence());
        lines.extend(parts::paragraph(&text, context.theme.warning(), columns));
    }
    for run in &summary.earlier {
        let state = if run.is_open() {
            "is under way"
        } else {
            "was completed"
        };
        let when = format::ago(run.created_at, context.model.now);
        let text = format!(
            "▲ run {} of the same plan {state} (started {when}).",
            run.id
        );
        lines.extend(parts::paragraph(&text, context.theme.warning(), columns));
    }
    lines.push(Line::default());
    let note = "An export cannot be cancelled once it has started, and is billed by size.";
    lines.extend(parts::paragraph(note, Theme::muted(), columns));
    lines
}
