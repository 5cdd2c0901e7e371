//! Past runs, the queue, the analyses.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put, rule, wrap};
use crate::model::program::PastRun;
use crate::model::program::run::JobState;
use crate::model::sun::{StartPhase, SunStart};
use crate::ui::programs::{facts, words};
use crate::ui::theme::Role;

/// Past runs, what is to be known of the selected one, and sums.
pub(super) fn history(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let history = &cx.ui.programs.history;
    let width = usize::from(area.width);
    let mut parts = Rows { rest: area };
    let runs = history.runs.as_deref().unwrap_or_default();
    for text in sums(cx) {
        let text = fit(&text, width.saturating_sub(4), cx.theme.symbols.more);
        put(buf, parts.top(1), 0, &Line::from(cx.span(format!("   {text}"), Role::Value)));
    }
    if let Some(run) = history.current() {
        let about = about(cx, run, width);
        let mut below = Rows { rest: parts.bottom((about.len() as u16 + 1).min(area.height / 2)) };
        rule(buf, below.top(1), cx, Line::default());
        for (row, line) in about.iter().enumerate() {
            put(buf, below.rest, row as u16, line);
        }
    }
    let lines: Vec<Line<'static>> =
        runs.iter().enumerate().map(|(at, run)| past_line(cx, run, at == history.selected, width)).collect();
    let head = format!("   {:<16}  {:>9}  {:<11}  program", "begun", "took", "ended");
    let empty = if history.runs.is_none() { "   being read" } else { "   no program has run yet" };
    let top = (history.selected + 2).saturating_sub(usize::from(parts.rest.height));
    table::draw(cx, parts.rest, &head, &lines, empty, top, buf);
}

/// Hours of the machine, and of the program if only one is shown.
fn sums(cx: &Cx<'_>) -> Vec<String> {
    let history = &cx.ui.programs.history;
    let all = &history.statistics;
    let mut lines = vec![format!(
        "The machine: {}, {} to the end, {} running, {} moving",
        words::plural(all.runs, "run"),
        words::count(all.done),
        words::span(all.running_s),
        words::span(all.moving_s)
    )];
    if all.energy_kwh >= 0.05 {
        lines.push(format!("Energy, as far as it was measured: {:.1} kWh", all.energy_kwh));
    }
    if let Some(name) = &history.name {
        let real: Vec<&PastRun> = history.runs.iter().flatten().filter(|run| !run.dry).collect();
        let moving: f64 = real.iter().map(|run| run.moving_for.as_secs_f64()).sum();
        lines.push(format!(
            "{}: {} listed, {} moving. Enter shows all programs",
            printable(name),
            words::plural(real.len() as u64, "run"),
            words::span(moving)
        ));
    }
    lines
}

fn seconds(run: &PastRun) -> Option<f64> {
    let whole = (run.ended_ms? - run.started_ms) as f64 / 1000.0;
    Some((whole - run.paused_for.as_secs_f64()).max(0.0))
}

