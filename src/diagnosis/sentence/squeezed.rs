//! A text without white space: tools wrap a sentence anywhere, and it must be found all the same.

/// A text without its white space, and where each byte stood.
pub(super) struct Squeezed<'t> {
    pub original: &'t str,
    /// In lower case, so that its phrases are found however they are written.
    pub text: String,
    places: Vec<usize>,
}

impl<'t> Squeezed<'t> {
    pub(super) fn of(original: &'t str) -> Self {
        let mut text = Vec::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len());
        for (place, byte) in original.bytes().enumerate() {
            if !byte.is_ascii_whitespace() {
                text.push(byte.to_ascii_lowercase());
                places.push(place);
            }
        }
        Self {
            original,
            // Leaving ASCII out of UTF-8 leaves UTF-8.
            text: String::from_utf8(text).unwrap_or_default(),
            places,
        }
    }

    /// Where a byte of the squeezed text stands in the original.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places.get(at).copied().unwrap_or(self.original.len())
    }

    /// The original between two bytes of the squeezed text.
    pub(super) fn between(&self, from: usize, to: usize) -> &'t str {
        let end = match to.checked_sub(1).and_then(|last| self.places.get(last)) {
            Some(last) if to > from => last + 1,
            _ => self.place(from),
        };
        let start = self.place(from);
        let mut end = end.max(start);
        while !self.original.is_char_boundary(end) {
            end += 1;
        }
        self.original.get(start..end).unwrap_or_default()
    }

    pub(super) fn rest(&self, from: usize) -> &str {
        self.text.get(from..).unwrap_or_default()
    }

    /// How many bytes of the squeezed text, from `from` on, stand in the original without white space
    /// between them.
    pub(super) fn word(&self, from: usize) -> usize {
        let start = self.place(from);
        let original = self.original.get(start..).unwrap_or_default();
        original.find(char::is_whitespace).unwrap_or(original.len())
    }
}
