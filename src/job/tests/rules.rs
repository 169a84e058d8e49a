//! Every rule, broken alone: the line, what is said, and what is said to be right.

use rstest::rstest;

use super::{parse, plan_with};

/// The one violation of a plan, as line, message and hint.
fn only_violation(text: &str) -> (u32, String, String) {
    let violations = parse(text).unwrap_err();
    assert_eq!(violations.len(), 1, "{violations}");
    let violation = violations.iter().next().unwrap();
    (
        violation.line,
        violation.message.clone(),
        violation.hint.clone(),
    )
}

fn assert_violation(text: &str, line: u32, message: &str, hint: &str) {
    let found = only_violation(text);
    assert_eq!(found.0, line, "{found:?}");
    assert!(found.1.contains(message), "{found:?}");
    assert!(found.2.contains(hint), "{found:?}");
}

#[rstest]
#[case::unknown_key("regoin = 'eu-west-1'", "unknown key `regoin` in [source]", "`region`")]
#[case::region_name("region = 'Ireland'", "not a Region's code", "eu-west-1")]
#[case::zone("region = 'eu-west-1a'", "not a Region's code", "Availability Zone")]
#[case::role_name(
    "role = 'Exporter'",
    "is not an ARN",
    "arn:aws:iam::111111111111:role/NAME"
)]
#[case::user(
    "role = 'arn:aws:iam::111111111111:user/x'",
    "not the ARN of an IAM role",
    "role/NAME"
)]
#[case::session(
    "role = 'arn:aws:sts::111111111111:assumed-role/X/y'",
    "a session of a role",
    "role's own ARN"
)]
#[case::short_external_id("external_id = 'x'", "has 1 character", "2 to 1224")]
#[case::session_name(
    "session_name = 'a b'",
    "a character that AWS does not take",
    "2 to 64"
)]
#[case::source_identity("source_identity = 'a:b'", "does not take", "2 to 64")]
#[case::mfa("mfa_serial = 'arn'", "has 3 characters", "9 to 256")]
#[case::short("duration_seconds = 899", "`duration_seconds` is 899", "900 to 43200")]
#[case::long("duration_seconds = 43201", "is 43201", "900 to 43200")]
#[case::negative("duration_seconds = -1", "is -1", "900 to 43200")]
#[case::huge(
    "duration_seconds = 99999999999999999999",
    "beyond any number",
    "smaller"
)]
#[case::quoted(
    "duration_seconds = '3600'",
    "must be a whole number, and is a string",
    "without quotes"
)]
#[case::empty("region = ''", "`region` is empty", "leave `region` out")]
#[case::wrong_type("region = 3", "must be a string, and is an integer", "quotes")]
fn a_source_keeps_the_rules_of_assume_role(
    #[case] line: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    assert_violation(&plan_with(line, "", "", ""), 3, message, hint);
}

#[rstest]
#[case::owner("owner = '2222-2222-2222'", "not an account id", "twelve digits")]
#[case::owner_number("owner = 222222222222", "must be a string", "quotes")]
#[case::prefix_empty("prefix = ''", "`prefix` is empty", "leave `prefix` out")]
#[case::prefix_slash("prefix = '//'", "names no folder", "leave `prefix` out")]
#[case::prefix_address("prefix = 's3://b/p'", "an address", "follows the bucket's name")]
#[case::prefix_control("prefix = \"a\\u0007\"", "control character", "safe")]
#[case::unknown("prefx = 'x'", "unknown key `prefx` in [destination]", "`prefix`")]
#[case::role_alone(
    "role = 'arn:aws:iam::222222222222:role/Reader'",
    "no `profile` to use it with",
    "add `profile"
)]
fn a_destination_keeps_the_rules_of_the_call(
    #[case] line: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    assert_violation(&plan_with("", line, "", ""), 6, message, hint);
}

#[test]
fn a_prefix_has_at_most_1024_characters() {
    let longest = format!("prefix = '{}/'", "é".repeat(1024));
    assert!(parse(&plan_with("", &longest, "", "")).is_ok());
    let longer = format!("prefix = '{}'", "é".repeat(1025));
    assert_violation(
        &plan_with("", &longer, "", ""),
        6,
        "`prefix` has 1025 characters",
        "at most 1024",
    );
}

