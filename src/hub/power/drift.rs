//! Settings that are not what a person saved.

use std::collections::BTreeMap;

use crate::inverter::Values;
use crate::inverter::validate::{Change, check};
use crate::model::Time;
use crate::model::power::{Drift, Saved};

/// What differs, by the id of the setting. A setting that is not known at present is left as it was `before`; one that was
/// not read since it was `written` says nothing yet.
pub(super) fn look(
    values: &Values,
    saved: &BTreeMap<String, Saved>,
    written: &BTreeMap<String, Time>,
    before: &BTreeMap<String, Drift>,
    now: Time,
) -> BTreeMap<String, Drift> {
    let mut drift = BTreeMap::new();
    for (id, saved) in saved {
        let Some(register) = values.profile().find(id) else { continue };
        let read_at = values.slot(register).at;
        if written.get(id).is_some_and(|written| read_at.is_none_or(|at| at <= *written)) {
            continue;
        }
        if values.fresh(register, now).is_none() {
            if let Some(known) = before.get(id) {
                drift.insert(id.clone(), known.clone());
            }
            continue;
        }
        let Some(actual) = values.show(register) else { continue };
        // Read as a person would have typed it: "35" and "35 %" are the same, and words are not compared letter by letter.
        let same = match check(values, &[(id, &saved.text)], true, now) {
            Ok(changes) => changes.iter().all(Change::is_none),
            // It could not be set like that today; what it says can still be what was saved.
            Err(_) => actual == saved.text,
        };
        if !same {
            drift.insert(id.clone(), Drift { saved: saved.text.clone(), actual });
        }
    }
    drift
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::power::tests::values;

    fn saved(text: &str) -> BTreeMap<String, Saved> {
        let saved = Saved { id: "discharge_end_soc".into(), text: text.into(), who: "screen 1".into(), at_ms: 5 };
        BTreeMap::from([(saved.id.clone(), saved)])
    }

    fn drift(text: &str, raw: u16) -> Vec<(String, String)> {
        let values = values(&[("discharge_end_soc", &[raw])], Time::ZERO);
        let drift = look(&values, &saved(text), &BTreeMap::new(), &BTreeMap::new(), Time::ZERO);
        drift.into_values().map(|drift| (drift.saved, drift.actual)).collect()
    }

    #[test]
    fn what_says_what_was_saved_is_no_drift_however_it_is_written() {
        assert!(drift("35 %", 35).is_empty() && drift("35", 35).is_empty());
        assert_eq!(drift("35 %", 20), [("35 %".into(), "20 %".into())]);
    }

    #[test]
    fn what_is_not_known_stays_as_it_was() {
        let later = Time::from_millis(10_000_000);
        let values = values(&[("discharge_end_soc", &[20])], Time::ZERO);
        let none = BTreeMap::new();
        let before = look(&values, &saved("35 %"), &none, &BTreeMap::new(), Time::ZERO);
        assert_eq!(look(&values, &saved("35 %"), &none, &before, later), before);
        assert!(look(&values, &saved("35 %"), &none, &BTreeMap::new(), later).is_empty());
    }

    #[test]
    fn what_was_read_before_it_was_written_is_no_drift() {
        let at = Time::from_millis(5000);
        let written = BTreeMap::from([("discharge_end_soc".to_owned(), at)]);
        let drifted = |read_at| {
            let values = values(&[("discharge_end_soc", &[20])], read_at);
            !look(&values, &saved("35 %"), &written, &BTreeMap::new(), at).is_empty()
        };
        assert!(!drifted(Time::ZERO) && !drifted(at) && drifted(Time::from_millis(5001)));
    }
}
