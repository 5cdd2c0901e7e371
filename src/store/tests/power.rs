//! How power went, what people set, and what is remembered of inverters.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::*;
use crate::model::power::{EnergyBar, Grain, Sample, Saved};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Noon of a day not long ago, by whose clock nothing is too old.
fn noon() -> i64 {
    now_ms() / (24 * HOUR) * 24 * HOUR - 12 * HOUR
}

fn tick(at_ms: i64, pv: f32, grid: f32) -> Sample {
    Sample { at_ms, pv_w: Some(pv), grid_w: Some(grid), soc_percent: Some(50.0), ..Sample::default() }
}

/// Ticks every 5 seconds.
fn ticks(from: i64, until: i64) -> impl Iterator<Item = i64> {
    (from..until).step_by(5000)
}

fn give(store: &Store, inverter: &str, from: i64, until: i64, pv: f32, grid: f32) {
    for at in ticks(from, until) {
        store.power_sample(inverter, tick(at, pv, grid));
        if at % (10 * MINUTE) == 0 {
            store.flush().unwrap();
        }
    }
    store.flush().unwrap();
}

fn samples(store: &Store, inverter: Option<&str>, from: i64, until: i64, grain: Grain) -> Vec<Sample> {
    store.reader().samples(inverter, from, until, grain).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-3
}

fn is(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| near(a, b))
}

#[test]
fn ticks_become_minutes_quarters_and_days() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    give(&store, "roof", from, from + HOUR, 2000.0, 600.0);
    give(&store, "roof", from + HOUR, from + 2 * HOUR, 1000.0, -300.0);
    let read = |grain| samples(&store, Some("roof"), from - 24 * HOUR, from + 24 * HOUR, grain);
    assert_eq!(read(Grain::Raw).len(), 2 * 720);
    assert_eq!(read(Grain::Raw)[0], tick(from, 2000.0, 600.0));
    assert_eq!(read(Grain::Minute).len(), 119, "the last one is not over");
    assert_eq!(read(Grain::Quarter).len(), 7);
    assert_eq!(read(Grain::Quarter)[4], tick(from + HOUR, 1000.0, -300.0));
    assert_eq!(read(Grain::Day).len(), 1, "brought up to date with each quarter");

    // At the end all is made, and gone on with after it.
    store.close();
    let (store, _) = place.open();
    let read = |grain| samples(&store, Some("roof"), from - 24 * HOUR, from + 24 * HOUR, grain);
    assert_eq!((read(Grain::Minute).len(), read(Grain::Quarter).len()), (120, 8));
    let day = read(Grain::Day)[0];
    assert_eq!((day.at_ms, day.pv_w, day.grid_w), (from - 12 * HOUR, Some(1500.0), Some(150.0)));
    assert_eq!(day.load_w, None, "never told: not 0");
    assert_eq!(samples(&store, Some("shed"), 0, i64::MAX, Grain::Raw), []);

    let bars = store.reader().energies(Some("roof"), &[from - HOUR, from, from + HOUR, from + 2 * HOUR]).unwrap();
    assert_eq!(bars[0], EnergyBar { at_ms: from - HOUR, ..EnergyBar::default() });
    assert!(is(bars[1].pv, 2.0) && is(bars[1].import, 0.6) && bars[1].export == Some(0.0), "{bars:?}");
    assert!(is(bars[2].pv, 1.0) && is(bars[2].export, 0.3) && bars[2].import == Some(0.0), "{bars:?}");
    assert!(near(bars[1].known, 1.0) && near(bars[2].known, 1.0), "{bars:?}");
    assert_eq!((bars[1].load, bars[1].charge), (None, None), "never told: not 0");
}

