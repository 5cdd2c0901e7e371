//! What a condition sees: one word of it, from the snapshot. Pure.

use std::time::Duration;

use crate::model::Time;
use crate::model::machine::StateKind;
use crate::model::power::{BusState, FaultKind, GridState, Quality, Reading, Role, Unit, UnitState};
use crate::model::program::RunState;
use crate::model::quantity::number;
use crate::model::snapshot::{Age, Machine, Snapshot};
use crate::model::sun::{Choice, Flag, Quantity, Seen};

/// What a battery gives or takes that is nothing to speak of.
const NOTHING_W: f64 = 10.0;
/// A load that is read more often than that may be as old.
const YOUNG: Duration = Duration::from_secs(2);

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// The inverter that the rule reads, by name.
    pub(super) inverter: Option<&'a str>,
    /// How long parking takes.
    pub(super) park: Duration,
    pub(super) now: Time,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Looked<T> {
    /// The value, or why it is not known.
    pub(super) value: Result<T, String>,
    /// When it was read, where it comes from a device that is asked now and then.
    pub(super) at: Option<Time>,
}

impl<T> Looked<T> {
    const fn sure(value: T) -> Self {
        Self { value: Ok(value), at: None }
    }

    fn unknown(why: impl Into<String>) -> Self {
        Self { value: Err(why.into()), at: None }
    }

    /// With its name and its value in words.
    pub(super) fn seen(&self, name: String, words: impl Fn(&T) -> String) -> Seen {
        let shown = self.value.as_ref().map_or_else(|_| "-".to_owned(), words);
        Seen { name, shown, at: self.at, unknown: self.value.as_ref().err().cloned() }
    }
}

