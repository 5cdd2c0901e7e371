//! Lines of a file with their numbers, in pages, without reading a long file from its start for each page.

use std::fmt::Write as _;
use std::io::{self, Read, Seek, SeekFrom};

use super::folders::Stamp;

/// Most lines of a page.
pub const MAX_LINES: usize = 500;
/// Characters of a line that are shown; a longer one says how long it is.
pub const MAX_SHOWN: usize = 1000;
/// Bytes of a page after which it ends early.
const MAX_PAGE: usize = 64 * 1024;
/// Lines between two places that are remembered, at first.
const STRIDE: u64 = 1024;
/// Places that are remembered; when there are more, every other one is forgotten.
const MAX_PLACES: usize = 8192;
/// Files whose places are remembered.
const MAX_FILES: usize = 4;

/// Where lines begin in one file: every so many of them, as far as it was read.
#[derive(Clone, Debug)]
pub struct LineIndex {
    stride: u64,
    /// Place `n` is where line `n * stride + 1` begins.
    places: Vec<u64>,
}

impl Default for LineIndex {
    fn default() -> Self {
        Self { stride: STRIDE, places: vec![0] }
    }
}

impl LineIndex {
    /// Lines from `from` on, counted from 1: at most `count`, fewer at the end of the file or when the page is full.
    ///
    /// # Errors
    /// What the system says.
    pub fn page(&mut self, file: impl Read + Seek, from: u64, count: usize) -> io::Result<Vec<String>> {
        let from = from.max(1);
        let place = ((from - 1) / self.stride).min(self.places.len() as u64 - 1);
        let start = self.places[place as usize];
        let mut lines = Lines::new(file, start)?;
        let mut number = place * self.stride + 1;
        let mut text = Vec::new();
        while number < from {
            if lines.next(0, &mut text)?.is_none() {
                return Ok(Vec::new());
            }
            number += 1;
            self.remember(number, lines.at());
        }
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < count.min(MAX_LINES) && bytes < MAX_PAGE {
            let Some(length) = lines.next(MAX_SHOWN, &mut text)? else { break };
            let shown = shown(&text, length);
            bytes += shown.len();
            page.push(shown);
            number += 1;
            self.remember(number, lines.at());
        }
        Ok(page)
    }

    fn remember(&mut self, line: u64, at: u64) {
        if line - 1 != self.places.len() as u64 * self.stride {
            return;
        }
        if self.places.len() >= MAX_PLACES {
            let mut keep = false;
            self.places.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
            if line - 1 != self.places.len() as u64 * self.stride {
                return;
            }
        }
        self.places.push(at);
    }
}

/// A line as a person reads it. `text` holds the first bytes of `length`.
fn shown(text: &[u8], length: u64) -> String {
    let plain = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '·',
        c => c,
    };
    let text = String::from_utf8_lossy(text);
    // A byte order mark, at the head of the file.
    let mut line: String = text.strip_prefix('\u{feff}').unwrap_or(&text).chars().map(plain).collect();
    if length > text.len() as u64 {
        let _ = write!(line, " … ({length} bytes in this line)");
    }
    line
}

/// Reads lines one after the other.
struct Lines<F> {
    file: F,
    buffer: Vec<u8>,
    /// What of the buffer is not yet read.
    from: usize,
    until: usize,
    /// Where the buffer ends in the file.
    end: u64,
}

