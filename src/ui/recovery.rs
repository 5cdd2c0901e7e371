//! The way out of an alarm: what happened, why, what is lost, and the steps in the order in which this firmware takes
//! them. Pure: made anew from the snapshot for every frame, so that it follows the machine.

use std::collections::VecDeque;

use super::words::pins_text;
use crate::model::command::HomeTarget;
use crate::model::machine::{AlarmInfo, Pins};
use crate::model::snapshot::{Alarm, Machine, Snapshot};
use crate::model::{AxisVec, Command, Firmware, StateKind, Time, legal};

/// Alarms that are remembered.
const MAX_ALARMS: usize = 20;
/// What has to be typed before an unlock that follows a failed homing.
pub const UNLOCK_WORD: &str = "unlock";

/// The panel, while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryPanel {
    /// The selected way of the present step.
    pub selected: usize,
    /// What was typed of [`UNLOCK_WORD`].
    pub typed: String,
    /// The alarms so far are shown instead of the steps.
    pub history: bool,
    /// What Enter would have done in the last frame, and since when that is so: an Enter meant for one step must not
    /// take the next.
    pub first: Option<(Does, Time)>,
    /// The read in which it was opened: a key of the same read does nothing.
    pub batch: u64,
}

/// All that the panel tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    /// `Alarm 1: hard limit`.
    pub title: String,
    /// What happened.
    pub happened: String,
    /// Pins when it came and now, in words.
    pub pins: String,
    /// What has become of the position.
    pub lost: String,
    /// The position may be wrong.
    pub is_lost: bool,
    /// What the firmware's table advises.
    pub advice: String,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What can be done in the present step, the best first.
    pub ways: Vec<Way>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How far it is.
    pub progress: Progress,
    /// What it is.
    pub text: String,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Done.
    Done,
    /// This one.
    Now,
    /// Not before the others.
    Later,
}

/// What can be done in the present step.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// A letter that selects (and does not take) it.
    pub letter: Option<char>,
    /// What it says.
    pub label: String,
    /// What it costs.
    pub cost: String,
    /// What it does.
    pub does: Does,
    /// [`UNLOCK_WORD`] has to be typed first.
    pub needs_word: bool,
}

/// What a way does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Soft reset.
    Reset,
    /// `$H`.
    Home,
    /// `$X`.
    Unlock,
}

/// The alarm in force, known or not. `None`: there is none.
pub fn present_alarm(machine: &Machine, now: Time) -> Option<Alarm> {
    let locked = machine.fresh_state(now).is_some_and(|state| state.kind == StateKind::Alarm);
    let unknown = Alarm { info: None, since: machine.link.since, pins: machine.pins, needs_reset: false };
    machine.alarm.clone().or_else(|| locked.then_some(unknown))
}

/// The guide for the alarm in force.
pub fn guide(snapshot: &Snapshot, history: &AlarmHistory, now: Time) -> Option<Guide> {
    let machine = &snapshot.machine;
    let alarm = present_alarm(machine, now)?;
    let info = alarm.info.as_ref();
    let (lost, is_lost) = lost(info, machine);
    let had_reset = !alarm.needs_reset && history.last().is_some_and(|last| last.since == alarm.since && last.reset);
    let ways = ways(&alarm, snapshot, now, is_lost);
    Some(Guide {
        title: title(info),
        happened: info.map_or_else(
            || {
                "The controller is locked and did not say why; that is usual after power-on where homing is required."
                    .to_owned()
            },
            |info| info.meaning.clone(),
        ),
        pins: format!("then {}; now {}", pins_text(alarm.pins), pins_now(machine)),
        lost,
        is_lost,
        advice: info.map(|info| info.remedy.clone()).unwrap_or_default(),
        steps: steps(&alarm, machine, had_reset, &ways),
        ways,
    })
}

fn title(info: Option<&AlarmInfo>) -> String {
    info.map_or("Alarm".to_owned(), |info| format!("Alarm {}: {}", info.code, info.name.replace('_', " ")))
}

fn pins_now(machine: &Machine) -> String {
    let text = pins_text(machine.pins);
    if machine.pins.iter().any(|pin| "XYZABCUVW".contains(pin)) {
        return text + " (on a switch: if homing fails, unlock and jog away from it)";
    }
    text
}

fn lost(info: Option<&AlarmInfo>, machine: &Machine) -> (String, bool) {
    match info.and_then(|info| info.position_lost) {
        Some(true) => ("The position may be wrong: home before you trust a number.".to_owned(), true),
        Some(false) => ("The position is kept.".to_owned(), false),
        None if machine.homed.is_empty() => ("The machine is not homed: its position is not known.".to_owned(), true),
        None => ("The position is kept if nothing was moving.".to_owned(), false),
    }
}

