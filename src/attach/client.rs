//! A client's side: a connection that looks like a hub.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::catch_up::{CatchUp, Caught, Since};
use super::dial::{self, Lines, Said};
use super::patch;
use super::place::Place;
use super::wire::{self, PROTOCOL};
use crate::model::command::{ClientId, Command, Origin, Outcome, Realtime, Refused, TicketId, VoidReason};
use crate::model::desk::Answer;
use crate::model::hub::{Errand, Hub, HubPort, Request};
use crate::model::latch::Latch;
use crate::model::log::{LogEntry, LogItem};
use crate::model::{Role, Snapshot, Time};

/// A hub that does not greet in this time is none.
const GREETING: Duration = Duration::from_secs(5);
/// How often a client lets the hub hear of it: control of one that is not heard of for 10 s can be taken.
const PING: Duration = Duration::from_secs(3);
/// The hub's time is known for so long by one answer: clocks of two computers go apart by a few ms in that time.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// Commands and questions that may wait to be sent.
const WAITING: usize = 32;
/// Log entries that a slow reader may be behind.
const LOG: usize = 1024;
/// Tickets of other clients, so that they are none of this one's.
const FOREIGN: u64 = 1 << 63;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers there.
    #[error("{place}: no sunmill answers ({error})")]
    Nobody {
        /// Where.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// The user may not.
    #[error("{place}: {why}")]
    NotAllowed {
        /// Where.
        place: String,
        /// Why, and what to do.
        why: String,
    },
    /// It answers, but not as a hub.
    #[error("{place}: {why}")]
    Strange {
        /// Where.
        place: String,
        /// What came.
        why: String,
    },
}

/// A connection to a hub.
#[derive(Debug)]
pub struct Attached {
    /// The handle.
    pub hub: Hub,
    /// This client's number at the hub.
    pub id: ClientId,
    /// The hub's program and its version.
    pub server: String,
    /// What this client may do.
    pub role: Role,
    /// The hub's time, as far as can be told from here.
    pub clock: HubClock,
}

/// The hub's time, by the quickest answer that told it so far.
#[derive(Clone, Copy, Debug)]
pub struct HubClock {
    at: Instant,
    then: Time,
    /// There and back, when it was told.
    took: Duration,
}

impl HubClock {
    /// From an answer that tells the time: it was written half way between question and answer.
    fn told(asked: Instant, then: Time) -> Self {
        let took = asked.elapsed();
        Self { at: asked + took / 2, then, took }
    }

    /// The better one of two: the quicker one, unless clocks may have gone apart since.
    fn better(self, other: Self) -> Self {
        if other.took < self.took || self.at.elapsed() > GOOD_FOR { other } else { self }
    }

    /// The present moment.
    pub fn now(self) -> Time {
        self.then + self.at.elapsed()
    }
}

/// Who connects.
#[derive(Clone, Debug, Default)]
pub struct Me {
    /// The program and its version.
    pub program: String,
    /// The terminal or host.
    pub from: String,
    /// A person looks at a screen.
    pub screen: bool,
    /// Snapshots in a second at most.
    pub max_hz: Option<f64>,
}

