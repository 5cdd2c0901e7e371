//! Status reports: `<Idle|MPos:0.000,0.000,0.000|FS:0,0>`.
//!
//! Fields are read by name, in any order; unknown ones are recorded. A report that was damaged on the way
//! (merged with another, a field twice, a number with two points) is no report at all: better an old
//! position, shown as old, than a wrong one.

use super::numbers::{self, integer, integer16};
use crate::model::axes::Axis;
use crate::model::machine::{Accessories, BufferFree, Overrides, Pins, ReportedPosition, StatusReport};
use crate::model::{AxisSet, Firmware, MachineState, StateKind};

/// Reads one line, brackets included and without its line end. `firmware` decides what a missing `A:` means.
/// `None`: not a status report, or a damaged one.
pub fn parse(line: &[u8], firmware: Option<Firmware>) -> Option<StatusReport> {
    let inner = line.strip_prefix(b"<")?.strip_suffix(b">")?;
    if inner.iter().any(|b| matches!(b, b'<' | b'>' | 0..0x20 | 0x7F)) {
        return None;
    }
    let mut fields = inner.split(|&b| b == b'|');
    let mut reader = Reader { report: blank(state(fields.next()?)?), seen: 0 };
    for field in fields {
        reader.field(field)?;
    }
    let all_off_without_field = matches!(firmware, Some(Firmware::Grbl | Firmware::FluidNc));
    if all_off_without_field && reader.report.overrides.is_some() && reader.report.accessories.is_none() {
        reader.report.accessories = Some(Accessories::default());
    }
    Some(reader.report)
}

/// The state word and its sub-state. The empty word is FluidNC's "Held".
fn state(text: &[u8]) -> Option<MachineState> {
    let (word, sub) = match text.iter().position(|&b| b == b':') {
        Some(at) => (&text[..at], Some(u8::try_from(integer(&text[at + 1..])?).ok()?)),
        None => (text, None),
    };
    let kind = match word {
        b"Idle" => StateKind::Idle,
        b"Run" => StateKind::Run,
        b"Hold" => StateKind::Hold,
        b"Jog" => StateKind::Jog,
        b"Alarm" => StateKind::Alarm,
        b"Door" => StateKind::Door,
        b"Check" => StateKind::Check,
        b"Home" => StateKind::Home,
        b"Sleep" => StateKind::Sleep,
        b"Tool" => StateKind::Tool,
        b"Starting" => StateKind::Starting,
        b"" => StateKind::Held,
        _ => return None,
    };
    Some(MachineState { kind, sub })
}

fn blank(state: MachineState) -> StatusReport {
    StatusReport {
        state,
        position: None,
        buffer: None,
        line: None,
        feed: None,
        spindle_rpm: None,
        spindle_actual_rpm: None,
        wco: None,
        overrides: None,
        accessories: None,
        pins: Pins::NONE,
        sd: None,
        wcs: None,
        homed: None,
        tool: None,
        tlr: None,
        mpg: None,
        scaled: None,
        unknown: Vec::new(),
    }
}

struct Reader {
    report: StatusReport,
    /// One bit for each known field that was seen.
    seen: u32,
}

