//! Sets of settings, from the asking to the end.

use proptest::prelude::*;

use super::*;
use crate::model::command::VoidReason;

const END: &str = "discharge_end_soc";

fn refusal(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_is_judged_written_told_saved_and_counted() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let asked = rig.set(END, "35");
    rig.until(|power| power.inverters[0].writing).await;
    let ticket = rig.judge(vec![row(END, false)]).await;
    assert_eq!(ticket, asked);
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(vec![done(END, Written::Taken)]) }).await;
    assert_eq!(rig.outcome(asked).await, Outcome::Done);
    let unit = rig.unit(0);
    let report = unit.last_write.clone().unwrap();
    assert!(!unit.writing && report.is_good() && report.who == "screen 1", "{report:?}");
    assert_eq!((report.rows[0].before.as_deref(), report.rows[0].after.as_str()), (Some("20 %"), "35 %"));

    let audit = rig.audit(AuditKind::Setting);
    let told: Vec<_> = audit.iter().map(|row| (row.who.as_str(), row.what.as_str(), row.outcome.as_str())).collect();
    assert_eq!(told, [("screen 1", "roof: discharge_end_soc 20 % -> 35 %", "written and read back")]);
    let (remembered, saved) = super::super::remembered(&rig.store.reader(), NAMES).unwrap();
    assert_eq!(remembered["roof"].device.budget.count(END, super::super::orders::now_s()), 1);
    assert_eq!((saved["roof"][0].text.as_str(), saved["roof"][0].who.as_str()), ("35 %", "screen 1"));
    assert!(saved["barn"].is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_register_has_to_wait_and_what_is_so_already_has_not() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    rig.set(END, "35");
    let ticket = rig.judge(vec![row(END, false)]).await;
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(vec![done(END, Written::Taken)]) }).await;
    rig.outcome(ticket).await;
    let none = values(&[], Time::ZERO);

    let again = rig.set(END, "40");
    let BusOrder::Check { answer, .. } = rig.order_but_looks(&none).await else { panic!() };
    answer.send(Ok(vec![row(END, false)])).unwrap();
    let why = refusal(&rig.outcome(again).await);
    assert!(why.contains(END) && why.contains("wait"), "{why}");
    assert!(!rig.unit(0).writing);

    let same = rig.set(END, "35");
    let BusOrder::Check { answer, .. } = rig.order_but_looks(&none).await else { panic!() };
    answer.send(Ok(vec![row(END, true)])).unwrap();
    let BusOrder::Set { ticket, .. } = rig.order_but_looks(&none).await else { panic!() };
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(vec![done(END, Written::Unchanged)]) }).await;
    assert_eq!(rig.outcome(same).await, Outcome::Done);

    // The count survives a restart.
    let mut rig = Rig::start(rig.end().await);
    rig.answers(0).await;
    let again = rig.set(END, "40");
    let BusOrder::Check { answer, .. } = rig.order_but_looks(&none).await else { panic!() };
    answer.send(Ok(vec![row(END, false)])).unwrap();
    assert!(refusal(&rig.outcome(again).await).contains("wait"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_each_register_with_the_reason_and_nothing_of_it_is_saved() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let asked = rig.set(END, "35");
    let ticket = rig.judge(vec![row(END, false), row("charge_end_soc", false)]).await;
    let ends = vec![done(END, Written::NotTaken), done("charge_end_soc", Written::NotTried)];
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(ends) }).await;
    let Outcome::Failed { code: 0, text } = rig.outcome(asked).await else { panic!() };
    assert_eq!(
        text,
        "discharge_end_soc: the device keeps the old value; charge_end_soc: not tried, because one before it failed"
    );
    assert_eq!(rig.audit(AuditKind::Setting).len(), 2);
    let (remembered, saved) = super::super::remembered(&rig.store.reader(), NAMES).unwrap();
    assert!(saved["roof"].is_empty());
    // What was sent counts, whether it was taken or not.
    assert_eq!(remembered["roof"].device.budget.count(END, super::super::orders::now_s()), 1);
    assert_eq!(remembered["roof"].device.budget.count("charge_end_soc", super::super::orders::now_s()), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_refused_before_anything_is_written() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let asked = rig.set(END, "500");
    let BusOrder::Check { answer, armed: false, .. } = rig.order().await else { panic!() };
    answer.send(Err(vec!["500 % is out of range".into(), "x is set twice".into()])).unwrap();
    assert_eq!(refusal(&rig.outcome(asked).await), "500 % is out of range; x is set twice");
    // The bus has the last word.
    let asked = rig.set(END, "35");
    let ticket = rig.judge(vec![row(END, false)]).await;
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Err(vec!["another device answers".into()]) }).await;
    assert_eq!(refusal(&rig.outcome(asked).await), "another device answers");
    assert!(rig.unit(0).last_write.is_none());
    // And the table of what is legal the first.
    let nowhere = PowerOrder::Set { inverter: "shed".into(), settings: Vec::new() };
    let asked = rig.ask(nowhere);
    assert!(refusal(&rig.outcome(asked).await).contains("roof"));
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_says_nothing_or_is_gone_answers_the_ticket_too() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let asked = rig.set(END, "35");
    let BusOrder::Check { answer, .. } = rig.order().await else { panic!() };
    assert!(refusal(&rig.outcome(asked).await).contains("does not answer"), "by itself, in time");
    drop(answer);

    let asked = rig.set(END, "35");
    let ticket = rig.judge(vec![row(END, false)]).await;
    assert_eq!(rig.outcome(asked).await, Outcome::TimedOut);
    assert!(!rig.unit(0).writing);
    // What became of it is written down all the same when it is known, and the ticket is not answered twice.
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(vec![done(END, Written::Taken)]) }).await;
    rig.until(|power| power.inverters[0].last_write.is_some()).await;
    assert_eq!(rig.outcomes.iter().filter(|(ticket, _)| *ticket == asked).count(), 1);

    tokio::time::advance(Duration::from_secs(61)).await;
    let asked = rig.ask(PowerOrder::Set {
        inverter: "barn".into(),
        settings: vec![Wanted { id: END.into(), text: "35".into(), shown: None }],
    });
    let none = values(&[], Time::ZERO);
    let BusOrder::Check { answer, .. } = rig.order_but_looks(&none).await else { panic!() };
    answer.send(Ok(vec![row(END, false)])).unwrap();
    let BusOrder::Set { .. } = rig.order_but_looks(&none).await else { panic!() };
    rig.orders.close();
    let gone = Outcome::Voided { why: VoidReason::LinkLost, sent: true };
    assert_eq!(rig.outcome(asked).await, gone);
    let asked = rig.set(END, "35");
    let gone = Outcome::Voided { why: VoidReason::LinkLost, sent: false };
    assert_eq!(rig.outcome(asked).await, gone);
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_ends_answers_all() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let asked = rig.set(END, "35");
    rig.judge(vec![row(END, false)]).await;
    drop(rig.machine);
    rig.task.await.unwrap();
    let mut last = None;
    while let Ok(LogEvent::Entry(entry)) = rig.hub.log().await {
        if let LogItem::Outcome { ticket, outcome, .. } = &entry.what {
            last = Some((*ticket, outcome.clone()));
        }
    }
    assert_eq!(last, Some((asked, Outcome::Voided { why: VoidReason::Shutdown, sent: true })));
}

