//! The question before a probe: every call that it sends, what it leaves, and what it does not show.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::model::context::RenderContext;
use crate::tui::services::Probe;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::work::event::Side;

pub(super) fn question(
    context: &RenderContext<'_>,
    probe: &Probe,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    if context.model.is_sandbox {
        let note = "This is the sandbox: nothing is sent to AWS.";
        lines.extend(parts::paragraph(note, theme.warning(), columns));
    }
    let mut add = |label: &str, text: &str, style: Style| {
        lines.extend(parts::fact(label, text, style, columns));
    };
    let source = probe.principal.account_id();
    let account = source.map_or_else(String::new, |account| context.model.named(&account));
    add("source", &account, theme.side(Side::Source));
    let owner = &probe.target.owner;
    let bucket = format!("{} of {}", probe.target.bucket, context.model.named(owner));
    add("bucket", &bucket, theme.side(Side::Destination));
    let mut list = |heading: &str, texts: &[String]| {
        lines.push(Line::default());
        lines.push(Line::styled(heading.to_owned(), Theme::strong()));
        for text in texts {
            lines.extend(parts::listed(text, Style::new(), columns));
        }
    };
    list("It sends:", &probe.lines());
    list("It leaves nothing:", &[probe.leaves().to_owned()]);
    let not_shown = probe.not_shown.iter().map(|text| (*text).to_owned());
    list("It does not show:", &not_shown.collect::<Vec<_>>());
    lines
}
