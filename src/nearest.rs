//! The word that somebody meant who wrote another.

/// The known word that is nearest to `word`, if one is near enough to have been meant.
#[must_use]
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase();
    known
        .iter()
        .map(|known| {
            let likeness = strsim::jaro_winkler(&lower, &known.to_lowercase());
            (likeness, *known)
        })
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_by_likeness_whatever_the_case() {
        let known = ["profile", "region", "role"];
        assert_eq!(nearest("profil", &known), Some("profile"));
        assert_eq!(nearest("Regoin", &known), Some("region"));
        assert_eq!(nearest("zzz", &known), None);
    }
}