#[tokio::test(start_paused = true)]
async fn arming_ends_by_itself_and_goes_with_the_order() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    let armed = rig.ask(PowerOrder::Arm);
    assert_eq!(rig.outcome(armed).await, Outcome::Done);
    let now = rig.clock.now();
    let until = rig.power().armed_until.unwrap();
    assert_eq!(until.since(now), Duration::from_secs(60));
    rig.set(END, "35");
    let BusOrder::Check { answer, armed: true, .. } = rig.order().await else { panic!() };
    answer.send(Ok(vec![row(END, false)])).unwrap();
    let BusOrder::Set { armed: true, .. } = rig.order().await else { panic!() };
    // Armed anew, it lasts from then on.
    tokio::time::advance(Duration::from_secs(30)).await;
    let again = rig.ask(PowerOrder::Arm);
    rig.outcome(again).await;
    rig.until(|power| power.armed_until.is_none()).await;
    assert!(rig.clock.now().since(now) >= Duration::from_secs(90));
    rig.said("disarmed").await;
    let armed = rig.ask(PowerOrder::Arm);
    rig.outcome(armed).await;
    let disarmed = rig.ask(PowerOrder::Disarm);
    rig.outcome(disarmed).await;
    assert_eq!(rig.power().armed_until, None);
}

