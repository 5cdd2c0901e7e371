//! Reading a program beside the thread that feeds it: neighbours of a line, and where to begin again. Blocks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use crate::hub::programs::lines::LineIndex;
use crate::program::{Reader, Rewind};

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
pub(super) fn rewound(file: &File, acked_line: u64, planner: u64) -> io::Result<(u64, String)> {
    let mut beside = Beside { file, at: 0 };
    let (mut reader, mut rewind) = (Reader::new(), Rewind::new(acked_line, planner));
    let mut chunk = vec![0; CHUNK];
    let mut more = true;
    while more {
        match beside.read(&mut chunk)? {
            0 => break,
            n => reader.feed(&chunk[..n], |line| more &= rewind.line(line)),
        }
    }
    if more {
        reader.finish(|line| {
            rewind.line(line);
        });
    }
    Ok(rewind.suggest())
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
        assert_eq!(rewound(&file, 9, 2).unwrap().0, 4);
        assert_eq!((&file).stream_position().unwrap(), 7);
    }
}
