//! A panic gives the terminal back first, then leaves its report in the log folder. Alone in its file, since
//! the hook is one per process.

use std::fs;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

static RESTORED: AtomicUsize = AtomicUsize::new(0);

fn restore() {
    RESTORED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_panic_restores_the_terminal_and_leaves_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    sunmill::cli::install_crash_report(restore, Some(log.clone())).unwrap();
    for (n, spindle) in ["first", "second"].into_iter().enumerate() {
        let result = panic::catch_unwind(|| panic!("the {spindle} spindle fell off"));
        assert!(result.is_err());
        assert_eq!(RESTORED.load(Ordering::SeqCst), n + 1);
    }
    let report = fs::read_to_string(log.join("panic.log")).unwrap();
    assert!(
        report.contains("the first spindle fell off") && report.contains("the second spindle fell off"),
        "{report}"
    );
    assert!(report.contains("tests/crash.rs"), "the place is missing: {report}");
    assert!(!report.contains('\u{1b}'), "escape sequences in {report:?}");
}
