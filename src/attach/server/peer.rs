//! One client: what it says, and what it is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use tokio_util::codec::LinesCodecError;

use super::access::Who;
use super::fares::Measured;
use super::house::House;
use super::parked::Parked;
use super::places::{FULL, Place};
use super::ring::is_wire;
use super::writer::{Outlet, Queue, queue};
use crate::attach::patch;
use crate::attach::wire::{self, Call, Code, MAX_LINE, Problem};
use crate::model::command::{ClientId, Origin, Realtime, TicketId};
use crate::model::hub::{Hub, HubGone, LogEvent, News};
use crate::model::jog::MAX_LEASE;
use crate::model::log::{LogEntry, LogItem};
use crate::model::people::{PeopleNews, Person};
use crate::model::{Snapshot, StateKind};

/// Lines that are kept free for answers while log entries come in bursts.
const ROOM_FOR_ANSWERS: usize = 32;
/// Whatever stops: for everybody, at once.
const STOPS: [Realtime; 6] = [
    Realtime::Stop,
    Realtime::FeedHold,
    Realtime::StopProgram,
    Realtime::JogCancel,
    Realtime::SafetyDoor,
    Realtime::SoftReset,
];
/// Words of commands are kept in the log and in the audit, some thousands of them.
const LONGEST_COMMAND: usize = 16 * 1024;
/// Lines of a client that has gone which are looked through for a stop.
const LAST_LINES: usize = 4096;
/// It is told to the hub at most so often that a client was heard of.
const HEARD_EVERY: Duration = Duration::from_secs(1);

/// Who has not said `hello` by then holds a place that others want.
const GREETING: Duration = Duration::from_secs(10);
/// And so does who has one of the few places that are kept for stops.
const STOPPING: Duration = Duration::from_secs(3);

/// How a client came in.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) id: ClientId,
    pub(super) who: Who,
    /// Where it is, as far as the way in tells.
    pub(super) from: Option<String>,
    /// Its place among those who may be here at a time.
    pub(super) place: Place,
}

/// One client.
pub(super) struct Peer {
    pub(super) id: ClientId,
    pub(super) who: Who,
    pub(super) whence: Option<String>,
    pub(super) house: House,
    pub(super) hub: Hub,
    out: Outlet,
    /// Requests that were read and wait for room for their answers.
    parked: Parked,
    stops_only: bool,
    /// It said `hello`.
    pub(super) greeted: bool,
    /// Who it is was told, although it has not said `hello`.
    named: bool,
    pub(super) origin: Origin,
    /// How often it wants the state. `None`: it did not ask for it.
    pub(super) every: Option<Duration>,
    /// What it knows of the state.
    pub(super) shown: Arc<Value>,
    news: Option<Arc<Snapshot>>,
    next_state: Instant,
    /// It wants the log.
    pub(super) events: bool,
    /// And what goes over the wire.
    pub(super) wire: bool,
    pub(super) measured: Measured,
    /// It has just said who it is, and the hub does not know yet.
    pub(super) came: Option<Person>,
    /// The newest log entry that it was to be told of.
    pub(super) seen: u64,
    lost: u64,
    lost_told: u64,
    /// Commands whose end is the answer.
    pub(super) waiting: HashMap<TicketId, Value>,
    /// When it last asked for a jog: a jog needs it alive.
    pub(super) jogged: Option<Instant>,
    heard: Option<Instant>,
}

/// The connection ends.
#[derive(Debug)]
struct Over;

/// A line that was heard, or why there is none.
pub(super) type Line = Result<String, LinesCodecError>;

