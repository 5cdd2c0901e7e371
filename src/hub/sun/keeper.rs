//! The hub's part in rules and parking: carries out what they say, tells people, writes it down.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::energy::EnergyHub;
use super::headroom::Headroom;
use super::look::{View, spindle_turns};
use super::notices::Notices;
use super::park::{Act, Parking, out_of_reach};
use super::plan::PlanHub;
use super::setup::{ParkPlace, StartSetup, SunSetup};
use super::spindle::Waiting;
use super::start::Marked;
use super::turning::Turning;
use super::watch::Watch;
use crate::driver::machine::{Event, EventKind, OrderKind};
use crate::grbl::Line;
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::command::{Command, Origin, Outcome, Realtime, TicketId, VoidReason};
use crate::model::hub::Request;
use crate::model::legal;
use crate::model::log::LogItem;
use crate::model::machine::{MachineState, MessageLevel, StateKind};
use crate::model::program::RunId;
use crate::model::sun::{Action, Firing, ParkStep, RuleState, Seen, Sun, SunOrder, SunStart, Truth, WhenUnknown};
use crate::store::now_ms;

/// What the hub holds of rules and parking.
#[derive(Debug, Default)]
pub(in crate::hub) struct SunHub {
    pub(super) watches: Vec<Watch>,
    pub(super) place: ParkPlace,
    parking: Option<Parking>,
    /// The line of parking that is under way.
    ticket: Option<TicketId>,
    /// Newer than the last key that parking itself has pressed: what voids it is a stop by somebody else.
    guard: TicketId,
    /// Rules that a person has set aside, since when.
    pub(super) aside: BTreeMap<String, Time>,
    /// When each rule fired last.
    fired: Vec<Option<Firing>>,
    /// The program that runs.
    run: Option<RunId>,
    notices: Notices,
    /// What programs draw.
    pub(super) energy: EnergyHub,
    /// The room for a spindle start, where that is looked at.
    pub(super) headroom: Option<Headroom>,
    /// A spindle start that was found.
    pub(super) waiting: Option<Waiting>,
    /// What is known of the spindle.
    pub(super) turning: Turning,
    /// When a person let a key go that starts the spindle again.
    pub(super) let_go: Option<Time>,
    /// When the sun may start a program.
    pub(super) start: Option<StartSetup>,
    /// Programs that wait for it, in the order of the queue: the first one is next.
    pub(super) marks: Vec<Marked>,
    /// How the last one ended that waited, until a person has read that.
    pub(super) ended_start: Option<SunStart>,
    /// The last start that the sun has made.
    pub(super) by_sun: Option<TicketId>,
    /// What the battery will do.
    pub(super) plan: PlanHub,
}

impl SunHub {
    /// How often rules are looked at while nothing happens: values grow old, times pass.
    pub(in crate::hub) const TICK: Duration = Duration::from_millis(500);

    /// Something has to be looked at although nothing happens.
    pub(in crate::hub) fn is_awake(&self) -> bool {
        let planned = self.plan.tell.is_some();
        !self.watches.is_empty() || self.is_parking() || self.headroom.is_some() || self.waits_for_sun() || planned
    }

    fn is_parking(&self) -> bool {
        self.parking.as_ref().is_some_and(|parking| parking.shown.step.is_open())
    }
}

impl Keeper {
    /// Takes the rules.
    pub(in crate::hub) fn begin_sun(&mut self, setup: SunSetup) {
        let now = self.clock.now();
        self.sun.fired = vec![None; setup.rules.len()];
        self.sun.watches = setup.rules.into_iter().map(|rule| Watch::new(rule, now)).collect();
        self.sun.place = setup.park;
        self.sun.energy = EnergyHub::new(setup.taught, setup.rated_w);
        self.sun.headroom = setup.spindle.map(Headroom::new);
        self.sun.start = setup.start;
        self.sun.plan.planning = setup.planning;
        self.show_sun();
        self.look_at_rules(now);
    }

    /// Time has passed.
    pub(in crate::hub) fn sun_tick(&mut self) {
        let now = self.clock.now();
        self.look_at_rules(now);
        self.go_on_parking(now);
    }

