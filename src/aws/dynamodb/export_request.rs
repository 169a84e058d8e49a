//! A plan's export in the words of `ExportTableToPointInTime`.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::export_table_to_point_in_time::builders::ExportTableToPointInTimeFluentBuilder;
use aws_sdk_dynamodb::primitives::{Blob, DateTime};
use aws_sdk_dynamodb::types::{
    AttributeValue, ExportFormat, ExportType, ExportViewType, FilterSpecification,
    IncrementalExportSpecification, S3SseAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use crate::job::{Encryption, ExportRequest, Filter, Format, Span, View};

/// Fills the call in; an error says which value of the filter is no attribute value.
pub(super) fn fill(
    call: ExportTableToPointInTimeFluentBuilder,
    request: &ExportRequest,
) -> Result<ExportTableToPointInTimeFluentBuilder, String> {
    let mut input = call
        .table_arn(request.table_arn.to_string())
        .s3_bucket(request.bucket.as_str())
        .set_s3_bucket_owner(request.bucket_owner.as_ref().map(ToString::to_string))
        .set_s3_prefix(request.prefix.clone().filter(|prefix| !prefix.is_empty()))
        .export_format(match request.format {
            Format::DynamoDbJson => ExportFormat::DynamodbJson,
            Format::Ion => ExportFormat::Ion,
        })
        .client_token(&request.client_token);
    input = match &request.encryption {
        Encryption::Aes256 => input.s3_sse_algorithm(S3SseAlgorithm::Aes256),
        Encryption::Kms { key } => input
            .s3_sse_algorithm(S3SseAlgorithm::Kms)
            .set_s3_sse_kms_key_id(key.as_ref().map(ToString::to_string)),
        Encryption::BucketDefault => input,
    };
    input = match &request.span {
        Span::Full { time } => input
            .export_type(ExportType::FullExport)
            .set_export_time(time.map(date_time)),
        Span::Incremental { from, to, view } => input
            .export_type(ExportType::IncrementalExport)
            .incremental_export_specification(
                IncrementalExportSpecification::builder()
                    .export_from_time(date_time(*from))
                    .export_to_time(date_time(*to))
                    .export_view_type(match view {
                        View::NewImage => ExportViewType::NewImage,
                        View::NewAndOldImages => ExportViewType::NewAndOldImages,
                    })
                    .build(),
            ),
    };
    match &request.filter {
        Some(filter) => Ok(input.filter_specification(specification(filter)?)),
        None => Ok(input),
    }
}

fn date_time(time: Timestamp) -> DateTime {
    // The difference is counted from the second below, also before 1970.
    let nanoseconds = time.as_nanosecond().rem_euclid(1_000_000_000);
    let seconds = (time.as_nanosecond() - nanoseconds) / 1_000_000_000;
    DateTime::from_secs_and_nanos(
        i64::try_from(seconds).unwrap_or(i64::MAX),
        u32::try_from(nanoseconds).unwrap_or_default(),
    )
}

fn specification(filter: &Filter) -> Result<FilterSpecification, String> {
    let mut values = HashMap::new();
    for (name, value) in &filter.values {
        let value = attribute_value(value).ok_or_else(|| {
            format!("the filter's value {name} is no attribute value such as {{\"S\": \"x\"}}")
        })?;
        values.insert(name.clone(), value);
    }
    let names: HashMap<_, _> = filter.names.clone().into_iter().collect();
    Ok(FilterSpecification::builder()
        .set_key_condition_expression(filter.key_condition.clone())
        .set_filter_expression(filter.expression.clone())
        .set_projection_expression(filter.projection.clone())
        .set_expression_attribute_names((!names.is_empty()).then_some(names))
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .build())
}

/// An export's filter, as AWS describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedFilter(FilterSpecification);

impl DescribedFilter {
    pub(super) const fn new(described: FilterSpecification) -> Self {
        Self(described)
    }

    /// Whether it is the filter that a request asks for. Values that are not described are not held
    /// against it.
    #[must_use]
    pub fn is(&self, asked: &Filter) -> bool {
        let Ok(mut asked) = specification(asked) else {
            return false;
        };
        if self.0.expression_attribute_values.is_none() {
            asked.expression_attribute_values = None;
        }
        self.0 == asked
    }
}

/// Reads DynamoDB's JSON form of a value: an object of one type descriptor.
fn attribute_value(value: &Value) -> Option<AttributeValue> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (descriptor, value) = object.iter().next()?;
    let text = || value.as_str().map(str::to_owned);
    let texts = || -> Option<Vec<String>> {
        let list = value.as_array()?;
        list.iter()
            .map(|item| Some(item.as_str()?.to_owned()))
            .collect()
    };
    Some(match descriptor.as_str() {
        "S" => AttributeValue::S(text()?),
        "N" => AttributeValue::N(text()?),
        "B" => AttributeValue::B(blob(value)?),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        "NULL" => AttributeValue::Null(value.as_bool()?),
        "SS" => AttributeValue::Ss(texts()?),
        "NS" => AttributeValue::Ns(texts()?),
        "BS" => AttributeValue::Bs(value.as_array()?.iter().map(blob).collect::<Option<_>>()?),
        "L" => {
            let list = value.as_array()?;
            AttributeValue::L(list.iter().map(attribute_value).collect::<Option<_>>()?)
        }
        "M" => {
            let members = value.as_object()?.iter();
            let member =
                |(name, value): (&String, &Value)| Some((name.clone(), attribute_value(value)?));
            AttributeValue::M(members.map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn blob(value: &Value) -> Option<Blob> {
    STANDARD.decode(value.as_str()?).ok().map(Blob::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_type_descriptor_is_understood() {
        let value = json!({"M": {
            "s": {"S": "x"}, "n": {"N": "1"}, "b": {"B": "AQI="}, "t": {"BOOL": true},
            "u": {"NULL": true}, "l": {"L": [{"N": "2"}]}, "ss": {"SS": ["a"]},
            "ns": {"NS": ["1"]}, "bs": {"BS": ["AQI="]}
        }});
        let AttributeValue::M(members) = attribute_value(&value).unwrap() else {
            panic!("no map");
        };
        assert_eq!(members.len(), 9);
        assert_eq!(members["b"], AttributeValue::B(Blob::new([1, 2])));
        assert_eq!(
            members["l"],
            AttributeValue::L(vec![AttributeValue::N("2".to_owned())])
        );
    }

    /// An export of other items of the same table is no duplicate.
    #[test]
    fn a_described_filter_is_the_one_that_is_asked_for_or_another() {
        let filter = |value: &str| Filter {
            expression: Some("#state = :state".to_owned()),
            names: [("#state".to_owned(), "state".to_owned())].into(),
            values: [(":state".to_owned(), json!({ "S": value }))].into(),
            ..Filter::default()
        };
        let described = |values| {
            DescribedFilter::new(
                FilterSpecification::builder()
                    .filter_expression("#state = :state")
                    .expression_attribute_names("#state", "state")
                    .set_expression_attribute_values(values)
                    .build(),
            )
        };
        let open = AttributeValue::S("open".to_owned());
        let known = described(Some([(":state".to_owned(), open)].into()));
        assert!(known.is(&filter("open")));
        assert!(!known.is(&filter("closed")));
        assert!(described(None).is(&filter("closed")));
        let other = Filter {
            projection: Some("id".to_owned()),
            ..filter("open")
        };
        assert!(!known.is(&other));
    }

    #[test]
    fn what_is_no_attribute_value_is_refused() {
        for value in [
            json!("x"),
            json!({}),
            json!({"S": 1}),
            json!({"X": "x"}),
            json!({"S": "a", "N": "1"}),
        ] {
            assert_eq!(attribute_value(&value), None, "{value}");
        }
    }

    #[test]
    fn a_time_keeps_its_fraction() {
        let time: Timestamp = "2026-11-22T10:00:00.25Z".parse().unwrap();
        let sent = date_time(time);
        assert_eq!(
            (sent.secs(), sent.subsec_nanos()),
            (1_795_341_600, 250_000_000)
        );
    }
}
