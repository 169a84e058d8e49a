//! Plans that are imports.

use jiff::Timestamp;
use rstest::rstest;

use crate::job::table_definition::{Capacity, KeyType, Projection};
use crate::job::{Encryption, Kind, Plan};

const PLAN: &str = r#"kind = "import"

[source]
profile = "dev-admin"

[destination]
profile = "dev-admin"
archive = "s3://landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4"
owner = "222222222222"

[table]
name = "Orders-copy"
partition_key = "orderId:S"
sort_key = "line:N"
read_units = 5
write_units = 10

[[table.indexes]]
name = "by-city"
partition_key = "city:S"
attributes = ["name", "total"]
read_units = 1
write_units = 2
"#;

fn parse(text: &str) -> Result<Plan, String> {
    Plan::parse(text, "plan", Timestamp::UNIX_EPOCH).map_err(|violations| violations.to_string())
}

#[test]
fn an_import_is_read_and_written_the_same() {
    let plan = parse(PLAN).unwrap();
    let Kind::Import(table) = &plan.kind else {
        panic!("{plan:?}");
    };
    assert_eq!(table.keys.partition.name, "orderId");
    assert_eq!(table.capacity.map(|units| units.write_units), Some(10));
    let index = &table.indexes[0];
    let names = vec!["name".to_owned(), "total".to_owned()];
    assert_eq!(index.projection, Projection::Include(names));
    let (read_units, write_units) = (1, 2);
    assert_eq!(
        index.capacity,
        Some(Capacity {
            read_units,
            write_units
        })
    );
    assert_eq!(plan.encryption, Encryption::BucketDefault);
    assert_eq!(
        plan.data_folder(),
        "prod/AWSDynamoDB/01763805600000-a1b2c3d4/data/"
    );
    assert_eq!(plan.to_toml(), PLAN);
}

/// The attributes are those of keys alone: one that is left over is refused by AWS (LIVE,
/// terraform-provider-aws#39875).
#[test]
fn the_attributes_of_a_table_are_those_of_its_keys() {
    let plan = parse(PLAN).unwrap();
    let attributes = plan.new_table().unwrap().attributes();
    let attributes: Vec<_> = attributes.into_iter().collect();
    assert_eq!(
        attributes,
        [
            ("city", KeyType::S),
            ("line", KeyType::N),
            ("orderId", KeyType::S)
        ]
    );
}

#[rstest]
#[case::the_data_folder_is_taken_away(
    "/01763805600000-a1b2c3d4\"",
    "/01763805600000-a1b2c3d4/data/\"",
    None
)]
#[case::the_folder_of_incremental_exports(
    "/01763805600000-a1b2c3d4\"",
    "/data\"",
    Some("incremental exports share")
)]
#[case::no_export(
    "AWSDynamoDB/",
    "",
    Some("does not end as the folder of an export does")
)]
#[case::no_type("orderId:S", "orderId", Some("`orderId` names no type"))]
#[case::another_type("orderId:S", "orderId:X", Some("`X` is no type of a key"))]
#[case::two_types(
    "city:S",
    "orderId:N",
    Some("has one type in one key and another in another")
)]
#[case::a_name_too_short("Orders-copy", "O", Some("`O` is no name of a table"))]
#[case::units_alone("read_units = 5\n", "", Some("are given together"))]
#[case::an_index_without_units(
    "read_units = 1\nwrite_units = 2\n",
    "",
    Some("the index by-city lacks")
)]
#[case::tables(
    "[table]",
    "[[tables]]\nname = \"x\"\n[table]",
    Some("unknown key `tables`")
)]
fn what_no_import_can_be_is_refused(
    #[case] part: &str,
    #[case] other: &str,
    #[case] problem: Option<&str>,
) {
    let read = parse(&PLAN.replacen(part, other, 1));
    match problem {
        Some(problem) => {
            let violations = read.unwrap_err();
            assert!(violations.contains(problem), "{violations}");
        }
        None => assert_eq!(read.unwrap(), parse(PLAN).unwrap()),
    }
}
