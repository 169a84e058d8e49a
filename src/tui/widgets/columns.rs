//! A row of columns behind a name, for lists on screens of any width.

use super::text;

/// The columns behind a name.
pub(crate) struct Columns<const N: usize> {
    /// Their widths.
    pub(crate) widths: [usize; N],
    /// Which of them go where it is narrow, the first to go first.
    pub(crate) droppable: &'static [usize],
    /// The fewest columns of the name.
    pub(crate) name: usize,
}

impl<const N: usize> Columns<N> {
    /// A name, and as many cells behind it as there is room for.
    pub(crate) fn line(&self, name: &str, behind: &[String; N], columns: usize) -> String {
        let dropped = (0..=self.droppable.len())
            .filter_map(|count| self.droppable.get(..count))
            .find(|dropped| self.room(dropped, columns) >= self.name)
            .unwrap_or(self.droppable);
        let room = self.room(dropped, columns);
        let mut line = text::pad(name, room.max(self.name));
        for (place, (cell, width)) in behind.iter().zip(self.widths).enumerate() {
            if !dropped.contains(&place) {
                line.push_str(&text::pad(cell, width));
            }
        }
        text::fit(line.trim_end(), columns)
    }

    /// The columns that are left for the name where some are dropped.
    fn room(&self, dropped: &[usize], columns: usize) -> usize {
        let kept = self.widths.iter().enumerate();
        let kept = kept.filter(|(place, _)| !dropped.contains(place));
        let behind: usize = kept.map(|(_, width)| width).sum();
        columns.saturating_sub(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Columns<3> = Columns {
        widths: [5, 6, 4],
        droppable: &[1, 0],
        name: 4,
    };

    #[test]
    fn columns_go_one_by_one_as_it_gets_narrow_and_nothing_is_cut_before() {
        let line = |columns| TWO.line("name", &["a", "b", "c"].map(str::to_owned), columns);
        assert_eq!(line(20), "name a    b     c");
        assert_eq!(line(19), "namea    b     c");
        assert_eq!(line(18), "name     a    c");
        assert_eq!(line(12), "name    c");
        assert_eq!(line(8), "namec");
        assert_eq!(line(7), "namec");
        assert!(line(4).ends_with('…'));
    }
}
