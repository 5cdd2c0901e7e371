//! Settings as their page shows them: from the profile and what is known.

use std::collections::BTreeMap;

use crate::inverter::Values;
use crate::inverter::budget::WriteBudget;
use crate::inverter::profile::{Bound, Form, Register, RegisterId, RegisterType};
use crate::model::Time;
use crate::model::power::{PollClass, Role, Saved, SettingRow, Takes};

/// Words that are written in capitals.
const CAPITALS: &[&str] = &["ac", "bms", "ct", "dc", "eps", "gen", "pv", "soc", "soh", "ups"];

/// All settings in the order of the profile, with what may be typed.
pub fn setting_rows(
    values: &Values,
    saved: &BTreeMap<String, Saved>,
    budget: &WriteBudget,
    now: Time,
    now_s: u64,
) -> Vec<SettingRow> {
    let registers = values.profile().registers.iter().enumerate();
    let settings = registers.filter(|(_, register)| register.access.writes() || register.poll == PollClass::Setting);
    settings
        .map(|(index, register)| SettingRow {
            id: register.id.clone(),
            aliases: register.aliases.clone(),
            addresses: register.addresses.clone(),
            title: title(&register.id),
            value: values.show(index),
            quality: values.quality(index, now),
            at: values.slot(index).at,
            takes: takes(values, index, now),
            unit: register.unit.clone(),
            danger: register.danger,
            note: register.note.clone(),
            window: window(register),
            saved: saved.get(&register.id).cloned(),
            writes_today: u32::try_from(budget.count(&register.id, now_s)).unwrap_or(u32::MAX),
        })
        .collect()
}

/// `discharge_end_soc` is `Discharge end SOC`.
fn title(id: &str) -> String {
    let words = id.split('_').filter(|word| !word.is_empty()).enumerate().map(|(n, word)| {
        let mut letters = word.chars();
        match letters.next() {
            _ if CAPITALS.contains(&word) => word.to_uppercase(),
            Some(first) if n == 0 => first.to_uppercase().chain(letters).collect(),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn window(register: &Register) -> Option<(String, u8, String)> {
    match register.role? {
        Role::Window { set, n, field } => Some((set.name().to_owned(), n, field.name().to_owned())),
        _ => None,
    }
}

fn takes(values: &Values, index: RegisterId, now: Time) -> Takes {
    let register = &values.profile().registers[index];
    let words = |labels: &[(u64, String)]| labels.iter().map(|(_, word)| word.clone()).collect::<Vec<_>>();
    if !register.access.writes() {
        return Takes::Nothing("it can only be read".to_owned());
    }
    match (register.kind, register.form) {
        (RegisterType::Bits(_), _) => Takes::AnyOf(words(&register.bits.0)),
        (RegisterType::Clock, _) => Takes::DateTime,
        (_, Form::HourMinute | Form::HourMinuteDecimal) => Takes::TimeOfDay,
        _ if !register.labels.is_empty() => Takes::OneOf(words(&register.labels.0)),
        _ => Takes::Number {
            min: bound(values, register.min, now),
            max: bound(values, register.max, now),
            step: register.scale_by.is_none().then(|| register.step.unwrap_or(register.scale)),
            words: words(&register.special.0),
        },
    }
}

fn bound(values: &Values, bound: Option<Bound>, now: Time) -> Option<f64> {
    match bound? {
        Bound::Number(number) => Some(number),
        Bound::Register(other) => values.reading(other).fresh(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::power::tests::{values, values_of};
    use crate::inverter::profile::SHIPPED;
    use crate::model::power::Quality;

    fn row(rows: &[SettingRow], id: &str) -> SettingRow {
        rows.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("{id}")).clone()
    }

    #[test]
    fn a_row_says_what_it_is_and_what_it_takes() {
        let values = values(&[("discharge_end_soc", &[20])], Time::ZERO);
        let mut budget = WriteBudget::default();
        budget.record("discharge_end_soc", 100);
        let saved = Saved { id: "discharge_end_soc".into(), text: "20 %".into(), who: "screen 1".into(), at_ms: 1 };
        let book = BTreeMap::from([(saved.id.clone(), saved.clone())]);
        let rows = setting_rows(&values, &book, &budget, Time::ZERO, 200);
        let end = row(&rows, "discharge_end_soc");
        assert_eq!(
            (end.title.as_str(), end.value.as_deref(), end.unit.as_str()),
            ("Discharge end SOC", Some("20 %"), "%")
        );
        assert_eq!((end.quality, end.writes_today, end.saved), (Quality::Fresh, 1, Some(saved)));
        assert_eq!(end.addresses, [8475]);
        assert!(end.aliases.iter().any(|alias| alias == "capacity_of_discharger_end_eod_"), "{:?}", end.aliases);
        let Takes::Number { min: Some(min), max: Some(max), .. } = end.takes else { panic!("{:?}", end.takes) };
        assert!(min < max, "{min} {max}");
        let mode = row(&rows, "work_mode");
        let Takes::OneOf(words) = mode.takes else { panic!("{:?}", mode.takes) };
        assert!(words.len() > 1);
        assert_eq!((mode.value, mode.quality), (None, Quality::Unknown));
    }

    #[test]
    fn a_limit_that_is_another_register_is_its_value_once_known() {
        let limited = SHIPPED.iter().find_map(|(name, _)| {
            let values = values_of(name, &[], Time::ZERO);
            let profile = values.profile().clone();
            let found = profile.registers.iter().find_map(|register| match register.max {
                Some(Bound::Register(other)) if register.access.writes() && register.form == Form::Plain => {
                    Some((register.id.clone(), other))
                }
                _ => None,
            });
            found.map(|(id, other)| (name, profile, id, other))
        });
        let Some((name, profile, id, other)) = limited else { panic!("no profile has such a limit") };
        let max = |values: &Values| {
            let rows = setting_rows(values, &BTreeMap::new(), &WriteBudget::default(), Time::ZERO, 0);
            match row(&rows, &id).takes {
                Takes::Number { max, .. } => max,
                takes => panic!("{takes:?}"),
            }
        };
        assert_eq!(max(&values_of(name, &[], Time::ZERO)), None);
        let words = vec![40u16; profile.registers[other].addresses.len()];
        let known = values_of(name, &[(&profile.registers[other].id, &words)], Time::ZERO);
        assert_eq!(max(&known), known.reading(other).value);
        assert!(max(&known).is_some());
    }

    #[test]
    fn every_profile_has_settings_with_titles_and_windows_are_told() {
        let mut windows = 0;
        for (name, _) in SHIPPED {
            let values = values_of(name, &[], Time::ZERO);
            for row in setting_rows(&values, &BTreeMap::new(), &WriteBudget::default(), Time::ZERO, 0) {
                assert!(!row.title.is_empty() && !row.title.contains('_'), "{name} {row:?}");
                windows += usize::from(row.window.is_some());
            }
        }
        assert!(windows > 10, "{windows}");
    }
}
