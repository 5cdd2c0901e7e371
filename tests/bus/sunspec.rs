//! A device that says itself what it has, behind Modbus TCP.

use std::collections::BTreeMap;
use std::sync::Arc;

use sunmill::driver::bus::{Family, UnitConfig};
use sunmill::inverter::poller::Options;
use sunmill::model::power::{Quality, Role, Table};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::rig::{Kind, Rig};
use crate::seconds;

/// Base address of the map.
const BASE: u16 = 40_000;
/// What answers to an address that is not there.
const ILLEGAL_ADDRESS: u8 = 2;

/// Common model, a three-phase inverter, two MPPTs, the end. What is not told here is "not implemented".
fn map() -> BTreeMap<u16, u16> {
    let mut words: BTreeMap<u16, u16> = (BASE..BASE + 174).map(|address| (address, 0x8000)).collect();
    let headers = [(0, 0x5375), (1, 0x6E53), (2, 1), (3, 66), (70, 103), (71, 50), (122, 160), (123, 48)];
    let serial = [(52, 0x4142), (53, 0x4344), (54, 0)];
    let known = [(84, 1234), (85, 1), (86, 4998), (87, 0xFFFE), (108, 4)];
    let end = [(172, 0xFFFF), (173, 0)];
    words.extend([&headers[..], &serial, &known, &end].concat().into_iter().map(|(at, word)| (BASE + at, word)));
    words
}

/// Answers reads of holding registers; a read that touches what is not there fails as a whole.
fn connect(map: &Arc<BTreeMap<u16, u16>>) -> DuplexStream {
    let (near, mut far) = tokio::io::duplex(4096);
    let map = map.clone();
    tokio::spawn(async move {
        let mut asked = [0; 12];
        while far.read_exact(&mut asked).await.is_ok() {
            let [t1, t2, _, _, _, _, unit, function, a1, a0, c1, c0] = asked;
            let (address, count) = (u16::from_be_bytes([a1, a0]), u16::from_be_bytes([c1, c0]));
            let words: Option<Vec<u16>> = (0..count).map(|n| map.get(&(address.checked_add(n)?)).copied()).collect();
            let body = match words.filter(|_| function == Table::Holding.read_function()) {
                Some(words) => {
                    let bytes = words.iter().flat_map(|word| word.to_be_bytes());
                    [function, (2 * count) as u8].into_iter().chain(bytes).collect()
                }
                None => vec![function | 0x80, ILLEGAL_ADDRESS],
            };
            let length = (body.len() as u16 + 1).to_be_bytes();
            let head = [t1, t2, 0, 0, length[0], length[1], unit];
            if far.write_all(&[&head[..], &body].concat()).await.is_err() {
                return;
            }
        }
    });
    near
}

#[tokio::test(start_paused = true)]
async fn a_device_that_describes_itself_is_read_after_its_models_were_found() {
    let map = Arc::new(map());
    let unit = UnitConfig {
        name: "roof".to_owned(),
        family: Family::SunSpec,
        options: Options { unit: Some(126), ..Options::default() },
        enabled: true,
        nominal_v: 230.0,
    };
    let mut rig = Rig::over(Kind::Tcp, move || connect(&map), vec![unit], 64);
    rig.until("it is known", |seen| seen.writable(0) && seen.known.contains_key(&0)).await;
    rig.pass(seconds(70)).await;
    let known = &rig.seen.known[&0];
    assert_eq!((known.serial.as_deref(), known.status.as_deref()), (Some("ABCD"), Some("mppt")));
    assert_eq!(known.grid.frequency_hz.value, Some(49.98));
    assert_eq!(known.grid.voltage_v.value, None, "not implemented is no 0");
    let values = rig.look(0).await;
    assert_eq!(values.role(Role::InverterPower).value, Some(12_340.0), "scaled by another register");
    assert_eq!(values.role(Role::InverterPower).quality(rig.clock.now()), Quality::Fresh);
    assert!(values.profile().find("m160_2_dcw").is_some() && values.profile().find("m160_3_dcw").is_none());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_no_sunspec_device_says_so() {
    let mut map = map();
    map.insert(BASE, 0);
    let map = Arc::new(map);
    let options = Options { unit: Some(126), ..Options::default() };
    let unit =
        UnitConfig { name: "roof".to_owned(), family: Family::SunSpec, options, enabled: true, nominal_v: 230.0 };
    let mut rig = Rig::over(Kind::Tcp, move || connect(&map), vec![unit], 64);
    rig.until("it is said", |seen| seen.silent(0)).await;
    let words = rig.seen.reach[&0].clone().unwrap_err();
    assert!(words.contains("SunSpec"), "{words}");
}
