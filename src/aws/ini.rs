//! The lines of one shared file: sections and their properties, read leniently.
//!
//! It decides as the SDK's own parser does what a line means (AWS SDKs and Tools Reference Guide,
//! "Shared config and credentials files"), with one difference: a line that the SDK gives up on is
//! noted here with its number, and the rest of the file is still read.

/// What one file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The sections in the file's order; one name may come several times.
    pub sections: Vec<Section>,
    /// The lines that cannot be read: number, from 1, and what is wrong.
    pub problems: Vec<(usize, String)>,
}

/// A section as it stands in the file.
pub(super) struct Section {
    /// What stands between the brackets.
    pub header: String,
    /// The header's line, from 1.
    pub line: usize,
    /// The properties in order, keys in lower case; nested lines are joined with line ends.
    pub properties: Vec<(String, String)>,
}

impl std::fmt::Debug for Section {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "[{}] ({} properties)",
            self.header,
            self.properties.len()
        )
    }
}

const BLANKS: [char; 2] = [' ', '\t'];
const COMMENT_SIGNS: [char; 2] = ['#', ';'];

/// Reads a file's text; never fails.
pub(super) fn read(text: &str) -> Contents {
    let mut reader = Reader::default();
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            reader.note(
                1,
                "the file begins with a byte-order mark, which AWS's SDKs cannot read; \
                 it is skipped here, save the file as UTF-8 without it",
            );
            rest
        }
        None => text,
    };
    for (index, line) in text.lines().enumerate() {
        reader.read_line(index + 1, line);
    }
    reader.contents
}

/// Whether what follows may be added to the last section.
#[derive(Default, PartialEq)]
enum State {
    /// Before the first header.
    #[default]
    Start,
    /// After a header that cannot be read: its properties belong to nobody.
    Skipping,
    /// In the last section.
    InSection,
    /// After a property of the last section, which nested lines continue.
    InProperty,
}

#[derive(Default)]
struct Reader {
    contents: Contents,
    state: State,
}

impl Reader {
    fn note(&mut self, line: usize, problem: impl Into<String>) {
        self.contents.problems.push((line, problem.into()));
    }

    fn read_line(&mut self, number: usize, line: &str) {
        let is_empty = line.trim_matches(BLANKS).is_empty();
        if is_empty || line.starts_with(COMMENT_SIGNS) {
            return;
        }
        if line.starts_with('[') {
            self.read_header(number, line);
        } else if line.starts_with(BLANKS) {
            self.read_nested(number, line);
        } else {
            self.read_property(number, line);
        }
    }

    fn read_header(&mut self, number: usize, line: &str) {
        let inner = without_comment(line, false)
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(header) = inner {
            self.contents.sections.push(Section {
                header: header.trim_matches(BLANKS).to_owned(),
                line: number,
                properties: Vec::new(),
            });
            self.state = State::InSection;
        } else {
            self.note(
                number,
                "a section's header must end with `]`; the section is skipped",
            );
            self.state = State::Skipping;
        }
    }

    fn read_nested(&mut self, number: usize, line: &str) {
        let last = match self.state {
            State::InProperty => self
                .contents
                .sections
                .last_mut()
                .and_then(|section| section.properties.last_mut()),
            State::Skipping => return,
            State::Start | State::InSection => None,
        };
        match last {
            Some((_, value)) => {
                value.push('\n');
                value.push_str(line.trim_matches(BLANKS));
            }
            None => self.note(
                number,
                "an indented line continues a setting, but none stands before it",
            ),
        }
    }

    fn read_property(&mut self, number: usize, line: &str) {
        if self.state == State::Skipping {
            return;
        }
        if self.state == State::Start {
            self.note(number, "a setting stands before the first section's header");
            return;
        }
        match without_comment(line, true).split_once('=') {
            Some((key, value)) if !key.trim_matches(BLANKS).is_empty() => {
                let key = key.trim_matches(BLANKS).to_ascii_lowercase();
                let value = value.trim_matches(BLANKS).to_owned();
                if let Some(section) = self.contents.sections.last_mut() {
                    section.properties.push((key, value));
                }
                self.state = State::InProperty;
            }
            Some(_) => self.note(number, "a setting has no name before its `=`"),
            None => self.note(number, "the line is neither `[section]` nor `name = value`"),
        }
    }
}

/// The line without its comment; in a setting a comment needs a blank before its sign.
fn without_comment(line: &str, needs_blank: bool) -> &str {
    let line = line.trim_matches(BLANKS);
    let mut follows_blank = false;
    for (index, character) in line.char_indices() {
        if COMMENT_SIGNS.contains(&character) && (follows_blank || !needs_blank) {
            return line.get(..index).unwrap_or(line).trim_matches(BLANKS);
        }
        follows_blank = character.is_whitespace();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(text: &str) -> Vec<(String, String)> {
        read(text).sections.remove(0).properties
    }

    #[test]
    fn comments_need_a_blank_only_after_a_value() {
        let read = properties("[a] # the first\nkey = v#1 ; note\n# whole line\n");
        assert_eq!(read, [("key".to_owned(), "v#1".to_owned())]);
    }

    #[test]
    fn keys_lose_their_case_and_values_keep_it() {
        assert_eq!(
            properties("[a]\nRegion=Eu\n"),
            [("region".to_owned(), "Eu".to_owned())]
        );
    }

    #[test]
    fn windows_line_ends_leave_no_trace() {
        let contents = read("[a]\r\nregion = eu-west-1\r\n");
        assert_eq!(contents.sections[0].header, "a");
        assert_eq!(contents.sections[0].properties[0].1, "eu-west-1");
        assert!(contents.problems.is_empty());
    }

    #[test]
    fn nested_lines_belong_to_the_setting_above() {
        let read = properties("[services x]\ns3 =\n  endpoint_url = http://localhost\n");
        assert_eq!(
            read,
            [(
                "s3".to_owned(),
                "\nendpoint_url = http://localhost".to_owned()
            )]
        );
    }

    #[test]
    fn a_bad_line_costs_only_itself() {
        let contents = read("[a]\nregion = x\nnonsense\noutput = json\n[b]\nregion = y\n");
        assert_eq!(contents.problems.len(), 1);
        assert_eq!(contents.problems[0].0, 3);
        assert_eq!(contents.sections.len(), 2);
        assert_eq!(contents.sections[0].properties.len(), 2);
    }

    #[test]
    fn what_follows_a_broken_header_is_not_given_to_the_section_before() {
        let contents = read("[a]\nregion = x\n[profile b\naws_access_key_id = AKIA\n  more\n");
        assert_eq!(contents.sections.len(), 1);
        assert_eq!(contents.sections[0].properties.len(), 1);
        assert_eq!(
            contents.problems,
            [(
                3,
                "a section's header must end with `]`; the section is skipped".to_owned()
            )]
        );
    }

    #[test]
    fn a_byte_order_mark_is_told_and_skipped() {
        let contents = read("\u{feff}[default]\nregion = eu-west-1\n");
        assert_eq!(contents.sections[0].header, "default");
        assert!(contents.problems[0].1.contains("byte-order mark"));
    }
}
