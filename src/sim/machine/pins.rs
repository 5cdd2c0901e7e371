//! Switches: limits that close by position, and whatever a person presses.

use std::collections::BTreeSet;

use crate::model::{Axis, AxisSet, Firmware};

use super::core::{Machine, State};

/// The inputs.
#[derive(Clone, Debug)]
pub(super) struct Switches {
    /// Held by hand: axis letters, `D` door, `P` probe.
    pub(super) pressed: BTreeSet<char>,
    /// Height of the touch plate.
    pub(super) plate_mm: Option<f64>,
    /// Limits closed at the last look.
    pub(super) limits_were: AxisSet,
}

impl Machine {
    /// Closes an input by hand: an axis letter is its limit switch, `D` the door, `P` the probe, `H` hold, `S`
    /// start, `R` reset.
    pub fn press_pin(&mut self, pin: char) {
        let pin = pin.to_ascii_uppercase();
        self.switches.pressed.insert(pin);
        match pin {
            'D' => self.safety_door(),
            'H' => self.feed_hold(),
            'S' => self.cycle_start(),
            'R' => self.soft_reset(),
            _ => self.watch_switches(),
        }
        self.service();
    }

    /// Opens it again.
    pub fn release_pin(&mut self, pin: char) {
        let pin = pin.to_ascii_uppercase();
        self.switches.pressed.remove(&pin);
        if pin == 'D' && self.state == State::Door && self.braking.is_none() {
            self.door_settled();
        }
        self.watch_switches();
        self.service();
    }

    /// Opens the safety door.
    pub fn open_door(&mut self) {
        self.press_pin('D');
    }

    /// Where the probe makes contact, Z of a homed machine; `None`: nowhere.
    pub fn set_probe_contact_at(&mut self, z_mm: Option<f64>) {
        self.switches.plate_mm = z_mm;
    }

    /// Axes with a homing switch.
    pub(super) fn axes_that_home(&self) -> AxisSet {
        AxisSet::first(self.axes).iter().filter(|&a| self.settings.travel(a).is_some()).collect()
    }

    /// How far the homing cycle backs off its switch.
    pub(super) fn pull_off_mm(&self) -> f64 {
        if self.firmware == Firmware::FluidNc { 1.0 } else { self.settings.get(27) }
    }

    /// Coordinate (of a homed machine) at which an axis' switch closes, and on which side of it.
    pub(super) fn switch_at(&self, axis: Axis) -> Option<(f64, bool)> {
        let travel = self.settings.travel(axis)?;
        let negative = self.settings.homes_negative(axis);
        // FluidNC's zero is one pull-off away from the switch; Grbl's zero is at it.
        Some(match (self.firmware, negative) {
            (Firmware::FluidNc, true) => (-self.pull_off_mm(), true),
            (Firmware::FluidNc, false) => (self.pull_off_mm(), false),
            (_, true) => (-travel, true),
            (_, false) => (0.0, false),
        })
    }

    /// Limit switches closed now.
    pub(super) fn limits_active(&self) -> AxisSet {
        let physical = self.planner.position().plus(&self.origin);
        AxisSet::first(self.axes)
            .iter()
            .filter(|&axis| {
                let by_position = self.switch_at(axis).is_some_and(|(at, negative)| {
                    let value = physical.get(axis).unwrap_or_default();
                    if negative { value <= at } else { value >= at }
                });
                by_position || self.switches.pressed.contains(&axis.letter())
            })
            .collect()
    }

    /// The probe touches.
    pub(super) fn probe_active(&self) -> bool {
        let physical = self.planner.position().plus(&self.origin);
        let touches = |plate: f64| physical.get(Axis::Z).is_some_and(|z| z <= plate);
        self.switches.pressed.contains(&'P') || self.switches.plate_mm.is_some_and(touches)
    }

    /// A limit switch that closes outside a homing cycle is a hard limit.
    pub(super) fn watch_switches(&mut self) {
        let active = self.limits_active();
        let news = active.iter().any(|axis| !self.switches.limits_were.contains(axis));
        self.switches.limits_were = active;
        let guarded = !matches!(self.state, State::Home | State::Alarm | State::Critical | State::Sleep | State::Check);
        if news && guarded && self.settings.on(21) && self.resetting.is_none() {
            self.alarm(1);
        }
    }

    /// Letters of `Pn:`, in the order each firmware prints them.
    pub(super) fn pin_letters(&self) -> String {
        let limits: String = self.limits_active().iter().map(Axis::letter).collect();
        let control: String = ['D', 'R', 'H', 'S'].iter().filter(|pin| self.switches.pressed.contains(pin)).collect();
        let probe = if self.probe_active() { "P" } else { "" };
        if self.firmware == Firmware::GrblHal {
            format!("{limits}{control}{probe}")
        } else {
            format!("{probe}{limits}{control}")
        }
    }
}
