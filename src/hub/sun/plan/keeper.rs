//! Makes the plan anew every quarter of an hour, off the runtime, and shows it.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Battery, Given, Place, TariffWindow, plan};
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::power::{Grain, GridState};
use crate::model::snapshot::Snapshot;
use crate::model::sun::Plan;
use crate::store::{Store, now_ms};

/// How often: a quarter of an hour is what the history adds.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// After the start an inverter is given so long to tell of its battery.
const PATIENCE: Duration = Duration::from_secs(60);
/// History that is looked at: four of each weekday.
const DAYS: i64 = 28;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What came out: the plan, or why there is none.
type Made = Option<Result<Arc<Plan>, String>>;
/// Where it comes from.
pub(in crate::hub) type PlanNews = watch::Receiver<Made>;

/// What a plan is made from, beside history and battery.
#[derive(Clone, Debug, Default)]
pub struct Planning {
    /// The inverter, by name. `None`: the only one.
    pub inverter: Option<String>,
    /// Where its panels are.
    pub place: Option<Place>,
    /// What the grid costs.
    pub tariffs: Vec<TariffWindow>,
}

/// What the hub holds of it.
#[derive(Debug, Default)]
pub(in crate::hub) struct PlanHub {
    pub(in crate::hub) planning: Planning,
    battery: Option<watch::Sender<Result<Battery, String>>>,
    pub(in crate::hub) made: Made,
}

impl Keeper {
    /// Begins to make plans. Without inverters and a history there is nothing to make them from. To be called in the runtime.
    pub(in crate::hub) fn begin_plan(&mut self, store: Option<Store>, zone: TimeZone) -> Option<PlanNews> {
        let store = store.filter(|_| !self.snapshot.power.inverters.is_empty())?;
        let (battery, known) = watch::channel(Err("the inverter has not answered yet".to_owned()));
        let (tell, made) = watch::channel(None);
        self.sun.plan.battery = Some(battery);
        tokio::spawn(run(store, zone, self.sun.plan.planning.clone(), known, tell));
        Some(made)
    }

    /// There is a newer one.
    pub(in crate::hub) fn take_plan(&mut self, made: Made) {
        self.sun.plan.made = made;
        self.show_sun();
    }

    /// The battery as it stands, for the next plan.
    pub(in crate::hub) fn tell_battery(&self, now: Time) {
        let Some(tell) = &self.sun.plan.battery else { return };
        let inverter = self.sun.plan.planning.inverter.clone().or_else(|| self.only_inverter());
        let battery = battery(&self.snapshot, inverter.as_deref(), now);
        tell.send_if_modified(|known| {
            let first = known.is_err() && battery.is_ok();
            let news = *known != battery;
            *known = battery;
            // Whoever waits for it waits for the first one.
            news && first
        });
    }
}

fn battery(snapshot: &Snapshot, inverter: Option<&str>, now: Time) -> Result<Battery, String> {
    let Some(name) = inverter else {
        return Err(
            "there are several inverters: [sun] inverter in config.toml says which one is planned for".to_owned()
        );
    };
    let unit = snapshot.power.find(name).ok_or_else(|| format!("there is no inverter {name:?}"))?;
    let known = &unit.known.battery;
    let capacity = unit.capacity_kwh.ok_or_else(|| format!("capacity_kwh of {name} is not configured"))?;
    let soc =
        known.soc_percent.shown(now).ok_or_else(|| format!("the charge of the battery of {name} is not known"))?;
    let floor = known.soc_min_percent.shown(now);
    Ok(Battery {
        inverter: name.to_owned(),
        capacity_wh: capacity * 1000.0,
        soc_percent: soc.clamp(0.0, 100.0),
        // A limit that is not known is none: what follows says so by going down to 0.
        floor_percent: floor.unwrap_or(0.0).clamp(0.0, 100.0),
        grid: match unit.known.grid.state {
            GridState::Good => Some(true),
            GridState::Lost => Some(false),
            GridState::Unknown => None,
        },
    })
}

async fn run(
    store: Store,
    zone: TimeZone,
    planning: Planning,
    mut battery: watch::Receiver<Result<Battery, String>>,
    tell: watch::Sender<Made>,
) {
    let _ = timeout(PATIENCE, battery.wait_for(Result::is_ok)).await;
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = tell.closed() => return,
        }
        let known = battery.borrow().clone();
        let (store, zone, planning) = (store.clone(), zone.clone(), planning.clone());
        let made = tokio::task::spawn_blocking(move || make(&store, &zone, &planning, known)).await;
        match made {
            Ok(made) => {
                tell.send_replace(Some(made.map(Arc::new)));
            }
            Err(error) => tracing::error!(%error, "no plan was made"),
        }
    }
}

fn make(store: &Store, zone: &TimeZone, planning: &Planning, battery: Result<Battery, String>) -> Result<Plan, String> {
    let battery = battery?;
    let now_ms = now_ms();
    let samples = store.reader().samples(Some(&battery.inverter), now_ms - DAYS * DAY_MS, now_ms, Grain::Quarter);
    let samples = samples.map_err(|why| format!("the history cannot be read: {why}"))?;
    plan(&Given {
        now_ms,
        zone,
        battery: &battery,
        samples: &samples,
        place: planning.place.as_ref(),
        tariffs: &planning.tariffs,
    })
}

/// Waits until it was made anew. For ever where nobody makes it.
pub(in crate::hub) async fn news(plans: &mut Option<PlanNews>) -> Made {
    if let Some(plans) = plans
        && plans.changed().await.is_ok()
    {
        return plans.borrow_and_update().clone();
    }
    std::future::pending().await
}
