//! No input makes the policy room panic: `cargo fuzz run policy`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tableferry_policy::lint::{Kind, lint};
use tableferry_policy::edit::{add_statement, diff, remove_statement};
use tableferry_policy::simulate::simulate_line;

fuzz_target!(|text: &str| {
    let _ = simulate_line(text, &mut String::new());
    for (_, kind) in Kind::NAMES {
        let _ = lint(text, kind);
    }
    let (head, tail) = text.split_once('\n').unwrap_or((text, ""));
    let _ = add_statement(head, tail);
    let _ = remove_statement(head, tail);
    let _ = diff(head, tail);
});