    /// Something happened at the machine; it has been folded already.
    pub(in crate::hub) fn sun_event(&mut self, event: &Event) {
        self.measure_machine(event.at);
        self.follow_program();
        self.follow_spindle(event);
        self.look_at_spindle(event.at);
        self.start_event(event);
        if self.snapshot.sun.park_place != out_of_reach(&self.sun.place, &self.snapshot.machine) {
            self.show_sun();
        }
        if !self.sun.is_parking() {
            return;
        }
        if let EventKind::Asked(askers) = &event.what {
            let person = askers.iter().find(|(asked, who)| *who != Origin::Hub && goes_before_parking(*asked));
            if let (Some((_, who)), Some(parking)) = (person, &mut self.sun.parking) {
                parking.interrupted(&format!("{who} has stopped or resumed the machine"));
            }
        }
        self.go_on_parking(event.at);
    }

    /// A line of parking has ended. `true`: it was one.
    pub(in crate::hub) fn park_outcome(&mut self, at: Time, ticket: TicketId, outcome: &Outcome) -> bool {
        if self.sun.ticket != Some(ticket) {
            return false;
        }
        self.sun.ticket = None;
        if let Some(parking) = &mut self.sun.parking {
            parking.line_ended(outcome);
        }
        self.go_on_parking(at);
        true
    }

    /// An order about rules and parking.
    pub(in crate::hub) fn sun_order(&mut self, request: &Request, order: &SunOrder, now: Time) -> Outcome {
        if let Err(refused) = legal::check(&Command::Sun(order.clone()), &self.snapshot, now) {
            return Outcome::Refused(refused);
        }
        match order {
            SunOrder::Park => {
                let who = self.snapshot.people.words(&request.origin);
                self.park(now, "asked for by a person".to_owned(), who);
            }
            SunOrder::SetAside { rule } => {
                self.sun.aside.insert(rule.clone(), now);
            }
            SunOrder::TakeBack { rule } => {
                self.sun.aside.remove(rule);
                // What it would have done in the meantime it does now, if that still holds.
                let taken_back = self.sun.watches.iter_mut().filter(|watch| watch.rule.name == *rule);
                taken_back.for_each(|watch| watch.latched = false);
                self.look_at_rules(now);
            }
            SunOrder::StartWhenSun(run) => {
                if let Err(refused) = self.mark_for_sun(request, run, now) {
                    return Outcome::Refused(refused);
                }
            }
            SunOrder::CancelStart => self.cancel_start(now, &request.origin),
            SunOrder::CancelStartOf { path } => self.cancel_start_of(now, path, &request.origin),
            SunOrder::SpindleGo { .. } => self.spindle_go(&request.origin, now),
            SunOrder::SpindleDrop => {
                self.drop_spindle(now, &Outcome::Voided { why: VoidReason::Stop, sent: false });
            }
            SunOrder::Dismiss => {
                self.sun.notices = Notices::default();
                self.sun.parking.take_if(|parking| !parking.shown.step.is_open());
                self.sun.ended_start = None;
            }
        }
        self.show_sun();
        Outcome::Done
    }

    /// A program has begun or is over: what was set aside for it counts no longer.
    fn follow_program(&mut self) {
        let run = self.snapshot.programs.run.as_ref().filter(|run| run.state.is_open()).map(|run| run.id);
        if run == self.sun.run {
            return;
        }
        let now = self.clock.now();
        match std::mem::replace(&mut self.sun.run, run) {
            Some(_) => {
                self.sun.aside.clear();
                // What its lines have left may be told late.
                self.sun.turning.switched(now);
            }
            None => self.sun.watches.iter_mut().for_each(Watch::begin_program),
        }
        self.look_at_rules(now);
    }

    /// The inverter that is meant where none is named.
    pub(super) fn only_inverter(&self) -> Option<String> {
        match self.snapshot.power.inverters.as_slice() {
            [one] => Some(one.known.name.clone()),
            _ => None,
        }
    }

    /// Looks at the room for a spindle start.
    pub(super) fn look_at_headroom(&mut self, now: Time) {
        let only = self.only_inverter();
        let Some(headroom) = &mut self.sun.headroom else { return };
        let inverter = headroom.need.inverter.clone().or(only);
        let park = self.sun.place.takes;
        headroom.look(&View { snapshot: &self.snapshot, inverter: inverter.as_deref(), park, now });
    }

