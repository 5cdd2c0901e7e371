//! What the doctor has seen, as plain values.

use std::path::PathBuf;

use crate::model::desk::Candidate;

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The configuration.
    pub config: ConfigFacts,
    /// The person and the groups.
    pub user: User,
    /// The serial devices that are there.
    pub ports: Vec<Port>,
    /// Programs that run and like to open serial devices that are not theirs.
    pub intruders: Vec<Intruder>,
    /// Where a hub may be.
    pub sockets: Vec<Socket>,
    /// The port over which the hub is served. `None`: none is configured.
    pub tcp: Option<Tcp>,
    /// The store.
    pub store: Kept,
    /// Where log files go.
    pub log: Kept,
    /// The clock.
    pub clock: Clock,
    /// The terminal.
    pub terminal: Terminal,
}

/// The configuration, as far as it can be used.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigFacts {
    /// The file in force, in words.
    pub source: String,
    /// Its first mistake.
    pub mistake: Option<String>,
    /// The mistake is that it cannot be read at all.
    pub unread: bool,
    /// Inverters that cannot be used, each with its reason.
    pub unusable: Vec<String>,
    /// Serial devices that are configured.
    pub serial: Vec<Configured>,
    /// The machine, in words.
    pub machine: String,
    /// Nothing is configured, so the simulated machine runs.
    pub simulated: bool,
}

/// A serial device that is configured.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    /// As written.
    pub path: PathBuf,
    /// What for.
    pub what: String,
    /// The device without links. `None`: it is not there.
    pub device: Option<PathBuf>,
    /// This user may read and write it.
    pub allowed: bool,
}

/// Who runs the doctor.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    /// By name, or by number where it has none.
    pub name: String,
    /// May do everything.
    pub root: bool,
    /// Groups of this process.
    pub groups: Vec<String>,
    /// Groups that the system's list gives the user from the next login on.
    pub listed: Vec<String>,
    /// There is a group `sunmill`.
    pub has_sunmill: bool,
    /// The group that serial devices usually have on this system, if it has one.
    pub serial_group: Option<String>,
}

/// A serial device.
#[derive(Clone, Debug)]
pub(super) struct Port {
    /// Its names, what it is and who has it open.
    pub candidate: Candidate,
    /// Its name by the socket that it is in.
    pub by_path: Option<PathBuf>,
    /// This user may read and write it.
    pub allowed: bool,
    /// The group that may, where there is one that a user can join; else empty.
    pub group: String,
    /// A udev rule keeps ModemManager away from it.
    pub modem_ignored: bool,
    /// The udev rule that gives it to brltty.
    pub brltty_rule: Option<PathBuf>,
}

/// A program that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Intruder {
    /// Its name, as the kernel has it.
    pub name: String,
    /// Its process.
    pub pid: u32,
}

/// A place of a hub's socket.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    /// Where.
    pub path: PathBuf,
    /// What is there.
    pub state: SocketState,
    /// Everybody on this computer may write to it.
    pub open_to_all: bool,
}

/// What is at a socket's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SocketState {
    /// Nothing.
    Absent,
    /// A hub answers: its version, its machine.
    Answers { server: String, machine: String },
    /// It was left behind by one that has ended.
    Stale,
    /// Something else: a file, a folder.
    NoSocket,
    /// This user may not.
    NotAllowed,
    /// Somebody, but no hub that this sunmill understands; or it cannot be told.
    Strange(String),
}

/// The port over which the hub is served.
#[derive(Clone, Debug)]
pub(super) struct Tcp {
    /// Address and port.
    pub listen: String,
    /// Only this computer reaches it.
    pub loopback: bool,
    /// Who is there.
    pub port: PortState,
    /// Until when its certificate is valid, in seconds of Unix time, as far as that can be told; or what is wrong with it.
    /// `None`: there is none.
    pub certificate: Option<Result<Option<u64>, String>>,
    /// How many tokens are good, and how many are over; or what is wrong with them.
    pub tokens: Result<(usize, usize), String>,
    /// Where they are.
    pub tokens_file: String,
    /// Who has none comes in too.
    pub without_token: bool,
    /// The time of this computer, in seconds of Unix time.
    pub now_s: u64,
}

/// Who is at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PortState {
    /// A sunmill, and whether what runs the machine goes on in it.
    Answers { well: bool },
    /// Nobody.
    Nobody,
    /// Somebody else.
    Strange,
}

/// Something that is kept on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// Where. `None`: there is no home folder and none is configured.
    pub path: Option<PathBuf>,
    /// It is there.
    pub exists: bool,
    /// Why it cannot be written.
    pub unwritable: Option<String>,
    /// Why it cannot be used.
    pub trouble: Option<String>,
    /// How large it is.
    pub bytes: u64,
    /// What is free beside it.
    pub free_bytes: Option<u64>,
}

/// The clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// The year that it shows.
    pub year: i16,
    /// Set by a time server. `None`: it cannot be told.
    pub synchronised: Option<bool>,
    /// The program that should set it.
    pub service: Option<String>,
}

/// The terminal.
#[derive(Clone, Debug, Default)]
pub(super) struct Terminal {
    /// There is one.
    pub present: bool,
    /// `$TERM`.
    pub term: String,
    /// Columns and rows.
    pub size: Option<(u16, u16)>,
    /// The locale says UTF-8.
    pub utf8: bool,
    /// Colours are drawn.
    pub colour: bool,
    /// How many colours it has, as far as it says.
    pub colours: Colours,
    /// tmux, screen or zellij is in between.
    pub multiplexed: bool,
    /// Through SSH.
    pub ssh: bool,
    /// It tells when a key is let go. `None`: it did not answer.
    pub key_releases: Option<bool>,
    /// The keyboard of this computer can be read, for the Linux console.
    pub reads_keyboard: bool,
}

/// How many colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Colours {
    /// 16, which are enough.
    #[default]
    Sixteen,
    /// 256.
    Many,
    /// All.
    True,
}
