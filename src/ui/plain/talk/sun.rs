//! What is said and asked about parking, and about what waits for power or for the sun.

use super::{Deed, Talk, Then, say};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{StartPhase, SunOrder};
use crate::model::{Axis, Command, Time, legal};
use crate::ui::plain::sun;

/// Seconds of a countdown that are said.
const SAID_S: [u32; 6] = [60, 30, 15, 10, 5, 3];

impl Talk {
    /// Brings the machine down, after a yes.
    pub(super) fn park(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let order = Command::Sun(SunOrder::Park);
        if let Err(why) = legal::check(&order, snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        let moves = if snapshot.machine.homed.contains(Axis::Z) {
            "then Z goes up and the machine to its park position, if config.toml names one"
        } else {
            "Z is not homed, so nothing is moved"
        };
        let text =
            format!("Park: feed hold, spindle off, position and line written down, reset at standstill; {moves}.");
        self.ask(Then::Submit(order), &text, now)
    }

    /// A spindle start waits for power: it goes out anyway, after a yes.
    pub(super) fn start_spindle(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let since = snapshot.sun.spindle.as_ref().map(|wait| wait.since);
        let order = Command::Sun(SunOrder::SpindleGo { since });
        if let Err(why) = legal::check(&order, snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        let why = snapshot.sun.spindle.as_ref().map_or_else(String::new, |wait| wait.why.clone());
        self.ask(Then::Submit(order), &format!("The spindle starts although power is short: {why}."), now)
    }

    /// What the log does not tell: the steps of parking, and the last seconds of a countdown.
    pub(super) fn look_at_sun(&mut self, snapshot: &Snapshot) -> Vec<Deed> {
        let mut said = Vec::new();
        let step = snapshot.sun.park.as_ref().filter(|park| park.step.is_open()).map(|park| park.step.words());
        if step != self.park_told {
            said.extend(step.iter().map(|step| Deed::Say(format!("Parking: {step}. stop ends it."))));
            self.park_told = step;
        }
        let counts = snapshot.sun.start.as_ref().filter(|start| matches!(start.phase, StartPhase::Counts { .. }));
        // Seconds can be passed over; each of them is said once.
        let left = counts.and_then(|start| start.left_s).and_then(|left| SAID_S.into_iter().rev().find(|s| left <= *s));
        if left != self.countdown_told {
            said.extend(counts.filter(|_| left.is_some()).map(|start| Deed::Say(sun::start(start))));
            self.countdown_told = left;
        }
        said
    }
}
