//! The grammar of IAM's sentence: who is not authorized to do what, on what, by which kind of policy.
//!
//! ```text
//! User: ARN is not authorized to perform: ACTION [on resource: RESOURCE] REASON [: POLICY-ARN]
//! ```
//!
//! The forms are those of the IAM user guide, `troubleshoot_access-denied`, with older services' shorter
//! ones. It is matched without white space, because tools wrap it anywhere.

mod named_policy;
mod squeezed;

use self::squeezed::Squeezed;
use tableferry_policy::evaluate::NamedPolicy;

/// Why, as far as the sentence says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StatedReason {
    /// No policy of this kind allows it.
    NoAllow(NamedPolicy),
    /// A policy of this kind denies it; of a kind that is not named where there is none.
    Deny(Option<NamedPolicy>),
    /// KMS's: the key is not in the Region, or its policy does not allow or denies it.
    KeyNotReachable,
    /// S3's: a setting of the bucket or the account prevents it. The words after `because`.
    Setting(String),
    /// No reason.
    None,
}

/// What IAM's sentence says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthorizationSentence {
    /// Actor: an ARN as a rule, as it stands there.
    pub principal: Option<String>,
    /// What was refused, as it stands there. Where the reason names another action, that one.
    pub action: Option<String>,
    /// On what: an ARN, or IAM's words such as `role NAME`.
    pub resource: Option<String>,
    /// Why.
    pub reason: StatedReason,
    /// The policy that decided, where its ARN stands at the end.
    pub policy_arn: Option<String>,
    /// The sentence breaks off.
    pub is_cut: bool,
}

impl AuthorizationSentence {
    /// The first of a text.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        find_sentences(text)
            .into_iter()
            .map(|found| found.sentence)
            .next()
    }
}

/// A sentence with its place in the text.
#[derive(Debug, Clone)]
pub(super) struct PlacedSentence {
    pub sentence: AuthorizationSentence,
    pub start: usize,
    pub end: usize,
}

/// The longest name of a principal or a resource that is looked for: an object's ARN with a key of 1,024
/// bytes is the longest there is.
const LONGEST_NAME: usize = 2300;

const VERB: &str = "notauthorizedtoperform";

/// Every sentence of a text, in its order.
pub(super) fn find_sentences(text: &str) -> Vec<PlacedSentence> {
    let squeezed = Squeezed::of(text);
    let mut found: Vec<PlacedSentence> = Vec::new();
    let mut from = 0;
    while let Some(at) = squeezed.rest(from).find(VERB).map(|at| from + at) {
        let before = found.last().map_or(0, |last| last.end);
        let (placed, next) = Parser {
            squeezed: &squeezed,
            at: at + VERB.len(),
        }
        .sentence(at, before);
        if let Some(placed) = placed {
            found.push(placed);
        }
        from = next.max(at + VERB.len());
    }
    found
}

struct Parser<'p, 't> {
    squeezed: &'p Squeezed<'t>,
    at: usize,
}

impl Parser<'_, '_> {
    fn sentence(mut self, verb: usize, before: usize) -> (Option<PlacedSentence>, usize) {
        let principal = self.principal(verb, before);
        self.eat(":");
        let action = self.action();
        // Some services name no action (aws/aws-cli#6274).
        if action.is_none() && !self.eat("null") {
            return (None, self.at);
        }
        let mut sentence = AuthorizationSentence {
            principal: principal.as_ref().map(|(name, _)| name.clone()),
            action,
            resource: None,
            reason: StatedReason::None,
            policy_arn: None,
            is_cut: false,
        };
        if self.eat("onresource:") || self.eat("onresource(s):") {
            sentence.resource = self.resource();
        } else {
            let _ = self.eat("onthisresource") || self.eat("ontheresource");
        }
        self.reason(&mut sentence);
        if sentence.reason != StatedReason::None {
            sentence.policy_arn = self.policy_arn();
        }
        let left = self.squeezed.rest(self.at);
        sentence.is_cut |= left.starts_with("...") || left.starts_with('…');
        let start = principal.map_or_else(|| self.squeezed.place(verb), |(_, start)| start);
        let placed = PlacedSentence {
            sentence,
            start,
            end: self.squeezed.place(self.at),
        };
        (Some(placed), self.at)
    }

    fn eat(&mut self, phrase: &str) -> bool {
        let is_there = self.squeezed.rest(self.at).starts_with(phrase);
        if is_there {
            self.at += phrase.len();
        }
        is_there
    }

