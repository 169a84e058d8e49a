//! Waiting until changes hold, told as it goes: after `apply`, and before `run` starts what an earlier
//! `apply` made possible.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::report::Report;
use crate::job::Plan;
use crate::work::{ChangeId, PropagationStatus, Work};

/// Waits until the changes hold; the next check judges as young what was not seen to.
pub(super) async fn wait(
    work: &Work,
    plan: &Plan,
    ids: &[ChangeId],
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let numbers: Vec<String> = ids.iter().map(ToString::to_string).collect();
    report.line(&format!(
        "waiting until change {} holds",
        numbers.join(", ")
    ));
    let held = work.wait_until_held(plan, ids, cancel.clone()).await;
    for (id, standing) in &held.changes {
        let (shown, why) = match standing {
            PropagationStatus::Holds => ("holds", None),
            PropagationStatus::NotYet(why) => ("not_yet", Some(why)),
            PropagationStatus::Unknown(why) => ("unknown", Some(why)),
        };
        report.object(&json!({"event": "held", "change": id.0, "standing": shown, "why": why}));
        report.line(&match why {
            None => format!("change {id} holds"),
            Some(why) => format!("change {id} was not seen to hold: {why}"),
        });
    }
    if held.is_complete() {
        Exit::Done
    } else {
        Exit::Undecided
    }
}
