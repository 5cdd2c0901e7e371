//! What goes out on a bus and what can come back, without framing.

use std::fmt;
use std::time::Duration;

use crate::model::power::Table;

/// Most registers in one read (Modbus Application Protocol V1.1b3, 6.3 and 6.4).
pub const MAX_READ: u16 = 125;
/// Most registers in one write (the same, 6.12).
pub const MAX_WRITE: u16 = 123;

/// One question to one unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Unit (slave) address.
    pub unit: u8,
    /// What is asked.
    pub action: Action,
}

/// What is asked of a unit. Addresses are those on the wire, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Functions 3 and 4.
    Read {
        /// Which of the tables.
        table: Table,
        /// First register.
        address: u16,
        /// How many, 1 to [`MAX_READ`].
        count: u16,
    },
    /// Function 6.
    WriteSingle {
        /// The register.
        address: u16,
        /// Its new content.
        value: u16,
    },
    /// Function 16.
    WriteMultiple {
        /// First register.
        address: u16,
        /// New contents, 1 to [`MAX_WRITE`].
        values: Vec<u16>,
    },
}

impl Request {
    /// A read.
    pub const fn read(unit: u8, table: Table, address: u16, count: u16) -> Self {
        Self { unit, action: Action::Read { table, address, count } }
    }

    /// The function code on the wire.
    pub const fn function(&self) -> u8 {
        match &self.action {
            Action::Read { table, .. } => table.read_function(),
            Action::WriteSingle { .. } => 6,
            Action::WriteMultiple { .. } => 16,
        }
    }

    /// It changes something: it is never sent again because of a time-out.
    pub const fn is_write(&self) -> bool {
        !matches!(self.action, Action::Read { .. })
    }

    /// Whether this is an answer to it: kind, length and echo. A device or a library that mixes answers up is caught
    /// here, in every build (tokio-modbus 0.17 checks length and echo in debug builds only, by panicking).
    ///
    /// # Errors
    /// [`Failure::Framing`], which says what was expected and what came.
    pub fn check(&self, reply: &Reply) -> Result<(), Failure> {
        let fits = match (&self.action, reply) {
            (Action::Read { count, .. }, Reply::Words(words)) => words.len() == usize::from(*count),
            (Action::WriteSingle { address, value }, Reply::WroteSingle { address: a, value: v }) => {
                (address, value) == (a, v)
            }
            (Action::WriteMultiple { address, values }, Reply::WroteMultiple { address: a, count }) => {
                address == a && usize::from(*count) == values.len()
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Failure::Framing(format!("{self}: the answer was {reply}"))) }
    }

    /// Bytes of this request and of its answer as RTU frames, address and CRC included.
    pub fn rtu_bytes(&self) -> (usize, usize) {
        match &self.action {
            Action::Read { count, .. } => (8, 5 + 2 * usize::from(*count)),
            Action::WriteSingle { .. } => (8, 8),
            Action::WriteMultiple { values, .. } => (9 + 2 * values.len(), 8),
        }
    }

    /// How long it occupies a serial bus at this baud rate (8N1), with the silence before both frames
    /// (Modbus over Serial Line V1.02, 2.5.1.1: 3.5 characters, fixed at 1.75 ms above 19200 Bd), without the
    /// time that the device thinks.
    pub fn bus_time(&self, baud: u32) -> Duration {
        let bits = |count: usize| Duration::from_secs_f64(count as f64 * 10.0 / f64::from(baud.max(1)));
        let silence = if baud > 19_200 { Duration::from_micros(1750) } else { bits(7) / 2 };
        let (out, back) = self.rtu_bytes();
        bits(out) + bits(back) + silence * 2
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unit {} function {}: ", self.unit, self.function())?;
        match &self.action {
            Action::Read { table, address, count } => {
                write!(f, "read {count} {} register(s) at {address}", table.word())
            }
            Action::WriteSingle { address, value } => write!(f, "write {value} at {address}"),
            Action::WriteMultiple { address, values } => write!(f, "write {values:?} at {address}"),
        }
    }
}

