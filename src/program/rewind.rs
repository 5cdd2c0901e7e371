//! Where an interrupted program can begin again: at a rapid traverse, where the tool is out of the work.

use super::block::{Block, Kind};
use super::reader::RawLine;
use crate::model::machine::Firmware;

/// Motion codes in tenths: G0 to G3, G38.x, G73, G80 to G89.
const fn is_motion(code: u16) -> bool {
    matches!(code, 0 | 10 | 20 | 30 | 382..=385 | 730 | 800..=899)
}

/// Codes whose axis words are no places to go to: G10, G28.1, G30.1, G43.1, G43.2, G52, G92.x.
const fn sets(code: u16) -> bool {
    matches!(code, 100 | 281 | 301 | 431 | 432 | 520 | 920..=923)
}

/// A run that did not come to its end.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// Where it began, counted from 1.
    pub first_line: u64,
    /// The last line that the controller accepted.
    pub acked_line: u64,
    /// How many motions its planner holds.
    pub planner: u64,
    /// Which controller, if known.
    pub firmware: Option<Firmware>,
    /// At M6 a person is asked, when the machine stands. Else it is left to the controller, which may change the tool when it reads
    /// the line, or do nothing at all, with the motions before it still to come.
    pub asks_at_tool: bool,
    /// Lines that the controller refused and that were skipped, in this run or in one that it took up: nothing of them is in force.
    pub skipped: Vec<u64>,
}

/// Reads a program from its beginning and remembers the last traverses.
///
/// A line that was accepted is in the controller's planner, not necessarily carried out. So as many motions as the planner holds
/// are taken back first, and from there it goes back to the last rapid that moves across. But a controller comes to rest before it
/// switches the spindle, waits or asks, and accepts the line only then: what stands before such a line was carried out. And it
/// never goes back past a line at which a person was asked (the tool is another one now, the part has been turned), nor to before
/// where the run began. Where the tool is left to the controller, a change of it counts once it was surely carried out.
#[derive(Debug)]
pub struct Rewind {
    block: Box<Block>,
    rapid: bool,
    /// Traverses: line, and motions before it; newest last.
    traverses: Vec<(u64, u64)>,
    motions: u64,
    ran: Ran,
    /// The last line at which the controller came to rest, and the motions that were carried out by then.
    rested: (u64, u64),
    /// The first line to begin at, and why none before it.
    not_before: Option<(u64, &'static str)>,
    /// Behind that, changes of the tool that were left to the controller: line to begin at, and motions before it; newest last.
    /// Those that were surely carried out are one.
    changes: Vec<(u64, u64)>,
    switched: Switched,
}

/// What is switched on, as far as the program says: only a change brings the controller to rest.
#[derive(Debug, Default)]
struct Switched {
    spindle: Option<u16>,
    mist: Option<bool>,
    flood: Option<bool>,
}

/// Where the controller is at rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Before the motion of the line.
    Before,
    /// Behind it too.
    Behind,
}

/// Traverses that are remembered: more than any planner holds motions.
const KEPT: usize = 2048;

impl Switched {
    /// Takes what the line switches, and says whether that is a change. What is not known is none.
    fn take(&mut self, codes: &[u16]) -> bool {
        fn set<T: PartialEq>(to: &mut Option<T>, now: T) -> bool {
            let changes = to.as_ref().is_some_and(|before| *before != now);
            *to = Some(now);
            changes
        }
        let mut changes = false;
        for code in codes {
            changes |= match code {
                30 | 40 | 50 => set(&mut self.spindle, *code),
                70 => set(&mut self.mist, true),
                80 => set(&mut self.flood, true),
                90 => set(&mut self.mist, false) | set(&mut self.flood, false),
                _ => false,
            };
        }
        changes
    }
}

impl Rewind {
    /// For this run.
    pub fn new(ran: Ran) -> Self {
        Self {
            block: Box::default(),
            rapid: false,
            traverses: Vec::new(),
            motions: 0,
            ran,
            rested: (0, 0),
            not_before: None,
            changes: Vec::new(),
            switched: Switched::default(),
        }
    }

