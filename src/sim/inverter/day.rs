//! What happens on a day: sun behind clouds, a house with a workshop in it, a battery, a grid.

use jiff::civil::DateTime;
use jiff::{Span, civil};

use crate::inverter::codec::DeviceClock;

/// Rated power of the simulated inverter.
pub(super) const RATED_W: f64 = 5000.0;
/// What the battery holds.
const CAPACITY_WH: f64 = 7680.0;
/// Power of all strings in full sun.
const PEAK_W: f64 = 5600.0;
/// What comes back of what is put into the battery.
const EFFICIENCY: f64 = 0.96;
/// An emptied battery is not used before it has this much more than its lower limit, percent.
const HYSTERESIS_PERCENT: f64 = 3.0;
/// The workshop's spindle with its dust extractor, cutting.
const SPINDLE_W: f64 = 2200.0;
/// What an overload adds.
const OVERLOAD_W: f64 = 4500.0;
/// The day begins at this hour.
const START_HOUR: i8 = 10;

/// What settings allow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Discharging ends here, percent.
    pub soc_min: f64,
    /// Charging ends here, percent.
    pub soc_max: f64,
    /// Most into the battery, watts.
    pub charge_w: f64,
    /// Most out of the battery, watts.
    pub discharge_w: f64,
    /// Most into the grid, watts.
    pub export_w: f64,
    /// It is switched on.
    pub on: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { soc_min: 20.0, soc_max: 100.0, charge_w: RATED_W, discharge_w: RATED_W, export_w: RATED_W, on: true }
    }
}

/// Energies since a moment, kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counters {
    pub(super) pv: f64,
    pub(super) load: f64,
    pub(super) import: f64,
    pub(super) export: f64,
    pub(super) charge: f64,
    pub(super) discharge: f64,
}

/// Where power comes from and goes now. pv + battery + grid = load, always.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Date and time of the place at the start.
    start: DateTime,
    /// Seconds since the start, counted in the day's own time.
    elapsed_s: u64,
    /// What a person set the clock forward by, seconds.
    pub(super) clock_shift_s: i64,
    /// Power of all strings, watts.
    pub pv_w: f64,
    /// Power of the loads, watts.
    pub load_w: f64,
    /// Power of the battery, + = discharging, watts.
    pub battery_w: f64,
    /// Power of the grid, + = importing, watts.
    pub grid_w: f64,
    /// State of charge, percent.
    pub soc_percent: f64,
    /// The grid is there.
    pub grid_present: bool,
    /// More is asked for than the inverter gives.
    pub overload: bool,
    /// The battery is at its lower limit.
    pub battery_low: bool,
    /// The battery has reached its lower limit and is left alone for a while.
    resting: bool,
    /// What the machine draws that it feeds. `None`: there is a workshop that works by the clock.
    pub(super) machine_w: Option<f64>,
    pub(super) today: Counters,
    pub(super) ever: Counters,
}

impl Day {
    /// A morning in June, the battery at 62 %.
    pub fn new(limits: &Limits) -> Self {
        let mut day = Self {
            start: civil::date(2026, 6, 1).at(START_HOUR, 0, 0, 0),
            elapsed_s: 0,
            clock_shift_s: 0,
            pv_w: 0.0,
            load_w: 0.0,
            battery_w: 0.0,
            grid_w: 0.0,
            soc_percent: 62.0,
            grid_present: true,
            overload: false,
            battery_low: false,
            resting: false,
            machine_w: None,
            today: Counters { pv: 4.2, load: 3.1, import: 0.4, export: 0.2, charge: 2.0, discharge: 0.7 },
            ever: Counters {
                pv: 4812.0,
                load: 4233.0,
                import: 904.0,
                export: 1030.0,
                charge: 2120.0,
                discharge: 2015.0,
            },
        };
        day.flow(limits);
        day
    }

    /// A day that is so far on, with what happened since its midnight behind it.
    pub(super) fn at(start: DateTime, limits: &Limits) -> Self {
        const TICK_S: u64 = 60;
        let midnight = start.date().at(0, 0, 0, 0);
        let mut day = Self { start: midnight, today: Counters::default(), soc_percent: 55.0, ..Self::new(limits) };
        let minutes = u64::from(start.hour().unsigned_abs()) * 60 + u64::from(start.minute().unsigned_abs());
        for _ in 0..minutes {
            day.pass(TICK_S, limits);
        }
        (day.start, day.elapsed_s) = (start, 0);
        day.flow(limits);
        day
    }

    /// Seconds since the start in the day's own time.
    pub(super) const fn elapsed_s(&self) -> u64 {
        self.elapsed_s
    }

    /// The load tries to be more than the inverter gives, or no longer.
    pub(super) fn set_overload(&mut self, overload: bool, limits: &Limits) {
        self.overload = overload;
        self.flow(limits);
    }

    /// The grid goes away or comes back.
    pub(super) fn set_grid(&mut self, present: bool, limits: &Limits) {
        self.grid_present = present;
        self.flow(limits);
    }

