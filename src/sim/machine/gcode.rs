//! Words of a G-code block, with the error codes of each firmware.

use crate::model::{Axis, AxisSet, Firmware};

use super::modal::{Coolant, Motion, Plane, SpindleMode, TableOp};

/// `error:n`.
pub(super) type Code = u16;

/// A block: which commands and values it holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) motion: Option<Motion>,
    pub(super) non_modal: Option<NonModal>,
    pub(super) plane: Option<Plane>,
    pub(super) inches: Option<bool>,
    pub(super) absolute: Option<bool>,
    pub(super) inverse_time: Option<bool>,
    pub(super) wcs: Option<usize>,
    /// `Some(true)`: G43.1, `Some(false)`: G49.
    pub(super) tool_length: Option<bool>,
    pub(super) spindle: Option<SpindleMode>,
    /// `Some(true)`: G99, `Some(false)`: G98.
    pub(super) retract_to_r: Option<bool>,
    pub(super) coolant: Vec<Coolant>,
    pub(super) tool_change: bool,
    output: Option<Output>,
    pub(super) flow: Option<Flow>,
    values: [Option<f64>; 26],
    used: u32,
    /// Words other than those a jog may hold.
    pub(super) not_for_jog: bool,
}

/// Outputs of a kind that the machine has.
const OUTPUTS: f64 = 4.0;

/// What `M62` to `M68` switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Digital,
    Analog,
}

/// Commands that act once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonModal {
    Dwell,
    SetTable,
    GoHome(TableOp),
    SetHome(TableOp),
    MachineCoordinates,
    SetG92,
    ClearG92,
}

/// M0 and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Pause,
    OptionalPause,
    End,
}

impl Block {
    /// Reads the words of a line (comments are dropped, case and spaces do not matter).
    pub(super) fn parse(text: &str, firmware: Firmware, axes: usize) -> Result<Self, Code> {
        let clean = clean(text, firmware);
        let mut rest = clean.as_str();
        let mut block = Self::default();
        let mut groups = 0_u32;
        while let Some(letter) = rest.chars().next() {
            if !letter.is_ascii_uppercase() {
                return Err(1);
            }
            let (value, after) = number(&rest[1..], firmware).ok_or(2_u16)?;
            rest = after;
            match letter {
                'G' => block.g_word(value, firmware, &mut groups)?,
                'M' => block.m_word(value, firmware, &mut groups)?,
                _ => block.value_word(letter, value, firmware, axes)?,
            }
        }
        block.check_line_number()?;
        block.check_output()?;
        Ok(block)
    }

    /// An output needs its number and, if it is analog, a value. Nothing reports them, so nothing is kept.
    fn check_output(&mut self) -> Result<(), Code> {
        let number = match self.output {
            None => return Ok(()),
            Some(Output::Digital) => self.take('P').ok_or(28_u16)?,
            Some(Output::Analog) => {
                self.take('Q').ok_or(28_u16)?;
                self.take('E').ok_or(28_u16)?
            }
        };
        if (0.0..OUTPUTS).contains(&number) { Ok(()) } else { Err(39) }
    }

    fn check_line_number(&mut self) -> Result<(), Code> {
        match self.take('N') {
            Some(n) if n > 9_999_999.0 => Err(27),
            _ => Ok(()),
        }
    }

    fn value_word(&mut self, letter: char, value: f64, firmware: Firmware, axes: usize) -> Result<(), Code> {
        let known = match firmware {
            Firmware::Grbl => "FIJKLNPRSTXYZ",
            _ => "ABCDEFHIJKLNPQRSTUVWXYZ",
        };
        if !known.contains(letter) {
            return Err(20);
        }
        if firmware == Firmware::FluidNc && Axis::from_letter(letter).is_some_and(|a| a.index() >= axes) {
            return Err(20);
        }
        let slot = &mut self.values[letter as usize - 'A' as usize];
        if slot.is_some() {
            return Err(25);
        }
        if value < 0.0 && "FNPTS".contains(letter) {
            return Err(4);
        }
        *slot = Some(value);
        Ok(())
    }

    fn g_word(&mut self, value: f64, firmware: Firmware, groups: &mut u32) -> Result<(), Code> {
        let tenths = tenths(value)?;
        if tenths % 10 != 0 && !matches!(tenths / 10, 28 | 30 | 38 | 43 | 59 | 61 | 91 | 92) {
            return Err(23);
        }
        let group = self.g_command(tenths, firmware)?;
        claim(groups, group)?;
        self.not_for_jog |= !matches!(tenths, 200 | 210 | 530 | 900 | 910);
        Ok(())
    }

