//! Plans of days that a test makes up.

use jiff::tz::TimeZone;
use jiff::tz::offset;
use proptest::prelude::*;

use super::*;
use crate::model::sun::PlanWindowKind;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// A Monday, 2026-06-22, at midnight UTC.
const MONDAY_MS: i64 = 1_782_086_400_000;

/// Quarters of so many days before Monday.
fn days(count: i64, watts: impl Fn(i64, f64) -> (f64, f64)) -> Vec<Sample> {
    let quarters = (-count * 96..0).map(|quarter| {
        let at_ms = MONDAY_MS + quarter * HOUR_MS / 4;
        let hour = (at_ms - MONDAY_MS).rem_euclid(DAY_MS) as f64 / HOUR_MS as f64;
        let (pv, load) = watts(quarter.div_euclid(96), hour);
        Sample { at_ms, pv_w: Some(pv as f32), load_w: Some(load as f32), ..Sample::default() }
    });
    quarters.collect()
}

/// Sun from 6 to 18, and a house that draws the same day and night.
fn sunny(pv: f64, load: f64) -> Vec<Sample> {
    days(7, move |_, hour| (if (6.0..18.0).contains(&hour) { pv } else { 0.0 }, load))
}

fn battery(soc: f64) -> Battery {
    Battery {
        inverter: "roof".into(),
        capacity_wh: 10_000.0,
        soc_percent: soc,
        floor_percent: Some(20.0),
        grid: Some(true),
        load_w: None,
    }
}

fn made(now_h: i64, battery: &Battery, samples: &[Sample], tariffs: &[TariffWindow]) -> Result<Plan, String> {
    let zone = TimeZone::UTC;
    plan(&Given { now_ms: MONDAY_MS + now_h * HOUR_MS, zone: &zone, battery, samples, place: None, tariffs })
}

#[test]
fn a_day_of_sun_fills_the_battery_and_the_night_empties_it() {
    // 2000 W beyond the loads fill 7 kWh in three and a half hours and a bit; 1000 W empty 8 kWh in less than eight.
    let plan = made(8, &battery(30.0), &sunny(3000.0, 1000.0), &[]).unwrap();
    let full = plan.full.unwrap();
    assert!((11 * 60 + 30..11 * 60 + 50).contains(&full.minute), "{full}");
    let empty = plan.empty.unwrap();
    assert!((60..120).contains(&empty.minute), "{empty}");
    assert!(empty.at_ms > MONDAY_MS + DAY_MS, "on the next day");
    let last = plan.hours.last().unwrap();
    assert_eq!((last.from.minute, plan.hours.len()), (9 * 60, 26));
    let noon = plan.hours.iter().find(|hour| hour.from.minute == 13 * 60).unwrap();
    assert_eq!((noon.soc_percent, noon.spare_w.round(), noon.grid_w), (100.0, 2000.0, 0.0));
    let night = plan.hours.iter().find(|hour| hour.from.minute == 3 * 60).unwrap();
    assert_eq!((night.soc_percent, night.grid_w.round(), night.spare_w), (20.0, 1000.0, 0.0));
    assert!(plan.summary().starts_with("30 % now, full at 11:"), "{}", plan.summary());
    assert!(plan.assumed.iter().any(|text| text.contains("7 days are known")), "{:?}", plan.assumed);
}

#[test]
fn what_is_drawn_now_is_drawn_for_a_while() {
    let busy = Battery { load_w: Some(3000.0), ..battery(80.0) };
    let plan = made(18, &busy, &sunny(0.0, 500.0), &[]).unwrap();
    // Half an hour on there is half of it left, and after four hours next to nothing.
    let loads: Vec<f64> = plan.hours.iter().map(|hour| hour.load_w.round()).collect();
    assert_eq!((loads[0], loads[1]), (1750.0, 813.0));
    assert!(loads[4] < 510.0 && loads.last() == Some(&500.0), "{loads:?}");
    assert!(plan.assumed[0].starts_with("loads 3000 W now, then as usual"), "{:?}", plan.assumed);
    let quiet = made(18, &battery(80.0), &sunny(0.0, 500.0), &[]).unwrap();
    assert!(quiet.hours.iter().all(|hour| hour.load_w == 500.0));
}

#[test]
fn too_little_history_is_said_and_nothing_is_guessed() {
    for (count, words) in [(0, "of 0 days"), (2, "of 2 days")] {
        let samples = days(count, |_, _| (0.0, 500.0));
        let why = made(8, &battery(50.0), &samples, &[]).unwrap_err();
        assert!(why.contains("too little history") && why.contains(words), "{why}");
    }
    let mut nights = sunny(1000.0, 500.0);
    nights.retain(|sample| !(0..12).contains(&((sample.at_ms - MONDAY_MS).rem_euclid(DAY_MS) / HOUR_MS)));
    let why = made(8, &battery(50.0), &nights, &[]).unwrap_err();
    assert!(why.contains("never known at 0, 1, 2"), "{why}");
    // What is not known is not 0: a day without a sun that was read.
    let blind: Vec<Sample> = sunny(0.0, 500.0).into_iter().map(|s| Sample { pv_w: None, ..s }).collect();
    let plan = made(8, &battery(50.0), &blind, &[]).unwrap();
    assert!(plan.hours.iter().all(|hour| hour.pv_w == 0.0));
}

