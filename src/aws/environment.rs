//! What the AWS tools take from outside: the shared files, the `AWS_…` variables, the HTTP client.
//!
//! The outside is looked at once and kept, so that a session is the profile's own whatever happens
//! to the process's environment later, and so that tests and the sandbox can hand in another one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
pub use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::profiles::{self, Profiles};
use super::shared_files::{FileKind, SharedFiles};
use super::trust;
use crate::regular_file;

/// The most bytes that a shared file may have: ten thousand profiles have some two million.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// How long a call may take; the SDK's own defaults let a silent server hang a caller for minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the first byte of an answer.
    pub read: Duration,
    /// One attempt altogether.
    pub attempt: Duration,
    /// All attempts of a call together, the waits between them included.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(10),
            attempt: Duration::from_secs(15),
            operation: Duration::from_secs(40),
        }
    }
}

/// Where the shared files' texts come from.
#[derive(Clone)]
enum Files {
    OnDisk {
        config: Option<PathBuf>,
        credentials: Option<PathBuf>,
    },
    InMemory {
        config: String,
        credentials: String,
    },
}

impl Files {
    /// The files that variables point to.
    fn named_by(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        Self::OnDisk {
            config: file_path(&variable, "AWS_CONFIG_FILE", "config"),
            credentials: file_path(&variable, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        }
    }
}

/// A file of certificates whose authorities are trusted in place of the system's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaBundle {
    /// The file.
    pub path: PathBuf,
    /// The variable or setting that names it.
    pub named_by: &'static str,
    /// Why it cannot be used; `None` where it can.
    pub problem: Option<String>,
}

/// The clients for AWS's hosts and for endpoints on this machine.
#[derive(Debug, Clone)]
struct Clients {
    http: SharedHttpClient,
    loopback: SharedHttpClient,
}

/// A snapshot of the outside, taken once, so that tests and the sandbox can hand in their own.
#[derive(Clone)]
pub struct Environment {
    pub(super) variables: BTreeMap<String, String>,
    /// For AWS's hosts: through a proxy where the process's variables name one.
    pub(super) http_client: SharedHttpClient,
    /// For endpoints on this machine, which no proxy can reach.
    pub(super) loopback_client: SharedHttpClient,
    /// Whether the clients were handed in, and trust whatever they trust.
    has_own_client: bool,
    /// The clients for each certificate bundle, so that both sides share theirs.
    by_bundle: Arc<Mutex<BTreeMap<PathBuf, Clients>>>,
    pub(super) timeouts: Timeouts,
    /// Whether the sessions are to change nothing.
    pub(super) is_read_only: bool,
    files: Files,
}

impl fmt::Debug for Environment {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Environment");
        shown
            .field("variables", &self.variables.keys())
            .field("timeouts", &self.timeouts);
        match &self.files {
            Files::OnDisk {
                config,
                credentials,
            } => shown
                .field("config", config)
                .field("credentials", credentials),
            Files::InMemory { .. } => shown.field("files", &"in memory"),
        }
        .finish_non_exhaustive()
    }
}

