//! The checks: a row for each verdict, by who can fix it, and all about the one under the cursor.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::assess::responsible::Responsible;
use crate::assess::verdict::{
    AssessedRequirement, MissingInput, Requirement, SettledBy, Verdict, VerdictGroup,
};
use crate::job::requirement::{Actor, Criticality};
use crate::tui::assessing::assessed;
use crate::tui::layout;
use crate::tui::model::context::RenderContext;
use crate::tui::remote::Remote;
use crate::tui::services::AssessedPlan;
use crate::tui::steps::access::state::Tab;
use crate::tui::steps::access::tabs::{self, CheckInSight};
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::{format, text};
use tableferry_policy::evaluate::Deciding;

/// How wide the word of a verdict is.
const WORD: usize = 7;

/// The rows above the checks: the tabs, and what all checks result in.
const HEAD_ROWS: u16 = 2;

/// From how many rows on the checks have their details below them.
const DETAIL_FROM: u16 = 14;

/// Where the parts of the checks lie.
struct ChecksAreas {
    /// The tabs, and what all result in.
    head: Rect,
    /// The rows.
    list: Rect,
    /// All about the row under the cursor, where it has no place elsewhere and there is room.
    detail: Option<Rect>,
}

/// Divides the place of the checks; `has_detail_beside` where the details have a place of their own.
fn divide(inside: Rect, has_detail_beside: bool) -> ChecksAreas {
    let below = if has_detail_beside || inside.height < DETAIL_FROM {
        0
    } else {
        inside.height / 2
    };
    let rows = [
        Constraint::Length(HEAD_ROWS),
        Constraint::Fill(1),
        Constraint::Length(below),
    ];
    let [head, list, detail] = Layout::vertical(rows).areas(inside);
    ChecksAreas {
        head,
        list,
        detail: (below > 0).then_some(detail),
    }
}

