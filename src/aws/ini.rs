//! The lines of one shared file: sections and their properties, read leniently.
//!
//! It decides as the SDK's own parser does what a line means (AWS SDKs and Tools Reference Guide,
//! "Shared config and credentials files"), with one difference: a line that the SDK gives up on is
//! noted here with its number, and the rest of the file is still read.

/// What one file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The sections in the file's order; one name may come several times.
    pub sections: Vec<IniSection>,
    /// The lines that cannot be read: number, from 1, and what is wrong.
    pub problems: Vec<(usize, String)>,
}

/// A section as it stands in the file.
pub(super) struct IniSection {
    /// What stands between the brackets.
    pub header: String,
    /// The header's line, from 1.
    pub line: usize,
    /// The properties in order.
    pub properties: Vec<Property>,
}

/// A setting as it stands in the file.
pub(super) struct Property {
    /// Its name, in lower case.
    pub key: String,
    /// Its value; nested lines are joined with line ends.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
}

impl std::fmt::Debug for IniSection {
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
    let mut reader = IniReader::default();
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
enum SectionState {
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
struct IniReader {
    contents: Contents,
    state: SectionState,
}

impl IniReader {
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
            self.contents.sections.push(IniSection {
                header: header.trim_matches(BLANKS).to_owned(),
                line: number,
                properties: Vec::new(),
            });
            self.state = SectionState::InSection;
        } else {
            self.note(
                number,
                "a section's header must end with `]`; the section is skipped",
            );
            self.state = SectionState::Skipping;
        }
    }

    fn read_nested(&mut self, number: usize, line: &str) {
        let bare = without_comment(line, false);
        if self.state != SectionState::Skipping && bare.starts_with('[') && bare.ends_with(']') {
            self.note(
                number,
                format!(
                    "`{bare}` is indented, so it begins no section, and the settings below it belong to \
                     the section above; move it to the beginning of the line"
                ),
            );
        }
        let last = match self.state {
            SectionState::InProperty => self
                .contents
                .sections
                .last_mut()
                .and_then(|section| section.properties.last_mut()),
            SectionState::Skipping => return,
            SectionState::Start | SectionState::InSection => None,
        };
        match last {
            Some(property) => {
                property.value.push('\n');
                property.value.push_str(line.trim_matches(BLANKS));
            }
            None => self.note(
                number,
                "an indented line continues a setting, but none stands before it",
            ),
        }
    }

    fn read_property(&mut self, number: usize, line: &str) {
        if self.state == SectionState::Skipping {
            return;
        }
        if self.state == SectionState::Start {
            self.note(number, "a setting stands before the first section's header");
            return;
        }
        match without_comment(line, true).split_once('=') {
            Some((key, value)) if !key.trim_matches(BLANKS).is_empty() => {
                let key = key.trim_matches(BLANKS).to_ascii_lowercase();
                let value = value.trim_matches(BLANKS).to_owned();
                if let Some(header) = header_at_end(&value) {
                    self.note(
                        number,
                        format!(
                            "`{header}` stands behind a value, so it begins no section, and the settings \
                             below it belong to the section above; move it to a line of its own"
                        ),
                    );
                }
                if let Some(section) = self.contents.sections.last_mut() {
                    section.properties.push(Property {
                        key,
                        value,
                        line: number,
                    });
                }
                self.state = SectionState::InProperty;
            }
            Some(_) => self.note(number, "a setting has no name before its `=`"),
            None => self.note(number, "the line is neither `[section]` nor `name = value`"),
        }
    }
}

/// The section's header that a value ends with, where its line end was lost.
fn header_at_end(value: &str) -> Option<&str> {
    let start = value.rfind('[')?;
    let (before, header) = value.split_at_checked(start)?;
    let inner = header.strip_prefix('[')?.strip_suffix(']')?;
    let name = ["profile", "sso-session", "services"]
        .iter()
        .find_map(|kind| inner.strip_prefix(kind)?.strip_prefix(BLANKS))
        .unwrap_or(inner)
        .trim_matches(BLANKS);
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c);
    // Brackets that are of the value itself hold blanks, quotes and commas, or have a blank or a
    // bracket before them.
    let is_header = !name.is_empty()
        && name.chars().all(fits)
        && !before.ends_with("://")
        && before.ends_with(|c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c));
    is_header.then_some(header)
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
        let section = read(text).sections.remove(0);
        let pair = |property: Property| (property.key, property.value);
        section.properties.into_iter().map(pair).collect()
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
        assert_eq!(contents.sections[0].properties[0].value, "eu-west-1");
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

    /// The line end before a header was lost, as editors and toolkits do; or it is indented.
    #[test]
    fn a_header_that_begins_no_section_is_told_with_its_line() {
        for (text, line, named) in [
            (
                "[OLD]\nguid=1111-1111[NEW]\nregion = x\n",
                2,
                "`[NEW]` stands behind",
            ),
            (
                "[a]\nregion = eu-west-1[profile b]\n",
                2,
                "`[profile b]` stands behind",
            ),
            (
                "[a]\nkey = wJalr+/=[sso-session my-sso]\n",
                2,
                "`[sso-session my-sso]`",
            ),
            (
                "[a]\nregion = x\n  [profile b]\nregion = y\n",
                3,
                "`[profile b]` is indented",
            ),
            ("[a]\nregion = x\n\t[b] # b\n", 3, "`[b]` is indented"),
        ] {
            let problems = read(text).problems;
            assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
            assert_eq!(problems[0].0, line, "{text:?}");
            assert!(problems[0].1.contains(named), "{problems:?}");
        }
    }

    #[test]
    fn brackets_of_a_value_are_no_header() {
        for value in [
            "cmd --list [a]",
            "[a]",
            "x[1, 2]",
            "'quoted'[a]",
            "x[]",
            "[a",
            "a]",
            "https://[::1]",
            "x[a b]",
        ] {
            let problems = read(&format!("[a]\nkey = {value}\n")).problems;
            assert!(problems.is_empty(), "{value}: {problems:?}");
        }
    }
}