#[derive(Clone, Debug)]
enum Act {
    Set,
    Arm,
    Enable(bool),
    Forget,
    /// The bus comes to its next order: it says yes, says no, or forgets it.
    Serve(u8),
    /// What was written comes to its end: good, refused, twice.
    Finish(u8),
    Different,
    Settle,
    Wait(u64),
    CloseBus,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Set),
        1 => Just(Act::Arm),
        1 => any::<bool>().prop_map(Act::Enable),
        1 => Just(Act::Forget),
        8 => (0..3u8).prop_map(Act::Serve),
        6 => (0..3u8).prop_map(Act::Finish),
        1 => Just(Act::Different),
        2 => Just(Act::Settle),
        3 => (1..120u64).prop_map(Act::Wait),
        1 => Just(Act::CloseBus),
    ]
}

/// Lets the hub's task do all that it can do now.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

async fn live(acts: Vec<Act>) -> (Vec<TicketId>, Vec<TicketId>) {
    let mut rig = Rig::start(Start { orders: 3, ..Start::default() });
    rig.answers(0).await;
    let (mut asked, mut sets) = (Vec::new(), Vec::new());
    for act in acts {
        match act {
            Act::Set => asked.push(rig.set(END, "35")),
            Act::Arm => asked.push(rig.ask(PowerOrder::Arm)),
            Act::Enable(on) => asked.push(rig.ask(PowerOrder::Enable { inverter: "roof".into(), on })),
            Act::Forget => asked.push(rig.ask(PowerOrder::ForgetSaved { inverter: "roof".into(), id: END.into() })),
            Act::Serve(how) => match (rig.orders.try_recv(), how) {
                (Ok(BusOrder::Check { answer, .. }), 0) => drop(answer.send(Ok(vec![row(END, true)]))),
                (Ok(BusOrder::Check { answer, .. }), 1) => drop(answer.send(Err(vec!["no".into()]))),
                (Ok(BusOrder::Set { ticket, .. }), 0 | 1) => sets.push(ticket),
                _ => {}
            },
            Act::Finish(how) => {
                let Some(ticket) = sets.pop() else { continue };
                let done = match how {
                    0 => Ok(vec![done(END, Written::Taken)]),
                    1 => Err(vec!["no".into()]),
                    _ => Ok(vec![done(END, Written::NotTaken)]),
                };
                for _ in 0..=how {
                    rig.tell_unit(0, UnitEvent::Written { ticket, done: done.clone() }).await;
                }
            }
            Act::Different => {
                let identity = Identity::Different { expected: "SE000".into(), found: "SE999".into() };
                rig.tell_unit(0, UnitEvent::Identity(identity, Some("another one".into()))).await;
            }
            Act::Settle => {
                rig.tell_unit(0, UnitEvent::Identity(Identity::Known { serial: "SE000".into() }, None)).await;
            }
            Act::Wait(seconds) => tokio::time::advance(Duration::from_secs(seconds)).await,
            Act::CloseBus => rig.orders.close(),
        }
        settle().await;
    }
    drop((rig.machine, rig.events));
    rig.task.await.unwrap();
    let mut answered = Vec::new();
    loop {
        match rig.hub.log().await {
            Ok(LogEvent::Entry(entry)) => {
                if let LogItem::Outcome { ticket, .. } = &entry.what {
                    answered.push(*ticket);
                }
            }
            Ok(LogEvent::Gap(lost)) => panic!("{lost} entries are lost"),
            Err(HubGone) => break,
        }
    }
    answered.extend(rig.outcomes.iter().map(|(ticket, _)| *ticket));
    answered.sort();
    (asked, answered)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a bus does, each order has one outcome.
    #[test]
    fn every_order_is_answered_exactly_once(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (asked, answered) = runtime.block_on(live(acts));
        prop_assert_eq!(answered, asked);
    }
}
