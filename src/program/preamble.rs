//! What is sent so that a program can begin in its middle: the modal state that its earlier lines would have made, and a careful
//! way to the place where the tool would be.
//!
//! The order is that of safety: units and distances, Z up, across, the spindle at speed, coolant, down at feed; and last the
//! modes of the program, so that the lines that follow mean what they always meant.

#[cfg(test)]
mod tests;

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
        let is_skipped = self.left.as_ref().is_some_and(|left| left.skipped.contains(&line.number));
        if (line.number < self.line || line.number <= told_at) && !is_skipped {
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
        self.left.as_ref().filter(|left| same_shift && !left.changed)?.shift(modal)
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
            let program = &self.modal.tool_offset_mm[..now.len()];
            now.as_slice().iter().zip(program).all(|(now, known)| (now - known).abs() < 0.001)
        };
        let known = self.modal.tool_length == Some(ToolLength::Dynamic) && same();
        (!table && !known).then_some(now)
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
        } else if let Some(tool) = self.left.and_then(|left| left.tool) {
            self.warn(format!("tool {tool} was in the spindle when the program began: it must be there"));
        }
        if self.left.is_some_and(|left| left.changed) {
            self.warn("the file is not the one that ran: no G92 shift of that run is set again. Check work zero");
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
