//! Programs on the simulated machine: hub, feeder, driver, session and machine together, on simulated time.

#![allow(clippy::unwrap_used)]

mod common;

use common::mill::{Mill, moves, x, z};
use common::shop::{FIRMWARES, idle, middle, on_cable, refused, state};
use sunmill::hub::runner::RunnerConfig;
use sunmill::model::command::HomeTarget;
use sunmill::model::machine::Firmware;
use sunmill::model::program::{ContentHash, OnLinkLoss, ProgramOrder, Prompt, RunEnd, RunRequest, RunState, Start};
use sunmill::model::{Axis, AxisSet, AxisVec, Command, Outcome, Realtime, Snapshot, StateKind};
use sunmill::store::{RunFilter, StoreOptions};

#[tokio::test(start_paused = true)]
async fn a_program_runs_to_its_end_and_is_done_when_the_machine_rests() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        mill.run(&(moves(60) + "G1 G91 X7 F3000\n")).await;
        let run = mill.over().await;
        assert_eq!(run.state, RunState::Done, "{firmware}");
        assert_eq!((run.acked_line, run.sent_line, run.lines), (65, 65, Some(65)), "{firmware}");
        assert!(run.hash.is_some() && run.ended_at.is_some());
        let snapshot = mill.shop.hub.snapshot();
        assert!(idle(&snapshot), "{firmware}");
        assert!((x(&snapshot) - middle(firmware) - 7.0).abs() < 0.01, "{firmware}: {}", x(&snapshot));
        assert_eq!(mill.history(), Some(RunEnd::Done));
        assert_eq!(snapshot.programs.interrupted, None);
        let counts = snapshot.programs.counts;
        assert_eq!((counts.started, counts.done, counts.failed), (1, 1, 0), "{firmware}");
        assert!((counts.running_s - run.ran_for(snapshot.at).as_secs_f64()).abs() < 0.001, "{firmware}: {counts:?}");
        assert!(snapshot.machine.link.stats.lines_sent >= 65, "{firmware}: {:?}", snapshot.machine.link.stats);
        mill.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_pauses_it_and_a_resume_goes_on_with_nothing_lost() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        mill.run(&moves(150)).await;
        mill.until("motion", |run| run.acked_line > 30).await;
        mill.shop.hub.realtime(Realtime::FeedHold);
        mill.until("pause", |run| matches!(run.state, RunState::Paused(_))).await;
        assert_eq!(mill.ask(ProgramOrder::Resume).await, Outcome::Done, "{firmware}");
        mill.until("running again", |run| run.state == RunState::Running).await;
        let run = mill.over().await;
        assert_eq!((run.state, run.acked_line), (RunState::Done, 154), "{firmware}");
        assert!((x(&mill.shop.hub.snapshot()) - middle(firmware)).abs() < 0.01, "{firmware}");
        mill.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_at_a_lines_end_comes_to_rest_and_goes_on() {
    let mut mill = Mill::open(Firmware::Grbl).await;
    mill.run(&moves(150)).await;
    mill.until("motion", |run| run.acked_line > 30).await;
    assert_eq!(mill.ask(ProgramOrder::PauseAtLineEnd).await, Outcome::Done);
    let run = mill.until("pause", |run| matches!(run.state, RunState::Paused(_))).await;
    assert_eq!(run.sent_line, run.acked_line, "what was sent is carried out");
    assert!(idle(&mill.shop.hub.snapshot()), "nothing holds it");
    assert_eq!(mill.ask(ProgramOrder::Resume).await, Outcome::Done);
    assert_eq!(mill.over().await.state, RunState::Done);
    mill.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_line_asks_with_its_neighbours_and_never_just_goes_on() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        let text = moves(60).replacen("G1 X1.5 Y0.5\n", "G1 X1.5 Y0.5\nG1 X0.1 H5 G999\n", 1);
        mill.run(&text).await;
        let Prompt::LineRefused { line: 5, code, meaning, .. } = mill.prompt().await else { panic!("{firmware}") };
        assert!(code > 0 && !meaning.is_empty(), "{firmware}");
        let run = mill
            .until(
                "neighbours",
                |run| matches!(&run.prompt, Some(Prompt::LineRefused { around, .. }) if around.len() == 5),
            )
            .await;
        let Some(Prompt::LineRefused { around, .. }) = run.prompt else { panic!() };
        assert_eq!(around[2], (5, "G1 X0.1 H5 G999".to_owned()));
        assert!(refused(&mill.ask(ProgramOrder::Resume).await).contains("refused"));
        mill.shop.hub.realtime(Realtime::CycleStart);
        assert_eq!(mill.ask(ProgramOrder::SkipLine).await, Outcome::Done);
        let run = mill.over().await;
        assert!(matches!(&run.state, RunState::Failed(why) if why.contains("line 5")), "{firmware}: {:?}", run.state);
        assert!(run.acked_line < 30, "{firmware}: the rest did not run: {}", run.acked_line);
        assert_eq!(mill.interrupted().await.suggested_line, 6);
        mill.shop.until("idle", idle).await;
        mill.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn m0_and_m6_ask_and_a_resume_answers() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        let text = "G21\nG91\nG1 X2 F3000\n(turn the part)\nM0\nG1 X-2\nT3 M6 (the small one)\nG1 X1\n";
        mill.run(text).await;
        let asked = mill.prompt().await;
        assert_eq!(asked, Prompt::Pause { line: 5, text: Some("turn the part".into()) }, "{firmware}");
        assert_eq!(mill.ask(ProgramOrder::Resume).await, Outcome::Done);
        // Whoever answers too, before or after the machine has gone on, is told who was first.
        let first = "question at line 5 has been answered already, by screen 1";
        assert!(refused(&mill.ask(ProgramOrder::Resume).await).contains(first), "{firmware}");
        assert!(refused(&mill.ask(ProgramOrder::StepAside).await).contains(first), "{firmware}");
        mill.until("going on", |run| run.prompt.is_none()).await;
        assert!(refused(&mill.ask(ProgramOrder::Resume).await).contains(first), "{firmware}");
        let asked = mill.prompt().await;
        let change = Prompt::ToolChange { line: 7, tool: Some(3), text: Some("the small one".into()), next: 8 };
        assert_eq!(asked, change, "{firmware}");
        let waiting = state(&mill.shop.hub.snapshot());
        let expected = if firmware == Firmware::GrblHal { StateKind::Tool } else { StateKind::Idle };
        assert_eq!(waiting, Some(expected), "{firmware}");
        assert_eq!(mill.ask(ProgramOrder::Resume).await, Outcome::Done);
        let run = mill.over().await;
        assert_eq!(run.state, RunState::Done, "{firmware}");
        assert!((x(&mill.shop.hub.snapshot()) - middle(firmware) - 1.0).abs() < 0.01, "{firmware}");
        mill.close().await;
    }
}

