//! Statements for archives; whether a SQL parser that knows Hive takes them is for tests/foreign.

use super::*;
use crate::archive::value::{AttributeValue, read_record};
use crate::job::View;

const FULL: &str = r#"{"version":"2020-06-30","exportArn":"arn:aws:dynamodb:eu-north-1:123456789123:table/test/export/01768385930622-efd1a093","startTime":"2026-01-14T10:18:50.622Z","endTime":"2026-01-14T10:24:58.984Z","tableArn":"arn:aws:dynamodb:eu-north-1:123456789123:table/Test-1","tableId":"x","exportTime":"2026-01-14T10:18:50.622Z","s3Bucket":"landing","s3Prefix":"p","s3SseAlgorithm":"AES256","s3SseKmsKeyId":null,"manifestFilesS3Key":"p/AWSDynamoDB/01768385930622-efd1a093/manifest-files.json","billedSizeBytes":0,"itemCount":3,"outputFormat":"DYNAMODB_JSON"}"#;

fn summary(format: Format, is_incremental: bool) -> Summary {
    let mut summary = Summary::parse(FULL.as_bytes()).unwrap();
    summary.format = Some(format);
    if is_incremental {
        summary.span = Some(Span::Incremental {
            from: "2026-01-14T10:20:00Z".parse().unwrap(),
            to: "2026-01-14T10:35:00Z".parse().unwrap(),
            view: View::NewAndOldImages,
        });
    }
    summary
}

fn placement() -> Placement {
    Placement {
        bucket: "landing".to_owned(),
        folder: "p/AWSDynamoDB/01768385930622-efd1a093/".to_owned(),
        files: vec!["p/AWSDynamoDB/data/a.json.gz".to_owned()],
        id: "01768385930622-efd1a093".to_owned(),
        table: None,
    }
}

fn columns(lines: &[&str], view: Option<View>) -> Columns {
    let mut columns = Columns::default();
    for line in lines {
        columns.add(&read_record(line, Format::DynamoDbJson, view).unwrap());
    }
    columns
}

fn statements_of(lines: &[&str]) -> String {
    let columns = columns(lines, None);
    statements(
        &summary(Format::DynamoDbJson, false),
        &columns,
        None,
        &placement(),
    )
}

#[test]
fn the_columns_are_those_of_the_data_with_sets_as_arrays() {
    // The form of the table that people use (FACTS: AWS's samples), with the set's type set right.
    let text = statements_of(&[
        r#"{"Item":{"id":{"S":"a"},"coins":{"N":"1.25"},"tags":{"SS":["x"]},"m":{"M":{"a":{"S":"b"}}}}}"#,
        r#"{"Item":{"id":{"S":"b"},"coins":{"N":"7"},"list":{"L":[{"N":"1"},{"S":"x"}]}}}"#,
    ]);
    let column = "`item` struct<`coins`:struct<`n`:string>,`id`:struct<`s`:string>,`list`:struct<`l`:array<struct<`s`:string,`n`:string>>>,`m`:struct<`m`:struct<`a`:struct<`s`:string>>>,`tags`:struct<`ss`:array<string>>>";
    assert!(text.contains(column), "{text}");
    for part in [
        "CREATE EXTERNAL TABLE IF NOT EXISTS `test_1_export` (",
        "PARTITIONED BY (`export` string)",
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
        "LOCATION 's3://landing/p/AWSDynamoDB/';",
        "ADD IF NOT EXISTS PARTITION (`export` = '01768385930622-efd1a093') LOCATION 's3://landing/p/AWSDynamoDB/01768385930622-efd1a093/data/';",
        "CAST(\"item\".\"coins\".\"n\" AS decimal(38,2)) AS \"coins\"",
        "\"item\".\"id\".\"s\" AS \"id\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("SERDEPROPERTIES"), "{text}");
}

#[test]
fn names_that_differ_in_case_only_are_mapped_and_case_is_kept() {
    let text = statements_of(&[r#"{"Item":{"url":{"S":"a"},"Url":{"S":"b"},"s":{"N":"1"}}}"#]);
    // "case.insensitive … FALSE … then, for every key that is not already all lowercase, provide a
    // mapping" (Athena user guide, OpenX JSON SerDe).
    for part in [
        "'case.insensitive' = 'FALSE'",
        "'mapping.item' = 'Item'",
        "'mapping.url_2' = 'Url'",
        "`url`:struct<`s_2`:string>",
        "'mapping.s_2' = 'S'",
        "`s`:struct<`n`:string>",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn names_with_dots_are_read_with_underscores() {
    let text = statements_of(&[r#"{"Item":{"a.b":{"S":"x"},"c-d":{"S":"y"}}}"#]);
    for part in [
        "'dots.in.keys' = 'TRUE'",
        "'mapping.a_b' = 'a.b'",
        "'mapping.c_d' = 'c-d'",
        "`a_b`:struct<`s`:string>",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("case.insensitive"), "{text}");
}

#[test]
fn an_incremental_export_is_a_partition_of_its_files() {
    let line = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"pk":{"S":"2"}},"OldImage":{"pk":{"S":"2"},"test":{"S":"test"}}}"#;
    let columns = columns(&[line], Some(View::NewAndOldImages));
    let keys = KeySchema::new(vec!["pk:S".parse().unwrap()]).unwrap();
    let summary = summary(Format::DynamoDbJson, true);
    let text = statements(&summary, &columns, Some(&keys), &placement());
    let image = "struct<`pk`:struct<`s`:string>,`test`:struct<`s`:string>>";
    for part in [
        "`metadata` struct<`writetimestampmicros`:struct<`n`:string>>",
        "`keys` struct<`pk`:struct<`s`:string>>",
        &format!("`oldimage` {image}"),
        &format!("`newimage` {image}"),
        "SymlinkTextInputFormat",
        "LOCATION 's3://landing/p/AWSDynamoDB/athena/01768385930622-efd1a093/';",
        "s3://landing/p/AWSDynamoDB/athena/01768385930622-efd1a093/files.txt",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.find("\"pk\"") < text.find("\"test\""), "{text}");
    assert_eq!(
        file_list(&placement()),
        "s3://landing/p/AWSDynamoDB/data/a.json.gz\n"
    );
}

#[test]
fn ion_has_the_values_themselves() {
    let number = |text: &str| AttributeValue::Number(text.to_owned());
    let items = [
        vec![
            ("id".to_owned(), AttributeValue::String("a".to_owned())),
            ("total".to_owned(), number("12.50")),
            (
                "seal".to_owned(),
                AttributeValue::Binary("aGVsbG8=".to_owned()),
            ),
            ("mixed".to_owned(), number("1")),
            ("none".to_owned(), AttributeValue::Null),
        ],
        vec![("mixed".to_owned(), AttributeValue::Bool(true))],
    ];
    let mut columns = Columns::default();
    for item in items {
        columns.add(&Record::Item(item));
    }
    let text = statements(&summary(Format::Ion, false), &columns, None, &placement());
    let column = "`item` struct<`id`:string,`mixed`:string,`none`:string,`seal`:binary,`total`:decimal(38,1)>";
    assert!(text.contains(column), "{text}");
    assert!(
        text.contains("IonInputFormat") && text.contains("\"item\".\"total\""),
        "{text}"
    );
}