    /// Looks at all rules and at what waits for power, and does what those say that fire.
    pub(in crate::hub) fn look_at_rules(&mut self, now: Time) {
        self.tell_battery(now);
        self.look_at_headroom(now);
        self.look_at_conditions(now);
        self.look_at_spindle(now);
        self.look_at_start(now);
    }

    fn look_at_conditions(&mut self, now: Time) {
        if self.sun.watches.is_empty() {
            return;
        }
        let only = self.only_inverter();
        let mut firing = Vec::new();
        for (place, watch) in self.sun.watches.iter_mut().enumerate() {
            let inverter = watch.rule.inverter.clone().or_else(|| only.clone());
            let park = self.sun.place.takes;
            let view = View { snapshot: &self.snapshot, inverter: inverter.as_deref(), park, now };
            // Set aside it fires as well, and is told once; taken back, it acts as if it had never fired.
            if watch.look(&view) {
                firing.push(place);
            }
        }
        // The strongest first: what a stronger one has stopped a weaker one finds standing.
        firing.sort_by_key(|place| Reverse(self.sun.watches.get(*place).map(|watch| watch.rule.action)));
        for place in firing {
            self.fire(now, place);
        }
        self.show_sun();
    }

    fn fire(&mut self, now: Time, place: usize) {
        let Some(watch) = self.sun.watches.get(place) else { return };
        let (name, action) = (watch.rule.name.clone(), watch.rule.action);
        let values: Vec<String> = watch.seen.iter().map(|seen| seen.words(now)).collect();
        let why = format!("{}: {}", watch.rule.when, values.join(", "));
        let is_aside = self.sun.aside.contains_key(&name);
        let did = if is_aside {
            "a person has set it aside: nothing was done".to_owned()
        } else {
            self.act(now, &name, action, &why)
        };
        let text = format!("rule {name:?} fired, {why}; {did}");
        self.audit.note(&format!("rule {name}"), format!("{why}; {did}"));
        self.journal.write(now, LogItem::Note { level: MessageLevel::Warning, text });
        let firing = Firing { rule: name, at: now, at_ms: now_ms(), why, did };
        if !is_aside {
            self.sun.notices.take(action, firing.clone());
        }
        self.sun.fired[place] = Some(firing);
    }

    /// Does what a rule says. What was done, in words.
    fn act(&mut self, now: Time, rule: &str, action: Action, why: &str) -> String {
        if action.acts() && !self.is_busy() {
            return "nothing ran, so nothing was stopped".to_owned();
        }
        if self.sun.is_parking() && action.acts() {
            // A stop of one's own would look like one of a person, who goes before parking.
            return "it was being parked already".to_owned();
        }
        if matches!(action, Action::Hold | Action::Door) {
            return self.stop_motion(action == Action::Door, now);
        }
        match action {
            Action::Notify | Action::Hold | Action::Door => "people were told".to_owned(),
            Action::BlockStart => "no program is started while it holds".to_owned(),
            Action::DelaySpindle => "a spindle start waits while it holds".to_owned(),
            Action::Park => match legal::check(&Command::Sun(SunOrder::Park), &self.snapshot, now) {
                Ok(()) => {
                    self.park(now, format!("rule {rule:?}, {why}"), format!("rule {rule}"));
                    "the machine is being parked".to_owned()
                }
                Err(refused) => format!("NOT parked: {refused}"),
            },
        }
    }

