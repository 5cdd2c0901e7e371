//! Who holds a device.

use std::fmt;
use std::fs;
use std::path::Path;

/// A process that has a device open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its command name, where it can be read.
    pub command: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{command} (pid {})", self.pid),
            None => write!(f, "process {}", self.pid),
        }
    }
}

impl Holder {
    /// A process by its id; its name is looked up.
    pub fn of_pid(pid: u32) -> Self {
        let command = fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim().to_owned());
        Self { pid, command }
    }

    /// The first process but this one that has `device` (a path without links in it) open, as far as this user
    /// may see. Reads all of `/proc`: not for the runtime's threads.
    pub fn of_device(device: &Path) -> Option<Self> {
        let own = std::process::id();
        fs::read_dir("/proc")
            .ok()?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|&pid| pid != own)
            .find(|pid| has_open(*pid, device))
            .map(Self::of_pid)
    }
}

fn has_open(pid: u32, device: &Path) -> bool {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .is_ok_and(|fds| fds.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == device)))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_that_has_a_file_open_is_found_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().canonicalize().unwrap();
        assert_eq!(Holder::of_device(&path), None, "this process does not count");
        let mut cat = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(fs::File::options().append(true).open(&path).unwrap())
            .spawn()
            .unwrap();
        let holder = Holder::of_device(&path).unwrap();
        assert_eq!(holder, Holder { pid: cat.id(), command: Some("cat".into()) });
        drop(cat.stdin.take());
        cat.wait().unwrap();
    }
}