#[test]
fn energies_follow_minute_by_minute_and_are_cut_where_they_are_asked_for() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    give(&store, "roof", from, from + 40 * MINUTE + 5000, 3000.0, 0.0);
    let bars = |edges: &[i64]| store.reader().energies(Some("roof"), edges).unwrap();
    let hour = bars(&[from, from + HOUR])[0];
    assert!(is(hour.pv, 2.0) && near(hour.known, 40.0 / 60.0), "{hour:?}");
    let cut = bars(&[from + 5 * MINUTE, from + 17 * MINUTE, from + 33 * MINUTE]);
    assert!(is(cut[0].pv, 0.6) && is(cut[1].pv, 0.8) && near(cut[1].known, 1.0), "{cut:?}");
    assert_eq!((bars(&[from]), bars(&[])), (vec![], vec![]));

    // A start in the middle of a quarter does not hide what came of that quarter before or after.
    store.close();
    let (store, _) = place.open();
    give(&store, "roof", from + 40 * MINUTE + 5000, from + 43 * MINUTE + 5000, 3000.0, 0.0);
    let hour = store.reader().energies(Some("roof"), &[from, from + HOUR]).unwrap()[0];
    assert!(is(hour.pv, 3.0 * 43.0 / 60.0) && near(hour.known, 43.0 / 60.0), "{hour:?}");
}

#[test]
fn all_together_is_a_sum_only_where_all_are_known() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    give(&store, "a", from, from + 30 * MINUTE, 2000.0, 100.0);
    give(&store, "b", from, from + 10 * MINUTE, 500.0, -50.0);
    // It tells nothing for ten minutes; then it is back, between the ticks of the other.
    give(&store, "b", from + 20 * MINUTE + 2000, from + 30 * MINUTE, 500.0, -50.0);
    store.close();
    let (store, _) = place.open();
    let minutes = samples(&store, None, from, from + HOUR, Grain::Minute);
    assert_eq!(minutes.len(), 30);
    assert_eq!((minutes[5].pv_w, minutes[5].grid_w, minutes[5].soc_percent), (Some(2500.0), Some(50.0), Some(50.0)));
    assert_eq!((minutes[15].pv_w, minutes[15].load_w), (None, None), "b is not known: nothing counts as 0");
    assert_eq!(minutes[25].pv_w, Some(2500.0));
    let raw = samples(&store, None, from + 25 * MINUTE, from + 26 * MINUTE, Grain::Raw);
    assert_eq!((raw.len(), raw[3].pv_w), (24, Some(2500.0)), "each within the life of the other's last");
    let bar = store.reader().energies(None, &[from, from + 30 * MINUTE]).unwrap()[0];
    // What b told last counts for half a minute more.
    assert!(bar.pv.is_some_and(|pv| (pv - 1.0 - 0.5 * 20.5 / 60.0).abs() < 0.005), "{bar:?}");
    assert!(bar.known < 0.69 && bar.known > 0.64, "{bar:?}");
}

#[test]
fn one_that_came_later_or_was_switched_off_is_not_missed() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    give(&store, "old", from, from + 10 * MINUTE, 100.0, 0.0);
    give(&store, "new", from + 5 * MINUTE, from + 20 * MINUTE, 1000.0, 0.0);
    store.close();
    let (store, _) = place.open();
    let pv = |store: &Store| -> Vec<Option<f32>> {
        samples(store, None, from, from + HOUR, Grain::Minute).iter().map(|sample| sample.pv_w).collect()
    };
    assert_eq!((pv(&store)[2], pv(&store)[7], pv(&store)[15]), (Some(100.0), Some(1100.0), None));
    store.remember("old", ENABLED, OFF, true);
    store.flush().unwrap();
    assert_eq!(pv(&store)[15], Some(1000.0));
}

#[test]
fn a_clock_that_is_set_back_breaks_nothing() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    give(&store, "roof", from, from + HOUR, 1000.0, 0.0);
    give(&store, "roof", from + 20 * MINUTE, from + HOUR, 1000.0, 0.0);
    give(&store, "roof", from + HOUR, from + 2 * HOUR, 1000.0, 0.0);
    give(&store, "roof", from - 10 * 365 * 24 * HOUR, from - 10 * 365 * 24 * HOUR + MINUTE, 1000.0, 0.0);
    store.close();
    let (store, _) = place.open();
    assert_eq!(samples(&store, Some("roof"), from, from + 2 * HOUR, Grain::Minute).len(), 120);
    let bar = store.reader().energies(Some("roof"), &[from, from + 2 * HOUR]).unwrap()[0];
    assert!(is(bar.pv, 2.0) && near(bar.known, 1.0), "no hour counts twice: {bar:?}");
}

