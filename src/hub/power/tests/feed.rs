//! What buses tell, as people see it.

use super::*;
use crate::driver::bus::WireTrouble;
use crate::grbl;
use crate::hub::tests::machine_at;
use crate::model::machine::StateKind;
use crate::model::power::{BusCounters, BusState, Fault, FaultSource, Grain, GridState, Reading, Sample};
use crate::store::{ENABLED, OFF};

#[tokio::test(start_paused = true)]
async fn what_an_inverter_measures_is_in_the_snapshot_and_the_same_again_is_no_news() {
    let mut rig = Rig::new();
    let names: Vec<_> = rig.power().inverters.iter().map(|unit| unit.known.name.clone()).collect();
    assert_eq!(names, NAMES);
    assert_eq!((rig.unit(0).state.clone(), rig.unit(0).bus.clone()), (UnitState::Waiting, "rs485".into()));
    let measured = known("roof", 500.0, Time::ZERO);
    rig.tell_unit(0, UnitEvent::Known(Box::new(measured.clone()))).await;
    rig.until(|power| power.inverters[0].known.flow.load_w.value == Some(500.0)).await;
    let rev = rig.hub.snapshot().rev;
    rig.tell_unit(0, UnitEvent::Known(Box::new(measured))).await;
    rig.tell_unit(0, UnitEvent::Quarantined(Vec::new())).await;
    rig.tell(BusEventKind::State(BusState::Opening)).await;
    rig.tell_unit(1, UnitEvent::Answers).await;
    rig.until(|power| power.inverters[1].state == UnitState::Answers).await;
    assert_eq!(rig.hub.snapshot().rev, rev + 1);
}

#[tokio::test(start_paused = true)]
async fn silence_answers_and_a_bus_that_is_down_are_said_once() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    rig.tell_unit(0, UnitEvent::Silent("no answer to 3 questions".into())).await;
    rig.said("roof does not answer: no answer to 3 questions").await;
    tokio::time::advance(Duration::from_secs(35)).await;
    rig.tell_unit(0, UnitEvent::Answers).await;
    rig.said("roof answers again after 35 s").await;
    for attempt in 1..4 {
        let retry_at = rig.clock.now();
        rig.tell(BusEventKind::State(BusState::Down { why: "unplugged".into(), attempt, retry_at })).await;
    }
    rig.until(|power| matches!(power.inverters[0].state, UnitState::Silent { .. })).await;
    rig.tell_unit(1, UnitEvent::Silent("unplugged".into())).await;
    rig.tell(BusEventKind::State(BusState::Open)).await;
    rig.said("rs485: the bus is open again").await;
    let counters = BusCounters::default();
    rig.tell(BusEventKind::Counters { counters, round: None, trouble: Some(WireTrouble::SecondMaster) }).await;
    rig.said("somebody else").await;
    assert!(rig.power().buses[0].wire_trouble.is_some());
    let said = |words: &str| rig.notes.iter().filter(|note| note.contains(words)).count();
    assert_eq!((said("is down"), said("barn does not answer")), (1, 0));
    let audit: Vec<_> = rig.audit(AuditKind::Note).into_iter().map(|row| (row.who, row.what)).collect();
    assert!(audit.contains(&("rs485".into(), "rs485: the bus is down: unplugged".into())), "{audit:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_grid_and_faults_are_told_in_words() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let told = |state, second: u64, faults: Vec<Fault>| {
        let mut known = known("roof", 500.0, Time::from_millis(second * 1000));
        (known.grid.state, known.grid.evidence, known.faults) = (state, vec!["0 V".into()], faults);
        let says = Reading::new(false, Time::from_millis(second * 1000), Duration::from_secs(1));
        known.fault_sources =
            vec![FaultSource { register: "error_bits".into(), warning: false, overload: false, says }];
        UnitEvent::Known(Box::new(known))
    };
    let fault = Fault {
        text: "Fan locked".into(),
        register: "error_bits".into(),
        warning: false,
        overload: false,
        grid: false,
        since: Time::ZERO,
    };
    rig.tell_unit(0, told(GridState::Good, 0, Vec::new())).await;
    rig.tell_unit(0, told(GridState::Lost, 0, vec![fault])).await;
    rig.said("roof: the grid is lost (0 V)").await;
    rig.said("roof: fault: Fan locked").await;
    tokio::time::advance(Duration::from_secs(20)).await;
    rig.tell_unit(0, told(GridState::Good, 20, Vec::new())).await;
    rig.said("roof: the grid is back after 20 s").await;
    rig.said("the fault is over").await;
}

