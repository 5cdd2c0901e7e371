//! `sunmill replay`: what sunmill makes of a recording.

use std::fmt::Write as _;
use std::path::Path;

use color_eyre::eyre::{WrapErr, eyre};
use serde::Serialize;

use super::exit::Failure;
use super::house::session_config;
use super::out;
use super::settings::Settings;
use crate::grbl::Event;
use crate::grbl::event::ResetCause;
use crate::grbl::recording;
use crate::grbl::replay::{Replay, Told};
use crate::model::Time;
use crate::model::machine::{ReportedPosition, StatusReport};
use crate::model::snapshot::LinkState;

/// What is printed at once.
const PRINT_AT: usize = 64 * 1024;

/// Plays `file` and prints what follows from it, a line for each event.
///
/// # Errors
/// The file cannot be read, or a line of it is no record; what came before it is printed.
pub(super) fn run(settings: &Settings, file: &Path, json: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(file).wrap_err_with(|| format!("cannot read {}", file.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut replay = Replay::new(session_config(settings));
    let mut printed = String::new();
    for record in recording::read(&text) {
        let record = match record {
            Ok(record) => record,
            Err(bad) => {
                out::data(&printed)?;
                return Err(eyre!("{}: {bad}", file.display()).into());
            }
        };
        replay.play(&record, &mut |at, told| {
            printed.push_str(&if json { as_json(at, &told) } else { as_text(at, &told) });
        });
        if printed.len() >= PRINT_AT {
            out::data(&printed)?;
            printed.clear();
        }
    }
    out::data(&printed)?;
    Ok(())
}

/// `{"at":1.5,"event":{…}}` or `{"at":1.5,"note":"…"}`, seconds since the hub started.
#[derive(Serialize)]
struct JsonLine<'a> {
    at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

fn as_json(at: Time, told: &Told) -> String {
    let line = match told {
        Told::Event(event) => JsonLine { at: seconds(at), event: Some(event), note: None },
        Told::Note(note) => JsonLine { at: seconds(at), event: None, note: Some(note) },
    };
    // Everything in an event is a plain value; one that is none would be a mistake here, and is said in the line.
    let mut text = serde_json::to_string(&line).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    text.push('\n');
    text
}

fn as_text(at: Time, told: &Told) -> String {
    let words = match told {
        Told::Event(event) => words(event),
        Told::Note(note) => format!("-- {note}"),
    };
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{:>12.6}  {words}\n", seconds(at))
}

fn seconds(at: Time) -> f64 {
    at.as_micros() as f64 / 1e6
}

fn words(event: &Event) -> String {
    match event {
        Event::Status(report) => status(report),
        Event::Link(state) => match state {
            LinkState::Silent { why } | LinkState::Foreign { why } | LinkState::Down { why, .. } => {
                format!("link: {why}")
            }
            other => format!("link: {other:?}"),
        },
        Event::Identified(who) => format!("identified: {} {}", who.firmware, who.version),
        Event::Sent { ticket: Some(ticket), text } => format!("sent #{}: {text}", ticket.0),
        Event::Sent { ticket: None, text } => format!("asked: {text}"),
        Event::Outcome { ticket, outcome } => format!("outcome #{}: {outcome:?}", ticket.0),
        Event::Alarm { info: Some(info), .. } => format!("ALARM {}: {} {}", info.code, info.meaning, info.remedy),
        Event::Alarm { info: None, .. } => "alarm without a code".to_owned(),
        Event::Reset { cause, banner } => {
            let cause = match cause {
                ResetCause::Asked => "as asked",
                ResetCause::OnOpening => "on opening",
                ResetCause::ByItself => "BY ITSELF",
            };
            format!("restart {cause}: {banner}")
        }
        Event::Message { level, text } => format!("message ({level:?}): {text}"),
        Event::Setting { name, value } => format!("setting ${name}={value}"),
        Event::Garbage { bytes } => format!("{bytes} bytes of garbage"),
        Event::UnexpectedReply => "an ok or error that nothing waits for".to_owned(),
        other => format!("{other:?}"),
    }
}

fn status(report: &StatusReport) -> String {
    let mut text = format!("status: {}", report.state);
    let (name, position) = match &report.position {
        Some(ReportedPosition::Machine(position)) => ("machine", position),
        Some(ReportedPosition::Work(position)) => ("work", position),
        None => return text,
    };
    let _ = write!(text, ", {name}");
    for (axis, value) in position.iter() {
        let _ = write!(text, " {axis}{value:.3}");
    }
    if !report.pins.is_empty() {
        let _ = write!(text, ", pins {:?}", report.pins);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_the_controller_printed() {
        let event = Event::Message { level: crate::model::machine::MessageLevel::Info, text: "a\u{1b}[2J\nb".into() };
        let told = Told::Event(event);
        for line in [as_text(Time::from_millis(1500), &told), as_json(Time::from_millis(1500), &told)] {
            assert!(line.trim_end().chars().all(|c| !c.is_control()) && line.ends_with('\n'), "{line:?}");
        }
        assert_eq!(as_text(Time::from_millis(1500), &Told::Note("opened".into())), "    1.500000  -- opened\n");
    }
}
