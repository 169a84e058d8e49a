//! The shared config and credentials files, merged: which sections are profiles, and what each
//! says.
//!
//! It decides as the SDK does which section names count (AWS SDKs and Tools Reference Guide,
//! "Format of the config file" and "Format of the credentials file"), and keeps those that do not,
//! with the reason, so that nobody has to wonder where a profile went.

use std::collections::{BTreeMap, HashMap};

use super::ini::{self, IniSection, Property};

/// Which of the two files a text is; their headers are written differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// `~/.aws/config`
    Config,
    /// `~/.aws/credentials`
    Credentials,
}

/// One profile, merged from all of its sections.
#[derive(Clone)]
pub(super) struct RawProfile {
    /// Its name.
    pub name: String,
    /// Its first section's place, as `file:line`.
    pub place: String,
    /// Its settings, keys in lower case.
    pub settings: BTreeMap<String, String>,
}

impl std::fmt::Debug for RawProfile {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawProfile")
            .field("name", &self.name)
            .field("settings", &self.settings.keys())
            .finish_non_exhaustive()
    }
}

/// More profiles than any real chain has; a longer one would only cost time.
pub(super) const LONGEST_CHAIN: usize = 50;

/// A section that looks like a profile and that the SDK ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredProfile {
    /// The section's name as written.
    pub name: String,
    /// Where it stands, as `file:line`.
    pub place: String,
    /// Why the SDK ignores it, and what would be right.
    pub reason: String,
}

/// The two files together.
#[derive(Debug, Default)]
pub(super) struct SharedFiles {
    /// The profiles, in the files' order.
    pub profiles: Vec<RawProfile>,
    /// The sections that the SDK ignores.
    pub ignored: Vec<IgnoredProfile>,
    /// What is wrong with a file, with its place.
    pub problems: Vec<String>,
    by_name: HashMap<String, usize>,
    sso_sessions: HashMap<String, BTreeMap<String, String>>,
    services: HashMap<String, BTreeMap<String, String>>,
}

impl SharedFiles {
    /// Adds one file's text; the config file goes first, and later settings win.
    pub(super) fn add(&mut self, kind: FileKind, file: &str, text: &str) {
        let contents = ini::read(text);
        for (line, problem) in contents.problems {
            self.problems.push(format!("{file}:{line}: {problem}"));
        }
        let has_prefixed_default = kind == FileKind::Config
            && contents
                .sections
                .iter()
                .any(|section| split_header(&section.header) == (Some("profile"), "default"));
        let mut lines = HashMap::new();
        for section in contents.sections {
            let place = format!("{file}:{}", section.line);
            if has_prefixed_default && section.header == "default" {
                let reason = "`[profile default]` stands in the same file and replaces it";
                self.ignore(&section, place, reason.to_owned());
                continue;
            }
            match classify(kind, &section.header) {
                Ok(role) => {
                    self.tell_repeated(&mut lines, file, &role, &section);
                    self.take(role, section, place);
                }
                Err(reason) => self.ignore(&section, place, reason),
            }
        }
    }

    /// Tells the settings that one file gives twice in sections of one name: the later one counts.
    fn tell_repeated(
        &mut self,
        lines: &mut HashMap<(SectionRole, String), usize>,
        file: &str,
        role: &SectionRole,
        section: &IniSection,
    ) {
        if *role == SectionRole::Other {
            return;
        }
        for property in &section.properties {
            let setting = (role.clone(), property.key.clone());
            if let Some(earlier) = lines.insert(setting, property.line) {
                self.problems.push(format!(
                    "{file}:{}: `{}` is given again for `[{}]`, and replaces the one of line {earlier}; keep one of them",
                    property.line,
                    property.key,
                    section.header,
                ));
            }
        }
    }

    fn ignore(&mut self, section: &IniSection, place: String, reason: String) {
        self.ignored.push(IgnoredProfile {
            name: section.header.clone(),
            place,
            reason,
        });
    }

    fn take(&mut self, role: SectionRole, section: IniSection, place: String) {
        let pair = |property: Property| (property.key, property.value);
        let settings = section.properties.into_iter().map(pair);
        match role {
            SectionRole::Profile(name) => {
                let index = *self.by_name.entry(name.clone()).or_insert_with(|| {
                    self.profiles.push(RawProfile {
                        name,
                        place,
                        settings: BTreeMap::new(),
                    });
                    self.profiles.len() - 1
                });
                if let Some(profile) = self.profiles.get_mut(index) {
                    profile.settings.extend(settings);
                }
            }
            SectionRole::SsoSession(name) => {
                self.sso_sessions.entry(name).or_default().extend(settings);
            }
            SectionRole::Services(name) => self.services.entry(name).or_default().extend(settings),
            SectionRole::Other => {}
        }
    }

