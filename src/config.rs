//! The program's own configuration: the file, the environment, the flags, and who wins.
//!
//! A flag beats a variable, a variable beats the file, the file beats the default. A mistake in the
//! file is an error, not a default in its place; and so is a file that cannot be reached, since it may
//! hold what holds the operator back. Only where there is no such file, there is no configuration.

mod finish;
mod guards;
mod prices;
mod settings;
mod template;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::de::DeTable;

pub use guards::Guards;
pub use settings::{Setting, SettingOrigin};
pub use template::TEMPLATE;

use crate::assess::cost::Prices;
use crate::aws::environment::Timeouts;
use crate::text_file;
use crate::work::{Finish, Poll};
use tableferry_policy::arn::AccountId;

/// The file below the directory of configurations.
const DEFAULT_FILE: &str = "tableferry/config.toml";

/// The variable that says where the journal is kept.
const STATE_VARIABLE: &str = "TABLEFERRY_STATE_DIR";

/// What the configuration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file that was looked for.
    pub path: PathBuf,
    /// The file's text, where it is there.
    text: Option<String>,
    /// Where the journal is kept.
    pub state_dir: PathBuf,
    is_state_dir_of_variable: bool,
    /// How often a running export is asked after.
    pub poll: Poll,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// What is done when a run ends.
    pub finish: Finish,
    /// What holds the operator back.
    pub guards: Guards,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no home directory to look in.
    #[error("there is no home directory: HOME is not set")]
    NoHome,
    /// A directory is named from wherever the program is started.
    #[error("{what} is `{}`, which is not an absolute path", path.display())]
    Relative {
        /// The variable, or the key of the file.
        what: &'static str,
        /// What it names.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the configuration {}: {cause}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file says something that is not known or not right.
    #[error("{}: {}", path.display(), mistakes.join("; "))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, each with its line.
        mistakes: Vec<String>,
    },
}

impl ConfigError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoHome => "set HOME".to_owned(),
            Self::Relative { what, .. } => format!(
                "write {what} in full, beginning with `/` (`~` stands for nothing here): otherwise each working directory has a configuration and a journal of its own"
            ),
            Self::Unreadable { .. } => {
                "nothing was started, since the file may hold what holds you back: correct the file, its owner or its permissions, or remove it where none is meant; its name comes from --config, TABLEFERRY_CONFIG or the home directory".to_owned()
            }
            Self::Unwritable { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists => {
                "it is left as it is: `tableferry config --check` checks it, and --config FILE names another".to_owned()
            }
            Self::Unwritable { .. } => "name a file that can be written by --config FILE".to_owned(),
            Self::Wrong { .. } => "every key is documented in the file that `tableferry --config FILE config --init` writes".to_owned(),
        }
    }
}

/// The file, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    state_dir: Option<PathBuf>,
    #[serde(default)]
    poll: PollFile,
    #[serde(default)]
    timeouts: TimeoutsFile,
    #[serde(default, deserialize_with = "finish::finish")]
    finish: Finish,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    accounts: BTreeMap<AccountId, guards::AccountFile>,
    #[serde(default, deserialize_with = "guards::allowed")]
    allowed: Option<guards::AllowedFile>,
    #[serde(default)]
    limits: guards::LimitsFile,
    #[serde(default, deserialize_with = "prices::prices")]
    prices: Prices,
}

#[expect(clippy::struct_field_names, reason = "the file's keys say their unit")]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PollFile {
    first_seconds: Option<u32>,
    longest_seconds: Option<u32>,
    patience_seconds: Option<u32>,
}

#[expect(clippy::struct_field_names, reason = "the file's keys say their unit")]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeoutsFile {
    connect_seconds: Option<u32>,
    read_seconds: Option<u32>,
    attempt_seconds: Option<u32>,
    operation_seconds: Option<u32>,
}

impl Config {
    /// Reads the configuration: `named` is the file that a flag names, which then must be there.
    pub fn read(
        named: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let directories = Directories { variable };
        directories.check_home()?;
        let path = match named {
            Some(path) => path.to_owned(),
            None => directories.config()?.join(DEFAULT_FILE),
        };
        let text = match named {
            Some(_) => text_file::read(&path).map(Some),
            None => text_file::read_if_present(&path),
        }
        .map_err(|cause| unreadable(&path, cause))?;
        let file = match &text {
            Some(text) => parse(&path, text)?,
            None => ConfigFile::default(),
        };
        let variable = directories.named(STATE_VARIABLE)?;
        let is_state_dir_of_variable = variable.is_some();
        let state_dir = match (variable, file.state_dir) {
            (Some(path), _) => path,
            (None, Some(path)) => absolute("state_dir", path)?,
            (None, None) => directories.state()?.join("tableferry"),
        };
        Ok(Self {
            path,
            text,
            is_state_dir_of_variable,
            state_dir,
            poll: poll(&file.poll),
            timeouts: timeouts(&file.timeouts),
            finish: file.finish,
            guards: Guards::of(
                file.read_only,
                file.accounts,
                file.allowed,
                (&file.limits, file.prices),
            ),
        })
    }

