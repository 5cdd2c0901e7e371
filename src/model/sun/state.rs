//! How rules and parking stand: their part of the snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expr::Truth;
use super::forecast::{Lasts, Outlook, Supply};
use super::learned::{Learned, Need};
use super::plan::Plan;
use super::profile::DayProfile;
use super::rule::Action;
use super::surplus::StartPhase;
use crate::model::Time;
use crate::model::power::Power;
use crate::model::program::{PhaseTimes, RunEnergy};

/// Rules, and a machine that is or was parked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sun {
    /// The rules, in the order of the configuration.
    pub rules: Vec<RuleState>,
    /// The machine is being parked, or was, until a person has read that.
    pub park: Option<Park>,
    /// The firing of a rule that nobody has put away yet; of several the one that did most.
    pub notice: Option<Firing>,
    /// The others.
    #[serde(default)]
    pub notices: Vec<Firing>,
    /// What the program that runs has drawn so far, where an inverter measures it.
    #[serde(default)]
    pub drawn: Option<RunEnergy>,
    /// What forecasts are made from, beside what inverters tell now.
    #[serde(default)]
    pub knows: Arc<Knowledge>,
    /// A spindle start that waits for power.
    #[serde(default)]
    pub spindle: Option<SpindleWait>,
    /// The program that waits for the sun and is next, or did wait, until a person has read how that ended.
    #[serde(default)]
    pub start: Option<SunStart>,
    /// Those that were marked too and wait behind it, in the order of the queue.
    #[serde(default)]
    pub behind: Vec<SunStart>,
    /// What the battery will do; or why that cannot be said. `None`: nobody has looked yet, or nobody does.
    #[serde(default)]
    pub plan: Option<Result<Arc<Plan>, String>>,
    /// Why the machine would not get to its park position.
    #[serde(default)]
    pub park_place: Option<String>,
    /// Programs may be marked for that.
    #[serde(default)]
    pub start_allowed: bool,
}

/// What forecasts are made from. It changes when a program ends, and every quarter of an hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Knowledge {
    /// What the machine draws.
    pub learned: Learned,
    /// What a person says that it draws.
    pub rated_w: Option<f64>,
    /// The sun of the last days.
    pub sun: DayProfile,
    /// The loads of the last days, less what programs are known to have drawn.
    pub loads: DayProfile,
}

impl Sun {
    /// A rule by its name.
    pub fn find(&self, name: &str) -> Option<&RuleState> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// How this file waits for the sun, if it does.
    pub fn waits_for_sun(&self, path: &Path) -> Option<&SunStart> {
        self.waiting_start().into_iter().chain(&self.behind).find(|start| start.path == path)
    }

    /// The program that waits for the sun now, and is next.
    pub fn waiting_start(&self) -> Option<&SunStart> {
        self.start.as_ref().filter(|start| start.phase != StartPhase::Spent)
    }

    /// The machine is being parked now.
    pub fn is_parking(&self) -> bool {
        self.park.as_ref().is_some_and(|park| park.step.is_open())
    }

    /// There is something to say of energy: inverters, or what the machine draws.
    pub fn speaks_of_energy(&self, power: &Power) -> bool {
        !power.inverters.is_empty() || self.knows.rated_w.is_some() || self.knows.learned.runs > 0
    }

    /// What a program with these times will need, and what carries it.
    ///
    /// # Errors
    /// Nothing is known of the machine; what to do about it.
    pub fn outlook(
        &self,
        times: &PhaseTimes,
        power: &Power,
        now: Time,
        now_ms: Option<i64>,
    ) -> Result<Outlook, &'static str> {
        let need = Need::of(times, &self.knows.learned, self.knows.rated_w)?;
        Ok(Outlook::of(need, &Supply::of(power, self, now, now_ms)))
    }

    /// How long the batteries last with nothing from the grid, and with this left of a program that runs. `None`: only the present
    /// is known, or not even that.
    pub fn lasts(&self, left: Option<&PhaseTimes>, power: &Power, now: Time, now_ms: Option<i64>) -> Option<Lasts> {
        let need = left.map(|times| Need::of(times, &self.knows.learned, self.knows.rated_w)).transpose().ok()?;
        Supply::of(power, self, now, now_ms).lasts(need.as_ref())
    }

    /// Another state tells people nothing else; which values were looked at, and when, aside.
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let told = |rule: &RuleState| (rule.truth, rule.fired.as_ref().map(|fired| fired.at), rule.latched, rule.aside);
        (&self.park, &self.notice, &self.notices, &self.knows)
            == (&other.park, &other.notice, &other.notices, &other.knows)
            && (&self.spindle, &self.start, &self.plan) == (&other.spindle, &other.start, &other.plan)
            && self.behind == other.behind
            && self.park_place == other.park_place
            && self.rules.iter().map(told).eq(other.rules.iter().map(told))
    }

    /// Why no program is started now, if so: which rule, and what to do about it.
    pub fn start_blocked(&self) -> Option<String> {
        self.rules.iter().find_map(|rule| {
            let why = rule.blocks.as_ref().filter(|_| rule.aside.is_none())?;
            Some(format!("rule {:?} says no: {why}. Wait, or set the rule aside for this program", rule.name))
        })
    }
}

