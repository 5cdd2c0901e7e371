//! Whether the grid is there: true, false, or not known, from two sources that agree twice in a row.
//!
//! One source is never enough: devices tell 0 V or "off-grid" for a moment while the grid is there, and 0 W of grid
//! power says nothing at all.

use std::time::Duration;

use super::codec::Value;
use super::profile::{Register, RegisterType};
use super::values::Values;
use crate::model::Time;
use crate::model::power::{Grid, GridState, Role};

/// A voltage below this share of the nominal one is a lost grid.
const LOW_VOLTAGE: f64 = 0.8;
/// So is a frequency below this.
const LOW_HZ: f64 = 40.0;
/// Samples in a row that have to agree.
const SAMPLES: u8 = 2;
/// Nothing is concluded so soon after a connection.
const AT_FIRST: Duration = Duration::from_secs(30);

/// Watches the grid of one device.
#[derive(Clone, Debug)]
pub struct GridLoss {
    nominal_v: f64,
    connected: Option<Time>,
    last_sample: Option<Time>,
    candidate: GridState,
    seen: u8,
    grid: Grid,
}

/// What the sources of one sample say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sample {
    lost: Vec<String>,
    present: Vec<String>,
}

impl Sample {
    fn verdict(&self) -> GridState {
        match (self.lost.len(), self.present.len()) {
            (2.., 0) => GridState::Lost,
            (0, 2..) => GridState::Good,
            _ => GridState::Unknown,
        }
    }
}

impl GridLoss {
    /// For a grid of this nominal voltage (230, 120 …).
    pub fn new(nominal_v: f64) -> Self {
        Self {
            nominal_v,
            connected: None,
            last_sample: None,
            candidate: GridState::Unknown,
            seen: 0,
            grid: Grid::default(),
        }
    }

    /// A connection was made: what was known is not known any more.
    pub fn connected(&mut self, now: Time) {
        self.connected = Some(now);
        self.candidate = GridState::Unknown;
        self.seen = 0;
        self.conclude(GridState::Unknown, now);
    }

    /// What is known.
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Looks at the values. A sample is new when the oldest of its sources was read again; without a new one in time
    /// the state is unknown, never the old one. Tells whether the state changed.
    pub fn look(&mut self, values: &Values, now: Time) -> bool {
        let before = self.grid.state;
        let voltage = values.role(Role::GridVoltage);
        let frequency = values.role(Role::GridFrequency);
        self.grid.voltage_v = voltage;
        self.grid.frequency_hz = frequency;
        let (sample, read_at) = self.sample(values, now);
        let verdict = sample.verdict();
        self.grid.evidence = sample.lost.iter().chain(&sample.present).cloned().collect();
        self.grid.confidence = confidence(&sample, self.seen);
        let waiting = self.connected.is_none_or(|at| now.since(at) < AT_FIRST);
        match read_at {
            None => self.conclude(GridState::Unknown, now),
            Some(_) if waiting => self.conclude(GridState::Unknown, now),
            Some(at) if self.last_sample.is_none_or(|last| at > last) => {
                self.last_sample = Some(at);
                self.grid.samples = self.grid.samples.saturating_add(1);
                self.seen = if verdict == self.candidate { self.seen.saturating_add(1) } else { 1 };
                self.candidate = verdict;
                if self.seen >= SAMPLES {
                    self.conclude(verdict, now);
                }
            }
            Some(_) => {}
        }
        before != self.grid.state
    }

    fn conclude(&mut self, state: GridState, now: Time) {
        if self.grid.state != state {
            self.grid.state = state;
            self.grid.since = now;
        }
    }

