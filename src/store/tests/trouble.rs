//! A disk that does not take what it is given: it is said, tried again, and nothing is lost.

use std::fs;

use rusqlite::Connection;

use super::*;

fn impatient() -> StoreOptions {
    StoreOptions { busy_timeout: Duration::from_millis(1), ..StoreOptions::default() }
}

fn trouble(store: &Store) -> Option<String> {
    store.trouble().borrow().clone()
}

#[test]
fn a_file_that_another_program_holds_locked_is_written_when_it_is_free() {
    let place = Place::new();
    let (store, _) = place.open_with(impatient());
    store.flush().unwrap();
    let other = Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.run_started(run(1, "face.nc"));
    store.checkpoint(at(1, 10));
    store.audit(row(AuditKind::Mdi, "G0 X1"));
    let said = store.flush().unwrap_err().to_string();
    assert!(said.contains("sunmill.db") && said.contains("another program holds it locked"), "{said}");
    assert_eq!(trouble(&store), Some(said));
    store.checkpoint(at(1, 20));
    assert!(store.flush().is_err());
    other.execute_batch("ROLLBACK").unwrap();
    store.flush().unwrap();
    assert_eq!(trouble(&store), None);
    assert_eq!(whats(&store), ["G0 X1"]);
    assert_eq!(kept_checkpoint(&place), Some(at(1, 20)), "the newer of the two positions");
}

#[test]
fn a_full_disk_is_said_and_what_waits_is_written_when_there_is_room() {
    let place = Place::new();
    let (store, _) = place.open_with(StoreOptions { max_pages: Some(40), ..impatient() });
    store.run_started(run(1, "face.nc"));
    let mut written = 0;
    let said = loop {
        store.keep_report(&format!("r{written}"), &Report { problems: vec![long_problem(); 4], ..report(1) });
        store.audit(row(AuditKind::Mdi, &format!("G0 X{written}")));
        match store.flush() {
            Ok(()) => written += 1,
            Err(error) => break error.to_string(),
        }
        assert!(written < 1000, "the disk never gets full");
    };
    assert!(said.contains("the disk is full: make room on it"), "{said}");
    // The row that failed is still there without the report beside it, which is but a copy.
    let mut more = 0;
    while store.flush().is_ok() && more < 5000 {
        store.audit(row(AuditKind::Mdi, &"G0 X1 ".repeat(100)));
        more += 1;
    }
    store.checkpoint(at(1, 77));
    store.run_ended(ended(run(1, "face.nc"), RunEnd::Stopped("by screen 1".into())));
    assert!(store.flush().is_err());
    assert!(trouble(&store).unwrap().contains("full"));
    make_room(&place);
    store.flush().unwrap();
    assert_eq!(trouble(&store), None);
    assert_eq!(whats(&store).len(), written + 1 + more, "not one is missing");
    let runs = store.reader().runs(&RunFilter::default(), 0, 9).unwrap();
    assert_eq!(runs[0].end, Some(RunEnd::Stopped("by screen 1".into())));
    assert_eq!(store.reader().interrupted().unwrap().unwrap().1, at(1, 77));
}

fn long_problem() -> crate::model::program::Problem {
    crate::model::program::Problem {
        severity: crate::model::program::Severity::Warning,
        line: 1,
        kind: "k".into(),
        text: "t".repeat(500),
        remedy: "r".repeat(500),
    }
}

/// Somebody deletes what is not needed.
fn make_room(place: &Place) {
    let other = Connection::open(place.file()).unwrap();
    let gone = other.execute("DELETE FROM reports", []).unwrap();
    assert!(gone > 0);
}

#[test]
fn what_waits_is_bounded_and_the_audit_tells_how_much_is_missing() {
    let place = Place::new();
    let (store, _) = place.open_with(impatient());
    store.flush().unwrap();
    let other = Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.run_started(run(1, "face.nc"));
    let all = 6000;
    for n in 0..all {
        store.audit(row(AuditKind::Mdi, &n.to_string()));
        if n % 500 == 0 {
            assert!(store.flush().is_err());
        }
    }
    assert!(store.flush().is_err());
    other.execute_batch("ROLLBACK").unwrap();
    store.flush().unwrap();
    let rows = store.reader().audit(&AuditFilter::default(), 0, 10_000).unwrap();
    let note = &rows[0];
    assert_eq!((note.kind, note.what.as_str()), (AuditKind::Note, "audit"));
    let missing: usize = note.outcome.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(rows.len() - 1 + missing, all, "{}", note.outcome);
    assert!(missing > 0);
    assert_eq!(rows[1].what, (all - 1).to_string(), "the oldest went first");
    assert_eq!(store.reader().runs(&RunFilter::default(), 0, 9).unwrap().len(), 1, "no run went");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = Place::new();
    // A file where the folder should be: as for a folder that refuses, whoever runs the test.
    fs::write(place.0.path().join("state"), "").unwrap();
    let error = Store::open(&place.file()).unwrap_err().to_string();
    assert!(error.contains("state") && error.contains("nothing is journaled"), "{error}");

    let place = Place::new();
    fs::create_dir_all(place.file()).unwrap();
    let error = Store::open(&place.file()).unwrap_err().to_string();
    assert!(error.contains("sunmill.db: it cannot be written"), "{error}");
}

#[test]
fn after_the_end_nothing_hangs() {
    let place = Place::new();
    let (store, _) = place.open();
    let copy = store.clone();
    store.close();
    copy.audit(row(AuditKind::Mdi, "late"));
    copy.checkpoint(at(1, 1));
    assert!(matches!(copy.flush(), Err(StoreError::Closed)));
    copy.close();
}
