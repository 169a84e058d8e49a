//! Conditions, wildcards and variables against AWS's own documentation, and the grammar.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail where it stands, also in the functions that build its cases"
)]

use rstest::rstest;
use serde_json::{Value, json};
use tableferry_policy::document::Document;
use tableferry_policy::simulate::simulate_line;

/// Whether an Allow with these elements applies to a request for `arn:aws:s3:::landing/prod/x`.
fn applies(elements: &Value, context: &Value) -> bool {
    let mut statement = json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"});
    for (key, value) in elements.as_object().unwrap() {
        statement[key] = value.clone();
    }
    statement
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let line = json!({"id": 1, "principal": "arn:aws:iam::111111111111:user/ann", "action": "s3:PutObject",
        "resource": "arn:aws:s3:::landing/prod/x", "resource_account": "111111111111", "context": context,
        "identity_policies": [{"name": "p", "document": {"Version": "2012-10-17", "Statement": [statement]}}]});
    let mut out = String::new();
    simulate_line(&line.to_string(), &mut out);
    let answer: Value = serde_json::from_str(&out).unwrap();
    answer["decision"].as_str().unwrap() == "allowed"
}

/// "IAM JSON policy elements: Condition operators", operator by operator.
#[rstest]
#[case(r#"{"StringEquals":{"k:a":"x"}}"#, r#"{"k:a":"x"}"#, true)]
#[case(r#"{"StringEquals":{"K:A":["y","x"]}}"#, r#"{"k:a":"x"}"#, true)]
#[case(r#"{"StringEquals":{"k:a":"X"}}"#, r#"{"k:a":"x"}"#, false)]
#[case(r#"{"StringEquals":{"k:a":"x*"}}"#, r#"{"k:a":"xy"}"#, false)]
#[case(r#"{"StringEquals":{"k:a":"x"}}"#, "{}", false)]
#[case(r#"{"StringNotEquals":{"k:a":"x"}}"#, "{}", true)]
#[case(r#"{"StringNotEquals":{"k:a":["x","y"]}}"#, r#"{"k:a":"y"}"#, false)]
#[case(r#"{"StringEqualsIgnoreCase":{"k:a":"X"}}"#, r#"{"k:a":"x"}"#, true)]
#[case(
    r#"{"StringNotEqualsIgnoreCase":{"k:a":"X"}}"#,
    r#"{"k:a":"x"}"#,
    false
)]
#[case(r#"{"StringLike":{"k:a":"a?c*"}}"#, r#"{"k:a":"abcd"}"#, true)]
#[case(r#"{"StringLike":{"k:a":"A*"}}"#, r#"{"k:a":"abcd"}"#, false)]
#[case(r#"{"StringNotLike":{"k:a":"a*"}}"#, r#"{"k:a":"abcd"}"#, false)]
#[case(r#"{"StringEqualsIfExists":{"k:a":"x"}}"#, "{}", true)]
#[case(r#"{"StringEqualsIfExists":{"k:a":"x"}}"#, r#"{"k:a":"y"}"#, false)]
#[case(
    r#"{"NumericLessThanEquals":{"s3:max-keys":"10"}}"#,
    r#"{"s3:max-keys":"10"}"#,
    true
)]
#[case(
    r#"{"NumericLessThanEquals":{"s3:max-keys":10}}"#,
    r#"{"s3:max-keys":"9.5"}"#,
    true
)]
#[case(
    r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#,
    r#"{"s3:max-keys":"10"}"#,
    false
)]
#[case(r#"{"NumericEquals":{"k:a":"10"}}"#, r#"{"k:a":"10.0"}"#, true)]
#[case(r#"{"NumericEquals":{"k:a":"10"}}"#, r#"{"k:a":"ten"}"#, false)]
#[case(r#"{"NumericNotEquals":{"k:a":"10"}}"#, r#"{"k:a":"11"}"#, true)]
#[case(r#"{"NumericGreaterThan":{"k:a":"9"}}"#, r#"{"k:a":"10"}"#, true)]
#[case(
    r#"{"DateGreaterThan":{"aws:TokenIssueTime":"2020-01-01T00:00:01Z"}}"#,
    r#"{"aws:TokenIssueTime":"2020-01-01T00:00:02Z"}"#,
    true
)]
#[case(
    r#"{"DateLessThan":{"aws:CurrentTime":"2020-06-30T23:59:59Z"}}"#,
    r#"{"aws:CurrentTime":"2020-07-01T00:00:00Z"}"#,
    false
)]
#[case(
    r#"{"DateEquals":{"aws:EpochTime":"2020-01-01T00:00:00Z"}}"#,
    r#"{"aws:EpochTime":"1577836800"}"#,
    true
)]
#[case(
    r#"{"DateEquals":{"aws:CurrentTime":"2020-01-01T01:00:00+01:00"}}"#,
    r#"{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#,
    true
)]
#[case(
    r#"{"DateLessThan":{"aws:CurrentTime":"2021"}}"#,
    r#"{"aws:CurrentTime":"2020-12-31T23:59:59.999Z"}"#,
    true
)]
#[case(
    r#"{"Bool":{"aws:SecureTransport":"false"}}"#,
    r#"{"aws:SecureTransport":"False"}"#,
    true
)]
#[case(
    r#"{"Bool":{"aws:SecureTransport":true}}"#,
    r#"{"aws:SecureTransport":"false"}"#,
    false
)]
#[case(r#"{"Bool":{"aws:SecureTransport":"false"}}"#, "{}", false)]
#[case(
    r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#,
    "{}",
    true
)]
#[case(
    r#"{"BinaryEquals":{"k:a":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}"#,
    r#"{"k:a":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}"#,
    true
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
    r#"{"aws:SourceIp":"203.0.113.255"}"#,
    true
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
    r#"{"aws:SourceIp":"203.0.114.0"}"#,
    false
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}"#,
    r#"{"aws:SourceIp":"203.0.113.8"}"#,
    false
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:DB8:1234:5678::/64"]}}"#,
    r#"{"aws:SourceIp":"2001:db8:1234:5678::9"}"#,
    true
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#,
    r#"{"aws:SourceIp":"2001:db8::1"}"#,
    false
)]
// Bits beyond the prefix do not count.
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"10.0.0.1/8"}}"#,
    r#"{"aws:SourceIp":"10.255.0.0"}"#,
    true
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"2001:db8::9/32"}}"#,
    r#"{"aws:SourceIp":"2001:db8:ffff::"}"#,
    true
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"2001:db8::9/32"}}"#,
    r#"{"aws:SourceIp":"2001:db9::"}"#,
    false
)]
// Without a prefix it is the whole address, of IPv6 too.
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"2001:db8::7"}}"#,
    r#"{"aws:SourceIp":"2001:db8::8"}"#,
    false
)]
#[case(
    r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#,
    r#"{"aws:SourceIp":"2001:db8::1"}"#,
    true
)]
// What is no range holds nothing.
#[case(
    r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/33","10.0.0.0/+8","10.0.0.0/","010.0.0.0/8","10.0.0.0/300","::/129"]}}"#,
    r#"{"aws:SourceIp":"10.0.0.0"}"#,
    false
)]
#[case(r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "{}", true)]
#[case(
    r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:*:123456789012:t*"}}"#,
    r#"{"aws:SourceArn":"arn:aws:sns:eu-west-1:123456789012:topic"}"#,
    true
)]
// The page's own example of what ArnLike does not match and StringLike does.
#[case(r#"{"ArnLike":{"k:a":"arn:aws:someservice:*:111122223333:finance/*"}}"#,
    r#"{"k:a":"arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"}"#, false)]