/// Jog and touch off at a tool change, by stop and recovery: the zero that was set holds for the rest.
#[tokio::test(start_paused = true)]
async fn at_a_tool_change_a_person_steps_aside_touches_off_and_goes_on_behind_it() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        mill.shop.done(Command::Home(HomeTarget::All)).await;
        mill.shop.done(Command::Mdi(format!("G53 G0 X{0} Y{0}", middle(firmware)))).await;
        mill.shop.until("middle", |s| idle(s) && (x(s) - middle(firmware)).abs() < 0.01).await;
        mill.shop.done(Command::Mdi("G53 G0 Z-30".into())).await;
        mill.shop.until("depth", |s| idle(s) && (z(s) + 30.0).abs() < 0.01).await;
        mill.shop.done(Command::SetWork { axes: AxisSet::first(3), value: 0.0 }).await;
        let text = "G21 G90\nG0 Z5\nG0 X2 Y1\nG1 Z1 F600\nG0 Z5\nT2 M6 (the small one)\nG1 Z1 F600\nX6\nG0 Z5\n";
        let path = mill.run(text).await;
        assert!(matches!(mill.prompt().await, Prompt::ToolChange { line: 6, next: 7, .. }), "{firmware}");
        let step = || Command::JogStep { distance: AxisVec::from_slice(&[0.0, 3.0, 0.0]), feed_mm_min: 600.0 };
        assert!(refused(&mill.shop.ask(step()).await).contains("stop it first"), "{firmware}");
        assert_eq!(mill.ask(ProgramOrder::StepAside).await, Outcome::Done, "{firmware}");
        let run = mill.over().await;
        assert!(matches!(&run.state, RunState::Stopped(why) if why.contains("line 7")), "{firmware}: {:?}", run.state);
        let offer = mill.interrupted().await;
        assert_eq!((offer.suggested_line, offer.run.last_line), (7, if firmware == Firmware::GrblHal { 6 } else { 5 }));
        let store = mill.store.clone().unwrap();
        store.flush().unwrap();
        let (_, kept) = store.reader().interrupted().unwrap().expect("what another process finds");
        assert_eq!(kept.next.map(|next| (next.line, next.why)), Some((7, offer.why.clone())), "{firmware}");
        let snapshot = mill.shop.until("idle", idle).await;
        assert!(!snapshot.machine.homed.is_empty(), "{firmware}: position is kept");
        let y = |s: &Snapshot| s.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[1]);
        let before = y(&snapshot);
        mill.shop.done(step()).await;
        mill.shop.until("the step's end", |s| idle(s) && (y(s) - before - 3.0).abs() < 0.01).await;
        // The new tool is 2 mm longer: its tip touches where Z read 2.
        mill.shop.done(Command::Mdi("G0 Z2".into())).await;
        mill.shop.until("rest", |s| idle(s) && (z(s) + 28.0).abs() < 0.01).await;
        mill.shop.done(Command::SetWork { axes: [Axis::Z].into_iter().collect(), value: 0.0 }).await;
        mill.shop.done(Command::Mdi("$#".into())).await;
        let snapshot = mill
            .shop
            .until("the new zero", |s| s.machine.work_position.is_some_and(|at| at.as_slice()[2].abs() < 0.01))
            .await;
        let file = std::fs::File::open(&path).unwrap();
        let warm_up = RunnerConfig::default().warm_up;
        let preamble = sunmill::hub::runner::preamble(&file, &path, 7, &snapshot, warm_up).unwrap();
        assert!(preamble.warnings.iter().any(|warning| warning.contains("tool 2")), "{:?}", preamble.warnings);
        let start = Start::Line { line: 7, preamble: preamble.lines.clone() };
        assert_eq!(mill.ask_run(RunRequest { start, ..Mill::request(path) }).await, Outcome::Done, "{firmware}");
        let run = mill.over().await;
        assert_eq!((run.state, run.first_line), (RunState::Done, 7), "{firmware}");
        let snapshot = mill.shop.until("rest", idle).await;
        assert!((x(&snapshot) - middle(firmware) - 6.0).abs() < 0.01, "{firmware}: {}", x(&snapshot));
        // Z 5 over the new zero at −28.
        assert!((z(&snapshot) + 23.0).abs() < 0.01, "{firmware}: {} {:?}", z(&snapshot), preamble.lines);
        mill.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_between_its_lines_and_no_second_program() {
    let mut mill = Mill::open(Firmware::FluidNc).await;
    let path = mill.run(&moves(100)).await;
    assert!(refused(&mill.shop.ask(Command::Mdi("G0 X1".into())).await).contains("part.nc"));
    assert!(refused(&mill.ask_run(Mill::request(path)).await).contains("one program"));
    assert_eq!(mill.over().await.state, RunState::Done);
    mill.shop.done(Command::Mdi("G4 P0".into())).await;
    mill.close().await;
}

