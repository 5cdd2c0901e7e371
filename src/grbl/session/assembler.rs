//! Bytes into lines, in any chunking, in bounded memory.

/// Longer lines are thrown away as garbage: the longest known line of any firmware is far shorter.
pub(super) const MAX_LINE: usize = 2048;

/// Collects bytes until a line feed.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    buffer: Vec<u8>,
    /// Bytes of an over-long line that were dropped so far.
    dropped: usize,
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line without its end.
    Line(Vec<u8>),
    /// This many bytes of a line that never seemed to end.
    TooLong(usize),
}

impl Assembler {
    /// Takes bytes up to and with the first line feed. Returns how many were taken and what came out.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Piece>) {
        let end = bytes.iter().position(|&b| b == b'\n');
        let body = &bytes[..end.unwrap_or(bytes.len())];
        if self.dropped > 0 || self.buffer.len() + body.len() > MAX_LINE {
            self.dropped += self.buffer.len() + body.len();
            self.buffer.clear();
        } else {
            self.buffer.extend_from_slice(body);
        }
        let Some(end) = end else { return (bytes.len(), None) };
        let piece = if self.dropped > 0 {
            Piece::TooLong(std::mem::take(&mut self.dropped) + 1)
        } else {
            let mut line = std::mem::take(&mut self.buffer);
            while line.last() == Some(&b'\r') {
                line.pop();
            }
            Piece::Line(line)
        };
        (end + 1, Some(piece))
    }

    /// What has come of a line that has not ended, and how many bytes of it were dropped before.
    pub(super) fn unfinished(&self) -> (&[u8], usize) {
        (&self.buffer, self.dropped)
    }

    /// A new link begins.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<Piece> {
        let mut assembler = Assembler::default();
        let mut pieces = Vec::new();
        for chunk in chunks {
            let mut rest = *chunk;
            while !rest.is_empty() {
                let (n, piece) = assembler.feed(rest);
                rest = &rest[n..];
                pieces.extend(piece);
            }
        }
        pieces
    }

    #[test]
    fn line_ends_of_both_kinds() {
        assert_eq!(
            all(&[b"ok\r\n<Idle>\n\n"]),
            [Piece::Line(b"ok".to_vec()), Piece::Line(b"<Idle>".to_vec()), Piece::Line(Vec::new())]
        );
    }

    #[test]
    fn what_has_no_end_yet_can_be_looked_at() {
        let mut assembler = Assembler::default();
        assembler.feed(b"ok\nlogin: ");
        assert_eq!(assembler.unfinished(), (&b""[..], 0));
        assembler.feed(b"login: ");
        assert_eq!(assembler.unfinished(), (&b"login: "[..], 0));
        assembler.feed(&[b'x'; MAX_LINE]);
        assert_eq!(assembler.unfinished(), (&b""[..], MAX_LINE + 7));
    }

    #[test]
    fn ten_kilobytes_without_an_end_are_counted_and_forgotten() {
        let junk = vec![b'x'; 10_000];
        assert_eq!(all(&[&junk, b"\nok\n"]), [Piece::TooLong(10_001), Piece::Line(b"ok".to_vec())]);
    }

    proptest! {
        #[test]
        fn chunking_does_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..6000), cuts in proptest::collection::vec(1_usize..700, 1..20)) {
            let whole = all(&[&bytes]);
            let mut chunks = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let n = (*cut).min(rest.len());
                chunks.push(&rest[..n]);
                rest = &rest[n..];
            }
            prop_assert_eq!(all(&chunks), whole);
        }
    }
}
