//! A hub with its simulated machine behind a real socket.

mod common;
#[path = "attach/load.rs"]
mod load;
#[path = "attach/lost.rs"]
mod lost;
#[path = "attach/pages.rs"]
mod pages;
#[path = "attach/tcp.rs"]
mod tcp;

use std::path::PathBuf;
use std::time::Duration;

use common::shop::{Shop, middle, state};
use serde_json::{Value, json};
use sunmill::attach::{Access, Attached, Listening, METHODS, Server, client::Me, connect, serve};
use sunmill::hub::Keeping;
use sunmill::model::hub::{LogEvent, News};
use sunmill::model::jog::JogVector;
use sunmill::model::log::LogItem;
use sunmill::model::people::ControlOrder;
use sunmill::model::{AxisVec, Command, Firmware, Hub, Outcome, Realtime, Snapshot, StateKind, TicketId};
use sunmill::sim::Options;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// After which a test has waited in vain; nothing is measured by it.
const LONG: Duration = Duration::from_secs(60);

/// A hub that serves a socket.
struct House {
    shop: Shop,
    server: Server,
    path: PathBuf,
    folder: TempDir,
}

impl House {
    async fn open() -> Self {
        let start = AxisVec::from_slice(&[middle(Firmware::Grbl), middle(Firmware::Grbl), -30.0]);
        let machine = move || Options { homed: true, start: Some(start), ..Options::new(Firmware::Grbl) };
        let (mut shop, port) = Shop::start_for_many(machine, Keeping::default());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sunmill.sock");
        let clock = shop.clock;
        let server = serve(Listening::bind(&path).expect("a socket"), port, Access::default(), move || clock.now());
        shop.until_ready().await;
        Self { shop, server, path, folder }
    }

    async fn screen(&self) -> Attached {
        let me = Me { program: "test".into(), from: "here".into(), screen: true, max_hz: Some(20.0) };
        connect(&self.path, me).await.expect("a hub answers")
    }

    async fn raw(&self) -> Raw {
        let (read, write) = UnixStream::connect(&self.path).await.expect("a socket").into_split();
        Raw { lines: BufReader::new(read).lines(), write }
    }
}

/// A client that writes what it likes.
struct Raw {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

impl Raw {
    async fn say(&mut self, line: &str) {
        self.write.write_all(format!("{line}\n").as_bytes()).await.expect("written");
    }

    async fn next(&mut self) -> Option<Value> {
        let line = timeout(LONG, self.lines.next_line()).await.expect("an answer").ok()??;
        Some(serde_json::from_str(&line).expect("JSON"))
    }

