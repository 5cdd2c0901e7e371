//! What is known of one file: facts, then problems, errors first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put, rule, wrap};
use crate::model::program::report::Report;
use crate::model::program::run::{Job, JobState};
use crate::model::program::{PhaseTimes, Problem, Severity};
use crate::ui::power::outlook;
use crate::ui::programs::{facts as known, words};
use crate::ui::theme::Role;

/// Columns of the labels.
const LABEL: usize = 10;

/// A fact: label, text, how it is meant.
type Fact = (String, String, Role);

/// The facts and the problems.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let mut parts = Rows { rest: area };
    let lines = fact_lines(cx, usize::from(area.width));
    let room = area.height.saturating_sub(7).max(area.height / 2);
    let head = parts.top((lines.len() as u16).min(room));
    for (row, line) in lines.iter().enumerate().take(usize::from(head.height)) {
        put(buf, head, row as u16, line);
    }
    if let Some(found) = cx.ui.programs.found() {
        problems(cx, &known::sorted(found), parts.rest, buf);
    }
}

/// As many facts as there is room for, under a line.
pub(super) fn facts(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    rule(buf, Rect { height: area.height.min(1), ..area }, cx, Line::default());
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    for (row, line) in fact_lines(cx, usize::from(area.width)).iter().enumerate().take(usize::from(below.height)) {
        put(buf, below, row as u16, line);
    }
}

fn fact_lines(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (label, text, role) in all(cx) {
        for (i, piece) in wrap(&printable(&text), width.saturating_sub(LABEL + 4)).into_iter().enumerate() {
            let label = if i == 0 { label.as_str() } else { "" };
            lines.push(Line::from(vec![cx.span(format!("   {label:<LABEL$}"), Role::Quiet), cx.span(piece, role)]));
        }
    }
    lines
}

fn all(cx: &Cx<'_>) -> Vec<Fact> {
    let programs = &cx.ui.programs;
    let Some(path) = &programs.file else { return vec![fact("", "no file is selected".to_owned())] };
    let size = programs.browser.entry(path).map_or(String::new(), |entry| {
        format!(", {}, {}", words::size(entry.bytes), words::date(entry.modified_ms, &cx.ui.settings.zone))
    });
    let mut facts = vec![("file".to_owned(), format!("{}{size}", words::file_name(path)), Role::Value)];
    let job = known::unfinished(cx.snapshot, path);
    let found = programs.found();
    facts.push(match (&programs.details, job) {
        (Some(Err(why)), _) => ("check".to_owned(), why.clone(), Role::Bad),
        (_, Some(job)) => check_under_way(job),
        (None, None) => fact("check", "the file is being read".to_owned()),
        (Some(Ok(found)), None) => {
            verdict(known::count(found, Severity::Error), known::count(found, Severity::Warning))
        }
    });
    if let Some(found) = found {
        let mut told = of_report(&found.report);
        if let Some(energy) = outlook(cx.snapshot, &cx.ui.settings, &PhaseTimes::of(&found.report), cx.now) {
            // Behind the time, which it follows from.
            told.insert(1.min(told.len()), ("energy".to_owned(), energy.words, energy.role));
        }
        facts.extend(told);
    }
    facts
}

fn fact(label: &str, text: String) -> Fact {
    (label.to_owned(), text, Role::Text)
}

fn check_under_way(job: &Job) -> Fact {
    let errors =
        if job.errors == 0 { "no error so far".to_owned() } else { words::plural(job.errors, "error").to_uppercase() };
    let text = match job.state {
        JobState::Stopped => "stopped; p begins it anew".to_owned(),
        _ => format!("{}, {} %, {errors}", words::job(&job.state), known::percent(job)),
    };
    ("check".to_owned(), text, if job.errors > 0 { Role::Bad } else { Role::Text })
}

fn verdict(errors: u64, warnings: u64) -> Fact {
    let warned = if warnings == 0 { "no warnings".to_owned() } else { words::plural(warnings, "warning") };
    let (text, role) = match (errors, warnings) {
        (0, 0) => ("finished: no errors, no warnings".to_owned(), Role::Good),
        (0, _) => (format!("finished: no errors, {warned}"), Role::Warning),
        _ => (format!("{}, {warned}: it must not run", words::plural(errors, "error").to_uppercase()), Role::Bad),
    };
    ("check".to_owned(), text, role)
}

