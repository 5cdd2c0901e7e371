//! A slave that does everything wrong, on simulated time: no wrong value may be believed.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::driver::transport::SerialLine;
use crate::inverter::request::Exception;
use crate::inverter::{Action, Failure, Reply, Request};
use crate::model::power::Table;

const PATIENCE: Patience = Patience {
    timeout: Duration::from_millis(300),
    lateness: Duration::from_millis(900),
    spacing: Duration::from_millis(20),
};
const UNIT: u8 = 7;

/// What a slave does with the next request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Right,
    /// The right answer, so many ms late.
    Late(u64),
    Silence,
    /// One register too few.
    Short,
    /// Echoes another value, reads another address.
    Wrong,
    /// Bytes that mean nothing before the right answer.
    Garbage,
    /// The right answer with a bit that fell over on the wire.
    Flipped,
    /// The first half of the right answer.
    Half,
    /// Answers as another unit.
    OtherUnit,
    /// Exception of this code.
    Exception(u8),
    /// Hangs up (a socket), or says nothing.
    HangUp,
}

/// Content of a register: it tells its address.
fn content(address: u16) -> u16 {
    address.wrapping_mul(257) ^ 0x5AA5
}

fn truth(request: &Request) -> Reply {
    match &request.action {
        Action::Read { address, count, .. } => Reply::Words((*address..*address + *count).map(content).collect()),
        Action::WriteSingle { address, value } => Reply::WroteSingle { address: *address, value: *value },
        Action::WriteMultiple { address, values } => {
            Reply::WroteMultiple { address: *address, count: values.len() as u16 }
        }
    }
}

fn crc(bytes: &[u8]) -> [u8; 2] {
    crate::inverter::frame::crc(bytes).to_le_bytes()
}

/// The answer to a request without framing: unit, function, data.
fn answer(pdu: &[u8], deed: Deed) -> Vec<u8> {
    let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
    let (function, address) = (pdu[0], word(1));
    if let Deed::Exception(code) = deed {
        return vec![function | 0x80, code];
    }
    let shift = u16::from(deed == Deed::Wrong);
    if function > 4 {
        let mut echo = pdu[..5].to_vec();
        echo[4] ^= shift as u8;
        return echo;
    }
    let count = word(3) - u16::from(deed == Deed::Short);
    let mut out = vec![function, 2 * count as u8];
    // A wrong address cannot be told from the right one by anybody; a wrong length can.
    (address..address + count).for_each(|address| out.extend(content(address).to_be_bytes()));
    if deed == Deed::Wrong {
        out[0] ^= 7;
    }
    out
}

/// Serves any number of connections, one after the other.
struct Slave {
    tcp: bool,
    deeds: Mutex<VecDeque<Deed>>,
    /// Where bytes go that belong to no connection: a serial line has no memory of who asked.
    current: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
}

impl Slave {
    fn new(tcp: bool, deeds: impl IntoIterator<Item = Deed>) -> Arc<Self> {
        Arc::new(Self { tcp, deeds: Mutex::new(deeds.into_iter().collect()), current: Mutex::new(None) })
    }

    fn link(self: &Arc<Self>, endpoint: BusEndpoint) -> BusLink {
        let slave = Arc::clone(self);
        let make = move || {
            let (ours, theirs) = tokio::io::duplex(1024);
            let (say, words) = mpsc::channel(64);
            *slave.current.lock().unwrap() = Some(say.clone());
            let (read, write) = tokio::io::split(theirs);
            tokio::spawn(write_all(write, words));
            tokio::spawn(Arc::clone(&slave).serve(read, say));
            Ok(Box::new(ours) as Box<dyn crate::driver::transport::Stream>)
        };
        let in_process = Some(InProcessBus(Arc::new(make)));
        BusLink::new(BusOpener { endpoint, lock_dir: PathBuf::new(), in_process })
    }

    async fn serve(self: Arc<Self>, mut read: tokio::io::ReadHalf<DuplexStream>, say: mpsc::Sender<Vec<u8>>) {
        let mut head = [0; 8];
        loop {
            // Both framings of the requests used here take 8 bytes in RTU and 12 in TCP; a write of several has more.
            let (unit, pdu, transaction) = if self.tcp {
                let mut mbap = [0; 7];
                if read.read_exact(&mut mbap).await.is_err() {
                    return;
                }
                let mut pdu = vec![0; usize::from(u16::from_be_bytes([mbap[4], mbap[5]])) - 1];
                if read.read_exact(&mut pdu).await.is_err() {
                    return;
                }
                (mbap[6], pdu, [mbap[0], mbap[1]])
            } else {
                if read.read_exact(&mut head).await.is_err() {
                    return;
                }
                let mut frame = head.to_vec();
                if frame[1] == 16 {
                    let mut rest = vec![0; usize::from(frame[6]) + 1];
                    if read.read_exact(&mut rest).await.is_err() {
                        return;
                    }
                    frame.extend(rest);
                }
                let (body, sum) = frame.split_at(frame.len() - 2);
                assert_eq!(sum, crc(body));
                (body[0], body[1..].to_vec(), [0; 2])
            };
            let deed = self.deeds.lock().unwrap().pop_front().unwrap_or(Deed::Right);
            if deed == Deed::HangUp {
                *self.current.lock().unwrap() = None;
                return;
            }
            let slave = Arc::clone(&self);
            let say = say.clone();
            tokio::spawn(async move { slave.reply(unit, &pdu, transaction, deed, say).await });
        }
    }