impl Environment {
    /// The process's own: its variables as they are now, and the files that they or the home
    /// directory point to.
    pub fn from_process() -> Self {
        let wanted = |name: &str| {
            name.starts_with("AWS_")
                || [
                    "HOME",
                    "USERPROFILE",
                    "USER",
                    "LOGNAME",
                    "USERNAME",
                    "SSL_CERT_FILE",
                    "SSL_CERT_DIR",
                ]
                .contains(&name)
        };
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| wanted(name))?;
            // What is not UTF-8 is wrong for AWS too, and wrong words are told; left out, they would
            // be as good as not set. Paths are taken as they are.
            Some((name, value.to_string_lossy().into_owned()))
        });
        let mut environment = Self::from_variables(variables);
        environment.files = Files::named_by(|name| std::env::var_os(name));
        environment
    }

    /// One with these variables in place of the process's; the files are where they point.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let files = Files::named_by(|name| variables.get(name).map(OsString::from));
        Self {
            variables,
            http_client: shared_client(ProxyConfig::from_env, None),
            loopback_client: shared_client(ProxyConfig::disabled, None),
            has_own_client: false,
            by_bundle: Arc::default(),
            timeouts: Timeouts::default(),
            is_read_only: false,
            files,
        }
    }

    /// One that reads no disk and no variable: the files' texts and the HTTP client are given.
    pub fn in_memory(config: String, credentials: String, http: SharedHttpClient) -> Self {
        Self {
            variables: BTreeMap::new(),
            http_client: http.clone(),
            loopback_client: http,
            has_own_client: true,
            by_bundle: Arc::default(),
            timeouts: Timeouts::default(),
            is_read_only: false,
            files: Files::InMemory {
                config,
                credentials,
            },
        }
    }

    /// The same with other timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same, with every session unable to change anything: such calls are never built.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// Whether its sessions can change nothing.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The same with calls sent through this HTTP client.
    #[must_use]
    pub fn with_http_client(mut self, http: SharedHttpClient) -> Self {
        self.http_client = http.clone();
        self.loopback_client = http;
        self.has_own_client = true;
        self
    }

    /// The same with clients that take the word of a bundle's authorities alone.
    pub(super) fn trusting(&self, bundle: &Path) -> Result<Self, String> {
        let mut environment = self.clone();
        let mut known = self
            .by_bundle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let clients = match known.get(bundle) {
            Some(clients) => clients,
            None => known.entry(bundle.to_owned()).or_insert({
                let trust = trust::read_bundle(bundle)?;
                Clients {
                    http: shared_client(ProxyConfig::from_env, Some(trust.clone())),
                    loopback: shared_client(ProxyConfig::disabled, Some(trust)),
                }
            }),
        };
        if !self.has_own_client {
            environment.http_client = clients.http.clone();
            environment.loopback_client = clients.loopback.clone();
        }
        Ok(environment)
    }

    /// The certificate bundle that holds for a profile, and what names it: the variable goes before the
    /// profile's setting (AWS SDKs and Tools Reference Guide, "General configuration settings").
    pub(super) fn ca_bundle(
        &self,
        files: &SharedFiles,
        profile: &str,
    ) -> Option<(PathBuf, &'static str)> {
        let of_profile = || {
            let path = files.setting(profile, "ca_bundle")?;
            (!path.is_empty()).then_some((path, "ca_bundle"))
        };
        let of_variable = self
            .variable("AWS_CA_BUNDLE")
            .map(|path| (path, "AWS_CA_BUNDLE"));
        let (path, named_by) = of_variable.or_else(of_profile)?;
        let home = self.variable("HOME").map(Path::new);
        let path = match (Path::new(path).strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        Some((path, named_by))
    }

    /// The bundles that a variable or a profile names, each once, with what is wrong with it.
    #[must_use]
    pub fn ca_bundles(&self) -> Vec<CaBundle> {
        let files = self.shared_files();
        let mut found: Vec<CaBundle> = Vec::new();
        for profile in &files.profiles {
            let Some((path, named_by)) = self.ca_bundle(&files, &profile.name) else {
                continue;
            };
            if !found.iter().any(|known| known.path == path) {
                let problem = trust::read_bundle(&path).err();
                found.push(CaBundle {
                    path,
                    named_by,
                    problem,
                });
            }
        }
        found
    }

    /// Where the shared files are looked for: what each is called, and its path. None in memory.
    #[must_use]
    pub fn file_paths(&self) -> Vec<(&'static str, PathBuf)> {
        match &self.files {
            Files::InMemory { .. } => Vec::new(),
            Files::OnDisk {
                config,
                credentials,
            } => {
                let config = config.clone().map(|path| ("config", path));
                let credentials = credentials.clone().map(|path| ("credentials", path));
                config.into_iter().chain(credentials).collect()
            }
        }
    }

    /// The profiles of the shared files. It never fails: what is wrong with the files is among the
    /// answer's problems.
    pub fn profiles(&self) -> Profiles {
        profiles::list(self.shared_files(), &self.variables)
    }

    /// Whether nothing outside the process may be touched.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.files, Files::InMemory { .. })
    }

    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Reads both files anew, since a sign-in elsewhere may have changed them.
    pub(super) fn shared_files(&self) -> SharedFiles {
        let mut files = SharedFiles::default();
        match &self.files {
            Files::InMemory {
                config,
                credentials,
            } => {
                files.add(FileKind::Config, "config", config);
                files.add(FileKind::Credentials, "credentials", credentials);
            }
            Files::OnDisk {
                config,
                credentials,
            } => {
                let is_named = |variable| self.variable(variable).is_some();
                if config.is_none() && credentials.is_none() {
                    files.problems.push(
                        "HOME is not set, so that there is no directory ~/.aws to look in: set \
                         HOME, or name the files with AWS_CONFIG_FILE and \
                         AWS_SHARED_CREDENTIALS_FILE"
                            .to_owned(),
                    );
                }
                let paths = [
                    (FileKind::Config, config, "AWS_CONFIG_FILE"),
                    (
                        FileKind::Credentials,
                        credentials,
                        "AWS_SHARED_CREDENTIALS_FILE",
                    ),
                ];
                for (kind, path, variable) in paths {
                    if let Some(path) = path {
                        read_file(
                            &mut files,
                            kind,
                            path,
                            is_named(variable).then_some(variable),
                        );
                    }
                }
            }
        }
        files
    }
}

/// The SDK's own HTTP client, made once: the clients of all services and of both sides then share
/// its trust store and its connections. It reads nothing before its first call.
fn shared_client(proxy: fn() -> ProxyConfig, trust: Option<TlsContext>) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .proxy_config(proxy());
        if let Some(trust) = &trust {
            connector = connector.tls_context(trust.clone());
        }
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

/// Adds a file's text, or the problem that kept it from being read; a missing file is a problem
/// only where a variable names it.
fn read_file(files: &mut SharedFiles, kind: FileKind, path: &Path, named_by: Option<&str>) {
    let label = path.display().to_string();
    let mut problem = |text: String| {
        let problem = format!("{label}: {text}");
        files.problems.push(problem);
    };
    let bytes = match regular_file::read_if_present(path, LARGEST_FILE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            if let Some(variable) = named_by {
                problem(format!("{variable} names this file, which does not exist"));
            }
            return;
        }
        Err(error) => {
            problem(format!("the file cannot be read: {error}"));
            return;
        }
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        problem("the file is UTF-16; save it as UTF-8".to_owned());
        return;
    }
    let text = String::from_utf8_lossy(&bytes);
    if let Err(error) = std::str::from_utf8(&bytes) {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        problem(format!(
            "line {line} is not UTF-8, for which AWS's SDKs drop the whole file"
        ));
    }
    files.add(kind, &label, &text);
}

fn file_path(
    variable: &impl Fn(&str) -> Option<OsString>,
    name: &str,
    default_name: &str,
) -> Option<PathBuf> {
    let named = |name| variable(name).filter(|path| !path.is_empty());
    let home = ["HOME", "USERPROFILE"]
        .into_iter()
        .find_map(named)
        .map(PathBuf::from);
    match named(name).map(PathBuf::from) {
        Some(path) => match (path.strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => Some(home.join(rest)),
            _ => Some(path),
        },
        None => Some(home?.join(".aws").join(default_name)),
    }
}
