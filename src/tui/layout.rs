//! Where everything lies: one function for drawing and for paging.

use ratatui::layout::{Constraint, Layout, Rect};

use super::model::Model;
use super::steps::Step;
use super::steps::access::Tab;

/// The smallest terminal that the wizard can be used in, columns and rows.
pub const SMALLEST: (u16, u16) = (60, 16);

/// From how many columns on the steps have a column of their own.
const STEPS_FROM: u16 = 76;
const STEPS_COLUMNS: u16 = 15;

/// From how many columns on the details lie beside the step, not below it.
const BESIDE_FROM: u16 = 108;

/// How wide a popup may be: a line of this length is still read at a glance.
const POPUP_COLUMNS: u16 = 70;

/// The rows of a side's box below its profiles.
pub(crate) const PROOF_ROWS: u16 = 6;

/// The rows above a policy's text.
pub(crate) const ACCESS_HEAD: u16 = 4;

/// The rows above the checks: the tabs, and what all checks come to.
const CHECKS_HEAD: u16 = 2;

/// From how many rows on the checks have their details below them.
const CHECKS_DETAIL_FROM: u16 = 14;

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

/// Divides the screen; nothing if it is too small.
pub(crate) fn areas(screen: Rect, step: Step) -> Option<Areas> {
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
    let (steps, rest) = if screen.width >= STEPS_FROM {
        let columns = [Constraint::Length(STEPS_COLUMNS), Constraint::Fill(1)];
        let [steps, rest] = Layout::horizontal(columns).areas(middle);
        (Some(steps), rest)
    } else {
        (None, middle)
    };
    let (body, detail) = divide(screen, rest, step);
    Some(Areas {
        header,
        steps,
        body,
        detail,
        status,
        hints,
    })
}

fn divide(screen: Rect, rest: Rect, step: Step) -> (Rect, Option<Rect>) {
    if screen.width >= BESIDE_FROM {
        let columns = [Constraint::Fill(5), Constraint::Fill(3)];
        let [body, detail] = Layout::horizontal(columns).areas(rest);
        return (body, Some(detail));
    }
    let has_room_below = matches!(step, Step::Tables | Step::Destination | Step::Encryption);
    if !has_room_below {
        return (rest, None);
    }
    let below = if rest.height >= 18 { 9 } else { 5 };
    let [body, detail] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(rest);
    (body, Some(detail))
}

fn of(model: &Model) -> Option<Areas> {
    areas(Rect::new(0, 0, model.size.0, model.size.1), model.step)
}

fn body(model: &Model) -> Rect {
    of(model).map_or(Rect::new(0, 0, SMALLEST.0, SMALLEST.1), |areas| areas.body)
}

/// Whether the details have a place of their own.
pub(crate) fn has_detail(model: &Model) -> bool {
    of(model).is_some_and(|areas| areas.detail.is_some())
}

/// Whether the terminal is too small for anything.
pub(crate) fn is_too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

/// How many lines of the step's list or text are in sight.
pub(crate) fn page(model: &Model) -> usize {
    let body = body(model);
    let around = match model.step {
        Step::Accounts => 2 + PROOF_ROWS,
        Step::Tables => 3,
        Step::Destination => 5,
        Step::Access if model.access.tab == Tab::Checks => {
            let inside = Rect {
                height: body.height.saturating_sub(2),
                ..body
            };
            return usize::from(checks(inside, has_detail(model)).list.height.max(1));
        }
        Step::Access => 2 + ACCESS_HEAD,
        Step::Encryption | Step::Review | Step::Progress => 2,
    };
    usize::from(body.height.saturating_sub(around).max(1))
}

/// Where the parts of the checks lie.
pub(crate) struct Checks {
    /// The tabs, and what all come to.
    pub head: Rect,
    /// The rows.
    pub list: Rect,
    /// All about the row under the cursor, where it has no place elsewhere and there is room.
    pub detail: Option<Rect>,
}

/// Divides the place of the checks; `is_told_beside` where the details have a place of their own.
pub(crate) fn checks(inside: Rect, is_told_beside: bool) -> Checks {
    let below = if is_told_beside || inside.height < CHECKS_DETAIL_FROM {
        0
    } else {
        inside.height / 2
    };
    let rows = [
        Constraint::Length(CHECKS_HEAD),
        Constraint::Fill(1),
        Constraint::Length(below),
    ];
    let [head, list, detail] = Layout::vertical(rows).areas(inside);
    Checks {
        head,
        list,
        detail: (below > 0).then_some(detail),
    }
}

/// How many columns the step's text has.
pub(crate) fn text_columns(model: &Model) -> usize {
    usize::from(body(model).width.saturating_sub(4))
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
pub(crate) fn popup_columns(size: (u16, u16)) -> usize {
    usize::from(
        size.0
            .saturating_sub(4)
            .min(POPUP_COLUMNS)
            .saturating_sub(4),
    )
}

/// How many lines the tallest popup has.
pub(crate) fn popup_page(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(4).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_smallest_size_there_is_no_layout() {
        assert!(areas(Rect::new(0, 0, 59, 16), Step::Tables).is_none());
        assert!(areas(Rect::new(0, 0, 60, 15), Step::Tables).is_none());
        assert!(areas(Rect::new(0, 0, 60, 16), Step::Tables).is_some());
    }

    #[test]
    fn every_part_lies_inside_the_screen_and_beside_the_others() {
        for (width, height) in [(60, 16), (80, 24), (120, 40), (300, 100)] {
            let screen = Rect::new(0, 0, width, height);
            for step in Step::ALL {
                let areas = areas(screen, step).unwrap();
                let parts = [
                    Some(areas.header),
                    areas.steps,
                    Some(areas.body),
                    areas.detail,
                ];
                let parts: Vec<Rect> = parts.into_iter().flatten().collect();
                for (index, part) in parts.iter().enumerate() {
                    assert_eq!(part.intersection(screen), *part, "{step:?}");
                    for other in &parts[index + 1..] {
                        assert!(!part.intersects(*other), "{step:?} {width}×{height}");
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
