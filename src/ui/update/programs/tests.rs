mod launch;

use std::sync::Arc;

use crate::model::command::{ClientId, Origin, Outcome, Refused, TicketId};
use crate::model::desk::Query;
use crate::model::hub::LogEvent;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::MachineState;
use crate::model::program::ask::{Details, Statistics};
use crate::model::program::order::POSITION_WORD;
use crate::model::program::run::{Job, JobState, RunState};
use crate::model::program::{
    Agreed, ContentHash, OnLinkLoss, ProgramAnswer, ProgramOrder, ProgramQuery, Prompt, RunEnd, RunId, RunRequest,
    Start,
};
use crate::model::{AxisSet, Command, Realtime, StateKind};
use crate::ui::input::{Input, InputEvent};
use crate::ui::programs::Page;
use crate::ui::state::{Effect, Event, ExitReason, Mode, Tab};
use crate::ui::testing::programs::{
    answer, bad_details, details, entries, file, interrupted, listed, listed_with, preamble, run, running,
};
use crate::ui::testing::{self, NOW, Scene, key, ms};

fn asks(query: ProgramQuery) -> Effect {
    Effect::Ask(Query::Program(query))
}

fn orders(order: ProgramOrder) -> Vec<Effect> {
    vec![Effect::Submit(Command::Program(order))]
}

fn told(scene: &mut Scene, details: Details) {
    answer(scene, ProgramAnswer::Details { path: file("plate.nc"), result: Ok(Arc::new(details)) });
}

fn request(start: Start, warnings: bool) -> RunRequest {
    RunRequest {
        path: file("plate.nc"),
        seen: Some(ContentHash([7; 32])),
        start,
        agreed: Agreed { warnings, ..Agreed::default() },
        check_mode: false,
        on_link_loss: None,
    }
}

fn prompt(scene: &mut Scene, prompt: Prompt) {
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    run.prompt = Some(prompt);
    run.state = RunState::Paused("asks".into());
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Idle));
    scene.event(&Event::Snapshot);
}

fn pause() -> Prompt {
    Prompt::Pause { line: 40, text: Some("flip the part".into()) }
}

// ---- the list ------------------------------------------------------------------------------------------------------

#[test]
fn opening_the_tab_lists_and_a_resting_selection_asks_once() {
    let mut scene = Scene::new(testing::idle());
    assert_eq!(scene.press(&["P"]), [asks(ProgramQuery::List(None))]);
    answer(&mut scene, ProgramAnswer::List { folder: None, entries: Ok(entries()), notes: Vec::new() });
    let now = scene.now;
    for n in 1..=3 {
        assert_eq!(scene.input(key("Down", now + ms(n * 30))), [], "files that are passed by are not read");
    }
    let relief = file("relief of the valley, roughing with a 6 mm ball nose.nc");
    let asked = scene.wait(200);
    assert_eq!(asked, [asks(ProgramQuery::Details(relief))]);
    assert_eq!(scene.wait(1000), [], "once");
}

#[test]
fn the_folder_is_read_anew_while_it_is_looked_at_only() {
    let mut scene = listed();
    let again = scene.wait(3500);
    assert_eq!(again, [asks(ProgramQuery::List(None))]);
    scene.press(&["M"]);
    assert_eq!(scene.wait(30_000), []);
}

#[test]
fn a_file_that_changed_on_disk_is_read_again_and_what_was_agreed_to_is_void() {
    let mut scene = listed();
    scene.press(&["r", "w", "Enter"]);
    assert!(scene.ui.programs.launch.as_ref().unwrap().warnings);
    let mut changed = entries();
    changed[1].bytes += 1;
    let list = ProgramAnswer::List { folder: None, entries: Ok(changed), notes: Vec::new() };
    let asked = answer(&mut scene, list);
    assert!(asked.contains(&asks(ProgramQuery::Details(file("plate.nc")))), "{asked:?}");
    assert!(!scene.ui.programs.launch.as_ref().unwrap().warnings);
}

