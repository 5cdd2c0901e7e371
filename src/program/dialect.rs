//! What the controller at hand takes, so that what it would refuse is found before it is sent.
//!
//! Sources: Grbl 1.1h `gcode.c`, FluidNC 4 `GCode.cpp`, grblHAL `gcode.c`.

use super::block::Code;
use crate::model::axes::LETTERS;
use crate::model::machine::Firmware;
use crate::model::outputs::Output;
use crate::model::snapshot::Machine;

/// Whether a controller takes a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Yes,
    /// It depends on how it was built or set up; the text says on what.
    Depends(&'static str),
    /// It answers `error:20`.
    No,
}

/// A controller, as a program meets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// The family.
    pub firmware: Firmware,
    /// How many axes it has, the first of X Y Z A B C U V W.
    pub axes: usize,
    /// Laser mode (`$32=1`): M4 is power that follows the speed, and nothing waits for a spindle.
    pub laser: bool,
    /// Option letters of `$I`, where they were told.
    pub options: Option<String>,
    /// Inches are in force when the program starts (`$G`), in case it names no unit.
    pub starts_in_inches: bool,
    /// Relative distances are in force when the program starts (`$G`).
    pub starts_relative: bool,
    /// Lines are sent as short as they can be ([`Compactor`](super::Compactor)), so that only what is left counts as their length.
    pub compact: bool,
    /// Whoever sends the program stops at M6 by itself and asks a person to change the tool.
    pub asks_for_tools: bool,
    /// Outputs that have names, with their caps.
    pub outputs: Vec<Output>,
}

impl Dialect {
    /// A controller with so many axes, as after a reset.
    pub const fn new(firmware: Firmware, axes: usize) -> Self {
        Self {
            firmware,
            axes,
            laser: false,
            options: None,
            starts_in_inches: false,
            starts_relative: false,
            compact: true,
            asks_for_tools: false,
            outputs: Vec::new(),
        }
    }

    /// With the caps of these outputs.
    #[must_use]
    pub fn with_outputs(self, outputs: &[Output]) -> Self {
        Self { outputs: outputs.to_vec(), ..self }
    }

    /// The machine as it stands. One that has not told who it is counts as FluidNC. Tool changes are asked for by whoever sends the
    /// program, as they are unless the controller is told to make them.
    pub fn of(machine: &Machine) -> Self {
        let identity = machine.identity.as_ref();
        let firmware = identity.map_or(Firmware::FluidNc, |identity| identity.firmware);
        let modal = |word| machine.modal.as_ref().is_some_and(|modal| modal.has(word));
        let laser = machine.settings.find("32").is_some_and(|row| row.value.trim() == "1");
        Self {
            laser,
            options: identity.map(|identity| identity.options.clone()),
            starts_in_inches: modal("G20"),
            starts_relative: modal("G91"),
            asks_for_tools: true,
            ..Self::new(firmware, machine.axis_count())
        }
    }

    /// Whether it takes a G-code (in tenths).
    pub const fn g(&self, code: Code) -> Support {
        match code {
            0
            | 10
            | 20
            | 30
            | 40
            | 100
            | 170
            | 180
            | 190
            | 200
            | 210
            | 280
            | 281
            | 300
            | 301
            | 382..=385
            | 400
            | 431
            | 490 => Support::Yes,
            530 | 540 | 550 | 560 | 570 | 580 | 590 | 610 | 800 | 900 | 910 | 911 | 920 | 921 | 930 | 940 => {
                Support::Yes
            }
            591..=593 if !matches!(self.firmware, Firmware::Grbl) => Support::Yes,
            _ if matches!(self.firmware, Firmware::GrblHal) => Self::g_of_grblhal(code),
            _ => Support::No,
        }
    }

    const fn g_of_grblhal(code: Code) -> Support {
        match code {
            50 | 51 | 500 | 510 | 730 | 810 | 820 | 830 | 850 | 860 | 890 | 922 | 923 | 950 | 980 | 990 => Support::Yes,
            70 | 80 | 960 | 970 => Support::Depends("lathe mode ($32=2)"),
            330 | 760 => Support::Depends("a spindle with an encoder"),
            430 | 432 => Support::Depends("a tool table"),
            611 | 640 => Support::Depends("its version"),
            _ => Support::No,
        }
    }

    /// Whether it takes an M-code (in tenths).
    pub fn m(&self, code: Code) -> Support {
        let fraction_is_known = self.firmware == Firmware::FluidNc && matches!(code, 71 | 81);
        if !code.is_multiple_of(10) && !fraction_is_known {
            return Support::No;
        }
        let mist = || match (&self.options, self.firmware) {
            (Some(options), Firmware::Grbl) if !options.contains('M') => Support::No,
            (_, Firmware::GrblHal) => Support::Depends("a mist coolant output"),
            _ => Support::Yes,
        };
        match (self.firmware, code / 10) {
            (_, 0..=3 | 5 | 8 | 9 | 30) => Support::Yes,
            (_, 7) => mist(),
            (Firmware::FluidNc, 4) if !self.laser => Support::Depends("a spindle that can turn both ways, or a laser"),
            (_, 4) => Support::Yes,
            (Firmware::Grbl, 6) => Support::No,
            (_, 6) => Support::Yes,
            (_, 56) => Support::Depends("parking override control"),
            (Firmware::Grbl, _) => Support::No,
            (_, 61) => Support::Yes,
            (_, 62..=68) => Support::Depends("configured inputs and outputs"),
            (Firmware::GrblHal, 48..=51 | 53 | 60) => Support::Yes,
            (Firmware::GrblHal, 70..=73 | 99) => Support::Depends("its version"),
            (Firmware::GrblHal, 100..) => Support::Depends("its plugins"),
            _ => Support::No,
        }
    }

    /// Letters other than G and M that it knows: bit 0 is A. An axis that the machine does not have is not among them.
    pub fn letters(&self) -> u32 {
        let known: &[u8] = match self.firmware {
            Firmware::Grbl => b"FIJKLNPRST",
            Firmware::FluidNc => b"DEFIJKLNPQRST",
            Firmware::GrblHal => b"DEFHIJKLNPQRST",
        };
        let known = known.iter().fold(0, |set, letter| set | 1 << (letter - b'A'));
        LETTERS.iter().take(self.axes).fold(known, |set, letter| set | 1 << (*letter as u32 - 'A' as u32))
    }

    /// It reads parameters and expressions.
    pub const fn expressions(&self) -> Support {
        match self.firmware {
            Firmware::Grbl => Support::No,
            Firmware::FluidNc => Support::Yes,
            Firmware::GrblHal => Support::Depends("how it was built"),
        }
    }
}
