//! Recordings of a wire as text: the format of the wire log and of the scenes under `tests/scenes`.
//!
//! ```text
//! # sunmill wire log 1
//! # 0.000012 opened /dev/ttyUSB0 at 2026-03-01T09:30:00Z
//! 0.000150 > ?
//! 0.004813 < <Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n
//! 7.201440 > $I\n
//! # 9.000000 closed the device is gone
//! ```
//!
//! One record a line: seconds since the hub started, `>` for bytes to the controller or `<` for bytes from it, and the
//! bytes. `\n`, `\r`, `\t` and `\xNN` stand for those bytes; so does `\x5C` for the backslash itself. Lines that begin with
//! `#` are comments; `opened` and `closed` with a time mark where a link begins and ends.
//!
//! A wire log holds every byte, and says so in its first line. A scene leaves the line ends of what is received out.

use std::fmt::Write as _;
use std::time::Duration;

/// First line of each file of a wire log.
pub const HEADER: &str = "# sunmill wire log 1";

/// One record of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Since the hub started (a scene: since its own start).
    pub at: Duration,
    /// What happened.
    pub what: What,
}

/// What a record tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A link was opened.
    Opened(String),
    /// The link ended.
    Closed(String),
    /// To the controller: any piece of the stream.
    Sent(Vec<u8>),
    /// From the controller: any piece of the stream, line ends included.
    Received(Vec<u8>),
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}; a record is `SECONDS > BYTES` or `SECONDS < BYTES`, a comment begins with #")]
pub struct BadRecord {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: &'static str,
}

/// The records of a recording, in order; comments are left out.
pub fn read(text: &str) -> impl Iterator<Item = Result<Record, BadRecord>> {
    let is_exact = text.starts_with(HEADER);
    text.lines().enumerate().filter_map(move |(index, line)| {
        let read = record(line, is_exact).map_err(|why| BadRecord { line: index + 1, why });
        read.transpose()
    })
}

fn record(line: &str, is_exact: bool) -> Result<Option<Record>, &'static str> {
    if let Some(comment) = line.strip_prefix('#') {
        return Ok(mark(comment));
    }
    if line.trim().is_empty() {
        return Ok(None);
    }
    let (at, rest) = line.split_once(' ').ok_or("there is no space after the time")?;
    let at = seconds(at).ok_or("the time is no number of seconds")?;
    let (way, bytes) = rest.split_at_checked(1).ok_or("the direction is missing")?;
    let mut bytes = unescaped(bytes.strip_prefix(' ').unwrap_or(bytes)).ok_or("\\x needs two hexadecimal digits")?;
    let what = match way {
        ">" => What::Sent(bytes),
        "<" => {
            if !is_exact {
                bytes.extend_from_slice(b"\r\n");
            }
            What::Received(bytes)
        }
        _ => return Err("the direction is neither > nor <"),
    };
    Ok(Some(Record { at, what }))
}

/// ` 12.5 opened …`; any other comment is nobody's business.
fn mark(comment: &str) -> Option<Record> {
    let (at, rest) = comment.trim_start().split_once(' ')?;
    let at = seconds(at)?;
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let what = match word {
        "opened" => What::Opened(rest.to_owned()),
        "closed" => What::Closed(rest.to_owned()),
        _ => return None,
    };
    Some(Record { at, what })
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// Appends a record of bytes, as many lines as there are line feeds in it, each with its line end.
pub fn write_bytes(text: &mut String, at: Duration, out: bool, bytes: &[u8]) {
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        let _ = write!(text, "{} {} ", stamp(at), if out { '>' } else { '<' });
        escape(text, piece);
        text.push('\n');
    }
}

/// Appends a comment with a time, such as `opened …`; the words are made one printable line.
pub fn write_mark(text: &mut String, at: Duration, words: &str) {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(text, "# {} {words}", stamp(at));
}

fn stamp(at: Duration) -> String {
    format!("{}.{:06}", at.as_secs(), at.subsec_micros())
}

fn escape(text: &mut String, bytes: &[u8]) {
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            // At the end of a line editors would strip it.
            b' ' if index + 1 < bytes.len() => text.push(' '),
            b'\\' => text.push_str("\\x5C"),
            _ if byte.is_ascii_graphic() => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02X}");
            }
        }
    }
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(out),
            [b'\\', b'n', tail @ ..] => {
                out.push(b'\n');
                tail
            }
            [b'\\', b'r', tail @ ..] => {
                out.push(b'\r');
                tail
            }
            [b'\\', b't', tail @ ..] => {
                out.push(b'\t');
                tail
            }
            [b'\\', b'x', tail @ ..] => {
                let (digits, tail) = tail.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn only(text: &str) -> Record {
        let records: Vec<_> = read(text).collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), 1, "{text}");
        records[0].clone()
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_back(bytes in prop::collection::vec(any::<u8>(), 1..200), out: bool, us in 0..u64::from(u32::MAX)) {
            let at = Duration::from_micros(us);
            let mut text = format!("{HEADER}\n");
            write_bytes(&mut text, at, out, &bytes);
            prop_assert!(text.is_ascii() && text.lines().all(|line| !line.ends_with(' ')));
            let mut again = Vec::new();
            for record in read(&text) {
                let record = record.unwrap();
                prop_assert!(record.at.abs_diff(at) < Duration::from_micros(1));
                match record.what {
                    What::Sent(piece) if out => again.extend(piece),
                    What::Received(piece) if !out => again.extend(piece),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn junk_is_named_and_never_panics(text in "\\PC{0,80}") {
            for record in read(&text) {
                let _ = record;
            }
        }
    }

    #[test]
    fn a_scene_has_its_line_ends_put_back_and_a_wire_log_has_them() {
        assert_eq!(only("0.5 < ok").what, What::Received(b"ok\r\n".to_vec()));
        assert_eq!(only(&format!("{HEADER}\n0.5 < ok\\n")).what, What::Received(b"ok\n".to_vec()));
        assert_eq!(only("0.5 > ?").what, What::Sent(b"?".to_vec()));
        assert_eq!(only("0.5 <").what, What::Received(b"\r\n".to_vec()), "an empty line");
    }

    #[test]
    fn marks_are_told_and_other_comments_are_not() {
        let mut text = String::new();
        write_mark(&mut text, Duration::from_millis(1500), "opened /dev/ttyUSB0\n0.1 > injected");
        let opened = only(&text);
        assert_eq!(opened.at, Duration::from_millis(1500));
        assert_eq!(opened.what, What::Opened("/dev/ttyUSB0 0.1 > injected".into()));
        assert_eq!(read("# 3 pieces were lost\n#\n# a scene\n\n").count(), 0);
    }

    #[test]
    fn a_bad_line_is_named_with_its_place() {
        for (text, why) in [
            ("1.0", "no space"),
            ("x > ?", "no number"),
            ("-1 > ?", "no number"),
            ("1 ? ok", "neither"),
            ("1 > \\xZZ", "hexadecimal"),
            ("1 > \\x4", "hexadecimal"),
            ("1 > \\x+4", "hexadecimal"),
        ] {
            let error = read(&format!("# first\n{text}")).next().unwrap().unwrap_err();
            assert!(error.line == 2 && error.to_string().contains(why), "{text}: {error}");
        }
    }
}
