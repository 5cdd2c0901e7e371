//! What a program will need and what carries it, in words for the screen.

use std::time::Duration;

use crate::model::Time;
use crate::model::program::{PhaseTimes, Run};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{Lasts, Plan, Verdict};
use crate::ui::programs::words::time_of_day;
use crate::ui::settings::{Settings, SymbolSet};
use crate::ui::theme::Role;

/// What is told of a plan, from the top down: a label, the words and how they are meant. `charges`: so many hours' charges at most.
pub fn plan_facts(plan: &Plan, charges: usize) -> Vec<(&'static str, String, Role)> {
    let head = format!("{} (made at {}): {}", plan.inverter, plan.made, plan.summary());
    let mut facts = vec![
        ("battery", head, Role::Value),
        ("charge", plan.charges(charges), Role::Text),
        ("", String::new(), Role::Text),
    ];
    if plan.windows.is_empty() {
        facts.push(("advice", "no time window would make it better".to_owned(), Role::Good));
    } else {
        for window in &plan.windows {
            facts.push(("advice", window.words(), Role::Accent));
            facts.push(("because", window.why.clone(), Role::Text));
        }
        let text = "Nothing of this was written: a person does that, on the page of settings (4).";
        facts.push(("", text.to_owned(), Role::Quiet));
    }
    let assumed = plan.assumed.iter().enumerate();
    facts.extend(assumed.map(|(i, text)| (if i == 0 { "assumed" } else { "" }, text.clone(), Role::Quiet)));
    facts
}

/// The outlook of a program, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlookTold {
    /// What it needs and what carries it.
    pub words: String,
    /// How that is meant.
    pub role: Role,
    /// What is assumed.
    pub assumed: Vec<String>,
    /// It will not come to its end.
    pub warns: bool,
}

/// What a program with these times will need, begun now. `None`: nobody asks, because there is no inverter and nothing is known
/// of the machine.
pub fn outlook(snapshot: &Snapshot, settings: &Settings, times: &PhaseTimes, now: Time) -> Option<OutlookTold> {
    if !snapshot.sun.speaks_of_energy(&snapshot.power) {
        return None;
    }
    Some(match snapshot.sun.outlook(times, &snapshot.power, now, unix_ms(settings, now)) {
        Err(why) => OutlookTold { words: why.to_owned(), role: Role::Quiet, assumed: Vec::new(), warns: false },
        Ok(outlook) => {
            let role = match outlook.verdict {
                Verdict::Stops { .. } => Role::Bad,
                Verdict::Battery { .. } | Verdict::Sun { .. } => Role::Good,
                Verdict::Grid { .. } | Verdict::Unknown(_) => Role::Text,
            };
            let words = plain(settings, outlook.words(|after| clock(settings, now, after)));
            OutlookTold { words, role, warns: outlook.warns(), assumed: outlook.assumed }
        }
    })
}

/// The same of a program that runs: of what is left of it. `None` also where that is not known.
pub fn outlook_of_run(snapshot: &Snapshot, settings: &Settings, run: &Run, now: Time) -> Option<OutlookTold> {
    outlook(snapshot, settings, &left(snapshot, run)?, now)
}

/// A word or two about the program that runs, for one line among others: where the battery ends, or that it will not do.
pub fn outlook_part(snapshot: &Snapshot, settings: &Settings, now: Time) -> Option<(String, Role)> {
    let run = snapshot.programs.run.as_ref().filter(|run| run.state.is_open())?;
    let outlook = snapshot.sun.outlook(&left(snapshot, run)?, &snapshot.power, now, unix_ms(settings, now)).ok()?;
    match outlook.verdict {
        Verdict::Stops { after } => Some((format!("WILL STOP about {}", clock(settings, now, after)), Role::Alarm)),
        Verdict::Grid { .. } => Some(("program needs the grid".to_owned(), Role::Text)),
        Verdict::Battery { to_percent } | Verdict::Sun { to_percent } => {
            Some((format!("program: battery to {:.0} %", to_percent.floor()), Role::Text))
        }
        Verdict::Unknown(_) => None,
    }
}

/// Until when the batteries last as the last days were, without the grid. `None`: the last days are not known, or what a program
/// that runs still needs.
pub fn batteries_last(snapshot: &Snapshot, settings: &Settings, now: Time) -> Option<String> {
    let run = snapshot.programs.run.as_ref().filter(|run| run.state.is_open());
    let left = match run {
        Some(run) => Some(left(snapshot, run)?),
        None => None,
    };
    let at = match snapshot.sun.lasts(left.as_ref(), &snapshot.power, now, unix_ms(settings, now))? {
        Lasts::Until(after) => format!("until about {}", clock(settings, now, after)),
        Lasts::BeyondADay => "beyond this time tomorrow".to_owned(),
    };
    Some(format!("with loads and sun as on the last days, and no grid, {at}"))
}

fn left(snapshot: &Snapshot, run: &Run) -> Option<PhaseTimes> {
    if run.check_mode || run.outline {
        return None;
    }
    let to_come = run.phases.as_ref()?.lasting(run.programmed_s.or(run.remaining_s)?);
    Some(to_come.with_overrides(snapshot.machine.overrides))
}

fn unix_ms(settings: &Settings, now: Time) -> Option<i64> {
    Some(settings.started_unix_ms? + (now.as_micros() / 1000).cast_signed())
}

/// The time of day after so long; how long it is, where no time of day is known.
fn clock(settings: &Settings, now: Time, after: Duration) -> String {
    match unix_ms(settings, now + after) {
        Some(at) => time_of_day(at, &settings.zone),
        None => format!("{} min from now", after.as_secs() / 60),
    }
}

fn plain(settings: &Settings, words: String) -> String {
    if settings.symbols == SymbolSet::Ascii { words.replace('±', "+-") } else { words }
}
