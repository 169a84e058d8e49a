//! Exports that somebody else started: the journal here does not hold them, and AWS tells of them.

use tableferry::assess::verdict::Check;

use crate::predictions::place::{self, Place};
use crate::predictions::rows::{base, plan_text, table::LANDING};

#[test]
fn a_second_export_to_the_same_place_is_told_no_matter_who_started_the_first() {
    let plan = |prefix: &str| {
        let text = plan_text(LANDING, "", "name = \"Orders\"");
        place::plan(&text.replace("prefix = \"prod\"", &format!("prefix = \"{prefix}\"")))
    };
    place::run(|| async {
        let first = plan("prod");
        let place = Place::open(&base(), &first).await;
        let describe = async |plan: &tableferry::job::Plan| {
            let verdicts = place.check(plan).await;
            verdicts
                .iter()
                .any(|verdict| verdict.is_of(Check::SamePlace))
        };
        assert!(!describe(&first).await);
        assert!(place.export(&first).await.is_completed());
        assert!(describe(&first).await);
        assert!(!describe(&plan("elsewhere")).await);
    });
}
