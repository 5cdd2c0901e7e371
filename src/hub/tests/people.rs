//! Who is attached, and who is in control.

use super::*;
use crate::model::machine::MessageLevel;
use crate::model::people::{ControlOrder, OnClientLoss, PeopleNews, Person, STALE_AFTER};
use crate::model::program::RunId;
use crate::model::program::run::Run;

const OTHER: Origin = Origin::Screen(ClientId(2));

fn came(bench: &mut Bench, id: u32) {
    let person = Person { id: ClientId(id), user: "pi".into(), from: "pts/3".into(), ..Person::default() };
    bench.keeper.take_people(PeopleNews::Came(person));
}

fn holder(bench: &Bench) -> Option<u32> {
    bench.keeper.snapshot.people.control.as_ref().map(|control| control.client.0)
}

fn take(reason: &str) -> Command {
    Command::Control(ControlOrder::Take { reason: reason.into() })
}

#[tokio::test]
async fn the_first_who_moves_something_is_in_control_and_the_others_watch() {
    let mut bench = Bench::up(StateKind::Idle);
    came(&mut bench, 2);
    assert_eq!(holder(&bench), None);
    bench.ask(step());
    assert_eq!(holder(&bench), Some(1));
    assert!(bench.orders.try_recv().is_ok());
    bench.log();
    let refused = bench.ask_as(OTHER, step());
    let outcomes = bench.outcomes();
    let [(ticket, Outcome::Refused(Refused(why)))] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(*ticket, refused);
    assert!(why.contains("screen 1 is in control"), "{why}");
    assert!(bench.orders.try_recv().is_err(), "nothing was sent");
    // Looking is for everybody.
    bench.ask_as(OTHER, Command::ReadSettings);
    assert!(bench.orders.try_recv().is_ok());
}

#[tokio::test]
async fn who_asks_for_what_cannot_be_done_takes_no_control() {
    let mut bench = Bench::up(StateKind::Idle);
    came(&mut bench, 2);
    for command in [Command::Unlock, mdi("G0 \u{fc}"), Command::SetSetting { key: "999".into(), value: "1".into() }] {
        bench.log();
        bench.ask_as(OTHER, command.clone());
        assert_eq!(holder(&bench), None, "{command:?}");
        let log = bench.log();
        assert!(!log.iter().any(|item| matches!(item, LogItem::Note { .. })), "{log:?}");
    }
}

#[tokio::test]
async fn scripts_that_come_and_go_are_a_detail_unless_they_were_in_control() {
    let levels = |screen: bool, leads: bool| {
        let mut bench = Bench::up(StateKind::Idle);
        let person = Person { id: ClientId(2), user: "pi".into(), screen, ..Person::default() };
        bench.log();
        bench.keeper.take_people(PeopleNews::Came(person));
        if leads {
            bench.ask_as(OTHER, take(""));
        }
        bench.keeper.take_people(PeopleNews::Gone(ClientId(2)));
        let notes: Vec<_> = bench
            .log()
            .into_iter()
            .filter_map(|item| match item {
                LogItem::Note { level, text } if text.contains("attached") || text.contains("left") => Some(level),
                _ => None,
            })
            .collect();
        notes
    };
    assert_eq!(levels(false, false), [MessageLevel::Debug; 2]);
    assert_eq!(levels(true, false), [MessageLevel::Info; 2]);
    assert_eq!(levels(false, true), [MessageLevel::Debug, MessageLevel::Info]);
}

#[tokio::test]
async fn control_is_taken_announced_and_given_back() {
    let mut bench = Bench::up(StateKind::Idle);
    came(&mut bench, 2);
    bench.ask(step());
    bench.log();
    bench.ask_as(OTHER, Command::Control(ControlOrder::Acquire));
    assert!(matches!(bench.outcomes()[..], [(_, Outcome::Refused(_))]));
    bench.ask_as(OTHER, take("tool breaks"));
    let log = bench.log();
    let said = |words: &str| log.iter().any(|item| matches!(item, LogItem::Note { text, .. } if text.contains(words)));
    assert!(said("takes control from screen 1: tool breaks"), "{log:?}");
    assert_eq!(holder(&bench), Some(2));
    bench.ask(Command::Control(ControlOrder::Release));
    assert!(matches!(bench.outcomes()[..], [(_, Outcome::Refused(_))]), "only who has it gives it back");
    bench.ask_as(OTHER, Command::Control(ControlOrder::Release));
    assert_eq!(holder(&bench), None);
}

