//! Serial ports.
//!
//! Opening must not reset the board. DTR and RTS often hang on its reset circuit: the kernel raises both when a
//! port is opened that nobody has open, and drops them at the last close if HUPCL is set. So HUPCL is cleared
//! at each open, and the lines are never touched otherwise (`serialport` leaves DTR alone unless
//! `dtr_on_open` is given). From the second open on nothing changes on the lines; the very first open after
//! plugging in may reset a board such as an Uno, which its banner tells.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{self, ControlModes, OptionalActions};
use tokio_serial::{DataBits, FlowControl, Parity, StopBits};

use super::error::{OpenError, devices_in, group_name};
use super::holder::Holder;
use super::lock::DeviceLock;
use super::port::Port;
use super::tty::Tty;
use crate::driver::pace::Pace;
use crate::inverter::profile as inverter;

const BY_ID: &str = "/dev/serial/by-id";

/// How characters look on a serial line of 8 data bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialLine {
    /// Bits per second.
    pub baud: u32,
    /// Parity bit.
    pub parity: Parity,
    /// Stop bits.
    pub stop_bits: StopBits,
}

impl SerialLine {
    /// 8 data bits, this parity, one or two stop bits.
    pub const fn new(baud: u32, parity: inverter::Parity, two_stop_bits: bool) -> Self {
        let parity = match parity {
            inverter::Parity::None => Parity::None,
            inverter::Parity::Even => Parity::Even,
            inverter::Parity::Odd => Parity::Odd,
        };
        Self { baud, parity, stop_bits: if two_stop_bits { StopBits::Two } else { StopBits::One } }
    }

    /// 8N1.
    pub const fn plain(baud: u32) -> Self {
        Self { baud, parity: Parity::None, stop_bits: StopBits::One }
    }
}

/// Opens a serial device: raw, 8N1 or as `line` says, no flow control, exclusive. Blocks for some milliseconds (and reads
/// `/proc` when it is busy), so it has no place on the runtime's own threads; but it needs the runtime's context.
///
/// # Errors
/// See [`OpenError`].
pub(in crate::driver) fn open(path: &Path, line: SerialLine, pace: Pace, lock_dir: &Path) -> Result<Port, OpenError> {
    let baud = line.baud;
    let device = path.canonicalize().map_err(|error| explain(path, path, &error))?;
    let lock = DeviceLock::acquire(lock_dir, &device.to_string_lossy())?;
    // This descriptor is what is read and written. It tells exactly what is wrong, where the crate's errors do not, and
    // clears HUPCL. The crate opens its own beside it, so the lines see one opening only, and makes the settings.
    let tty =
        rustix::fs::open(&device, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| explain(path, &device, &errno.into()))?;
    keep_lines_at_close(&tty).map_err(|errno| explain(path, &device, &errno.into()))?;
    let settings = tokio_serial::new(device.to_string_lossy(), baud)
        .data_bits(DataBits::Eight)
        .parity(line.parity)
        .stop_bits(line.stop_bits)
        .flow_control(FlowControl::None)
        .exclusive(true);
    let claim = settings.open().map_err(|error| match error.kind {
        // `serialport` says so when another process holds its advisory lock on the device.
        tokio_serial::ErrorKind::NoDevice => busy(path, &device),
        _ => OpenError::Serial { path: path.to_owned(), why: format!("{error} (at {baud} baud)") },
    })?;
    let stream = Tty::new(tty, claim).map_err(|error| explain(path, &device, &error))?;
    Ok(Port {
        stream: Box::new(stream),
        pace_baud: paced_at(&device, baud, pace),
        when_gone: "the device is gone: it was unplugged or lost power",
        lock,
    })
}

fn keep_lines_at_close(tty: impl rustix::fd::AsFd) -> rustix::io::Result<()> {
    let mut modes = termios::tcgetattr(&tty)?;
    if modes.control_modes.contains(ControlModes::HUPCL) {
        modes.control_modes.remove(ControlModes::HUPCL);
        termios::tcsetattr(&tty, OptionalActions::Now, &modes)?;
    }
    Ok(())
}

/// The rate to pace at. Native USB (`ttyACM*`, `ttyGS*`) has no wire clock; everything else with a tty has, or is
/// a pseudo terminal behind which something simulates one.
fn paced_at(device: &Path, baud: u32, pace: Pace) -> Option<u32> {
    match pace {
        Pace::Off => None,
        Pace::Baud(rate) => Some(rate),
        Pace::Auto => {
            let name = device.file_name().unwrap_or_default().to_string_lossy();
            (!name.starts_with("ttyACM") && !name.starts_with("ttyGS")).then_some(baud)
        }
    }
}

fn explain(path: &Path, device: &Path, error: &io::Error) -> OpenError {
    let owned = path.to_owned();
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::NXIO | Errno::NODEV) => {
            OpenError::NoSuchPort { path: owned, near: devices_in(Path::new(BY_ID)) }
        }
        Some(Errno::ACCESS | Errno::PERM) => {
            let gid = std::fs::metadata(device).ok().and_then(|meta| group_to_join(meta.mode(), meta.gid()));
            let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
            OpenError::PermissionDenied { path: owned, group: gid.and_then(|gid| group_name(&groups, gid)) }
        }
        Some(Errno::BUSY) => busy(path, device),
        Some(Errno::NOTTY | Errno::ISDIR | Errno::INVAL) => OpenError::NotATty { path: owned },
        _ => OpenError::Serial { path: owned, why: error.to_string() },
    }
}

/// The group whose members may use a device: none where the mode shuts the group out too, and never root's, which
/// nobody should join for a serial port.
fn group_to_join(mode: u32, gid: u32) -> Option<u32> {
    const GROUP_READS_AND_WRITES: u32 = 0o060;
    (gid != 0 && mode & GROUP_READS_AND_WRITES == GROUP_READS_AND_WRITES).then_some(gid)
}