#[test]
fn the_filter_takes_text_and_stop_keys_that_are_text_give_way() {
    let mut scene = listed();
    scene.press(&["/", "d", "r", "Space", "!"]);
    assert_eq!(scene.ui.programs.browser.filter.text(), "dr !");
    assert_eq!(scene.press(&["Ctrl+Space"]), [Effect::Realtime(Realtime::Stop)]);
    scene.press(&["Backspace", "Backspace", "Enter"]);
    assert_eq!((scene.ui.mode.clone(), scene.ui.programs.browser.rows().len()), (Mode::Main, 1));
    scene.press(&["Esc"]);
    assert_eq!(scene.ui.programs.browser.rows().len(), 4);
}

#[test]
fn enter_goes_into_a_folder_and_backspace_out_of_it() {
    let mut scene = listed();
    scene.press(&["Up"]);
    let folder = file("jobs 2025");
    assert_eq!(scene.press(&["Enter"]), [asks(ProgramQuery::List(Some(folder)))]);
    assert_eq!(scene.press(&["Backspace"]), [asks(ProgramQuery::List(None))]);
    assert_eq!(scene.press(&["Backspace"]), []);
}

#[test]
fn a_problem_leads_to_its_line() {
    let mut scene = listed_with(Ok(bad_details()));
    scene.press(&["Enter", "Down"]);
    let asked = scene.press(&["t"]);
    assert_eq!(scene.ui.programs.text.cursor, 40, "the second error");
    assert_eq!(asked, [asks(ProgramQuery::Lines { path: file("plate.nc"), from: 1, count: 200 })]);
    let lines = (1..=200).map(|n| format!("G1 X{n}")).collect();
    answer(&mut scene, ProgramAnswer::Lines { path: file("plate.nc"), from: 1, lines: Ok(lines) });
    let asked = scene.press(&["/", "4", "0", "0", "0", "Enter"]);
    assert_eq!(asked, [asks(ProgramQuery::Lines { path: file("plate.nc"), from: 3940, count: 200 })]);
}

// ---- the question before a run ---------------------------------------------------------------------------------------

#[test]
fn an_outline_is_shown_agreed_to_and_sent_as_it_was_shown() {
    use crate::model::program::ask::{OutlineAsk, OutlinePlan};

    let mut scene = listed();
    let (path, rectangle) = (file("plate.nc"), OutlineAsk { hull: false, stays: true });
    let query = |ask| asks(ProgramQuery::Outline { path: file("plate.nc"), ask });
    assert_eq!(scene.press(&["d"]), [asks(ProgramQuery::Details(path.clone())), query(rectangle)]);
    assert_eq!(scene.press(&["Enter"]), [], "nothing is known yet");
    let lines: Vec<String> = ["M5", "G21 G90 G94 G54", "G53 G0 Z-5", "G1 X0 Y0 F1500"].map(str::to_owned).to_vec();
    let hash = ContentHash([7; 32]);
    let plan = |lines: &[String]| OutlinePlan { hash, lines: lines.to_vec(), problems: Vec::new(), seconds: 12.0 };
    let told = |scene: &mut Scene, ask, lines: &[String]| {
        answer(scene, ProgramAnswer::Outline { path: file("plate.nc"), ask, result: Ok(plan(lines)) });
    };
    // Another shape is another question; the answer to the first is not taken for it.
    let hull = OutlineAsk { hull: true, ..rectangle };
    assert_eq!(scene.press(&["t", "Enter"]), [query(hull)]);
    told(&mut scene, rectangle, &[]);
    assert!(scene.text(80, 24).contains("being worked out"), "{}", scene.text(80, 24));
    told(&mut scene, hull, &lines);
    insta::assert_snapshot!("outline", scene.text(80, 24));
    insta::assert_snapshot!("outline_small", scene.text(60, 18));
    scene.wait(1000);
    let request = RunRequest { start: Start::Outline { lines }, ..request(Start::Beginning, false) };
    assert_eq!(scene.press(&["s", "Enter"]), orders(ProgramOrder::Run(Box::new(request))));
    assert_eq!(scene.ui.tab, Tab::Machine);
}