#[tokio::test(start_paused = true)]
async fn alarms_resets_and_lost_links_end_it_and_nothing_goes_on_by_itself() {
    for firmware in FIRMWARES {
        for (fault, why) in [("hard-limit@9s", "alarm 1"), ("reset@9s", "restarted"), ("drop@9s", "link")] {
            let mut mill = Mill::with(firmware, fault, None).await;
            mill.run(&moves(3000)).await;
            let run = mill.over().await;
            assert!(
                matches!(&run.state, RunState::Failed(text) if text.contains(why)),
                "{firmware} {fault}: {:?}",
                run.state
            );
            let counts = mill.shop.hub.snapshot().programs.counts;
            assert_eq!((counts.started, counts.done, counts.failed), (1, 0, 1), "{firmware} {fault}");
            let offer = mill.interrupted().await;
            assert!(offer.run.last_line > 10 && offer.run.last_line == run.acked_line, "{firmware} {fault}");
            if fault.starts_with("drop") {
                mill.shop.until_ready().await;
                assert!(!mill.shop.hub.snapshot().programs.run.as_ref().unwrap().state.is_open());
                mill.shop.until("rest", idle).await;
            }
            assert!(matches!(mill.history(), Some(RunEnd::Failed(_))));
            mill.close().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_lost_link_is_kept_for_the_program_it_was_chosen_for() {
    let mut mill = Mill::open(Firmware::Grbl).await;
    let (part, other) = (mill.write("part.nc", "G21 G90\nG4 P0.1\n"), mill.write("other.nc", "G21 G90\nG4 P0.1\n"));
    let mut runs_with = async |path: &std::path::Path, on_link_loss, check_mode| {
        let request = RunRequest { on_link_loss, check_mode, ..Mill::request(path.to_owned()) };
        assert_eq!(mill.ask_run(request).await, Outcome::Done);
        let run = mill.over().await;
        assert_eq!(run.state, RunState::Done);
        mill.shop.until("rest", idle).await;
        mill.store.as_ref().unwrap().flush().unwrap();
        run.on_link_loss
    };
    assert_eq!(runs_with(&part, None, false).await, OnLinkLoss::Hold, "as it is configured");
    assert_eq!(runs_with(&part, Some(OnLinkLoss::Finish), false).await, OnLinkLoss::Finish);
    assert_eq!(runs_with(&part, Some(OnLinkLoss::Hold), true).await, OnLinkLoss::Hold, "in check mode nothing moves");
    assert_eq!(runs_with(&part, None, false).await, OnLinkLoss::Finish, "as it ran last");
    assert_eq!(runs_with(&part, None, false).await, OnLinkLoss::Finish);
    assert_eq!(runs_with(&other, None, false).await, OnLinkLoss::Hold, "that is another program");
    assert_eq!(runs_with(&part, Some(OnLinkLoss::Hold), false).await, OnLinkLoss::Hold);
    assert_eq!(runs_with(&part, None, false).await, OnLinkLoss::Hold);
    mill.close().await;
}

/// The controller has lines in its buffers when the cable comes out, and carries them out.
#[tokio::test(start_paused = true)]
async fn a_machine_that_still_moves_when_its_link_comes_back_is_held_or_left_to_finish() {
    for firmware in FIRMWARES {
        for on_link_loss in [OnLinkLoss::Hold, OnLinkLoss::Finish] {
            let (link, pull) = on_cable(Mill::machine(firmware));
            // What is chosen for the run goes before what is configured.
            let config = RunnerConfig { on_link_loss: on_link_loss.other(), ..RunnerConfig::default() };
            let mut mill = Mill::on_link(link, Some(config), StoreOptions::default()).await;
            let there = middle(firmware) + 30.0;
            let path = mill.write("part.nc", &format!("G21 G90\nG1 X{there} F120\nG1 Y{there}\n"));
            let chosen = RunRequest { on_link_loss: Some(on_link_loss), ..Mill::request(path) };
            assert_eq!(mill.ask_run(chosen).await, Outcome::Done);
            let far = move |s: &Snapshot| x(s) > middle(firmware) + 2.0;
            mill.shop.until("motion", far).await;
            pull.notify_one();
            assert!(matches!(mill.over().await.state, RunState::Failed(why) if why.contains("link")), "{firmware}");
            let offer = mill.interrupted().await;
            assert!(offer.warnings.iter().any(|warning| warning.contains('~')), "{firmware}: {:?}", offer.warnings);
            assert_eq!(offer.run.on_link_loss, Some(on_link_loss), "what takes it up keeps it");
            let held = |s: &Snapshot| matches!(state(s), Some(StateKind::Hold | StateKind::Held));
            if on_link_loss == OnLinkLoss::Hold {
                let snapshot = mill.shop.until("a hold", held).await;
                assert!(x(&snapshot) < there - 5.0, "{firmware}: {}", x(&snapshot));
            } else {
                let snapshot = mill.shop.until("its end", |s| held(s) || idle(s) && (x(s) - there).abs() < 0.01).await;
                assert!(idle(&snapshot), "{firmware}");
            }
            assert!(!mill.shop.hub.snapshot().programs.run.as_ref().unwrap().state.is_open(), "{firmware}");
            mill.close().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn check_mode_moves_nothing_and_is_left_again_even_after_an_error() {
    for firmware in FIRMWARES {
        for bad in [false, true] {
            let mut mill = Mill::open(firmware).await;
            let path = mill.write("part.nc", &(moves(30) + if bad { "G1 X1 H5 G999\n" } else { "" }));
            let request = RunRequest { check_mode: true, ..Mill::request(path) };
            assert_eq!(mill.ask_run(request).await, Outcome::Done, "{firmware}");
            let run = mill.over().await;
            assert_eq!(run.state == RunState::Done, !bad, "{firmware}: {:?}", run.state);
            let snapshot = mill.shop.until("idle", idle).await;
            assert!((x(&snapshot) - middle(firmware)).abs() < 0.001, "{firmware}");
            assert!(snapshot.programs.interrupted.is_none(), "{firmware}: nothing to go on with");
            mill.close().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_what_was_seen_is_refused_by_name() {
    let mut mill = Mill::open(Firmware::Grbl).await;
    let path = mill.write("part.nc", &moves(3));
    let other = RunRequest { seen: Some(ContentHash([7; 32])), ..Mill::request(path.clone()) };
    let why = refused(&mill.ask_run(other).await);
    assert!(why.contains("part.nc") && why.contains("not what was checked"), "{why}");
    let seen = ContentHash(*blake3::hash(moves(3).as_bytes()).as_bytes());
    let same = RunRequest { seen: Some(seen), ..Mill::request(path) };
    assert_eq!(mill.ask_run(same).await, Outcome::Done);
    assert_eq!(mill.over().await.hash, Some(seen));
    for (name, text, said) in [("empty.nc", "", "empty"), ("binary.nc", "G0\0X1", "not a G-code")] {
        let path = mill.write(name, text);
        let why = refused(&mill.ask_run(Mill::request(path)).await);
        assert!(why.contains(name) && why.contains(said), "{why}");
    }
    let why = refused(&mill.ask_run(Mill::request("/etc/hostname.nc".into())).await);
    assert!(why.contains("outside"), "{why}");
    assert!(mill.shop.hub.snapshot().programs.run.as_ref().is_some_and(|run| run.name == "part.nc"));
    mill.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_deleted_runs_on_and_one_that_is_written_to_holds_the_machine() {
    let mut mill = Mill::open(Firmware::FluidNc).await;
    let path = mill.run(&moves(200)).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(mill.over().await.state, RunState::Done);

    // Longer than what is read ahead.
    let path = mill.run(&"G91 G1 X0.01 F3000\nX-0.01\n".repeat(10_000)).await;
    std::fs::write(&path, moves(30)).unwrap();
    let run = mill.until("pause", |run| matches!(run.state, RunState::Paused(_))).await;
    let RunState::Paused(why) = &run.state else { panic!() };
    assert!(why.contains("part.nc") && why.contains("line") && why.contains("Stop"), "{why}");
    assert!(refused(&mill.ask(ProgramOrder::Resume).await).contains("cannot go on"));
    mill.shop.hub.realtime(Realtime::StopProgram);
    let run = mill.over().await;
    assert!(matches!(&run.state, RunState::Failed(why) if why.contains("changed")), "{:?}", run.state);
    mill.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_sunmill_holds_the_machine_and_writes_down_where() {
    let mut mill = Mill::open(Firmware::Grbl).await;
    mill.run(&moves(400)).await;
    mill.until("motion", |run| run.acked_line > 100).await;
    let store = mill.store.take().unwrap();
    mill.shop.task.shutdown().await;
    store.flush().unwrap();
    let runs = store.reader().runs(&RunFilter::default(), 0, 10).unwrap();
    assert!(matches!(&runs[0].end, Some(RunEnd::Interrupted(why)) if why.contains("hold")), "{:?}", runs[0].end);
    assert!(runs[0].last_line > 100);
}

#[tokio::test(start_paused = true)]
async fn the_queue_starts_nothing_by_itself() {
    let mut mill = Mill::open(Firmware::Grbl).await;
    let path = mill.write("next.nc", &moves(3));
    assert_eq!(mill.ask(ProgramOrder::Enqueue(path.clone())).await, Outcome::Done);
    mill.run(&moves(5)).await;
    mill.over().await;
    mill.shop.done(Command::Mdi("G4 P1".into())).await;
    let snapshot = mill.shop.hub.snapshot();
    assert_eq!(snapshot.programs.queue[..], *std::slice::from_ref(&path));
    assert_eq!(mill.ask_run(Mill::request(path)).await, Outcome::Done);
    assert_eq!(mill.over().await.state, RunState::Done);
    assert!(mill.shop.hub.snapshot().programs.queue.is_empty(), "started by a person: out of the queue");
    mill.close().await;
}

/// An outline is checked as a program is, is in the history under its own name, and takes no offer away.
#[tokio::test(start_paused = true)]
async fn an_outline_is_driven_round_and_is_no_run_of_the_program() {
    for firmware in FIRMWARES {
        let mut mill = Mill::open(firmware).await;
        mill.shop.done(Command::Home(HomeTarget::All)).await;
        mill.shop.done(Command::Mdi(format!("G53 G0 X{0} Y{0}", middle(firmware)))).await;
        mill.shop.until("middle", |s| idle(s) && (x(s) - middle(firmware)).abs() < 0.01).await;
        let m = middle(firmware);
        // In absolute coordinates: FluidNC carries out the line that it has in its hands after the reset, with modes of its own.
        let text = format!("G21 G90\n{}", format!("G1 X{m} Y{m} F6000\nG1 X{} F6000\n", m + 1.5).repeat(75));
        let path = mill.run(&text).await;
        mill.until("motion", |run| run.acked_line > 20).await;
        mill.shop.hub.realtime(Realtime::StopProgram);
        mill.over().await;
        let offer = mill.interrupted().await;
        mill.shop.until("idle", idle).await;
        mill.shop.done(Command::Mdi(format!("G90 G1 X{} Y{m} F6000", m - 3.0))).await;
        mill.shop.until("a place beside it", |s| idle(s) && (x(s) - m + 3.0).abs() < 0.01).await;
        let round = |far: f64| {
            let lines = ["M5".to_owned(), "G21 G90 G94 G54".to_owned()].into_iter();
            let corners = [(m, m), (m + far, m), (m + far, m + 4.0), (m, m + 4.0), (m, m)];
            lines.chain(corners.map(|(x, y)| format!("G1 X{x} Y{y} F3000"))).collect::<Vec<_>>()
        };
        let start = |far| RunRequest { start: Start::Outline { lines: round(far) }, ..Mill::request(path.clone()) };
        let why = refused(&mill.ask_run(start(9999.0)).await);
        assert!(why.contains("check found") && why.contains("line 4"), "{firmware}: {why}");
        assert_eq!(mill.ask_run(start(6.0)).await, Outcome::Done, "{firmware}");
        let run = mill.until("the outline", |run| run.outline && !run.state.is_open()).await;
        assert_eq!((run.state, run.name.as_str()), (RunState::Done, "outline of part.nc"), "{firmware}");
        assert_eq!((run.acked_line, run.lines), (7, Some(7)), "{firmware}");
        assert!((x(&mill.shop.hub.snapshot()) - m).abs() < 0.01, "{firmware}");
        assert_eq!(mill.interrupted().await.run.id, offer.run.id, "{firmware}: what was offered is offered still");
        assert_eq!(mill.history(), Some(RunEnd::Done));
        // One that is stopped is not offered.
        assert_eq!(mill.ask_run(start(60.0)).await, Outcome::Done, "{firmware}");
        mill.until("motion", |run| run.outline && run.acked_line > 2).await;
        mill.shop.hub.realtime(Realtime::StopProgram);
        mill.over().await;
        mill.shop.until("idle", idle).await;
        assert_eq!(mill.interrupted().await.run.id, offer.run.id, "{firmware}");
        let store = mill.store.clone().unwrap();
        store.flush().unwrap();
        assert_eq!(store.reader().interrupted().unwrap().map(|(run, _)| run.id), Some(offer.run.id), "{firmware}");
        mill.close().await;
    }
}