    async fn reply(&self, unit: u8, pdu: &[u8], transaction: [u8; 2], deed: Deed, say: mpsc::Sender<Vec<u8>>) {
        if deed == Deed::Silence {
            return;
        }
        let ms = if let Deed::Late(ms) = deed { ms } else { 15 };
        let _ = timeout(Duration::from_millis(ms), std::future::pending::<()>()).await;
        let mut body = vec![if deed == Deed::OtherUnit { unit ^ 1 } else { unit }];
        body.extend(answer(pdu, deed));
        let mut bytes = Vec::new();
        if self.tcp {
            bytes.extend(transaction);
            bytes.extend([0, 0, 0, body.len() as u8]);
            bytes.extend(body);
        } else {
            if deed == Deed::Garbage {
                bytes.extend([0xFF, 0x00, 0x5A]);
            }
            bytes.extend(&body);
            bytes.extend(crc(&body));
            match deed {
                Deed::Flipped => bytes[4] ^= 0x10,
                Deed::Half => bytes.truncate(bytes.len() / 2),
                _ => {}
            }
        }
        // A connection keeps its answers; a serial line gives them to whoever listens now.
        let current = if self.tcp { Some(say) } else { self.current.lock().unwrap().clone() };
        if let Some(current) = current {
            let _ = current.send(bytes).await;
        }
    }
}