    /// A profile by name.
    pub(super) fn profile(&self, name: &str) -> Option<&RawProfile> {
        self.by_name
            .get(name)
            .and_then(|index| self.profiles.get(*index))
    }

    /// The section that the SDK ignores and that gives this name to a profile, or to an sso-session.
    pub(super) fn ignored_section(&self, is_session: bool, name: &str) -> Option<&IgnoredProfile> {
        let bare = bare_name(name);
        self.ignored.iter().find(|ignored| {
            let is_one = matches!(split_header(&ignored.name), (Some("sso-session"), _));
            let is_other = matches!(split_header(&ignored.name), (Some("services"), _));
            !is_other && is_one == is_session && bare_name(&ignored.name) == bare
        })
    }

    /// One setting of a profile.
    pub(super) fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.profile(profile)?.settings.get(key).map(String::as_str)
    }

    /// The settings of `[sso-session NAME]`.
    pub(super) fn sso_session(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        self.sso_sessions.get(name)
    }

    /// The endpoints that `[services NAME]` sets, by service.
    pub(super) fn service_endpoints(&self, name: &str) -> BTreeMap<String, String> {
        let Some(services) = self.services.get(name) else {
            return BTreeMap::new();
        };
        services
            .iter()
            .filter_map(|(service, nested)| {
                let url = nested.lines().find_map(|line| {
                    let (key, value) = line.split_once('=')?;
                    (key.trim() == "endpoint_url").then(|| value.trim().to_owned())
                })?;
                (!url.is_empty()).then(|| (service.clone(), url))
            })
            .collect()
    }

    /// The Region of a profile, inherited from its source profile where it has none.
    pub(super) fn region_text(&self, profile: &str) -> Option<&str> {
        let mut name = profile;
        for _ in 0..LONGEST_CHAIN {
            if let Some(region) = self.setting(name, "region") {
                return Some(region);
            }
            name = self.setting(name, "source_profile")?;
        }
        None
    }
}

/// What a section is for.
#[derive(Clone, PartialEq, Eq, Hash)]
enum SectionRole {
    Profile(String),
    SsoSession(String),
    Services(String),
    /// Of another tool, and no concern of ours.
    Other,
}

fn split_header(header: &str) -> (Option<&str>, &str) {
    match header.split_once([' ', '\t']) {
        Some((prefix, name)) => (Some(prefix.trim()), name.trim()),
        None => (None, header),
    }
}

fn classify(kind: FileKind, header: &str) -> Result<SectionRole, String> {
    let (prefix, name) = split_header(header);
    match (kind, prefix) {
        (FileKind::Config, None) if name == "default" => Ok(SectionRole::Profile(name.to_owned())),
        (FileKind::Config, None) if CLI_SECTIONS.contains(&name) => Ok(SectionRole::Other),
        (FileKind::Config, None) if matches!(name, "sso-session" | "services" | "profile") => {
            Err(format!("the section has no name; write `[{name} NAME]`"))
        }
        (FileKind::Config, None) => Err(format!(
            "in the config file a profile's header is `[profile {}]`",
            usable_name(name)
        )),
        (FileKind::Config, Some(prefix)) => Ok(match prefix {
            "profile" => SectionRole::Profile(checked_name(header, name)?),
            "sso-session" => SectionRole::SsoSession(checked_name(header, name)?),
            "services" => SectionRole::Services(checked_name(header, name)?),
            // A quoted name that is no profile's for want of the prefix.
            _ if header.starts_with(QUOTES) => {
                return Err(format!(
                    "in the config file a profile's header is `[profile NAME]`, without quotes: write `[profile {}]`",
                    usable_name(header)
                ));
            }
            _ => SectionRole::Other,
        }),
        (FileKind::Credentials, Some("profile")) => Err(format!(
            "in the credentials file a profile's header is `[{name}]`, without `profile`"
        )),
        (FileKind::Credentials, _) => checked_name(header, header).map(SectionRole::Profile),
    }
}

/// The sections of the config file that the AWS CLI keeps for itself: its plugins, and the commands
/// in preview.
const CLI_SECTIONS: [&str; 2] = ["plugins", "preview"];

const QUOTES: [char; 2] = ['"', '\''];

