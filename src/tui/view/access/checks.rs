//! The checks: a row for each verdict, by who can fix it, and all about the one under the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::assess::responsible::Responsible;
use crate::assess::verdict::{
    AssessedRequirement, MissingInput, Requirement, SettledBy, Verdict, VerdictGroup,
};
use crate::job::requirement::{Actor, Criticality};
use crate::tui::layout;
use crate::tui::outside::Judged;
use crate::tui::remote::Remote;
use crate::tui::steps::access::{self, Checked};
use crate::tui::theme::Theme;
use crate::tui::view::{Look, ViewState, parts};
use crate::tui::widgets::{format, text};
use tableferry_policy::evaluate::Deciding;

/// How wide the word of a verdict is.
const WORD: usize = 7;

/// A row as it is drawn; groups are passed over by the cursor.
enum Row<'a> {
    Group(&'a Responsible),
    AssessedRequirement(VerdictGroup<'a>),
    Assumed(usize),
}

pub(super) fn draw(look: &Look<'_>, inside: Rect, state: &mut ViewState, frame: &mut Frame<'_>) {
    let columns = usize::from(inside.width);
    let areas = layout::checks(inside, layout::has_detail(look.model));
    let head = vec![super::tab_line(look, columns), summary(look, columns)];
    frame.render_widget(Paragraph::new(head), areas.head);
    let Some(judged) = access::judged(look.model) else {
        return frame.render_widget(Paragraph::new(unjudged(look, columns)), areas.list);
    };
    draw_rows(look, judged, areas.list, state, frame);
    if let Some(below) = areas.detail {
        draw_below(look, below, frame);
    }
}

/// What stands in for the rows while there are none.
fn unjudged(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    match &look.model.access.judged {
        Remote::Refused(why) | Remote::Failed(why) => {
            let mut lines = parts::paragraph(&format!("✗ {why}"), look.theme.bad(), columns);
            lines.push(Line::raw("hint: r reads again"));
            lines
        }
        Remote::Loading(_) => parts::paragraph(
            "Policies, grants and settings are read from both accounts, each on its own. You can go \
             on meanwhile: Review shows what comes of it.",
            Theme::muted(),
            columns,
        ),
        _ => Vec::new(),
    }
}

/// What all verdicts come to, and when the facts were read.
fn summary(look: &Look<'_>, columns: usize) -> Line<'static> {
    let reading = parts::waiting(look, "reading both accounts …");
    let Some(judged) = access::judged(look.model) else {
        let is_loading = look.model.access.judged.is_loading();
        return if is_loading { reading } else { Line::default() };
    };
    let mut spans = counts(look, judged, columns);
    let end = if look.model.access.judged.is_loading() {
        format!("{} reading again …", look.spinner())
    } else {
        match judged.probed_at {
            Some(at) => format!("probed {}", format::clock(at)),
            None => format!(
                "read {}",
                format::clock(judged.assessment.facts.surveyed_at)
            ),
        }
    };
    let used =
        |spans: &[Span<'_>]| -> usize { spans.iter().map(|span| text::width(&span.content)).sum() };
    let assumed = judged.assumed().len();
    let not_read = format!("· {assumed} not read  ");
    if assumed > 0 && used(&spans) + text::width(&not_read) + text::width(&end) <= columns {
        spans.push(Span::styled(not_read, Theme::muted()));
    }
    if used(&spans) + text::width(&end) <= columns {
        let gap = columns - used(&spans) - text::width(&end);
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(end, Theme::muted()));
    }
    Line::from(spans)
}

/// How many verdicts come to what, in the marks of the rows.
fn counts(look: &Look<'_>, judged: &Judged, columns: usize) -> Vec<Span<'static>> {
    let theme = look.theme;
    let counts = judged.assessment.counts();
    let words = |allowed: String| {
        [
            (
                "✗",
                counts.denied,
                format!("{} denied", counts.denied),
                theme.bad(),
            ),
            (
                "~",
                counts.depends,
                format!("{} depends", counts.depends),
                theme.warning(),
            ),
            (
                "?",
                counts.unknown,
                format!("{} unknown", counts.unknown),
                theme.warning(),
            ),
            ("✓", counts.allowed, allowed, theme.good()),
        ]
        .into_iter()
        .filter(|(_, count, ..)| *count > 0)
        .map(|(sign, _, words, style)| Span::styled(format!("{sign} {words}  "), style))
        .collect::<Vec<_>>()
    };
    let whole = words(counts.allowed_in_words());
    let width: usize = whole.iter().map(|span| text::width(&span.content)).sum();
    if width <= columns + 2 {
        whole
    } else {
        words(format!("{} allowed", counts.allowed))
    }
}

fn draw_rows(
    look: &Look<'_>,
    judged: &Judged,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let (rows, cursor) = rows(look, judged);
    let columns = usize::from(area.width).saturating_sub(2);
    let draw_row = |index: usize| match rows.get(index) {
        Some(Row::Group(responsible)) => Line::styled(
            super::remedy::responsible(look.model, responsible),
            Theme::strong(),
        ),
        Some(Row::AssessedRequirement(told)) => verdict_row(look, told, columns),
        Some(Row::Assumed(count)) => assumed_row(*count, columns),
        None => Line::default(),
    };
    if matches!(rows.get(cursor.wrapping_sub(1)), Some(Row::Group(_))) {
        // The heading of the row under the cursor is worth its line.
        state.offset("checks", cursor - 1, rows.len(), usize::from(area.height));
    }
    let rows = parts::Rows {
        name: "checks",
        count: rows.len(),
        cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(look, &rows, area, state, frame);
}

/// The rows with their headings, and which of them the cursor is on.
fn rows<'a>(look: &Look<'a>, judged: &'a Judged) -> (Vec<Row<'a>>, usize) {
    let mut rows = Vec::new();
    let mut cursor = 0;
    let mut responsible = None;
    let told = judged.groups();
    let count = told.len();
    for (index, told) in told.into_iter().enumerate() {
        let verdict = told.verdict;
        if responsible != Some(&verdict.responsible) {
            responsible = Some(&verdict.responsible);
            rows.push(Row::Group(&verdict.responsible));
        }
        if index == look.model.access.cursor {
            cursor = rows.len();
        }
        rows.push(Row::AssessedRequirement(told));
    }
    let assumed = judged.assumed().len();
    if assumed > 0 {
        if look.model.access.cursor >= count {
            cursor = rows.len();
        }
        rows.push(Row::Assumed(assumed));
    }
    (rows, cursor)
}

/// The sign of a verdict and its style: what only the watching depends on is no alarm.
fn mark(theme: Theme, verdict: &AssessedRequirement) -> (&'static str, Style) {
    match (&verdict.outcome, verdict.criticality) {
        (Verdict::Allowed { .. }, _) => ("✓", theme.good()),
        (Verdict::Denied, Criticality::Required) => ("✗", theme.bad()),
        (Verdict::Denied, Criticality::Optional) => ("✗", theme.warning()),
        (Verdict::Depends { .. }, _) => ("~", theme.warning()),
        (Verdict::Unknown { .. }, _) => ("?", theme.warning()),
    }
}

fn verdict_row(look: &Look<'_>, told: &VerdictGroup<'_>, columns: usize) -> Line<'static> {
    let theme = look.theme;
    let verdict = told.verdict;
    let (sign, style) = mark(theme, verdict);
    let room = columns.saturating_sub(3 + WORD);
    let (end, end_style) = match (verdict.cautions.first(), verdict.deciding.first()) {
        (Some(caution), _) => (format!("  ▲ {caution}"), theme.warning()),
        (None, Some(deciding)) => (format!("  {}", in_words(deciding)), Theme::muted()),
        (None, None) => (String::new(), Style::new()),
    };
    // What is judged comes first; where something is wrong, what decides has a third of the line.
    let least = if verdict.outcome.is_allowed() && verdict.cautions.is_empty() {
        0
    } else {
        text::width(&end).min(room / 3)
    };
    let requirement = match told.alike.len() {
        0 => short_subject(verdict),
        more => format!("{} and {more} more", short_subject(verdict)),
    };
    let requirement = text::fit_middle(&requirement, room - least);
    let rest = room - text::width(&requirement);
    Line::from(vec![
        Span::styled(
            format!("{sign} {} ", text::pad(verdict.outcome.as_str(), WORD)),
            style,
        ),
        Span::raw(requirement),
        Span::styled(text::fit(&end, rest), end_style),
    ])
}

fn assumed_row(count: usize, columns: usize) -> Line<'static> {
    let text = format!(
        "· {} not read, assumed not to forbid it",
        format::counted(count as u64, "thing")
    );
    Line::styled(text::fit(&text, columns), Theme::muted())
}

/// What is judged, its ARNs without what is the same in all of them.
fn short_subject(verdict: &AssessedRequirement) -> String {
    match &verdict.requirement {
        Requirement::Permission(need) => {
            let pattern = need.resource.pattern();
            let resource = pattern.splitn(6, ':').nth(5).unwrap_or(pattern);
            let who = match need.who {
                Actor::Exporter => "",
                Actor::Reader => " (destination)",
            };
            format!("{}{who} on {resource}", need.action)
        }
        Requirement::Check { .. } => verdict.requirement.to_string(),
    }
}

fn in_words(deciding: &Deciding) -> String {
    let effect = if deciding.is_deny { "Deny" } else { "Allow" };
    format!("{effect} `{}` of {}", deciding.sid, deciding.policy)
}

fn unread_in_words(unread: &MissingInput) -> String {
    match unread.permission.as_str() {
        "" => unread.what.clone(),
        permission => format!("{} ({permission})", unread.what),
    }
}

fn draw_below(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let columns = usize::from(area.width);
    let rows = usize::from(area.height.saturating_sub(1));
    let mut lines = vec![Line::styled("─".repeat(columns), Theme::muted())];
    let mut about = detail(look, columns);
    if about.len() > rows {
        about.truncate(rows.saturating_sub(1));
        about.push(Line::styled("… Space shows all of it", Theme::muted()));
    }
    lines.extend(about);
    frame.render_widget(Paragraph::new(lines), area);
}

/// All about the row under the cursor.
pub(crate) fn detail(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    match access::checked(look.model) {
        Some(Checked::Requirement(told)) => about(look, &told, columns),
        Some(Checked::Assumed) => access::judged(look.model)
            .map_or_else(Vec::new, |judged| about_assumed(look, judged, columns)),
        None => Vec::new(),
    }
}

fn about(look: &Look<'_>, told: &VerdictGroup<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let verdict = told.verdict;
    let (sign, style) = mark(theme, verdict);
    let head = format!(
        "{sign} {}: {}",
        verdict.outcome.as_str(),
        verdict.requirement
    );
    let mut lines = parts::paragraph(&head, style, columns);
    let mut add = |text: &str, style: Style| {
        lines.extend(parts::paragraph(text, style, columns));
    };
    for alike in &told.alike {
        add(&format!("and {}", alike.requirement), style);
    }
    if !verdict.explanation.is_empty() {
        add(&verdict.explanation, Style::new());
    }
    if !verdict.hint.is_empty() {
        add(&format!("hint: {}", verdict.hint), Theme::strong());
    }
    let remedy = access::judged(look.model).and_then(|judged| judged.remedy_of(verdict));
    if let Some(place) = remedy {
        let tab = access::title(look.model, access::Tab::Remedy(place));
        let is_sound = access::judged(look.model)
            .and_then(|judged| judged.remedies.get(place))
            .is_some_and(crate::assess::remedy::Remedy::is_sound);
        let what = if is_sound {
            "fixes it"
        } else {
            "shows what would fix it, and why it cannot be done as it stands"
        };
        add(&format!("the tab “{tab}” {what}"), Theme::strong());
    }
    for caution in &verdict.cautions {
        add(&format!("▲ {caution}"), theme.warning());
    }
    if let Verdict::Depends { on, .. } = &verdict.outcome {
        add(&format!("it depends on {on}"), theme.warning());
    }
    if let Some(words) = &verdict.expected_error {
        add(&format!("AWS would say: {words}"), theme.bad());
    }
    for deciding in &verdict.deciding {
        add(&format!("decided by {}", in_words(deciding)), Style::new());
    }
    let (unread, settled_by) = match &verdict.outcome {
        Verdict::Unknown { unread, settled_by } => (unread.as_slice(), Some(*settled_by)),
        Verdict::Depends { unread, .. } => (unread.as_slice(), None),
        Verdict::Allowed { .. } | Verdict::Denied => (&[][..], None),
    };
    for unread in unread {
        let detail = text::clean(&unread.detail).into_owned();
        let what = unread_in_words(unread);
        add(&format!("not read: {what}: {detail}"), theme.warning());
    }
    if let Some(settled_by) = settled_by.filter(|by| *by != SettledBy::Reading) {
        add(
            &format!("else settled by {}", settled_by.as_str()),
            Style::new(),
        );
    }
    if let Requirement::Permission(need) = &verdict.requirement {
        add(&format!("needed because {}", need.reason), Theme::muted());
    }
    if let Verdict::Allowed { assumed } = &verdict.outcome {
        for unread in assumed {
            let what = unread_in_words(unread);
            add(&format!("assumed not to forbid it: {what}"), Theme::muted());
        }
    }
    lines
}

fn about_assumed(look: &Look<'_>, judged: &Judged, columns: usize) -> Vec<Line<'static>> {
    let intro = "What is allowed is so by all that could be read. This could not be read, and is \
                 assumed not to forbid it; the permission in brackets would make it known:";
    let mut lines = parts::paragraph(intro, Style::new(), columns);
    for unread in judged.assumed() {
        let text = format!("· {}", unread_in_words(&unread));
        lines.extend(parts::paragraph(&text, look.theme.accent(), columns));
        lines.extend(parts::paragraph(
            &format!("  {}", text::clean(&unread.detail)),
            Theme::muted(),
            columns,
        ));
    }
    lines
}
