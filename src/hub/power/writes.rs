//! Sets of settings from the asking to the end, and what is told of them.

use std::time::Duration;

use crate::inverter::budget::{Allowance, Verdict, WriteBudget};
use crate::inverter::profile::RegisterType;
use crate::inverter::write::Done;
use crate::inverter::{Profile, Value};
use crate::model::Time;
use crate::model::audit::Asker;
use crate::model::command::{Outcome, Refused};
use crate::model::power::{ChangeRow, Wanted, WriteReport, WriteRow};

/// A set that came to no end by then is not waited for: a bus gives up by itself after a minute.
pub(super) const LONGEST: Duration = Duration::from_secs(90);

/// A set of settings on its way.
#[derive(Clone, Debug)]
pub(super) struct OpenWrite {
    /// The inverter, by its place.
    pub(super) place: usize,
    pub(super) settings: Vec<Wanted>,
    pub(super) who: String,
    /// The same, taken apart.
    pub(super) by: Asker,
    pub(super) asked: Time,
    pub(super) asked_ms: i64,
    /// It went to the bus: it may be written from now on.
    pub(super) sent: bool,
    /// The ticket was answered without waiting for its end.
    pub(super) answered: bool,
}

impl OpenWrite {
    /// It is waited for no longer.
    pub(super) fn is_overdue(&self, now: Time) -> bool {
        !self.answered && now.since(self.asked) > LONGEST
    }
}

/// Why one of these may not be written now, for wear; nothing is said of those that are so already.
pub(super) fn over_budget(rows: &[ChangeRow], budget: &WriteBudget, allowance: Allowance, now_s: u64) -> Vec<String> {
    let changed = rows.iter().filter(|row| !row.unchanged);
    changed.filter_map(|row| refusal(&row.id, budget.check(&row.id, allowance, now_s), allowance)).collect()
}

fn refusal(id: &str, verdict: Verdict, allowance: Allowance) -> Option<String> {
    match verdict {
        Verdict::Fine | Verdict::Many { .. } => None,
        Verdict::TooSoon { wait } => {
            Some(format!("{id} was written a moment ago; wait {} (its memory wears out)", super::said::words(wait)))
        }
        Verdict::Spent { wait } => Some(format!(
            "{id} was written {} times within 24 hours, and its memory wears out; wait {}",
            allowance.most_per_day,
            super::said::words(wait)
        )),
    }
}

/// Adds to each row what wear has to say about it.
pub(super) fn warn(rows: &mut [ChangeRow], budget: &WriteBudget, allowance: Allowance, now_s: u64) {
    for row in rows.iter_mut().filter(|row| !row.unchanged) {
        if let Verdict::Many { count } = budget.check(&row.id, allowance, now_s) {
            let most = allowance.most_per_day;
            row.warnings.push(format!(
                "it is written for the {count}th time within 24 hours (at most {most}), and its memory wears out"
            ));
        }
    }
}

/// What became of a set, for the snapshot.
pub(super) fn report(who: &str, at: Time, done: &[Done]) -> WriteReport {
    let rows = done.iter().map(|done| WriteRow {
        id: done.change.id.clone(),
        before: done.before.clone(),
        after: done.change.after_text.clone(),
        good: done.written.is_good(),
        sent: done.written.was_sent(),
        words: done.written.words(),
    });
    WriteReport { who: who.to_owned(), at, rows: rows.collect() }
}

/// How the ticket ends.
pub(super) fn outcome(report: &WriteReport) -> Outcome {
    if report.is_good() {
        return Outcome::Done;
    }
    let bad = report.rows.iter().filter(|row| !row.good).map(|row| format!("{}: {}", row.id, row.words));
    Outcome::Failed { code: 0, text: bad.collect::<Vec<_>>().join("; ") }
}

/// Nothing was written.
pub(super) fn refused(why: &[String]) -> Outcome {
    Outcome::Refused(Refused::because(why.join("; ")))
}

/// It is a state that lasts: a clock runs on, and a command is over when it was given.
pub(super) fn is_kept(profile: Option<&Profile>, done: &Done) -> bool {
    let register = profile.and_then(|profile| profile.registers.get(done.change.register));
    let lasts = !matches!(done.change.after, Value::Clock(_));
    lasts && register.is_none_or(|register| register.access.reads() && register.kind != RegisterType::Clock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::power::tests::done;
    use crate::inverter::write::Written;
    use crate::model::power::Danger;

    fn row(id: &str, unchanged: bool) -> ChangeRow {
        let text = String::new;
        ChangeRow { id: id.into(), before: text(), after: text(), unchanged, danger: Danger::Normal, warnings: vec![] }
    }

    #[test]
    fn wear_is_judged_where_something_would_be_written() {
        let (mut budget, allowance) = (WriteBudget::default(), Allowance::default());
        budget.record("soc_min", 1000);
        let rows = [row("soc_min", false), row("soc_max", false)];
        let why = over_budget(&rows, &budget, allowance, 1020);
        assert!(why.len() == 1 && why[0].contains("soc_min") && why[0].contains("wait 40 s"), "{why:?}");
        assert!(over_budget(&[row("soc_min", true)], &budget, allowance, 1020).is_empty());
        for n in 1..50 {
            budget.record("soc_min", 1000 + 60 * n);
        }
        let why = over_budget(&rows, &budget, allowance, 5000);
        assert!(why[0].contains("50 times") && why[0].contains("wait 22 h"), "{why:?}");
    }

    #[test]
    fn many_writes_are_said_before() {
        let (mut budget, allowance) = (WriteBudget::default(), Allowance::default());
        for n in 0..9 {
            budget.record("soc_min", 60 * n);
        }
        let mut rows = [row("soc_min", false), row("soc_max", false), row("soc_min", true)];
        warn(&mut rows, &budget, allowance, 3600);
        assert!(rows[0].warnings[0].contains("10th time"), "{rows:?}");
        assert!(rows[1].warnings.is_empty() && rows[2].warnings.is_empty());
    }

    #[test]
    fn a_set_is_done_only_when_every_register_says_so() {
        let good = [done("soc_min", Written::Taken), done("soc_max", Written::Unchanged)];
        assert_eq!(outcome(&report("screen 1", Time::ZERO, &good)), Outcome::Done);
        let bad = [done("soc_min", Written::NotTaken), done("soc_max", Written::NotTried)];
        let Outcome::Failed { code: 0, text } = outcome(&report("screen 1", Time::ZERO, &bad)) else { panic!() };
        assert!(text.contains("soc_min: the device keeps the old value; soc_max: not tried"), "{text}");
    }
}
