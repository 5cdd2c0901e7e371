//! `sunmill events`: what happens, for scripts.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::exit::Failure;
use super::out;
use super::remote::{block_on, hub_place, interrupted, me, problem_of, unreachable_hub};
use super::settings::Settings;
use crate::attach::client::{Dialed, dial};

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
    let mut last = args.since;
    if !kept(hub, &mut last).await? || !args.follow {
        return Ok(());
    }
    loop {
        let message = hub.next().await.map_err(|problem| problem_of(&problem))?;
        match message["method"].as_str() {
            Some("event") => {
                let entry = &message["params"]["entry"];
                if let Some(id) = entry["id"].as_u64().filter(|id| *id > last) {
                    last = id;
                    if !out::follow(&format!("{entry}\n"))? {
                        return Ok(());
                    }
                }
            }
            // What was left out is still kept, if it was not too much.
            Some("gap") if !kept(hub, &mut last).await? => return Ok(()),
            _ => {}
        }
    }
}

/// Prints what is kept after `last`. `false`: nobody reads any more.
async fn kept(hub: &mut Dialed, last: &mut u64) -> Result<bool, Failure> {
    loop {
        let since = hub.ask("events.since", &json!({"id": *last})).await.map_err(|problem| problem_of(&problem))?;
        let mut text = if since["gap"] == json!(true) { format!("{}\n", json!({"gap": true})) } else { String::new() };
        for entry in since["entries"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "{entry}");
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
