//! What is sent so that a program can begin in its middle: the modal state that its earlier lines would have made, and a careful
//! way to the place where the tool would be.
//!
//! The order is that of safety: units and distances, Z up, across, the spindle at speed, coolant, down at feed; and last the
//! modes of the program, so that the lines that follow mean what they always meant.

use std::fmt::Write as _;

use super::dialect::Dialect;
use super::modal::{G92, Modal};
use super::motion::Motion;
use super::tracker::{Sink, Tracker};
use super::vocabulary::{Distance, FeedMode, MotionMode, Spindle, ToolLength, Units, number_of};
use super::{Block, RawLine};
use crate::model::axes::{LETTERS, MAX_AXES};
use crate::model::program::ask::Preamble;
use crate::model::program::report::Problem;
use crate::model::quantity::number;

/// Lines of the program that are shown behind the preamble.
const THEN: usize = 5;
/// Feed of the way down where the program has named none, in mm/min.
const CAREFUL_MM_MIN: f64 = 100.0;
const Z: usize = 2;

/// The machine, as far as a start in the middle depends on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Here {
    /// Where Z is lifted to, in machine coordinates (mm); `Ok(None)`: it is there. `Err`: why no safe height is known.
    pub safe_z_mm: Result<Option<f64>, String>,
    /// Present Z in work coordinates, in mm.
    pub work_z_mm: Option<f64>,
    /// A G92 shift is in force in the controller.
    pub g92_in_force: bool,
    /// How long a spindle needs to come to speed, in seconds.
    pub warm_up_s: f64,
}

/// Reads a program up to the line to begin at.
#[derive(Debug)]
pub struct Approach {
    tracker: Tracker,
    block: Box<Block>,
    line: u64,
    then: Vec<String>,
    /// The line relies on the motion mode from before.
    relies_on_motion: bool,
    seen: bool,
}

/// Nothing of what passes by is wanted.
struct Deaf;

impl Sink for Deaf {
    fn motion(&mut self, _line: u64, _motion: &Motion) {}
    fn problem(&mut self, _problem: Problem) {}
}

impl Approach {
    /// To `line`, counted from 1.
    pub fn new(dialect: Dialect, line: u64) -> Self {
        let tracker = Tracker::new(dialect);
        Self { tracker, block: Box::default(), line, then: Vec::new(), relies_on_motion: false, seen: false }
    }

    /// The next line of the file. `false`: no more are needed.
    pub fn line(&mut self, line: RawLine<'_>) -> bool {
        if line.number < self.line {
            self.block.parse(line.bytes);
            self.tracker.apply(line, &self.block, &mut Deaf);
            return true;
        }
        if !self.seen {
            self.block.parse(line.bytes);
            let moves = LETTERS.iter().any(|letter| self.block.has(*letter as u8));
            let names = self
                .block
                .g()
                .iter()
                .any(|code| matches!(code, 0 | 10 | 20 | 30 | 50 | 51 | 330 | 382..=385 | 730 | 760 | 800..=899));
            // Lines without words wait for one that has some.
            self.seen = !self.block.words().is_empty();
            self.relies_on_motion |= moves && !names;
        }
        self.then.push(String::from_utf8_lossy(line.bytes).into_owned());
        self.then.len() < THEN || !self.seen
    }

    /// What is in force before the line.
    pub const fn modal(&self) -> &Modal {
        self.tracker.modal()
    }

    /// The preamble.
    ///
    /// # Errors
    /// Why it cannot begin at this line, and what to do.
    pub fn preamble(&self, here: &Here) -> Result<Preamble, String> {
        if self.then.is_empty() {
            return Err(format!("the program has no line {}: choose an earlier one", self.line));
        }
        if let Some(end) = self.tracker.ended() {
            return Err(format!("the program ends at line {end}: choose an earlier line"));
        }
        let mut making = Making {
            modal: self.modal(),
            dialect: self.tracker.dialect(),
            here,
            lines: Vec::new(),
            warnings: Vec::new(),
        };
        making.must_be_possible(self.line, self.relies_on_motion)?;
        making.all()?;
        let Making { lines, warnings, .. } = making;
        Ok(Preamble { line: self.line, lines, then: self.then.iter().take(THEN).cloned().collect(), warnings })
    }
}