/// Connects to the hub at this place. To be called within a runtime; a task carries the connection until either end goes.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(place: impl Into<Place>, me: Me) -> Result<Attached, ConnectError> {
    let place = place.into();
    let strange = |why: String| ConnectError::Strange { place: place.to_string(), why };
    let mut talk = open(&place).await?;
    let greeting = async {
        let asked = Instant::now();
        let mut unasked = VecDeque::new();
        let greeting = talk.asked("hello", &hello(&me), &mut unasked).await?;
        let clock = HubClock::told(asked, Time::from_micros(greeting["now_us"].as_u64().unwrap_or_default()));
        let subscribe = json!({"events": true, "wire": me.screen, "max_hz": me.max_hz});
        let state = talk.asked("subscribe", &subscribe, &mut unasked).await?;
        Ok::<_, Problem>((greeting, clock, state))
    };
    let greeted = timeout(GREETING, greeting).await.map_err(|_| strange("it does not greet".to_owned()))?;
    let (greeting, clock, mut state) = greeted.map_err(|problem| strange(problem.message))?;
    let id = ClientId(greeting["client"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or_default());
    let server = greeting["server"].as_str().unwrap_or("sunmill").to_owned();
    let role = Role::deserialize(&greeting["role"]).unwrap_or_default();
    let state = state["state"].take();
    let snapshot =
        Snapshot::deserialize(&state).map_err(|error| strange(format!("its state is unlike ours: {error}")))?;

    let (published, snapshots) = watch::channel(Arc::new(snapshot));
    let (requests, inbox) = mpsc::channel(WAITING);
    let (errands, desk) = mpsc::channel(WAITING);
    let (log, _) = broadcast::channel(LOG);
    let latch = Arc::new(Latch::default());
    let port = HubPort::new(snapshots, requests, log.clone(), Arc::clone(&latch))
        .with_desk(errands.clone())
        .with_programs(errands.clone())
        .with_power(errands);
    let origin = if me.screen { Origin::Screen(id) } else { Origin::Script(id) };
    let hub = port.attach(origin.clone());
    drop(port);
    let client = Client {
        talk,
        state,
        published,
        log,
        latch,
        origin,
        answer_to: None,
        asked: HashMap::new(),
        tickets: HashMap::new(),
        catch_up: CatchUp::new(clock.then),
        to_ask: None,
        clock,
        round_trip: Some(clock.took),
    };
    tokio::spawn(client.run(inbox, desk));
    Ok(Attached { hub, id, server, role, clock })
}

/// A connection for one who talks the protocol: it asks, and hears what comes.
#[derive(Debug)]
pub struct Dialed {
    talk: Talk,
    /// What came while an answer was waited for.
    unasked: VecDeque<Value>,
}

/// Connects and says hello.
///
/// # Errors
/// See [`ConnectError`].
pub async fn dial(place: &Place, me: &Me) -> Result<Dialed, ConnectError> {
    let talk = open(place).await?;
    let mut dialed = Dialed { talk, unasked: VecDeque::new() };
    let strange = |why: Problem| ConnectError::Strange { place: place.to_string(), why: why.message };
    timeout(GREETING, dialed.ask("hello", &hello(me)))
        .await
        .map_err(|_| strange(Problem::said("it does not greet")))?
        .map_err(strange)?;
    Ok(dialed)
}

impl Dialed {
    /// Calls a method and gives its result.
    ///
    /// # Errors
    /// What the hub answered instead, or that the connection failed.
    pub async fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Problem> {
        self.talk.asked(method, params, &mut self.unasked).await
    }

    /// The next message that is no answer.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn next(&mut self) -> Result<Value, Problem> {
        match self.unasked.pop_front() {
            Some(message) => Ok(message),
            None => self.talk.next().await.map_err(Problem::said),
        }
    }
}

/// Calls one method and gives its result, or the number and words of its error.
///
/// # Errors
/// See [`ConnectError`].
pub async fn talk(place: &Place, me: Me, method: &str, params: &Value) -> Result<Result<Value, Problem>, ConnectError> {
    Ok(dial(place, &me).await?.ask(method, params).await)
}

/// What a hub answered instead of a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The number; 0: the connection failed.
    pub code: i64,
    /// In words.
    pub message: String,
}

impl Problem {
    fn said(message: impl Into<String>) -> Self {
        Self { code: 0, message: message.into() }
    }
}

