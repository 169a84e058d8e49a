//! Data lines as plain JSON: `{"id":1,"tags":["a"]}` in place of `{"Item":{"id":{"N":"1"},…}}`.
//!
//! Sets are arrays, binary values base64. A number is a JSON number where a double holds it, which is what
//! most readers make of one, and a string where a double would change it.

use serde_json::{Map, Value, json};

use super::line::is_same_number;
use super::value::{AttributeValue, Attributes, Record};

/// A record as one JSON object.
#[must_use]
pub fn plain_json(record: &Record) -> Value {
    match record {
        Record::Item(item) => object(item),
        Record::Change(change) => {
            let mut members = Map::new();
            members.insert(
                "WriteTimestampMicros".to_owned(),
                number(&change.written_at),
            );
            members.insert("Keys".to_owned(), object(&change.keys));
            for (name, image) in [
                ("OldImage", &change.old_image),
                ("NewImage", &change.new_image),
            ] {
                if let Some(image) = image {
                    members.insert(name.to_owned(), object(image));
                }
            }
            Value::Object(members)
        }
    }
}

fn object(attributes: &Attributes) -> Value {
    let members = attributes.iter();
    Value::Object(
        members
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
    )
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::String(text) | AttributeValue::Binary(text) => json!(text),
        AttributeValue::Number(text) => number(text),
        AttributeValue::Bool(value) => json!(value),
        AttributeValue::Null => Value::Null,
        AttributeValue::Strings(texts) | AttributeValue::Binaries(texts) => json!(texts),
        AttributeValue::Numbers(texts) => texts.iter().map(|text| number(text)).collect(),
        AttributeValue::List(values) => values.iter().map(plain).collect(),
        AttributeValue::Map(attributes) => object(attributes),
    }
}

/// A number as JSON: the shortest text of the nearest double, where that is the number itself.
fn number(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>()
        && whole.unsigned_abs() <= 1 << 53
    {
        return json!(whole);
    }
    let double = text.parse::<f64>().ok();
    let held = double.and_then(serde_json::Number::from_f64);
    match held {
        Some(held) if is_same_number(&held.to_string(), text) => Value::Number(held),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::value::read_record;
    use crate::job::{Format, View};

    fn plain_line(line: &str, view: Option<View>) -> String {
        let record = read_record(line, Format::DynamoDbJson, view).unwrap();
        plain_json(&record).to_string()
    }

    #[test]
    fn an_item_of_every_type_is_plain_json() {
        // A line of a public export (scylladb/scylla-migrator's test data).
        let line = r#"{"Item":{"id":{"S":"K3TXQk84Si"},"a":{"BOOL":false},"b":{"NULL":true},"c":{"SS":["8gfX8dh0xa","fRjHZJ2Ce9"]},"d":{"NS":["3","2"]},"e":{"L":[{"N":"1"},{"S":"Dsb87qc6Es"}]},"f":{"M":{"h":{"NULL":true},"i":{"BOOL":true},"g":{"N":"9"}}},"j":{"B":"aGVsbG8="},"k":{"BS":["aXMgZmFzdA=="]}}}"#;
        assert_eq!(
            plain_line(line, None),
            r#"{"id":"K3TXQk84Si","a":false,"b":null,"c":["8gfX8dh0xa","fRjHZJ2Ce9"],"d":[3,2],"e":[1,"Dsb87qc6Es"],"f":{"h":null,"i":true,"g":9},"j":"aGVsbG8=","k":["aXMgZmFzdA=="]}"#
        );
    }

    #[test]
    fn a_number_that_a_double_would_change_stays_a_text() {
        // 2^53 = 9007199254740992, up to which a double holds every whole number (IEEE 754).
        for (text, plain) in [
            ("0", "0"),
            ("-7", "-7"),
            ("1.50", "1.5"),
            ("0.1", "0.1"),
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "\"9007199254740993\""),
            ("1e125", "1e+125"),
            ("0.1234567890123456789", "\"0.1234567890123456789\""),
            (
                "12345678901234567890123456789012345678",
                "\"12345678901234567890123456789012345678\"",
            ),
        ] {
            assert_eq!(number(text).to_string(), plain, "{text}");
        }
    }

    #[test]
    fn a_change_keeps_its_members() {
        let line = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"pk":{"S":"2"}},"OldImage":{"pk":{"S":"2"},"test":{"S":"test"}}}"#;
        assert_eq!(
            plain_line(line, Some(View::NewAndOldImages)),
            r#"{"WriteTimestampMicros":1768387654353205,"Keys":{"pk":"2"},"OldImage":{"pk":"2","test":"test"}}"#
        );
    }
}
