//! `sunmill sim machine`: the options of a simulated machine for other programs, and what all simulated devices need.

use std::fmt;
use std::future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use color_eyre::eyre::WrapErr;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::exit::Failure;
use super::out;
use crate::config::{MAX_BAUD, MIN_BAUD};
use crate::model::Firmware;
use crate::sim::serve::{self, ServeError, World, serve_pty, serve_tcp};
use crate::sim::{FaultPlan, Options};

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

    /// Fail at this time, as in drop@12s; may be repeated. Kinds: drop, garbage, silence, reset, hard-limit,
    /// lost-write
    #[arg(long = "fault", value_name = "KIND@TIME")]
    pub faults: Vec<FaultPlan>,

    /// Keep the settings of the machine in this file
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
}

/// A firmware, as a command line names it.
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
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Where it is to be found.
    pub listen: Listen,
    /// The machine.
    pub machine: Options,
    /// Baud of the simulated wire. `None`: as fast as it goes.
    pub pace_baud: Option<u32>,
    /// Where its settings are kept.
    pub state_file: Option<PathBuf>,
}

/// Where a simulated device is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A link to a pseudo-terminal.
    Pty(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
}

pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    // A simulated device has no lock on its door: a bare port is for this computer only.
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| "write an address with a port, as in 127.0.0.1:2323, or a port alone".to_owned())
}

impl From<SimArgs> for SimOptions {
    fn from(args: SimArgs) -> Self {
        let listen = match (args.pty, args.tcp) {
            (Some(path), _) => Listen::Pty(path),
            (None, tcp) => Listen::Tcp(tcp.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())),
        };
        let network = matches!(listen, Listen::Tcp(_));
        let machine = Options { faults: args.faults, network, ..Options::new(args.firmware.into()) };
        Self { listen, machine, pace_baud: args.pace, state_file: args.state }
    }
}

/// Runs a simulated machine until it is told to end: by `quit` on stdin, or by SIGINT, SIGTERM or SIGHUP.
///
/// Where it is found is printed once it can be opened; what is typed to it meanwhile (`help` lists it) plays the
/// person beside the machine.
pub(super) fn machine(options: SimOptions) -> Result<(), Failure> {
    until_signal(run(options))
}

/// Runs a simulated device until it ends, or SIGINT, SIGTERM or SIGHUP comes.
pub(super) fn until_signal(served: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().wrap_err("cannot start the runtime")?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::select! {
            result = served => result,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            _ = hangup.recv() => Ok(()),
        }
    })
}

/// A running server.
pub(super) type Served<'a> = Pin<Box<dyn Future<Output = Result<(), ServeError>> + 'a>>;

async fn run(options: SimOptions) -> Result<(), Failure> {
    let SimOptions { listen, machine, pace_baud, state_file } = options;
    let firmware = machine.firmware;
    let world = match state_file {
        Some(file) => World::with_state_file(machine, pace_baud, &file)?,
        None => World::new(machine, pace_baud),
    };
    let (controls, mut orders) = mpsc::channel(16);
    listen_to_stdin(controls.clone());
    let (place, mut served): (String, Served<'_>) = match &listen {
        Listen::Pty(path) => (path.display().to_string(), Box::pin(serve_pty(world, path, &mut orders, out::words))),
        Listen::Tcp(address) => {
            let listener = serve::listen(&address.to_string()).await?;
            let place = listener.local_addr()?.to_string();
            (place, Box::pin(serve_tcp(world, listener, &mut orders, out::words)))
        }
    };
    let words = format!("A simulated {firmware} machine is at {place}. Type help to see what can be done to it.");
    announced(&mut served, &place, &words).await?;
    drop(controls);
    Ok(())
}

/// Serves to the end, and tells where the device is as soon as it is there.
pub(super) async fn announced(served: &mut Served<'_>, place: &str, words: &str) -> Result<(), Failure> {
    // The port opens when it is first looked at; only then is it true that it can be found.
    tokio::select! {
        biased;
        ended = &mut *served => return Ok(ended?),
        () = future::ready(()) => {}
    }
    out::data(&format!("{place}\n"))?;
    out::words(words);
    Ok(served.await?)
}

/// What is typed, line by line, as orders. The end of stdin orders nothing.
pub(super) fn listen_to_stdin<C>(controls: mpsc::Sender<C>)
where
    C: FromStr<Err: fmt::Display> + Send + 'static,
{
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
            match line.parse::<C>() {
                Ok(control) => {
                    if controls.blocking_send(control).is_err() {
                        return;
                    }
                }
                Err(error) => out::words(&format!("{error}")),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Cli, Command, SimCommand};
    use super::*;
    use crate::sim::Fault;

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
        assert_eq!(read.listen, Listen::Pty("/tmp/mill".into()));
        assert_eq!((read.machine.firmware, read.machine.network), (Firmware::GrblHal, false));
        assert_eq!(read.pace_baud, Some(115_200));
        let faults: Vec<_> = read.machine.faults.iter().map(|plan| (plan.fault, plan.after.as_millis())).collect();
        assert_eq!(faults, [(Fault::Reset, 1500), (Fault::Drop, 500)]);

        let local = Listen::Tcp(([127, 0, 0, 1], 2323).into());
        for address in ["2323", ":2323", "127.0.0.1:2323"] {
            let read = options(&format!("--tcp {address} --state mill.txt")).unwrap();
            assert_eq!(read.listen, local);
            assert_eq!((read.machine.firmware, read.machine.network), (Firmware::FluidNc, true));
            assert_eq!((read.pace_baud, read.state_file), (None, Some("mill.txt".into())));
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for (words, expected) in [
            ("", "--pty"),
            ("--pty /tmp/mill --tcp 2323", "cannot be used with"),
            ("--tcp mill", "127.0.0.1:2323"),
            ("--tcp 1 --pace 7", "1200..=4000000"),
            ("--tcp 1 --fault boom@1s", "drop, garbage, silence, reset, hard-limit or lost-write"),
            ("--tcp 1 --fault drop@-1s", "is not a time"),
            ("--tcp 1 --firmware marlin", "grblhal"),
        ] {
            let error = options(words).expect_err(words);
            assert!(error.contains(expected), "{error}");
        }
    }
}