    /// Takes a G command in tenths (`382` = G38.2); gives its modal group.
    fn g_command(&mut self, tenths: u32, firmware: Firmware) -> Result<u32, Code> {
        let hal = firmware == Firmware::GrblHal;
        match tenths {
            40 => self.non_modal = Some(NonModal::Dwell),
            100 => self.non_modal = Some(NonModal::SetTable),
            280 => self.non_modal = Some(NonModal::GoHome(TableOp::G28)),
            281 => self.non_modal = Some(NonModal::SetHome(TableOp::G28)),
            300 => self.non_modal = Some(NonModal::GoHome(TableOp::G30)),
            301 => self.non_modal = Some(NonModal::SetHome(TableOp::G30)),
            530 => self.non_modal = Some(NonModal::MachineCoordinates),
            920 => self.non_modal = Some(NonModal::SetG92),
            921 => self.non_modal = Some(NonModal::ClearG92),
            _ => return self.g_modal(tenths, firmware, hal),
        }
        Ok(0)
    }

    fn g_modal(&mut self, tenths: u32, firmware: Firmware, hal: bool) -> Result<u32, Code> {
        let group = match tenths {
            0 | 10 | 20 | 30 | 382..=385 | 800 => {
                self.motion = Some(Motion::of_tenths(tenths));
                1
            }
            730 | 810 | 820 | 830 | 850 | 860 | 890 if hal => {
                self.motion = Some(Motion::of_tenths(tenths));
                1
            }
            170 | 180 | 190 => {
                self.plane = Some(Plane::of_tenths(tenths));
                2
            }
            900 | 910 => {
                self.absolute = Some(tenths == 900);
                3
            }
            911 => 4,
            930 | 940 => {
                self.inverse_time = Some(tenths == 930);
                5
            }
            200 | 210 => {
                self.inches = Some(tenths == 200);
                6
            }
            400 => 7,
            431 | 490 => {
                self.tool_length = Some(tenths == 431);
                8
            }
            540 | 550 | 560 | 570 | 580 | 590 => {
                self.wcs = Some((tenths / 10) as usize - 54);
                12
            }
            591..=593 if firmware != Firmware::Grbl => {
                self.wcs = Some(tenths as usize - 585);
                12
            }
            610 => 13,
            980 | 990 if hal => {
                self.retract_to_r = Some(tenths == 990);
                10
            }
            500 | 640 | 970 if hal => 14,
            _ => return Err(20),
        };
        Ok(group)
    }

    fn m_word(&mut self, value: f64, firmware: Firmware, groups: &mut u32) -> Result<(), Code> {
        let tenths = tenths(value)?;
        if !tenths.is_multiple_of(10) || (firmware == Firmware::Grbl && tenths > 2550) {
            return Err(23);
        }
        self.not_for_jog = true;
        let group = match tenths / 10 {
            0 | 60 => {
                self.flow = Some(Flow::Pause);
                16
            }
            1 => {
                self.flow = Some(Flow::OptionalPause);
                16
            }
            2 | 30 => {
                self.flow = Some(Flow::End);
                16
            }
            3 => {
                self.spindle = Some(SpindleMode::Clockwise);
                17
            }
            4 => {
                self.spindle = Some(SpindleMode::CounterClockwise);
                17
            }
            5 => {
                self.spindle = Some(SpindleMode::Off);
                17
            }
            6 if firmware != Firmware::Grbl => {
                self.tool_change = true;
                18
            }
            n @ 7..=9 => {
                self.coolant.push([Coolant::Mist, Coolant::Flood, Coolant::Off][n as usize - 7]);
                return Ok(());
            }
            48 | 49 | 50 | 51 | 53 if firmware == Firmware::GrblHal => 19,
            n @ (62..=65 | 67..=68) if firmware != Firmware::Grbl => {
                self.output = Some(if n < 66 { Output::Digital } else { Output::Analog });
                20
            }
            _ => return Err(20),
        };
        claim(groups, group)
    }

    /// The value of a word, which is then used.
    pub(super) fn take(&mut self, letter: char) -> Option<f64> {
        let i = letter as usize - 'A' as usize;
        self.used |= 1 << i;
        self.values[i]
    }

    /// The value of a word, left for others.
    pub(super) fn peek(&self, letter: char) -> Option<f64> {
        self.values[letter as usize - 'A' as usize]
    }

    /// Axes of the machine for which there are words.
    pub(super) fn axis_words(&self, axes: usize) -> AxisSet {
        AxisSet::first(axes).iter().filter(|a| self.peek(a.letter()).is_some()).collect()
    }

