//! CloudTrail's event history: the management events of the last 90 days in one Region.

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;

use super::error_mapper::ErrorMapper;
use super::failure::Failure;

/// The permission that looking up needs.
pub const LOOKUP_EVENTS: &str = "cloudtrail:LookupEvents";

/// What the events of a look-up are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKey {
    /// A resource's name or ARN.
    ResourceName,
    /// The name of a call.
    EventName,
}

/// A page of events, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPage {
    /// Each event as CloudTrail's JSON.
    pub events: Vec<String>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// CloudTrail in a Region, for one identity.
#[derive(Debug, Clone)]
pub struct CloudTrail {
    pub(super) client: aws_sdk_cloudtrail::Client,
    pub(super) mapper: ErrorMapper,
}

impl CloudTrail {
    /// A page of up to 50 events since a time, by `LookupEvents`. AWS takes two calls a second for each
    /// account and Region (CloudTrail API reference); the caller keeps to that.
    pub async fn lookup_events(
        &self,
        (key, value): (LookupKey, &str),
        since: Timestamp,
        next: Option<String>,
    ) -> Result<EventPage, Failure> {
        let key = match key {
            LookupKey::ResourceName => LookupAttributeKey::ResourceName,
            LookupKey::EventName => LookupAttributeKey::EventName,
        };
        let attribute = LookupAttribute::builder()
            .attribute_key(key)
            .attribute_value(value)
            .build()
            .map_err(|error| {
                self.mapper
                    .invalid_request(LOOKUP_EVENTS, value, &error.to_string())
            })?;
        let call = self
            .client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(aws_smithy_types::DateTime::from_secs(since.as_second()))
            .max_results(50)
            .set_next_token(next)
            .send();
        let answer = self.mapper.answer(LOOKUP_EVENTS, value, call).await?;
        let events = answer.events().iter();
        Ok(EventPage {
            events: events
                .filter_map(|event| event.cloud_trail_event().map(str::to_owned))
                .collect(),
            next: answer.next_token().map(str::to_owned),
        })
    }
}