    /// What the fresh sources say, and when the newest of them was read. `None`: there is no fresh one.
    fn sample(&self, values: &Values, now: Time) -> (Sample, Option<Time>) {
        let mut sample = Sample::default();
        let mut read: Option<Time> = None;
        let voltage = values.role(Role::GridVoltage);
        if let Some(volts) = voltage.fresh(now) {
            read = read.max(voltage.at);
            if volts < LOW_VOLTAGE * self.nominal_v {
                sample.lost.push("voltage low".to_owned());
            } else {
                sample.present.push("voltage good".to_owned());
            }
        }
        let frequency = values.role(Role::GridFrequency);
        // Some devices hold the last frequency, or tell their own: a good one proves nothing beside a low voltage.
        if let Some(hertz) = frequency.fresh(now) {
            read = read.max(frequency.at);
            if hertz < LOW_HZ {
                sample.lost.push("frequency low".to_owned());
            } else if sample.lost.is_empty() {
                sample.present.push("frequency good".to_owned());
            }
        }
        for (index, register) in values.profile().registers.iter().enumerate() {
            let evidence = &register.evidence;
            if evidence.grid_lost.is_empty() && evidence.grid_present.is_empty() {
                continue;
            }
            let Some(value) = values.fresh(index, now) else { continue };
            read = read.max(values.slot(index).at);
            match says(register, value) {
                Some(true) => sample.lost.push(format!("{} says lost", register.id)),
                Some(false) => sample.present.push(format!("{} says there", register.id)),
                None => {}
            }
        }
        (sample, read)
    }
}

/// `Some(true)`: lost. A fault bit that is not set proves nothing; a closed contactor does.
fn says(register: &Register, value: &Value) -> Option<bool> {
    let evidence = &register.evidence;
    match (register.kind, value) {
        (RegisterType::Bits(_), Value::Bits(bits)) => {
            let set = |list: &[u64]| list.iter().any(|bit| bits >> bit & 1 == 1);
            if set(&evidence.grid_lost) {
                Some(true)
            } else if evidence.grid_present.is_empty() {
                None
            } else {
                Some(!set(&evidence.grid_present))
            }
        }
        (_, Value::Codes(codes)) => {
            codes.iter().any(|code| evidence.grid_lost.contains(&u64::from(*code))).then_some(true)
        }
        (_, Value::Choice(raw)) if evidence.grid_lost.contains(raw) => Some(true),
        (_, Value::Choice(raw)) if evidence.grid_present.contains(raw) => Some(false),
        _ => None,
    }
}

