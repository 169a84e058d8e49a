//! `[prices.REGION]`: what a gigabyte costs, which no version of the program knows by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::assess::cost::{Money, Prices, RegionPrices};

/// `[prices."eu-west-1"]`, or `[prices.default]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceFile {
    currency: Option<String>,
    #[serde(default, deserialize_with = "money")]
    full_export: Option<Money>,
    #[serde(default, deserialize_with = "money")]
    incremental_export: Option<Money>,
    #[serde(default, deserialize_with = "money")]
    transfer: Option<Money>,
    #[serde(default, deserialize_with = "money")]
    write_units: Option<Money>,
}

/// The prices of a file.
pub(super) fn prices<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Prices, D::Error> {
    let file = BTreeMap::<String, PriceFile>::deserialize(deserializer)?;
    let mut currencies: Vec<&str> = file
        .values()
        .filter_map(|prices| prices.currency.as_deref())
        .collect();
    currencies.dedup();
    let currency = match currencies.as_slice() {
        [] => "USD".to_owned(),
        [one] => (*one).to_owned(),
        _ => {
            return Err(serde::de::Error::custom(
                "the prices of all Regions are added up: give them in one currency",
            ));
        }
    };
    let regions = file.into_iter().map(|(region, prices)| {
        let prices = RegionPrices {
            full_export: prices.full_export,
            incremental_export: prices.incremental_export,
            transfer: prices.transfer,
            write_units: prices.write_units,
        };
        (region, prices)
    });
    Ok(Prices {
        currency,
        regions: regions.collect(),
    })
}

/// A price or a limit, as a number with at most six decimals.
pub(super) fn money<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
    let number = f64::deserialize(deserializer)?;
    let wrong = || {
        serde::de::Error::custom(format!(
            "`{number}` is no price: give a number such as 0.11"
        ))
    };
    if !(0.0..=1e9).contains(&number) {
        return Err(wrong());
    }
    // Six decimals are millionths: the text is exact where a product of floats is not.
    let digits = format!("{number:.6}").replace('.', "");
    let millionths = digits.parse().map_err(|_| wrong())?;
    Ok(Some(Money(millionths)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Prices, toml::de::Error> {
        #[derive(Deserialize)]
        struct PricesFile {
            #[serde(deserialize_with = "prices")]
            prices: Prices,
        }
        toml::from_str::<PricesFile>(text).map(|file| file.prices)
    }

    #[test]
    fn prices_are_read_to_the_millionth() {
        let text = "[prices.'eu-west-1']\ncurrency = 'EUR'\nfull_export = 0.1083\ntransfer = 2\n";
        let prices = read(text).unwrap();
        assert_eq!(prices.currency, "EUR");
        let home = prices.regions["eu-west-1"];
        assert_eq!(home.full_export, Some(Money(108_300)));
        assert_eq!(home.transfer, Some(Money(2_000_000)));
        assert_eq!(home.incremental_export, None);
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "[prices.default]\nfull_export = -0.1\n",
            "[prices.default]\nfull_export = '0.1'\n",
            "[prices.default]\nfull = 0.1\n",
            "[prices.a]\ncurrency = 'EUR'\n[prices.b]\ncurrency = 'USD'\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
