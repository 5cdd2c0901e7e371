//! Key releases from the keyboard itself, for the Linux console, which reports none to a terminal program.
//!
//! Only the fact that some key was let go is used, and only to end a continuous jog: which key, and which keyboard,
//! does not matter for stopping, so no key codes, layouts or consoles have to be known. Reading `/dev/input` needs the
//! group `input`; without it there is no signal and the lease ends a jog as in any terminal.
//!
//! Source: Linux `include/uapi/linux/input.h` (`struct input_event`), `input-event-codes.h` (`EV_KEY`).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use tokio::sync::mpsc;

use super::tty;

/// `struct input_event`: two words of time, type and code of 16 bits, a value of 32.
const EVENT: usize = 2 * size_of::<usize>() + 8;
const EV_KEY: u16 = 1;
/// Keyboards that are watched at the most.
const MOST_KEYBOARDS: usize = 8;

/// Watches the keyboards in `folder` (`/dev/input/by-path`), if there is one. The channel says "a key was let go"; it is closed where there
/// is no keyboard that may be read. Must be called within a runtime.
pub fn watch(folder: Option<&Path>) -> mpsc::Receiver<()> {
    let (tell, released) = mpsc::channel(1);
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let keyboards = entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with("-kbd"));
    for path in keyboards.take(MOST_KEYBOARDS) {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        match File::options().read(true).custom_flags(flags).open(&path) {
            Ok(file) => {
                tokio::spawn(read(file, tell.clone()));
            }
            Err(error) => tracing::info!(path = %path.display(), %error, "this keyboard cannot be read"),
        }
    }
    released
}

/// Until the keyboard is unplugged or nobody listens any more.
async fn read(file: File, tell: mpsc::Sender<()>) {
    let Ok(keyboard) = tty::register(Arc::new(file)) else { return };
    let mut buffer = [0; EVENT * 32];
    loop {
        let mut ready = tokio::select! {
            () = tell.closed() => return,
            ready = keyboard.readable() => match ready {
                Ok(ready) => ready,
                Err(_) => return,
            },
        };
        match ready.try_io(|fd| fd.get_ref().as_ref().read(&mut buffer)) {
            Ok(Ok(0) | Err(_)) => return,
            // Full: it is being told already.
            Ok(Ok(n)) if holds_release(&buffer[..n]) => drop(tell.try_send(())),
            Ok(Ok(_)) | Err(_) => {}
        }
    }
}

/// Whether one of the events is a key going up. The kernel hands out whole events.
fn holds_release(events: &[u8]) -> bool {
    events.chunks_exact(EVENT).any(|event| {
        let tail = &event[EVENT - 8..];
        let kind = u16::from_ne_bytes([tail[0], tail[1]]);
        let value = i32::from_ne_bytes([tail[4], tail[5], tail[6], tail[7]]);
        kind == EV_KEY && value == 0
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        let mut bytes = vec![0; EVENT - 8];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(code.to_ne_bytes());
        bytes.extend(value.to_ne_bytes());
        bytes
    }

    #[test]
    fn only_a_key_that_goes_up_is_a_release() {
        assert!(!holds_release(&event(EV_KEY, 106, 1)), "down");
        assert!(!holds_release(&event(EV_KEY, 106, 2)), "repeat");
        assert!(!holds_release(&event(0, 0, 0)), "end of a packet");
        assert!(holds_release(&event(EV_KEY, 106, 0)));
        assert!(holds_release(&[event(4, 4, 0), event(EV_KEY, 106, 0), event(0, 0, 0)].concat()));
        assert!(!holds_release(&event(EV_KEY, 106, 0)[1..]), "half an event");
    }

    /// A named pipe stands in for the device: what it gives is read by the same calls.
    #[tokio::test]
    async fn a_release_on_a_keyboard_is_told_and_an_unplugged_one_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pci-0000:00:14.0-usb-0:2:1.0-event-kbd");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        std::fs::write(folder.path().join("pci-0000:00:14.0-usb-0:3:1.0-event-mouse"), "").unwrap();
        let mut keyboard = File::options().read(true).write(true).open(&path).unwrap();
        let mut released = watch(Some(folder.path()));
        keyboard.write_all(&event(EV_KEY, 106, 1)).unwrap();
        keyboard.write_all(&event(EV_KEY, 106, 0)).unwrap();
        assert_eq!(released.recv().await, Some(()));
        drop(keyboard);
        assert_eq!(released.recv().await, None);
    }

    #[tokio::test]
    async fn without_a_keyboard_there_is_no_signal() {
        assert_eq!(watch(Some(Path::new("/nowhere"))).recv().await, None);
        assert_eq!(watch(None).recv().await, None);
    }
}