#[test]
fn an_outline_over_an_unhomed_machine_leaves_z_and_wants_the_word() {
    let mut scene = listed();
    scene.snapshot.machine.homed = AxisSet::EMPTY;
    let asked = scene.press(&["d"]);
    let stays = crate::model::program::ask::OutlineAsk { hull: false, stays: true };
    assert!(asked.contains(&asks(ProgramQuery::Outline { path: file("plate.nc"), ask: stays })), "{asked:?}");
    let text = scene.text(80, 24);
    assert!(text.contains("IS IT CLEAR?") && text.contains(POSITION_WORD), "{text}");
}

#[test]
fn a_tool_change_offers_to_step_aside() {
    let mut scene = Scene::new(running());
    prompt(&mut scene, Prompt::ToolChange { line: 40, tool: Some(2), text: None, next: 41 });
    assert_eq!(scene.press(&["j"]), [], "selects");
    assert!(scene.text(80, 24).contains("a goes on at line 41"), "{}", scene.text(80, 24));
    assert_eq!(scene.press(&["Enter"]), orders(ProgramOrder::StepAside));
}

#[test]
fn a_run_needs_its_warnings_agreed_to_and_a_settled_question() {
    let mut scene = listed();
    assert_eq!(scene.press(&["r"]), [asks(ProgramQuery::Details(file("plate.nc")))]);
    assert_eq!(scene.press(&["s", "Enter"]), [], "the warning is not agreed to");
    assert!(scene.text(80, 24).contains("agree to the warnings first"));
    scene.press(&["w", "Enter"]);
    scene.wait(500);
    let started = scene.press(&["Enter"]);
    assert_eq!(started, orders(ProgramOrder::Run(Box::new(request(Start::Beginning, true)))));
    assert_eq!(scene.ui.tab, Tab::Machine, "where the machine is watched");
}

#[test]
fn neither_letters_nor_a_paste_nor_a_burst_nor_the_enter_that_opened_it_start_anything() {
    let mut scene = listed();
    scene.press(&["Enter", "Enter"]);
    assert_eq!(scene.ui.programs.page, Page::Launch);
    assert_eq!(scene.press(&["Enter"]), [], "what leaves everything as it is is selected");
    scene.press(&["r", "w", "Enter"]);
    scene.wait(1000);
    for letter in ["s", "y", "w", "w", "c"] {
        assert_eq!(scene.press(&[letter]), [], "{letter}");
    }
    scene.press(&["s"]);
    let at = scene.now + ms(500);
    let paste = InputEvent { at, batch: 1, keys_in_batch: 0, what: Input::Paste("\r\n".into()) };
    assert_eq!(scene.input(paste), []);
    let at = scene.now + ms(500);
    assert_eq!(scene.input(InputEvent { keys_in_batch: 3, ..key("Enter", at) }), []);
    scene.input(key("Up", scene.now + ms(500)));
    assert_eq!(scene.input(key("Enter", scene.now + ms(60))), [], "60 ms after another key");
    assert!(matches!(scene.press(&["Enter"])[..], [Effect::Submit(_)]), "and then it does");
}

#[test]
fn news_that_change_the_question_need_a_look_first() {
    let mut scene = listed();
    scene.press(&["r", "w", "Enter"]);
    scene.wait(1000);
    let mut other = details();
    other.problems[0].text = "Something else.".into();
    told(&mut scene, other);
    let at = scene.now + ms(300);
    assert_eq!(scene.input(key("Enter", at)), []);
    scene.wait(600);
    assert!(matches!(scene.press(&["Enter"])[..], [Effect::Submit(_)]));
}

