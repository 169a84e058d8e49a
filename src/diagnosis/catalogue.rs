//! The catalogue of causes: data in `assets/causes`, an entry a cause.
//!
//! It decides which entries belong to an error, by code, words, action, policy and circumstances. An entry
//! without an example that it explains and one that it does not explain is not loaded.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::circumstance::{Circumstance, Circumstances};
use super::reported::{ReportedError, Stated, squeeze};
use tableferry_policy::evaluate::NamedPolicy;

/// What an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// A policy refuses, or none allows.
    Permission,
    /// Credentials, sessions, clocks.
    SignIn,
    /// A setting of a resource refuses.
    Setting,
    /// What was named does not exist.
    Missing,
    /// The request is wrong.
    Request,
    /// It exists, is in use, or changed.
    Conflict,
    /// A quota is used up.
    Limit,
    /// Too many calls.
    Throttling,
    /// The way to AWS.
    Network,
    /// Certificates.
    Tls,
    /// AWS's own fault.
    Service,
    /// Another system than AWS.
    Elsewhere,
    /// The program that called.
    Program,
}

impl ErrorClass {
    /// Whether AWS refused: by a policy, by a setting, or because it did not take the credentials.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Permission | Self::SignIn | Self::Setting)
    }

    /// Whether such words are an error of AWS's; the others are looked for only where nothing else is.
    pub(super) const fn is_of_aws(self) -> bool {
        !matches!(self, Self::Elsewhere | Self::Program)
    }

    /// The class in a word or two.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::SignIn => "sign-in",
            Self::Setting => "setting",
            Self::Missing => "missing",
            Self::Request => "request",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::Throttling => "throttling",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::Service => "service",
            Self::Elsewhere => "elsewhere",
            Self::Program => "program",
        }
    }
}

/// How sure a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It explains the error as others do.
    Possible,
    /// Facts speak for it, and others are not excluded.
    Likely,
    /// AWS's words or a fact exclude every other.
    TheCause,
}

impl Certainty {
    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TheCause => "the cause",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// What the text states, as the catalogue names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StatedKind {
    NoAllow,
    Deny,
    KeyNotReachable,
    Setting,
    Unstated,
    Bare,
    Worded,
    NotDenied,
}

impl StatedKind {
    const fn of(stated: &Stated) -> Self {
        match stated {
            Stated::NoAllow(_) => Self::NoAllow,
            Stated::Deny(_) => Self::Deny,
            Stated::KeyNotReachable => Self::KeyNotReachable,
            Stated::Setting(_) => Self::Setting,
            Stated::Unstated => Self::Unstated,
            Stated::Bare => Self::Bare,
            Stated::Worded => Self::Worded,
            Stated::NotDenied => Self::NotDenied,
        }
    }
}

/// Conditions that must all hold; `-` in a list stands for a value that is not there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseCondition {
    certainty: Certainty,
    #[serde(default)]
    rank: u8,
    #[serde(default)]
    code: Vec<String>,
    #[serde(default)]
    text: Vec<String>,
    #[serde(default)]
    not_text: Vec<String>,
    #[serde(default)]
    stated: Vec<StatedKind>,
    #[serde(default)]
    policy: Vec<String>,
    #[serde(default)]
    service: Vec<String>,
    #[serde(default)]
    action: Vec<String>,
    #[serde(default)]
    operation: Vec<String>,
    #[serde(default)]
    given: Vec<Circumstance>,
    #[serde(default)]
    unless: Vec<Circumstance>,
}

/// A cause: what it means, what confirms it, what to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The name by which programs know it.
    pub id: String,
    /// What an error with this cause is.
    pub class: ErrorClass,
    /// The claim. `{action}` and its like stand for what the error names.
    pub title: String,
    /// What that means.
    pub means: String,
    /// What to do.
    pub fix: String,
    /// What settles whether it holds.
    pub look: String,
    /// Pages and threads that say so.
    pub sources: Vec<String>,
    #[serde(default)]
    confirmed_by: Vec<Circumstance>,
    #[serde(default)]
    excluded_by: Vec<Circumstance>,
    when: Vec<CauseCondition>,
    /// Texts that it explains.
    pub positive: Vec<String>,
    /// Texts that it does not explain.
    pub negative: Vec<String>,
}

/// How a cause belongs to an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CauseMatch {
    pub certainty: Certainty,
    pub rank: u8,
    /// By words that nothing else says.
    pub is_by_text: bool,
    /// By the code.
    pub is_by_code: bool,
}

/// All causes.
#[derive(Debug)]
pub struct Catalogue {
    causes: Vec<Cause>,
}

#[derive(Deserialize)]
struct CatalogueFile {
    cause: Vec<Cause>,
}

const FILES: [&str; 6] = [
    include_str!("../../assets/causes/policies.toml"),
    include_str!("../../assets/causes/settings.toml"),
    include_str!("../../assets/causes/keys.toml"),
    include_str!("../../assets/causes/export.toml"),
    include_str!("../../assets/causes/sign_in.toml"),
    include_str!("../../assets/causes/other.toml"),
];

