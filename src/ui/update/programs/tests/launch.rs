//! The question before a run, while the machine and the file change beside it.

use super::*;
use crate::model::AxisVec;
use crate::model::machine::ModalState;
use crate::model::snapshot::LinkState;
use crate::ui::programs::Way;

#[test]
fn a_row_that_goes_away_under_the_selection_closes_nothing() {
    let mut scene = listed();
    scene.snapshot.machine.homed = AxisSet::EMPTY;
    scene.press(&["r"]);
    scene.snapshot.machine.homed = AxisSet::first(3);
    let mut clean = details();
    let mut report = (*clean.report).clone();
    (report.warnings, report.problems) = (0, Vec::new());
    (clean.report, clean.problems) = (Arc::new(report), Vec::new());
    told(&mut scene, clean);
    scene.wait(1000);
    assert!(matches!(scene.press(&["Enter"])[..], [Effect::Submit(_)]), "{}", scene.text(80, 24));
}

#[test]
fn what_is_said_of_a_file_is_asked_anew_when_the_machine_stands_otherwise() {
    let mut scene = listed();
    let again = [asks(ProgramQuery::Details(file("plate.nc")))];
    scene.event(&Event::Snapshot);
    scene.press(&["Enter"]);
    assert_eq!(scene.event(&Event::Snapshot), []);
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Alarm));
    assert_eq!(scene.event(&Event::Snapshot), again);
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Idle));
    assert_eq!(scene.event(&Event::Snapshot), again);
    scene.press(&["r"]);
    assert_eq!(scene.event(&Event::Snapshot), []);
    scene.snapshot.machine.modal = Some(ModalState { words: vec!["G20".into(), "G55".into()] });
    assert_eq!(scene.event(&Event::Snapshot), again);
    scene.snapshot.machine.link.state = LinkState::Silent { why: "nothing answers".into() };
    assert_eq!(scene.event(&Event::Snapshot), again);
}

#[test]
fn a_stopped_check_is_agreed_to_or_gone_on_with_and_stands_in_no_other_way() {
    for state in [JobState::Stopped, JobState::Paused, JobState::Running] {
        let mut scene = listed_with(Err("its check was stopped; resume it to see more".into()));
        let job = Job { id: 1, path: file("plate.nc"), state, done_bytes: 36, total_bytes: 100, errors: 0 };
        scene.snapshot.programs.jobs = Arc::new(vec![job]);
        scene.press(&["r"]);
        let text = scene.text(80, 24);
        assert!(text.contains("Not yet: the check is not finished"), "{text}");
        scene.wait(1000);
        assert!(
            matches!(scene.press(&["u", "Enter", "s", "Enter"])[..], [Effect::Submit(_)]),
            "{}",
            scene.text(80, 24)
        );
    }
}

#[test]
fn check_mode_is_there_for_a_program_with_errors_and_its_end_says_what_it_means() {
    let mut scene = listed_with(Ok(bad_details()));
    scene.press(&["r", "c", "Enter"]);
    scene.wait(1000);
    let [Effect::Submit(Command::Program(ProgramOrder::Run(run)))] = &scene.press(&["s", "Enter"])[..] else {
        panic!("{}", scene.text(80, 24))
    };
    assert!(run.check_mode);
    let mut scene = Scene::new(running());
    scene.snapshot.programs.run.as_mut().unwrap().check_mode = true;
    scene.event(&Event::Snapshot);
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    (run.state, run.ended_at) = (RunState::Done, Some(NOW));
    scene.event(&Event::Snapshot);
    assert!(scene.ui.notice.take().unwrap().text.contains("the controller accepts it"));
}

#[test]
fn what_check_mode_takes_is_said_and_agreed_to() {
    let mut scene = listed();
    scene.snapshot.machine.offsets.insert("TLO".into(), AxisVec::from_slice(&[-4.5]));
    scene.press(&["r", "c", "Enter"]);
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    let text = scene.text(80, 24);
    assert!(text.contains("the tool length that is set now will be") && text.contains("what is lost"), "{text}");
    assert!(matches!(scene.press(&["w", "Enter", "s", "Enter"])[..], [Effect::Submit(_)]));
}

#[test]
fn a_digit_takes_the_place_of_the_line_that_was_put() {
    let mut scene = listed();
    scene.press(&["l", "5", "Enter"]);
    scene.press(&["l", "Enter", "9", "2", "Enter"]);
    assert_eq!(scene.ui.programs.launch.as_ref().unwrap().from.as_ref().unwrap().line, 92);
    scene.press(&["l", "Enter", "Backspace", "1", "Enter"]);
    assert_eq!(scene.ui.programs.launch.as_ref().unwrap().from.as_ref().unwrap().line, 91);
}

#[test]
fn nothing_is_begun_in_the_middle_before_what_is_sent_first_was_on_the_screen() {
    let mut scene = cut_off();
    scene.press(&["t", "Enter"]);
    let mut clean = details();
    let mut report = (*clean.report).clone();
    (report.warnings, report.problems) = (0, Vec::new());
    (clean.report, clean.problems) = (Arc::new(report), Vec::new());
    told(&mut scene, clean);
    let mut long = preamble();
    long.lines.extend((0..20).map(|n| format!("G0 X{n}")));
    answer(&mut scene, ProgramAnswer::Preamble { path: file("plate.nc"), line: 1198, result: Ok(long.clone()) });
    scene.wait(1000);
    let text = scene.look(80, 24);
    assert!(text.contains("Not yet: read to its end what is sent first"), "{text}");
    assert_eq!(scene.ui.programs.launch.as_ref().unwrap().selected, Way::Leave);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    // To draw it changes nothing, though a frame that shows all of it says what follows from that.
    assert!(scene.text(120, 60).contains("THE MACHINE MOVES"), "{}", scene.text(120, 60));
    assert!(!scene.ui.programs.launch.as_ref().unwrap().is_read);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    for _ in 0..5 {
        scene.press(&["PgDn"]);
        scene.look(80, 24);
    }
    scene.wait(1000);
    let start = Start::Line { line: 1198, preamble: long.lines };
    assert_eq!(scene.press(&["Enter"]), orders(ProgramOrder::Run(Box::new(request(start, false)))));
}

