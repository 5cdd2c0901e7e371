//! A program that did not come to its end is taken up again, on the simulated machine and on simulated time.

#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write as _;

use common::mill::{Mill, moves, x};
use common::shop::{FIRMWARES, Shop, idle, middle, refused};
use sunmill::hub::Keeping;
use sunmill::hub::programs::{Folder, Folders};
use sunmill::hub::runner::RunnerConfig;
use sunmill::model::audit::{Asker, AuditKind, AuditRow};
use sunmill::model::command::HomeTarget;
use sunmill::model::machine::Firmware;
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, ProgramOrder, RunEnd, RunRequest, RunState, Start};
use sunmill::model::{Command, Outcome, Realtime, Snapshot};
use sunmill::sim::Options;
use sunmill::store::{Store, StoreOptions};

#[tokio::test(start_paused = true)]
async fn a_stop_keeps_position_and_offers_to_go_on() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        mill.shop.done(Command::Home(HomeTarget::All)).await;
        mill.shop.done(Command::Mdi(format!("G53 G0 X{0} Y{0}", middle(firmware)))).await;
        let there = move |s: &Snapshot| idle(s) && (x(s) - middle(firmware)).abs() < 0.01;
        mill.shop.until("middle", there).await;
        mill.run(&format!("G91 G0 X1 Y1\n{}", moves(150))).await;
        mill.until("motion", |run| run.acked_line > 60).await;
        mill.shop.hub.realtime(Realtime::StopProgram);
        let run = mill.over().await;
        assert!(matches!(run.state, RunState::Stopped(_)), "{firmware}: {:?}", run.state);
        let snapshot = mill.shop.until("idle", idle).await;
        assert!(!snapshot.machine.homed.is_empty(), "{firmware}: position is kept");
        let offer = mill.interrupted().await;
        assert_eq!(offer.suggested_line, 1, "{firmware}: the only rapid: {}", offer.why);
        assert!(matches!(mill.history(), Some(RunEnd::Stopped(_))));
        let id = offer.run.id;
        // Something else in between takes nothing of that, neither here nor at the next start.
        let other = mill.write("short.nc", "G21 G90\nG4 P0.1\n");
        assert_eq!(mill.ask_run(Mill::request(other.clone())).await, Outcome::Done);
        let done = |run: &sunmill::model::program::Run| run.path == other && !run.state.is_open();
        assert_eq!(mill.until("the other one", done).await.state, RunState::Done, "{firmware}");
        let part = mill.folder.path().join("part.nc");
        assert_eq!(mill.ask_run(RunRequest { check_mode: true, ..Mill::request(part) }).await, Outcome::Done);
        let done = |run: &sunmill::model::program::Run| run.check_mode && !run.state.is_open();
        assert_eq!(mill.until("the check run", done).await.state, RunState::Done, "{firmware}");
        mill.shop.until("idle", idle).await;
        let snapshot = mill.shop.hub.snapshot();
        assert_eq!(snapshot.programs.interrupted.as_ref().map(|run| run.run.id), Some(id), "{firmware}");
        let store = mill.store.clone().unwrap();
        store.flush().unwrap();
        assert_eq!(store.reader().interrupted().unwrap().map(|(run, _)| run.id), Some(id), "{firmware}");
        assert_eq!(mill.ask(ProgramOrder::Forget(id)).await, Outcome::Done);
        assert_eq!(mill.shop.hub.snapshot().programs.interrupted, None);
        mill.close().await;
    }
}

