//! What the hub writes into the audit: every command with its end, realtime keys, stops, alarms. A jog gesture is one row.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::watch;

use super::ledger::Entry;
use super::run::Keeper;
use crate::driver::machine::{Event, EventKind};
use crate::grbl;
use crate::grbl::event::ResetCause;
use crate::model::audit::{ASKED, Asker, AuditKind, AuditRow};
use crate::model::command::{ClientId, Command, Origin, Outcome, OverrideStep, RapidStep, Realtime};
use crate::model::latch::is_same_kind;
use crate::model::machine::AlarmInfo;
use crate::model::people::Person;
use crate::model::power::PowerOrder;
use crate::model::snapshot::{LinkState, Stop, StopPhase};
use crate::model::time::Time;
use crate::store::{Store, now_ms};

/// Taps of the same key are one gesture while no more than this lies between them.
const GESTURE_GAP: Duration = Duration::from_secs(2);
/// Clients whose names are known at a time; more than may be attached.
const NAMES: usize = 256;
/// What happened by itself.
const MACHINE: &str = "machine";

/// The hub's end of the audit. Without a store nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Audit {
    store: Option<Store>,
    gesture: Option<Gesture>,
    /// The last stop, until the machine was seen to obey, and who asked for it.
    stop: Option<(Stop, Origin)>,
    /// Who asked last for each kind of realtime action.
    askers: Vec<(Realtime, Origin)>,
    /// Who the clients are; some that have left too, since what they asked for may end later.
    names: VecDeque<(ClientId, Name)>,
}

/// How a client is called in the audit.
#[derive(Debug)]
struct Name {
    /// Before its number. `None`: the number says all there is to say.
    words: Option<String>,
    asker: Asker,
}

/// The same thing done again and again by the same one.
#[derive(Debug)]
struct Gesture {
    row: AuditRow,
    first: Time,
    last: Time,
    /// How often, where that says something.
    times: Option<u32>,
}

/// What the audit has to know of a command while it is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Audited {
    kind: AuditKind,
    counted: bool,
    /// Each register gets a row of its own.
    by_register: bool,
}

impl Audited {
    pub(super) fn of(command: &Command) -> Self {
        let kind = match command {
            Command::JogStep { .. } | Command::JogContinue { .. } => AuditKind::Jog,
            Command::Mdi(_) => AuditKind::Mdi,
            Command::SetWork { .. } | Command::Work(_) => AuditKind::Offset,
            Command::SetSetting { .. }
            | Command::ReadSettings
            | Command::BackupSettings
            | Command::CompareBackup { .. }
            | Command::RestoreSettings { .. }
            | Command::Power(_) => AuditKind::Setting,
            Command::Program(_) => AuditKind::Run,
            Command::Control(_) => AuditKind::Lease,
            Command::Home(_)
            | Command::Unlock
            | Command::GoTo(_)
            | Command::Switch(_)
            | Command::UsePort(_)
            | Command::Sun(_) => AuditKind::Command,
        };
        let by_register = matches!(command, Command::Power(PowerOrder::Set { .. }));
        Self { kind, counted: matches!(command, Command::JogStep { .. }), by_register }
    }
}

impl Audit {
    pub(super) fn new(store: Option<Store>) -> Self {
        Self { store, ..Self::default() }
    }

    /// A client is this one from now on.
    pub(super) fn name(&mut self, person: &Person) {
        let uid = person.uid.map_or_else(String::new, |uid| format!(" (uid {uid})"));
        let words = (!person.local).then(|| format!("{}{uid} at {}", person.user, person.from));
        let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let asker = Asker {
            user: said(&person.user),
            uid: person.uid,
            client: Some(person.id.0),
            program: said(&person.program),
            place: said(&person.from),
        };
        self.names.truncate(NAMES - 1);
        self.names.push_front((person.id, Name { words, asker }));
    }

    fn name_of(&self, origin: &Origin) -> Option<&Name> {
        let client = origin.client()?;
        self.names.iter().find(|(id, _)| *id == client).map(|(_, name)| name)
    }

    /// Who asked: user, number and place where they are known.
    pub(super) fn words(&self, origin: &Origin) -> String {
        let words = self.name_of(origin).and_then(|name| name.words.as_ref());
        words.map_or_else(|| origin.to_string(), |words| format!("{words}, {origin}"))
    }

    /// The same, taken apart.
    pub(super) fn asker(&self, origin: &Origin) -> Asker {
        let unnamed = || Asker { client: origin.client().map(|client| client.0), ..Asker::default() };
        self.name_of(origin).map_or_else(unnamed, |name| name.asker.clone())
    }

