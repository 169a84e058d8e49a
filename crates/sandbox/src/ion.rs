//! Items as Amazon Ion text, in the forms that the developer guide's page on the output of a table export shows:
//! numbers as decimals, binary values as blobs, sets as lists with an annotation.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The line of an item.
pub(super) fn item_line(item: &Map<String, Value>) -> String {
    let mut line = String::from("$ion_1_0 {Item:");
    write_attributes(item, &mut line);
    line.push('}');
    line
}

/// The line of a change; `Record` stands around it.
pub(super) fn change_line(
    micros: &str,
    keys: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
) -> String {
    let mut line = String::from("$ion_1_0 {Record:{Keys:");
    write_attributes(keys, &mut line);
    let _ = write!(line, ",Metadata:{{WriteTimestampMicros:{micros}.}}");
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            let _ = write!(line, ",{name}:");
            write_attributes(image, &mut line);
        }
    }
    line.push_str("}}");
    line
}

fn write_attributes(attributes: &Map<String, Value>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in attributes.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_name(name, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// A field's name: a symbol, quoted where it is not an identifier.
fn write_name(name: &str, out: &mut String) {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_identifier = name.chars().next().is_some_and(is_start)
        && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
        && !["null", "true", "false", "nan"].contains(&name);
    if is_identifier {
        out.push_str(name);
    } else {
        write_quoted(name, '\'', out);
    }
}

fn write_quoted(text: &str, quote: char, out: &mut String) {
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// A value as `DynamoDB` JSON has it: an object of its type.
fn write_value(value: &Value, out: &mut String) {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else {
        out.push_str("null");
        return;
    };
    let text = value.as_str().unwrap_or_default();
    match kind.as_str() {
        "S" => write_quoted(text, '"', out),
        "N" => write_number(text, out),
        "B" => write_blob(text, out),
        "BOOL" => out.push_str(if value == &Value::Bool(true) {
            "true"
        } else {
            "false"
        }),
        "M" => write_attributes(value.as_object().unwrap_or(&Map::new()), out),
        "L" => write_list("", value, out, write_value),
        "SS" => write_list("$dynamodb_SS::", value, out, |member, out| {
            write_quoted(member.as_str().unwrap_or_default(), '"', out);
        }),
        "NS" => write_list("$dynamodb_NS::", value, out, |member, out| {
            write_number(member.as_str().unwrap_or_default(), out);
        }),
        "BS" => write_list("$dynamodb_BS::", value, out, |member, out| {
            write_blob(member.as_str().unwrap_or_default(), out);
        }),
        _ => out.push_str("null"),
    }
}

fn write_list(
    annotation: &str,
    members: &Value,
    out: &mut String,
    write: impl Fn(&Value, &mut String),
) {
    out.push_str(annotation);
    out.push('[');
    for (index, member) in members.as_array().into_iter().flatten().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(member, out);
    }
    out.push(']');
}

/// A decimal: without a point or a `d` it would be an integer, and with an `e` a double.
fn write_number(text: &str, out: &mut String) {
    let decimal = text.replace(['e', 'E'], "d");
    out.push_str(&decimal);
    if !decimal.contains(['.', 'd']) {
        out.push('.');
    }
}

fn write_blob(base64: &str, out: &mut String) {
    out.push_str("{{");
    out.push_str(base64);
    out.push_str("}}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_type_has_the_form_of_the_guide() {
        let item = json!({
            "id": {"S": "a\"b\\\n"}, "n": {"N": "103"}, "d": {"N": "-1.50"}, "e": {"N": "1e5"},
            "b": {"B": "aGVsbG8="}, "t": {"BOOL": true}, "x": {"NULL": true},
            "l": {"L": [{"N": "1"}, {"M": {"with space": {"S": "ü"}}}]},
            "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2.5"]}, "bs": {"BS": ["aGVsbG8="]},
            "null": {"S": ""}
        });
        let Value::Object(item) = item else { panic!() };
        assert_eq!(
            item_line(&item),
            r#"$ion_1_0 {Item:{id:"a\"b\\\n",n:103.,d:-1.50,e:1d5,b:{{aGVsbG8=}},t:true,x:null,l:[1.,{'with space':"ü"}],ss:$dynamodb_SS::["a","b"],ns:$dynamodb_NS::[1.,2.5],bs:$dynamodb_BS::[{{aGVsbG8=}}],'null':""}}"#
        );
    }

    #[test]
    fn a_change_has_a_record_around_it() {
        let keys = json!({"pk": {"S": "2"}});
        let Value::Object(keys) = keys else { panic!() };
        // The guide's page, with the wrapper that JSON lines have not.
        assert_eq!(
            change_line("1684374845117899", &keys, Some(&keys), Some(&keys)),
            r#"$ion_1_0 {Record:{Keys:{pk:"2"},Metadata:{WriteTimestampMicros:1684374845117899.},OldImage:{pk:"2"},NewImage:{pk:"2"}}}"#
        );
    }
}
