//! How JSON of ours is laid out: on one line, or as the document around it is.

use std::fmt::Write as _;

/// The white space at the start of the line that a place is on.
pub(super) fn line_indent(text: &str, at: usize) -> String {
    let head = text.get(..at).unwrap_or_default();
    let line = head.rsplit('\n').next().unwrap_or_default();
    line.chars()
        .take_while(|c| *c == ' ' || *c == '\t')
        .collect()
}

/// By what a document indents; `None` where it stands on one line.
pub(super) fn indent_unit(text: &str) -> Option<String> {
    let line = text.trim_end().split_once('\n')?.1;
    let indent: String = line
        .chars()
        .take_while(|c| *c == ' ' || *c == '\t')
        .collect();
    Some(if indent.is_empty() {
        "  ".to_owned()
    } else {
        indent
    })
}

/// JSON on one line; text that is none stays as it is.
pub(super) fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .map_or_else(|_| json.to_owned(), |value| value.to_string())
}

/// JSON laid out, its lines but the first set in by `margin`; text that is none stays as it is.
pub(super) fn laid_out(json: &str, margin: &str, unit: &str) -> String {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else {
        return json.to_owned();
    };
    let mut out = String::new();
    lay_out(&value, margin, unit, &mut out);
    out
}

fn lay_out(value: &serde_json::Value, margin: &str, unit: &str, out: &mut String) {
    let inner = format!("{margin}{unit}");
    let separate = |index: usize, out: &mut String| {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&inner);
    };
    match value {
        serde_json::Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                lay_out(item, &inner, unit, out);
            }
            // Writing to a string cannot fail.
            let _ = write!(out, "\n{margin}]");
        }
        serde_json::Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                separate(index, out);
                let _ = write!(out, "{}: ", serde_json::Value::from(key.as_str()));
                lay_out(member, &inner, unit, out);
            }
            let _ = write!(out, "\n{margin}}}");
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}
