//! The kind of policy that a sentence of AWS's names, read from its squeezed text.

use std::sync::LazyLock;

use strum::IntoEnumIterator as _;
use tableferry_policy::evaluate::NamedPolicy;

/// The kinds with the words that AWS has for them, without white space and in lower case.
static SQUEEZED: LazyLock<Vec<(NamedPolicy, String)>> = LazyLock::new(|| {
    let squeezed = |kind: NamedPolicy| kind.as_str().replace(' ', "").to_ascii_lowercase();
    NamedPolicy::iter()
        .map(|kind| (kind, squeezed(kind)))
        .collect()
});

/// The kind at the start of a text, and how long its name is. A name that the text cuts off counts where
/// only one kind begins so.
pub(super) fn at_start(text: &str, is_last: bool) -> Option<(NamedPolicy, usize)> {
    let whole = SQUEEZED.iter().find(|(_, name)| text.starts_with(name));
    if let Some((kind, name)) = whole {
        return Some((*kind, name.len()));
    }
    let rest = text.trim_end_matches(['.', '…']);
    if !is_last || rest.is_empty() || rest.len() > 20 {
        return None;
    }
    let mut begun = SQUEEZED.iter().filter(|(_, name)| name.starts_with(rest));
    match (begun.next(), begun.next()) {
        (Some((kind, _)), None) => Some((*kind, text.len())),
        _ => None,
    }
}
