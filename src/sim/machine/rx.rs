//! From bytes to realtime commands (acted on at arrival) and lines (kept until the controller is free).

use std::collections::VecDeque;

use crate::model::Firmware;

use super::profile::Profile;

/// FluidNC queues what it cannot read yet in its main memory; this much of it is taken to be there.
const FLUID_QUEUE: usize = 64 * 1024;

/// A realtime command, after the firmware's own table (`0x18` is not the same thing everywhere).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rt {
    Status,
    StatusFull,
    Hold,
    Start,
    Reset,
    /// grblHAL 0x19.
    Stop,
    Door,
    JogCancel,
    /// `$G` pushed (grblHAL 0x83).
    Modal,
    Feed(i16),
    FeedReset,
    Rapid(u16),
    Spindle(i16),
    SpindleReset,
    SpindleStop,
    Flood,
    Mist,
    /// FluidNC: an I/O expander says it was reset (0xB4).
    ExpanderReset,
    /// grblHAL: the tool is changed (0xA3).
    ToolAck,
}

/// A line, as the firmware sees it when it gets round to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    /// Longer than the firmware takes; what there was of it.
    TooLong(String),
}

/// The receiving end of the controller.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    firmware: Firmware,
    profile: Profile,
    ring: VecDeque<u8>,
    line: Vec<u8>,
    too_long: bool,
    comment: Option<u8>,
    /// grblHAL: the end-of-line byte just seen; its partner after it is swallowed.
    last_eol: Option<u8>,
    /// Telnet and websocket channels of FluidNC take CRLF as one end.
    crlf_is_one: bool,
    /// FluidNC: code point so far and continuation bytes missing.
    utf8: (u32, u8),
    pub(super) overflows: u64,
    pub(super) max_fill: usize,
}

impl Receiver {
    pub(super) fn new(firmware: Firmware, crlf_is_one: bool) -> Self {
        Self {
            firmware,
            profile: Profile::of(firmware),
            ring: VecDeque::new(),
            line: Vec::new(),
            too_long: false,
            comment: None,
            last_eol: None,
            crlf_is_one: crlf_is_one || firmware == Firmware::GrblHal,
            utf8: (0, 0),
            overflows: 0,
            max_fill: 0,
        }
    }

    /// One byte off the wire. A realtime command is given back; anything else waits in the ring.
    pub(super) fn accept(&mut self, byte: u8) -> Option<Rt> {
        let picked = match self.firmware {
            Firmware::Grbl => pick_grbl(byte),
            Firmware::FluidNc => self.pick_fluid(byte),
            Firmware::GrblHal => pick_hal(byte),
        };
        match picked {
            Pick::Realtime(rt) => return Some(rt),
            Pick::Nothing => {}
            Pick::Text if self.ring.len() >= self.room() => self.overflows += 1,
            Pick::Text => {
                self.ring.push_back(byte);
                self.max_fill = self.max_fill.max(self.ring.len());
            }
        }
        None
    }

    const fn room(&self) -> usize {
        if self.profile.rx_drops { self.profile.rx_bytes } else { FLUID_QUEUE }
    }

    /// Free bytes, as the status report gives them. FluidNC moves what arrives to a queue it does not count.
    pub(super) fn free(&self) -> usize {
        if self.profile.rx_drops {
            self.profile.rx_bytes.saturating_sub(self.ring.len())
        } else {
            self.profile.rx_bytes
        }
    }

