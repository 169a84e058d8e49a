//! The texts of policies, as they are written: which one was written last, and which one decides while a
//! change spreads.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A policy document's text; in the asset it stands as JSON, in a state file as a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct PolicyText(pub String);

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            document => serde_json::to_string_pretty(&document)
                .map(Self)
                .map_err(serde::de::Error::custom),
        }
    }
}

/// A policy that can be written, and what still holds in its place while a change spreads.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Edited {
    /// What was written last.
    pub current: Option<PolicyText>,
    /// What decides until the time given, while the change spreads.
    #[serde(default)]
    pub lingering: Option<(Timestamp, Option<PolicyText>)>,
}

impl Edited {
    /// Writes a policy (or takes it away) that takes `delay` to hold.
    pub(super) fn write(
        &mut self,
        policy: Option<String>,
        now: Timestamp,
        delay: std::time::Duration,
    ) {
        let held = self.in_force(now).cloned();
        self.current = policy.map(PolicyText);
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::ZERO);
        self.lingering = (!delay.is_zero())
            .then(|| now.checked_add(delay).ok())
            .flatten()
            .map(|until| (until, held));
    }

    /// What decides at a time.
    pub(super) fn in_force(&self, now: Timestamp) -> Option<&PolicyText> {
        match &self.lingering {
            Some((until, held)) if now < *until => held.as_ref(),
            _ => self.current.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for Edited {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            current: Option<PolicyText>,
            lingering: Option<(Timestamp, Option<PolicyText>)>,
        }
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_string() || value.get("Statement").is_some() {
            let text = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
            return Ok(Self {
                current: Some(text),
                lingering: None,
            });
        }
        let stored: Stored = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
        Ok(Self {
            current: stored.current,
            lingering: stored.lingering,
        })
    }
}
