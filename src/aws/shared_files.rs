//! The shared config and credentials files, merged: which sections are profiles, and what each
//! says.
//!
//! It decides as the SDK does which section names count (AWS SDKs and Tools Reference Guide,
//! "Format of the config file" and "Format of the credentials file"), and keeps those that do not,
//! with the reason, so that nobody has to wonder where a profile went.

use std::collections::{BTreeMap, HashMap};

use super::ini::{self, Section};
use super::plain::plain;
use super::profiles::IgnoredProfile;

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
            self.problems
                .push(format!("{}:{line}: {problem}", plain(file)));
        }
        let has_prefixed_default = kind == FileKind::Config
            && contents
                .sections
                .iter()
                .any(|section| split_header(&section.header) == (Some("profile"), "default"));
        for section in contents.sections {
            let place = format!("{}:{}", plain(file), section.line);
            if has_prefixed_default && section.header == "default" {
                let reason = "`[profile default]` stands in the same file and replaces it";
                self.ignore(&section, place, reason.to_owned());
                continue;
            }
            match classify(kind, &section.header) {
                Ok(role) => self.take(role, section, place),
                Err(reason) => self.ignore(&section, place, reason),
            }
        }
    }

    fn ignore(&mut self, section: &Section, place: String, reason: String) {
        self.ignored.push(IgnoredProfile {
            name: plain(&section.header),
            place,
            reason,
        });
    }

    fn take(&mut self, role: Role, section: Section, place: String) {
        let settings = section.properties;
        match role {
            Role::Profile(name) => {
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
            Role::SsoSession(name) => self.sso_sessions.entry(name).or_default().extend(settings),
            Role::Services(name) => self.services.entry(name).or_default().extend(settings),
            Role::Other => {}
        }
    }

    /// A profile by name.
    pub(super) fn profile(&self, name: &str) -> Option<&RawProfile> {
        self.by_name
            .get(name)
            .and_then(|index| self.profiles.get(*index))
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
        for _ in 0..super::chain::LONGEST_CHAIN {
            if let Some(region) = self.setting(name, "region") {
                return Some(region);
            }
            name = self.setting(name, "source_profile")?;
        }
        None
    }
}

/// What a section is for.
enum Role {
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

fn classify(kind: FileKind, header: &str) -> Result<Role, String> {
    let (prefix, name) = split_header(header);
    match (kind, prefix) {
        (FileKind::Config, None) if name == "default" => Ok(Role::Profile(name.to_owned())),
        (FileKind::Config, None) => Err(format!(
            "in the config file a profile's header is `[profile {}]`",
            plain(name)
        )),
        (FileKind::Config, Some(prefix)) => {
            check_name(name)?;
            Ok(match prefix {
                "profile" => Role::Profile(name.to_owned()),
                "sso-session" => Role::SsoSession(name.to_owned()),
                "services" => Role::Services(name.to_owned()),
                _ => Role::Other,
            })
        }
        (FileKind::Credentials, Some("profile")) => Err(format!(
            "in the credentials file a profile's header is `[{}]`, without `profile`",
            plain(name)
        )),
        (FileKind::Credentials, _) => {
            check_name(header)?;
            Ok(Role::Profile(name.to_owned()))
        }
    }
}

/// Refuses names with other characters than the SDK's: `A-Z a-z 0-9 _ - / . % @ : +`.
fn check_name(name: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c);
    match name.chars().find(|c| !is_allowed(*c)) {
        None if name.is_empty() => Err("the profile has no name".to_owned()),
        None => Ok(()),
        Some(' ' | '\t') => Err("the name holds a blank; AWS's SDKs skip such a profile".to_owned()),
        Some('"' | '\'') => {
            Err("the name is quoted; AWS's SDKs skip such a profile: write it without quotes and blanks".to_owned())
        }
        Some(other) => Err(format!(
            "the name holds `{}`; AWS's SDKs take letters, digits and _ - / . % @ : + only",
            other.escape_default()
        )),
    }
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
}
