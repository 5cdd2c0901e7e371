//! Energies of the day and ever, from counters that jump, and over restarts of sunmill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::inverter::energy::{EnergyCounter, Step};
use crate::inverter::profile::{Profile, RegisterType};
use crate::model::Time;
use crate::model::power::{Energy, EnergyRow, Inverter, Reading, Role};

/// The most that is taken for possible where the rated power is not known.
const ANY_KW: f64 = 100.0;
/// Strings and grid together can bring this many times the rated power.
const ABOVE_RATED: f64 = 3.0;

/// The parts of a row, with the roles of their day and total counters.
const PARTS: [(&str, Role, Role, Part); 6] = [
    ("pv", Role::DayPv, Role::TotalPv, |row| &mut row.pv),
    ("load", Role::DayLoad, Role::TotalLoad, |row| &mut row.load),
    ("import", Role::DayImport, Role::TotalImport, |row| &mut row.import),
    ("export", Role::DayExport, Role::TotalExport, |row| &mut row.export),
    ("charge", Role::DayBatteryCharge, Role::TotalBatteryCharge, |row| &mut row.charge),
    ("discharge", Role::DayBatteryDischarge, Role::TotalBatteryDischarge, |row| &mut row.discharge),
];

type Part = fn(&mut EnergyRow) -> &mut Reading<f64>;

/// The counters of one inverter. Keep them from one run to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Energies {
    /// The day that the day counters are of, as `2026-03-01` of the local time zone.
    day: String,
    days: BTreeMap<String, Counted>,
    totals: BTreeMap<String, Counted>,
}

/// A counter, and when what it counted was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Counted {
    counter: EnergyCounter,
    /// A reading is told again with each answer about something else, and a glitch is no less one for that.
    #[serde(skip)]
    read_at: Option<Time>,
}

/// When a reading was made, as the counters see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now<'a> {
    /// Wall-clock time, because counters are compared over restarts.
    pub(super) unix_ms: u64,
    /// The same as a date of the local time zone.
    pub(super) day: &'a str,
}

impl Energies {
    /// Only day counters of this day are still of use after a restart.
    pub(super) fn restarted(&mut self, day: &str) {
        if self.day != day {
            self.days.clear();
        }
    }

    /// Takes the counters that `known` brings, and puts what they come to in their place.
    /// Says whether there is something new to remember.
    pub(super) fn apply(&mut self, known: &mut Inverter, ends: &Ends, now: Now<'_>) -> bool {
        if self.day != now.day {
            now.day.clone_into(&mut self.day);
            for counted in self.days.values_mut() {
                counted.counter.counted_kwh = 0.0;
            }
        }
        let most_kw = known.rated_w.value.filter(|watts| *watts > 0.0).map_or(ANY_KW, |w| w / 1000.0 * ABOVE_RATED);
        let at = Time::from_millis(now.unix_ms);
        let Energy { day, total } = &mut known.energy;
        let mut news = false;
        for (name, day_role, total_role, part) in PARTS {
            news |= count(&mut self.days, name, part(day), at, ends.of(day_role), most_kw);
            news |= count(&mut self.totals, name, part(total), at, ends.of(total_role), most_kw);
        }
        news
    }
}

fn count(
    counters: &mut BTreeMap<String, Counted>,
    name: &str,
    reading: &mut Reading<f64>,
    at: Time,
    end: Option<f64>,
    most_kw: f64,
) -> bool {
    let Some(kwh) = reading.value else { return false };
    let counted = match counters.get_mut(name) {
        Some(counted) => counted,
        None => counters.entry(name.to_owned()).or_default(),
    };
    let is_new = !reading.lost && !reading.quarantined && reading.at != counted.read_at;
    let mut news = false;
    if is_new {
        counted.read_at = reading.at;
        let step = counted.counter.read(kwh, at, end, most_kw);
        if step == Step::First {
            // The device's own count is where ours begins.
            counted.counter.counted_kwh = kwh;
        }
        news = !matches!(step, Step::Added(0.0) | Step::Doubted);
    }
    reading.value = Some((counted.counter.counted_kwh * 1000.0).round() / 1000.0);
    news
}

/// Where counters roll over, by role.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ends(BTreeMap<String, f64>);

impl Ends {
    pub(super) fn of_profile(profile: &Profile) -> Self {
        let registers = PARTS.iter().flat_map(|(_, day, total, _)| [*day, *total]).filter_map(|role| {
            let register = &profile.registers[profile.role(role)?];
            let RegisterType::Unsigned(words @ 1..=2) = register.kind else { return None };
            let end = 2f64.powi(16 * i32::from(words)) * register.scale;
            (register.mask.is_none() && register.scale_by.is_none()).then(|| (role.to_string(), end))
        });
        Self(registers.collect())
    }

