//! [`Line`]: a line that is safe to send.
//!
//! All three firmwares take `!`, `?`, `~` and most bytes from 0x80 on out of the stream the moment they
//! arrive, inside comments too (`(don't stop!)` is a feed hold; FluidNC `RealtimeCmd.cpp`, Grbl and
//! grblHAL serial receive interrupts). So the only way to the wire leads through this type.

use std::fmt;

use super::dollar::Dollar;
use super::gcode::{self, Eeprom};
pub use super::line_kind::LineKind;
use crate::model::{Axis, AxisSet, Firmware};

/// Longest line that Grbl takes, after it removed blanks and comments (`LINE_BUFFER_SIZE` 80 with its NUL).
const GRBL_MAX: usize = 79;
/// Longest line that FluidNC takes, everything counted, `$J=` too (measured on 4.0.5: one more is error:14).
const FLUIDNC_MAX: usize = 127;
/// Longest line that grblHAL takes, comments counted (`LINE_BUFFER_SIZE` 257).
const GRBLHAL_MAX: usize = 255;

/// Why a text cannot be a [`Line`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A character that the controller would act on, or that ends the line.
    #[error("column {column}: {found} {why}")]
    Forbidden {
        /// The character, by name.
        found: String,
        /// Its place in the text as given, counted from 1 in characters.
        column: usize,
        /// What it would do and what to do instead.
        why: &'static str,
    },
    /// Longer than the firmware takes.
    #[error("the line has {length} characters and {firmware} takes {limit}; split it or shorten it")]
    TooLong {
        /// Characters as the firmware counts them.
        length: usize,
        /// How many it takes.
        limit: usize,
        /// Who.
        firmware: &'static str,
    },
    /// A jog that names no axis.
    #[error("this jog names no axis, and the controller would move all axes toward machine zero; add one, such as X1")]
    JogWithoutAxis,
}

/// One line that is safe to send: printable ASCII without `!`, `?` and `~`, no longer than the firmware
/// takes, and never a jog without an axis word. Comments are gone but for those that a firmware prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    text: Box<str>,
    kind: LineKind,
    may_move: bool,
    eeprom: Eeprom,
    immediate_on_fluidnc: bool,
    changes_coordinates: bool,
}

impl Line {
    /// The line for this firmware; `None` while it is not known holds the line to what every firmware takes.
    ///
    /// Comments are removed (from `$` settings they are not: a parenthesis is text there), but
    /// `(MSG,…)`, `(PRINT,…)` and `(DEBUG,…)` stay where the firmware acts on them, with unsafe characters
    /// replaced. Blanks stay as written, a tab becomes a blank; letters keep their case.
    ///
    /// # Errors
    /// See [`LineError`]; each names the place and what to do.
    pub fn new(text: &str, firmware: Option<Firmware>) -> Result<Self, LineError> {
        refuse_line_ends(text)?;
        let is_dollar = text.trim_start_matches([' ', '\t']).starts_with(['$', '[']);
        let keeps_parentheses = is_dollar && !is_jog(&gcode::collapse(text));
        let cleaned = if keeps_parentheses { check_verbatim(text)? } else { strip_comments(text, firmware)? };
        let cleaned = cleaned.trim_matches(' ');
        check_length(cleaned, firmware)?;

        let collapsed = gcode::collapse(cleaned);
        if is_jog(&collapsed) && !gcode::has_axis_word(&collapsed) {
            return Err(LineError::JogWithoutAxis);
        }
        Ok(Self::classified(cleaned, &collapsed, firmware))
    }

    /// The empty line: answered `ok` by all three, moves nothing.
    pub fn empty() -> Self {
        Self::classified("", "", None)
    }

    fn classified(text: &str, collapsed: &str, firmware: Option<Firmware>) -> Self {
        if collapsed.is_empty() {
            let kind = LineKind::Empty;
            return Self {
                text: text.into(),
                kind,
                may_move: false,
                eeprom: Eeprom::Untouched,
                immediate_on_fluidnc: true,
                changes_coordinates: false,
            };
        }
        if collapsed.starts_with(['$', '[']) {
            // A comment or `/` in front hides the `$` from this code but not from every controller.
            let source = if text.starts_with(['$', '[']) && !is_jog(collapsed) { text } else { collapsed };
            let effects = Dollar::split(source).effects(firmware);
            return Self {
                text: text.into(),
                kind: effects.kind,
                may_move: effects.may_move,
                eeprom: effects.eeprom,
                immediate_on_fluidnc: effects.immediate_on_fluidnc,
                changes_coordinates: effects.kind == LineKind::SettingWrite && collapsed.starts_with("$RST"),
            };
        }
        let effects = gcode::effects(collapsed);
        Self {
            text: text.into(),
            kind: LineKind::GCode { may_move: effects.may_move, dwell: effects.dwell },
            may_move: effects.may_move,
            eeprom: effects.eeprom,
            immediate_on_fluidnc: true,
            changes_coordinates: effects.coordinates,
        }
    }