#[test]
fn a_program_with_errors_an_alarm_or_a_run_under_way_is_not_started() {
    let mut scene = listed_with(Ok(bad_details()));
    scene.press(&["r", "w", "Enter"]);
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    assert!(scene.text(80, 24).contains("a program with errors is not run"));
    let mut scene = listed();
    scene.press(&["r", "w", "Enter"]);
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Alarm));
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    assert!(scene.text(80, 24).contains("in alarm"));
    let mut scene = listed();
    scene.snapshot.programs.run = Some(run());
    assert_eq!(scene.press(&["r"]), []);
    assert_eq!(scene.ui.programs.page, Page::List);
}

#[test]
fn where_the_machine_is_not_homed_the_words_are_typed() {
    let mut scene = listed();
    scene.snapshot.machine.homed = AxisSet::first(2);
    scene.press(&["r", "w", "Enter"]);
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    scene.press(&["p", "Enter"]);
    let word: Vec<String> =
        POSITION_WORD.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() }).collect();
    for c in &word {
        assert_eq!(scene.press(&[c]), [], "a space in a text field is text");
    }
    assert_eq!(scene.press(&["Enter"]), [], "closes the field");
    let mut expected = request(Start::Beginning, true);
    expected.agreed.position_word = POSITION_WORD.into();
    assert_eq!(scene.press(&["Enter"]), orders(ProgramOrder::Run(Box::new(expected))));
}

#[test]
fn check_mode_needs_no_position() {
    let mut scene = listed();
    scene.snapshot.machine.homed = AxisSet::EMPTY;
    scene.press(&["r", "w", "Enter", "c", "Enter"]);
    scene.wait(1000);
    let mut expected = request(Start::Beginning, true);
    expected.check_mode = true;
    assert_eq!(scene.press(&["s", "Enter"]), orders(ProgramOrder::Run(Box::new(expected))));
}

#[test]
fn an_unfinished_check_is_agreed_to_and_no_content_was_seen() {
    let mut scene = listed();
    let job =
        Job { id: 1, path: file("plate.nc"), state: JobState::Running, done_bytes: 1, total_bytes: 100, errors: 0 };
    scene.snapshot.programs.jobs = Arc::new(vec![job]);
    scene.press(&["r", "w", "Enter"]);
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    scene.press(&["u", "Enter"]);
    let mut expected = request(Start::Beginning, true);
    (expected.seen, expected.agreed.unchecked) = (None, true);
    assert_eq!(scene.press(&["s", "Enter"]), orders(ProgramOrder::Run(Box::new(expected))));
}

#[test]
fn a_start_from_a_line_waits_for_its_preamble_and_sends_what_was_shown() {
    let mut scene = listed();
    let asked = scene.press(&["l", "Backspace", "1", "2", "0", "4", "Enter"]);
    assert!(asked.contains(&asks(ProgramQuery::Preamble { path: file("plate.nc"), line: 1204 })), "{asked:?}");
    scene.press(&["w", "Enter"]);
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), [], "no preamble yet");
    let wrong = ProgramAnswer::Preamble { path: file("plate.nc"), line: 3, result: Ok(preamble()) };
    answer(&mut scene, wrong);
    assert_eq!(scene.press(&["s", "Enter"]), [], "that was for another line");
    let right = ProgramAnswer::Preamble { path: file("plate.nc"), line: 1204, result: Ok(preamble()) };
    answer(&mut scene, right);
    scene.look(120, 60);
    scene.wait(1000);
    let start = Start::Line { line: 1198, preamble: preamble().lines };
    assert_eq!(scene.press(&["s", "Enter"]), orders(ProgramOrder::Run(Box::new(request(start, true)))));
}

#[test]
fn what_was_not_answered_can_be_asked_again() {
    let mut scene = listed();
    scene.press(&["l", "Backspace", "9", "Enter"]);
    let asked = scene.press(&["F5"]);
    let preamble = asks(ProgramQuery::Preamble { path: file("plate.nc"), line: 9 });
    assert_eq!(asked, [asks(ProgramQuery::Details(file("plate.nc"))), preamble]);
}

