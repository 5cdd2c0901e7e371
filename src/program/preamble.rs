//! What is sent so that a program can begin in its middle: the modal state that its earlier lines would have made, and a careful
//! way to the place where the tool would be.
//!
//! The order is that of safety: units and distances, Z up, across, the spindle at speed, coolant, down at feed; and last the
//! modes of the program, so that the lines that follow mean what they always meant.

use std::fmt::Write as _;

use super::dialect::Dialect;
use super::left::{Deaf, Left, Zeros, restoring};
use super::modal::{G92, Modal};
use super::tracker::Tracker;
use super::vocabulary::{Distance, FeedMode, MotionMode, Spindle, ToolLength, Units, number_of};
use super::{Block, RawLine};
use crate::model::axes::{Axis, AxisVec, LETTERS, MAX_AXES};
use crate::model::program::ask::Preamble;
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
    /// Its zeros.
    pub zeros: Zeros,
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
    left: Option<Left>,
    /// The last line that touched the G92 shift.
    g92: u64,
    /// Where it is to begin: what is in force there.
    there: Option<There>,
    /// What was in force when the journal's offsets were reported, and the last line by then that touched the shift.
    by_then: Option<(Modal, u64)>,
}

/// Before the line.
#[derive(Clone, Debug)]
struct There {
    modal: Modal,
    ended: Option<u64>,
    g92: u64,
}

impl Approach {
    /// To `line`, counted from 1, of a run that left this behind.
    pub fn new(dialect: Dialect, line: u64, left: Option<Left>) -> Self {
        let modal = left.as_ref().map(|left| left.modal(&dialect)).unwrap_or_default();
        let by_then = left.as_ref().filter(|left| left.line == 0).map(|_| (modal.clone(), 0));
        Self {
            tracker: Tracker::resumed(dialect, modal),
            block: Box::default(),
            line,
            then: Vec::new(),
            relies_on_motion: false,
            seen: false,
            left,
            g92: 0,
            there: None,
            by_then,
        }
    }

    /// The next line of the file. `false`: no more are needed.
    pub fn line(&mut self, line: RawLine<'_>) -> bool {
        let told_at = self.left.as_ref().map_or(0, |left| left.line);
        if line.number >= self.line {
            self.behind(line);
        }
        if line.number < self.line || line.number <= told_at {
            self.block.parse(line.bytes);
            if self.block.g().iter().any(|code| matches!(code, 920..=923)) {
                self.g92 = line.number;
            }
            self.tracker.apply(line, &self.block, &mut Deaf);
        }
        if line.number == told_at {
            self.by_then = Some((self.tracker.modal().clone(), self.g92));
        }
        line.number < self.line || line.number < told_at || self.then.len() < THEN || !self.seen
    }

