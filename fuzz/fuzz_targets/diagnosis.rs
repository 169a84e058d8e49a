//! Any bytes as a log: `cargo +nightly fuzz run diagnosis`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tableferry::diagnosis::Circumstances;
use tableferry::diagnosis::group::ErrorGroups;
use tableferry::diagnosis::scan::scan;
use tableferry::diagnosis::words::{describe, to_json};

fuzz_target!(|bytes: &[u8]| {
    let mut groups = ErrorGroups::default();
    let _ = scan(bytes, |found| groups.add(found, Circumstances::of_text));
    for group in groups.sorted() {
        let _ = describe(group);
        let _ = to_json(group);
    }
});
