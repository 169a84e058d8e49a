//! What point-in-time recovery costs once it is on: an estimate, since prices are not read.

use bytesize::ByteSize;

/// US dollar cents per GB-month in us-east-2, as a calculator's notes gave them in 2026; AWS's own list
/// is the Price List API, volume type "Point-In-Time-Restore (PITR) Backup Storage".
const CENTS_PER_GB_MONTH: u64 = 20;

/// How it is billed, and what that amounts to for a table of so many bytes.
pub(super) fn sentence(table: Option<u64>) -> String {
    let billed = "it is billed by the table's size, per GB-month, for as long as it is on";
    match table {
        Some(bytes) => format!(
            "{billed}: an estimate for {} is {} a month, at $0.{CENTS_PER_GB_MONTH} per GB-month \
             (us-east-2; other Regions have other prices)",
            ByteSize::b(bytes).display().iec(),
            amount(bytes),
        ),
        None => format!("{billed}; the table's size was not read, so that there is no estimate"),
    }
}

fn amount(bytes: u64) -> String {
    // AWS bills by GB of 2^30 bytes.
    let cents = u128::from(bytes) * u128::from(CENTS_PER_GB_MONTH) / (1 << 30);
    match cents {
        0 => "less than $0.01".to_owned(),
        _ => format!("${}.{:02}", cents / 100, cents % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_called_one_and_says_its_price() {
        let of = |bytes| sentence(Some(bytes));
        assert!(of(9_120).contains("an estimate for 8.9 KiB is less than $0.01 a month"));
        assert!(of(500 << 30).contains("an estimate for 500.0 GiB is $100.00 a month"));
        assert!(of(u64::MAX).contains("$0.20 per GB-month (us-east-2"));
        assert!(sentence(None).contains("no estimate"));
    }
}
