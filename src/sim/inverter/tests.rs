//! What a master sees of every family, right and wrong.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::frame::{Asked, put, take};
use super::*;
use crate::driver::bus::{BusEndpoint, BusLink, BusOpener, InProcessBus, Patience};
use crate::driver::transport::{SerialLine, Stream};
use crate::inverter::codec::Value;
use crate::inverter::grid_loss::GridLoss;
use crate::inverter::plan::{Block, Learned, plan};
use crate::inverter::profile::{Profile, SHIPPED, shipped};
use crate::inverter::request::Exception;
use crate::inverter::{Action, Failure, Reply, Request, Values};
use crate::model::Time;
use crate::model::power::{GridState, Role, Table};
use crate::sim::serve::Bus;

const PATIENCE: Patience = Patience {
    timeout: Duration::from_millis(300),
    lateness: Duration::from_millis(900),
    spacing: Duration::from_millis(5),
};
const SENERGY_EOD: u16 = 8475;

fn profile(name: &str) -> Arc<Profile> {
    Arc::new(shipped(name).expect(name).expect("in order"))
}

fn all_profiles() -> impl Iterator<Item = Arc<Profile>> {
    SHIPPED.iter().map(|(name, _)| profile(name))
}

fn blocks(profile: &Profile) -> Vec<Block> {
    plan(profile, profile.read, &Learned::default(), |_| true)
}

fn endpoints() -> [BusEndpoint; 3] {
    let host = || "simulated".to_owned();
    [
        BusEndpoint::Rtu { path: PathBuf::from("simulated"), line: SerialLine::plain(9600) },
        BusEndpoint::Tcp { host: host(), port: 502 },
        BusEndpoint::RtuOverTcp { host: host(), port: 502 },
    ]
}

/// A simulator whose day stands still, and a link to it.
fn linked(name: &str, endpoint: BusEndpoint) -> (Bus, BusLink) {
    let framing = if endpoint.is_tcp_framing() { Framing::Tcp } else { Framing::Rtu };
    let bus = Bus::new(InverterOptions { speed: 0.0, ..InverterOptions::new(profile(name), framing) });
    let served = bus.clone();
    let make = move || Ok(Box::new(served.connect()) as Box<dyn Stream>);
    let opener = BusOpener { endpoint, lock_dir: PathBuf::new(), in_process: Some(InProcessBus(Arc::new(make))) };
    (bus, BusLink::new(opener))
}

/// The answer to a request, without a task.
fn ask(inverter: &mut SimInverter, now: Time, unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
    let asked = Asked { unit, transaction: 7, pdu: pdu.to_vec() };
    inverter.handle_bytes(now, 1, &put(Framing::Tcp, &asked, pdu));
    let mut out = inverter.output(now, 1);
    take(Framing::Tcp, &mut out).expect("a frame").map(|answer| answer.pdu)
}

