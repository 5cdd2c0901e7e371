//! Why a port cannot be opened, and what to do about it.

use std::path::{Path, PathBuf};

use super::holder::Holder;

/// A port could not be opened. The text says what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The path does not exist.
    #[error("there is no port {}: {}", path.display(), candidates(near))]
    NoSuchPort {
        /// As configured.
        path: PathBuf,
        /// Serial devices that do exist.
        near: Vec<PathBuf>,
    },
    /// The device exists, but this user may not use it.
    #[error("no permission for {}: {}", path.display(), join_group(group.as_deref()))]
    PermissionDenied {
        /// As configured.
        path: PathBuf,
        /// The group to join: the one that may use the device, where there is one and it has a name.
        group: Option<String>,
    },
    /// Somebody else has it.
    #[error("{port} is in use by {}: end that program first", holder_name(holder.as_ref()))]
    Busy {
        /// As configured.
        port: String,
        /// Who, where it can be known.
        holder: Option<Holder>,
    },
    /// The path is no terminal device.
    #[error("{} is not a serial device: give the path of one, best below /dev/serial/by-id", path.display())]
    NotATty {
        /// As configured.
        path: PathBuf,
    },
    /// Anything else about a serial device.
    #[error("cannot open {}: {why}", path.display())]
    Serial {
        /// As configured.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The host name cannot be resolved.
    #[error("the host {host} is not known ({why}): check the name, or give the address")]
    NoSuchHost {
        /// As configured.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// Nobody listens there.
    #[error("{address} refuses the connection: check the port number, and that the controller serves it")]
    Refused {
        /// Host and port.
        address: String,
    },
    /// No answer.
    #[error("no answer from {address} within {seconds} s: check that the controller is on and in this network")]
    TimedOut {
        /// Host and port.
        address: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Anything else about the network.
    #[error("cannot connect to {address}: {why}")]
    Network {
        /// Host and port.
        address: String,
        /// What the system said.
        why: String,
    },
    /// It listens, but speaks no WebSocket.
    #[error("{url} does not answer as a WebSocket ({why}): FluidNC 4 serves it on its HTTP port, path /")]
    NoWebSocket {
        /// The address.
        url: String,
        /// What came instead.
        why: String,
    },
    /// `sim`, but the program was started without a simulator.
    #[error("there is no simulated machine in this process")]
    NoSimulator,
}

fn candidates(near: &[PathBuf]) -> String {
    if near.is_empty() {
        return "no serial device is connected; check cable and power".to_owned();
    }
    let names: Vec<_> = near.iter().map(|path| path.display().to_string()).collect();
    format!("connected are {}", names.join(", "))
}

fn join_group(group: Option<&str>) -> String {
    match group {
        Some(group) => {
            format!("join its group with `sudo usermod -aG {group} $USER`, then log out and in again")
        }
        None => "no group that you could join may use it; a udev rule can give it to the group dialout".to_owned(),
    }
}

fn holder_name(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another program".to_owned(), ToString::to_string)
}

/// Serial devices by their lasting names, for the message when the configured one is missing.
pub(super) fn devices_in(dir: &Path) -> Vec<PathBuf> {
    const MOST: usize = 4;
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    found.truncate(MOST);
    found
}

/// The name of a group in the text of `/etc/group`.
pub(super) fn group_name(groups: &str, gid: u32) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_to_do() {
        let path = PathBuf::from("/dev/ttyUSB0");
        let missing = OpenError::NoSuchPort { path: path.clone(), near: vec!["/dev/serial/by-id/usb-A".into()] };
        assert_eq!(missing.to_string(), "there is no port /dev/ttyUSB0: connected are /dev/serial/by-id/usb-A");
        let denied = OpenError::PermissionDenied { path: path.clone(), group: Some("dialout".into()) };
        assert!(denied.to_string().contains("sudo usermod -aG dialout $USER"), "{denied}");
        let closed = OpenError::PermissionDenied { path: path.clone(), group: None };
        assert!(closed.to_string().contains("udev rule"), "{closed}");
        let busy = OpenError::Busy {
            port: "/dev/ttyUSB0".into(),
            holder: Some(Holder { pid: 42, command: Some("minicom".into()) }),
        };
        assert!(busy.to_string().contains("in use by minicom (pid 42)"), "{busy}");
    }

    #[test]
    fn a_group_is_found_by_number() {
        let groups = "root:x:0:\ndialout:x:20:pi\nbroken\nvideo:x:44:";
        assert_eq!(group_name(groups, 20).as_deref(), Some("dialout"));
        assert_eq!(group_name(groups, 21), None);
    }

    #[test]
    fn candidates_are_few_and_sorted() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["d", "a", "c", "b", "e"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let names: Vec<_> = devices_in(dir.path()).iter().map(|p| p.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert!(devices_in(&dir.path().join("none")).is_empty());
    }
}