    /// Where the configuration is looked for where none is named.
    ///
    /// # Errors
    /// Where there is no home directory, or it depends on where one stands.
    pub fn default_path(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<PathBuf, ConfigError> {
        let directories = Directories { variable };
        directories.check_home()?;
        Ok(directories.config()?.join(DEFAULT_FILE))
    }

    /// The guards of a file alone, and what it has done at the end, for work that keeps no journal of its own.
    pub fn read_guards(path: &Path) -> Result<(Guards, Finish), ConfigError> {
        let file = read_file(path)?;
        let guards = Guards::of(
            file.read_only,
            file.accounts,
            file.allowed,
            (&file.limits, file.prices),
        );
        Ok((guards, file.finish))
    }
}

/// Where configuration and state belong (XDG Base Directory Specification). The specification would
/// pass over a relative path without a word, and with it the guards that lie there.
struct Directories<V> {
    variable: V,
}

impl<V: Fn(&str) -> Option<OsString>> Directories<V> {
    /// The directory that a variable names.
    fn named(&self, name: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        let path = (self.variable)(name).filter(|path| !path.is_empty());
        path.map(|path| absolute(name, path.into())).transpose()
    }

    /// Refuses a home directory that the AWS files would be looked for in from wherever one stands.
    fn check_home(&self) -> Result<(), ConfigError> {
        self.named("HOME").map(|_| ())
    }

    fn home(&self) -> Result<PathBuf, ConfigError> {
        let home = self.named("HOME")?.or_else(std::env::home_dir);
        home.filter(|home| home.is_absolute())
            .ok_or(ConfigError::NoHome)
    }

    fn config(&self) -> Result<PathBuf, ConfigError> {
        match self.named("XDG_CONFIG_HOME")? {
            Some(path) => Ok(path),
            None => Ok(self.home()?.join(".config")),
        }
    }

    fn state(&self) -> Result<PathBuf, ConfigError> {
        match self.named("XDG_STATE_HOME")? {
            Some(path) => Ok(path),
            None => Ok(self.home()?.join(".local/state")),
        }
    }
}

fn absolute(what: &'static str, path: PathBuf) -> Result<PathBuf, ConfigError> {
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(ConfigError::Relative { what, path })
    }
}

/// A pause or a limit of nothing would be a loop without a pause, or a call that always fails.
fn seconds(value: Option<u32>, default: Duration) -> Duration {
    value.map_or(default, |value| {
        Duration::from_secs(u64::from(value.max(1)))
    })
}

fn timeouts(file: &TimeoutsFile) -> Timeouts {
    let default = Timeouts::default();
    Timeouts {
        connect: seconds(file.connect_seconds, default.connect),
        read: seconds(file.read_seconds, default.read),
        attempt: seconds(file.attempt_seconds, default.attempt),
        operation: seconds(file.operation_seconds, default.operation),
    }
}

fn poll(file: &PollFile) -> Poll {
    let default = Poll::default();
    let first = seconds(file.first_seconds, default.first);
    Poll {
        first,
        longest: seconds(file.longest_seconds, default.longest).max(first),
        spacing: default.spacing,
        patience: seconds(file.patience_seconds, default.patience),
    }
}

fn read_file(path: &Path) -> Result<ConfigFile, ConfigError> {
    let text = text_file::read(path).map_err(|cause| unreadable(path, cause))?;
    parse(path, &text)
}

fn unreadable(path: &Path, cause: io::Error) -> ConfigError {
    ConfigError::Unreadable {
        path: path.to_owned(),
        cause,
    }
}

fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
    let wrong = |mistakes| ConfigError::Wrong {
        path: path.to_owned(),
        mistakes,
    };
    let table = DeTable::parse(text).map_err(|error| wrong(vec![placed(text, &error)]))?;
    let unknown = template::unknown(table.get_ref());
    if !unknown.is_empty() {
        let mistakes = unknown.iter().map(|(at, what)| at_line(text, *at, what));
        return Err(wrong(mistakes.collect()));
    }
    toml::from_str(text).map_err(|error| wrong(vec![placed(text, &error)]))
}

