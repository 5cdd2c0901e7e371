//! `sunmill sim inverter`: a simulated inverter for other programs.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::sync::mpsc;

use super::exit::Failure;
use super::out;
use super::own_profiles::Profiles;
use super::profiles;
use super::sim::{Served, announced, listen_address, listen_to_stdin, until_signal};
use crate::sim::InverterOptions;
use crate::sim::inverter::{Framing, InverterFaultPlan};
use crate::sim::serve::{self, Bus, serve_bus_tcp, serve_pty};

/// Seconds of its day in a second: from a tenth to an hour.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=3600.0;

/// As typed.
#[derive(Debug, Args)]
pub struct SimInverterArgs {
    /// The family: a profile that comes with sunmill (a beginning of its name is enough), or a file
    #[arg(long, value_name = "NAME")]
    pub profile: String,

    #[command(flatten)]
    pub place: Place,

    /// Its unit address; otherwise the profile's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=247))]
    pub unit: Option<u8>,

    /// Seconds of its day in a second, up to 3600
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,

    /// Keep its settings in this file
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Fail at this time, as in grid-loss@30s; may be repeated. Kinds: late=800ms, short, wrong-echo, garbage, silence,
    /// busy, exception=ADDRESS:CODE, grid-loss, overload, unit-swap
    #[arg(long = "fault", value_name = "KIND@TIME")]
    pub faults: Vec<InverterFaultPlan>,
}

/// Where it is to be found: one of these.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// RTU on a serial device: PATH becomes a link to a pseudo-terminal
    #[arg(long, value_name = "PATH")]
    pub pty: Option<PathBuf>,

    /// Modbus TCP: host:port, or a port alone for this computer only
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub tcp: Option<SocketAddr>,

    /// RTU frames over TCP, as behind a serial server
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub rtu_tcp: Option<SocketAddr>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
    speed.ok_or_else(|| "write how many seconds of the day go by in a second: 0.1 to 3600".to_owned())
}

/// Runs a simulated inverter until it is told to end: by `quit` on stdin, or by SIGINT, SIGTERM or SIGHUP.
///
/// Where it is found is printed once it can be opened; what is typed to it meanwhile (`help` lists it) plays grid,
/// cable and trouble.
pub(super) fn inverter(args: SimInverterArgs) -> Result<(), Failure> {
    let profile = profiles::find(&Profiles::default(), &args.profile)?;
    let framing = if args.place.tcp.is_some() { Framing::Tcp } else { Framing::Rtu };
    let options = InverterOptions {
        unit: args.unit,
        speed: args.speed,
        faults: args.faults,
        ..InverterOptions::new(profile, framing)
    };
    until_signal(run(options, args.place, args.state))
}

async fn run(options: InverterOptions, place: Place, state: Option<PathBuf>) -> Result<(), Failure> {
    let brand = options.profile.brand.clone();
    let services: Vec<String> = options.profile.link.services.iter().map(|service| service.name.clone()).collect();
    let bus = match state {
        Some(file) => Bus::with_state_file(options, &file)?,
        None => Bus::new(options),
    };
    let units = bus.with(|inverter| inverter.units().to_vec());
    let (controls, mut orders) = mpsc::channel(16);
    listen_to_stdin(controls.clone());
    let (at, mut served): (String, Served<'_>) = match (&place.pty, place.tcp.or(place.rtu_tcp)) {
        (Some(path), _) => (path.display().to_string(), Box::pin(serve_pty(bus, path, &mut orders, out::words))),
        (None, address) => {
            let address = address.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
            let listener = serve::listen(&address.to_string()).await?;
            let at = listener.local_addr()?.to_string();
            (at, Box::pin(serve_bus_tcp(bus, listener, &mut orders, out::words)))
        }
    };
    announced(&mut served, &at, &introduced(&brand, &at, &units, &services)).await?;
    drop(controls);
    Ok(())
}

fn introduced(brand: &str, at: &str, units: &[u8], services: &[String]) -> String {
    let main = units.first().copied().unwrap_or(1);
    let others: Vec<String> =
        services.iter().zip(units.iter().skip(1)).map(|(name, unit)| format!("{name} is unit {unit}")).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    format!("A simulated {brand} is at {at}, unit {main}{others}. Type help to see what can be done to it.")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Cli, Command, SimCommand};
    use super::*;
    use crate::sim::inverter::InverterFault;

    fn args(words: &str) -> Result<SimInverterArgs, String> {
        let words = ["sunmill", "sim", "inverter"].into_iter().chain(words.split_whitespace());
        match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
            Some(Command::Sim(SimCommand::Inverter(args))) => Ok(args),
            other => panic!("not a simulated inverter: {other:?}"),
        }
    }

    #[test]
    fn options_are_read() {
        let read =
            args("--profile senergy --pty /tmp/sun --unit 3 --speed 60 --fault busy --fault late=1s@2s").unwrap();
        assert_eq!(read.place, Place { pty: Some("/tmp/sun".into()), tcp: None, rtu_tcp: None });
        assert_eq!((read.profile.as_str(), read.unit, read.speed), ("senergy", Some(3), 60.0));
        assert_eq!(read.faults[0].fault, InverterFault::Busy);
        assert_eq!(read.faults[1].after.as_secs(), 2);
        assert_eq!(args("--profile v --rtu-tcp 5020").unwrap().place.rtu_tcp, Some(([127, 0, 0, 1], 5020).into()));
        assert_eq!(args("--profile v --tcp :502").unwrap().place.tcp, Some(([127, 0, 0, 1], 502).into()));
    }

    #[test]
    fn mistakes_are_explained() {
        for (words, expected) in [
            ("--pty /tmp/sun", "--profile"),
            ("--profile senergy", "--pty"),
            ("--profile senergy --pty /tmp/sun --tcp 1", "cannot be used with"),
            ("--profile senergy --tcp 1 --unit 0", "1..=247"),
            ("--profile senergy --tcp 1 --speed 0", "0.1 to 3600"),
            ("--profile senergy --tcp 1 --fault drop", "grid-loss"),
        ] {
            let error = args(words).expect_err(words);
            assert!(error.contains(expected), "{words}: {error}");
        }
    }
}
