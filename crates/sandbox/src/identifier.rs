//! Identifiers: of requests, which nobody can foretell, and of things that have had theirs always.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// The identifier of a thing that is known by a name, always the same, as a UUID.
pub(super) fn uuid_of(name: &str) -> String {
    uuid(&Sha256::digest(name))
}

/// An identifier that nobody has had before, as a UUID.
pub(super) fn fresh_uuid() -> String {
    uuid(&fastrand::u128(..).to_be_bytes())
}

/// The id of an export or an import: fourteen digits of milliseconds, and eight hexadecimal ones.
pub(super) fn job_id(now: Timestamp) -> String {
    format!("{:014}-{:08x}", now.as_millisecond(), fastrand::u32(..))
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .into_iter()
        .filter_map(|range| digits.get(range))
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_always_has_the_same_identifier() {
        assert_eq!(uuid_of("Orders"), uuid_of("Orders"));
        assert_ne!(uuid_of("Orders"), uuid_of("Users"));
        assert_eq!(uuid_of("Orders").len(), 36);
    }
}