    /// The text as it goes out, without the line feed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes on the wire and in the controller's receive buffer, the line feed included.
    pub fn wire_len(&self) -> usize {
        self.text.len() + 1
    }

    /// What it is for.
    pub fn kind(&self) -> LineKind {
        self.kind
    }

    /// A `$J=` line.
    pub fn is_jog(&self) -> bool {
        self.kind == LineKind::Jog
    }

    /// A `$` line (or FluidNC `[ESP…]`), jogs included.
    pub fn is_dollar(&self) -> bool {
        !matches!(self.kind, LineKind::GCode { .. } | LineKind::Empty)
    }

    /// Something could move: G-code with a target, a jog, homing, a stored macro or file.
    pub fn may_move(&self) -> bool {
        self.may_move
    }

    /// The axes that a homing line names (`$HX`, `$H=XY`); `None`: all, or not a homing line.
    pub fn home_axes(&self) -> Option<AxisSet> {
        if self.kind != LineKind::Home {
            return None;
        }
        let axes: AxisSet = self.text.chars().skip(2).filter_map(Axis::from_letter).collect();
        (!axes.is_empty()).then_some(axes)
    }

    /// Its `ok` may take a long time with the state at Idle all the while: dwells, spindle start-up, homing
    /// (FluidNC #1065).
    pub fn may_be_answered_late(&self) -> bool {
        match self.kind {
            LineKind::GCode { dwell, .. } => dwell || self.text.to_ascii_uppercase().contains('M'),
            LineKind::Home => true,
            _ => false,
        }
    }

    /// Writes permanent memory. An AVR stops its interrupts meanwhile and loses received bytes, so such a
    /// line goes alone: nothing unacknowledged before it, nothing after it until its `ok`
    /// (Grbl `doc/markdown/interface.md`, "EEPROM Issues").
    pub fn writes_eeprom(&self) -> bool {
        self.eeprom == Eeprom::Writes
    }

    /// Changes offsets, the active coordinate system, units or distance mode, so that the last `$#` and `$G` are old.
    /// With plain polling FluidNC does not even tell the new `WCO:` for many reports (facts: grbl-protocol §0.11).
    pub fn changes_coordinates(&self) -> bool {
        self.changes_coordinates
    }

    /// Reads or writes permanent memory (`G54`, `G28`, `$$`, … read it); Grbl's manual asks for the same care.
    pub fn touches_eeprom(&self) -> bool {
        self.eeprom != Eeprom::Untouched
    }

    /// On FluidNC every `$` line but `$G`, `$J` and reads of the configuration waits for the end of the motion,
    /// holds up all lines behind it, and **runs even after a reset** (`do_command_or_setting` calls
    /// `protocol_buffer_synchronize`). Such a line must not be sent while something moves.
    pub fn waits_for_motion_end(&self, firmware: Firmware) -> bool {
        firmware == Firmware::FluidNc && !self.immediate_on_fluidnc
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a collapsed line is a jog, in any spelling that one of the firmwares takes.
fn is_jog(collapsed: &str) -> bool {
    ["$J=", "$JOG=", "[J]", "[JOG]"].iter().any(|head| collapsed.starts_with(head))
}

/// Line ends are refused even inside comments: two lines must not become one.
fn refuse_line_ends(text: &str) -> Result<(), LineError> {
    match text.chars().enumerate().find(|(_, c)| matches!(c, '\r' | '\n')) {
        Some((at, c)) => Err(forbidden(c, at)),
        None => Ok(()),
    }
}

/// The text itself, if every character of it may go out. Tabs are refused: in a setting they would be part of it.
fn check_verbatim(text: &str) -> Result<String, LineError> {
    let start = text.len() - text.trim_start_matches([' ', '\t']).len();
    let trimmed = text.trim_matches([' ', '\t']);
    match trimmed.chars().enumerate().find(|(_, c)| !is_safe(*c)) {
        Some((at, c)) => Err(forbidden(c, start + at)),
        None => Ok(trimmed.to_owned()),
    }
}

/// The text without comments, if every character that is left may go out.
fn strip_comments(text: &str, firmware: Option<Firmware>) -> Result<String, LineError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut column = 0;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            ';' => break,
            '(' => {
                let inner = &rest[1..];
                let inner = inner.find(')').map_or(inner, |end| &inner[..end]);
                let closed = rest.len() > inner.len() + 1;
                if closed && firmware != Some(Firmware::Grbl) && is_message(inner) {
                    out.push('(');
                    out.extend(inner.chars().map(made_safe));
                    out.push(')');
                }
                1 + inner.len() + usize::from(closed)
            }
            '\t' => {
                out.push(' ');
                1
            }
            c if is_safe(c) => {
                out.push(c);
                1
            }
            c => return Err(forbidden(c, column)),
        };
        column += rest[..taken].chars().count();
        rest = &rest[taken..];
    }
    Ok(out)
}

