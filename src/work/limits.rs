//! The configuration's limits held against the calls of an earlier run, which may be older than they are.

use super::event::Side;
use super::{Session, Work};
use crate::assess::limits::{Extent, Membership};
use crate::job::ExportRequest;
use tableferry_policy::arn::AccountId;

impl Work {
    /// Why the destination of a call that was planned before lies outside the limits by now.
    pub(super) async fn blocked_by_limits(
        &self,
        session: &Session,
        request: &ExportRequest,
    ) -> Option<String> {
        let limits = &self.settings().limits;
        if limits.is_unlimited() {
            return None;
        }
        let own = || session.identity.account.clone();
        let owner = request.bucket_owner.clone().unwrap_or_else(own);
        let membership = if limits.asks_for_organization(Some(&owner)) {
            self.membership(&owner).await
        } else {
            Membership::unasked()
        };
        let extent = Extent {
            owner: Some(owner),
            membership,
            tables: Vec::new(),
        };
        let found = limits.assess_destination(&request.bucket, &extent);
        found.into_iter().next().map(|found| found.explanation)
    }

    /// The organization of an account that a side is signed in to.
    async fn membership(&self, account: &AccountId) -> Membership {
        let session = [Side::Destination, Side::Source]
            .into_iter()
            .filter_map(|side| self.session(side))
            .find(|session: &Session| session.identity.account == *account);
        let Some(session) = session else {
            return Membership::unasked();
        };
        match session.organizations().organization().await {
            Ok(Some(found)) => Membership::Of(found.id),
            Ok(None) => Membership::Alone,
            Err(failure) => Membership::Unknown(failure.to_string()),
        }
    }
}