#[tokio::test(start_paused = true)]
async fn another_device_is_not_written_to_until_confirmed_and_then_remembered() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let start = rig.end().await;
    let mut rig = Rig::start(start);
    let (remembered, _) = super::super::remembered(&rig.store.reader(), NAMES).unwrap();
    assert_eq!(remembered["roof"].device.serial.as_deref(), Some("SE000"));
    let identity = Identity::Different { expected: "SE000".into(), found: "SE999".into() };
    rig.tell_unit(0, UnitEvent::Identity(identity, Some("another device answers: SE999".into()))).await;
    rig.said("another device answers (SE999 instead of SE000)").await;
    rig.until(|power| power.inverters[0].to_confirm.is_some()).await;
    let asked = rig.set("discharge_end_soc", "35");
    assert!(matches!(rig.outcome(asked).await, Outcome::Refused(why) if why.to_string().contains("SE999")));
    let confirmed = rig.ask(PowerOrder::ConfirmIdentity { inverter: "roof".into() });
    let BusOrder::Confirm { unit: 0 } = rig.order().await else { panic!() };
    assert_eq!(rig.outcome(confirmed).await, Outcome::Done);
    rig.tell_unit(0, UnitEvent::Identity(Identity::Known { serial: "SE999".into() }, None)).await;
    rig.until(|power| power.inverters[0].read_only.is_none()).await;
    rig.store.flush().unwrap();
    let (remembered, _) = super::super::remembered(&rig.store.reader(), NAMES).unwrap();
    assert_eq!(remembered["roof"].device.serial.as_deref(), Some("SE999"));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_switched_off_stays_so_after_a_restart() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let off = rig.ask(PowerOrder::Enable { inverter: "roof".into(), on: false });
    let BusOrder::Enable { unit: 0, on: false } = rig.order().await else { panic!() };
    assert_eq!(rig.outcome(off).await, Outcome::Done);
    assert_eq!(rig.unit(0).state, UnitState::Off);
    assert_eq!(kept_off(&rig).as_deref(), Some(OFF));
    let learned = Learned { refused: ["pv3_power".to_owned()].into(), ..Learned::default() };
    rig.tell_unit(0, UnitEvent::Learned(learned.clone())).await;
    // What is told in order is heard in order.
    rig.answers(1).await;
    let rig = Rig::start(rig.end().await);
    assert_eq!((rig.unit(0).enabled, rig.unit(0).state.clone()), (false, UnitState::Off));
    assert!(rig.unit(1).enabled);
    let (remembered, _) = super::super::remembered(&rig.store.reader(), NAMES).unwrap();
    assert_eq!(remembered["roof"].device.learned, learned);
    let mut rig = rig;
    assert_eq!(kept_off(&rig).as_deref(), Some(OFF));
    let on = rig.ask(PowerOrder::Enable { inverter: "roof".into(), on: true });
    assert!(matches!(rig.order().await, BusOrder::Enable { unit: 0, on: true }));
    assert_eq!(rig.outcome(on).await, Outcome::Done);
    assert_eq!(kept_off(&rig), None);
}

/// What all inverters together go by in the history.
fn kept_off(rig: &Rig) -> Option<String> {
    rig.store.flush().unwrap();
    rig.store.reader().memory("roof", ENABLED).unwrap()
}

#[tokio::test(start_paused = true)]
async fn all_together_have_a_total_although_one_is_switched_off() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    rig.answers(1).await;
    let now = crate::store::now_ms() / 60_000 * 60_000;
    let row = |at_ms, pv| Sample { at_ms, pv_w: Some(pv), ..Sample::default() };
    let hour: Vec<i64> = (0..120).map(|n| now - 3_600_000 + n * 30_000).collect();
    for (n, at) in hour.iter().enumerate() {
        rig.store.power_sample("roof", row(*at, 1000.0));
        if n < 20 {
            rig.store.power_sample("barn", row(*at, 500.0));
        }
    }
    let last = |rig: &Rig| {
        rig.store.flush().unwrap();
        let minutes = rig.store.reader().samples(None, now - 900_000, now, Grain::Minute).unwrap();
        minutes[5].pv_w
    };
    assert_eq!(last(&rig), None, "it is missed");
    let off = rig.ask(PowerOrder::Enable { inverter: "barn".into(), on: false });
    rig.order().await;
    rig.outcome(off).await;
    assert_eq!(last(&rig), Some(1000.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_as_it_was_saved_is_said_until_it_is_forgotten() {
    const END: &str = "discharge_end_soc";
    let mut rig = Rig::new();
    rig.answers(0).await;
    rig.set(END, "35");
    let ticket = rig.judge(vec![row(END, false)]).await;
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(vec![done(END, Written::Taken)]) }).await;
    rig.outcome(ticket).await;
    // At the next tick somebody has changed it at the device.
    for raw in [35, 20] {
        let BusOrder::Look { answer, .. } = rig.order().await else { panic!() };
        answer.send(values(&[(END, &[raw])], rig.clock.now())).unwrap();
    }
    rig.until(|power| !power.inverters[0].drift.is_empty()).await;
    let drift = rig.unit(0).drift[END].clone();
    assert_eq!((drift.saved.as_str(), drift.actual.as_str()), ("35 %", "20 %"));
    // Still so after a restart, from the first look on.
    let mut rig = Rig::start(rig.end().await);
    rig.tell_unit(0, UnitEvent::Answers).await;
    let BusOrder::Look { answer, .. } = rig.order().await else { panic!() };
    answer.send(values(&[(END, &[20])], rig.clock.now())).unwrap();
    rig.until(|power| power.inverters[0].drift.contains_key(END)).await;
    let forget = || PowerOrder::ForgetSaved { inverter: "roof".into(), id: END.into() };
    let forgotten = rig.ask(forget());
    assert_eq!(rig.outcome(forgotten).await, Outcome::Done);
    assert!(rig.unit(0).drift.is_empty());
    let again = rig.ask(forget());
    assert!(matches!(rig.outcome(again).await, Outcome::Refused(_)));
}

