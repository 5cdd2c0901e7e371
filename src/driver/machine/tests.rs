//! The task with a real session, against peers that a test plays.

mod programs;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::event::{Event, EventKind, Order, OrderKind};
use super::feed::Feed;
use super::handle::{MachineHandle, spawn};
use crate::driver::clock::Clock;
use crate::driver::pace::Pace;
use crate::driver::transport::{InProcess, Opener};
use crate::grbl;
use crate::grbl::Line;
use crate::grbl::session::{JogOrder, Session, SessionConfig};
use crate::grbl::tables::Tables;
use crate::model::axes::AxisVec;
use crate::model::command::{Outcome, Realtime, TicketId, VoidReason};
use crate::model::jog::JogVector;
use crate::model::latch::Latch;
use crate::model::snapshot::{LinkState, StopPhase};
use crate::model::{Endpoint, Time};

/// Simulated time after which a test has waited in vain.
const LONG: Duration = Duration::from_secs(60);

/// Answers as a Grbl does that, once it has got a `G1`, runs for ever.
#[derive(Debug)]
struct Peer {
    line: Vec<u8>,
    state: &'static str,
}

impl Default for Peer {
    fn default() -> Self {
        Self { line: Vec::new(), state: "Idle" }
    }
}

impl Peer {
    fn answer(&mut self, byte: u8) -> Option<String> {
        match byte {
            b'?' => Some(format!("<{}|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>\r\n", self.state)),
            0x18 => {
                *self = Self::default();
                Some("\r\nGrbl 1.1h ['$' for help]\r\n".to_owned())
            }
            b'!' | b'~' | 0x80.. => None,
            b'\n' => {
                let line = std::mem::take(&mut self.line);
                let listing = if line == b"$I" { "[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n" } else { "" };
                Some(format!("{listing}ok\r\n"))
            }
            _ => {
                self.line.push(byte);
                if self.line == b"G1" {
                    self.state = "Run";
                }
                None
            }
        }
    }

    /// Serves a connection and sends on every byte that came.
    async fn serve(mut self, mut stream: DuplexStream, seen: mpsc::Sender<u8>) {
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() {
            let answer = self.answer(byte[0]);
            if seen.send(byte[0]).await.is_err() {
                return;
            }
            if let Some(answer) = answer
                && stream.write_all(answer.as_bytes()).await.is_err()
            {
                return;
            }
        }
    }
}

/// The far ends of connections, as they are opened.
type Connections = mpsc::Receiver<DuplexStream>;

struct Bench {
    clock: Clock,
    latch: Arc<Latch>,
    handle: MachineHandle,
    events: mpsc::Receiver<Event>,
}

fn opener(endpoint: Endpoint, pace: Pace) -> (Opener, Connections) {
    let (made, connections) = mpsc::channel(64);
    let connect = move || {
        let (ours, theirs) = tokio::io::duplex(4096);
        let _ = made.try_send(theirs);
        ours
    };
    let opener = Opener {
        endpoint,
        baud: 115_200,
        pace,
        lock_dir: std::env::temp_dir(),
        in_process: Some(InProcess(Arc::new(connect))),
    };
    (opener, connections)
}

impl Bench {
    fn start(opener: Opener, events: usize) -> Self {
        let clock = Clock::start();
        let latch = Arc::new(Latch::default());
        let (tell, events) = mpsc::channel(events);
        let session = Session::new(SessionConfig::default(), Tables::load());
        let handle = spawn(session, opener, clock, Arc::clone(&latch), tell);
        Self { clock, latch, handle, events }
    }

    /// A link that is up, and every byte that the peer gets.
    async fn up(pace: Pace) -> (Self, Connections, mpsc::Receiver<u8>) {
        let (opener, mut connections) = opener(Endpoint::Sim, pace);
        let mut bench = Self::start(opener, 256);
        let (seen, bytes) = mpsc::channel(65_536);
        let stream = connections.recv().await.unwrap();
        tokio::spawn(Peer::default().serve(stream, seen));
        bench.link(|link| *link == LinkState::Up).await;
        (bench, connections, bytes)
    }

