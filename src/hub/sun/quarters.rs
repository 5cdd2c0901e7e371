//! The history by quarters of an hour, read now and then, off the runtime: what the last days were like, and the plan of the
//! battery that follows.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::plan::{self, Battery, Given, Made, Planning};
use crate::hub::run::Keeper;
use crate::model::power::Grain;
use crate::model::sun::{DayProfile, Plan, without_programs};
use crate::store::{Reader, RunFilter, Store, StoreError, now_ms};

/// How often: a quarter of an hour is what the history adds.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// After the start an inverter is given so long to tell of its battery before it is said that it does not.
const PATIENCE: Duration = Duration::from_secs(60);
/// History that plans look at: four of each weekday.
const PLAN_DAYS: i64 = 28;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Programs of the last days that are looked at; nobody runs more.
const MOST_RUNS: usize = 5000;

/// The sun and the loads of the last days.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Days {
    /// The sun.
    pub sun: DayProfile,
    /// The loads, less what programs are known to have drawn.
    pub loads: DayProfile,
}

impl Days {
    /// From what was kept, up to this ms of Unix time. Reads.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn read(reader: &Reader, now_ms: i64) -> Result<Self, StoreError> {
        let from_ms = now_ms - DayProfile::DAYS * DAY_MS;
        let samples = reader.samples(None, from_ms, now_ms, Grain::Quarter)?;
        // Some were under way already.
        let filter = RunFilter { since_ms: Some(from_ms - DAY_MS), ..RunFilter::default() };
        let runs = reader.runs(&filter, 0, MOST_RUNS)?;
        let others = without_programs(&samples, &runs, now_ms);
        Ok(Self {
            sun: DayProfile::of(&samples, |sample| sample.pv_w),
            loads: DayProfile::of(&others, |sample| sample.load_w),
        })
    }
}

/// What came out of a look at the history.
#[derive(Clone, Debug, Default)]
pub(in crate::hub) struct Quarters {
    /// `None`: it could not be read.
    days: Option<Days>,
    made: Made,
}

/// Where that comes from.
pub(in crate::hub) type QuarterNews = watch::Receiver<Arc<Quarters>>;

/// What is read, and for what.
struct Source {
    store: Store,
    zone: TimeZone,
    planning: Planning,
    battery: watch::Receiver<Result<Battery, String>>,
}

impl Keeper {
    /// Begins to read it. Without inverters there is nothing that days could be like, and nothing to plan. To be called in the
    /// runtime.
    pub(in crate::hub) fn begin_quarters(&mut self, store: Option<Store>, zone: TimeZone) -> Option<QuarterNews> {
        let store = store.filter(|_| !self.snapshot.power.inverters.is_empty())?;
        let (tell_battery, battery) = watch::channel(Err("the inverter has not answered yet".to_owned()));
        let (tell, news) = watch::channel(Arc::default());
        self.sun.plan.tell = Some(tell_battery);
        let planning = self.sun.plan.planning.clone();
        tokio::spawn(run(Source { store, zone, planning, battery }, tell));
        Some(news)
    }

    /// It was read anew.
    pub(in crate::hub) fn take_quarters(&mut self, quarters: &Quarters) {
        if let Some(days) = &quarters.days {
            self.take_days(days);
        }
        self.sun.plan.made.clone_from(&quarters.made);
        self.show_sun();
    }
}

/// Ends when nobody looks any more.
async fn run(mut source: Source, tell: watch::Sender<Arc<Quarters>>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let patient_until = Instant::now() + PATIENCE;
    let (mut is_known, mut is_early) = (false, false);
    loop {
        tokio::select! {
            // So that one look is not followed by another at once.
            biased;
            _ = tick.tick() => {}
            // Nobody waits a quarter of an hour for an inverter that answers at last.
            Ok(_) = source.battery.wait_for(Result::is_ok), if !is_known => {}
            () = sleep_until(patient_until), if is_early => {}
            () = tell.closed() => return,
        }
        let battery = source.battery.borrow().clone();
        is_known = battery.is_ok();
        is_early = !is_known && Instant::now() < patient_until;
        let battery = (!is_early).then_some(battery);
        let (store, zone, planning) = (source.store.clone(), source.zone.clone(), source.planning.clone());
        let read = tokio::task::spawn_blocking(move || read(&store.reader(), &zone, &planning, battery)).await;
        match read {
            Ok(quarters) => drop(tell.send_replace(Arc::new(quarters))),
            Err(error) => tracing::error!(%error, "the history was not read"),
        }
    }
}

/// Without a battery nobody has looked for a plan yet.
fn read(reader: &Reader, zone: &TimeZone, planning: &Planning, battery: Option<Result<Battery, String>>) -> Quarters {
    let now_ms = now_ms();
    let days = Days::read(reader, now_ms);
    let days = days.inspect_err(|why| tracing::warn!(%why, "the power of the last days cannot be read")).ok();
    let made = |battery: Result<Battery, String>| plan_of(reader, zone, planning, &battery?, now_ms).map(Arc::new);
    Quarters { days, made: battery.map(made) }
}

fn plan_of(
    reader: &Reader,
    zone: &TimeZone,
    planning: &Planning,
    battery: &Battery,
    now_ms: i64,
) -> Result<Plan, String> {
    let samples = reader.samples(Some(&battery.inverter), now_ms - PLAN_DAYS * DAY_MS, now_ms, Grain::Quarter);
    let samples = samples.map_err(|why| format!("the history cannot be read: {why}"))?;
    let Planning { place, tariffs, .. } = planning;
    plan::plan(&Given { now_ms, zone, battery, samples: &samples, place: place.as_ref(), tariffs })
}

/// Waits until it was read anew. For ever where nobody reads it.
pub(in crate::hub) async fn news(quarters: &mut Option<QuarterNews>) -> Arc<Quarters> {
    if let Some(quarters) = quarters
        && quarters.changed().await.is_ok()
    {
        return Arc::clone(&quarters.borrow_and_update());
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests;