impl<F: Read + Seek> Lines<F> {
    fn new(mut file: F, start: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, buffer: vec![0; 64 * 1024], from: 0, until: 0, end: start })
    }

    /// Where the next line begins.
    const fn at(&self) -> u64 {
        self.end - (self.until - self.from) as u64
    }

    /// The next line: its first `keep` bytes into `text`; gives its length without its end. `None`: there is no more.
    /// Line feed, carriage return and both together end a line, as for [`Reader`](crate::program::reader::Reader).
    fn next(&mut self, keep: usize, text: &mut Vec<u8>) -> io::Result<Option<u64>> {
        text.clear();
        let (mut length, mut any) = (0, false);
        loop {
            if self.is_at_end()? {
                return Ok(any.then_some(length));
            }
            any = true;
            let piece = &self.buffer[self.from..self.until];
            let end = memchr::memchr2(b'\n', b'\r', piece);
            let line = end.map_or(piece, |at| &piece[..at]);
            let by = end.and_then(|at| piece.get(at)).copied();
            text.extend_from_slice(&line[..line.len().min(keep.saturating_sub(text.len()))]);
            length += line.len() as u64;
            self.from += line.len() + usize::from(by.is_some());
            if by == Some(b'\r') && !self.is_at_end()? && self.buffer.get(self.from) == Some(&b'\n') {
                self.from += 1;
            }
            if by.is_some() {
                return Ok(Some(length));
            }
        }
    }

    /// Whether nothing is left; reads on where the buffer is empty.
    fn is_at_end(&mut self) -> io::Result<bool> {
        if self.from < self.until {
            return Ok(false);
        }
        self.from = 0;
        self.until = 0;
        self.until = loop {
            match self.file.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += self.until as u64;
        Ok(self.until == 0)
    }
}

/// The indexes of the files that were looked at last.
#[derive(Debug, Default)]
pub struct LineIndexes(Vec<(Stamp, LineIndex)>);

impl LineIndexes {
    /// Takes the index of a file out; an empty one if there is none.
    pub fn take(&mut self, stamp: Stamp) -> LineIndex {
        match self.0.iter().position(|(of, _)| *of == stamp) {
            Some(at) => self.0.remove(at).1,
            None => LineIndex::default(),
        }
    }

    /// Puts it back.
    pub fn put(&mut self, stamp: Stamp, index: LineIndex) {
        self.0.retain(|(of, _)| *of != stamp);
        self.0.push((stamp, index));
        if self.0.len() > MAX_FILES {
            self.0.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn numbered(lines: u64) -> Vec<u8> {
        let mut text = String::new();
        (1..=lines).for_each(|n| {
            let _ = writeln!(text, "N{n}");
        });
        text.into_bytes()
    }

    #[test]
    fn lines_are_shown_as_they_stand() {
        let text = "\u{feff}G21\r\n\n(Bögen)\tX\rG1\x1b[31mX\nlast".as_bytes();
        let lines = LineIndex::default().page(Cursor::new(text), 1, 99).unwrap();
        assert_eq!(lines, ["G21", "", "(Bögen) X", "G1·[31mX", "last"]);
        assert_eq!(LineIndex::default().page(Cursor::new(text), 5, 99).unwrap(), ["last"]);
        assert!(LineIndex::default().page(Cursor::new(text), 6, 99).unwrap().is_empty());
        assert!(LineIndex::default().page(Cursor::new(""), 1, 9).unwrap().is_empty());
        assert_eq!(LineIndex::default().page(Cursor::new("\n\n"), 0, 9).unwrap(), ["", ""]);
        assert_eq!(LineIndex::default().page(Cursor::new(b"\xffG1\n"), 1, 9).unwrap(), ["\u{fffd}G1"]);
    }

    #[test]
    fn lines_are_counted_as_the_check_counts_them() {
        let mut text = Vec::new();
        for n in 0..40_000_u32 {
            text.extend_from_slice(if n % 3 == 0 { b"G1 X1.5" } else { b"" });
            text.extend_from_slice([&b"\n"[..], b"\r\n", b"\r", b"\r\r\n"][n as usize * 7 % 4]);
        }
        let mut expected = Vec::new();
        let mut reader = crate::program::reader::Reader::new();
        reader.feed(&text, |line| expected.push(String::from_utf8_lossy(line.bytes).into_owned()));
        reader.finish(|line| expected.push(String::from_utf8_lossy(line.bytes).into_owned()));
        let mut index = LineIndex::default();
        index.page(Cursor::new(&text), expected.len() as u64, 1).unwrap();
        for from in (1..expected.len()).step_by(337) {
            let page = index.page(Cursor::new(&text), from as u64, 3).unwrap();
            assert_eq!(page, expected[from - 1..(from + 2).min(expected.len())], "{from}");
        }
        assert!(index.page(Cursor::new(&text), expected.len() as u64 + 1, 1).unwrap().is_empty());
    }

    /// Counts what is read.
    struct Counted<'a>(Cursor<&'a [u8]>, &'a mut u64);

    impl Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            *self.1 += read as u64;
            Ok(read)
        }
    }