/// A spindle start that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpindleWait {
    /// What starts it: a line of a program, or what was typed.
    pub what: String,
    /// The line of the program, counted from 1; 0: before its first. `None`: no program.
    pub line: Option<u64>,
    /// Why it waits, in words.
    pub why: String,
    /// Since when.
    pub since: Time,
    /// Whether it starts at all is not sure: the machine is at a tool change.
    #[serde(default)]
    pub maybe: bool,
    /// It is a key that was not sent, and does not go by itself: it may be pressed again when there is room.
    #[serde(default)]
    pub kept: bool,
}

impl SpindleWait {
    /// What the key would do, to be put behind its name.
    pub const fn starts(&self) -> &'static str {
        starts_words(self.maybe)
    }
}

/// What going on does to a spindle that was stopped in between.
pub const fn starts_words(maybe: bool) -> &'static str {
    if maybe { "may start the spindle again" } else { "starts the spindle again" }
}

/// A program that is to be started when the sun allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SunStart {
    /// Its file's name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Who marked it.
    pub who: String,
    /// Watts that it needs.
    pub need_w: f64,
    /// How far it is.
    pub phase: StartPhase,
    /// In the countdown: seconds that are left.
    pub left_s: Option<u32>,
    /// Why it stands so; once it is spent: how it ended.
    pub why: String,
}

/// One rule as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// Its name.
    pub name: String,
    /// Its condition, as it was understood.
    pub when: String,
    /// What it does.
    pub action: Action,
    /// Whether its condition holds.
    pub truth: Truth,
    /// Since when that is so.
    pub since: Time,
    /// The values that it looked at.
    pub seen: Vec<Seen>,
    /// When it fired last, since start.
    pub fired: Option<Firing>,
    /// It has fired and does not do so again until its condition was false for a while.
    pub latched: bool,
    /// A person has set it aside for the program that runs, or the next one, since then.
    pub aside: Option<Time>,
    /// Why no program is started because of it.
    pub blocks: Option<String>,
}

/// A value that a rule looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Its name in the condition.
    pub name: String,
    /// The value in words.
    pub shown: String,
    /// When it was read, where it ages.
    pub at: Option<Time>,
    /// Why it is not known.
    pub unknown: Option<String>,
}

impl Seen {
    /// The value with its age, in words.
    pub fn words(&self, now: Time) -> String {
        let Self { name, shown, at, unknown } = self;
        match (unknown, at) {
            (Some(why), _) => format!("{name} unknown ({why})"),
            (None, Some(at)) => format!("{name} {shown} ({} old)", seconds(now.since(*at))),
            (None, None) => format!("{name} {shown}"),
        }
    }
}

fn seconds(age: Duration) -> String {
    if age < Duration::from_secs(10) { format!("{:.1} s", age.as_secs_f64()) } else { format!("{} s", age.as_secs()) }
}

/// A rule has fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// Which.
    pub rule: String,
    /// When.
    pub at: Time,
    /// When, in ms of Unix time.
    pub at_ms: i64,
    /// The condition, and the values with their ages.
    pub why: String,
    /// What was done.
    pub did: String,
}

/// How parking stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Park {
    /// Why.
    pub why: String,
    /// Who asked, in words.
    pub who: String,
    /// The step that is under way.
    pub step: ParkStep,
    /// When it began.
    pub began: Time,
    /// What could not be done or seen on the way.
    pub notes: Vec<String>,
}

impl Park {
    /// The notes, to be put behind something else.
    pub fn told(&self) -> String {
        self.notes.iter().fold(String::new(), |told, note| told + "; " + note)
    }
}

/// The steps of parking, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkStep {
    /// Feed hold; it has to be seen to stand still.
    Hold,
    /// The spindle is stopped in the hold.
    SpindleStop,
    /// Reset at standstill: the program ends, position is kept.
    Reset,
    /// `M5`.
    SpindleOff,
    /// Z goes up, in machine coordinates.
    Lift,
    /// To the park position, in machine coordinates.
    Across,
    /// Done: what was reached.
    Done(String),
    /// It was given up: why, and what to do.
    Failed(String),
}

impl ParkStep {
    /// Not over yet.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Done(_) | Self::Failed(_))
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Hold => "feed hold: waits until the machine stands".to_owned(),
            Self::SpindleStop => "stops the spindle".to_owned(),
            Self::Reset => "reset at standstill; position is kept".to_owned(),
            Self::SpindleOff => "M5".to_owned(),
            Self::Lift => "Z goes up".to_owned(),
            Self::Across => "goes to the park position".to_owned(),
            Self::Done(what) | Self::Failed(what) => what.clone(),
        }
    }
}
