//! AWS's clock, as the answers of a client's calls tell it in their `Date` header.
//!
//! The age of a client token is AWS's to judge, so it is measured by AWS's clock alone: this machine's
//! may be wrong, and its timers stop while it sleeps.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use jiff::Timestamp;

/// The `Date` of the latest answer, a refusal's too. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct ServiceClock {
    latest: Arc<Mutex<Option<Timestamp>>>,
}

impl ServiceClock {
    /// The time that the latest answer told; `None` before the first that told one.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time that an answer tells; `None` of a cached one, whose time is old.
pub(super) fn time_of(headers: &Headers) -> Option<Timestamp> {
    if headers.get("age").is_some() {
        return None;
    }
    let date = DateTime::from_str(headers.get("date")?, Format::HttpDate).ok()?;
    Timestamp::from_second(date.secs()).ok()
}

impl Intercept for ServiceClock {
    fn name(&self) -> &'static str {
        "ServiceClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        // A proxy's page has no request id, and its clock is anybody's.
        if headers.get("x-amzn-requestid").is_none() {
            return Ok(());
        }
        let told = time_of(headers);
        if told.is_some() {
            *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }
        Ok(())
    }
}
