//! Claiming the terminal and giving it back, whatever happens.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcsetattr};

use super::input::tty;

/// Alternate screen, bracketed paste, focus reports, mouse off (another program may have left it on), no cursor.
const CLAIM: &[u8] =
    b"\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?25l\x1b[2J\x1b[H";
/// The reverse, in reverse order; also ends a synchronized update and resets colours.
const RELEASE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l";
const POP_KITTY: &[u8] = b"\x1b[<u";
/// Pops whatever a killed program left pushed, on the screen it left and on the main one.
const POP_ALL_KITTY: &[u8] = b"\x1b[<99u\x1b[?1049l\x1b[<99u";

/// Asks which kitty keyboard flags are in force; silence means that the protocol is not known.
pub(super) const ASK_KITTY: &[u8] = b"\x1b[?u";
/// Asks for a sign of life.
pub(super) const ASK_TERMINAL: &[u8] = b"\x1b[5n";

/// Gives the terminal back. Shared by the guard, the panic hook and the signal paths.
#[derive(Debug)]
pub struct Restorer {
    tty: Arc<File>,
    original: Termios,
    claimed: AtomicBool,
    kitty: AtomicBool,
}

impl Restorer {
    /// Gives the terminal back, once; errors are nobody's concern any more. Never panics.
    pub fn restore(&self) {
        if !self.claimed.swap(false, Ordering::SeqCst) {
            return;
        }
        let mut bytes = Vec::with_capacity(64);
        if self.kitty.swap(false, Ordering::SeqCst) {
            bytes.extend_from_slice(POP_KITTY);
        }
        bytes.extend_from_slice(RELEASE);
        tty::write_blocking(&self.tty, &bytes);
        let _ = tcsetattr(&*self.tty, OptionalActions::Now, &self.original);
    }

    /// The terminal is gone: nothing is to be written to it any more.
    pub fn defuse(&self) {
        self.claimed.store(false, Ordering::SeqCst);
    }
}

/// Owner of the terminal; gives it back when dropped.
#[derive(Debug)]
pub struct Guard {
    restorer: Arc<Restorer>,
}

impl Guard {
    /// Claims the terminal: raw mode, alternate screen.
    ///
    /// # Errors
    /// It is not a terminal, or it is gone.
    pub fn claim(tty: Arc<File>) -> std::io::Result<Self> {
        let mut original = tcgetattr(&*tty)?;
        if make_sane(&mut original) {
            tty::write_blocking(&tty, POP_ALL_KITTY);
        }
        let restorer = Restorer { tty, original, claimed: AtomicBool::new(false), kitty: AtomicBool::new(false) };
        let guard = Self { restorer: Arc::new(restorer) };
        guard.reclaim()?;
        Ok(guard)
    }

    /// Claims it again, after the process was stopped and went on.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn reclaim(&self) -> std::io::Result<()> {
        let mut raw = self.restorer.original.clone();
        raw.make_raw();
        self.restorer.claimed.store(true, Ordering::SeqCst);
        tcsetattr(&*self.restorer.tty, OptionalActions::Now, &raw)?;
        tty::write_blocking(&self.restorer.tty, CLAIM);
        Ok(())
    }

    /// What the panic hook and signal paths hold.
    pub fn restorer(&self) -> Arc<Restorer> {
        Arc::clone(&self.restorer)
    }

    /// The bytes that set kitty keyboard flags, in place of what was set before, and ask what became of it.
    pub(super) fn kitty_bytes(&self, flags: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.restorer.kitty.swap(true, Ordering::SeqCst) {
            bytes.extend_from_slice(POP_KITTY);
        }
        bytes.extend_from_slice(format!("\x1b[>{flags}u").as_bytes());
        bytes.extend_from_slice(ASK_KITTY);
        bytes
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.restorer.restore();
    }
}

/// A program that was killed leaves the terminal raw; nobody starts sunmill from a raw terminal on purpose. Gives back what
/// a shell expects instead. Returns whether there was something to mend.
fn make_sane(modes: &mut Termios) -> bool {
    if modes.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG) {
        return false;
    }
    modes.local_modes |= LocalModes::ICANON
        | LocalModes::ECHO
        | LocalModes::ECHOE
        | LocalModes::ECHOK
        | LocalModes::ISIG
        | LocalModes::IEXTEN;
    modes.input_modes |= InputModes::ICRNL | InputModes::IXON | InputModes::BRKINT;
    modes.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    true
}

/// Gives the terminal back before the report of a panic is printed.
pub fn restore_on_panic(restorer: Arc<Restorer>) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restorer.restore();
        report(info);
    }));
}

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    #[test]
    fn a_terminal_that_a_killed_program_left_raw_is_mended() {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let tty = Arc::new(File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap());
        let before = tcgetattr(&*tty).unwrap();
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&*tty, OptionalActions::Now, &raw).unwrap();
        drop(Guard::claim(Arc::clone(&tty)).unwrap());
        let after = tcgetattr(&*tty).unwrap();
        assert_eq!(after.local_modes, before.local_modes);
        assert!(after.input_modes.contains(InputModes::ICRNL));
        assert!(after.output_modes.contains(OutputModes::OPOST));
    }
}