/// Serves a client until it leaves, does not read, or the hub ends. `write` writes what is queued for it.
pub(super) async fn serve<W>(
    mut lines: impl Stream<Item = Line> + Unpin,
    write: impl FnOnce(Queue) -> W,
    entered: Entered,
    house: House,
) where
    W: Future<Output = ()> + Send + 'static,
{
    let (out, queued) = queue();
    let mut writer = tokio::spawn(write(queued));
    let Entered { id, who, from, place } = entered;
    let mut peer = Peer::new(id, who, from, house, out);
    let mut greet_by = Instant::now() + GREETING;
    if place.is_for_stops() {
        greet_by = Instant::now() + STOPPING;
        peer.is_for_stops();
    }
    loop {
        let now = Instant::now();
        let (due, look) = (peer.state_due(), peer.measured.look_at(now));
        let step = tokio::select! {
            _ = &mut writer => Err(Over),
            line = lines.next(), if peer.may_be_read() => peer.line(line),
            news = peer.hub.next() => peer.news(news),
            () = sleep_until(due.unwrap_or(now)), if due.is_some() => peer.state(),
            () = sleep_until(look.unwrap_or(now)), if look.is_some() => Ok(()),
            // Or what waits for room would wait for the next news of the hub.
            () = peer.out.moved(), if peer.waits_for_room() => Ok(()),
            () = sleep_until(greet_by), if !peer.greeted => Err(Over),
        };
        if let Some(person) = peer.came.take() {
            peer.house.port.tell_surely(PeopleNews::Came(person)).await;
        }
        peer.tell_how_it_fares();
        if step.and_then(|()| peer.unpark()).and_then(|()| peer.tell_gap()).is_err() {
            break;
        }
    }
    // What it has said before it went may be a stop.
    for _ in 0..LAST_LINES {
        let Some(Some(Ok(line))) = lines.next().now_or_never() else { break };
        if let Ok(call) = Call::read(&line)
            && let Some(stop) = stop_of(&call)
        {
            peer.name_itself();
            peer.hub.realtime(stop);
        }
    }
    peer.leave().await;
    // What is queued is still written, for as long as the client takes it; others may come meanwhile.
    drop(place);
    if !writer.is_finished() {
        let _ = writer.await;
    }
}

impl Peer {
    fn new(id: ClientId, who: Who, whence: Option<String>, house: House, out: Outlet) -> Self {
        let origin = Origin::Script(id);
        Self {
            id,
            who,
            whence,
            hub: house.port.join(origin.clone()),
            house,
            out,
            parked: Parked::default(),
            stops_only: false,
            greeted: false,
            named: false,
            origin,
            every: None,
            shown: Arc::default(),
            news: None,
            next_state: Instant::now(),
            events: false,
            wire: false,
            measured: Measured::default(),
            came: None,
            seen: 0,
            lost: 0,
            lost_told: 0,
            waiting: HashMap::new(),
            jogged: None,
            heard: None,
        }
    }

    /// A stop needs no greeting, but the audit is to know who asked for it.
    fn name_itself(&mut self) {
        if !self.greeted && !std::mem::replace(&mut self.named, true) {
            self.house.port.tell(PeopleNews::Named(self.person("", String::new(), false)));
        }
    }

    /// Who it is, and what it says of itself.
    pub(super) fn person(&self, said: &str, program: String, screen: bool) -> Person {
        let from = match (&self.whence, self.who.pid) {
            (Some(whence), _) if said.is_empty() => whence.clone(),
            (Some(whence), _) => format!("{said}, {whence}"),
            (None, Some(pid)) if said.is_empty() => format!("process {pid}"),
            (None, _) => said.to_owned(),
        };
        Person {
            id: self.id,
            user: self.who.user.clone(),
            uid: self.who.uid,
            from,
            program,
            role: self.who.role,
            since: (self.house.now)(),
            screen,
            console: self.who.console,
            ..Person::default()
        }
    }

    /// All other places are taken: it is heard for nothing but stops, and told so.
    fn is_for_stops(&mut self) {
        self.stops_only = true;
        // Nothing was queued before.
        let _ = self.say(wire::answer(&Value::Null, Err(Problem::new(Code::Refused, FULL))));
    }

    fn tell_how_it_fares(&mut self) {
        if !self.greeted {
            return;
        }
        self.measured.taken(self.out.is_taken(), Instant::now());
        self.measured.dropped(self.lost);
        if let Some(fares) = self.measured.news() {
            self.house.port.tell(PeopleNews::Fares(self.id, fares));
        }
    }

    fn line(&mut self, line: Option<Result<String, LinesCodecError>>) -> Result<(), Over> {
        match line {
            Some(Ok(line)) => self.heard(&line),
            Some(Err(LinesCodecError::MaxLineLengthExceeded)) => {
                let why = format!("a line is longer than {MAX_LINE} bytes");
                self.say(wire::answer(&Value::Null, Err(Problem::new(Code::Invalid, why))))?;
                Err(Over)
            }
            Some(Err(LinesCodecError::Io(error))) if error.kind() == std::io::ErrorKind::InvalidData => {
                self.say(wire::answer(&Value::Null, Err(Problem::new(Code::Parse, "this is no text in UTF-8"))))?;
                Err(Over)
            }
            Some(Err(_)) | None => Err(Over),
        }
    }

