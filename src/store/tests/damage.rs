//! Files that are damaged, cut short, newer, or not ours.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::*;

/// What a power cut leaves: copies of the files while they are open.
fn copy(from: &Path, to: &Path, wal_bytes: Option<usize>) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
    let wal = |path: &Path| path.with_extension("db-wal");
    let log = fs::read(wal(from)).unwrap_or_default();
    fs::write(wal(to), &log[..wal_bytes.unwrap_or(log.len()).min(log.len())]).unwrap();
}

#[test]
fn a_log_that_is_cut_off_anywhere_gives_an_earlier_position_and_never_damage() {
    let place = Place::new();
    let (store, _) = place.open();
    store.run_started(run(1, "face.nc"));
    for line in 1..=20 {
        store.checkpoint(at(1, line * 10));
        store.flush().unwrap();
    }
    let bytes = fs::metadata(place.file().with_extension("db-wal")).unwrap().len() as usize;
    let mut last = 0;
    let mut seen = Vec::new();
    for cut in (0..=bytes).step_by(bytes / 37).chain([bytes]) {
        let torn = Place::new();
        copy(&place.file(), &torn.file(), Some(cut));
        let (_, opened) = torn.open();
        assert_eq!(opened.notes, Vec::<String>::new(), "{cut} of {bytes}");
        let line = opened.interrupted.map_or(0, |(_, checkpoint)| checkpoint.acked_line);
        assert!(line >= last && line % 10 == 0, "{line} after {last}");
        last = line;
        seen.push(line);
    }
    seen.dedup();
    assert_eq!(last, 200);
    assert!(seen.len() > 10, "{seen:?}");
}

#[test]
fn garbage_in_the_log_is_not_taken_for_rows() {
    let place = Place::new();
    let (store, _) = place.open();
    store.run_started(run(1, "face.nc"));
    store.checkpoint(at(1, 10));
    store.flush().unwrap();
    let torn = Place::new();
    copy(&place.file(), &torn.file(), None);
    let wal = torn.file().with_extension("db-wal");
    let mut log = fs::read(&wal).unwrap();
    let middle = log.len() / 2;
    for byte in &mut log[middle..] {
        *byte ^= 0x5a;
    }
    fs::write(&wal, log).unwrap();
    let (store, _) = torn.open();
    store.audit(row(AuditKind::Mdi, "G0 X1"));
    store.flush().unwrap();
    assert_eq!(whats(&store), ["G0 X1"]);
}

#[test]
fn a_damaged_file_is_set_aside_and_said_and_a_new_one_begun() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..200 {
        store.audit(row(AuditKind::Mdi, &format!("G0 X{n}")));
    }
    store.close();
    let good = fs::read(place.file()).unwrap();
    let mut pages = good.clone();
    for byte in &mut pages[4096..] {
        *byte = 0xa5;
    }
    let mut broken: Vec<Vec<u8>> = vec![b"not a database, but a letter that is long enough".repeat(90), pages];
    broken.push(good[..good.len() / 2].to_vec());
    for (n, bytes) in broken.into_iter().enumerate() {
        let place = Place::new();
        fs::create_dir_all(place.file().parent().unwrap()).unwrap();
        fs::write(place.file(), &bytes).unwrap();
        let (store, opened) = place.open();
        assert!(opened.notes.len() == 1 && opened.notes[0].contains("was damaged"), "{n}: {:?}", opened.notes);
        store.audit(row(AuditKind::Mdi, "G0 X1"));
        store.flush().unwrap();
        assert_eq!(whats(&store), ["G0 X1"]);
        let names = fs::read_dir(place.file().parent().unwrap()).unwrap().flatten();
        let aside: Vec<_> =
            names.map(|e| e.path()).filter(|path| path.to_string_lossy().contains(".damaged-2")).collect();
        let aside = aside
            .iter()
            .find(|path| !path.to_string_lossy().ends_with("-shm") && !path.to_string_lossy().ends_with("-wal"))
            .expect("kept");
        assert!(fs::read(aside).unwrap() == bytes, "{n}: nothing of it is changed");
        assert!(opened.notes[0].contains(aside.to_str().unwrap()));
        store.close();
        assert_eq!(place.open().1.notes, Vec::<String>::new());
    }
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let place = Place::new();
    place.open().0.close();
    let file = Connection::open(place.file()).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let before = fs::read(place.file()).unwrap();
    let error = Store::open(&place.file()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer sunmill") && error.to_string().contains("nothing is journaled"));
    assert!(fs::read(place.file()).unwrap() == before);
    let reader = Reader::new(place.file(), Duration::ZERO);
    assert!(matches!(reader.statistics(), Err(StoreError::Newer { .. })));
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let place = Place::new();
    fs::create_dir_all(place.file().parent().unwrap()).unwrap();
    let file = Connection::open(place.file()).unwrap();
    file.execute_batch("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('a');").unwrap();
    drop(file);
    let before = fs::read(place.file()).unwrap();
    assert!(matches!(Store::open(&place.file()), Err(StoreError::Foreign { .. })));
    assert!(fs::read(place.file()).unwrap() == before);
}

#[test]
fn a_second_writer_is_refused_with_the_process_of_the_first_and_readers_are_not() {
    let place = Place::new();
    let (store, _) = place.open();
    let error = Store::open(&place.file()).unwrap_err();
    assert!(error.to_string().contains(&format!("(process {})", std::process::id())), "{error}");
    assert_eq!(Reader::new(place.file(), Duration::ZERO).runs(&RunFilter::default(), 0, 1).unwrap(), []);
    drop(store);
    place.open();
}

#[test]
fn what_is_not_there_is_said_to_be_missing_and_is_not_made_by_reading() {
    let place = Place::new();
    let error = Reader::new(place.file(), Duration::ZERO).statistics().unwrap_err();
    assert!(error.to_string().contains("nothing has been kept yet"), "{error}");
    assert!(!place.file().exists());
}

#[test]
fn a_large_file_is_checked_beside_its_use_and_set_aside_at_the_next_start() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..500 {
        store.audit(row(AuditKind::Mdi, &format!("G0 X{n}")));
    }
    store.close();
    let mut bytes = fs::read(place.file()).unwrap();
    let last_page = bytes.len() - 4096;
    bytes[last_page..].fill(0xa5);
    let damage = |place: &Place| {
        fs::write(place.file(), &bytes).unwrap();
    };
    let large = StoreOptions { check_bytes: 0, ..StoreOptions::default() };

    damage(&place);
    let (store, opened) = place.open_with(large.clone());
    assert_eq!(opened.notes, Vec::<String>::new(), "it opens at once");
    let mut trouble = store.trouble();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let told = runtime.block_on(trouble.wait_for(Option::is_some)).unwrap().clone().unwrap();
    assert!(told.contains("is damaged") && told.contains("next start"), "{told}");
    store.run_started(run(1, "face.nc"));
    store.flush().unwrap();
    assert_eq!(store.trouble().borrow().as_ref(), Some(&told), "a good write does not mend it");
    store.close();
    let (store, opened) = place.open_with(large.clone());
    assert!(opened.notes.len() == 1 && opened.notes[0].contains("was damaged"), "{:?}", opened.notes);
    store.close();

    // After a power cut it is checked before it is used, however large it is.
    damage(&place);
    fs::write(place.file().with_extension("db.lock"), "4711\n").unwrap();
    let (_, opened) = place.open_with(large);
    assert_eq!(opened.notes.len(), 1);
}