impl Catalogue {
    /// The catalogue that the program carries.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
            // A test loads every file, so that none is left out here.
            let files = FILES.iter().filter_map(|file| Catalogue::load(file).ok());
            Catalogue {
                causes: files.flat_map(|catalogue| catalogue.causes).collect(),
            }
        });
        &CATALOGUE
    }

    /// Loads a file of causes.
    ///
    /// # Errors
    /// Where it cannot be read, or an entry has no positive or no negative example, no source or no
    /// condition, or an id is given twice.
    pub fn load(text: &str) -> Result<Self, String> {
        let file: CatalogueFile = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut ids = BTreeSet::new();
        let mut causes = file.cause;
        for cause in &mut causes {
            let id = &cause.id;
            if !ids.insert(id.clone()) {
                return Err(format!("{id}: this id is given twice"));
            }
            let lists = [
                ("positive example", cause.positive.is_empty()),
                ("negative example", cause.negative.is_empty()),
                ("source", cause.sources.is_empty()),
                ("condition", cause.when.is_empty()),
            ];
            if let Some((missing, _)) = lists.iter().find(|(_, is_empty)| *is_empty) {
                return Err(format!("{id}: it has no {missing}"));
            }
            for condition in &mut cause.when {
                if condition.is_empty() {
                    return Err(format!("{id}: a condition holds for everything"));
                }
                condition.squeeze();
            }
        }
        Ok(Self { causes })
    }

    /// Every cause.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }
}

impl CauseCondition {
    fn is_empty(&self) -> bool {
        self.code.is_empty()
            && self.text.is_empty()
            && self.stated.is_empty()
            && self.action.is_empty()
    }

    /// Words are compared in lower case and without white space, since tools wrap them.
    fn squeeze(&mut self) {
        for text in self.text.iter_mut().chain(&mut self.not_text) {
            *text = squeeze(text);
        }
    }

    fn holds(&self, error: &ReportedError, words: &str, circumstances: &Circumstances) -> bool {
        let is_listed = |list: &[String], value: Option<&str>| {
            list.is_empty()
                || list.iter().any(|pattern| match value {
                    Some(value) => matches_pattern(pattern, value),
                    None => pattern == "-",
                })
        };
        let policy = match error.stated {
            Stated::NoAllow(kind) | Stated::Deny(Some(kind)) => Some(NamedPolicy::as_str(kind)),
            _ => None,
        };
        (self.stated.is_empty() || self.stated.contains(&StatedKind::of(&error.stated)))
            && is_listed(&self.code, error.code.as_deref())
            && is_listed(&self.policy, policy)
            && is_listed(&self.service, error.service().as_deref())
            && is_listed(&self.action, error.action.as_deref())
            && is_listed(&self.operation, error.operation.as_deref())
            && self.given.iter().all(|wanted| circumstances.holds(*wanted))
            && !self
                .unless
                .iter()
                .any(|unwanted| circumstances.holds(*unwanted))
            && self.text_holds(words)
    }

    /// Whether all pieces stand there, in their order, and none that must not.
    fn text_holds(&self, words: &str) -> bool {
        let mut rest = words;
        for piece in &self.text {
            match rest.split_once(piece.as_str()) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        !self
            .not_text
            .iter()
            .any(|piece| words.contains(piece.as_str()))
    }
}

/// Whether a value is the pattern, which may have one `*`.
fn matches_pattern(pattern: &str, value: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(value),
        Some((head, tail)) => {
            value.len() >= head.len() + tail.len()
                && value.starts_with(head)
                && value.ends_with(tail)
        }
    }
}

impl Cause {
    /// How it belongs to an error: by the surest of its conditions that hold.
    pub(super) fn matching(
        &self,
        error: &ReportedError,
        words: &str,
        circumstances: &Circumstances,
    ) -> Option<CauseMatch> {
        self.when
            .iter()
            .filter(|condition| condition.holds(error, words, circumstances))
            .max_by_key(|condition| (condition.certainty, condition.rank))
            .map(|condition| CauseMatch {
                certainty: condition.certainty,
                rank: condition.rank,
                is_by_text: !condition.text.is_empty(),
                is_by_code: !condition.code.is_empty(),
            })
    }

    /// The circumstance that confirms it, where one is known.
    pub(super) fn confirmation(&self, circumstances: &Circumstances) -> Option<Circumstance> {
        let mut known = self.confirmed_by.iter();
        known.find(|known| circumstances.holds(**known)).copied()
    }

    /// The circumstance that excludes it, where one is known.
    pub(super) fn exclusion(&self, circumstances: &Circumstances) -> Option<Circumstance> {
        let mut known = self.excluded_by.iter();
        known.find(|known| circumstances.holds(**known)).copied()
    }
}