    /// Somebody was not let in.
    pub(super) fn turned_away(&mut self, who: String, what: String) {
        let outcome = "not let in".to_owned();
        let by = Asker { place: Some(who.clone()), ..Asker::default() };
        self.write(AuditRow { who, by, outcome, ..happened(AuditKind::Note, what) });
    }

    /// The store, for what else is kept in it.
    pub(super) const fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// A command is under way: it stands in the audit before it is answered, since sunmill may be killed meanwhile. Jogs do
    /// not: they are many, and end by themselves within their lease. Nor do settings of inverters, each of which gets a row.
    pub(super) fn asked(&mut self, at: Time, entry: &mut Entry) {
        if entry.audited.kind == AuditKind::Jog || entry.audited.by_register {
            return;
        }
        let row = self.row_of(at, entry, ASKED.to_owned());
        entry.asked_ms = Some(row.at_ms);
        self.write(row);
    }

    /// A command has ended.
    pub(super) fn outcome(&mut self, at: Time, entry: &Entry, outcome: &Outcome) {
        let row = self.row_of(at, entry, outcome.to_string());
        if row.kind == AuditKind::Jog {
            return self.gesture(entry.ticket.at, at, row, entry.audited.counted);
        }
        let row = AuditRow { took_ms: Some(entry.latency(at).as_millis() as u64), ..row };
        self.end_gesture();
        match (&self.store, entry.asked_ms) {
            (Some(store), Some(_)) => store.audit_end(row),
            (Some(store), None) => store.audit(row),
            (None, _) => {}
        }
    }

    /// Realtime keys, stops and resets. Alarms are told by [`alarm`](Self::alarm).
    pub(super) fn event(&mut self, event: &Event) {
        if self.gesture.as_ref().is_some_and(|gesture| event.at.since(gesture.last) > GESTURE_GAP) {
            self.end_gesture();
        }
        match &event.what {
            EventKind::Asked(askers) => self.askers_are(event.at, askers),
            EventKind::Link(LinkState::Down { .. }) => self.give_up_stop(event.at, "the link is down"),
            EventKind::Session(grbl::Event::SentRealtime(realtime)) => self.realtime(event.at, *realtime),
            EventKind::Session(grbl::Event::Stop(stop)) => self.stop(event.at, stop),
            EventKind::Session(grbl::Event::Reset { cause: ResetCause::ByItself, banner }) => {
                self.write(happened(AuditKind::Note, format!("the controller restarted by itself ({banner})")));
            }
            _ => {}
        }
    }

    /// An alarm came, or told its code.
    pub(super) fn alarm(&mut self, info: Option<&AlarmInfo>) {
        let what = match info {
            Some(info) => format!("ALARM:{} {}", info.code, info.meaning),
            None => "alarm, no code told".to_owned(),
        };
        self.write(happened(AuditKind::Alarm, what));
    }

    /// Something was seen, of which this one tells.
    pub(super) fn note(&mut self, who: &str, what: String) {
        self.write(AuditRow { who: who.to_owned(), ..happened(AuditKind::Note, what) });
    }

    /// Who is in control has changed without an order of its own.
    pub(super) fn lease(&mut self, whose: &Origin, what: &str, outcome: &str) {
        let (who, by) = (self.words(whose), self.asker(whose));
        self.write(AuditRow { who, by, outcome: outcome.to_owned(), ..happened(AuditKind::Lease, what.to_owned()) });
    }

    /// Something that is told in a row of its own.
    pub(super) fn row(&mut self, row: AuditRow) {
        self.write(row);
    }

    fn askers_are(&mut self, at: Time, askers: &[(Realtime, Origin)]) {
        let stronger = askers.iter().map(|(asked, _)| *asked).max_by_key(|asked| strength(*asked));
        for (realtime, origin) in askers {
            self.askers.retain(|(old, _)| !is_same_kind(*old, *realtime));
            let weaker = strength(*realtime).zip(stronger.and_then(strength)).is_some_and(|(this, most)| this < most);
            match stronger.filter(|_| weaker) {
                // Asked for at the same time, so that only the stronger one is carried out.
                Some(by) => {
                    let stop = Stop { asked: *realtime, at, phase: StopPhase::Sent };
                    self.write_stop(
                        at,
                        &stop,
                        origin,
                        format!("overtaken by the {} of the same moment", stop_words(by)),
                    );
                }
                None => self.askers.push((*realtime, origin.clone())),
            }
        }
    }

