//! The size of an item as `DynamoDB` counts it, of which it takes 400 KB ("DynamoDB item sizes and formats",
//! developer guide).

use serde_json::Value;

/// "The maximum item size in DynamoDB is 400 KB" (developer guide, quotas).
pub(super) const LARGEST_ITEM: usize = 400 * 1024;

/// The bytes of an item of `DynamoDB` JSON. "The size of a number is approximately (…) (1 byte per two
/// significant digits) + (1 byte)"; a list or map takes 3 bytes, and each of its values 1 byte more.
pub(super) fn item_size(item: &Value) -> usize {
    let members = item.as_object().into_iter().flatten();
    members.map(|(name, value)| name.len() + size(value)).sum()
}

fn size(value: &Value) -> usize {
    let Some((kind, content)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    let text = |content: &Value| content.as_str().map_or(0, str::len);
    let bytes = |content: &Value| {
        let text = content.as_str().unwrap_or_default();
        text.trim_end_matches('=').len() * 3 / 4
    };
    let number = |content: &Value| {
        let text = content.as_str().unwrap_or_default();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        digits.div_ceil(2) + 1
    };
    let elements = || content.as_array().into_iter().flatten();
    match kind.as_str() {
        "S" => text(content),
        "N" => number(content),
        "B" => bytes(content),
        "SS" => elements().map(text).sum(),
        "NS" => elements().map(number).sum(),
        "BS" => elements().map(bytes).sum(),
        "L" => 3 + elements().map(|value| 1 + size(value)).sum::<usize>(),
        "M" => {
            let count = content.as_object().map_or(0, serde_json::Map::len);
            3 + count + item_size(content)
        }
        // A boolean or a null.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_has_the_bytes_that_the_guide_counts() {
        // Names and text by their bytes, 2 digits a byte and one more, 3 for a map and 1 for each of its
        // values: 2 + 3, 1 + (2 + 1), 1 + 3, 1 + 1, 1 + (3 + 1 + (1 + 2)).
        let item = json!({
            "id": {"S": "äx"}, "n": {"N": "-12.3"}, "b": {"B": "AAEC"}, "o": {"BOOL": true},
            "m": {"M": {"k": {"S": "vw"}}},
        });
        assert_eq!(item_size(&item), 5 + 4 + 4 + 2 + 8);
        // 3 + (1 + 1) + (1 + 2), and the members of the sets.
        let item = json!({
            "l": {"L": [{"NULL": true}, {"N": "7"}]}, "s": {"SS": ["a", "bc"]}, "t": {"NS": ["1"]},
            "u": {"BS": ["AA==", "AAE="]},
        });
        assert_eq!(item_size(&item), (1 + 8) + (1 + 3) + (1 + 2) + (1 + 3));
    }
}
