//! For a set of string patterns: one example for every combination of patterns that a string can
//! match.
//!
//! All patterns are followed at once over all strings, shortest first, by the sets of positions
//! that are alive in them. There are finitely many such sets, so the search ends, and it is given up
//! where there are too many.

use std::collections::{HashMap, HashSet, VecDeque};

use super::pattern::GlobToken;

/// How many sets of positions are looked at before the search is given up.
const MOST_STATES: usize = 4000;

/// A pattern of a condition, as the search needs it.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    /// Its tokens.
    pub(crate) tokens: Vec<GlobToken>,
    /// Whether case does not count.
    pub(crate) ignores_case: bool,
    /// Whether it is matched part by part, so that wildcards stop at the first five colons.
    pub(crate) is_arn: bool,
}

impl Glob {
    /// The glob that only one text has.
    pub(crate) fn literal(text: &str) -> Self {
        Self {
            tokens: text.bytes().map(GlobToken::Byte).collect(),
            ignores_case: false,
            is_arn: false,
        }
    }

    /// The text, where the pattern has no wildcard.
    fn as_text(&self) -> Option<String> {
        let bytes = self
            .tokens
            .iter()
            .map(|token| match token {
                GlobToken::Byte(byte) => Some(*byte),
                GlobToken::One | GlobToken::Many => None,
            })
            .collect::<Option<Vec<u8>>>()?;
        String::from_utf8(bytes).ok()
    }
}

/// Examples, and whether they cover every combination.
pub(crate) struct Examples {
    pub(crate) texts: Vec<String>,
    pub(crate) is_complete: bool,
}

/// Finds the examples for a set of patterns.
pub(crate) fn examples(globs: &[Glob]) -> Examples {
    let texts: Option<Vec<String>> = globs.iter().map(Glob::as_text).collect();
    match texts {
        Some(texts) => literal_examples(globs, texts),
        None if globs.iter().all(is_ascii) => GlobSearch::new(globs).run(),
        None => Examples {
            texts: vec![fresh(globs)],
            is_complete: false,
        },
    }
}

fn is_ascii(glob: &Glob) -> bool {
    glob.tokens
        .iter()
        .all(|token| !matches!(token, GlobToken::Byte(byte) if !byte.is_ascii()))
}

/// Without wildcards the examples are the texts themselves, another spelling of each where case
/// does not count, and one text that is none of them.
fn literal_examples(globs: &[Glob], mut texts: Vec<String>) -> Examples {
    let ignores_case = globs.iter().any(|glob| glob.ignores_case);
    if ignores_case {
        let swapped: Vec<String> = texts
            .iter()
            .map(|text| {
                let swap = |c: char| {
                    if c.is_ascii_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                };
                text.chars().map(swap).collect()
            })
            .collect();
        texts.extend(swapped);
    }
    texts.push(fresh(globs));
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    Examples {
        texts,
        is_complete: true,
    }
}

/// A text that no pattern spells out.
fn fresh(globs: &[Glob]) -> String {
    let longest = globs.iter().map(|glob| glob.tokens.len()).max();
    let mut text = "anything-else".to_owned();
    while text.len() <= longest.unwrap_or(0)
        && globs.iter().any(|glob| {
            glob.as_text()
                .is_some_and(|other| other.eq_ignore_ascii_case(&text))
        })
    {
        text.push('-');
    }
    text
}

type State = Vec<u64>;

/// What a byte does to a set of positions: which go on to the next, and which stay.
struct ByteStep {
    advance: State,
    stay: State,
}

struct GlobSearch {
    alphabet: Vec<u8>,
    steps: HashMap<u8, ByteStep>,
    stars: State,
    first: State,
    accepting: Vec<Option<usize>>,
}

impl GlobSearch {
    fn new(globs: &[Glob]) -> Self {
        let alphabet = alphabet(globs);
        let length: usize = globs.iter().map(|glob| glob.tokens.len() + 1).sum();
        let words = length.div_ceil(64);
        let empty = || vec![0_u64; words];
        let mut search = Self {
            steps: alphabet
                .iter()
                .map(|byte| {
                    let step = ByteStep {
                        advance: empty(),
                        stay: empty(),
                    };
                    (*byte, step)
                })
                .collect(),
            alphabet,
            stars: empty(),
            first: empty(),
            accepting: Vec::new(),
        };
        let mut start = 0;
        for glob in globs {
            search.add(glob, start);
            start += glob.tokens.len() + 1;
        }
        search.first = search.closed(search.first.clone());
        search
    }

    fn add(&mut self, glob: &Glob, start: usize) {
        let colons = |upto: usize| {
            glob.tokens
                .iter()
                .take(upto)
                .filter(|token| **token == GlobToken::Byte(b':'))
                .count()
        };
        let can_match = !glob.is_arn || colons(glob.tokens.len()) >= 5;
        self.accepting
            .push(can_match.then_some(start + glob.tokens.len()));
        if !can_match {
            return;
        }
        put(&mut self.first, start);
        for (offset, token) in glob.tokens.iter().enumerate() {
            let is_bounded = glob.is_arn && colons(offset) < 5;
            if *token == GlobToken::Many {
                put(&mut self.stars, start + offset);
            }
            for (byte, step) in &mut self.steps {
                let passes = !is_bounded || *byte != b':';
                match token {
                    GlobToken::Byte(wanted)
                        if wanted == byte
                            || (glob.ignores_case && wanted.eq_ignore_ascii_case(byte)) =>
                    {
                        put(&mut step.advance, start + offset);
                    }
                    GlobToken::One if passes => put(&mut step.advance, start + offset),
                    GlobToken::Many if passes => put(&mut step.stay, start + offset),
                    _ => {}
                }
            }
        }
    }