/// Whatever page is open, keys that are no answer to a question send nothing that moves.
#[test]
fn no_letter_of_the_tab_starts_a_program() {
    for page in [Page::List, Page::Details, Page::Preview, Page::Text, Page::History, Page::Queue, Page::Jobs] {
        for letter in ('a'..='z').chain('A'..='Z').chain("[]<>{}()0123456789;".chars()) {
            let mut scene = listed();
            scene.snapshot.programs.queue = Arc::new(vec![file("plate.nc")]);
            scene.ui.programs.page = page;
            for effect in scene.press(&[&letter.to_string()]) {
                let starts =
                    matches!(&effect, Effect::Submit(Command::Program(ProgramOrder::Run(_) | ProgramOrder::Resume)));
                assert!(!starts, "{letter} on {page:?}: {effect:?}");
            }
        }
    }
}

#[test]
fn homing_while_the_question_is_open_asks_anew() {
    let mut scene = listed();
    scene.snapshot.machine.homed = AxisSet::EMPTY;
    scene.press(&["r"]);
    assert_eq!(scene.event(&Event::Snapshot), []);
    scene.snapshot.machine.homed = AxisSet::first(3);
    assert_eq!(scene.event(&Event::Snapshot), [asks(ProgramQuery::Details(file("plate.nc")))]);
}

// ---- a run ------------------------------------------------------------------------------------------------------------

#[test]
fn pause_resume_and_stop() {
    let mut scene = Scene::new(running());
    assert_eq!(scene.press(&["e"]), orders(ProgramOrder::PauseAtLineEnd));
    assert_eq!(scene.press(&["!"]), [Effect::Realtime(Realtime::FeedHold)]);
    assert_eq!(scene.press(&["@"]), [Effect::Realtime(Realtime::StopProgram)]);
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    run.state = RunState::Paused("end of a line".into());
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Idle));
    assert_eq!(scene.press(&["~"]), orders(ProgramOrder::Resume));
    scene.snapshot.machine.state = Some(MachineState::with_sub(StateKind::Hold, 0));
    assert_eq!(scene.press(&["~"]), [Effect::Realtime(Realtime::CycleStart)], "the machine itself holds");
    assert_eq!(scene.press(&["e"]), [], "paused already");
    let mut idle = Scene::new(testing::idle());
    assert_eq!(idle.press(&["e"]), []);
    assert_eq!(idle.press(&["~"]), []);
}

#[test]
fn leaving_asks_while_a_program_is_paused_in_a_machine_that_stands() {
    let mut scene = Scene::new(running());
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Idle));
    assert_eq!(scene.press(&["q"]), []);
    assert!(scene.text(80, 24).contains("plate.nc is at line 1204."));
    assert_eq!(scene.press(&["Up", "Up", "Enter"]), [Effect::Realtime(Realtime::StopProgram)]);
    scene.snapshot.programs.run.as_mut().unwrap().state = RunState::Stopped("by a person".into());
    assert_eq!(scene.event(&Event::Snapshot), [Effect::Quit(ExitReason::Asked)]);
}

#[test]
fn a_prompt_that_comes_up_does_nothing_by_itself_and_stop_keys_work_over_it() {
    let mut scene = Scene::new(running());
    prompt(&mut scene, pause());
    assert_eq!(scene.press(&["Enter"]), [], "to decide later is selected");
    assert!(scene.ui.popup.is_none());
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none(), "it comes up once");
    assert_eq!(scene.press(&["~"]), [], "the question again, no motion");
    for (stop, realtime) in [("Space", Realtime::Stop), ("!", Realtime::FeedHold), ("@", Realtime::StopProgram)] {
        assert_eq!(scene.press(&[stop]), [Effect::Realtime(realtime)]);
    }
    assert_eq!(scene.press(&["~"]), [], "selects");
    assert_eq!(scene.press(&["Enter"]), orders(ProgramOrder::Resume));
}

