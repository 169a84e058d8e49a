//! What follows from a value and a secret: HMAC-SHA-256 (RFC 2104) of the value behind one byte that says
//! what is made of it.
//!
//! Equal values have equal results, wherever they stand: a text as it is without escapes, a number in
//! whichever spelling, bytes as they are. A text and a number that look the same are different values.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The fewest bytes of a secret: half of what SHA-256 has, and too many to be tried.
const LEAST_BYTES: usize = 16;

/// The secret of the keyed methods.
#[derive(Clone)]
pub struct MaskSecret(Vec<u8>);

/// Why bytes are no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// There are none.
    #[error("it is empty")]
    Empty,
    /// There are too few.
    #[error("it has {0} bytes, and at least {LEAST_BYTES} are needed")]
    Short(usize),
}

impl MaskSecret {
    /// The secret without the line end that editors and `echo` put behind it.
    ///
    /// # Errors
    /// Where it is empty or has fewer than 16 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        match bytes.len() {
            0 => Err(InvalidSecret::Empty),
            length if length < LEAST_BYTES => Err(InvalidSecret::Short(length)),
            _ => Ok(Self(bytes.to_vec())),
        }
    }

    /// What tells whether another secret is the same, and nothing else of it: 128 bits in hexadecimal.
    #[must_use]
    pub fn check_value(&self) -> String {
        Keyed::new(self).text(Made::CheckValue, b"")
    }
}

impl fmt::Debug for MaskSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskSecret")
    }
}

/// What is made of a value; each has results of its own.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Made {
    Text = b'S',
    Number = b'N',
    Bytes = b'B',
    /// Of a list, a map or a boolean.
    Other = b'V',
    Email = b'E',
    DigitsOfText = b'D',
    DigitsOfNumber = b'd',
    CheckValue = b'C',
}

/// The functions of one secret.
#[derive(Clone)]
pub(super) struct Keyed(Hmac<Sha256>);

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed")
    }
}

impl Keyed {
    pub(super) fn new(secret: &MaskSecret) -> Self {
        // "Keys longer than B bytes are first hashed" (RFC 2104, section 3): none is of a wrong length.
        let mac = Hmac::new_from_slice(&secret.0);
        Self(mac.unwrap_or_else(|_| Hmac::new(&Key::<Hmac<Sha256>>::default())))
    }

    fn digest(&self, made: Made, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(&[made as u8]);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn half(&self, made: Made, value: &[u8]) -> [u8; 16] {
        let digest = self.digest(made, &[value]);
        *digest.first_chunk().unwrap_or(&[0; 16])
    }

    /// 128 bits in hexadecimal.
    pub(super) fn text(&self, made: Made, value: &[u8]) -> String {
        hex::encode(self.half(made, value))
    }

    /// A whole number of 38 digits, the most that `DynamoDB` holds.
    pub(super) fn number(&self, canonical: &[u8]) -> String {
        const SMALLEST: u128 = 10_u128.pow(37);
        let half = u128::from_be_bytes(self.half(Made::Number, canonical));
        (SMALLEST + half % (9 * SMALLEST)).to_string()
    }

    /// 16 bytes, in base64.
    pub(super) fn bytes(&self, value: &[u8]) -> String {
        BASE64.encode(self.half(Made::Bytes, value))
    }

    /// An address of its own below the domain that is kept for examples (RFC 2606, section 3).
    pub(super) fn email(&self, value: &[u8]) -> String {
        format!("{}@example.com", self.text(Made::Email, value))
    }

    /// As many digits as the value has, each in its place, with all other characters as they are.
    pub(super) fn digits_of_text(&self, value: &str) -> String {
        let mut digits = Digits::new(self, Made::DigitsOfText, value.as_bytes());
        let replace = |c: char| match c {
            '0'..='9' => char::from(b'0' + digits.next()),
            other => other,
        };
        value.chars().map(replace).collect()
    }

    /// A whole number of as many digits, and of the same sign.
    pub(super) fn digits_of_number(&self, value: &str) -> String {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let mut made = Digits::new(self, Made::DigitsOfNumber, value.as_bytes());
        let mut number = String::with_capacity(value.len());
        if digits.len() < value.len() {
            number.push('-');
        }
        for index in 0..digits.len() {
            let mut digit = made.next();
            // A number that begins with zero has fewer digits, and -0 is 0.
            while index == 0 && digit == 0 && value.len() > 1 {
                digit = made.next();
            }
            number.push(char::from(b'0' + digit));
        }
        number
    }
}

/// Digits without end, each as likely as any other.
struct Digits<'k> {
    keyed: &'k Keyed,
    made: Made,
    value: &'k [u8],
    block: [u8; 32],
    blocks: u32,
    at: usize,
}

