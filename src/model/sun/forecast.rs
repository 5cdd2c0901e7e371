//! Whether battery and sun carry a program. Pure: what is known goes in, what will be comes out.

use std::time::Duration;

use super::learned::Need;
use super::losses::{self, one_way};
use super::profile::{DayProfile, loads_after};
use super::state::Sun;
use crate::model::Time;
use crate::model::power::{GridState, Power, UnitState};

/// The sun of this moment counts half after so long; what is left is the sun of the last days.
const SUN_HALVES_S: f64 = 3600.0;
/// The sun of the last days at this moment has to be more than that for the shape of the day to be read from it.
const SUN_SHAPE_W: f64 = 50.0;
/// And the shape makes no more than so much of the present sun.
const MOST_SHAPE: f64 = 1.5;
/// Steps of the look ahead, about.
const STEPS: u32 = 240;
const SECONDS_PER_HOUR: f64 = 3600.0;
/// It is looked ahead so far where no program says how far.
const AHEAD_S: f64 = 24.0 * SECONDS_PER_HOUR;
/// In steps of this length.
const STEP_S: f64 = 300.0;
/// Of a quarter of an hour, and how many a day has.
const QUARTER_S: f64 = 900.0;
const QUARTERS_PER_DAY: f64 = 96.0;

/// A battery, down to where its inverter stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserve {
    /// All of it, in Wh.
    pub capacity_wh: f64,
    /// State of charge, 0 to 100.
    pub soc_percent: f64,
    /// Discharging ends here, 0 to 100.
    pub floor_percent: f64,
}

/// What there is to draw from.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply<'a> {
    /// All batteries together; or why that is not known.
    pub reserve: Result<Reserve, String>,
    /// What the sun gives now, in watts. `None`: not known, and counted as nothing.
    pub sun_w: Option<f64>,
    /// What other loads draw, in watts; or why that is not known.
    pub other_w: Result<f64, String>,
    /// Whether the grid is there.
    pub grid: GridState,
    /// The sun of the last days.
    pub days: &'a DayProfile,
    /// The loads of the last days, less what programs drew.
    pub loads: &'a DayProfile,
    /// The present in ms of Unix time. `None`: not known, so that the last days are of no use.
    pub now_ms: Option<i64>,
}

impl<'a> Supply<'a> {
    /// As the inverters tell now.
    pub fn of(power: &Power, sun: &'a Sun, now: Time, now_ms: Option<i64>) -> Self {
        let total = power.total();
        let polled = || power.inverters.iter().filter(|unit| unit.enabled);
        let grids: Vec<GridState> = polled().map(|unit| unit.known.grid.state).collect();
        let grid = match grids.as_slice() {
            all if all.contains(&GridState::Lost) => GridState::Lost,
            [] => GridState::Unknown,
            all if all.contains(&GridState::Unknown) => GridState::Unknown,
            _ => GridState::Good,
        };
        // While a program runs the load has it in it.
        let base_w = sun.drawn.and_then(|drawn| drawn.base_w);
        let other_w = base_w.or_else(|| total.load_w.fresh(now)).ok_or_else(|| "the load is not known now".to_owned());
        let sun_w = total.pv_w.fresh(now).map(|watts| watts.max(0.0));
        Self {
            reserve: reserve(power, now),
            sun_w,
            other_w,
            grid,
            days: &sun.knows.sun,
            loads: &sun.knows.loads,
            now_ms,
        }
    }

    /// What the sun will give after so many seconds, in watts.
    fn sun_after(&self, seconds: f64) -> f64 {
        let Some(now_w) = self.sun_w else { return 0.0 };
        let fresh = 0.5_f64.powf(seconds / SUN_HALVES_S);
        // Without the last days nobody knows what follows.
        let Some(then) = self.usual(self.days, seconds) else { return now_w * fresh };
        let shape = match self.usual(self.days, 0.0) {
            Some(usual) if usual >= SUN_SHAPE_W => (then / usual).min(MOST_SHAPE),
            _ => 1.0,
        };
        fresh * now_w * shape + (1.0 - fresh) * then
    }

    /// What other loads will draw after so many seconds, in watts, where they draw so much now: that and what they drew in the
    /// last days at that time, the present fading. Where nobody knows the last days, what is drawn now stays.
    fn other_after(&self, now_w: f64, seconds: f64) -> f64 {
        self.usual(self.loads, seconds).map_or(now_w, |then| loads_after(now_w, then.max(0.0), seconds))
    }

    fn usual(&self, days: &DayProfile, seconds: f64) -> Option<f64> {
        days.at(self.now_ms?.saturating_add((seconds * 1000.0) as i64))
    }