/// A comment that FluidNC or grblHAL prints. FluidNC takes any separator after `MSG`.
fn is_message(comment: &str) -> bool {
    let comment = comment.trim_start();
    ["MSG,", "MSG ", "MSG:", "PRINT,", "DEBUG,"]
        .iter()
        .any(|head| comment.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head)))
}

/// The nearest character that means nothing to a controller.
fn made_safe(c: char) -> char {
    match c {
        '!' | '?' => '.',
        '~' | '\u{2013}' | '\u{2014}' => '-',
        '\t' | '\u{a0}' => ' ',
        '\u{2018}' | '\u{2019}' | '\u{b4}' => '\'',
        '\u{201c}'..='\u{201e}' => '"',
        c if is_safe(c) => c,
        _ => '_',
    }
}

/// Printable ASCII that no firmware takes out of the stream.
const fn is_safe(c: char) -> bool {
    matches!(c, ' '..='}') && !matches!(c, '!' | '?')
}

fn forbidden(c: char, index: usize) -> LineError {
    let (found, why) = match c {
        '\n' => ("a line feed".to_owned(), "ends the line; send one line at a time"),
        '\r' => ("a carriage return".to_owned(), "ends the line; send one line at a time"),
        '!' => ("`!`".to_owned(), "is a feed hold wherever it stands; remove it"),
        '?' => ("`?`".to_owned(), "is a status request wherever it stands; remove it"),
        '~' => ("`~`".to_owned(), "resumes motion wherever it stands; remove it"),
        '\t' => ("a tab".to_owned(), "cannot be part of a setting; use a blank"),
        c if c.is_ascii() => {
            (format!("control byte 0x{:02X}", u32::from(c)), "may be a command to the controller; remove it")
        }
        c if c.is_control() => {
            (format!("U+{:04X}", u32::from(c)), "may be a command to the controller; only ASCII can be sent")
        }
        c => (
            format!("`{c}` (U+{:04X})", u32::from(c)),
            "may be a command to the controller; only ASCII can be sent outside of comments",
        ),
    };
    LineError::Forbidden { found, column: index + 1, why }
}

