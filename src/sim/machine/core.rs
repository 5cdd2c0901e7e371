//! The machine: what it is made of, how time passes in it, what it says.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::{Axis, AxisSet, AxisVec, Firmware, Time};

use super::faults::{Fault, FaultPlan};
use super::gcode::Code;
use super::lines::Step;
use super::modal::Modal;
use super::pins::Switches;
use super::planner::{AxisLimits, Planner};
use super::profile::Profile;
use super::reset::Resetting;
use super::rx::{Receiver, Rt};
use super::settings::Settings;
use super::status::Reports;

/// Motion is integrated in steps of this length.
const TICK: Duration = Duration::from_millis(1);
/// While it moves the machine wants to be looked at this often.
const MOVING_POLL: Duration = Duration::from_millis(4);
/// A move that comes this soon after the planner ran empty was late: the tool stood still in a program.
const STARVED_WITHIN: Duration = Duration::from_millis(500);

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose protocol to speak.
    pub firmware: Firmware,
    /// Number of axes, 1–9, in the order XYZABCUVW.
    pub axes: usize,
    /// What it was told before power-off. `None`: as delivered.
    pub settings: Option<Settings>,
    /// Where the tool really stands at power-on, in the coordinates of a homed machine. `None`: somewhere.
    pub start: Option<AxisVec>,
    /// Start homed and unlocked, as if someone had done it already.
    pub homed: bool,
    /// What goes wrong, and when.
    pub faults: Vec<FaultPlan>,
    /// Height of the touch plate, Z of a homed machine. `None`: nothing to touch.
    pub probe_plate_mm: Option<f64>,
    /// Machine name (FluidNC's `[MSG:Machine: …]`).
    pub name: String,
    /// The link is a network one: CRLF is one line end on FluidNC.
    pub network: bool,
    /// FluidNC looks at realtime bytes only so often while a line waits for room in the planner: 50 ms, up to
    /// 200 ms, on the real one. Zero: at once.
    pub busy_latency: Duration,
}

impl Options {
    /// A little mill: 300 × 200 × 60 mm, and a rotary axis A where the firmware can have one.
    pub fn new(firmware: Firmware) -> Self {
        Self {
            firmware,
            axes: if firmware == Firmware::Grbl { 3 } else { 4 },
            settings: None,
            start: None,
            homed: false,
            faults: Vec::new(),
            probe_plate_mm: Some(-30.0),
            name: "SunMill SIM".to_owned(),
            network: false,
            busy_latency: Duration::ZERO,
        }
    }
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes lost because the receive buffer was full.
    pub rx_overflows: u64,
    /// Most bytes that ever waited in the receive buffer.
    pub max_rx_fill: usize,
    /// Lines read.
    pub lines: u64,
    /// Times the planner ran empty although the program went on: the sender was too slow.
    pub starved: u64,
}

/// Internal state; the word in the report follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Run,
    Jog,
    Hold,
    Door,
    Alarm,
    /// An alarm that only a reset ends.
    Critical,
    Check,
    Home,
    Sleep,
    Tool,
}

/// Why the tool is being brought to a stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Braking {
    /// Stay, and go on from there later (hold, door).
    Keep,
    /// Jog cancel: throw the rest away.
    Cancel,
    /// Soft limit met in motion.
    SoftLimit,
}