/// A good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Contents of the registers that were read, in order of address.
    Words(Vec<u16>),
    /// Function 6 echoes address and value.
    WroteSingle {
        /// As echoed.
        address: u16,
        /// As echoed.
        value: u16,
    },
    /// Function 16 echoes address and count.
    WroteMultiple {
        /// As echoed.
        address: u16,
        /// As echoed.
        count: u16,
    },
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => write!(f, "{} register(s)", words.len()),
            Self::WroteSingle { address, value } => write!(f, "wrote {value} at {address}"),
            Self::WroteMultiple { address, count } => write!(f, "wrote {count} register(s) at {address}"),
        }
    }
}

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing came in time. Whether a write was taken is unknown.
    #[error("no answer in time")]
    Timeout,
    /// The device refused.
    #[error("the device refuses: {0}")]
    Exception(Exception),
    /// What came is not an answer to this request: CRC, unit, function, length or echo.
    #[error("the answer does not fit: {0}")]
    Framing(String),
    /// The link is gone.
    #[error("the link is closed: {0}")]
    Closed(String),
}

/// The exception codes (Modbus Application Protocol V1.1b3, 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exception(pub u8);

impl Exception {
    /// 01: it does not know the function.
    pub const FUNCTION: Self = Self(1);
    /// 02: it does not have the address.
    pub const ADDRESS: Self = Self(2);
    /// 03: it does not take the value or the count.
    pub const VALUE: Self = Self(3);
    /// 04: it failed while doing it.
    pub const DEVICE: Self = Self(4);
    /// 05: taken, but it takes a while.
    pub const ACKNOWLEDGE: Self = Self(5);
    /// 06: busy, ask again.
    pub const BUSY: Self = Self(6);
    /// 0A: the gateway has no path.
    pub const GATEWAY_PATH: Self = Self(10);
    /// 0B: behind the gateway nobody answers.
    pub const GATEWAY_TARGET: Self = Self(11);

    /// Asking again gets the same answer: function, address or value.
    pub const fn is_permanent(self) -> bool {
        matches!(self.0, 1..=3)
    }

    /// Waiting helps.
    pub const fn is_busy(self) -> bool {
        matches!(self.0, 5 | 6)
    }

    /// This unit cannot be reached, others can.
    pub const fn is_gateway(self) -> bool {
        matches!(self.0, 10 | 11)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.0 {
            1 => "it does not know this function",
            2 => "it does not have this register",
            3 => "it does not take this value or count",
            4 => "it failed while doing it",
            5 => "it is still working on it",
            6 => "it is busy",
            7 => "it declines",
            8 => "its memory has a parity error",
            10 => "the gateway has no path to this unit",
            11 => "behind the gateway this unit does not answer",
            _ => "an unknown reason",
        };
        write!(f, "exception {}, {words}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_the_question_passes() {
        let read = Request::read(1, Table::Holding, 10, 2);
        assert_eq!(read.check(&Reply::Words(vec![1, 2])), Ok(()));
        for wrong in [
            Reply::Words(vec![1]),
            Reply::Words(vec![1, 2, 3]),
            Reply::WroteSingle { address: 10, value: 2 },
            Reply::WroteMultiple { address: 10, count: 2 },
        ] {
            assert!(matches!(read.check(&wrong), Err(Failure::Framing(_))), "{wrong}");
        }
        let single = Request { unit: 1, action: Action::WriteSingle { address: 5, value: 20 } };
        assert_eq!(single.check(&Reply::WroteSingle { address: 5, value: 20 }), Ok(()));
        assert!(single.check(&Reply::WroteSingle { address: 5, value: 21 }).is_err());
        assert!(single.check(&Reply::WroteSingle { address: 6, value: 20 }).is_err());
        let multiple = Request { unit: 1, action: Action::WriteMultiple { address: 5, values: vec![1, 2] } };
        assert_eq!(multiple.check(&Reply::WroteMultiple { address: 5, count: 2 }), Ok(()));
        assert!(multiple.check(&Reply::WroteMultiple { address: 5, count: 1 }).is_err());
    }

    #[test]
    fn a_frame_takes_the_time_of_its_characters() {
        // 8 + 7 characters of 1.04 ms and twice 3.5 characters of silence.
        let at = |baud| Request::read(1, Table::Holding, 0, 1).bus_time(baud).as_micros();
        assert_eq!(at(9600), 22_916);
        assert_eq!(at(115_200), 1302 + 3500);
    }
}
