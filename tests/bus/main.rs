//! The task of a bus against simulated inverters, on simulated time: several units, trouble of every kind, settings.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod rig;
mod strangers;
mod sunspec;

use std::sync::atomic::Ordering;
use std::time::Duration;

use rig::{Kind, Rig, Seen, inverter, unit};
use sunmill::driver::bus::{BusOrder, Family, UnitConfig};
use sunmill::inverter::{Identity, Written};
use sunmill::model::power::{BusState, PollClass, Quality, Role};
use sunmill::sim::inverter::InverterFault;

const END_SOC: &str = "capacity_of_discharger_end_eod_";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn an_inverter_is_known_a_moment_after_the_start() {
    for kind in Kind::ALL {
        let (mut rig, bus) = Rig::one(kind);
        rig.until("it may be written", |seen| seen.answers(0) && seen.writable(0)).await;
        rig.until("its load is known", |seen| {
            seen.known.get(&0).is_some_and(|known| known.flow.load_w.value.is_some())
        })
        .await;
        rig.pass(seconds(5)).await;
        let known = &rig.seen.known[&0];
        let told = bus.with(|sim| sim.number(Role::BatterySoc));
        assert_eq!(known.battery.soc_percent.value, told.map(f64::round), "{kind:?}");
        assert_eq!(known.serial.as_deref(), Some("SIM0000001"));
        assert_eq!(known.flow.load_w.quality(rig.clock.now()), Quality::Fresh);
        assert_eq!(rig.seen.states, [BusState::Opening, BusState::Open]);
        assert!(rig.seen.round.is_some_and(|round| round < seconds(1)), "{:?}", rig.seen.round);
        rig.handle.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_in_which_nothing_changes_is_told_once() {
    let (mut rig, _bus) = Rig::one(Kind::Rtu);
    rig.pass(seconds(400)).await;
    let (before, events) = (rig.seen.known_events, rig.seen.events);
    rig.pass(seconds(100)).await;
    let (known, all) = (rig.seen.known_events - before, rig.seen.events - events);
    assert!((90..=130).contains(&known) && all <= 240, "{known} of {all} events in 100 s");
}

#[tokio::test(start_paused = true)]
async fn a_silent_unit_does_not_starve_the_others() {
    for kind in [Kind::Rtu, Kind::RtuOverTcp] {
        let inverters: Vec<_> = (1..=3).map(|address| inverter("senergy", kind, address)).collect();
        let units = (1..=3).map(|address| unit("senergy", address)).collect();
        let mut rig = Rig::new(kind, inverters.clone(), units);
        rig.until("all answer", |seen| (0..3).all(|unit| seen.answers(unit) && seen.writable(unit))).await;
        rig.pass(seconds(10)).await;
        inverters[1].with(|sim| sim.trigger(InverterFault::Silence));
        rig.until("it is silent", |seen| seen.silent(1)).await;
        let words = rig.seen.reach[&1].clone().unwrap_err();
        assert!(words.contains("unit 2 does not answer"), "{words}");
        assert_eq!(rig.seen.known[&1].flow.load_w.fresh(rig.clock.now()), None);
        for _ in 0..600 {
            rig.pass(Duration::from_millis(500)).await;
            for other in [0, 2] {
                let soc = rig.seen.known[&other].battery.soc_percent;
                let quality = soc.quality(rig.clock.now());
                let now = rig.clock.now();
                assert_eq!(
                    quality,
                    Quality::Fresh,
                    "{kind:?}: unit {other} waits for a silent one: {soc:?} at {now:?}"
                );
            }
        }
        inverters[1].with(|sim| sim.mend(None));
        rig.until("it answers again", |seen| seen.answers(1) && seen.writable(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_register_that_is_refused_is_told_and_asked_again_after_five_minutes() {
    let (mut rig, bus) = Rig::one(Kind::Tcp);
    bus.with(|sim| sim.trigger(InverterFault::Exception { address: 8475, code: 2 }));
    rig.until("it is refused", |seen| seen.quarantined.get(&0).is_some_and(|ids| ids.len() == 1)).await;
    let refused = rig.seen.quarantined[&0][0].clone();
    rig.pass(seconds(10)).await;
    assert!(rig.seen.learned[&0].refused.contains(&refused));
    assert_eq!(rig.seen.known[&0].flow.load_w.quality(rig.clock.now()), Quality::Fresh);
    bus.with(|sim| sim.mend(None));
    rig.until("it is told again", |seen| seen.quarantined.get(&0).is_some_and(Vec::is_empty)).await;
    assert!(rig.clock.now().since(sunmill::model::Time::ZERO) >= seconds(300));
}

#[tokio::test(start_paused = true)]
async fn another_device_is_not_written_to_until_somebody_confirms_it() {
    for kind in Kind::ALL {
        let (mut rig, bus) = Rig::one(kind);
        rig.until("it may be written", |seen| seen.writable(0)).await;
        // It was exchanged while it was off.
        bus.with(|sim| sim.trigger(InverterFault::Silence));
        rig.until("it is silent", |seen| seen.silent(0)).await;
        bus.with(|sim| {
            sim.mend(None);
            sim.trigger(InverterFault::UnitSwap);
        });
        let different = |seen: &Seen| matches!(seen.identity.get(&0), Some((Identity::Different { .. }, _)));
        rig.until("another device is seen", different).await;
        rig.set(1, 0, END_SOC, "35").await;
        rig.until("the setting came to its end", |seen| seen.written.len() == 1).await;
        let refused = rig.seen.written[0].1.clone().unwrap_err();
        assert!(refused[0].contains("SIM0000002"), "{refused:?}");
        rig.order(BusOrder::Confirm { unit: 0 }).await;
        rig.until("it may be written", |seen| seen.writable(0)).await;
        rig.set(2, 0, END_SOC, "35").await;
        rig.until("the setting came to its end", |seen| seen.written.len() == 2).await;
        assert_eq!(rig.seen.written[1].1.clone().unwrap()[0].written, Written::Taken, "{kind:?}");
        assert_eq!(rig.wire.writes(kind), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn units_that_are_swapped_while_they_answer_are_found_out_by_the_next_trouble() {
    let (mut rig, bus) = Rig::one(Kind::Rtu);
    rig.until("it may be written", |seen| seen.writable(0)).await;
    bus.with(|sim| sim.trigger(InverterFault::UnitSwap));
    bus.with(|sim| sim.trigger(InverterFault::Garbage));
    rig.pass(seconds(4)).await;
    bus.with(|sim| sim.mend(Some(InverterFault::Garbage)));
    rig.until("another device is seen", |seen| matches!(seen.identity[&0].0, Identity::Different { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn behind_a_gateway_only_the_unit_that_is_gone_is_gone() {
    // Unit 9 is not there: the simulated gateway answers 0B for it.
    let bus = inverter("senergy", Kind::Tcp, 1);
    let mut rig = Rig::new(Kind::Tcp, vec![bus], vec![unit("senergy", 1), unit("senergy", 9)]);
    rig.until("both are settled", |seen| seen.writable(0) && seen.silent(1)).await;
    let words = rig.seen.reach[&1].clone().unwrap_err();
    assert!(words.contains("behind the gateway"), "{words}");
    for _ in 0..100 {
        rig.pass(seconds(1)).await;
        assert_eq!(rig.seen.known[&0].battery.soc_percent.quality(rig.clock.now()), Quality::Fresh);
    }
    assert_eq!(rig.seen.counters.opens, 1, "an exception is no reason to connect anew");
}

#[tokio::test(start_paused = true)]
async fn garbage_ends_trust_and_comes_to_an_end() {
    for kind in Kind::ALL {
        let (mut rig, bus) = Rig::one(kind);
        rig.until("it answers", |seen| seen.writable(0)).await;
        bus.with(|sim| sim.trigger(InverterFault::Garbage));
        rig.until("it is silent", |seen| seen.silent(0)).await;
        assert!(matches!(rig.seen.states.last(), Some(BusState::Quiet { .. })), "{:?}", rig.seen.states);
        bus.with(|sim| sim.mend(None));
        rig.until("it answers again", |seen| seen.writable(0) && seen.answers(0)).await;
        rig.pass(seconds(5)).await;
        assert_eq!(rig.seen.states.last(), Some(&BusState::Open), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_cannot_be_opened_is_tried_again_with_patience_or_when_asked() {
    let (mut rig, _bus) = Rig::one(Kind::Tcp);
    rig.until("it answers", |seen| seen.writable(0)).await;
    *rig.wire.unplugged.lock().unwrap() = true;
    // What is open stays open until it is closed.
    rig.order(BusOrder::Enable { unit: 0, on: false }).await;
    rig.pass(seconds(1)).await;
    rig.order(BusOrder::Enable { unit: 0, on: true }).await;
    let attempts = |seen: &Seen| match seen.states.last() {
        Some(BusState::Down { attempt, .. }) => *attempt,
        _ => 0,
    };
    rig.until("it was tried often", |seen| attempts(seen) == 8).await;
    let Some(BusState::Down { why, retry_at, .. }) = rig.seen.states.last().cloned() else { panic!("down") };
    assert!(why.contains("unplugged"), "{why}");
    assert!(rig.seen.silent(0) && retry_at.since(rig.clock.now()) == seconds(5));
    *rig.wire.unplugged.lock().unwrap() = false;
    let before = rig.clock.now();
    rig.order(BusOrder::Reconnect).await;
    rig.until("it answers again", |seen| seen.answers(0)).await;
    assert!(rig.clock.now().since(before) < seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_late_is_not_known_until_it_is_read_back_and_never_sent_twice() {
    for kind in Kind::ALL {
        for late in [1600, 2500, 60_000] {
            let (mut rig, bus) = Rig::one(kind);
            rig.until("it may be written", |seen| seen.writable(0)).await;
            *rig.wire.late_writes.lock().unwrap() = Some(Duration::from_millis(late));
            rig.set(7, 0, END_SOC, "35").await;
            rig.until("the setting came to its end", |seen| !seen.written.is_empty()).await;
            let [(ticket, Ok(done))] = &rig.seen.written[..] else { panic!("{:?}", rig.seen.written) };
            assert_eq!((ticket.0, rig.wire.writes(kind)), (7, 1), "{kind:?} {late}");
            // Behind a line that is late for a minute nothing can be read back either.
            let honest = matches!(done[0].written, Written::Taken | Written::Unknown { .. });
            assert!(honest && (late > 10_000 || done[0].written == Written::Taken), "{kind:?} {late}: {done:?}");
            let register = bus.with(|sim| sim.profile().find(END_SOC)).unwrap();
            assert_eq!(bus.with(|sim| sim.value(register)).unwrap().number(), Some(35.0));
            rig.pass(seconds(60)).await;
            assert_eq!((rig.seen.written.len(), rig.wire.writes(kind)), (1, 1), "{kind:?} {late}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn writes_go_before_the_reads_of_all_units() {
    let kind = Kind::Rtu;
    let inverters: Vec<_> = (1..=4).map(|address| inverter("senergy", kind, address)).collect();
    let mut rig = Rig::new(kind, inverters, (1..=4).map(|address| unit("senergy", address)).collect());
    rig.until("all may be written", |seen| (0..4).all(|unit| seen.writable(unit))).await;
    for unit in 0..4 {
        rig.order(BusOrder::Want { unit, class: PollClass::Setting }).await;
    }
    let asked = rig.wire.asked.lock().unwrap().len();
    rig.set(1, 3, END_SOC, "40").await;
    rig.until("the setting came to its end", |seen| !seen.written.is_empty()).await;
    let after: Vec<u8> = rig.wire.functions(kind).split_off(asked);
    let write = after.iter().position(|function| *function == 6).expect("a write");
    // What was under way, the read before the write, and the write.
    assert!(write <= 3, "{write} questions went before the write");
    assert_eq!(rig.seen.written[0].1.clone().unwrap()[0].written, Written::Taken);
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_at_once_and_every_order_is_answered() {
    for kind in Kind::ALL {
        let (mut rig, bus) = Rig::one(kind);
        rig.until("it may be written", |seen| seen.writable(0)).await;
        *rig.wire.late_writes.lock().unwrap() = Some(seconds(600));
        rig.set(1, 0, END_SOC, "35").await;
        while bus.with(|sim| sim.counters().requests) == 0 || rig.wire.writes(kind) == 0 {
            rig.pass(Duration::from_millis(10)).await;
        }
        // The write is on the wire and not answered.
        rig.set(2, 0, "soc_max", "90").await;
        let before = rig.clock.now();
        rig.handle.shutdown().await;
        assert!(rig.clock.now().since(before) < seconds(1), "{kind:?}");
        while let Some(event) = rig.events.recv().await {
            rig.seen.take(event);
        }
        let [(first, Ok(done)), (second, Err(_))] = &rig.seen.written[..] else {
            let mut tickets: Vec<u64> = rig.seen.written.iter().map(|(ticket, _)| ticket.0).collect();
            tickets.sort_unstable();
            assert_eq!(tickets, [1, 2], "{kind:?}: {:?}", rig.seen.written);
            continue;
        };
        assert_eq!((first.0, second.0), (1, 2));
        assert!(matches!(done[0].written, Written::Unknown { .. }), "{kind:?}: {done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_does_not_listen_loses_only_what_is_old() {
    let bus = inverter("senergy", Kind::Rtu, 1);
    let mut rig = Rig::with_channel(Kind::Rtu, vec![bus], vec![unit("senergy", 1)], 1);
    rig.until("it may be written", |seen| seen.writable(0)).await;
    rig.set(1, 0, END_SOC, "35").await;
    tokio::time::sleep(seconds(500)).await;
    rig.set(2, 0, "no_such_setting", "35").await;
    tokio::time::sleep(seconds(500)).await;
    let before = rig.seen.events;
    rig.until("both came to their end", |seen| seen.written.len() == 2).await;
    rig.until("the newest is there", |seen| seen.known[&0].battery.soc_percent.at.is_some()).await;
    assert!(rig.seen.events - before < 12, "{} events waited", rig.seen.events - before);
    rig.pass(Duration::from_millis(1)).await;
    assert_eq!(rig.seen.known[&0].battery.soc_percent.quality(rig.clock.now()), Quality::Fresh);
}

#[tokio::test(start_paused = true)]
async fn the_task_asks_on_while_the_hub_looks_and_judges() {
    let (mut rig, _bus) = Rig::one(Kind::Rtu);
    rig.until("it may be written", |seen| seen.writable(0)).await;
    rig.pass(seconds(20)).await;
    let values = rig.look(0).await;
    let soc = values.role(Role::BatterySoc);
    assert_eq!(soc.quality(rig.clock.now()), Quality::Fresh);
    let check = async |text: &str, shown: Option<&str>| {
        let (answer, judged) = tokio::sync::oneshot::channel();
        let wanted = sunmill::model::power::Wanted {
            id: END_SOC.to_owned(),
            text: text.to_owned(),
            shown: shown.map(str::to_owned),
        };
        rig.order(BusOrder::Check { unit: 0, settings: vec![wanted], armed: false, answer }).await;
        judged.await.unwrap()
    };
    let rows = check("35", Some("20 %")).await.unwrap();
    assert_eq!((rows[0].before.as_str(), rows[0].after.as_str(), rows[0].unchanged), ("20 %", "35 %", false));
    assert!(check("35", Some("30 %")).await.unwrap_err()[0].contains("says 20 % now"));
    assert!(check("350", None).await.unwrap_err()[0].contains("out of range"));
    assert_eq!(rig.wire.writes(Kind::Rtu), 0);
}

#[tokio::test(start_paused = true)]
async fn an_inverter_that_cannot_be_used_says_why_and_leaves_the_bus_alone() {
    let broken = UnitConfig { family: Family::Unusable("roof.toml:7: no such unit".to_owned()), ..unit("senergy", 2) };
    let bus = inverter("senergy", Kind::Rtu, 1);
    let mut rig = Rig::new(Kind::Rtu, vec![bus], vec![broken.clone(), unit("senergy", 1)]);
    rig.until("the other answers", |seen| seen.writable(1)).await;
    assert_eq!(rig.seen.reach[&0], Err("roof.toml:7: no such unit".to_owned()));
    rig.set(1, 0, END_SOC, "35").await;
    rig.until("the setting came to its end", |seen| !seen.written.is_empty()).await;
    assert!(rig.seen.written[0].1.is_err());
    // Alone it does not even open the bus.
    let mut rig = Rig::new(Kind::Rtu, vec![inverter("senergy", Kind::Rtu, 1)], vec![broken]);
    rig.pass(seconds(30)).await;
    assert!(rig.wire.asked.lock().unwrap().is_empty());
    assert_eq!(rig.seen.states, [BusState::Opening]);
}

#[tokio::test(start_paused = true)]
async fn who_is_switched_off_is_left_alone_and_its_port_is_free() {
    let (mut rig, _bus) = Rig::one(Kind::Rtu);
    rig.until("it may be written", |seen| seen.writable(0)).await;
    rig.pass(seconds(10)).await;
    rig.order(BusOrder::Enable { unit: 0, on: false }).await;
    rig.until("it is not read any more", |seen| {
        seen.states.last() == Some(&BusState::Opening) && seen.states.len() > 1
    })
    .await;
    let asked = rig.wire.asked.lock().unwrap().len();
    rig.pass(seconds(100)).await;
    assert_eq!(rig.wire.asked.lock().unwrap().len(), asked);
    assert_eq!(rig.seen.known[&0].flow.load_w.quality(rig.clock.now()), Quality::Lost);
    rig.order(BusOrder::Enable { unit: 0, on: true }).await;
    rig.until("it is read again", |seen| {
        seen.known[&0].flow.load_w.quality(sunmill::model::Time::ZERO) != Quality::Lost && seen.writable(0)
    })
    .await;
}

#[tokio::test(start_paused = true)]
#[allow(clippy::print_stdout, reason = "the count is of interest")]
async fn a_thousand_late_answers_bring_not_one_wrong_value() {
    for kind in Kind::ALL {
        let (mut rig, bus) = Rig::one(kind);
        rig.until("it may be written", |seen| seen.writable(0)).await;
        let load = bus.with(|sim| sim.number(Role::LoadPower)).map(f64::round);
        *rig.wire.late_every.lock().unwrap() = Some(4);
        let (mut judged, mut missing) = (0_u32, 0_u32);
        while rig.wire.late.load(Ordering::Relaxed) < 1000 {
            rig.pass(seconds(7)).await;
            if let Some(told) = rig.seen.known[&0].flow.load_w.value {
                assert_eq!(Some(told.round()), load, "{kind:?}");
            }
            let values = rig.look(0).await;
            let profile = values.profile().clone();
            for register in 0..profile.registers.len() {
                match &values.slot(register).value {
                    // Its day stands still: whatever was ever believed is what it says now.
                    Some(Ok(value)) => {
                        assert_eq!(Some(value), bus.with(|sim| sim.value(register)).as_ref(), "{kind:?}");
                        judged += 1;
                    }
                    Some(Err(_)) | None => missing += 1,
                }
            }
        }
        let (late, counters) = (rig.wire.late.load(Ordering::Relaxed), rig.seen.counters);
        println!(
            "{kind:?}: {late} late answers, {judged} values looked at, 0 wrong, {missing} not known; {counters:?}"
        );
        assert!(judged > 10_000 && counters.timeouts > 300, "{kind:?}: {judged} values, {counters:?}");
    }
}
