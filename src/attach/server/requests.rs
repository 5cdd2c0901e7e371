//! What a client can ask, apart from stops.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::peer::Peer;
use crate::attach::wire::{Call, Code, PROTOCOL, Problem};
use crate::model::command::{Command, Origin, Realtime};
use crate::model::desk::Query;
use crate::model::people::{ControlOrder, PeopleNews, Person};

/// Snapshots in a second, unless a client asks for fewer or more.
const USUAL_HZ: f64 = 10.0;
/// And at most.
const MOST_HZ: f64 = 20.0;
/// Commands of one client that may wait for their end.
const MOST_WAITING: usize = 64;

#[derive(Deserialize)]
struct Hello {
    protocol: u32,
    client: String,
    #[serde(default)]
    screen: bool,
    #[serde(default)]
    from: String,
}

#[derive(Deserialize)]
struct Subscribe {
    max_hz: Option<f64>,
    #[serde(default)]
    events: bool,
}

#[derive(Deserialize)]
struct Asked<T> {
    #[serde(alias = "command", alias = "realtime", alias = "query", alias = "order")]
    what: T,
}

/// The methods, in the order of the help, each with what it does.
pub const METHODS: &[(&str, &str)] = &[
    ("hello", "{protocol, client, screen?, from?} → {protocol, server, client, now_us}: first"),
    (
        "subscribe",
        "{max_hz?, events?} → {state}: the whole state; then state {rev, patch} (RFC 7386) and event {entry}",
    ),
    ("command", "{command} → {ticket, outcome, latency_us}: answered when it has ended"),
    ("submit", "{command} → {ticket}: answered at once; the end comes as an event"),
    ("realtime", "{realtime} → {}: overrides, cycle start and the like"),
    ("ask", "{query} → {}: answers come as answer {answer}"),
    ("control", "{order} → {ticket, outcome}: acquire, take {reason}, release"),
    ("status", "{} → {state}: the whole state, once"),
    ("ping", "{} → {now_us}"),
    ("stop", "{} → {}: bring motion to a stand; needs neither hello nor control"),
    ("hold", "{} → {}: feed hold; the same"),
    ("stop_program", "{} → {}: end the program, position kept; the same"),
    ("jog_cancel", "{} → {}: the same"),
    ("door", "{} → {}: safety door; the same"),
    ("reset", "{} → {}: soft reset; the same"),
];

impl Peer {
    /// The result of a request. `None`: it comes later.
    pub(super) fn request(&mut self, call: &Call) -> Result<Option<Value>, Problem> {
        if call.method == "hello" {
            return self.hello(call).map(Some);
        }
        if !self.greeted {
            return Err(Problem::new(Code::Hello, "say hello first: {\"protocol\": 1, \"client\": \"name\"}"));
        }
        match call.method.as_str() {
            "subscribe" => self.subscribe(call).map(Some),
            "status" => Ok(Some(json!({"state": &*self.hub.snapshot()}))),
            "ping" => Ok(Some(json!({"now_us": (self.house.now)().as_micros()}))),
            "realtime" => self.realtime(call).map(Some),
            "ask" => {
                let Asked::<Query> { what } = call.params()?;
                self.hub.ask(what).map_err(|why| Problem::new(Code::Refused, why.0))?;
                Ok(Some(json!({})))
            }
            "submit" => {
                let Asked::<Command> { what } = call.params()?;
                self.submit(what).map(|ticket| Some(json!({"ticket": ticket})))
            }
            "command" => {
                let Asked::<Command> { what } = call.params()?;
                self.command(call, what)
            }
            "control" => {
                let Asked::<ControlOrder> { what } = call.params()?;
                self.command(call, Command::Control(what))
            }
            other => {
                let known: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
                let why = format!("there is no method {other:?}; there is {}", known.join(", "));
                Err(Problem::new(Code::Method, why))
            }
        }
    }

    fn hello(&mut self, call: &Call) -> Result<Value, Problem> {
        let hello: Hello = call.params()?;
        if hello.protocol != PROTOCOL {
            let why = format!(
                "this hub speaks version {PROTOCOL} of the protocol, not {}: use the same sunmill at both ends",
                hello.protocol
            );
            return Err(Problem::new(Code::Version, why));
        }
        if !self.greeted {
            self.greeted = true;
            if hello.screen {
                self.origin = Origin::Screen(self.id);
                self.hub = self.house.port.attach(self.origin.clone());
            }
            let bounded = |text: &str| text.chars().filter(|c| !c.is_control()).take(60).collect::<String>();
            let place = match (hello.from.as_str(), self.whence.pid) {
                ("", Some(pid)) => format!("process {pid}"),
                (from, _) => bounded(from),
            };
            self.house.port.tell(PeopleNews::Came(Person {
                id: self.id,
                user: self.whence.uid.map_or_else(|| "somebody".to_owned(), |uid| format!("uid {uid}")),
                from: place,
                program: bounded(&hello.client),
                since: (self.house.now)(),
                dropped: 0,
                local: false,
            }));
        }
        Ok(json!({
            "protocol": PROTOCOL,
            "server": concat!("sunmill ", env!("CARGO_PKG_VERSION")),
            "client": self.id,
            "now_us": (self.house.now)().as_micros(),
        }))
    }

    fn subscribe(&mut self, call: &Call) -> Result<Value, Problem> {
        let subscribe: Subscribe = call.params()?;
        let hz = subscribe.max_hz.unwrap_or(USUAL_HZ);
        if !(hz > 0.0 && hz.is_finite()) {
            return Err(Problem::new(Code::Params, "subscribe: max_hz is above 0"));
        }
        self.every = Some(Duration::from_secs_f64(1.0 / hz.clamp(0.01, MOST_HZ)));
        self.events |= subscribe.events;
        let state = serde_json::to_value(&*self.hub.snapshot())
            .map_err(|error| Problem::new(Code::Refused, format!("the state cannot be written: {error}")))?;
        self.shown = state.clone();
        Ok(json!({"state": state}))
    }

    fn realtime(&self, call: &Call) -> Result<Value, Problem> {
        let Asked::<Realtime> { what } = call.params()?;
        if what.needs_control() {
            self.in_control()?;
        }
        self.hub.realtime(what);
        Ok(json!({}))
    }

    fn command(&mut self, call: &Call, command: Command) -> Result<Option<Value>, Problem> {
        if self.waiting.len() >= MOST_WAITING {
            return Err(Problem::new(Code::Refused, "64 commands of yours have not ended yet; wait for one"));
        }
        let ticket = self.submit(command)?;
        match &call.id {
            Some(id) => {
                self.waiting.insert(ticket, id.clone());
                Ok(None)
            }
            None => Ok(Some(json!({}))),
        }
    }

    fn submit(&mut self, command: Command) -> Result<crate::model::TicketId, Problem> {
        if command.needs_control() {
            self.in_control()?;
        }
        self.jogged = matches!(command, Command::JogContinue { .. }).then(Instant::now);
        self.hub.submit(command).map_err(|why| Problem::new(Code::Refused, why.0))
    }

    fn in_control(&self) -> Result<(), Problem> {
        let refusal = self.hub.snapshot().people.refusal(&self.origin);
        refusal.map_or(Ok(()), |why| Err(Problem::new(Code::Control, why.0)))
    }
}
