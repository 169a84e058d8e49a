//! Patterns: wildcards as AWS matches them, and the policy variables that are replaced in them.
//!
//! Matching takes at most the product of both lengths, however many wildcards there are.

use std::borrow::Cow;

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GlobToken {
    /// A byte that stands for itself.
    Byte(u8),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
}

/// Something that can be matched against a text.
pub(crate) trait GlobTokens: Copy {
    /// The element at a position, or `None` past the end.
    fn token(&self, at: usize) -> Option<GlobToken>;
}

/// A pattern without variables, straight from the policy.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a>(pub(crate) &'a [u8]);

impl GlobTokens for Plain<'_> {
    fn token(&self, at: usize) -> Option<GlobToken> {
        Some(match *self.0.get(at)? {
            b'*' => GlobToken::Many,
            b'?' => GlobToken::One,
            byte => GlobToken::Byte(byte),
        })
    }
}

impl GlobTokens for &[GlobToken] {
    fn token(&self, at: usize) -> Option<GlobToken> {
        self.get(at).copied()
    }
}

/// Where the character that begins at `at` ends; `?` stands for a character, not for a byte.
fn character_end(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while text
        .get(end)
        .is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000)
    {
        end += 1;
    }
    end
}

/// Whether the whole text matches; only the last `*` is ever tried again.
pub(crate) fn matches(
    pattern: impl GlobTokens,
    text: &[u8],
    same: impl Fn(u8, u8) -> bool,
) -> bool {
    let (mut at, mut text_at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.token(at), text.get(text_at)) {
            (None, None) => return true,
            (Some(GlobToken::Many), _) => {
                at += 1;
                if pattern.token(at).is_none() {
                    return true;
                }
                retry = Some((at, text_at));
                continue;
            }
            (Some(GlobToken::One), Some(_)) => Some(character_end(text, text_at)),
            (Some(GlobToken::Byte(wanted)), Some(byte)) if same(wanted, *byte) => Some(text_at + 1),
            _ => None,
        };
        match (step, retry) {
            (Some(next), _) => {
                at += 1;
                text_at = next;
            }
            (None, Some((after_star, star_text))) if star_text < text.len() => {
                at = after_star;
                text_at = star_text + 1;
                retry = Some((after_star, text_at));
            }
            _ => return false,
        }
    }
}

/// Whether a text is like a pattern of `*` and `?`, case-sensitively.
#[must_use]
pub fn is_like(pattern: &str, text: &str) -> bool {
    matches(Plain(pattern.as_bytes()), text.as_bytes(), same_byte)
}

/// Exact bytes.
pub(crate) fn same_byte(left: u8, right: u8) -> bool {
    left == right
}

/// Whether an action's pattern matches: "the prefix and the action name are case insensitive"
/// ("IAM JSON policy elements: Action").
pub(crate) fn action_matches(pattern: &str, action: &str) -> bool {
    matches(
        Plain(pattern.as_bytes()),
        action.as_bytes(),
        |left, right| left.eq_ignore_ascii_case(&right),
    )
}

/// A pattern ready to be matched.
#[derive(Debug, Clone)]
pub(crate) enum ResolvedPattern<'p> {
    /// As it stands in the policy.
    Plain(&'p str),
    /// With variables and escapes replaced.
    Replaced(Vec<GlobToken>),
}