/// A row as it is drawn; groups are passed over by the cursor.
enum CheckRow<'a> {
    Group(&'a Responsible),
    AssessedRequirement(VerdictGroup<'a>),
    Assumed(usize),
}

pub(super) fn draw(
    context: &RenderContext<'_>,
    inside: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let columns = usize::from(inside.width);
    let areas = divide(inside, layout::has_detail_beside(context.model.size.0));
    let head = vec![super::tab_line(context, columns), summary(context, columns)];
    frame.render_widget(Paragraph::new(head), areas.head);
    let Some(assessed) = assessed(context.model) else {
        return frame.render_widget(Paragraph::new(unassessed(context, columns)), areas.list);
    };
    draw_rows(context, assessed, areas.list, state, frame);
    if let Some(below) = areas.detail {
        draw_below(context, below, frame);
    }
}

/// What stands in for the rows while there are none.
fn unassessed(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    match &context.model.assessing.assessed {
        Remote::Refused(why) | Remote::Failed(why) => {
            let mut lines = parts::paragraph(&format!("✗ {why}"), context.theme.bad(), columns);
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
fn summary(context: &RenderContext<'_>, columns: usize) -> Line<'static> {
    let reading = parts::waiting(context, "reading both accounts …");
    let Some(assessed) = assessed(context.model) else {
        let is_loading = context.model.assessing.assessed.is_loading();
        return if is_loading { reading } else { Line::default() };
    };
    let mut spans = counts(context, assessed, columns);
    let end = if context.model.assessing.assessed.is_loading() {
        format!("{} reading again …", context.spinner())
    } else {
        match assessed.probed_at {
            Some(at) => format!("probed {}", format::clock(at)),
            None => format!(
                "read {}",
                format::clock(assessed.assessment.facts.surveyed_at)
            ),
        }
    };
    let used =
        |spans: &[Span<'_>]| -> usize { spans.iter().map(|span| text::width(&span.content)).sum() };
    let assumed = assessed.assumed().len();
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
fn counts(
    context: &RenderContext<'_>,
    assessed: &AssessedPlan,
    columns: usize,
) -> Vec<Span<'static>> {
    let theme = context.theme;
    let counts = assessed.assessment.counts();
    let words = |allowed: String| {
        [
            (
                "✗",
                counts.denied,
                format!("{} denied", counts.denied),
                theme.denied(),
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
    context: &RenderContext<'_>,
    assessed: &AssessedPlan,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let (rows, cursor) = rows(context, assessed);
    let columns = usize::from(area.width).saturating_sub(2);
    let draw_row = |index: usize| match rows.get(index) {
        Some(CheckRow::Group(responsible)) => Line::styled(
            super::remedy::responsible(context.model, responsible),
            Theme::strong(),
        ),
        Some(CheckRow::AssessedRequirement(group)) => verdict_row(context, group, columns),
        Some(CheckRow::Assumed(count)) => assumed_row(*count, columns),
        None => Line::default(),
    };
    if matches!(rows.get(cursor.wrapping_sub(1)), Some(CheckRow::Group(_))) {
        // The heading of the row under the cursor is worth its line.
        state.offset("checks", cursor - 1, rows.len(), usize::from(area.height));
    }
    let rows = parts::ListRows {
        name: "checks",
        count: rows.len(),
        cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, area, state, frame);
}

/// The rows with their headings, and which of them the cursor is on.
fn rows<'a>(context: &RenderContext<'a>, assessed: &'a AssessedPlan) -> (Vec<CheckRow<'a>>, usize) {
    let mut rows = Vec::new();
    let mut cursor = 0;
    let mut responsible = None;
    let group = assessed.groups();
    let count = group.len();
    for (index, group) in group.into_iter().enumerate() {
        let verdict = group.verdict;
        if responsible != Some(&verdict.responsible) {
            responsible = Some(&verdict.responsible);
            rows.push(CheckRow::Group(&verdict.responsible));
        }
        if index == context.model.access.cursor {
            cursor = rows.len();
        }
        rows.push(CheckRow::AssessedRequirement(group));
    }
    let assumed = assessed.assumed().len();
    if assumed > 0 {
        if context.model.access.cursor >= count {
            cursor = rows.len();
        }
        rows.push(CheckRow::Assumed(assumed));
    }
    (rows, cursor)
}

/// The sign of a verdict and its style: what only the watching depends on is no alarm.
fn mark(theme: Theme, verdict: &AssessedRequirement) -> (&'static str, Style) {
    match (&verdict.outcome, verdict.criticality) {
        (Verdict::Allowed { .. }, _) => ("✓", theme.good()),
        (Verdict::Denied, Criticality::Required) => ("✗", theme.denied()),
        (Verdict::Denied, Criticality::Optional) => ("✗", theme.warning()),
        (Verdict::Depends { .. }, _) => ("~", theme.warning()),
        (Verdict::Unknown { .. }, _) => ("?", theme.warning()),
    }
}

fn verdict_row(
    context: &RenderContext<'_>,
    group: &VerdictGroup<'_>,
    columns: usize,
) -> Line<'static> {
    let theme = context.theme;
    let verdict = group.verdict;
    let (sign, style) = mark(theme, verdict);
    let room = columns.saturating_sub(3 + WORD);
    let (end, end_style) = match (verdict.cautions.first(), verdict.deciding.first()) {
        (Some(caution), _) => (format!("  ▲ {caution}"), theme.warning()),
        (None, Some(deciding)) => (format!("  {}", in_words(deciding)), Theme::muted()),
        (None, None) => (String::new(), Style::new()),
    };
    // What is assessed comes first; where something is wrong, what decides has a third of the line.
    let least = if verdict.outcome.is_allowed() && verdict.cautions.is_empty() {
        0
    } else {
        text::width(&end).min(room / 3)
    };
    let requirement = group
        .in_family()
        .unwrap_or_else(|| match group.alike.len() {
            0 => short_subject(verdict),
            more => format!("{} and {more} more", short_subject(verdict)),
        });
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

/// What is assessed, its ARNs without what is the same in all of them.
fn short_subject(verdict: &AssessedRequirement) -> String {
    match &verdict.requirement {
        Requirement::Permission(need) => {
            let pattern = need.resource.pattern();
            let resource = pattern.splitn(6, ':').nth(5).unwrap_or(pattern);
            let who = match need.who {
                Actor::Exporter => "",
                Actor::Reader => " (destination)",
                Actor::Service => " (service principal)",
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

fn draw_below(context: &RenderContext<'_>, area: Rect, frame: &mut Frame<'_>) {
    let columns = usize::from(area.width);
    let rows = usize::from(area.height.saturating_sub(1));
    let mut lines = vec![Line::styled("─".repeat(columns), Theme::muted())];
    let mut about = detail(context, columns);
    if about.len() > rows {
        about.truncate(rows.saturating_sub(1));
        about.push(Line::styled("… Space shows all of it", Theme::muted()));
    }
    lines.extend(about);
    frame.render_widget(Paragraph::new(lines), area);
}

/// All about the row under the cursor.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    match tabs::checked(context.model) {
        Some(CheckInSight::Requirement(group)) => about(context, &group, columns),
        Some(CheckInSight::Assumed) => assessed(context.model).map_or_else(Vec::new, |assessed| {
            about_assumed(context, assessed, columns)
        }),
        None => Vec::new(),
    }
}

fn about(
    context: &RenderContext<'_>,
    group: &VerdictGroup<'_>,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let verdict = group.verdict;
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
    match group.in_family() {
        Some(many) => {
            let all = std::iter::once(verdict).chain(group.alike.iter().copied());
            let names: Vec<&str> = all.map(|one| one.requirement.of()).collect();
            add(&format!("{many}: {}", names.join(", ")), style);
        }
        None => {
            for alike in &group.alike {
                add(&format!("and {}", alike.requirement), style);
            }
        }
    }
    if !verdict.explanation.is_empty() {
        add(&verdict.explanation, Style::new());
    }
    if !verdict.hint.is_empty() {
        add(&format!("hint: {}", verdict.hint), Theme::strong());
    }
    let remedy = assessed(context.model).and_then(|assessed| assessed.remedy_of(verdict));
    if let Some(place) = remedy {
        let tab = tabs::title(context.model, Tab::Remedy(place));
        let is_sound = assessed(context.model)
            .and_then(|assessed| assessed.remedies.get(place))
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

fn about_assumed(
    context: &RenderContext<'_>,
    assessed: &AssessedPlan,
    columns: usize,
) -> Vec<Line<'static>> {
    let intro = "What is allowed is so by all that could be read. This could not be read, and is \
                 assumed not to forbid it; the permission in brackets would make it known:";
    let mut lines = parts::paragraph(intro, Style::new(), columns);
    for unread in assessed.assumed() {
        let text = format!("· {}", unread_in_words(&unread));
        lines.extend(parts::paragraph(&text, context.theme.accent(), columns));
        lines.extend(parts::paragraph(
            &format!("  {}", text::clean(&unread.detail)),
            Theme::muted(),
            columns,
        ));
    }
    lines
}