fn is_failed_homing(info: &AlarmInfo) -> bool {
    info.name.starts_with("homing_") && info.name != "homing_required"
}

fn ways(alarm: &Alarm, snapshot: &Snapshot, now: Time, is_lost: bool) -> Vec<Way> {
    let way = |letter, label: &str, cost: String, does| Way {
        letter,
        label: label.to_owned(),
        cost,
        does,
        needs_word: false,
    };
    if alarm.needs_reset {
        let cost = "clears G92 and the tool length offset".to_owned();
        return vec![way(None, "Soft reset (Ctrl+X does it too)", cost, Does::Reset)];
    }
    let mut ways = Vec::new();
    let home = Command::Home(HomeTarget::All);
    if snapshot.machine.limits.homing != Some(false) && legal::check(&home, snapshot, now).is_ok() {
        let cost = "the machine moves: is the way free?".to_owned();
        ways.push(way(Some('h'), "Home all axes", cost, Does::Home));
    }
    if legal::check(&Command::Unlock, snapshot, now).is_ok() {
        let cost = match alarm.info.as_ref() {
            Some(info) if info.name == "homing_required" => "this firmware may refuse it",
            _ if is_lost => "trusts a position that may be wrong: it can crash",
            _ => "nothing moves; the position is taken as it is",
        };
        let needs_word = alarm.info.as_ref().is_some_and(is_failed_homing);
        let unlock = way(Some('u'), "Unlock ($X)", cost.to_owned(), Does::Unlock);
        ways.push(Way { needs_word, ..unlock });
    }
    ways
}

fn steps(alarm: &Alarm, machine: &Machine, had_reset: bool, ways: &[Way]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut push = |progress, text: &str| steps.push(Step { progress, text: text.to_owned() });
    let resets = alarm.needs_reset || had_reset;
    if let Some(cause) = alarm.info.as_ref().and_then(|info| by_hand(&info.name)) {
        let gone = if had_reset { Progress::Done } else { Progress::Now };
        push(gone, cause);
    }
    if resets {
        let text = match machine.identity.as_ref().map(|identity| identity.firmware) {
            Some(Firmware::Grbl) => "Soft reset: Grbl answers nothing before it",
            Some(Firmware::FluidNc) => "Soft reset: FluidNC takes no $X before it",
            Some(Firmware::GrblHal) => "Soft reset: grblHAL refuses all else before it",
            None => "Soft reset: nothing else is taken before it",
        };
        push(if alarm.needs_reset { Progress::Now } else { Progress::Done }, text);
    }
    let can_home = machine.limits.homing != Some(false);
    let text = match (can_home, ways.iter().any(|way| way.does == Does::Unlock) || alarm.needs_reset) {
        (true, true) => "Home finds the position anew; unlock trusts the present one",
        (true, false) => "Home to find the position anew",
        (false, _) => "Unlock; homing is switched off in this controller",
    };
    push(if alarm.needs_reset { Progress::Later } else { Progress::Now }, text);
    steps
}

/// What has to be put right at the machine itself before a reset can help.
fn by_hand(name: &str) -> Option<&'static str> {
    match name {
        "estop" | "hard_stop" => Some("Release the emergency stop or clear the fault input, by hand"),
        "motor_fault" => Some("Find and clear the motor driver's fault, by hand"),
        "ambiguous_switch" | "limits_engaged" => Some("Move the axis off its switch, by hand"),
        _ => None,
    }
}

/// An alarm that was.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Since when it was known; tells one alarm from the next.
    pub since: Time,
    /// `Alarm 1: hard limit`.
    pub title: String,
    /// Work position when it came.
    pub work: Option<AxisVec>,
    /// Machine position when it came.
    pub machine: Option<AxisVec>,
    /// Pins when it came.
    pub pins: Pins,
    /// It took a reset to get out.
    pub reset: bool,
    /// The position may have been lost in it.
    pub is_lost: bool,
}

/// The last alarms, the latest at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmHistory {
    alarms: VecDeque<Past>,
}

impl AlarmHistory {
    /// Takes note of the alarm in force.
    pub fn take(&mut self, snapshot: &Snapshot) {
        let machine = &snapshot.machine;
        let Some(alarm) = &machine.alarm else { return };
        if self.last().is_none_or(|last| last.since != alarm.since) {
            if self.alarms.len() == MAX_ALARMS {
                self.alarms.pop_front();
            }
            self.alarms.push_back(Past {
                since: alarm.since,
                title: String::new(),
                work: machine.work_position,
                machine: machine.machine_position,
                pins: alarm.pins,
                reset: false,
                is_lost: false,
            });
        }
        // What is known of it may come later than itself.
        if let Some(last) = self.alarms.back_mut() {
            last.title = title(alarm.info.as_ref());
            last.reset |= alarm.needs_reset;
            last.is_lost = lost(alarm.info.as_ref(), machine).1;
            if last.pins.is_empty() {
                last.pins = alarm.pins;
            }
        }
    }

