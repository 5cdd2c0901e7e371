//! One hub per device.
//!
//! The kernel's exclusive mode keeps other programs away from a serial device, but not a privileged one, and it
//! knows nothing of network ports. So a hub also locks a small file named after the device. The lock ends with
//! the process, however that ends; the file stays and means nothing without it.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::OpenError;
use super::holder::Holder;

/// A lock on one device, held while this value lives.
#[derive(Debug)]
pub struct DeviceLock {
    _file: File,
}

/// Where lock files go: a folder that all users of this computer share, else the user's own `runtime_dir`.
pub fn lock_dir(runtime_dir: Option<PathBuf>) -> PathBuf {
    let shared = PathBuf::from("/run/lock");
    match runtime_dir {
        Some(own) if rustix::fs::access(&shared, rustix::fs::Access::WRITE_OK).is_err() => own,
        _ => shared,
    }
}

impl DeviceLock {
    /// Locks `device` (a path without links, or host and port) by a file in `dir`. `None`: no lock file can be
    /// made there, which is no reason to refuse a machine.
    ///
    /// # Errors
    /// [`OpenError::Busy`] with the process that holds it.
    pub fn acquire(dir: &Path, device: &str) -> Result<Option<Self>, OpenError> {
        let path = dir.join(file_name(device));
        let Some(mut file) = open(&path) else {
            tracing::warn!(path = %path.display(), "cannot make a lock file; going on without");
            return Ok(None);
        };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            let holder = text.trim().parse().ok().map(Holder::of_pid);
            return Err(OpenError::Busy { port: device.to_owned(), holder });
        }
        // The id is for the message above only; the lock itself does not need it.
        let told = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = told {
            tracing::debug!(%error, path = %path.display(), "cannot write the process id");
        }
        Ok(Some(Self { _file: file }))
    }
}

/// Another user's file in a sticky folder may not be opened with `O_CREAT` (fs.protected_regular), and not for
/// writing; a lock needs neither.
fn open(path: &Path) -> Option<File> {
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .or_else(|_| File::open(path))
        .or_else(|_| File::options().read(true).write(true).create(true).truncate(false).open(path))
        .ok()
        .filter(|file| {
            file.metadata().is_ok_and(|m| m.is_file()) && fs::symlink_metadata(path).is_ok_and(|m| m.is_file())
        })
}

fn file_name(device: &str) -> String {
    let device = device.strip_prefix("/dev/").unwrap_or(device);
    let safe: String = device.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    format!("sunmill-{safe}.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_with_the_holder_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = DeviceLock::acquire(dir.path(), "/dev/ttyUSB0").unwrap();
        assert!(first.is_some());
        let error = DeviceLock::acquire(dir.path(), "/dev/ttyUSB0").unwrap_err();
        let OpenError::Busy { port, holder: Some(holder) } = error else { panic!("{error}") };
        assert_eq!((port.as_str(), holder.pid), ("/dev/ttyUSB0", std::process::id()));
        assert!(DeviceLock::acquire(dir.path(), "/dev/ttyUSB1").unwrap().is_some(), "another device is free");
        drop(first);
        assert!(DeviceLock::acquire(dir.path(), "/dev/ttyUSB0").unwrap().is_some());
    }

    #[test]
    fn no_place_for_a_lock_is_no_refusal() {
        let dir = tempfile::tempdir().unwrap();
        assert!(DeviceLock::acquire(&dir.path().join("none"), "/dev/ttyUSB0").unwrap().is_none());
    }

    #[test]
    fn a_link_planted_in_its_place_is_not_followed_into_somebody_elses_file() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join(file_name("/dev/ttyUSB0"))).unwrap();
        assert!(DeviceLock::acquire(dir.path(), "/dev/ttyUSB0").unwrap().is_none());
        assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(file_name("/dev/pts/3"), "sunmill-pts-3.lock");
        assert_eq!(file_name("tcp://cnc.local:23"), "sunmill-tcp---cnc.local-23.lock");
    }
}