fn check_length(text: &str, firmware: Option<Firmware>) -> Result<(), LineError> {
    // Grbl counts what is left of blanks and comments; the others count every character.
    let grbl = || (gcode::collapse(text).len(), GRBL_MAX, "Grbl");
    let fluidnc = (text.len(), FLUIDNC_MAX, "FluidNC");
    let grblhal = (text.len(), GRBLHAL_MAX, "grblHAL");
    let counts = match firmware {
        Some(Firmware::Grbl) => [grbl(), grblhal],
        Some(Firmware::FluidNc) => [fluidnc; 2],
        Some(Firmware::GrblHal) => [grblhal; 2],
        None => [grbl(), fluidnc],
    };
    match counts.into_iter().find(|(length, limit, _)| length > limit) {
        Some((length, limit, firmware)) => Err(LineError::TooLong { length, limit, firmware }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Option<Firmware>; 4] = [None, Some(Firmware::Grbl), Some(Firmware::FluidNc), Some(Firmware::GrblHal)];

    fn on(firmware: Firmware, text: &str) -> Line {
        Line::new(text, Some(firmware)).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn refusal(text: &str, firmware: Option<Firmware>) -> String {
        Line::new(text, firmware).expect_err(text).to_string()
    }

    #[test]
    fn a_line_stays_as_typed() {
        for text in ["G1 X10 Y-2.5 F600", "g0x1", "$J=G91 G21 X1 F100", "$Hostname=Mill 2", "$N0=G54 (home)", "%"] {
            assert_eq!(on(Firmware::FluidNc, text).as_str(), text);
        }
        let line = on(Firmware::Grbl, "\t G0\tX1  ");
        assert_eq!((line.as_str(), line.wire_len(), line.to_string()), ("G0 X1", 6, "G0 X1".to_owned()));
        assert_eq!((Line::empty().as_str(), Line::empty().wire_len()), ("", 1));
    }

    #[test]
    fn comments_go_with_what_they_hold() {
        for (text, left) in [
            ("G1 X1 (don't stop!) Y1", "G1 X1  Y1"),
            ("G1 X1 ; faster? ~ \u{2018}é", "G1 X1"),
            ("G1 (open to the end!", "G1"),
            ("(a;b) G1 (c(d) X1", "G1  X1"),
            ("(only words)", ""),
        ] {
            for firmware in ALL {
                assert_eq!(Line::new(text, firmware).map(|l| l.as_str().to_owned()), Ok(left.to_owned()), "{text}");
            }
        }
    }

    #[test]
    fn messages_stay_where_a_firmware_prints_them() {
        let text = "M0 (MSG,Change the tool! Ready? caf\u{e9} \u{2018}5~6\u{2019})";
        assert_eq!(on(Firmware::GrblHal, text).as_str(), "M0 (MSG,Change the tool. Ready. caf_ '5-6')");
        assert_eq!(on(Firmware::Grbl, text).as_str(), "M0");
        assert_eq!(on(Firmware::FluidNc, "(print, X=#1)(x)(DEBUG,a)").as_str(), "(print, X=#1)(DEBUG,a)");
        assert_eq!(on(Firmware::FluidNc, "(MSG,open").as_str(), "");
        assert_eq!(on(Firmware::FluidNc, "(MESSAGE)").as_str(), "");
    }

    #[test]
    fn a_setting_keeps_its_parentheses() {
        let text = r"$Start/Message=Grbl \V [FluidNC \B (\X) \H];";
        assert_eq!(on(Firmware::FluidNc, text).as_str(), text);
    }

    #[test]
    fn characters_that_act_are_refused_by_name_and_place() {
        for (text, expected) in [
            ("G1 X1!", "column 6: `!` is a feed hold"),
            ("?", "column 1: `?` is a status request"),
            ("G1 (x) ~", "column 8: `~` resumes motion"),
            ("G1\nG2", "column 3: a line feed ends the line; send one line at a time"),
            ("(a\rb)", "column 3: a carriage return ends the line"),
            ("G1\u{18}", "column 3: control byte 0x18 may be a command"),
            ("G1 X\u{7f}", "column 5: control byte 0x7F"),
            ("G1 \u{b4}", "column 4: `\u{b4}` (U+00B4) may be a command to the controller; only ASCII"),
            ("(\u{e9}) \u{85}", "column 5: U+0085"),
            ("$Hostname=m\u{fc}hle", "column 12: `\u{fc}` (U+00FC)"),
            ("  $N0=G54!", "column 10: `!`"),
            ("$Hostname=a\tb", "column 12: a tab cannot be part of a setting"),
        ] {
            let said = refusal(text, Some(Firmware::FluidNc));
            assert!(said.starts_with(expected), "{text:?}: {said}");
        }
    }

    #[test]
    fn a_line_is_as_long_as_its_firmware_takes() {
        let spaced = |n: usize| format!("G1 {}", "X".repeat(n - 2));
        assert!(Line::new(&spaced(79), Some(Firmware::Grbl)).is_ok());
        assert_eq!(
            refusal(&spaced(80), Some(Firmware::Grbl)),
            "the line has 80 characters and Grbl takes 79; split it or shorten it"
        );
        let raw = |n: usize| format!("$J=X1{}", " ".repeat(n - 7)) + "F9";
        for (firmware, limit) in [(Firmware::FluidNc, 127), (Firmware::GrblHal, 255)] {
            assert_eq!(on(firmware, &raw(limit)).as_str().len(), limit);
            assert!(refusal(&raw(limit + 1), Some(firmware)).contains(&format!("{firmware} takes {limit}")));
        }
        assert!(refusal(&raw(128), None).contains("FluidNC takes 127"));
        assert!(refusal(&spaced(80), None).contains("Grbl takes 79"));
    }

    #[test]
    fn a_jog_without_an_axis_is_refused_in_every_spelling() {
        for text in [
            "$J=G91 F100",
            "$j=g91f100",
            " $ J = G91 F100",
            "$J=G91 (X1) F100",
            "$J=G91 F100 ;X1",
            "$J=",
            "$J=X F100",
            "$Jog=G91 F100",
            "[J]G91 F100",
            "[ jog ]G91 F100",
            "/$J=G91F100",
            "$/J=G91F100",
            "(X1)$J=G91 F100",
            "$(X1)J=G91 F100",
            "(MSG,X1)$J=G91 F100",
        ] {
            for firmware in ALL {
                assert_eq!(Line::new(text, firmware), Err(LineError::JogWithoutAxis), "{text} on {firmware:?}");
            }
        }
        for text in ["$J=G91 X1 F100", "$j=g91y-.5f100", "$ J = G91 Z 1 F100", "[J]A10 F100"] {
            assert!(on(Firmware::FluidNc, text).is_jog(), "{text}");
        }
    }

    #[test]
    fn kinds_and_what_follows_from_them() {
        let gcode = |may_move, dwell| LineKind::GCode { may_move, dwell };
        for (text, kind, dollar, moves) in [
            ("", LineKind::Empty, false, false),
            ("G1 X1", gcode(true, false), false, true),
            ("G4 P1", gcode(false, true), false, false),
            ("G10 L20 P0 X0", gcode(false, false), false, false),
            ("$J=X1F1", LineKind::Jog, true, true),
            ("$H", LineKind::Home, true, true),
            ("$x", LineKind::Unlock, true, false),
            ("$SD/Run=a.nc", LineKind::OtherDollar, true, true),
            ("/$X", LineKind::Unlock, true, false),
            ("(MSG,x) $H", LineKind::Home, true, true),
        ] {
            let line = on(Firmware::FluidNc, text);
            assert_eq!((line.kind(), line.is_dollar(), line.may_move()), (kind, dollar, moves), "{text}");
        }
    }

    #[test]
    fn permanent_memory_and_waiting_are_told() {
        for text in ["$110=500", "$N0=", "$RST=#", "$I=x", "G10 L2 P1 X0", "G28.1"] {
            assert!(on(Firmware::Grbl, text).writes_eeprom(), "{text}");
        }
        for text in ["$$", "$#", "$I", "$N", "G54", "G28"] {
            let line = on(Firmware::Grbl, text);
            assert!(line.touches_eeprom() && !line.writes_eeprom(), "{text}");
        }
        assert!(!on(Firmware::Grbl, "G1 X1").touches_eeprom());
        for (text, waits) in [("$H", true), ("$$", true), ("$G", false), ("$J=X1F1", false), ("G1 X1", false)] {
            let line = on(Firmware::FluidNc, text);
            assert_eq!(line.waits_for_motion_end(Firmware::FluidNc), waits, "{text}");
            assert!(!line.waits_for_motion_end(Firmware::Grbl) && !line.waits_for_motion_end(Firmware::GrblHal));
        }
    }

    fn firmwares() -> impl Strategy<Value = Option<Firmware>> {
        proptest::sample::select(ALL.to_vec())
    }

    /// Texts rich in what matters: commands, comments, forbidden characters.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            r"[ -~]{0,6}",
            r"\PC{0,3}",
            proptest::sample::select(vec![
                "$J=", "$", "[J]", "(MSG,", "(", ")", ";", "G91", "X1", "F9", "!", "\n", "\t", "\u{85}", "/", " ",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_line_holds_what_may_not_go_out(text in texts(), firmware in firmwares()) {
            let Ok(line) = Line::new(&text, firmware) else { return Ok(()) };
            for byte in line.as_str().bytes() {
                prop_assert!((0x20..0x7F).contains(&byte) && !b"!?~".contains(&byte), "{byte:#x} in {line}");
            }
            let (length, limit) = match firmware {
                Some(Firmware::Grbl) | None => (gcode::collapse(line.as_str()).len(), 79),
                Some(Firmware::FluidNc) => (line.as_str().len(), 127),
                Some(Firmware::GrblHal) => (line.as_str().len(), 255),
            };
            prop_assert!(length <= limit && line.wire_len() <= 256);
            if line.is_jog() {
                prop_assert!(gcode::has_axis_word(&gcode::collapse(line.as_str())), "{line}");
            }
        }

        #[test]
        fn a_line_made_from_a_line_is_the_same(text in texts(), firmware in firmwares()) {
            let Ok(line) = Line::new(&text, firmware) else { return Ok(()) };
            prop_assert_eq!(Line::new(line.as_str(), firmware), Ok(line));
        }
    }
}