#[test]
fn the_same_weekday_counts_where_it_is_known_often_enough() {
    // Mondays draw three times as much; four of them in four weeks.
    let busy = |day: i64, _: f64| (0.0, if day.rem_euclid(7) == 0 { 1500.0 } else { 500.0 });
    let plan_of = |weeks: i64| made(8, &battery(50.0), &days(weeks * 7, busy), &[]).unwrap();
    assert_eq!(plan_of(4).hours[1].load_w, 1500.0);
    assert_eq!(plan_of(1).hours[1].load_w, 500.0, "one Monday is an exception");
    let tuesday = plan_of(4);
    assert_eq!(tuesday.hours.last().unwrap().load_w, 500.0);
}

#[test]
fn dear_hours_without_a_battery_are_met_by_charging_in_the_cheap_ones() {
    let night = TariffWindow { from: 22 * 60, to: 6 * 60, price: 0.1 };
    let day = TariffWindow { from: 6 * 60, to: 22 * 60, price: 0.3 };
    // No sun at all: at its limit by the evening, dear until 22, dear again from 6 on.
    let plan = made(12, &battery(60.0), &sunny(0.0, 800.0), &[night, day]).unwrap();
    let charge = plan.windows.iter().find(|window| matches!(window.kind, PlanWindowKind::Charge { .. })).unwrap();
    assert_eq!((charge.from.to_string().as_str(), charge.to.to_string().as_str()), ("22:00", "06:00"));
    assert!(
        charge.words().starts_with("22:00 to 06:00: charge from the grid up to ") && charge.why.contains("0.113"),
        "{charge:?}"
    );
    // The same price all day: nothing is gained, and what is lost on the way would be paid.
    let flat = [TariffWindow { price: 0.1, ..night }, TariffWindow { price: 0.1, ..day }];
    assert_eq!(made(12, &battery(60.0), &sunny(0.0, 800.0), &flat).unwrap().windows, []);
    // Without tariffs, a grid that may fail is the reason; where it has failed already nothing can be charged.
    let plan = made(12, &battery(60.0), &sunny(0.0, 800.0), &[]).unwrap();
    assert!(plan.windows[0].why.contains("a grid that fails"), "{:?}", plan.windows);
    let lost = Battery { grid: Some(false), ..battery(60.0) };
    assert_eq!(made(12, &lost, &sunny(0.0, 800.0), &[]).unwrap().windows, []);
    // Enough sun: nothing to do.
    assert_eq!(made(8, &battery(90.0), &sunny(4000.0, 300.0), &[night, day]).unwrap().windows, []);
}

#[test]
fn a_battery_that_would_be_missed_in_dear_hours_is_kept_in_the_cheap_ones() {
    let cheap = TariffWindow { from: 0, to: 6 * 60, price: 0.1 };
    let dear = TariffWindow { from: 6 * 60, to: 24 * 60, price: 0.4 };
    // From midnight on it is used up until six, and missed then.
    let plan = made(0, &battery(70.0), &sunny(0.0, 900.0), &[cheap, dear]).unwrap();
    let keep = plan.windows.iter().find(|window| window.kind == PlanWindowKind::Keep).unwrap();
    assert_eq!((keep.from.to_string().as_str(), keep.to.to_string().as_str()), ("00:00", "06:00"));
    assert!(keep.why.contains("where it costs 0.4"), "{}", keep.why);
}

#[test]
fn a_clear_sky_has_the_shape_of_the_place_and_the_season() {
    let vienna = Place { latitude: 48.2, longitude: 16.4, tilt: 30.0, azimuth: 180.0, peak_w: Some(5000.0) };
    // Noon there is at 11 UTC or so; 2026-06-22 and 2026-12-21.
    let (summer, winter) = (MONDAY_MS, MONDAY_MS + 182 * DAY_MS);
    let noon = |day: i64| vienna.clear(day + 11 * HOUR_MS);
    assert!((0.9..1.15).contains(&noon(summer)), "{}", noon(summer));
    assert!((0.4..0.85).contains(&noon(winter)), "{}", noon(winter));
    assert_eq!((vienna.clear(summer), vienna.clear(winter + 17 * HOUR_MS)), (0.0, 0.0), "night");
    let (zenith, azimuth) = vienna.sun(summer + 11 * HOUR_MS).unwrap();
    assert!((zenith - 24.8).abs() < 0.5 && (azimuth - 180.0).abs() < 10.0, "{zenith} {azimuth}");
    let east = Place { azimuth: 90.0, ..vienna.clone() };
    assert!(east.clear(summer + 6 * HOUR_MS) > east.clear(summer + 16 * HOUR_MS) * 2.0);
    let south = Place { latitude: -33.0, longitude: 18.0, azimuth: 0.0, ..vienna.clone() };
    assert!(south.clear(winter + 11 * HOUR_MS) > south.clear(summer + 11 * HOUR_MS));
}