    /// The next event that `pick` wants; others pass by.
    async fn next<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the task has ended");
                if let Some(picked) = pick(&event) {
                    break picked;
                }
            }
        };
        timeout(LONG, search).await.expect("it never happened")
    }

    async fn link(&mut self, want: impl Fn(&LinkState) -> bool) -> (Time, LinkState) {
        self.next(|event| match &event.what {
            EventKind::Link(link) if want(link) => Some((event.at, link.clone())),
            _ => None,
        })
        .await
    }

    async fn outcome(&mut self) -> (TicketId, Outcome) {
        self.next(|event| match &event.what {
            EventKind::Outcome { ticket, outcome } => Some((*ticket, outcome.clone())),
            _ => None,
        })
        .await
    }

    async fn order(&self, what: OrderKind) -> TicketId {
        let ticket = self.latch.next_ticket();
        self.handle.orders.send(Order { ticket, what }).await.unwrap();
        ticket
    }
}

fn line(text: &str) -> OrderKind {
    OrderKind::Line(Line::new(text, None).unwrap())
}

fn jog() -> OrderKind {
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 };
    OrderKind::Jog(JogOrder::Continue { vector, lease: Duration::from_millis(300) })
}

/// What came before the byte `wanted`.
async fn until(bytes: &mut mpsc::Receiver<u8>, wanted: u8) -> Vec<u8> {
    let mut before = Vec::new();
    let search = async {
        loop {
            match bytes.recv().await.expect("the peer has ended") {
                byte if byte == wanted => break,
                byte => before.push(byte),
            }
        }
    };
    assert!(timeout(LONG, search).await.is_ok(), "no {:?} came", char::from(wanted));
    before
}

fn is_down(link: &LinkState) -> bool {
    matches!(link, LinkState::Down { .. })
}

#[tokio::test(start_paused = true)]
async fn a_link_comes_up_and_each_order_is_answered_once() {
    let (mut bench, _connections, _bytes) = Bench::up(Pace::Off).await;
    let first = bench.order(line("G21")).await;
    let second = bench.order(line("G90")).await;
    assert_eq!(bench.outcome().await, (first, Outcome::Done));
    assert_eq!(bench.outcome().await, (second, Outcome::Done));
}

#[tokio::test(start_paused = true)]
async fn the_wire_and_the_counters_are_told() {
    let (mut bench, _connections, _bytes) = Bench::up(Pace::Off).await;
    bench.order(line("G21")).await;
    let seen = |out, wanted: &'static str| {
        move |event: &Event| (event.what == EventKind::Wire { out, text: wanted.to_owned() }).then_some(())
    };
    bench.next(seen(true, "G21")).await;
    bench.next(seen(false, "ok")).await;
    let stats = bench.next(|event| if let EventKind::Stats(stats) = event.what { Some(stats) } else { None }).await;
    assert!(stats.tx_bytes >= 4 && stats.rx_bytes > stats.tx_bytes && stats.connects == 1 && stats.reports > 0);
}