/// Everything that can be read, as a master reads it.
fn read_all(inverter: &mut SimInverter, values: &mut Values, now: Time) {
    let profile = inverter.profile().clone();
    for block in blocks(&profile) {
        let unit = inverter.units()[block.service];
        let mut pdu = vec![block.table.read_function()];
        pdu.extend(block.address().to_be_bytes());
        pdu.extend(block.count().to_be_bytes());
        let answer = ask(inverter, now, unit, &pdu).expect("an answer");
        assert_eq!(usize::from(answer[1]) + 2, answer.len(), "{}: {block:?}: {answer:?}", profile.name);
        let words: Vec<u16> = answer[2..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        values.accept(&block, &words, now);
    }
}

/// How far a role's reading may be from the day: what its registers cannot tell.
fn tolerance(profile: &Profile, role: Role) -> f64 {
    match profile.role(role) {
        Some(register) => profile.registers[register].scale.abs() * 0.501,
        // Products of rounded volts and amperes.
        None => 25.0,
    }
}

#[test]
fn every_register_of_every_family_says_what_goes_on() {
    for profile in all_profiles() {
        let options = InverterOptions { speed: 3600.0, ..InverterOptions::new(profile.clone(), Framing::Tcp) };
        let mut inverter = SimInverter::new(options);
        let mut values = Values::new(profile.clone());
        let mut compared = 0;
        // A second is an hour: a day and a night, then half a day without a grid.
        for second in 0..36 {
            let now = Time::from_millis(second * 1000);
            if second == 24 {
                inverter.trigger(InverterFault::GridLoss);
            }
            // Values in doubt are believed the third time.
            for _ in 0..3 {
                read_all(&mut inverter, &mut values, now);
            }
            for (index, register) in profile.registers.iter().enumerate() {
                let Some(told) = &values.slot(index).value else { continue };
                let fine = told.is_ok() || !register.absent.is_empty();
                assert!(fine, "{} {}: {told:?} at {second} h", profile.name, register.id);
                assert_eq!(told.clone().ok(), inverter.value(index), "{} {}", profile.name, register.id);
            }
            let known = |role: &Role| profile.role(*role).is_some() || profile.derived.iter().any(|d| d.role == *role);
            for role in Role::PLAIN.iter().copied().filter(known) {
                let Some(truth) = inverter.number(role) else { continue };
                let Some(told) = values.role(role).value else { panic!("{} {role}: nothing", profile.name) };
                let near = (told - truth).abs() <= tolerance(&profile, role);
                assert!(near, "{} {role}: told {told}, is {truth} at {second} h", profile.name);
                compared += 1;
            }
        }
        assert!(compared > 36 * 12, "{}: {compared}", profile.name);
    }
}

#[test]
fn the_grid_is_found_lost_and_back_by_the_rules_of_sunmill() {
    for profile in all_profiles() {
        let mut inverter = SimInverter::new(InverterOptions::new(profile.clone(), Framing::Tcp));
        let mut values = Values::new(profile.clone());
        let mut rules = GridLoss::new(230.0);
        rules.connected(Time::ZERO);
        let mut look = |inverter: &mut SimInverter, seconds: std::ops::Range<u64>| {
            for now in seconds.map(|second| Time::from_millis(1000 * second)) {
                read_all(inverter, &mut values, now);
                rules.look(&values, now);
            }
            rules.grid().state
        };
        assert_eq!(look(&mut inverter, 31..36), GridState::Good, "{}", profile.name);
        inverter.trigger(InverterFault::GridLoss);
        assert_eq!(look(&mut inverter, 36..40), GridState::Lost, "{}", profile.name);
        inverter.mend(Some(InverterFault::GridLoss));
        assert_eq!(look(&mut inverter, 40..44), GridState::Good, "{}", profile.name);
    }
}

#[test]
fn what_proves_an_overload_is_told() {
    for profile in all_profiles() {
        let proofs = profile.registers.iter().position(|register| !register.evidence.overload.is_empty());
        let Some(proof) = proofs else { continue };
        let mut inverter = SimInverter::new(InverterOptions::new(profile.clone(), Framing::Tcp));
        let quiet = inverter.value(proof);
        inverter.trigger(InverterFault::Overload);
        assert_ne!(inverter.value(proof), quiet, "{}", profile.name);
        inverter.mend(None);
        assert_eq!(inverter.value(proof), quiet, "{}", profile.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_family_is_read_whole_over_every_transport() {
    for (name, _) in SHIPPED {
        for endpoint in endpoints() {
            let (bus, mut link) = linked(name, endpoint.clone());
            let profile = profile(name);
            let units = bus.with(|inverter| inverter.units().to_vec());
            let mut values = Values::new(profile.clone());
            for block in blocks(&profile) {
                let request = block.request(units[block.service]);
                let reply = link.exchange(&request, PATIENCE, None).await;
                let Ok(Reply::Words(words)) = reply else { panic!("{name} {endpoint}: {request}: {reply:?}") };
                values.accept(&block, &words, Time::ZERO);
            }
            for index in 0..profile.registers.len() {
                let told = values.slot(index).value.clone();
                assert!(told.is_some() || !profile.registers[index].access.reads());
                if let Some(told) = told {
                    assert_eq!(told.ok(), bus.with(|inverter| inverter.value(index)), "{name} {index}");
                }
            }
            assert_eq!(link.stats().exceptions, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_setting_is_taken_acts_and_stays() {
    for endpoint in endpoints() {
        let (bus, mut link) = linked("senergy", endpoint.clone());
        let write = Request { unit: 1, action: Action::WriteSingle { address: SENERGY_EOD, value: 70 } };
        assert!(bus.with(|inverter| inverter.day().battery_w) != 0.0);
        link.exchange(&write, PATIENCE, None).await.unwrap();
        let read = Request::read(1, Table::Holding, SENERGY_EOD, 1);
        link.close();
        assert_eq!(link.exchange(&read, PATIENCE, None).await, Ok(Reply::Words(vec![70])), "{endpoint}");
        bus.with(|inverter| {
            assert!(inverter.day().battery_low, "62 % are less than 70 %");
            assert!(inverter.day().battery_w <= 0.0);
        });
    }
}

#[test]
fn what_cannot_be_is_refused_as_devices_do() {
    let refused = |name: &str, pdu: &[u8]| {
        let mut inverter = SimInverter::new(InverterOptions::new(profile(name), Framing::Tcp));
        let before: Vec<Option<Value>> = (0..inverter.profile().registers.len()).map(|at| inverter.value(at)).collect();
        let unit = inverter.units()[0];
        let answer = ask(&mut inverter, Time::ZERO, unit, pdu).expect("an answer");
        let after: Vec<Option<Value>> = (0..inverter.profile().registers.len()).map(|at| inverter.value(at)).collect();
        assert_eq!(before, after, "{name} {pdu:?}");
        (answer[0] & 0x80 != 0).then(|| answer[1])
    };
    let [high, low] = SENERGY_EOD.to_be_bytes();
    let soc = 8192_u16.to_be_bytes();
    for (name, pdu, code, why) in [
        ("senergy", &[6, high, low, 0, 101][..], 3, "101 %"),
        ("senergy", &[16, high, low, 0, 1, 2, 0, 101], 3, "101 %, with 16"),
        ("senergy", &[6, soc[0], soc[1], 0, 50], 2, "the state of charge is read only"),
        ("senergy", &[6, 0x21, 0x00, 0, 9], 3, "no such work mode"),
        ("senergy", &[16, high, low, 0, 2, 2, 0, 50], 3, "bytes and count differ"),
        ("senergy", &[16, high, low, 0, 1, 4, 0, 50], 3, "bytes are missing"),
        ("senergy", &[3, 0, 1, 0, 1], 2, "nothing is there"),
        ("senergy", &[4, high, low, 0, 1], 2, "not an input register"),
        ("senergy", &[3, high, low, 0, 21], 3, "20 at most"),
        ("senergy", &[3, high, low, 0, 0], 3, "none at all"),
        ("senergy", &[3, 0xFF, 0xFF, 0, 2], 2, "past the end"),
        ("senergy", &[43, 14, 1, 0], 1, "no such function"),
        ("victron", &[3, 0x03, 0x36, 0, 5], 2, "an unmapped address makes the whole read fail"),
        ("deye_sunsynk", &[6, 0, 217, 0, 20], 1, "written with 16 only"),
    ] {
        assert_eq!(refused(name, pdu), Some(code), "{name}: {why}");
    }
    let [high, low] = 8466_u16.to_be_bytes();
    let mut senergy = SimInverter::new(InverterOptions::new(profile("senergy"), Framing::Tcp));
    let across = ask(&mut senergy, Time::ZERO, 1, &[3, high, low, 0, 4]).unwrap();
    assert_eq!((across[1], &across[4..8]), (8, &[0, 0, 0, 0][..]), "8467 and 8468 are read along as 0");
}

#[tokio::test(start_paused = true)]
async fn every_fault_does_what_it_says() {
    let read = Request::read(1, Table::Holding, SENERGY_EOD, 2);
    let write = Request { unit: 1, action: Action::WriteSingle { address: SENERGY_EOD, value: 30 } };
    for endpoint in endpoints() {
        for (fault, request, expected) in [
            ("late=800ms", &read, "time"),
            ("silence", &read, "time"),
            ("short", &read, "framing"),
            ("short", &write, "framing"),
            ("wrong-echo", &write, "framing"),
            ("garbage", &read, "framing"),
            ("busy", &read, "6"),
            ("exception=8476:4", &read, "4"),
            ("exception=8477", &read, "right"),
            ("wrong-echo", &read, "right"),
        ] {
            let (bus, mut link) = linked("senergy", endpoint.clone());
            link.exchange(&read, PATIENCE, None).await.unwrap();
            let fault: InverterFault = fault.parse().unwrap();
            bus.with(|inverter| inverter.trigger(fault));
            let answer = link.exchange(request, PATIENCE, None).await;
            let fits = match (&answer, expected) {
                (Ok(_), "right") | (Err(Failure::Timeout), "time") => true,
                // Noise on a line is skipped until nothing more comes.
                (Err(Failure::Framing(_) | Failure::Timeout | Failure::Closed(_)), "framing") => true,
                (Err(Failure::Exception(Exception(code))), expected) => code.to_string() == expected,
                _ => false,
            };
            assert!(fits, "{endpoint} {fault}: {answer:?}");
            bus.with(|inverter| inverter.mend(Some(fault)));
            let again = link.exchange(&read, PATIENCE, None).await;
            assert!(matches!(again, Ok(Reply::Words(_))), "{endpoint} after {fault}: {again:?}");
        }
    }
}

#[test]
fn another_inverter_has_another_serial_number() {
    for profile in all_profiles() {
        let Some(serial) = profile.serial() else { continue };
        let mut inverter = SimInverter::new(InverterOptions::new(profile.clone(), Framing::Tcp));
        let first = inverter.value(serial);
        inverter.trigger(InverterFault::UnitSwap);
        assert!(first.is_some() && inverter.value(serial) != first, "{}", profile.name);
    }
}

#[test]
fn planned_faults_begin_in_time() {
    let faults = vec!["busy@5s".parse().unwrap()];
    let options = InverterOptions { faults, ..InverterOptions::new(profile("senergy"), Framing::Tcp) };
    let mut inverter = SimInverter::new(options);
    let pdu = [3, 0x20, 0, 0, 1];
    assert_eq!(ask(&mut inverter, Time::from_millis(4999), 1, &pdu).unwrap()[0], 3);
    assert_eq!(inverter.poll_timeout(1), Some(Time::from_millis(5000)));
    assert_eq!(ask(&mut inverter, Time::from_millis(5000), 1, &pdu).unwrap(), [0x83, 6]);
}

#[test]
fn a_unit_that_is_not_there_is_silent_on_a_line_and_named_by_a_gateway() {
    let asked = Asked { unit: 9, transaction: 3, pdu: vec![3, 0x20, 0, 0, 1] };
    for (framing, expected) in [(Framing::Rtu, None), (Framing::Tcp, Some(vec![0x83, 0x0B]))] {
        let mut inverter = SimInverter::new(InverterOptions::new(profile("senergy"), framing));
        inverter.handle_bytes(Time::ZERO, 0, &put(framing, &asked, &asked.pdu));
        let mut out = inverter.output(Time::ZERO, 0);
        assert_eq!(take(framing, &mut out).unwrap().map(|answer| answer.pdu), expected);
    }
}

fn fault() -> impl Strategy<Value = Option<InverterFault>> {
    let names = ["short", "wrong-echo", "garbage", "busy", "exception=8475", "grid-loss", "overload", "unit-swap"];
    prop::option::of(prop::sample::select(names.to_vec()).prop_map(|name| name.parse().unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_bytes_break_it(
        which in 0..SHIPPED.len(),
        rtu in any::<bool>(),
        fault in fault(),
        chunks in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 1..12),
        function in prop::sample::select(vec![3_u8, 4, 6, 16]),
    ) {
        let framing = if rtu { Framing::Rtu } else { Framing::Tcp };
        let mut inverter = SimInverter::new(InverterOptions::new(profile(SHIPPED[which].0), framing));
        if let Some(fault) = fault {
            inverter.trigger(fault);
        }
        let unit = inverter.units()[0];
        for (at, (framed, bytes)) in chunks.iter().enumerate() {
            let now = Time::from_millis(at as u64);
            let pdu = [&[function][..], bytes].concat();
            let asked = Asked { unit, transaction: 1, pdu: pdu.clone() };
            let sent = if *framed { put(framing, &asked, &pdu) } else { bytes.clone() };
            inverter.handle_bytes(now, 1, &sent);
            inverter.output(now, 1);
            inverter.take_end(1);
        }
        let day = inverter.day();
        prop_assert!((day.pv_w + day.battery_w + day.grid_w - day.load_w).abs() < 1e-6);
    }
}