impl View<'_> {
    /// A number.
    pub(super) fn quantity(&self, quantity: Quantity) -> Looked<f64> {
        match quantity {
            Quantity::ParkTime => Looked::sure(self.park.as_secs_f64() / 60.0),
            Quantity::ProgramLeft => match self.run() {
                None => Looked::sure(0.0),
                Some(run) => match run.remaining_s {
                    Some(seconds) => Looked::sure(seconds / 60.0),
                    None => Looked::unknown("the program was not checked"),
                },
            },
            Quantity::MinutesLeft => self.of_unit(|unit| self.minutes_left(unit)),
            Quantity::SparePower => self.of_unit(|unit| self.less(unit.known.rated_w, unit.known.flow.load_w)),
            Quantity::Surplus => self.of_unit(|unit| self.less(unit.known.flow.pv_w, unit.known.flow.load_w)),
            Quantity::Role(role) => self.of_unit(|unit| self.told(unit, role)),
        }
    }

    /// One of several words.
    pub(super) fn choice(&self, choice: Choice) -> Looked<&'static str> {
        match choice {
            Choice::Grid => self.of_unit(|unit| self.grid(unit)),
            Choice::Machine => self.machine(),
            Choice::Program => Looked::sure(match self.run().map(|run| &run.state) {
                None => "none",
                Some(RunState::Stopping) => "stopping",
                Some(RunState::Pausing | RunState::Paused(_)) => "paused",
                Some(_) => "running",
            }),
        }
    }

    /// So or not.
    pub(super) fn flag(&self, flag: Flag) -> Looked<bool> {
        if flag == Flag::SpindleOn {
            return self.spindle();
        }
        let kind = match flag {
            Flag::InverterFault => FaultKind::Fault,
            Flag::InverterWarning => FaultKind::Warning,
            Flag::Overload | Flag::SpindleOn => FaultKind::Overload,
        };
        self.of_unit(|unit| {
            let Some((register, told)) = unit.known.tells(kind, self.now) else {
                return Looked::unknown(format!("profile {} never tells it", unit.known.profile));
            };
            let value = told.fresh(self.now).ok_or_else(|| format!("{register}: {}", self.why_not(&told)));
            Looked { value, at: told.at }
        })
    }

    /// The load, if it is the newest that can be had: what is about to be added to it must not rest on an older one.
    pub(super) fn load_now(&self) -> Looked<f64> {
        self.of_unit(|unit| {
            let load = unit.known.flow.load_w;
            let most = load.period.map_or(YOUNG, |period| YOUNG.max(period * 3 / 2));
            match load.age(self.now).filter(|age| *age > most) {
                Some(age) => Looked { value: Err(format!("{} s old", age.as_secs())), at: load.at },
                None => self.reading(load),
            }
        })
    }

    fn run(&self) -> Option<&crate::model::program::Run> {
        self.snapshot.programs.run.as_ref().filter(|run| run.state.is_open())
    }

    /// Something of the inverter, if that one is believed.
    fn of_unit<T>(&self, what: impl FnOnce(&Unit) -> Looked<T>) -> Looked<T> {
        let power = &self.snapshot.power;
        let Some(name) = self.inverter else { return Looked::unknown("no inverter is configured") };
        let Some(unit) = power.find(name) else { return Looked::unknown(format!("there is no inverter {name:?}")) };
        if let Some(why) = disbelieved(self.snapshot, unit) {
            return Looked::unknown(why);
        }
        what(unit)
    }

    fn reading(&self, reading: Reading<f64>) -> Looked<f64> {
        let value = match reading.fresh(self.now) {
            Some(value) if value.is_finite() => Ok(value),
            Some(_) => Err("it reads no number".to_owned()),
            None => Err(self.why_not(&reading)),
        };
        Looked { value, at: reading.at }
    }

    /// Why it is not acted upon.
    fn why_not<T: Copy>(&self, reading: &Reading<T>) -> String {
        match (reading.quality(self.now), reading.age(self.now)) {
            (Quality::Stale | Quality::Lost, Some(age)) => format!("{} s old", age.as_secs()),
            (quality, _) => quality.word().to_owned(),
        }
    }

    /// A value, or that this family of devices never tells it.
    fn told(&self, unit: &Unit, role: Role) -> Looked<f64> {
        let known = &unit.known;
        if known.lacks.contains(&role) {
            return Looked::unknown(format!("profile {} never tells it", known.profile));
        }
        self.reading(reading(unit, role))
    }

    fn less(&self, from: Reading<f64>, what: Reading<f64>) -> Looked<f64> {
        let (from, what) = (self.reading(from), self.reading(what));
        // What is read once per connection is not as old as that.
        let at = what.at.or(from.at);
        Looked { value: from.value.and_then(|from| Ok(from - what.value?)), at }
    }

    fn minutes_left(&self, unit: &Unit) -> Looked<f64> {
        let battery = &unit.known.battery;
        let Some(capacity) = unit.capacity_kwh else {
            return Looked::unknown("capacity_kwh of the inverter is not configured");
        };
        let watts = self.reading(unit.known.flow.battery_w);
        let soc = self.reading(battery.soc_percent);
        let at = watts.at.zip(soc.at).map(|(a, b)| a.min(b));
        let value = watts.value.and_then(|watts| {
            let soc = soc.value?;
            if watts < NOTHING_W {
                return Ok(f64::INFINITY);
            }
            // A limit that is not known is no limit of 0.
            let floor = battery.soc_min_percent.shown(self.now);
            let floor = floor.ok_or("the charge at which it switches off is not known")?;
            Ok(capacity * 1000.0 * (soc - floor).max(0.0) / 100.0 / watts * 60.0)
        });
        Looked { value, at }
    }

    fn grid(&self, unit: &Unit) -> Looked<&'static str> {
        let grid = &unit.known.grid;
        let fresh = [grid.voltage_v, grid.frequency_hz].into_iter().filter(|read| read.fresh(self.now).is_some());
        let Some(at) = fresh.filter_map(|read| read.at).max() else {
            return Looked::unknown("neither its voltage nor its frequency was read lately");
        };
        let value = match grid.state {
            GridState::Good => Ok("there"),
            GridState::Lost => Ok("lost"),
            GridState::Unknown => Err(match grid.evidence.as_slice() {
                [one] => format!("only one source tells of it ({one}), and two have to agree"),
                _ => "its sources do not agree, or not for long enough".to_owned(),
            }),
        };
        Looked { value, at: Some(at) }
    }

    fn machine(&self) -> Looked<&'static str> {
        let machine = &self.snapshot.machine;
        let Some(state) = machine.fresh_state(self.now) else { return Looked::unknown("it does not answer") };
        Looked::sure(match state.kind {
            StateKind::Idle => "idle",
            StateKind::Run => "run",
            StateKind::Hold | StateKind::Held => "hold",
            StateKind::Jog => "jog",
            StateKind::Alarm => "alarm",
            StateKind::Door => "door",
            StateKind::Check => "check",
            StateKind::Home => "home",
            StateKind::Sleep => "sleep",
            StateKind::Tool => "tool",
            StateKind::Starting => "starting",
        })
    }

    fn spindle(&self) -> Looked<bool> {
        let machine = &self.snapshot.machine;
        if !matches!(machine.age(self.now), Age::Fresh | Age::Late(_)) {
            return Looked::unknown("the machine does not answer");
        }
        spindle_turns(machine).map_or_else(|| Looked::unknown("the controller has not told"), Looked::sure)
    }
}

