//! The query protocol of STS and IAM: parameters in a form, answers in XML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quick_xml::escape::partial_escape;

use super::refusal::Refusal;

/// The parameters of a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a form or a query string.
    pub(super) fn read(form: &str) -> Self {
        Self(
            form.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (
                        decode(&name.replace('+', " ")),
                        decode(&value.replace('+', " ")),
                    )
                })
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every parameter.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter that must be there.
    pub(super) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            let field = lower_first(name);
            Refusal::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{field}' failed to satisfy \
                     constraint: Member must not be null"
                ),
            )
        })
    }
}

/// A field's name as validation messages write it.
pub(super) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An answer's XML, written element by element.
#[derive(Debug, Clone, Default)]
pub(super) struct Xml(String);

impl Xml {
    /// Adds an element that holds text.
    #[must_use]
    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        let _ = write!(self.0, "<{name}>{}</{name}>", partial_escape(text));
        self
    }

    /// Adds an element that holds elements.
    #[must_use]
    pub(super) fn node(mut self, name: &str, children: &Self) -> Self {
        let _ = write!(self.0, "<{name}>{}</{name}>", children.0);
        self
    }

    /// Adds a list, whose elements are called `member`.
    #[must_use]
    pub(super) fn list(self, name: &str, members: impl IntoIterator<Item = Self>) -> Self {
        let children = members
            .into_iter()
            .fold(Self::default(), |all, member| all.node("member", &member));
        self.node(name, &children)
    }

    /// Adds a list of texts.
    #[must_use]
    pub(super) fn texts<'a>(self, name: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let children = texts
            .into_iter()
            .fold(Self::default(), |all, text| all.text("member", text));
        self.node(name, &children)
    }

    /// A document of its own, whose root element holds these.
    pub(super) fn document(self, root: &str, namespace: &str) -> String {
        format!("<{root} xmlns=\"{namespace}\">{}</{root}>", self.0)
    }

    /// The whole answer of an action.
    pub(super) fn answer(self, action: &str, namespace: &str, request_id: &str) -> String {
        format!(
            "<{action}Response xmlns=\"{namespace}\"><{action}Result>{}</{action}Result>\
             <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
             </{action}Response>",
            self.0
        )
    }
}

/// An error's answer.
pub(super) fn error_xml(refusal: &Refusal, namespace: &str, request_id: &str) -> String {
    let kind = if refusal.status >= 500 {
        "Receiver"
    } else {
        "Sender"
    };
    let error = Xml::default()
        .text("Type", kind)
        .text("Code", &refusal.code)
        .text("Message", &refusal.message);
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error>{}</Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        error.0
    )
}

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes all but the unreserved characters, as signatures and IAM's documents want.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_plus_as_blank() {
        let parameters = Parameters::read("Action=AssumeRole&RoleSessionName=a%2Bb+c&Empty=");
        assert_eq!(parameters.get("Action"), Some("AssumeRole"));
        assert_eq!(parameters.get("RoleSessionName"), Some("a+b c"));
        assert_eq!(parameters.get("Empty"), Some(""));
    }

    #[test]
    fn a_broken_escape_stays_as_it_is() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%41"), "%zzA");
        assert_eq!(decode("%é"), "%é");
    }

    #[test]
    fn text_in_xml_is_escaped() {
        let xml = Xml::default().text("Message", "a < b & c");
        assert_eq!(xml.0, "<Message>a &lt; b &amp; c</Message>");
    }
}