impl<'k> Digits<'k> {
    const fn new(keyed: &'k Keyed, made: Made, value: &'k [u8]) -> Self {
        Self {
            keyed,
            made,
            value,
            block: [0; 32],
            blocks: 0,
            at: 32,
        }
    }

    fn next(&mut self) -> u8 {
        loop {
            let Some(byte) = self.block.get(self.at).copied() else {
                let count = self.blocks.to_be_bytes();
                self.block = self.keyed.digest(self.made, &[&count, self.value]);
                self.blocks += 1;
                self.at = 0;
                continue;
            };
            self.at += 1;
            // 250 is the last multiple of ten that a byte holds.
            if byte < 250 {
                return byte % 10;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(secret: &[u8]) -> Keyed {
        Keyed::new(&MaskSecret::new(secret).unwrap())
    }

    // `printf 'Salice' | openssl dgst -sha256 -hmac 0123456789abcdef`, and Python's hmac.
    #[test]
    fn a_text_has_the_first_half_of_its_hmac() {
        let keyed = keyed(b"0123456789abcdef");
        assert_eq!(
            keyed.text(Made::Text, b"alice"),
            "4f9d8cc6567e17cabb435b668edfce7f"
        );
        assert_eq!(
            keyed.number(b"42e0"),
            "21051968943561390812187739960967491316"
        );
        assert_eq!(keyed.bytes(b"\x00\x01"), "rCZaBupkfyJC8dK0g1XmfQ==");
        assert_eq!(
            keyed.email(b"a@b.c"),
            "48a526ee8688a8997a0ec24bc0e15f33@example.com"
        );
        assert_eq!(keyed.digits_of_text("+49 (170) 12-34"), "+49 (388) 83-79");
        assert_eq!(keyed.digits_of_number("-1234567"), "-9111032");
    }

    #[test]
    fn one_value_has_one_result_with_each_secret_and_each_method() {
        let (one, other) = (keyed(b"0123456789abcdef"), keyed(b"0123456789abcdeg"));
        assert_ne!(one.text(Made::Text, b"1"), other.text(Made::Text, b"1"));
        assert_ne!(one.text(Made::Text, b"1"), one.text(Made::Other, b"1"));
        assert_ne!(one.text(Made::Text, b"1"), one.text(Made::Text, b"2"));
        let long = vec![7; 200];
        assert_eq!(keyed(&long).number(b"1e0"), keyed(&long).number(b"1e0"));
    }

    #[test]
    fn numbers_keep_how_many_digits_they_have() {
        let keyed = keyed(b"0123456789abcdef");
        for value in 0..2000_i64 {
            for value in [value, -value - 1] {
                let value = value.to_string();
                let made = keyed.digits_of_number(&value);
                assert_eq!(made.len(), value.len(), "{value}");
                assert_eq!(made.parse::<i64>().unwrap().to_string(), made);
                let hashed = keyed.number(value.as_bytes());
                assert_eq!(hashed.len(), 38);
                assert!(!hashed.starts_with('0'));
            }
        }
        let long = "9".repeat(10_000);
        let made = keyed.digits_of_text(&long);
        assert_eq!(made.len(), 10_000);
        for digit in '0'..='9' {
            // 1000 are expected, and the standard deviation is 30.
            let count = made.matches(digit).count();
            assert!((800..1200).contains(&count), "{digit}: {count}");
        }
    }

    #[test]
    fn a_secret_has_16_bytes_and_its_line_end_is_no_part_of_it() {
        assert_eq!(MaskSecret::new(b"").unwrap_err(), InvalidSecret::Empty);
        assert_eq!(MaskSecret::new(b"\r\n").unwrap_err(), InvalidSecret::Empty);
        let short = MaskSecret::new(b"0123456789abcde\n").unwrap_err();
        assert_eq!(short, InvalidSecret::Short(15));
        let check = |bytes: &[u8]| MaskSecret::new(bytes).unwrap().check_value();
        assert_eq!(check(b"0123456789abcdef\r\n"), check(b"0123456789abcdef"));
        assert_ne!(check(b"0123456789abcdef\n\n"), check(b"0123456789abcdef"));
        let secret = MaskSecret::new(b"0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "MaskSecret");
    }
}