#[test]
fn without_a_machine_that_answers_it_is_not_said_that_nothing_was_interrupted() {
    let mut scene = Scene::new(testing::idle());
    scene.press(&["a"]);
    assert!(scene.text(80, 24).contains("no program was interrupted"));
    scene.snapshot.machine.link.state = LinkState::Silent { why: "nothing answers".into() };
    scene.press(&["a"]);
    assert!(scene.text(80, 24).contains("once the machine answers"), "{}", scene.text(80, 24));
}

#[test]
fn a_run_is_taken_up_at_its_first_line_with_what_has_to_be_sent_for_that() {
    let mut scene = Scene::new(testing::idle());
    let found = crate::model::program::Interrupted { suggested_line: 1, ..interrupted() };
    scene.snapshot.programs.interrupted = Some(Arc::new(found));
    scene.event(&Event::Snapshot);
    scene.press(&["Enter"]);
    let asked = scene.press(&["a"]);
    let first = asks(ProgramQuery::Preamble { path: file("plate.nc"), line: 1 });
    assert_eq!(asked, [asks(ProgramQuery::Details(file("plate.nc"))), first]);
}

#[test]
fn what_follows_a_lost_link_is_chosen_before_the_run_and_begins_with_what_is_kept_for_the_program() {
    let asked = |scene: &mut Scene| {
        scene.wait(1000);
        let [Effect::Submit(Command::Program(ProgramOrder::Run(run)))] = &scene.press(&["s", "Enter"])[..] else {
            panic!("{}", scene.text(80, 24))
        };
        run.on_link_loss
    };
    // As it is configured: the hub knows.
    let mut scene = listed();
    scene.press(&["r", "w", "Enter"]);
    assert!(scene.text(60, 18).contains("If the link is lost: hold it when it is back"), "{}", scene.text(60, 18));
    assert_eq!(asked(&mut scene), None);
    // The key leads to the row, Enter takes it.
    let mut scene = listed();
    assert_eq!(scene.press(&["k"]), [asks(ProgramQuery::Details(file("plate.nc")))]);
    scene.press(&["Enter"]);
    assert!(scene.text(80, 24).contains("If the link is lost: let it end what it has"), "{}", scene.text(80, 24));
    scene.press(&["w", "Enter"]);
    assert_eq!(asked(&mut scene), Some(OnLinkLoss::Finish));
    // As it ran last.
    let mut scene = listed();
    scene.press(&["r", "w", "Enter"]);
    told(&mut scene, Details { on_link_loss: Some(OnLinkLoss::Finish), ..details() });
    assert!(scene.text(80, 24).contains("let it end what it has"), "{}", scene.text(80, 24));
    assert_eq!(asked(&mut scene), Some(OnLinkLoss::Finish));
    // And an interrupted one goes on as it began.
    let mut scene = Scene::new(testing::idle());
    let mut found = interrupted();
    found.run.on_link_loss = Some(OnLinkLoss::Finish);
    scene.snapshot.programs.interrupted = Some(Arc::new(found));
    scene.event(&Event::Snapshot);
    scene.press(&["Enter", "a"]);
    assert!(scene.text(80, 24).contains("let it end what it has"), "{}", scene.text(80, 24));
    // In check mode nothing moves.
    scene.press(&["c", "Enter"]);
    assert!(!scene.text(80, 24).contains("If the link is lost"), "{}", scene.text(80, 24));
}

#[test]
fn no_line_of_what_is_sent_first_is_passed_over_on_a_small_screen() {
    for banners in [false, true] {
        let mut scene = cut_off();
        scene.press(&["t", "Enter"]);
        told(&mut scene, details());
        if banners {
            scene.snapshot.power = Arc::new(testing::power::one());
            scene.snapshot.machine.homed = AxisSet::EMPTY;
        }
        let mut long = preamble();
        long.lines.extend((0..20).map(|n| format!("G0 X{n}.5")));
        answer(&mut scene, ProgramAnswer::Preamble { path: file("plate.nc"), line: 1198, result: Ok(long.clone()) });
        let mut seen = scene.look(60, 18);
        while !scene.ui.programs.launch.as_ref().unwrap().is_read {
            scene.press(&["PgDn"]);
            seen += &scene.look(60, 18);
        }
        for line in &long.lines {
            assert!(seen.contains(line.as_str()), "{line}: {seen}");
        }
        // Whatever is selected is in sight.
        let all = scene.look(60, 18);
        assert!(all.contains("more choices"), "{all}");
        for (key, row) in [("s", "Start"), ("k", "link is lost"), ("c", "Check mode"), ("f", "Forget")] {
            scene.press(&[key]);
            let text = scene.look(60, 18);
            assert!(text.lines().any(|line| line.contains(row) && line.contains("Enter")), "{text}");
        }
    }
}
