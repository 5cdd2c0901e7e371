//! Orders of several lines, and the history of offsets.

use super::*;
use crate::model::axes::AxisSet;
use crate::model::machine::ModalState;
use crate::model::work::{GoTo, Slot, Work};

/// Idle and homed, with a Z that has to be lifted.
fn bench() -> Bench {
    let mut bench = Bench::up(StateKind::Idle);
    let modal = ModalState { words: ["G54", "G21", "G90"].map(str::to_owned).into() };
    bench.session(grbl::Event::Modal(modal));
    bench.session(grbl::Event::Homed(AxisSet::first(3)));
    bench.session(grbl::Event::Status(Box::new(machine_at(StateKind::Idle, &[5.0, 5.0, -20.0]))));
    bench.log();
    bench
}

fn to_zero() -> Command {
    Command::GoTo(GoTo::WorkZero { axes: AxisSet::first(2), lift_to_mm: Some(-5.0) })
}

fn next_line(bench: &mut Bench) -> Option<String> {
    match bench.orders.try_recv().ok()?.what {
        OrderKind::Line(line) => Some(line.as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn lines_of_one_command_go_one_after_the_other_and_are_answered_once() {
    let mut bench = bench();
    let ticket = bench.ask(to_zero());
    assert_eq!(next_line(&mut bench).as_deref(), Some("G53 G21 G0 Z-5"));
    assert_eq!(next_line(&mut bench), None, "the second waits for the first");
    bench.end(ticket, Outcome::Done);
    assert_eq!(next_line(&mut bench).as_deref(), Some("G90 G21 G0 X0 Y0"));
    assert_eq!(bench.outcomes(), []);
    bench.end(ticket, Outcome::Done);
    assert_eq!(bench.outcomes(), [(ticket, Outcome::Done)]);
}

#[tokio::test]
async fn a_lift_that_failed_is_not_followed_by_the_move_across() {
    let failed = Outcome::Failed { code: 15, text: "soft limit".into() };
    let voided = Outcome::Voided { why: VoidReason::Alarm, sent: true };
    for outcome in [failed, voided, Outcome::TimedOut] {
        let mut bench = bench();
        let ticket = bench.ask(to_zero());
        next_line(&mut bench);
        bench.end(ticket, outcome.clone());
        assert_eq!(next_line(&mut bench), None, "{outcome:?}");
        assert_eq!(bench.outcomes(), [(ticket, outcome)]);
    }
}

#[tokio::test]
async fn a_stop_after_the_first_line_keeps_the_others_back() {
    let mut bench = bench();
    let ticket = bench.ask(to_zero());
    next_line(&mut bench);
    bench.latch.set(Realtime::Stop);
    bench.end(ticket, Outcome::Done);
    assert_eq!(next_line(&mut bench), None);
    assert_eq!(bench.outcomes(), [(ticket, Outcome::Voided { why: VoidReason::Stop, sent: true })]);
}

fn list(bench: &mut Bench, rows: &[(&str, &[f64])]) {
    for (name, values) in rows {
        bench.session(grbl::Event::Offset { name: (*name).to_owned(), value: AxisVec::from_slice(values) });
    }
}

#[tokio::test]
async fn the_history_is_what_the_listing_says_and_names_who_asked() {
    let mut bench = bench();
    list(&mut bench, &[("G54", &[0.0; 3]), ("G92", &[0.0; 3]), ("TLO", &[0.0])]);
    assert!(bench.keeper_history().is_empty(), "a first listing changes nothing");
    let ticket = bench.ask(mdi("G10 L2 P1 X5"));
    bench.session(grbl::Event::Sent { ticket: Some(ticket), text: "G10 L2 P1 X5".into() });
    bench.end(ticket, Outcome::Done);
    list(&mut bench, &[("G54", &[5.0, 0.0, 0.0]), ("G92", &[0.0; 3]), ("TLO", &[0.0])]);
    list(&mut bench, &[("G54", &[5.0, 0.0, 0.0]), ("G92", &[1.0, 0.0, 0.0]), ("TLO", &[0.0])]);
    let history = bench.keeper_history();
    assert_eq!(history.len(), 2);
    assert_eq!((history[0].slot.name(), history[0].what.as_str(), &history[0].who), ("G54", "G10 L2 P1 X5", &SCREEN));
    assert_eq!(history[0].axes(), AxisSet::first(1));
    assert_eq!(
        (history[1].slot, history[1].what.as_str(), &history[1].who),
        (Slot::G92, "not by sunmill", &Origin::Hub)
    );

    let ticket = bench.ask(Command::Work(Work::Undo(history[0].id)));
    assert_eq!(next_line(&mut bench).as_deref(), Some("G10 L2 P1 X5"), "the typed line");
    assert_eq!(next_line(&mut bench).as_deref(), Some("G10 L2 P1 X0"));
    bench.session(grbl::Event::Sent { ticket: Some(ticket), text: "G10 L2 P1 X0".into() });
    bench.end(ticket, Outcome::Done);
    list(&mut bench, &[("G54", &[0.0; 3]), ("G92", &[1.0, 0.0, 0.0]), ("TLO", &[0.0])]);
    let last = bench.keeper_history().pop().expect("the undo is in the history");
    assert_eq!((last.undoes, last.before, last.after), (Some(history[0].id), history[0].after, history[0].before));
}

#[tokio::test]
async fn a_new_link_forgets_the_history_and_the_history_is_bounded() {
    let mut bench = bench();
    for n in 0..100 {
        list(&mut bench, &[("G54", &[f64::from(n), 0.0, 0.0]), ("TLO", &[0.0])]);
    }
    let history = bench.keeper_history();
    assert_eq!((history.len(), history.last().map(|change| change.id)), (32, Some(99)));
    bench.tell(EventKind::Link(LinkState::Down { why: "unplugged".into(), attempt: 1, retry_at: Time::ZERO }));
    assert_eq!(bench.keeper_history().len(), 32, "what was is still to be read");
    bench.tell(EventKind::Link(LinkState::Asking));
    list(&mut bench, &[("G54", &[1.0, 2.0, 3.0])]);
    assert!(bench.keeper_history().is_empty());
}

#[tokio::test]
async fn fluidnc_offsets_are_added_up_from_the_listing() {
    let mut bench = bench();
    list(&mut bench, &[("G54", &[1.0, 2.0, 3.0]), ("G92", &[0.5, 0.0, 0.0]), ("TLO", &[0.0, 0.0, 4.0])]);
    bench.keeper.publish();
    let machine = &bench.snapshots.borrow().machine;
    assert_eq!(machine.work_offset, Some(AxisVec::from_slice(&[1.5, 2.0, 7.0])));
    assert_eq!(machine.work_position, Some(AxisVec::from_slice(&[3.5, 3.0, -27.0])));
}

impl Bench {
    fn keeper_history(&mut self) -> Vec<crate::model::work::OffsetChange> {
        self.keeper.publish();
        self.snapshots.borrow().offset_history.clone()
    }
}