/// A mistake in one line, with its place.
fn placed(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', "; ");
    match error.span() {
        Some(span) => at_line(text, span.start, &message),
        None => message,
    }
}

fn at_line(text: &str, at: usize, message: &str) -> String {
    let Some(before) = text.get(..at) else {
        return message.to_owned();
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    format!("line {line}, column {column}: {message}")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn read(text: &str, state_dir: Option<&str>) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(Some(&path), |name| {
            let given = state_dir.filter(|_| name == "TABLEFERRY_STATE_DIR");
            given.map(OsString::from)
        })
    }

    /// The configuration with these variables alone, and no flag.
    fn read_with(variables: &[(&str, &OsStr)]) -> Result<Config, ConfigError> {
        Config::read(None, |name| {
            let mut found = variables.iter().filter(|(known, _)| *known == name);
            found.next().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_variable_beats_the_file() {
        let config = read("state_dir = '/file'", Some("/variable")).unwrap();
        assert_eq!(config.state_dir, Path::new("/variable"));
        let config = read("state_dir = '/file'", None).unwrap();
        assert_eq!(config.state_dir, Path::new("/file"));
    }

    /// In place of it the journal of the home directory would be taken, a second one.
    #[test]
    fn a_state_directory_that_is_not_utf_8_is_the_one_that_is_taken() {
        let directory = OsStr::from_bytes(b"/st\xe4te");
        let home = tempfile::tempdir().unwrap();
        let config = read_with(&[
            ("HOME", home.path().as_os_str()),
            ("TABLEFERRY_STATE_DIR", directory),
        ]);
        assert_eq!(config.unwrap().state_dir, Path::new(directory));
    }

    #[test]
    fn a_directory_that_depends_on_where_one_stands_is_refused_with_its_name() {
        let absolute = OsStr::new("/home/nobody");
        for name in [
            "HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "TABLEFERRY_STATE_DIR",
        ] {
            let error = read_with(&[(name, OsStr::new("~/here")), ("HOME", absolute)]).unwrap_err();
            let named = matches!(&error, ConfigError::Relative { what, .. } if *what == name);
            assert!(named, "{name}: {error}");
        }
        let error = read("state_dir = 'state'", None).unwrap_err();
        assert!(
            error.to_string().starts_with("state_dir is `state`"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error = read("\nstate_dri = '/x'", Some("/x"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("state_dri"),
            "{error}"
        );
    }

    #[test]
    fn a_pause_is_never_shorter_than_a_second_nor_longer_than_the_longest() {
        let poll = read("[poll]\nfirst_seconds = 0\nlongest_seconds = 0", Some("/x"))
            .unwrap()
            .poll;
        assert_eq!(poll.first, Duration::from_secs(1));
        assert_eq!(poll.longest, Duration::from_secs(1));
    }

    #[test]
    fn production_accounts_and_allowed_destinations_are_read() {
        let text = r#"
            read_only = true
            [accounts."111111111111"]
            name = "prod"
            production = true
            [accounts."222222222222"]
            name = "dev"
            [allowed]
            accounts = ["222222222222"]
            organization = "o-exampleorgid"
            buckets = ["export-landing"]
            largest_size = "500 GiB"
            [limits]
            largest_download = "2 TiB"
        "#;
        let guards = read(text, Some("/x")).unwrap().guards;
        assert!(guards.is_read_only);
        let production: Vec<_> = guards.production.iter().collect();
        assert_eq!(production.len(), 1, "{production:?}");
        assert_eq!(production[0].0.as_str(), "111111111111");
        assert_eq!(production[0].1, "prod");
        assert_eq!(guards.largest_download, Some(2 << 40));
        let limits = guards.limits;
        assert_eq!(limits.accounts, ["222222222222".parse().unwrap()]);
        assert_eq!(limits.organization.as_deref(), Some("o-exampleorgid"));
        assert_eq!(limits.buckets, ["export-landing".parse().unwrap()]);
        assert_eq!(limits.largest_bytes, Some(500 * 1024 * 1024 * 1024));
        assert_eq!(read("", Some("/x")).unwrap().guards, Guards::default());
    }

    #[test]
    fn a_guard_that_says_something_else_than_it_means_is_an_error() {
        for (text, word) in [
            ("[allowed]\naccounts = []", "empty list"),
            ("[allowed]\nbuckets = []", "empty list"),
            ("[allowed]\naccounts = ['prod']", "twelve digits"),
            ("[allowed]\norganization = 'exampleorgid'", "o-"),
            ("[allowed]\nlargest_size = 'huge'", "500 GiB"),
            ("[allowed]\nlargest = '1 GiB'", "largest"),
            (
                "[accounts.\"111111111111\"]\nname = ''\nproduction = true",
                "name",
            ),
            ("[accounts.\"111111111111\"]\nproduction = true", "name"),
            ("[accounts.prod]\nname = 'prod'", "twelve digits"),
        ] {
            let error = read(text, Some("/x")).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_named_file_that_is_not_there_is_an_error() {
        let error = Config::read(Some(Path::new("/nonexistent/c.toml")), |_| None).unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }));
    }

    #[test]
    fn the_file_that_documents_the_keys_changes_nothing_as_it_stands_and_is_right_where_all_are_set()
     {
        let untouched = read(TEMPLATE, Some("/x")).unwrap();
        let empty = read("", Some("/x")).unwrap();
        assert_eq!(untouched.settings(), empty.settings());
        let set = read(&template::set(), Some("/x")).unwrap();
        assert_eq!(set.guards.limits.largest_bytes, Some(500 << 30));
        assert_eq!(set.guards.largest_download, Some(2 << 40));
    }

    #[test]
    fn the_defaults_that_it_names_are_those_that_hold() {
        let set = read(&template::set(), Some("/x")).unwrap();
        let default = read("", Some("/x")).unwrap();
        assert_eq!((set.poll, set.timeouts), (default.poll, default.timeouts));
        assert_eq!(set.finish.has_bell, default.finish.has_bell);
        assert_eq!(set.finish.has_notification, default.finish.has_notification);
        assert_eq!(set.guards.is_read_only, default.guards.is_read_only);
        assert_eq!(
            set.guards.are_local_copies_forbidden,
            default.guards.are_local_copies_forbidden
        );
    }

    /// What serde lists of a table is what this program reads of it.
    #[test]
    fn every_key_that_is_read_is_documented() {
        let set = template::set();
        let documented: toml::Table = set.parse().unwrap();
        let tables = [
            ("", documented.clone()),
            ("poll", documented["poll"].as_table().unwrap().clone()),
            (
                "timeouts",
                documented["timeouts"].as_table().unwrap().clone(),
            ),
            ("allowed", documented["allowed"].as_table().unwrap().clone()),
            ("limits", documented["limits"].as_table().unwrap().clone()),
            ("finish", documented["finish"].as_table().unwrap().clone()),
            (
                "accounts.\"111111111111\"",
                documented["accounts"]["111111111111"]
                    .as_table()
                    .unwrap()
                    .clone(),
            ),
        ];
        for (section, documented) in tables {
            let header = if section.is_empty() {
                String::new()
            } else {
                format!("[{section}]\n")
            };
            let error = toml::from_str::<ConfigFile>(&format!("{header}zz = 1\n")).unwrap_err();
            let message = error.message().to_owned();
            let read: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
            assert!(!read.is_empty(), "{message}");
            let missing: Vec<_> = read
                .iter()
                .filter(|key| !documented.contains_key(**key))
                .collect();
            assert!(missing.is_empty(), "[{section}] lacks {missing:?}");
        }
    }

    #[test]
    fn every_unknown_key_is_named_with_its_line_and_the_nearest_there_is() {
        let text = "state_dri = '/x'\n[poll]\nfirst_second = 1\n[accounts.\"111111111111\"]\nname = 'a'\nprod = true\n";
        let Err(ConfigError::Wrong { mistakes, .. }) = read(text, None) else {
            panic!("it was read");
        };
        for (line, key, meant) in [
            (1, "state_dri", "state_dir"),
            (3, "first_second", "first_seconds"),
            (6, "prod", "production"),
        ] {
            let found = mistakes.iter().any(|mistake| {
                mistake.starts_with(&format!("line {line},"))
                    && mistake.contains(key)
                    && mistake.contains(&format!("did you mean `{meant}`?"))
            });
            assert!(found, "{key}: {mistakes:?}");
        }
    }

    #[test]
    fn each_setting_says_where_it_comes_from() {
        let config = read(
            "[poll]\nfirst_seconds = 7\n[accounts.\"111111111111\"]\nname = 'dev'\n",
            Some("/v"),
        );
        let settings = config.unwrap().settings();
        let of = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!(of("state_dir").origin, SettingOrigin::Variable);
        assert_eq!(of("poll.first_seconds").origin, SettingOrigin::File);
        assert_eq!(of("poll.first_seconds").value, Some(7.into()));
        assert_eq!(of("poll.longest_seconds").origin, SettingOrigin::Default);
        assert_eq!(
            of("accounts.111111111111.production").value,
            Some(false.into())
        );
        assert_eq!(of("limits.largest_download").value, None);
    }
}
