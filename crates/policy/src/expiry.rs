//! Grants that end by themselves: Allow statements that hold only until a time.

use jiff::Timestamp;

use super::document::{Document, Statement, StatementEffect};
use super::operator::{Comparison, Quantifier, Test};

/// Until when a statement allows anything; `None` where it has no end, or is no Allow.
#[must_use]
pub fn end_of(statement: &Statement<'_>) -> Option<Timestamp> {
    let ends = statement.conditions.iter().filter_map(|condition| {
        let operator = condition.operator;
        let is_until = matches!(
            operator.test,
            Test::Date(Comparison::Less | Comparison::LessOrEqual)
        );
        let is_plain = !operator.is_negated && operator.quantifier == Quantifier::Single;
        let is_now = condition.key.value.eq_ignore_ascii_case("aws:CurrentTime");
        if !(is_until && is_plain && is_now) {
            return None;
        }
        // Any of the values may match, so that the latest counts. One that is no time ends nothing.
        let times = condition
            .values
            .iter()
            .map(|value| value.value.parse().ok());
        times.collect::<Option<Vec<Timestamp>>>()?.into_iter().max()
    });
    ends.min()
        .filter(|_| statement.effect == StatementEffect::Allow)
}

/// The earliest end of the statements with one of these Sids; `None` where none of them ends.
#[must_use]
pub fn end_of_added(document: &str, sids: &[String]) -> Option<Timestamp> {
    let document = Document::parse(document).ok()?;
    let ends = document.statements().iter().filter_map(|statement| {
        let sid = statement.sid.as_ref()?;
        let is_added = sids.iter().any(|added| *added == sid.value);
        is_added.then(|| end_of(statement)).flatten()
    });
    ends.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(effect: &str, condition: &str) -> Option<String> {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Ours","Effect":"{effect}","Principal":"*","Action":"s3:PutObject","Resource":"*","Condition":{condition}}}]}}"#
        );
        end_of_added(&text, &["Ours".to_owned()]).map(|end| end.to_string())
    }

    #[test]
    fn a_grant_ends_at_the_time_that_it_names() {
        let until = |value: &str| format!(r#"{{"DateLessThan":{{"aws:CurrentTime":{value}}}}}"#);
        let noon = "2026-11-22T12:00:00Z";
        assert_eq!(
            end("Allow", &until(r#""2026-11-22T12:00:00Z""#)).as_deref(),
            Some(noon)
        );
        // Any of a list may match.
        let two = until(r#"["2026-11-21T12:00:00Z","2026-11-22T12:00:00Z"]"#);
        assert_eq!(end("Allow", &two).as_deref(), Some(noon));
        assert_eq!(end("Deny", &two), None);
        for other in [
            until(r#""soon""#),
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-11-22T12:00:00Z"}}"#.to_owned(),
            r#"{"DateLessThan":{"aws:TokenIssueTime":"2026-11-22T12:00:00Z"}}"#.to_owned(),
        ] {
            assert_eq!(end("Allow", &other), None, "{other}");
        }
    }
}