    /// Who asked for it; sunmill itself where nobody did.
    fn who(&self, realtime: Realtime) -> Origin {
        let asked = self.askers.iter().find(|(asked, _)| is_same_kind(*asked, realtime));
        asked.map_or(Origin::Hub, |(_, origin)| origin.clone())
    }

    /// Who asked for a stop. It is told once: a later stop of the same kind that nobody asks for is sunmill's own.
    fn stopper(&mut self, asked: Realtime) -> Origin {
        let who = self.who(asked);
        self.askers.retain(|(old, _)| !is_same_kind(*old, asked));
        who
    }

    fn realtime(&mut self, at: Time, realtime: Realtime) {
        let Some(what) = name(realtime) else { return };
        let who = self.who(realtime);
        let row = AuditRow {
            at_ms: now_ms(),
            kind: AuditKind::Realtime,
            who: self.words(&who),
            by: self.asker(&who),
            what,
            outcome: "sent".to_owned(),
            took_ms: None,
        };
        self.gesture(at, at, row, true);
    }

    /// One row when it is known whether the machine obeyed, and another if it does so later.
    fn stop(&mut self, at: Time, stop: &Stop) {
        let is_it = |awaited: &Stop| awaited.at == stop.at && is_same_kind(awaited.asked, stop.asked);
        let is_same = self.stop.as_ref().is_some_and(|(awaited, _)| is_it(awaited));
        let outcome = match &stop.phase {
            StopPhase::Sent => {
                if !is_same {
                    // From a hold a program is ended in two steps: the second is still that of who asked for the first.
                    let asked_anew = self.askers.iter().any(|(asked, _)| is_same_kind(*asked, stop.asked));
                    let goes_on = |before: &Stop| !asked_anew && is_same_kind(before.asked, stop.asked);
                    let who = match self.stop.take_if(|(before, _)| goes_on(before)) {
                        Some((_, who)) => who,
                        None => {
                            self.overtaken(at, stop.asked);
                            self.stopper(stop.asked)
                        }
                    };
                    self.stop = Some((stop.clone(), who));
                }
                return;
            }
            StopPhase::NotNeeded(why) => format!("not needed: {why}"),
            StopPhase::Confirmed => "seen to obey".to_owned(),
            StopPhase::Stopped => "seen to stand still".to_owned(),
            StopPhase::NotConfirmed => "NOT confirmed".to_owned(),
        };
        let awaited = is_same && self.stop.as_ref().is_some_and(|(awaited, _)| awaited.phase != stop.phase);
        if awaited || matches!(stop.phase, StopPhase::NotNeeded(_)) {
            if !is_same {
                self.overtaken(at, stop.asked);
            }
            let known = self.stop.take().map(|(_, who)| who);
            let who = known.unwrap_or_else(|| self.stopper(stop.asked));
            if stop.phase == StopPhase::NotConfirmed {
                self.stop = Some((stop.clone(), who.clone()));
            }
            self.write_stop(at, stop, &who, outcome);
        }
    }

    /// A stop came after another that was not seen through, and never will be by itself.
    fn overtaken(&mut self, at: Time, by: Realtime) {
        self.give_up_stop_as(at, format!("overtaken by the {} that followed", stop_words(by)));
    }

    /// Nobody will see any more whether it was obeyed.
    fn give_up_stop(&mut self, at: Time, why: &str) {
        self.give_up_stop_as(at, format!("NOT confirmed: {why}"));
    }

    fn give_up_stop_as(&mut self, at: Time, outcome: String) {
        if let Some((stop, who)) = self.stop.take().filter(|(stop, _)| stop.phase == StopPhase::Sent) {
            self.write_stop(at, &stop, &who, outcome);
        }
    }

    fn write_stop(&mut self, at: Time, stop: &Stop, who: &Origin, outcome: String) {
        // The end of a jog key is no stop that anybody would look for.
        let Some(what) = stop_name(stop.asked) else { return };
        let took = at.since(stop.at);
        self.write(AuditRow {
            at_ms: now_ms() - millis(took),
            kind: AuditKind::Realtime,
            who: self.words(who),
            by: self.asker(who),
            what: what.to_owned(),
            outcome,
            took_ms: Some(took.as_millis() as u64),
        });
    }

    /// Adds to the gesture under way if this is more of the same; else that one is over and another begins.
    fn gesture(&mut self, from: Time, to: Time, row: AuditRow, counted: bool) {
        if let Some(gesture) = &mut self.gesture {
            let same = (gesture.row.kind, &gesture.row.who, &gesture.row.what) == (row.kind, &row.who, &row.what);
            if same && from.since(gesture.last) <= GESTURE_GAP {
                gesture.last = to;
                gesture.times = gesture.times.map(|times| times + 1);
                if row.outcome != Outcome::Done.to_string() {
                    gesture.row.outcome = row.outcome;
                }
                return;
            }
        }
        self.end_gesture();
        self.gesture = Some(Gesture { row, first: from, last: to, times: counted.then_some(1) });
    }