/// In percent: how many sources agree, and for how long.
fn confidence(sample: &Sample, seen: u8) -> u8 {
    let (agree, against) = match (sample.lost.len(), sample.present.len()) {
        (lost, present) if lost >= present => (lost, present),
        (lost, present) => (present, lost),
    };
    if agree == 0 {
        return 0;
    }
    let share = agree as f64 / (agree + against) as f64;
    let sources = if agree >= 2 { 1.0 } else { 0.5 };
    let held = f64::from(seen.min(5)) / 5.0;
    (100.0 * share * sources * (0.5 + held / 2.0)).round() as u8
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inverter::profile::shipped;

    struct Scene {
        values: Values,
        grid: GridLoss,
        now: Time,
    }

    impl Scene {
        fn new(name: &str) -> Self {
            let values = Values::new(Arc::new(shipped(name).unwrap().unwrap()));
            let mut scene = Self { values, grid: GridLoss::new(230.0), now: Time::from_millis(1000) };
            scene.grid.connected(scene.now);
            scene
        }

        /// A second later the device says this.
        fn second(&mut self, words: &[(&str, &[u16])]) -> GridState {
            self.now += Duration::from_secs(1);
            for (id, words) in words {
                let register = self.values.profile().find(id).expect(id);
                self.values.accept_register(register, words, self.now);
            }
            self.grid.look(&self.values, self.now);
            self.grid.grid().state
        }

        fn seconds(&mut self, count: u32, words: &[(&str, &[u16])]) -> GridState {
            (0..count).map(|_| self.second(words)).last().unwrap_or_default()
        }
    }

    const GOOD: &[(&str, &[u16])] = &[("grid_voltage_l1", &[2300]), ("grid_frequency", &[5000]), ("mode", &[3])];
    const LOST: &[(&str, &[u16])] = &[("grid_voltage_l1", &[50]), ("grid_frequency", &[0]), ("mode", &[4])];

    #[test]
    fn nothing_is_concluded_for_the_first_half_minute() {
        let mut scene = Scene::new("senergy");
        assert_eq!(scene.seconds(29, LOST), GridState::Unknown);
        assert_eq!(scene.seconds(3, LOST), GridState::Lost);
    }

    #[test]
    fn two_sources_have_to_agree_twice() {
        let mut scene = Scene::new("senergy");
        assert_eq!(scene.seconds(40, GOOD), GridState::Good);
        assert_eq!(scene.second(LOST), GridState::Good);
        assert_eq!(scene.second(LOST), GridState::Lost);
        assert!(scene.grid.grid().confidence > 50 && scene.grid.grid().since == scene.now);
        assert_eq!(scene.second(GOOD), GridState::Lost);
        assert_eq!(scene.second(GOOD), GridState::Good);
    }

    #[test]
    fn one_source_alone_proves_nothing() {
        let voltage_only: &[(&str, &[u16])] = &[("grid_voltage_l1", &[0])];
        let mut scene = Scene::new("senergy");
        assert_eq!(scene.seconds(60, voltage_only), GridState::Unknown);
        // Sources that disagree are no proof either.
        let mut scene = Scene::new("senergy");
        scene.seconds(40, GOOD);
        let disagree: &[(&str, &[u16])] = &[("grid_voltage_l1", &[0]), ("grid_frequency", &[5000]), ("mode", &[3])];
        assert_eq!(scene.seconds(5, disagree), GridState::Unknown);
    }

    #[test]
    fn silence_is_unknown_and_never_lost() {
        let mut scene = Scene::new("senergy");
        scene.seconds(40, GOOD);
        assert_eq!(scene.seconds(3, &[]), GridState::Good);
        assert_eq!(scene.seconds(3, &[]), GridState::Unknown);
        // Only once the values are back is anything concluded again.
        assert_eq!(scene.seconds(2, LOST), GridState::Lost);
    }

    #[test]
    fn a_solis_tells_by_its_fault_word_and_its_status_beside_the_voltage() {
        const ISLANDED: [(&str, &[u16]); 3] =
            [("grid_voltage", &[0]), ("grid_frequency", &[5000]), ("fault_grid_bits", &[1])];
        let good: &[(&str, &[u16])] =
            &[("grid_voltage", &[2290]), ("grid_frequency", &[5001]), ("status", &[3]), ("fault_grid_bits", &[0])];
        let mut scene = Scene::new("solis");
        assert_eq!(scene.seconds(40, good), GridState::Good);
        // It feeds its backup output, whose frequency it may tell: that proves nothing beside the voltage.
        assert_eq!(scene.second(&ISLANDED), GridState::Good);
        assert_eq!(scene.second(&ISLANDED), GridState::Lost);
        let mut scene = Scene::new("solis");
        let by_status: &[(&str, &[u16])] = &[("grid_voltage", &[0]), ("grid_frequency", &[5000]), ("status", &[4117])];
        assert_eq!(scene.seconds(40, by_status), GridState::Lost);
        // Undervoltage is trouble of the grid, and no proof that it is gone.
        let mut scene = Scene::new("solis");
        let sags: &[(&str, &[u16])] = &[
            ("grid_voltage", &[1500]),
            ("grid_frequency", &[5000]),
            ("status", &[4113]),
            ("fault_grid_bits", &[0b100]),
        ];
        assert_eq!(scene.seconds(40, sags), GridState::Unknown);
        // The voltage alone, or the fault word beside a good voltage, proves nothing.
        let mut scene = Scene::new("solis");
        let torn: &[(&str, &[u16])] =
            &[("grid_voltage", &[2300]), ("grid_frequency", &[5000]), ("fault_grid_bits", &[1])];
        assert_eq!(scene.seconds(40, torn), GridState::Unknown);
    }

    #[test]
    fn a_contactor_that_is_open_is_a_source() {
        let mut scene = Scene::new("deye_3p");
        let voltage =
            scene.values.profile().role(Role::GridVoltage).map(|at| scene.values.profile().registers[at].id.clone());
        let voltage = voltage.expect("a grid voltage");
        let lost: &[(&str, &[u16])] = &[(&voltage, &[0]), ("relay_status", &[0])];
        assert_eq!(scene.seconds(40, lost), GridState::Lost);
        let there: &[(&str, &[u16])] = &[(&voltage, &[2310]), ("relay_status", &[4])];
        assert_eq!(scene.seconds(3, there), GridState::Good);
    }
}