#[case(r#"{"StringLike":{"k:a":"arn:aws:someservice:*:111122223333:finance/*"}}"#,
    r#"{"k:a":"arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"}"#, true)]
#[case(
    r#"{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::source"}}"#,
    "{}",
    true
)]
#[case(r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, "{}", true)]
#[case(
    r#"{"Null":{"aws:TokenIssueTime":"true"}}"#,
    r#"{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#,
    false
)]
#[case(
    r#"{"Null":{"aws:TokenIssueTime":false}}"#,
    r#"{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#,
    true
)]
#[case(r#"{"Null":{"aws:TagKeys":"false"}}"#, r#"{"aws:TagKeys":[]}"#, false)]
// Several operators, and several keys, must all hold ("Conditions with multiple context keys or values").
#[case(r#"{"StringEquals":{"k:a":"x","k:b":"y"}}"#, r#"{"k:a":"x"}"#, false)]
#[case(
    r#"{"StringEquals":{"k:a":"x"},"Null":{"k:b":"true"}}"#,
    r#"{"k:a":"x"}"#,
    true
)]
fn condition_operators(#[case] condition: &str, #[case] context: &str, #[case] expected: bool) {
    let condition: Value = serde_json::from_str(condition).unwrap();
    let context: Value = serde_json::from_str(context).unwrap();
    assert_eq!(
        applies(&json!({"Condition": condition}), &context),
        expected
    );
}