fn busy(path: &Path, device: &Path) -> OpenError {
    OpenError::Busy { port: path.display().to_string(), holder: Holder::of_device(device) }
}

#[cfg(test)]
pub(in crate::driver) mod tests {
    use std::path::PathBuf;

    use rustix::fd::OwnedFd;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A pseudo terminal: its master and the path of its slave.
    pub(in crate::driver) fn pty() -> (OwnedFd, PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        (master, PathBuf::from(name.to_str().unwrap()))
    }

    fn open_in(dir: &tempfile::TempDir, path: &Path) -> Result<Port, OpenError> {
        open(path, SerialLine::plain(115_200), Pace::Auto, dir.path())
    }

    #[tokio::test]
    async fn bytes_go_both_ways_unchanged_and_the_pace_is_the_configured_rate() {
        let dir = tempfile::tempdir().unwrap();
        let (master, path) = pty();
        let mut port = open_in(&dir, &path).unwrap();
        assert_eq!(port.pace_baud, Some(115_200));
        let bytes = [0x85, 0x18, b'\r', b'\n', 0x11, 0x13, 0x03, 0xff];
        port.stream.write_all(&bytes).await.unwrap();
        let mut got = [0; 8];
        let mut at = 0;
        while at < got.len() {
            at += rustix::io::read(&master, &mut got[at..]).unwrap();
        }
        assert_eq!(got, bytes);
        rustix::io::write(&master, b"ok\r\n").unwrap();
        let mut got = [0; 4];
        port.stream.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ok\r\n");
    }

    #[tokio::test]
    async fn a_tty_that_is_full_is_waited_for_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (master, path) = pty();
        let mut port = open_in(&dir, &path).unwrap();
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let expected = bytes.clone();
        let writer = tokio::spawn(async move { port.stream.write_all(&bytes).await.map(|()| port) });
        let reader = tokio::task::spawn_blocking(move || {
            let (mut got, mut buf) = (Vec::new(), [0; 4096]);
            while got.len() < expected.len() {
                let n = rustix::io::read(&master, &mut buf).unwrap();
                got.extend_from_slice(&buf[..n]);
            }
            assert!(got == expected);
            master
        });
        let mut port = writer.await.unwrap().unwrap();
        let master = reader.await.unwrap();
        // And it reads on.
        rustix::io::write(&master, b"ok").unwrap();
        let mut got = [0; 2];
        port.stream.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ok");
    }

    #[tokio::test]
    async fn the_lines_are_kept_at_close() {
        let dir = tempfile::tempdir().unwrap();
        let (master, path) = pty();
        let mut modes = termios::tcgetattr(&master).unwrap();
        modes.control_modes.insert(ControlModes::HUPCL);
        termios::tcsetattr(&master, OptionalActions::Now, &modes).unwrap();
        let _port = open_in(&dir, &path).unwrap();
        assert!(!termios::tcgetattr(&master).unwrap().control_modes.contains(ControlModes::HUPCL));
    }

    #[tokio::test]
    async fn a_vanished_device_ends_the_stream() {
        let dir = tempfile::tempdir().unwrap();
        let (master, path) = pty();
        let mut port = open_in(&dir, &path).unwrap();
        drop(master);
        let mut byte = [0];
        let read = port.stream.read(&mut byte).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }

    #[tokio::test]
    async fn each_refusal_has_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("ttyUSB9");
        assert!(matches!(open_in(&dir, &missing), Err(OpenError::NoSuchPort { .. })));
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(open_in(&dir, &file), Err(OpenError::NotATty { .. })));
        assert!(matches!(open_in(&dir, dir.path()), Err(OpenError::NotATty { .. })));
        let denied = explain(&file, &file, &io::Error::from_raw_os_error(13));
        assert!(matches!(denied, OpenError::PermissionDenied { .. }), "{denied}");
        assert!(matches!(explain(&file, &file, &io::Error::from_raw_os_error(16)), OpenError::Busy { .. }));
    }

    #[test]
    fn only_a_group_that_helps_is_named() {
        assert_eq!(group_to_join(0o20_660, 20), Some(20));
        assert_eq!(group_to_join(0o20_600, 20), None, "its members may not use it either");
        assert_eq!(group_to_join(0o20_660, 0), None, "nobody joins root's group for a port");
    }

    #[tokio::test]
    async fn a_second_hub_is_refused_whatever_name_it_uses() {
        let dir = tempfile::tempdir().unwrap();
        let (_master, path) = pty();
        let link = dir.path().join("cnc");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let first = open_in(&dir, &link).unwrap();
        assert!(matches!(open_in(&dir, &path), Err(OpenError::Busy { .. })));
        // Without a common lock folder the lock on the device itself still holds.
        let other = tempfile::tempdir().unwrap();
        assert!(matches!(open_in(&other, &path), Err(OpenError::Busy { .. })));
        drop(first);
        assert!(open_in(&dir, &path).is_ok());
    }

    #[test]
    fn native_usb_is_not_paced() {
        let at = |name: &str, pace| paced_at(Path::new(name), 57_600, pace);
        assert_eq!(at("/dev/ttyACM0", Pace::Auto), None);
        for name in ["/dev/ttyUSB0", "/dev/ttyS0", "/dev/ttyAMA0", "/dev/pts/3"] {
            assert_eq!(at(name, Pace::Auto), Some(57_600));
        }
        assert_eq!(at("/dev/ttyACM0", Pace::Baud(9600)), Some(9600));
        assert_eq!(at("/dev/ttyUSB0", Pace::Off), None);
    }
}
