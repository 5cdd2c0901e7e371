//! What can be typed after `sunmill`.

#![allow(rustdoc::broken_intra_doc_links, reason = "these comments are printed as they stand")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::audit::AuditArgs;
use super::bugreport::BugreportArgs;
use super::doctor::DoctorArgs;
use super::exit::CODES;
use super::inverter::InverterCommand;
use super::job::RunArgs;
use super::power_history::HistoryCommand;
use super::preview::PreviewArgs;
use super::programs::ProgramsCommand;
use super::remote::{ControlCommand, JogArgs, TakeArgs};
use super::rules::RulesCommand;
use super::sim::{Personality, SimArgs};
use super::sim_inverter::SimInverterArgs;
use super::status::StatusArgs;
use super::token::TokenCommand;
use super::watch::EventsArgs;
use crate::model::{Axis, Endpoint};

const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nmachines:  Grbl 1.1, FluidNC 3.7 to 4.0, grblHAL",
    "\nlicence:   MIT or Apache-2.0",
);

const LONG_ABOUT: &str = "\
Runs a FluidNC, Grbl or grblHAL machine from a terminal: shows where the machine is and how old that
knowledge is, jogs it by keyboard, stops it, homes it, explains alarms and sends G-code.

Without a command it opens the screen. With no port configured the screen shows a simulated machine,
labelled SIM.";

/// Without the empty lines above and below the usage, so that the list of commands fits a terminal.
const HELP: &str = "{about-with-newline}{usage-heading} {usage}\n{all-args}{after-help}";

const AFTER_HELP: &str = "A software stop is not an emergency stop circuit. Keep a real one within reach.";

const EXAMPLES: &str = "\
Examples:
  sunmill                                    try it on the simulated machine
  sunmill --port /dev/serial/by-id/usb-…     run the machine on this USB port
  sunmill --plain                            words in, lines out: for screen readers
  sunmill sim machine --pty /tmp/mill        simulate a machine for any program
  sunmill sim inverter --profile senergy --pty /tmp/sun
                                             simulate an inverter for any program
  sunmill inverter scan /dev/ttyUSB1         who is on this Modbus line
  sunmill programs list --json               what can be run, for a script
  sunmill programs history --csv             what ran, for a spreadsheet
  sunmill protocol                           what the hub's socket understands
  sunmill history export --grain day --csv   how power went, for a spreadsheet";

/// What stands below the long help.
fn after_long_help() -> String {
    [EXAMPLES, CODES, AFTER_HELP].join("\n\n")
}

