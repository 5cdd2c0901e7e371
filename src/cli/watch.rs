//! `sunmill events`: what happens, for scripts.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::exit::Failure;
use super::out;
use super::remote::{block_on, hub_place, interrupted, me, problem_of, unreachable_hub};
use super::settings::Settings;
use super::when::rfc3339;
use crate::attach::Place;
use crate::attach::client::{Dialed, dial};
use crate::store::now_ms;

/// Options of `sunmill events`.
#[derive(Clone, Copy, Debug, Args)]
pub struct EventsArgs {
    /// Go on with what comes
    #[arg(long)]
    follow: bool,
    /// After this number only: the `id` of the last entry that is known
    #[arg(long, value_name = "ID", default_value_t = 0)]
    since: u64,
}

/// Prints log entries, a JSON object a line; `{"gap": true}` where some are lost.
pub(super) fn events(settings: &Settings, args: EventsArgs) -> Result<ExitCode, Failure> {
    let path = hub_place(settings)?;
    block_on(async {
        tokio::select! {
            done = async {
                let mut hub = dial(&path, &me()).await.map_err(unreachable_hub)?;
                told(&mut hub, args).await
            } => done,
            _ = tokio::signal::ctrl_c() => Err(interrupted()),
        }
    })
}

async fn told(hub: &mut Dialed, args: EventsArgs) -> Result<(), Failure> {
    if args.follow {
        // Before what is kept is asked for, so that nothing falls between.
        let subscribe = json!({"events": true, "max_hz": 0.01});
        hub.ask("subscribe", &subscribe).await.map_err(|problem| problem_of(&problem))?;
    }
    let started_ms = started(hub).await?;
    let mut last = args.since;
    if !kept(hub, &mut last, started_ms).await? || !args.follow {
        return Ok(());
    }
    loop {
        let message = hub.next().await.map_err(|problem| problem_of(&problem))?;
        match message["method"].as_str() {
            Some("event") => {
                let entry = &message["params"]["entry"];
                if let Some(id) = entry["id"].as_u64().filter(|id| *id > last) {
                    last = id;
                    if !out::follow(&format!("{}\n", timed(entry, started_ms)))? {
                        return Ok(());
                    }
                }
            }
            // What was left out is still kept, if it was not too much.
            Some("gap") if !kept(hub, &mut last, started_ms).await? => return Ok(()),
            _ => {}
        }
    }
}

/// When the hub's time began, in ms of Unix time by this computer.
async fn started(hub: &mut Dialed) -> Result<i64, Failure> {
    let told = hub.ask("ping", &json!({})).await.map_err(|problem| problem_of(&problem))?;
    let up_ms = told["now_us"].as_u64().unwrap_or_default() / 1000;
    Ok(now_ms() - i64::try_from(up_ms).unwrap_or_default())
}

/// The entry with the time of day at which it happened: `at` is in µs of hub time, which no other program knows.
fn timed(entry: &Value, started_ms: i64) -> Value {
    let mut entry = entry.clone();
    if let Some(at_us) = entry["at"].as_u64() {
        entry["time"] = rfc3339(started_ms + i64::try_from(at_us / 1000).unwrap_or_default()).into();
    }
    entry
}

/// The last entries that are kept, a JSON object a line.
pub(super) fn last(place: &Place, most: usize) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entries = runtime.block_on(async {
        let mut hub = dial(place, &me()).await.map_err(unreachable_hub)?;
        let started_ms = started(&mut hub).await?;
        let mut entries = VecDeque::new();
        let mut last = 0;
        loop {
            let asked = hub.ask("events.since", &json!({"id": last})).await;
            let since = asked.map_err(|problem| problem_of(&problem))?;
            for entry in since["entries"].as_array().into_iter().flatten() {
                if entries.len() == most {
                    entries.pop_front();
                }
                entries.push_back(format!("{}\n", timed(entry, started_ms)));
            }
            match since["last"].as_u64() {
                Some(next) if next > last && since["more"] == Value::Bool(true) => last = next,
                _ => return Ok::<_, Failure>(entries),
            }
        }
    })?;
    Ok(entries.into_iter().collect())
}

/// Prints what is kept after `last`. `false`: nobody reads any more.
async fn kept(hub: &mut Dialed, last: &mut u64, started_ms: i64) -> Result<bool, Failure> {
    loop {
        let since = hub.ask("events.since", &json!({"id": *last})).await.map_err(|problem| problem_of(&problem))?;
        let mut text = if since["gap"] == json!(true) { format!("{}\n", json!({"gap": true})) } else { String::new() };
        for entry in since["entries"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "{}", timed(entry, started_ms));
        }
        if !text.is_empty() && !out::follow(&text)? {
            return Ok(false);
        }
        *last = since["last"].as_u64().unwrap_or(*last);
        if since["more"] != Value::Bool(true) {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_the_time_of_day_too() {
        let entry = timed(&json!({"id": 7, "at": 1_500_000, "what": "x"}), 1_000_000_000_000);
        assert_eq!(entry["time"].as_str(), Some("2001-09-09T01:46:41Z"));
        assert_eq!((&entry["id"], &entry["at"]), (&json!(7), &json!(1_500_000)));
        assert_eq!(timed(&json!({"gap": true}), 0), json!({"gap": true}));
    }
}