#[test]
fn a_prompt_waits_until_nothing_is_typed() {
    let mut scene = Scene::new(running());
    scene.press(&["Enter", "G", "0"]);
    prompt(&mut scene, pause());
    assert!(scene.ui.popup.is_none());
    assert!(scene.text(80, 24).contains("the program waits for you"));
    scene.press(&["Esc"]);
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_some());
}

#[test]
fn a_prompt_that_somebody_else_answered_goes_away_and_another_question_stays() {
    let mut scene = Scene::new(running());
    prompt(&mut scene, pause());
    scene.snapshot.programs.run.as_mut().unwrap().prompt = None;
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none());
    prompt(&mut scene, pause());
    scene.press(&["Esc", "q"]);
    scene.snapshot.programs.run.as_mut().unwrap().prompt = None;
    scene.event(&Event::Snapshot);
    assert_eq!(scene.ui.popup.as_ref().unwrap().title, "Leave sunmill");
}

#[test]
fn a_refused_line_is_skipped_by_stopping_and_the_start_after_it_is_offered() {
    let mut scene = Scene::new(running());
    prompt(
        &mut scene,
        Prompt::LineRefused { line: 1203, code: 33, meaning: "a bad arc".into(), around: vec![(1203, "G2X1".into())] },
    );
    assert_eq!(scene.press(&["k", "Enter"]), orders(ProgramOrder::SkipLine));
    let mut found = interrupted();
    (found.run.id, found.run.end) = (RunId(41), Some(RunEnd::Stopped("line 1203 is skipped".into())));
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    (run.prompt, run.state) = (None, RunState::Stopped("line 1203 is skipped".into()));
    scene.snapshot.programs.interrupted = Some(Arc::new(found));
    scene.event(&Event::Snapshot);
    assert_eq!(scene.ui.popup.as_ref().unwrap().title, "A program did not come to its end");
}

#[test]
fn the_end_of_a_run_is_told_once() {
    let mut scene = Scene::new(running());
    scene.event(&Event::Snapshot);
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    (run.state, run.ended_at) = (RunState::Done, Some(NOW));
    scene.event(&Event::Snapshot);
    assert_eq!(scene.ui.notice.take().unwrap().text, "plate.nc is done, in 48 s");
    scene.event(&Event::Snapshot);
    assert_eq!(scene.ui.notice, None);
    let mut late = Scene::new(scene.snapshot.clone());
    late.event(&Event::Snapshot);
    assert_eq!(late.ui.notice, None, "it ended before this screen was there");
}

#[test]
fn an_open_history_learns_of_the_end_of_a_run() {
    let mut scene = Scene::new(running());
    scene.event(&Event::Snapshot);
    scene.ui.programs.history.open(None);
    scene.ui.programs.history.take(&[], Statistics::default());
    assert_eq!(scene.event(&Event::Snapshot), [], "nothing has changed");
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    (run.state, run.ended_at) = (RunState::Done, Some(NOW));
    let asked = scene.event(&Event::Snapshot);
    assert_eq!(asked, [asks(ProgramQuery::History { name: None, skip: 0, count: 40 })]);
}

#[test]
fn what_the_hub_refuses_is_said_on_the_tab() {
    let mut scene = listed();
    let what = LogItem::Outcome {
        ticket: TicketId(1),
        origin: Origin::Screen(ClientId(1)),
        what: "run plate.nc".into(),
        outcome: Outcome::Refused(Refused::because("the file has changed since it was checked")),
        latency: ms(1),
    };
    scene.event(&Event::Log(LogEvent::Entry(Arc::new(LogEntry { id: 0, at: NOW, what }))));
    assert!(scene.text(80, 24).contains("the file has changed since it was checked"));
}

// ---- an interrupted run -------------------------------------------------------------------------------------------------

fn cut_off() -> Scene {
    let mut scene = Scene::new(testing::idle());
    scene.snapshot.programs.interrupted = Some(Arc::new(interrupted()));
    scene.event(&Event::Snapshot);
    scene
}

