use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::power::{Reading, Sample, Unit};
use crate::model::program::{Drawn, Phase, PhaseTimes, RunEnergy, Stretch, report::Times};
use crate::model::sun::Learned;

const DAY_MS: i64 = 86_400_000;
const MINUTE: Duration = Duration::from_secs(60);

/// So many seconds at so many watts, known to 10 %.
fn need(seconds: f64, watts: f64) -> Need {
    let times = Times { cutting_s: seconds, ..Times::default() };
    let mut need = Need::of(&PhaseTimes::split(&times, &times), &Learned::default(), Some(watts)).unwrap();
    need.spread_wh = need.wh / 10.0;
    need
}

fn supply(soc: f64, sun_w: f64, grid: GridState, days: &DayProfile) -> Supply<'_> {
    let reserve = Reserve { capacity_wh: 10_000.0, soc_percent: soc, floor_percent: 20.0 };
    Supply {
        reserve: Ok(reserve),
        sun_w: Some(sun_w),
        other_w: Ok(500.0),
        grid,
        days,
        loads: Box::leak(Box::default()),
        now_ms: Some(DAY_MS / 2),
    }
}

/// Every day the same.
fn days(watts: impl Fn(i64) -> f32) -> DayProfile {
    let samples: Vec<Sample> = (0..3 * 96)
        .map(|quarter| {
            let at_ms = quarter * DAY_MS / 96;
            Sample { at_ms, pv_w: Some(watts(quarter % 96)), ..Sample::default() }
        })
        .collect();
    DayProfile::of(&samples, |sample| sample.pv_w)
}