/// A simulated controller. Give it bytes and time; take its bytes.
///
/// It reads no clock: `now` may be any monotonic time, and everything that is due until then happens.
#[derive(Debug)]
pub struct Machine {
    pub(super) firmware: Firmware,
    pub(super) profile: Profile,
    pub(super) axes: usize,
    pub(super) name: String,
    pub(super) network: bool,
    pub(super) now: Time,
    pub(super) settings: Settings,
    pub(super) rx: Receiver,
    pub(super) out: Vec<u8>,
    pub(super) state: State,
    pub(super) braking: Option<Braking>,
    /// Door closed again, spindle and coolant on their way: until then.
    pub(super) restoring_until: Option<Time>,
    pub(super) steps: VecDeque<Step>,
    pub(super) planner: Planner,
    pub(super) modal: Modal,
    /// Physical position minus machine position: unknown to the controller until it has homed.
    pub(super) origin: AxisVec,
    pub(super) homed: AxisSet,
    pub(super) feed_override: u16,
    pub(super) rapid_override: u16,
    pub(super) spindle_override: u16,
    /// 0x9E in a hold.
    pub(super) spindle_stopped: bool,
    pub(super) switches: Switches,
    /// An alarm was just told; nothing else happens until then.
    pub(super) pause_until: Option<Time>,
    pub(super) last_alarm: u16,
    /// What is said when that pause ends.
    pub(super) after_pause: Option<&'static str>,
    pub(super) resetting: Option<Resetting>,
    pub(super) status_due: bool,
    pub(super) reports: Reports,
    /// grblHAL: the last error, repeated for each G-code line until something accepted clears it.
    pub(super) sticky: Option<Code>,
    pub(super) probe_position: AxisVec,
    pub(super) probe_success: bool,
    /// Realtime commands of the present burst (Grbl has one flag for each, not a count).
    pub(super) burst: Vec<Rt>,
    pub(super) busy_latency: Duration,
    /// Realtime commands that FluidNC has not looked at yet, and when it will.
    pub(super) late: Vec<Rt>,
    pub(super) late_at: Option<Time>,
    faults: Vec<(Time, Fault)>,
    silent: bool,
    dropped: bool,
    drained_at: Option<Time>,
    pub(super) starved: u64,
    pub(super) lines: u64,
}

impl Machine {
    /// Power on at time zero. The boot text waits in the output.
    pub fn new(options: Options) -> Self {
        let firmware = options.firmware;
        let axes = options.axes.clamp(1, crate::model::axes::MAX_AXES);
        let mut profile = Profile::of(firmware);
        if options.network {
            profile.eol = "\r\n";
        }
        let settings = options.settings.unwrap_or_else(|| Settings::defaults(firmware, axes));
        let zero = AxisVec::zeros(axes);
        let faults = options.faults.iter().map(|plan| (Time::ZERO + plan.after, plan.fault)).collect();
        let mut machine = Self {
            firmware,
            profile,
            axes,
            name: options.name,
            network: options.network,
            now: Time::ZERO,
            rx: Receiver::new(firmware, options.network),
            out: Vec::new(),
            state: State::Idle,
            braking: None,
            restoring_until: None,
            steps: VecDeque::new(),
            planner: Planner::new(profile.blocks, zero),
            modal: Modal::new(axes),
            origin: zero,
            homed: AxisSet::EMPTY,
            feed_override: 100,
            rapid_override: 100,
            spindle_override: 100,
            spindle_stopped: false,
            switches: Switches {
                pressed: BTreeSet::new(),
                plate_mm: options.probe_plate_mm,
                limits_were: AxisSet::EMPTY,
            },
            pause_until: None,
            last_alarm: 0,
            after_pause: None,
            resetting: None,
            status_due: false,
            reports: Reports::new(axes),
            sticky: None,
            probe_position: zero,
            probe_success: false,
            burst: Vec::new(),
            busy_latency: options.busy_latency,
            late: Vec::new(),
            late_at: None,
            faults,
            silent: false,
            dropped: false,
            drained_at: None,
            starved: 0,
            lines: 0,
            settings,
        };
        let start = options.start.unwrap_or_else(|| machine.somewhere());
        if options.homed {
            machine.planner.set_position(start);
            machine.modal.position = start;
            machine.homed = machine.axes_that_home();
            machine.boot(false);
        } else {
            machine.origin = start;
            machine.boot(machine.settings.on(22));
        }
        machine.switches.limits_were = machine.limits_active();
        machine
    }

    /// A place over the table and above the touch plate, so that homing has a way to go.
    fn somewhere(&self) -> AxisVec {
        let mut position = AxisVec::zeros(self.axes);
        for axis in AxisSet::first(self.axes).iter() {
            if let Some((low, high)) = self.range(axis) {
                position.set(axis, (low + (high - low) * 0.6).round());
            }
        }
        position
    }

    // --- the outside -------------------------------------------------------------------------------------------