impl ResolvedPattern<'_> {
    /// Matches with wildcards, case-sensitively.
    pub(crate) fn is_like(&self, text: &str) -> bool {
        match self {
            Self::Plain(pattern) => is_like(pattern, text),
            Self::Replaced(tokens) => matches(tokens.as_slice(), text.as_bytes(), same_byte),
        }
    }

    /// The text, wildcards standing for themselves, as the operators without wildcards take it.
    pub(crate) fn literal(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(pattern) => Cow::Borrowed(pattern),
            Self::Replaced(tokens) => {
                let bytes = tokens
                    .iter()
                    .map(|token| match token {
                        GlobToken::Byte(byte) => *byte,
                        GlobToken::One => b'?',
                        GlobToken::Many => b'*',
                    })
                    .collect();
                Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
            }
        }
    }

    /// The tokens, whatever the form.
    pub(crate) fn tokens(&self) -> Vec<GlobToken> {
        match self {
            Self::Plain(pattern) => {
                let glob = Plain(pattern.as_bytes());
                (0..pattern.len()).filter_map(|at| glob.token(at)).collect()
            }
            Self::Replaced(tokens) => tokens.clone(),
        }
    }

    /// "Each of the six colon-delimited components of the ARN is checked separately" ("IAM JSON
    /// policy elements: Condition operators"); so neither side may have fewer.
    pub(crate) fn is_arn_like(&self, arn: &str) -> bool {
        match self {
            Self::Plain(pattern) => {
                let (mut wanted, mut held) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
                (0..6).all(|_| match (wanted.next(), held.next()) {
                    (Some(wanted), Some(held)) => {
                        matches(Plain(wanted.as_bytes()), held.as_bytes(), same_byte)
                    }
                    _ => false,
                })
            }
            Self::Replaced(tokens) => {
                let (mut wanted, mut held) = (
                    tokens.splitn(6, |token| *token == GlobToken::Byte(b':')),
                    arn.splitn(6, ':'),
                );
                (0..6).all(|_| match (wanted.next(), held.next()) {
                    (Some(wanted), Some(held)) => matches(wanted, held.as_bytes(), same_byte),
                    _ => false,
                })
            }
        }
    }

    /// Whether a resource's pattern matches.
    ///
    /// "You can use wildcard characters within the individual segments of an ARN … If the `*`
    /// wildcard is the last character of a resource ARN segment, it can expand to match beyond the
    /// colon boundaries" ("IAM JSON policy elements: Resource"). In the resource part, after the
    /// fifth colon, a colon is a character like any other: object keys may hold it.
    pub(crate) fn is_resource_like(&self, resource: &str) -> bool {
        let head = self.head();
        if !head.has_wildcard || head.only_final_stars {
            return self.is_like(resource);
        }
        if !head.has_final_star {
            return self.is_arn_like(resource);
        }
        bounded_matches(&self.tokens(), resource)
    }

    /// What wildcards the first five segments hold.
    fn head(&self) -> Head {
        let mut head = Head {
            has_wildcard: false,
            has_final_star: false,
            only_final_stars: true,
        };
        let token = |at: usize| match self {
            Self::Plain(pattern) => Plain(pattern.as_bytes()).token(at),
            Self::Replaced(tokens) => tokens.get(at).copied(),
        };
        let (mut at, mut colons) = (0, 0);
        while colons < 5 {
            match token(at) {
                None => break,
                Some(GlobToken::Byte(b':')) => colons += 1,
                Some(GlobToken::Byte(_)) => {}
                Some(GlobToken::One) => {
                    head.has_wildcard = true;
                    head.only_final_stars = false;
                }
                Some(GlobToken::Many) => {
                    head.has_wildcard = true;
                    if matches!(token(at + 1), None | Some(GlobToken::Byte(b':'))) {
                        head.has_final_star = true;
                    } else {
                        head.only_final_stars = false;
                    }
                }
            }
            at += 1;
        }
        head
    }
}

struct Head {
    has_wildcard: bool,
    has_final_star: bool,
    only_final_stars: bool,
}

/// Matches a pattern in whose first five segments some wildcards may cross a colon and some may
/// not, by following all positions at once.
fn bounded_matches(tokens: &[GlobToken], text: &str) -> bool {
    let mut colons = 0;
    let crosses: Vec<bool> = tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            if *token == GlobToken::Byte(b':') {
                colons += 1;
            }
            let is_final = matches!(tokens.get(at + 1), None | Some(GlobToken::Byte(b':')));
            colons >= 5 || (*token == GlobToken::Many && is_final)
        })
        .collect();
    let mut alive = vec![false; tokens.len() + 1];
    set(&mut alive, 0);
    skip_stars(tokens, &mut alive);
    let mut room = [0; 4];
    for character in text.chars() {
        let bytes = character.encode_utf8(&mut room).as_bytes();
        let mut next = vec![false; tokens.len() + 1];
        for (at, (token, crosses)) in tokens.iter().zip(&crosses).enumerate() {
            if !alive.get(at).copied().unwrap_or_default() {
                continue;
            }
            let may_pass = character != ':' || *crosses;
            match token {
                GlobToken::Byte(_) if begins_with(tokens.get(at..), bytes) => {
                    set(&mut next, at + bytes.len());
                }
                GlobToken::One if may_pass => set(&mut next, at + 1),
                GlobToken::Many if may_pass => set(&mut next, at),
                _ => {}
            }
        }
        skip_stars(tokens, &mut next);
        alive = next;
    }
    alive.last().copied().unwrap_or_default()
}

fn begins_with(tokens: Option<&[GlobToken]>, bytes: &[u8]) -> bool {
    tokens
        .and_then(|tokens| tokens.get(..bytes.len()))
        .is_some_and(|head| {
            head.iter()
                .zip(bytes)
                .all(|(token, byte)| *token == GlobToken::Byte(*byte))
        })
}

