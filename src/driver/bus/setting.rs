//! What a person wants to set, judged against what the device says.

use crate::inverter::Values;
use crate::inverter::validate::{Change, check};
use crate::model::Time;
use crate::model::power::{ChangeRow, Wanted};

/// The changes that these settings are, in the order of writing.
///
/// Where the person was shown another value than the device says now, nothing is written. A value that is old is compared
/// as it was read last; the write itself begins with reading it again.
///
/// # Errors
/// All that is wrong with them, in words.
pub(super) fn judge(values: &Values, settings: &[Wanted], armed: bool, now: Time) -> Result<Vec<Change>, Vec<String>> {
    let typed: Vec<(&str, &str)> = settings.iter().map(|wanted| (wanted.id.as_str(), wanted.text.as_str())).collect();
    let mut changes = check(values, &typed, armed, now)
        .map_err(|refusals| refusals.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let mut wrong = Vec::new();
    for wanted in settings {
        let (Some(shown), Some(register)) = (&wanted.shown, values.profile().find(&wanted.id)) else { continue };
        let Some(change) = changes.iter_mut().find(|change| change.register == register) else { continue };
        let says = values.show(register);
        if says.as_deref() != Some(shown) {
            let says = says.as_deref().unwrap_or("nothing that is known");
            wrong.push(format!("{} says {says} now, not {shown}: look at it again", change.id));
        } else if change.before.is_none() {
            change.before = values.slot(register).value.clone().and_then(Result::ok);
            change.before_text.clone_from(shown);
        }
    }
    if wrong.is_empty() { Ok(changes) } else { Err(wrong) }
}

/// The changes as a person is asked about them.
pub(super) fn rows(values: &Values, changes: &[Change]) -> Vec<ChangeRow> {
    let note = |change: &Change| values.profile().registers[change.register].note.clone();
    changes
        .iter()
        .map(|change| ChangeRow {
            id: change.id.clone(),
            before: change.before_text.clone(),
            after: change.after_text.clone(),
            unchanged: change.is_none(),
            danger: change.danger,
            warnings: Some(note(change)).filter(|note| !note.is_empty()).into_iter().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::inverter::plan::{Learned, plan};
    use crate::inverter::profile::shipped;

    /// A device whose registers all say 20.
    fn values() -> Values {
        let profile = Arc::new(shipped("senergy").unwrap().unwrap());
        let mut values = Values::new(profile.clone());
        for block in plan(&profile, profile.read, &Learned::default(), |_| true) {
            values.accept(&block, &vec![20; usize::from(block.count())], Time::ZERO);
        }
        values
    }

    fn wanted(text: &str, shown: Option<&str>) -> Vec<Wanted> {
        let id = "capacity_of_discharger_end_eod_".to_owned();
        vec![Wanted { id, text: text.to_owned(), shown: shown.map(str::to_owned) }]
    }

    #[test]
    fn what_a_person_saw_must_still_be_so() {
        let values = values();
        let good = judge(&values, &wanted("35", Some("20 %")), false, Time::ZERO).expect("in order");
        assert_eq!(rows(&values, &good)[0].after, "35 %");
        assert!(judge(&values, &wanted("35", None), false, Time::ZERO).is_ok());
        let changed = judge(&values, &wanted("35", Some("25 %")), false, Time::ZERO).expect_err("it says 20");
        assert!(changed[0].contains("says 20 % now, not 25 %"), "{changed:?}");
        // An old value is compared all the same, and again when the write begins.
        let later = Time::ZERO + Duration::from_secs(86_400);
        let old = judge(&values, &wanted("35", Some("20 %")), false, later).expect("in order");
        assert_eq!(old[0].before, good[0].before);
        assert_eq!(judge(&values, &wanted("35", None), false, later).expect("in order")[0].before, None);
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let wrong = judge(&values(), &wanted("135", None), false, Time::ZERO).expect_err("out of range");
        assert!(wrong[0].contains("out of range"), "{wrong:?}");
    }
}
