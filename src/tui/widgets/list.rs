//! A list with a cursor and a filter, as the model sees it; what is scrolled to is the view's.

use crate::tui::keymap::Action;

use super::entry::TextEntry;

/// A cursor in a list, and the filter over it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FilteredList {
    /// The row under the cursor, among those that the filter leaves.
    pub cursor: usize,
    /// What names must contain, while there is a filter.
    pub filter: Option<ListFilter>,
}

/// A filter over a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListFilter {
    /// The text.
    pub entry: TextEntry,
    /// Whether keys go to the text.
    pub is_typing: bool,
}

impl FilteredList {
    /// Whether keys go to the filter's text.
    pub(crate) fn is_typing(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.is_typing)
    }

    /// Opens the filter to type in.
    pub(crate) fn open_filter(&mut self) {
        self.filter.get_or_insert_default().is_typing = true;
    }

    /// Ends typing; a filter without text goes away.
    pub(crate) fn keep_filter(&mut self) {
        self.filter = self.filter.take().and_then(|filter| {
            (!filter.entry.text().is_empty()).then_some(ListFilter {
                is_typing: false,
                ..filter
            })
        });
    }

    /// Takes the filter away; the cursor goes to the first row.
    pub(crate) fn clear_filter(&mut self) {
        self.filter = None;
        self.cursor = 0;
    }

    /// Whether the filter lets a name through, capitals aside.
    pub(crate) fn lets_through(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| {
            name.to_lowercase()
                .contains(&filter.entry.text().trim().to_lowercase())
        })
    }

    /// Moves the cursor, if the action is a move; says whether it was.
    pub(crate) fn act(&mut self, action: Action, rows: usize, page: usize) -> bool {
        let Some(line) = moved(action, self.cursor, rows, page) else {
            return false;
        };
        self.cursor = line;
        true
    }
}

/// Where a move leads from a line, among so many lines, if the action is a move.
pub(crate) fn moved(action: Action, from: usize, lines: usize, page: usize) -> Option<usize> {
    let last = lines.saturating_sub(1);
    let page = page.max(1);
    let line = match action {
        Action::Up => from.saturating_sub(1),
        Action::Down => from.saturating_add(1),
        Action::PageUp => from.saturating_sub(page),
        Action::PageDown => from.saturating_add(page),
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    };
    Some(line.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_inside_the_list() {
        let mut list = FilteredList::default();
        for (action, expected) in [
            (Action::Up, 0),
            (Action::Down, 1),
            (Action::PageDown, 4),
            (Action::Down, 4),
            (Action::First, 0),
            (Action::Last, 4),
            (Action::PageUp, 1),
        ] {
            assert!(list.act(action, 5, 3));
            assert_eq!(list.cursor, expected, "{action:?}");
        }
    }

    #[test]
    fn an_empty_list_has_its_cursor_at_its_start() {
        let mut list = FilteredList::default();
        list.act(Action::Last, 0, 10);
        assert_eq!(list.cursor, 0);
    }

    #[test]
    fn a_filter_is_deaf_to_capitals() {
        let mut list = FilteredList::default();
        list.open_filter();
        for c in "ORD".chars() {
            list.filter.as_mut().unwrap().entry.insert(&c.to_string());
        }
        assert!(list.lets_through("orders-eu"));
        assert!(!list.lets_through("users"));
    }

    #[test]
    fn an_empty_filter_goes_away_when_typing_ends() {
        let mut list = FilteredList::default();
        list.open_filter();
        list.keep_filter();
        assert!(list.filter.is_none());
    }
}
