//! Who is not who he should be, and who should not be there: wrong profiles, swapped units, services, another master, a gateway
//! that dies with the grid.

use std::collections::BTreeMap;
use std::time::Duration;

use sunmill::driver::bus::{BusOrder, WireTrouble};
use sunmill::inverter::{Identity, Written};
use sunmill::model::power::{BusState, GridState, Quality, Role};
use sunmill::sim::inverter::InverterFault;

use crate::rig::{Kind, Rig, Seen, inverter, unit};
use crate::{END_SOC, seconds};

#[tokio::test(start_paused = true)]
async fn a_profile_that_does_not_fit_is_said_and_nothing_is_written_until_somebody_confirms_it() {
    for kind in Kind::ALL {
        let mut rig = Rig::new(kind, vec![inverter("senergy", kind, 1)], vec![unit("solis", 1)]);
        let doubted = |seen: &Seen| matches!(seen.identity.get(&0), Some((_, Some(_))));
        rig.until("it is doubted", doubted).await;
        rig.pass(seconds(30)).await;
        let (identity, refusal) = rig.seen.identity[&0].clone();
        assert!(matches!(identity, Identity::Strange { .. } | Identity::Unverifiable { .. }), "{identity:?}");
        let why = refusal.expect("read-only");
        let setting =
            rig.look(0).await.profile().registers.iter().find(|known| known.access.writes()).unwrap().id.clone();
        rig.set(1, 0, &setting, "1").await;
        rig.until("the setting came to its end", |seen| seen.written.len() == 1).await;
        let refused = rig.seen.written[0].1.clone().unwrap_err();
        assert!(!why.is_empty() && !refused.is_empty(), "{why} {refused:?}");
        assert_eq!(rig.wire.writes(kind), 0, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_units_that_were_swapped_are_both_found_out() {
    let kind = Kind::Rtu;
    let inverters = vec![inverter("senergy", kind, 1), inverter("senergy", kind, 2)];
    // All simulated ones have one number, but those that were exchanged.
    inverters[1].with(|sim| sim.trigger(InverterFault::UnitSwap));
    // As remembered from before somebody exchanged their addresses.
    let mut units = vec![unit("senergy", 1), unit("senergy", 2)];
    units[0].options.serial = Some("SIM0000002".to_owned());
    units[1].options.serial = Some("SIM0000001".to_owned());
    let mut rig = Rig::new(kind, inverters, units);
    let different =
        |seen: &Seen, at: usize| matches!(seen.identity.get(&at), Some((Identity::Different { .. }, Some(_))));
    rig.until("both are strangers", |seen| different(seen, 0) && different(seen, 1)).await;
    for at in 0..2 {
        rig.set(at as u64, at, END_SOC, "35").await;
    }
    rig.until("both settings came to their end", |seen| seen.written.len() == 2).await;
    assert!(rig.seen.written.iter().all(|(_, done)| done.is_err()) && rig.wire.writes(kind) == 0);
}

#[tokio::test(start_paused = true)]
async fn services_of_a_gx_are_asked_at_their_own_units_and_one_that_is_gone_takes_no_other_with_it() {
    let kind = Kind::Tcp;
    let bus = inverter("victron", kind, 100);
    let (addresses, profile) = bus.with(|sim| (sim.units().to_vec(), sim.profile().clone()));
    let names = profile.link.services.iter().map(|service| service.name.clone());
    let services: BTreeMap<String, u8> = names.zip(addresses[1..].iter().copied()).collect();
    let mut gx = unit("victron", 100);
    gx.options.services = services.clone();
    let mut rig = Rig::new(kind, vec![bus.clone()], vec![gx.clone()]);
    rig.until("it answers", |seen| seen.answers(0)).await;
    rig.pass(seconds(70)).await;
    let asked = |rig: &Rig, unit: u8| rig.wire.asked.lock().unwrap().iter().any(|bytes| bytes[6] == unit);
    assert!(addresses.iter().all(|unit| asked(&rig, *unit)), "{addresses:?}");
    let told = bus.with(|sim| sim.number(Role::BatterySoc)).map(f64::round);
    assert_eq!(rig.seen.known[&0].battery.soc_percent.value, told);
    rig.handle.shutdown().await;

    // The grid meter is somewhere else.
    gx.options.services.insert("grid".to_owned(), 77);
    let mut rig = Rig::new(kind, vec![bus], vec![gx]);
    rig.until("it answers", |seen| seen.answers(0)).await;
    rig.pass(seconds(70)).await;
    assert!(asked(&rig, 77));
    let values = rig.look(0).await;
    let at = profile.link.services.iter().position(|service| service.name == "grid").unwrap() + 1;
    let of_grid = profile.registers.iter().enumerate().filter(|(_, known)| known.service == at);
    assert!(of_grid.clone().count() > 0 && of_grid.into_iter().all(|(id, _)| values.slot(id).at.is_none()));
    assert_eq!(rig.seen.known[&0].battery.soc_percent.quality(rig.clock.now()), Quality::Fresh);
}

#[tokio::test(start_paused = true)]
async fn another_master_on_the_wire_is_told_and_forgotten_when_it_is_gone() {
    let (mut rig, _bus) = Rig::one(Kind::Rtu);
    rig.until("it answers", |seen| seen.writable(0)).await;
    rig.pass(seconds(10)).await;
    assert_eq!(rig.seen.trouble, None);
    *rig.wire.other_master.lock().unwrap() = Some(Duration::from_millis(40));
    rig.until("it is told", |seen| seen.trouble == Some(WireTrouble::SecondMaster)).await;
    assert!(rig.seen.counters.stray_bytes > 0);
    *rig.wire.other_master.lock().unwrap() = None;
    rig.until("it is forgotten", |seen| seen.trouble.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_dies_with_the_grid_leaves_the_grid_unknown_and_no_value_behind() {
    for kind in [Kind::Tcp, Kind::RtuOverTcp] {
        let (mut rig, bus) = Rig::one(kind);
        rig.until("it may be written", |seen| seen.writable(0)).await;
        rig.pass(seconds(60)).await;
        assert_eq!(rig.seen.known[&0].grid.state, GridState::Good);
        *rig.wire.unplugged.lock().unwrap() = true;
        bus.with(|sim| sim.trigger(InverterFault::Silence));
        rig.until("it is gone", |seen| matches!(seen.states.last(), Some(BusState::Down { .. }))).await;
        rig.pass(seconds(20)).await;
        let now = rig.clock.now();
        let known = &rig.seen.known[&0];
        assert_eq!(known.grid.state, GridState::Unknown, "{kind:?}: nobody says that it is lost");
        assert_eq!((known.flow.load_w.shown(now), known.battery.soc_percent.shown(now)), (None, None));
        // It comes back with everything.
        *rig.wire.unplugged.lock().unwrap() = false;
        bus.with(|sim| sim.mend(None));
        rig.until("it is back", |seen| seen.answers(0) && seen.writable(0)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_register_that_is_gone_after_a_firmware_update_goes_alone() {
    let (mut rig, bus) = Rig::one(Kind::Rtu);
    rig.until("it may be written", |seen| seen.writable(0)).await;
    rig.pass(seconds(30)).await;
    let profile = bus.with(|sim| sim.profile().clone());
    let gone = profile.role(Role::BatterySoc).unwrap();
    let address = profile.registers[gone].span().0;
    bus.with(|sim| sim.trigger(InverterFault::Exception { address, code: 2 }));
    rig.until("it is refused", |seen| seen.quarantined.get(&0).is_some_and(|ids| ids.len() == 1)).await;
    assert_eq!(rig.seen.quarantined[&0], [profile.registers[gone].id.clone()]);
    rig.pass(seconds(10)).await;
    let known = &rig.seen.known[&0];
    assert_eq!(known.battery.soc_percent.shown(rig.clock.now()), None, "the last value is none any more");
    assert_eq!(known.flow.load_w.quality(rig.clock.now()), Quality::Fresh);
    assert!(rig.seen.answers(0));
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_is_none_and_one_that_is_late_is_of_no_other_question() {
    for kind in Kind::ALL {
        for fault in [InverterFault::Short, InverterFault::Late(Duration::from_millis(800))] {
            let (mut rig, bus) = Rig::one(kind);
            rig.until("it may be written", |seen| seen.writable(0)).await;
            rig.pass(seconds(10)).await;
            let soc = bus.with(|sim| sim.number(Role::BatterySoc)).map(f64::round);
            bus.with(|sim| sim.trigger(fault));
            rig.set(1, 0, END_SOC, "35").await;
            rig.pass(seconds(60)).await;
            // What is known is right, or not known; and the setting was sent once at most.
            let told = rig.seen.known[&0].battery.soc_percent.shown(rig.clock.now());
            assert!(told.is_none() || told == soc, "{kind:?} {fault:?}: {told:?}");
            assert!(rig.wire.writes(kind) <= 1, "{kind:?} {fault:?}");
            bus.with(|sim| sim.mend(None));
            rig.until("it may be written again", |seen| seen.answers(0) && seen.writable(0)).await;
            rig.until("the setting came to its end", |seen| !seen.written.is_empty()).await;
            assert!(rig.wire.writes(kind) <= 1, "{kind:?} {fault:?}");
            if fault == InverterFault::Short {
                continue;
            }
            // A device that takes 800 ms is slow, not wrong: its time-out is longer than that.
            let done = rig.seen.written[0].1.clone().unwrap();
            assert_eq!(done[0].written, Written::Taken, "{kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_at_the_wrong_speed_says_what_to_look_at() {
    let bus = inverter("senergy", Kind::Rtu, 1);
    bus.with(|sim| sim.trigger(InverterFault::Garbage));
    let mut slow = unit("senergy", 1);
    slow.options.baud = Some(19_200);
    let mut rig = Rig::new(Kind::Rtu, vec![bus], vec![slow]);
    rig.until("it is silent", |seen| seen.silent(0)).await;
    let words = rig.seen.reach[&0].clone().unwrap_err();
    assert!(words.contains("19200 baud and parity") && words.contains("unit address"), "{words}");
    assert!(rig.seen.known.get(&0).is_none_or(|known| known.battery.soc_percent.value.is_none()));
    rig.order(BusOrder::Reconnect).await;
    rig.pass(seconds(10)).await;
    assert!(rig.seen.silent(0));
}