/// The path of a person: stopped, offered, preamble read and confirmed, done.
#[tokio::test(start_paused = true)]
async fn a_stopped_program_is_taken_up_again_from_the_line_that_is_offered() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        let mut text = "G21 G90\nG0 Z2\n".to_owned();
        for i in 0..12 {
            // From where it stands, in work coordinates that are machine coordinates here.
            let x = middle(firmware) + f64::from(i);
            let y = middle(firmware);
            let _ = writeln!(text, "G0 Z-28\nG0 X{x} Y{y}\nG1 Z-29 F600\nG1 X{} F900", x + 5.0);
        }
        let text = text.replace("G0 Z2\n", "");
        let path = mill.run(&text).await;
        mill.until("motion", |run| run.acked_line > 24).await;
        mill.shop.hub.realtime(Realtime::StopProgram);
        mill.over().await;
        let offer = mill.interrupted().await;
        mill.shop.until("idle", idle).await;
        let line = offer.suggested_line;
        // grblHAL may still hold all of it in its planner.
        let traverse = text.lines().nth(line as usize - 1).is_some_and(|text| text.starts_with("G0 X"));
        assert!(traverse || firmware == Firmware::GrblHal && line == 1, "{firmware}: {line}");
        let snapshot = mill.shop.hub.snapshot();
        let file = std::fs::File::open(&path).unwrap();
        let warm_up = RunnerConfig::default().warm_up;
        let preamble = sunmill::hub::runner::preamble(&file, &path, line, &snapshot, warm_up).unwrap();
        let start =
            |preamble: Vec<String>| RunRequest { start: Start::Line { line, preamble }, ..Mill::request(path.clone()) };
        let why = refused(&mill.ask_run(start(vec!["G0 Z99".into()])).await);
        assert!(why.contains("other lines"), "{firmware}: {why}");
        assert_eq!(mill.ask_run(start(preamble.lines)).await, Outcome::Done, "{firmware}");
        let run = mill.over().await;
        assert_eq!(run.state, RunState::Done, "{firmware}");
        assert_eq!((run.first_line, run.acked_line), (line, 49), "{firmware}");
        let snapshot = mill.shop.hub.snapshot();
        assert!((x(&snapshot) - middle(firmware) - 16.0).abs() < 0.01, "{firmware}: {}", x(&snapshot));
        assert_eq!(snapshot.programs.interrupted, None);
        let store = mill.store.clone().unwrap();
        store.flush().unwrap();
        assert_eq!(store.reader().interrupted().unwrap(), None, "{firmware}: it is done, also for the next start");
        mill.close().await;
    }
}

/// The shift of a G92 dies in the reset of Grbl and FluidNC, and is set again from the journal.
#[tokio::test(start_paused = true)]
async fn a_program_behind_its_g92_is_taken_up_with_the_shift_that_it_had() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        // The work zero is where the machine stands, and then 7 mm before it in X and 2 mm below it in Z.
        let mut text = "G21 G90 G54\nG92 X7 Y0 Z2\nG0 X7 Y0\nG1 Z1 F600\n".to_owned();
        for i in 0..40 {
            let _ = writeln!(text, "G0 X{}\nG1 Y{} F900", 7 + i % 3, i % 5);
        }
        text += "G0 X9 Y0\nG1 Z1.5\n";
        let path = mill.run(&text).await;
        mill.until("motion", |run| run.acked_line > 30).await;
        mill.shop.hub.realtime(Realtime::StopProgram);
        mill.over().await;
        let offer = mill.interrupted().await;
        mill.shop
            .until("idle, offsets told anew", |s| {
                idle(s) && s.machine.modal.is_some() && s.machine.work_position.is_some()
            })
            .await;
        mill.shop.done(Command::Mdi("$#".into())).await;
        let line = offer.suggested_line.max(6);
        let snapshot = mill.shop.hub.snapshot();
        let file = std::fs::File::open(&path).unwrap();
        let warm_up = RunnerConfig::default().warm_up;
        let preamble = sunmill::hub::runner::preamble(&file, &path, line, &snapshot, warm_up).unwrap();
        let restores = preamble.lines.iter().any(|line| line.starts_with("G92 X"));
        assert_eq!(restores, firmware != Firmware::GrblHal, "{firmware}: {:?}", preamble.lines);
        // By whatever way the file is named; and not for another one in its place.
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("link");
        std::os::unix::fs::symlink(mill.folder.path(), &link).unwrap();
        let linked = link.join("part.nc");
        let by_link = sunmill::hub::runner::preamble(&file, &linked, line, &snapshot, warm_up).unwrap();
        assert_eq!(by_link.lines, preamble.lines, "{firmware}");
        std::fs::write(elsewhere.path().join("other.nc"), format!("{text}M5\n")).unwrap();
        let other = std::fs::File::open(elsewhere.path().join("other.nc")).unwrap();
        let changed = sunmill::hub::runner::preamble(&other, &path, line, &snapshot, warm_up);
        assert_eq!(changed.is_err(), restores, "{firmware}: {changed:?}");
        let start = Start::Line { line, preamble: preamble.lines.clone() };
        let asked = RunRequest { start, ..Mill::request(path.clone()) };
        let unsure =
            RunRequest { agreed: Agreed { position_word: String::new(), ..asked.agreed.clone() }, ..asked.clone() };
        assert!(refused(&mill.ask_run(unsure).await).contains(POSITION_WORD), "{firmware}: home first, or say so");
        assert_eq!(mill.ask_run(asked).await, Outcome::Done, "{firmware}");
        assert_eq!(mill.over().await.state, RunState::Done, "{firmware}");
        let snapshot = mill.shop.until("idle", idle).await;
        let at = snapshot.machine.machine_position.unwrap();
        let expected = [middle(firmware) + 2.0, middle(firmware), -30.5];
        for (axis, expected) in expected.into_iter().enumerate() {
            let is = at.as_slice()[axis];
            assert!((is - expected).abs() < 0.01, "{firmware}: axis {axis} at {is}, {:?}", preamble.lines);
        }
        mill.close().await;
    }
}

