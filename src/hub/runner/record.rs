//! What is written down of a run, and what is offered when it did not come to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::course::{CUT_SHORT, Course, LINK_LOST};
use crate::model::axes::AxisVec;
use crate::model::command::{ClientId, Origin};
use crate::model::machine::{Firmware, StateKind, StatusReport};
use crate::model::program::{Checkpoint, PastRun, RunEnd, RunState};
use crate::model::snapshot::{Machine, Snapshot};
use crate::model::time::Time;
use crate::model::work::{Slot, Wcs};

/// Positions are written no more often than this.
const EVERY: Duration = Duration::from_millis(500);
/// And also without a new line no more rarely: a long cut draws energy too.
const AT_LEAST: Duration = Duration::from_secs(30);

/// The history of one run as it comes about.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) past: PastRun,
    written: Option<(Time, u64)>,
    moving_since: Option<Time>,
    /// What was in force when it began.
    began: Began,
    /// The sum of all offsets as last reported, and the line that was accepted by then.
    work_offset: (Option<AxisVec>, u64),
    /// What the run left that this one takes up.
    taken_up: Option<Checkpoint>,
}

/// The machine as it was before the first line.
#[derive(Debug, Default)]
struct Began {
    modal: Vec<String>,
    systems: BTreeMap<String, AxisVec>,
    tool_length: Option<f64>,
}

impl Began {
    /// The tool that was named last, which is in the spindle. T0 says of most that none was named.
    fn tool(&self) -> Option<u32> {
        let named = self.modal.iter().rev().find_map(|word| word.strip_prefix('T')?.parse().ok());
        named.filter(|tool| *tool != 0)
    }

    fn of(machine: &Machine) -> Self {
        let is_system = |name: &&String| Wcs::from_name(name).is_some();
        let systems = machine
            .offsets
            .keys()
            .filter(is_system)
            .filter_map(|name| Some((name.clone(), *machine.offsets.get(name)?)));
        Self {
            modal: machine.modal.as_ref().map(|modal| modal.words.clone()).unwrap_or_default(),
            systems: systems.collect(),
            tool_length: machine.offsets.get(Slot::Tlo.name()).and_then(|tlo| match tlo.as_slice() {
                [z] => Some(*z),
                values => values.get(2).copied(),
            }),
        }
    }
}

impl Record {
    /// A run that starts now.
    pub(super) fn new(course: &Course, origin: &Origin, machine: &Machine, started_ms: i64, dry: bool) -> Self {
        let run = &course.run;
        let past = PastRun {
            id: run.id,
            name: run.name.clone(),
            path: run.path.display().to_string(),
            hash: run.hash,
            who: who(origin),
            started_ms,
            ended_ms: None,
            end: None,
            first_line: run.first_line,
            last_line: 0,
            lines: run.lines,
            pauses: 0,
            paused_for: Duration::ZERO,
            moving_for: Duration::ZERO,
            dry,
            energy: None,
            on_link_loss: None,
        };
        let work_offset = (machine.work_offset, 0);
        Self { past, written: None, moving_since: None, began: Began::of(machine), work_offset, taken_up: None }
    }

    /// It takes up a run that left this: what was in force when that one began is what the program counts from, not what the
    /// reset between them has left. So is its zero, until the controller tells the one that is set again.
    pub(super) fn going_on_from(mut self, left: &Checkpoint) -> Self {
        self.began = Began { modal: left.modal.clone(), systems: left.systems.clone(), tool_length: left.tool_length };
        self.work_offset = (left.work_offset, left.work_offset_line);
        self.taken_up = Some(left.clone());
        self
    }

