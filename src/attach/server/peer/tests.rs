//! A client over a hub of channels: what it is told when there is too much, and when the hub ends.

use futures_util::stream;
use tokio::sync::{Notify, broadcast, mpsc, watch};

use super::*;
use crate::attach::server::access::Access;
use crate::attach::server::places::Places;
use crate::model::hub::{HubPort, Request};
use crate::model::machine::MessageLevel;
use crate::model::{Command, Outcome, Role, Time};

/// Both ends of everything.
struct Bench {
    snapshots: watch::Sender<Arc<Snapshot>>,
    log: broadcast::Sender<Arc<LogEntry>>,
    requests: mpsc::Receiver<Request>,
    say: mpsc::Sender<Line>,
    told: mpsc::Receiver<String>,
    /// The client takes what it is told from then on.
    takes: Arc<Notify>,
    last: u64,
}

impl Bench {
    /// A client that has said hello and wants the log.
    async fn start(log: usize) -> Self {
        let (snapshots, watched) = watch::channel(Arc::default());
        let (asked, requests) = mpsc::channel(8);
        let (log, _) = broadcast::channel(log);
        let port = HubPort::new(watched, asked, log.clone(), Arc::default());
        let house = House::new(port, || Time::ZERO, Access::default());
        tokio::spawn(house.ring.clone().fill(house.port.join(Origin::Hub), Arc::clone(&house.counted)));
        let (say, said) = mpsc::channel::<Line>(8);
        let (tell, told) = mpsc::channel(1024);
        let takes = Arc::new(Notify::new());
        let lines = Box::pin(stream::unfold(said, |mut said| async { said.recv().await.map(|line| (line, said)) }));
        let awaited = Arc::clone(&takes);
        let write = |mut queue: Queue| async move {
            awaited.notified().await;
            while let Some(text) = queue.next().await {
                for line in text.lines() {
                    tell.send(line.to_owned()).await.expect("somebody listens");
                }
            }
        };
        let who = Who { role: Role::Operate, ..Who::default() };
        let place = Places::default().take(true).expect("a place");
        let entered = Entered { id: ClientId(2), who, from: None, place };
        tokio::spawn(async move { serve(lines, write, entered, house).await });
        let bench = Self { snapshots, log, requests, say, told, takes, last: 0 };
        bench.ask(1, "hello", json!({"protocol": 1, "client": "test"})).await;
        bench.ask(2, "subscribe", json!({"events": true})).await;
        bench
    }

    async fn ask(&self, id: u64, method: &str, params: Value) {
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string();
        self.say.send(Ok(line)).await.expect("it is served");
    }

    fn log(&mut self, what: LogItem) {
        self.last += 1;
        let _ = self.log.send(Arc::new(LogEntry { id: self.last, at: Time::ZERO, what }));
    }

    fn notes(&mut self, count: usize) {
        for _ in 0..count {
            self.log(LogItem::Note { level: MessageLevel::Info, text: "so".into() });
        }
    }

    async fn next(&mut self) -> Value {
        let line = self.told.recv().await.expect("it is told");
        serde_json::from_str(&line).expect("JSON")
    }

    /// What is told until something is as wanted.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next().await;
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Whatever can be done now is done.
    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn that_entries_were_left_out_is_told_though_none_follows() {
    let mut bench = Bench::start(1024).await;
    bench.settle().await;
    bench.notes(400);
    bench.settle().await;
    bench.takes.notify_one();
    let gap = bench.until(|message| message["method"] == "gap").await;
    let count = gap["params"]["count"].as_u64().unwrap();
    assert!((1..400).contains(&count), "{gap}");
    bench.ask(3, "events.since", json!({"id": 0, "most": 500})).await;
    let since = bench.until(|message| message["id"] == 3).await;
    assert_eq!(since["result"]["last"], 400, "what was left out is there");
}

#[tokio::test(start_paused = true)]
async fn commands_that_are_under_way_have_room_for_their_ends_kept() {
    let mut bench = Bench::start(1024).await;
    for id in 100..150 {
        bench.ask(id, "command", json!({"command": "Unlock"})).await;
        let ticket = bench.requests.recv().await.unwrap().ticket;
        assert!(ticket.0 > 0);
    }
    bench.settle().await;
    bench.notes(400);
    bench.settle().await;
    for ticket in 1..=50 {
        let (ticket, origin) = (TicketId(ticket), Origin::Script(ClientId(2)));
        let (what, latency) = (String::new(), Duration::ZERO);
        bench.log(LogItem::Outcome { ticket, origin, what, outcome: Outcome::Done, latency });
    }
    bench.settle().await;
    bench.takes.notify_one();
    for id in 100..150 {
        let answer = bench.until(|message| message["id"] == id).await;
        assert_eq!(answer["result"]["outcome"], "Done", "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_when_a_stop_came_is_not_carried_out_after_it() {
    let mut bench = Bench::start(1024).await;
    bench.settle().await;
    for id in 100..400 {
        bench.ask(id, "ping", json!({})).await;
        bench.settle().await;
    }
    bench.ask(900, "submit", json!({"command": {"Mdi": "G1 X40"}})).await;
    bench.ask(901, "realtime", json!({"realtime": "CycleStart"})).await;
    bench.ask(902, "stop", json!({})).await;
    bench.ask(903, "submit", json!({"command": "Unlock"})).await;
    bench.settle().await;
    assert!(bench.requests.try_recv().is_err(), "it waits");
    bench.takes.notify_one();
    for id in [900, 901] {
        let answer = bench.until(|message| message["id"] == id).await;
        assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("a stop came after")), "{answer}");
    }
    let answer = bench.until(|message| message["id"] == 903).await;
    assert!(answer["result"]["ticket"].is_number(), "what was asked for after it: {answer}");
    assert_eq!(bench.requests.recv().await.map(|request| request.command), Some(Command::Unlock));
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_end_was_lost_is_told_as_unknown_and_not_as_refused() {
    let mut bench = Bench::start(4).await;
    bench.takes.notify_one();
    bench.ask(7, "command", json!({"command": "Unlock"})).await;
    assert!(bench.requests.recv().await.is_some());
    bench.settle().await;
    bench.notes(20);
    let answer = bench.until(|message| message["id"] == 7).await;
    assert_eq!(answer["error"]["code"], Code::Unknown.number(), "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("not known whether")), "{answer}");

    // And where the hub ends: each once, before that is told.
    bench.ask(8, "command", json!({"command": "Unlock"})).await;
    bench.ask(9, "command", json!({"command": "Unlock"})).await;
    let (first, _) = (bench.requests.recv().await.unwrap().ticket, bench.requests.recv().await.unwrap());
    bench.settle().await;
    let (origin, what) = (Origin::Script(ClientId(2)), String::new());
    bench.log(LogItem::Outcome { ticket: first, origin, what, outcome: Outcome::Done, latency: Duration::ZERO });
    let (gone, _) = watch::channel(Arc::default());
    drop(std::mem::replace(&mut bench.snapshots, gone));
    let told = bench.until(|message| message["id"] == 8).await;
    assert_eq!(told["result"]["outcome"], "Done", "what the hub said last is heard: {told}");
    let told = bench.until(|message| message["id"] == 9).await;
    assert_eq!(told["error"]["code"], Code::Unknown.number(), "{told}");
    assert_eq!(bench.until(|message| message["method"] == "end").await["params"]["why"], "the hub has ended");
}