/// As after `kill -9` or a power cut: another process finds the file as it was at that moment.
#[tokio::test(start_paused = true)]
async fn what_a_crash_left_is_offered_at_the_next_start() {
    let mut mill = Mill::open(Firmware::FluidNc).await;
    mill.run(&format!("G91 G0 X0.5\n{}", moves(200))).await;
    mill.until("motion", |run| run.acked_line > 60).await;
    mill.store.as_ref().unwrap().flush().unwrap();
    let after = tempfile::tempdir().unwrap();
    for name in ["store.db", "store.db-wal", "part.nc"] {
        let _ = std::fs::copy(mill.folder.path().join(name), after.path().join(name));
    }
    mill.close().await;
    let (store, opened) = Store::open(&after.path().join("store.db")).unwrap();
    let (run, checkpoint) = opened.interrupted.clone().expect("a run without an end");
    assert!(matches!(run.end, Some(RunEnd::Interrupted(_))) && checkpoint.acked_line > 50, "{checkpoint:?}");
    let place = Folder { name: "here".to_owned(), path: after.path().to_owned() };
    let runner = RunnerConfig { folders: Folders::new(vec![place]), ..RunnerConfig::default() };
    let keeping = Keeping { runner, store: Some(store), opened, ..Keeping::default() };
    let mut shop = Shop::start(|| Options { homed: true, ..Options::new(Firmware::FluidNc) }, keeping);
    let snapshot = shop.until("offer", |s| s.programs.interrupted.is_some()).await;
    let offer = snapshot.programs.interrupted.as_ref().unwrap();
    assert_eq!(offer.run.id, run.id);
    assert!(offer.warnings.iter().any(|warning| warning.contains("spindle")), "{:?}", offer.warnings);
    assert!(snapshot.programs.run.is_none(), "nothing starts by itself");
    shop.task.shutdown().await;
}

