//! Control policies that were handed in as files, for accounts that Organizations does not answer.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::assess::facts::{ControlLevel, Fact, Facts, PolicyText};
use crate::job::requirement::Actor;
use crate::text_file;
use tableferry_policy::document::StatementEffect;
use tableferry_policy::policy::Policy;

/// The policy that AWS attaches to the root, every unit and every account at the beginning.
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
/// The same for resource control policies; it cannot be detached.
const FULL_RESOURCE_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// A policy of the organization in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlFile {
    /// The file, as it was named.
    pub name: String,
    /// The document.
    pub document: Policy,
}

/// Why a file holds no control policy.
#[derive(Debug, thiserror::Error)]
pub enum ControlFileError {
    /// It cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It is no policy document.
    #[error("{} is no policy document: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl ControlFile {
    /// Reads a file that holds one policy document.
    pub fn read(path: &Path) -> Result<Self, ControlFileError> {
        let document = text_file::read(path).map_err(|cause| ControlFileError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        let document = Policy::from(document);
        if let Err(error) = document.document() {
            return Err(ControlFileError::Malformed {
                path: path.to_owned(),
                problem: error.to_string(),
            });
        }
        Ok(Self {
            name: path.display().to_string(),
            document,
        })
    }
}

/// Policies of the organization that were handed in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlDocuments {
    /// Service control policies over the source's account.
    pub service: Vec<ControlFile>,
    /// Resource control policies over the destination's account.
    pub resource: Vec<ControlFile>,
}

impl ControlDocuments {
    /// Puts them in the place of what Organizations told, or did not tell.
    ///
    /// All of them count as one level. Where none of them allows anything, they can only be meant
    /// beside the policy of full access that AWS attaches ("SCP evaluation", Organizations user
    /// guide): without it nothing at all could be done in the account.
    pub fn put_into(&self, facts: &mut Facts) {
        if let Some(level) = level(&self.service, "FullAWSAccess", FULL_ACCESS, has_no_allow) {
            facts.account_of_mut(Actor::Exporter).service_control =
                Fact::known(vec![level], Timestamp::now(), "--scp");
        }
        let always = |_: &[ControlFile]| true;
        let level = level(
            &self.resource,
            "RCPFullAWSAccess",
            FULL_RESOURCE_ACCESS,
            always,
        );
        if let (Some(level), Some(_)) = (level, facts.destination()) {
            facts.account_of_mut(Actor::Reader).resource_control =
                Fact::known(vec![level], Timestamp::now(), "--rcp");
        }
    }
}

fn level(
    files: &[ControlFile],
    full_name: &str,
    full: &str,
    needs_full: impl Fn(&[ControlFile]) -> bool,
) -> Option<ControlLevel> {
    if files.is_empty() {
        return None;
    }
    let mut policies: Vec<PolicyText> = files
        .iter()
        .map(|file| PolicyText {
            name: file.name.clone(),
            document: file.document.clone(),
        })
        .collect();
    if needs_full(files) {
        policies.push(PolicyText {
            name: full_name.to_owned(),
            document: full.into(),
        });
    }
    Some(ControlLevel {
        target: "the files given".to_owned(),
        policies,
        unread: Vec::new(),
    })
}

fn has_no_allow(files: &[ControlFile]) -> bool {
    !files.iter().any(|file| {
        file.document.document().is_ok_and(|document| {
            document
                .statements()
                .iter()
                .any(|statement| statement.effect == StatementEffect::Allow)
        })
    })
}