/// Presses a key that stops, without attaching: where the hub has no place left or is of another version. Every hub hears such a
/// key before it asks who is there. It is carried out when this returns well; nothing is known of what came of it.
///
/// # Errors
/// Nobody answers, or not in time.
pub async fn press(place: impl Into<Place>, what: Realtime) -> Result<(), ConnectError> {
    let place = place.into();
    let mut talk = open(&place).await?;
    let pressed = async {
        let id = talk.ask("realtime", &json!({"realtime": what})).await.map_err(|error| error.to_string())?;
        // What is said first may be that there is no place.
        loop {
            let message = talk.next().await?;
            if message["id"] == json!(id) {
                let why = message.get("error").map(|error| error["message"].as_str().unwrap_or("refused").to_owned());
                return why.map_or(Ok(()), Err);
            }
        }
    };
    let why = match timeout(GREETING, pressed).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(why)) => why,
        Err(_) => "it does not answer".to_owned(),
    };
    Err(ConnectError::Strange { place: place.to_string(), why })
}

async fn open(place: &Place) -> Result<Talk, ConnectError> {
    // A port that takes a connection and says nothing is nobody's.
    let opened = timeout(GREETING, dial::open(place)).await.unwrap_or_else(|_| {
        Err(ConnectError::Nobody { place: place.to_string(), error: io::ErrorKind::TimedOut.into() })
    });
    let (lines, said) = opened?;
    Ok(Talk { lines, said, pieces: String::new(), last_id: 0 })
}

fn hello(me: &Me) -> Value {
    json!({"protocol": PROTOCOL, "client": me.program, "from": me.from, "screen": me.screen})
}

/// Lines both ways.
struct Talk {
    lines: Lines,
    said: Said,
    pieces: String,
    last_id: u64,
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").field("last_id", &self.last_id).finish_non_exhaustive()
    }
}

impl Talk {
    async fn ask(&mut self, method: &str, params: &Value) -> io::Result<u64> {
        self.last_id += 1;
        self.said.send(wire::request(self.last_id, method, params)).await?;
        Ok(self.last_id)
    }

    /// Asks and waits for the result; what else comes is kept.
    async fn asked(&mut self, method: &str, params: &Value, unasked: &mut VecDeque<Value>) -> Result<Value, Problem> {
        let id = self.ask(method, params).await.map_err(|error| Problem::said(error.to_string()))?;
        loop {
            let mut message = self.next().await.map_err(Problem::said)?;
            if message["id"] == json!(id) || message["id"].is_null() && message.get("error").is_some() {
                return match message.get("error") {
                    Some(error) => Err(Problem {
                        code: error["code"].as_i64().unwrap_or_default(),
                        message: error["message"].as_str().unwrap_or("it refuses").to_owned(),
                    }),
                    None => Ok(message["result"].take()),
                };
            }
            if unasked.len() < LOG {
                unasked.push_back(message);
            }
        }
    }

    /// The next whole message. Nothing is lost if the call is dropped.
    async fn next(&mut self) -> Result<Value, String> {
        loop {
            let line = match self.lines.next().await {
                Some(Ok(line)) => line,
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("it closed the connection".to_owned()),
            };
            let message: Value = serde_json::from_str(&line).map_err(|error| format!("no JSON: {error}"))?;
            if message["method"] != "part" {
                return Ok(message);
            }
            let part = &message["params"];
            self.pieces.push_str(part["text"].as_str().unwrap_or_default());
            if part["last"] == json!(true) {
                let whole = std::mem::take(&mut self.pieces);
                return serde_json::from_str(&whole).map_err(|error| format!("no JSON: {error}"));
            }
        }
    }
}

/// The task of a connection.
struct Client {
    talk: Talk,
    state: Value,
    published: watch::Sender<Arc<Snapshot>>,
    log: broadcast::Sender<Arc<LogEntry>>,
    latch: Arc<Latch>,
    origin: Origin,
    answer_to: Option<mpsc::Sender<Answer>>,
    /// Commands and questions that were sent and not answered, by the id of the request.
    asked: HashMap<u64, Asked>,
    /// Tickets of the hub, and what they are here.
    tickets: HashMap<TicketId, TicketId>,
    catch_up: CatchUp,
    /// Log entries after this one are to be asked for.
    to_ask: Option<u64>,
    clock: HubClock,
    /// What the last ping took, there and back.
    round_trip: Option<Duration>,
}

