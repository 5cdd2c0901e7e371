//! Lines out of chunks, in constant memory.
//!
//! Line feed, carriage return and both together end a line, mixed as they come. What a line holds is not judged here:
//! any byte may stand in it. A byte order mark at the head of the file is not part of the first line.

use memchr::memchr2;

/// Longest line of which all bytes are kept. No firmware takes a tenth of it; comments may be long.
pub const MAX_LINE: usize = 4096;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line as it stands in the file, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Counted from 1.
    pub number: u64,
    /// Its bytes; the first [`MAX_LINE`] of them if there are more.
    pub bytes: &'a [u8],
    /// How many bytes it really has.
    pub length: u64,
}

impl<'a> RawLine<'a> {
    /// A whole line.
    pub const fn new(number: u64, bytes: &'a [u8]) -> Self {
        Self { number, bytes, length: bytes.len() as u64 }
    }

    /// Bytes are missing at its end: it must not be sent.
    pub const fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// Cuts chunks of a file into lines. Where the cuts between the chunks are makes no difference.
#[derive(Debug)]
pub struct Reader {
    /// The beginning of a line whose end has not come; never more than [`MAX_LINE`].
    held: Vec<u8>,
    /// Bytes of that line, those that were not kept too.
    held_length: u64,
    lines: u64,
    bytes: u64,
    /// The last byte was a carriage return, so that a line feed would belong to it.
    after_return: bool,
    /// At the head of the file, where a byte order mark can be.
    at_head: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// For a file from its first byte on.
    pub const fn new() -> Self {
        Self { held: Vec::new(), held_length: 0, lines: 0, bytes: 0, after_return: false, at_head: true }
    }

    /// For a file from the first byte of line `line` on, counted from 1.
    pub fn at_line(line: u64) -> Self {
        Self { lines: line.saturating_sub(1), at_head: line <= 1, ..Self::new() }
    }

    /// Lines that were handed out, and those before where it began.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes that were fed.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes and hands out every line that ends in them. A line that lies within `bytes` is not copied.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(RawLine<'_>)) {
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        if self.after_return && !rest.is_empty() {
            self.after_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            self.hand_out(&rest[..end], &mut each);
            let ended_by = rest[end];
            rest = &rest[end + 1..];
            if ended_by == b'\r' {
                self.after_return = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.hold(rest);
    }

    /// The file ends: hands out what came after the last line end, if anything did.
    pub fn finish(&mut self, mut each: impl FnMut(RawLine<'_>)) {
        if self.held_length > 0 {
            self.hand_out(&[], &mut each);
        }
    }

    fn hand_out(&mut self, tail: &[u8], each: &mut impl FnMut(RawLine<'_>)) {
        self.lines += 1;
        if self.held_length == 0 {
            let bytes = self.without_mark(tail);
            let length = bytes.len() as u64;
            each(RawLine { number: self.lines, bytes: &bytes[..bytes.len().min(MAX_LINE)], length });
        } else {
            self.hold(tail);
            let held = std::mem::take(&mut self.held);
            let bytes = self.without_mark(&held);
            let length = self.held_length - (held.len() - bytes.len()) as u64;
            each(RawLine { number: self.lines, bytes: &bytes[..bytes.len().min(MAX_LINE)], length });
            self.held = held;
            self.held.clear();
            self.held_length = 0;
        }
        self.at_head = false;
    }

    fn without_mark<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        if self.at_head { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line }
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.held_length += bytes.len() as u64;
        // A mark is taken off when the line is handed out, and must not cost the line three bytes.
        let most = if self.at_head { MAX_LINE + BYTE_ORDER_MARK.len() } else { MAX_LINE };
        let room = most.saturating_sub(self.held.len());
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (u64, Vec<u8>, u64);

    fn lines(chunks: &[&[u8]]) -> Vec<Owned> {
        let mut reader = Reader::new();
        let mut lines = Vec::new();
        let mut keep = |line: RawLine<'_>| lines.push((line.number, line.bytes.to_vec(), line.length));
        for chunk in chunks {
            reader.feed(chunk, &mut keep);
        }
        reader.finish(&mut keep);
        lines
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        lines(&[bytes]).into_iter().map(|(_, bytes, _)| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    #[test]
    fn every_kind_of_line_end_ends_one_line() {
        assert_eq!(texts(b"a\nb\r\nc\rd\r\r\ne"), ["a", "b", "c", "d", "", "e"]);
        assert_eq!(texts(b"a\n"), ["a"]);
        assert_eq!(texts(b"\n\n"), ["", ""]);
        assert_eq!(texts(b""), Vec::<String>::new());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(texts(b"\xEF\xBB\xBFG21\nG90"), ["G21", "G90"]);
        assert_eq!(lines(&[b"\xEF", b"\xBB\xBFG21\n\xEF\xBB", b"\xBFx"]).len(), 2);
        assert_eq!(lines(&[b"\xEF", b"\xBB\xBFG21\n"])[0], (1, b"G21".to_vec(), 3));
    }

    #[test]
    fn a_long_line_is_bounded_and_its_length_told() {
        let long = vec![b'X'; 3 * MAX_LINE];
        let mut reader = Reader::new();
        let mut seen = Vec::new();
        for _ in 0..1000 {
            reader.feed(&long, |_| unreachable!("no line has ended"));
            assert!(reader.held.capacity() <= 2 * MAX_LINE);
        }
        reader.feed(b"\nG0", |line| seen.push((line.number, line.bytes.len(), line.length, line.is_cut())));
        reader.finish(|line| seen.push((line.number, line.bytes.len(), line.length, line.is_cut())));
        assert_eq!(seen, [(1, MAX_LINE, 3000 * MAX_LINE as u64, true), (2, 2, 2, false)]);
        assert_eq!((reader.lines(), reader.bytes()), (2, 3000 * MAX_LINE as u64 + 3));
        // In one piece the same.
        let in_one = [long.as_slice(), b"\n"].concat();
        assert_eq!(lines(&[&in_one])[0].2, 3 * MAX_LINE as u64);
    }

    #[test]
    fn reading_can_begin_at_a_later_line() {
        let mut reader = Reader::at_line(7);
        let mut numbers = Vec::new();
        reader.feed(b"a\nb\n", |line| numbers.push(line.number));
        assert_eq!((numbers, reader.lines()), (vec![7, 8], 8));
    }

    proptest! {
        #[test]
        fn where_the_chunks_are_cut_makes_no_difference(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300),
            cuts in proptest::collection::vec(0_usize..300, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(lines(&chunks), lines(&[&bytes]));
        }

        #[test]
        fn nothing_is_lost_but_line_ends(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let content: usize = lines(&[&bytes]).iter().map(|line| line.1.len()).sum();
            let mark = if bytes.starts_with(BYTE_ORDER_MARK) { 3 } else { 0 };
            let ends = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count();
            prop_assert_eq!(content + ends + mark, bytes.len());
        }
    }
}