struct Making<'a> {
    modal: &'a Modal,
    dialect: &'a Dialect,
    here: &'a Here,
    lines: Vec<String>,
    warnings: Vec<String>,
}

impl Making<'_> {
    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// States that no preamble can bring back.
    fn must_be_possible(&self, line: u64, relies_on_motion: bool) -> Result<(), String> {
        let modal = self.modal;
        let no = |why: &str| Err(format!("cannot begin at line {line}: {why}"));
        if modal.g92 == G92::Set && !self.here.g92_in_force {
            return no(
                "the program shifts its zero by G92 before it, and the shift died in a reset: begin before that G92",
            );
        }
        if modal.scaling == Some(true) || modal.diameter == Some(true) || modal.constant_surface_speed == Some(true) {
            return no("scaling, diameter mode or constant surface speed is on there: begin at an earlier line");
        }
        let plain = matches!(modal.motion, None | Some(MotionMode::Rapid | MotionMode::Linear));
        if relies_on_motion && !plain {
            return no(
                "it goes on with an arc or a cycle that an earlier line began: begin at a line that names its own G-code",
            );
        }
        if relies_on_motion && modal.motion.is_none() {
            return no("it names no motion (G0, G1 …), and no line before it does: begin at an earlier line");
        }
        Ok(())
    }

    fn all(&mut self) -> Result<(), String> {
        let modal = self.modal;
        self.say("G21 G90 G94");
        if let Some(system) = modal.system {
            let system = Modal { system: Some(system), ..Modal::default() };
            for word in system.words() {
                self.say(word);
            }
        }
        self.tool_length();
        self.up()?;
        self.across();
        let laser = self.dialect.laser;
        if laser {
            self.say("M5");
        } else {
            self.spindle();
        }
        self.coolant();
        self.down();
        self.modes();
        if laser {
            self.spindle();
        }
        self.remarks();
        Ok(())
    }

    fn tool_length(&mut self) {
        match self.modal.tool_length {
            None | Some(ToolLength::Cancelled) => {}
            Some(ToolLength::Table(tool)) => {
                let tool = tool.map(|tool| format!(" H{tool}")).unwrap_or_default();
                self.say(format!("G43{tool}"));
            }
            Some(ToolLength::Dynamic) => {
                let mut line = "G43.1".to_owned();
                for (letter, mm) in LETTERS.iter().zip(self.modal.tool_offset_mm).filter(|(_, mm)| *mm != 0.0) {
                    let _ = write!(line, " {letter}{}", number(mm));
                }
                let line = if line == "G43.1" { "G43.1 Z0".to_owned() } else { line };
                self.say(line);
            }
        }
    }

    fn place(&self, axis: usize) -> Option<f64> {
        let place = &self.modal.place;
        (place.known & (1 << axis) != 0).then(|| place.work[axis])
    }

    fn up(&mut self) -> Result<(), String> {
        match &self.here.safe_z_mm {
            Ok(Some(z)) => self.say(format!("G53 G0 Z{}", number(*z))),
            Ok(None) => {}
            Err(why) => {
                let needed = self.place(Z);
                match (self.here.work_z_mm, needed) {
                    (Some(z), Some(needed)) if z < needed => {
                        return Err(format!(
                            "{why}, and Z stands at {} where the program needs {}: lift it by hand first",
                            number(z),
                            number(needed)
                        ));
                    }
                    _ => self.warn(format!(
                        "{why}: the way across is made at the present height of Z. See that it is clear"
                    )),
                }
            }
        }
        Ok(())
    }

    fn across(&mut self) {
        let mut line = "G0".to_owned();
        for axis in (0..self.dialect.axes.min(MAX_AXES)).filter(|axis| *axis != Z) {
            if let Some(to) = self.place(axis) {
                let _ = write!(line, " {}{}", LETTERS[axis], number(to));
            }
        }
        if line != "G0" {
            self.say(line);
        }
    }

    fn spindle(&mut self) {
        let speed = self.modal.speed_rpm.map(|rpm| format!(" S{}", number(rpm))).unwrap_or_default();
        let code = match self.modal.spindle {
            Some(Spindle::Clockwise) => "M3",
            Some(Spindle::CounterClockwise) => "M4",
            Some(Spindle::Off) => {
                self.say(format!("M5{speed}"));
                return;
            }
            None => {
                if !speed.is_empty() {
                    self.say(speed.trim_start().to_owned());
                }
                return;
            }
        };
        self.say(format!("{code}{speed}"));
        if self.dialect.laser {
            self.warn("the laser is switched on by the last line of the preamble, as it was at this line");
            return;
        }
        self.say(format!("G4 P{}", number(self.here.warm_up_s)));
        self.warn(format!("the spindle starts ({code}{speed})"));
    }

    fn coolant(&mut self) {
        if self.modal.mist == Some(true) {
            self.say("M7");
        }
        if self.modal.flood == Some(true) {
            self.say("M8");
        }
        if self.modal.mist == Some(false) && self.modal.flood == Some(false) {
            self.say("M9");
        }
    }

    /// At feed, since nobody knows what stands there.
    fn down(&mut self) {
        let feed = self.feed_mm_min();
        if let Some(z) = self.place(Z) {
            let feed = feed.unwrap_or(CAREFUL_MM_MIN);
            self.say(format!("G1 Z{} F{}", number(z), number(feed)));
        } else if let Some(feed) = feed {
            self.say(format!("F{}", number(feed)));
        }
    }

    fn feed_mm_min(&self) -> Option<f64> {
        self.modal.feed_mm.filter(|_| matches!(self.modal.feed_mode, None | Some(FeedMode::PerMinute)))
    }

    /// The modes of the program itself.
    fn modes(&mut self) {
        let modal = self.modal;
        let modes = Modal { system: None, tool_length: None, ..modal.clone() };
        let tool_length = Modal { tool_length: modal.tool_length, ..Modal::default() };
        let mut words = modes.words();
        words.extend(tool_length.words());
        if !words.is_empty() {
            self.say(words.join(" "));
        }
        let motion = match modal.motion {
            Some(MotionMode::Rapid) => Some("G0"),
            Some(MotionMode::Linear) => Some("G1"),
            _ => None,
        };
        // G1 needs a feed on Grbl even where nothing moves; G93 wants one in each block and has none to give here.
        let may = modal.motion != Some(MotionMode::Linear) || modal.feed_mode != Some(FeedMode::InverseTime);
        if let Some(motion) = motion.filter(|_| may) {
            let per_revolution = modal.feed_mm.filter(|_| modal.feed_mode == Some(FeedMode::PerRevolution));
            let inches = modal.units == Some(Units::Inch);
            let feed = per_revolution.map(|mm| if inches { mm / crate::model::quantity::MM_PER_INCH } else { mm });
            let feed = feed.map(|feed| format!(" F{}", number(feed))).unwrap_or_default();
            self.say(format!("{motion}{feed}"));
        }
        if let Some(code) = modal.overrides {
            self.say(format!("M{}", number_of(code)));
        }
        if let Some(tool) = modal.tool.filter(|_| modal.tool != modal.tool_in_spindle) {
            self.say(format!("T{tool}"));
        }
    }

    fn remarks(&mut self) {
        if let Some(tool) = self.modal.tool_in_spindle {
            self.warn(format!("tool {tool} must be in the spindle"));
        }
        if self.modal.offsets_written {
            self.warn("the program writes work offsets by itself (G10): see that they are what it left behind");
        }
        if self.modal.distance == Some(Distance::Relative) && self.modal.place.known & 0b11 != 0b11 {
            self.warn(
                "the program counts from where it stood when it began: bring X and Y back to where it was stopped",
            );
        } else if self.modal.place.known & 0b11 != 0b11 {
            self.warn("the program has not said where X and Y are by then: they stay where they stand");
        }
        if self.place(Z).is_none() {
            self.warn("the program has not said where Z is by then: Z stays up");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::machine::Firmware;

    fn here() -> Here {
        Here { safe_z_mm: Ok(Some(-5.0)), work_z_mm: Some(20.0), g92_in_force: false, warm_up_s: 4.0 }
    }

    fn approach(dialect: &Dialect, program: &str, line: u64) -> Approach {
        let mut approach = Approach::new(dialect.clone(), line);
        for (number, text) in (1..).zip(program.lines()) {
            if !approach.line(RawLine::new(number, text.as_bytes())) {
                break;
            }
        }
        approach
    }

    fn made(program: &str, line: u64) -> Result<Preamble, String> {
        approach(&dialect(), program, line).preamble(&here())
    }

    fn dialect() -> Dialect {
        Dialect::new(Firmware::GrblHal, 4)
    }

    /// The state behind some lines, for a controller as after a reset.
    fn behind(dialect: &Dialect, lines: &[String]) -> Modal {
        let mut tracker = Tracker::new(dialect.clone());
        let mut block = Block::new();
        for (number, text) in (1..).zip(lines) {
            block.parse(text.as_bytes());
            tracker.apply(RawLine::new(number, text.as_bytes()), &block, &mut Deaf);
        }
        tracker.modal().clone()
    }

    /// What counts for the lines that follow. A group that the program has not named is as after a reset.
    fn told(modal: &Modal) -> Vec<String> {
        let places: Vec<_> =
            (0..4).map(|axis| (modal.place.known & (1 << axis) != 0).then(|| number(modal.place.work[axis]))).collect();
        vec![
            format!("plane {:?}", modal.plane.unwrap_or_default()),
            format!("units {:?}", modal.units.unwrap_or(Units::Mm)),
            format!("distance {:?}", modal.distance.unwrap_or(Distance::Absolute)),
            format!("arcs {:?}", modal.arc_distance.unwrap_or(Distance::Relative)),
            format!("feed mode {:?}", modal.feed_mode.unwrap_or(FeedMode::PerMinute)),
            format!("system {:?}", modal.system),
            format!("tool length {:?} {:?}", modal.tool_length.unwrap_or(ToolLength::Cancelled), modal.tool_offset_mm),
            format!("retract {:?}", modal.retract),
            format!("path {:?}", modal.path_control),
            format!("spindle {:?} {:?}", modal.spindle, modal.speed_rpm),
            format!("coolant {} {}", modal.mist == Some(true), modal.flood == Some(true)),
            format!("feed {:?}", modal.feed_mm),
            format!("motion {:?}", modal.motion),
            format!("overrides {:?}", modal.overrides),
            format!("place {places:?}"),
        ]
    }

    /// One row for each modal group: preamble and rest are the whole program.
    #[test]
    fn each_modal_group_is_brought_back() {
        for state in [
            "G21",
            "G20",
            "G90",
            "G91",
            "G90.1",
            "G91.1",
            "G17",
            "G18",
            "G19",
            "G93",
            "G94",
            "G95 F0.2",
            "G54",
            "G55",
            "G59",
            "G59.3",
            "G43.1 Z2.5",
            "G43 H2",
            "G49",
            "G98",
            "G99",
            "G61",
            "G61.1",
            "G64",
            "M3 S12000",
            "M4 S800",
            "M5",
            "S500",
            "M7",
            "M8",
            "M9",
            "F750",
            "G20 F30",
            "M48",
            "M49",
            "T3",
            "G91 G20 G18 G55 M4 S900 M8",
        ] {
            let program = format!("G90 G21\nG0 Z5\nG0 X10 Y20\nG1 Z-1 F300\n{state}\nG1 X1 Y1 F200\n");
            let dialect = dialect();
            let approach = approach(&dialect, &program, 6);
            let preamble = approach.preamble(&here()).unwrap_or_else(|why| panic!("{state}: {why}"));
            let made = behind(&dialect, &preamble.lines);
            let (mut wanted, mut got) = (told(approach.modal()), told(&made));
            // In G93 each block has a feed of its own, and after a change of feed mode none is known.
            if approach.modal().feed_mode == Some(FeedMode::InverseTime) {
                wanted.retain(|line| !line.starts_with("motion") && !line.starts_with("feed "));
                got.retain(|line| !line.starts_with("motion") && !line.starts_with("feed "));
            }
            assert_eq!(got, wanted, "{state}: {:?}", preamble.lines);
        }
    }

    #[test]
    fn it_goes_up_across_waits_for_the_spindle_and_comes_down_at_feed() {
        let preamble = made("G20 G90 G55\nM3 S1000\nM8\nG0 Z0.2\nG0 X1 Y2\nG1 Z-0.1 F10\nX3\nX4\n", 8).unwrap();
        let lines = [
            "G21 G90 G94",
            "G55",
            "G53 G0 Z-5",
            "G0 X76.2 Y50.8",
            "M3 S1000",
            "G4 P4",
            "M8",
            "G1 Z-2.54 F254",
            "G20 G90",
            "G1",
        ];
        assert_eq!(preamble.lines, lines);
        assert_eq!((preamble.line, preamble.then), (8, vec!["X4".to_owned()]));
        assert!(preamble.warnings.iter().any(|w| w.contains("spindle starts")), "{:?}", preamble.warnings);
    }

    #[test]
    fn a_laser_is_off_until_the_last_line() {
        let laser = Dialect { laser: true, ..Dialect::new(Firmware::Grbl, 3) };
        let approach = approach(&laser, "G21 G90\nM4 S300\nG0 X1 Y1\nG1 X2 F600\nX3\n", 5);
        let lines = approach.preamble(&here()).unwrap().lines;
        let off = lines.iter().position(|line| line == "M5").unwrap();
        let first_on = lines.iter().position(|line| line.starts_with("M4")).unwrap();
        assert!(off < first_on && first_on == lines.len() - 1, "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("G4")), "{lines:?}");
    }

    #[test]
    fn without_a_safe_height_it_says_so_or_refuses() {
        let program = "G21 G90\nG0 Z5\nG0 X1 Y1\nG1 X5 F100\n";
        let lost = Here { safe_z_mm: Err("Z is not homed".into()), ..here() };
        let approach = approach(&dialect(), program, 4);
        let preamble = approach.preamble(&lost).unwrap();
        assert!(!preamble.lines.iter().any(|line| line.contains("G53")));
        assert!(preamble.warnings.iter().any(|warning| warning.contains("Z is not homed")));
        let low = Here { work_z_mm: Some(1.0), ..lost };
        assert!(approach.preamble(&low).unwrap_err().contains("lift it by hand"));
    }

    #[test]
    fn where_it_cannot_begin_it_says_why() {
        for (program, line, why) in [
            ("G21\nG0 X1\n", 9, "no line 9"),
            ("G21\nM30\nG0 X1\n", 3, "ends at line 2"),
            ("G92 X0\nG0 X1\n", 2, "G92"),
            ("G17 G21 G90 G0 X0 Y0\nG2 X1 Y1 I1 J0 F100\nX2 Y2 I1 J0\n", 3, "arc"),
            ("G21\nX1\n", 2, "names no motion"),
        ] {
            let error = made(program, line).unwrap_err();
            assert!(error.contains(why), "{program}: {error}");
        }
        let kept = Here { g92_in_force: true, ..here() };
        assert!(approach(&dialect(), "G92 X0\nG0 X1\n", 2).preamble(&kept).is_ok());
    }
}
