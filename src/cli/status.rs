//! `sunmill status`: what is known, once or whenever it changes.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::timeout;

use super::exit::Failure;
use super::remote::{gone, pretty, with_hub};
use super::settings::Settings;
use super::{out, standing, sun_status};
use crate::model::{Snapshot, Time};

/// How often what is watched is looked at where nothing changes.
const LOOK: Duration = Duration::from_secs(1);

/// Options of `sunmill status`.
#[derive(Clone, Copy, Debug, Args)]
pub struct StatusArgs {
    /// All that is known, as one JSON document (with --watch: one a line)
    #[arg(long)]
    json: bool,
    /// Print it again whenever it changes
    #[arg(long)]
    watch: bool,
}

/// Prints the state.
pub(super) fn status(settings: &Settings, args: StatusArgs) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let (hub, mut said) = (&mut attached.hub, String::new());
        loop {
            let (snapshot, now) = (hub.snapshot(), attached.clock.now());
            let text = match args {
                StatusArgs { json: true, watch: true } => format!("{}\n", json!(&*snapshot)),
                StatusArgs { json: true, .. } => pretty(&json!(&*snapshot)),
                StatusArgs { watch: true, .. } => format!("{}\n", standing::line(&snapshot, now)),
                _ => told(&snapshot, now),
            };
            if text != said && !out::follow(&text)? || !args.watch {
                return Ok(());
            }
            said = text;
            // What nobody tells grows old too.
            if let Ok(changed) = timeout(LOOK, hub.changed()).await {
                changed.map_err(gone)?;
            }
        }
    })
}

fn told(snapshot: &Snapshot, now: Time) -> String {
    let machine = &snapshot.machine;
    let mut text = String::new();
    let who =
        machine.identity.as_ref().map_or_else(|| "unknown".to_owned(), |id| format!("{} {}", id.firmware, id.version));
    let _ = writeln!(text, "machine   {who} on {}", machine.link.endpoint);
    text += &standing::lines(snapshot, now);
    text += &sun_status::lines(snapshot);
    let runs = snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
    if let Some(found) = snapshot.programs.interrupted.as_ref().filter(|_| !runs) {
        let (run, line) = (&found.run, found.suggested_line);
        let _ = writeln!(
            text,
            "offered   {}, interrupted at line {}: sunmill run {:?} --from {line}",
            run.name, run.last_line, run.path
        );
    }
    if let Some(control) = &snapshot.people.control {
        let _ = writeln!(text, "control   {}", control.who);
    }
    text
}
