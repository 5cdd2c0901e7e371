//! The state machine behind the jog keys.
//!
//! ```text
//!             enter            quiet                 third event in a row
//!   (off) ──────────▶ Blocked ───────▶ Ready ──tap──▶ Tapped ─────────────────▶ Continuous
//!                       ▲                 ▲  one step    │   or held past 200 ms   │ renews the lease
//!                       │                 └─ release ────┘   where releases are    │
//!                       └──── another key, stale burst, lost proof ◀───────────────┤
//!                                         Ready ◀──── release, no more repeats ────┘
//! ```

use std::time::Duration;

use crossterm::event::KeyEventKind;

use super::gesture::{JogAct, JogKey, KeyFacts, Scale};
use super::latch::{self, Latch};
use super::repeat::RepeatLearner;
use crate::model::jog::JogVector;
use crate::model::snapshot::Machine;
use crate::model::{Axis, AxisVec, Time};
use crate::ui::settings::JogSettings;

/// Where releases are reported, a key held longer than this means continuous motion.
const HOLD_TIME: Duration = Duration::from_millis(200);
/// The longest delay before the first repeat that keyboards are set to.
const MAX_INITIAL_DELAY: Duration = Duration::from_millis(1000);
/// How often the terminal is asked for a sign of life during a continuous jog.
const PROOF_INTERVAL: Duration = Duration::from_millis(80);
/// So many keys in one read are a backlog, not typing.
const BURST: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Hold {
    /// No motion before the keys have been quiet for a lease; `last`: the last key.
    Blocked {
        last: Time,
    },
    Ready,
    /// One step was made; `shorts`: repeats seen in a row since.
    Tapped {
        key: JogKey,
        first: Time,
        last: Time,
        shorts: u8,
        /// The tap of the same key before this one: where that was the real tap, this one is its first repeat.
        before: Option<Time>,
        /// Where releases are reported: it is still down.
        down: bool,
    },
    Continuous(Continuous),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Continuous {
    key: JogKey,
    vector: JogVector,
    pressed: Time,
    /// Last event of the key itself.
    last: Time,
    renewed: Time,
    batch: u64,
    repeats_seen: bool,
    /// The terminal reports the release and proves to be alive: renewed by time, not only by repeats.
    timed: bool,
    /// The question that is not answered yet.
    proof_asked: Option<Time>,
    proof_next: Time,
}

/// The jog keys' state.
#[derive(Clone, Debug, PartialEq)]
pub struct JogPad {
    settings: JogSettings,
    step_index: usize,
    decade: i32,
    feed_index: usize,
    extra: Axis,
    /// Holding a key moves continuously; off: every key is one step.
    pub continuous: bool,
    hold: Hold,
    latch: Latch,
    last_key: Time,
    learner: RepeatLearner,
    /// The terminal answers, and it is the terminal that answers: its silence means something.
    pub can_prove: bool,
    /// A message to the hub and back takes so long.
    pub link: Duration,
}

impl JogPad {
    /// With these steps and feeds.
    pub fn new(settings: JogSettings) -> Self {
        let step_index = settings.step_index.min(settings.steps_mm.len().saturating_sub(1));
        let feed_index = settings.feed_index.min(settings.feeds_mm_min.len().saturating_sub(1));
        Self {
            settings,
            step_index,
            decade: 0,
            feed_index,
            extra: Axis::A,
            link: Duration::ZERO,
            continuous: true,
            hold: Hold::Ready,
            latch: Latch::Off,
            last_key: Time::ZERO,
            learner: RepeatLearner::default(),
            can_prove: false,
        }
    }

    /// Jog mode begins: the keys must fall quiet before the first one moves anything.
    pub fn enter(&mut self, now: Time) {
        self.hold = Hold::Blocked { last: now };
        self.last_key = now;
    }

    /// The step of linear axes, mm.
    pub fn step_mm(&self) -> f64 {
        scaled(&self.settings.steps_mm, self.step_index, self.decade)
    }

    /// The step of rotary axes, degrees.
    pub fn step_deg(&self) -> f64 {
        scaled(&self.settings.rotary_steps_deg, self.step_index, self.decade)
    }

    /// The feed in force, mm/min.
    pub fn feed_mm_min(&self) -> f64 {
        self.settings.feeds_mm_min.get(self.feed_index).copied().unwrap_or(100.0)
    }

    /// The presets of the digit keys, mm.
    pub fn presets_mm(&self) -> &[f64] {
        &self.settings.steps_mm
    }

    /// The preset in force, unless `*` or `/` left it.
    pub fn preset(&self) -> Option<usize> {
        (self.decade == 0).then_some(self.step_index)
    }

    /// How long a renewal lasts at present.
    pub fn lease(&self) -> Duration {
        self.learner.lease()
    }

    /// The lease was learned from this keyboard.
    pub fn lease_is_learned(&self) -> bool {
        self.learner.has_learned()
    }

    /// The continuous motion under way.
    pub fn moving(&self) -> Option<&JogVector> {
        match &self.hold {
            Hold::Continuous(run) => Some(&run.vector),
            _ => self.latch.moving(),
        }
    }

    /// Takes preset `index` (the digit keys).
    pub fn preset_step(&mut self, index: usize) {
        if index < self.settings.steps_mm.len() {
            (self.step_index, self.decade) = (index, 0);
        }
    }

    /// Next larger (`+1`) or smaller (`−1`) preset.
    pub fn next_step(&mut self, by: isize) {
        let last = self.settings.steps_mm.len().saturating_sub(1);
        self.step_index = self.step_index.saturating_add_signed(by).min(last);
        self.decade = 0;
    }

    /// The step times ten to the power `by`, between 0.001 and 100 mm.
    pub fn scale_step(&mut self, by: i32) {
        let step = scaled(&self.settings.steps_mm, self.step_index, self.decade + by);
        if (0.000_999..=100.001).contains(&step) {
            self.decade += by;
        }
    }

    /// The axis that the extra pair of keys moves: A, until [`next_extra`](Self::next_extra) chose another.
    pub const fn extra(&self) -> Axis {
        self.extra
    }

    /// The extra pair of keys moves the next axis beyond Z, round and round.
    ///
    /// # Errors
    /// There is none to choose from.
    pub fn next_extra(&mut self, axis_count: usize) -> Result<(), String> {
        if axis_count <= Axis::A.index() + 1 {
            return Err("this machine has no axes beyond A to choose from".to_owned());
        }
        let next = self.extra.index() + 1;
        self.extra = Axis::from_index(next).filter(|_| next < axis_count).unwrap_or(Axis::A);
        Ok(())
    }

    /// Next faster (`+1`) or slower (`−1`) feed.
    pub fn next_feed(&mut self, by: isize) {
        let last = self.settings.feeds_mm_min.len().saturating_sub(1);
        self.feed_index = self.feed_index.saturating_add_signed(by).min(last);
    }

    /// Direction and feed that a key would move with on a machine of so many axes.
    ///
    /// # Errors
    /// The machine does not have the axis.
    pub fn vector(&self, key: JogKey, axis_count: usize) -> Result<JogVector, String> {
        let (direction, feed) = self.direction(key, axis_count)?;
        let factor = match key.scale {
            Scale::Normal => 1.0,
            Scale::Coarse => 10.0,
            Scale::Fine => 0.1,
        };
        Ok(JogVector { direction, feed_mm_min: feed * factor })
    }

    fn step(&self, key: JogKey, axis_count: usize) -> Result<JogAct, String> {
        let (mut distance, feed) = self.direction(key, axis_count)?;
        let factor = match key.scale {
            Scale::Normal => 1.0,
            Scale::Coarse => 10.0,
            Scale::Fine => 0.1,
        };
        for axis in (0..axis_count).filter_map(Axis::from_index) {
            let step = if axis.is_rotary() { self.step_deg() } else { self.step_mm() };
            distance.set(axis, distance.get(axis).unwrap_or_default() * step * factor);
        }
        Ok(JogAct::Step(distance, feed))
    }

    fn direction(&self, key: JogKey, axis_count: usize) -> Result<(AxisVec, f64), String> {
        let mut vec = AxisVec::zeros(axis_count);
        let (mut only_z, mut only_rotary) = (true, true);
        for (index, &sign) in key.direction.0.iter().enumerate().filter(|(_, sign)| **sign != 0) {
            let axis = Axis::from_index(index).filter(|axis| *axis < Axis::A).unwrap_or(self.extra);
            if axis.index() >= axis_count {
                return Err(format!("this machine has no {axis} axis"));
            }
            let sign = if self.settings.invert[axis.index()] { -sign } else { sign };
            vec.set(axis, f64::from(sign));
            only_z &= axis == Axis::Z;
            only_rotary &= axis.is_rotary();
        }
        let mut feed = self.feed_mm_min();
        if only_z {
            feed *= self.settings.z_feed_factor;
        }
        if only_rotary {
            feed *= self.settings.rotary_feed_factor;
        }
        Ok((vec, feed))
    }

    /// A jog key was pressed, repeated or let go.
    pub fn key(&mut self, key: JogKey, facts: KeyFacts, axis_count: usize) -> Vec<JogAct> {
        self.last_key = facts.at;
        if facts.kind == KeyEventKind::Release {
            return self.released();
        }
        let now = facts.at;
        if self.latch.end() {
            self.hold = Hold::Blocked { last: now };
            return vec![JogAct::Cancel];
        }
        match self.hold {
            Hold::Continuous(run) => self.while_continuous(run, key, facts),
            Hold::Blocked { last } if facts.keys_in_batch >= BURST || now.since(last) <= self.lease() => {
                self.hold = Hold::Blocked { last: now };
                Vec::new()
            }
            _ if facts.keys_in_batch >= BURST => {
                self.hold = Hold::Blocked { last: now };
                vec![JogAct::Say("keys that came late, all at once, were dropped: press again".into())]
            }
            Hold::Tapped { key: held, first, last, shorts, before, .. } if held == key => {
                self.same_key_again(key, facts, axis_count, (first, last, shorts, before))
            }
            _ => self.tap(key, facts, axis_count, None),
        }
    }

    /// A key that is not a jog key: it ends continuous motion. `true`: it did, and shall do nothing else.
    pub fn other_key(&mut self, now: Time) -> bool {
        self.last_key = now;
        if self.latch.end() {
            self.block(now);
            return true;
        }
        match self.hold {
            Hold::Continuous(_) => {
                self.block(now);
                true
            }
            Hold::Blocked { .. } => {
                self.block(now);
                false
            }
            _ => {
                self.hold = Hold::Ready;
                false
            }
        }
    }

    /// Ends whatever is under way. `true`: there was continuous motion to cancel.
    pub fn block(&mut self, now: Time) -> bool {
        let latched = self.latch.end();
        let held = matches!(self.hold, Hold::Continuous(_));
        self.hold = Hold::Blocked { last: now };
        held || latched
    }

    /// Any key was let go.
    pub fn released(&mut self) -> Vec<JogAct> {
        match self.hold {
            Hold::Continuous(_) => {
                self.hold = Hold::Ready;
                vec![JogAct::Cancel]
            }
            Hold::Tapped { .. } => {
                self.hold = Hold::Ready;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The terminal gave its sign of life.
    pub fn proved(&mut self) {
        self.latch.proved();
        if let Hold::Continuous(run) = &mut self.hold {
            run.proof_asked = None;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due, in jog mode.
    pub fn poll_timeout(&self) -> Time {
        let idle = self.last_key + self.settings.idle_timeout;
        let idle = self.latch.poll_timeout(self.lease()).map_or(idle, |due| idle.min(due));
        match &self.hold {
            Hold::Continuous(run) => [self.expiry(run), self.renewal(run), Some(self.proof_due(run))]
                .into_iter()
                .flatten()
                .fold(idle, Time::min),
            Hold::Tapped { key, first, down: true, .. } if self.may_hold(*key) => idle.min(*first + HOLD_TIME),
            _ => idle,
        }
    }

    /// What is due now. The flag says that jog mode has been idle for too long and shall be left.
    pub fn handle_timeout(&mut self, now: Time, axis_count: usize) -> (Vec<JogAct>, bool) {
        let acts = match self.hold {
            _ if self.latch != Latch::Off => self.latch_timeout(now),
            Hold::Continuous(run) => self.continuous_timeout(run, now),
            Hold::Tapped { key, first, last, down: true, .. } if self.may_hold(key) && now >= first + HOLD_TIME => {
                self.start(key, (first, last), now, None, axis_count)
            }
            _ => Vec::new(),
        };
        let idle = self.moving().is_none() && now >= self.last_key + self.settings.idle_timeout;
        (acts, idle)
    }

    /// The next direction goes on by itself, until any key.
    ///
    /// # Errors
    /// Nobody could tell a broken connection from one on which no key is pressed.
    pub fn arm_latch(&mut self, now: Time) -> Result<(), String> {
        if !self.can_prove {
            return Err(
                "no latched jog here: the terminal does not prove that it is there (inside tmux and screen none can)"
                    .into(),
            );
        }
        self.latch.arm(now);
        Ok(())
    }

    /// The latch, for the screen.
    pub const fn latch(&self) -> &Latch {
        &self.latch
    }

    /// How far a latched jog goes at most, mm or degrees.
    pub const fn latch_mm(&self) -> f64 {
        self.settings.latch_mm
    }

    /// A direction while the latch is armed: starts it on a machine that stands.
    pub fn latch_key(&mut self, key: JogKey, facts: KeyFacts, machine: &Machine) -> Vec<JogAct> {
        let now = facts.at;
        let quiet = !matches!(self.hold, Hold::Blocked { last } if now.since(last) <= self.lease());
        self.last_key = now;
        self.block(now);
        if facts.kind != KeyEventKind::Press || facts.keys_in_batch >= BURST || !quiet {
            return Vec::new();
        }
        let started = self.vector(key, machine.axis_count()).and_then(|vector| {
            latch::longest(machine, &vector, self.settings.latch_mm, self.lease() + self.link)
                .map(|most| (vector, most))
        });
        match started {
            Ok((vector, most)) => self.latch.start(vector, now, most, self.lease()),
            Err(why) => vec![JogAct::Say(why)],
        }
    }

    fn latch_timeout(&mut self, now: Time) -> Vec<JogAct> {
        let moved = self.latch.moving().is_some();
        let acts = self.latch.handle_timeout(now, self.lease());
        if moved && self.latch == Latch::Off {
            self.hold = Hold::Blocked { last: now };
        }
        acts
    }

    fn may_hold(&self, key: JogKey) -> bool {
        self.continuous && !key.single && self.can_prove
    }

    fn tap(&mut self, key: JogKey, facts: KeyFacts, axis_count: usize, before: Option<Time>) -> Vec<JogAct> {
        // A repeat of a key that was down before (entry into jog mode, a cancelled hold) is not a press.
        if facts.kind == KeyEventKind::Repeat {
            self.hold = Hold::Blocked { last: facts.at };
            return Vec::new();
        }
        match self.step(key, axis_count) {
            Ok(step) => {
                let (first, last) = (facts.at, facts.at);
                self.hold = Hold::Tapped { key, first, last, shorts: 0, before, down: facts.reports_release };
                vec![step]
            }
            Err(why) => {
                self.hold = Hold::Blocked { last: facts.at };
                vec![JogAct::Say(why)]
            }
        }
    }

    fn same_key_again(
        &mut self,
        key: JogKey,
        facts: KeyFacts,
        axis_count: usize,
        (first, last, shorts, before): (Time, Time, u8, Option<Time>),
    ) -> Vec<JogAct> {
        let now = facts.at;
        let gap = now.since(last);
        let is_repeat = match facts.kind {
            KeyEventKind::Repeat => true,
            _ if facts.reports_release => false,
            _ => self.learner.is_repeat(gap) || shorts == 0 && self.learner.is_initial_delay(gap),
        };
        if !is_repeat {
            return self.tap(key, facts, axis_count, Some(last));
        }
        if shorts > 0 || self.learner.is_repeat(gap) {
            self.learner.learn(gap);
        }
        // Two in a row without release reports, so that a bouncing key or a fast double tap is not a hold.
        let shorts = shorts.saturating_add(1);
        let held = if facts.reports_release { now.since(first) >= HOLD_TIME } else { shorts >= 2 };
        if held && self.continuous && !key.single {
            if let (Some(before), false) = (before, facts.reports_release) {
                self.learner.learn_initial_delay(first.since(before));
            }
            return self.start(key, (first, now), now, Some(facts.batch), axis_count);
        }
        self.hold = Hold::Tapped { key, first, last: now, shorts, before, down: facts.reports_release };
        Vec::new()
    }

    fn start(
        &mut self,
        key: JogKey,
        (pressed, last): (Time, Time),
        now: Time,
        batch: Option<u64>,
        axis_count: usize,
    ) -> Vec<JogAct> {
        let vector = match self.vector(key, axis_count) {
            Ok(vector) => vector,
            Err(why) => {
                self.hold = Hold::Blocked { last: now };
                return vec![JogAct::Say(why)];
            }
        };
        self.hold = Hold::Continuous(Continuous {
            key,
            vector,
            pressed,
            last,
            renewed: now,
            batch: batch.unwrap_or_default(),
            repeats_seen: batch.is_some(),
            timed: batch.is_none(),
            proof_asked: None,
            proof_next: now,
        });
        let mut acts = vec![JogAct::Continue(vector, self.lease())];
        acts.extend(self.ask_proof(now));
        acts
    }

    fn while_continuous(&mut self, mut run: Continuous, key: JogKey, facts: KeyFacts) -> Vec<JogAct> {
        let now = facts.at;
        let gap = now.since(run.last);
        if key != run.key || facts.kind == KeyEventKind::Press && facts.reports_release {
            self.hold = Hold::Blocked { last: now };
            return vec![JogAct::Cancel];
        }
        // The timer may be late where the event loop itself stalled; the gap tells the truth.
        if gap > self.lease() && run.repeats_seen {
            self.hold = Hold::Blocked { last: now };
            return vec![JogAct::Cancel];
        }
        if run.repeats_seen {
            self.learner.learn(gap);
        } else {
            self.learner.learn_initial_delay(now.since(run.pressed));
        }
        run.repeats_seen = true;
        run.last = now;
        let same_batch = run.batch == facts.batch;
        run.batch = facts.batch;
        if !same_batch {
            run.renewed = now;
        }
        self.hold = Hold::Continuous(run);
        if same_batch { Vec::new() } else { vec![JogAct::Continue(run.vector, self.lease())] }
    }

    fn continuous_timeout(&mut self, mut run: Continuous, now: Time) -> Vec<JogAct> {
        if self.expiry(&run).is_some_and(|due| now >= due) {
            // Without release reports this *is* the release.
            self.hold = if run.repeats_seen && !run.timed { Hold::Ready } else { Hold::Blocked { last: now } };
            return vec![JogAct::Cancel];
        }
        if run.proof_asked.is_some_and(|asked| now >= asked + self.lease()) {
            self.hold = Hold::Blocked { last: now };
            let text = "jog stopped: the terminal did not answer in time (slow or broken connection)";
            return vec![JogAct::Cancel, JogAct::Say(text.into())];
        }
        let mut acts = Vec::new();
        if self.renewal(&run).is_some_and(|due| now >= due) {
            run.renewed = now;
            self.hold = Hold::Continuous(run);
            acts.push(JogAct::Continue(run.vector, self.lease()));
        }
        acts.extend(self.ask_proof(now));
        acts
    }

    fn ask_proof(&mut self, now: Time) -> Option<JogAct> {
        let Hold::Continuous(run) = &mut self.hold else { return None };
        if !self.can_prove || run.proof_asked.is_some() || now < run.proof_next {
            return None;
        }
        run.proof_asked = Some(now);
        run.proof_next = now + PROOF_INTERVAL;
        Some(JogAct::Prove)
    }

    /// When the hold ends for want of signs of the key.
    fn expiry(&self, run: &Continuous) -> Option<Time> {
        match (run.timed, run.repeats_seen) {
            (false, _) | (true, true) => Some(run.last + self.lease()),
            (true, false) if self.learner.has_learned() => Some(run.pressed + MAX_INITIAL_DELAY + self.lease()),
            (true, false) => None,
        }
    }

    fn renewal(&self, run: &Continuous) -> Option<Time> {
        run.timed.then_some(run.renewed + self.lease() / 3)
    }

    fn proof_due(&self, run: &Continuous) -> Time {
        match run.proof_asked {
            Some(asked) => asked + self.lease(),
            None if self.can_prove => run.proof_next,
            None => run.last + self.lease(),
        }
    }
}

fn scaled(steps: &[f64], index: usize, decade: i32) -> f64 {
    steps.get(index).copied().unwrap_or(1.0) * 10f64.powi(decade)
}

#[cfg(test)]
mod tests;