    fn end_gesture(&mut self) {
        let Some(Gesture { mut row, first, last, times }) = self.gesture.take() else { return };
        if let Some(times) = times.filter(|times| *times > 1) {
            row.what = format!("{} ({times} times)", row.what);
        }
        row.took_ms = Some(last.since(first).as_millis() as u64);
        self.put(row);
    }

    fn write(&mut self, row: AuditRow) {
        self.end_gesture();
        self.put(row);
    }

    fn put(&self, row: AuditRow) {
        if let Some(store) = &self.store {
            store.audit(row);
        }
    }

    fn row_of(&self, at: Time, entry: &Entry, outcome: String) -> AuditRow {
        AuditRow {
            at_ms: entry.asked_ms.unwrap_or_else(|| now_ms() - millis(entry.latency(at))),
            kind: entry.audited.kind,
            who: self.words(&entry.ticket.origin),
            by: self.asker(&entry.ticket.origin),
            what: entry.what.clone(),
            outcome,
            took_ms: None,
        }
    }

    /// The hub ends.
    pub(super) fn finish(&mut self, at: Time) {
        self.give_up_stop(at, "sunmill has ended");
        self.end_gesture();
    }
}

impl Keeper {
    /// How the store is: what is wrong with it is shown on every screen.
    pub(super) fn take_store_trouble(&mut self, trouble: Option<String>) {
        if self.snapshot.programs.store_trouble != trouble {
            self.snapshot.programs.store_trouble = trouble;
            self.snapshot.rev += 1;
        }
    }
}

/// Waits until the store is worse or better than it was. For ever where there is none, or where it was closed.
pub(super) async fn store_news(trouble: &mut Option<watch::Receiver<Option<String>>>) -> Option<String> {
    if let Some(trouble) = trouble
        && trouble.changed().await.is_ok()
    {
        return trouble.borrow_and_update().clone();
    }
    std::future::pending().await
}

fn happened(kind: AuditKind, what: String) -> AuditRow {
    AuditRow {
        at_ms: now_ms(),
        kind,
        who: MACHINE.to_owned(),
        by: Asker::default(),
        what,
        outcome: String::new(),
        took_ms: None,
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The stops of which the session tells what became.
const fn stop_name(asked: Realtime) -> Option<&'static str> {
    Some(match asked {
        Realtime::Stop => "stop",
        Realtime::FeedHold => "feed hold",
        Realtime::StopProgram => "stop program",
        Realtime::SoftReset => "soft reset",
        Realtime::SafetyDoor => "safety door",
        _ => return None,
    })
}

/// How much a stop does. Of several that are asked for in one moment only the strongest is carried out; a door is one beside them.
const fn strength(asked: Realtime) -> Option<u8> {
    Some(match asked {
        Realtime::SoftReset => 4,
        Realtime::StopProgram => 3,
        Realtime::Stop => 2,
        Realtime::FeedHold => 1,
        _ => return None,
    })
}

fn stop_words(asked: Realtime) -> &'static str {
    stop_name(asked).unwrap_or("end of the jog")
}

/// The realtime keys of which nothing else is told.
fn name(realtime: Realtime) -> Option<String> {
    Some(match realtime {
        Realtime::CycleStart => "resume".to_owned(),
        Realtime::FeedOverride(step) => format!("feed override {}", words(step)),
        Realtime::SpindleOverride(step) => format!("spindle override {}", words(step)),
        Realtime::RapidOverride(RapidStep::Full) => "rapid override 100 %".to_owned(),
        Realtime::RapidOverride(RapidStep::Half) => "rapid override 50 %".to_owned(),
        Realtime::RapidOverride(RapidStep::Quarter) => "rapid override 25 %".to_owned(),
        Realtime::SpindleStop => "spindle stop".to_owned(),
        Realtime::FloodToggle => "flood on or off".to_owned(),
        Realtime::MistToggle => "mist on or off".to_owned(),
        _ => return None,
    })
}

const fn words(step: OverrideStep) -> &'static str {
    match step {
        OverrideStep::Reset => "100 %",
        OverrideStep::CoarsePlus => "+10 %",
        OverrideStep::CoarseMinus => "-10 %",
        OverrideStep::FinePlus => "+1 %",
        OverrideStep::FineMinus => "-1 %",
    }
}