/// "Set operators for multivalued context keys" and "Multivalued context key examples".
#[rstest]
#[case("ForAllValues:StringEquals", json!(["a", "b"]), true)]
#[case("ForAllValues:StringEquals", json!(["a", "c"]), false)]
#[case("ForAllValues:StringEquals", json!([]), true)]
#[case("ForAllValues:StringEquals", Value::Null, true)]
#[case("ForAnyValue:StringEquals", json!(["c", "b"]), true)]
#[case("ForAnyValue:StringEquals", json!(["c"]), false)]
#[case("ForAnyValue:StringEquals", Value::Null, false)]
#[case("ForAnyValue:StringNotEquals", json!(["a", "c"]), true)]
#[case("ForAnyValue:StringNotEquals", json!(["a", "b"]), false)]
#[case("ForAnyValue:StringNotEquals", Value::Null, false)]
#[case("ForAllValues:StringNotEquals", json!(["c", "d"]), true)]
#[case("ForAllValues:StringNotEquals", json!(["a", "d"]), false)]
#[case("ForAllValues:StringNotEquals", Value::Null, true)]
// "If the key is not present, evaluate the condition element as true" says the page of IfExists; it has
// been observed that ForAnyValue is resolved first, and that there is no value then to be any.
#[case("ForAnyValue:StringEqualsIfExists", Value::Null, false)]
#[case("ForAllValues:StringEqualsIfExists", Value::Null, true)]
// ForAllValues "also returns true if … the context key value resolves to a null dataset, such as an
// empty string".
#[case("ForAllValues:StringEquals", json!(""), true)]
#[case("ForAllValues:StringEquals", json!(["", ""]), true)]
#[case("ForAllValues:StringEquals", json!(["", "c"]), false)]
#[case("ForAnyValue:StringNotEquals", json!(""), false)]
#[case("StringEquals", json!(["a", "b"]), false)]
#[case("StringNotEquals", json!(["c", "d"]), false)]
fn set_operators(#[case] operator: &str, #[case] held: Value, #[case] expected: bool) {
    let context = if held.is_null() {
        json!({})
    } else {
        json!({"aws:TagKeys": held})
    };
    let condition = json!({operator: {"aws:TagKeys": ["a", "b"]}});
    assert_eq!(
        applies(&json!({"Condition": condition}), &context),
        expected
    );
}