impl Reader {
    /// `None`: the whole report is damaged.
    fn field(&mut self, field: &[u8]) -> Option<()> {
        let at = field.iter().position(|&b| b == b':').filter(|&at| at > 0)?;
        let (name, value) = (&field[..at], &field[at + 1..]);
        let report = &mut self.report;
        // A known field that cannot be read is recorded as unknown: a newer firmware may have more to say in it.
        // Only positions must not be wrong.
        let (bit, read) = match name {
            b"MPos" => (0, position(value)?.map(|p| report.position = Some(ReportedPosition::Machine(p)))),
            b"WPos" => (0, position(value)?.map(|p| report.position = Some(ReportedPosition::Work(p)))),
            b"WCO" => (1, position(value)?.map(|p| report.wco = Some(p))),
            b"Bf" => (2, pair(value).map(|b| report.buffer = Some(b))),
            b"Ln" => (3, integer(value).map(|n| report.line = Some(n))),
            b"F" => (4, numbers::decimal(value).map(|f| report.feed = Some(f))),
            b"FS" => (4, feed_and_speed(value, report)),
            b"Ov" => (5, overrides(value).map(|o| report.overrides = Some(o))),
            b"A" => (6, accessories(value).map(|a| report.accessories = Some(a))),
            b"Pn" => (7, text(value).map(|letters| report.pins = Pins::from_letters(letters))),
            b"SD" => (8, file_job(value).map(|sd| report.sd = Some(sd))),
            b"WCS" => (9, text(value).map(|wcs| report.wcs = Some(wcs.to_owned()))),
            b"H" => (10, homed(value).map(|h| report.homed = Some(h))),
            b"T" => (11, integer(value).map(|n| report.tool = Some(n))),
            b"TLR" => (12, flag(value).map(|set| report.tlr = Some(set))),
            b"MPG" => (13, flag(value).map(|on| report.mpg = Some(on))),
            b"Sc" => (14, axis_letters(value).map(|axes| report.scaled = Some(axes))),
            // Known, and nothing that anyone here needs: reply to 0x87, extra inputs, distance to go, …
            b"FW" | b"In" | b"AR" | b"D" | b"P" | b"DTG" | b"$C" => (15, Some(())),
            _ => (31, None),
        };
        if bit < 15 && self.seen & (1 << bit) != 0 {
            return None;
        }
        self.seen |= 1 << bit;
        if read.is_none() {
            self.report.unknown.push(String::from_utf8_lossy(name).into_owned());
        }
        Some(())
    }
}

/// `None`: damaged. `Some(None)`: the controller itself has no number (`nan` after a kinematics error).
#[expect(clippy::option_option, reason = "damaged and absent are different answers")]
fn position(value: &[u8]) -> Option<Option<crate::model::AxisVec>> {
    match numbers::list(value) {
        Some(vec) => Some(Some(vec)),
        None if value.windows(3).any(|w| w.eq_ignore_ascii_case(b"nan") || w.eq_ignore_ascii_case(b"inf")) => {
            Some(None)
        }
        None => None,
    }
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

fn split_comma(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|&b| b == b',')?;
    Some((&value[..at], &value[at + 1..]))
}

fn pair(value: &[u8]) -> Option<BufferFree> {
    let (planner, rx) = split_comma(value)?;
    Some(BufferFree { planner: integer16(planner)?, rx: integer16(rx)? })
}

/// One to three numbers: feed, programmed speed, measured speed (grblHAL).
fn feed_and_speed(value: &[u8], report: &mut StatusReport) -> Option<()> {
    let values = numbers::list(value)?;
    let (&[feed] | &[feed, _] | &[feed, _, _]) = values.as_slice() else { return None };
    report.feed = Some(feed);
    report.spindle_rpm = values.as_slice().get(1).copied();
    report.spindle_actual_rpm = values.as_slice().get(2).copied();
    Some(())
}

fn overrides(value: &[u8]) -> Option<Overrides> {
    let (feed, rest) = split_comma(value)?;
    let (rapid, spindle) = split_comma(rest)?;
    Some(Overrides { feed: integer16(feed)?, rapid: integer16(rapid)?, spindle: integer16(spindle)? })
}

/// Letters of what is on; none at all is grblHAL's "all off". Letters that nobody knows are passed over.
fn accessories(value: &[u8]) -> Option<Accessories> {
    let on = |letter| value.contains(&letter);
    value.iter().all(u8::is_ascii_alphanumeric).then(|| Accessories {
        spindle_cw: on(b'S'),
        spindle_ccw: on(b'C'),
        flood: on(b'F'),
        mist: on(b'M'),
        tool_change: on(b'T'),
    })
}

fn file_job(value: &[u8]) -> Option<(f32, String)> {
    let (percent, path) = split_comma(value)?;
    Some((numbers::decimal(percent)? as f32, text(path)?.to_owned()))
}

fn homed(value: &[u8]) -> Option<(bool, Option<AxisSet>)> {
    match split_comma(value) {
        Some((all, mask)) => Some((flag(all)?, Some(AxisSet::from_mask(integer16(mask)?)))),
        None => Some((flag(value)?, None)),
    }
}

fn flag(value: &[u8]) -> Option<bool> {
    match value {
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    }
}

fn axis_letters(value: &[u8]) -> Option<AxisSet> {
    value.iter().map(|&b| Axis::from_letter(char::from(b))).collect()
}
