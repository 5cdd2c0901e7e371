//! Bytes that a day of history of inverters writes to the disk: as handed to the kernel, WAL and checkpoints included, with the
//! batches of the store. A naïve table, keyed by series and time with a commit a second, writes 8.96 GB a day.
#![allow(clippy::print_stdout, reason = "printing the figures is what a bench is for")]

mod support;

use std::fs;
use std::time::Duration;

use rustix::fs::stat;
use sunmill::model::power::{Grain, Sample};
use sunmill::store::{Store, StoreOptions, now_ms};
use support::{NO_BUDGET, title, value};

const TICK_MS: i64 = 5000;
/// The store writes how power went so often.
const BATCH_MS: i64 = 30_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn main() {
    title("A day of history, a row every 5 s, written every 30 s");
    for inverters in [1, 3] {
        day(inverters);
    }
}

fn day(inverters: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("sunmill.db");
    let (store, _) = Store::open(&file).expect("a store");
    let from = (now_ms() - 2 * DAY_MS) / DAY_MS * DAY_MS;
    // The first hour makes tables and inverters; then a whole day.
    give(&store, inverters, from - HOUR_MS, from);
    let before = written();
    give(&store, inverters, from, from + DAY_MS);
    let day = (written() - before) as f64 / 1e6;
    value(&format!("{inverters} inverter(s): written"), day, "MB a day", "50 MB");
    let started = std::time::Instant::now();
    let minutes = store.reader().samples(None, from, from + DAY_MS, Grain::Minute).expect("minutes");
    let took = started.elapsed().as_secs_f64() * 1e3;
    value(&format!("{inverters} inverter(s): a day of {} minutes", minutes.len()), took, "ms to read", NO_BUDGET);
    let edges: Vec<i64> = (0..=24).map(|hour| from + hour * HOUR_MS).collect();
    let started = std::time::Instant::now();
    store.reader().energies(None, &edges).expect("energies");
    let took = started.elapsed().as_secs_f64() * 1e3;
    value(&format!("{inverters} inverter(s): 24 bars of energy"), took, "ms to read", NO_BUDGET);
    store.close();
    let size = stat(&file).map_or(0, |file| file.st_size) as f64 / 1e6;
    value(&format!("{inverters} inverter(s): the file"), size, "MB after a day", NO_BUDGET);
    // All ticks of the day go at once; in use an hour of them goes each hour.
    let before = written();
    let options = StoreOptions { power_ticks_for: Duration::from_secs(3600), ..StoreOptions::default() };
    let (store, _) = Store::open_with(&file, options).expect("the store again");
    store.flush().expect("a disk with room");
    store.close();
    let gone = (written() - before) as f64 / 1e6;
    value(&format!("{inverters} inverter(s): throwing its ticks away"), gone, "MB", "in the 50 MB");
}

/// Ticks of all inverters, written when they would be.
fn give(store: &Store, inverters: usize, from: i64, until: i64) {
    for at_ms in (from..until).step_by(TICK_MS as usize) {
        for inverter in 0..inverters {
            store.power_sample(
                ["roof", "barn", "shed"][inverter],
                sample(at_ms, i64::try_from(inverter).unwrap_or_default()),
            );
        }
        if (at_ms + TICK_MS) % BATCH_MS == 0 {
            store.flush().expect("a disk with room");
        }
    }
}

/// Numbers as wide as real ones, no two alike.
fn sample(at_ms: i64, inverter: i64) -> Sample {
    let noise = |spread: i64, salt: i64| {
        let n =
            (at_ms / TICK_MS).wrapping_mul(6_364_136_223_846_793_005).wrapping_add((salt + 13 * inverter) * 1_442_695);
        ((n >> 33) % (2 * spread + 1)) as f32
    };
    let sun = ((at_ms % DAY_MS) as f32 / DAY_MS as f32 * std::f32::consts::TAU).sin().max(0.0) * 4000.0;
    Sample {
        at_ms,
        pv_w: Some(sun + noise(50, 1)),
        battery_w: Some(500.0 - sun / 3.0 + noise(100, 2)),
        grid_w: Some(noise(300, 3)),
        load_w: Some(1200.0 + noise(400, 4)),
        soc_percent: Some(55.0 + noise(10, 5) / 10.0),
        battery_v: Some(52.0 + noise(100, 6) / 100.0),
        grid_v: Some(230.0 + noise(40, 7) / 10.0),
        grid_hz: Some(50.0 + noise(5, 8) / 100.0),
        inverter_c: Some(41.0 + noise(5, 9) / 10.0),
        battery_c: Some(25.0 + noise(3, 10) / 10.0),
        grid_there: Some(1.0),
    }
}

/// Bytes that this process has handed to the kernel so far; what it prints is next to nothing.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")?.trim().parse().ok()).unwrap_or(0)
}