    /// A report: time in motion is counted between two of them. One that tells the offsets tells those behind the
    /// last line that was accepted before it.
    pub(super) fn report(&mut self, at: Time, report: &StatusReport, acked_line: u64, machine: &Machine) {
        let state = report.state;
        // Before the first line of one that was taken up the zero is on its way to be set again.
        if report.wco.is_some() && (self.taken_up.is_none() || acked_line >= self.past.first_line) {
            self.work_offset = (machine.work_offset, acked_line);
            if self.taken_up.is_some() {
                let Began { systems, tool_length, .. } = Began::of(machine);
                (self.began.systems, self.began.tool_length) = (systems, tool_length);
            }
        }
        if let Some(since) = self.moving_since.take() {
            self.past.moving_for += at.since(since);
        }
        self.moving_since = (state.kind == StateKind::Run).then_some(at);
    }

    /// The position to write now, if it is time and there is news.
    pub(super) fn due(&mut self, at: Time, now_ms: i64, course: &Course, machine: &Machine) -> Option<Checkpoint> {
        let acked = course.run.acked_line;
        let due =
            self.written.is_none_or(|(then, line)| at.since(then) >= if line == acked { AT_LEAST } else { EVERY });
        due.then(|| self.position(at, now_ms, course, machine))
    }

    /// The position as it stands.
    pub(super) fn position(&mut self, at: Time, now_ms: i64, course: &Course, machine: &Machine) -> Checkpoint {
        self.written = Some((at, course.run.acked_line));
        Checkpoint {
            run: course.run.id,
            at_ms: now_ms,
            acked_line: course.run.acked_line,
            sent_line: course.run.sent_line,
            modal: self.began.modal.clone(),
            tool: self.began.tool().or_else(|| self.taken_up.as_ref()?.tool),
            work_offset: self.work_offset.0,
            work_offset_line: self.work_offset.1,
            systems: self.began.systems.clone(),
            // The parameters are not asked for during a run: they tell what the reset before it has left.
            g92: match &self.taken_up {
                Some(left) => left.g92,
                None => machine.offsets.get(Slot::G92.name()).copied(),
            },
            tool_length: self.began.tool_length,
            machine_position: machine.machine_position,
            homed: !machine.homed.is_empty(),
            hash: course.run.hash,
            lines: course.run.lines,
            pauses: course.pauses,
            paused_for: course.run.paused_for,
            moving_for: self.past.moving_for,
            energy: self.past.energy,
            next: course.next(),
            skipped: course.skipped.clone(),
        }
    }

    /// The run as the history keeps it when it is over.
    pub(super) fn close(&mut self, course: &Course, ended_ms: i64) -> PastRun {
        let run = &course.run;
        let past = &mut self.past;
        past.ended_ms = Some(ended_ms);
        past.end = Some(match &run.state {
            _ if course.is_cut_short() => RunEnd::Interrupted(CUT_SHORT.to_owned()),
            RunState::Done => RunEnd::Done,
            RunState::Stopped(why) => RunEnd::Stopped(why.clone()),
            RunState::Failed(why) => RunEnd::Failed(why.clone()),
            _ => RunEnd::Interrupted(CUT_SHORT.to_owned()),
        });
        past.hash = run.hash;
        past.last_line = run.acked_line;
        past.lines = run.lines;
        past.pauses = course.pauses;
        past.paused_for = run.paused_for;
        past.clone()
    }
}

/// What a person must know before a run is taken up again, from how it ended and what was in force.
pub(super) fn warnings(end: Option<&RunEnd>, checkpoint: &Checkpoint, firmware: Option<Firmware>) -> Vec<String> {
    let mut warnings = Vec::new();
    match end {
        Some(RunEnd::Interrupted(why)) if why == CUT_SHORT => {
            warnings.push(format!("{why}: look whether it is still on hold, and whether the spindle is on"));
        }
        None | Some(RunEnd::Interrupted(_)) => warnings.push(
            "sunmill ended while it ran: the controller has carried out what it still had, and the spindle may be on"
                .to_owned(),
        ),
        Some(RunEnd::Failed(why)) => {
            warnings.push(format!("it ended by: {why}. Look whether the spindle is on"));
            if why == LINK_LOST {
                warnings.push(
                    "the controller may still hold lines of it: once the link is back, ~ carries them out and no program follows \
                     them. Stop the machine first (@)"
                        .to_owned(),
                );
            }
        }
        Some(RunEnd::Stopped(_) | RunEnd::Done) => {}
    }
    let forgets = firmware != Some(Firmware::GrblHal);
    if forgets && checkpoint.g92.is_some_and(|shift| shift.norm() > 0.0) {
        warnings.push("the G92 shift that was in force dies in a reset; to take this run up sets it again, as long as the file is the same: check work zero".to_owned());
    }
    if checkpoint.tool_length.is_some_and(|length| length != 0.0) {
        warnings.push("the tool length offset that was in force dies in a reset: measure the tool again".to_owned());
    }
    warnings
}

