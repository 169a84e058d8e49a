use rstest::rstest;
use serde_json::json;

use super::*;

fn item() -> Item {
    let item = json!({
        "id": {"S": "order-7"},
        "total": {"N": "12.5"},
        "tags": {"SS": ["new", "gift"]},
        "lines": {"L": [{"M": {"sku": {"S": "a"}, "count": {"N": "2"}}}, {"S": "x"}]},
        "address": {"M": {"city": {"S": "Bonn"}, "zip": {"S": "53111"}}},
        "paid": {"BOOL": true},
    });
    item.as_object().unwrap().clone()
}

fn filter(specification: &Value) -> Result<Option<Filter>, String> {
    Filter::of(&json!({ "FilterSpecification": specification }))
}

fn keeps(expression: &str) -> bool {
    let specification = json!({
        "FilterExpression": expression,
        "ExpressionAttributeNames": {"#t": "total", "#c": "city"},
        "ExpressionAttributeValues": {
            ":ten": {"N": "10"}, ":twelve": {"N": "12.50"}, ":twenty": {"N": "20"}, ":bonn": {"S": "Bonn"},
            ":ord": {"S": "ord"}, ":gift": {"S": "gift"}, ":s": {"S": "S"}, ":true": {"BOOL": true},
            ":two": {"N": "2"},
        },
    });
    filter(&specification).unwrap().unwrap().keeps(&item())
}

// The operators and functions of "Condition and filter expressions, operators, and functions".
#[rstest]
#[case::equal("#t = :twelve", true)]
#[case::another_type("id = :twelve", false)]
#[case::not_equal("#t <> :ten", true)]
#[case::absent_is_not_equal("missing <> :ten", true)]
#[case::absent_is_not_less("missing < :ten", false)]
#[case::greater("#t > :ten", true)]
#[case::between("#t BETWEEN :ten AND :twenty", true)]
#[case::in_list("#t IN (:ten, :twelve)", true)]
#[case::and("#t > :ten AND paid = :true", true)]
#[case::or_after_and("#t < :ten AND paid = :true OR address.#c = :bonn", true)]
#[case::parentheses("#t < :ten AND (paid = :true OR address.#c = :bonn)", false)]
#[case::not("NOT #t < :ten", true)]
#[case::exists("attribute_exists(address.zip)", true)]
#[case::not_exists("attribute_not_exists(address.street)", true)]
#[case::kind("attribute_type(id, :s)", true)]
#[case::begins("begins_with(id, :ord)", true)]
#[case::contains_in_set("contains(tags, :gift)", true)]
#[case::contains_in_text("contains(id, :ord)", true)]
#[case::size("size(tags) = :two", true)]
#[case::in_a_list("lines[0].count = :two", true)]
fn an_expression_keeps_what_it_says(#[case] expression: &str, #[case] expected: bool) {
    assert_eq!(keeps(expression), expected, "{expression}");
}

#[rstest]
#[case::open("total = ", "Invalid FilterExpression: Syntax error; token: <EOF>")]
#[case::two("total = :x :x", "is not defined")]
#[case::name("#n = :x", "attribute name: #n")]
#[case::sign("total ! :x", "token: \"!\"")]
fn what_is_no_expression_is_refused(#[case] expression: &str, #[case] expected: &str) {
    let refused = filter(&json!({ "FilterExpression": expression })).unwrap_err();
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn a_projection_keeps_the_paths_that_it_names() {
    let specification = json!({
        "ProjectionExpression": "id, address.#c, address.zip, lines[0].sku, missing",
        "ExpressionAttributeNames": {"#c": "city"},
    });
    let filter = filter(&specification).unwrap().unwrap();
    let expected = json!({
        "id": {"S": "order-7"},
        "address": {"M": {"city": {"S": "Bonn"}, "zip": {"S": "53111"}}},
        "lines": {"L": [{"M": {"sku": {"S": "a"}}}]},
    });
    assert_eq!(Value::Object(filter.project(&item())), expected);
}

#[test]
fn without_a_specification_there_is_no_filter() {
    assert!(Filter::of(&json!({})).unwrap().is_none());
}
