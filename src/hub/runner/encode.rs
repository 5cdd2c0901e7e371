//! Lines of a program as they go out, for one firmware: what is sent, what is handled here, where somebody is asked.
//!
//! | line | Grbl | FluidNC | grblHAL |
//! |---|---|---|---|
//! | M0, M1, M60 | sent, alone: the controller holds until a cycle start | same | same |
//! | M6 | not sent (`error:20`): sunmill stops feeding, waits for rest and asks | same, since it would go on at once (logs only) | sent, alone: state `Tool` until a cycle start |
//!
//! Where the controller changes tools by itself (`tool_change = "controller"`), M6 is sent as it stands.
//! Sources: facts of the three firmwares on `M0` and `M6`, Grbl `gcode.c`, FluidNC `GCode.cpp`, grblHAL `state_machine.c`.

use crate::grbl::Line;
use crate::grbl::outputs::within_caps;
use crate::grbl::session::{ProgramItem, ProgramLine};
use crate::model::machine::Firmware;
use crate::model::outputs::Output;
use crate::model::program::Prompt;
use crate::program::block::Kind;
use crate::program::{Block, Compactor, Dialect, RawLine, Spindle, Turn};

/// Codes in tenths.
const M0: u16 = 0;
const M1: u16 = 10;
const M6: u16 = 60;
const M60: u16 = 600;
/// Characters of a comment that a prompt shows.
const SHOWN: usize = 120;

/// Who changes tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolChange {
    /// A person, asked by sunmill (or by grblHAL's own state).
    #[default]
    Ask,
    /// The controller: M6 is sent.
    Controller,
}

/// How lines are made ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) tool_change: ToolChange,
    /// Nothing moves and nobody is asked.
    pub(super) dry: bool,
    /// As short as can be.
    pub(super) compact: bool,
    /// Somebody looks whether there is power before the spindle starts.
    pub(super) guards_spindle: bool,
}

/// What becomes of one line.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sent {
    /// What somebody will be asked at it, in order.
    pub(super) prompts: Vec<Prompt>,
    /// In order; none for an empty line.
    pub(super) items: Vec<ProgramItem>,
}

/// Makes lines ready to send.
#[derive(Debug)]
pub(super) struct Encoder {
    firmware: Firmware,
    outputs: Vec<Output>,
    mode: Mode,
    block: Box<Block>,
    compactor: Compactor,
    /// The line as it goes out.
    text: String,
    /// The comment on the line before, where that is all there was.
    comment: Option<String>,
    tool: Option<u32>,
    /// As the lines that go out leave it.
    spindle: Spindle,
}

impl Encoder {
    pub(super) fn new(dialect: &Dialect, mode: Mode) -> Self {
        let compactor = Compactor::new(dialect, mode.compact);
        let (block, text) = (Box::default(), String::new());
        let outputs = dialect.outputs.clone();
        let spindle = Spindle::new(dialect.laser);
        Self { firmware: dialect.firmware, outputs, mode, block, compactor, text, comment: None, tool: None, spindle }
    }

    /// A line of a preamble, or of a program that is made up.
    pub(super) fn preamble(&mut self, text: &str, number: u64) -> Result<Sent, String> {
        let mut sent = Sent::default();
        self.block.parse(text.as_bytes());
        self.guard_spindle(number, text.as_bytes(), &mut sent);
        let line = Line::new(text, Some(self.firmware)).map_err(|why| why.to_string())?;
        sent.items.push(ProgramItem::Line(ProgramLine { number, line, asks: false }));
        Ok(sent)
    }

    /// Before a line that starts the spindle the program comes to rest, until there is power.
    fn guard_spindle(&mut self, number: u64, bytes: &[u8], sent: &mut Sent) {
        let sure = self.spindle.is_switched();
        let starts = self.spindle.starts(&self.block, bytes);
        if let Some(turn) = starts.filter(|_| self.mode.guards_spindle && !self.mode.dry) {
            let counter_clockwise = turn == Turn::CounterClockwise;
            sent.prompts.push(Prompt::SpindleStart { line: number, counter_clockwise, text: String::new(), sure });
            sent.items.push(ProgramItem::Wait { number });
        }
    }