    fn of(&self, role: Role) -> Option<f64> {
        self.0.get(&role.to_string()).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::inverter::profile::shipped;

    const MINUTE: u64 = 60_000;

    fn read(energies: &mut Energies, minute: u64, date: &str, day_kwh: f64, total_kwh: f64) -> (f64, f64) {
        let reading = |kwh| Reading::new(kwh, Time::from_millis(minute * MINUTE), Duration::from_secs(60));
        let mut known = Inverter { rated_w: reading(5000.0), ..Inverter::default() };
        known.energy.day.pv = reading(day_kwh);
        known.energy.total.pv = reading(total_kwh);
        energies.apply(&mut known, &Ends::default(), Now { unix_ms: minute * MINUTE, day: date });
        (known.energy.day.pv.value.unwrap(), known.energy.total.pv.value.unwrap())
    }

    #[test]
    fn the_device_s_own_count_is_shown_until_it_jumps() {
        let mut energies = Energies::default();
        assert_eq!(read(&mut energies, 0, "d1", 8.2, 5123.4), (8.2, 5123.4));
        assert_eq!(read(&mut energies, 10, "d1", 8.3, 5123.5), (8.3, 5123.5));
        // It restarts, says 0 for a moment, and begins its total anew.
        assert_eq!(read(&mut energies, 20, "d1", 0.0, 0.0), (8.3, 5123.5));
        assert_eq!(read(&mut energies, 21, "d1", 8.4, 0.1), (8.4, 5123.6));
        assert_eq!(read(&mut energies, 22, "d1", 8.5, 0.2), (8.5, 5123.7));
    }

    #[test]
    fn a_day_begins_when_it_begins_here_although_the_device_is_late() {
        let mut energies = Energies::default();
        assert_eq!(read(&mut energies, 0, "d1", 20.0, 100.0).0, 20.0);
        assert_eq!(read(&mut energies, 2, "d2", 20.0, 100.0).0, 0.0);
        assert_eq!(read(&mut energies, 4, "d2", 0.0, 100.0).0, 0.0);
        assert_eq!(read(&mut energies, 6, "d2", 0.0, 100.0).0, 0.0);
        assert_eq!(read(&mut energies, 60, "d2", 0.5, 100.5).0, 0.5);
    }

    #[test]
    fn after_a_restart_nothing_is_lost_and_nothing_counted_twice() {
        let mut energies = Energies::default();
        read(&mut energies, 0, "d1", 3.0, 100.0);
        read(&mut energies, 1, "d1", 0.0, 0.0);
        read(&mut energies, 2, "d1", 0.0, 0.0);
        assert_eq!(read(&mut energies, 10, "d1", 0.2, 0.2), (3.2, 100.2));
        let text = serde_json::to_string(&energies).unwrap();
        // The same day: what flowed meanwhile counts.
        let mut same: Energies = serde_json::from_str(&text).unwrap();
        same.restarted("d1");
        assert_eq!(read(&mut same, 130, "d1", 5.0, 5.0), (8.0, 105.0));
        // Another day: the device's own count of it is right.
        let mut next: Energies = serde_json::from_str(&text).unwrap();
        next.restarted("d2");
        assert_eq!(read(&mut next, 1500, "d2", 1.5, 11.0), (1.5, 111.0));
    }

    #[test]
    fn a_glitch_that_is_told_again_and_again_is_still_one() {
        let mut energies = Energies::default();
        read(&mut energies, 0, "d1", 8.2, 5123.4);
        for _ in 0..5 {
            assert_eq!(read(&mut energies, 1, "d1", 0.0, 0.0), (8.2, 5123.4));
        }
        assert_eq!(read(&mut energies, 2, "d1", 8.3, 5123.5), (8.3, 5123.5));
    }

    #[test]
    fn what_is_not_read_is_not_counted() {
        let mut energies = Energies::default();
        let mut known = Inverter::default();
        energies.apply(&mut known, &Ends::default(), Now { unix_ms: 0, day: "d1" });
        assert_eq!(known, Inverter::default());
        assert!(energies.days.is_empty() && energies.totals.is_empty());
    }

    #[test]
    fn counters_end_where_their_registers_do() {
        let senergy = shipped("senergy").unwrap().unwrap();
        let ends = Ends::of_profile(&senergy);
        let total = &senergy.registers[senergy.role(Role::TotalPv).unwrap()];
        let words = i32::try_from(total.kind.words()).unwrap();
        assert_eq!(ends.of(Role::TotalPv), Some(2f64.powi(16 * words) * total.scale));
        assert_eq!(Ends::default().of(Role::TotalPv), None);
    }
}