#[tokio::test(start_paused = true)]
async fn each_tick_is_a_row_of_the_history_and_one_that_is_off_has_none() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let off = rig.ask(PowerOrder::Enable { inverter: "barn".into(), on: false });
    rig.order().await;
    rig.outcome(off).await;
    let rows = |rig: &Rig, name: &str| {
        rig.store.flush().unwrap();
        rig.store.reader().samples(Some(name), 0, i64::MAX, Grain::Raw).unwrap()
    };
    // Ticks are those of the clock on the wall: the first one comes sooner or later.
    for n in 0.. {
        if !rows(&rig, "roof").is_empty() {
            break;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        let sign = vec![n.to_string()];
        rig.tell_unit(1, UnitEvent::Quarantined(sign.clone())).await;
        rig.until(|power| power.inverters[1].quarantined == sign).await;
    }
    for load in [400.0, 600.0] {
        rig.tell_unit(0, UnitEvent::Known(Box::new(known("roof", load, rig.clock.now())))).await;
        rig.until(|power| power.inverters[0].known.flow.load_w.value == Some(load)).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    rig.tell_unit(1, UnitEvent::Quarantined(vec!["x".into()])).await;
    rig.until(|power| power.inverters[1].quarantined == ["x"]).await;
    // On the wall no time has passed: the row of this tick takes the place of the first one.
    let told = rows(&rig, "roof").pop().expect("a row");
    assert_eq!(told.load_w, Some(500.0), "{told:?}");
    assert_eq!((told.pv_w, told.at_ms % 10_000), (None, 0));
    assert!(rows(&rig, "barn").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_machine_comes_first_however_much_a_bus_has_to_tell_and_however_long_it_is_busy() {
    let mut rig = Rig::start(Start { orders: 1, ..Start::default() });
    let at = rig.clock.now();
    // All of it is there before the hub's task comes to it.
    let flood = (1..64).map(|n| UnitEvent::Known(Box::new(known("roof", f64::from(n), at))));
    for what in std::iter::once(UnitEvent::Silent("no answer".into())).chain(flood) {
        let event = BusEvent { at, bus: 0, what: BusEventKind::Unit { unit: 0, what } };
        rig.events.try_send(event).unwrap();
    }
    let report = grbl::Event::Status(Box::new(machine_at(StateKind::Run, &[1.0, 2.0, 3.0])));
    rig.machine.try_send(machine::Event { at, what: machine::EventKind::Session(report) }).unwrap();
    let LogEvent::Entry(first) = rig.hub.log().await.unwrap() else { panic!() };
    assert!(matches!(&first.what, LogItem::State(state) if state.kind == StateKind::Run), "{first:?}");
    rig.said("roof does not answer").await;
    rig.until(|power| power.inverters[0].known.flow.load_w.value == Some(63.0)).await;

    // The bus takes no orders: whoever wants something of it is refused at once, and the machine goes on.
    let first = rig.ask(PowerOrder::ReadSettings { inverter: "roof".into() });
    let second = rig.ask(PowerOrder::ReadSettings { inverter: "roof".into() });
    assert_eq!(rig.outcome(first).await, Outcome::Done);
    assert!(matches!(rig.outcome(second).await, Outcome::Refused(why) if why.to_string().contains("busy")));
    let report = grbl::Event::Status(Box::new(machine_at(StateKind::Idle, &[4.0, 5.0, 6.0])));
    rig.machine.send(machine::Event { at, what: machine::EventKind::Session(report) }).await.unwrap();
    while rig.hub.snapshot().machine.state.map(|state| state.kind) != Some(StateKind::Idle) {
        rig.hub.changed().await.unwrap();
    }
    assert_eq!(rig.clock.now(), at, "no time went by");
}
