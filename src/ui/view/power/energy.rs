//! What the program that runs, or the one that is chosen, will need, what carries it, and what it has drawn so far.

use ratatui::buffer::Buffer;

use super::super::text::{Cx, Rows, printable};
use super::facts::row;
use crate::model::program::PhaseTimes;
use crate::ui::power::{OutlookTold, outlook, outlook_of_run};
use crate::ui::programs::{facts::open_run, words};
use crate::ui::theme::Role;

/// Draws its rows; none where there is nothing to tell. What is assumed is given back: it may stand below all else.
pub(super) fn rows(cx: &Cx<'_>, rows: &mut Rows, buf: &mut Buffer) -> Vec<String> {
    let Some((name, told)) = program(cx) else { return Vec::new() };
    row(cx, rows, "program", &printable(&format!("{name} {}", told.words)), told.role, buf);
    if let Some(drawn) = cx.snapshot.sun.drawn {
        row(cx, rows, "drawn", &drawn.words(), Role::Text, buf);
    }
    told.assumed
}

/// What is assumed.
pub(super) fn assumed(cx: &Cx<'_>, assumed: &[String], rows: &mut Rows, buf: &mut Buffer) {
    if !assumed.is_empty() {
        row(cx, rows, "assumed", &printable(&assumed.join("; ")), Role::Quiet, buf);
    }
}

/// The one that runs goes before the one that is chosen.
fn program(cx: &Cx<'_>) -> Option<(String, OutlookTold)> {
    let settings = &cx.ui.settings;
    if let Some(run) = open_run(cx.snapshot) {
        return Some((format!("{}, from here on:", run.name), outlook_of_run(cx.snapshot, settings, run, cx.now)?));
    }
    let path = cx.ui.programs.file.as_ref()?;
    let times = PhaseTimes::of(&cx.ui.programs.found()?.report);
    Some((format!("{}:", words::file_name(path)), outlook(cx.snapshot, settings, &times, cx.now)?))
}