    /// A line before the one to begin at: only what later prompts need is kept.
    pub(super) fn pass_over(&mut self, line: RawLine<'_>) {
        self.block.parse(line.bytes);
        self.remember(line);
    }

    /// A line of the file.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub(super) fn line(&mut self, line: RawLine<'_>) -> Result<Sent, String> {
        if line.is_cut() {
            return Err(format!("has {} characters, far more than any controller takes", line.length));
        }
        self.block.parse(line.bytes);
        let beside = self.remember(line);
        let mut sent = Sent::default();
        if matches!(self.block.kind(), Kind::Empty | Kind::Percent) && self.block.message().is_none() {
            return Ok(sent);
        }
        let number = line.number;
        let codes = self.block.m();
        let changes = codes.contains(&M6) && self.mode.tool_change == ToolChange::Ask;
        let waits = codes.iter().any(|code| matches!(*code, M0 | M1 | M60)) && !self.mode.dry;
        let handled = changes && self.firmware != Firmware::GrblHal;
        let asked = if changes && !self.mode.dry {
            let next = if self.only_changes() { number + 1 } else { number };
            Some(Prompt::ToolChange { line: number, tool: self.tool, text: beside, next })
        } else if waits {
            Some(Prompt::Pause { line: number, text: beside })
        } else {
            None
        };
        // In the order in which they will be met: a tool is changed before the line goes out, the others when it is there.
        let (before, behind) = if handled { (asked, None) } else { (None, asked) };
        if handled && !self.mode.dry {
            sent.items.push(ProgramItem::Wait { number });
        }
        sent.prompts.extend(before);
        self.guard_spindle(number, line.bytes, &mut sent);
        sent.prompts.extend(behind);
        self.text.clear();
        if handled {
            self.text = self.without_m6(line.bytes);
            self.compactor.reset();
        } else {
            self.compactor.line(line.bytes, &self.block, &mut self.text);
        }
        let line = Line::new(&self.text, Some(self.firmware)).map_err(|why| why.to_string())?;
        // The check says it too; this holds for a program that runs without one.
        within_caps(line.as_str(), &self.outputs).map_err(|why| why.0)?;
        if !line.as_str().is_empty() {
            let asks = waits || changes && !handled && !self.mode.dry;
            sent.items.push(ProgramItem::Line(ProgramLine { number, line, asks }));
        }
        Ok(sent)
    }

    /// Keeps what later lines need; gives the comment beside this line or on the one before.
    fn remember(&mut self, line: RawLine<'_>) -> Option<String> {
        if let Some(tool) = self.block.value(b'T').filter(|tool| *tool >= 0.0) {
            self.tool = Some(tool as u32);
        }
        let here = self.block.comment().map(|span| shown(span.of(line.bytes))).filter(|text| !text.is_empty());
        let before = self.comment.take();
        if self.block.kind() == Kind::Empty {
            self.comment.clone_from(&here);
        }
        here.or(before)
    }

    /// The line changes the tool and does nothing else.
    fn only_changes(&self) -> bool {
        self.block.words().iter().all(|word| match word.letter {
            b'N' | b'T' => true,
            b'M' => word.value == 6.0,
            _ => false,
        })
    }

    /// The words of the line but M6, as written.
    fn without_m6(&self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for word in self.block.words() {
            if word.letter == b'M' && word.value == 6.0 {
                continue;
            }
            text.push(char::from(word.letter));
            let number = &bytes[usize::from(word.start)..usize::from(word.end)];
            text.extend(number.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| char::from(*byte)));
        }
        text
    }
}

