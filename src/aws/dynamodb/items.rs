//! Writing items, many at a time, and counting them.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    self as sdk, DeleteRequest, PutRequest, ReturnConsumedCapacity, Select, WriteRequest,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Dynamodb;
use crate::archive::value::{AttributeValue, Attributes};
use crate::aws::failure::Failure;
use tableferry_policy::arn::Arn;

const BATCH_WRITE: &str = "dynamodb:BatchWriteItem";

/// An item, or its key.
type Values = HashMap<String, sdk::AttributeValue>;

/// A write of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemWrite {
    /// The item takes the place of what has its key.
    Put(Attributes),
    /// What has this key is deleted.
    Delete(Attributes),
}

/// The writes of one `BatchWriteItem`: at most 25, each of another key.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteBatch(Vec<WriteRequest>);

/// What a batch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchAnswer {
    /// The writes that were not made, if any.
    pub unprocessed: Option<WriteBatch>,
    /// The write units that the others took, indexes included, where AWS says it.
    pub units: Option<f64>,
}

impl WriteBatch {
    /// A batch of these writes; `None` where a binary value is no base64.
    #[must_use]
    pub fn new(writes: Vec<ItemWrite>) -> Option<Self> {
        let requests = writes.into_iter().map(|write| {
            let request = WriteRequest::builder();
            Some(match write {
                ItemWrite::Put(item) => {
                    let put = PutRequest::builder().set_item(Some(values(item)?));
                    request.put_request(put.build().ok()?).build()
                }
                ItemWrite::Delete(key) => {
                    let delete = DeleteRequest::builder().set_key(Some(values(key)?));
                    request.delete_request(delete.build().ok()?).build()
                }
            })
        });
        Some(Self(requests.collect::<Option<_>>()?))
    }

    /// How many writes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Dynamodb {
    /// Makes writes, by one `BatchWriteItem`. Some of them may not be made, which the answer names: "you
    /// would check for unprocessed items and submit a new `BatchWriteItem` request with those" (API
    /// reference).
    pub async fn write_batch(
        &self,
        table: &Arn,
        batch: &WriteBatch,
    ) -> Result<BatchAnswer, Failure> {
        let target = table.to_string();
        self.write_guard.check(BATCH_WRITE, &target)?;
        let call = self
            .client
            .batch_write_item()
            .request_items(&target, batch.0.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let answer = self.mapper.answer(BATCH_WRITE, &target, call).await?;
        let units = answer.consumed_capacity().iter();
        let units: Vec<f64> = units
            .filter_map(sdk::ConsumedCapacity::capacity_units)
            .collect();
        let left = answer.unprocessed_items.unwrap_or_default();
        let left: Vec<WriteRequest> = left.into_values().flatten().collect();
        Ok(BatchAnswer {
            unprocessed: (!left.is_empty()).then_some(WriteBatch(left)),
            units: (!units.is_empty()).then(|| units.iter().sum()),
        })
    }

    /// Counts a table's items, by `Scan` of all of them. It is billed as if they were read.
    pub async fn count_items(&self, table: &Arn) -> Result<u64, Failure> {
        let target = table.to_string();
        let mut counted: u64 = 0;
        let mut after: Option<Values> = None;
        loop {
            let call = self
                .client
                .scan()
                .table_name(&target)
                .select(Select::Count)
                .set_exclusive_start_key(after)
                .send();
            let page = self.mapper.answer("dynamodb:Scan", &target, call).await?;
            counted += u64::try_from(page.count()).unwrap_or(0);
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(counted);
            }
        }
    }
}

fn values(attributes: Attributes) -> Option<Values> {
    let named = attributes.into_iter();
    named
        .map(|(name, attribute)| Some((name, value(attribute)?)))
        .collect()
}

fn value(attribute: AttributeValue) -> Option<sdk::AttributeValue> {
    let blob = |text: String| Some(Blob::new(BASE64.decode(text).ok()?));
    Some(match attribute {
        AttributeValue::String(text) => sdk::AttributeValue::S(text),
        AttributeValue::Number(text) => sdk::AttributeValue::N(text),
        AttributeValue::Binary(text) => sdk::AttributeValue::B(blob(text)?),
        AttributeValue::Bool(is_true) => sdk::AttributeValue::Bool(is_true),
        AttributeValue::Null => sdk::AttributeValue::Null(true),
        AttributeValue::Strings(texts) => sdk::AttributeValue::Ss(texts),
        AttributeValue::Numbers(texts) => sdk::AttributeValue::Ns(texts),
        AttributeValue::Binaries(texts) => {
            let blobs = texts.into_iter().map(blob);
            sdk::AttributeValue::Bs(blobs.collect::<Option<_>>()?)
        }
        AttributeValue::List(items) => {
            let items = items.into_iter().map(value);
            sdk::AttributeValue::L(items.collect::<Option<_>>()?)
        }
        AttributeValue::Map(members) => sdk::AttributeValue::M(values(members)?),
    })
}
