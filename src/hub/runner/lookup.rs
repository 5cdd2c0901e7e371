//! Reading a program beside the thread that feeds it: neighbours of a line, and where to begin again. Blocks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::feeder;
use crate::hub::programs::lines::LineIndex;
use crate::model::axes::Axis;
use crate::model::machine::Firmware;
use crate::model::program::ask::Preamble;
use crate::model::program::{Checkpoint, Interrupted};
use crate::model::snapshot::{Machine, Snapshot};
use crate::model::work::{self, Slot, Wcs};
use crate::program::left::along_z;
use crate::program::{Approach, Dialect, Here, Left, Ran, RawLine, Reader, Rewind, Zeros};

/// Lines before and behind a refused one.
const BESIDE: u64 = 2;
const CHUNK: usize = 64 * 1024;

/// An open file with a place of its own, so that whoever reads it otherwise is not disturbed.
#[derive(Debug)]
struct Beside<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Beside<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Beside<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |base: u64, by: i64| base.checked_add_signed(by).ok_or(io::Error::from(io::ErrorKind::InvalidInput));
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => from(self.at, by)?,
            SeekFrom::End(by) => from(self.file.metadata()?.len(), by)?,
        };
        Ok(self.at)
    }
}

/// The line and its neighbours, as in the file.
pub(super) fn around(file: &File, line: u64) -> io::Result<Vec<(u64, String)>> {
    let from = line.saturating_sub(BESIDE).max(1);
    let count = (line + BESIDE + 1 - from) as usize;
    let lines = LineIndex::default().page(Beside { file, at: 0 }, from, count)?;
    Ok((from..).zip(lines).collect())
}

/// Where to begin again, and why there.
pub(super) fn rewound(file: &File, ran: Ran) -> io::Result<(u64, String)> {
    let mut rewind = Rewind::new(ran);
    read_lines(file, |line| rewind.line(line))?;
    Ok(rewind.suggest())
}

/// Lines from the first on, as long as they are wanted.
fn read_lines(file: &File, mut want: impl FnMut(RawLine<'_>) -> bool) -> io::Result<()> {
    let mut beside = Beside { file, at: 0 };
    let mut reader = Reader::new();
    let mut chunk = vec![0; CHUNK];
    let mut more = true;
    while more {
        match beside.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => reader.feed(&chunk[..n], |line| more = more && want(line)),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    if more {
        reader.finish(|line| {
            want(line);
        });
    }
    Ok(())
}

/// What a start in the middle of a program depends on beside the file.
#[derive(Clone, Debug)]
pub(super) struct Middle {
    dialect: Dialect,
    /// What the run left that is offered to be taken up again.
    offered: Option<Arc<Interrupted>>,
    here: Here,
}

impl Middle {
    /// The machine as it stands, and the run that is offered to be taken up again.
    pub(super) fn of(snapshot: &Snapshot, warm_up: Duration) -> Self {
        let machine = &snapshot.machine;
        Self {
            dialect: Dialect::of(machine),
            offered: snapshot.programs.interrupted.clone(),
            here: Here {
                safe_z_mm: work::safe_z_mm(machine).map_err(|why| why.0),
                work_z_mm: machine.work_position.and_then(|position| position.get(Axis::Z)),
                zeros: zeros(machine),
                warm_up_s: warm_up.as_secs_f64(),
            },
        }
    }
}

fn zeros(machine: &Machine) -> Zeros {
    let offset = |slot: Slot| machine.offsets.get(slot.name()).copied();
    let mut zeros = Zeros {
        active: machine.modal.as_ref().and_then(|modal| modal.wcs()).and_then(Wcs::from_name).map(Wcs::number),
        g92: offset(Slot::G92),
        // Grbl tells it as one number, of Z.
        tool_length: offset(Slot::Tlo).map(|tlo| match tlo.as_slice() {
            [z] => along_z(*z, machine.axis_count()),
            _ => tlo,
        }),
        machine_position: machine.machine_position,
        ..Zeros::default()
    };
    for system in Wcs::all(Some(Firmware::GrblHal)) {
        zeros.systems[usize::from(system.number()) - 1] = offset(Slot::Wcs(system));
    }
    zeros
}

fn left_by(checkpoint: &Checkpoint) -> Left {
    let mut left = Left {
        modal: checkpoint.modal.clone(),
        work_offset: checkpoint.work_offset,
        line: checkpoint.work_offset_line,
        tool_length_mm: checkpoint.tool_length,
        tool: checkpoint.tool,
        skipped: checkpoint.skipped.clone(),
        ..Left::default()
    };
    for (name, offset) in &checkpoint.systems {
        if let Some(system) = Wcs::from_name(name) {
            left.systems[usize::from(system.number()) - 1] = Some(*offset);
        }
    }
    left
}

/// What the offered run left, if it was one of this file, by whatever way it is named. Of a file that has changed since, its lines
/// say nothing of what was in force.
fn left_of(offered: &Interrupted, file: &File, path: &Path) -> io::Result<Option<Left>> {
    let ran = Path::new(&offered.run.path);
    if ran != path && path.canonicalize().ok().as_deref() != Some(ran) {
        return Ok(None);
    }
    let changed = match offered.run.hash {
        Some(ran) => feeder::hash(Beside { file, at: 0 })? != ran,
        None => false,
    };
    let mut left = Left { changed, ..left_by(&offered.left) };
    if changed {
        // They are lines of what the file was.
        left.skipped.clear();
    }
    Ok(Some(left))
}

/// What would be sent to begin at `line`, counted from 1, on the machine as it stands: what
/// [`Start::Line`](crate::model::program::Start::Line) has to repeat word for word. Blocks.
///
/// # Errors
/// Why it cannot begin there, and what to do.
pub fn preamble(
    file: &File,
    path: &Path,
    line: u64,
    snapshot: &Snapshot,
    warm_up: Duration,
) -> Result<Preamble, String> {
    approach(file, path, line, Middle::of(snapshot, warm_up))
}

/// The same, for a machine that was looked at before.
pub(super) fn approach(file: &File, path: &Path, line: u64, middle: Middle) -> Result<Preamble, String> {
    let Middle { dialect, offered, here } = middle;
    let failed = |why: io::Error| format!("the program cannot be read: {why}");
    let left = offered.map(|offered| left_of(&offered, file, path)).transpose().map_err(failed)?.flatten();
    let mut approach = Approach::new(dialect, line, left);
    read_lines(file, |line| approach.line(line)).map_err(failed)?;
    approach.preamble(&here)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn neighbours_and_the_place_to_begin_are_found_without_moving_the_files_own_place() {
        let mut file = tempfile::tempfile().unwrap();
        for line in 1..=10 {
            writeln!(file, "{} X{line}", if line == 4 { "G0" } else { "G1" }).unwrap();
        }
        file.seek(SeekFrom::Start(7)).unwrap();
        let numbers = |line| around(&file, line).unwrap().into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!(numbers(5), [3, 4, 5, 6, 7]);
        assert_eq!(numbers(1), [1, 2, 3]);
        assert_eq!(numbers(10), [8, 9, 10]);
        assert_eq!(around(&file, 5).unwrap()[2].1, "G1 X5");
        let ran = Ran { first_line: 1, acked_line: 9, planner: 2, ..Ran::default() };
        assert_eq!(rewound(&file, ran).unwrap().0, 4);
        assert_eq!((&file).stream_position().unwrap(), 7);
    }
}
