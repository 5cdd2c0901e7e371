//! The linear mode's head: lines and news in, sentences and orders out. Pure; time is an argument.

mod power;
mod sun;
mod takeup;

use std::collections::BTreeMap;
use std::time::Duration;

use super::speech;
use super::words::{WORDS, Word, read};
use crate::model::command::{HomeTarget, TicketId};
use crate::model::desk::Query;
use crate::model::hub::LogEvent;
use crate::model::log::LogItem;
use crate::model::machine::MessageLevel;
use crate::model::power::Wanted;
use crate::model::program::RunId;
use crate::model::snapshot::{LinkState, Snapshot, Stop};
use crate::model::work::{AxisValues, Frame, GoTo, Work, compose, newest_to_undo};
use crate::model::{Axis, AxisSet, AxisVec, Command, Outcome, Realtime, StateKind, Time, Units, legal};
use crate::ui::action::{Action, available};
use crate::ui::console::outcome_text;
use crate::ui::recovery::{AlarmHistory, Does as WayOut, UNLOCK_WORD, guide};
use crate::ui::settings::JogSettings;
use crate::ui::state::{ExitReason, machine_is_busy};
use takeup::{Step, Taking};

/// A yes sooner than this after its question was typed before the question was heard.
const HEARD: Duration = Duration::from_millis(300);
/// A question that nobody answers in this time is over.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where a list of lines was read out before it.
const LONG_PATIENCE: Duration = Duration::from_secs(600);
/// Lines closer together than this were pasted, not typed; those that change anything are dropped.
const QUIET: Duration = Duration::from_millis(100);
/// A second Ctrl+C within this time leaves.
const AGAIN: Duration = Duration::from_secs(3);
/// Commands of this person whose end is still awaited, at most.
const MOST_OPEN: usize = 64;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Say a line.
    Say(String),
    /// A realtime action.
    Realtime(Realtime),
    /// A command; its ticket comes back by [`Talk::submitted`].
    Submit(Command),
    /// A question to the house around the hub; its answer comes back by [`Talk::answered`].
    Ask(Query),
    /// Give the terminal to the shell for a while.
    Suspend,
    /// End.
    Leave(ExitReason),
}

/// What a yes does.
#[derive(Clone, Debug, PartialEq)]
enum Then {
    Submit(Command),
    Realtime(Realtime),
    StopAndLeave,
    /// The next step towards taking up what was interrupted.
    TakeUp(Step),
}