#[tokio::test]
async fn who_is_at_the_console_goes_before_who_is_not_where_that_is_configured() {
    let mut bench = Bench::up(StateKind::Idle);
    bench.keeper.people_rules(true, OnClientLoss::Continue);
    came(&mut bench, 2);
    let person = Person { id: ClientId(1), console: true, ..Person::default() };
    bench.keeper.take_people(PeopleNews::Came(person));
    bench.ask_as(OTHER, step());
    assert_eq!(holder(&bench), Some(2));
    bench.log();
    bench.ask(step());
    assert_eq!(holder(&bench), Some(1));
    let log = bench.log();
    let told =
        |item: &LogItem| matches!(item, LogItem::Note { text, .. } if text.contains("takes control from pi at pts/3"));
    assert!(log.iter().any(told), "{log:?}");
    bench.ask_as(OTHER, take("mine"));
    assert!(matches!(&bench.outcomes()[..], [(_, Outcome::Refused(why))] if why.0.contains("console")));
    assert_eq!(holder(&bench), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_program_goes_on_or_is_held_when_its_operator_is_lost_as_configured() {
    for (policy, screen, held) in
        [(OnClientLoss::Continue, true, false), (OnClientLoss::Hold, true, true), (OnClientLoss::Hold, false, false)]
    {
        let mut bench = Bench::up(StateKind::Idle);
        bench.keeper.people_rules(false, policy);
        let person = Person { id: ClientId(2), screen, ..Person::default() };
        bench.keeper.take_people(PeopleNews::Came(person));
        bench.ask_as(OTHER, step());
        bench.latch.take();
        bench.keeper.snapshot.programs.run = Some(Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO));
        bench.keeper.take_people(PeopleNews::Gone(ClientId(2)));
        assert_eq!(bench.latch.take().contains(Realtime::FeedHold), held, "{policy:?} {screen}");
    }
}

#[tokio::test(start_paused = true)]
async fn control_of_who_is_silent_or_gone_is_free() {
    let mut bench = Bench::up(StateKind::Idle);
    came(&mut bench, 2);
    bench.ask_as(OTHER, step());
    tokio::time::advance(STALE_AFTER / 2).await;
    bench.keeper.take_people(PeopleNews::Heard(ClientId(2)));
    tokio::time::advance(STALE_AFTER / 2).await;
    bench.keeper.age_control();
    bench.log();
    bench.ask(mdi("G4 P0"));
    assert!(matches!(bench.outcomes()[..], [(_, Outcome::Refused(_))]), "it was heard of");
    tokio::time::advance(STALE_AFTER / 2).await;
    bench.keeper.age_control();
    // It comes back before anybody else wanted it.
    bench.keeper.take_people(PeopleNews::Heard(ClientId(2)));
    bench.ask(mdi("G4 P0"));
    assert!(matches!(bench.outcomes()[..], [(_, Outcome::Refused(_))]));
    tokio::time::advance(STALE_AFTER).await;
    bench.keeper.age_control();
    bench.ask(step());
    assert_eq!(holder(&bench), Some(2), "the state is too old for a step: it takes nothing");
    bench.session(grbl::Event::Status(Box::new(machine_at(StateKind::Idle, &[0.0; 3]))));
    bench.ask(step());
    assert_eq!(holder(&bench), Some(1));

    bench.ask_as(OTHER, take(""));
    bench.keeper.take_people(PeopleNews::Gone(ClientId(2)));
    assert_eq!(holder(&bench), None);
    // What it had asked for comes after it has left.
    bench.ask_as(OTHER, step());
    bench.ask_as(OTHER, take(""));
    assert_eq!(holder(&bench), None);
    assert!(bench.keeper.snapshot.people.clients.is_empty());
}
