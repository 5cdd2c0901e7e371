//! Sizes, times and program facts in words.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Axis;
use crate::model::program::report::{FileUnits, WaitFor};
use crate::model::program::run::{JobState, RunState};
use crate::model::program::{Frame, Problem, Prompt, Reach, RunEnd, Severity};
use crate::model::quantity::number;

/// Bytes as a person reads them: `812 B`, `3.4 kB`, `120 MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// Seconds as `48 s`, `3:07` (minutes and seconds) or `2:03:07`.
pub fn clock(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{}:{:02}", s / 60, s % 60),
        _ => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
    }
}

/// Seconds in words, for sums: `48 s`, `3 min 7 s`, `2 h 3 min`.
pub fn span(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

/// A moment of the calendar: `2026-11-20 14:03`.
pub fn date(unix_ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(unix_ms) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => "-".to_owned(),
    }
}

/// A moment of the day: `14:03`.
pub fn time_of_day(unix_ms: i64, zone: &TimeZone) -> String {
    date(unix_ms, zone).split_off(11.min(date(unix_ms, zone).len()))
}

/// A number with thousands apart: `1 234 567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

/// `1 line`, `12 lines`.
pub fn plural(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", count(n)) }
}

/// The name of a file, without its folder.
pub fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// A coordinate frame by name.
pub fn frame(frame: Frame) -> String {
    match frame {
        Frame::Active => "the active system".to_owned(),
        Frame::Work(n @ 1..=6) => format!("G{}", 53 + n),
        Frame::Work(n) => format!("G59.{}", n.saturating_sub(6)),
        Frame::Machine => "machine (G53)".to_owned(),
    }
}

/// How far a program goes in one frame, an axis per piece: `X -1 to 40.5`.
pub fn reach(reach: &Reach) -> Vec<String> {
    reach
        .axes
        .iter()
        .map(|axis: Axis| {
            let at = axis.index();
            let (min, max) = (reach.min.get(at).copied().unwrap_or(0.0), reach.max.get(at).copied().unwrap_or(0.0));
            format!("{axis} {} to {}", number(min), number(max))
        })
        .collect()
}

/// Units of a file.
pub const fn units(units: FileUnits) -> &'static str {
    match units {
        FileUnits::Unnamed => "not named: the controller's are taken",
        FileUnits::Mm => "mm",
        FileUnits::Inch => "inch",
        FileUnits::Mixed => "mm and inch, both",
    }
}

/// For what a program waits.
pub fn wait(what: WaitFor) -> String {
    match what {
        WaitFor::Person => "waits for you (M0)".to_owned(),
        WaitFor::PersonIfWanted => "may wait for you (M1)".to_owned(),
        WaitFor::Tool(Some(tool)) => format!("tool change to T{tool} (M6)"),
        WaitFor::Tool(None) => "tool change (M6)".to_owned(),
    }
}

/// How bad a problem is.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Where a problem is: `line 12`, or `program`.
pub fn place(problem: &Problem) -> String {
    if problem.line == 0 { "program".to_owned() } else { format!("line {}", count(problem.line)) }
}

/// The state of a run in capitals, as on a label.
pub const fn run_state(state: &RunState) -> &'static str {
    match state {
        RunState::Ready => "STARTING",
        RunState::Running => "RUNNING",
        RunState::Pausing => "PAUSING",
        RunState::Paused(_) => "PAUSED",
        RunState::Stopping => "STOPPING",
        RunState::Done => "DONE",
        RunState::Failed(_) => "FAILED",
        RunState::Stopped(_) => "STOPPED",
    }
}

/// Why a run is as it is, where there is something to say.
pub fn run_why(state: &RunState) -> Option<&str> {
    match state {
        RunState::Paused(why) | RunState::Failed(why) | RunState::Stopped(why) if !why.is_empty() => Some(why),
        RunState::Pausing => Some("no more lines go out; the machine carries out what it has"),
        _ => None,
    }
}

/// How a past run ended: a word, and why.
pub fn run_end(end: Option<&RunEnd>) -> (&'static str, &str) {
    match end {
        None => ("runs", ""),
        Some(RunEnd::Done) => ("done", ""),
        Some(RunEnd::Stopped(why)) => ("stopped", why),
        Some(RunEnd::Failed(why)) => ("FAILED", why),
        Some(RunEnd::Interrupted(why)) => ("INTERRUPTED", why),
    }
}

/// How an analysis stands.
pub fn job(state: &JobState) -> String {
    match state {
        JobState::Waiting => "waits for a free place".to_owned(),
        JobState::Running => "reads".to_owned(),
        JobState::Paused => "paused".to_owned(),
        JobState::Stopped => "stopped".to_owned(),
        JobState::Done => "done".to_owned(),
        JobState::Failed(why) => format!("FAILED: {why}"),
    }
}

/// What a program asks, in one line.
pub fn prompt(prompt: &Prompt) -> String {
    let with = |what: String, text: &Option<String>| match text {
        Some(text) if !text.is_empty() => format!("{what}: {text}"),
        _ => what,
    };
    match prompt {
        Prompt::Pause { line, text } => with(format!("waits for you at line {}", count(*line)), text),
        Prompt::ToolChange { line, tool, text, .. } => {
            let tool = tool.map_or(String::new(), |tool| format!(" to T{tool}"));
            with(format!("tool change{tool} at line {}", count(*line)), text)
        }
        Prompt::SpindleStart { line: 0, .. } => "the spindle start before the first line waits for power".to_owned(),
        Prompt::SpindleStart { line, .. } => format!("the spindle start at line {} waits for power", count(*line)),
        Prompt::LineRefused { line, code, .. } => format!("line {} was refused (error {code})", count(*line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AxisSet;
    use crate::model::axes::MAX_AXES;

    #[test]
    fn sizes_and_times_are_short_and_right() {
        for (bytes, text) in [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_960, "10 kB"), (999_600, "1.0 MB")] {
            assert_eq!(size(bytes), text);
        }
        for (seconds, text) in [(-1.0, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (3599.0, "59:59"), (7387.0, "2:03:07")] {
            assert_eq!(clock(seconds), text);
        }
        assert_eq!((span(187.0).as_str(), span(7387.0).as_str()), ("3 min 7 s", "2 h 3 min"));
        assert_eq!((count(1_234_567).as_str(), count(12).as_str()), ("1 234 567", "12"));
    }

    #[test]
    fn dates_are_those_of_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(date(1_700_000_000_000, &TimeZone::UTC), "2023-11-14 22:13");
        assert_eq!(date(1_700_000_000_000, &zone), "2023-11-14 23:13");
        assert_eq!(time_of_day(1_700_000_000_000, &zone), "23:13");
        assert_eq!((date(i64::MAX, &zone).as_str(), time_of_day(i64::MAX, &zone).as_str()), ("-", ""));
    }

    #[test]
    fn frames_have_the_names_of_their_words() {
        let name = |n| frame(Frame::Work(n));
        assert_eq!([name(1), name(6), name(7), name(9)], ["G54", "G59", "G59.1", "G59.3"]);
        let mut far = Reach {
            frame: Frame::Active,
            axes: AxisSet::first(3).iter().filter(|axis| *axis != Axis::Y).collect(),
            min: [0.0; MAX_AXES],
            max: [0.0; MAX_AXES],
            min_line: [0; MAX_AXES],
            max_line: [0; MAX_AXES],
            unsure: false,
        };
        (far.min[0], far.max[2]) = (-1.0, 5.5);
        assert_eq!(reach(&far), ["X -1 to 0", "Z 0 to 5.5"]);
    }
}