    /// Bytes that wait to be read.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.ring.len()
    }

    /// Forgets everything unread.
    pub(super) fn flush(&mut self) {
        self.ring.clear();
        self.clear_line();
    }

    /// Forgets everything after the first complete line (FluidNC has that one in its hands already at a reset).
    pub(super) fn keep_first_line(&mut self) {
        let end = self.ring.iter().position(|&b| b == b'\n' || b == b'\r');
        self.ring.truncate(end.map_or(0, |i| i + 1));
        self.clear_line();
    }

    fn clear_line(&mut self) {
        self.line.clear();
        self.too_long = false;
        self.comment = None;
    }

    /// The next complete line. Bytes of an incomplete one leave the ring all the same, as in the firmware.
    pub(super) fn take_line(&mut self) -> Option<Line> {
        while let Some(byte) = self.ring.pop_front() {
            if byte == b'\n' || byte == b'\r' {
                if self.crlf_is_one && self.last_eol.is_some_and(|last| last != byte) {
                    self.last_eol = None;
                    continue;
                }
                self.last_eol = Some(byte);
                let text = String::from_utf8_lossy(&self.line).into_owned();
                let line = if self.too_long { Line::TooLong(text) } else { Line::Text(text) };
                self.clear_line();
                return Some(line);
            }
            self.last_eol = None;
            self.put(byte);
        }
        None
    }

    /// Grbl strips spaces and comments while it reads and counts what is left; the others count all bytes.
    fn put(&mut self, byte: u8) {
        if self.firmware == Firmware::Grbl {
            match (self.comment, byte) {
                (Some(b'('), b')') => return self.comment = None,
                (None, b'(' | b';') => return self.comment = Some(byte),
                (Some(_), _) | (None, b'/' | ..=b' ') => return,
                _ => {}
            }
        }
        // grblHAL does not count spaces in G-code, but those in comments.
        if self.firmware == Firmware::GrblHal && byte <= b' ' && !matches!(self.line.first(), Some(b'$')) {
            match self.line.iter().rev().find(|b| matches!(b, b'(' | b')' | b';')) {
                Some(b'(' | b';') => {}
                _ => return,
            }
        }
        // FluidNC prints the whole offending line back, so a little more is kept than is taken.
        if self.line.len() >= self.profile.line_bytes {
            self.too_long = true;
        }
        if self.line.len() < 2 * self.profile.line_bytes {
            let byte = if self.firmware == Firmware::Grbl { byte.to_ascii_uppercase() } else { byte };
            self.line.push(byte);
        }
    }

    /// FluidNC sends bytes ≥ 0x80 through a UTF-8 decoder and acts on the low 8 bits of the code point: a
    /// typographic quote resets it, and a lone lead byte eats the next realtime byte.
    fn pick_fluid(&mut self, byte: u8) -> Pick {
        if byte < 0x80 && fluid_realtime(byte).is_none() {
            return Pick::Text;
        }
        let (code, missing) = self.utf8;
        if missing > 0 {
            if byte & 0xC0 != 0x80 {
                self.utf8 = (0, 0);
                return Pick::Nothing;
            }
            let code = code << 6 | u32::from(byte & 0x3F);
            self.utf8 = (code, missing - 1);
            if missing > 1 {
                return Pick::Nothing;
            }
            // U+0100–U+017F are pin events of expanders, not commands.
            if (0x100..0x180).contains(&code) {
                return Pick::Nothing;
            }
            return fluid_realtime(code as u8).map_or(Pick::Nothing, Pick::Realtime);
        }
        self.utf8 = match byte {
            0xC0..=0xDF => (u32::from(byte & 0x1F), 1),
            0xE0..=0xEF => (u32::from(byte & 0x0F), 2),
            0xF0..=0xF7 => (u32::from(byte & 0x07), 3),
            _ => return fluid_realtime(byte).map_or(Pick::Nothing, Pick::Realtime),
        };
        Pick::Nothing
    }
}

enum Pick {
    Realtime(Rt),
    Text,
    Nothing,
}

/// The part of the table that all three share.
const fn common_realtime(byte: u8) -> Option<Rt> {
    Some(match byte {
        b'?' => Rt::Status,
        b'!' => Rt::Hold,
        b'~' => Rt::Start,
        0x18 => Rt::Reset,
        0x84 => Rt::Door,
        0x85 => Rt::JogCancel,
        0x90 => Rt::FeedReset,
        0x91 => Rt::Feed(10),
        0x92 => Rt::Feed(-10),
        0x93 => Rt::Feed(1),
        0x94 => Rt::Feed(-1),
        0x95 => Rt::Rapid(100),
        0x96 => Rt::Rapid(50),
        0x97 => Rt::Rapid(25),
        0x99 => Rt::SpindleReset,
        0x9A => Rt::Spindle(10),
        0x9B => Rt::Spindle(-10),
        0x9C => Rt::Spindle(1),
        0x9D => Rt::Spindle(-1),
        0x9E => Rt::SpindleStop,
        0xA0 => Rt::Flood,
        0xA1 => Rt::Mist,
        _ => return None,
    })
}

const fn fluid_realtime(byte: u8) -> Option<Rt> {
    match byte {
        0xB4 => Some(Rt::ExpanderReset),
        _ => common_realtime(byte),
    }
}