impl Then {
    const fn patience(&self) -> Duration {
        if matches!(self, Self::TakeUp(_)) { LONG_PATIENCE } else { PATIENCE }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Question {
    then: Then,
    /// What has to be typed.
    word: &'static str,
    asked: Time,
}

/// The linear mode's state.
#[derive(Clone, Debug)]
pub struct Talk {
    jog: JogSettings,
    units: Units,
    question: Option<Question>,
    last_line: Option<Time>,
    interrupted: Option<Time>,
    /// Stopping in order to leave.
    leaving: bool,
    /// The input has ended once already.
    input_ended: bool,
    open: Vec<TicketId>,
    link: Option<LinkState>,
    stop: Option<Stop>,
    alarms: AlarmHistory,
    /// A change of a setting whose effect has been asked about.
    checking: Option<(String, Vec<Wanted>)>,
    /// What was said of power: label and text.
    power_told: Vec<(&'static str, String)>,
    /// The last report of written settings that was told, by inverter.
    writes_told: BTreeMap<String, Time>,
    /// The run that is about to be taken up.
    taking: Option<Taking>,
    /// The offer that was told.
    offer_told: Option<RunId>,
    /// The step of parking that was said.
    park_told: Option<String>,
    /// The seconds of a countdown that were said.
    countdown_told: Option<u32>,
}

fn say(text: impl Into<String>) -> Vec<Deed> {
    vec![Deed::Say(text.into())]
}

impl Talk {
    /// With these jog feeds, in this unit.
    pub fn new(jog: JogSettings, units: Units) -> Self {
        Self {
            jog,
            units,
            question: None,
            last_line: None,
            interrupted: None,
            leaving: false,
            input_ended: false,
            open: Vec::new(),
            link: None,
            stop: None,
            alarms: AlarmHistory::default(),
            checking: None,
            power_told: Vec::new(),
            writes_told: BTreeMap::new(),
            taking: None,
            offer_told: None,
            park_told: None,
            countdown_told: None,
        }
    }

    /// What is said first.
    pub fn greet() -> Vec<Deed> {
        [
            "sunmill, plain mode. A software stop is not an emergency stop circuit.",
            "To stop: Ctrl+C, the word stop, or Enter alone while the machine moves.",
            "help lists the words. Any other line is sent as G-code.",
        ]
        .map(|line| Deed::Say(line.to_owned()))
        .into()
    }

    /// A line was typed.
    pub fn line(&mut self, text: &str, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        self.input_ended = false;
        let since_last = self.last_line.replace(now).map(|last| now.since(last));
        // A word that was asked for is an answer, whatever it means elsewhere.
        let asked = self.question.take().filter(|question| now.since(question.asked) < question.then.patience());
        let word = match (&asked, read(text, self.units)) {
            (Some(question), _) if text.trim().eq_ignore_ascii_case(question.word) => {
                Word::Answer(question.word.to_owned())
            }
            (_, Ok(word)) => word,
            (Some(_), Err(_)) => return self.not_done(),
            (None, Err(why)) => return say(why),
        };
        if let Some(deeds) = stop_word(&word, snapshot, now) {
            self.taking = None;
            return deeds;
        }
        if let Some(question) = asked {
            return self.answer(question, &word, snapshot, now);
        }
        let is_harmless = matches!(
            word,
            Word::Nothing
                | Word::Status
                | Word::Position
                | Word::Alarm
                | Word::Help(_)
                | Word::Quit
                | Word::Units(_)
                | Word::Power
                | Word::Sun
                | Word::Inverter(_)
        );
        if !is_harmless && since_last.is_some_and(|gap| gap < QUIET) {
            return say(format!("Dropped: {:?} came together with the line before. Type it by itself.", text.trim()));
        }
        self.word(word, snapshot, now)
    }

    fn answer(&mut self, question: Question, word: &Word, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let yes = matches!(word, Word::Answer(typed) if typed == question.word
            || (question.word == "yes" && typed == "y"));
        if !yes {
            return self.not_done();
        }
        if now.since(question.asked) < HEARD {
            let again = format!("That came before the question could be heard. Type {} again to do it.", question.word);
            self.question = Some(Question { asked: now, ..question });
            return say(again);
        }
        match question.then {
            Then::TakeUp(step) => self.agreed_to(step, snapshot, now),
            Then::Submit(command) => Self::submit(command, snapshot, now),
            Then::Realtime(realtime) => vec![Deed::Realtime(realtime)],
            Then::StopAndLeave => {
                self.leaving = true;
                vec![Deed::Realtime(Realtime::Stop), Deed::Say("Stopping the machine, then leaving.".into())]
            }
        }
    }

    /// What was asked is not wanted.
    fn not_done(&mut self) -> Vec<Deed> {
        self.taking = None;
        say("Not done.")
    }

    fn word(&mut self, word: Word, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let machine = &snapshot.machine;
        match word {
            Word::Nothing => say(speech::brief(machine, self.units, now)),
            Word::Power => {
                let flows = super::power::summary(&snapshot.power, now);
                flows.into_iter().chain(super::power::program(snapshot, now)).map(Deed::Say).collect()
            }
            Word::Inverter(name) => match super::power::inverter(&snapshot.power, name.as_deref(), now) {
                Ok(lines) => lines.into_iter().map(Deed::Say).collect(),
                Err(why) => say(format!("Not done: {why}.")),
            },
            Word::SetInverter { inverter, id, text } => self.set_inverter(inverter, id, text, snapshot, now),
            Word::Arm => self.arm(snapshot, now),
            Word::Sun => super::sun::told(snapshot, now).into_iter().map(Deed::Say).collect(),
            Word::Park => self.park(snapshot, now),
            Word::TakeUp(line) => self.take_up(line, snapshot, now),
            Word::Forget => self.forget(snapshot, now),
            Word::Resume if snapshot.sun.spindle.is_some() => self.start_spindle(snapshot, now),
            Word::Position => say(speech::position(machine, self.units, now)),
            Word::Status => speech::status(snapshot, self.units, now).into_iter().map(Deed::Say).collect(),
            Word::Alarm => speech::alarm(snapshot, &self.alarms, now).into_iter().map(Deed::Say).collect(),
            Word::Help(about) => help(about.as_deref()),
            Word::Units(units) => {
                self.units = units;
                say(format!("Lengths are in {} now. What is sent stays mm.", units.length()))
            }
            Word::Quit => self.quit(snapshot, now),
            Word::Reconnect => vec![Deed::Realtime(Realtime::ReconnectNow)],
            Word::Resume => match available(Action::Resume, snapshot, now) {
                Ok(()) => vec![Deed::Realtime(Realtime::CycleStart)],
                Err(why) => say(format!("Not done: {why}.")),
            },
            Word::Reset => self.ask(
                Then::Realtime(Realtime::SoftReset),
                "The machine is idle. A reset clears G92 and the tool length offset, and keeps the position.",
                now,
            ),
            Word::Home(axis) => self.home(axis, snapshot, now),
            Word::Unlock => self.unlock(snapshot, now),
            Word::Jog(values, feed) => self.jog(&values, feed, snapshot, now),
            Word::Go(targets, feed_mm_min) => {
                let command = Command::GoTo(GoTo::Point { targets, frame: Frame::Work, feed_mm_min });
                self.ask_with_lines(command, "The machine moves", snapshot, now)
            }
            Word::Zero(axes) => {
                let axes = axes.unwrap_or_else(|| AxisSet::first(machine.axis_count()));
                Self::submit(Command::SetWork { axes, value: 0.0 }, snapshot, now)
            }
            Word::Set(values) => Self::submit(Command::Work(Work::Set(values)), snapshot, now),
            Word::Undo => match newest_to_undo(&snapshot.offset_history).map(|change| change.id) {
                Some(id) => self.ask_with_lines(Command::Work(Work::Undo(id)), "Nothing moves", snapshot, now),
                None => say("There is no change of offsets to undo."),
            },
            Word::Line(line) => Self::submit(Command::Mdi(line), snapshot, now),
            Word::Answer(_) => say("There is no question."),
            // Taken by the stop words.
            Word::Stop | Word::Hold | Word::End => Vec::new(),
        }
    }

    fn submit(command: Command, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        match legal::check(&command, snapshot, now) {
            Ok(()) => vec![Deed::Submit(command)],
            Err(why) => say(format!("Not sent: {why}.")),
        }
    }

    fn ask(&mut self, then: Then, text: &str, now: Time) -> Vec<Deed> {
        self.ask_for("yes", then, text, now)
    }

    fn ask_for(&mut self, word: &'static str, then: Then, text: &str, now: Time) -> Vec<Deed> {
        self.question = Some(Question { then, word, asked: now });
        say(format!("{text} Type {word} to do it; anything else leaves it."))
    }

    fn ask_with_lines(&mut self, command: Command, what: &str, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        match legal::check(&command, snapshot, now).and_then(|()| compose(&command, snapshot)) {
            Ok(lines) => {
                let text = format!("{what}. This will be sent: {}.", lines.join(", then "));
                self.ask(Then::Submit(command), &text, now)
            }
            Err(why) => say(format!("Not done: {why}.")),
        }
    }

    fn home(&mut self, axis: Option<Axis>, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let command = Command::Home(axis.map_or(HomeTarget::All, HomeTarget::One));
        if let Err(why) = legal::check(&command, snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        let what = axis.map_or_else(|| "all axes".to_owned(), |axis| axis.to_string());
        let text = format!(
            "Home {what}: the machine moves to its limit switches. Is the way free? A stop ends it by a reset."
        );
        self.ask(Then::Submit(command), &text, now)
    }

    fn unlock(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        if let Err(why) = legal::check(&Command::Unlock, snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        let ways = guide(snapshot, &self.alarms, now).map_or_else(Vec::new, |guide| guide.ways);
        let Some(way) = ways.into_iter().find(|way| way.does == WayOut::Unlock) else {
            return say("Not done: there is no alarm to unlock.");
        };
        let text = format!("Unlock: {}.", way.cost);
        // After a failed homing a plain yes is too little.
        let word = if way.needs_word { UNLOCK_WORD } else { "yes" };
        self.ask_for(word, Then::Submit(Command::Unlock), &text, now)
    }

    fn jog(&self, values: &AxisValues, feed: Option<f64>, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let count = snapshot.machine.axis_count();
        let mut distance = AxisVec::zeros(count);
        for (axis, value) in values {
            if axis.index() >= count {
                return say(format!("Not done: this machine has no {axis} axis."));
            }
            distance.set(*axis, *value);
        }
        let feed_mm_min = feed.unwrap_or_else(|| {
            let feed = self.jog.feeds_mm_min.get(self.jog.feed_index).copied().unwrap_or(100.0);
            if values.iter().all(|(axis, _)| *axis == Axis::Z) {
                feed * self.jog.z_feed_factor
            } else if values.iter().all(|(axis, _)| axis.is_rotary()) {
                feed * self.jog.rotary_feed_factor
            } else {
                feed
            }
        });
        Self::submit(Command::JogStep { distance, feed_mm_min }, snapshot, now)
    }

    fn quit(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        if !machine_is_busy(&snapshot.machine, now) {
            return vec![Deed::Leave(ExitReason::Asked)];
        }
        self.ask(Then::StopAndLeave, "The machine is busy. To leave, it is stopped first.", now)
    }

    /// Ctrl+C: always a stop; a second one leaves where nothing is to be stopped.
    pub fn interrupt(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        (self.question, self.taking) = (None, None);
        let again = self.interrupted.replace(now).is_some_and(|last| now.since(last) < AGAIN);
        if machine_is_busy(&snapshot.machine, now) {
            return vec![Deed::Realtime(Realtime::Stop)];
        }
        if again {
            return vec![Deed::Leave(ExitReason::Asked)];
        }
        // What is known may be old: the stop table sends what is right, and nothing to a machine that stands.
        vec![Deed::Realtime(Realtime::Stop), Deed::Say("Ctrl+C again, or quit, leaves.".into())]
    }

    /// Ctrl+D, or the end of what feeds us.
    pub fn end_of_input(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let again = std::mem::replace(&mut self.input_ended, true);
        match (machine_is_busy(&snapshot.machine, now), again) {
            (false, _) => vec![Deed::Leave(ExitReason::Asked)],
            (true, true) => vec![Deed::Leave(ExitReason::TerminalLost)],
            (true, false) => say("The machine is busy. stop stops it; quit leaves; Ctrl+D again leaves at once."),
        }
    }

    /// Ctrl+Z.
    pub fn suspend(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        if machine_is_busy(&snapshot.machine, now) && snapshot.machine.link.is_open() {
            return say("Not now: a stopped program cannot stop the machine. Stop it first.");
        }
        vec![Deed::Suspend]
    }

    /// A command of this person is on its way.
    pub fn submitted(&mut self, ticket: TicketId) {
        if self.open.len() < MOST_OPEN {
            self.open.push(ticket);
        }
    }

    /// From the hub's log.
    pub fn news(&mut self, event: &LogEvent) -> Vec<Deed> {
        let entry = match event {
            LogEvent::Entry(entry) => entry,
            LogEvent::Gap(n) => return say(format!("{n} messages were lost: this terminal is too slow.")),
        };
        match &entry.what {
            LogItem::State(state) => say(format!("State {}.", speech::state(*state))),
            LogItem::Alarm { code, text } => {
                let number = if *code == 0 { String::new() } else { format!(" {code}") };
                say(format!("ALARM{number}: {text} Type alarm for the way out."))
            }
            LogItem::Outcome { ticket, what, outcome, latency, .. } => {
                let is_ours = self.open.contains(ticket);
                self.open.retain(|open| open != ticket);
                if !is_ours {
                    return Vec::new();
                }
                match outcome {
                    Outcome::Done => say(format!("ok: {what}")),
                    other => say(format!("{}. That was: {what}", outcome_text(other, *latency).0)),
                }
            }
            // What a controller tells of itself while nobody asked is noise; its warnings are not.
            LogItem::Received { level, text } => {
                let serious = matches!(level, MessageLevel::Warning | MessageLevel::Error);
                if serious || !self.open.is_empty() { say(format!("machine: {text}")) } else { Vec::new() }
            }
            LogItem::Note { level, text } => match level {
                MessageLevel::Verbose | MessageLevel::Debug => Vec::new(),
                _ => say(text.clone()),
            },
            LogItem::Sent { .. } | LogItem::SentRealtime(_) | LogItem::Wire { .. } => Vec::new(),
        }
    }

    /// There is a newer snapshot: what changed in it that the log does not tell.
    pub fn look(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let machine = &snapshot.machine;
        self.alarms.take(snapshot);
        let mut deeds = Vec::new();
        // The next try of a link that is down is not news.
        let same = match (&self.link, &machine.link.state) {
            (Some(LinkState::Down { why: old, .. }), LinkState::Down { why, .. }) => old == why,
            (Some(old), new) => old == new,
            (None, _) => false,
        };
        if !same {
            let text = speech::link(machine);
            deeds.extend(say(text));
            self.link = Some(machine.link.state.clone());
        }
        if let Some(stop) = machine.stop.as_ref().filter(|stop| self.stop.as_ref() != Some(*stop)) {
            deeds.extend(speech::stop(stop).map(Deed::Say));
            self.stop = Some(stop.clone());
        }
        deeds.extend(self.look_at_power(snapshot, now));
        deeds.extend(self.look_at_sun(snapshot));
        deeds.extend(self.look_at_programs(snapshot, now));
        if self.leaving && !machine_is_busy(machine, now) {
            deeds.push(Deed::Leave(ExitReason::Asked));
        }
        deeds
    }

    /// A command was turned away before it had a ticket.
    pub fn refused(why: &str) -> Vec<Deed> {
        say(format!("Not sent: {why}."))
    }
}

/// Stops come first: no question and no haste is in their way.
fn stop_word(word: &Word, snapshot: &Snapshot, now: Time) -> Option<Vec<Deed>> {
    let realtime = match word {
        Word::Stop => Realtime::Stop,
        Word::Hold => Realtime::FeedHold,
        Word::End => Realtime::StopProgram,
        Word::Reset if !is_idle(snapshot, now) => Realtime::SoftReset,
        Word::Nothing if moves(snapshot, now) => Realtime::Stop,
        _ => return None,
    };
    Some(vec![Deed::Realtime(realtime)])
}

fn is_idle(snapshot: &Snapshot, now: Time) -> bool {
    let machine = &snapshot.machine;
    machine.jog.is_none() && machine.fresh_state(now).is_some_and(|state| state.kind == StateKind::Idle)
}

/// Something moves, or may: a state that is not known any more counts.
fn moves(snapshot: &Snapshot, now: Time) -> bool {
    let machine = &snapshot.machine;
    let unknown = machine.reported_at.is_some() && machine.link.is_open();
    let by_state = machine.fresh_state(now).map_or(unknown, |state| {
        matches!(state.kind, StateKind::Run | StateKind::Jog | StateKind::Home)
            || (state.kind == StateKind::Hold && state.sub == Some(1))
    });
    by_state || machine.jog.is_some() || machine.homing
}

fn help(about: Option<&str>) -> Vec<Deed> {
    let tell = |entry: &super::words::Entry| Deed::Say(format!("{}: {}.", entry.usage, entry.help));
    match about {
        Some(word) => match WORDS.iter().find(|entry| entry.word == word) {
            Some(entry) => vec![tell(entry)],
            None => say(format!("There is no word {word:?}. help lists them.")),
        },
        None => WORDS.iter().map(tell).collect(),
    }
}