#[tokio::test(start_paused = true)]
async fn a_hold_overtakes_the_lines_that_wait_for_the_wire() {
    let (bench, _connections, mut bytes) = Bench::up(Pace::Baud(9600)).await;
    for _ in 0..4 {
        bench.order(line("G1 X123.456 Y123.456 Z12.345 F1000")).await;
    }
    // 140 bytes take 146 ms on this wire; the first has left.
    until(&mut bytes, b'X').await;
    bench.latch.set(Realtime::FeedHold);
    let before = until(&mut bytes, b'!').await;
    assert!(before.len() <= 2 * crate::driver::pace::AHEAD_BYTES, "{} bytes went first", before.len());
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_followed_by_nothing_of_the_line_it_cut() {
    let (bench, _connections, mut bytes) = Bench::up(Pace::Baud(9600)).await;
    bench.order(line("G1 X123.456 Y123.456 Z12.345 A12.345 F1000")).await;
    until(&mut bytes, b'X').await;
    bench.latch.set(Realtime::SoftReset);
    until(&mut bytes, 0x18).await;
    let after = until(&mut bytes, b'?').await;
    assert_eq!(String::from_utf8_lossy(&after), "");
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_never_listens_does_not_hold_up_a_stop() {
    let (opener, mut connections) = opener(Endpoint::Sim, Pace::Off);
    let bench = Bench::start(opener, 1);
    let (seen, mut bytes) = mpsc::channel(65_536);
    let stream = connections.recv().await.unwrap();
    tokio::spawn(Peer::default().serve(stream, seen));
    // It asks this when it is up: far more has happened by then than the channel holds.
    until(&mut bytes, b'#').await;
    bench.order(line("G1 X1 F100")).await;
    until(&mut bytes, b'F').await;
    bench.latch.set(Realtime::FeedHold);
    until(&mut bytes, b'!').await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_voids_what_is_open_and_is_opened_again() {
    let (mut bench, mut connections, mut bytes) = Bench::up(Pace::Off).await;
    bytes.close();
    while bytes.recv().await.is_some() {}
    let (at, link) = bench.link(is_down).await;
    let LinkState::Down { why, attempt, retry_at } = link else { panic!("{link:?}") };
    assert!(why.contains("simulated machine has ended"), "{why}");
    assert_eq!((attempt, retry_at.since(at)), (1, Duration::from_millis(250)));
    let ticket = bench.order(line("G21")).await;
    let (ended, outcome) = bench.outcome().await;
    assert_eq!(ended, ticket);
    assert!(matches!(&outcome, Outcome::Refused(why) if why.0.contains("link is down")), "{outcome:?}");
    let _again = connections.recv().await.unwrap();
    bench.link(|link| *link == LinkState::Asking).await;
    assert!(bench.clock.now() >= retry_at);
}

#[tokio::test(start_paused = true)]
async fn an_order_in_flight_is_voided_by_a_lost_link() {
    let (opener, mut connections) = opener(Endpoint::Sim, Pace::Off);
    let mut bench = Bench::start(opener, 256);
    let (seen, mut bytes) = mpsc::channel(65_536);
    let mut stream = connections.recv().await.unwrap();
    let peer = tokio::spawn(async move {
        let mut peer = Peer::default();
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() {
            let _ = seen.send(byte[0]).await;
            if byte[0] == b'\n' && peer.line == b"G4P9" {
                return; // gone without an answer
            }
            if let Some(answer) = peer.answer(byte[0]) {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    bench.link(|link| *link == LinkState::Up).await;
    let ticket = bench.order(line("G4P9")).await;
    peer.await.unwrap();
    bytes.close();
    assert_eq!(bench.outcome().await, (ticket, Outcome::Voided { why: VoidReason::LinkLost, sent: true }));
    bench.link(is_down).await;
}

#[tokio::test(start_paused = true)]
async fn an_absent_port_is_tried_with_growing_waits_or_at_once_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (opener, _) = opener(Endpoint::Serial(dir.path().join("ttyUSB9")), Pace::Auto);
    let mut bench = Bench::start(opener, 256);
    for (attempt, wait_ms) in [(1, 250), (2, 500), (3, 1000), (4, 2000), (5, 4000), (6, 5000), (7, 5000)] {
        let (at, link) = bench.link(is_down).await;
        let LinkState::Down { why, attempt: told, retry_at } = link else { panic!("{link:?}") };
        assert!(why.contains("no port"), "{why}");
        assert_eq!((told, retry_at.since(at)), (attempt, Duration::from_millis(wait_ms)));
    }
    let before = bench.clock.now();
    bench.latch.set(Realtime::ReconnectNow);
    let (at, _) = bench.link(is_down).await;
    assert!(at.since(before) < Duration::from_secs(5), "not after the full wait");
}

#[tokio::test(start_paused = true)]
async fn a_stop_without_a_link_is_said_to_be_unconfirmed_and_voids_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (opener, _) = opener(Endpoint::Serial(dir.path().join("ttyUSB9")), Pace::Auto);
    let mut bench = Bench::start(opener, 256);
    bench.link(is_down).await;
    let ticket = bench.latch.next_ticket();
    bench.latch.set(Realtime::Stop);
    bench.handle.orders.send(Order { ticket, what: line("G21") }).await.unwrap();
    let stop = bench
        .next(|event| match &event.what {
            EventKind::Session(grbl::Event::Stop(stop)) => Some(stop.clone()),
            _ => None,
        })
        .await;
    assert_eq!((stop.asked, stop.phase), (Realtime::Stop, StopPhase::NotConfirmed));
    assert_eq!(bench.outcome().await, (ticket, Outcome::Voided { why: VoidReason::Stop, sent: false }));
}

#[tokio::test(start_paused = true)]
async fn the_end_cancels_a_jog_before_the_port_closes() {
    let (mut bench, _connections, mut bytes) = Bench::up(Pace::Off).await;
    let jog = bench.order(jog()).await;
    until(&mut bytes, b'J').await;
    let before = bench.clock.now();
    let Bench { clock, handle, events, .. } = &mut bench;
    let _ = clock;
    let orders = handle.orders.clone();
    let ending = async {
        let mut outcomes = Vec::new();
        while let Some(event) = events.recv().await {
            if let EventKind::Outcome { ticket, outcome } = event.what {
                outcomes.push((ticket, outcome));
            }
        }
        outcomes
    };
    let handle = std::mem::replace(handle, Bench::start(opener(Endpoint::Sim, Pace::Off).0, 256).handle);
    let ((), outcomes) = tokio::join!(handle.shutdown(), ending);
    until(&mut bytes, 0x85).await;
    assert!(outcomes.iter().filter(|(ticket, _)| *ticket == jog).count() == 1, "{outcomes:?}");
    assert!(bench.clock.now().since(before) < Duration::from_secs(1));
    assert!(orders.is_closed());
}

#[tokio::test]
async fn over_a_pty_it_is_found_again_by_its_path() {
    use crate::driver::transport::serial_tests::pty;
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("cnc");
    let plug = |link: &std::path::Path| {
        let (master, slave) = pty();
        let _ = std::fs::remove_file(link);
        std::os::unix::fs::symlink(slave, link).unwrap();
        let unplug = Arc::new(Mutex::new(false));
        let unplugged = Arc::clone(&unplug);
        let thread = std::thread::spawn(move || {
            let mut peer = Peer::default();
            let mut bytes = [0; 64];
            while !*unplugged.lock().unwrap() {
                // Until the slave is opened for the first time a read fails with EIO.
                let Ok(n) = rustix::io::read(&master, &mut bytes) else {
                    std::thread::yield_now();
                    continue;
                };
                for &byte in &bytes[..n] {
                    if let Some(answer) = peer.answer(byte) {
                        let _ = rustix::io::write(&master, answer.as_bytes());
                    }
                }
            }
        });
        (unplug, thread)
    };
    let (unplug, thread) = plug(&link);
    let (mut opener, _) = opener(Endpoint::Serial(link.clone()), Pace::Auto);
    opener.lock_dir = dir.path().to_owned();
    let mut bench = Bench::start(opener, 4096);
    bench.link(|link| *link == LinkState::Up).await;
    *unplug.lock().unwrap() = true;
    let (_, down) = bench.link(is_down).await;
    assert!(matches!(&down, LinkState::Down { why, .. } if why.contains("unplugged")), "{down:?}");
    thread.join().unwrap();
    let (unplug, thread) = plug(&link);
    bench.latch.set(Realtime::ReconnectNow);
    bench.link(|link| *link == LinkState::Up).await;
    bench.handle.shutdown().await;
    *unplug.lock().unwrap() = true;
    thread.join().unwrap();
}

/// What can happen around the task.
#[derive(Clone, Copy, Debug)]
enum Act {
    Line,
    Jog,
    Realtime(Realtime),
    /// The peer hangs up.
    Drop,
    /// The peer restarts by itself.
    Banner,
    /// The peer raises an alarm.
    Alarm,
    /// The peer stops answering, or answers again.
    Mute(bool),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Line),
        3 => Just(Act::Jog),
        3 => prop_oneof![
            Just(Realtime::Stop),
            Just(Realtime::SoftReset),
            Just(Realtime::JogCancel),
            Just(Realtime::CycleStart),
            Just(Realtime::ReconnectNow),
        ]
        .prop_map(Act::Realtime),
        1 => Just(Act::Drop),
        1 => Just(Act::Banner),
        1 => Just(Act::Alarm),
        1 => any::<bool>().prop_map(Act::Mute),
        6 => (1_u64..700).prop_map(Act::Pass),
    ]
}

/// A peer that does as it is told, over any number of connections.
async fn moody_peer(mut connections: Connections, mut moods: mpsc::Receiver<Act>) {
    let mut muted = false;
    while let Some(mut stream) = connections.recv().await {
        let mut peer = Peer::default();
        let mut buf = [0; 256];
        loop {
            let answer = tokio::select! {
                mood = moods.recv() => match mood {
                    None | Some(Act::Drop) => break,
                    Some(Act::Banner) => "\r\nGrbl 1.1h ['$' for help]\r\n".to_owned(),
                    Some(Act::Alarm) => "ALARM:1\r\n".to_owned(),
                    Some(Act::Mute(mute)) => {
                        muted = mute;
                        continue;
                    }
                    Some(_) => continue,
                },
                read = stream.read(&mut buf) => match read {
                    Ok(n) if n > 0 => buf[..n].iter().filter_map(|&byte| peer.answer(byte)).collect(),
                    _ => break,
                },
            };
            if !muted && stream.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
    }
}

async fn play(acts: Vec<Act>) -> (Vec<TicketId>, Vec<(TicketId, Outcome)>) {
    let (opener, connections) = opener(Endpoint::Sim, Pace::Auto);
    let Bench { latch, handle, mut events, .. } = Bench::start(opener, 4);
    let (mood, moods) = mpsc::channel(64);
    let peer = tokio::spawn(moody_peer(connections, moods));
    let listener = tokio::spawn(async move {
        let mut outcomes = Vec::new();
        while let Some(event) = events.recv().await {
            if let EventKind::Outcome { ticket, outcome } = event.what {
                outcomes.push((ticket, outcome));
            }
        }
        outcomes
    });
    let mut asked = Vec::new();
    for act in acts {
        let what = match act {
            Act::Line => Some(line("G1 X1 F100")),
            Act::Jog => Some(jog()),
            _ => None,
        };
        match act {
            Act::Realtime(realtime) => latch.set(realtime),
            Act::Pass(ms) => tokio::time::advance(Duration::from_millis(ms)).await,
            Act::Drop | Act::Banner | Act::Alarm | Act::Mute(_) => mood.try_send(act).unwrap_or(()),
            Act::Line | Act::Jog => {}
        }
        if let Some(what) = what {
            let ticket = latch.next_ticket();
            if handle.orders.try_send(Order { ticket, what }).is_ok() {
                asked.push(ticket);
            }
        }
        tokio::task::yield_now().await;
    }
    handle.shutdown().await;
    drop(mood);
    peer.await.unwrap();
    (asked, listener.await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the peer does and whatever is pressed meanwhile, each order that was queued ends exactly once.
    #[test]
    fn every_order_ends_exactly_once(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (asked, outcomes) = runtime.block_on(play(acts));
        let mut count: HashMap<TicketId, usize> = HashMap::new();
        for (ticket, _) in &outcomes {
            *count.entry(*ticket).or_default() += 1;
        }
        for ticket in asked {
            prop_assert_eq!(count.remove(&ticket), Some(1), "{:?} in {:?}", ticket, outcomes);
        }
        prop_assert!(count.is_empty(), "outcomes that nobody asked for: {:?}", count);
    }
}

#[tokio::test(start_paused = true)]
async fn another_port_takes_the_place_of_this_one_when_the_machine_stands() {
    let (mut bench, mut connections, _bytes) = Bench::up(Pace::Off).await;
    let there = Endpoint::Sim;
    // A machine that may be moving is not left alone, whatever the hub believed.
    let moving = bench.order(line("G1")).await;
    let refused = bench.order(OrderKind::UsePort(there.clone())).await;
    let mut ended = [bench.outcome().await, bench.outcome().await];
    ended.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!((ended[0].0, ended[1].0), (moving, refused));
    assert!(matches!(&ended[1].1, Outcome::Refused(why) if why.0.contains("moving")), "{:?}", ended[1]);

    bench.latch.set(Realtime::SoftReset);
    bench.next(|event| matches!(&event.what, EventKind::Session(grbl::Event::Reset { .. })).then_some(())).await;
    let asked = loop {
        let asked = bench.order(OrderKind::UsePort(there.clone())).await;
        let (ticket, outcome) = bench.outcome().await;
        if ticket == asked && outcome == Outcome::Done {
            break asked;
        }
    };
    assert!(asked > refused);
    assert!(timeout(LONG, connections.recv()).await.unwrap().is_some(), "opened anew");
    bench.link(|link| *link == LinkState::Asking).await;
}

/// Between two lines of a program the machine may well be reported as idle.
#[tokio::test(start_paused = true)]
async fn a_port_is_not_left_during_a_program() {
    let (mut bench, _connections, _bytes) = Bench::up(Pace::Off).await;
    let (_feeder, feed) = Feed::new();
    bench.order(OrderKind::Program(feed)).await;
    let asked = bench.order(OrderKind::UsePort(Endpoint::Sim)).await;
    loop {
        let (ticket, outcome) = bench.outcome().await;
        if ticket == asked {
            assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_cannot_be_opened_gives_way_to_another() {
    let missing: Endpoint = "/dev/there-is-none".parse().unwrap();
    let (opener, mut connections) = opener(missing, Pace::Off);
    let mut bench = Bench::start(opener, 256);
    bench.link(is_down).await;
    let asked = bench.order(OrderKind::UsePort(Endpoint::Sim)).await;
    let port = bench.next(|event| match &event.what {
        EventKind::Port(endpoint) => Some(endpoint.clone()),
        _ => None,
    });
    assert_eq!(port.await, Endpoint::Sim, "what follows is of another machine");
    assert_eq!(bench.outcome().await, (asked, Outcome::Done));
    assert!(timeout(LONG, connections.recv()).await.unwrap().is_some());
}