    /// Feed hold, or the safety door, where that does what a rule means by it. What was done, in words.
    fn stop_motion(&mut self, door: bool, now: Time) -> String {
        let machine = &self.snapshot.machine;
        let full = machine.fresh_state(now);
        let state = full.map(|state| state.kind);
        // From 3 on it goes on after the door: spindle first, then motion.
        let leaves = state == Some(StateKind::Door) && full.is_some_and(|state| state.sub >= Some(3));
        let jogs = machine.jog.is_some() || state == Some(StateKind::Jog);
        let open = self.snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
        if machine.homing || state == Some(StateKind::Home) {
            // A hold does nothing there, and all that would stop it is an alarm that costs the position.
            return "the machine is homing, which only a reset would stop: nothing was stopped".to_owned();
        }
        if door {
            if state == Some(StateKind::Door) && !leaves {
                return "the safety door was open already".to_owned();
            }
            self.latch.set(Realtime::SafetyDoor);
            return "the safety door was opened, which stops motion and spindle; a person resumes".to_owned();
        }
        let said = match state {
            _ if leaves => "the safety door was opened again; a person resumes",
            Some(StateKind::Hold | StateKind::Held | StateKind::Door | StateKind::Tool) => {
                "the machine stands already; a person resumes"
            }
            Some(StateKind::Idle) if !open && !jogs => {
                "nothing moves, so there is nothing to hold; THE SPINDLE STILL TURNS"
            }
            Some(StateKind::Idle) if open => "the program was held before its next line; a person resumes",
            _ if jogs => "the jog was ended",
            None => "feed hold was sent, but the machine does not tell what it does; a person resumes",
            _ => "feed hold was sent; a person resumes",
        };
        // In Idle too: a line may be on its way of which no report tells yet. Where there is none, no byte is sent.
        self.latch.set(Realtime::FeedHold);
        said.to_owned()
    }

    /// A program is open, something moves, or the spindle turns.
    pub(super) fn is_busy(&self) -> bool {
        let machine = &self.snapshot.machine;
        // Homing may be under way before a report says so, and Grbl says nothing during it.
        let moves = machine.state.is_some_and(MachineState::is_moving) || machine.jog.is_some() || machine.homing;
        let runs = self.snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
        // After a lost link nothing is told of it for a while; in an alarm nothing that could be sent stops it.
        let may_turn = self.sun.turning.may_turn() && machine.alarm.is_none();
        runs || moves || spindle_turns(machine).unwrap_or(may_turn)
    }

    fn park(&mut self, now: Time, why: String, who: String) {
        self.audit.note(&who, format!("parking begins: {why}"));
        let text = format!("parking begins: {why}");
        self.journal.write(now, LogItem::Note { level: MessageLevel::Warning, text });
        self.drop_spindle(now, &Outcome::Voided { why: VoidReason::Stop, sent: false });
        let place = self.sun.place.clone();
        let (parking, acts) = Parking::begin(why, who, place, &self.snapshot.machine, now);
        self.sun.parking = Some(parking);
        self.sun.guard = self.latch.next_ticket();
        self.carry_out_park(now, acts);
    }

    fn go_on_parking(&mut self, now: Time) {
        let Some(parking) = self.sun.parking.as_mut() else { return };
        let before = parking.shown.step.clone();
        let program_open = self.snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
        let acts = parking.look(&self.snapshot.machine, program_open, now);
        let failed = matches!(parking.shown.step, ParkStep::Failed(_));
        self.carry_out_park(now, acts);
        if failed && program_open {
            // It goes on, or is stopped by somebody else, who has a reason of his own.
            self.not_stopped_after_all();
        }
        let Some(parking) = self.sun.parking.as_ref() else { return };
        if parking.shown.step != before || self.snapshot.sun.park.as_ref() != Some(&parking.shown) {
            self.tell_if_parked(now);
            self.show_sun();
        }
    }