#[test]
fn a_power_cut_between_two_writes_loses_no_longer_time() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    give(&store, "roof", from, from + 50 * MINUTE, 1000.0, 0.0);
    // As if it had ended there: a copy of the files as they are.
    let copy = Place::new();
    std::fs::create_dir_all(copy.file().parent().unwrap()).unwrap();
    for ending in ["", "-wal"] {
        let name = format!("sunmill.db{ending}");
        std::fs::copy(place.file().with_file_name(&name), copy.file().with_file_name(&name)).unwrap();
    }
    let lost = Connection::open(copy.file()).unwrap();
    lost.execute_batch("DELETE FROM power_minutes WHERE id > 0; DELETE FROM power_quarters; DELETE FROM power_days;")
        .unwrap();
    drop(lost);
    let (store, _) = copy.open();
    give(&store, "roof", from + 50 * MINUTE, from + 61 * MINUTE, 1000.0, 0.0);
    store.close();
    let (store, _) = copy.open();
    assert_eq!(samples(&store, Some("roof"), from, from + HOUR, Grain::Minute).len(), 60);
    assert_eq!(samples(&store, Some("roof"), from, from + HOUR, Grain::Quarter).len(), 4);
    assert_eq!(samples(&store, Some("roof"), from - 24 * HOUR, from + HOUR, Grain::Day).len(), 1);
}

#[test]
fn each_grain_is_kept_for_its_time_and_days_for_ever() {
    let place = Place::new();
    let day = 24 * HOUR;
    // Days of the calendar of a place that sets its clocks, from its own midnight on.
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let options = StoreOptions { zone: zone.clone(), ..StoreOptions::default() };
    let (store, _) = place.open_with(options.clone());
    let midnight = |days: i64| {
        let at = Timestamp::from_millisecond(now_ms() - days * day).unwrap().to_zoned(zone.clone());
        at.start_of_day().unwrap().timestamp().as_millisecond()
    };
    let moments = [1, 10, 100, 1000].map(midnight);
    for at in moments.into_iter().rev() {
        give(&store, "roof", at, at + HOUR, 1000.0, 0.0);
    }
    store.close();
    let (store, _) = place.open_with(options);
    store.flush().unwrap();
    let count = |grain| -> Vec<usize> {
        moments.iter().map(|at| samples(&store, Some("roof"), *at, *at + HOUR, grain).len()).collect()
    };
    assert_eq!(count(Grain::Raw), [720, 0, 0, 0]);
    assert_eq!(count(Grain::Minute), [60, 60, 0, 0]);
    assert_eq!(count(Grain::Quarter), [4, 4, 4, 0]);
    assert_eq!(count(Grain::Day), [1, 1, 1, 1]);
    let edges = [moments[3], moments[3] + day, moments[2], moments[2] + day, moments[1], moments[1] + day];
    let bars = store.reader().energies(Some("roof"), &edges).unwrap();
    for n in [0, 2, 4] {
        assert!(is(bars[n].pv, 1.0) && near(bars[n].known, 1.0 / 24.0), "{n}: {:?}", bars[n]);
    }
}

#[test]
fn what_people_set_and_what_is_remembered_is_kept_by_inverter() {
    let place = Place::new();
    let (store, _) = place.open();
    let set = |id: &str, text: &str, at_ms| Saved { id: id.into(), text: text.into(), who: "screen 1".into(), at_ms };
    store.save_setting("roof", set("soc_min", "20", 1));
    store.save_setting("roof", set("soc_min", "30", 2));
    store.save_setting("roof", set("mode", "eco", 3));
    store.save_setting("shed", set("soc_min", "40", 4));
    store.remember("roof", "serial", "A1", true);
    store.remember("roof", "holes", "[5]", false);
    store.remember("roof", "holes", "[5, 6]", false);
    store.remember("roof", "counter", "old", false);
    store.remember("roof", "counter", "new", true);
    store.close();
    let (store, _) = place.open();
    let reader = store.reader();
    assert_eq!(reader.saved("roof").unwrap(), [set("mode", "eco", 3), set("soc_min", "30", 2)]);
    assert_eq!((reader.saved("shed").unwrap().len(), reader.saved("none").unwrap().len()), (1, 0));
    let memory = |key| reader.memory("roof", key).unwrap();
    assert_eq!((memory("serial").as_deref(), memory("holes").as_deref()), (Some("A1"), Some("[5, 6]")));
    assert_eq!(memory("counter").as_deref(), Some("new"), "an older one that waits does not set it back");
    assert_eq!(reader.memory("shed", "serial").unwrap(), None);
    store.forget_setting("roof", "soc_min");
    store.remember("roof", "serial", "", true);
    store.flush().unwrap();
    assert_eq!((reader.saved("roof").unwrap().len(), memory("serial")), (1, None));
}

