//! The values of a data line, as a tree: for those who need what an item holds, and not only whether its
//! line is sound.
//!
//! It reads lines that [`super::line`] has found sound, so that it need not say what is wrong with one that
//! is not. Numbers and binary values stay the texts that they are; values in Ion get the texts that
//! `DynamoDB` JSON has for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ion_rs::{Element, IonType, Struct, Value as IonValue};
use serde_json::{Map, Value};

use crate::job::{Format, View};

/// A value of an attribute; binary values are base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// `S`.
    String(String),
    /// `N`.
    Number(String),
    /// `B`.
    Binary(String),
    /// `BOOL`.
    Bool(bool),
    /// `NULL`.
    Null,
    /// `SS`.
    Strings(Vec<String>),
    /// `NS`.
    Numbers(Vec<String>),
    /// `BS`.
    Binaries(Vec<String>),
    /// `L`.
    List(Vec<Self>),
    /// `M`.
    Map(Attributes),
}

/// Attributes in the order of their line.
pub type Attributes = Vec<(String, AttributeValue)>;

/// What a data line holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A line of a full export.
    Item(Attributes),
    /// A line of an incremental export.
    Change(ItemChange),
}

/// A change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemChange {
    /// When the item was last written, in microseconds since 1970, as the line has it.
    pub written_at: String,
    /// Its key.
    pub keys: Attributes,
    /// The item before; not there where it is new, or the view has none.
    pub old_image: Option<Attributes>,
    /// The item after; not there where it was deleted.
    pub new_image: Option<Attributes>,
}

/// Reads a sound line of an export of this format and view; `None` where it is not sound.
#[must_use]
pub fn read_record(line: &str, format: Format, view: Option<View>) -> Option<Record> {
    match format {
        Format::DynamoDbJson => json_record(line, view),
        Format::Ion => ion_record(line, view),
    }
}

fn json_record(line: &str, view: Option<View>) -> Option<Record> {
    let Value::Object(line) = serde_json::from_str(line).ok()? else {
        return None;
    };
    if view.is_none() {
        return Some(Record::Item(json_attributes(line.get("Item")?)?));
    }
    let image = |name: &str| {
        line.get(name)
            .map_or(Some(None), |image| json_attributes(image).map(Some))
    };
    // The guide's page shows a bare string, and the files have `{"N":"…"}`.
    let written_at = line.get("Metadata")?.get("WriteTimestampMicros")?;
    let written_at = written_at.get("N").unwrap_or(written_at);
    Some(Record::Change(ItemChange {
        written_at: written_at.as_str()?.to_owned(),
        keys: json_attributes(line.get("Keys")?)?,
        old_image: image("OldImage")?,
        new_image: image("NewImage")?,
    }))
}

fn json_attributes(value: &Value) -> Option<Attributes> {
    let named = value.as_object()?.iter();
    named
        .map(|(name, value)| Some((name.clone(), json_value(value.as_object()?)?)))
        .collect()
}

