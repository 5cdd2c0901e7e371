//! The run under way: a panel on the tab Machine, a line on the others.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::programs;
use super::text::{Cx, Rows, fit, printable, put_marked, rule as draw_rule};
use crate::model::Time;
use crate::model::program::run::RunState;
use crate::model::program::{Prompt, Run};
use crate::model::sun::Firing;
use crate::ui::action::{Action, available};
use crate::ui::programs::{ProgramKey, facts, progress, words};
use crate::ui::state::{Mode, Tab};
use crate::ui::theme::Role;

/// Rows of the panel.
const ROWS: u16 = 4;
/// Rows of it where the neighbours of the present line are shown.
const ROWS_WITH_NEIGHBOURS: u16 = ROWS + 4;
/// From this height of the body on, they are.
const HIGH: u16 = 32;
/// A run that came to stand so near to the firing of a rule was stopped by it.
const STOPS_WITHIN: Duration = Duration::from_secs(5);
/// Columns of the bar.
const BAR: usize = 24;

/// The run that the tab Machine shows in place of the jog panel.
pub(super) fn shown<'a>(cx: &Cx<'a>) -> Option<&'a Run> {
    facts::open_run(cx.snapshot).filter(|_| cx.ui.mode != Mode::Jog)
}

/// Rows of the panel in a body of this height.
pub(super) const fn rows(body: u16) -> u16 {
    if body >= HIGH { ROWS_WITH_NEIGHBOURS } else { ROWS }
}

/// The rule above the panel.
pub(super) fn rule(cx: &Cx<'_>, run: &Run, area: Rect, buf: &mut Buffer) {
    let mut title = vec![cx.span(format!(" {} ", words::run_state(&run.state)), Role::Accent), Span::raw(" ")];
    let by_rule = run.paused_since.and_then(|since| stopped_by(cx, since));
    let room = if by_rule.is_some() { 20 } else { 40 };
    title.push(cx.span(fit(&printable(&run.name), room, cx.theme.symbols.more), Role::Title));
    if let Some(rule) = by_rule {
        title.push(cx.span(format!("  by rule {}", printable(&rule)), Role::Warning));
    }
    if run.check_mode {
        title.push(cx.span("  check mode: nothing moves", Role::Warning));
    }
    draw_rule(buf, area, cx, Line::from(title));
}

/// The rule that has stopped it then, if one has. Where the screen is low, this is all that tells why it stands.
fn stopped_by(cx: &Cx<'_>, since: Time) -> Option<String> {
    let sun = &cx.snapshot.sun;
    let acts = |firing: &&Firing| sun.find(&firing.rule).is_some_and(|rule| rule.action.acts());
    let then = |firing: &&Firing| firing.at <= since + STOPS_WITHIN && since <= firing.at + STOPS_WITHIN;
    sun.notice.iter().chain(&sun.notices).find(|firing| acts(firing) && then(firing)).map(|firing| firing.rule.clone())
}

/// The panel.
pub(super) fn draw(cx: &Cx<'_>, run: &Run, area: Rect, buf: &mut Buffer) {
    let mut parts = Rows { rest: area };
    let line = Line::from(cx.span(format!(" {}", bar(cx, run)), Role::Value));
    put_marked(buf, parts.top(1), 0, &line, cx);
    put_marked(buf, parts.top(1), 0, &Line::from(cx.span(format!(" {}", times(cx, run)), Role::Text)), cx);
    let keys = parts.bottom(1);
    put_marked(buf, keys, 0, &Line::from(keys_line(cx, run)), cx);
    let lines = &cx.ui.programs.running.lines;
    if parts.rest.height > 1
        && !run.outline
        && lines.path.as_ref() == Some(&run.path)
        && lines.line(lines.cursor).is_some()
    {
        programs::lines(cx, lines, parts.rest, |_| None, buf);
    } else {
        let text = format!(" {:>9}   {}", words::count(run.acked_line), printable(&run.text));
        put_marked(buf, parts.rest, 0, &Line::from(cx.span(text, Role::Text)), cx);
    }
}

/// `line 1 204 of 12 345  [####----]  48 %`
fn bar(cx: &Cx<'_>, run: &Run) -> String {
    let of = run.lines.map_or(String::new(), |lines| format!(" of {}", words::count(lines)));
    let line = format!("line {}{of}", words::count(run.acked_line));
    let Some(part) = progress::part(run, cx.now) else { return line };
    let full = ((part * BAR as f64) as usize).min(BAR);
    let (done, left) = if cx.theme.symbols.line.is_ascii() { ("#", ".") } else { ("█", "░") };
    format!("{line:<26} {}{}  {:.0} %", done.repeat(full), left.repeat(BAR - full), part * 100.0)
}

fn times(cx: &Cx<'_>, run: &Run) -> String {
    let gone = format!("{} gone", words::clock(progress::elapsed(run, cx.now).as_secs_f64()));
    let left = run.remaining_s.map(|left| match ends_at(cx, run, left) {
        Some(at) => format!("about {} left, ends {at}", words::clock(left)),
        None => format!("about {} left", words::clock(left)),
    });
    let paused = progress::paused(run, cx.now).as_secs_f64();
    let paused = (paused >= 0.5).then(|| format!("paused {}", words::clock(paused)));
    let why = words::run_why(&run.state).map(printable);
    let parts: Vec<String> = [Some(gone), left, paused, why].into_iter().flatten().collect();
    parts.join("   ")
}