/// "IAM JSON policy elements: Resource", "…: Action" and their negations.
#[rstest]
#[case(json!({"Resource": "arn:aws:s3:::landing/*"}), true)]
#[case(json!({"Resource": "arn:aws:s3:::landing"}), false)]
#[case(json!({"Resource": "arn:aws:s3:::*/x"}), true)]
#[case(json!({"Resource": "arn:aws:s3:::landing/pro?/x"}), true)]
#[case(json!({"Resource": "arn:aws:s3:::Landing/*"}), false)]
#[case(json!({"Resource": "arn:aws:s3:*"}), true)]
#[case(json!({"Resource": "arn:aws:*:landing/prod/x"}), true)]
#[case(json!({"Resource": "arn:aws:s*3:::landing/prod/x"}), true)]
#[case(json!({"Resource": "arn:aws:s3*x"}), false)]
#[case(json!({"Resource": ["arn:aws:s3:::a", "*"]}), true)]
#[case(json!({"Resource": []}), false)]
#[case(json!({"Resource": null, "NotResource": "arn:aws:s3:::other/*"}), true)]
#[case(json!({"Resource": null, "NotResource": "arn:aws:s3:::landing/*"}), false)]
#[case(json!({"Resource": null}), false)]
#[case(json!({"Action": "S3:putobject"}), true)]
#[case(json!({"Action": "s3:Put*"}), true)]
#[case(json!({"Action": "*"}), true)]
#[case(json!({"Action": "s3:PutObjec"}), false)]
#[case(json!({"Action": "s3:"}), false)]
#[case(json!({"Action": null, "NotAction": "s3:Get*"}), true)]
#[case(json!({"Action": null, "NotAction": ["s3:Get*", "s3:put*"]}), false)]
fn patterns(#[case] elements: Value, #[case] expected: bool) {
    assert_eq!(applies(&elements, &json!({})), expected);
}

/// "IAM policy elements: Variables and tags".
#[rstest]
#[case("arn:aws:s3:::landing/${aws:username}/*", json!({"aws:username": "prod"}), true)]
#[case("arn:aws:s3:::landing/${AWS:UserName}/*", json!({"aws:username": "prod"}), true)]
#[case("arn:aws:s3:::landing/${aws:username}/*", json!({"aws:username": "dev"}), false)]
#[case("arn:aws:s3:::landing/${aws:username}/*", json!({}), false)]
#[case("arn:aws:s3:::landing/${aws:PrincipalTag/team, 'prod'}/*", json!({}), true)]
#[case("arn:aws:s3:::landing/${aws:PrincipalTag/team, 'prod'}/*", json!({"aws:PrincipalTag/team": "dev"}), false)]
#[case("arn:aws:s3:::landing/${aws:username}/x", json!({"aws:username": "*"}), false)]
#[case("arn:aws:s3:::landing/prod/${*}", json!({}), false)]
#[case("arn:aws:s3:::${aws:username}/x", json!({"aws:username": ["landing", "prod"]}), false)]
#[case("arn:aws:${aws:username}:::landing/*", json!({"aws:username": "s3"}), false)]
fn variables_in_resources(#[case] resource: &str, #[case] context: Value, #[case] expected: bool) {
    assert_eq!(applies(&json!({"Resource": resource}), &context), expected);
}

#[rstest]
#[case(json!({"StringLike": {"k:a": "home/${aws:username}/*"}}), true)]
#[case(json!({"StringEquals": {"k:a": "home/${aws:username}/y"}}), true)]
#[case(json!({"StringLike": {"k:a": "home/${aws:userid}/*"}}), false)]
#[case(json!({"StringNotEquals": {"k:a": "${aws:userid}"}}), false)]
#[case(json!({"StringNotEquals": {"k:a": "${aws:username}"}}), true)]
#[case(json!({"StringEquals": {"k:b": "${*}${?}${$}"}}), true)]
#[case(json!({"StringLike": {"k:b": "${*}??"}}), true)]
#[case(json!({"StringLike": {"k:a": "${*}*"}}), false)]
fn variables_in_conditions(#[case] condition: Value, #[case] expected: bool) {
    let context = json!({"k:a": "home/ann/y", "k:b": "*?$", "aws:username": "ann"});
    assert_eq!(
        applies(&json!({"Condition": condition}), &context),
        expected
    );
}