fn past_line(cx: &Cx<'_>, run: &PastRun, is_selected: bool, width: usize) -> Line<'static> {
    let (end, _) = words::run_end(run.end.as_ref());
    let took = seconds(run).map_or("-".to_owned(), words::clock);
    let begun = words::date(run.started_ms, &cx.ui.settings.zone);
    let head = format!("{begun:<16}  {took:>9}  {end:<11}  ");
    let dry = if run.dry { "  (dry)" } else { "" };
    let room = width.saturating_sub(head.width() + 4);
    let name = fit(&printable(&format!("{}{dry}", run.name)), room, cx.theme.symbols.more);
    row(cx, &format!("{head}{name}"), Role::Text, is_selected)
}

fn about(cx: &Cx<'_>, run: &PastRun, width: usize) -> Vec<Line<'static>> {
    let (end, why) = words::run_end(run.end.as_ref());
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let ended = run.ended_ms.map(|at| format!("ended {}, {end}{why}", words::date(at, &cx.ui.settings.zone)));
    let lines = run.lines.map_or(String::new(), |lines| format!(" of {}", words::count(lines)));
    let dry = if run.dry { "; dry: not in the machine's hours" } else { "" };
    let energy = run.energy.map(|energy| format!("energy: {}", energy.words()));
    let first = words::count(run.first_line);
    // What has not ended is written down as it goes, and may not have come to a line.
    let span = if run.last_line < run.first_line {
        format!("from line {first}{lines}")
    } else {
        format!("lines {first} to {}{lines}", words::count(run.last_line))
    };
    [
        run.path.clone(),
        ended.unwrap_or_else(|| "runs still".to_owned()),
        format!("{span}; started by {}{dry}", run.who),
        format!(
            "moving {}; {}, {}",
            words::span(run.moving_for.as_secs_f64()),
            words::plural(run.pauses.into(), "pause"),
            words::span(run.paused_for.as_secs_f64())
        ),
    ]
    .into_iter()
    .chain(energy)
    .flat_map(|text| wrap(&printable(&text), width.saturating_sub(6)))
    .map(|text| Line::from(cx.span(format!("   {text}"), Role::Text)))
    .collect()
}

/// Files that wait.
pub(super) fn queue(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width).saturating_sub(5);
    let selected = cx.ui.programs.selected;
    let lines: Vec<Line<'static>> = cx
        .snapshot
        .programs
        .queue
        .iter()
        .enumerate()
        .map(|(at, path)| {
            let path_words = printable(&path.display().to_string());
            let text = match cx.snapshot.sun.waits_for_sun(path) {
                // The name is enough: it stands in the list, and how it waits is what is asked.
                Some(start) => format!("{}. {}, {}", at + 1, printable(&start.name), sun_words(start)),
                None => format!("{}. {path_words}", at + 1),
            };
            row(cx, &fit(&text, width, cx.theme.symbols.more), Role::Text, at == selected)
        })
        .collect();
    let head = if cx.snapshot.sun.start_allowed {
        "   Files that wait. Enter asks, then starts, or marks it to start by the sun."
    } else {
        "   Files that wait. Nothing starts by itself: Enter asks, then starts."
    };
    let top = (selected + 2).saturating_sub(usize::from(area.height));
    table::draw(cx, area, head, &lines, "   none: w in the list puts a file here", top, buf);
}

/// How one waits that may start by the sun.
fn sun_words(start: &SunStart) -> String {
    match (start.phase, start.left_s) {
        (StartPhase::Counts { .. }, Some(left)) => format!("STARTS IN {left} s: {}", printable(&start.why)),
        (StartPhase::Starts, _) => "STARTS NOW".to_owned(),
        _ => format!("waits for the sun: {}", printable(&start.why)),
    }
}

/// Analyses.
pub(super) fn jobs(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let jobs = &cx.snapshot.programs.jobs;
    let width = usize::from(area.width).saturating_sub(5);
    let selected = cx.ui.programs.selected;
    let lines: Vec<Line<'static>> = jobs
        .iter()
        .enumerate()
        .map(|(at, job)| {
            let errors = if job.errors == 0 {
                String::new()
            } else {
                format!(", {}", words::plural(job.errors, "error").to_uppercase())
            };
            let text = format!(
                "{:<28}  {:>3} % of {:<8}  {}{errors}",
                fit(&words::file_name(&job.path), 28, cx.theme.symbols.more),
                facts::percent(job),
                words::size(job.total_bytes),
                words::job(&job.state)
            );
            let is_bad = job.errors > 0 || matches!(job.state, JobState::Failed(_));
            let role = if is_bad { Role::Warning } else { Role::Text };
            row(cx, &fit(&printable(&text), width, cx.theme.symbols.more), role, at == selected)
        })
        .collect();
    let of = |is: &dyn Fn(&JobState) -> bool| jobs.iter().filter(|job| is(&job.state)).count();
    let (running, waiting) = (of(&|state| *state == JobState::Running), of(&|state| *state == JobState::Waiting));
    let mut head = format!("   Checks: {running} under way, {waiting} waiting");
    for (count, what) in [
        (of(&|state| *state == JobState::Paused), "paused"),
        (of(&|state| *state == JobState::Stopped), "stopped"),
        (of(&|state| *state == JobState::Done), "done"),
        (of(&|state| matches!(state, JobState::Failed(_))), "failed"),
        (jobs.iter().filter(|job| job.errors > 0).count(), "with errors"),
    ] {
        if count > 0 {
            head = format!("{head}, {count} {what}");
        }
    }
    let top = (selected + 2).saturating_sub(usize::from(area.height));
    table::draw(cx, area, &head, &lines, "   none: a file is checked when it is looked at", top, buf);
}

fn row(cx: &Cx<'_>, text: &str, role: Role, is_selected: bool) -> Line<'static> {
    let pointer = if is_selected { cx.theme.symbols.pointer } else { " " };
    let role = if is_selected { Role::Selected } else { role };
    Line::from(vec![cx.span(format!(" {pointer} "), Role::Key), cx.span(text.to_owned(), role)])
}
