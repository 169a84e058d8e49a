//! What was judged, with its context: kept where somebody asks for it, to compare it with what AWS
//! documents.

use std::sync::{Arc, Mutex, PoisonError};

use tableferry_policy::evaluate::Context;

/// One request as it was judged.
#[derive(Debug, Clone)]
pub struct JudgedRequest {
    /// The action.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// What the condition keys held.
    pub context: Context,
}

/// The requests that were judged, in their order, if they are kept. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Judged(Option<Arc<Mutex<Vec<JudgedRequest>>>>);

impl Judged {
    /// Keeps requests from now on.
    pub(super) fn keep(&mut self) {
        self.0 = Some(Arc::default());
    }

    pub(super) fn note(&self, action: &str, resource: &str, context: &Context) {
        let Some(kept) = &self.0 else {
            return;
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(JudgedRequest {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: context.clone(),
        });
    }

    pub(super) fn all(&self) -> Vec<JudgedRequest> {
        let Some(kept) = &self.0 else {
            return Vec::new();
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