#[test]
fn an_old_version_knows_no_variables() {
    let line = json!({"id": 1, "principal": "arn:aws:iam::111111111111:user/ann", "action": "s3:PutObject",
        "resource": "arn:aws:s3:::landing/ann/x", "resource_account": "111111111111", "context": {"aws:username": "ann"},
        "identity_policies": [{"name": "p", "document": {"Statement":
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::landing/${aws:username}/*"}}}]});
    let mut out = String::new();
    simulate_line(&line.to_string(), &mut out);
    assert!(out.contains("implicit_deny"), "{out}");
}

/// "Grammar of the IAM JSON policy language": what AWS refuses, with its place.
#[rstest]
#[case("", "line 1, column 1")]
#[case("[]", "line 1, column 1")]
#[case(r#"{"Version":"2012-10-17"}"#, "line 1, column 1")]
#[case(r#"{"Version":"2012-10-18","Statement":[]}"#, "line 1, column 12")]
#[case("{\n \"Statement\": [{\"Effect\": \"allow\"}]}", "line 2, column 27")]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Action":"s3:*"}}"#,
    "line 1, column 48"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*"}}"#,
    "line 1, column 48"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
    "line 1, column 14"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"GetObject"}}"#,
    "line 1, column 41"
)]
#[case(r#"{"Statement":{"Effect":"Allow","Action":7}}"#, "line 1, column 41")]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Principal":"111111111111"}}"#,
    "line 1, column 60"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Principal":{"User":"x"}}}"#,
    "line 1, column 61"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Condition":{"StringIs":{}}}}"#,
    "line 1, column 61"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Condition":{"NullIfExists":{}}}}"#,
    "line 1, column 61"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Condition":{"Bool":{"k:a":null}}}}"#,
    "line 1, column 75"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resources":"*"}}"#,
    "line 1, column 48"
)]
#[case(
    r#"{"Statement":{"Effect":"Allow","Action":"s3:*",}}"#,
    "line 1, column 48"
)]
#[case("{\"Statement\":{\"Effect\":\"Al", "line 1, column 27")]
fn what_is_no_policy_is_refused_with_its_place(#[case] text: &str, #[case] place: &str) {
    let error = Document::parse(text).unwrap_err();
    assert_eq!(error.place.to_string(), place, "{error}");
}

#[test]
fn whatever_aws_takes_is_taken() {
    let text = r#"{"Version":"2008-10-17","Id":"x","Statement":[{"Sid":"","Effect":"Allow",
        "Principal":{"AWS":["*"],"Service":"s3.amazonaws.com","Federated":"accounts.google.com","CanonicalUser":"7"},
        "Action":["s3:*","*"],"Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":10},
        "Bool":{"aws:SecureTransport":[true]},"ForAnyValue:stringlike":{"aws:TagKeys":["a\u002a"]}}}]}"#;
    let document = Document::parse(text).unwrap();
    assert_eq!(document.statements().len(), 1);
    assert_eq!(document.statements()[0].conditions[2].values[0].value, "a*");
}

#[test]
fn many_stars_do_not_blow_up() {
    let pattern = format!("arn:aws:s3:::{}b", "*a".repeat(400));
    let resource = format!("arn:aws:s3:::{}", "a".repeat(4000));
    let line = json!({"id": 1, "principal": "arn:aws:iam::111111111111:user/ann", "action": "s3:PutObject",
        "resource": resource, "resource_account": "111111111111",
        "identity_policies": [{"name": "p", "document": {"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": "s3:*", "Resource": pattern}}}]});
    let mut out = String::new();
    simulate_line(&line.to_string(), &mut out);
    assert!(out.contains("implicit_deny"), "{out}");
}
