//! What a program will need, and what carries it: from the sunmill that runs, else from what was kept and configured.

use std::time::Duration;

use jiff::{Span, Zoned};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::remote::me;
use super::settings::Settings;
use super::{socket, store};
use crate::attach::connect;
use crate::hub::sun::Days;
use crate::model::Time;
use crate::model::power::Power;
use crate::model::program::{PhaseTimes, Report};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{Knowledge, Learned, Outlook, Sun, Verdict};
use crate::store::{StoreError, now_ms};

/// A sunmill that does not answer in this time is done without.
const PATIENCE: Duration = Duration::from_secs(2);

/// The outlook of a program, or why there is none.
pub(super) type Told = Result<Outlook, String>;

/// Looks ahead. `None`: nobody asks, because there is no inverter and nothing is known of the machine.
pub(super) fn outlook(settings: &Settings, report: &Report) -> Option<Told> {
    let times = PhaseTimes::of(report);
    if let Some((snapshot, now)) = of_hub(settings) {
        return of_snapshot(&snapshot, now, report);
    }
    let sun = match kept(settings) {
        Ok(knows) => Sun { knows: knows.into(), ..Sun::default() },
        Err(why) => return Some(Err(format!("what earlier runs drew cannot be read: {why}"))),
    };
    let configured = !settings.config.inverter.is_empty();
    if !configured && !sun.speaks_of_energy(&Power::default()) {
        return None;
    }
    let outlook = sun.outlook(&times, &Power::default(), Time::ZERO, Some(now_ms()));
    let outlook = outlook.map(|outlook| Outlook { verdict: Verdict::Unknown(NOBODY.to_owned()), ..outlook });
    Some(outlook.map_err(str::to_owned))
}

/// Why nothing is known of the battery.
const NOBODY: &str = "no sunmill answers here, and only one that runs reads the inverters";

/// From what a hub knows at this time of its own.
pub(super) fn of_snapshot(snapshot: &Snapshot, now: Time, report: &Report) -> Option<Told> {
    let Snapshot { sun, power, .. } = snapshot;
    let outlook = || sun.outlook(&PhaseTimes::of(report), power, now, Some(now_ms()));
    sun.speaks_of_energy(power).then(|| outlook().map_err(str::to_owned))
}

/// What the hub that runs knows, and its time.
fn of_hub(settings: &Settings) -> Option<(std::sync::Arc<Snapshot>, Time)> {
    let path = socket::answering(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let attached = timeout(PATIENCE, connect(&path, me())).await.ok()?.ok()?;
        Some((attached.hub.snapshot(), attached.clock.now()))
    })
}

/// What was kept and configured.
fn kept(settings: &Settings) -> Result<Knowledge, StoreError> {
    let rated_w = settings.config.machine.rated_w;
    let Some(reader) = store::reader(settings) else { return Ok(Knowledge { rated_w, ..Knowledge::default() }) };
    let Days { sun, loads } = Days::read(&reader, now_ms())?;
    Ok(Knowledge { rated_w, learned: Learned::of(&reader.run_energies(Learned::RUNS)?), sun, loads })
}

/// Lines for people: the outlook, then what is assumed.
pub(super) fn text(told: &Told) -> String {
    match told {
        Err(why) => format!("energy: {why}\n"),
        Ok(outlook) => {
            let assumed = match outlook.assumed.as_slice() {
                [] => String::new(),
                assumed => format!("energy: assumed: {}\n", assumed.join("; ")),
            };
            format!("energy: {}\n{assumed}", outlook.words(clock))
        }
    }
}

/// The time of day after so long.
fn clock(after: Duration) -> String {
    let now = Zoned::now();
    let seconds = i64::try_from(after.as_secs()).unwrap_or(i64::MAX);
    let then = Span::new().try_seconds(seconds).and_then(|span| now.checked_add(span));
    then.map_or_else(|_| format!("{} min from now", after.as_secs() / 60), |then| then.strftime("%H:%M").to_string())
}

/// The same for programs.
pub(super) fn as_json(told: &Told) -> Value {
    let outlook = match told {
        Err(why) => return json!({ "needs_wh": null, "why": why }),
        Ok(outlook) => outlook,
    };
    let (verdict, to_percent, stops_after_s, why) = match &outlook.verdict {
        Verdict::Battery { to_percent } => ("battery", Some(*to_percent), None, None),
        Verdict::Sun { to_percent } => ("sun", Some(*to_percent), None, None),
        Verdict::Grid { ends_after } => ("grid", None, Some(ends_after.as_secs()), None),
        Verdict::Stops { after } => ("stops", None, Some(after.as_secs()), None),
        Verdict::Unknown(why) => ("unknown", None, None, Some(why)),
    };
    json!({
        "needs_wh": outlook.need.wh.round(),
        "spread_wh": outlook.need.spread_wh.round(),
        "verdict": verdict,
        "to_percent": to_percent.map(|percent| (percent * 10.0).round() / 10.0),
        "stops_after_s": stops_after_s,
        "why": why,
        "assumed": outlook.assumed,
    })
}