    /// How long the batteries last with nothing from the grid, with sun and loads as on the last days; `need`: of a program that
    /// runs. `None`: the last days are not known, so that only the present counts; or something of the present is not.
    pub fn lasts(&self, need: Option<&Need>) -> Option<Lasts> {
        let (Ok(reserve), Ok(other_w)) = (&self.reserve, &self.other_w) else { return None };
        let known = self.now_ms.is_some() && self.sun_w.is_some() && self.days.covers_a_day();
        if !known || !self.loads.covers_a_day() {
            return None;
        }
        let program = need.into_iter().flat_map(steps);
        let begun_s = need.map_or(0.0, |need| need.time.as_secs_f64());
        let rest = ((AHEAD_S - begun_s).max(0.0) / STEP_S).ceil() as usize;
        let all = program.chain(std::iter::repeat_n((STEP_S, 0.0), rest));
        Some(match discharge(all, reserve, |after| self.other_after(*other_w, after), |after| self.sun_after(after)) {
            End::At(_) => Lasts::BeyondADay,
            End::After(time) => Lasts::Until(time),
        })
    }
}

/// How long batteries last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// So long.
    Until(Duration),
    /// Longer than is looked ahead.
    BeyondADay,
}

fn reserve(power: &Power, now: Time) -> Result<Reserve, String> {
    let mut all = Reserve { capacity_wh: 0.0, soc_percent: 0.0, floor_percent: 0.0 };
    let polled: Vec<_> = power.inverters.iter().filter(|unit| unit.enabled).collect();
    if polled.is_empty() {
        return Err("no inverter is polled".to_owned());
    }
    if polled.iter().all(|unit| unit.capacity_kwh.is_none()) {
        let name = &polled[0].known.name;
        return Err(format!("capacity_kwh of {name} is not set in config.toml"));
    }
    for unit in polled {
        let Some(capacity_wh) = unit.capacity_kwh.map(|kwh| kwh * 1000.0).filter(|wh| *wh > 0.0) else { continue };
        let (name, battery) = (&unit.known.name, &unit.known.battery);
        if unit.state != UnitState::Answers {
            return Err(format!("{name} does not answer"));
        }
        let soc = battery.soc_percent.fresh(now);
        let soc = soc.ok_or_else(|| format!("the charge of {name} is not known now"))?;
        // A limit that is not known is no limit of 0.
        let floor = battery.soc_min_percent.shown(now);
        let floor = floor.ok_or_else(|| format!("the charge at which {name} switches off is not known"))?;
        all.capacity_wh += capacity_wh;
        all.soc_percent += soc * capacity_wh;
        all.floor_percent += floor * capacity_wh;
    }
    all.soc_percent /= all.capacity_wh;
    all.floor_percent /= all.capacity_wh;
    Ok(all)
}

/// What carries a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The battery alone, down to this charge.
    Battery {
        /// Percent.
        to_percent: f64,
    },
    /// Battery and sun, to this charge.
    Sun {
        /// Percent.
        to_percent: f64,
    },
    /// The grid has to help.
    Grid {
        /// Without it the battery ends after so long.
        ends_after: Duration,
    },
    /// Nothing: there is no grid, and the battery ends after so long.
    Stops {
        /// From now.
        after: Duration,
    },
    /// It cannot be said, and why.
    Unknown(String),
}

/// What a program needs, and what carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// What it needs.
    pub need: Need,
    /// What carries it.
    pub verdict: Verdict,
    /// What is assumed, in words.
    pub assumed: Vec<String>,
}

impl Outlook {
    /// Looks ahead to the end of the program, with the most that it may need.
    pub fn of(need: Need, supply: &Supply<'_>) -> Self {
        let mut assumed = need.assumed.clone();
        let (reserve, other_w) = match (&supply.reserve, &supply.other_w) {
            (Ok(reserve), Ok(other_w)) => (*reserve, *other_w),
            (Err(why), _) | (_, Err(why)) => return Self { need, verdict: Verdict::Unknown(why.clone()), assumed },
        };
        assumed.push(format!(
            "battery of {:.1} kWh, {:.0} % now, ends at {:.0} %",
            reserve.capacity_wh / 1000.0,
            reserve.soc_percent,
            reserve.floor_percent
        ));
        assumed.push(losses::assumed());
        assumed.push(loads_assumed(supply, other_w, need.time));
        let other = |seconds| supply.other_after(other_w, seconds);
        let verdict = match discharge(steps(&need), &reserve, other, |_| 0.0) {
            End::At(to_percent) => Verdict::Battery { to_percent },
            End::After(_) => {
                assumed.push(sun_assumed(supply, need.time));
                match (discharge(steps(&need), &reserve, other, |seconds| supply.sun_after(seconds)), supply.grid) {
                    (End::At(to_percent), _) => Verdict::Sun { to_percent },
                    (End::After(ends_after), GridState::Good) => Verdict::Grid { ends_after },
                    (End::After(after), GridState::Lost | GridState::Unknown) => Verdict::Stops { after },
                }
            }
        };
        Self { need, verdict, assumed }
    }