    fn carry_out_park(&mut self, now: Time, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Realtime(realtime) => {
                    self.latch.set(realtime);
                    self.sun.guard = self.latch.next_ticket();
                }
                Act::Journal => {
                    let why = self.sun.parking.as_ref().map(|parking| format!("parked: {}", parking.shown.why));
                    self.journal_before_stop(now, why.unwrap_or_default());
                }
                Act::Line(text) => self.send_park_line(&text),
            }
        }
    }

    fn send_park_line(&mut self, text: &str) {
        let firmware = self.snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
        let sent = match Line::new(text, firmware) {
            // A stop of a person that is not heard of yet is older than the line's own ticket would be.
            _ if self.latch.is_void(self.sun.guard, false) => Err("somebody has stopped the machine".to_owned()),
            Ok(line) => {
                let ticket = self.latch.next_ticket();
                self.send(ticket, OrderKind::Line(line)).map(|()| ticket).map_err(|outcome| outcome.to_string())
            }
            Err(why) => Err(why.to_string()),
        };
        match (sent, &mut self.sun.parking) {
            (Ok(ticket), _) => self.sun.ticket = Some(ticket),
            (Err(why), Some(parking)) => parking.interrupted(&format!("{text} was not sent: {why}")),
            (Err(_), None) => {}
        }
    }

    /// Parking is over, one way or the other: it stands in log and audit.
    fn tell_if_parked(&mut self, now: Time) {
        let Some(parking) = self.sun.parking.as_ref().filter(|parking| !parking.shown.step.is_open()) else { return };
        if self.snapshot.sun.park.as_ref().is_some_and(|shown| shown.step == parking.shown.step) {
            return;
        }
        let shown = &parking.shown;
        let notes = shown.told();
        let text = match &shown.step {
            ParkStep::Failed(why) => format!("parking was {why}{notes}"),
            step => format!("parked: {}{notes}", step.words()),
        };
        self.audit.note(&shown.who.clone(), text.clone());
        self.journal.write(now, LogItem::Note { level: MessageLevel::Warning, text });
    }

    /// Brings rules and parking into the snapshot.
    pub(super) fn show_sun(&mut self) {
        let sun = &self.sun;
        let states = sun.watches.iter().zip(&sun.fired).map(|(watch, fired)| RuleState {
            name: watch.rule.name.clone(),
            when: watch.rule.when.text.clone(),
            action: watch.rule.action,
            truth: watch.truth,
            since: watch.since,
            seen: watch.seen.clone(),
            fired: fired.clone(),
            latched: watch.latched,
            aside: sun.aside.get(&watch.rule.name).copied(),
            blocks: blocks(watch),
        });
        let park = sun.parking.as_ref().map(|parking| parking.shown.clone());
        let spindle = sun.waiting.as_ref().and_then(Waiting::shown);
        let now = self.clock.now();
        let mut waiting = sun.marks.iter().map(|marked| marked.shown(now));
        let shown = Sun {
            rules: states.collect(),
            park,
            notice: sun.notices.first(),
            notices: sun.notices.rest(),
            drawn: sun.energy.drawn,
            knows: Arc::clone(&sun.energy.knows),
            spindle,
            start: waiting.next().or_else(|| sun.ended_start.clone()),
            behind: waiting.collect(),
            start_allowed: sun.start.is_some(),
            park_place: out_of_reach(&sun.place, &self.snapshot.machine),
            plan: sun.plan.made.clone(),
        };
        if *self.snapshot.sun != shown {
            self.snapshot.sun = Arc::new(shown);
            self.snapshot.rev += 1;
        }
    }
}

/// Why no program is started because of a rule: it would be stopped at once, or a person wants it so.
fn blocks(watch: &Watch) -> Option<String> {
    reason(watch, watch.truth == Truth::True && watch.rule.action.blocks_start())
}

/// Why a rule keeps something back: its condition holds and that counts, or it is not known and a person wants that to count.
pub(super) fn reason(watch: &Watch, holds: bool) -> Option<String> {
    let words = |seen: &Seen| match &seen.unknown {
        Some(why) => format!("{} unknown: {why}", seen.name),
        None => format!("{} {}", seen.name, seen.shown),
    };
    match watch.truth {
        Truth::True if holds => {
            Some(format!("{} ({})", watch.rule.when, watch.seen.iter().map(words).collect::<Vec<_>>().join(", ")))
        }
        Truth::Unknown if watch.rule.unknown == WhenUnknown::BlockStart => {
            let missing = watch.seen.iter().filter(|seen| seen.unknown.is_some());
            let missing = missing.map(words).collect::<Vec<_>>().join(", ");
            Some(format!("it is not known whether {} ({missing})", watch.rule.when))
        }
        Truth::True | Truth::False | Truth::Unknown => None,
    }
}

/// Whoever does that has taken over: parking does not go on over the head of a person.
const fn goes_before_parking(realtime: Realtime) -> bool {
    matches!(
        realtime,
        Realtime::Stop
            | Realtime::FeedHold
            | Realtime::StopProgram
            | Realtime::SoftReset
            | Realtime::JogCancel
            | Realtime::CycleStart
            | Realtime::SafetyDoor
            | Realtime::SpindleStop
    )
}