    /// Actor: what stands between `User:` and `is`, or the word before `is`. With its place.
    fn principal(&self, verb: usize, before: usize) -> Option<(String, usize)> {
        let head = self.squeezed.text.get(..verb)?.strip_suffix("is")?;
        let lowest = head.len().saturating_sub(LONGEST_NAME);
        let user = head
            .rfind("user:")
            .filter(|at| *at >= lowest && self.squeezed.place(*at) >= before);
        if let Some(at) = user {
            let name = self.squeezed.between(at + 5, head.len()).trim();
            // A wrap breaks a name into few pieces; prose about a user is longer.
            let pieces = name.split_whitespace().count();
            if (1..=4).contains(&pieces) {
                return Some((joined(name), self.squeezed.place(at)));
            }
        }
        let end = self.squeezed.place(head.len().checked_sub(1)?) + 1;
        let original = self.squeezed.original.get(..end)?;
        let start = original
            .rfind(|character: char| character.is_whitespace() || "\"'`(>".contains(character))
            .map_or(0, |at| at + 1);
        let start = (start..=end).find(|at| original.is_char_boundary(*at))?;
        let name = original.get(start..)?;
        let is_name = start >= before && name.len() > 2 && !name.eq_ignore_ascii_case("user");
        is_name.then(|| (name.to_owned(), start))
    }