    /// Asks and gives the answer, passing over what comes unasked.
    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
        loop {
            let message = self.next().await.expect("an answer");
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    async fn hello(&mut self) {
        let answer = self.ask(1, "hello", json!({"protocol": 1, "client": "raw"})).await;
        assert_eq!(answer["result"]["protocol"], 1, "{answer}");
    }
}

async fn until(hub: &mut Hub, what: &str, wanted: impl Fn(&Snapshot) -> bool) {
    let search = async {
        while !wanted(&hub.snapshot()) {
            hub.next().await.expect("the hub lives");
        }
    };
    assert!(timeout(LONG, search).await.is_ok(), "no {what}: {:?}", hub.snapshot());
}

async fn outcome(hub: &mut Hub, asked: TicketId) -> Outcome {
    let search = async {
        loop {
            if let News::Log(LogEvent::Entry(entry)) = hub.next().await.expect("the hub lives")
                && let LogItem::Outcome { ticket, outcome, .. } = &entry.what
                && *ticket == asked
            {
                return outcome.clone();
            }
        }
    };
    timeout(LONG, search).await.expect("an outcome")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_behind_the_socket_sees_the_same_machine_and_moves_it() {
    let house = House::open().await;
    let mut screen = house.screen().await.hub;
    assert_eq!(screen.snapshot().machine.identity, house.shop.hub.snapshot().machine.identity);
    let before = screen.snapshot().machine.machine_position.expect("a position").as_slice()[0];
    let step = Command::JogStep { distance: AxisVec::from_slice(&[1.5]), feed_mm_min: 3000.0 };
    let ticket = screen.submit(step).expect("room");
    assert_eq!(outcome(&mut screen, ticket).await, Outcome::Done);
    until(&mut screen, "end of the step", |s| {
        s.machine.machine_position.is_some_and(|at| (at.as_slice()[0] - before - 1.5).abs() < 0.01)
    })
    .await;
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_can_stop_and_take_control() {
    let mut house = House::open().await;
    let mut screen = house.screen().await.hub;
    house.shop.done(Command::Mdi("G91 G1 X30 F600".into())).await;
    until(&mut screen, "run", |s| state(s) == Some(StateKind::Run)).await;
    let ticket = screen.submit(Command::Mdi("G1 X1".into())).expect("room");
    let refused = outcome(&mut screen, ticket).await;
    assert!(matches!(&refused, Outcome::Refused(why) if why.0.contains("in control")), "{refused:?}");
    screen.realtime(Realtime::Stop);
    until(&mut screen, "hold", |s| state(s) == Some(StateKind::Hold)).await;

    let take = Command::Control(ControlOrder::Take { reason: "nearer".into() });
    let ticket = screen.submit(take).expect("room");
    assert_eq!(outcome(&mut screen, ticket).await, Outcome::Done);
    let refused = house.shop.ask(Command::Mdi("G4 P0".into())).await;
    assert!(matches!(&refused, Outcome::Refused(why) if why.0.contains("in control")), "{refused:?}");
    drop(screen);
    house.shop.until("control that is free again", |s| s.people.control.is_none()).await;
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_dies_in_mid_jog_stops_it() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 };
    let jog = Command::JogContinue { vector, lease: Duration::from_millis(300) };
    let answer = raw.ask(2, "submit", json!({"command": jog})).await;
    assert!(answer["result"]["ticket"].is_number(), "{answer}");
    house.shop.until("jog", |s| state(s) == Some(StateKind::Jog)).await;
    drop(raw);
    house.shop.until("standstill", |s| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none()).await;
    house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_an_error_and_disturbs_nobody() {
    let house = House::open().await;
    let mut raw = house.raw().await;
    for (line, code) in [
        ("hello", -32700),
        ("[1]", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"status"}"#, 3),
        (r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":2,"client":"x"}}"#, 4),
        (r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"client":"x"}}"#, -32602),
    ] {
        raw.say(line).await;
        let answer = raw.next().await.expect("an answer");
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
    }
    raw.hello().await;
    let answer = raw.ask(2, "fly", json!({})).await;
    assert_eq!(answer["error"]["code"], -32601);
    assert!(answer["error"]["message"].as_str().is_some_and(|words| words.contains("subscribe")));
    let answer = raw.ask(3, "command", json!({"command": {"Mdi": "G1 X1\nG1"}})).await;
    assert!(answer["result"]["outcome"]["Refused"].is_string(), "{answer}");
    let step = json!({"command": {"JogStep": {"distance": AxisVec::from_slice(&[1.5]), "feed_mm_min": 100.0}}});
    let asked = json!({"jsonrpc": "2.0", "id": 5, "method": "command", "params": step}).to_string();
    for number in ["1e999", "NaN", "null", "1e308", "-1e308"] {
        raw.say(&asked.replace("1.5", number)).await;
        let answer = raw.next().await.expect("an answer");
        let refused = answer["error"]["code"].is_number() || answer["result"]["outcome"]["Refused"].is_string();
        assert!(refused, "{number}: {answer}");
    }
    let answer = raw.ask(4, "subscribe", json!({"max_hz": -1})).await;
    assert_eq!(answer["error"]["code"], -32602);
    // A line without an end: the connection is cut, the others live.
    let junk = vec![b'x'; 2 * 1024 * 1024];
    let _ = raw.write.write_all(&junk).await;
    while raw.next().await.is_some() {}
    let mut other = house.raw().await;
    other.hello().await;
    assert!(other.ask(2, "status", json!({})).await["result"]["state"]["rev"].is_number());
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_of_the_page_is_answered_and_people_are_told_with_all_that_is_known() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    for (n, method) in METHODS.iter().enumerate() {
        let answer = raw.ask(10 + n as u64, method.name, json!({})).await;
        assert_ne!(answer["error"]["code"], -32601, "{}", method.name);
    }
    raw.ask(100, "subscribe", json!({"max_hz": 5})).await;
    raw.ask(101, "ping", json!({"rtt_us": 40_000})).await;
    let all = |s: &Snapshot| {
        s.people.clients.iter().any(|person| {
            person.uid.is_some()
                && !person.user.starts_with("uid ")
                && person.program == "raw"
                && person.fares.rate_hz == Some(5.0)
                && person.fares.lag == Some(Duration::from_millis(40))
        })
    };
    house.shop.until("a client with rate and lag", all).await;
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_were_missed_can_be_asked_for_by_their_numbers() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    let first = raw.ask(2, "events.since", json!({"id": 0})).await["result"].take();
    let last = first["last"].as_u64().expect("a number");
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    let mut entries = Vec::new();
    // The hub's log and its ring are told at the same time, by two tasks.
    for id in 3.. {
        let since = raw.ask(id, "events.since", json!({"id": last})).await["result"].take();
        assert_eq!(since["gap"], false);
        entries = since["entries"].as_array().expect("entries").clone();
        if entries.iter().any(|entry| entry["what"]["Outcome"]["what"] == "G4 P0") {
            break;
        }
    }
    let ids: Vec<u64> = entries.iter().map(|entry| entry["id"].as_u64().expect("a number")).collect();
    assert!(ids.is_sorted() && ids[0] > last, "{ids:?}");
    let answer = raw.ask(2, "events.since", json!({"id": 0, "most": 0})).await;
    assert_eq!(answer["error"]["code"], -32602);
    house.shop.task.shutdown().await;
}

/// On simulated time. The renewals of a key that is held go on after a watcher's stop, and those on their way are newer than it.
#[tokio::test(start_paused = true)]
async fn a_watchers_stop_holds_although_the_jog_key_of_another_is_still_down() {
    let mut house = House::open().await;
    let watcher = house.screen().await.hub;
    let mut raw = house.raw().await;
    raw.hello().await;
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 };
    let jog = json!({"command": Command::JogContinue { vector, lease: Duration::from_millis(300) }});
    for id in 2..12 {
        assert!(raw.ask(id, "submit", jog.clone()).await["result"]["ticket"].is_number());
        tokio::time::advance(Duration::from_millis(80)).await;
    }
    house.shop.until("jog", |s| state(s) == Some(StateKind::Jog)).await;
    watcher.realtime(Realtime::Stop);
    house.shop.until("standstill", |s| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none()).await;
    let stands = house.shop.hub.snapshot().machine.machine_position;
    for id in 20..40 {
        raw.ask(id, "submit", jog.clone()).await;
        tokio::time::advance(Duration::from_millis(80)).await;
        house.shop.news().await;
        assert!(house.shop.hub.snapshot().machine.jog.is_none(), "renewal {id}");
    }
    assert_eq!(house.shop.hub.snapshot().machine.machine_position, stands);
    let stood = house.shop.hub.snapshot();
    let refused = |item: &LogItem| matches!(item, LogItem::Outcome { outcome: Outcome::Refused(why), .. } if why.0.contains("let the key go"));
    assert!(house.shop.log.iter().any(refused), "it is said why");
    // A link that stands still for a moment is no finger that was lifted.
    tokio::time::advance(Duration::from_millis(400)).await;
    raw.ask(41, "submit", jog.clone()).await;
    house.shop.until("it is heard of", |s| s.machine.reported_at > stood.machine.reported_at).await;
    assert!(house.shop.hub.snapshot().machine.jog.is_none());
    // Let go, and pressed again.
    tokio::time::advance(Duration::from_millis(1100)).await;
    assert!(raw.ask(50, "submit", jog).await["result"]["ticket"].is_number());
    house.shop.until("jog", |s| state(s) == Some(StateKind::Jog)).await;
    house.shop.task.shutdown().await;
}

/// A step takes its time, and needs its client no less.
#[tokio::test(start_paused = true)]
async fn a_step_ends_when_its_client_leaves_and_what_others_move_does_not() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    let step = |mm: f64| Command::JogStep { distance: AxisVec::from_slice(&[mm]), feed_mm_min: 60.0 };
    let x = |s: &Snapshot| s.machine.machine_position.expect("a position").as_slice()[0];
    let stands = |s: &Snapshot| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none();
    let before = x(&house.shop.hub.snapshot());
    let answer = raw.ask(2, "command", json!({"command": step(30.0)})).await;
    assert_eq!(answer["result"]["outcome"], "Done", "{answer}");
    house.shop.until("a part of it", |s| state(s) == Some(StateKind::Jog) && x(s) > before + 2.0).await;
    drop(raw);
    let moved = x(&*house.shop.until("standstill", stands).await) - before;
    assert!((2.0..10.0).contains(&moved), "it did not go on to its end: {moved}");

    let mut raw = house.raw().await;
    raw.hello().await;
    let before = x(&house.shop.hub.snapshot());
    raw.ask(2, "command", json!({"command": step(0.5)})).await;
    house.shop.until("its end", |s| stands(s) && x(s) > before + 0.49).await;
    house.shop.done(Command::Control(ControlOrder::Take { reason: "mine".into() })).await;
    let before = x(&house.shop.hub.snapshot());
    house.shop.done(step(5.0)).await;
    house.shop.until("jog", |s| state(s) == Some(StateKind::Jog) && x(s) > before + 1.0).await;
    drop(raw);
    house.shop.until("who is left", |s| s.people.clients.is_empty()).await;
    let moved = x(&*house.shop.until("its end", stands).await) - before;
    assert!((moved - 5.0).abs() < 0.01, "the step of who is in control went on: {moved}");
    house.shop.task.shutdown().await;
}

/// On simulated time: the same as a client that was killed, one that is stopped but connected, and one whose link is late.
#[tokio::test(start_paused = true)]
#[allow(clippy::print_stdout, reason = "how soon is said to who reads along")]
async fn a_jog_ends_within_its_lease_when_its_client_dies_or_is_stuck() {
    for dies in [true, false] {
        let mut house = House::open().await;
        let mut raw = house.raw().await;
        raw.hello().await;
        let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 };
        let jog = json!({"command": Command::JogContinue { vector, lease: Duration::from_millis(250) }});
        for id in 2..20 {
            let answer = raw.ask(id, "submit", jog.clone()).await;
            assert!(answer["result"]["ticket"].is_number(), "{answer}");
            tokio::time::advance(Duration::from_millis(80)).await;
        }
        house.shop.until("jog", |s| state(s) == Some(StateKind::Jog)).await;
        assert!(raw.ask(30, "submit", jog).await["result"]["ticket"].is_number());
        let silent = tokio::time::Instant::now();
        let kept = Some(raw).filter(|_| !dies);
        house.shop.log.clear();
        let is_cancel = |item: &LogItem| matches!(item, LogItem::SentRealtime(Realtime::JogCancel));
        while !house.shop.log.iter().any(is_cancel) {
            house.shop.news().await;
        }
        println!("client {}: 0x85 after {:?}", if dies { "killed" } else { "stuck" }, silent.elapsed());
        assert!(silent.elapsed() <= Duration::from_millis(250), "simulated time: within the lease");
        house.shop.until("standstill", |s| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none()).await;
        let left = usize::from(!dies);
        house.shop.until("who is left", |s| s.people.clients.len() == left).await;
        drop(kept);
        house.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_message_and_silence_does_not_hold_a_place_for_ever() {
    let house = House::open().await;
    let mut raw = house.raw().await;
    raw.write.write_all(br#"{"jsonrpc":"2.0","id":1,"meth"#).await.expect("written");
    assert!(raw.next().await.is_none(), "it is cut");
    house.shop.task.shutdown().await;
}

/// A machine that goes its way for a long time, for whoever is in control.
async fn moving(house: &mut House) -> Attached {
    let screen = house.screen().await;
    screen.hub.submit(Command::Mdi("G91 G21 G1 X40 F60".into())).expect("there is room");
    house.shop.until("motion", |s| state(s) == Some(StateKind::Run)).await;
    screen
}

#[tokio::test(start_paused = true)]
async fn where_all_places_are_taken_a_stop_is_heard_and_nothing_else() {
    let mut house = House::open().await;
    let _screen = moving(&mut house).await;
    let mut others = Vec::new();
    for _ in 1..64 {
        let mut raw = house.raw().await;
        raw.hello().await;
        others.push(raw);
    }
    let mut late = house.raw().await;
    assert!(late.next().await.is_some_and(|said| said["error"]["message"].as_str().unwrap().contains("64 clients")));
    let answer = late.ask(1, "hello", json!({"protocol": 1, "client": "late"})).await;
    assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("only what stops")), "{answer}");
    sunmill::attach::press(&house.path, Realtime::FeedHold).await.expect("it is heard");
    house.shop.until("hold", |s| state(s) == Some(StateKind::Hold)).await;
    house.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_heard_of_who_takes_no_answers() {
    let mut house = House::open().await;
    let _screen = moving(&mut house).await;
    let mut raw = house.raw().await;
    raw.hello().await;
    // More than what waits to be read by it: nothing else of it is carried out until it reads.
    for id in 2..800 {
        raw.say(&json!({"jsonrpc": "2.0", "id": id, "method": "status"}).to_string()).await;
    }
    raw.say(r#"{"jsonrpc":"2.0","id":1000,"method":"hold","params":[]}"#).await;
    house.shop.until("hold", |s| state(s) == Some(StateKind::Hold)).await;
    house.shop.task.shutdown().await;
}