#[test]
fn an_interrupted_run_is_offered_once_and_kept_at_hand() {
    let mut scene = cut_off();
    assert_eq!(scene.press(&["Enter"]), [], "later");
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none());
    let text = scene.text(80, 24);
    assert!(text.contains("INTERRUPTED") && text.contains("a takes it up"), "{text}");
    let asked = scene.press(&["a"]);
    let details = asks(ProgramQuery::Details(file("plate.nc")));
    assert_eq!(asked, [details, asks(ProgramQuery::Preamble { path: file("plate.nc"), line: 1198 })]);
    assert_eq!(scene.press(&["f", "Enter"]), orders(ProgramOrder::Forget(RunId(40))));
}

#[test]
fn the_way_out_of_an_alarm_goes_before_the_offer() {
    let mut scene = Scene::new(testing::hard_limit());
    scene.snapshot.programs.interrupted = Some(Arc::new(interrupted()));
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none());
    scene.snapshot = testing::idle();
    scene.snapshot.programs.interrupted = Some(Arc::new(interrupted()));
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_some());
}

#[test]
fn who_stopped_it_gets_a_word_and_no_question() {
    let mut scene = Scene::new(testing::idle());
    let mut found = interrupted();
    found.run.end = Some(RunEnd::Stopped("by screen 1".into()));
    scene.snapshot.programs.interrupted = Some(Arc::new(found));
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none());
    assert!(scene.text(80, 24).contains("a takes it up again"));
}

#[test]
fn a_file_that_is_not_the_one_that_ran_has_to_be_agreed_to() {
    let mut scene = cut_off();
    scene.press(&["t", "Enter"]);
    let mut other = details();
    let mut report = (*other.report).clone();
    (report.hash, report.warnings) = (ContentHash([8; 32]), 0);
    (other.report, other.problems) = (Arc::new(report), Vec::new());
    told(&mut scene, other);
    let told = ProgramAnswer::Preamble { path: file("plate.nc"), line: 1198, result: Ok(preamble()) };
    answer(&mut scene, told);
    scene.look(120, 60);
    scene.wait(1000);
    assert_eq!(scene.press(&["s", "Enter"]), []);
    assert!(scene.text(80, 24).contains("the file has changed"));
    assert!(matches!(scene.press(&["w", "Enter", "s", "Enter"])[..], [Effect::Submit(_)]));
}

// ---- queue and analyses ---------------------------------------------------------------------------------------------------

#[test]
fn the_queue_takes_and_gives_and_starts_nothing() {
    let mut scene = listed();
    assert_eq!(scene.press(&["w"]), orders(ProgramOrder::Enqueue(file("plate.nc"))));
    scene.snapshot.programs.queue = Arc::new(vec![file("a.nc"), file("plate.nc")]);
    assert_eq!(scene.press(&["u", "Down", "Delete"]), orders(ProgramOrder::Unqueue(1)));
    scene.press(&["Enter"]);
    assert_eq!(scene.ui.programs.page, Page::Launch);
}

#[test]
fn analyses_are_paused_gone_on_with_and_stopped() {
    let mut scene = listed();
    let job = |state| Job { id: 9, path: file("plate.nc"), state, done_bytes: 1, total_bytes: 100, errors: 0 };
    scene.press(&["j"]);
    for (state, key, query) in [
        (JobState::Running, "p", Some(ProgramQuery::PauseJob(9))),
        (JobState::Paused, "p", Some(ProgramQuery::ResumeJob(9))),
        (JobState::Stopped, "p", Some(ProgramQuery::ResumeJob(9))),
        (JobState::Running, "Delete", Some(ProgramQuery::StopJob(9))),
        (JobState::Done, "Delete", None),
    ] {
        scene.snapshot.programs.jobs = Arc::new(vec![job(state.clone())]);
        let expected: Vec<Effect> = query.into_iter().map(asks).collect();
        assert_eq!(scene.press(&[key]), expected, "{key} on {state:?}");
    }
    scene.press(&["c"]);
    assert_eq!(scene.press(&["Enter"]), [asks(ProgramQuery::CleanAnalyses)]);
}
