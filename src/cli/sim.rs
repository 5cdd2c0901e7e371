//! `sunmill sim machine`: the options of a simulated machine for other programs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::exit::Failure;
use crate::config::{MAX_BAUD, MIN_BAUD};
use crate::model::Firmware;

const PACES: std::ops::RangeInclusive<i64> = MIN_BAUD.cast_signed()..=MAX_BAUD.cast_signed();

/// As typed.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// Offer a serial device: PATH becomes a link to a pseudo-terminal
    #[arg(long, value_name = "PATH", required_unless_present = "tcp", conflicts_with = "tcp")]
    pub pty: Option<PathBuf>,

    /// Listen on TCP: host:port, or a port alone for this computer only
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub tcp: Option<SocketAddr>,

    /// Which firmware to be
    #[arg(long, value_enum, default_value_t = Personality::Fluidnc)]
    pub firmware: Personality,

    /// Pass bytes no faster than a wire of this many baud
    #[arg(long, value_name = "BAUD", value_parser = clap::value_parser!(u32).range(PACES))]
    pub pace: Option<u32>,

    /// Fail at this time, as in drop@12s; may be repeated. Kinds: drop, garbage, silence, reset, hard-limit
    #[arg(long = "fault", value_name = "KIND@TIME")]
    pub faults: Vec<Fault>,

    /// Keep the settings and the position of the machine in this file
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
}

/// A firmware that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Personality {
    /// FluidNC 4
    Fluidnc,
    /// Grbl 1.1
    Grbl,
    /// grblHAL
    Grblhal,
}

impl From<Personality> for Firmware {
    fn from(personality: Personality) -> Self {
        match personality {
            Personality::Fluidnc => Self::FluidNc,
            Personality::Grbl => Self::Grbl,
            Personality::Grblhal => Self::GrblHal,
        }
    }
}

/// What `sunmill sim machine` is asked to be.
#[derive(Clone, Debug, PartialEq)]
pub struct SimOptions {
    /// Where it is to be found.
    pub listen: Listen,
    /// Which firmware.
    pub firmware: Firmware,
    /// Baud of the simulated wire. `None`: as fast as it goes.
    pub pace: Option<u32>,
    /// Faults in order of their time.
    pub faults: Vec<Fault>,
    /// Where settings and position are kept.
    pub state: Option<PathBuf>,
}

/// Where a simulated device is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A link to a pseudo-terminal.
    Pty(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
}

/// A fault on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// When, after the start.
    pub at: Duration,
}

/// What can go wrong on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The link goes away.
    Drop,
    /// Noise on the wire.
    Garbage,
    /// No answers any more.
    Silence,
    /// The controller restarts.
    Reset,
    /// A limit switch trips.
    HardLimit,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, at) = text.split_once('@').ok_or("write KIND@TIME, as in drop@12s")?;
        let kind = match kind {
            "drop" => FaultKind::Drop,
            "garbage" => FaultKind::Garbage,
            "silence" => FaultKind::Silence,
            "reset" => FaultKind::Reset,
            "hard-limit" => FaultKind::HardLimit,
            _ => return Err(format!("{kind:?} is not one of drop, garbage, silence, reset, hard-limit")),
        };
        let (number, unit_s) = match (at.strip_suffix("ms"), at.strip_suffix('s')) {
            (Some(number), _) => (number, 0.001),
            (None, Some(number)) => (number, 1.0),
            (None, None) => return Err(format!("{at:?} is not a time; write 12s or 500ms")),
        };
        let seconds = number.parse::<f64>().map(|n| n * unit_s).map_err(|_| format!("{at:?} is not a time"))?;
        let at = Duration::try_from_secs_f64(seconds).map_err(|_| format!("{at:?} is not a time"))?;
        Ok(Self { kind, at })
    }
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    // The simulated machine has no lock on its door: a bare port is for this computer only.
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| "write an address with a port, as in 127.0.0.1:2323, or a port alone".to_owned())
}

impl From<SimArgs> for SimOptions {
    fn from(args: SimArgs) -> Self {
        let mut faults = args.faults;
        faults.sort_by_key(|fault| fault.at);
        let listen = match (args.pty, args.tcp) {
            (Some(path), _) => Listen::Pty(path),
            (None, tcp) => Listen::Tcp(tcp.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())),
        };
        Self { listen, firmware: args.firmware.into(), pace: args.pace, faults, state: args.state }
    }
}

/// Runs a simulated machine until it is told to end.
pub(super) fn machine(options: SimOptions) -> Result<(), Failure> {
    let SimOptions { listen, firmware, .. } = options;
    let place = match listen {
        Listen::Pty(path) => path.display().to_string(),
        Listen::Tcp(address) => address.to_string(),
    };
    Err(color_eyre::eyre::eyre!("the simulated {firmware} machine at {place} is not in this build yet").into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Cli, Command, SimCommand};
    use super::*;

    fn options(words: &str) -> Result<SimOptions, String> {
        let words = ["sunmill", "sim", "machine"].into_iter().chain(words.split_whitespace());
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        match cli.command {
            Some(Command::Sim(SimCommand::Machine(args))) => Ok(args.into()),
            other => panic!("not a simulated machine: {other:?}"),
        }
    }

    #[test]
    fn options_are_read() {
        let read =
            options("--pty /tmp/mill --firmware grblhal --pace 115200 --fault reset@1.5s --fault drop@500ms").unwrap();
        assert_eq!(
            read,
            SimOptions {
                listen: Listen::Pty("/tmp/mill".into()),
                firmware: Firmware::GrblHal,
                pace: Some(115_200),
                faults: vec![
                    Fault { kind: FaultKind::Drop, at: Duration::from_millis(500) },
                    Fault { kind: FaultKind::Reset, at: Duration::from_millis(1500) },
                ],
                state: None,
            }
        );
        let local = Listen::Tcp(([127, 0, 0, 1], 2323).into());
        assert_eq!(options("--tcp 2323").unwrap().listen, local);
        assert_eq!(options("--tcp :2323").unwrap().listen, local);
        assert_eq!(options("--tcp 127.0.0.1:2323").unwrap().listen, local);
        assert_eq!(options("--tcp 2323").unwrap().firmware, Firmware::FluidNc);
    }

    #[test]
    fn mistakes_are_explained() {
        for (words, expected) in [
            ("", "--pty"),
            ("--pty /tmp/mill --tcp 2323", "cannot be used with"),
            ("--tcp mill", "127.0.0.1:2323"),
            ("--tcp 1 --pace 7", "1200..=4000000"),
            ("--tcp 1 --fault boom@1s", "drop, garbage, silence, reset, hard-limit"),
            ("--tcp 1 --fault drop", "KIND@TIME"),
            ("--tcp 1 --fault drop@12", "12s or 500ms"),
            ("--tcp 1 --fault drop@-1s", "not a time"),
            ("--tcp 1 --firmware marlin", "grblhal"),
        ] {
            let error = options(words).expect_err(words);
            assert!(error.contains(expected), "{error}");
        }
    }
}
