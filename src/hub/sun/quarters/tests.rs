//! The reader over a store that a test fills, on simulated time.

use super::*;
use crate::model::power::Sample;
use crate::model::program::{Drawn, PastRun, RunEnd, RunEnergy, RunId};

const HOUR_MS: i64 = 3_600_000;

fn battery(soc_percent: f64) -> Battery {
    let inverter = "roof".to_owned();
    Battery { inverter, capacity_wh: 10_000.0, soc_percent, floor_percent: Some(20.0), grid: Some(true), load_w: None }
}

fn store(days: i64) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("store.db")).unwrap();
    let now = now_ms();
    for quarter in 0..days * 96 + 4 {
        let begins_ms = now - days * DAY_MS + quarter * HOUR_MS / 4;
        for at_ms in [begins_ms, begins_ms + 5000] {
            let sample = Sample { at_ms, pv_w: Some(900.0), load_w: Some(400.0), ..Sample::default() };
            store.power_sample("roof", sample);
        }
        if quarter % 64 == 0 {
            store.flush().unwrap();
        }
    }
    store.flush().unwrap();
    (folder, store)
}

struct Desk {
    _folder: tempfile::TempDir,
    battery: watch::Sender<Result<Battery, String>>,
    news: Option<QuarterNews>,
}

impl Desk {
    fn open(days: i64) -> Self {
        let (folder, store) = store(days);
        let (battery, known) = watch::channel(Err("the inverter has not answered yet".to_owned()));
        let (tell, news) = watch::channel(Arc::default());
        let source = Source { store, zone: TimeZone::UTC, planning: Planning::default(), battery: known };
        tokio::spawn(run(source, tell));
        Self { _folder: folder, battery, news: Some(news) }
    }

    /// The first one with a battery that is known: it may have looked before.
    async fn until_known(&mut self) -> Arc<Quarters> {
        let first = self.next().await;
        if first.made.is_none() { self.next().await } else { first }
    }

    async fn next(&mut self) -> Arc<Quarters> {
        news(&mut self.news).await
    }
}

fn soc(quarters: &Quarters) -> Result<f64, String> {
    quarters.made.clone().expect("somebody has looked").map(|plan| plan.soc_percent)
}

#[tokio::test(start_paused = true)]
async fn days_are_read_at_once_and_a_plan_is_made_as_soon_as_the_battery_is_known() {
    let mut desk = Desk::open(7);
    let begun = tokio::time::Instant::now();
    let first = desk.next().await;
    assert!(first.made.is_none(), "it is too early to say that it does not answer");
    let days = first.days.as_ref().unwrap();
    assert!(days.sun.is_known() && days.loads.is_known(), "{days:?}");
    desk.battery.send(Ok(battery(64.0))).unwrap();
    assert_eq!(soc(&*desk.next().await), Ok(64.0));
    assert!(begun.elapsed() < EVERY, "nobody waits for the next quarter");
}

#[test]
fn what_programs_drew_is_taken_out_of_the_loads() {
    let (_folder, store) = store(1);
    let now = now_ms();
    let quarter_ms = HOUR_MS / 4;
    // Whole quarters, three hours ago: 200 W; and one that nobody measured, six hours ago.
    let begins_ms = (now - 3 * HOUR_MS).div_euclid(quarter_ms) * quarter_ms;
    let mut energy = RunEnergy { base_w: Some(400.0), ..RunEnergy::default() };
    energy.phases[0] = Drawn { seconds: 1800.0, wh: 100.0 };
    let run = |id, started_ms, energy| PastRun {
        id: RunId(id),
        started_ms,
        ended_ms: Some(started_ms + 2 * quarter_ms),
        end: Some(RunEnd::Done),
        energy,
        ..PastRun::default()
    };
    store.run_ended(run(1, begins_ms, Some(energy)));
    store.run_ended(run(2, begins_ms - 3 * HOUR_MS, None));
    store.flush().unwrap();
    let loads = Days::read(&store.reader(), now).unwrap().loads;
    let at = |after: i64| loads.at(begins_ms + after + 60_000);
    assert_eq!([-quarter_ms, 0, quarter_ms, 2 * quarter_ms].map(at), [400.0, 200.0, 200.0, 400.0].map(Some));
    assert_eq!(at(-3 * HOUR_MS), None);
}

#[tokio::test(start_paused = true)]
async fn an_inverter_that_does_not_answer_is_said_after_a_while() {
    let mut desk = Desk::open(1);
    let begun = tokio::time::Instant::now();
    assert!(desk.next().await.made.is_none());
    assert_eq!(soc(&*desk.next().await), Err("the inverter has not answered yet".to_owned()));
    assert!((PATIENCE..EVERY).contains(&begun.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn each_quarter_takes_the_battery_as_it_stands_then() {
    let mut desk = Desk::open(7);
    desk.battery.send(Ok(battery(64.0))).unwrap();
    desk.until_known().await;
    // It changes, and goes silent: the next plan is none, and not one from what was.
    desk.battery.send(Ok(battery(40.0))).unwrap();
    assert_eq!(soc(&*desk.next().await), Ok(40.0));
    desk.battery.send(Err("the charge of the battery of roof is 90 s old".to_owned())).unwrap();
    let silent = desk.next().await;
    assert!(soc(&silent).unwrap_err().contains("90 s old") && silent.days.is_some());
    // It comes back: that is worth a look before the quarter is over.
    let back = tokio::time::Instant::now();
    desk.battery.send(Ok(battery(30.0))).unwrap();
    assert_eq!(soc(&*desk.next().await), Ok(30.0));
    assert!(back.elapsed() < EVERY);
}

#[tokio::test(start_paused = true)]
async fn too_little_history_is_told() {
    let mut desk = Desk::open(1);
    desk.battery.send(Ok(battery(64.0))).unwrap();
    let told = desk.until_known().await;
    assert!(soc(&told).unwrap_err().contains("too little history"), "{:?}", told.made);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_looks_any_more() {
    let (_folder, store) = store(1);
    let (_battery, known) = watch::channel(Ok(battery(50.0)));
    let (tell, news) = watch::channel(Arc::default());
    let source = Source { store, zone: TimeZone::UTC, planning: Planning::default(), battery: known };
    let task = tokio::spawn(run(source, tell));
    drop(news);
    task.await.unwrap();
}