async fn write_all(mut write: WriteHalf<DuplexStream>, mut words: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = words.recv().await {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

fn endpoints() -> [BusEndpoint; 3] {
    let (host, port) = ("inverter".to_owned(), 502);
    [
        BusEndpoint::Rtu { path: "/dev/ttyUSB9".into(), line: SerialLine::plain(9600) },
        BusEndpoint::Tcp { host: host.clone(), port },
        BusEndpoint::RtuOverTcp { host, port },
    ]
}

fn canary() -> Canary {
    let request = Request::read(UNIT, Table::Holding, 900, 5);
    let Reply::Words(words) = truth(&request) else { unreachable!("a read") };
    Canary { request, words }
}

fn read(address: u16, count: u16) -> Request {
    Request::read(UNIT, Table::Holding, address, count)
}

#[tokio::test(start_paused = true)]
#[allow(clippy::print_stdout, reason = "the count is of interest")]
async fn answers_later_than_their_time_out_are_never_taken_for_others() {
    for endpoint in endpoints() {
        for known in [Some(canary()), None] {
            // A late one every few requests, most of them landing on a question that comes after.
            let deeds = (0..10_000_u64).map(|n| match n % 5 {
                1 => Deed::Late(310 + n % 590),
                3 if n % 7 == 0 => Deed::Silence,
                _ => Deed::Right,
            });
            let slave = Slave::new(endpoint.is_tcp_framing(), deeds);
            let mut link = slave.link(endpoint.clone());
            let (mut good, mut wrong) = (0, 0);
            for n in 0..1000_u16 {
                // Neighbours of the same length: length alone tells nothing.
                let request = read(n * 3, 4 + n % 2);
                if let Ok(reply) = link.exchange(&request, PATIENCE, known.as_ref()).await {
                    good += 1;
                    wrong += u32::from(reply != truth(&request));
                }
            }
            println!("{endpoint}: 1000 requests, {good} answered, {wrong} wrong, {:?}", link.stats());
            assert_eq!(wrong, 0, "{endpoint}");
            assert!(good > 300 && link.stats().timeouts > 100, "{endpoint}: {good} good, {:?}", link.stats());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_is_named_and_the_next_is_right() {
    for endpoint in endpoints() {
        for deed in [Deed::Short, Deed::Wrong, Deed::OtherUnit] {
            let slave = Slave::new(endpoint.is_tcp_framing(), [Deed::Right, deed]);
            let mut link = slave.link(endpoint.clone());
            let request = read(40, 6);
            assert_eq!(link.exchange(&request, PATIENCE, Some(&canary())).await, Ok(truth(&request)), "{endpoint}");
            let failed = link.exchange(&request, PATIENCE, Some(&canary())).await;
            assert!(matches!(failed, Err(Failure::Framing(_) | Failure::Timeout)), "{endpoint} {deed:?}: {failed:?}");
            assert_eq!(link.exchange(&request, PATIENCE, Some(&canary())).await, Ok(truth(&request)), "{endpoint}");
            assert_eq!(link.stats().canaries, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_echo_is_checked_and_a_write_waits_for_proof() {
    for endpoint in endpoints() {
        let slave = Slave::new(endpoint.is_tcp_framing(), [Deed::Wrong]);
        let mut link = slave.link(endpoint.clone());
        let write = Request { unit: UNIT, action: Action::WriteSingle { address: 8, value: 20 } };
        assert!(matches!(link.exchange(&write, PATIENCE, None).await, Err(Failure::Framing(_))), "{endpoint}");
        let unproved = link.exchange(&write, PATIENCE, None).await;
        assert!(matches!(&unproved, Err(Failure::Framing(why)) if why.contains("nothing is written")), "{unproved:?}");
        assert_eq!(link.exchange(&write, PATIENCE, Some(&canary())).await, Ok(truth(&write)), "{endpoint}");
        let several = Request { unit: UNIT, action: Action::WriteMultiple { address: 8, values: vec![1, 2, 3] } };
        assert_eq!(link.exchange(&several, PATIENCE, None).await, Ok(truth(&several)), "{endpoint}");
    }
}

#[tokio::test(start_paused = true)]
async fn exceptions_come_through_and_cost_no_trust() {
    for endpoint in endpoints() {
        let slave = Slave::new(endpoint.is_tcp_framing(), [Deed::Exception(2), Deed::Exception(6)]);
        let mut link = slave.link(endpoint.clone());
        for code in [Exception::ADDRESS, Exception::BUSY] {
            assert_eq!(link.exchange(&read(1, 1), PATIENCE, None).await, Err(Failure::Exception(code)), "{endpoint}");
        }
        assert_eq!(link.exchange(&read(1, 1), PATIENCE, None).await, Ok(truth(&read(1, 1))));
        assert_eq!((link.stats().exceptions, link.stats().canaries, link.stats().opens), (2, 0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn damaged_answers_are_counted_apart_and_never_believed() {
    let [serial, _, over_tcp] = endpoints();
    for endpoint in [serial, over_tcp] {
        let slave = Slave::new(false, [Deed::Flipped, Deed::Right, Deed::Right, Deed::Half, Deed::Silence]);
        let mut link = slave.link(endpoint.clone());
        for _ in 0..2 {
            let failed = link.exchange(&read(1, 6), PATIENCE, Some(&canary())).await;
            assert!(matches!(failed, Err(Failure::Timeout | Failure::Framing(_))), "{endpoint}: {failed:?}");
            let next = link.exchange(&read(1, 6), PATIENCE, Some(&canary())).await;
            if next.is_ok() {
                assert_eq!(next, Ok(truth(&read(1, 6))), "{endpoint}");
            }
        }
        let stats = link.stats();
        assert_eq!((stats.crc_errors, stats.cut_short, stats.timeouts, stats.desyncs), (1, 1, 1, 0), "{endpoint}");
    }
}

#[tokio::test(start_paused = true)]
async fn noise_is_counted_and_a_hang_up_is_a_closed_link() {
    let [serial, tcp, _] = endpoints();
    let slave = Slave::new(false, [Deed::Garbage]);
    let mut link = slave.link(serial);
    assert_eq!(link.exchange(&read(1, 2), PATIENCE, None).await, Ok(truth(&read(1, 2))));
    assert_eq!(link.stats().stray_bytes, 3);

    let slave = Slave::new(true, [Deed::HangUp]);
    let mut link = slave.link(tcp);
    let failed = link.exchange(&read(1, 2), PATIENCE, None).await;
    assert_eq!(failed, Err(Failure::Closed("the other end hung up".to_owned())));
    assert_eq!(link.exchange(&read(1, 2), PATIENCE, None).await, Ok(truth(&read(1, 2))), "it connects again");
}

#[tokio::test(start_paused = true)]
async fn another_device_on_the_same_line_is_not_believed() {
    let [serial, ..] = endpoints();
    let slave = Slave::new(false, [Deed::Silence]);
    let mut link = slave.link(serial);
    assert_eq!(link.exchange(&read(1, 2), PATIENCE, None).await, Err(Failure::Timeout));
    let other = Canary { words: vec![1, 2, 3, 4, 5], ..canary() };
    for _ in 0..3 {
        assert!(matches!(link.exchange(&read(1, 2), PATIENCE, Some(&other)).await, Err(Failure::Framing(_))));
    }
    assert_eq!(link.exchange(&read(1, 2), PATIENCE, Some(&canary())).await, Ok(truth(&read(1, 2))));
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => Just(Deed::Right),
        3 => (16_u64..880).prop_map(Deed::Late),
        1 => Just(Deed::Silence),
        1 => Just(Deed::Short),
        1 => Just(Deed::Wrong),
        1 => Just(Deed::Garbage),
        1 => Just(Deed::OtherUnit),
        1 => (1_u8..12).prop_map(Deed::Exception),
        1 => Just(Deed::HangUp),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_slave_does_no_wrong_value_is_believed(
        deeds in prop::collection::vec(deed(), 0..60),
        requests in prop::collection::vec((0_u16..500, 1_u16..6), 1..40),
        which in 0_usize..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let endpoint = endpoints()[which].clone();
            let slave = Slave::new(endpoint.is_tcp_framing(), deeds);
            let mut link = slave.link(endpoint);
            for (address, count) in requests {
                let request = read(address, count);
                if let Ok(reply) = link.exchange(&request, PATIENCE, Some(&canary())).await {
                    prop_assert_eq!(reply, truth(&request));
                }
            }
            Ok(())
        })?;
    }
}