/// The name that a section's header gives to its profile or session, without the quotes that the AWS
/// CLI takes away.
pub(super) fn bare_name(header: &str) -> &str {
    let name = match split_header(header) {
        (Some("profile" | "sso-session" | "services"), name) => name,
        _ => header,
    };
    QUOTES
        .iter()
        .find_map(|quote| name.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(name)
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c)
}

/// A name like the given one that the SDK takes.
fn usable_name(name: &str) -> String {
    let bare = bare_name(name).trim();
    let with = |c: char| {
        if is_allowed(c) {
            Some(c)
        } else {
            (c == ' ').then_some('-')
        }
    };
    let name: String = bare.chars().filter_map(with).collect();
    if name.is_empty() {
        "NAME".to_owned()
    } else {
        name
    }
}

/// Refuses names with other characters than the SDK's: `A-Z a-z 0-9 _ - / . % @ : +`.
///
/// The AWS CLI takes names in quotes, with blanks in them; the SDKs skip the section.
fn checked_name(header: &str, name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("the profile has no name".to_owned());
    }
    let Some(other) = name.chars().find(|c| !is_allowed(*c)) else {
        return Ok(name.to_owned());
    };
    let bare = bare_name(name);
    let holds_blank = bare.contains([' ', '\t']);
    let problem = match (bare != name, holds_blank) {
        (true, true) => {
            "the name is quoted and holds a blank; AWS's SDKs skip such a section, though the AWS CLI takes it"
                .to_owned()
        }
        (true, false) => {
            "the name is quoted; AWS's SDKs skip such a section, though the AWS CLI takes it".to_owned()
        }
        (false, true) => "the name holds a blank; AWS's SDKs skip such a section".to_owned(),
        (false, false) => format!(
            "the name holds `{}`; AWS's SDKs take letters, digits and _ - / . % @ : + only",
            other.escape_default()
        ),
    };
    let usable = usable_name(name);
    let right = match split_header(header)
        .0
        .filter(|prefix| matches!(*prefix, "profile" | "sso-session" | "services"))
    {
        Some(prefix) => format!("[{prefix} {usable}]"),
        None => format!("[{usable}]"),
    };
    let elsewhere = if usable == bare {
        ""
    } else {
        ", and name it so wherever it is named"
    };
    Err(format!("{problem}: write `{right}`{elsewhere}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> SharedFiles {
        let mut files = SharedFiles::default();
        files.add(FileKind::Config, "config", text);
        files
    }

    #[test]
    fn sections_of_one_name_are_one_profile_and_later_settings_win() {
        let mut files = config("[profile a]\nregion = x\noutput = json\n[profile a]\nregion = y\n");
        files.add(FileKind::Credentials, "credentials", "[a]\nregion = z\n");
        assert_eq!(files.profiles.len(), 1);
        assert_eq!(files.setting("a", "region"), Some("z"));
        assert_eq!(files.setting("a", "output"), Some("json"));
        assert_eq!(files.profile("a").unwrap().place, "config:1");
    }

    #[test]
    fn a_prefixed_default_replaces_the_bare_one() {
        let files = config("[default]\nregion = x\n[profile default]\noutput = json\n");
        assert_eq!(files.setting("default", "region"), None);
        assert_eq!(files.ignored.len(), 1);
    }

    #[test]
    fn a_missing_profile_prefix_is_told() {
        let files = config("[prod]\nregion = x\n");
        assert!(files.profiles.is_empty());
        assert_eq!(
            files.ignored[0].reason,
            "in the config file a profile's header is `[profile prod]`"
        );
        assert_eq!(files.ignored[0].place, "config:1");
    }

    #[test]
    fn a_needless_profile_prefix_in_the_credentials_file_is_told() {
        let mut files = SharedFiles::default();
        files.add(FileKind::Credentials, "credentials", "[profile prod]\n");
        assert!(files.ignored[0].reason.contains("`[prod]`"));
    }

    #[test]
    fn names_that_the_sdk_skips_are_told_with_the_reason() {
        let files =
            config("[profile my prod]\n[profile \"q\"]\n[profile prüfung]\n[profile ok-1/x@y]\n");
        let reasons: Vec<_> = files.ignored.iter().map(|i| i.reason.as_str()).collect();
        assert!(reasons[0].contains("blank"), "{reasons:?}");
        assert!(reasons[1].contains("quoted"), "{reasons:?}");
        assert!(reasons[2].contains("\\u{fc}"), "{reasons:?}");
        assert_eq!(files.profiles.len(), 1);
    }

    #[test]
    fn a_region_is_inherited_and_a_loop_ends() {
        let files = config(
            "[profile a]\nsource_profile = b\n[profile b]\nregion = eu-west-1\n\
             [profile c]\nsource_profile = d\n[profile d]\nsource_profile = c\n",
        );
        assert_eq!(files.region_text("a"), Some("eu-west-1"));
        assert_eq!(files.region_text("c"), None);
    }

    #[test]
    fn a_services_section_gives_endpoints_by_service() {
        let files = config(
            "[services local]\ns3 =\n  endpoint_url = http://localhost:1\ndynamodb =\n  endpoint_url = http://localhost:2\n  other = x\n",
        );
        let endpoints = files.service_endpoints("local");
        assert_eq!(endpoints.get("s3").unwrap(), "http://localhost:1");
        assert_eq!(endpoints.get("dynamodb").unwrap(), "http://localhost:2");
    }

    #[test]
    fn no_value_is_printed_by_accident() {
        let files = config("[profile a]\naws_secret_access_key = SECRETVALUE\n");
        assert!(!format!("{files:?}").contains("SECRETVALUE"));
    }

    #[test]
    fn a_name_that_the_sdk_skips_is_told_with_one_that_it_takes() {
        let files = config(
            "[profile \"my-mac\"]\n[profile \"My Mac\"]\n[profile 'Someone\'s Mac']\n[profile my prod]\n\
             [sso-session 'FOO BAR']\n[services \"x\"]\n[\"my mac\"]\n['mac']\n",
        );
        let right = |text: &str| {
            let ignored = files.ignored.iter().find(|ignored| ignored.name == text);
            ignored
                .unwrap_or_else(|| panic!("{:?}", files.ignored))
                .reason
                .clone()
        };
        for (header, wanted) in [
            ("profile \"my-mac\"", "write `[profile my-mac]`"),
            (
                "profile \"My Mac\"",
                "write `[profile My-Mac]`, and name it so wherever it is named",
            ),
            (
                "profile 'Someone\'s Mac'",
                "write `[profile Someones-Mac]`, and",
            ),
            (
                "profile my prod",
                "the name holds a blank; AWS's SDKs skip such a section: write `[profile my-prod]`",
            ),
            (
                "sso-session 'FOO BAR'",
                "write `[sso-session FOO-BAR]`, and name it so wherever",
            ),
            ("services \"x\"", "write `[services x]`"),
            ("\"my mac\"", "write `[profile my-mac]`"),
            ("'mac'", "`[profile mac]`"),
        ] {
            assert!(
                right(header).contains(wanted),
                "{header}: {}",
                right(header)
            );
        }
        assert!(right("sso-session 'FOO BAR'").contains("quoted and holds a blank"));
        assert!(files.profiles.is_empty());
    }

    #[test]
    fn sections_of_the_cli_itself_and_of_other_tools_draw_no_complaint() {
        let files = config(
            "[default]\nregion = x\n[plugins]\nendpoint = awscli_plugin_endpoint\ncli_legacy_plugin_path = p\n\
             [preview]\ncloudfront = true\n[services s]\n[sso-session t]\n[granted_registry_start x]\n",
        );
        assert!(files.ignored.is_empty(), "{:?}", files.ignored);
        assert!(files.problems.is_empty(), "{:?}", files.problems);
        assert_eq!(files.profiles.len(), 1);
        // In the credentials file every section is a profile.
        let mut files = SharedFiles::default();
        files.add(
            FileKind::Credentials,
            "credentials",
            "[plugins]\nregion = x\n",
        );
        assert_eq!(files.profiles.len(), 1);
    }

    #[test]
    fn a_setting_given_twice_in_one_file_is_told_with_both_lines() {
        let mut files = config(
            "[profile a]\nregion = x\noutput = json\nRegion = y\n[profile b]\nregion = x\n\
             [profile a]\noutput = text\n[sso-session a]\nregion = z\n[plugins]\np = 1\np = 2\n",
        );
        assert_eq!(
            files.problems,
            [
                "config:4: `region` is given again for `[profile a]`, and replaces the one of line 2; keep one of them",
                "config:8: `output` is given again for `[profile a]`, and replaces the one of line 3; keep one of them",
            ]
        );
        assert_eq!(files.setting("a", "region"), Some("y"));
        // The credentials file may well say anew what the config file says.
        files.add(FileKind::Credentials, "credentials", "[a]\nregion = z\n");
        assert_eq!(files.problems.len(), 2);
    }
}