    fn heard(&mut self, line: &str) -> Result<(), Over> {
        if line.is_empty() {
            return Ok(());
        }
        // A stop is carried out before anything else is looked at: no greeting, no control, no queue.
        let call = Call::read(line);
        if let Ok(call) = &call
            && let Some(stop) = stop_of(call)
        {
            self.name_itself();
            self.hub.realtime(stop);
            self.parked.overtake();
            return self.reply(call.id.as_ref(), Ok(json!({})));
        }
        if self.stops_only {
            let id = call.as_ref().ok().and_then(|call| call.id.clone());
            let why = "there are 64 clients already: only what stops the machine is heard of you";
            return self.reply(id.as_ref(), Err(Problem::new(Code::Refused, why)));
        }
        if !self.parked.is_empty() || !self.has_room() {
            self.parked.push(line);
            return Ok(());
        }
        self.asked(line.len(), call)
    }

    /// Takes up what waited for room.
    fn unpark(&mut self) -> Result<(), Over> {
        while self.has_room()
            && let Some((line, is_overtaken)) = self.parked.pop()
        {
            let call = Call::read(&line);
            match &call {
                // As anything that was asked for before a stop, wherever it waits.
                Ok(moves) if is_overtaken && matches!(moves.method.as_str(), "command" | "submit" | "realtime") => {
                    let why = "a stop came after it: it was not carried out";
                    self.reply(moves.id.as_ref(), Err(Problem::new(Code::Refused, why)))?;
                }
                _ => self.asked(line.len(), call)?,
            }
        }
        Ok(())
    }

    /// Anything but a stop, in a line so long.
    fn asked(&mut self, length: usize, call: Result<Call, (Value, Problem)>) -> Result<(), Over> {
        let now = Instant::now();
        if self.heard.is_none_or(|last| now - last >= HEARD_EVERY) {
            self.heard = Some(now);
            if self.greeted {
                self.house.port.tell(PeopleNews::Heard(self.id));
            }
        }
        match call {
            Err((id, problem)) => self.reply(Some(&id), Err(problem)),
            Ok(call)
                if length > LONGEST_COMMAND && matches!(call.method.as_str(), "command" | "submit" | "control") =>
            {
                let why = format!("no command is longer than {LONGEST_COMMAND} bytes; this one has {length}");
                self.reply(call.id.as_ref(), Err(Problem::new(Code::Params, why)))
            }
            Ok(call) => match self.request(&call) {
                // Answered when the command has ended.
                Ok(None) => Ok(()),
                Ok(Some(result)) => self.reply(call.id.as_ref(), Ok(result)),
                Err(problem) => self.reply(call.id.as_ref(), Err(problem)),
            },
        }
    }

    fn reply(&mut self, id: Option<&Value>, result: Result<Value, Problem>) -> Result<(), Over> {
        match id {
            Some(id) => self.say(wire::answer(id, result)),
            None => Ok(()),
        }
    }

    fn say(&mut self, message: String) -> Result<(), Over> {
        for line in wire::lines(message) {
            // There is room unless the client does not read: then it has no use for the rest either.
            self.out.put(line).map_err(|_| Over)?;
        }
        Ok(())
    }

    /// There is a place for what it may say: at once, or parked.
    fn may_be_read(&self) -> bool {
        self.has_room() || self.parked.has_room()
    }

    /// Its answers find a place. While they do not, nothing but a stop is carried out for it.
    fn has_room(&self) -> bool {
        self.out.room() > ROOM_FOR_ANSWERS / 2 + self.waiting.len()
    }

    /// Something is to be done as soon as the client has taken more.
    fn waits_for_room(&self) -> bool {
        let waits = self.news.is_some() && self.every.is_some();
        !self.has_room() || waits && !self.out.is_taken() || self.is_gap_untold()
    }