/// Nobody can write down where it is, and that is said; the cut goes on, and what waited is kept when there is room.
#[tokio::test(start_paused = true)]
async fn a_full_disk_is_said_and_disturbs_no_run() {
    let disk = StoreOptions { max_pages: Some(60), ..StoreOptions::default() };
    let mut mill = Mill::on_disk(Firmware::Grbl, "", None, disk).await;
    let store = mill.store.clone().unwrap();
    let filler = "x".repeat(3000);
    let mut rows = 0;
    while store.flush().is_ok() {
        store.audit(AuditRow {
            at_ms: 0,
            kind: AuditKind::Mdi,
            who: "screen 1".to_owned(),
            by: Asker::default(),
            what: filler.clone(),
            outcome: "done".to_owned(),
            took_ms: None,
        });
        rows += 1;
        assert!(rows < 1000, "the disk never gets full");
    }
    mill.run(&moves(100)).await;
    let snapshot = mill.shop.until("trouble", |s| s.programs.store_trouble.is_some()).await;
    assert!(snapshot.programs.store_trouble.as_deref().is_some_and(|said| said.contains("the disk is full")));
    assert_eq!(mill.over().await.state, RunState::Done);
    let other = rusqlite::Connection::open(mill.folder.path().join("store.db")).unwrap();
    other.execute("DELETE FROM audit WHERE length(what) > 2000", []).unwrap();
    assert_eq!(mill.history(), Some(RunEnd::Done));
    mill.close().await;
}

/// FluidNC carries out one line more after the reset that ends a program: that is held before it gets anywhere.
#[tokio::test(start_paused = true)]
async fn nothing_moves_on_after_a_program_was_ended() {
    for firmware in FIRMWARES {
        for lines in [3, 20, 41] {
            let mut mill = Mill::open(firmware).await;
            let there = middle(firmware);
            let rapids = format!("G0 X{}\nG0 X{there}\n", there + 20.0).repeat(60);
            mill.run(&format!("G21 G90 G54\nM3 S1000\n{rapids}")).await;
            mill.until("motion", |run| run.acked_line > lines).await;
            mill.shop.hub.realtime(Realtime::StopProgram);
            assert!(matches!(mill.over().await.state, RunState::Stopped(_)), "{firmware}");
            // It is over with the reset at standstill.
            let held = x(&mill.shop.hub.snapshot());
            let snapshot = mill.shop.until("rest", |s| idle(s) && s.machine.modal.is_some()).await;
            assert!((x(&snapshot) - held).abs() < 0.5, "{firmware}, {lines}: {} from {held}", x(&snapshot));
            // And it stays so.
            mill.shop.done(Command::Mdi("G4 P2".into())).await;
            let snapshot = mill.shop.hub.snapshot();
            assert!((x(&snapshot) - held).abs() < 0.5, "{firmware}, {lines}: {} from {held}", x(&snapshot));
            mill.close().await;
        }
    }
}

/// A person forgets what is offered: what was interrupted before it comes up then.
#[tokio::test(start_paused = true)]
async fn behind_a_run_that_is_forgotten_the_one_before_it_is_offered() {
    let mut mill = Mill::open(Firmware::Grbl).await;
    let far = middle(Firmware::Grbl) + 5.0;
    let mut ids = Vec::new();
    for name in ["one.nc", "two.nc"] {
        let path = mill.write(name, &format!("G21 G90\nG1 X{far} F60\nG1 Y{far}\n"));
        assert_eq!(mill.ask_run(Mill::request(path)).await, Outcome::Done);
        mill.until("motion", |run| run.acked_line > 1).await;
        mill.shop.hub.realtime(Realtime::StopProgram);
        mill.over().await;
        let offered = |s: &Snapshot| s.programs.interrupted.as_ref().is_some_and(|offer| offer.run.name == name);
        let snapshot = mill.shop.until("its offer", offered).await;
        ids.push(snapshot.programs.interrupted.as_ref().unwrap().run.id);
        mill.shop.until("idle", idle).await;
    }
    assert_eq!(mill.ask(ProgramOrder::Forget(ids[1])).await, Outcome::Done);
    let offer = mill.interrupted().await;
    assert_eq!((offer.run.id, offer.run.name.as_str()), (ids[0], "one.nc"));
    assert!(refused(&mill.ask(ProgramOrder::Forget(ids[1])).await).contains("not offered"));
    assert_eq!(mill.ask(ProgramOrder::Forget(ids[0])).await, Outcome::Done);
    let store = mill.store.clone().unwrap();
    store.flush().unwrap();
    assert_eq!(store.reader().interrupted().unwrap(), None);
    mill.close().await;
}