    /// The latest.
    pub fn last(&self) -> Option<&Past> {
        self.alarms.back()
    }

    /// The latest first.
    pub fn iter(&self) -> impl Iterator<Item = &Past> {
        self.alarms.iter().rev()
    }

    /// There was none.
    pub fn is_empty(&self) -> bool {
        self.alarms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{self, NOW, alarm, ms};

    fn of(snapshot: &Snapshot) -> Guide {
        guide(snapshot, &AlarmHistory::default(), NOW).unwrap()
    }

    fn does(guide: &Guide) -> Vec<Does> {
        guide.ways.iter().map(|way| way.does).collect()
    }

    #[test]
    fn a_reset_comes_first_where_the_firmware_takes_nothing_else() {
        for (firmware, code, words) in [
            (Firmware::FluidNc, 1, "FluidNC takes no $X"),
            (Firmware::FluidNc, 13, "FluidNC takes no $X"),
            (Firmware::Grbl, 1, "Grbl answers nothing"),
            (Firmware::Grbl, 2, "Grbl answers nothing"),
            (Firmware::GrblHal, 1, "grblHAL refuses"),
            (Firmware::GrblHal, 2, "grblHAL refuses"),
            (Firmware::GrblHal, 10, "grblHAL refuses"),
            (Firmware::GrblHal, 17, "grblHAL refuses"),
        ] {
            let mut snapshot = alarm(firmware, code);
            let first = of(&snapshot);
            assert_eq!(does(&first), [Does::Reset], "{firmware} {code}");
            let now: Vec<&Step> = first.steps.iter().filter(|step| step.progress == Progress::Now).collect();
            assert!(now.iter().any(|step| step.text.contains(words)), "{firmware} {code}: {now:?}");
            assert_eq!(first.steps.last().unwrap().progress, Progress::Later);

            let mut history = AlarmHistory::default();
            history.take(&snapshot);
            snapshot.machine.alarm.as_mut().unwrap().needs_reset = false;
            let then = guide(&snapshot, &history, NOW).unwrap();
            assert_eq!(does(&then), [Does::Home, Does::Unlock], "{firmware} {code}");
            assert!(then.steps.iter().any(|step| step.progress == Progress::Done && step.text.contains(words)));
            assert_eq!(then.steps.last().unwrap().progress, Progress::Now);
        }
    }

    #[test]
    fn unlock_says_what_it_costs_and_wants_a_word_after_a_failed_homing() {
        for (code, word, cost) in [(8, true, "may be wrong"), (9, true, "may be wrong"), (3, false, "may be wrong")] {
            let guide = of(&alarm(Firmware::Grbl, code));
            assert_eq!(does(&guide), [Does::Home, Does::Unlock]);
            assert_eq!(guide.ways[1].needs_word, word, "{code}");
            assert!(guide.ways[1].cost.contains(cost), "{code}: {:?}", guide.ways[1]);
            assert!(guide.is_lost);
        }
        let kept = of(&alarm(Firmware::FluidNc, 17));
        assert!(!kept.is_lost && kept.ways[1].cost.contains("nothing moves"));
        let mut no_homing = alarm(Firmware::Grbl, 3);
        no_homing.machine.limits.homing = Some(false);
        assert_eq!(does(&of(&no_homing)), [Does::Unlock]);
    }

    #[test]
    fn pins_then_and_now_are_told() {
        let mut snapshot = testing::hard_limit();
        assert!(of(&snapshot).pins.starts_with("then limit X; now limit X (on a switch"));
        snapshot.machine.pins = Pins::NONE;
        assert_eq!(of(&snapshot).pins, "then limit X; now none");
    }

    #[test]
    fn the_last_twenty_alarms_are_kept_each_once() {
        let mut history = AlarmHistory::default();
        for n in 0..30 {
            let mut snapshot = alarm(Firmware::Grbl, 1);
            snapshot.machine.alarm.as_mut().unwrap().since = NOW + ms(n);
            history.take(&snapshot);
            snapshot.machine.alarm.as_mut().unwrap().needs_reset = false;
            history.take(&snapshot);
        }
        assert_eq!(history.iter().count(), MAX_ALARMS);
        let last = history.iter().next().unwrap();
        assert_eq!((last.since, last.reset, last.is_lost), (NOW + ms(29), true, true));
        assert_eq!(last.title, "Alarm 1: hard limit");
    }
}