    /// Lets `seconds` pass with the flows as they are, then looks at the sun and the house again.
    pub(super) fn pass(&mut self, seconds: u64, limits: &Limits) {
        let hours = seconds as f64 / 3600.0;
        let before = self.now().date();
        let kwh = |watts: f64| watts.max(0.0) * hours / 1000.0;
        let step = Counters {
            pv: kwh(self.pv_w),
            load: kwh(self.load_w),
            import: kwh(self.grid_w),
            export: kwh(-self.grid_w),
            charge: kwh(-self.battery_w),
            discharge: kwh(self.battery_w),
        };
        let stored_wh = 1000.0 * (step.charge * EFFICIENCY - step.discharge);
        self.soc_percent = (self.soc_percent + stored_wh / CAPACITY_WH * 100.0).clamp(0.0, 100.0);
        self.elapsed_s += seconds;
        if self.now().date() != before {
            self.today = Counters::default();
        }
        self.today.add(&step);
        self.ever.add(&step);
        self.flow(limits);
    }

    /// Settings changed: the flows follow at once.
    pub(super) fn flow(&mut self, limits: &Limits) {
        let hour = self.hour();
        let sun = if limits.on { PEAK_W * elevation(hour) * clouds(self.elapsed_s) } else { 0.0 };
        let machine_w = self.machine_w.unwrap_or_else(|| workshop(hour, self.elapsed_s));
        let wanted = (house(hour, self.elapsed_s) + machine_w).min(RATED_W - 200.0)
            + if self.overload { OVERLOAD_W } else { 0.0 };
        self.resting = self.soc_percent <= limits.soc_min
            || (self.resting && self.soc_percent < limits.soc_min + HYSTERESIS_PERCENT);
        self.battery_low = self.resting;
        let can_charge = if limits.on && self.soc_percent < limits.soc_max {
            limits.charge_w * taper(self.soc_percent)
        } else {
            0.0
        };
        let can_discharge = if limits.on && !self.resting { limits.discharge_w } else { 0.0 };
        self.load_w = match (self.grid_present, limits.on) {
            (true, _) => wanted,
            (false, true) => wanted.min(sun + can_discharge),
            (false, false) => 0.0,
        };
        let rest = sun - self.load_w;
        self.battery_w = -rest.clamp(-can_discharge, can_charge);
        let export = if self.grid_present { limits.export_w } else { 0.0 };
        // What nobody takes is not made: the strings are held back.
        let surplus = (rest + self.battery_w - export).max(0.0);
        self.pv_w = sun - surplus;
        self.grid_w = self.load_w - self.pv_w - self.battery_w;
        if self.grid_w.abs() < 1e-6 {
            self.grid_w = 0.0;
        }
    }

    /// Date and time of the simulated place.
    fn now(&self) -> DateTime {
        let seconds = i64::try_from(self.elapsed_s).unwrap_or(i64::MAX);
        self.start.checked_add(Span::new().try_seconds(seconds).unwrap_or_default()).unwrap_or(self.start)
    }

    /// What the device's clock shows.
    pub(super) fn clock(&self) -> DeviceClock {
        let now = self.now();
        let shown = Span::new()
            .try_seconds(self.clock_shift_s)
            .ok()
            .and_then(|shift| now.checked_add(shift).ok())
            .filter(|shown| (2000..2256).contains(&shown.year()))
            .unwrap_or(now);
        DeviceClock {
            year: shown.year().cast_unsigned(),
            month: shown.month().cast_unsigned(),
            day: shown.day().cast_unsigned(),
            hour: shown.hour().cast_unsigned(),
            minute: shown.minute().cast_unsigned(),
            second: shown.second().cast_unsigned(),
        }
    }

    /// A person set the clock.
    pub(super) fn set_clock(&mut self, clock: DeviceClock) {
        let set = DateTime::new(
            clock.year.cast_signed(),
            clock.month.cast_signed(),
            clock.day.cast_signed(),
            clock.hour.cast_signed(),
            clock.minute.cast_signed(),
            clock.second.cast_signed(),
            0,
        );
        if let Ok(set) = set {
            self.clock_shift_s = set.duration_since(self.now()).as_secs();
        }
    }

    /// Hour of the day with its fraction.
    fn hour(&self) -> f64 {
        let time = self.now().time();
        f64::from(time.hour()) + f64::from(time.minute()) / 60.0 + f64::from(time.second()) / 3600.0
    }

    /// Voltage of the battery: 16 cells, a little less under load.
    pub(super) fn battery_v(&self) -> f64 {
        49.6 + 3.6 * self.soc_percent / 100.0 - self.battery_w * 0.0002
    }

    /// Voltage of the grid. 0: it is not there.
    pub(super) fn grid_v(&self) -> f64 {
        if self.grid_present { 231.0 + 2.5 * (self.elapsed_s as f64 / 97.0).sin() } else { 0.0 }
    }

    /// Its frequency.
    pub(super) fn grid_hz(&self) -> f64 {
        if self.grid_present { 50.0 + 0.03 * (self.elapsed_s as f64 / 41.0).sin() } else { 0.0 }
    }