#[rstest]
#[case::arn(
    "arn:aws:s3:::export-landing",
    "an ARN",
    "the name is \"export-landing\""
)]
#[case::url(
    "s3://export-landing/prod",
    "not a bucket's name",
    "the name is \"export-landing\""
)]
#[case::spaces("export landing", "not a bucket's name", "2 to 255")]
#[case::hyphen("-export", "not a bucket's name", "letter or digit first and last")]
fn a_bucket_is_given_by_its_name(#[case] bucket: &str, #[case] message: &str, #[case] hint: &str) {
    let text = plan_with("", "", "", "").replace("export-landing", bucket);
    assert_violation(&text, 5, message, hint);
}

#[rstest]
#[case::s3_spelling("algorithm = 'aws:kms'", "is no algorithm", "\"KMS\"")]
#[case::algorithm("algorithm = 'AES'", "is no algorithm", "\"AES256\" or \"KMS\"")]
#[case::key_alone("key = 'alias/x'", "its algorithm is AES256", "`algorithm = \"KMS\"`")]
#[case::key_of_s3(
    "algorithm = 'KMS' \nkey = 'arn:aws:s3:::b'",
    "not the ARN of a KMS key",
    "arn:aws:kms:REGION:ACCOUNT:key/ID"
)]
#[case::key_with_space("algorithm = 'KMS'\nkey = 'a b'", "a space", "full ARN")]
fn encryption_is_aes256_or_kms(#[case] lines: &str, #[case] message: &str, #[case] hint: &str) {
    let at = 7 + u32::try_from(lines.lines().count()).unwrap();
    assert_violation(&plan_with("", "", lines, ""), at, message, hint);
}

#[test]
fn a_key_has_at_most_2048_characters() {
    let lines = |length| format!("algorithm = 'KMS'\nkey = '{}'", "k".repeat(length));
    assert!(parse(&plan_with("", "", &lines(2048), "")).is_ok());
    assert_violation(
        &plan_with("", "", &lines(2049), ""),
        9,
        "`key` has 2049 characters",
        "full ARN",
    );
}

#[rstest]
#[case::format("format = 'JSON'", "`JSON` is no format", "`DYNAMODB_JSON`")]
#[case::kind(
    "type = 'INCREMENTAL'",
    "`INCREMENTAL` is no type",
    "`INCREMENTAL_EXPORT`"
)]
#[case::view_spelling(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-11-21T00:00:00Z\nto = 2026-11-21T01:00:00Z\nview = 'NEW_IMAGES'",
    "`NEW_IMAGES` is no view",
    "`NEW_IMAGE`"
)]
#[case::future(
    "time = '2026-11-22T12:00:01Z'",
    "in the future",
    "it is now 2026-11-22T12:00:00Z"
)]
#[case::no_offset(
    "time = '2026-11-22T10:00:00'",
    "is not a time",
    "\"2026-11-22T10:00:00Z\""
)]
#[case::local(
    "time = 2026-11-22T10:00:00",
    "is not a time",
    "\"2026-11-22T10:00:00Z\""
)]
#[case::date("time = 2026-11-22", "is not a time", "\"2026-11-22T00:00:00Z\"")]
#[case::clock("time = 10:00:00", "is not a time", "a date, a time and an offset")]
#[case::words("time = 'yesterday'", "is not a time", "2026-11-22T10:00:00Z")]
#[case::number(
    "time = 1693569600",
    "must be a time, and is an integer",
    "2026-11-22T10:00:00Z"
)]
#[case::from_in_full(
    "from = 2026-11-21T00:00:00Z",
    "belongs to an incremental export",
    "INCREMENTAL_EXPORT"
)]
#[case::view_in_full(
    "view = 'NEW_IMAGE'",
    "belongs to an incremental export",
    "remove `view`"
)]
#[case::time_in_incremental(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-11-21T00:00:00Z\nto = 2026-11-21T01:00:00Z\ntime = 2026-11-21T00:00:00Z",
    "has a window, not a `time`",
    "`from` and `to`"
)]
#[case::backwards(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-11-21T01:00:00Z\nto = 2026-11-21T01:00:00Z",
    "not later than `from`",
    "`to` its end"
)]
#[case::short(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-11-21T01:00:00Z\nto = 2026-11-21T01:14:59Z",
    "at least 15 minutes",
    "2026-11-21T01:15:00Z"
)]
#[case::long(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-10-10T01:00:00Z\nto = 2026-11-21T01:00:01Z",
    "no recovery window is longer than 35",
    "later `from`"
)]
#[case::to_in_future(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-11-22T01:00:00Z\nto = 2026-11-22T13:00:00Z",
    "`to` is 2026-11-22T13:00:00Z, which is in the future",
    "only the past"
)]
#[case::filter_type(
    "filter = 'a = :v'",
    "must be a table, and is a string",
    "[tables.filter]"
)]
#[case::unknown("tpye = 'FULL_EXPORT'", "unknown key `tpye` in [[tables]]", "`type`")]
fn a_table_keeps_the_rules_of_the_call(
    #[case] lines: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let at = 10 + u32::try_from(lines.lines().count()).unwrap();
    assert_violation(&plan_with("", "", "", lines), at, message, hint);
}