/// Run a FluidNC, Grbl or grblHAL machine from a terminal.
#[derive(Debug, Parser)]
#[command(
    name = "sunmill",
    version,
    long_version = LONG_VERSION,
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    after_long_help = after_long_help(),
    max_term_width = 100,
    help_template = HELP,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Read this configuration, search for none
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The machine: a device path, tcp://host, ws://host or sim
    ///
    /// A serial device by its path, best below /dev/serial/by-id/; tcp://host[:23] for FluidNC and
    /// grblHAL on the network; ws://host[:80]/ for FluidNC 4; sim for the simulated machine. Goes
    /// before machine.port in the configuration.
    #[arg(long, global = true, value_name = "PORT")]
    pub port: Option<Endpoint>,

    /// The socket of the hub, or wss://host:port
    ///
    /// Otherwise that of $SUNMILL_SOCKET, or one of the usual places. A hub elsewhere that serves TCP ([attach.tcp] in its
    /// configuration) is wss://host:port, with the token in $SUNMILL_TOKEN or --token-file.
    #[arg(long, global = true, value_name = "FILE")]
    pub socket: Option<PathBuf>,

    /// The token for a hub elsewhere is in this file; $SUNMILL_TOKEN goes before it
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub token_file: Option<PathBuf>,

    /// Trust the certificates in this file (PEM) and no others when a hub elsewhere is attached to
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub ca: Option<PathBuf>,

    /// Words in, lines out, for screen readers and the like
    #[arg(long)]
    pub plain: bool,

    /// What to do; nothing: open the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands that are not the screen.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the keys of the screen
    Keys(KeysArgs),
    /// Check a program: problems, reach, time, energy
    ///
    /// Prints a line for each problem: file:line: error: what (what to do about it). The exit code is
    /// 0 where it may run, 1 where it must not. Work zero, homing and the state of the machine are
    /// checked on the screen, before it runs.
    Check(CheckArgs),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// List the serial devices that could be a machine
    Ports(PortsArgs),
    /// Draw a program as text; print its size, time and problems
    Preview(PreviewArgs),
    /// Play a wire log, or a scene, and print what sunmill makes of it
    Replay(ReplayArgs),
    /// Inverters: who is on a bus, what they measure, their settings
    #[command(subcommand)]
    Inverter(InverterCommand),
    /// How power went
    #[command(subcommand)]
    History(HistoryCommand),
    /// Offer a simulated device to other programs
    #[command(subcommand)]
    Sim(SimCommand),
    /// Print which programs there are, which ran, and how they ended
    #[command(subcommand)]
    Programs(ProgramsCommand),
    /// Rules: what is done when power runs short
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Bring the machine down safely: IT MOVES, if it is homed
    ///
    /// Feed hold, spindle off, position and line written down, reset at standstill, Z up, park position.
    Park(TakeArgs),
    /// Print who did what, when, and how it ended
    Audit(AuditArgs),
    /// Find what is in the way on this computer, and how to mend it
    ///
    /// Ports and who holds them, groups, ModemManager and its like, configuration, socket, database,
    /// clock, terminal. Opens no port and changes nothing. The exit code is 1 where there is a problem.
    Doctor(DoctorArgs),
    /// Gather what tells of a fault, as one text without secrets
    ///
    /// Versions, the doctor's findings, the configuration, the last of audit, log, crashes and wire.
    /// Tokens, passwords and keys are removed by their names: look through it before you send it.
    Bugreport(BugreportArgs),
    /// Run the machine without a screen; screens and scripts attach to it
    ///
    /// Ends at SIGTERM. A screen that is started while it runs attaches to it.
    Daemon,
    /// Print the state of the machine, from the sunmill that runs it
    Status(StatusArgs),
    /// Bring motion to a stand, position kept; waits until that is seen
    Stop,
    /// Feed hold; waits until that is seen
    Hold,
    /// Go on after a hold, a pause of the program or a tool change
    Resume(TakeArgs),
    /// Soft reset: at once, also while moving (position is lost then)
    Reset,
    /// Unlock after an alarm ($X): trusts the present position
    ///
    /// Where nothing is locked it is refused (exit code 5).
    Unlock(TakeArgs),
    /// Home all axes, or one: THE MACHINE MOVES
    ///
    /// Ends when it is homed. An interruption (Ctrl+C) ends the waiting and stops nothing: sunmill stop does.
    Home {
        /// Its letter
        #[arg(value_parser = axis)]
        axis: Option<Axis>,
        /// Control
        #[command(flatten)]
        take: TakeArgs,
    },
    /// Jog a distance and wait for its end: THE MACHINE MOVES
    Jog(JogArgs),
    /// Make this place the work zero of these axes
    ///
    /// In the active work coordinate system.
    Zero {
        /// Their letters
        #[arg(required = true, value_parser = axis)]
        axes: Vec<Axis>,
        /// Control
        #[command(flatten)]
        take: TakeArgs,
    },
    /// Run a program: THE MACHINE MOVES
    ///
    /// It is checked as on the screen: with errors it does not start, with warnings only with --yes.
    Run(RunArgs),
    /// Send G-code or $ commands, each when the one before was accepted
    ///
    /// Accepted is not carried out: --wait waits for that. An interruption (Ctrl+C) sends no more lines and stops nothing that
    /// was sent: sunmill stop does.
    Send {
        /// The lines
        #[arg(required = true)]
        lines: Vec<String>,
        /// Wait until the motion has ended (by a G4 P0.01 behind it)
        #[arg(long)]
        wait: bool,
        /// Control
        #[command(flatten)]
        take: TakeArgs,
    },
    /// Who is in control, who is attached; take, free; see also token
    #[command(subcommand)]
    Control(ControlCommand),
    /// Print what happened, as lines of JSON; --follow: what happens too
    Events(EventsArgs),
    /// Call a method of the hub; sunmill protocol lists them
    Rpc {
        /// The method; see sunmill protocol
        method: String,
        /// Its params, a JSON object
        params: Option<String>,
    },
    /// Tokens: who may attach over TCP
    // The line of control names it.
    #[command(subcommand, hide = true)]
    Token(TokenCommand),
    /// Print the methods and errors of the hub's protocol
    // The line of rpc names it, and the list of commands has to fit a terminal.
    #[command(hide = true)]
    Protocol,
    /// The help of a command
    // As --help behind it, which every command has.
    #[command(hide = true)]
    Help {
        /// The command
        command: Vec<String>,
    },
}