fn shown(comment: &[u8]) -> String {
    String::from_utf8_lossy(comment).trim().chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder(firmware: Firmware, mode: Mode) -> Encoder {
        Encoder::new(&Dialect::new(firmware, 3), mode)
    }

    fn encoded(firmware: Firmware, tool_change: ToolChange, lines: &[&str]) -> Vec<(String, bool)> {
        let mut encoder = encoder(firmware, Mode { tool_change, ..Mode::default() });
        let mut all = Vec::new();
        for (number, text) in (1..).zip(lines) {
            let sent = encoder.line(RawLine::new(number, text.as_bytes())).unwrap();
            all.extend(sent.items.into_iter().map(|item| match item {
                ProgramItem::Line(line) => (line.line.as_str().to_owned(), line.asks),
                ProgramItem::Wait { number } => (format!("wait {number}"), true),
                other => panic!("{other:?}"),
            }));
        }
        all
    }

    fn texts(items: &[(String, bool)]) -> Vec<(&str, bool)> {
        items.iter().map(|(text, asks)| (text.as_str(), *asks)).collect()
    }

    #[test]
    fn nothing_is_sent_for_lines_without_words() {
        let lines = ["%", "", "   ", "(a comment)", "; another", "G21"];
        assert_eq!(texts(&encoded(Firmware::Grbl, ToolChange::Ask, &lines)), [("G21", false)]);
    }

    #[test]
    fn a_tool_change_is_handled_as_the_table_says() {
        let lines = ["T2", "M6", "G0X1 m06 T3", "M0"];
        let here = [("T2", false), ("wait 2", true), ("wait 3", true), ("G0X1T3", false), ("M0", true)];
        assert_eq!(texts(&encoded(Firmware::Grbl, ToolChange::Ask, &lines)), here);
        assert_eq!(texts(&encoded(Firmware::FluidNc, ToolChange::Ask, &lines)), here);
        let there = [("T2", false), ("M6", true), ("G0X1 m06 T3", true), ("M0", true)];
        assert_eq!(texts(&encoded(Firmware::GrblHal, ToolChange::Ask, &lines)), there);
        let sent = [("T2", false), ("M6", false), ("G0X1 m06 T3", false), ("M0", true)];
        assert_eq!(texts(&encoded(Firmware::FluidNc, ToolChange::Controller, &lines)), sent);
    }

    #[test]
    fn a_prompt_says_tool_and_comment() {
        let mut encoder = encoder(Firmware::Grbl, Mode::default());
        let mut prompt =
            |number, text: &str| encoder.line(RawLine::new(number, text.as_bytes())).unwrap().prompts.pop();
        assert_eq!(
            prompt(1, "T4 M6 (6 mm ball)"),
            Some(Prompt::ToolChange { line: 1, tool: Some(4), text: Some("6 mm ball".to_owned()), next: 2 })
        );
        assert_eq!(prompt(2, "(turn the part)"), None);
        assert_eq!(prompt(3, "M0"), Some(Prompt::Pause { line: 3, text: Some("turn the part".to_owned()) }));
        assert_eq!(prompt(4, "M0"), Some(Prompt::Pause { line: 4, text: None }));
        let more = prompt(5, "G0 X1 M6");
        assert_eq!(more, Some(Prompt::ToolChange { line: 5, tool: Some(4), text: None, next: 5 }), "it moves too");
    }

    #[test]
    fn no_line_goes_above_the_cap_of_an_output() {
        let fan = Output { name: "fan".into(), pin: crate::model::outputs::OutputPin::Analog(0), max: 60.0 };
        let dialect = Dialect::new(Firmware::FluidNc, 3).with_outputs(&[fan]);
        let mut encoder = Encoder::new(&dialect, Mode { compact: true, ..Mode::default() });
        assert!(encoder.line(RawLine::new(1, b"M68 E0 Q60")).is_ok());
        for line in ["M68 E0 Q61", "G1 X1 F100 M67 E0 Q100", "M68 E0 Q#1", "M68 E#2 Q1"] {
            let why = encoder.line(RawLine::new(2, line.as_bytes())).unwrap_err();
            assert!(why.contains("config.toml"), "{line}: {why}");
        }
    }

    const CHECK: Mode = Mode { tool_change: ToolChange::Ask, dry: true, compact: false, guards_spindle: true };

    #[test]
    fn lines_are_shortened_where_that_is_wanted() {
        let mut encoder = encoder(Firmware::Grbl, Mode { compact: true, ..Mode::default() });
        let mut sent = |text: &str| match &encoder.line(RawLine::new(1, text.as_bytes())).unwrap().items[..] {
            [ProgramItem::Line(line)] => line.line.as_str().to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(sent("N10 G94 G01 X1.500 Y+2.0 F600 (cut)"), "G94G1X1.5Y2F600");
        assert_eq!(sent("G01 X3.0 Y4.0 F600"), "X3Y4");
    }

    #[test]
    fn check_mode_asks_nobody() {
        let sent = encoder(Firmware::GrblHal, CHECK).line(RawLine::new(1, b"T1 M6")).unwrap();
        assert!(sent.prompts.is_empty() && matches!(&sent.items[..], [ProgramItem::Line(line)] if !line.asks));
        let sent = encoder(Firmware::Grbl, CHECK).line(RawLine::new(1, b"T1 M6")).unwrap();
        assert!(matches!(&sent.items[..], [ProgramItem::Line(line)] if line.line.as_str() == "T1"));
    }

    #[test]
    fn the_program_rests_before_the_spindle_starts_where_that_is_guarded() {
        let mut encoder = encoder(Firmware::FluidNc, Mode { guards_spindle: true, ..Mode::default() });
        let mut kinds = |number, text: &str| {
            let sent = encoder.line(RawLine::new(number, text.as_bytes())).unwrap();
            let items = sent.items.iter().map(|item| match item {
                ProgramItem::Wait { .. } => 'w',
                ProgramItem::Line(line) if line.asks => 'a',
                _ => 'l',
            });
            let prompts = sent.prompts.iter().map(|prompt| match prompt {
                Prompt::SpindleStart { sure: true, .. } => 'S',
                Prompt::SpindleStart { .. } => 's',
                Prompt::ToolChange { .. } => 't',
                _ => 'p',
            });
            (items.collect::<String>(), prompts.collect::<String>())
        };
        assert_eq!(kinds(1, "M3 S0"), ("l".into(), String::new()));
        assert_eq!(kinds(2, "G1 X1 F100 S900"), ("wl".into(), "S".into()));
        assert_eq!(kinds(3, "M3 S1000"), ("l".into(), String::new()));
        assert_eq!(kinds(4, "M5 M0"), ("a".into(), "p".into()));
        // One after the other, in the order in which they are met.
        assert_eq!(kinds(5, "T2 M6 M3"), ("wwl".into(), "tS".into()));
        assert_eq!(kinds(6, "M4 M0"), ("wa".into(), "Sp".into()));
        let mut dry = Encoder::new(&Dialect::new(Firmware::Grbl, 3), CHECK);
        assert_eq!(dry.line(RawLine::new(1, b"M3 S1000")).unwrap().items.len(), 1);
        let preamble = dry.preamble("M3 S1000", 0).unwrap();
        assert!(preamble.prompts.is_empty(), "nothing turns in check mode");
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        let mut encoder = encoder(Firmware::Grbl, Mode::default());
        let long = "G1X1".repeat(40);
        for (line, why) in
            [(long.as_bytes(), "79"), (b"G1X1!".as_slice(), "feed hold"), (b"G1\xc3X1".as_slice(), "U+FFFD")]
        {
            let error = encoder.line(RawLine::new(1, line)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let cut = RawLine { number: 1, bytes: b"G1", length: 5_000_000 };
        assert!(encoder.line(cut).unwrap_err().contains("5000000"));
    }
}