    /// Temperature of the heat sink.
    pub(super) fn sink_c(&self) -> f64 {
        29.0 + (self.pv_w + self.battery_w.abs()) / 350.0
    }
}

impl Counters {
    fn add(&mut self, other: &Self) {
        self.pv += other.pv;
        self.load += other.load;
        self.import += other.import;
        self.export += other.export;
        self.charge += other.charge;
        self.discharge += other.discharge;
    }
}

/// Share of full sun: up at 5, down at 21.
fn elevation(hour: f64) -> f64 {
    ((hour - 5.0) / 16.0 * std::f64::consts::PI).sin().max(0.0).powf(1.4)
}

/// What clouds let through, 0.3 to 1: slow and quick ones.
fn clouds(seconds: u64) -> f64 {
    let t = seconds as f64;
    let cover = (t / 1700.0).sin() + 0.6 * (t / 311.0 + 1.0).sin() + 0.3 * (t / 53.0).sin();
    (1.0 - 0.45 * cover.max(0.0)).clamp(0.3, 1.0)
}

/// A house: always something, a refrigerator, more in the morning and in the evening.
fn house(hour: f64, seconds: u64) -> f64 {
    let bump = |at: f64, wide: f64| (-((hour - at) / wide).powi(2)).exp();
    let fridge = if seconds % 2400 < 800 { 110.0 } else { 0.0 };
    260.0 + fridge + 700.0 * bump(7.2, 0.9) + 2100.0 * bump(19.5, 1.8)
}

/// The workshop from 9 to 17 with an hour at noon: the spindle cuts 14 minutes of 20.
fn workshop(hour: f64, seconds: u64) -> f64 {
    let open = (9.0..12.0).contains(&hour) || (13.0..17.0).contains(&hour);
    let cutting = seconds % 1200 < 840;
    match (open, cutting) {
        (true, true) => SPINDLE_W * (0.85 + 0.15 * (seconds as f64 / 7.0).sin()),
        (true, false) => 180.0,
        (false, _) => 0.0,
    }
}

/// A full battery takes less and less.
fn taper(soc_percent: f64) -> f64 {
    ((100.0 - soc_percent) / 5.0).clamp(0.05, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole day, a minute a step.
    fn run(limits: &Limits, each: impl FnMut(&Day)) -> Day {
        let mut each = each;
        let mut day = Day::new(limits);
        for _ in 0..24 * 60 {
            day.pass(60, limits);
            each(&day);
        }
        day
    }

    #[test]
    fn power_is_neither_made_nor_lost() {
        let mut low = 100.0_f64;
        let mut seen = (false, false, false);
        let day = run(&Limits::default(), |day| {
            assert!((day.pv_w + day.battery_w + day.grid_w - day.load_w).abs() < 1e-6, "{day:?}");
            assert!(day.pv_w >= 0.0 && day.load_w > 0.0 && day.load_w <= RATED_W);
            low = low.min(day.soc_percent);
            seen = (seen.0 || day.grid_w < -100.0, seen.1 || day.grid_w > 100.0, seen.2 || day.pv_w == 0.0);
        });
        assert_eq!(seen, (true, true, true), "it exports, imports, and there is a night");
        assert!((19.5..40.0).contains(&low), "{low}");
        assert!(day.today.pv > 5.0 && day.ever.pv > 4820.0, "{day:?}");
    }

    #[test]
    fn settings_act() {
        run(&Limits { soc_min: 50.0, ..Limits::default() }, |day| assert!(day.soc_percent > 49.5, "{day:?}"));
        run(&Limits { export_w: 0.0, ..Limits::default() }, |day| assert!(day.grid_w >= 0.0, "{day:?}"));
        run(&Limits { charge_w: 500.0, ..Limits::default() }, |day| assert!(day.battery_w >= -500.0, "{day:?}"));
        run(&Limits { on: false, ..Limits::default() }, |day| assert_eq!((day.pv_w, day.battery_w), (0.0, 0.0)));
    }

    #[test]
    fn without_a_grid_nothing_comes_from_it() {
        let limits = Limits::default();
        let mut day = Day::new(&limits);
        day.set_grid(false, &limits);
        assert_eq!((day.grid_w, day.grid_v(), day.grid_hz()), (0.0, 0.0, 0.0));
        day.set_overload(true, &limits);
        assert!(day.load_w <= day.pv_w + RATED_W && day.load_w > RATED_W);
    }

    #[test]
    fn a_clock_that_was_set_goes_on() {
        let limits = Limits::default();
        let mut day = Day::new(&limits);
        let set = DeviceClock { year: 2027, month: 1, day: 31, hour: 23, minute: 59, second: 30 };
        day.set_clock(set);
        assert_eq!(day.clock(), set);
        day.pass(60, &limits);
        assert_eq!(day.clock(), DeviceClock { month: 2, day: 1, hour: 0, minute: 0, ..set });
    }
}