enum Asked {
    Command(TicketId),
    Query,
    Ping(Instant),
    Since,
}

impl Client {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut errands: mpsc::Receiver<Errand>) {
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let latch = Arc::clone(&self.latch);
        let why = loop {
            // Stops first, whatever else there is to do.
            let step = tokio::select! {
                biased;
                () = latch.notified() => self.realtime().await,
                Some(request) = requests.recv() => self.command(request).await,
                Some(errand) = errands.recv() => self.errand(errand).await,
                message = self.talk.next() => message.and_then(|message| self.message(message)),
                _ = ping.tick() => self.ping().await,
                // The screen has ended and holds no handle any more.
                () = self.published.closed() => {
                    // In order: nobody is to think that the operator was lost.
                    let _ = self.send("control", &json!({"order": "release"})).await;
                    break None;
                }
            };
            let step = match (step, self.to_ask.take()) {
                (Ok(()), Some(after)) => self.since(after).await,
                (step, _) => step,
            };
            if let Err(why) = step {
                break Some(why);
            }
        };
        tracing::info!(why, "the connection to the hub ends");
        self.give_up(requests);
    }

    /// Nobody hears any more what becomes of what was asked.
    fn give_up(mut self, mut requests: mpsc::Receiver<Request>) {
        let unknown = Outcome::Voided { why: VoidReason::Disconnect, sent: true };
        let asked = self.asked.drain().filter_map(|(_, asked)| match asked {
            Asked::Command(mine) => Some(mine),
            _ => None,
        });
        let open: Vec<TicketId> = asked.chain(self.tickets.drain().map(|(_, mine)| mine)).collect();
        for mine in open {
            self.end(mine, unknown.clone());
        }
        requests.close();
        while let Ok(request) = requests.try_recv() {
            self.end(request.ticket, Outcome::Voided { why: VoidReason::Disconnect, sent: false });
        }
    }

    /// Asks for log entries that were left out.
    async fn since(&mut self, after: u64) -> Result<(), String> {
        let id = self.send("events.since", &json!({"id": after})).await?;
        self.asked.insert(id, Asked::Since);
        Ok(())
    }

    /// They came, or cannot be had.
    fn caught(&mut self, since: Option<Since>) {
        let Caught { entries, ask, lost } = self.catch_up.came(since);
        self.to_ask = ask;
        for entry in entries {
            self.entry(entry);
        }
        for theirs in lost {
            if let Some(mine) = self.tickets.remove(&theirs) {
                self.end(mine, Outcome::Voided { why: VoidReason::AnswerLost, sent: true });
            }
        }
    }

    async fn send(&mut self, method: &str, params: &Value) -> Result<u64, String> {
        self.talk.ask(method, params).await.map_err(|error| error.to_string())
    }

    async fn realtime(&mut self) -> Result<(), String> {
        for realtime in self.latch.take().list() {
            let id = self.send("realtime", &json!({"realtime": realtime})).await?;
            // For the one case in which it has an end to be told of: it is refused.
            self.asked.insert(id, Asked::Command(self.latch.next_ticket()));
        }
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), String> {
        let took = self.round_trip.map(|took| took.as_micros() as u64);
        let asked = Instant::now();
        let id = self.send("ping", &json!({"rtt_us": took})).await?;
        self.asked.insert(id, Asked::Ping(asked));
        Ok(())
    }

    async fn command(&mut self, request: Request) -> Result<(), String> {
        let jog = matches!(request.command, Command::JogStep { .. } | Command::JogContinue { .. });
        if self.latch.is_void(request.ticket, jog) {
            // A stop that was asked for later has gone out already.
            self.end(request.ticket, Outcome::Voided { why: VoidReason::Stop, sent: false });
            return Ok(());
        }
        let at_us = jog.then(|| self.clock.now().as_micros());
        let id = self.send("submit", &json!({"command": request.command, "at_us": at_us})).await?;
        self.asked.insert(id, Asked::Command(request.ticket));
        Ok(())
    }

    async fn errand(&mut self, errand: Errand) -> Result<(), String> {
        self.answer_to = Some(errand.answer_to);
        let id = self.send("ask", &json!({"query": errand.query})).await?;
        self.asked.insert(id, Asked::Query);
        Ok(())
    }

    fn message(&mut self, mut message: Value) -> Result<(), String> {
        if let Some(id) = message["id"].as_u64() {
            if let Some(asked) = self.asked.remove(&id) {
                self.answered(&asked, message);
            }
            return Ok(());
        }
        let params = message["params"].take();
        match message["method"].as_str() {
            Some("state") => {
                patch::apply(&mut self.state, &params["patch"]);
                let snapshot = Snapshot::deserialize(&self.state).map_err(|error| format!("its state: {error}"))?;
                self.published.send_replace(Arc::new(snapshot));
            }
            Some("event") => match LogEntry::deserialize(&params["entry"]) {
                Ok(entry) => {
                    if let Some(entry) = self.catch_up.entry(entry) {
                        self.entry(entry);
                    }
                }
                Err(error) => tracing::debug!(%error, "a log entry of another version is left out"),
            },
            Some("answer") => match (Answer::deserialize(&params["answer"]), &self.answer_to) {
                (Ok(answer), Some(to)) => {
                    // A screen that does not read has no use for it.
                    let _ = to.try_send(answer);
                }
                (Err(error), _) => tracing::warn!(%error, "an answer cannot be read"),
                (Ok(_), None) => {}
            },
            Some("gap") => self.to_ask = self.catch_up.gap(self.tickets.keys().copied()).or(self.to_ask),
            _ => {}
        }
        Ok(())
    }

    fn answered(&mut self, asked: &Asked, mut message: Value) {
        let refusal = message.get("error").map(|error| error["message"].as_str().unwrap_or("refused").to_owned());
        match (asked, refusal) {
            (Asked::Command(mine), None) => {
                if let Ok(theirs) = TicketId::deserialize(&message["result"]["ticket"]) {
                    self.tickets.insert(theirs, *mine);
                }
            }
            (Asked::Command(mine), Some(why)) => self.end(*mine, Outcome::Refused(Refused::because(why))),
            (Asked::Query, Some(why)) => {
                if let Some(to) = &self.answer_to {
                    let _ = to.try_send(Answer::Done(Err(why)));
                }
            }
            (Asked::Query, None) => {}
            (Asked::Since, refusal) => {
                let since = refusal.map_or_else(|| Since::deserialize(message["result"].take()).ok(), |_| None);
                self.caught(since);
            }
            (Asked::Ping(asked), _) => {
                self.round_trip = Some(asked.elapsed());
                if let Some(then) = message["result"]["now_us"].as_u64() {
                    self.clock = self.clock.better(HubClock::told(*asked, Time::from_micros(then)));
                }
            }
        }
    }

    /// Says here how a command ended that the hub has no entry of.
    fn end(&self, ticket: TicketId, outcome: Outcome) {
        let snapshot = self.published.borrow();
        let what = LogItem::Outcome {
            ticket,
            origin: self.origin.clone(),
            what: String::new(),
            outcome,
            latency: Duration::ZERO,
        };
        let _ = self.log.send(Arc::new(LogEntry { id: 0, at: snapshot.at, what }));
    }

    fn entry(&mut self, mut entry: LogEntry) {
        match &mut entry.what {
            LogItem::Sent { ticket, .. } => *ticket = self.own(*ticket),
            LogItem::Outcome { ticket, .. } => {
                let theirs = *ticket;
                *ticket = self.own(theirs);
                self.tickets.remove(&theirs);
            }
            _ => {}
        }
        // Nobody listens: then nobody misses it.
        let _ = self.log.send(Arc::new(entry));
    }

    fn own(&self, theirs: TicketId) -> TicketId {
        self.tickets.get(&theirs).copied().unwrap_or(TicketId(theirs.0 | FOREIGN))
    }
}