    fn news(&mut self, news: Result<News, HubGone>) -> Result<(), Over> {
        match news {
            Ok(News::Snapshot(snapshot)) => self.news = Some(snapshot),
            Ok(News::Log(LogEvent::Entry(entry))) => self.entry(&entry)?,
            Ok(News::Log(LogEvent::Gap(count))) => {
                self.lose(count);
                self.give_up_waiting("the end of this command was lost among too many log entries")?;
            }
            Ok(News::Answer(answer)) => self.say(wire::notification("answer", &json!({"answer": answer})))?,
            Err(HubGone) => {
                self.give_up_waiting("the hub has ended before this command")?;
                let _ = self.say(wire::notification("end", &json!({"why": "the hub has ended"})));
                return Err(Over);
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &LogEntry) -> Result<(), Over> {
        self.seen = entry.id;
        if let LogItem::Outcome { ticket, outcome, latency, .. } = &entry.what
            && let Some(id) = self.waiting.remove(ticket)
        {
            let result = json!({"ticket": ticket, "outcome": outcome, "latency_us": latency.as_micros() as u64});
            self.say(wire::answer(&id, Ok(result)))?;
        }
        if !self.events || is_wire(entry) && !self.wire {
            return Ok(());
        }
        if !self.has_room_for_events() {
            self.lose(1);
            return Ok(());
        }
        self.tell_gap()?;
        self.say(wire::notification("event", &json!({"entry": entry})))
    }

    /// Entries were left out: told before the next one, or as soon as there is room, since there may be none for long.
    fn tell_gap(&mut self) -> Result<(), Over> {
        if !self.is_gap_untold() || !self.has_room_for_events() {
            return Ok(());
        }
        let count = self.lost - self.lost_told;
        self.lost_told = self.lost;
        self.say(wire::notification("gap", &json!({"count": count})))
    }

    const fn is_gap_untold(&self) -> bool {
        self.events && self.lost > self.lost_told
    }

    /// Log entries leave room for answers, and for those of commands that are under way.
    fn has_room_for_events(&self) -> bool {
        self.out.room() > ROOM_FOR_ANSWERS + self.waiting.len()
    }

    fn lose(&mut self, count: u64) {
        self.lost += count;
        self.house.counted.drop_entries(count);
    }

    /// Nobody will tell any more what became of these commands.
    fn give_up_waiting(&mut self, why: &str) -> Result<(), Over> {
        for id in std::mem::take(&mut self.waiting).into_values() {
            let why = format!("{why}: it is not known whether it was carried out, see sunmill audit");
            self.say(wire::answer(&id, Err(Problem::new(Code::Unknown, why))))?;
        }
        Ok(())
    }

    /// When the state is to be sent. `None`: there is no news, it was not asked for, or the client has not taken all that
    /// was sent before.
    fn state_due(&self) -> Option<Instant> {
        (self.news.is_some() && self.every.is_some() && self.out.is_taken()).then_some(self.next_state)
    }

    fn state(&mut self) -> Result<(), Over> {
        let (Some(snapshot), Some(every)) = (self.news.take(), self.every) else { return Ok(()) };
        self.next_state = Instant::now() + every;
        let Some(state) = self.house.written.of(&snapshot) else { return Ok(()) };
        if let Some(patch) = patch::diff(&self.shown, &state) {
            self.shown = state;
            self.say(wire::notification("state", &json!({"rev": snapshot.rev, "patch": patch})))?;
        }
        Ok(())
    }

    /// The client is gone: what needs it alive ends at once.
    async fn leave(self) {
        if self.may_jog_still() {
            self.hub.realtime(Realtime::JogCancel);
        }
        if self.greeted {
            self.house.port.tell_surely(PeopleNews::Gone(self.id)).await;
        }
    }

    /// A jog of this client may be under way. One by a lease has ended by itself when that is over; a step takes its time, and is
    /// of this client as long as nobody else is in control.
    fn may_jog_still(&self) -> bool {
        let Some(at) = self.jogged else { return false };
        let snapshot = self.hub.snapshot();
        let jogs = snapshot.machine.state.is_some_and(|state| state.kind == StateKind::Jog);
        let is_others = snapshot.people.control.as_ref().is_some_and(|control| control.client != self.id);
        at.elapsed() < MAX_LEASE || jogs && !is_others
    }
}

/// What this call stops, if it is one that stops.
fn stop_of(call: &Call) -> Option<Realtime> {
    match call.method.as_str() {
        "stop" => Some(Realtime::Stop),
        "hold" => Some(Realtime::FeedHold),
        "stop_program" => Some(Realtime::StopProgram),
        "jog_cancel" => Some(Realtime::JogCancel),
        "door" => Some(Realtime::SafetyDoor),
        "reset" => Some(Realtime::SoftReset),
        "realtime" => STOPS.into_iter().find(|stop| call.params["realtime"] == json!(stop)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
