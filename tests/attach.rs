//! A hub with its simulated machine behind a real socket.

mod common;
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
async fn fifty_clients_one_of_them_stuck_get_each_answer_once_and_in_order() {
    let house = House::open().await;
    // It asks for everything and reads nothing.
    let mut stuck = house.raw().await;
    stuck.hello().await;
    stuck.say(r#"{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"max_hz":20,"events":true}}"#).await;
    let mut watchers = Vec::new();
    for _ in 0..29 {
        watchers.push(house.screen().await.hub);
    }
    let mut askers = Vec::new();
    for n in 0..20 {
        let mut raw = house.raw().await;
        raw.hello().await;
        askers.push(tokio::spawn(async move {
            let mut answered = 0;
            for id in 0..50 {
                let answer = raw.ask(100 + id, "command", json!({"command": {"Mdi": "G4 P0"}})).await;
                assert!(answer["result"]["outcome"] != Value::Null || answer["error"] != Value::Null, "{n}: {answer}");
                answered += 1;
            }
            answered
        }));
    }
    let mut answered = 0;
    for asker in askers {
        answered += timeout(LONG, asker).await.expect("in time").expect("no panic");
    }
    assert_eq!(answered, 1000);
    let rev = house.shop.hub.snapshot().rev;
    for watcher in &mut watchers {
        until(watcher, "news", |s| s.rev >= rev).await;
    }
    drop(stuck);
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

#[tokio::test(start_paused = true)]
async fn who_asks_and_never_reads_is_cut_and_leaves_no_trace() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    house.shop.until("the client", |s| s.people.clients.len() == 1).await;
    let flood =
        async { while raw.write.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n").await.is_ok() {} };
    timeout(LONG, flood).await.expect("it is cut");
    house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heap_of_requests_in_one_write_is_answered_in_order_and_a_line_without_end_is_cut() {
    const MANY: u64 = 10_000;
    let mut house = House::open().await;
    let Raw { mut lines, mut write } = house.raw().await;
    let writes = tokio::spawn(async move {
        let ask = |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "ping"}).to_string() + "\n";
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":1,"client":"heap"}}"#;
        let heap: String = std::iter::once(format!("{hello}\n")).chain((1..=MANY).map(ask)).collect();
        write.write_all(heap.as_bytes()).await.expect("all of it is taken");
        write
    });
    for id in 0..=MANY {
        let line = lines.next_line().await.expect("read").expect("an answer");
        assert!(line.contains(&format!("\"id\":{id},")), "{line}");
    }
    let mut write = writes.await.expect("written");
    let junk = vec![b'x'; 1024 * 1024];
    let mut taken = 0;
    while taken < 100 && write.write_all(&junk).await.is_ok() {
        taken += 1;
    }
    assert!(taken < 100, "100 MB without an end are not taken");
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    house.shop.task.shutdown().await;
}

/// Lines that are nearly right: a byte changed, cut out, doubled. The connection answers or is cut; the hub goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_damaged_lines_disturbs_nobody() {
    let mut house = House::open().await;
    let before = house.shop.hub.snapshot().machine.machine_position;
    let whole = [
        r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":1,"client":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"max_hz":20,"events":true}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"command","params":{"command":{"Mdi":"G4 P0"}}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"events.since","params":{"id":7,"most":3}}"#,
        r#"{"jsonrpc":"2.0","id":5,"method":"ask","params":{"query":{"Program":{"List":null}}}}"#,
        r#"{"jsonrpc":"2.0","id":6,"method":"ping","params":{"rtt_us":1000}}"#,
    ];
    // The same bytes in every run.
    let mut seed = 12_345_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..40 {
        let Raw { mut lines, mut write } = house.raw().await;
        let reads = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        for n in 0..25 {
            let mut line = whole[if n == 0 { 0 } else { next(whole.len()) }].as_bytes().to_vec();
            let at = next(line.len());
            match if n == 0 { 9 } else { next(5) } {
                0 => line[at] = next(256) as u8,
                1 => drop(line.remove(at)),
                2 => line.insert(at, line[at]),
                3 => line.truncate(at),
                _ => {}
            }
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                break;
            }
        }
        drop(write);
        reads.await.expect("answers, to the end");
    }
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    assert_eq!(house.shop.hub.snapshot().machine.machine_position, before);
    house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
    house.shop.task.shutdown().await;
}
