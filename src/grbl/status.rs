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
    let mut reader = Reader { report: StatusReport::of(state(fields.next()?)?), seen: 0 };
    // Every firmware prints at least a position, and the empty state word needs more than `<>` to be believed.
    reader.field(fields.next()?)?;
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
            b"Bf" => (2, buffer(value).map(|b| report.buffer = Some(b))),
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

fn buffer(value: &[u8]) -> Option<BufferFree> {
    let (planner, rx) = split_comma(value)?;
    Some(BufferFree { planner: free(planner)?, rx: free(rx)? })
}

/// FluidNC goes below zero while a driver buffer behind the counted one holds more (`Bf:0,-810`): nothing is free.
fn free(value: &[u8]) -> Option<u16> {
    match value.strip_prefix(b"-") {
        Some(short) => integer(short).map(|_| 0),
        None => integer16(value),
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::AxisVec;

    fn of(text: &str) -> StatusReport {
        parse(text.as_bytes(), None).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_fields_of_grbl_are_read() {
        let report = of("<Hold:1|WPos:1.000,-2.500,0.010|Bf:12,101|Ln:99|FS:550,12000|Pn:XPH|WCO:5.000,0.000,1.000>");
        assert_eq!(report.state, MachineState::with_sub(StateKind::Hold, 1));
        assert_eq!(report.position, Some(ReportedPosition::Work(AxisVec::from_slice(&[1.0, -2.5, 0.01]))));
        assert_eq!(report.buffer, Some(BufferFree { planner: 12, rx: 101 }));
        assert_eq!((report.line, report.feed, report.spindle_rpm), (Some(99), Some(550.0), Some(12000.0)));
        assert_eq!(report.pins, Pins::from_letters("XPH"));
        assert_eq!(report.wco, Some(AxisVec::from_slice(&[5.0, 0.0, 1.0])));
        let report = of("<Run|F:300|Ov:120,50,90|A:CM|MPos:1,2,3>");
        assert_eq!((report.feed, report.spindle_rpm), (Some(300.0), None));
        assert_eq!(report.overrides, Some(Overrides { feed: 120, rapid: 50, spindle: 90 }));
        let accessories = Accessories { spindle_ccw: true, mist: true, ..Accessories::default() };
        assert_eq!(report.accessories, Some(accessories));
        assert_eq!(report.position, Some(ReportedPosition::Machine(AxisVec::from_slice(&[1.0, 2.0, 3.0]))));
    }

    #[test]
    fn the_fields_of_grblhal_and_fluidnc_are_read() {
        let report = of("<Tool|MPos:0,0,0|FS:1,2,3|WCS:G59.3|Sc:XZ|MPG:1|H:1,5|T:7|TLR:1|In:-1|FW:grblHAL|P:0>");
        assert_eq!(report.spindle_actual_rpm, Some(3.0));
        assert_eq!((report.wcs.as_deref(), report.tool, report.tlr), (Some("G59.3"), Some(7), Some(true)));
        assert_eq!(report.homed, Some((true, Some(AxisSet::from_mask(5)))));
        assert_eq!((report.mpg, report.scaled), (Some(true), Some(AxisSet::from_mask(5))));
        assert!(report.unknown.is_empty());
        assert_eq!(of("<Idle|H:0>").homed, Some((false, None)));
        assert_eq!(of("<Run|MPos:0|SD:12.50,/sd/a,b.nc>").sd, Some((12.5, "/sd/a,b.nc".to_owned())));
    }

    #[test]
    fn every_state_word_is_known() {
        for (word, kind, sub) in [
            ("Idle", StateKind::Idle, None),
            ("Run:2", StateKind::Run, Some(2)),
            ("Hold:0", StateKind::Hold, Some(0)),
            ("Jog", StateKind::Jog, None),
            ("Alarm:17", StateKind::Alarm, Some(17)),
            ("Door:3", StateKind::Door, Some(3)),
            ("Check", StateKind::Check, None),
            ("Home", StateKind::Home, None),
            ("Sleep", StateKind::Sleep, None),
            ("Tool", StateKind::Tool, None),
            ("Starting", StateKind::Starting, None),
            ("", StateKind::Held, None),
        ] {
            assert_eq!(of(&format!("<{word}|MPos:0,0,0>")).state, MachineState { kind, sub }, "{word}");
        }
    }

    #[test]
    fn missing_accessories_mean_off_only_where_that_is_so() {
        let text = b"<Idle|MPos:0,0,0|Ov:100,100,100>";
        for firmware in [Firmware::Grbl, Firmware::FluidNc] {
            let report = parse(text, Some(firmware)).expect("a report");
            assert_eq!(report.accessories, Some(Accessories::default()), "{firmware}");
        }
        for firmware in [Some(Firmware::GrblHal), None] {
            assert_eq!(parse(text, firmware).expect("a report").accessories, None, "{firmware:?}");
        }
        assert_eq!(parse(b"<Idle|MPos:0,0,0>", Some(Firmware::Grbl)).expect("a report").accessories, None);
        assert_eq!(of("<Idle|A:>").accessories, Some(Accessories::default()));
    }

    #[test]
    fn damaged_reports_are_none() {
        for text in [
            "",
            "<",
            "<>",
            "<Idle>",
            "<>x",
            "Idle|MPos:0,0,0>",
            "<Idle|MPos:0,0,0",
            "<Idle|MPos:0,0,<Idle|MPos:0,0,0>",
            "<Idle|MPos:0,0,0><Idle|MPos:0,0,0>",
            "<Idle|MPos:0,0,0|MPos:0,0,0>",
            "<Idle|MPos:0,0,0|WPos:0,0,0>",
            "<Idle|MPos:0.000,0.0000.000>",
            "<Idle|MPos:0.000,0.0Run|FS:0,0>",
            "<Idle|WCO:1,,2>",
            "<Idle||FS:0,0>",
            "<Idle|FS>",
            "<Ile|FS:0,0>",
            "<Idle:|FS:0,0>",
            "<Idle:300|FS:0,0>",
            "<Idle|MPos:1,2,3,4,5,6,7,8,9,10>",
            "<Idle|MPos:0,0,0|\u{1}FS:0,0>",
        ] {
            assert_eq!(parse(text.as_bytes(), None), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_stays() {
        let report = of("<Run|MPos:nan,nan,0.000|Bf:15|Zz:1|Ov:1,2|FS:0,0>");
        assert_eq!((report.state.kind, report.position, report.feed), (StateKind::Run, None, Some(0.0)));
        assert_eq!(report.unknown, ["MPos", "Bf", "Zz", "Ov"]);
        assert_eq!(of("<Run|Bf:0,-810>").buffer, Some(BufferFree { planner: 0, rx: 0 }));
        assert_eq!(of("<|MPos:0,0,0>").state.kind, StateKind::Held);
    }

    /// Numbers with three decimals, as a controller prints them.
    fn vectors() -> impl Strategy<Value = Vec<i32>> {
        proptest::collection::vec(-9_999_999..9_999_999, 1..=9)
    }

    fn printed(thousandths: &[i32]) -> String {
        let numbers: Vec<_> = thousandths.iter().map(|&n| format!("{:.3}", f64::from(n) / 1000.0)).collect();
        numbers.join(",")
    }

    fn vector(thousandths: &[i32]) -> AxisVec {
        AxisVec::from_slice(&thousandths.iter().map(|&n| f64::from(n) / 1000.0).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn a_printed_report_reads_back(
            position in vectors(),
            wco in proptest::option::of(vectors()),
            (feed, rpm) in (0_u32..20_000, 0_u32..30_000),
            buffer in proptest::option::of((0_u16..200, 0_u16..2000)),
            ov in proptest::option::of((10_u16..=200, 25_u16..=100, 10_u16..=200)),
            pins in "[XYZPDHRS]{0,4}",
            work in any::<bool>(),
            rotation in 0_usize..6,
        ) {
            let mut fields = vec![
                format!("{}:{}", if work { "WPos" } else { "MPos" }, printed(&position)),
                format!("FS:{feed},{rpm}"),
            ];
            fields.extend(wco.as_ref().map(|wco| format!("WCO:{}", printed(wco))));
            fields.extend(buffer.map(|(planner, rx)| format!("Bf:{planner},{rx}")));
            fields.extend(ov.map(|(feed, rapid, spindle)| format!("Ov:{feed},{rapid},{spindle}")));
            fields.extend((!pins.is_empty()).then(|| format!("Pn:{pins}")));
            let turn = rotation % fields.len();
            fields.rotate_left(turn);
            let report = of(&format!("<Jog|{}>", fields.join("|")));

            let at = vector(&position);
            let expected = if work { ReportedPosition::Work(at) } else { ReportedPosition::Machine(at) };
            prop_assert_eq!(report.position, Some(expected));
            prop_assert_eq!(report.wco, wco.as_deref().map(vector));
            prop_assert_eq!((report.feed, report.spindle_rpm), (Some(f64::from(feed)), Some(f64::from(rpm))));
            prop_assert_eq!(report.buffer, buffer.map(|(planner, rx)| BufferFree { planner, rx }));
            prop_assert_eq!(report.overrides, ov.map(|(feed, rapid, spindle)| Overrides { feed, rapid, spindle }));
            prop_assert_eq!(report.pins, Pins::from_letters(&pins));
            prop_assert!(report.unknown.is_empty());
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..80), fields in "[A-Za-z:|,.0-9-]{0,60}") {
            let _ = parse(&bytes, None);
            let _ = parse(&[b"<Idle|", bytes.as_slice(), b">"].concat(), None);
            let _ = parse(format!("<Run|{fields}>").as_bytes(), Some(Firmware::Grbl));
        }
    }
}
