//! What may be asked of inverters. Whether a value fits is judged where the profile is known.

use crate::model::command::Refused;
use crate::model::power::{Power, PowerOrder, Unit};

/// Whether this order can be carried out as things stand.
///
/// # Errors
/// The reason, as a sentence fragment that says what to do first.
pub(super) fn check(order: &PowerOrder, power: &Power) -> Result<(), Refused> {
    if power.inverters.is_empty() {
        return Err(Refused::because("no inverter is configured: see [[inverter]] in config.toml"));
    }
    match order {
        PowerOrder::Arm | PowerOrder::Disarm => Ok(()),
        PowerOrder::Set { inverter, settings } => {
            let unit = find(power, inverter)?;
            if settings.is_empty() {
                return Err(Refused::because("there is nothing to write"));
            }
            if unit.writing {
                return Err(Refused::because(format!("another change is on its way to {inverter}; wait for its end")));
            }
            polled(unit)?;
            unit.read_only.as_ref().map_or(Ok(()), |why| Err(Refused::because(format!("{inverter}: {why}"))))
        }
        PowerOrder::ConfirmIdentity { inverter } => {
            let unit = find(power, inverter)?;
            match unit.to_confirm {
                Some(_) => Ok(()),
                None => Err(Refused::because(format!("there is nothing to confirm about {inverter}"))),
            }
        }
        PowerOrder::ReadSettings { inverter } => polled(find(power, inverter)?),
        PowerOrder::Enable { inverter, .. } | PowerOrder::ForgetSaved { inverter, .. } => {
            find(power, inverter).map(|_| ())
        }
        PowerOrder::Reconnect { bus } if power.buses.iter().any(|known| known.name == *bus) => Ok(()),
        PowerOrder::Reconnect { bus } => {
            let names: Vec<&str> = power.buses.iter().map(|bus| bus.name.as_str()).collect();
            Err(Refused::because(format!("there is no bus {bus:?}; there is {}", names.join(", "))))
        }
    }
}

fn find<'a>(power: &'a Power, name: &str) -> Result<&'a Unit, Refused> {
    power.named(name).map(AsRef::as_ref).map_err(Refused::because)
}

fn polled(unit: &Unit) -> Result<(), Refused> {
    if unit.enabled {
        Ok(())
    } else {
        Err(Refused::because(format!("{} is switched off; switch it on first", unit.known.name)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::power::{Inverter, Wanted};

    fn power(change: impl FnOnce(&mut Unit)) -> Power {
        let known = Inverter { name: "roof".into(), ..Inverter::default() };
        let mut unit = Unit { known, enabled: true, ..Unit::default() };
        change(&mut unit);
        Power { inverters: vec![Arc::new(unit)], ..Power::default() }
    }

    fn set(inverter: &str) -> PowerOrder {
        let wanted = Wanted { id: "soc_min".into(), text: "20".into(), shown: None };
        PowerOrder::Set { inverter: inverter.into(), settings: vec![wanted] }
    }

    #[test]
    fn a_setting_is_written_to_an_inverter_that_may_be_written() {
        assert_eq!(check(&set("roof"), &power(|_| ())), Ok(()));
        let why = |order: &PowerOrder, power: Power| check(order, &power).expect_err("refused").to_string();
        assert!(why(&set("rof"), power(|_| ())).contains("roof"));
        assert!(why(&set("roof"), Power::default()).contains("[[inverter]]"));
        assert!(why(&set("roof"), power(|unit| unit.enabled = false)).contains("switched off"));
        assert!(why(&set("roof"), power(|unit| unit.writing = true)).contains("on its way"));
        let other = power(|unit| unit.read_only = Some("another device answers".into()));
        assert!(why(&set("roof"), other).contains("another device"));
        let nothing = PowerOrder::Set { inverter: "roof".into(), settings: Vec::new() };
        assert!(why(&nothing, power(|_| ())).contains("nothing to write"));
    }

    #[test]
    fn only_what_is_open_can_be_confirmed() {
        let order = PowerOrder::ConfirmIdentity { inverter: "roof".into() };
        assert!(check(&order, &power(|_| ())).is_err());
        assert_eq!(check(&order, &power(|unit| unit.to_confirm = Some("another one".into()))), Ok(()));
    }
}