    /// Bytes off the wire, in any chunking.
    pub fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.advance(now);
        if self.silent {
            return;
        }
        for &byte in bytes {
            // A burst is longer than the ring: what a free controller would have read by now makes room.
            if self.rx.free() == 0 {
                self.pump();
            }
            if let Some(rt) = self.rx.accept(byte) {
                self.realtime_arrived(rt);
            } else if byte == b'\n' || byte == b'\r' {
                self.service();
            }
        }
        self.service();
    }

    /// Lets everything happen that is due until `now`.
    pub fn advance(&mut self, now: Time) {
        if self.silent {
            self.now = self.now.max(now);
        }
        while self.now < now {
            let next = if self.is_moving() { self.now + TICK } else { self.next_deadline().unwrap_or(now) };
            let next = if next > self.now { next } else { self.now + TICK }.min(now);
            let dt = next.since(self.now).as_secs_f64();
            self.now = next;
            self.tick(dt);
            self.service();
        }
    }

    /// When [`advance`](Self::advance) should be called next; `None`: only bytes can change anything.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.silent {
            return None;
        }
        let moving = self.is_moving().then(|| self.now + MOVING_POLL);
        [moving, self.next_deadline()].into_iter().flatten().min()
    }

    /// What it says, appended to `out`.
    pub fn poll_output(&mut self, now: Time, out: &mut Vec<u8>) {
        self.advance(now);
        out.append(&mut self.out);
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        Counters {
            rx_overflows: self.rx.overflows,
            max_rx_fill: self.rx.max_fill,
            lines: self.lines,
            starved: self.starved,
        }
    }

    /// What it would keep over power-off.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whose protocol it speaks.
    pub const fn firmware(&self) -> Firmware {
        self.firmware
    }

    /// Machine position as the controller believes it.
    pub fn position(&self) -> AxisVec {
        self.planner.position()
    }

    /// Whether anything moves.
    pub fn is_moving(&self) -> bool {
        match self.state {
            State::Run | State::Jog => !self.planner.is_empty(),
            State::Home => true,
            State::Hold | State::Door => self.braking.is_some(),
            _ => false,
        }
    }

    /// Makes something go wrong now.
    pub fn trigger(&mut self, fault: Fault) {
        match fault {
            Fault::Drop => self.dropped = true,
            Fault::Garbage => {
                self.out.extend((0_u8..64).map(|i| i.wrapping_mul(37) ^ 0xA5));
                self.out.extend_from_slice(b"\xff<Id\xfe|MP\x00s:1.\xc3|\r\n");
            }
            Fault::Silence => self.silent = true,
            Fault::Reset => self.power_cycle(),
            Fault::HardLimit => self.press_pin('X'),
            Fault::LostWrite => self.settings.forgetful = true,
        }
        self.service();
    }

    /// The link was dropped by a fault since this was last asked.
    pub fn take_drop(&mut self) -> bool {
        std::mem::take(&mut self.dropped)
    }

    // --- time --------------------------------------------------------------------------------------------------

    fn next_deadline(&self) -> Option<Time> {
        let dwell = match self.steps.front() {
            Some(Step::DwellUntil(until)) if !self.is_blocked() => Some(*until),
            _ => None,
        };
        let fault = self.faults.iter().map(|&(at, _)| at).min();
        let reset = self.resetting.as_ref().map(|r| r.until);
        let times = [self.pause_until, reset, dwell, fault, self.restoring_until, self.auto_report_due(), self.late_at];
        times.into_iter().flatten().min()
    }

    fn tick(&mut self, dt: f64) {
        let was_busy = !self.planner.is_empty();
        match self.state {
            State::Run | State::Jog | State::Hold | State::Door if self.resetting.is_none() => {
                let held = matches!(self.state, State::Hold | State::Door) && self.braking.is_none();
                if !held {
                    self.planner.advance(dt, self.braking.is_some());
                }
            }
            State::Home => self.homing_tick(dt),
            _ => {}
        }
        if was_busy && self.planner.is_empty() && self.state == State::Run {
            self.drained_at = Some(self.now);
        }
        self.watch_switches();
    }

    /// Everything that can happen without time passing.
    pub(super) fn service(&mut self) {
        self.burst.clear();
        self.due_faults();
        if self.silent {
            self.out.clear();
            return;
        }
        self.due_late();
        self.due_reset();
        self.due_pause();
        if self.status_due {
            self.status_due = false;
            self.report_status(false);
        }
        self.settle();
        self.pump();
        self.settle();
        self.auto_report();
    }

    fn due_faults(&mut self) {
        while let Some(i) = self.faults.iter().position(|&(at, _)| at <= self.now) {
            let (_, fault) = self.faults.swap_remove(i);
            self.trigger(fault);
        }
    }

    fn due_pause(&mut self) {
        if self.pause_until.is_some_and(|at| at <= self.now) {
            self.pause_until = None;
            if let Some(text) = self.after_pause.take() {
                self.message_as("ERR", text);
            }
        }
    }

    /// State follows from motion.
    pub(super) fn settle(&mut self) {
        if self.resetting.is_some() {
            return;
        }
        if self.planner.is_empty() || self.planner.speed_mm_s() == 0.0 {
            self.came_to_a_stand();
        }
        match self.state {
            State::Idle if !self.planner.is_empty() => {
                self.state = if self.planner.is_jog() { State::Jog } else { State::Run };
            }
            State::Run | State::Jog if self.planner.is_empty() => self.state = State::Idle,
            State::Door if self.restoring_until.is_some_and(|at| at <= self.now) => {
                self.restoring_until = None;
                self.resume();
            }
            _ => {}
        }
    }

    fn came_to_a_stand(&mut self) {
        match self.braking.take() {
            Some(Braking::Keep) if self.state == State::Door => self.door_settled(),
            Some(Braking::Keep) | None => {}
            Some(Braking::Cancel) => {
                self.planner.flush();
                self.modal.position = self.planner.position();
                match self.state {
                    State::Jog | State::Run | State::Hold => self.state = State::Idle,
                    State::Door => self.door_settled(),
                    _ => {}
                }
            }
            Some(Braking::SoftLimit) => self.alarm(2),
        }
    }

    /// Counts a move that found the planner empty although the last one ended only just now.
    pub(super) fn note_move(&mut self) {
        let drained = self.drained_at.take();
        if self.planner.is_empty() && drained.is_some_and(|at| self.now.since(at) < STARVED_WITHIN) {
            self.starved += 1;
        }
    }

    /// The planner was drained on purpose (a dwell, M5, a pause).
    pub(super) fn drained_on_purpose(&mut self) {
        self.drained_at = None;
    }

    // --- geometry ----------------------------------------------------------------------------------------------

    pub(super) fn limits(&self) -> AxisLimits {
        AxisLimits { rate_mm_min: self.settings.rates(), accel_mm_s2: self.settings.accelerations() }
    }

    /// Machine coordinates that a linear axis can reach. FluidNC counts from the homing switch (0 … travel or
    /// −travel … 0), Grbl and grblHAL always below zero.
    pub(super) fn range(&self, axis: Axis) -> Option<(f64, f64)> {
        let travel = self.settings.travel(axis)?;
        let upward = self.firmware == Firmware::FluidNc && self.settings.homes_negative(axis);
        Some(match self.firmware {
            _ if upward => (0.0, travel),
            // grblHAL keeps the pull-off free at both ends.
            Firmware::GrblHal => (self.pull_off_mm() - travel, -self.pull_off_mm()),
            _ => (-travel, 0.0),
        })
    }

    /// Work coordinate offset: WPos = MPos − this.
    pub(super) fn wco(&self) -> AxisVec {
        self.settings.wcs[self.modal.wcs].plus(&self.modal.g92).plus(&self.modal.tlo)
    }

    /// The first axis on which `target` is outside the soft limits.
    pub(super) fn beyond_limits(&self, target: &AxisVec) -> Option<Axis> {
        if !self.settings.on(20) {
            return None;
        }
        target.iter().map(|(axis, _)| axis).find(|&axis| {
            let known = self.firmware == Firmware::Grbl || self.homed.contains(axis);
            let value = target.get(axis).unwrap_or_default();
            known && self.range(axis).is_some_and(|(low, high)| value < low - 1e-6 || value > high + 1e-6)
        })
    }
}
