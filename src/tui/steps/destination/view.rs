//! The Destination step.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::BucketOwner;
use crate::assess::facts::{BucketFacts, Fact};
use crate::tui::model::context::RenderContext;
use crate::tui::remote::Remote;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::text;
use crate::work::event::Side;
use tableferry_policy::arn::BucketName;

const REGION: usize = 16;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let destination = &context.model.destination;
    let block = parts::pane(context.theme, "Destination", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let rows = [
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(2),
    ];
    let [head, list_area, foot] = Layout::vertical(rows).areas(inside);
    let buckets = destination.rows();
    let head_line = parts::filter_line(context, &destination.list, buckets.len(), columns)
        .unwrap_or_else(|| {
            let name = text::pad("bucket", columns.saturating_sub(4 + REGION));
            Line::styled(format!("    {name}Region"), Theme::muted())
        });
    frame.render_widget(Paragraph::new(head_line), head);
    frame.render_widget(Paragraph::new(foot_lines(context, columns)), foot);
    if buckets.is_empty() {
        frame.render_widget(Paragraph::new(empty(context, columns)), list_area);
        return;
    }
    let theme = context.theme;
    let draw_row = |index: usize| {
        let Some(bucket) = buckets.get(index) else {
            return Line::default();
        };
        let is_chosen = destination.bucket.as_ref() == Some(&bucket.name);
        let style = if is_chosen {
            theme.side(Side::Destination)
        } else {
            Style::new()
        };
        let name = text::pad(bucket.name.as_str(), columns.saturating_sub(4 + REGION));
        let region = bucket.region.as_ref().map_or("–", |region| region.as_str());
        Line::from(vec![
            Span::styled(if is_chosen { "● " } else { "  " }, style),
            Span::styled(name, style),
            Span::styled(region.to_owned(), Theme::muted()),
        ])
    };
    let rows = parts::ListRows {
        name: "buckets",
        count: buckets.len(),
        cursor: destination.list.cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, list_area, state, frame);
}

/// Where the objects will lie, and whose the bucket is.
fn foot_lines(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let destination = &context.model.destination;
    let theme = context.theme;
    let Some(bucket) = &destination.bucket else {
        return vec![
            Line::default(),
            Line::styled("no bucket chosen yet", Theme::muted()),
        ];
    };
    let prefix = destination
        .prefix
        .as_ref()
        .map_or_else(String::new, |prefix| format!("{prefix}/"));
    let objects = context.model.flow.objects;
    let path = format!("s3://{bucket}/{prefix}{objects}");
    let (owner, note, style) = match &destination.owner {
        BucketOwner::Found(owner) => (
            owner.to_string(),
            "  filled in: S3 agreed to it",
            theme.good(),
        ),
        BucketOwner::Given(owner) => (owner.to_string(), "  as given", Style::new()),
        BucketOwner::Unknown if destination.facts.is_loading() => {
            ("…".to_owned(), "", Theme::muted())
        }
        BucketOwner::Unknown => ("unknown".to_owned(), "  give it with o", theme.warning()),
    };
    vec![
        Line::from(vec![
            Span::styled("writes to  ", Theme::muted()),
            Span::styled(
                text::fit_middle(&path, columns.saturating_sub(11)),
                theme.side(Side::Destination),
            ),
        ]),
        Line::from(vec![
            Span::styled("owner      ", Theme::muted()),
            Span::styled(owner, style),
            Span::styled(note, Theme::muted()),
        ]),
    ]
}

fn empty(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let model = context.model;
    let theme = context.theme;
    let Some(known) = model.identified(Side::Destination) else {
        let sentence = "Without a destination profile no buckets can be listed. Type the bucket's \
                        name with t, and its owner's account with o.";
        return parts::paragraph(sentence, Style::new(), columns);
    };
    let account = &known.identity.account;
    if let Some(failure) = model.destination.buckets.error() {
        let mut lines = parts::failure(theme, failure, columns);
        lines.push(Line::default());
        let way = "A bucket can be typed with t; r reads again.";
        lines.extend(parts::paragraph(way, Theme::muted(), columns));
        return lines;
    }
    if model.destination.buckets.value().is_none() {
        return vec![parts::waiting(
            context,
            &format!("reading the buckets of {account} …"),
        )];
    }
    let sentence = if model.destination.list.filter.is_some() {
        "No bucket's name contains this. Esc clears the filter.".to_owned()
    } else {
        format!("There are no buckets in {account}. One of another account can be typed with t.")
    };
    parts::paragraph(&sentence, Theme::muted(), columns)
}

/// What is known of the chosen bucket.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let destination = &context.model.destination;
    let Some(bucket) = &destination.bucket else {
        let lines = parts::paragraph("Enter on a bucket reads it.", Theme::muted(), columns);
        return ("Bucket".to_owned(), lines);
    };
    let lines = match &destination.facts {
        Remote::Loaded(facts) | Remote::Stale(facts, _) => {
            facts_lines(context, bucket, facts, columns)
        }
        Remote::Loading(_) => vec![parts::waiting(context, &format!("reading {bucket} …"))],
        Remote::NotAsked => parts::paragraph("not read", Theme::muted(), columns),
        Remote::Refused(why) | Remote::Failed(why) => {
            parts::paragraph(why, context.theme.bad(), columns)
        }
    };
    (bucket.to_string(), lines)
}

fn facts_lines(
    context: &RenderContext<'_>,
    name: &BucketName,
    facts: &BucketFacts,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    match &facts.region {
        Fact::Known { value: region, .. } => {
            let source = context
                .model
                .identified(Side::Source)
                .map(|known| &known.region);
            let note = if source.is_some_and(|source| source != region) {
                " (not the tables' Region: that works, and costs transfer)"
            } else {
                ""
            };
            let text = format!("{region}{note}");
            lines.extend(parts::fact("Region", &text, Style::new(), columns));
        }
        Fact::Absent { .. } => {
            let text = format!("✗ there is no bucket {name}");
            lines.extend(parts::paragraph(&text, theme.bad(), columns));
        }
        other => lines.extend(parts::not_read(theme, other, "its Region", columns)),
    }
    match &facts.encryption {
        Fact::Known { value: default, .. } => {
            let key = match &default.key {
                Some(key) => format!("{} with {key}", default.algorithm),
                None => default.algorithm.clone(),
            };
            lines.extend(parts::fact("encrypts by", &key, Style::new(), columns));
        }
        other => {
            let why = unread(other, "s3:GetEncryptionConfiguration");
            let text = format!("unknown: {why}");
            lines.extend(parts::fact("encrypts by", &text, theme.warning(), columns));
        }
    }
    match &facts.owner {
        Fact::Known { value: owner, .. } => {
            let text = format!("{owner}, which S3 agreed to");
            lines.extend(parts::fact("owner", &text, Style::new(), columns));
        }
        other => {
            let text = format!("not proved: {}", unread(other, "s3:ListBucket"));
            lines.extend(parts::fact("owner", &text, theme.warning(), columns));
        }
    }
    lines
}

/// AWS's code, the permission that is missing, and the request id.
fn unread<T>(fact: &Fact<T>, usual: &str) -> String {
    fact.obstacle(usual).map_or_else(String::new, |error| {
        let id = error.request_id.as_ref();
        let id = id.map_or_else(String::new, |id| format!(", request id {id}"));
        match error.permission.as_str() {
            "" => format!("{}{id}", error.words()),
            permission => format!("{} ({permission}{id})", error.code_or_detail()),
        }
    })
}
