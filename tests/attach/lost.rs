//! Answers that do not come: the hub ends, the connection ends, or too much was logged. Each command has one end all the same.

use sunmill::model::Time;
use sunmill::model::command::VoidReason;
use sunmill::model::log::LogEntry;
use tokio::net::UnixListener;

use super::*;

/// A hub that says what a test wants it to say.
struct Scripted {
    raw: Raw,
}

impl Scripted {
    /// Serves one client at this path, up to what it is greeted with.
    async fn greet(listener: UnixListener) -> Self {
        let (read, write) = listener.accept().await.expect("a client").0.into_split();
        let mut hub = Self { raw: Raw { lines: BufReader::new(read).lines(), write } };
        let hello = hub.asked("hello").await;
        hub.answer(&hello, json!({"protocol": 1, "server": "scripted", "client": 2, "role": "admin", "now_us": 0}))
            .await;
        let subscribe = hub.asked("subscribe").await;
        hub.answer(&subscribe, json!({"state": Snapshot::default()})).await;
        hub
    }

    /// Reads on to a call of this method.
    async fn asked(&mut self, method: &str) -> Value {
        loop {
            let call = self.raw.next().await.expect("a call");
            if call["method"] == method {
                return call;
            }
        }
    }

    async fn answer(&mut self, call: &Value, result: Value) {
        self.raw.say(&json!({"jsonrpc": "2.0", "id": call["id"], "result": result}).to_string()).await;
    }

    async fn tell(&mut self, method: &str, params: Value) {
        self.raw.say(&json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()).await;
    }
}

fn done(id: u64, ticket: u64) -> LogEntry {
    let (ticket, origin) = (TicketId(ticket), sunmill::model::command::Origin::Hub);
    let (outcome, latency) = (Outcome::Done, Duration::ZERO);
    LogEntry {
        id,
        at: Time::from_millis(1),
        what: LogItem::Outcome { ticket, origin, what: String::new(), outcome, latency },
    }
}

/// A client of a scripted hub.
async fn met() -> (Hub, Scripted) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hub.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let me = Me { program: "test".into(), ..Me::default() };
    let (attached, scripted) = tokio::join!(connect(&path, me), Scripted::greet(listener));
    (attached.expect("a hub").hub, scripted)
}

#[tokio::test]
async fn what_was_sent_when_the_connection_ends_may_have_acted_and_the_rest_was_not_sent() {
    let (mut hub, mut scripted) = met().await;
    let answered = hub.submit(Command::Unlock).expect("room");
    let call = scripted.asked("submit").await;
    scripted.answer(&call, json!({"ticket": 70})).await;
    let sent = hub.submit(Command::Unlock).expect("room");
    scripted.asked("submit").await;
    drop(scripted);
    let mut ends = Vec::new();
    while let Ok(news) = timeout(LONG, hub.next()).await.expect("the end") {
        if let News::Log(LogEvent::Entry(entry)) = news
            && let LogItem::Outcome { ticket, outcome, .. } = &entry.what
        {
            ends.push((*ticket, outcome.clone()));
        }
    }
    ends.sort_by_key(|(ticket, _)| *ticket);
    let unknown = Outcome::Voided { why: VoidReason::Disconnect, sent: true };
    assert!(unknown.is_unknown() && unknown.to_string().contains("may have acted"), "{unknown}");
    let [first, second, ..] = &ends[..] else { panic!("{ends:?}") };
    assert_eq!((first, second), (&(answered, unknown.clone()), &(sent, unknown)));
    let late = hub.submit(Command::Unlock).unwrap_err();
    assert!(late.0.contains("has ended"), "{late}");
}

#[tokio::test]
async fn an_end_that_was_left_out_of_the_log_is_asked_for() {
    let (mut hub, mut scripted) = met().await;
    let (first, second) = (hub.submit(Command::Unlock).expect("room"), hub.submit(Command::Unlock).expect("room"));
    for ticket in [70, 71] {
        let call = scripted.asked("submit").await;
        scripted.answer(&call, json!({"ticket": ticket})).await;
    }
    scripted.tell("event", json!({"entry": done(5, 1)})).await;
    scripted.tell("gap", json!({"count": 2})).await;
    scripted.tell("event", json!({"entry": done(9, 2)})).await;
    let call = scripted.asked("events.since").await;
    assert_eq!(call["params"]["id"], 5, "{call}");
    let entries = [done(7, 70), done(9, 2)];
    scripted.answer(&call, json!({"entries": entries, "gap": false, "last": 9, "more": false})).await;
    assert_eq!(outcome(&mut hub, first).await, Outcome::Done);
    // The next time they are nowhere any more.
    scripted.tell("gap", json!({"count": 3000})).await;
    let call = scripted.asked("events.since").await;
    assert_eq!(call["params"]["id"], 9, "{call}");
    scripted.answer(&call, json!({"entries": [done(3000, 3)], "gap": true, "last": 3000, "more": false})).await;
    let lost = outcome(&mut hub, second).await;
    assert_eq!(lost, Outcome::Voided { why: VoidReason::AnswerLost, sent: true });
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_under_way_when_the_hub_ends_is_answered_once() {
    let House { shop, server, path, folder } = House::open().await;
    let (read, write) = UnixStream::connect(&path).await.expect("a socket").into_split();
    let mut raw = Raw { lines: BufReader::new(read).lines(), write };
    raw.hello().await;
    raw.say(
        &json!({"jsonrpc": "2.0", "id": 2, "method": "command", "params": {"command": {"Home": "All"}}}).to_string(),
    )
    .await;
    let mut hub = shop.hub;
    until(&mut hub, "homing", |s| state(s) == Some(StateKind::Home)).await;
    shop.task.shutdown().await;
    let mut answers = Vec::new();
    while let Some(message) = raw.next().await {
        answers.extend(Some(message).filter(|message| message["id"] == 2));
    }
    let [answer] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(answer["result"]["outcome"]["Voided"]["why"], "Shutdown", "{answer}");
    drop((server, folder));
}
