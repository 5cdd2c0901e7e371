//! The battery hour by hour. Pure.

use super::usual::Usual;
use super::{Given, clock};
use crate::model::sun::losses::one_way;
use crate::model::sun::{Plan, PlanHour, PlanTime, loads_after};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// A plan ends in the morning, at this hour.
const MORNING_H: u16 = 10;
/// And reaches at least so far.
const LEAST_HOURS: i64 = 8;
/// Full is what chargers call so.
const FULL: f64 = 99.5;

/// From now until tomorrow morning.
pub(super) fn run(given: &Given<'_>, usual: &Usual<'_>) -> Plan {
    let battery = given.battery;
    let mut plan = Plan {
        inverter: battery.inverter.clone(),
        made: clock(given.now_ms, given.zone),
        soc_percent: battery.soc_percent,
        floor_percent: battery.floor(),
        ..Plan::default()
    };
    let mut soc = battery.soc_percent;
    let mut from_ms = given.now_ms;
    let first_hour_ms =
        given.now_ms - i64::from(plan.made.minute % 60) * MINUTE_MS - given.now_ms.rem_euclid(MINUTE_MS);
    for n in 1..48 {
        let to_ms = first_hour_ms + n * HOUR_MS;
        let hour = step(given, usual, soc, from_ms, to_ms, &mut plan);
        soc = hour.soc_percent;
        plan.hours.push(hour);
        from_ms = to_ms;
        let end = clock(to_ms, given.zone).minute;
        if end / 60 == MORNING_H && to_ms - given.now_ms >= LEAST_HOURS * HOUR_MS {
            break;
        }
    }
    plan
}

fn step(given: &Given<'_>, usual: &Usual<'_>, soc: f64, from_ms: i64, to_ms: i64, plan: &mut Plan) -> PlanHour {
    let battery = given.battery;
    let watts = usual.at(given, from_ms);
    let middle_s = (i64::midpoint(from_ms, to_ms) - given.now_ms) as f64 / 1000.0;
    // What is drawn now is drawn for a while.
    let load_w = battery.load_w.map_or(watts.load_w, |now_w| loads_after(now_w, watts.load_w, middle_s));
    let hours = (to_ms - from_ms) as f64 / HOUR_MS as f64;
    // A limit above what is in it now is not reached by discharging.
    let floor = battery.floor().min(soc);
    let net = watts.pv_w - load_w;
    let percent_per_hour = (if net >= 0.0 { net * one_way() } else { net / one_way() }) / battery.capacity_wh * 100.0;
    let wanted = soc + percent_per_hour * hours;
    let after = wanted.clamp(floor, 100.0);
    // What battery cannot take or give, for the whole hour.
    let left =
        if percent_per_hour == 0.0 || hours <= 0.0 { 0.0 } else { net * (wanted - after) / (percent_per_hour * hours) };
    let moment = |at: f64| {
        let part = if percent_per_hour == 0.0 { 0.0 } else { ((at - soc) / percent_per_hour).clamp(0.0, hours) };
        clock(from_ms + (part * HOUR_MS as f64) as i64, given.zone)
    };
    first(&mut plan.full, soc < FULL && after >= FULL, || moment(FULL));
    first(&mut plan.empty, net < 0.0 && after <= battery.floor(), || moment(battery.floor()));
    PlanHour {
        from: clock(from_ms, given.zone),
        pv_w: watts.pv_w,
        load_w,
        // Never -0.
        grid_w: (-left).max(0.0) + 0.0,
        spare_w: left.max(0.0),
        soc_percent: after,
    }
}

fn first(found: &mut Option<PlanTime>, is_now: bool, when: impl FnOnce() -> PlanTime) {
    if found.is_none() && is_now {
        *found = Some(when());
    }
}
