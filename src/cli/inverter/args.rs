//! What can be typed after `sunmill inverter`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::attached::{ListArgs, SetArgs};
use super::place::Place;

/// `sunmill inverter …`
#[derive(Debug, Subcommand)]
pub enum InverterCommand {
    /// Print the configured inverters, from the sunmill that runs
    List(ListArgs),
    /// Change settings, through the sunmill that runs: shows before and after, asks, writes, reads back
    Set(SetArgs),
    /// Ask who is on a bus: serial numbers and a few readings, nothing is written
    ///
    /// One place at a time, and never the port of the machine or one that a running sunmill holds. What fits none of the profiles
    /// is told too.
    Scan(ScanArgs),
    /// Print what an inverter measures now: as the sunmill that runs knows it, else asked once
    Show(ShowArgs),
    /// Print its registers: address, words, value, age and what they are for
    Registers(RegistersArgs),
    /// Profiles: what sunmill knows of each family of inverters
    #[command(subcommand)]
    Profiles(ProfilesCommand),
}

/// Options of `sunmill inverter scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Where: a serial device, tcp://host[:502] or rtu+tcp://host:port; otherwise the configured buses, one after the other
    #[arg(value_name = "PLACE")]
    pub places: Vec<Place>,
    /// These unit addresses, as in 1,3-5; otherwise those that the profiles use
    #[arg(long, value_name = "LIST", value_parser = units)]
    pub units: Option<Units>,
    /// This profile only (a beginning of its name is enough), or a file
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Bits per second of a serial line; otherwise as configured, or those that the profiles use, one after the other
    #[arg(long, value_name = "N")]
    pub baud: Option<u32>,
    /// As JSON, an array with an object for each device that answered
    #[arg(long)]
    pub json: bool,
}

/// Unit addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units(pub Vec<u8>);

/// Which inverter.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// Its name in the configuration; see sunmill inverter list
    #[arg(required_unless_present = "at")]
    pub name: Option<String>,
    /// Where one is that is not configured: a serial device, tcp://host[:502] or rtu+tcp://host:port
    #[arg(long, value_name = "PLACE", conflicts_with = "name", requires = "profile")]
    pub at: Option<Place>,
    /// What that is: a profile (a beginning of its name is enough), a file, or sunspec
    #[arg(long, value_name = "NAME", conflicts_with = "name", requires = "at")]
    pub profile: Option<String>,
    /// Its unit address; otherwise the profile's
    #[arg(long, value_name = "N", conflicts_with = "name", value_parser = clap::value_parser!(u8).range(1..=255))]
    pub unit: Option<u8>,
    /// Bits per second of its serial line; otherwise the profile's
    #[arg(long, value_name = "N", conflicts_with = "name")]
    pub baud: Option<u32>,
}

/// Options of `sunmill inverter show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    pub which: Which,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `sunmill inverter registers`.
#[derive(Debug, Args)]
pub struct RegistersArgs {
    #[command(flatten)]
    pub which: Which,
    /// Only those with this in their id, value or note, or at this address
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// As JSON, an array with an object for each
    #[arg(long)]
    pub json: bool,
}

/// `sunmill inverter profiles …`
#[derive(Debug, Subcommand)]
pub enum ProfilesCommand {
    /// List the profiles: those that come with sunmill, and those of one's own folder
    List {
        /// As JSON, an array with an object for each
        #[arg(long)]
        json: bool,
    },
    /// Show a profile with its registers
    Show {
        /// Its name (a beginning is enough), or a file
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Check a profile; print ok, or everything that is wrong with file and line
    Check {
        /// The file
        file: PathBuf,
    },
}

/// `1,3-5`.
fn units(text: &str) -> Result<Units, String> {
    let wrong = || format!("{text:?} is no list of unit addresses from 1 to 255: write it as in 1,3-5");
    let one = |text: &str| text.trim().parse::<u8>().ok().filter(|unit| *unit > 0);
    let mut units = Vec::new();
    for part in text.split(',') {
        let (from, until) = part.split_once('-').unwrap_or((part, part));
        let (from, until) = one(from).zip(one(until)).filter(|(from, until)| from <= until).ok_or_else(wrong)?;
        units.extend(from..=until);
    }
    units.sort_unstable();
    units.dedup();
    Ok(Units(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_units_are_read() {
        assert_eq!(units("1,3-5, 4").unwrap().0, [1, 3, 4, 5]);
        for text in ["", "0", "256", "5-3", "a", "1,,2"] {
            assert!(units(text).unwrap_err().contains("as in 1,3-5"), "{text}");
        }
    }
}