fn json_value(value: &Map<String, Value>) -> Option<AttributeValue> {
    let (kind, value) = value.iter().next()?;
    let text = || value.as_str().map(str::to_owned);
    let texts = || {
        let texts = value.as_array()?.iter();
        texts
            .map(|text| text.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
    };
    Some(match kind.as_str() {
        "S" => AttributeValue::String(text()?),
        "N" => AttributeValue::Number(text()?),
        "B" => AttributeValue::Binary(text()?),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        "NULL" => AttributeValue::Null,
        "SS" => AttributeValue::Strings(texts()?),
        "NS" => AttributeValue::Numbers(texts()?),
        "BS" => AttributeValue::Binaries(texts()?),
        "L" => {
            let values = value.as_array()?.iter();
            AttributeValue::List(
                values
                    .map(|value| json_value(value.as_object()?))
                    .collect::<Option<_>>()?,
            )
        }
        "M" => AttributeValue::Map(json_attributes(value)?),
        _ => return None,
    })
}

fn ion_record(line: &str, view: Option<View>) -> Option<Record> {
    let text = line.strip_prefix("$ion_1_0").unwrap_or(line);
    let element = Element::read_one(text).ok()?;
    let line = element.as_struct()?;
    if view.is_none() {
        return Some(Record::Item(ion_attributes(
            line.get("Item")?.as_struct()?,
        )?));
    }
    let record = line.get("Record")?.as_struct()?;
    let image = |name: &str| {
        record.get(name).map_or(Some(None), |image| {
            ion_attributes(image.as_struct()?).map(Some)
        })
    };
    let written_at = record
        .get("Metadata")?
        .as_struct()?
        .get("WriteTimestampMicros")?;
    Some(Record::Change(ItemChange {
        written_at: ion_number(written_at)?,
        keys: ion_attributes(record.get("Keys")?.as_struct()?)?,
        old_image: image("OldImage")?,
        new_image: image("NewImage")?,
    }))
}

fn ion_attributes(structure: &Struct) -> Option<Attributes> {
    structure
        .fields()
        .map(|(name, value)| Some((name.text()?.to_owned(), ion_value(value)?)))
        .collect()
}

fn ion_value(element: &Element) -> Option<AttributeValue> {
    let annotation = element.annotations().first();
    Some(match (element.value(), annotation) {
        (IonValue::Null(IonType::Null), None) => AttributeValue::Null,
        (IonValue::Bool(value), None) => AttributeValue::Bool(*value),
        (IonValue::String(text), None) => AttributeValue::String(text.text().to_owned()),
        (IonValue::Blob(bytes), None) => AttributeValue::Binary(BASE64.encode(bytes.as_ref())),
        (IonValue::Int(_) | IonValue::Decimal(_), None) => {
            AttributeValue::Number(ion_number(element)?)
        }
        (IonValue::Struct(map), None) => AttributeValue::Map(ion_attributes(map)?),
        (IonValue::List(list), None) => {
            AttributeValue::List(list.elements().map(ion_value).collect::<Option<_>>()?)
        }
        (IonValue::List(list), Some("$dynamodb_SS")) => AttributeValue::Strings(
            list.elements()
                .map(|text| text.as_string().map(str::to_owned))
                .collect::<Option<_>>()?,
        ),
        (IonValue::List(list), Some("$dynamodb_NS")) => {
            AttributeValue::Numbers(list.elements().map(ion_number).collect::<Option<_>>()?)
        }
        (IonValue::List(list), Some("$dynamodb_BS")) => AttributeValue::Binaries(
            list.elements()
                .map(|bytes| bytes.as_blob().map(|bytes| BASE64.encode(bytes)))
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// The most zeroes that a number is written out with: those of its 38 digits.
const LONGEST: i64 = 38;

/// A number as `DynamoDB` JSON writes it: digits, and a power of ten only where it would be long without.
fn ion_number(element: &Element) -> Option<String> {
    let decimal = match element.value() {
        IonValue::Int(number) => return Some(number.to_string()),
        IonValue::Decimal(decimal) => decimal,
        _ => return None,
    };
    let coefficient = decimal.coefficient();
    let digits = coefficient.magnitude().to_string();
    let sign = if coefficient.is_negative() && digits != "0" {
        "-"
    } else {
        ""
    };
    let exponent = decimal.exponent();
    let places = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
    Some(match exponent {
        0 => format!("{sign}{digits}"),
        1..=LONGEST if digits != "0" => format!("{sign}{digits}{}", "0".repeat(places)),
        _ if (-LONGEST..0).contains(&exponent) => {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, decimals) = padded.split_at(padded.len() - places);
            let decimals = decimals.trim_end_matches('0');
            let point = if decimals.is_empty() { "" } else { "." };
            format!("{sign}{whole}{point}{decimals}")
        }
        _ if digits == "0" => "0".to_owned(),
        _ => format!("{sign}{digits}e{exponent}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of a public export (scylladb/scylla-migrator's test data, 2024) with every type.
    const JSON: &str = r#"{"Item":{"id":{"S":"K3TXQk84Si"},"a":{"BOOL":false},"b":{"NULL":true},"c":{"SS":["8gfX8dh0xa","fRjHZJ2Ce9"]},"d":{"NS":["3","2"]},"e":{"L":[{"N":"1"},{"S":"Dsb87qc6Es"}]},"f":{"M":{"h":{"NULL":true},"i":{"BOOL":true},"g":{"N":"9"}}},"j":{"B":"aGVsbG8="},"k":{"BS":["aXMgZmFzdA==","c2N5bGxhZGI="]}}}"#;
    /// The same in Ion, as the developer guide's page on the output of a table export writes its types.
    const ION: &str = r#"$ion_1_0 {Item:{id:"K3TXQk84Si",a:false,b:null,c:$dynamodb_SS::["8gfX8dh0xa","fRjHZJ2Ce9"],d:$dynamodb_NS::[3.,2.],e:[1.,"Dsb87qc6Es"],f:{h:null,i:true,g:9.},j:{{aGVsbG8=}},k:$dynamodb_BS::[{{aXMgZmFzdA==}},{{c2N5bGxhZGI=}}]}}"#;

    #[test]
    fn a_line_has_the_same_values_in_both_formats() {
        let json = read_record(JSON, Format::DynamoDbJson, None).unwrap();
        let ion = read_record(ION, Format::Ion, None).unwrap();
        assert_eq!(json, ion);
        let Record::Item(item) = json else {
            panic!("{json:?}")
        };
        assert_eq!(item.len(), 9);
        assert_eq!(
            item[3].1,
            AttributeValue::Strings(vec!["8gfX8dh0xa".to_owned(), "fRjHZJ2Ce9".to_owned()])
        );
        assert_eq!(item[7].1, AttributeValue::Binary("aGVsbG8=".to_owned()));
    }

    #[test]
    fn numbers_of_ion_are_written_without_a_power_of_ten_where_they_are_short() {
        for (ion, text) in [
            ("103.", "103"),
            ("6d2", "600"),
            ("2d3", "2000"),
            ("1.50", "1.5"),
            ("-0.05", "-0.05"),
            ("0.", "0"),
            ("0d5", "0"),
            ("-0.", "0"),
            ("1d125", "1e125"),
            ("7", "7"),
            ("1684374845117899.", "1684374845117899"),
        ] {
            let element = Element::read_one(ion).unwrap();
            assert_eq!(ion_number(&element).unwrap(), text, "{ion}");
        }
    }

    #[test]
    fn a_change_has_its_images_in_both_formats() {
        // The delete of a public export (github.com/gurre/ddb-pitr, `s3exportdata`).
        let json = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"pk":{"S":"2"},"sk":{"S":"3"}},"OldImage":{"pk":{"S":"2"},"sk":{"S":"3"},"test":{"S":"test"}}}"#;
        let ion = r#"$ion_1_0 {Record:{Keys:{pk:"2",sk:"3"},Metadata:{WriteTimestampMicros:1768387654353205.},OldImage:{pk:"2",sk:"3",test:"test"}}}"#;
        let view = Some(View::NewAndOldImages);
        let read = read_record(json, Format::DynamoDbJson, view).unwrap();
        assert_eq!(read, read_record(ion, Format::Ion, view).unwrap());
        let Record::Change(change) = read else {
            panic!("{read:?}")
        };
        assert_eq!(change.written_at, "1768387654353205");
        assert_eq!(change.new_image, None);
        assert_eq!(change.old_image.unwrap().len(), 3);
        let bare = json.replace(r#"{"N":"1768387654353205"}"#, r#""1768387654353205""#);
        assert!(read_record(&bare, Format::DynamoDbJson, view).is_some());
    }
}