    /// `service:Action`, such as `s3:PutObject`.
    fn action(&mut self) -> Option<String> {
        let rest = self.squeezed.rest(self.at);
        let opening = rest.len() - rest.trim_start_matches(['"', '\'', '`', '[']).len();
        let from = self.at + opening;
        let rest = self.squeezed.rest(from);
        let is_service = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let service = rest.bytes().take_while(|byte| is_service(*byte)).count();
        let name = rest.get(service..)?.strip_prefix(':')?;
        let mut length = name
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'_'))
            .count();
        // Without white space the words behind run into the name.
        let ends = CLAUSES.iter().filter_map(|clause| name.find(clause));
        length = ends.fold(length, usize::min);
        let one_word = self.squeezed.word(from + service + 1);
        if one_word > 1 && one_word < length {
            // Broken within the name only where a known clause ends it.
            let ends_at_clause = name
                .get(length..)
                .is_some_and(|rest| CLAUSES.iter().any(|clause| rest.starts_with(clause)));
            if !ends_at_clause {
                length = one_word;
            }
        }
        if service == 0 || length == 0 {
            return None;
        }
        let end = from + service + 1 + length;
        let action = joined(self.squeezed.between(from, end));
        self.at = end;
        let _ = self.eat("\"") || self.eat("'") || self.eat("`") || self.eat("]");
        Some(action)
    }

    fn resource(&mut self) -> Option<String> {
        let rest = self.squeezed.rest(self.at);
        let quote = rest
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\'' | '`' | '“'));
        if let Some(quote) = quote {
            let from = self.at + quote.len_utf8();
            let closing = if quote == '“' { '”' } else { quote };
            let inner = self.squeezed.rest(from);
            if let Some(length) = inner.find(closing).filter(|length| *length <= LONGEST_NAME) {
                self.at = from + length + closing.len_utf8();
                let name = self.squeezed.between(from, from + length);
                return Some(joined(name));
            }
            self.at = from;
        }
        let from = self.at;
        let rest = self.squeezed.rest(from);
        let word = self.squeezed.word(from);
        let clause = CLAUSES
            .iter()
            .filter_map(|clause| rest.find(clause))
            .min()
            .filter(|length| *length <= LONGEST_NAME)
            .filter(|length| {
                !rest
                    .get(..*length)
                    .is_some_and(|name| name.contains("user:arn:"))
            });
        let length = match clause {
            Some(length) => length,
            None => self
                .words_of_iam(from)
                .unwrap_or_else(|| word.min(rest.len())),
        };
        // The words stand in an element of XML.
        let length = rest
            .get(..length)
            .and_then(|name| name.find("</"))
            .unwrap_or(length);
        self.at = from + length;
        let name = self.squeezed.between(from, self.at);
        let name = name.trim_end_matches(['.', ',', ';', ')', '"', '\'', '`', '}', ']']);
        let name = if joined(name).starts_with("arn:") {
            joined(name)
        } else {
            name.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        (!name.is_empty()).then_some(name)
    }

    /// IAM's own words for a resource: `role NAME`, `policy path /p/`, `instance profile NAME`.
    fn words_of_iam(&self, from: usize) -> Option<usize> {
        const KINDS: [&str; 9] = [
            "policypath",
            "instanceprofile",
            "servercertificate",
            "samlprovider",
            "role",
            "user",
            "group",
            "policy",
            "mfa",
        ];
        let rest = self.squeezed.rest(from);
        let kind = KINDS.iter().find(|kind| rest.starts_with(**kind))?;
        // The kind must be a word of its own.
        let kind_end = self.squeezed.place(from + kind.len());
        let has_space = self
            .squeezed
            .original
            .get(..kind_end)
            .is_some_and(|text| text.ends_with(char::is_whitespace));
        has_space.then(|| kind.len() + self.squeezed.word(from + kind.len()))
    }

    fn reason(&mut self, sentence: &mut AuthorizationSentence) {
        let start = self.at;
        if self.eat("withanexplicitdeny") {
            self.deny(sentence);
            return;
        }
        if !self.eat("because") {
            let left = self.squeezed.rest(self.at);
            sentence.is_cut = is_begun(left, "because") || is_begun(left, "withanexplicitdeny");
            return;
        }
        if self.eat("no") {
            let is_last = self.is_last_line();
            if let Some((kind, length)) =
                named_policy::at_start(self.squeezed.rest(self.at), is_last)
            {
                self.at += length;
                sentence.reason = StatedReason::NoAllow(kind);
                sentence.is_cut = self.squeezed.rest(self.at).is_empty();
                self.allowed_action(sentence);
                return;
            }
            sentence.is_cut = self.squeezed.rest(self.at).len() < 20;
        } else if self.eat("theresourcedoesnotexistinthisregion") {
            sentence.reason = StatedReason::KeyNotReachable;
            let _ = self.eat(",noresource-basedpoliciesallowaccess");
            let _ = self.eat(",oraresource-basedpolicyexplicitlydeniesaccess");
            return;
        } else if self.squeezed.rest(self.at).is_empty() {
            sentence.is_cut = true;
        } else {
            let words = self.rest_of_sentence();
            if !words.is_empty() {
                sentence.reason = StatedReason::Setting(words);
                return;
            }
        }
        self.at = start;
    }

    /// Whether nothing follows: the text was cut here.
    fn is_last_line(&self) -> bool {
        self.squeezed.rest(self.at).len() <= 24
    }

    fn deny(&mut self, sentence: &mut AuthorizationSentence) {
        sentence.reason = StatedReason::Deny(None);
        let before = self.at;
        if !self.eat("in") {
            sentence.is_cut = is_begun(self.squeezed.rest(self.at), "ina");
            return;
        }
        let is_last = self.is_last_line();
        // The longer articles first: `an identity` begins with `a`.
        for article in ["the", "an", "a", ""] {
            let at = self.at;
            if self.eat(article)
                && let Some((kind, length)) =
                    named_policy::at_start(self.squeezed.rest(self.at), is_last)
            {
                self.at += length;
                sentence.reason = StatedReason::Deny(Some(kind));
                let _ = self.eat("policy");
                return;
            }
            self.at = at;
        }
        self.at = before;
        sentence.is_cut = is_last;
    }

    /// `policy allows the ACTION action`: the action that the reason names.
    fn allowed_action(&mut self, sentence: &mut AuthorizationSentence) {
        let _ = self.eat("policies") || self.eat("policy");
        if !(self.eat("allows") || self.eat("allow")) {
            return;
        }
        self.eat("the");
        if let Some(action) = self.action() {
            let is_whole = self.eat("action");
            let is_other = sentence
                .action
                .as_ref()
                .is_some_and(|first| !first.eq_ignore_ascii_case(&action));
            if is_other && is_whole {
                sentence.action = Some(action);
            }
        }
    }

    /// The rest of the sentence: up to a full stop, a parenthesis, a quote or the end of the line.
    fn rest_of_sentence(&mut self) -> String {
        let start = self.squeezed.place(self.at);
        let original = self.squeezed.original.get(start..).unwrap_or_default();
        let end = original
            .find(['(', '"', '<'])
            .into_iter()
            .chain(original.find(". "))
            .chain(original.find(".\n"))
            .chain(original.find("\n\n"))
            .min()
            .unwrap_or(original.len())
            .min(400);
        let end = (0..=end)
            .rev()
            .find(|at| original.is_char_boundary(*at))
            .unwrap_or(0);
        let words = original.get(..end).unwrap_or_default();
        self.at += words
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(char::len_utf8)
            .sum::<usize>();
        let words = words.trim_end_matches(['.', ' ', '\n']);
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn policy_arn(&mut self) -> Option<String> {
        let rest = self.squeezed.rest(self.at);
        let opening = rest.len() - rest.trim_start_matches([':', '"', '\'']).len();
        if !rest.get(opening..)?.starts_with("arn:") || !rest.starts_with(':') {
            return None;
        }
        let from = self.at + opening;
        let original = self
            .squeezed
            .original
            .get(self.squeezed.place(from)..)
            .unwrap_or_default();
        let end = original
            .find(|character: char| character.is_whitespace() || "\"'()<>,;`}".contains(character))
            .unwrap_or(original.len());
        let name = original.get(..end)?.trim_end_matches(['.', ':']);
        self.at = from + name.len();
        Some(name.to_owned())
    }
}

/// What may follow an action or a resource, without white space.
const CLAUSES: [&str; 5] = [
    "onresource",
    "onthisresource",
    "because",
    "withanexplicitdeny",
    "encodedauthorization",
];

/// Whether the text is the beginning of a phrase, and no more.
fn is_begun(text: &str, phrase: &str) -> bool {
    let text = text.trim_end_matches(['.', '…']);
    text.len() >= 2 && phrase.starts_with(text)
}

/// A name without the white space that a wrap put into it.
fn joined(name: &str) -> String {
    name.split_whitespace().collect()
}

#[cfg(test)]
mod tests;
