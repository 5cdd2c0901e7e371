//! `sunmill programs list`: what the browser shows, for scripts.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::args::Format;
use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::when::{local, rfc3339};
use crate::cli::{listing, out};
use crate::hub::programs::Folders;
use crate::hub::programs::browse::{Listing, list};
use crate::model::program::Entry;

/// Options of `sunmill programs list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// A folder in one of `[programs] folders`; without it, what lies in each of them
    pub folder: Option<PathBuf>,
    /// How it is printed
    #[command(flatten)]
    pub format: Format,
}

/// A line of the browser as programs read it. The order is that of [`NAMES`].
#[derive(Debug, Serialize)]
struct Told<'a> {
    path: &'a Path,
    name: &'a str,
    kind: &'static str,
    bytes: Option<u64>,
    modified: String,
}

const NAMES: [&str; 5] = ["path", "name", "kind", "bytes", "modified"];

impl<'a> Told<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            path: &entry.path,
            name: &entry.name,
            kind: if entry.is_folder { "folder" } else { "program" },
            bytes: (!entry.is_folder).then_some(entry.bytes),
            modified: rfc3339(entry.modified_ms),
        }
    }
}

impl ListArgs {
    /// How what was found is printed. What is left out, and why, goes to stderr.
    pub(super) fn told(&self, found: &Listing) -> Result<String, Failure> {
        for note in &found.notes {
            out::words(note);
        }
        let rows: Vec<Told<'_>> = found.entries.iter().map(Told::of).collect();
        match self.format {
            Format { json: true, .. } => listing::json(&rows),
            Format { csv: true, .. } => listing::csv(&NAMES, &rows),
            _ => Ok(text(&found.entries, &TimeZone::system())),
        }
    }
}

/// What lies in a folder, or in each of the configured ones.
pub(super) fn found(settings: &Settings, args: &ListArgs) -> Result<Listing, Failure> {
    let folders = Folders::new(settings.program_folders.clone());
    Ok(match &args.folder {
        Some(folder) => list(&folders, Some(&std::path::absolute(folder)?)).map_err(color_eyre::Report::from)?,
        None => everywhere(&folders),
    })
}

/// The contents of each configured folder, in their order.
fn everywhere(folders: &Folders) -> Listing {
    let Listing { entries, mut notes } = list(folders, None).unwrap_or_default();
    let mut found = Vec::new();
    for folder in entries {
        match list(folders, Some(&folder.path)) {
            Ok(inside) => {
                found.extend(inside.entries);
                notes.extend(inside.notes);
            }
            Err(why) => notes.push(why.to_string()),
        }
    }
    Listing { entries: found, notes }
}

fn text(entries: &[Entry], zone: &TimeZone) -> String {
    if entries.is_empty() {
        return "no programs there\n".to_owned();
    }
    let row = |entry: &Entry| {
        let size = if entry.is_folder { "folder".to_owned() } else { format!("{} B", entry.bytes) };
        vec![local(entry.modified_ms, zone), size, entry.path.display().to_string()]
    };
    listing::columns(&entries.iter().map(row).collect::<Vec<_>>(), &[1])
}
