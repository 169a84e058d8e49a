//! What lists and texts are scrolled to, and how much of them is in sight. Only drawing changes it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::sight::{ScreenId, Scroll};
use super::widgets::list;

/// Scroll positions and heights; only drawing changes them.
#[derive(Debug, Clone, Default)]
pub struct ViewState {
    offsets: HashMap<&'static str, usize>,
    /// The first line in sight of each text that was scrolled.
    lines: HashMap<ScreenId, usize>,
    /// The number of the last move that was made.
    last_scroll: u64,
    page: usize,
}

impl ViewState {
    /// How many rows of the list with the focus were in sight when it was drawn last.
    #[must_use]
    pub const fn page(&self) -> usize {
        self.page
    }

    pub(crate) const fn note_page(&mut self, rows: usize) {
        self.page = rows;
    }

    /// The first row to show, so that the cursor is in sight and as little as possible moves.
    pub(crate) fn offset(
        &mut self,
        list: &'static str,
        cursor: usize,
        rows: usize,
        page: usize,
    ) -> usize {
        let offset = self.offsets.entry(list).or_default();
        let page = page.max(1);
        let lowest = (cursor + 1).saturating_sub(page);
        *offset = (*offset)
            .clamp(lowest, cursor.max(lowest))
            .min(rows.saturating_sub(page));
        *offset
    }

    /// The first line to show of a list of so many lines, so that these are in sight and as little as
    /// possible moves.
    pub(crate) fn first_line_with(
        &mut self,
        list: ScreenId,
        row: RangeInclusive<usize>,
        lines: usize,
        page: usize,
    ) -> usize {
        let first = self.lines.entry(list).or_default();
        let lowest = (row.end() + 1).saturating_sub(page.max(1));
        *first = (*first)
            .clamp(lowest, *row.start().max(&lowest))
            .min(lines.saturating_sub(page));
        // What stands above the first row comes back with it.
        if lowest == 0 {
            *first = 0;
        }
        *first
    }

    /// The first line to show of a text of so many lines, after the moves that were asked for.
    pub(crate) fn first_line(
        &mut self,
        text: ScreenId,
        scrolls: &[Scroll],
        lines: usize,
        page: usize,
    ) -> usize {
        let starts = lines.saturating_sub(page) + 1;
        let mut line = self.lines.get(&text).copied().unwrap_or_default();
        for scroll in scrolls {
            if scroll.number > self.last_scroll && scroll.text == text {
                line = list::moved(scroll.action, line, starts, page).unwrap_or(line);
            }
        }
        line = line.min(starts - 1);
        self.lines.insert(text, line);
        line
    }

    /// Takes that a frame was drawn: what was asked for until now is done.
    pub(crate) fn end_frame(&mut self, scrolls: &[Scroll]) {
        if let Some(last) = scrolls.last() {
            self.last_scroll = self.last_scroll.max(last.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Action;
    use crate::tui::sight::Sight;

    fn scrolled(sight: &mut Sight, text: ScreenId, actions: &[Action]) {
        for action in actions {
            sight.scroll(text, *action);
        }
    }

    #[test]
    fn a_move_is_made_once_and_stays_inside_the_text() {
        let (mut sight, mut view) = (Sight::default(), ViewState::default());
        let text = sight.id();
        scrolled(&mut sight, text, &[Action::Down, Action::Down]);
        assert_eq!(view.first_line(text, sight.scrolls(), 10, 4), 2);
        view.end_frame(sight.scrolls());
        assert_eq!(view.first_line(text, sight.scrolls(), 10, 4), 2);
        scrolled(&mut sight, text, &[Action::Last, Action::Down, Action::Up]);
        assert_eq!(view.first_line(text, sight.scrolls(), 10, 4), 5);
    }

    #[test]
    fn a_move_is_for_the_text_that_it_was_asked_for() {
        let (mut sight, mut view) = (Sight::default(), ViewState::default());
        let (below, above) = (sight.id(), sight.id());
        scrolled(&mut sight, above, &[Action::PageDown]);
        assert_eq!(view.first_line(below, sight.scrolls(), 10, 4), 0);
        assert_eq!(view.first_line(above, sight.scrolls(), 10, 4), 4);
    }

    #[test]
    fn a_text_that_fits_now_is_shown_from_its_start() {
        let (mut sight, mut view) = (Sight::default(), ViewState::default());
        let text = sight.id();
        scrolled(&mut sight, text, &[Action::Last]);
        assert_eq!(view.first_line(text, sight.scrolls(), 10, 4), 6);
        view.end_frame(sight.scrolls());
        assert_eq!(view.first_line(text, sight.scrolls(), 10, 40), 0);
    }
}