    /// The next line. `false`: no more are needed.
    pub fn line(&mut self, line: RawLine<'_>) -> bool {
        if line.number == self.ran.first_line && line.number > 1 {
            self.rested = (line.number, self.motions);
            self.begin_behind(line.number, "the run began there");
        }
        if line.number > self.ran.acked_line {
            return false;
        }
        if self.ran.skipped.contains(&line.number) {
            return true;
        }
        self.block.parse(line.bytes);
        if self.block.kind() != Kind::Words {
            return true;
        }
        if let Some(code) = self.block.g().iter().rev().find(|code| is_motion(**code)) {
            self.rapid = *code == 0;
        }
        let rest = self.rest();
        if rest.is_some() {
            self.rested = (line.number, self.motions);
        }
        self.count(line.number);
        if rest == Some(Rest::Behind) {
            self.rested = (line.number, self.motions);
        }
        self.asks(line.number);
        true
    }

    /// Counts a motion.
    fn count(&mut self, line: u64) {
        let across = self.block.has(b'X') || self.block.has(b'Y');
        let moves = across || self.block.has(b'Z');
        if !moves || self.block.g().iter().any(|code| sets(*code)) {
            return;
        }
        if self.rapid && across && !self.block.g().contains(&530) {
            if self.traverses.len() == KEPT {
                self.traverses.drain(..KEPT / 2);
            }
            self.traverses.push((line, self.motions));
        }
        self.motions += 1;
    }

    /// Whether the controller comes to rest at this line before it accepts it (Grbl, FluidNC and grblHAL, `gcode.c` and
    /// `motion_control.c`). grblHAL does not for what it writes down.
    fn rest(&mut self) -> Option<Rest> {
        let (g, m) = (self.block.g(), self.block.m());
        let changes = self.switched.take(m);
        let writes = self.ran.firmware != Some(Firmware::GrblHal) && self.ran.firmware.is_some();
        if m.iter().any(|code| matches!(code, 0 | 10 | 600)) || g.iter().any(|code| matches!(code, 382..=385)) {
            return Some(Rest::Behind);
        }
        let waits = g.contains(&40) && self.block.value(b'P').is_some_and(|seconds| seconds > 0.0);
        let before = changes
            || m.contains(&60) && self.ran.asks_at_tool
            || waits
            || writes && g.iter().any(|code| matches!(code, 100 | 281 | 301));
        before.then_some(Rest::Before)
    }

    /// Where a person was asked, nothing is done again that was done before.
    fn asks(&mut self, line: u64) {
        let changes_only = || {
            let mut words = self.block.words().iter();
            words.all(|word| matches!(word.letter, b'N' | b'T') || word.letter == b'M' && word.value == 6.0)
        };
        let m = self.block.m();
        if m.contains(&60) {
            let line = if changes_only() { line + 1 } else { line };
            if self.ran.asks_at_tool {
                self.begin_behind(line, "the tool was changed there");
            } else {
                // With a line that moves too, its own motion is counted already: that is on the safe side.
                self.left_to_controller(line);
            }
        } else if m.iter().any(|code| matches!(code, 0 | 10 | 600)) {
            self.begin_behind(line + 1, "the program waited for a person there");
        }
    }

    fn begin_behind(&mut self, line: u64, why: &'static str) {
        self.not_before = Some((line, why));
        self.changes.clear();
    }

    fn left_to_controller(&mut self, line: u64) {
        let carried_out = self.carried_out();
        let sure = self.changes.iter().filter(|(_, motions)| *motions <= carried_out).count();
        self.changes.drain(..sure.saturating_sub(1));
        // Of changes with no motion between them the last one counts.
        self.changes.retain(|(_, motions)| *motions != self.motions);
        self.changes.push((line, self.motions));
    }

    /// How many motions were surely carried out by now.
    fn carried_out(&self) -> u64 {
        self.motions.saturating_sub(self.ran.planner).max(self.rested.1)
    }