#[test]
fn windows_of_15_minutes_and_of_24_hours_are_taken() {
    for to in ["2026-11-21T01:15:00Z", "2026-11-22T01:00:00Z"] {
        let lines = format!("type = 'INCREMENTAL_EXPORT'\nfrom = 2026-11-21T01:00:00Z\nto = {to}");
        assert!(parse(&plan_with("", "", "", &lines)).is_ok(), "{to}");
    }
}

#[test]
fn an_incremental_export_needs_both_ends_of_its_window() {
    let violations = parse(&plan_with("", "", "", "type = 'INCREMENTAL_EXPORT'")).unwrap_err();
    let messages: Vec<&str> = violations.iter().map(|v| v.message.as_str()).collect();
    assert_eq!(
        messages,
        ["[[tables]] lacks `from`", "[[tables]] lacks `to`"]
    );
}

#[rstest]
#[case::short("ab", "it has 2 characters", "3 to 255")]
#[case::slash("a/b/c", "it has `/`", "3 to 255")]
#[case::index(
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/index/x",
    "not the ARN of a DynamoDB table",
    "table/NAME"
)]
#[case::no_account("arn:aws:dynamodb:eu-west-1::table/Orders", "not the ARN", "ACCOUNT")]
#[case::bucket("arn:aws:s3:::Orders", "not the ARN of a DynamoDB table", "table/NAME")]
#[case::broken("arn:aws:dynamodb", "is not an ARN", "table/NAME")]
fn a_table_is_given_by_name_or_arn(#[case] name: &str, #[case] message: &str, #[case] hint: &str) {
    let text = plan_with("", "", "", "").replace("Orders", name);
    assert_violation(&text, 10, message, hint);
}