    /// From the line on where it is to begin.
    fn behind(&mut self, line: RawLine<'_>) {
        if self.there.is_none() {
            let (modal, ended) = (self.tracker.modal().clone(), self.tracker.ended());
            self.there = Some(There { modal, ended, g92: self.g92 });
        }
        if self.then.len() >= THEN && self.seen {
            return;
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
    }

    /// What is in force before the line.
    pub fn modal(&self) -> &Modal {
        self.there.as_ref().map_or(self.tracker.modal(), |there| &there.modal)
    }

    /// The shift that was in force before the line, as the journal tells it. `None`: it does not.
    fn shift(&self) -> Option<AxisVec> {
        let (modal, g92) = self.by_then.as_ref()?;
        let same_shift = self.there.as_ref()?.g92 == *g92 && !self.tracker.modal().offsets_written;
        self.left.as_ref().filter(|_| same_shift)?.shift(modal)
    }

    /// The preamble.
    ///
    /// # Errors
    /// Why it cannot begin at this line, and what to do.
    pub fn preamble(&self, here: &Here) -> Result<Preamble, String> {
        if self.then.is_empty() {
            return Err(format!("the program has no line {}: choose an earlier one", self.line));
        }
        if let Some(end) = self.there.as_ref().and_then(|there| there.ended) {
            return Err(format!("the program ends at line {end}: choose an earlier line"));
        }
        let mut making = Making {
            modal: self.modal(),
            dialect: self.tracker.dialect(),
            here,
            left: self.left.as_ref(),
            shift: self.shift(),
            z_mm: here.work_z_mm,
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
    left: Option<&'a Left>,
    /// The G92 shift that was in force there, where the journal tells it.
    shift: Option<AxisVec>,
    /// What Z reads, once the lines so far are carried out.
    z_mm: Option<f64>,
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
        if modal.g92 == G92::Set && !self.here.zeros.has_shift() && self.shift.is_none() {
            return no(
                "the program shifts its zero by G92 before it, the shift died in a reset, and the journal does not tell \
                 it for certain: begin before that G92",
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
        self.zero_shift()?;
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

    /// A tool length that is in force now was set since the reset: for the tool that is in the spindle now.
    fn measured(&self) -> Option<&AxisVec> {
        let now = self.here.zeros.tool_length.as_ref().filter(|length| length.norm() > 0.0)?;
        let table = matches!(self.modal.tool_length, Some(ToolLength::Table(_)));
        let same = || {
            let known = &self.modal.tool_offset_mm[..now.len()];
            now.as_slice().iter().zip(known).all(|(now, known)| (now - known).abs() < 0.001)
        };
        (!table && !(self.modal.tool_length == Some(ToolLength::Dynamic) && same())).then_some(now)
    }

    fn tool_length(&mut self) {
        if let Some(length) = self.measured() {
            let z = number(length.get(Axis::Z).unwrap_or_default());
            let text =
                format!("the tool length that is set now (Z {z}) stays in force: it goes before that of the program");
            return self.warn(text);
        }
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

    /// The G92 shift, set again where the machine stands: with the right position that gives the same zero as before.
    fn zero_shift(&mut self) -> Result<(), String> {
        let (modal, now) = (self.modal, &self.here.zeros);
        let cleared = modal.g92 == G92::Cleared;
        if cleared && now.has_shift() {
            self.say("G92.1");
            return Ok(());
        }
        let (Some(mut wanted), Some(left), false) = (self.shift, self.left, cleared) else { return Ok(()) };
        let number = modal.system.or(now.active).unwrap_or(1);
        let system = now.systems.get(usize::from(number) - 1).copied().flatten();
        let system =
            system.ok_or("the work coordinate systems of the controller are not known: wait until it has told them")?;
        for axis in left.set_anew(number, now) {
            if wanted.get(axis).is_some_and(|shift| shift != 0.0) {
                self.warn(format!(
                    "{axis} was zeroed anew since it stopped: it keeps that zero, and its G92 shift is not set again"
                ));
                wanted.set(axis, 0.0);
            }
        }
        let length = match modal.tool_length {
            Some(ToolLength::Dynamic) if self.measured().is_none() => {
                AxisVec::from_slice(&modal.tool_offset_mm[..wanted.len()])
            }
            Some(ToolLength::Table(_)) => return Ok(()),
            _ => now.tool_length.unwrap_or_else(|| AxisVec::zeros(wanted.len())),
        };
        let Some(line) = restoring(&wanted, &system, &length, now)? else { return Ok(()) };
        self.z_mm = now.machine_position.and_then(|here| {
            let of = |vector: &AxisVec| vector.get(Axis::Z).unwrap_or_default();
            Some(here.get(Axis::Z)? - of(&system) - of(&length) - of(&wanted))
        });
        self.warn(format!(
            "the G92 shift that died in the reset is set again where the machine stands now ({line}): right only if its position is"
        ));
        self.say(line);
        Ok(())
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
                match (self.z_mm, needed) {
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
        let tool_length = modal.tool_length.filter(|_| self.measured().is_none());
        let tool_length = Modal { tool_length, ..Modal::default() };
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
        if self.modal.spindle.is_none() && self.left.is_some_and(Left::spindle_was_on) {
            self.warn(
                "the spindle was on when the program began, and the program does not start it: start it yourself",
            );
        }
        if self.modal.outputs_switched {
            self.warn("the program switches outputs before it (M62 to M68): see that they are as it wants them");
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
        Here { safe_z_mm: Ok(Some(-5.0)), work_z_mm: Some(20.0), zeros: Zeros::default(), warm_up_s: 4.0 }
    }

    fn approach(dialect: &Dialect, program: &str, line: u64) -> Approach {
        left(dialect, program, line, None)
    }

    fn left(dialect: &Dialect, program: &str, line: u64, left: Option<Left>) -> Approach {
        let mut approach = Approach::new(dialect.clone(), line, left);
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
        let zeros = Zeros { g92: Some(AxisVec::from_slice(&[1.0, 0.0, 0.0])), ..Zeros::default() };
        let kept = Here { zeros, ..here() };
        assert!(approach(&dialect(), "G92 X0\nG0 X1\n", 2).preamble(&kept).is_ok());
    }

    /// A machine at −100, −50, −10 whose G55 lies at −90, −40, −30.
    fn zeros() -> Zeros {
        let mut zeros = Zeros {
            active: Some(1),
            machine_position: Some(AxisVec::from_slice(&[-100.0, -50.0, -10.0])),
            tool_length: Some(AxisVec::zeros(3)),
            ..Zeros::default()
        };
        zeros.systems[0] = Some(AxisVec::zeros(3));
        zeros.systems[1] = Some(AxisVec::from_slice(&[-90.0, -40.0, -30.0]));
        zeros
    }

    /// What a run behind a G92 that shifts X by 5 and Z by −2 leaves, with offsets reported at this line.
    fn behind_g92(line: u64) -> Left {
        Left {
            modal: ["G54", "G17", "G21", "G90", "G94"].map(str::to_owned).to_vec(),
            work_offset: Some(AxisVec::from_slice(&[-85.0, -40.0, -32.0])),
            line,
            systems: zeros().systems,
            tool_length_mm: None,
        }
    }

    const SHIFTED: &str = "G21 G90 G55\nG0 X0 Y0 Z0\nG92 X10 Z2\nG0 X1 Y2\nG1 Z-1 F300\nX5\nG92 X0\nX6\n";

    #[test]
    fn a_g92_that_died_is_set_again_where_the_machine_stands() {
        let here = Here { zeros: zeros(), ..here() };
        let grbl = Dialect::new(Firmware::Grbl, 3);
        let told = |line, by_then: Left, here: &Here| left(&grbl, SHIFTED, line, Some(by_then)).preamble(here);
        let preamble = told(6, behind_g92(6), &here).unwrap();
        assert_eq!(preamble.lines[..4], ["G21 G90 G94", "G55", "G92 X-15 Z22", "G53 G0 Z-5"], "{:?}", preamble.lines);
        assert!(preamble.warnings.iter().any(|warning| warning.contains("right only if its position is")));
        // Behind another G92 than the one whose shift was told, or before it, nobody knows.
        for (line, by_then) in [(8, 6), (6, 7), (6, 2)] {
            let why = told(line, behind_g92(by_then), &here).unwrap_err();
            assert!(why.contains("begin before that G92"), "{line} {by_then}: {why}");
        }
        // Before the first one there is nothing to restore.
        let lines = told(3, behind_g92(6), &here).unwrap().lines;
        assert!(lines.iter().all(|line| !line.starts_with("G92")), "{lines:?}");
    }

    #[test]
    fn a_shift_of_a_person_is_set_again_and_one_that_the_program_clears_is_not() {
        let plain = SHIFTED.replace("G92 X10 Z2", "G4 P0").replace("G92 X0", "G92.1");
        let grbl = Dialect::new(Firmware::Grbl, 3);
        let here = Here { zeros: zeros(), ..here() };
        let told = |line, here: &Here| left(&grbl, &plain, line, Some(behind_g92(5))).preamble(here).unwrap().lines;
        assert!(told(6, &here).contains(&"G92 X-15 Z22".to_owned()));
        assert!(told(8, &here).iter().all(|line| !line.starts_with("G92")));
        let mut shifted = here.clone();
        shifted.zeros.g92 = Some(AxisVec::from_slice(&[5.0, 0.0, -2.0]));
        assert!(told(6, &shifted).iter().all(|line| !line.starts_with("G92")), "grblHAL keeps it");
        assert!(told(8, &shifted).contains(&"G92.1".to_owned()));
    }

    #[test]
    fn a_zero_that_was_set_anew_meanwhile_holds() {
        let grbl = Dialect::new(Firmware::Grbl, 3);
        let mut here = Here { zeros: zeros(), ..here() };
        here.zeros.systems[1] = Some(AxisVec::from_slice(&[-90.0, -40.0, -35.5]));
        let preamble = left(&grbl, SHIFTED, 6, Some(behind_g92(6))).preamble(&here).unwrap();
        assert!(preamble.lines.contains(&"G92 X-15".to_owned()), "{:?}", preamble.lines);
        assert!(preamble.warnings.iter().any(|warning| warning.starts_with("Z was zeroed anew")));
    }

    #[test]
    fn a_tool_length_that_was_measured_at_the_tool_change_stays() {
        let dialect = dialect();
        let measured = Zeros { tool_length: Some(AxisVec::from_slice(&[0.0, 0.0, 12.5, 0.0])), ..Zeros::default() };
        let told = |length: &str, zeros: &Zeros| {
            let program = format!("G21 G90 {length}\nG0 X1 Y1 Z5\nT2 M6\nG1 X5 F100\n");
            approach(&dialect, &program, 4).preamble(&Here { zeros: zeros.clone(), ..here() }).unwrap()
        };
        for length in ["", "G49", "G43.1 Z3"] {
            let preamble = told(length, &measured);
            let sets = |line: &String| line.contains("G49") || line.contains("G43");
            assert!(!preamble.lines.iter().any(sets), "{length}: {:?}", preamble.lines);
            assert!(preamble.warnings.iter().any(|warning| warning.contains("Z 12.5")), "{:?}", preamble.warnings);
            assert!(preamble.warnings.iter().any(|warning| warning.contains("tool 2 must be in the spindle")));
        }
        assert!(told("G43.1 Z3", &Zeros::default()).lines.contains(&"G43.1 Z3".to_owned()));
        assert!(told("G43.1 Z12.5", &measured).lines.contains(&"G43.1 Z12.5".to_owned()), "it is the same");
    }

    #[test]
    fn what_a_reset_takes_back_is_as_when_the_run_began() {
        let grbl = Dialect::new(Firmware::Grbl, 3);
        let began =
            Left { modal: ["G55", "G18", "G20", "G91", "G94", "M3"].map(str::to_owned).to_vec(), ..Left::default() };
        let preamble = left(&grbl, "G1 X1 F10\nX1\n", 2, Some(began)).preamble(&here()).unwrap();
        assert!(preamble.lines.contains(&"G55".to_owned()), "{:?}", preamble.lines);
        assert!(preamble.lines.iter().any(|line| line.contains("G18 G20 G91")), "{:?}", preamble.lines);
        assert!(preamble.lines.contains(&"F254".to_owned()), "{:?}", preamble.lines);
        assert!(preamble.warnings.iter().any(|warning| warning.contains("start it yourself")));
    }
}