fn set(alive: &mut [bool], at: usize) {
    if let Some(place) = alive.get_mut(at) {
        *place = true;
    }
}

fn skip_stars(tokens: &[GlobToken], alive: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        if *token == GlobToken::Many && alive.get(at).copied().unwrap_or_default() {
            set(alive, at + 1);
        }
    }
}

/// What a policy variable turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replacement<'a> {
    /// Its value.
    Value(Cow<'a, str>),
    /// There is none, and no default: "any attempt to match it fails".
    Unresolved,
    /// Nobody can tell its value.
    Unknown,
    /// Whatever its value may be is let through.
    Anything,
}

/// Why a pattern cannot be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnresolvedVariable {
    /// A variable has no value.
    Unresolved,
    /// A variable's value is unknown.
    Unknown,
}

/// Replaces the variables and escapes of a text ("IAM policy elements: Variables and tags").
///
/// A value is taken literally: a `*` in it is no wildcard. What follows `${` without a closing
/// brace stands for itself.
pub(crate) fn replace_variables<'p, 'c>(
    text: &'p str,
    mut lookup: impl FnMut(&str) -> Replacement<'c>,
) -> Result<ResolvedPattern<'p>, UnresolvedVariable> {
    if !text.contains("${") {
        return Ok(ResolvedPattern::Plain(text));
    }
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut blocked = None;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find('}') else { break };
        push_pattern(&mut tokens, before);
        let name = from.get(2..end).unwrap_or_default();
        rest = from.get(end + 1..).unwrap_or_default();
        match name {
            "*" | "?" | "$" => push_literal(&mut tokens, name),
            _ => match resolve(name, &mut lookup) {
                Replacement::Value(value) => push_literal(&mut tokens, &value),
                Replacement::Anything => push_pattern(&mut tokens, "*"),
                Replacement::Unresolved => blocked = Some(UnresolvedVariable::Unresolved),
                Replacement::Unknown => blocked = blocked.or(Some(UnresolvedVariable::Unknown)),
            },
        }
    }
    push_pattern(&mut tokens, rest);
    blocked.map_or(Ok(ResolvedPattern::Replaced(tokens)), Err)
}

/// `key, 'default'`: the default holds where the key is absent ("Specifying default values").
fn resolve<'c>(name: &str, lookup: &mut impl FnMut(&str) -> Replacement<'c>) -> Replacement<'c> {
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key.trim(), quoted(default.trim())),
        None => (name.trim(), None),
    };
    match (lookup(key), default) {
        (Replacement::Unresolved, Some(default)) => {
            Replacement::Value(Cow::Owned(default.to_owned()))
        }
        (found, _) => found,
    }
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

fn push_pattern(tokens: &mut Vec<GlobToken>, text: &str) {
    let glob = Plain(text.as_bytes());
    tokens.extend((0..text.len()).filter_map(|at| glob.token(at)));
}

fn push_literal(tokens: &mut Vec<GlobToken>, text: &str) {
    tokens.extend(text.bytes().map(GlobToken::Byte));
}

/// The variables that a text names, escapes left out.
pub(crate) fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|part| {
        let (name, _) = part.split_once('}')?;
        let key = name.split(',').next().unwrap_or(name).trim();
        (!matches!(key, "*" | "?" | "$")).then_some(key)
    })
}

/// The text with every byte of its policy variables replaced by `*`.
///
/// A variable is one thing: a colon or slash in its name is no separator, and whatever it stands for
/// it may match as a wildcard does. Places in the masked text are places in the text itself.
pub(crate) fn mask_variables(text: &str) -> Cow<'_, str> {
    if !text.contains("${") {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("${") {
        masked.push_str(head);
        let Some((name, after)) = tail.split_once('}') else {
            masked.push_str("${");
            rest = tail;
            break;
        };
        masked.extend(std::iter::repeat_n('*', "${}".len() + name.len()));
        rest = after;
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_masked_as_one_thing_and_places_stay() {
        for (text, masked) in [
            ("arn:aws:s3:::landing/*", "arn:aws:s3:::landing/*"),
            (
                "arn:aws:s3:::${aws:PrincipalTag/Bucket}",
                "arn:aws:s3:::**************************",
            ),
            ("a${x:y}/b${z, '/'}c", "a******/b*********c"),
            ("ends ${aws:username", "ends ${aws:username"),
            ("${ü}", "*****"),
        ] {
            assert_eq!(mask_variables(text), masked);
            assert_eq!(mask_variables(text).len(), text.len());
        }
    }
}