#[test]
fn ticks_wait_for_each_other_and_for_nobody_else() {
    let place = Place::new();
    let (store, _) = place.open();
    store.power_sample("roof", tick(noon(), 100.0, 0.0));
    // Ten commits at once of something else.
    for id in 1..=10 {
        store.run_ended(ended(run(id, "face.nc"), RunEnd::Done));
        while store.reader().runs(&RunFilter::default(), 0, 20).unwrap().len() < id as usize {
            std::thread::yield_now();
        }
    }
    assert_eq!(samples(&store, Some("roof"), 0, i64::MAX, Grain::Raw), []);
    store.flush().unwrap();
    assert_eq!(samples(&store, Some("roof"), 0, i64::MAX, Grain::Raw).len(), 1);
}

#[test]
fn while_nothing_can_be_written_ticks_wait() {
    let place = Place::new();
    let impatient = StoreOptions { busy_timeout: Duration::from_millis(1), ..StoreOptions::default() };
    let (store, _) = place.open_with(impatient);
    store.flush().unwrap();
    let other = Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let from = noon();
    for at in ticks(from, from + 2 * MINUTE) {
        store.power_sample("roof", tick(at, 100.0, 0.0));
    }
    assert!(store.flush().unwrap_err().to_string().contains("another program holds it locked"));
    other.execute_batch("ROLLBACK").unwrap();
    store.flush().unwrap();
    assert_eq!(samples(&store, Some("roof"), 0, i64::MAX, Grain::Raw).len(), 24);
    assert_eq!(samples(&store, Some("roof"), 0, i64::MAX, Grain::Minute).len(), 1);
}

#[test]
fn more_inverters_than_there_is_room_for_are_refused_and_the_others_go_on() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..256 {
        store.remember(&format!("unit {n}"), "serial", "A", true);
    }
    store.flush().unwrap();
    assert_eq!(store.reader().memory("unit 254", "serial").unwrap().as_deref(), Some("A"));
    assert_eq!(store.reader().memory("unit 255", "serial").unwrap(), None);
    store.power_sample("unit 255", tick(noon(), 1.0, 1.0));
    store.power_sample("unit 1", tick(noon(), 1.0, 1.0));
    store.flush().unwrap();
    assert_eq!(samples(&store, Some("unit 1"), 0, i64::MAX, Grain::Raw).len(), 1);
}

#[test]
fn rows_are_taken_one_by_one_and_can_be_ended() {
    let place = Place::new();
    let (store, _) = place.open();
    let from = noon();
    for at in ticks(from, from + 8 * HOUR) {
        store.power_sample("a", tick(at, 1.0, 0.0));
        if at % (30 * MINUTE) == 0 {
            store.flush().unwrap();
        }
    }
    give(&store, "b", from, from + MINUTE, 1.0, 0.0);
    let mut seen = Vec::new();
    let take = &mut |row: PowerRow| {
        seen.push((row.inverter, row.sample.at_ms));
        true
    };
    store.reader().each_sample(None, 0, i64::MAX, Grain::Raw, take).unwrap();
    assert_eq!(seen.len(), 8 * 720 + 12);
    assert!(seen.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0] != pair[1]));
    let mut count = 0;
    let three = &mut |_| {
        count += 1;
        count < 3
    };
    store.reader().each_sample(None, 0, i64::MAX, Grain::Raw, three).unwrap();
    assert_eq!(count, 3);
}
