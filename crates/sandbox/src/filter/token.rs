//! The tokens of an expression, with its names and values put in.

use serde_json::{Map, Value};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, written as it is or put in for a `#name`, which is no keyword.
    Name { text: String, is_put_in: bool },
    /// What was put in for a `:value`.
    Value(Value),
    /// A whole number, such as a list's index.
    Number(usize),
    /// `=`, `<>`, `(` and the like.
    Sign(&'static str),
}

const SIGNS: [&str; 13] = [
    "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "[", "]", "-",
];

/// Tokens that are read one after the other.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    at: usize,
}

impl Tokens {
    pub(super) fn of(
        text: &str,
        names: &Map<String, Value>,
        values: &Map<String, Value>,
    ) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                tokens.push(Token::Sign(sign));
                rest = rest.get(sign.len()..).unwrap_or_default().trim_start();
                continue;
            }
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let skipped = usize::from(matches!(first, '#' | ':'));
            let body = rest.get(skipped..).unwrap_or_default();
            let length = body.find(|c: char| !is_word(c)).unwrap_or(body.len());
            if length == 0 {
                return Err(format!("Syntax error; token: \"{first}\""));
            }
            let (word, after) = rest.split_at(skipped + length);
            tokens.push(token(word, first, names, values)?);
            rest = after.trim_start();
        }
        Ok(Self { tokens, at: 0 })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// Reads a sign, if it comes next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a keyword, if it comes next.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(
            self.peek(),
            Some(Token::Name { text, is_put_in: false }) if text.eq_ignore_ascii_case(word)
        );
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a sign that must come next.
    pub(super) fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(self.syntax_error())
    }

    pub(super) fn expect_end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax_error()),
        }
    }

    pub(super) fn syntax_error(&self) -> String {
        match self.peek() {
            None => "Syntax error; token: <EOF>".to_owned(),
            Some(Token::Name { text, .. }) => format!("Syntax error; token: \"{text}\""),
            Some(Token::Sign(sign)) => format!("Syntax error; token: \"{sign}\""),
            Some(Token::Number(number)) => format!("Syntax error; token: \"{number}\""),
            Some(Token::Value(_)) => "Syntax error; token: a value".to_owned(),
        }
    }
}

fn token(
    word: &str,
    first: char,
    names: &Map<String, Value>,
    values: &Map<String, Value>,
) -> Result<Token, String> {
    match first {
        '#' => {
            let name = names.get(word).and_then(Value::as_str).ok_or_else(|| {
                format!(
                    "An expression attribute name used in the document path is not defined; attribute \
                     name: {word}"
                )
            })?;
            Ok(Token::Name {
                text: name.to_owned(),
                is_put_in: true,
            })
        }
        ':' => values.get(word).cloned().map(Token::Value).ok_or_else(|| {
            format!(
                "An expression attribute value used in expression is not defined; attribute value: {word}"
            )
        }),
        digit if digit.is_ascii_digit() => word
            .parse()
            .map(Token::Number)
            .map_err(|_| format!("Syntax error; token: \"{word}\"")),
        _ => Ok(Token::Name {
            text: word.to_owned(),
            is_put_in: false,
        }),
    }
}