/// The time of day at which it ends if nothing holds it up.
fn ends_at(cx: &Cx<'_>, run: &Run, left_s: f64) -> Option<String> {
    let start = cx.ui.settings.started_unix_ms.filter(|_| run.paused_since.is_none())?;
    let now = start + (cx.now.as_micros() / 1000).cast_signed();
    Some(words::time_of_day(now + (left_s * 1000.0) as i64, &cx.ui.settings.zone)).filter(|text| !text.is_empty())
}

/// What can be done now, and what it does.
fn keys_line(cx: &Cx<'_>, run: &Run) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw(" ")];
    if let Some(prompt) = &run.prompt {
        spans.extend(cx.hint(&cx.key(Action::Resume), "answers"));
        spans.push(cx.span(format!(" {} ", printable(&asked(cx, prompt))), Role::Alarm));
        return spans;
    }
    match run.state {
        RunState::Paused(_) | RunState::Pausing => spans.extend(cx.hint(&cx.key(Action::Resume), "goes on")),
        RunState::Ready | RunState::Running => {
            spans.extend(cx.hint(&cx.key(Action::Hold), "holds at once"));
            let pause = Action::Program(ProgramKey::PauseAtLineEnd);
            spans.extend(cx.hint(&cx.key(pause), "pauses at the line's end"));
        }
        _ => {}
    }
    spans.extend(cx.hint(&cx.key(Action::StopProgram), "ends it, position kept"));
    spans
}

/// What it asks; of a spindle start that waits for power, how that stands now.
fn asked(cx: &Cx<'_>, prompt: &Prompt) -> String {
    match (prompt, &cx.snapshot.sun.spindle) {
        (Prompt::SpindleStart { line, .. }, Some(wait)) if wait.line == Some(*line) => {
            format!("{}: {}", wait.what, wait.why)
        }
        _ => words::prompt(prompt),
    }
}

/// What every tab tells of programs under its header: the run, what it asks, what was interrupted.
pub(super) fn banner(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let programs = &cx.snapshot.programs;
    let mut lines = Vec::new();
    if let Some(run) = facts::open_run(cx.snapshot) {
        if cx.ui.tab != Tab::Machine || cx.ui.mode == Mode::Jog {
            lines.push(compact(cx, run, width));
        }
        let is_told = cx.ui.popup.is_some() || shown(cx).is_some() && cx.ui.tab == Tab::Machine;
        // What a spindle waits for is told with how it stands now.
        let by_itself = |prompt: &&Prompt| matches!(prompt, Prompt::SpindleStart { .. });
        if let Some(prompt) = run.prompt.as_ref().filter(|prompt| !is_told && !by_itself(prompt)) {
            let text = printable(&words::prompt(prompt));
            lines.push(label(cx, "PROGRAM WAITS", &text, &cx.key(Action::Resume), "answers", width));
        }
    } else if let Some(found) = &programs.interrupted {
        let run = &found.run;
        let text = format!("{} at line {}", printable(&run.name), words::count(run.last_line));
        let take_up = Action::Program(ProgramKey::TakeUp);
        let (key, what) = match available(take_up, cx.snapshot, cx.now) {
            Ok(()) => (cx.key(take_up), "takes it up"),
            Err(_) => (String::new(), ""),
        };
        lines.push(label(cx, "INTERRUPTED", &text, &key, what, width));
    }
    lines
}

fn label(cx: &Cx<'_>, label: &str, text: &str, key: &str, what: &str, width: usize) -> Line<'static> {
    let room = width.saturating_sub(label.len() + key.len() + what.len() + 9);
    Line::from(vec![
        cx.span(format!(" {label} "), Role::Alarm),
        Span::raw(" "),
        cx.span(fit(text, room, cx.theme.symbols.more), Role::Text),
        Span::raw("   "),
        cx.span(key.to_owned(), Role::Key),
        cx.span(format!(" {what}"), Role::Text),
    ])
}

fn compact(cx: &Cx<'_>, run: &Run, width: usize) -> Line<'static> {
    let of = run.lines.map_or(String::new(), |lines| format!("/{}", words::count(lines)));
    let gone = words::clock(progress::elapsed(run, cx.now).as_secs_f64());
    let parts: Vec<String> = [
        Some(format!("line {}{of}", words::count(run.acked_line))),
        progress::part(run, cx.now).map(|part| format!("{:.0} %", part * 100.0)),
        Some(format!("{gone} gone")).filter(|_| width >= 76),
        run.remaining_s.map(|left| format!("{} left", words::clock(left))),
        run.remaining_s.filter(|_| width >= 90).and_then(|left| ends_at(cx, run, left)).map(|at| format!("ends {at}")),
        cx.snapshot.machine.feed_mm_min.filter(|_| width >= 76).map(|feed| format!("F{feed:.0}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let text = parts.join("  ");
    let state = words::run_state(&run.state);
    let room = width.saturating_sub(state.len() + text.len() + 6);
    Line::from(vec![
        cx.span(format!(" {state} "), Role::Accent),
        cx.span(format!(" {}  ", fit(&printable(&run.name), room, cx.theme.symbols.more)), Role::Title),
        cx.span(text, Role::Text),
    ])
}