#[rstest]
#[case::nothing("names = {}", "no expression", "`key_condition`")]
#[case::unknown(
    "expresion = 'a'\nexpression = 'a = b'",
    "unknown key `expresion`",
    "`expression`"
)]
#[case::blank("expression = ' '", "is blank", "leave `expression` out")]
#[case::undefined_name("expression = '#a = b'", "`#a` is used", "add \"#a\"")]
#[case::undefined_value("expression = 'a = :v'", "`:v` is used", "add \":v\"")]
#[case::unused(
    "projection = 'a'\nnames = { '#a' = 'x' }",
    "`#a` is defined",
    "remove it"
)]
#[case::token(
    "projection = '#a'\nnames = { 'a' = 'x', '#a' = 'x' }",
    "`a` cannot stand for",
    "\"#name\""
)]
#[case::name_type(
    "projection = '#a'\nnames = { '#a' = 1 }",
    "must be an attribute's name",
    "names ="
)]
#[case::or("key_condition = 'a = b OR c = d'", "has `OR`", "joined by AND")]
#[case::unequal(
    "key_condition = 'a > b'",
    "compares nothing with `=`",
    "one value of the partition key"
)]
#[case::untyped(
    "expression = 'a = :v'\nvalues = { ':v' = 'x' }",
    "has no type",
    "{ S = \"text\" }"
)]
#[case::two_types(
    "expression = 'a = :v'\nvalues = { ':v' = { S = 'x', N = '1' } }",
    "has 2 types",
    "exactly one"
)]
#[case::value_type(
    "expression = 'a = :v'\nvalues = { ':v' = { STR = 'x' } }",
    "not a value of DynamoDB",
    ""
)]
#[case::number(
    "expression = 'a = :v'\nvalues = { ':v' = { N = 1 } }",
    "`N` of `:v`",
    "in quotes"
)]
#[case::not_a_number(
    "expression = 'a = :v'\nvalues = { ':v' = { N = 'x' } }",
    "`N` of `:v`",
    "decimal"
)]
#[case::bytes(
    "expression = 'a = :v'\nvalues = { ':v' = { B = '?' } }",
    "`B` of `:v`",
    "base64"
)]
#[case::null(
    "expression = 'a = :v'\nvalues = { ':v' = { NULL = false } }",
    "`NULL` of",
    "always true"
)]
#[case::empty_set(
    "expression = 'a = :v'\nvalues = { ':v' = { SS = [] } }",
    "`SS` of",
    "at least one"
)]
#[case::double(
    "expression = 'a = :v'\nvalues = { ':v' = { SS = ['x', 'x'] } }",
    "`SS` of",
    "twice"
)]
#[case::inner(
    "expression = 'a = :v'\nvalues = { ':v' = { M = { k = { L = [{ N = 1 }] } } } }",
    "`N` of `k`",
    "in quotes"
)]
fn a_filter_keeps_the_rules_of_dynamodb(
    #[case] lines: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let text = plan_with("", "", "", &format!("[tables.filter]\n{lines}"));
    let (_, found, right) = only_violation(&text);
    assert!(found.contains(message), "{found}");
    assert!(right.contains(hint), "{right}");
}

#[test]
fn an_expression_has_at_most_4_kb() {
    let filter = |bytes: usize| {
        let expression = format!("a = {}", "b".repeat(bytes - 4));
        plan_with("", "", "", &format!("filter.expression = '{expression}'"))
    };
    assert!(parse(&filter(4096)).is_ok());
    assert_violation(&filter(4097), 11, "has 4097 bytes", "4 KB");
}

#[test]
fn an_expression_has_at_most_300_operators() {
    // So many comparisons have as many `=` and one AND fewer.
    let filter = |comparisons: usize| {
        let expression = vec!["a = b"; comparisons].join(" AND ");
        plan_with("", "", "", &format!("filter.expression = '{expression}'"))
    };
    assert!(parse(&filter(150)).is_ok());
    assert_violation(&filter(151), 11, "has 301 operators", "at most 300");
}

#[test]
fn the_values_of_a_filter_have_at_most_2_mb() {
    let value = "x".repeat(2 * 1024 * 1024);
    let filter = format!(
        "[tables.filter]\nexpression = 'a = :v'\nvalues = {{ ':v' = {{ S = '{value}' }} }}"
    );
    assert_violation(
        &plan_with("", "", "", &filter),
        13,
        "bytes together",
        "2 MB",
    );
}

#[rstest]
#[case::region(
    "region = 'eu-west-1'",
    "",
    "",
    "role = 'arn:aws-cn:iam::222222222222:role/R'\nprofile = 'x'",
    7
)]
#[case::key(
    "region = 'cn-north-1'",
    "",
    "algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:key/x'",
    "",
    9
)]
#[case::destination(
    "region = 'us-gov-west-1'",
    "",
    "",
    "profile = 'x'\nregion = 'us-east-1'",
    7
)]
fn a_plan_across_partitions_is_refused_with_the_reason(
    #[case] source: &str,
    #[case] table: &str,
    #[case] encryption: &str,
    #[case] destination: &str,
    #[case] near: u32,
) {
    let text = plan_with(source, destination, encryption, table);
    let (line, message, hint) = only_violation(&text);
    assert!(line.abs_diff(near) <= 1, "{line}");
    assert!(message.contains("is in partition"), "{message}");
    assert!(hint.contains("partitions have separate accounts"), "{hint}");
}

