//! The hub's part in plans: tells how the battery stands, and shows what came out.

use std::sync::Arc;

use tokio::sync::watch;

use super::super::look::disbelieved;
use super::{Battery, Place, TariffWindow};
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::power::GridState;
use crate::model::snapshot::Snapshot;
use crate::model::sun::Plan;

/// What came out: the plan, or why there is none. `None`: nobody has looked yet.
pub(in crate::hub) type Made = Option<Result<Arc<Plan>, String>>;

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
    /// Where the battery is told, if plans are made.
    pub(in crate::hub::sun) tell: Option<watch::Sender<Result<Battery, String>>>,
    pub(in crate::hub) made: Made,
}

impl Keeper {
    /// The battery as it stands, for the next plan.
    pub(in crate::hub::sun) fn tell_battery(&self, now: Time) {
        let Some(tell) = &self.sun.plan.tell else { return };
        let inverter = self.sun.plan.planning.inverter.clone().or_else(|| self.only_inverter());
        let battery = battery(&self.snapshot, inverter.as_deref(), now);
        tell.send_if_modified(|known| {
            // Whoever waits for it waits until it is known.
            let comes = known.is_err() && battery.is_ok();
            *known = battery;
            comes
        });
    }
}

/// # Errors
/// Why it is not known, in words. What was read too long ago is not known either.
fn battery(snapshot: &Snapshot, inverter: Option<&str>, now: Time) -> Result<Battery, String> {
    let Some(name) = inverter else {
        return Err(
            "there are several inverters: [sun] inverter in config.toml says which one is planned for".to_owned()
        );
    };
    let unit = snapshot.power.find(name).ok_or_else(|| format!("there is no inverter {name:?}"))?;
    let known = &unit.known.battery;
    let capacity = unit.capacity_kwh.ok_or_else(|| format!("capacity_kwh of {name} is not configured"))?;
    if let Some(why) = disbelieved(snapshot, unit) {
        return Err(format!("how the battery of {name} stands is not known: {why}"));
    }
    let soc = known.soc_percent.fresh(now).ok_or_else(|| match known.soc_percent.age(now) {
        Some(age) => format!("the charge of the battery of {name} is {} s old", age.as_secs()),
        None => format!("the charge of the battery of {name} is not known"),
    })?;
    Ok(Battery {
        inverter: name.to_owned(),
        capacity_wh: capacity * 1000.0,
        soc_percent: soc.clamp(0.0, 100.0),
        // A setting: it holds until another one is read.
        floor_percent: known.soc_min_percent.shown(now).map(|percent| percent.clamp(0.0, 100.0)),
        grid: match unit.known.grid.state {
            GridState::Good => Some(true),
            GridState::Lost => Some(false),
            GridState::Unknown => None,
        },
        load_w: unit.known.flow.load_w.fresh(now).filter(|watts| watts.is_finite()),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::power::{Bus, BusState, Inverter, Power, Reading, Unit, UnitState};

    const NOW: Time = Time::from_millis(1_000_000);

    fn at(age: Duration, change: impl FnOnce(&mut Unit)) -> Result<Battery, String> {
        let mut unit = Unit {
            known: Inverter { name: "roof".into(), ..Inverter::default() },
            bus: "rs485".into(),
            enabled: true,
            state: UnitState::Answers,
            capacity_kwh: Some(8.0),
            ..Unit::default()
        };
        unit.known.battery.soc_percent = Reading::new(64.0, NOW, Duration::from_secs(5));
        change(&mut unit);
        let bus = Bus { name: "rs485".into(), state: BusState::Open, ..Bus::default() };
        let power = Power { inverters: vec![unit.into()], buses: vec![bus.into()], armed_until: None };
        let snapshot = Snapshot { power: power.into(), ..Snapshot::default() };
        battery(&snapshot, Some("roof"), NOW + age)
    }

    #[test]
    fn what_was_read_too_long_ago_or_is_not_believed_is_not_planned_with() {
        let young = at(Duration::from_secs(10), |_| {}).unwrap();
        assert_eq!((young.soc_percent, young.capacity_wh, young.floor_percent), (64.0, 8000.0, None));
        let why = |age, change: fn(&mut Unit)| at(Duration::from_secs(age), change).unwrap_err();
        assert_eq!(why(840, |_| {}), "the charge of the battery of roof is 840 s old");
        assert!(why(1, |unit| unit.state = UnitState::Off).contains("switched off"));
        assert!(why(1, |unit| unit.to_confirm = Some("another".into())).contains("which device"));
        assert!(why(1, |unit| unit.capacity_kwh = None).contains("capacity_kwh of roof is not configured"));
        assert!(why(1, |unit| unit.known.battery.soc_percent = Reading::default()).contains("is not known"));
    }
}