    /// A person should look before it is started.
    pub const fn warns(&self) -> bool {
        matches!(self.verdict, Verdict::Stops { .. })
    }

    /// In words. `clock` says what time it is after so long.
    pub fn words(&self, clock: impl Fn(Duration) -> String) -> String {
        format!("needs {}; {}", self.need.words(), self.short(clock))
    }

    /// What carries it, without what it needs.
    pub fn short(&self, clock: impl Fn(Duration) -> String) -> String {
        match &self.verdict {
            Verdict::Battery { to_percent } => format!("battery alone to {} %; fine", whole(*to_percent)),
            Verdict::Sun { to_percent } => {
                format!("battery alone will not do, with the sun to {} %; fine", whole(*to_percent))
            }
            Verdict::Grid { ends_after } => {
                format!("the grid has to help: without it it will stop at about {}", clock(*ends_after))
            }
            Verdict::Stops { after } => format!("will stop at about {}", clock(*after)),
            Verdict::Unknown(why) => format!("whether battery and sun carry it is not known: {why}"),
        }
    }
}

/// Rounded down, but not for what arithmetic lost on the way.
fn whole(percent: f64) -> i64 {
    (percent + 1e-6).floor() as i64
}

fn loads_assumed(supply: &Supply<'_>, watts: f64, time: Duration) -> String {
    // Any that are not known stay as they are now.
    let quarters = (time.as_secs_f64() / QUARTER_S).ceil().min(QUARTERS_PER_DAY) as u32;
    let unknown = (0..=quarters).filter(|n| supply.usual(supply.loads, f64::from(*n) * QUARTER_S).is_none()).count();
    let part = if unknown == 0 { "" } else { ", where these hours are known" };
    match supply.loads.days {
        _ if unknown > quarters as usize => {
            format!("other loads as now: {watts:.0} W; there is no history of these hours yet")
        }
        0 | 1 => format!("other loads {watts:.0} W now, then as on the last day without its programs{part}"),
        days => {
            format!("other loads {watts:.0} W now, then as on the last {days} days (median, without programs){part}")
        }
    }
}

fn sun_assumed(supply: &Supply<'_>, time: Duration) -> String {
    let Some(watts) = supply.sun_w else { return "what the sun gives is not known now: none is counted".to_owned() };
    let end = supply.now_ms.map(|now| now.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)));
    let is_known = end.is_some_and(|end| supply.days.at(end).is_some());
    match supply.days.days {
        _ if !is_known => format!("sun {watts:.0} W now, fading: there is no history of these hours yet"),
        0 | 1 => format!("sun {watts:.0} W now, then as on the last day"),
        days => format!("sun {watts:.0} W now, then as on the last {days} days (median)"),
    }
}

/// How a battery ends.
enum End {
    /// The program comes to its end, with this charge in percent.
    At(f64),
    /// The battery does not, and ends after so long.
    After(Duration),
}

fn discharge(
    steps: impl Iterator<Item = (f64, f64)>,
    reserve: &Reserve,
    other: impl Fn(f64) -> f64,
    sun: impl Fn(f64) -> f64,
) -> End {
    let full = reserve.capacity_wh;
    let mut left = full * reserve.soc_percent / 100.0;
    let floor = full * reserve.floor_percent / 100.0;
    let mut begins_s = 0.0;
    for (step_s, needs_wh) in steps {
        let middle_s = begins_s + step_s / 2.0;
        let net_wh = (sun(middle_s) - other(middle_s)) * step_s / SECONDS_PER_HOUR - needs_wh;
        let before = left;
        let into_wh = if net_wh >= 0.0 { net_wh * one_way() } else { net_wh / one_way() };
        left = (left + into_wh).min(full.max(before));
        if left < floor {
            let part = if before > floor { (before - floor) / (before - left) } else { 0.0 };
            return End::After(Duration::from_secs_f64(begins_s + part * step_s));
        }
        begins_s += step_s;
    }
    End::At(left / full * 100.0)
}

/// Steps of about the same length with what the program needs in each, in Wh.
fn steps(need: &Need) -> impl Iterator<Item = (f64, f64)> {
    let longest_s = need.time.as_secs_f64() / f64::from(STEPS);
    need.course.iter().flat_map(move |share| {
        let count = (share.seconds / longest_s).ceil();
        let count = if count >= 1.0 { count.min(f64::from(STEPS)) } else { 1.0 };
        let step = (share.seconds / count, need.at_most_wh() * share.part / count);
        std::iter::repeat_n(step, count as usize)
    })
}

#[cfg(test)]
mod tests;