const fn pick_grbl(byte: u8) -> Pick {
    match common_realtime(byte) {
        Some(rt) => Pick::Realtime(rt),
        None if byte >= 0x80 => Pick::Nothing,
        None => Pick::Text,
    }
}

const fn pick_hal(byte: u8) -> Pick {
    match byte {
        0x05 | 0x80 => Pick::Realtime(Rt::Status),
        0x19 => Pick::Realtime(Rt::Stop),
        0x03 => Pick::Realtime(Rt::Reset),
        0x81 => Pick::Realtime(Rt::Start),
        0x82 => Pick::Realtime(Rt::Hold),
        0x83 => Pick::Realtime(Rt::Modal),
        0x87 => Pick::Realtime(Rt::StatusFull),
        0xA3 => Pick::Realtime(Rt::ToolAck),
        b'\n' | b'\r' | b'\t' => Pick::Text,
        _ => match common_realtime(byte) {
            Some(rt) => Pick::Realtime(rt),
            None if byte >= 0x80 || byte < b' ' => Pick::Nothing,
            None => Pick::Text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(rx: &mut Receiver, bytes: &[u8]) -> Vec<Rt> {
        bytes.iter().filter_map(|&b| rx.accept(b)).collect()
    }

    fn lines(rx: &mut Receiver) -> Vec<Line> {
        std::iter::from_fn(|| rx.take_line()).collect()
    }

    #[test]
    fn crlf_is_two_lines_on_grbl_and_fluidnc_and_one_on_grblhal() {
        for (firmware, expected) in [(Firmware::Grbl, 2), (Firmware::FluidNc, 2), (Firmware::GrblHal, 1)] {
            let mut rx = Receiver::new(firmware, false);
            feed(&mut rx, b"G4P0\r\n");
            assert_eq!(lines(&mut rx).len(), expected, "{firmware}");
        }
        let mut telnet = Receiver::new(Firmware::FluidNc, true);
        feed(&mut telnet, b"G4P0\r\nG4P0\n\n");
        assert_eq!(lines(&mut telnet).len(), 3);
    }

    #[test]
    fn realtime_bytes_act_inside_comments() {
        for firmware in [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal] {
            let mut rx = Receiver::new(firmware, false);
            assert_eq!(feed(&mut rx, b"G1X1 (don't stop!)\n"), [Rt::Hold], "{firmware}");
        }
    }

    #[test]
    fn a_full_ring_drops_on_grbl_and_grblhal_and_stalls_nothing_on_fluidnc() {
        for (firmware, room, lost) in
            [(Firmware::Grbl, 128, 72), (Firmware::GrblHal, 1023, 77), (Firmware::FluidNc, 0, 0)]
        {
            let mut rx = Receiver::new(firmware, false);
            let bytes = vec![b'x'; if room == 0 { 5000 } else { room + lost }];
            feed(&mut rx, &bytes);
            assert_eq!(rx.overflows, lost as u64, "{firmware}");
            assert_eq!(rx.waiting(), bytes.len() - lost, "{firmware}");
        }
    }

    #[test]
    fn line_length_limits() {
        for (firmware, most) in [(Firmware::Grbl, 79), (Firmware::FluidNc, 127), (Firmware::GrblHal, 256)] {
            for (length, fits) in [(most, true), (most + 1, false)] {
                let mut rx = Receiver::new(firmware, false);
                feed(&mut rx, format!("{}\n", "X".repeat(length)).as_bytes());
                assert_eq!(matches!(lines(&mut rx)[..], [Line::Text(_)]), fits, "{firmware} {length}");
            }
        }
    }

    #[test]
    fn fluidnc_decodes_utf8_and_truncates() {
        let mut rx = Receiver::new(Firmware::FluidNc, false);
        assert_eq!(feed(&mut rx, "\u{2018}".as_bytes()), [Rt::Reset], "a typographic quote");
        assert_eq!(feed(&mut rx, "\u{a0}".as_bytes()), [Rt::Flood], "a no-break space");
        assert_eq!(feed(&mut rx, &[0xC2, 0x91]), [Rt::Feed(10)]);
        assert_eq!(feed(&mut rx, &[0x91]), [Rt::Feed(10)]);
        assert_eq!(feed(&mut rx, b"caf\xE9 !!"), [Rt::Hold], "a lone lead byte eats one realtime byte");
    }
}
