//! What a screen asks of the house around the hub and gets an answer to: serial devices, small files.
//!
//! Questions go through [`Hub::ask`](super::Hub::ask), answers come back among its news. Nothing here is asked of the
//! machine in hand.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::audit::{AuditAsk, AuditPage};
use super::machine::{Identity, MachineState};
use super::power::{PowerAnswer, PowerQuery};
use super::program::{ProgramAnswer, ProgramQuery};

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Query {
    /// Which serial devices are there? Opens none.
    Ports,
    /// Opens this device, asks `?` and `$I`, and closes it. Only for a device that a person picked from the list.
    AskPort(PathBuf),
    /// Writes this device into the user's configuration as the machine's port.
    RememberPort(PathBuf),
    /// Keeps the lines typed so far, oldest first. Answered only when it fails.
    SaveHistory(Vec<String>),
    /// Writes a text into a dated file of the user.
    SaveConsole(String),
    /// Writes a table into a dated file of the user, whose name begins with this.
    SaveTable {
        /// A word or two, such as `registers-roof`.
        name: String,
        /// The table.
        text: String,
    },
    /// Rows of the audit.
    Audit(AuditAsk),
    /// About programs.
    Program(ProgramQuery),
    /// About inverters.
    Power(PowerQuery),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// The devices, best names first.
    Ports(Vec<Candidate>),
    /// What a device answered, or why it could not be asked.
    PortAsked {
        /// The device.
        path: PathBuf,
        /// What it said of itself.
        result: Result<PortAnswer, String>,
    },
    /// Something was done or could not be: words for the person.
    Done(Result<String, String>),
    /// Rows of the audit, or why they cannot be read.
    Audit(Result<AuditPage, String>),
    /// About programs.
    Program(ProgramAnswer),
    /// About inverters.
    Power(PowerAnswer),
}

/// A serial device that could be a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The name to configure: the one that lasts longest.
    pub path: PathBuf,
    /// The device behind it, such as `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// What kind of name `path` is.
    pub name: PortName,
    /// What the device says of itself on USB.
    pub usb: Option<Usb>,
    /// What it is configured for. Never asked here.
    pub configured_for: Option<String>,
    /// The program that has it open. Never asked here.
    pub held_by: Option<String>,
}

/// What a device's name hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortName {
    /// Its maker, product and serial number: the same in every socket.
    ById,
    /// The socket it is in.
    ByPath,
    /// The order in which devices were found: another one after the next start.
    Tty,
}

/// What a device says of itself on USB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usb {
    /// `vendor:product`, four hexadecimal digits each.
    pub id: String,
    /// Maker and product in words, where told.
    pub product: String,
    /// Serial number, where told.
    pub serial: Option<String>,
}

/// What a device answered to `?` and `$I`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortAnswer {
    /// Who it is, if it said so.
    pub identity: Option<Identity>,
    /// Its state, if it told one.
    pub state: Option<MachineState>,
    /// The same in words, or what came instead.
    pub words: String,
}

impl Candidate {
    /// Why it is not to be opened.
    pub fn taken(&self) -> Option<String> {
        match (&self.configured_for, &self.held_by) {
            (Some(what), _) => Some(format!("configured for {what}")),
            (None, Some(who)) => Some(format!("in use by {who}")),
            (None, None) => None,
        }
    }

    /// What it is, in a few words.
    pub fn what(&self) -> String {
        match &self.usb {
            Some(usb) => format!("{} ({})", usb.product, usb.id),
            None => "serial port of this computer".to_owned(),
        }
    }
}