#[test]
fn with_a_place_the_sun_is_a_clear_sky_of_which_as_much_comes_through_as_lately() {
    let vienna = Place { latitude: 48.2, longitude: 16.4, tilt: 30.0, azimuth: 180.0, peak_w: None };
    let zone = TimeZone::fixed(offset(2));
    let samples = days(7, |_, _| (0.0, 500.0));
    let samples: Vec<Sample> = samples
        .into_iter()
        .map(|sample| Sample { pv_w: Some((vienna.clear(sample.at_ms + HOUR_MS / 8) * 3000.0) as f32), ..sample })
        .collect();
    let (now_ms, battery) = (MONDAY_MS + 6 * HOUR_MS, battery(50.0));
    let given = Given { now_ms, zone: &zone, battery: &battery, samples: &samples, place: Some(&vienna), tariffs: &[] };
    let made = plan(&given).unwrap();
    assert!(made.assumed[1].contains("of which 3000 W come through"), "{:?}", made.assumed);
    let noon = made.hours.iter().find(|hour| hour.from.minute == 13 * 60).unwrap();
    assert!((noon.pv_w / (vienna.clear(noon.from.at_ms + HOUR_MS / 2) * 3000.0) - 1.0).abs() < 0.02, "{noon:?}");
    assert_eq!(made.made.minute, 8 * 60, "by the clock on the wall");
    // Nothing was measured: half of a clear sky on what the panels can give.
    let blind: Vec<Sample> = samples.iter().map(|sample| Sample { pv_w: None, ..*sample }).collect();
    let known = Place { peak_w: Some(4000.0), ..vienna };
    let made = plan(&Given { samples: &blind, place: Some(&known), ..given }).unwrap();
    assert!(made.assumed[1].contains("half of a clear sky on 4000 W"), "{:?}", made.assumed);
    assert!(made.hours.iter().any(|hour| hour.pv_w > 1500.0));
    // Two days of sun do not say how much comes through, but they are what was.
    let young = now_ms - 2 * DAY_MS;
    let few: Vec<Sample> = samples.iter().map(|s| Sample { pv_w: s.pv_w.filter(|_| s.at_ms > young), ..*s }).collect();
    let made = plan(&Given { samples: &few, place: Some(&known), ..given }).unwrap();
    assert_eq!(made.assumed[1], "sun as usual at each hour of the last days");
    let nobody = Place { peak_w: None, ..known };
    let made = plan(&Given { samples: &blind, place: Some(&nobody), ..given }).unwrap();
    assert_eq!(made.assumed[1], "no sun was measured: none is counted");
    assert!(made.hours.iter().all(|hour| hour.pv_w == 0.0));
}

#[test]
fn a_limit_that_is_not_known_is_said_and_so_are_losses() {
    let unknown = Battery { floor_percent: None, ..battery(50.0) };
    let plan = made(12, &unknown, &sunny(0.0, 800.0), &[]).unwrap();
    assert!(plan.assumed.iter().any(|text| text.contains("stops discharging is not known: 0 %")), "{:?}", plan.assumed);
    assert_eq!(plan.hours.last().unwrap().soc_percent, 0.0);
    let known = made(12, &battery(50.0), &sunny(0.0, 800.0), &[]).unwrap();
    assert!(known.assumed.iter().all(|text| !text.contains("is taken")), "{:?}", known.assumed);
    assert!(known.assumed.iter().any(|text| text.contains("lost on the way")), "{:?}", known.assumed);
}

proptest! {
    /// Whatever the days were like: the charge stays between its limit and full, and energy neither comes from nor goes nowhere.
    #[test]
    fn energy_is_kept(
        soc in 0.0..100.0_f64,
        floor in 0.0..60.0_f64,
        capacity in 500.0..30_000.0_f64,
        pv in 0.0..9000.0_f64,
        load in 0.0..5000.0_f64,
        now_h in 0..24_i64,
    ) {
        let battery = Battery { capacity_wh: capacity, floor_percent: Some(floor), ..battery(soc) };
        let tariffs = [TariffWindow { from: 23 * 60, to: 5 * 60, price: 0.1 }, TariffWindow { from: 300, to: 1380, price: 0.3 }];
        let plan = made(now_h, &battery, &sunny(pv, load), &tariffs).unwrap();
        let mut before = soc;
        for hour in &plan.hours {
            prop_assert!((floor.min(soc) - 1e-9..=100.0 + 1e-9).contains(&hour.soc_percent), "{hour:?}");
            let into = (hour.soc_percent - before) / 100.0 * capacity;
            let net = hour.pv_w - hour.load_w + hour.grid_w - hour.spare_w;
            // What is lost on the way lies between.
            let (low, high) = if into >= 0.0 { (into, into / losses::one_way()) } else { (into, into * losses::one_way()) };
            prop_assert!((low.min(high) - 1.0..=low.max(high) + 1.0).contains(&net), "{net}: {hour:?}");
            before = hour.soc_percent;
        }
        prop_assert!(plan.hours.len() >= 8 && plan.hours.len() <= 34);
        for window in &plan.windows {
            prop_assert!(window.from.at_ms < window.to.at_ms && !window.why.is_empty(), "{window:?}");
        }
    }
}