fn of_report(report: &Report) -> Vec<Fact> {
    let times = &report.times;
    let mut facts = vec![fact(
        "time",
        format!(
            "about {}: cutting {}, rapids {}, dwells {}",
            words::clock(times.total_s()),
            words::clock(times.cutting_s),
            words::clock(times.rapid_s),
            words::clock(times.dwell_s)
        ),
    )];
    for reach in &report.reach {
        let mut text = format!("{} mm, in {}", words::reach(reach).join(", "), words::frame(reach.frame));
        if reach.unsure {
            text += ", and maybe further: it shifts its zero, or goes where nobody can know";
        }
        facts.push(("reach".to_owned(), text, if reach.unsure { Role::Warning } else { Role::Text }));
    }
    let lines = format!(
        "{}, {} sent; units {}",
        words::plural(report.lines, "line"),
        words::count(report.blocks),
        words::units(report.units)
    );
    facts.push(fact("lines", lines));
    let feed = report.feed_mm_min.map_or("none".to_owned(), |feed| format!("{} mm/min", between(feed)));
    let spindle = report.spindle_rpm.map_or("never on".to_owned(), |rpm| format!("{} rpm", between(rpm)));
    facts.push(fact("feed", format!("{feed}; spindle {spindle}")));
    facts.push(fact("length", format!("cuts {:.0} mm, rapids {:.0} mm", report.cut_mm, report.rapid_mm)));
    if !report.tools.is_empty() {
        let tools: Vec<String> = report.tools.iter().map(|tool| format!("T{tool}")).collect();
        facts.push(fact("tools", tools.join(" ")));
    }
    if !report.waits.is_empty() {
        let waits: Vec<String> = report
            .waits
            .iter()
            .take(4)
            .map(|wait| format!("line {}: {}", words::count(wait.line), words::wait(wait.what)))
            .collect();
        let more = if report.waits.len() > 4 { format!("; {} more", report.waits.len() - 4) } else { String::new() };
        facts.push(fact("waits", waits.join("; ") + &more));
    }
    facts
}

fn between((low, high): (f64, f64)) -> String {
    if low == high { format!("{low:.0}") } else { format!("{low:.0} to {high:.0}") }
}

/// The problems; what to do about the selected one stands below.
fn problems(cx: &Cx<'_>, problems: &[&Problem], area: Rect, buf: &mut Buffer) {
    let mut parts = Rows { rest: area };
    let title = if problems.is_empty() { "Problems: none" } else { "Problems, the worst first; t shows the line" };
    rule(buf, parts.top(1), cx, Line::from(cx.span(title, Role::Title)));
    let width = usize::from(area.width);
    let selected = cx.ui.programs.problem.min(problems.len().saturating_sub(1));
    if let Some(problem) = problems.get(selected) {
        let room = width.saturating_sub(6);
        let mut about = wrap(&printable(&format!("{}: {}", words::place(problem), problem.text)), room);
        about.extend(wrap(&printable(&problem.remedy), room).into_iter().filter(|line| !line.is_empty()));
        let below = parts.bottom((about.len() as u16).min(area.height.saturating_sub(3).max(2)));
        for (row, text) in about.into_iter().enumerate() {
            put(buf, below, row as u16, &Line::from(cx.span(format!("   {text}"), Role::Value)));
        }
    }
    let lines: Vec<Line<'static>> =
        problems.iter().enumerate().map(|(at, problem)| problem_line(cx, problem, at == selected, width)).collect();
    let room = usize::from(parts.rest.height);
    let top = (selected + 1).saturating_sub(room).min(lines.len().saturating_sub(room));
    for (row, line) in lines.iter().skip(top).take(room).enumerate() {
        put(buf, parts.rest, row as u16, line);
    }
    table::tell_below(cx, Rect { height: 1, ..area }, lines.len().saturating_sub(top + room), buf);
}

/// A problem in one line.
fn problem_line(cx: &Cx<'_>, problem: &Problem, is_selected: bool, width: usize) -> Line<'static> {
    let role = match problem.severity {
        Severity::Error => Role::Bad,
        Severity::Warning => Role::Warning,
        Severity::Note => Role::Text,
    };
    let pointer = if is_selected { cx.theme.symbols.pointer } else { " " };
    let head = format!("{:<8} {:<11} ", words::severity(problem.severity), words::place(problem));
    let text = fit(&printable(&problem.text), width.saturating_sub(head.len() + 4), cx.theme.symbols.more);
    let text_role = if is_selected { Role::Selected } else { Role::Text };
    Line::from(vec![cx.span(format!(" {pointer} "), Role::Key), cx.span(head, role), cx.span(text, text_role)])
}