/// A clock that began at noon.
fn clock(after: Duration) -> String {
    let minutes = 12 * 60 + (after.as_secs() + 30) / 60;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[test]
fn each_case_in_words() {
    let none = DayProfile::default();
    let say = |soc, sun, grid| Outlook::of(need(3600.0, 2000.0), &supply(soc, sun, grid, &none)).words(clock);
    // 2.2 kWh and 0.5 of other loads out of 10, and 6 % on the way.
    assert_eq!(say(80.0, 0.0, GridState::Lost), "needs 2.0 kWh ± 0.2; battery alone to 51 %; fine");
    // The sun fades to half within the hour: 0.72 of it.
    assert_eq!(
        say(40.0, 1500.0, GridState::Lost),
        "needs 2.0 kWh ± 0.2; battery alone will not do, with the sun to 22 %; fine"
    );
    assert_eq!(say(30.0, 0.0, GridState::Lost), "needs 2.0 kWh ± 0.2; will stop at about 12:21");
    assert_eq!(
        say(30.0, 0.0, GridState::Good),
        "needs 2.0 kWh ± 0.2; the grid has to help: without it it will stop at about 12:21"
    );
    assert_eq!(say(15.0, 0.0, GridState::Unknown), "needs 2.0 kWh ± 0.2; will stop at about 12:00");
}

#[test]
fn what_is_assumed_is_said() {
    let none = DayProfile::default();
    let low = Outlook::of(need(3600.0, 2000.0), &supply(30.0, 400.0, GridState::Lost, &none));
    assert_eq!(
        low.assumed,
        [
            "no run was measured yet: 2000 W, machine.rated_w",
            "battery of 10.0 kWh, 30 % now, ends at 20 %",
            "6 % lost on the way into the battery, and again on the way out",
            "other loads as now: 500 W; there is no history of these hours yet",
            "sun 400 W now, fading: there is no history of these hours yet",
        ]
    );
    assert!(low.warns());
    let bright = days(|_| 3000.0);
    let high = Outlook::of(need(3600.0, 2000.0), &supply(30.0, 2900.0, GridState::Lost, &bright));
    assert_eq!(high.assumed.last().unwrap(), "sun 2900 W now, then as on the last 3 days (median)");
    assert!(matches!(high.verdict, Verdict::Sun { .. }) && !high.warns());
}

#[test]
fn other_loads_go_over_into_those_of_the_last_days() {
    let none = DayProfile::default();
    let to = |loads: &DayProfile, hours: f64| {
        let program = need(hours * 3600.0, 1000.0);
        let outlook = Outlook::of(program, &Supply { loads, ..supply(90.0, 0.0, GridState::Lost, &none) });
        let Verdict::Battery { to_percent } = outlook.verdict else { panic!("{outlook:?}") };
        (to_percent.round(), outlook.assumed.last().unwrap().clone())
    };
    // 1.1 kW of the program for three hours, and 500 W of others.
    assert_eq!(to(&none, 3.0).0, 39.0);
    // A quiet house: of the 500 W there are 350 Wh left in all, and 100 W beside them.
    let (percent, assumed) = to(&days(|_| 100.0), 3.0);
    assert_eq!(percent, 49.0);
    assert_eq!(assumed, "other loads 500 W now, then as on the last 3 days (median, without programs)");
    // An evening that needs more; and the first minutes are as now whatever follows.
    let evening = days(|quarter| if quarter < 56 { 500.0 } else { 2000.0 });
    assert!(to(&evening, 3.0).0 < 35.0);
    assert_eq!(to(&evening, 0.1).0, to(&none, 0.1).0);
}

#[test]
fn hours_of_which_no_loads_are_known_stay_as_they_are_now_and_are_said() {
    let none = DayProfile::default();
    let samples: Vec<Sample> =
        (40..50).map(|n| Sample { at_ms: n * DAY_MS / 96, pv_w: Some(100.0), ..Sample::default() }).collect();
    let morning = DayProfile::of(&samples, |sample| sample.pv_w);
    let known = Supply { loads: &morning, ..supply(90.0, 0.0, GridState::Lost, &none) };
    let long = Outlook::of(need(4.0 * 3600.0, 1000.0), &known);
    assert_eq!(
        long.assumed.last().unwrap(),
        "other loads 500 W now, then as on the last day without its programs, where these hours are known"
    );
    // From 14 o'clock on nothing is known.
    let late = Supply { now_ms: Some(14 * 3_600_000), ..known };
    let outlook = Outlook::of(need(3600.0, 1000.0), &late);
    assert_eq!(outlook.assumed.last().unwrap(), "other loads as now: 500 W; there is no history of these hours yet");
}

#[test]
fn how_long_the_batteries_last_as_the_last_days_were() {
    let (dark, some) = (days(|_| 0.0), days(|_| 500.0));
    let at_noon = Supply { loads: &some, ..supply(80.0, 0.0, GridState::Lost, &dark) };
    // 6 kWh, of which 5.6 come out.
    let Some(Lasts::Until(time)) = at_noon.lasts(None) else { panic!("{at_noon:?}") };
    assert!((670 * MINUTE..=680 * MINUTE).contains(&time), "{time:?}");
    // A program that takes half of it.
    let Some(Lasts::Until(sooner)) = at_noon.lasts(Some(&need(3600.0, 2500.0))) else { panic!() };
    assert!((335 * MINUTE..=350 * MINUTE).contains(&sooner), "{sooner:?}");
    let bright = days(|_| 600.0);
    let sunny = Supply { sun_w: Some(600.0), days: &bright, ..at_noon.clone() };
    assert_eq!(sunny.lasts(None), Some(Lasts::BeyondADay));
    // Without the last days, or with an hour or two of them, or without the present, nobody says.
    let samples: Vec<Sample> =
        (40..50).map(|n| Sample { at_ms: n * DAY_MS / 96, pv_w: Some(100.0), ..Sample::default() }).collect();
    let morning = DayProfile::of(&samples, |sample| sample.pv_w);
    for unknown in [
        Supply { sun_w: None, ..at_noon.clone() },
        Supply { other_w: Err(String::new()), ..at_noon.clone() },
        supply(80.0, 0.0, GridState::Lost, &dark),
        Supply { now_ms: None, ..at_noon.clone() },
        Supply { loads: &morning, ..at_noon.clone() },
    ] {
        assert_eq!(unknown.lasts(None), None, "{unknown:?}");
    }
}

#[test]
fn a_spindle_that_runs_in_one_half_only_stops_the_program_there() {
    let none = DayProfile::default();
    let (all, on) = (Times { cutting_s: 7200.0, ..Times::default() }, Times { cutting_s: 3600.0, ..Times::default() });
    let mut learned = Learned { runs: 3, ..Learned::default() };
    for (phase, watts) in [(Phase::Cutting, 2000.0), (Phase::Moving, 100.0)] {
        learned.phases[phase.index()] = Drawn { seconds: 3600.0, wh: watts };
    }
    let (quiet, cuts) = ([0.0, 0.0, 3600.0, 0.0, 0.0], [3600.0, 0.0, 0.0, 0.0, 0.0]);
    let stops = |course: Vec<Stretch>| {
        let need = Need::of(&PhaseTimes::split(&all, &on).in_stretches(course), &learned, None).unwrap();
        match Outlook::of(need, &supply(35.0, 0.0, GridState::Lost, &none)).verdict {
            Verdict::Stops { after } => after.as_secs() / 60,
            other => panic!("{other:?}"),
        }
    };
    // 1.5 kWh, of which 1.41 come out: 0.6 kW without the spindle leave 0.81 for 2.5 kW.
    assert_eq!(stops(vec![quiet, cuts]), 79);
    assert_eq!(stops(vec![cuts, quiet]), 33);
}

#[test]
fn the_evening_of_the_last_days_counts_although_the_sun_is_there_now() {
    // From 14:00 UTC on there was none.
    let evening = days(|quarter| if quarter < 56 { 2500.0 } else { 0.0 });
    let four_hours = need(4.0 * 3600.0, 1500.0);
    let Verdict::Stops { after } =
        Outlook::of(four_hours.clone(), &supply(40.0, 2500.0, GridState::Lost, &evening)).verdict
    else {
        panic!("it cannot last")
    };
    // It charges a little before 14:00; then 2.5 kWh last 70 minutes at 2.15 kW.
    assert!((185 * MINUTE..=200 * MINUTE).contains(&after), "{after:?}");
    let bright = days(|_| 2500.0);
    let verdict = Outlook::of(four_hours, &supply(40.0, 2500.0, GridState::Lost, &bright)).verdict;
    assert!(matches!(verdict, Verdict::Sun { .. }), "{verdict:?}");
}

fn power(with: impl Fn(&mut Unit)) -> Power {
    let mut unit = Unit { enabled: true, state: UnitState::Answers, capacity_kwh: Some(10.0), ..Unit::default() };
    unit.known.name = "roof".into();
    let reading = |value| Reading::new(value, Time::ZERO, Duration::from_secs(1));
    unit.known.battery.soc_percent = reading(80.0);
    unit.known.battery.soc_min_percent = reading(20.0);
    (unit.known.flow.load_w, unit.known.flow.pv_w) = (reading(500.0), reading(100.0));
    unit.known.grid.state = GridState::Good;
    with(&mut unit);
    Power { inverters: vec![Arc::new(unit)], ..Power::default() }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let sun = Sun::default();
    let unknown = |power: &Power, at_ms| {
        let supply = Supply::of(power, &sun, Time::from_millis(at_ms), Some(0));
        match Outlook::of(need(3600.0, 2000.0), &supply).verdict {
            Verdict::Unknown(why) => why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(unknown(&Power::default(), 0), "no inverter is polled");
    assert_eq!(unknown(&power(|unit| unit.capacity_kwh = None), 0), "capacity_kwh of roof is not set in config.toml");
    assert_eq!(unknown(&power(|_| {}), 5000), "the charge of roof is not known now");
    assert_eq!(unknown(&power(|unit| unit.state = UnitState::Waiting), 0), "roof does not answer");
    let no_floor = power(|unit| unit.known.battery.soc_min_percent = Reading::default());
    assert_eq!(unknown(&no_floor, 0), "the charge at which roof switches off is not known");
    assert_eq!(unknown(&power(|unit| unit.known.flow.load_w = Reading::default()), 0), "the load is not known now");
    let good = power(|_| {});
    let supply = Supply::of(&good, &sun, Time::ZERO, Some(0));
    assert_eq!((supply.grid, supply.sun_w, supply.other_w), (GridState::Good, Some(100.0), Ok(500.0)));
}

#[test]
fn while_a_program_runs_the_other_loads_are_those_from_before_it() {
    let sun = Sun { drawn: Some(RunEnergy { base_w: Some(300.0), ..RunEnergy::default() }), ..Sun::default() };
    assert_eq!(Supply::of(&power(|_| {}), &sun, Time::ZERO, None).other_w, Ok(300.0));
}

#[test]
fn several_batteries_are_one() {
    let mut two = power(|_| {});
    let second = power(|unit| {
        unit.known.name = "shed".into();
        unit.capacity_kwh = Some(30.0);
        unit.known.battery.soc_percent.value = Some(40.0);
    });
    two.inverters.extend(second.inverters);
    let reserve = Supply::of(&two, &Sun::default(), Time::ZERO, None).reserve.unwrap();
    assert_eq!(reserve, Reserve { capacity_wh: 40_000.0, soc_percent: 50.0, floor_percent: 20.0 });
}

/// The better, the larger: how it is carried, and then the charge or the time that is left.
fn worth(outlook: &Outlook) -> (u8, f64) {
    match &outlook.verdict {
        Verdict::Battery { to_percent } => (2, *to_percent),
        Verdict::Sun { to_percent } => (1, *to_percent),
        Verdict::Grid { ends_after: after } | Verdict::Stops { after } => (0, after.as_secs_f64()),
        Verdict::Unknown(why) => panic!("{why}"),
    }
}

fn no_worse(better: (u8, f64), worse: (u8, f64)) -> bool {
    better.0 > worse.0 || (better.0 == worse.0 && better.1 >= worse.1 - 1e-6)
}

proptest! {
    /// More charge, more battery, more sun, fewer other loads, a program that needs less: it never looks worse for that.
    #[test]
    fn more_of_anything_is_never_worse(
        soc in 0.0..100.0_f64, more_soc in 0.0..50.0_f64, sun in 0.0..5000.0_f64, more_sun in 0.0..3000.0_f64,
        other in 0.0..3000.0_f64, hours in 0.05..8.0_f64, watts in 10.0..5000.0_f64, noon in 0.0..5000.0_f32,
    ) {
        let days = days(|quarter| noon * (1.0 - (quarter - 48).abs() as f32 / 30.0).max(0.0));
        let of = |soc: f64, sun, other, watts, scale: f64| {
            let mut supply = supply(soc.min(100.0), sun, GridState::Lost, &days);
            supply.other_w = Ok(other);
            if let Ok(reserve) = &mut supply.reserve {
                reserve.capacity_wh *= scale;
            }
            worth(&Outlook::of(need(hours * 3600.0, watts), &supply))
        };
        let plain = of(soc, sun, other, watts, 1.0);
        prop_assert!(no_worse(of(soc + more_soc, sun, other, watts, 1.0), plain));
        prop_assert!(no_worse(of(soc, sun + more_sun, other, watts, 1.0), plain));
        prop_assert!(no_worse(of(soc, sun, other * 0.8, watts, 1.0), plain));
        prop_assert!(no_worse(of(soc, sun, other, watts * 0.8, 1.0), plain));
        // A larger battery holds more above its limit, if it is above it.
        if soc > 20.0 && plain.0 != 1 {
            prop_assert!(no_worse(of(soc, sun, other, watts, 1.5), plain));
        }
    }
}
