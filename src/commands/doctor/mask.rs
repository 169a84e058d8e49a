//! What is pasted elsewhere: account ids and the home directory are left out of it.

use std::path::PathBuf;

/// What is replaced in every text.
pub(super) struct Mask {
    home: Option<String>,
    hides_accounts: bool,
}

impl Mask {
    pub(super) fn of_process(shows_accounts: bool) -> Self {
        Self::new(std::env::home_dir(), shows_accounts)
    }

    fn new(home: Option<PathBuf>, shows_accounts: bool) -> Self {
        let home = home.map(|home| home.display().to_string());
        Self {
            home: home.filter(|home| home.len() > 1),
            hides_accounts: !shows_accounts,
        }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let text = match &self.home {
            Some(home) => text.replace(home, "~"),
            None => text.to_owned(),
        };
        if self.hides_accounts {
            without_accounts(&text)
        } else {
            text
        }
    }
}

/// Twelve digits that stand alone are an account; its last four stay, so that one is told from another.
fn without_accounts(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut digits = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        match digits.get(8..) {
            Some(last) if digits.len() == 12 => {
                masked.push_str("********");
                masked.push_str(last);
            }
            _ => masked.push_str(&digits),
        }
        digits.clear();
        masked.push(character);
    }
    masked.pop();
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_account_ids_the_last_four_digits_stay_and_other_numbers_stand() {
        let mask = Mask::new(Some("/home/mona".into()), false);
        for (text, expected) in [
            (
                "arn:aws:iam::123456789012:role/R",
                "arn:aws:iam::********9012:role/R",
            ),
            ("123456789012", "********9012"),
            ("01763805600000-a1b2c3d4", "01763805600000-a1b2c3d4"),
            ("/home/mona/.aws/config:12", "~/.aws/config:12"),
            ("", ""),
        ] {
            assert_eq!(mask.apply(text), expected);
        }
    }

    #[test]
    fn account_ids_are_shown_where_that_is_asked_for() {
        let mask = Mask::new(None, true);
        assert_eq!(mask.apply("123456789012"), "123456789012");
    }
}
