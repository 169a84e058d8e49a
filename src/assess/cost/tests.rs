use jiff::Timestamp;

use super::*;
use crate::assess::facts::{
    BucketFacts, Caller, Fact, PrincipalFacts, TableDescription, TableFacts,
};
use crate::job::TableStatus;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A plan of a full export of Orders and an incremental one of Users.
fn plan() -> Plan {
    let text = "tables = [{name = 'Orders'}, {name = 'Users', type = 'INCREMENTAL_EXPORT', \
                from = '2026-11-21T00:00:00Z', to = '2026-11-21T12:00:00Z'}]\n\
                [source]\nprofile = 'p'\n[destination]\nbucket = 'landing'\n";
    Plan::parse(text, "plan.toml", now()).unwrap()
}

/// Facts of Orders with so many bytes, and of a bucket in this Region.
fn facts(bytes: Option<u64>, bucket_region: &str) -> Facts {
    let caller = Caller {
        arn: "arn:aws:iam::111111111111:user/pat".parse().unwrap(),
        account: "111111111111".parse().unwrap(),
        user_id: "AIDAEXAMPLEEXAMPLE001".to_owned(),
    };
    let source = PrincipalFacts::new(caller, "eu-west-1".parse().unwrap());
    let mut facts = Facts::new(source, now());
    let mut bucket = BucketFacts::UNREAD;
    bucket.region = Fact::known(bucket_region.parse().unwrap(), now(), "test");
    *facts.bucket_mut(&"landing".parse().unwrap()) = bucket;
    let mut orders = TableFacts::new("Orders");
    orders.description = Fact::known(
        TableDescription {
            arn: "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
                .parse()
                .unwrap(),
            status: TableStatus::Active,
            id: None,
            created_at: None,
            item_count: None,
            size_bytes: bytes,
            key_attributes: Vec::new(),
            key: None,
        },
        now(),
        "test",
    );
    facts.put_table(orders);
    facts
}

fn prices() -> Prices {
    let home = RegionPrices {
        full_export: Some(Money(110_000)),
        incremental_export: Some(Money(120_000)),
        transfer: None,
        write_units: Some(Money(710_000)),
    };
    let default = RegionPrices {
        transfer: Some(Money(20_000)),
        ..RegionPrices::default()
    };
    Prices {
        currency: "USD".to_owned(),
        regions: [
            ("eu-west-1".to_owned(), home),
            ("default".to_owned(), default),
        ]
        .into(),
    }
}

#[test]
fn full_exports_count_by_the_table_and_incremental_ones_by_the_minimum() {
    let estimate = Estimate::of(
        &plan(),
        &facts(Some(50_000_000_000), "eu-west-1"),
        &prices(),
    );
    assert_eq!(estimate.full_bytes, 50_000_000_000);
    assert_eq!(estimate.incremental_bytes_at_least, 10_000_000);
    // 50 GB at 0.11, and 0.01 GB at 0.12.
    assert_eq!(estimate.cost, Some(Money(5_501_200)));
    let told = estimate.sentences().join("\n");
    assert!(
        told.contains("50.00 GB of tables in 1 full export"),
        "{told}"
    );
    assert!(
        told.contains("at least 0.01 GB in 1 incremental export"),
        "{told}"
    );
    assert!(told.contains("at least 5.50 USD, an estimate"), "{told}");
}

#[test]
fn what_goes_to_another_region_is_told_and_counted_by_its_own_or_the_default_price() {
    let estimate = Estimate::of(
        &plan(),
        &facts(Some(50_000_000_000), "us-east-1"),
        &prices(),
    );
    assert_eq!(estimate.transfer_bytes_at_most, 50_000_000_000);
    // And 50 GB at 0.02 besides.
    assert_eq!(estimate.cost, Some(Money(6_501_200)));
}

#[test]
fn without_a_price_there_is_no_cost_and_what_is_missing_is_named() {
    let none = Estimate::of(&plan(), &facts(Some(1), "eu-west-1"), &Prices::default());
    assert_eq!(none.cost, None);
    let missing = [
        "full_export in eu-west-1",
        "incremental_export in eu-west-1",
    ];
    assert_eq!(none.missing_prices, missing);
    assert!(!none.sentences().join(" ").contains("estimate"));
}

#[test]
fn a_size_that_was_not_read_is_told_and_leaves_the_cost_open() {
    let estimate = Estimate::of(&plan(), &facts(None, "eu-west-1"), &prices());
    assert_eq!(estimate.unknown_sizes, ["Orders"]);
    assert!(
        estimate
            .sentences()
            .join(" ")
            .contains("the size of 1 table is not known")
    );
}

#[test]
fn money_is_rounded_to_hundredths() {
    assert_eq!(Money(1_005_000).to_string(), "1.01");
    assert_eq!(Money(4_999).to_string(), "0.00");
    assert_eq!(Money(12_345_678_900).to_string(), "12345.68");
}

/// 0.71 for a million units are 0.00071 for a thousand.
#[test]
fn write_units_cost_what_a_million_of_them_cost_in_parts() {
    let region = RegionPrices {
        write_units: Some(Money(710_000)),
        ..RegionPrices::default()
    };
    let prices = Prices {
        currency: "EUR".to_owned(),
        regions: [("eu-west-1".to_owned(), region)].into(),
    };
    let cost = prices
        .write_cost("eu-west-1", 1_000, Some(3_000_000))
        .unwrap();
    assert_eq!(cost.least, Money(710));
    assert_eq!(cost.most, Some(Money(2_130_000)));
    assert_eq!(prices.write_cost("eu-west-2", 1_000, None), None);
}