/// How many motions may lie between what was accepted and what was carried out.
pub(super) fn planner_blocks(snapshot: &Snapshot) -> u64 {
    let told = snapshot.machine.identity.as_ref().and_then(|identity| identity.planner_blocks);
    // Grbl and FluidNC have 16 unless told otherwise (facts: grbl-protocol §7).
    told.map_or(16, u64::from)
}

pub(super) fn who(origin: &Origin) -> String {
    match origin {
        Origin::Hub => "sunmill".to_owned(),
        Origin::Screen(ClientId(id)) => format!("screen {id}"),
        Origin::Script(ClientId(id)) => format!("script {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::{Run, RunId};

    #[test]
    fn a_position_is_written_for_a_new_line_and_in_a_long_one_now_and_then() {
        let mut course = Course::new(Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO));
        let machine = Machine::default();
        let mut record = Record::new(&course, &Origin::Hub, &machine, 0, false);
        let mut due = |course: &Course, ms| record.due(Time::from_millis(ms), 0, course, &machine).is_some();
        assert!(due(&course, 0) && !due(&course, 1000), "nothing is new");
        course.run.acked_line = 5;
        assert!(due(&course, 1000));
        course.run.acked_line = 6;
        assert!(!due(&course, 1400) && due(&course, 1500));
        assert!(!due(&course, 31_400) && due(&course, 31_500) && !due(&course, 60_000));
    }

    #[test]
    fn what_takes_a_run_up_keeps_what_that_one_began_with() {
        let xyz = |x: f64| Some(AxisVec::from_slice(&[x, 0.0, 0.0]));
        let left = Checkpoint {
            modal: vec!["G55".into(), "G20".into()],
            tool: Some(4),
            work_offset: xyz(43.0),
            work_offset_line: 9,
            g92: xyz(3.0),
            ..Checkpoint::default()
        };
        let mut course = Course::new(Run::new(RunId(2), "part.nc".into(), 5, Time::ZERO));
        let mut machine = Machine { work_offset: xyz(40.0), ..Machine::default() };
        let mut record = Record::new(&course, &Origin::Hub, &machine, 0, false).going_on_from(&left);
        let mut report = crate::grbl::status::parse(b"<Run|MPos:0,0,0|WCO:40,0,0>", None).expect("a report");
        // The reset has taken the shift, and the preamble is on its way.
        record.report(Time::ZERO, &report, 0, &machine);
        let kept = record.position(Time::ZERO, 0, &course, &machine);
        assert_eq!((kept.modal, kept.tool, kept.g92), (left.modal.clone(), Some(4), xyz(3.0)));
        assert_eq!((kept.work_offset, kept.work_offset_line), (xyz(43.0), 9));
        // Behind it the controller tells the zero that is in force.
        (course.run.acked_line, machine.work_offset) = (6, xyz(44.0));
        report.wco = xyz(44.0);
        record.report(Time::ZERO, &report, 6, &machine);
        let kept = record.position(Time::ZERO, 0, &course, &machine);
        assert_eq!((kept.work_offset, kept.work_offset_line, kept.modal), (xyz(44.0), 6, left.modal));
    }
}
