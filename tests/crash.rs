//! A panic leaves its report in the log folder. Alone in its file, since the hook is one per process.

use std::fs;
use std::panic;

#[test]
fn a_panic_leaves_a_report_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    sunmill::cli::install_crash_report(Some(log.clone())).unwrap();
    for axis in ["first", "second"] {
        assert!(panic::catch_unwind(|| panic!("the {axis} axis fell off")).is_err());
    }
    let report = fs::read_to_string(log.join("panic.log")).unwrap();
    assert!(report.contains("the first axis fell off") && report.contains("the second axis fell off"), "{report}");
    assert!(report.contains("tests/crash.rs"), "the place is missing: {report}");
    assert!(!report.contains('\u{1b}'), "escape sequences in {report:?}");
}