    /// Adds the positions behind stars, which may match nothing.
    fn closed(&self, mut state: State) -> State {
        loop {
            let stars: State = both(&state, &self.stars);
            let next = either(&state, &shifted(&stars));
            if next == state {
                return state;
            }
            state = next;
        }
    }

    fn run(&self) -> Examples {
        let mut paths: Vec<(usize, u8)> = vec![(0, 0)];
        let mut seen: HashSet<State> = HashSet::from([self.first.clone()]);
        let mut queue = VecDeque::from([(0_usize, self.first.clone())]);
        let mut found: HashSet<Vec<bool>> = HashSet::new();
        let mut texts = Vec::new();
        let mut is_complete = true;
        while let Some((index, state)) = queue.pop_front() {
            if found.insert(self.signature(&state)) {
                texts.push(spell(&paths, index));
            }
            for byte in &self.alphabet {
                let Some(step) = self.steps.get(byte) else {
                    continue;
                };
                let moved = either(
                    &shifted(&both(&state, &step.advance)),
                    &both(&state, &step.stay),
                );
                let next = self.closed(moved);
                if seen.contains(&next) {
                    continue;
                }
                if seen.len() >= MOST_STATES {
                    is_complete = false;
                    continue;
                }
                seen.insert(next.clone());
                paths.push((index, *byte));
                queue.push_back((paths.len() - 1, next));
            }
        }
        Examples { texts, is_complete }
    }

    fn signature(&self, state: &State) -> Vec<bool> {
        self.accepting
            .iter()
            .map(|place| place.is_some_and(|place| has(state, place)))
            .collect()
    }
}

/// The bytes that the patterns tell apart, and one that stands for all others.
fn alphabet(globs: &[Glob]) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for glob in globs {
        for token in &glob.tokens {
            if let GlobToken::Byte(byte) = token {
                bytes.push(*byte);
                if glob.ignores_case {
                    bytes.push(byte.to_ascii_lowercase());
                    bytes.push(byte.to_ascii_uppercase());
                }
            }
        }
        if glob.is_arn {
            bytes.push(b':');
        }
    }
    let other = (b'a'..=b'z')
        .rev()
        .chain(b'0'..=b'9')
        .chain(b'!'..=b'~')
        .find(|byte| !bytes.contains(byte));
    bytes.extend(other);
    bytes.sort_unstable();
    bytes.dedup();
    bytes
}

fn spell(paths: &[(usize, u8)], mut index: usize) -> String {
    let mut bytes = Vec::new();
    while let Some((parent, byte)) = paths.get(index).filter(|_| index != 0) {
        bytes.push(*byte);
        index = *parent;
    }
    bytes.reverse();
    String::from_utf8(bytes).unwrap_or_default()
}

fn put(state: &mut State, place: usize) {
    if let Some(word) = state.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

fn has(state: &State, place: usize) -> bool {
    state
        .get(place / 64)
        .is_some_and(|word| word >> (place % 64) & 1 == 1)
}

fn both(left: &State, right: &State) -> State {
    left.iter().zip(right).map(|(a, b)| a & b).collect()
}

fn either(left: &State, right: &State) -> State {
    left.iter().zip(right).map(|(a, b)| a | b).collect()
}

fn shifted(state: &State) -> State {
    let mut carry = 0;
    state
        .iter()
        .map(|word| {
            let moved = word << 1 | carry;
            carry = word >> 63;
            moved
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{GlobTokens, Plain, ResolvedPattern};

    fn like(pattern: &str) -> Glob {
        let glob = Plain(pattern.as_bytes());
        Glob {
            tokens: (0..pattern.len()).filter_map(|at| glob.token(at)).collect(),
            ignores_case: false,
            is_arn: false,
        }
    }

    #[test]
    fn every_combination_of_two_overlapping_patterns_is_found() {
        let patterns = ["a*", "*z", "a?z"];
        let globs: Vec<Glob> = patterns.iter().map(|text| like(text)).collect();
        let found = examples(&globs);
        assert!(found.is_complete);
        let signatures: HashSet<Vec<bool>> = found
            .texts
            .iter()
            .map(|text| {
                patterns
                    .iter()
                    .map(|p| ResolvedPattern::Plain(p).is_like(text))
                    .collect()
            })
            .collect();
        // Neither, the first, the second, both, and all three.
        assert_eq!(signatures.len(), 5, "{:?}", found.texts);
    }

    #[test]
    fn literals_give_themselves_and_something_else() {
        let found = examples(&[Glob::literal("a"), Glob::literal("b"), Glob::literal("a")]);
        assert_eq!(found.texts, ["a", "b", "anything-else"]);
    }
}
