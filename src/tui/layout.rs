//! Where everything lies.

use ratatui::layout::{Constraint, Layout, Rect};

/// The smallest terminal that the wizard can be used in, columns and rows.
pub const SMALLEST: (u16, u16) = (60, 16);

/// From how many columns on the steps have a column of their own.
const STEPS_FROM: u16 = 76;
const STEPS_COLUMNS: u16 = 15;

/// From how many columns on the details lie beside the step, not below it.
const BESIDE_FROM: u16 = 108;

/// How wide a popup may be: a line of this length is still read at a glance.
const POPUP_COLUMNS: u16 = 70;

/// Where everything lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Areas {
    /// The program and both accounts, two rows.
    pub header: Rect,
    /// The steps, where there is room.
    pub steps: Option<Rect>,
    /// The step itself.
    pub body: Rect,
    /// Explanation or preview, where there is room.
    pub detail: Option<Rect>,
    /// One sentence.
    pub status: Rect,
    /// The keys that mean something now.
    pub hints: Rect,
}

/// Divides the screen, for a flow of several steps or of one, and a step whose details have a place below
/// it or not; nothing if the screen is too small.
pub(crate) fn areas(screen: Rect, has_steps: bool, has_detail_below: bool) -> Option<Areas> {
    if is_too_small((screen.width, screen.height)) {
        return None;
    }
    let rows = [
        Constraint::Length(2),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [header, middle, status, hints] = Layout::vertical(rows).areas(screen);
    let (steps, rest) = if has_steps && screen.width >= STEPS_FROM {
        let columns = [Constraint::Length(STEPS_COLUMNS), Constraint::Fill(1)];
        let [steps, rest] = Layout::horizontal(columns).areas(middle);
        (Some(steps), rest)
    } else {
        (None, middle)
    };
    let (body, detail) = divide(screen, rest, has_detail_below);
    Some(Areas {
        header,
        steps,
        body,
        detail,
        status,
        hints,
    })
}

fn divide(screen: Rect, rest: Rect, has_detail_below: bool) -> (Rect, Option<Rect>) {
    if has_detail_beside(screen.width) {
        let columns = [Constraint::Fill(5), Constraint::Fill(3)];
        let [body, detail] = Layout::horizontal(columns).areas(rest);
        return (body, Some(detail));
    }
    if !has_detail_below {
        return (rest, None);
    }
    let below = if rest.height >= 18 { 9 } else { 5 };
    let [body, detail] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(rest);
    (body, Some(detail))
}

/// Whether the details of every step have a place of their own in so many columns.
pub(crate) const fn has_detail_beside(columns: u16) -> bool {
    columns >= BESIDE_FROM
}

/// Whether the terminal is too small for anything.
pub(crate) const fn is_too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

/// Where a popup of so many lines lies.
pub(crate) fn popup(screen: Rect, lines: usize) -> Rect {
    let width = screen.width.saturating_sub(4).min(POPUP_COLUMNS);
    let wanted = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    let height = wanted.min(screen.height.saturating_sub(2));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// How many columns the text of a popup has.
pub(crate) fn popup_columns(screen: Rect) -> usize {
    usize::from(
        screen
            .width
            .saturating_sub(4)
            .min(POPUP_COLUMNS)
            .saturating_sub(4),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_smallest_size_there_is_no_layout() {
        assert!(areas(Rect::new(0, 0, 59, 16), true, true).is_none());
        assert!(areas(Rect::new(0, 0, 60, 15), true, true).is_none());
        assert!(areas(Rect::new(0, 0, 60, 16), true, true).is_some());
    }

    #[test]
    fn every_part_lies_inside_the_screen_and_beside_the_others() {
        for (width, height) in [(60, 16), (80, 24), (120, 40), (300, 100)] {
            let screen = Rect::new(0, 0, width, height);
            for (has_steps, has_detail_below) in
                [(true, true), (true, false), (false, true), (false, false)]
            {
                let areas = areas(screen, has_steps, has_detail_below).unwrap();
                let parts = [
                    Some(areas.header),
                    areas.steps,
                    Some(areas.body),
                    areas.detail,
                ];
                let parts: Vec<Rect> = parts.into_iter().flatten().collect();
                for (index, part) in parts.iter().enumerate() {
                    assert_eq!(part.intersection(screen), *part);
                    for other in &parts[index + 1..] {
                        assert!(!part.intersects(*other), "{width}×{height}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_popup_never_leaves_the_screen() {
        let screen = Rect::new(0, 0, 60, 16);
        let area = popup(screen, 500);
        assert_eq!(area.intersection(screen), area);
    }
}