fn axis(text: &str) -> Result<Axis, String> {
    let mut letters = text.chars();
    let axis = letters.next().and_then(|letter| Axis::from_letter(letter.to_ascii_uppercase()));
    axis.filter(|_| letters.next().is_none()).ok_or_else(|| format!("{text:?} is no axis: one of X Y Z A B C U V W"))
}

/// How a listing is printed: for people, unless one of these is given.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Format {
    /// As one JSON document
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// As CSV with a line of names
    #[arg(long)]
    pub csv: bool,
}

/// Options of `sunmill keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// As the table of the README
    #[arg(long)]
    pub markdown: bool,

    /// As the [keys] section of a configuration, with every action
    #[arg(long, conflicts_with = "markdown")]
    pub toml: bool,
}

/// Options of `sunmill check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The program
    pub file: PathBuf,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
    /// What the controller runs; otherwise that of --backup, or FluidNC
    #[arg(long, value_enum, value_name = "NAME")]
    pub firmware: Option<Personality>,
    /// How many axes the machine has; otherwise those of --backup, or 3
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=9))]
    pub axes: Option<u8>,
    /// A settings backup of the machine: its rates, accelerations and travel count
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
}

/// Options of `sunmill ports`.
#[derive(Debug, Args)]
pub struct PortsArgs {
    /// As JSON, an array with an object for each device
    #[arg(long)]
    pub json: bool,
}

/// Options of `sunmill replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A file of the wire log (wire.log in the log folder), or a scene in the same format
    pub file: PathBuf,
    /// As JSON, an object a line
    #[arg(long)]
    pub json: bool,
}

/// `sunmill config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read a configuration; print ok, or its first mistake with file, line and column
    Check {
        /// The file; otherwise the one in force
        file: Option<PathBuf>,
    },
    /// Say which configuration is in force and print its values, defaults included
    Show {
        /// The file; otherwise the one in force
        file: Option<PathBuf>,
    },
}

/// `sunmill sim …`
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// A simulated machine that speaks the wire protocol of its firmware
    Machine(SimArgs),
    /// A simulated inverter that speaks Modbus as its family does
    ///
    /// Behind it a day goes by: sun and clouds, a house with a workshop, a battery and the grid. Settings that are
    /// written act, and stay until it ends.
    Inverter(SimInverterArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_for_all_commands_may_stand_anywhere() {
        for words in [&["--port", "sim", "config", "show"][..], &["config", "show", "--port", "sim"]] {
            let cli = Cli::try_parse_from(std::iter::once(&"sunmill").chain(words)).unwrap();
            assert_eq!(cli.port, Some(Endpoint::Sim));
        }
    }

    #[test]
    fn a_port_that_cannot_be_read_is_explained() {
        let error = Cli::try_parse_from(["sunmill", "--port", "COM3"]).unwrap_err().to_string();
        assert!(error.contains("--port <PORT>") && error.contains("tcp://host[:23]"), "{error}");
    }
}