#[test]
fn an_arn_whose_region_lies_in_another_partition_is_refused() {
    let text = plan_with("", "", "", "").replace(
        "Orders",
        "arn:aws:dynamodb:cn-north-1:111111111111:table/Orders",
    );
    assert_violation(
        &text,
        10,
        "the Region cn-north-1 of the table",
        "partitions",
    );
}

#[test]
fn a_table_of_another_account_than_the_role_is_refused() {
    let role = "role = 'arn:aws:iam::111111111111:role/Exporter'";
    let text = plan_with(role, "", "", "").replace(
        "Orders",
        "arn:aws:dynamodb:eu-west-1:444444444444:table/Orders",
    );
    assert_violation(
        &text,
        10,
        "of account 444444444444",
        "exported by its own account",
    );
}

#[test]
fn the_same_table_twice_with_the_same_settings_is_refused() {
    let text = format!(
        "{}[[tables]]\nname = \"Orders\"\n",
        plan_with("", "", "", "")
    );
    assert_violation(&text, 12, "a second time", "remove one of the two");
    let by_arn = format!(
        "{}[[tables]]\nname = \"arn:aws:dynamodb:eu-west-1:111111111111:table/Orders\"\n",
        plan_with("region = 'eu-west-1'", "", "", "")
    );
    assert_violation(&by_arn, 12, "a second time", "remove one of the two");
    let other = format!("{text}format = 'ION'\n");
    assert!(parse(&other).is_ok());
}

#[rstest]
#[case::empty("", "the plan is empty")]
#[case::comment("# nothing\n", "the plan is empty")]
#[case::single_table(
    "source.profile = 'p'\ndestination.bucket = 'bb'\n[tables]\nname = 'abc'",
    "`tables` must be a list of tables"
)]
#[case::names(
    "source.profile = 'p'\ndestination.bucket = 'bb'\ntables = [7]",
    "`tables` must be a list of tables"
)]
#[case::none(
    "source.profile = 'p'\ndestination.bucket = 'bb'\ntables = []",
    "names no table"
)]
#[case::source_text(
    "source = 'p'\ndestination.bucket = 'bb'\n[[tables]]\nname = 'abc'",
    "`source` must be a table"
)]
fn a_plan_has_its_sections(#[case] text: &str, #[case] message: &str) {
    let (_, found, _) = only_violation(text);
    assert!(found.contains(message), "{found}");
}

#[rstest]
#[case::unclosed("[source\nprofile = 'x'", 1)]
#[case::bare("[source]\nprofile = prod", 2)]
#[case::twice("[source]\nprofile = 'a'\nprofile = 'b'", 3)]
#[case::open_string("[source]\nprofile = 'a\n", 2)]
fn what_is_no_toml_is_told_with_its_line(#[case] text: &str, #[case] line: u32) {
    let violations = parse(text).unwrap_err();
    let first = violations.iter().next().unwrap();
    assert_eq!(first.line, line, "{violations}");
    assert!(!first.hint.is_empty());
}

#[test]
fn all_violations_are_told_at_once_in_the_order_of_the_lines() {
    let text = "[source]\nregoin = 'x'\n[destination]\nbucket = 'arn:aws:s3:::b-b'\nowner = 1\n\
                [encryption]\nalgorithm = 'kms'\n[[tables]]\nname = 'x'\ntime = 'now'\n[elsewhere]\n";
    let violations = parse(text).unwrap_err();
    let lines: Vec<u32> = violations.iter().map(|violation| violation.line).collect();
    assert_eq!(lines, [1, 2, 4, 5, 7, 9, 10, 11], "{violations}");
}

#[test]
fn violations_read_like_those_of_a_compiler() {
    let text = plan_with("regoin = 'eu-west-1'", "", "", "");
    assert_eq!(
        parse(&text).unwrap_err().to_string(),
        "plan.toml:3:1: error: unknown key `regoin` in [source]\n  hint: did you mean `region`?"
    );
}
