//! The machine and its programs.

use std::time::Duration;

use super::book::{Book, Labels, in_unit, plain};
use crate::attach::server::counted::Counted;
use crate::model::machine::StateKind;
use crate::model::program::RunState;
use crate::model::snapshot::{Latency, LinkState, Machine};
use crate::model::{Snapshot, Time};

/// A hub has one machine for now.
const MACHINE: &str = "main";

const JOULES_IN_A_WH: f64 = 3600.0;

const STATES: [(StateKind, &str); 12] = [
    (StateKind::Idle, "idle"),
    (StateKind::Run, "run"),
    (StateKind::Hold, "hold"),
    (StateKind::Jog, "jog"),
    (StateKind::Alarm, "alarm"),
    (StateKind::Door, "door"),
    (StateKind::Check, "check"),
    (StateKind::Home, "home"),
    (StateKind::Sleep, "sleep"),
    (StateKind::Tool, "tool"),
    (StateKind::Starting, "starting"),
    (StateKind::Held, "held"),
];

const RUN_STATES: [&str; 5] = ["idle", "running", "paused", "failed", "stopped"];

fn of(more: &[(&'static str, &str)]) -> Labels {
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    std::iter::once(("machine", MACHINE.to_owned())).chain(more).collect()
}

fn one(value: Option<f64>) -> [(Labels, Option<f64>); 1] {
    [(of(&[]), value)]
}

/// Puts it on the page.
pub(super) fn put(book: &mut Book, snapshot: &Snapshot, now: Time, counted: &Counted) {
    let machine = &snapshot.machine;
    let up = machine.link.state == LinkState::Up;
    book.gauge(&plain("cnc_up", "1: the machine is identified and answers"), one(Some(f64::from(u8::from(up)))));
    state(book, machine, now);
    book.counter(
        &plain("cnc_alarms", "Alarms, by code; 0: the controller told none"),
        counted.alarms().into_iter().map(|(code, count)| (of(&[("code", &code.to_string())]), Some(count as f64))),
    );
    link(book, machine);
    program(book, snapshot, now);
}

/// What the last report tells, if it is young enough to act on.
fn state(book: &mut Book, machine: &Machine, now: Time) {
    let age = machine.reported_at.map(|at| now.since(at).as_secs_f64());
    book.gauge(&in_unit("cnc_status_age", "seconds", "How old the last status report is"), one(age));
    let Some(state) = machine.fresh_state(now) else { return };
    book.gauge(
        &plain("cnc_state", "1: the machine is in this state"),
        STATES.map(|(kind, name)| (of(&[("state", name)]), Some(f64::from(u8::from(kind == state.kind))))),
    );
    book.gauge(
        &in_unit("cnc_feed", "meters_per_second", "Feed"),
        one(machine.feed_mm_min.map(|feed| feed / 1000.0 / 60.0)),
    );
    book.gauge(
        &in_unit("cnc_spindle", "revolutions_per_second", "Spindle speed as the controller tells it"),
        one(machine.spindle_rpm.map(|rpm| rpm / 60.0)),
    );
}

fn link(book: &mut Book, machine: &Machine) {
    let stats = &machine.link.stats;
    let counts = [
        (plain("cnc_resets", "Times the controller restarted by itself"), u64::from(stats.controller_resets)),
        (plain("cnc_connects", "Times the link came up"), u64::from(stats.connects)),
        (plain("cnc_reports", "Status reports"), stats.reports),
        (plain("cnc_lines_sent", "Lines sent"), stats.lines_sent),
        (
            plain("cnc_lines_answered", "Lines that were answered with ok or error, those of programs apart"),
            stats.line_latency.count,
        ),
        (plain("cnc_errors", "Lines that were answered with an error"), stats.errors),
        (in_unit("cnc_received", "bytes", "Bytes from the controller"), stats.rx_bytes),
        (in_unit("cnc_sent", "bytes", "Bytes to the controller"), stats.tx_bytes),
    ];
    for (name, count) in &counts {
        book.counter(name, one(Some(*count as f64)));
    }
    let about = "From the last byte of a line to its answer: half of them, 99 % of them, all were no longer than this";
    book.gauge(&in_unit("cnc_line_latency", "seconds", about), latencies(&stats.line_latency));
    let about = "From a status question to its report: half of them, 99 % of them, all were no longer than this";
    book.gauge(&in_unit("cnc_rtt", "seconds", about), latencies(&stats.status_latency));
}

fn latencies(latency: &Latency) -> [(Labels, Option<f64>); 3] {
    let known = |us: u32| (latency.count > 0).then(|| Duration::from_micros(us.into()).as_secs_f64());
    [("50", latency.p50_us), ("99", latency.p99_us), ("100", latency.max_us)]
        .map(|(percent, us)| (of(&[("percentile", percent)]), known(us)))
}

fn program(book: &mut Book, snapshot: &Snapshot, now: Time) {
    let run = snapshot.programs.run.as_ref();
    let state = match run.map(|run| &run.state) {
        None | Some(RunState::Done) => "idle",
        Some(RunState::Ready | RunState::Running) => "running",
        Some(RunState::Pausing | RunState::Paused(_)) => "paused",
        Some(RunState::Failed(_)) => "failed",
        Some(RunState::Stopping | RunState::Stopped(_)) => "stopped",
    };
    book.gauge(
        &plain("job_state", "1: this is how the program under way stands, or how the last one ended"),
        RUN_STATES.map(|name| (of(&[("state", name)]), Some(f64::from(u8::from(name == state))))),
    );
    counts(book, snapshot, now);
    let Some(run) = run.filter(|run| run.state.is_open()) else { return };
    book.gauge(
        &in_unit("job_elapsed", "seconds", "How long the program under way has run, without pauses"),
        one(Some(run.ran_for(now).as_secs_f64())),
    );
    if let Some(drawn) = &snapshot.sun.drawn {
        let about = "What the program under way has drawn so far, as far as it was measured, by where it came from";
        let drawn = [drawn.sun_wh, drawn.battery_wh, drawn.grid_wh, drawn.unsplit_wh];
        book.gauge(&in_unit("job_drawn", "joules", about), by_source(drawn));
    }
    book.gauge(&in_unit("job_remaining", "seconds", "What is left of it, by the estimate"), one(run.remaining_s));
    book.gauge(
        &plain("job_acked_line", "The last line that the controller accepted"),
        one(Some(run.acked_line as f64)),
    );
    book.gauge(&plain("job_lines", "Lines of its file"), one(run.lines.map(|lines| lines as f64)));
}

/// Programs since the start.
fn counts(book: &mut Book, snapshot: &Snapshot, now: Time) {
    let counts = &snapshot.programs.counts;
    book.counter(&plain("job_starts", "Programs begun"), one(Some(counts.started as f64)));
    let results = [
        ("done", counts.done),
        ("failed", counts.failed),
        ("stopped", counts.stopped),
        ("interrupted", counts.interrupted),
    ];
    book.counter(
        &plain("job_runs", "Programs that have ended, by how"),
        results.map(|(result, count)| (of(&[("result", result)]), Some(count as f64))),
    );
    let open = snapshot.programs.run.as_ref().filter(|run| run.state.is_open());
    let runs = open.map(|run| run.ran_for(now).as_secs_f64()).unwrap_or_default();
    book.counter(
        &in_unit("job_run", "seconds", "How long programs have run, the one under way too, without pauses"),
        one(Some(counts.running_s + runs)),
    );
    let about = "What programs that have ended drew, as far as it was measured, by where it came from";
    let drew = [counts.sun_wh, counts.battery_wh, counts.grid_wh, counts.unsplit_wh];
    book.counter(&in_unit("job_energy", "joules", about), by_source(drew));
}

/// From the sun, the battery, the grid, and from where is not known; in Wh.
fn by_source(wh: [f64; 4]) -> [(Labels, Option<f64>); 4] {
    let [sun, battery, grid, unknown] = wh;
    [("solar", sun), ("battery", battery), ("grid", grid), ("unknown", unknown)]
        .map(|(source, wh)| (of(&[("source", source)]), Some(wh * JOULES_IN_A_WH)))
}