/// Whether the spindle turns, if that was told. Its switch goes before its speed: FluidNC goes on telling the speed that was asked for
/// last, and of a spindle at a relay there is none.
pub(super) fn spindle_turns(machine: &Machine) -> Option<bool> {
    let switched = machine.accessories.map(|on| on.spindle_cw || on.spindle_ccw);
    switched.or_else(|| machine.spindle_rpm.map(|rpm| rpm > 0.0))
}

/// Why nothing that this inverter tells is acted upon now.
pub(super) fn disbelieved(snapshot: &Snapshot, unit: &Unit) -> Option<String> {
    match &unit.state {
        UnitState::Answers => {}
        UnitState::Waiting => return Some("it has not answered yet".to_owned()),
        UnitState::Off => return Some("it is switched off in sunmill".to_owned()),
        UnitState::Silent { .. } => return Some("it does not answer".to_owned()),
    }
    let bus = snapshot.power.buses.iter().find(|bus| bus.name == unit.bus);
    match bus.map(|bus| &bus.state) {
        Some(BusState::Open) => {}
        Some(BusState::Quiet { .. }) => return Some("its bus was disturbed and is being proved again".to_owned()),
        Some(BusState::Opening | BusState::Down { .. }) | None => return Some("its bus is down".to_owned()),
    }
    unit.to_confirm.is_some().then(|| "it is not sure which device answers: confirm it".to_owned())
}

fn reading(unit: &Unit, role: Role) -> Reading<f64> {
    let known = &unit.known;
    match role {
        Role::PvPower => known.flow.pv_w,
        Role::GridPower => known.flow.grid_w,
        Role::LoadPower => known.flow.load_w,
        Role::LoadPercent => known.flow.load_percent,
        Role::BatteryPower => known.flow.battery_w,
        Role::GridVoltage => known.grid.voltage_v,
        Role::GridFrequency => known.grid.frequency_hz,
        Role::RatedPower => known.rated_w,
        Role::InverterTemp => known.temperature_c,
        Role::BatteryCurrent => known.battery.current_a,
        Role::BatteryVoltage => known.battery.voltage_v,
        Role::BatterySoc => known.battery.soc_percent,
        Role::BatterySoh => known.battery.soh_percent,
        Role::BatteryTemp => known.battery.temperature_c,
        Role::SocMin => known.battery.soc_min_percent,
        Role::SocMax => known.battery.soc_max_percent,
        _ => Reading::default(),
    }
}

/// A number with its unit, for people.
pub(super) fn shown(value: f64, quantity: Quantity) -> String {
    if value.is_infinite() {
        return "no end in sight".to_owned();
    }
    let rounded = (value * 10.0).round() / 10.0;
    format!("{} {}", number(rounded), quantity.dimension().unit())
}
