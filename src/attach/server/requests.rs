//! What a client can ask, apart from stops.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::methods::METHODS;
use super::peer::Peer;
use crate::attach::wire::{Call, Code, PROTOCOL, Problem};
use crate::model::Time;
use crate::model::command::{Command, Origin, Realtime};
use crate::model::desk::Query;
use crate::model::jog::MAX_LEASE;
use crate::model::log::LogEntry;
use crate::model::people::ControlOrder;
use crate::model::role::Role;

/// Snapshots in a second, unless a client asks for fewer or more.
const USUAL_HZ: f64 = 10.0;
/// And at most.
const MOST_HZ: f64 = 20.0;
/// Commands of one client that may wait for their end.
const MOST_WAITING: usize = 64;
/// Log entries in one answer.
const MOST_EVENTS: usize = 500;
/// A step that comes later than this after its key is not what the person wants any more.
const LATEST_STEP: Duration = Duration::from_secs(1);
/// What a client says of its link is believed up to this.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(60);

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
    #[serde(default)]
    wire: bool,
}

#[derive(Deserialize)]
struct Ping {
    rtt_us: Option<u64>,
}

#[derive(Deserialize)]
struct EventsSince {
    id: u64,
    most: Option<usize>,
}

#[derive(Deserialize)]
struct Submit {
    command: Command,
    at_us: Option<u64>,
}

#[derive(Deserialize)]
struct Asked<T> {
    #[serde(alias = "command", alias = "realtime", alias = "query", alias = "order")]
    what: T,
}

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
            "ping" => self.ping(call).map(Some),
            "events.since" => self.events_since(call).map(Some),
            "realtime" => self.realtime(call).map(Some),
            "ask" => {
                let Asked::<Query> { what } = call.params()?;
                self.may(what.role())?;
                self.hub.ask(what).map_err(|why| Problem::new(Code::Refused, why.0))?;
                Ok(Some(json!({})))
            }
            "submit" => {
                let submit: Submit = call.params()?;
                in_time(&submit, (self.house.now)())?;
                self.submit(submit.command).map(|ticket| Some(json!({"ticket": ticket})))
            }
            "command" => {
                let submit: Submit = call.params()?;
                in_time(&submit, (self.house.now)())?;
                self.command(call, submit.command)
            }
            "control" => {
                let Asked::<ControlOrder> { what } = call.params()?;
                self.command(call, Command::Control(what))
            }
            other => {
                let known: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
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
                self.hub = self.house.port.join(self.origin.clone());
            }
            let bounded = |text: &str| text.chars().filter(|c| !c.is_control()).take(60).collect::<String>();
            self.came = Some(self.person(&bounded(&hello.from), bounded(&hello.client), hello.screen));
        }
        Ok(json!({
            "protocol": PROTOCOL,
            "server": concat!("sunmill ", env!("CARGO_PKG_VERSION")),
            "client": self.id,
            "role": self.who.role,
            "now_us": (self.house.now)().as_micros(),
        }))
    }

    fn subscribe(&mut self, call: &Call) -> Result<Value, Problem> {
        let subscribe: Subscribe = call.params()?;
        let hz = subscribe.max_hz.unwrap_or(USUAL_HZ);
        if !(hz > 0.0 && hz.is_finite()) {
            return Err(Problem::new(Code::Params, "subscribe: max_hz is above 0"));
        }
        let hz = hz.clamp(0.01, MOST_HZ);
        self.every = Some(Duration::from_secs_f64(1.0 / hz));
        self.measured.rate(hz);
        self.events |= subscribe.events;
        self.wire |= subscribe.wire;
        let state = self.house.written.of(&self.hub.snapshot());
        self.shown = state.ok_or_else(|| Problem::new(Code::Refused, "the state cannot be written"))?;
        Ok(json!({"state": &*self.shown}))
    }

    fn ping(&mut self, call: &Call) -> Result<Value, Problem> {
        let ping: Ping = call.params()?;
        if let Some(took) = ping.rtt_us {
            self.measured.round_trip(Duration::from_micros(took).min(LONGEST_ROUND_TRIP));
        }
        Ok(json!({"now_us": (self.house.now)().as_micros()}))
    }

    fn events_since(&self, call: &Call) -> Result<Value, Problem> {
        let EventsSince { id, most } = call.params()?;
        let most = most.unwrap_or(MOST_EVENTS);
        if !(1..=MOST_EVENTS).contains(&most) {
            return Err(Problem::new(Code::Params, format!("events.since: most is 1 to {MOST_EVENTS}")));
        }
        let since = self.house.ring.since(id, most, self.seen);
        let entries: Vec<&LogEntry> = since.entries.iter().map(|entry| &**entry).collect();
        Ok(json!({"entries": entries, "gap": since.gap, "last": since.last, "more": since.more}))
    }

    fn may(&self, needed: Role) -> Result<(), Problem> {
        self.who.role.may(needed).map_err(|why| Problem::new(Code::Role, why.0))
    }

    fn realtime(&self, call: &Call) -> Result<Value, Problem> {
        let Asked::<Realtime> { what } = call.params()?;
        self.may(what.role())?;
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
        self.may(command.role())?;
        if command.needs_control() {
            self.in_control()?;
        }
        let is_jog = matches!(command, Command::JogContinue { .. } | Command::JogStep { .. });
        if is_jog {
            self.jogged = Some(Instant::now());
        }
        self.hub.submit(command).map_err(|why| Problem::new(Code::Refused, why.0))
    }

    fn in_control(&self) -> Result<(), Problem> {
        let refusal = self.hub.snapshot().people.refusal(&self.origin, (self.house.now)());
        refusal.map_or(Ok(()), |why| Err(Problem::new(Code::Control, why.0)))
    }
}

/// Motion that was asked for while the link stood still must not begin when it goes on.
fn in_time(submit: &Submit, now: Time) -> Result<(), Problem> {
    let most = match &submit.command {
        Command::JogContinue { lease, .. } => (*lease).min(MAX_LEASE),
        Command::JogStep { .. } => LATEST_STEP,
        _ => return Ok(()),
    };
    let Some(late) = submit.at_us.map(|at| now.since(Time::from_micros(at))).filter(|late| *late > most) else {
        return Ok(());
    };
    let why = format!("it came {} ms late over the link, and moves nothing: jog again", late.as_millis());
    Err(Problem::new(Code::Refused, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AxisVec;
    use crate::model::jog::JogVector;

    #[test]
    fn a_jog_that_comes_late_moves_nothing() {
        let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 100.0 };
        let go_on = Command::JogContinue { vector, lease: Duration::from_millis(250) };
        let step = Command::JogStep { distance: AxisVec::from_slice(&[1.0]), feed_mm_min: 100.0 };
        let at = |command: &Command, late_ms: u64| {
            let submit = Submit { command: command.clone(), at_us: Some(5_000_000) };
            in_time(&submit, Time::from_millis(5000 + late_ms)).is_ok()
        };
        assert!(at(&go_on, 250) && !at(&go_on, 251));
        assert!(at(&step, 1000) && !at(&step, 1001));
        assert!(at(&Command::Unlock, 60_000), "only what moves by keys has a time");
        let unsaid = Submit { command: go_on, at_us: None };
        assert!(in_time(&unsaid, Time::from_millis(9000)).is_ok());
    }
}
