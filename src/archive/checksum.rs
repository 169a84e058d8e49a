//! The checksum files beside the manifests: an MD5 in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};

/// The MD5 of some bytes in base64, as the checksum files and `md5Checksum` hold it.
#[must_use]
pub fn md5_base64(bytes: &[u8]) -> String {
    BASE64.encode(Md5::digest(bytes))
}

/// The MD5 of some bytes in hexadecimal, which is the `ETag` of an object that was put in one
/// piece and is not encrypted with KMS.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// Whether two texts are one MD5, each in base64 or in hexadecimal.
#[must_use]
pub fn is_same_md5(one: &str, other: &str) -> bool {
    digest_of(one).is_some_and(|digest| digest_of(other) == Some(digest))
}

/// An MD5 that is written in base64 or in hexadecimal; `None` where the text is none.
#[must_use]
pub fn digest_of(text: &str) -> Option<Vec<u8>> {
    let decoded = match text.len() {
        32 => hex::decode(text).ok(),
        _ => BASE64.decode(text).ok(),
    };
    decoded.filter(|digest| digest.len() == 16)
}

/// Why a file does not match its checksum file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumMismatch {
    /// What lies in the checksum file's place is no MD5 in base64, so that it says nothing of the file.
    #[error("its checksum file is no checksum: `{0}` is not an MD5 in base64")]
    NoChecksum(String),
    /// The file is not the one that the checksum was made of.
    #[error("its MD5 is {found}, and its checksum file says {expected}")]
    Differs {
        /// What the checksum file says.
        expected: String,
        /// What the file has.
        found: String,
    },
}

/// Checks a file against the content of its checksum file; space around the checksum is ignored.
pub fn check(bytes: &[u8], checksum_file: &str) -> Result<(), ChecksumMismatch> {
    let expected = checksum_file.trim();
    if BASE64.decode(expected).map(|digest| digest.len()) != Ok(16) {
        let shown = expected.chars().take(64).flat_map(char::escape_default);
        return Err(ChecksumMismatch::NoChecksum(shown.collect()));
    }
    let found = md5_base64(bytes);
    if found == expected {
        Ok(())
    } else {
        Err(ChecksumMismatch::Differs {
            expected: expected.to_owned(),
            found,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The MD5 of "abc" from RFC 1321, appendix A.5: 900150983cd24fb0d6963f7d28e17f72.
    const MD5_OF_ABC: &str = "kAFQmDzST7DWlj99KOF/cg==";

    #[test]
    fn an_md5_is_given_in_base64_and_in_hexadecimal() {
        assert_eq!(md5_base64(b"abc"), MD5_OF_ABC);
        assert_eq!(md5_hex(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn a_checksum_file_may_end_with_a_line_break() {
        assert_eq!(check(b"abc", &format!("{MD5_OF_ABC}\n")), Ok(()));
    }

    #[test]
    fn another_file_is_told_from_a_text_that_is_no_checksum() {
        assert!(matches!(
            check(b"abd", MD5_OF_ABC),
            Err(ChecksumMismatch::Differs { .. })
        ));
        for text in ["", "\u{1b}[2J", "YWJj", "900150983cd24fb0d6963f7d28e17f72"] {
            assert!(
                matches!(check(b"abc", text), Err(ChecksumMismatch::NoChecksum(_))),
                "{text}"
            );
        }
    }
}