    /// A word stands there that nothing used.
    pub(super) fn has_unused(&self) -> bool {
        self.values.iter().enumerate().any(|(i, v)| v.is_some() && self.used & (1 << i) == 0)
    }
}

fn claim(groups: &mut u32, group: u32) -> Result<(), Code> {
    if *groups & (1 << group) != 0 {
        return Err(21);
    }
    *groups |= 1 << group;
    Ok(())
}

/// A command number in tenths.
fn tenths(value: f64) -> Result<u32, Code> {
    let tenths = (value * 10.0).round();
    if value < 0.0 || tenths > 100_000.0 || (value * 10.0 - tenths).abs() > 1e-3 {
        return Err(23);
    }
    Ok(tenths as u32)
}

/// Drops comments, spaces and `%`; upper case.
fn clean(text: &str, firmware: Firmware) -> String {
    let mut out = String::with_capacity(text.len());
    let mut comment = false;
    for c in text.chars() {
        match c {
            ')' if comment => comment = false,
            _ if comment => {}
            '(' => comment = true,
            ';' => break,
            '%' if firmware != Firmware::Grbl => break,
            '/' if firmware == Firmware::GrblHal && out.is_empty() => {}
            c if c <= ' ' => {}
            c => out.push(c.to_ascii_uppercase()),
        }
    }
    out
}

/// A number and what follows it. No exponents; FluidNC also takes simple `[a+b]` expressions.
fn number(text: &str, firmware: Firmware) -> Option<(f64, &str)> {
    if firmware == Firmware::FluidNc
        && let Some(inner) = text.strip_prefix('[')
    {
        let (expression, rest) = inner.split_once(']')?;
        return Some((sum(expression)?, rest));
    }
    let end = text
        .char_indices()
        .find(|&(i, c)| !(c.is_ascii_digit() || c == '.' || (i == 0 && (c == '+' || c == '-'))))
        .map_or(text.len(), |(i, _)| i);
    let (digits, rest) = text.split_at(end);
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

/// `1+2-0.5`, enough of an expression for a simulator.
fn sum(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let (value, after) = number(rest, Firmware::Grbl)?;
        total += value;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, firmware: Firmware) -> Code {
        Block::parse(text, firmware, 3).err().unwrap_or(0)
    }

    #[test]
    fn errors_differ_by_firmware() {
        use Firmware::{FluidNc, Grbl, GrblHal};
        for (text, grbl, fluid, hal) in [
            ("G", 2, 2, 2),
            ("FOO", 2, 2, 2),
            ("G999", 20, 20, 20),
            ("M999", 23, 20, 20),
            ("G54.5", 23, 23, 23),
            ("G20G21", 21, 21, 21),
            ("G1X1Y1X2F100", 25, 25, 25),
            ("N-1G0X0", 4, 4, 4),
            ("S-5", 4, 4, 4),
            ("/G0X3", 1, 1, 0),
            ("%", 1, 0, 0),
            ("G0 X1 (a) ; b", 0, 0, 0),
            ("X1 Q9", 20, 0, 0),
            ("G1 A1", 20, 20, 0),
            ("M6", 20, 0, 0),
            ("M64 P0", 20, 0, 0),
            ("M65 P3", 20, 0, 0),
            ("M64", 20, 28, 28),
            ("M64 P4", 20, 39, 39),
            ("M68 E1 Q40", 20, 0, 0),
            ("M68 E1", 20, 28, 28),
            ("M64 P0 M65 P1", 20, 21, 21),
            ("G81 X1 Z-1 R1", 20, 20, 0),
            ("G84 X1 Z-1 R1", 20, 20, 20),
            ("G98 G99", 20, 20, 21),
            ("G0X[1+1]", 2, 0, 2),
            ("G59.1", 20, 0, 0),
        ] {
            assert_eq!((code(text, Grbl), code(text, FluidNc), code(text, GrblHal)), (grbl, fluid, hal), "{text}");
        }
    }

    #[test]
    fn words_are_read_without_spaces_and_in_any_case() {
        let mut block = Block::parse("n10g1x-1.5y.5f1e", Firmware::GrblHal, 3);
        assert_eq!(block.as_ref().err(), Some(&2), "an E without a number");
        block = Block::parse("n10g1x-1.5y+.5f100", Firmware::GrblHal, 3);
        let mut block = block.unwrap();
        assert_eq!((block.take('X'), block.take('Y'), block.take('F')), (Some(-1.5), Some(0.5), Some(100.0)));
        assert!(!block.has_unused());
    }
}