    /// The line to begin at, and why there.
    pub fn suggest(&self) -> (u64, String) {
        let (rested_at, floor) = self.rested;
        let taken_back = self.motions.saturating_sub(self.ran.planner);
        let carried_out = self.carried_out();
        let changed = self.changes.iter().rev().find(|(_, motions)| *motions <= carried_out);
        let not_before = changed.map(|(line, _)| (*line, "the tool was changed there")).or(self.not_before);
        let first = not_before.map_or(1, |(line, _)| line);
        let found = self.traverses.iter().rev().find(|(line, motions)| *line >= first && *motions <= carried_out);
        let (line, why) = match (found, not_before) {
            (Some((line, _)), _) => {
                let sure = if floor > taken_back {
                    format!("the controller came to rest at line {rested_at}")
                } else {
                    let (planner, acked_line) = (self.ran.planner, self.ran.acked_line);
                    format!("up to {planner} motions before line {acked_line} were still in the controller")
                };
                (*line, format!("line {line} is the last rapid across before what was surely carried out: {sure}"))
            }
            (None, Some((line, why))) => {
                (line, format!("{why}, and no rapid across behind it was surely carried out: begin at line {line}"))
            }
            (None, None) => (1, "no rapid across before it was surely carried out: begin at the first line".to_owned()),
        };
        // Which tool is in the spindle nobody can know then.
        match self.changes.iter().find(|(change, _)| *change > line) {
            Some((change, _)) => (
                line,
                format!(
                    "{why}. The tool change before line {change} may have been done already: see which tool is in the spindle"
                ),
            ),
            None => (line, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn suggested(lines: &[&str], acked_line: u64, planner: u64) -> u64 {
        begun_at(1, lines, acked_line, planner).0
    }

    fn begun_at(first_line: u64, lines: &[&str], acked_line: u64, planner: u64) -> (u64, String) {
        read(ran(first_line, acked_line, planner), lines)
    }

    /// On a controller whose tools a person changes.
    fn ran(first_line: u64, acked_line: u64, planner: u64) -> Ran {
        let firmware = Some(Firmware::Grbl);
        Ran { first_line, acked_line, planner, firmware, asks_at_tool: true, skipped: Vec::new() }
    }

    fn read(ran: Ran, lines: &[&str]) -> (u64, String) {
        let mut rewind = Rewind::new(ran);
        for (number, text) in (1..).zip(lines) {
            if !rewind.line(RawLine::new(number, text.as_bytes())) {
                break;
            }
        }
        rewind.suggest()
    }

    const PART: [&str; 12] = [
        "G21 G90",
        "M3 S1000",
        "G0 Z5",
        "X10 Y10",
        "G1 Z-1 F100",
        "X20",
        "G0 Z5",
        "X30",
        "G1 Z-1",
        "X40",
        "(nothing moves here)",
        "Y20",
    ];

    #[test]
    fn it_goes_back_by_the_planner_and_then_to_a_traverse() {
        for (acked, planner, line) in
            [(12, 0, 8), (12, 3, 8), (12, 4, 8), (12, 5, 4), (12, 100, 1), (7, 0, 4), (8, 0, 8), (3, 0, 1), (0, 15, 1)]
        {
            assert_eq!(suggested(&PART, acked, planner), line, "acked {acked}, planner {planner}");
        }
    }

    #[test]
    fn a_move_in_machine_coordinates_or_of_z_alone_is_no_traverse() {
        assert_eq!(suggested(&["G0 X1", "G53 G0 X0", "G0 Z9", "G1 X5"], 4, 0), 1);
    }

    #[test]
    fn it_stays_small_on_long_programs() {
        let mut rewind = Rewind::new(Ran { firmware: None, ..ran(1, u64::MAX, 15) });
        for number in 1..100_000 {
            rewind.line(RawLine::new(number, b"G0X1"));
        }
        assert!(rewind.traverses.len() <= KEPT);
        assert_eq!(rewind.suggest().0, 99_985);
        let mut rewind = Rewind::new(Ran { asks_at_tool: false, ..ran(1, u64::MAX, 15) });
        for number in 1..100_000 {
            rewind.line(RawLine::new(number, if number % 2 == 0 { b"M6" } else { b"G0X1" }));
        }
        assert!(rewind.changes.len() <= 17, "{}", rewind.changes.len());
    }

    /// A part in two tools. Lines count from 1: the tool is changed in the 15th.
    const TWO_TOOLS: [&str; 22] = [
        "G21 G90",
        "T1 M6",
        "M3 S9000",
        "G0 Z5",
        "X1 Y1",
        "G1 Z-1 F100",
        "X2",
        "X3",
        "G0 Z5",
        "X8 Y8",
        "G1 Z-1",
        "X9",
        "G0 Z9",
        "M5",
        "T2 M6",
        "M3 S12000",
        "G0 X1 Y1",
        "Z2",
        "G1 Z-2",
        "X2",
        "X3",
        "X4",
    ];

    #[test]
    fn it_never_goes_back_past_a_change_of_the_tool() {
        for (acked, line) in [(14, 10), (15, 16), (16, 16), (17, 17), (19, 17), (22, 17)] {
            assert_eq!(suggested(&TWO_TOOLS, acked, 16), line, "acked {acked}");
        }
        let more = ["G0 X1 Y1", "G1 X2 F100", "T2 M6 G0 X5", "G1 X6", "X7"];
        assert_eq!(suggested(&more, 5, 16), 3, "that line does more, and asks once more");
        let (line, why) = begun_at(1, &["G0 X1 Y1", "G1 X2 F100", "M0", "G1 X3", "X4"], 5, 16);
        assert_eq!(line, 4);
        assert!(why.contains("waited for a person"), "{why}");
    }

    #[test]
    fn where_the_controller_came_to_rest_all_before_was_carried_out() {
        let part = |rests: &'static str| ["M5", "G0 X1 Y1", "G1 X2 F100", "G0 X5 Y5", rests, "G1 X6 F100", "X7"];
        for (rests, line) in [
            ("M3 S100", 4),
            ("M5", 2),
            ("G4 P1", 4),
            ("G4 P0", 2),
            ("G10 L2 P1 X0 Y0", 4),
            ("G38.2 Z-5 F50", 4),
            ("G92 X0", 2),
            ("S500", 2),
        ] {
            // The motion before the one that is asked for may be in the planner, with all that follow.
            let far = if rests.starts_with("G38") { 5 } else { 4 };
            assert_eq!(suggested(&part(rests), 7, far), line, "{rests}");
        }
        let (_, why) = begun_at(1, &part("M3 S100"), 7, 16);
        assert!(why.contains("came to rest at line 5"), "{why}");
    }

    #[test]
    fn it_does_not_go_back_to_before_where_the_run_began() {
        assert_eq!(begun_at(8, &PART, 12, 100).0, 8);
        let (line, why) = begun_at(9, &PART, 8, 100);
        assert!(
            line == 9 && why.contains("the run began there"),
            "nothing but the preamble was accepted: {line}, {why}"
        );
        let (line, why) = begun_at(1, &PART, 12, 100);
        assert!(line == 1 && why.contains("surely carried out"), "{why}");
    }

    #[test]
    fn a_tool_change_that_is_left_to_the_controller_is_no_rest() {
        let part = |acked_line, planner| {
            let ran = Ran { asks_at_tool: false, firmware: Some(Firmware::FluidNc), ..ran(1, acked_line, planner) };
            read(ran, &TWO_TOOLS)
        };
        // FluidNC accepts M6 at once: the cuts before it may still be in the planner (M5 was accepted at rest, with all before it).
        assert_eq!(part(15, 16).0, 16, "the spindle was switched off at rest, all before it is done");
        let lines = ["G0 X1 Y1", "G1 X2 F100", "G0 X5 Y5", "G1 X6", "T2 M6", "G1 X7", "X8"];
        let at = |planner| read(Ran { asks_at_tool: false, ..ran(1, 7, planner) }, &lines);
        let (line, why) = at(16);
        assert_eq!(line, 1, "nothing is surely done");
        assert!(why.contains("before line 6 may have been done already"), "{why}");
        let (line, why) = at(3);
        assert!(line == 3 && why.contains("which tool"), "X6 before the change may be in the planner: {line}, {why}");
        let (line, why) = at(2);
        assert!(line == 6 && why.contains("the tool was changed there"), "all before it is done: {line}, {why}");
        assert!(!why.contains("which tool"), "{why}");
        // Who is asked there has made it stand.
        assert_eq!(read(ran(1, 7, 16), &lines).0, 6);
    }

    #[test]
    fn nothing_of_a_skipped_line_is_in_force() {
        // The feed move of line 3 was refused and skipped: what follows is a rapid still.
        let lines = ["G0 X1 Y1", "G0 X2 Y2", "G1 X3 F1e9", "X4 Y4", "X5 Y5", "G1 X6 F100"];
        let skipping = |skipped: &[u64]| read(Ran { skipped: skipped.to_vec(), ..ran(1, 6, 1) }, &lines).0;
        assert_eq!((skipping(&[]), skipping(&[3])), (2, 5));
        // And the other way round: a rapid that was never taken.
        let lines = ["G1 X1 F100", "G0 X2 Y2", "X4 Y4", "X5 Y5"];
        let skipping = |skipped: &[u64]| read(Ran { skipped: skipped.to_vec(), ..ran(1, 4, 1) }, &lines).0;
        assert_eq!((skipping(&[]), skipping(&[2])), (4, 1));
        // A pause that was refused has stopped nothing, and no tool was changed.
        for rests in ["M0", "M6", "M3 S100"] {
            let lines = ["M5", "G0 X1 Y1", "G1 X2 F100", "G0 X4 Y4", rests, "G1 X3"];
            assert_eq!(read(Ran { skipped: vec![5], ..ran(1, 6, 16) }, &lines).0, 2, "{rests}");
            assert!(read(ran(1, 6, 16), &lines).0 >= 4, "{rests}");
        }
    }

    const ANY: [&str; 12] =
        ["G0 X1 Y1", "X2 Y2", "G1 X3 F100", "Z1", "M6", "T2 M6", "G0 X9 M6", "M0", "M3 S1", "M5", "G4 P1", "(none)"];

    proptest! {
        #[test]
        fn a_skipped_line_is_as_if_it_were_not_there(
            program in vec((select(&ANY[..]), any::<bool>()), 1..30),
            first_line in 1_u64..30,
            planner in 0_u64..20,
            asks_at_tool: bool,
        ) {
            let lines: Vec<&str> = program.iter().map(|(text, _)| *text).collect();
            let without: Vec<&str> = program.iter().map(|(text, skipped)| if *skipped { "" } else { *text }).collect();
            let skipped = (1..).zip(&program).filter_map(|(line, (_, skipped))| skipped.then_some(line)).collect();
            let ran = Ran { asks_at_tool, ..ran(first_line, lines.len() as u64, planner) };
            let known = Ran { skipped, ..ran.clone() };
            prop_assert_eq!(read(known, &lines), read(ran, &without));
        }

        /// Nothing that may still have been in the planner is left out because the controller read a tool change behind it.
        #[test]
        fn a_change_by_the_controller_leaves_out_nothing_that_was_not_surely_done(
            lines in vec(select(&ANY[..7]), 1..30),
            planner in 0_u64..20,
        ) {
            let ran = Ran { asks_at_tool: false, ..ran(1, lines.len() as u64, planner) };
            let (line, _) = read(ran.clone(), &lines);
            let without: Vec<String> = lines.iter().map(|text| text.replace("T2 M6", "T2").replace("M6", "")).collect();
            let without: Vec<&str> = without.iter().map(String::as_str).collect();
            let (plain, _) = read(ran, &without);
            let moves = |text: &&&str| text.contains(['X', 'Z']);
            let before = |line: u64| lines[..line as usize - 1].iter().filter(moves).count() as u64;
            let carried_out = before(lines.len() as u64 + 1).saturating_sub(planner);
            prop_assert!(line >= plain, "a change never takes it further back");
            prop_assert!(before(line) <= carried_out, "line {}, {} carried out", line, carried_out);
            let change = (1..).zip(&lines).filter(|(number, text)| text.contains("M6") && before(number + 1) <= carried_out);
            prop_assert!(change.last().is_none_or(|(number, _)| line >= number), "the tool is another one there");
        }
    }
}