    impl Seek for Counted<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_page_is_found_again_without_reading_from_the_start() {
        let text = numbered(200_000);
        let mut index = LineIndex::default();
        let (mut first, mut again) = (0, 0);
        let page = index.page(Counted(Cursor::new(&text), &mut first), 150_000, 3).unwrap();
        assert_eq!(page, ["N150000", "N150001", "N150002"]);
        assert!(first > 1_000_000, "{first}");
        let page = index.page(Counted(Cursor::new(&text), &mut again), 149_000, 1).unwrap();
        assert_eq!(page, ["N149000"]);
        assert!(again <= 64 * 1024, "{again}");
    }

    #[test]
    fn the_index_stays_small_and_right() {
        let lines = STRIDE * MAX_PLACES as u64 + 5 * STRIDE;
        let text = vec![b'\n'; lines as usize];
        let mut index = LineIndex::default();
        assert_eq!(index.page(Cursor::new(&text), lines, 9).unwrap().len(), 1);
        assert!(index.places.len() <= MAX_PLACES);
        assert_eq!(index.stride, 2 * STRIDE);
        assert!(index.places.iter().enumerate().all(|(n, at)| *at == n as u64 * index.stride));
    }

    #[test]
    fn a_page_ends_where_it_is_full() {
        let text = numbered(MAX_LINES as u64 * 3);
        assert_eq!(LineIndex::default().page(Cursor::new(&text), 1, 9999).unwrap().len(), MAX_LINES);
        let long = format!("{}\n", "X".repeat(900)).repeat(200);
        let page = LineIndex::default().page(Cursor::new(&long), 1, 200).unwrap();
        assert!(
            page.len() < 80 && page.iter().map(String::len).sum::<usize>() < MAX_PAGE + MAX_SHOWN,
            "{}",
            page.len()
        );
    }

    #[test]
    fn a_line_of_two_gigabytes_is_passed_over_and_said() {
        let long = io::repeat(b'G').take(2 << 30);
        let file = OneWay { bytes: Box::new(long.chain(Cursor::new(b"\nG0 X1\n"))) };
        let page = LineIndex::default().page(file, 1, 9).unwrap();
        assert_eq!(page[0], format!("{} … (2147483648 bytes in this line)", "G".repeat(MAX_SHOWN)));
        assert_eq!(page[1..], ["G0 X1"]);
    }

    /// Read from its start to its end.
    struct OneWay {
        bytes: Box<dyn Read>,
    }

    impl Read for OneWay {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.bytes.read(buffer)
        }
    }

    impl Seek for OneWay {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            assert_eq!(to, SeekFrom::Start(0));
            Ok(0)
        }
    }

    #[test]
    fn indexes_of_few_files_are_kept() {
        let file = |n: &str| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("f"), n).unwrap();
            Stamp::of(&std::fs::File::open(dir.path().join("f")).unwrap()).unwrap()
        };
        let mut indexes = LineIndexes::default();
        let stamps: Vec<Stamp> = ["", "1", "22", "333", "4444"].map(file).to_vec();
        for (n, stamp) in stamps.iter().enumerate() {
            indexes.put(*stamp, LineIndex { stride: n as u64 + 1, places: vec![0] });
        }
        assert_eq!(indexes.0.len(), MAX_FILES);
        assert_eq!(indexes.take(stamps[4]).stride, 5);
        assert_eq!(indexes.take(stamps[0]).stride, STRIDE, "the oldest is forgotten");
    }
}
